"""Artifact folders written by earlier versions still load, with the same content.

`data/old_formats/format-version-1.zip` holds a Hub repository (`snapshot/`) and an encoded corpus (`corpus/`), written by
lyricgen 0.1.0 before `write_artifact` existed, from two invented songs and networks of four units.
"""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from localhub import LocalHub, Repo, client_environment

from lyricgen import SongIndex, load_checkpoint, load_ngrams, open_corpus, open_space
from lyricgen.hub.download import Download, check_manifest
from lyricgen.models.vocabulary import string_to_labels, token_ids_to_str
from lyricgen.resources import Resources
from lyricgen.storage import ARTIFACT_FOLDERS, HUB_SNAPSHOT, content_sha256, write_artifact

ARCHIVE = Path(__file__).parent / "data/old_formats/format-version-1.zip"
REPO = "ann/models"


@pytest.fixture
def folder(tmp_path):
    with zipfile.ZipFile(ARCHIVE) as archive:
        archive.extractall(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "line_breaks", "logits"),
    [
        ("lstm", True, [-0.20400329, -0.33434111, 0.10406260]),
        ("vanilla-rnn", False, [0.45715684, 0.40329477, -0.64242458]),
    ],
)
def test_a_model_folder_loads(name, line_breaks, logits, folder):
    checkpoint = load_checkpoint(folder / "snapshot" / name)
    model = checkpoint.model
    assert model.artists == ("Ann", "Zoë") and model.line_breaks is line_breaks
    assert checkpoint.metrics["hardware"] == "Prozessor für Tests" and checkpoint.metrics["val_bpc"] == 4.25
    assert [row["val_bpc"] for row in checkpoint.history] == [None, 4.25]
    with torch.inference_mode():
        output, _ = model(torch.tensor([[100, 10, 11]]), torch.tensor([3]), artists=torch.tensor([1]))
    assert output[0, 0, :3].tolist() == pytest.approx(logits, abs=1e-5)


def test_a_vector_space_loads(folder):
    space = open_space(folder / "snapshot/lyrics")
    assert space.index_to_key == ["sea", "sun", "rain", "naïve"] and np.array_equal(space.vectors, np.eye(4))
    assert (space.name, space.source) == ("lyrics", "Word2Vec of four words")


def test_an_ngram_classifier_loads(folder):
    classifier = load_ngrams(folder / "snapshot/attribution")
    assert classifier.artists == ("Ann", "Zoë") and classifier.songs == (1, 1)
    assert classifier.scores("a boat").tolist() == pytest.approx([0.50675154, -0.50675154], abs=1e-5)


def test_a_song_index_loads(folder):
    index = SongIndex.load(folder / "snapshot/originality")
    assert index.titles == [("Pond", "Ann"), ('Kettle, "live"', "Zoë")] and index.entries == 6
    assert index.metrics["words"] == 14 and index.metrics["seconds"] == 1.5


def test_an_encoded_corpus_loads(folder):
    corpus = open_corpus(folder / "corpus")
    assert corpus.artists == ("Ann", "Zoë") and corpus.artist_labels.tolist() == [0, 1]
    assert token_ids_to_str(corpus.song(0)) == "the fox hums to the quiet owl"
    assert list(corpus.song(1)) == string_to_labels("my kettle sings at nine every day")


def test_models_given_as_a_folder_run(folder):
    check_all_from(Resources(folder / "snapshot", device="cpu"), "your model folder snapshot")


def test_models_of_a_hub_repository_run(folder, tmp_path, monkeypatch):
    check_manifest(folder / "snapshot")
    files = {
        path.relative_to(folder / "snapshot").as_posix(): path.read_bytes()
        for path in (folder / "snapshot").rglob("*")
        if path.is_file()
    }
    with LocalHub() as hub:
        for name, value in client_environment(hub.url, tmp_path / "hf", LYRICGEN_CACHE=str(tmp_path / "cache")).items():
            if name.startswith(("HF_", "LYRICGEN_")):
                monkeypatch.setenv(name, value)
        hub.repos[f"models/{REPO}"] = Repo(REPO, "model")
        hub.repos[f"models/{REPO}"].commit("main", "models", files)
        download = Download(REPO)
        try:
            check_all_from(Resources(device="cpu", hub=download), f"{REPO} on the Hugging Face Hub")
        finally:
            download.stop()


def check_all_from(resources: Resources, origin: str) -> None:
    assert resources.left_out == {}
    assert {resources.model(name).model.hidden_size for name in ("lstm", "vanilla-rnn")} == {4}
    assert len(resources.space("lyrics")) == 4 and len(resources.song_index) == 2
    about = resources.about()
    origins = [model["origin"] for model in about["models"]]
    origins += [about["vectors"][1]["origin"], about["song_index"]["origin"], about["attribution"]["origin"]]
    assert len(origins) == 5 and all(text.startswith(origin) for text in origins)


def test_the_format_is_written_as_before(folder):
    """A header written now has the keys and checksums of one written then, whatever the order."""
    since_then = {"membership"}
    for name, kind in ARTIFACT_FOLDERS.items():
        if name in since_then:
            continue
        old = folder / "snapshot" / name
        header = json.loads((old / kind.header).read_text(encoding="utf-8"))
        with write_artifact(folder / "again" / name, kind, header) as partial:
            for file in kind.files:
                (partial / file).write_bytes((old / file).read_bytes())
        assert json.loads((folder / "again" / name / kind.header).read_text(encoding="utf-8")) == header
    assert HUB_SNAPSHOT.header == "manifest.json" and content_sha256({"a": 1, "sha256": 2}) == content_sha256({"a": 1})
