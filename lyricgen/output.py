"""Standard output in any encoding, and JSON in which a number that is not finite is null."""

import json
import sys
from typing import Any


def replace_unencodable() -> None:
    """From now on prints '?' for each character that the encoding of standard output lacks, in place of an error."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")


def print_json(value: Any) -> None:
    """Prints indented JSON; characters beyond ASCII are escaped unless standard output is UTF-8."""
    is_utf8 = (getattr(sys.stdout, "encoding", None) or "utf-8").lower().replace("-", "").startswith("utf8")
    print(to_json(value, indent=2, ensure_ascii=not is_utf8))


def to_json(value: Any, **layout: Any) -> str:
    """JSON with null for NaN and infinity, which JSON lacks, and characters as they are.

    Args:
        value: dicts, lists and plain values.
        layout: arguments of `json.dumps`.
    """
    layout = {"ensure_ascii": False, **layout}
    try:
        return json.dumps(value, allow_nan=False, **layout)
    except ValueError:  # a number is not finite
        return json.dumps(_finite(value), **layout)


def _finite(value: Any) -> Any:
    """The same value with None in place of numbers that are not finite."""
    if isinstance(value, dict):
        return {key: _finite(element) for key, element in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(element) for element in value]
    return None if isinstance(value, float) and not (-sys.float_info.max <= value <= sys.float_info.max) else value
