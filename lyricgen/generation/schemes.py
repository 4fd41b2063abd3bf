"""Schemes: how many lines a verse has, which of them rhyme, and how long they are."""

from dataclasses import dataclass
from typing import Any

from lyricgen.errors import ArgumentError
from lyricgen.generation.settings import Setting, setting_field, settings_of
from lyricgen.validation import check_choice, check_integer, counted

MIN_SYLLABLES, MAX_SYLLABLES = 2, 16
MAX_LINES = 12
MAX_WORDS = 50  # that must come


@dataclass(frozen=True)
class Scheme:
    """A form of verse."""

    name: str
    help: str
    rhymes: str = ""
    """A letter a line; lines with the same letter rhyme; '' for as many lines as are asked for, without rhymes."""
    syllables: tuple[int, ...] = ()
    """Syllables of each line; () for those that are asked for."""


SCHEMES = {
    scheme.name: scheme
    for scheme in (
        Scheme("couplet", "two lines that rhyme", "AA"),
        Scheme("AABB", "four lines, rhymed in pairs", "AABB"),
        Scheme("ABAB", "four lines, rhymed in turns", "ABAB"),
        Scheme("ABBA", "four lines, the outer and the inner pair rhyme", "ABBA"),
        Scheme("limerick", "five lines of 8, 8, 5, 5 and 8 syllables, rhymed AABBA", "AABBA", (8, 8, 5, 5, 8)),
        Scheme("haiku", "three lines of 5, 7 and 5 syllables", "ABC", (5, 7, 5)),
        Scheme("acrostic", "the first letters of the lines are those of a name"),
        Scheme("lines", "lines of as many syllables, without rhymes"),
    )
}


@dataclass(frozen=True)
class VerseForm:
    """What a verse must be like. The values are as given: `VerseWriter` checks them."""

    scheme: str = setting_field("couplet", choices=tuple(SCHEMES))
    """couplet, AABB, ABAB, ABBA, limerick, haiku, acrostic or lines."""
    syllables: int = setting_field(8, MIN_SYLLABLES, MAX_SYLLABLES)
    """Syllables of each line, 2 to 16; limericks and haikus have their own."""
    acrostic: str = ""
    """The first letters of the lines, such as a name; the scheme acrostic needs it."""
    words: str = ""
    """Words that must come, separated by commas or spaces, at most 50."""
    without: str = ""
    """Letters that must not occur (a lipogram)."""
    lines: str = ""
    """Lines that are given, one below the other; empty ones and those that are missing are written."""
    count: int = setting_field(4, 1, MAX_LINES)
    """Lines of the scheme lines, 1 to 12."""


def form_settings() -> dict[str, Setting]:
    """Every field of `VerseForm` by name, in order."""
    return settings_of(VerseForm)


def take_form(settings: dict[str, Any], **named: Any) -> VerseForm:
    """A form of the named fields and of those among some settings, which are removed from these."""
    return VerseForm(**named, **{name: settings.pop(name) for name in form_settings() if name in settings})


@dataclass(frozen=True)
class LineForm:
    """What a scheme asks of one line."""

    syllables: int
    rhyme: str = ""
    """The letter that it shares with the lines that it rhymes with; '' for no rhyme."""
    first_letter: str = ""
    """The letter that it begins with; '' for any."""


def line_forms(scheme: object, syllables: object, acrostic: str, count: object) -> list[LineForm]:
    """The lines of a scheme.

    Args:
        scheme: one of `SCHEMES`.
        syllables: of each line, 2 to 16; limericks and haikus have their own.
        acrostic: the first letters of the lines; 'acrostic' needs it, the other schemes may have one.
        count: lines of the scheme 'lines', 1 to 12.

    Raises:
        ArgumentError: one of them is not allowed.
    """
    form = SCHEMES[check_choice("scheme", scheme, SCHEMES)]
    number = check_integer("syllables", syllables, MIN_SYLLABLES, MAX_SYLLABLES)
    letters = _first_letters(acrostic)
    if form.name == "acrostic" and not letters:
        raise ArgumentError("acrostic must have a name with the scheme acrostic, got an empty text")
    lines = len(form.rhymes) or (
        len(letters) if form.name == "acrostic" else check_integer("count", count, 1, MAX_LINES)
    )
    if len(letters) > lines:
        raise ArgumentError(f"acrostic must have at most {counted(lines, 'letter')}, one for each line of the scheme {form.name}; got {len(letters)}")  # fmt: skip
    shared = {letter for letter in form.rhymes if form.rhymes.count(letter) > 1}
    return [
        LineForm(
            form.syllables[line] if form.syllables else number,
            letter if (letter := form.rhymes[line : line + 1]) in shared else "",
            letters[line : line + 1],
        )
        for line in range(lines)
    ]


def _first_letters(acrostic: str) -> str:
    """The letters of a name, without spaces.

    Raises:
        ArgumentError: it has another character than letters and spaces, or too many.
    """
    letters = "".join(acrostic.lower().split())
    if not all("a" <= letter <= "z" for letter in letters) or len(letters) > MAX_LINES:
        raise ArgumentError(f"acrostic must be at most {MAX_LINES} letters from a to z, got {acrostic!r}")
    return letters
