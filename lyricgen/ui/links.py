"""Links that last: the query string of the page sets the inputs of Write, and its script goes to the tab that it names.

Nothing is kept on the server. The number of a linked song is the song's alone: the next one has another. A value that is not
allowed is left out, so that any query string opens a whole page.
"""

import math
from typing import Any
from urllib.parse import parse_qsl

import gradio as gr

from lyricgen.ui.events import BROWSER_EVENT, IMMEDIATE_EVENT, listen
from lyricgen.ui.tabs.write.song import MAX_LINKED_WORDS
from lyricgen.ui.tabs.write.tab import WriteTab

MAX_QUERY_LENGTH = 16_000  # characters; what lies behind is not read
MAX_VALUES = 64
SHORT_NAMES = {"t": "temperature", "len": "max_length"}
READ_QUERY = f"() => [location.search.slice(1, {MAX_QUERY_LENGTH + 1})]"
FOLLOW = "() => { lyricgen.follow(); }"


def connect_links(demo: gr.Blocks, write: WriteTab) -> None:
    """Wires the opening of a link, of the page's address or of a song in the page: inputs of Write, a song if the link names
    one, then tab and view."""
    query = gr.Textbox(visible=False, label="Query string")
    open_song = gr.Button("Open the link", visible="hidden", elem_id="open-link")  # clicked by page.js
    inputs = linked_inputs(write)

    def open_link(query: Any) -> list[Any]:
        values = read_query(query)
        missing = {name: component.value for name, component in inputs.items()} if "text" in values else {}
        return [
            link_value(component, values[name]) if name in values else missing.get(name, gr.skip())
            for name, component in inputs.items()
        ]

    triggers = [demo.load, open_song.click]
    opened = listen(triggers, open_link, query, list(inputs.values()), gpu=False, js=READ_QUERY, **IMMEDIATE_EVENT)
    opened.then(None, None, None, js=FOLLOW, **BROWSER_EVENT)


def linked_inputs(write: WriteTab) -> dict[str, gr.components.Component]:
    """The components that a link sets, by their names in it."""
    return {
        "text": write.prefix,
        "artist": write.artist,
        "model": write.settings.model,
        "temperature": write.temperature,
        **write.settings.others,
    }


def read_query(query: Any) -> dict[str, str]:
    """The values of a query string by name, the last of each; {} for what is none."""
    if not isinstance(query, str):
        return {}
    try:
        pairs = parse_qsl(query[:MAX_QUERY_LENGTH], keep_blank_values=True, max_num_fields=MAX_VALUES)
    except ValueError:
        return {}
    return {SHORT_NAMES.get(name, name): value for name, value in pairs}


def link_value(component: gr.components.Component, text: str) -> Any:
    """A value of a link for a component; an update that leaves it as it is where the value is not allowed."""
    if isinstance(component, gr.Textbox):
        return text[:MAX_LINKED_WORDS]
    if isinstance(component, gr.Checkbox):
        return {"true": True, "false": False}.get(text.lower(), gr.skip())
    if isinstance(component, (gr.Radio, gr.Dropdown)):
        return next((value for _, value in component.choices if str(value) == text), gr.skip())
    try:
        number = float(text)
    except ValueError:
        return gr.skip()
    if not math.isfinite(number):
        return gr.skip()
    if isinstance(component, gr.Slider):
        whole = isinstance(component.step, int) or component.step == 1
        return (int(number) if whole else number) if component.minimum <= number <= component.maximum else gr.skip()
    return number if 0 <= number <= 2 else gr.skip()
