"""Exact resume: an interrupted training continues as if it had not been interrupted."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytorch_lightning as pl
import torch

from lyricgen.songs.streams import SongStreams


class TrainingState(pl.Callback):
    """Adds stream positions and random states to each checkpoint; must come before the checkpoint callbacks.

    Lightning saves weights, optimizer, schedule and counters;
    `LyricsGenerationTask` saves the hidden state of the streams.

    Args:
        streams: the shuffled training streams.
    """

    def __init__(self, streams: SongStreams):
        self.streams = streams
        self.interrupted = False
        self._steps = streams.steps  # trained on; the loader may have prefetched more
        self._rng: dict | None = None  # to restore before the next step

    @property
    def settings(self) -> dict:
        """Settings that a resumed training must share."""
        return {
            "batch_size": self.streams.batch_size,
            "length": self.streams.length,
            "artist_dropout": self.streams.artist_dropout,
            "songs": self.streams.corpus.sha256,
        }

    def on_train_batch_start(self, *_: Any) -> None:
        if self._rng is not None:
            torch.set_rng_state(self._rng["torch"])
            if self._rng["cuda"] and torch.cuda.is_available():
                torch.cuda.set_rng_state_all(self._rng["cuda"])
            self._rng = None

    def on_train_batch_end(self, *_: Any) -> None:
        self._steps += 1
        if self.interrupted:
            raise KeyboardInterrupt

    def state_dict(self) -> dict:
        rng = self._rng or {
            "torch": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        }
        return {"settings": self.settings, "streams": self.streams.state_dict(self._steps), "rng": rng}

    def load_state_dict(self, state_dict: dict) -> None:
        self.streams.load_state_dict(state_dict["streams"])
        self._steps, self._rng = self.streams.steps, state_dict["rng"]

    @contextmanager
    def ctrl_c_after_step(self) -> Iterator[None]:
        """Within the block, Ctrl-C ends the training after the current step; a second Ctrl-C ends it immediately."""

        def interrupt(number: int, frame: object) -> None:
            if self.interrupted:
                raise KeyboardInterrupt
            self.interrupted = True

        handler = signal.getsignal(signal.SIGINT)
        if handler is not signal.default_int_handler:  # ignored in a background job, or set by another program
            yield
            return
        signal.signal(signal.SIGINT, interrupt)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, handler)
