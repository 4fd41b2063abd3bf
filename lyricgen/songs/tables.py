"""Tables of songs: CSV files with any separator, JSON files and JSON lines, read as data frames of bounded size."""

import csv
import json
import os
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from lyricgen.errors import DataError, os_error_reason
from lyricgen.validation import SEPARATORS, short_repr

LYRIC_COLUMN, ARTIST_COLUMN, TITLE_COLUMN = "Lyric", "Artist", "Title"
CSV_ENDINGS, JSON_ENDINGS = (".csv", ".tsv", ".tab"), (".json", ".jsonl", ".ndjson")
ROWS_PER_FRAME = 2_000  # rows parsed at a time
MAX_COLUMNS_LISTED = 12  # column names in an error message


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
        path: the file; by its ending CSV or JSON.
        lyric_column: needed.
        artist_column: '': none; None: Artist, if there is one; any other is needed.
        title_column: read if there is one.
        separator: of a CSV file; None: the one with which the header has the needed columns.

    Raises:
        DataError: the file is missing, empty, not UTF-8, not well-formed, or lacks a column.
    """
    path = Path(path)
    if not os.path.exists(path):  # Path.exists raises on a name too long for a file
        raise DataError(f"there is no file {short_repr(str(path))}; name a CSV file")
    needed = [column for column in (lyric_column, artist_column) if column]
    optional = [column for column in (ARTIST_COLUMN if artist_column is None else None, title_column) if column]
    read = _json_frames if path.suffix.lower() in JSON_ENDINGS else _csv_frames
    with _table_errors(path, needed):
        yield from read(path, needed, optional, separator)


def find_separator(path: str | Path, needed: Iterable[str]) -> str:
    """The separator with which the header of a CSV file has the needed columns; where none has, that of its ending.

    Raises:
        DataError: the file is empty, not UTF-8, or cannot be read.
    """
    path, needed = Path(path), list(needed)
    by_ending = "," if path.suffix.lower() == ".csv" else "\t"
    with _table_errors(path, needed):
        for separator in dict.fromkeys((by_ending, *SEPARATORS.values())):
            if set(needed) <= set(_header(path, separator)):
                return separator
    return by_ending


def unreadable(path: Path, error: OSError) -> DataError:
    """The error of a file that cannot be opened or read."""
    return DataError(
        f"{short_repr(str(path))} cannot be read ({os_error_reason(error)}); check its name and its permissions"
    )


def not_utf8(path: Path, error: UnicodeDecodeError) -> DataError:
    """The error of a file in another encoding."""
    byte = error.object[error.start]
    return DataError(f"{path.name} is not UTF-8 (byte {byte:#04x} in it); save it as UTF-8 and try again")


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
            f"{path.name} is not a well-formed CSV file (its first row is longer than its header); name every column in the header"
        ) from None
    except (pd.errors.ParserError, csv.Error) as error:
        reason = str(error).split("C error: ")[-1].strip().rstrip(".")
        raise DataError(
            f"{path.name} is not a well-formed CSV file ({reason}); look for an unclosed quote or a row of another length"
        ) from None


def _csv_frames(path: Path, needed: list[str], optional: list[str], separator: str | None) -> Iterator[pd.DataFrame]:
    separator = separator or find_separator(path, needed)
    header = _header(path, separator)
    _check_columns(path, header, needed)
    texts = needed + [column for column in dict.fromkeys(optional) if column in header and column not in needed]
    with warnings.catch_warnings():  # pandas truncates a first row that is longer than the header, and only warns
        warnings.simplefilter("error", pd.errors.ParserWarning)
        pd.read_csv(path, nrows=1, index_col=False, dtype=str, sep=separator)
    others = {column: [""] for column in header if column not in texts}
    with pd.read_csv(
        path,
        sep=separator,
        chunksize=ROWS_PER_FRAME,
        index_col=False,
        dtype={column: str for column in texts},
        keep_default_na=False,
        na_values=others or None,
        on_bad_lines="error",
    ) as frames:
        rows = 0
        for frame in frames:
            frame[texts] = frame[texts].fillna("")
            rows += len(frame)
            yield frame
    if not rows:
        raise DataError(f"{path.name} has a header but no rows")


def _header(path: str | Path, separator: str) -> list[str]:
    return list(pd.read_csv(path, nrows=0, index_col=False, sep=separator).columns)


def _check_columns(path: Path, header: list[str], needed: list[str]) -> None:
    """Raises `DataError` where a table lacks a column."""
    missing = [column for column in needed if column not in header]
    if missing:
        columns = ", ".join(map(short_repr, header[:MAX_COLUMNS_LISTED]))
        columns += ", ..." if len(header) > MAX_COLUMNS_LISTED else ""
        raise DataError(f"{path.name} has no column {missing[0]!r}; its columns are {columns}: name yours")


def _json_frames(path: Path, needed: list[str], optional: list[str], separator: str | None) -> Iterator[pd.DataFrame]:
    """The objects of a JSON file as rows; their names are the columns, and a missing name is ''."""
    objects = _json_objects(path)
    names = list(dict.fromkeys(name for each in objects for name in each))
    _check_columns(path, names, needed)
    columns = [*needed, *(column for column in optional if column in names)]
    for start in range(0, len(objects), ROWS_PER_FRAME):
        batch = objects[start : start + ROWS_PER_FRAME]
        yield pd.DataFrame({name: [_as_text(path, name, each.get(name)) for each in batch] for name in columns})


def _json_objects(path: Path) -> list[dict[str, Any]]:
    """The objects of a JSON file: of a list, which may be the only list in an object, or one on each line."""
    text = path.read_text(encoding="utf-8-sig")
    try:
        content = _parse_json(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path.name} is not well-formed JSON ({error})") from None
    if isinstance(content, dict):
        lists = [value for value in content.values() if isinstance(value, list)]
        content = lists[0] if len(lists) == 1 and all(isinstance(each, dict) for each in lists[0]) else [content]
    if not isinstance(content, list) or not content or not all(isinstance(each, dict) for each in content):
        raise DataError(f"{path.name} must be a list of objects with a name {LYRIC_COLUMN!r}, or have one on each line")
    return content


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
    if isinstance(value, dict):
        raise DataError(f"{path.name} has an object with a {name!r} that is no text, got {short_repr(value)}")
    return "" if value is None else str(value)
