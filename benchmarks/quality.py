"""Bits per character of the bundled models on both validation splits, computed from their files.

    python -m benchmarks.quality --data songdata/ [--write-docs]

Whole songs, the state carried from each song's start, songs independent, characters outside the vocabulary left out,
float32. Fails if a figure differs from the model's metrics.json by more than 0.001.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.tables import replace_block, table
from lyricgen.models.checkpoints import ASSETS, Checkpoint, bundled_models, load_checkpoint
from lyricgen.training.config import TrainConfig
from lyricgen.training.networks import measure
from lyricgen.training.songs import prepare_songs

TOLERANCE = 0.001
HEADER = ["model", "parameters", "bits per character", "on the clean split", "trained for", "on"]


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", metavar="FOLDER", help="songdata; default: download it")
    parser.add_argument("--write-docs", action="store_true", help="write the table into docs/benchmarks.md")
    options = parser.parse_args(arguments)
    rows, agree = [], True
    with tempfile.TemporaryDirectory() as folder:
        songs = prepare_songs(TrainConfig(data=options.data, out=Path(folder)))
        for name in bundled_models():
            checkpoint = load_checkpoint(ASSETS / name)
            measured, recorded = measure(checkpoint.model, songs), checkpoint.metrics
            agree &= all(abs(measured[split] - recorded[split]) <= TOLERANCE for split in measured if split in recorded)
            rows.append(table_row(name, checkpoint, measured))
        note = (
            f"\n\nOn {len(songs.val)} validation songs, and on the {int(songs.clean.sum())} of them of which under 10 % of "
            "the 60-character windows occur in training; written by `python -m benchmarks.quality`."
        )
    printed = table(HEADER, rows) + note
    print(printed)
    if options.write_docs:
        replace_block("figures", printed)
    if not agree:
        print("a figure differs from the model's metrics.json", file=sys.stderr)
    return 0 if agree else 1


def table_row(name: str, checkpoint: Checkpoint, measured: dict[str, float]) -> list[str]:
    """A row of the table."""
    recorded = checkpoint.metrics
    return [
        f"`{name}`",
        f"{sum(parameter.numel() for parameter in checkpoint.model.parameters()):,}",
        f"{measured['val_bpc']:.3f}",
        f"{measured['clean_bpc']:.3f}",
        f"{recorded['epochs']} epochs, {recorded['seconds'] / 60:.0f} minutes",
        f"{recorded['hardware']} ({recorded['precision']})",
    ]


if __name__ == "__main__":
    sys.exit(main())
