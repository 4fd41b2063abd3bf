"""Keeping a text from copying: how long a run of songs' words it ends in, told word by word as it is written."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from lyricgen.memorization.song_index import APOSTROPHES, GRAM, SongIndex, find_words, hash_gram, hash_word
from lyricgen.validation import check_integer

SHORTEST_RUN, LONGEST_RUN = GRAM - 1, 50  # words that may be allowed: fewer than a gram cannot be told from none
_NO_RUNS: Mapping[int, int] = MappingProxyType({})


class CopyState(NamedTuple):
    """What a guard has to know of the words so far. It never changes: to go back to an earlier word, go on from its state."""

    words: tuple[int, ...] = ()
    """The hashes of the last four words, or of as many as there were."""
    runs: Mapping[int, int] = _NO_RUNS
    """Words of the run that ends here, by the number of each song in which it stands."""
    grams: tuple[int, ...] = ()
    """The hashes of the run's last grams, the newest last."""

    @property
    def run(self) -> int:
        """Words of the longest run that ends here; 0 where the last five stand in no song."""
        return max(self.runs.values(), default=0)


class CopyGuard:
    """Tells a writer when its text would hold more than so many words in a row that stand in one song.

        guard = CopyGuard(index, max_copied_words=6)
        state = guard.after(guard.start, prefix)
        ...                                        # a word has been written
        after = guard.after(state, word)
        if guard.exceeds(after):                   # take the word back, and write another after `state`
            ...

    A run is what `measure_originality` calls so: what never exceeds has no longer one.

    Args:
        index: of the songs.
        max_copied_words: of a run that is allowed, 4 to 50; 4: no five words in a row may stand in a song.

    Raises:
        ArgumentError: `max_copied_words` lies outside that.
    """

    start = CopyState()
    """The state before the first word."""

    def __init__(self, index: SongIndex, max_copied_words: object):
        self.index = index
        self.max_copied_words = check_integer("max_copied_words", max_copied_words, SHORTEST_RUN, LONGEST_RUN)

    def after(self, state: CopyState, text: str) -> CopyState:
        """The state after more text, mostly a word; it must end where a word does, and may hold several, or none.

        Of a text that is still growing, `unfinished` is kept back until a character follows that `goes_on` does not hold of.
        """
        for word in find_words(text):
            state = self._after_word(state, hash_word(word.text))
        return state

    def exceeds(self, state: CopyState) -> bool:
        """Whether the run that ends here is longer than what is allowed."""
        return state.run > self.max_copied_words

    def _after_word(self, state: CopyState, word: int) -> CopyState:
        words = (*state.words, word)
        if len(words) < GRAM:
            return CopyState(words)
        gram, before = hash_gram(words), state.runs
        found = self.index.songs_with(gram)
        if not found:
            return CopyState(words[1:])
        runs = {song: before.get(song, GRAM - 1) + 1 for song, _ in found}
        if gram in state.grams:  # a run holds it no more often than its song does
            period = next((period for period in range(1, GRAM) if words[period:] == words[:-period]), 0)
            ago = [back for back, other in enumerate(reversed(state.grams), 1) if other == gram]
            for song, times in found:
                if times <= len(ago) and (not period or ago[times - 1] == times * period):
                    runs[song] = min(runs[song], GRAM - 1 + ago[times - 1])
        return CopyState(words[1:], runs, (*state.grams[1 - LONGEST_RUN :], gram))


def is_word_character(character: str) -> bool:
    """Whether a word may go on with a character: a letter, a digit or an apostrophe. Any other ends it."""
    return character.isalnum() or character in APOSTROPHES


def trailing_partial_word(text: str) -> str:
    """The word that a text ends within, which may still grow; '' where it ends with what no word goes on with.

    >>> trailing_partial_word("Look: the riv"), trailing_partial_word("look: the river ")
    ('riv', '')
    """
    at = len(text)
    while at and is_word_character(text[at - 1]):
        at -= 1
    return text[at:]


def make_copy_guard(max_copied_words: object, index: Callable[[], SongIndex]) -> CopyGuard | None:
    """The guard that a setting asks for, of the index that `index` gives; None where it is 0: no limit."""
    if check_integer("max_copied_words", max_copied_words or 0, 0, LONGEST_RUN) == 0:
        return None
    return CopyGuard(index(), max_copied_words)
