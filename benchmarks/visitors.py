"""Memory that a thousand visitors leave, and how long /config takes under load, of this checkout's app and an earlier one's.

    python -m benchmarks.visitors [--sessions 1000] [--users 40 100] [--seconds 20] [--before FOLDER] [--write-docs]

`python app.py` runs in a process of its own. A visitor is a call of /analogy, which gradio counts as a session. /config is asked
for by a process of its own, beside users in a closed loop of the calls of `benchmarks.soak`.
"""

import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

from benchmarks.measuring import make_parser, other_work, provenance_note, report
from benchmarks.running_app import APP, RunningApp, running_app
from benchmarks.soak import RESULT, Load, call
from benchmarks.tables import table

AT_ONCE = 4  # visitors
WARM_UP = 60  # visitors


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = make_parser(__doc__, repeats=None, block="visitors")
    parser.add_argument("--sessions", type=int, default=1_000, help="visitors (default: %(default)s)")
    parser.add_argument("--users", type=int, nargs="+", default=[40, 100], help="of the loads (default: 40 100)")
    parser.add_argument("--seconds", type=float, default=20, help="of each load (default: %(default)s)")
    parser.add_argument("--before", type=Path, metavar="FOLDER", help="a checkout of an earlier version")
    options = parser.parse_args(arguments)
    checkouts = {"before": options.before, "now": APP.parent} if options.before else {"now": APP.parent}
    busy = other_work()
    rows = [
        {"app": name} | measure(folder, options.sessions, options.users, options.seconds)
        for name, folder in checkouts.items()
    ]
    header = ["app", "MB before", f"MB after {options.sessions:,} visitors", "processor time a visitor, ms"]
    header += [f"/config, {users} users, 95 % within, ms" for users in options.users]
    note = provenance_note("visitors", f"{options.seconds:g} seconds a load, whose users run on the same machine", busy)
    report(options, "visitors", table(header, list(map(table_row, rows))) + note, rows)
    return 0


def measure(folder: Path, sessions: int, users: Sequence[int], seconds: float) -> dict[str, Any]:
    """The figures of a checkout's app."""
    with running_app(app=folder.resolve() / "app.py") as app:
        visit(app, WARM_UP)
        memory, processor_seconds = app.memory, app.processor_seconds
        visit(app, sessions)
        row = {
            "memory_mb": memory / 1e6,
            "memory_after_mb": app.memory / 1e6,
            "processor_seconds_a_visitor": (app.processor_seconds - processor_seconds) / sessions,
        }
        Load(app.url).run(1, seconds)  # warm-up: the models are loaded when they are first asked for
        return row | {
            f"config_p95_seconds_{count}": Load(app.url, seed=count).run(count, seconds).config_p95 for count in users
        }


def visit(app: RunningApp, sessions: int) -> None:
    """Calls /analogy as new visitors.

    Raises:
        RuntimeError: a call failed.
    """
    with httpx.Client(base_url=app.url, timeout=120, trust_env=False) as client, ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = pool.map(lambda _: call(client, "analogy", ["man", "king", "woman"]), range(sessions))
        if failed := set(outcomes) - {RESULT}:
            raise RuntimeError(f"calls of /analogy failed: {failed}")


def table_row(row: dict[str, Any]) -> list[str]:
    """A row of the table."""
    seconds = [value for name, value in row.items() if "seconds" in name]
    memory = (row["memory_mb"], row["memory_after_mb"])
    return [row["app"], *(f"{each:,.0f}" for each in memory), *(f"{1_000 * each:,.0f}" for each in seconds)]


if __name__ == "__main__":
    sys.exit(main())
