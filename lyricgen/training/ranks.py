"""Ranks: the processes of a distributed training, one per device."""

from typing import Any

import torch
from torch import distributed


def rank() -> int:
    """Number of this process, from 0; 0 outside a distributed training."""
    return distributed.get_rank() if _is_distributed() else 0


def ranks() -> int:
    """Number of processes; 1 outside a distributed training."""
    return distributed.get_world_size() if _is_distributed() else 1


def sum_over_ranks(values: torch.Tensor) -> torch.Tensor:
    """The sum of a tensor over all ranks, in place; every rank must call it, with the tensor on its device."""
    if _is_distributed():
        distributed.all_reduce(values)
    return values


def gather_from_ranks(value: Any) -> list[Any]:
    """The values of all ranks in their order; every rank must call it. Tensors must be on the CPU."""
    values = [value] * ranks()
    if _is_distributed():
        distributed.all_gather_object(values, value)
    return values


def _is_distributed() -> bool:
    return distributed.is_available() and distributed.is_initialized()
