"""Components that several tabs share: choices, text cards, bars, and files to download."""

import base64
import html
import math
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from lyricgen.errors import LyricGenError
from lyricgen.memorization.originality import CopiedRun, Originality, measure_originality, song_name
from lyricgen.memorization.song_index import GRAM
from lyricgen.models.text import ANY_ARTIST
from lyricgen.output import to_json

if TYPE_CHECKING:
    from lyricgen.resources import Resources

MODEL_LABELS = {"lstm": "LSTM", "vanilla-rnn": "simple RNN"}
SPACE_LABELS = {
    "glove-50": "Wikipedia and news",
    "glove-200": "Wikipedia and news, 200 numbers a word",
    "lyrics": "these songs",
}
"""What the vectors of a space were learnt from."""
STATIC = Path(__file__).parent / "static"
WORD_SCRIPTS = ("word-map", "analogy", "bias", "word-form")  # behind the helpers of words.js
MAX_WORD_SHOWN = 40  # characters of a word in a sentence
MAX_QUOTED_WORDS = 12  # words of a copied run in a line
NOTHING_COPIED = f"No {GRAM} words in a row are in a song that it read."
MEDIA_TYPES = {"png": "image/png", "svg": "image/svg+xml", "csv": "text/csv", "json": "application/json"}


def static(name: str) -> str:
    """A script or style sheet of the page, without indentation and comments that begin with // and a space."""
    text = re.sub(r"(^|\s)// .*$", "", (STATIC / name).read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = map(str.strip, text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def word_scripts() -> str:
    """The scripts of Words as functions of `lyricgen.draw`, once for all components of a page, see `draw_with`."""
    functions = [
        f'lyricgen.draw["{name}"] = (element, props, server, watch) => {{\n{static(f"{name}.js")}\n}};'
        for name in WORD_SCRIPTS
    ]
    return "\n".join(["lyricgen.draw = {};", "(() => {", static("words.js"), *functions, "})();"])


def draw_with(name: str) -> str:
    """The `js_on_load` of a component that one of `WORD_SCRIPTS` draws."""
    return f'lyricgen.draw["{name}"](element, props, server, watch)'


def script_view(script: str, elem_id: str, value: str | None = None) -> gr.HTML:
    """A component that a script of the page draws from its value."""
    return gr.HTML(
        value,
        html_template="",
        js_on_load=static(script),
        apply_default_css=False,
        padding=False,
        elem_id=elem_id,
    )


def html_view(elem_id: str, value: str | None = None) -> gr.HTML:
    """A component for HTML that the server makes."""
    return gr.HTML(value, elem_id=elem_id, apply_default_css=False, padding=False)


def example_artist(resources: "Resources", artist: str) -> str:
    """The artist of an example if the default model knows it, else the first that it knows."""
    artists = resources.artists()
    return artist if artist in (ANY_ARTIST, *artists) else next(iter(artists), ANY_ARTIST)


def cards(texts: Iterable[tuple[str, str]], below: Callable[[str], str] = lambda _: "") -> str:
    """Texts side by side as HTML, or one above the other on a phone, each under its heading.

    Args:
        texts: headings and texts; they are escaped.
        below: the HTML below a text.
    """
    articles = [
        f"<article><h3>{html.escape(heading)}</h3><pre>{html.escape(text)}</pre><p>{below(text)}</p></article>"
        for heading, text in texts
    ]
    return f'<div class="cards">{"".join(articles)}</div>'


def quote_run(text: str, run: CopiedRun) -> str:
    """The words of a copied run, a long one cut."""
    words = text[run.start : run.stop].split()
    return " ".join(words[:MAX_QUOTED_WORDS]) + (" …" if len(words) > MAX_QUOTED_WORDS else "")


def originality_line(resources: "Resources", text: str) -> str:
    """The verbatim overlap of a text with the training songs, as a line of HTML; '' without a text or an index."""
    try:
        measured = measure_originality(text, resources.song_index)
    except LyricGenError:
        return ""
    return copied_sentence(measured, quote=True) or NOTHING_COPIED


def copied_sentence(measured: Originality, quote: bool = False) -> str:
    """The longest copied passage of a text and its song, with a quotation if asked; escaped HTML, '' where nothing is copied."""
    run = measured.longest
    if run is None:
        return ""
    quotation = f" (<mark>{html.escape(quote_run(measured.text, run))}</mark>)" if quote else ""
    return (
        f"Longest copied passage: <b>{run.words} words</b>{quotation}, in {html.escape(song_name(run))}. "
        f"{100 * (measured.share_copied or 0):.0f} % of the words are in such passages."
    )


def model_label(name: str) -> str:
    """A model's name in the page's words."""
    return MODEL_LABELS.get(name, name)


def model_kind(name: str) -> str:
    """The class of the style sheet that has a model's colour."""
    return "simple" if name == "vanilla-rnn" else "network"


def bar_card(
    title: str, rows: Sequence[tuple[str, float, str]], greatest: float | None = None, logarithmic: bool = False
) -> str:
    """Bars under a heading as HTML; '' without rows.

    Args:
        title: the heading.
        rows: label, value and the value as a text.
        greatest: the value of a whole bar; None: the greatest one.
        logarithmic: the bar's length is the logarithm of the value.
    """
    if not rows:
        return ""
    scaled = [math.log(max(value, 1.0)) if logarithmic else value for _, value, _ in rows]
    whole = greatest or max(scaled) or 1.0
    bars = "".join(
        f"<li><b>{html.escape(name)}</b><span><i style='width:{max(1, 100 * value / whole):.1f}%'></i></span><em>{html.escape(text)}</em></li>"
        for (name, _, text), value in zip(rows, scaled, strict=True)
    )
    note = "<p class='soft'>Logarithmic scale.</p>" if logarithmic else ""
    return f"<section><h3>{html.escape(title)}</h3><ol>{bars}</ol>{note}</section>"


def downloads(files: dict[str, bytes]) -> str:
    """Download links with the files as data URLs, so that nothing stays on the server. Names end in their type."""
    links = [
        f'<a class="download" download="{html.escape(name)}" href="{_data_url(name.rpartition(".")[2], content)}">{html.escape(name)}</a>'
        for name, content in files.items()
    ]
    return f'<p class="downloads">Download {" ".join(links)}</p>'


def bold(word: str) -> str:
    """A word in bold for Markdown, escaped; long ones are cut."""
    return f"<b>{escaped(shortened(word))}</b>"


def shortened(word: str) -> str:
    """A word for a sentence: of a long one its beginning."""
    return word if len(word) <= MAX_WORD_SHOWN else f"{word[: MAX_WORD_SHOWN - 1]}…"


def escaped(text: str) -> str:
    """A text escaped for Markdown."""
    return "".join(letter if letter.isalnum() or letter == " " else f"&#{ord(letter)};" for letter in text)


def _data_url(kind: str, content: bytes) -> str:
    return f"data:{MEDIA_TYPES[kind]};base64,{base64.b64encode(content).decode()}"


def as_json(value: Any) -> str:
    """JSON with every `<` escaped, so that no text can open a tag."""
    return to_json(value, separators=(",", ":")).replace("<", "\\u003c")
