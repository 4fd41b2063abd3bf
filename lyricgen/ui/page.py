"""The page: one file a tab, each with a `create_<name>_tab(resources)`, and `build_demo` that puts them together."""

from collections.abc import Callable
from importlib.util import find_spec

import gradio as gr

from lyricgen.generation.scheduler import MAX_BATCH_SIZE
from lyricgen.resources import Resources
from lyricgen.ui.components import PRIVATE_EVENT, RUN_ONCE_EVENT, TextTarget
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
from lyricgen.ui.tabs.xray import CSS as XRAY_CSS
from lyricgen.ui.tabs.xray import create_xray_tab

TITLE = "lyricgen"
QUEUE_LENGTH = 128  # requests waiting; one more is told to come back later
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
CSS = """
#lyrics textarea { font-family: var(--font-mono); line-height: 1.5; }
.picture { overflow-x: auto; }
.picture img { display: block; min-width: 32rem; max-width: min(100%, 52rem); margin: 0 auto; border-radius: 8px; }
#parallelogram img { min-width: 0; max-width: min(100%, 30rem); }
.downloads a { margin-right: 1em; text-decoration: underline; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 18rem), 1fr)); gap: 1rem; }
.cards article { border: 1px solid var(--border-color-primary); border-radius: 8px; padding: 0.75rem; }
.cards h4 { margin: 0 0 0.5rem; opacity: 0.75; }
.cards p { margin: 0.6rem 0 0; font-size: 0.85em; opacity: 0.85; }
.cards p:empty { display: none; }
.cards pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; font-family: var(--font-mono); }
.steer-letters { white-space: pre-wrap; overflow-wrap: anywhere; font-family: var(--font-mono); line-height: 1.6; max-height: 20rem; overflow-y: auto; }
.steer-letters span { cursor: pointer; }
.steer-letters span:hover, .steer-letters .steer-on { background: var(--primary-200); color: #1e1b4b; border-radius: 3px; }
.marked { white-space: pre-wrap; overflow-wrap: anywhere; font-family: var(--font-mono); line-height: 1.7; }
mark { background: var(--primary-200); color: #1e1b4b; border-radius: 3px; padding: 0 0.15em; }
.marked sup { color: inherit; font-size: 0.7em; padding-left: 0.15em; }
.posterior { list-style: none; margin: 0; padding: 0; }
.posterior li { display: grid; grid-template-columns: 10em 1fr 4em; gap: 0.6em; align-items: center; margin: 0; padding: 1px 0; }
.posterior .name { text-align: right; overflow-wrap: anywhere; line-height: 1.2; }
.posterior .track { height: 0.9em; border-radius: 3px; background: var(--background-fill-secondary); }
.posterior .track span { display: block; height: 100%; min-width: 1px; border-radius: 3px; background: var(--color-accent); }
.posterior .share { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.posterior li:not(:first-child) .track span { opacity: 0.6; }
.whose-lines { width: 100%; border-collapse: collapse; }
.whose-lines, .whose-lines tr { border: 0 !important; }
.whose-lines th, .whose-lines td { padding: 0.3em 0.6em; text-align: left; border: 0 !important; border-bottom: 1px solid var(--border-color-primary) !important; }
.whose-lines td:first-child { overflow-wrap: anywhere; }
.whose-lines td:last-child { white-space: nowrap; font-variant-numeric: tabular-nums; }
@media (max-width: 500px) { .posterior li { grid-template-columns: 8em 1fr 4em; } }
.source { opacity: 0.75; font-size: 0.85em; }
"""


def build_demo(resources: Resources) -> gr.Blocks:
    """The whole page with its API, ready to launch with `launch_settings`."""
    with gr.Blocks(title=TITLE, analytics_enabled=False) as demo:
        gr.Markdown(introduction(resources))
        with gr.Tabs() as groups:
            with gr.Tab("Lyrics", id="lyrics"):
                lyrics = create_lyrics_tab(resources)
            with gr.Tab("See inside", id="inside"):
                inside, readers = create_tabs(INSIDE_TABS, resources)
            with gr.Tab("Words", id="words"):
                create_tabs(WORDS_TABS, resources)
            with gr.Tab("About", id="about"):
                create_about_tab(resources)
        send_lyrics(lyrics, readers, groups, inside)
    demo.queue(max_size=QUEUE_LENGTH, api_open=False, default_concurrency_limit=2)
    return demo


def create_tabs(creators: dict[str, Callable], resources: Resources) -> tuple[gr.Tabs, dict[str, object]]:
    """Tabs inside one of the page's, and what each is to others, by name."""
    made = {}
    with gr.Tabs() as tabs:
        for name, create in creators.items():
            with gr.Tab(name, id=name):
                made[name] = create(resources)
    return tabs, made


def send_lyrics(lyrics: LyricsTab, readers: dict[str, TextTarget], groups: gr.Tabs, inside: gr.Tabs) -> None:
    """Makes the buttons under a lyric look into it: each in a tab inside of 'See inside', which comes to the front."""
    for name, button in lyrics.senders.items():
        reader = readers[name]
        taken = [lyrics.lyrics, lyrics.artist][: 1 + (reader.artist is not None)]
        filled = [reader.text, reader.artist][: len(taken)]

        def send(*values, name=name):
            return gr.Tabs(selected="inside"), gr.Tabs(selected=name), *values

        sent = button.click(send, taken, [groups, inside, *filled], queue=False, **PRIVATE_EVENT)
        sent.then(reader.show, reader.inputs, reader.outputs, **RUN_ONCE_EVENT)


def introduction(resources: Resources) -> str:
    """The heading: what the models are and what they have read."""
    songs = resources.model(resources.default_model).checkpoint.metrics.get("train_songs")
    read = f"{songs:,} songs" if songs else "songs"
    return (
        f"# {TITLE}\nTwo small language models, a vanilla RNN and an LSTM, have read {read} a letter at a time. "
        "Give them a beginning, and they go on with it, one letter after the other. See inside what they think of any text, "
        "whose it may be and what of it is copied. Then explore what vectors know of words."
    )


def launch_settings() -> dict:
    """What `demo.launch` is to be called with: looks, and nothing told to clients that is not theirs."""
    return {
        "theme": gr.themes.Soft(
            primary_hue="indigo",
            secondary_hue="purple",
            font=["system-ui", "sans-serif"],  # nothing is fetched from a font server
            font_mono=["ui-monospace", "monospace"],
        ),
        "css": CSS + XRAY_CSS,
        "footer_links": ["api", "gradio", "settings"],
        "show_error": False,
        "enable_monitoring": False,
        "run_history": False,
        "max_threads": 2 * MAX_BATCH_SIZE,  # a lyric that is being written holds one, mostly asleep
        "mcp_server": find_spec("mcp") is not None,
    }
