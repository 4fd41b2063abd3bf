"""Seconds to score a text and to read its hidden units, against one pass of the float32 module.

    python -m benchmarks.insight [--length 5000] [--repeats 5]

The peer is one pass of the module over the text, without ranks, entropies or correlations. One torch thread; lyricgen runs
each layer in a thread of its own. A text of synthetic words.
"""

import sys
from functools import partial

import torch

from benchmarks.measuring import make_parser, median_seconds, provenance_note, report, torch_threads
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
    with torch_threads(1):
        rows = [row for name in options.models for row in measure_model(name, options.length, options.repeats)]
    facts = (f"{options.length:,} characters", f"medians of {options.repeats} runs", "the peer's time against ours")
    note = provenance_note("insight", *facts, threads=1)
    report(options, "insight", table(HEADER, list(map(table_row, rows))) + note, rows, threads=1)
    return 0


def measure_model(name: str, length: int, repeats: int) -> list[dict]:
    """The figures of one model: its score, alone and with memory, and its hidden units."""
    model, text = load_model(name), make_text(length)
    one_pass = median_seconds(partial(read_at_once, model, text), repeats)
    rows = []
    calls = {
        "score": partial(score, text, model=model),
        "memory": partial(score, text, model=model, memory=True),
        "cells": partial(read_units, model, text),
    }
    for what, call in calls.items():
        elapsed = median_seconds(call, repeats)
        rows.append({"model": name, "what": what, "characters": length, "seconds": elapsed, "module_seconds": one_pass, "ratio_to_module": one_pass / elapsed})  # fmt: skip
    return rows


def table_row(row: dict) -> list[str]:
    """A row of the table."""
    names = {
        "score": "every character scored",
        "memory": "every character scored, with memory",
        "cells": "every hidden unit, with correlations",
    }
    return [
        f"`{row['model']}`",
        names[row["what"]],
        f"{row['seconds']:.2f}",
        f"{row['ratio_to_module']:.2f} x its time",
    ]


def read_units(model: CharacterModel, text: str) -> None:
    """The work of `/cells`."""
    unit_facts(read_cells(text, model=model))


@torch.inference_mode()
def read_at_once(model: CharacterModel, text: str) -> None:
    """The float32 module, all of the text in one pass."""
    model(torch.tensor([[START_LABEL, *read_labels(text, model.line_breaks)]]), None)


if __name__ == "__main__":
    sys.exit(main())
