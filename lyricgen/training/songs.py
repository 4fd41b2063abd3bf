"""Preparation of the songs: finds, cleans, encodes and splits them into training, held-out and validation songs."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from lyricgen.errors import DataError
from lyricgen.models.vocabulary import has_known_character
from lyricgen.songs.cleaning import CleaningReport, SongCleaner, clean_training_songs
from lyricgen.songs.corpus import Corpus, encode_corpus, split_numbers
from lyricgen.songs.download import SHA256, TRAIN_FILE, VAL_FILE, download_songdata
from lyricgen.songs.overlap import clean_songs
from lyricgen.songs.reading import ARTISTS, Song, read_songs, reading_notes
from lyricgen.storage import file_sha256
from lyricgen.training.config import TrainConfig
from lyricgen.validation import counted, name_key


@dataclass(frozen=True, eq=False)
class TrainingSongs:
    """The songs of a training: training, validation and held-out songs."""

    train: Corpus
    """Cleaned training songs."""
    val: Corpus
    """Validation songs, not cleaned."""
    clean: np.ndarray
    """Mask of the clean validation songs, those without overlap with a training song: bool (songs,)."""
    data_sha256: dict[str, str]
    """For the provenance: the sha256 of the file of the training songs, or of all encoded songs of a folder, and then of the file of
    the validation songs."""
    uncleaned: Corpus
    """All training songs, not cleaned: the reference for copying."""
    held_out: Corpus | None = None
    """Held-out training songs; None: none."""
    without_headings: Corpus | None = None
    """The clean validation songs without heading debris; None without cleaning."""
    cleaning: CleaningReport | None = None
    """Counts of removed songs and characters; None without cleaning."""


def find_songs(config: TrainConfig) -> tuple[Path, Path | None]:
    """Paths of the training songs and of the validation songs, None for none."""
    source = Path(config.data) if config.data else download_songdata()
    val_source = Path(config.val) if config.val else None
    # Path.is_dir and Path.is_file raise on a name too long for a file, and in a folder that cannot be read
    if os.path.isdir(source) and os.path.isfile(source / TRAIN_FILE):
        val_source = val_source or (source / VAL_FILE if os.path.isfile(source / VAL_FILE) else None)
        source = source / TRAIN_FILE
    return source, val_source


def read_training_songs(config: TrainConfig) -> tuple[Path, list[Song]]:
    """Path of the training songs, and the songs, not cleaned."""
    source, _ = find_songs(config)
    return source, list(read_config_songs(source, config))


def read_config_songs(path: Path, config: TrainConfig) -> Iterator[Song]:
    """The songs of a file or folder, with the columns, the separator and the maximum number of `config`, spread evenly over it: a
    file may be sorted by artist."""
    songs = read_songs(path, config.lyric_column, config.artist_column, config.separator)
    if config.max_songs is None:
        yield from songs
        return
    every = list(songs)
    count = min(config.max_songs, len(every))
    yield from (every[number * len(every) // count] for number in range(count))


def read_known_songs(path: Path, config: TrainConfig, unknown: set[int]) -> Iterator[Song]:
    """The songs of a file or folder of which the models know a character beside blanks; those of the course stay as published.

    Args:
        path: of the file or folder.
        config: of the training.
        unknown: gets the numbers of the songs that are left out.

    Raises:
        DataError: the songs cannot be read, or none is known.
    """
    published = path.name in SHA256 and file_sha256(path) == SHA256[path.name]
    is_empty = True
    for number, song in enumerate(read_config_songs(path, config)):
        if published or has_known_character(song.lyric):
            is_empty = False
            yield song
        else:
            unknown.add(number)
    if is_empty:
        raise DataError(
            f"{path.name} has no song with a character that the models know (such as a to z); they read ASCII text only"
        )


def print_reading_notes(config: TrainConfig) -> None:
    """Prints how the files of songs are read, where that is not plain."""
    for source in find_songs(config):
        if source:
            for note in reading_notes(source, config.lyric_column, config.artist_column, config.separator):
                print(note)


def prepare_songs(config: TrainConfig) -> TrainingSongs:
    """Reads, cleans, encodes and splits the songs; prints their counts.

    A validation song is clean if it overlaps with no training song, removed ones included.

    Raises:
        DataError: the songs cannot be read, or too few are left.
    """
    source, val_source = find_songs(config)
    artists = _course_artists(source, config)
    folder = config.out / "corpus"
    unknown: set[int] = set()
    read = partial(read_known_songs, source, config, unknown)

    uncleaned = encode_corpus(read(), folder / "train", artists)
    data_sha256 = _checksums(source, val_source, uncleaned)
    _print_unknown(unknown, source)
    cleaner = SongCleaner.fit(read) if config.clean else None
    if val_source:
        numbers, val_numbers = np.arange(len(uncleaned)), np.empty(0, np.int64)
    else:
        numbers, val_numbers = split_numbers(len(uncleaned), config.val_share, config.seed)
    cleaned = clean_training_songs(read, folder / "cleaned", cleaner, numbers, artists, config.held_out, config.seed)
    if val_source:
        unknown_val: set[int] = set()
        read_val = partial(read_known_songs, val_source, config, unknown_val)
        val = encode_corpus(read_val(), folder / "val", uncleaned.artists)
        without_headings = _encode_without_headings(read_val(), cleaner, folder, uncleaned.artists) if cleaner else val
        _print_unknown(unknown_val, val_source)
    else:
        val, without_headings = uncleaned.subset(val_numbers), cleaned.corpus.subset(val_numbers)
        uncleaned = uncleaned.subset(numbers)
    clean = clean_songs(val, uncleaned)
    songs = TrainingSongs(
        cleaned.corpus.subset(cleaned.train),
        val,
        clean,
        data_sha256,
        uncleaned=uncleaned,
        held_out=cleaned.corpus.subset(cleaned.held_out) if len(cleaned.held_out) else None,
        without_headings=without_headings.subset(clean) if cleaner and clean.any() else None,
        cleaning=cleaned.report if cleaner else None,
    )
    _print_counts(songs)
    return songs


def _course_artists(source: Path, config: TrainConfig) -> tuple[str, ...] | None:
    """The course's artists for a file that is named as the course's and has a song by one of them; None: those of the songs."""
    known = set(map(name_key, ARTISTS))
    is_course = source.name == TRAIN_FILE and any(
        name_key(song.artist) in known for song in read_config_songs(source, config)
    )
    return tuple(ARTISTS) if is_course else None


def _checksums(source: Path, val_source: Path | None, encoded: Corpus) -> dict[str, str]:
    """`TrainingSongs.data_sha256`."""
    checksums = {source.name: file_sha256(source)} if source.is_file() else {"encoded": encoded.sha256}
    if val_source and val_source.is_file():
        name = val_source.name if val_source.name not in checksums else f"{val_source.name} (validation)"
        checksums[name] = file_sha256(val_source)
    return checksums


def _encode_without_headings(
    songs: Iterator[Song], cleaner: SongCleaner, folder: Path, artists: Sequence[str]
) -> Corpus:
    """The validation songs without heading debris, encoded."""
    lyrics = (replace(song, lyric=cleaner.cut_headings(song.lyric)) for song in songs)
    return encode_corpus(lyrics, folder / "val-without-headings", artists)


def _print_unknown(unknown: set[int], source: Path) -> None:
    if unknown:
        print(f"{source.name}: {counted(len(unknown), 'song')} left out, since the models know none of the characters")


def _print_counts(songs: TrainingSongs) -> None:
    if songs.cleaning:
        print(songs.cleaning)
    print(
        f"{len(songs.train):,} songs to train on ({songs.train.characters:,} characters), {len(songs.val):,} to validate "
        f"with, {int(songs.clean.sum()):,} of them clean"
    )
    if unknown_share := songs.train.unknown_share:
        print(f"{unknown_share:.2%} of the characters to train on are unknown to the models")
