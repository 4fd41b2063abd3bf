"""Exact resume: an interrupted training continues as if it had not been interrupted."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytorch_lightning as pl
import torch

from lyricgen.songs.streams import SongStreams
from lyricgen.training.ranks import gather_from_ranks, rank, ranks, sum_over_ranks

STOPPING = b"stopping after this step; press Ctrl-C once more to stop at once\n"


class TrainingState(pl.Callback):
    """Adds stream positions and random states to each checkpoint; must come before the checkpoint callbacks.

    Lightning saves weights, optimizer, schedule and counters; `LyricsGenerationTask` saves the hidden state of the streams.
    The ranks of a distributed training stop after the same step, so that its checkpoint is exact too. Lightning skips the
    validation after a checkpoint of an epoch's last step; here it runs.

    Args:
        streams: the shuffled training streams.
        start_from: checksum of the weights that the training started from; None: of initial ones.
    """

    def __init__(self, streams: SongStreams, start_from: str | None = None):
        self.streams, self.start_from = streams, start_from
        self.interrupted = False
        self._steps = streams.steps  # trained on; the loader may have prefetched more
        self._rng: dict | None = None  # to restore before the next step
        self._validated: int | None = 0  # step of the last validation; None if the checkpoint does not say

    @property
    def settings(self) -> dict:
        """Settings that a resumed training must share."""
        return {
            "batch_size": self.streams.batch_size,
            "length": self.streams.length,
            "artist_dropout": self.streams.artist_dropout,
            "songs": self.streams.corpus.sha256,
            "ranks": self.streams.ranks,
            "start_from": self.start_from,
        }

    def on_train_start(self, trainer: Any, *_: Any) -> None:
        if self._misses_validation(trainer):
            validation = trainer.fit_loop.epoch_loop.val_loop
            validation.restarting = False  # else it reads only what the validation before it had left
            trainer.validating = True
            validation.run()
            trainer.training = True
        if ranks() > 1:
            torch.manual_seed(torch.initial_seed() + rank())  # dropout of its own; replaced by a checkpoint's
            trainer.checkpoint_callback.save_on_exception = False  # a rank that fails alone would wait for the others
            signal.signal(signal.SIGTERM, self._interrupt)  # Lightning restores the handler

    def _misses_validation(self, trainer: Any) -> bool:
        """Whether the training was resumed between an epoch's last step and its validation, and not within that."""
        validation = trainer.fit_loop.epoch_loop.val_loop.batch_progress
        if validation.current.ready and not validation.is_last_batch:
            return False
        epochs, steps = divmod(trainer.global_step, trainer.num_training_batches)
        at_end = epochs > 0 and steps == 0 and epochs % trainer.check_val_every_n_epoch == 0
        return at_end and trainer.enable_validation and self._validated not in (None, trainer.global_step)

    def on_validation_end(self, trainer: Any, *_: Any) -> None:
        self._validated = trainer.global_step

    def on_train_batch_start(self, *_: Any) -> None:
        if self._rng is not None:
            torch.set_rng_state(self._rng["torch"])
            if self._rng["cuda"] and torch.cuda.is_available():
                torch.cuda.set_rng_state(self._rng["cuda"][0])
            self._rng = None

    def on_train_batch_end(self, trainer: Any, task: Any, *_: Any) -> None:
        self._steps += 1
        interrupted = self.interrupted
        if ranks() > 1 and sum_over_ranks(torch.tensor(float(interrupted), device=task.device)) > 0:
            trainer.checkpoint_callback.save_on_exception = interrupted = True
        if interrupted:
            raise KeyboardInterrupt

    def state_dict(self) -> dict:
        rng = self._rng or {
            "torch": torch.get_rng_state(),
            "cuda": [torch.cuda.get_rng_state()] if torch.cuda.is_available() else [],  # of this rank's device
        }
        first, *others = gather_from_ranks(rng)
        streams = self.streams.state_dict(self._steps)
        return {
            "settings": self.settings,
            "streams": streams,
            "rng": first,
            "other_rngs": others,
            "validated": self._validated,
        }

    def load_state_dict(self, state_dict: dict) -> None:
        self.streams.load_state_dict(state_dict["streams"])
        self._steps = self.streams.steps
        self._validated = state_dict.get("validated")
        self._rng = [state_dict["rng"], *state_dict.get("other_rngs", ())][rank()]

    @contextmanager
    def ctrl_c_after_step(self) -> Iterator[None]:
        """Within the block, Ctrl-C ends the training after the current step; a second Ctrl-C ends it immediately."""
        handler = signal.getsignal(signal.SIGINT)
        if handler is not signal.default_int_handler:  # ignored in a background job, or set by another program
            yield
            return
        signal.signal(signal.SIGINT, self._interrupt)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, handler)

    def _interrupt(self, number: int, frame: object) -> None:
        if self.interrupted:
            raise KeyboardInterrupt
        self.interrupted = True
        os.write(2, STOPPING)  # print may be at work already
