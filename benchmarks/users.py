"""Concurrent users of the real server: time until the last has a lyric, against the same number of users in turn.

    python -m benchmarks.users [--users 40] [--length 300] [--repeats 5]

`python app.py` runs in a process of its own, and each user is a Gradio client. The second row is the same for one generated
character: the cost of server and protocol. One warm-up round.
"""

import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from gradio_client import Client

from benchmarks.measuring import make_parser, provenance_note, report, seconds
from benchmarks.running_app import running_app
from benchmarks.tables import table

PREFIX = "the sea "
LYRICS_ALONE = 3  # lyrics of a single user before each round


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = make_parser(__doc__)
    parser.add_argument("--users", type=int, default=40, help="concurrent users (default: %(default)s)")
    parser.add_argument("--length", type=int, default=300, help="characters of a lyric (default: %(default)s)")
    options = parser.parse_args(arguments)
    with running_app() as app:
        clients = [Client(app.url, verbose=False) for _ in range(options.users)]
        try:
            rows = [measure(clients, length, options.repeats) for length in (options.length, len(PREFIX) + 1)]
        finally:
            for client in clients:
                client.close()
    many = f"{options.users} users"
    header = ["request", "one user, seconds", f"first of {many} done", "last done", f"last against {many} in turn", "characters a second"]  # fmt: skip
    note = provenance_note(
        "users", f"sampled by the default model through `python app.py`, medians of {options.repeats} rounds"
    )
    report(options, "users", table(header, list(map(table_row, rows))) + note, rows)
    return 0


def measure(clients: list[Client], length: int, repeats: int) -> dict:
    """The medians of some rounds; each times one user alone, then all concurrently."""
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
    """Seconds of one user alone, and until the first and the last of all users have their lyrics."""
    alone = statistics.median(seconds(lambda: request_lyric(clients[0], length, number)) for _ in range(LYRICS_ALONE))
    start = time.perf_counter()

    def done_after(user: int) -> float:
        request_lyric(clients[user], length, 1_000 * number + user)
        return time.perf_counter() - start

    with ThreadPoolExecutor(len(clients)) as pool:
        finished = list(pool.map(done_after, range(len(clients))))
    return alone, min(finished), max(finished)


def request_lyric(client: Client, length: int, seed: int) -> None:
    """Requests a lyric and waits for it.

    Raises:
        RuntimeError: its length is not the requested one.
    """
    text = client.predict(prefix=PREFIX, max_length=length, seed=seed, api_name="/generate")
    if len(text) != length:
        raise RuntimeError(f"the lyric must have {length} characters, got {len(text)}")


def table_row(row: dict) -> list[str]:
    """A row of the table."""
    return [
        f"{row['length_characters']:,} characters, {len(PREFIX)} of them the prefix",
        f"{row['alone_seconds']:.3f}",
        f"{row['first_done_seconds']:.2f}",
        f"{row['last_done_seconds']:.2f}",
        f"{row['last_to_alone_times_users_ratio']:.2f} x its time",
        f"{row['written_characters_a_second']:,.0f}",
    ]


if __name__ == "__main__":
    sys.exit(main())
