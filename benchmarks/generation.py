"""Characters a second of generation, greedy: lyricgen's stepper against two peers and the machine, in the same run.

    python -m benchmarks.generation [--length 300] [--long 3000] [--batches 1 16 64] [--repeats 5] [--write-docs]

The peers: the module called once a character with its state carried (`nn.LSTM` or `nn.RNN`), and the course
notebook's loop, which sends the whole sequence through the network at every step. The bound: how often the memory that
holds the weights of a step could be read in a second. Batches above 1 run with one thread and with one a core, the
stepper and the module each as it is faster.
"""

import statistics
import sys
import time
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
import torch

from benchmarks.measuring import CORES, deliver, make_parser, median_seconds, seconds, written_by
from benchmarks.tables import table
from lyricgen.generation.decoding import GreedyDecodingStrategy, Hypothesis, ModelStepper
from lyricgen.generation.fast_stepper import ArtistStepper, FastStepper
from lyricgen.models.checkpoints import bundled_models, load_model
from lyricgen.models.networks import CharacterModel
from lyricgen.models.vocabulary import START_LABEL

HEADER = [
    "model", "what", "characters a second", "against the module with its state", "against the notebook's loop",
    "against batch 1", "of the read bandwidth", "threads",
]  # fmt: skip
LENGTHS = 12  # at which a step of the notebook's loop is timed
STRETCHES = 5  # of a long lyric of the module's, of which the median counts
READS = 20  # of an array, of which the best is its bandwidth


@dataclass(frozen=True)
class Case:
    """What is written: rows side by side, and characters of each."""

    batch: int
    length: int
    long: bool = False
    dtype: torch.dtype | None = None
    """Of the stepper; None: what the app would take here."""

    def stepper(self, model: CharacterModel) -> ArtistStepper:
        """The stepper to write with; the app's is made once a model."""
        if self.dtype is None:
            return FastStepper.of(model)
        return ArtistStepper(FastStepper(model, self.dtype), model, None)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = make_parser(__doc__, block="speed")
    parser.add_argument("--length", type=int, default=300, help="characters (default: %(default)s)")
    parser.add_argument("--long", type=int, default=3_000, help="characters of a long one, batch 1 (default: %(default)s)")  # fmt: skip
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 16, 64], help="rows (default: %(default)s)")
    parser.add_argument("--models", nargs="+", choices=bundled_models(), default=bundled_models())
    options = parser.parse_args(arguments)
    cases = [*(Case(batch, options.length) for batch in options.batches), Case(1, options.long, long=True)]
    cases.append(Case(1, options.length, dtype=torch.float32))
    before = torch.get_num_threads()
    try:
        with torch.inference_mode():
            rows = [row for name in options.models for row in measure_model(name, cases, options.repeats)]
    finally:
        torch.set_num_threads(before)
    how = (
        f"greedy, medians of {options.repeats} runs",
        f"of {STRETCHES} stretches for the module at {options.long:,} characters",
        f"the notebook's loop from its steps at {LENGTHS} lengths from the first to the last, summed over all between "
        f"(each the median of {options.repeats} at batch 1, timed once above)",
        "the bandwidth that of the best read of as many bytes as a step's weights have",
    )
    deliver(options, "generation", table(HEADER, list(map(shown, rows))) + written_by("generation", *how), rows)
    return 0


def measure_model(name: str, cases: list[Case], repeats: int) -> list[dict]:
    """The figures of one model, a row a case."""
    model, rows = load_model(name), []
    for case in cases:
        row = {"model": name, **measure_case(model, case, repeats)}
        alone = next((one for one in rows if one["batch"] == 1), row)
        rows.append({**row, "ratio_to_batch_1": row["characters_a_second"] / alone["characters_a_second"]})
    return rows


def measure_case(model: CharacterModel, case: Case, repeats: int) -> dict:
    """The figures of one case."""
    stepper, module, fast = {}, {}, case.stepper(model)
    for threads in {1, CORES} if case.batch > 1 else {1}:
        torch.set_num_threads(threads)
        stepper[threads] = median_seconds(partial(write_with_stepper, fast, case), repeats)
        module[threads] = (
            module_seconds(model, case)
            if case.long
            else median_seconds(partial(write_with_module, model, case), repeats)
        )
    notebook = notebook_seconds(model, case, repeats if case.batch == 1 else 1)  # with the threads tried last
    threads = min(stepper, key=stepper.get)
    size = step_bytes(model, fast.stepper.dtype)
    bandwidth = read_bandwidth(size, threads)
    return {
        "batch": case.batch,
        "length_characters": case.length,
        "dtype": str(fast.stepper.dtype).removeprefix("torch."),
        "threads": threads,
        "seconds_by_threads": {str(count): taken for count, taken in stepper.items()},
        "characters_a_second": case.batch * case.length / stepper[threads],
        "module_characters_a_second": case.batch * case.length / min(module.values()),
        "notebook_characters_a_second": case.batch * case.length / notebook,
        "ratio_to_module": min(module.values()) / stepper[threads],
        "ratio_to_notebook": notebook / stepper[threads],
        "weights_bytes_a_step": size,
        "read_bandwidth_bytes_a_second": bandwidth,
        "share_of_read_bandwidth": size * case.length / stepper[threads] / bandwidth,
    }


def shown(row: dict) -> list[str]:
    """A row as the table has it."""
    return [
        f"`{row['model']}`",
        f"batch {row['batch']}, {row['length_characters']:,} characters, {row['dtype']}",
        f"{row['characters_a_second']:,.0f}",
        f"{row['ratio_to_module']:.1f} x",
        f"{row['ratio_to_notebook']:,.0f} x",
        f"{row['ratio_to_batch_1']:.1f} x",
        f"{row['share_of_read_bandwidth']:.0%}",
        f"{row['threads']}",
    ]


def write_with_stepper(stepper: ArtistStepper, case: Case) -> None:
    """What the app does."""
    for _ in GreedyDecodingStrategy(stepper).stream(_start(case.batch), case.length + 1):
        pass


def write_with_module(model: CharacterModel, case: Case) -> None:
    """The module once a character, with its state."""
    for _ in GreedyDecodingStrategy(ModelStepper(model)).stream(_start(case.batch), case.length + 1):
        pass


def module_seconds(model: CharacterModel, case: Case) -> float:
    """The time of a long lyric of the module's, from the median of its stretches."""
    stretch = max(1, case.length // STRETCHES)
    times, began = [], time.perf_counter()
    stream = GreedyDecodingStrategy(ModelStepper(model)).stream(_start(case.batch), case.length + 1)
    for steps, _ in enumerate(stream, start=1):
        if steps % stretch == 0:
            times.append(time.perf_counter() - began)
            began = time.perf_counter()
    return statistics.median(times) * case.length / stretch


def notebook_seconds(model: CharacterModel, case: Case, repeats: int) -> float:
    """The time of the notebook's loop: its step at lengths from the first to the last, and between them along lines."""
    lengths = np.unique(np.linspace(1, case.length, LENGTHS).astype(int))
    notebook_step(model, _start(case.batch).token_ids)
    times = []
    for length in lengths.tolist():
        step = partial(notebook_step, model, _start(case.batch).token_ids.expand(-1, length).contiguous())
        times.append(statistics.median(seconds(step) for _ in range(repeats)))
    return float(np.interp(np.arange(1, case.length + 1), lengths, times).sum())


def notebook_step(model: CharacterModel, token_ids: torch.Tensor) -> torch.Tensor:
    """One step of the notebook's loop: the whole sequence goes in, the likeliest character behind it."""
    logits, _ = model(token_ids, torch.full((len(token_ids),), token_ids.shape[1]))
    return torch.cat([token_ids, logits[:, -1:].argmax(dim=-1)], dim=1)


def step_bytes(model: CharacterModel, dtype: torch.dtype) -> int:
    """The bytes of the weights that a step reads: recurrent matrices in the stepper's `dtype`, the output in float32.

    The first layer's input matrix is not among them: it is folded into a table, of which a step reads a row.
    """
    recurrent = sum(value.numel() for name, value in model.rnn.named_parameters() if "weight" in name)
    return dtype.itemsize * (recurrent - model.rnn.weight_ih_l0.numel()) + 4 * model.ffnn.weight.numel()


@lru_cache
def read_bandwidth(size: int, threads: int) -> float:
    """Bytes a second at which this machine reads an array of float32 again and again: the best of sums and dots."""
    torch.set_num_threads(threads)
    array = torch.rand(size // 4)
    reads = max(1, 50_000_000 // size)  # a few milliseconds at least
    best = min(
        seconds(lambda read=read: [read() for _ in range(reads)])
        for _ in range(READS)
        for read in (array.sum, partial(torch.dot, array, array))
    )
    return reads * size / best


def _start(batch: int) -> Hypothesis:
    return Hypothesis(torch.full((batch, 1), START_LABEL))


if __name__ == "__main__":
    sys.exit(main())
