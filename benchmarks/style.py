"""How clearly a lyric is in the style of the artist that was asked for, by guidance; and what guidance costs.

    python -m benchmarks.style --data songdata/ [--lyrics 20] [--artists N] [--write-docs]

Each artist gets lyrics by sampling from an empty prefix, with the same seeds at each guidance. Three shares: lyrics in which
the n-gram classifier, artists' names masked, names the artist that was asked for; words in copied runs of five words or more;
and invented words, which no training song has. Each is compared with guidance 1. The table ends with the smallest guidance
that names the artist twice as often at no more than 1.1 x the copied and the invented words.
"""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from benchmarks.measuring import make_parser, provenance_note, report
from benchmarks.tables import table
from lyricgen.analysis.attribution import FOLDER
from lyricgen.analysis.ngram_classifier import NgramClassifier, load_ngrams
from lyricgen.generation.api import write_together
from lyricgen.generation.request import GenerationRequest
from lyricgen.generation.scheduler import MAX_BATCH_SIZE
from lyricgen.generation.settings import GenerationSettings
from lyricgen.memorization.originality import measure_originality
from lyricgen.memorization.song_index import GRAM, SongIndex, bundled_index, find_words
from lyricgen.models.checkpoints import find_checkpoint, load_checkpoint
from lyricgen.models.networks import CharacterModel
from lyricgen.models.vocabulary import encode, token_ids_to_str, trailing_partial_word
from lyricgen.songs.reading import Song
from lyricgen.storage import ASSETS
from lyricgen.training.attribution import name_words
from lyricgen.training.config import TrainConfig
from lyricgen.training.songs import read_training_songs

GUIDANCE = (1.0, 1.5, 2.0, 2.25, 2.5, 3.0)
TEMPERATURE = 0.8
MIN_NAMED_RATIO = 2.0  # of the share of lyrics in the artist's style, against guidance 1
MAX_COST_RATIO = 1.1  # of the shares of copied and of invented words, against guidance 1
SHARES = {"named": "artist named", "copied": f"words in copied runs of {GRAM} or more", "invented": "invented words"}


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = make_parser(__doc__, repeats=None, block="style")
    parser.add_argument("--data", metavar="PATH", help="songs, as train.py takes them; default: download songdata")
    parser.add_argument("--model", default="lstm", metavar="NAME", help="a bundled model or a model folder (default: %(default)s)")  # fmt: skip
    parser.add_argument(
        "--ngrams", type=Path, default=ASSETS / FOLDER, metavar="FOLDER", help="default: the bundled one"
    )
    parser.add_argument("--lyrics", type=int, default=20, metavar="N", help="of each artist (default: %(default)s)")
    parser.add_argument("--artists", type=int, metavar="N", help="the model's first N artists (default: all)")
    parser.add_argument("--length", type=int, default=400, metavar="N", help="characters of a lyric (default: %(default)s)")  # fmt: skip
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    checkpoint, classifier = load_checkpoint(find_checkpoint(options.model)), mask_names(load_ngrams(options.ngrams))
    artists = checkpoint.model.artists[: options.artists]
    words, index = song_words(read_training_songs(TrainConfig(data=options.data))[1]), bundled_index()
    rows = []
    for guidance in GUIDANCE:
        lyrics = write_lyrics(checkpoint.model, artists, options.lyrics, options.length, guidance)
        rows.append({"guidance": guidance, **measure(lyrics, classifier, index, words)})
    bits = checkpoint.metrics.get("clean_bpc")
    facts = [
        f"{options.lyrics} lyrics of {options.length} characters for each of {len(artists)} artists at temperature {TEMPERATURE:g} "
        f"by `{Path(options.model).name}`{f' ({bits:.3f} bits per character on the clean split)' if bits else ''}",
    ]
    header = ["guidance", *(cell for share in SHARES.values() for cell in (share, "against 1"))]
    printed = table(header, [table_row(row, rows[0]) for row in rows]) + f"\n\n{verdict(rows)}"
    report(options, "style", printed + provenance_note("style", *facts, threads=1), with_ratios(rows), threads=1)
    return 0


def mask_names(classifier: NgramClassifier) -> NgramClassifier:
    """A classifier to which its artists' names are no evidence."""
    if classifier.masked_names:
        return classifier
    return replace(classifier, masked_names=tuple(name_words(classifier.artists)))


def song_words(songs: Iterable[Song]) -> set[str]:
    """Every word of the songs, as a model reads them."""
    return {word.text for song in songs for word in find_words(token_ids_to_str(encode(song.lyric.lower())))}


def write_lyrics(
    model: CharacterModel, artists: Sequence[str], count: int, length: int, guidance: float
) -> list[tuple[str, str]]:
    """`count` lyrics for each artist, each with the artist; lyric n has the seed n."""
    asked = [artist for artist in artists for _ in range(count)]
    requests = [
        GenerationRequest(
            model,
            settings=GenerationSettings(
                artist=artist, temperature=TEMPERATURE, max_length=length, seed=seed, guidance=guidance
            ),
        )
        for seed, artist in enumerate(asked)
    ]
    batches = [requests[start : start + MAX_BATCH_SIZE] for start in range(0, len(requests), MAX_BATCH_SIZE)]
    texts = [text for batch in batches for text in write_together(batch)]
    return list(zip(asked, texts, strict=True))


def measure(
    lyrics: Sequence[tuple[str, str]], classifier: NgramClassifier, index: SongIndex, known: set[str]
) -> dict[str, float]:
    """The shares of `SHARES`; a word that the end of a lyric cuts is not counted."""
    named = copied = invented = words = 0.0
    for artist, lyric in lyrics:
        text = lyric.removesuffix(trailing_partial_word(lyric))
        posterior = classifier.logits([text], np.array([len(text)]))[0]
        named += classifier.artists[int(posterior.argmax())] == artist
        found = find_words(text)
        words += len(found)
        invented += sum(word.text not in known for word in found)
        copied += (measure_originality(text, index).share_copied or 0.0) * len(found) if found else 0.0
    return {"named": named / len(lyrics), "copied": copied / max(words, 1), "invented": invented / max(words, 1)}


def with_ratios(rows: Sequence[dict]) -> list[dict]:
    """The rows with each share against that of the first; None where that is 0."""
    first = rows[0]
    return [
        row | {f"{name}_ratio": row[name] / first[name] if first[name] else None for name in SHARES} for row in rows
    ]


def table_row(row: dict, first: dict) -> list[str]:
    """A row of the table."""
    cells = [f"{row['guidance']:g}"]
    for name in SHARES:
        cells += [f"{row[name]:.1%}", f"{row[name] / first[name]:.2f} x" if first[name] else ""]
    return cells


def best_guidance(rows: Sequence[dict]) -> float | None:
    """The smallest guidance that names the artist often enough at an allowed cost; None: no such guidance."""
    first = rows[0]
    for row in rows:
        clear = row["named"] >= MIN_NAMED_RATIO * first["named"]
        if clear and all(row[name] <= MAX_COST_RATIO * first[name] for name in ("copied", "invented")):
            return row["guidance"]
    return None


def verdict(rows: Sequence[dict]) -> str:
    """The smallest guidance of `best_guidance`, in a sentence."""
    condition = (
        f"names the artist at least {MIN_NAMED_RATIO:g} times as often as 1, with copied and invented words at most "
        f"{MAX_COST_RATIO:g} x of those at 1"
    )
    best = best_guidance(rows)
    return f"None of these {condition}." if best is None else f"The smallest guidance that {condition}: **{best:g}**."


if __name__ == "__main__":
    sys.exit(main())
