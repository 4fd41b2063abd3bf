"""Writes what the page ships of the models' work, by the bundled models: `python -m docs.page_assets [--songs FILE]`.

With a file of the training songs it measures the memory horizon too, which takes about a minute. Each file carries the sha256 of the
model that it was made from, or the source of the vectors; a test fails where it is another one.
"""

import argparse
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from lyricgen.resources import Resources
from lyricgen.ui.tabs.inside.horizon import HORIZON, measure_horizon
from lyricgen.ui.tabs.words.openings import SHIPPED, write_openings
from lyricgen.ui.tabs.words.tab import OPENINGS
from lyricgen.ui.tabs.write.first_song import FIRST_SONG, write_first_song

WRITERS: dict[Path, Callable[[Resources], dict[str, Any]]] = {
    FIRST_SONG: write_first_song,
    SHIPPED: partial(write_openings, computes=OPENINGS),
}
"""What to write, by file: functions of the loaded models that return plain values."""


def main() -> None:
    """Writes every file; those that need songs only where they are given."""
    parser = argparse.ArgumentParser("python -m docs.page_assets", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--songs", type=Path, help="training songs, such as songdata_train.csv, to measure the memory horizon"
    )
    songs = parser.parse_args().songs
    resources = Resources(device="cpu")
    for path, write in WRITERS.items():
        save(path, write(resources))
    if songs:
        save(HORIZON, measure_horizon(resources, songs))


def save(path: Path, values: dict[str, Any]) -> None:
    """Writes a file and prints its size."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(values, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{path.name}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
