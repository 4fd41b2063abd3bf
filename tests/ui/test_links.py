"""Links: query strings that set the inputs of Write, and hostile ones that do nothing."""

import gradio as gr
import pytest

from lyricgen.resources import Resources
from lyricgen.ui.links import link_value, linked_inputs, read_query
from lyricgen.ui.page import build_demo
from lyricgen.ui.tabs.write.tab import create_write_tab

SKIPPED = gr.skip()


@pytest.fixture(scope="module")
def inputs():
    with gr.Blocks():
        return linked_inputs(create_write_tab(Resources(device="cpu")))


def values(inputs, query: str) -> dict:
    """What a query string sets."""
    given = read_query(query)
    found = {name: link_value(component, given[name]) for name, component in inputs.items() if name in given}
    return {name: value for name, value in found.items() if value != SKIPPED}


def test_a_link_sets_what_it_names(inputs):
    query = "text=the+sea&artist=Drake&model=vanilla-rnn&t=0.9&len=200&seed=7&clean_words=False&chorus=never&top_k=5"
    assert values(inputs, query) == {
        "text": "the sea", "artist": "Drake", "model": "vanilla-rnn", "temperature": 0.9, "max_length": 200,
        "clean_words": False, "chorus": "never", "top_k": 5,
    }  # fmt: skip


@pytest.mark.parametrize(
    "query",
    [
        "", "tab=nowhere", "seed=-1", "seed=1e99", "seed=nan", "t=hot", "t=99", "len=0", "len=inf", "artist=<script>",
        "model=../../etc/passwd", "chorus=%00", "clean_words=maybe", "&".join(["seed=1"] * 1_000), "top_p=-3", "%", "=&=&",
    ],
)  # fmt: skip
def test_a_hostile_link_sets_nothing(inputs, query):
    assert values(inputs, query) == {}


def test_very_long_values_are_cut(inputs):
    assert len(values(inputs, "text=" + "x" * 10_000_000)["text"]) == 1_500
    assert read_query(None) == {} and read_query(["seed=1"]) == {}


def test_the_page_opens_links_in_one_event():
    demo = build_demo(Resources(device="cpu"))
    opened = next(event for event in demo.fns.values() if event.fn and event.fn.__name__ == "open_link")
    names = [component.label for component in opened.outputs]
    song = dict(zip(names, opened.fn("text=hello&t=0.3"), strict=True))
    assert song["First words"] == "hello" and song["Temperature"] == 0.3 and song["Style strength"] == 2.25
    assert (
        SKIPPED not in song.values() and "Song number" not in song
    )  # what the link leaves out has the page's defaults
    assert [value for value in opened.fn("tab=words&t=0.3") if value != SKIPPED] == [0.3]
    assert [event.fn.__name__ for event in demo.fns.values() if ("load" in [kind for _, kind in event.targets])] == [
        "open_link"
    ]
