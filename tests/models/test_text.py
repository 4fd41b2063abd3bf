"""Text as the models read and write it: lines and section breaks."""

import pytest

from lyricgen.models.text import line_spans, section_breaks_to_newlines


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        (" ", []),
        ("  \n\t ", []),
        ("a", ["a"]),
        ("a b", ["a b"]),
        ("one line  and two", ["one line", "and two"]),
        ("one\ntwo\rthree\r\nfour", ["one", "two", "three", "four"]),
        ("one \n two", ["one", "two"]),
        ("\n\n  one   \n", ["one"]),
        (" one ", ["one"]),
        ("tab\tinside", ["tab\tinside"]),  # read like a space
        ("tab\t and space", ["tab", "and space"]),
        ("a\u00a0b\u00a0 c", ["a\u00a0b", "c"]),
        ("a\u2028b\x85c\fd\x1ee", ["a", "b", "c", "d", "e"]),
    ],
)
def test_lines_end_at_line_ends_and_at_runs_of_spaces(text, lines):
    assert [text[start:stop] for start, stop in line_spans(text)] == lines


def test_lines_agree_with_splitlines_where_words_are_one_space_apart():
    for code in range(0x3000):
        character = chr(code)
        if not character.isspace() and len(f"a{character}b".splitlines()) == 1:
            continue
        text = f"a{character}b"
        assert [text[start:stop] for start, stop in line_spans(text)] == text.splitlines(), hex(code)


def test_a_generated_text_has_the_same_lines_as_it_is_shown():
    text = "slow river  turn again   home"
    assert line_spans(text) == line_spans(section_breaks_to_newlines(text))


def test_a_long_text_of_spaces_or_words_takes_linear_time():
    assert len(line_spans("a " * 200_000)) == 1
    assert line_spans(" " * 400_000) == []


def test_runs_of_spaces_show_as_line_breaks_of_the_same_length():
    assert section_breaks_to_newlines("a  b   c d") == "a\n\nb\n\n\nc d"
    assert section_breaks_to_newlines("a  b  c", prefix_length=4) == "a  b\n\nc"
    assert section_breaks_to_newlines("  ") == "\n\n"
    assert section_breaks_to_newlines("") == ""
