"""Seconds from `python app.py` to the first answered request, against importing gradio and torch; and the memory of the app.

    python -m benchmarks.startup [--repeats 5]

The request is a greedy lyric of 300 characters through the Gradio client; medians. Memory is the resident one, before the request.
"""

import statistics
import subprocess
import sys
import time

from gradio_client import Client

from benchmarks.measuring import make_parser, provenance_note, report
from benchmarks.running_app import running_app
from benchmarks.tables import table

HEADER = ["what", "seconds", "against importing gradio and torch"]


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    options = make_parser(__doc__).parse_args(arguments)
    imports = statistics.median(import_seconds() for _ in range(options.repeats))
    starts = [start_app() for _ in range(options.repeats)]
    answered, memory = map(statistics.median, zip(*starts, strict=True))
    rows = [
        {
            "what": "first answered request",
            "seconds": answered,
            "ratio_to_imports": answered / imports,
            "memory_mb": memory,
        },
        {"what": "the imports", "seconds": imports, "ratio_to_imports": 1.0},
    ]
    note = provenance_note("startup", f"medians of {options.repeats} runs, {memory:.0f} MB of the app at rest")
    report(options, "startup", table(HEADER, list(map(table_row, rows))) + note, rows)
    return 0


def table_row(row: dict) -> list[str]:
    """A row of the table."""
    return [row["what"], f"{row['seconds']:.1f}", f"{row['ratio_to_imports']:.2f} x"]


def import_seconds() -> float:
    """The time of a Python that imports gradio and torch and ends."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import gradio, torch"], check=True)
    return time.perf_counter() - start


def start_app() -> tuple[float, float]:
    """The seconds from starting app.py to the last character of a first lyric, and the MB of the app before it.

    Raises:
        TimeoutError: the app did not listen in time.
    """
    start = time.perf_counter()
    with running_app() as app:
        memory = app.memory / 1e6
        client = Client(app.url, verbose=False)
        client.predict(strategy="greedy", api_name="/generate")
        return time.perf_counter() - start, memory


if __name__ == "__main__":
    sys.exit(main())
