"""What the lyrics that a model writes copied from its training songs, in characters and in words, for `metrics.json`."""

from collections.abc import Sequence

import numpy as np
import torch

from lyricgen.generation.decoding import Hypothesis, SamplingDecodingStrategy
from lyricgen.generation.fast_stepper import FastStepper
from lyricgen.memorization.originality import measure_originality
from lyricgen.memorization.song_index import GRAM, SongIndex
from lyricgen.models.networks import CharacterModel
from lyricgen.models.vocabulary import START_LABEL, token_ids_to_str
from lyricgen.songs.corpus import Corpus, copied_share
from lyricgen.songs.notebook import Song

LONG_RUN = 50  # characters: of how many samples a run as long as this is copied
RUNS = (GRAM, 8)  # words: the same
TEMPERATURES = (0.5, 0.7, 1.0)


def as_corpus(texts: Sequence[np.ndarray]) -> Corpus:
    """Texts as a corpus in memory, without artists. Labels of each: uint8 (characters,)."""
    lengths = np.array([1 + len(text) for text in texts], np.int64)
    stops = np.cumsum(lengths)
    labels = np.concatenate([np.append(START_LABEL, text).astype(np.uint8) for text in texts])
    return Corpus(labels, stops - lengths, stops, np.zeros(len(texts), np.int64), (), "")


def longest_copied_run(texts: Corpus, train: Corpus) -> int:
    """Characters of the longest run of any text that stands in a song of `train` letter for letter; 0 for none.

    Runs are compared by a 64-bit hash, so that two different ones are taken for equal about once in 10**19 times.
    """
    lengths = texts.stops - texts.starts - 1
    low, high = 0, int(lengths.max())  # a run of `low` characters is copied, none of more than `high` is
    while low < high:
        middle = (low + high + 1) // 2
        if copied_share(texts.subset(lengths >= middle), train, middle).any():
            low = middle
        else:
            high = middle - 1
    return low


def sample_songs(
    model: CharacterModel, samples: int = 200, length: int = 300, temperature: float = 0.7, seed: int = 0
) -> list[np.ndarray]:
    """Lyrics that a model begins and writes itself, in the style of each of its artists in turn, and of none.

    Returns:
        Labels of each: uint8 (length,).
    """
    artists = [None, *range(len(model.artists))]
    songs = []
    for number, artist in enumerate(artists):
        rows = len(range(number, samples, len(artists)))
        if rows:
            start = Hypothesis(torch.full((rows, 1), START_LABEL, device=next(model.parameters()).device))
            strategy = SamplingDecodingStrategy(FastStepper.of(model, artist))
            written = strategy.stream(start, 1 + length, temperature, seed=seed + number)
            songs.extend(torch.stack([labels.cpu() for labels in written], dim=1).to(torch.uint8).numpy())
    return songs


def measure_copying(
    model: CharacterModel,
    train: Corpus,
    samples: int = 200,
    length: int = 300,
    temperature: float = 0.7,
    seed: int = 0,
) -> dict:
    """What `samples` sampled lyrics copied, in characters, and how they were sampled, for `metrics.json`."""
    texts = as_corpus(sample_songs(model, samples, length, temperature, seed))
    long_enough = texts.stops - texts.starts > LONG_RUN  # a shorter text has no long run, even if it is a song
    with_long_run = (copied_share(texts, train, LONG_RUN) > 0) & long_enough
    return {
        "longest_run": longest_copied_run(texts, train),
        "share_with_long_run": round(float(with_long_run.mean()), 4),
        "long_run": LONG_RUN,
        "samples": samples,
        "characters": length,
        "temperature": temperature,
        "seed": seed,
    }


def index_corpus(corpus: Corpus) -> SongIndex:
    """The index of a corpus's songs as a model reads them: a character that it does not know parts two words.

    Raises:
        DataError: no song has five words in a row.
    """
    return SongIndex.build((Song(token_ids_to_str(corpus.song(number))) for number in range(len(corpus))), asked=0)


def measure_copied_words(
    model: CharacterModel,
    index: SongIndex,
    samples: int = 200,
    length: int = 300,
    temperatures: Sequence[float] = TEMPERATURES,
    seed: int = 0,
) -> dict:
    """What `samples` sampled lyrics copied at each temperature, in words, for `metrics.json`.

    A run is what `measure_originality` calls so: words in a row that stand in one song, whatever their spacing.
    """
    figures = {}
    for temperature in temperatures:
        written = sample_songs(model, samples, length, temperature, seed)
        texts = [token_ids_to_str(labels) for labels in written]
        found = [measure_originality(text, index) for text in texts if text.strip()]
        figures[f"{temperature:g}"] = {
            "longest_run": max((one.longest_run for one in found), default=0),
            "share_with_run": {
                str(words): round(sum(one.longest_run >= words for one in found) / samples, 4) for words in RUNS
            },
            "mean_share_in_runs": round(sum(one.share_copied or 0.0 for one in found) / samples, 4),
        }
    return {"samples": samples, "characters": length, "seed": seed, "temperatures": figures}
