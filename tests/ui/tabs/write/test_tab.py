"""Write's handlers, called as functions."""

import base64
import html
import json
import re
from types import SimpleNamespace
from urllib.parse import parse_qs

import numpy as np
import pytest
import torch

from lyricgen.analysis.predictions import predictions
from lyricgen.analysis.scoring import score
from lyricgen.errors import ArgumentError
from lyricgen.generation.settings import GenerationSettings, Setting, generation_settings
from lyricgen.resources import Resources
from lyricgen.ui.tabs.write import tab
from lyricgen.ui.tabs.write.checks import artists_card, copied_card
from lyricgen.ui.tabs.write.first_song import FIRST_SONG, SETTINGS, first_song
from lyricgen.ui.tabs.write.settings import ELSEWHERE, PAGE_DEFAULTS, create_setting
from lyricgen.ui.tabs.write.song import MAX_BITS, check_cut, encode_bits, fit_length, link_query, read_draft
from lyricgen.ui.tabs.write.tab import (
    change_letter,
    finish_song,
    request_from_page,
    show_variants,
    write_again,
    write_song,
)

NAMES = ("artist", "temperature", "seed", "max_length")
VALUES = ("Bob", 0.9, 7, 40)


@pytest.fixture
def resources(tiny_folder):
    """The two tiny models, whose artists are Ann and Bob."""
    return Resources(tiny_folder, "cpu")


def last(stream) -> tuple[dict, str, str]:
    *_, (song, text, problem) = stream
    return json.loads(song), text, problem


def test_the_pages_values_become_the_settings_of_their_names(resources):
    request = request_from_page(resources, NAMES, "the sea", "vanilla-rnn", *VALUES)
    settings = request.settings
    assert (request.prefix, request.model) == ("the sea", resources.model("vanilla-rnn").model)
    assert (settings.artist, settings.temperature, settings.seed, settings.max_length) == ("Bob", 0.9, 7, 40)


def test_a_song_comes_with_every_prediction_and_the_link_that_writes_it_again(resources):
    song, text, problem = last(write_song(resources, NAMES, "the sea ", "lstm", *VALUES))
    assert problem == "" and len(text) == 40 and song["text"] == text and song["state"] == "written"
    assert (song["given"], song["start"], song["seed"]) == (8, 8, 7)
    labels, bits = predictions(text, artist="Bob", model=resources.model("lstm").model)
    assert np.frombuffer(base64.b64decode(song["labels"]), np.uint8).tolist() == labels.tolist()
    sent = np.frombuffer(base64.b64decode(song["bits"]), np.uint8).reshape(41, 100)
    assert np.abs(MAX_BITS * (sent / 255) ** 2 - np.clip(bits, 0, MAX_BITS)).max() < 0.1
    link = parse_qs(song["link"])
    settings = {name: link[name][0] for name in ("artist", "temperature", "seed", "max_length")}
    assert settings == {"artist": "Bob", "temperature": "0.9", "seed": "7", "max_length": "40"}
    assert link["text"] == ["the sea "] and last(write_song(resources, NAMES, "the sea ", "lstm", *VALUES))[1] == text


def test_small_surprises_keep_their_size_in_a_byte():
    bits = np.array([[0.0, 0.1, 1.0, 4.0, 30.0]])
    sent = MAX_BITS * (np.frombuffer(base64.b64decode(encode_bits(bits)), np.uint8) / 255) ** 2
    assert sent == pytest.approx([0.0, 0.1, 1.0, 4.0, MAX_BITS], abs=0.04)


def test_predictions_are_those_of_the_score(resources):
    network = resources.model("lstm").model
    labels, bits = predictions("the sea", artist="Ann", model=network)
    scored = score("the sea", artist="Ann", model=network)
    assert bits[np.arange(7), labels] == pytest.approx(-scored.log_probs) and bits.shape == (8, 100)


def test_again_has_the_seed_that_was_clicked(resources):
    song, text, _ = last(write_again(resources, NAMES, SimpleNamespace(seed=9), "the sea ", "lstm", *VALUES))
    assert song["seed"] == 9 and len(text) == 40
    assert last(write_again(resources, NAMES, SimpleNamespace(seed=-1), "the sea ", "lstm", *VALUES))[0]["seed"] != 9


def test_a_changed_song_is_written_again_from_where_it_was_changed(resources):
    event = SimpleNamespace(index=7, letters="x", given=4, seed=3)
    song, text, _ = last(change_letter(resources, NAMES, event, "the sea is calm", "lstm", *VALUES))
    event = SimpleNamespace(seed=song["seed"], changed=text[: song["changed"]], given=song["given"])
    again, same, _ = last(write_again(resources, NAMES, event, "other words", "lstm", *VALUES))
    assert text[: song["changed"]] == "the seax" and same == text and again == {**song, "start": 8}


def test_a_mix_is_read_as_the_mix(resources):
    names, values = (*NAMES, "second_artist", "second_weight"), (*VALUES, "Ann", 0.25)
    song, text, _ = last(write_song(resources, names, "the sea ", "lstm", *values))
    network = resources.model("lstm").model
    first, mix = (predictions(text, artist=style, model=network)[1] for style in ("Bob", torch.tensor([0.25, 0.75, 0])))
    assert song["bits"] == encode_bits(mix) != encode_bits(first)
    stopped = finish_song(resources, json.dumps({**song, "state": "writing"}))
    assert json.loads(stopped)["bits"] == song["bits"]


def test_a_song_without_an_artist_has_no_note_and_no_link_on_its_style(resources):
    names, values = (*NAMES, "guidance"), ("any artist", *VALUES[1:], 2.0)
    song, *_ = last(write_song(resources, names, "the sea ", "lstm", *values))
    assert song["notes"] == [] and "guidance" not in song["link"]


def test_four_songs_are_sampled_within_the_limit_whatever_the_strategy_and_each_can_be_played(resources, monkeypatch):
    names, values = (*NAMES, "strategy", "max_copied_words"), (*VALUES, "beam", 6)
    asked = []
    written = [[{"seed": 8, "text": "the sea is calm"}]]
    monkeypatch.setattr(tab, "stream_variants", lambda _, request, __: asked.append(request) or iter(written))
    *_, shown = show_variants(resources, names, "the sea ", "lstm", *values)
    settings = asked[0].settings
    assert (settings.strategy, settings.max_copied_words) == ("sample", 6)
    link = parse_qs(html.unescape(re.search(r'href="\?([^"]*)"', shown)[1]))
    assert (link["text"], link["seed"], link["max_copied_words"]) == (["the sea "], ["8"], ["6"])
    assert "strategy" not in link  # by chance, as the page's default


def test_a_song_goes_on_from_another_letter(resources):
    event = SimpleNamespace(index=7, letters="x", given=4, seed=3)
    song, text, _ = last(change_letter(resources, NAMES, event, "the sea is calm", "lstm", *VALUES))
    assert text.startswith("the seax") and len(text) == 40 and (song["given"], song["start"], song["seed"]) == (4, 7, 3)


@pytest.mark.parametrize(("index", "letters"), [(99, "x"), (-1, "x"), ("2", "x"), (True, "x"), (2, ""), (2, None)])
def test_a_letter_that_cannot_be_changed_is_a_sentence_on_the_page(resources, index, letters):
    with pytest.raises(ArgumentError):
        check_cut("the sea", index, letters)
    event = SimpleNamespace(index=index, letters=letters, given=0, seed=3)
    [(_, _, problem)] = change_letter(resources, NAMES, event, "the sea", "lstm", *VALUES)
    assert 'role="alert"' in problem


def test_first_words_that_are_longer_than_the_song_raise_its_length(resources):
    assert fit_length("x" * 60, {"max_length": 50}) == (
        {"max_length": 360},
        "Your first words are longer than the song. I made the song 360 letters long.",
    )
    assert fit_length("x" * 50, {"max_length": 60}) == ({"max_length": 60}, "")
    request = request_from_page(resources, NAMES, "x" * 60, "lstm", *VALUES)
    assert request.settings.max_length == 360 and "360 letters" in request.notes[0]


def test_a_link_leaves_defaults_out_and_very_long_words(resources):
    request = request_from_page(resources, ("seed",), "the sea & me", "lstm", 7)
    assert parse_qs(link_query(request)) == {
        "text": ["the sea & me"],
        "model": ["lstm"],
        "artist": ["any artist"],
        "seed": ["7"],
        "temperature": ["0.7"],
        **{
            name: [str(getattr(GenerationSettings(), name))]
            for name in PAGE_DEFAULTS
            if name not in ("temperature", "guidance")
        },
    }
    on_the_page = request_from_page(resources, ("seed", *PAGE_DEFAULTS), "the sea", "lstm", 7, *PAGE_DEFAULTS.values())
    assert parse_qs(link_query(on_the_page)).keys() == {"text", "model", "artist", "seed", "temperature"}
    assert link_query(request_from_page(resources, ("seed",), "x" * 1_501, "lstm", 7)) == ""


@pytest.mark.parametrize(("model", "artist"), [("lstm", "Ann"), ("vanilla-rnn", "")])
def test_a_stopped_song_gets_the_predictions_of_its_own_model_and_artist(model, artist, resources):
    draft = {"state": "writing", "text": "the sea", "given": 3, "model": model, "artist": artist}
    finished = json.loads(finish_song(resources, json.dumps(draft)))
    assert finished["state"] == "written" and finished["text"] == "the sea"
    _, bits = predictions("the sea", artist=artist or None, model=resources.model(model).model)
    assert finished["bits"] == encode_bits(bits)


def test_a_draft_is_told_from_other_values():
    for other in ("", "[1]", '{"state":"written"}', None, '{"state":"writing","text":3}'):
        assert read_draft(other) is None


def test_every_setting_has_a_component_and_so_has_one_to_come():
    for name, setting in generation_settings().items():
        assert name in ELSEWHERE or create_setting(setting, ["Ann"]) is not None
    assert set(ELSEWHERE) <= vars(GenerationSettings()).keys()
    coming = Setting("top_k", int, 0, "A help.", 0, 9, ())._replace(high=9)
    assert create_setting(coming, []).maximum == 9


def test_the_answers_below_a_song_are_html_with_its_text_escaped(resources, tiny_ngrams):
    assert "No." in copied_card(resources, "seven <b>chairs</b> stood in the rain") and copied_card(resources, "") == ""
    with_ngrams = Resources(tiny_ngrams.parent, "cpu")
    shown = artists_card(with_ngrams, "la la oh")
    assert "Ann" in shown and "Bob" in shown and artists_card(with_ngrams, " ") == ""


def test_the_first_song_is_that_of_the_bundled_model_and_copies_nothing():
    shipped = json.loads(FIRST_SONG.read_text(encoding="utf-8"))
    resources = Resources(device="cpu")
    assert shipped["sha256"] == resources.model().file_sha256, "renew it: python -m docs.page_assets"
    assert "No." in copied_card(resources, shipped["song"]["text"])
    assert first_song(resources)["song"] and FIRST_SONG.stat().st_size < 30_000


def test_other_models_open_with_a_song_of_their_own(resources):
    song = json.loads(first_song(resources)["song"])
    assert song["state"] == "written" and song["artist"] == "" and len(song["text"]) == SETTINGS["max_length"]
    of_its_own = {"text", "model", "artist", "seed", "temperature", "max_length"}  # the others are those of the page
    assert parse_qs(song["link"]).keys() == of_its_own
