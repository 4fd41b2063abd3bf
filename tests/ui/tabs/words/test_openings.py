"""What the views of Words open with, shipped and computed."""

import json

import numpy as np
import pytest

from lyricgen.ui.tabs.words.openings import read_shipped, shipped_opening
from lyricgen.ui.tabs.words.tab import OPENINGS
from lyricgen.words.space import VectorSpace


def numbers_and_rest(value):
    """The numbers of plain values, and the values without them; a text that holds JSON is read."""
    if isinstance(value, str) and value.startswith("{"):
        value = json.loads(value)
    if isinstance(value, (dict, list, tuple)):
        pairs = [numbers_and_rest(each) for each in (value.values() if isinstance(value, dict) else value)]
        keys = list(value) if isinstance(value, dict) else None
        return [number for numbers, _ in pairs for number in numbers], (keys, [rest for _, rest in pairs])
    return ([value], "number") if type(value) in (int, float) else ([], value)


@pytest.mark.parametrize("compute", OPENINGS, ids=lambda compute: compute.__name__)
def test_shipped_openings_are_what_the_bundled_vectors_give(spaces, compute):
    numbers, rest = numbers_and_rest(json.loads(json.dumps(compute(spaces))))
    shipped_numbers, shipped_rest = numbers_and_rest(read_shipped()[compute.__name__])
    assert rest == shipped_rest, "renew it: python -m docs.page_assets"
    assert numbers == pytest.approx(shipped_numbers, rel=0.02, abs=0.02)  # rounded, and by another processor


def test_shipped_openings_read_no_word_and_no_vector(spaces):
    spaces.space = lambda name=None, argument="vectors": VectorSpace(
        "glove-50", unread, np.full((400_000, 1), np.nan, np.float32), read_shipped()["source"]
    )
    assert all(shipped_opening(spaces, compute) for compute in OPENINGS)
    assert len(spaces.space()) == 400_000


def unread():
    raise AssertionError("the words were read")


def test_openings_of_other_vectors_or_strong_words_are_computed(spaces):
    def name_of_space(resources):
        return resources.space().name

    own = VectorSpace("own", ["rain", "sun"], np.eye(2, dtype=np.float32), "a file")
    load, spaces.space = spaces.space, lambda name=None, argument="vectors": own
    assert shipped_opening(spaces, name_of_space) == "own"
    spaces.space, spaces.strong_words = load, frozenset(["rains"])
    assert shipped_opening(spaces, name_of_space) == "glove-50"
