"""Argument checks: each returns the clean value, or raises one sentence."""

import math
import numbers
import re
import unicodedata
from collections.abc import Iterable
from typing import Literal

from rapidfuzz import process, utils

from lyricgen.errors import ArgumentError

MAX_SEED = 2**32 - 1
MAX_NAME_LENGTH = 500  # characters
SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
"""Separators of CSV files by name."""
_INVISIBLE = re.compile("[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
_LINE_ENDS = re.compile("[\u0085\u2028\u2029]")
_IGNORED_IN_NAMES = re.compile(
    "[\\x00-\\x08\\x0e-\\x1b\\x7f-\\x84\\x86-\\x9f\u034f\u115f\u1160\u17b4\u17b5\u200c\u200d\u3164\ufe00-\ufe0f\uffa0\ufff9-\ufffc\U000e0000-\U000e0fff]"
)  # control characters, joiners, fillers, and marks of variation, annotation and language


def check_integer(name: str, value: object, low: int, high: int, *, or_zero: bool = False) -> int:
    """`value` as an int; `or_zero` allows 0 too.

    Raises:
        ArgumentError: `value` is not a whole number from `low` to `high`.
    """
    number = _as_float(value)
    if number is None or not number.is_integer() or not (low <= number <= high or (or_zero and number == 0)):
        allowed = f"{'0 or ' if or_zero else ''}a whole number from {low:,} to {high:,}"
        raise ArgumentError(f"{name} must be {allowed}, got {short_repr(value)}")
    return int(number)


def check_number(name: str, value: object, low: float, high: float, *, above_low: bool = False) -> float:
    """`value` as a float; `above_low` excludes `low` itself.

    Raises:
        ArgumentError: `value` is not a finite number in the range.
    """
    number = _as_float(value)
    if number is None or not low <= number <= high or (above_low and number == low):
        allowed = f"a number above {low:g} and at most {high:g}" if above_low else f"a number from {low:g} to {high:g}"
        raise ArgumentError(f"{name} must be {allowed}, got {short_repr(value)}")
    return number


def check_seed(value: object) -> int | None:
    """`value` as a seed of a `torch.Generator`; None (no fixed seed) stays None.

    Raises:
        ArgumentError: `value` is not a whole number from 0 to 2**32 - 1.
    """
    return None if value is None else check_integer("seed", value, 0, MAX_SEED)


def check_text(name: str, value: object, *, as_given: bool = False) -> str:
    """`value` as a text that comes in, see `clean_text`: None becomes the empty text, a lone surrogate (not encodable as
    UTF-8) U+FFFD. `as_given` leaves line breaks and invisible characters, for answers with positions in the text.

    Raises:
        ArgumentError: `value` is neither a str nor None.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ArgumentError(f"{name} must be text, got {short_repr(value)}")
    text = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text if as_given else clean_text(text)


def clean_text(text: str) -> str:
    """A text as it comes in, typed or from a file: CRLF, CR, U+0085, U+2028 and U+2029 become \\n, invisible characters are
    dropped.

    Invisible are byte order marks, spaces of no width, soft hyphens and marks of direction; the joiners of emoji and of
    scripts stay.

    >>> clean_text("\ufeffone\\r\\nt\u200bwo\\r")
    'one\\ntwo\\n'
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if text.isascii() else _INVISIBLE.sub("", _LINE_ENDS.sub("\n", text))


def clean_name(text: str) -> str:
    """A name as it comes in: in NFC, one space for each run of whitespace, no invisible characters.

    >>> clean_name(" Anna\u00a0 Bee\u200b ")
    'Anna Bee'
    """
    return _normalize("NFC", " ".join(clean_text(text).split()))


def name_key(text: str) -> str:
    """The same for names that differ in nothing but case, spacing, Unicode form, or invisible characters.

    >>> name_key("BEYONCE\u0301 ") == name_key("Beyonc\u00e9")
    True
    """
    folded = _normalize("NFKC", _IGNORED_IN_NAMES.sub("", clean_name(text))).casefold()
    return " ".join(_normalize("NFKC", folded).split())


def without_accents(text: str) -> str:
    """A text without the accents of its letters.

    >>> without_accents("Beyonc\u00e9"), without_accents("nai\u0308ve")
    ('Beyonce', 'naive')
    """
    return "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))


def _normalize(form: Literal["NFC", "NFKC"], text: str) -> str:
    """A name in a Unicode form; a text too long for a name stays, since normalizing a long run of accents takes long."""
    return unicodedata.normalize(form, text) if len(text) <= MAX_NAME_LENGTH else text


def check_text_length(name: str, value: object, low: int, high: int, *, as_given: bool = False) -> str:
    """`value` as a text (see `check_text`) of `low` to `high` characters.

    Raises:
        ArgumentError: `value` is not text, or is shorter or longer.
    """
    text = check_text(name, value, as_given=as_given)
    if not low <= len(text) <= high:
        allowed = f"{low:,} to {high:,}" if low else f"at most {high:,}"
        raise ArgumentError(
            f"{name} must have {allowed} characters, got {f'{len(text):,}' if text else 'an empty text'}"
        )
    return text


def check_switch(name: str, value: object) -> bool:
    """A switch: True or False, or 'on', 'off', 'true' or 'false' as a shell passes it.

    Raises:
        ArgumentError: it is something else.
    """
    texts = {"on": True, "true": True, "off": False, "false": False}
    if isinstance(value, str) and value.strip().lower() in texts:
        return texts[value.strip().lower()]
    if not isinstance(value, bool):
        raise ArgumentError(f"{name} must be on or off, got {short_repr(value)}")
    return value


def check_separator(name: str, value: str) -> str:
    """The separator of a CSV file, as a character or by its name.

    Raises:
        ArgumentError: it is none of `SEPARATORS`.
    """
    separators = {"\\t": "\t", **SEPARATORS, **{character: character for character in SEPARATORS.values()}}
    if value not in separators:
        raise ArgumentError(f"{name} must be one of {', '.join(SEPARATORS)}; got {short_repr(value)}")
    return separators[value]


def check_choice(name: str, value: object, choices: Iterable[str]) -> str:
    """The element of `choices` equal to `value` by `name_key`.

    Raises:
        ArgumentError: there is none; the message lists the choices, or the nearest of many.
    """
    choices = list(choices)
    wanted = name_key(value) if isinstance(value, str) else None
    matches = [choice for choice in choices if name_key(choice) == wanted]
    if matches:
        return str(value) if value in matches else matches[0]
    if len(choices) <= 6 or not wanted:
        raise ArgumentError(f"{name} must be one of {', '.join(choices)}; got {short_repr(value)}")
    raise ArgumentError(
        f"{name} {short_repr(value)} is not among the {len(choices)} known; nearest: {', '.join(nearest(wanted[:100], choices))}"
    )


def nearest(word: str, choices: Iterable[str], limit: int = 3) -> list[str]:
    """Up to `limit` of `choices`, most similar spelling first."""
    return [
        choice for choice, _, _ in process.extract(word, list(choices), processor=utils.default_process, limit=limit)
    ]


def counted(count: int, noun: str) -> str:
    """A number and its noun.

    >>> counted(1, "syllable"), counted(1_200, "song")
    ('1 syllable', '1,200 songs')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def short_repr(value: object, width: int = 60) -> str:
    """The repr of `value` for a message: one line, at most `width` characters."""
    try:
        text = repr(value).replace("\n", " ")
    except ValueError:  # an int with more digits than Python converts
        text = f"a value of type {type(value).__name__}"
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _as_float(value: object) -> float | None:
    """`value`, a number or the text of one, as a finite float; None for anything else, bool included."""
    if isinstance(value, bool) or not isinstance(value, (numbers.Real, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
