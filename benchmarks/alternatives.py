"""One character through the bundled LSTM: lyricgen's stepper against other implementations of the same step.

    python -m benchmarks.alternatives [--repeats 5] [--json FILE] [--write-docs]

Time a step at batch 1, 16 and 64 on one thread, as ratios to `nn.LSTM` called with its state, and the distance of each
from the float32 module: the mean divergence (Kullback-Leibler, in bits) of its next-character distributions along
300 characters. torch.compile needs a C++ compiler; ONNX Runtime and OpenVINO need the packages `onnx`, `onnxruntime`
and `openvino`, and are left out without them.
"""

import contextlib
import io
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn

from benchmarks.measuring import make_parser, median_seconds, provenance_note, report
from benchmarks.tables import table
from lyricgen.generation.api import generate_lyrics
from lyricgen.generation.fast_stepper import FastStepper
from lyricgen.models.checkpoints import load_model
from lyricgen.models.networks import ImprovedSeqModel
from lyricgen.models.text import read_labels

BATCHES = (1, 16, 64)
NAMES = ["labels", "h1", "c1", "h2", "c2"]
Step = Callable[..., tuple[torch.Tensor, ...]]
"""Labels (B,) and both layers' hidden and cell states (B, H) -> logits (B, C) and the new states."""


class PlainStep(nn.Module):
    """The stepper's arithmetic as an ordinary module, for compilers and exporters."""

    def __init__(self, model: ImprovedSeqModel):
        super().__init__()
        stepper, size = FastStepper(model, torch.float32), model.hidden_size
        self.table = nn.Parameter(stepper.table)
        self.first, self.second = nn.Linear(size, 4 * size, bias=False), nn.Linear(2 * size, 4 * size)
        self.out = nn.Linear(size, model.num_classes)
        with torch.no_grad():
            self.first.weight.copy_(stepper.layers[0].weight.T)
            self.second.weight.copy_(stepper.layers[1].weight.T)
            self.second.bias.copy_(stepper.layers[1].bias)
        self.out.load_state_dict(model.ffnn.state_dict())

    def forward(self, labels, h1, c1, h2, c2):
        h1, c1 = self.cell(self.table[labels] + self.first(h1), c1)
        h2, c2 = self.cell(self.second(torch.cat([h1, h2], dim=1)), c2)
        return self.out(h2), h1, c1, h2, c2

    @staticmethod
    def cell(gates, cell):
        input_, forget, candidate, output = gates.chunk(4, dim=1)
        cell = forget.sigmoid() * cell + input_.sigmoid() * candidate.tanh()
        return output.sigmoid() * cell.tanh(), cell


def alternatives(model: ImprovedSeqModel, folder: Path) -> Iterator[tuple[str, Step]]:
    """The implementations by name; those whose packages are missing are left out."""
    yield "`nn.LSTM` with its state, float32", with_module(model)
    yield "lyricgen, float32", with_stepper(model, torch.float32)
    yield "lyricgen, bfloat16", with_stepper(model, torch.bfloat16)
    plain = PlainStep(model).eval()
    yield "`torch.compile`, float32", torch.compile(plain)
    quantised = torch.ao.quantization.quantize_dynamic(PlainStep(model).eval(), {nn.Linear}, dtype=torch.qint8)
    yield "torch, dynamic int8", quantised
    with contextlib.suppress(ImportError):
        yield from with_onnx(plain, folder)


def with_module(model: ImprovedSeqModel) -> Step:
    """The module, one call a character."""

    def step(labels, h1, c1, h2, c2):
        logits, (h, c) = model(labels[:, None], None, (torch.stack([h1, h2]), torch.stack([c1, c2])))
        return logits[:, -1], h[0], c[0], h[1], c[1]

    return step


def with_stepper(model: ImprovedSeqModel, dtype: torch.dtype) -> Step:
    """The app's stepper."""
    stepper = FastStepper(model, dtype)

    def step(labels, h1, c1, h2, c2):
        hidden = torch.stack([h1, h2]).to(dtype), torch.stack([c1, c2])
        logits, (h, c) = stepper.step(stepper.table[labels], hidden)
        return logits, h[0].float(), c[0], h[1].float(), c[1]

    return step


def with_onnx(plain: PlainStep, folder: Path) -> Iterator[tuple[str, Step]]:
    """ONNX Runtime in float32 and dynamic int8, and OpenVINO in bfloat16.

    Raises:
        ImportError: a package is not installed.
    """
    import onnx  # noqa: F401
    import onnxruntime
    from onnxruntime.quantization import QuantType, quantize_dynamic

    example = (torch.zeros(1, dtype=torch.long), *(torch.zeros(1, plain.first.in_features) for _ in range(4)))
    exported, quantized = folder / "step.onnx", folder / "step-int8.onnx"
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        axes = {name: {0: "batch"} for name in NAMES}
        torch.onnx.export(
            plain, example, exported, input_names=NAMES, dynamic_axes=axes, dynamo=False, opset_version=17
        )
        quantize_dynamic(exported, quantized, weight_type=QuantType.QInt8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    for name, file in (("ONNX Runtime, float32", exported), ("ONNX Runtime, dynamic int8", quantized)):
        session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        yield name, as_step(lambda feed, session=session: session.run(None, feed))
    import openvino

    settings = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "bf16"}
    compiled = openvino.Core().compile_model(str(exported), "CPU", settings)
    request = compiled.create_infer_request()
    yield "OpenVINO, bfloat16", as_step(lambda feed: list(request.infer(feed).values()))


def as_step(run: Callable[[dict[str, np.ndarray]], list[np.ndarray]]) -> Step:
    """A runtime of named arrays as a step."""

    def step(*values):
        outputs = run({name: value.numpy() for name, value in zip(NAMES, values, strict=True)})
        return tuple(torch.from_numpy(np.array(output)) for output in outputs)

    return step


def initial_state(batch: int, size: int) -> list[torch.Tensor]:
    """Hidden and cell states before a song."""
    return [torch.zeros(batch, size) for _ in range(4)]


def step_seconds(step: Step, batch: int, size: int, repeats: int, steps: int = 60) -> float:
    """The median time of a step, after a warm-up round."""
    labels, states = torch.zeros(batch, dtype=torch.long), initial_state(batch, size)

    def run() -> None:
        for _ in range(steps):
            step(labels, *states)

    return median_seconds(run, repeats) / steps


def log_probabilities(step: Step, labels: list[int], size: int) -> torch.Tensor:
    """Log-probabilities (T, C) of each next character along a text."""
    states, logits = initial_state(1, size), []
    for label in labels:
        next_logits, *states = step(torch.tensor([label]), *states)
        logits.append(next_logits)
    return torch.cat(logits).log_softmax(dim=-1)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    options = make_parser(__doc__, block="alternatives").parse_args(arguments)
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore")
    model = load_model("lstm")
    text = read_labels(generate_lyrics("the river keeps its secrets ", model=model, max_length=300, seed=1))
    figures, exact = [], None
    with torch.inference_mode(), tempfile.TemporaryDirectory() as folder:
        for name, step in alternatives(model, Path(folder)):
            log_probs = log_probabilities(step, text, model.hidden_size)
            exact = log_probs if exact is None else exact
            bits = float((exact.exp() * (exact - log_probs)).sum(dim=-1).mean()) / np.log(2)
            seconds = {batch: step_seconds(step, batch, model.hidden_size, options.repeats) for batch in BATCHES}
            figures.append(
                {"name": name, "divergence_bits": bits, **{f"seconds_batch_{b}": s for b, s in seconds.items()}}
            )
    peer = figures[0]
    rows = [
        [row["name"], *(f"{peer[f'seconds_batch_{b}'] / row[f'seconds_batch_{b}']:.1f} x" for b in BATCHES), f"{abs(row['divergence_bits']):.1e}"]
        for row in figures
    ]  # fmt: skip
    header = ["one character by", *(f"batch {batch}" for batch in BATCHES), "divergence in bits"]
    note = provenance_note(
        "alternatives", "speed against `nn.LSTM` at the same batch", f"medians of {options.repeats}", threads=1
    )
    report(options, "alternatives", table(header, rows) + note, figures, threads=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
