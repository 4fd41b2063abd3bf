"""What a model expects before each character of a text: the probability of every character.

Shapes: T characters of the text, C = 100 classes.
"""

import math
from pathlib import Path

import numpy as np
import torch

from lyricgen.analysis.scoring import check_scored, read_layers
from lyricgen.models.loading import resolve_model
from lyricgen.models.networks import CharacterModel
from lyricgen.models.text import check_artist


def predictions(
    text: str, *, artist: str | torch.Tensor | None = None, model: str | Path | CharacterModel = "lstm"
) -> tuple[np.ndarray, np.ndarray]:
    """The labels of a text, and the surprisal of every character before each of them and after the last.

    Args:
        text: as for `scoring.score`.
        artist: as for `scoring.score`, or the weights of a mix of artists as in `CharacterModel.artist_vectors` (A + 1,).
        model: as for `scoring.score`.

    Returns:
        labels, int (T,), 100 for a character outside the vocabulary; and bits, float64 (T + 1, C): row t is the prediction
        before character t, given those before it.

    Raises:
        ArgumentError, ModelError: as `scoring.score`.
    """
    network = resolve_model(model)
    text = check_scored(text)
    style = artist if isinstance(artist, torch.Tensor) else check_artist(artist, network)
    labels, layers = read_layers(text, style, network)
    with torch.inference_mode():
        log_probs = network.ffnn(layers[-1]).double().cpu().log_softmax(-1)  # (T + 1, C)
    return np.array(labels), (log_probs / -math.log(2)).numpy()
