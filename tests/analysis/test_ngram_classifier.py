"""Hashed n-grams, the classifier over them, its calibration, and its folder."""

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from safetensors.numpy import load_file, save, save_file

from lyricgen import DataError, ModelError, fit_ngrams, load_ngrams, save_ngrams
from lyricgen.analysis.ngram_classifier import (
    METRICS,
    WEIGHTS,
    Calibration,
    count_ngrams,
    find_ngrams,
    fit_calibration,
    mask_pattern,
    normalize_text,
    source_spans,
    tfidf_weights,
)
from lyricgen.songs.reading import ARTISTS
from lyricgen.storage import ASSETS, NGRAM_CLASSIFIER, file_sha256

SEA = ["the boat is on the water", "waves and water and a boat", "water under the old boat", "a boat a wave a sail"]
LAND = [
    "the horse is in the field",
    "corn and a horse in the field",
    "field after field of corn",
    "a horse a hill a tree",
]
CALIBRATION = Calibration(1.0, 0.25, 0.5)


@pytest.fixture(scope="module")
def classifier():
    """Two artists who sing of different things, and a third without a song."""
    fitted = fit_ngrams(SEA + LAND, np.array([0] * 4 + [1] * 4), ["Sailor", "Rider", "Nobody"], buckets=512)
    return replace(fitted, calibration=CALIBRATION, metrics={"train_songs": 8})


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
    assert normalize_text("\u00c7a  va\n\ud55c") == " \ufffda va \ufffd "


@pytest.mark.parametrize("text", ["a boat", "  A\r\nboat \t", "\u00c7a \u0130 va\u00a0x  y", "x"])
def test_each_normalized_character_has_its_span_in_the_source(text):
    normalized, (starts, stops) = normalize_text(text), source_spans(text)
    assert len(normalized) == len(starts) == len(stops)
    for character, start, stop in zip(normalized, starts.tolist(), stops.tolist(), strict=True):
        source = text[start:stop]
        assert (
            source.strip() == "" if character == " " else source.lower().startswith(character) or character == "\ufffd"
        )
    assert (starts[1:] >= stops[:-1] - 1).all() and stops[-1] == len(text)


def test_no_n_gram_touches_a_masked_name():
    mask = mask_pattern(["Bo Finch", "Zo\u00eb"])
    text = "Hey BO  FINCH, this is zo\u00eb's bo finches"
    ngrams = find_ngrams(text, 512, mask)
    assert ngrams.text == " hey \0\0\0\0\0\0\0\0, this is \0\0\0's bo finches "
    written = {ngrams.text[start:stop] for start, stop in zip(ngrams.starts, ngrams.stops, strict=True)}
    assert not any("\0" in ngram for ngram in written) and {" hey ", "hey", ", thi", "is", "finches"} <= written
    assert {"bo finches"} <= written and not {"finch,", "hey this", "this zo"} & written
    assert mask_pattern([]) is None


def test_a_masked_name_is_no_evidence():
    songs = [f"{song} sailor joe" for song in SEA] + [f"{song} rider jim" for song in LAND]
    labels, artists = np.array([0] * 4 + [1] * 4), ["Sailor Joe", "Rider Jim"]
    naming, masking = (fit_ngrams(songs, labels, artists, 512, masked_names=names) for names in ((), artists))
    with_name, without = "a tree sailor joe", "a tree"
    assert naming.scores(with_name)[0] > naming.scores(without)[0] + 0.2
    assert masking.scores(with_name) == pytest.approx(masking.scores(without), abs=0.05)


TEXT = "my boat, my boat  and the WAVES of corn"


def test_evidence_adds_up_to_the_logit(classifier):
    logits = classifier.logits([TEXT], np.array([len(TEXT)]))[0]
    for label, artist in enumerate(classifier.artists):
        evidence = classifier.evidence(TEXT, len(TEXT), artist, 1_000)
        listed = sum(each.contribution for each in evidence.ngrams)
        assert evidence.logit == pytest.approx(logits[label] - logits.mean(), abs=1e-4)
        assert evidence.constant + evidence.others + listed == pytest.approx(evidence.logit)
        few = classifier.evidence(TEXT, len(TEXT), artist, 3)
        assert few.ngrams == evidence.ngrams[:3] and few.logit == evidence.logit
        contributions = [each.contribution for each in evidence.ngrams]
        assert contributions == sorted(contributions, reverse=True) and all(nats > 0 for nats in contributions)


def test_evidence_names_n_grams_with_their_places(classifier):
    listed = {(each.ngram, each.kind): each for each in classifier.evidence(TEXT, len(TEXT), "Sailor", 1_000).ngrams}
    assert [TEXT[slice(*span)] for span in listed["boat", "characters"].spans] == ["boat", "boat"]
    assert [TEXT[slice(*span)] for span in listed["waves", "words"].spans] == ["WAVES"]
    for (ngram, _), each in listed.items():
        assert len(each.spans) == each.count
        for start, stop in each.spans:
            assert normalize_text(TEXT[start:stop]).strip() == ngram.strip()


def test_n_grams_that_share_a_bucket_are_marked_and_still_add_up(classifier):
    crowded = fit_ngrams(SEA + LAND, np.array([0] * 4 + [1] * 4), ["Sailor", "Rider"], buckets=8)
    evidence = crowded.evidence(TEXT, len(TEXT), "Sailor", 1_000)
    assert all(each.shares_bucket for each in evidence.ngrams if each.kind == "characters")
    scores = crowded.scores(TEXT)
    assert evidence.logit == pytest.approx(float(scores[0] - scores.mean()), abs=1e-5)
    spacious = fit_ngrams(SEA + LAND, np.array([0] * 4 + [1] * 4), ["Sailor", "Rider"], buckets=1 << 20)
    assert not any(each.shares_bucket for each in spacious.evidence(TEXT, len(TEXT), "Sailor", 1_000).ngrams)


def test_each_kind_of_n_gram_is_normalized_to_length_1():
    buckets, values = tfidf_weights(*count_ngrams("a boat on the water", 512), np.full(1_024, 25, np.uint8))
    for part in (values[buckets < 512], values[buckets >= 512]):
        assert float(part @ part) == pytest.approx(1)


def test_scores_follow_the_training_songs_and_are_lowest_for_an_artist_without_songs(classifier):
    assert classifier.scores("my boat and the waves").argmax() == 0
    assert classifier.scores("over the field on a horse").argmax() == 1
    assert classifier.scores("zzz").argmin() == 2
    assert classifier.songs == (4, 4, 0) and np.exp(classifier.log_priors).argmin() == 2


def test_a_single_artist_is_refused():
    with pytest.raises(DataError, match="only one artist"):
        fit_ngrams(SEA, np.zeros(4, int), ["Sailor", "Rider"], buckets=64)


def test_the_same_songs_give_the_same_classifier(classifier):
    again = fit_ngrams(SEA + LAND, np.array([0] * 4 + [1] * 4), classifier.artists, buckets=512)
    assert np.array_equal(again.weights, classifier.weights)


def test_a_calibration_scales_scores_by_the_length_and_adds_the_prior():
    logits = Calibration(log_scale=np.log(2), exponent=-1.0, prior=0.5).logits(
        np.array([[10.0, 0.0], [10.0, 0.0]]), np.array([5, 10]), np.array([2.0, 4.0])
    )
    assert logits == pytest.approx(np.array([[2 * 10 / 5 + 1, 2], [2 * 10 / 10 + 1, 2]]))


def test_a_calibration_trusts_scores_that_tell_artists_apart_and_not_noise():
    rng = np.random.default_rng(0)
    labels, lengths, log_priors = rng.integers(0, 3, 300), np.full(300, 100), np.log(np.full(3, 1 / 3))
    informative = np.eye(3)[labels] * 2 + rng.normal(0, 1, (300, 3))
    noise = rng.normal(0, 5, (300, 3))
    scales = [
        fit_calibration(labels, lengths, scores, log_priors).logits(np.ones((1, 1)), np.array([100]))[0, 0]
        for scores in (informative, noise)
    ]
    assert scales[0] > 1 and abs(scales[1]) < 0.1


def test_a_calibration_learns_that_scores_of_long_texts_mean_more():
    rng = np.random.default_rng(0)
    labels, lengths = rng.integers(0, 3, 2_000), np.repeat([10, 1_000], 1_000)
    scores = np.eye(3)[labels] + rng.normal(0, np.where(lengths == 10, 2, 0.5)[:, None], (2_000, 3))
    fitted = fit_calibration(labels, lengths, scores, np.zeros(3))
    assert fitted.exponent == pytest.approx(np.log(16) / np.log(100), abs=0.15)  # the scale is 1 / variance


def test_classifiers_compare_by_identity(classifier):
    assert classifier == classifier
    assert classifier != replace(classifier, weights=classifier.weights.copy())


def test_a_folder_gives_back_what_was_written(classifier, tmp_path):
    save_ngrams(classifier, tmp_path / "attribution")
    assert sorted(path.name for path in (tmp_path / "attribution").iterdir()) == sorted(NGRAM_CLASSIFIER.all_files)
    loaded = load_ngrams(tmp_path / "attribution")
    assert loaded.artists == classifier.artists and loaded.songs == classifier.songs
    assert loaded.calibration == CALIBRATION and loaded.metrics == {"train_songs": 8}
    assert loaded.masked_names == ()
    save_ngrams(replace(classifier, masked_names=("Zo\u00eb",)), tmp_path / "masked")
    masked = load_ngrams(tmp_path / "masked")
    assert masked.masked_names == ("Zo\u00eb",) and count_ngrams("zo\u00eb", 512, masked.mask)[0].size == 0
    assert np.array_equal(loaded.scores("a boat"), classifier.scores("a boat"))


def change(path, change_it):
    value = json.loads(path.read_text())
    change_it(value)
    path.write_text(json.dumps(value))


def published(name, content, folder):
    """Replaces a file, and the sha256 by which it is checked."""
    (folder / name).write_bytes(content)
    change(folder / NGRAM_CLASSIFIER.header, lambda meta: meta["sha256"].update({name: file_sha256(folder / name)}))


def not_finite(name, number, folder):
    """Publishes an array with a number that is not finite."""
    arrays = load_file(folder / WEIGHTS)
    arrays[name][-1] = number
    published(WEIGHTS, save(arrays), folder)


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
            lambda folder: change(folder / NGRAM_CLASSIFIER.header, lambda meta: meta["calibration"].pop("prior")),
            "do not fit together",
        ),
        *(
            (partial(published, METRICS, content.encode()), "do not fit together")
            for content in (
                "[]", "[" * 100_000, '{"validation": "good"}', '{"validation": {"methods": {}}}', '{"x": NaN}',
                '{"validation": {"baseline": "b", "read": "all", "songs": "many", "clean": 1, "methods": {}}}',
                '{"validation": {"baseline": "b", "read": "all", "songs": 1, "clean": 1, "methods": {"b": {"all": {}}}}}',
            )
        ),
        *(
            (partial(not_finite, name, number), "do not fit together")
            for name in ("scales", "bias") for number in (np.nan, np.inf, -np.inf)
        ),
        (
            lambda folder: change(folder / NGRAM_CLASSIFIER.header, lambda meta: meta["calibration"].update(prior="inf")),
            "do not fit together",
        ),
        (
            lambda folder: change(folder / NGRAM_CLASSIFIER.header, lambda meta: meta["calibration"].update(prior=np.nan)),
            "damaged",
        ),
    ],
)  # fmt: skip
def test_a_folder_that_is_not_as_it_was_written_is_refused(classifier, tmp_path, damage, words):
    folder = tmp_path / "attribution"
    save_ngrams(classifier, folder)
    damage(folder)
    with pytest.raises(ModelError, match=words):
        load_ngrams(folder)


def test_a_folder_of_format_1_is_read_with_the_law_of_the_scores(classifier, tmp_path):
    """Format 1: the idf is called rarity, and three laws are kept, of which that of the scores alone is used."""
    folder = tmp_path / "attribution"
    save_ngrams(classifier, folder)
    arrays = load_file(folder / WEIGHTS)
    arrays["rarity"] = arrays.pop("idf")
    save_file(arrays, folder / WEIGHTS)
    law = {"nats": [9.0, 9.0], "scores": [1.0, 0.25], "prior": 0.5}

    def to_format_1(meta):
        del meta["calibration"]
        meta["sha256"][WEIGHTS] = file_sha256(folder / WEIGHTS)
        meta.update(format_version=1, laws={"scores": law, "both": {**law, "scores": [7.0, 7.0]}, "nats": law})

    change(folder / NGRAM_CLASSIFIER.header, to_format_1)
    loaded = load_ngrams(folder)
    assert loaded.calibration == CALIBRATION and np.array_equal(loaded.idf, classifier.idf)
    assert np.array_equal(loaded.scores("a boat"), classifier.scores("a boat"))


def test_a_missing_folder_is_named():
    with pytest.raises(ModelError, match="there is no n-gram classifier 'nowhere'; train one"):
        load_ngrams("nowhere")


def test_the_bundled_classifier_is_whole_and_small_and_measured():
    bundled = load_ngrams(ASSETS / "attribution")
    assert list(bundled.artists) == ARTISTS and min(bundled.songs) > 10
    assert sum(path.stat().st_size for path in (ASSETS / "attribution").iterdir()) < 6_000_000
    methods = bundled.metrics["validation"]["methods"]
    baseline = methods[bundled.metrics["validation"]["baseline"]]
    for split, least in (("all", 0.64), ("clean", 0.45)):
        names = ("n-grams", "n-grams, names not masked", "lstm, scaled")
        masked, names_kept, by_model = (methods[name][split]["accuracy"] for name in names)
        assert masked > max(least, by_model + 0.05) and names_kept > baseline[split]["accuracy"] - 0.03
    assert {"drake", "taylor swift", "swift"} < set(bundled.masked_names)
