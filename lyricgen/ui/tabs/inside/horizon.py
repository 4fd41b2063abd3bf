"""The memory horizon of the bundled models: how far back the influence on a prediction reaches, over training songs."""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from lyricgen.analysis.saliency import influence_by_distance, reach
from lyricgen.models.text import read_labels
from lyricgen.resources import Resources
from lyricgen.songs.reading import read_songs
from lyricgen.storage import ASSETS
from lyricgen.ui.charts import Axis, Series, line_chart
from lyricgen.ui.components import model_kind, model_label

HORIZON = ASSETS / "page" / "horizon.json"
DISTANCES = (1, 2, 4, 8, 16, 32, 64, 128, 256)  # letters back at which the curve is drawn
SONGS = 64  # training songs, evenly spaced in their file
BATCH = 8  # songs read at a time


def measure_horizon(resources: Resources, songs: str | Path) -> dict[str, Any]:
    """The share of the influence within each of `DISTANCES`, and the distance of 90 %, by model.

    The predicted letter is the last of the first 257 of each song, so that 256 letters come before it.

    Args:
        resources: the models.
        songs: a file of training songs.
    """
    windows = read_windows([song.lyric for song in read_songs(songs)])
    models = {}
    for name in resources.model_names:
        network = resources.model(name).model
        batches = [windows[start : start + BATCH] for start in range(0, len(windows), BATCH)]
        means = [len(batch) * influence_by_distance(batch, network) for batch in batches]
        shares = np.sum(means, axis=0) / len(windows)
        models[name] = {
            "sha256": resources.model(name).file_sha256,
            "within": [round(float(shares[:distance].sum()), 4) for distance in DISTANCES],
            "reach": reach(shares),
        }
    return {"songs": len(windows), "models": models}


def read_windows(texts: Sequence[str]) -> np.ndarray:
    """Labels of the first 257 characters of up to `SONGS` texts that have them, evenly spaced: int (songs, 257)."""
    length = DISTANCES[-1] + 1
    known = [
        labels for labels in (read_labels(text[:length]) for text in texts if len(text) >= length) if max(labels) < 100
    ]
    chosen = np.linspace(0, len(known) - 1, min(SONGS, len(known))).astype(int)
    return np.array([known[number] for number in chosen.tolist()], dtype=np.int64)


@cache
def read_shipped() -> dict[str, Any]:
    """The shipped figures; {} where they are missing."""
    return json.loads(HORIZON.read_text(encoding="utf-8")) if HORIZON.exists() else {}


def horizon_html(resources: Resources) -> str:
    """The curves of the loaded models that the shipped figures are of, as a chart; '' for others."""
    shipped = read_shipped()
    figures = {
        name: shipped["models"][name]
        for name in resources.model_names
        if name in shipped.get("models", {}) and shipped["models"][name]["sha256"] == resources.model(name).file_sha256
    }
    if not figures:
        return ""
    series = [
        Series(
            f"{model_label(name)}: 90 % within {facts['reach']} letters",
            model_kind(name),
            [(distance, 100 * share) for distance, share in zip(DISTANCES, facts["within"], strict=True)],
        )
        for name, facts in figures.items()
    ]
    description = f"Share of the influence within a distance. {'; '.join(one.label for one in series)}."
    title = f"Share of the influence within a distance, in %, mean over {shipped['songs']} songs that it learnt from"
    chart = line_chart(
        series, Axis("letters back", DISTANCES, log=True), Axis(title, (0, 25, 50, 75, 100)), description
    )
    return f"<h3>How far back on average?</h3>{chart}"
