"""Text files of word vectors, as word2vec and GloVe write them: a word and its numbers a line, plain or gzipped.

word2vec's first line says how many words and dimensions follow; GloVe has no such line. Either way the words come
in the order of their frequency. Shapes: D dimensions.
"""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from tqdm import tqdm

from lyricgen.errors import VectorsError, os_error_reason
from lyricgen.words.space import writing_space

LINES_AT_ONCE = 10_000
MOST_DIMENSIONS = 10_000
LONGEST_LINE = 1 << 20  # bytes


def convert_text(path: str | Path, folder: str | Path, name: str, source: str, progress: bool = True, **facts) -> None:
    """Reads a text file of vectors once, line by line, and writes it as a space's folder, which appears when complete.

    Args:
        path: the file; `.gz` is unpacked on the way. Of a word that comes twice the first is kept.
        folder: where the space goes.
        name, source, facts: for its meta.json.
        progress: whether a bar is drawn on standard error.

    Raises:
        VectorsError: the file is none of the two formats, holds what is no finite number, or is cut short; no folder
            is left then.
    """
    path = Path(path)
    with ExitStack() as stack:
        try:
            raw = stack.enter_context(path.open("rb"))
            size = path.stat().st_size
            file = stack.enter_context(gzip.GzipFile(fileobj=raw)) if raw.read(2) == b"\x1f\x8b" else raw
            raw.seek(0)
            reader = _Reader(path.name, file, None if file is not raw else size)
            bar = stack.enter_context(
                tqdm(total=size, unit="B", unit_scale=True, desc=f"reading {path.name}", disable=not progress)
            )
            with writing_space(folder, name, source, reader.dimensions, **facts) as writer:
                for words, rows in reader:
                    writer.add(words, rows)
                    bar.update(raw.tell() - bar.n)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise VectorsError(f"{path.name} is cut short or damaged; fetch it again") from None
        except OSError as error:
            raise VectorsError(f"{path.name} cannot be read or converted ({os_error_reason(error)})") from None


class _Reader:
    """The words and vectors of an open text file, in bunches; `dimensions` is known from the start."""

    def __init__(self, name: str, file, size: int | None):
        self.name, self._file, self._lines_before = name, file, 0
        first = self._readline().removeprefix(b"\xef\xbb\xbf")  # the mark that Windows sets before UTF-8
        self.expected, self.dimensions = _header(first)
        if self.expected is None:
            self.dimensions = len(first.split()) - 1
            self._pending = [first]
        else:
            self._pending, self._lines_before = [], 1
            if size is not None and self.expected * self.dimensions * 2 > size:
                raise VectorsError(
                    f"{name} says that it holds {self.expected:,} words of {self.dimensions:,} numbers, for which it is too short"
                )
        if not 1 <= self.dimensions <= MOST_DIMENSIONS:
            raise VectorsError(f"{name} is no text file of word vectors: its first line has no word and numbers")

    def __iter__(self) -> Iterator[tuple[list[str], np.ndarray]]:
        seen: set[str] = set()
        lines_read = 0
        while lines := self._bunch():
            lines_read += len(lines)
            if self.expected is not None and lines_read > self.expected:
                raise VectorsError(f"{self.name} says that it holds {self.expected:,} words, and holds more")
            words, rows = self._parse(lines)
            new = []
            for position, word in enumerate(words):
                if word and word not in seen:
                    seen.add(word)
                    new.append(position)
            yield [words[position] for position in new], rows[new]
        if self.expected is not None and lines_read < self.expected:
            raise VectorsError(
                f"{self.name} says that it holds {self.expected:,} words, and holds {lines_read:,}; it is cut short"
            )
        if not seen:
            raise VectorsError(f"{self.name} holds no word")

    def _bunch(self) -> list[bytes]:
        lines, self._pending = self._pending, []
        while len(lines) < LINES_AT_ONCE and (line := self._readline()):
            lines.append(line)
        if len(lines) < LINES_AT_ONCE:  # the end, where blank lines do no harm
            while lines and not lines[-1].strip():
                lines.pop()
        return lines

    def _readline(self) -> bytes:
        line = self._file.readline(LONGEST_LINE)
        if len(line) == LONGEST_LINE:
            raise VectorsError(f"{self.name} is no text file of word vectors: it has a line of over a million bytes")
        return line

    def _parse(self, lines: list[bytes]) -> tuple[list[str], np.ndarray]:
        """The words of a bunch of lines, and their numbers: float32 (lines, D)."""
        words, numbers = [], []
        for position, line in enumerate(lines):
            word, _, rest = line.rstrip().partition(b" ")
            if rest.count(b" ") != self.dimensions - 1:  # a word of several parts, more than one space, or damage
                parts = line.split()
                if len(parts) <= self.dimensions:
                    self._refuse(position, line)
                word, rest = b" ".join(parts[: -self.dimensions]), b" ".join(parts[-self.dimensions :])
            words.append(word.decode("utf-8", "replace"))
            numbers.append(rest)
        try:
            with np.errstate(over="ignore"):  # the writer refuses what becomes infinite
                rows = np.array(b" ".join(numbers).split(), np.float32).reshape(len(lines), self.dimensions)
        except ValueError:
            for position, rest in enumerate(numbers):
                try:
                    np.array(rest.split(), np.float32).reshape(self.dimensions)
                except ValueError:
                    self._refuse(position, lines[position])
            raise
        self._lines_before += len(lines)
        return words, rows

    def _refuse(self, position: int, line: bytes) -> None:
        start = line[:40].decode("utf-8", "replace").strip()
        raise VectorsError(
            f"line {self._lines_before + position + 1:,} of {self.name} is not a word and {self.dimensions:,} numbers: {start!r}"
        )


def _header(line: bytes) -> tuple[int | None, int]:
    """How many words and dimensions word2vec's first line promises; (None, 0) for a line that is none."""
    parts = line.split()
    if len(parts) == 2 and all(part.isdigit() and len(part) < 16 for part in parts):
        return int(parts[0]), int(parts[1])
    return None, 0
