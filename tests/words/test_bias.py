"""Bias in word vectors: association tests and debiasing worked out by hand, and what is published, seen in glove-50."""

import itertools
import math

import numpy as np
import pytest

import lyricgen
from lyricgen import (
    ArgumentError,
    Debiasing,
    VectorSpace,
    analogy,
    gender_lists,
    load_vectors,
    measure_residual_bias,
    two_analogies,
    weat,
    weat_and_debiased,
    weat_tests,
)
from lyricgen.words.bias import ResidualBias

# Associations, worked out by hand: x1 1, x2 0.2, y1 -0.2, y2 -1.
SMALL = {
    "a1": (1, 0), "a2": (3, 0), "b1": (0, 1), "b2": (0, 2), "x1": (5, 0), "x2": (4, 3), "y1": (0.6, 0.8), "y2": (0, 0.5),
}  # fmt: skip
DEVIATION = math.sqrt(2.08 / 3)  # of the four, with n - 1


def space_of(vectors, name="hand-made"):
    return VectorSpace(name, list(vectors), np.array(list(vectors.values()), np.float32))


@pytest.fixture
def small():
    return space_of(SMALL)


@pytest.fixture(scope="module")
def glove():
    return load_vectors("glove-50")


@pytest.fixture(scope="module")
def debiasing(glove):
    return Debiasing(glove)


@pytest.fixture(scope="module")
def published(glove):
    """Results of the ten published tests in glove-50."""
    return {
        name: weat(*sets.targets.values(), *sets.attributes.values(), vectors=glove)
        for name, sets in weat_tests().items()
    }


def random_space(targets, seed):
    """A space of t0, t1, ... and two attribute sets a0..a3 and b0..b3, and the associations of the targets."""
    vectors = np.random.default_rng(seed).normal(size=(targets + 8, 5))
    names = [f"t{number}" for number in range(targets)] + [f"{kind}{number}" for kind in "ab" for number in range(4)]
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    similarity = unit[:targets] @ unit[targets:].T
    return space_of(dict(zip(names, vectors, strict=True))), similarity[:, :4].mean(axis=1) - similarity[:, 4:].mean(
        axis=1
    )


def brute_force(associations, size):
    """The share of all ways to choose the first set in which the means differ at least as much as they do."""

    def difference(chosen):
        rest = [row for row in range(len(associations)) if row not in chosen]
        return associations[list(chosen)].mean() - associations[rest].mean()

    observed = difference(tuple(range(size)))
    ways = [difference(chosen) >= observed - 1e-9 for chosen in itertools.combinations(range(len(associations)), size)]
    return sum(ways) / len(ways)


@pytest.mark.parametrize(
    ("target1", "target2", "effect", "p_value"),
    [
        ("x1 x2", "y1 y2", 1.2 / DEVIATION, 1 / 6),
        ("x1 y1", "x2 y2", 0.8 / DEVIATION, 2 / 6),
        ("x1 y2", "x2 y1", 0, 4 / 6),  # as x2 with y1 has: the same sum counts
        ("y1 y2", "x1 x2", -1.2 / DEVIATION, 1),
    ],
)
def test_effect_size_and_exact_p_value_of_two_and_two_words(target1, target2, effect, p_value, small):
    result = weat(target1, target2, "a1 a2", "b1 b2", small)
    assert result.effect_size == pytest.approx(effect, abs=1e-6) and result.p_value == pytest.approx(p_value)
    assert (result.partitions, result.exact, result.missing) == (6, True, {})
    by_hand = {"x1": 1, "x2": 0.2, "y1": -0.2, "y2": -1}
    assert result.associations == {word: pytest.approx(by_hand[word], abs=1e-6) for word in result.associations}
    assert list(result.associations) == [*target1.split(), *target2.split()]


@pytest.mark.parametrize(("first", "second", "seed"), [(2, 2, 1), (5, 4, 2), (2, 9, 3), (6, 3, 4), (6, 6, 5)])
def test_an_exact_p_value_is_over_every_partition(first, second, seed):
    space, associations = random_space(first + second, seed)
    names = space.index_to_key
    result = weat(names[:first], names[first : first + second], names[-8:-4], names[-4:], space)
    assert result.exact and result.partitions == math.comb(first + second, first)
    assert result.p_value == pytest.approx(brute_force(associations, first))


def test_a_sampled_p_value_is_near_the_exact_one():
    space, associations = random_space(18, 6)
    names = space.index_to_key
    exact = brute_force(associations, 9)
    result = weat(names[:9], names[9:18], names[-8:-4], names[-4:], space, permutations=20_000)
    assert not result.exact and result.partitions == 20_000 and 0.02 < exact < 0.98
    assert result.p_value == pytest.approx(exact, abs=0.02)


@pytest.mark.parametrize("permutations", [1, 100, 25_000])
def test_a_sampled_p_value_is_never_zero_and_repeats_itself_by_seed(permutations):
    rows = {f"x{n}": (1, 0.01 * n) for n in range(12)} | {f"y{n}": (0.01 * n, 1) for n in range(12)}
    space = space_of(rows | {"a1": (1, 0), "a2": (2, 0), "b1": (0, 1), "b2": (0, 2)})
    given = ([f"x{n}" for n in range(12)], [f"y{n}" for n in range(12)], "a1 a2", "b1 b2", space, permutations)
    result = weat(*given, seed=1)
    assert not result.exact and result.partitions == permutations
    assert result.p_value == pytest.approx(1 / (permutations + 1)) and weat(*given, seed=1) == result


def test_another_seed_samples_other_partitions():
    space, _ = random_space(20, 7)
    names = space.index_to_key
    given = (names[:10], names[10:20], names[-8:-4], names[-4:], space, 500)
    first, same, other = (weat(*given, seed=seed).p_value for seed in (1, 1, 2))
    assert first == same != other


def test_unknown_words_are_named_and_left_out(small):
    result = weat("x1 nix x2 X1", "y1 y2", "a1 a2", ["b1", "b2", "Nought"], small)
    assert result.missing == {"target1": ["nix"], "attribute2": ["Nought"]}
    assert result == type(result)(
        **{**vars(weat("x1 x2", "y1 y2", "a1 a2", "b1 b2", small)), "missing": result.missing}
    )
    assert math.isfinite(result.effect_size) and math.isfinite(result.p_value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("x1", "y1 y2", "a1 a2", "b1 b2"), r"^target1 must be 2 to 500 different words, got 1 \('x1'\)$"),
        (("x1 x2", "y1 y2", "a1 a2", ""), "^attribute2 must be 2 to 500 different words, got 0$"),
        ((" ".join(f"x{n}" for n in range(501)), "y1 y2", "a1 a2", "b1 b2"), "^target1 must be 2 to 500 .* got 501$"),
        (
            ("x1 x2", "y1 nix", "a1 a2", "b1 b2"),
            "^target2 needs at least 2 different words that hand-made has; it lacks 'nix'$",
        ),
        (("x1 x2", "x1 y2", "a1 a2", "b1 b2"), "^target1 and target2 must not share a word, got x1 in both$"),
        (("x1 x2", "X2 y2", "a1 a2", "b1 b2"), "^target1 and target2 must not share a word, got x2 in both$"),
        (("x1 x2", "y1 y2", "a1 a2", "a1 a2"), "^the target words are all equally near to both attributes"),
        ((3, "y1 y2", "a1 a2", "b1 b2"), "^target1 must be text"),
    ],
)
def test_sets_that_cannot_be_compared_are_refused(given, message, small):
    with pytest.raises(ArgumentError, match=message):
        weat(*given, small)


@pytest.mark.parametrize(
    ("name", "value"),
    [("permutations", 0), ("permutations", 1_000_001), ("permutations", "many"), ("seed", -1), ("seed", 2**32)],
)
def test_numbers_out_of_range_are_refused(name, value, small):
    with pytest.raises(ArgumentError, match=f"^{name} must be a whole number"):
        weat("x1 x2", "y1 y2", "a1 a2", "b1 b2", small, **{name: value})


@pytest.mark.parametrize(
    ("name", "p_value"),
    [
        ("flowers-insects", 0.01),
        ("instruments-weapons", 0.01),
        ("names-career-family", 0.01),
        ("illness-duration", 0.05),
    ],
)
def test_published_associations_are_strong_in_glove(name, p_value, published):
    assert published[name].effect_size > 0.5 and published[name].p_value < p_value


@pytest.mark.parametrize("name", weat_tests())
def test_every_published_association_has_its_direction_in_glove(name, published):
    result = published[name]
    assert 0 < result.effect_size < 2 and 0 < result.p_value < 0.05
    assert sum(map(len, result.missing.values())) <= 1


def test_debiasing_weakens_the_association_of_gender_with_careers(glove, debiasing, published):
    sets = weat_tests()["science-arts"]
    lists = (*sets.targets.values(), *sets.attributes.values())
    debiased = weat(*lists, debiasing=debiasing)
    assert debiased == weat(*lists, vectors=glove, debiasing=debiasing)
    assert abs(debiased.effect_size) < published["science-arts"].effect_size


def test_weat_on_debiased_vectors_uses_their_space():
    space = space_of({**SMALL, "she": (1, 1), "he": (-1, 1)})
    # Without the direction (1, 0) only the second axis is left, where all words but she and he share a value or are 0:
    # of an association debiasing has left nothing, not even one of rounding.
    result = weat("x2 y1", "y2 b1", "a1 a2", "b1 b2", debiasing=Debiasing(space, [("she", "he")]))
    assert (result.effect_size, result.p_value) == (0, 1)


def test_an_association_that_debiasing_removes_is_zero_despite_rounding(glove):
    sets = ("math algebra geometry numbers", "poetry art dance drama", "he man boy son", "she woman girl daughter")
    before, after = weat_and_debiased(sets, glove)
    assert before.effect_size > 0.5
    assert (after.effect_size, after.p_value) == (0, 1)


def test_attributes_that_are_the_same_words_in_another_order_are_refused(glove):
    with pytest.raises(ArgumentError, match="equally near to both"):
        weat("math algebra geometry", "poetry art dance", "love peace joy happy", "joy love happy peace", glove)


def test_a_space_without_gendered_pairs_is_tested_but_not_debiased():
    before, after = weat_and_debiased(("x1 x2", "y1 y2", "a1 a2", "b1 b2"), space_of(SMALL))
    assert before.effect_size > 0 and after is None


# The direction is (1, 0, 0). mom and dad: their middle (0.3, 0.4, 0.5) loses 0.3, and sqrt(1 - 0.41) is left for it.
HOME = {
    "she": (1, 1, 0), "he": (-2, 2, 0), "nurse": (3, 0, 4), "rock": (0, 0, 7), "actress": (4, 0, 3),
    "mom": (0.6, 0.8, 0), "dad": (0, 0, 2),
}  # fmt: skip


@pytest.fixture
def home():
    return Debiasing(space_of(HOME), [("she", "he"), ("gal", "guy")])


def test_direction_and_projections_worked_out_by_hand(home):
    assert home.direction == pytest.approx([1, 0, 0], abs=1e-6) and home.explained == pytest.approx(1)
    assert home.pairs == [("she", "he")] and home.missing == ["gal", "guy"]
    half = math.sqrt(0.5)
    assert home.projections(["she", "he", "nurse", "rock"]) == pytest.approx([half, -half, 0.6, 0], abs=1e-6)


def test_neutralised_equalised_and_specific_vectors_worked_out_by_hand(home):
    half, rest = math.sqrt(0.5), math.sqrt(0.59)
    expected = {
        "nurse": (0, 0, 1), "rock": (0, 0, 1), "actress": (0.8, 0, 0.6), "mom": (rest, 0.4, 0.5),
        "dad": (-rest, 0.4, 0.5), "she": (half, half, 0), "he": (-half, half, 0),
    }  # fmt: skip
    assert home.vectors(list(expected)) == pytest.approx(np.array(list(expected.values())), abs=1e-6)
    assert [word for word in expected if home.is_neutral(word)] == ["nurse", "rock"]


def test_the_space_stays_as_it_is(home):
    before = home.space.vectors.copy()
    home.vectors(list(HOME))
    assert np.array_equal(home.space.vectors, before)


def test_a_pair_keeps_its_order_where_its_first_word_is_the_more_male():
    swapped = {**HOME, "mom": HOME["dad"], "dad": HOME["mom"]}
    mom, dad = Debiasing(space_of(swapped), [("she", "he")]).vectors(["mom", "dad"])
    assert mom[0] == pytest.approx(-math.sqrt(0.59), abs=1e-6) and dad[0] == pytest.approx(math.sqrt(0.59), abs=1e-6)


def test_the_direction_points_to_the_first_words_of_the_pairs():
    assert Debiasing(space_of(HOME), [("he", "she")]).direction == pytest.approx([-1, 0, 0], abs=1e-6)


@pytest.mark.parametrize("pairs", [None, [], [("gal", "guy")], [("king", "she")]])
def test_a_space_without_the_pairs_cannot_be_debiased(pairs):
    with pytest.raises(ArgumentError, match="^hand-made has none of the pairs that define the gender direction$"):
        Debiasing(space_of({"she": (1, 0), "rock": (0, 1)}), pairs)


def test_the_direction_of_glove_has_length_1_and_points_to_she(debiasing):
    assert np.linalg.norm(debiasing.direction) == pytest.approx(1, abs=1e-6)
    she, he, nurse, boss = debiasing.projections(["she", "he", "nurse", "boss"])
    assert she > 0 > he and nurse > boss
    assert len(debiasing.pairs) == 10 and not debiasing.missing and 0.3 < debiasing.explained < 1


def test_occupations_lose_all_of_the_direction_and_keep_length_1(debiasing, glove):
    words = [word for word in gender_lists().occupations if word in glove and debiasing.is_neutral(word)]
    vectors = debiasing.vectors(words)
    assert len(words) > 200 and np.abs(debiasing.projections(words)).max() > 0.3
    assert np.abs(vectors @ debiasing.direction).max() < 1e-6
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)


def test_words_that_mean_a_gender_stay_as_they_are(debiasing, glove):
    lists = gender_lists()
    equalised = {word for pair in lists.equalize_pairs for word in pair}
    words = [word for word in lists.gender_specific if word in glove and word not in equalised]
    assert len(words) > 100 and np.array_equal(debiasing.vectors(words), glove.unit_vectors(words))


def test_the_words_of_an_equalised_pair_are_equally_far_from_every_neutral_word(debiasing, glove):
    pairs = [pair for pair in gender_lists().equalize_pairs if all(word in glove for word in pair)]
    neutral = debiasing.vectors(["nurse", "doctor", "engineer", "table", "music", "war"])
    first, second = (debiasing.vectors([pair[side] for pair in pairs]) for side in (0, 1))
    assert len(pairs) > 40 and (first @ neutral.T) == pytest.approx(second @ neutral.T, abs=1e-5)
    assert np.linalg.norm(first, axis=1) == pytest.approx(1, abs=1e-5)
    assert (first @ debiasing.direction) == pytest.approx(-(second @ debiasing.direction), abs=1e-5)


def test_two_analogies_list_shared_and_differing_answers(glove):
    found = two_analogies("man", "worker", "woman", 10, glove)
    forward = [word for word, _ in analogy("man", "worker", "woman", 10, glove)]
    backward = [word for word, _ in analogy("woman", "worker", "man", 10, glove)]
    assert (found.x1, found.word, found.y1) == ("man", "worker", "woman")
    assert [answer.word for answer in found.forward if not answer.excluded] == forward
    assert [answer.word for answer in found.backward if not answer.excluded] == backward
    assert "nurse" in found.only_forward and "employee" in found.shared
    assert sorted(found.shared) == sorted(set(forward) & set(backward))
    assert set(found.only_forward) == set(forward) - set(backward)
    assert set(found.only_backward) == set(backward) - set(forward)
    assert len(found.shared) + len(found.only_forward) == len(found.shared) + len(found.only_backward) == 10


@pytest.mark.parametrize(
    ("given", "message"), [(("man", "nixnix", "woman"), "^word 'nixnix'"), (("man", "boss", "woman", 0), "^top_k must")]
)
def test_two_analogies_refuse_bad_arguments(given, message, glove):
    with pytest.raises(ArgumentError, match=message):
        two_analogies(*given, vectors=glove)


def test_residual_bias_separates_the_words_after_debiasing(debiasing):
    left = measure_residual_bias(debiasing)
    assert left.before.shape == left.after.shape == (1000, 50) and len(set(left.words)) == 1000
    projections = debiasing.projections(left.words)
    assert projections[:500].min() > 0 > projections[500:].max() and (np.diff(projections) <= 0).all()
    assert np.abs(left.after @ debiasing.direction).max() < 1e-6
    assert left.accuracy_before >= 0.95 and left.recovered_before >= 0.95
    assert 0.55 < left.accuracy_after < left.accuracy_before
    assert 0.85 < left.recovered_after < left.recovered_before


def test_residual_bias_is_the_same_with_the_same_seed(debiasing):
    first, same = (measure_residual_bias(debiasing, count=50, among=10_000, seed=3) for _ in range(2))
    assert first.words == same.words and len(first.words) == 100 and np.array_equal(first.after, same.after)
    for name in ("accuracy_before", "accuracy_after", "recovered_before", "recovered_after"):
        assert getattr(first, name) == getattr(same, name)


@pytest.mark.parametrize(("name", "value"), [("count", 9), ("count", 2001), ("count", "all"), ("seed", -1)])
def test_residual_bias_refuses_numbers_out_of_range(name, value, home):
    with pytest.raises(ArgumentError, match=f"^{name} must be a whole number"):
        measure_residual_bias(home, **{name: value})


def test_a_space_of_too_few_words_has_nothing_to_cluster(home):
    with pytest.raises(ArgumentError, match="^hand-made has too few words to cluster$"):
        measure_residual_bias(home)


def test_residual_biases_can_be_compared():
    arrays = np.zeros((2, 3)), np.zeros((2, 3))
    first, other = (ResidualBias(["a", "b"], *arrays, 1.0, 0.5, 1.0, 0.5) for _ in range(2))
    assert first == first and first != other  # by identity: elementwise == of the vectors has no truth value


def test_the_earlier_name_of_residual_bias_still_works():
    assert lyricgen.measure_leftover is lyricgen.measure_residual_bias
