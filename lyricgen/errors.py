"""The errors of lyricgen: each message says what was given, what is allowed and what to do."""


class LyricGenError(Exception):
    """Parent of every error that lyricgen raises on purpose; its text is one sentence, fit for a user."""


class ArgumentError(LyricGenError, ValueError):
    """Raised when an argument lies outside what is allowed."""


class DataError(LyricGenError):
    """Raised when a file of songs cannot be read, holds no song, or does not match its sha256."""


class ModelError(LyricGenError):
    """Raised when a model folder is missing, incomplete, altered, or of another format."""


class VectorsError(LyricGenError):
    """Raised when word vectors are missing, cannot be fetched, are damaged, or hold what is no number."""


class HubError(LyricGenError):
    """Raised when the Hugging Face Hub cannot be reached, refuses, or holds something else than models of lyricgen."""
