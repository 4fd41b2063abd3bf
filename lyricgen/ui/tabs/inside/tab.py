"""The tab that looks inside the models: a text, and its views Letters, Neurons and RNN vs LSTM."""

import gradio as gr

from lyricgen.endpoints import inside
from lyricgen.generation.settings import MAX_LYRIC_LENGTH
from lyricgen.resources import Resources
from lyricgen.ui.shared_text import SUBMIT, SharedText
from lyricgen.ui.tabs.inside.comparison import create_comparison_view
from lyricgen.ui.tabs.inside.letters import create_letters_view
from lyricgen.ui.tabs.inside.neurons import create_neurons_view


def create_inside_tab(resources: Resources, shared: SharedText) -> list[gr.Tab]:
    """Adds the tab's text, its views and their endpoints; returns the views."""
    box = shared.add_box(
        "inside-text", inside.SCORED_EXAMPLE, resources.artists(), info=f"Up to {MAX_LYRIC_LENGTH:,} letters. {SUBMIT}"
    )
    with gr.Tabs(elem_classes="views"):
        with gr.Tab("Letters", id="letters") as letters:
            create_letters_view(resources, box)
        with gr.Tab("Neurons", id="neurons") as neurons:
            create_neurons_view(resources, box)
        with gr.Tab("RNN vs LSTM", id="comparison") as comparison:
            create_comparison_view(resources)
    return [letters, neurons, comparison]
