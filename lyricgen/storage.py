"""Atomic writes, checksums, artifact folders and the download cache.

An artifact is a folder of one `ArtifactKind`: a JSON header with its format version and the sha256 of each file beside it.
`write_artifact` and `read_artifact` serve all kinds; the modules that own them parse the files. No pickle is loaded.
"""

import csv
import hashlib
import json
import os
import re
import shutil
import time
import tokenize
import zipfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from lyricgen.errors import DataError, HubError, LyricGenError, ModelError, VectorsError, os_error_reason
from lyricgen.output import to_json

ASSETS = Path(__file__).parent / "assets"
"""The bundled artifacts and lists."""
LEFTOVER_AGE = 3600.0  # seconds without a change, after which a temporary file is one of a process that was killed
PARSE_ERRORS = (
    ArithmeticError, AttributeError, EOFError, LookupError, MemoryError, RecursionError, TypeError, ValueError, csv.Error,
    tokenize.TokenError, zipfile.BadZipFile, SafetensorError,
)  # fmt: skip
"""What the parsers of artifacts raise on damaged content; numpy's raises a TokenError on a header of brackets."""
MAX_JSON_DEPTH = 50  # brackets inside brackets
MAX_NUMBER = 2**63 - 1  # absolute value of a number in JSON, which other programs can read


@dataclass(frozen=True)
class ArtifactKind:
    """A kind of artifact folder, and the words of its error messages."""

    noun: str
    header: str
    """Name of the JSON file."""
    files: tuple[str, ...]
    """Names of the files beside the header; empty where the header lists them itself."""
    error: type[LyricGenError]
    if_missing: str
    """Advice where there is no such folder."""
    if_damaged: str = "fetch it again"
    version: int = 1
    older_versions: tuple[int, ...] = ()
    """Earlier format versions that can be read too."""
    without_checksums: tuple[int, ...] = ()
    """Those of them whose headers list no sha256."""
    lists_header: bool = False
    """Whether it lists the sha256 of its own content too."""
    optional: tuple[str, ...] = ()
    """Names of files that a folder may lack; part of the artifact if the header lists them."""

    @property
    def all_files(self) -> tuple[str, ...]:
        """Names of the files of every folder, header included."""
        return (*self.files, self.header)

    @property
    def listed(self) -> tuple[str, ...]:
        """Names of the files with a sha256 in every header."""
        return self.all_files if self.lists_header else self.files

    def named(self, folder: Path) -> str:
        """The noun and the folder's name, for a message."""
        return f"{self.noun} {folder.name[:60]!r}"


MODEL = ArtifactKind(
    "model folder",
    "config.json",
    ("model.safetensors", "metrics.json", "history.csv"),
    ModelError,
    "train one with train.py or name one of the bundled models",
    lists_header=True,
    optional=("samples.jsonl", "memory.json", "learning-curve.png"),
)
VECTOR_SPACE = ArtifactKind("vector space", "meta.json", ("vectors.npy", "words.txt"), VectorsError, "fetch it again")
NGRAM_CLASSIFIER = ArtifactKind(
    "n-gram classifier",
    "meta.json",
    ("weights.safetensors", "metrics.json"),
    ModelError,
    "train one with train.py --models attribution",
    version=2,
    older_versions=(1,),
)
SONG_INDEX = ArtifactKind(
    "song index",
    "metrics.json",
    ("buckets.npy", "grams.npy", "songs.npy", "times.npy", "songs.csv"),
    ModelError,
    "make one with train.py --models originality",
)
MEMBERSHIP = ArtifactKind(
    "membership thresholds",
    "meta.json",
    (),
    ModelError,
    "fit them with train.py --models membership",
    lists_header=True,
)
ENCODED_CORPUS = ArtifactKind(
    "encoded corpus",
    "meta.json",
    ("labels.u8", "songs.npz"),
    DataError,
    "encode the songs first",
    "encode the songs again",
    version=2,
    older_versions=(1,),
    without_checksums=(1,),
)
HUB_SNAPSHOT = ArtifactKind("Hub snapshot", "manifest.json", (), HubError, "download it again", "download it again")
ARTIFACT_FOLDERS = {
    "lstm": MODEL,
    "vanilla-rnn": MODEL,
    "lyrics": VECTOR_SPACE,
    "attribution": NGRAM_CLASSIFIER,
    "originality": SONG_INDEX,
    "membership": MEMBERSHIP,
}
"""The folders that train.py writes and a Hub repository holds, by name."""


# Artifacts


def is_artifact(folder: Path) -> bool:
    """Whether a folder has the files of one of `ARTIFACT_FOLDERS`."""
    return any(
        all(os.path.isfile(folder / name) for name in kind.all_files)
        for kind in ARTIFACT_FOLDERS.values()
        if kind.files
    )


@contextmanager
def write_artifact(folder: str | Path, kind: ArtifactKind, header: Mapping) -> Iterator[Path]:
    """Writes an artifact atomically: gives an empty folder for `kind.files`, then adds the header and moves it in place.

    Args:
        folder: replaced if it exists; its parents are created.
        kind: of the artifact.
        header: content of the header, read when the block ends; checksums are added, and the version unless it has one.
    """
    with atomic_folder(Path(folder)) as partial:
        yield partial
        content = {"format_version": kind.version, **header}
        if kind.listed:
            present = [name for name in kind.optional if (partial / name).is_file()]
            content["sha256"] = {name: file_sha256(partial / name) for name in (*kind.files, *present)}
        if kind.lists_header:
            content["sha256"][kind.header] = content_sha256(content)
        write_json(partial / kind.header, content)


def read_artifact(folder: str | Path, kind: ArtifactKind, unchecked: Collection[str] = ()) -> dict:
    """The header of an artifact, after its format version and the checksum of every file were checked.

    Args:
        folder: of the artifact.
        kind: of the artifact.
        unchecked: files too large to read here.

    Raises:
        LyricGenError: `kind.error`: the folder is missing, incomplete, altered, or of another format.
    """
    folder = Path(folder)
    header = read_header(folder, kind)
    if header["format_version"] in kind.without_checksums:
        return header
    for name in (*kind.listed, *_listed_optional(header, kind)):
        if name == kind.header:
            fault = None if content_sha256(header) == header["sha256"][name] else _ALTERED
        else:
            fault = None if name in unchecked else file_fault(folder / name, header["sha256"][name])
        if fault:
            raise kind.error(f"{name} of {kind.named(folder)} {fault}; {kind.if_damaged}")
    return header


def read_header(folder: str | Path, kind: ArtifactKind) -> dict:
    """The header of an artifact, with a known format version and a checksum of each file; the files are not read.

    Raises:
        LyricGenError: `kind.error`: there is none, or it is damaged or of another format.
    """
    folder = Path(folder)
    if not os.path.isdir(folder):  # Path.is_dir raises on a name too long for a file
        raise kind.error(f"there is no {kind.named(folder)}; {kind.if_missing}")
    try:
        header = read_json(folder / kind.header)
        version = header["format_version"]
        if version not in (kind.version, *kind.older_versions):
            raise kind.error(
                f"{kind.named(folder)} has format version {repr(version)[:20]}, this lyricgen reads {kind.version}; "
                f"{kind.if_damaged}, or use the version of lyricgen that made it"
            )
        listed = () if version in kind.without_checksums else kind.listed
        if listed and not set(listed) <= header["sha256"].keys():
            raise ValueError
    except FileNotFoundError:
        raise kind.error(f"{folder.name!r} is no {kind.noun} (it lacks {kind.header}); {kind.if_missing}") from None
    except OSError as error:
        raise kind.error(f"{kind.header} of {kind.named(folder)} cannot be read ({os_error_reason(error)})") from None
    except (AttributeError, KeyError, TypeError, ValueError):
        raise kind.error(f"{kind.header} of {kind.named(folder)} is damaged; {kind.if_damaged}") from None
    return header


def artifact_files(folder: str | Path, kind: ArtifactKind) -> tuple[str, ...]:
    """Names of the files of an artifact, with the optional ones that its header lists; other files in the folder are left out.

    Raises:
        LyricGenError: see `read_header`.
    """
    return (*kind.all_files, *_listed_optional(read_header(folder, kind), kind))


def _listed_optional(header: Mapping, kind: ArtifactKind) -> list[str]:
    return [name for name in kind.optional if name in header["sha256"]]


@contextmanager
def artifact_errors(folder: str | Path, kind: ArtifactKind) -> Iterator[None]:
    """Raises `kind.error`, in one sentence, where the files of an artifact cannot be parsed or contradict each other."""
    folder = Path(folder)
    try:
        yield
    except LyricGenError:
        raise
    except OSError as error:
        raise kind.error(f"{kind.named(folder)} cannot be read ({os_error_reason(error)}); {kind.if_damaged}") from None
    except PARSE_ERRORS:
        raise kind.error(f"the files of {kind.named(folder)} do not fit together; {kind.if_damaged}") from None


# Checksums

_ALTERED = "is not the file that was written (its sha256 differs)"


def file_sha256(path: Path) -> str:
    """The sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def content_sha256(header: Mapping) -> str:
    """The sha256 of a header's content, without the checksums in it."""
    content = {name: value for name, value in header.items() if name != "sha256"}
    return hashlib.sha256(to_json(content, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def file_fault(path: Path, sha256: object) -> str | None:
    """What is wrong with a file, as the end of a sentence; None if its checksum matches."""
    try:
        return None if file_sha256(path) == sha256 else _ALTERED
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"cannot be read ({os_error_reason(error)})"


# Files and folders


def read_json(path: Path) -> Any:
    """The content of a JSON file in UTF-8; see `parse_json`.

    Raises:
        OSError: it cannot be read.
        ValueError: it is damaged.
    """
    return parse_json(path.read_text(encoding="utf-8"))


def parse_json(text: str) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: it is no JSON, is nested too deeply, or holds a number that is not finite or a lone surrogate.
    """
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    _check_json(value)
    return value


def _check_json(value: object, depth: int = 0) -> None:
    if isinstance(value, str):
        value.encode()  # a lone surrogate raises a ValueError
    elif isinstance(value, (int, float)):
        if not abs(value) <= MAX_NUMBER:  # so for NaN
            raise ValueError("not finite, or too large")
    elif value is not None:
        if depth == MAX_JSON_DEPTH:
            raise ValueError("nested too deeply")
        for child in [*value, *value.values()] if isinstance(value, dict) else value:  # type: ignore[attr-defined]
            _check_json(child, depth + 1)


def check_numbers(figures: Mapping, *names: str, required: bool = False) -> None:
    """Raises `TypeError` where one of these figures is no number; one that is not `required` may be null or missing."""
    for name in names:
        value = figures.get(name)
        if not isinstance(value, (int, float)) and (required or value is not None):
            raise TypeError(f"{name} is no number")


def write_json(path: Path, value: Mapping) -> None:
    """Writes an indented JSON file."""
    path.write_text(to_json(value, indent=2) + "\n", encoding="utf-8")


def cache_folder() -> Path:
    """The folder of downloads: `LYRICGEN_CACHE`, or `lyricgen` in the user's cache."""
    default = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lyricgen"
    return Path(os.environ.get("LYRICGEN_CACHE") or default)


@contextmanager
def atomic_folder(folder: Path) -> Iterator[Path]:
    """Gives an empty folder to write into and renames it to `folder` when the block succeeds.

    An existing `folder` is removed only after the rename; if the block fails, it stays as it was.
    """
    partial = folder.with_name(partial_name(folder.name))
    with _names_file(folder):
        remove_leftovers(folder.parent)
        partial.mkdir(parents=True, exist_ok=True)
        try:
            yield partial
            _replace(folder, partial)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Gives the path of a new file beside `path`, and renames it to `path` when the block succeeds.

    If the block fails, `path` stays as it was.
    """
    partial = path.with_name(partial_name(path.name))
    with _names_file(path):
        remove_leftovers(path.parent)
        try:
            yield partial
            with partial.open("rb+") as file:
                os.fsync(file.fileno())  # else a power failure may leave the new name with an old content
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


def partial_name(name: str) -> str:
    """The name of a temporary file or folder of this process; see `remove_leftovers`."""
    return f"{name}.{os.getpid()}.partial"


def remove_leftovers(folder: Path) -> None:
    """Removes the temporary files and folders in a folder that killed processes left an hour ago or earlier.

    A folder that was killed between its two renames gets its name back.
    """
    with suppress(OSError):
        for path in sorted(folder.glob("*.partial*")):
            name = re.fullmatch(r"(.+)\.\d+\.partial(\.old)?", path.name)
            if not name or time.time() - max(each.stat().st_mtime for each in (path, *path.rglob("*"))) < LEFTOVER_AGE:
                continue
            if name[2] and not path.with_name(name[1]).exists():
                path.rename(path.with_name(name[1]))
            elif path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink()


@contextmanager
def _names_file(path: Path) -> Iterator[None]:
    """Adds the path to an OSError that names none, as that of a full disk."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = os.fspath(path)
        raise


def _replace(folder: Path, new: Path) -> None:
    old = folder.with_name(f"{new.name}.old")
    if folder.exists():
        with suppress(OSError):
            os.utime(folder)  # `remove_leftovers` of another process leaves it alone
        folder.rename(old)
    try:
        new.rename(folder)
    except OSError:
        if old.exists():
            old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)
