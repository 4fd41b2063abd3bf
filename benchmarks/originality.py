"""What the bundled models copy from their songs, in words; and the speed of the index against a dictionary of the songs.

    python -m benchmarks.originality --data songdata/ [--samples 200] [--write-metrics] [--write-docs]

Each model samples lyrics of 300 characters at three temperatures, as at the end of train.py; --write-metrics writes the
figures into the models' own metrics.json. The index is built, opened and queried against its obvious alternative: a
Python dictionary from five words to the songs that contain them.
"""

import statistics
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from benchmarks.measuring import make_parser, median_seconds, provenance_note, report, seconds
from benchmarks.tables import table
from lyricgen import CopyGuard, Song, SongIndex, load_checkpoint, measure_originality, read_songs
from lyricgen.memorization.song_index import GRAM, find_words
from lyricgen.models.checkpoints import bundled_models, replace_metrics
from lyricgen.storage import ASSETS
from lyricgen.training.config import TrainConfig
from lyricgen.training.copying import RUN_LENGTHS, measure_copying
from lyricgen.training.songs import find_songs, prepare_songs

HEADER = [
    "model",
    "temperature",
    *(f"a run of {words} words or more" for words in RUN_LENGTHS),
    "longest run",
    "words inside runs",
]
TEXT_LENGTH = 5_000  # characters of the text that is looked up


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = make_parser(__doc__, block="originality")
    parser.add_argument("--data", metavar="PATH", help="songs, as train.py takes them; default: download songdata")
    parser.add_argument(
        "--samples", type=int, default=200, help="lyrics of each model and temperature (default: %(default)s)"
    )
    parser.add_argument("--models", nargs="+", choices=bundled_models(), default=bundled_models(), help="default: both")
    parser.add_argument("--write-metrics", action="store_true", help="put the figures into the models' metrics.json")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        config = TrainConfig(data=options.data, out=Path(folder))
        corpus = prepare_songs(config).uncleaned
        source, _ = find_songs(config)
        speed = measure_speed(list(read_songs(source)), Path(folder) / "index", options.repeats)
        rows = []
        for name in options.models:
            checkpoint = load_checkpoint(ASSETS / name)
            copied = measure_copying(checkpoint.model, corpus, options.samples)["copied_words"]
            rows += [{"model": name, "temperature": float(t), **shares} for t, shares in copied["temperatures"].items()]
            if options.write_metrics:
                replace_metrics(ASSETS / name, with_copied_words(checkpoint.metrics, copied))
    note = provenance_note(
        "originality", f"{options.samples} lyrics of 300 characters each", *speed_facts(speed), threads=1
    )
    report(options, "originality", table(HEADER, map(table_row, rows)) + note, [*rows, speed], threads=1)
    return 0


def with_copied_words(metrics: dict, copied: dict) -> dict:
    """A model's figures with what it copied in words, in train.py's order: after what it copied in characters."""
    figures = {}
    for key, value in metrics.items():
        if key != "copied_words":
            figures[key] = value
        if key == "copied":
            figures["copied_words"] = copied
    return {**figures, "copied_words": copied}


def table_row(row: dict) -> list[str]:
    """A row of the table."""
    shares = [f"{share:.1%}" for share in row["share_with_run"].values()]
    return [
        f"`{row['model']}`",
        f"{row['temperature']:g}",
        *shares,
        f"{row['longest_run']} words",
        f"{row['mean_share_in_runs']:.1%}",
    ]


def speed_facts(speed: dict) -> list[str]:
    """The speed of the index, in words."""
    probes = speed["false_positives"]
    return [
        f"the index of {speed['grams']:,} grams in {speed['megabytes']:.1f} MB built in {speed['build_seconds']:.0f} s "
        f"({speed['build_ratio_to_peer']:.1f} x the time of a dictionary from five words to their songs)",
        f"opened in {1e3 * speed['open_seconds']:.0f} ms ({speed['open_ratio_to_peer']:.0f} x faster than making that dictionary)",
        f"a text of {TEXT_LENGTH:,} characters looked up in {1e3 * speed['text_seconds']:.1f} ms "
        f"({speed['text_ratio_to_peer']:.1f} x the time of as many lookups in that dictionary)",
        f"a word checked by a copy guard in {1e6 * speed['word_seconds']:.0f} µs",
        f"false positives: {probes['found']} of {probes['asked']:,} grams of random words "
        f"({probes['expected_rate']:.1g} expected for each)",
    ]


def measure_speed(songs: list[Song], folder: Path, repeats: int) -> dict:
    """Seconds to build, open and query the index, against a dictionary of the songs."""
    built = seconds(lambda: SongIndex.build(songs, asked=0))
    index = SongIndex.build(songs)
    index.save(folder)
    grams: dict[tuple[str, ...], set[int]] = {}
    peer_built = seconds(lambda: fill(grams, songs))
    opened = median_seconds(lambda: SongIndex.load(folder), repeats)
    index = SongIndex.load(folder)
    text = partly_copied_text(songs)
    queried = median_seconds(lambda: measure_originality(text, index), repeats)
    peer_queried = median_seconds(lambda: [grams.get(gram) for gram in grams_of(text)], repeats)
    return {
        "grams": index.metrics["grams"],
        "megabytes": index.metrics["bytes"] / 1e6,
        "false_positives": index.metrics["false_positives"],
        "build_seconds": built,
        "build_ratio_to_peer": built / peer_built,
        "open_seconds": opened,
        "open_ratio_to_peer": peer_built / opened,
        "text_seconds": queried,
        "text_ratio_to_peer": queried / peer_queried,
        "word_seconds": word_seconds(index, text),
    }


def word_seconds(index: SongIndex, text: str) -> float:
    """The median time in which a guard checks a word."""
    guard, state, times = CopyGuard(index, 6), CopyGuard.start, []

    def check(word: str) -> None:
        nonlocal state
        state = guard.after(state, word)
        guard.exceeds(state)

    for word in text.split():
        times.append(seconds(lambda word=word: check(word)))
    return statistics.median(times)


def partly_copied_text(songs: list[Song]) -> str:
    """A text that shares runs with the songs: every other word of the first song, then whole songs."""
    first = " ".join(songs[0].lyric.split()[::2])
    return " ".join([first, *(song.lyric for song in songs[1:])])[:TEXT_LENGTH]


def grams_of(text: str) -> Iterable[tuple[str, ...]]:
    words = [word.text for word in find_words(text)]
    return zip(*(words[at:] for at in range(GRAM)), strict=False)


def fill(grams: dict[tuple[str, ...], set[int]], songs: list[Song]) -> None:
    """Fills a dictionary from five consecutive words to the numbers of their songs."""
    for number, song in enumerate(songs):
        for gram in grams_of(song.lyric):
            grams.setdefault(gram, set()).add(number)


if __name__ == "__main__":
    sys.exit(main())
