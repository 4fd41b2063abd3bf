"""Spaces: exactly the files of the app, created, updated, and never another app overwritten."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from huggingface_hub import SpaceCard
from localhub import GITATTRIBUTES, Repo, asked_of, state
from shell import Done, has_failed

import lyricgen.hub.spaces
from lyricgen.cli import main
from lyricgen.errors import HubError
from lyricgen.hub.spaces import push_space, space_files

ROOT = Path(__file__).parents[2]
APP = "ann/app"


@pytest.fixture
def space(hub, listening):
    """Pushes the app, with more flags."""
    return lambda *flags, repo=APP, **settings: listening[1].run("space", "--repo", repo, *flags, **settings)


@pytest.fixture
def project(tmp_path):
    """A small project folder: the files of a Space, and others."""
    root = tmp_path / "project"
    for path in (
        "app.py", "requirements.txt", "LICENSE", "lyricgen/__init__.py", "lyricgen/ui/tab.py", "lyricgen/assets/lstm/w",
        "train.py", ".env", ".git/config", "tests/test_app.py", "models/lstm/w", "README.md.orig", "lyricgen.egg-info/PKG",
        "lyricgen/.env", "lyricgen/.DS_Store", "lyricgen/.cache/x", "lyricgen/__pycache__/a.pyc", "lyricgen/b.pyc",
        "lyricgen/assets/lstm.12.partial/w", "lyricgen/assets/lstm.12.partial.old/w",
    ):  # fmt: skip
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(path)
    (root / "README.md").write_text("---\ntitle: app\npython_version: '3.12'\nsdk: gradio\n---\n# App\n\nText: über\n")
    return root


def published(files: dict) -> dict[str, bytes]:
    return {path: content if isinstance(content, bytes) else content.read_bytes() for path, content in files.items()}


# Files


def test_a_space_has_the_files_of_the_app_and_no_others(project):
    assert sorted(space_files(project)) == [
        "LICENSE", "README.md", "app.py", "lyricgen/__init__.py", "lyricgen/assets/lstm/w", "lyricgen/ui/tab.py",
        "requirements.txt",
    ]  # fmt: skip


def test_a_space_has_every_tracked_file_of_the_package():
    if not (ROOT / ".git").exists():
        pytest.skip("no checkout")
    listed = subprocess.run(["git", "ls-files", "lyricgen"], cwd=ROOT, capture_output=True, text=True, check=True)
    files = space_files(ROOT)
    assert set(listed.stdout.split()) <= files.keys()
    assert {path for path in files if not path.startswith("lyricgen/")} == {
        "LICENSE", "README.md", "app.py", "requirements.txt",
    }  # fmt: skip


def test_the_card_names_the_models_and_is_otherwise_unchanged(project):
    for root in (project, ROOT):
        before = (root / "README.md").read_text(encoding="utf-8")
        assert published(space_files(root))["README.md"].decode() == before
        after = published(space_files(root, "ann/models"))["README.md"].decode()
        _, old, text = before.split("---\n", 2)
        _, new, same_text = after.split("---\n", 2)
        named = {"models": ["ann/models"], "preload_from_hub": ["ann/models"]}
        assert yaml.safe_load(new) == yaml.safe_load(old) | named and same_text == text
        assert SpaceCard(after).data.sdk == "gradio"
        assert (root / "README.md").read_text(encoding="utf-8") == before


def test_the_card_of_a_space_names_its_picture():
    card = SpaceCard(published(space_files(ROOT, repo=APP))["README.md"].decode())
    address, path = card.data["thumbnail"].split("/resolve/main/")
    assert address == "https://huggingface.co/spaces/ann/app" and path in space_files(ROOT)


@pytest.mark.parametrize("lacking", ["app.py", "lyricgen", "requirements.txt", "README.md", "LICENSE"])
def test_another_folder_than_the_projects_gives_one_sentence(lacking, project):
    shutil.rmtree(project / lacking) if lacking == "lyricgen" else (project / lacking).unlink()
    with pytest.raises(HubError, match=rf"the project's folder is needed, and this one has no {lacking}; run it in"):
        push_space(APP, root=project)


def test_an_installed_package_says_that_a_checkout_is_needed(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(lyricgen.hub.spaces, "__file__", str(tmp_path / "site-packages/lyricgen/hub/spaces.py"))
    assert main(["space", "--repo", APP]) == 2
    said = "lyricgen: the project's folder is needed, and this one has no app.py; run it in a checkout of lyricgen\n"
    assert capsys.readouterr() == ("", said)


# Pushing


def test_a_space_is_created_in_one_commit_and_updated(hub, space):
    done = space()
    repo = hub.repos[f"spaces/{APP}"]
    assert done == Done(0, f"{APP} is at commit {repo.head.oid[:7]}: {hub.url}/spaces/{APP}\n", "")
    assert list(hub.repos) == [f"spaces/{APP}"]
    assert (repo.sdk, repo.private, repo.variables) == ("gradio", False, {})
    assert [commit.message for commit in repo.commits] == ["initial commit", "Update the app"]
    files = published(space_files(ROOT, repo=APP))
    assert repo.head.files == {".gitattributes": GITATTRIBUTES, **files}

    first = repo.head.oid
    assert space() == Done(
        0, f"{APP} is at commit {first[:7]}, as before: nothing has changed: {hub.url}/spaces/{APP}\n", ""
    )
    others = {"NOTES.md": b"mine", "LICENSES/font.txt": b"OFL", "app.py.orig": b"", "lyricgen-2/x": b""}
    old = {"lyricgen/gone.py": b"", "lyricgen/assets/old/w": b"", "app.py": b"old"}
    repo.commit("main", "by hand", {**repo.head.files, **others, **old})
    assert space().code == 0 and len(repo.commits) == 4
    assert repo.head.files == {".gitattributes": GITATTRIBUTES, **others, **files}


def test_the_models_variable_of_a_space_is_set_and_cleared(hub, space):
    done = space("--hub-repo", "ann/models", "--private")
    repo = hub.repos[f"spaces/{APP}"]
    assert done.code == 0 and done.err == "" and repo.private
    assert repo.variables == {"LYRICGEN_HUB_REPO": "ann/models"}
    card = SpaceCard(repo.head.files["README.md"].decode())
    assert card.data.models == card.data["preload_from_hub"] == ["ann/models"]
    hub.requests.clear()
    assert "as before" in space("--hub-repo", "ann/models").out and len(repo.commits) == 2
    assert not [line for line in hub.requests if line.startswith("POST") and line.endswith("/variables")]  # no restart
    assert space("--hub-repo", "ann/other").code == 0
    assert len(repo.commits) == 3 and repo.variables == {"LYRICGEN_HUB_REPO": "ann/other"}
    assert space().code == 0 and repo.variables == {}


def test_a_space_with_another_app_is_refused_and_unchanged(hub, space):
    for name, files in (("gradio", ["app.py"]), ("static", ["index.html"]), ("docker", ["Dockerfile", "main.py"])):
        repo = hub.repos[f"spaces/ann/{name}"] = Repo(f"ann/{name}", "space", sdk=name)
        repo.commit("main", "another", {"README.md": b"", **dict.fromkeys(files, b"")})
    before = state(hub)
    for name in ("gradio", "static", "docker"):
        done = space("--hub-repo", "ann/models", repo=f"ann/{name}")
        has_failed(done, f"the Space ann/{name} holds another app; name another Space")
    assert state(hub) == before


def test_a_new_space_from_the_site_is_accepted(hub, space):
    repo = hub.repos[f"spaces/{APP}"] = Repo(APP, "space", sdk="gradio")
    repo.commit("main", "Create README.md", {**repo.head.files, "README.md": b"---\nsdk: gradio\n---\n"})
    assert space().code == 0 and repo.head.files.keys() == space_files(ROOT).keys() | {".gitattributes"}


def test_a_failed_push_leaves_the_hub_unchanged(hub, space):
    space(repo="ann/there")
    repo = hub.repos["spaces/ann/there"]
    repo.commit("main", "older", {**repo.head.files, "app.py": b"old"})
    before = state(hub)
    hub.fault, hub.fault_on = "500", "/commit/"
    for name in (APP, "ann/there"):
        has_failed(space("--hub-repo", "ann/models", repo=name), "the Hub answered 500")
        assert state(hub) == before
    hub.fault_on = "/variables"
    done = space("--hub-repo", "ann/models", repo="ann/there")
    has_failed(done, f"ann/there is at commit {repo.head.oid[:7]} now, but its variable LYRICGEN_HUB_REPO was not set")
    hub.fault = None
    has_failed(space(token=None), "HF_TOKEN")
    has_failed(space(token="hf_sekrit"), "HF_TOKEN")
    assert list(hub.repos) == ["spaces/ann/there"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--repo", "app"], "--repo must be USER/NAME"),
        (["--repo", "https://hf.co/spaces/a"], "--repo must be USER/NAME"),
        (["--repo", APP, "--hub-repo", "a b"], "--hub-repo must be USER/NAME"),
        (["--repo", APP, "--hub-repo", ""], "--hub-repo must be USER/NAME"),
    ],
)
def test_an_invalid_name_makes_no_request(arguments, said, hub, listening):
    done = listening[1].run("space", *arguments)
    assert done.code == 2 and done.err.startswith("lyricgen: ") and said in done.err and done.err.count("\n") == 1
    assert asked_of(hub) == []
