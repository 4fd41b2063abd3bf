"""Words on a plane: places worked out by hand, what is refused, and what is handed on as CSV and JSON."""

import csv
import io
import json

import numpy as np
import pytest

from lyricgen import ArgumentError, VectorSpace, WordMap, load_vectors, map_words, project
from lyricgen.words.projection import random_words

# Of length 1: (1, 0), (0, 1) and (-1, 0). Their middle is (0, 1/3), the variances along x and y are 2 : 2/3.
CORNERS = {"east": (2, 0), "north": (0, 5), "west": (-3, 0)}


def space_of(vectors, name="hand-made"):
    return VectorSpace(name, list(vectors), np.array(list(vectors.values()), np.float32))


@pytest.fixture
def plane():
    return space_of(CORNERS)


@pytest.fixture(scope="module")
def glove():
    return load_vectors("glove-50")


def distances(points):
    return np.linalg.norm(points[:, None] - points[None], axis=-1)


def test_pca_coordinates_by_hand(plane):
    found = map_words("east north west", vectors=plane)
    assert found.words == ["east", "north", "west"] and found.space == "hand-made" and found.method == "PCA"
    assert found.explained == pytest.approx((0.75, 0.25))
    x, y = found.coordinates.T
    assert x * np.sign(x[0]) == pytest.approx([1, 0, -1], abs=1e-6)  # an axis may point either way
    assert y * np.sign(y[1]) == pytest.approx([-1 / 3, 2 / 3, -1 / 3], abs=1e-6)


def test_pca_of_two_dimensions_keeps_distances():
    matrix = np.random.default_rng(1).normal(size=(30, 2))
    coordinates, explained = project(matrix)
    assert distances(coordinates) == pytest.approx(distances(matrix)) and sum(explained) == pytest.approx(1)
    assert coordinates.mean(axis=0) == pytest.approx([0, 0], abs=1e-9)


def test_pca_reports_the_explained_variance():
    matrix = np.random.default_rng(2).normal(size=(50, 6)) * [5, 3, 2, 1, 1, 1]
    coordinates, explained = project(matrix)
    total = matrix.var(axis=0).sum()
    assert explained == pytest.approx(coordinates.var(axis=0) / total) and explained[0] > explained[1] > 0.1


@pytest.mark.parametrize("method", ["PCA", "t-SNE"])
@pytest.mark.parametrize("count", range(2, 7))
def test_a_few_words_are_projected_by_either_method(method, count, glove):
    words = ["king", "queen", "man", "woman", "pear", "apple"][:count]
    found = map_words(" ".join(words), method, glove)
    assert found.words == words and found.coordinates.shape == (count, 2) and found.coordinates.dtype == np.float64
    assert np.isfinite(found.coordinates).all() and len({tuple(place) for place in found.coordinates}) == count
    assert found.method == ("t-SNE" if method == "t-SNE" and count >= 4 else "PCA")  # t-SNE needs more than 3
    assert (found.explained is None) == (found.method == "t-SNE")


@pytest.mark.parametrize("method", ["PCA", "t-SNE"])
@pytest.mark.parametrize("dimensions", [1, 2, 3])
@pytest.mark.parametrize("count", [2, 5])
def test_words_of_the_same_vector_break_neither_method(method, dimensions, count):
    same, explained = project(np.ones((count, dimensions)), method)
    assert not same.any() and explained == ((0, 0) if method == "PCA" else None)
    but_one, _ = project(np.array([[1.0] * dimensions] * count + [[-1.0] * dimensions]), method)
    assert np.isfinite(but_one).all() and distances(but_one)[0, -1] > 1
    if method == "PCA":
        assert distances(but_one)[:-1, :-1].max() < 1e-9


def test_t_sne_is_the_same_with_the_same_seed_and_keeps_neighbours_together(glove):
    text = "cat dog horse lion tiger\none two three four five\nparis london berlin rome madrid"
    first, same = (map_words(text, "t-SNE", glove, seed=1) for _ in range(2))
    assert np.array_equal(first.coordinates, same.coordinates) and first.explained is None
    apart = distances(first.coordinates) + np.diag([np.inf] * 15)
    assert [first.groups[near] for near in apart.argmin(axis=1)] == first.groups


def test_no_words_are_twenty_frequent_ones_by_seed(glove):
    first, same, other = (map_words("", vectors=glove, seed=seed) for seed in (3, 3, 4))
    assert first.words == same.words != other.words and len(set(first.words)) == 20
    assert set(first.groups) == {""} and not first.arrows and not first.missing
    assert all(word.isalpha() and glove.frequency_rank(word) <= 40_000 for word in first.words)
    assert map_words(" \n", vectors=glove, seed=3).words == first.words


def test_a_small_space_gives_fewer_random_words(plane):
    assert sorted(random_words(plane, 20, 0)) == ["east", "north", "west"]
    assert sorted(map_words(vectors=plane).words) == ["east", "north", "west"]


@pytest.mark.parametrize("count", [1, 201, 5000])
def test_too_few_or_too_many_words_are_refused(count, glove):
    with pytest.raises(ArgumentError, match=f"^words must be 2 to 200 different words, got {count:,}$"):
        map_words(" ".join([word for word in glove.index_to_key if word.isalpha()][:count]), vectors=glove)


def test_two_hundred_words_are_projected(glove):
    words = [word for word in glove.index_to_key[1000:2000] if word.isalpha()][:200]
    assert map_words(" ".join(words), vectors=glove).words == words


@pytest.mark.parametrize("text", ["king king king", "king, King KING"])
def test_the_same_word_three_times_is_one_word(text, glove):
    with pytest.raises(ArgumentError, match="^words must be 2 to 200 different words, got 1$"):
        map_words(text, vectors=glove)


def test_out_of_vocabulary_words_are_named_and_left_out(glove):
    found = map_words("king qzxqzx > Queen > king, vvvvqqq", vectors=glove)
    assert found.words == ["king", "queen"] and found.missing == ["qzxqzx", "vvvvqqq"]
    assert found.arrows == [(1, 0)]  # from queen to king


@pytest.mark.parametrize(("text", "near"), [("qeen appple", "queen"), ("king qeen", "queen")])
def test_too_few_known_words_are_refused_with_the_nearest_spellings(text, near, glove):
    with pytest.raises(ArgumentError, match=f"^words '.*' is not among the .*; nearest spellings: .*{near}"):
        map_words(text, vectors=glove)


def test_groups_and_arrows_follow_the_known_words(glove):
    found = map_words("royal: KING > queen\nfruit: pear king qzxqzx > apple", vectors=glove)
    assert found.words == ["king", "queen", "pear", "apple"]
    assert found.groups == ["royal", "royal", "fruit", "fruit"] and found.arrows == [(0, 1)]


def test_an_arrow_from_a_word_to_itself_is_not_drawn(glove):
    assert map_words("King > king, queen", vectors=glove).arrows == []


@pytest.mark.parametrize("method", ["pca", " T-SNE "])
def test_the_name_of_a_method_may_be_typed_in_any_case(method, glove):
    assert map_words("east north west south", method, glove).method.lower() == method.strip().lower()


@pytest.mark.parametrize("method", ["umap", "", None, 3])
def test_another_method_is_refused(method, plane):
    with pytest.raises(ArgumentError, match="^method must be one of PCA, t-SNE; got "):
        map_words("east north", method, plane)


@pytest.mark.parametrize("seed", [-1, 2**32, "x", 1.5, None, True])
def test_a_bad_seed_is_refused(seed, plane):
    with pytest.raises(ArgumentError, match="^seed must be "):
        map_words("east north", "PCA", plane, seed)


@pytest.mark.parametrize("words", [5, ["east", "north"]])
def test_words_that_are_no_text_are_refused(words, plane):
    with pytest.raises(ArgumentError, match="^words must be text"):
        map_words(words, vectors=plane)


TRICKY = ["=1+1", "+sum(a1)", "-2", "@cmd", "plain", 'quo"te', "a,b", "$x$", "<b>", "방탄"]


@pytest.fixture
def tricky():
    """A map of words that a spreadsheet, a table or a page might take for something else."""
    coordinates = np.arange(20.0).reshape(10, 2) - 5.5
    return WordMap(TRICKY, coordinates, ["=g", *[""] * 9], [(0, 4)], "PCA", (0.5, 0.25), "hand-made", ["nix"])


def test_csv_parses_back_and_no_cell_is_a_formula(tricky):
    rows = list(csv.DictReader(io.StringIO(tricky.to_csv())))
    assert [row["word"] for row in rows] == ["'=1+1", "'+sum(a1)", "'-2", "'@cmd", *TRICKY[4:]]
    assert rows[0]["group"] == "'=g"
    assert [[float(row["x"]), float(row["y"])] for row in rows] == tricky.coordinates.tolist()


def test_json_parses_back(tricky):
    parsed = json.loads(tricky.to_json())
    assert parsed == tricky.to_dict()
    assert parsed["words"][0] == {"word": "=1+1", "group": "=g", "x": -5.5, "y": -4.5}
    assert parsed["arrows"] == [["=1+1", "plain"]] and parsed["missing"] == ["nix"]
    assert parsed["explained_variance"] == [0.5, 0.25] and "방탄" in tricky.to_json()


def test_json_of_a_t_sne_has_no_variance(glove):
    parsed = json.loads(map_words("king queen pear apple", "t-SNE", glove).to_json())
    assert parsed["explained_variance"] is None and parsed["method"] == "t-SNE" and parsed["space"] == "glove-50"


@pytest.mark.parametrize(
    ("matrix", "method", "named"),
    [
        (np.eye(3), "UMAP", "method"),
        (np.eye(1), "PCA", "matrix"),
        (np.full((3, 2), np.nan), "PCA", "matrix"),
        (np.empty((3, 0)), "PCA", "matrix"),
    ],
)
def test_a_matrix_that_cannot_be_projected_is_refused(matrix, method, named):
    with pytest.raises(ArgumentError, match=f"^{named} must"):
        project(matrix, method)


def test_a_seed_of_t_sne_is_checked():
    with pytest.raises(ArgumentError, match="^seed must be"):
        project(np.eye(5), "t-SNE", seed=-1)


def test_maps_can_be_compared(glove):
    first, other = map_words("king queen man", vectors=glove), map_words("king queen man", vectors=glove)
    assert first == first and first != other  # by identity: elementwise == of coordinates has no truth value
