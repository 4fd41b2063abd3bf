"""The answer that marks the words of a text that occur in the training songs; `/originality`."""

import html
from functools import partial

import gradio as gr

from lyricgen.endpoints import inside
from lyricgen.memorization.originality import (
    CopiedRun,
    Originality,
    measure_originality,
    song_name,
)
from lyricgen.memorization.song_index import GRAM
from lyricgen.resources import Resources
from lyricgen.ui.components import escaped
from lyricgen.ui.events import LATEST_EVENT, add_endpoint, listen
from lyricgen.ui.shared_text import TextBox

EXPLANATION = f"""
**Has a song said this before?** Every {GRAM} words in a row of your text are looked up in the songs that the models learnt from.
Words that stand in a row in one of them are marked, with the song they stand in. Short runs are everyday English more often
than copies; long ones are quotations. The songs are not part of this project: it knows them as hashes of {GRAM} words in a row,
which can be asked and not read.
"""
RUNS_HEADER = ["Run", "Words", "Song", "Artist"]
RUNS_WIDTHS: list[str | int] = ["14%", "18%", "40%", "28%"]
MAX_ROWS = 200  # first runs shown in the table


def create_originality(resources: Resources, check: gr.Button, box: TextBox) -> None:
    """Adds the marked text, the table of its runs and `/originality`; `check` runs it."""
    gr.Markdown("## Copied?")
    summary = gr.Markdown(elem_id="original-summary")
    marked = gr.HTML(elem_id="original-marked")
    runs = gr.Dataframe(
        headers=RUNS_HEADER,
        column_widths=RUNS_WIDTHS,
        interactive=False,
        wrap=True,
        visible=False,
        label="Passages that occur in a song",
        elem_id="original-runs",
    )
    gr.Markdown(EXPLANATION)
    show, outputs = partial(show_originality, resources), [summary, marked, runs]
    listen(check.click, show, box.text, outputs, gpu=False, **LATEST_EVENT)
    add_endpoint(resources, inside.originality, gpu=False)
    add_endpoint(resources, inside.membership)


def show_originality(resources: Resources, text: str) -> tuple[str, str, gr.Dataframe]:
    """The summary, the marked text, and the table of its runs."""
    measured = measure_originality(text, resources.song_index)
    rows = run_rows(measured)
    return escaped(measured.summary), marked_text(measured), gr.Dataframe(rows, visible=bool(rows))


def marked_text(measured: Originality) -> str:
    """The text as HTML, its runs marked and numbered, with the song as the tooltip of each."""
    numbers = {run: number for number, run in enumerate(measured.runs, 1)}
    pieces = [
        f'<mark title="{html.escape(f"{run.words} words in {song_name(run)}")}">{html.escape(piece)}<sup>{numbers[run]}</sup></mark>'
        if run
        else html.escape(piece)
        for piece, run in measured.pieces()
    ]
    return f'<div class="marked">{"".join(pieces)}</div>'


def run_rows(measured: Originality) -> list[list[str]]:
    """The runs with their songs, numbered as they are marked."""
    return [
        [f"{number}", f"{run.words}", (run.title or "no title") + other_songs(run), run.artist]
        for number, run in enumerate(measured.runs[:MAX_ROWS], 1)
    ]


def other_songs(run: CopiedRun) -> str:
    """The number of further songs with a run, besides the named one; '' if none."""
    return f" (and {run.songs - 1:,} more)" if run.songs > 1 else ""
