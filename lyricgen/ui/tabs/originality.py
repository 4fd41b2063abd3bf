"""The tab that marks the words of a text that occur in the training songs; `/originality`."""

import html
from functools import partial

import gradio as gr

from lyricgen.endpoints import inside
from lyricgen.memorization.originality import (
    MAX_COMPARED_LENGTH,
    CopiedRun,
    Originality,
    measure_originality,
    song_name,
)
from lyricgen.memorization.song_index import GRAM
from lyricgen.resources import Resources
from lyricgen.ui.components import TextTarget, escaped
from lyricgen.ui.events import RUN_ONCE_EVENT, add_endpoint, listen

EXPLANATION = f"""
**Has a song said this before?** Every {GRAM} words in a row of your text are looked up in the songs that the models learnt from.
Words that stand in a row in one of them are marked, with the song they stand in. Short runs are everyday English more often
than copies; long ones are quotations. The songs are not part of this project: it knows them as hashes of {GRAM} words in a row,
which can be asked and not read.
"""
RUNS_HEADER = ["Run", "Words", "Song", "Artist"]
RUNS_WIDTHS: list[str | int] = ["14%", "18%", "40%", "28%"]
MAX_ROWS = 200  # first runs shown in the table


def create_originality_tab(resources: Resources) -> TextTarget:
    """Adds the tab's components and `/originality`."""
    gr.Markdown(EXPLANATION)
    text = gr.Textbox(
        inside.ORIGINALITY_EXAMPLE,
        label="Text",
        lines=6,
        max_lines=16,
        info=f"1 to {MAX_COMPARED_LENGTH:,} characters. Punctuation, capitals and line breaks make no difference.",
        elem_id="original-text",
    )
    look_up = gr.Button("Look it up", variant="primary", elem_id="look-up")
    summary = gr.Markdown(elem_id="original-summary")
    marked = gr.HTML(elem_id="original-marked")
    runs = gr.Dataframe(
        headers=RUNS_HEADER,
        column_widths=RUNS_WIDTHS,
        interactive=False,
        wrap=True,
        visible=False,
        label="Runs that stand in a song",
        elem_id="original-runs",
    )
    target = TextTarget(text, partial(show_originality, resources), [text], [summary, marked, runs], gpu=False)
    listen(look_up.click, target.show, target.inputs, target.outputs, gpu=target.gpu, **RUN_ONCE_EVENT)
    add_endpoint(resources, inside.originality, gpu=False)
    return target


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
