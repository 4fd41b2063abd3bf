"""Answers to the scripts of Words: plain values, or one plain sentence with spellings to choose from."""

import html
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

import gradio as gr

from lyricgen.errors import LyricGenError
from lyricgen.generation.clean_words import listed_words, read_word_list
from lyricgen.resources import Resources
from lyricgen.ui.components import SPACE_LABELS, shortened
from lyricgen.ui.events import INTERNAL_ERROR_MESSAGE, log
from lyricgen.words.queries import Answer
from lyricgen.words.word_vectors import MAX_WORD_LENGTH, WordVectors

MAX_RESPELLED, SPELLINGS = 3, 4  # unknown words that get spellings, and spellings of each


class WordProblem(LyricGenError):
    """Raised when a box holds no word of the space: a sentence for the page, and spellings to choose from."""

    def __init__(self, message: str, box: str, suggestions: list[str]):
        super().__init__(message)
        self.box, self.suggestions = box, suggestions


def find_word(space: WordVectors, typed: Any, box: str) -> str:
    """The word of a space for what was typed into a box.

    Raises:
        WordProblem: there is none.
    """
    text = " ".join(typed.split()) if isinstance(typed, str) else ""
    if not text:
        raise WordProblem("Type a word first.", box, [])
    if " " in text and space.lookup(text) is None:
        raise WordProblem("Type one word only.", box, text.split()[:3])
    word = space.lookup(text)
    if word is None:
        sentence, near = unknown_word(space, text)
        raise WordProblem(sentence, box, near)
    return word


def unknown_word(space: WordVectors, word: str) -> tuple[str, list[str]]:
    """A sentence on a word that a space lacks, and the nearest spellings."""
    near = space.nearest_spellings(word) if len(word) <= MAX_WORD_LENGTH else []
    return f"I don't know “{shortened(word)}”." + (" Did you mean:" if near else ""), near


def spelling_buttons(space: WordVectors, words: Iterable[str], box: str, run: str) -> str:
    """For the first words that a space lacks: a sentence, and spellings as buttons that page.js puts into a box; escaped HTML.

    Args:
        space: of the words.
        words: known and unknown ones, as typed.
        box: elem_id of the box that has them.
        run: elem_id of the button that asks again.
    """
    lines = []
    for word in islice((word for word in words if not space.is_word(word)), MAX_RESPELLED):
        facts = {"word": word, "box": box, "run": run}
        data = "".join(f' data-{name}="{html.escape(value)}"' for name, value in facts.items())
        sentence, near = unknown_word(space, word)
        buttons = " ".join(
            f'<button type="button" class="w-chip" data-spelling="{html.escape(each)}"{data}>{html.escape(each)}</button>'
            for each in near[:SPELLINGS]
        )
        lines.append(f'<p role="alert">{html.escape(sentence, quote=False)} {buttons}</p>')
    return "".join(lines)


def answers(resources: Resources, function: Callable[..., dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    """A function of the resources and named values as a `server_function` of a `gr.HTML`: called with one object of the script,
    whose names it checks; its errors are answers."""

    def answer(values: Any) -> dict[str, Any]:
        try:
            named = {name: values.get(name) for name in list(function.__annotations__)[1:-1]}
            return function(resources, **named)
        except WordProblem as problem:
            return {"error": str(problem), "box": problem.box, "suggestions": problem.suggestions}
        except LyricGenError as error:
            return {"error": str(error), "box": "", "suggestions": []}
        except Exception as error:
            log.exception("an answer to a script failed", exc_info=error)
            return {"error": INTERNAL_ERROR_MESSAGE, "box": "", "suggestions": []}

    answer.__name__ = function.__name__  # by which the script calls it
    return answer


def is_clean(resources: Resources, word: str) -> bool:
    """Whether a word is none of the listed strong words and slurs, which the page shows only where they are typed."""
    listed = read_word_list() if resources.strong_words is None else resources.strong_words
    return not listed_words(word, listed)


def space_labels(resources: Resources) -> list[list[str]]:
    """The vector spaces as name and label, for a choice."""
    return [[name, SPACE_LABELS.get(name, name)] for name in resources.space_names]


def space_choice(resources: Resources) -> gr.Dropdown:
    """A choice of what the words were learnt from."""
    choices = [(label, name) for name, label in space_labels(resources)]
    return gr.Dropdown(choices, value=choices[0][1] if choices else None, label="Words learnt from")


def answer_bars(found: list[Answer]) -> list[dict[str, Any]]:
    """Answers as the scripts draw them: word, and its closeness to three digits."""
    return [{"word": answer.word, "value": round(answer.similarity, 3)} for answer in found]
