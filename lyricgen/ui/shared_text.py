"""SharedText: one text for the tabs that look at a text. It is Write's lyric until the visitor types another."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from lyricgen.models.text import ANY_ARTIST
from lyricgen.ui.components import escaped
from lyricgen.ui.events import BROWSER_EVENT, IMMEDIATE_EVENT, listen

EXAMPLE_SOURCE = "An example. Write a song, or type your own text."
RUN_ON_OPEN = "() => { lyricgen.runOnOpen(); }"
TYPED_SOURCE = "Your own text."
SHARED_SONG = "(text, chosen) => lyricgen.sharedSong(text, chosen)"
READ_SONG = "() => { if (lyricgen.typed === null) lyricgen.runOnOpen(); }"  # a link may have opened the tab before
SUBMIT = "Ctrl and Enter: read it."  # see page.js


@dataclass(frozen=True, eq=False)
class TextBox:
    """A tab's copy of the shared text."""

    source: gr.Markdown
    """Where the text comes from, one line."""
    text: gr.Textbox
    artist: gr.Dropdown | None
    """The artist to read it as; None: the tab has no choice of artists."""


class SharedText:
    """The boxes that hold the shared text, kept equal: by `fill_on` from Write, unless the visitor has typed one since the song was
    begun, and among each other as one types.

    A button of the class `runs-on-open` in the same tab is clicked by page.js when its tab opens and the text has changed. Answers
    of the class `answers` are hidden as soon as another text is typed, until the button is pressed.
    """

    def __init__(self) -> None:
        self._boxes: list[TextBox] = []

    def add_box(self, name: str, example: str, artists: list[str] | None = None, **settings: Any) -> TextBox:
        """Adds a box to the tab that is being built.

        Args:
            name: the box's element id; its source has the id with '-source' behind it.
            example: the text until there is another.
            artists: the choices of artists to read the text as; None: no choice.
            settings: of the `gr.Textbox`.
        """
        source = gr.Markdown(EXAMPLE_SOURCE, elem_id=f"{name}-source", elem_classes="text-source")
        with gr.Row():
            settings = {"label": "Text", "lines": 3, "max_lines": 8, "scale": 3, "min_width": 260, **settings}
            text = gr.Textbox(example, elem_id=name, elem_classes="shared-text", **settings)
            artist = None
            if artists is not None:
                choices = [("no one in particular", ANY_ARTIST), *((artist, artist) for artist in artists)]
                artist = gr.Dropdown(
                    choices, value=ANY_ARTIST, label="Read it as a song by", min_width=200, elem_classes="shared-artist"
                )
        self._boxes.append(TextBox(source, text, artist))
        return self._boxes[-1]

    def connect(self) -> None:
        """Copies what is typed into a box to the others; called once all boxes are there. It runs in the browser."""
        sources = [box.source for box in self._boxes]
        for box in self._boxes:
            others = [other.text for other in self._boxes if other is not box]
            values = ", ".join(["text"] * len(others) + ["line"] * len(sources))
            copy = f'(text, source) => {{ const line = lyricgen.typed === text ? "{TYPED_SOURCE}" : source; return [{values}]; }}'
            inputs, outputs = [box.text, box.source], [*others, *sources]
            box.text.change(None, inputs, outputs, js=copy, **BROWSER_EVENT)
            if box.artist is not None:
                box.artist.input(None, None, None, js=RUN_ON_OPEN, **BROWSER_EVENT)

    def fill_on(self, trigger: Callable, lyrics: gr.components.Component, artist: gr.Dropdown) -> None:
        """Fills all boxes with Write's lyric and the artist it was written for at an event."""
        outputs: list[Any] = []
        for box in self._boxes:
            outputs += [box.source, box.text] + ([box.artist] if box.artist is not None else [])
        inputs = [lyrics, artist]
        filled = listen(trigger, self.updates, inputs, outputs, gpu=False, js=SHARED_SONG, **IMMEDIATE_EVENT)
        filled.then(None, None, None, js=READ_SONG, **BROWSER_EVENT)

    def updates(self, text: str | None, artist: str) -> list[Any]:
        """The values of all boxes for a lyric and its artist; None: they stay as they are."""
        if text is None:
            return [gr.skip()] * sum(2 + (box.artist is not None) for box in self._boxes)
        manner = "" if artist == ANY_ARTIST else f", in the style of {escaped(artist)}"
        source = f"Your song from Write{manner}. Type another text to look at that."
        values: list[Any] = []
        for box in self._boxes:
            values += [source, text] + ([artist] if box.artist is not None else [])
        return values
