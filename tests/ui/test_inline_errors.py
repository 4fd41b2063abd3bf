"""Errors of the page, beside their input."""

import pytest

from lyricgen.errors import ArgumentError
from lyricgen.ui.inline_errors import page_sentence, with_error_line


def test_an_error_clears_the_answers():
    def show(text):
        if not text:
            raise ArgumentError("text must have 1 to 9 characters, got an empty text")
        return text, text.upper()

    shown = with_error_line(show, 2)
    assert shown("a") == ("", "a", "A")
    assert shown("") == ('<p role="alert">Type a text first.</p>', None, None)
    assert shown.__name__ == "show"


def test_what_came_before_an_error_of_a_stream_is_cleared():
    def show():
        yield "a"
        raise ArgumentError("too long")

    assert list(with_error_line(show, 1)()) == [("", "a"), ('<p role="alert">Too long.</p>', None)]


def test_an_error_that_is_not_ours_is_raised():
    with pytest.raises(ZeroDivisionError):
        with_error_line(lambda: 1 / 0, 1)()


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        (
            "text must have 1 to 5,000 characters, got 9,000",
            "The text must have 1 to 5,000 letters; this one has 9,000.",
        ),
        (
            "acrostic must have a name with the scheme acrostic, got an empty text",
            "First letters of the lines must not be empty.",
        ),
        (
            "template must have 1 to 200 characters, got 300",
            "The sentence must have 1 to 200 letters; this one has 300.",
        ),
        ("there is no such model", "There is no such model."),
        ("Already a sentence.", "Already a sentence."),
    ],
)
def test_a_message_becomes_a_sentence(message, sentence):
    assert page_sentence(message) == sentence


def test_markup_in_a_message_is_text():
    def show():
        raise ArgumentError("got <b>")

    assert with_error_line(show, 0)() == ('<p role="alert">Got &lt;b&gt;.</p>',)
