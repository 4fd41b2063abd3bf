"""The two answers below a song: did it copy, and whom does it sound like."""

import html

from lyricgen.endpoints.inside import attribute_by_ngrams
from lyricgen.errors import LyricGenError
from lyricgen.memorization.originality import measure_originality
from lyricgen.models.text import has_known_character
from lyricgen.resources import Resources
from lyricgen.ui.components import NOTHING_COPIED, copied_sentence

ARTISTS_SHOWN = 3


def copied_card(resources: Resources, text: str) -> str:
    """Whether a song copied, as HTML; '' without a text or an index."""
    try:
        measured = measure_originality(text, resources.song_index)
    except LyricGenError:
        return ""
    passage = copied_sentence(measured, quote=True)
    answer = f"<b>A little.</b> {passage}" if passage else f"<b>No.</b> {NOTHING_COPIED}"
    return card("Did it copy?", f"<p>{answer}</p>", "check", "Check any text")


def artists_card(resources: Resources, text: str) -> str:
    """The artists that a song sounds like most, as bars in HTML; '' where no classifier of these artists is loaded."""
    shares = attribute_by_ngrams(resources, text) if has_known_character(text.strip()) else None
    if shares is None:
        return ""
    best = sorted(shares.items(), key=lambda pair: -pair[1])[:ARTISTS_SHOWN]
    rows = "".join(
        f"<span>{html.escape(artist)}</span>"
        f'<div class="who-bar" aria-hidden="true"><i style="width:{100 * share:.1f}%"></i></div>'
        f"<span>{100 * share:.0f} %</span>"
        for artist, share in best
    )
    link = f"All {len(shares)} artists, line by line"
    return card("Whom does it sound like?", f'<div class="who">{rows}</div>', "check", link)


def card(heading: str, body: str, place: str, link: str) -> str:
    """A card with a link to another tab."""
    return (
        f'<h2>{heading}</h2>{body}<button type="button" class="link" data-open="{place}">{html.escape(link)}</button>'
    )
