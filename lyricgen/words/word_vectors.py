"""Word vectors: the words of a space and their vectors, and the folder that they are saved in.

vectors.npy   float32, float16 or int8, one row per word; float32 is memory-mapped
words.txt     one word per line, most frequent first
meta.json     format version, name, source, counts, and the sha256 of the other two

Shapes: N words of D dimensions. No pickle is loaded.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike
from rapidfuzz import process
from rapidfuzz.distance import OSA

from lyricgen.display import one_line
from lyricgen.errors import ArgumentError, VectorsError
from lyricgen.models.vocabulary import TO_APOSTROPHE
from lyricgen.storage import PARSE_ERRORS, VECTOR_SPACE, artifact_errors, read_artifact, read_header, write_artifact
from lyricgen.validation import check_text, name_key, short_repr, without_accents

VECTORS, WORDS = VECTOR_SPACE.files
META = VECTOR_SPACE.header
DTYPES = (np.float32, np.float16, np.int8)  # of the files
MAX_WORD_LENGTH = 100  # characters; of longer texts only the typed spelling is looked up
MAX_IN_MEMORY = 30_000_000  # bytes of vectors; larger files are memory-mapped and their checksum is not verified
FREQUENT_WORDS = 10_000  # words that random pairs are sampled from
RANDOM_PAIRS = 20_000  # pairs of frequent words in the distribution of distances
_MARKS = "'\".,;:!?()[]{}<>*\u201c\u201d\u201e\u00ab\u00bb\u2026\u00bf\u00a1"  # around a word that is quoted or from a sentence
_JOINED = re.compile(r"[\s_\-\u2010-\u2015]+")


class WordVectors:
    """Words and their vectors, read-only; `VectorSpace` adds the methods of gensim, which is slow to import.

    Args:
        name: for messages, such as 'glove-50'.
        words: N words, most frequent first, or a function that reads them when the first is asked for: lists and dictionaries of
            400,000 words take 64 MB.
        vectors: (N, D), float32, may be memory-mapped; made read-only.
        source: origin of the vectors, in a few words.

    Raises:
        VectorsError: the numbers of words and vectors differ, or a word is repeated.
    """

    norms: np.ndarray  # float32 (N,); None until `fill_norms`

    def __init__(
        self, name: str, words: Sequence[str] | Callable[[], Sequence[str]], vectors: np.ndarray, source: str = ""
    ):
        self.name, self.source = name, source
        vectors.setflags(write=False)
        self.vectors, self.vector_size = vectors, vectors.shape[1]
        self.norms = None  # type: ignore[assignment]
        self._words = words
        if not callable(words):
            self.key_to_index  # noqa: B018  (checks the words)

    @cached_property
    def index_to_key(self) -> list[str]:
        """The words, most frequent first."""
        words = list(self._words() if callable(self._words) else self._words)
        if len(words) != len(self.vectors):
            raise VectorsError(f"{self.name} has {len(words):,} words and {len(self.vectors):,} vectors")
        return words

    @cached_property
    def key_to_index(self) -> dict[str, int]:
        """The row of each word."""
        rows = {word: row for row, word in enumerate(self.index_to_key)}
        if len(rows) != len(self.vectors):
            raise VectorsError(f"{self.name} holds a word twice; fetch it again")
        return rows

    def __len__(self) -> int:
        return len(self.vectors)

    def __repr__(self) -> str:
        return one_line(self, self.name, f"{len(self):,} words of {self.vector_size} dimensions")

    def fill_norms(self, force: bool = False) -> None:
        """Sets `.norms`, the length of each vector, 1 for a zero vector: float32 (N,).

        Raises:
            VectorsError: a vector holds NaN or infinity.
        """
        if self.norms is None or force:
            with np.errstate(over="ignore", invalid="ignore"):
                norms = np.sqrt(np.einsum("nd,nd->n", self.vectors, self.vectors))
            if not np.isfinite(norms).all():
                word = self.index_to_key[int(np.flatnonzero(~np.isfinite(norms))[0])]
                raise VectorsError(f"the vector of {word!r} in {self.name} holds a number that is not finite")
            norms[norms == 0] = 1
            self.norms = norms

    def unit_vectors(self, words: Iterable[str]) -> np.ndarray:
        """The vectors of words, scaled to length 1: float32 (words, D).

        Raises:
            ArgumentError: a word is out of vocabulary in exactly this spelling.
        """
        self.fill_norms()
        words = list(words)
        unknown = next((word for word in words if word not in self.key_to_index), None)
        if unknown is not None:
            raise ArgumentError(self._unknown(unknown, "word"))
        rows = [self.key_to_index[word] for word in words]
        return self.vectors[rows] / self.norms[rows, None]

    def similarities(self, vector: np.ndarray) -> np.ndarray:
        """The cosine similarity of every word to a vector (D,) of length 1: float32 (N,)."""
        self.fill_norms()
        similarities = np.dot(self.vectors, np.asarray(vector, np.float32))
        similarities /= self.norms
        return similarities

    def find(self, text: object, argument: str = "word") -> str:
        """The word of this space for a text: as typed, else in lower case, else without accents, else by `fold_word`, else without
        quotes and marks around it.

        Args:
            text: one word; spaces around it and invisible characters are dropped.
            argument: its name in an error message.

        Raises:
            ArgumentError: it is empty or out of vocabulary; the message lists the nearest spellings.
        """
        typed = " ".join(check_text(argument, text).split())
        if not typed:
            raise ArgumentError(f"{argument} must be a word, got an empty text")
        word = self.lookup(typed)
        if word is None:
            raise ArgumentError(self._unknown(typed, argument))
        return word

    def lookup(self, typed: str) -> str | None:
        """`find` with None in place of an error."""
        if (
            typed in self.key_to_index or len(typed) > MAX_WORD_LENGTH
        ):  # normalizing takes long for a long run of accents
            return typed if typed in self.key_to_index else None
        composed = unicodedata.normalize("NFC", typed)
        plain = without_accents(composed)
        folded = fold_word(typed)
        for spelling in (composed, composed.lower(), plain.lower(), folded):
            if spelling in self.key_to_index:
                return spelling
        bare = folded.strip(_MARKS)
        return self._by_folded.get(folded) or (bare if bare in self.key_to_index else self._by_folded.get(bare))

    def is_word(self, typed: str) -> bool:
        """Whether `lookup` finds a word for a text."""
        return self.lookup(typed) is not None

    @cached_property
    def _by_folded(self) -> dict[str, str]:
        """The most frequent word of each `fold_word`, where the two differ."""
        words: dict[str, str] = {}
        for word in self.index_to_key:
            if not (word.isascii() and word.isalnum() and word.islower()) and (folded := fold_word(word)) not in (
                "",
                word,
            ):
                words.setdefault(folded, word)
        return words

    def known(self, words: Iterable[str]) -> tuple[list[str], list[str]]:
        """Splits words into known ones, in this space's spelling, and out-of-vocabulary ones, as typed; each once."""
        spelling = {typed: self.lookup(typed) for typed in words}
        known = dict.fromkeys(word for word in spelling.values() if word is not None)
        return list(known), [typed for typed, word in spelling.items() if word is None]

    def nearest_spellings(self, typed: str, limit: int = 5) -> list[str]:
        """Words within a small edit distance of `typed`: by distance, then same first letter, then frequency.

        Several words are compared as one, and joined by underscores; words are also compared by `fold_word`.
        """
        typed = typed.lower()
        folded = {word: folded for folded, word in self._by_folded.items()}
        searches: list[tuple[str, Any]] = [(typed.replace(" ", ""), self.index_to_key), (fold_word(typed), folded)]
        if " " in typed:
            searches.append((typed.replace(" ", "_"), self.index_to_key))
        candidates: list[tuple[int, bool, int, str]] = []
        for form, choices in searches:
            max_edits = min(3, len(form) // 3) or int(len(form) > 1)
            near = process.extract(form, choices, scorer=OSA.distance, score_cutoff=max_edits, limit=100)
            words = (
                (edits, str(key) if choices is folded else spelling)
                for spelling, edits, key in near
                if edits < len(form)
            )
            candidates += [(edits, word[:1] != typed[:1], self.key_to_index[word], word) for edits, word in words]
        return list(dict.fromkeys(word for *_, word in sorted(candidates)))[:limit]

    def frequency_rank(self, word: str) -> int:
        """1 for the most frequent word of this space, 2 for the next."""
        return self.key_to_index[word] + 1

    @cached_property
    def frequent_words(self) -> np.ndarray:
        """Rows of the 10,000 most frequent alphabetic words, or of any words if the space has none: int64 (words,)."""
        rows = [row for row, word in enumerate(self.index_to_key[: 4 * FREQUENT_WORDS]) if word.isalpha()]
        return np.asarray(rows[:FREQUENT_WORDS] if len(rows) > 1 else range(min(FREQUENT_WORDS, len(self))))

    @cached_property
    def random_distances(self) -> np.ndarray:
        """Cosine distances of 20,000 random pairs of frequent words, sorted, with a fixed seed: float32 (20000,).

        Raises:
            VectorsError: the space has fewer than two words.
        """
        self.fill_norms()
        rng = np.random.default_rng(0)
        count = len(self.frequent_words)
        if count < 2:
            raise VectorsError(f"{self.name} has too few words to compare pairs of them: {count}")
        first = rng.integers(0, count, RANDOM_PAIRS)
        second = (first + rng.integers(1, count, RANDOM_PAIRS)) % count  # never the same word
        left, right = self.frequent_words[first], self.frequent_words[second]
        dots = np.einsum("nd,nd->n", self.vectors[left], self.vectors[right])
        return np.sort(1 - dots / (self.norms[left] * self.norms[right]))

    def _unknown(self, typed: str, argument: str) -> str:
        """The message for an out-of-vocabulary word."""
        not_found = f"{argument} {short_repr(typed)} is not among the {len(self):,} words of {self.name}"
        if " " in typed:
            not_found += ", also not joined by - or _"
        near = self.nearest_spellings(typed) if len(typed) <= MAX_WORD_LENGTH else []
        return f"{not_found}; nearest spellings: {', '.join(near)}" if near else f"{not_found}, and no spelling is near"


def fold_word(word: str) -> str:
    """The same for words that differ in nothing but case, accents, kind of apostrophe, what joins their parts (space, hyphen or
    underscore), or invisible characters.

    >>> fold_word("New York") == fold_word("new-york\u200b"), fold_word("Don\u2019t")
    (True, "don't")
    """
    word = word.translate(TO_APOSTROPHE)
    return _JOINED.sub("_", word.lower() if word.isascii() and word.isprintable() else without_accents(name_key(word)))


class SpaceWriter:
    """Writes words and vectors of a space in batches into an open folder."""

    def __init__(self, folder: Path, dimensions: int, dtype: DTypeLike):
        self.folder, self.dimensions, self.dtype, self.count = folder, dimensions, np.dtype(dtype), 0
        self._vectors = (folder / VECTORS).open("w+b")
        self._words = (folder / WORDS).open("w", encoding="utf-8", newline="\n")
        self._write_header()

    def add(self, words: Sequence[str], vectors: np.ndarray) -> None:
        """Adds words and their vectors (words, D).

        Raises:
            VectorsError: a number is not finite, or too large for the file's type, or a word holds a line break.
        """
        with np.errstate(over="ignore", invalid="ignore"):  # what the type cannot hold is refused below
            rows = np.ascontiguousarray(vectors, self.dtype)
        whole = self.dtype == np.int8
        kept = (rows == vectors) if whole else np.isfinite(rows)  # (words, D)
        if not kept.all():
            bad = int(np.flatnonzero(~kept.all(axis=1))[0])
            fault = "no whole number from -128 to 127" if whole else "not finite"
            raise VectorsError(
                f"the vector of {short_repr(words[bad])} (word {self.count + bad + 1:,}) holds a number that is {fault}"
            )
        for word in words:
            if "\n" in word:
                raise VectorsError(f"the word {short_repr(word)} holds a line break, which words.txt cannot")
        self._vectors.write(rows.data)
        self._words.writelines(f"{word}\n" for word in words)
        self.count += len(words)

    def close(self) -> None:
        """Writes the number of words into the header, and closes the files."""
        with self._words, self._vectors:
            self._vectors.seek(0)
            self._write_header()

    def _write_header(self) -> None:
        """Writes the .npy header; its length does not depend on the number of words, as numpy pads it."""
        header = {"descr": self.dtype.str, "fortran_order": False, "shape": (self.count, self.dimensions)}
        np.lib.format.write_array_header_1_0(self._vectors, header)


@contextmanager
def writing_space(
    folder: str | Path, name: str, source: str, dimensions: int, dtype: DTypeLike = np.float32, **facts: Any
) -> Iterator[SpaceWriter]:
    """Gives a writer for the folder of a space, which is written atomically.

    Args:
        folder: replaced if it exists; its parents are created.
        name: of the space.
        source: origin of the vectors.
        dimensions: D.
        dtype: of the file, float32 or float16; int8 for vectors of whole numbers.
        facts: more entries of meta.json.

    Raises:
        ArgumentError: dtype is another type.
    """
    if np.dtype(dtype) not in DTYPES:
        raise ArgumentError(f"dtype must be float32, float16 or int8, got {np.dtype(dtype)}")
    header = {"name": name, "source": source, **facts}
    with write_artifact(folder, VECTOR_SPACE, header) as partial:
        writer = SpaceWriter(partial, dimensions, dtype)
        try:
            yield writer
        finally:
            writer.close()
        header.update(words=writer.count, dimensions=dimensions, dtype=writer.dtype.name)


def read_meta(folder: str | Path) -> dict[str, Any]:
    """The content of meta.json in the folder of a space.

    Raises:
        VectorsError: there is none, or it is damaged or of another format.
    """
    return read_header(folder, VECTOR_SPACE)


def read_folder(folder: str | Path) -> WordVectors:
    """Reads the folder of a space: large vectors are memory-mapped, small ones are read and their checksum is verified.

    Raises:
        VectorsError: it is missing, incomplete, altered, of another format, or holds a number that is not finite; the message
            says which.
    """
    folder = Path(folder)
    with artifact_errors(folder, VECTOR_SPACE):
        mapped = (folder / VECTORS).is_file() and (folder / VECTORS).stat().st_size > MAX_IN_MEMORY
        meta = read_artifact(folder, VECTOR_SPACE, unchecked=(VECTORS,) if mapped else ())
        vectors = read_matrix(folder / VECTORS, mapped)
        words = (folder / WORDS).read_bytes().decode("utf-8", "replace").split("\n")[:-1]  # \n alone separates words
        if vectors.shape != (meta.get("words"), meta.get("dimensions")) or len(words) != len(vectors):
            raise ValueError
    space = WordVectors(str(meta.get("name", folder.name)), words, vectors, str(meta.get("source", "")))
    space.fill_norms()
    return space


def read_matrix(path: Path, mapped: bool = True) -> np.ndarray:
    """The matrix of a `.npy` file as float32; other types are always read into memory.

    Raises:
        VectorsError: the file is cut short, or is no matrix of float32, float16 or int8.
    """
    try:
        matrix = np.lib.format.open_memmap(path, mode="r")  # np.load would also open a zip or a pickle
    except PARSE_ERRORS:
        raise VectorsError(f"{path.name} is cut short, or no file of vectors; fetch it again") from None
    if matrix.ndim != 2 or matrix.dtype not in DTYPES or not all(matrix.shape):
        raise VectorsError(f"{path.name} holds no matrix of float32, float16 or int8; fetch it again")
    return np.asarray(matrix, np.float32) if mapped else np.array(matrix, np.float32)
