"""Publication of files, and of the artifact folders of train.py, in a Hub repository: one commit, all or nothing."""

import json
import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from huggingface_hub import CommitInfo, CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

from lyricgen.analysis.membership import load_thresholds
from lyricgen.analysis.ngram_classifier import load_ngrams
from lyricgen.errors import HubError, ModelError
from lyricgen.hub.download import CARD, FOLDERS, MANIFEST
from lyricgen.hub.errors import hub_errors, status_code
from lyricgen.hub.flags import check_repo, check_revision
from lyricgen.hub.model_card import CURVE, draw_curve, write_card
from lyricgen.memorization.song_index import SongIndex
from lyricgen.models.checkpoints import load_checkpoint
from lyricgen.storage import ARTIFACT_FOLDERS, HUB_SNAPSHOT, MODEL, artifact_files, file_sha256
from lyricgen.validation import short_repr
from lyricgen.words.word_vectors import read_folder, read_meta

FILES_OF_NEW_REPO = {".gitattributes", ".gitignore", "README.md", "LICENSE", "LICENSE.md"}


@dataclass(frozen=True)
class Push:
    """Result of a push."""

    repo: str
    commit: str
    """The commit that the branch is at now, 40 hexadecimal digits."""
    new: bool
    """False if the repository held the same files already and no commit was made."""
    url: str

    def __str__(self) -> str:
        unchanged = "" if self.new else ", as before: nothing has changed"
        return f"{self.repo} is at commit {self.commit[:7]}{unchanged}: {self.url}"


def push_files(
    repo: str,
    files: Mapping[str, Path | bytes],
    owned: tuple[str, ...],
    message: str,
    *,
    space_sdk: str | None = None,
    private: bool = False,
    revision: str = "main",
    tag: str | None = None,
    check_paths: Callable[[set[str]], None] | None = None,
) -> Push:
    """Commits files to a repository, which is created, and its branch, if it does not exist.

    Args:
        repo: 'USER/NAME'.
        files: content, or the file that holds it, by path in the repository.
        owned: folders, as 'NAME/', in which all other files are deleted.
        message: of the commit.
        space_sdk: of a Space; None: the repository is one of models.
        private: visibility of a new repository.
        revision: the branch.
        tag: a new tag for the commit.
        check_paths: called with the paths in the repository; raises if it must not be written to.

    Raises:
        HubError: the push failed. A repository or branch created by it is deleted again; nothing else has changed.
    """
    target = _Target(repo, space_sdk, revision)
    with hub_errors(repo), target.created(private):
        parent, paths = target.head()
        if check_paths:
            check_paths(paths)
        if tag:
            target.check_new_tag(tag)
        stale = {path for path in paths - files.keys() if path.startswith(owned)}
        commit = target.commit(files, stale, message, parent)
    if tag:
        target.create_tag(tag, commit)
    path = f"spaces/{repo}" if space_sdk else repo
    return Push(repo, commit.oid, commit.oid != parent, f"{target.api.endpoint}/{path}")


def push_models(
    folder: str | Path,
    repo: str,
    *,
    private: bool = False,
    revision: str = "main",
    tag: str | None = None,
) -> Push:
    """Publishes the artifact folders that train.py wrote into a folder, and nothing else in it.

    The token is that of `HF_TOKEN`, or of `hf auth login`.

    Args:
        folder: holds `lstm` or `vanilla-rnn`, and optionally `lyrics`, `attribution`, `originality` and
            `membership`.
        repo, private, revision, tag: see `push_files`.

    Raises:
        ArgumentError: the name of the repository, branch or tag is invalid.
        ModelError, VectorsError: the folder holds no model, or an artifact is damaged.
        HubError: the push failed; see `push_files`. The folder is not changed in any case.
    """
    repo, revision = check_repo(repo), check_revision(revision)
    tag = check_revision(tag, "--tag") if tag is not None else None
    files = model_files(Path(folder), repo)

    def check_paths(paths: set[str]) -> None:
        if MANIFEST not in paths and paths - FILES_OF_NEW_REPO:
            other = short_repr(min(paths - FILES_OF_NEW_REPO))
            raise HubError(f"{repo} holds something else than models of lyricgen ({other}); name another repository")

    names = ", ".join(name for name in FOLDERS if any(path.startswith(f"{name}/") for path in files))
    return push_files(
        repo,
        files,
        owned=tuple(f"{name}/" for name in FOLDERS),
        message=f"Upload {names}",
        private=private,
        revision=revision,
        tag=tag,
        check_paths=check_paths,
    )


def model_files(folder: Path, repo: str) -> dict[str, Path | bytes]:
    """The files of a repository for the artifacts in a folder, by path; each artifact is loaded strictly first.

    Raises:
        ModelError, VectorsError: the folder holds no model, or an artifact is damaged.
    """
    if not os.path.isdir(folder):  # Path.is_dir raises on a name too long for a file
        problem = "is a file" if os.path.exists(folder) else "is not there"
        raise ModelError(
            f"{short_repr(str(folder))} {problem}; name the folder that train.py wrote (--out, by default models)"
        )
    present = [name for name in FOLDERS if (folder / name).is_dir()]
    models = {name: load_checkpoint(folder / name) for name in present if ARTIFACT_FOLDERS[name] is MODEL}
    if not models:
        raise ModelError(
            f"{short_repr(folder.name)} holds neither a folder lstm nor vanilla-rnn; train one with train.py, or name its parent folder"
        )
    words, others = _describe_others(folder, present)
    files = {
        f"{name}/{file}": folder / name / file
        for name in present
        for file in artifact_files(folder / name, ARTIFACT_FOLDERS[name])
    }
    checksums = {path: file_sha256(file) for path, file in files.items()}
    manifest = {"format_version": HUB_SNAPSHOT.version, "files": checksums}
    return {
        **files,
        MANIFEST: (json.dumps(manifest, indent=2) + "\n").encode(),
        CARD: write_card(repo, models, words, others).encode(),
        CURVE: draw_curve(models),
    }


def _describe_others(folder: Path, present: list[str]) -> tuple[dict | None, dict[str, str]]:
    """Loads the artifacts that are not networks; the header of the word vectors, and a line on each other folder."""
    words, others = None, {}
    if "lyrics" in present:
        read_folder(folder / "lyrics")
        words = read_meta(folder / "lyrics")
    if "attribution" in present:
        artists = len(load_ngrams(folder / "attribution").artists)
        others["attribution"] = f"Authorship attribution: a classifier of hashed n-grams for {artists} artists"
    if "originality" in present:
        songs = len(SongIndex.load(folder / "originality"))
        others["originality"] = (
            f"An index of {songs:,} songs by hashes of five words in a row, to find verbatim overlap; it contains no lyric"
        )
    if "membership" in present:
        lengths = ", ".join(f"{length:,}" for length in load_thresholds(folder / "membership").by_length)
        others["membership"] = f"Thresholds for whether both models have read a text, for texts of {lengths} characters"
    return words, others


@dataclass(frozen=True)
class _Target:
    """Repository and branch of a push; each method but `create_tag` raises the client's errors."""

    repo: str
    space_sdk: str | None
    """None for a repository of models."""
    revision: str
    api: HfApi = field(default_factory=lambda: HfApi(library_name="lyricgen"))

    @property
    def repo_type(self) -> str:
        return "space" if self.space_sdk else "model"

    def head(self) -> tuple[str, set[str]]:
        """The branch's commit and the paths in it."""
        info = self.api.repo_info(self.repo, repo_type=self.repo_type, revision=self.revision)
        return str(info.sha), {sibling.rfilename for sibling in getattr(info, "siblings", None) or ()}

    @contextmanager
    def created(self, private: bool) -> Iterator[None]:
        """Creates the repository and the branch where they do not exist; deletes them again if the block fails."""
        new_repo = self._create_repo(private)
        new_branch = False
        try:
            new_branch = self._create_branch()
            yield
        except BaseException:
            with suppress(Exception):  # the failure above is the one to report
                if new_repo:
                    self.api.delete_repo(self.repo, repo_type=self.repo_type)
                elif new_branch:
                    self.api.delete_branch(self.repo, repo_type=self.repo_type, branch=self.revision)
            raise

    def _create_repo(self, private: bool) -> bool:
        """Returns whether the repository is new."""
        try:
            self.api.create_repo(self.repo, repo_type=self.repo_type, private=private, space_sdk=self.space_sdk)
            return True
        except HfHubHTTPError as error:
            if status_code(error) == 409:
                return False
            try:  # it may exist, and the token lack only the right to create
                self.api.repo_info(self.repo, repo_type=self.repo_type)
                return False
            except HfHubHTTPError:
                raise error from None

    def _create_branch(self) -> bool:
        """Returns whether the branch is new."""
        if self.revision == "main":
            return False
        branches = self.api.list_repo_refs(self.repo, repo_type=self.repo_type).branches
        if self.revision in {ref.name for ref in branches}:
            return False
        self.api.create_branch(self.repo, repo_type=self.repo_type, branch=self.revision)
        return True

    def check_new_tag(self, tag: str) -> None:
        """Refuses an existing tag: others rely on it, so it does not move."""
        for ref in self.api.list_repo_refs(self.repo, repo_type=self.repo_type).tags:
            if ref.name == tag:
                raise HubError(
                    f"{self.repo} has a tag {tag} already, at commit {ref.target_commit[:7]}; choose another"
                )

    def commit(self, files: Mapping[str, Path | bytes], stale: set[str], message: str, parent: str) -> CommitInfo:
        """Adds `files` and deletes `stale` in one commit, provided that the branch is still at `parent`."""
        additions = [CommitOperationAdd(path, content) for path, content in sorted(files.items())]
        deletions = [CommitOperationDelete(path) for path in sorted(stale)]
        with _quiet():
            return self.api.create_commit(
                self.repo,
                [*additions, *deletions],
                commit_message=message,
                repo_type=self.repo_type,
                revision=self.revision,
                parent_commit=parent,
            )

    def create_tag(self, tag: str, commit: CommitInfo) -> None:
        """Tags a commit.

        Raises:
            HubError: it failed; the commit stays.
        """
        try:
            with hub_errors(self.repo):
                self.api.create_tag(self.repo, repo_type=self.repo_type, tag=tag, revision=commit.oid)
        except HubError as error:
            raise HubError(
                f"{self.repo} is at commit {commit.oid[:7]} now, but its tag {tag} was not set, since {error}"
            ) from None


@contextmanager
def _quiet() -> Iterator[None]:
    """Silences the client's log messages, and its progress bars unless standard error is a terminal."""
    logger = logging.getLogger("huggingface_hub")
    level, hide_bars = logger.level, not (sys.stderr.isatty() or are_progress_bars_disabled())
    logger.setLevel(logging.ERROR)
    if hide_bars:
        disable_progress_bars()
    try:
        yield
    finally:
        logger.setLevel(level)
        if hide_bars:
            enable_progress_bars()
