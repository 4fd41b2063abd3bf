"""Tables for the README, each written between the two comments that name it."""

import re
from collections.abc import Sequence
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def replace_block(name: str, content: str, readme: Path = README) -> None:
    """Puts `content` between `<!-- name -->` and `<!-- /name -->`.

    Raises:
        ValueError: the README has no such pair of comments.
    """
    text = readme.read_text(encoding="utf-8")
    pattern = re.compile(rf"(<!-- {re.escape(name)} -->\n).*?(<!-- /{re.escape(name)} -->)", re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"{readme.name} has no block {name!r}")
    readme.write_text(pattern.sub(lambda match: f"{match[1]}{content}\n{match[2]}", text), encoding="utf-8")
