"""Verses in a form and gaps in a text, by small networks that were never trained: they keep every form."""

from itertools import combinations

import pytest
import torch

from lyricgen import ArgumentError, ImprovedSeqModel, fill_gap, score, write_verse
from lyricgen.generation import particles
from lyricgen.generation.api import make_request
from lyricgen.generation.constraints import FirstLetter, Syllables
from lyricgen.generation.schemes import SCHEMES, VerseForm, line_forms
from lyricgen.generation.verse import GapWriter, VerseWriter, weakened
from lyricgen.words.lexicon import song_lexicon
from lyricgen.words.rhymes import count_syllables, rhyme_kind, split_words

GIVEN = "the winter came across the hill"


@pytest.fixture(scope="module")
def model() -> ImprovedSeqModel:
    torch.manual_seed(2)
    model = ImprovedSeqModel(hidden_size=12, artists=("Ann", "Bob"))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(4)  # sharp opinions
    return model.eval()


def keeps(verse, scheme: str) -> bool:
    """Whether lines have their syllables, and rhyme where they are to."""
    ends: dict[str, list[str]] = {}
    for line in verse.lines:
        ends.setdefault(line.rhyme, []).append(split_words(line.text)[-1])
    ends.pop("", None)
    return all(rhyme_kind(*pair) == "perfect" for words in ends.values() for pair in combinations(words, 2))


@pytest.mark.parametrize(("scheme", "syllables"), [("couplet", [6, 6]), ("ABAB", [6] * 4), ("limerick", [8, 8, 5, 5, 8]), ("haiku", [5, 7, 5])])  # fmt: skip
def test_a_verse_keeps_its_scheme(model, scheme, syllables):
    verse = write_verse(scheme, syllables=6, model=model, seed=4)
    assert [line.syllables for line in verse.lines] == [count_syllables(line) for line in verse.text.split("\n")] == syllables  # fmt: skip
    assert [line.rhyme for line in verse.lines] == [form.rhyme for form in line_forms(scheme, 6, "", 4)]
    assert keeps(verse, scheme) and verse.notes == ()


@pytest.mark.parametrize("seed", range(3))
def test_a_line_rhymes_with_all_given_lines_that_it_is_to_rhyme_with(model, seed):
    given = (
        "i want to see you again\nwalking out into the rain"  # "then" and "train" would rhyme with one of them alone
    )
    verse = write_verse("limerick", lines=given, model=model, seed=seed)
    ends = [split_words(verse.lines[line].text)[-1] for line in (0, 1, 4)]
    assert all(rhyme_kind(*pair) for pair in combinations(ends, 2)) or verse.notes


def test_long_words_find_their_places_whatever_the_order(model):
    form = VerseForm("couplet", syllables=4, words="my, your, remember")
    assert sorted(map(sorted, VerseWriter(make_request(model=model), form)._place(["my", "your", "remember"]))) == [
        ["my", "your"],
        ["remember"],
    ]


def test_the_same_seed_writes_the_same_verse(model):
    texts = [write_verse("couplet", syllables=5, model=model, seed=seed).text for seed in (7, 7, 8)]
    assert texts[0] == texts[1] != texts[2]


def test_lines_that_are_likely_as_a_whole_are_preferred(model, monkeypatch):
    def bits(power: float) -> float:
        monkeypatch.setattr(particles, "POWER", power)
        lines = [write_verse("lines", count=1, syllables=5, model=model, seed=seed).text for seed in range(3)]
        return sum(score(line, model=model).bits_per_character for line in lines)

    assert bits(1.0) < bits(0.0)


def test_the_style_matters(model):
    texts = {write_verse("lines", count=1, syllables=5, model=model, seed=7, **style).text for style in ({}, {"artist": "Ann"}, {"artist": "Ann", "guidance": 2})}  # fmt: skip
    assert len(texts) == 3


@pytest.mark.parametrize("style", [{}, {"artist": "Ann", "guidance": 2}])
def test_held_units_change_a_verse(model, style):
    units = ", ".join(f"2.{unit}=1" for unit in range(3))
    settings = {"count": 1, "syllables": 5, "model": model, "seed": 7, **style}
    texts = {write_verse("lines", units=held, **settings).text for held in ("", units, units)}
    assert len(texts) == 2


def test_first_letters_words_and_forbidden_letters_hold_together(model):
    verse = write_verse("acrostic", acrostic="Bo", words="river, zorple", without="x", syllables=7, model=model, seed=1)
    assert [line.text[0] for line in verse.lines] == ["b", "o"]
    assert {"river", "zorple"} <= set(split_words(verse.text)) and "x" not in verse.text
    assert verse.notes == ()


def test_given_lines_stay_and_the_others_rhyme_with_them(model):
    verse = write_verse("couplet", lines=f"\n{GIVEN}", model=model, seed=3)
    assert verse.lines[1].text == GIVEN and [line.given for line in verse.lines] == [False, True]
    assert rhyme_kind(split_words(verse.lines[0].text)[-1], "hill") == "perfect"


def test_what_cannot_be_met_is_said_and_the_best_attempt_shown(model):
    verse = write_verse("couplet", lines="i peeled a perfectly ripe orange\n", model=model, seed=3)
    assert verse.notes[-1] == "Line 2: it does not rhyme with 'orange'."
    assert verse.lines[1].syllables == 8
    both = write_verse("couplet", lines="a cup of tea\nDog", acrostic="ax", without="t", model=model, seed=3)
    assert both.notes == (
        "Line 1 is given, and has 4 syllables, not 8.",
        "Line 1 is given, and has letters of 't'.",
        "Line 2 is given, and has 1 syllable, not 8.",
        "Line 2 is given, and does not begin with 'x'.",
        "The lines that end with 'tea' and 'dog' are given, and do not rhyme.",
    )


def test_clean_words_stay_out(model, tmp_path):
    request = make_request(model=model, seed=5, clean_words=True)
    *_, verse = VerseWriter(request, VerseForm("lines", 4, count=2)).stream()
    banned = split_words(verse.text)[1]
    object.__setattr__(request, "guards", (type(request.guards[0])({banned}),))
    *_, other = VerseWriter(request, VerseForm("lines", 4, count=2)).stream()
    assert banned not in split_words(other.text)


def test_a_verse_grows_word_by_word_and_ends_complete(model):
    verses = list(VerseWriter(make_request(model=model, seed=5), VerseForm("lines", 3, count=2)).stream())
    assert len(verses) > 3 and not verses[0].lines[1].text
    assert [line.syllables for line in verses[-1].lines] == [3, 3]


def test_constraints_are_weakened_one_by_one_and_then_together():
    lexicon = song_lexicon()
    kept, first, second = Syllables(lexicon, 2), FirstLetter(lexicon, "x"), FirstLetter(lexicon, "y")
    attempts = list(weakened([kept, first, second]))
    assert [len(constraints) for constraints, _ in attempts] == [3, 2, 2, 1]
    assert attempts[1][1] == ["it does not begin with 'y'"] and attempts[2][1] == ["it does not begin with 'x'"]
    assert all(constraints[0] is kept for constraints, _ in attempts)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scheme": "sonnet"}, "scheme 'sonnet' is not among"),
        ({"syllables": 0}, "syllables must be a whole number from 2 to 16, got 0"),
        ({"syllables": 99}, "syllables must be a whole number from 2 to 16, got 99"),
        ({"words": " , "}, "words must be words of up to 24 letters"),
        ({"words": "\ud55c\uad6d"}, "words must be words of up to 24 letters"),
        ({"words": " ".join(f"{a}{b}lo" for a in "bdfgklm" for b in "aeiouyh")}, "words must fit into the lines"),
        ({"scheme": "acrostic"}, "acrostic must have a name"),
        ({"scheme": "acrostic", "acrostic": "\N{PARTY POPPER}"}, "acrostic must be at most 12 letters"),
        ({"acrostic": "Eleanor"}, "acrostic must have at most 2 letters"),
        ({"acrostic": "ab", "without": "b"}, "without must leave the letters of acrostic"),
        ({"words": "river", "without": "v"}, "without must leave the letters of words"),
        ({"without": "aeiouy"}, "without must leave 200 words or more"),
        ({"without": "7"}, "without must be letters from a to z"),
        ({"lines": "a\nb\nc"}, "lines must be at most 2 with this scheme, got 3"),
        ({"lines": "a" * 201}, "lines must have 1 to 200 characters"),
        ({"scheme": "lines", "count": 13}, "count must be a whole number from 1 to 12"),
        ({"temperature": 0}, "temperature must be a number from 0.1 to 100"),
        ({"artist": "Cy"}, "artist must be one of"),
    ],
)  # fmt: skip
def test_bad_input_is_one_sentence(model, arguments, message):
    with pytest.raises(ArgumentError) as raised:
        write_verse(**{"model": model, **arguments})
    assert message in str(raised.value) and "\n" not in str(raised.value)


def test_every_scheme_has_its_lines():
    assert {name: len(line_forms(name, 8, "ada", 3)) for name in SCHEMES if name != "couplet"} == {
        "AABB": 4, "ABAB": 4, "ABBA": 4, "limerick": 5, "haiku": 3, "acrostic": 3, "lines": 3,
    }  # fmt: skip


@pytest.mark.parametrize("before", ["The winter came ", "The winter came", ""])
@pytest.mark.parametrize("behind", [" across the hill", ", said the hill", ""])
def test_a_gap_is_filled_with_whole_words_of_the_length(model, before, behind):
    filled = fill_gap(f"{before}[..]{behind}", length=30, model=model, seed=2)
    assert filled.startswith(before) and filled.endswith(behind)
    middle = filled[len(before) : len(filled) - len(behind)].strip()
    joined = f"{before.strip()} {middle}{behind}".lstrip()
    assert filled == joined  # one space before the words, none before a comma
    assert 15 <= len(middle) <= 30 and set(middle.split()) <= set(song_lexicon().words)


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("the sea [..], and home", "the sea is calm, and home"), ("he said “[..]” and left", "he said “is calm” and left"),
        ("the sea ([..])", "the sea (is calm)"), ("the sea [..] “now”", "the sea is calm “now”"), ("[..]!", "is calm!"),
        ("the sea [..]", "the sea is calm"), ("the sea[..]again", "the sea is calm again"),
    ],
)  # fmt: skip
def test_a_gap_beside_marks_has_no_space_that_is_not_written(model, text, filled):
    assert GapWriter(make_request(model=model), text)._whole("is calm") == filled


@pytest.mark.parametrize(
    ("text", "length", "message"),
    [
        ("no gap", 60, "text must have one gap, written [..], got 0"),
        ("a [..] b [...] c", 60, "text must have one gap, written [..], got 2"),
        ("", 60, "text must have 1 to 5,000 characters"),
        ("a [..] b", 4, "length must be a whole number from 5 to 200, got 4"),
    ],
)
def test_bad_gaps_are_refused(model, text, length, message):
    with pytest.raises(ArgumentError) as raised:
        fill_gap(text, length=length, model=model)
    assert message in str(raised.value)
