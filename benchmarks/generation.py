"""Characters a second of generation, greedy: lyricgen's stepper against two peers and the machine, in the same run.

    python -m benchmarks.generation [--length 300] [--long 3000] [--batches 1 16 64] [--repeats 5] [--write-docs]

The peers: the module called once a character with its state carried (`nn.LSTM` or `nn.RNN`), and the course
notebook's loop, which sends the whole sequence through the network at every step. The bound: how often per second the weights of a
step could be read from memory. Batches above 1 run with one thread and with one thread a core; the faster counts, for
stepper and module alike.
"""

import statistics
import sys
import time
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
import torch

from benchmarks.measuring import CORES, make_parser, median_seconds, provenance_note, report, seconds, torch_threads
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
NOTEBOOK_LENGTHS = 12  # sequence lengths at which a step of the notebook's loop is timed
STRETCHES = 5  # parts of a long lyric of the module; the median counts
READS = 20  # timed reads of an array; the fastest is its bandwidth


@dataclass(frozen=True)
class Case:
    """What is generated: rows of a batch, and characters of each."""

    batch: int
    length: int
    long: bool = False
    dtype: torch.dtype | None = None
    """Of the stepper; None: the app's choice."""

    def stepper(self, model: CharacterModel) -> ArtistStepper:
        """The stepper of this case; the app's is cached per model."""
        if self.dtype is None:
            return FastStepper.of(model)
        return ArtistStepper(FastStepper(model, self.dtype), model, None)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = make_parser(__doc__, block="speed")
    parser.add_argument("--length", type=int, default=300, help="characters (default: %(default)s)")
    parser.add_argument("--long", type=int, default=3_000, help="characters of the long lyric, batch 1 (default: %(default)s)")  # fmt: skip
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 16, 64], help="rows (default: %(default)s)")
    parser.add_argument("--models", nargs="+", choices=bundled_models(), default=bundled_models())
    options = parser.parse_args(arguments)
    cases = [*(Case(batch, options.length) for batch in options.batches), Case(1, options.long, long=True)]
    cases.append(Case(1, options.length, dtype=torch.float32))
    with torch_threads(1), torch.inference_mode():
        rows = [row for name in options.models for row in measure_model(name, cases, options.repeats)]
    how = (
        f"greedy, medians of {options.repeats} runs",
        f"of {STRETCHES} stretches for the module at {options.long:,} characters",
        f"the notebook's loop interpolated from its steps at {NOTEBOOK_LENGTHS} lengths "
        f"(each the median of {options.repeats} at batch 1, once above)",
        "read bandwidth of the best read of an array as large as the weights of a step",
    )
    report(options, "generation", table(HEADER, list(map(table_row, rows))) + provenance_note("generation", *how), rows)
    return 0


def measure_model(name: str, cases: list[Case], repeats: int) -> list[dict]:
    """The figures of one model, a row a case."""
    model, rows = load_model(name), []
    for case in cases:
        row = {"model": name, **measure_case(model, case, repeats)}
        single = next((other for other in rows if other["batch"] == 1), row)
        rows.append({**row, "ratio_to_batch_1": row["characters_a_second"] / single["characters_a_second"]})
    return rows


def measure_case(model: CharacterModel, case: Case, repeats: int) -> dict:
    """The figures of one case."""
    stepper, module, fast = {}, {}, case.stepper(model)
    for threads in {1, CORES} if case.batch > 1 else {1}:
        torch.set_num_threads(threads)
        stepper[threads] = median_seconds(partial(generate_with_stepper, fast, case), repeats)
        module[threads] = (
            module_seconds(model, case)
            if case.long
            else median_seconds(partial(generate_with_module, model, case), repeats)
        )
    notebook = notebook_seconds(model, case, repeats if case.batch == 1 else 1)  # with the last number of threads
    threads = min(stepper, key=stepper.get)
    size = step_bytes(model, fast.stepper.dtype)
    bandwidth = read_bandwidth(size, threads)
    return {
        "batch": case.batch,
        "length_characters": case.length,
        "dtype": str(fast.stepper.dtype).removeprefix("torch."),
        "threads": threads,
        "seconds_by_threads": {str(count): elapsed for count, elapsed in stepper.items()},
        "characters_a_second": case.batch * case.length / stepper[threads],
        "module_characters_a_second": case.batch * case.length / min(module.values()),
        "notebook_characters_a_second": case.batch * case.length / notebook,
        "ratio_to_module": min(module.values()) / stepper[threads],
        "ratio_to_notebook": notebook / stepper[threads],
        "weights_bytes_a_step": size,
        "read_bandwidth_bytes_a_second": bandwidth,
        "share_of_read_bandwidth": size * case.length / stepper[threads] / bandwidth,
    }


def table_row(row: dict) -> list[str]:
    """A row of the table."""
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


def generate_with_stepper(stepper: ArtistStepper, case: Case) -> None:
    """The app's stepper."""
    for _ in GreedyDecodingStrategy(stepper).stream(_start(case.batch), case.length + 1):
        pass


def generate_with_module(model: CharacterModel, case: Case) -> None:
    """The module, one call a character, with its state."""
    for _ in GreedyDecodingStrategy(ModelStepper(model)).stream(_start(case.batch), case.length + 1):
        pass


def module_seconds(model: CharacterModel, case: Case) -> float:
    """The time of a long lyric by the module, from the median of its stretches."""
    stretch = max(1, case.length // STRETCHES)
    times, start = [], time.perf_counter()
    stream = GreedyDecodingStrategy(ModelStepper(model)).stream(_start(case.batch), case.length + 1)
    for steps, _ in enumerate(stream, start=1):
        if steps % stretch == 0:
            times.append(time.perf_counter() - start)
            start = time.perf_counter()
    return statistics.median(times) * case.length / stretch


def notebook_seconds(model: CharacterModel, case: Case, repeats: int) -> float:
    """The time of the notebook's loop: steps are timed at some lengths and interpolated between them."""
    lengths = np.unique(np.linspace(1, case.length, NOTEBOOK_LENGTHS).astype(int))
    notebook_step(model, _start(case.batch).token_ids)
    times = []
    for length in lengths.tolist():
        step = partial(notebook_step, model, _start(case.batch).token_ids.expand(-1, length).contiguous())
        times.append(statistics.median(seconds(step) for _ in range(repeats)))
    return float(np.interp(np.arange(1, case.length + 1), lengths, times).sum())


def notebook_step(model: CharacterModel, token_ids: torch.Tensor) -> torch.Tensor:
    """One step of the notebook's loop: the whole sequence goes in, and the most likely next character is appended."""
    logits, _ = model(token_ids, torch.full((len(token_ids),), token_ids.shape[1]))
    return torch.cat([token_ids, logits[:, -1:].argmax(dim=-1)], dim=1)


def step_bytes(model: CharacterModel, dtype: torch.dtype) -> int:
    """Bytes of the weights that a step reads: recurrent matrices in the stepper's `dtype`, the output layer in float32.

    Without the first layer's input matrix, which is folded into a table of which a step reads one row.
    """
    recurrent = sum(value.numel() for name, value in model.rnn.named_parameters() if "weight" in name)
    return dtype.itemsize * (recurrent - model.rnn.weight_ih_l0.numel()) + 4 * model.ffnn.weight.numel()


@lru_cache
def read_bandwidth(size: int, threads: int) -> float:
    """Read bandwidth of this machine in bytes a second: the fastest of repeated sums and dot products of an array."""
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
