"""The song that the page opens with: chosen by hand, shipped with its predictions, seen before any call to the server."""

import json
from functools import cache
from typing import Any

from lyricgen.endpoints.lyrics import make_request
from lyricgen.errors import LyricGenError
from lyricgen.resources import Resources
from lyricgen.storage import ASSETS
from lyricgen.ui.components import as_json
from lyricgen.ui.tabs.write.checks import artists_card, copied_card
from lyricgen.ui.tabs.write.settings import PAGE_DEFAULTS
from lyricgen.ui.tabs.write.song import link_query, read_song

FIRST_SONG = ASSETS / "page" / "first_song.json"
WORDS = "the river keeps its secrets "
ARTIST = "Coldplay"
SHOWN = 7  # letters that are shown before it is played
SETTINGS: dict[str, Any] = {**PAGE_DEFAULTS, "max_length": 116, "seed": 41}  # so that "again" writes it again


def write_first_song(resources: Resources, **settings: Any) -> dict[str, Any]:
    """The song by the default model, its two answers, and the sha256 of the model that wrote it."""
    artist = ARTIST if ARTIST in resources.artists() else None
    request = make_request(resources, WORDS, None, artist=artist, **{**SETTINGS, **settings})
    *_, text = resources.stream(request)
    text = request.shown(text)
    song = {
        "given": len(WORDS),
        "start": min(len(text), len(WORDS) + SHOWN),
        "seed": request.seed,
        "artist": artist or "",
        "model": request.model_name,
        "temperature": request.settings.temperature,
        "notes": [],
        "link": link_query(request),
        **read_song(resources, request, text),
    }
    return {
        "sha256": resources.model().file_sha256,
        "song": song,
        "copied": copied_card(resources, text),
        "artists": artists_card(resources, text),
    }


def first_song(resources: Resources) -> dict[str, Any]:
    """The shipped song if the loaded default model wrote it, else one that is written now; empty where none can be written."""
    shipped = read_shipped()
    if shipped.get("sha256") != resources.model().file_sha256:
        try:
            shipped = write_first_song(resources)
        except LyricGenError:
            return {"song": "", "text": "", "copied": "", "artists": ""}
    return {**shipped, "song": as_json(shipped["song"]), "text": shipped["song"]["text"]}


@cache
def read_shipped() -> dict[str, Any]:
    """The shipped song; {} where it is missing."""
    return json.loads(FIRST_SONG.read_text(encoding="utf-8")) if FIRST_SONG.exists() else {}
