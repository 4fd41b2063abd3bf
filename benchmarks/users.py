"""Many users at once, through the real server: when the last has a lyric, against one user alone as many times over.

    python -m benchmarks.users [--users 40] [--length 300] [--repeats 5]

`python app.py` in a process of its own, each user a Gradio client of this one. The second row is the same with one
character to write: what the server and its protocol cost. A first round does not count.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from gradio_client import Client

from benchmarks.measuring import deliver, make_parser, seconds, written_by
from benchmarks.startup import APP, PATIENCE, free_port, wait_for
from benchmarks.tables import table

PREFIX = "the sea "
ENDING = 20  # seconds that the app has to end when it is told to
ALONE = 3  # lyrics of one user before each round


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = make_parser(__doc__)
    parser.add_argument("--users", type=int, default=40, help="at once (default: %(default)s)")
    parser.add_argument("--length", type=int, default=300, help="characters of a lyric (default: %(default)s)")
    options = parser.parse_args(arguments)
    with running_app() as url:
        clients = [Client(url, verbose=False) for _ in range(options.users)]
        try:
            rows = [measure(clients, length, options.repeats) for length in (options.length, len(PREFIX) + 1)]
        finally:
            for client in clients:
                client.close()
    many = f"{options.users} users"
    header = ["each asks for", "one alone, seconds", f"first of {many} done", "last done", f"last against {many} in turn", "characters a second"]  # fmt: skip
    note = written_by(
        "users", f"sampled by the default model through `python app.py`, medians of {options.repeats} rounds"
    )
    deliver(options, "users", table(header, list(map(shown, rows))) + note, rows)
    return 0


def measure(clients: list[Client], length: int, repeats: int) -> dict:
    """The medians of some rounds, each of one user alone and then of all at once."""
    rounds = [measure_round(clients, length, number) for number in range(repeats + 1)][1:]
    alone, first, last = (statistics.median(times) for times in zip(*rounds, strict=True))
    return {
        "users": len(clients),
        "length_characters": length,
        "alone_seconds": alone,
        "first_done_seconds": first,
        "last_done_seconds": last,
        "last_to_alone_times_users_ratio": last / (alone * len(clients)),
        "written_characters_a_second": len(clients) * (length - len(PREFIX)) / last,
    }


def measure_round(clients: list[Client], length: int, number: int) -> tuple[float, float, float]:
    """Seconds of one user alone, and until the first and the last of all have their lyric."""
    alone = statistics.median(seconds(lambda: ask(clients[0], length, number)) for _ in range(ALONE))
    began = time.perf_counter()

    def done_after(user: int) -> float:
        ask(clients[user], length, 1_000 * number + user)
        return time.perf_counter() - began

    with ThreadPoolExecutor(len(clients)) as pool:
        ends = list(pool.map(done_after, range(len(clients))))
    return alone, min(ends), max(ends)


def ask(client: Client, length: int, seed: int) -> None:
    """One lyric, awaited.

    Raises:
        RuntimeError: it is not of the length that was asked for.
    """
    text = client.predict(prefix=PREFIX, max_length=length, seed=seed, api_name="/generate")
    if len(text) != length:
        raise RuntimeError(f"a lyric of {length} characters came with {len(text)}")


def shown(row: dict) -> list[str]:
    """A row as the table has it."""
    return [
        f"{row['length_characters']:,} characters, {len(PREFIX)} of them given",
        f"{row['alone_seconds']:.3f}",
        f"{row['first_done_seconds']:.2f}",
        f"{row['last_done_seconds']:.2f}",
        f"{row['last_to_alone_times_users_ratio']:.2f} x its time",
        f"{row['written_characters_a_second']:,.0f}",
    ]


@contextmanager
def running_app() -> Iterator[str]:
    """The address of `python app.py`, which ends with the block."""
    port = free_port()
    environment = {**os.environ, "GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": str(port)}
    app = subprocess.Popen([sys.executable, str(APP)], env=environment, stdout=subprocess.DEVNULL, cwd=APP.parent)
    try:
        wait_for(port, time.perf_counter() + PATIENCE)
        yield f"http://127.0.0.1:{port}"
    finally:
        app.terminate()
        try:
            app.wait(ENDING)
        except subprocess.TimeoutExpired:
            app.kill()
            app.wait()


if __name__ == "__main__":
    sys.exit(main())
