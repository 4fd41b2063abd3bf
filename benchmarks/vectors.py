"""Seconds to open and to query word vectors, against gensim and against the bare arithmetic.

    python -m benchmarks.vectors [--repeats 5] [--write-docs]

Opening glove-50 from its wheel against gensim reading the same vectors from word2vec's text format, and an analogy among
400,000 words against one matrix-vector product over the same matrix; medians, in one run.
"""

import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np
from gensim.models import KeyedVectors

from benchmarks.measuring import make_parser, median_seconds, provenance_note, report, seconds
from benchmarks.tables import table
from lyricgen import VectorSpace, analogy
from lyricgen.words.sources import open_wheel

HEADER = ["what", "against", "ratio"]
QUERIES = 50  # queries a run


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    options = make_parser(__doc__, block="vectors").parse_args(arguments)
    space = open_space()
    opened = median_seconds(open_space, options.repeats)
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "glove.txt"
        write_text(space, text)
        read = statistics.median(
            seconds(lambda: KeyedVectors.load_word2vec_format(text)) for _ in range(options.repeats)
        )
    queries, products = query_seconds(space, options.repeats)
    rows = [
        {"what": "opening glove-50", "against": "gensim, from the text format", "seconds": opened, "peer_seconds": read},
        {"what": "an analogy", "against": "one matrix-vector product over the same matrix", "seconds": queries, "peer_seconds": products},
    ]  # fmt: skip
    for row in rows:
        row["ratio_to_peer"] = row["seconds"] / row["peer_seconds"]
    table_rows = [
        [rows[0]["what"], rows[0]["against"], f"{read / opened:.0f} x faster"],
        [rows[1]["what"], rows[1]["against"], f"{queries / products:.2f} x its time"],
    ]
    note = provenance_note("vectors", f"400,000 words of 50 dimensions, medians of {options.repeats} runs")
    report(options, "vectors", table(HEADER, table_rows) + note, rows)
    return 0


def open_space() -> VectorSpace:
    """Opens glove-50 anew."""
    return VectorSpace.of(open_wheel())


def query_seconds(space: VectorSpace, repeats: int) -> tuple[float, float]:
    """The median times of an analogy and of a matrix-vector product, measured alternately."""
    matrix, vector = space.vectors, np.ascontiguousarray(space.get_vector("king"))
    questions = [("man", "king", "woman"), ("paris", "france", "rome"), ("big", "bigger", "small")]
    analogy(*questions[0], vectors=space)  # computes the norms once
    queries, products = [], []
    for run in range(repeats * QUERIES):
        queries.append(seconds(lambda run=run: analogy(*questions[run % len(questions)], vectors=space)))
        products.append(seconds(lambda: matrix @ vector))
    return statistics.median(queries), statistics.median(products)


def write_text(space: KeyedVectors, path: Path) -> None:
    """Writes vectors in word2vec's text format."""
    with path.open("w", encoding="utf-8") as file:
        file.write(f"{len(space)} {space.vector_size}\n")
        for word, row in zip(space.index_to_key, space.vectors, strict=True):
            file.write(f"{word} {' '.join(format(number, '.5g') for number in row.tolist())}\n")


if __name__ == "__main__":
    sys.exit(main())
