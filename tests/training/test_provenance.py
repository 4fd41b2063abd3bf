"""The provenance record of an artifact."""

import hashlib
import platform

import numpy as np

from lyricgen.songs.reading import Song
from lyricgen.training.provenance import processor_name, provenance, songs_sha256


def test_a_record_has_the_data_the_seed_the_time_the_hardware_and_the_versions():
    record = provenance(data_sha256={"a.csv": "0" * 64}, seed=0, seconds=1.26, hardware="a CPU", packages=["numpy"])
    assert record == {
        "data_sha256": {"a.csv": "0" * 64},
        "seed": 0,
        "seconds": 1.3,
        "hardware": "a CPU",
        "versions": {"python": platform.python_version(), "numpy": np.__version__},
    }


def test_without_a_seed_the_record_has_none():
    assert "seed" not in provenance(data_sha256={}, seconds=1, hardware="", packages=[])


def test_songs_are_identified_by_their_file_or_their_lyrics(tmp_path):
    songs = [Song("la la"), Song("na na")]
    (tmp_path / "songs.csv").write_bytes(b"abc")
    assert songs_sha256(tmp_path / "songs.csv", songs) == {"songs.csv": hashlib.sha256(b"abc").hexdigest()}
    assert songs_sha256(tmp_path, songs) == {"songs": hashlib.sha256(b"la la\0na na\0").hexdigest()}


def test_a_processor_is_named_with_its_threads():
    assert processor_name(1).endswith(", 1 thread") and processor_name(2).endswith(", 2 threads")
