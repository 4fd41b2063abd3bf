"""Endpoints on verses: `/verse`, `/fill`, `/rhymes`."""

import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from lyricgen.endpoints.lyrics import ANY_SEED, DEFAULTS, UPDATE_INTERVAL, make_request, takes_settings
from lyricgen.generation.schemes import VerseForm, form_settings, take_form
from lyricgen.generation.settings import UNUSED_BY_VERSES, VERSE_DRY
from lyricgen.generation.verse import GapWriter, Verse, VerseWriter
from lyricgen.models.text import ANY_ARTIST
from lyricgen.words import rhymes as of_words

if TYPE_CHECKING:
    from lyricgen.resources import Resources

Value = TypeVar("Value")
EXAMPLE_GAP = "the river keeps its secrets [..] and i walk home in the rain"
EXAMPLE_TEXT = "the lamp is low, the harbour bright\na gull went over, out of sight"


@takes_settings(*UNUSED_BY_VERSES, more=form_settings().values())
def verse(
    resources: "Resources",
    scheme: Literal["couplet", "AABB", "ABAB", "ABBA", "limerick", "haiku", "acrostic", "lines"] = "couplet",
    syllables: int = VerseForm.syllables,
    artist: str = ANY_ARTIST,
    model: str | None = None,
    temperature: float = DEFAULTS.temperature,
    seed: int = ANY_SEED,
    dry: float = VERSE_DRY,
    **settings: Any,
) -> Iterator[dict]:
    """Writes a verse in a form, streamed as it grows: 'text', 'lines' (each with 'text', 'syllables', 'rhyme', a letter that rhyming
    lines share, and 'given'), 'notes' on what could not be met, and 'seed'.

    Args:
        scheme: couplet, AABB, ABAB, ABBA, limerick, haiku, acrostic or lines.
        syllables: of each line, 2 to 16; limericks and haikus have their own.
        artist: in whose style; 'any artist' for none in particular.
        model: lstm or vanilla-rnn.
        temperature: of sampling, 0.1 to 100.
        seed: the same seed gives the same verse; -1: a random one.
        dry: strength of the penalty on repetitions, 0 to 5.
    """
    settings |= {"artist": artist, "temperature": temperature, "seed": seed, "dry": dry}
    form = take_form(settings, scheme=scheme, syllables=syllables)
    for written in stream_verse(resources, form, model, **settings):
        yield written.to_dict()


@takes_settings(*UNUSED_BY_VERSES)
def fill(
    resources: "Resources",
    text: str = EXAMPLE_GAP,
    length: int = 60,
    artist: str = ANY_ARTIST,
    model: str | None = None,
    temperature: float = DEFAULTS.temperature,
    seed: int = ANY_SEED,
    dry: float = VERSE_DRY,
    **settings: Any,
) -> Iterator[str]:
    """Fills the gap of a text, written [..], so that what is behind it follows; streams the whole text as it grows.

    Args:
        text: 1 to 5,000 characters with one gap.
        length: characters to fill in, 5 to 200; up to 15 fewer, since it ends with a whole word.
        artist: in whose style; 'any artist' for none in particular.
        model: lstm or vanilla-rnn.
        temperature: of sampling, 0.1 to 100.
        seed: the same seed gives the same text; -1: a random one.
        dry: strength of the penalty on repetitions, 0 to 5.
    """
    settings |= {"artist": artist, "temperature": temperature, "seed": seed, "dry": dry}
    request = make_request(resources, "", model, **settings)
    yield from at_intervals(resources.stream_on_model(request, lambda each: GapWriter(each, text, length).stream()))


def rhymes(resources: "Resources", text: str = EXAMPLE_TEXT) -> list[dict]:
    """The lines of a text, each with its 'syllables', its 'end' (the last word), its rhyme 'group' (a letter, '' for none) and the
    'kind' of the rhyme, perfect or near.

    Args:
        text: 1 to 20,000 characters.
    """
    return [line.to_dict() for line in of_words.rhymes(text)]


def stream_verse(resources: "Resources", form: VerseForm, model: str | None = None, **settings: Any) -> Iterator[Verse]:
    """A verse as it grows.

    Raises:
        ArgumentError: a part of the form or a setting is not allowed.
    """
    request = make_request(resources, "", model, **settings)
    yield from at_intervals(resources.stream_on_model(request, lambda each: VerseWriter(each, form).stream()))


def at_intervals(values: Iterable[Value]) -> Iterator[Value]:
    """Some of the values, at most one every 0.05 s, and the last."""
    due, sent = 0.0, True
    value: Value | None = None
    for value in values:
        sent = time.monotonic() >= due
        if sent:
            yield value
            due = time.monotonic() + UPDATE_INTERVAL
    if not sent and value is not None:
        yield value
