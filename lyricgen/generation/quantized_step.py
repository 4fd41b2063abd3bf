"""A network's step in 8-bit integers, one call of ONNX Runtime a character.

Weights are rounded to 8 bits with a scale for each output unit (Jacob et al. 2018), states, which lie between -1 and 1, to
multiples of 1/63. A product is then a sum of integers, which is exact in any order: a row's logits are the same, bit for bit,
whatever the other rows. Gates and cells are float32. Shapes as in `fast_stepper`.
"""

import logging
import os
from collections.abc import Sequence
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from lyricgen.generation.held_units import HeldUnit
from lyricgen.models.networks import Hidden

if TYPE_CHECKING:
    import onnxruntime

STATE_STEPS = 63
"""Steps of a rounded state on each side of 0: 7 bits. Processors without VNNI add two products in 16 bits, which 8 would exceed."""
STATE_SCALE, STATE_ZERO = np.float32(1 / STATE_STEPS), np.uint8(STATE_STEPS + 1)
OPSET, IR_VERSION = 18, 9
RUNTIME_DOMAIN = "com.microsoft"  # of operators that ONNX Runtime adds to the standard ones
log = logging.getLogger("lyricgen")
os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read when onnxruntime is imported: its releases report to Microsoft


@cache
def has_runtime() -> bool:
    """Whether ONNX Runtime can be loaded, tried once: on Windows, for example, it needs the libraries of Visual C++."""
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
    except ImportError:
        log.warning("lyrics are written in float32, more slowly, since onnxruntime cannot be loaded")
        return False
    return True


class Linear(NamedTuple):
    """A linear map x (B, K) to x weight + bias (B, N)."""

    weight: torch.Tensor
    """(K, N)."""
    bias: torch.Tensor
    """(N,)."""


class QuantizedStep:
    """The layers of a network with rounded weights; on the CPU.

    Args:
        layers: of each layer the map to its gates, from its state (the first) or from its input and its state.
        out: the map from the last layer's state to logits.
        is_lstm: whether the gates are an LSTM's; else they are an Elman layer's.
    """

    def __init__(self, layers: Sequence[Linear], out: Linear, is_lstm: bool):
        self._layers, self._out, self._is_lstm = layers, out, is_lstm
        self._session = self._make_session(with_held_units=False)

    @cached_property
    def _holding_session(self) -> "onnxruntime.InferenceSession":
        return self._make_session(with_held_units=True)

    def _make_session(self, with_held_units: bool) -> "onnxruntime.InferenceSession":
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # as of torch here, see devices.use_one_thread
        options.log_severity_level = 3  # errors
        options.enable_cpu_mem_arena = False  # which would keep the memory of the largest batch
        graph = build_graph(self._layers, self._out, self._is_lstm, with_held_units)
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    def __call__(
        self, inputs: torch.Tensor, hidden: Hidden, held: Sequence[tuple[int, HeldUnit]] = ()
    ) -> tuple[torch.Tensor, Hidden]:
        """Logits (B, C) and hidden state after one more character a row; see `FastStepper.step`."""
        states, cells = hidden if isinstance(hidden, tuple) else (hidden, None)
        feed = {"inputs": inputs.numpy(), "states": states.numpy()}
        if cells is not None:
            feed["cells"] = cells.numpy()
        if held:
            feed["held"], feed["values"] = np.zeros(states.shape, bool), np.zeros(states.shape, np.float32)
            for row, (layer, unit, value) in held:
                feed["held"][layer - 1, row, unit] = True
                feed["values"][layer - 1, row, unit] = value
        session = self._holding_session if held else self._session
        logits, *new = map(torch.from_numpy, session.run(None, feed))
        return logits[0], new[0] if cells is None else (new[0], new[1])


def build_graph(layers: Sequence[Linear], out: Linear, is_lstm: bool, with_held_units: bool) -> bytes:
    """The step as a model of ONNX, serialised.

    Its inputs are inputs (B, G), states and, of an LSTM, cells (L, B, H), and with held units a mask and values (L, B, H); its
    outputs logits (1, B, C), states and cells.
    """
    from onnx import TensorProto, helper

    graph, count = _Graph(), len(layers)
    states_before = graph.split(graph.quantize("states"), count, axis=0)  # (1, B, H) of each layer, as all that follows
    cells_before = graph.split("cells", count, axis=0) if is_lstm else []
    held = graph.split("held", count, axis=0) if with_held_units else []
    values = graph.split("values", count, axis=0) if with_held_units else []
    states, cells, below = [], [], ""
    for layer, matrix in enumerate(layers):
        if layer == 0:
            gates = graph.add("Add", graph.product(states_before[0], matrix), "inputs")
        else:
            gates = graph.product(graph.add("Concat", below, states_before[layer], axis=-1), matrix)
        if is_lstm:
            state, cell = graph.lstm_cell(gates, cells_before[layer])
            cells.append(cell)
        else:
            state = graph.add("Tanh", gates)
        if with_held_units:
            state = graph.add("Where", held[layer], values[layer], state)
        states.append(state)
        below = graph.quantize(state)
    outputs = [graph.product(below, out), *(graph.add("Concat", *parts, axis=0) for parts in (states, cells) if parts)]
    size = layers[0].weight.shape[0]
    shapes: dict[str, list[str | int | None]] = {
        "inputs": ["B", layers[0].weight.shape[1]],
        "states": [len(layers), "B", size],
    }
    shapes |= {"cells": shapes["states"]} if is_lstm else {}
    shapes |= {"held": shapes["states"], "values": shapes["states"]} if with_held_units else {}
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.BOOL if name == "held" else TensorProto.FLOAT, shape)
        for name, shape in shapes.items()
    ]
    results = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
    model = helper.make_model(
        helper.make_graph(graph.nodes, "step", inputs, results, graph.constants),
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(RUNTIME_DOMAIN, 1)],
        ir_version=IR_VERSION,
    )
    return model.SerializeToString()


class _Graph:
    """Nodes and constants of a graph; each method adds some, and gives the name of their output."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._scale, self._zero = self._constant(STATE_SCALE), self._constant(STATE_ZERO)

    def add(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        return self._add(operator, inputs, 1, domain, attributes)[0]

    def _add(self, operator: str, inputs: Sequence[str], outputs: int, domain: str, attributes: dict) -> list[str]:
        from onnx import helper

        names = [f"{operator}-{len(self.nodes)}-{number}" for number in range(outputs)]
        self.nodes.append(helper.make_node(operator, inputs, names, domain=domain, **attributes))
        return names

    def _constant(self, value: np.ndarray | np.generic) -> str:
        from onnx import numpy_helper

        name = f"constant-{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def split(self, x: str, parts: int, axis: int) -> list[str]:
        """Equal parts of x along an axis."""
        return self._add("Split", [x], parts, "", {"axis": axis, "num_outputs": parts})

    def quantize(self, state: str) -> str:
        """float32 to uint8."""
        return self.add("QuantizeLinear", state, self._scale, self._zero)

    def product(self, x: str, linear: Linear) -> str:
        """A rounded x (1, B, K) by a linear map, float32 (1, B, N)."""
        weight = linear.weight.numpy()  # (K, N)
        scales = np.maximum(np.abs(weight).max(axis=0), np.finfo(np.float32).tiny * 127) / 127
        rounded = np.rint(weight / scales).astype(np.int8)
        zeros, bias = np.zeros(len(scales), np.int8), linear.bias.numpy()
        factors = [x, self._constant(rounded), self._scale, self._constant(scales), self._zero, self._constant(zeros)]
        return self.add("MatMulIntegerToFloat", *factors, self._constant(bias), domain=RUNTIME_DOMAIN)

    def lstm_cell(self, gates: str, cell: str) -> tuple[str, str]:
        """Hochreiter and Schmidhuber's cell with a forget gate: gates (1, B, 4 H) in torch's order, i f g o, to state and
        cell."""
        in_, forget, proposal, out = self.split(gates, 4, axis=-1)
        in_, forget, out = (self.add("Sigmoid", gate) for gate in (in_, forget, out))
        added = self.add("Mul", in_, self.add("Tanh", proposal))
        cell = self.add("Add", self.add("Mul", forget, cell), added)
        return self.add("Mul", out, self.add("Tanh", cell)), cell
