"""Kinds of files by their first bytes: what a file is that is no plain text, for messages, and the encoding of one that is."""

import codecs
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
    b"RIFF": FileKind("a recording or a video"),
    b"MThd": FileKind("a MIDI file"),
}
_IN_ZIP = {  # the beginning of a name in a zip archive
    "xl/": FileKind("an Excel workbook", is_table=True),
    "word/": FileKind("a Word document"),
    "ppt/": FileKind("a PowerPoint presentation"),
    "Index/": FileKind("a Numbers or Pages document", is_table=True),
    "content.xml": FileKind("an OpenDocument file", is_table=True),
    "META-INF/container.xml": FileKind("an EPUB book"),
}
_TAR = FileKind("a tar archive", is_archive=True)
_HTML, _XML = FileKind("a web page (HTML)"), FileKind("an XML file")
_BINARY = FileKind("a binary file")
MAX_ZERO_BYTES = 0.1  # share in a text in UTF-8
MIN_ZERO_BYTES = 0.6  # share in every other byte of a text in UTF-16
_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",  # begins with the mark of UTF-16
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def find_kind(path: str | Path) -> FileKind | None:
    """What a file is; None for anything that may be plain text, and for a file that cannot be opened."""
    try:
        sample = read_sample(path)
    except (OSError, ValueError):  # ValueError: a name with a zero byte
        return None
    return _kind_of_zip(path) if sample.startswith(ZIP_MAGIC) else kind_of_bytes(sample)


def kind_of_bytes(sample: bytes) -> FileKind | None:
    """`find_kind` of a file that begins with these bytes, `SAMPLE_SIZE` or all of them."""
    if sample[257:262] == b"ustar":
        return _TAR
    text = sample.removeprefix(codecs.BOM_UTF8).lstrip()[:14].lower()
    if text.startswith((b"<!doctype html", b"<html")):
        return _HTML
    if text.startswith(b"<?xml"):
        return _XML
    for start, kind in _KINDS.items():
        if sample.startswith(start):
            return kind
    has_zeros = sample.count(0) > MAX_ZERO_BYTES * len(sample)
    return _BINARY if has_zeros and text_encoding(sample) == "utf-8-sig" else None


def text_encoding(sample: bytes) -> str:
    """The encoding of a text that begins with these bytes: UTF-16 or UTF-32 by a byte order mark, UTF-16 by zeros in every
    other byte, else UTF-8.

    >>> text_encoding("one".encode("utf-16")), text_encoding(b"one")
    ('utf-16', 'utf-8-sig')
    """
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if sample.startswith(mark):
            return encoding
    zeros = [sample[start::2].count(0) > MIN_ZERO_BYTES * len(sample) / 2 for start in (0, 1)]
    return {(True, False): "utf-16-be", (False, True): "utf-16-le"}.get((zeros[0], zeros[1]), "utf-8-sig")


def read_sample(path: str | Path) -> bytes:
    """The first bytes of a file."""
    with open(path, "rb") as file:
        return file.read(SAMPLE_SIZE)


def _kind_of_zip(path: str | Path) -> FileKind:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return _KINDS[ZIP_MAGIC]
    return next(
        (kind for start, kind in _IN_ZIP.items() if any(name.startswith(start) for name in names)), _KINDS[ZIP_MAGIC]
    )
