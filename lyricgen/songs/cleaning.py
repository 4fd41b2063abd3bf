"""Cleaning of training songs: notices, stubs, heading debris, exact and near-duplicates.

Section headings such as '[Verse 1: Ann & Bob]' were stripped of their punctuation in many collections of lyrics, so that
'verse 1 ann  bob' is left beside a section break (a run of two or more spaces). `SongCleaner` cuts these words, not the break.
Time is linear in the characters; memory holds the counts of section openings and at most `MAX_WINDOWS` window hashes.
"""

import hashlib
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from lyricgen.errors import DataError
from lyricgen.songs.corpus import MAX_HELD_OUT, Corpus, encode_corpus
from lyricgen.songs.overlap import WINDOW, window_hashes
from lyricgen.songs.reading import MIN_LYRIC_LENGTH, Song

MAX_OVERLAP = 0.5  # share of a song's windows in longer songs from which on it is a near-duplicate
MAX_OVERLAP_HELD_OUT = 0.1  # share of a held-out song's windows that may occur in any other song
MAX_WINDOWS = 2**24  # window hashes compared; of more, a uniform sample
MAX_NOTICE_LENGTH = 300  # characters; a longer lyric is a song, whatever it begins with
MAX_TITLE_LINE = 120  # characters of an opening line that names producers or the title
MIN_NAME_SONGS = 4  # songs in which a phrase must open a section to count as a performer's name
MIN_CONTINUATIONS = 4  # distinct words that must follow a name where it opens sections
MIN_CONTINUATION_SHARE = 0.15  # distinct following words, as a share of the sections that the name opens
NAME_ROUNDS = 2  # passes over the songs to learn names
COMMON_WORDS = 1_000  # most frequent words, which are no names on their own
MIN_NAME_SHARE = 0.4  # share of a name's occurrences that open a section
MAX_NAME_WORDS = 3  # words of a name
MIN_HEADING_SHARE = 0.02  # share of sections that open with a section word; below it no names are learnt

SECTION_WORDS = (
    "pre", "post", "pre chorus", "post chorus", "prechorus", "postchorus", "hook", "prehook", "pre hook", "posthook",
    "post hook", "refrain", "verse", "chorus", "interlude", "intro", "outro", "bridge", "prebridge", "breakdown",
    "instrumental", "spoken", "spoken word", "coro", "verso", "estribillo", "puente",
)  # fmt: skip
SECTION_NUMBER = r"(?: (?:\d{1,2}|ii|iii|iv))?"  # not i, which is also a pronoun

_NOTICE = re.compile(
    r"lyrics (?:for|to|of|from) (?:this|the) (?:song|track) (?:have|has|are|is) (?:yet to be|not|not yet)\b"
    r"|(?:these )?lyrics (?:have|has) (?:yet to be|not been)\b"
    r"|lyrics (?:for this song )?(?:will be|are) (?:available|released|added|updated|transcribed|unreleased)\b"
    r"|lyrics (?:are )?not (?:yet )?(?:available|released|confirmed|transcribed)\b"
    r"|(?:there are )?no (?:official )?lyrics\b|(?:will be )?(?:un|not )available\b|will be available\b"
    r"|(?:complete |full )?lyrics (?:will be )?available\b|come back soon\b|(?:song )?coming soon\b|to be announced\b"
)
_STUB = re.compile(
    r"(?:from (?:a |the )?)?snippet\b|(?:lyrics )?(?:from|to|of) (?:a |the )?snippet\b"
    r"|(?:unreleased|tba|tbd|soon|delete|lyrics|instrumental|untitled|n a)$"
)
_STUB_OPENING = re.compile(r"(?:unofficial )?(?:lyrics )?(?:(?:from|to|of) )?(?:(?:a|the) )?snippet\b")
_TITLE_LINE = re.compile(
    rf"(?:produced by |lyrics (?:for|of|by|to) |official lyrics|letra de )(?:(?!  |\n).){{0,{MAX_TITLE_LINE}}}(?=  |\n)"
    r"|(?:[^ \n]+ ){1,12}?가사(?=  |\n)"
)
_BREAK = r"[ \t]{2,}"


@dataclass
class CleaningReport:
    """Counts of one cleaning: songs, except `heading_characters`."""

    read: int = 0
    notices: int = 0
    stubs: int = 0
    exact_duplicates: int = 0
    near_duplicates: int = 0
    held_out: int = 0
    train: int = 0
    songs_with_headings: int = 0
    heading_characters: int = 0

    def __str__(self) -> str:
        left_out = ", ".join(
            f"{getattr(self, name):,} {name.replace('_', ' ')}"
            for name in ("notices", "stubs", "exact_duplicates", "near_duplicates")
        )
        return (
            f"{self.read:,} songs read: {left_out} left out; {self.heading_characters:,} characters of headings cut "
            f"from {self.songs_with_headings:,} songs; {self.held_out:,} held out, {self.train:,} to train on"
        )


@dataclass(frozen=True)
class SongCleaner:
    """Detects notices and stubs, and cuts heading debris out of lyrics.

    Args:
        performers: names cut where they open a section, lower case.
    """

    performers: frozenset[str] = frozenset()
    _heading: re.Pattern = field(init=False, repr=False, compare=False)
    _opening: re.Pattern = field(init=False, repr=False, compare=False)
    _heading_line: re.Pattern = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        names = sorted(self.performers, key=lambda name: (-len(name), name))
        sections = [f"{re.escape(word)}{SECTION_NUMBER}" for word in sorted(SECTION_WORDS, key=len, reverse=True)]
        label = "|".join([*map(re.escape, names), *sections])
        words = rf"(?:\[[^\]\n]{{0,80}}\]|(?:\d )?(?:{label})(?![^\s]))"
        run = rf"(?:{words}(?:\s+(?:(?:and|x|with|ft|feat) (?={words}))?|$))+"
        object.__setattr__(self, "_heading", re.compile(rf"({_BREAK}){run}", re.IGNORECASE))
        object.__setattr__(self, "_opening", re.compile(rf"\s*{run}", re.IGNORECASE))
        line = rf"^[ \t]*(?:\[[^\]\n]{{0,80}}\]|(?>{label})(?:[ \t]+(?>{label}))*+):?[ \t]*(?:\n|\Z)"
        object.__setattr__(self, "_heading_line", re.compile(line, re.IGNORECASE | re.MULTILINE))

    @classmethod
    def fit(cls, read: Callable[[], Iterable[Song]]) -> "SongCleaner":
        """A cleaner for the performers of the songs; see `find_performers`.

        Args:
            read: returns an iterator over all songs; called five times.
        """
        return cls(find_performers(read))

    def is_notice(self, lyric: str) -> bool:
        """Whether a lyric is a notice that the lyric is not available."""
        text = _plain(lyric)
        return len(text) <= MAX_NOTICE_LENGTH and bool(_NOTICE.match(text))

    def is_stub(self, lyric: str) -> bool:
        """Whether a lyric is a snippet or a placeholder."""
        text = _plain(lyric)
        if len(text) < MIN_LYRIC_LENGTH or text in self.performers:
            return True
        return bool(_STUB.match(text) or _STUB_OPENING.match(text))

    def cut_headings(self, lyric: str) -> str:
        """The lyric without title line, section words and performers' names at section openings; breaks stay.

        In a lyric with newlines, lines that hold nothing but a heading are cut.
        """
        if "\n" in lyric:
            return self._heading_line.sub("", lyric)
        title_line = _TITLE_LINE.match(lyric)
        if title_line:
            lyric = lyric[title_line.end() :].lstrip()
        opening = self._opening.match(lyric)
        if opening:
            lyric = lyric[opening.end() :]
        return self._heading.sub(lambda match: match.group(1), lyric)

    def reject_reason(self, lyric: str) -> str | None:
        """'notices' or 'stubs' for a lyric to leave out, None for a song; also the field of `CleaningReport`."""
        if self.is_notice(lyric):
            return "notices"
        if self.is_stub(lyric) or self.is_stub(self.cut_headings(lyric)):
            return "stubs"
        return None


def find_performers(read: Callable[[], Iterable[Song]]) -> frozenset[str]:
    """Performers: the songs' artists, and learnt names of up to three words from stripped headings.

    A learnt name opens sections in `MIN_NAME_SONGS` songs, is followed by many distinct words there (a chorus repeated
    in remixes is always followed by the same word), opens a section in `MIN_NAME_SHARE` of its occurrences, and contains
    a word outside the `COMMON_WORDS` most frequent ones. Songs with newlines are ignored, since their headings have lines
    of their own. No name is learnt if fewer than `MIN_HEADING_SHARE` of the sections open with a section word.

    Args:
        read: returns an iterator over all songs; called five times.
    """
    names = frozenset(artist_spellings({song.artist for song in read()}))
    for _ in range(NAME_ROUNDS):  # a later round learns names that follow other names in a heading
        names |= _learn_names(read, names)
    return names


def _learn_names(read: Callable[[], Iterable[Song]], known: frozenset[str]) -> frozenset[str]:
    """New names from one pass over the songs, given the known ones; see `find_performers`."""
    openings: Counter[str] = Counter()
    songs: Counter[str] = Counter()
    frequency: Counter[str] = Counter()
    sections = labelled = 0
    following: dict[str, set[str]] = defaultdict(set)
    labels = known | set(SECTION_WORDS)
    for song in read():
        if "\n" in song.lyric:
            continue
        phrases: Counter[str] = Counter()
        for section in re.split(r"[ \t]{2,}", song.lyric.lower()):
            words = section.split(" ")
            frequency.update(words)
            start = _skip_labels(words, labels)
            sections, labelled = sections + 1, labelled + (words[0] in SECTION_WORDS)
            for count in range(1, min(MAX_NAME_WORDS, len(words) - start) + 1):
                phrase = " ".join(words[start : start + count])
                phrases[phrase] += 1
                following[phrase].add(" ".join(words[start + count : start + count + 1]))
        openings.update(phrases)
        songs.update(phrases.keys())
    if labelled < MIN_HEADING_SHARE * sections:
        return frozenset()
    candidates = {
        phrase
        for phrase, count in songs.items()
        if count >= MIN_NAME_SONGS
        and len(following[phrase]) >= max(MIN_CONTINUATIONS, MIN_CONTINUATION_SHARE * openings[phrase])
        and not re.fullmatch(r"\W*|[aeiouy]|\d+|(?:lyrics|produced|letra)\b.*", phrase)
    }
    occurrences = _count_phrases(candidates, read())
    common = min((count for _, count in frequency.most_common(COMMON_WORDS)), default=0)
    learned = {
        phrase
        for phrase in candidates
        if openings[phrase] >= MIN_NAME_SHARE * occurrences[phrase]
        and (" " not in phrase or any(frequency[word] - openings[phrase] < common for word in phrase.split(" ")))
    }
    return frozenset(name for name in learned if not _has_label_prefix(name, learned | labels))


def _skip_labels(words: list[str], labels: frozenset[str] | set[str]) -> int:
    """Number of leading words of a section that are labels: section words and known names."""
    start = 0
    while start < len(words):
        for count in range(MAX_NAME_WORDS, 0, -1):
            if " ".join(words[start : start + count]) in labels:
                start += count
                break
        else:
            return start
    return start


def _has_label_prefix(name: str, labels: frozenset[str] | set[str]) -> bool:
    """Whether a name starts with a shorter label."""
    words = name.split(" ")
    return any(" ".join(words[:count]) in labels for count in range(1, len(words)))


def _count_phrases(phrases: set[str], songs: Iterable[Song]) -> Counter:
    """Occurrences of each phrase of up to `MAX_NAME_WORDS` words within the sections of the songs."""
    counts: Counter[str] = Counter()
    for song in songs:
        if "\n" in song.lyric:
            continue
        for section in re.split(r"[ \t]{2,}", song.lyric.lower()):
            words = section.split(" ")
            for count in range(1, MAX_NAME_WORDS + 1):
                grams = map(" ".join, zip(*(words[start:] for start in range(count)), strict=False))
                counts.update(gram for gram in grams if gram in phrases)
    return counts


@dataclass(frozen=True, eq=False)
class CleanedSongs:
    """Encoded songs without headings, and the numbers of the training and held-out songs."""

    corpus: Corpus
    """All songs read, numbered in the order of reading."""
    train: np.ndarray
    """Numbers of the training songs, int64, ascending."""
    held_out: np.ndarray
    """Numbers of the held-out songs, int64, ascending."""
    report: CleaningReport


def clean_training_songs(
    read: Callable[[], Iterable[Song]],
    folder: str | Path,
    cleaner: SongCleaner | None,
    numbers: np.ndarray | None = None,
    artists: Sequence[str] | None = None,
    held_out: float = 0.0,
    seed: int = 0,
) -> CleanedSongs:
    """Encodes songs without heading debris and selects the training and held-out songs.

    Args:
        read: returns an iterator over all songs; called once.
        folder: of the encoded songs.
        cleaner: None: nothing is cut or left out.
        numbers: of the candidates for training; None: all songs.
        artists: as for `encode_corpus`.
        held_out: share of the songs to hold out.
        seed: of the held-out split.

    Raises:
        DataError: cleaning leaves no song.
    """
    report = CleaningReport()
    selected: list[int] = []  # numbers of the candidates that are neither notices nor stubs
    candidates = None if numbers is None else set(numbers.tolist())

    def cut_headings() -> Iterator[Song]:
        for number, song in enumerate(read()):
            lyric = song.lyric if cleaner is None else cleaner.cut_headings(song.lyric)
            if candidates is None or number in candidates:
                report.read += 1
                reason = None if cleaner is None else cleaner.reject_reason(song.lyric)
                if reason:
                    setattr(report, reason, getattr(report, reason) + 1)
                else:
                    selected.append(number)
                    report.songs_with_headings += len(lyric) < len(song.lyric)
                    report.heading_characters += len(song.lyric) - len(lyric)
            yield replace(song, lyric=lyric)

    corpus = encode_corpus(cut_headings(), folder, artists)
    songs = np.array(selected, np.int64)
    duplicates = find_duplicates(corpus, songs)
    kept = duplicates.kept if cleaner else np.ones(len(songs), bool)
    if cleaner:
        report.exact_duplicates, report.near_duplicates = int(duplicates.exact.sum()), int(duplicates.near.sum())
    if not kept.any():
        raise DataError("cleaning leaves no song to train on; give other songs, or --no-clean")
    held = choose_held_out(kept, duplicates.overlap, held_out, seed)
    report.held_out, report.train = int(held.sum()), int((kept & ~held).sum())
    return CleanedSongs(corpus, songs[kept & ~held], songs[held], report)


def find_duplicates(corpus: Corpus, songs: np.ndarray, window: int = WINDOW) -> "Duplicates":
    """Finds exact duplicates and near-duplicates, and measures the overlap of each song with the others.

    A song is a near-duplicate if `MAX_OVERLAP` or more of its windows occur in longer songs that are kept; of songs
    of one length the earlier one is kept. Songs shorter than a window have exact duplicates only.

    Args:
        corpus: encoded songs.
        songs: numbers of the songs to compare with one another (N,).
        window: characters of a window.
    """
    songs = np.asarray(songs, np.int64)
    lengths = corpus.stops[songs] - corpus.starts[songs] - 1
    sample = max(1, -(-int(lengths.sum()) // MAX_WINDOWS))
    hashes = [np.unique(_sampled(window_hashes(corpus.song(song), window), sample)) for song in songs]
    known, song_counts = np.unique(np.concatenate([*hashes, np.empty(0, np.uint64)]), return_counts=True)
    exact, near = np.zeros(len(songs), bool), np.zeros(len(songs), bool)
    overlap = np.zeros(len(songs))
    in_kept, texts = np.zeros(len(known), bool), set()
    for position in np.argsort(-lengths, kind="stable"):
        text = hashlib.blake2b(corpus.song(songs[position]).tobytes(), digest_size=16).digest()
        at = np.searchsorted(known, hashes[position])
        if len(at):
            overlap[position] = (song_counts[at] > 1).mean()
        exact[position] = text in texts
        near[position] = not exact[position] and len(at) > 0 and in_kept[at].mean() >= MAX_OVERLAP
        texts.add(text)
        if not exact[position] and not near[position]:
            in_kept[at] = True
    return Duplicates(exact, near, overlap)


@dataclass(frozen=True, eq=False)
class Duplicates:
    """Duplicates among the compared songs: arrays (N,)."""

    exact: np.ndarray
    """Whether the song equals an earlier one."""
    near: np.ndarray
    """Whether `MAX_OVERLAP` or more of its windows occur in longer kept songs."""
    overlap: np.ndarray
    """Share of its windows that occur in any other song."""

    @property
    def kept(self) -> np.ndarray:
        return ~(self.exact | self.near)


def _sampled(hashes: np.ndarray, sample: int) -> np.ndarray:
    """About one in `sample` of the hashes, the same ones in every song."""
    return hashes if sample == 1 else hashes[hashes % np.uint64(sample) == 0]


def choose_held_out(kept: np.ndarray, overlap: np.ndarray, share: float, seed: int) -> np.ndarray:
    """The held-out songs as a mask (N,): a random `share` of the kept songs, at least one.

    Eligible are kept songs with an overlap of at most `MAX_OVERLAP_HELD_OUT`, so that no held-out song is a near-duplicate
    of another. The mask is empty if the share is 0 or fewer than two songs are kept.
    """
    held_out = np.zeros(len(kept), bool)
    eligible = np.flatnonzero(kept & (overlap <= MAX_OVERLAP_HELD_OUT))
    count = min(max(1, round(share * int(kept.sum()))), len(eligible), int(kept.sum()) - 1, MAX_HELD_OUT)
    if share > 0 and count > 0:
        held_out[np.random.default_rng(seed).permutation(eligible)[:count]] = True
    return held_out


def artist_spellings(artists: Iterable[str]) -> Iterator[str]:
    """Yields spellings of each name: in lower case without parentheses, and also without accents or punctuation."""
    for artist in artists:
        name = re.sub(r"\s*\(.*?\)", "", artist).strip().lower()
        plain = "".join(letter for letter in unicodedata.normalize("NFD", name) if not unicodedata.combining(letter))
        yield from filter(None, {name, plain, re.sub(r"[^\w ]", "", name), re.sub(r"[^\w ]", "", plain)})


def _plain(lyric: str) -> str:
    return re.sub(r"[^\w ]+", " ", " ".join(lyric.lower().split())).strip()
