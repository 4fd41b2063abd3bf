"""Endpoints that write lyrics: `/generate`, `/variants`, `/compare`, `/temperatures`, `/check_prefix`."""

import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING, Any, Literal

from lyricgen.generation.request import GenerationRequest, prefix_notes
from lyricgen.generation.settings import GenerationSettings, Setting, generation_settings
from lyricgen.models.text import ANY_ARTIST

if TYPE_CHECKING:
    from lyricgen.resources import Resources

ANY_SEED = -1  # value of `seed` for a random one
UPDATE_INTERVAL = 0.05  # minimum seconds between two values of a stream
TEMPERATURES = (0.25, 0.5, 0.75, 1.0, 1.5)
DEFAULTS = GenerationSettings()


def takes_settings(
    *excluded: str, more: Iterable[Setting] = ()
) -> Callable[[Callable[..., Iterator]], Callable[..., Iterator]]:
    """Spells out the `**settings` of an endpoint: every generation setting that it does not name itself becomes a parameter
    with its default and its help, after those that it names.

    Args:
        excluded: settings that the endpoint does not take.
        more: settings of its own, before those of generation.
    """

    def spell_out(function: Callable[..., Iterator]) -> Callable[..., Iterator]:
        signature = inspect.signature(function)
        named = [each for each in signature.parameters.values() if each.kind is not inspect.Parameter.VAR_KEYWORD]
        left_out = {*excluded, *(each.name for each in named)}
        added = [setting for setting in (*more, *generation_settings().values()) if setting.name not in left_out]
        parameters = [
            inspect.Parameter(
                setting.name,
                inspect.Parameter.POSITIONAL_OR_KEYWORD,
                default=setting.default,
                annotation=Literal[setting.choices] if setting.choices else setting.annotation,
            )
            for setting in added
        ]
        signature = signature.replace(parameters=[*named, *parameters])

        @wraps(function)
        def endpoint(*values: Any, **named_values: Any) -> Iterator:
            yield from function(**signature.bind(*values, **named_values).arguments)

        helps = (f"        {setting.name}: {setting.help}".replace("None:", f"'{ANY_ARTIST}':") for setting in added)
        endpoint.__doc__ = "\n".join([(function.__doc__ or "").rstrip(), *helps, "    "])
        endpoint.__signature__ = signature  # type: ignore[attr-defined]
        return endpoint

    return spell_out


@takes_settings()
def generate(
    resources: "Resources",
    prefix: str = "",
    artist: str = ANY_ARTIST,
    model: str | None = None,
    strategy: Literal["sample", "greedy", "beam"] = "sample",
    temperature: float = DEFAULTS.temperature,
    top_k: int = DEFAULTS.top_k,
    top_p: float = DEFAULTS.top_p,
    max_length: int = DEFAULTS.max_length,
    seed: int = ANY_SEED,
    **settings: Any,
) -> Iterator[str]:
    """Writes a lyric that begins with the prefix, streamed as it grows; the last value is the whole text.

    Args:
        prefix: how it begins; empty: the model begins. Characters outside string.printable are read as unknown.
        artist: in whose style; 'any artist' for none in particular.
        model: lstm or vanilla-rnn.
        strategy: sample, greedy or beam.
        temperature: of sampling, 0 to 100; 0 is greedy.
        top_k: sample from the k most likely characters only, 0 to 100; 0: from all.
        top_p: sample from the most likely characters that together have this probability, above 0 up to 1.
        max_length: characters in all, prefix included, 1 to 5,000.
        seed: the same seed gives the same text; -1: a random one.
    """
    request = make_request(
        resources,
        prefix,
        model,
        artist=artist,
        strategy=strategy,
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        max_length=max_length,
        seed=seed,
        **settings,
    )
    yield from stream_text(resources, request)


@takes_settings("strategy", "beam_size")
def variants(
    resources: "Resources",
    prefix: str = "",
    artist: str = ANY_ARTIST,
    model: str | None = None,
    temperature: float = DEFAULTS.temperature,
    top_k: int = DEFAULTS.top_k,
    top_p: float = DEFAULTS.top_p,
    max_length: int = DEFAULTS.max_length,
    seed: int = ANY_SEED,
    variants: int = 4,
    max_copied_words: int = DEFAULTS.max_copied_words,
    **settings: Any,
) -> Iterator[list[dict]]:
    """Writes several sampled lyrics in one batch, streamed as they grow: the 'seed' and the 'text' of each.

    Args:
        prefix: how they begin; empty: the model begins.
        artist: in whose style; 'any artist' for none in particular.
        model: lstm or vanilla-rnn.
        temperature: of sampling, 0 to 100; 0 is greedy.
        top_k: sample from the k most likely characters only, 0 to 100; 0: from all.
        top_p: sample from the most likely characters that together have this probability, above 0 up to 1.
        max_length: characters of each in all, prefix included, 1 to 5,000.
        seed: of the first; each further lyric has the next one; -1: a random one.
        variants: number of lyrics, 1 to 16.
        max_copied_words: the longest run of words that may occur in a training song, 4 to 50; 0: no limit.
    """
    request = make_request(
        resources,
        prefix,
        model,
        artist=artist,
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        max_length=max_length,
        seed=seed,
        max_copied_words=max_copied_words,
        **settings,
    )
    yield from stream_variants(resources, request, variants)


@takes_settings("strategy", "beam_size")
def compare(
    resources: "Resources",
    prefix: str = "",
    artist: str = ANY_ARTIST,
    temperature: float = DEFAULTS.temperature,
    max_length: int = DEFAULTS.max_length,
    seed: int = ANY_SEED,
    **settings: Any,
) -> Iterator[dict]:
    """Writes one lyric with each model, side by side, streamed: by model, the 'text' and its 'bits_per_character'.

    Args:
        prefix: how both begin; empty: the models begin.
        artist: in whose style; 'any artist' for none in particular.
        temperature: of sampling, 0 to 100; 0 is greedy.
        max_length: characters of each in all, prefix included, 1 to 5,000.
        seed: of both; -1: a random one.
    """
    settings |= {"artist": artist, "temperature": temperature, "max_length": max_length, "seed": seed}
    first = make_request(resources, prefix, resources.model_names[0], **settings)
    yield from stream_measured(resources, of_each_model(resources, first))


@takes_settings("strategy", "beam_size", "temperature")
def temperatures(
    resources: "Resources",
    prefix: str = "",
    artist: str = ANY_ARTIST,
    model: str | None = None,
    max_length: int = DEFAULTS.max_length,
    seed: int = ANY_SEED,
    **settings: Any,
) -> Iterator[dict]:
    """Writes one lyric at each of five temperatures, side by side, streamed: as /compare, by temperature.

    Args:
        prefix: how all begin; empty: the model begins.
        artist: in whose style; 'any artist' for none in particular.
        model: lstm or vanilla-rnn.
        max_length: characters of each in all, prefix included, 1 to 5,000.
        seed: of all; -1: a random one.
    """
    settings |= {"artist": artist, "max_length": max_length, "seed": seed}
    first = make_request(resources, prefix, model, **settings)
    yield from stream_measured(resources, at_each_temperature(first))


def check_prefix(resources: "Resources", prefix: str = "", max_length: int = DEFAULTS.max_length) -> str:
    """Notes on a prefix: its characters outside the vocabulary, and whether it is cut; empty if there are none.

    Args:
        prefix: how a lyric is to begin.
        max_length: characters of that lyric in all, 1 to 5,000; at least the prefix's.
    """
    return " ".join(prefix_notes(prefix, max_length))


def seed_or_random(seed: Any) -> Any:
    """The seed as given, None (a random one) for `ANY_SEED`, as a number or as the shell's text."""
    return None if seed in (ANY_SEED, str(ANY_SEED)) else seed


def make_request(
    resources: "Resources", prefix: str, model: str | None, *, seed: Any = ANY_SEED, **settings: Any
) -> GenerationRequest:
    """A request with settings as the page and the API send them.

    Args:
        resources: the models.
        prefix: the beginning.
        model: its name; None: the default.
        seed: `ANY_SEED` for a random one.
        settings: the other fields of `GenerationSettings`.

    Raises:
        ArgumentError: a setting is not allowed.
    """
    return resources.request(model, prefix, GenerationSettings(seed=seed_or_random(seed), **settings))


def stream_text(resources: "Resources", request: GenerationRequest) -> Iterator[str]:
    """The lyric of a request as it grows, its section breaks as line breaks."""
    for text in resources.stream(request, UPDATE_INTERVAL):
        yield request.shown(text)


def stream_variants(resources: "Resources", request: GenerationRequest, count: int) -> Iterator[list[dict]]:
    """`count` lyrics of a request as they grow, with consecutive seeds: 'seed' and 'text' of each."""
    requests = request.variants(count)
    for lyrics in resources.stream_together(requests, UPDATE_INTERVAL):
        yield [
            {"seed": request.seed, "text": request.shown(lyric.text)}
            for request, lyric in zip(requests, lyrics, strict=True)
        ]


def of_each_model(resources: "Resources", request: GenerationRequest) -> dict[str, GenerationRequest]:
    """The same request to each model, by name; an artist that a model does not know is any artist to it."""
    return {
        name: resources.request(name, request.prefix, known_style(resources, request.settings, name))
        for name in resources.model_names
    }


def known_style(resources: "Resources", settings: GenerationSettings, model: str) -> GenerationSettings:
    """The settings without artists that a model does not know."""
    known = (None, *resources.model(model).model.artists)
    if settings.artist not in known:
        return replace(settings, artist=None, second_artist=None, guidance=1.0)
    return settings if settings.second_artist in known else replace(settings, second_artist=None)


def at_each_temperature(request: GenerationRequest) -> dict[str, GenerationRequest]:
    """The same request at each of `TEMPERATURES`."""
    return {f"{value:g}": request.with_settings(temperature=value) for value in TEMPERATURES}


def stream_measured(resources: "Resources", requests: dict[str, GenerationRequest]) -> Iterator[dict]:
    """Named requests side by side as they grow: 'text' and 'bits_per_character' of each.

    The bits are the mean of the generated characters, before any temperature; None before the first.
    """
    for lyrics in resources.stream_together(list(requests.values()), UPDATE_INTERVAL, measured=True):
        answer = {}
        for (name, request), lyric in zip(requests.items(), lyrics, strict=True):
            length = len(lyric.text) - len(request.prefix)
            bits = round(lyric.bits / length, 3) if lyric.bits is not None and length else None
            answer[name] = {
                "text": request.shown(lyric.text),
                "bits_per_character": bits,
            }
        yield answer
