"""Verbatim overlap of a text with songs: its runs of five words or more that occur in one song, with the song of each.

Shapes: W words of the text, which has W - 4 grams (five words in a row); M matches of a gram and a song.
"""

from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from lyricgen.display import COPIED_COLOURS, colours, one_line, paragraph, quoted, shaded_text
from lyricgen.memorization.song_index import (
    GRAM,
    SongIndex,
    Word,
    bundled_index,
    find_periods,
    find_words,
    hash_grams,
    hash_words,
)
from lyricgen.validation import check_text, check_text_length, counted

MAX_COMPARED_LENGTH = 20_000  # characters of a text


@dataclass(frozen=True)
class CopiedRun:
    """Words in a row that occur in one song."""

    start: int
    """Position of its first character in the text as given."""
    stop: int
    words: int
    title: str
    """Title of the song; '' where its file has none."""
    artist: str
    songs: int
    """Number of songs that have the whole run."""


@dataclass(frozen=True)
class Originality:
    """The copied runs of a text."""

    text: str
    words: int
    longest_run: int
    """Words of the longest run; 0 where no five words in a row occur in a song."""
    share_copied: float | None
    """Share of the words inside runs; None for a text of fewer than five words."""
    runs: list[CopiedRun] = field(default_factory=list)
    """In the text's order; none lies inside another, but two may overlap."""

    def __repr__(self) -> str:
        return one_line(
            self, quoted(self.text), f"longest run {counted(self.longest_run, 'word')}", f"{len(self.runs)} runs"
        )

    def _repr_html_(self) -> str:
        """The text with its copied runs marked, and the summary."""
        pieces = [
            (piece, colours(COPIED_COLOURS) if run else "", f"{run.words} words, in {song_name(run)}" if run else "")
            for piece, run in self.pieces()
        ]
        return paragraph(self.summary) + shaded_text(pieces)

    @property
    def longest(self) -> CopiedRun | None:
        """The longest run; of equally long ones the first."""
        return max(self.runs, key=lambda run: run.words, default=None)

    @property
    def summary(self) -> str:
        """The result in one or two sentences."""
        if self.share_copied is None:
            return f"The text has {counted(self.words, 'word')}; at least {GRAM} are needed to compare it."
        if self.longest is None:
            return f"No {GRAM} words in a row occur in the training songs."
        return (
            f"Longest run that occurs in the training songs: {counted(self.longest_run, 'word')}, in "
            f"{song_name(self.longest)}. {self.share_copied:.0%} of the words are in runs of {GRAM} or more."
        )

    def pieces(self) -> list[tuple[str, CopiedRun | None]]:
        """The text cut into pieces, each with its run, None outside; shared words belong to the first run."""
        pieces: list[tuple[str, CopiedRun | None]] = []
        end = 0
        for run in self.runs:
            start = max(run.start, end)
            pieces += [(self.text[end:start], None), (self.text[start : run.stop], run)]
            end = run.stop
        pieces.append((self.text[end:], None))
        return [(piece, run) for piece, run in pieces if piece]

    marked = pieces  # the earlier name

    def to_dict(self) -> dict:
        """As plain values, with the text of each run."""
        runs = [{**asdict(run), "text": self.text[run.start : run.stop]} for run in self.runs]
        facts = {name: getattr(self, name) for name in ("words", "longest_run", "share_copied", "summary")}
        return {**facts, "runs": runs}


def measure_originality(text: object, index: SongIndex | str | Path | None = None) -> Originality:
    """The runs of a text that occur in songs, and the share of its words inside them.

    A run is a maximal sequence of words whose grams all occur in one song, each no more often than in the song; a periodic
    gram (one that overlaps itself) in one loop no more often than in the song's longest loop. Punctuation, case and spacing
    are ignored. Of several songs that have a run, the one with most of the text is named, then the first in the file. The
    index knows only grams and their counts, so two passages of a song with four words in common can look like one.

    Args:
        text: 1 to 20,000 characters.
        index: the index of the songs, or its folder; None: the bundled index.

    Raises:
        ArgumentError: the text is empty or too long.
        ModelError: the index is missing or damaged.
    """
    text = check_text("text", text, as_given=True)
    check_text_length("text", text if text.strip() else "", 1, MAX_COMPARED_LENGTH, as_given=True)
    if not isinstance(index, SongIndex):
        index = bundled_index() if index is None else SongIndex.load(index)
    words = find_words(text)
    if len(words) < GRAM:
        return Originality(text, len(words), 0, None)
    hashes = hash_words(words)
    grams = hash_grams(hashes)
    matches = index.find(grams)
    runs = [_copied_run(run, words, index) for run in find_runs(grams, find_periods(hashes), *matches)]
    is_copied = np.zeros(len(words), bool)
    for position in np.unique(matches[0]).tolist():
        is_copied[position : position + GRAM] = True
    return Originality(text, len(words), max((run.words for run in runs), default=0), float(is_copied.mean()), runs)


@dataclass(frozen=True)
class GramRun:
    """Grams in a row that occur in one song."""

    first: int
    """Position of the first gram, equal to the position of its first word."""
    last: int
    song: int
    songs: int
    """Number of songs that have the whole run."""


def find_runs(
    grams: np.ndarray, periods: np.ndarray, positions: np.ndarray, songs: np.ndarray, times: np.ndarray
) -> list[GramRun]:
    """Maximal copied runs that together cover every matched n-gram.

    A greedy cover from the left: each run is the longest of those that hold the first gram not covered yet, the last of
    equals. So a run as long as the longest of all is among them.

    Args:
        grams: hashes of the text's grams (W - 4,).
        periods: period of each gram, 0 for none (W - 4,); see `find_periods`.
        positions, songs, times: position of a gram, a song that has it, and its occurrences there, for each match: int64
            (M,), as `SongIndex.find` returns them.

    Returns:
        Runs in the text's order, none inside another.
    """
    if not len(positions):
        return []
    song, first, last = _maximal_runs(grams, periods, positions, songs, times)
    matches_in_song = np.bincount(songs)[song]
    # of equal runs, the song with most of the text comes first
    order = np.lexsort((song, -matches_in_song, -last, first))
    song, first, last = song[order], first[order], last[order]
    outermost = np.flatnonzero(np.append(True, last[1:] > np.maximum.accumulate(last)[:-1]))  # inside no other run
    runs, covered = [], 0  # `covered`: position of the first gram that is not covered yet
    while len(outermost := outermost[last[outermost] >= covered]):
        left = max(covered, int(first[outermost[0]]))
        candidates = outermost[first[outermost] <= left]
        lengths = last[candidates] - first[candidates]
        best = candidates[np.flatnonzero(lengths == lengths.max())[-1]]
        holders = np.unique(song[(first <= first[best]) & (last >= last[best])])
        runs.append(GramRun(int(first[best]), int(last[best]), int(song[best]), len(holders)))
        covered = int(last[best]) + 1
    return runs


def _maximal_runs(
    grams: np.ndarray, periods: np.ndarray, positions: np.ndarray, songs: np.ndarray, times: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Song, first and last gram of every run that occurs in a song and cannot be extended: int64 (runs,) each."""
    stride = len(grams) + 1  # between songs, so that the last gram of one is not followed by the first of the next
    keys = songs * stride + positions
    order = np.argsort(keys)
    keys, times, positions = keys[order], times[order], positions[order]
    continues = np.diff(keys, prepend=-2) == 1
    begin = np.maximum.accumulate(np.where(continues, 0, keys))  # first key of the run that ends at each match
    _, kinds = np.unique(grams, return_inverse=True)
    if len(kinds) > kinds.max() + 1:  # a gram occurs twice in the text: a run may have it as often as its song does
        song_and_kind = keys // stride * stride + kinds[positions]
        by_kind = np.argsort(song_and_kind, kind="stable")
        earlier = np.arange(len(by_kind)) - times[by_kind]  # a run that starts here or earlier has the gram too often
        previous = by_kind[np.maximum(earlier, 0)]
        too_often = (earlier >= 0) & (song_and_kind[previous] == song_and_kind[by_kind])
        period = periods[positions[by_kind]]  # of a periodic gram, only occurrences of one loop count
        too_often &= (period == 0) | (keys[by_kind] - keys[previous] == times[by_kind] * period)
        begin[by_kind[too_often]] = np.maximum(begin[by_kind], keys[previous] + 1)[too_often]
        begin = np.maximum.accumulate(begin)
    ends = np.append(~continues[1:] | (begin[1:] > begin[:-1]), True)
    song, last = np.divmod(keys[ends], stride)
    return song, begin[ends] % stride, last


def song_name(run: CopiedRun) -> str:
    """The title of a run's song, its artist, and the number of other songs that have the run."""
    name = f"“{run.title}”" if run.title else "a song without a title"
    by_artist = f" by {run.artist}" if run.artist else ""
    others = run.songs - 1
    and_others = f" and {counted(others, 'more song')}" if others else ""
    return name + by_artist + and_others


def _copied_run(run: GramRun, words: list[Word], index: SongIndex) -> CopiedRun:
    last_word = run.last + GRAM - 1
    title, artist = index.titles[run.song]
    return CopiedRun(words[run.first].start, words[last_word].stop, last_word - run.first + 1, title, artist, run.songs)
