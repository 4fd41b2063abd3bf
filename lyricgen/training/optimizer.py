"""Muon with AdamW as one optimizer, and the learning rate schedule."""

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

FINAL_RATE = 0.02  # learning rate of the last step, as a share of the maximum


class MuonWithAdamW(torch.optim.Optimizer):
    """Muon (Jordan et al. 2024) for some matrices and, at half the learning rate, AdamW for the other parameters."""

    def __init__(
        self, matrices: Iterable[nn.Parameter], others: Iterable[nn.Parameter], lr: float, weight_decay: float
    ):
        matrices, others = list(matrices), list(others)
        super().__init__([{"params": matrices}, {"params": others}], {"lr": lr})
        self.parts = {
            "muon": torch.optim.Muon(matrices, lr=lr, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw"),
            "adamw": torch.optim.AdamW(others, lr=lr / 2, weight_decay=weight_decay, betas=(0.9, 0.99), fused=True),
        }
        self._share_groups()

    def _share_groups(self) -> None:
        """Exposes the groups of both parts, so that a schedule changes their learning rates."""
        self.param_groups = [group for part in self.parts.values() for group in part.param_groups]

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for part in self.parts.values():
            part.step()
        return loss

    def state_dict(self) -> dict:
        return {name: part.state_dict() for name, part in self.parts.items()}

    def load_state_dict(self, state_dict: dict) -> None:
        for name, part in self.parts.items():
            part.load_state_dict(state_dict[name])
        self._share_groups()


def warmup_cosine(step: int, warmup_steps: int, steps: int) -> float:
    """Learning rate at a step as a share of the maximum: linear warm-up, then cosine decay to 2 %."""
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    progress = min(1.0, (step - warmup_steps) / max(1, steps - warmup_steps))
    return FINAL_RATE + (1 - FINAL_RATE) * (1 + math.cos(math.pi * progress)) / 2
