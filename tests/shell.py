"""A process that runs the project's commands one after the other; only the first waits for the imports."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from localhub import client_environment

ROOT = Path(__file__).parent.parent


class Done(NamedTuple):
    """A finished command: its exit code, and what it wrote to stdout and stderr."""

    code: int
    out: str
    err: str


class Shell:
    """A process that runs `python -m lyricgen` and `train.py` without starting Python again for each command.

    Args:
        url: the Hub's address, which the process's client reads from the environment when it is imported.
        home: the working directory; the client's cache and the last command's output are in it.
    """

    PROGRAM = """
import importlib, json, os, signal, sys, traceback
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job is started with Ctrl-C ignored
from lyricgen.hub import errors as hub_errors

answers, before = os.fdopen(os.dup(1), "w"), dict(os.environ)
for line in sys.stdin:
    asked = json.loads(line)
    os.environ.clear()
    os.environ.update(before | asked["environment"])
    hub_errors.READ_TIMEOUT = asked["within"]
    for path, descriptor in ((asked["out"], 1), (asked["err"], 2)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, descriptor)
        os.close(file)
    try:
        code = importlib.import_module(asked["module"]).main(asked["arguments"])
    except SystemExit as ended:
        code = ended.code
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    print(code, file=answers, flush=True)
"""

    def __init__(self, url: str, home: Path):
        self.home, self.out = home, home / "out.txt"
        environment = client_environment(url, home / "hf", PYTHONPATH=str(ROOT))
        command = [sys.executable, "-u", "-c", self.PROGRAM]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "cwd": home, "text": True}
        self.process = subprocess.Popen(command, env=environment, **pipes)

    def begin(
        self, *arguments: object, token: str | None = "hf_ann", within: float = 30, module: str = "lyricgen.cli"
    ) -> None:
        """Starts a command.

        Args:
            arguments: its command line.
            token: the Hub's token in its environment.
            within: the time-out of its requests, in seconds.
            module: the module with its `main`.
        """
        asked = {"module": module, "arguments": [str(argument) for argument in arguments], "within": within}
        asked |= {"environment": {"HF_TOKEN": token} if token else {}}
        asked |= {name: str(self.home / f"{name}.txt") for name in ("out", "err")}
        self.out.unlink(missing_ok=True)
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()

    def end(self) -> Done:
        """Waits for the command, for a minute at most."""
        too_long = threading.Timer(60, self.process.kill)
        too_long.start()
        code = self.process.stdout.readline()
        too_long.cancel()
        assert code, "the command did not end"
        return Done(int(code), *((self.home / f"{name}.txt").read_text() for name in ("out", "err")))

    def end_by(self, sent: signal.Signals, once: Callable[[], object]) -> Done:
        """Sends the command a signal once a condition is met, and waits for its end."""
        deadline = time.monotonic() + 120
        while not once():
            assert time.monotonic() < deadline, "the condition was not met"
            time.sleep(0.05)
        self.process.send_signal(sent)
        return self.end()

    def written(self) -> str:
        """What the command wrote to stdout so far."""
        return self.out.read_text() if self.out.exists() else ""

    def run(self, *arguments: object, **settings) -> Done:
        self.begin(*arguments, **settings)
        return self.end()

    def close(self) -> None:
        self.process.kill()  # an orderly end would take Python seconds, and nothing is left to do
        with self.process:
            pass


def has_failed(done: Done, *said: str) -> None:
    """Asserts exit code 2 and one sentence, without token, address or path."""
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("lyricgen: ") and done.err.count("\n") == 1
    assert all(words in done.err for words in said), done.err
    for secret in ("hf_ann", "hf_sekrit", "127.0.0.1", "http", str(ROOT), "/tmp", "Traceback"):
        assert secret not in done.err
