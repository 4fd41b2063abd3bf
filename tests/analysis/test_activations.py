"""Hidden units along a text, and the features that they correlate with."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from lyricgen.analysis.activations import read_cells, text_features, unit_facts
from lyricgen.errors import ArgumentError
from lyricgen.models.networks import ImprovedSeqModel, VanillaRNN
from lyricgen.models.vocabulary import START_LABEL, string_to_labels

VERSE = 'seven chairs (all blue)  she said "leave the chairs"  and so, seven chairs on, they stay'


def states(model, text: str) -> list:
    """The module's hidden state after each character, read one at a time."""
    hidden, found = None, []
    with torch.no_grad():
        for label in [START_LABEL, *string_to_labels(text)]:
            _, hidden = model(torch.tensor([[label]]), None, hidden)
            found.append(hidden)
    return found[1:]


def test_activations_are_the_modules_hidden_states(tiny_model):
    cells = read_cells(VERSE, model=tiny_model)
    assert cells.hidden.shape == (2, len(VERSE), 12)
    for at, hidden in enumerate(states(tiny_model, VERSE)):
        h = hidden[0] if isinstance(hidden, tuple) else hidden
        assert cells.hidden[:, at] == pytest.approx(h[:, 0].numpy(), abs=1e-5)


@pytest.mark.parametrize("layer", [1, 2])
def test_the_memory_of_an_lstms_unit_is_the_modules_cell_state(tiny_model, layer):
    cells = read_cells(VERSE, model=tiny_model)
    if not isinstance(tiny_model.rnn, nn.LSTM):
        assert cells.cell_states(layer, 3) is None
        return
    expected = [float(c[layer - 1, 0, 3]) for _, c in states(tiny_model, VERSE)]
    assert cells.cell_states(layer, 3) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("layer", [1, 2])
def test_the_gates_make_the_memory_and_the_activation(tiny_model, layer):
    cells = read_cells(VERSE, model=tiny_model)
    gates = cells.gates(layer, 3)
    if not isinstance(tiny_model.rnn, nn.LSTM):
        assert gates is None
        return
    assert list(gates) == ["input", "forget", "output"] and all(
        ((gate > 0) & (gate < 1)).all() for gate in gates.values()
    )
    memory = cells.cell_states(layer, 3)
    assert gates["output"] * np.tanh(memory) == pytest.approx(cells.hidden[layer - 1, :, 3], abs=1e-5)
    proposals = (memory[1:] - gates["forget"][1:] * memory[:-1]) / gates["input"][1:]
    assert (np.abs(proposals) < 1).all()


def test_an_artist_changes_the_first_layers_memory():
    torch.manual_seed(0)
    model = ImprovedSeqModel(hidden_size=12, artists=("Ann", "Bob")).eval()
    with_artist = read_cells(VERSE, artist="Ann", model=model)
    with torch.no_grad():
        hidden = None
        for label in [START_LABEL, *string_to_labels(VERSE)]:
            _, hidden = model(torch.tensor([[label]]), None, hidden, torch.tensor([0]))
    assert with_artist.cell_states(1, 5)[-1] == pytest.approx(float(hidden[1][0, 0, 5]), abs=1e-5)


def test_the_units_that_vary_most_come_first(tiny_model):
    cells = read_cells(VERSE, model=tiny_model)
    deviations = [one.deviation for one in cells.varying_units(1, 12)]
    assert deviations == sorted(deviations, reverse=True)
    assert deviations == pytest.approx(sorted(cells.hidden[0].std(axis=0).tolist(), reverse=True))
    top = cells.varying_units(1)[0]
    assert (top.least, top.greatest) == pytest.approx(
        (cells.hidden[0, :, top.unit].min(), cells.hidden[0, :, top.unit].max())
    )


@pytest.fixture
def counting():
    """An RNN of two units, one of which is high at vowels, whatever came before, and one that never moves."""
    model = VanillaRNN(hidden_size=2, n_layers=1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        for vowel in "aeiou":
            model.embeddings.weight[string_to_labels(vowel)[0], 0] = 1.0
        model.rnn.weight_ih_l0[0, 0] = 1.0
    return model.eval()


def test_a_unit_that_correlates_with_a_feature_is_listed_first(counting):
    found = {one.feature: one for one in read_cells("the ocean is out again", model=counting).feature_correlations()}
    (layer, unit, r), (_, other, nothing) = found["vowel"].units
    assert (layer, unit) == (1, 0) and r == pytest.approx(1)
    assert (other, nothing) == (1, 0.0)  # a constant unit correlates with nothing
    assert 0 < found["vowel"].permutation_max_r < 1


def test_correlations_are_pearsons(tiny_model):
    cells = read_cells(VERSE, model=tiny_model)
    features = text_features(VERSE)
    for one in cells.feature_correlations(24):
        assert not one.constant
        for layer, unit, r in one.units:
            expected = np.corrcoef(features[one.feature], cells.hidden[layer - 1, :, unit])[0, 1]
            assert r == pytest.approx(expected, abs=1e-3)
        sizes = [abs(r) for _, _, r in one.units]
        assert sizes == sorted(sizes, reverse=True) and 0 < one.permutation_max_r <= 1


@pytest.mark.parametrize("text", ["x", "aaaa", "bcd", "한x", "  "])
def test_a_feature_that_is_constant_is_named_so_and_nothing_is_nan(tiny_model, text):
    facts = unit_facts(read_cells(text, model=tiny_model))
    json.dumps(facts, allow_nan=False)
    constant = {one["feature"] for one in facts["features"] if one["constant"]}
    assert {"inside quotes", "inside brackets", "repeated passage"} <= constant
    assert constant == {name for name, values in text_features(text).items() if np.ptp(values) == 0}
    assert all(one["units"] == [] and one["chance"] is None for one in facts["features"] if one["constant"])


def test_features_of_a_text():
    text = 'Oh no  oh ("no" i) no'
    values = text_features(text)
    expected = {
        "section break":    "000001100000000000000",
        "inside quotes":    "000000000000110000000",
        "inside brackets":  "000000000001111110000",
        "space":            "001001100100000100100",
        "start of a word":  "100100010000100010010",
        "vowel":            "100010010000010010001",
        "punctuation":      "000000000011001001000",
        "word seen before": "000000011000110000011",
        "repeated passage": "000000000000000000000",
    }  # fmt: skip
    assert {name: "".join(f"{value:.0f}" for value in values[name]) for name in expected} == expected


def test_positions_count_from_the_line_and_from_the_word():
    features = text_features("ab c  de")
    assert features["position in line"].tolist() == [0, 1, 2, 3, 0, 0, 0, 1]
    assert features["position in word"].tolist() == [1, 2, 0, 1, 0, 0, 1, 2]
    assert features["position in text"][[0, -1]].tolist() == [0, 1]


def test_typographic_apostrophes_are_read_as_plain_ones():
    plain, typographic = text_features("don't go"), text_features("don\u2019t go")
    assert all((plain[name] == typographic[name]).all() for name in plain)


def test_a_passage_of_eight_characters_that_occurred_before_is_a_repetition():
    assert text_features("abcdefgh-abcdefghi")["repeated passage"].tolist() == [0.0] * 16 + [1.0, 0.0]


def test_facts_are_of_the_unit_asked_for_or_the_one_that_varies_most(tiny_model):
    cells = read_cells(VERSE, model=tiny_model)
    facts = unit_facts(cells)
    assert (facts["layer"], facts["unit"]) == (2, cells.varying_units(2)[0].unit)
    asked = unit_facts(cells, 1, 4)
    assert asked["activations"] == pytest.approx(cells.hidden[0, :, 4].tolist())
    assert all(one["layer"] == 1 for one in asked["varying"])
    json.dumps(asked, allow_nan=False)


@pytest.mark.parametrize(
    ("layer", "unit", "named"), [(3, 0, "layer"), (-1, 0, "layer"), (1, 12, "unit"), (1, 1.5, "unit")]
)
def test_a_unit_that_is_not_there_is_refused(tiny_model, layer, unit, named):
    with pytest.raises(ArgumentError, match=f"{named} must be a whole number from"):
        unit_facts(read_cells("abc", model=tiny_model), layer, unit)


def test_a_text_that_cannot_be_scored_has_no_activations(tiny_model):
    with pytest.raises(ArgumentError, match="empty text"):
        read_cells("", model=tiny_model)
