"""Command-line flags of a push to the Hub, and the checks of their values; shared by training and the shell.

The client is imported inside the functions: parsing a command line does not need it.
"""

import argparse
import re
import shlex
from pathlib import Path
from typing import Protocol

from lyricgen.errors import ArgumentError
from lyricgen.validation import short_repr


def add_hub_flags(parser: argparse._ActionsContainer, required: bool = False) -> None:
    """Adds the flags that name the repository, branch and tag to publish to."""
    # fmt: off
    parser.add_argument("--hub-repo", required=required, metavar="USER/NAME", help="the repository; created if it does not exist")
    parser.add_argument("--private", action="store_true", help="create the repository as private")
    parser.add_argument("--revision", default="main", metavar="BRANCH", help="the branch; created if it does not exist (default: %(default)s)")
    parser.add_argument("--tag", metavar="NAME", help="a new tag for the commit")
    # fmt: on


class PushOptions(Protocol):
    """The values of the flags of `add_hub_flags`."""

    @property
    def hub_repo(self) -> str | None: ...
    @property
    def private(self) -> bool: ...
    @property
    def revision(self) -> str: ...
    @property
    def tag(self) -> str | None: ...


def push_command(folder: Path, options: PushOptions | argparse.Namespace) -> str:
    """The shell command that publishes a folder with the same flags."""
    values = {"--hub-repo": options.hub_repo, "--revision": options.revision, "--tag": options.tag}
    flags = [f"{flag} {shlex.quote(value)}" for flag, value in values.items() if value and value != "main"]
    if options.private:
        flags.append("--private")
    return " ".join(["python -m lyricgen push", shlex.quote(str(folder)), *flags])


def check_repo(value: object, argument: str = "--hub-repo") -> str:
    """The name of a repository, as 'USER/NAME'.

    Raises:
        ArgumentError: it is not a valid name.
    """
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    name = value.strip() if isinstance(value, str) else ""
    try:
        validate_repo_id(name)
        if name.count("/") == 1:
            return name
    except HFValidationError:
        pass
    raise ArgumentError(
        f"{argument} must be USER/NAME, of letters, digits, '-', '_' and '.', got {short_repr(value)}"
    ) from None


def check_revision(value: object, argument: str = "--revision") -> str:
    """The name of a branch or tag, or a commit.

    Raises:
        ArgumentError: it is not a valid name.
    """
    if not isinstance(value, str) or not re.fullmatch(
        r"(?!.*(\.\.|//|@\{|\.lock$))[\w][\w./-]{0,99}(?<![./])", value, re.ASCII
    ):
        raise ArgumentError(
            f"{argument} must be the name of a branch or tag, of letters, digits, '-', '_', '.' and '/', got {short_repr(value)}"
        )
    return value


def has_token() -> bool:
    """Whether HF_TOKEN or the client's login provides a token for the Hub."""
    from huggingface_hub import get_token

    return bool(get_token())
