"""Memory of the song so far: its n-grams, interpolated with a network's predictions.

For each order n, the characters that followed the last n characters earlier in the song are counted. The prediction of order
n is interpolated with the one of order n - 1 by absolute discounting with a strength, as in a Pitman-Yor process; the network
is order 0:

    p_n(x) = (max(c_n(x) - d_n, 0) + (s_n + d_n k_n) p_{n-1}(x)) / (N_n + s_n)

with c_n(x) the count of x, N_n the sum of the counts, k_n the number of distinct characters counted, d_n the discount and s_n
the strength of order n. An order with N_n = 0 leaves the prediction as it is. Teh, *A Hierarchical Bayesian Language Model
based on Pitman-Yor Processes* (2006).

The mixture is for scoring. Sampled from on its own, it repeats itself: most lyrics end in a loop.

Shapes: T characters of the song so far, N = 32 orders, C = 100 classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lyricgen.models.vocabulary import NUM_CLASSES, OOV_LABEL

MAX_ORDER = 32  # characters of the longest context
_INITIAL_CAPACITY = 1_024  # characters


@dataclass(frozen=True)
class MemoryConstants:
    """Discount and strength of each order, from 1 to the length of both; at most 32."""

    discounts: tuple[float, ...]
    """d_n, in [0, 1]."""
    strengths: tuple[float, ...]
    """s_n, at least 0: the count at which the n-grams weigh as much as the lower orders; never 0 with a discount of 0."""


@dataclass(frozen=True)
class Match:
    """The end of a song and its longest, latest earlier occurrence: `labels[start : start + length]`."""

    start: int
    length: int
    """Characters, at most 32; the character after them is at `start + length`."""


class SongMemory:
    """The n-grams of one song so far, built label by label.

    >>> memory = SongMemory(MemoryConstants((0.5,) * 8, (0.1,) * 8), [10, 11, 12, 10, 11])
    >>> memory.match
    Match(start=0, length=2)
    >>> float(np.exp(memory.predict(np.full(100, np.log(0.01)))[12]).round(2))
    0.71
    >>> memory.append(12)
    >>> memory.match
    Match(start=0, length=3)

    Args:
        constants: of the interpolation.
        labels: of the song so far, without the label 100 at its start. A label of 100, an unknown character, equals none.
    """

    def __init__(self, constants: MemoryConstants, labels: Sequence[int] = ()):
        self.constants = constants
        self._length = 0
        self._labels = np.empty(max(_INITIAL_CAPACITY, len(labels)), np.uint8)
        self._matches = np.zeros(len(self._labels), np.uint8)
        """Entry i: number of labels before position i that equal the last ones of the song, at most N."""
        self._discounts = np.array(constants.discounts)[:, None]  # (N, 1)
        self._strengths = np.array(constants.strengths)[:, None]
        self._labels[: len(labels)] = labels
        self._rebuild(len(labels))

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

    def truncate(self, length: int) -> None:
        """Removes all labels after the first `length`, for backtracking; takes the time of 32 appends."""
        self._rebuild(length)

    @property
    def match(self) -> Match | None:
        """The longest earlier occurrence of the end of the song, the latest of several; None where its last label is new."""
        if not self._length:
            return None
        matches = self._matches[: self._length]
        position = self._length - 1 - int(matches[::-1].argmax())
        length = int(matches[position])
        return Match(position - length, length) if length else None

    def predict(self, log_probs: np.ndarray, before: int | None = None) -> np.ndarray:
        """The network's prediction of the next character, interpolated with the n-grams.

        Args:
            log_probs: natural logarithms of the network's probabilities (C,).
            before: only characters before this position of the song are counted; None: all.

        Returns:
            natural logarithms, float64 (C,); exactly `log_probs` where the song's last label is new.
        """
        stop = self._length if before is None else min(before, self._length)
        matches, labels = self._matches[:stop], self._labels[:stop]
        positions = np.flatnonzero(matches)
        counts = self._follower_counts(matches[positions], labels[positions])  # (L, C)
        if not len(counts):
            return log_probs.astype(np.float64)
        orders = len(counts)
        totals, distinct = counts.sum(1, keepdims=True), (counts > 0).sum(1, keepdims=True)  # (L, 1)
        discounts, strengths = self._discounts[:orders], self._strengths[:orders]
        scale = np.maximum(totals + strengths, 1e-9)
        direct = np.maximum(counts - discounts, 0) / scale  # (L, C)
        back_off = np.where(totals > 0, (strengths + discounts * distinct) / scale, 1.0)[:, 0]  # (L,)
        weights = np.append(np.cumprod(back_off[::-1])[::-1], 1.0)  # (L + 1,): of the network, then of each order
        with np.errstate(divide="ignore"):
            return np.log(weights[0] * np.exp(log_probs, dtype=np.float64) + weights[1:] @ direct)

    def _follower_counts(self, matches: np.ndarray, followers: np.ndarray) -> np.ndarray:
        """The count of each label after each context, float64 (L, C), for orders 1 to the longest with a follower."""
        known = followers < NUM_CLASSES
        cells = matches[known].astype(np.intp) * NUM_CLASSES + followers[known]
        orders = int(cells.max(initial=0)) // NUM_CLASSES
        of_length = np.bincount(cells, minlength=(orders + 1) * NUM_CLASSES).reshape(orders + 1, NUM_CLASSES)
        return np.cumsum(of_length[:0:-1], axis=0)[::-1].astype(np.float64)

    def _rebuild(self, length: int) -> None:
        """Computes the matches of a song of the first `length` labels; they depend on its last N."""
        self._length = max(0, length - MAX_ORDER)
        self._matches[:length] = 0
        while self._length < length:
            self._length += 1
            self._extend()

    def _extend(self) -> None:
        """Updates the matches for the last label."""
        last = self._length - 1
        label = self._labels[last]
        equal = (self._labels[:last] == label) & (label != OOV_LABEL)
        self._matches[1 : last + 1] = (np.minimum(self._matches[:last], MAX_ORDER - 1) + 1) * equal
        self._matches[0] = 0
