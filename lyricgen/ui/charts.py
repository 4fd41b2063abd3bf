"""Line charts as SVG, in the style sheet's colours, so that they follow the theme."""

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 400, 220  # of the viewBox, in its units
LEFT, RIGHT, TOP, BOTTOM = 36, 10, 10, 34  # margins


@dataclass(frozen=True)
class Axis:
    """An axis from `ticks[0]` to `ticks[-1]`."""

    label: str
    ticks: Sequence[float]
    log: bool = False

    def share(self, value: float) -> float:
        """A value's place along the axis, from 0 to 1; values outside are moved to the nearer end."""
        first, last, value = (math.log(each) if self.log else each for each in (self.ticks[0], self.ticks[-1], value))
        return min(1.0, max(0.0, (value - first) / ((last - first) or 1.0)))


@dataclass(frozen=True)
class Series:
    """A line or points of one colour."""

    label: str
    kind: str
    """The class of the style sheet that has the colour."""
    points: Sequence[tuple[float, float]]
    mark: str = "line"
    """'line', 'dot' or 'diamond'."""


def line_chart(series: Sequence[Series], x: Axis, y: Axis, description: str) -> str:
    """A chart as HTML with a legend; `description` is read by screen readers. Texts are escaped."""

    def place(point: tuple[float, float]) -> tuple[float, float]:
        across, up = x.share(point[0]), y.share(point[1])
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)

    parts = []
    for tick in y.ticks:
        _, height = place((x.ticks[0], tick))
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{height:.1f}" y2="{height:.1f}"/>')
        parts.append(f'<text x="{LEFT - 5}" y="{height + 4:.1f}" text-anchor="end">{tick:g}</text>')
    for tick in x.ticks:
        across, _ = place((tick, y.ticks[0]))
        parts.append(f'<text x="{across:.1f}" y="{HEIGHT - BOTTOM + 15}" text-anchor="middle">{tick:g}</text>')
    parts.append(
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 3}" text-anchor="middle">{html.escape(x.label)}</text>'
    )
    for one in series:
        parts.append(_drawn(one, [place(point) for point in one.points]))
    legend = "".join(
        f'<span><i class="{html.escape(one.kind)} {one.mark}"></i>{html.escape(one.label)}</span>' for one in series
    )
    return (
        f'<figure class="chart"><figcaption class="soft">{html.escape(y.label)}</figcaption>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{html.escape(description)}">{"".join(parts)}</svg>'
        f'<div class="chart-legend soft" aria-hidden="true">{legend}</div></figure>'
    )


def _drawn(series: Series, places: Sequence[tuple[float, float]]) -> str:
    kind = html.escape(series.kind)
    if series.mark == "line":
        return f'<polyline class="{kind}" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in places)}"/>'
    titles = [f"<title>{html.escape(series.label)}, {x:g}: {y:.2f}</title>" for x, y in series.points]
    marks = {
        "dot": '<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="3.5">{title}</circle>',
        "diamond": '<path class="{kind} hollow" d="M{x:.1f} {top:.1f}l5 5l-5 5l-5 -5z">{title}</path>',
    }
    return "".join(
        marks[series.mark].format(kind=kind, x=x, y=y, top=y - 5, title=title)
        for (x, y), title in zip(places, titles, strict=True)
    )
