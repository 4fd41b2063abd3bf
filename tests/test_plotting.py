"""Figures: positions and labels, text in SVG, files, and no change of global settings."""

import io
import itertools
import subprocess
import sys
import threading
import warnings
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from lyricgen import load_vectors, map_words
from lyricgen.plotting import draw_clusters, draw_map, draw_projections, to_bytes
from lyricgen.words.projection import random_words

ROOT = Path(__file__).parent.parent
SQUARE = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
FIVE_POINTS = np.array([*SQUARE, [0.4, 0.6]])
MARKUP = ["$x$", "<script>", "a & b", "100% $\\frac", "x_1^2"]
MARKUP_LINES = ["$x$ <script> x_1^2", "100% $\\frac a & b"]  # two dollar signs could begin and end a formula


def labels_of(figure):
    """The texts of the one plot that are no arrows, with their Text objects."""
    return [text for text in figure.axes[0].texts if text.get_text()]


def offsets_of(plot):
    return np.concatenate([points.get_offsets().data for points in plot.collections])


def points_of(figure):
    return offsets_of(figure.axes[0])


def svg_of(figure):
    """The parsed SVG, and all its texts."""
    root = ElementTree.fromstring(to_bytes(figure, "svg"))
    return root, ["".join(text.itertext()) for text in root.iter("{http://www.w3.org/2000/svg}text")]


@pytest.fixture(scope="module")
def glove():
    return load_vectors("glove-50")


def test_points_are_at_their_coordinates_and_each_label_is_nearest_to_its_point():
    figure = draw_map(SQUARE, ["one", "two", "three", "four"])
    assert points_of(figure) == pytest.approx(SQUARE)
    assert [text.get_text() for text in labels_of(figure)] == ["one", "two", "three", "four"]
    to_pixels = figure.axes[0].transData.transform
    for row, text in enumerate(labels_of(figure)):
        box = text.get_window_extent()
        middle = np.array([(box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2])
        assert np.linalg.norm(to_pixels(SQUARE) - middle, axis=1).argmin() == row


@pytest.mark.parametrize("method", ["PCA", "t-SNE"])
@pytest.mark.parametrize("count", [20, 60])
@pytest.mark.parametrize("seed", [0, 1])
def test_labels_do_not_overlap(count, seed, method, glove):
    words = map_words("\n".join(random_words(glove, count, seed)), method, glove)
    figure = draw_map(words.coordinates, words.words, words.groups)
    texts = labels_of(figure)
    assert sorted(text.get_text() for text in texts) == sorted(words.words)
    figure.draw_without_rendering()
    inside = figure.bbox
    boxes = [text.get_window_extent() for text in texts]
    assert not [pair for pair in itertools.combinations(boxes, 2) if pair[0].overlaps(pair[1])]
    assert all(inside.x0 <= box.x0 and box.x1 <= inside.x1 for box in boxes)
    assert all(inside.y0 <= box.y0 and box.y1 <= inside.y1 for box in boxes)


@pytest.mark.parametrize("line", MARKUP_LINES)
def test_markup_in_a_map_is_drawn_literally(line):
    figure = draw_map(FIVE_POINTS, MARKUP, MARKUP, (), (f"x {line}", f"y {line}"), f"on {line}")
    root, texts = svg_of(figure)
    assert {*MARKUP, *(f" {group}" for group in MARKUP), f"x {line}", f"y {line}", f"on {line}"} <= set(texts)
    assert not [element for element in root.iter() if element.tag.endswith("script")]
    assert to_bytes(figure, "png").startswith(b"\x89PNG\r\n\x1a\n")


def test_a_tag_is_escaped_in_the_file():
    svg = to_bytes(draw_map(SQUARE[:2], ["<script>", "b"]), "svg").decode()
    assert "&lt;script&gt;" in svg and "<script" not in svg


@pytest.mark.parametrize("line", MARKUP_LINES)
def test_markup_in_the_other_figures_is_drawn_literally(line):
    figures = (
        draw_projections(MARKUP, np.linspace(-1, 1, 5), None, (line, "right"), line),
        draw_clusters([(line, FIVE_POINTS)], MARKUP),
    )
    for figure in figures:
        _, texts = svg_of(figure)
        assert {*MARKUP, line} <= set(texts)
        assert to_bytes(figure, "png")


@pytest.mark.parametrize(
    ("groups", "names"),
    [((), []), (["", "", "", ""], []), (["a"] * 4, []), (["b", "a", "b", "_c"], [" b", " a", " _c"])],
)
def test_there_is_a_legend_with_two_groups_or_more(groups, names):
    plot = draw_map(SQUARE, list("wxyz"), groups).axes[0]
    legend = plot.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == names if names else legend is None


def test_each_group_has_a_colour_of_its_own():
    plot = draw_map(SQUARE, list("wxyz"), ["a", "b", "a", "c"]).axes[0]
    assert [points.get_offsets().tolist() for points in plot.collections] == [
        [[0, 0], [1, 1]], [[1, 0]], [[0, 1]],
    ]  # fmt: skip
    assert len({tuple(points.get_facecolor()[0]) for points in plot.collections}) == 3


def test_more_groups_than_colours_are_drawn():
    coordinates = np.random.default_rng(1).normal(size=(25, 2))
    figure = draw_map(coordinates, [f"w{n}" for n in range(25)], [f"g{n}" for n in range(25)])
    assert len(figure.axes[0].collections) == 25
    assert figure.axes[0].get_legend() is None  # it would hide the points
    figure = draw_map(coordinates, [f"w{n}" for n in range(25)], [f"g{n % 12}" for n in range(25)])
    assert len(figure.axes[0].get_legend().get_texts()) == 12


def test_arrows_go_from_their_start_to_their_end():
    figure = draw_map(SQUARE, list("wxyz"), arrows=[(0, 2), (3, 1)])
    arrows = [text for text in figure.axes[0].texts if getattr(text, "arrow_patch", None)]
    assert [(tuple(arrow.xyann), tuple(arrow.xy)) for arrow in arrows] == [((0, 0), (1, 1)), ((0, 1), (1, 0))]
    assert not [text for text in draw_map(SQUARE, list("wxyz")).axes[0].texts if getattr(text, "arrow_patch", None)]


@pytest.mark.parametrize(
    "places", [np.zeros((5, 2)), np.array([[0.0, 0.0], [1e-30, 0.0]]), np.array([[4e3, 0], [-4e3, 0]])]
)
def test_points_on_one_spot_or_far_apart_are_drawn(places):
    figure = draw_map(places, [f"w{n}" for n in range(len(places))])
    assert len(labels_of(figure)) == len(places) and len(to_bytes(figure, "png")) > 1000


@pytest.mark.parametrize("label", ["방탄소년단", "naïve", "🎵", "word" * 25])
def test_labels_of_any_letters_or_length_are_drawn(label):
    figure = draw_map(SQUARE, [label, "b", "c", "d"])
    assert label in svg_of(figure)[1] and to_bytes(figure, "png")


def test_two_hundred_words_all_have_a_label(glove):
    words = map_words("\n".join(random_words(glove, 200, 0)), vectors=glove)
    assert len(labels_of(draw_map(words.coordinates, words.words))) == 200


def test_projections_are_sorted_and_shown_before_and_after():
    values, after = np.array([0.3, -0.2, 0.1]), np.array([0.0, 0.01, 0.02])
    figure = draw_projections(["nurse", "boss", "rock"], values, after, ("male", "female"), "Jobs")
    plot = figure.axes[0]
    assert [label.get_text() for label in plot.get_yticklabels()] == ["boss", "rock", "nurse"]
    before, then = (points.get_offsets() for points in plot.collections if not isinstance(points, LineCollection))
    assert before.tolist() == [[-0.2, 0], [0.1, 1], [0.3, 2]] and then.tolist() == [[0.01, 0], [0.02, 1], [0, 2]]
    assert [text.get_text() for text in plot.get_legend().get_texts()] == ["as it is", "after debiasing"]
    assert draw_projections(["a", "b"], np.array([1, 2]), None, ("l", "r")).axes[0].get_legend() is None


def test_clusters_are_side_by_side_with_the_same_kinds():
    figure = draw_clusters([("before", SQUARE), ("after", SQUARE * 2)], ["f", "f", "m", "m"])
    assert [plot.get_title(loc="left") for plot in figure.axes] == ["before", "after"]
    for plot, scale in zip(figure.axes, (1, 2), strict=True):
        assert offsets_of(plot) == pytest.approx(SQUARE * scale)
    assert [text.get_text() for text in figure.axes[1].get_legend().get_texts()] == ["f", "m"]


def test_files_are_a_png_and_an_svg_and_the_same_figure_gives_the_same_bytes():
    first, again = (draw_map(SQUARE, list("wxyz"), ["a", "b", "a", "b"], [(0, 1)], title="T") for _ in range(2))
    for format in ("png", "svg"):
        assert to_bytes(first, format) == to_bytes(first, format) == to_bytes(again, format)
    assert to_bytes(first, "png").startswith(b"\x89PNG\r\n\x1a\n")
    root, texts = svg_of(first)
    assert root.tag == "{http://www.w3.org/2000/svg}svg" and {"w", "x", "y", "z", "T"} <= set(texts)


@pytest.mark.parametrize("scale", [1e-3, 1, 1e4])
@pytest.mark.parametrize("count", [4, 80])
def test_title_axes_and_ticks_of_a_map_are_within_the_picture(scale, count):
    """The layout was computed before there was a title."""
    points = np.random.default_rng(0).normal(size=(count, 2)) * scale
    figure = draw_map(points, ["word"] * count, axes=("component 1", "component 2"), title="Title")
    box = figure.get_tightbbox()  # in inches
    width, height = figure.get_size_inches()
    assert 0 <= box.x0 < box.x1 <= width and 0 <= box.y0 < box.y1 <= height


def test_a_map_is_drawn_once_to_place_its_labels_and_once_a_file(monkeypatch):
    """It was drawn four times, which is most of the time that a map takes."""
    drawn, draw = [], Axes.draw
    monkeypatch.setattr(Axes, "draw", lambda *arguments: drawn.append(1) or draw(*arguments))
    to_bytes(draw_map(SQUARE, list("wxyz")), "svg")
    assert len(drawn) == 2


def test_a_png_is_of_the_figures_size():
    from PIL import Image

    with Image.open(io.BytesIO(to_bytes(draw_map(SQUARE, list("wxyz")), "png"))) as image:
        assert image.size == (8 * 140, round(6.4 * 140))


def test_concurrent_threads_draw_the_same_figures_as_one_thread():
    drawn, starting = {}, threading.Barrier(2)

    def picture(name):
        coordinates = np.random.default_rng(len(name)).normal(size=(8, 2))
        figure = draw_map(coordinates, [f"{name}{n}" for n in range(8)], title=name)
        return to_bytes(figure, "png"), to_bytes(figure, "svg")

    def draw(name):
        starting.wait()
        drawn[name] = [picture(name) for _ in range(2)]

    names = ("cat", "giraffe")
    threads = [threading.Thread(target=draw, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {name: [picture(name)] * 2 for name in names} == drawn


def test_importing_changes_no_global_setting():
    code = """
import logging, warnings
import matplotlib, matplotlib.figure, matplotlib.backends.backend_agg, textalloc
def settings():
    levels = {name: logging.getLogger(name).level for name in ("matplotlib", "matplotlib.font_manager")}
    return dict(matplotlib.rcParams), levels, list(warnings.filters)
before = settings()
import lyricgen.plotting
print(settings() == before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "True\n"


def test_drawing_leaves_global_settings_as_they_were():
    settings, filters = dict(matplotlib.rcParams), list(warnings.filters)
    figure = draw_map(SQUARE, ["사랑", "b", "c", "d"])
    assert svg_of(figure)[1].count("사랑") == 1 and to_bytes(figure, "png")
    assert dict(matplotlib.rcParams) == settings and warnings.filters == filters


def test_settings_of_the_caller_do_not_change_an_svg():
    figure = draw_map(SQUARE, list("wxyz"))
    expected = to_bytes(figure, "svg")
    with matplotlib.rc_context({"svg.fonttype": "path", "svg.hashsalt": "other"}):
        assert to_bytes(figure, "svg") == expected


def test_pyplot_is_never_imported():
    code = (
        "import sys, numpy as np; from lyricgen.plotting import *; "
        "figure = draw_map(np.eye(3)[:, :2], list('abc'), list('xyx'), [(0, 1)]); "
        "to_bytes(figure, 'png'); to_bytes(figure, 'svg'); print('matplotlib.pyplot' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert result.stdout == "False\n"
