"""Authorship attribution: both posteriors, for a text and for each of its lines."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from torch.nn import functional as F

import lyricgen.analysis.attribution as attribution
from lyricgen import ArgumentError, ImprovedSeqModel, ModelError, attribute, fit_ngrams, load_model, string_to_labels
from lyricgen.analysis.attribution import (
    LM_ONLY_CALIBRATION,
    attribution_metrics,
    check_attributed,
    nll_per_artist,
    posterior,
)
from lyricgen.analysis.ngram_classifier import Calibration
from lyricgen.models.vocabulary import OOV_LABEL, START_LABEL
from lyricgen.songs.reading import ARTISTS

LYRICS = {"Ann": "la la la oh la la oh la oh la la", "Bob": "dum di dum di di dum dum di dum"}


@pytest.fixture(scope="module")
def small_lstm():
    """A small LSTM that has read a line of each of two artists, for a few seconds."""
    pl.seed_everything(3, verbose=False)
    model = ImprovedSeqModel(hidden_size=24, n_layers=1, artists=tuple(LYRICS))
    labels = [torch.tensor([START_LABEL, *string_to_labels(line[:31])]) for line in LYRICS.values()]
    rows, artists = torch.stack(labels), torch.arange(2)
    optimizer = torch.optim.Adam(model.parameters(), 0.02)
    for _ in range(60):
        logits, _ = model(rows[:, :-1], None, artists=artists)
        loss = F.cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.eval()


@pytest.fixture(scope="module")
def classifier():
    """An n-gram classifier of the same artists."""
    fitted = fit_ngrams(list(LYRICS.values()), np.array([0, 1]), list(LYRICS), buckets=256)
    return replace(fitted, calibration=Calibration(log_scale=1.0))


def test_each_line_has_its_own_artist(small_lstm):
    result = attribute("la la oh la la\ndum di dum dum di  oh la la oh", model=small_lstm, ngrams=None)
    assert [line.artist for line in result.lines] == ["Ann", "Bob", "Ann"]
    assert [line.text for line in result.lines] == ["la la oh la la", "dum di dum dum di", "oh la la oh"]
    for part in (result, *result.lines):
        assert list(part.posterior) == list(LYRICS) and sum(part.posterior.values()) == pytest.approx(1)
    assert not result.with_ngrams and result.characters == len("la la oh la la\ndum di dum dum di  oh la la oh")


def test_the_bits_are_those_of_the_module_under_each_artist(small_lstm):
    text = "la dum oh"
    labels = torch.tensor([[START_LABEL, *string_to_labels(text)]])
    result = attribute(text, model=small_lstm, ngrams=None)
    for artist, bits in zip((0, 1, None), (*result.bits.values(), result.any_artist_bits), strict=True):
        given = None if artist is None else torch.tensor([artist])
        with torch.inference_mode():
            logits, _ = small_lstm(labels[:, :-1], None, artists=given)
        nats = F.cross_entropy(logits[0], labels[0, 1:], reduction="sum")
        assert bits == pytest.approx(float(nats) / np.log(2), rel=1e-4)
    assert result.margin == pytest.approx(result.any_artist_bits - min(result.bits.values()))
    assert sum(result.lines[0].bits.values()) == pytest.approx(sum(result.bits.values()))


def test_the_ranking_is_by_probability_and_the_posterior_in_the_models_order(small_lstm):
    result = attribute("dum di dum", model=small_lstm, ngrams=None)
    assert [place.artist for place in result.ranking] == ["Bob", "Ann"]
    assert list(result.posterior) == ["Ann", "Bob"]
    assert result.ranking[0].probability == result.posterior["Bob"] > 0.5


def test_texts_of_different_lengths_are_read_side_by_side_as_each_alone(small_lstm, monkeypatch):
    texts = [np.array(string_to_labels(text), np.uint8) for text in ("la", "dum di dum", "oh la la oh", "d")]
    monkeypatch.setattr(attribution, "MAX_BATCH_ROWS", 9)  # three texts at once
    together = dict(nll_per_artist(small_lstm, texts))
    assert sorted(together) == [0, 1, 2, 3]
    for number, text in enumerate(texts):
        ((_, alone),) = nll_per_artist(small_lstm, [text])
        assert together[number].shape == (len(text), 3)
        np.testing.assert_allclose(together[number], alone, atol=1e-5)
    ((_, second),) = nll_per_artist(small_lstm, [texts[1]], [1])
    np.testing.assert_allclose(second[:, 0], together[1][:, 1], atol=1e-5)


def test_characters_outside_the_vocabulary_cost_nothing(small_lstm):
    ((_, nats),) = nll_per_artist(small_lstm, [np.array([10, OOV_LABEL, 11], np.uint8)])
    assert (nats[1] == 0).all() and (nats[[0, 2]] > 0).all()
    result = attribute("la \u00e9 la", model=small_lstm, ngrams=None)
    assert result.characters == 6 and "read as unknown: \u00e9" in result.notes[0]


def test_a_longer_text_says_more_but_not_by_the_sum_of_its_characters(small_lstm):
    line = "la la oh la "
    short, long = (attribute(line * times, model=small_lstm, ngrams=None) for times in (1, 20))
    assert short.posterior["Ann"] < long.posterior["Ann"]
    raw = posterior(-np.log(2) * np.array([list(long.bits.values())]))[0, 0]
    assert long.posterior["Ann"] < raw


def test_n_grams_and_model_answer_side_by_side(small_lstm, classifier):
    text = "la la oh la la"
    result = attribute(text, model=small_lstm, ngrams=classifier)
    expected = posterior(classifier.logits([text], np.array([len(text)])))[0]
    assert list(result.posterior.values()) == pytest.approx(expected.tolist())
    saved = np.array([[result.any_artist_bits - bits for bits in result.bits.values()]]) * np.log(2)
    by_model = posterior(saved / np.sqrt(len(text)))[0]
    assert list(result.posterior_by_model.values()) == pytest.approx(by_model.tolist())
    assert result.posterior != result.posterior_by_model and result.with_ngrams and result.notes == ()
    assert result.lines[0].posterior_by_model == pytest.approx(result.posterior_by_model)
    assert result.ranking[0].probability_by_model == result.posterior_by_model[result.ranking[0].artist]


def test_a_text_and_each_line_have_the_n_grams_that_spoke_for_their_artist(small_lstm, classifier):
    text = "la la oh la la\ndum di dum dum di"
    result = attribute(text, model=small_lstm, ngrams=classifier)
    for part, read, best, limit in (
        (result, text, result.ranking[0].artist, 20),
        *((line, line.text, line.artist, 5) for line in result.lines),
    ):
        evidence = part.evidence
        logits = classifier.logits([read], np.array([len(read)]))[0]
        assert evidence.artist == best and 0 < len(evidence.ngrams) <= limit
        assert evidence.logit == pytest.approx(logits[list(LYRICS).index(best)] - logits.mean(), abs=1e-4)
        listed = sum(ngram.contribution for ngram in evidence.ngrams)
        assert evidence.constant + evidence.others + listed == pytest.approx(evidence.logit)
        for ngram in evidence.ngrams:
            assert all(" ".join(read[start:stop].split()) == ngram.ngram.strip() for start, stop in ngram.spans)
    answer = json.loads(json.dumps(result.to_dict()))
    assert answer["evidence"]["ngrams"][0]["ngram"] == result.evidence.ngrams[0].ngram
    assert answer["lines"][1]["evidence"]["artist"] == "Bob"
    without = attribute(text, model=small_lstm, ngrams=None)
    assert without.evidence is without.lines[0].evidence is without.to_dict()["evidence"] is None


def test_the_models_scaling_is_the_square_root_of_the_length():
    assert LM_ONLY_CALIBRATION.logits(np.array([[6.0, 3.0]]), np.array([9])) == pytest.approx(np.array([[2.0, 1.0]]))


def test_without_a_classifier_both_posteriors_are_the_models(small_lstm):
    result = attribute("la la oh\ndum di", model=small_lstm, ngrams=None)
    assert not result.with_ngrams and result.notes == () and result.posterior == result.posterior_by_model
    assert all(line.posterior == line.posterior_by_model for line in result.lines)


def test_a_classifier_of_other_artists_is_left_out_with_a_note(small_lstm, classifier):
    other = replace(classifier, artists=("Bob", "Ann"))
    result = attribute("la", model=small_lstm, ngrams=other)
    assert result.posterior == attribute("la", model=small_lstm, ngrams=None).posterior and not result.with_ngrams
    assert result.notes == (
        "The n-gram classifier knows other artists than the model. "
        "The answer uses the language model alone and is less accurate.",
    )


def test_without_its_folder_the_model_answers_alone_and_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(attribution, "ASSETS", tmp_path)
    attribution.bundled_ngrams.cache_clear()
    result = attribute("the morning", model="vanilla-rnn")
    attribution.bundled_ngrams.cache_clear()
    assert not result.with_ngrams and result.posterior == result.posterior_by_model
    assert result.notes == (
        "There is no n-gram classifier here. The answer uses the language model alone and is less accurate.",
    )


@pytest.mark.parametrize("model", ["lstm", "vanilla-rnn"])
def test_the_bundled_models_attribute_a_text_to_their_artists(model):
    result = attribute("stacks on the table and the whip is new", model=model)
    assert list(result.posterior) == ARTISTS and result.with_ngrams
    assert sum(result.posterior.values()) == pytest.approx(1)
    answer = json.loads(json.dumps(result.to_dict()))
    assert answer["artist"] == answer["ranking"][0]["artist"] == max(result.posterior, key=result.posterior.get)
    assert answer["lines"][0]["text"] == "stacks on the table and the whip is new"
    assert answer["ranking"] == [asdict(ranked) for ranked in result.ranking]
    assert answer["posterior_by_model"] == result.posterior_by_model != answer["posterior"]
    assert {
        "artist",
        "ranking",
        "posterior",
        "any_artist_bits",
        "margin_bits",
        "lines",
        "characters",
        "with_ngrams",
        "notes",
    } < set(answer)


@pytest.mark.parametrize("text", ["a", "?", "  x ", "x" * 5_000, "\U0001f600 a", "<b>&"])
def test_any_text_with_a_character_is_attributed(small_lstm, text):
    result = attribute(text, model=small_lstm, ngrams=None)
    assert sum(result.posterior.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "text must have 1 to 5,000 characters, got an empty text"),
        (" \n ", "got an empty text"),
        (None, "got an empty text"),
        ("x" * 5_001, "text must have 1 to 5,000 characters, got 5,001"),
        ("\ud55c\uad6d", "text must have a character that the models know"),
        (["a"], "text must be text"),
    ],
)
def test_other_texts_are_refused_in_a_sentence(text, words):
    with pytest.raises(ArgumentError, match="^text must") as caught:
        check_attributed(text)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_a_model_without_artists_and_one_that_is_not_there_are_refused():
    with pytest.raises(ArgumentError, match="two artists or more"):
        attribute("la", model=ImprovedSeqModel(hidden_size=4))
    with pytest.raises(ModelError, match="lstm"):
        attribute("la", model="lstn")


def test_figures_of_posteriors_worked_out_by_hand():
    posteriors = np.array([[0.75, 0.25], [0.75, 0.25], [0.35, 0.65], [0.35, 0.65]])
    figures = attribution_metrics(posteriors, np.array([0, 0, 1, 0]))
    assert figures["accuracy"] == 0.75
    assert figures["log_loss"] == pytest.approx(-np.log([0.75, 0.75, 0.65, 0.35]).mean(), abs=1e-4)
    assert figures["calibration_error"] == pytest.approx((2 * 0.25 + 2 * 0.15) / 4)


def test_reading_leaves_the_model_as_it_was():
    model = load_model("vanilla-rnn")
    before = {name: value.clone() for name, value in model.state_dict().items()}
    attribute("a line", model=model, ngrams=None)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
