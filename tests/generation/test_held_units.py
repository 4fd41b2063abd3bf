"""Held units: the same text as a network whose unit is held by hand, alone and in company, and what is refused."""

import itertools

import pytest
import torch
from torch import nn

from lyricgen import ArgumentError, ImprovedSeqModel, VanillaRNN
from lyricgen.generation.api import make_request, write_together
from lyricgen.generation.fast_stepper import LONG_PREFIX
from lyricgen.generation.held_units import read_units
from lyricgen.generation.request import GenerationRequest
from lyricgen.generation.scheduler import ContinuousBatch, stream_together
from lyricgen.generation.settings import GenerationSettings
from lyricgen.models.text import read_labels
from lyricgen.models.vocabulary import START_LABEL, token_ids_to_str

UNITS = "1.3=1, 2.7=0, 2.0=-0.5"


@pytest.fixture(scope="module", params=[VanillaRNN, ImprovedSeqModel])
def model(request):
    torch.manual_seed(5)
    network = request.param(hidden_size=16, artists=("Ada Lark", "Bo Finch"))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(4)
    return network.eval()


def cells_of(model) -> list[nn.Module]:
    """torch's single-step cells with the weights of each layer."""
    kind = nn.LSTMCell if isinstance(model.rnn, nn.LSTM) else nn.RNNCell
    cells = []
    for layer in range(model.n_layers):
        cell = kind(model.hidden_size, model.hidden_size)
        cell.load_state_dict({name: getattr(model.rnn, f"{name}_l{layer}") for name in cell.state_dict()})
        cells.append(cell)
    return cells


@torch.no_grad()
def greedy_by_hand(model, prefix: str, length: int, units: str) -> str:
    """The greedy lyric, one torch cell at a time, with units held from the last character of the prefix on."""
    cells, held = cells_of(model), read_units(units, model)
    zeros = torch.zeros(1, model.hidden_size)
    states = [(zeros, zeros) for _ in cells]
    prompt = [START_LABEL, *read_labels(prefix)]
    labels = list(prompt)
    for position in itertools.count():
        x = model.embed(torch.tensor([[labels[position]]]))[:, 0]
        for layer, cell in enumerate(cells):
            state, memory = states[layer]
            state, memory = cell(x, (state, memory)) if isinstance(cell, nn.LSTMCell) else (cell(x, state), memory)
            if position >= len(prompt) - 1:
                for unit in held:
                    if unit.layer == layer + 1:
                        state[0, unit.unit] = unit.value
            states[layer], x = (state, memory), state
        if position >= len(prompt) - 1:
            labels.append(int(model.ffnn(x).argmax()))
        if len(labels) - 1 == length:
            return prefix + token_ids_to_str(labels[len(prompt) :])


@pytest.mark.parametrize("prefix", ["", "the sea ", "the sea " * 12], ids=["empty", "in steps", "in one pass"])
def test_a_greedy_lyric_is_the_one_of_cells_stepped_by_hand(model, prefix):
    assert len("the sea " * 12) > LONG_PREFIX
    settings = {"strategy": "greedy", "max_length": len(prefix) + 30}
    written = write_together([make_request(prefix, model=model, units=UNITS, **settings)])
    assert written == [greedy_by_hand(model, prefix, len(prefix) + 30, UNITS)]
    assert written != write_together([make_request(prefix, model=model, **settings)])


def requests(model, batch=None) -> list[GenerationRequest]:
    """Requests with and without held units, guidance, copies and backtracking."""
    settings = [
        {"units": "2.7=0"}, {}, {"units": UNITS, "artist": "Bo Finch", "guidance": 2.0}, {"artist": "Ada Lark"},
        {"units": "1.0=1", "clean_words": True, "dry": 0.6}, {"units": "1.15=-1", "strategy": "greedy", "chorus": "often"},
    ]  # fmt: skip
    return [
        GenerationRequest(
            model, "the sea " * number, GenerationSettings(seed=number, max_length=120, **each), batch=batch
        )
        for number, each in enumerate(settings)
    ]


def test_a_lyric_is_the_same_alone_and_in_company(model):
    alone = [write_together([request])[0] for request in requests(model)]
    assert write_together(requests(model)) == alone
    batch = ContinuousBatch(model, max_size=4)
    try:
        *_, outputs = stream_together(requests(model, batch))
    finally:
        batch.close()
    assert [output.text for output in outputs] == alone


def test_units_are_read_in_one_spelling(model):
    request = make_request("", model=model, units=" 2.7 = 0,1.3=1.0 ,")
    assert request.settings.units == "2.7=0, 1.3=1" and request.held_units[0] == (2, 7, 0.0)
    assert make_request("", model=model).held_units == make_request("", model=model, units=" ").held_units == ()


@pytest.mark.parametrize(
    ("units", "message"),
    [
        ("2.7", "units must be of the form layer.unit=value, such as 2.17=0; got '2.7'"),
        ("7=0", "units must be of the form layer.unit=value"),
        ("3.0=0", "the layer of units must be a whole number from 1 to 2, got '3'"),
        ("1.16=0", "the unit of units must be a whole number from 0 to 15, got '16'"),
        ("1.0=2", "the value of units must be a number from -1 to 1, got '2'"),
        ("1.0=nan", "the value of units must be a number"),
        ("1.0=0,1.1=0,1.2=0,1.3=0", "units must be at most 3 different units"),
        ("1.0=0,1.0=1", "units must be at most 3 different units"),
        (17, "units must be text, got 17"),
    ],
)
def test_units_that_a_model_lacks_are_refused(model, units, message):
    with pytest.raises(ArgumentError, match=message.replace(".", r"\.")):
        make_request("", model=model, units=units)


def test_a_beam_holds_no_units(model):
    with pytest.raises(ArgumentError, match="units must be empty with the beam strategy"):
        make_request("", model=model, strategy="beam", units="1.0=0")
