"""Errors beside the input that caused them: one sentence in the page's words, and no old answer beside it."""

import html
import inspect
import re
from collections.abc import Callable
from functools import partial, wraps
from typing import Any

import gradio as gr

from lyricgen.errors import LyricGenError

BOXES = {
    "acrostic": "First letters of the lines", "attribute1": "Box A", "attribute2": "Box B", "layer": "The layer", "lines": "The lines",
    "max_length": "The length in letters", "pair": "Two words to compare", "position": "The letter", "prefix": "The first words",
    "second_artist": "The second style", "seed": "The song number", "target1": "Box X", "target2": "Box Y", "template": "The sentence", "unit": "The neuron",
    "units": "The neurons to hold", "without": "Letters to leave out", "words": "The words",
}  # fmt: skip
"""What the page calls the arguments that begin an error's message."""


def error_line(elem_id: str) -> gr.HTML:
    """An empty line for the error of the input above it; screen readers announce it."""
    return gr.HTML(elem_id=elem_id, elem_classes="error-line", apply_default_css=False, padding=False)


def with_error_line(show: Callable[..., Any], outputs: int) -> Callable[..., Any]:
    """`show` with the sentence of its error as an additional first answer: '' without one; an error clears the others.

    Args:
        show: a function or a generator; it answers one value, or a tuple.
        outputs: the number of its values.
    """
    function = show.func if isinstance(show, partial) else show

    def with_error(answer: Any) -> tuple:
        return ("", *answer) if isinstance(answer, tuple) else ("", answer)

    if inspect.isgeneratorfunction(function):

        @wraps(show)
        def shown(*values: Any) -> Any:
            try:
                yield from map(with_error, show(*values))
            except LyricGenError as error:
                yield (alert(error), *[None] * outputs)
    else:

        @wraps(show)
        def shown(*values: Any) -> Any:
            try:
                return with_error(show(*values))
            except LyricGenError as error:
                return (alert(error), *[None] * outputs)

    shown.__name__ = function.__name__  # a partial has none
    return shown


def alert(error: LyricGenError | str) -> str:
    """An error's sentence as HTML that screen readers announce."""
    return f'<p role="alert">{html.escape(page_sentence(str(error)))}</p>'


def page_sentence(message: str) -> str:
    """The message of an error as a sentence of the page.

    >>> page_sentence("text must have 1 to 5,000 characters, got an empty text")
    'Type a text first.'
    >>> page_sentence("text must have 1 to 5,000 characters, got 5,001")
    'The text must have 1 to 5,000 letters; this one has 5,001.'
    >>> page_sentence("acrostic must have a name with the scheme acrostic, got an empty text")
    'First letters of the lines must not be empty.'
    >>> page_sentence("target1 and target2 must not share a word, got 'john' in both")
    "Box X and Box Y must not share a word, got 'john' in both."
    """
    argument, _, rest = message.partition(" must have ")
    if rest.endswith(", got an empty text"):
        return f"{BOXES[argument]} must not be empty." if argument in BOXES else f"Type a {argument} first."
    limits, _, got = rest.partition(" characters, got ")
    if got:
        return f"{BOXES.get(argument, f'The {argument}')} must have {limits} letters; this one has {got}."
    message = re.sub(r"^\w+|\btarget2\b", lambda name: BOXES.get(name[0], name[0]), message)
    return f"{message[:1].upper()}{message[1:]}{'' if message.endswith('.') else '.'}"
