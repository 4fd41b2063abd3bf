"""Reads songs from CSV files, text files and folders of text files."""

import csv
import os
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lyricgen.errors import DataError, os_error_reason
from lyricgen.validation import short_repr

ARTISTS = [
    "Ariana Grande",
    "BTS (방탄소년단)",
    "Beyoncé",
    "Billie Eilish",
    "Cardi B",
    "Charlie Puth",
    "Coldplay",
    "Drake",
    "Dua Lipa",
    "Ed Sheeran",
    "Eminem",
    "Justin Bieber",
    "Katy Perry",
    "Khalid",
    "Lady Gaga",
    "Maroon 5",
    "Nicki Minaj",
    "Post Malone",
    "Rihanna",
    "Selena Gomez",
    "Taylor Swift",
]
LYRIC_COLUMN, ARTIST_COLUMN, TITLE_COLUMN = "Lyric", "Artist", "Title"
MIN_LYRIC_LENGTH = 2  # characters; a shorter lyric has nothing to predict
TEXT_STRETCH = 5_000  # characters of a piece of a text file without song separators
ROWS_PER_FRAME = 2_000  # CSV rows parsed at a time
MAX_COLUMNS_LISTED = 12  # column names in an error message


@dataclass
class Song:
    """A lyric with its artist and title; '' where the file has none."""

    lyric: str
    artist: str = ""
    title: str = ""


def read_csv(path: str | Path, lyric_column: str = LYRIC_COLUMN, artist_column: str = ARTIST_COLUMN) -> pd.DataFrame:
    """A CSV file as one data frame: lyric and artist columns as text ('' where empty), the others as pandas infers them.

    Raises:
        DataError: the file is missing, empty, not UTF-8, not a CSV file, or lacks a column.
    """
    return pd.concat(_csv_frames(path, lyric_column, artist_column))


def read_songs(
    source: str | Path, lyric_column: str = LYRIC_COLUMN, artist_column: str | None = None
) -> Iterator[Song]:
    """Yields the songs of a CSV file, a text file, or a folder of text files.

    In a text file, two or more blank lines separate songs; a file without them is cut at line ends into pieces of about
    5,000 characters, so that some can be held out. In a folder, each `.txt` is one song: the file's name is its
    title, the subfolder's name its artist. The titles of a CSV file are in the column Title, if there is one. Songs of less
    than two characters are skipped.

    Args:
        source: the file or folder.
        lyric_column: the CSV column of the lyrics.
        artist_column: the CSV column of the artists; '' for none; None: Artist if there is one.

    Raises:
        DataError: the source does not exist, is not UTF-8, or contains no song.
    """
    source, is_empty = Path(source), True
    if not os.path.exists(source):  # Path.exists raises on a name too long for a file
        raise DataError(
            f"there is no file or folder {short_repr(str(source))}; name a CSV file, a text file or a folder of text files"
        )
    if source.is_dir():
        songs = _songs_of_folder(source)
    elif source.suffix.lower() == ".csv":
        songs = _songs_of_csv(source, lyric_column, artist_column)
    else:
        songs = (Song(lyric) for lyric in _songs_of_text(source))
    for song in songs:
        if len(song.lyric) >= MIN_LYRIC_LENGTH:
            is_empty = False
            yield song
    if is_empty:
        raise DataError(f"{source.name} holds no lyric of {MIN_LYRIC_LENGTH} characters or more")


def _songs_of_csv(path: Path, lyric_column: str, artist_column: str | None) -> Iterator[Song]:
    column = ARTIST_COLUMN if artist_column is None else artist_column
    for frame in _csv_frames(path, lyric_column, artist_column, TITLE_COLUMN):
        artists, titles = (frame[name] if name in frame else [""] * len(frame) for name in (column, TITLE_COLUMN))
        yield from map(Song, frame[lyric_column], artists, titles)


def _csv_frames(
    path: str | Path, lyric_column: str, artist_column: str | None, title_column: str | None = None
) -> Iterator[pd.DataFrame]:
    """Yields the rows of a CSV file in data frames of bounded size; raises `DataError` on faults of the file.

    The lyric, artist and title columns are text. An artist column of None is Artist, and is optional; so is the title column.
    """
    path = Path(path)
    if not os.path.exists(path):
        raise DataError(f"there is no file {short_repr(str(path))}; name a CSV file")
    needed = [column for column in (lyric_column, artist_column) if column]
    try:
        header = list(pd.read_csv(path, nrows=0, index_col=False).columns)
        needed += _optional_columns(header, needed, artist_column, title_column)
        _check_columns(path, header, needed)
        with warnings.catch_warnings():  # pandas truncates a first row that is longer than the header, and only warns
            warnings.simplefilter("error", pd.errors.ParserWarning)
            pd.read_csv(path, nrows=1, index_col=False, dtype=str)
        others = {column: [""] for column in header if column not in needed}
        with pd.read_csv(
            path,
            chunksize=ROWS_PER_FRAME,
            index_col=False,
            dtype={column: str for column in needed},
            keep_default_na=False,
            na_values=others or None,
            on_bad_lines="error",
        ) as frames:
            rows = 0
            for frame in frames:
                frame[needed] = frame[needed].fillna("")
                rows += len(frame)
                yield frame
        if not rows:
            raise DataError(f"{path.name} has a header but no rows")
    except IsADirectoryError:
        raise DataError(f"{short_repr(str(path))} is a folder; name a CSV file") from None
    except pd.errors.EmptyDataError:
        raise DataError(f"{path.name} is empty; it needs a header with the columns {' and '.join(needed)}") from None
    except OSError as error:
        raise _unreadable(path, error) from None
    except UnicodeDecodeError as error:
        raise _not_utf8(path, error) from None
    except pd.errors.ParserWarning:
        raise DataError(
            f"{path.name} is not a well-formed CSV file (its first row is longer than its header); name every column in the header"
        ) from None
    except (pd.errors.ParserError, csv.Error) as error:
        reason = str(error).split("C error: ")[-1].strip().rstrip(".")
        raise DataError(
            f"{path.name} is not a well-formed CSV file ({reason}); look for an unclosed quote or a row of another length"
        ) from None


def _optional_columns(
    header: list[str], needed: list[str], artist_column: str | None, title_column: str | None
) -> list[str]:
    """The optional columns of a file: the artists where no column was named, and the titles."""
    optional = [ARTIST_COLUMN if artist_column is None else None, title_column]
    return [column for column in dict.fromkeys(optional) if column in header and column not in needed]


def _check_columns(path: Path, header: list[str], needed: list[str]) -> None:
    """Raises `DataError` where a CSV file lacks a column."""
    missing = [column for column in needed if column not in header]
    if missing:
        columns = ", ".join(map(short_repr, header[:MAX_COLUMNS_LISTED]))
        columns += ", ..." if len(header) > MAX_COLUMNS_LISTED else ""
        raise DataError(f"{path.name} has no column {missing[0]!r}; its columns are {columns}: name yours")


def _songs_of_folder(folder: Path) -> Iterator[Song]:
    paths = sorted(path for path in folder.rglob("*.txt") if path.is_file())
    if not paths:
        raise DataError(f"folder {folder.name!r} holds no .txt file; put one song in each, or name a CSV file")
    for path in paths:
        artist = _decode_name(path.parent.name) if path.parent != folder else ""
        yield Song("".join(_decoded_blocks(path)).strip(), artist, _decode_name(path.stem))


def _decode_name(name: str) -> str:
    """A file's name as text: bytes that are not UTF-8 become U+FFFD."""
    return os.fsencode(name).decode("utf-8", "replace")


def _songs_of_text(path: Path) -> Iterator[str]:
    """Yields the songs between gaps of two or more blank lines; a piece without a gap is cut at a line end."""
    gap, rest = re.compile(r"\n[ \t]*\n[ \t]*\n\s*"), ""
    for block in _decoded_blocks(path):
        *songs, rest = gap.split(rest + block)
        for song in songs:
            yield from _stretches(song)
        if len(rest) > 4 * TEXT_STRETCH:
            line_ends = rest[len(rest.rstrip("\n")) :]  # they may become part of a gap
            *ready, rest = _stretches(rest)
            rest += line_ends
            yield from ready
    yield from _stretches(rest)


def _stretches(text: str) -> Iterator[str]:
    """Yields `text`, or its pieces if it is longer than a song: cut at the first line end after every 5,000 characters."""
    text = text.strip("\n")
    while len(text) > 2 * TEXT_STRETCH:
        cut = text.find("\n", TEXT_STRETCH, 2 * TEXT_STRETCH)
        cut = TEXT_STRETCH if cut < 0 else cut
        yield text[:cut]
        text = text[cut:].lstrip("\n")
    yield text


def _decoded_blocks(path: Path) -> Iterator[str]:
    """Yields the text of a UTF-8 file in blocks of bounded size, with line ends as \\n."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            while block := file.read(1 << 20):
                yield block
    except OSError as error:
        raise _unreadable(path, error) from None
    except UnicodeDecodeError as error:
        raise _not_utf8(path, error) from None


def _unreadable(path: Path, error: OSError) -> DataError:
    return DataError(
        f"{short_repr(str(path))} cannot be read ({os_error_reason(error)}); check its name and its permissions"
    )


def _not_utf8(path: Path, error: UnicodeDecodeError) -> DataError:
    byte = error.object[error.start]
    return DataError(f"{path.name} is not UTF-8 (byte {byte:#04x} in it); save it as UTF-8 and try again")
