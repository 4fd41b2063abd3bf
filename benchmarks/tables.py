"""Markdown tables, and the blocks of docs/benchmarks.md that they replace."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def replace_block(name: str, content: str, page: Path = PAGE) -> None:
    """Replaces the text between `<!-- name -->` and `<!-- /name -->`.

    Raises:
        ValueError: the page has no such pair of comments.
    """
    text = page.read_text(encoding="utf-8")
    block = _find_block(name, page, text)
    page.write_text(text[: block.start(1)] + f"{content}\n" + text[block.end(1) :], encoding="utf-8")


def read_rows(name: str, page: Path = PAGE) -> list[list[str]]:
    """The cells of the rows of a block's table, without its header.

    Raises:
        ValueError: the page has no such block.
    """
    lines = _find_block(name, page, page.read_text(encoding="utf-8"))[1].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return rows[2:]


def _find_block(name: str, page: Path, text: str) -> re.Match[str]:
    block = re.search(rf"<!-- {re.escape(name)} -->\n(.*?)<!-- /{re.escape(name)} -->", text, re.DOTALL)
    if not block:
        raise ValueError(f"{page.name} has no block {name!r}")
    return block
