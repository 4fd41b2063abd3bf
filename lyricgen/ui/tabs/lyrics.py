"""The tab in which lyrics are written: a prefix, an artist, a model, a strategy, and the text as it grows."""

from collections.abc import Iterator
from dataclasses import dataclass

import gradio as gr

from lyricgen.devices import with_gpu
from lyricgen.errors import ArgumentError
from lyricgen.generation.request import prefix_notes
from lyricgen.generation.scheduler import MAX_BATCH_SIZE
from lyricgen.generation.settings import MAX_LYRIC_LENGTH, STRATEGIES
from lyricgen.models.text import ANY_ARTIST, section_breaks_to_newlines
from lyricgen.models.vocabulary import NUM_CLASSES
from lyricgen.resources import LoadedModel, Resources
from lyricgen.ui.components import ANY_SEED, BETWEEN_UPDATES, PRIVATE_EVENT, RUN_ONCE_EVENT, request_from_page
from lyricgen.ui.events import raises_gradio_error
from lyricgen.ui.tabs.originality import originality_line
from lyricgen.ui.tabs.steering import create_steering, steered
from lyricgen.ui.tabs.variants import create_variants

COPIED = [("no limit", 0), *((f"{words} words", words) for words in (4, 5, 6, 8, 12, 20))]
SENDERS = {"X-ray": "X-ray this", "Whose line is it?": "Whose is this?", "Original or copied?": "Mark what is copied"}
EXAMPLES = [  # prefix, artist, model, strategy, temperature
    ["the river keeps its secrets ", "Coldplay", "lstm", "sample", 0.7],
    ["i left my coat on the last train ", "Taylor Swift", "lstm", "sample", 0.5],
    ["counting every step ", "Eminem", "lstm", "sample", 0.9],
    ["", ANY_ARTIST, "lstm", "greedy", 0.7],
    ["morning came too soon ", ANY_ARTIST, "vanilla-rnn", "beam", 0.7],
]


@dataclass(frozen=True)
class LyricsTab:
    """What sends a lyric to other tabs: the text, in whose style it is, and the buttons."""

    lyrics: gr.Textbox
    artist: gr.Dropdown
    senders: dict[str, gr.Button]
    """By the name of the tab that each sends it to."""


def create_lyrics_tab(resources: Resources) -> LyricsTab:
    """Adds the tab's components and its events `/generate`, `/variants` and `/check_prefix`."""
    with gr.Row():
        with gr.Column(scale=3, min_width=320):
            prefix = gr.Textbox(
                label="Prefix",
                value="",
                lines=2,
                max_lines=8,
                placeholder="How should it begin? Leave it empty, and the model begins.",
                info="Read in lower case; it counts towards the length.",
                elem_id="prefix",
            )
            artist = gr.Dropdown(
                [ANY_ARTIST, *resources.artists()], value=ANY_ARTIST, label="Artist", info="In whose style."
            )
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
            with gr.Row():
                senders = {tab: gr.Button(label, size="sm", min_width=100) for tab, label in SENDERS.items()}
            steering_here = gr.Column()
        with gr.Column(scale=2, min_width=320):
            chosen = create_settings(resources)
    with steering_here:
        steering = create_steering(resources, lyrics, artist, chosen.model)
    settings = [prefix, artist, *chosen.inputs]
    writing = create_variants(resources, settings)
    gr.Examples(
        EXAMPLES,
        [prefix, artist, chosen.model, chosen.strategy, chosen.temperature],
        label="Beginnings to try (the prefixes were written for this page)",
        api_visibility="private",
    )

    def write_lyric(*settings) -> Iterator[str]:
        request = request_from_page(resources, *settings)
        for text in resources.stream(request, BETWEEN_UPDATES):
            yield section_breaks_to_newlines(text, len(request.prefix))

    @with_gpu
    @raises_gradio_error
    def generate(prefix, artist, model, strategy, temperature, top_k, top_p, max_length, seed) -> Iterator[str]:
        """Writes a lyric that begins with the prefix, streamed as it grows; the last value is the whole text.

        Args:
            prefix: how it begins; empty: the model begins. Characters outside string.printable are read as unknown.
            artist: in whose style; 'any artist' for none in particular.
            model: lstm or vanilla-rnn.
            strategy: sample, greedy or beam.
            temperature: of sampling, 0 to 100; 0 is greedy.
            top_k: sample from so many of the likeliest characters only, 0 to 100; 0: all.
            top_p: sample from the likeliest that together have this probability, above 0 up to 1.
            max_length: characters in all, prefix included, 1 to 5,000.
            seed: the same seed gives the same text; -1: another every time.
        """
        yield from write_lyric(prefix, artist, model, strategy, temperature, top_k, top_p, max_length, seed)

    @with_gpu
    @raises_gradio_error
    def show(*settings) -> Iterator[str]:
        yield from write_lyric(*settings)

    @with_gpu
    @raises_gradio_error
    def go_on(text, place, choice, own, *settings) -> Iterator[str]:
        yield from write_lyric(steered(text, place, choice, own), *settings)

    @raises_gradio_error
    def check_prefix(prefix, max_length) -> str:
        """What of a prefix the models cannot read, and whether it is cut; empty if it is used as it is.

        Args:
            prefix: how a lyric is to begin.
            max_length: characters of that lyric in all.
        """
        try:
            return " ".join(prefix_notes(prefix, max_length))
        except ArgumentError as error:
            return str(error)

    clicked = [write.click, prefix.submit]
    together = {"concurrency_limit": MAX_BATCH_SIZE, "concurrency_id": "lyrics"}
    generating = gr.on(clicked, show, settings, lyrics, **RUN_ONCE_EVENT, **together)
    gr.Button(visible=False).click(  # never: callers of the API send these nine inputs, whatever else the page has
        generate,
        settings[:-1],
        lyrics,
        api_name="generate",
        api_description="Writes a lyric that begins with the prefix, streamed as it grows.",
        preprocess=False,
        **together,
    )
    gr.on(
        clicked,
        check_prefix,
        [prefix, chosen.max_length],
        notes,
        api_name="check_prefix",
        api_description="What of a prefix the models cannot read, and whether it is cut; empty if it is used as it is.",
        preprocess=False,
        queue=False,
        show_progress="hidden",
    )
    going_on = steering.go_on.click(
        go_on,
        [lyrics, steering.place, steering.choice, steering.own, *settings[1:]],
        lyrics,
        **RUN_ONCE_EVENT,
        **together,
    )
    at_once = {**PRIVATE_EVENT, "queue": False, "show_progress": "hidden"}
    for finished in (generating, going_on):
        finished.then(
            lambda text: (originality_line(resources, text), text), lyrics, [original, steering.letters], **at_once
        )
    going_on.then(lambda: "", None, steering.own, **at_once)
    steering.panel.expand(lambda text: text, lyrics, steering.letters, **at_once)
    stop.click(None, None, None, cancels=[generating, going_on, writing], api_visibility="private")
    return LyricsTab(lyrics, artist, senders)


@dataclass(frozen=True)
class Settings:
    """How a lyric is to be written: what others look at by name, and all in the order of `requested`."""

    model: gr.Radio
    strategy: gr.Radio
    temperature: gr.Slider
    max_length: gr.Slider
    inputs: list


def create_settings(resources: Resources) -> Settings:
    """Adds the choice of a model and of how it writes."""
    model = gr.Radio(resources.model_names, value=resources.default_model, label="Model")
    running = gr.Markdown(describe(resources.model(resources.default_model)), elem_id="running")
    strategy = gr.Radio(
        list(STRATEGIES),
        value="sample",
        label="Strategy",
        info="sample: draw each letter; greedy: always the likeliest; beam: the likeliest whole text that is found.",
    )
    with gr.Group() as sampling:
        temperature = gr.Slider(
            0,
            2,
            value=0.7,
            step=0.05,
            label="Temperature",
            info="Below 1: safer letters; above 1: wilder. 0 is greedy.",
        )
        with gr.Row():
            top_k = gr.Slider(
                0, NUM_CLASSES, value=0, step=1, label="Top k", info="Only the k likeliest letters; 0: all."
            )
            top_p = gr.Slider(
                0.05, 1, value=1, step=0.05, label="Top p", info="Only the likeliest that reach p together."
            )
    with gr.Row():
        max_length = gr.Slider(50, MAX_LYRIC_LENGTH, value=300, step=50, label="Length", info="Letters in all.")
        seed = gr.Number(
            value=ANY_SEED,
            precision=0,
            label="Seed",
            info="The same seed, the same text; -1: another every time.",
        )
    copied = gr.Dropdown(
        COPIED,
        value=0,
        label="Copy at most",
        info="Words in a row that stand in one training song; what makes a longer run is taken back and written anew.",
        elem_id="copied",
    )
    quiet = {"api_visibility": "private", "queue": False, "show_progress": "hidden"}
    model.change(lambda name: describe(resources.model(name)), model, running, **quiet)
    strategy.change(lambda name: gr.Group(visible=name == "sample"), strategy, sampling, **quiet)
    inputs = [model, strategy, temperature, top_k, top_p, max_length, seed, copied]
    return Settings(model, strategy, temperature, max_length, inputs)


def describe(loaded: LoadedModel) -> str:
    """One line on the model that is running: what it is, what it scores, where it came from."""
    facts = loaded.describe()
    bits = facts["bits_per_character"]
    if bits["clean_validation"]:
        figure = f"**{bits['clean_validation']:.3f}** bits per character on songs unlike those it read"
    elif bits["validation"]:
        figure = f"**{bits['validation']:.3f}** bits per character on songs that it has not read"
    else:
        figure = "not measured"
    return f"{facts['class']}, {facts['parameters'] / 1e6:.1f} M parameters; {figure}; {facts['origin']}."
