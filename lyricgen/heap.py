"""Settings of glibc's allocator: training keeps the memory that it frees, the app returns it. Without glibc they do nothing."""

import ctypes
import platform
import threading
import time
from collections.abc import Callable

TRIM_THRESHOLD, MMAP_THRESHOLD, ARENA_MAX = -1, -3, -8  # parameters of mallopt, from malloc.h
ARENAS = 2  # as many as a small server has cores; glibc's default is 8 a core
IDLE_SHARE = 0.25  # of one core, below which the process is idle


def keep_freed_memory() -> None:
    """Keeps what a training step frees in the process: new memory costs a page fault per 4 KB, a fifth of the time."""
    if glibc := _glibc():
        glibc.mallopt(MMAP_THRESHOLD, 2**30)
        glibc.mallopt(TRIM_THRESHOLD, 2**31 - 1)


def return_freed_memory(interval: float = 10.0) -> None:
    """Returns freed memory to the system while the process is idle, by a daemon thread. Call it before other threads
    start: by default each has an arena of its own, of which `malloc_trim` leaves up to 64 MB of freed memory in place.

    Args:
        interval: seconds over which the process's load is measured.
    """
    if glibc := _glibc():
        glibc.mallopt(ARENA_MAX, ARENAS)
        threading.Thread(target=_trim_when_idle, args=(glibc.malloc_trim, interval), daemon=True).start()


def _trim_when_idle(malloc_trim: Callable[[int], int], interval: float) -> None:
    while True:
        start = time.process_time()
        time.sleep(interval)
        if time.process_time() - start < IDLE_SHARE * interval:
            malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    return ctypes.CDLL(None) if platform.libc_ver()[0] == "glibc" else None
