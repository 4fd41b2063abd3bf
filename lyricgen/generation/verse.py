"""Verses in a form, and gaps in a text: line after line by the particle sampler, and notes on what could not be met."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from lyricgen.errors import ArgumentError
from lyricgen.generation.constraints import (
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
from lyricgen.generation.particles import ParticleSampler
from lyricgen.generation.request import GenerationRequest
from lyricgen.generation.schemes import MAX_WORDS, LineForm, VerseForm, line_forms
from lyricgen.generation.settings import LOWEST_VERSE_TEMPERATURE, MAX_LYRIC_LENGTH, MAX_TEMPERATURE
from lyricgen.models.vocabulary import is_word_character
from lyricgen.validation import check_integer, check_number, check_text, check_text_length, counted, short_repr
from lyricgen.words.lexicon import Lexicon, song_lexicon
from lyricgen.words.rhymes import count_syllables, rhyme_kind, split_words, syllables

MAX_LINE_LENGTH = 200  # characters of a line that is given
MIN_VOCABULARY = 200  # words that a lipogram leaves
MAX_GAP = 200  # characters
GAP_TOLERANCE = 15  # characters by which what is filled in may be shorter than asked for
OPENING_MARKS = tuple("([{<“‘«¿¡")
GAP = re.compile(r"\[(?:\.{2,3}|…)\]")


@dataclass(frozen=True)
class VerseLine:
    """A line of a verse."""

    text: str
    syllables: int
    rhyme: str
    """A letter that it shares with the lines that it is to rhyme with; '' for none."""
    given: bool
    """Whether it was given, not written."""


@dataclass(frozen=True)
class Verse:
    """A verse, or what there is of it."""

    lines: tuple[VerseLine, ...]
    notes: tuple[str, ...]
    """What could not be met, a sentence each."""
    seed: int

    @property
    def text(self) -> str:
        """The lines below each other."""
        return "\n".join(line.text for line in self.lines)

    def to_dict(self) -> dict[str, Any]:
        """Text, lines, notes and seed as plain values."""
        return {
            "text": self.text,
            "lines": [asdict(line) for line in self.lines],
            "notes": list(self.notes),
            "seed": self.seed,
        }


class VerseWriter:
    """Writes a verse; everything is checked when it is made.

    Args:
        request: the model, the settings and the guards; its prefix is not used.
        form: what the verse must be like.

    Raises:
        ArgumentError: a part of the form is not allowed, or contradicts another.
    """

    def __init__(self, request: GenerationRequest, form: VerseForm):
        check_number("temperature", request.settings.temperature, LOWEST_VERSE_TEMPERATURE, MAX_TEMPERATURE)
        self.request = request
        self.forms = line_forms(form.scheme, form.syllables, check_text("acrostic", form.acrostic), form.count)
        self.given = _check_lines(form.lines, len(self.forms))
        self.without = "".join(sorted(set(check_text("without", form.without).lower()) - set(" ,'")))
        words = _check_words(form.words)
        self.lexicon = _with_words(words)
        self.placed = self._place([word for word in words if not any(word in split_words(line) for line in self.given)])
        self._check_letters(words)

    def stream(self) -> Iterator[Verse]:
        """The verse as it grows, after each word; the last is complete."""
        sampler = ParticleSampler(self.request, self.lexicon)
        texts, notes = list(self.given), list(self._notes_on_given())
        for number, given in enumerate(self.given):
            if given:
                continue
            constraints = self._constraints(number, texts)
            context = "".join(f"{line}\n" for line in texts[:number])
            following = " ".join(line for line in self._given_after(number))
            before = list(notes)
            for line, unmet in write_line(sampler, context, constraints, following):
                texts[number] = line
                notes = [*before, *(f"Line {number + 1}: {each}." for each in unmet)]
                yield self._verse(texts, notes)
        yield self._verse(texts, notes)

    def _constraints(self, number: int, texts: Sequence[str]) -> list[Constraint]:
        """What a line must keep, the most important first."""
        form, lexicon = self.forms[number], self.lexicon
        constraints = [Syllables(lexicon, form.syllables), *map(Guarded, self.request.guards), FewRepeats()]
        if self.without:
            constraints.append(Without(lexicon, self.without))
        if form.first_letter:
            constraints.append(FirstLetter(lexicon, form.first_letter))
        if self.placed[number]:
            constraints.append(Includes(lexicon, self.placed[number], form.syllables))
        constraints.append(StrongEnd(lexicon, form.syllables))
        if form.rhyme:
            ends = _ends(self.forms, texts, form.rhyme)
            constraints.append(Rhyme(lexicon, form.syllables, ends) if ends else CanBeRhymed(lexicon, form.syllables))
        return constraints

    def _given_after(self, number: int) -> Iterator[str]:
        """The lines that follow a line, up to one that is to be written."""
        for line in self.given[number + 1 :]:
            if not line:
                return
            yield line

    def _verse(self, texts: Sequence[str], notes: Sequence[str]) -> Verse:
        lines = (
            VerseLine(text, count_syllables(text), form.rhyme, bool(given))
            for text, form, given in zip(texts, self.forms, self.given, strict=True)
        )
        return Verse(tuple(lines), tuple(notes), self.request.seed)

    def _notes_on_given(self) -> Iterator[str]:
        """What given lines break by themselves."""
        for number, (line, form) in enumerate(zip(self.given, self.forms, strict=True), 1):
            if line and (count := count_syllables(line)) != form.syllables:
                yield f"Line {number} is given, and has {counted(count, 'syllable')}, not {form.syllables}."
            if line and not "".join(split_words(line)).startswith(form.first_letter):
                yield f"Line {number} is given, and does not begin with {form.first_letter!r}."
            if set(line.lower()) & set(self.without):
                yield f"Line {number} is given, and has letters of {self.without!r}."
        for letter in dict.fromkeys(form.rhyme for form in self.forms if form.rhyme):
            first, *others = _ends(self.forms, self.given, letter) or [""]
            for other in others:
                if not rhyme_kind(first, other):
                    yield f"The lines that end with {first!r} and {other!r} are given, and do not rhyme."

    def _place(self, words: Sequence[str]) -> list[list[str]]:
        """The words that must come, by line: each in the line that has the most room left for it.

        Raises:
            ArgumentError: there is no room.
        """
        room = [0 if given else form.syllables - bool(form.rhyme) for given, form in zip(self.given, self.forms, strict=True)]  # fmt: skip
        placed: list[list[str]] = [[] for _ in room]
        for word in sorted(words, key=syllables, reverse=True):
            line = max(range(len(room)), key=room.__getitem__)
            if room[line] < syllables(word):
                needed, free = sum(map(syllables, words)), sum(form.syllables for form, given in zip(self.forms, self.given, strict=True) if not given)  # fmt: skip
                raise ArgumentError(f"words must fit into the lines beside their rhymes: they have {needed} syllables, the lines to write have {free}")  # fmt: skip
            room[line] -= syllables(word)
            placed[line].append(word)
        return placed

    def _check_letters(self, words: Sequence[str]) -> None:
        """
        Raises:
            ArgumentError: the letters that must not occur contradict something else.
        """
        if not self.without:
            return
        if not all("a" <= letter <= "z" for letter in self.without):
            raise ArgumentError(f"without must be letters from a to z, got {short_repr(self.without)}")
        needed = {"words": words, "acrostic": [form.first_letter for form in self.forms]}
        for name, texts in needed.items():
            for text in texts:
                if set(text) & set(self.without):
                    raise ArgumentError(f"without must leave the letters of {name}, got {self.without!r} and {text!r}")
        left = int(Without(self.lexicon, self.without).mask.sum())
        if left < MIN_VOCABULARY:
            raise ArgumentError(f"without must leave {MIN_VOCABULARY} words or more of {len(self.lexicon):,}, got {self.without!r}, which leaves {left}")  # fmt: skip


class GapWriter:
    """Fills a gap in a text.

    Args:
        request: the model, the settings and the guards; its prefix is not used.
        text: the text with one `[..]` where words are missing.
        length: characters to fill in; what is written ends with a whole word, so it may be up to 15 shorter.

    Raises:
        ArgumentError: there is not exactly one gap, or the text or the length is not allowed.
    """

    def __init__(self, request: GenerationRequest, text: object, length: object = 60):
        check_number("temperature", request.settings.temperature, LOWEST_VERSE_TEMPERATURE, MAX_TEMPERATURE)
        self.request = request
        parts = GAP.split(check_text_length("text", text, 1, MAX_LYRIC_LENGTH))
        if len(parts) != 2:
            raise ArgumentError(f"text must have one gap, written [..], got {len(parts) - 1}")
        self.before, self.after = parts[0].rstrip(" "), parts[1].lstrip(" ")
        self.length = check_integer("length", length, 5, MAX_GAP)

    def stream(self) -> Iterator[str]:
        """The whole text as it grows; the last is complete."""
        sampler = ParticleSampler(self.request, song_lexicon())
        low = max(1, self.length - GAP_TOLERANCE)
        constraints = [
            Length(sampler.lexicon, low, self.length),
            *map(Guarded, self.request.guards),
            FewRepeats(window=self.length),
        ]
        context = _spaced(self.before, " ")
        for middle, _ in write_line(sampler, context, constraints, self.after.lstrip()):
            yield self._whole(middle)

    def _whole(self, middle: str) -> str:
        """The text with its gap filled: a space before words and opening marks, none before other punctuation."""
        before = self.before if self.before.endswith(OPENING_MARKS) else _spaced(self.before, " ")
        following = self.after[:1]
        spaced = is_word_character(following) or self.after.startswith(OPENING_MARKS)
        return f"{before}{_spaced(middle, ' ' if following and spaced else '')}{self.after}"


def write_line(
    sampler: ParticleSampler, context: str, constraints: Sequence[Constraint], following: str = ""
) -> Iterator[tuple[str, list[str]]]:
    """Writes a line, with weaker constraints where it must.

    First each constraint alone is weakened, the least important first; then more and more of them together. Yields the line so
    far and []; at last the line, and what is not met.
    """
    for attempt, unmet in weakened(constraints):
        writing = sampler.write(context, attempt, following)
        while True:
            try:
                yield next(writing), []
            except StopIteration as end:
                line = end.value
                break
        if line is not None:
            yield line, unmet
            return
    yield "", ["no line could be written"]


def weakened(constraints: Sequence[Constraint]) -> Iterator[tuple[list[Constraint], list[str]]]:
    """The constraints, then weaker and weaker ones, each time with what is not met. Constraints without `unmet` are kept."""
    yield list(constraints), []
    optional = [number for number in reversed(range(len(constraints))) if constraints[number].unmet]
    for number in optional:
        for weaker, unmet in _weaker(constraints[number]):
            yield [*constraints[:number], *weaker, *constraints[number + 1 :]], [unmet]
    for count in range(2, len(optional) + 1):
        dropped = optional[:count]
        kept = [each for number, each in enumerate(constraints) if number not in dropped]
        yield kept, [[unmet for _, unmet in _weaker(constraints[number])][-1] for number in dropped]


def _weaker(constraint: Constraint) -> Iterator[tuple[list[Constraint], str]]:
    """Weaker and weaker forms of a constraint, at last none, each with what is not met."""
    weaker = constraint.weaker()
    yield ([] if weaker is None else [weaker]), constraint.unmet
    if weaker is not None:
        yield from _weaker(weaker)


def _ends(forms: Sequence[LineForm], texts: Sequence[str], letter: str) -> list[str]:
    """The last words of the lines that there are of a rhyme."""
    words = [split_words(text) for form, text in zip(forms, texts, strict=True) if form.rhyme == letter]
    return [of_line[-1] for of_line in words if of_line]


def _with_words(words: Sequence[str]) -> Lexicon:
    """The lexicon of the songs, with some words if it lacks them."""
    lexicon = song_lexicon()
    missing = [word for word in words if word not in lexicon.index]
    return Lexicon([*lexicon.ranked, *missing]) if missing else lexicon


def _check_lines(value: object, count: int) -> list[str]:
    """The given lines of a verse, '' for those to write.

    Raises:
        ArgumentError: there are more lines than the verse has, or one is too long.
    """
    lines = [line.strip() for line in check_text("lines", value).rstrip().split("\n")]
    if len(lines) > count:
        raise ArgumentError(f"lines must be at most {count} with this scheme, got {len(lines)}")
    for line in lines:
        if line:
            check_text_length("lines", line, 1, MAX_LINE_LENGTH)
    return lines + [""] * (count - len(lines))


def _check_words(value: object) -> list[str]:
    """The words that must come.

    Raises:
        ArgumentError: there are too many, or one has another character than letters and apostrophes.
    """
    text = check_text("words", value)
    words = list(dict.fromkeys(split_words(text)))
    if text.strip() and not words or any(not re.fullmatch(r"[a-z']{1,24}", word) for word in words):
        raise ArgumentError(f"words must be words of up to 24 letters from a to z, got {short_repr(text)}")
    if len(words) > MAX_WORDS:
        raise ArgumentError(f"words must be at most {MAX_WORDS}, got {len(words)}")
    return words


def _spaced(text: str, space: str) -> str:
    """A text with a space behind it, unless it is empty or has one."""
    return f"{text}{space}" if text and not text[-1].isspace() else text
