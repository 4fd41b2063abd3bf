"""Fused single-step inference: a trained model with what does not change from character to character folded into tables.

Shapes: B sequences in the batch, T characters, H hidden units, G gate rows (4 H for an LSTM, H for an RNN), C classes,
A artists.
"""

import math
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from itertools import product
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

import torch
from torch import nn

from lyricgen.devices import multiplies_bfloat16
from lyricgen.generation.held_units import HeldUnit
from lyricgen.generation.quantized_step import Linear, QuantizedStep, has_runtime
from lyricgen.models.networks import CharacterModel, Hidden, map_state

STRETCH = 250  # characters of a long text that a layer reads at a time
LONG_PREFIX = 64  # characters; a longer prefix is read in one pass, a shorter one in steps
MIN_PLAUSIBLE_SHARE = 0.01  # of the highest probability; guidance does not favour less likely characters
SOFTENING = 0.03  # of guided logits, for each 1 of guidance above 1
IMPLAUSIBLE_PENALTY = 1_000.0  # subtracted from the logits of such characters
QUANTIZED_FROM = 256  # hidden units; in smaller networks reading the weights does not dominate a step


T = TypeVar("T")


class WeightsCache(Generic[T]):
    """A cache of one value a model, renewed when the weights have changed; thread-safe, and keeps no model alive.

    Args:
        make: makes the value for a model.
    """

    def __init__(self, make: Callable[[CharacterModel], T]):
        self._make = make
        self._entries: WeakKeyDictionary[CharacterModel, tuple[tuple, T]] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def get(self, model: CharacterModel) -> T:
        """The value for the present weights of a model."""
        with self._lock:
            fingerprint, (made_of, value) = _fingerprint(model), self._entries.get(model, ((), None))
            if value is None or made_of != fingerprint:
                value = self._make(model)
                self._entries[model] = fingerprint, value
            return value


class FastStepper:
    """A trained model with its weights packed for single steps.

    The embedding, the artist, the input weights and the biases of the first layer are folded into tables with a row a
    label; each further layer multiplies its input and its state by one matrix. In float32 the logits are those of the
    module within float tolerance. In int8 the matrices and the states that they multiply are rounded, and a row's logits are the
    same, bit for bit, whatever the other rows: see `QuantizedStep`. It holds a copy of the weights; `for_model` makes a new one
    where they have changed.

    Args:
        model: the model.
        dtype: dtype of the matrices, float32 or int8; None: the faster one, int8 for a large network on the CPU.
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
        self.layers: list[Linear] = []  # the first: state -> gates; the others: input and state -> gates
        for layer in range(self.n_layers):
            names = (
                [f"rnn.weight_hh_l{layer}"] if layer == 0 else [f"rnn.weight_ih_l{layer}", f"rnn.weight_hh_l{layer}"]
            )
            bias = weights[f"rnn.bias_ih_l{layer}"] + weights[f"rnn.bias_hh_l{layer}"]
            weight = torch.cat([weights[name] for name in names], dim=1).T.contiguous()
            self.layers.append(Linear(weight, bias if layer else torch.zeros_like(bias)))  # the first is in the table
        self.out = Linear(weights["ffnn.weight"].T.contiguous(), weights["ffnn.bias"])
        self.quantized = QuantizedStep(self.layers, self.out, self.is_lstm) if self.dtype == torch.int8 else None
        self.reader = LayerReader(rnn, torch.float32 if self.quantized is None else reading_dtype(rnn))

    @staticmethod
    def for_model(model: CharacterModel) -> "FastStepper":
        """The stepper of a model, made once for its present weights."""
        return _STEPPERS.get(model)

    @classmethod
    def of(cls, model: CharacterModel, artist: int | None = None) -> "ArtistStepper":
        """The stepper of a model in an artist's style; None: any artist's."""
        return ArtistStepper(cls.for_model(model), model, artist)

    def artist_inputs(self, artists: torch.Tensor | None) -> torch.Tensor:
        """The first layer's input for artists (B, G): of artist labels (B,) or mixes (B, A + 1); None: any artist, (1, G)."""
        if artists is None:
            return self.artist_table[-1:]
        return artists @ self.artist_table if artists.is_floating_point() else self.artist_table[artists]

    def step(
        self, inputs: torch.Tensor, hidden: Hidden, held: Sequence[tuple[int, HeldUnit]] = ()
    ) -> tuple[torch.Tensor, Hidden]:
        """Logits (B, C) after one more character a row.

        Args:
            inputs: sums of the rows of both tables (B, G).
            hidden: the hidden state.
            held: rows and the units that are held in them.
        """
        if self.quantized is not None:
            return self.quantized(inputs, hidden, held)
        states, cells = hidden if isinstance(hidden, tuple) else (hidden, None)
        new_states: list[torch.Tensor] = []
        new_cells: list[torch.Tensor] = []
        for layer, (weight, bias) in enumerate(self.layers):
            if layer == 0:
                gates = torch.addmm(inputs, states[0], weight)  # (B, G)
            else:
                gates = torch.addmm(bias, torch.cat([new_states[-1], states[layer]], dim=1), weight)
            if cells is not None:
                state, cell = self._lstm_cell(gates, cells[layer])
                new_cells.append(cell)
            else:
                state = gates.tanh_()
            for row, (held_layer, unit, value) in held:
                if held_layer == layer + 1:
                    state[row, unit] = value
            new_states.append(state)
        logits, new_state = torch.addmm(self.out.bias, state, self.out.weight), torch.stack(new_states)
        return logits, new_state if cells is None else (new_state, torch.stack(new_cells))

    def read_long(self, embedded: torch.Tensor) -> tuple[torch.Tensor, Hidden]:
        """Outputs of the last layer, float32 (B, T, H), for long embedded texts (B, T, H), and the hidden state after them."""
        outputs, hidden = self.reader.read(embedded)
        return outputs[-1], map_state(torch.Tensor.float, hidden)

    def start(self, rows: int) -> Hidden:
        """The hidden state (zeros) before a song."""
        zeros = self.table.new_zeros(self.n_layers, rows, self.hidden_size)
        return (zeros, zeros) if self.is_lstm else zeros

    def _lstm_cell(self, gates: torch.Tensor, cell: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Hochreiter and Schmidhuber's cell with a forget gate: gates (B, 4 H) in torch's order, i f g o."""
        size = self.hidden_size
        proposal = gates[:, 2 * size : 3 * size].tanh()
        open_ = gates.sigmoid_()
        cell = torch.addcmul(open_[:, size : 2 * size] * cell, open_[:, :size], proposal)
        return open_[:, 3 * size :] * cell.tanh(), cell


class LayerReader:
    """The layers of a network as separate networks, with a copy of the weights, for long texts.

    Args:
        rnn: the network.
        dtype: dtype of the weights, float32 or bfloat16.
    """

    def __init__(self, rnn: nn.RNNBase, dtype: torch.dtype):
        self.dtype, self.is_lstm = dtype, isinstance(rnn, nn.LSTM)
        self.layers = [one_layer(rnn, layer).to(dtype) for layer in range(rnn.num_layers)]

    @staticmethod
    def of(model: CharacterModel) -> "LayerReader":
        """The float32 reader of a model, made once for its present weights: its outputs are the module's."""
        return _READERS.get(model)

    def read(self, embedded: torch.Tensor) -> tuple[list[torch.Tensor], Hidden]:
        """Embedded texts (B, T, H) through the layers, pipelined: each layer one stretch behind the layer below.

        Each layer has a thread, and threads wait for each other only between stretches, so that cores busy with other
        work slow them down little.

        Returns:
            outputs of each layer, float32 (B, T, H), and the hidden state after them, in the layers' dtype.
        """
        n_layers = len(self.layers)
        inputs = [list(embedded.to(self.dtype).split(STRETCH, dim=1)), *([] for _ in self.layers)]
        states: list[Hidden | None] = [None] * n_layers
        waves = len(inputs[0]) + n_layers - 1

        @torch.inference_mode()
        def read_stretch(layer: int, wave: int) -> tuple[torch.Tensor, Hidden]:
            return self.layers[layer](inputs[layer][wave - layer], states[layer])

        with ThreadPoolExecutor(n_layers, initializer=torch.set_num_threads, initargs=(1,)) as threads:
            for wave in range(waves):
                active = [layer for layer in range(n_layers) if 0 <= wave - layer < len(inputs[0])]
                stretches = list(threads.map(partial(read_stretch, wave=wave), active))
                for layer, (output, state) in zip(active, stretches, strict=True):
                    inputs[layer + 1].append(output)
                    states[layer] = state
        hidden = map_state(lambda *parts: torch.cat(parts), *(state for state in states if state is not None))
        return [torch.cat(outputs, dim=1).float() for outputs in inputs[1:]], hidden


def one_layer(rnn: nn.RNNBase, layer: int) -> nn.RNNBase:
    """One layer of a network as a separate network, with a copy of the weights, in eval mode."""
    recurrent: Callable[..., nn.RNNBase] = type(rnn)  # nn.RNNBase itself takes other arguments
    with torch.random.fork_rng(devices=[]):  # its random initial weights are replaced at once
        alone = recurrent(rnn.hidden_size if layer else rnn.input_size, rnn.hidden_size, batch_first=True)
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    weights = {f"{name}_l0": getattr(rnn, f"{name}_l{layer}").detach() for name in names}
    alone.load_state_dict(weights)
    return alone.to(next(rnn.parameters()).device).eval().requires_grad_(False)


def fastest_dtype(model: CharacterModel) -> torch.dtype:
    """int8 on a CPU that ONNX Runtime supports, where the network is large enough for reading its weights to dominate a step."""
    quantized = model.hidden_size >= QUANTIZED_FROM and model.ffnn.weight.device.type == "cpu" and has_runtime()
    return torch.int8 if quantized else torch.float32


def reading_dtype(rnn: nn.RNNBase) -> torch.dtype:
    """bfloat16 for an LSTM on a processor that multiplies it; nn.RNN is no faster in it."""
    fast = isinstance(rnn, nn.LSTM) and multiplies_bfloat16(next(rnn.parameters()).device)
    return torch.bfloat16 if fast else torch.float32


class ArtistStepper:
    """A `FastStepper` as a `Stepper` in the style of one artist or of a mix.

    Args:
        stepper: the stepper.
        module: its model, which embeds long prefixes and reads ragged ones.
        artist: the artist label; of a mix the weight of each artist and of any artist (A + 1,); None: any artist.
    """

    def __init__(self, stepper: FastStepper, module: CharacterModel, artist: int | torch.Tensor | None):
        self.stepper, self.module, self.artist = stepper, module, artist

    @cached_property
    def inputs(self) -> torch.Tensor:
        """The first layer's input for the artist (1, G)."""
        return self.stepper.artist_inputs(self._artists(1))

    @cached_property
    def table(self) -> torch.Tensor:
        """The first layer's input for each label with the artist (101, G)."""
        return self.stepper.table + self.inputs

    def read(self, token_ids: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, Hidden]:
        """Logits (B, T, C) and hidden state for prefixes: long or ragged ones in one pass, others in steps."""
        rows, length = token_ids.shape
        if bool((lengths != length).any()):
            return self.module(token_ids, lengths, artists=self._artists(rows))
        logits, hidden = [], self.stepper.start(rows)
        if length > LONG_PREFIX:
            outputs, hidden = self.stepper.read_long(self.embed(token_ids[:, :-1]))
            logits, token_ids = [self.module.ffnn(outputs)], token_ids[:, -1:]
        for labels in token_ids.T:
            of_step, hidden = self.step(labels, hidden)
            logits.append(of_step[:, None])
        return torch.cat(logits, dim=1), hidden

    def begin(self, labels: list[int]) -> tuple[list[int], Hidden]:
        """The labels of a prompt still to be read in steps, and the hidden state (one row) before them; see `begin_prompt`."""
        return begin_prompt([self], labels)

    def embed(self, token_ids: torch.Tensor) -> torch.Tensor:
        """The first layer's input (B, T, H) for labels (B, T)."""
        return self.module.embed(token_ids, self._artists(len(token_ids)))

    def step(self, labels: torch.Tensor, hidden: Hidden, held: Sequence[HeldUnit] = ()) -> tuple[torch.Tensor, Hidden]:
        """Logits (B, C) and hidden state after one more label a row (B,), with units held in all rows."""
        return self.stepper.step(self.table[labels], hidden, list(product(range(len(labels)), held)))

    def _artists(self, rows: int) -> torch.Tensor | None:
        """The artist or the mix of each row, (B,) or (B, A + 1)."""
        device = self.stepper.table.device
        if isinstance(self.artist, torch.Tensor):
            return self.artist.to(device).expand(rows, -1)
        return None if self.artist is None else torch.full((rows,), self.artist, device=device)


class GuidedStepper:
    """Classifier-free guidance (Ho and Salimans 2022) as a `Stepper`: the logits of `guide`, from the artist's and any artist's.

    Both are rows of one batch. The hidden state has the layers of the artist's rows, then those of any artist's (2 L, B, H).

    Args:
        artist: the stepper of the artist or of the mix.
        guidance: the weight of the difference; 1: the artist's logits.
    """

    def __init__(self, artist: ArtistStepper, guidance: float):
        self.artist, self.guidance = artist, guidance
        self.any_artist = ArtistStepper(artist.stepper, artist.module, None)
        self.module = artist.module

    @cached_property
    def inputs(self) -> torch.Tensor:
        """The first layer's input for the artist and for any artist (2, G)."""
        return torch.cat([self.artist.inputs, self.any_artist.inputs])

    def read(self, token_ids: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, Hidden]:
        """Logits (B, T, C) and hidden state for prefixes."""
        (logits, hidden), (any_logits, any_hidden) = (
            stepper.read(token_ids, lengths) for stepper in (self.artist, self.any_artist)
        )
        return guide(logits, any_logits, self.guidance), map_state(lambda *parts: torch.cat(parts), hidden, any_hidden)

    def begin(self, labels: list[int]) -> tuple[list[int], Hidden]:
        """The labels of a prompt still to be read in steps, and the hidden states before them, of the artist and of any
        artist as two rows (L, 2, H); see `begin_prompt`."""
        return begin_prompt([self.artist, self.any_artist], labels)

    def step(self, labels: torch.Tensor, hidden: Hidden, held: Sequence[HeldUnit] = ()) -> tuple[torch.Tensor, Hidden]:
        """Logits (B, C) and hidden state after one more label a row (B,), with units held in all rows."""
        inputs = torch.cat([self.artist.table[labels], self.any_artist.table[labels]])  # (2 B, G)
        side_by_side = map_state(lambda part: torch.cat(part.chunk(2), dim=1), hidden)  # (L, 2 B, H)
        rows = range(2 * len(labels))
        logits, side_by_side = self.artist.stepper.step(inputs, side_by_side, list(product(rows, held)))
        of_artist, of_any = logits.chunk(2)
        guided = guide(of_artist, of_any, self.guidance)
        return guided, map_state(lambda part: torch.cat(part.chunk(2, dim=1)), side_by_side)


def guide(artist: torch.Tensor, any_artist: torch.Tensor, guidance: float | torch.Tensor) -> torch.Tensor:
    """Guided logits (..., C): those of any artist + guidance x (the artist's - any artist's), a little softened.

    Guided predictions are surer than the artist's, and copy more: the logits are divided by 1 + 0.03 x (guidance - 1), at which
    copied and invented words stay near those at guidance 1 (`python -m benchmarks style`). A character to which the artist's logits give less than 1 % of the highest probability is moved behind all others (the
    plausibility constraint of contrastive decoding, Li et al. 2023): guidance exaggerates differences between small
    probabilities, and invents words. It is not excluded, so that characters are left where others are banned.
    """
    implausible = artist < artist.amax(dim=-1, keepdim=True) + math.log(MIN_PLAUSIBLE_SHARE)
    guided = any_artist + guidance * (artist - any_artist)
    return guided / (1 + SOFTENING * (guidance - 1)) - IMPLAUSIBLE_PENALTY * implausible


@torch.inference_mode()
def begin_prompt(steppers: Sequence[ArtistStepper], labels: list[int]) -> tuple[list[int], Hidden]:
    """The labels of a prompt still to be read in steps, and the hidden state before them, a row for each stepper of a model.

    A long prompt is read here but for its last label, in one pass, with the same hidden state as in steps.
    """
    stepper = steppers[0].stepper
    if len(labels) <= LONG_PREFIX:
        return labels, stepper.start(len(steppers))
    token_ids = torch.tensor([labels[:-1]], device=stepper.table.device)
    embedded = torch.cat([each.embed(token_ids) for each in steppers])  # (rows, T, H)
    return labels[-1:], stepper.read_long(embedded)[1]


def _fingerprint(model: CharacterModel) -> tuple:
    """Address and version of each weight: it differs after training, a change in place, or a move."""
    return tuple((value.data_ptr(), 0 if value.is_inference() else value._version) for value in model.parameters())


_STEPPERS = WeightsCache(FastStepper)
_READERS = WeightsCache(lambda model: LayerReader(model.rnn, torch.float32))
