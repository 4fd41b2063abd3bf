"""Syllables and rhymes of English words, by CMUdict and, for words that it lacks, by spelling.

Perfect rhyme: the sounds from the last stressed vowel on are equal, and the consonants before it differ ('day', 'way'). With the
same consonants it would be the word itself or its homophone ('no', 'know'; 'day', 'today'), which is no rhyme. Near rhyme: the
vowels are equal, and the consonants after them are of the same kinds ('time', 'mine').
"""

import gzip
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache, lru_cache
from typing import Any, NamedTuple

from lyricgen.models.text import line_spans
from lyricgen.models.vocabulary import TO_APOSTROPHE, is_word_character
from lyricgen.storage import ASSETS
from lyricgen.validation import check_text_length, without_accents

CMUDICT = ASSETS / "cmudict" / "cmudict.dict.gz"
MAX_RHYMED_LENGTH = 20_000  # characters of a text
MAX_WORD_LENGTH = 50  # characters of a word
RHYME_DISTANCE = 4  # lines between two that rhyme with each other, at most
CACHED_WORDS = 50_000
VOWELS = "aeiouy"
KINDS = {
    **dict.fromkeys(("P", "T", "K", "CH"), "t"),
    **dict.fromkeys(("B", "D", "G", "JH"), "d"),
    **dict.fromkeys(("F", "TH", "S", "SH", "HH"), "s"),
    **dict.fromkeys(("V", "DH", "Z", "ZH"), "z"),
    **dict.fromkeys(("M", "N", "NG"), "n"),
    "AO": "AA",
}
"""What counts as the same sound in a near rhyme; the other sounds only themselves."""

LIQUIDS = {"L", "R", "W", "Y"}
OBSTRUENTS = {"P", "T", "K", "B", "D", "G", "F", "TH", "S", "SH", "V"}
AFTER_S = {"P", "T", "K", "M", "N"}


class Ending(NamedTuple):
    """The sounds of a word that decide its rhymes."""

    onset: str
    """The consonants that begin the syllable of the last stressed vowel."""
    rhyme: str
    """From that vowel to the end: equal in perfect rhymes."""
    near: str
    """The same, by the kinds of sounds: equal in near rhymes."""


@dataclass(frozen=True)
class RhymedLine:
    """A line of a text with its syllables and its rhyme."""

    text: str
    syllables: int
    end: str
    """The last word."""
    group: str
    """A letter that lines which rhyme with each other share; '' without a rhyme."""
    kind: str
    """perfect or near, by the nearest earlier line of the group, or a later one for its first; '' without a rhyme."""

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain values."""
        return asdict(self)


def split_words(text: str) -> list[str]:
    """The words of a text in lower case, without accents: runs of letters, digits and apostrophes, with a letter or digit in them,
    of a longer one the last 50.

    >>> split_words("Don't stop, caf\u00e9")
    ["don't", 'stop', 'cafe']
    """
    text = without_accents(text.translate(TO_APOSTROPHE).lower())
    words = "".join(letter if is_word_character(letter) else " " for letter in text).split()
    return [word[-MAX_WORD_LENGTH:] for word in words if word.strip("'")]


@lru_cache(CACHED_WORDS)
def pronunciations(word: str) -> tuple[str, ...]:
    """CMUdict's pronunciations of a word in lower case, most usual first; () for words that it lacks.

    Words with a dropped g ("lovin'", "lovin") and possessives are derived from their base.

    >>> pronunciations("river")
    ('R IH1 V ER0',)
    """
    dictionary, bare = _cmudict(), word.strip("'")
    if found := dictionary.get(word) or dictionary.get(bare):
        return found
    if bare.endswith("in"):
        return tuple(f"{phones.removesuffix('NG')}N" for phones in dictionary.get(f"{bare}g", ()))
    if bare.endswith("'s"):
        return tuple(f"{phones} {_possessive(phones)}" for phones in dictionary.get(bare[:-2], ()))
    return ()


def syllables(word: str) -> int:
    """The syllables of a word, at least 1: of its most usual pronunciation, or its groups of vowels.

    >>> syllables("river"), syllables("flibberty"), syllables("skate")
    (2, 3, 1)
    """
    found = pronunciations(word)
    if found:
        return max(1, sum(phone[-1].isdigit() for phone in found[0].split()))
    groups = len(re.findall(f"[{VOWELS}]+", word))
    silent = re.search(f"[^{VOWELS}l']e$", word) is not None
    return max(1, groups - silent)


def count_syllables(text: str) -> int:
    """The syllables of a text.

    >>> count_syllables("the river keeps its secrets")
    7
    """
    return sum(map(syllables, split_words(text)))


@lru_cache(CACHED_WORDS)
def endings(word: str) -> tuple[Ending, ...]:
    """The endings of a word's pronunciations; of a word that CMUdict lacks by its spelling, which rhymes with such words only.

    >>> endings("today")[0]
    Ending(onset='D', rhyme='EY', near='EY')
    """
    found = pronunciations(word)
    if not found:
        match = re.search(f"([^{VOWELS}]*)([{VOWELS}]+[^{VOWELS}]*e?)$", word) or re.search("()(.*)$", word)
        onset, rhyme = match.groups() if match else ("", word)
        return (Ending(onset, f"~{rhyme}", f"~{rhyme}"),)
    return tuple(dict.fromkeys(map(_ending, found)))


def rhyme_kind(first: str, second: str) -> str:
    """Whether two words rhyme: perfect, near, or '' for neither, as for a word with itself or a homophone.

    >>> rhyme_kind("day", "way"), rhyme_kind("time", "mine"), rhyme_kind("no", "know"), rhyme_kind("day", "river")
    ('perfect', 'near', '', '')
    """
    if first == second or sound_same(endings(first), endings(second)):
        return ""
    pairs = [(one, other) for one in endings(first) for other in endings(second)]
    if any(one.rhyme == other.rhyme for one, other in pairs):
        return "perfect"
    return "near" if any(one.near == other.near for one, other in pairs) else ""


def sound_same(first: Sequence[Ending], second: Sequence[Ending]) -> bool:
    """Whether two words have an ending in common with the consonants before it, so that they are no rhyme."""
    return any(one[:2] == other[:2] for one in first for other in second)


def rhymes(text: str) -> list[RhymedLine]:
    """Each line of a text with its syllables, and the group of lines that it rhymes with, at most 4 lines apart.

    Args:
        text: 1 to 20,000 characters; lines are those of `line_spans`.

    Raises:
        ArgumentError: `text` is shorter or longer.

    >>> [(line.syllables, line.group) for line in rhymes("the night is long\\nthe road is dark\\nI sing my song")]
    [(4, 'A'), (4, ''), (4, 'A')]
    """
    text = check_text_length("text", text, 1, MAX_RHYMED_LENGTH)
    lines = [text[start:stop] for start, stop in line_spans(text)]
    words = [split_words(line) for line in lines]
    ends = [of_line[-1] if of_line else "" for of_line in words]
    groups, kinds = [""] * len(lines), [""] * len(lines)
    letters = _letters()
    for line, end in enumerate(ends):
        match = _earlier_rhyme(ends, line) if end else None
        if match is None:
            continue
        earlier, kind = match
        groups[earlier] = groups[line] = groups[earlier] or next(letters)
        kinds[line] = kind
        kinds[earlier] = kinds[earlier] or kind
    return [
        RhymedLine(line, sum(map(syllables, of_line)), end, group, kind)
        for line, of_line, end, group, kind in zip(lines, words, ends, groups, kinds, strict=True)
    ]


@cache
def _cmudict() -> dict[str, tuple[str, ...]]:
    """CMUdict: the pronunciations of each word, the most usual first. Its lines are like `cause(2) K AA1 Z # comment`."""
    found: dict[str, list[str]] = defaultdict(list)
    for line in gzip.decompress(CMUDICT.read_bytes()).decode().splitlines():
        word, _, phones = line.partition(" #")[0].partition(" ")
        found[word.partition("(")[0]].append(phones)
    return {word: tuple(phones) for word, phones in found.items()}


def _earlier_rhyme(ends: list[str], line: int) -> tuple[int, str] | None:
    """The nearest earlier line that a line rhymes with, a perfect rhyme before a near one, and the kind."""
    found = [(rhyme_kind(ends[each], ends[line]), each) for each in range(line - 1, max(-1, line - 1 - RHYME_DISTANCE), -1) if ends[each]]  # fmt: skip
    for kind in ("perfect", "near"):
        for of_pair, earlier in found:
            if of_pair == kind:
                return earlier, kind
    return None


def _letters() -> Iterator[str]:
    """A to Z, then A2 to Z2 and so on."""
    number = 0
    while True:
        yield chr(ord("A") + number % 26) + (str(number // 26 + 1) if number >= 26 else "")
        number += 1


def _possessive(phones: str) -> str:
    """The sounds of 's after a word."""
    last = phones.split()[-1]
    if last in ("S", "SH", "CH", "Z", "ZH", "JH"):
        return "IH0 Z"
    return "S" if last in ("P", "T", "K", "F", "TH") else "Z"


def _ending(phones: str) -> Ending:
    sounds = phones.split()
    vowels = [number for number, sound in enumerate(sounds) if sound[-1].isdigit()]
    stressed = [number for number in vowels if sounds[number][-1] != "0"]
    start = stressed[-1] if stressed else 0
    before = max((number for number in vowels if number < start), default=-1)  # the vowel before it
    onset, rhyme = sounds[before + 1 : start], sounds[start:]
    if before >= 0:
        onset = _syllable_onset(onset)
    near = (_reduced(sound) if number else KINDS.get(sound[:2], sound[:2]) for number, sound in enumerate(rhyme))
    return Ending(" ".join(onset), re.sub(r"\d", "", " ".join(rhyme)), " ".join(near))


def _syllable_onset(consonants: list[str]) -> list[str]:
    """Of the consonants between two vowels those that begin the second one's syllable: the last, and those that can come before it."""
    start = max(0, len(consonants) - 1)
    while start and (
        (consonants[start] in LIQUIDS and consonants[start - 1] in OBSTRUENTS)
        or (consonants[start - 1] == "S" and consonants[start] in AFTER_S)
    ):
        start -= 1
    return consonants[start:]


def _reduced(sound: str) -> str:
    """The kind of a sound after the stressed vowel, where 'ih' and 'uh' sound alike."""
    if sound in ("IH0", "AH0"):
        return "AH"
    sound = sound.rstrip("012")
    return KINDS.get(sound, sound)
