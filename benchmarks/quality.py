"""Bits per character of the bundled models on the validation splits, and on the clean one beside simpler models and PPMd.

    python -m benchmarks.quality --data songdata/ [--read FOLDER] [--only figures|peers|networks] [--write-docs]

Whole songs, the state carried from each song's start, songs independent, characters outside the vocabulary left out,
float32.

figures: both splits, computed from the models' files; fails if a figure differs from metrics.json by more than 0.001.
peers: the clean split, and a sample of it (every eighth song of 300 to 5,000 characters, in the file's order): uniform,
n-grams, PPMd primed with the training songs (1 GB of memory, so that its model never restarts), and each network alone and
with memory of the song so far. All are fitted on the training songs as they are. Needs the package `pyppmd`, without which
PPMd is left out. The networks take some minutes on one core: `--read FOLDER` keeps their probabilities for the next run.
networks: the rows of the networks in the table of peers, whose other rows stay as docs/benchmarks.md has them.
"""

import argparse
import hashlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.baselines import NgramModel, ppmd_bits, scored_characters, uniform_bits
from benchmarks.measuring import torch_threads
from benchmarks.tables import read_rows, replace_block, table
from lyricgen.hub.model_card import notebook_figures
from lyricgen.models.checkpoints import ASSETS, Checkpoint, bundled_models, load_checkpoint, weights_to_bytes
from lyricgen.songs.corpus import Corpus
from lyricgen.training.config import TrainConfig
from lyricgen.training.memory import collect_votes, interpolated_bits, target_log_probs
from lyricgen.training.networks import measure
from lyricgen.training.provenance import processor_name
from lyricgen.training.songs import TrainingSongs, prepare_songs

TOLERANCE = 0.001
HEADER = ["model", "parameters", "bits per character", "on the clean split", "trained for", "on"]
PEERS_HEADER = ["model", "clean split", "with memory", "sample", "sample, with memory"]
NGRAM_ORDER = 5
PPMD_ORDERS = (6, 12)
SAMPLED, SAMPLE_LENGTHS = 8, (300, 5_000)  # every eighth song, of these lengths in characters


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", metavar="FOLDER", help="songdata; default: download it")
    parser.add_argument("--read", type=Path, metavar="FOLDER", help="cache of the networks' probabilities")
    parser.add_argument(
        "--only", choices=("figures", "peers", "networks"), help="one of the two tables, or its last rows"
    )
    parser.add_argument("--write-docs", action="store_true", help="write the tables into docs/benchmarks.md")
    options = parser.parse_args(arguments)
    agree = True
    with tempfile.TemporaryDirectory() as folder, torch_threads(1):
        songs = prepare_songs(TrainConfig(data=options.data, out=Path(folder)))
        checkpoints = {name: load_checkpoint(ASSETS / name) for name in bundled_models()}
        if options.only in (None, "figures"):
            printed, agree = figures_table(checkpoints, songs)
            show(printed, "figures", options.write_docs)
        if options.only != "figures":
            corpus = songs.val.subset(songs.clean)
            measured = [cells(row) for row in networks(checkpoints, corpus, options.read)]
            if options.only == "networks":
                others = read_rows("quality")[: -len(measured)]
            else:
                others = [cells(row) for row in peers(checkpoints, corpus, songs.uncleaned)]
            show(peers_table([*others, *measured], corpus), "quality", options.write_docs)
    if not agree:
        print("a figure differs from the model's metrics.json", file=sys.stderr)
    return 0 if agree else 1


def show(printed: str, block: str, write_docs: bool) -> None:
    """Prints a table, and writes it into docs/benchmarks.md."""
    print(f"{printed}\n", flush=True)
    if write_docs:
        replace_block(block, printed)


def figures_table(checkpoints: dict[str, Checkpoint], songs: TrainingSongs) -> tuple[str, bool]:
    """The table of both splits, and whether it agrees with the models' metrics."""
    rows, agree = [], True
    for name, checkpoint in checkpoints.items():
        measured, recorded = measure(checkpoint.model, songs), checkpoint.metrics
        agree &= all(abs(measured[split] - recorded[split]) <= TOLERANCE for split in measured if split in recorded)
        rows.append(table_row(name, checkpoint, measured))
    note = (
        f"\n\nOn {len(songs.val)} validation songs, and on the {int(songs.clean.sum())} of them of which under 10 % of "
        "the 60-character windows occur in training; written by `python -m benchmarks.quality`."
    )
    return table(HEADER, rows) + note, agree


def table_row(name: str, checkpoint: Checkpoint, measured: dict[str, float]) -> list[str]:
    """A row of the table of both splits."""
    recorded = checkpoint.metrics
    return [
        f"`{name}`",
        f"{sum(parameter.numel() for parameter in checkpoint.model.parameters()):,}",
        f"{measured['val_bpc']:.3f}",
        f"{measured['clean_bpc']:.3f}",
        f"{recorded['steps']:,} steps, {recorded['seconds'] / 60:.0f} minutes",
        f"{recorded['hardware']} ({recorded['precision']})",
    ]


def peers(checkpoints: dict[str, Checkpoint], corpus: Corpus, train: Corpus) -> Iterator[dict[str, Any]]:
    """Yields the figures of each model that is none of the networks: `clean` and, but for the notebook's recipe, `sample`."""
    for name, bits in baselines(corpus, train):
        yield {"model": name, **split_figures(bits, corpus)}
    for name, checkpoint in checkpoints.items():
        if recipe := notebook_figures(checkpoint.metrics, name):
            yield {"model": f"`{name}`, the notebook's recipe", "clean": recipe["clean_bpc"]}


def networks(checkpoints: dict[str, Checkpoint], corpus: Corpus, cache: Path | None) -> Iterator[dict[str, Any]]:
    """Yields the figures of each network: `clean`, `sample`, `clean_memory` and `sample_memory`."""
    for name, checkpoint in checkpoints.items():
        alone, with_memory = network_bits(checkpoint, corpus, cache)
        memory = {f"{split}_memory": bpc for split, bpc in split_figures(with_memory, corpus).items()}
        yield {"model": f"`{name}`", **split_figures(alone, corpus), **memory}


def baselines(corpus: Corpus, train: Corpus) -> Iterator[tuple[str, np.ndarray]]:
    """Yields the peers that are no networks: name, and the bits of each song (songs,)."""
    yield "uniform", uniform_bits(corpus)
    for order, name in ((1, "frequencies of the characters"), (NGRAM_ORDER, f"{NGRAM_ORDER}-grams, interpolated")):
        yield name, NgramModel(train, order).bits(corpus)
    try:
        for order in PPMD_ORDERS:
            yield f"PPMd of order {order}, primed", ppmd_bits(train, corpus, order)
    except ImportError:
        print("PPMd is left out: it needs the package pyppmd (pip install pyppmd)", file=sys.stderr)


def sample_of(corpus: Corpus) -> np.ndarray:
    """The numbers of the sampled songs."""
    lengths = corpus.stops - corpus.starts - 1
    return np.flatnonzero((lengths >= SAMPLE_LENGTHS[0]) & (lengths <= SAMPLE_LENGTHS[1]))[::SAMPLED]


def split_figures(bits: np.ndarray, corpus: Corpus) -> dict[str, float]:
    """Bits per character of all songs, and of the sample."""
    characters, sample = scored_characters(corpus), sample_of(corpus)
    figures = {"clean": bits.sum() / characters.sum()}
    return figures | ({"sample": bits[sample].sum() / characters[sample].sum()} if len(sample) else {})


def network_bits(checkpoint: Checkpoint, corpus: Corpus, cache: Path | None) -> tuple[np.ndarray, np.ndarray]:
    """The bits of each song under a network, alone and with its memory; both (songs,)."""
    ends = np.cumsum(scored_characters(corpus))
    log_probs = read_or_make(cache, checkpoint, corpus)  # (characters,)
    alone = -log_probs.astype(np.float64) / np.log(2)
    constants = checkpoint.model.memory
    with_memory = np.full(len(alone), np.nan)
    if constants:
        votes = collect_votes(corpus, np.split(np.exp(log_probs), ends[:-1]), constants.exponent)
        values = torch.tensor([constants.slope, constants.bias, constants.agreement], dtype=torch.float64)
        with_memory = interpolated_bits(votes, values).numpy()
    starts = np.concatenate([[0], ends[:-1]])
    return np.add.reduceat(alone, starts), np.add.reduceat(with_memory, starts)


def read_or_make(cache: Path | None, checkpoint: Checkpoint, corpus: Corpus) -> np.ndarray:
    """The natural logarithms of the probabilities of all scored characters, from the cache folder if they are there."""
    key = hashlib.sha256(weights_to_bytes(checkpoint.model) + corpus.sha256.encode()).hexdigest()[:16]
    file = cache and cache / f"{key}.npy"
    if file and file.is_file():
        return np.load(file, allow_pickle=False)
    log_probs = np.concatenate(list(target_log_probs(checkpoint.model, corpus)))
    if file:
        file.parent.mkdir(parents=True, exist_ok=True)
        np.save(file, log_probs)
    return log_probs


def cells(row: dict[str, Any]) -> list[str]:
    """A row of the table of peers."""
    columns = ("clean", "clean_memory", "sample", "sample_memory")
    return [row["model"], *(format_bits(row.get(column)) for column in columns)]


def peers_table(rows: list[list[str]], corpus: Corpus) -> str:
    """The table of the clean split and its sample."""
    note = (
        f"\n\nBits per character, {len(corpus)} songs of {corpus.characters:,} characters, and {len(sample_of(corpus))} of them; on "
        f"{processor_name(1)}, torch {torch.__version__}; written by `python -m benchmarks.quality`."
    )
    return table(PEERS_HEADER, rows) + note


def format_bits(bpc: float | None) -> str:
    """Bits per character for a table; '' where it was not measured."""
    return "" if bpc is None or np.isnan(bpc) else f"{bpc:.3f}"


if __name__ == "__main__":
    sys.exit(main())
