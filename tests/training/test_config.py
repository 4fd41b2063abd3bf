"""The settings of a training, and the command line that is built from them."""

import inspect
import subprocess
import sys
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest

from lyricgen import ArgumentError, fit_word2vec
from lyricgen.generation.settings import field_docs
from lyricgen.training.cli import build_parser, parse_config
from lyricgen.training.config import RECIPES, TrainConfig
from lyricgen.training.networks import NETWORK_CLASSES

ROOT = Path(__file__).parents[2]


def test_a_command_line_without_flags_gives_the_defaults():
    assert parse_config([]) == TrainConfig()


def test_every_field_is_documented_and_has_a_flag():
    actions = {action.dest: action for action in build_parser()._actions}
    for each in fields(TrainConfig):
        assert field_docs(TrainConfig)[each.name].endswith(".")
        assert actions[each.name].help and actions[each.name].default == each.default


@pytest.mark.parametrize(
    ("flags", "field", "value"),
    [
        (["--epochs", "3"], "epochs", 3),
        (["--learning-rate", "0.01"], "learning_rate", 0.01),
        (["--no-clean"], "clean", False),
        (["--no-progress"], "progress", False),
        (["--out", "here"], "out", Path("here")),
        (["--artist-column", ""], "artist_column", ""),
        (["--models", "lstm", "lyrics", "lstm"], "models", ("lyrics", "lstm")),
        (["--push", "--hub-repo", "a/b"], "hub_repo", "a/b"),
    ],
)
def test_a_flag_sets_its_field(flags, field, value, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_ann")
    assert getattr(parse_config(flags), field) == value


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": 0}, "--epochs must be at least 1, got 0"),
        ({"dropout": 1.0}, "--dropout must be at least 0 and below 1, got 1.0"),
        ({"weight_decay": float("inf")}, "--weight-decay must be at least 0, got inf"),
        ({"seed": 2**32}, "--seed must be from 0 to 4294967295, got 4294967296"),
        (
            {"models": ("lstm", "gpt")},
            "--models must be one of originality, lyrics, vanilla-rnn, lstm, attribution, membership, memory; got 'gpt'",
        ),
        ({"optimizer": "sgd"}, "--optimizer must be one of adam, adamw, muon; got 'sgd'"),
        ({"learning_rate": 1.0}, "--learning-rate must be above 0 and below 1, got 1.0"),
        ({"data": ""}, "--data must not be empty"),
        ({"start_from": "", "models": ("lstm",)}, "--start-from must not be empty"),
        ({"hub_repo": "a/b"}, "--hub-repo needs --push"),
        ({"private": True}, "--private needs --push"),
        ({"tag": "v1"}, "--tag needs --push"),
    ],
)
def test_a_value_that_is_not_allowed_is_refused_in_one_sentence(settings, message):
    with pytest.raises(ArgumentError) as error:
        TrainConfig(**settings)
    assert str(error.value) == message


def test_a_recipe_fills_what_was_left_open():
    assert TrainConfig().recipe("lstm") == RECIPES["lstm"]
    assert TrainConfig(epochs=3, dropout=0.0).recipe("lstm") == RECIPES["lstm"]._replace(epochs=3, dropout=0.0)
    assert RECIPES.keys() == NETWORK_CLASSES.keys()


def test_word_vectors_have_the_librarys_defaults():
    defaults = {name: parameter.default for name, parameter in inspect.signature(fit_word2vec).parameters.items()}
    names = {"epochs": "word_epochs"}
    for name in ("dimensions", "window", "negative", "min_songs", "epochs", "seed"):
        assert getattr(TrainConfig(), names.get(name, name)) == defaults[name]


def test_settings_do_not_change():
    with pytest.raises(FrozenInstanceError):
        TrainConfig().epochs = 3


def test_help_imports_nothing_slow():
    code = (
        "import sys\nfrom lyricgen.training.cli import build_parser\nbuild_parser().format_help()\n"
        "print(sorted({'torch', 'numpy', 'pandas', 'gensim', 'sklearn', 'pytorch_lightning', 'huggingface_hub'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
