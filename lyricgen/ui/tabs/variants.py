"""Several lyrics of one request side by side, under the lyrics; `/variants`."""

from collections.abc import Iterator
from functools import partial

import gradio as gr

from lyricgen.devices import with_gpu
from lyricgen.generation.scheduler import MAX_BATCH_SIZE
from lyricgen.generation.settings import MAX_VARIANTS
from lyricgen.models.text import ANY_ARTIST, section_breaks_to_newlines
from lyricgen.resources import Resources
from lyricgen.ui.components import ANY_SEED, BETWEEN_UPDATES, RUN_ONCE_EVENT, cards, request_from_page
from lyricgen.ui.events import raises_gradio_error
from lyricgen.ui.tabs.originality import originality_line

AT_ONCE = MAX_BATCH_SIZE // MAX_VARIANTS  # calls that run side by side


def create_variants(resources: Resources, settings: list[gr.Component]) -> gr.events.Dependency:
    """Adds the components and the API's `/variants`; returns the event that writes, for a button that stops it.

    Args:
        resources: the models.
        settings: the components that a lyric is asked for with, in the order of `requested`.
    """
    with gr.Accordion("Several at once", open=False):
        with gr.Row(equal_height=True):
            count = gr.Slider(
                2, MAX_VARIANTS, value=4, step=1, label="Variants", info="Each with the seed behind the one before it."
            )
            write_variants = gr.Button(
                "Write variants", variant="primary", elem_id="write-variants", scale=0, min_width=160
            )
        side_by_side = gr.HTML(elem_id="variants")

    def stream_variants(count, *settings) -> Iterator[list[dict]]:
        requests = request_from_page(resources, *settings).variants(count)
        for lyrics in resources.stream_together(requests, BETWEEN_UPDATES):
            yield [
                {"seed": request.settings.seed, "text": section_breaks_to_newlines(lyric.text, len(request.prefix))}
                for request, lyric in zip(requests, lyrics, strict=True)
            ]

    @with_gpu
    @raises_gradio_error
    def show_variants(*values) -> Iterator[str]:
        lyrics = []
        for lyrics in stream_variants(*values):
            yield cards(headed(lyrics))
        yield cards(headed(lyrics), partial(originality_line, resources))

    @with_gpu
    @raises_gradio_error
    def variants(
        prefix: str = "",
        artist: str = ANY_ARTIST,
        model: str = resources.default_model,
        temperature: float = 0.7,
        top_k: int = 0,
        top_p: float = 1.0,
        max_length: int = 300,
        seed: int = ANY_SEED,
        variants: int = 4,
        max_copied_words: int = 0,
    ) -> Iterator[list[dict]]:
        """Writes several sampled lyrics in one batch, streamed as they grow: the 'seed' and the 'text' of each.

        Args:
            prefix, artist, model, temperature, top_k, top_p, max_length: as /generate's.
            seed: of the first; each further one has the next; -1: another every time.
            variants: how many, 1 to 16.
            max_copied_words: the longest run of words that may stand in a training song, 4 to 50; 0: no limit.
        """
        settings = (prefix, artist, model, "sample", temperature, top_k, top_p, max_length, seed, max_copied_words)
        yield from stream_variants(variants, *settings)

    gr.api(variants, api_name="variants", concurrency_limit=AT_ONCE)
    return write_variants.click(
        show_variants, [count, *settings], side_by_side, **RUN_ONCE_EVENT, concurrency_limit=AT_ONCE
    )


def headed(lyrics: list[dict]) -> list[tuple[str, str]]:
    """Each lyric under its seed."""
    return [(f"Seed {lyric['seed']}", lyric["text"]) for lyric in lyrics]
