"""Constraints: what may come next, what a line is worth, and where it may end."""

import numpy as np
import pytest

from lyricgen.generation.constraints import (
    FORBIDDEN,
    CanBeRhymed,
    Constraint,
    FewRepeats,
    FirstLetter,
    Guarded,
    Includes,
    Length,
    Rhyme,
    StrongEnd,
    Syllables,
    Without,
)
from lyricgen.words.lexicon import Lexicon

LEXICON = Lexicon(["the", "light", "delight", "night", "line", "river", "a", "seven", "yellow", "sea"])


def after(constraint: Constraint, *words: str, context: str = ""):
    """The state after some words."""
    state = constraint.begin(context)
    for word in words:
        state = constraint.after(state, word)
    return state


def allowed(constraint: Constraint, *words: str) -> set[str]:
    """The words that may come next."""
    mask = constraint.allowed(after(constraint, *words))
    return set(LEXICON.words) if mask is None else {LEXICON.words[number] for number in np.flatnonzero(mask)}


def test_a_constraint_of_its_own_allows_everything():
    plain = Constraint()
    assert allowed(plain, "sea") == set(LEXICON.words)
    assert (plain.worth(None), plain.satisfied(None), plain.weaker()) == (0.0, True, None)


def test_syllables_leave_no_word_that_is_too_long_and_end_exactly():
    three = Syllables(LEXICON, 3)
    assert "river" in allowed(three, "light") and "river" not in allowed(three, "river")
    assert [three.satisfied(after(three, *words)) for words in (["sea"], ["river", "sea"])] == [False, True]
    assert allowed(three, "river", "sea") == set()


def test_the_last_word_rhymes_and_room_is_left_for_it():
    two = Rhyme(LEXICON, 2, ["light"])
    assert allowed(two) == {"the", "light", "night", "line", "a", "sea"}  # 'delight' ends with 'light'
    assert allowed(two, "the") == {"night"}
    assert allowed(Rhyme(LEXICON, 3, ["night"]), "the") >= {"delight", "sea"}
    assert allowed(Rhyme(LEXICON, 2, ["river"])) == set()  # nothing rhymes with it


def test_a_rhyme_is_none_of_the_ends_before_it():
    assert "night" not in allowed(Rhyme(LEXICON, 1, ["light", "night"]))


def test_a_weaker_rhyme_is_near_and_then_none():
    perfect = Rhyme(LEXICON, 1, ["mine"])
    near = perfect.weaker()
    assert "line" in allowed(perfect) and near.near and near.weaker() is None
    assert perfect.unmet == "its rhyme with 'mine' is not perfect" and near.unmet == "it does not rhyme with 'mine'"


def test_ends_that_lead_on_and_ends_that_nothing_rhymes_with():
    assert allowed(StrongEnd(LEXICON, 1)) == {"light", "night", "line", "sea"}
    assert allowed(CanBeRhymed(LEXICON, 1)) == set()  # too few words for any rhyme


def test_letters():
    assert allowed(Without(LEXICON, "ei")) == {"a"}
    first = FirstLetter(LEXICON, "s")
    assert allowed(first) == {"seven", "sea"} and allowed(first, "sea") == set(LEXICON.words)


def test_words_that_must_come_are_wanted_and_get_their_room():
    needs = Includes(LEXICON, ["river"], 3)
    assert allowed(needs) == {"the", "light", "night", "line", "a", "sea", "river"}
    assert allowed(needs, "sea") == {"river"}
    state = after(needs, "sea")
    assert not needs.satisfied(state) and np.flatnonzero(needs.wanted(state)).tolist() == [LEXICON.index["river"]]
    done = after(needs, "river")
    assert needs.satisfied(done) and needs.wanted(done) is None and needs.allowed(done) is None


def test_length_counts_the_spaces_between_words():
    length = Length(LEXICON, 6, 9)
    assert after(length, "the", "sea") == len("the sea")
    assert allowed(length, "the", "sea") == {"a"}
    assert [length.satisfied(after(length, *words)) for words in (["the"], ["the", "sea"])] == [False, True]


def test_repeats_cost_more_the_less_they_hold_a_sentence_together():
    repeats = FewRepeats()
    worths = [repeats.worth(after(repeats, *words)) for words in (["sea", "a"], ["the", "sea", "the"], ["sea", "a", "sea"], ["sea", "sea"])]  # fmt: skip
    assert worths[0] == 0 and worths == sorted(worths, reverse=True)
    assert repeats.worth(after(repeats, "sea", context="the sea\n")) < 0


def test_a_guard_as_a_constraint():
    class NoSea:
        """Rejects a word."""

        start = False

        def after(self, state: bool, text: str) -> bool:
            return "sea" in text.split()

        def rejects(self, state: bool) -> bool:
            return state

    guarded = Guarded(NoSea())
    assert guarded.worth(after(guarded, "the", context="sea ")) == 0.0  # the text before a line is left alone
    assert guarded.worth(after(guarded, "sea", "the")) == FORBIDDEN


@pytest.mark.parametrize("constraint", [Syllables(LEXICON, 2), FewRepeats(), Length(LEXICON, 1, 2)])
def test_what_a_line_is_made_of_is_never_given_up(constraint):
    assert constraint.unmet == ""
