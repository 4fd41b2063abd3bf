"""A vector space: words and their vectors as gensim KeyedVectors, and the folder that it is kept in.

vectors.npy   float32 or float16, a row a word, memory-mapped
words.txt     a word a line, the most frequent first
meta.json     format version, name, source, counts, and the sha256 of the other two

Shapes: N words of D dimensions. Nothing is unpickled.
"""

import json
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import numpy as np
from gensim.models import KeyedVectors
from rapidfuzz import process
from rapidfuzz.distance import OSA

from lyricgen.errors import ArgumentError, VectorsError
from lyricgen.storage import atomic_folder, file_sha256, write_json
from lyricgen.validation import check_text, short_repr

FORMAT_VERSION = 1
VECTORS, WORDS, META = "vectors.npy", "words.txt", "meta.json"
LONGEST_WORD = 100  # characters; of a longer text no other spelling is looked up
READ_AT_ONCE = 30_000_000  # bytes: up to here the vectors are checked against their sha256 and read into memory
FREQUENT = 10_000  # words from which random pairs are drawn
RANDOM_PAIRS = 20_000


class VectorSpace(KeyedVectors):
    """gensim `KeyedVectors` over a matrix that may be mapped from disk; read-only.

    Args:
        name: for messages, such as 'glove-50'.
        words: N words, the most frequent first.
        vectors: (N, D), float32; made read-only.
        source: where the vectors come from, in a few words.
    """

    def __init__(self, name: str, words: Sequence[str], vectors: np.ndarray, source: str = ""):
        super().__init__(vectors.shape[1], count=0, dtype=np.float32)
        if len(words) != len(vectors):
            raise VectorsError(f"{name} has {len(words):,} words and {len(vectors):,} vectors")
        self.name, self.source = name, source
        self.index_to_key = list(words)
        self.key_to_index = dict(zip(self.index_to_key, range(len(vectors)), strict=True))
        if len(self.key_to_index) != len(vectors):
            raise VectorsError(f"{name} holds a word twice; fetch it again")
        vectors.setflags(write=False)
        self.vectors = vectors
        self.next_index = len(vectors)

    def fill_norms(self, force: bool = False) -> None:
        """Sets `.norms`, the length of each vector: float32 (N,); 1 for a vector of zeros, which is near nothing.

        Raises:
            VectorsError: a vector holds NaN or infinity.
        """
        if self.norms is None or force:
            norms = np.sqrt(np.einsum("nd,nd->n", self.vectors, self.vectors))
            if not np.isfinite(norms).all():
                word = self.index_to_key[int(np.flatnonzero(~np.isfinite(norms))[0])]
                raise VectorsError(f"the vector of {word!r} in {self.name} holds a number that is not finite")
            norms[norms == 0] = 1
            self.norms = norms

    def unit_vectors(self, words: Iterable[str]) -> np.ndarray:
        """The vectors of words at length 1: float32 (words, D).

        Raises:
            ArgumentError: this space lacks a word, spelled as it is.
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
        """The word of this space that a person means: as typed, else in lower case, else without accents.

        Args:
            text: what was typed; spaces around it are dropped.
            argument: what to call it in a message.

        Raises:
            ArgumentError: it is empty, or not among the words; the message offers the nearest spellings.
        """
        typed = " ".join(check_text(argument, text).split())
        if not typed:
            raise ArgumentError(f"{argument} must be a word, got an empty text")
        word = self.lookup(typed)
        if word is None:
            raise ArgumentError(self._unknown(typed, argument))
        return word

    def lookup(self, typed: str) -> str | None:
        """`find` without its message: the word, or None."""
        if len(typed) > LONGEST_WORD:  # normalizing takes long for a long run of accents
            return typed if typed in self.key_to_index else None
        composed = unicodedata.normalize("NFC", typed)
        plain = "".join(
            letter for letter in unicodedata.normalize("NFKD", composed) if not unicodedata.combining(letter)
        )
        spellings = [typed, composed, composed.lower(), plain.lower()]
        spellings += [spelling.replace(" ", "-") for spelling in spellings] if " " in typed else []
        return next((spelling for spelling in spellings if spelling in self.key_to_index), None)

    def known(self, words: Iterable[str]) -> tuple[list[str], list[str]]:
        """The words that this space has, each once, as it spells them, and what it lacks, as typed."""
        found: dict[str, None] = {}
        missing: dict[str, None] = {}
        for typed in words:
            word = self.lookup(typed)
            if word is None:
                missing[typed] = None
            else:
                found[word] = None
        return list(found), list(missing)

    def nearest_spellings(self, typed: str, limit: int = 5) -> list[str]:
        """Words that differ from `typed` by few letters: fewest first, then same first letter, then most frequent."""
        typed = typed.lower()
        allowed = max(len(typed) > 1, min(3, len(typed) // 3))
        near = process.extract(typed, self.index_to_key, scorer=OSA.distance, score_cutoff=allowed, limit=100)
        near = [found for found in near if found[1] < len(typed)]  # at least one letter in its place
        near.sort(key=lambda found: (found[1], found[0][:1] != typed[:1], found[2]))
        return [word for word, _, _ in near[:limit]]

    def frequency_rank(self, word: str) -> int:
        """1 for the most frequent word of this space, 2 for the next, ..."""
        return self.key_to_index[word] + 1

    @cached_property
    def frequent_words(self) -> np.ndarray:
        """Rows of the 10,000 most frequent words that are letters only, or of as many as there are: (words,).

        In a space without such words, of any.
        """
        rows = [row for row, word in enumerate(self.index_to_key[: 4 * FREQUENT]) if word.isalpha()]
        return np.asarray(rows[:FREQUENT] if len(rows) > 1 else range(min(FREQUENT, len(self))))

    @cached_property
    def random_distances(self) -> np.ndarray:
        """Cosine distances of 20,000 random pairs of frequent words, sorted: float32 (20000,); the same every time."""
        self.fill_norms()
        rng = np.random.default_rng(0)
        count = len(self.frequent_words)
        if count < 2:
            raise VectorsError(f"{self.name} has too few words to compare pairs of them")
        first = rng.integers(0, count, RANDOM_PAIRS)
        second = (first + rng.integers(1, count, RANDOM_PAIRS)) % count  # never the same word
        left, right = self.frequent_words[first], self.frequent_words[second]
        dots = np.einsum("nd,nd->n", self.vectors[left], self.vectors[right])
        return np.sort(1 - dots / (self.norms[left] * self.norms[right]))

    def _unknown(self, typed: str, argument: str) -> str:
        among = f"{argument} {short_repr(typed)} is not among the {len(self):,} words of {self.name}"
        if " " in typed:
            return f"{among}, which holds single words; type one word"
        near = self.nearest_spellings(typed) if len(typed) <= LONGEST_WORD else []
        return f"{among}; nearest spellings: {', '.join(near)}" if near else f"{among}, and no spelling is near"


class SpaceWriter:
    """Takes the words of a space one after the other, and their vectors, into an open folder."""

    def __init__(self, folder: Path, dimensions: int, dtype: np.dtype):
        self.folder, self.dimensions, self.dtype, self.count = folder, dimensions, np.dtype(dtype), 0
        self._vectors = (folder / VECTORS).open("w+b")
        self._words = (folder / WORDS).open("w", encoding="utf-8", newline="\n")
        self._write_header()

    def add(self, words: Sequence[str], vectors: np.ndarray) -> None:
        """Adds words and their vectors (words, D).

        Raises:
            VectorsError: a number is not finite, or too large for the file's type, or a word holds a line break.
        """
        with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused below
            rows = np.ascontiguousarray(vectors, self.dtype)
        if not np.isfinite(rows).all():
            bad = int(np.flatnonzero(~np.isfinite(rows).all(axis=1))[0])
            raise VectorsError(
                f"the vector of {short_repr(words[bad])} (word {self.count + bad + 1:,}) holds a number that is not finite"
            )
        for word in words:
            if "\n" in word:
                raise VectorsError(f"the word {short_repr(word)} holds a line break, which words.txt cannot")
        self._vectors.write(rows.data)
        self._words.writelines(f"{word}\n" for word in words)
        self.count += len(words)

    def close(self) -> None:
        """Writes how many there are, and closes the files."""
        self._vectors.seek(0)
        self._write_header()
        self._vectors.close()
        self._words.close()

    def _write_header(self) -> None:
        """numpy leaves room in a header for a first axis that grows, so its length stays the same."""
        header = {"descr": self.dtype.str, "fortran_order": False, "shape": (self.count, self.dimensions)}
        np.lib.format.write_array_header_1_0(self._vectors, header)


@contextmanager
def writing_space(
    folder: str | Path, name: str, source: str, dimensions: int, dtype: np.dtype = np.float32, **facts
) -> Iterator[SpaceWriter]:
    """A writer for a space's folder, which appears in one step when the block ends well.

    Args:
        folder: where.
        name: of the space.
        source: where the vectors come from.
        dimensions: D.
        dtype: of the file, float32 or float16.
        facts: more for meta.json.
    """
    with atomic_folder(Path(folder)) as partial:
        writer = SpaceWriter(partial, dimensions, dtype)
        try:
            yield writer
        finally:
            writer.close()
        meta = {"format_version": FORMAT_VERSION, "name": name, "source": source, **facts}
        meta.update(words=writer.count, dimensions=dimensions, dtype=writer.dtype.name)
        meta["sha256"] = {file: file_sha256(partial / file) for file in (VECTORS, WORDS)}
        write_json(partial / META, meta)


def save_space(space: KeyedVectors, folder: str | Path, name: str, source: str, dtype=np.float32, **facts) -> None:
    """Writes any gensim `KeyedVectors` as a folder, in the order of its words."""
    with writing_space(folder, name, source, space.vector_size, dtype, **facts) as writer:
        writer.add(space.index_to_key, space.vectors)


def read_meta(folder: str | Path) -> dict:
    """What meta.json of a space's folder says.

    Raises:
        VectorsError: there is none, or it is of another format.
    """
    folder = Path(folder)
    try:
        meta = json.loads((folder / META).read_text(encoding="utf-8"))
        version, _, _ = meta["format_version"], meta["sha256"][VECTORS], meta["sha256"][WORDS]
    except (OSError, ValueError, KeyError, TypeError):
        raise VectorsError(
            f"{folder.name!r} is no folder of word vectors, or its {META} is damaged; fetch it again"
        ) from None
    if version != FORMAT_VERSION:
        raise VectorsError(
            f"the vectors in {folder.name!r} have format version {version!r}, this lyricgen reads {FORMAT_VERSION}"
        )
    return meta


def open_space(folder: str | Path) -> VectorSpace:
    """Opens a space's folder; large vectors are mapped, small ones are read and checked against their sha256.

    Raises:
        VectorsError: it is missing, incomplete, altered, or of another format; the message says which.
    """
    folder = Path(folder)
    meta = read_meta(folder)
    try:
        small = (folder / VECTORS).stat().st_size <= READ_AT_ONCE
        for name in (VECTORS, WORDS) if small else (WORDS,):
            if file_sha256(folder / name) != meta["sha256"][name]:
                raise VectorsError(
                    f"{name} in {folder.name!r} is not the file that was written (its sha256 differs); fetch it again"
                )
        vectors = read_matrix(folder / VECTORS, mapped=not small)
        words = (folder / WORDS).read_bytes().decode("utf-8", "replace").split("\n")[:-1]  # only \n parts words
    except OSError as error:
        raise VectorsError(
            f"the vectors in {folder.name!r} cannot be read ({error.strerror}); fetch them again"
        ) from None
    if vectors.shape != (meta.get("words"), meta.get("dimensions")) or len(words) != len(vectors):
        raise VectorsError(f"the files in {folder.name!r} do not fit together; fetch them again")
    return VectorSpace(str(meta.get("name", folder.name)), words, vectors, str(meta.get("source", "")))


def read_matrix(path: Path, mapped: bool = True) -> np.ndarray:
    """A matrix of float32 from a `.npy` file: mapped, or, where it is float16 or asked for, read into memory.

    Raises:
        VectorsError: it is cut short, or no matrix of numbers.
    """
    try:
        matrix = np.lib.format.open_memmap(path, mode="r")  # np.load would also take a zip or a pickle for one
    except (ValueError, EOFError, OverflowError):
        raise VectorsError(f"{path.name} is cut short, or no file of vectors; fetch it again") from None
    if matrix.ndim != 2 or matrix.dtype not in (np.float32, np.float16) or not all(matrix.shape):
        raise VectorsError(f"{path.name} holds no matrix of float32 or float16; fetch it again")
    return np.asarray(matrix, np.float32) if mapped else np.array(matrix, np.float32)
