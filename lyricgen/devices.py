"""The device of the models: a GPU if one works, a ZeroGPU Space's GPU during a call, else the CPU.

An app imports this before anything that imports torch: a ZeroGPU Space needs `spaces` before torch.
"""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

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
    announced = torch.cpu.get_capabilities().get("avx512_bf16", False) and torch.backends.mkldnn.is_available()
    return announced and _has_bfloat16_products()


@cache
def _has_bfloat16_products() -> bool:
    """Whether oneDNN multiplies bfloat16, tried once: its instructions can be capped below the processor's."""
    matrix = torch.ones(2, 2, dtype=torch.bfloat16)
    try:
        packed = torch.ops.mkldnn._reorder_linear_weight(matrix, 1)
        torch.ops.mkldnn._linear_pointwise(matrix, packed, None, "none", [], "")
    except RuntimeError:
        return False
    return True


def available_cores(root: Path = Path("/")) -> int:
    """The cores that this process may use: those of its affinity, and no more than a container's CPU quota; at least 1.

    Args:
        root: of the file system whose cgroups are read.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, int(min([cores, *_cpu_quotas(root)])))


def _cpu_quotas(root: Path) -> Iterator[float]:
    """The CPU quotas, in cores, of this process's cgroups (version 1 or 2) and of those above them."""
    with suppress(OSError):
        for line in (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers and "cpu" not in controllers.split(","):
                continue
            mount = root / "sys/fs/cgroup" / controllers
            group = mount / path.strip("/")
            for folder in (group, *group.parents):
                if folder.is_relative_to(mount):
                    yield from _cpu_quota(folder)


def _cpu_quota(folder: Path) -> Iterator[float]:
    """The quota of one cgroup, if it has one: `cpu.max` is version 2, the other two files are version 1."""
    with suppress(OSError, ValueError):  # no such files, or "max"
        if (folder / "cpu.max").exists():
            quota, period = (folder / "cpu.max").read_text(encoding="utf-8").split()
        else:
            quota, period = (
                (folder / f"cpu.cfs_{name}_us").read_text(encoding="utf-8") for name in ("quota", "period")
            )
        if int(quota) > 0:
            yield int(quota) / int(period)


def use_one_thread() -> None:
    """Limits torch to one core a request: the threads of two requests would wait for each other."""
    torch.set_num_threads(1)


def with_gpu(function: Callable) -> Callable:
    """On a ZeroGPU Space, `function` with the GPU allocated to each call; elsewhere `function` itself."""
    return spaces.GPU(function, duration=ZERO_GPU_SECONDS) if spaces else function
