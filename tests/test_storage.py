"""Folders that are whole or not there, the cache folder, sha256 and JSON files."""

import hashlib
import json
import os

import pytest

from lyricgen.storage import atomic_folder, cache_folder, file_sha256, write_json


def tree(folder):
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_appears_when_its_block_ends_and_not_before(tmp_path):
    target = tmp_path / "deep/er/folder"
    with atomic_folder(target) as partial:
        (partial / "a.txt").write_text("new")
        assert not target.exists() and partial.parent == target.parent
    assert tree(tmp_path) == {"deep/er/folder/a.txt": "new"} and list(target.parent.iterdir()) == [target]


def test_a_folder_that_was_there_is_replaced_whole(tmp_path):
    target = tmp_path / "folder"
    target.mkdir()
    (target / "old.txt").write_text("old")
    with atomic_folder(target) as partial:
        (partial / "new.txt").write_text("new")
        assert tree(target) == {"old.txt": "old"}
    assert tree(tmp_path) == {"folder/new.txt": "new"} and list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("fault", [ValueError, OSError, KeyboardInterrupt])
def test_a_block_that_fails_leaves_the_old_folder_as_it_was_and_nothing_beside_it(fault, tmp_path):
    target = tmp_path / "folder"
    target.mkdir()
    (target / "old.txt").write_text("old")
    with pytest.raises(fault), atomic_folder(target) as partial:
        (partial / "old.txt").write_text("new")
        raise fault
    assert tree(tmp_path) == {"folder/old.txt": "old"} and list(tmp_path.iterdir()) == [target]


def test_a_folder_that_cannot_take_its_place_leaves_the_old_one(tmp_path):
    target = tmp_path / "folder"
    target.mkdir()
    (target / "old.txt").write_text("old")
    with pytest.raises(FileNotFoundError), atomic_folder(target) as partial:
        partial.rmdir()
    assert tree(tmp_path) == {"folder/old.txt": "old"} and list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"LYRICGEN_CACHE": "/own", "XDG_CACHE_HOME": "/xdg"}, "/own"),
        ({"LYRICGEN_CACHE": "", "XDG_CACHE_HOME": "/xdg"}, "/xdg/lyricgen"),
        ({"XDG_CACHE_HOME": ""}, "/home/ann/.cache/lyricgen"),
        ({}, "/home/ann/.cache/lyricgen"),
    ],
)
def test_the_cache_folder_comes_from_the_environment(variables, expected, monkeypatch):
    monkeypatch.setenv("HOME", "/home/ann")
    for name in ("LYRICGEN_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert os.fspath(cache_folder()) == expected


@pytest.mark.parametrize("content", [b"", b"abc", bytes(range(256)) * 5000])
def test_the_sha256_of_a_file_is_that_of_its_bytes(content, tmp_path):
    (tmp_path / "file").write_bytes(content)
    assert file_sha256(tmp_path / "file") == hashlib.sha256(content).hexdigest()


def test_a_json_file_can_be_read_by_people_and_by_json(tmp_path):
    write_json(tmp_path / "a.json", {"name": "Beyoncé", "words": 3})
    assert (tmp_path / "a.json").read_bytes() == '{\n  "name": "Beyoncé",\n  "words": 3\n}\n'.encode()
    assert json.loads((tmp_path / "a.json").read_text("utf-8")) == {"name": "Beyoncé", "words": 3}
