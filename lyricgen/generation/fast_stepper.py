"""A trained model that writes a character at a time, as fast as the machine reads its weights.

Shapes: B sequences in the batch, T characters, H hidden units, G gate rows (4 H for an LSTM, H for an RNN), C classes.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

import torch
from torch import nn

from lyricgen.models.networks import CharacterModel, Hidden

STRETCH = 250  # characters of a long prefix that a layer reads at a time
LONG_PREFIX = 64  # characters; a longer prefix is read in one pass, a shorter one takes steps as generation does


T = TypeVar("T")


class WeightsCache(Generic[T]):
    """One value a model, made for its present weights, and made again after they have changed; safe to use from many threads.

    Args:
        make: the value for a model.
    """

    def __init__(self, make: Callable[[CharacterModel], T]):
        self._make = make
        self._entries: WeakKeyDictionary[CharacterModel, tuple[tuple, T]] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def get(self, model: CharacterModel) -> T:
        """The value for a model as it is now."""
        with self._lock:
            fingerprint, (made_of, value) = _fingerprint(model), self._entries.get(model, ((), None))
            if value is None or made_of != fingerprint:
                value = self._make(model)
                self._entries[model] = fingerprint, value
            return value


class FastStepper:
    """A trained model as a `Stepper` that repacks nothing at a step.

    The embedding, the artist, the input weights and the biases of the first layer are folded into tables with a row a
    character; each further layer reads its input and its state through one matrix. In float32 the logits are those of
    the module within float tolerance. In bfloat16 the recurrent matrices and the states that they read are rounded, sums
    and cells are not, nor is the output layer; a row's logits are then the same, bit for bit, whatever rows stand beside
    it. It holds a copy of the weights as they were when it was made; `of` makes another where they have changed.

    Args:
        model: the model.
        dtype: of the recurrent matrices, float32 or bfloat16; None: what is fastest here, see `fastest_dtype`.
    """

    def __init__(self, model: CharacterModel, dtype: torch.dtype | None = None):
        rnn = model.rnn
        self.dtype = dtype or fastest_dtype(model)
        self.is_lstm = isinstance(rnn, nn.LSTM)
        self.hidden_size, self.n_layers = model.hidden_size, model.n_layers
        weights = {name: value.detach().float() for name, value in model.state_dict().items()}
        into_first = weights["rnn.weight_ih_l0"].T
        bias = weights["rnn.bias_ih_l0"] + weights["rnn.bias_hh_l0"]
        self.table = weights["embeddings.weight"] @ into_first + bias  # (101, G)
        artists = weights.get("artist_embeddings.weight", torch.zeros_like(weights["embeddings.weight"][:1]))
        self.artist_table = artists @ into_first  # (A + 1, G); the last row, zero, is 'any artist'
        packed = self.dtype != torch.float32
        self.layers = []  # of each: its state (the first) or its input and its state, to gates
        for layer in range(self.n_layers):
            names = (
                [f"rnn.weight_hh_l{layer}"] if layer == 0 else [f"rnn.weight_ih_l{layer}", f"rnn.weight_hh_l{layer}"]
            )
            bias = None if layer == 0 else weights[f"rnn.bias_ih_l{layer}"] + weights[f"rnn.bias_hh_l{layer}"]
            self.layers.append(Matrix(torch.cat([weights[name] for name in names], dim=1), bias, self.dtype, packed))
        self.out = Matrix(weights["ffnn.weight"], weights["ffnn.bias"], torch.float32, packed)
        self.reader = LayerReader(rnn, self.dtype if self.is_lstm else torch.float32)  # nn.RNN is no faster in bfloat16

    @staticmethod
    def for_model(model: CharacterModel) -> "FastStepper":
        """The stepper of a model, made once for its present weights."""
        return _STEPPERS.get(model)

    @classmethod
    def of(cls, model: CharacterModel, artist: int | None = None) -> "ArtistStepper":
        """The stepper of a model in an artist's style (None: any)."""
        return ArtistStepper(cls.for_model(model), model, artist)

    def step(self, inputs: torch.Tensor, hidden: Hidden) -> tuple[torch.Tensor, Hidden]:
        """Logits (B, C) after one more character a row: `inputs` (B, G) from the tables, hidden as of the module."""
        states, cells = hidden if self.is_lstm else (hidden, None)
        new_states, new_cells = [], []
        for layer, matrix in enumerate(self.layers):
            if layer == 0:
                gates = matrix(states[0]).add_(inputs)  # (B, G)
            else:
                gates = matrix(torch.cat([new_states[-1], states[layer]], dim=1))
            if self.is_lstm:
                state, cell = self._lstm_cell(gates, cells[layer])
                new_cells.append(cell)
            else:
                state = gates.tanh_()
            last = state
            new_states.append(state.to(self.dtype))
        states = torch.stack(new_states)
        return self.logits(last), (states, torch.stack(new_cells)) if self.is_lstm else states

    def read_long(self, embedded: torch.Tensor) -> tuple[torch.Tensor, Hidden]:
        """Long sequences (B, T, H): outputs of the last layer, float32 (B, T, H), and the hidden state after them."""
        outputs, hidden = self.reader.read(embedded)
        return outputs[-1], self.own(hidden)

    def start(self, rows: int) -> Hidden:
        """The hidden state before a song, as `step` takes it."""
        zeros = self.table.new_zeros(self.n_layers, rows, self.hidden_size)
        return self.own((zeros, zeros) if self.is_lstm else zeros)

    def own(self, hidden: Hidden) -> Hidden:
        """A hidden state of the module as `step` takes it: states as the matrices read them, cells in float32."""
        if self.is_lstm:
            return hidden[0].to(self.dtype), hidden[1].float()
        return hidden.to(self.dtype)

    def logits(self, state: torch.Tensor) -> torch.Tensor:
        """The output layer, in float32 (B, H) to (B, C). A row that is alone goes in twice: alone it is summed otherwise."""
        if len(state) == 1 and self.out.packed is not None:
            return self.out(state.expand(2, -1).contiguous())[:1]
        return self.out(state)

    def _lstm_cell(self, gates: torch.Tensor, cell: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Hochreiter and Schmidhuber's cell with a forget gate: gates (B, 4 H) as torch orders them, i f g o."""
        size = self.hidden_size
        proposal = gates[:, 2 * size : 3 * size].tanh()
        open_ = gates.sigmoid_()
        cell = torch.addcmul(open_[:, size : 2 * size] * cell, open_[:, :size], proposal)
        return open_[:, 3 * size :] * cell.tanh(), cell


class LayerReader:
    """A network's layers as networks of their own, with a copy of the weights, for long sequences.

    Args:
        rnn: the network.
        dtype: of the weights, float32 or bfloat16.
    """

    def __init__(self, rnn: nn.RNNBase, dtype: torch.dtype):
        self.dtype, self.is_lstm = dtype, isinstance(rnn, nn.LSTM)
        self.layers = [one_layer(rnn, layer).to(dtype) for layer in range(rnn.num_layers)]

    @staticmethod
    def of(model: CharacterModel) -> "LayerReader":
        """The float32 reader of a model, made once for its present weights: its outputs are the module's."""
        return _READERS.get(model)

    def read(self, embedded: torch.Tensor) -> tuple[list[torch.Tensor], Hidden]:
        """Sequences (B, T, H) through the layers, each a stretch behind the one below it, and beside it in time.

        A thread a layer waits for the others only between stretches, so that cores which are busy with something else
        slow it down no more than they must.

        Returns:
            outputs of each layer, float32 (B, T, H), and the hidden state after them, in the layers' dtype.
        """
        n_layers = len(self.layers)
        inputs = [list(embedded.to(self.dtype).split(STRETCH, dim=1)), *([] for _ in self.layers)]
        states, waves = [None] * n_layers, len(inputs[0]) + n_layers - 1

        @torch.inference_mode()
        def go_on(layer: int, wave: int):
            return self.layers[layer](inputs[layer][wave - layer], states[layer])

        with ThreadPoolExecutor(n_layers, initializer=torch.set_num_threads, initargs=(1,)) as threads:
            for wave in range(waves):
                active = [layer for layer in range(n_layers) if 0 <= wave - layer < len(inputs[0])]
                read = list(threads.map(partial(go_on, wave=wave), active))
                for layer, (output, state) in zip(active, read, strict=True):
                    inputs[layer + 1].append(output)
                    states[layer] = state
        hidden = tuple(map(torch.cat, zip(*states, strict=True))) if self.is_lstm else torch.cat(states)
        return [torch.cat(outputs, dim=1).float() for outputs in inputs[1:]], hidden


def one_layer(rnn: nn.RNNBase, layer: int) -> nn.RNNBase:
    """One layer of a network as a network of its own, with a copy of the weights, in eval mode."""
    with torch.random.fork_rng(devices=[]):  # the weights that it is made with are random, and go at once
        alone = type(rnn)(rnn.hidden_size if layer else rnn.input_size, rnn.hidden_size, batch_first=True)
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    weights = {f"{name}_l0": getattr(rnn, f"{name}_l{layer}").detach() for name in names}
    alone.load_state_dict(weights)
    return alone.to(rnn.weight_hh_l0.device).eval().requires_grad_(False)


class Matrix:
    """What a layer computes of its inputs: x (B, K) to x weight^T + bias, float32 (B, N).

    Packed, the weights lie as oneDNN reads them, which also sums a row in one order whatever the batch; in float32 that
    holds from two rows on.
    """

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None, dtype: torch.dtype, packed: bool):
        self.bias = bias
        self.weight = None if packed else weight.to(dtype).T.contiguous()  # (K, N)
        self.packed = torch.ops.mkldnn._reorder_linear_weight(weight.to(dtype), 1) if packed else None

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        if self.packed is None:
            return x @ self.weight if self.bias is None else torch.addmm(self.bias, x, self.weight)
        product = torch.ops.mkldnn._linear_pointwise(x, self.packed, None, "none", [], "").float()
        return product if self.bias is None else product.add_(self.bias)


def fastest_dtype(model: CharacterModel) -> torch.dtype:
    """bfloat16 where the processor multiplies it and the network is so large that reading its weights takes the time."""
    weight = model.ffnn.weight
    capable = torch.cpu.get_capabilities().get("avx512_bf16", False) and torch.backends.mkldnn.is_available()
    return torch.bfloat16 if weight.device.type == "cpu" and capable and model.hidden_size >= 256 else torch.float32


class ArtistStepper:
    """A `FastStepper` with one artist beside every character; `module` is the model that reads the prefix."""

    def __init__(self, stepper: FastStepper, module: CharacterModel, artist: int | None):
        self.stepper, self.module, self.artist = stepper, module, artist

    @cached_property
    def table(self) -> torch.Tensor:
        """What the first layer reads of each label beside the artist (101, G)."""
        return self.stepper.table + self.stepper.artist_table[-1 if self.artist is None else self.artist]

    def read(self, token_ids: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, Hidden]:
        """Prefixes: long ones, and those of different lengths, in one pass, others in steps."""
        rows, length = token_ids.shape
        if bool((lengths != length).any()):
            logits, hidden = self.module(token_ids, lengths, artists=self._artists(token_ids))
            return logits, self.stepper.own(hidden)
        logits, hidden = [], self.stepper.start(rows)
        if length > LONG_PREFIX:
            outputs, hidden = self._pass(token_ids[:, :-1])
            logits, token_ids = (
                [self.stepper.logits(outputs[0])[None] if rows == 1 else self.module.ffnn(outputs)],
                token_ids[:, -1:],
            )
        for labels in token_ids.T:
            one, hidden = self.step(labels, hidden)
            logits.append(one[:, None])
        return torch.cat(logits, dim=1), hidden

    def begin(self, labels: list[int]) -> tuple[list[int], Hidden]:
        """What is left to read of a prefix, a step each, and the hidden state (one row) before it: a long one is read but
        for its last character."""
        if len(labels) > LONG_PREFIX:
            return labels[-1:], self.skim(labels)
        return labels, self.stepper.start(1)

    @torch.inference_mode()
    def skim(self, labels: list[int]) -> Hidden:
        """The hidden state after all labels of one long prefix but the last, as `read` has it there."""
        return self._pass(torch.tensor([labels[:-1]], device=self.stepper.table.device))[1]

    def _pass(self, token_ids: torch.Tensor) -> tuple[torch.Tensor, Hidden]:
        """The last layer's outputs (B, T, H) for labels (B, T) in one pass, and the hidden state after them."""
        return self.stepper.read_long(self.module.embed(token_ids, self._artists(token_ids)))

    def _artists(self, token_ids: torch.Tensor) -> torch.Tensor | None:
        return None if self.artist is None else torch.full((len(token_ids),), self.artist, device=token_ids.device)

    def step(self, labels: torch.Tensor, hidden: Hidden) -> tuple[torch.Tensor, Hidden]:
        """One more character a row."""
        return self.stepper.step(self.table[labels], hidden)


def _fingerprint(model: CharacterModel) -> tuple:
    """Where each weight lies and how often it was changed in place: another after training or a move."""
    return tuple((value.data_ptr(), 0 if value.is_inference() else value._version) for value in model.parameters())


_STEPPERS = WeightsCache(FastStepper)
_READERS = WeightsCache(lambda model: LayerReader(model.rnn, torch.float32))
