"""Songs encoded once into a memory-mapped byte array.

Each song is label 100 followed by its characters, so that every character is predicted, the first one from label 100.
"""

import hashlib
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lyricgen.display import one_line
from lyricgen.errors import DataError
from lyricgen.models.vocabulary import OOV_LABEL, START_LABEL, encode
from lyricgen.songs.reading import Song
from lyricgen.storage import ENCODED_CORPUS, artifact_errors, read_artifact, write_artifact
from lyricgen.validation import name_key

MAX_HELD_OUT = 2_000  # songs of a held-out split, so that evaluation stays cheap for a large corpus
LABELS, SONGS = ENCODED_CORPUS.files


@dataclass(frozen=True, eq=False)
class Corpus:
    """Encoded songs. `labels` is memory-mapped; the other arrays have a few bytes per song.

    A subset shares `labels` with its corpus.
    """

    labels: np.ndarray
    """All songs, concatenated, uint8; each starts with label 100."""
    starts: np.ndarray
    """Position of each song's label 100, int64 (songs,)."""
    stops: np.ndarray
    """Position after each song's last character, int64 (songs,)."""
    artist_labels: np.ndarray
    """Index of each song's artist in `artists`, `len(artists)` for none, int64 (songs,)."""
    artists: tuple[str, ...]
    sha256: str
    """Checksum of the encoded songs and their artists; a subset has its own."""

    def __repr__(self) -> str:
        return one_line(self, f"{len(self):,} songs", f"{self.characters:,} characters", f"{len(self.artists)} artists")

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def characters(self) -> int:
        """Characters to predict in all songs, those outside the vocabulary included."""
        return int((self.stops - self.starts).sum()) - len(self)

    @property
    def unknown_share(self) -> float:
        """Share of the characters that lie outside the vocabulary; 0 without characters."""
        unknown = sum(int((self.song(number) == OOV_LABEL).sum()) for number in range(len(self)))
        return unknown / max(1, self.characters)

    def song(self, index: int) -> np.ndarray:
        """The labels of one song without the initial label 100: uint8 (characters,)."""
        return self.labels[self.starts[index] + 1 : self.stops[index]]

    def subset(self, songs: Sequence[int] | np.ndarray) -> "Corpus":
        """The corpus of these songs, given by number or as a mask."""
        arrays = {name: getattr(self, name)[songs] for name in ("starts", "stops", "artist_labels")}
        digest = hashlib.sha256(self.sha256.encode())
        for array_ in arrays.values():
            digest.update(array_.astype("<i8").tobytes())
        return replace(self, **arrays, sha256=digest.hexdigest())

    def split(self, share: float, seed: int) -> tuple["Corpus", "Corpus"]:
        """Splits the songs at random: the second corpus has `share` of them, at least one and at most 2,000.

        Raises:
            DataError: there are fewer than two songs.
        """
        rest, held_out = split_numbers(len(self), share, seed)
        return self.subset(rest), self.subset(held_out)


def split_numbers(songs: int, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The numbers of the songs of each part of `Corpus.split`, ascending, int64.

    Raises:
        DataError: there are fewer than two songs.
    """
    if songs < 2:
        raise DataError("one song cannot be split into training and validation; name a validation file too")
    order = np.random.default_rng(seed).permutation(songs)
    held_out = min(max(1, round(share * songs)), songs - 1, MAX_HELD_OUT)
    return np.sort(order[held_out:]), np.sort(order[:held_out])


def encode_corpus(songs: Iterable[Song], folder: str | Path, artists: Sequence[str] | None = None) -> Corpus:
    """Encodes songs, lower-cased, into `folder` and opens it; memory is constant in the number of songs.

    The folder is written atomically; an existing one is replaced.

    Args:
        songs: read once, in order.
        folder: of the artifact; see `lyricgen.storage`.
        artists: the artists, position = label; a song of any other has no artist. None: all artists of the songs. Names are
            compared by `name_key`.
    """
    folder = Path(folder)
    known = list(artists or ())
    label_of = {name_key(name): label for label, name in enumerate(known)}
    ends, names, digest = array("q", [0]), array("q"), hashlib.sha256()
    header: dict = {}
    with write_artifact(folder, ENCODED_CORPUS, header) as partial:
        with (partial / LABELS).open("wb") as file:
            for song in songs:
                artist = name_key(song.artist)
                if artists is None and artist and artist not in label_of:
                    label_of[artist] = len(known)
                    known.append(song.artist)
                labels = encode(song.lyric.lower())
                file.write(bytes([START_LABEL]))
                file.write(labels.data)
                digest.update(f"{song.artist}\0".encode() + labels.tobytes())
                ends.append(ends[-1] + 1 + len(labels))
                names.append(label_of.get(artist, -1))
        bounds, artist_labels = np.frombuffer(ends, np.int64), np.frombuffer(names, np.int64).copy()
        artist_labels[artist_labels < 0] = len(known)
        np.savez(partial / SONGS, starts=bounds[:-1], stops=bounds[1:], artist_labels=artist_labels)
        header |= {"artists": known, "songs_sha256": digest.hexdigest()}
    return open_corpus(folder)


def open_corpus(folder: str | Path) -> Corpus:
    """Opens a corpus that `encode_corpus` wrote, after the checksum of each file was verified; format 1 has none.

    Raises:
        DataError: the folder is no corpus, or it is damaged or of another format.
    """
    folder = Path(folder)
    header = read_artifact(folder, ENCODED_CORPUS)
    with artifact_errors(folder, ENCODED_CORPUS):
        with (folder / SONGS).open("rb") as file, np.load(file, allow_pickle=False) as songs:
            arrays = {name: songs[name] for name in ("starts", "stops", "artist_labels")}
        labels = np.memmap(folder / LABELS, dtype=np.uint8, mode="r")
        if len(arrays["stops"]) and len(labels) != arrays["stops"][-1]:
            raise ValueError
        sha256 = header["sha256"] if header["format_version"] == 1 else header["songs_sha256"]
        return Corpus(labels, **arrays, artists=tuple(header["artists"]), sha256=sha256)
