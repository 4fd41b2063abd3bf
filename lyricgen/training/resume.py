"""Exact resume: a training that was interrupted goes on as if it had not been."""

import hashlib
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytorch_lightning as pl
import torch

from lyricgen.songs.corpus import Corpus, SongStreams


class TrainingState(pl.Callback):
    """Keeps in each checkpoint what Lightning does not: the streams' positions and the state of the random numbers.

    Put it before the checkpoint callbacks. Weights, optimizer, schedule and counters are Lightning's part; the carried hidden
    state is `LyricsGenerationTask`'s.

    Args:
        streams: the shuffled training streams.
    """

    def __init__(self, streams: SongStreams):
        self.streams = streams
        self.interrupted = False
        self._steps = streams.steps  # that were trained on; the loader may have taken more
        self._rng: dict | None = None  # to restore before the next step

    @property
    def settings(self) -> dict:
        """What must be the same when a training is resumed."""
        return {
            "batch_size": self.streams.batch_size,
            "length": self.streams.length,
            "artist_dropout": self.streams.artist_dropout,
            "songs": corpus_sha256(self.streams.corpus),
        }

    def on_train_batch_start(self, trainer, task, batch, batch_index) -> None:
        if self._rng is not None:
            torch.set_rng_state(self._rng["torch"])
            if self._rng["cuda"] and torch.cuda.is_available():
                torch.cuda.set_rng_state_all(self._rng["cuda"])
            self._rng = None

    def on_train_batch_end(self, trainer, task, outputs, batch, batch_index) -> None:
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
        """Within it Ctrl-C ends the training after the step that is running; a second one ends it at once."""

        def interrupt(number, frame):
            if self.interrupted:
                raise KeyboardInterrupt
            self.interrupted = True

        before = signal.getsignal(signal.SIGINT)
        if before is not signal.default_int_handler:  # ignored in a background job, or another program's own
            yield
            return
        signal.signal(signal.SIGINT, interrupt)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)


def corpus_sha256(corpus: Corpus) -> str:
    """The sha256 of the songs of a corpus, its subset among them."""
    digest = hashlib.sha256(corpus.sha256.encode())
    for numbers in (corpus.starts, corpus.stops, corpus.artist_labels):
        digest.update(numbers.astype("<i8").tobytes())
    return digest.hexdigest()
