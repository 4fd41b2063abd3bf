"""Memory of the song so far: what followed its earlier repetitions, interpolated with a network's predictions.

Every earlier position of the song votes for the character there. Its vote grows with the number of characters before it
that equal the last ones of the song:

    v(x) = sum of (m_i / 32)^e over the earlier positions i with character x
    p(x) = w v(x) / V + (1 - w) q(x)
    w    = sigmoid(a ln V + b + c max_x v(x) / V)

m_i is that number, up to 32; positions with fewer than 3 have no vote. V is the sum of all votes, q the network's
prediction; e, a, b and c are `MemoryConstants`. Without votes the network predicts alone. It is a cache as in Grave, Joulin
and Usunier, *Improving Neural Language Models with a Continuous Cache* (2017), with the length of the match in place of the
similarity of hidden states.

The mixture is for scoring. Sampled from on its own, it repeats itself: most lyrics end in a loop.

Shapes: T characters of the song so far, C = 100 classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lyricgen.models.vocabulary import INPUT_SIZE, NUM_CLASSES, OOV_LABEL

MIN_ORDER, MAX_ORDER = 3, 32  # characters of the shortest and the longest match that is counted
MIN_REPEAT = 12  # characters of the shortest run that counts as a repeat
MIN_VOTES = 1e-30  # replaces 0 in the logarithm of the votes
_INITIAL_CAPACITY = 1_024  # characters


@dataclass(frozen=True)
class MemoryConstants:
    """The constants of the interpolation; they belong to one network."""

    exponent: float
    """e: how steeply a vote grows with the length of the match."""
    slope: float
    """a: of the logarithm of all votes."""
    bias: float
    """b."""
    agreement: float
    """c: of the share of the votes for the character with the most."""

    def __post_init__(self) -> None:
        if not all(isinstance(value, (int, float)) and np.isfinite(value) for value in vars(self).values()):
            raise ValueError("the constants of a memory must be finite numbers")


@dataclass(frozen=True)
class Repeat:
    """A run of characters that occurs earlier in the same text."""

    start: int
    length: int
    earlier: int
    """Where the run starts the time before; it may overlap with this one."""


class SongMemory:
    """The memory of one song, built label by label.

    >>> memory = SongMemory(MemoryConstants(exponent=5.0, slope=0.5, bias=5.0, agreement=0.0), [10, 11, 12, 13, 10, 11, 12])
    >>> float(np.exp(memory.predict(np.full(100, np.log(0.01)))[13]).round(2))
    0.29
    >>> memory.append(13)
    >>> len(memory)
    8

    Args:
        constants: of the interpolation.
        labels: of the song so far, without the label 100 at its start. A label of 100, an unknown character, equals none.
    """

    def __init__(self, constants: MemoryConstants, labels: Sequence[int] = ()):
        self.constants = constants
        self._vote_of_match = vote_weights(constants.exponent)
        self._length = 0
        self._labels = np.empty(max(_INITIAL_CAPACITY, len(labels)), np.uint8)
        self._matches = np.zeros(len(self._labels), np.uint8)
        """Entry i: number of labels before position i that equal the last ones of the song, at most 32."""
        self._labels[: len(labels)] = labels
        self._length = max(0, len(labels) - MAX_ORDER)  # the matches depend on the last 32 labels
        while self._length < len(labels):
            self._length += 1
            self._extend()

    def __len__(self) -> int:
        """Characters of the song so far."""
        return self._length

    def append(self, label: int) -> None:
        """Adds the next label of the song."""
        length = self._length
        if length == len(self._labels):
            self._labels, self._matches = (np.resize(part, 2 * length) for part in (self._labels, self._matches))
        self._labels[length] = label
        self._length = length + 1
        self._extend()

    def predict(self, log_probs: np.ndarray, before: int | None = None) -> np.ndarray:
        """The network's prediction of the next character, interpolated with the votes.

        Args:
            log_probs: natural logarithms of the network's probabilities (C,).
            before: only positions before this one vote; None: all.

        Returns:
            natural logarithms, float64 (C,); those of the network where no earlier position votes.
        """
        stop = self._length if before is None else min(before, self._length)
        weights = self._vote_of_match[self._matches[:stop]]
        votes = np.bincount(self._labels[:stop], weights, NUM_CLASSES)[:NUM_CLASSES]
        return interpolate(votes, log_probs, self.constants)

    def _extend(self) -> None:
        """Updates the matches for the last label."""
        last = self._length - 1
        label = self._labels[last]
        equal = (self._labels[:last] == label) & (label != OOV_LABEL)
        self._matches[1 : last + 1] = (np.minimum(self._matches[:last], MAX_ORDER - 1) + 1) * equal
        self._matches[0] = 0


def predict_song(labels: Sequence[int], log_probs: np.ndarray, constants: MemoryConstants) -> np.ndarray:
    """The predictions of all characters of a song, equal to those of `SongMemory` up to float32.

    Args:
        labels: of the song (T,), without the label 100 at its start.
        log_probs: natural logarithms of the network's probabilities of each character, given those before it (T, C).
        constants: of the interpolation.

    Returns:
        natural logarithms, float64 (T, C).
    """
    return interpolate(song_votes(labels, constants.exponent), log_probs, constants)


def song_votes(labels: Sequence[int] | np.ndarray, exponent: float) -> np.ndarray:
    """The votes for each character of a song from the positions before it, float32 (T, C).

    A match of n characters is one of n - 1 too: for each order n, the votes of its contexts' earlier followers grow by
    the difference of the weights of n and n - 1.
    """
    song = np.asarray(labels, np.int64)
    weights, context_ids = vote_weights(exponent), np.zeros(len(song), np.int64)
    used, columns = np.unique(song, return_inverse=True)  # a song has a third of the characters
    one_hot = np.eye(len(used), dtype=np.float32) * (used < NUM_CLASSES)[:, None]
    votes = np.zeros((len(song), len(used)), np.float32)
    positions = np.arange(len(song))  # positions whose context of the last order occurs at several
    for order in range(1, MAX_ORDER + 1):
        before = positions[(positions < len(song) - 1) & (song[positions] != OOV_LABEL)]
        keys = context_ids[before] * INPUT_SIZE + song[before]
        _, groups, sizes = np.unique(keys, return_inverse=True, return_counts=True)
        repeated = sizes[groups] > 1
        positions, groups = before[repeated] + 1, groups[repeated]
        if not len(positions):
            break
        context_ids[positions] = groups
        if order >= MIN_ORDER:
            by_context = np.argsort(groups, kind="stable")
            rows = positions[by_context]
            counts = _counts_before(one_hot[columns[rows]], groups[by_context])
            votes[rows] += np.float32(weights[order] - weights[order - 1]) * counts
    full = np.zeros((len(song), INPUT_SIZE), np.float32)
    full[:, used] = votes
    return full[:, :NUM_CLASSES]


def vote_weights(exponent: float) -> np.ndarray:
    """The vote of a match of each length from 0 to 32, float64 (33,)."""
    lengths = np.arange(MAX_ORDER + 1)
    return np.where(lengths < MIN_ORDER, 0.0, (lengths / MAX_ORDER) ** exponent)


def interpolate(votes: np.ndarray, log_probs: np.ndarray, constants: MemoryConstants) -> np.ndarray:
    """Interpolates votes (..., C) with a network's predictions, natural logarithms (..., C); returns float64 (..., C)."""
    total = votes.sum(-1, keepdims=True, dtype=np.float64)  # (..., 1)
    has_votes = total > 0
    shares = votes / np.where(has_votes, total, 1.0)
    logits = constants.slope * np.log(np.maximum(total, MIN_VOTES)) + constants.bias
    logits += constants.agreement * shares.max(-1, keepdims=True)
    weight = has_votes / (1 + np.exp(-np.clip(logits, -500, 500)))
    predictions = np.exp(log_probs, dtype=np.float64)
    predictions *= 1 - weight
    predictions += np.multiply(shares, weight, out=shares)
    np.log(np.maximum(predictions, np.finfo(np.float64).tiny, out=predictions), out=predictions)
    return np.where(has_votes, predictions, log_probs)


def find_repeats(symbols: Sequence[int], minimum: int = MIN_REPEAT) -> tuple[Repeat, ...]:
    """The runs of at least `minimum` symbols that occur earlier in a sequence, from left to right, without overlap.

    Each run is the longest one that starts at its position, and `earlier` its latest earlier occurrence (as in Lempel and
    Ziv's compression of 1977).
    """
    sequence = tuple(symbols)
    earlier: dict[tuple[int, ...], list[int]] = {}  # positions of each window before `position`
    repeats: list[Repeat] = []
    end = 0  # of the last repeat
    for position in range(len(sequence) - minimum + 1):
        starts = earlier.setdefault(sequence[position : position + minimum], [])
        if starts and position >= end:
            repeat = _longest_repeat(sequence, position, starts, minimum)
            repeats.append(repeat)
            end = position + repeat.length
        starts.append(position)
    return tuple(repeats)


def _longest_repeat(sequence: tuple[int, ...], position: int, starts: list[int], length: int) -> Repeat:
    """The longest repeat at a position, given the earlier positions at which its first `length` symbols occur."""
    while position + length < len(sequence):
        symbol = sequence[position + length]
        longer = [start for start in starts if sequence[start + length] == symbol]
        if not longer:
            break
        starts, length = longer, length + 1
    return Repeat(position, length, starts[-1])


def _counts_before(followers: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Sums of the rows before each row within its group; rows (R, K), groups ascending (R,)."""
    sums = np.cumsum(followers, axis=0)
    sums -= followers
    starts = np.flatnonzero(np.diff(groups, prepend=-1))
    sums -= np.repeat(sums[starts], np.diff(starts, append=len(groups)), axis=0)
    return sums
