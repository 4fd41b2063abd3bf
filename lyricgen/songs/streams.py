"""Songs cut into parallel streams for truncated backpropagation through time.

Shapes: B parallel streams, T characters per step.
"""

from collections import deque
from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch.utils.data import IterableDataset

from lyricgen.errors import DataError
from lyricgen.models.vocabulary import PADDING_LABEL
from lyricgen.songs.corpus import Corpus
from lyricgen.songs.notebook import LyricsGenerationTensor

RECENT_STEPS = 8  # newest steps with a saved state, because the loader prefetches


class SongStreams(IterableDataset):
    """Batches of B rows of T characters: each row is a stream of songs.

    A song starts at the beginning of a step (`starts` is set there, so that no hidden state is carried into it), and its
    last step is padded with label 100, which the loss ignores. With `shuffle`, every epoch has a new order, and streams
    continue from one epoch into the next, so that no row is ever idle; without it, every song comes exactly once, the
    longest first, and rows without a further song are empty.

    Args:
        corpus: the songs.
        batch_size: B.
        length: T, the characters through which gradients flow.
        shuffle: see above.
        artist_dropout: share of the songs with a hidden artist label, so that 'any artist' is learnt too.
        longest: maximum characters of a stretch; longer songs are cut into several, each with a fresh hidden state, so
            that a book is spread over many streams; None: no maximum.
        seed: of the order and of the artist dropout.
        rank: number of this process among `ranks`, from 0. Every rank follows all B streams and gives its own share of the
            rows, so that no song is read twice, and the rows of all ranks are those of one process.
        ranks: processes of a distributed training.
    """

    def __init__(
        self,
        corpus: Corpus,
        batch_size: int = 64,
        length: int = 128,
        shuffle: bool = True,
        artist_dropout: float = 0.0,
        longest: int | None = None,
        seed: int = 0,
        rank: int = 0,
        ranks: int = 1,
    ):
        super().__init__()
        if not len(corpus):
            raise DataError("there is no song to train on or to measure")
        self.corpus, self.batch_size, self.length, self.shuffle = corpus, batch_size, length, shuffle
        self.artist_dropout, self.ranks = artist_dropout, ranks
        self._rows = np.array_split(np.arange(batch_size), ranks)[rank]  # of this rank
        self._rng = np.random.default_rng(seed)
        self._begins, self._ends, self._songs = _stretches(corpus, longest and -(-longest // length) * length)
        self._steps = -(-(self._ends - self._begins) // length)  # of each stretch
        self._position = np.zeros(batch_size, np.int64)  # of each row: position in `labels` of its next step
        self._end = np.zeros(batch_size, np.int64)
        self._song = np.zeros(batch_size, np.int64)
        self._artist = np.full(batch_size, len(corpus.artists), np.int64)
        self._order = np.zeros(0, np.int64)  # stretches in the order in which rows take them
        self._next = 0  # position in that order
        self.steps = 0  # since the start
        self._recent: deque[tuple[int, dict]] = deque(maxlen=RECENT_STEPS)

    def __len__(self) -> int:
        """Steps of an epoch."""
        if self.shuffle:
            return max(1, int(self._steps.sum()) // self.batch_size)
        rows = np.zeros(self.batch_size, np.int64)
        for steps in -np.sort(-self._steps):  # each goes to the first free row
            rows[rows.argmin()] += steps
        return int(rows.max())

    def __iter__(self) -> Iterator[LyricsGenerationTensor]:
        if not self.shuffle:  # start over
            self._position[:] = self._end[:] = 0
            self._order, self._next = np.argsort(-self._steps, kind="stable"), 0
        for _ in range(len(self)):
            yield self._step()

    def _step(self) -> LyricsGenerationTensor:
        """The next T characters of every row."""
        starts = self._position >= self._end
        for row in np.flatnonzero(starts):
            self._refill(int(row))
        rows = self._rows  # (R,): B, or this rank's share of it
        position, end = self._position[rows], self._end[rows]
        at = position[:, None] + np.arange(self.length + 1)  # (R, T + 1)
        labels = self.corpus.labels[np.minimum(at, len(self.corpus.labels) - 1)].astype(np.int64)
        labels[at > end[:, None]] = PADDING_LABEL
        lengths = np.clip(end - position, 0, self.length)
        self._position = self._position + self.length
        self.steps += 1
        if self.shuffle:
            self._recent.append((self.steps, self._state()))
        columns = (labels[:, :-1], labels[:, 1:], lengths, self._artist[rows], starts[rows], self._song[rows])
        return LyricsGenerationTensor(*(torch.from_numpy(np.array(column)) for column in columns))

    def _refill(self, row: int) -> None:
        """Assigns the next stretch to a row, or leaves the row empty at the end of an unshuffled pass."""
        if self._next >= len(self._order) and self.shuffle:
            self._order, self._next = self._rng.permutation(len(self._songs)), 0
        if self._next >= len(self._order):
            self._position[row] = self._end[row] = 0
            return
        stretch = self._order[self._next]
        self._next += 1
        song = self._songs[stretch]
        self._position[row], self._end[row], self._song[row] = self._begins[stretch], self._ends[stretch], song
        dropped = self._rng.random() < self.artist_dropout
        self._artist[row] = len(self.corpus.artists) if dropped else self.corpus.artist_labels[song]

    def _state(self) -> dict:
        """The order and positions after the last step; arrays that later steps change are copied."""
        rows = {name: getattr(self, name).copy() for name in ("_position", "_end", "_song", "_artist")}
        return {**rows, "_order": self._order, "_next": self._next, "rng": self._rng.bit_generator.state}

    def state_dict(self, steps: int | None = None) -> dict:
        """The state after a step, as tensors and plain values, from which `load_state_dict` continues exactly.

        Args:
            steps: for shuffled streams, the steps trained on: the loader may have prefetched one or two more. None: all.
        """
        steps = self.steps if steps is None else steps
        state = dict(self._recent).get(steps) or self._state()
        return {
            "steps": steps,
            **{
                name: torch.from_numpy(value.copy()) if isinstance(value, np.ndarray) else value
                for name, value in state.items()
            },
        }

    def load_state_dict(self, state_dict: Mapping) -> None:
        """Restores a state of streams of the same songs and sizes."""
        self.steps, self._next = state_dict["steps"], state_dict["_next"]
        for name in ("_position", "_end", "_song", "_artist", "_order"):
            setattr(self, name, state_dict[name].numpy().copy())
        self._rng.bit_generator.state = state_dict["rng"]
        self._recent.clear()


def _stretches(corpus: Corpus, max_length: int | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Start and end of each stretch's predictions in `labels`, and the number of its song."""
    begins, ends, songs = corpus.starts, corpus.stops - 1, np.arange(len(corpus))
    if max_length is None:
        return begins, ends, songs
    pieces = np.maximum(1, -(-(ends - begins) // max_length))
    songs = np.repeat(songs, pieces)
    piece = np.arange(len(songs)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    begins = begins[songs] + piece * max_length
    return begins, np.minimum(begins + max_length, ends[songs]), songs
