"""The map of frequent words."""

import numpy as np
import pytest

from lyricgen.words import word_map
from lyricgen.words.sources import load_vectors
from lyricgen.words.space import VectorSpace
from lyricgen.words.word_map import listed_words, make_places, place_word, read_maps, vectors_sha256, word_places

WORDS = ["north", "south", "east", "west", "middle"]


@pytest.fixture
def compass():
    vectors = np.array([[0, 5, 1], [0, -5, 1], [5, 0, 1], [-5, 0, 1], [0.1, 0, 1]], np.float32)
    return VectorSpace("compass", WORDS, vectors)


@pytest.mark.parametrize("name", word_map.SPACES)
def test_stored_maps_are_of_the_vectors_that_come_with_the_project(name):
    space, stored = load_vectors(name), read_maps()[name]
    assert stored.words == listed_words(space) and len(stored.words) == 200
    assert stored.sha256 == vectors_sha256(space, stored.words), "run python -m lyricgen.words.word_map"
    assert word_places(space) is stored


def test_maps_keep_like_words_together():
    stored = read_maps()["glove-50"]
    places = np.array(stored.places["t-SNE"])
    at = {word: places[stored.words.index(word)] for word in ("rain", "snow", "coffee")}
    assert np.linalg.norm(at["rain"] - at["snow"]) < np.linalg.norm(at["rain"] - at["coffee"])


def test_other_vectors_get_a_map_of_their_own(compass):
    shown = make_places(compass, WORDS)
    assert word_places(compass).words == WORDS  # none of them is listed: the space's own frequent words
    assert shown.sha256 != vectors_sha256(compass, WORDS[:4])
    for places in shown.places.values():
        assert np.array(places).min() == 0 and np.array(places).max() == 1000


def test_a_further_word_is_placed_between_its_nearest_words(compass):
    compass.key_to_index["middle again"] = 4
    shown = np.array(word_places(compass).places["PCA"])
    place = place_word(compass, "middle again")["PCA"]
    assert (shown.min(axis=0) <= place).all() and (place <= shown.max(axis=0)).all()
    assert np.linalg.norm(shown[4] - place) == np.linalg.norm(shown - place, axis=1).min()
