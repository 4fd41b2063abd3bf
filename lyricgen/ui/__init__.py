"""The page: one file a tab, each with a `create_<name>_tab(resources)`, and `build_demo` that puts them together."""

from importlib.util import find_spec

import gradio as gr

from lyricgen.resources import Resources
from lyricgen.ui.about import create_about_tab
from lyricgen.ui.lyrics import create_lyrics_tab

TITLE = "lyricgen"
QUEUE_LENGTH = 64  # requests waiting; one more is told to come back later
CSS = """
#lyrics textarea { font-family: var(--font-mono); line-height: 1.5; }
"""


def build_demo(resources: Resources) -> gr.Blocks:
    """The whole page with its API, ready to launch with `launch_settings`."""
    with gr.Blocks(title=TITLE, analytics_enabled=False) as demo:
        gr.Markdown(introduction(resources))
        with gr.Tabs():
            with gr.Tab("Write lyrics", id="lyrics"):
                create_lyrics_tab(resources)
            with gr.Tab("About", id="about"):
                create_about_tab(resources)
    demo.queue(max_size=QUEUE_LENGTH, api_open=False, default_concurrency_limit=2)
    return demo


def introduction(resources: Resources) -> str:
    """The heading: what the models are and what they have read."""
    songs = resources.model(resources.default_model).checkpoint.metrics.get("train_songs")
    read = f"{songs:,} songs" if songs else "songs"
    return (
        f"# {TITLE}\nTwo small language models, a vanilla RNN and an LSTM, have read {read} a letter at a time. "
        "Give them a beginning, and they go on with it, one letter after the other."
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
        "mcp_server": find_spec("mcp") is not None,
    }
