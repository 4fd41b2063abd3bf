"""Lexicon: the words that a verse is made of, with their syllables and rhymes, as arrays over all of them.

Shapes: W words of the lexicon, in alphabetical order. A mask is a boolean array (W,) over them.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import cache, cached_property

import numpy as np

from lyricgen.storage import ASSETS
from lyricgen.words.rhymes import endings, sound_same, syllables

SONG_WORDS = ASSETS / "wordlists" / "song_words.txt"
_WEAK_ENDS = """a an the and or but nor if as than of to in on at by for from with into onto upon about like cause 'cause 'til til till until
that this these those my your his her its our their i we they you're i'm we're they're he's she's it's i've you've we've they've i'll
you'll he'll she'll it'll we'll they'll i'd you'd he'd she'd we'd they'd is are was were am be been do does did has have had can could will
would shall should may might must can't couldn't won't wouldn't shouldn't don't didn't doesn't ain't isn't aren't wasn't weren't haven't
let let's gonna wanna gotta got get so very just who whose which what what's that's there's here's where's who's how how's when while
because though since every no some any only even"""
WEAK_ENDS = frozenset(_WEAK_ENDS.split())
"""Words that lead on to the next: a line hardly ends with one."""
_FILLERS = "oh ooh oooh ohh o woo whoa hey yeah ah uh huh ha hmm mm na la da doo"
FILLERS = frozenset(_FILLERS.split())
"""Words that rhyme with much and say nothing."""
NO_ENDS = WEAK_ENDS | FILLERS
FREQUENT = 3_000  # words among which rhymes are counted
MIN_PARTNERS = 4  # rhymes among them that a word has at least where another line is to rhyme with it


class Lexicon:
    """A list of words with their syllables and rhymes.

    Args:
        words: lower case, letters a to z and apostrophes; the most frequent first.
    """

    def __init__(self, words: Iterable[str]):
        self.ranked = list(dict.fromkeys(words))
        self.words = sorted(self.ranked)
        self.index = {word: number for number, word in enumerate(self.words)}
        self.syllables = np.array([syllables(word) for word in self.words], dtype=np.int64)  # (W,)
        self._letters = np.zeros((len(self.words), max(map(len, self.words), default=0) + 1), dtype=np.uint8)
        for row, word in zip(self._letters, self.words, strict=True):
            row[: len(word)] = np.frombuffer(word.encode("ascii"), dtype=np.uint8)
        self._rhymes: dict[str, list[int]] = defaultdict(list)  # words by Ending.rhyme
        self._near: dict[str, list[int]] = defaultdict(list)  # words by Ending.near
        for number, word in enumerate(self.words):
            for ending in endings(word):
                self._rhymes[ending.rhyme].append(number)
                self._near[ending.near].append(number)

    def __len__(self) -> int:
        return len(self.words)

    def mask(self, words: Iterable[str]) -> np.ndarray:
        """The mask of some words; those that the lexicon lacks are left out."""
        mask = np.zeros(len(self), dtype=bool)
        mask[[self.index[word] for word in words if word in self.index]] = True
        return mask

    def where(self, rule: Callable[[str], bool]) -> np.ndarray:
        """The mask of the words for which a rule is true."""
        return np.fromiter(map(rule, self.words), dtype=bool, count=len(self))

    def rhymes_with(self, word: str, near: bool = False) -> np.ndarray:
        """The mask of the words that rhyme with a word, see `rhyme_kind`; `near` includes near rhymes."""
        mask, of_word = np.zeros(len(self), dtype=bool), endings(word)
        for ending in of_word:
            mask[self._near.get(ending.near, []) if near else self._rhymes.get(ending.rhyme, [])] = True
        for number in np.flatnonzero(mask):
            mask[number] = not sound_same(of_word, endings(self.words[number]))
        return mask & ~self.mask([word])

    @cached_property
    def with_partners(self) -> np.ndarray:
        """The mask of the words that enough frequent ones rhyme with, for a line that another is to rhyme with."""
        onsets: dict[str, set[str]] = defaultdict(set)  # by Ending.rhyme
        for word in self.ranked[:FREQUENT]:
            if word not in NO_ENDS:
                for ending in endings(word):
                    onsets[ending.rhyme].add(ending.onset)
        return self.where(lambda word: len(onsets[(end := endings(word)[0]).rhyme] - {end.onset}) >= MIN_PARTNERS)

    def without_weak_ends(self) -> np.ndarray:
        """The mask of the words that a line can end with."""
        return ~self.mask(NO_ENDS)

    def next_letters(self, mask: np.ndarray, prefix: str) -> tuple[str, bool]:
        """The letters that continue a prefix to a word of a mask, and whether the prefix is such a word itself."""
        start, stop = (
            bisect_left(self.words, prefix),
            bisect_left(self.words, f"{prefix}~"),
        )  # ~ comes after all letters
        column = self._letters[start:stop, len(prefix)][mask[start:stop]]
        letters = np.unique(column).tobytes().decode("ascii")  # "\0" where the prefix is a word
        return letters.lstrip("\0"), letters.startswith("\0")


@cache
def song_lexicon() -> Lexicon:
    """The words of the training songs."""
    return Lexicon(SONG_WORDS.read_text(encoding="utf-8").split())
