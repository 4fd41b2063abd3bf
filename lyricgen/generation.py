"""Lyrics from a trained model: a request checked and prepared, a fast stepper, and the text as it grows.

Shapes: B sequences in the batch, T characters, H hidden units, G gate rows (4 H for an LSTM, H for an RNN), C classes.
"""

import logging
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from weakref import WeakKeyDictionary

import torch
from torch import nn

from lyricgen.arguments import check_choice, check_integer, check_seed, check_text
from lyricgen.checkpoints import bundled_models, load_model
from lyricgen.decoding import (
    LARGEST_BEAM,
    BeamDecodingStrategy,
    GreedyDecodingStrategy,
    Hypothesis,
    SamplingDecodingStrategy,
    check_sampling,
)
from lyricgen.errors import ArgumentError
from lyricgen.models import CharacterModel, Hidden
from lyricgen.vocabulary import CHARACTERS, OOV_LABEL, START_LABEL, character_to_label, token_ids_to_str

log = logging.getLogger("lyricgen")
STRATEGIES = ("sample", "greedy", "beam")
LONGEST = 5_000  # characters of a lyric, prefix included
ANY_ARTIST = "any artist"
NAMED_CHARACTERS = 8  # of those a note lists
STRETCH = 250  # characters of a long prefix that a layer reads at a time
LONG_PREFIX = 64  # characters; a longer prefix is read in one pass, a shorter one takes steps as generation does


@dataclass(frozen=True)
class Request:
    """A lyric that was asked for, checked: what to read, how to go on, and what the asker should know.

    Raises:
        ArgumentError: a setting lies outside what is allowed; the message names it, its value and what is allowed.
    """

    model: CharacterModel
    prefix: str = ""
    artist: str | None = None
    strategy: str = "sample"
    temperature: float = 0.7
    top_k: int = 0
    top_p: float = 1.0
    max_length: int = 300
    seed: int | None = None
    beam_size: int = 5
    notes: tuple[str, ...] = field(init=False, default=())
    """What was done to the prefix, a sentence each."""

    def __post_init__(self):
        temperature, top_k, top_p = check_sampling(self.temperature, self.top_k, self.top_p)
        prefix, max_length, notes = _check_prefix(self.prefix, self.max_length)
        values = {
            "strategy": check_choice("strategy", self.strategy, STRATEGIES),
            "temperature": temperature,
            "top_k": top_k,
            "top_p": top_p,
            "max_length": max_length,
            "seed": secrets.randbits(32) if self.seed is None else check_seed(self.seed),
            "beam_size": check_integer("beam_size", self.beam_size, 1, LARGEST_BEAM),
            "artist": check_artist(self.artist, self.model),
            "prefix": prefix,
            "notes": notes,
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def stream(self) -> Iterator[str]:
        """The whole text so far, the prefix as typed, after each new character (or of the best beam so far)."""
        model, device = self.model, next(self.model.parameters()).device
        labels = [START_LABEL, *read_labels(self.prefix, model.line_breaks)]
        start = Hypothesis(torch.tensor([labels], device=device))
        stepper = FastStepper.of(model, None if self.artist is None else model.artists.index(self.artist))
        length = self.max_length + 1  # label 100 opens the song
        if self.strategy == "beam":
            for best in BeamDecodingStrategy(stepper).stream(start, length, self.beam_size):
                yield self.prefix + token_ids_to_str(best[0])
        elif self.strategy == "greedy":
            yield from self._growing(GreedyDecodingStrategy(stepper).stream(start, length))
        else:
            settings = (self.temperature, self.top_k, self.top_p, self.seed)
            yield from self._growing(SamplingDecodingStrategy(stepper).stream(start, length, *settings))
        if len(self.prefix) == self.max_length:
            yield self.prefix

    def text(self) -> str:
        """The finished text: exactly `max_length` characters."""
        text = self.prefix
        for text in self.stream():  # noqa: B007
            pass
        return text

    def _growing(self, steps: Iterator[torch.Tensor]) -> Iterator[str]:
        text = self.prefix
        for labels in steps:
            text += CHARACTERS[int(labels)]
            yield text


def stream_lyrics(
    prefix: str = "",
    *,
    artist: str | None = None,
    model: str | Path | CharacterModel = "lstm",
    strategy: str = "sample",
    temperature: float = 0.7,
    top_k: int = 0,
    top_p: float = 1.0,
    max_length: int = 300,
    seed: int | None = None,
    beam_size: int = 5,
) -> Iterator[str]:
    """Writes a lyric and yields the whole text each time that it has grown by a character.

    Args:
        prefix: how it begins; it is echoed as typed, and read in lower case. Characters outside the vocabulary are
            read as label 100. Empty: the model begins the song.
        artist: one of `load_model(model).artists`; None: any artist.
        model: 'lstm', 'vanilla-rnn', a model folder, a `.ckpt` file, or a loaded model.
        strategy: 'sample', 'greedy' or 'beam'.
        temperature: of sampling, 0 to 100; 0 is greedy.
        top_k: sample from so many of the likeliest characters only, 0 to 100; 0: from all.
        top_p: sample from the likeliest that together have this probability, above 0 up to 1.
        max_length: characters in all, prefix included, 1 to 5,000.
        seed: the same seed gives the same text; None: another text every time.
        beam_size: hypotheses of the beam, 1 to 32.

    Raises:
        ArgumentError: an argument lies outside what is allowed.
        ModelError: there is no such model, or its files are damaged.
    """
    settings = {name: value for name, value in locals().items() if name != "prefix"}
    return make_request(prefix, **settings).stream()


def generate_lyrics(
    prefix: str = "",
    *,
    artist: str | None = None,
    model: str | Path | CharacterModel = "lstm",
    strategy: str = "sample",
    temperature: float = 0.7,
    top_k: int = 0,
    top_p: float = 1.0,
    max_length: int = 300,
    seed: int | None = None,
    beam_size: int = 5,
) -> str:
    """The finished text of `stream_lyrics`, with the same arguments and errors: exactly `max_length` characters.

    A run of two spaces or more is a section break, see `show_breaks`.
    """
    settings = {name: value for name, value in locals().items() if name != "prefix"}
    return make_request(prefix, **settings).text()


def make_request(prefix: str = "", *, model: str | Path | CharacterModel = "lstm", **settings) -> Request:
    """The request behind `stream_lyrics`, with the same arguments and errors; its notes go to the log."""
    request = Request(loaded(model), prefix, **settings)
    for note in request.notes:
        log.warning(note)
    return request


def prefix_notes(prefix: str, max_length: int = 300) -> tuple[str, ...]:
    """What an asker should know of how a prefix will be used, a sentence each; empty if it is used as it is.

    Raises:
        ArgumentError: the prefix is longer than `max_length`, though a longer lyric could hold it.
    """
    return _check_prefix(prefix, max_length)[2]


def _check_prefix(prefix: str, max_length: int) -> tuple[str, int, tuple[str, ...]]:
    """The part of a prefix that is used, `max_length` as an int, and the notes.

    A prefix that no lyric could hold is used to its last characters, so that half of the lyric is left to write.
    """
    prefix, notes = check_text("prefix", prefix), []
    max_length = check_integer("max_length", max_length, 1, LONGEST)
    if len(prefix) > LONGEST:
        kept = max(1, max_length // 2)
        notes.append(
            f"The prefix has {len(prefix):,} characters, more than the {LONGEST:,} that a lyric can have: "
            f"its last {kept:,} are used."
        )
        prefix = prefix[-kept:]
    if len(prefix) > max_length:
        raise ArgumentError(
            f"max_length must be at least the prefix's {len(prefix):,} characters, since it counts them too; got {max_length:,}"
        )
    if unknown := unknown_characters(prefix):
        notes.append(unknown)
    return prefix, max_length, tuple(notes)


def check_artist(artist: str | None, model: CharacterModel) -> str | None:
    """The name of one of the model's artists, None for any.

    Raises:
        ArgumentError: the model does not know it; the message offers the nearest.
    """
    if artist is None or (isinstance(artist, str) and artist.strip().casefold() in ("", "any", ANY_ARTIST)):
        return None
    if not model.artists:
        raise ArgumentError(f"artist must be left out, this model was trained without artists; got {artist!r}")
    return check_choice("artist", artist, model.artists)


def read_labels(text: str, line_breaks: bool = False) -> list[int]:
    """The labels that a model reads for a text, one a character: in lower case, line breaks as spaces unless told."""
    labels = (character_to_label(character.lower()) for character in text)
    if line_breaks:
        return list(labels)
    space = character_to_label(" ")
    return [space if character in "\r\n" else label for character, label in zip(text, labels, strict=True)]


def unknown_characters(text: str) -> str:
    """A note on the characters of a text that lie outside the vocabulary; '' if there are none."""
    unknown = sorted({character for character in text if character_to_label(character.lower()) == OOV_LABEL})
    if not unknown:
        return ""
    named = ", ".join(
        character if character.isprintable() else f"U+{ord(character):04X}" for character in unknown[:NAMED_CHARACTERS]
    )
    more = f" and {len(unknown) - NAMED_CHARACTERS} more" if len(unknown) > NAMED_CHARACTERS else ""
    return f"Outside the model's {len(CHARACTERS)} characters, and read as unknown: {named}{more}."


def show_breaks(text: str, prefix_length: int = 0) -> str:
    """A generated text as people read it: behind the prefix, each space of a run of two or more is a line break.

    The songs hold no line breaks; a run of spaces is what is left of a section break. The length stays the same.

    >>> show_breaks("the end  of the line")
    'the end\\n\\nof the line'
    """
    prefix, written = text[:prefix_length], text[prefix_length:]
    shown = list(written)
    for at, character in enumerate(written):
        if character == " " and " " in (written[at - 1 : at], written[at + 1 : at + 2]):
            shown[at] = "\n"
    return prefix + "".join(shown)


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

    _made: WeakKeyDictionary = WeakKeyDictionary()

    def __init__(self, model: CharacterModel, dtype: torch.dtype | None = None):
        self.weights_read, rnn = _fingerprint(model), model.rnn
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
        self.reading = self.dtype if self.is_lstm else torch.float32  # nn.RNN is no faster in bfloat16
        self.readers = [one_layer(rnn, layer).to(self.reading) for layer in range(self.n_layers)]

    @classmethod
    def of(cls, model: CharacterModel, artist: int | None = None) -> "ArtistStepper":
        """The stepper of a model, made once for its present weights, in an artist's style (None: any)."""
        stepper = cls._made.get(model)
        if stepper is None or stepper.weights_read != _fingerprint(model):
            stepper = cls._made[model] = cls(model)
        return ArtistStepper(stepper, model, artist)

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
        """Long sequences (B, T, H) through the layers, each a stretch behind the one below it, and beside it in time.

        A thread a layer waits for the others only between stretches, so that cores which are busy with something else
        slow it down no more than they must.

        Returns:
            outputs of the last layer, float32 (B, T, H), and the hidden state after them.
        """
        inputs = [list(embedded.to(self.reading).split(STRETCH, dim=1)), *([] for _ in self.readers)]
        states, waves = [None] * self.n_layers, len(inputs[0]) + self.n_layers - 1

        @torch.inference_mode()
        def go_on(layer: int, wave: int):
            return self.readers[layer](inputs[layer][wave - layer], states[layer])

        with ThreadPoolExecutor(self.n_layers, initializer=torch.set_num_threads, initargs=(1,)) as threads:
            for wave in range(waves):
                active = [layer for layer in range(self.n_layers) if 0 <= wave - layer < len(inputs[0])]
                read = list(threads.map(partial(go_on, wave=wave), active))
                for layer, (output, state) in zip(active, read, strict=True):
                    inputs[layer + 1].append(output)
                    states[layer] = state
        hidden = tuple(map(torch.cat, zip(*states, strict=True))) if self.is_lstm else torch.cat(states)
        return torch.cat(inputs[-1], dim=1).float(), self.own(hidden)

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
        self.table = stepper.table + stepper.artist_table[-1 if artist is None else artist]

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

    @torch.inference_mode()
    def skim(self, labels: list[int]) -> Hidden:
        """The hidden state after all labels of one long prefix but the last, as `read` has it there."""
        return self._pass(torch.tensor([labels[:-1]], device=self.stepper.table.device))[1]

    def _pass(self, token_ids: torch.Tensor) -> tuple[torch.Tensor, Hidden]:
        """The last layer's outputs (B, T, H) for labels (B, T) in one pass, and the hidden state after them."""
        embedded = self.module.embeddings(token_ids)
        if self.artist is not None:
            embedded = embedded + self.module.artist_embeddings(self._artists(token_ids))[:, None, :]
        return self.stepper.read_long(embedded)

    def _artists(self, token_ids: torch.Tensor) -> torch.Tensor | None:
        return None if self.artist is None else torch.full((len(token_ids),), self.artist, device=token_ids.device)

    def step(self, labels: torch.Tensor, hidden: Hidden) -> tuple[torch.Tensor, Hidden]:
        """One more character a row."""
        return self.stepper.step(self.table[labels], hidden)


def _fingerprint(model: CharacterModel) -> tuple:
    """Where each weight lies and how often it was changed in place: another after training or a move."""
    return tuple((value.data_ptr(), 0 if value.is_inference() else value._version) for value in model.parameters())


def loaded(model: str | Path | CharacterModel) -> CharacterModel:
    if isinstance(model, CharacterModel):
        return model
    if isinstance(model, str) and model.strip().lower() in bundled_models():
        return _bundled(model.strip().lower())
    return load_model(model)


@lru_cache
def _bundled(name: str) -> CharacterModel:
    with torch.inference_mode(False):  # a caller in inference mode must not make it one that cannot be trained
        return load_model(name)
