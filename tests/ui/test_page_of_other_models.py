"""The page of models of one's own: its texts, choices and examples are those of what is loaded."""

import json

import gradio as gr
import pytest

from lyricgen.resources import Resources
from lyricgen.ui.page import build_demo


@pytest.fixture
def texts(tiny_folder):
    """Builds the page of `tiny_folder`; returns its configuration as text, and its Blocks."""

    def build():
        demo = build_demo(Resources(tiny_folder, "cpu"))
        return json.dumps(demo.get_config_file(), default=str), demo

    return build


def test_examples_and_choices_name_the_artists_that_are_loaded(texts):
    text, demo = texts()
    assert "Coldplay" not in text and "Taylor Swift" not in text and "21 artists" not in text
    assert "songs of 2 artists" in text and "has read 14 songs" in text
    boxes = [block for block in demo.blocks.values() if isinstance(block, gr.Dropdown)]
    artists = [box for box in boxes if "any artist" in [value for _, value in box.choices]]
    assert {tuple(value for _, value in artist.choices) for artist in artists} == {("any artist", "Ann", "Bob")}


def test_a_page_of_one_model_offers_no_other(texts, monkeypatch):
    monkeypatch.setattr("lyricgen.resources.bundled_models", lambda: ["vanilla-rnn"])
    text, demo = texts()
    samples = [block for block in demo.blocks.values() if isinstance(block, gr.Dataset)]
    assert all("lstm" not in row for dataset in samples for row in dataset.samples)
    radios = [block for block in demo.blocks.values() if isinstance(block, gr.Radio) and block.label == "Model"]
    assert {tuple(value for _, value in radio.choices) for radio in radios} == {("vanilla-rnn",)}
    defaults = [
        parameter["parameter_default"]
        for endpoint in demo.get_api_info()["named_endpoints"].values()
        for parameter in endpoint["parameters"]
        if parameter["parameter_name"] == "model"
    ]
    assert set(defaults) == {"vanilla-rnn"} and len(defaults) == 11
