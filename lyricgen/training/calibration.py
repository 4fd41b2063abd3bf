"""Temperature scaling of a trained network (Guo et al. 2017, *On Calibration of Modern Neural Networks*).

A network that has read its songs several times is too sure of its predictions on other songs. Its logits are divided by the one
temperature at which held-out songs take the fewest bits; the order of the characters stays.
"""

from collections.abc import Iterator

import numpy as np
import torch
from torch.nn import functional as F

from lyricgen.models.networks import CharacterModel
from lyricgen.models.vocabulary import OOV_LABEL
from lyricgen.songs.corpus import Corpus
from lyricgen.training.memory import read_logits

LOWEST, HIGHEST = 0.5, 2.0  # temperatures


def scale_temperature(model: CharacterModel, corpus: Corpus) -> float:
    """Divides the weights and the bias of a model's linear layer by the temperature of the fewest bits on songs.

    Args:
        model: in eval mode; changed in place.
        corpus: songs that the model has not read.

    Returns:
        the temperature.
    """
    temperature = fit_temperature(read_logits(model, corpus))
    with torch.no_grad():
        for parameter in model.ffnn.parameters():
            parameter.div_(temperature)
    return temperature


def fit_temperature(songs: Iterator[tuple[torch.Tensor, np.ndarray]]) -> float:
    """The temperature of the fewest bits on songs, each given as logits (T, C) and labels (T,); from 0.5 to 2, and 1 for songs
    without a character of the vocabulary."""
    logits, labels = zip(*songs, strict=True)
    joined, targets = torch.cat(logits), torch.from_numpy(np.concatenate(labels))
    if bool((targets == OOV_LABEL).all()):
        return 1.0
    log_temperature = torch.zeros((), requires_grad=True)
    optimizer = torch.optim.LBFGS([log_temperature], max_iter=50, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        nats = F.cross_entropy(joined / log_temperature.exp(), targets, ignore_index=OOV_LABEL)
        nats.backward()
        return nats

    optimizer.step(loss)
    return round(min(HIGHEST, max(LOWEST, float(log_temperature.detach().exp()))), 4)
