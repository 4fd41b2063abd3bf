"""Writes what the page ships of the models' work, by the bundled models: `python -m docs.page_assets`.

Each file carries the sha256 of the model that it was made from; a test fails where it is another one.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lyricgen.resources import Resources
from lyricgen.ui.tabs.write.first_song import FIRST_SONG, write_first_song

WRITERS: dict[Path, Callable[[Resources], dict[str, Any]]] = {FIRST_SONG: write_first_song}
"""What to write, by file: functions of the loaded models that return plain values."""


def main() -> None:
    """Writes every file."""
    resources = Resources(device="cpu")
    for path, write in WRITERS.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(write(resources), ensure_ascii=False, separators=(",", ":"))
        path.write_text(text + "\n", encoding="utf-8")
        print(f"{path.name}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
