"""Where models run: a GPU if there is one that works, a ZeroGPU Space's while it is lent, else the CPU.

An app imports this before anything that imports torch, which a ZeroGPU Space wants to come after `spaces`.
"""

import logging
import os
from collections.abc import Callable

try:
    import spaces  # there on Spaces only; on ZeroGPU it must come before torch
except ImportError:
    spaces = None
import torch

IS_ZERO_GPU = spaces is not None and os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")
"""Whether this is a ZeroGPU Space, where each call that needs the GPU runs in a process of its own."""
ZERO_GPU_SECONDS = 60  # seconds for which a ZeroGPU Space asks for its GPU at a time: the longest lyric and to spare
log = logging.getLogger("lyricgen")


def best_device() -> torch.device:
    """A GPU if there is one that works, else the CPU."""
    try:
        if torch.cuda.is_available():
            torch.zeros(1, device="cuda")
            return torch.device("cuda")
    except (RuntimeError, AssertionError) as error:  # a driver that fails, or a torch without CUDA
        log.warning("models run on the CPU, since the GPU cannot be used (%s)", type(error).__name__)
    return torch.device("cpu")


def device_name(device: torch.device) -> str:
    """What a device is, for people."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"CPU, {torch.get_num_threads()} thread(s)"


def one_thread() -> None:
    """A request runs on one core: the threads of two requests would wait for each other."""
    torch.set_num_threads(1)


def with_gpu(function: Callable) -> Callable:
    """On a ZeroGPU Space, `function` with the GPU lent to it for each call; anywhere else `function` itself."""
    return spaces.GPU(function, duration=ZERO_GPU_SECONDS) if spaces else function
