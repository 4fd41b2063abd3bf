"""The view that compares RNN and LSTM: lyrics of both, five temperatures, learning curves; `/compare`,
`/temperatures`, `/learning_curves`."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import gradio as gr

from lyricgen.endpoints import inside, lyrics
from lyricgen.endpoints.lyrics import ANY_SEED, TEMPERATURES
from lyricgen.generation.scheduler import MAX_BATCH_SIZE
from lyricgen.generation.settings import MAX_LYRIC_LENGTH
from lyricgen.models.text import ANY_ARTIST
from lyricgen.plotting import CURVE_UNITS, draw_learning_curves
from lyricgen.resources import Resources
from lyricgen.ui.components import cards, originality_line, picture
from lyricgen.ui.events import LATEST_EVENT, PRIVATE_EVENT, add_endpoint, listen
from lyricgen.validation import check_choice

# concurrent calls, each of several lyrics
CALL_LIMIT: dict[str, Any] = {"concurrency_limit": MAX_BATCH_SIZE // len(TEMPERATURES)}
EXPLANATION = """
The same prefix, artist, temperature and seed in both models: letter by letter they draw with the same random numbers.
**Bits per letter so far** is how surprised a model is by its own text, before any temperature: the surer it was of each
letter, the fewer.
"""
ON_TEMPERATURE = """
A **temperature** divides the scores of all letters before one is drawn. Near 0 the likeliest letter wins nearly always, and
the text is safe and soon repeats itself; 1 draws as the model believes; above 1 unlikely letters win more often, until words
fall apart. The bits show it: a letter that the model thought unlikely costs many.
"""
ON_CURVES = """
The line is the training loss, the points are songs that were not read (round: the course's validation split, diamond: the
clean one). By epoch one sees what a model learns from the same songs, by minute what it learns in the same time.
"""


def create_comparison_view(resources: Resources) -> None:
    """Adds the view's components, `/compare`, `/temperatures` and `/learning_curves`."""
    gr.Markdown(EXPLANATION)
    with gr.Row():
        prefix = gr.Textbox(
            "the night is ", label="Beginning", lines=1, scale=2, min_width=280, elem_id="compare-prefix"
        )
        artist = gr.Dropdown([ANY_ARTIST, *resources.artists()], value=ANY_ARTIST, label="Artist", min_width=200)
    with gr.Row():
        temperature = gr.Slider(0, 2, value=0.7, step=0.05, label="Temperature", min_width=200)
        max_length = gr.Slider(50, MAX_LYRIC_LENGTH, value=300, step=50, label="Length", min_width=200)
        seed = gr.Number(ANY_SEED, precision=0, label="Seed", info="-1: another every time.", min_width=200)
    with gr.Row():
        write = gr.Button("Write with both", variant="primary", elem_id="compare", min_width=160)
        stop = gr.Button("Stop", variant="stop", elem_id="compare-stop", min_width=160)
    both = gr.HTML(elem_id="both")
    writing = listen(
        [write.click, prefix.submit],
        partial(show_models, resources),
        [prefix, artist, temperature, max_length, seed],
        both,
        **LATEST_EVENT,
        **CALL_LIMIT,
    )
    with gr.Accordion("What does temperature do?", open=False):
        at_five = _create_temperatures(resources, [prefix, artist], [max_length, seed])
    with gr.Accordion("Which converges faster?", open=False) as converging:
        _create_curves(resources, converging)
    stop.click(None, None, None, cancels=[writing, at_five], api_visibility="private")
    add_endpoint(resources, lyrics.compare, **CALL_LIMIT)
    add_endpoint(resources, lyrics.temperatures, **CALL_LIMIT)
    add_endpoint(resources, inside.learning_curves, gpu=False)


def _create_temperatures(resources: Resources, before: list, after: list) -> gr.events.Dependency:
    """The lyrics at five temperatures; the settings before and after the model come from the tab."""
    gr.Markdown(ON_TEMPERATURE)
    with gr.Row(equal_height=True):
        model = gr.Radio(resources.model_names, value=resources.default_model, label="Model")
        write = gr.Button("Write at five temperatures", variant="primary", elem_id="warm", scale=0, min_width=220)
    five = gr.HTML(elem_id="five")
    show, inputs = partial(show_temperatures, resources), [*before, model, *after]
    return listen(write.click, show, inputs, five, **LATEST_EVENT, **CALL_LIMIT)


def _create_curves(resources: Resources, panel: gr.Accordion) -> None:
    gr.Markdown(ON_CURVES)
    by = gr.Radio([("epoch", "epoch"), ("minute", "seconds")], value="epoch", label="By")
    curves = gr.HTML(elem_id="curves")
    for trigger in (panel.expand, by.change):
        listen(trigger, partial(show_curves, resources), by, curves, gpu=False, **PRIVATE_EVENT)


def show_models(resources: Resources, *settings: Any) -> Iterator[str]:
    """The lyrics of `/compare` as cards."""
    yield from _show(resources, lyrics.compare(resources, *settings), "")


def show_temperatures(resources: Resources, *settings: Any) -> Iterator[str]:
    """The lyrics of `/temperatures` as cards."""
    yield from _show(resources, lyrics.temperatures(resources, *settings), "Temperature ")


def _show(resources: Resources, stream: Iterator[dict], kind: str) -> Iterator[str]:
    """Lyrics by name so far as cards; the finished ones with their originality line."""
    texts = []
    for answer in stream:
        texts = [(f"{kind}{name}: {bits_text(lyric)}", lyric["text"]) for name, lyric in answer.items()]
        yield cards(texts)
    yield cards(texts, partial(originality_line, resources))


def bits_text(lyric: dict[str, Any]) -> str:
    """The bits of a lyric in words."""
    bits = lyric["bits_per_character"]
    return "" if bits is None else f"{bits:.2f} bits per letter so far"


def show_curves(resources: Resources, by: str) -> str:
    """The learning curves of all models as HTML."""
    curves = {name: rows for name, rows in inside.learning_curves(resources).items() if rows}
    if not curves:
        return "<p>These models came without a learning curve.</p>"
    by = check_choice("by", by, CURVE_UNITS)
    axis, unit = CURVE_UNITS[by]
    ends = [
        f"{name}: {last['clean_bpc'] or last['val_bpc']:.3f} after {last[by] / unit:.3g} {axis}"
        for name, rows in curves.items()
        if (last := next((row for row in reversed(rows) if row.get("val_bpc")), None))
    ]
    description = f"Learning curves, bits per character by {axis}; {'; '.join(ends)}"
    return picture(draw_learning_curves(curves, by), description)
