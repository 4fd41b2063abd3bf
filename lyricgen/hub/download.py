"""Model folders <-> a repository on the Hugging Face Hub, through its own client.

lstm/  vanilla-rnn/                     folders as train.py writes them; so are
lyrics/  attribution/  originality/     these, which may be missing
manifest.json                           format version, and the sha256 of each of their files
README.md                               the model card, with learning-curve.png

`Download` asks the Hub once, in a process of its own (`python -m lyricgen.hub.download USER/NAME`), so that a Hub that hangs
costs an app no more than its time-out. lyricgen.hub.publish writes such a repository.
"""

import atexit
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx2
from huggingface_hub import HfApi, get_token, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HFValidationError,
    LocalTokenNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import get_session, validate_repo_id

from lyricgen.errors import ArgumentError, HubError, LyricGenError
from lyricgen.storage import cache_folder, file_sha256, write_json
from lyricgen.validation import short_repr

FORMAT_VERSION = 1
MANIFEST, CARD = "manifest.json", "README.md"
FOLDERS = ("lstm", "vanilla-rnn", "lyrics", "attribution", "originality")
REQUEST_WITHIN = 60  # seconds without a byte, of anything that is asked of the Hub
ANSWER_WITHIN = 3  # seconds for the one question whether there is something new
WAIT_AT_MOST = 4.5  # seconds that an app's start waits for a download, once it has nothing else to do
GIVE_UP_AFTER = 600  # seconds after which a download that goes on behind an app ends


# Names


def check_repo(value: object, argument: str = "--hub-repo") -> str:
    """The name of a repository, as 'USER/NAME'.

    Raises:
        ArgumentError: no repository can have it.
    """
    name = value.strip() if isinstance(value, str) else value
    try:
        validate_repo_id(name)
        if name.count("/") != 1:
            raise HFValidationError
    except (HFValidationError, AttributeError, TypeError):
        raise ArgumentError(
            f"{argument} must be USER/NAME, of letters, digits, '-', '_' and '.', got {short_repr(value)}"
        ) from None
    return name


def check_revision(value: object, argument: str = "--revision") -> str:
    """The name of a branch or tag, or a commit.

    Raises:
        ArgumentError: none can have it.
    """
    if not isinstance(value, str) or not re.fullmatch(
        r"(?!.*(\.\.|//|@\{|\.lock$))[\w][\w./-]{0,99}(?<![./])", value, re.ASCII
    ):
        raise ArgumentError(
            f"{argument} must be the name of a branch or tag, of letters, digits, '-', '_', '.' and '/', got {short_repr(value)}"
        )
    return value


def has_token() -> bool:
    """Whether the environment or the client's login holds a token for the Hub."""
    return bool(get_token())


# Errors


@contextmanager
def hub_errors(repo: str) -> Iterator[None]:
    """Turns what the Hub's client raises within it into one sentence of ours, without token, address or path.

    Within it requests have a time-out, which the client leaves out for most.
    """
    session = get_session()
    before, session.timeout = session.timeout, httpx2.Timeout(REQUEST_WITHIN, connect=10)
    try:
        yield
    except LyricGenError:
        raise
    except (OSError, ValueError, RuntimeError, httpx2.HTTPError) as error:  # RuntimeError: an upload to LFS
        cause = error.__cause__ if type(error) is RuntimeError and isinstance(error.__cause__, Exception) else error
        raise HubError(_sentence(repo, cause)) from None
    finally:
        session.timeout = before


def _sentence(repo: str, error: Exception) -> str:
    """What happened, and what to do about it."""
    status = status_of(error)
    if isinstance(error, GatedRepoError):
        return f"{repo} is open only to those whom its owner has let in; ask for access on its page"
    if isinstance(error, RevisionNotFoundError):
        return f"{repo} has no such branch, tag or commit; check --revision"
    if isinstance(error, RepositoryNotFoundError):
        seen = "that your token may see" if get_token() else "that can be seen without a token"
        return f"there is no repository {repo} {seen}; check the name, and HF_TOKEN or: hf auth login"
    if isinstance(error, LocalTokenNotFoundError) or status == 401 and not get_token():
        return f"the Hub wants a token for {repo}; set HF_TOKEN, or log in with: hf auth login"
    if status == 401:
        return "the Hub does not take the token; make a new one with the right to write, and set HF_TOKEN or: hf auth login"
    if status == 403:
        return f"the Hub refuses this to your token; make one that has the right to {repo}, and set HF_TOKEN or: hf auth login"
    if status == 412:
        return f"{repo} was changed by someone else meanwhile; try again"
    if isinstance(error, OfflineModeIsEnabled):
        return "HF_HUB_OFFLINE is set, so the Hub is not asked"
    if isinstance(error, httpx2.TimeoutException):
        return "the Hub gave no answer in time; try again"
    if status:
        said = _said(error)
        return f"the Hub answered {status}{f' ({said})' if said else ''}; try again later"
    if isinstance(error, httpx2.HTTPError):
        return "the Hub cannot be reached; check the network and try again"
    return f"the exchange with the Hub failed ({type(error).__name__}); try again"


def status_of(error: Exception) -> int | None:
    return getattr(getattr(error, "response", None), "status_code", None)


def _said(error: Exception) -> str:
    """What the Hub said of an error, as a short text without the token."""
    said = " ".join(str(getattr(error, "server_message", None) or "").split())[:160]
    token = get_token()
    return said.replace(token, "***") if token else said


# Downloading


@dataclass(frozen=True)
class Snapshot:
    """Models of a repository at one commit, on this machine, with every file as the manifest says."""

    repo: str
    revision: str
    """The branch or tag that was asked for, or the commit itself."""
    commit: str
    folder: Path

    def keep(self) -> None:
        """Remembers this as the newest one that works, for a start at which the Hub cannot be asked."""
        place = _place(self.repo, self.revision)
        partial = place.with_name(f"{place.name}.{os.getpid()}.partial")
        with suppress(OSError):  # a cache that cannot be written keeps no app from starting
            place.parent.mkdir(parents=True, exist_ok=True)
            write_json(partial, {"commit": self.commit, "folder": str(self.folder)})
            partial.replace(place)


class Download:
    """Models on their way from the Hub, in a process of their own, while the app goes on starting.

    Args:
        repo: 'USER/NAME'; of a name that cannot be, `fetched` tells, so that an app starts all the same.
        revision: a branch, a tag, or a commit.
    """

    def __init__(self, repo: str, revision: str = "main"):
        self.repo, self.revision, self._wrong = repo, revision, None
        try:
            self.repo, self.revision = check_repo(repo), check_revision(revision)
        except ArgumentError as error:
            self.repo, self._wrong = "the repository", error
            return
        self._process = subprocess.Popen(
            [sys.executable, "-m", "lyricgen.hub.download", self.repo, self.revision],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HF_HUB_DISABLE_PROGRESS_BARS": "1", "PYTHONPATH": _python_path()},
        )
        atexit.register(self.stop)

    def fetched(self) -> Snapshot:
        """What the Hub has, waited for no longer than an app may; the download may then go on, for the next start.

        Raises:
            HubError: the Hub has not what was asked for, could not be asked, or is too slow.
        """
        if self._wrong:
            raise HubError(str(self._wrong))
        try:
            self._process.wait(WAIT_AT_MOST)
        except subprocess.TimeoutExpired:
            raise HubError("the Hub is slow; what it has is fetched meanwhile, for the next start") from None
        try:
            answer = json.load(self._process.stdout)  # a line, which fits into the pipe
            if "error" in answer:
                raise HubError(answer["error"])
            return Snapshot(self.repo, self.revision, answer["commit"], Path(answer["folder"]))
        except (ValueError, KeyError, TypeError):
            raise HubError("the download from the Hub broke off; try again") from None

    def cached(self) -> Snapshot | None:
        """The newest one that worked here, or what was put into the client's cache before; None if there is none."""
        if self._wrong:
            return None
        try:
            kept = json.loads(_place(self.repo, self.revision).read_text(encoding="utf-8"))
            snapshot = Snapshot(self.repo, self.revision, kept["commit"], Path(kept["folder"]))
            check_manifest(snapshot.folder)
            return snapshot
        except (OSError, ValueError, KeyError, TypeError, HubError):
            pass
        try:
            folder = Path(snapshot_download(self.repo, revision=self.revision, local_files_only=True))
            check_manifest(folder)
            return Snapshot(self.repo, self.revision, folder.name, folder)
        except (OSError, ValueError, HubError):
            return None

    def stop(self) -> None:
        """Ends a download that is still going on."""
        if self._wrong:
            return
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()
        atexit.unregister(self.stop)


def fetch(repo: str, revision: str = "main") -> tuple[str, Path]:
    """Asks the Hub for a revision's commit and downloads its models, unless they are here already.

    Returns:
        The commit, and the folder that holds its models, every file as the manifest says.

    Raises:
        HubError: it is not to be had, or what came is not what was published.
    """
    with hub_errors(repo):
        info = HfApi(library_name="lyricgen").repo_info(repo, revision=revision, timeout=ANSWER_WITHIN)
        if MANIFEST not in {sibling.rfilename for sibling in info.siblings or ()}:
            raise HubError(f"{repo} holds something else than models of lyricgen (it has no {MANIFEST})")
        wanted = [MANIFEST, *(f"{name}/*" for name in FOLDERS)]
        folder = Path(snapshot_download(repo, revision=info.sha, allow_patterns=wanted))
    check_manifest(folder)
    return info.sha, folder


def check_manifest(folder: Path) -> None:
    """Checks that a downloaded folder holds what its manifest says; a file that does not match is deleted.

    Raises:
        HubError: a file is missing or another, or the manifest is of another format.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        version, files = manifest["format_version"], dict(manifest["files"])
    except (OSError, ValueError, KeyError, TypeError):
        _forget(folder, MANIFEST)
        raise HubError(f"{MANIFEST} is missing or damaged") from None
    if version != FORMAT_VERSION:
        raise HubError(f"the models have format version {short_repr(version)}, this lyricgen reads {FORMAT_VERSION}")
    if not any(path == f"{name}/config.json" for path in files for name in FOLDERS):
        raise HubError(f"{MANIFEST} names no model")
    strange = next((path for path in files if not re.fullmatch(rf"({'|'.join(FOLDERS)})/\w[\w.-]*", path)), None)
    if strange is not None:
        raise HubError(f"{MANIFEST} names a file that is no part of a model: {short_repr(strange)}")
    faults = []
    for path, sha256 in files.items():
        try:
            if file_sha256(folder / path) != sha256:
                _forget(folder, path)
                faults.append(f"{path} is not the file that was published (its sha256 differs from the manifest's)")
        except OSError:
            faults.append(f"{path} is missing")
    if faults:
        raise HubError(faults[0])


def _forget(folder: Path, path: str) -> None:
    """Deletes a file of a snapshot, so that the next download fetches it again.

    So goes what it links to in the client's cache, unless another snapshot holds that too.
    """
    with suppress(OSError):
        content = (folder / path).resolve()
        (folder / path).unlink()
        if not any(other.resolve() == content for other in folder.parent.glob(f"*/{path}")):
            content.unlink(missing_ok=True)


def _place(repo: str, revision: str) -> Path:
    """Where it is remembered which commit of a repository worked last."""
    return cache_folder() / "hub" / f"{repo}@{revision}".replace("/", "--") / "newest.json"


def _python_path() -> str:
    """`PYTHONPATH` with the folder that holds this package first."""
    here = str(Path(__file__).resolve().parents[2])
    return os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")]))


def main(arguments: list[str]) -> int:
    """Downloads, and prints the commit and the folder, or the error, as JSON."""
    threading.Timer(GIVE_UP_AFTER, os._exit, [1]).start()
    try:
        commit, folder = fetch(*arguments)
        answer = {"commit": commit, "folder": str(folder)}
    except LyricGenError as error:
        answer = {"error": str(error)}
    print(json.dumps(answer), flush=True)
    os._exit(0)  # neither the timer nor a thread of the client that still waits holds the process


if __name__ == "__main__":
    main(sys.argv[1:])
