"""The Google analogy test set (Mikolov et al. 2013) on a vector space; the questions come in gensim's wheel.

Protocol: 3CosAdd over unit vectors, every word of the space (or the most frequent ones) as a candidate but the three
asked with, the likeliest one alone counts; questions in lower case; a question with an unknown word is left out.
Shapes: Q questions, N candidates, D dimensions.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from gensim.test.utils import datapath

from lyricgen.validation import check_choice, check_integer
from lyricgen.words.sources import as_space
from lyricgen.words.space import VectorSpace

ALL = "all categories"
WORDS_AT_ONCE = 8_192  # candidates whose similarities to all questions of a bunch fit into the cache
QUESTIONS_AT_ONCE = 512


@dataclass(frozen=True)
class CategoryScore:
    """How many questions of a category were answered rightly."""

    category: str
    correct: int
    asked: int
    left_out: int
    """Questions with a word that the space lacks."""

    @property
    def accuracy(self) -> float | None:
        """Share of the questions asked that were answered rightly; None where none could be asked."""
        return self.correct / self.asked if self.asked else None


@cache
def google_questions() -> dict[str, list[tuple[str, str, str, str]]]:
    """The 19,544 questions by category, in lower case: (x1, x2, y1, the right answer)."""
    categories: dict[str, list] = {}
    with open(datapath("questions-words.txt"), encoding="utf-8") as file:
        for line in file:
            words = line.lower().split()
            if words[0] == ":":
                questions = categories.setdefault(words[1], [])
            else:
                questions.append(tuple(words))
    return categories


def score_analogies(
    vectors: VectorSpace | None = None, category: str = ALL, candidates: int | None = None
) -> Iterator[CategoryScore]:
    """Asks a space the questions of one category or of all; yields the score of each category when it is done.

    A generator: what is wrong with an argument is raised when the first score is asked for.

    Args:
        vectors: the space; None: glove-50.
        category: a name of `google_questions()`, or 'all categories'.
        candidates: answer only with so many of the most frequent words; None: with any.

    Raises:
        ArgumentError: there is no such category, or candidates are not from 1 to the words of the space.
    """
    space = as_space(vectors)
    questions = google_questions()
    category = check_choice("category", category, [ALL, *questions])
    count = len(space) if candidates is None else check_integer("candidates", candidates, 1, len(space))
    names = list(questions) if category == ALL else [category]
    rows = {
        name: np.array(
            [[space.key_to_index[word] for word in question] for question in questions[name]
             if all(space.key_to_index.get(word, count) < count for word in question)], dtype=np.int64,
        ).reshape(-1, 4)
        for name in names
    }  # fmt: skip
    space.fill_norms()
    for name in names:
        asked = rows[name]
        correct = sum(
            int(
                (
                    _answers(space, asked[start : start + QUESTIONS_AT_ONCE, :3], count)
                    == asked[start : start + QUESTIONS_AT_ONCE, 3]
                ).sum()
            )
            for start in range(0, len(asked), QUESTIONS_AT_ONCE)
        )
        yield CategoryScore(name, correct, len(asked), len(questions[name]) - len(asked))


def total(scores: list[CategoryScore]) -> CategoryScore:
    """The scores of several categories added up."""
    return CategoryScore(
        ALL, *(sum(getattr(score, part) for score in scores) for part in ("correct", "asked", "left_out"))
    )


def _answers(space: VectorSpace, questions: np.ndarray, count: int) -> np.ndarray:
    """The row of 3CosAdd's answer to each question, given as rows (Q, 3): int64 (Q,)."""
    units = space.vectors[questions] / space.norms[questions][..., None]  # (Q, 3, D)
    targets = np.ascontiguousarray(units[:, 1] - units[:, 0] + units[:, 2])  # (Q, D); its length changes no order
    best = np.full(len(questions), -np.inf, np.float32)
    answers = np.zeros(len(questions), np.int64)
    everyone = np.arange(len(questions))
    for start in range(0, count, WORDS_AT_ONCE):
        words = slice(start, min(start + WORDS_AT_ONCE, count))
        block = space.vectors[words] / space.norms[words, None]
        similarities = targets @ block.T  # (Q, words)
        for column in questions.T:  # the words asked with
            inside = (column >= words.start) & (column < words.stop)
            similarities[everyone[inside], column[inside] - start] = -np.inf
        rows = similarities.argmax(axis=1)
        values = similarities[everyone, rows]
        better = values > best
        best[better], answers[better] = values[better], rows[better] + start
    return answers
