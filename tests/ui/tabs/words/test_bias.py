"""What the view on bias draws."""

import json

import numpy as np
import pytest

from lyricgen.endpoints.words import DEFAULT_TEST, published_sets
from lyricgen.ui.tabs.words.bias import cluster_facts, occupation_rows, show_own_word, show_weat, weat_facts
from lyricgen.words.bias import permuted_effects, weat
from lyricgen.words.sources import load_vectors


@pytest.mark.parametrize(("name", "ends"), [("glove-50", 12), ("lyrics", 7)])
def test_occupations_are_balanced(name, ends):
    values = [row["value"] for row in occupation_rows(load_vectors(name))["rows"]]
    assert len(values) == 2 * ends + 6 and values == sorted(values, reverse=True)
    assert min(values[:ends]) >= max(values[ends:]) and max(map(abs, values[ends : ends + 6])) < max(values)


def test_an_own_word_is_measured_as_the_occupations(spaces):
    rows = occupation_rows(spaces.space())["rows"]
    assert show_own_word(spaces, "glove-50", rows[0]["word"]) == rows[0]


def test_weat_is_drawn_with_random_groups_and_both_sentences(spaces):
    sets = published_sets(DEFAULT_TEST)
    facts = weat_facts(DEFAULT_TEST, sets, spaces.space())
    assert facts["names"][2:] == ["career", "family"] and sum(facts["histogram"]) == 2_000
    swapped = [*sets[:2], sets[3], sets[2]]
    other = weat_facts(DEFAULT_TEST, swapped, spaces.space())
    assert other["effect"] == -facts["effect"]
    assert other["sentence"].startswith("The other way round: X goes with B, and Y with A")


def test_random_groups_have_no_effect_on_average():
    result = weat("he, him", "she, her", "king, man", "queen, woman", load_vectors())
    effects = permuted_effects(result, 2)
    assert abs(effects.mean()) < 0.1 and effects[-1] == pytest.approx(result.effect_size)


def test_too_few_words_are_answered_in_the_names_of_the_page(spaces):
    spellings, drawing = show_weat(spaces, DEFAULT_TEST, "john", *published_sets(DEFAULT_TEST)[1:], "glove-50")
    assert spellings == "" and json.loads(drawing) == {
        "kind": "problem",
        "error": "Box X must be 2 to 500 different words, got 1 ('john').",
    }


def test_clusters_are_hidden_and_not_gone(spaces):
    facts = cluster_facts(spaces.space())
    assert len(facts["before"]) == len(facts["words"]) == 500 and np.ptp(facts["before"]) == 1_000
    assert facts["clustered"][0] > 0.9 and facts["classified"][1] > 0.7
