"""The view that measures cosine distances, of two words or of a synonym and an antonym; `/distance`."""

from functools import partial

import gradio as gr

from lyricgen.endpoints import words
from lyricgen.plotting import draw_distances
from lyricgen.resources import Resources
from lyricgen.ui.components import bold, escaped, picture, space_choice
from lyricgen.ui.events import LATEST_EVENT, add_endpoint, listen
from lyricgen.words.queries import Comparison, Distance

EXPLANATION = """
**Cosine distance** is 1 minus the cosine of the angle between two vectors: 0 for the same direction, 1 for a right angle, 2
for opposite ones. The number alone says little, so it is put among 20,000 random pairs of frequent words. With a third word,
an **antonym** of the first, see whether the opposite is nearer than the synonym.
"""
EXAMPLES = [["fast", "quick", "slow"], ["happy", "cheerful", "sad"], ["hot", "warm", "cold"], ["guitar", "drums", ""]]


def create_distance_part(resources: Resources) -> None:
    """Adds the view's components and `/distance`."""
    gr.Markdown(EXPLANATION)
    with gr.Row():
        w1 = gr.Textbox("fast", label="Word", elem_id="w1", min_width=120)
        w2 = gr.Textbox("quick", label="Second word, or a synonym", elem_id="w2", min_width=120)
        w3 = gr.Textbox("slow", label="Antonym (may stay empty)", elem_id="w3", min_width=120)
    vectors = space_choice(resources.space_names)
    measure = gr.Button("Measure", variant="primary", elem_id="measure")
    verdict = gr.Markdown(elem_id="verdict")
    drawing = gr.HTML(elem_id="distances")
    gr.Examples(EXAMPLES, [w1, w2, w3], label="Examples", api_visibility="private")
    listen(
        [measure.click, w1.submit, w2.submit, w3.submit],
        partial(show_distance, resources),
        [w1, w2, w3, vectors],
        [verdict, drawing],
        gpu=False,
        **LATEST_EVENT,
    )
    add_endpoint(resources, words.distance, gpu=False)


def show_distance(resources: Resources, w1: str, w2: str, w3: str, vectors: str) -> tuple[str, str]:
    """The distances in words with the verdict on a third word, and the picture."""
    space = resources.space(vectors)
    measured = words.measure(w1, w2, w3, space)
    pairs = [measured.synonym, measured.antonym] if isinstance(measured, Comparison) else [measured]
    lines = [
        f"- {bold(pair.word1)} – {bold(pair.word2)}: **{pair.distance:.3f}**, {percentile_text(pair)}" for pair in pairs
    ]
    if isinstance(measured, Comparison):
        lines += ["", escaped(measured.verdict)]
    labels = [(f"{pair.word1} – {pair.word2}", pair.distance) for pair in pairs]
    description = "; ".join(f"{label} {distance:.3f}" for label, distance in labels)
    figure = draw_distances(space.random_distances, labels)
    return "\n".join(lines), picture(figure, f"{description}, among the distances of random pairs of words")


def percentile_text(distance: Distance) -> str:
    """The percentile of a distance among random pairs, in words."""
    share = 100 - distance.percentile
    return f"nearer than {share:.{1 if share < 99 else 2}f} % of random pairs of frequent words"
