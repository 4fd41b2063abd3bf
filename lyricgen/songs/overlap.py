"""Window hashes: which songs of a corpus overlap with the songs of another."""

import numpy as np

from lyricgen.models.vocabulary import OOV_LABEL
from lyricgen.songs.corpus import Corpus

WINDOW = 60  # characters of a window
MAX_OVERLAP_OF_CLEAN = 0.10  # share of the windows of a clean song that may occur in training songs, exclusive
_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # odd, so that it has an inverse modulo 2**64
_INVERSE = np.uint64(pow(int(_FACTOR), -1, 2**64))
_CODES = np.random.default_rng(2**16 + 1).integers(0, 2**64, OOV_LABEL + 1, dtype=np.uint64)


def clean_songs(corpus: Corpus, train: Corpus, window: int = WINDOW, below: float = MAX_OVERLAP_OF_CLEAN) -> np.ndarray:
    """Which songs of a held-out corpus are clean: a share under `below` of their windows occurs in `train`.

    A song shorter than a window is clean unless a song of `train` equals it. Memory is proportional to `corpus`.

    Returns:
        A mask (songs,).
    """
    return copied_share(corpus, train, window) < below


def copied_share(corpus: Corpus, train: Corpus, window: int = WINDOW) -> np.ndarray:
    """The share of each song's windows of `window` characters that occur in a song of `train`, float (songs,)."""
    lengths = corpus.stops - corpus.starts - 1
    hashes = [window_hashes(corpus.song(index), window) for index in range(len(corpus))]
    counts = np.array(list(map(len, hashes)))
    known, inverse = np.unique(np.concatenate(hashes), return_inverse=True)
    seen = np.zeros(len(known), bool)
    for index in range(len(train)):
        windows = window_hashes(train.song(index), window)
        at = np.minimum(np.searchsorted(known, windows), max(len(known) - 1, 0))
        if len(known):
            seen[at[known[at] == windows]] = True
    song_of_window = np.repeat(np.arange(len(corpus)), counts)
    copied = np.bincount(song_of_window, weights=seen[inverse], minlength=len(corpus))
    share = copied / np.maximum(counts, 1)
    short = lengths < window
    if short.any():
        short_songs = {
            train.song(index).tobytes()
            for index in range(len(train))
            if train.stops[index] - train.starts[index] <= window
        }
        share[short] = [float(corpus.song(index).tobytes() in short_songs) for index in np.flatnonzero(short).tolist()]
    return share


def window_hashes(labels: np.ndarray, window: int) -> np.ndarray:
    """A 64-bit polynomial hash of every window of a song, uint64 (len - window + 1,), by differences of prefix sums."""
    if len(labels) < window:
        return np.empty(0, np.uint64)
    powers = np.cumprod(np.full(len(labels), _FACTOR), dtype=np.uint64)
    inverses = np.cumprod(np.full(len(labels) - window + 1, _INVERSE), dtype=np.uint64)
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(_CODES[labels] * powers, dtype=np.uint64)])
    return (sums[window:] - sums[:-window]) * inverses
