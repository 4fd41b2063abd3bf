"""The tab in which lyrics are written: a prefix, an artist, a model, a strategy, and the text as it grows."""

from collections.abc import Iterator
from dataclasses import dataclass

import gradio as gr

from lyricgen.batching import ROWS
from lyricgen.devices import with_gpu
from lyricgen.errors import ArgumentError
from lyricgen.generation import ANY_ARTIST, LONGEST, MOST_VARIANTS, STRATEGIES, Request, prefix_notes, show_breaks
from lyricgen.resources import LoadedModel, Resources
from lyricgen.ui.errors import spoken
from lyricgen.ui.originality import originality_line
from lyricgen.ui.parts import ANY_SEED, BAR, BETWEEN_UPDATES, QUIET, cards, given_seed
from lyricgen.ui.steering import create_steering, steered
from lyricgen.vocabulary import NUM_CLASSES

COPIED = [("no limit", 0), *((f"{words} words", words) for words in (4, 5, 6, 8, 12, 20))]
EXAMPLES = [  # prefix, artist, model, strategy, temperature
    ["the river keeps its secrets ", "Coldplay", "lstm", "sample", 0.7],
    ["i left my coat on the last train ", "Taylor Swift", "lstm", "sample", 0.5],
    ["counting every step ", "Eminem", "lstm", "sample", 0.9],
    ["", ANY_ARTIST, "lstm", "greedy", 0.7],
    ["morning came too soon ", ANY_ARTIST, "vanilla-rnn", "beam", 0.7],
]


@dataclass(frozen=True)
class LyricsTab:
    """What sends a lyric to another tab: the text, in whose style it is, and the button."""

    lyrics: gr.Textbox
    artist: gr.Dropdown
    xray: gr.Button


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
            xray = gr.Button("X-ray this", size="sm", elem_id="xray-this")
            steering_here = gr.Column()
        with gr.Column(scale=2, min_width=320):
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
                max_length = gr.Slider(50, LONGEST, value=300, step=50, label="Length", info="Letters in all.")
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
    with steering_here:
        steering = create_steering(resources, lyrics, artist, model)
    with gr.Accordion("Several at once", open=False):
        with gr.Row(equal_height=True):
            count = gr.Slider(
                2, MOST_VARIANTS, value=4, step=1, label="Variants", info="Each with the seed behind the one before it."
            )
            write_variants = gr.Button(
                "Write variants", variant="primary", elem_id="write-variants", scale=0, min_width=160
            )
        side_by_side = gr.HTML(elem_id="variants")
    gr.Examples(
        EXAMPLES,
        [prefix, artist, model, strategy, temperature],
        label="Beginnings to try (the prefixes were written for this page)",
        api_visibility="private",
    )

    def asked(
        prefix, artist, model, strategy, temperature, top_k, top_p, max_length, seed, max_copied_words
    ) -> Request:
        settings = (prefix, artist, strategy, temperature, top_k, top_p, max_length, given_seed(seed))
        return resources.request(model, *settings, max_copied_words=max_copied_words)

    def write_lyric(*settings) -> Iterator[str]:
        request = asked(*settings)
        for text in resources.stream(request, BETWEEN_UPDATES):
            yield show_breaks(text, len(request.prefix))

    @with_gpu
    @spoken
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
        yield from write_lyric(prefix, artist, model, strategy, temperature, top_k, top_p, max_length, seed, 0)

    @with_gpu
    @spoken
    def show(*settings) -> Iterator[str]:
        yield from write_lyric(*settings)

    @with_gpu
    @spoken
    def go_on(text, place, choice, own, *settings) -> Iterator[str]:
        yield from write_lyric(steered(text, place, choice, own), *settings)

    def stream_variants(count, *settings) -> Iterator[list[dict]]:
        requests = asked(*settings).variants(count)
        for lyrics in resources.stream_together(requests, BETWEEN_UPDATES):
            yield [
                {"seed": request.seed, "text": show_breaks(lyric.text, len(request.prefix))}
                for request, lyric in zip(requests, lyrics, strict=True)
            ]

    @with_gpu
    @spoken
    def show_variants(*values) -> Iterator[str]:
        for lyrics in stream_variants(*values):
            yield cards([(f"Seed {lyric['seed']}", lyric["text"]) for lyric in lyrics])

    @with_gpu
    @spoken
    def variants(
        prefix: str = "",
        artist: str = ANY_ARTIST,
        model: str = resources.default_model,
        temperature: float = 0.7,
        top_k: int = 0,
        top_p: float = 1.0,
        max_length: int = 300,
        seed: int = ANY_SEED,
        count: int = 4,
        max_copied_words: int = 0,
    ) -> Iterator[list[dict]]:
        """Writes several sampled lyrics in one batch, streamed as they grow: the 'seed' and the 'text' of each.

        Args:
            prefix, artist, model, temperature, top_k, top_p, max_length: as /generate's.
            seed: of the first; each further one has the next; -1: another every time.
            count: how many, 1 to 16.
            max_copied_words: the longest run of words that may stand in a training song, 4 to 50; 0: no limit.
        """
        settings = (prefix, artist, model, "sample", temperature, top_k, top_p, max_length, seed, max_copied_words)
        yield from stream_variants(count, *settings)

    @spoken
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

    settings = [prefix, artist, model, strategy, temperature, top_k, top_p, max_length, seed, copied]
    clicked = [write.click, prefix.submit]
    together = {"concurrency_limit": ROWS, "concurrency_id": "lyrics"}
    generating = gr.on(clicked, show, settings, lyrics, **BAR, **together)
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
        [prefix, max_length],
        notes,
        api_name="check_prefix",
        api_description="What of a prefix the models cannot read, and whether it is cut; empty if it is used as it is.",
        preprocess=False,
        queue=False,
        show_progress="hidden",
    )
    writing = write_variants.click(
        show_variants, [count, *settings], side_by_side, **BAR, concurrency_limit=ROWS // MOST_VARIANTS
    )
    gr.api(variants, api_name="variants", concurrency_limit=ROWS // MOST_VARIANTS)
    going_on = steering.go_on.click(
        go_on,
        [lyrics, steering.place, steering.choice, steering.own, *settings[1:]],
        lyrics,
        **BAR,
        **together,
    )
    at_once = {**QUIET, "queue": False, "show_progress": "hidden"}
    for finished in (generating, going_on):
        finished.then(
            lambda text: (originality_line(resources, text), text), lyrics, [original, steering.letters], **at_once
        )
    going_on.then(lambda: "", None, steering.own, **at_once)
    steering.panel.expand(lambda text: text, lyrics, steering.letters, **at_once)
    stop.click(None, None, None, cancels=[generating, going_on, writing], api_visibility="private")
    model.change(
        lambda name: describe(resources.model(name)),
        model,
        running,
        api_visibility="private",
        queue=False,
        show_progress="hidden",
    )
    strategy.change(
        lambda name: gr.Group(visible=name == "sample"),
        strategy,
        sampling,
        api_visibility="private",
        queue=False,
        show_progress="hidden",
    )
    return LyricsTab(lyrics, artist, xray)


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
