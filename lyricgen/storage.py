"""Atomic writes, checksums, artifact folders and the download cache.

An artifact is a folder of one `ArtifactKind`: a JSON header with its format version and the sha256 of each file beside it.
`write_artifact` and `read_artifact` serve all kinds; the modules that own them parse the files. No pickle is loaded.
"""

import csv
import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError

from lyricgen.errors import DataError, HubError, LyricGenError, ModelError, VectorsError, os_error_reason
from lyricgen.output import to_json

ASSETS = Path(__file__).parent / "assets"
"""The bundled artifacts and lists."""


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
    has_checksums: bool = True
    """Whether the header lists the sha256 of each of `files`."""
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
        if not self.has_checksums:
            return ()
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
    has_checksums=False,
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
        header = json.loads((folder / kind.header).read_text(encoding="utf-8"))
        version = header["format_version"]
        if version not in (kind.version, *kind.older_versions):
            raise kind.error(
                f"{kind.named(folder)} has format version {repr(version)[:20]}, this lyricgen reads {kind.version}; "
                f"{kind.if_damaged}, or use the version of lyricgen that made it"
            )
        if kind.listed and not set(kind.listed) <= header["sha256"].keys():
            raise ValueError
    except FileNotFoundError:
        raise kind.error(f"{folder.name!r} is no {kind.noun} (it lacks {kind.header}); {kind.if_missing}") from None
    except OSError as error:
        raise kind.error(f"{kind.header} of {kind.named(folder)} cannot be read ({os_error_reason(error)})") from None
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
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
    except (
        ArithmeticError, AttributeError, EOFError, LookupError, TypeError, ValueError, csv.Error, zipfile.BadZipFile,
        SafetensorError,
    ):  # fmt: skip
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
    partial = folder.with_name(f"{folder.name}.{os.getpid()}.partial")
    partial.mkdir(parents=True, exist_ok=True)
    try:
        yield partial
        _replace(folder, partial)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _replace(folder: Path, new: Path) -> None:
    old = folder.with_name(f"{new.name}.old")
    if folder.exists():
        folder.rename(old)
    try:
        new.rename(folder)
    except OSError:
        if old.exists():
            old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)
