"""The memory horizon that the page ships."""

import json

import numpy as np
import pytest

from lyricgen.models.text import read_labels
from lyricgen.resources import Resources
from lyricgen.ui.tabs.inside import horizon

SONG = "seven chairs stood in the rain  and nobody came to take them in  "


@pytest.fixture
def small(tiny_ngrams):
    return Resources(tiny_ngrams.parent, "cpu")


def test_windows_are_the_beginnings_of_songs_that_are_long_enough_and_known():
    texts = [f"{number} {SONG * 5}" for number in range(100)] + ["short", "\u00e9" + SONG * 5]
    windows = horizon.read_windows(texts)
    assert windows.shape == (64, 257) and windows[0].tolist() == read_labels(texts[0][:257])
    assert windows.max() < 100 and len(np.unique(windows[:, 0])) > 3


def test_the_horizon_is_measured_and_drawn_for_the_models_that_it_is_of(small, tmp_path, monkeypatch):
    songs = tmp_path / "songs.txt"
    songs.write_text("\n\n\n".join(f"{number} {SONG * 5}" for number in range(3)), encoding="utf-8")
    figures = horizon.measure_horizon(small, songs)
    assert json.loads(json.dumps(figures)) == figures and figures["songs"] == 3
    for model in figures["models"].values():
        assert model["within"] == sorted(model["within"]) and model["within"][-1] == pytest.approx(1, abs=1e-3)
    monkeypatch.setattr(horizon, "read_shipped", lambda: figures)
    drawn = horizon.horizon_html(small)
    assert drawn.count("<polyline") == 2 and f"90 % within {figures['models']['lstm']['reach']} letters" in drawn
    figures["models"]["lstm"]["sha256"] = "of another model"
    assert horizon.horizon_html(small).count("<polyline") == 1
    figures["models"].clear()
    assert horizon.horizon_html(small) == ""


def test_the_shipped_figures_are_of_the_bundled_models():
    resources = Resources(device="cpu")
    for name, figures in horizon.read_shipped()["models"].items():
        sha256 = resources.model(name).file_sha256
        assert figures["sha256"] == sha256, "renew it: python -m docs.page_assets --songs songdata_train.csv"
