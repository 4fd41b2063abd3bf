"""Exact resume of an interrupted training, and samples that leave it as it is."""

import json

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint
from torch.utils.data import DataLoader

from lyricgen import ImprovedSeqModel, LyricsGenerationTask, Song, SongStreams, VanillaRNN, encode_corpus
from lyricgen.training.learning_curve import LearningCurve
from lyricgen.training.resume import TrainingState
from lyricgen.training.samples import StageSamples, is_stage, sample_text

QUIET = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False, "accelerator": "cpu"}
SONGS = [Song(f"the {word} goes round and the {word} comes down " * (1 + at), "Ann" if at % 2 else "Bob")
         for at, word in enumerate(("mill", "boat", "moth", "lamp", "stone"))]  # fmt: skip
pytestmark = [
    pytest.mark.usefixtures("short_lyrics"),
    pytest.mark.filterwarnings(
        "ignore:.*(LeafSpec|number of training batches|many workers|__len__|isinstance.treespec|Checkpoint directory|not resumable|Be aware that when using|The dirpath has changed)"
    ),
]


class Losses(pl.Callback):
    """The loss of each step; raises an exception at one of them."""

    def __init__(self, stop_at: int | None = None, stop_in_validation: bool = False):
        self.rows, self.stop_at, self.stop_in_validation = [], stop_at, stop_in_validation

    def on_train_batch_end(self, trainer, task, outputs, batch, batch_index):
        self.rows.append((trainer.global_step, float(outputs["loss"].detach())))
        if trainer.global_step == self.stop_at and not self.stop_in_validation:
            raise KeyboardInterrupt

    def on_validation_batch_end(self, trainer, *_):
        if trainer.global_step == self.stop_at and self.stop_in_validation:
            raise KeyboardInterrupt


def fit(corpus, folder, model_class=ImprovedSeqModel, resume=None, losses=None, with_samples=True, every=1000):
    """Trains three epochs; returns the callbacks and the model."""
    pl.seed_everything(3, verbose=False)
    model = model_class(hidden_size=8, artists=("Ann", "Bob"), dropout=0.3)
    task = LyricsGenerationTask(model, 0.01, "muon", 0.1, warmup_steps=3)
    streams = SongStreams(corpus, 3, 16, artist_dropout=0.4, seed=5)
    losses, curve, state, samples = losses or Losses(), LearningCurve(every=4), TrainingState(streams), StageSamples()
    checkpoints = ModelCheckpoint(
        folder,
        "last-{step}",
        monitor="step",
        mode="max",
        save_top_k=-1,
        every_n_train_steps=every,
        save_on_exception=True,
    )
    callbacks = [curve, *([samples] if with_samples else []), state, losses, checkpoints]
    trainer = pl.Trainer(max_epochs=3, num_sanity_val_steps=0, callbacks=callbacks, **QUIET)
    loaders = (
        DataLoader(streams, batch_size=None, generator=torch.Generator()),
        DataLoader(SongStreams(corpus, 2, 16, shuffle=False), batch_size=None, generator=torch.Generator()),
    )
    try:
        trainer.fit(task, *loaders, ckpt_path=resume, weights_only=True)
    except SystemExit:
        assert losses.stop_at
    return losses, curve, samples, model, len(streams)


@pytest.fixture
def corpus(tmp_path):
    return encode_corpus(SONGS, tmp_path / "corpus", ["Ann", "Bob"])


def same(ours, theirs) -> bool:
    return all(torch.equal(*pair) for pair in zip(ours.parameters(), theirs.parameters(), strict=True))


@pytest.mark.parametrize("model_class", [VanillaRNN, ImprovedSeqModel])
def test_each_loss_after_a_resume_is_that_of_an_unbroken_training(model_class, corpus, tmp_path):
    unbroken, curve, samples, model, epoch = fit(corpus, tmp_path / "all", model_class, every=1)
    assert len(unbroken.rows) == 3 * epoch > 40
    for step in (1, 5, epoch - 1, epoch, epoch + 1, 2 * epoch - 3, 2 * epoch, 3 * epoch - 1):
        resumed, curve_again, samples_again, model_again, _ = fit(
            corpus, tmp_path / f"from{step}", model_class, tmp_path / f"all/last-step={step}.ckpt"
        )
        assert resumed.rows == unbroken.rows[step:], step
        assert same(model, model_again)
        assert samples_again.rows == samples.rows
        rows, rows_again = ([{**row, "seconds": 0} for row in each.rows] for each in (curve, curve_again))
        assert rows == rows_again


@pytest.mark.parametrize("in_validation", [False, True])
@pytest.mark.parametrize("offset", [-2, 0])
def test_a_training_ended_by_an_exception_goes_on_exactly(offset, in_validation, corpus, tmp_path):
    unbroken, curve, _, model, epoch = fit(corpus, tmp_path / "all")
    step = epoch + (0 if in_validation else offset)
    losses, *_ = fit(corpus, tmp_path / "part", losses=Losses(step, in_validation))
    assert losses.rows == unbroken.rows[:step]
    [last] = (tmp_path / "part").glob("*.ckpt")
    resumed, curve_again, *_, model_again, _ = fit(corpus, tmp_path / "rest", resume=last)
    assert losses.rows + resumed.rows == unbroken.rows and same(model, model_again)
    validated = [[row["step"] for row in each.rows if row["val_bpc"]] for each in (curve, curve_again)]
    assert validated[0][-2:] == validated[1][-2:]  # the interrupted validation is not repeated
    assert in_validation or validated == [[epoch, 2 * epoch, 3 * epoch]] * 2


def test_samples_leave_the_training_as_it_is(corpus, tmp_path):
    with_samples, _, samples, model, epoch = fit(corpus, tmp_path / "a")
    without, *_, same_model, _ = fit(corpus, tmp_path / "b", with_samples=False)
    assert with_samples.rows == without.rows and same(model, same_model)
    steps = [step for step in range(1, 3 * epoch) if is_stage(step)] + [3 * epoch]
    assert [row["step"] for row in samples.rows] == [step for step in steps for _ in range(3)]
    assert {tuple(row) for row in samples.rows} == {("step", "characters", "prefix", "temperature", "seed", "text")}
    assert all(row["text"].startswith(row["prefix"]) for row in samples.rows)
    assert {len(row["text"]) - len(row["prefix"]) for row in samples.rows} == {12}
    assert json.loads(json.dumps(samples.rows)) == samples.rows


def test_a_sample_depends_on_its_seed_alone_and_leaves_the_models_mode(tiny_model):
    tiny_model.train()
    torch.manual_seed(1)
    text = sample_text(tiny_model, "la ", 20, 0.7, 4)
    state = torch.get_rng_state()
    assert sample_text(tiny_model, "la ", 20, 0.7, 4) == text != sample_text(tiny_model, "la ", 20, 0.7, 5)
    assert torch.equal(torch.get_rng_state(), state) and tiny_model.training


def test_stages_are_one_two_and_five_times_powers_of_ten():
    assert [step for step in range(5000) if is_stage(step)] == [1, 10, 20, 50, 100, 200, 500, 1000, 2000]


def test_the_state_of_streams_is_that_of_the_steps_trained_though_the_loader_is_ahead(corpus):
    streams, again = (SongStreams(corpus, 3, 16, artist_dropout=0.4, seed=5) for _ in range(2))
    taken = iter(streams)
    for _ in range(7):
        next(taken)
    state = streams.state_dict(5)  # the loader is two steps ahead
    fresh = iter(SongStreams(corpus, 3, 16, artist_dropout=0.4, seed=5))
    expected = [next(fresh).output_sequence for _ in range(9)]
    again.load_state_dict(state)
    for step, batch in zip(range(5, 9), again, strict=False):
        assert torch.equal(batch.output_sequence, expected[step])
