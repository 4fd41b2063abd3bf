"""Reads songs from tables (CSV, JSON), text files, and folders of these."""

import os
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path

import pandas as pd

from lyricgen.errors import DataError
from lyricgen.file_kinds import find_kind, read_sample, text_encoding
from lyricgen.models.text import is_any_artist
from lyricgen.songs.tables import (
    ARTIST_COLUMN,
    LYRIC_COLUMN,
    TABLE_ENDINGS,
    TITLE_COLUMN,
    find_format,
    is_json,
    is_table,
    not_utf8,
    read_frames,
    unreadable,
)
from lyricgen.storage import is_artifact
from lyricgen.validation import SEPARATORS, check_separator, clean_name, clean_text, name_key, short_repr

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
MIN_LYRIC_LENGTH = 2  # characters; a shorter lyric has nothing to predict
TEXT_STRETCH = 5_000  # characters of a piece of a text file without song separators
TEXT_ENDING = ".txt"


@dataclass
class Song:
    """A lyric with its artist and title; '' where the file has none."""

    lyric: str
    artist: str = ""
    title: str = ""


def read_csv(path: str | Path, lyric_column: str = LYRIC_COLUMN, artist_column: str = ARTIST_COLUMN) -> pd.DataFrame:
    """A CSV file as one data frame: lyric and artist columns as text ('' where empty), the others as pandas infers them.

    Lyrics and artists are as in `read_songs`.

    Raises:
        DataError: the file is missing, empty, not UTF-8, not a CSV file, or lacks a column.
    """
    _check_kind(Path(path))
    frame = pd.concat(read_frames(path, lyric_column, artist_column))
    frame[lyric_column] = frame[lyric_column].map(clean_lyric)
    if artist_column:
        artists = ArtistNames(Path(path).name)
        frame[artist_column] = frame[artist_column].map(artists.clean)
    return frame


def read_songs(
    source: str | Path,
    lyric_column: str = LYRIC_COLUMN,
    artist_column: str | None = None,
    separator: str | None = None,
) -> Iterator[Song]:
    """Yields the songs of a table (.csv, .tsv, .json, .jsonl), a text file, or a folder of these, in UTF-8, or in UTF-16 with a
    byte order mark. A text file that begins as a table does is read as one.

    In a text file, two or more blank lines separate songs; a file without them is cut at line ends into pieces of about
    5,000 characters, so that some can be held out. In a folder, each `.txt` is one song: the file's name is its title, the
    first subfolder's name its artist; without any `.txt`, its tables are read. Hidden files and folders, and a README, are skipped. The
    titles of a table are in the column Title, if there is one. Songs of less than two characters are skipped.

    Lyrics have \\n as line break, no blanks at the ends of lines, no invisible characters, and are in NFC. Artists that
    differ in case, spacing or Unicode form have the first one's name.

    Args:
        source: the file or folder.
        lyric_column: the column of the lyrics; in JSON, their name.
        artist_column: the column of the artists; '' for none; None: Artist if there is one.
        separator: of CSV files, comma, semicolon, tab or bar; None: the one that Excel's first line `sep=;`
            names, or whichever gives the header these columns.

    Raises:
        ArgumentError: there is no such separator.
        DataError: the source does not exist, is no text, is not UTF-8, or contains no song; or an artist's name means any
            artist.
    """
    source = Path(source)
    files = find_files(source)
    separator = None if separator is None else check_separator("separator", separator)
    artists, is_empty = ArtistNames(source.name), True
    if not source.is_dir() and not is_table(source, lyric_column):
        songs: Iterator[Song] = (Song(lyric) for lyric in _songs_of_text(source))
    else:
        songs = chain.from_iterable(
            _songs_of_file(path, source, lyric_column, artist_column, separator) for path in files
        )
    for song in songs:
        song = Song(clean_lyric(song.lyric), artists.clean(song.artist), song.title)
        if len(song.lyric) >= MIN_LYRIC_LENGTH:
            is_empty = False
            yield song
    if is_empty:
        raise DataError(f"{source.name} holds no lyric of {MIN_LYRIC_LENGTH} characters or more")


def find_files(source: Path) -> list[Path]:
    """The files of songs of a file or folder, sorted.

    Raises:
        DataError: there is none.
    """
    if not os.path.exists(source):  # Path.exists raises on a name too long for a file
        raise DataError(
            f"there is no file or folder {short_repr(str(source))}; name a CSV file, a text file or a folder of text files"
        )
    if not source.is_dir():
        _check_kind(source)
        return [source]
    try:
        os.scandir(source).close()  # rglob skips a folder that cannot be read
    except OSError as error:
        raise unreadable(source, error) from None
    of_artifact = cache(is_artifact)
    visible = [
        path
        for path in sorted(source.rglob("*"))
        if not _is_hidden(path.relative_to(source)) and path.is_file() and not of_artifact(path.parent)
    ]
    for endings in ((TEXT_ENDING,), TABLE_ENDINGS):
        files = [path for path in visible if path.suffix.lower() in endings]
        if files:
            return files
    kinds = {path.name: kind for path in visible[:100] if (kind := find_kind(path))}
    others = f" (it holds {short_repr(next(iter(kinds)))}, {next(iter(kinds.values())).noun})" if kinds else ""
    raise DataError(f"folder {source.name!r} holds no .txt file{others}; put one song in each, or name a CSV file")


def reading_notes(
    source: Path, lyric_column: str = LYRIC_COLUMN, artist_column: str | None = None, separator: str | None = None
) -> Iterator[str]:
    """Yields what a reader of `source` should know, a sentence each: separators found, and tables that are not read.

    Raises:
        DataError: as `read_songs`.
    """
    files = find_files(source)
    needed = [column for column in (lyric_column, artist_column) if column]
    for path in files:
        encoding = text_encoding(read_sample(path))
        if not encoding.startswith("utf-8"):
            yield f"{path.name}: the encoding is {encoding.upper()}"
        if not is_table(path, lyric_column):
            continue
        if path.suffix.lower() not in TABLE_ENDINGS:
            yield f"{path.name}: its beginning is that of a table, and so it is read"
        if not is_json(path):
            found = find_format(path, needed, separator)
            if separator is None and found.separator != ",":
                name = next(name for name, value in SEPARATORS.items() if value == found.separator)
                yield f"{path.name}: the columns are separated by {name}s"
    if source.is_dir() and files[0].suffix.lower() == TEXT_ENDING:
        tables = [path for path in source.rglob("*") if path.suffix.lower() in TABLE_ENDINGS]
        tables = [path for path in tables if not _is_hidden(path.relative_to(source))]
        if tables:
            yield f"{source.name}: the .txt files are read; left out: {', '.join(path.name for path in tables[:5])}"


def clean_lyric(text: str) -> str:
    """A lyric as it comes in: see `clean_text`, in NFC, without blanks at the ends of its lines.

    >>> clean_lyric("one  \\r\\ntwo ")
    'one\\ntwo'
    """
    text = unicodedata.normalize("NFC", clean_text(text))
    return "\n".join(line.rstrip() for line in text.split("\n")) if "\n" in text else text


class ArtistNames:
    """The names of the artists of one source, each in one spelling: the first."""

    def __init__(self, source: str):
        self.source = source
        self._names: dict[str, str] = {"": ""}  # by `name_key`

    def clean(self, typed: str) -> str:
        """The name of an artist, '' for none.

        Raises:
            DataError: the name means any artist.
        """
        key = name_key(typed)
        if key not in self._names and is_any_artist(key):
            raise DataError(
                f"{self.source} has an artist {short_repr(typed)}, which means no one in particular; "
                "rename it, or leave its cell empty"
            )
        return self._names.setdefault(key, clean_name(typed))


def _check_kind(path: Path) -> None:
    """Raises `DataError` for a file that is no text, with what it is."""
    kind = find_kind(path)
    if kind:
        advice = "save its songs as CSV (UTF-8)" if kind.is_table else "save its text as .txt (UTF-8)"
        advice = "unpack it, and name the file or folder in it" if kind.is_archive else f"{advice}, and name that file"
        raise DataError(f"{path.name} is {kind.noun}; {advice}")


def _is_hidden(path: Path) -> bool:
    """Whether a file, or a folder that it is in, is hidden or was added by macOS to an archive; or is a README."""
    return path.stem.upper() == "README" or any(part.startswith(".") or part == "__MACOSX" for part in path.parts)


def _songs_of_file(
    path: Path, folder: Path, lyric_column: str, artist_column: str | None, separator: str | None
) -> Iterator[Song]:
    """The songs of a table, or the one of a text file; the first subfolder is the artist where the file has none."""
    inside = path.relative_to(folder).parts if path != folder else ()
    by_folder = _decode_name(inside[0]) if len(inside) > 1 else ""
    if not is_table(path, lyric_column):
        yield Song("".join(_decoded_blocks(path)).strip(), by_folder, _decode_name(path.stem))
        return
    column = ARTIST_COLUMN if artist_column is None else artist_column
    for frame in read_frames(path, lyric_column, artist_column, TITLE_COLUMN, separator):
        artists, titles = (frame[name] if name in frame else [""] * len(frame) for name in (column, TITLE_COLUMN))
        for lyric, artist, title in zip(frame[lyric_column], artists, titles, strict=True):
            yield Song(lyric, artist or by_folder, title)


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
        with path.open(encoding=text_encoding(read_sample(path))) as file:
            while block := file.read(1 << 20):
                yield block
    except OSError as error:
        raise unreadable(path, error) from None
    except UnicodeDecodeError as error:
        raise not_utf8(path, error) from None
