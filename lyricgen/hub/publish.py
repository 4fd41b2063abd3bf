"""Files -> a repository on the Hugging Face Hub, in one commit; what is published of a folder of models."""

import json
import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

from lyricgen.analysis import ngram_classifier as ngrams
from lyricgen.errors import HubError, ModelError
from lyricgen.hub.download import (
    CARD,
    FOLDERS,
    FORMAT_VERSION,
    MANIFEST,
    check_repo,
    check_revision,
    hub_errors,
    status_of,
)
from lyricgen.hub.model_card import CURVE, draw_curve, write_card
from lyricgen.memorization.song_index import FOLDER as INDEX
from lyricgen.memorization.song_index import SongIndex
from lyricgen.models.checkpoints import load_checkpoint
from lyricgen.storage import ARTIFACT_FOLDERS, MODEL, file_sha256
from lyricgen.validation import short_repr
from lyricgen.words.space import open_space, read_meta

HARMLESS = {".gitattributes", ".gitignore", "README.md", "LICENSE", "LICENSE.md"}  # in a repository without models


@dataclass(frozen=True)
class Push:
    """What a push did."""

    repo: str
    commit: str
    """The commit that the repository is at now, 40 hexadecimal digits."""
    new: bool
    """False if the repository held the same files already, so that no commit was made."""
    url: str

    def __str__(self) -> str:
        return f"{self.repo} is at commit {self.commit[:7]}{'' if self.new else ', as before: nothing has changed'}: {self.url}"


def push_files(
    repo: str,
    files: Mapping[str, Path | bytes],
    owned: tuple[str, ...],
    message: str,
    *,
    repo_type: str = "model",
    private: bool = False,
    revision: str = "main",
    tag: str | None = None,
    refuse: Callable[[set[str]], None] | None = None,
    **creation,
) -> Push:
    """Puts files into a repository in one commit, which makes it, and its branch, where there is none.

    Args:
        repo: 'USER/NAME'.
        files: by path in the repository, what they hold.
        owned: folders, 'NAME/', in which files that are not among `files` are deleted.
        message: of the commit.
        repo_type: 'model' or 'space'.
        private: whether a repository that is made now is private.
        revision: the branch.
        tag: a name for the commit.
        refuse: called with the paths that the repository holds; raises where it must not be written to.
        creation: more arguments of `HfApi.create_repo`.

    Raises:
        HubError: it failed. The repository is as it was: one made now is deleted again.
    """
    api = HfApi(library_name="lyricgen")
    with hub_errors(repo):
        made, branched = _create(api, repo, repo_type, private, creation), False
        try:
            branched = _branch(api, repo, repo_type, revision)
            head = api.repo_info(repo, repo_type=repo_type, revision=revision)
            there = {sibling.rfilename for sibling in head.siblings}
            if refuse:
                refuse(there)
            if tag:
                _check_tag(api, repo, repo_type, tag)
            stale = sorted(path for path in there - files.keys() if path.startswith(owned))
            operations = [CommitOperationAdd(path, content) for path, content in sorted(files.items())]
            operations += [CommitOperationDelete(path) for path in stale]
            with _quiet():
                commit = api.create_commit(
                    repo,
                    operations,
                    commit_message=message,
                    repo_type=repo_type,
                    revision=revision,
                    parent_commit=head.sha,
                )
        except BaseException:
            with suppress(Exception):  # what is told is the failure above
                if made:
                    api.delete_repo(repo, repo_type=repo_type)
                elif branched:
                    api.delete_branch(repo, repo_type=repo_type, branch=revision)
            raise
    if tag:
        try:
            with hub_errors(repo):
                api.create_tag(repo, repo_type=repo_type, tag=tag, revision=commit.oid)
        except HubError as error:
            raise HubError(
                f"{repo} is at commit {commit.oid[:7]} now, but its tag {tag} was not set, since {error}"
            ) from None
    path = f"spaces/{repo}" if repo_type == "space" else repo
    return Push(repo, commit.oid, commit.oid != head.sha, f"{api.endpoint}/{path}")


def push_models(
    folder: str | Path,
    repo: str,
    *,
    private: bool = False,
    revision: str = "main",
    tag: str | None = None,
) -> Push:
    """Publishes the models, word vectors and song index of a folder that train.py wrote, and no others.

    The token is that of `HF_TOKEN`, or of `hf auth login`.

    Args:
        folder: holds at least one of `lstm` and `vanilla-rnn`, and perhaps `lyrics`, `attribution` and `originality`.
        repo, private, revision, tag: as in `push_files`.

    Raises:
        ArgumentError: the name of the repository, the branch or the tag cannot be.
        ModelError, VectorsError: the folder holds no model, or what it holds is damaged.
        HubError: the push failed. The repository is as it was, and the folder is not touched in any case.
    """
    repo, revision = check_repo(repo), check_revision(revision)
    tag = check_revision(tag, "--tag") if tag is not None else None
    files = model_files(Path(folder), repo)
    owned = tuple(f"{name}/" for name in FOLDERS)

    def refuse(there: set[str]) -> None:
        if MANIFEST not in there and there - HARMLESS:
            other = short_repr(min(there - HARMLESS))
            raise HubError(f"{repo} holds something else than models of lyricgen ({other}); name another repository")

    names = ", ".join(name for name in FOLDERS if any(path.startswith(f"{name}/") for path in files))
    return push_files(repo, files, owned, f"Upload {names}", private=private, revision=revision, tag=tag, refuse=refuse)


def model_files(folder: Path, repo: str) -> dict[str, Path | bytes]:
    """What a repository of the models in a folder holds, by path; each model is read strictly first.

    Raises:
        ModelError, VectorsError: the folder holds no model, or what it holds is damaged.
    """
    if not os.path.isdir(folder):  # Path.is_dir raises on a name too long for a file
        what = "is a file" if os.path.exists(folder) else "is not there"
        raise ModelError(
            f"{short_repr(str(folder))} {what}; name the folder that train.py wrote (--out, by default models)"
        )
    present = [name for name in FOLDERS if (folder / name).is_dir()]
    models = {name: load_checkpoint(folder / name) for name in present if ARTIFACT_FOLDERS[name] is MODEL}
    if not models:
        raise ModelError(
            f"{short_repr(folder.name)} holds neither a folder lstm nor vanilla-rnn; train one with train.py, or name its parent folder"
        )
    words = None
    if "lyrics" in present:
        open_space(folder / "lyrics").fill_norms()  # numbers that are not finite are found now
        words = read_meta(folder / "lyrics")
    others = {}
    if "attribution" in present:
        artists = len(ngrams.load_ngrams(folder / "attribution").artists)
        others["attribution"] = f"What tells {artists} artists apart beside a network: a classifier of hashed n-grams"
    if INDEX in present:
        songs = len(SongIndex.load(folder / INDEX))
        others[INDEX] = (
            f"An index of {songs:,} songs by hashes of five words in a row, by which it is told what of a text stands in "
            "them; no lyric is in it"
        )
    files: dict[str, Path | bytes] = {
        f"{name}/{file}": folder / name / file
        for name in present  # these files only, whatever else lies beside them
        for file in ARTIFACT_FOLDERS[name].all_files
    }
    manifest = {"format_version": FORMAT_VERSION, "files": {path: file_sha256(file) for path, file in files.items()}}
    files[MANIFEST] = (json.dumps(manifest, indent=2) + "\n").encode()
    files[CARD] = write_card(repo, models, words, others).encode()
    files[CURVE] = draw_curve(models)
    return files


def _create(api: HfApi, repo: str, repo_type: str, private: bool, creation: dict) -> bool:
    """Makes a repository; returns False where there was one."""
    try:
        api.create_repo(repo, repo_type=repo_type, private=private, exist_ok=False, **creation)
        return True
    except HfHubHTTPError as error:
        if status_of(error) == 409:
            return False
        try:  # one that may be written to, but not be made
            api.repo_info(repo, repo_type=repo_type)
            return False
        except HfHubHTTPError:
            raise error from None


def _branch(api: HfApi, repo: str, repo_type: str, revision: str) -> bool:
    """Makes a branch; returns False where there was one."""
    if revision in ("main", *(ref.name for ref in api.list_repo_refs(repo, repo_type=repo_type).branches)):
        return False
    api.create_branch(repo, repo_type=repo_type, branch=revision)
    return True


def _check_tag(api: HfApi, repo: str, repo_type: str, tag: str) -> None:
    """Refuses a tag that is there already: others rely on it, so it does not move."""
    for ref in api.list_repo_refs(repo, repo_type=repo_type).tags:
        if ref.name == tag:
            raise HubError(f"{repo} has a tag {tag} already, at commit {ref.target_commit[:7]}; choose another")


@contextmanager
def _quiet() -> Iterator[None]:
    """Silences the client's own remarks, which say what ours say, and its progress bars where nobody watches them."""
    logger = logging.getLogger("huggingface_hub")
    before, without_bars = logger.level, not (sys.stderr.isatty() or are_progress_bars_disabled())
    logger.setLevel(logging.ERROR)
    if without_bars:
        disable_progress_bars()
    try:
        yield
    finally:
        logger.setLevel(before)
        if without_bars:
            enable_progress_bars()
