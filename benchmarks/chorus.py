"""How often sections return, loops and copies by `chorus`; repetition with and without `dry`; and invented words.

    python -m benchmarks chorus --data songdata/ [--lyrics 200] [--length 1200] [--write-docs]

Three tables. Sections that return: sampled lyrics at temperature 0.7, any artist, for each value of `chorus`, beside the
clean validation songs' first characters. DRY: greedy and beam-searched lyrics of 400 characters, 20 prefixes times 10 artists.
Invented words: sampled lyrics of 400 characters with and without the settings of the page.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby, product
from pathlib import Path

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence

from benchmarks.measuring import make_parser, median_seconds, provenance_note, report
from benchmarks.songs import make_text
from benchmarks.tables import table
from lyricgen.devices import use_one_thread
from lyricgen.generation.decoding import BeamDecodingStrategy, Hypothesis
from lyricgen.generation.fast_stepper import FastStepper
from lyricgen.generation.repetition import repeat_penalties
from lyricgen.generation.request import GenerationRequest
from lyricgen.generation.scheduler import MAX_BATCH_SIZE, stream_together
from lyricgen.generation.settings import CHORUSES, GenerationSettings
from lyricgen.memorization.song_index import find_words
from lyricgen.models.checkpoints import bundled_models, load_model
from lyricgen.models.networks import CharacterModel
from lyricgen.models.vocabulary import PADDING_LABEL, string_to_labels, token_ids_to_str
from lyricgen.songs.corpus import Corpus
from lyricgen.songs.overlap import window_hashes
from lyricgen.training.config import TrainConfig
from lyricgen.training.songs import prepare_songs
from lyricgen.ui.tabs.write.settings import PAGE_DEFAULTS

RUN = 12  # characters of a run; a character that continues one from earlier in the text is repeated
MAX_PERIOD, LOOP = 60, 150  # characters: a shorter period that covers more than that in a row is a loop
COPY = 24  # characters of a copied run
GROUP = 4  # words of a group
LENGTH = 400  # characters of a lyric of the second and third table
PAGE = CHORUS, DRY = PAGE_DEFAULTS["chorus"], PAGE_DEFAULTS["dry"]  # on the page
TEMPERATURE = 0.7
BEGINNINGS = (
    "the river ", "i left my coat ", "counting every step ", "morning came too soon ", "under the yellow lamp ",
)  # fmt: skip
MORE_BEGINNINGS = (
    "we drove until ", "paper boats ", "she said the rain ", "nobody heard ", "my brother's radio ", "give me a reason ",
    "seven in the evening ", "you kept the letter ", "all the windows ", "hold the door ", "i was only ", "somewhere a train ",
    "tell the moon ", "when the lights ", "this old town ",
)  # fmt: skip
ARTISTS = 10  # artists of the second table


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = make_parser(__doc__, block="chorus")
    parser.add_argument("--data", metavar="PATH", help="songs, as train.py takes them; default: download songdata")
    parser.add_argument("--model", choices=bundled_models(), default="lstm", help="default: %(default)s")
    parser.add_argument("--lyrics", type=int, default=200, help="lyrics of each row (default: %(default)s)")
    parser.add_argument("--length", type=int, default=1_200, help="characters, first table (default: %(default)s)")
    options = parser.parse_args(arguments)
    use_one_thread()
    model = load_model(options.model)
    with tempfile.TemporaryDirectory() as folder:
        songs = prepare_songs(TrainConfig(data=options.data, out=Path(folder)))
        clean = [token_ids_to_str(songs.val.song(number))[: options.length] for number in np.flatnonzero(songs.clean)]
        copies, words = CopiedRuns(songs.uncleaned), vocabulary(songs.uncleaned)
    repeats = measure_repeats(model, options.lyrics)
    tables = [show(table(REPEAT_HEADER, map(repeat_row, repeats)))]
    recalls = measure_recalls(model, clean, copies, options)
    tables.insert(0, show(table(RECALL_HEADER, map(recall_row, recalls))))
    invented = measure_invented(model, words, options.lyrics)
    tables.append(show(table(INVENTED_HEADER, map(invented_row, invented))))
    note = provenance_note(
        "chorus",
        f"{options.lyrics} lyrics a row by the {options.model}",
        f"of {options.length:,} characters in the first table and of {LENGTH} in the others",
        f"the penalties of `dry` for a character after 5,000 in {penalty_seconds() * 1e6:.1f} µs",
        threads=1,
    )
    report(options, "chorus", "\n\n".join(tables) + note, [*recalls, *repeats, *invented], threads=1)
    return 0


def show(text: str) -> str:
    """Prints a table as soon as it is measured."""
    print(f"{text}\n", flush=True)
    return text


RECALL_HEADER = [
    "text", "repeated characters", "with a loop", f"in runs of {COPY} characters of a training song",
    "CPU time",
]  # fmt: skip


def measure_recalls(
    model: CharacterModel, songs: Sequence[str], copies: "CopiedRuns", options: argparse.Namespace
) -> list[dict]:
    """Repetition, loops and copies of the songs' beginnings, and of lyrics for each value of `chorus`."""
    rows = [{"text": "clean songs", **describe(songs, copies), "cpu_ratio": None}]
    seconds: list[float] = []
    for chorus, dry in (*((chorus, 0.0) for chorus in CHORUSES), PAGE):
        settings = GenerationSettings(temperature=TEMPERATURE, chorus=chorus, dry=dry, max_length=options.length)
        start = time.process_time()
        lyrics = generate(model, sampled(settings, options.lyrics))
        seconds.append(time.process_time() - start)
        name = f"lyrics, `chorus` {chorus}" + (f", `dry` {dry:g}" if dry else "")
        rows.append({"text": name, **describe(lyrics, copies), "cpu_ratio": seconds[-1] / seconds[0]})
    return rows


def sampled(settings: GenerationSettings, lyrics: int) -> list[tuple[str, GenerationSettings]]:
    """The beginnings in turn, with seeds from 0."""
    return [(BEGINNINGS[seed % len(BEGINNINGS)], replace(settings, seed=seed)) for seed in range(lyrics)]


def describe(texts: Sequence[str], copies: "CopiedRuns") -> dict:
    """Figures of texts: means over the texts, and the share of texts with a loop."""
    return {
        "repeated": float(np.mean([repeated_share(text) for text in texts])),
        "loops": float(np.mean([longest_loop(text) > LOOP for text in texts])),
        "copied": float(np.mean([copies.share(text) for text in texts])),
    }


def recall_row(row: dict) -> list[str]:
    """A row of the first table."""
    ratio = row["cpu_ratio"]
    return [
        row["text"], f"{row['repeated']:.3f}", f"{row['loops']:.1%}", f"{row['copied']:.2%}",
        f"{ratio:.2f} x" if ratio else "",
    ]  # fmt: skip


REPEAT_HEADER = ["strategy", "`dry`", f"distinct groups of {GROUP} words", "lyrics with a loop"]


def measure_repeats(model: CharacterModel, lyrics: int) -> list[dict]:
    """Repetition of greedy and beam-searched lyrics with and without DRY."""
    artists = model.artists[:: max(1, len(model.artists) // ARTISTS)][:ARTISTS]
    cases = list(product((*BEGINNINGS, *MORE_BEGINNINGS), artists))
    cases = cases[:: max(1, len(cases) // lyrics)][:lyrics]
    rows = []
    for strategy, dry in product(("greedy", "beam"), (0.0, DRY)):
        settings = GenerationSettings(strategy=strategy, dry=dry, max_length=LENGTH)
        write = search_beams if strategy == "beam" else generate
        texts = write(model, [(prefix, replace(settings, artist=artist)) for prefix, artist in cases])
        rows.append(
            {
                "strategy": strategy,
                "dry": dry,
                "distinct": float(np.mean([distinct_groups(text) for text in texts])),
                "loops": float(np.mean([longest_loop(text) > LOOP for text in texts])),
            }
        )
    return rows


def repeat_row(row: dict) -> list[str]:
    """A row of the second table."""
    return [row["strategy"], f"{row['dry']:g}", f"{row['distinct']:.2f}", f"{row['loops']:.1%}"]


INVENTED_HEADER = ["temperature", "settings", "words that no training song has"]


def measure_invented(model: CharacterModel, words: set[str], lyrics: int) -> list[dict]:
    """Invented words of sampled lyrics, by temperature."""
    rows = []
    for temperature, page in product((TEMPERATURE, 0.9), (False, True)):
        chorus, dry = PAGE if page else ("never", 0.0)
        settings = GenerationSettings(temperature=temperature, chorus=chorus, dry=dry, max_length=LENGTH)
        texts = generate(model, sampled(settings, lyrics))
        found = [word for text in texts for word in whole_words(text)]
        share = sum(word not in words for word in found) / max(1, len(found))
        rows.append({"temperature": temperature, "page_settings": page, "words": len(found), "invented": share})
    return rows


def invented_row(row: dict) -> list[str]:
    """A row of the third table."""
    name = f"`dry` {DRY:g}, `chorus` {CHORUS}" if row["page_settings"] else "the library's"
    return [f"{row['temperature']:g}", name, f"{row['invented']:.2%} of {row['words']:,}"]


def penalty_seconds() -> float:
    """Seconds of the penalties for one character after a long text."""
    text = make_text(5_000)
    return median_seconds(lambda: [repeat_penalties(text[:stop], DRY) for stop in range(4_900, 5_000)], 5) / 100


def generate(model: CharacterModel, asked: Sequence[tuple[str, GenerationSettings]]) -> list[str]:
    """The lyrics of prefixes with settings, greedy or sampled, in batches."""
    requests = [GenerationRequest(model, prefix, settings) for prefix, settings in asked]
    texts: list[str] = []
    for start in range(0, len(requests), MAX_BATCH_SIZE):
        *_, outputs = stream_together(requests[start : start + MAX_BATCH_SIZE], every=float("inf"))
        texts += [output.text for output in outputs]
    return texts


def search_beams(model: CharacterModel, asked: Sequence[tuple[str, GenerationSettings]]) -> list[str]:
    """The beam-searched lyrics of prefixes with settings; those of one artist are searched side by side."""
    texts: list[str] = []
    by_artist = sorted(asked, key=lambda case: case[1].artist)
    for artist, cases in groupby(by_artist, key=lambda case: case[1].artist):
        requests = [GenerationRequest(model, prefix, settings) for prefix, settings in cases]
        prompts = [torch.tensor(request.labels) for request in requests]
        start = Hypothesis(
            pad_sequence(prompts, batch_first=True, padding_value=PADDING_LABEL),
            lengths=torch.tensor(list(map(len, prompts))),
        )
        search = BeamDecodingStrategy(FastStepper.of(model, model.artists.index(artist)))
        settings = requests[0].settings
        with torch.inference_mode():
            [best] = search.decode(start, settings.max_length + 1, settings.beam_size, dry=settings.dry)
        texts += [token_ids_to_str(labels[1:]) for labels in best.token_ids]
    return texts


def repeated_share(text: str) -> float:
    """The share of characters that continue a run of `RUN` characters or more as it continued earlier in the text."""
    seen: set[str] = set()
    repeated = 0
    for stop in range(RUN + 1, len(text) + 1):
        run = text[stop - RUN - 1 : stop]
        repeated += run in seen
        seen.add(run)
    return repeated / max(1, len(text))


def longest_loop(text: str) -> int:
    """Characters of the longest stretch with a period of at most `MAX_PERIOD` characters."""
    labels, longest = np.array(string_to_labels(text)), 0
    for period in range(1, min(MAX_PERIOD, len(labels) - 1) + 1):
        breaks = np.flatnonzero(labels[period:] != labels[:-period])
        run = int(np.diff(breaks, prepend=-1, append=len(labels) - period).max()) - 1
        longest = max(longest, run + period if run else 0)
    return longest


def distinct_groups(text: str) -> float:
    """Distinct groups of `GROUP` consecutive words, as a share of all."""
    words = text.split()
    groups = list(zip(*(words[start:] for start in range(GROUP)), strict=False))
    return len(set(groups)) / max(1, len(groups))


class CopiedRuns:
    """Runs of `COPY` characters of the training songs, as hashes.

    Args:
        songs: all training songs.
    """

    def __init__(self, songs: Corpus):
        self.hashes = np.unique(
            np.concatenate([window_hashes(songs.song(number), COPY) for number in range(len(songs))])
        )

    def share(self, text: str) -> float:
        """The share of a text's characters inside copied runs."""
        windows = window_hashes(np.array(string_to_labels(text), np.uint8), COPY)
        at = np.minimum(np.searchsorted(self.hashes, windows), len(self.hashes) - 1)
        starts = np.flatnonzero(self.hashes[at] == windows)
        inside = np.zeros(len(text) + 1, int)
        np.add.at(inside, starts, 1)
        np.add.at(inside, starts + COPY, -1)
        return float((inside.cumsum()[: len(text)] > 0).mean())


def vocabulary(songs: Corpus) -> set[str]:
    """The words of the songs."""
    return {word.text for number in range(len(songs)) for word in find_words(token_ids_to_str(songs.song(number)))}


def whole_words(text: str) -> list[str]:
    """The words of a lyric but the last, which may be cut off."""
    return [word.text for word in find_words(text)][:-1]


if __name__ == "__main__":
    sys.exit(main())
