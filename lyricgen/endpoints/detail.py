"""How much of a large answer an endpoint returns."""

from collections.abc import Callable, Collection
from typing import Any, Literal, get_args

from lyricgen.validation import check_choice

Detail = Literal["full", "summary"]


def in_detail(detail: str, large: Collection[str], compute: Callable[[], dict]) -> dict:
    """The whole answer, or without the lists and dictionaries of some names, at any depth.

    Args:
        detail: full or summary; checked before anything is computed.
        large: names of the parts that a summary leaves out.
        compute: returns the answer, of plain values.

    Raises:
        ArgumentError: `detail` is neither.

    >>> in_detail("summary", ["rows"], lambda: {"bits": 2.0, "rows": [1, 2], "lines": [{"rows": [1], "text": "la"}]})
    {'bits': 2.0, 'lines': [{'text': 'la'}]}
    """
    return compute() if check_detail(detail) == "full" else _without(compute(), large)


def check_detail(detail: str) -> str:
    """full or summary.

    Raises:
        ArgumentError: it is neither.
    """
    return check_choice("detail", detail, get_args(Detail))


def _without(value: Any, large: Collection[str]) -> Any:
    if isinstance(value, dict):
        kept = {name: part for name, part in value.items() if not (name in large and isinstance(part, list | dict))}
        return {name: _without(part, large) for name, part in kept.items()}
    return [_without(part, large) for part in value] if isinstance(value, list) else value
