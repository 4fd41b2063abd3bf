"""A song as the page plays it: its text, the prediction before each of its letters, and the link that writes it again.

Shapes: T letters, C = 100 characters.
"""

import base64
import html
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import numpy as np

from lyricgen.analysis.predictions import predictions
from lyricgen.errors import ArgumentError
from lyricgen.generation.request import GenerationRequest
from lyricgen.generation.settings import MAX_LYRIC_LENGTH, GenerationSettings
from lyricgen.models.text import ANY_ARTIST
from lyricgen.models.vocabulary import CHARACTERS
from lyricgen.resources import Resources
from lyricgen.ui.components import as_json
from lyricgen.ui.tabs.write.settings import page_default

MAX_BITS = 24.0  # surprisal of the byte 255; song.js has the same
DRAFT_INTERVAL = 0.2  # minimum seconds between two drafts of a song that is being written
ROOM = 300  # letters that are written after first words that are longer than the song
WITHOUT_BEAM = ("max_copied_words", "chorus")
MIX = ("second_artist", "second_weight")
MAX_LINKED_WORDS = 1_500  # letters of the first words in a link


def encode_bits(bits: np.ndarray) -> str:
    """Surprisals (T, C) as base64 of one byte each: 255 times the root of their share of `MAX_BITS`, so that small ones are
    exact to 0.02 bits or better up to 1 bit."""
    shares = np.sqrt(np.clip(bits, 0.0, MAX_BITS) / MAX_BITS)
    return base64.b64encode(np.rint(255 * shares).astype(np.uint8).tobytes()).decode()


def stream_song(
    resources: Resources, request: GenerationRequest, given: int, start: int, **more: Any
) -> Iterator[tuple[str, str]]:
    """A song as it is written, as JSON for song.js, and its text.

    Args:
        resources: the models.
        request: its request; the seed is in its settings.
        given: letters that the visitor wrote, shown in grey.
        start: letters that are shown before it is played.
        more: further facts of the song.
    """
    settings = request.settings
    facts = {
        **more,
        **({name: getattr(settings, name) for name in MIX} if settings.second_artist else {}),
        "given": given,
        "start": start,
        "seed": request.seed,
        "artist": settings.artist or "",
        "model": request.model_name,
        "temperature": settings.temperature,
        "notes": list(request.notes),
        "link": link_query(request),
    }
    text = request.prefix
    for written in resources.stream(request, DRAFT_INTERVAL):
        text = request.shown(written)
        yield as_json({**facts, "state": "writing", "text": text}), text
    yield as_json({**facts, **read_song(resources, request, text)}), text


def read_song(resources: Resources, request: GenerationRequest, text: str) -> dict[str, Any]:
    """The text with its labels and the bits of every character before each of its letters, in the artist's style or the mix."""
    style = request.artist_mix
    artist = request.model.artists[style] if isinstance(style, int) else style
    labels, bits = resources.run_on_model(
        request.model_name, lambda network: predictions(text, artist=artist, model=network)
    )
    return {
        "state": "written",
        "text": text,
        "letters": "".join(CHARACTERS),
        "labels": base64.b64encode(labels.astype(np.uint8).tobytes()).decode(),
        "bits": encode_bits(bits),
    }


def fit_length(prefix: str, settings: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """The settings with a length that leaves room after the prefix, and a note where it was raised."""
    length = settings.get("max_length", GenerationSettings.max_length)
    if not isinstance(length, (int, float)) or not length <= len(prefix) < MAX_LYRIC_LENGTH:
        return settings, ""
    longer = min(MAX_LYRIC_LENGTH, len(prefix) + ROOM)
    note = f"Your first words are longer than the song. I made the song {longer:,} letters long."
    return {**settings, "max_length": longer}, note


def fit_strategy(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings without those that the most likely whole text cannot keep, since it is searched among several texts."""
    if settings.get("strategy") != "beam":
        return settings
    defaults = vars(GenerationSettings())
    return {**settings, **{name: defaults[name] for name in WITHOUT_BEAM if name in settings}}


def link_query(request: GenerationRequest) -> str:
    """The query string that writes the same song again; without settings that have the page's defaults, '' if it is too long."""
    if len(request.prefix) > MAX_LINKED_WORDS:
        return ""
    values = {name: value for name, value in vars(request.settings).items() if value not in (page_default(name), None)}
    values["temperature"] = request.settings.temperature
    values["artist"] = request.settings.artist or ANY_ARTIST
    if request.settings.artist is None:
        values.pop("guidance", None)  # the page sends 1
    return urlencode({"text": request.prefix, "model": request.model_name, **values})


def play_link(query: str, label: str) -> str:
    """A link that plays a song in Write, see page.js; '' without its query string."""
    return f'<br><a href="?{html.escape(query)}">{label}</a>' if query else ""


def note_html(note: str) -> str:
    """A note above texts, escaped; '' without one."""
    return f'<p class="soft">{html.escape(note)}</p>' if note else ""


def with_note(request: GenerationRequest, note: str) -> GenerationRequest:
    """The request with a further note, if there is one."""
    if not note:
        return request
    noted = replace(request)
    object.__setattr__(noted, "notes", (note, *request.notes))
    return noted


def read_draft(song: Any) -> dict[str, Any] | None:
    """The facts of a song that is not finished; None for any other value."""
    try:
        facts = json.loads(song)
    except (TypeError, ValueError):
        return None
    if not isinstance(facts, dict) or facts.get("state") != "writing" or not isinstance(facts.get("text"), str):
        return None
    return facts if facts["text"] else None


def check_cut(text: str, index: Any, letters: Any) -> str:
    """The first words of a song that goes on from another letter.

    Raises:
        ArgumentError: there is no such letter.
    """
    if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index <= len(text):
        raise ArgumentError(f"the letter to change must be one of the song's {len(text):,}")
    if not isinstance(letters, str) or not letters:
        raise ArgumentError("choose a letter, or type words of your own, to go on with")
    return text[:index] + letters
