"""The steering panel under a lyric: backtrack to a letter, choose another or type words, and continue."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from lyricgen.ui.components import escaped, static
from lyricgen.ui.events import SILENT_EVENT, listen

MAX_SHOWN_BEFORE = 40  # characters before the position
NAMES = {" ": "space", "\n": "line break", "\r": "line break", "\t": "tab"}
EXPLANATION = """
Click a letter of the lyric to take it back to there: the model reads what stands before it anew, and says what could come
instead. Choose one of these, or type words of your own, and it goes on from there, with the settings above.
"""


@dataclass(frozen=True, eq=False)
class SteeringPanel:
    """Components of the panel."""

    panel: gr.Accordion
    letters: gr.HTML
    position: gr.Number
    context: gr.Markdown
    choice: gr.Radio
    words: gr.Textbox
    go_on: gr.Button


def create_steering() -> SteeringPanel:
    """Adds the panel; the lyrics tab wires the events that run a model."""
    with gr.Accordion("Steer by hand", open=False, elem_id="steering") as panel:
        gr.Markdown(EXPLANATION)
        letters = gr.HTML(
            html_template="", js_on_load=static("steering.js"), apply_default_css=False, elem_id="steer-letters"
        )
        with gr.Row():
            position = gr.Number(
                0, precision=0, minimum=0, label="Letters that stay", min_width=160, scale=0, elem_id="steer-place"
            )
            context = gr.Markdown("Nothing is chosen yet.", elem_id="steer-told")
        choice = gr.Radio([], label="What could come there", visible=False, elem_id="steer-choice")
        with gr.Row(equal_height=True):
            words = gr.Textbox(label="Or in your own words", max_lines=2, min_width=200, elem_id="steer-own")
            go_on = gr.Button("Go on from here", variant="primary", scale=0, min_width=180, elem_id="go-on")
    listen(letters.select, selected_position, None, position, gpu=False, **SILENT_EVENT)
    listen(choice.input, lambda: "", None, words, gpu=False, **SILENT_EVENT)  # one or the other
    return SteeringPanel(panel, letters, position, context, choice, words, go_on)


def selected_position(event: gr.EventData) -> int:
    """The position of the letter that was clicked."""
    return event.index


def position_text(text: str, position: int) -> str:
    """A position in words: the letter there and the text before it."""
    before = escaped(text[max(0, position - MAX_SHOWN_BEFORE) : position])
    letter = f"**{escaped(visible(text[position]))}**" if position < len(text) else "the end"
    return f"… {before} | {letter}"


def visible(character: str) -> str:
    """A character if it is visible, else its name."""
    if character in NAMES:
        return NAMES[character]
    return character if character.isprintable() else f"U+{ord(character):04X}"


def labelled(candidate: dict[str, Any]) -> tuple[str, str]:
    """A letter to choose: its label with the probability, and the letter."""
    return f"{visible(candidate['character'])}  {candidate['probability']:.1%}", candidate["character"]
