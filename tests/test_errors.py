"""The exception hierarchy, and OSErrors in words."""

import errno

import pytest

from lyricgen.errors import (
    ArgumentError,
    DataError,
    HubError,
    LyricGenError,
    ModelError,
    VectorsError,
    describe_os_error,
    os_error_reason,
)


def test_every_error_is_a_lyricgen_error_and_a_bad_argument_is_a_value_error_too():
    for error in (ArgumentError, DataError, HubError, ModelError, VectorsError):
        assert issubclass(error, LyricGenError)
    assert issubclass(ArgumentError, ValueError)


@pytest.mark.parametrize(
    ("error", "reason", "description"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device", "No space left on device"),
        (PermissionError(errno.EACCES, "Permission denied", "a/b"), "Permission denied", "Permission denied: a/b"),
        (OSError("wrote 3 of 8 bytes"), "wrote 3 of 8 bytes", "wrote 3 of 8 bytes"),
        (TimeoutError(), "TimeoutError", "TimeoutError"),
    ],
)
def test_an_os_error_is_described_without_none(error, reason, description):
    assert os_error_reason(error) == reason and describe_os_error(error) == description
