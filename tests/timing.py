"""CPU time of a function relative to a peer's in the same run: holds on any machine, however busy."""

import time
from collections.abc import Callable


def cpu_seconds(function: Callable[[], object]) -> float:
    """CPU time of one call, all threads together."""
    start = time.process_time()
    function()
    return time.process_time() - start


def cpu_ratio(function: Callable[[], object], peer: Callable[[], object], repeats: int = 5) -> float:
    """CPU time of `function` over that of `peer`, each the least of several calls; the calls alternate."""
    times = [(cpu_seconds(function), cpu_seconds(peer)) for _ in range(repeats)]
    return min(ours for ours, _ in times) / min(peers for _, peers in times)
