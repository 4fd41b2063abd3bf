"""Checks of what a caller passed: a clean value comes back, or one sentence is raised."""

import math
import numbers
from collections.abc import Iterable

from rapidfuzz import process, utils

from lyricgen.errors import ArgumentError


def short_repr(value: object, width: int = 60) -> str:
    """`value` as a short quotation in one line for a message; never longer than `width` characters."""
    try:
        text = repr(value).replace("\n", " ")
    except ValueError:  # an int of too many digits to be written out
        text = f"a value of type {type(value).__name__}"
    return text if len(text) <= width else f"{text[: width - 1]}…"


def check_integer(name: str, value: object, low: int, high: int) -> int:
    """`value` as an int.

    Raises:
        ArgumentError: `value` is no whole number from `low` to `high`.
    """
    number = _as_float(value)
    if number is None or not number.is_integer() or not low <= number <= high:
        raise ArgumentError(f"{name} must be a whole number from {low:,} to {high:,}, got {short_repr(value)}")
    return int(number)


def check_number(name: str, value: object, low: float, high: float, *, above_low: bool = False) -> float:
    """`value` as a float; with `above_low`, `low` itself is not allowed.

    Raises:
        ArgumentError: `value` is no finite number in the range.
    """
    number = _as_float(value)
    if number is None or not low <= number <= high or (above_low and number == low):
        allowed = f"a number above {low:g} and at most {high:g}" if above_low else f"a number from {low:g} to {high:g}"
        raise ArgumentError(f"{name} must be {allowed}, got {short_repr(value)}")
    return number


def check_seed(value: object) -> int | None:
    """`value` as a seed for a `torch.Generator`; None stays None ('another text every time')."""
    return None if value is None else check_integer("seed", value, 0, 2**32 - 1)


def check_text(name: str, value: object) -> str:
    """`value` as a str; None is the empty text, and half a surrogate pair, which no file can hold, is U+FFFD.

    Raises:
        ArgumentError: `value` is something else.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ArgumentError(f"{name} must be text, got {short_repr(value)}")
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def check_choice(name: str, value: object, choices: Iterable[str]) -> str:
    """The one of `choices` that `value` names; upper and lower case are the same.

    Raises:
        ArgumentError: there is none; the message offers the nearest.
    """
    choices = list(choices)
    wanted = value.strip().casefold() if isinstance(value, str) else None
    for choice in choices:
        if choice.casefold() == wanted:
            return choice
    if len(choices) <= 6 or not wanted:
        raise ArgumentError(f"{name} must be one of {', '.join(choices)}; got {short_repr(value)}")
    raise ArgumentError(
        f"{name} {short_repr(value)} is not among the {len(choices)} known; nearest: {', '.join(nearest(wanted[:100], choices))}"
    )


def nearest(word: str, choices: Iterable[str], limit: int = 3) -> list[str]:
    """Up to `limit` of `choices`, those spelled most like `word` first."""
    return [
        choice for choice, _, _ in process.extract(word, list(choices), processor=utils.default_process, limit=limit)
    ]


def _as_float(value: object) -> float | None:
    """`value` as a finite float, or None; a bool is no number here, a text that spells one is."""
    if isinstance(value, bool) or not isinstance(value, (numbers.Real, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
