"""What training and the app do with freed memory. Each program runs in a process of its own, without torch where it can."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc")
FAULTS = """
import resource
import torch
from lyricgen.heap import keep_freed_memory

def faults():
    for step in range(20):
        if step == 15:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        torch.ones(10_000_000)  # 40 MB
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

given_back = faults()
keep_freed_memory()
print(given_back, faults())
"""
IDLE = """
import ctypes, resource, threading, time
from pathlib import Path
from lyricgen.heap import return_freed_memory


def memory():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def work():
    blocks = [b"x" * 50_000 for _ in range(500)]
    kept.append(blocks.pop())  # the end of the heap, so that freeing the others does not shrink it
    met.wait()


return_freed_memory(0.05)
before, kept, met = memory(), [], threading.Barrier(8)
threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
until = time.monotonic() + 10
while memory() - before > 20e6 and time.monotonic() < until:
    time.sleep(0.02)
print(memory() - before)
ctypes.CDLL(None).malloc_stats()
"""


def run(program: str) -> subprocess.CompletedProcess[str]:
    """Runs a Python program that must succeed."""
    return subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)


def test_memory_that_a_step_freed_is_reused_without_page_faults():
    given_back, kept = map(int, run(FAULTS).stdout.split())
    assert kept < given_back / 10


def test_an_idle_app_returns_what_its_threads_freed():
    """Eight threads free 200 MB in all."""
    done = run(IDLE)
    assert int(done.stdout) < 20e6
    assert done.stderr.count("Arena ") == 2, done.stderr
