"""Early stopping on held-out training songs."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from lyricgen import ArgumentError, load_checkpoint
from lyricgen.training import cli as train
from lyricgen.training.config import TrainConfig
from lyricgen.training.early_stopping import EarlyStopping

ROOT = Path(__file__).parents[2]
FLAGS = [
    "--models", "vanilla-rnn", "--data", str(ROOT / "tests/data"), "--hidden-size", "8", "--batch-size", "3",
    "--length", "32", "--warmup-steps", "2", "--samples", "0", "--accelerator", "cpu", "--threads", "1", "--no-progress",
]  # fmt: skip
EPOCH = 27  # steps
pytestmark = [
    pytest.mark.usefixtures("short_lyrics", "no_picture"),
    pytest.mark.filterwarnings("ignore:.*(LeafSpec|number of training batches|isinstance.treespec)"),
]


def validate(stopping, *figures, after=0):
    """One validation with each figure, the weights being the number of the validation; where the training stopped."""
    model = nn.Linear(1, 1, bias=False)
    for step, bpc in enumerate(figures, 1 + after):
        model.weight.data.fill_(step)
        trainer = SimpleNamespace(global_step=step, should_stop=False)
        stopping.on_validation_end(trainer, SimpleNamespace(model=model, val_figures={"held_out_bpc": bpc}))
        if trainer.should_stop:
            return step
    return None


@pytest.mark.parametrize(
    ("patience", "figures", "stop", "best"),
    [
        (1, (3.0, 2.0, 2.5, 1.0), 3, 2),
        (2, (3.0, 2.0, 2.5, 2.0, 1.0), 4, 2),
        (2, (3.0, 2.0, 2.5, 1.9, 2.5), None, 4),
        (9, (3.0, 2.0, 2.5), None, 2),
    ],
)
def test_it_stops_after_so_many_validations_without_a_better_one_and_keeps_the_best(patience, figures, stop, best):
    stopping = EarlyStopping(patience)
    assert validate(stopping, *figures) == stop
    assert stopping.best_step == best and stopping.best_bpc == pytest.approx(figures[best - 1])
    assert float(stopping.best_weights["weight"]) == best


def test_it_goes_on_from_its_state():
    stopping, again = EarlyStopping(2), EarlyStopping(2)
    validate(stopping, 3.0, 2.0, 2.5)
    again.load_state_dict(stopping.state_dict())
    assert validate(again, 2.1, after=3) == 4
    assert again.best_step == 2 and float(again.best_weights["weight"]) == 2


def run(*flags, out):
    return train.main([*FLAGS, "--out", str(out), *map(str, flags)])


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """A training at a rate that soon makes the held-out song worse, with a checkpoint of every epoch."""
    out = tmp_path_factory.mktemp("stopped")
    flags = ("--epochs", 40, "--patience", 2, "--learning-rate", 0.2, "--checkpoint-every", EPOCH)
    assert run(*flags, out=out) == 0
    return out


def test_the_weights_are_those_of_the_best_held_out_epoch(stopped):
    checkpoint = load_checkpoint(stopped / "vanilla-rnn")
    held_out = {row["step"]: row["held_out_bpc"] for row in checkpoint.history if row["held_out_bpc"]}
    best = min(held_out, key=held_out.get)
    metrics = checkpoint.metrics
    assert metrics["weights_step"] == best < metrics["steps"] == max(held_out) == best + 2 * EPOCH < 40 * EPOCH
    assert metrics["held_out_bpc"] == pytest.approx(held_out[best], abs=0.01) and metrics["options"]["patience"] == 2
    assert metrics["epochs"] == len(held_out)


def test_a_resumed_training_stops_where_an_unbroken_one_does(stopped, tmp_path):
    older, _ = sorted((stopped / "checkpoints/vanilla-rnn").glob("*.ckpt"), key=lambda path: path.stat().st_mtime)
    flags = ("--epochs", 40, "--patience", 2, "--learning-rate", 0.2, "--resume", older)
    assert run(*flags, out=tmp_path) == 0
    one, two = (load_checkpoint(out / "vanilla-rnn") for out in (stopped, tmp_path))
    assert all(torch.equal(*pair) for pair in zip(one.model.parameters(), two.model.parameters(), strict=True))
    assert one.metrics["weights_step"] == two.metrics["weights_step"] and one.metrics["steps"] == two.metrics["steps"]


def test_without_patience_all_epochs_are_trained_and_the_last_weights_written(tmp_path):
    assert run("--epochs", 2, out=tmp_path) == 0
    checkpoint = load_checkpoint(tmp_path / "vanilla-rnn")
    assert checkpoint.metrics["weights_step"] == checkpoint.metrics["steps"] == 2 * EPOCH
    assert [row["step"] for row in checkpoint.history if row["held_out_bpc"]] == [EPOCH, 2 * EPOCH]


def test_a_training_that_ends_before_its_first_validation_has_the_weights_and_figures_of_its_last_step(tmp_path):
    assert run("--max-steps", 5, "--patience", 2, out=tmp_path) == 0
    checkpoint = load_checkpoint(tmp_path / "vanilla-rnn")
    assert checkpoint.metrics["weights_step"] == checkpoint.metrics["steps"] == 5
    assert checkpoint.history[-1]["held_out_bpc"] == checkpoint.metrics["held_out_bpc"]


def test_patience_without_held_out_songs_is_refused():
    with pytest.raises(ArgumentError, match="^--patience needs held-out songs; --held-out must be above 0, got 0$"):
        TrainConfig(patience=1, held_out=0)
