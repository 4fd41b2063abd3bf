"""Artifacts run no code and are what was published: each kind of damage to each artifact from each source.

A damaged artifact never stops a start: one sentence in the log, and the next source has its turn. The small artifacts of
`small` are the bundled ones here, and those of the damaged source have other sizes, so that it shows which were taken.
"""

import json
import math
import pickle
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from gensim.models import KeyedVectors
from safetensors import numpy as safetensors

from lyricgen import (
    Checkpoint,
    ImprovedSeqModel,
    Song,
    SongIndex,
    VanillaRNN,
    fit_ngrams,
    save_checkpoint,
    save_ngrams,
    save_space,
)
from lyricgen.analysis.membership import STATISTICS, MembershipThresholds, Threshold, save_thresholds
from lyricgen.errors import HubError
from lyricgen.hub.download import MANIFEST, Snapshot, check_manifest
from lyricgen.resources import Resources
from lyricgen.storage import ARTIFACT_FOLDERS, content_sha256, file_sha256, write_json
from lyricgen.words import sources as vector_sources

FIGURES = {"val_bpc": 4.0, "train_songs": 2, "train_characters": 90, "epochs": 1, "seconds": 2.0, "hardware": "a CPU"}


def write_artifacts(folder: Path, size: int) -> Path:
    """One of each artifact, of `size` units, words, songs or buckets."""
    torch.manual_seed(size)
    for name, network in (("lstm", ImprovedSeqModel), ("vanilla-rnn", VanillaRNN)):
        row = {
            "step": 20,
            "epoch": 1,
            "seconds": 2,
            "characters": 90,
            "train_bpc": 4.0,
            "val_bpc": None,
            "clean_bpc": None,
        }
        sample = {"step": 10, "characters": 90, "prefix": "", "temperature": 0.7, "seed": 1, "text": "la"}
        save_checkpoint(
            Checkpoint(network(hidden_size=size, artists=("Ann", "Bob")), FIGURES, [row], [sample]), folder / name
        )
    words = KeyedVectors(4)
    words.add_vectors([f"word{number}" for number in range(size)], np.ones((size, 4), np.float32))
    save_space(words, folder / "lyrics", "lyrics", "words of this test")
    fitted = fit_ngrams(["la la oh", "dum di dum"], np.array([0, 1]), ("Ann", "Bob"), buckets=size)
    save_ngrams(replace(fitted, metrics={"train_songs": 2}), folder / "attribution")
    songs = [Song(f"one two three four five number {number}", "Ann", f"Song {number}") for number in range(size)]
    SongIndex.build(songs, asked=0).save(folder / "originality")
    statistics = dict.fromkeys(STATISTICS, Threshold(0.5, 0.1, 0.1, 0.9))
    save_thresholds(MembershipThresholds(("a", "b"), "min_k", {size: statistics}), folder / "membership")
    return folder


def sizes(resources: Resources) -> dict[str, int | None]:
    """Which of the artifacts are loaded, by their size."""
    networks = {name: resources.model(name).model.hidden_size for name in resources.model_names}
    index = resources._song_index
    return {
        "lstm": networks.get("lstm"),
        "vanilla-rnn": networks.get("vanilla-rnn"),
        "lyrics": len(resources.space("lyrics")) if "lyrics" in resources.space_names else None,
        "attribution": len(resources.ngrams.idf) // 2 if resources.ngrams else None,
        "originality": len(index) if index else None,
        "membership": next(iter(resources.membership.by_length)) if resources.membership else None,
    }


# Damage: a function of an artifact's folder


def header(folder: Path) -> Path:
    return folder / ARTIFACT_FOLDERS[folder.name].header


def largest(folder: Path) -> Path:
    """The file with the weights, or the header where there is no other."""
    arrays = [path for path in folder.iterdir() if path.suffix in (".safetensors", ".npy")]
    return max(arrays, key=lambda path: path.stat().st_size, default=header(folder))


def seal(folder: Path) -> None:
    """Writes checksums that fit the present files, as someone who published them so would."""
    content = json.loads(header(folder).read_text(encoding="utf-8"))
    for name in content["sha256"]:
        content["sha256"][name] = content_sha256(content) if name == header(folder).name else file_sha256(folder / name)
    header(folder).write_text(json.dumps(content), encoding="utf-8")


def change_header(change):
    def damage(folder: Path) -> None:
        content = json.loads(header(folder).read_text(encoding="utf-8"))
        change(content)
        header(folder).write_text(json.dumps(content), encoding="utf-8")
        if isinstance(content.get("sha256"), dict):
            seal(folder)

    return damage


def flip(folder: Path) -> None:
    content = bytearray(largest(folder).read_bytes())
    content[len(content) // 2] ^= 4
    largest(folder).write_bytes(content)


class Bomb:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path: Path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


def pickled(folder: Path) -> None:
    """A pickle in the place of the weights, published as if it were them."""
    path = largest(folder)
    bomb = Bomb(folder.parents[1] / "exploded")
    if path.suffix == ".npy":
        np.save(path, np.array([bomb], object), allow_pickle=True)
    else:
        path.write_bytes(pickle.dumps(bomb))
    if path != header(folder):
        seal(folder)


def not_finite(folder: Path) -> None:
    """NaN in the numbers, published as if it were right; in an index, which has whole numbers, in the type of an array."""
    path = largest(folder)
    if path.suffix == ".safetensors":
        arrays = safetensors.load_file(path)
        name = "scales" if "scales" in arrays else "ffnn.bias"
        arrays[name][0] = math.nan
        path.write_bytes(safetensors.save(arrays))
    elif path.suffix == ".npy":
        np.save(path, np.full_like(np.load(path), math.nan, np.float32))
    else:
        content = json.loads(path.read_text(encoding="utf-8"))
        next(iter(content["lengths"].values()))["min_k"]["threshold"] = math.nan
        path.write_text(json.dumps(content), encoding="utf-8")
    seal(folder)


def wrong_figures(folder: Path) -> None:
    """Words for numbers, published."""
    if (folder / "metrics.json").exists() and folder.name != "originality":
        write_json(folder / "metrics.json", {"train_songs": "many", "validation": "good"})
        seal(folder)
    else:
        change_header(lambda content: content.update(words="many", songs="many", lengths="many"))(folder)


DAMAGE = {
    "no header": lambda folder: header(folder).unlink(),
    "empty header": lambda folder: header(folder).write_bytes(b""),
    "100,000 brackets": lambda folder: header(folder).write_text("[" * 100_000),
    "deep header": change_header(lambda content: content.update(more=json.loads("[" * 400 + "]" * 400))),
    "NaN in the header": change_header(lambda content: content.update(seconds=math.nan)),
    "1e400 in the header": lambda folder: header(folder).write_text(header(folder).read_text().replace("{", '{"x": 1e400, ', 1)),
    "lone surrogate": change_header(lambda content: content.update(more="\ud800")),
    "another version": change_header(lambda content: content.update(format_version=99)),
    "no checksums": change_header(lambda content: content.update(sha256=[])),
    "a bit flipped": flip,
    "cut": lambda folder: largest(folder).write_bytes(largest(folder).read_bytes()[:-9]),
    "not UTF-8": lambda folder: header(folder).write_bytes(b"\xff\xfe{}"),
    "a folder for a file": lambda folder: (header(folder).unlink(), header(folder).mkdir()),
    "pickle": pickled,
    "NaN": not_finite,
    "words for numbers": wrong_figures,
}  # fmt: skip


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    """The artifacts that are bundled in this module, and in `published` those of another size."""
    folder = tmp_path_factory.mktemp("artifacts")
    write_artifacts(folder / "bundled", 4)
    write_artifacts(folder / "published", 6)
    return folder


@pytest.fixture
def bundle(monkeypatch):
    """Puts a folder in the place of the project's assets."""

    def put(folder: Path) -> None:
        for module in ("lyricgen.resources", "lyricgen.models.checkpoints", "lyricgen.words.sources"):
            monkeypatch.setattr(f"{module}.ASSETS", folder)
        monkeypatch.setattr("lyricgen.resources.BUNDLED_SPACES", ("lyrics",))
        vector_sources._named.cache_clear()

    yield put
    monkeypatch.undo()
    vector_sources._named.cache_clear()


class FetchedHub:
    """What `Download` gives for a repository that holds a folder: verified against its manifest."""

    repo, revision = "ann/models", "main"

    def __init__(self, folder: Path):
        self.folder = folder

    def fetched(self) -> Snapshot:
        check_manifest(self.folder)
        return Snapshot(self.repo, self.revision, "0" * 40, self.folder)

    def cached(self) -> None:
        return None


def publish(folder: Path) -> None:
    """Writes the manifest that a push would, of the files as they are."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    content = {path.relative_to(folder).as_posix(): file_sha256(path) for path in files}
    write_json(folder / MANIFEST, {"format_version": 1, "files": content})


def check_sentences(sentences: list[str], tmp_path: Path) -> None:
    assert sentences
    for sentence in sentences:
        assert sentence.isprintable() and len(sentence) < 500 and str(tmp_path) not in sentence, sentence


@pytest.mark.parametrize("name", ["lstm", "lyrics", "attribution", "originality", "membership"])  # one of each kind
@pytest.mark.parametrize("source", ["--models", "Hub", "bundled"])
@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_artifact_gives_way_to_the_next_source(
    damage, source, name, small, bundle, tmp_path, monkeypatch, caplog
):
    monkeypatch.setenv("LYRICGEN_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "artifacts"
    shutil.copytree(small / ("bundled" if source == "bundled" else "published"), folder)
    damage(folder / name)
    bundle(folder if source == "bundled" else small / "bundled")
    given = 4 if source == "bundled" else 6
    expected = {**dict.fromkeys(ARTIFACT_FOLDERS, given), name: 4}
    if source == "--models":
        resources = Resources(folder, device="cpu")
    elif source == "Hub":
        publish(folder)
        resources = Resources(device="cpu", hub=FetchedHub(folder))
        expected = dict.fromkeys(ARTIFACT_FOLDERS, 4)  # a repository is taken as a whole, or not at all
    else:
        resources = Resources(device="cpu")
        expected[name] = None
        assert set(resources.left_out) == {name}
    assert sizes(resources) == expected
    check_sentences(caplog.messages, tmp_path)
    json.dumps(resources.about(), allow_nan=False)
    assert not (tmp_path / "exploded").exists()


def test_undamaged_artifacts_are_taken_from_each_source(small, bundle, tmp_path, monkeypatch, caplog):
    """So that the test above fails for the damage, and for nothing else."""
    monkeypatch.setenv("LYRICGEN_CACHE", str(tmp_path / "cache"))
    bundle(small / "bundled")
    published = tmp_path / "published"
    shutil.copytree(small / "published", published)
    assert sizes(Resources(device="cpu")) == dict.fromkeys(ARTIFACT_FOLDERS, 4)
    assert sizes(Resources(published, device="cpu")) == dict.fromkeys(ARTIFACT_FOLDERS, 6)
    publish(published)
    assert sizes(Resources(device="cpu", hub=FetchedHub(published))) == dict.fromkeys(ARTIFACT_FOLDERS, 6)
    assert caplog.messages == []


@pytest.mark.parametrize("name", ["lstm", "lyrics"])
def test_files_that_are_not_those_of_the_manifest_are_refused(name, small, tmp_path):
    """The manifest is of the commit; whoever changes a file on the way, or in the cache, cannot change it too."""
    folder = tmp_path / "published"
    shutil.copytree(small / "published", folder)
    publish(folder)
    change_header(lambda content: content.update(more=1))(folder / name)  # the artifact's own checksums fit
    with pytest.raises(HubError, match=rf"{name}/{header(folder / name).name} is not the file that was written"):
        check_manifest(folder)
