"""GenerationRequest: checked settings, the prefix that is used, and requests made of it."""

import pytest

from lyricgen import Song, SongIndex
from lyricgen.errors import ArgumentError
from lyricgen.generation.api import write_together
from lyricgen.generation.request import GenerationRequest, prefix_notes
from lyricgen.generation.settings import GenerationSettings
from lyricgen.memorization.copy_guard import CopyGuard
from lyricgen.models.text import read_labels
from lyricgen.models.vocabulary import OOV_LABEL, START_LABEL, string_to_labels


@pytest.fixture(scope="module")
def model(sharp_model):
    return sharp_model


def test_unknown_characters_are_read_as_label_100_and_named():
    assert read_labels("é한b") == [OOV_LABEL, OOV_LABEL, 11]
    (note,) = prefix_notes("é 한 é\0 ok")
    assert all(name in note for name in ("é", "한", "U+0000"))
    assert prefix_notes("plain words, 100 % known") == ()


@pytest.mark.parametrize(
    ("typed", "echo", "read"),
    [
        ("a\r\nb ", "a\nb ", "a b "),
        ("a\rb\r\r\nc", "a\nb\n\nc", "a b  c"),
        ("don\u2019t ", "don\u2019t ", "don't "),
        ("\ufeffthe ri\u200bver ", "the river ", "the river "),
    ],
)
def test_a_prefix_is_echoed_with_line_breaks_of_one_character_and_read_plain(typed, echo, read, model):
    request, plain = (
        GenerationRequest(model, prefix, GenerationSettings(max_length=40, seed=1)) for prefix in (typed, read)
    )
    assert (request.prefix, request.remaining, request.notes) == (echo, 40 - len(echo), ())
    assert request.labels == plain.labels
    assert write_together([request])[0] == echo + write_together([plain])[0].removeprefix(read)


def test_a_text_is_shown_as_written_by_a_model_that_learnt_line_breaks(model):
    request = GenerationRequest(model, "oh  my ")
    assert request.shown("oh  my sea  sun") == "oh  my sea\n\nsun"
    model.line_breaks = True
    try:
        assert request.shown("oh  my sea  \nsun") == "oh  my sea  \nsun"
    finally:
        model.line_breaks = False


def test_prefix_beyond_every_lyric_is_used_to_its_last_characters(model):
    prefix = "a" * 99_990 + "0123456789"
    request = GenerationRequest(model, prefix, GenerationSettings(max_length=100))
    assert request.prefix == prefix[-50:]
    assert "100,000" in request.notes[0]
    assert "last 50" in request.notes[0]
    assert len(write_together([request])[0]) == 100


def test_artist_is_found_in_any_case_and_any_artist_is_none(model):
    for given, artist in {"ada lark": "Ada Lark", "any artist": None, "": None}.items():
        assert GenerationRequest(model, settings=GenerationSettings(artist=given)).settings.artist == artist


def test_a_request_holds_clean_values_and_runs_nothing(model):
    settings = GenerationSettings("bo finch", "SAMPLE", "0.5", "3", "0.9", "40", "7", "2", None)
    request = GenerationRequest(model, "Oh\n", settings)
    assert request.settings == GenerationSettings("Bo Finch", "sample", 0.5, 3, 0.9, 40, 7, 2, 0)
    assert (request.seed, request.artist_label, request.remaining, request.is_sampled) == (7, 1, 37, True)
    assert request.labels == [START_LABEL, *string_to_labels("oh ")]
    assert not GenerationRequest(model, settings=GenerationSettings(strategy="greedy")).is_sampled
    assert not GenerationRequest(model, settings=GenerationSettings(temperature=0)).is_sampled


def test_a_seed_that_is_not_given_is_random_and_kept(model):
    first, second = GenerationRequest(model), GenerationRequest(model)
    assert first.seed != second.seed
    assert write_together([first]) == write_together([first.with_settings(max_length=300)])


def test_changed_settings_are_checked_and_the_rest_is_kept(model):
    request = GenerationRequest(model, "oh ", GenerationSettings(seed=3, top_k=5))
    warmer = request.with_settings(temperature=1.5)
    assert (warmer.prefix, warmer.seed, warmer.settings.top_k, warmer.settings.temperature) == ("oh ", 3, 5, 1.5)
    with pytest.raises(ArgumentError, match="temperature must be"):
        request.with_settings(temperature=-1)


def test_a_limit_of_copied_words_needs_a_guard_that_keeps_it(model):
    """Without a guard the limit was accepted and limited nothing."""
    index = SongIndex.build([Song("the ferry left before the rain", "Ann", "Own")], asked=0)
    settings = GenerationSettings(max_copied_words=6)
    for guards in ((), (CopyGuard(index, 7),)):
        with pytest.raises(
            ArgumentError, match="^max_copied_words must be 0 unless a CopyGuard of as many words"
        ) as caught:
            GenerationRequest(model, settings=settings, guards=guards)
        assert str(caught.value).endswith("got 6")
    request = GenerationRequest(model, settings=settings, guards=(CopyGuard(index, 6),))
    assert request.with_settings(seed=1).settings.max_copied_words == 6
    with pytest.raises(ArgumentError, match="got 8"):
        request.with_settings(max_copied_words=8)


def test_a_mix_is_the_weight_of_each_artist_and_its_ends_are_one_artist(model):
    def mix(weight, second="bo finch"):
        settings = GenerationSettings(artist="Ada Lark", second_artist=second, second_weight=weight)
        return GenerationRequest(model, settings=settings).artist_mix

    assert mix(0.25).tolist() == [0.75, 0.25, 0.0]
    assert [mix(0), mix(1), mix(0.5, None)] == [0, 1, 0]
    assert mix(0.5, "Ada Lark").tolist() == [1.0, 0.0, 0.0]
    assert GenerationRequest(model).artist_mix is None


def test_guidance_without_an_artist_has_no_effect_and_is_noted(model):
    settings = GenerationSettings(guidance=2.5, seed=3, max_length=40)
    request = GenerationRequest(model, settings=settings)
    assert request.notes == ("Without an artist, guidance 2.5 has no effect.",)
    assert write_together([request]) == write_together([request.with_settings(guidance=1)])
    assert not request.with_settings(artist="Ada Lark").notes and not request.with_settings(guidance=1).notes


def test_a_second_artist_without_a_first_is_refused(model):
    with pytest.raises(
        ArgumentError, match="^second_artist must be left out unless there is an artist, got 'Bo Finch'$"
    ):
        GenerationRequest(model, settings=GenerationSettings(second_artist="bo finch"))
    with pytest.raises(ArgumentError, match="^second_artist must be one of Ada Lark, Bo Finch"):
        GenerationRequest(model, settings=GenerationSettings(artist="Ada Lark", second_artist="Cy"))
