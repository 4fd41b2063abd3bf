"""Check: the three answers as HTML."""

import re

import pytest

from lyricgen.endpoints import inside
from lyricgen.errors import ArgumentError, ModelError
from lyricgen.memorization.originality import CopiedRun, Originality
from lyricgen.resources import Resources
from lyricgen.ui.tabs.check.originality import summary_html, text_html
from lyricgen.ui.tabs.check.tab import show_check

VERSE = "la la oh la la  <b>dum</b> di dum & so on"


@pytest.fixture
def small(tiny_ngrams):
    """Two tiny models of Ann and Bob, and a classifier of the same."""
    return Resources(tiny_ngrams.parent, "cpu")


def text_of(markup: str) -> str:
    """The text of HTML, its tags removed."""
    return re.sub(r"<[^>]+>", "", markup)


def test_each_part_answers_or_says_why_not(small, monkeypatch):
    def missing(*_):
        raise ModelError("there is no index of songs")

    monkeypatch.setattr(inside, "measure_text", missing)
    *_, (sounds, copied, read) = show_check(small, VERSE)
    assert text_of(sounds).startswith("Most like Ann: probability ") and "(guessing: 50 %)" in sounds
    assert sounds.count("<li><span") == 2 and sounds.count('<i class="network"') == 2 + 1
    assert "What spoke for Ann" in sounds
    assert '<p role="alert">There is no index of songs.</p>' in copied and copied.count('class="checked-line"') == 2
    assert "No verdict." in read and "simple RNN" in read
    for answer in (sounds, copied, read):
        assert "<b>dum" not in answer


@pytest.mark.parametrize("text", ["", "  ", "😀", "x" * 5_001])
def test_a_text_that_cannot_be_read_is_refused_as_a_whole(small, text):
    with pytest.raises(ArgumentError):
        next(show_check(small, text))


def test_word_counts_and_copies_are_there_before_a_model_has_read_the_text(small, monkeypatch):
    def unasked(*_):
        raise AssertionError("a model was asked")

    with monkeypatch.context() as patched:
        patched.setattr(inside, "attribute_text", unasked)
        patched.setattr(inside, "membership_of_text", unasked)
        answers = show_check(small, VERSE)
        sounds, copied, read = next(answers)
    assert sounds.count('<i class="counts"') == 2 + 1 and '<i class="network"' not in sounds
    assert "The language model reads the text" in sounds and read == ""
    assert copied.count('class="checked-line"') == 2 and "Line most like" not in copied
    verdict = text_of(sounds).partition(" (guessing")[0]
    whole, lines, _ = next(answers)
    assert text_of(whole).startswith(verdict) and "Line most like" in lines
    by_counts = r"[\d.]+ %<span[^>]*> by the word"
    assert re.findall(by_counts, whole) == re.findall(by_counts, sounds) != []


def test_without_a_classifier_the_language_model_is_waited_for(small):
    small.ngrams = None
    answers = show_check(small, VERSE)
    assert next(answers)[0] == '<p class="soft">The language model reads the text once as each artist …</p>'
    sounds = next(answers)[0]
    assert "Most like" in sounds and '<i class="counts"' not in sounds


def test_copied_words_are_marked_line_by_line():
    text = "one two three\nfour five six  seven <eight> nine"
    runs = [CopiedRun(4, 23, 5, "A <Title>", "Ann", 1), CopiedRun(19, 34, 3, "B", "Bob", 2)]
    measured = Originality(text, 9, 5, 0.7, runs)
    shown = text_html(text, measured, ())
    assert re.findall(r"<mark>(.*?)<sup>(\d)</sup></mark>", shown) == [
        ("two three", "1"), ("four five", "1"), (" six", "2"), ("seven", "2"),
    ]  # fmt: skip
    assert re.sub(r"<sup>\d</sup>", "", shown).count("&lt;eight&gt;") == 1
    assert "<Title>" not in summary_html(measured) and "5 words" in summary_html(measured)


def test_what_is_too_short_or_not_copied_is_said():
    assert "at least 5 words" in summary_html(Originality("a", 1, 0, None))
    assert "Nothing." in summary_html(Originality("a b c d e", 5, 0, 0.0))
