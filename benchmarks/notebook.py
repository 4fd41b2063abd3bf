"""The notebook's recipe, given minutes on this machine: its bits per character on both validation splits.

    python -m benchmarks.notebook --data songdata/ --models vanilla-rnn --minutes 12 [--write]

The notebook trains for 8 epochs on a GPU: whole songs in batches of 32, Adam at 0.001, float32, torch's own initial
weights, no artist, no state carried from batch to batch. Here it trains for as long as it is given, and is measured as
train.py measures a model. `--write` keeps the figures in lyricgen/assets/notebook.json, where the model card finds them.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import pytorch_lightning as pl
import torch

from benchmarks.tables import table
from lyricgen.songs.download import TRAIN_FILE, VAL_FILE
from lyricgen.songs.notebook import LyricsGenerationDataModule
from lyricgen.songs.reading import ARTISTS
from lyricgen.storage import ASSETS, write_json
from lyricgen.training.config import NETWORKS, TrainConfig
from lyricgen.training.learning_curve import LearningCurve
from lyricgen.training.lightning_task import LyricsGenerationTask
from lyricgen.training.networks import NETWORK_CLASSES, measure
from lyricgen.training.provenance import processor_name
from lyricgen.training.songs import TrainingSongs, prepare_songs

FILE = ASSETS / "notebook.json"
HEADER = ["model", "bits per character", "on the clean split", "minutes", "epochs", "on"]
EPOCHS, LEARNING_RATE = 8, 1e-3


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", metavar="FOLDER", required=True, help="songdata")
    parser.add_argument("--models", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--minutes", type=float, default=12.0, help="for each model (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--write", action="store_true", help=f"keep the figures in {FILE.name}")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as folder:
        songs = prepare_songs(TrainConfig(data=options.data, out=Path(folder)))
        figures = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
        for name in options.models:
            figures[name] = measure_recipe(name, songs, options)
            if options.write:
                write_json(FILE, figures)
    rows = [
        [name, f"{row['val_bpc']:.3f}", f"{row['clean_bpc']:.3f}", f"{row['seconds'] / 60:.0f}", f"{row['epochs']}", row["hardware"]]
        for name, row in figures.items()
        if name in options.models
    ]  # fmt: skip
    print(table(HEADER, rows))
    return 0


def measure_recipe(name: str, songs: TrainingSongs, options: argparse.Namespace) -> dict:
    """Trains one model as the notebook does, for some minutes, and measures it."""
    pl.seed_everything(777, verbose=False)
    model = NETWORK_CLASSES[name]()
    for part in (model.embeddings, model.rnn):
        part.reset_parameters()
    files = {"train": f"{options.data}/{TRAIN_FILE}", "val": f"{options.data}/{VAL_FILE}"}
    data = LyricsGenerationDataModule(files, ARTISTS, batch_size=32)
    curve = LearningCurve(every=10)
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=EPOCHS,
        max_time={"minutes": options.minutes},
        callbacks=[curve],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        limit_val_batches=0,
    )
    trainer.fit(LyricsGenerationTask(model, LEARNING_RATE), data)
    for row in curve.rows[-3:]:
        print(row, flush=True)
    return {
        **measure(model.eval(), songs),
        "seconds": round(curve.seconds, 1),
        "epochs": round(curve.characters / songs.uncleaned.characters, 2),
        "steps": trainer.global_step,
        "seed": 777,
        "hardware": processor_name(torch.get_num_threads()),
        "data_sha256": songs.data_sha256,
    }


if __name__ == "__main__":
    sys.exit(main())
