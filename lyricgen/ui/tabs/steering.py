"""Steering by hand, under a lyric: take it back to a letter, choose another or type one's own, and go on; `/alternatives`."""

from dataclasses import dataclass

import gradio as gr

from lyricgen.analysis.scoring import Candidate
from lyricgen.analysis.scoring import alternatives as expected_next
from lyricgen.devices import with_gpu
from lyricgen.errors import ArgumentError
from lyricgen.models.text import ANY_ARTIST
from lyricgen.resources import Resources
from lyricgen.ui.components import PRIVATE_EVENT, escaped
from lyricgen.ui.events import raises_gradio_error
from lyricgen.validation import check_integer

OFFERED = 10  # letters to choose from
SHOWN_BEFORE = 40  # characters that are shown before the place
NAMES = {" ": "space", "\n": "line break", "\r": "line break", "\t": "tab"}
EXPLANATION = """
Click a letter of the lyric to take it back to there: the model reads what stands before it anew, and says what could come
instead. Choose one of these, or type words of your own, and it goes on from there, with the settings above.
"""
SCRIPT = """
// Draws a lyric letter by letter; a letter that is clicked is sent. What is written reaches the page as text nodes only.
const root = document.createElement("div");
root.className = "steer-letters";
element.append(root);
function draw() {
  root.replaceChildren(...Array.from(props.value || "", (letter, at) => {
    const span = document.createElement("span");
    span.textContent = letter;
    span.place = at;
    return span;
  }));
}
root.addEventListener("click", (event) => {
  if (event.target.place === undefined) return;
  root.querySelectorAll(".steer-on").forEach((one) => one.classList.remove("steer-on"));
  event.target.classList.add("steer-on");
  trigger("select", { index: event.target.place });
});
draw();
watch("value", draw);
"""


@dataclass(frozen=True)
class Steering:
    """What the lyrics tab needs of it: where the letters are shown, and what goes on."""

    panel: gr.Accordion
    letters: gr.HTML
    place: gr.Number
    choice: gr.Radio
    own: gr.Textbox
    go_on: gr.Button


def create_steering(resources: Resources, lyrics: gr.Textbox, artist: gr.Dropdown, model: gr.Radio) -> Steering:
    """Adds the components under a lyric, and the API's `/alternatives`; the tab wires what goes on."""
    with gr.Accordion("Steer by hand", open=False, elem_id="steering") as panel:
        gr.Markdown(EXPLANATION)
        letters = gr.HTML(html_template="", js_on_load=SCRIPT, apply_default_css=False, elem_id="steer-letters")
        with gr.Row():
            place = gr.Number(
                0, precision=0, minimum=0, label="Letters that stay", min_width=160, scale=0, elem_id="steer-place"
            )
            told = gr.Markdown("Nothing is chosen yet.", elem_id="steer-told")
        choice = gr.Radio([], label="What could come there", visible=False, elem_id="steer-choice")
        with gr.Row(equal_height=True):
            own = gr.Textbox(label="Or in your own words", max_lines=2, min_width=200, elem_id="steer-own")
            go_on = gr.Button("Go on from here", variant="primary", scale=0, min_width=180, elem_id="go-on")

    @raises_gradio_error
    def offer(text, place, artist, model):
        if not text:
            raise ArgumentError("there is no lyric yet to be steered; write one first")
        place = check_integer("letters that stay", place, 0, len(text))
        found = resources.ask(model, lambda one: expected_next(text, place, artist=artist, model=one, count=OFFERED))
        return tell(text, place), gr.Radio([(named(one), one.character) for one in found], value=None, visible=True)

    @with_gpu
    @raises_gradio_error
    def alternatives(
        text: str = "the night is ",
        position: int = 4,
        artist: str = ANY_ARTIST,
        model: str = resources.default_model,
        temperature: float = 1.0,
        count: int = OFFERED,
    ) -> list[dict]:
        """The characters that could stand at a place of a text, the likeliest first, each with its probability.

        Args:
            text: up to 5,000 characters; only those before the position count.
            position: from 0, the beginning, to the text's length, which asks for what comes next.
            artist: as if it were by; 'any artist' for none in particular.
            model: lstm or vanilla-rnn.
            temperature: what the logits are divided by, 0 to 100.
            count: how many, 1 to 100.
        """
        settings = {"artist": artist, "temperature": temperature, "count": count}
        found = resources.ask(model, lambda one: expected_next(text, position, model=one, **settings))
        return [{"character": one.character, "probability": one.probability} for one in found]

    def clicked(event: gr.EventData):
        return event.index

    hidden = {**PRIVATE_EVENT, "show_progress": "hidden"}
    letters.select(clicked, None, place, **hidden)
    place.change(offer, [lyrics, place, artist, model], [told, choice], **hidden, trigger_mode="always_last")
    choice.input(lambda: "", None, own, **hidden)  # one or the other
    gr.api(alternatives, api_name="alternatives")
    return Steering(panel, letters, place, choice, own, go_on)


def steered(text: str, place: int, choice: str | None, own: str) -> str:
    """What a lyric goes on from: so many of its letters, and behind them the words typed or the letter chosen.

    Raises:
        ArgumentError: neither is given.
    """
    if not (own or choice):
        raise ArgumentError("choose a letter, or type words of your own, to go on with")
    return text[: check_integer("letters that stay", place, 0, len(text))] + (own or choice)


def tell(text: str, place: int) -> str:
    """A place in words: what stands there and before it."""
    before = escaped(text[max(0, place - SHOWN_BEFORE) : place])
    there = f"**{escaped(visible(text[place]))}**" if place < len(text) else "the end"
    return f"… {before} | {there}"


def visible(character: str) -> str:
    """A character that can be seen, or its name."""
    if character in NAMES:
        return NAMES[character]
    return character if character.isprintable() else f"U+{ord(character):04X}"


def named(one: Candidate) -> str:
    """A letter to choose, with its probability."""
    return f"{visible(one.character)}  {one.probability:.1%}"
