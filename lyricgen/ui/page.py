"""The page: `build_demo` assembles the five tabs, one folder or module per tab with a `create_<name>_tab(resources, ...)`."""

import os
from importlib.util import find_spec
from typing import Any

import gradio as gr

from lyricgen import __version__
from lyricgen.generation.scheduler import MAX_BATCH_SIZE
from lyricgen.models.checkpoints import training_records
from lyricgen.resources import Resources
from lyricgen.ui.completions import COMPLETIONS_ROUTE
from lyricgen.ui.events import BROWSER_EVENT, PageBlocks
from lyricgen.ui.links import connect_links
from lyricgen.ui.server import middleware
from lyricgen.ui.shared_text import SharedText
from lyricgen.ui.tabs.about.tab import create_about_tab
from lyricgen.ui.tabs.check.tab import create_check_tab
from lyricgen.ui.tabs.inside.tab import create_inside_tab
from lyricgen.ui.tabs.words.tab import create_words_tab
from lyricgen.ui.tabs.write.tab import create_write_tab
from lyricgen.ui.theme import DESCRIPTION, TITLE, launch_look

MAX_QUEUE_LENGTH = 128  # waiting requests; further ones are refused
MAX_SESSIONS = 50  # visitors of whom gradio keeps a register of the page's components
QUEUE_POLL = 0.01  # seconds between two looks of an idle queue; at gradio's 0.001 they take a core 9 % of its time
NEVER = str(10**9)  # events between two summaries for gradio's monitoring page, which is off
HEAD_BUTTONS = (
    '<div><button type="button" id="copy-link">Copy link</button> '
    '<button type="button" id="big-text" aria-pressed="false">Big text</button></div><div id="link-box" aria-live="polite"></div>'
)
SET_QUERY = "() => { lyricgen.setQuery(); }"
RUN_ON_OPEN = "() => { lyricgen.runOnOpen(); lyricgen.setQuery(); }"


def build_demo(resources: Resources) -> gr.Blocks:
    """The whole page with its API, ready to launch with `launch_settings`."""
    os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", NEVER)
    shared = SharedText()
    with PageBlocks(title=TITLE, analytics_enabled=False) as demo:
        demo.description = f"lyricgen {__version__}: {DESCRIPTION}"  # of openapi.json
        with gr.Row(elem_id="page-head"):
            gr.Markdown(introduction(resources), elem_id="introduction")
            gr.HTML(HEAD_BUTTONS, elem_id="head-buttons", padding=False)
        with gr.Tabs(elem_id="tabs"):
            with gr.Tab("Write", id="write") as write_tab:
                write = create_write_tab(resources)
            with gr.Tab("Inside", id="inside") as inside:
                inside_views = create_inside_tab(resources, shared)
            with gr.Tab("Check", id="check") as check:
                create_check_tab(resources, shared)
            with gr.Tab("Words", id="words") as words:
                words_views = create_words_tab(resources)
            with gr.Tab("About", id="about") as about:
                create_about_tab(resources)
        connect_links(demo, write)
        shared.connect()
        for event in write.written:
            shared.fill_on(event.success, write.lyrics, write.artist)
        shared.fill_on(write.use.click, write.lyrics, write.artist)
        for tab in (inside, check, words, *inside_views, *words_views):
            tab.select(None, None, None, js=RUN_ON_OPEN, **BROWSER_EVENT)
        for tab in (write_tab, about):
            tab.select(None, None, None, js=SET_QUERY, **BROWSER_EVENT)
    demo.queue(max_size=MAX_QUEUE_LENGTH, api_open=False, default_concurrency_limit=2)
    demo._queue.sleep_when_free = demo._queue.progress_update_sleep_when_free = QUEUE_POLL
    return demo


def introduction(resources: Resources) -> str:
    """The heading, with the number of songs that the default model read."""
    trainings = training_records(resources.model().checkpoint.metrics)
    songs_of = {str(each.get("data_sha256")): each.get("train_songs") or 0 for each in reversed([*trainings])}
    songs = sum(songs_of.values())  # each file once
    read = f"{songs:,} songs" if songs else "songs"
    return (
        "# Watch a small neural network write a song\n"
        f"It has read {read}, explicit ones among them, one letter at a time. Before each letter it guesses what comes next. "
        "Press play, or tap any letter."
    )


def launch_settings() -> dict[str, Any]:
    """The arguments of `demo.launch`: the look, no error details for clients."""
    return {
        **launch_look(),
        "footer_links": ["api", "gradio", "settings"],
        "show_error": False,
        "enable_monitoring": False,
        "run_history": False,
        "max_threads": 2 * MAX_BATCH_SIZE,  # a lyric in progress holds one, mostly asleep
        "state_session_capacity": MAX_SESSIONS,
        "app_kwargs": {"middleware": middleware(), "routes": [COMPLETIONS_ROUTE]},
        "_frontend": False,  # gradio asks itself for the page, and ends where that takes 3 seconds on a busy machine
        "mcp_server": find_spec("mcp") is not None,
    }
