"""Argument checks: clean values, or one sentence."""

import math
from fractions import Fraction
from time import perf_counter

import numpy as np
import pytest

from lyricgen import ArgumentError
from lyricgen.validation import (
    check_choice,
    check_integer,
    check_number,
    check_seed,
    check_text,
    check_text_length,
    name_key,
    nearest,
    short_repr,
)

COLOURS = ["Amber", "Beige", "Crimson", "Denim", "Ebony", "Fuchsia", "Gold"]


@pytest.mark.parametrize("value", [3, 3.0, "3", " 3 ", np.int64(3), np.float32(3), Fraction(3)])
def test_whole_numbers_in_any_form_become_int(value):
    result = check_integer("top_k", value, 1, 5)
    assert result == 3 and type(result) is int


@pytest.mark.parametrize(
    "value",
    [
        0,
        6,
        2.5,
        "",
        "three",
        None,
        True,
        [3],
        math.nan,
        math.inf,
        "nan",
        "1e999",
        10**400,
        pytest.param(10**5000, id="5001 digits"),
        3j,
        np.zeros(9),
    ],
)
def test_a_value_that_is_not_a_whole_number_in_range_is_quoted(value):
    with pytest.raises(ArgumentError) as error:
        check_integer("top_k", value, 1, 5)
    assert str(error.value) == f"top_k must be a whole number from 1 to 5, got {short_repr(value)}"
    assert str(error.value).isprintable() and len(str(error.value)) < 120


def test_numbers_outside_their_range_are_refused():
    assert check_number("top_p", "0.5", 0, 1) == 0.5 and check_number("top_p", 0, 0, 1) == 0.0
    with pytest.raises(ArgumentError, match=r"^top_p must be a number above 0 and at most 1, got 0$"):
        check_number("top_p", 0, 0, 1, above_low=True)
    for value in (-0.1, 1.1, math.nan, -math.inf, None, "warm", False):
        with pytest.raises(ArgumentError, match=r"^top_p must be a number from 0 to 1, got "):
            check_number("top_p", value, 0, 1)


def test_a_seed_is_a_whole_number_or_none():
    assert check_seed(None) is None and check_seed("777") == 777 and check_seed(2**32 - 1) == 2**32 - 1
    for value in (-1, 2**32, 0.5, "", "x"):
        with pytest.raises(ArgumentError, match="^seed must be a whole number from 0 to 4,294,967,295, got "):
            check_seed(value)


def test_text_is_text_and_none_is_empty():
    assert check_text("prefix", None) == "" and check_text("prefix", " Hi ") == " Hi "
    with pytest.raises(ArgumentError, match="^prefix must be text, got 5$"):
        check_text("prefix", 5)


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("a\r\nb\rc\n\rd\r\r\n", "a\nb\nc\n\nd\n\n"),
        ("\ufeffking", "king"),
        ("ki\u200bng\u2060 \u200eso\u00adft\u202e", "king soft"),
        (
            "\u2764\ufe0f \U0001f469\u200d\U0001f469 \u0645\u06cc\u200c\u062e",
            "\u2764\ufe0f \U0001f469\u200d\U0001f469 \u0645\u06cc\u200c\u062e",
        ),
        ("don\u2019t  stop \n", "don\u2019t  stop \n"),
    ],
)
def test_a_text_has_line_breaks_of_one_character_and_nothing_invisible(typed, text):
    assert check_text("text", typed) == text and check_text_length("text", typed, len(text), len(text)) == text
    assert check_text("text", typed, as_given=True) == typed


def test_names_are_equal_but_for_case_spacing_and_form():
    names = ["Beyonc\u00e9 X", "beyonce\u0301\u00a0 x", " BEYONC\u00c9\u200b X", "\uff22eyonc\u00e9 X\ufeff"]
    assert len(set(map(name_key, names))) == 1 and name_key("Beyonce X") != name_key(names[0])
    assert all(check_choice("artist", name, [names[0], "Ann"]) == names[0] for name in names)
    assert (
        check_choice("artist", "Ann ", ["Ann", "Ann "]) == "Ann " and check_choice("artist", "ann", ["Ann "]) == "Ann "
    )
    start = perf_counter()
    name_key("a" + "\u0301\u0316" * 1_000_000)
    assert perf_counter() - start < 2


def test_a_text_keeps_to_its_length():
    assert check_text_length("text", "abc", 1, 3) == "abc" and check_text_length("text", None, 0, 3) == ""
    for value, low, message in (
        ("abcd", 1, "text must have 1 to 3 characters, got 4"),
        ("", 1, "text must have 1 to 3 characters, got an empty text"),
        ("x" * 1234, 0, "text must have at most 3 characters, got 1,234"),
        (5, 1, "text must be text, got 5"),
    ):
        with pytest.raises(ArgumentError) as error:
            check_text_length("text", value, low, 3)
        assert str(error.value) == message


def test_a_choice_ignores_case_and_surrounding_spaces():
    assert check_choice("colour", " crimson ", COLOURS) == "Crimson"


def test_a_wrong_choice_among_few_names_them_and_among_many_the_nearest():
    with pytest.raises(ArgumentError, match="^colour must be one of Amber, Beige; got 'red'$"):
        check_choice("colour", "red", COLOURS[:2])
    with pytest.raises(ArgumentError, match="^colour 'crimsn' is not among the 7 known; nearest: Crimson"):
        check_choice("colour", "crimsn", COLOURS)
    for value in (None, 5, "", ["Amber"]):
        with pytest.raises(ArgumentError, match="^colour must be one of Amber, .*Gold; got "):
            check_choice("colour", value, COLOURS)


def test_nearest_lists_the_most_similar_first():
    assert nearest("gld", COLOURS)[0] == "Gold" and len(nearest("gld", COLOURS, limit=2)) == 2


def test_a_short_repr_is_one_line():
    assert short_repr("a\nb") == "'a\\nb'" and short_repr(1.5) == "1.5"
    for value in ("x" * 500, 10**5000, np.zeros((50, 50)), {"a": "\n" * 99}):
        assert short_repr(value).isprintable() and len(short_repr(value)) <= 60
    assert len(short_repr("x" * 500, width=20)) == 20
