"""The Hub of the tests, driven by the real client in processes of their own."""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from localhub import LocalHub, Repo, client_environment

FILES = {
    "README.md": b"# Songs\n",
    "model.safetensors": bytes(range(256)),
    "vectors/a b.npy": b"",
    "vectors/names.txt": b"ann\n",
}
PRELUDE = """
import json, sys, time
from pathlib import Path
from huggingface_hub import HfApi

api, folder, said = HfApi(), Path(sys.argv[1]), {}

def outcome(call, *arguments, **named):
    "'done', or the name of the exception that the call ends in, with the status of the answer if there was one."
    try:
        call(*arguments, **named)
    except Exception as error:
        status = getattr(getattr(error, "response", None), "status_code", None)
        return type(error).__name__ + (f" {status}" if status else "")
    return "done"

def contents(path):
    return {p.relative_to(path).as_posix(): p.read_bytes().hex() for p in Path(path).rglob("*") if p.is_file()}
"""


@pytest.fixture
def hub() -> Iterator[LocalHub]:
    with LocalHub() as hub:
        yield hub


@pytest.fixture
def client(hub: LocalHub, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """client(program, token): run PRELUDE and the program, with FILES in `folder`; gives what it put into `said`."""
    for name, content in FILES.items():
        path = tmp_path / "push" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def run(program: str, token: str | None = "hf_writer") -> dict[str, Any]:
        command = [sys.executable, "-c", f"{PRELUDE}\n{program}\nprint(json.dumps(said))", str(tmp_path / "push")]
        environment = client_environment(hub.url, tmp_path / "home", token, HF_HUB_DISABLE_PROGRESS_BARS="1")
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def hold(hub: LocalHub) -> Repo:
    """Put a public model ann/songs into the hub, with FILES."""
    repo = hub.repos["models/ann/songs"] = Repo("ann/songs", "model")
    repo.commit("main", "songs", repo.head.files | FILES)
    return repo


def hexadecimal(files: dict[str, bytes]) -> dict[str, str]:
    return {name: content.hex() for name, content in files.items()}


def wait_for(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("lfs", [False, True], ids=["regular", "lfs"])
def test_a_folder_is_pushed_once_and_comes_back(hub, client, lfs):
    hub.lfs = lfs
    said = client("""
said["user"] = api.whoami()["name"]
said["url"] = api.create_repo("ann/songs"), api.create_repo("ann/songs", exist_ok=True)
said["again"] = outcome(api.create_repo, "ann/songs")
first = api.upload_folder(repo_id="ann/songs", folder_path=folder, commit_message="songs")
second = api.upload_folder(repo_id="ann/songs", folder_path=folder)
said["oid"] = first.oid, second.oid
said["commit"] = first.commit_url
said["contents"] = contents(api.snapshot_download("ann/songs"))
info = api.repo_info("ann/songs", files_metadata=True)
said["sha"], said["private"] = info.sha, info.private
said["sizes"] = {sibling.rfilename: sibling.size for sibling in info.siblings}
said["in lfs"] = [sibling.rfilename for sibling in info.siblings if sibling.lfs]
""")
    repo = hub.repos["models/ann/songs"]
    everything = FILES | {".gitattributes": repo.commits[0].files[".gitattributes"]}
    assert [commit.message for commit in repo.commits] == ["initial commit", "songs"]
    assert repo.head.files == everything and not repo.private
    assert said == {
        "user": "writer",
        "url": [f"{hub.url}/ann/songs"] * 2,
        "again": "HfHubHTTPError 409",
        "oid": [repo.head.oid] * 2,
        "commit": f"{hub.url}/ann/songs/commit/{repo.head.oid}",
        "contents": hexadecimal(everything),
        "sha": repo.head.oid,
        "private": False,
        "sizes": {name: len(content) for name, content in everything.items()},
        "in lfs": ["model.safetensors"] if lfs else [],
    }
    assert lfs == any(request.startswith("PUT /lfs/") for request in hub.requests)
    assert sum("/commit/" in request for request in hub.requests) == 1


def test_revisions_listings_and_what_is_missing(hub, client):
    repo = hold(hub)
    first, pushed = repo.commits
    said = client(f"""
add = dict(path_or_fileobj=b"new", path_in_repo="new.txt", repo_id="ann/songs")
api.create_tag("ann/songs", tag="v1")
api.create_branch("ann/songs", branch="trial/1", revision="{first.oid}")
said["again"] = outcome(api.create_tag, "ann/songs", tag="v1"), outcome(api.create_branch, "ann/songs", branch="main")
said["stale"] = outcome(api.upload_file, **add, parent_commit="{first.oid}")
said["fresh"] = outcome(api.upload_file, **add, parent_commit="{pushed.oid}")
said["on branch"] = outcome(api.upload_file, **add, revision="trial/1")
api.delete_folder("vectors", "ann/songs")
said["deleted"] = outcome(api.delete_file, "vectors", "ann/songs")
for revision in "v1", "trial/1", "{pushed.oid}", "main":
    said[revision] = contents(api.snapshot_download("ann/songs", revision=revision))
refs = api.list_repo_refs("ann/songs")
said["refs"] = {{ref.name: ref.target_commit for ref in refs.branches + refs.tags}}
said["top"] = [entry.path for entry in api.list_repo_tree("ann/songs", revision="v1")]
said["vectors"] = [entry.path for entry in api.list_repo_tree("ann/songs", "vectors", revision="v1")]
said["paths"] = [entry.path for entry in api.get_paths_info("ann/songs", ["README.md", "none", "vectors"], revision="v1")]
said["no revision"] = outcome(api.snapshot_download, "ann/songs", revision="none"), outcome(
    api.upload_folder, repo_id="ann/songs", folder_path=folder, revision="none")
said["no file"] = outcome(api.hf_hub_download, "ann/songs", "none")
said["no repository"] = outcome(api.snapshot_download, "ann/none"), outcome(api.repo_info, "ann/songs", repo_type="space")
""")
    everything = first.files | FILES
    assert said == {
        "again": ["HfHubHTTPError 409"] * 2,
        "stale": "HfHubHTTPError 412",
        "fresh": "done",
        "on branch": "done",
        "deleted": "RemoteEntryNotFoundError 404",
        "v1": hexadecimal(everything),
        "trial/1": hexadecimal(first.files | {"new.txt": b"new"}),
        pushed.oid: hexadecimal(everything),
        "main": hexadecimal(repo.head.files),
        "refs": repo.branches | repo.tags,
        "top": [".gitattributes", "README.md", "model.safetensors", "vectors"],
        "vectors": ["vectors/a b.npy", "vectors/names.txt"],
        "paths": ["README.md", "vectors"],
        "no revision": ["RevisionNotFoundError 404"] * 2,
        "no file": "RemoteEntryNotFoundError 404",
        "no repository": ["RepositoryNotFoundError 404"] * 2,
    }
    assert sorted(repo.head.files) == [".gitattributes", "README.md", "model.safetensors", "new.txt"]
    assert len(repo.commits) == 5


def test_who_may_read_and_write(hub, client):
    hold(hub)
    said = client("""
api.create_repo("ann/secret", private=True)
api.upload_folder(repo_id="ann/secret", folder_path=folder)
said["private"] = api.repo_info("ann/secret").private
for who, token in {"writer": None, "stranger": "hf_stranger", "nobody": False}.items():
    mine = HfApi(token=token)
    said[who] = [outcome(mine.repo_info, "ann/secret"), outcome(mine.repo_info, "ann/none")]
    said[who + " gets"] = [
        outcome(mine.snapshot_download, repo, cache_dir=folder.parent / who)  # a cached one needs no right to read
        for repo in ("ann/secret", "ann/none", "ann/songs")
    ]
    said[who + " writes"] = outcome(mine.upload_folder, repo_id="ann/songs", folder_path=folder)
    said[who + " creates"] = outcome(mine.create_repo, f"{who}/songs")
said["stranger is"] = outcome(api.whoami, token="hf_stranger")
""")
    assert said == {
        "private": True,
        "writer": ["done", "RepositoryNotFoundError 404"],
        "writer gets": ["done", "RepositoryNotFoundError 404", "done"],
        "writer writes": "done",
        "writer creates": "done",
        "stranger": ["RepositoryNotFoundError 404"] * 2,
        "stranger gets": ["RepositoryNotFoundError 404"] * 2 + ["done"],
        "stranger writes": "HfHubHTTPError 403",
        "stranger creates": "HfHubHTTPError 403",
        "nobody": ["RepositoryNotFoundError 401"] * 2,
        "nobody gets": ["RepositoryNotFoundError 401"] * 2 + ["done"],
        "nobody writes": "RepositoryNotFoundError 401",
        "nobody creates": "HfHubHTTPError 401",
        "stranger is": "HfHubHTTPError 401",
    }
    assert set(hub.repos) == {"models/ann/songs", "models/ann/secret", "models/writer/songs"}


def test_a_space_is_made_pushed_and_read(hub, client):
    said = client("""
said["url"] = api.create_repo("ann/app", repo_type="space", space_sdk="gradio")
api.upload_folder(repo_id="ann/app", repo_type="space", folder_path=folder)
said["sdk"] = api.space_info("ann/app").sdk
said["README.md"] = Path(api.hf_hub_download("ann/app", "README.md", repo_type="space")).read_text()
""")
    assert said == {"url": f"{hub.url}/spaces/ann/app", "sdk": "gradio", "README.md": "# Songs\n"}
    assert list(hub.repos) == ["spaces/ann/app"] and hub.repos["spaces/ann/app"].type == "space"


PUSH = "api.upload_folder, repo_id='ann/songs', folder_path=folder"


@pytest.mark.parametrize(
    ("fault", "fault_on", "call", "expected"),
    [
        ("500", "/commit/", PUSH, "HfHubHTTPError 500"),
        ("503", "GET .*ann/songs", "api.snapshot_download, 'ann/songs'", "LocalEntryNotFoundError"),
        ("401", "", "api.repo_info, 'ann/songs'", "HfHubHTTPError 401"),
        ("hang", "ann/songs", "api.repo_info, 'ann/songs', timeout=0.3", "ReadTimeout"),
        ("truncated", "GET .*/README.md", "api.hf_hub_download, 'ann/songs', 'README.md'", "OSError"),
        ("500", "/no/such/path", PUSH, "done"),
    ],
)
def test_a_fault_strikes_where_it_is_to(hub, client, fault, fault_on, call, expected):
    repo = hold(hub)
    repo.commit("main", "another", {"README.md": b"# Older songs\n"})
    hub.fault, hub.fault_on = fault, fault_on
    assert client(f"said['outcome'] = outcome({call})") == {"outcome": expected}
    assert (repo.head.message == "another") == (expected != "done")


def test_damaged_and_slow_files_look_like_good_ones_to_the_client(hub, client):
    hold(hub)
    hub.fault, hub.fault_on = "truncated", "README.md|names|a b"
    said = client(
        "said['contents'] = contents(api.snapshot_download('ann/songs', allow_patterns=['README.md', '*/*']))"
    )
    assert said["contents"] == hexadecimal({"README.md": b"# So", "vectors/names.txt": b"an", "vectors/a b.npy": b""})

    hub.fault, hub.fault_on = "wrong", "model.safetensors"
    said = client("said['contents'] = contents(api.snapshot_download('ann/songs', allow_patterns='model.*'))")
    received = bytes.fromhex(said["contents"]["model.safetensors"])
    assert len(received) == 256
    assert sum(a != b for a, b in zip(received, FILES["model.safetensors"], strict=True)) == 1

    hub.fault, hub.fault_on = "slow", "GET .*/songs$"
    said = client("start = time.monotonic(); api.repo_info('ann/songs'); said['seconds'] = time.monotonic() - start")
    assert said["seconds"] >= 1


def test_stop_ends_hanging_requests_and_start_brings_the_same_address_back():
    threads = threading.active_count()
    hub = LocalHub()
    with hub:
        hold(hub)
        hub.fault = "hang"
        address = ("127.0.0.1", int(hub.url.rpartition(":")[2]))
        with socket.create_connection(address) as asked, socket.create_connection(address) as silent:
            asked.sendall(b"GET /api/models/ann/songs HTTP/1.1\r\n\r\n")
            wait_for(lambda: hub.requests)
            wait_for(lambda: threading.active_count() == threads + 3)  # the server's, and one a connection
            hub.stop()
            assert asked.recv(100) == silent.recv(100) == b""
        assert threading.active_count() == threads
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address)

        hub.start()
        assert hub.url.endswith(f":{address[1]}")
        with socket.create_connection(address) as asked:
            asked.sendall(b"GET /api/models/ann/songs HTTP/1.1\r\n\r\n")
            wait_for(lambda: len(hub.requests) == 2)
            hub.fault = None
            assert asked.recv(100).startswith(b"HTTP/1.0 200")
    hub.stop()
    assert threading.active_count() == threads


def test_a_misspelt_fault_is_refused_and_an_error_of_the_hub_comes_out_of_stop():
    hub = LocalHub()
    with pytest.raises(ValueError, match="one of hang, slow, wrong, truncated, got 'hangs'"):
        hub.fault = "hangs"
    hub.start()
    hub.fault_on = "("
    with pytest.raises(OSError):
        urlopen(hub.url)
    with pytest.raises(Exception, match="unterminated subpattern"):
        hub.stop()


def test_the_environment_of_a_client_has_nothing_of_ours(monkeypatch, tmp_path):
    for name in ("HF_TOKEN", "HF_HUB_OFFLINE", "HUGGING_FACE_HUB_TOKEN", "HTTP_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "ours")
    environment = client_environment("http://127.0.0.1:1", tmp_path, HF_HUB_ETAG_TIMEOUT="2")
    assert "ours" not in environment.values()
    assert {name: value for name, value in environment.items() if name.startswith("HF_")} == {
        "HF_ENDPOINT": "http://127.0.0.1:1",
        "HF_HOME": str(tmp_path),
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_ETAG_TIMEOUT": "2",
    }
    assert client_environment("", tmp_path, token="hf_ann")["HF_TOKEN"] == "hf_ann"
