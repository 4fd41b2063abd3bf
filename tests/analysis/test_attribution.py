"""Whose line is it: the posterior over the artists, whole and line by line."""

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
    attribution_figures,
    check_attributed,
    line_spans,
    posterior,
    read_under_artists,
)
from lyricgen.analysis.ngram_classifier import LAWS, Calibration
from lyricgen.models.vocabulary import OOV_LABEL, START_LABEL
from lyricgen.songs.notebook import ARTISTS

SUNG = {"Ann": "la la la oh la la oh la oh la la", "Bob": "dum di dum di di dum dum di dum"}


@pytest.fixture(scope="module")
def taught():
    """A small LSTM that has read a line of each of two artists, for a few seconds."""
    pl.seed_everything(3, verbose=False)
    model = ImprovedSeqModel(hidden_size=24, n_layers=1, artists=tuple(SUNG))
    labels = [torch.tensor([START_LABEL, *string_to_labels(line[:31])]) for line in SUNG.values()]
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
    """A classifier of the same artists, who believes in Bob's drum."""
    fitted = fit_ngrams(list(SUNG.values()), np.array([0, 1]), list(SUNG), buckets=256)
    return type(fitted)(**{**vars(fitted), "laws": dict.fromkeys(LAWS, Calibration((0.0, -0.5), (1.0, 0.0), 0.0))})


def test_lines_are_put_to_the_artist_whose_they_are(taught):
    found = attribute("la la oh la la\ndum di dum dum di  oh la la oh", model=taught, ngrams=None)
    assert [line.artist for line in found.lines] == ["Ann", "Bob", "Ann"]
    assert [line.text for line in found.lines] == ["la la oh la la", "dum di dum dum di", "oh la la oh"]
    for of in (found, *found.lines):
        assert list(of.posterior) == list(SUNG) and sum(of.posterior.values()) == pytest.approx(1)
    assert not found.with_ngrams and found.characters == len("la la oh la la\ndum di dum dum di  oh la la oh")


def test_the_bits_are_those_of_the_module_under_each_artist(taught):
    text = "la dum oh"
    labels = torch.tensor([[START_LABEL, *string_to_labels(text)]])
    found = attribute(text, model=taught, ngrams=None)
    for artist, bits in zip((0, 1, None), (*found.bits.values(), found.any_artist_bits), strict=True):
        given = None if artist is None else torch.tensor([artist])
        with torch.inference_mode():
            logits, _ = taught(labels[:, :-1], None, artists=given)
        nats = F.cross_entropy(logits[0], labels[0, 1:], reduction="sum")
        assert bits == pytest.approx(float(nats) / np.log(2), rel=1e-4)
    assert found.margin == pytest.approx(found.any_artist_bits - min(found.bits.values()))
    assert sum(found.lines[0].bits.values()) == pytest.approx(sum(found.bits.values()))


def test_the_ranking_is_by_probability_and_the_posterior_in_the_models_order(taught):
    found = attribute("dum di dum", model=taught, ngrams=None)
    assert [place.artist for place in found.ranking] == ["Bob", "Ann"]
    assert list(found.posterior) == ["Ann", "Bob"]
    assert found.ranking[0].probability == found.posterior["Bob"] > 0.5


def test_texts_of_different_lengths_are_read_side_by_side_as_each_alone(taught, monkeypatch):
    texts = [np.array(string_to_labels(text), np.uint8) for text in ("la", "dum di dum", "oh la la oh", "d")]
    monkeypatch.setattr(attribution, "ROWS", 9)  # three texts at once
    together = dict(read_under_artists(taught, texts))
    assert sorted(together) == [0, 1, 2, 3]
    for number, text in enumerate(texts):
        ((_, alone),) = read_under_artists(taught, [text])
        assert together[number].shape == (len(text), 3)
        np.testing.assert_allclose(together[number], alone, atol=1e-5)
    ((_, second),) = read_under_artists(taught, [texts[1]], [1])
    np.testing.assert_allclose(second[:, 0], together[1][:, 1], atol=1e-5)


def test_characters_outside_the_vocabulary_cost_nothing(taught):
    ((_, nats),) = read_under_artists(taught, [np.array([10, OOV_LABEL, 11], np.uint8)])
    assert (nats[1] == 0).all() and (nats[[0, 2]] > 0).all()
    found = attribute("la \u00e9 la", model=taught, ngrams=None)
    assert found.characters == 6 and "read as unknown: \u00e9" in found.notes[0]


def test_a_longer_text_says_more_but_not_by_the_sum_of_its_characters(taught):
    line = "la la oh la "
    short, long = (attribute(line * times, model=taught, ngrams=None) for times in (1, 20))
    assert short.posterior["Ann"] < long.posterior["Ann"]
    raw = posterior(-np.log(2) * np.array([list(long.bits.values())]))[0, 0]
    assert long.posterior["Ann"] < raw


def test_the_classifier_has_a_say_where_it_knows_the_same_artists(taught, classifier):
    alone, both = (attribute("la", model=taught, ngrams=given) for given in (None, classifier))
    assert both.with_ngrams and both.posterior != alone.posterior and both.notes == ()
    assert both.posterior["Ann"] > 0.5
    other = type(classifier)(**{**vars(classifier), "artists": ("Bob", "Ann")})
    found = attribute("la", model=taught, ngrams=other)
    assert found.posterior == alone.posterior and "other artists" in found.notes[0]


def test_without_its_folder_the_model_alone_has_a_say_and_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(attribution, "ASSETS", tmp_path)
    attribution._bundled.cache_clear()
    found = attribute("the morning", model="vanilla-rnn")
    attribution._bundled.cache_clear()
    assert not found.with_ngrams and "no classifier of n-grams here" in found.notes[0]


@pytest.mark.parametrize("model", ["lstm", "vanilla-rnn"])
def test_the_bundled_models_attribute_a_text_to_their_artists(model):
    found = attribute("stacks on the table and the whip is new", model=model)
    assert list(found.posterior) == ARTISTS and found.with_ngrams
    assert sum(found.posterior.values()) == pytest.approx(1)
    answer = json.loads(json.dumps(found.to_dict()))
    assert answer["artist"] == answer["ranking"][0]["artist"] == max(found.posterior, key=found.posterior.get)
    assert answer["lines"][0]["text"] == "stacks on the table and the whip is new"
    assert answer["ranking"] == [asdict(place) for place in found.ranking]


@pytest.mark.parametrize("text", ["a", "?", "  x ", "x" * 5_000, "\U0001f600 a", "<b>&"])
def test_any_text_with_a_character_is_attributed(taught, text):
    found = attribute(text, model=taught, ngrams=None)
    assert sum(found.posterior.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "text must be 1 to 5,000 characters, got an empty text"),
        (" \n ", "got an empty text"),
        (None, "got an empty text"),
        ("x" * 5_001, "text must be 1 to 5,000 characters, got 5,001"),
        ("\ud55c\uad6d", "text must hold a character that the models know"),
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


def test_lines_end_at_line_breaks_and_at_runs_of_spaces():
    text = "one line  and two\r\n\n and \tthree   \n"
    assert [text[start:stop] for start, stop in line_spans(text)] == ["one line", "and two", "and", "three"]
    assert line_spans("a") == [(0, 1)]


def test_figures_of_posteriors_worked_out_by_hand():
    posteriors = np.array([[0.75, 0.25], [0.75, 0.25], [0.35, 0.65], [0.35, 0.65]])
    figures = attribution_figures(posteriors, np.array([0, 0, 1, 0]))
    assert figures["accuracy"] == 0.75
    assert figures["log_loss"] == pytest.approx(-np.log([0.75, 0.75, 0.65, 0.35]).mean(), abs=1e-4)
    assert figures["calibration_error"] == pytest.approx((2 * 0.25 + 2 * 0.15) / 4)


def test_reading_leaves_the_model_as_it_was():
    model = load_model("vanilla-rnn")
    before = {name: value.clone() for name, value in model.state_dict().items()}
    attribute("a line", model=model, ngrams=None)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_where_the_n_grams_alone_decide_the_network_gives_the_bits_only(taught, classifier):
    alone = replace(classifier, metrics={"held_out": {"both": {"accuracy": 0.1}, "scores": {"accuracy": 0.2}}})
    text = "la la oh la la"
    found, together = (attribute(text, model=taught, ngrams=one) for one in (alone, classifier))
    law = alone.laws["scores"]
    expected = posterior(law.logits(None, alone.scores(text)[None], alone.log_priors, np.array([len(text)])))[0]
    assert list(found.posterior.values()) == pytest.approx(expected.tolist())
    assert found.bits == together.bits and found.posterior != together.posterior
