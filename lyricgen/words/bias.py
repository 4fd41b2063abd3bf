"""Bias in word vectors: how it is measured, and what removing it leaves behind.

WEAT: Caliskan, Bryson and Narayanan (2017). Gender direction and hard debiasing: Bolukbasi et al. (2016). What stays:
Gonen and Goldberg (2019). Shapes: D dimensions; all vectors are brought to length 1 first, as in these papers.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from lyricgen.errors import ArgumentError
from lyricgen.validation import check_integer, short_repr
from lyricgen.words.lists import check_words, gender_lists
from lyricgen.words.queries import Answer, solve_analogy, words_of
from lyricgen.words.sources import as_space
from lyricgen.words.space import VectorSpace

EXACT_UP_TO = 20_000  # partitions of the target words: so many are counted, of more a sample is drawn
MOST_WORDS = 500  # in a set
FEWEST_WORDS = 2
ROUNDING = 1e-6  # associations that differ by less are equal


@dataclass(frozen=True)
class WeatResult:
    """What a Word Embedding Association Test says."""

    effect_size: float
    """In standard deviations, -2 to 2 for X and Y of one size: above 0, X goes with A and Y with B."""
    p_value: float
    """Share of the ways to part the target words into two sets of the same sizes that show at least this association."""
    partitions: int
    """How many ways were looked at."""
    exact: bool
    """Whether these are all there are."""
    associations: dict[str, float]
    """Of each target word: its mean similarity to A minus that to B."""
    missing: dict[str, list[str]]
    """Words of each set that the space lacks; they were left out."""


@dataclass(frozen=True)
class TwoAnalogies:
    """x1 : word :: y1 : ? beside y1 : word :: x1 : ?."""

    x1: str
    word: str
    y1: str
    forward: list[Answer]
    """x1 : word :: y1 : ?"""
    backward: list[Answer]
    """y1 : word :: x1 : ?"""
    shared: list[str]
    only_forward: list[str]
    only_backward: list[str]


@dataclass(frozen=True)
class Leftover:
    """How well two clusters of k-means tell the words most biased one way from those most biased the other."""

    words: list[str]
    """The most female, then the most male, half each."""
    before: np.ndarray
    """Their vectors of length 1, (words, D)."""
    after: np.ndarray
    """The same after debiasing."""
    accuracy_before: float
    """Share of the words in the cluster of their kind; 0.5 is chance."""
    accuracy_after: float
    recovered_before: float
    """Share of the words whose kind a support vector machine (RBF kernel, 5-fold cross-validation) tells rightly."""
    recovered_after: float


class Debiasing:
    """The gender direction of a space, and its vectors without it: hard debiasing, 'neutralize and equalize'.

    Only the vectors that are asked for are computed; the space stays as it is.

    Args:
        space: the vectors.
        pairs: (female, male) pairs that define the direction; None: the ten published ones.

    Raises:
        ArgumentError: the space has none of the pairs, or they do not differ.
    """

    def __init__(self, space: VectorSpace, pairs: Sequence[tuple[str, str]] | None = None):
        lists = gender_lists()
        self.space = space
        self.pairs, self.missing = _known_pairs(space, pairs or lists.definitional_pairs)
        if not self.pairs:
            raise ArgumentError(f"{space.name} has none of the pairs that define the gender direction")
        self.direction, self.explained = self._find_direction()
        self._specific = {*lists.gender_specific, *(word for pair in pairs or () for word in pair)}
        self._equalized = self._equalize(_known_pairs(space, lists.equalize_pairs)[0])

    def projections(self, words: Iterable[str]) -> np.ndarray:
        """The cosine of each word's vector and the gender direction: above 0 female, below 0 male, (words,)."""
        return self.space.unit_vectors(words) @ self.direction

    def vectors(self, words: Sequence[str]) -> np.ndarray:
        """Debiased vectors of length 1, (words, D): without the direction, but for words that mean a gender."""
        vectors = self.space.unit_vectors(words)
        neutral = [word not in self._specific for word in words]
        vectors[neutral] = self._neutralize(vectors[neutral])
        for row, word in enumerate(words):
            if word in self._equalized:
                vectors[row] = self._equalized[word]
        return vectors

    def is_neutral(self, word: str) -> bool:
        """Whether debiasing takes the direction out of a word."""
        return word not in self._specific and word not in self._equalized

    def _find_direction(self) -> tuple[np.ndarray, float]:
        """First principal component of the pairs' differences from their middles, and its share of the variance."""
        halves = [self.space.unit_vectors(pair) for pair in self.pairs]
        differences = np.concatenate([half - half.mean(axis=0) for half in halves]).astype(np.float64)
        _, lengths, axes = np.linalg.svd(differences, full_matrices=False)
        female = sum(half[0] - half[1] for half in halves)
        direction = axes[0] * (1 if axes[0] @ female >= 0 else -1)
        variance = lengths**2
        if not variance.sum():
            raise ArgumentError("the words of each pair have the same vector, so there is no direction")
        return direction.astype(np.float32), float(variance[0] / variance.sum())

    def _neutralize(self, vectors: np.ndarray) -> np.ndarray:
        rest = vectors - np.outer(vectors @ self.direction, self.direction)
        return rest / np.maximum(np.linalg.norm(rest, axis=-1, keepdims=True), 1e-12)

    def _equalize(self, pairs: Sequence[tuple[str, str]]) -> dict[str, np.ndarray]:
        equalized = {}
        for pair in pairs:
            first, second = self.space.unit_vectors(pair)
            middle = (first + second) / 2
            middle -= (middle @ self.direction) * self.direction
            rest = math.sqrt(max(0.0, 1 - float(middle @ middle)))
            if (first - second) @ self.direction < 0:
                rest = -rest
            equalized[pair[0]] = middle + rest * self.direction
            equalized[pair[1]] = middle - rest * self.direction
        return equalized


def weat(
    target1: str | Sequence[str],
    target2: str | Sequence[str],
    attribute1: str | Sequence[str],
    attribute2: str | Sequence[str],
    vectors: VectorSpace | None = None,
    permutations: int = 10_000,
    seed: int = 0,
    debiasing: Debiasing | None = None,
) -> WeatResult:
    """The Word Embedding Association Test: do target words X go with attributes A, and Y with B?

    s(w) = mean cos(w, a) - mean cos(w, b); the effect size is (mean s(x) - mean s(y)) / standard deviation of s over
    X and Y; the one-sided p-value is over the ways to part X and Y anew into sets of their sizes.

    Args:
        target1, target2: X and Y, 2 to 500 words each, as a list or a text.
        attribute1, attribute2: A and B, likewise.
        vectors: the space; None: glove-50, or the space that `debiasing` is of.
        permutations: of more than 20,000 partitions, how many are drawn, 1 to 1,000,000.
        seed: of what is drawn.
        debiasing: take the vectors from it, and from its space.

    Raises:
        ArgumentError: a set has too few words or too many, or the space has fewer than two of them, or X and Y are
            the same to A and B.
    """
    space = debiasing.space if debiasing else as_space(vectors)
    permutations = check_integer("permutations", permutations, 1, 1_000_000)
    seed = check_integer("seed", seed, 0, 2**32 - 1)
    given = {"target1": target1, "target2": target2, "attribute1": attribute1, "attribute2": attribute2}
    sets, missing = {}, {}
    for name, words in given.items():
        sets[name], missing[name] = space.known(check_words(words, name, FEWEST_WORDS, MOST_WORDS))
        if len(sets[name]) < FEWEST_WORDS:
            lacking = f"; it lacks {', '.join(map(short_repr, missing[name][:5]))}" if missing[name] else ""
            raise ArgumentError(f"{name} needs at least {FEWEST_WORDS} different words that {space.name} has{lacking}")
    both = set(sets["target1"]) & set(sets["target2"])
    if both:
        raise ArgumentError(f"a word cannot stand in target1 and in target2: {', '.join(sorted(both)[:10])}")
    unit = debiasing.vectors if debiasing else space.unit_vectors
    targets = [*sets["target1"], *sets["target2"]]
    x = unit(targets).astype(np.float64)
    similarity = [x @ unit(sets[name]).T for name in ("attribute1", "attribute2")]  # (targets, attributes)
    associations = similarity[0].mean(axis=1) - similarity[1].mean(axis=1)
    size = len(sets["target1"])
    deviation = associations.std(ddof=1)
    if deviation < ROUNDING:
        if not debiasing:
            raise ArgumentError(
                "the target words are all equally near to both attributes, so there is nothing to compare"
            )
        associations = np.zeros_like(associations)  # debiasing took all of it
        deviation = 1
    effect = (associations[:size].mean() - associations[size:].mean()) / deviation
    p_value, partitions, exact = _p_value(associations, size, permutations, seed)
    return WeatResult(
        float(effect), p_value, partitions, exact, dict(zip(targets, associations.tolist(), strict=True)),
        {name: words for name, words in missing.items() if words},
    )  # fmt: skip


def weat_and_debiased(
    sets: Sequence[str | Sequence[str]], vectors: VectorSpace | None = None
) -> tuple[WeatResult, WeatResult | None]:
    """`weat` of four sets X, Y, A, B as the vectors are, and after hard debiasing for gender.

    The second is None in a space that has none of the pairs which define the gender direction.

    Raises:
        ArgumentError: as `weat`.
    """
    space = as_space(vectors)
    before = weat(*sets, space)
    try:
        debiasing = Debiasing(space)
    except ArgumentError:
        return before, None
    return before, weat(*sets, space, debiasing=debiasing)


def two_analogies(
    x1: str = "man", word: str = "worker", y1: str = "woman", top_k: int = 5, vectors: VectorSpace | None = None
) -> TwoAnalogies:
    """x1 : word :: y1 : ? beside y1 : word :: x1 : ?, and in what they differ.

    Raises:
        ArgumentError: a word is unknown, or top_k not from 1 to 100.
    """
    space = as_space(vectors)
    word = space.find(word, "word")
    there = solve_analogy(x1, word, y1, top_k, space)
    back = solve_analogy(y1, word, x1, top_k, space)
    forward, backward = words_of(there.add), words_of(back.add)
    return TwoAnalogies(
        there.x1, there.x2, there.y1, there.add, back.add,
        shared=[word for word in forward if word in backward],
        only_forward=[word for word in forward if word not in backward],
        only_backward=[word for word in backward if word not in forward],
    )  # fmt: skip


def measure_leftover(debiasing: Debiasing, count: int = 500, among: int = 50_000, seed: int = 0) -> Leftover:
    """Clusters and classifies the most biased words before and after debiasing, as Gonen and Goldberg (2019) do.

    Args:
        debiasing: of the space.
        count: words of either kind, 10 to 2,000; fewer where the space has fewer.
        among: so many of the most frequent words.
        seed: of k-means.
    """
    from sklearn.cluster import KMeans
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    from sklearn.svm import SVC

    space = debiasing.space
    count = check_integer("count", count, 10, 2_000)
    seed = check_integer("seed", seed, 0, 2**32 - 1)
    words = [word for word in space.index_to_key[:among] if word.isalpha() and debiasing.is_neutral(word)]
    count = min(count, len(words) // 2)
    if count < 2:
        raise ArgumentError(f"{space.name} has too few words to cluster")
    order = np.argsort(-debiasing.projections(words), kind="stable")
    chosen = [words[row] for row in (*order[:count], *order[len(order) - count :])]
    female = np.arange(2 * count) < count

    def accuracy(vectors: np.ndarray) -> float:
        clusters = KMeans(2, n_init=10, random_state=seed).fit_predict(vectors)
        agreeing = float((clusters == female).mean())
        return max(agreeing, 1 - agreeing)

    def recovered(vectors: np.ndarray) -> float:
        folds = StratifiedKFold(min(5, count), shuffle=True, random_state=seed)
        return float(cross_val_score(SVC(), vectors, female, cv=folds).mean())

    before, after = space.unit_vectors(chosen), debiasing.vectors(chosen)
    return Leftover(chosen, before, after, accuracy(before), accuracy(after), recovered(before), recovered(after))


def _p_value(associations: np.ndarray, size: int, permutations: int, seed: int) -> tuple[float, int, bool]:
    """The share of partitions whose first set has at least the sum that the first `size` have; how many; whether all.

    Of drawn ones, the partition at hand counts too, so that the share is never 0 (Phipson and Smyth 2010).
    """
    words = len(associations)
    partitions = math.comb(words, size)
    observed = associations[:size].sum() - 1e-9  # sums in another order differ in their last digits
    if partitions <= EXACT_UP_TO:
        chosen = np.fromiter((row for rows in combinations(range(words), size) for row in rows), np.int64)
        sums = associations[chosen.reshape(-1, size)].sum(axis=1)
        return float((sums >= observed).mean()), partitions, True
    rng = np.random.default_rng(seed)
    order = np.tile(associations, (min(permutations, 10_000), 1))
    reached = drawn = 0
    while drawn < permutations:
        block = rng.permuted(order[: permutations - drawn], axis=1)
        reached += int((block[:, :size].sum(axis=1) >= observed).sum())
        drawn += len(block)
    return (reached + 1) / (drawn + 1), drawn, False


def _known_pairs(space: VectorSpace, pairs: Iterable[tuple[str, str]]) -> tuple[list[tuple[str, str]], list[str]]:
    """The pairs of which a space has both words, and the words that it lacks."""
    known = [pair for pair in pairs if all(word in space.key_to_index for word in pair)]
    missing = [word for pair in pairs for word in pair if word not in space.key_to_index]
    return known, missing
