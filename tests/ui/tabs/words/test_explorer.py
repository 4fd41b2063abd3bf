"""The answers of the map of Words."""

import pytest

from lyricgen.ui.tabs.words.answers import answers
from lyricgen.ui.tabs.words.explorer import opening, show_distance, show_neighbors, show_space
from lyricgen.ui.tabs.words.map import show_random_words


def test_the_map_opens_with_an_example(spaces):
    opened = opening(spaces)
    assert len(opened["map"]["words"]) == 200 and opened["neighbors"]["word"] == "rain"
    assert [row["word"] for row in opened["neighbors"]["neighbors"]][:2] == ["rains", "torrential"]
    assert 980 < sum(opened["map"]["histogram"]) < 1020
    assert opened["spaces"] == [["glove-50", "Wikipedia and news"], ["lyrics", "these songs"]]


def test_a_word_that_the_map_lacks_gets_a_place(spaces):
    assert show_neighbors(spaces, "glove-50", "Puddle")["place"].keys() == {"PCA", "t-SNE"}
    assert show_neighbors(spaces, "glove-50", "snow")["place"] is None


def test_listed_words_are_left_out_of_neighbors_and_random_words(spaces):
    before = [row["word"] for row in show_neighbors(spaces, "glove-50", "rain")["neighbors"]]
    random = show_random_words(spaces, "glove-50", 3)[0].split(", ")
    spaces.strong_words = frozenset([before[0], random[4]])
    after = [row["word"] for row in show_neighbors(spaces, "glove-50", "Rain")["neighbors"]]
    assert after[:9] == before[1:] and len(after) == 10
    others = show_random_words(spaces, "glove-50", 3)[0].split(", ")
    assert random[4] not in others and len(others) == 20


def test_a_distance_is_put_among_random_pairs(spaces):
    near, far = (show_distance(spaces, "glove-50", "rain", other) for other in ("snow", "shoes"))
    assert near["distance"] < far["distance"]
    assert near["sentence"].startswith("Closer than 9") and near["sentence"].endswith("of 1,000 random pairs of words.")


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [("womann", "I don't know “womann”. Did you mean:"), (" ", "Type a word first."), (None, "Type a word first."),
     (["x"], "Type a word first."), ("two words", "Type one word only."), ("<b>" * 300, "I don't know “" + "<b>" * 13 + "…”.")],
)  # fmt: skip
def test_a_word_that_is_not_known_is_answered_by_a_sentence(spaces, typed, sentence):
    answer = answers(spaces, show_neighbors)({"vectors": "glove-50", "word": typed})
    assert answer["error"] == sentence
    assert ("woman" in answer["suggestions"]) == (typed == "womann")


def test_what_a_script_would_never_send_is_answered_too(spaces):
    for values in (None, {}, [], {"vectors": 5}):
        assert answers(spaces, show_neighbors)(values)["error"]
    assert answers(spaces, show_space)({"vectors": "glove-50", "more": 1})["vectors"] == "glove-50"
