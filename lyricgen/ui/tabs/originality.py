"""The tab that marks what of a text stands in the training songs; `/originality`; and the line of it under a lyric."""

import html

import gradio as gr

from lyricgen.errors import LyricGenError
from lyricgen.memorization.originality import (
    MAX_COMPARED_LENGTH,
    CopiedRun,
    Originality,
    measure_originality,
    song_name,
)
from lyricgen.memorization.song_index import GRAM
from lyricgen.resources import Resources
from lyricgen.ui.components import RUN_ONCE_EVENT, TextTarget, escaped
from lyricgen.ui.events import raises_gradio_error

EXPLANATION = f"""
**Has a song said this before?** Every {GRAM} words in a row of your text are looked up in the songs that the models learnt from.
Words that stand in a row in one of them are marked, with the song they stand in. Short runs are everyday English more often
than copies; long ones are quotations. The songs are not part of this project: it knows them as hashes of {GRAM} words in a row,
which can be asked and not read.
"""
EXAMPLE = """the ferry left without us, and the harbour lights went low
i don't know what to do when all the gulls have somewhere to go
you poured the last cold coffee on the postcards from the fair
and i can't get you out of these old boots i always wear"""
RUNS_HEADER = ["Run", "Words", "Song", "Artist"]
RUNS_WIDTHS = ["14%", "18%", "40%", "28%"]
MOST_ROWS = 200  # runs in the table; a text of many has the first
LONGEST_QUOTE = 12  # words of a run in a line


def create_originality_tab(resources: Resources) -> TextTarget:
    """Adds the tab's components and its API; returns the box for the text, for others to fill."""
    gr.Markdown(EXPLANATION)
    text = gr.Textbox(
        EXAMPLE,
        label="Text",
        lines=6,
        max_lines=16,
        info=f"1 to {MAX_COMPARED_LENGTH:,} characters. Punctuation, capitals and line breaks make no difference.",
        elem_id="original-text",
    )
    look = gr.Button("Look it up", variant="primary", elem_id="look-up")
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

    @raises_gradio_error
    def show(text):
        found = measure_originality(text, resources.song_index)
        rows = run_rows(found)
        return escaped(found.summary), marked_text(found), gr.Dataframe(rows, visible=bool(rows))

    @raises_gradio_error
    def originality(text: str = EXAMPLE) -> dict:
        """How much of a text stands in the songs that the models learnt from: its runs of five words or more, with the song
        of each, the longest, and the share of the words inside them.

        Args:
            text: 1 to 20,000 characters.
        """
        return measure_originality(text, resources.song_index).to_dict()

    inputs, outputs = [text], [summary, marked, runs]
    look.click(show, inputs, outputs, **RUN_ONCE_EVENT)
    gr.api(originality, api_name="originality")
    return TextTarget(text, show, inputs, outputs)


def originality_line(resources: Resources, text: str) -> str:
    """What of a text stands in the training songs, in a line of Markdown with the longest run marked, for under a lyric.

    All of a text and of a song's name is shown as it is, whatever it holds. '' where there is no text, or no index.
    """
    try:
        found = measure_originality(text, resources.song_index)
    except LyricGenError:
        return ""
    if not found.runs:
        return escaped(found.summary)
    run = found.longest
    words = text[run.start : run.stop].split()
    quote = " ".join(words[:LONGEST_QUOTE]) + " …" * (len(words) > LONGEST_QUOTE)
    return (
        f"Longest run that stands in the training songs: {run.words} words (<mark>{escaped(quote)}</mark>), in "
        f"{escaped(song_name(run))}; "
        f"{found.share_copied:.0%} of the words stand in runs of {GRAM} or more."
    )


def marked_text(found: Originality) -> str:
    """The text as HTML, its runs marked and numbered; a pointer that rests on one is told the song."""
    numbers = {run: number for number, run in enumerate(found.runs, 1)}
    pieces = [
        f'<mark title="{html.escape(f"{run.words} words in {song_name(run)}")}">{html.escape(piece)}<sup>{numbers[run]}</sup></mark>'
        if run
        else html.escape(piece)
        for piece, run in found.marked()
    ]
    return f'<div class="marked">{"".join(pieces)}</div>'


def run_rows(found: Originality) -> list[list[str]]:
    """The runs with their songs, numbered as they are marked."""
    return [
        [f"{number}", f"{run.words}", (run.title or "no title") + more(run), run.artist]
        for number, run in enumerate(found.runs[:MOST_ROWS], 1)
    ]


def more(run: CopiedRun) -> str:
    """In how many songs beside the one that is named a run stands, if in any."""
    return f" (and {run.songs - 1:,} more)" if run.songs > 1 else ""
