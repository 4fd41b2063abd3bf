"""The learning curve of a training: the rows of history.csv."""

import math
import time
from typing import Any

import pytorch_lightning as pl
import torch
from torch import nn


@torch.no_grad()
def recurrent_rms(model: nn.Module) -> float | None:
    """Root mean square of the hidden-to-hidden weights, which grows before a training diverges; None without such weights."""
    weights = [value.flatten() for name, value in model.named_parameters() if "weight_hh" in name]
    return float(torch.cat(weights).square().mean().sqrt()) if weights else None


class LearningCurve(pl.Callback):
    """Collects the rows of history.csv: the training loss every `every` steps, and each validation.

    A row has step, epoch, seconds of training, characters seen, bits per character on training, validation and clean songs,
    the root mean square of the recurrent weights, and bits per character on held-out training songs; None where not measured
    at that step. The training figure is the mean since the previous row.
    """

    COLUMNS = (
        "step", "epoch", "seconds", "characters", "train_bpc", "val_bpc", "clean_bpc", "recurrent_rms", "held_out_bpc",
    )  # fmt: skip

    def __init__(self, every: int = 20):
        self.every = every
        self.rows: list[dict[str, float | None]] = []
        self._characters: Any = 0  # tensors on the device during training
        self._sum: Any = 0.0
        self._count = 0
        self._seconds = 0.0
        self._started: float | None = None

    def on_train_start(self, *_: Any) -> None:
        self._started = time.monotonic()  # without the sanity check before it

    def on_train_batch_end(self, trainer: Any, task: Any, outputs: Any, batch: Any, batch_index: int) -> None:
        self._sum = self._sum + task.train_loss
        self._characters = self._characters + task.train_characters.long()
        self._count += 1
        if trainer.global_step % self.every == 0:
            figures = {"train_bpc": float(self._sum) / self._count / math.log(2)}
            self._add(trainer, **figures, recurrent_rms=recurrent_rms(task.model))
            self._sum, self._count = 0.0, 0

    def on_train_end(self, *_: Any) -> None:
        self._seconds, self._started = self.seconds, None

    def on_validation_start(self, *_: Any) -> None:
        self._seconds, self._started = self.seconds, None

    def on_validation_end(self, trainer: Any, task: Any) -> None:
        self._started = time.monotonic()
        if not trainer.sanity_checking:
            self.add_validation(trainer, task.val_figures)

    def add_validation(self, trainer: Any, figures: dict[str, float]) -> None:
        """Adds the figures of a validation of the present step, unless there are some: it was resumed within it, or ended with it."""
        if not any(row["step"] == trainer.global_step and row["val_bpc"] for row in self.rows):
            self._add(trainer, **figures)

    def state_dict(self) -> dict:
        """The state in a checkpoint: a resumed training continues the curve."""
        return {
            "rows": self.rows,
            "seconds": self.seconds,
            "characters": self.characters,
            "sum": float(self._sum),
            "count": self._count,
        }

    def load_state_dict(self, state_dict: dict) -> None:
        self.rows, self._seconds, self._characters = (
            list(state_dict["rows"]),
            state_dict["seconds"],
            state_dict["characters"],
        )
        self._sum, self._count = state_dict.get("sum", 0.0), state_dict.get("count", 0)

    @property
    def seconds(self) -> float:
        """Seconds of training, without validation."""
        return self._seconds + (0.0 if self._started is None else time.monotonic() - self._started)

    @property
    def characters(self) -> int:
        """Characters trained on."""
        return int(self._characters)

    def _add(self, trainer: Any, **figures: float | None) -> None:
        rounded = {name: round(value, 4) for name, value in figures.items() if value is not None}
        row = {
            "step": trainer.global_step,
            "epoch": round(self._epoch(trainer), 3),
            "seconds": round(self.seconds, 1),
            "characters": self.characters,
        }
        self.rows.append({name: {**row, **rounded}.get(name) for name in self.COLUMNS})

    @staticmethod
    def _epoch(trainer: Any) -> float:
        return trainer.global_step / max(1, trainer.num_training_batches)
