"""Characters and labels."""

import string

import numpy as np
import pytest
import torch

from lyricgen import character_to_label, encode, pad_sequence, string_to_labels, token_ids_to_str


def test_labels_are_the_positions_in_string_printable():
    assert [character_to_label(character) for character in string.printable] == list(range(100))
    assert string_to_labels(string.printable) == list(range(100))
    assert token_ids_to_str(range(100)) == string.printable


def test_characters_outside_take_the_oov_label_that_is_asked_for():
    assert string_to_labels("a방é\u2005\0\x7f\x80") == [10, 100, 100, 100, 100, 100, 100]
    assert character_to_label("é", 7) == 7 and string_to_labels("é", oov_label=7) == [7]


@pytest.mark.parametrize("text", ["", "hello\n", "방탄 é \U0001f600 \ud800", "".join(map(chr, range(0x3000)))])
def test_encode_equals_string_to_labels(text):
    labels = encode(text)
    assert labels.dtype == np.uint8 and labels.tolist() == string_to_labels(text)


def test_label_100_and_labels_beyond_show_as_the_replacement_character():
    assert token_ids_to_str([10, 100, -1, 500]) == "a\ufffd\ufffd\ufffd"


@pytest.mark.parametrize("form", [list, tuple, np.array, torch.tensor])
def test_a_sequence_of_any_kind_becomes_a_string(form):
    assert token_ids_to_str(form([17, 18])) == "hi" and token_ids_to_str(form([])) == ""


def test_padding_fills_up_and_leaves_its_argument_alone():
    seq, tensor = [1, 2], torch.tensor([1, 2])
    assert pad_sequence(seq, 4) == [1, 2, 100, 100] and pad_sequence(seq, 3, 7) == [1, 2, 7] and seq == [1, 2]
    padded = pad_sequence(tensor, 4, 5)
    assert padded.tolist() == [1, 2, 5, 5] and padded.dtype == torch.long and tensor.tolist() == [1, 2]


def test_a_sequence_that_is_long_enough_stays_whole():
    assert pad_sequence([1, 2, 3], 2) == [1, 2, 3] and pad_sequence(torch.tensor([1, 2]), 2).tolist() == [1, 2]
