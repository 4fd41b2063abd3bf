"""Muon with AdamW as one optimizer, and the learning rate schedule."""

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

from lyricgen.devices import multiplies_bfloat16

WARMUP_SHARE = 10  # steps of a training for each that may be of the warm-up
FINAL_RATE = 0.02  # learning rate of the last step, as a share of the maximum


class Muon(torch.optim.Muon):
    """Muon (Jordan et al. 2024) for wide or tall matrices, in float32 where the device does not multiply bfloat16.

    torch's own orthogonalises in bfloat16 on every device: most processors emulate its products, 20 to 50 times slower.
    """

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            matrices: list[torch.Tensor] = []
            gradients: list[torch.Tensor] = []
            momenta: list[torch.Tensor] = []
            self._init_group(group, matrices, gradients, momenta)
            for matrix, gradient, momentum in zip(matrices, gradients, momenta, strict=True):
                momentum.lerp_(gradient, 1 - group["momentum"])
                update = orthogonalize(gradient.lerp(momentum, group["momentum"]), group)
                matrix.mul_(1 - group["lr"] * group["weight_decay"])
                matrix.add_(update, alpha=-group["lr"] * 0.2 * math.sqrt(max(matrix.shape)))  # RMS of an AdamW update
        return loss


def orthogonalize(matrix: torch.Tensor, options: dict[str, Any]) -> torch.Tensor:
    """The nearest semi-orthogonal matrix, roughly: singular values between 0.7 and 1.2, by Newton-Schulz iterations.

    Args:
        matrix: float, (rows, columns).
        options: `ns_coefficients`, `ns_steps` and `eps`, as of `torch.optim.Muon`.
    """
    a, b, c = options["ns_coefficients"]
    tall = matrix.shape[0] > matrix.shape[1]
    x = (matrix.T if tall else matrix).to(torch.bfloat16 if multiplies_bfloat16(matrix.device) else torch.float32)
    x = x / x.norm().clamp(min=options["eps"])
    for _ in range(options["ns_steps"]):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.T if tall else x


class MuonWithAdamW(torch.optim.Optimizer):
    """Muon for some matrices and, at half the learning rate, AdamW for the other parameters."""

    def __init__(
        self, matrices: Iterable[nn.Parameter], others: Iterable[nn.Parameter], lr: float, weight_decay: float
    ):
        matrices, others = list(matrices), list(others)
        super().__init__([{"params": matrices}, {"params": others}], {"lr": lr})
        self.parts = {
            "muon": Muon(matrices, lr=lr, weight_decay=weight_decay),
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
    """Learning rate at a step as a share of the maximum: linear warm-up, of at most a tenth of the steps, then cosine decay to
    2 %."""
    warmup_steps = min(warmup_steps, steps // WARMUP_SHARE)
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    progress = min(1.0, (step - warmup_steps) / max(1, steps - warmup_steps))
    return FINAL_RATE + (1 - FINAL_RATE) * (1 + math.cos(math.pi * progress)) / 2
