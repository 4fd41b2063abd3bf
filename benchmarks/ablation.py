"""What each part of the training recipe is worth: small networks on a share of the songs, one setting changed at a time.

    python -m benchmarks.ablation --data songdata/ [--share 16] [--hidden-size 128] [--epochs 8] [--seeds 1] [--write-docs]

Each row trains the LSTM with train.py's defaults but for one setting, on every 16th training song, with the same number of
steps, and measures the last weights on the held-out training songs and on every 4th clean validation song. A batch has 16
streams instead of 64, so that so few songs make enough steps. The recipe is chosen by the held-out songs; the clean ones are
shown beside them. A small network on few songs does not show all that a large one does: one that is trained for long needs
the lower rate and the higher decay, or its loss rises after some thousand steps.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measuring import make_parser, other_work, provenance_note, report, silence_training, torch_threads
from benchmarks.tables import table
from lyricgen.songs.corpus import Corpus
from lyricgen.training.config import TrainConfig
from lyricgen.training.learning_curve import LearningCurve
from lyricgen.training.networks import make_loader, make_streams, make_task, make_trainer, measure
from lyricgen.training.songs import TrainingSongs, prepare_songs

NAME = "lstm"
MEASURED = 4  # one clean song of so many
STREAMS = 16  # in a batch
WARMUP_STEPS = 100  # of some thousand
RECIPE, UNCLEANED = "the recipe", "songs as they are"
CHANGES: dict[str, dict[str, Any]] = {
    RECIPE: {},
    UNCLEANED: {},
    "dropout 0": {"dropout": 0.0},
    "dropout 0.05": {"dropout": 0.05},
    "dropout 0.35": {"dropout": 0.35},
    "rate 0.008, decay 0.01": {"learning_rate": 8e-3, "weight_decay": 0.01},
    "rate 0.002": {"learning_rate": 2e-3},
    "AdamW, rate 0.004": {"optimizer": "adamw"},
    "steps of 64 characters, 32 streams": {"length": 64, "batch_size": 2 * STREAMS},
    "steps of 256 characters, 8 streams": {"length": 256, "batch_size": STREAMS // 2},
    "no artist hidden": {"artist_dropout": 0.0},
}
HEADER = ["changed", "held-out songs", "clean split", "against the recipe", "seconds"]


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    options = build_parser().parse_args(arguments)
    silence_training()
    with tempfile.TemporaryDirectory() as folder, torch_threads(1):
        config = TrainConfig(
            data=options.data,
            out=Path(folder),
            models=(NAME,),
            hidden_size=options.hidden_size,
            batch_size=STREAMS,
            epochs=1_000,  # the number of steps ends each training
            warmup_steps=WARMUP_STEPS,
            progress=False,
        )
        songs = prepare_songs(config)
        clean = every(songs.val.subset(songs.clean), MEASURED)
        songs = replace(songs, val=clean, clean=np.ones(len(clean), bool), without_headings=None)
        rows = list(measure_changes(songs, config, options))
    note = provenance_note(
        "ablation",
        f"2 layers of {options.hidden_size} units, every {options.share}th training song, {options.epochs} epochs' steps, "
        f"means of {options.seeds} seeds, bits per character",
        other_work(),
        threads=1,
    )
    report(options, "ablation", table(HEADER, [table_row(row, rows[0]) for row in rows]) + note, rows, threads=1)
    return 0


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = make_parser(__doc__, repeats=None, block="ablation")
    parser.add_argument("--data", metavar="PATH", help="songs, as train.py takes them; default: download songdata")
    parser.add_argument(
        "--share", type=int, default=16, help="one song of so many is trained on (default: %(default)s)"
    )
    parser.add_argument("--hidden-size", type=int, default=128, help="units a layer (default: %(default)s)")
    parser.add_argument("--epochs", type=int, default=8, help="passes over those songs (default: %(default)s)")
    parser.add_argument("--seeds", type=int, default=1, help="trainings of each row (default: %(default)s)")
    parser.add_argument(
        "--changes", nargs="+", choices=CHANGES, default=list(CHANGES), metavar="NAME", help="default: all"
    )
    return parser


def measure_changes(songs: TrainingSongs, config: TrainConfig, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yields the figures of each change, the recipe's first."""
    steps = len(make_streams(every(songs.train, options.share), config)) * options.epochs
    for change in dict.fromkeys((RECIPE, *options.changes)):
        corpus = every(songs.uncleaned if change == UNCLEANED else songs.train, options.share)
        changed = replace(config, max_steps=steps, **CHANGES[change])
        runs = [train(corpus, songs, replace(changed, seed=config.seed + number)) for number in range(options.seeds)]
        row = {
            "change": change,
            "steps": steps,
            **{name: float(np.mean([run[name] for run in runs])) for name in runs[0]},
        }
        print(row, file=sys.stderr, flush=True)
        yield row


def every(corpus: Corpus, share: int) -> Corpus:
    """Every `share`th song."""
    return corpus.subset(np.arange(0, len(corpus), share))


def train(corpus: Corpus, songs: TrainingSongs, config: TrainConfig) -> dict[str, float]:
    """Trains a network on a corpus; its bits per character on the songs not read, and the seconds of the training."""
    model, task = make_task(NAME, corpus.artists, config)
    trainer = make_trainer(config.out / "checkpoints" / NAME, [LearningCurve()], config.recipe(NAME).epochs, config)
    began = time.perf_counter()
    trainer.fit(task, make_loader(make_streams(corpus, config)))
    return {"seconds": time.perf_counter() - began, **measure(model.eval(), songs, config.length)}


def table_row(row: dict[str, Any], recipe: dict[str, Any]) -> list[str]:
    """A row of the table."""
    gain = "" if row is recipe else f"{row['held_out_bpc'] - recipe['held_out_bpc']:+.3f}"
    return [row["change"], f"{row['held_out_bpc']:.3f}", f"{row['clean_bpc']:.3f}", gain, f"{row['seconds']:.0f}"]


if __name__ == "__main__":
    sys.exit(main())
