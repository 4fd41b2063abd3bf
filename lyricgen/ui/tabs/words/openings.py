"""What the views of Words open with: computed once and shipped. To compute it takes seconds of each start, and reads every vector."""

import json
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from lyricgen.resources import Resources
from lyricgen.storage import ASSETS

SHIPPED = ASSETS / "page" / "words.json"


def shipped_opening(resources: Resources, compute: Callable[[Resources], Any]) -> Any:
    """What a view opens with: as shipped where it was computed from the loaded first space, else computed now.

    Args:
        resources: the app's, with a vector space.
        compute: returns it as plain values; one of `write_openings`.
    """
    shipped = read_shipped()
    if resources.strong_words is None and resources.space().source == shipped["source"]:
        return shipped[compute.__name__]
    return compute(resources)


def write_openings(resources: Resources, computes: Iterable[Callable[[Resources], Any]]) -> dict[str, Any]:
    """What is shipped, by the loaded first space."""
    return {"source": resources.space().source} | {compute.__name__: compute(resources) for compute in computes}


@cache
def read_shipped() -> dict[str, Any]:
    """The shipped openings by function, and under 'source' that of the vectors."""
    return json.loads(SHIPPED.read_text(encoding="utf-8"))
