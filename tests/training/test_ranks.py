"""Distributed training: two processes on the CPU over gloo give the results of one, and resume exactly."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from lyricgen import Song, SongStreams, encode_corpus, load_checkpoint
from lyricgen.training import cli as train
from lyricgen.training.ranks import gather_from_ranks, rank, ranks, sum_over_ranks

ROOT = Path(__file__).parents[2]
FLAGS = [
    "--models", "lstm", "--data", str(ROOT / "tests/data"), "--epochs", "2", "--hidden-size", "8", "--batch-size", "4",
    "--length", "32", "--warmup-steps", "2", "--samples", "0", "--precision", "float32", "--accelerator", "cpu",
    "--threads", "1", "--no-progress",
]  # fmt: skip
pytestmark = [
    pytest.mark.usefixtures("short_lyrics", "no_picture"),
    pytest.mark.filterwarnings("ignore:.*(LeafSpec|number of training batches|isinstance.treespec)"),
]


@pytest.fixture
def corpus(tmp_path):
    songs = [Song(f"song {number} goes {'la ' * (7 * number % 11)}", "") for number in range(9)]
    return encode_corpus(songs, tmp_path / "corpus")


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("count", [2, 3])
def test_the_rows_of_all_ranks_are_those_of_one_process(shuffle, count, corpus):
    def streams(rank=0, ranks=1):
        return SongStreams(corpus, 6, 8, shuffle, artist_dropout=0.5, seed=3, rank=rank, ranks=ranks)

    alone, shares = streams(), [streams(number, count) for number in range(count)]
    assert {len(share) for share in shares} == {len(alone)}
    for _ in range(2):  # epochs
        for batch, *parts in zip(alone, *shares, strict=True):
            for name, value in vars(batch).items():
                assert torch.equal(value, torch.cat([getattr(part, name) for part in parts])), name
    assert [share.state_dict()["rng"] for share in shares] == [alone.state_dict()["rng"]] * count


def test_more_ranks_than_rows_leave_some_without_rows(corpus):
    lengths = [len(next(iter(SongStreams(corpus, 2, 8, rank=number, ranks=3))).songs) for number in range(3)]
    assert lengths == [1, 1, 0]


def test_without_a_distributed_training_there_is_one_rank():
    values = torch.tensor([1.0, 2.0])
    assert (rank(), ranks()) == (0, 1)
    assert sum_over_ranks(values) is values and gather_from_ranks("value") == ["value"]


@pytest.fixture(scope="module")
def two_ranks(tmp_path_factory):
    """The folders of three trainings of two ranks, without the suffix of the rank; see distributed_run.py."""
    folder = tmp_path_factory.mktemp("ranks")
    folders = [folder / name for name in ("same", "dropout", "resumed")]
    command = [sys.executable, str(Path(__file__).with_name("distributed_run.py")), *map(str, folders), *FLAGS]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    return folders, result


def checkpoint_of(folder):
    """The checkpoint of step 30."""
    [path] = Path(f"{folder}-rank0/checkpoints/lstm").glob("last-epoch=1-step=30-*.ckpt")
    return path


def without_seconds(history):
    return [{**row, "seconds": 0} for row in history]


def test_two_ranks_train_the_model_of_one(two_ranks, tmp_path):
    (same, *_), _ = two_ranks
    assert train.main([*FLAGS, "--dropout", "0", "--out", str(tmp_path)]) == 0
    one, two = (load_checkpoint(folder / "lstm") for folder in (tmp_path, Path(f"{same}-rank0")))
    assert len(one.history) == 4 and one.metrics["steps"] == two.metrics["steps"] == 40
    for ours, theirs in zip(without_seconds(one.history), without_seconds(two.history), strict=True):
        assert ours.keys() == theirs.keys()
        for name, value in ours.items():
            assert value is theirs[name] is None or value == pytest.approx(theirs[name], abs=2e-4), name
    for ours, theirs in zip(one.model.parameters(), two.model.parameters(), strict=True):
        assert (ours - theirs).abs().max() < 2e-3  # float16 in the files
    assert [row["text"] for row in one.samples][:4] == [row["text"] for row in two.samples][:4]


def test_a_resumed_training_of_two_ranks_is_that_of_an_unbroken_one(two_ranks):
    (_, unbroken, resumed), _ = two_ranks
    one, two = (load_checkpoint(f"{folder}-rank0/lstm") for folder in (unbroken, resumed))
    assert without_seconds(one.history) == without_seconds(two.history)
    assert all(torch.equal(*pair) for pair in zip(one.model.parameters(), two.model.parameters(), strict=True))
    assert one.samples == two.samples


def test_other_ranks_draw_their_own_dropout(two_ranks):
    (_, unbroken, _), _ = two_ranks
    state = torch.load(checkpoint_of(unbroken), weights_only=True)
    saved = next(value for key, value in state["callbacks"].items() if "TrainingState" in key)
    [other] = saved["other_rngs"]
    assert not torch.equal(saved["rng"]["torch"], other["torch"])
    assert {part.shape[1] for part in state["hidden_state"]} == {4}  # the rows of both ranks


def test_other_ranks_write_and_print_nothing(two_ranks):
    folders, result = two_ranks
    for folder in folders:
        assert Path(f"{folder}-rank0/lstm/model.safetensors").is_file()
        assert not Path(f"{folder}-rank1").exists()
    assert result.stdout.count("songs to train on") == 3 == result.stdout.count("written to")
    assert "Warning" not in result.stderr


def test_a_checkpoint_of_other_ranks_is_refused(two_ranks, tmp_path, capsys):
    (_, unbroken, _), _ = two_ranks
    last = str(checkpoint_of(unbroken))
    assert train.main([*FLAGS, "--dropout", "0.3", "--resume", last, "--out", str(tmp_path)]) == 2
    assert "is of a training with another --devices x --num-nodes; use the flags" in capsys.readouterr().err


def test_processes_that_the_flags_do_not_name_are_refused(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "3")
    assert train.main([*FLAGS, "--out", str(tmp_path)]) == 2
    assert "--devices x --num-nodes must be 3, the number of processes started" in capsys.readouterr().err


def test_gpus_that_the_machine_lacks_are_refused(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    flags = [flag for flag in FLAGS if flag not in ("--accelerator", "cpu")]
    assert train.main([*flags, "--devices", "2", "--out", str(tmp_path)]) == 2
    assert "--devices must be at most 1, the GPUs of this machine, got 2" in capsys.readouterr().err
