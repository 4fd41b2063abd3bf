"""The Google analogy test set (Mikolov et al. 2013), from gensim's wheel, on a vector space.

Protocol: questions in lower case, those with an out-of-vocabulary word are left out; 3CosAdd over unit vectors; the
candidates are all words of the space (or the most frequent ones) except the three of the question; top-1 accuracy.
Shapes: Q questions, N candidates, D dimensions.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.metadata import distribution
from typing import cast

import numpy as np

from lyricgen.validation import check_choice, check_integer
from lyricgen.words.word_vectors import WordVectors

Question = tuple[str, str, str, str]
"""x1, x2, y1 and the correct answer."""

ALL = "all categories"
QUESTIONS = "gensim/test/test_data/questions-words.txt"  # in its wheel
CANDIDATES_PER_BLOCK = 8_192  # words; their similarities to a block of questions fit into the CPU cache
QUESTIONS_PER_BLOCK = 512


@dataclass(frozen=True)
class CategoryScore:
    """Top-1 accuracy on one category."""

    category: str
    correct: int
    """Questions with a correct answer."""
    asked: int
    """Questions whose four words are all candidates."""
    left_out: int
    """Questions with a word that is no candidate."""

    @property
    def accuracy(self) -> float | None:
        """correct / asked; None if no question could be asked."""
        return self.correct / self.asked if self.asked else None


@cache
def google_questions() -> dict[str, list[Question]]:
    """The 19,544 questions by category, in lower case."""
    categories: dict[str, list[Question]] = {}
    path = str(distribution("gensim").locate_file(QUESTIONS))  # gensim is slow to import
    with open(path, encoding="utf-8") as file:
        for line in file:
            words = line.lower().split()
            if words[0] == ":":
                questions = categories.setdefault(words[1], [])
            else:
                questions.append(cast(Question, tuple(words)))
    return categories


def score_analogies(space: WordVectors, category: str = ALL, candidates: int | None = None) -> Iterator[CategoryScore]:
    """Yields the score of each category; see `lyricgen.score_analogies`."""
    questions = google_questions()
    category = check_choice("category", category, [ALL, *questions])
    count = len(space) if candidates is None else check_integer("candidates", candidates, 1, len(space))
    names = list(questions) if category == ALL else [category]
    space.fill_norms()
    for name in names:
        yield _score_category(space, name, count)


@lru_cache(maxsize=64)
def _score_category(space: WordVectors, category: str, count: int) -> CategoryScore:
    questions = google_questions()[category]
    rows = _question_rows(space, questions, count)
    blocks = (rows[start : start + QUESTIONS_PER_BLOCK] for start in range(0, len(rows), QUESTIONS_PER_BLOCK))
    correct = sum(_count_correct(space, block, count) for block in blocks)
    return CategoryScore(category, correct, len(rows), len(questions) - len(rows))


def total(scores: list[CategoryScore]) -> CategoryScore:
    """The sum of the scores of several categories."""
    return CategoryScore(
        ALL,
        sum(score.correct for score in scores),
        sum(score.asked for score in scores),
        sum(score.left_out for score in scores),
    )


def _question_rows(space: WordVectors, questions: list[Question], count: int) -> np.ndarray:
    """The rows of the words of each question whose words are among the first `count` of the space: int64 (Q, 4)."""
    rows = [[space.key_to_index.get(word, count) for word in question] for question in questions]
    matrix = np.array(rows, np.int64).reshape(-1, 4)
    return matrix[(matrix < count).all(axis=1)]


def _count_correct(space: WordVectors, questions: np.ndarray, count: int) -> int:
    """How many of the questions (Q, 4) 3CosAdd answers correctly, among the first `count` words.

    A question is left as soon as a word is as near to x2 - x1 + y1 as its answer is.
    """
    units = space.vectors[questions] / space.norms[questions][..., None]  # (Q, 4, D)
    targets = units[:, 1] - units[:, 0] + units[:, 2]  # (Q, D), not unit: the order is the same
    to_beat = np.einsum("qd,qd->q", targets, units[:, 3])  # (Q,)
    for start in range(0, count, CANDIDATES_PER_BLOCK):
        block = slice(start, min(start + CANDIDATES_PER_BLOCK, count))
        similarities = targets @ (space.vectors[block] / space.norms[block, None]).T  # (Q, N of this block)
        for column in questions.T:  # the words of the questions are no rivals
            inside = np.flatnonzero((column >= block.start) & (column < block.stop))
            similarities[inside, column[inside] - start] = -np.inf
        left = similarities.max(axis=1) < to_beat
        questions, targets, to_beat = questions[left], targets[left], to_beat[left]
    return len(questions)
