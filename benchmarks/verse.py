"""Verses and gaps: how often a scheme is met, how long it takes, and whether it still reads like the model.

    python -m benchmarks.verse [--verses 100] [--gaps 100] [--models lstm] [--schemes couplet ABAB] [--rows FILE] [--write-docs]

Verses are written by any artist and three named ones in turn, with the copy guard (6 words) and `clean_words`. Their bits per
character are those of the model without constraints, beside lyrics of the same settings and length. A gap of 60 characters is cut out of
a lyric of the model and filled again: the figure is how much more the text behind it costs then, in bits per character.

`--rows` keeps the figures of each verse and gap, a line of JSON each: what is in the file is not measured again, so that a run can be
stopped, continued, or made in parts.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path

import numpy as np

from benchmarks.measuring import make_parser, provenance_note, report
from benchmarks.tables import table
from lyricgen import fill_gap, generate_lyrics, measure_originality, score, write_verse
from lyricgen.devices import use_one_thread
from lyricgen.generation.verse import Verse
from lyricgen.memorization.song_index import bundled_index
from lyricgen.models.checkpoints import bundled_models
from lyricgen.models.loading import resolve_model
from lyricgen.validation import counted
from lyricgen.words.lexicon import song_lexicon
from lyricgen.words.rhymes import rhyme_kind, split_words

SCHEMES = ("couplet", "ABAB", "haiku", "limerick", "AABB", "ABBA")
GAPS = "gap"  # the scheme of a gap's row
ARTISTS = (None, "Coldplay", "Taylor Swift", "Eminem")
COPIED = 6  # words
GAP, LYRIC, BEHIND = 60, 220, 80  # characters
MAX_GAP_COST = 0.3  # bits per character
HEADER = ["model", "scheme", "verses", "met", "CPU time (median)", "distinct words", "words no training song has", "copied runs over 6", "bits per character", "to lyrics"]  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = make_parser(__doc__, repeats=None, block="verse")
    parser.add_argument("--verses", type=int, default=100, help="of each scheme (default: %(default)s)")
    parser.add_argument("--gaps", type=int, default=100, help="of each model (default: %(default)s)")
    parser.add_argument("--models", nargs="+", choices=bundled_models(), default=["lstm"], help="default: lstm")
    parser.add_argument("--schemes", nargs="*", choices=SCHEMES, default=SCHEMES, help="default: all")
    parser.add_argument("--rows", type=Path, metavar="FILE", help="figures measured so far, and where further ones go")
    options = parser.parse_args(arguments)
    use_one_thread()
    rows = read_rows(options.rows)
    done = {(row["model"], row["scheme"], row["seed"]) for row in rows}
    for task in tasks(options.models, options.schemes, options.verses, options.gaps):
        if task not in done:
            rows.append(measure(*task))
            if options.rows:
                with options.rows.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(rows[-1]) + "\n")
    note = provenance_note(
        "verse",
        "means of the verses, by any artist and three named ones",
        *gap_notes(rows),
        "on a shared machine",
        threads=1,
    )
    report(options, "verse", table(HEADER, verse_table(rows)) + note, rows, threads=1)
    return 0


def tasks(models: list[str], schemes: tuple[str, ...], verses: int, gaps: int) -> Iterator[tuple[str, str, int]]:
    """What is measured: model, scheme and seed."""
    for model in models:
        for scheme, count in [*((scheme, verses) for scheme in schemes), (GAPS, gaps)]:
            yield from ((model, scheme, seed) for seed in range(count))


def read_rows(file: Path | None) -> list[dict]:
    """The rows measured earlier."""
    lines = file.read_text(encoding="utf-8").splitlines() if file and file.exists() else []
    return [json.loads(line) for line in lines]


def measure(model: str, scheme: str, seed: int) -> dict:
    """The figures of one verse or gap."""
    figures = measure_gap(model, seed) if scheme == GAPS else measure_verse(model, scheme, seed)
    return {"model": model, "scheme": scheme, "seed": seed, **figures}


def measure_verse(model: str, scheme: str, seed: int) -> dict:
    """The figures of one verse, and the bits per character of a lyric of its length."""
    network, known = resolve_model(model), song_lexicon().index  # loaded before the time is taken
    artist = known_artist(network.artists, seed)
    settings = {"model": network, "artist": artist, "seed": seed, "clean_words": True}
    start = time.process_time()
    verse = write_verse(scheme, max_copied_words=COPIED, **settings)
    seconds = time.process_time() - start
    text, words = verse.text.replace("\n", " "), split_words(verse.text)
    longest = measure_originality(text, bundled_index()).longest
    lyric = generate_lyrics(max_length=len(text), dry=0.6, **settings)
    return {
        "met": is_met(verse),
        "cpu_seconds": seconds,
        "distinct_words": len(set(words)) / len(words),
        "unknown_words": sum(word not in known for word in words) / len(words),
        "copied": longest is not None and longest.words > COPIED,
        "bits_per_character": score(text, artist=artist, model=network).bits_per_character,
        "lyric_bits_per_character": score(lyric, artist=artist, model=network).bits_per_character,
    }


def is_met(verse: Verse) -> bool:
    """Whether nothing was given up, and the lines of each letter rhyme perfectly."""
    ends: dict[str, list[str]] = {}
    for line in verse.lines:
        ends.setdefault(line.rhyme, []).append((split_words(line.text) or [""])[-1])
    ends.pop("", None)
    return not verse.notes and all(
        rhyme_kind(*pair) == "perfect" for words in ends.values() for pair in combinations(words, 2)
    )


def measure_gap(model: str, seed: int) -> dict:
    """How much more the text behind a filled gap costs than behind what was cut out, in bits per character."""
    network = resolve_model(model)
    artist = known_artist(network.artists, seed)
    settings = {"model": network, "artist": artist, "seed": seed}
    lyric = " ".join(generate_lyrics(max_length=LYRIC, dry=0.6, **settings).split())
    start, stop = cut(lyric.find, len(lyric))
    filled = fill_gap(f"{lyric[:start]}[..]{lyric[stop:]}", length=GAP, **settings)
    behind = lyric[stop : stop + BEHIND]
    costs = [cost_behind(text[: len(text) - len(lyric) + stop + len(behind)], len(behind), artist, network) for text in (lyric, filled)]  # fmt: skip
    return {"bits_per_character": costs[1] - costs[0]}


def cut(find: Callable[[str, int], int], length: int) -> tuple[int, int]:
    """The start and the stop of a gap of about 60 characters between words; a stop of -1 where the lyric is too short."""
    start = find(" ", length // 4) + 1
    return start, find(" ", start + GAP)


def cost_behind(text: str, characters: int, artist: str | None, network) -> float:
    """The bits per character of the end of a text."""
    return float(-np.nanmean(score(text, artist=artist, model=network).log_probs[-characters:]))


def known_artist(artists: tuple[str, ...], number: int) -> str | None:
    """Any artist and the named ones in turn; any for a model that lacks them."""
    artist = ARTISTS[number % len(ARTISTS)]
    return artist if artist in artists else None


def verse_table(rows: list[dict]) -> Iterator[list[str]]:
    """A row of the table for each model and scheme."""
    for model, scheme in dict.fromkeys((row["model"], row["scheme"]) for row in rows if row["scheme"] != GAPS):
        of_scheme = [row for row in rows if (row["model"], row["scheme"]) == (model, scheme)]
        mean = {key: statistics.mean(row[key] for row in of_scheme) for key in of_scheme[0] if key not in ("model", "scheme", "seed")}  # fmt: skip
        yield [
            f"`{model}`",
            scheme,
            str(len(of_scheme)),
            f"{mean['met']:.0%}",
            f"{statistics.median(row['cpu_seconds'] for row in of_scheme):.1f} s",
            f"{mean['distinct_words']:.2f}",
            f"{mean['unknown_words']:.1%}",
            f"{mean['copied']:.0%}",
            f"{mean['bits_per_character']:.2f}",
            f"{mean['bits_per_character'] - mean['lyric_bits_per_character']:+.2f}",
        ]


def gap_notes(rows: list[dict]) -> Iterator[str]:
    """A sentence on the gaps of each model."""
    for model in dict.fromkeys(row["model"] for row in rows if row["scheme"] == GAPS):
        costs = np.array([row["bits_per_character"] for row in rows if (row["model"], row["scheme"]) == (model, GAPS)])
        yield f"{counted(len(costs), 'gap')} of {GAP} characters, `{model}`: the text behind costs {costs.mean():+.2f} bits per character more than after what was cut out, at most {MAX_GAP_COST} in {np.mean(costs <= MAX_GAP_COST):.0%}"  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
