"""Fit of the memory's constants (`lyricgen.models.memory`) on songs, for a network that is trained already."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from lyricgen.analysis.scoring import embed_song
from lyricgen.errors import ArgumentError
from lyricgen.generation.fast_stepper import LayerReader
from lyricgen.models.checkpoints import load_checkpoint, replace_metrics
from lyricgen.models.memory import MIN_VOTES, MemoryConstants, song_votes
from lyricgen.models.networks import CharacterModel
from lyricgen.models.vocabulary import NUM_CLASSES
from lyricgen.output import to_json
from lyricgen.songs.corpus import Corpus
from lyricgen.training.config import MEMORY, NETWORKS, TrainConfig
from lyricgen.training.interruption import interruptible
from lyricgen.training.songs import TrainingSongs

EXPONENTS = (3.0, 4.0, 5.0)  # that are tried
FITTED_SONGS = 100  # at most


class Votes(NamedTuple):
    """What the interpolation needs of each scored character of some songs; all (characters,)."""

    network: np.ndarray
    """The network's probability of the character."""
    total: np.ndarray
    """All votes."""
    share: np.ndarray
    """The share of the votes for the character."""
    largest: np.ndarray
    """The largest share of one character."""


def fit_memories(songs: TrainingSongs, config: TrainConfig) -> None:
    """Fits the memory of each network in `config.out`, and writes its constants into the folder; the weights stay.

    Raises:
        ArgumentError: there is no network.
        ModelError: a folder is damaged.
        Interrupted: by Ctrl-C or SIGTERM.
    """
    folders = [config.out / name for name in NETWORKS if (config.out / name).is_dir()]
    if not folders:
        raise ArgumentError(f"--models {MEMORY} needs a network in --out; there is no {' or '.join(NETWORKS)} in it")
    for folder in folders:
        with interruptible(MEMORY):
            refit_memory(folder, songs, config)


def refit_memory(folder: Path, songs: TrainingSongs, config: TrainConfig) -> None:
    """Fits the memory of the network in a model folder, and replaces its constants and their record in the metrics."""
    checkpoint = load_checkpoint(folder)
    metrics = checkpoint.metrics
    facts = {"data_sha256": songs.data_sha256, "seed": config.seed, "held_out_songs": len(songs.held_out or ())}
    held_out = songs.held_out is not None and all(metrics.get(name) == value for name, value in facts.items())
    constants, record = fit_memory(checkpoint.model, songs, config, held_out)
    replace_metrics(folder, {**metrics, MEMORY: record}, constants)
    print(f"{folder.name}: memory {to_json(record['bpc'])}; written to {folder}")


def fit_memory(
    model: CharacterModel, songs: TrainingSongs, config: TrainConfig, held_out: bool = True
) -> tuple[MemoryConstants, dict]:
    """Fits the constants on the held-out training songs, or on a sample of the training songs where there are none.

    Args:
        model: in eval mode.
        songs: of the training.
        config: of the training; its seed selects the songs.
        held_out: whether the network has not read the held-out songs.

    Returns:
        the constants, and a record for the metrics: the songs, whether the network had read them in its training, and the bits
        per character on them, alone and with memory.
    """
    corpus = select_songs(songs.held_out or songs.train, config.seed)
    constants, bpc = fit_constants(model, corpus)
    record = {
        "songs": len(corpus),
        "characters": corpus.characters,
        "read_by_network": songs.held_out is None or not held_out,
        "bpc": bpc,
    }
    return constants, record


def select_songs(corpus: Corpus, seed: int) -> Corpus:
    """At most 100 songs of a corpus, at random by a seed."""
    if len(corpus) <= FITTED_SONGS:
        return corpus
    return corpus.subset(np.sort(np.random.default_rng(seed).permutation(len(corpus))[:FITTED_SONGS]))


def fit_constants(model: CharacterModel, corpus: Corpus) -> tuple[MemoryConstants, dict[str, float]]:
    """The constants of the lowest bits per character on songs, and these bits: `alone` and `with_memory`."""
    targets = [np.exp(log_probs) for log_probs in target_log_probs(model, corpus)]
    fits = [_fit_interpolation(collect_votes(corpus, targets, exponent), exponent) for exponent in EXPONENTS]
    bits, constants = min(fits, key=lambda fit: fit[0])
    alone = -np.log2(np.concatenate(targets)).mean()
    return constants, {"alone": round(float(alone), 4), "with_memory": round(bits, 4)}


def target_log_probs(model: CharacterModel, corpus: Corpus) -> Iterator[np.ndarray]:
    """Yields the natural logarithms of the probabilities of each song's scored characters, float32 (characters,)."""
    for logits, labels in read_logits(model, corpus):
        scored = labels < NUM_CLASSES
        yield logits.log_softmax(-1).numpy()[scored, labels[scored]]


def read_logits(model: CharacterModel, corpus: Corpus) -> Iterator[tuple[torch.Tensor, np.ndarray]]:
    """Yields of each song the logits of its characters, float32 (T, C) on the CPU, and their labels, int64 (T,)."""
    for number in range(len(corpus)):
        labels = corpus.song(number).astype(np.int64)
        with torch.no_grad():
            embedded = embed_song(labels.tolist(), _artist_name(corpus, number, model), model)
            outputs, _ = LayerReader.of(model).read(embedded)
            yield model.ffnn(outputs[-1][0, :-1].clone()).cpu(), labels


def collect_votes(corpus: Corpus, probabilities: list[np.ndarray], exponent: float) -> Votes:
    """The votes for the scored characters of songs, given the network's probability of each."""
    parts = []
    for number, network in enumerate(probabilities):
        labels = corpus.song(number).astype(np.int64)
        scored = labels < NUM_CLASSES
        votes = song_votes(labels, exponent)[scored]  # (characters, C)
        total = votes.sum(1)
        safe = np.maximum(total, MIN_VOTES)
        parts.append((network, total, votes[np.arange(len(votes)), labels[scored]] / safe, votes.max(1) / safe))
    return Votes(*map(np.concatenate, zip(*parts, strict=True)))


def interpolated_bits(votes: Votes, constants: torch.Tensor) -> torch.Tensor:
    """Bits of each scored character, for slope, bias and agreement (3,)."""
    network, total, share, largest = map(torch.from_numpy, votes)
    features = torch.stack([total.clamp(min=MIN_VOTES).log(), torch.ones_like(total), largest], 1).double()
    weight = (features @ constants).sigmoid() * (total > 0)
    return -torch.log2(weight * share + (1 - weight) * network.double())


def _fit_interpolation(votes: Votes, exponent: float) -> tuple[float, MemoryConstants]:
    """Bits per character, and the constants of an exponent."""
    values = torch.tensor([0.5, 0.0, 4.0], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([values], max_iter=50, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        bits = interpolated_bits(votes, values).mean()
        bits.backward()
        return bits

    optimizer.step(loss)
    with torch.no_grad():
        bits = float(interpolated_bits(votes, values).mean())
    return bits if math.isfinite(bits) else math.inf, MemoryConstants(exponent, *(round(x, 4) for x in values.tolist()))


def _artist_name(corpus: Corpus, number: int, model: CharacterModel) -> str | None:
    """The song's artist, None where the model does not know the name."""
    label = int(corpus.artist_labels[number])
    name = corpus.artists[label] if label < len(corpus.artists) else None
    return name if name in model.artists else None
