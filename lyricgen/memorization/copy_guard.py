"""CopyGuard: limits the copied runs of a text in progress, checked after each word."""

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import NamedTuple

from lyricgen.memorization.song_index import GRAM, SongIndex, find_words, hash_gram, hash_word
from lyricgen.validation import check_integer

MIN_RUN, MAX_RUN = GRAM - 1, 50  # words, limits of `max_copied_words`; runs shorter than a gram are not in the index
_NO_RUNS: Mapping[int, int] = MappingProxyType({})


class CopyState(NamedTuple):
    """The state of a guard after a text. Immutable: to backtrack to an earlier word, continue from its state."""

    words: tuple[int, ...] = ()
    """The hashes of the last four words, fewer at the start of a text."""
    runs: Mapping[int, int] = _NO_RUNS
    """Words of the copied run that ends here, by the number of each song that holds it."""
    grams: tuple[int, ...] = ()
    """The hashes of the run's last grams, the newest last."""

    @property
    def run(self) -> int:
        """Words of the longest copied run that ends here; 0 where no song holds the last five."""
        return max(self.runs.values(), default=0)


class CopyGuard:
    """Rejects words that make a copied run longer than allowed; a guard of `lyricgen.generation.guard`.

        guard = CopyGuard(index, max_copied_words=6)
        state = guard.after(guard.start, prefix)
        ...                                        # generate a word
        state_after = guard.after(state, word)
        if guard.rejects(state_after):             # backtrack to `state` and resample the word
            ...

    A copied run is one of `measure_originality`: a text that the guard never rejected has none longer than allowed.

    Args:
        index: the index of the songs.
        max_copied_words: words of a run that is allowed, 4 to 50; 4: no five words in a row may occur in a song.

    Raises:
        ArgumentError: `max_copied_words` is out of range.
    """

    start = CopyState()
    """The state before the first word."""

    def __init__(self, index: SongIndex, max_copied_words: object):
        self.index = index
        self.max_copied_words = check_integer("max_copied_words", max_copied_words, MIN_RUN, MAX_RUN)

    def after(self, state: CopyState, text: str) -> CopyState:
        """The state after more text, usually a word; `state` itself where the text holds no word.

        Args:
            state: the state before.
            text: complete words, any number; of a text in progress, without its `trailing_partial_word`.
        """
        for word in find_words(text):
            state = self._after_word(state, hash_word(word.text))
        return state

    def rejects(self, state: CopyState) -> bool:
        """Whether the copied run that ends here is longer than allowed."""
        return state.run > self.max_copied_words

    exceeds = rejects  # the earlier name

    def banned_labels(self, state: CopyState, partial_word: str) -> Collection[int]:
        """None: a copied run is known once its last word is complete."""
        return ()

    def _after_word(self, state: CopyState, word: int) -> CopyState:
        """The state after one more word, given by its hash."""
        words = (*state.words, word)
        if len(words) < GRAM:
            return CopyState(words)
        gram = hash_gram(words)
        songs = self.index.songs_with(gram)
        if not songs:
            return CopyState(words[1:])
        runs = {song: state.runs.get(song, GRAM - 1) + 1 for song, _ in songs}
        if gram in state.grams:  # a run has a gram no more often than its song has
            period = next((period for period in range(1, GRAM) if words[period:] == words[:-period]), 0)
            distances = [words_ago for words_ago, earlier in enumerate(reversed(state.grams), 1) if earlier == gram]
            for song, times in songs:
                if times <= len(distances) and (not period or distances[times - 1] == times * period):
                    runs[song] = min(runs[song], GRAM - 1 + distances[times - 1])
        return CopyState(words[1:], runs, (*state.grams[1 - MAX_RUN :], gram))


def make_copy_guard(max_copied_words: object, index: Callable[[], SongIndex]) -> CopyGuard | None:
    """The guard for a setting; None for 0, which is no limit.

    Args:
        max_copied_words: words of a copied run that is allowed, 4 to 50; 0 or None: no limit.
        index: loads the song index; only called for a limit.

    Raises:
        ArgumentError: `max_copied_words` is something else.
    """
    limit = check_integer("max_copied_words", max_copied_words or 0, MIN_RUN, MAX_RUN, or_zero=True)
    return CopyGuard(index(), limit) if limit else None
