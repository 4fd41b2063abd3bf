"""Training of the membership thresholds: fit, error rates, checks of the networks, and the artifact."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import lyricgen.training.membership as training
from lyricgen import (
    Checkpoint,
    DataError,
    ImprovedSeqModel,
    ModelError,
    VanillaRNN,
    load_checkpoint,
    load_thresholds,
    save_checkpoint,
)
from lyricgen.analysis.membership import STATISTICS
from lyricgen.models.vocabulary import OOV_LABEL
from lyricgen.songs.corpus import Corpus
from lyricgen.training.config import TrainConfig
from lyricgen.training.copying import as_corpus
from lyricgen.training.membership import auc, fit_threshold, measure_threshold, read_excerpts, train_membership
from lyricgen.training.songs import TrainingSongs

SHA256 = {"songs.csv": "ab" * 32}


def make_corpus(songs: int, seed: int, low: int = 10, length: int = 90) -> Corpus:
    """Songs of random letters, from label `low` on."""
    rng = np.random.default_rng(seed)
    return as_corpus([rng.integers(low, low + 3, length).astype(np.uint8) for _ in range(songs)])


@pytest.fixture
def songs(monkeypatch):
    """Training songs, and held-out and validation songs of other letters."""
    monkeypatch.setattr(training, "LENGTHS", (30, 60, 500))
    train, val = make_corpus(40, 0), make_corpus(12, 1, 20)
    return TrainingSongs(
        train,
        val,
        np.ones(12, bool),
        dict(SHA256),
        uncleaned=train,
        held_out=make_corpus(10, 2, 20),
        without_headings=val,
    )


@pytest.fixture
def models(tmp_path, songs):
    """Writes the folders of two networks that prefer the letters of the training songs."""

    def write(**metrics):
        recorded = {
            "data_sha256": SHA256, "seed": 777, "train_songs": 40, "train_characters": 3_600, "held_out_songs": 10, **metrics,
        }  # fmt: skip
        for name, model_class, preference in (("lstm", ImprovedSeqModel, 4.0), ("vanilla-rnn", VanillaRNN, 1.0)):
            torch.manual_seed(5)
            model = model_class(hidden_size=8, n_layers=1)
            with torch.no_grad():
                model.ffnn.bias[10:13] += preference
            save_checkpoint(Checkpoint(model, recorded), tmp_path / name)
        return TrainConfig(out=tmp_path, models=("membership",))

    return write


def test_a_threshold_has_equal_errors_on_both_sides():
    assert fit_threshold(np.array([0.0, 2.0]), np.array([10.0, 14.0])) == pytest.approx((1 * 2 + 12 * 1) / 3)
    rng = np.random.default_rng(0)
    unread, read = rng.normal(0, 1, 4_000), rng.normal(3, 2, 4_000)
    found = measure_threshold(fit_threshold(unread, read), unread, read)
    assert found.false_positives == pytest.approx(found.false_negatives, abs=0.02) == pytest.approx(0.159, abs=0.02)
    assert fit_threshold(np.zeros(3), np.ones(3)) == 0.5


def test_an_excerpt_of_unknown_characters_is_left_out(songs, models):
    unknown = np.full(100, OOV_LABEL, np.uint8)
    corpus = as_corpus([unknown, np.full(100, 10, np.uint8)])
    networks = [load_checkpoint(models().out / name).model for name in ("lstm", "vanilla-rnn")]
    values = read_excerpts(corpus, 30, 1, *networks)
    assert all(len(each) == 1 and np.isfinite(each).all() for each in values.values())


def test_auc_counts_pairs():
    assert auc(np.array([1.0, 2.0]), np.array([3.0, 1.0])) == (1 + 1 + 0.5 + 0) / 4
    assert measure_threshold(None, np.zeros(2), np.ones(2)).auc == 1.0


def test_excerpts_are_the_first_two_of_each_song(songs):
    model, reference = (model_class(hidden_size=4, n_layers=1).eval() for model_class in (ImprovedSeqModel, VanillaRNN))
    for length, per_song, count in ((30, 2, 24), (30, 1, 12), (45, 2, 24), (46, 2, 12), (90, 2, 12), (91, 2, 0)):
        values = read_excerpts(songs.val, length, per_song, model, reference)
        assert {len(each) for each in values.values()} == {count} and set(values) == set(STATISTICS)


def test_thresholds_separate_read_from_unread_songs_and_are_written(songs, models, capsys):
    config = models()
    train_membership(songs, config)
    loaded = load_thresholds(config.out / "membership")
    assert sorted(loaded.by_length) == [30, 60]  # no song has 500 characters
    found = loaded.by_length[30]["likelihood"]
    assert (found.false_positives, found.false_negatives, found.auc) == (0, 0, 1)
    assert (
        loaded.metrics["held_out_songs"] == 10 and loaded.metrics["clean_songs"] == loaded.metrics["read_songs"] == 12
    )
    assert {"data_sha256", "seed", "seconds", "hardware", "versions"} < set(loaded.metrics)
    assert capsys.readouterr().out.startswith("membership: {")


def test_nothing_is_fitted_on_the_validation_songs(songs, models, tmp_path):
    train_membership(songs, models())
    first = load_thresholds(tmp_path / "membership")
    other = make_corpus(12, 9, 11)
    train_membership(replace(songs, val=other, without_headings=other), models())
    second = load_thresholds(tmp_path / "membership")
    assert second.statistic == first.statistic
    for length, of_length in first.by_length.items():
        for name, found in of_length.items():
            assert second.by_length[length][name].threshold == found.threshold
    assert second.by_length[30]["likelihood"].false_positives == 1 > first.by_length[30]["likelihood"].false_positives


def test_without_held_out_songs_only_the_auc_is_measured(songs, models):
    config = models(held_out_songs=0)
    train_membership(replace(songs, held_out=None), config)
    loaded = load_thresholds(config.out / "membership")
    assert loaded.by_length[60]["likelihood"].auc == 1 and loaded.statistic == "difference"
    assert all(found.threshold is found.false_positives is None for found in loaded.by_length[60].values())


@pytest.mark.parametrize(
    ("metrics", "named"),
    [
        ({"held_out_songs": 0}, "held_out_songs"),
        ({"held_out_songs": 9, "train_songs": 41}, "train_songs, held_out_songs"),
        ({"data_sha256": {}}, "data_sha256"),
        ({"seed": 1}, "seed"),
        ({"train_characters": 1}, "train_characters"),
    ],
)
def test_networks_of_other_songs_are_refused(songs, models, metrics, named):
    with pytest.raises(ModelError, match=f"lstm was not trained on these songs .{named} of"):
        train_membership(songs, models(**metrics))


def test_beside_other_artifacts_it_is_skipped_with_a_note(songs, tmp_path, capsys):
    with pytest.raises(ModelError, match="there is no model folder 'lstm'"):
        train_membership(songs, TrainConfig(out=tmp_path, models=("membership",)))
    train_membership(songs, TrainConfig(out=tmp_path, models=("attribution", "membership")))
    assert capsys.readouterr().out.startswith("membership: skipped, since there is no model folder 'lstm'")


def test_too_few_songs_are_refused(songs, models):
    few = replace(songs, held_out=make_corpus(3, 3))
    with pytest.raises(DataError, match="too few songs"):
        train_membership(few, models(held_out_songs=3))
