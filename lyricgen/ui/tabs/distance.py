"""The tab that measures cosine distances, of two words or of a synonym and an antonym; `/distance`."""

import gradio as gr

from lyricgen.plotting import draw_distances
from lyricgen.resources import Resources
from lyricgen.ui.components import RUN_ONCE_EVENT, bold, escaped, picture, space_choice
from lyricgen.ui.events import raises_gradio_error
from lyricgen.validation import check_text
from lyricgen.words.queries import Comparison, Distance, compare_distances, measure_distance

EXPLANATION = """
**Cosine distance** is 1 minus the cosine of the angle between two vectors: 0 for the same direction, 1 for a right angle, 2
for opposite ones. The number alone says little, so it is put among 20,000 random pairs of frequent words. With a third word,
an **antonym** of the first, see whether the opposite is nearer than the synonym.
"""
EXAMPLES = [["fast", "quick", "slow"], ["happy", "cheerful", "sad"], ["hot", "warm", "cold"], ["guitar", "drums", ""]]


def create_distance_tab(resources: Resources) -> None:
    """Adds the tab's components and its API."""
    gr.Markdown(EXPLANATION)
    with gr.Row():
        w1 = gr.Textbox("fast", label="Word", elem_id="w1", min_width=120)
        w2 = gr.Textbox("quick", label="Second word, or a synonym", elem_id="w2", min_width=120)
        w3 = gr.Textbox("slow", label="Antonym (may stay empty)", elem_id="w3", min_width=120)
    vectors = space_choice(resources)
    measure = gr.Button("Measure", variant="primary", elem_id="measure")
    verdict = gr.Markdown(elem_id="verdict")
    drawing = gr.HTML(elem_id="distances")
    gr.Examples(EXAMPLES, [w1, w2, w3], label="Examples", api_visibility="private")

    @raises_gradio_error
    def show(w1, w2, w3, vectors):
        space = resources.space(vectors)
        found = measured(w1, w2, w3, space)
        pairs = [found.synonym, found.antonym] if isinstance(found, Comparison) else [found]
        lines = [
            f"- {bold(pair.word1)} – {bold(pair.word2)}: **{pair.distance:.3f}**, {placed(pair)}" for pair in pairs
        ]
        if isinstance(found, Comparison):
            lines += ["", escaped(found.verdict)]
        labels = [(f"{pair.word1} – {pair.word2}", pair.distance) for pair in pairs]
        description = "; ".join(f"{label} {distance:.3f}" for label, distance in labels)
        figure = draw_distances(space.random_distances, labels)
        return "\n".join(lines), picture(figure, f"{description}, among the distances of random pairs of words")

    @raises_gradio_error
    def distance(w1: str = "fast", w2: str = "quick", w3: str = "", vectors: str = "glove-50") -> dict:
        """The cosine distance of two words, with its percentile among random pairs of frequent words; with a third word
        also whether that, an antonym, is nearer.

        Args:
            w1: a word.
            w2: a second word, or a synonym of the first.
            w3: an antonym of the first; empty: none.
            vectors: a vector space that /about lists.
        """
        return measured(w1, w2, w3, resources.space(vectors)).to_dict()

    gr.on(
        [measure.click, w1.submit, w2.submit, w3.submit],
        show,
        [w1, w2, w3, vectors],
        [verdict, drawing],
        **RUN_ONCE_EVENT,
    )
    gr.api(distance, api_name="distance")


def measured(w1, w2, w3, space) -> Distance | Comparison:
    """The distance of two words, or of three the comparison."""
    w1, w2 = space.find(w1, "w1"), space.find(w2, "w2")
    if not check_text("w3", w3).strip():
        return measure_distance(w1, w2, space)
    return compare_distances(w1, w2, space.find(w3, "w3"), space)


def placed(distance: Distance) -> str:
    """Where a distance stands among random pairs, in words."""
    share = 100 - distance.percentile
    return f"nearer than {share:.{1 if share < 99 else 2}f} % of random pairs of frequent words"
