"""Arrays -> matplotlib figures -> PNG or SVG. Draws with `Figure` and Agg alone: no pyplot, no global settings.

Shapes: N points, words or values.
"""

import io
import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib
import numpy as np
import textalloc
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.legend import Legend

FIRST_COLOUR, SECOND_COLOUR, MUTED_COLOUR = "#4f46e5", "#d9480f", "#8a8f98"
COLOURS = (
    FIRST_COLOUR, SECOND_COLOUR, "#0b7a55", "#b5179e", "#8d6b00", "#0e7490", "#7c2d12", "#475569", "#be123c", "#3f6212",
)  # fmt: skip
MAX_LEGEND_GROUPS = 12  # a legend of more groups would hide the points
CROWDED_FROM = 61  # labels; from here on a map is larger and its labels smaller
MAP_MARGINS = (0.75, 0.1, 0.55, 0.35)  # inches left of a map's axes, right of them, below and above
MAP_TICKS = 6  # intervals of a map's axis, at most
DPI = 140  # pixels per inch of a PNG
SVG_SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: small files, searchable words
    "svg.hashsalt": "lyricgen",  # ids that are the same in every run: the same figure gives the same bytes
}
CURVE_STYLES = {
    "train_bpc": ("-", "", "training"),
    "val_bpc": ("", "o", "validation"),
    "clean_bpc": ("", "D", "clean"),
    "held_out_bpc": ("", "s", "held out"),
}
"""The lines of a learning curve: column of `history.csv` -> line style, marker and name."""
_RENDERING = threading.Lock()  # rcParams and warning filters are global, so one thread at a time may change them


def draw_map(
    coordinates: np.ndarray,
    labels: Sequence[str],
    groups: Sequence[str] = (),
    arrows: Sequence[tuple[int, int]] = (),
    axes: tuple[str, str] = ("", ""),
    title: str = "",
) -> Figure:
    """A scatter plot of labelled points in one colour per group; labels are placed so that they overlap nothing.

    Args:
        coordinates: (N, 2).
        labels: N texts.
        groups: N group names; 2 to 12 different ones get a legend.
        arrows: (start, end) positions of points.
        axes: labels of the axes.
        title: of the figure.
    """
    crowded = len(labels) >= CROWDED_FROM
    width, height = (12, 10) if crowded else (8, 6.4)
    figure, plot = _single_plot(width, height)
    figure.set_layout_engine(None)  # to lay it out takes a third of the drawing
    left, right, bottom, top = MAP_MARGINS
    figure.subplots_adjust(left / width, bottom / height, 1 - right / width, 1 - top / height)
    plot.locator_params(nbins=MAP_TICKS)
    names = list(dict.fromkeys(groups)) or [""]
    for position, name in enumerate(names):
        rows = [row for row in range(len(labels)) if not groups or groups[row] == name]
        colour = COLOURS[position % len(COLOURS)]
        _scatter(plot, coordinates[rows], s=22, color=colour, label=f" {name}", zorder=3)
    for start, end in arrows:
        _draw_arrow(plot, coordinates[start], coordinates[end], MUTED_COLOUR)
    plot.margins(0.12)
    plot.set_aspect("equal", adjustable="datalim")
    plot.set_xlabel(axes[0], color=MUTED_COLOUR, parse_math=False)
    plot.set_ylabel(axes[1], color=MUTED_COLOUR, parse_math=False)
    plot.grid(alpha=0.2)
    arrow_lines = [coordinates[list(ends)] for ends in arrows]
    _place_labels(figure, plot, coordinates, labels, 7.5 if crowded else 10, arrow_lines)
    if 1 < len(names) <= MAX_LEGEND_GROUPS:
        _disable_math(plot.legend(loc="best", frameon=True, framealpha=0.8, fontsize=9))
    plot.set_title(title, loc="left", parse_math=False)
    return figure


def draw_projections(
    labels: Sequence[str], values: np.ndarray, after: np.ndarray | None, ends: tuple[str, str], title: str = ""
) -> Figure:
    """One row per word, sorted: its value as a dot, and its value after debiasing as a hollow dot.

    Args:
        labels: N texts.
        values: (N,).
        after: (N,) or None.
        ends: meaning of the left and of the right end of the axis.
        title: of the figure.
    """
    order = np.argsort(values)
    figure, plot = _single_plot(7, max(2.5, 0.8 + 0.22 * len(labels)))
    rows = np.arange(len(labels))
    sorted_values = np.asarray(values)[order]
    colours = [SECOND_COLOUR if value > 0 else FIRST_COLOUR for value in sorted_values]
    plot.hlines(rows, 0, sorted_values, color=colours, alpha=0.5)
    plot.scatter(sorted_values, rows, color=colours, s=24, zorder=3, label="as it is")
    if after is not None:
        points = np.stack([np.asarray(after)[order], rows], axis=1)
        _scatter(plot, points, s=26, facecolors="white", edgecolors="black", zorder=4, label="after debiasing")
        plot.legend(loc="upper left", fontsize=9)
    plot.axvline(0, color=MUTED_COLOUR, linewidth=0.8)
    plot.set_yticks(rows, [labels[row] for row in order], fontsize=8.5, parse_math=False)
    plot.set_ylim(-0.7, len(labels) - 0.3)
    plot.set_xlabel(f"← {ends[0]}        {ends[1]} →", color=MUTED_COLOUR, parse_math=False)
    plot.grid(axis="x", alpha=0.2)
    plot.set_title(title, loc="left", fontsize=11, parse_math=False)
    return figure


def draw_clusters(panels: Sequence[tuple[str, np.ndarray]], kinds: Sequence[str]) -> Figure:
    """The same points in several arrangements side by side, in one colour per kind.

    Args:
        panels: (title, coordinates (N, 2)) pairs.
        kinds: N names.
    """
    figure = _new_figure(4.2 * len(panels), 3.8)
    colours = (SECOND_COLOUR, FIRST_COLOUR, *COLOURS[2:])
    for plot, (title, coordinates) in zip(np.ravel(figure.subplots(1, len(panels))), panels, strict=True):
        for name, colour in zip(dict.fromkeys(kinds), colours, strict=False):
            rows = [row for row, kind in enumerate(kinds) if kind == name]
            _scatter(plot, coordinates[rows], s=5, alpha=0.6, color=colour, label=name)
        _apply_style(plot)
        _hide_ticks(plot)
        plot.set_title(title, loc="left", fontsize=10, parse_math=False)
    _disable_math(plot.legend(loc="best", fontsize=8, markerscale=3))
    return figure


def draw_learning_curves(
    curves: Mapping[str, Sequence[Mapping[str, float | None]]], by: str, axis: str, unit: float
) -> Figure:
    """Bits per character over training: a line for training, a point for each validation.

    Args:
        curves: label -> rows of a `history.csv` with the column `by`, and the columns of `CURVE_STYLES` or None.
        by: the column of the x axis.
        axis: the label of the x axis.
        unit: units of the column per unit of the axis.
    """
    figure, plot = _single_plot(7, 4)
    lowest, highest = [], []
    for position, (label, rows) in enumerate(curves.items()):
        colour = COLOURS[position % len(COLOURS)]
        for column, (line, marker, name) in CURVE_STYLES.items():
            values = [(row[by], row[column]) for row in rows if row.get(column) and row.get(by)]
            points = np.array(values, np.float64) / (unit, 1) if values else np.empty((0, 2))  # (values, 2)
            if len(points):
                plot.plot(
                    *points.T, line, marker=marker, color=colour, linewidth=1.2, markersize=6,
                    markerfacecolor="white" if marker == "D" else colour, label=f"{label}, {name}",
                )  # fmt: skip
                lowest.append(points[:, 1].min())
                highest.append(np.quantile(points[:, 1], 0.9))
    if lowest:  # leaves out the first steps, which start at 6.6 bits and would flatten the rest
        plot.set_ylim(min(lowest) - 0.15, max(max(highest), min(lowest) + 0.5) + 0.15)
        _disable_math(plot.legend(frameon=False, fontsize=9))
    plot.set_xlabel(axis, color=MUTED_COLOUR)
    plot.set_ylabel("bits per character", color=MUTED_COLOUR)
    plot.grid(alpha=0.2)
    return figure


def to_bytes(figure: Figure, format: str) -> bytes:
    """A figure as a file, `format` being png or svg; the same figure gives the same bytes."""
    file = io.BytesIO()
    with _rendering_settings():
        figure.savefig(file, format=format, dpi=DPI, metadata={"Date": None} if format == "svg" else None)
    return file.getvalue()


@contextmanager
def _rendering_settings() -> Iterator[None]:
    """matplotlib's global settings for a block that renders text; other threads that render wait."""
    with _RENDERING, matplotlib.rc_context(SVG_SETTINGS), warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font", UserWarning)  # SVG needs no glyphs
        yield


def _new_figure(width: float, height: float) -> Figure:
    """An empty figure; width and height in inches."""
    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def _single_plot(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure with one plot; width and height in inches."""
    figure = _new_figure(width, height)
    plot = figure.subplots()
    _apply_style(plot)
    return figure, plot


def _apply_style(plot: Axes) -> None:
    plot.spines[["top", "right"]].set_visible(False)
    plot.tick_params(colors=MUTED_COLOUR, labelcolor="black", labelsize=8)


def _hide_ticks(plot: Axes) -> None:
    plot.set_xticks([])
    plot.set_yticks([])


def _disable_math(legend: Legend) -> None:
    """Shows a `$` in a legend as a dollar sign."""
    for text in legend.get_texts():
        text.set_parse_math(False)


def _scatter(plot: Axes, points: np.ndarray, **style: Any) -> None:
    """Draws points (N, 2), or one (2,)."""
    plot.scatter(points[..., 0], points[..., 1], **style)


def _draw_arrow(plot: Axes, start: np.ndarray, end: np.ndarray, colour: str) -> None:
    style = {"arrowstyle": "->", "color": colour, "linewidth": 1.2, "shrinkA": 4, "shrinkB": 4}
    plot.annotate("", (end[0], end[1]), (start[0], start[1]), arrowprops=style, zorder=2)


def _place_labels(
    figure: Figure, plot: Axes, points: np.ndarray, labels: Sequence[str], size: float, lines: Sequence[np.ndarray] = ()
) -> None:
    """Places each label beside its point, where it covers no label, point or line; a distant label gets a leader line.

    Args:
        points: (N, 2).
        labels: N texts.
        size: font size in points.
        lines: (2, 2) each, start and end.
    """
    x, y = points.T
    obstacles: dict[str, Any] = {"x_scatter": x, "y_scatter": y}
    if lines:
        obstacles.update(x_lines=[line[:, 0] for line in lines], y_lines=[line[:, 1] for line in lines])
    with _rendering_settings():
        textalloc.allocate(
            plot, x, y, list(labels), **obstacles, textsize=size, linecolor=MUTED_COLOUR, linewidth=0.6, min_distance=0.008,
            max_distance=0.2, nbr_candidates=400, avoid_label_lines_overlap=True, parse_math=False,
        )  # fmt: skip
