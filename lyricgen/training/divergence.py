"""Divergence of a training: a loss that climbs while the learning rate is high, and one that is not finite."""

import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytorch_lightning as pl

from lyricgen.errors import DivergenceError
from lyricgen.models.networks import has_finite_weights
from lyricgen.training.learning_curve import LearningCurve

WINDOW = 10  # rows of the learning curve that are averaged, and for which the average must stay high
MIN_CLIMB = 0.05  # bits per character above the lowest average
MIN_CLIMB_ERRORS = 4.0  # standard errors of the lowest average
HIGH_RATE = 0.25  # share of the maximum learning rate, from which on the schedule will not end a climb by itself


class DivergenceGuard(pl.Callback):
    """Ends a training with `DivergenceError` at a loss that is not finite, and warns once of a long climb before it.

    No checkpoint is written then, and none of weights that are not finite.

    Args:
        curve: the learning curve, a callback before this one.
    """

    def __init__(self, curve: LearningCurve):
        self.curve = curve
        self._warned = False

    def on_train_batch_end(self, trainer: Any, task: Any, *_: Any) -> None:
        loss = float(task.train_loss)
        if not math.isfinite(loss):
            _fail(trainer, f"the loss is {loss}")
        if not self._warned and trainer.global_step % self.curve.every == 0:
            self._warn_of_climb(trainer, task)

    def on_save_checkpoint(self, trainer: Any, task: Any, checkpoint: dict) -> None:
        check_weights(trainer, task.model)

    def _warn_of_climb(self, trainer: Any, task: Any) -> None:
        climb, rate = find_climb(self.curve.rows), learning_rate(trainer)
        if climb is None or rate < HIGH_RATE * task.learning_rate:
            return
        self._warned = True
        lowest, now, step = climb
        trainer.print(
            f"warning: the training loss has climbed from {lowest:.2f} to {now:.2f} bits per character since step {step:,}, at "
            f"learning rate {rate:.2g}; if it goes on, press Ctrl-C and train again with a lower --learning-rate or a higher "
            "--weight-decay",
            file=sys.stderr,
        )


def find_climb(rows: Sequence[Mapping[str, float | None]]) -> tuple[float, float, int] | None:
    """The climb with which a learning curve ends, None for none.

    The training loss is averaged over `WINDOW` rows. It climbs if each of the last `WINDOW` averages is above the lowest one
    by `MIN_CLIMB` bits and by more than noise.

    Returns:
        the lowest average, the last one, and the step of the lowest.
    """
    points = [(row["step"], row["train_bpc"]) for row in rows if row.get("train_bpc")]
    if len(points) < 3 * WINDOW:
        return None
    steps, losses = np.array(points, np.float64).T  # (rows,) each
    windows = np.lib.stride_tricks.sliding_window_view(losses, WINDOW)  # (rows - WINDOW + 1, WINDOW)
    averages = windows.mean(axis=1)
    at = int(averages.argmin())
    climb = max(MIN_CLIMB, MIN_CLIMB_ERRORS * float(windows[at].std()) / math.sqrt(WINDOW))
    if (averages[-WINDOW:] - averages[at]).min() < climb:
        return None
    return float(averages[at]), float(averages[-1]), int(steps[at + WINDOW - 1])


def check_weights(trainer: Any, model: Any) -> None:
    """Raises `DivergenceError` if a weight is not finite."""
    if not has_finite_weights(model):
        _fail(trainer, "a weight is not finite")


def learning_rate(trainer: Any) -> float:
    """The learning rate of the next step, of the group of parameters with the highest."""
    return max(group["lr"] for optimizer in trainer.optimizers for group in optimizer.param_groups)


def _fail(trainer: Any, reason: str) -> None:
    """Raises `DivergenceError`; no checkpoint is written on the way out."""
    if trainer.checkpoint_callback:
        trainer.checkpoint_callback.save_on_exception = False
    raise DivergenceError(f"{reason} at step {trainer.global_step:,}, learning rate {learning_rate(trainer):.2g}")
