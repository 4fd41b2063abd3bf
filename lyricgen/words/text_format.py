"""Text files of word vectors as word2vec and GloVe write them: a word and its numbers per line.

The first line of word2vec's format has the number of words and of dimensions; GloVe's format has no such line. In
both the words are in order of frequency. Shapes: D dimensions.
"""

import logging
from collections import Counter
from collections.abc import Iterator
from typing import NoReturn, Protocol

import numpy as np

from lyricgen.errors import VectorsError
from lyricgen.validation import counted

log = logging.getLogger("lyricgen")
LINES_PER_BATCH = 10_000
SAMPLED_LINES = 100  # lines from which the dimensions of a file without a header are found
MAX_DIMENSIONS = 10_000  # numbers of a line
MAX_LINE_LENGTH = 1 << 20  # bytes
BYTE_ORDER_MARK = b"\xef\xbb\xbf"  # Windows programs write it at the start of UTF-8


class ByteLines(Protocol):
    """The method of a binary file that `VectorText` uses."""

    def readline(self, size: int = -1, /) -> bytes: ...


class VectorText:
    """Reads words and vectors from a text file, in batches; `dimensions` is known from the start.

    Args:
        name: of the file, for messages.
        file: the uncompressed text.
        size: bytes of the text, None if unknown.

    Raises:
        VectorsError: the first lines are in neither format. Iteration also raises it for a line that is not a word and D
            numbers, and where the number of words differs from the first line.
    """

    def __init__(self, name: str, file: ByteLines, size: int | None):
        self.name, self._file = name, file
        first_line = self._read_line().removeprefix(BYTE_ORDER_MARK)
        header = _parse_header(first_line)
        if header:
            self.expected_words, self.dimensions = header
            self._pending, self._lines_before = [], 1
            if size is not None and self.expected_words * self.dimensions * 2 > size:  # a digit and a separator each
                raise VectorsError(
                    f"{name} says that it holds {self.expected_words:,} words of {self.dimensions:,} numbers, "
                    "for which it is too short"
                )
        else:
            self.expected_words, self._lines_before = None, 0
            self._pending = [first_line, *(line for _ in range(SAMPLED_LINES - 1) if (line := self._read_line()))]
            numbers = Counter(_count_numbers(line) for line in self._pending if line.strip())
            self.dimensions = max(numbers, key=lambda count: (numbers[count], -count), default=0)
        if not 1 <= self.dimensions <= MAX_DIMENSIONS:
            raise VectorsError(f"{name} is no text file of word vectors: its first line has no word and numbers")
        self.without_word = 0

    expected_words: int | None
    """Number of words in the first line; None in GloVe's format."""
    without_word: int
    """Lines read so far with D numbers and no word, which are skipped."""

    def __iter__(self) -> Iterator[tuple[list[str], np.ndarray]]:
        """Yields batches of words and vectors, float32 (words, D); of a repeated word only the first occurrence."""
        seen: set[str] = set()
        lines_read = 0
        while lines := self._read_batch():
            lines_read += len(lines)
            if self.expected_words is not None and lines_read > self.expected_words:
                raise VectorsError(f"{self.name} says that it holds {self.expected_words:,} words, and holds more")
            words, vectors = self._parse(lines)
            new_rows = []
            for row, word in enumerate(words):
                if not word:
                    self.without_word += 1
                elif word not in seen:
                    seen.add(word)
                    new_rows.append(row)
            yield [words[row] for row in new_rows], vectors[new_rows]
        if self.expected_words is not None and lines_read < self.expected_words:
            raise VectorsError(
                f"{self.name} says that it holds {self.expected_words:,} words, and holds {lines_read:,}; it is cut short"
            )
        if self.without_word:
            log.warning(f"{self.name}: {counted(self.without_word, 'line')} without a word skipped")
        if not seen:
            raise VectorsError(f"{self.name} holds no word")

    def _read_batch(self) -> list[bytes]:
        lines, self._pending = self._pending, []
        while len(lines) < LINES_PER_BATCH and (line := self._read_line()):
            lines.append(line)
        if len(lines) < LINES_PER_BATCH:  # the end of the file, where blank lines are allowed
            while lines and not lines[-1].strip():
                lines.pop()
        return lines

    def _read_line(self) -> bytes:
        line = self._file.readline(MAX_LINE_LENGTH)
        if len(line) == MAX_LINE_LENGTH:
            raise VectorsError(f"{self.name} is no text file of word vectors: it has a line of over a million bytes")
        return line

    def _parse(self, lines: list[bytes]) -> tuple[list[str], np.ndarray]:
        """The words of a batch of lines and their vectors: float32 (lines, D)."""
        words, numbers = [], []
        for row, line in enumerate(lines):
            word, _, rest = line.rstrip().partition(b" ")
            if rest.count(b" ") != self.dimensions - 1:  # a word with spaces, more than one space, or damage
                parts = line.split()
                if len(parts) < self.dimensions or (len(parts) == self.dimensions and not _is_number(parts[0])):
                    self._raise_bad_line(row, line)
                word, rest = b" ".join(parts[: -self.dimensions]), b" ".join(parts[-self.dimensions :])
            words.append(word.decode("utf-8", "replace"))
            numbers.append(rest)
        try:
            vectors = self._to_array(b" ".join(numbers), len(lines))
        except ValueError:
            for row, rest in enumerate(numbers):
                try:
                    self._to_array(rest, 1)
                except ValueError:
                    self._raise_bad_line(row, lines[row])
            raise
        self._lines_before += len(lines)
        return words, vectors

    def _to_array(self, numbers: bytes, rows: int) -> np.ndarray:
        """Numbers separated by spaces: float32 (rows, D); numbers that float32 cannot hold become infinite."""
        with np.errstate(over="ignore"):
            return np.array(numbers.split(), np.float32).reshape(rows, self.dimensions)

    def _raise_bad_line(self, row: int, line: bytes) -> NoReturn:
        start = line[:40].decode("utf-8", "replace").strip()
        raise VectorsError(
            f"line {self._lines_before + row + 1:,} of {self.name} is not a word and {self.dimensions:,} numbers: {start!r}"
        )


def is_binary_word2vec(sample: bytes) -> bool:
    """Whether the first bytes of a file are those of word2vec's binary format: its header, then numbers as bytes."""
    header, _, rest = sample.partition(b"\n")
    return _parse_header(header) is not None and any(byte < 32 and byte not in b"\t\n\v\f\r" for byte in rest)


def _count_numbers(line: bytes) -> int:
    """Numbers at the end of a line, behind its word; a line that begins with a blank has a blank as its word."""
    parts = line.split()
    words = parts if line[:1].isspace() else parts[1:]
    return len(words) - next(
        (position for position in range(len(words), 0, -1) if not _is_number(words[position - 1])), 0
    )


def _is_number(part: bytes) -> bool:
    try:
        float(part)
    except ValueError:
        return False
    return True


def _parse_header(line: bytes) -> tuple[int, int] | None:
    """Words and dimensions in the first line of word2vec's format; None if the line is no such line."""
    parts = line.split()
    if len(parts) == 2 and all(part.isdigit() and len(part) < 16 for part in parts):
        return int(parts[0]), int(parts[1])
    return None
