"""The two character-level models, a vanilla RNN and an LSTM, both conditioned on an artist.

Shapes: B sequences in the batch, T characters, H hidden units, L layers, C = 100 classes, A artists.
"""

import copy
from collections.abc import Callable, Sequence
from typing import TypeVar

import torch
from torch import nn

from lyricgen.errors import ArgumentError
from lyricgen.models.memory import MemoryConstants
from lyricgen.models.vocabulary import INPUT_SIZE, NUM_CLASSES, PADDING_LABEL

MAX_WEIGHT = torch.finfo(torch.float16).max  # in the model folder's float16
Module = TypeVar("Module", bound=nn.Module)
Hidden = torch.Tensor | tuple[torch.Tensor, torch.Tensor]
"""States (L, B, H), for an LSTM with its cells (L, B, H)."""


class CharacterModel(nn.Module):
    """The base of both models: embedding, recurrent layers, linear layer. Use `VanillaRNN` or `ImprovedSeqModel`.

    Args:
        input_size: input labels; 101.
        hidden_size: units of each layer, and of the embedding.
        num_classes: output labels; 100.
        n_layers: recurrent layers.
        padding_label: the label with the zero embedding.
        artists: names of the artists that the model is conditioned on, position = label; empty: not conditioned.
        dropout: share of activations dropped between the layers and before the linear layer, in training only.
    """

    cell: type[nn.RNN] | type[nn.LSTM] | type[nn.GRU]

    def __init__(
        self,
        input_size: int = INPUT_SIZE,
        hidden_size: int = 512,
        num_classes: int = NUM_CLASSES,
        n_layers: int = 2,
        padding_label: int = PADDING_LABEL,
        artists: Sequence[str] = (),
        dropout: float = 0.0,
    ):
        super().__init__()
        self.input_size, self.hidden_size, self.num_classes = input_size, hidden_size, num_classes
        self.n_layers, self.padding_label, self.dropout = n_layers, padding_label, dropout
        self.artists = tuple(artists)
        self.line_breaks = False  # whether the training text had line breaks; if so, the model reads and writes them
        self.memory: MemoryConstants | None = None  # constants of the memory of the song so far; None: not fitted
        self.embeddings = nn.Embedding(input_size, hidden_size, padding_idx=padding_label)
        if self.artists:  # one row per label, then a zero row for 'any artist'
            any_artist = len(self.artists)
            self.artist_embeddings = nn.Embedding(any_artist + 1, hidden_size, padding_idx=any_artist)
        self.rnn = self.cell(
            hidden_size, hidden_size, n_layers, batch_first=True, dropout=dropout if n_layers > 1 else 0.0
        )
        self.output_dropout = nn.Dropout(dropout)
        self.ffnn = nn.Linear(hidden_size, num_classes)
        self._reset_parameters()

    @torch.no_grad()
    def _reset_parameters(self) -> None:
        """Scales embeddings down, those of artists more, and opens the forget gates."""
        self.embeddings.weight.mul_(0.3)
        if self.artists:
            self.artist_embeddings.weight.mul_(0.1)
        if isinstance(self.rnn, nn.LSTM):
            for layer in range(self.n_layers):
                forget_gate = slice(self.hidden_size, 2 * self.hidden_size)
                getattr(self.rnn, f"bias_ih_l{layer}")[forget_gate] = 1.0

    @property
    def any_artist(self) -> int:
        """The artist label for no artist in particular."""
        return len(self.artists)

    @property
    def config(self) -> dict:
        """The constructor's arguments: `type(model)(**model.config)` has the same shape."""
        return {
            "input_size": self.input_size,
            "hidden_size": self.hidden_size,
            "num_classes": self.num_classes,
            "n_layers": self.n_layers,
            "padding_label": self.padding_label,
            "artists": list(self.artists),
            "dropout": self.dropout,
        }

    def forward(
        self,
        input_sequences: torch.Tensor,
        input_sequences_lengths: torch.Tensor | None,
        hidden: Hidden | None = None,
        artists: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, Hidden]:
        """Reads sequences and predicts each next character.

        Args:
            input_sequences: labels (B, T).
            input_sequences_lengths: characters of each row (B,), the rest is padding; None: all T.
            hidden: the initial state; None: zeros.
            artists: artist labels (B,), or mixes (B, A + 1), see `artist_vectors`; None: any artist.

        Returns:
            logits (B, T, C), and the hidden state of each row after its last character.

        Raises:
            ArgumentError: artists were given to a model without artists, or a length is above T.
        """
        embedded = self.embed(input_sequences, artists)  # (B, T, H)
        lengths = None if input_sequences_lengths is None else input_sequences_lengths.reshape(-1).cpu()
        if lengths is None or bool((lengths == input_sequences.shape[1]).all()):
            outputs, hidden = self.rnn(embedded, hidden)  # (B, T, H)
        else:
            outputs, hidden = self._run_ragged(embedded, lengths, hidden)
        return self.ffnn(self.output_dropout(outputs)), hidden

    def embed(self, input_sequences: torch.Tensor, artists: torch.Tensor | None = None) -> torch.Tensor:
        """The first layer's input (B, T, H) for labels (B, T) and artists as in `artist_vectors`; None: any artist.

        Raises:
            ArgumentError: artists were given to a model without artists.
        """
        embedded = self.embeddings(input_sequences)
        return embedded if artists is None else embedded + self.artist_vectors(artists)[:, None, :]

    def artist_vectors(self, artists: torch.Tensor) -> torch.Tensor:
        """The artist embeddings (B, H) of artist labels (B,), or of mixes: the weight of each row of the embedding (B, A + 1).

        Raises:
            ArgumentError: the model has no artists.
        """
        if not self.artists:
            raise ArgumentError("artists must be left out, this model was made without artists")
        if artists.is_floating_point():
            return artists @ self.artist_embeddings.weight
        return self.artist_embeddings(artists)

    def _run_ragged(
        self, embedded: torch.Tensor, lengths: torch.Tensor, hidden: Hidden | None
    ) -> tuple[torch.Tensor, Hidden]:
        """Runs rows of different lengths: between two row ends, only the unfinished rows.

        The result is that of a packed sequence, but the backward pass on a CPU is linear in T, not quadratic.
        """
        rows, steps, _ = embedded.shape
        if len(lengths) != rows or int(lengths.min()) < 0 or int(lengths.max()) > steps:
            raise ArgumentError(
                f"input_sequences_lengths must be {rows} numbers from 0 to {steps}, got {lengths.tolist()}"
            )
        if hidden is None:
            zeros = embedded.new_zeros(self.n_layers, rows, self.hidden_size)
            hidden = (zeros, zeros) if isinstance(self.rnn, nn.LSTM) else zeros
        lengths, order = lengths.sort(descending=True)
        order = order.to(embedded.device)
        state = map_state(lambda part: part[:, order], hidden)
        outputs, ended, start = [], [], 0
        for end in sorted({int(length) for length in lengths}):
            running = int((lengths >= end).sum())  # rows are longest first, so the finished ones are last
            ended.append(map_state(lambda part, n=running: part[:, n:], state))
            state = map_state(lambda part, n=running: part[:, :n].contiguous(), state)
            if end > start:
                output, state = self.rnn(embedded[order[:running], start:end], state)
                outputs.append(nn.functional.pad(output, (0, 0, 0, 0, 0, rows - running)))
                start = end
        outputs.append(embedded.new_zeros(rows, steps - start, self.hidden_size))
        back = order.argsort()
        pieces = [state, *reversed(ended)]
        state = map_state(lambda *parts: torch.cat(parts, dim=1)[:, back], *pieces)
        return torch.cat(outputs, dim=1)[back], state


class VanillaRNN(CharacterModel):
    """Elman RNN layers with tanh: the notebook's first model. 1.15 M parameters at the notebook's size.

    >>> sum(parameter.numel() for parameter in VanillaRNN().parameters())
    1153636
    """

    cell = nn.RNN


class ImprovedSeqModel(CharacterModel):
    """LSTM layers: the notebook's improved model. 4.3 M parameters at the notebook's size.

    >>> sum(parameter.numel() for parameter in ImprovedSeqModel().parameters())
    4305508
    """

    cell = nn.LSTM


def map_state(function: Callable[..., torch.Tensor], *states: Hidden) -> Hidden:
    """Applies `function` to the tensors of one or more hidden states: to the states and, for an LSTM, to the cells.

    >>> map_state(lambda *parts: torch.cat(parts, dim=1), torch.zeros(2, 1, 8), torch.zeros(2, 3, 8)).shape
    torch.Size([2, 4, 8])
    """
    if isinstance(states[0], tuple):
        return function(*(state[0] for state in states)), function(*(state[1] for state in states))
    return function(*states)


def model_config(model: CharacterModel) -> dict:
    """The class and the shape of a model, from which `lyricgen.models.checkpoints.make_model` builds another."""
    return {"class": type(model).__name__, "model": model.config}


def in_eval_mode(module: Module) -> Module:
    """A module, or a copy of it in eval mode where it is in training mode, in which dropout would make each answer another one.

    The module itself may be in use by other threads, so its mode stays.
    """
    return copy.deepcopy(module).eval() if module.training else module


def has_finite_weights(model: nn.Module) -> bool:
    """Whether every weight is finite in float16, so that no weight makes a prediction NaN."""
    return all(bool(value.abs().max() <= MAX_WEIGHT) for value in model.parameters() if value.numel())  # NaN is not <=


MODEL_CLASSES = {model_class.__name__: model_class for model_class in (VanillaRNN, ImprovedSeqModel)}
