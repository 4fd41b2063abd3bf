"""What Neurons hands to its script."""

import json
import re
from types import SimpleNamespace

import numpy as np
import pytest

from lyricgen.analysis.activations import read_cells, text_features, unit_facts
from lyricgen.resources import Resources
from lyricgen.ui.tabs.inside import neurons

VERSE = "seven chairs stood in the rain  seven chairs <and> more"


@pytest.fixture
def cells(tiny_model):
    return read_cells(VERSE, model=tiny_model)


def test_colours_have_the_sign_and_the_share_of_the_largest(cells):
    written = neurons.cards_json(cells, neurons.unit_cards(unit_facts(cells)))
    assert "<" not in written
    for card in json.loads(written)["cards"]:
        largest = max(map(abs, card["values"]))
        for value, shade in zip(card["values"], card["classes"], strict=True):
            step = int(shade[2]) * {"n": -1, "r": 1, "p": 1}[shade[1]]
            assert abs(step / 4 - value / largest) <= 1 / 8 + 1e-2


def test_cards_are_of_neurons_that_follow_something_more_closely_than_chance(cells):
    features = unit_facts(cells)["features"]
    cards = neurons.following(cells, features)
    assert cards and all(abs(card["r"]) >= card["chance"] for card in cards)
    margins = [round(abs(card["r"]) - card["chance"], 3) for card in cards]
    assert margins == sorted(margins, reverse=True)
    first = cards[0]
    names = {**neurons.FEATURE_NAMES, **neurons.RISING_FEATURES}
    name = next(name for name, phrase in names.items() if first["name"].endswith(phrase))
    r = np.corrcoef(first["values"], text_features(VERSE)[name])[0, 1]
    assert r == pytest.approx(first["r"], abs=0.02) and first["name"].startswith(
        ("High", "Rises") if r > 0 else ("Low", "Falls")
    )


def test_every_feature_has_a_name():
    assert {*neurons.FEATURE_NAMES, *neurons.RISING_FEATURES} == set(text_features(VERSE))


def test_a_long_text_is_cut_in_the_cards(tiny_model):
    cells = read_cells("la la oh " * 100, model=tiny_model)
    data = json.loads(neurons.cards_json(cells, neurons.unit_cards(unit_facts(cells))))
    assert len(data["text"]) == len(data["cards"][0]["classes"]) == 600


def test_a_click_silences_one_more_neuron_up_to_three():
    units = None
    for clicked in ("1.3", "2.10", "2.1", "1.3", "2.7"):
        units = neurons.silence(units, SimpleNamespace(unit=clicked))
    assert units == "2.1=0, 1.3=0, 2.7=0"


def test_the_text_is_continued_untouched_and_with_neurons_held():
    resources = Resources(device="cpu")
    shown = neurons.show_continuations(
        resources, "the tide came in at seven", "any artist", "vanilla-rnn", "1.3 = 1", 7
    )
    untouched, held = re.findall("<pre>(.*?)</pre>", shown, re.DOTALL)
    assert "<h3>With 1.3=1 held</h3>" in shown and untouched != held
    assert neurons.show_continuations(resources, "", "any artist", "vanilla-rnn", None, 7) == ""


def test_invisible_characters_of_the_text_take_nothing_from_the_continuation():
    resources = Resources(device="cpu")
    plain, with_invisible = (
        neurons.show_continuations(resources, text, "any artist", "vanilla-rnn", "1.3=1", 7)
        for text in ("hello world ", "hel\u200blo wor\u00adld ")
    )
    assert plain == with_invisible
