"""Analogies, distances and neighbours: worked out by hand in a space of six words, and as gensim has them in GloVe."""

import numpy as np
import pytest
from gensim.models import KeyedVectors

from lyricgen import (
    ArgumentError,
    VectorsError,
    VectorSpace,
    analogy,
    compare_distances,
    compare_neighbors,
    cosine_distance,
    load_vectors,
    map_words,
    measure_distance,
    neighbors,
    solve_analogy,
)
from lyricgen.words.queries import BLOCK_SIZE, Answer, best_rows, words_of

WORDS = ["man", "woman", "king", "queen", "prince", "apple"]
VECTORS = [[1, 0, 0], [0, 1, 0], [0.6, 0, 0.8], [0, 0.6, 0.8], [1.6, 0, 1.2], [0, 0, -1]]  # prince has length 2
QUESTIONS = [
    ("man", "king", "woman"),
    ("france", "paris", "italy"),
    ("good", "better", "bad"),
    ("walk", "walked", "swim"),
    ("the", "of", "zyuganov"),
    ("king", "king", "queen"),
    ("doctor", "hospital", "doctor"),
]


@pytest.fixture(scope="module")
def glove():
    return load_vectors("glove-50")


@pytest.fixture
def six():
    return VectorSpace("six", WORDS, np.array(VECTORS, np.float32))


def scores_of(answers):
    """Words and their scores; excluded words in brackets."""
    return {f"({answer.word})" if answer.excluded else answer.word: answer.similarity for answer in answers}


def test_neighbors_by_hand(six):
    expected = {"prince": 0.96, "queen": 0.64, "man": 0.6, "woman": 0, "apple": -0.8}  # king (0.6, 0, 0.8)
    found = neighbors("King", vectors=six)
    assert words_of(found) == list(expected) and scores_of(found) == pytest.approx(expected, abs=1e-6)
    assert [answer.rank for answer in found] == [5, 4, 1, 2, 6] and not any(answer.excluded for answer in found)
    assert words_of(neighbors("king", 2, six)) == ["prince", "queen"]


@pytest.mark.parametrize(
    ("word1", "word2", "expected"),
    [("king", "queen", 0.36), ("queen", "king", 0.36), ("king", "prince", 0.04), ("man", "woman", 1), ("king", "apple", 1.8),
     ("prince", "prince", 0), ("KING", " queen ", 0.36)],
)  # fmt: skip
def test_distances_by_hand(word1, word2, expected, six):
    assert cosine_distance(word1, word2, six) == pytest.approx(expected, abs=1e-6)
    assert measure_distance(word1, word2, six).distance == cosine_distance(word1, word2, six)


def test_distances_end_at_0_and_2():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(200, 7)).astype(np.float32)
    names = "".join(map(chr, range(0x4E00, 0x4E00 + 200)))
    space = VectorSpace("two sides", [*names, *(2 * name for name in names)], np.concatenate([rows, -rows]))
    for name in names:
        assert 0 <= cosine_distance(name, name, space) < 1e-6
        assert 2 - 1e-6 < cosine_distance(name, 2 * name, space) <= 2


def test_3cosadd_by_hand(six):
    """king - man + woman is (-0.4, 1, 0.8), of length sqrt(1.8)."""
    dots = {"queen": 1.24, "(woman)": 1, "(king)": 0.4, "prince": 0.16, "(man)": -0.4, "apple": -0.8}
    solved = solve_analogy("Man", "king", "woman", 3, six)
    assert (solved.x1, solved.x2, solved.y1, solved.space) == ("man", "king", "woman", "six")
    assert list(scores_of(solved.add)) == list(dots)
    assert scores_of(solved.add) == pytest.approx({word: dot / 1.8**0.5 for word, dot in dots.items()}, abs=1e-6)
    assert solved.answer == "queen" and words_of(solved.add) == ["queen", "prince", "apple"]
    assert analogy("man", "king", "woman", 2, six) == [
        ("queen", pytest.approx(1.24 / 1.8**0.5)),
        ("prince", pytest.approx(0.16 / 1.8**0.5)),
    ]


def test_3cosmul_by_hand(six):
    """(1 + cos(y, king)) (1 + cos(y, woman)) / (1 + cos(y, man)) / 2, for each y."""
    expected = {
        "queen": 1.64 * 1.6 / 1 / 2,
        "(woman)": 1 * 2 / 1 / 2,
        "(king)": 2 * 1 / 1.6 / 2,
        "prince": 1.96 * 1 / 1.8 / 2,
        "(man)": 1.6 * 1 / 2 / 2,
        "apple": 0.2 * 1 / 1 / 2,
    }
    found = scores_of(solve_analogy("man", "king", "woman", 3, six).mul)
    assert list(found) == list(expected) and found == pytest.approx(expected, abs=1e-5)


def test_answers_of_3cosmul_have_a_score_which_is_no_cosine(six):
    solved = solve_analogy("man", "king", "woman", 3, six)
    assert solved.mul[0].score == solved.mul[0].similarity == pytest.approx(1.64 * 1.6 / 1 / 2, abs=1e-5)
    as_dict = solved.to_dict()
    assert [answer["score"] for answer in as_dict["mul"]] == [answer.score for answer in solved.mul]
    assert "score" not in as_dict["add"][0]


@pytest.mark.parametrize("top_k", [1, 2, 3, 100])
def test_top_k_answers_or_all_that_there_are(top_k, six):
    solved = solve_analogy("man", "king", "woman", top_k, six)
    expected = ["queen", "prince", "apple"][:top_k]
    assert words_of(solved.add) == words_of(solved.mul) == expected
    assert [word for word, _ in analogy("man", "king", "woman", top_k, six)] == expected
    assert len(neighbors("king", top_k, six)) == min(top_k, 5)


def test_words_of_the_query_are_ranked_but_excluded(glove):
    solved = solve_analogy("man", "king", "woman", 5, glove)
    assert solved.add[0] == Answer("king", pytest.approx(0.8854, abs=1e-4), 692, excluded=True)
    assert solved.add[1].word == "queen" == solved.answer and not solved.add[1].excluded
    for answers in (solved.add, solved.mul):
        values = [answer.similarity for answer in answers]
        assert values == sorted(values, reverse=True)
        assert {answer.word for answer in answers if answer.excluded} <= {"man", "king", "woman"}
        assert len(words_of(answers)) == 5


def test_man_is_to_king_as_woman_is_to_queen():
    assert analogy("man", "king", "woman")[0][0] == "queen"
    assert cosine_distance("man", "woman") == pytest.approx(0.114, abs=0.001)  # glove-50 is what None means
    assert neighbors("king", 1)[0].word == "prince"


@pytest.mark.filterwarnings("ignore:Call to deprecated `init_sims`:DeprecationWarning")  # gensim calls its own
@pytest.mark.parametrize(("x1", "x2", "y1"), QUESTIONS)
def test_analogies_equal_gensim(x1, x2, y1, glove):
    found = analogy(x1, x2, y1, 10, glove)
    expected = KeyedVectors.most_similar(glove, positive=[x2, y1], negative=[x1], topn=10)
    assert [word for word, _ in found] == [word for word, _ in expected]
    assert [value for _, value in found] == pytest.approx([value for _, value in expected], abs=1e-5)
    solved = solve_analogy(x1, x2, y1, 10, glove)
    assert words_of(solved.add) == [word for word, _ in expected]
    product = KeyedVectors.most_similar_cosmul(glove, positive=[x2, y1], negative=[x1], topn=10)
    assert words_of(solved.mul) == [word for word, _ in product]
    values = [answer.similarity for answer in solved.mul if not answer.excluded]
    assert values == pytest.approx([value for _, value in product], abs=1e-4)


@pytest.mark.parametrize("word", ["king", "the", "beyoncé", "new-york", "zyuganov"])
def test_neighbors_equal_gensim(word, glove):
    found, expected = neighbors(word, 20, glove), KeyedVectors.most_similar(glove, word, topn=20)
    assert words_of(found) == [other for other, _ in expected]
    assert [answer.similarity for answer in found] == pytest.approx([value for _, value in expected], abs=1e-5)
    assert [answer.rank for answer in found] == [glove.key_to_index[other] + 1 for other, _ in expected]


@pytest.mark.parametrize("pair", [("fast", "slow"), ("king", "queen"), ("the", "zyuganov"), ("paris", "banana")])
def test_distances_equal_gensim(pair, glove):
    assert cosine_distance(*pair, glove) == pytest.approx(glove.distance(*pair), abs=1e-6)


@pytest.mark.parametrize("top_k", [0, -1, 10**6, 101, 2.5, "many", float("nan"), float("inf"), None, True, [3]])
@pytest.mark.parametrize(
    "ask",
    [
        lambda space, top_k: analogy("man", "king", "woman", top_k, space),
        lambda space, top_k: solve_analogy("man", "king", "woman", top_k, space),
        lambda space, top_k: neighbors("king", top_k, space),
        lambda space, top_k: compare_neighbors("king", space, space, top_k),
    ],
    ids=["analogy", "solve_analogy", "neighbors", "compare_neighbors"],
)
def test_a_wrong_number_of_answers_is_refused(ask, top_k, six):
    with pytest.raises(ArgumentError, match="^top_k must be a whole number from 1 to 100, got "):
        ask(six, top_k)


@pytest.mark.parametrize(
    ("ask", "name"),
    [
        (lambda space: analogy("zzz", "king", "man", vectors=space), "x1"),
        (lambda space: analogy("man", "zzz", "man", vectors=space), "x2"),
        (lambda space: solve_analogy("man", "king", "zzz", vectors=space), "y1"),
        (lambda space: cosine_distance("zzz", "king", space), "word1"),
        (lambda space: measure_distance("king", "zzz", space), "word2"),
        (lambda space: compare_distances("king", "man", "zzz", space), "antonym"),
        (lambda space: neighbors("zzz", vectors=space), "word"),
    ],
)
def test_an_unknown_word_is_refused_by_the_name_of_its_argument(ask, name, six):
    with pytest.raises(ArgumentError, match=f"^{name} 'zzz' is not among the 6 words of six"):
        ask(six)


def test_vectors_of_another_kind_are_refused():
    with pytest.raises(ArgumentError, match="vectors must be what load_vectors gives"):
        neighbors("king", vectors=KeyedVectors(3))


def test_one_word_three_times_works(six, glove):
    for space, nearest in ((six, "prince"), (glove, "prince")):
        assert cosine_distance("king", "king", space) == pytest.approx(0, abs=1e-6)
        measured = measure_distance("king", "king", space)
        assert measured.percentile == 0 and measured.shared == min(100, len(space) - 1)
        ((word, similarity),) = analogy("king", "king", "king", vectors=space)
        assert word == nearest and similarity == pytest.approx(neighbors("king", 1, space)[0].similarity, abs=1e-6)
        solved = solve_analogy("king", "king", "king", 3, space)
        assert solved.add[0].excluded and solved.add[0].word == "king" and solved.answer == nearest
        assert len(words_of(solved.add)) == len(words_of(solved.mul)) == 3
    comparison = compare_distances("king", "king", "king", six)
    assert not comparison.antonym_is_nearer


def test_a_space_without_other_words_has_no_answer():
    space = VectorSpace("three", WORDS[:3], np.array(VECTORS[:3], np.float32))
    assert analogy("man", "king", "woman", vectors=space) == []
    solved = solve_analogy("man", "king", "woman", vectors=space)
    assert solved.answer is None and len(solved.add) == len(solved.mul) == 3


def test_a_vector_of_zeros_is_near_nothing_and_gives_no_nan():
    space = VectorSpace("zeros", [*WORDS, "zero"], np.array([*VECTORS, [0, 0, 0]], np.float32))
    assert [cosine_distance("zero", word, space) for word in [*WORDS, "zero"]] == [1] * 7
    assert {answer.similarity for answer in neighbors("zero", vectors=space)} == {0}
    assert scores_of(neighbors("king", vectors=space))["zero"] == 0
    assert words_of(neighbors("king", 3, space)) == ["prince", "queen", "man"]
    assert np.isfinite(space.random_distances).all() and 0 <= measure_distance("zero", "king", space).percentile <= 100
    for question in (
        ("zero", "zero", "zero"),
        ("man", "zero", "zero"),
        ("zero", "king", "woman"),
        ("king", "king", "zero"),
    ):
        solved = solve_analogy(*question, 100, space)
        values = [answer.similarity for answer in (*solved.add, *solved.mul)]
        assert len(values) == 14 and np.isfinite(values).all()


def test_a_percentile_by_hand():
    """Of pairs of two different words two thirds have distance 1 and one third 2."""
    space = VectorSpace("three", ["a", "b", "c"], np.array([[1, 0], [0, 1], [-1, 0]], np.float32))
    far, middle, same = (measure_distance("a", other, space) for other in "cba")
    assert far.percentile == pytest.approx(200 / 3, abs=2) and middle.percentile == same.percentile == 0
    assert (far.word1, far.word2, far.distance, far.shared) == ("a", "c", 2, 1)  # b is a neighbour of both
    assert middle.shared == 1 and same.shared == 2


@pytest.mark.parametrize("pair", [("king", "queen"), ("paris", "banana"), ("the", "zyuganov"), ("of", "and")])
def test_a_percentile_grows_with_the_distance(pair, glove):
    measured = measure_distance(*pair, glove)
    distances = glove.random_distances
    assert 0 <= measured.percentile <= 100 and 0 <= measured.shared <= 100
    assert measured.percentile == pytest.approx(100 * np.mean(distances < measured.distance), abs=0.01)
    assert (
        measure_distance("zyuganov", "cupcake", glove).percentile > measure_distance("king", "queen", glove).percentile
    )


def test_the_antonym_is_nearer_to_fast_than_the_synonym(glove):
    comparison = compare_distances("fast", "quick", "slow", glove)
    assert comparison.antonym_is_nearer
    assert comparison.synonym.distance == pytest.approx(0.2411, abs=1e-3) and comparison.synonym.word2 == "quick"
    assert comparison.antonym.distance == pytest.approx(0.1256, abs=1e-3) and comparison.antonym.word2 == "slow"
    assert not compare_distances("fast", "slow", "quick", glove).antonym_is_nearer
    assert not compare_distances("fast", "quick", "banana", glove).antonym_is_nearer


def test_two_spaces_share_neighbours_and_have_their_own(six):
    other = VectorSpace(
        "other", ["king", "queen", "guitar", "man"], np.array([[1, 0], [1, 1], [1, 2], [0, 1]], np.float32)
    )
    overlap = compare_neighbors("King", six, other, 3)
    assert words_of(overlap.first) == ["prince", "queen", "man"] and words_of(overlap.second) == [
        "queen",
        "guitar",
        "man",
    ]
    assert overlap.shared == ["queen", "man"]
    assert overlap.only_in_first == ["prince"] and overlap.only_in_second == ["guitar"]
    with pytest.raises(ArgumentError, match="'guitar' is not among the 6 words of six"):
        compare_neighbors("guitar", six, other)


@pytest.mark.parametrize("kind", ["all different", "many equal", "all equal", "best at the end", "sorted"])
@pytest.mark.parametrize(
    "size",
    [
        1,
        5,
        BLOCK_SIZE - 1,
        BLOCK_SIZE,
        BLOCK_SIZE + 1,
        3 * BLOCK_SIZE,
        20 * BLOCK_SIZE,
        20 * BLOCK_SIZE + 77,
        150 * BLOCK_SIZE + 3,
    ],
)
def test_best_rows_equal_a_full_sort(size, kind):
    rng = np.random.default_rng(size)
    values = {
        "all different": rng.normal(size=size),
        "many equal": rng.integers(0, 5, size),
        "all equal": np.zeros(size),
        "best at the end": np.concatenate([rng.normal(size=size - size // 9), 9 + rng.normal(size=size // 9)]),
        "sorted": np.arange(size),
    }[kind].astype(np.float32)
    for count in (1, 2, 13, 103):
        expected = sorted(range(size), key=lambda row: (-values[row], row))[:count]
        assert best_rows(values, count).tolist() == expected


@pytest.mark.parametrize(
    ("vectors", "note"),
    [
        (np.eye(3), "There is no answer: mini has no word beside those of the question."),
        (np.ones((1, 2)), "There is no answer: mini has no word beside those of the question."),
        (np.ones((5, 2)), "There is no answer: all words of mini are equally near."),
        (np.zeros((4, 2)), "There is no answer: all words of mini are equally near."),
        (np.zeros((6, 2)), "There is no answer: all words of mini are equally near."),
        (np.ones((4, 2)), "There is no answer: all words of mini are equally near."),
        (VECTORS, None),
    ],
)
def test_an_analogy_without_an_answer_says_why(vectors, note):
    words = WORDS[: len(vectors)]
    space = VectorSpace("mini", words, np.array(vectors, np.float32))
    solved = solve_analogy(words[0], words[2 % len(words)], words[1 % len(words)], vectors=space)
    assert solved.note == solved.to_dict()["note"] == note
    assert (solved.answer is None) == (note is not None)
    for shown in (repr(solved), solved._repr_html_()):
        assert "None" not in shown and (note or "is to").removesuffix(".") in shown


def test_a_space_of_one_word_has_no_neighbours_pairs_or_map():
    space = VectorSpace("mini", ["king"], np.ones((1, 2), np.float32))
    assert neighbors("king", vectors=space) == [] and cosine_distance("king", "king", space) < 1e-6
    for call in (lambda: measure_distance("king", "king", space), lambda: map_words("", vectors=space)):
        with pytest.raises((ArgumentError, VectorsError), match="mini has"):
            call()


def test_of_equal_vectors_no_pair_is_nearer():
    space = VectorSpace("mini", WORDS, np.full((6, 3), 0.1, np.float32))
    assert measure_distance("man", "king", space).percentile == 0
