"""How much of a text stands in songs: its runs of five words or more that stand in one song, and which song that is.

Shapes: W words of the text, W - 4 grams of five words in a row.
"""

from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from lyricgen.errors import ArgumentError
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
from lyricgen.validation import check_text

LONGEST_TEXT = 20_000  # characters


@dataclass(frozen=True)
class CopiedRun:
    """Words in a row that stand in one song."""

    start: int
    """Where the run begins in the text as given, in characters."""
    stop: int
    words: int
    title: str
    """Of the song; '' where its file does not say."""
    artist: str
    songs: int
    """In how many songs the whole run stands."""


@dataclass(frozen=True)
class Originality:
    """What of a text stands in songs."""

    text: str
    words: int
    longest_run: int
    """Words of the longest run; 0 where no five words in a row stand in a song."""
    share_copied: float | None
    """The share of the words that stand in runs of five words or more; None for a text of fewer words."""
    runs: list[CopiedRun] = field(default_factory=list)
    """In the text's order; none lies within another, two may overlap."""

    @property
    def longest(self) -> CopiedRun | None:
        """The longest run, the first of those."""
        return max(self.runs, key=lambda run: run.words, default=None)

    @property
    def summary(self) -> str:
        """What was found, in a sentence or two."""
        if self.share_copied is None:
            return f"The text has {_words(self.words)}, and nothing can be said of fewer than {GRAM}."
        if not self.runs:
            return f"No {GRAM} words in a row stand in the training songs."
        return (
            f"Longest run that stands in the training songs: {_words(self.longest_run)}, in {song_name(self.longest)}. "
            f"{self.share_copied:.0%} of the words stand in runs of {GRAM} or more."
        )

    def marked(self) -> list[tuple[str, CopiedRun | None]]:
        """The whole text in pieces, each with the run it stands in; where two overlap, the words are the first's."""
        pieces, at = [], 0
        for run in self.runs:
            begin = max(run.start, at)
            pieces += [(self.text[at:begin], None), (self.text[begin : run.stop], run)]
            at = run.stop
        pieces.append((self.text[at:], None))
        return [(piece, run) for piece, run in pieces if piece]

    def to_dict(self) -> dict:
        """As plain values, with the words of each run."""
        runs = [{**asdict(run), "text": self.text[run.start : run.stop]} for run in self.runs]
        facts = {name: getattr(self, name) for name in ("words", "longest_run", "share_copied", "summary")}
        return {**facts, "runs": runs}


def measure_originality(text: object, index: SongIndex | str | Path | None = None) -> Originality:
    """How much of a text stands in songs.

    A run is words in a row of which each five stand in the same song, no more often than they are sung there, in a loop no
    more often than in one go; it ends where no song goes on with it. Punctuation, capitals and spacing make no difference. Where a run stands in several songs, that
    one is named which has most of the text, then the first of the file. How often each five words stand in a song is all
    that an index knows: two places of one song can look like one where four words are common to them.

    Args:
        text: of 1 to 20,000 characters.
        index: of the songs, or its folder; None: the index that comes with the project.

    Raises:
        ArgumentError: the text is empty, or too long.
        ModelError: the index is missing or damaged.
    """
    text = check_text("text", text)
    if not 1 <= len(text) <= LONGEST_TEXT or not text.strip():
        got = f"{len(text):,}" if text.strip() else "an empty text"
        raise ArgumentError(f"text must be 1 to {LONGEST_TEXT:,} characters, got {got}")
    if not isinstance(index, SongIndex):
        index = bundled_index() if index is None else SongIndex.load(index)
    words = find_words(text)
    if len(words) < GRAM:
        return Originality(text, len(words), 0, None)
    hashes = hash_words(words)
    grams = hash_grams(hashes)
    found = index.find(grams)
    runs = [_named(stretch, words, index) for stretch in find_runs(grams, find_periods(hashes), *found)]
    covered = np.zeros(len(words), bool)
    for position in np.unique(found[0]):
        covered[position : position + GRAM] = True
    return Originality(text, len(words), max((run.words for run in runs), default=0), float(covered.mean()), runs)


@dataclass(frozen=True)
class Stretch:
    """Grams in a row that stand in one song."""

    first: int
    """Position of the first gram, which is that of its first word."""
    last: int
    song: int
    songs: int
    """In how many songs all of them stand."""


def find_runs(
    grams: np.ndarray, periods: np.ndarray, found: np.ndarray, songs: np.ndarray, times: np.ndarray
) -> list[Stretch]:
    """The longest stretches of grams that stand in one song each, so many that every gram found is in one.

    Args:
        grams, periods: hashes of the text's grams, and after how many words each overlaps itself, 0 for not at all: (W - 4,).
        found, songs, times: position in `grams`, song, and how often it is sung there, of each gram in each song that has it:
            int64 (found,), as `SongIndex.find` returns them.

    Returns:
        Stretches in order of which none lies within another. From the left on, each is the longest of those that hold the
        first gram which none before it holds, the last of equals; so one as long as the longest of all is among them.
    """
    if not len(found):
        return []
    song, first, last = _stretches(grams, periods, found, songs, times)
    most = -np.bincount(songs)[song]  # the song that has most of the text comes first
    order = np.lexsort((song, most, -last, first))
    song, first, last = song[order], first[order], last[order]
    kept = np.flatnonzero(
        np.append(True, last[1:] > np.maximum.accumulate(last)[:-1])
    )  # those that lie within no other
    stretches, after = [], 0
    while len(kept := kept[last[kept] >= after]):
        left = max(after, int(first[kept[0]]))  # the first gram that none before holds
        holding = kept[first[kept] <= left]
        length = last[holding] - first[holding]
        best = holding[np.flatnonzero(length == length.max())[-1]]
        among = np.unique(song[(first <= first[best]) & (last >= last[best])])
        stretches.append(Stretch(int(first[best]), int(last[best]), int(song[best]), len(among)))
        after = int(last[best]) + 1
    return stretches


def _stretches(
    grams: np.ndarray, periods: np.ndarray, found: np.ndarray, songs: np.ndarray, times: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Song, first and last gram of every stretch that stands in a song and cannot be made longer: int64 (stretches,) each."""
    step = len(grams) + 1  # from song to song, so that no gram of one follows on a gram of another
    keys = songs * step + found
    order = np.argsort(keys)
    keys, times, found = keys[order], times[order], found[order]
    follows = np.diff(keys, prepend=-2) == 1
    begin = np.maximum.accumulate(np.where(follows, 0, keys))  # of the stretch that ends at each
    _, same = np.unique(grams, return_inverse=True)
    if len(same) > same.max() + 1:  # a gram comes twice: a stretch may hold it as often as its song does
        kind = keys // step * step + same[found]
        by_kind = np.argsort(kind, kind="stable")
        place = np.arange(len(kind)) - times[by_kind]  # the same gram as many places earlier would be one too many
        before = by_kind[np.maximum(place, 0)]
        too_many = (place >= 0) & (kind[before] == kind[by_kind])
        period = periods[found[by_kind]]  # in a loop, only if all between them are one period apart
        too_many &= (period == 0) | (keys[by_kind] - keys[before] == times[by_kind] * period)
        begin[by_kind[too_many]] = np.maximum(begin[by_kind], keys[before] + 1)[too_many]
        begin = np.maximum.accumulate(begin)
    ends = np.append(~follows[1:] | (begin[1:] > begin[:-1]), True)
    song, last = np.divmod(keys[ends], step)
    return song, begin[ends] % step, last


def song_name(run: CopiedRun) -> str:
    """What a run's song is called, with its artist and how many more songs have the run."""
    name = f"“{run.title}”" if run.title else "a song without a title"
    by = f" by {run.artist}" if run.artist else ""
    more = run.songs - 1
    return name + by + (f" and {more:,} more song{'s' * (more > 1)}" if more else "")


def _named(stretch: Stretch, words: list[Word], index: SongIndex) -> CopiedRun:
    last = stretch.last + GRAM - 1
    title = index.titles[stretch.song]
    return CopiedRun(
        words[stretch.first].start, words[last].stop, last - stretch.first + 1, title.title, title.artist, stretch.songs
    )


def _words(count: int) -> str:
    return f"{count:,} word{'s' * (count != 1)}"
