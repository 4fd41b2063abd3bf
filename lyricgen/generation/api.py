"""Lyrics from a model by name, folder or object: the functions of the library."""

import inspect
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from lyricgen.generation.request import GenerationRequest
from lyricgen.generation.scheduler import stream_together
from lyricgen.generation.schemes import form_settings, take_form
from lyricgen.generation.settings import VERSE_DRY, GenerationSettings, Setting, generation_settings, verse_settings
from lyricgen.generation.verse import GapWriter, Verse, VerseWriter
from lyricgen.memorization.copy_guard import make_copy_guard
from lyricgen.memorization.song_index import index_of_model
from lyricgen.models.loading import resolve_model
from lyricgen.models.networks import CharacterModel

log = logging.getLogger("lyricgen")
F = TypeVar("F", bound=Callable)
PREFIX_HELP = "The beginning, echoed as typed and read in lower case; empty: the model begins the song."
MODEL_HELP = "'lstm', 'vanilla-rnn', a model folder, a `.ckpt` file, or a loaded model."
HELPS = {"prefix": PREFIX_HELP, "model": MODEL_HELP}


def _takes_settings(
    function: F, of: Callable[[], dict[str, Setting]] = generation_settings, more: Iterable[Setting] = ()
) -> F:
    """Spells out `**settings` in a function's signature, and ARGUMENTS in its docstring: `more` and the settings `of` a lyric or a
    verse, but for those that the function names itself."""
    signature = inspect.signature(function)
    settings = [each for each in (*more, *of().values()) if each.name not in signature.parameters]
    parameters = [each for each in signature.parameters.values() if each.kind is not inspect.Parameter.VAR_KEYWORD]
    parameters += [
        inspect.Parameter(each.name, inspect.Parameter.KEYWORD_ONLY, default=each.default, annotation=each.annotation)
        for each in settings
    ]
    function.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    if function.__doc__:
        helps = {name: help for name, help in HELPS.items() if name in signature.parameters}
        helps |= {each.name: each.help for each in settings}
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


@partial(_takes_settings, of=verse_settings, more=form_settings().values())
def write_verse(
    scheme: str = "couplet",
    *,
    model: str | Path | CharacterModel = "lstm",
    dry: float = VERSE_DRY,
    **settings: Any,
) -> Verse:
    """Writes a verse in a form: `text`, `lines`, and `notes` on what could not be met. `print(write_verse("ABAB").text)`

    Args:
        scheme: couplet, AABB, ABAB, ABBA, limerick, haiku, acrostic or lines.
        dry: as in `generate_lyrics`.
        ARGUMENTS

    Raises:
        ArgumentError: an argument is not allowed, or contradicts another.
        ModelError: as `stream_lyrics`.
    """
    form = take_form(settings, scheme=scheme)
    *_, verse = VerseWriter(make_request(model=model, dry=dry, **settings), form).stream()
    return verse


@partial(_takes_settings, of=verse_settings)
def fill_gap(
    text: str,
    *,
    length: int = 60,
    model: str | Path | CharacterModel = "lstm",
    dry: float = VERSE_DRY,
    **settings: Any,
) -> str:
    """Fills the gap of a text, written `[..]`, with words that lead from what is before to what is behind; returns the whole text.

    Args:
        text: 1 to 5,000 characters with one gap.
        length: characters to fill in, 5 to 200; up to 15 fewer, since it ends with a whole word.
        dry: as in `generate_lyrics`.
        ARGUMENTS

    Raises:
        ArgumentError: there is not exactly one gap, or an argument is not allowed.
        ModelError: as `stream_lyrics`.
    """
    *_, filled = GapWriter(make_request(model=model, dry=dry, **settings), text, length).stream()
    return filled


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
    guard = make_copy_guard(chosen.max_copied_words, partial(index_of_model, model))
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
