"""Seconds to the first character after a prefix: the app against two other implementations.

    python -m benchmarks.prefix [--lengths 10 200 2000] [--repeats 5]

The app uses `lyricgen.generation.scheduler.ContinuousBatch`; the peers are the stepper, one step a character, and one pass
of the float32 module. Greedy, one thread, prefixes of synthetic words.
"""

import sys
from functools import partial

import torch

from benchmarks.measuring import make_parser, median_seconds, provenance_note, report, torch_threads
from benchmarks.songs import make_text
from benchmarks.tables import table
from lyricgen.generation.fast_stepper import FastStepper
from lyricgen.generation.request import GenerationRequest
from lyricgen.generation.scheduler import ContinuousBatch
from lyricgen.generation.settings import GenerationSettings
from lyricgen.models.checkpoints import bundled_models, load_model
from lyricgen.models.networks import CharacterModel
from lyricgen.models.text import read_labels
from lyricgen.models.vocabulary import START_LABEL

HEADER = ["model", "prefix", "milliseconds", "the stepper, a step a character", "one pass of the module, float32"]


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = make_parser(__doc__)
    parser.add_argument("--lengths", type=int, nargs="+", default=[10, 200, 2_000], help="characters (default: %(default)s)")  # fmt: skip
    parser.add_argument("--models", nargs="+", choices=bundled_models(), default=bundled_models())
    options = parser.parse_args(arguments)
    with torch_threads(1):
        rows = [row for name in options.models for row in measure_model(name, options.lengths, options.repeats)]
    note = provenance_note(
        "prefix", f"medians of {options.repeats} runs", "the peers' times against the app's", threads=1
    )
    report(options, "prefix", table(HEADER, list(map(table_row, rows))) + note, rows, threads=1)
    return 0


def measure_model(name: str, lengths: list[int], repeats: int) -> list[dict]:
    """The figures of one model, one row a prefix."""
    model, rows = load_model(name), []
    batch = ContinuousBatch(model)
    try:
        for length in lengths:
            prefix = make_text(length)
            app, steps, one_pass = (
                median_seconds(partial(*call), repeats)
                for call in (
                    (read_in_batch, batch, prefix),
                    (read_in_steps, model, prefix),
                    (read_at_once, model, prefix),
                )
            )
            rows.append(
                {
                    "model": name,
                    "prefix_characters": length,
                    "seconds": app,
                    "stepper_seconds": steps,
                    "module_seconds": one_pass,
                    "ratio_to_stepper": steps / app,
                    "ratio_to_module": one_pass / app,
                }
            )
    finally:
        batch.close()
    return rows


def table_row(row: dict) -> list[str]:
    """A row of the table."""
    return [
        f"`{row['model']}`",
        f"{row['prefix_characters']:,} characters",
        f"{1e3 * row['seconds']:.1f}",
        f"{row['ratio_to_stepper']:.1f} x its time",
        f"{row['ratio_to_module']:.1f} x its time",
    ]


def read_in_batch(batch: ContinuousBatch, prefix: str) -> None:
    """The app: the first character from the batch."""
    settings = GenerationSettings(strategy="greedy", max_length=len(prefix) + 1)
    next(batch.stream(GenerationRequest(batch.model, prefix, settings)))


@torch.inference_mode()
def read_in_steps(model: CharacterModel, prefix: str) -> None:
    """The stepper, one step a character of the prefix."""
    stepper = FastStepper.of(model, None)
    hidden = stepper.stepper.start(1)
    for label in [START_LABEL, *read_labels(prefix, model.line_breaks)]:
        logits, hidden = stepper.step(torch.tensor([label]), hidden)
    int(logits.argmax())


@torch.inference_mode()
def read_at_once(model: CharacterModel, prefix: str) -> None:
    """The float32 module, all of the prefix in one pass."""
    logits, _ = model(torch.tensor([[START_LABEL, *read_labels(prefix, model.line_breaks)]]), None)
    int(logits[0, -1].argmax())


if __name__ == "__main__":
    sys.exit(main())
