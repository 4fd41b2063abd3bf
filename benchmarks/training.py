"""Characters a second of train.py on the LSTM, against a bare float32 loop and the notebook's batches, in the same run.

    python -m benchmarks.training [--data songdata/] [--steps 10] [--warmup-steps 2] [--notebook-seconds 60]

train.py without flags: 64 streams of 128 characters, Muon, bfloat16 where the processor has it, all cores; and once with
AdamW instead of Muon. The bare loop: embedding, nn.LSTM, linear layer, cross entropy, AdamW, clipped gradients, the state
carried along the same streams, float32. The notebook's: whole songs in padded batches of 32, Adam. Songs: those of
`--data`, or synthetic ones.
"""

import argparse
import contextlib
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytorch_lightning as pl
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from benchmarks.measuring import (
    CORES,
    make_parser,
    provenance_note,
    report,
    silence_training,
    synchronize,
    torch_threads,
)
from benchmarks.songs import CHARACTERS, SONGS, write_songs
from benchmarks.tables import table
from lyricgen.models.networks import ImprovedSeqModel
from lyricgen.models.vocabulary import INPUT_SIZE, NUM_CLASSES, PADDING_LABEL
from lyricgen.songs.corpus import Corpus, encode_corpus
from lyricgen.songs.download import TRAIN_FILE
from lyricgen.songs.notebook import LyricsGenerationDataModule
from lyricgen.songs.reading import ARTISTS, read_songs
from lyricgen.songs.streams import SongStreams
from lyricgen.training.config import TrainConfig
from lyricgen.training.learning_curve import LearningCurve
from lyricgen.training.networks import make_loader, make_streams, make_task, make_trainer

HEADER = ["loop", "precision", "characters a second", "train.py against it"]
NAME = "lstm"
BLOCKS = 5  # blocks of steps; the median of their speeds counts
NOTEBOOK_STEPS, NOTEBOOK_BATCH, NOTEBOOK_RATE = 2, 32, 1e-3
SMALL = 8  # units of a network whose steps are short enough to show the cost of bar, curve, checkpoints and logs
SMALL_STEPS = 40


class Stopwatch(pl.Callback):
    """Records the time and the characters of each step in `steps`; a step includes what precedes it."""

    def __init__(self):
        self.steps: list[tuple[float, int]] = []
        self._before = time.perf_counter()

    def on_train_batch_end(self, trainer, task, outputs, batch, batch_index) -> None:
        synchronize()
        now = time.perf_counter()
        self.steps.append((now - self._before, int(batch.sequence_length.sum())))
        self._before = now


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    options = build_parser().parse_args(arguments)
    silence_training()
    with (
        torch_threads(options.threads),
        tempfile.TemporaryDirectory() as folder,
        contextlib.redirect_stdout(sys.stderr),  # of the progress bar
    ):
        rows = measure(Path(folder), options)
    ours = rows[0]["characters_a_second"]
    for row in rows:
        row["ratio_of_train_py"] = ours / row["characters_a_second"]
    songs = "the songs of --data" if options.data else f"{options.songs} songs of synthetic words"
    how = (
        f"{songs}, {options.steps} steps after {options.warmup_steps} warm-up steps, medians of {BLOCKS} blocks",
        f"{rows[3]['steps']} steps of the notebook's loop",
    )
    shares = (
        "\n\nThe progress bar, the learning curve, checkpoints and logs take "
        f"{rows[0]['share_of_bar_and_logs_by_small_network']:.2%} of train.py's time by the "
        f"{1e3 * rows[0]['bar_and_logs_seconds_a_step']:.2f} milliseconds that they add to a step of a network of {SMALL} units; "
        f"the same steps of this one with and without them differ by {rows[0]['share_of_bar_and_logs']:.1%}."
    )
    note = provenance_note("training", *how, threads=options.threads)
    report(options, "training", table(HEADER, list(map(table_row, rows))) + shares + note, rows, options.threads)
    return 0


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = make_parser(__doc__)
    parser.add_argument("--data", metavar="FOLDER", help="songdata (default: songs of synthetic words)")
    parser.add_argument("--songs", type=int, default=SONGS, help="synthetic songs (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=10, help="timed steps (default: %(default)s)")
    parser.add_argument("--warmup-steps", type=int, default=2, help="steps before them (default: %(default)s)")
    parser.add_argument("--notebook-seconds", type=float, default=60.0, help=f"seconds after which the notebook's loop stops; {NOTEBOOK_STEPS} steps at most (default: %(default)s)")  # fmt: skip
    parser.add_argument("--hidden-size", type=int, default=512, help="units a layer (default: %(default)s)")
    parser.add_argument("--batch-size", type=int, default=64, help="streams a step (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=CORES, help="default: one a core")
    return parser


def measure(folder: Path, options: argparse.Namespace) -> list[dict]:
    """The figures of the three loops: train.py, the bare one, the notebook's."""
    data = Path(options.data) if options.data else write_songs(folder, options.songs, CHARACTERS)
    corpus = encode_corpus(read_songs(data / TRAIN_FILE), folder / "corpus", ARTISTS)
    steps_in_all = options.warmup_steps + options.steps
    sizes = {"hidden_size": options.hidden_size, "batch_size": options.batch_size}
    config = TrainConfig(out=folder, max_steps=steps_in_all, epochs=1000, **sizes)
    timed = slice(options.warmup_steps, None)
    added = small_network_seconds(corpus, config)  # first, since the first training in a process loads much
    steps, precision = run_train_py(corpus, config)
    quiet, _ = run_train_py(corpus, config, quiet=True)
    adamw, _ = run_train_py(corpus, replace(config, optimizer="adamw"))
    bare = list(bare_steps(corpus, config))
    notebook = list(notebook_steps(data / TRAIN_FILE, options))
    spent, spent_quietly = (sum(taken for taken, _ in one[timed]) for one in (steps, quiet))
    ours = {
        **figures("train.py", precision, steps[timed]),
        "share_of_bar_and_logs": 1 - spent_quietly / spent,
        "share_of_bar_and_logs_by_small_network": added / (spent / options.steps),
        "bar_and_logs_seconds_a_step": added,
    }
    return [
        ours,
        figures("train.py --optimizer adamw", precision, adamw[timed]),
        figures("a bare float32 `nn.LSTM` loop, the same streams", "32-true", bare[timed]),
        figures("the notebook's whole songs", "32-true", notebook),
    ]


def figures(loop: str, precision: str, steps: list[tuple[float, int]]) -> dict:
    """Characters a second: the median of the blocks of some steps."""
    size = max(1, len(steps) // BLOCKS)
    blocks = [steps[at : at + size] for at in range(0, len(steps) - size + 1, size)]
    speeds = [sum(count for _, count in block) / sum(taken for taken, _ in block) for block in blocks]
    return {
        "loop": loop,
        "precision": precision,
        "steps": len(steps),
        "step_seconds": statistics.median(taken for taken, _ in steps),
        "characters_a_second": statistics.median(speeds),
    }


def table_row(row: dict) -> list[str]:
    """A row of the table."""
    return [
        row["loop"],
        row["precision"],
        f"{row['characters_a_second']:,.0f}",
        f"{row['ratio_of_train_py']:.2f} x",
    ]


def run_train_py(corpus: Corpus, config: TrainConfig, quiet: bool = False) -> tuple[list[tuple[float, int]], str]:
    """The steps of train.py's loop, and its precision; `quiet`: without bar, learning curve, checkpoints and logs."""
    _, task = make_task(NAME, corpus.artists, config)
    trainer = make_trainer(
        config.out / "checkpoints" / NAME,
        [LearningCurve()],
        config.recipe(NAME).epochs,
        replace(config, progress=not quiet),
    )
    watch = Stopwatch()
    if quiet:
        trainer.callbacks.clear()
        task.log = lambda *arguments, **more: None
    trainer.callbacks.append(watch)
    trainer.fit(task, make_loader(make_streams(corpus, config)))
    return watch.steps, str(trainer.precision)


def small_network_seconds(corpus: Corpus, config: TrainConfig) -> float:
    """The seconds a step that bar, curve, checkpoints and logs add, measured on a small network."""
    small = replace(config, hidden_size=SMALL, max_steps=SMALL_STEPS)
    means = []
    run_train_py(corpus, replace(small, max_steps=1))
    for quiet in (False, True):
        steps, _ = run_train_py(corpus, small, quiet)
        times = sorted(taken for taken, _ in steps[SMALL_STEPS // 4 :])
        means.append(statistics.mean(times[: -max(1, len(times) // 10)]))  # without outliers
    return max(0.0, means[0] - means[1])


class BareNetwork(nn.Module):
    """Plain torch: an embedding, nn.LSTM and a linear layer."""

    def __init__(self, hidden_size: int, layers: int):
        super().__init__()
        self.embedding = nn.Embedding(INPUT_SIZE, hidden_size)
        self.lstm = nn.LSTM(hidden_size, hidden_size, layers, batch_first=True)
        self.out = nn.Linear(hidden_size, NUM_CLASSES)

    def forward(self, labels: torch.Tensor, hidden=None):
        """Logits (B, T, C) and the hidden state after labels (B, T)."""
        outputs, hidden = self.lstm(self.embedding(labels), hidden)
        return self.out(outputs), hidden


def bare_steps(corpus: Corpus, config: TrainConfig, device: str = "cpu") -> Iterator[tuple[float, int]]:
    """The time and the characters of each step of the bare loop."""
    torch.manual_seed(config.seed)
    network, hidden = BareNetwork(config.hidden_size, config.layers).to(device), None
    optimizer = torch.optim.AdamW(network.parameters(), lr=NOTEBOOK_RATE)
    batches, before = endless(make_streams(corpus, config)), time.perf_counter()
    for _ in range(config.max_steps):
        batch = next(batches)
        inputs, targets, starts = (
            part.to(device) for part in (batch.input_sequence, batch.output_sequence, batch.starts)
        )
        if hidden is not None:
            hidden = tuple(part.detach() * ~starts[None, :, None] for part in hidden)
        logits, hidden = network(inputs, hidden)
        loss = cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=PADDING_LABEL)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), config.gradient_clip)
        optimizer.step()
        synchronize()
        now = time.perf_counter()
        yield now - before, int(batch.sequence_length.sum())
        before = now


def endless(streams: SongStreams) -> Iterator:
    """The batches of all epochs."""
    while True:
        yield from streams


def notebook_steps(file: Path, options: argparse.Namespace) -> Iterator[tuple[float, int]]:
    """The time and the characters of each step on whole songs, until the time is up."""
    torch.manual_seed(777)
    model = ImprovedSeqModel(hidden_size=options.hidden_size)
    optimizer = torch.optim.Adam(model.parameters(), lr=NOTEBOOK_RATE)
    data = LyricsGenerationDataModule({"train": file}, ARTISTS, batch_size=NOTEBOOK_BATCH)
    began = before = time.perf_counter()
    for _, batch in zip(range(NOTEBOOK_STEPS), data.train_dataloader(), strict=False):
        logits, _ = model(batch.input_sequence, batch.sequence_length)
        loss = cross_entropy(logits.flatten(0, 1), batch.output_sequence.flatten(), ignore_index=PADDING_LABEL)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        now = time.perf_counter()
        yield now - before, int(batch.sequence_length.sum())
        before = now
        if now - began > options.notebook_seconds:
            return


if __name__ == "__main__":
    sys.exit(main())
