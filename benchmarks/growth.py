"""How things grow: writing by length and by users, encoding by size, word vectors by vocabulary, against the smallest.

    python -m benchmarks.growth [--lengths 100 1000 5000] [--users 1 8 32 64 128] [--megabytes 1 10] [--large]
        [--words 10000 100000 400000] [--repeats 5]

Lengths: one lyric through the stepper. Users: lyrics asked for at once of `lyricgen.generation.scheduler.ContinuousBatch`. Megabytes: a CSV
file of made-up songs read and encoded, with what the process's memory grows by at its peak. Words: a folder of random
vectors of 50 dimensions opened, and a word's neighbours found in it, also against a matrix-vector product. What grows
faster than its size has a ratio above 1.
"""

import argparse
import statistics
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch

from benchmarks.measuring import deliver, make_parser, median_seconds, seconds, written_by
from benchmarks.songs import CHARACTERS, make_songs, write_csv
from benchmarks.tables import table
from lyricgen import neighbors
from lyricgen.generation import api
from lyricgen.generation.request import GenerationRequest
from lyricgen.generation.scheduler import ContinuousBatch
from lyricgen.generation.settings import GenerationSettings
from lyricgen.models.checkpoints import bundled_models, load_model
from lyricgen.models.networks import CharacterModel
from lyricgen.songs.corpus import encode_corpus
from lyricgen.songs.notebook import read_songs
from lyricgen.words.space import VectorSpace, open_space, save_space

HEADER = ["what", "size", "in all", "a unit", "a unit against the smallest", "besides"]
EVERY = 0.05  # seconds between the texts that a user is sent, as on the page
DIMENSIONS = 50
LARGE = 100  # megabytes
UNITS = {"character": (1e6, "microseconds a character"), "megabyte": (1, "seconds a megabyte"), "word": (1e9, "nanoseconds a word")}  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    options = build_parser().parse_args(arguments)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with tempfile.TemporaryDirectory() as folder:
            rows = list(measure(Path(folder), options))
    finally:
        torch.set_num_threads(before)
    for row in rows:
        first = next(one for one in rows if one["what"] == row["what"])
        row["unit_ratio_to_smallest"] = row["seconds_a_unit"] / first["seconds_a_unit"]
    note = written_by("growth", f"medians of {options.repeats} runs", f"lyrics by `{options.model}`", threads=1)
    deliver(options, "growth", table(HEADER, list(map(shown, rows))) + note, rows, threads=1)
    return 0


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = make_parser(__doc__)
    for flag, sizes, what in (
        ("--lengths", [100, 1_000, 5_000], "characters of a lyric"),
        ("--users", [1, 8, 32, 64, 128], "lyrics at once"),
        ("--megabytes", [1, 10], "of songs"),
        ("--words", [10_000, 100_000, 400_000], "of a vector space"),
    ):
        parser.add_argument(flag, type=int, nargs="*", default=sizes, help=f"{what} (default: %(default)s)")
    parser.add_argument("--length", type=int, default=100, help="characters a user asks for (default: %(default)s)")
    parser.add_argument("--large", action="store_true", help=f"{LARGE} megabytes of songs too")
    parser.add_argument("--model", choices=bundled_models(), default="lstm", help="default: %(default)s")
    return parser


def measure(folder: Path, options: argparse.Namespace) -> Iterator[dict]:
    """The figures, a row a size."""
    model = load_model(options.model)
    for length in options.lengths:
        request = GenerationRequest(model, settings=GenerationSettings(strategy="greedy", max_length=length))
        taken = median_seconds(partial(api.write_together, [request]), options.repeats)
        yield figures("a lyric", length, "characters", taken, length, "character")
    batch = ContinuousBatch(model)
    try:
        for users in options.users:
            taken = median_seconds(partial(write_together, batch, model, users, options.length), options.repeats)
            units, count = f"users, {options.length} characters each", users * options.length
            yield figures("lyrics at once", users, units, taken, count, "character")
    finally:
        batch.close()
    for megabytes in [*options.megabytes, *([LARGE] if options.large else [])]:
        yield encoding(folder, megabytes, options.repeats)
    for words in options.words:
        yield from space_figures(folder, words, options.repeats)


def figures(what: str, size: int, units: str, taken: float, count: float, unit: str) -> dict:
    """A row: the time of all, and of each of so many units."""
    return {"what": what, "size": size, "units": units, "seconds": taken, "unit": unit, "seconds_a_unit": taken / count}


def shown(row: dict) -> list[str]:
    """A row as the table has it."""
    factor, unit = UNITS[row["unit"]]
    return [
        row["what"],
        f"{row['size']:,} {row['units']}",
        f"{row['seconds']:.3g} s",
        f"{factor * row['seconds_a_unit']:,.3g} {unit}",
        f"{row['unit_ratio_to_smallest']:.2f} x",
        besides(row),
    ]


def besides(row: dict) -> str:
    """What else a row tells: memory, or a peer."""
    if row.get("peak_memory_growth_bytes") is not None:
        grown = row["peak_memory_growth_bytes"] / 1e6
        return f"{row['megabytes_a_second']:.0f} MB a second; memory grows by {grown:.0f} MB"
    if "ratio_to_matrix_vector_product" in row:
        return f"{row['ratio_to_matrix_vector_product']:.1f} x the time of a matrix-vector product"
    return f"{1 / row['seconds_a_unit']:,.0f} characters a second" if row["unit"] == "character" else ""


def write_together(batch: ContinuousBatch, model: CharacterModel, users: int, length: int) -> None:
    """Lyrics that are asked for at the same time, each awaited in a thread of its own."""
    requests = [
        GenerationRequest(model, settings=GenerationSettings(max_length=length, seed=seed)) for seed in range(users)
    ]
    threads = [threading.Thread(target=list, args=[batch.stream(request, EVERY)]) for request in requests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def encoding(folder: Path, megabytes: int, repeats: int) -> dict:
    """Reading a CSV file of songs and encoding them, in a new process, whose memory has no room left by an earlier one."""
    path = folder / f"{megabytes}.csv"
    write_csv(path, make_songs(max(1, megabytes * 1_000_000 // CHARACTERS), CHARACTERS))
    size = path.stat().st_size / 1e6
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        grown, taken = process.submit(encode_there, path, repeats if megabytes < LARGE else 1).result()
    path.unlink()
    row = figures("encoding songs", megabytes, "MB", taken, size, "megabyte")
    return {**row, "megabytes_a_second": size / taken, "peak_memory_growth_bytes": grown}


def encode_there(path: Path, repeats: int) -> tuple[int | None, float]:
    """The growth of memory in a first encoding, which does not count for the time, and the median seconds of others."""
    small = path.with_name("small.csv")
    write_csv(small, make_songs(2, CHARACTERS))
    encode_corpus(read_songs(small), path.parent / "corpus")  # loads what the libraries load at their first use
    grown = peak_growth(partial(encode, path))
    return grown, statistics.median(seconds(partial(encode, path)) for _ in range(repeats))


def encode(path: Path) -> None:
    """Reads a CSV file of songs and encodes them beside it."""
    encode_corpus(read_songs(path), path.parent / "corpus")


def peak_growth(call: Callable[[], None]) -> int | None:
    """The bytes by which the process's memory grows at its peak during a call; None where the system does not tell."""
    status = Path("/proc/self/status")
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak starts anew
    except OSError:
        return None

    def kilobytes(name: str) -> int:
        lines = status.read_text(encoding="ascii").splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith(f"{name}:")))

    before = kilobytes("VmRSS")
    call()
    return 1024 * max(0, kilobytes("VmHWM") - before)


def space_figures(folder: Path, words: int, repeats: int) -> Iterator[dict]:
    """Opening a folder of random vectors, and the ten neighbours of a word in it."""
    where, rng = folder / f"space-{words}", np.random.default_rng(777)
    vectors = rng.standard_normal((words, DIMENSIONS), np.float32)
    save_space(VectorSpace("random", [f"word{row}" for row in range(words)], vectors), where, "random", "random numbers")  # fmt: skip
    taken = median_seconds(partial(open_space, where), repeats)
    yield figures("opening word vectors", words, "words", taken, words, "word")
    space = open_space(where)
    asked = median_seconds(lambda: neighbors("word7", 10, space), 10 * repeats)
    product = median_seconds(lambda: space.vectors @ space.vectors[7], 10 * repeats)
    row = figures("neighbours of a word", words, "words", asked, words, "word")
    yield {**row, "ratio_to_matrix_vector_product": asked / product}


if __name__ == "__main__":
    sys.exit(main())
