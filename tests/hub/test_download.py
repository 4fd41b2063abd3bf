"""Download from the Hub: one request at start, verified files, and the fallbacks and their delay when the Hub fails."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from localhub import LocalHub, Repo, client_environment

from lyricgen import Song, SongIndex
from lyricgen.errors import ArgumentError, HubError
from lyricgen.hub import download as hub_download
from lyricgen.hub.download import MANIFEST, Download, check_manifest
from lyricgen.hub.flags import check_repo, check_revision
from lyricgen.hub.publish import model_files
from lyricgen.resources import BUNDLED, Resources, hub_sources

REPO = "ann/models"
MAX_DELAY = 5.0  # seconds that a failing Hub may cost at start
STARTUP_TIMEOUT = hub_download.STARTUP_TIMEOUT


@pytest.fixture
def local_hub():
    with LocalHub(tokens=["hf_ann"]) as running:
        yield running


@pytest.fixture(autouse=True)
def no_picture(monkeypatch):
    """Of a pushed folder, the picture of the card is empty: it takes long to draw, and no app downloads it."""
    monkeypatch.setattr("lyricgen.hub.publish.draw_curve", lambda models: b"")


@pytest.fixture
def home(local_hub, tmp_path, monkeypatch):
    """Environment in which `Download` talks to the local Hub and caches in a temporary folder."""
    for name in [name for name in os.environ if name.startswith("HF_")]:
        monkeypatch.delenv(name)
    for name, value in client_environment(local_hub.url, tmp_path / "hf").items():
        if name.startswith("HF_"):
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("LYRICGEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(hub_download, "STARTUP_TIMEOUT", 60)  # a busy machine is not a slow Hub
    return tmp_path


@pytest.fixture
def published(local_hub, tiny_folder):
    """A repository with the models of `tiny_folder`."""
    return publish(local_hub, tiny_folder)


def publish(local_hub: LocalHub, folder: Path, branch: str = "main", **changed: bytes) -> Repo:
    """Commits what a push of a folder would, with some files `changed` ('/' in a path written as '__')."""
    files = {
        path: content if isinstance(content, bytes) else content.read_bytes()
        for path, content in model_files(folder, REPO).items()
    }
    files |= {path.replace("__", "/"): content for path, content in changed.items()}
    repo = local_hub.repos.setdefault(f"models/{REPO}", Repo(REPO, "model"))
    repo.commit(branch, "models", files)
    return repo


def sources(revision: str = "main") -> list[tuple[str, str]]:
    """Folder and origin of each source of models with `--hub-repo`."""
    download = Download(REPO, revision)
    try:
        return [(source.folder.name, source.origin) for source in hub_sources(download)]
    finally:
        download.stop()


def with_manifest(files: dict[str, bytes], **other) -> bytes:
    """A correct manifest of some files, with `other` keys replaced."""
    digests = {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}
    return json.dumps({"format_version": 1, "files": digests, **other}).encode()


# Names


@pytest.mark.parametrize("name", ["ann/models", "Ann-1/my_models.v2", " ann/models "])
def test_a_valid_repository_name_is_accepted(name):
    assert check_repo(name) == name.strip()


@pytest.mark.parametrize(
    "name", ["models", "a/b/c", "", "ann/", "/models", "ann/mo dels", "ann/..", "ann/x.git", "http://x/y", "ann/é", None, 5, "a" * 97 + "/b"]
)  # fmt: skip
def test_an_invalid_repository_name_is_refused(name):
    with pytest.raises(ArgumentError, match="--hub-repo must be USER/NAME"):
        check_repo(name)


@pytest.mark.parametrize("name", ["main", "v1.0", "feature/x", "0" * 40])
def test_a_valid_revision_is_accepted(name):
    assert check_revision(name) == name


@pytest.mark.parametrize("name", ["", "a b", "../main", "a..b", "x/", "-x", "x.lock", "a\n", "é", None])
def test_an_invalid_revision_is_refused(name):
    with pytest.raises(ArgumentError, match="--revision must be the name of a branch or tag"):
        check_revision(name)


# The manifest


@pytest.fixture
def fetched(tmp_path, tiny_folder):
    """A folder as downloaded."""
    folder = tmp_path / "fetched"
    for path, content in model_files(tiny_folder, REPO).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content if isinstance(content, bytes) else content.read_bytes())
    return folder


def test_a_folder_as_published_matches_its_manifest(fetched):
    check_manifest(fetched)
    (fetched / "README.md").write_text("edited on the Hub, as cards are")
    check_manifest(fetched)


def test_an_altered_file_is_named_and_evicted(fetched):
    (fetched / "lstm/history.csv").write_text("x")
    with pytest.raises(HubError, match=r"^lstm/history.csv is not the file that was written .* download it again$"):
        check_manifest(fetched)
    assert not (fetched / "lstm/history.csv").exists()
    with pytest.raises(HubError, match=r"lstm/history.csv is missing"):
        check_manifest(fetched)


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        (None, "'fetched' is no Hub snapshot .it lacks manifest.json."),
        ("{", "manifest.json of Hub snapshot 'fetched' is damaged"),
        ("[]", "manifest.json of Hub snapshot 'fetched' is damaged"),
        ('{"format_version": 1}', "manifest.json of Hub snapshot 'fetched' is damaged"),
        ('{"format_version": 2, "files": {}}', "format version 2, this lyricgen reads 1"),
        ('{"format_version": 1, "files": {}}', "lists no model"),
        ('{"format_version": 1, "files": {"lyrics/meta.json": "0"}}', "lists no model"),
        ('{"format_version": 1, "files": {"lstm/config.json": "0", "../../x": "0"}}', "not part of a model: '../../x'"),
        ('{"format_version": 1, "files": {"lstm/..": "0", "lstm/config.json": "0"}}', "not part of a model"),
        ('{"format_version": 1, "files": {"/etc/passwd": "0", "lstm/config.json": "0"}}', "not part of a model"),
    ],
)
def test_an_invalid_manifest_is_refused(fetched, manifest, message):
    (fetched / MANIFEST).unlink()
    if manifest is not None:
        (fetched / MANIFEST).write_text(manifest)
    with pytest.raises(HubError, match=message):
        check_manifest(fetched)


# The start of an app


def test_the_models_of_the_hub_run_and_name_their_origin(home, published):
    download = Download(REPO)
    resources = Resources(device="cpu", hub=download)
    download.stop()
    origin = f"{REPO} on the Hugging Face Hub, commit {published.head.oid[:7]}"
    about = resources.about()
    assert {model["name"]: model["origin"] for model in about["models"]} == {"lstm": origin, "vanilla-rnn": origin}
    assert resources.model("lstm").model.hidden_size == 8
    assert [space["origin"] for space in about["vectors"]] == ["", origin]
    assert resources.space("lyrics").vector_size == 4


def test_the_ngram_classifier_of_the_hub_is_used(home, local_hub, published, tiny_ngrams):
    publish(local_hub, tiny_ngrams.parent)
    download = Download(REPO)
    resources = Resources(device="cpu", hub=download)
    download.stop()
    assert resources.ngrams.artists == ("Ann", "Bob") and "on the Hugging Face Hub" in resources.ngrams_origin


def test_an_app_starts_with_a_read_only_cache(home, published, monkeypatch):
    (home / "file").write_text("where the folder should be")
    monkeypatch.setenv("LYRICGEN_CACHE", str(home / "file"))
    assert sources()[0][1].startswith(f"{REPO} on the Hugging Face Hub")


def test_a_second_start_makes_one_request_and_downloads_nothing(home, local_hub, published):
    sources()
    local_hub.requests.clear()
    sources()
    requests = [line for line in local_hub.requests if "harnesses" not in line]
    assert requests == [f"GET /api/models/{REPO}/revision/main"]


def test_a_later_push_is_picked_up_at_the_next_start(home, local_hub, published, tiny_folder):
    first = sources()
    (tiny_folder / "lyrics").rename(tiny_folder / "other")
    second = publish(local_hub, tiny_folder).head.oid
    assert second[:7] in sources()[0][1] and second[:7] not in first[0][1]


def test_a_branch_a_tag_and_a_commit_can_be_named(home, local_hub, published, tiny_folder):
    first = published.head.oid
    published.tags["v1"] = first
    second = publish(local_hub, tiny_folder, branch="next").branches["next"]
    for revision, commit in (("v1", first), ("next", second), (first, first)):
        assert commit[:7] in sources(revision)[0][1]


def test_a_private_repository_needs_the_token(home, published, monkeypatch):
    published.private = True
    assert "no repository ann/models that can be seen without a token" in sources()[0][1]
    monkeypatch.setenv("HF_TOKEN", "hf_ann")
    assert sources()[0][1].startswith(f"{REPO} on the Hugging Face Hub")


def test_a_model_missing_in_the_repository_is_the_bundled_one(home, local_hub, tiny_folder):
    shutil.rmtree(tiny_folder / "vanilla-rnn")
    publish(local_hub, tiny_folder)
    download = Download(REPO)
    resources = Resources(device="cpu", hub=download)
    download.stop()
    assert resources.model("lstm").model.hidden_size == 8
    assert resources.model("vanilla-rnn").origin.startswith(f"{BUNDLED}, since there is no model folder 'vanilla-rnn'")


def test_the_song_index_of_the_hub_is_used_and_a_repository_without_one_leaves_the_bundled_one(
    home, local_hub, published, tiny_folder
):
    def started() -> Resources:
        download = Download(REPO)
        resources = Resources(device="cpu", hub=download)
        download.stop()
        return resources

    older = started()
    assert older.model("lstm").model.hidden_size == 8
    assert len(older.song_index) == 4_226 and older.song_index_origin == BUNDLED
    SongIndex.build([Song("one song of the hub has words")], asked=0).save(tiny_folder / "originality")
    commit = publish(local_hub, tiny_folder).head.oid
    newer = started()
    assert len(newer.song_index) == 1
    assert newer.song_index_origin == f"{REPO} on the Hugging Face Hub, commit {commit[:7]}"


def test_a_damaged_song_index_on_the_hub_leaves_all_that_is_bundled_running(home, local_hub, published, tiny_folder):
    SongIndex.build([Song("one song of the hub has words")], asked=0).save(tiny_folder / "originality")
    files = {f"originality/{path.name}": path.read_bytes() for path in (tiny_folder / "originality").iterdir()}
    files |= {
        "originality/songs.csv": b"title,artist\n",
        "lstm/config.json": (tiny_folder / "lstm/config.json").read_bytes(),
    }
    publish(local_hub, tiny_folder, **files, **{MANIFEST: with_manifest(files)})
    [(folder, origin)] = sources()
    assert folder == "assets" and "songs.csv of song index 'originality' is not the file that was written" in origin


FAULTS = {
    "refused": "the Hub cannot be reached",
    "hang": "gave no answer in time|the Hub is slow",
    "500": "the Hub answered 500",
    "503": "the Hub answered 503",
    "401": "the Hub wants a token",
    "403": "the Hub refuses this",
    "wrong": "is not the file that was written",
    "truncated": "is not the file that was written",
    "hang at files": "the Hub is slow",
    "another format": "format version 9",
    "another model format": "format version 9",
    "damaged model": "sha256 differs",
    "something else": "holds something else than models of lyricgen",
    "missing": "there is no repository",
    "no manifest match": "is not the file that was written",
}


def break_hub(local_hub: LocalHub, folder: Path, fault: str) -> None:
    """Makes the Hub fail; see `FAULTS`."""
    local_hub.fault = None
    config = (folder / "lstm/config.json").read_bytes()
    if fault == "refused":
        local_hub.stop()
    elif fault == "hang at files":
        local_hub.fault, local_hub.fault_on = "hang", "/resolve/"
    elif fault in ("wrong", "truncated"):
        local_hub.fault, local_hub.fault_on = fault, "safetensors"
    elif fault == "another format":
        publish(local_hub, folder, **{"manifest.json": with_manifest({}, format_version=9)})
    elif fault == "another model format":
        changed = config.replace(b'"format_version": 1', b'"format_version": 9')
        files = {"lstm/config.json": changed}
        publish(
            local_hub, folder, lstm__config_json=b"", **{"lstm/config.json": changed, MANIFEST: with_manifest(files)}
        )
    elif fault == "damaged model":
        files = {"lstm/config.json": config, "lstm/model.safetensors": b"garbage"}
        publish(local_hub, folder, **files, **{MANIFEST: with_manifest(files)})
    elif fault == "no manifest match":
        publish(local_hub, folder, **{MANIFEST: with_manifest({"lstm/config.json": b"other"})})
    elif fault == "something else":
        local_hub.repos[f"models/{REPO}"].commit("main", "bert", {"config.json": b"{}", "pytorch_model.bin": b"0"})
    elif fault == "missing":
        del local_hub.repos[f"models/{REPO}"]
    else:
        local_hub.fault = fault


def sources_within_delay(fault: str, monkeypatch) -> list[tuple[str, str]]:
    """`sources`; where the Hub hangs, with the real time-out, and the delay is checked."""
    if "hang" not in fault:
        return sources()
    monkeypatch.setattr(hub_download, "STARTUP_TIMEOUT", STARTUP_TIMEOUT)
    start = time.monotonic()
    result = sources()
    assert time.monotonic() - start < MAX_DELAY
    return result


@pytest.mark.parametrize("fault", FAULTS)
def test_a_hub_that_fails_costs_at_most_five_seconds_and_the_bundled_models_run(
    fault, home, local_hub, published, tiny_folder, monkeypatch
):
    break_hub(local_hub, tiny_folder, fault)
    [(folder, origin)] = sources_within_delay(fault, monkeypatch)
    assert folder == "assets" and origin.startswith(f"{BUNDLED}, since {REPO} could not be fetched: ")
    assert re.search(FAULTS[fault], origin) and origin.count("\n") == 0


def test_a_hub_that_fails_leaves_the_cached_models_running(home, local_hub, published, tiny_folder, monkeypatch):
    sources()
    first = published.head.oid
    for fault in FAULTS:
        if fault in ("wrong", "truncated", "hang at files"):  # which affect new files only
            local_hub.fault = None
            weights = (tiny_folder / "lstm/model.safetensors").read_bytes() + fault.encode()
            publish(local_hub, tiny_folder, **{"lstm/model.safetensors": weights})
        break_hub(local_hub, tiny_folder, fault)
        (_, origin), (bundled, _) = sources_within_delay(fault, monkeypatch)
        assert origin.startswith(f"{REPO}, commit {first[:7]}, from the cache, since it could not be fetched: "), fault
        assert re.search(FAULTS[fault], origin) and bundled == "assets", origin
        if fault == "refused":
            local_hub.start()


def test_files_with_wrong_bytes_are_downloaded_again(home, local_hub, published):
    local_hub.fault, local_hub.fault_on = "wrong", "safetensors"
    assert sources()[0][0] == "assets"
    local_hub.fault = None
    assert sources()[0][1].startswith(f"{REPO} on the Hugging Face Hub")


def test_a_slow_download_continues_for_the_next_start(home, local_hub, published, monkeypatch):
    monkeypatch.setattr(hub_download, "STARTUP_TIMEOUT", 1.5)
    local_hub.fault, local_hub.fault_on = "slow", "/resolve/"
    download = Download(REPO)
    assert "the Hub is slow; the download continues for the next start" in hub_sources(download)[0].origin
    local_hub.fault = None
    download._process.wait(60)
    download.stop()
    monkeypatch.setattr(hub_download, "STARTUP_TIMEOUT", 60)
    local_hub.fault, local_hub.fault_on = "500", "/resolve/"  # no further file is needed
    assert sources()[0][1].startswith(f"{REPO} on the Hugging Face Hub")


def test_an_invalid_name_is_reported_and_the_bundled_models_run():
    download = Download("my models")
    [source] = hub_sources(download)
    download.stop()
    assert source.origin.startswith(
        f"{BUNDLED}, since the repository could not be fetched: --hub-repo must be USER/NAME"
    )


def test_models_preloaded_by_a_space_are_used_when_the_hub_fails(home, local_hub, published, monkeypatch):
    code = f"from huggingface_hub import snapshot_download; snapshot_download({REPO!r})"
    subprocess.run([sys.executable, "-c", code], env=client_environment(local_hub.url, home / "hf"), check=True)
    local_hub.stop()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(home / "hf/hub"))  # read when it was imported
    assert sources()[0][1].startswith(f"{REPO}, commit {published.head.oid[:7]}, from the cache")


def test_offline_mode_runs_the_cached_models(home, published, monkeypatch):
    sources()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert "from the cache, since it could not be fetched: HF_HUB_OFFLINE is set" in sources()[0][1]


def test_the_token_is_not_shown(home, published, monkeypatch, local_hub):
    monkeypatch.setenv("HF_TOKEN", "hf_unknownsecret")
    published.private = True
    origins = " ".join(origin for _, origin in sources())
    assert "that your token may see" in origins and "hf_unknownsecret" not in origins
