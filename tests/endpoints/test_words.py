"""Endpoints on word vectors, called as functions."""

import json

import pytest

from lyricgen.endpoints import words
from lyricgen.errors import ArgumentError
from lyricgen.resources import Resources


@pytest.fixture(scope="module")
def resources():
    """The bundled models and vector spaces."""
    return Resources(device="cpu")


@pytest.mark.parametrize("endpoint", [words.analogy, words.distance, words.neighbors, words.map, words.bias])
def test_an_endpoint_has_an_example_by_default_and_plain_values(resources, endpoint):
    answer = endpoint(resources)
    assert json.loads(json.dumps(answer)) == answer


def test_vectors_of_none_are_the_first_space(resources):
    assert words.analogy(resources)["space"] == "glove-50" and words.analogy(resources)["answer"] == "queen"
    assert words.analogy(resources, vectors="lyrics", x1="man", x2="boy", y1="woman")["space"] == "lyrics"


def test_the_benchmark_streams_scores_with_their_total_last(resources):
    answers = list(words.analogy_benchmark(resources, candidates=10_000))
    assert [score["category"] for score in answers[-1]] == ["family", "all categories"]
    assert answers[-1][0]["accuracy"] == answers[-1][1]["accuracy"] > 0.5
    with pytest.raises(ArgumentError, match="candidates must be a whole number from 0 to"):
        next(words.analogy_benchmark(resources, candidates=10**9))


def test_a_test_for_bias_needs_only_its_own_words(resources):
    sets = words.published_sets("math-arts")
    answer = words.bias(resources, *sets, vectors="lyrics")
    assert -2 < answer["weat"]["before"]["effect_size"] < 2 and answer["analogies"] is None
    [note] = answer["notes"]
    assert note.startswith("The analogies are left out: word 'worker' is not among the ") and note.endswith(".")
    with_analogies = words.bias(resources, *sets, vectors="lyrics", word="doctor")
    assert with_analogies["notes"] == [] and with_analogies["analogies"]["word"] == "doctor"
    assert with_analogies["weat"] == answer["weat"]


def test_distance_of_a_pair_and_of_a_triple(resources):
    assert words.distance(resources, "guitar", "drums", " ")["percentile"] < 5
    assert words.distance(resources, w3="slow")["antonym_is_nearer"]


def test_neighbors_in_a_second_space(resources):
    assert list(words.neighbors(resources, top_k=3)) == ["first"]
    both = words.neighbors(resources, top_k=3, other="lyrics")
    assert len(both["first"]) == len(both["second"]) == 3
    with pytest.raises(ArgumentError, match="other must be one of glove-50, lyrics"):
        words.neighbors(resources, other="no other")


def test_map_has_coordinates_and_a_picture(resources):
    mapped = words.map(resources, "king > queen, man > woman")
    assert mapped["arrows"] == [["king", "queen"], ["man", "woman"]] and ">queen<" in mapped["svg"]


def test_a_summary_leaves_out_the_figure_and_the_occupations(resources):
    assert "svg" not in words.map(resources, "king queen", detail="summary")
    assert words.debiasing(resources).keys() - words.debiasing(resources, detail="summary").keys() == {"occupations"}


def test_debiasing_is_computed_once_a_space(resources):
    space = resources.space()
    assert words.debias(space) is words.debias(space)
    answer = words.debiasing(resources)
    assert len(answer["occupations"]) > 200 and answer["clusters"]["before"] > 0.9
    assert max(abs(row["after"]) for row in answer["occupations"]) < 1e-5


def test_a_published_test_that_does_not_exist_is_refused():
    with pytest.raises(ArgumentError, match="test 'names'"):
        words.published_sets("names")
