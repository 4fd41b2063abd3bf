"""Pushing models: the content of the repository, and that a failed push changes neither it nor the folder."""

import hashlib
import json
import os
import shutil
import signal
import time
from pathlib import Path

import pytest
import pytorch_lightning as pl
from huggingface_hub import ModelCard
from localhub import GITATTRIBUTES, LocalHub, Repo, asked_of, state
from shell import Done, Shell, has_failed

from lyricgen import Checkpoint, ImprovedSeqModel, ModelError, Song, SongIndex, save_checkpoint
from lyricgen.analysis.membership import STATISTICS, MembershipThresholds, Threshold, save_thresholds
from lyricgen.hub.publish import model_files
from lyricgen.storage import content_sha256, write_json

ROOT = Path(__file__).parents[2]
REPO = "ann/models"
MODEL = ("config.json", "history.csv", "metrics.json", "model.safetensors")
WORDS = ("meta.json", "vectors.npy", "words.txt")
OF_FOLDERS = {f"{name}/{file}" for name in ("lstm", "vanilla-rnn") for file in MODEL} | {f"lyrics/{n}" for n in WORDS}
PUBLISHED = OF_FOLDERS | {"manifest.json", "README.md", "learning-curve.png"}


@pytest.fixture
def push(hub, listening, tiny_folder):
    """Pushes `tiny_folder` or another folder, with more flags."""
    _, shell = listening

    def run(*flags: str, folder: object = tiny_folder, repo: str = REPO, **settings) -> Done:
        return shell.run("push", folder, "--hub-repo", repo, *flags, **settings)

    return run


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def change(folder: Path, seed: int = 5) -> None:
    """Replaces the weights of the LSTM."""
    pl.seed_everything(seed, verbose=False)
    save_checkpoint(Checkpoint(ImprovedSeqModel(hidden_size=8, artists=("Ann", "Bob"))), folder / "lstm")


# A push


def test_a_push_from_the_shell_makes_the_repository_in_one_commit(hub, push, tiny_folder):
    for stray in (
        ".env",
        "notes.txt",
        "lstm/.env",
        "lstm/samples.jsonl",
        "lstm/last.ckpt",
        "lyrics/notes.txt",
        "songs/lyrics.csv",
    ):
        (tiny_folder / stray).parent.mkdir(exist_ok=True)
        (tiny_folder / stray).write_text("hf_sekrit")
    before = contents(tiny_folder)
    done = push()
    repo = hub.repos[f"models/{REPO}"]
    assert (done.code, done.err) == (0, "")
    assert done.out == f"{REPO} is at commit {repo.head.oid[:7]}: {hub.url}/{REPO}\n"
    assert list(hub.repos) == [f"models/{REPO}"]
    assert [commit.message for commit in repo.commits] == ["initial commit", "Upload lstm, vanilla-rnn, lyrics"]
    assert not repo.private and list(repo.branches) == ["main"] and not repo.tags

    files = repo.head.files
    assert files.keys() == PUBLISHED | {".gitattributes"}
    assert {path: files[path] for path in OF_FOLDERS} == {path: before[path] for path in OF_FOLDERS}
    digests = {path: hashlib.sha256(files[path]).hexdigest() for path in OF_FOLDERS}
    assert json.loads(files["manifest.json"]) == {"format_version": 1, "files": digests}
    assert ModelCard(files["README.md"].decode()).data.license == "mit"
    assert files["learning-curve.png"].startswith(b"\x89PNG\r\n\x1a\n")
    assert not [path for path, content in files.items() if b"hf_ann" in content or b"hf_sekrit" in content]
    assert contents(tiny_folder) == before


@pytest.mark.parametrize("lfs", [False, True], ids=["regular", "lfs"])
def test_an_unchanged_folder_makes_no_commit_and_a_changed_model_makes_one(lfs, hub, push, tiny_folder):
    hub.lfs = lfs
    first = push()
    repo = hub.repos[f"models/{REPO}"]
    assert first.code == 0 and len(repo.commits) == 2 and repo.head.files.keys() == PUBLISHED | {".gitattributes"}
    held = {hashlib.sha256((tiny_folder / path).read_bytes()).hexdigest() for path in OF_FOLDERS}
    assert len(held & hub.objects.keys()) == len(hub.objects) == (3 if lfs else 0)

    again, said = push(), f"{REPO} is at commit {repo.head.oid[:7]}, as before: nothing has changed: "
    assert again == Done(0, f"{said}{hub.url}/{REPO}\n", "") and len(repo.commits) == 2

    change(tiny_folder)
    changed = push()
    assert changed.code == 0 and changed.out.startswith(f"{REPO} is at commit {repo.head.oid[:7]}: ")
    assert len(repo.commits) == 3 and f"{push().out}".startswith(f"{REPO} is at commit {repo.head.oid[:7]}, as before")
    path = "lstm/model.safetensors"
    assert repo.head.files[path] == (tiny_folder / path).read_bytes() != repo.commits[1].files[path]


def test_artifacts_that_are_gone_are_deleted_and_other_files_stay(hub, push, tiny_folder):
    push()
    repo = hub.repos[f"models/{REPO}"]
    others = {"LICENSE": b"MIT", "manifest.json.old": b"{}", "lstm-2/config.json": b"{}", "samples/lstm/a.txt": b"la"}
    own = {**repo.head.files, "lstm/checkpoints/last.ckpt": b"0", "lyrics/old.npy": b"0"}
    repo.commit("main", "by hand", own | others)
    shutil.rmtree(tiny_folder / "vanilla-rnn")
    shutil.rmtree(tiny_folder / "lyrics")
    assert push().code == 0
    kept = {path for path in PUBLISHED if not path.startswith(("vanilla-rnn/", "lyrics/"))}
    assert repo.head.files.keys() == kept | {".gitattributes"} | others.keys()
    assert len(repo.commits) == 4 and repo.head.message == "Upload lstm"
    assert {path: repo.head.files[path] for path in others} == others


def test_private_affects_only_a_new_repository(hub, push):
    assert push("--private").code == push(repo="ann/open").code == 0
    assert hub.repos[f"models/{REPO}"].private and not hub.repos["models/ann/open"].private
    assert push("--private", repo="ann/open").code == push().code == 0
    assert hub.repos[f"models/{REPO}"].private and not hub.repos["models/ann/open"].private


def test_a_branch_is_created_and_the_commit_is_tagged(hub, push, tiny_folder):
    push()
    repo = hub.repos[f"models/{REPO}"]
    first = repo.head.oid
    change(tiny_folder)
    done = push("--revision", "try/muon", "--tag", "v1.0")
    assert done.code == 0 and repo.head.oid == first != repo.branches["try/muon"]
    assert repo.tags == {"v1.0": repo.branches["try/muon"]} and repo.branches["try/muon"][:7] in done.out
    assert push("--tag", "v0.9").code == 0  # main gets the change too
    assert len(repo.commits) == 4 and repo.tags["v0.9"] == repo.head.oid != first
    assert push("--revision", "new", repo="ann/second").code == 0
    second = hub.repos["models/ann/second"]
    assert second.head.files == {".gitattributes": GITATTRIBUTES}
    assert second.at("new").files.keys() == PUBLISHED | {".gitattributes"}


def test_an_existing_tag_does_not_move_and_nothing_is_committed(hub, push, tiny_folder):
    push("--tag", "v1")
    before, commit = state(hub), hub.repos[f"models/{REPO}"].head.oid
    change(tiny_folder)
    for flags in (["--tag", "v1"], ["--tag", "v1", "--revision", "next"]):
        has_failed(push(*flags), f"{REPO} has a tag v1 already, at commit {commit[:7]}")
        assert state(hub) == before


def test_a_token_with_write_but_no_create_access_can_update(hub, push):
    hub.repos[f"models/{REPO}"] = Repo(REPO, "model")
    hub.fault, hub.fault_on = "403", "repos/create"
    assert push().code == 0
    assert hub.repos[f"models/{REPO}"].head.files.keys() == PUBLISHED | {".gitattributes"}


# Failures


@pytest.mark.parametrize(("fault", "said"), [("500", "the Hub answered 500 (Fault)"), ("403", "refuses this to your token")])  # fmt: skip
def test_a_failed_commit_changes_neither_the_hub_nor_the_folder(fault, said, hub, push, tiny_folder):
    push(repo="ann/there")
    change(tiny_folder)
    before, files = state(hub), contents(tiny_folder)
    hub.fault, hub.fault_on = fault, "/commit/"
    for repo, flags in ((REPO, ["--tag", "v1"]), ("ann/there", []), ("ann/there", ["--revision", "next"])):
        has_failed(push(*flags, repo=repo), said)
        assert state(hub) == before and contents(tiny_folder) == files
    assert [line for line in asked_of(hub) if line.startswith("DELETE")] == [
        "DELETE /api/repos/delete", "DELETE /api/models/ann/there/branch/next",
    ]  # fmt: skip


@pytest.mark.parametrize("step", ["/refs", "/branch/", "/revision/", "/preupload/", "objects/batch", "PUT /lfs/"])
def test_a_failure_at_any_other_step_leaves_nothing(step, hub, push):
    hub.fault, hub.fault_on, hub.lfs = "400", step, True
    has_failed(push("--revision", "next"))
    assert state(hub) == {} and any(step in line for line in hub.requests)


def test_the_first_failure_is_reported_even_if_the_clean_up_fails(hub, push):
    hub.fault, hub.fault_on = "403", "/commit/|DELETE"
    has_failed(push(), "the Hub refuses this to your token")
    assert len(hub.repos[f"models/{REPO}"].commits) == 1


def test_a_failed_tag_is_reported_with_the_commit(hub, push):
    hub.fault, hub.fault_on = "500", "/tag/"
    done = push("--tag", "v1")
    commit = hub.repos[f"models/{REPO}"].head
    has_failed(
        done, f"{REPO} is at commit {commit.oid[:7]} now, but its tag v1 was not set, since the Hub answered 500"
    )
    assert commit.files.keys() == PUBLISHED | {".gitattributes"}


def test_a_concurrent_commit_is_not_overwritten(hub, push, listening, tiny_folder):
    push()
    change(tiny_folder)
    repo = hub.repos[f"models/{REPO}"]
    begin_and_wait(hub, listening[1], "/preupload/", "slow", "push", tiny_folder, "--hub-repo", REPO)
    theirs = repo.commit("main", "by hand", {**repo.head.files, "LICENSE": b"MIT"})
    has_failed(listening[1].end(), f"{REPO} was changed by someone else meanwhile; try again")
    assert repo.head == theirs
    hub.fault = None
    assert push().code == 0 and repo.head.files["LICENSE"] == b"MIT" and len(repo.commits) == 4


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for another process")
def test_an_interrupted_push_leaves_nothing(hub, push, listening, tiny_folder):
    shell = listening[1]
    begin_and_wait(hub, shell, "/commit/", "hang", "push", tiny_folder, "--hub-repo", REPO)
    shell.process.send_signal(signal.SIGINT)
    assert shell.end() == Done(130, "", "") and state(hub) == {}


def begin_and_wait(hub: LocalHub, shell: Shell, step: str, fault: str, *arguments: object) -> None:
    """Begins a command, and returns once it waits for the Hub at a step."""
    hub.fault, hub.fault_on = fault, step
    hub.requests.clear()
    shell.begin(*arguments)
    ends = time.monotonic() + 30
    while not any(step in line for line in hub.requests):
        assert time.monotonic() < ends, hub.requests
        time.sleep(0.01)


def test_an_unreachable_hub_gives_one_sentence(hub, push, tiny_folder):
    files = contents(tiny_folder)
    hub.stop()
    has_failed(push(), "the Hub cannot be reached; check the network")
    assert contents(tiny_folder) == files


@pytest.mark.parametrize("step", ["/api/", "/commit/"])
def test_a_hub_that_hangs_times_out(step, hub, push):
    push(repo="ann/there")
    before = state(hub)
    hub.fault, hub.fault_on = "hang", step
    began = time.monotonic()
    has_failed(push(within=1), "the Hub gave no answer in time; try again")
    assert time.monotonic() - began < 15
    hub.fault = None
    assert state(hub) == before


def test_without_a_valid_token_nothing_changes(hub, push):
    hub.repos["models/ann/open"] = Repo("ann/open", "model")
    hub.repos["models/ann/closed"] = Repo("ann/closed", "model", private=True)
    before = state(hub)
    for repo in (REPO, "ann/open", "ann/closed"):
        has_failed(push(repo=repo, token=None), "HF_TOKEN", "hf auth login")
        has_failed(push(repo=repo, token="hf_sekrit"), "HF_TOKEN", "hf auth login")
    assert state(hub) == before


def test_a_token_in_the_hubs_answer_is_masked(hub, push, monkeypatch):
    monkeypatch.setitem(hub.users, "Fault", "ann")  # the message of its failures
    hub.fault, hub.fault_on = "500", "/commit/"
    done = push(token="Fault")
    has_failed(done, "the Hub answered 500 (***)")
    assert "Fault" not in done.err


# Refusals


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--hub-repo", "models"], "--hub-repo must be USER/NAME"),
        (["--hub-repo", "ann/mo dels"], "--hub-repo must be USER/NAME"),
        (["--hub-repo", "../etc"], "--hub-repo must be USER/NAME"),
        (["--revision", "a b"], "--revision must be the name of a branch"),
        (["--revision", ""], "--revision must be the name of a branch"),
        (["--tag", "v..1"], "--tag must be the name of a branch or tag"),
        (["--tag", ""], "--tag must be the name of a branch or tag"),
    ],
)
def test_an_invalid_name_makes_no_request(flags, said, hub, push):
    has_failed(push(*flags), said)
    assert asked_of(hub) == []


def test_a_folder_without_models_makes_no_request(hub, push, tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    (tmp_path / "words").mkdir()
    index_songs(tmp_path / "words")
    shutil.copytree(tmp_path / "models/lyrics", tmp_path / "words/lyrics")
    for folder, said in (
        ("nowhere", "'nowhere' is not there; name the folder that train.py wrote"),
        ("x" * 300, "is not there; name the folder"),
        (tmp_path / "empty", "'empty' holds neither a folder lstm nor vanilla-rnn"),
        (tmp_path / "words", "'words' holds neither a folder lstm nor vanilla-rnn"),
        (tmp_path / "models/lstm", "'lstm' holds neither a folder lstm nor vanilla-rnn; train one with train.py, or name its parent"),
    ):  # fmt: skip
        has_failed(push(folder=folder), said)
    done = push(folder=tmp_path / "file")  # its path as typed
    assert done.code == 2 and "is a file; name the folder that train.py wrote" in done.err
    assert asked_of(hub) == []


def index_songs(folder: Path) -> None:
    SongIndex.build([Song("the fox hums to the pond", "Ann", "Pond")], asked=0).save(folder / "originality")


def test_a_song_index_is_published_with_the_models_and_deleted_with_the_folder(hub, push, tiny_folder):
    index_songs(tiny_folder)
    (tiny_folder / "originality/notes.txt").write_text("hf_sekrit")
    of_index = {
        f"originality/{name}"
        for name in ("buckets.npy", "grams.npy", "songs.npy", "times.npy", "songs.csv", "metrics.json")
    }
    assert push().code == 0
    repo = hub.repos[f"models/{REPO}"]
    assert repo.commits[-1].message == "Upload lstm, vanilla-rnn, lyrics, originality"
    assert repo.head.files.keys() == PUBLISHED | of_index | {".gitattributes"}
    assert of_index < json.loads(repo.head.files["manifest.json"])["files"].keys()
    assert b"`originality/` | An index of 1 songs" in repo.head.files["README.md"]
    shutil.rmtree(tiny_folder / "originality")
    assert push().code == 0
    assert repo.head.files.keys() == PUBLISHED | {".gitattributes"}


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def turn_a_number_into_nan(folder: Path) -> None:
    """In the word vectors, with a matching sha256."""
    content = bytearray((folder / "vectors.npy").read_bytes())
    content[-4:] = b"\x00\x00\xc0\x7f"
    (folder / "vectors.npy").write_bytes(content)
    meta = json.loads((folder / "meta.json").read_text())
    meta["sha256"]["vectors.npy"] = hashlib.sha256(content).hexdigest()
    write_json(folder / "meta.json", meta)


def name_another_class(folder: Path) -> None:
    """In a config, with a matching sha256."""
    config = json.loads((folder / "config.json").read_text())
    config["class"] = "GRU"
    config["sha256"]["config.json"] = content_sha256(config)
    write_json(folder / "config.json", config)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda folder: truncate(folder / "lstm/model.safetensors"), "model.safetensors of model folder 'lstm' is not"),
        (
            lambda folder: (folder / "vanilla-rnn/metrics.json").unlink(),
            "metrics.json of model folder 'vanilla-rnn' is missing",
        ),
        (lambda folder: (folder / "lstm/history.csv").write_text("x"), "history.csv of model folder 'lstm' is not"),
        (lambda folder: name_another_class(folder / "lstm"), "no model of lyricgen (its class: 'GRU')"),
        (lambda folder: truncate(folder / "lyrics/words.txt"), "words.txt of vector space 'lyrics' is not"),
        (lambda folder: (folder / "lyrics/meta.json").unlink(), "'lyrics' is no vector space"),
        (lambda folder: turn_a_number_into_nan(folder / "lyrics"), "lyrics"),
        (lambda folder: truncate(folder / "originality/grams.npy"), "grams.npy of song index 'originality' is not"),
        (lambda folder: (folder / "originality/metrics.json").unlink(), "'originality' is no song index"),
    ],
    ids=["weights", "metrics", "history", "class", "words", "meta", "nan", "index", "index metrics"],
)
def test_a_damaged_artifact_is_not_published(damage, said, hub, push, tiny_folder):
    index_songs(tiny_folder)
    damage(tiny_folder)
    has_failed(push(), said)
    assert asked_of(hub) == []


def test_a_repository_of_other_content_is_refused_and_unchanged(hub, push):
    for repo, files in (("ann/bert", ["README.md", "config.json", "pytorch_model.bin"]), ("ann/one", ["model.gguf"])):
        hub.repos[f"models/{repo}"] = Repo(repo, "model")
        hub.repos[f"models/{repo}"].commit("main", "bert", dict.fromkeys(files, b"{}"))
    before = state(hub)
    for repo, named in (("ann/bert", "config.json"), ("ann/one", "model.gguf")):
        for flags in ([], ["--revision", "next", "--tag", "v1"]):
            has_failed(push(*flags, repo=repo), f"{repo} holds something else than models of lyricgen ('{named}')")
            assert state(hub) == before


def test_a_new_repository_with_card_and_license_is_accepted(hub, push):
    repo = hub.repos[f"models/{REPO}"] = Repo(REPO, "model")
    repo.commit("main", "begun on the site", {**repo.head.files, "README.md": b"# soon", "LICENSE": b"MIT"})
    assert push().code == 0 and repo.head.files.keys() == PUBLISHED | {".gitattributes", "LICENSE"}


def test_the_ngram_classifier_is_published_after_a_strict_load(tiny_ngrams):
    (tiny_ngrams / "notes.txt").write_text("not to be published")
    files = model_files(tiny_ngrams.parent, REPO)
    assert {path for path in files if path.startswith("attribution/")} == {
        f"attribution/{name}" for name in ("meta.json", "metrics.json", "weights.safetensors")
    }
    assert "| `attribution/` |" in files["README.md"].decode()
    (tiny_ngrams / "weights.safetensors").write_bytes(b"0")
    with pytest.raises(
        ModelError, match="weights.safetensors of n-gram classifier 'attribution' is not the file that was written"
    ):
        model_files(tiny_ngrams.parent, REPO)


def test_membership_thresholds_are_published_after_a_strict_load(tiny_folder):
    by_length = {100: {name: Threshold(auc=0.5) for name in STATISTICS}}
    save_thresholds(MembershipThresholds(("a", "b"), "difference", by_length), tiny_folder / "membership")
    files = model_files(tiny_folder, REPO)
    assert {path for path in files if path.startswith("membership/")} == {"membership/meta.json"}
    assert "for texts of 100 characters" in files["README.md"].decode()
    (tiny_folder / "membership/meta.json").write_text("{}")
    with pytest.raises(ModelError, match="meta.json of membership thresholds 'membership' is damaged"):
        model_files(tiny_folder, REPO)
