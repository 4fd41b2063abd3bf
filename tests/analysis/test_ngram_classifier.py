"""Hashed n-grams, the classifier over them, the law that weighs it, and its folder."""

import json
from dataclasses import replace

import numpy as np
import pytest

from lyricgen import DataError, ModelError, fit_ngrams, load_ngrams, save_ngrams
from lyricgen.analysis.ngram_classifier import (
    LAWS,
    METRICS,
    WEIGHTS,
    Calibration,
    count_ngrams,
    fit_law,
    plain,
    weigh,
)
from lyricgen.songs.notebook import ARTISTS
from lyricgen.storage import ASSETS, NGRAM_CLASSIFIER

SEA = ["the boat is on the water", "waves and water and a boat", "water under the old boat", "a boat a wave a sail"]
LAND = [
    "the horse is in the field",
    "corn and a horse in the field",
    "field after field of corn",
    "a horse a hill a tree",
]
LAW = Calibration((0.0, -0.5), (1.0, 0.0), 0.5)


@pytest.fixture(scope="module")
def classifier():
    """Two artists who sing of different things, and a third without a song."""
    fitted = fit_ngrams(SEA + LAND, np.array([0] * 4 + [1] * 4), ["Sailor", "Rider", "Nobody"], buckets=512)
    return type(fitted)(**{**vars(fitted), "laws": dict.fromkeys(LAWS, LAW), "metrics": {"train_songs": 8}})


def test_ngrams_are_counted_whatever_the_case_and_the_line_breaks():
    buckets, counts = count_ngrams("a boat", 512)
    # " a boat " has 8 letters: 7 + 6 + 5 + 4 runs of 2 to 5, two words, one pair of words
    assert counts.sum() == 7 + 6 + 5 + 4 + 2 + 1
    assert (np.diff(buckets) > 0).all() and buckets[-1] < 1_024
    assert (counts[buckets >= 512]).sum() == 3
    for same in ("A BOAT", "a\n\nboat  ", " a \t boat"):
        assert all(np.array_equal(*pair) for pair in zip(count_ngrams(same, 512), (buckets, counts), strict=True))


def test_a_run_has_the_same_bucket_wherever_it_stands():
    first, later = (set(count_ngrams(text, 1 << 16)[0]) for text in ("boat", "on the water there is a boat"))
    assert first <= later


def test_characters_outside_the_vocabulary_are_all_the_same():
    assert plain("\u00c7a  va\n\ud55c") == " \ufffda va \ufffd "


def test_each_kind_is_weighed_at_length_1():
    buckets, values = weigh(*count_ngrams("a boat on the water", 512), np.full(1_024, 25, np.uint8))
    for part in (values[buckets < 512], values[buckets >= 512]):
        assert float(part @ part) == pytest.approx(1)


def test_the_classifier_tells_what_it_learnt_and_one_without_songs_is_never_likely(classifier):
    assert classifier.scores("my boat and the waves").argmax() == 0
    assert classifier.scores("over the field on a horse").argmax() == 1
    assert classifier.scores("zzz").argmin() == 2
    assert classifier.songs == (4, 4, 0) and np.exp(classifier.log_priors).argmin() == 2


def test_one_artist_alone_cannot_be_told_apart():
    with pytest.raises(DataError, match="only one artist"):
        fit_ngrams(SEA, np.zeros(4, int), ["Sailor", "Rider"], buckets=64)


def test_the_same_songs_give_the_same_classifier(classifier):
    again = fit_ngrams(SEA + LAND, np.array([0] * 4 + [1] * 4), classifier.artists, buckets=512)
    assert np.array_equal(again.weights, classifier.weights)


def test_a_law_adds_what_each_says_by_the_length():
    logits = Calibration((0.0, -1.0), (np.log(2), 0.0), 0.5).logits(
        np.array([[10.0, 0.0]]), np.array([[1.0, 3.0]]), np.array([2.0, 4.0]), np.array([5])
    )
    assert logits == pytest.approx(np.array([[10 / 5 + 2 * 1 + 1, 0 + 2 * 3 + 2]]))


def test_the_law_that_is_fitted_believes_what_is_right_and_not_what_is_noise():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 300)
    telling = np.eye(3)[labels] * 2 + rng.normal(0, 1, (300, 3))
    noise = rng.normal(0, 5, (300, 3))
    law = fit_law(labels, np.full(300, 100), noise, telling, np.log(np.full(3, 1 / 3)))
    parts = [law.logits(given, None, None, np.array([100]))[0, 0] for given in (np.ones((1, 3)),)]
    parts.append(law.logits(None, np.ones((1, 3)), None, np.array([100]))[0, 0])
    assert parts[0] < 0.1 < 1 < parts[1]


def test_a_folder_gives_back_what_was_written(classifier, tmp_path):
    save_ngrams(classifier, tmp_path / "attribution")
    assert sorted(path.name for path in (tmp_path / "attribution").iterdir()) == sorted(NGRAM_CLASSIFIER.all_files)
    loaded = load_ngrams(tmp_path / "attribution")
    assert loaded.artists == classifier.artists and loaded.songs == classifier.songs
    assert loaded.laws == classifier.laws and loaded.metrics == {"train_songs": 8}
    assert np.array_equal(loaded.scores("a boat"), classifier.scores("a boat"))


def change(path, change_it):
    value = json.loads(path.read_text())
    change_it(value)
    path.write_text(json.dumps(value))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda folder: (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:-1]), "sha256 differs"),
        (lambda folder: (folder / METRICS).write_text("{}"), "sha256 differs"),
        (
            lambda folder: (folder / WEIGHTS).unlink(),
            "weights.safetensors of n-gram classifier 'attribution' is missing",
        ),
        (lambda folder: (folder / NGRAM_CLASSIFIER.header).unlink(), "lacks meta.json"),
        (lambda folder: (folder / NGRAM_CLASSIFIER.header).write_text("[]"), "damaged"),
        (
            lambda folder: change(folder / NGRAM_CLASSIFIER.header, lambda meta: meta.update(format_version=9)),
            "format version 9",
        ),
        (
            lambda folder: change(folder / NGRAM_CLASSIFIER.header, lambda meta: meta["artists"].pop()),
            "do not fit together",
        ),
        (
            lambda folder: change(folder / NGRAM_CLASSIFIER.header, lambda meta: meta["laws"].pop("both")),
            "do not fit together",
        ),
    ],
)
def test_a_folder_that_is_not_as_it_was_written_is_refused(classifier, tmp_path, damage, words):
    folder = tmp_path / "attribution"
    save_ngrams(classifier, folder)
    damage(folder)
    with pytest.raises(ModelError, match=words):
        load_ngrams(folder)


def test_a_folder_that_is_not_there_is_told():
    with pytest.raises(ModelError, match="there is no n-gram classifier 'nowhere'; train one"):
        load_ngrams("nowhere")


def test_the_bundled_classifier_is_whole_and_small_and_measured():
    bundled = load_ngrams(ASSETS / "attribution")
    assert list(bundled.artists) == ARTISTS and min(bundled.songs) > 10
    assert sum(path.stat().st_size for path in (ASSETS / "attribution").iterdir()) < 6_000_000
    methods = bundled.metrics["validation"]["methods"]
    baseline = methods[bundled.metrics["validation"]["baseline"]]
    for split in ("all", "clean"):
        both, alone = (methods[name][split]["accuracy"] for name in ("lstm and n-grams", "lstm, scaled"))
        assert both > alone + 0.15 and both > baseline[split]["accuracy"] - 0.02


@pytest.mark.parametrize(
    ("both", "scores", "decides"), [(0.5, 0.6, "scores"), (0.6, 0.5, "both"), (0.5, 0.5, "both"), (None, None, "both")]
)
def test_the_law_that_was_right_more_often_on_held_out_training_songs_decides(tiny_ngrams, both, scores, decides):
    held_out = {} if both is None else {"held_out": {"both": {"accuracy": both}, "scores": {"accuracy": scores}}}
    assert replace(load_ngrams(tiny_ngrams), metrics=held_out).decides == decides
