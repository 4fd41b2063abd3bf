"""The tab that shows what the models think of a text, letter by letter, and their hidden units; `/score` and `/cells`."""

import json
from dataclasses import replace
from pathlib import Path

import gradio as gr
import numpy as np

from lyricgen.analysis.activations import Activations, read_cells, unit_facts
from lyricgen.analysis.scoring import Score, TextPosition, compare, line_starts
from lyricgen.analysis.scoring import score as score_text
from lyricgen.devices import with_gpu
from lyricgen.generation.settings import MAX_LYRIC_LENGTH
from lyricgen.models.text import ANY_ARTIST
from lyricgen.models.vocabulary import CHARACTERS
from lyricgen.resources import Resources
from lyricgen.ui.components import PRIVATE_EVENT, RUN_ONCE_EVENT, TextTarget, downloads, escaped
from lyricgen.ui.events import raises_gradio_error

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
EXAMPLE = (
    "the lamp by the window was burning all night  hold on to the line till the morning is bright  "
    "the lamp by the window was burning all night  oh oh oh the quixotic zebra takes flight"
)
EXAMPLES = [
    [EXAMPLE, ANY_ARTIST],
    ["i counted the trains and the trains counted me  i counted the trains and the trains counted me", ANY_ARTIST],
    ["oh oh oh we run we run we run until the lights are gone", "Coldplay"],
]
LIKELY = (0.5, 0.2, 0.05, 0.01, 0.001)  # probabilities below which a letter has the next colour
SCORE_LEGEND = {
    "title": "Probability",
    "classes": ["xr0", "xr1", "xr2", "xr3", "xr4", "xr5", "xru"],
    "labels": ["from 50 %", "from 20 %", "from 5 %", "from 1 %", "from 0.1 %", "less", "not scored"],
}
SHADES = ("xn4", "xn3", "xn2", "xn1", "xr0", "xp1", "xp2", "xp3", "xp4")  # of an activation, from lowest to highest
MOST_VARYING = "the one that varies most"
SCRIPT, CSS = (
    (Path(__file__).parents[1] / "static" / f"xray.{kind}").read_text(encoding="utf-8") for kind in ("js", "css")
)


def create_xray_tab(resources: Resources) -> TextTarget:
    """Adds the tab's components and its API."""
    names = resources.model_names
    widths = ["50%", *[f"{50 / len(names):.0f}%"] * len(names)]
    gr.Markdown(EXPLANATION)
    text = gr.Textbox(
        EXAMPLE,
        label="Text",
        lines=3,
        max_lines=12,
        info=f"1 to {MAX_LYRIC_LENGTH:,} letters, read in lower case from the beginning of a song.",
        elem_id="xray-text",
    )
    artist = gr.Dropdown(
        [ANY_ARTIST, *resources.artists()], value=ANY_ARTIST, label="Artist", info="As if it were by.", elem_id="xray-artist"
    )  # fmt: skip
    look = gr.Button("X-ray", variant="primary", elem_id="xray")
    summary = gr.Markdown(elem_id="xray-summary")
    view = gr.HTML(html_template="", js_on_load=SCRIPT, apply_default_css=False, elem_id="xray-view")
    with gr.Row():
        lines = gr.Dataframe(headers=["Line", *names], column_widths=widths, interactive=False, wrap=True, max_height=400, label="Bits per character, by line", elem_id="xray-lines", visible=False)  # fmt: skip
        differences = gr.Dataframe(headers=["Letter", *names], column_widths=widths, interactive=False, wrap=True, max_height=400, label="Where they differ most, in bits", elem_id="xray-differences", visible=False)  # fmt: skip
    files = gr.HTML(elem_id="xray-files")
    with gr.Accordion("Cells: hidden units along the text", open=False):
        gr.Markdown(CELLS_EXPLANATION)
        with gr.Row():
            model = gr.Radio(names, value=resources.default_model, label="Model", elem_id="cells-model")
            layer = gr.Number(0, precision=0, label="Layer", info="From 1; 0: the top one.", elem_id="cells-layer")
            unit = gr.Number(-1, precision=0, label="Unit", info=f"From 0; -1: {MOST_VARYING}.", elem_id="cells-unit")
        see = gr.Button("Look at the cells", elem_id="see-cells")
        told = gr.Markdown(elem_id="cells-told")
        chosen = gr.Dropdown([], label="Units to look at", visible=False, elem_id="cells-chosen")
        cells_view = gr.HTML(html_template="", js_on_load=SCRIPT, apply_default_css=False, elem_id="cells-view")
        features = gr.Dataframe(headers=["Feature", "Units: r", "Chance"], column_widths=["32%", "43%", "25%"], interactive=False, wrap=True, label="Which units (layer/unit) follow what", elem_id="cells-features", visible=False)  # fmt: skip
    gr.Examples(EXAMPLES, [text, artist], label="Texts to try (written for this page)", api_visibility="private")

    @with_gpu
    @raises_gradio_error
    def show(text, artist):
        scores = [scored(resources, text, artist, name) for name in names]
        apart = compare(*scores).differences if len(scores) == 2 else ()
        line_rows = [
            [in_brief(lines[0].text), *(f"{line.bits_per_character:.3f}" if line.characters else "" for line in lines)]
            for lines in zip(*(one.lines for one in scores), strict=True)
        ]
        return (
            summarise(scores),
            drawn(scores),
            gr.Dataframe(line_rows, visible=True),
            gr.Dataframe([[marked(one), *(f"{bits:.2f}" for bits in one.bits)] for one in apart], visible=bool(apart)),
            downloads({f"{one.model}.csv": one.to_csv().encode() for one in scores}),
        )

    @with_gpu
    @raises_gradio_error
    def show_cells(text, artist, model, layer, unit):
        cells, facts = looked_at(resources, text, artist, model, layer, unit)
        choices = offered(facts)
        return (
            f"Layer {facts['layer']} of {facts['layers']}, unit {facts['unit']} of {facts['units']} "
            f"(they count from 0), {model}.",
            gr.Dropdown(choices, value=None, visible=True),
            drawn_unit(cells, facts),
            gr.Dataframe([feature_row(one) for one in facts["features"]], visible=True),
        )

    @raises_gradio_error
    def choose(place):
        layer, unit = place.split(":")
        return int(layer), int(unit)

    @with_gpu
    @raises_gradio_error
    def score(text: str = EXAMPLE, artist: str = ANY_ARTIST, model: str = "lstm") -> dict:
        """What a model thinks of a text: bits per character in all and by line, and of each character its probability,
        log-probability in bits, rank, the entropy in bits before it, and the five likeliest.

        Args:
            text: 1 to 5,000 characters, read in lower case; those outside string.printable are not scored.
            artist: as if it were by; 'any artist' for none in particular.
            model: lstm or vanilla-rnn.
        """
        return scored(resources, text, artist, model).to_dict()

    @with_gpu
    @raises_gradio_error
    def cells(
        text: str = EXAMPLE, artist: str = ANY_ARTIST, model: str = "lstm", layer: int = 0, unit: int = -1
    ) -> dict:
        """The activation of a hidden unit after each character of a text, the units of its layer that vary most, and for
        each feature of the text (position in a line, inside quotes, vowel, ...) the units that correlate with it most.

        Args:
            text: 1 to 5,000 characters.
            artist: as if it were by; 'any artist' for none in particular.
            model: lstm or vanilla-rnn.
            layer: from 1; 0: the top one.
            unit: from 0; -1: the one of the layer that varies most.
        """
        return looked_at(resources, text, artist, model, layer, unit)[1]

    inputs, outputs = [text, artist], [summary, view, lines, differences, files]
    gr.on([look.click, text.submit], show, inputs, outputs, **RUN_ONCE_EVENT)
    asked, told_of = [text, artist, model, layer, unit], [told, chosen, cells_view, features]
    see.click(show_cells, asked, told_of, **RUN_ONCE_EVENT)
    chosen.input(choose, chosen, [layer, unit], **{**PRIVATE_EVENT, "show_progress": "hidden"}).then(
        show_cells, asked, told_of, **RUN_ONCE_EVENT
    )
    gr.api(score, api_name="score")
    gr.api(cells, api_name="cells")
    return TextTarget(text, show, inputs, outputs, artist)


def scored(resources: Resources, text: str, artist: str, name: str) -> Score:
    """The score by a model of that name."""
    name = resources.model(name).name
    return replace(resources.ask(name, lambda model: score_text(text, artist=artist, model=model)), model=name)


def looked_at(
    resources: Resources, text: str, artist: str, name: str, layer: int, unit: int
) -> tuple[Activations, dict]:
    """The hidden units of a model of that name, and what is to be told of one; layer 0 and unit -1 as `/cells` has them."""
    name = resources.model(name).name
    cells = resources.ask(name, lambda model: read_cells(text, artist=artist, model=model))
    facts = unit_facts(cells, None if layer == 0 else layer, None if unit == -1 else unit)
    return cells, {**facts, "model": name}


def summarise(scores: list[Score]) -> str:
    """Bits per character of each model, and the notes."""
    figures = "; ".join(
        f"**{escaped(one.model)}**: **{one.bits_per_character:.3f}** bits per character ({one.bits:,.1f} bits for {one.characters:,} letters)"
        for one in scores
    )
    return " ".join([f"{figures}.", *(escaped(note) for note in scores[0].notes)])


def drawn(scores: list[Score]) -> str:
    """Scores as what the page's script draws: JSON, figures to four digits."""
    panels = [
        {
            "name": one.model,
            "caption": f"{one.bits_per_character:.3f} bits per character",
            "classes": shades(one),
            "probabilities": [float(f"{value:.4g}") for value in np.nan_to_num(one.probabilities).tolist()],
            "ranks": one.ranks.tolist(),
            "entropies": one.entropies.round(2).tolist(),
            "top": "".join(CHARACTERS[label] for label in one.top_labels.ravel().tolist()),
            "top_probabilities": [float(f"{value:.3g}") for value in one.top_probabilities.ravel().tolist()],
        }
        for one in scores
    ]
    starts = [line.start for line in scores[0].lines]
    return as_json(
        {"kind": "score", "text": scores[0].text, "starts": starts, "panels": panels, "legend": SCORE_LEGEND}
    )


def shades(score: Score) -> list[str]:
    """The colour of each letter, as a class of the style sheet."""
    steps = (score.probabilities[:, None] < np.array(LIKELY)).sum(axis=1)
    return [f"xr{step}" if rank else "xru" for step, rank in zip(steps.tolist(), score.ranks.tolist(), strict=True)]


def drawn_unit(cells: Activations, facts: dict) -> str:
    """A unit, and the memory of an LSTM's, as what the page's script draws."""
    panels = []
    for name, values in (("activation h", facts["activations"]), ("memory c", facts["cell_states"])):
        if values is not None:
            values = np.array(values)
            largest = max(float(np.abs(values).max()), 1e-9)
            steps = np.rint(4 * values / largest).astype(int) + 4
            panels.append(
                {
                    "name": name,
                    "caption": f"from {values.min():.3f} to {values.max():.3f}",
                    "classes": [SHADES[step] for step in steps.tolist()],
                    "values": values.round(4).tolist(),
                }
            )
    legend = {
        "title": "As a share of its largest",
        "classes": SHADES,
        "labels": ["-1", "-¾", "-½", "-¼", "0", "¼", "½", "¾", "1"],
    }
    return as_json(
        {"kind": "unit", "text": cells.text, "starts": line_starts(cells.text), "panels": panels, "legend": legend}
    )


def offered(facts: dict) -> list[tuple[str, str]]:
    """The units to look at: those that vary most, and the best of each feature."""
    choices = [
        (f"layer {one['layer']}, unit {one['unit']}: varies, deviation {one['deviation']:.2f}", f"{one['layer']}:{one['unit']}")
        for one in facts["varying"]
    ]  # fmt: skip
    for one in facts["features"]:
        for best in one["units"][:1]:
            name = f"layer {best['layer']}, unit {best['unit']}: {one['feature']}, r = {best['r']:.2f}"
            choices.append((name, f"{best['layer']}:{best['unit']}"))
    return choices


def feature_row(one: dict) -> list[str]:
    """A feature and the units that follow it, as a row of the table."""
    if one["constant"]:
        return [one["feature"], "none: the same at every letter here", ""]
    units = ", ".join(f"{unit['layer']}/{unit['unit']}: {unit['r']:.2f}" for unit in one["units"])
    return [one["feature"], units, f"{one['chance']:.2f}"]


def in_brief(text: str, width: int = 80) -> str:
    """A line of the text for a table."""
    return text if len(text) <= width else f"{text[: width - 1]}…"


def marked(place: TextPosition) -> str:
    """A letter of a text in brackets, with what stands around it."""
    return f"…{place.before}[{place.character}]{place.after}…".replace("\n", " ").replace("\r", " ")


def as_json(value: dict) -> str:
    """JSON that holds no tag, whatever the text does."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
