"""With a form: a verse line by line, whose lines can be kept, written again alone, or typed; `/verse`, `/fill`, `/rhymes`."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import gradio as gr

from lyricgen.endpoints import verses
from lyricgen.errors import LyricGenError
from lyricgen.generation.schemes import MAX_SYLLABLES, MIN_SYLLABLES, SCHEMES, VerseForm
from lyricgen.generation.settings import UNUSED_BY_VERSES
from lyricgen.resources import Resources
from lyricgen.ui.components import as_json, script_view
from lyricgen.ui.events import BROWSER_EVENT, RUN_ONCE_EVENT, add_endpoint, listen, run_after
from lyricgen.ui.inline_errors import alert, error_line

LABELS = {"couplet": "Couplet", "limerick": "Limerick", "haiku": "Haiku", "acrostic": "Acrostic", "lines": "No rhymes"}
VERSE_LIMIT: dict[str, Any] = {"concurrency_limit": 1, "concurrency_id": "verses"}  # each keeps one core busy
WRITE = "() => { document.dispatchEvent(new Event('write-verse')); }"

IDLE = "() => { document.body.classList.remove('writing-verse'); }"


def create_verse_panel(resources: Resources, names: Sequence[str], settings: list[gr.components.Component]) -> None:
    """Adds the panel and its endpoints.

    Args:
        resources: the models.
        names: of the generation settings.
        settings: the components of the model, then of these settings.
    """
    with gr.Accordion("With a form: rhymes and syllables", open=False, elem_id="with-a-form"):
        with gr.Row(elem_classes="settings"):
            schemes = [(f"{LABELS.get(name, name)}: {each.help}", name) for name, each in SCHEMES.items()]
            scheme = gr.Dropdown(schemes, value="ABAB", label="Form", min_width=240, scale=2, elem_id="scheme")
            syllables = gr.Slider(MIN_SYLLABLES, MAX_SYLLABLES, value=VerseForm.syllables, step=1, label="Syllables a line", min_width=200)  # fmt: skip
        with gr.Row(elem_classes="settings"):
            acrostic = gr.Textbox(label="First letters of the lines", info="A name, for an acrostic.", max_lines=1, min_width=200)  # fmt: skip
            words = gr.Textbox(label="Words that must come", max_lines=1, info="Such as: river, moon.", min_width=200)
            without = gr.Textbox(label="Letters to leave out", max_lines=1, info="Such as: e.", min_width=200)
        with gr.Row(elem_id="verse-buttons"):
            write = gr.Button("Write a verse", variant="primary", elem_id="write-verse", scale=0)
            stop = gr.Button("Stop", variant="stop", elem_id="stop-verse", scale=0)
        problem = error_line("verse-problem")
        verse = script_view("verse.js", "verse")
    form = [scheme, syllables, acrostic, words, without]
    write.click(None, None, None, js=WRITE, **BROWSER_EVENT)
    writing = listen(
        verse.retry, partial(write_lines, resources, tuple(names)), [*form, *settings], [verse, problem],
        **{**RUN_ONCE_EVENT, **VERSE_LIMIT, "show_progress": "hidden"},
    )  # fmt: skip
    run_after(writing, IDLE)
    stop.click(None, None, None, cancels=[writing], api_visibility="private")
    add_endpoint(resources, verses.verse, **VERSE_LIMIT)
    add_endpoint(resources, verses.fill, **VERSE_LIMIT)
    add_endpoint(resources, verses.rhymes, gpu=False)


def write_lines(
    resources: Resources,
    names: tuple[str, ...],
    event: gr.EventData,
    scheme: str,
    syllables: int,
    acrostic: str,
    words: str,
    without: str,
    model: str,
    *values: Any,
) -> Iterator[tuple]:
    """The verse as it grows, as JSON for verse.js, and '' or the sentence of what was wrong.

    The event has the lines to keep, and whether the others are to differ from what a song number would write.
    """
    settings = {name: value for name, value in zip(names, values, strict=True) if name not in UNUSED_BY_VERSES}
    if event.again:
        settings["seed"] = verses.ANY_SEED
    form = VerseForm(scheme, syllables, acrostic, words, without, event.lines)
    try:
        for written in verses.stream_verse(resources, form, model, **settings):
            yield as_json({**written.to_dict(), "state": "writing"}), ""
        yield as_json({**written.to_dict(), "state": "written"}), ""
    except LyricGenError as error:
        yield gr.skip(), alert(error)
