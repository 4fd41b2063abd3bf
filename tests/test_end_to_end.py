"""From songs to a page by way of the Hub, with the commands that a person types, on a machine that has nothing cached."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from gradio_client import Client
from localhub import LocalHub, asked_of, client_environment
from shell import Done

from benchmarks.running_app import running_app

ROOT = Path(__file__).resolve().parents[1]
REPO = "ann/songs"
TRAINING = [
    "--data", "tests/data", "--hidden-size", "8", "--batch-size", "3", "--length", "32", "--epochs", "1", "--threads", "1",
    "--accelerator", "cpu", "--no-progress", "--dimensions", "4", "--word-epochs", "1", "--min-songs", "1", "--samples", "4",
]  # fmt: skip


@pytest.fixture
def machine(tmp_path):
    """A Hub, and the environment of a machine that has nothing cached."""
    with LocalHub(tokens=["hf_ann"]) as hub:
        environment = client_environment(hub.url, tmp_path / "hf", LYRICGEN_CACHE=str(tmp_path / "cache"))
        yield hub, environment, tmp_path


@pytest.fixture
def train(listening):
    """train.py with `TRAINING` and more flags, in the process of the shell."""

    def run(*flags: str, **settings) -> Done:
        return listening[1].run(
            "--data", ROOT / "tests/data", *TRAINING[2:], *flags, module="lyricgen.training.cli", **settings
        )

    return run


def run(*command: str, environment: dict[str, str]) -> subprocess.CompletedProcess:
    """A command of the project's README in a process of its own."""
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )


@contextmanager
def app(*flags: str, environment: dict[str, str], log: Path) -> Iterator[Client]:
    """The app as `python app.py` starts it, and a client of it."""
    with log.open("w") as output, running_app(*flags, environment=environment, log=output) as running:
        client = Client(running.url, verbose=False)
        yield client
        client.close()


def origins(client: Client) -> set[str]:
    """Where the app says that its models are from."""
    return {model["origin"] for model in client.predict(api_name="/about")["models"]}


def written(client: Client) -> str:
    return client.predict(prefix="the sea ", max_length=60, seed=3, api_name="/generate")


def test_train_push_run_then_the_cache_then_the_bundle(machine):
    hub, environment, tmp_path = machine
    models, log = tmp_path / "models", tmp_path / "app.log"
    push = ["--hub-repo", REPO, "--push", "--private"]
    trained = run("train.py", *TRAINING, "--out", str(models), *push, environment={**environment, "HF_TOKEN": "hf_ann"})
    assert trained.returncode == 0, trained.stderr
    repo = hub.repos[f"models/{REPO}"]
    assert f"{REPO} is at commit {repo.head.oid[:7]}" in trained.stdout
    assert repo.private and len(repo.commits) == 2  # the Hub's own and ours

    environment["LYRICGEN_HUB_REPO"] = REPO  # as on a Space
    with app(environment={**environment, "HF_TOKEN": "hf_ann"}, log=log) as client:
        assert origins(client) == {f"{REPO} on the Hugging Face Hub, commit {repo.head.oid[:7]}"}
        lyric = written(client)
        assert lyric.startswith("the sea ") and len(lyric) == 60

    hub.stop()
    with app(environment=environment, log=log) as client:
        [origin] = origins(client)
        assert origin.startswith(f"{REPO}, commit {repo.head.oid[:7]}, from the cache, since it could not be fetched")
        assert written(client) == lyric
    assert "from the cache" in log.read_text() and "Traceback" not in log.read_text()

    shutil.rmtree(tmp_path / "hf")
    with app(environment=environment, log=log) as client:
        [origin] = origins(client)
        assert origin.startswith(f"bundled with lyricgen, since {REPO} could not be fetched: the Hub cannot be reached")
        other = written(client)
        assert other.startswith("the sea ") and other != lyric


def test_a_name_that_cannot_be_still_gives_a_page(machine):
    _, environment, tmp_path = machine
    with app("--hub-repo", "no such name", environment=environment, log=tmp_path / "log") as client:
        [origin] = origins(client)
        assert "--hub-repo must be USER/NAME" in origin and origin.startswith("bundled with lyricgen")
        assert len(written(client)) == 60


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
def test_an_interrupted_training_publishes_nothing(machine):
    hub, environment, tmp_path = machine
    command = [
        sys.executable, "train.py", *TRAINING, "--epochs", "100000", "--models", "lstm", "--out", str(tmp_path / "models"),
        "--hub-repo", REPO, "--push",
    ]  # fmt: skip
    environment["HF_TOKEN"] = "hf_ann"
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        for line in process.stdout:
            if line.startswith("lstm: "):
                break
        time.sleep(2)
        process.terminate()
        said = process.communicate(timeout=60)[0]
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130 and "interrupted" in said
    assert hub.requests == [] and hub.repos == {}
