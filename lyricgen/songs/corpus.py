"""Songs encoded once into a memory-mapped byte array, cut into parallel streams for truncated backpropagation.

Each song stands in the array as label 100 followed by its characters, so that every character is predicted, the
first one from label 100. Shapes: B streams side by side, T characters a step.
"""

import hashlib
from array import array
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import IterableDataset

from lyricgen.errors import DataError
from lyricgen.models.vocabulary import OOV_LABEL, PADDING_LABEL, START_LABEL, encode
from lyricgen.songs.notebook import LyricsGenerationTensor, Song
from lyricgen.storage import ENCODED_CORPUS, artifact_errors, read_artifact, write_artifact

WINDOW = 60  # characters: the window by which two songs are compared
MAX_OVERLAP_OF_CLEAN = 0.10  # a song is clean if a smaller share of its windows than this occurs in training
MOST_HELD_OUT = 2_000  # songs, so that what is measured and compared with training stays small beside a large corpus
RECENT_STEPS = 8  # steps of shuffled streams whose state is kept, since a loader may be ahead of the training
LABELS, SONGS = ENCODED_CORPUS.files


@dataclass(frozen=True, eq=False)
class Corpus:
    """Encoded songs. `labels` is memory-mapped; the rest is a few bytes a song.

    A subset shares `labels` with the corpus that it comes from.
    """

    labels: np.ndarray
    """All songs one after the other, uint8; each opens with label 100."""
    starts: np.ndarray
    """Where each song's label 100 stands, int64 (songs,)."""
    stops: np.ndarray
    """One past each song's last character, int64 (songs,)."""
    artist_labels: np.ndarray
    """Position of each song's artist in `artists`, `len(artists)` for none, int64 (songs,)."""
    artists: tuple[str, ...]
    sha256: str
    """Of the encoded songs and their artists."""

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def characters(self) -> int:
        """Characters to predict in all songs, those outside the vocabulary among them."""
        return int((self.stops - self.starts).sum()) - len(self)

    def song(self, index: int) -> np.ndarray:
        """The labels of one song, without the label 100 that opens it: uint8 (characters,)."""
        return self.labels[self.starts[index] + 1 : self.stops[index]]

    def subset(self, songs: Sequence[int] | np.ndarray) -> "Corpus":
        """The corpus of these songs only, given by number or as a mask."""
        return replace(
            self, starts=self.starts[songs], stops=self.stops[songs], artist_labels=self.artist_labels[songs]
        )

    def split(self, share: float, seed: int) -> tuple["Corpus", "Corpus"]:
        """Two corpora that share no song: the second holds `share` of the songs, at least one and at most 2,000.

        Raises:
            DataError: there are fewer than two songs.
        """
        return tuple(map(self.subset, split_numbers(len(self), share, seed)))


def split_numbers(songs: int, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The numbers of the songs of each part of `Corpus.split`, ascending, int64.

    Raises:
        DataError: there are fewer than two songs.
    """
    if songs < 2:
        raise DataError("one song cannot be split into training and validation; name a validation file too")
    order = np.random.default_rng(seed).permutation(songs)
    held_out = min(max(1, round(share * songs)), songs - 1, MOST_HELD_OUT)
    return np.sort(order[held_out:]), np.sort(order[:held_out])


def encode_corpus(songs: Iterable[Song], folder: str | Path, artists: Sequence[str] | None = None) -> Corpus:
    """Encodes songs, lower-cased, into `folder` and opens it; memory stays constant whatever their number.

    The folder appears in one step when it is complete; one that was there is replaced.

    Args:
        songs: read once, in order.
        folder: of the artifact; see `lyricgen.storage`.
        artists: the artists to tell apart, position = label; a song of another has no artist. None: those of the songs.
    """
    folder = Path(folder)
    label_of = {name: label for label, name in enumerate(artists or ())}
    ends, names, digest = array("q", [0]), array("q"), hashlib.sha256()
    header: dict = {}
    with write_artifact(folder, ENCODED_CORPUS, header) as partial:
        with (partial / LABELS).open("wb") as file:
            for song in songs:
                if artists is None and song.artist:
                    label_of.setdefault(song.artist, len(label_of))
                labels = encode(song.lyric.lower())
                file.write(bytes([START_LABEL]))
                file.write(labels.data)
                digest.update(f"{song.artist}\0".encode() + labels.tobytes())
                ends.append(ends[-1] + 1 + len(labels))
                names.append(label_of.get(song.artist, -1))
        ends, artist_labels = np.frombuffer(ends, np.int64), np.frombuffer(names, np.int64).copy()
        artist_labels[artist_labels < 0] = len(label_of)
        np.savez(partial / SONGS, starts=ends[:-1], stops=ends[1:], artist_labels=artist_labels)
        header |= {"artists": list(label_of), "sha256": digest.hexdigest()}
    return open_corpus(folder)


def open_corpus(folder: str | Path) -> Corpus:
    """Opens a corpus that `encode_corpus` wrote.

    Raises:
        DataError: the folder is no corpus, or it is damaged or of another format.
    """
    folder = Path(folder)
    header = read_artifact(folder, ENCODED_CORPUS)
    with artifact_errors(folder, ENCODED_CORPUS):
        with (folder / SONGS).open("rb") as file, np.load(file, allow_pickle=False) as songs:
            arrays = {name: songs[name] for name in ("starts", "stops", "artist_labels")}
        labels = np.memmap(folder / LABELS, dtype=np.uint8, mode="r")
        if len(arrays["stops"]) and len(labels) != arrays["stops"][-1]:
            raise ValueError
        return Corpus(labels, **arrays, artists=tuple(header["artists"]), sha256=header["sha256"])


class SongStreams(IterableDataset):
    """Batches of B rows of T characters cut from songs: each row is a stream that takes one song after the other.

    A song opens at the start of a step (`starts` is set there, so that no hidden state is carried into it), and its
    last step is filled up with label 100, which the loss leaves out. With `shuffle` the songs come in a new order
    every epoch and streams run on from one epoch into the next, so no row ever idles; without, every song comes
    exactly once, the longest first, and rows that have run out are empty.

    Args:
        corpus: the songs.
        batch_size: B.
        length: T, the characters through which gradients flow.
        shuffle: as above.
        artist_dropout: share of the songs whose artist label is dropped, so that 'any artist' is learnt too.
        longest: characters after which a longer song is cut (the rest goes on as another, with no state), so that
            a book is read by many streams; None: never.
        seed: of the order and of the dropping.
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
    ):
        super().__init__()
        if not len(corpus):
            raise DataError("there is no song to read")
        self.corpus, self.batch_size, self.length, self.shuffle = corpus, batch_size, length, shuffle
        self.artist_dropout = artist_dropout
        self._rng = np.random.default_rng(seed)
        self._begins, self._ends, self._songs = _stretches(corpus, longest and -(-longest // length) * length)
        self._steps = -(-(self._ends - self._begins) // length)  # of each stretch
        self._position = np.zeros(batch_size, np.int64)  # of each row: where in `labels` its next step begins
        self._end = np.zeros(batch_size, np.int64)
        self._song = np.zeros(batch_size, np.int64)
        self._artist = np.full(batch_size, len(corpus.artists), np.int64)
        self._order = np.zeros(0, np.int64)  # the stretches in the order in which rows take them
        self._next = 0  # position in it
        self.steps = 0  # steps taken so far
        self._recent: deque[tuple[int, dict]] = deque(maxlen=RECENT_STEPS)

    def __len__(self) -> int:
        """Steps of an epoch."""
        if self.shuffle:
            return max(1, int(self._steps.sum()) // self.batch_size)
        rows = np.zeros(self.batch_size, np.int64)
        for steps in -np.sort(-self._steps):  # each goes to the row that is free first
            rows[rows.argmin()] += steps
        return int(rows.max())

    def __iter__(self) -> Iterator[LyricsGenerationTensor]:
        if not self.shuffle:  # from the start, whatever an earlier pass left
            self._position[:] = self._end[:] = 0
            self._order, self._next = np.argsort(-self._steps, kind="stable"), 0
        for _ in range(len(self)):
            yield self._step()

    def _step(self) -> LyricsGenerationTensor:
        """The next T characters of every row."""
        starts = self._position >= self._end
        for row in np.flatnonzero(starts):
            self._refill(row)
        at = self._position[:, None] + np.arange(self.length + 1)  # (B, T + 1)
        labels = self.corpus.labels[np.minimum(at, len(self.corpus.labels) - 1)].astype(np.int64)
        labels[at > self._end[:, None]] = PADDING_LABEL
        lengths = np.clip(self._end - self._position, 0, self.length)
        self._position = self._position + self.length
        self.steps += 1
        if self.shuffle:
            self._recent.append((self.steps, self._state()))
        columns = (labels[:, :-1], labels[:, 1:], lengths, self._artist, starts, self._song)
        return LyricsGenerationTensor(*(torch.from_numpy(np.array(column)) for column in columns))

    def _refill(self, row: int) -> None:
        """Gives a row the next stretch of the queue; an unshuffled queue that has run out leaves it empty."""
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
        """What a checkpoint keeps, in tensors and plain values, so that the streams go on exactly after a step.

        Args:
            steps: of shuffled streams, the steps that count as taken: a loader may have taken one or two more. None:
                all.
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
        """Goes on from a state of streams of the same songs and sizes."""
        self.steps, self._next = state_dict["steps"], state_dict["_next"]
        for name in ("_position", "_end", "_song", "_artist", "_order"):
            setattr(self, name, state_dict[name].numpy().copy())
        self._rng.bit_generator.state = state_dict["rng"]
        self._recent.clear()


def _stretches(corpus: Corpus, longest: int | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where the predictions of each stretch begin and end in `labels`, and its song's number."""
    begins, ends, songs = corpus.starts, corpus.stops - 1, np.arange(len(corpus))
    if longest is None:
        return begins, ends, songs
    pieces = np.maximum(1, -(-(ends - begins) // longest))
    songs = np.repeat(songs, pieces)
    piece = np.arange(len(songs)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    begins = begins[songs] + piece * longest
    return begins, np.minimum(begins + longest, ends[songs]), songs


def clean_songs(corpus: Corpus, train: Corpus, window: int = WINDOW, below: float = MAX_OVERLAP_OF_CLEAN) -> np.ndarray:
    """Which songs of a held-out corpus are new: under `below` of their windows of `window` characters occur in `train`.

    A song shorter than a window counts as new unless it stands in `train` whole. Memory grows with `corpus` only.

    Returns:
        A mask (songs,).
    """
    return copied_share(corpus, train, window) < below


def copied_share(corpus: Corpus, train: Corpus, window: int = WINDOW) -> np.ndarray:
    """The share of each song's windows of `window` characters that occur in a song of `train`, float (songs,)."""
    lengths = corpus.stops - corpus.starts - 1
    hashes = [_window_hashes(corpus.song(index), window) for index in range(len(corpus))]
    counts = np.array([len(one) for one in hashes])
    wanted, inverse = np.unique(np.concatenate(hashes), return_inverse=True)
    seen = np.zeros(len(wanted), bool)
    for index in range(len(train)):
        found = _window_hashes(train.song(index), window)
        at = np.minimum(np.searchsorted(wanted, found), max(len(wanted) - 1, 0))
        if len(wanted):
            seen[at[wanted[at] == found]] = True
    song_of_window = np.repeat(np.arange(len(corpus)), counts)
    copied = np.bincount(song_of_window, weights=seen[inverse], minlength=len(corpus))
    share = copied / np.maximum(counts, 1)
    short = lengths < window
    if short.any():
        whole = {
            train.song(index).tobytes()
            for index in range(len(train))
            if train.stops[index] - train.starts[index] <= window
        }
        share[short] = [float(corpus.song(index).tobytes() in whole) for index in np.flatnonzero(short)]
    return share


_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # odd, so that it has an inverse modulo 2**64
_INVERSE = np.uint64(pow(int(_FACTOR), -1, 2**64))
_CODES = np.random.default_rng(2**16 + 1).integers(0, 2**64, OOV_LABEL + 1, dtype=np.uint64)


def _window_hashes(labels: np.ndarray, window: int) -> np.ndarray:
    """A 64-bit polynomial hash of every window of a song, uint64 (len - window + 1,), by differences of prefix sums."""
    if len(labels) < window:
        return np.empty(0, np.uint64)
    powers = np.cumprod(np.full(len(labels), _FACTOR), dtype=np.uint64)
    inverses = np.cumprod(np.full(len(labels) - window + 1, _INVERSE), dtype=np.uint64)
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(_CODES[labels] * powers, dtype=np.uint64)])
    return (sums[window:] - sums[:-window]) * inverses
