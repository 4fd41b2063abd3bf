"""A torn moment loses nothing: a kill in a training or a push, a full disk, a Hub that dies during a download."""

import multiprocessing
import os
import random
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import pytorch_lightning as pl
from localhub import LocalHub, Repo, client_environment

from lyricgen.hub.download import Download
from lyricgen.hub.publish import model_files, push_models
from lyricgen.models.checkpoints import load_checkpoint, load_training_checkpoint
from lyricgen.resources import hub_sources
from lyricgen.storage import LEFTOVER_AGE, remove_leftovers
from lyricgen.training import cli as train

ROOT = Path(__file__).parents[2]
REPO = "ann/models"
FLAGS = [
    "--models", "lstm", "--data", str(ROOT / "tests/data"), "--hidden-size", "8", "--batch-size", "3", "--length", "32",
    "--warmup-steps", "2", "--samples", "0", "--accelerator", "cpu", "--threads", "1", "--no-progress", "--checkpoint-every", "1",
]  # fmt: skip
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*(LeafSpec|number of training batches|isinstance.treespec|multi-threaded)"
)


def kill(program: Callable[..., object], arguments: tuple, begun: Callable[[], bool], most: float) -> None:
    """Runs a function in a fork, and kills that up to `most` seconds after something has begun, at a random moment."""
    process = multiprocessing.get_context("fork").Process(target=program, args=arguments)
    process.start()
    try:
        while not begun() and process.is_alive():
            time.sleep(0.005)
        time.sleep(random.uniform(0, most))
    finally:
        process.kill()
        process.join()


def checkpoints(out: Path) -> list[Path]:
    """The checkpoints of a training, the newest last."""
    return sorted(
        out.glob("checkpoints/lstm/last-*.ckpt"), key=lambda path: int(re.search(r"step=(\d+)", path.name)[1])
    )


def leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*.partial*")]


def test_a_training_that_is_killed_goes_on_from_its_newest_checkpoint(size, tmp_path):
    flags = [*FLAGS, "--epochs", "200", "--out", str(tmp_path)]
    for _ in range(size(3, 20)):
        kept = checkpoints(tmp_path)
        resume = ["--resume", str(kept[-1])] if kept else []
        kill(train.main, ([*flags, *resume],), lambda kept=kept: checkpoints(tmp_path) != kept, 0.5)
        assert checkpoints(tmp_path)
        for path in checkpoints(tmp_path):
            load_training_checkpoint(path)
    newest = checkpoints(tmp_path)[-1]
    steps = int(re.search(r"step=(\d+)", newest.name)[1])
    for path in tmp_path.rglob("*.partial*"):  # as if the kills were long ago
        os.utime(path, (time.time() - LEFTOVER_AGE - 1,) * 2)
    assert train.main([*flags, "--max-steps", str(steps + 1), "--resume", str(newest)]) == 0
    assert load_checkpoint(tmp_path / "lstm").metrics["steps"] == steps + 1
    for folder in (tmp_path, tmp_path / "corpus", tmp_path / "checkpoints/lstm"):
        remove_leftovers(folder)
    assert leftovers(tmp_path) == []


def test_a_push_that_is_killed_leaves_the_commit_before_or_a_whole_new_one(size, tiny_folder, monkeypatch):
    files = model_files(tiny_folder, REPO).items()
    whole = {path: content if isinstance(content, bytes) else content.read_bytes() for path, content in files}
    with LocalHub(tokens=["hf_ann"]) as hub:
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.url)
        monkeypatch.setenv("HF_TOKEN", "hf_ann")
        for _ in range(size(3, 20)):
            before = len(hub.requests)
            kill(push_models, (tiny_folder, REPO), lambda before=before: len(hub.requests) > before, 0.1)
            repo = hub.repos.get(f"models/{REPO}")
            pushed = {path: content for path, content in (repo.head.files if repo else {}).items() if path in whole}
            assert pushed in ({}, whole)
        push_models(tiny_folder, REPO)
        assert {path: hub.repos[f"models/{REPO}"].head.files[path] for path in whole} == whole


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A disk of 300 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("needs the right to mount")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)  # the corpus is mapped


def test_a_full_disk_is_named_and_the_last_checkpoint_stays(small_disk, tmp_path, capsys, monkeypatch):
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    ballast = small_disk / "ballast"

    def fill(callback: object, trainer: pl.Trainer, *_: object) -> None:
        if trainer.global_step == 4:
            with pytest.raises(OSError), ballast.open("wb", buffering=0) as file:
                while True:
                    file.write(bytes(512))

    monkeypatch.setattr("lyricgen.training.learning_curve.LearningCurve.on_train_batch_start", fill, raising=False)
    assert train.main([*FLAGS, "--epochs", "1", "--out", str(small_disk)]) == 2
    [message] = capsys.readouterr().err.splitlines()
    last = checkpoints(small_disk)[-1]
    assert re.fullmatch(
        rf"train.py: lstm: No space left on device: {small_disk}/checkpoints/lstm/last-\S+step=\d\S+.ckpt; make room on that disk, "
        rf"then continue with: lyricgen train --models lstm --resume {last} --data \S+ .*--out {small_disk} .*",
        message,
    )
    assert "step=4-" in last.name and load_training_checkpoint(last)
    assert leftovers(small_disk) == [] and list((tmp_path / "tmp").iterdir()) == []
    monkeypatch.undo()
    ballast.unlink()
    assert train.main([*FLAGS, "--epochs", "1", "--out", str(tmp_path / "out"), "--resume", str(last)]) == 0


def test_a_hub_that_dies_during_a_download_leaves_the_bundled_models_and_the_next_start_goes_on(
    tiny_folder, tmp_path, monkeypatch
):
    with LocalHub() as hub:
        for name, value in client_environment(hub.url, tmp_path / "hf", LYRICGEN_CACHE=str(tmp_path / "cache")).items():
            if name.startswith(("HF_", "LYRICGEN_")):
                monkeypatch.setenv(name, value)
        hub.repos[f"models/{REPO}"] = Repo(REPO, "model")
        files = model_files(tiny_folder, REPO).items()
        files = {path: content if isinstance(content, bytes) else content.read_bytes() for path, content in files}
        hub.repos[f"models/{REPO}"].commit("main", "models", files)
        for fault, most in (("truncated", 60), ("500", 3), (None, 60)):  # seconds; the client tries for 25 after a 500
            monkeypatch.setattr("lyricgen.hub.download.STARTUP_TIMEOUT", most)
            hub.fault, hub.fault_on = fault, r"resolve/.*/lstm/model.safetensors"
            download = Download(REPO)
            try:
                first = hub_sources(download)[0]
            finally:
                download.stop()
            if fault:
                assert first.origin.startswith(f"bundled with lyricgen, since {REPO} could not be fetched: ")
            else:
                assert first.origin.startswith(f"{REPO} on the Hugging Face Hub") and first.read("lstm")
