"""The answer that marks the words of a text that occur in the training songs, beside each line's artist; `/originality`."""

import html

from lyricgen.analysis.attribution import LineAttribution
from lyricgen.display import percent
from lyricgen.memorization.originality import Originality, song_name
from lyricgen.memorization.song_index import GRAM
from lyricgen.models.text import line_spans
from lyricgen.ui.components import NOTHING_COPIED, copied_sentence

EXPLANATION = f"""
Every {GRAM} words in a row are looked up in the songs that the models learnt from. Short passages are everyday English more often
than copies; long ones are quotations. We do not keep the songs, only fingerprints of every {GRAM} words.
"""
LINE_NGRAMS_SHOWN = 3  # n-grams in the margin
MAX_ROWS = 200  # first passages listed


def summary_html(measured: Originality) -> str:
    """The longest copied passage in one or two sentences."""
    if measured.share_copied is None:
        return f'<p class="verdict">Type at least {GRAM} words to see what is copied.</p>'
    return f'<p class="verdict">{copied_sentence(measured) or f"<b>Nothing.</b> {NOTHING_COPIED}"}</p>'


def text_html(text: str, measured: Originality | None, lines: tuple[LineAttribution, ...]) -> str:
    """The text line by line, copied passages marked and numbered, each line's artist in the margin; escaped."""
    artists = [*map(_artist, lines)]
    spans = line_spans(text)
    rows = [
        f'<div class="checked-line"><span class="words">{_marked(start, stop, text, measured)}</span>'
        f'<span class="artist">{artists[number] if number < len(artists) else ""}</span></div>'
        for number, (start, stop) in enumerate(spans)
    ]
    head = '<div class="checked-line head soft"><span>Your text</span><span class="artist">Line most like</span></div>'
    return f'<div class="checked">{head if artists else ""}{"".join(rows)}</div>'


def _artist(line: LineAttribution) -> str:
    """The artist of a line, and the n-grams that speak most for that one."""
    ngrams = line.evidence.ngrams[:LINE_NGRAMS_SHOWN] if line.evidence else ()
    evidence = ", ".join(f"“{ngram.ngram.strip()}”" for ngram in ngrams)
    return (
        f"{html.escape(line.artist)} <small>{html.escape(percent(line.probability))}</small>"
        f'<small class="why">{html.escape(evidence)}</small>'
    )


def _marked(start: int, stop: int, text: str, measured: Originality | None) -> str:
    """The characters from `start` to `stop`, those of copied passages marked with the number of the first of them."""
    if measured is None:
        return html.escape(text[start:stop])
    numbers = {run: number for number, run in enumerate(measured.runs, 1)}
    parts, at = [], 0
    for piece, run in measured.pieces():
        shown = html.escape(text[max(start, at) : max(start, min(stop, at + len(piece)))])
        at += len(piece)
        if shown and run:
            shown = f"<mark>{shown}<sup>{numbers[run]}</sup></mark>"
        parts.append(shown)
    return "".join(parts)


def songs_html(measured: Originality) -> str:
    """The copied passages with their songs, numbered as they are marked."""
    rows = [f"<li>{run.words} words in {html.escape(song_name(run))}</li>" for run in measured.runs[:MAX_ROWS]]
    return f'<ol class="copied-songs">{"".join(rows)}</ol>' if rows else ""
