"""Generation settings: name, default, limits and help of each, spelled out once.

The library's signatures, the request's checks, the shell's flags and the page are built from `GenerationSettings`, and those of
verses from `VerseForm` too. This
module imports nothing that is slow to import.
"""

import ast
import inspect
import string
import textwrap
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, NamedTuple

STRATEGIES = ("sample", "greedy", "beam")
CHORUSES = ("never", "sometimes", "often")
MIN_TEMPERATURE = 1e-5  # up to this temperature, sampling takes the argmax, its limit
MAX_TEMPERATURE = 100.0
MAX_GUIDANCE = 4.0
MAX_TOP_K = len(string.printable)  # characters that a model can write
MAX_LYRIC_LENGTH = 5_000  # characters of a lyric, prefix included
MAX_BEAM_SIZE = 32  # hypotheses
MIN_COPIED_WORDS, MAX_COPIED_WORDS = 4, 50  # words of a copied run that may be allowed
MAX_DRY = 5.0  # nats, the penalty of a repetition of ten characters
MAX_VARIANTS = 16  # lyrics of one request
UNUSED_BY_VERSES = ("strategy", "max_length", "beam_size", "chorus")  # settings of a lyric that a verse does not have
LOWEST_VERSE_TEMPERATURE = 0.1  # below, all particles of a verse are the same
VERSE_DRY = 0.6  # default of `dry` for verses and gaps


def setting_field(
    default: Any, low: float | None = None, high: float | None = None, choices: tuple[str, ...] = ()
) -> Any:
    """A field with a default, and the limits or the choices that it must keep to."""
    return field(default=default, metadata={"low": low, "high": high, "choices": choices})


@dataclass(frozen=True)
class GenerationSettings:
    """How a lyric is generated. The values are as given: `GenerationRequest` checks them."""

    artist: str | None = None
    """The artist to imitate, one of the model's; None: any artist."""
    strategy: str = setting_field("sample", choices=STRATEGIES)
    """sample, greedy or beam."""
    temperature: float = setting_field(0.7, 0, MAX_TEMPERATURE)
    """Sampling temperature, 0 to 100; 0 is greedy."""
    top_k: int = setting_field(0, 0, MAX_TOP_K)
    """Sample from the k most likely characters only, 0 to 100; 0: from all."""
    top_p: float = setting_field(1.0, 0, 1)
    """Sample from the most likely characters that together have this probability, above 0 up to 1."""
    max_length: int = setting_field(300, 1, MAX_LYRIC_LENGTH)
    """Characters in all, prefix included, 1 to 5,000."""
    seed: int | None = setting_field(None, 0, 2**32 - 1)
    """The same seed gives the same text, 0 to 4,294,967,295; None: a different text every time."""
    beam_size: int = setting_field(5, 1, MAX_BEAM_SIZE)
    """Hypotheses of the beam, 1 to 32."""
    max_copied_words: int = setting_field(0, MIN_COPIED_WORDS, MAX_COPIED_WORDS)
    """The longest run of words that may be copied from one training song, 4 to 50; longer runs are backtracked and
    resampled; 0: no limit."""
    min_p: float = setting_field(0.0, 0, 1)
    """Sample only from the characters that have at least this share of the highest probability, 0 to 1; 0: from all."""
    typical_p: float = setting_field(1.0, 0, 1)
    """Sample from the characters whose surprisal is nearest to the entropy and that together have this probability, above
    0 up to 1."""
    guidance: float = setting_field(1.0, 1, MAX_GUIDANCE)
    """How strongly the artist's style is followed, 1 to 4; 1: as the model learnt it. Without an artist it has no effect."""
    second_artist: str | None = None
    """A second artist, whose style is mixed with the first one's; None: no mix."""
    second_weight: float = setting_field(0.5, 0, 1)
    """The second artist's share of the mix, 0 (the first artist alone) to 1 (the second alone)."""
    dry: float = setting_field(0.0, 0, MAX_DRY)
    """Strength of the penalty on repetitions of 10 characters or more (DRY), which prevents loops, 0 to 5; 1 is usual;
    0: none."""
    chorus: str = setting_field("never", choices=CHORUSES)
    """How often an earlier section returns after a section break, as a chorus does: never, sometimes or often."""
    clean_words: bool = False
    """Whether listed strong words and slurs are kept out, on or off; the prefix is left alone."""
    units: str = ""
    """Up to three hidden units held at a value from -1 to 1 while the lyric is written, as layer.unit=value, comma-separated:
    2.17=0 silences unit 17 of layer 2; layers count from 1, units from 0."""


class Setting(NamedTuple):
    """One generation setting, from which signatures, flags and components are built."""

    name: str
    annotation: Any
    default: Any
    help: str
    """A sentence on meaning and limits, without the default."""
    low: float | None
    """The lowest allowed value; for `top_p` and `typical_p` it is not allowed itself, and `max_copied_words` may also be
    0."""
    high: float | None
    choices: tuple[str, ...]


def generation_settings() -> dict[str, Setting]:
    """Every field of `GenerationSettings` by name, in order."""
    return settings_of(GenerationSettings)


@cache
def verse_settings() -> dict[str, Setting]:
    """The settings of verses and gaps by name: those of a lyric but for `UNUSED_BY_VERSES`, with a temperature of at least 0.1."""
    settings = {name: each for name, each in generation_settings().items() if name not in UNUSED_BY_VERSES}
    low, high = LOWEST_VERSE_TEMPERATURE, MAX_TEMPERATURE
    of_verses = settings["temperature"]._replace(low=low, help=f"Sampling temperature, {low:g} to {high:g}.")
    return {**settings, "temperature": of_verses}


@cache
def settings_of(documented: type) -> dict[str, Setting]:
    """Every field of a dataclass by name, in order, with the docstring under it."""
    helps = field_docs(documented)
    return {
        each.name: Setting(
            each.name,
            each.type,
            each.default,
            helps.get(each.name, ""),
            each.metadata.get("low"),
            each.metadata.get("high"),
            each.metadata.get("choices", ()),
        )
        for each in fields(documented)
    }


def field_docs(documented: type) -> dict[str, str]:
    """The docstring under each field of a class, on one line; empty where the source is not available.

    >>> field_docs(GenerationSettings)["strategy"]
    'sample, greedy or beam.'
    """
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(documented)))
    except (OSError, TypeError):
        return {}
    statements = tree.body[0].body  # type: ignore[attr-defined]
    return {
        statement.target.id: " ".join(below.value.value.split())
        for statement, below in zip(statements, statements[1:], strict=False)
        if isinstance(statement, ast.AnnAssign)
        and isinstance(statement.target, ast.Name)
        and isinstance(below, ast.Expr)
        and isinstance(below.value, ast.Constant)
        and isinstance(below.value.value, str)
    }
