"""The long forms of the acceptance tests, and a mixed load of the running app: answers, memory, threads, open files.

    python -m benchmarks.soak [--minutes 60] [--users 40] [--load-only] [--write-docs]

`python app.py` runs in a process of its own. Users in a closed loop call endpoints with plain HTTP, each call a new visitor, as
gradio counts them; some go away before the answer. /config is asked for by one more process. The table has a row for each tenth of
the time.
"""

import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from benchmarks.measuring import make_parser, other_work, provenance_note, report
from benchmarks.running_app import APP, RunningApp, running_app
from benchmarks.tables import table

TESTS = Path(__file__).parent.parent / "tests" / "acceptance"
VERSE = "the lamp by the window was burning all night\nhold on to the line till the morning is bright\n"
LOAD: Sequence[tuple[str, list[Any]]] = (
    ("generate", ["the river ", "any artist", "lstm", "sample", 0.7, 0, 1, 200]),
    ("generate", ["one more ", "any artist", "vanilla-rnn", "sample", 0.7, 0, 1, 300]),
    ("variants", ["the sea ", "any artist", "lstm", 0.7, 0, 1, 60]),
    ("score", [VERSE]),
    ("score", [VERSE * 50]),
    ("attribute", [VERSE]),
    ("originality", [VERSE]),
    ("analogy", ["man", "king", "woman"]),
    ("neighbors", ["rain"]),
    ("map", ["sea, sun, rain, snow, storm, king, queen, prince", "t-SNE"]),
    ("analogy", ["no such word"]),
)
"""Calls of the mixed load: endpoint, and its first values."""
RESULT, REFUSED, QUEUE_FULL, LEFT, CUT = "result", "refused", "queue is full", "left early", "cut off"
HEADER = ["minutes", "calls", "results", "refused", "queue is full", "left early", "other", "MB", "threads", "open files", "/config p95, ms"]  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = make_parser(__doc__, repeats=None, block="soak")
    parser.add_argument("--minutes", type=float, default=60, help="of the mixed load (default: %(default)s)")
    parser.add_argument("--users", type=int, default=40, help="concurrent users of it (default: %(default)s)")
    parser.add_argument("--load-only", action="store_true", help="without the long forms of the acceptance tests")
    options = parser.parse_args(arguments)
    code = 0 if options.load_only else subprocess.run([sys.executable, "-m", "pytest", TESTS, "--long"]).returncode
    busy = other_work()
    with running_app() as app:
        rows = [measure_row(app, Load(app.url).run(1, 10), 0)]  # warm-up
        rows += [
            measure_row(
                app, Load(app.url, seed=tenth).run(options.users, options.minutes * 6), options.minutes * tenth / 10
            )
            for tenth in range(1, 11)
        ]
    note = provenance_note("soak", f"{options.users} users, {options.minutes:g} minutes", busy)
    report(options, "soak", table(HEADER, list(map(table_row, rows))) + note, rows)
    return code or int(any(row["other"] for row in rows))


@dataclass
class Load:
    """Users of an app in a closed loop: each calls, waits for the answer, and calls again."""

    url: str
    seed: int = 0
    leaving: float = 0.05
    """Share of the calls whose user goes away before the answer."""
    calls: Sequence[tuple[str, list[Any]]] = LOAD
    """Endpoints and their first values; each user calls one of them at random."""
    pause: float = 0
    """Seconds for which a user waits after a call without an answer."""
    outcomes: Counter[str] = field(default_factory=Counter)
    """Calls by outcome; anything but a result, a sentence or a full queue is listed as it is."""
    answers: list[tuple[float, float]] = field(default_factory=list)
    """Of each result, when it was there, and after how many seconds."""
    config_seconds: list[float] = field(default_factory=list)
    """Times of requests of /config, five a second."""

    def run(self, users: int, seconds: float) -> "Load":
        """Runs the users for some seconds.

        Raises:
            RuntimeError: /config was answered with an error.
        """
        until = time.monotonic() + seconds
        command = [sys.executable, "-m", "benchmarks.config_times", self.url, str(seconds)]
        with subprocess.Popen(command, cwd=APP.parent, stdout=subprocess.PIPE, text=True) as times:
            with ThreadPoolExecutor(users) as pool:
                list(pool.map(lambda user: self._use(user, until), range(users)))
            self.config_seconds += map(float, times.communicate()[0].split())
        if times.returncode:
            raise RuntimeError("/config was answered with an error")
        return self

    def _use(self, user: int, until: float) -> None:
        choose = random.Random(1_000 * self.seed + user)  # noqa: S311  (a load, not a secret)
        with httpx.Client(base_url=self.url, timeout=120, trust_env=False) as client:
            while (start := time.monotonic()) < until:
                try:
                    name, values = choose.choice(self.calls)
                    outcome = call(client, name, values, choose.random() < self.leaving)
                except httpx.TransportError:
                    outcome = CUT
                self.outcomes[outcome] += 1
                if outcome == RESULT:
                    self.answers.append((time.monotonic(), time.monotonic() - start))
                elif outcome in (QUEUE_FULL, CUT):
                    time.sleep(self.pause)

    @property
    def config_p95(self) -> float:
        """The time within which 95 % of the requests of /config were answered, in seconds."""
        return percentile(self.config_seconds, 95)


def percentile(values: Iterable[float], percent: int) -> float:
    """The value that this share of some values does not exceed."""
    ordered = sorted(values)
    return ordered[int(percent / 100 * (len(ordered) - 1))]


def call(client: httpx.Client, name: str, values: list[Any], leave: bool = False) -> str:
    """Calls an endpoint as a new visitor; the outcome. `leave` goes away at the first event."""
    return ask(client, name, values, leave)[0]


def ask(client: httpx.Client, name: str, values: list[Any], leave: bool = False) -> tuple[str, str]:
    """As `call`; the outcome, and the last event's data as JSON."""
    joined = client.post(f"/gradio_api/call/{name}", json={"data": values})
    if joined.status_code == 503:
        return QUEUE_FULL, ""
    if joined.status_code != 200:
        return f"{joined.status_code} {joined.text[:80]}", ""
    event = data = ""
    with client.stream("GET", f"/gradio_api/call/{name}/{joined.json()['event_id']}") as stream:
        for line in stream.iter_lines():
            if leave and event:
                return LEFT, data
            kind, _, value = line.partition(": ")
            if kind == "event":
                event = value
            elif kind == "data":
                data = value
    if event == "complete":
        return RESULT, data
    return REFUSED if event == "error" and '{"error": "' in data else f"{event} {data[:80]}", data


def measure_row(app: RunningApp, load: Load, minutes: float) -> dict[str, Any]:
    """The figures of the app after a load."""
    known = (RESULT, REFUSED, QUEUE_FULL, LEFT)
    return {
        "minutes": minutes,
        "calls": load.outcomes.total(),
        **{name.replace(" ", "_"): load.outcomes[name] for name in known},
        "other": {name: count for name, count in load.outcomes.items() if name not in known},
        "memory_mb": app.memory / 1e6,
        "threads": app.threads,
        "open_files": app.open_files,
        "config_p95_seconds": load.config_p95,
    }


def table_row(row: dict[str, Any]) -> list[str]:
    """A row of the table."""
    counts = (
        row["calls"],
        row["result"],
        row["refused"],
        row["queue_is_full"],
        row["left_early"],
        sum(row["other"].values()),
    )
    figures = (row["threads"], row["open_files"], 1_000 * row["config_p95_seconds"])
    return [
        f"{row['minutes']:g}",
        *map(str, counts),
        f"{row['memory_mb']:,.0f}",
        *(f"{figure:,.0f}" for figure in figures),
    ]


if __name__ == "__main__":
    sys.exit(main())
