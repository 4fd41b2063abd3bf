"""The view of hidden units along a text, those first that follow something one can name; `/cells`."""

from functools import partial
from typing import Any

import gradio as gr
import numpy as np

from lyricgen.analysis.activations import Activations
from lyricgen.endpoints import inside
from lyricgen.endpoints.lyrics import UPDATE_INTERVAL, make_request
from lyricgen.generation.held_units import MAX_HELD_UNITS
from lyricgen.resources import Resources
from lyricgen.ui.components import as_json, cards, html_view, model_label, script_view
from lyricgen.ui.events import BROWSER_EVENT, IMMEDIATE_EVENT, LATEST_EVENT, add_endpoint, listen
from lyricgen.ui.inline_errors import error_line, with_error_line
from lyricgen.ui.shared_text import TextBox
from lyricgen.validation import check_text

EXPLANATION = """
Some neurons follow something that you can name, such as spaces or vowels. The bar shows how closely (Pearson's r), the grey mark
what chance alone would give: the largest |r| of any neuron with the same thing moved along the text.
"""
ON_CAUSES = """
## What does a neuron cause?
That a neuron follows something does not show that it matters. Hold up to three neurons at a value while the network writes on from
this text, with the same dice, and compare. **Silence** holds a neuron at 0; 1 and -1 are its ends.
"""
SOURCE = """
The idea is from [Karpathy, Johnson and Li (2015)](https://arxiv.org/abs/1506.02078), who found a neuron that counts the position
in a line and another that switches on inside quotes.
"""
SHADES = ("xn4", "xn3", "xn2", "xn1", "xr0", "xp1", "xp2", "xp3", "xp4")  # of an activation, from lowest to highest
UNIT_LEGEND = {
    "title": "As a share of its largest",
    "classes": SHADES,
    "labels": ["-1", "-¾", "-½", "-¼", "0", "¼", "½", "¾", "1"],
}
RISING_FEATURES = {
    "position in line": "along a line",
    "position in word": "along a word",
    "position in text": "along the text",
}
FEATURE_NAMES = {
    "section break": "between sections",
    "inside quotes": "inside quotes",
    "inside brackets": "inside brackets",
    "space": "on spaces",
    "start of a word": "on first letters of words",
    "word seen before": "in words seen before",
    "vowel": "on vowels",
    "punctuation": "on punctuation",
    "repeated passage": "in repeated passages",
}
MAX_CARDS = 8
MAX_SHOWN = 600  # characters of the text in a card
GATE_NAMES = {"input": "Input gate i", "forget": "Forget gate f", "output": "Output gate o"}
MAX_CONTINUED = 1_000  # characters of the text that are written on from, the last ones
CONTINUATION = 200  # characters written
CONTINUATION_TEMPERATURE = 0.6
CLICK_SEE = "() => { document.getElementById('see-cells').click(); }"  # a new model: it reads the text again
PROPOSE = "(units, found, before) => [!units || units === before ? found : units, found]"
"""The held neurons: those that were found, unless the visitor has typed or silenced others meanwhile."""


def create_neurons_view(resources: Resources, box: TextBox) -> None:
    """Adds the view's components and `/cells`."""
    choices = [(model_label(name), name) for name in resources.model_names]
    with gr.Row():
        model = gr.Radio(choices, value=resources.default_model, label="Model", elem_id="cells-model")
    see = gr.Button("Show the neurons", variant="primary", elem_id="see-cells", elem_classes="runs-on-open")
    error = error_line("cells-error")
    with gr.Column(elem_classes="answers"):
        gr.Markdown(f"## What do its neurons follow?\n{EXPLANATION}")
        neurons = script_view("neurons.js", "cells-view")
        with gr.Accordion("Choose a neuron yourself", open=False):
            with gr.Row():
                layer = gr.Number(
                    None, precision=0, label="Layer", info="From 1, the lowest.", placeholder="the top one"
                )
                unit = gr.Number(None, precision=0, label="Neuron", info="From 0.", placeholder="the most active")
            look = gr.Button("Show this neuron", elem_id="see-cell")
            unit_error = error_line("cell-error")
            one = script_view("neurons.js", "cell-view")
        gr.Markdown(ON_CAUSES)
        with gr.Row(equal_height=True):
            units = gr.Textbox(
                label="Neurons to hold",
                info="layer.neuron=value, up to three, separated by commas",
                max_lines=1,
                elem_id="held-units",
                scale=3,
            )
            seed = gr.Number(1, precision=0, label="Song number", info="The dice. -1: new each time.", min_width=160)
        hold = gr.Button("Write on", elem_id="write-on")
        hold_error = error_line("units-error")
        both = html_view("held-texts")
        gr.Markdown(SOURCE, elem_classes="small")
    text = [box.text, box.artist, model]
    found, before = (gr.Textbox(visible=False, label=label) for label in ("Neuron found", "Neuron found before"))
    no_neuron = "() => ['', null]"  # of the text before; registered first, since events run in their order
    see.click(None, None, [unit_error, one], js=no_neuron, **BROWSER_EVENT)
    show = with_error_line(partial(show_neurons, resources), 2)
    shown = listen(see.click, show, text, [error, neurons, found], busy=see, **LATEST_EVENT)
    model.input(None, None, None, js=CLICK_SEE, **BROWSER_EVENT)
    proposed = shown.success(None, [units, found, before], [units, before], js=PROPOSE, **BROWSER_EVENT)
    write = with_error_line(partial(show_continuations, resources), 1)
    writing: dict[str, Any] = {"inputs": [*text, units, seed], "outputs": [hold_error, both], **LATEST_EVENT}
    listen([hold.click, units.submit], write, busy=hold, **writing)
    silenced = listen(neurons.select, silence, units, units, gpu=False, **IMMEDIATE_EVENT)
    for event in (proposed.then, silenced.then):
        listen(event, write, **writing)
    show_one = with_error_line(partial(show_unit, resources), 1)
    listen(look.click, show_one, [*text, layer, unit], [unit_error, one], busy=look, **LATEST_EVENT)
    add_endpoint(resources, inside.cells)


def show_neurons(resources: Resources, text: str, artist: str, model: str) -> tuple[str, str]:
    """The neurons that follow a feature of the text more closely than chance, as static/neurons.js draws them, and the first of
    them as a neuron to silence."""
    cells, facts = inside.read_unit(resources, text, artist, model, 0, -1)
    found = following(cells, facts["features"])
    first = found[0]["unit"] if found else f"{facts['layer']}.{facts['unit']}"
    return cards_json(cells, found), f"{first}=0"


def silence(units: str | None, event: gr.EventData) -> str:
    """The held neurons with the chosen one silenced; the last three."""
    parts = [part.strip() for part in (units or "").split(",")]
    kept = [part for part in parts if part and not part.startswith(f"{event.unit}=")]
    return ", ".join([*kept, f"{event.unit}=0"][-MAX_HELD_UNITS:])


def show_continuations(resources: Resources, text: str, artist: str, model: str, units: str | None, seed: int) -> str:
    """What the model writes after the text, untouched and with neurons held, as cards; '' where none is to be held."""
    if not units:
        return ""
    prefix = check_text("text", text)[-MAX_CONTINUED:]
    untouched = make_request(
        resources,
        prefix,
        model,
        seed=seed,
        artist=artist,
        temperature=CONTINUATION_TEMPERATURE,
        max_length=len(prefix) + CONTINUATION,
        clean_words=True,
    )
    requests = [untouched, untouched.with_settings(units=units)]
    *_, outputs = resources.stream_together(requests, UPDATE_INTERVAL)
    headings = ["Untouched", f"With {requests[1].settings.units} held"]
    texts = [untouched.shown(output.text)[len(prefix) :] for output in outputs]
    return cards(zip(headings, texts, strict=True))


def show_unit(resources: Resources, text: str, artist: str, model: str, layer: int | None, unit: int | None) -> str:
    """The activation of one neuron, and the memory cell of an LSTM's, as static/neurons.js draws them; of an empty box the top layer
    or the most active neuron."""
    cells, facts = inside.read_unit(resources, text, artist, model, layer or 0, -1 if unit is None else unit)
    return cards_json(cells, unit_cards(facts))


def following(cells: Activations, features: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A card for the best neuron of each feature that it follows more closely than chance, the closest first."""
    best = [
        (feature, feature["units"][0])
        for feature in features
        if not feature["constant"] and abs(feature["units"][0]["r"]) > feature["chance"]
    ]
    best.sort(key=lambda pair: pair[0]["chance"] - abs(pair[1]["r"]))
    return [
        {
            "name": unit_name(feature["feature"], unit["r"]),
            "unit": f"{unit['layer']}.{unit['unit']}",
            "note": f"layer {unit['layer']}, neuron {unit['unit']}: r = {unit['r']:.2f}, chance {feature['chance']:.2f}",
            "r": round(unit["r"], 3),
            "chance": round(feature["chance"], 3),
            **_values(cells.hidden[unit["layer"] - 1, :, unit["unit"]]),
        }
        for feature, unit in best[:MAX_CARDS]
    ]


def unit_name(feature: str, r: float) -> str:
    """What a neuron does that correlates with a feature by r.

    >>> unit_name("vowel", 0.7), unit_name("position in line", -0.5)
    ('High on vowels', 'Falls along a line')
    """
    if feature in RISING_FEATURES:
        return f"{'Rises' if r > 0 else 'Falls'} {RISING_FEATURES[feature]}"
    return f"{'High' if r > 0 else 'Low'} {FEATURE_NAMES[feature]}"


def unit_cards(facts: dict[str, Any]) -> list[dict[str, Any]]:
    """A card for a neuron's activation; for an LSTM's also its memory cell and its gates."""
    place = f"layer {facts['layer']} of {facts['layers']}, neuron {facts['unit']} of {facts['units']}"
    kinds = [("Activation h", facts["activations"]), ("Memory cell c", facts["cell_states"])]
    kinds += [(GATE_NAMES[name], values) for name, values in (facts["gates"] or {}).items()]
    return [{"name": name, "note": place, **_values(np.array(values))} for name, values in kinds if values is not None]


def _values(values: np.ndarray) -> dict[str, Any]:
    """The first values of a unit and their colours, by shares of its largest along the whole text."""
    largest = max(float(np.abs(values).max()), 1e-9)
    steps = np.rint(4 * values[:MAX_SHOWN] / largest).astype(int) + 4
    return {"classes": [SHADES[step] for step in steps.tolist()], "values": values[:MAX_SHOWN].round(3).tolist()}


def cards_json(cells: Activations, cards: list[dict[str, Any]]) -> str:
    """Cards with the text that they are about, as JSON."""
    return as_json({"text": cells.text[:MAX_SHOWN], "cards": cards, "legend": UNIT_LEGEND})
