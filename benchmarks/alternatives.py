"""One character through the bundled LSTM: lyricgen's stepper against other implementations of the same step.

    python -m benchmarks.alternatives [--repeats 5] [--json FILE] [--write-docs]

Time a step at batch 1, 16 and 64 on one thread, as ratios to `nn.LSTM` called with its state, and the distance of each
from the float32 module: the mean divergence (Kullback-Leibler, in bits) of its next-character distributions along
300 characters. torch.compile needs a C++ compiler; three rows need the packages `onnx_ir`, `numba` and `openvino`, and are left out
without them.
"""

import contextlib
import io
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from benchmarks.measuring import make_parser, median_seconds, provenance_note, report
from benchmarks.tables import table
from lyricgen.devices import multiplies_bfloat16
from lyricgen.generation.api import generate_lyrics
from lyricgen.generation.fast_stepper import FastStepper
from lyricgen.generation.quantized_step import STATE_SCALE, STATE_ZERO
from lyricgen.models.checkpoints import load_model
from lyricgen.models.networks import ImprovedSeqModel
from lyricgen.models.text import read_labels

BATCHES = (1, 16, 64)
NAMES = ["labels", "h1", "c1", "h2", "c2"]
INT16_STEPS = 4_095  # steps of a state on each side of 0 in the numba row; its sums of 1,024 products fit in 32 bits
Step = Callable[..., Sequence[torch.Tensor]]
"""Labels (B,) and the state -> logits (B, C) and the new state. Each implementation has the state in its own form: hidden and
cell states of both layers (B, H), or stacked ones (2, B, H) where the attribute `stacked` is true."""


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
    yield "lyricgen, int8", with_stepper(model, torch.int8)
    plain = PlainStep(model).eval()
    yield "`torch.compile`, float32", torch.compile(plain)
    if multiplies_bfloat16(torch.device("cpu")):
        yield "torch, packed bfloat16", with_products(model, PackedBfloat16)
    quantised = torch.ao.quantization.quantize_dynamic(PlainStep(model).eval(), {nn.Linear}, dtype=torch.qint8)
    yield "torch, dynamic int8", quantised
    yield "torch, int8 with a fixed scale", with_products(model, FixedScaleInt8)
    exported = export(plain, folder / "step.onnx")
    yield "ONNX Runtime, float32", with_runtime(exported)
    yield "ONNX Runtime, dynamic int8", with_runtime(quantize(exported, folder / "step-int8.onnx"))
    with contextlib.suppress(ImportError):
        yield (
            "ONNX Runtime, int8 weights (MatMulNBits)",
            with_runtime(weight_only(exported, folder / "step-nbits.onnx")),
        )
    with contextlib.suppress(ImportError):
        yield "numba, int8 weights, int16 states", with_products(model, NumbaInt8)
    with contextlib.suppress(ImportError):
        yield "OpenVINO, bfloat16", with_openvino(exported)


def with_module(model: ImprovedSeqModel) -> Step:
    """The module, one call a character."""

    def step(labels, states, cells):
        logits, hidden = model(labels[:, None], None, (states, cells))
        return logits[:, -1], *hidden

    step.stacked = True
    return step


def with_stepper(model: ImprovedSeqModel, dtype: torch.dtype) -> Step:
    """The app's stepper."""
    stepper = FastStepper(model, dtype)

    def step(labels, states, cells):
        logits, hidden = stepper.step(stepper.table[labels], (states, cells))
        return logits, *hidden

    step.stacked = True
    return step


def with_products(model: ImprovedSeqModel, product: type["Product"]) -> Step:
    """The plain step with its products by another implementation."""
    plain = PlainStep(model).eval()
    plain.first, plain.second = product(plain.first), product(plain.second)
    return plain


class Product(nn.Module):
    """A linear map by another implementation; `prepare` gets the weight (N, K), `multiply` gives x weight^T."""

    def __init__(self, linear: nn.Linear):
        super().__init__()
        self.bias = linear.bias
        self.prepare(linear.weight.detach())

    def forward(self, x):
        y = self.multiply(x)
        return y if self.bias is None else y + self.bias


class PackedBfloat16(Product):
    """oneDNN's packed bfloat16 product."""

    def prepare(self, weight):
        self.packed = torch.ops.mkldnn._reorder_linear_weight(weight.bfloat16(), 1)

    def multiply(self, x):
        return torch.ops.mkldnn._linear_pointwise(x.bfloat16(), self.packed, None, "none", [], "").float()


class FixedScaleInt8(Product):
    """FBGEMM's int8 product with the scales of `quantized_step`."""

    def prepare(self, weight):
        scales = weight.abs().amax(dim=1).double() / 127
        rounded = torch.quantize_per_channel(weight, scales, torch.zeros(len(weight), dtype=torch.long), 0, torch.qint8)
        self.packed = torch.ops.quantized.linear_prepack(rounded, None)

    def multiply(self, x):
        product = torch.ops.quantized.linear_with_input_q_dq_qweight_dq_output_fp32
        return product(x, float(STATE_SCALE), int(STATE_ZERO), self.packed)


class NumbaInt8(Product):
    """A loop over weights in int8 and states in int16, compiled by numba."""

    def prepare(self, weight):
        import numba

        scales = weight.abs().amax(dim=1) / 127
        self.weight, self.scales = (weight / scales[:, None]).round().to(torch.int8).numpy(), scales / INT16_STEPS

        @numba.njit(nogil=True)
        def multiply(weight, x, sums):
            for unit in range(weight.shape[0]):
                for row in range(x.shape[0]):
                    total = np.int32(0)
                    for at in range(weight.shape[1]):
                        total += np.int32(weight[unit, at]) * np.int32(x[row, at])
                    sums[row, unit] = total

        self.compiled = multiply

    def multiply(self, x):
        sums = np.empty((len(x), len(self.weight)), np.int32)
        self.compiled(self.weight, (x * INT16_STEPS).round().to(torch.int16).numpy(), sums)
        return torch.from_numpy(sums) * self.scales


def export(plain: PlainStep, file: Path) -> Path:
    """The plain step as a file of ONNX."""
    example = (torch.zeros(1, dtype=torch.long), *(torch.zeros(1, plain.first.in_features) for _ in range(4)))
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        axes = {name: {0: "batch"} for name in NAMES}
        torch.onnx.export(plain, example, file, input_names=NAMES, dynamic_axes=axes, dynamo=False, opset_version=17)
    return file


def quantize(exported: Path, file: Path) -> Path:
    """An exported step with dynamic int8 products."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(exported, file, weight_type=QuantType.QInt8)
    return file


def weight_only(exported: Path, file: Path) -> Path:
    """An exported step with 8-bit weights in blocks, and states rounded in the product, each row by its own scale.

    Raises:
        ImportError: onnx_ir is not installed.
    """
    import onnx
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    quantizer = MatMulNBitsQuantizer(onnx.load(exported), bits=8, block_size=128, is_symmetric=True, accuracy_level=4)
    quantizer.process()
    quantizer.model.save_model_to_file(str(file))
    return file


def with_runtime(graph: Path) -> Step:
    """ONNX Runtime on one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    return as_step(lambda feed: session.run(None, feed))


def with_openvino(exported: Path) -> Step:
    """OpenVINO in bfloat16.

    Raises:
        ImportError: openvino is not installed.
    """
    import openvino

    settings = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "bf16"}
    request = openvino.Core().compile_model(str(exported), "CPU", settings).create_infer_request()
    return as_step(lambda feed: list(request.infer(feed).values()))


def as_step(run: Callable[[dict[str, np.ndarray]], list[np.ndarray]]) -> Step:
    """A runtime of named arrays as a step."""

    def step(*values):
        outputs = run({name: value.numpy() for name, value in zip(NAMES, values, strict=True)})
        return tuple(torch.from_numpy(np.array(output)) for output in outputs)

    return step


def initial_state(step: Step, batch: int, size: int) -> list[torch.Tensor]:
    """Hidden and cell states before a song, in the form of an implementation."""
    if getattr(step, "stacked", False):
        return [torch.zeros(2, batch, size) for _ in range(2)]
    return [torch.zeros(batch, size) for _ in range(4)]


def step_seconds(step: Step, batch: int, size: int, repeats: int, steps: int = 60) -> float:
    """The median time of a step, after a warm-up round."""
    labels, states = torch.zeros(batch, dtype=torch.long), initial_state(step, batch, size)

    def run() -> None:
        for _ in range(steps):
            step(labels, *states)

    return median_seconds(run, repeats) / steps


def log_probabilities(step: Step, labels: list[int], size: int) -> torch.Tensor:
    """Log-probabilities (T, C) of each next character along a text."""
    states, logits = initial_state(step, 1, size), []
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
