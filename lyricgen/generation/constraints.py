"""Constraints: rules for a text that is written word by word from a lexicon.

A constraint knows three things of a text in progress: which words may come next, how much the text is worth, and whether it
may end here. The sampler (particles.py) forbids what no constraint allows, weights by the worth, and ends lines where all are
satisfied. Guards of whole lyrics (guard.py), such as the copy guard and clean words, are constraints by `Guarded`.

Shapes: W words of the lexicon; a mask is a boolean array (W,), see `words.lexicon`.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from lyricgen.generation.guard import Guard
from lyricgen.words.lexicon import WEAK_ENDS, Lexicon
from lyricgen.words.rhymes import split_words, syllables

FORBIDDEN = -math.inf  # the worth of a text that must not be


class Constraint:
    """A rule that nothing breaks; the kinds override what they need.

    One constraint serves many texts at a time. What it has to know of a text is its state, an immutable value of its own
    choice, so that texts can be copied and dropped.

        class NoRain(Constraint):
            \"\"\"Keeps one word out.\"\"\"

            unmet = "it has the word rain"

            def __init__(self, lexicon: Lexicon):
                self.others = ~lexicon.mask(["rain"])

            def allowed(self, state: None) -> np.ndarray:
                return self.others
    """

    unmet = ""
    """What a line is like that does not meet the constraint, for a note: "it lacks 'river'"; '' for one that is never given up."""

    def begin(self, context: str) -> Any:
        """The state before the first word of a line.

        Args:
            context: the text before the line.
        """
        return None

    def after(self, state: Any, word: str) -> Any:
        """The state after one more word."""
        return state

    def allowed(self, state: Any) -> np.ndarray | None:
        """The mask of the words that may come next; None: all."""
        return None

    def wanted(self, state: Any) -> np.ndarray | None:
        """The mask of the words that the line needs and lacks; None: it lacks none."""
        return None

    def worth(self, state: Any) -> float:
        """The log-potential of the text so far, natural logarithm; `FORBIDDEN` drops it."""
        return 0.0

    def satisfied(self, state: Any) -> bool:
        """Whether the line may end here."""
        return True

    def weaker(self) -> "Constraint | None":
        """What to ask for where this cannot be met; None: nothing."""
        return None


class Guarded(Constraint):
    """A guard of whole lyrics as a constraint: the words that it rejects are forbidden."""

    def __init__(self, guard: Guard):
        self.guard = guard

    def begin(self, context: str) -> tuple[Any, bool]:
        return self.guard.after(self.guard.start, context), False

    def after(self, state: tuple[Any, bool], word: str) -> tuple[Any, bool]:
        new = self.guard.after(state[0], f"{word} ")
        return new, state[1] or (new is not state[0] and self.guard.rejects(new))

    def worth(self, state: tuple[Any, bool]) -> float:
        return FORBIDDEN if state[1] else 0.0


class Without(Constraint):
    """A lipogram: no word has one of some letters."""

    def __init__(self, lexicon: Lexicon, letters: str):
        self.mask = lexicon.where(lambda word: not set(letters) & set(word))
        self.unmet = f"it has letters of {letters!r}"

    def allowed(self, state: Any) -> np.ndarray:
        return self.mask


class FirstLetter(Constraint):
    """The line begins with a letter, as in an acrostic."""

    def __init__(self, lexicon: Lexicon, letter: str):
        self.mask = lexicon.where(lambda word: word.startswith(letter))
        self.unmet = f"it does not begin with {letter!r}"

    def begin(self, context: str) -> bool:
        return True

    def after(self, state: bool, word: str) -> bool:
        return False

    def allowed(self, state: bool) -> np.ndarray | None:
        return self.mask if state else None


class _SyllablesLeft(Constraint):
    """What may come next depends on the syllables that the line still lacks; they are the state.

    Args:
        masks: of the words that may come next, for 0 to all syllables left (syllables + 1, W).
    """

    def __init__(self, masks: np.ndarray):
        self.masks = masks

    def begin(self, context: str) -> int:
        return len(self.masks) - 1

    def after(self, state: int, word: str) -> int:
        return state - syllables(word)

    def allowed(self, state: int) -> np.ndarray:
        return self.masks[state]


class Syllables(_SyllablesLeft):
    """The line has an exact number of syllables."""

    def __init__(self, lexicon: Lexicon, count: int):
        super().__init__(lexicon.syllables <= np.arange(count + 1)[:, None])

    def satisfied(self, state: int) -> bool:
        return state == 0


class LastWord(_SyllablesLeft):
    """The word that fills a line's syllables is one of some; a line that leaves too little room for any of them is avoided.

    Args:
        lexicon: the words.
        count: syllables of the line.
        ends: the mask of the words that may be the last.
    """

    def __init__(self, lexicon: Lexicon, count: int, ends: np.ndarray):
        shortest = int(lexicon.syllables[ends].min(initial=count + 1))
        left_after = np.arange(count + 1)[:, None] - lexicon.syllables  # (syllables left, W)
        super().__init__((left_after >= shortest) | ((left_after == 0) & ends))


class StrongEnd(LastWord):
    """The line does not end with a word that leads on to the next or says nothing, such as 'the' and 'oh'."""

    unmet = "it ends with a weak word, as 'the' and 'oh' are"

    def __init__(self, lexicon: Lexicon, count: int):
        super().__init__(lexicon, count, lexicon.without_weak_ends())


class CanBeRhymed(LastWord):
    """The line ends with a word that enough others rhyme with."""

    unmet = "few words rhyme with its end"

    def __init__(self, lexicon: Lexicon, count: int):
        super().__init__(lexicon, count, lexicon.with_partners)


class Rhyme(LastWord):
    """The line rhymes with earlier ends, and ends with none of them.

    Args:
        lexicon: the words.
        count: syllables of the line.
        ends: the last words of the lines that it rhymes with.
        near: whether a near rhyme is enough.
    """

    def __init__(self, lexicon: Lexicon, count: int, ends: Sequence[str], near: bool = False):
        self.lexicon, self.count, self.words, self.near = lexicon, count, ends, near
        masks = [lexicon.rhymes_with(end, near) for end in ends]  # given ends may not rhyme with each other
        mask = np.logical_and.reduce(masks)
        super().__init__(lexicon, count, (mask if mask.any() else masks[0]) & ~lexicon.mask(ends))
        self.unmet = f"it does not rhyme with {ends[0]!r}" if near else f"its rhyme with {ends[0]!r} is not perfect"

    def weaker(self) -> "Rhyme | None":
        return None if self.near else Rhyme(self.lexicon, self.count, self.words, near=True)


class Includes(Constraint):
    """Some words come, each once; the state is the words that are missing, and the syllables left.

    Args:
        lexicon: the words of the line; the required ones are among them.
        words: the required words.
        count: syllables of the line.
    """

    def __init__(self, lexicon: Lexicon, words: Sequence[str], count: int):
        self.lexicon, self.words, self.count = lexicon, tuple(words), count
        self.unmet = f"it lacks {' and '.join(repr(word) for word in words)}"

    def begin(self, context: str) -> tuple[tuple[str, ...], int]:
        return self.words, self.count

    def after(self, state: tuple[tuple[str, ...], int], word: str) -> tuple[tuple[str, ...], int]:
        missing, left = state
        return tuple(each for each in missing if each != word), left - syllables(word)

    def allowed(self, state: tuple[tuple[str, ...], int]) -> np.ndarray | None:
        missing, left = state
        if not missing:
            return None
        room = left - sum(map(syllables, missing))
        return (self.lexicon.syllables <= room) | self.lexicon.mask(missing)

    def wanted(self, state: tuple[tuple[str, ...], int]) -> np.ndarray | None:
        return self.lexicon.mask(state[0]) if state[0] else None

    def satisfied(self, state: tuple[tuple[str, ...], int]) -> bool:
        return not state[0]


class Length(Constraint):
    """The line has `low` to `high` characters; the state is its length so far."""

    def __init__(self, lexicon: Lexicon, low: int, high: int):
        self.low, self.high = low, high
        self.lengths = np.array([len(word) for word in lexicon.words])  # (W,)

    def begin(self, context: str) -> int:
        return -1  # no space before the first word

    def after(self, state: int, word: str) -> int:
        return state + 1 + len(word)

    def allowed(self, state: int) -> np.ndarray:
        return self.lengths <= self.high - state - 1

    def satisfied(self, state: int) -> bool:
        return self.low <= state <= self.high


class FewRepeats(Constraint):
    """Words that came before cost: chosen by their likelihood alone, lines loop.

    The state is the words so far, the last one, and the worth. Words that hold a sentence together cost less, the last word again
    most.

    Args:
        window: characters before the line that count.
    """

    COST, COST_OF_SMALL_WORDS, COST_OF_TWICE = 2.0, 0.6, 3.0  # nats

    def __init__(self, window: int = 1_000):
        self.window = window

    def begin(self, context: str) -> tuple[frozenset[str], str, float]:
        words = split_words(context[-self.window :])
        return frozenset(words), words[-1] if words else "", 0.0

    def after(self, state: tuple[frozenset[str], str, float], word: str) -> tuple[frozenset[str], str, float]:
        words, last, worth = state
        if word == last:
            worth -= self.COST_OF_TWICE
        elif word in words:
            worth -= self.COST_OF_SMALL_WORDS if word in WEAK_ENDS else self.COST
        return words | {word}, word, worth

    def worth(self, state: tuple[frozenset[str], str, float]) -> float:
        return state[2]
