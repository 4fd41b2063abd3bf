"""Characters a second of the LSTM on a GPU, in generation and in training, against cuDNN's nn.LSTM in the same run.

    python -m benchmarks.gpu [--batches 1 16 64 256] [--length 300] [--steps 40] [--repeats 5] [--write-docs]

Generation is greedy: the app's stepper, against the module called once a character with its state. Training is train.py's loop
without flags, and with AdamW, against a bare float32 loop on the same streams. `--device cpu` runs the same without a GPU.
"""

import argparse
import sys
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from benchmarks.generation import Case, generate_with_module, generate_with_stepper
from benchmarks.measuring import make_parser, median_seconds, report, silence_training
from benchmarks.songs import CHARACTERS, SONGS, write_songs
from benchmarks.tables import table
from benchmarks.training import NAME, bare_steps, figures, run_train_py
from lyricgen.devices import best_device, device_name
from lyricgen.models.checkpoints import load_model
from lyricgen.models.networks import CharacterModel
from lyricgen.songs.corpus import encode_corpus
from lyricgen.songs.download import TRAIN_FILE
from lyricgen.songs.reading import ARTISTS, read_songs
from lyricgen.training.config import TrainConfig

HEADER = ["what", "precision", "characters a second", "against `nn.LSTM`"]
WARMUP_STEPS = 5


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    options = build_parser().parse_args(arguments)
    device = torch.device(options.device) if options.device else best_device()
    if device.type == "cpu" and options.device != "cpu":
        print("no GPU works here; --device cpu measures the same on the CPU", file=sys.stderr)
        return 2
    silence_training()
    with torch.inference_mode():
        model = load_model(NAME).to(device)
        rows = [measure_generation(model, Case(batch, options.length), options.repeats) for batch in options.batches]
    with tempfile.TemporaryDirectory() as folder:
        rows += measure_training(Path(folder), device, options)
    note = (
        f"\n\nGreedy lyrics of {options.length:,} characters, medians of {options.repeats} runs; {options.steps} training steps after "
        f"{WARMUP_STEPS}; on {device_name(device)}, torch {torch.__version__}; written by `python -m benchmarks.gpu`."
    )
    report(options, "gpu", table(HEADER, list(map(table_row, rows))) + note, rows)
    return 0


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = make_parser(__doc__, block="gpu")
    parser.add_argument("--device", help="of torch (default: the GPU)")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 16, 64, 256], help="rows (default: %(default)s)")
    parser.add_argument("--length", type=int, default=300, help="characters of a lyric (default: %(default)s)")
    parser.add_argument("--songs", type=int, default=SONGS, help="synthetic songs (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=40, help="timed training steps (default: %(default)s)")
    parser.add_argument("--hidden-size", type=int, default=512, help="units a layer (default: %(default)s)")
    parser.add_argument("--batch-size", type=int, default=64, help="streams a step (default: %(default)s)")
    return parser


def measure_generation(model: CharacterModel, case: Case, repeats: int) -> dict:
    """The figures of one batch."""
    stepper = case.stepper(model)
    ours = median_seconds(partial(generate_with_stepper, stepper, case), repeats)
    module = median_seconds(partial(generate_with_module, model, case), repeats)
    return {
        "what": f"generation, batch {case.batch}",
        "precision": str(stepper.stepper.dtype).removeprefix("torch."),
        "characters_a_second": case.batch * case.length / ours,
        "ratio_to_module": module / ours,
    }


def measure_training(folder: Path, device: torch.device, options: argparse.Namespace) -> list[dict]:
    """The figures of train.py's loop with both optimizers."""
    data = write_songs(folder, options.songs, CHARACTERS)
    corpus = encode_corpus(read_songs(data / TRAIN_FILE), folder / "corpus", ARTISTS)
    config = TrainConfig(
        out=folder,
        max_steps=WARMUP_STEPS + options.steps,
        epochs=1_000,
        hidden_size=options.hidden_size,
        batch_size=options.batch_size,
        accelerator="cpu" if device.type == "cpu" else "gpu",
    )
    bare = figures("bare", "32-true", list(bare_steps(corpus, config, device.type))[WARMUP_STEPS:])
    rows = []
    for optimizer in ("muon", "adamw"):
        steps, precision = run_train_py(corpus, replace(config, optimizer=optimizer))
        row = figures(f"training, {optimizer}", precision, steps[WARMUP_STEPS:])
        rows.append(
            {
                "what": row["loop"],
                "precision": precision,
                "characters_a_second": row["characters_a_second"],
                "ratio_to_module": row["characters_a_second"] / bare["characters_a_second"],
            }
        )
    return rows


def table_row(row: dict) -> list[str]:
    """A row of the table."""
    return [row["what"], row["precision"], f"{row['characters_a_second']:,.0f}", f"{row['ratio_to_module']:.2f} x"]


if __name__ == "__main__":
    sys.exit(main())
