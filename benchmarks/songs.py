"""Songs of synthetic words with the sizes of songdata, for benchmarks without --data. They contain no lyric."""

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from lyricgen.songs.download import TRAIN_FILE, VAL_FILE
from lyricgen.songs.reading import ARTIST_COLUMN, ARTISTS, LYRIC_COLUMN, Song

SONGS, CHARACTERS = 400, 1_900  # songs, and mean characters of a song
WORDS = 5_000  # size of the vocabulary


def make_songs(songs: int = SONGS, characters: int = CHARACTERS, seed: int = 777) -> Iterator[Song]:
    """Songs of normally distributed lengths, with words sampled by Zipf's law and double spaces as section breaks."""
    rng = np.random.default_rng(seed)
    words = make_words(WORDS, rng)
    frequencies = 1 / np.arange(1, WORDS + 1)
    cumulative = np.cumsum(frequencies / frequencies.sum())
    for song in range(songs):
        length = int(np.clip(rng.normal(characters, characters / 3), characters / 4, 2 * characters))
        lyric = words[np.minimum(np.searchsorted(cumulative, rng.random(length // 2 + 1)), WORDS - 1)]
        lines = (" ".join(lyric[at : at + 40]) for at in range(0, len(lyric), 40))
        yield Song("  ".join(lines)[:length], ARTISTS[song % len(ARTISTS)])


def make_words(count: int, rng: np.random.Generator) -> np.ndarray:
    """Random words of one to four syllables: object (count,)."""
    syllables = [a + b for a in "bdfgklmnprstvz" for b in "aeiou"]
    lengths = rng.integers(1, 5, count)
    return np.array(["".join(rng.choice(syllables, length)) for length in lengths], dtype=object)


def make_text(characters: int, seed: int = 777) -> str:
    """A text of exactly `characters` characters."""
    return next(iter(make_songs(1, 4 * characters + 40, seed))).lyric[:characters]


def write_songs(folder: Path, songs: int = SONGS, characters: int = CHARACTERS) -> Path:
    """Writes a folder like songdata, with one validation song for every twenty, and returns it."""
    for file, count, seed in ((TRAIN_FILE, songs, 777), (VAL_FILE, max(1, songs // 20), 778)):
        write_csv(folder / file, make_songs(count, characters, seed))
    return folder


def write_csv(path: Path, songs: Iterator[Song]) -> None:
    """Writes songs as a CSV file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([ARTIST_COLUMN, LYRIC_COLUMN])
        writer.writerows((song.artist, song.lyric) for song in songs)
