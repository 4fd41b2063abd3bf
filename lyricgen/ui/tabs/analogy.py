"""The tab that solves analogies, two ways, and checks them on the Google test set; `/analogy`, `/analogy_benchmark`."""

from collections.abc import Iterator
from dataclasses import asdict

import gradio as gr
import numpy as np

from lyricgen.plotting import draw_parallelogram
from lyricgen.resources import Resources
from lyricgen.ui.components import RUN_ONCE_EVENT, answer_rows, answer_table, bold, picture, space_choice
from lyricgen.ui.events import raises_gradio_error
from lyricgen.validation import check_choice, check_integer
from lyricgen.words.analogy_benchmark import ALL, CategoryScore, google_questions, score_analogies, total
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
EVERY_WORD, MOST_FREQUENT = "every word", "the 30,000 most frequent"
CANDIDATES = {EVERY_WORD: None, MOST_FREQUENT: 30_000}
SCORE_HEADER = ["Category", "Right", "Asked", "Accuracy", "Left out"]


def create_analogy_tab(resources: Resources) -> None:
    """Adds the tab's components and its API."""
    gr.Markdown(EXPLANATION)
    with gr.Row():
        x1 = gr.Textbox("man", label="x1", elem_id="x1", min_width=120)
        x2 = gr.Textbox("king", label="is to x2 as", elem_id="x2", min_width=120)
        y1 = gr.Textbox("woman", label="y1 is to …", elem_id="y1", min_width=120)
    with gr.Row():
        vectors = space_choice(resources)
        top_k = gr.Slider(1, 20, value=5, step=1, label="Answers")
    solve = gr.Button("Solve", variant="primary", elem_id="solve")
    answer = gr.Markdown(elem_id="analogy-answer")
    with gr.Row():
        added = answer_table("3CosAdd", elem_id="added")
        multiplied = answer_table("3CosMul", elem_id="multiplied")
    drawing = gr.HTML(elem_id="parallelogram")
    gr.Examples(EXAMPLES, [x1, x2, y1], label="Examples", api_visibility="private")
    with gr.Accordion("Check it on the benchmark", open=False):
        gr.Markdown(PROTOCOL)
        with gr.Row():
            category = gr.Dropdown([ALL, *google_questions()], value="family", label="Category")
            candidates = gr.Dropdown(list(CANDIDATES), value=EVERY_WORD, label="Candidates")
        check = gr.Button("Check", elem_id="check-analogies")
        scores = gr.Dataframe(
            headers=SCORE_HEADER, interactive=False, label="Google analogy test set", elem_id="scores"
        )

    @raises_gradio_error
    def show(x1, x2, y1, top_k, vectors):
        space = resources.space(vectors)
        solved = solve_analogy(x1, x2, y1, top_k, space)
        text = (
            f"{bold(solved.x1)} is to {bold(solved.x2)} as {bold(solved.y1)} is to … {bold(solved.answer or 'nothing')}"
        )
        return text, answer_rows(solved.add), answer_rows(solved.mul), parallelogram(solved, space)

    @raises_gradio_error
    def show_scores(category, candidates, vectors):
        space, done = resources.space(vectors), []
        count = min(CANDIDATES[check_choice("candidates", candidates, CANDIDATES)] or len(space), len(space))
        for score in score_analogies(space, category, count):
            done.append(score)
            rows = done if len(done) == 1 else [*done, total(done)]
            yield [score_row(row) for row in rows]

    @raises_gradio_error
    def analogy(
        x1: str = "man", x2: str = "king", y1: str = "woman", top_k: int = 5, vectors: str = "glove-50"
    ) -> dict:
        """Solves x1 : x2 :: y1 : ? by 3CosAdd ('add') and 3CosMul ('mul'); words asked with are marked 'excluded'.

        Args:
            x1: a word.
            x2: what x1 is to.
            y1: the word of which the same is asked.
            top_k: answers of each, 1 to 100.
            vectors: a vector space that /about lists.
        """
        solved = solve_analogy(x1, x2, y1, top_k, resources.space(vectors))
        return solved.to_dict()

    @raises_gradio_error
    def analogy_benchmark(category: str = "family", candidates: int = 0, vectors: str = "glove-50") -> Iterator[list]:
        """Asks a vector space the Google analogy test set; streams the score of each category, the total last.

        Args:
            category: 'all categories' or one of the fourteen.
            candidates: answer only with so many of the most frequent words; 0: with any.
            vectors: a vector space that /about lists.
        """
        space, done = resources.space(vectors), []
        count = check_integer("candidates", candidates, 0, len(space)) or None
        for score in score_analogies(space, category, count):
            done.append(score)
            yield [{**asdict(row), "accuracy": row.accuracy} for row in [*done, total(done)]]

    gr.on(
        [solve.click, x1.submit, x2.submit, y1.submit],
        show,
        [x1, x2, y1, top_k, vectors],
        [answer, added, multiplied, drawing],
        **RUN_ONCE_EVENT,
    )
    check.click(
        show_scores,
        [category, candidates, vectors],
        scores,
        concurrency_limit=1,
        concurrency_id="benchmark",
        **RUN_ONCE_EVENT,
    )
    gr.api(analogy, api_name="analogy")
    gr.api(analogy_benchmark, api_name="analogy_benchmark", concurrency_limit=1, concurrency_id="benchmark")


def parallelogram(solved: Analogy, space: VectorSpace) -> str:
    """The four words of an analogy and the point between them on the plane of a PCA, as HTML; '' if none answers."""
    if solved.answer is None:
        return ""
    x1, x2, y1, answer = space.unit_vectors([solved.x1, solved.x2, solved.y1, solved.answer])
    points, _ = project(np.stack([x1, x2, y1, x2 - x1 + y1, answer]))
    labels = [solved.x1, solved.x2, solved.y1, solved.answer]
    description = (
        f"The vectors of {', '.join(labels)} on a plane: the step from {solved.x1} to {solved.x2} is taken from {solved.y1}, "
        f"and {solved.answer} is the nearest word to where it ends."
    )
    return picture(draw_parallelogram(*points, labels), description)


def score_row(score: CategoryScore) -> list[str]:
    """A score as a row of the table."""
    share = "none asked" if score.accuracy is None else f"{score.accuracy:.1%}"
    return [score.category, f"{score.correct:,}", f"{score.asked:,}", share, f"{score.left_out:,}"]
