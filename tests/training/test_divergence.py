"""A training that diverges: the warning while its loss climbs, and the end at a loss that is not finite."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from lyricgen import LyricsGenerationTask, load_checkpoint
from lyricgen.models.checkpoints import training_records
from lyricgen.training import cli as train
from lyricgen.training.divergence import find_climb

ROOT = Path(__file__).parents[2]
FLAGS = [
    "--models", "lstm", "--data", str(ROOT / "tests/data"), "--epochs", "1", "--hidden-size", "8", "--batch-size", "3",
    "--length", "32", "--warmup-steps", "2", "--samples", "0", "--accelerator", "cpu", "--threads", "1", "--no-progress",
]  # fmt: skip
pytestmark = [
    pytest.mark.usefixtures("short_lyrics", "no_picture"),
    pytest.mark.filterwarnings("ignore:.*(LeafSpec|number of training batches|isinstance.treespec)"),
]


def curve(*levels, rows=40, noise=0.02):
    """Rows of a learning curve that goes straight from each level to the next in `rows` rows."""
    places = np.arange(1 + rows * (len(levels) - 1)) / rows
    losses = np.interp(places, range(len(levels)), levels) + noise * np.sin(np.arange(len(places)) * 7)
    return [{"step": 20 * at, "train_bpc": float(loss)} for at, loss in enumerate(losses, 1)]


def test_a_long_climb_is_found_with_its_lowest_point():
    lowest, last, step = find_climb(curve(4, 1.9, 1.9, 2.3))
    assert 1.88 < lowest < 1.92 and 2.2 < last < 2.3
    assert 20 * 41 < step < 20 * 90


@pytest.mark.parametrize(
    "levels",
    [(4, 2, 1.9), (4, 1.9, 1.9), (4, 1.9, 1.93), (4, 1.9, 2.3, 1.8), (4,)],
    ids=["falling", "flat", "within the noise", "back down", "too short"],
)
def test_any_other_curve_has_none(levels):
    assert find_climb(curve(*levels)) is None


def test_a_noisy_curve_of_small_batches_has_none():
    assert find_climb(curve(4, 1.9, 2.0, noise=0.5)) is None
    assert find_climb(curve(4, 1.9, 2.0, noise=0.02)) is not None


@pytest.mark.parametrize("name", ["lstm", "vanilla-rnn"])
def test_the_bundled_models_curves_have_none_before_their_restart_at_a_higher_rate(name):
    checkpoint = load_checkpoint(ROOT / "lyricgen/assets" / name)
    *_, first = training_records(checkpoint.metrics)
    rows = [row for row in checkpoint.history if row["step"] <= first["steps"]]
    assert len(rows) > 200
    assert not any(find_climb(rows[:count]) for count in range(len(rows)))


def run(*flags, out):
    return train.main([*FLAGS, "--out", str(out), *map(str, flags)])


def test_a_climb_is_said_once_with_the_way_out_and_training_continues(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(
        "lyricgen.training.divergence.find_climb", lambda rows: (1.9, 2.3, 20) if len(rows) > 1 else None
    )
    assert run("--epochs", 4, out=tmp_path) == 0
    [line] = capsys.readouterr().err.splitlines()
    assert re.fullmatch(
        r"warning: the training loss has climbed from 1.90 to 2.30 bits per character since step 20, at learning rate "
        r"0.0\d+; if it goes on, press Ctrl-C and train again with a lower --learning-rate or a higher --weight-decay",
        line,
    )


@pytest.fixture
def nan_at(monkeypatch):
    """Makes the loss of a step NaN."""

    def patch(step):
        nats = LyricsGenerationTask.nats

        def nan(self, batch, split):
            return nats(self, batch, split) * (math.nan if split == "train" and self.global_step == step - 1 else 1)

        monkeypatch.setattr(LyricsGenerationTask, "nats", nan)

    yield patch
    monkeypatch.undo()


def test_a_loss_that_is_not_finite_ends_with_the_way_back_and_writes_no_model(tmp_path, capsys, nan_at, monkeypatch):
    nan_at(17)
    assert run("--checkpoint-every", 5, "--learning-rate", 0.02, out=tmp_path) == 3
    [message] = capsys.readouterr().err.splitlines()
    found = re.fullmatch(
        r"train.py: lstm: the loss is nan at step 17, learning rate 0.0\d+; continue with a lower rate: lyricgen train "
        r"--models lstm --resume (\S+) .*--learning-rate 0.01 .*",
        message,
    )
    assert not (tmp_path / "lstm").exists()
    kept = sorted((tmp_path / "checkpoints/lstm").glob("*.ckpt"), key=lambda path: path.stat().st_mtime)
    assert ["step=10-" in kept[0].name, "step=15-" in kept[1].name] == [True, True] and len(kept) == 2
    assert Path(found[1]) == kept[1]

    monkeypatch.undo()
    assert run("--resume", found[1], "--learning-rate", 0.01, out=tmp_path) == 0
    metrics = load_checkpoint(tmp_path / "lstm").metrics
    assert metrics["steps"] == 27 and metrics["options"]["learning_rate"] == 0.01


def test_a_first_step_that_is_not_finite_leaves_no_checkpoint_to_go_back_to(tmp_path, capsys, nan_at):
    nan_at(1)
    assert run("--checkpoint-every", 1, out=tmp_path) == 3
    assert (
        "no checkpoint is left, so train again with a lower rate, such as --learning-rate 0.002"
        in capsys.readouterr().err
    )
    assert not list(tmp_path.glob("checkpoints/lstm/*.ckpt"))


@pytest.mark.parametrize("step", [20, 27])
def test_weights_that_are_not_finite_are_never_written(step, tmp_path, capsys, monkeypatch):
    """An update can overflow though the loss before it was finite: at a checkpoint, or in the last step."""
    ends = LyricsGenerationTask.on_before_zero_grad

    def overflow(self, optimizer):
        ends(self, optimizer)
        if self.global_step == step - 1:
            self.model.ffnn.weight.register_hook(lambda gradient: gradient * math.inf)

    monkeypatch.setattr(LyricsGenerationTask, "on_before_zero_grad", overflow)
    assert run("--checkpoint-every", 10, "--gradient-clip", 0, "--optimizer", "adam", out=tmp_path) == 3
    assert f"a weight is not finite at step {step}" in capsys.readouterr().err
    assert not (tmp_path / "lstm").exists()
    for path in tmp_path.glob("checkpoints/lstm/*.ckpt"):
        state = torch.load(path, weights_only=True)["state_dict"]
        assert all(bool(value.isfinite().all()) for value in state.values())


def test_a_resume_at_another_rate_scales_the_schedule_and_at_the_same_rate_leaves_it(tmp_path, monkeypatch):
    rates = {}

    def record(self, *_):
        rates.setdefault(self.learning_rate, {})[self.global_step] = [
            group["lr"] for group in self.trainer.optimizers[0].param_groups
        ]

    assert run("--max-steps", 27, "--checkpoint-every", 10, "--learning-rate", 0.02, out=tmp_path) == 0
    [last] = (tmp_path / "checkpoints/lstm").glob("*step=20-*.ckpt")
    monkeypatch.setattr(LyricsGenerationTask, "on_train_batch_start", record)
    for rate in (0.02, 0.005):
        assert run("--resume", last, "--learning-rate", rate, out=tmp_path) == 0
    assert set(rates[0.02]) == set(rates[0.005]) == set(range(20, 27))
    for step, (muon, adamw) in rates[0.02].items():
        assert rates[0.005][step] == pytest.approx([muon / 4, adamw / 4]) and adamw == pytest.approx(muon / 2)
