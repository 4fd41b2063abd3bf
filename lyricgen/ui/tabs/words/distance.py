"""The part that measures cosine distances, of two words or of a synonym and an antonym; `/distance`."""

from typing import Any

import gradio as gr

from lyricgen.endpoints import words
from lyricgen.resources import Resources
from lyricgen.ui.events import add_endpoint
from lyricgen.ui.tabs.words.answers import find_word
from lyricgen.ui.tabs.words.explorer import HISTOGRAM_LIMIT, closer_than, distance_histogram
from lyricgen.ui.tabs.words.form import create_word_form
from lyricgen.words.queries import Distance, measure_distance

EXPLANATION = """
**Cosine distance** is 1 minus the cosine of the angle between two vectors. With a third word, an **antonym** of the first, see
whether the opposite is nearer than the synonym.
"""
EXAMPLES = [["fast", "quick", "slow"], ["happy", "cheerful", "sad"], ["hot", "warm", "cold"], ["guitar", "drums", ""]]


def create_distance_part(resources: Resources) -> None:
    """Adds the part's components and `/distance`."""
    gr.Markdown(EXPLANATION, elem_classes="soft")
    labels = {"w1": "Word", "w2": "Second word, or a synonym", "w3": "Its opposite (may stay empty)"}
    create_word_form(resources, compare_words, "distances", labels, "Measure", EXAMPLES, first_distances)
    add_endpoint(resources, words.distance, gpu=False)


def first_distances(resources: Resources) -> dict[str, Any]:
    """The answer to the first example in the first space."""
    return compare_words(resources, resources.space_names[0], *EXAMPLES[0])


def compare_words(resources: Resources, vectors: str, w1: str, w2: str, w3: str) -> dict[str, Any]:
    """The distances of a word to one or two others in words, and among those of random pairs."""
    space = resources.space(vectors)
    word = find_word(space, w1, "w1")
    typed = {"w2": w2, **({"w3": w3} if isinstance(w3, str) and w3.strip() else {})}
    pairs = [measure_distance(word, find_word(space, other, box), space) for box, other in typed.items()]
    marks = [{"label": f"{pair.word1} – {pair.word2}", "distance": round(pair.distance, 3)} for pair in pairs]
    lines = [distance_sentence(pair) for pair in pairs]
    if len(pairs) == 2:
        lines.append(verdict(*pairs))
    facts = {"bars": distance_histogram(space), "limit": HISTOGRAM_LIMIT, "marks": marks}
    return {"lines": lines, "lists": [], "histogram": facts}


def distance_sentence(pair: Distance) -> str:
    """A distance, and its place among those of random pairs."""
    if pair.word1 == pair.word2:
        return f"{pair.word1} twice: a word has no distance to itself."
    return f"{pair.word1} – {pair.word2}: {pair.distance:.2f}, closer than {closer_than(pair)}."


def verdict(synonym: Distance, antonym: Distance) -> str:
    """Whether the antonym is nearer than the synonym, and why that is."""
    if antonym.distance < synonym.distance:
        return (
            f"Surprised? {antonym.word2} is closer to {antonym.word1} than {synonym.word2}: opposites turn up in the same "
            "sentences, and that is all a word vector sees."
        )
    return f"{synonym.word2} is at least as close to {synonym.word1} as {antonym.word2}."
