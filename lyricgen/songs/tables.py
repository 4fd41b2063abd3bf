"""Tables of songs: CSV files with any separator, JSON files and JSON lines, read as data frames of bounded size."""

import csv
import json
import os
import re
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from lyricgen.errors import DataError, os_error_reason
from lyricgen.file_kinds import read_sample, text_encoding
from lyricgen.validation import SEPARATORS, name_key, short_repr

LYRIC_COLUMN, ARTIST_COLUMN, TITLE_COLUMN = "Lyric", "Artist", "Title"
TAB_ENDINGS = (".tsv", ".tab")
CSV_ENDINGS, JSON_ENDINGS = (".csv", *TAB_ENDINGS), (".json", ".jsonl", ".ndjson")
TABLE_ENDINGS = (*CSV_ENDINGS, *JSON_ENDINGS)
ROWS_PER_FRAME = 2_000  # rows parsed at a time
MAX_COLUMNS_LISTED = 12  # column names in an error message
_SEPARATOR_LINE = re.compile(r'"?sep=([,;|\t]|\\t)"?[,;|\t]*$', re.IGNORECASE)
_JSON_START = re.compile(r'\s*(\[\s*)?\{\s*"')


def read_frames(
    path: str | Path,
    lyric_column: str,
    artist_column: str | None,
    title_column: str | None = None,
    separator: str | None = None,
) -> Iterator[pd.DataFrame]:
    """Yields the rows of a table in data frames of bounded size.

    The lyric, artist and title columns are text, '' where empty; the others are as pandas infers them.

    Args:
        path: the file; by its ending or its beginning CSV or JSON.
        lyric_column: needed.
        artist_column: '': none; None: Artist, if there is one; any other is needed.
        title_column: read if there is one.
        separator: of a CSV file; None: see `find_format`.

    Raises:
        DataError: the file is missing, empty, not UTF-8 (or UTF-16 with a byte order mark), not well-formed, or lacks a column.
    """
    path = Path(path)
    if not os.path.exists(path):  # Path.exists raises on a name too long for a file
        raise DataError(f"there is no file {short_repr(str(path))}; name a CSV file")
    needed = [column for column in (lyric_column, artist_column) if column]
    optional = [column for column in (ARTIST_COLUMN if artist_column is None else None, title_column) if column]
    with _table_errors(path, needed):
        read = _json_frames if is_json(path) else _csv_frames
        yield from read(path, needed, optional, separator)


class CsvFormat(NamedTuple):
    """How the columns of a CSV file are read."""

    separator: str
    encoding: str
    skiprows: int
    """1 if the first line names the separator, as Excel writes it: `sep=;`."""


def find_format(path: str | Path, needed: Iterable[str], separator: str | None = None) -> CsvFormat:
    """The format of a CSV file; without a given separator, the one that its first line names, or with which its header has the
    needed columns; where none has, that of its ending.

    Raises:
        DataError: the file is empty, not UTF-8 (or UTF-16 with a byte order mark), or cannot be read.
    """
    path, needed = Path(path), set(needed)
    with _table_errors(path, list(needed)):
        named = _SEPARATOR_LINE.match(_beginning(path).partition("\n")[0].rstrip("\r"))
        by_line = [named[1].replace("\\t", "\t")] if named else []
        by_ending = "\t" if path.suffix.lower() in TAB_ENDINGS else ","
        guesses = [separator] if separator else [*by_line, by_ending, *SEPARATORS.values()]
        encoding = text_encoding(read_sample(path)).removesuffix("-sig")  # pandas skips a mark
        formats = [CsvFormat(guess, encoding, int(bool(named))) for guess in dict.fromkeys(guesses)]
        return next((each for each in formats if needed <= set(_column_names(_header(path, each)))), formats[0])


def is_json(path: Path) -> bool:
    """Whether a file holds objects of JSON, by its ending or its beginning."""
    return path.suffix.lower() in JSON_ENDINGS or bool(_JSON_START.match(_beginning(path)))


def is_table(path: Path, lyric_column: str) -> bool:
    """Whether a file is a table, by its ending or its beginning: objects of JSON, or a header with this column and others."""
    if path.suffix.lower() in CSV_ENDINGS or is_json(path):
        return True
    lines = _beginning(path).splitlines()[:2]
    rows = [line.split(separator) for line in lines for separator in SEPARATORS.values()]
    return any(len(cells) > 1 and lyric_column in [cell.strip(' "') for cell in cells] for cells in rows)


def _beginning(path: Path) -> str:
    """The first characters of a text file."""
    try:
        sample = read_sample(path)
    except IsADirectoryError:
        raise
    except OSError as error:
        raise unreadable(path, error) from None
    return sample.decode(text_encoding(sample), "replace")


def unreadable(path: Path, error: OSError) -> DataError:
    """The error of a file that cannot be opened or read."""
    return DataError(
        f"{short_repr(str(path))} cannot be read ({os_error_reason(error)}); check its name and its permissions"
    )


def not_utf8(path: Path, error: UnicodeDecodeError) -> DataError:
    """The error of a file in another encoding."""
    if not error.encoding.startswith("utf-8"):
        return DataError(
            f"{path.name} is damaged (it begins as {error.encoding.upper()}); save it as UTF-8 and try again"
        )
    byte = error.object[error.start]
    return DataError(
        f"{path.name} is not UTF-8 (byte {byte:#04x} in it); save it as UTF-8 (in Excel: CSV UTF-8) and try again"
    )


@contextmanager
def _table_errors(path: Path, needed: list[str]) -> Iterator[None]:
    """Raises `DataError` for what a table that is damaged, or no table, makes pandas raise."""
    try:
        yield
    except IsADirectoryError:
        raise DataError(f"{short_repr(str(path))} is a folder; name a CSV file") from None
    except OSError as error:
        raise unreadable(path, error) from None
    except UnicodeDecodeError as error:
        raise not_utf8(path, error) from None
    except pd.errors.EmptyDataError:
        raise DataError(f"{path.name} is empty; it needs a header with the columns {' and '.join(needed)}") from None
    except pd.errors.ParserWarning:
        raise DataError(
            f"{path.name} is not a well-formed CSV file (its first row is longer than its header); name every column in the "
            "header, and put texts that hold the separator in quotes (a quote inside is doubled)"
        ) from None
    except (pd.errors.ParserError, csv.Error) as error:
        reason = str(error).split("C error: ")[-1].strip().rstrip(".")
        raise DataError(
            f"{path.name} is not a well-formed CSV file ({reason}); look for an unclosed quote or a row of another length"
        ) from None


def _csv_frames(path: Path, needed: list[str], optional: list[str], separator: str | None) -> Iterator[pd.DataFrame]:
    layout = find_format(path, needed, separator)
    given = _header(path, layout)
    names = _column_names(given, optional)
    _check_columns(path, names, needed, given)
    texts = list(dict.fromkeys([*needed, *(column for column in optional if column in names)]))
    with warnings.catch_warnings():  # pandas truncates a first row that is longer than the header, and only warns
        warnings.simplefilter("error", pd.errors.ParserWarning)
        _read(path, layout, nrows=1, dtype=str)
    others = {column: [""] for column, name in zip(given, names, strict=True) if name not in texts}
    with _read(
        path,
        layout,
        chunksize=ROWS_PER_FRAME,
        dtype={column: str for column in given if column not in others},
        keep_default_na=False,
        na_values=others or None,
        on_bad_lines="error",
    ) as frames:
        rows = 0
        for frame in frames:
            frame.columns = pd.Index(names)
            frame[texts] = frame[texts].fillna("")
            rows += len(frame)
            yield frame
    if not rows:
        raise DataError(f"{path.name} has a header but no rows")


def _header(path: Path, layout: CsvFormat) -> list[str]:
    return list(_read(path, layout, nrows=0).columns)


def _read(path: Path, layout: CsvFormat, **settings: Any) -> Any:
    """`pandas.read_csv` of a file of this format."""
    separator, encoding, skiprows = layout
    return pd.read_csv(path, sep=separator, encoding=encoding, skiprows=skiprows, index_col=False, **settings)


def _column_names(given: list[str], optional: Iterable[str] = ()) -> list[str]:
    """The names of columns without blanks around them; an optional column is found in any case.

    >>> _column_names([" Lyric", "artist"], ["Artist"])
    ['Lyric', 'Artist']
    """
    names: list[str] = []
    for name in given:
        names.append(name if name.strip() in [*given, *names] else name.strip())
    missing = {name_key(column): column for column in optional if column not in names}
    return [missing.pop(name_key(name), name) for name in names]


def _check_columns(path: Path, names: list[str], needed: list[str], given: list[str]) -> None:
    """Raises `DataError` where a table lacks a column; the message lists those `given`, in their own spelling."""
    missing = [column for column in needed if column not in names]
    if missing:
        columns = ", ".join(map(short_repr, given[:MAX_COLUMNS_LISTED]))
        columns += ", ..." if len(given) > MAX_COLUMNS_LISTED else ""
        flag = "--lyric-column" if missing[0] == needed[0] else "--artist-column"
        raise DataError(f"{path.name} has no column {missing[0]!r}; its columns are {columns}: name yours ({flag})")


def _json_frames(path: Path, needed: list[str], optional: list[str], separator: str | None) -> Iterator[pd.DataFrame]:
    """The objects of a JSON file as rows; their names are the columns, and a missing name is ''."""
    objects = _json_objects(path, needed[0])
    given = list(dict.fromkeys(name for each in objects for name in each))
    names = dict(zip(_column_names(given, optional), given, strict=True))
    _check_columns(path, list(names), needed, given)
    columns = dict.fromkeys([*needed, *(column for column in optional if column in names)])
    for start in range(0, len(objects), ROWS_PER_FRAME):
        batch = objects[start : start + ROWS_PER_FRAME]
        yield pd.DataFrame({name: [_as_text(path, name, each.get(names[name])) for each in batch] for name in columns})


def _json_objects(path: Path, lyric_column: str) -> list[dict[str, Any]]:
    """The objects of a JSON file: of a list, one on each line, or in another form that pandas or a program writes."""
    text = path.read_text(encoding=text_encoding(read_sample(path)))
    try:
        content = _parse_json(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path.name} is not well-formed JSON ({error})") from None
    objects = _objects_in(content, lyric_column)
    if not isinstance(objects, list) or not objects or not all(isinstance(each, dict) for each in objects):
        raise DataError(f"{path.name} must be a list of objects with a name {lyric_column!r}, or have one on each line")
    return objects


def _objects_in(content: Any, lyric_column: str) -> Any:
    """The list of objects in a value of JSON, which may also be

    - in an object: {"version": 1, "data": {"songs": [...]}}
    - an object of them, by number or name: {"1": {"Lyric": ...}, "2": {"Lyric": ...}}
    - columns, as lists or by number: {"Artist": ["Ann", "Bob"], "Lyric": [..., ...]}
    - rows without the names of their columns: {"columns": ["Artist", "Lyric"], "data": [["Ann", ...], ["Bob", ...]]}
    """
    if not isinstance(content, dict):
        return content
    values = list(content.values())
    if lyric_column in content:
        if len(content) > 1 and all(isinstance(value, list) for value in values):
            return [dict(zip(content, row, strict=True)) for row in zip_longest(*values)]
        if all(isinstance(value, dict) for value in values):
            return [{name: column.get(key) for name, column in content.items()} for key in content[lyric_column]]
        return [content]
    columns, rows = content.get("columns"), content.get("data")
    if isinstance(columns, list) and isinstance(rows, list) and all(isinstance(row, list) for row in rows):
        return [dict(zip(map(str, columns), row, strict=False)) for row in rows]
    lists = [value for value in values if isinstance(value, list) and all(isinstance(each, dict) for each in value)]
    if len(lists) == 1:
        return lists[0]
    objects = [value for value in values if isinstance(value, dict)]
    if any(lyric_column in each for each in objects):
        return objects
    return _objects_in(objects[0], lyric_column) if len(objects) == 1 else [content]


def _parse_json(text: str) -> Any:
    """The value of a JSON text, or the list of those of its lines."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        if text.lstrip().startswith("["):
            raise
    values: list[Any] = []
    for number, line in enumerate(text.split("\n"), 1):
        try:
            values += [json.loads(line)] if line.strip() else []
        except json.JSONDecodeError as error:
            raise ValueError(f"line {number:,}: {error.msg}") from None
    return values


def _as_text(path: Path, name: str, value: Any) -> str:
    """A value of a JSON object as text; a list is one line each."""
    if isinstance(value, list):
        return "\n".join(_as_text(path, name, line) for line in value)
    if isinstance(value, dict) and isinstance(value.get("name"), str):  # as of an artist
        value = value["name"]
    if isinstance(value, dict):
        raise DataError(f"{path.name} has an object with a {name!r} that is no text, got {short_repr(value)}")
    text = "" if value is None or value != value else str(value)  # NaN is not equal to itself
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # JSON may escape half a surrogate pair
