"""Results in a notebook: one line as `repr`, tables, shaded texts and figures. Styles are inline, as a notebook has no style sheet.

Classes with a `draw` method show its figure as `_repr_png_`; the others write their `_repr_html_` with the functions here.
"""

import html
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SURPRISAL_COLOURS = (
    None, ("#fff3bf", "#1c2330"), ("#fee391", "#1c2330"), ("#fdb84a", "#1c2330"), ("#f58a1f", "#1c2330"), ("#b84a00", "#fff"),
)  # fmt: skip
"""Background and ink of the letters, from expected to surprising: the light theme of static/page.css."""
COPIED_COLOURS = ("#fde68a", "#1c2330")
TEXT_STYLE = "font-family:monospace;font-size:110%;line-height:1.7;white-space:pre-wrap;overflow-wrap:anywhere"
MAX_QUOTED = 32  # characters of a text in a line


class Picture:
    """A result with a figure, which notebooks show."""

    def draw(self) -> "Figure":
        """The figure."""
        raise NotImplementedError

    def files(self, *formats: str) -> list[bytes]:
        """The figure as a file of each format, png or svg."""
        from lyricgen.plotting import to_bytes  # matplotlib is slow to import

        figure = self.draw()
        return [to_bytes(figure, format) for format in formats]

    def _repr_png_(self) -> bytes:
        return self.files("png")[0]


def one_line(value: object, *facts: str) -> str:
    """A `repr` of one line: the class and some facts.

    >>> one_line(3, "odd", "prime")
    '<int: odd, prime>'
    """
    return f"<{type(value).__name__}: {', '.join(facts)}>"


def quoted(text: str) -> str:
    """The beginning of a text in quotes, on one line.

    >>> quoted("the river keeps its secrets every morning")
    "'the river keeps its secrets eve…'"
    """
    return repr(text if len(text) <= MAX_QUOTED else f"{text[: MAX_QUOTED - 1]}…")


def html_table(caption: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table as HTML; the texts are escaped. '' without rows."""
    body = "".join(f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    head = "".join(f"<th>{html.escape(name)}</th>" for name in header)
    table = f'<table class="numbers"><caption>{html.escape(caption)}</caption><tr>{head}</tr>{body}</table>'
    return table if body else ""


def paragraph(text: str) -> str:
    """A paragraph as HTML; the text is escaped."""
    return f"<p>{html.escape(text)}</p>"


def shaded_text(pieces: Iterable[tuple[str, str, str]]) -> str:
    """A text as HTML, from its pieces in order.

    Args:
        pieces: text, inline style ('' for none) and tooltip of each.
    """
    spans = [
        f'<span style="{style}" title="{html.escape(title)}">{html.escape(text)}</span>'
        if style or title
        else html.escape(text)
        for text, style, title in pieces
    ]
    return f'<div style="{TEXT_STYLE}">{"".join(spans)}</div>'


def colours(pair: tuple[str, str] | None) -> str:
    """The style of a background and an ink; '' for those of the notebook."""
    return f"background:{pair[0]};color:{pair[1]}" if pair else ""


def side_by_side(*parts: str) -> str:
    """Parts as HTML beside one another, or below one another where there is no room."""
    return f'<div style="display:flex;flex-wrap:wrap;gap:1em 2em;align-items:flex-start">{"".join(parts)}</div>'


def percent(share: float) -> str:
    """A probability as a percentage.

    >>> percent(0.4567), percent(0.0123), percent(0.0001)
    ('46 %', '1.2 %', '< 0.1 %')
    """
    if share < 0.0005:
        return "< 0.1 %"
    return f"{100 * share:.{1 if share < 0.0995 else 0}f} %"
