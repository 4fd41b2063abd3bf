"""Lists of words: those that a person types, with groups and arrows, and the published ones of bias research."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from lyricgen.errors import ArgumentError
from lyricgen.storage import ASSETS
from lyricgen.validation import check_text, short_repr

LONGEST_TEXT = 100_000  # characters
LONGEST_NAME = 40  # characters of a group's name
_ARROW = re.compile(r"-{0,2}>|→|=>")
_SEPARATORS = re.compile(r"[\s,;]+")


@dataclass(frozen=True)
class WordList:
    """Words that were typed, each once, in order."""

    words: list[str]
    groups: dict[str, str]
    """Name of the group of each word; '' for all where there is but one."""
    arrows: list[tuple[str, str]]
    """Pairs from which an arrow is drawn to the other."""


@dataclass(frozen=True)
class WordSets:
    """The four lists of a Word Embedding Association Test."""

    name: str
    title: str
    targets: Mapping[str, list[str]]
    """Two lists by name, X and Y."""
    attributes: Mapping[str, list[str]]
    """Two lists by name, A and B."""
    published: Mapping[str, float]
    """`effect_size` of the paper, with GloVe of 840 billion tokens and 300 dimensions."""


@dataclass(frozen=True)
class GenderLists:
    """Lists of Bolukbasi et al. (2016)."""

    definitional_pairs: list[tuple[str, str]]
    """(female, male) pairs from which the gender direction is found."""
    equalize_pairs: list[tuple[str, str]]
    """Pairs that are to differ in nothing but gender."""
    gender_specific: list[str]
    """Words that mean a gender, which debiasing leaves alone."""
    occupations: list[str]


def parse_words(text: object, argument: str = "words") -> WordList:
    """The words of a text, parted by commas, semicolons, spaces or lines.

    Each line is a group, which a name and a colon before its words may name; `man > king` also asks for an arrow.

    Raises:
        ArgumentError: it is no text, or longer than 100,000 characters.

    >>> parse_words("royal: king > queen\\nfruit: apple, pear").groups
    {'king': 'royal', 'queen': 'royal', 'apple': 'fruit', 'pear': 'fruit'}
    """
    text = check_text(argument, text)
    if len(text) > LONGEST_TEXT:
        raise ArgumentError(f"{argument} must be at most {LONGEST_TEXT:,} characters, got {len(text):,}")
    groups: dict[str, str] = {}
    arrows, named = [], False
    for number, line in enumerate((line for line in text.splitlines() if line.strip()), 1):
        name, colon, rest = line.partition(":")
        named = named or bool(colon)
        if not colon:
            name, rest = f"line {number}", line
        name = "".join(filter(str.isprintable, name)).strip()[:LONGEST_NAME]
        chains = [_split(part) for part in _ARROW.split(rest)]
        for word in (word for chain in chains for word in chain):
            groups.setdefault(word, name)
        arrows += [(left[-1], right[0]) for left, right in zip(chains, chains[1:], strict=False) if left and right]
    one_word_a_line = not named and len(groups) == len(set(groups.values()))
    if one_word_a_line or len(set(groups.values())) == 1:
        groups = dict.fromkeys(groups, "")
    return WordList(list(groups), groups, arrows)


def check_words(text: object, argument: str, low: int, high: int) -> list[str]:
    """The different words of a text or of a list.

    Raises:
        ArgumentError: there are fewer than `low` or more than `high`.
    """
    if isinstance(text, (list, tuple)):
        words = list(dict.fromkeys(word for item in text for word in _split(check_text(argument, item))))
    else:
        words = parse_words(text, argument).words
    if not low <= len(words) <= high:
        got = f"{len(words):,}" if len(words) != 1 else f"1 ({short_repr(words[0])})"
        raise ArgumentError(f"{argument} must be {low:,} to {high:,} different words, got {got}")
    return words


@cache
def weat_tests() -> dict[str, WordSets]:
    """The ten published tests of Caliskan et al. (2017), by name."""
    tests = _read("weat.json")["tests"]
    return {test["name"]: WordSets(**test) for test in tests}


@cache
def gender_lists() -> GenderLists:
    """The lists of Bolukbasi et al. (2016)."""
    lists = _read("gender.json")
    pairs = {name: [tuple(pair) for pair in lists[name]] for name in ("definitional_pairs", "equalize_pairs")}
    return GenderLists(**pairs, gender_specific=lists["gender_specific"], occupations=lists["occupations"])


def sources() -> dict[str, str]:
    """Where each file of published lists is from, by file name."""
    return {name: _read(name)["source"] for name in ("weat.json", "gender.json")}


def joined(words: Iterable[str]) -> str:
    """Words as a person would type them."""
    return ", ".join(words)


def _split(text: str) -> list[str]:
    return [word for word in _SEPARATORS.split(text) if word]


@cache
def _read(name: str) -> dict:
    return json.loads((ASSETS / "wordlists" / name).read_text(encoding="utf-8"))
