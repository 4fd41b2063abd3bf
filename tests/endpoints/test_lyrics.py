"""Endpoints that write lyrics, called as functions."""

import inspect
import re

import pytest

from lyricgen import Checkpoint, VanillaRNN, save_checkpoint
from lyricgen.endpoints import lyrics
from lyricgen.endpoints.lyrics import ANY_SEED, TEMPERATURES, make_request, seed_or_random
from lyricgen.errors import ArgumentError
from lyricgen.generation.api import generate_lyrics
from lyricgen.generation.settings import generation_settings
from lyricgen.models.text import section_breaks_to_newlines
from lyricgen.resources import Resources
from lyricgen.ui.tabs.inside.letters import show_scores


@pytest.fixture
def resources(tiny_folder):
    """The two tiny models, whose artists are Ann and Bob."""
    return Resources(tiny_folder, "cpu")


def last(stream):
    """The last value of a stream."""
    *_, value = stream
    return value


def test_generate_streams_what_the_library_writes(resources):
    text = last(lyrics.generate(resources, "the sea ", "Ann", temperature=1.5, max_length=60, seed=7))
    model = resources.model("lstm").model
    expected = generate_lyrics("the sea ", artist="Ann", temperature=1.5, max_length=60, seed=7, model=model)
    assert text == section_breaks_to_newlines(expected, len("the sea "))


def test_generate_has_the_defaults_of_the_page(resources):
    texts = [last(lyrics.generate(resources)) for _ in range(2)]
    assert [len(text) for text in texts] == [300, 300] and texts[0] != texts[1]


def test_an_endpoint_takes_every_setting_that_it_does_not_name_itself_behind_those_that_it_does():
    expected = set(generation_settings())
    for endpoint, own, excluded in (
        (lyrics.generate, "resources prefix artist model strategy", set()),
        (lyrics.variants, "resources prefix artist model temperature", {"strategy", "beam_size"}),
        (lyrics.compare, "resources prefix artist temperature", {"strategy", "beam_size"}),
        (lyrics.temperatures, "resources prefix artist model", {"strategy", "beam_size", "temperature"}),
    ):
        parameters = inspect.signature(endpoint).parameters
        assert list(parameters)[: len(own.split())] == own.split()
        assert expected - set(parameters) == excluded
        assert all(parameter.default is not parameter.empty for parameter in list(parameters.values())[1:])
        documented = re.findall(r"^    (\w+): \S", inspect.cleandoc(endpoint.__doc__), re.MULTILINE)
        assert documented == list(parameters)[1:] and "None:" not in endpoint.__doc__


def test_settings_that_an_endpoint_does_not_name_reach_the_lyric(resources):
    settings = {"temperature": 1.5, "max_length": 60, "seed": 7}
    style = {"guidance": 3, "second_artist": "Bob", "second_weight": 0.3, "min_p": 0.02}
    text = last(lyrics.generate(resources, "the sea ", "Ann", **settings, **style))
    model = resources.model("lstm").model
    expected = generate_lyrics("the sea ", artist="Ann", model=model, **settings, **style)
    assert text == section_breaks_to_newlines(expected, len("the sea "))
    assert last(lyrics.variants(resources, "the sea ", "Ann", variants=1, **settings, **style))[0]["text"] == text
    assert last(lyrics.compare(resources, "the sea ", "Ann", **settings, **style))["lstm"]["text"] == text
    at_five = last(lyrics.temperatures(resources, "the sea ", "Ann", max_length=60, seed=7, **style))
    assert at_five["1.5"]["text"] == text
    with pytest.raises(TypeError, match="beam_size"):
        last(lyrics.variants(resources, beam_size=3))


def test_model_of_none_is_the_default(resources):
    settings = {"strategy": "greedy", "max_length": 30}
    assert last(lyrics.generate(resources, **settings)) == last(lyrics.generate(resources, model="lstm", **settings))
    assert last(lyrics.generate(resources, model="vanilla-rnn", **settings)) != last(
        lyrics.generate(resources, **settings)
    )


def test_any_seed_is_a_random_one_and_others_stay():
    assert [seed_or_random(seed) for seed in (ANY_SEED, -1.0, "-1")] == [None] * 3
    assert [seed_or_random(seed) for seed in (0, 7, None, "x")] == [0, 7, None, "x"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"artist": "Coldplay"}, "artist must be one of Ann, Bob"),
        ({"model": "gru"}, "model must be one of lstm, vanilla-rnn"),
        ({"strategy": "nucleus"}, "strategy must be one of sample, greedy, beam"),
        ({"temperature": float("nan")}, "temperature must be a number"),
        ({"top_p": 0}, "top_p must be a number above 0"),
        ({"prefix": "x" * 400}, "max_length must be at least"),
        ({"seed": -2}, "seed must be a whole number"),
    ],
)
def test_a_setting_outside_what_is_allowed_is_one_sentence(resources, settings, message):
    with pytest.raises(ArgumentError, match=message):
        last(lyrics.generate(resources, **settings))


def test_variants_are_what_generate_writes_with_the_seeds_that_follow(resources):
    settings = {"artist": "Bob", "temperature": 1.5, "max_length": 40}
    answer = last(lyrics.variants(resources, "a ", seed=2**32 - 1, variants=3, **settings))
    assert [lyric["seed"] for lyric in answer] == [2**32 - 1, 0, 1]
    for lyric in answer:
        assert lyric["text"] == last(lyrics.generate(resources, "a ", seed=lyric["seed"], **settings))


def test_compare_has_a_lyric_and_its_bits_of_each_model(resources):
    answers = list(lyrics.compare(resources, "one more ", "Ann", max_length=200, seed=4))
    assert list(answers[-1]) == ["lstm", "vanilla-rnn"]
    for name, lyric in answers[-1].items():
        assert lyric["text"] == last(lyrics.generate(resources, "one more ", "Ann", name, max_length=200, seed=4))
        assert 0 < lyric["bits_per_character"] < 20


def test_to_a_model_that_does_not_know_an_artist_it_is_any_artist(tiny_folder):
    """After one network was fine-tuned on own songs, the other is the bundled one."""
    other = VanillaRNN(hidden_size=8, artists=("Cy",))
    save_checkpoint(Checkpoint(other, {}, []), tiny_folder / "vanilla-rnn")
    resources = Resources(tiny_folder, "cpu")
    assert len(show_scores(resources, "the sea is calm", "Ann")) == 4
    assert last(lyrics.compare(resources, "one more ", "Ann", max_length=20)).keys() == {"lstm", "vanilla-rnn"}
    requests = lyrics.of_each_model(resources, make_request(resources, "the sea ", None, artist="Ann", guidance=2))
    assert [(each.settings.artist, each.settings.guidance) for each in requests.values()] == [("Ann", 2), (None, 1)]


def test_bits_are_none_where_nothing_is_written(resources):
    answer = last(lyrics.compare(resources, "the sea", max_length=7))
    assert {lyric["bits_per_character"] for lyric in answer.values()} == {None}


def test_temperatures_has_a_lyric_of_each(resources):
    answer = last(lyrics.temperatures(resources, "a", max_length=30, seed=1, model="vanilla-rnn"))
    assert list(answer) == [f"{value:g}" for value in TEMPERATURES]
    assert all(len(lyric["text"]) == 30 for lyric in answer.values())


def test_check_prefix_answers_notes_and_raises_what_cannot_be(resources):
    """A prefix that does not fit came back as an answer, its error sentence a note like others."""
    assert lyrics.check_prefix(resources) == lyrics.check_prefix(resources, "plain") == ""
    assert "😀" in lyrics.check_prefix(resources, "a 😀")
    assert "100,000" in lyrics.check_prefix(resources, "x" * 100_000)
    with pytest.raises(ArgumentError, match="max_length must be at least the prefix's 20 characters"):
        lyrics.check_prefix(resources, "x" * 20, 10)
