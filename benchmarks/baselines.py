"""Peers of the language models in bits per character: uniform, n-grams, and the compressor PPMd.

All are fitted on training songs and read each song of another corpus alone. Characters outside the vocabulary cost nothing:
the n-grams read them as one character and don't score them, PPMd gets songs without them.
"""

import math
import os
from typing import Any

import numpy as np

from lyricgen.models.vocabulary import INPUT_SIZE, NUM_CLASSES, OOV_LABEL
from lyricgen.songs.corpus import Corpus

PPMD_MEMORY = 1 << 30  # bytes; the training songs fill less, so that the model never restarts
SONG_END = bytes([OOV_LABEL])  # between the songs that PPMd reads


def uniform_bits(corpus: Corpus) -> np.ndarray:
    """Bits of each song if all characters are equally probable (songs,)."""
    return scored_characters(corpus) * math.log2(NUM_CLASSES)


def scored_characters(corpus: Corpus) -> np.ndarray:
    """Characters of the vocabulary in each song (songs,)."""
    return np.array([int((corpus.song(number) != OOV_LABEL).sum()) for number in range(len(corpus))])


class NgramModel:
    """Character n-grams, interpolated with absolute discounting down to the uniform distribution.

    p_n(x) = (max(c_n(x) - d_n, 0) + d_n k_n p_{n-1}(x)) / N_n with the count c_n of x after a context, their sum N_n, the
    number of distinct ones k_n, and Ney's estimate d = n1 / (n1 + 2 n2) from the n-grams counted once and twice. Chen and
    Goodman, *An Empirical Study of Smoothing Techniques for Language Modeling* (1999).

    Args:
        corpus: the training songs.
        order: n, characters of the longest n-gram; 1: frequencies without context. At most 9.
    """

    def __init__(self, corpus: Corpus, order: int):
        songs = [with_start(corpus.song(number)) for number in range(len(corpus))]
        self.counts = [_count(np.concatenate([ngrams(song, n) for song in songs])) for n in range(1, order + 1)]

    def song_bits(self, song: np.ndarray) -> float:
        """Bits of the scored characters of a song, given by its labels."""
        labels = with_start(song)
        probabilities = np.full(len(song), 1 / NUM_CLASSES)
        for n, (keys, counts, context_keys, totals, distinct, discount) in enumerate(self.counts, 1):
            grams = ngrams(labels, n)
            if not len(grams):
                break
            count, total = _look_up(keys, counts, grams), _look_up(context_keys, totals, grams // INPUT_SIZE)
            seen = total > 0
            kinds = _look_up(context_keys, distinct, grams // INPUT_SIZE)
            lower = probabilities[-len(grams) :]
            mixed = (np.maximum(count - discount, 0) + discount * kinds * lower) / np.maximum(total, 1)
            probabilities[-len(grams) :] = np.where(seen, mixed, lower)
        return float(-np.log2(probabilities[song != OOV_LABEL]).sum())

    def bits(self, corpus: Corpus) -> np.ndarray:
        """Bits of each song (songs,)."""
        return np.array([self.song_bits(corpus.song(number)) for number in range(len(corpus))])


def with_start(song: np.ndarray) -> np.ndarray:
    """A song's labels after the label 100 that opens it, int64 (T + 1,)."""
    return np.concatenate([[OOV_LABEL], song]).astype(np.int64)


def ngrams(labels: np.ndarray, n: int) -> np.ndarray:
    """Each n-gram that ends at a character after the first label, as one number: int64 (at most T,)."""
    size = max(len(labels) - max(n, 2) + 1, 0)
    numbers = np.zeros(size, np.int64)
    for offset in range(len(labels) - size - n + 1, len(labels) - size + 1):
        numbers = numbers * INPUT_SIZE + labels[offset : offset + size]
    return numbers


def _count(grams: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, float]:
    """Counts of n-grams whose last character is scored: keys, counts, contexts with their totals and kinds, and discount."""
    keys, counts = np.unique(grams[grams % INPUT_SIZE != OOV_LABEL], return_counts=True)
    context_keys, groups = np.unique(keys // INPUT_SIZE, return_inverse=True)
    totals, distinct = np.bincount(groups, weights=counts), np.bincount(groups)
    once, twice = int((counts == 1).sum()), int((counts == 2).sum())
    return keys, counts, context_keys, totals, distinct, once / max(once + 2 * twice, 1)


def _look_up(keys: np.ndarray, values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The values of keys, 0 for one that is missing."""
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[at] == wanted, values[at], 0)


def ppmd_bits(train: Corpus, corpus: Corpus, order: int) -> np.ndarray:
    """Bits of each song by PPMd variant H: the compressed size of the training songs and it less that of the songs alone.

    The training songs are compressed once: each song continues in a fork of the process, so this needs Linux or macOS.

    Raises:
        ImportError: pyppmd is not installed.
    """
    import pyppmd

    encoder = pyppmd.Ppmd7Encoder(order, PPMD_MEMORY)
    written = 0
    for number in range(len(train)):
        written += len(encoder.encode(_vocabulary_bytes(train.song(number)) + SONG_END))
    alone = written + _size_in_fork(encoder, b"")
    songs = (_vocabulary_bytes(corpus.song(number)) for number in range(len(corpus)))
    return np.array([8 * (written + _size_in_fork(encoder, song) - alone) for song in songs], float)


def _size_in_fork(encoder: Any, song: bytes) -> int:
    """Bytes that an encoder still writes for a song; the encoder of this process stays as it is."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.write(writer, str(len(encoder.encode(song)) + len(encoder.flush())).encode())
        os._exit(0)
    os.close(writer)
    with open(reader, "rb") as pipe:
        size = int(pipe.read())
    os.waitpid(child, 0)
    return size


def _vocabulary_bytes(song: np.ndarray) -> bytes:
    """A song's labels as bytes, without those outside the vocabulary."""
    return song[song != OOV_LABEL].astype(np.uint8).tobytes()
