"""Atomic folders, artifacts, checksums, JSON files and the cache folder."""

import csv
import errno
import hashlib
import json
import os
import time
import zipfile
from contextlib import suppress

import pytest

from lyricgen.errors import ArgumentError, DataError, ModelError, describe_os_error
from lyricgen.storage import (
    ARTIFACT_FOLDERS,
    ENCODED_CORPUS,
    HUB_SNAPSHOT,
    ArtifactKind,
    artifact_errors,
    artifact_files,
    atomic_file,
    atomic_folder,
    cache_folder,
    file_fault,
    file_sha256,
    parse_json,
    read_artifact,
    read_header,
    remove_leftovers,
    write_artifact,
    write_json,
)


def tree(folder):
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_appears_when_its_block_ends(tmp_path):
    target = tmp_path / "deep/er/folder"
    with atomic_folder(target) as partial:
        (partial / "a.txt").write_text("new")
        assert not target.exists() and partial.parent == target.parent
    assert tree(tmp_path) == {"deep/er/folder/a.txt": "new"} and list(target.parent.iterdir()) == [target]


def test_an_existing_folder_is_replaced(tmp_path):
    target = tmp_path / "folder"
    target.mkdir()
    (target / "old.txt").write_text("old")
    with atomic_folder(target) as partial:
        (partial / "new.txt").write_text("new")
        assert tree(target) == {"old.txt": "old"}
    assert tree(tmp_path) == {"folder/new.txt": "new"} and list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("fault", [ValueError, OSError, KeyboardInterrupt])
def test_a_failing_block_leaves_the_old_folder_and_nothing_else(fault, tmp_path):
    target = tmp_path / "folder"
    target.mkdir()
    (target / "old.txt").write_text("old")
    with pytest.raises(fault), atomic_folder(target) as partial:
        (partial / "old.txt").write_text("new")
        raise fault
    assert tree(tmp_path) == {"folder/old.txt": "old"} and list(tmp_path.iterdir()) == [target]


def test_a_failing_rename_leaves_the_old_folder(tmp_path):
    target = tmp_path / "folder"
    target.mkdir()
    (target / "old.txt").write_text("old")
    with pytest.raises(FileNotFoundError), atomic_folder(target) as partial:
        partial.rmdir()
    assert tree(tmp_path) == {"folder/old.txt": "old"} and list(tmp_path.iterdir()) == [target]


def test_a_file_is_replaced_when_its_block_ends_and_stays_if_it_fails(tmp_path):
    target = tmp_path / "a.ckpt"
    for text in ("old", "new"):
        with atomic_file(target) as partial:
            partial.write_text(text)
            assert partial.parent == tmp_path and not target.exists() or target.read_text() == "old"
    with pytest.raises(KeyboardInterrupt), atomic_file(target) as partial:
        partial.write_text("half")
        raise KeyboardInterrupt
    assert tree(tmp_path) == {"a.ckpt": "new"}


@pytest.mark.parametrize("atomic", [atomic_file, atomic_folder])
def test_a_full_disk_is_named_by_the_path_that_was_to_be_written(atomic, tmp_path):
    with pytest.raises(OSError) as error, atomic(tmp_path / "model"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert describe_os_error(error.value) == f"No space left on device: {tmp_path / 'model'}"
    assert list(tmp_path.iterdir()) == []


def leave(path, minutes):
    """Leaves a folder with a file, or a file, as a process killed that long ago does."""
    file = path
    if ".ckpt" not in path.name:
        path.mkdir()
        file = path / "file.txt"
    file.write_text("left")
    for each in {path, file}:
        os.utime(each, (time.time() - 60 * minutes,) * 2)


@pytest.mark.parametrize("atomic", [atomic_file, atomic_folder])
def test_what_a_kill_left_is_removed_by_a_later_write_beside_it(atomic, tmp_path):
    for name, minutes in (
        ("lstm.71.partial", 61), ("step=3.ckpt.72.partial", 61), ("lstm.73.partial.old", 61), ("lstm", 61),
        ("lyrics.74.partial", 59), ("mine.partial", 61), ("mine.75.partial.txt", 61),
    ):  # fmt: skip
        leave(tmp_path / name, minutes)
    with suppress(ValueError), atomic(tmp_path / "other"):
        raise ValueError
    kept = ["lstm", "lyrics.74.partial", "mine.75.partial.txt", "mine.partial"]
    assert sorted(path.name for path in tmp_path.iterdir()) == kept


def test_a_folder_killed_between_its_two_renames_gets_its_name_back(tmp_path):
    leave(tmp_path / "lstm.71.partial.old", 61)
    leave(tmp_path / "lstm.71.partial", 61)
    remove_leftovers(tmp_path)
    assert tree(tmp_path) == {"lstm/file.txt": "left"}
    remove_leftovers(tmp_path / "none")


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


# Artifacts

POEM = ArtifactKind(
    "poem", "poem.json", ("verse.txt", "title.txt"), ModelError, "write one", "copy it again", optional=("notes.txt",)
)
SIGNED = ArtifactKind("signed poem", "poem.json", ("verse.txt",), DataError, "write one", lists_header=True)
KINDS = [*dict.fromkeys(ARTIFACT_FOLDERS.values()), ENCODED_CORPUS]


@pytest.fixture
def poem(tmp_path):
    """The folder of a poem."""
    with write_artifact(tmp_path / "deep/ode", POEM, {"author": "Zoë"}) as partial:
        (partial / "verse.txt").write_text("o night")
        (partial / "title.txt").write_text("Ode")
    return tmp_path / "deep/ode"


def refusal(folder, kind=POEM, **options) -> str:
    """The message of the error that reading an artifact raises: one sentence, in one line, without a path."""
    with pytest.raises(kind.error) as error:
        read_artifact(folder, kind, **options)
    message = str(error.value)
    assert message.isprintable() and len(message) < 200 and str(folder.parent) not in message
    return message


def test_an_artifact_has_a_header_with_version_and_checksums(poem):
    header = {
        "format_version": 1,
        "author": "Zoë",
        "sha256": {name: file_sha256(poem / name) for name in ("verse.txt", "title.txt")},
    }
    assert read_artifact(poem, POEM) == read_header(poem, POEM) == header
    assert list(json.loads((poem / "poem.json").read_text("utf-8"))) == ["format_version", "author", "sha256"]
    assert sorted(path.name for path in poem.iterdir()) == sorted(POEM.all_files)


def test_the_content_of_a_header_may_be_completed_while_files_are_written(tmp_path):
    header = {"author": "Ann"}
    with write_artifact(tmp_path / "ode", POEM, header) as partial:
        for name in POEM.files:
            (partial / name).write_text(name)
        header["lines"] = 1
    assert read_artifact(tmp_path / "ode", POEM)["lines"] == 1


def test_an_artifact_without_one_of_its_files_is_not_written(poem):
    with pytest.raises(FileNotFoundError), write_artifact(poem, POEM, {}) as partial:
        (partial / "verse.txt").write_text("o day")
    assert (poem / "verse.txt").read_text() == "o night" and list(poem.parent.iterdir()) == [poem]


@pytest.mark.parametrize("kind", [POEM, *KINDS], ids=lambda kind: kind.noun)
def test_every_kind_names_a_missing_folder_or_header_and_what_to_do(kind, tmp_path):
    assert refusal(tmp_path / "none", kind) == f"there is no {kind.noun} 'none'; {kind.if_missing}"
    (tmp_path / "file").write_text("no folder")
    assert refusal(tmp_path / "file", kind).startswith(f"there is no {kind.noun} 'file'")
    assert refusal(tmp_path / ("x" * 5000), kind).startswith(f"there is no {kind.noun} 'xxx")
    (tmp_path / "empty").mkdir()
    assert refusal(tmp_path / "empty", kind) == f"'empty' is no {kind.noun} (it lacks {kind.header}); {kind.if_missing}"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("verse.txt", None, "verse.txt of poem 'ode' is missing; copy it again"),
        ("title.txt", b"", "title.txt of poem 'ode' is not the file that was written (its sha256 differs); copy it again"),
        ("poem.json", b"{", "poem.json of poem 'ode' is damaged; copy it again"),
        ("poem.json", b"\xff\xfe", "poem.json of poem 'ode' is damaged; copy it again"),
        ("poem.json", b"[" * 10**6, "poem.json of poem 'ode' is damaged; copy it again"),
        ("poem.json", b"[1]", "poem.json of poem 'ode' is damaged; copy it again"),
        ("poem.json", b'{"format_version": NaN}', "poem.json of poem 'ode' is damaged; copy it again"),
        ("poem.json", b'{"format_version": 1}', "poem.json of poem 'ode' is damaged; copy it again"),
        ("poem.json", b'{"format_version": 1, "sha256": []}', "poem.json of poem 'ode' is damaged; copy it again"),
        ("poem.json", b'{"format_version": 1, "sha256": {"verse.txt": ""}}', "poem.json of poem 'ode' is damaged; copy it again"),
        ("poem.json", b'{"format_version": 2}', "poem 'ode' has format version 2, this lyricgen reads 1; copy it again, or use the version of lyricgen that made it"),
    ],
)  # fmt: skip
def test_a_damaged_artifact_gives_one_sentence(name, content, message, poem):
    (poem / name).unlink()
    if content is not None:
        (poem / name).write_bytes(content)
    assert refusal(poem) == message


@pytest.mark.parametrize("name", POEM.all_files)
def test_a_file_that_cannot_be_read_is_named_with_the_reason(name, poem):
    (poem / name).unlink()
    (poem / name).mkdir()
    assert refusal(poem).startswith(f"{name} of poem 'ode' cannot be read (Is a directory)")


def test_an_optional_file_is_part_of_an_artifact_if_its_header_lists_it(poem):
    (poem / "notes.txt").write_text("left over, not part of the poem")
    assert read_artifact(poem, POEM) and artifact_files(poem, POEM) == POEM.all_files
    with write_artifact(poem, POEM, {}) as partial:
        for name in (*POEM.files, "notes.txt", "other.txt"):
            (partial / name).write_text(name)
    assert read_artifact(poem, POEM) and artifact_files(poem, POEM) == (*POEM.all_files, "notes.txt")
    (poem / "notes.txt").unlink()
    assert refusal(poem) == "notes.txt of poem 'ode' is missing; copy it again"


def test_an_unchecked_file_may_differ(poem):
    (poem / "verse.txt").write_text("other")
    assert read_artifact(poem, POEM, unchecked=["verse.txt"])["author"] == "Zoë"


def test_a_header_that_lists_itself_cannot_be_altered(tmp_path):
    folder = tmp_path / "ode"
    with write_artifact(folder, SIGNED, {"author": "Zoë"}) as partial:
        (partial / "verse.txt").write_text("o night")
    header = read_artifact(folder, SIGNED)
    write_json(folder / "poem.json", header | {"author": "Ann"})
    assert "poem.json of signed poem 'ode' is not the file that was written" in refusal(folder, SIGNED)
    del header["sha256"]["poem.json"]
    write_json(folder / "poem.json", header)
    assert "poem.json of signed poem 'ode' is damaged" in refusal(folder, SIGNED)


@pytest.mark.parametrize(
    "fault", [ValueError, KeyError, TypeError, EOFError, OverflowError, csv.Error, zipfile.BadZipFile]
)
def test_content_that_cannot_be_parsed_gives_one_sentence(fault, poem):
    with (
        pytest.raises(ModelError, match="^the files of poem 'ode' do not fit together; copy it again$"),
        artifact_errors(poem, POEM),
    ):
        raise fault


@pytest.mark.parametrize(
    ("fault", "reason"),
    [(OSError("short read"), "short read"), (PermissionError(13, "Permission denied", "/secret/path"), "Permission denied")],
)  # fmt: skip
def test_content_that_cannot_be_read_gives_the_reason_without_path_or_none(fault, reason, poem):
    with pytest.raises(ModelError) as error, artifact_errors(poem, POEM):
        raise fault
    assert str(error.value) == f"poem 'ode' cannot be read ({reason}); copy it again"


def test_our_own_errors_and_faults_of_the_program_pass_unchanged(poem):
    for fault in (ArgumentError("top_k must be 1"), ModelError("other"), AssertionError("a fault of the program")):
        with pytest.raises(type(fault), match=str(fault)), artifact_errors(poem, POEM):
            raise fault


def test_kinds_have_different_nouns_and_safe_file_names():
    kinds = [*KINDS, HUB_SNAPSHOT]
    assert len({kind.noun for kind in kinds}) == len(kinds) == 7
    assert all(os.path.basename(name) == name for kind in kinds for name in kind.all_files)


# Checksums and files


def test_a_file_fault_completes_a_sentence(tmp_path):
    (tmp_path / "file").write_bytes(b"abc")
    assert file_fault(tmp_path / "file", hashlib.sha256(b"abc").hexdigest()) is None
    assert file_fault(tmp_path / "file", None) == "is not the file that was written (its sha256 differs)"
    assert file_fault(tmp_path / "none", "") == "is missing"
    assert file_fault(tmp_path, "") == "cannot be read (Is a directory)"


@pytest.mark.parametrize("content", [b"", b"abc", bytes(range(256)) * 5000])
def test_the_sha256_of_a_file_is_that_of_its_bytes(content, tmp_path):
    (tmp_path / "file").write_bytes(content)
    assert file_sha256(tmp_path / "file") == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    "text",
    ["", "{", "NaN", "[-Infinity]", "[1e400]", '{"a": 99999999999999999999}', '["\\ud800"]', '{"\\udfff": 1}', "[" * 60 + "]" * 60,
     "[" * 100_000 + "]" * 100_000],
    ids=lambda text: text[:12],
)  # fmt: skip
def test_json_that_other_programs_would_misread_is_a_value_error(text):
    with pytest.raises(ValueError):
        parse_json(text)


def test_any_other_json_is_read():
    value = {"names": ["Zoë", None, True], "deep": [[[[-1.5e-300, 2**53, {}]]]]}
    assert parse_json(json.dumps(value)) == value


def test_a_json_file_is_indented_and_not_escaped(tmp_path):
    write_json(tmp_path / "a.json", {"name": "Beyoncé", "words": 3})
    assert (tmp_path / "a.json").read_bytes() == '{\n  "name": "Beyoncé",\n  "words": 3\n}\n'.encode()
    assert json.loads((tmp_path / "a.json").read_text("utf-8")) == {"name": "Beyoncé", "words": 3}
