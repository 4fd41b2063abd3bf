"""Lyrics from a model by name, folder or object: the functions of the library."""

import inspect
import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from lyricgen.generation.request import GenerationRequest
from lyricgen.generation.scheduler import stream_together
from lyricgen.generation.settings import GenerationSettings, generation_settings
from lyricgen.memorization.copy_guard import make_copy_guard
from lyricgen.memorization.song_index import bundled_index
from lyricgen.models.loading import resolve_model
from lyricgen.models.networks import CharacterModel

log = logging.getLogger("lyricgen")
F = TypeVar("F", bound=Callable)
PREFIX_HELP = "The beginning, echoed as typed and read in lower case; empty: the model begins the song."
MODEL_HELP = "'lstm', 'vanilla-rnn', a model folder, a `.ckpt` file, or a loaded model."


def _takes_settings(function: F) -> F:
    """Spells out `**settings` in a function's signature, and ARGUMENTS in its docstring, from `GenerationSettings`."""
    signature = inspect.signature(function)
    settings = generation_settings().values()
    parameters = [each for each in signature.parameters.values() if each.kind is not inspect.Parameter.VAR_KEYWORD]
    parameters += [
        inspect.Parameter(each.name, inspect.Parameter.KEYWORD_ONLY, default=each.default, annotation=each.annotation)
        for each in settings
    ]
    function.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    if function.__doc__:
        helps = {"prefix": PREFIX_HELP, "model": MODEL_HELP, **{each.name: each.help for each in settings}}
        lines = "\n        ".join(f"{name}: {help}" for name, help in helps.items())
        function.__doc__ = function.__doc__.replace("ARGUMENTS", lines)
    return function


@_takes_settings
def stream_lyrics(prefix: str = "", *, model: str | Path | CharacterModel = "lstm", **settings: Any) -> Iterator[str]:
    """Generates a lyric and yields the whole text after each character.

    Args:
        ARGUMENTS

    Raises:
        ArgumentError: an argument lies outside what is allowed.
        ModelError: there is no such model, or its files are damaged.
    """
    request = make_request(prefix, model=model, **settings)
    return (outputs[0].text for outputs in stream_together([request]))


@_takes_settings
def generate_lyrics(prefix: str = "", *, model: str | Path | CharacterModel = "lstm", **settings: Any) -> str:
    """The complete text of `stream_lyrics`, with the same arguments and errors: exactly `max_length` characters.

    A run of two spaces or more is a section break, see `section_breaks_to_newlines`.

    Args:
        ARGUMENTS

    Raises:
        ArgumentError, ModelError: as `stream_lyrics`.
    """
    return write_together([make_request(prefix, model=model, **settings)])[0]


@_takes_settings
def generate_variants(
    prefix: str = "", *, variants: int = 4, model: str | Path | CharacterModel = "lstm", **settings: Any
) -> list[str]:
    """Several lyrics of one request, generated in one batch: the first has the request's seed, each further one the next.

    Args:
        variants: lyrics, 1 to 16; above 1 only for the sample strategy.
        ARGUMENTS

    Raises:
        ArgumentError, ModelError: as `stream_lyrics`.
    """
    return write_together(make_request(prefix, model=model, **settings).variants(variants))


@_takes_settings
def make_request(
    prefix: str = "", *, model: str | Path | CharacterModel = "lstm", **settings: Any
) -> GenerationRequest:
    """The request behind `stream_lyrics`, with the same arguments and errors; its notes go to the log.

    Args:
        ARGUMENTS

    Raises:
        ArgumentError, ModelError: as `stream_lyrics`.
    """
    chosen = GenerationSettings(**settings)
    guard = make_copy_guard(chosen.max_copied_words, bundled_index)
    request = GenerationRequest(resolve_model(model), prefix, chosen, () if guard is None else (guard,))
    for note in request.notes:
        log.warning(note)
    return request


def write_together(requests: Sequence[GenerationRequest]) -> list[str]:
    """The complete lyrics of some requests, those to one model in one batch."""
    outputs = []
    for outputs in stream_together(requests, every=float("inf")):  # noqa: B007
        pass
    return [output.text for output in outputs]
