"""n-gram index of songs: which five words in a row occur in which song, as hashes, without any text of a lyric.

buckets.npy    start of each of the 65,536 buckets of entries, and the end of the last: uint32 (65,537,)
grams.npy      the other 32 bits of each entry's hash, sorted within its bucket: uint32 (E,)
songs.npy      song number of each entry: uint16, or uint32 for more than 65,536 songs (E,)
times.npy      occurrences of the gram in its song, at most 255: uint8 (E,)
songs.csv      title and artist of each song
metrics.json   format version, counts, false positives, and the sha256 of the other files

A gram is five words in a row; an entry is a gram in a song. A gram that overlaps itself is periodic: 'oh oh oh oh oh' has
period 1, 'we are we are we' period 2. The occurrences of a periodic gram are counted within one loop, the longest. Of a
gram's hash 48 bits are kept: 16 are the bucket's number, 32 are in the entry. The lyrics cannot be read from an index; it
only answers whether given words occur in a song.

Shapes: W words of a text, which has W - 4 grams; E entries; Q queries.
"""

import csv
import io
import os
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lyricgen.display import one_line
from lyricgen.errors import DataError
from lyricgen.models.vocabulary import TO_APOSTROPHE
from lyricgen.storage import ASSETS, SONG_INDEX, artifact_errors, check_numbers, read_artifact, write_artifact
from lyricgen.validation import clean_text

if TYPE_CHECKING:  # takes seconds to import
    from lyricgen.songs.reading import Song

GRAM = 5  # words
FOLDER = "originality"  # name of the index's folder beside the models
*ARRAYS, TITLES = SONG_INDEX.files
BUCKET_BITS, REST_BITS = 16, 32  # bits of a hash: the bucket's number, and the rest in the entry
BUCKETS = 2**BUCKET_BITS
MAX_TIMES = 255  # maximum count of an entry
FALSE_POSITIVE_PROBES = 4_000_000  # random grams looked up to measure the false positive rate
PROBES_PER_BATCH = 1_000_000
MAX_TITLE_LENGTH = 44  # characters; longer titles are cut, so that none contains a line of a lyric
_LETTER = r"[^\W_][\u0300-\u036f\u00ad\u200b\u2060\ufeff]{0,8}"  # with combining accents or invisible characters, at most eight
_WORD = re.compile(rf"(?:{_LETTER})+(?:'(?:{_LETTER})+)*")
_ALL_BITS = 2**64 - 1
_FACTOR = 0x9E3779B97F4A7C15
_MIX1, _MIX2 = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB  # from SplitMix64


class Word(NamedTuple):
    """A word of a text, normalized for comparison: lower case, letters and digits, apostrophes only inside."""

    text: str
    start: int
    """Position of its first character in the text."""
    stop: int


class Title(NamedTuple):
    """Title and artist of a song; '' where the songs' file has none."""

    title: str
    artist: str


def find_words(text: str) -> list[Word]:
    """The words of a text; punctuation, case and spacing are ignored.

    >>> [word.text for word in find_words("DON'T stop -- 're-start'!")]
    ["don't", 'stop', 're', 'start']
    """
    text = text.translate(TO_APOSTROPHE)
    return [Word(_normalize(match[0]), match.start(), match.end()) for match in _WORD.finditer(text)]


def hash_word(word: str) -> int:
    """A 64-bit hash of a word, the same in every process and on every machine."""
    return int.from_bytes(blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def hash_words(words: Iterable[Word]) -> np.ndarray:
    """`hash_word` of each word: uint64 (W,)."""
    known = WordHashes()
    return np.array([known[word.text] for word in words], np.uint64)


class WordHashes(dict[str, int]):
    """`hash_word` of words as a text spells them, each computed once."""

    def __missing__(self, word: str) -> int:
        self[word] = hash_word(_normalize(word))
        return self[word]

    def of_text(self, text: str) -> np.ndarray:
        """`hash_words(find_words(text))`, in a fraction of the time for a long text: uint64 (W,)."""
        words = _WORD.findall(text.translate(TO_APOSTROPHE))
        return np.fromiter(map(self.__getitem__, words), np.uint64, len(words))


def hash_gram(words: Sequence[int]) -> int:
    """The 64-bit hash of five words in a row, from the hash of each."""
    value = 0
    for word in words:
        value = value * _FACTOR + word & _ALL_BITS
    value = (value ^ value >> 30) * _MIX1 & _ALL_BITS
    value = (value ^ value >> 27) * _MIX2 & _ALL_BITS
    return value ^ value >> 31


def hash_grams(words: np.ndarray) -> np.ndarray:
    """`hash_gram` of each five words in a row: uint64 (W,) -> uint64 (max(W - 4, 0),)."""
    count = max(len(words) - GRAM + 1, 0)
    values = np.zeros(count, np.uint64)
    for position in range(GRAM):
        values = values * np.uint64(_FACTOR) + words[position : position + count]
    values = (values ^ values >> np.uint64(30)) * np.uint64(_MIX1)
    values = (values ^ values >> np.uint64(27)) * np.uint64(_MIX2)
    return values ^ values >> np.uint64(31)


def find_periods(words: np.ndarray) -> np.ndarray:
    """Period of each gram in words, 1 to 4, 0 for a gram that does not overlap itself: int64 (max(W - 4, 0),)."""
    count = max(len(words) - GRAM + 1, 0)
    periods = np.zeros(count, np.int64)
    for period in range(GRAM - 1, 0, -1):  # descending, so that the shortest period is kept
        same = words[period:] == words[:-period] if len(words) > period else np.zeros(0, bool)
        overlaps = np.ones(count, bool)
        for position in range(GRAM - period):
            overlaps &= same[position : position + count]
        periods[overlaps] = period
    return periods


class SongIndex:
    """n-gram index of songs; read-only and thread-safe.

    Args:
        titles: title of each song, by number.
        buckets: start of each bucket, and the number of entries at the end: uint32 (65,537,).
        grams: 32 bits of each entry's hash, sorted within its bucket: uint32 (E,).
        songs: song number of each entry (E,).
        times: occurrences of each entry's gram in its song; of a periodic gram, in the longest loop: uint8 (E,).
        metrics: counts and provenance.
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

    def __repr__(self) -> str:
        return one_line(self, f"{len(self):,} songs", f"{self.entries:,} entries")

    def __len__(self) -> int:
        """Number of songs."""
        return len(self.titles)

    @property
    def entries(self) -> int:
        """Number of entries."""
        return len(self._grams)

    @classmethod
    def build(cls, songs: Iterable["Song"], asked: int = FALSE_POSITIVE_PROBES, seed: int = 0) -> "SongIndex":
        """Indexes songs, which are numbered in their order.

        Args:
            songs: iterated over once; only the hashes of their grams stay in memory.
            asked: random grams, in no song, looked up to measure the false positive rate; 0: none.
            seed: seed of these grams.

        Raises:
            DataError: no song has five words.
        """
        titles: list[Title] = []
        vocabulary = WordHashes()
        grams_by_song, times_by_song, numbers_with_grams, words = [], [], [], 0
        for number, song in enumerate(songs):
            titles.append(Title(_printable(song.title), _printable(song.artist)))
            hashes = vocabulary.of_text(song.lyric)
            words += len(hashes)
            if len(hashes) < GRAM:
                continue
            grams, counts = _count(hash_grams(hashes), find_periods(hashes))
            grams_by_song.append(grams)
            times_by_song.append(np.minimum(counts, MAX_TIMES).astype(np.uint8))
            numbers_with_grams.append(number)
        if not grams_by_song:
            raise DataError(f"no song has {GRAM} words in a row; give songs with more")
        grams, times = np.concatenate(grams_by_song), np.concatenate(times_by_song)
        song_type = np.uint16 if len(titles) <= 2**16 else np.uint32
        numbers = np.repeat(np.array(numbers_with_grams, song_type), [len(grams) for grams in grams_by_song])
        order = np.argsort(grams, kind="stable")  # the songs of a gram stay in their order
        entry_buckets, rest = _split(grams[order])
        buckets = np.searchsorted(entry_buckets, np.arange(BUCKETS + 1)).astype(np.uint32)
        distinct = np.unique(grams)
        metrics = {"gram": GRAM, "songs": len(titles), "words": words, "grams": len(distinct), "entries": len(rest)}
        index = cls(titles, buckets, rest, numbers[order], times[order], metrics)
        word_hashes = np.array(sorted(set(vocabulary.values())), np.uint64)
        index.metrics["false_positives"] = index._measure_false_positives(distinct, word_hashes, asked, seed)
        return index

    @property
    def expected_false_positives(self) -> float:
        """Expected false positive rate of grams that no song has, for uniform hashes.

        The bucket of such a gram has E / 65,536 entries on average, each equal to it with probability 2**-32.
        """
        return self.entries / 2 ** (BUCKET_BITS + REST_BITS)

    def save(self, folder: str | Path, **facts: object) -> None:
        """Writes the index atomically.

        Args:
            folder: replaced if it exists; its parents are created.
            facts: more for `metrics.json`, such as the provenance.
        """
        header = {**self.metrics, "format_version": SONG_INDEX.version}
        with write_artifact(folder, SONG_INDEX, header) as partial:
            for name, array in zip(ARRAYS, (self._buckets, self._grams, self._songs, self._times), strict=True):
                content = io.BytesIO()  # numpy's error of a full disk says only how many numbers were written
                np.save(content, array)
                (partial / name).write_bytes(content.getbuffer())
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
            check_numbers(metrics, "songs", "grams", required=True)
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
        """The songs in which grams occur.

        Args:
            grams: hashes: uint64 (Q,).

        Returns:
            Three int64 arrays with one element per matching entry, in the order of the first two: the gram's position in
            `grams`, the song's number, and the occurrences there.
        """
        buckets, rest = _split(grams)
        low, high = self._buckets[buckets].astype(np.int64), self._buckets[buckets + 1].astype(np.int64)
        first = self._binary_search(low, high, rest, np.less)
        hits = np.flatnonzero((first < high) & (self._grams[np.minimum(first, self.entries - 1)] == rest))
        first = first[hits]
        counts = self._binary_search(first, high[hits], rest[hits], np.less_equal) - first
        positions = np.repeat(hits, counts)
        entries = np.arange(len(positions)) - np.repeat(np.cumsum(counts) - counts - first, counts)
        return positions, self._songs[entries].astype(np.int64), self._times[entries].astype(np.int64)

    def songs_with(self, gram: int) -> list[tuple[int, int]]:
        """The songs in which one gram occurs, given by its hash, and the occurrences in each; takes microseconds."""
        bucket, rest = gram >> 64 - BUCKET_BITS, gram >> 64 - BUCKET_BITS - REST_BITS & 2**REST_BITS - 1
        low, high = self._buckets[bucket : bucket + 2].tolist()
        entries = self._grams[low:high].tolist()
        if rest not in entries:
            return []
        first = low + entries.index(rest)
        matches = slice(first, first + entries.count(rest))
        return list(zip(self._songs[matches].tolist(), self._times[matches].tolist(), strict=True))

    def _binary_search(self, low: np.ndarray, high: np.ndarray, rest: np.ndarray, comparison: np.ufunc) -> np.ndarray:
        """For each query, the first entry from `low` to `high` for which `comparison(entry, rest)` is false."""
        while (active := low < high).any():
            middle = (low + high) // 2
            right = active & comparison(self._grams[np.minimum(middle, self.entries - 1)], rest)
            low, high = np.where(right, middle + 1, low), np.where(active & ~right, middle, high)
        return low

    def _measure_false_positives(self, grams: np.ndarray, words: np.ndarray, probes: int, seed: int) -> dict:
        """Measures the false positive rate with random grams that no song has.

        Args:
            grams: all 64 bits of the hashes of the songs' grams, sorted.
            words: hashes of the songs' words, from which the random grams are made.
            probes: number of random grams; fewer if a sample consists only of grams that a song has.
            seed: of the random generator.
        """
        rng, matches, done = np.random.default_rng(seed), 0, 0
        while done < probes:
            sample = words[rng.integers(len(words), size=min(probes - done, PROBES_PER_BATCH) + GRAM - 1)]
            hashes = hash_grams(sample)
            in_a_song = grams[np.minimum(np.searchsorted(grams, hashes), len(grams) - 1)] == hashes
            hashes = hashes[~in_a_song]
            if not len(hashes):
                break
            matches += len(np.unique(self.find(hashes)[0]))
            done += len(hashes)
        return {
            "asked": done,
            "found": matches,
            "rate": matches / done if done else None,
            "expected_rate": float(f"{self.expected_false_positives:.3g}"),
        }


@cache
def bundled_index() -> SongIndex:
    """The index of the songs that the bundled models were trained on.

    Raises:
        ModelError: it is damaged.
    """
    return SongIndex.load(ASSETS / FOLDER)


def index_of_model(model: object) -> SongIndex:
    """The index of the songs that a model was trained on: of a model folder the one beside it, as train.py writes them, if there
    is one; else the bundled one.

    Raises:
        ModelError: it is damaged.
    """
    if isinstance(model, (str, Path)) and os.path.isdir(model):
        beside = Path(model).resolve().parent / FOLDER
        if beside.is_dir():
            return SongIndex.load(beside)
    return bundled_index()


def _normalize(word: str) -> str:
    """A word in the form that is hashed."""
    word = word.lower()
    return word if word.isascii() else unicodedata.normalize("NFC", clean_text(word))


def _count(grams: np.ndarray, periods: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct grams of a song and their occurrences, of a periodic gram in its longest loop: uint64, int64 (grams,)."""
    distinct, inverse, occurrences = np.unique(grams, return_inverse=True, return_counts=True)
    periodic = np.flatnonzero(periods)
    occurrences[inverse[periodic]] = 1
    kinds, counts = inverse.tolist(), occurrences.tolist()  # lists, since single elements of arrays are slow
    in_loop = [1] * len(grams)  # occurrences in the loop up to each gram
    for position, period in zip(periodic.tolist(), periods[periodic].tolist(), strict=True):
        kind = kinds[position]
        if position >= period and kinds[position - period] == kind:
            in_loop[position] = in_loop[position - period] + 1
            counts[kind] = max(counts[kind], in_loop[position])
    return distinct, np.array(counts, np.int64)


def _printable(text: str) -> str:
    """A title or a name on one line, without control characters, cut if it is long."""
    text = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return text if len(text) <= MAX_TITLE_LENGTH else f"{text[: MAX_TITLE_LENGTH - 1].rstrip()}…"


def _split(hashes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The bucket of each hash, int64, and the 32 bits stored in its entry, uint32."""
    rest = hashes >> np.uint64(64 - BUCKET_BITS - REST_BITS) & np.uint64(2**REST_BITS - 1)
    return (hashes >> np.uint64(64 - BUCKET_BITS)).astype(np.int64), rest.astype(np.uint32)


def _mapped(path: Path) -> np.ndarray:
    """A memory-mapped array; nothing is unpickled."""
    return np.load(path, mmap_mode="r", allow_pickle=False).view(np.ndarray)
