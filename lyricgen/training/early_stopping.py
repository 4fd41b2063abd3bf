"""Early stopping on held-out training songs."""

from typing import Any

import pytorch_lightning as pl
import torch


class EarlyStopping(pl.Callback):
    """Stops a training whose `held_out_bpc` no longer improves, and keeps the weights of the best validation.

    Args:
        patience: validations in a row without an improvement, after which the training stops.
    """

    def __init__(self, patience: int):
        self.patience = patience
        self.best_bpc = float("inf")
        self.best_step = 0
        self.best_weights: dict[str, torch.Tensor] = {}
        """Weights after `best_step`, on the CPU; empty before the first validation."""
        self._step = 0  # of the last validation
        self._waited = 0  # validations since the best

    def on_validation_end(self, trainer: Any, task: Any) -> None:
        if trainer.global_step == self._step:  # resumed within the validation
            return
        self._step = trainer.global_step
        bpc = task.val_figures["held_out_bpc"]
        if bpc < self.best_bpc:
            self.best_bpc, self.best_step, self._waited = bpc, trainer.global_step, 0
            self.best_weights = {
                name: value.detach().to("cpu", copy=True) for name, value in task.model.state_dict().items()
            }
        else:
            self._waited += 1
        if self._waited >= self.patience:
            trainer.should_stop = True

    def state_dict(self) -> dict:
        return {
            "best_bpc": self.best_bpc,
            "best_step": self.best_step,
            "best_weights": self.best_weights,
            "step": self._step,
            "waited": self._waited,
        }

    def load_state_dict(self, state_dict: dict) -> None:
        self.best_bpc, self.best_step = state_dict["best_bpc"], state_dict["best_step"]
        self.best_weights, self._step, self._waited = (state_dict[name] for name in ("best_weights", "step", "waited"))
