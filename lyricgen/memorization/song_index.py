"""An index of songs: which five words in a row stand in which of them, kept as hashes, without a word of a lyric.

buckets.npy    where the entries of each of 65,536 buckets begin: uint32 (65,537,)
grams.npy      what else of its hash each entry keeps, sorted within its bucket: uint32 (entries,)
songs.npy      the number of its song: uint16, or uint32 for more than 65,536 songs (entries,)
times.npy      how often it is sung there, in a loop how often in one go; 255 for more: uint8 (entries,)
songs.csv      title and artist of each song; titles and names are no lyric
metrics.json   format version, counts, how often it finds what is not there, and the sha256 of the other files

A gram is five words in a row of one song; an entry is a gram in a song. A gram loops where it can overlap itself, as 'oh oh oh
oh oh' does after one word and 'we are we are we' after two: that is its period. 48 bits of a gram's hash are kept: 16 name
its bucket, 32 stand in it. An index cannot be read, only asked: it answers whether words that are put to it stand in a song.

Shapes: W words of a text, W - 4 grams, E entries.
"""

import csv
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lyricgen.errors import DataError
from lyricgen.models.vocabulary import APOSTROPHES
from lyricgen.storage import ASSETS, SONG_INDEX, artifact_errors, read_artifact, write_artifact

if TYPE_CHECKING:  # which takes seconds to import
    from lyricgen.songs.notebook import Song

GRAM = 5  # words
FOLDER = "originality"
*ARRAYS, TITLES = SONG_INDEX.files
BUCKET_BITS, REST_BITS = 16, 32
BUCKETS = 2**BUCKET_BITS
MOST_TIMES = 255
ASKED_AT_RANDOM = 4_000_000  # grams by which false positives are counted
ASKED_AT_ONCE = 1_000_000
LONGEST_TITLE = 44  # characters; a longer one is cut, so that none can hold a line of a lyric
_LETTER = r"[^\W_][\u0300-\u036f]{0,8}"  # with accents of its own; a longer pile of them is no spelling
_WORD = re.compile(rf"(?:{_LETTER})+(?:'(?:{_LETTER})+)*")
_TO_APOSTROPHE = str.maketrans(dict.fromkeys(APOSTROPHES, "'"))
_ALL_BITS = 2**64 - 1
_FACTOR, _MIX1, _MIX2 = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB  # the last two: of SplitMix64


class Word(NamedTuple):
    """A word of a text as songs are compared: in lower case, of letters and digits, with apostrophes inside."""

    text: str
    start: int
    """Where it begins in the text, in characters."""
    stop: int


class Title(NamedTuple):
    """What a song is called; '' where the songs' file does not say."""

    title: str
    artist: str


def find_words(text: str) -> list[Word]:
    """The words of a text; punctuation, capitals and spacing make no difference.

    >>> [word.text for word in find_words("DON'T stop -- 're-start'!")]
    ["don't", 'stop', 're', 'start']
    """
    plain = text.translate(_TO_APOSTROPHE)
    return [Word(_spelled(match[0]), match.start(), match.end()) for match in _WORD.finditer(plain)]


def hash_word(word: str) -> int:
    """64 bits that are the same for the same word in every process and on every machine."""
    return int.from_bytes(blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def hash_words(words: Iterable[Word], known: dict[str, int] | None = None) -> np.ndarray:
    """`hash_word` of each: uint64 (W,); `known` is kept from call to call to spare hashing a word again."""
    known, hashes = {} if known is None else known, []
    for text, _, _ in words:
        if text not in known:
            known[text] = hash_word(text)
        hashes.append(known[text])
    return np.array(hashes, np.uint64)


def hash_gram(words: Sequence[int]) -> int:
    """The hash of five words in a row, by the hashes of each: 64 bits."""
    value = 0
    for word in words:
        value = value * _FACTOR + word & _ALL_BITS
    value = (value ^ value >> 30) * _MIX1 & _ALL_BITS
    value = (value ^ value >> 27) * _MIX2 & _ALL_BITS
    return value ^ value >> 31


def hash_grams(words: np.ndarray) -> np.ndarray:
    """`hash_gram` of all five words in a row: uint64 (W,) -> uint64 (max(W - 4, 0),)."""
    count = max(len(words) - GRAM + 1, 0)
    values = np.zeros(count, np.uint64)
    for position in range(GRAM):
        values = values * np.uint64(_FACTOR) + words[position : position + count]
    values = (values ^ values >> np.uint64(30)) * np.uint64(_MIX1)
    values = (values ^ values >> np.uint64(27)) * np.uint64(_MIX2)
    return values ^ values >> np.uint64(31)


def find_periods(words: np.ndarray) -> np.ndarray:
    """After how many words each gram can overlap itself: int64 (max(W - 4, 0),), 1 to 4, or 0 where it cannot."""
    count = max(len(words) - GRAM + 1, 0)
    periods = np.zeros(count, np.int64)
    for period in range(GRAM - 1, 0, -1):  # the shortest is set last
        same = words[period:] == words[:-period] if len(words) > period else np.zeros(0, bool)
        overlaps = np.ones(count, bool)
        for position in range(GRAM - period):
            overlaps &= same[position : position + count]
        periods[overlaps] = period
    return periods


class SongIndex:
    """Which grams stand in which songs; read-only, and safe to ask from many threads.

    Args:
        titles: of each song, by number.
        buckets: where each bucket's entries begin, the number of all at the end: (65,537,).
        grams: 32 bits of each entry's hash, sorted within its bucket: uint32 (E,).
        songs: the song of each entry (E,).
        times: how often each is sung there, in a loop how often in one go: uint8 (E,).
        metrics: counts, and how it came about.
    """

    def __init__(
        self,
        titles: Sequence[Title],
        buckets: np.ndarray,
        grams: np.ndarray,
        songs: np.ndarray,
        times: np.ndarray,
        metrics: Mapping,
    ):
        self.titles, self.metrics = list(titles), dict(metrics)
        self._buckets, self._grams, self._songs, self._times = buckets, grams, songs, times

    def __len__(self) -> int:
        """Songs."""
        return len(self.titles)

    @property
    def entries(self) -> int:
        return len(self._grams)

    @classmethod
    def build(cls, songs: Iterable["Song"], asked: int = ASKED_AT_RANDOM, seed: int = 0) -> "SongIndex":
        """The index of songs, numbered in their order.

        Args:
            songs: read once; what is kept while it is built is their grams' hashes.
            asked: random grams by which it is counted how often a gram that stands in no song is found all the same.
            seed: of these.

        Raises:
            DataError: no song has five words.
        """
        titles, hashes, times, vocabulary, words = [], [], [], {}, 0
        for song in songs:
            titles.append(Title(_named(song.title), _named(song.artist)))
            hashed = hash_words(find_words(song.lyric), vocabulary)
            words += len(hashed)
            of_song, sung = _count(hash_grams(hashed), find_periods(hashed))
            hashes.append(of_song)
            times.append(np.minimum(sung, MOST_TIMES).astype(np.uint8))
        counts = [len(of_song) for of_song in hashes]
        if not sum(counts):
            raise DataError(f"no song has {GRAM} words in a row; give songs with more")
        full, times = np.concatenate(hashes), np.concatenate(times)
        number_type = np.uint16 if len(titles) <= 2**16 else np.uint32
        numbers = np.repeat(np.arange(len(titles), dtype=number_type), counts)
        order = np.argsort(full, kind="stable")  # the songs of a gram stay in their order
        bucket, rest = _split(full[order])
        buckets = np.searchsorted(bucket, np.arange(BUCKETS + 1)).astype(np.uint32)
        full = np.unique(full)
        metrics = {"gram": GRAM, "songs": len(titles), "words": words, "grams": len(full), "entries": len(rest)}
        index = cls(titles, buckets, rest, numbers[order], times[order], metrics)
        found, done = index._false_positives(full, np.array(sorted(vocabulary.values()), np.uint64), asked, seed)
        index.metrics["false_positives"] = {
            "asked": done,
            "found": found,
            "rate": found / done if done else None,
            "expected_rate": float(f"{index.expected_false_positives:.3g}"),
        }
        return index

    @property
    def expected_false_positives(self) -> float:
        """The share of grams that stand in no song and are found all the same, if hashes are as good as random.

        Such a gram falls into a bucket of E / 65,536 entries on average, and equals each with a chance of 1 in 2**32.
        """
        return self.entries / 2 ** (BUCKET_BITS + REST_BITS)

    def save(self, folder: str | Path, **facts) -> None:
        """Writes the index atomically.

        Args:
            folder: replaced if it exists; its parents are created.
            facts: more for `metrics.json`, such as the provenance.
        """
        header = dict(self.metrics)
        with write_artifact(folder, SONG_INDEX, header) as partial:
            for name, array in zip(ARRAYS, (self._buckets, self._grams, self._songs, self._times), strict=True):
                np.save(partial / name, array)
            with (partial / TITLES).open("w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(Title._fields)
                writer.writerows(self.titles)
            header |= {"bytes": sum((partial / name).stat().st_size for name in SONG_INDEX.files), **facts}
        self.metrics = header

    @classmethod
    def load(cls, folder: str | Path) -> "SongIndex":
        """Reads an index strictly: every checksum matches. Its arrays are mapped, not read.

        Raises:
            ModelError: it is missing, incomplete, altered, or of another format; the message says which.
        """
        folder = Path(folder)
        metrics = read_artifact(folder, SONG_INDEX)
        with artifact_errors(folder, SONG_INDEX):
            buckets, grams, songs, times = (_mapped(folder / name) for name in ARRAYS)
            with (folder / TITLES).open(newline="", encoding="utf-8") as file:
                header, *rows = csv.reader(file)
                titles = [Title(*row) for row in rows]
            if not (
                tuple(header) == Title._fields
                and (buckets.shape, buckets.dtype) == ((BUCKETS + 1,), np.uint32)
                and (grams.dtype, times.dtype) == (np.uint32, np.uint8)
                and grams.shape == songs.shape == times.shape == (len(grams),)
                and songs.dtype in (np.uint16, np.uint32)
                and (buckets[0], buckets[-1]) == (0, len(grams))
                and bool((buckets[1:] >= buckets[:-1]).all())
                and len(grams) > 0
                and int(songs.max()) < len(titles)
            ):
                raise ValueError
        return cls(titles, buckets, grams, songs, times, metrics)

    def find(self, grams: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """In which songs grams stand.

        Args:
            grams: hashes: uint64 (Q,).

        Returns:
            For each song of each gram that is found, int64 (found,) each: the gram's position among those asked, the song's
            number, and how often it is sung there, in a loop how often in one go; in the order of the first two.
        """
        bucket, rest = _split(grams)
        low, high = self._buckets[bucket].astype(np.int64), self._buckets[bucket + 1].astype(np.int64)
        first = self._bound(low, high, rest, np.less)
        hits = np.flatnonzero((first < high) & (self._grams[np.minimum(first, self.entries - 1)] == rest))
        first = first[hits]
        counts = self._bound(first, high[hits], rest[hits], np.less_equal) - first
        asked = np.repeat(hits, counts)
        entries = np.arange(len(asked)) - np.repeat(np.cumsum(counts) - counts - first, counts)
        return asked, self._songs[entries].astype(np.int64), self._times[entries].astype(np.int64)

    def songs_with(self, gram: int) -> list[tuple[int, int]]:
        """The songs in which one gram stands, given by its hash, and how often; microseconds, for a word at a time."""
        bucket, rest = gram >> 64 - BUCKET_BITS, gram >> 64 - BUCKET_BITS - REST_BITS & 2**REST_BITS - 1
        low, high = self._buckets[bucket : bucket + 2].tolist()
        entries = self._grams[low:high].tolist()
        if rest not in entries:
            return []
        first = low + entries.index(rest)
        found = slice(first, first + entries.count(rest))
        return list(zip(self._songs[found].tolist(), self._times[found].tolist(), strict=True))

    def _bound(self, low: np.ndarray, high: np.ndarray, rest: np.ndarray, goes_right: np.ufunc) -> np.ndarray:
        """Binary searches in many buckets at once: the first entry from `low` on that does not go before `rest`."""
        while (looking := low < high).any():
            middle = (low + high) // 2
            right = looking & goes_right(self._grams[np.minimum(middle, self.entries - 1)], rest)
            low, high = np.where(right, middle + 1, low), np.where(looking & ~right, middle, high)
        return low

    def _false_positives(self, grams: np.ndarray, vocabulary: np.ndarray, asked: int, seed: int) -> tuple[int, int]:
        """Asks for grams of words drawn from the songs' vocabulary which no song has.

        Args:
            grams: the hashes of the songs' grams, all 64 bits, sorted.
            vocabulary: the hashes of the songs' words.
            asked: how many.
            seed: of what is drawn.

        Returns:
            How many were found all the same, and how many were asked for: fewer where the songs have too few words.
        """
        rng, found, done = np.random.default_rng(seed), 0, 0
        while done < asked:
            drawn = vocabulary[rng.integers(len(vocabulary), size=min(asked - done, ASKED_AT_ONCE) + GRAM - 1)]
            hashes = hash_grams(drawn)
            sung = grams[np.minimum(np.searchsorted(grams, hashes), len(grams) - 1)] == hashes
            hashes = hashes[~sung]
            if not len(hashes):
                return found, done
            found += len(np.unique(self.find(hashes)[0]))
            done += len(hashes)
        return found, done


@cache
def bundled_index() -> SongIndex:
    """The index of the songs that the bundled models were trained on.

    Raises:
        ModelError: it is damaged.
    """
    return SongIndex.load(ASSETS / FOLDER)


def _spelled(word: str) -> str:
    """A word as it is hashed."""
    word = word.lower()
    return word if word.isascii() else unicodedata.normalize("NFC", word)


def _count(grams: np.ndarray, periods: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The different grams of a song, and how often each is sung, in a loop how often in one go: uint64, int64 (grams,)."""
    different, kind, times = np.unique(grams, return_inverse=True, return_counts=True)
    loops = np.flatnonzero(periods)
    times[kind[loops]] = 1
    in_one_go = np.ones(len(grams), np.int64)
    for at, period in zip(loops.tolist(), periods[loops].tolist(), strict=True):
        if at >= period and kind[at - period] == kind[at]:
            in_one_go[at] = in_one_go[at - period] + 1
            times[kind[at]] = max(times[kind[at]], in_one_go[at])
    return different, times


def _named(text: str) -> str:
    """A title or a name in one line that can be printed, cut where it is long."""
    text = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return text if len(text) <= LONGEST_TITLE else f"{text[: LONGEST_TITLE - 1].rstrip()}…"


def _split(hashes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The bucket, int64, and the 32 bits that are kept, uint32, of each hash."""
    rest = hashes >> np.uint64(64 - BUCKET_BITS - REST_BITS) & np.uint64(2**REST_BITS - 1)
    return (hashes >> np.uint64(64 - BUCKET_BITS)).astype(np.int64), rest.astype(np.uint32)


def _mapped(path: Path) -> np.ndarray:
    """An array that stays on disk until it is asked; nothing is unpickled."""
    return np.load(path, mmap_mode="r", allow_pickle=False).view(np.ndarray)
