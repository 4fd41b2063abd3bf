"""The tab that checks a text: whom it sounds like, which passages are copied, and whether the models have read it."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeVar

import gradio as gr

from lyricgen.analysis.attribution import MAX_ATTRIBUTED_LENGTH, LineAttribution, check_attributed
from lyricgen.endpoints import inside
from lyricgen.errors import LyricGenError
from lyricgen.resources import Resources
from lyricgen.ui.components import html_view
from lyricgen.ui.events import LATEST_EVENT, add_endpoint, listen
from lyricgen.ui.inline_errors import alert, error_line, with_error_line
from lyricgen.ui.shared_text import SUBMIT, SharedText
from lyricgen.ui.tabs.check import attribution, membership, originality

Answer = TypeVar("Answer")


def create_check_tab(resources: Resources, shared: SharedText) -> None:
    """Adds the tab's text, one button, the answers side by side, and their endpoints."""
    box = shared.add_box(
        "check-text", inside.ORIGINALITY_EXAMPLE, info=f"Up to {MAX_ATTRIBUTED_LENGTH:,} letters. {SUBMIT}"
    )
    check = gr.Button("Check this text", variant="primary", elem_id="check", elem_classes="runs-on-open")
    error = error_line("check-error")
    with gr.Row(elem_classes="answers"):
        with gr.Column(min_width=320):
            gr.Markdown("## Sounds like")
            sounds = html_view("sounds-like")
            with gr.Accordion("How sure is that?", open=False):
                gr.Markdown(attribution.EXPLANATION)
                gr.Markdown(attribution.accuracy_text(resources), elem_id="attribution-figures")
        with gr.Column(min_width=320):
            gr.Markdown("## Copied?")
            copied = html_view("copied-passages")
            gr.Markdown(originality.EXPLANATION, elem_classes="small")
            gr.Markdown("## Has it read this?")
            read = html_view("has-read")
            gr.Markdown(membership.EXPLANATION, elem_classes="small")
    outputs = [error, sounds, copied, read]
    show = with_error_line(partial(show_check, resources), 3)
    listen(check.click, show, box.text, outputs, busy=check, **LATEST_EVENT)
    add_endpoint(resources, inside.attribute)
    add_endpoint(resources, inside.originality, gpu=False)
    add_endpoint(resources, inside.membership)


def show_check(resources: Resources, text: str) -> Iterator[tuple[str, str, str]]:
    """The three answers as HTML, as they become known: sounds like, copied, has it read this. One that can't be given says why in
    its place.

    Raises:
        ArgumentError: the text can't be read.
    """
    text = check_attributed(text)
    measured, not_measured = _attempt(lambda: inside.measure_text(resources, text))

    def copied(lines: tuple[LineAttribution, ...]) -> str:
        summary = originality.summary_html(measured) if measured else not_measured
        songs = originality.songs_html(measured) if measured else ""
        return summary + originality.text_html(text, measured, lines) + songs

    yield attribution.first_html(inside.attribute_by_ngrams(resources, text)), copied(()), ""
    attributed, not_attributed = _attempt(lambda: inside.attribute_text(resources, text, resources.default_model))
    sounds = attribution.attribution_html(attributed) if attributed else not_attributed
    lines = attributed.lines if attributed else ()
    yield sounds, copied(lines), ""
    found, not_found = _attempt(lambda: inside.membership_of_text(resources, text))
    yield sounds, copied(lines), membership.membership_html(found) if found else not_found


def _attempt(ask: Callable[[], Answer]) -> tuple[Answer | None, str]:
    """An answer and '', or None and the sentence that says why there is none."""
    try:
        return ask(), ""
    except LyricGenError as error:
        return None, alert(error)
