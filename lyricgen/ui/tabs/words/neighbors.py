"""The part that lists the neighbours of a word, in one vector space or in two; `/neighbors`."""

from typing import Any

import gradio as gr

from lyricgen.endpoints import words as endpoints
from lyricgen.resources import Resources
from lyricgen.ui.components import SPACE_LABELS
from lyricgen.ui.events import add_endpoint
from lyricgen.ui.tabs.words.answers import answer_bars, find_word
from lyricgen.ui.tabs.words.explorer import clean_neighbors
from lyricgen.ui.tabs.words.form import create_word_form
from lyricgen.words.queries import find_overlap

EXPLANATION = """
What a word is near to depends on what was read: an encyclopaedia and news, or only songs. Put both beside each other: how does
*fire* differ?
"""
EXAMPLES = [["fire"], ["love"], ["heart"], ["king"], ["crown"], ["rock"]]


def create_neighbors_part(resources: Resources) -> None:
    """Adds the part's components and `/neighbors`."""
    gr.Markdown(EXPLANATION, elem_classes="soft")
    create_word_form(
        resources,
        list_neighbors,
        "neighbors",
        {"word": "Word"},
        "Find neighbours",
        EXAMPLES,
        first_neighbors,
        compare=True,
    )
    add_endpoint(resources, endpoints.neighbors, gpu=False)


def first_neighbors(resources: Resources) -> dict[str, Any]:
    """The answer to the first example in the first space."""
    return list_neighbors(resources, resources.space_names[0], "", *EXAMPLES[0])


def list_neighbors(resources: Resources, vectors: str, other: str, word: str) -> dict[str, Any]:
    """The neighbours of a word without listed strong words; of two spaces also what they share."""
    spaces = [resources.space(name) for name in (vectors, other) if name]
    names = [SPACE_LABELS.get(space.name, space.name) for space in spaces]
    found = [clean_neighbors(resources, space, find_word(space, word, "word")) for space in spaces]
    lists = [{"title": name.capitalize(), "rows": answer_bars(near)} for name, near in zip(names, found, strict=True)]
    if len(spaces) == 1:
        return {"lines": [], "lists": lists}
    both = find_overlap(found[0], found[1], spaces[0], spaces[1])
    lines = [f"{len(both.shared)} of {len(found[0])} are the same{_listed(both.shared)}."]
    for here, there, absent in ((names[0], names[1], both.only_in_first), (names[1], names[0], both.only_in_second)):
        if absent:
            lines.append(f"In {here}, and no word of {there} at all{_listed(absent)}.")
    return {"lines": lines, "lists": lists}


def _listed(words: list[str]) -> str:
    return f": {', '.join(words)}" if words else ""
