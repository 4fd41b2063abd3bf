"""The tab that sets the RNN beside the LSTM: what each writes, what a temperature does, how each learnt."""

from collections.abc import Iterator
from functools import partial

import gradio as gr

from lyricgen.devices import with_gpu
from lyricgen.generation.request import GenerationRequest
from lyricgen.generation.scheduler import MAX_BATCH_SIZE, GenerationOutput
from lyricgen.generation.settings import MAX_LYRIC_LENGTH
from lyricgen.models.text import ANY_ARTIST, section_breaks_to_newlines
from lyricgen.plotting import CURVE_UNITS, draw_learning_curves
from lyricgen.resources import Resources
from lyricgen.ui.components import (
    ANY_SEED,
    BETWEEN_UPDATES,
    PRIVATE_EVENT,
    RUN_ONCE_EVENT,
    cards,
    picture,
    request_from_page,
)
from lyricgen.ui.events import raises_gradio_error
from lyricgen.ui.tabs.originality import originality_line

TEMPERATURES = (0.25, 0.5, 0.75, 1.0, 1.5)
AT_ONCE = MAX_BATCH_SIZE // len(TEMPERATURES)  # calls that run side by side, each of several lyrics
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


def create_compare_tab(resources: Resources) -> None:
    """Adds the tab's components and its events `/compare`, `/temperatures` and `/learning_curves`."""
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
    with gr.Accordion("What does temperature do?", open=False):
        gr.Markdown(ON_TEMPERATURE)
        with gr.Row(equal_height=True):
            model = gr.Radio(resources.model_names, value=resources.default_model, label="Model")
            warm = gr.Button("Write at five temperatures", variant="primary", elem_id="warm", scale=0, min_width=220)
        five = gr.HTML(elem_id="five")
    with gr.Accordion("Which converges faster?", open=False) as converging:
        gr.Markdown(ON_CURVES)
        by = gr.Radio([("epoch", "epoch"), ("minute", "seconds")], value="epoch", label="By")
        curves = gr.HTML(elem_id="curves")

    def stream(requests: list[GenerationRequest], headings: list[str]) -> Iterator[list[dict]]:
        for lyrics in resources.stream_together(requests, BETWEEN_UPDATES, measured=True):
            yield [
                {
                    "heading": heading,
                    "text": section_breaks_to_newlines(lyric.text, len(request.prefix)),
                    "bits_per_character": bits_so_far(lyric, request),
                }
                for heading, request, lyric in zip(headings, requests, lyrics, strict=True)
            ]

    def stream_models(prefix, artist, temperature, max_length, seed) -> Iterator[list[dict]]:
        names = resources.model_names
        first = request_from_page(resources, prefix, artist, names[0], "sample", temperature, 0, 1.0, max_length, seed)
        yield from stream([resources.request(name, first.prefix, first.settings) for name in names], names)

    def stream_temperatures(prefix, artist, model, max_length, seed) -> Iterator[list[dict]]:
        first = request_from_page(resources, prefix, artist, model, "sample", 1.0, 0, 1.0, max_length, seed)
        requests = [first.with_settings(temperature=value) for value in TEMPERATURES]
        yield from stream(requests, [f"{value:g}" for value in TEMPERATURES])

    def show(streamed: Iterator[list[dict]], what: str) -> Iterator[str]:
        texts = []
        for lyrics in streamed:
            texts = [(f"{what}{lyric['heading']}: {told(lyric)}", lyric["text"]) for lyric in lyrics]
            yield cards(texts)
        yield cards(texts, partial(originality_line, resources))

    @with_gpu
    @raises_gradio_error
    def show_models(*values) -> Iterator[str]:
        yield from show(stream_models(*values), "")

    @with_gpu
    @raises_gradio_error
    def show_temperatures(*values) -> Iterator[str]:
        yield from show(stream_temperatures(*values), "Temperature ")

    @with_gpu
    @raises_gradio_error
    def compare(
        prefix: str = "",
        artist: str = ANY_ARTIST,
        temperature: float = 0.7,
        max_length: int = 300,
        seed: int = ANY_SEED,
    ) -> Iterator[dict]:
        """Writes one lyric with each model, side by side, streamed: by model, the 'text' and its 'bits_per_character'.

        Args:
            prefix: how both begin; empty: the models begin.
            artist: in whose style; 'any artist' for none in particular.
            temperature: of sampling, 0 to 100; 0 is greedy.
            max_length: characters of each in all, prefix included, 1 to 5,000.
            seed: of both; -1: another every time.
        """
        for lyrics in stream_models(prefix, artist, temperature, max_length, seed):
            yield {lyric.pop("heading"): lyric for lyric in lyrics}

    @with_gpu
    @raises_gradio_error
    def temperatures(
        prefix: str = "",
        artist: str = ANY_ARTIST,
        model: str = resources.default_model,
        max_length: int = 300,
        seed: int = ANY_SEED,
    ) -> Iterator[dict]:
        """Writes one lyric at each of five temperatures, side by side, streamed: as /compare, by temperature.

        Args:
            prefix: how all begin; empty: the model begins.
            artist: in whose style; 'any artist' for none in particular.
            model: lstm or vanilla-rnn.
            max_length: characters of each in all, prefix included, 1 to 5,000.
            seed: of all; -1: another every time.
        """
        for lyrics in stream_temperatures(prefix, artist, model, max_length, seed):
            yield {lyric.pop("heading"): lyric for lyric in lyrics}

    @raises_gradio_error
    def learning_curves() -> dict:
        """By model, the rows of its learning curve: step, epoch, seconds, characters, and bits per character."""
        return histories(resources)

    settings = [prefix, artist, temperature, max_length, seed]
    writing = gr.on(
        [write.click, prefix.submit], show_models, settings, both, **RUN_ONCE_EVENT, concurrency_limit=AT_ONCE
    )
    warming = warm.click(
        show_temperatures, [prefix, artist, model, max_length, seed], five, **RUN_ONCE_EVENT, concurrency_limit=AT_ONCE
    )
    stop.click(None, None, None, cancels=[writing, warming], api_visibility="private")
    draw = raises_gradio_error(lambda by: curves_picture(resources, by))
    for drawing in (converging.expand, by.change):
        drawing(draw, by, curves, **PRIVATE_EVENT)
    gr.api(compare, api_name="compare", concurrency_limit=AT_ONCE)
    gr.api(temperatures, api_name="temperatures", concurrency_limit=AT_ONCE)
    gr.api(learning_curves, api_name="learning_curves")


def bits_so_far(lyric: GenerationOutput, request: GenerationRequest) -> float | None:
    """Bits of each written character, the mean; None before the first, and where they are not measured."""
    written = len(lyric.text) - len(request.prefix)
    return round(lyric.bits / written, 3) if lyric.bits is not None and written else None


def told(lyric: dict) -> str:
    """The bits of a lyric in words."""
    bits = lyric["bits_per_character"]
    return "" if bits is None else f"{bits:.2f} bits per letter so far"


def histories(resources: Resources) -> dict[str, list[dict]]:
    """The learning curve of each model."""
    return {name: resources.model(name).checkpoint.history for name in resources.model_names}


def curves_picture(resources: Resources, by: str) -> str:
    """The learning curves of all models as HTML."""
    curves = {name: rows for name, rows in histories(resources).items() if rows}
    if not curves:
        return "<p>These models came without a learning curve.</p>"
    axis, unit = CURVE_UNITS[by]
    ends = [
        f"{name}: {last['clean_bpc'] or last['val_bpc']:.3f} after {last[by] / unit:.3g} {axis}"
        for name, rows in curves.items()
        if (last := next((row for row in reversed(rows) if row.get("val_bpc")), None))
    ]
    return picture(
        draw_learning_curves(curves, by), f"Learning curves, bits per character by {axis}; {'; '.join(ends)}"
    )
