"""Failures of the Hub's client -> one sentence of ours, without token, address or path."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
from huggingface_hub import get_token
from huggingface_hub.errors import (
    GatedRepoError,
    LocalTokenNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import get_session

from lyricgen.errors import HubError, LyricGenError, is_disk_full

READ_TIMEOUT = 60.0  # seconds without a byte, for every request to the Hub
CONNECT_TIMEOUT = 10.0  # seconds


@contextmanager
def hub_errors(repo: str) -> Iterator[None]:
    """Raises HubError for any failure of the client, and sets time-outs, which most of its requests lack.

    Args:
        repo: for the message.
    """
    session = get_session()
    timeout_before, session.timeout = session.timeout, httpx2.Timeout(READ_TIMEOUT, connect=CONNECT_TIMEOUT)
    try:
        yield
    except LyricGenError:
        raise
    except (OSError, ValueError, RuntimeError, httpx2.HTTPError) as error:  # RuntimeError: an upload to LFS
        cause = error.__cause__ if type(error) is RuntimeError and isinstance(error.__cause__, Exception) else error
        raise HubError(_error_message(repo, cause)) from None
    finally:
        session.timeout = timeout_before


def status_code(error: Exception) -> int | None:
    """The HTTP status of the Hub's answer; None if it did not answer."""
    return getattr(getattr(error, "response", None), "status_code", None)


def _error_message(repo: str, error: Exception) -> str:
    """What failed, and what to do about it."""
    match error, status_code(error):
        case GatedRepoError(), _:
            return f"{repo} is gated; request access on its page"
        case RevisionNotFoundError(), _:
            return f"{repo} has no such branch, tag or commit; check --revision"
        case RepositoryNotFoundError(), _:
            visible = "that your token may see" if get_token() else "that can be seen without a token"
            return f"there is no repository {repo} {visible}; check the name, and HF_TOKEN or: hf auth login"
        case LocalTokenNotFoundError(), _:
            return _token_needed(repo)
        case _, 401 if not get_token():
            return _token_needed(repo)
        case _, 401:
            return "the Hub rejects the token; create one with write access, and set HF_TOKEN or: hf auth login"
        case _, 403:
            return f"the Hub refuses this to your token; create one with access to {repo}, and set HF_TOKEN or: hf auth login"
        case _, 412:
            return f"{repo} was changed by someone else meanwhile; try again"
        case OSError(), _ if is_disk_full(error):
            return "the disk of the Hub's cache is full; make room on it, or set HF_HOME to a folder on another"
        case OfflineModeIsEnabled(), _:
            return "HF_HUB_OFFLINE is set, so no request was made"
        case httpx2.TimeoutException(), _:
            return "the Hub gave no answer in time; try again"
        case _, int(status):
            reason = _server_message(error)
            return f"the Hub answered {status}{f' ({reason})' if reason else ''}; try again later"
        case httpx2.HTTPError(), _:
            return "the Hub cannot be reached; check the network and try again"
    return f"the exchange with the Hub failed ({type(error).__name__}); try again"


def _token_needed(repo: str) -> str:
    return f"the Hub wants a token for {repo}; set HF_TOKEN, or log in with: hf auth login"


def _server_message(error: Exception) -> str:
    """The Hub's own message, shortened, with the token masked."""
    message = " ".join(str(getattr(error, "server_message", None) or "").split())[:160]
    token = get_token()
    return message.replace(token, "***") if token else message
