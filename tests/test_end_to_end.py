"""From songs to a page by way of the Hub, with the commands that a person types, on a machine that has nothing cached."""

import os
import shutil
import signal
from pathlib import Path

import pytest
from gradio_client import Client
from localhub import asked_of, client_environment
from shell import Done

from benchmarks.running_app import running_app
from lyricgen.endpoints.lyrics import generate
from lyricgen.hub.download import Download
from lyricgen.resources import Resources

ROOT = Path(__file__).resolve().parents[1]
REPO = "ann/songs"
TRAINING = [
    "--data", str(ROOT / "tests/data"), "--hidden-size", "8", "--batch-size", "3", "--length", "32", "--epochs", "1", "--threads", "1",
    "--accelerator", "cpu", "--no-progress", "--dimensions", "4", "--word-epochs", "1", "--min-songs", "1", "--max-steps", "2", "--samples", "0",
]  # fmt: skip


@pytest.fixture
def train(listening):
    """train.py with `TRAINING` and more flags, in the process of the shell."""

    def run(*flags: str, **settings) -> Done:
        return listening[1].run(*TRAINING, *flags, module="lyricgen.training.cli", **settings)

    return run


def test_train_push_run_then_the_cache_then_the_bundle(hub, listening, train, tmp_path, monkeypatch, caplog):
    trained = train("--out", tmp_path / "models", "--hub-repo", REPO, "--push", "--private")
    assert trained.code == 0, trained.err
    repo = hub.repos[f"models/{REPO}"]
    assert f"{REPO} is at commit {repo.head.oid[:7]}" in trained.out
    assert repo.private and len(repo.commits) == 2  # the Hub's own and ours

    environment = client_environment(hub.url, tmp_path / "hf", LYRICGEN_CACHE=str(tmp_path / "cache"))
    log = tmp_path / "log"
    with log.open("w") as output:
        started = {"environment": {**environment, "HF_TOKEN": "hf_ann"}, "log": output}
        with running_app("--hub-repo", REPO, **started) as app:
            client = Client(app.url, verbose=False)
            models = client.predict(api_name="/about")["models"]
            lyric = client.predict(prefix="the sea ", max_length=60, seed=3, api_name="/generate")
            client.close()
    assert {model["origin"] for model in models} == {f"{REPO} on the Hugging Face Hub, commit {repo.head.oid[:7]}"}
    assert lyric.startswith("the sea ") and len(lyric) == 60 and "Traceback" not in log.read_text()

    def start_again() -> tuple[str, str]:
        """Where the models are from, and what they write, of an app in this process."""
        download = Download(REPO)
        resources = Resources(device="cpu", hub=download)
        download.stop()
        [origin] = {model["origin"] for model in resources.about()["models"]}
        *_, lyric = generate(resources, "the sea ", max_length=60, seed=3)
        return origin, lyric

    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    hub.stop()
    origin, same = start_again()
    assert origin.startswith(f"{REPO}, commit {repo.head.oid[:7]}, from the cache, since it could not be fetched")
    assert same == lyric and "from the cache" in caplog.text

    shutil.rmtree(tmp_path / "hf")
    origin, other = start_again()
    assert origin.startswith(f"bundled with lyricgen, since {REPO} could not be fetched: the Hub cannot be reached")
    assert other.startswith("the sea ") and other != lyric


def test_a_push_that_fails_after_a_training_keeps_the_models_and_says_how_to_go_on(hub, listening, train, tmp_path):
    hub.fault, hub.fault_on = "500", "/commit/"
    models = tmp_path / "models"
    trained = train("--models", "lstm", "--out", str(models), "--hub-repo", REPO, "--push", "--tag", "v1")
    assert trained.code == 1 and hub.repos == {}
    [sentence] = [line for line in trained.err.splitlines() if line.startswith("train.py: ")]
    assert "not published, since the Hub answered 500" in sentence
    command = sentence.partition("continue with: python -m lyricgen ")[2].split()
    hub.fault = None
    pushed = listening[1].run(*command)
    assert pushed.code == 0, pushed.err
    repo = hub.repos[f"models/{REPO}"]
    assert repo.tags == {"v1": repo.head.oid} and "lstm/config.json" in repo.head.files


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--push"], "--hub-repo must be USER/NAME"),
        (["--push", "--hub-repo", "songs"], "--hub-repo must be USER/NAME"),
        (["--push", "--hub-repo", REPO, "--revision", "a b"], "--revision must be"),
        (["--push", "--hub-repo", REPO, "--tag", "x/"], "--tag must be"),
        (["--push", "--hub-repo", REPO], "there is no token for the Hub"),
    ],
)
def test_what_would_prevent_a_push_is_reported_before_the_training(hub, train, tmp_path, flags, said):
    trained = train("--out", str(tmp_path / "models"), *flags, token=None)
    assert trained.code == 2 and said in trained.err
    assert not (tmp_path / "models").exists() and asked_of(hub) == []


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_an_interrupted_training_publishes_nothing(hub, listening, tmp_path):
    shell, out = listening[1], tmp_path / "models"
    flags = ["--max-steps", 1_000_000, "--epochs", 100_000, "--checkpoint-every", 5, "--models", "lstm", "--out", out]
    shell.begin(*TRAINING, *flags, "--hub-repo", REPO, "--push", module="lyricgen.training.cli")
    done = shell.end_by(signal.SIGTERM, once=lambda: list(out.glob("checkpoints/lstm/last*")))
    assert done.code == 130 and "interrupted" in done.err
    assert asked_of(hub) == [] and hub.repos == {}
