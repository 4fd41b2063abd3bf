"""CleanWords: keeps the words of a list out of a text in progress, whole words alone."""

from collections.abc import Collection
from functools import cache
from pathlib import Path

from lyricgen.errors import ArgumentError
from lyricgen.models.vocabulary import APOSTROPHES, is_word_character
from lyricgen.storage import ASSETS

STRONG_WORDS = ASSETS / "wordlists" / "strong_words.txt"
START, IN_PREFIX, CLEAN = (
    0,
    1,
    2,
)  # states of `CleanWords`; above them, one for each listed word that could not be avoided
MAX_LISTED = 100_000  # words of a list


@cache
def read_word_list(path: str | Path = STRONG_WORDS) -> frozenset[str]:
    """The words of a file, one a line; lines that begin with # are comments.

    Raises:
        ArgumentError: the file cannot be read, or is no such list.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError):
        raise ArgumentError(f"the list of strong words {Path(path).name!r} could not be read as UTF-8 text") from None
    words = frozenset(plain_word(line.strip()) for line in lines if line.strip() and not line.startswith("#"))
    if len(words) > MAX_LISTED or not all(word and all(map(is_word_character, word)) for word in words):
        raise ArgumentError(
            f"the list of strong words {Path(path).name!r} must have one word a line, and # for comments"
        )
    return words


def plain_word(word: str) -> str:
    """A word as the list has it: lower case, without apostrophes around it and without a final 's.

    >>> plain_word("Dog's"), plain_word("runnin'")
    ('dog', 'runnin')
    """
    word = word.lower().strip(APOSTROPHES)
    return word[:-2] if word[-1:] == "s" and word[-2:-1] in tuple(APOSTROPHES) else word


def listed_words(text: str, words: Collection[str]) -> list[str]:
    """The listed words of a text, in order."""
    split = "".join(letter if is_word_character(letter) else " " for letter in text).split()
    return [word for word in split if plain_word(word) in words]


class CleanWords:
    """Rejects listed words; a guard of `lyricgen.generation.guard`, and a rule for the words of a beam search.

    A word that the prefix ends in is the visitor's own and is never rejected.

    Args:
        words: the list, as `plain_word` writes words.
        typed_word: the incomplete word at the end of the prefix.
    """

    start = START

    def __init__(self, words: Collection[str], typed_word: str = ""):
        self.words, self.typed_word = words, typed_word

    def after(self, state: int, text: str) -> int:
        """The state after the prefix, then after each word."""
        if state == START:
            return IN_PREFIX
        word = "".join(letter for letter in text if is_word_character(letter))
        if not word:
            return state
        own = state == IN_PREFIX and word == self.typed_word
        if self.rejects_word(word) and not own:
            return max(state, CLEAN) + 1
        return max(state, CLEAN)

    def rejects(self, state: int) -> bool:
        """Whether the last word is listed; asked of new states alone."""
        return state > CLEAN

    def rejects_word(self, word: str) -> bool:
        """Whether a complete word is listed."""
        return plain_word(word) in self.words

    def banned_labels(self, state: int, partial_word: str) -> Collection[int]:
        """None: a word is known once it is complete."""
        return ()
