"""Word lists: parsing of typed ones with groups and arrows, and the published ones of bias research."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from lyricgen.errors import ArgumentError
from lyricgen.storage import ASSETS
from lyricgen.validation import check_text, check_text_length, short_repr

MAX_TEXT_LENGTH = 100_000  # characters
MAX_GROUP_NAME_LENGTH = 40  # characters; longer names are cut
_ARROW = re.compile(r"[-－]{0,2}[>＞]|→|=>")
_COLON = re.compile(r"(?<!\d)[:：﹕]|[:：﹕](?!\d)")  # not that of a time, as in 10:30
_COMMAS = re.compile(
    "[,;\u037e\uff0c\uff1b\u3001\uff64\u3002\uff61\u30fb\uff65\u060c\u061b\u066b\u066c\ufe50\ufe51\ufe54\ufe10\ufe11\ufe14\u055d\u1363\u1364\u07f8"
    "\u1802\u1808\ua4fe\ua60d\ua6f5\u2e41\u2e4c\u204f\u2022\u2023\u2043|\uff5c]"
)  # also of other scripts: full-width, ideographic, Arabic, Greek and so on; bullets; bars


@dataclass(frozen=True)
class WordList:
    """The different words of a text, in order."""

    words: list[str]
    groups: dict[str, str]
    """Group name of each word; '' if there is only one group."""
    arrows: list[tuple[str, str]]
    """Arrows as (start, end)."""


@dataclass(frozen=True)
class WordSets:
    """The four word sets of a Word Embedding Association Test."""

    name: str
    title: str
    targets: Mapping[str, list[str]]
    """Target sets X and Y by name."""
    attributes: Mapping[str, list[str]]
    """Attribute sets A and B by name."""
    published: Mapping[str, float]
    """`effect_size` in the paper, for GloVe with 840 billion tokens and 300 dimensions."""


@dataclass(frozen=True)
class GenderLists:
    """The word lists of Bolukbasi et al. (2016)."""

    definitional_pairs: list[tuple[str, str]]
    """(female, male) pairs that define the gender direction."""
    equalize_pairs: list[tuple[str, str]]
    """Pairs that differ only in gender after debiasing."""
    gender_specific: list[str]
    """Words that mean a gender; debiasing does not neutralize them."""
    occupations: list[str]


def parse_words(text: object, argument: str = "words", is_word: Callable[[str], bool] | None = None) -> WordList:
    """Reads words separated by commas, semicolons (of any script), spaces or line breaks.

    Each line is a group, named by the text before its colon if it has one; `man > king` adds an arrow. Where anything but
    spaces separates, words with a space between them are one if they are a word of the vector space: 'new york, london'.

    Args:
        text: at most 100,000 characters.
        argument: its name in an error message.
        is_word: whether words with spaces between them are one; None: never.

    Raises:
        ArgumentError: `text` is not a text, or too long.

    >>> parse_words("royal: king > queen\\nfruit: apple, pear").groups
    {'king': 'royal', 'queen': 'royal', 'apple': 'fruit', 'pear': 'fruit'}
    """
    text = check_text_length(argument, text, 0, MAX_TEXT_LENGTH)
    groups: dict[str, str] = {}
    arrows: list[tuple[str, str]] = []
    has_names = False
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) == 1 and not (_COMMAS.search(text) or _ARROW.search(text)):
        is_word = None  # spaces alone separate
    for number, line in enumerate(lines, 1):
        name, *after_colon = _COLON.split(line, maxsplit=1)
        if after_colon:
            has_names, rest = True, after_colon[0]
        else:
            name, rest = f"line {number}", line
        name = "".join(filter(str.isprintable, name)).strip()[:MAX_GROUP_NAME_LENGTH]
        chain = [_split(part, is_word) for part in _ARROW.split(rest)]
        for word in (word for part in chain for word in part):
            groups.setdefault(word, name)
        arrows += [(left[-1], right[0]) for left, right in zip(chain, chain[1:], strict=False) if left and right]
    different_groups = len(set(groups.values()))
    one_word_per_line = not has_names and different_groups == len(groups)
    if one_word_per_line or different_groups == 1:
        groups = dict.fromkeys(groups, "")
    return WordList(list(groups), groups, arrows)


def check_words(
    words: object, argument: str, low: int, high: int, is_word: Callable[[str], bool] | None = None
) -> list[str]:
    """The different words of a text, or of a list of texts; `is_word` as in `parse_words`.

    Raises:
        ArgumentError: there are fewer than `low` or more than `high`.
    """
    if isinstance(words, (list, tuple)):
        different = list(dict.fromkeys(word for text in words for word in _split(check_text(argument, text), is_word)))
    else:
        different = parse_words(words, argument, is_word).words
    if not low <= len(different) <= high:
        got = f"1 ({short_repr(different[0])})" if len(different) == 1 else f"{len(different):,}"
        count = f"{low:,}" if low == high else f"{low:,} to {high:,}"
        raise ArgumentError(f"{argument} must be {count} different words, got {got}")
    return different


@cache
def weat_tests() -> dict[str, WordSets]:
    """The ten published tests of Caliskan et al. (2017), by name."""
    return {test["name"]: WordSets(**test) for test in _read("weat.json")["tests"]}


@cache
def gender_lists() -> GenderLists:
    """The word lists of Bolukbasi et al. (2016)."""
    lists = _read("gender.json")
    return GenderLists(
        definitional_pairs=[tuple(pair) for pair in lists["definitional_pairs"]],
        equalize_pairs=[tuple(pair) for pair in lists["equalize_pairs"]],
        gender_specific=lists["gender_specific"],
        occupations=lists["occupations"],
    )


def citations() -> dict[str, str]:
    """The source of the published lists, by file name."""
    return {name: _read(name)["source"] for name in ("weat.json", "gender.json")}


def join_words(words: Iterable[str]) -> str:
    """Words as a text that `parse_words` reads."""
    return ", ".join(words)


def _split(text: str, is_word: Callable[[str], bool] | None) -> list[str]:
    """The words of a text between commas and spaces; those between two commas may be one."""
    words: list[str] = []
    for phrase in map(str.strip, _COMMAS.split(text)):
        parts = phrase.split()
        words += [phrase] if is_word and len(parts) > 1 and is_word(phrase) else parts
    return words


@cache
def _read(name: str) -> dict[str, Any]:
    return json.loads((ASSETS / "wordlists" / name).read_text(encoding="utf-8"))
