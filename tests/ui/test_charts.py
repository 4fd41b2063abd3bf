"""Line charts as SVG."""

import re

import pytest

from lyricgen.ui.charts import Axis, Series, line_chart


def test_an_axis_places_values_in_proportion_or_by_their_logarithm():
    assert Axis("", (0, 10)).share(2.5) == 0.25
    assert Axis("", (1, 10, 100), log=True).share(10) == pytest.approx(0.5)
    assert Axis("", (0, 1)).share(7) == 1 and Axis("", (0, 1)).share(-7) == 0


def test_a_chart_has_each_series_in_its_colour_and_says_what_it_shows():
    series = [
        Series("<LSTM>", "network", [(0, 0), (10, 100)]),
        Series("points", "simple", [(5, 50)], "dot"),
        Series("more", "simple", [(5, 50)], "diamond"),
    ]
    chart = line_chart(series, Axis("epochs", (0, 5, 10)), Axis("bits", (0, 100)), 'a "chart" of <two>')
    assert "&lt;LSTM&gt;" in chart and 'aria-label="a &quot;chart&quot; of &lt;two&gt;"' in chart
    (line,) = re.findall(r'<polyline class="network" points="([^"]+)"', chart)
    (x0, y0), (x1, y1) = (map(float, point.split(",")) for point in line.split())
    assert x0 < x1 and y0 > y1  # upwards
    (circle,) = re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', chart)
    assert [*map(float, circle)] == pytest.approx([(x0 + x1) / 2, (y0 + y1) / 2], abs=0.1)
    assert 'class="simple hollow"' in chart and "<title>more, 5: 50.00</title>" in chart
