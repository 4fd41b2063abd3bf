"""A process that runs commands of the project, for tests that run many of them."""

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import NamedTuple

from localhub import client_environment

ROOT = Path(__file__).parent.parent


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


class Shell:
    """A process that runs commands of `python -m lyricgen` one after the other; only the first waits for the imports.

    Its client is told of the Hub as that of any process is, by the environment.
    """

    PROGRAM = """
import json, os, signal, sys, traceback
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job is started with Ctrl-C ignored
from lyricgen.hub import errors as hub_errors
from lyricgen.__main__ import main

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
        code = main(asked["arguments"])
    except SystemExit as ended:
        code = ended.code
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    print(code, file=answers, flush=True)
"""

    def __init__(self, url: str, home: Path):
        self.home = home
        environment = client_environment(url, home / "hf", PYTHONPATH=str(ROOT))
        command = [sys.executable, "-c", self.PROGRAM]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "cwd": home, "text": True}
        self.process = subprocess.Popen(command, env=environment, **pipes)

    def begin(self, *arguments: object, token: str | None = "hf_ann", within: float = 30) -> None:
        """Starts a command; `within` is how long a request may take."""
        asked = {"arguments": [str(argument) for argument in arguments], "within": within}
        asked |= {"environment": {"HF_TOKEN": token} if token else {}}
        asked |= {name: str(self.home / f"{name}.txt") for name in ("out", "err")}
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()

    def end(self) -> Done:
        """Waits for it, for a minute at most."""
        too_long = threading.Timer(60, self.process.kill)
        too_long.start()
        code = self.process.stdout.readline()
        too_long.cancel()
        assert code, "the command did not end"
        return Done(int(code), *((self.home / f"{name}.txt").read_text() for name in ("out", "err")))

    def run(self, *arguments: object, **settings) -> Done:
        self.begin(*arguments, **settings)
        return self.end()

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()


def has_failed(done: Done, *said: str) -> None:
    """Exit code 2 and one sentence that tells nothing of token, address or machine."""
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("lyricgen: ") and done.err.count("\n") == 1
    assert all(words in done.err for words in said), done.err
    for secret in ("hf_ann", "hf_sekrit", "127.0.0.1", "http", str(ROOT), "/tmp", "Traceback"):
        assert secret not in done.err
