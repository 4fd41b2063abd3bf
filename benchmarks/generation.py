"""Characters a second of generation, greedy, one sequence: lyricgen's stepper against two peers in the same run.

    python -m benchmarks.generation [--length 300] [--repeats 5] [--write-readme]

The peers: the module called once a character with its state carried (`nn.LSTM` or `nn.RNN`), and the course
notebook's loop, which sends the whole sequence through the network at every step. Medians, one thread.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial

import torch

from benchmarks.readme import replace_block, table
from lyricgen.checkpoints import bundled_models, load_model
from lyricgen.decoding import GreedyDecodingStrategy, Hypothesis, ModelStepper
from lyricgen.generation import FastStepper
from lyricgen.models import CharacterModel
from lyricgen.vocabulary import START_LABEL

HEADER = ["model", "characters a second", "against the module with its state", "against the notebook's loop"]


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--length", type=int, default=300, help="characters (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=5, help="runs of which the median counts (default: %(default)s)")
    parser.add_argument("--write-readme", action="store_true", help="put the table into README.md")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    rows = []
    for name in bundled_models():
        model = load_model(name)
        with torch.inference_mode():
            seconds = {
                kind: median_seconds(partial(write, model, options.length), options.repeats)
                for kind, write in (
                    ("stepper", write_with_stepper),
                    ("module", write_with_module),
                    ("notebook", write_as_notebook),
                )
            }
        fast = seconds["stepper"]
        rows.append(
            [
                f"`{name}`",
                f"{options.length / fast:,.0f}",
                f"{seconds['module'] / fast:.1f} x",
                f"{seconds['notebook'] / fast:.1f} x",
            ]
        )
    hardware = f"{torch.cpu.get_capabilities().get('cpu_name') or 'CPU'}, one thread, torch {torch.__version__}"
    printed = table(HEADER, rows) + (
        f"\n\nGreedy, batch 1, {options.length} characters, medians of {options.repeats} runs on {hardware}; "
        "written by `python -m benchmarks.generation`."
    )
    print(printed)
    if options.write_readme:
        replace_block("speed", printed)
    return 0


def median_seconds(run: Callable[[], object], repeats: int) -> float:
    """The median time of a run, after one that does not count."""
    times = []
    for _ in range(repeats + 1):
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    return statistics.median(times[1:])


def write_with_stepper(model: CharacterModel, length: int) -> None:
    """What the app does."""
    for _ in GreedyDecodingStrategy(FastStepper.of(model, None)).stream(_start(), length + 1):
        pass


def write_with_module(model: CharacterModel, length: int) -> None:
    """The module once a character, with its state."""
    for _ in GreedyDecodingStrategy(ModelStepper(model)).stream(_start(), length + 1):
        pass


def write_as_notebook(model: CharacterModel, length: int) -> None:
    """The whole sequence at every step."""
    token_ids = _start().token_ids
    for _ in range(length):
        logits, _ = model(token_ids, torch.tensor([token_ids.shape[1]]))
        token_ids = torch.cat([token_ids, logits[:, -1:].argmax(dim=-1)], dim=1)


def _start() -> Hypothesis:
    return Hypothesis(torch.tensor([[START_LABEL]]))


if __name__ == "__main__":
    sys.exit(main())
