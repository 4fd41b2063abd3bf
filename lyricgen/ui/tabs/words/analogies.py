"""The view on analogies as one sentence, with its answer, and on the Google test set; `/analogy`, `/analogy_benchmark`."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import gradio as gr
import numpy as np

from lyricgen.endpoints import words
from lyricgen.resources import Resources
from lyricgen.ui.components import as_json, bar_card, draw_with, html_view
from lyricgen.ui.events import BROWSER_EVENT, LATEST_EVENT, add_endpoint, listen, not_busy
from lyricgen.ui.tabs.words.answers import answers, find_word, is_clean, space_choice, space_labels
from lyricgen.ui.tabs.words.openings import shipped_opening
from lyricgen.validation import check_integer
from lyricgen.words.analogy_benchmark import ALL, CategoryScore, google_questions
from lyricgen.words.projection import project
from lyricgen.words.queries import Analogy, Answer, solve_analogy
from lyricgen.words.word_vectors import WordVectors

PROTOCOL = """
Mikolov et al. (2013): 19,544 questions in 14 categories. 3CosAdd over vectors of length 1; every word among the candidates
may answer, but for the three asked with; only the best one counts; questions are in lower case; a question with a word that
the space or the candidates lack is left out.
"""
EXAMPLES = [
    ["man", "king", "woman"],
    ["france", "paris", "japan"],
    ["big", "bigger", "small"],
    ["walk", "walked", "swim"],
    ["germany", "beer", "france"],
    ["guitar", "guitarist", "drums"],
]
ANSWERS = 6  # answers by each method
SPARE = 6  # further ones, in the place of those that are not shown
MOST_FREQUENT = 30_000  # words
CANDIDATES = [("every word", 0), (f"the {MOST_FREQUENT:,} most frequent", MOST_FREQUENT)]
BENCHMARK_LIMIT: dict[str, Any] = {"concurrency_limit": 1, "concurrency_id": "benchmark"}


def create_analogies_view(resources: Resources) -> None:
    """Adds the view's components, `/analogy` and `/analogy_benchmark`."""
    gr.HTML(
        as_json(opening(resources)),
        html_template="",
        js_on_load=draw_with("analogy"),
        server_functions=[answers(resources, show_analogy)],
        apply_default_css=False,
        padding=False,
        elem_id="analogy",
    )
    with gr.Accordion("More: how often is it right?", open=False):
        _create_benchmark(resources)
    add_endpoint(resources, words.analogy, gpu=False)
    add_endpoint(resources, words.analogy_benchmark, gpu=False, **BENCHMARK_LIMIT)


def opening(resources: Resources) -> dict[str, Any]:
    """What the view opens with: the first example that the first space has, with its answer. {} without a space."""
    spaces = space_labels(resources)
    if not spaces:
        return {}
    solved = shipped_opening(resources, first_analogy)
    return {"spaces": spaces, "examples": EXAMPLES, "vectors": resources.space_names[0], "solved": solved}


def first_analogy(resources: Resources) -> dict[str, Any] | None:
    """The answer to the first example that the first space has; None without one."""
    first = resources.space_names[0]
    known = [example for example in EXAMPLES if all(word in resources.space(first).key_to_index for word in example)]
    return show_analogy(resources, first, *known[0]) if known else None


def _create_benchmark(resources: Resources) -> None:
    gr.Markdown(PROTOCOL)
    with gr.Row():
        category = gr.Dropdown([ALL, *google_questions()], value="family", label="Category")
        candidates = gr.Dropdown(CANDIDATES, value=0, label="Candidates")
        vectors = space_choice(resources)
    with gr.Row():
        check = gr.Button("Run the test", elem_id="check-analogies")
        stop = gr.Button("Stop", elem_id="stop-analogies")
    scores = html_view("scores")
    running = listen(
        check.click,
        partial(show_scores, resources),
        [category, candidates, vectors],
        scores,
        gpu=False,
        busy=check,
        **BENCHMARK_LIMIT,
        **LATEST_EVENT,
    )
    stop.click(None, cancels=running, js=not_busy(check), **BROWSER_EVENT)


def show_analogy(resources: Resources, vectors: str, x1: str, x2: str, y1: str) -> dict[str, Any]:
    """The answer, the others by both methods as bars, and the four words on a plane."""
    space = resources.space(vectors)
    x1, x2, y1 = (find_word(space, word, box) for word, box in ((x1, "x1"), (x2, "x2"), (y1, "y1")))
    solved = solve_analogy(x1, x2, y1, ANSWERS + SPARE, space)
    add, mul = (clean_answers(resources, found, ANSWERS) for found in (solved.add, solved.mul))
    solved = replace(solved, add=add, mul=mul)
    return {
        "x1": solved.x1,
        "x2": solved.x2,
        "y1": solved.y1,
        "answer": solved.answer,
        **({"note": solved.note} if solved.note else {}),
        "add": bars(solved.add),
        "mul": bars(solved.mul),
        "places": parallelogram(solved, space),
    }


def clean_answers(resources: Resources, found: list[Answer], count: int) -> list[Answer]:
    """The first `count` answers that are no listed strong words or slurs, with the words of the question among them."""
    shown = [answer for answer in found if answer.excluded or is_clean(resources, answer.word)]
    places = [place for place, answer in enumerate(shown, 1) if not answer.excluded][:count]
    return shown[: places[-1]] if places else []


def bars(found: list[Answer]) -> list[dict[str, Any]]:
    """Answers as bars; words of the question are muted."""
    return [
        {
            "word": f"{answer.word} (in the question)" if answer.excluded else answer.word,
            "value": round(answer.similarity, 3),
            "muted": answer.excluded,
        }
        for answer in found
    ]


def show_scores(resources: Resources, category: str, candidates: int, vectors: str) -> Iterator[str]:
    """The scores as bars, as they grow; a single category without the total."""
    count = min(check_integer("candidates", candidates, 0, MOST_FREQUENT), len(resources.space(vectors)))
    for scores in words.stream_scores(resources, category, count, vectors):
        rows = [score_row(score) for score in (scores if len(scores) > 2 else scores[:1])]
        title = "Questions of the Google analogy test set with the right answer"
        yield f'<div class="figures">{bar_card(title, rows, greatest=1.0)}</div>'


def parallelogram(solved: Analogy, space: WordVectors) -> list[list[float]]:
    """Places of x1, x2, y1, the end of the step from y1, and the answer on the plane of a PCA, (5, 2); [] without an answer."""
    if solved.answer is None:
        return []
    x1, x2, y1, answer = space.unit_vectors([solved.x1, solved.x2, solved.y1, solved.answer])
    places, _ = project(np.stack([x1, x2, y1, x2 - x1 + y1, answer]))
    return places.round(3).tolist()


def score_row(score: CategoryScore) -> tuple[str, float, str]:
    """A score as a row of bars: category, accuracy, and both with the counts as a text."""
    if score.accuracy is None:
        return score.category, 0.0, "none asked"
    left_out = f", {score.left_out:,} left out" if score.left_out else ""
    share = f"{100 * score.accuracy:.1f} %"
    return score.category, score.accuracy, f"{share}: {score.correct:,} of {score.asked:,}{left_out}"
