"""Ctrl-C and SIGTERM during a training."""

import contextlib
import signal
from collections.abc import Iterator


class Interrupted(Exception):
    """Raised when Ctrl-C or SIGTERM ended a training; the message says how to continue, or which artifact was not written."""


@contextlib.contextmanager
def interruptible(artifact: str) -> Iterator[None]:
    """Raises `Interrupted` if Ctrl-C or SIGTERM ends the block, before the artifact was written."""
    handler = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(f"{artifact} was not written") from None
    finally:
        signal.signal(signal.SIGTERM, handler)
