"""Boxes for words with an answer below them, drawn by static/word-form.js; an unknown word gets spellings to choose from."""

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from lyricgen.errors import LyricGenError
from lyricgen.resources import Resources
from lyricgen.ui.components import as_json, draw_with
from lyricgen.ui.tabs.words.answers import answers, space_labels
from lyricgen.ui.tabs.words.openings import shipped_opening


def create_word_form(
    resources: Resources,
    function: Callable[..., dict[str, Any]],
    elem_id: str,
    labels: dict[str, str],
    button: str,
    examples: Sequence[Sequence[str]],
    opening: Callable[[Resources], dict[str, Any]],
    compare: bool = False,
) -> None:
    """Adds a form that opens with the answer to its first example.

    Args:
        resources: of the app.
        function: see `answers`; its values are `vectors`, `other` if `compare`, and the words. It answers `lines`, `lists` of
            `title` and `rows`, and optionally a `histogram`.
        elem_id: of the component.
        labels: of the boxes, by the name of the value.
        button: its label.
        examples: words for all boxes.
        opening: the answer to the first example.
        compare: whether a second vector space can be chosen.
    """
    spaces = space_labels(resources)
    if not spaces:
        return
    choices = [{"name": "vectors", "label": "Words learnt from", "options": spaces, "value": spaces[0][0]}]
    if compare and len(spaces) > 1:
        choices.append({"name": "other", "label": "Compare with", "options": [["", "nothing"], *spaces], "value": ""})
    try:
        answer = shipped_opening(resources, opening)
    except LyricGenError:  # a space without these words
        answer = None
    gr.HTML(
        as_json(
            {
                "call": function.__name__,
                "fields": [
                    {"name": name, "label": label, "value": word}
                    for (name, label), word in zip(labels.items(), examples[0], strict=True)
                ],
                "button": button,
                "examples": examples,
                "choices": choices,
                "answer": answer,
            }
        ),
        html_template="",
        js_on_load=draw_with("word-form"),
        server_functions=[answers(resources, function)],
        apply_default_css=False,
        padding=False,
        elem_id=elem_id,
    )
