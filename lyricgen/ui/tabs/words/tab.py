"""The tab on word vectors: a map with neighbours and distances, analogies, bias."""

import gradio as gr

from lyricgen.resources import Resources
from lyricgen.ui.tabs.words.analogies import create_analogies_view, first_analogy
from lyricgen.ui.tabs.words.bias import create_bias_view, first_occupations, first_two_analogies, first_weat
from lyricgen.ui.tabs.words.distance import create_distance_part, first_distances
from lyricgen.ui.tabs.words.explorer import create_explorer, first_map
from lyricgen.ui.tabs.words.map import create_map_view, first_picture
from lyricgen.ui.tabs.words.neighbors import create_neighbors_part, first_neighbors

OPENINGS = (
    first_map, first_picture, first_neighbors, first_distances, first_analogy, first_occupations, first_weat, first_two_analogies,
)  # fmt: skip
"""What the views open with, shipped by docs/page_assets.py."""


def create_words_tab(resources: Resources) -> list[gr.Tab]:
    """Adds the tab's views and their endpoints; returns the views."""
    with gr.Tabs(elem_classes="views"):
        with gr.Tab("Map", id="map") as map:
            create_explorer(resources)
            with gr.Accordion("Draw a map of your own words", open=False):
                create_map_view(resources)
            with gr.Accordion("Neighbours of a word", open=False):
                create_neighbors_part(resources)
            with gr.Accordion("Distance of two words", open=False):
                create_distance_part(resources)
        with gr.Tab("Analogies", id="analogies") as analogies:
            create_analogies_view(resources)
        with gr.Tab("Bias", id="bias") as bias:
            create_bias_view(resources)
    return [map, analogies, bias]
