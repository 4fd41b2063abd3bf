"""A step in 8-bit integers: near the float32 one, and the same for a row whatever the others are."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from lyricgen.generation.fast_stepper import QUANTIZED_FROM, FastStepper
from lyricgen.generation.held_units import HeldUnit
from lyricgen.generation.quantized_step import Linear, QuantizedStep, has_runtime
from lyricgen.models.checkpoints import load_model
from lyricgen.models.networks import ImprovedSeqModel, VanillaRNN

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", params=["lstm", "vanilla-rnn", "three layers of 300 units"])
def steppers(request):
    """Of one network, in int8 and in float32."""
    torch.manual_seed(0)
    three_layers = request.param.startswith("three")
    model = ImprovedSeqModel(hidden_size=300, n_layers=3).eval() if three_layers else load_model(request.param)
    return FastStepper(model, torch.int8), FastStepper(model, torch.float32)


def read(stepper, labels, held=()):
    """Logits (T, B, C) after each character of texts (B, T), and the hidden state after the last."""
    logits, hidden = [], stepper.start(len(labels))
    with torch.inference_mode():
        for column in labels.T:
            of_step, hidden = stepper.step(stepper.table[column], hidden, held)
            logits.append(of_step)
    return torch.stack(logits), hidden


def some_labels(rows, length):
    return torch.randint(0, 100, (rows, length), generator=torch.Generator().manual_seed(0))


def test_a_rows_logits_and_states_are_bitwise_the_same_in_any_batch(steppers):
    quantized, _ = steppers
    labels = some_labels(64, 12)
    together, hidden = read(quantized, labels)
    for rows in ([5], [5, 9], [63, 5, 1], list(range(17)), list(range(63))):
        logits, own = read(quantized, labels[rows])
        assert torch.equal(logits, together[:, rows])
        for part, whole in zip(own, hidden, strict=True) if isinstance(own, tuple) else [(own, hidden)]:
            assert torch.equal(part, whole[:, rows])


def test_held_units_act_on_their_row_alone_as_in_float32(steppers):
    quantized, exact = steppers
    labels, held = some_labels(4, 6), [(1, HeldUnit(1, 7, 1.0)), (1, HeldUnit(2, 3, 0.0)), (3, HeldUnit(2, 200, -0.5))]
    logits, hidden = read(quantized, labels, held)
    expected, expected_hidden = read(exact, labels, held)
    free, _ = read(quantized, labels)
    assert torch.equal(logits[:, [0, 2]], free[:, [0, 2]])
    assert all((logits[:, row] - free[:, row]).abs().max() > 1e-4 for row in (1, 3))
    torch.testing.assert_close(logits.softmax(-1), expected.softmax(-1), atol=0.06, rtol=0)
    states, expected_states = (state[0] if isinstance(state, tuple) else state for state in (hidden, expected_hidden))
    for state in (states, expected_states):
        assert (state[0, 1, 7], state[1, 1, 3], state[1, 3, 200]) == (1, 0, -0.5)


@pytest.mark.parametrize("model_class", [VanillaRNN, ImprovedSeqModel])
def test_large_networks_step_in_int8_small_ones_in_float32(model_class):
    sizes = {QUANTIZED_FROM: torch.int8, QUANTIZED_FROM - 1: torch.float32}
    assert {size: FastStepper(model_class(hidden_size=size).eval()).dtype for size in sizes} == sizes


def test_without_the_runtime_a_large_network_steps_in_float32_and_says_so(monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    has_runtime.cache_clear()
    try:
        assert FastStepper(VanillaRNN(hidden_size=QUANTIZED_FROM).eval()).dtype == torch.float32
        assert "onnxruntime cannot be loaded" in caplog.text
    finally:
        has_runtime.cache_clear()


@pytest.mark.parametrize("state", [1.0, -1.0, 0.0])
@pytest.mark.parametrize("weight", [0.25, -0.25, 0.0])
def test_products_of_the_largest_values_are_exact(weight, state):
    layer = Linear(torch.zeros(256, 256), torch.zeros(256))
    out = Linear(torch.full((256, 4), weight), torch.tensor([0.0, 1.0, 2.0, 3.0]))
    held = [(0, HeldUnit(1, unit, state)) for unit in range(256)]
    logits, _ = QuantizedStep([layer], out, is_lstm=False)(torch.ones(1, 256), torch.ones(1, 1, 256), held)
    torch.testing.assert_close(logits, 256 * weight * state + out.bias[None])


def test_the_runtime_reports_to_nobody_and_keeps_no_identifier(tmp_path):
    """Its releases report to Microsoft under an identifier kept in the user's cache, unless they are asked not to."""
    code = "from lyricgen import VanillaRNN; from lyricgen.generation.fast_stepper import FastStepper; FastStepper(VanillaRNN(hidden_size=256).eval())"
    environment = {**os.environ, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    environment.pop("ORT_DISABLE_TELEMETRY", None)
    subprocess.run([sys.executable, "-c", code], env=environment, cwd=ROOT, check=True)
    assert not list(tmp_path.rglob("*onnxruntime*"))
