"""Publication of the app as a Space on the Hugging Face Hub, from a checkout of the project."""

from pathlib import Path

from huggingface_hub import HfApi, SpaceCard

from lyricgen.errors import HubError
from lyricgen.hub.errors import hub_errors
from lyricgen.hub.flags import check_repo
from lyricgen.hub.publish import FILES_OF_NEW_REPO, Push, push_files

PUBLISHED = ("app.py", "lyricgen", "requirements.txt", "README.md", "LICENSE")  # files and folders of a Space
OWNED = ("lyricgen/",)
MODELS_VARIABLE = "LYRICGEN_HUB_REPO"
PICTURE = "lyricgen/assets/page/card.png"  # of the page, for social cards


def push_space(repo: str, hub_repo: str | None = None, private: bool = False, root: Path | None = None) -> Push:
    """Creates or updates a Space in one commit, and sets which models it runs.

    Args:
        repo: of the Space, 'USER/NAME'.
        hub_repo: repository of the models, 'USER/NAME'; None: the bundled ones.
        private: visibility of a new Space.
        root: the project's folder; None: the one of this package.

    Raises:
        ArgumentError: a name is invalid.
        HubError: the folder is not the project's, the Space holds another app, or the push failed.
    """
    repo = check_repo(repo, "--repo")
    hub_repo = check_repo(hub_repo) if hub_repo is not None else None
    files = space_files(root or Path(__file__).resolve().parents[2], hub_repo, repo)

    def check_paths(paths: set[str]) -> None:
        if "lyricgen/__init__.py" not in paths and paths - FILES_OF_NEW_REPO:
            raise HubError(f"the Space {repo} holds another app; name another Space")

    push = push_files(
        repo, files, OWNED, "Update the app", space_sdk="gradio", private=private, check_paths=check_paths
    )
    try:
        with hub_errors(repo):
            _set_models_variable(HfApi(library_name="lyricgen"), repo, hub_repo)
    except HubError as error:
        raise HubError(
            f"{repo} is at commit {push.commit[:7]} now, but its variable {MODELS_VARIABLE} was not set, since {error}"
        ) from None
    return push


def _set_models_variable(api: HfApi, repo: str, hub_repo: str | None) -> None:
    """Sets the Space's model variable. Skipped if unchanged: setting it restarts the Space."""
    variable = api.get_space_variables(repo).get(MODELS_VARIABLE)
    if hub_repo and (variable is None or variable.value != hub_repo):
        api.add_space_variable(repo, MODELS_VARIABLE, hub_repo)
    elif variable and not hub_repo:
        api.delete_space_variable(repo, MODELS_VARIABLE)


def space_address(repo: str) -> str:
    """The public address of a Space."""
    return f"https://huggingface.co/spaces/{repo}"


def picture_address(repo: str) -> str:
    """The address of a Space's picture for social cards."""
    return f"{space_address(repo)}/resolve/main/{PICTURE}"


def space_files(root: Path, hub_repo: str | None = None, repo: str | None = None) -> dict[str, Path | bytes]:
    """The files of a Space, by path.

    Args:
        root: the project's folder.
        hub_repo: repository of the models that the front matter preloads; None: none.
        repo: the Space, of which the front matter names the picture; None: no picture.

    Raises:
        HubError: `root` is not the project's folder.
    """
    missing = [name for name in PUBLISHED if not (root / name).exists()]
    if missing:
        raise HubError(
            f"the project's folder is needed, and this one has no {missing[0]}; run it in a checkout of lyricgen"
        )
    files: dict[str, Path | bytes] = {}
    for name in PUBLISHED:
        for path in [root / name] if (root / name).is_file() else sorted((root / name).rglob("*")):
            relative = path.relative_to(root)
            if path.is_file() and not path.is_symlink() and not any(map(_is_left_out, relative.parts)):
                files[relative.as_posix()] = path
    fields: dict[str, object] = {"models": [hub_repo], "preload_from_hub": [hub_repo]} if hub_repo else {}
    if repo and PICTURE in files:
        fields["thumbnail"] = picture_address(repo)
    if fields:
        card = SpaceCard((root / "README.md").read_text(encoding="utf-8"))
        for name, value in fields.items():
            card.data[name] = value
        files["README.md"] = str(card).encode()
    return files


def _is_left_out(name: str) -> bool:
    """Whether a file or folder is hidden, compiled, or left by an interrupted write."""
    return name.startswith(".") or name == "__pycache__" or name.endswith((".pyc", ".partial", ".old"))
