"""Download of models from a Hub repository, verified, with the cache as fallback.

lstm/  vanilla-rnn/  lyrics/  attribution/  originality/  membership/   artifact folders as train.py writes them, one network
                                                                        at least
manifest.json                                                           header of the snapshot: the sha256 of their files
README.md  learning-curve.png                                           the model card

`Download` runs in a process of its own (`python -m lyricgen.hub.download USER/NAME`): a Hub that hangs delays the start of
an app by no more than STARTUP_TIMEOUT. lyricgen.hub.publish writes such a repository.
"""

import atexit
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from huggingface_hub import HfApi, snapshot_download

from lyricgen.errors import ArgumentError, HubError, LyricGenError
from lyricgen.hub.errors import hub_errors
from lyricgen.hub.flags import check_repo, check_revision
from lyricgen.storage import (
    ARTIFACT_FOLDERS,
    HUB_SNAPSHOT,
    MODEL,
    atomic_file,
    cache_folder,
    file_fault,
    read_header,
    write_json,
)
from lyricgen.validation import short_repr

FOLDERS = tuple(ARTIFACT_FOLDERS)
MANIFEST, CARD = HUB_SNAPSHOT.header, "README.md"
METADATA_TIMEOUT = 3.0  # seconds for the one request whether there is a newer commit
STARTUP_TIMEOUT = 4.5  # seconds that the start of an app waits for a download, once it has nothing else to do
DOWNLOAD_TIMEOUT = 600.0  # seconds after which a download in the background gives up


@dataclass(frozen=True)
class Snapshot:
    """A repository at one commit, on this machine, each file verified."""

    repo: str
    revision: str
    """The branch, tag or commit that was requested."""
    commit: str
    folder: Path

    def keep(self) -> None:
        """Records this snapshot as the newest working one, for a start without the Hub."""
        path = _pointer_path(self.repo, self.revision)
        with suppress(OSError):  # an app starts with a read-only cache too
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_file(path) as partial:
                write_json(partial, {"commit": self.commit, "folder": str(self.folder)})


class Download:
    """A download in a process of its own, started at once, while the app continues to start.

    Args:
        repo: 'USER/NAME'; an invalid name raises only in `fetched`, so that the app starts without it.
        revision: a branch, a tag, or a commit.
    """

    def __init__(self, repo: str, revision: str = "main"):
        self.repo, self.revision, self._invalid_argument = repo, revision, None
        try:
            self.repo, self.revision = check_repo(repo), check_revision(revision)
        except ArgumentError as error:
            self.repo, self._invalid_argument = "the repository", error
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
        """The snapshot, after at most STARTUP_TIMEOUT; a slower download continues for the next start.

        Raises:
            HubError: the repository does not hold it, or the Hub failed or is too slow.
        """
        if self._invalid_argument:
            raise HubError(str(self._invalid_argument))
        try:
            self._process.wait(STARTUP_TIMEOUT)
        except subprocess.TimeoutExpired:
            raise HubError("the Hub is slow; the download continues for the next start") from None
        try:
            answer = json.load(cast(IO[bytes], self._process.stdout))  # one line, which fits into the pipe
            if "error" in answer:
                raise HubError(answer["error"])
            return Snapshot(self.repo, self.revision, answer["commit"], Path(answer["folder"]))
        except (ValueError, KeyError, TypeError):
            raise HubError("the download from the Hub broke off; try again") from None

    def cached(self) -> Snapshot | None:
        """The newest snapshot that worked here, else the newest in the client's cache; None if neither is intact."""
        if self._invalid_argument:
            return None
        with suppress(OSError, ValueError, KeyError, TypeError, HubError):
            kept = json.loads(_pointer_path(self.repo, self.revision).read_text(encoding="utf-8"))
            snapshot = Snapshot(self.repo, self.revision, kept["commit"], Path(kept["folder"]))
            check_manifest(snapshot.folder)
            return snapshot
        with suppress(OSError, ValueError, HubError):
            folder = Path(snapshot_download(self.repo, revision=self.revision, local_files_only=True))
            check_manifest(folder)
            return Snapshot(self.repo, self.revision, folder.name, folder)
        return None

    def stop(self) -> None:
        """Ends a download that is still running."""
        if self._invalid_argument:
            return
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()
        atexit.unregister(self.stop)


def fetch(repo: str, revision: str = "main") -> tuple[str, Path]:
    """Downloads the artifact folders of a revision, or takes them from the client's cache, and verifies them.

    Returns:
        The commit, and the folder of the snapshot.

    Raises:
        HubError: the download failed, or the files do not match the manifest.
    """
    with hub_errors(repo):
        info = HfApi(library_name="lyricgen").model_info(repo, revision=revision, timeout=METADATA_TIMEOUT)
        if MANIFEST not in {sibling.rfilename for sibling in info.siblings or ()}:
            raise HubError(f"{repo} holds something else than models of lyricgen (it has no {MANIFEST})")
        patterns = [MANIFEST, *(f"{name}/*" for name in FOLDERS)]
        commit = str(info.sha)
        folder = Path(snapshot_download(repo, revision=commit, allow_patterns=patterns))
    check_manifest(folder)
    return commit, folder


def check_manifest(folder: Path) -> None:
    """Verifies the files of a snapshot against its manifest; altered files are evicted from the cache.

    Raises:
        HubError: a file is missing or altered, or the manifest is damaged or of another format.
    """
    try:
        manifest = read_header(folder, HUB_SNAPSHOT)
    except HubError:
        _evict(folder, MANIFEST)
        raise
    files = manifest.get("files")
    if not isinstance(files, Mapping):
        _evict(folder, MANIFEST)
        raise HubError(f"{MANIFEST} of {HUB_SNAPSHOT.named(folder)} is damaged; {HUB_SNAPSHOT.if_damaged}")
    if not any(f"{name}/{MODEL.header}" in files for name in FOLDERS):
        raise HubError(f"{MANIFEST} lists no model")
    for path in files:
        if not re.fullmatch(rf"({'|'.join(FOLDERS)})/\w[\w.-]*", path):
            raise HubError(f"{MANIFEST} lists a file that is not part of a model: {short_repr(path)}")
    faults = {path: fault for path, sha256 in files.items() if (fault := file_fault(folder / path, sha256))}
    for path in faults:
        _evict(folder, path)
    for path, fault in faults.items():
        raise HubError(f"{path} {fault}; {HUB_SNAPSHOT.if_damaged}")


def _evict(folder: Path, path: str) -> None:
    """Deletes a file of a snapshot, so that the next download requests it again.

    The blob that it links to in the client's cache is deleted too, unless another snapshot uses it.
    """
    with suppress(OSError):
        blob = (folder / path).resolve()
        (folder / path).unlink()
        if not any(other.resolve() == blob for other in folder.parent.glob(f"*/{path}")):
            blob.unlink(missing_ok=True)


def _pointer_path(repo: str, revision: str) -> Path:
    """The file that names the newest working snapshot of a repository."""
    return cache_folder() / "hub" / f"{repo}@{revision}".replace("/", "--") / "newest.json"


def _python_path() -> str:
    """`PYTHONPATH` with the parent folder of this package first."""
    root = str(Path(__file__).resolve().parents[2])
    return os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))


def main(arguments: list[str]) -> int:
    """Downloads, and prints commit and folder, or the error, as JSON."""
    threading.Timer(DOWNLOAD_TIMEOUT, os._exit, [1]).start()
    try:
        commit, folder = fetch(*arguments)
        answer = {"commit": commit, "folder": str(folder)}
    except LyricGenError as error:
        answer = {"error": str(error)}
    print(json.dumps(answer), flush=True)
    os._exit(0)  # ends the timer and the client's waiting threads with it


if __name__ == "__main__":
    main(sys.argv[1:])
