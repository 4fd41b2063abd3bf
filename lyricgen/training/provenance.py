"""Provenance of an artifact: data, seed, time, hardware and library versions, as recorded in its JSON header."""

import hashlib
import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path

import torch

from lyricgen.songs.reading import Song
from lyricgen.storage import file_sha256


def provenance(
    *,
    data_sha256: Mapping[str, str],
    seconds: float,
    hardware: str,
    packages: Iterable[str],
    seed: int | None = None,
) -> dict:
    """The provenance record of one artifact, as plain values.

    Args:
        data_sha256: checksum of each file of songs, by its name; see `songs_sha256`.
        seconds: duration of the training; rounded to tenths.
        hardware: see `processor_name`.
        packages: distributions to record the installed version of, such as 'torch'.
        seed: of the training; None: the record has no seed.
    """
    return {
        "data_sha256": dict(data_sha256),
        **({} if seed is None else {"seed": seed}),
        "seconds": round(seconds, 1),
        "hardware": hardware,
        "versions": {"python": platform.python_version(), **{name: version(name) for name in packages}},
    }


def processor_name(threads: int) -> str:
    """Display name of the processor, with the number of threads."""
    name = torch.cpu.get_capabilities().get("cpu_name") or platform.machine()
    return f"{name}, {threads} thread{'s' if threads > 1 else ''}"


def songs_sha256(source: Path, songs: Iterable[Song]) -> dict[str, str]:
    """The checksum of the file that songs were read from, or of their lyrics if it was a folder."""
    if source.is_file():
        return {source.name: file_sha256(source)}
    digest = hashlib.sha256()
    for song in songs:
        digest.update(song.lyric.encode("utf-8", "surrogatepass") + b"\0")
    return {"songs": digest.hexdigest()}
