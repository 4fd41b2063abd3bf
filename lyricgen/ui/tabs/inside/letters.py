"""The view of a text letter by letter: how surprised each model was, and what it remembered; `/score`, `/saliency`."""

import html
from functools import partial
from typing import Any

import gradio as gr
import numpy as np

from lyricgen.analysis.activations import text_features
from lyricgen.analysis.saliency import Saliency
from lyricgen.analysis.scoring import HighSurprisal, Score, compare, symbols
from lyricgen.display import html_table, percent
from lyricgen.endpoints import inside
from lyricgen.models.memory import find_repeats
from lyricgen.models.text import ANY_ARTIST
from lyricgen.models.vocabulary import CHARACTERS
from lyricgen.resources import Resources
from lyricgen.ui.components import as_json, downloads, html_view, model_kind, model_label, script_view
from lyricgen.ui.events import IMMEDIATE_EVENT, LATEST_EVENT, add_endpoint, listen
from lyricgen.ui.inline_errors import error_line, with_error_line
from lyricgen.ui.shared_text import TextBox
from lyricgen.ui.tabs.inside.horizon import horizon_html
from lyricgen.validation import counted

EXPLANATION = """
The model guesses every letter before it sees it. Pale: expected. Dark: a surprise. Surprise is counted in **bits**: 1 bit for a
50 % guess, 2 bits for 25 %. Point at a letter, tap it, or go from letter to letter with the arrow keys.
"""
ON_MEMORY = """
## How long does it remember?
The darker a letter, the more it influences the prediction of the chosen one: a small change of it would change that
probability more (the gradient of its log-probability).
"""
SCORE_LEGEND = {
    "title": "Chance of the letter",
    "classes": ["xr0", "xr1", "xr2", "xr3", "xr4", "xr5", "xru"],
    "labels": ["50 % or more", "20 %", "5 %", "1 %", "0.1 %", "less", "not read"],
}
DIFFERENCE_SHADES = ("xn4", "xn3", "xn2", "xn1", "xr0", "xp1", "xp2", "xp3", "xp4")  # by whole bits of difference
MAX_LINE_SHOWN = 80  # characters of a line in a table
SURPRISES = 10
QUOTED_BEFORE, QUOTED_AFTER = 16, 8  # characters around a surprise
MAX_FIRST_POSITION = 1_000  # the letter that is chosen first is one of these
MAX_MEMORY_SHOWN = 600  # characters before a chosen one


def create_letters_view(resources: Resources, box: TextBox) -> None:
    """Adds the view's components, `/score` and `/saliency`."""
    look = gr.Button("Read it", variant="primary", elem_id="read-letters", elem_classes="runs-on-open")
    error = error_line("letters-error")
    with gr.Column(elem_classes="answers"):
        summary = html_view("letters-summary")
        view = script_view("letters.js", "letters-view")
        gr.Markdown(EXPLANATION)
        gr.Markdown(ON_MEMORY)
        position = gr.Number(0, precision=0, visible=False)
        memory_error = error_line("memory-error")
        memory = script_view("memory.js", "letters-memory")
        html_view("horizon", horizon_html(resources))
        with gr.Accordion("Numbers", open=False):
            numbers = html_view("letters-numbers")
    text = [box.text, box.artist]
    show = with_error_line(partial(show_scores, resources), 4)
    listen(look.click, show, text, [error, summary, view, memory, numbers], busy=look, **LATEST_EVENT)
    chosen = listen(view.select, selected_index, None, position, gpu=False, **IMMEDIATE_EVENT)
    remember = with_error_line(partial(show_memory, resources), 1)
    listen(chosen.then, remember, [*text, position], [memory_error, memory], **LATEST_EVENT)
    add_endpoint(resources, inside.score)
    add_endpoint(resources, inside.saliency)


def selected_index(event: gr.EventData) -> int:
    """The position of the letter that was chosen."""
    return event.index


def show_scores(resources: Resources, text: str, artist: str) -> tuple[str, str, str, str]:
    """The scores under all models: summary, coloured text, the memory of one letter, tables with files to download."""
    styles = known_artists(resources, artist)
    scores = [inside.score_text(resources, text, style, name) for name, style in styles.items()]
    memory = show_memory(resources, text, artist, first_position(scores[0]))
    return summary_html(scores), scores_json(scores), memory, numbers_html(scores)


def show_memory(resources: Resources, text: str, artist: str, position: int) -> str:
    """The influence on a letter's prediction under all models, as static/memory.js draws it."""
    return memory_json(
        [
            inside.saliency_of_text(resources, text, position, style, name)
            for name, style in known_artists(resources, artist).items()
        ]
    )


def known_artists(resources: Resources, artist: str) -> dict[str, str]:
    """The artist as whose song each model reads: any artist for one that it does not know, if another model does."""
    known = {name: resources.model(name).model.artists for name in resources.model_names}
    some = any(artist in artists for artists in known.values())
    return {name: artist if artist in artists or not some else ANY_ARTIST for name, artists in known.items()}


def first_position(score: Score) -> int:
    """The letter that is chosen first: the last that ends a repeated passage, where memory helps, else the most surprising."""
    repeated = text_features(score.text[:MAX_FIRST_POSITION])["repeated passage"]
    repeated = np.flatnonzero((repeated > 0) & (score.ranks[: len(repeated)] > 0))
    return int(repeated[-1]) if len(repeated) else score.most_surprising(1)[0].position


def summary_html(scores: list[Score]) -> str:
    """How hard each letter was for each model, and the notes."""
    hardness = [
        f"For the <b>{html.escape(model_label(score.model))}</b> each letter was as hard to guess as one of "
        f"<b>{2**score.bits_per_character:.1f}</b> ({score.bits_per_character:.3f} bits a letter)."
        for score in scores
    ]
    notes = "".join(f'<p class="soft">{html.escape(note)}</p>' for note in scores[0].notes)
    return f"<p>{' '.join(hardness)}</p>{notes}"


def scores_json(scores: list[Score]) -> str:
    """Scores as static/letters.js draws them: JSON, figures to four digits."""
    modes: list[dict[str, Any]] = [
        {"label": model_label(score.model), "panel": number, "classes": shades(score), "legend": SCORE_LEGEND}
        for number, score in enumerate(scores)
    ]
    if len(scores) == 2:
        labels = [model_label(score.model) for score in scores]
        modes.append(
            {"label": "difference", "panel": 0, "classes": difference_shades(*scores), "legend": _legend(labels)}
        )
    starts = [line.start for line in scores[0].lines]
    repeats = [
        [each.start, each.length, each.earlier]
        for each in find_repeats(symbols(scores[0].text, scores[0].labels.tolist()))
    ]
    panels = [*map(_panel, scores)]
    return as_json({"text": scores[0].text, "starts": starts, "panels": panels, "modes": modes, "repeats": repeats})


def _panel(score: Score) -> dict[str, Any]:
    """What a model predicted along a text."""
    return {
        "label": model_label(score.model),
        "kind": model_kind(score.model),
        "classes": shades(score),
        "probabilities": [float(f"{value:.4g}") for value in np.nan_to_num(score.probabilities).tolist()],
        "ranks": score.ranks.tolist(),
        "entropies": score.entropies.round(2).tolist(),
        "top": "".join(CHARACTERS[label] for label in score.top_labels.ravel().tolist()),
        "top_probabilities": [float(f"{value:.3g}") for value in score.top_probabilities.ravel().tolist()],
        "surprises": [*map(surprise, score.most_surprising(SURPRISES))],
    }


def surprise(letter: HighSurprisal) -> dict[str, Any]:
    """A letter of high surprise, with its context, its chance, and what was expected."""
    expected = ", ".join(
        "space" if candidate.character == " " else candidate.character for candidate in letter.candidates[:3]
    )
    return {
        "index": letter.position,
        "before": letter.before[-QUOTED_BEFORE:],
        "after": letter.after[:QUOTED_AFTER],
        "note": f"{percent(2**-letter.bits)}, expected {expected}",
    }


def _legend(labels: list[str]) -> dict[str, Any]:
    """The legend of the difference of two models."""
    first, second = labels
    texts = ["4 bits or more", "3", "2", "1", "equal", "1", "2", "3", "4 or more"]
    title = f"Easier for the {second} (blue) or for the {first} (orange), in bits"
    return {"title": title, "classes": DIFFERENCE_SHADES, "labels": texts}


def memory_json(saliencies: list[Saliency]) -> str:
    """Influences as static/memory.js draws them: JSON, as the square roots of shares of the largest, so that faint ones show."""
    first = saliencies[0]
    start = max(0, first.position - MAX_MEMORY_SHOWN)
    panels = []
    for found in saliencies:
        influence = found.influence[start:]
        largest = float(influence.max(initial=0.0)) or 1.0
        reach = f"90 % of the influence comes from the last {counted(found.reach, 'letter')}."
        panels.append(
            {
                "label": model_label(found.model),
                "kind": model_kind(found.model),
                "note": reach if found.position else "Nothing comes before the first letter.",
                "shades": np.sqrt(influence / largest).round(3).tolist(),
            }
        )
    before = first.text[start : first.position]
    return as_json(
        {"position": first.position, "letter": first.text[first.position], "before": before, "panels": panels}
    )


def shades(score: Score) -> list[str]:
    """The colour of each letter, as a class of the style sheet."""
    return ["xru" if step is None else f"xr{step}" for step in score.shades]


def difference_shades(first: Score, second: Score) -> list[str]:
    """The colour of each letter by the second model's bits minus the first's, in whole bits."""
    steps = np.rint(np.nan_to_num(first.log_probs - second.log_probs)).clip(-4, 4).astype(int) + 4
    return [DIFFERENCE_SHADES[step] for step in steps.tolist()]


def numbers_html(scores: list[Score]) -> str:
    """Bits of each line, the greatest differences, and tables to download."""
    names = [model_label(score.model) for score in scores]
    line_rows = [
        [shorten(lines[0].text), *(f"{line.bits_per_character:.3f}" if line.characters else "" for line in lines)]
        for lines in zip(*(score.lines for score in scores), strict=True)
    ]
    differences = compare(*scores).differences if len(scores) == 2 else ()
    difference_rows = [
        [difference.in_context, *(f"{bits:.2f}" for bits in difference.bits)] for difference in differences
    ]
    return (
        html_table("Bits a letter, by line", ["Line", *names], line_rows)
        + html_table("Where the two models disagree most, in bits", ["Letter", *names], difference_rows)
        + downloads({f"{score.model}.csv": score.to_csv().encode() for score in scores})
    )


def shorten(text: str) -> str:
    """A line of the text for a table."""
    return text if len(text) <= MAX_LINE_SHOWN else f"{text[: MAX_LINE_SHOWN - 1]}…"
