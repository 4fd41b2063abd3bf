"""Many users on one process of the app and on several behind nginx, and a process that is killed under load.

    python -m benchmarks.processes [--users 200] [--processes 1 2 4] [--seconds 30] [--write-docs]

Each process is `python app.py`, nginx runs with docs/deployment/nginx.conf. Each user asks for a lyric of 100 characters again as
soon as one is answered, and half a second after an answer that the queue is full. With more than one process, one is killed
half-way. Needs `nginx`.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from gradio_client import Client

from benchmarks.measuring import make_parser, provenance_note, report
from benchmarks.running_app import APP, free_port, running_app, wait_for
from benchmarks.soak import QUEUE_FULL, RESULT, Load, percentile
from benchmarks.tables import table

SITE = APP.parent / "docs/deployment/nginx.conf"
NGINX = """daemon off; pid {folder}/pid; error_log {folder}/log;
events {{ worker_connections 4096; }}
http {{ access_log off; include {folder}/site.conf; }}
"""
SERVER_LINE = re.compile(r"    server 127.*\n")
LYRIC = ("generate", ["the river ", "any artist", "lstm", "sample", 0.7, 0, 1, 100])
HEADER = ["processes", "users", "lyrics a second", "median, seconds", "95th percentile", "queue is full", "cut off by the killed process", "after it: lyrics a second", "a seed's texts"]  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = make_parser(__doc__, repeats=None, block="processes")
    parser.add_argument("--users", type=int, default=200, help="concurrent users (default: %(default)s)")
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2, 4], help="of the app (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=30, help="of each half (default: %(default)s)")
    options = parser.parse_args(arguments)
    rows = [measure(count, options.users, options.seconds) for count in options.processes]
    note = provenance_note("processes", f"{options.seconds:g} seconds, users and server on one machine")
    report(options, "processes", table(HEADER, list(map(table_row, rows))) + note, rows)
    return int(any(row["different_texts"] != 1 for row in rows))


def make_site(servers: list[str], port: int) -> str:
    """The configuration of docs/deployment for other servers, such as 127.0.0.1:7861, on a port of this machine."""
    site = SITE.read_text(encoding="utf-8").replace("listen 80;", f"listen 127.0.0.1:{port};")
    template, *others = SERVER_LINE.findall(site)
    lines = "".join(re.sub(r"127\.0\.0\.1:\d+", server, template) for server in servers)
    for other in others:
        site = site.replace(other, "")
    return site.replace(template, lines)


@contextmanager
def nginx(urls: list[str]) -> Iterator[str]:
    """The address of nginx before some processes of the app."""
    port, program = free_port(), shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        raise SystemExit("nginx is not installed")
    site = make_site([url.removeprefix("http://") for url in urls], port)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "site.conf").write_text(site, encoding="utf-8")
        (Path(folder) / "nginx.conf").write_text(NGINX.format(folder=folder), encoding="utf-8")
        process = subprocess.Popen([program, "-p", folder, "-c", f"{folder}/nginx.conf", "-e", f"{folder}/log"])
        try:
            wait_for(process, port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()


def measure(count: int, users: int, seconds: float) -> dict:
    """The figures of a number of processes."""
    with ExitStack() as running:
        apps = [running.enter_context(running_app(log=subprocess.DEVNULL)) for _ in range(count)]
        texts = {write(app.url) for app in apps}  # which also warms them up
        url = running.enter_context(nginx([app.url for app in apps]))
        until = time.monotonic() + seconds
        before = make_load(url).run(users, seconds)
        times = [taken for _, taken in before.answers]
        row = {
            "processes": count,
            "users": users,
            "lyrics_a_second": answered(before, until - seconds, until) / seconds,
            "median_seconds": percentile(times, 50),
            "p95_seconds": percentile(times, 95),
            "queue_is_full": before.outcomes[QUEUE_FULL],
            "other": {name: number for name, number in before.outcomes.items() if name not in (RESULT, QUEUE_FULL)},
            "different_texts": len(texts),
        }
        if count > 1:
            after = make_load(url)
            with ThreadPoolExecutor(1) as pool:
                until = time.monotonic() + seconds
                visiting = pool.submit(after.run, users, seconds)
                time.sleep(seconds / 2)
                apps[0].process.kill()
                killed_at = time.monotonic()
                visiting.result()
            row["cut_off"] = after.outcomes.total() - after.outcomes[RESULT] - after.outcomes[QUEUE_FULL]
            row["lyrics_a_second_after"] = answered(after, killed_at, until) / (until - killed_at)
        return row


def answered(load: Load, start: float, stop: float) -> int:
    """The lyrics of a load that were there between two moments."""
    return sum(start < end <= stop for end, _ in load.answers)


def make_load(url: str) -> Load:
    """Users who ask for lyrics; each keeps the cookie by which nginx knows the process."""
    return Load(url, leaving=0, calls=[LYRIC], pause=0.5)


def write(url: str) -> str:
    """A process's lyric of a seed."""
    client = Client(url, verbose=False)
    text = client.predict(prefix="the river ", max_length=200, seed=7, api_name="/generate")
    client.close()
    return text


def table_row(row: dict) -> list[str]:
    """A row of the table."""
    killed = (str(row["cut_off"]), f"{row['lyrics_a_second_after']:.0f}") if "cut_off" in row else ("", "")
    return [
        str(row["processes"]),
        str(row["users"]),
        f"{row['lyrics_a_second']:.0f}",
        f"{row['median_seconds']:.1f}",
        f"{row['p95_seconds']:.1f}",
        str(row["queue_is_full"]),
        *killed,
        "the same" if row["different_texts"] == 1 else "differ",
    ]


if __name__ == "__main__":
    sys.exit(main())
