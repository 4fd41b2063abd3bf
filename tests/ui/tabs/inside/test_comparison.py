"""RNN vs LSTM: texts along sliders, and learning curves."""

import json
from dataclasses import replace

import pytest

from lyricgen.errors import ArgumentError
from lyricgen.resources import Resources
from lyricgen.ui.tabs.inside import comparison


@pytest.fixture
def small(tiny_ngrams):
    return Resources(tiny_ngrams.parent, "cpu")


def test_temperatures_are_stops_of_a_slider(small):
    data = json.loads(comparison.show_temperatures(small, "la <la> ", "Ann", 40, 3))
    assert [stop["name"] for stop in data["stops"]] == ["0.25", "0.5", "0.75", "1", "1.5"]
    for stop in data["stops"]:
        (text,) = stop["texts"]
        assert text["text"].startswith("la <la> ") and len(text["text"]) == 40
        assert text["heading"].startswith(f"LSTM, {stop['name']}: surprise ")


def test_eight_songs_of_each_model_are_dots_with_their_mean(small):
    chart = comparison.show_eight(small, "la ", "Ann", 0.6, 40, 3)
    assert chart.count("<circle") == 16 and chart.count("bits a letter on average") == 4 + 16
    assert comparison.show_eight(small, "la ", "Ann", 0.6, 40, 3) == chart


def test_a_start_that_is_longer_than_the_song_raises_its_length(small):
    *_, last = comparison.show_models(small, "la <la> " * 10, "Ann", 0.6, 50, 3)
    assert "I made the song 380 letters long." in last and last.count("Play it in Write") == 2 and "<la>" not in last
    assert len(json.loads(comparison.show_temperatures(small, "la " * 30, "Ann", 50, 3))["stops"]) == 5


def test_curves_show_both_models_by_epoch_and_by_minute(small):
    by_epoch, by_minute = comparison.show_curves(small, "epoch"), comparison.show_curves(small, "seconds")
    assert "LSTM: 4.500 after 2 epochs" in by_epoch and "simple RNN: 4.500 after 1.58 minutes" in by_minute
    assert by_epoch.count("<polyline") == 2 and by_epoch.count("<circle") == 2 and by_epoch.count("<path") == 2
    with pytest.raises(ArgumentError):
        comparison.show_curves(small, "month")


def test_samples_of_the_training_are_stops_where_they_were_kept(small):
    assert comparison.stages_json(small) == ""
    for name in small.model_names:
        loaded = small.model(name)
        samples = [{"step": step, "prefix": "the river ", "text": f"the river {step}"} for step in (1, 10)]
        small._models[name] = replace(loaded, checkpoint=replace(loaded.checkpoint, samples=samples))
    data = json.loads(comparison.stages_json(small))
    assert [stop["name"] for stop in data["stops"]] == ["step 1", "step 10"]
    assert [text["heading"] for text in data["stops"][1]["texts"]] == ["LSTM, step 10", "simple RNN, step 10"]
    assert data["stops"][1]["texts"][0]["text"] == "the river 10"
