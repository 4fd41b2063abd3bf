"""Syllables and rhymes by CMUdict, and by spelling for words that it lacks."""

import pytest

from lyricgen import ArgumentError, rhymes
from lyricgen.words.rhymes import MAX_RHYMED_LENGTH, count_syllables, pronunciations, rhyme_kind, syllables

STANZA = "the lamp is low, the harbour bright\na gull went over, out of sight\n\nmy pockets hold a bit of sand\nand 'flimbrish' in the other hand"


@pytest.mark.parametrize(
    ("word", "count"),
    [
        ("harbour", 2), ("every", 3), ("don't", 1), ("hmm", 1), ("station", 2), ("lovin'", 2), ("river's", 2), ("watch's", 2),
        ("flimbrish", 2), ("skrate", 1), ("brindle", 2), ("zzz", 1), ("7", 1),
    ],
)  # fmt: skip
def test_syllables(word, count):
    assert syllables(word) == count


def test_syllables_of_a_text_ignore_case_and_marks():
    assert count_syllables("The HARBOUR, isn’t it? -- bright!") == 7
    assert count_syllables(" ... ") == 0


def test_a_dropped_g_and_a_possessive_are_derived_from_their_base():
    assert pronunciations("strummin'") == ("S T R AH1 M IH0 N",)
    assert pronunciations("gull's") == ("G AH1 L Z",)
    assert pronunciations("flimbrish") == ()
    assert pronunciations("aalto") == ("AA1 L T OW2",)  # without the dictionary's comment


@pytest.mark.parametrize(
    ("first", "second", "kind"),
    [
        ("bright", "sight", "perfect"),
        ("station", "creation", "perfect"),
        ("time", "mine", "near"),
        ("sand", "hands", ""),
        ("sight", "sight", ""),
        ("sight", "site", ""),  # a homophone is no rhyme
        ("day", "today", ""),  # nor is a word inside itself
        ("right", "alright", ""),
        ("side", "inside", ""),
        ("pride", "aside", "perfect"),
        ("ride", "betide", "perfect"),
        ("rain", "train", "perfect"),
        ("cause", "laws", "perfect"),  # by its second pronunciation
        ("flimbrish", "brimbrish", ""),
        ("flimbrish", "trelish", "perfect"),  # both lacking, by spelling
        ("flimbrish", "dish", ""),
        ("orange", "door", ""),
    ],
)
def test_rhymes_of_two_words(first, second, kind):
    assert rhyme_kind(first, second) == rhyme_kind(second, first) == kind


def test_lines_with_their_rhymes():
    lines = rhymes(STANZA)
    assert [(line.syllables, line.end, line.group, line.kind) for line in lines] == [
        (8, "bright", "A", "perfect"),
        (8, "sight", "A", "perfect"),
        (8, "sand", "B", "perfect"),
        (8, "hand", "B", "perfect"),
    ]
    assert lines[0].to_dict()["text"] == "the lamp is low, the harbour bright"


def test_a_perfect_rhyme_further_away_comes_before_a_near_one():
    lines = rhymes("a dime\na mine\na time")
    assert [(line.group, line.kind) for line in lines] == [("A", "near"), ("A", "near"), ("A", "perfect")]
    assert [line.kind for line in rhymes("a lime\na cup\na time")] == ["perfect", "", "perfect"]


def test_lines_rhyme_over_four_lines_at_most():
    apart = ["bright", "the moon", "a cup", "the dog", "my tea", "sight"]
    assert [line.group for line in rhymes("\n".join(apart))] == [""] * 6
    assert [line.group for line in rhymes("\n".join(apart[:1] + apart[2:]))] == ["A", "", "", "", "A"]


def test_lines_without_a_word_have_no_rhyme():
    assert [(line.end, line.group) for line in rhymes("...\n...")] == [("", ""), ("", "")]
    assert rhymes("   ") == []


@pytest.mark.parametrize("text", ["", "x" * (MAX_RHYMED_LENGTH + 1), 7])
def test_bad_texts_are_refused(text):
    with pytest.raises(ArgumentError, match="text must"):
        rhymes(text)


def test_accents_do_not_change_syllables_and_rhymes():
    for cafe in ("caf\u00e9", "cafe\u0301"):
        first, second = rhymes(f"we met in the {cafe}\nand then you walked away")
        assert (first.syllables, first.end, first.group, second.group) == (6, "cafe", "A", "A")
    assert count_syllables("na\u00efve fianc\u00e9e") == count_syllables("naive fiancee")


def test_of_a_word_of_many_letters_the_end_counts():
    (line,) = rhymes("b" * 10_000 + "ay")
    assert len(line.end) == 50 and line.syllables == 1
