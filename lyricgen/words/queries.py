"""Questions to a vector space: analogies, cosine distances, neighbours.

Similarity is cosine similarity in [-1, 1], distance is 1 minus that, in [0, 2]; frequency rank 1 is the most frequent
word of a space.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from lyricgen.validation import check_integer
from lyricgen.words.sources import as_space
from lyricgen.words.space import VectorSpace

MOST_ANSWERS = 100
SHARED_AMONG = 100  # neighbours of each of two words that are compared
BLOCK = 256  # words whose best similarity bounds the search for the best of all
COSMUL_EPSILON = 1e-6  # as in gensim, against division by zero


@dataclass(frozen=True)
class Answer:
    """A word that answers a question."""

    word: str
    similarity: float
    """Cosine similarity; of 3CosMul its own measure, a ratio of products."""
    rank: int
    """Frequency rank."""
    excluded: bool = False
    """Whether it is one of the words asked with, so that it does not count as an answer."""


@dataclass(frozen=True)
class Analogy:
    """x1 : x2 :: y1 : ?, answered in two ways."""

    x1: str
    x2: str
    y1: str
    space: str
    """Its name."""
    add: list[Answer]
    """3CosAdd: nearest to x2 - x1 + y1 (unit vectors); words asked with are marked and stand where they would."""
    mul: list[Answer]
    """3CosMul: the greatest cos(y, x2) cos(y, y1) / cos(y, x1), each cosine scaled to [0, 1]."""

    @property
    def answer(self) -> str | None:
        """3CosAdd's best word that was not asked with; None in a space of no other words."""
        return next(iter(words_of(self.add)), None)

    def to_dict(self) -> dict:
        """Everything, as plain values."""
        return {**asdict(self), "answer": self.answer}


@dataclass(frozen=True)
class Distance:
    """How far apart two words are."""

    word1: str
    word2: str
    distance: float
    """Cosine distance, in [0, 2]."""
    percentile: float
    """Share of random pairs of frequent words that are nearer than these two, in percent."""
    shared: int
    """How many of the 100 nearest neighbours of either are neighbours of both."""

    def to_dict(self) -> dict:
        """Everything, as plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Comparison:
    """The distances of a word to a synonym and to an antonym."""

    synonym: Distance
    antonym: Distance

    @property
    def antonym_is_nearer(self) -> bool:
        return self.antonym.distance < self.synonym.distance

    def to_dict(self) -> dict:
        """Everything, as plain values."""
        return {**asdict(self), "antonym_is_nearer": self.antonym_is_nearer, "verdict": self.verdict}

    @property
    def verdict(self) -> str:
        """Whether the antonym is nearer, and why that is so, in a few sentences."""
        near, far = self.antonym, self.synonym
        shared = (
            f"Of the {SHARED_AMONG} words nearest to each, {near.word1} shares {near.shared} with {near.word2} "
            f"and {far.shared} with {far.word2}."
        )
        if self.antonym_is_nearer:
            return (
                f"Yes: the antonym is nearer. {near.word1} – {near.word2} is {near.distance:.3f}, "
                f"{far.word1} – {far.word2} is {far.distance:.3f}. A word's vector is learnt from the company it keeps, and words "
                f"of opposite meaning keep the same company: both fit into the same sentences. {shared}"
            )
        return (
            f"No: the synonym is at least as near. {far.word1} – {far.word2} is {far.distance:.3f}, "
            f"{near.word1} – {near.word2} is {near.distance:.3f}. {shared}"
        )


@dataclass(frozen=True)
class Overlap:
    """The neighbours of a word in two spaces."""

    first: list[Answer]
    second: list[Answer]
    shared: list[str]
    """Words among both, in the first's order."""
    only_in_first: list[str]
    """Neighbours in the first space that the second does not have at all."""
    only_in_second: list[str]


def analogy(x1: str, x2: str, y1: str, top_k: int = 1, vectors: VectorSpace | None = None) -> list[tuple[str, float]]:
    """Solves x1 : x2 :: y1 : ? by 3CosAdd, as `most_similar(positive=[x2, y1], negative=[x1])` of gensim does.

    Args:
        x1, x2, y1: words.
        top_k: how many answers, 1 to 100.
        vectors: the space; None: glove-50.

    Returns:
        Words with their cosine similarity to x2 - x1 + y1, the best first; the three words themselves are left out.

    Raises:
        ArgumentError: a word is unknown, or top_k outside its range.

    >>> analogy("man", "king", "woman")[0][0]
    'queen'
    """
    space = as_space(vectors)
    words, top_k = _question(space, x1, x2, y1), check_integer("top_k", top_k, 1, MOST_ANSWERS)
    offset = _offset(space.unit_vectors(words))
    found = _best(space, space.similarities(offset / (np.linalg.norm(offset) or 1)), top_k, words)
    return [(answer.word, answer.similarity) for answer in found if not answer.excluded]


def solve_analogy(x1: str, x2: str, y1: str, top_k: int = 10, vectors: VectorSpace | None = None) -> Analogy:
    """Solves x1 : x2 :: y1 : ? by 3CosAdd (Mikolov et al. 2013) and 3CosMul (Levy and Goldberg 2014).

    Args:
        x1, x2, y1: words.
        top_k: answers of each, 1 to 100, besides the words asked with.
        vectors: the space; None: glove-50.

    Raises:
        ArgumentError: a word is unknown, or top_k outside its range.
    """
    space = as_space(vectors)
    words, top_k = _question(space, x1, x2, y1), check_integer("top_k", top_k, 1, MOST_ANSWERS)
    units = space.unit_vectors(words)
    to_x1, to_x2, to_y1 = map(space.similarities, units)
    length = np.linalg.norm(_offset(units))
    by_sum = (to_x2 - to_x1 + to_y1) / (length or 1)
    by_product = (1 + to_x2) * (1 + to_y1) / (1 + to_x1 + 2 * COSMUL_EPSILON) / 2
    return Analogy(*words, space.name, _best(space, by_sum, top_k, words), _best(space, by_product, top_k, words))


def cosine_distance(word1: str, word2: str, vectors: VectorSpace | None = None) -> float:
    """1 minus the cosine of the angle between two words' vectors, in [0, 2].

    Raises:
        ArgumentError: a word is unknown.

    >>> round(cosine_distance("fast", "slow"), 3) < round(cosine_distance("fast", "banana"), 3)
    True
    """
    space = as_space(vectors)
    first, second = space.unit_vectors([space.find(word1, "word1"), space.find(word2, "word2")])
    return float(np.clip(1 - first @ second, 0, 2))


def measure_distance(word1: str, word2: str, vectors: VectorSpace | None = None) -> Distance:
    """The cosine distance of two words, and where it stands among 20,000 random pairs of frequent words.

    Raises:
        ArgumentError: a word is unknown.
    """
    space = as_space(vectors)
    words = [space.find(word1, "word1"), space.find(word2, "word2")]
    distance = cosine_distance(*words, space)
    nearer = np.searchsorted(space.random_distances, distance)
    first, second = ({answer.word for answer in _neighbors(space, word, SHARED_AMONG)} for word in words)
    return Distance(*words, distance, float(100 * nearer / len(space.random_distances)), len(first & second))


def compare_distances(word: str, synonym: str, antonym: str, vectors: VectorSpace | None = None) -> Comparison:
    """The distances of a word to a word of the same meaning and to one of the opposite.

    Raises:
        ArgumentError: a word is unknown.
    """
    space = as_space(vectors)
    word, synonym, antonym = (
        space.find(text, name) for name, text in (("word", word), ("synonym", synonym), ("antonym", antonym))
    )
    return Comparison(measure_distance(word, synonym, space), measure_distance(word, antonym, space))


def neighbors(word: str, top_k: int = 10, vectors: VectorSpace | None = None) -> list[Answer]:
    """The words nearest to a word, the nearest first, without the word itself.

    Args:
        word: the word.
        top_k: how many, 1 to 100.
        vectors: the space; None: glove-50.

    Raises:
        ArgumentError: the word is unknown, or top_k outside its range.
    """
    space = as_space(vectors)
    return _neighbors(space, space.find(word), check_integer("top_k", top_k, 1, MOST_ANSWERS))


def compare_neighbors(word: str, first: VectorSpace, second: VectorSpace, top_k: int = 10) -> Overlap:
    """The neighbours of a word in two spaces, and what they share.

    Raises:
        ArgumentError: a space lacks the word, or top_k is outside its range.
    """
    first, second = as_space(first), as_space(second)
    sides = [neighbors(word, top_k, space) for space in (first, second)]
    words = [[answer.word for answer in side] for side in sides]
    return Overlap(
        *sides,
        shared=[found for found in words[0] if found in words[1]],
        only_in_first=[found for found in words[0] if found not in second.key_to_index],
        only_in_second=[found for found in words[1] if found not in first.key_to_index],
    )


def best_rows(values: np.ndarray, count: int) -> np.ndarray:
    """The rows of the `count` greatest values, the greatest first, of equals the first: int64 (count,).

    The best of each block of 256 bounds what can be among them, so that no more than one pass reads all values.
    """
    blocks = len(values) // BLOCK
    if blocks <= count:
        return np.argsort(-values, kind="stable")[:count]
    best_of_block = values[: blocks * BLOCK].reshape(blocks, BLOCK).max(axis=1)
    bound = np.partition(best_of_block, blocks - count)[blocks - count]
    rows = np.flatnonzero(values >= bound)
    return rows[np.argsort(-values[rows], kind="stable")][:count]


def _question(space: VectorSpace, x1: str, x2: str, y1: str) -> list[str]:
    return [space.find(word, name) for name, word in (("x1", x1), ("x2", x2), ("y1", y1))]


def _offset(units: np.ndarray) -> np.ndarray:
    """x2 - x1 + y1 of the unit vectors of x1, x2, y1 (3, D): (D,)."""
    from_x1, to_x2, from_y1 = units
    return to_x2 - from_x1 + from_y1


def _best(space: VectorSpace, values: np.ndarray, top_k: int, asked: Sequence[str]) -> list[Answer]:
    """The `top_k` best words, and between them, marked, those of the words asked with that would stand there."""
    answers, left = [], top_k
    for row in best_rows(values, top_k + len(set(asked))):
        word = space.index_to_key[row]
        if not left:
            break
        excluded = word in asked
        left -= not excluded
        answers.append(Answer(word, float(values[row]), int(row) + 1, excluded))
    return answers


def _neighbors(space: VectorSpace, word: str, top_k: int) -> list[Answer]:
    found = _best(space, space.similarities(space.unit_vectors([word])[0]), top_k, [word])
    return [answer for answer in found if not answer.excluded]


def words_of(answers: Iterable[Answer]) -> list[str]:
    """The words that count, in order."""
    return [answer.word for answer in answers if not answer.excluded]
