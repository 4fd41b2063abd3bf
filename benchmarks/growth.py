"""Scaling: generation by length and users, encoding by size, word vectors by vocabulary, against the smallest size.

    python -m benchmarks.growth [--lengths 100 1000 5000] [--users 1 8 32 64 128] [--megabytes 1 10] [--large]
        [--words 10000 100000 400000] [--repeats 5]

Lengths: one lyric through the stepper. Users: concurrent requests to `lyricgen.generation.scheduler.ContinuousBatch`.
Megabytes: reading and encoding a CSV file of synthetic songs, and training steps of a small network on them, each with the
peak growth of memory in a new process. Words: opening a folder of
random vectors of 50 dimensions and querying neighbours, also against a matrix-vector product. A ratio above 1 means
superlinear growth.
"""

import argparse
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch

from benchmarks.measuring import make_parser, median_seconds, provenance_note, report, seconds, torch_threads
from benchmarks.songs import CHARACTERS, make_songs, write_csv
from benchmarks.tables import table
from lyricgen import neighbors
from lyricgen.generation import api
from lyricgen.generation.request import GenerationRequest
from lyricgen.generation.scheduler import ContinuousBatch
from lyricgen.generation.settings import GenerationSettings
from lyricgen.models.checkpoints import bundled_models, load_model
from lyricgen.models.networks import CharacterModel, VanillaRNN
from lyricgen.songs.corpus import encode_corpus, open_corpus
from lyricgen.songs.reading import read_songs
from lyricgen.training.config import TrainConfig
from lyricgen.training.lightning_task import LyricsGenerationTask
from lyricgen.training.networks import make_streams
from lyricgen.words.space import VectorSpace, open_space, save_space

HEADER = ["what", "size", "total", "per unit", "per unit against the smallest", "also"]
UPDATE_INTERVAL = 0.05  # seconds between two texts sent to a user, as on the page
DIMENSIONS = 50
LARGE = 100  # megabytes of songs for --large
TRAINING_STEPS, TRAINED_UNITS = 20, 16  # of the network trained on the encoded songs
UNITS = {"step": (1e3, "milliseconds a step"), "character": (1e6, "microseconds a character"), "megabyte": (1, "seconds a megabyte"), "word": (1e9, "nanoseconds a word")}  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    options = build_parser().parse_args(arguments)
    with torch_threads(1), tempfile.TemporaryDirectory() as folder:
        rows = list(measure(Path(folder), options))
    for row in rows:
        first = next(smallest for smallest in rows if smallest["what"] == row["what"])
        row["unit_ratio_to_smallest"] = row["seconds_a_unit"] / first["seconds_a_unit"]
    note = provenance_note("growth", f"medians of {options.repeats} runs", f"lyrics by `{options.model}`", threads=1)
    report(options, "growth", table(HEADER, list(map(table_row, rows))) + note, rows, threads=1)
    return 0


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = make_parser(__doc__)
    for flag, sizes, what in (
        ("--lengths", [100, 1_000, 5_000], "characters of a lyric"),
        ("--users", [1, 8, 32, 64, 128], "concurrent lyrics"),
        ("--megabytes", [1, 10], "of songs"),
        ("--words", [10_000, 100_000, 400_000], "of a vector space"),
    ):
        parser.add_argument(flag, type=int, nargs="*", default=sizes, help=f"{what} (default: %(default)s)")
    parser.add_argument(
        "--length", type=int, default=100, help="characters of each user's lyric (default: %(default)s)"
    )
    parser.add_argument("--large", action="store_true", help=f"{LARGE} megabytes of songs too")
    parser.add_argument("--model", choices=bundled_models(), default="lstm", help="default: %(default)s")
    return parser


def measure(folder: Path, options: argparse.Namespace) -> Iterator[dict]:
    """The figures, one row a size."""
    model = load_model(options.model)
    for length in options.lengths:
        request = GenerationRequest(model, settings=GenerationSettings(strategy="greedy", max_length=length))
        elapsed = median_seconds(partial(api.write_together, [request]), options.repeats)
        yield figures("a lyric", length, "characters", elapsed, length, "character")
    batch = ContinuousBatch(model)
    try:
        for users in options.users:
            elapsed = median_seconds(
                partial(generate_concurrently, batch, model, users, options.length), options.repeats
            )
            units, count = f"users, {options.length} characters each", users * options.length
            yield figures("concurrent lyrics", users, units, elapsed, count, "character")
    finally:
        batch.close()
    for megabytes in [*options.megabytes, *([LARGE] if options.large else [])]:
        yield from encoding(folder, megabytes, options.repeats)
    for words in options.words:
        yield from space_figures(folder, words, options.repeats)


def figures(what: str, size: int, units: str, elapsed: float, count: float, unit: str) -> dict:
    """A row: total time, and time per unit."""
    return {
        "what": what,
        "size": size,
        "units": units,
        "seconds": elapsed,
        "unit": unit,
        "seconds_a_unit": elapsed / count,
    }


def table_row(row: dict) -> list[str]:
    """A row of the table."""
    factor, unit = UNITS[row["unit"]]
    return [
        row["what"],
        f"{row['size']:,} {row['units']}",
        f"{row['seconds']:.3g} s",
        f"{factor * row['seconds_a_unit']:,.3g} {unit}",
        f"{row['unit_ratio_to_smallest']:.2f} x",
        extra_figure(row),
    ]


def extra_figure(row: dict) -> str:
    """The last column: memory, a peer, or speed."""
    if row.get("peak_memory_growth_bytes") is not None:
        memory = f"memory grows by {row['peak_memory_growth_bytes'] / 1e6:.0f} MB"
        return f"{row['megabytes_a_second']:.0f} MB a second; {memory}" if "megabytes_a_second" in row else memory
    if "ratio_to_matrix_vector_product" in row:
        return f"{row['ratio_to_matrix_vector_product']:.1f} x the time of a matrix-vector product"
    return f"{1 / row['seconds_a_unit']:,.0f} characters a second" if row["unit"] == "character" else ""


def generate_concurrently(batch: ContinuousBatch, model: CharacterModel, users: int, length: int) -> None:
    """Concurrent requests, each in a thread of its own."""
    requests = [
        GenerationRequest(model, settings=GenerationSettings(max_length=length, seed=seed)) for seed in range(users)
    ]
    threads = [threading.Thread(target=list, args=[batch.stream(request, UPDATE_INTERVAL)]) for request in requests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def encoding(folder: Path, megabytes: int, repeats: int) -> Iterator[dict]:
    """Reads and encodes a CSV file of songs, and trains on them, each in a new process, whose memory grows from a fresh heap."""
    path = folder / f"{megabytes}.csv"
    write_csv(path, make_songs(max(1, megabytes * 1_000_000 // CHARACTERS), CHARACTERS))
    size = path.stat().st_size / 1e6
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        growth, elapsed = process.submit(encode_in_process, path, repeats if megabytes < LARGE else 1).result()
    path.unlink()
    row = figures("encoding songs", megabytes, "MB", elapsed, size, "megabyte")
    yield {**row, "megabytes_a_second": size / elapsed, "peak_memory_growth_bytes": growth}
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        growth, elapsed = process.submit(train_in_process, folder / "corpus").result()
    row = figures("training on songs", megabytes, "MB", elapsed, TRAINING_STEPS, "step")
    yield {**row, "peak_memory_growth_bytes": growth}


def train_in_process(folder: Path) -> tuple[int | None, float]:
    """The peak growth of memory, and the seconds, of the first training steps on an encoded corpus."""
    torch.set_num_threads(1)
    task = LyricsGenerationTask(VanillaRNN(hidden_size=TRAINED_UNITS), optimizer="adamw")
    optimizer = task.configure_optimizers()
    start = time.perf_counter()

    def train() -> None:
        streams = make_streams(open_corpus(folder), TrainConfig())
        for batch in islice(streams, TRAINING_STEPS):
            task.nats(batch, "train").mean().backward()
            optimizer.step()
            optimizer.zero_grad()

    growth = peak_growth(train)
    return growth, time.perf_counter() - start


def encode_in_process(path: Path, repeats: int) -> tuple[int | None, float]:
    """The peak growth of memory of a first, untimed encoding, and the median seconds of further ones."""
    small = path.with_name("small.csv")
    write_csv(small, make_songs(2, CHARACTERS))
    encode_corpus(read_songs(small), path.parent / "corpus")  # triggers lazy imports
    growth = peak_growth(partial(encode, path))
    return growth, statistics.median(seconds(partial(encode, path)) for _ in range(repeats))


def encode(path: Path) -> None:
    """Reads a CSV file of songs and encodes them beside it."""
    encode_corpus(read_songs(path), path.parent / "corpus")


def peak_growth(call: Callable[[], None]) -> int | None:
    """Peak growth of the process's memory during a call, in bytes; None if the system does not report it."""
    status = Path("/proc/self/status")
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # resets the peak
    except OSError:
        return None

    def kilobytes(name: str) -> int:
        lines = status.read_text(encoding="ascii").splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith(f"{name}:")))

    rss_before = kilobytes("VmRSS")
    call()
    return 1024 * max(0, kilobytes("VmHWM") - rss_before)


def space_figures(folder: Path, words: int, repeats: int) -> Iterator[dict]:
    """Opens a folder of random vectors, and queries the ten neighbours of a word."""
    where, rng = folder / f"space-{words}", np.random.default_rng(777)
    vectors = rng.standard_normal((words, DIMENSIONS), np.float32)
    save_space(VectorSpace("random", [f"word{row}" for row in range(words)], vectors), where, "random", "random numbers")  # fmt: skip
    elapsed = median_seconds(partial(open_space, where), repeats)
    yield figures("opening word vectors", words, "words", elapsed, words, "word")
    space = open_space(where)
    query = median_seconds(lambda: neighbors("word7", 10, space), 10 * repeats)
    product = median_seconds(lambda: space.vectors @ space.vectors[7], 10 * repeats)
    row = figures("neighbours of a word", words, "words", query, words, "word")
    yield {**row, "ratio_to_matrix_vector_product": query / product}


if __name__ == "__main__":
    sys.exit(main())
