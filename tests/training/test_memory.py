"""The fit of a memory's constants, and of those of networks that are trained already."""

import json

import numpy as np
import pytest
import torch

from lyricgen.errors import ArgumentError
from lyricgen.models.checkpoints import Checkpoint, load_checkpoint, save_checkpoint
from lyricgen.models.memory import predict_song
from lyricgen.models.networks import ImprovedSeqModel
from lyricgen.models.vocabulary import NUM_CLASSES
from lyricgen.songs.corpus import encode_corpus
from lyricgen.songs.reading import Song
from lyricgen.training import cli as train
from lyricgen.training.config import TrainConfig
from lyricgen.training.memory import EXPONENTS, fit_constants, fit_memories, target_log_probs

VERSES = ("the lamp by the window burned all night", "seven gulls on the harbour wall", "we danced on the é floor")


@pytest.fixture
def corpus(tmp_path):
    """Three songs that repeat a verse, with other words between."""
    songs = [Song(f"{verse} {number} {verse}  oh {verse}", "Ann") for number, verse in enumerate(VERSES)]
    return encode_corpus(songs, tmp_path / "corpus", ["Ann", "Zoe"])


@pytest.fixture
def out(tiny_model, tmp_path):
    """The output folder of an earlier version: one network without a memory."""
    model = ImprovedSeqModel(hidden_size=8, artists=("Ann", "Bob"))
    save_checkpoint(Checkpoint(model, {"val_bpc": 5.0}, []), tmp_path / "models" / "lstm")
    return tmp_path / "models"


def test_target_log_probs_are_the_modules_with_the_artist(tiny_model, corpus):
    for number, log_probs in enumerate(target_log_probs(tiny_model, corpus)):
        song = torch.from_numpy(corpus.song(number).astype(np.int64))
        with torch.inference_mode():
            inputs = torch.cat([torch.tensor([100]), song[:-1]])[None]
            logits, _ = tiny_model(inputs, None, artists=torch.tensor([tiny_model.artists.index("Ann")]))
        known = song < NUM_CLASSES
        expected = logits[0].log_softmax(-1)[known, song[known]]
        assert log_probs == pytest.approx(expected.numpy(), abs=1e-4)


def test_the_constants_save_bits_on_songs_that_repeat_themselves(tiny_model, corpus):
    constants, bpc = fit_constants(tiny_model, corpus)
    assert constants.exponent in EXPONENTS
    assert bpc["with_memory"] < 0.75 * bpc["alone"]
    bits = []
    for number in range(len(corpus)):
        song = corpus.song(number).astype(np.int64)
        with torch.inference_mode():
            inputs = torch.cat([torch.tensor([100]), torch.from_numpy(song[:-1])])[None]
            network = tiny_model(inputs, None, artists=torch.tensor([0]))[0][0].log_softmax(-1).double().numpy()
        known = np.flatnonzero(song < NUM_CLASSES)
        bits.append(-predict_song(song, network, constants)[known, song[known]] / np.log(2))
    assert np.concatenate(bits).mean() == pytest.approx(bpc["with_memory"], abs=2e-3)


def test_other_constants_cost_more_bits(tiny_model, corpus, monkeypatch):
    """The fit is a minimum: it is not the place where the optimizer started."""
    constants, bpc = fit_constants(tiny_model, corpus)
    monkeypatch.setattr(torch.optim.LBFGS, "step", lambda self, closure: closure())
    start, unfitted = fit_constants(tiny_model, corpus)
    assert bpc["with_memory"] < unfitted["with_memory"] and constants != start


def test_train_fits_the_memory_of_a_network_that_is_there(out, songs_folder, capsys):
    weights = (out / "lstm" / "model.safetensors").read_bytes()
    flags = ["--data", str(songs_folder), "--models", "memory", "--out", str(out)]
    assert train.main(flags) == 0
    assert "lstm: memory {" in capsys.readouterr().out
    checkpoint = load_checkpoint(out / "lstm")
    assert checkpoint.model.memory.exponent in EXPONENTS
    assert checkpoint.metrics["val_bpc"] == 5.0 and checkpoint.metrics["memory"]["read_by_network"] is True
    assert json.loads((out / "lstm" / "memory.json").read_text())["exponent"] == checkpoint.model.memory.exponent
    assert (out / "lstm" / "model.safetensors").read_bytes() == weights


def test_a_folder_without_networks_is_refused_in_one_sentence(tmp_path):
    with pytest.raises(
        ArgumentError, match="--models memory needs a network in --out; there is no vanilla-rnn or lstm"
    ):
        fit_memories(None, TrainConfig(models=("memory",), out=tmp_path))
