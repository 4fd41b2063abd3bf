"""Generation settings: documented once, with limits that agree with what is checked."""

import subprocess
import sys
from dataclasses import fields

import pytest

from lyricgen.errors import ArgumentError
from lyricgen.generation.request import GenerationRequest
from lyricgen.generation.settings import MAX_TOP_K, GenerationSettings, field_docs, generation_settings
from lyricgen.memorization.copy_guard import MAX_RUN, MIN_RUN, CopyGuard
from lyricgen.memorization.song_index import SongIndex
from lyricgen.models.networks import VanillaRNN
from lyricgen.models.vocabulary import NUM_CLASSES
from lyricgen.songs.reading import Song
from lyricgen.validation import MAX_SEED

MODEL = VanillaRNN(hidden_size=4).eval()
INDEX = SongIndex.build([Song("the ferry left before the rain", "Ann", "Own")], asked=0)


def test_every_setting_has_a_default_and_a_sentence():
    settings = generation_settings()
    assert list(settings) == [field.name for field in fields(GenerationSettings)]
    for setting in settings.values():
        assert setting.default == getattr(GenerationSettings(), setting.name)
        assert setting.help.endswith(".") and "\n" not in setting.help and "  " not in setting.help


@pytest.mark.parametrize("name", [name for name, setting in generation_settings().items() if setting.high is not None])
def test_the_limits_are_those_that_are_checked(name):
    setting = generation_settings()[name]
    lowest = 0.001 if name in ("top_p", "typical_p") else setting.low
    for value in (lowest, setting.high):
        guards = (CopyGuard(INDEX, value),) if name == "max_copied_words" else ()
        settings = GenerationSettings(**{name: value})
        assert getattr(GenerationRequest(MODEL, settings=settings, guards=guards).settings, name) == value
    for value in (setting.low - 1, setting.high + 1):
        with pytest.raises(ArgumentError, match=f"^{name} must be"):
            GenerationRequest(MODEL, settings=GenerationSettings(**{name: value}))


def test_limits_agree_with_the_modules_that_they_come_from():
    settings = generation_settings()
    assert MAX_TOP_K == NUM_CLASSES and settings["seed"].high == MAX_SEED
    assert (settings["max_copied_words"].low, settings["max_copied_words"].high) == (MIN_RUN, MAX_RUN)


def test_a_class_without_source_has_no_docs():
    namespace = {}
    exec("class Sourceless:\n    field: int = 0\n    'A field.'", namespace)
    assert field_docs(namespace["Sourceless"]) == {}


def test_settings_are_fast_to_import():
    code = "import sys, lyricgen.generation.settings; assert not {'torch', 'numpy'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", code], check=True)
