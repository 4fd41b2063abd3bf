"""How long /config of a running app takes, asked for five times a second.

    python -m benchmarks.config_times URL SECONDS

Prints the times in seconds, one a line. It runs in a process of its own: among the threads of a load it would wait for them too.
"""

import sys
import time
from contextlib import suppress

import httpx

PAUSE = 0.2  # seconds between two requests


def print_times(url: str, seconds: str) -> None:
    """Asks for /config until so many seconds are over."""
    until = time.monotonic() + float(seconds)
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
        while (start := time.monotonic()) < until:
            with suppress(httpx.TransportError):  # of an app that is killed under the load
                client.get("/config").raise_for_status()
                print(time.monotonic() - start)
            time.sleep(PAUSE)


if __name__ == "__main__":
    print_times(*sys.argv[1:])
