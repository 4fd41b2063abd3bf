"""The exceptions of lyricgen. Each message is one sentence: the argument or file, what is allowed, what was given.

LyricGenError
├── ArgumentError (also a ValueError)
├── DataError
├── ModelError
├── VectorsError
├── HubError
└── DivergenceError
"""

import errno


class LyricGenError(Exception):
    """Base class: every error that lyricgen raises on purpose, with a message fit for a user."""


class ArgumentError(LyricGenError, ValueError):
    """Raised when an argument is outside its allowed range or choices."""


class DataError(LyricGenError):
    """Raised when a file of songs cannot be read, contains no song, or fails its checksum."""


class ModelError(LyricGenError):
    """Raised when a model, song index or classifier folder is missing, incomplete, altered, or of another format."""


class VectorsError(LyricGenError):
    """Raised when word vectors are missing, damaged, not finite, or cannot be downloaded."""


class HubError(LyricGenError):
    """Raised when the Hugging Face Hub cannot be reached, refuses a request, or returns anything but models of lyricgen."""


class DivergenceError(LyricGenError):
    """Raised when the loss of a training is no longer finite."""


def os_error_reason(error: OSError) -> str:
    """What went wrong, without the path: 'Permission denied'."""
    return error.strerror or str(error) or type(error).__name__


def is_disk_full(error: OSError) -> bool:
    """Whether there is no space left on a disk, or in a user's share of it."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def describe_os_error(error: OSError) -> str:
    """What went wrong, and with which file if that is known: 'Permission denied: models/lstm'."""
    reason = os_error_reason(error)
    return reason if error.filename is None else f"{reason}: {error.filename}"
