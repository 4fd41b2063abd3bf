"""Write's handlers, called as functions."""

import pytest

from lyricgen.errors import ArgumentError
from lyricgen.resources import Resources
from lyricgen.ui.tabs.write.steering import labelled, position_text
from lyricgen.ui.tabs.write.tab import continue_lyric, request_from_page, show_choices, show_notes

SETTINGS = ("Bob", "sample", 0.9, 5, 0.8, 40, 7, 0)  # as the page sends them, artist first


@pytest.fixture
def resources(tiny_folder):
    """The two tiny models, whose artists are Ann and Bob."""
    return Resources(tiny_folder, "cpu")


def test_the_pages_values_become_the_settings_of_their_names(resources):
    request = request_from_page(resources, "the sea", "vanilla-rnn", *SETTINGS)
    settings = request.settings
    assert (request.prefix, request.model) == ("the sea", resources.model("vanilla-rnn").model)
    assert (settings.artist, settings.strategy, settings.temperature) == ("Bob", "sample", 0.9)
    assert (settings.top_k, settings.top_p, settings.max_length, settings.seed) == (5, 0.8, 40, 7)
    assert settings.max_copied_words == 0 and not request.guards
    assert request_from_page(resources, "the sea", "lstm", *SETTINGS[:-1], 6).guards


def test_a_prefix_that_does_not_fit_is_a_note_on_the_page(resources):
    assert show_notes(resources, "plain", 300) == ""
    assert show_notes(resources, "x" * 60, 50).startswith("max_length must be at least the prefix's 60 characters")


def test_a_lyric_continues_from_a_letter_with_words_or_a_choice(resources):
    lyric = "the sea is calm"
    for choice, words, start in (("x", "", "the seax"), (None, "zq ", "the seazq "), ("x", "zq ", "the seazq ")):
        *_, text = continue_lyric(resources, lyric, 7, choice, words, "lstm", *SETTINGS)
        assert text.startswith(start) and len(text) == 40


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (("the sea", 3, None, ""), "choose a letter, or type words of your own"),
        (("the sea", 8, "x", ""), "letters that stay must be a whole number from 0 to 7, got 8"),
        (("the sea", 3, ["x"], ""), "letter must be text"),
        (([], 3, "x", ""), "text must be text"),
    ],
)
def test_a_lyric_that_cannot_continue_is_refused(resources, values, message):
    with pytest.raises(ArgumentError, match=message):
        next(continue_lyric(resources, *values, "lstm", *SETTINGS))


def test_choices_at_a_position_are_the_most_likely_first(resources):
    context, radio = show_choices(resources, "the <b> sea", 4, "any artist", "lstm")
    assert "<b>" not in context and len(radio.choices) == 10
    with pytest.raises(ArgumentError, match="there is no lyric yet"):
        show_choices(resources, "", 0, "any artist", "lstm")


def test_a_position_and_its_letters_are_visible():
    assert position_text("ab", 2) == "… ab | the end"
    assert position_text("a b", 1) == "… a | **space**"
    assert labelled({"character": "\n", "probability": 0.25}) == ("line break  25.0%", "\n")
    assert labelled({"character": "\x0b", "probability": 0.5})[0] == "U+000B  50.0%"
