"""Bias in word vectors: the WEAT effect size, hard debiasing, and the bias that remains after it.

WEAT: Caliskan, Bryson and Narayanan (2017). Gender direction and hard debiasing: Bolukbasi et al. (2016). Residual
bias: Gonen and Goldberg (2019). All vectors are scaled to length 1 first, as in these papers. Shapes: D dimensions.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from lyricgen.display import Picture, one_line, percent, side_by_side
from lyricgen.errors import ArgumentError
from lyricgen.validation import MAX_SEED, check_integer, short_repr
from lyricgen.words.lists import check_words, gender_lists
from lyricgen.words.projection import project
from lyricgen.words.queries import Answer, answers_table, solve_analogy, words_of
from lyricgen.words.word_vectors import WordVectors

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WordSet = str | Sequence[str]
"""Words as a list or as a text that `parse_words` reads."""

MAX_EXACT_PARTITIONS = 20_000  # partitions of the target words; above this the p-value is estimated from a sample
MAX_PERMUTATIONS = 1_000_000  # sampled partitions
PERMUTATIONS_PER_BLOCK = 10_000  # sampled partitions per array
MIN_SET_WORDS, MAX_SET_WORDS = 2, 500  # words in a set
MIN_DEVIATION = 1e-6  # standard deviation of the associations; below it they are equal up to rounding
MAX_DRAWN_WORDS = 40  # words of a figure: those at both ends
SUM_TOLERANCE = 1e-9  # rounding error of a sum of associations


@dataclass(frozen=True)
class WeatResult(Picture):
    """The result of a Word Embedding Association Test of target sets X, Y and attribute sets A, B."""

    effect_size: float
    """In standard deviations, -2 to 2 if X and Y have the same size; above 0: X is closer to A, and Y to B."""
    p_value: float
    """One-sided: the share of partitions of the target words into sets of these sizes with at least this association."""
    partitions: int
    """Partitions that were evaluated."""
    exact: bool
    """True if these are all partitions, False if they are a random sample."""
    associations: dict[str, float]
    """s(w) of each target word: its mean cosine similarity to A minus that to B."""
    missing: dict[str, list[str]]
    """Out-of-vocabulary words of each set; they were left out."""

    def __repr__(self) -> str:
        return one_line(
            self, f"effect size {self.effect_size:.2f}", f"p = {self.p_value:.2g}", f"{len(self.associations)} words"
        )

    def draw(self) -> "Figure":
        """The association of each target word with A and B."""
        values = np.array(list(self.associations.values()))
        title = f"effect size {self.effect_size:.2f}, p = {self.p_value:.2g}"
        return _draw_words(list(self.associations), values, None, ("nearer to B", "nearer to A"), title)


@dataclass(frozen=True)
class TwoAnalogies:
    """x1 : word :: y1 : ? beside y1 : word :: x1 : ?."""

    x1: str
    word: str
    y1: str
    forward: list[Answer]
    """Answers to x1 : word :: y1 : ?"""
    backward: list[Answer]
    """Answers to y1 : word :: x1 : ?"""
    shared: list[str]
    only_forward: list[str]
    only_backward: list[str]

    def __repr__(self) -> str:
        return one_line(
            self, f"{self.x1} : {self.word} :: {self.y1} : ? and back", f"{len(self.shared)} answers in both"
        )

    def _repr_html_(self) -> str:
        """The answers of both analogies as tables."""
        return side_by_side(
            answers_table(f"{self.x1} : {self.word} :: {self.y1} : ?", self.forward),
            answers_table(f"{self.y1} : {self.word} :: {self.x1} : ?", self.backward),
        )


@dataclass(frozen=True, eq=False)
class ResidualBias(Picture):
    """How well k-means and a classifier separate the most biased words before and after debiasing."""

    words: list[str]
    """The most female words, then as many of the most male."""
    before: np.ndarray
    """Their unit vectors: float32 (words, D)."""
    after: np.ndarray
    """Their debiased unit vectors: float32 (words, D)."""
    accuracy_before: float
    """Share of the words in the cluster of their gender, with k-means (k = 2); 0.5 is chance."""
    accuracy_after: float
    recovered_before: float
    """Accuracy of a support vector machine (RBF kernel, 5-fold cross-validation) on their gender; 0.5 is chance."""
    recovered_after: float

    def __repr__(self) -> str:
        accuracies = f"clusters {percent(self.accuracy_before)} before debiasing, {percent(self.accuracy_after)} after"
        return one_line(self, f"{len(self.words)} words", accuracies)

    def draw(self) -> "Figure":
        """The words on the plane of their first two principal components, before and after debiasing."""
        from lyricgen.plotting import draw_clusters  # matplotlib is slow to import

        half = len(self.words) // 2
        panels = [
            (f"before: {percent(self.accuracy_before)} in the right cluster", project(self.before)[0]),
            (f"after: {percent(self.accuracy_after)}", project(self.after)[0]),
        ]
        return draw_clusters(panels, ["most female"] * half + ["most male"] * half)


class Debiasing(Picture):
    """Hard debiasing of a space, 'neutralize and equalize' (Bolukbasi et al. 2016).

    The gender direction g is the first principal component of the pairs' differences from their means. Neutralize:
    w - (w . g) g, scaled to length 1. Equalize: both words of a pair have the same component orthogonal to g, and
    opposite components along g. Vectors are computed on request; the space itself is not changed.

    Args:
        space: the vectors.
        pairs: (female, male) pairs that define the direction; None: the ten published ones.

    Raises:
        ArgumentError: the space has none of the pairs, or the words of each pair have the same vector.
    """

    def __init__(self, space: WordVectors, pairs: Sequence[tuple[str, str]] | None = None):
        lists = gender_lists()
        self.space = space
        self.pairs, self.missing = _known_pairs(space, lists.definitional_pairs if pairs is None else pairs)
        if not self.pairs:
            raise ArgumentError(f"{space.name} has none of the pairs that define the gender direction")
        self.direction, self.explained = self._find_direction()  # (D,), and its share of the variance
        self._specific = {*lists.gender_specific, *(word for pair in pairs or () for word in pair)}
        self._equalized = self._equalize(_known_pairs(space, lists.equalize_pairs)[0])

    def __repr__(self) -> str:
        return one_line(
            self, self.space.name, f"direction of {len(self.pairs)} pairs, {percent(self.explained)} of their variance"
        )

    def draw(self) -> "Figure":
        """The projections of occupations onto the gender direction, before and after debiasing."""
        words = self.occupations()
        after = self.vectors(words) @ self.direction
        return _draw_words(words, self.projections(words), after, ("male", "female"), self.space.name)

    def occupations(self) -> list[str]:
        """The published occupations that the space has and that mean no gender."""
        return [word for word in self.space.known(gender_lists().occupations)[0] if self.is_neutral(word)]

    def projections(self, words: Iterable[str]) -> np.ndarray:
        """The cosine similarity of words and the gender direction, above 0 female, below 0 male: float32 (words,)."""
        return self.space.unit_vectors(words) @ self.direction

    def vectors(self, words: Sequence[str]) -> np.ndarray:
        """Debiased unit vectors: float32 (words, D). Gender-specific words are equalized or unchanged, others neutralized."""
        vectors = self.space.unit_vectors(words)
        neutral = [word not in self._specific for word in words]
        vectors[neutral] = self._neutralize(vectors[neutral])
        for row, word in enumerate(words):
            if word in self._equalized:
                vectors[row] = self._equalized[word]
        return vectors

    def is_neutral(self, word: str) -> bool:
        """Whether debiasing removes the gender direction from a word."""
        return word not in self._specific and word not in self._equalized

    def _find_direction(self) -> tuple[np.ndarray, float]:
        """The gender direction, float32 (D,), pointing to female, and its share of the variance."""
        pair_vectors = [self.space.unit_vectors(pair) for pair in self.pairs]  # (2, D) each
        differences = np.concatenate([pair - pair.mean(axis=0) for pair in pair_vectors]).astype(np.float64)
        _, singular_values, components = np.linalg.svd(differences, full_matrices=False)
        variances = singular_values**2
        if not variances.sum():
            raise ArgumentError("the words of each pair have the same vector, so there is no direction")
        direction = components[0]
        female = sum(pair[0] - pair[1] for pair in pair_vectors)
        if direction @ female < 0:
            direction = -direction
        return direction.astype(np.float32), float(variances[0] / variances.sum())

    def _neutralize(self, vectors: np.ndarray) -> np.ndarray:
        orthogonal = vectors - np.outer(vectors @ self.direction, self.direction)  # (words, D)
        return orthogonal / np.maximum(np.linalg.norm(orthogonal, axis=-1, keepdims=True), 1e-12)

    def _equalize(self, pairs: Sequence[tuple[str, str]]) -> dict[str, np.ndarray]:
        """The equalized vector (D,) of each word of the pairs."""
        equalized = {}
        for pair in pairs:
            first, second = self.space.unit_vectors(pair)
            mean = (first + second) / 2
            mean -= (mean @ self.direction) * self.direction
            offset = math.sqrt(max(0.0, 1 - float(mean @ mean)))
            if (first - second) @ self.direction < 0:
                offset = -offset
            equalized[pair[0]] = mean + offset * self.direction
            equalized[pair[1]] = mean - offset * self.direction
        return equalized


def weat(
    target1: WordSet,
    target2: WordSet,
    attribute1: WordSet,
    attribute2: WordSet,
    space: WordVectors,
    permutations: int = 10_000,
    seed: int = 0,
    debiasing: Debiasing | None = None,
) -> WeatResult:
    """The Word Embedding Association Test on a space, or on its debiased vectors; see `lyricgen.weat`."""
    permutations = check_integer("permutations", permutations, 1, MAX_PERMUTATIONS)
    seed = check_integer("seed", seed, 0, MAX_SEED)
    sets, missing = _weat_sets(space, target1, target2, attribute1, attribute2)
    unit_vectors = debiasing.vectors if debiasing else space.unit_vectors
    associations = _associations(sets, unit_vectors)
    size = len(sets["target1"])
    deviation = associations.std(ddof=1)
    if deviation < MIN_DEVIATION:
        if not debiasing:
            raise ArgumentError(
                "the target words are all equally near to both attributes, so there is nothing to compare"
            )
        associations, deviation = np.zeros_like(associations), 1.0  # debiasing removed every difference
    effect_size = (associations[:size].mean() - associations[size:].mean()) / deviation
    p_value, partitions, exact = _p_value(associations, size, permutations, seed)
    by_word = dict(zip(sets["target1"] + sets["target2"], associations.tolist(), strict=True))
    return WeatResult(float(effect_size), p_value, partitions, exact, by_word, missing)


def permuted_effects(result: WeatResult, size: int, count: int = 2_000, seed: int = 0) -> np.ndarray:
    """Effect sizes of random partitions of a test's target words, in order: float64 (count,).

    Args:
        result: of the test.
        size: number of words of X, the first of `result.associations`.
        count: partitions.
        seed: of the partitions.
    """
    associations = np.array(list(result.associations.values()))
    shuffled = np.random.default_rng(seed).permuted(np.tile(associations, (count, 1)), axis=1)  # (count, words)
    differences = shuffled[:, :size].mean(axis=1) - shuffled[:, size:].mean(axis=1)
    return np.sort(differences / (associations.std(ddof=1) or 1.0))


def weat_and_debiased(sets: Sequence[WordSet], space: WordVectors) -> tuple[WeatResult, WeatResult | None]:
    """`weat` of X, Y, A, B on a space and on its debiased vectors; see `lyricgen.weat_and_debiased`."""
    target1, target2, attribute1, attribute2 = sets
    before = weat(target1, target2, attribute1, attribute2, space)
    try:
        debiasing = Debiasing(space)
    except ArgumentError:
        return before, None
    return before, weat(target1, target2, attribute1, attribute2, space, debiasing=debiasing)


def two_analogies(x1: str, word: str, y1: str, top_k: int, space: WordVectors) -> TwoAnalogies:
    """x1 : word :: y1 : ? beside y1 : word :: x1 : ?, by 3CosAdd, and the answers that differ.

    Raises:
        ArgumentError: a word is unknown, or top_k is not from 1 to 100.
    """
    word = space.find(word, "word")
    forward = solve_analogy(x1, word, y1, top_k, space)
    backward = solve_analogy(y1, word, x1, top_k, space)
    forward_words, backward_words = words_of(forward.add), words_of(backward.add)
    return TwoAnalogies(
        forward.x1,
        forward.x2,
        forward.y1,
        forward.add,
        backward.add,
        shared=[answer for answer in forward_words if answer in backward_words],
        only_forward=[answer for answer in forward_words if answer not in backward_words],
        only_backward=[answer for answer in backward_words if answer not in forward_words],
    )


def measure_residual_bias(debiasing: Debiasing, count: int = 500, among: int = 50_000, seed: int = 0) -> ResidualBias:
    """Clusters and classifies the most biased words before and after debiasing (Gonen and Goldberg 2019).

    Args:
        debiasing: of the space.
        count: words of each gender, 10 to 2,000; fewer if the space has fewer.
        among: most frequent words to choose from.
        seed: of k-means and of the cross-validation folds, 0 to 4,294,967,295.

    Raises:
        ArgumentError: an argument is out of range, or the space has fewer than four neutral words.
    """
    space = debiasing.space
    count = check_integer("count", count, 10, 2_000)
    seed = check_integer("seed", seed, 0, MAX_SEED)
    words = [word for word in space.index_to_key[:among] if word.isalpha() and debiasing.is_neutral(word)]
    count = min(count, len(words) // 2)
    if count < 2:
        raise ArgumentError(f"{space.name} has too few words to cluster")
    order = np.argsort(-debiasing.projections(words), kind="stable")
    most_biased = [words[row] for row in (*order[:count], *order[len(order) - count :])]
    female = np.arange(2 * count) < count
    before, after = space.unit_vectors(most_biased), debiasing.vectors(most_biased)
    return ResidualBias(
        most_biased,
        before,
        after,
        _cluster_accuracy(before, female, seed),
        _cluster_accuracy(after, female, seed),
        _classifier_accuracy(before, female, seed),
        _classifier_accuracy(after, female, seed),
    )


measure_leftover = measure_residual_bias  # earlier name


def _weat_sets(
    space: WordVectors, target1: WordSet, target2: WordSet, attribute1: WordSet, attribute2: WordSet
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """The known words of each set by the argument's name, and the out-of-vocabulary words of the sets that have some.

    Raises:
        ArgumentError: a set has too few or too many words, or X and Y share a word.
    """
    arguments = {"target1": target1, "target2": target2, "attribute1": attribute1, "attribute2": attribute2}
    sets, missing = {}, {}
    for name, words in arguments.items():
        sets[name], missing[name] = space.known(check_words(words, name, MIN_SET_WORDS, MAX_SET_WORDS, space.is_word))
        if len(sets[name]) < MIN_SET_WORDS:
            lacking = f"; it lacks {', '.join(map(short_repr, missing[name][:5]))}" if missing[name] else ""
            raise ArgumentError(f"{name} needs at least {MIN_SET_WORDS} different words that {space.name} has{lacking}")
    in_both = sorted(set(sets["target1"]) & set(sets["target2"]))
    if in_both:
        raise ArgumentError(f"target1 and target2 must not share a word, got {', '.join(in_both[:10])} in both")
    return sets, {name: words for name, words in missing.items() if words}


def _associations(sets: dict[str, list[str]], unit_vectors: Callable[[Sequence[str]], np.ndarray]) -> np.ndarray:
    """s(w) of each word of X, then of Y: float64 (words,)."""
    targets = unit_vectors(sets["target1"] + sets["target2"]).astype(np.float64)  # (words, D)
    to_a, to_b = (targets @ unit_vectors(sets[name]).T for name in ("attribute1", "attribute2"))
    return to_a.mean(axis=1) - to_b.mean(axis=1)


def _p_value(associations: np.ndarray, size: int, permutations: int, seed: int) -> tuple[float, int, bool]:
    """The share of partitions in which the first set has at least the sum of the first `size` associations.

    In a sample the observed partition counts too, so that the p-value is never 0 (Phipson and Smyth 2010).

    Returns:
        The p-value, the number of partitions that were evaluated, and whether these are all.
    """
    words = len(associations)
    partitions = math.comb(words, size)
    observed = associations[:size].sum() - SUM_TOLERANCE
    if partitions <= MAX_EXACT_PARTITIONS:
        rows = np.array(list(combinations(range(words), size)))  # (partitions, size)
        sums = associations[rows].sum(axis=1)
        return float((sums >= observed).mean()), partitions, True
    rng = np.random.default_rng(seed)
    unshuffled = np.tile(associations, (min(permutations, PERMUTATIONS_PER_BLOCK), 1))
    at_least_observed = evaluated = 0
    while evaluated < permutations:
        block = rng.permuted(unshuffled[: permutations - evaluated], axis=1)
        at_least_observed += int((block[:, :size].sum(axis=1) >= observed).sum())
        evaluated += len(block)
    return (at_least_observed + 1) / (evaluated + 1), evaluated, False


def _cluster_accuracy(vectors: np.ndarray, female: np.ndarray, seed: int) -> float:
    from sklearn.cluster import KMeans  # scikit-learn is slow to import

    clusters = KMeans(2, n_init=10, random_state=seed).fit_predict(vectors)
    agreement = float((clusters == female).mean())
    return max(agreement, 1 - agreement)


def _classifier_accuracy(vectors: np.ndarray, female: np.ndarray, seed: int) -> float:
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    from sklearn.svm import SVC

    folds = StratifiedKFold(min(5, len(vectors) // 2), shuffle=True, random_state=seed)
    return float(cross_val_score(SVC(), vectors, female, cv=folds).mean())


def _draw_words(
    words: Sequence[str], values: np.ndarray, after: np.ndarray | None, ends: tuple[str, str], title: str
) -> "Figure":
    """Words by their values, see `draw_projections`; of many words those at both ends."""
    from lyricgen.plotting import draw_projections  # matplotlib is slow to import

    order = np.argsort(values)
    if len(order) > MAX_DRAWN_WORDS:
        order = np.concatenate([order[: MAX_DRAWN_WORDS // 2], order[-MAX_DRAWN_WORDS // 2 :]])
    shown = [words[row] for row in order]
    return draw_projections(shown, values[order], None if after is None else after[order], ends, title)


def _known_pairs(space: WordVectors, pairs: Iterable[tuple[str, str]]) -> tuple[list[tuple[str, str]], list[str]]:
    """The pairs of which a space has both words, and the words that it lacks."""
    known = [pair for pair in pairs if all(word in space.key_to_index for word in pair)]
    missing = [word for pair in pairs for word in pair if word not in space.key_to_index]
    return known, missing
