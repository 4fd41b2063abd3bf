"""The lexicon of a verse: words with syllables and rhymes as masks, and the letters that continue a prefix."""

import numpy as np
import pytest

from lyricgen.words.lexicon import SONG_WORDS, Lexicon, song_lexicon
from lyricgen.words.rhymes import pronunciations, rhyme_kind

WORDS = ["the", "night", "light", "alight", "delight", "line", "river", "i", "'cause", "knight"]


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return Lexicon(WORDS)


def named(lexicon: Lexicon, mask: np.ndarray) -> set[str]:
    return {lexicon.words[number] for number in np.flatnonzero(mask)}


def test_words_are_sorted_with_their_syllables(lexicon):
    assert lexicon.words == sorted(WORDS)
    assert dict(zip(lexicon.words, lexicon.syllables.tolist(), strict=True))["river"] == 2


def test_rhymes_are_those_of_rhyme_kind(lexicon):
    assert named(lexicon, lexicon.rhymes_with("night")) == {"light", "alight", "delight"}  # not knight
    assert named(lexicon, lexicon.rhymes_with("light")) == {"night", "knight"}  # nor words that end with it
    for word in WORDS:
        assert named(lexicon, lexicon.rhymes_with(word, near=True)) == {
            each for each in WORDS if rhyme_kind(word, each)
        }


def test_masks_of_words_and_rules(lexicon):
    assert named(lexicon, lexicon.mask(["river", "sea"])) == {"river"}
    assert named(lexicon, lexicon.where(lambda word: "i" not in word)) == {"the", "'cause"}
    assert not named(lexicon, lexicon.without_weak_ends()) & {"the", "i", "'cause"}
    assert named(Lexicon(["oh", "low"]), ~Lexicon(["oh", "low"]).without_weak_ends()) == {"oh"}


def test_words_that_enough_frequent_words_rhyme_with():
    lexicon = song_lexicon()
    rhymed = named(lexicon, lexicon.with_partners)
    assert {"day", "night", "alone", "flight"} <= rhymed and not {"love", "month", "orange", "the"} & rhymed


def test_letters_that_continue_a_prefix(lexicon):
    every = np.ones(len(lexicon), dtype=bool)
    assert lexicon.next_letters(every, "") == ("'adiklnrt", False)
    assert lexicon.next_letters(every, "li") == ("gn", False)
    assert lexicon.next_letters(every, "i") == ("", True)
    assert lexicon.next_letters(lexicon.mask(["light"]), "") == ("l", False)
    assert lexicon.next_letters(~every, "") == ("", False)


def test_the_words_of_the_songs_can_all_be_pronounced():
    words = SONG_WORDS.read_text(encoding="utf-8").split()
    assert 5_000 < len(words) == len(set(words)) == len(song_lexicon())
    assert all(pronunciations(word) for word in words)
