"""Characters <-> labels: the 100 characters of `string.printable`, and label 100 for all others but typographic apostrophes.

Label 100 is padding, the label of every character outside the vocabulary, and the label that opens a song. Inputs have
101 symbols, outputs 100 classes: a model reads label 100 but never writes it.
"""

import string
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, overload

import numpy as np

if TYPE_CHECKING:  # torch takes seconds to import
    import torch

CHARACTERS = string.printable
NUM_CLASSES = len(CHARACTERS)  # 100
NUM_VISIBLE = len(CHARACTERS.rstrip())  # 94; whitespace has the last labels
PADDING_LABEL = OOV_LABEL = START_LABEL = NUM_CLASSES
INPUT_SIZE = NUM_CLASSES + 1
TYPOGRAPHIC_APOSTROPHES = "’‘‛ʼ′´＇"
"""Characters that are typed for an apostrophe, and that the models read as one."""
APOSTROPHES = f"'`{TYPOGRAPHIC_APOSTROPHES}"
TO_APOSTROPHE = str.maketrans(dict.fromkeys(APOSTROPHES, "'"))
"""For `str.translate`: any apostrophe of a word becomes '."""

_LABEL_OF = {character: label for label, character in enumerate(CHARACTERS)}
_LABEL_OF |= dict.fromkeys(TYPOGRAPHIC_APOSTROPHES, _LABEL_OF["'"])
_LABEL_TABLE = np.full(0x10000, OOV_LABEL, dtype=np.uint8)  # by code point; the last one: all beyond
_LABEL_TABLE[[ord(character) for character in _LABEL_OF]] = list(_LABEL_OF.values())


def character_to_label(character: str, oov_label: int = OOV_LABEL) -> int:
    """The label of one character, `oov_label` if it lies outside the vocabulary; a typographic apostrophe has the label of '.

    >>> character_to_label("a"), character_to_label("é")
    (10, 100)
    """
    return _LABEL_OF.get(character, oov_label)


def string_to_labels(character_string: str, oov_label: int = OOV_LABEL) -> list[int]:
    """The labels of a string, one per character.

    >>> string_to_labels("ab c")
    [10, 11, 94, 12]
    """
    return [_LABEL_OF.get(character, oov_label) for character in character_string]


def encode(text: str) -> np.ndarray:
    """`string_to_labels` through a lookup table: a uint8 array, one label per code point, at tens of MB per second."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    return _LABEL_TABLE[np.minimum(codes, len(_LABEL_TABLE) - 1)]


def has_known_character(text: str) -> bool:
    """Whether a text has a character of the vocabulary beside whitespace.

    >>> has_known_character("\u4f60 \u597d\\n"), has_known_character("\u4f60 ok")
    (False, True)
    """
    return bool((encode(text.lower()) < NUM_VISIBLE).any())


def token_ids_to_str(token_ids: "Iterable[int] | torch.Tensor") -> str:
    """The string of a sequence of labels (a list, an array, or a tensor of one dimension); label 100 shows as U+FFFD.

    >>> token_ids_to_str([10, 100, 11])
    'a\ufffdb'
    """
    if hasattr(token_ids, "reshape"):  # an array or a tensor
        token_ids = token_ids.reshape(-1).tolist()
    return "".join(CHARACTERS[label] if 0 <= label < NUM_CLASSES else "\ufffd" for label in map(int, token_ids))


@overload
def pad_sequence(seq: "torch.Tensor", max_length: int, pad_label: int = PADDING_LABEL) -> "torch.Tensor": ...
@overload
def pad_sequence(seq: Sequence[int], max_length: int, pad_label: int = PADDING_LABEL) -> list[int]: ...
def pad_sequence(
    seq: "Sequence[int] | torch.Tensor", max_length: int, pad_label: int = PADDING_LABEL
) -> "list[int] | torch.Tensor":
    """`seq` filled up with `pad_label` to `max_length`; a tensor gives a tensor, anything else a list. `seq` stays as it is.

    >>> pad_sequence([1, 2], 4, 100)
    [1, 2, 100, 100]
    """
    length = len(seq)
    if isinstance(seq, Sequence) or not hasattr(seq, "new_full"):
        return list(seq) + [pad_label] * (max_length - length)
    padded = seq.new_full((max(length, max_length),), pad_label)
    padded[:length] = seq
    return padded


def is_word_character(character: str) -> bool:
    """Whether a character can be part of a word: a letter, a digit or an apostrophe. Any other ends the word."""
    return character.isalnum() or character in APOSTROPHES


def trailing_partial_word(text: str) -> str:
    """The incomplete word at the end of a text; '' after a character that ends words.

    >>> trailing_partial_word("Look: the riv"), trailing_partial_word("look: the river ")
    ('riv', '')
    """
    start = len(text)
    while start and is_word_character(text[start - 1]):
        start -= 1
    return text[start:]
