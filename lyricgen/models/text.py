"""Text as the models read and write it: labels, artists, unknown characters, lines and section breaks."""

import re
from typing import TYPE_CHECKING

from lyricgen.errors import ArgumentError
from lyricgen.models.vocabulary import CHARACTERS, OOV_LABEL, character_to_label
from lyricgen.validation import check_choice, name_key

if TYPE_CHECKING:
    from lyricgen.models.networks import CharacterModel

ANY_ARTIST = "any artist"
NAMED_CHARACTERS = 8  # unknown characters listed in a note
_SPACES = re.compile(" {2,}")
_LINE = re.compile(r"\S+(?:[^\S\n\v\f\r\x1c-\x1e\x85\u2028\u2029]\S+)*")  # words with one space between each two


def check_artist(artist: str | None, model: "CharacterModel", name: str = "artist") -> str | None:
    """The name of one of the model's artists, None for any artist; `name` is the argument's.

    Raises:
        ArgumentError: the model has no such artist; the message lists the nearest names.
    """
    if artist is None or (isinstance(artist, str) and is_any_artist(artist)):
        return None
    if not model.artists:
        raise ArgumentError(f"{name} must be left out, this model was trained without artists; got {artist!r}")
    return check_choice(name, artist, model.artists)


def is_any_artist(name: str) -> bool:
    """Whether a name means no artist in particular.

    >>> is_any_artist("Any  artist "), is_any_artist("Anya")
    (True, False)
    """
    return name_key(name) in ("", "any", ANY_ARTIST)


def read_labels(text: str, line_breaks: bool = False) -> list[int]:
    """A text as input labels, one per character: in lower case, and with spaces for line breaks.

    Args:
        text: the text.
        line_breaks: whether the model was trained on text with line breaks, which are then kept.
    """
    labels = (character_to_label(character.lower()) for character in text)
    if line_breaks:
        return list(labels)
    space = character_to_label(" ")
    return [space if character in "\r\n" else label for character, label in zip(text, labels, strict=True)]


def has_known_character(text: str) -> bool:
    """Whether a text has a character of the vocabulary."""
    return any(label != OOV_LABEL for label in read_labels(text))


def unknown_characters(text: str) -> str:
    """A note on the characters of a text that lie outside the vocabulary; '' if there are none."""
    unknown = sorted({character for character in text if character_to_label(character.lower()) == OOV_LABEL})
    if not unknown:
        return ""
    named = ", ".join(
        character if character.isprintable() else f"U+{ord(character):04X}" for character in unknown[:NAMED_CHARACTERS]
    )
    more = f" and {len(unknown) - NAMED_CHARACTERS} more" if len(unknown) > NAMED_CHARACTERS else ""
    return f"Outside the model's {len(CHARACTERS)} characters, and read as unknown: {named}{more}."


def section_breaks_to_newlines(text: str, prefix_length: int = 0) -> str:
    """A generated text for display: after the prefix, each space of a run of two or more becomes a line break.

    The songs hold no line breaks; a run of spaces is a former section break. The length stays the same.

    >>> section_breaks_to_newlines("the end  of the line")
    'the end\\n\\nof the line'
    """
    return text[:prefix_length] + _SPACES.sub(lambda run: "\n" * len(run[0]), text[prefix_length:])


def line_spans(text: str) -> list[tuple[int, int]]:
    """Start and stop of each line of a text; the only definition of a line.

    Lines are separated by a line end (any at which `str.splitlines` splits) or by a run of two or more whitespace
    characters, which in the songs is a section break. A tab counts as a space. Lines are never empty, and have no
    whitespace at either end, so a text of whitespace has none.

    >>> line_spans("one line  and two\\n\\nand three")
    [(0, 8), (10, 17), (19, 28)]
    """
    return [match.span() for match in _LINE.finditer(text)]
