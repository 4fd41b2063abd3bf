"""The view on analogies, by two methods, and on the Google test set; `/analogy`, `/analogy_benchmark`."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import gradio as gr
import numpy as np

from lyricgen.endpoints import words
from lyricgen.plotting import draw_parallelogram
from lyricgen.resources import Resources
from lyricgen.ui.components import answer_rows, answer_table, bold, picture, space_choice
from lyricgen.ui.events import LATEST_EVENT, add_endpoint, listen
from lyricgen.validation import check_integer
from lyricgen.words.analogy_benchmark import ALL, CategoryScore, google_questions
from lyricgen.words.projection import project
from lyricgen.words.queries import Analogy, solve_analogy
from lyricgen.words.space import VectorSpace

EXPLANATION = """
**x1 is to x2 as y1 is to … ?** The step from x1 to x2 is taken from y1, and the words nearest to where it ends are the
answers. **3CosAdd** adds up (cos to x2 + cos to y1 − cos to x1), **3CosMul** multiplies, so that no one term drowns the
others. The three words themselves never count, though they would often win: they are shown, marked. A
word's **rank** is its place by frequency.
"""
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
MOST_FREQUENT = 30_000  # words
CANDIDATES = [("every word", 0), (f"the {MOST_FREQUENT:,} most frequent", MOST_FREQUENT)]
SCORE_HEADER = ["Category", "Right", "Asked", "Accuracy", "Left out"]
BENCHMARK_LIMIT: dict[str, Any] = {"concurrency_limit": 1, "concurrency_id": "benchmark"}


def create_analogies_view(resources: Resources) -> None:
    """Adds the view's components, `/analogy` and `/analogy_benchmark`."""
    gr.Markdown(EXPLANATION)
    with gr.Row():
        x1 = gr.Textbox("man", label="x1", elem_id="x1", min_width=120)
        x2 = gr.Textbox("king", label="is to x2 as", elem_id="x2", min_width=120)
        y1 = gr.Textbox("woman", label="y1 is to …", elem_id="y1", min_width=120)
    with gr.Row():
        vectors = space_choice(resources.space_names)
        top_k = gr.Slider(1, 20, value=5, step=1, label="Answers")
    solve = gr.Button("Solve", variant="primary", elem_id="solve", elem_classes="runs-on-open")
    answer = gr.Markdown(elem_id="analogy-answer")
    with gr.Row():
        added = answer_table("3CosAdd", elem_id="added")
        multiplied = answer_table("3CosMul", elem_id="multiplied")
    drawing = gr.HTML(elem_id="parallelogram")
    gr.Examples(EXAMPLES, [x1, x2, y1], label="Examples", api_visibility="private")
    listen(
        [solve.click, x1.submit, x2.submit, y1.submit],
        partial(show_analogy, resources),
        [x1, x2, y1, top_k, vectors],
        [answer, added, multiplied, drawing],
        gpu=False,
        **LATEST_EVENT,
    )
    with gr.Accordion("Check it on the benchmark", open=False):
        _create_benchmark(resources, vectors)
    add_endpoint(resources, words.analogy, gpu=False)
    add_endpoint(resources, words.analogy_benchmark, gpu=False, **BENCHMARK_LIMIT)


def _create_benchmark(resources: Resources, vectors: gr.Dropdown) -> None:
    gr.Markdown(PROTOCOL)
    with gr.Row():
        category = gr.Dropdown([ALL, *google_questions()], value="family", label="Category")
        candidates = gr.Dropdown(CANDIDATES, value=0, label="Candidates")
    check = gr.Button("Check", elem_id="check-analogies")
    scores = gr.Dataframe(headers=SCORE_HEADER, interactive=False, label="Google analogy test set", elem_id="scores")
    listen(
        check.click,
        partial(show_scores, resources),
        [category, candidates, vectors],
        scores,
        gpu=False,
        **BENCHMARK_LIMIT,
        **LATEST_EVENT,
    )


def show_analogy(
    resources: Resources, x1: str, x2: str, y1: str, top_k: int, vectors: str
) -> tuple[str, list, list, str]:
    """The answer in words, both tables, and the picture."""
    space = resources.space(vectors)
    solved = solve_analogy(x1, x2, y1, top_k, space)
    text = f"{bold(solved.x1)} is to {bold(solved.x2)} as {bold(solved.y1)} is to … {bold(solved.answer or 'nothing')}"
    return text, answer_rows(solved.add), answer_rows(solved.mul), parallelogram(solved, space)


def show_scores(resources: Resources, category: str, candidates: int, vectors: str) -> Iterator[list[list[str]]]:
    """The table of scores as it grows, a single category without the total."""
    count = min(check_integer("candidates", candidates, 0, MOST_FREQUENT), len(resources.space(vectors)))
    for scores in words.stream_scores(resources, category, count, vectors):
        yield [score_row(score) for score in (scores if len(scores) > 2 else scores[:1])]


def parallelogram(solved: Analogy, space: VectorSpace) -> str:
    """The four words of an analogy and the point between them on the plane of a PCA, as HTML; '' without an answer."""
    if solved.answer is None:
        return ""
    x1, x2, y1, answer = space.unit_vectors([solved.x1, solved.x2, solved.y1, solved.answer])
    (p1, p2, q1, target, nearest), _ = project(np.stack([x1, x2, y1, x2 - x1 + y1, answer]))
    labels = [solved.x1, solved.x2, solved.y1, solved.answer]
    description = (
        f"The vectors of {', '.join(labels)} on a plane: the step from {solved.x1} to {solved.x2} is taken from {solved.y1}, "
        f"and {solved.answer} is the nearest word to where it ends."
    )
    return picture(draw_parallelogram(p1, p2, q1, target, nearest, labels), description)


def score_row(score: CategoryScore) -> list[str]:
    """A score as a row of the table."""
    share = "none asked" if score.accuracy is None else f"{score.accuracy:.1%}"
    return [score.category, f"{score.correct:,}", f"{score.asked:,}", share, f"{score.left_out:,}"]
