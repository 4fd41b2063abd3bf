"""The project's folder -> a Space on the Hugging Face Hub that runs the app."""

from pathlib import Path

from huggingface_hub import HfApi, SpaceCard

from lyricgen.errors import HubError
from lyricgen.hub.download import check_repo, hub_errors
from lyricgen.hub.publish import HARMLESS, Push, push_files

NEEDED = ("app.py", "lyricgen", "requirements.txt", "README.md", "LICENSE")  # files and folders that a Space runs on
OWNED = ("lyricgen/",)
VARIABLE = "LYRICGEN_HUB_REPO"


def push_space(repo: str, hub_repo: str | None = None, private: bool = False, root: Path | None = None) -> Push:
    """Makes a Space, or updates it, from the project's folder, in one commit.

    Args:
        repo: of the Space, 'USER/NAME'.
        hub_repo: the models that it is to run, 'USER/NAME'; None: those that come with the project.
        private: whether a Space that is made now is private.
        root: the project's folder.

    Raises:
        ArgumentError: a name cannot be.
        HubError: the folder is not the project's, the repository holds something else, or the push failed.
    """
    repo = check_repo(repo, "--repo")
    hub_repo = check_repo(hub_repo) if hub_repo is not None else None
    files = space_files(root or Path(__file__).resolve().parents[2], hub_repo)

    def refuse(there: set[str]) -> None:
        if "lyricgen/__init__.py" not in there and there - HARMLESS:
            raise HubError(f"the Space {repo} holds another app; name another Space")

    push = push_files(
        repo, files, OWNED, "Update the app", repo_type="space", private=private, refuse=refuse, space_sdk="gradio"
    )
    try:
        with hub_errors(repo):
            _set_variable(HfApi(library_name="lyricgen"), repo, hub_repo)
    except HubError as error:
        raise HubError(
            f"{repo} is at commit {push.commit[:7]} now, but its variable {VARIABLE} was not set, since {error}"
        ) from None
    return push


def _set_variable(api: HfApi, repo: str, hub_repo: str | None) -> None:
    """Tells the Space which models to run; what it has been told already is left, since a change starts it anew."""
    told = api.get_space_variables(repo).get(VARIABLE)
    if hub_repo and (told is None or told.value != hub_repo):
        api.add_space_variable(repo, VARIABLE, hub_repo)
    elif told and not hub_repo:
        api.delete_space_variable(repo, VARIABLE)


def space_files(root: Path, hub_repo: str | None = None) -> dict[str, Path | bytes]:
    """What a Space holds, by path. With `hub_repo` its front matter names the models, so that they are there when it starts.

    Raises:
        HubError: `root` is not the project's folder.
    """
    missing = [name for name in NEEDED if not (root / name).exists()]
    if missing:
        raise HubError(
            f"the project's folder is needed, and this one has no {missing[0]}; run it in a checkout of lyricgen"
        )
    files: dict[str, Path | bytes] = {}
    for name in NEEDED:
        paths = [root / name] if (root / name).is_file() else sorted((root / name).rglob("*"))
        files |= {
            path.relative_to(root).as_posix(): path
            for path in paths
            if path.is_file()
            and not path.is_symlink()
            and not any(_is_left_out(part) for part in path.relative_to(root).parts)
        }
    if hub_repo:
        card = SpaceCard((root / "README.md").read_text(encoding="utf-8"))
        card.data.models = [hub_repo]
        card.data["preload_from_hub"] = [hub_repo]
        files["README.md"] = str(card).encode()
    return files


def _is_left_out(name: str) -> bool:
    """Whether a file or folder is none of the project's: hidden, compiled, or left by a write that broke off."""
    return name.startswith(".") or name == "__pycache__" or name.endswith((".pyc", ".partial", ".old"))
