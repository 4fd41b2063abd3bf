"""Seconds to score a text and to look at its hidden units, against one pass of the float32 module.

    python -m benchmarks.insight [--length 5000] [--repeats 5]

The peer is the module that reads all of the text in one pass, and no more: neither ranks nor entropies nor correlations. One
torch thread; lyricgen reads each layer in a thread of its own. A text of made-up words.
"""

import sys
from functools import partial

import torch

from benchmarks.measuring import deliver, make_parser, median_seconds, written_by
from benchmarks.songs import make_text
from benchmarks.tables import table
from lyricgen.analysis.activations import read_cells, unit_facts
from lyricgen.analysis.scoring import score
from lyricgen.models.checkpoints import bundled_models, load_model
from lyricgen.models.networks import CharacterModel
from lyricgen.models.text import read_labels
from lyricgen.models.vocabulary import START_LABEL

HEADER = ["model", "what", "seconds", "one pass of the module, float32"]


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = make_parser(__doc__, block="insight")
    parser.add_argument("--length", type=int, default=5_000, help="characters (default: %(default)s)")
    parser.add_argument("--models", nargs="+", choices=bundled_models(), default=bundled_models())
    options = parser.parse_args(arguments)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        rows = [row for name in options.models for row in measure_model(name, options.length, options.repeats)]
    finally:
        torch.set_num_threads(before)
    facts = (f"{options.length:,} characters", f"medians of {options.repeats} runs", "the peer's time against ours")
    note = written_by("insight", *facts, threads=1)
    deliver(options, "insight", table(HEADER, list(map(shown, rows))) + note, rows, threads=1)
    return 0


def measure_model(name: str, length: int, repeats: int) -> list[dict]:
    """The figures of one model: its score, and its hidden units."""
    model, text = load_model(name), make_text(length)
    one_pass = median_seconds(partial(read_at_once, model, text), repeats)
    rows = []
    for what, way in (("score", partial(score, text, model=model)), ("cells", partial(look_at_cells, model, text))):
        taken = median_seconds(way, repeats)
        rows.append({"model": name, "what": what, "characters": length, "seconds": taken, "module_seconds": one_pass, "ratio_to_module": one_pass / taken})  # fmt: skip
    return rows


def shown(row: dict) -> list[str]:
    """A row as the table has it."""
    names = {"score": "every character scored", "cells": "every hidden unit, and what it follows"}
    return [
        f"`{row['model']}`",
        names[row["what"]],
        f"{row['seconds']:.2f}",
        f"{row['ratio_to_module']:.2f} x its time",
    ]


def look_at_cells(model: CharacterModel, text: str) -> None:
    """What `/cells` does."""
    unit_facts(read_cells(text, model=model))


@torch.inference_mode()
def read_at_once(model: CharacterModel, text: str) -> None:
    """The float32 module, all of the text in one pass."""
    model(torch.tensor([[START_LABEL, *read_labels(text, model.line_breaks)]]), None)


if __name__ == "__main__":
    sys.exit(main())
