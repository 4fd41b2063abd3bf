"""Shared by the benchmarks: flags, timing, provenance, and figures as JSON."""

import argparse
import json
import os
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from benchmarks.tables import replace_block
from lyricgen.training.cli import silence_libraries
from lyricgen.training.provenance import processor_name

CORES = os.cpu_count() or 1


def make_parser(description: str, repeats: int | None = 5, block: str | None = None) -> argparse.ArgumentParser:
    """A parser with the flags that all benchmarks share.

    Args:
        description: what is measured.
        repeats: the default of --repeats; None: nothing is timed, and there is no such flag.
        block: the benchmark's block in docs/benchmarks.md, if any.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    if repeats is not None:
        parser.add_argument("--repeats", type=int, default=repeats, help="runs, for the median (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to a JSON file")
    if block:
        parser.add_argument("--write-docs", action="store_true", help="write the table into docs/benchmarks.md")
    parser.set_defaults(block=block)
    return parser


def report(options: argparse.Namespace, name: str, printed: str, rows: list[dict], threads: int = CORES) -> None:
    """Prints a benchmark's table, and writes its figures and its block of docs/benchmarks.md if the flags say so."""
    print(printed)
    if options.json:
        facts = {"benchmark": name, "hardware": processor_name(threads), "torch": torch.__version__}
        options.json.write_text(json.dumps({**facts, "rows": rows}, indent=1, ensure_ascii=False) + "\n", "utf-8")
    if options.block and options.write_docs:
        replace_block(options.block, printed)


def provenance_note(name: str, *facts: str, threads: int = CORES) -> str:
    """The sentence under a table: method, hardware and command."""
    note = f"{', '.join(facts)}, on {processor_name(threads)}, torch {torch.__version__}"
    return f"\n\n{note[0].upper()}{note[1:]}; written by `python -m benchmarks.{name}`."


def other_work() -> str:
    """How busy the machine is with other work, for the note of a benchmark whose figures depend on it."""
    return f"beside other work of a load average of {os.getloadavg()[0]:.1f}"


def silence_training() -> None:
    """Silences what Lightning says about a training without validation."""
    silence_libraries()
    warnings.filterwarnings("ignore", ".*no `val_dataloader`.*")


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Sets torch's number of threads within the block."""
    previous = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(previous)


def seconds(call: Callable[[], object]) -> float:
    """The time of a call."""
    start = time.perf_counter()
    call()
    synchronize()
    return time.perf_counter() - start


def synchronize() -> None:
    """Waits until the GPU, where there is one, has done all that it was given."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def median_seconds(call: Callable[[], object], repeats: int) -> float:
    """The median time of a call, after one warm-up call."""
    call()
    return statistics.median(seconds(call) for _ in range(repeats))
