"""The page: one file a tab, each with a `create_<name>_tab(resources)`, and `build_demo` that puts them together."""

from importlib.util import find_spec

import gradio as gr

from lyricgen.batching import ROWS
from lyricgen.resources import Resources
from lyricgen.ui.about import create_about_tab
from lyricgen.ui.analogy import create_analogy_tab
from lyricgen.ui.attribution import create_attribution_tab
from lyricgen.ui.bias import create_bias_tab
from lyricgen.ui.distance import create_distance_tab
from lyricgen.ui.lyrics import create_lyrics_tab
from lyricgen.ui.map import create_map_tab
from lyricgen.ui.neighbors import create_neighbors_tab

TITLE = "lyricgen"
QUEUE_LENGTH = 128  # requests waiting; one more is told to come back later
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
        with gr.Tabs():
            with gr.Tab("Write lyrics", id="lyrics"):
                create_lyrics_tab(resources)
            with gr.Tab("Whose line is it?", id="attribution"):
                create_attribution_tab(resources)
            with gr.Tab("Explore words", id="words"):
                create_words_tabs(resources)
            with gr.Tab("About", id="about"):
                create_about_tab(resources)
    demo.queue(max_size=QUEUE_LENGTH, api_open=False, default_concurrency_limit=2)
    return demo


def create_words_tabs(resources: Resources) -> None:
    """The tabs on word vectors, inside one of the page."""
    with gr.Tabs():
        for name, create in WORDS_TABS.items():
            with gr.Tab(name, id=name.lower()):
                create(resources)


def introduction(resources: Resources) -> str:
    """The heading: what the models are and what they have read."""
    songs = resources.model(resources.default_model).checkpoint.metrics.get("train_songs")
    read = f"{songs:,} songs" if songs else "songs"
    return (
        f"# {TITLE}\nTwo small language models, a vanilla RNN and an LSTM, have read {read} a letter at a time. "
        "Give them a beginning, and they go on with it, one letter after the other. Then explore what vectors know of words."
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
        "css": CSS,
        "footer_links": ["api", "gradio", "settings"],
        "show_error": False,
        "enable_monitoring": False,
        "run_history": False,
        "max_threads": 2 * ROWS,  # a lyric that is being written holds one, mostly asleep
        "mcp_server": find_spec("mcp") is not None,
    }
