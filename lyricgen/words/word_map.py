"""A map of frequent words of the songs: their places by PCA and t-SNE, computed once for the spaces that come with the project.

`python -m lyricgen.words.word_map` writes the maps with the sha256 of the vectors that they were made from. A space with other
vectors gets a map of its own. Shapes: N words of D dimensions.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import numpy as np

from lyricgen.storage import ASSETS
from lyricgen.words.projection import METHODS, check_size, project
from lyricgen.words.sources import read_vectors
from lyricgen.words.word_vectors import WordVectors

WORD_LIST = ASSETS / "wordlists" / "map.txt"
"""200 words that are frequent in the songs, chosen by hand so that topics can be seen, without strong language."""
MAPS = ASSETS / "word-maps.json"
SPACES = ("glove-50", "lyrics")  # the spaces with a map in `MAPS`
SIZE = 1000  # coordinates are whole numbers from 0 to this, the same scale for both axes
MIN_LISTED = 20  # words of the list; a space with fewer of them shows its own frequent words
ANCHORS = 3  # nearest words of the map between which another word is placed


@dataclass(frozen=True)
class WordPlaces:
    """Words of a space, and their places by each method."""

    sha256: str
    """Of the words' vectors, float32 (N, D) in the order of the words."""
    words: list[str]
    places: dict[str, list[list[int]]]
    """(N, 2) by method, whole numbers from 0 to `SIZE`."""
    explained: float
    """Share of the variance that the two axes of PCA hold."""


@cache
def word_places(space: WordVectors) -> WordPlaces:
    """The map of a space: the stored one if it was made from the same vectors, else a new one."""
    check_size(space)
    words = listed_words(space)
    stored = read_maps().get(space.name)
    if stored is not None and stored.words == words and stored.sha256 == vectors_sha256(space, words):
        return stored
    return make_places(space, words)


def listed_words(space: WordVectors) -> list[str]:
    """The words of `WORD_LIST` that a space has; its most frequent words where these are too few."""
    listed = WORD_LIST.read_text(encoding="utf-8").split()
    known, _ = space.known(listed)
    if len(known) >= MIN_LISTED:
        return known
    return [space.index_to_key[row] for row in space.frequent_words[: len(listed)].tolist()]


def make_places(space: WordVectors, words: Sequence[str]) -> WordPlaces:
    """Projects words by each method."""
    units = space.unit_vectors(words)
    places, explained = {}, 0.0
    for method in METHODS:
        coordinates, variances = project(units, method)
        places[method] = _scaled(coordinates)
        explained = sum(variances) if variances else explained
    return WordPlaces(vectors_sha256(space, words), list(words), places, round(explained, 4))


def place_word(space: WordVectors, word: str) -> dict[str, list[int]]:
    """The place of a further word by method: between the nearest `ANCHORS` words of the map, weighted by similarity.

    t-SNE has no place for a word that it was not fitted on.
    """
    shown = word_places(space)
    similarities = space.unit_vectors(shown.words) @ space.unit_vectors([word])[0]  # (N,)
    nearest = np.argsort(-similarities, kind="stable")[:ANCHORS]
    weights = np.clip(similarities[nearest], 0.01, None) ** 2
    return {
        method: np.rint(np.average(np.array(places)[nearest], axis=0, weights=weights)).astype(int).tolist()
        for method, places in shown.places.items()
    }


def vectors_sha256(space: WordVectors, words: Sequence[str]) -> str:
    """The sha256 of the vectors of words, as float32."""
    rows = [space.key_to_index[word] for word in words]
    return hashlib.sha256(np.ascontiguousarray(space.vectors[rows], np.float32).tobytes()).hexdigest()


@cache
def read_maps() -> dict[str, WordPlaces]:
    """The stored maps, by space."""
    return {name: WordPlaces(**stored) for name, stored in json.loads(MAPS.read_text(encoding="utf-8")).items()}


def write_maps(path: Path = MAPS) -> None:
    """Makes and stores the maps of `SPACES`."""
    maps = {}
    for name in SPACES:
        space = read_vectors(name)
        maps[name] = asdict(make_places(space, listed_words(space)))
    path.write_text(json.dumps(maps, separators=(",", ":")) + "\n", encoding="utf-8")


def _scaled(coordinates: np.ndarray) -> list[list[int]]:
    """Coordinates (N, 2) moved and scaled to whole numbers from 0 to `SIZE`, with up as the second axis' smaller values."""
    low, high = coordinates.min(axis=0), coordinates.max(axis=0)
    span = float((high - low).max()) or 1.0
    centred = (coordinates - (low + high) / 2) / span  # -0.5 to 0.5
    return np.rint(SIZE * (0.5 + centred * [1, -1])).astype(int).tolist()


if __name__ == "__main__":
    write_maps()
