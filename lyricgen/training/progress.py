"""The progress bar of a training."""

import time
from datetime import timedelta
from typing import Any

from pytorch_lightning.callbacks import TQDMProgressBar

from lyricgen.training.learning_curve import LearningCurve

REFRESH_STEPS = 5  # steps between two updates


class TrainingProgressBar(TQDMProgressBar):
    """One bar an epoch with bits per character, characters a second, and the time left for all epochs.

    The speed is that of training since the start or resume; the time left includes validations.

    Args:
        curve: the learning curve, a callback before this one.
    """

    def __init__(self, curve: LearningCurve):
        super().__init__(refresh_rate=REFRESH_STEPS)
        self.curve = curve
        self._started = 0.0
        self._from: tuple[int, int, float] = (0, 0, 0.0)  # step, characters and seconds at the start or resume

    def on_train_start(self, trainer: Any, *_: Any) -> None:
        super().on_train_start(trainer, *_)
        self._started = time.monotonic()
        self._from = trainer.global_step, self.curve.characters, self.curve.seconds

    def get_metrics(self, trainer: Any, task: Any) -> dict[str, int | str | float | dict[str, float]]:
        step, characters, seconds = self._from
        steps = max(1, trainer.global_step - step)
        speed = (self.curve.characters - characters) / max(1e-9, self.curve.seconds - seconds)
        remaining = trainer.estimated_stepping_batches - trainer.global_step
        left = (time.monotonic() - self._started) / steps * remaining
        figures = {name: f"{float(value):.3f}" for name, value in trainer.progress_bar_metrics.items()}
        return {
            "train_bpc": figures.pop("train_bpc", "?"),
            "characters/s": f"{speed:,.0f}",
            "left": str(timedelta(seconds=round(left))),
            **figures,
        }
