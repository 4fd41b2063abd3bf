"""Concurrent users of the real server: time until the last has a lyric, against the same number of users in turn.

    python -m benchmarks.users [--users 40] [--length 300] [--repeats 5]
    python -m benchmarks.users --mix [--users 100] [--seconds 60] [--write-docs]

`python app.py` runs in a process of its own, and each user calls it with plain HTTP: forty Gradio clients in one process take longer
than what they ask for. The second row is the same for one generated character: the cost of server and protocol. One warm-up round.
With `--mix` each user calls again as soon as it is answered: 45 % lyrics of 100 or 300 characters, 35 % analogies, distances and
neighbours, the rest an X-ray, attribution, originality, a map, or variants; each call is a new visitor.
"""

import argparse
import json
import math
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import httpx

from benchmarks.measuring import make_parser, other_work, provenance_note, report, seconds
from benchmarks.running_app import running_app
from benchmarks.soak import QUEUE_FULL, RESULT, VERSE, Load, ask, percentile
from benchmarks.tables import table

PREFIX = "the sea "
LYRIC: list[Any] = [PREFIX, "any artist", "lstm", "sample", 0.7, 0, 1]
"""The first values of /generate; length and seed follow."""
LYRICS_ALONE = 3  # lyrics of a single user before each round
USERS, MIXED_USERS = 40, 100
SHARES: dict[int, list[tuple[str, list[Any]]]] = {
    45: [("generate", [*LYRIC, length]) for length in (100, 300)],
    35: [
        ("analogy", ["man", "king", "woman"]),
        ("distance", ["rain", "snow"]),
        ("neighbors", ["rain"]),
    ],
    20: [
        ("score", [VERSE * 10]),
        ("attribute", [VERSE]),
        ("originality", [VERSE * 10]),
        ("map", ["sea, sun, rain, snow, storm, king, queen, prince"]),
        ("variants", [PREFIX, "any artist", "lstm", 0.7, 0, 1, 100]),
    ],
}
"""The calls of `--mix`, by the percentage of all calls that each kind takes."""
SMALLEST = math.lcm(*map(len, SHARES.values()))  # times each percentage, it is a whole number of calls of each kind
MIX_HEADER = ["users", "calls a second", "half of them within, s", "95 % within, s", "queue is full", "other", "/config, 95 % within, ms"]  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = make_parser(__doc__, block="mix")
    parser.add_argument("--mix", action="store_true", help="calls of all kinds in a closed loop")
    parser.add_argument("--users", type=int, help=f"concurrent users (default: {USERS}, --mix: {MIXED_USERS})")
    parser.add_argument("--length", type=int, default=300, help="characters of a lyric (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=60, help="of --mix (default: %(default)s)")
    options = parser.parse_args(arguments)
    if options.mix:
        return run_mix(options, options.users or MIXED_USERS)
    options.block = None
    count = options.users or USERS
    with running_app() as app, ExitStack() as stack:
        clients = [
            stack.enter_context(httpx.Client(base_url=app.url, timeout=120, trust_env=False)) for _ in range(count)
        ]
        rows = [measure(clients, length, options.repeats) for length in (options.length, len(PREFIX) + 1)]
    many = f"{count} users"
    header = ["request", "one user, seconds", f"first of {many} done", "last done", f"last against {many} in turn", "characters a second"]  # fmt: skip
    note = provenance_note(
        "users", f"sampled by the default model through `python app.py`, medians of {options.repeats} rounds"
    )
    report(options, "users", table(header, list(map(table_row, rows))) + note, rows)
    return 0


def run_mix(options: argparse.Namespace, users: int) -> int:
    """Measures and prints the mixed load."""
    calls = [call for percent, kinds in SHARES.items() for call in kinds * (percent * SMALLEST // len(kinds))]
    busy = other_work()
    with running_app() as app:
        Load(app.url, leaving=0, calls=calls).run(1, options.seconds / 4)  # warm-up
        load = Load(app.url, seed=1, leaving=0, calls=calls, pause=0.5).run(users, options.seconds)
    times = [taken for _, taken in load.answers]
    row = {
        "users": users,
        "calls_a_second": len(times) / options.seconds,
        "median_seconds": percentile(times, 50),
        "p95_seconds": percentile(times, 95),
        "queue_is_full": load.outcomes[QUEUE_FULL],
        "other": {name: count for name, count in load.outcomes.items() if name not in (RESULT, QUEUE_FULL)},
        "config_p95_seconds": load.config_p95,
    }
    cells = [
        str(users),
        f"{row['calls_a_second']:.1f}",
        f"{row['median_seconds']:.2f}",
        f"{row['p95_seconds']:.2f}",
        str(row["queue_is_full"]),
        str(sum(row["other"].values())),
        f"{1_000 * row['config_p95_seconds']:,.0f}",
    ]
    note = provenance_note("users --mix", f"{options.seconds:g} seconds, users and server on one machine", busy)
    report(options, "users", table(MIX_HEADER, [cells]) + note, [row])
    return int(bool(row["other"]))


def measure(clients: list[httpx.Client], length: int, repeats: int) -> dict:
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


def measure_round(clients: list[httpx.Client], length: int, number: int) -> tuple[float, float, float]:
    """Seconds of one user alone, and until the first and the last of all users have their lyrics."""
    alone = statistics.median(seconds(lambda: request_lyric(clients[0], length, number)) for _ in range(LYRICS_ALONE))
    start = time.perf_counter()

    def done_after(user: int) -> float:
        request_lyric(clients[user], length, 1_000 * number + user)
        return time.perf_counter() - start

    with ThreadPoolExecutor(len(clients)) as pool:
        finished = list(pool.map(done_after, range(len(clients))))
    return alone, min(finished), max(finished)


def request_lyric(client: httpx.Client, length: int, seed: int) -> None:
    """Requests a lyric and waits for it.

    Raises:
        RuntimeError: there is none, or its length is not the requested one.
    """
    outcome, data = ask(client, "generate", [*LYRIC, length, seed])
    if outcome != RESULT or len(json.loads(data)[0]) != length:
        raise RuntimeError(f"a lyric of {length} characters was asked for, the answer was: {outcome} {data[:80]}")


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
