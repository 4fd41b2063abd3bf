"""The page: `build_demo` assembles the tabs, one module per tab with a `create_<name>_tab(resources)`."""

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any

import gradio as gr

from lyricgen.generation.scheduler import MAX_BATCH_SIZE
from lyricgen.resources import Resources
from lyricgen.ui.components import STATIC, TextTarget
from lyricgen.ui.events import PRIVATE_EVENT, RUN_ONCE_EVENT, PageBlocks, listen
from lyricgen.ui.tabs.about import create_about_tab
from lyricgen.ui.tabs.analogy import create_analogy_tab
from lyricgen.ui.tabs.attribution import create_attribution_tab
from lyricgen.ui.tabs.bias import create_bias_tab
from lyricgen.ui.tabs.compare import create_compare_tab
from lyricgen.ui.tabs.distance import create_distance_tab
from lyricgen.ui.tabs.lyrics import LyricsTab, create_lyrics_tab
from lyricgen.ui.tabs.map import create_map_tab
from lyricgen.ui.tabs.neighbors import create_neighbors_tab
from lyricgen.ui.tabs.originality import create_originality_tab
from lyricgen.ui.tabs.xray import create_xray_tab

TITLE = "lyricgen"
MAX_QUEUE_LENGTH = 128  # waiting requests; further ones are refused
MODEL_KINDS = {"vanilla-rnn": "a vanilla RNN", "lstm": "an LSTM"}
INSIDE_TABS = {
    "X-ray": create_xray_tab,
    "RNN or LSTM?": create_compare_tab,
    "Whose line is it?": create_attribution_tab,
    "Original or copied?": create_originality_tab,
}
WORDS_TABS = {
    "Analogies": create_analogy_tab,
    "Distances": create_distance_tab,
    "Neighbours": create_neighbors_tab,
    "Map": create_map_tab,
    "Bias": create_bias_tab,
}


def build_demo(resources: Resources) -> gr.Blocks:
    """The whole page with its API, ready to launch with `launch_settings`."""
    with PageBlocks(title=TITLE, analytics_enabled=False) as demo:
        gr.Markdown(introduction(resources))
        with gr.Tabs() as groups:
            with gr.Tab("Lyrics", id="lyrics"):
                lyrics = create_lyrics_tab(resources)
            with gr.Tab("See inside", id="inside"):
                inside, targets = create_tabs(INSIDE_TABS, resources)
            with gr.Tab("Words", id="words"):
                create_tabs(WORDS_TABS, resources)
            with gr.Tab("About", id="about"):
                create_about_tab(resources)
        send_lyrics(lyrics, targets, groups, inside)
    demo.queue(max_size=MAX_QUEUE_LENGTH, api_open=False, default_concurrency_limit=2)
    return demo


def create_tabs(creators: dict[str, Callable], resources: Resources) -> tuple[gr.Tabs, dict[str, Any]]:
    """Nested tabs, and the return value of each creator, by name."""
    created = {}
    with gr.Tabs() as tabs:
        for name, create in creators.items():
            with gr.Tab(name, id=name):
                created[name] = create(resources)
    return tabs, created


def send_lyrics(lyrics: LyricsTab, targets: dict[str, TextTarget], groups: gr.Tabs, inside: gr.Tabs) -> None:
    """Wires the buttons under a lyric: each sends it to a tab under 'See inside' and selects that tab."""
    for name, button in lyrics.senders.items():
        target = targets[name]
        inputs: list[Any] = [lyrics.lyrics]
        filled: list[Any] = [target.text]
        if target.artist is not None:
            inputs.append(lyrics.artist)
            filled.append(target.artist)
        send, outputs = partial(select_tab, name), [groups, inside, *filled]
        sent = listen(button.click, send, inputs, outputs, gpu=False, queue=False, **PRIVATE_EVENT)
        listen(sent.then, target.show, target.inputs, target.outputs, gpu=target.gpu, **RUN_ONCE_EVENT)


def select_tab(name: str, *values: Any) -> tuple:
    """Updates that select a tab under 'See inside', and the values sent to it."""
    return gr.Tabs(selected="inside"), gr.Tabs(selected=name), *values


def introduction(resources: Resources) -> str:
    """The heading: the loaded models and their number of training songs."""
    songs = resources.model().checkpoint.metrics.get("train_songs")
    read = f"{songs:,} songs" if songs else "songs"
    kinds = [kind for name, kind in MODEL_KINDS.items() if name in resources.model_names]
    if len(kinds) == 1:
        models, has, it, continues, thinks = "A small language model", "has", "it", "it goes", "it thinks"
    else:
        models, has, it, continues, thinks = "Two small language models", "have", "them", "they go", "they think"
    return (
        f"# {TITLE}\n{models}, {' and '.join(kinds)}, {has} read {read} a letter at a time. "
        f"Give {it} a beginning, and {continues} on with it, one letter after the other. See inside what {thinks} of any text, "
        "whose it may be and what of it is copied. Then explore what vectors know of words."
    )


def launch_settings() -> dict[str, Any]:
    """The arguments of `demo.launch`: theme, style sheets, no error details for clients."""
    return {
        "theme": gr.themes.Soft(
            primary_hue="indigo",
            secondary_hue="purple",
            font=["system-ui", "sans-serif"],  # nothing is fetched from a font server
            font_mono=["ui-monospace", "monospace"],
        ),
        "css_paths": [STATIC / "page.css", STATIC / "xray.css"],
        "footer_links": ["api", "gradio", "settings"],
        "show_error": False,
        "enable_monitoring": False,
        "run_history": False,
        "max_threads": 2 * MAX_BATCH_SIZE,  # a lyric in progress holds one, mostly asleep
        "mcp_server": find_spec("mcp") is not None,
    }
