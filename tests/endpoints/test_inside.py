"""Endpoints that look inside the models, called as functions."""

import json

import pytest

from lyricgen.analysis.activations import read_cells
from lyricgen.analysis.attribution import attribute
from lyricgen.analysis.membership import (
    STATISTICS,
    MembershipThresholds,
    Threshold,
    measure_membership,
    save_thresholds,
    weights_sha256,
)
from lyricgen.analysis.saliency import saliency
from lyricgen.analysis.scoring import alternatives, score
from lyricgen.endpoints import inside
from lyricgen.errors import ArgumentError, ModelError
from lyricgen.memorization.originality import measure_originality
from lyricgen.models.checkpoints import load_checkpoint
from lyricgen.models.memory import MemoryConstants
from lyricgen.resources import Resources

VERSE = "the tide came in at seven  and took the chairs away"


@pytest.fixture
def resources(tiny_ngrams):
    """The two tiny models, whose artists are Ann and Bob, and an n-gram classifier of the same."""
    return Resources(tiny_ngrams.parent, "cpu")


def assert_plain(value):
    """A value that JSON carries unchanged."""
    assert json.loads(json.dumps(value)) == value


@pytest.mark.parametrize("name", ["lstm", "vanilla-rnn"])
def test_score_is_the_librarys_under_the_models_name(resources, name):
    answer = inside.score(resources, VERSE, "ann", name.upper())
    expected = score(VERSE, artist="Ann", model=resources.model(name).model).to_dict()
    assert answer == {**expected, "model": name}
    assert_plain(answer)


def test_score_with_memory_marks_what_occurs_earlier(resources, monkeypatch):
    monkeypatch.setattr(resources.model("lstm").model, "memory", MemoryConstants(5.0, 0.5, 2.0, 2.0))
    answer = inside.score(resources, memory=True)
    assert answer["repeats"] and answer["bits_per_character"] < answer["bits_per_character_without_memory"]
    assert_plain(answer)


def test_score_answers_by_the_default_model_where_none_is_named(resources, monkeypatch):
    """The endpoint's default was lstm, whether or not that could be loaded."""
    assert inside.score(resources)["model"] == "lstm"
    monkeypatch.delitem(resources._models, "lstm")
    assert inside.score(resources)["model"] == inside.cells(resources)["model"] == "vanilla-rnn"


def test_saliency_is_the_librarys_under_the_models_name(resources):
    answer = inside.saliency(resources, VERSE, 20, "Ann", "vanilla-rnn")
    expected = saliency(VERSE, 20, artist="Ann", model=resources.model("vanilla-rnn").model).to_dict()
    assert answer == {**expected, "model": "vanilla-rnn"}
    assert_plain(answer)


def test_cells_answers_a_unit_and_the_one_that_varies_most_by_default(resources):
    answer = inside.cells(resources, VERSE)
    assert (answer["layer"], answer["unit"]) == (2, answer["varying"][0]["unit"])
    assert_plain(answer)
    units = read_cells(VERSE, model=resources.model("vanilla-rnn").model)
    other = inside.cells(resources, VERSE, model="vanilla-rnn", layer=1, unit=5)
    assert other["activations"] == pytest.approx(units.hidden[0][:, 5].tolist(), abs=1e-3)


def test_alternatives_are_the_librarys(resources):
    expected = alternatives(VERSE, 4, artist="Bob", model=resources.model("lstm").model, temperature=2.0, count=3)
    answer = inside.alternatives(resources, VERSE, 4, "Bob", temperature=2.0, count=3)
    assert answer == [{"character": one.character, "probability": one.probability} for one in expected]
    assert_plain(answer)


def test_attribute_is_the_librarys_with_the_classifier_that_is_loaded(resources):
    answer = inside.attribute(resources, "la la oh", "vanilla-rnn")
    assert (
        answer == attribute("la la oh", model=resources.model("vanilla-rnn").model, ngrams=resources.ngrams).to_dict()
    )
    assert answer["with_ngrams"] and list(answer["posterior"]) == ["Ann", "Bob"]
    assert_plain(answer)


def test_originality_is_the_librarys(resources):
    assert inside.originality(resources) == measure_originality(inside.ORIGINALITY_EXAMPLE).to_dict()
    assert_plain(inside.originality(resources))


def test_membership_is_the_librarys_between_the_two_models(resources):
    answer = inside.membership(resources)
    model, reference = (resources.model(name).model for name in ("lstm", "vanilla-rnn"))
    expected = measure_membership(
        inside.ORIGINALITY_EXAMPLE, model=model, reference=reference, thresholds=resources.membership
    )
    assert answer == expected.to_dict() and "of other networks, so there is no verdict" in answer["verdict"]
    assert_plain(answer)


def test_membership_uses_the_thresholds_beside_the_models(tiny_folder):
    names = [load_checkpoint(tiny_folder / name).model for name in ("lstm", "vanilla-rnn")]
    of_length = {name: Threshold(-99.0, 0.25, 0.5, 0.75) for name in STATISTICS}
    known = MembershipThresholds(tuple(map(weights_sha256, names)), "difference", {20: of_length})
    save_thresholds(known, tiny_folder / "membership")
    answer = inside.membership(Resources(tiny_folder, "cpu"), VERSE)
    assert answer["read"] is True and answer["characters"] == 20 and answer["statistics"][0]["auc"] == 0.75


def test_membership_answers_without_a_song_index_and_with_damaged_thresholds(tiny_folder, caplog):
    (tiny_folder / "membership").mkdir()
    (tiny_folder / "membership/meta.json").write_text("{}")
    resources = Resources(tiny_folder, "cpu")
    assert "meta.json of membership thresholds" in caplog.text
    resources._song_index = None
    answer = inside.membership(resources, VERSE)
    assert answer["originality"] is None and answer["bits_per_character"] > 0 and "no verdict" in answer["verdict"]
    assert answer["notes"] == [
        "The index of the training songs could not be loaded, so nothing can be looked up in it here."
    ]


def test_membership_needs_both_models(resources, monkeypatch):
    monkeypatch.delitem(resources._models, "vanilla-rnn")
    with pytest.raises(ModelError, match="^vanilla-rnn could not be loaded here, and both models are needed"):
        inside.membership(resources)


def test_learning_curves_are_those_of_the_folders(resources, tiny_folder):
    curves = inside.learning_curves(resources)
    assert curves == {name: load_checkpoint(tiny_folder / name).history for name in ("lstm", "vanilla-rnn")}


@pytest.mark.parametrize(
    ("endpoint", "left_out"),
    [
        (inside.score, {"characters"}),
        (inside.cells, {"activations", "cell_states", "gates"}),
        (inside.saliency, {"influence"}),
        (inside.attribute, {"posterior", "posterior_by_model", "evidence"}),
    ],
)
def test_a_summary_leaves_out_the_large_parts(resources, endpoint, left_out):
    full, summary = endpoint(resources, VERSE), endpoint(resources, VERSE, detail="summary")
    assert full.keys() - summary.keys() == left_out
    with pytest.raises(ArgumentError, match="detail must be one of full, summary; got 'short'"):
        endpoint(resources, VERSE, detail="short")


def test_a_summary_of_an_attribution_keeps_the_artist_of_each_line(resources):
    lines = inside.attribute(resources, VERSE, detail="summary")["lines"]
    assert [list(line) for line in lines] == [["text", "artist", "probability"]] * 2


def test_a_summary_of_learning_curves_is_their_last_row(resources):
    full = inside.learning_curves(resources)
    assert inside.learning_curves(resources, "summary") == {name: rows[-1:] for name, rows in full.items()}


def test_about_names_the_version_of_gradio_without_it(resources):
    answer = inside.about(resources)
    assert answer["gradio"][0].isdigit() and [model["name"] for model in answer["models"]] == ["lstm", "vanilla-rnn"]
    assert_plain(answer)


@pytest.mark.parametrize(
    ("endpoint", "values", "message"),
    [
        (inside.score, {"text": ""}, "got an empty text"),
        (inside.score, {"text": "x" * 10_000}, "got 10,000"),
        (inside.cells, {"layer": 3}, "layer must be"),
        (inside.alternatives, {"position": 14}, "position must be a whole number from 0 to 13"),
        (inside.saliency, {"text": VERSE, "position": 51}, "position must be a whole number from -1 to 50"),
        (inside.attribute, {"text": "😀"}, "text must have a character"),
        (inside.originality, {"text": None}, "got an empty text"),
        (inside.membership, {"text": "x" * 5_001}, "got 5,001"),
        (inside.score, {"model": "gru"}, "model must be one of lstm, vanilla-rnn"),
    ],
)
def test_an_argument_outside_what_is_allowed_is_one_sentence(resources, endpoint, values, message):
    with pytest.raises(ArgumentError, match=message):
        endpoint(resources, **values)
