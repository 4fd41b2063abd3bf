"""The device of the models: a GPU if one works, a ZeroGPU Space's GPU during a call, else the CPU.

An app imports this before anything that imports torch: a ZeroGPU Space needs `spaces` before torch.
"""

import contextlib
import ctypes
import logging
import os
from collections.abc import Callable

try:
    import spaces  # installed on Spaces only; on ZeroGPU it must come before torch
except ImportError:
    spaces = None
import torch

IS_ZERO_GPU = spaces is not None and os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")
"""Whether this is a ZeroGPU Space, where each call that needs the GPU runs in a process of its own."""
ZERO_GPU_SECONDS = 60  # seconds that one call may hold a ZeroGPU Space's GPU; more than the longest lyric needs
log = logging.getLogger("lyricgen")


def best_device() -> torch.device:
    """A GPU if one works, else the CPU."""
    try:
        if torch.cuda.is_available():
            torch.zeros(1, device="cuda")
            return torch.device("cuda")
    except (RuntimeError, AssertionError) as error:  # a driver that fails, or a torch without CUDA
        log.warning("models run on the CPU, since the GPU cannot be used (%s)", type(error).__name__)
    return torch.device("cpu")


def device_name(device: torch.device) -> str:
    """The name of a device for people."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"CPU, {torch.get_num_threads()} thread(s)"


def multiplies_bfloat16(device: torch.device) -> bool:
    """Whether products of bfloat16 matrices are faster than float32 ones on a device, and not emulated."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.cpu.get_capabilities().get("avx512_bf16", False) and torch.backends.mkldnn.is_available()


def use_one_thread() -> None:
    """Limits torch to one core a request: the threads of two requests would wait for each other."""
    torch.set_num_threads(1)


def keep_freed_memory() -> None:
    """Keeps what a training step frees in the process (glibc): new memory costs a page fault per 4 KB, a fifth of the time."""
    trim_threshold, mmap_threshold = -1, -3  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of malloc.h
    with contextlib.suppress(OSError, AttributeError):  # no glibc
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(mmap_threshold, 2**30)
        mallopt(trim_threshold, 2**31 - 1)


def with_gpu(function: Callable) -> Callable:
    """On a ZeroGPU Space, `function` with the GPU allocated to each call; elsewhere `function` itself."""
    return spaces.GPU(function, duration=ZERO_GPU_SECONDS) if spaces else function
