"""The tab that shows a model's probabilities of a text, letter by letter, and its hidden units; `/score` and `/cells`."""

import json
from functools import partial
from typing import Any

import gradio as gr
import numpy as np

from lyricgen.analysis.activations import Activations
from lyricgen.analysis.scoring import Score, TextPosition, compare, line_starts
from lyricgen.endpoints import inside
from lyricgen.generation.settings import MAX_LYRIC_LENGTH
from lyricgen.models.text import ANY_ARTIST
from lyricgen.models.vocabulary import CHARACTERS
from lyricgen.resources import Resources
from lyricgen.ui.components import TextTarget, downloads, escaped, example_artist, static
from lyricgen.ui.events import RUN_ONCE_EVENT, SILENT_EVENT, add_endpoint, listen

EXPLANATION = """
A model reads a text one letter at a time and, before each letter, says how likely every letter is. **Bits per character** is
what it needs, on average, to be told the letter that came: 1 bit for a probability of 50 %, 2 bits for 25 %; fewer is better.
Point at a letter, tap it, or step through with the arrow keys, to see its **probability**, its **rank** among the 100
characters, the **entropy** (how unsure the model was before it) and the five likeliest.
"""
CELLS_EXPLANATION = """
Each layer is a row of numbers, its **hidden units**, that the model updates with every letter. Some follow something that a
person would name: the idea is from
[Karpathy, Johnson and Li (2015)](https://arxiv.org/abs/1506.02078), who found a unit that counts the position in a line and
another that switches on inside quotes (our songs hold no quotes to learn that from). Look at those that vary most, and at
those that follow a feature of the text by **Pearson's r**; *chance* is the largest |r| that any unit reaches with the feature
moved along the text, so look for more.
"""
EXAMPLES = [  # text, artist
    [inside.SCORED_EXAMPLE, ANY_ARTIST],
    ["i counted the trains and the trains counted me  i counted the trains and the trains counted me", ANY_ARTIST],
    ["oh oh oh we run we run we run until the lights are gone", "Coldplay"],
]
SHADE_LIMITS = (0.5, 0.2, 0.05, 0.01, 0.001)  # probabilities below which a letter has the next colour
SCORE_LEGEND = {
    "title": "Probability",
    "classes": ["xr0", "xr1", "xr2", "xr3", "xr4", "xr5", "xru"],
    "labels": ["from 50 %", "from 20 %", "from 5 %", "from 1 %", "from 0.1 %", "less", "not scored"],
}
SHADES = ("xn4", "xn3", "xn2", "xn1", "xr0", "xp1", "xp2", "xp3", "xp4")  # of an activation, from lowest to highest
UNIT_LEGEND = {
    "title": "As a share of its largest",
    "classes": SHADES,
    "labels": ["-1", "-¾", "-½", "-¼", "0", "¼", "½", "¾", "1"],
}
MAX_LINE_SHOWN = 80  # characters of a line in a table
TABLE: dict[str, Any] = {"interactive": False, "wrap": True, "visible": False}


def create_xray_tab(resources: Resources) -> TextTarget:
    """Adds the tab's components, `/score` and `/cells`."""
    names = resources.model_names
    columns = {"column_widths": ["50%", *[f"{50 / len(names):.0f}%"] * len(names)], "max_height": 400, **TABLE}
    gr.Markdown(EXPLANATION)
    text = gr.Textbox(
        inside.SCORED_EXAMPLE,
        label="Text",
        lines=3,
        max_lines=12,
        info=f"1 to {MAX_LYRIC_LENGTH:,} letters, read in lower case from the beginning of a song.",
        elem_id="xray-text",
    )
    artists = [ANY_ARTIST, *resources.artists()]
    artist = gr.Dropdown(artists, value=ANY_ARTIST, label="Artist", info="As if it were by.", elem_id="xray-artist")
    look = gr.Button("X-ray", variant="primary", elem_id="xray")
    summary = gr.Markdown(elem_id="xray-summary")
    view = gr.HTML(html_template="", js_on_load=static("xray.js"), apply_default_css=False, elem_id="xray-view")
    with gr.Row():
        lines = gr.Dataframe(
            headers=["Line", *names], label="Bits per character, by line", elem_id="xray-lines", **columns
        )
        differences = gr.Dataframe(
            headers=["Letter", *names], label="Where they differ most, in bits", elem_id="xray-differences", **columns
        )
    files = gr.HTML(elem_id="xray-files")
    outputs = [summary, view, lines, differences, files]
    target = TextTarget(text, partial(show_scores, resources), [text, artist], outputs, artist)
    listen([look.click, text.submit], target.show, target.inputs, target.outputs, **RUN_ONCE_EVENT)
    with gr.Accordion("Cells: hidden units along the text", open=False):
        _create_cells(resources, text, artist)
    examples = [[example, example_artist(resources, name)] for example, name in EXAMPLES]
    gr.Examples(examples, [text, artist], label="Texts to try (written for this page)", api_visibility="private")
    add_endpoint(resources, inside.score)
    add_endpoint(resources, inside.cells)
    return target


def _create_cells(resources: Resources, text: gr.Textbox, artist: gr.Dropdown) -> None:
    gr.Markdown(CELLS_EXPLANATION)
    with gr.Row():
        model = gr.Radio(resources.model_names, value=resources.default_model, label="Model", elem_id="cells-model")
        layer = gr.Number(0, precision=0, label="Layer", info="From 1; 0: the top one.", elem_id="cells-layer")
        unit = gr.Number(
            -1, precision=0, label="Unit", info="From 0; -1: the one that varies most.", elem_id="cells-unit"
        )
    see = gr.Button("Look at the cells", elem_id="see-cells")
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
    show, inputs = partial(show_cells, resources), [text, artist, model, layer, unit]
    outputs = [unit_name, choice, view, features]
    listen(see.click, show, inputs, outputs, **RUN_ONCE_EVENT)
    chosen = listen(choice.input, layer_and_unit, choice, [layer, unit], gpu=False, **SILENT_EVENT)
    listen(chosen.then, show, inputs, outputs, **RUN_ONCE_EVENT)


def show_scores(resources: Resources, text: str, artist: str) -> tuple[str, str, gr.Dataframe, gr.Dataframe, str]:
    """The scores under all models: summary, coloured text, lines, greatest differences, and the tables to download."""
    scores = [inside.score_text(resources, text, artist, name) for name in resources.model_names]
    differences = compare(*scores).differences if len(scores) == 2 else ()
    line_rows = [
        [
            shorten(lines[0].text),
            *(f"{line.bits_per_character:.3f}" if line.characters else "" for line in lines),
        ]
        for lines in zip(*(score.lines for score in scores), strict=True)
    ]
    difference_rows = [
        [in_context(difference), *(f"{bits:.2f}" for bits in difference.bits)] for difference in differences
    ]
    return (
        summary_text(scores),
        scores_json(scores),
        gr.Dataframe(line_rows, visible=True),
        gr.Dataframe(difference_rows, visible=bool(differences)),
        downloads({f"{score.model}.csv": score.to_csv().encode() for score in scores}),
    )


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


def summary_text(scores: list[Score]) -> str:
    """Bits per character of each model, and the notes."""
    figures = "; ".join(
        f"**{escaped(score.model)}**: **{score.bits_per_character:.3f}** bits per character ({score.bits:,.1f} bits for {score.characters:,} letters)"
        for score in scores
    )
    return " ".join([f"{figures}.", *(escaped(note) for note in scores[0].notes)])


def scores_json(scores: list[Score]) -> str:
    """Scores as static/xray.js draws them: JSON, figures to four digits."""
    panels = [
        {
            "name": score.model,
            "caption": f"{score.bits_per_character:.3f} bits per character",
            "classes": shades(score),
            "probabilities": [float(f"{value:.4g}") for value in np.nan_to_num(score.probabilities).tolist()],
            "ranks": score.ranks.tolist(),
            "entropies": score.entropies.round(2).tolist(),
            "top": "".join(CHARACTERS[label] for label in score.top_labels.ravel().tolist()),
            "top_probabilities": [float(f"{value:.3g}") for value in score.top_probabilities.ravel().tolist()],
        }
        for score in scores
    ]
    starts = [line.start for line in scores[0].lines]
    return as_json(
        {"kind": "score", "text": scores[0].text, "starts": starts, "panels": panels, "legend": SCORE_LEGEND}
    )


def shades(score: Score) -> list[str]:
    """The colour of each letter, as a class of the style sheet."""
    steps = (score.probabilities[:, None] < np.array(SHADE_LIMITS)).sum(axis=1)
    return [f"xr{step}" if rank else "xru" for step, rank in zip(steps.tolist(), score.ranks.tolist(), strict=True)]


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


def shorten(text: str) -> str:
    """A line of the text for a table."""
    return text if len(text) <= MAX_LINE_SHOWN else f"{text[: MAX_LINE_SHOWN - 1]}…"


def in_context(position: TextPosition) -> str:
    """A letter of a text in brackets, between the letters around it."""
    return f"…{position.before}[{position.character}]{position.after}…".replace("\n", " ").replace("\r", " ")


def as_json(value: dict[str, Any]) -> str:
    """JSON with every `<` escaped, so that no text can open a tag."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
