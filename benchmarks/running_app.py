"""The app as `python app.py` starts it, in a process of its own, with its memory, threads and open files."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

APP = Path(__file__).parent.parent / "app.py"
STARTUP_TIMEOUT = 300  # seconds until the app must listen
SHUTDOWN_TIMEOUT = 20  # seconds after which an app that was terminated is killed


@dataclass
class RunningApp:
    """A running app. Its figures are those of Linux's /proc."""

    url: str
    process: subprocess.Popen

    @property
    def memory(self) -> int:
        """Resident memory, in bytes."""
        return self._status("VmRSS") * 1024

    @property
    def threads(self) -> int:
        """Number of threads."""
        return self._status("Threads")

    @property
    def open_files(self) -> int:
        """Number of open files, connections included."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    @property
    def processor_seconds(self) -> float:
        """Processor time so far."""
        times = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")

    def _status(self, name: str) -> int:
        lines = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


@contextmanager
def running_app(
    *flags: str,
    environment: Mapping[str, str] | None = None,
    log: int | IO | None = None,
    app: Path = APP,
    runner: Sequence[str] = (),
) -> Iterator[RunningApp]:
    """Runs `python app.py` within the block, on a free port of 127.0.0.1.

    Args:
        flags: its command line.
        environment: its variables beside those of the port; None: those of this process.
        log: where its errors go; None: to those of this process.
        app: the script.
        runner: a command that becomes the one behind it, such as unshare.

    Raises:
        TimeoutError: the app ended, or did not listen in time.
    """
    port = free_port()
    variables = {**(os.environ if environment is None else environment), "GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": str(port)}  # fmt: skip
    process = subprocess.Popen(
        [*runner, sys.executable, str(app), *flags],
        env=variables,
        stdout=subprocess.DEVNULL,
        stderr=log,
        cwd=app.parent,
    )
    try:
        wait_for(process, port)
        yield RunningApp(f"http://127.0.0.1:{port}", process)
    finally:
        process.terminate()
        try:
            process.wait(SHUTDOWN_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    """A free port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(process: subprocess.Popen, port: int) -> None:
    """Waits until the app's process listens on a port of this machine."""
    until = time.perf_counter() + STARTUP_TIMEOUT
    while time.perf_counter() < until and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"app.py did not listen within {STARTUP_TIMEOUT} seconds")
