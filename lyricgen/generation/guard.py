"""The protocol of a guard: a rule that a generated text must keep.

A request holds any number of guards. `RowState` (sequence.py) asks them word by word while a text is written: a guard
can ban labels before they are chosen, and can reject a word after it is complete, which is then deleted and resampled.
"""

from collections.abc import Collection
from typing import Any, Protocol


class Guard(Protocol):
    """A rule that a generated text must keep; anything with these four members is one.

    One guard serves many texts in many threads, so it keeps nothing of a text itself. What it has to know of a text is its
    state, an immutable value of a type of its own choice. The states of all guards are kept at every backtrack point,
    so that backtracking undoes nothing: the text continues from the states there.

        class BannedWord:
            \"\"\"Rejects one word.\"\"\"

            start = False  # the state: whether the last word was the banned one

            def __init__(self, word: str):
                self.word = word

            def after(self, state: bool, text: str) -> bool:
                return self.word in text.lower().split()

            def rejects(self, state: bool) -> bool:
                return state

            def banned_labels(self, state: bool, partial_word: str) -> Collection[int]:
                return ()

        GenerationRequest(model, guards=(BannedWord("rain"),))
    """

    @property
    def start(self) -> Any:
        """The state before any text."""

    def after(self, state: Any, text: str) -> Any:
        """The state after more text; `state` itself (the same object) where the text adds nothing to judge.

        Args:
            state: of the text so far; it must not be changed.
            text: the prefix without its trailing partial word, or one word with the character that ended it, or that
                character alone. Words are runs of letters, digits and apostrophes (`is_word_character`).
        """

    def rejects(self, state: Any) -> bool:
        """Whether the last word must be deleted, asked once of each new state after the prefix's.

        The word is resampled, then its first character banned, then the word before it deleted too. Where no other
        word can be written the rejected one stays, so a rule is kept wherever the model can keep it.
        """

    def banned_labels(self, state: Any, partial_word: str) -> Collection[int]:
        """Labels that must not be chosen next; at least one label must remain, or no ban holds.

        Args:
            state: after the last complete word.
            partial_word: what follows it so far.
        """
