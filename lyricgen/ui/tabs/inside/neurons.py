"""The view of hidden units along a text; `/cells`."""

from functools import partial
from typing import Any

import gradio as gr
import numpy as np

from lyricgen.analysis.activations import Activations
from lyricgen.analysis.scoring import line_starts
from lyricgen.endpoints import inside
from lyricgen.resources import Resources
from lyricgen.ui.components import as_json, static
from lyricgen.ui.events import LATEST_EVENT, SILENT_EVENT, add_endpoint, listen
from lyricgen.ui.shared_text import TextBox

EXPLANATION = """
Each layer is a row of numbers, its **hidden units**, that the model updates with every letter. Some follow something that a
person would name: the idea is from
[Karpathy, Johnson and Li (2015)](https://arxiv.org/abs/1506.02078), who found a unit that counts the position in a line and
another that switches on inside quotes (our songs hold no quotes to learn that from). Look at those that vary most, and at
those that follow a feature of the text by **Pearson's r**; *chance* is the largest |r| that any unit reaches with the feature
moved along the text, so look for more.
"""
SHADES = ("xn4", "xn3", "xn2", "xn1", "xr0", "xp1", "xp2", "xp3", "xp4")  # of an activation, from lowest to highest
UNIT_LEGEND = {
    "title": "As a share of its largest",
    "classes": SHADES,
    "labels": ["-1", "-¾", "-½", "-¼", "0", "¼", "½", "¾", "1"],
}
TABLE: dict[str, Any] = {"interactive": False, "wrap": True, "visible": False}


def create_neurons_view(resources: Resources, box: TextBox) -> None:
    """Adds the view's components and `/cells`."""
    with gr.Row():
        model = gr.Radio(resources.model_names, value=resources.default_model, label="Model", elem_id="cells-model")
        layer = gr.Number(0, precision=0, label="Layer", info="From 1; 0: the top one.", elem_id="cells-layer")
        unit = gr.Number(
            -1, precision=0, label="Unit", info="From 0; -1: the one that varies most.", elem_id="cells-unit"
        )
    see = gr.Button("Show the neurons", variant="primary", elem_id="see-cells", elem_classes="runs-on-open")
    unit_name = gr.Markdown(elem_id="cells-told")
    choice = gr.Dropdown([], label="Units to look at", visible=False, elem_id="cells-chosen")
    view = gr.HTML(html_template="", js_on_load=static("xray.js"), apply_default_css=False, elem_id="cells-view")
    features = gr.Dataframe(
        headers=["Feature", "Units: r", "Chance"],
        column_widths=["32%", "43%", "25%"],
        label="Which units (layer/unit) follow what",
        elem_id="cells-features",
        **TABLE,
    )
    gr.Markdown(EXPLANATION)
    show, inputs = partial(show_cells, resources), [box.text, box.artist, model, layer, unit]
    outputs = [unit_name, choice, view, features]
    listen(see.click, show, inputs, outputs, **LATEST_EVENT)
    chosen = listen(choice.input, layer_and_unit, choice, [layer, unit], gpu=False, **SILENT_EVENT)
    listen(chosen.then, show, inputs, outputs, **LATEST_EVENT)
    add_endpoint(resources, inside.cells)


def show_cells(
    resources: Resources, text: str, artist: str, model: str, layer: int, unit: int
) -> tuple[str, gr.Dropdown, str, gr.Dataframe]:
    """A hidden unit along the text: its name, other units to choose, the coloured text, and the features."""
    cells, facts = inside.read_unit(resources, text, artist, model, layer, unit)
    return (
        f"Layer {facts['layer']} of {facts['layers']}, unit {facts['unit']} of {facts['units']} "
        f"(they count from 0), {facts['model']}.",
        gr.Dropdown(unit_choices(facts), value=None, visible=True),
        unit_json(cells, facts),
        gr.Dataframe([feature_row(feature) for feature in facts["features"]], visible=True),
    )


def layer_and_unit(choice: str) -> tuple[int, int]:
    """The layer and the unit of a choice of `unit_choices`."""
    layer, unit = choice.split(":")
    return int(layer), int(unit)


def unit_json(cells: Activations, facts: dict[str, Any]) -> str:
    """A unit, and the cell state of an LSTM's, as static/xray.js draws them."""
    panels = []
    for name, values in (("activation h", facts["activations"]), ("memory c", facts["cell_states"])):
        if values is not None:
            panels.append(_unit_panel(name, np.array(values)))
    starts = line_starts(cells.text)
    return as_json({"kind": "unit", "text": cells.text, "starts": starts, "panels": panels, "legend": UNIT_LEGEND})


def _unit_panel(name: str, values: np.ndarray) -> dict[str, Any]:
    largest = max(float(np.abs(values).max()), 1e-9)
    steps = np.rint(4 * values / largest).astype(int) + 4
    return {
        "name": name,
        "caption": f"from {values.min():.3f} to {values.max():.3f}",
        "classes": [SHADES[step] for step in steps.tolist()],
        "values": values.round(4).tolist(),
    }


def unit_choices(facts: dict[str, Any]) -> list[tuple[str, str]]:
    """Choices of units as (label, 'layer:unit'): the most varying ones, and the best of each feature."""
    choices = [(unit, f"varies, deviation {unit['deviation']:.2f}") for unit in facts["varying"]]
    choices += [
        (unit, f"{feature['feature']}, r = {unit['r']:.2f}")
        for feature in facts["features"]
        for unit in feature["units"][:1]
    ]
    return [
        (f"layer {unit['layer']}, unit {unit['unit']}: {reason}", f"{unit['layer']}:{unit['unit']}")
        for unit, reason in choices
    ]


def feature_row(feature: dict[str, Any]) -> list[str]:
    """A feature and the units that correlate with it, as a row of the table."""
    if feature["constant"]:
        return [feature["feature"], "none: the same at every letter here", ""]
    units = ", ".join(f"{unit['layer']}/{unit['unit']}: {unit['r']:.2f}" for unit in feature["units"])
    return [feature["feature"], units, f"{feature['chance']:.2f}"]
