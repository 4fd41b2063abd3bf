"""The tab that writes lyrics: a prefix, an artist, a model, a strategy, and the text as it grows; `/generate`,
`/variants`, `/check_prefix`, `/alternatives`."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from lyricgen.endpoints import lyrics as endpoints
from lyricgen.endpoints.inside import alternatives
from lyricgen.endpoints.lyrics import ANY_SEED, DEFAULTS, make_request, stream_text, stream_variants
from lyricgen.errors import ArgumentError
from lyricgen.generation.request import GenerationRequest
from lyricgen.generation.scheduler import MAX_BATCH_SIZE
from lyricgen.generation.settings import MAX_LYRIC_LENGTH, MAX_TOP_K, MAX_VARIANTS, STRATEGIES
from lyricgen.models.text import ANY_ARTIST
from lyricgen.resources import LoadedModel, Resources
from lyricgen.ui.components import cards, example_artist, originality_line
from lyricgen.ui.events import IMMEDIATE_EVENT, RUN_ONCE_EVENT, SILENT_EVENT, add_endpoint, listen
from lyricgen.ui.tabs.write.steering import SteeringPanel, create_steering, labelled, position_text
from lyricgen.validation import check_integer, check_text

PAGE_SETTINGS = (
    "artist", "strategy", "temperature", "top_k", "top_p", "max_length", "seed", "max_copied_words"
)  # fmt: skip
"""The fields of `GenerationSettings` that the page sets, in its order."""
COPIED = [("no limit", 0), *((f"{words} words", words) for words in (4, 5, 6, 8, 12, 20))]
LINKS = (
    '<p><button type="button" class="link" data-open="inside/letters">Look inside</button> '
    '<button type="button" class="link" data-open="check">Who does it sound like? What is copied?</button></p>'
)
EXAMPLES: list[list[Any]] = [  # prefix, artist, model, strategy, temperature
    ["the river keeps its secrets ", "Coldplay", "lstm", "sample", 0.7],
    ["i left my coat on the last train ", "Taylor Swift", "lstm", "sample", 0.5],
    ["counting every step ", "Eminem", "lstm", "sample", 0.9],
    ["", ANY_ARTIST, "lstm", "greedy", 0.7],
    ["morning came too soon ", ANY_ARTIST, "vanilla-rnn", "beam", 0.7],
]
VARIANTS_LIMIT: dict[str, Any] = {
    "concurrency_limit": MAX_BATCH_SIZE // MAX_VARIANTS
}  # concurrent calls, each of several lyrics
MAX_CHOICES = 10  # candidates to continue a lyric with
CALL_LIMIT: dict[str, Any] = {"concurrency_limit": MAX_BATCH_SIZE, "concurrency_id": "lyrics"}


@dataclass(frozen=True, eq=False)
class WriteTab:
    """What other tabs need of this one."""

    lyrics: gr.Textbox
    artist: gr.Dropdown
    written: list[gr.events.Dependency]
    """The events that write into `lyrics`."""


@dataclass(frozen=True, eq=False)
class SettingsColumn:
    """Components of the settings; `inputs` are those of `PAGE_SETTINGS` except the artist."""

    model: gr.Radio
    strategy: gr.Radio
    temperature: gr.Slider
    max_length: gr.Slider
    inputs: list


def create_write_tab(resources: Resources) -> WriteTab:
    """Adds the tab's components and endpoints."""
    with gr.Row():
        with gr.Column(scale=3, min_width=320):
            prefix, artist = _create_beginning(resources)
            with gr.Row():
                write = gr.Button("Write", variant="primary", elem_id="write", min_width=120)
                stop = gr.Button("Stop", variant="stop", elem_id="stop", min_width=120)
            lyrics = gr.Textbox(
                label="Lyrics",
                info="Blank lines are section breaks: the songs hold no line breaks, only runs of spaces.",
                lines=14,
                max_lines=30,
                buttons=["copy"],
                interactive=False,
                elem_id="lyrics",
            )
            notes = gr.Markdown(label="Notes on the prefix", elem_id="notes")
            original = gr.Markdown(elem_id="original-line")
            gr.HTML(LINKS, elem_id="write-links")
            steering_column = gr.Column()
        with gr.Column(scale=2, min_width=320):
            column = create_settings(resources)
    with steering_column:
        steering = create_steering()
    settings = [prefix, column.model, artist, *column.inputs]
    writing_variants = _create_variants(resources, settings)
    gr.Examples(
        examples(resources),
        [prefix, artist, column.model, column.strategy, column.temperature],
        label="Beginnings to try (the prefixes were written for this page)",
        api_visibility="private",
    )
    clicks = [write.click, prefix.submit]
    writing = listen(clicks, partial(write_lyric, resources), settings, lyrics, **RUN_ONCE_EVENT, **CALL_LIMIT)
    listen(clicks, partial(show_notes, resources), [prefix, column.max_length], notes, gpu=False, **IMMEDIATE_EVENT)
    continuing = _wire_steering(resources, steering, lyrics, settings)
    for event in (writing, continuing):
        show, shown = partial(show_finished, resources), [original, steering.letters]
        listen(event.then, show, lyrics, shown, gpu=False, **IMMEDIATE_EVENT)
    stop.click(None, None, None, cancels=[writing, continuing, writing_variants], api_visibility="private")
    add_endpoint(resources, endpoints.generate, **CALL_LIMIT)
    add_endpoint(resources, endpoints.check_prefix, gpu=False, queue=False)
    return WriteTab(lyrics, artist, [writing, continuing])


def _create_beginning(resources: Resources) -> tuple[gr.Textbox, gr.Dropdown]:
    """The prefix and the artist."""
    prefix = gr.Textbox(
        label="Prefix",
        value="",
        lines=2,
        max_lines=8,
        placeholder="How should it begin? Leave it empty, and the model begins.",
        info="Read in lower case; it counts towards the length.",
        elem_id="prefix",
    )
    artists = [ANY_ARTIST, *resources.artists()]
    return prefix, gr.Dropdown(artists, value=ANY_ARTIST, label="Artist", info="In whose style.")


def _wire_steering(
    resources: Resources, steering: SteeringPanel, lyrics: gr.Textbox, settings: list
) -> gr.events.Dependency:
    """Wires the panel that continues a lyric from a letter, and `/alternatives`; returns the event that writes."""
    model, artist = settings[1:3]
    listen(
        steering.position.change,
        partial(show_choices, resources),
        [lyrics, steering.position, artist, model],
        [steering.context, steering.choice],
        trigger_mode="always_last",
        **SILENT_EVENT,
    )
    add_endpoint(resources, alternatives)
    continuing = listen(
        steering.go_on.click,
        partial(continue_lyric, resources),
        [lyrics, steering.position, steering.choice, steering.words, *settings[1:]],
        lyrics,
        **RUN_ONCE_EVENT,
        **CALL_LIMIT,
    )
    listen(continuing.then, lambda: "", None, steering.words, gpu=False, **IMMEDIATE_EVENT)
    listen(steering.panel.expand, lambda text: text, lyrics, steering.letters, gpu=False, **IMMEDIATE_EVENT)
    return continuing


def _create_variants(resources: Resources, settings: list) -> gr.events.Dependency:
    """The panel that writes several lyrics side by side; returns the event that writes."""
    with gr.Accordion("Several at once", open=False):
        with gr.Row(equal_height=True):
            count = gr.Slider(
                2, MAX_VARIANTS, value=4, step=1, label="Variants", info="Each with the seed behind the one before it."
            )
            write = gr.Button("Write variants", variant="primary", elem_id="write-variants", scale=0, min_width=160)
        side_by_side = gr.HTML(elem_id="variants")
    add_endpoint(resources, endpoints.variants, **VARIANTS_LIMIT)
    inputs = [count, *settings]
    return listen(
        write.click, partial(show_variants, resources), inputs, side_by_side, **RUN_ONCE_EVENT, **VARIANTS_LIMIT
    )


def create_settings(resources: Resources) -> SettingsColumn:
    """Adds the choice of a model and the settings of generation."""
    model = gr.Radio(resources.model_names, value=resources.default_model, label="Model")
    running = gr.Markdown(describe(resources.model()), elem_id="running")
    strategy = gr.Radio(
        list(STRATEGIES),
        value=DEFAULTS.strategy,
        label="Strategy",
        info="sample: draw each letter; greedy: always the likeliest; beam: the likeliest whole text that is found.",
    )
    with gr.Group() as sampling:
        temperature, top_k, top_p = _create_sampling()
    with gr.Row():
        max_length = gr.Slider(
            50, MAX_LYRIC_LENGTH, value=DEFAULTS.max_length, step=50, label="Length", info="Letters in all."
        )
        seed = gr.Number(
            ANY_SEED, precision=0, label="Seed", info="The same seed, the same text; -1: another every time."
        )
    copied = gr.Dropdown(
        COPIED,
        value=DEFAULTS.max_copied_words,
        label="Copy at most",
        info="Words in a row that stand in one training song; what makes a longer run is taken back and written anew.",
        elem_id="copied",
    )
    listen(model.change, partial(show_model, resources), model, running, gpu=False, **IMMEDIATE_EVENT)
    listen(strategy.change, show_sampling, strategy, sampling, gpu=False, **IMMEDIATE_EVENT)
    inputs = [strategy, temperature, top_k, top_p, max_length, seed, copied]
    return SettingsColumn(model, strategy, temperature, max_length, inputs)


def _create_sampling() -> tuple[gr.Slider, gr.Slider, gr.Slider]:
    """Temperature, top k and top p."""
    temperature = gr.Slider(
        0,
        2,
        value=DEFAULTS.temperature,
        step=0.05,
        label="Temperature",
        info="Below 1: safer letters; above 1: wilder. 0 is greedy.",
    )
    with gr.Row():
        top_k = gr.Slider(
            0, MAX_TOP_K, value=DEFAULTS.top_k, step=1, label="Top k", info="Only the k likeliest letters; 0: all."
        )
        top_p = gr.Slider(
            0.05, 1, value=DEFAULTS.top_p, step=0.05, label="Top p", info="Only the likeliest that reach p together."
        )
    return temperature, top_k, top_p


def examples(resources: Resources) -> list[list]:
    """The examples of the loaded models, with artists that they know."""
    return [
        [prefix, example_artist(resources, artist), model, *settings]
        for prefix, artist, model, *settings in EXAMPLES
        if model in resources.model_names
    ]


def request_from_page(resources: Resources, prefix: str, model: str, *settings: Any) -> GenerationRequest:
    """A request with the values of `PAGE_SETTINGS`.

    Raises:
        ArgumentError: a setting is not allowed.
    """
    return make_request(resources, prefix, model, **dict(zip(PAGE_SETTINGS, settings, strict=True)))


def write_lyric(resources: Resources, *settings: Any) -> Iterator[str]:
    """The lyric as it grows."""
    yield from stream_text(resources, request_from_page(resources, *settings))


def show_choices(resources: Resources, text: str, position: int, artist: str, model: str) -> tuple[str, gr.Radio]:
    """The position in words, and the most likely letters there to choose from."""
    if not text:
        raise ArgumentError("there is no lyric yet to be steered; write one first")
    position = check_integer("letters that stay", position, 0, len(text))
    candidates = alternatives(resources, text, position, artist, model, count=MAX_CHOICES)
    return position_text(text, position), gr.Radio(list(map(labelled, candidates)), value=None, visible=True)


def continue_lyric(
    resources: Resources, text: str, position: int, choice: str | None, words: str, *settings: Any
) -> Iterator[str]:
    """The lyric as it grows from the first `position` letters and the words typed or the letter chosen.

    Raises:
        ArgumentError: there are neither words nor a letter.
    """
    text, addition = check_text("text", text), check_text("words", words) or check_text("letter", choice)
    if not addition:
        raise ArgumentError("choose a letter, or type words of your own, to go on with")
    prefix = text[: check_integer("letters that stay", position, 0, len(text))] + addition
    yield from stream_text(resources, request_from_page(resources, prefix, *settings))


def show_variants(resources: Resources, count: int, *settings: Any) -> Iterator[str]:
    """The lyrics so far as cards; the finished ones with their originality line."""
    lyrics: list[dict] = []
    for lyrics in stream_variants(resources, request_from_page(resources, *settings), count):
        yield cards(headed(lyrics))
    yield cards(headed(lyrics), partial(originality_line, resources))


def headed(lyrics: list[dict]) -> list[tuple[str, str]]:
    """Each lyric under its seed."""
    return [(f"Seed {lyric['seed']}", lyric["text"]) for lyric in lyrics]


def show_notes(resources: Resources, prefix: str, max_length: int) -> str:
    """The notes on a prefix, or the sentence of its error."""
    try:
        return endpoints.check_prefix(resources, prefix, max_length)
    except ArgumentError as error:  # a toast as well: the event that writes raises it too
        return str(error)


def show_finished(resources: Resources, text: str) -> tuple[str, str]:
    """The originality line of a finished lyric, and its letters for the steering panel."""
    return originality_line(resources, text), text


def show_model(resources: Resources, name: str) -> str:
    """The description of the model of that name."""
    return describe(resources.model(name))


def show_sampling(strategy: str) -> gr.Group:
    """The sampling settings, visible for the strategy sample only."""
    return gr.Group(visible=strategy == "sample")


def describe(loaded: LoadedModel) -> str:
    """One line on a model: its class and size, its bits per character, its origin."""
    facts = loaded.describe()
    bits = facts["bits_per_character"]
    if bits["clean_validation"]:
        figure = f"**{bits['clean_validation']:.3f}** bits per character on songs unlike those it read"
    elif bits["validation"]:
        figure = f"**{bits['validation']:.3f}** bits per character on songs that it has not read"
    else:
        figure = "not measured"
    return f"{facts['class']}, {facts['parameters'] / 1e6:.1f} M parameters; {figure}; {facts['origin']}."
