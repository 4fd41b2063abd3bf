"""How long word vectors take to open and to ask, against gensim and against the bare arithmetic.

    python -m benchmarks.vectors [--repeats 5] [--write-readme]

Opening glove-50 from its wheel against gensim reading the same vectors from word2vec's text format, and an analogy among
400,000 words against one matrix-vector product over the same matrix; medians, in one run.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from gensim.models import KeyedVectors

from benchmarks.readme import replace_block, table
from lyricgen import VectorSpace, analogy
from lyricgen.vectorsources import open_wheel
from train import processor_name

HEADER = ["what", "against", "ratio"]
QUERIES = 50  # of which the median is a run


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5, help="runs of which the median counts (default: %(default)s)")
    parser.add_argument("--write-readme", action="store_true", help="put the table into README.md")
    options = parser.parse_args(arguments)
    space = open_wheel()
    opened = median(open_wheel, options.repeats)
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "glove.txt"
        write_text(space, text)
        read = median(lambda: KeyedVectors.load_word2vec_format(text), options.repeats)
    asked, product = query_seconds(space, options.repeats)
    rows = [
        ["opening glove-50", "gensim, from the text format", f"{read / opened:.0f} x faster"],
        ["an analogy", "one matrix-vector product over the same matrix", f"{asked / product:.2f} x its time"],
    ]
    note = (
        f"\n\n400,000 words of 50 dimensions, medians of {options.repeats} runs on {processor_name(os.cpu_count())}; "
        "written by `python -m benchmarks.vectors`."
    )
    printed = table(HEADER, rows) + note
    print(printed)
    if options.write_readme:
        replace_block("vectors", printed)
    return 0


def query_seconds(space: VectorSpace, repeats: int) -> tuple[float, float]:
    """The times of an analogy and of a product of the matrix with one vector, taken in turns."""
    matrix, vector = space.vectors, np.ascontiguousarray(space.get_vector("king"))
    questions = [("man", "king", "woman"), ("paris", "france", "rome"), ("big", "bigger", "small")]
    analogy(*questions[0], vectors=space)  # the lengths of the vectors are worked out once
    asked, product = [], []
    for run in range(repeats * QUERIES):
        asked.append(seconds(lambda run=run: analogy(*questions[run % len(questions)], vectors=space)))
        product.append(seconds(lambda: matrix @ vector))
    return statistics.median(asked), statistics.median(product)


def write_text(space: KeyedVectors, path: Path) -> None:
    """Writes vectors in word2vec's text format."""
    with path.open("w", encoding="utf-8") as file:
        file.write(f"{len(space)} {space.vector_size}\n")
        for word, row in zip(space.index_to_key, space.vectors, strict=True):
            file.write(f"{word} {' '.join(format(number, '.5g') for number in row.tolist())}\n")


def median(call: Callable, repeats: int) -> float:
    """The median of the seconds that a call takes."""
    return statistics.median(seconds(call) for _ in range(repeats))


def seconds(call: Callable) -> float:
    """The seconds that a call takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
