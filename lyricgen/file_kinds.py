"""Kinds of files that are no plain text, recognized by their first bytes, so that a message can say what a file is."""

import zipfile
from pathlib import Path
from typing import NamedTuple

SAMPLE_SIZE = 4_096  # bytes from the beginning
ZIP_MAGIC = b"PK\x03\x04"


class FileKind(NamedTuple):
    """What a file is."""

    noun: str
    """With its article: 'a zip archive'."""
    is_archive: bool = False
    """Whether other files are packed in it."""
    is_table: bool = False
    """Whether a program can save it as CSV."""


_KINDS = {
    ZIP_MAGIC: FileKind("a zip archive", is_archive=True),
    b"\x1f\x8b": FileKind("a gzip archive", is_archive=True),
    b"BZh": FileKind("a bzip2 archive", is_archive=True),
    b"\xfd7zXZ\0": FileKind("an xz archive", is_archive=True),
    b"\x28\xb5\x2f\xfd": FileKind("a zstd archive", is_archive=True),
    b"7z\xbc\xaf\x27\x1c": FileKind("a 7z archive", is_archive=True),
    b"Rar!\x1a\x07": FileKind("a RAR archive", is_archive=True),
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": FileKind("an old Office file (.xls or .doc)", is_table=True),
    b"PAR1": FileKind("a Parquet file", is_table=True),
    b"ARROW1": FileKind("a Feather file", is_table=True),
    b"SQLite format 3\0": FileKind("an SQLite database", is_table=True),
    b"\xba\x16\x4f\x2f": FileKind("a binary fastText model"),
    b"%PDF-": FileKind("a PDF file"),
    b"{\\rtf": FileKind("an RTF file"),
    b"\x89HDF\r\n": FileKind("an HDF5 file"),
    b"\x93NUMPY": FileKind("a NumPy array"),
    b"\x80\x02": FileKind("a pickle"),
    b"\x80\x03": FileKind("a pickle"),
    b"\x80\x04": FileKind("a pickle"),
    b"\x80\x05": FileKind("a pickle"),
    b"\x89PNG\r\n": FileKind("a PNG picture"),
    b"\xff\xd8\xff": FileKind("a JPEG picture"),
    b"GIF8": FileKind("a GIF picture"),
    b"ID3": FileKind("an MP3 recording"),
    b"OggS": FileKind("an Ogg recording"),
    b"fLaC": FileKind("a FLAC recording"),
}
_IN_ZIP = {  # the beginning of a name in a zip archive
    "xl/": FileKind("an Excel workbook", is_table=True),
    "word/": FileKind("a Word document"),
    "ppt/": FileKind("a PowerPoint presentation"),
    "Index/": FileKind("a Numbers or Pages document", is_table=True),
    "content.xml": FileKind("an OpenDocument file", is_table=True),
}
_TAR = FileKind("a tar archive", is_archive=True)
_HTML = FileKind("a web page (HTML)")


def find_kind(path: str | Path) -> FileKind | None:
    """What a file is; None for anything that may be plain text, and for a file that cannot be opened."""
    try:
        with open(path, "rb") as file:
            sample = file.read(SAMPLE_SIZE)
    except (OSError, ValueError):  # ValueError: a name with a zero byte
        return None
    return _kind_of_zip(path) if sample.startswith(ZIP_MAGIC) else kind_of_bytes(sample)


def kind_of_bytes(sample: bytes) -> FileKind | None:
    """`find_kind` of a file that begins with these bytes, `SAMPLE_SIZE` or all of them."""
    if sample[257:262] == b"ustar":
        return _TAR
    if sample.removeprefix(b"\xef\xbb\xbf").lstrip()[:14].lower().startswith((b"<!doctype html", b"<html")):
        return _HTML
    return next((kind for start, kind in _KINDS.items() if sample.startswith(start)), None)


def _kind_of_zip(path: str | Path) -> FileKind:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return _KINDS[ZIP_MAGIC]
    return next(
        (kind for start, kind in _IN_ZIP.items() if any(name.startswith(start) for name in names)), _KINDS[ZIP_MAGIC]
    )
