"""The view of a text letter by letter, with each model's probabilities; `/score`."""

from functools import partial
from typing import Any

import gradio as gr
import numpy as np

from lyricgen.analysis.scoring import Score, TextPosition, compare
from lyricgen.endpoints import inside
from lyricgen.models.vocabulary import CHARACTERS
from lyricgen.resources import Resources
from lyricgen.ui.components import as_json, downloads, escaped, static
from lyricgen.ui.events import LATEST_EVENT, add_endpoint, listen
from lyricgen.ui.shared_text import TextBox

EXPLANATION = """
The model guesses every letter before it sees it. Pale: expected. Dark: a surprise. Surprise is counted in **bits**: 1 bit for a
50 % guess, 2 bits for 25 %. Point at a letter, tap it, or go from letter to letter with the arrow keys.
"""
SHADE_LIMITS = (0.5, 0.2, 0.05, 0.01, 0.001)  # probabilities below which a letter has the next colour
SCORE_LEGEND = {
    "title": "Probability",
    "classes": ["xr0", "xr1", "xr2", "xr3", "xr4", "xr5", "xru"],
    "labels": ["from 50 %", "from 20 %", "from 5 %", "from 1 %", "from 0.1 %", "less", "not scored"],
}
MAX_LINE_SHOWN = 80  # characters of a line in a table
TABLE: dict[str, Any] = {"interactive": False, "wrap": True, "visible": False}


def create_letters_view(resources: Resources, box: TextBox) -> None:
    """Adds the view's components and `/score`."""
    names = resources.model_names
    columns = {"column_widths": ["50%", *[f"{50 / len(names):.0f}%"] * len(names)], "max_height": 400, **TABLE}
    look = gr.Button("Read it", variant="primary", elem_id="xray", elem_classes="runs-on-open")
    summary = gr.Markdown(elem_id="xray-summary")
    view = gr.HTML(html_template="", js_on_load=static("xray.js"), apply_default_css=False, elem_id="xray-view")
    gr.Markdown(EXPLANATION)
    with gr.Accordion("Numbers", open=False):
        lines = gr.Dataframe(headers=["Line", *names], label="Bits of each line", elem_id="xray-lines", **columns)
        differences = gr.Dataframe(
            headers=["Letter", *names],
            label="Where the two models disagree most, in bits",
            elem_id="xray-differences",
            **columns,
        )
        files = gr.HTML(elem_id="xray-files")
    outputs = [summary, view, lines, differences, files]
    show = partial(show_scores, resources)
    listen([look.click, box.text.submit], show, [box.text, box.artist], outputs, **LATEST_EVENT)
    add_endpoint(resources, inside.score)


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


def shorten(text: str) -> str:
    """A line of the text for a table."""
    return text if len(text) <= MAX_LINE_SHOWN else f"{text[: MAX_LINE_SHOWN - 1]}…"


def in_context(position: TextPosition) -> str:
    """A letter of a text in brackets, between the letters around it."""
    return f"…{position.before}[{position.character}]{position.after}…".replace("\n", " ").replace("\r", " ")
