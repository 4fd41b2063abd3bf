"""Arrays -> matplotlib Figure; nothing here knows where the numbers come from. pyplot is never used."""

import io
import logging
import warnings
from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
import textalloc
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.legend import Legend

matplotlib.rcParams["svg.fonttype"] = "none"  # text stays text: small files, and words that can be searched
matplotlib.rcParams["svg.hashsalt"] = "lyricgen"  # the same figure, the same file
logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
warnings.filterwarnings("ignore", message=r"Glyph \d+ .* missing from font", category=UserWarning)

FIRST, SECOND, MUTED = "#4f46e5", "#d9480f", "#8a8f98"
COLOURS = (FIRST, SECOND, "#0b7a55", "#b5179e", "#8d6b00", "#0e7490", "#7c2d12", "#475569", "#be123c", "#3f6212")
MOST_IN_LEGEND = 12  # groups; more would hide the points


def draw_map(
    coordinates: np.ndarray,
    labels: Sequence[str],
    groups: Sequence[str] = (),
    arrows: Sequence[tuple[int, int]] = (),
    axes: tuple[str, str] = ("", ""),
    title: str = "",
) -> Figure:
    """Labelled points, a colour a group, with arrows between some; labels are put where they hide nothing.

    Args:
        coordinates: (N, 2).
        labels: N texts.
        groups: N names; with 2 to 12 of them there is a legend.
        arrows: positions of start and end.
        axes: names of the axes.
        title: of the figure.
    """
    crowded = len(labels) > 60
    figure, plot = _figure(*((12, 10) if crowded else (8, 6.4)))
    names = list(dict.fromkeys(groups))
    for number, name in enumerate(names or [""]):
        rows = [row for row in range(len(labels)) if not groups or groups[row] == name]
        plot.scatter(*coordinates[rows].T, s=22, color=COLOURS[number % len(COLOURS)], label=f" {name}", zorder=3)
    for start, end in arrows:
        _arrow(plot, coordinates[start], coordinates[end], MUTED)
    plot.margins(0.12)
    plot.set_aspect("equal", adjustable="datalim")
    plot.set_xlabel(axes[0], color=MUTED, parse_math=False)
    plot.set_ylabel(axes[1], color=MUTED, parse_math=False)
    plot.grid(alpha=0.2)
    _place_labels(
        figure, plot, coordinates, labels, 7.5 if crowded else 10, [coordinates[list(ends)] for ends in arrows]
    )
    if 1 < len(names) <= MOST_IN_LEGEND:
        _as_text(plot.legend(loc="best", frameon=True, framealpha=0.8, fontsize=9))
    plot.set_title(title, loc="left", parse_math=False)
    return figure


def draw_parallelogram(
    x1: np.ndarray, x2: np.ndarray, y1: np.ndarray, target: np.ndarray, answer: np.ndarray, labels: Sequence[str]
) -> Figure:
    """An analogy on the plane: x1 to x2, the same step from y1 to the target, and the word that is nearest to it.

    Args:
        x1, x2, y1, target, answer: (2,) each.
        labels: of x1, x2, y1 and the answer.
    """
    figure, plot = _figure(5, 4)
    points = np.array([x1, x2, y1, answer])
    plot.scatter(*points[:3].T, s=28, color=FIRST, zorder=3)
    plot.scatter(*answer, s=60, color=SECOND, zorder=3)
    plot.scatter(*target, s=50, marker="x", color=MUTED, zorder=3)
    _arrow(plot, x1, x2, FIRST)
    _arrow(plot, y1, target, FIRST)
    for start, end in ((x1, y1), (x2, target), (target, answer)):
        plot.plot(*np.array([start, end]).T, color=MUTED, linewidth=0.8, linestyle=":")
    plot.margins(0.2)
    plot.set_aspect("equal", adjustable="datalim")
    plot.set_xticks([])
    plot.set_yticks([])
    lines = [np.array(ends) for ends in ((x1, x2), (y1, target), (target, answer))]
    _place_labels(figure, plot, np.array([*points, target]), [*labels, "x2 − x1 + y1"], 10, lines)
    return figure


def draw_distances(background: np.ndarray, distances: Sequence[tuple[str, float]]) -> Figure:
    """Where distances stand in a histogram of others.

    Args:
        background: any number of cosine distances.
        distances: a label and a distance each.
    """
    figure, plot = _figure(7, 3.2)
    plot.hist(background, bins=80, color=MUTED, alpha=0.45, density=True)
    top = plot.get_ylim()[1]
    for number, (label, distance) in enumerate(distances):
        colour = COLOURS[number % len(COLOURS)]
        plot.axvline(distance, color=colour, linewidth=2)
        plot.text(
            distance, top * (0.97 - 0.14 * number), f"{label}  {distance:.3f}", color=colour, va="top", parse_math=False,
            ha="left" if distance < background[len(background) // 2] else "right",
            bbox={"facecolor": "white", "edgecolor": colour, "pad": 2},
        )  # fmt: skip
    plot.set_ylim(0, top)
    plot.set_xlim(left=min(0, float(background[0])))
    plot.set_xlabel("cosine distance; grey: random pairs of frequent words", color=MUTED)
    plot.set_yticks([])
    return figure


def draw_projections(
    labels: Sequence[str], values: np.ndarray, after: np.ndarray | None, ends: tuple[str, str], title: str = ""
) -> Figure:
    """A row a word, its value as a dot, with a hollow one for its value after a change.

    Args:
        labels: N texts.
        values: (N,)
        after: (N,) or None.
        ends: what the left and the right of the axis mean.
        title: of the figure.
    """
    order = np.argsort(values)
    figure, plot = _figure(7, max(2.5, 0.8 + 0.22 * len(labels)))
    rows = np.arange(len(labels))
    sorted_values = np.asarray(values)[order]
    colours = [SECOND if value > 0 else FIRST for value in sorted_values]
    plot.hlines(rows, 0, sorted_values, color=colours, alpha=0.5)
    plot.scatter(sorted_values, rows, color=colours, s=24, zorder=3, label="as it is")
    if after is not None:
        plot.scatter(
            np.asarray(after)[order],
            rows,
            s=26,
            facecolors="white",
            edgecolors="black",
            zorder=4,
            label="after debiasing",
        )
        plot.legend(loc="upper left", fontsize=9)
    plot.axvline(0, color=MUTED, linewidth=0.8)
    plot.set_yticks(rows, [labels[row] for row in order], fontsize=8.5, parse_math=False)
    plot.set_ylim(-0.7, len(labels) - 0.3)
    plot.set_xlabel(f"← {ends[0]}        {ends[1]} →", color=MUTED, parse_math=False)
    plot.grid(axis="x", alpha=0.2)
    plot.set_title(title, loc="left", fontsize=11, parse_math=False)
    return figure


def draw_clusters(panels: Sequence[tuple[str, np.ndarray]], kinds: Sequence[str]) -> Figure:
    """The same points in several arrangements side by side, a colour a kind.

    Args:
        panels: a title and coordinates (N, 2) each.
        kinds: N names.
    """
    figure = Figure(figsize=(4.2 * len(panels), 3.8), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    for plot, (title, coordinates) in zip(np.ravel(figure.subplots(1, len(panels))), panels, strict=True):
        for name, colour in zip(dict.fromkeys(kinds), (SECOND, FIRST, *COLOURS[2:]), strict=False):
            rows = [row for row, kind in enumerate(kinds) if kind == name]
            plot.scatter(*coordinates[rows].T, s=5, alpha=0.6, color=colour, label=name)
        _plain(plot)
        plot.set_xticks([])
        plot.set_yticks([])
        plot.set_title(title, loc="left", fontsize=10, parse_math=False)
    _as_text(plot.legend(loc="best", fontsize=8, markerscale=3))
    return figure


CURVE_UNITS = {"characters": ("million characters read", 1e6), "epoch": ("epochs", 1.0), "seconds": ("minutes of training", 60.0)}  # fmt: skip
"""What a learning curve can be drawn by: its axis, and how many make one there."""


def draw_learning_curves(curves: Mapping[str, Sequence[Mapping[str, float | None]]], by: str = "characters") -> Figure:
    """Bits per character as training went on: a line for training, points for each validation.

    Args:
        curves: by label, the rows of a `history.csv`: column `by`, and `train_bpc`, `val_bpc`, `clean_bpc` or None.
        by: characters, epoch or seconds.
    """
    axis, unit = CURVE_UNITS[by]
    figure, plot = _figure(7, 4)
    lowest, highest = [], []
    for number, (label, rows) in enumerate(curves.items()):
        colour = COLOURS[number % len(COLOURS)]
        styles = {
            "train_bpc": ("-", "", "training"),
            "val_bpc": ("", "o", "validation"),
            "clean_bpc": ("", "D", "clean"),
        }
        for column, (line, marker, what) in styles.items():
            points = np.array([(row[by] / unit, row[column]) for row in rows if row.get(column)])
            if len(points):
                plot.plot(
                    *points.T, line, marker=marker, color=colour, linewidth=1.2, markersize=6,
                    markerfacecolor="white" if marker == "D" else colour, label=f"{label}, {what}",
                )  # fmt: skip
                lowest.append(points[:, 1].min())
                highest.append(np.quantile(points[:, 1], 0.9))
    if lowest:  # the first steps, from 6.6 bits on, would hide the rest
        plot.set_ylim(min(lowest) - 0.15, max(max(highest), min(lowest) + 0.5) + 0.15)
        _as_text(plot.legend(frameon=False, fontsize=9))
    plot.set_xlabel(axis, color=MUTED)
    plot.set_ylabel("bits per character", color=MUTED)
    plot.grid(alpha=0.2)
    return figure


def to_bytes(figure: Figure, format: str) -> bytes:
    """A figure as the bytes of a file, `format` being png or svg."""
    file = io.BytesIO()
    figure.savefig(file, format=format, dpi=140, metadata={"Date": None} if format == "svg" else None)
    return file.getvalue()


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure of so many inches, and its one plot."""
    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    plot = figure.subplots()
    _plain(plot)
    return figure, plot


def _plain(plot: Axes) -> None:
    plot.spines[["top", "right"]].set_visible(False)
    plot.tick_params(colors=MUTED, labelcolor="black", labelsize=8)


def _as_text(legend: Legend) -> None:
    """Takes a `$` in a legend as the letter that it is."""
    for text in legend.get_texts():
        text.set_parse_math(False)


def _arrow(plot: Axes, start: np.ndarray, end: np.ndarray, colour: str) -> None:
    style = {"arrowstyle": "->", "color": colour, "linewidth": 1.2, "shrinkA": 4, "shrinkB": 4}
    plot.annotate("", end, start, arrowprops=style, zorder=2)


def _place_labels(
    figure: Figure, plot: Axes, points: np.ndarray, labels: Sequence[str], size: float, lines: Sequence[np.ndarray] = ()
) -> None:
    """Puts each label beside its point, where it covers no label, point or line, and joins it to a point far off.

    Args:
        points: (N, 2).
        labels: N texts.
        size: of the letters, in points.
        lines: (2, 2) each, from where to where.
    """
    figure.draw_without_rendering()  # so that the layout, and with it the scale of the axes, is settled
    figure.set_layout_engine("none")
    x, y = points.T
    textalloc.allocate(
        plot, x, y, list(labels), x_scatter=x, y_scatter=y, x_lines=[line[:, 0] for line in lines] or None,
        y_lines=[line[:, 1] for line in lines] or None, textsize=size, linecolor=MUTED, linewidth=0.6, min_distance=0.008,
        max_distance=0.2, nbr_candidates=400, avoid_label_lines_overlap=True, parse_math=False,
    )  # fmt: skip
