"""Queries on a vector space: analogies (3CosAdd, 3CosMul), cosine distances, nearest neighbours.

Cosine similarity lies in [-1, 1], cosine distance is 1 - similarity and lies in [0, 2]. Frequency rank 1 is the most
frequent word of a space. Shapes: N words of D dimensions.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from lyricgen.display import html_table, one_line, paragraph, side_by_side
from lyricgen.validation import check_integer
from lyricgen.words.word_vectors import WordVectors

MAX_ANSWERS = 100  # answers per query
OVERLAP_NEIGHBORS = 100  # nearest neighbours of each of two words, compared for overlap
ANSWERS_IN_LINE = 5  # answers in a `repr`
BLOCK_SIZE = 256  # values per block in `best_rows`
MAX_TIED = 1_000  # words of a space that may all be equally near to an analogy
TIE_TOLERANCE = 1e-6  # difference of similarities that is rounding error
COSMUL_EPSILON = 1e-6  # added to 3CosMul's denominator, as in gensim


@dataclass(frozen=True)
class Answer:
    """A word that answers a query."""

    word: str
    similarity: float
    """Cosine similarity; for 3CosMul its score (see `score`), which is not a cosine."""
    rank: int
    """Frequency rank."""
    excluded: bool = False
    """True for a word of the query itself, which does not count as an answer."""

    @property
    def score(self) -> float:
        """The value that answers are sorted by: cosine similarity, or the score of 3CosMul."""
        return self.similarity


class Answers(list[Answer]):
    """Answers to a query, which a notebook shows as a table."""

    def __repr__(self) -> str:
        shown = [f"{answer.word} {answer.similarity:.3f}" for answer in self[:ANSWERS_IN_LINE]]
        return one_line(self, *shown, *["…"] * (len(self) > ANSWERS_IN_LINE))

    def _repr_html_(self) -> str:
        return answers_table("", self)


@dataclass(frozen=True)
class Analogy:
    """x1 : x2 :: y1 : ?, solved by 3CosAdd and by 3CosMul."""

    x1: str
    x2: str
    y1: str
    space: str
    """Name of the vector space."""
    add: list[Answer]
    """3CosAdd: by cosine similarity to x2 - x1 + y1. Includes the words of the query, marked as excluded."""
    mul: list[Answer]
    """3CosMul: by cos(y, x2) cos(y, y1) / cos(y, x1), each cosine scaled to [0, 1]; marked likewise."""
    note: str | None = None
    """Why there is no answer, in one sentence; None where there is one."""

    def __repr__(self) -> str:
        return one_line(self, self.sentence.removesuffix("."), self.space)

    def _repr_html_(self) -> str:
        """The answer, and those of both methods as tables."""
        return paragraph(f"{self.sentence} ({self.space})") + side_by_side(
            answers_table("3CosAdd", self.add), answers_table("3CosMul", self.mul)
        )

    @property
    def sentence(self) -> str:
        """The analogy with its answer, or why there is none."""
        return self.note or f"{self.x1} is to {self.x2} as {self.y1} is to {self.answer}."

    @property
    def answer(self) -> str | None:
        """First answer of 3CosAdd that is no word of the query; None if there is none (see `note`)."""
        return None if self.note else next(iter(words_of(self.add)), None)

    def to_dict(self) -> dict[str, Any]:
        """All fields as plain values; answers of 3CosMul have their value as `score` too."""
        mul = [{**asdict(answer), "score": answer.score} for answer in self.mul]
        return {**asdict(self), "mul": mul, "answer": self.answer}


@dataclass(frozen=True)
class Distance:
    """The cosine distance of two words."""

    word1: str
    word2: str
    distance: float
    """Cosine distance, in [0, 2]."""
    percentile: float
    """Percentage of random pairs of frequent words that have a smaller distance."""
    shared: int
    """Words that are among the 100 nearest neighbours of both."""

    def to_dict(self) -> dict[str, Any]:
        """All fields as plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Comparison:
    """The distances of a word to a synonym and to an antonym."""

    synonym: Distance
    antonym: Distance

    @property
    def antonym_is_nearer(self) -> bool:
        """Whether the antonym has the smaller distance."""
        return self.antonym.distance < self.synonym.distance

    def to_dict(self) -> dict[str, Any]:
        """All fields as plain values, with the verdict."""
        return {**asdict(self), "antonym_is_nearer": self.antonym_is_nearer, "verdict": self.verdict}

    @property
    def verdict(self) -> str:
        """Whether the antonym is nearer, and the reason, in a few sentences."""
        near, far = self.antonym, self.synonym
        shared = (
            f"Of the {OVERLAP_NEIGHBORS} words nearest to each, {near.word1} shares {near.shared} with {near.word2} "
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
    """The nearest neighbours of a word in two spaces."""

    first: list[Answer]
    second: list[Answer]
    shared: list[str]
    """Neighbours in both spaces, in the order of the first."""
    only_in_first: list[str]
    """Neighbours in the first space that are not in the second space's vocabulary."""
    only_in_second: list[str]
    """Neighbours in the second space that are not in the first space's vocabulary."""

    def __repr__(self) -> str:
        return one_line(self, f"{len(self.shared)} of {len(self.first)} neighbours in both")

    def _repr_html_(self) -> str:
        """Both lists as tables, and what they share."""
        shared = f"In both: {', '.join(self.shared) or 'none'}."
        return side_by_side(answers_table("first", self.first), answers_table("second", self.second)) + paragraph(
            shared
        )


def analogy(x1: str, x2: str, y1: str, top_k: int, space: WordVectors) -> list[tuple[str, float]]:
    """Solves x1 : x2 :: y1 : ? by 3CosAdd; see `lyricgen.analogy`."""
    words, top_k = _resolve_question(space, x1, x2, y1), check_integer("top_k", top_k, 1, MAX_ANSWERS)
    target = _analogy_target(space.unit_vectors(words))
    answers = _top_answers(space, space.similarities(target / (np.linalg.norm(target) or 1)), top_k, words)
    return [(answer.word, answer.similarity) for answer in answers if not answer.excluded]


def solve_analogy(x1: str, x2: str, y1: str, top_k: int, space: WordVectors) -> Analogy:
    """Solves x1 : x2 :: y1 : ? by 3CosAdd (Mikolov et al. 2013) and by 3CosMul (Levy and Goldberg 2014).

    With unit vectors, 3CosAdd maximizes cos(y, x2 - x1 + y1), 3CosMul
    (1 + cos(y, x2)) (1 + cos(y, y1)) / (1 + cos(y, x1) + 2 epsilon) / 2.

    Raises:
        ArgumentError: a word is unknown, or top_k is not from 1 to 100.
    """
    words, top_k = _resolve_question(space, x1, x2, y1), check_integer("top_k", top_k, 1, MAX_ANSWERS)
    units = space.unit_vectors(words)
    to_x1, to_x2, to_y1 = map(space.similarities, units)  # (N,) each
    length = np.linalg.norm(_analogy_target(units))
    by_sum = (to_x2 - to_x1 + to_y1) / (length or 1)
    by_product = (1 + to_x2) * (1 + to_y1) / (1 + to_x1 + 2 * COSMUL_EPSILON) / 2
    add, mul = (_top_answers(space, scores, top_k, words) for scores in (by_sum, by_product))
    return Analogy(*words, space=space.name, add=add, mul=mul, note=_reason_without_answer(space, words, by_sum))


def _reason_without_answer(space: WordVectors, question: Sequence[str], scores: np.ndarray) -> str | None:
    """Why an analogy with these scores of all words (N,) has no answer; None where it has one."""
    asked = {space.key_to_index[word] for word in question}
    if len(asked) == len(space):
        return f"There is no answer: {space.name} has no word beside those of the question."
    if len(space) <= MAX_TIED:
        others = np.delete(scores, list(asked))
        if np.ptp(scores) < TIE_TOLERANCE:
            return f"There is no answer: all words of {space.name} are equally near."
        if len(others) > 1 and np.ptp(others) < TIE_TOLERANCE:
            return f"There is no answer: all other words of {space.name} are equally near."
    return None


def cosine_distance(word1: str, word2: str, space: WordVectors) -> float:
    """1 - cos(word1, word2), in [0, 2].

    Raises:
        ArgumentError: a word is unknown.
    """
    first, second = space.unit_vectors([space.find(word1, "word1"), space.find(word2, "word2")])
    return float(np.clip(1 - first @ second, 0, 2))


def measure_distance(word1: str, word2: str, space: WordVectors) -> Distance:
    """The cosine distance of two words, and its percentile among 20,000 random pairs of frequent words.

    Raises:
        ArgumentError: a word is unknown.
    """
    word1, word2 = space.find(word1, "word1"), space.find(word2, "word2")
    distance = cosine_distance(word1, word2, space)
    percentile = 100 * np.searchsorted(space.random_distances, distance - TIE_TOLERANCE) / len(space.random_distances)
    first, second = (set(words_of(neighbors(word, OVERLAP_NEIGHBORS, space))) for word in (word1, word2))
    return Distance(word1, word2, distance, float(percentile), len(first & second))


def compare_distances(word: str, synonym: str, antonym: str, space: WordVectors) -> Comparison:
    """The distances of a word to a synonym and to an antonym.

    Raises:
        ArgumentError: a word is unknown.
    """
    word, synonym, antonym = (
        space.find(text, name) for name, text in (("word", word), ("synonym", synonym), ("antonym", antonym))
    )
    return Comparison(measure_distance(word, synonym, space), measure_distance(word, antonym, space))


def neighbors(word: str, top_k: int, space: WordVectors) -> list[Answer]:
    """The nearest neighbours of a word by cosine similarity, most similar first, without the word itself.

    Raises:
        ArgumentError: the word is unknown, or top_k is not from 1 to 100.
    """
    word, top_k = space.find(word), check_integer("top_k", top_k, 1, MAX_ANSWERS)
    answers = _top_answers(space, space.similarities(space.unit_vectors([word])[0]), top_k, [word])
    return [answer for answer in answers if not answer.excluded]


def compare_neighbors(word: str, first: WordVectors, second: WordVectors, top_k: int) -> Overlap:
    """The nearest neighbours of a word in two spaces, and their overlap.

    Raises:
        ArgumentError: a space lacks the word, or top_k is not from 1 to 100.
    """
    return find_overlap(neighbors(word, top_k, first), neighbors(word, top_k, second), first, second)


def find_overlap(in_first: list[Answer], in_second: list[Answer], first: WordVectors, second: WordVectors) -> Overlap:
    """The overlap of the neighbours of a word in two spaces."""
    first_words, second_words = words_of(in_first), words_of(in_second)
    return Overlap(
        in_first,
        in_second,
        shared=[other for other in first_words if other in second_words],
        only_in_first=[other for other in first_words if other not in second.key_to_index],
        only_in_second=[other for other in second_words if other not in first.key_to_index],
    )


def best_rows(values: np.ndarray, count: int) -> np.ndarray:
    """The rows of the `count` greatest values (N,), greatest first, ties in row order: int64 (count,).

    The maxima of blocks of 256 values give a lower bound for the `count` greatest, so that only one pass reads all N.
    """
    blocks = len(values) // BLOCK_SIZE
    if blocks <= count:
        return np.argsort(-values, kind="stable")[:count]
    block_maxima = values[: blocks * BLOCK_SIZE].reshape(blocks, BLOCK_SIZE).max(axis=1)
    bound = np.partition(block_maxima, blocks - count)[blocks - count]
    rows = np.flatnonzero(values >= bound)
    return rows[np.argsort(-values[rows], kind="stable")][:count]


def words_of(answers: Iterable[Answer]) -> list[str]:
    """The words of the answers that count, in order."""
    return [answer.word for answer in answers if not answer.excluded]


def answers_table(caption: str, answers: Iterable[Answer]) -> str:
    """Answers as HTML: word, similarity or score, and frequency rank; words of the query are marked."""
    rows = [
        [f"({answer.word})" if answer.excluded else answer.word, f"{answer.score:.3f}", f"{answer.rank:,}"]
        for answer in answers
    ]
    return html_table(caption, ["word", "similarity", "frequency rank"], rows)


def _resolve_question(space: WordVectors, x1: str, x2: str, y1: str) -> tuple[str, str, str]:
    return space.find(x1, "x1"), space.find(x2, "x2"), space.find(y1, "y1")


def _analogy_target(units: np.ndarray) -> np.ndarray:
    """x2 - x1 + y1 of the unit vectors of x1, x2, y1 (3, D): (D,)."""
    x1, x2, y1 = units
    return x2 - x1 + y1


def _top_answers(space: WordVectors, scores: np.ndarray, top_k: int, query: Sequence[str]) -> list[Answer]:
    """The `top_k` words of the highest scores (N,); words of the query that rank among them are included, as excluded."""
    answers: list[Answer] = []
    counted = 0
    for row in best_rows(scores, top_k + len(set(query))):
        if counted == top_k:
            break
        word = space.index_to_key[row]
        excluded = word in query
        counted += int(not excluded)
        answers.append(Answer(word, float(scores[row]), int(row) + 1, excluded))
    return answers
