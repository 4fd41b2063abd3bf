"""Memorization of the training songs: copied characters and words in lyrics sampled from a network."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch

from lyricgen.errors import DataError
from lyricgen.generation.decoding import Hypothesis, SamplingDecodingStrategy
from lyricgen.generation.fast_stepper import FastStepper
from lyricgen.memorization.originality import measure_originality
from lyricgen.memorization.song_index import GRAM, SongIndex
from lyricgen.models.networks import CharacterModel
from lyricgen.models.vocabulary import START_LABEL, token_ids_to_str
from lyricgen.songs.corpus import Corpus
from lyricgen.songs.overlap import copied_share
from lyricgen.songs.reading import Song

LONG_RUN = 50  # characters of a copied run that counts as long
RUN_LENGTHS = (GRAM, 8)  # words of a copied run; the share of lyrics with one is reported
TEMPERATURES = (0.5, 0.7, 1.0)
CHARACTER_TEMPERATURE = 0.7  # temperature of the lyrics compared by characters
SAMPLE_LENGTH = 300  # characters


def measure_copying(model: CharacterModel, train: Corpus, samples: int = 200, seed: int = 0) -> dict[str, dict | None]:
    """Samples lyrics at each of `TEMPERATURES` and measures their copied runs.

    Args:
        model: trained, in eval mode.
        train: its training songs.
        samples: lyrics per temperature; 0: nothing is measured.
        seed: of the lyrics.

    Returns:
        the entries `copied` (see `copied_characters`) and `copied_words` (see `copied_words`) of metrics.json; None where not
        measured.
    """
    if not samples:
        return {"copied": None, "copied_words": None}
    lyrics = {value: sample_songs(model, samples, SAMPLE_LENGTH, value, seed) for value in TEMPERATURES}
    setup = {"samples": samples, "characters": SAMPLE_LENGTH}
    in_characters = copied_characters(lyrics[CHARACTER_TEMPERATURE], train)
    figures: dict[str, dict | None] = {
        "copied": {**in_characters, **setup, "temperature": CHARACTER_TEMPERATURE, "seed": seed},
        "copied_words": None,
    }
    try:
        index = index_corpus(train)
    except DataError:  # no song has five words in a row
        return figures
    by_temperature = {f"{value:g}": copied_words(texts, index) for value, texts in lyrics.items()}
    figures["copied_words"] = {**setup, "seed": seed, "temperatures": by_temperature}
    return figures


def sample_songs(
    model: CharacterModel, samples: int = 200, length: int = 300, temperature: float = 0.7, seed: int = 0
) -> list[np.ndarray]:
    """Samples lyrics from an empty prefix, for any artist and for each artist in turn.

    Returns:
        Labels of each: uint8 (length,).
    """
    artists = [None, *range(len(model.artists))]
    songs: list[np.ndarray] = []
    for number, artist in enumerate(artists):
        rows = len(range(number, samples, len(artists)))
        if rows:
            start = Hypothesis(torch.full((rows, 1), START_LABEL, device=next(model.parameters()).device))
            strategy = SamplingDecodingStrategy(FastStepper.of(model, artist))
            steps = strategy.stream(start, 1 + length, temperature, seed=seed + number)
            songs.extend(torch.stack([labels.cpu() for labels in steps], dim=1).to(torch.uint8).numpy())
    return songs


def copied_characters(lyrics: Sequence[np.ndarray], train: Corpus) -> dict:
    """The longest run of characters that any lyric shares with a song, and the share of lyrics with a long one.

    Args:
        lyrics: labels of each, uint8 (characters,).
        train: the songs.
    """
    texts = as_corpus(lyrics)
    long_enough = texts.stops - texts.starts > LONG_RUN  # a shorter lyric has no long run, even if it is a whole song
    has_long_run = (copied_share(texts, train, LONG_RUN) > 0) & long_enough
    return {
        "longest_run": longest_copied_run(texts, train),
        "share_with_long_run": round(float(has_long_run.mean()), 4),
        "long_run": LONG_RUN,
    }


def longest_copied_run(texts: Corpus, train: Corpus) -> int:
    """Characters of the longest run that any text shares with a song of `train`; 0 for none.

    Runs are compared by 64-bit hashes, which collide about once in 10**19 comparisons.
    """
    lengths = texts.stops - texts.starts - 1
    low, high = 0, int(lengths.max())  # the longest copied run has `low` to `high` characters
    while low < high:
        middle = (low + high + 1) // 2
        if copied_share(texts.subset(lengths >= middle), train, middle).any():
            low = middle
        else:
            high = middle - 1
    return low


def copied_words(lyrics: Sequence[np.ndarray], index: SongIndex) -> dict:
    """The longest copied run in words, shares of lyrics with a run, and the mean share of words in runs.

    Args:
        lyrics: labels of each, uint8 (characters,).
        index: of the songs; runs are those of `measure_originality`.
    """
    texts = [token_ids_to_str(labels) for labels in lyrics]
    results = [measure_originality(text, index) for text in texts if text.strip()]
    longest = [result.longest_run for result in results]
    return {
        "longest_run": max(longest, default=0),
        "share_with_run": {
            str(words): round(sum(run >= words for run in longest) / len(lyrics), 4) for words in RUN_LENGTHS
        },
        "mean_share_in_runs": round(sum(result.share_copied or 0.0 for result in results) / len(lyrics), 4),
    }


def as_corpus(texts: Sequence[np.ndarray]) -> Corpus:
    """Texts as a corpus in memory, without artists. Labels of each: uint8 (characters,)."""
    lengths = np.array([1 + len(text) for text in texts], np.int64)
    stops = np.cumsum(lengths)
    labels = np.concatenate([np.append(START_LABEL, text).astype(np.uint8) for text in texts])
    return Corpus(labels, stops - lengths, stops, np.zeros(len(texts), np.int64), (), "")


@lru_cache(maxsize=1)  # both networks of a training are measured on the same songs
def index_corpus(corpus: Corpus) -> SongIndex:
    """The n-gram index of a corpus as a model reads it: a character outside the vocabulary separates words.

    Raises:
        DataError: no song has five words in a row.
    """
    return SongIndex.build((Song(token_ids_to_str(corpus.song(number))) for number in range(len(corpus))), asked=0)
