"""The map that Words opens with: 200 frequent words; a click shows a word's neighbours, a second click a distance."""

from functools import cache
from typing import Any

import gradio as gr
import numpy as np

from lyricgen.resources import Resources
from lyricgen.ui.components import as_json, draw_with
from lyricgen.ui.tabs.words.answers import answer_bars, answers, find_word, is_clean, space_labels
from lyricgen.ui.tabs.words.openings import shipped_opening
from lyricgen.words.queries import MAX_ANSWERS, Answer, Distance, measure_distance, neighbors
from lyricgen.words.word_map import place_word, word_places
from lyricgen.words.word_vectors import RANDOM_PAIRS, WordVectors

EXAMPLE = "rain"
NEIGHBORS = 10  # words that light up
HISTOGRAM_BINS = 40
HISTOGRAM_LIMIT = 1.6  # cosine distance; greater ones are counted in the last bin
OF_PAIRS = 1_000  # random pairs in a sentence on a distance


def create_explorer(resources: Resources) -> None:
    """Adds the map with its search, list and controls."""
    gr.HTML(
        as_json(opening(resources)),
        html_template="",
        js_on_load=draw_with("word-map"),
        server_functions=[answers(resources, function) for function in (show_space, show_neighbors, show_distance)],
        apply_default_css=False,
        padding=False,
        elem_id="word-map",
    )


def opening(resources: Resources) -> dict[str, Any]:
    """What the page opens with: the map of the first space, and an example with its neighbours. {} without a space."""
    spaces = space_labels(resources)
    if not spaces:
        return {}
    return {"spaces": spaces, **shipped_opening(resources, first_map)}


def first_map(resources: Resources) -> dict[str, Any]:
    """The map of the first space, and an example with its neighbours."""
    first = resources.space_names[0]
    shown = show_space(resources, first)
    example = EXAMPLE if EXAMPLE in shown["words"] else shown["words"][0]
    return {"map": shown, "neighbors": show_neighbors(resources, first, example)}


def show_space(resources: Resources, vectors: str) -> dict[str, Any]:
    """The map of a space, and the distances of its random pairs."""
    space = resources.space(vectors)
    shown = word_places(space)
    return {
        "vectors": space.name,
        "words": shown.words,
        "places": shown.places,
        "explained": shown.explained,
        "histogram": distance_histogram(space),
        "limit": HISTOGRAM_LIMIT,
    }


def show_neighbors(resources: Resources, vectors: str, word: str) -> dict[str, Any]:
    """A word's nearest neighbours among all words of a space, and the word's place where the map lacks it."""
    space = resources.space(vectors)
    word = find_word(space, word, "search")
    return {
        "word": word,
        "neighbors": answer_bars(clean_neighbors(resources, space, word)),
        "place": None if word in word_places(space).words else place_word(space, word),
    }


def clean_neighbors(resources: Resources, space: WordVectors, word: str) -> list[Answer]:
    """The nearest neighbours of a word without listed strong words."""
    return [answer for answer in neighbors(word, MAX_ANSWERS, space) if is_clean(resources, answer.word)][:NEIGHBORS]


def show_distance(resources: Resources, vectors: str, word: str, other: str) -> dict[str, Any]:
    """The distance of two words, and what it means among random pairs, in a sentence."""
    space = resources.space(vectors)
    measured = measure_distance(find_word(space, word, "search"), find_word(space, other, "search"), space)
    return {
        "word": measured.word1,
        "other": measured.word2,
        "distance": round(measured.distance, 3),
        "sentence": f"Closer than {closer_than(measured)} of words.",
    }


def closer_than(pair: Distance) -> str:
    """Of random pairs, how many are further apart."""
    return f"{round((100 - pair.percentile) / 100 * OF_PAIRS):,} of {OF_PAIRS:,} random pairs"


@cache
def distance_histogram(space: WordVectors) -> list[int]:
    """Random pairs of frequent words in each bin of their cosine distance, in thousandths of all pairs."""
    distances = np.clip(space.random_distances, 0, HISTOGRAM_LIMIT - 1e-6)
    counts, _ = np.histogram(distances, HISTOGRAM_BINS, (0, HISTOGRAM_LIMIT))
    return np.rint(1000 * counts / RANDOM_PAIRS).astype(int).tolist()
