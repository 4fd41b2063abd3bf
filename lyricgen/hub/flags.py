"""The command-line flags of a push to the Hub, shared by training and the shell."""

import argparse
import shlex
from pathlib import Path


def add_hub_flags(parser: argparse.ArgumentParser, required: bool = False) -> None:
    """The flags by which a command, train.py's among them, is told where on the Hub it is to publish."""
    # fmt: off
    parser.add_argument("--hub-repo", required=required, metavar="USER/NAME", help="the repository; it is made where there is none")
    parser.add_argument("--private", action="store_true", help="where it is made, make it private")
    parser.add_argument("--revision", default="main", metavar="BRANCH", help="the branch; it is made where there is none (default: %(default)s)")
    parser.add_argument("--tag", metavar="NAME", help="a name for the commit, which does not move")


def push_command(folder: Path, options: argparse.Namespace) -> str:
    """The command that publishes a folder with the flags of `add_hub_flags` as they were given."""
    flags = {"--hub-repo": options.hub_repo, "--revision": options.revision, "--tag": options.tag}
    given = [f"{flag} {shlex.quote(value)}" for flag, value in flags.items() if value and value != "main"]
    return " ".join(["python -m lyricgen push", shlex.quote(str(folder)), *given, *["--private"] * options.private])
