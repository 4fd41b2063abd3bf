"""The training task: its loss and bits per character, the carried state, optimizers, schedule, learning curve."""

import math

import pytest
import pytorch_lightning as pl
import torch
from torch import nn
from torch.utils.data import DataLoader

from lyricgen import (
    ArgumentError,
    ImprovedSeqModel,
    LyricsGenerationTask,
    LyricsGenerationTensor,
    Song,
    SongStreams,
    VanillaRNN,
    encode_corpus,
    measure_bits,
)
from lyricgen.training.learning_curve import LearningCurve
from lyricgen.training.optimizer import Muon, MuonWithAdamW, warmup_cosine

QUIET = {
    "logger": False,
    "enable_progress_bar": False,
    "enable_model_summary": False,
    "enable_checkpointing": False,
    "accelerator": "cpu",
}
SONGS = [
    Song("slow train rolling by the mill", "Ann"),
    Song("oh kite", "Bob"),
    Song("é hum hum hum the moths come home", ""),
    Song("la " * 15, "Bob"),
    Song("two moons", "Ann"),
]
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*(LeafSpec|number of training batches|many workers|__len__|isinstance.treespec)"
)


@pytest.fixture
def corpus(tmp_path):
    return encode_corpus(SONGS, tmp_path / "corpus", ["Ann", "Bob"])


@torch.no_grad()
def bits_song_by_song(model, corpus):
    """Of each song: its bits, from label 100 on in one go, and its characters inside the vocabulary."""
    results = []
    for index in range(len(corpus)):
        labels = torch.tensor(corpus.song(index).tolist())
        logits, _ = model(
            torch.cat([torch.tensor([100]), labels[:-1]])[None], None, None, torch.tensor([corpus.artist_labels[index]])
        )
        known = labels < 100
        log_probs = logits[0].log_softmax(-1)[known].gather(-1, labels[known][:, None])
        results.append((-float(log_probs.double().sum()) / math.log(2), int(known.sum())))
    return results


class Fixed(nn.Module):
    """Gives the same probabilities to three characters whatever it reads."""

    def __init__(self):
        super().__init__()
        self.logits = nn.Parameter(
            torch.full((100,), -math.inf).index_put(
                (torch.tensor([10, 11, 12]),), torch.tensor([0.5, 0.25, 0.25]).log()
            )
        )

    def forward(self, input_sequences, input_sequences_lengths, hidden=None):
        return self.logits.expand(*input_sequences.shape, -1), torch.zeros(1, len(input_sequences), 1)


def test_the_loss_is_the_mean_over_characters_inside_the_vocabulary():
    batch = LyricsGenerationTensor(
        torch.tensor([[12, 10, 10], [12, 100, 100]]),
        torch.tensor([[10, 11, 100], [12, 100, 100]]),
        torch.tensor([3, 1]),
    )
    task = LyricsGenerationTask(Fixed())
    nats = task.nats(batch, "train")
    assert nats.detach().flatten().tolist() == pytest.approx([math.log(2), math.log(4), 0, math.log(4), 0, 0])
    task.log = lambda *arguments, **settings: None  # there is no trainer to log to
    assert float(task.training_step(batch, 0).detach()) == pytest.approx(
        math.log(32) / 3
    )  # 1 + 2 + 2 bits over 3 characters


@pytest.mark.parametrize(("rows", "length"), [(1, 7), (3, 8), (5, 64)])
def test_measured_bits_equal_reading_each_song_in_one_go(rows, length, tiny_model, corpus):
    tiny_model.train()
    bits, characters = measure_bits(tiny_model, SongStreams(corpus, rows, length, shuffle=False), len(corpus))
    assert tiny_model.training
    tiny_model.eval()
    expected = bits_song_by_song(tiny_model, corpus)
    assert characters.tolist() == [count for _, count in expected] == [30, 7, 32, 45, 9]
    assert bits.tolist() == pytest.approx([bits for bits, _ in expected], rel=1e-4)


def test_training_streams_carry_the_state_within_a_song_only(tiny_model, corpus):
    task = LyricsGenerationTask(tiny_model)
    readings, songs = [None, None], SongStreams(corpus, 2, 6, seed=4)
    finished = []
    with torch.no_grad():
        for batch in (batch for _ in range(8) for batch in songs):
            nats = task.nats(batch, "train").sum(dim=1)
            for row in range(2):
                if batch.starts[row]:
                    finished.append(readings[row])
                    readings[row] = [int(batch.songs[row]), 0.0]
                readings[row][1] += float(nats[row]) / math.log(2)
    expected = bits_song_by_song(tiny_model, corpus)
    assert {song for song, _ in finished[2:]} == {0, 1, 2, 3, 4}
    for song, bits in finished[2:]:
        assert bits == pytest.approx(expected[song][0], rel=1e-4)


def fit(model, corpus, *callbacks, epochs=2, **settings):
    mask = torch.tensor([True, False, True, True, False])
    task = LyricsGenerationTask(model.train(), clean_songs=mask, **settings)
    trainer = pl.Trainer(max_epochs=epochs, num_sanity_val_steps=0, callbacks=list(callbacks), **QUIET)
    loaders = (
        DataLoader(SongStreams(corpus, 2, 8, seed=1), batch_size=None),
        DataLoader(SongStreams(corpus, 3, 8, shuffle=False), batch_size=None),
    )
    trainer.fit(task, *loaders)
    return task, trainer, mask


def test_every_validation_reads_all_songs_and_the_clean_ones(tiny_model, corpus):
    class Figures(pl.Callback):
        rows = []

        def on_validation_end(self, trainer, task):
            expected = bits_song_by_song(task.model, corpus)
            self.rows.append((trainer.callback_metrics["val_bpc"], trainer.callback_metrics["clean_bpc"], expected))

    fit(tiny_model, corpus, figures := Figures(), learning_rate=0.01)
    assert len(figures.rows) == 2
    for val_bpc, clean_bpc, expected in figures.rows:
        clean = [expected[index] for index in (0, 2, 3)]
        assert float(val_bpc) == pytest.approx(sum(bits for bits, _ in expected) / 123, rel=1e-4)
        assert float(clean_bpc) == pytest.approx(sum(bits for bits, _ in clean) / 107, rel=1e-4)
    assert figures.rows[1][0] < figures.rows[0][0]


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "muon"])
def test_each_optimizer_lowers_the_bits(optimizer, corpus):
    pl.seed_everything(2, verbose=False)
    model = ImprovedSeqModel(hidden_size=12, artists=("Ann", "Bob"))
    before, _ = measure_bits(model, SongStreams(corpus, 2, 8, shuffle=False), 5)
    fit(model, corpus, optimizer=optimizer, learning_rate=0.02, warmup_steps=2, epochs=4)
    after, _ = measure_bits(model, SongStreams(corpus, 2, 8, shuffle=False), 5)
    assert after.sum() < 0.9 * before.sum()
    assert not model.embeddings.weight[100].any() and not model.artist_embeddings.weight[2].any()


def test_an_unknown_optimizer_is_named():
    with pytest.raises(ArgumentError, match="^optimizer must be one of adam, adamw, muon; got 'sgd'$"):
        LyricsGenerationTask(Fixed(), optimizer="sgd")


def test_muon_takes_the_recurrent_matrices_and_adamw_the_rest():
    task = LyricsGenerationTask(VanillaRNN(hidden_size=4), learning_rate=0.1, optimizer="muon")
    optimizer = task._make_optimizer()
    muon, adamw = optimizer.param_groups
    assert len(muon["params"]) == 4 and all(value.shape == (4, 4) for value in muon["params"])
    assert len(adamw["params"]) == len(list(task.model.parameters())) - 4
    assert (muon["lr"], adamw["lr"]) == (0.1, 0.05)


@pytest.mark.parametrize("shape", [(32, 8), (8, 8), (8, 32)])
@pytest.mark.parametrize("bfloat16", [True, False])
def test_muon_is_that_of_torch_but_for_the_precision(monkeypatch, shape, bfloat16):
    monkeypatch.setattr("lyricgen.training.optimizer.multiplies_bfloat16", lambda device: bfloat16)
    torch.manual_seed(1)
    start, gradients = torch.randn(shape), torch.randn(3, *shape)
    matrices = [nn.Parameter(start.clone()) for _ in range(2)]
    ours = Muon(matrices[:1], lr=0.1, weight_decay=0.1)
    peer = torch.optim.Muon(matrices[1:], lr=0.1, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
    for gradient in gradients:
        for matrix, optimizer in zip(matrices, (ours, peer), strict=True):
            matrix.grad = gradient.clone()
            optimizer.step()
    assert torch.equal(*matrices) == bfloat16
    assert (matrices[0] - matrices[1]).abs().max() < 0.05 * (matrices[0] - start).abs().max()


def test_muon_goes_on_from_its_state_as_if_it_had_not_stopped(tmp_path):
    def problem():
        torch.manual_seed(1)
        matrix, vector = nn.Parameter(torch.randn(4, 4)), nn.Parameter(torch.randn(4))
        optimizer = MuonWithAdamW([matrix], [vector], lr=0.1, weight_decay=0.01)
        return matrix, vector, optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.9**step)

    def steps(matrix, vector, optimizer, schedule, count):
        for _ in range(count):
            optimizer.zero_grad()
            ((matrix @ vector - 1) ** 2).sum().backward()
            optimizer.step()
            schedule.step()

    straight = problem()
    steps(*straight, 6)
    first, again = problem(), problem()
    steps(*first, 3)
    torch.save({"optimizer": first[2].state_dict(), "schedule": first[3].state_dict()}, tmp_path / "state")
    state = torch.load(tmp_path / "state", weights_only=True)
    again[2].load_state_dict(state["optimizer"])
    again[3].load_state_dict(state["schedule"])
    with torch.no_grad():
        for value, saved in zip(again[:2], first[:2], strict=True):
            value.copy_(saved)
    steps(*again, 3)
    assert torch.equal(again[0], straight[0]) and torch.equal(again[1], straight[1])
    assert [group["lr"] for group in again[2].param_groups] == [group["lr"] for group in straight[2].param_groups]
    assert again[2].param_groups[0]["lr"] == pytest.approx(0.1 * 0.9**6)


def test_the_learning_rate_rises_in_a_line_and_falls_in_a_cosine():
    shares = [warmup_cosine(step, 4, 104) for step in range(105)]
    assert shares[:5] == [0.25, 0.5, 0.75, 1.0, 1.0]
    assert shares[54] == pytest.approx((1 + 0.02) / 2) and shares[104] == pytest.approx(0.02)
    assert shares[4:] == sorted(shares[4:], reverse=True)
    assert max(warmup_cosine(step, 200, 30) for step in range(30)) == 1.0  # a short training has a short warm-up
    assert warmup_cosine(200, 4, 104) == pytest.approx(0.02) and warmup_cosine(0, 0, 10) == 1.0


def test_the_schedule_reaches_its_end_at_the_last_step(tiny_model, corpus):
    task, trainer, _ = fit(tiny_model, corpus, learning_rate=0.01, warmup_steps=2)
    assert trainer.optimizers[0].param_groups[0]["lr"] == pytest.approx(0.01 * 0.02)


def test_the_learning_curve_has_a_row_every_so_many_steps_and_at_each_validation(tiny_model, corpus):
    curve = LearningCurve(every=3)
    _, trainer, _ = fit(tiny_model, corpus, curve, learning_rate=0.01)
    epoch = trainer.num_training_batches
    assert all(tuple(row) == LearningCurve.COLUMNS for row in curve.rows)
    trained = [row for row in curve.rows if row["train_bpc"]]
    validated = [row for row in curve.rows if row["val_bpc"]]
    assert [row["step"] for row in trained] == list(range(3, 2 * epoch + 1, 3))
    assert [(row["step"], row["epoch"]) for row in validated] == [(epoch, 1.0), (2 * epoch, 2.0)]
    assert all(row["clean_bpc"] and row["train_bpc"] is None for row in validated)
    characters = [row["characters"] for row in curve.rows]
    assert characters == sorted(characters) and characters[-1] == curve.characters > 123
    assert 6.7 > trained[0]["train_bpc"] > trained[-1]["train_bpc"] > 2
    assert 0 <= trained[0]["seconds"] <= curve.seconds < 60


def test_a_learning_curve_goes_on_from_its_state(tiny_model, corpus):
    curve, again = LearningCurve(every=3), LearningCurve(every=3)
    fit(tiny_model, corpus, curve, epochs=1)
    again.load_state_dict(curve.state_dict())
    assert again.rows == curve.rows and again.characters == curve.characters
    assert again.seconds == pytest.approx(curve.seconds, abs=1)


def test_a_checkpoint_tells_what_model_it_holds_only_where_it_is_one_of_ours():
    ours, other = {}, {}
    LyricsGenerationTask(VanillaRNN(hidden_size=4), optimizer="muon").on_save_checkpoint(ours)
    LyricsGenerationTask(Fixed()).on_save_checkpoint(other)
    assert ours["lyricgen"]["class"] == "VanillaRNN" and ours["lyricgen"]["optimizer"] == "muon"
    assert other == {}
