"""Verses and gaps: how often a scheme is met, how long it takes, and whether it still reads like the model.

    python -m benchmarks.verse [--verses 100] [--gaps 100] [--models lstm] [--schemes couplet ABAB]

Verses are written by any artist and three named ones in turn, with the copy guard (6 words) and `clean_words`. Their bits per
character are those of the model without constraints, beside lyrics of the same settings and length. A gap of 60 characters is cut out of
a lyric of the model and filled again: the figure is how much more the text behind it costs then, in bits per character.
"""

import statistics
import sys
import time
from collections.abc import Callable

import numpy as np

from benchmarks.measuring import make_parser, provenance_note, report
from benchmarks.tables import table
from lyricgen import fill_gap, generate_lyrics, measure_originality, score, write_verse
from lyricgen.devices import use_one_thread
from lyricgen.generation.verse import Verse
from lyricgen.memorization.song_index import bundled_index
from lyricgen.models.checkpoints import bundled_models
from lyricgen.models.loading import resolve_model
from lyricgen.words.lexicon import song_lexicon
from lyricgen.words.rhymes import rhyme_kind, split_words

SCHEMES = ("couplet", "AABB", "ABAB", "ABBA", "limerick", "haiku")
ARTISTS = (None, "Coldplay", "Taylor Swift", "Eminem")
COPIED = 6  # words
GAP, LYRIC, BEHIND = 60, 220, 80  # characters
HEADER = ["model", "scheme", "met", "CPU time (median)", "distinct words", "words outside the lexicon", "copied runs over 6", "bits per character", "to lyrics"]  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = make_parser(__doc__, repeats=None)
    parser.add_argument("--verses", type=int, default=100, help="of each scheme (default: %(default)s)")
    parser.add_argument("--gaps", type=int, default=100, help="of each model (default: %(default)s)")
    parser.add_argument("--models", nargs="+", choices=bundled_models(), default=["lstm"], help="default: lstm")
    parser.add_argument("--schemes", nargs="+", choices=SCHEMES, default=SCHEMES, help="default: all")
    options = parser.parse_args(arguments)
    use_one_thread()
    rows, gaps = [], []
    for model in options.models:
        rows += [measure_scheme(model, scheme, options.verses) for scheme in options.schemes]
        gaps.append({"model": model, "gap_bits": measure_gaps(model, options.gaps) if options.gaps else []})
    said = [f"`{each['model']}`: {np.mean(each['gap_bits']):+.2f} bits per character behind a filled gap, {np.mean(np.array(each['gap_bits']) <= 0.3):.0%} at most +0.3" for each in gaps if each["gap_bits"]]  # fmt: skip
    note = provenance_note("verse", f"{options.verses} verses of each scheme", *said, threads=1)
    report(options, "verse", table(HEADER, map(table_row, rows)) + note, [*rows, *gaps], threads=1)
    return 0


def measure_scheme(model: str, scheme: str, count: int) -> dict:
    """The figures of `count` verses of a scheme."""
    network, words = resolve_model(model), set(song_lexicon().words)
    verses, seconds, bits, lyric_bits, copied = [], [], [], [], 0
    write_verse(scheme, model=network, seed=count)  # what is loaded once
    for seed in range(count):
        artist = known_artist(network.artists, seed)
        settings = {"model": network, "artist": artist, "seed": seed, "clean_words": True}
        start = time.process_time()
        verse = write_verse(scheme, max_copied_words=COPIED, **settings)
        seconds.append(time.process_time() - start)
        text = verse.text.replace("\n", " ")
        lyric = generate_lyrics(max_length=len(text), dry=0.6, **settings)
        bits.append(bits_per_character(text, artist, network))
        lyric_bits.append(bits_per_character(lyric, artist, network))
        longest = measure_originality(text, bundled_index()).longest
        copied += longest is not None and longest.words > COPIED
        verses.append(verse)
    written = [split_words(verse.text) for verse in verses]
    return {
        "model": model,
        "scheme": scheme,
        "met": sum(map(is_met, verses)) / count,
        "cpu_seconds": statistics.median(seconds),
        "distinct_words": statistics.mean(len(set(each)) / len(each) for each in written),
        "unknown_words": sum(word not in words for each in written for word in each) / sum(map(len, written)),
        "copied": copied / count,
        "bits_per_character": statistics.mean(bits),
        "difference_to_lyrics": statistics.mean(bits) - statistics.mean(lyric_bits),
    }


def is_met(verse: Verse) -> bool:
    """Whether nothing was given up, and the lines of each letter rhyme perfectly."""
    ends: dict[str, list[str]] = {}
    for line in verse.lines:
        ends.setdefault(line.rhyme, []).append((split_words(line.text) or [""])[-1])
    ends.pop("", None)
    return not verse.notes and all(rhyme_kind(first, other) == "perfect" for first, *others in ends.values() for other in others)  # fmt: skip


def measure_gaps(model: str, count: int) -> list[float]:
    """How much more the text behind each filled gap costs than behind what was cut out, in bits per character."""
    network = resolve_model(model)
    differences = []
    for seed in range(count):
        artist = known_artist(network.artists, seed)
        settings = {"model": network, "artist": artist, "seed": seed}
        lyric = " ".join(generate_lyrics(max_length=LYRIC, dry=0.6, **settings).split())
        start, stop = cut(lyric.find, len(lyric))
        if stop < 0:
            continue
        filled = fill_gap(f"{lyric[:start]}[..]{lyric[stop:]}", length=GAP, **settings)
        behind = lyric[stop : stop + BEHIND]
        costs = [cost_behind(text[: len(text) - len(lyric) + stop + len(behind)], len(behind), artist, network) for text in (lyric, filled)]  # fmt: skip
        differences.append(costs[1] - costs[0])
    return differences


def cut(find: Callable[[str, int], int], length: int) -> tuple[int, int]:
    """The start and the stop of a gap of about 60 characters between words; a stop of -1 where the lyric is too short."""
    start = find(" ", length // 4) + 1
    return start, find(" ", start + GAP)


def cost_behind(text: str, characters: int, artist: str | None, network) -> float:
    """The bits per character of the end of a text."""
    return float(-np.nanmean(score(text, artist=artist, model=network).log_probs[-characters:]))


def bits_per_character(text: str, artist: str | None, network) -> float:
    return score(text, artist=artist, model=network).bits_per_character


def known_artist(artists: tuple[str, ...], number: int) -> str | None:
    """Any artist and the named ones in turn; any for a model that lacks them."""
    artist = ARTISTS[number % len(ARTISTS)]
    return artist if artist in artists else None


def table_row(row: dict) -> list[str]:
    """A row of the table."""
    return [
        f"`{row['model']}`",
        row["scheme"],
        f"{row['met']:.0%}",
        f"{row['cpu_seconds']:.1f} s",
        f"{row['distinct_words']:.2f}",
        f"{row['unknown_words']:.1%}",
        f"{row['copied']:.0%}",
        f"{row['bits_per_character']:.2f}",
        f"{row['difference_to_lyrics']:+.2f}",
    ]


if __name__ == "__main__":
    sys.exit(main())
