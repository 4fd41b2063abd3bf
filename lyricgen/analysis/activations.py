"""Hidden units along a text, and the features of the text that they correlate with.

After Karpathy, Johnson and Li (2015), "Visualizing and Understanding Recurrent Networks", who found units that count the
position in a line or switch on inside quotes.

Shapes: T characters of the text, L layers, H units of each, F features.
"""

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import nn

from lyricgen.analysis.scoring import check_scored, embed_song, model_name, read_layers
from lyricgen.display import html_table, one_line, quoted
from lyricgen.models.loading import resolve_model
from lyricgen.models.networks import CharacterModel
from lyricgen.models.text import check_artist, line_spans, read_labels
from lyricgen.models.vocabulary import TO_APOSTROPHE
from lyricgen.validation import check_integer

REPEATED_LENGTH = 8  # characters of a passage that counts as repeated
PERMUTATIONS = 19  # random shifts of a feature; the largest |r| among 19 is exceeded by chance once in 20 times
BEST_UNITS = 5  # units listed per feature
VARYING_UNITS = 10  # units listed as those of the largest deviation
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_BRACKETS = re.compile(r"\([^()]*\)|\[[^][]*\]|\{[^{}]*\}")
_QUOTES = re.compile(r'"[^"]*"')


@dataclass(frozen=True)
class Unit:
    """A hidden unit, and the range of its activations along a text."""

    layer: int
    """From 1, the lowest."""
    unit: int
    """From 0."""
    deviation: float
    """Standard deviation of its activations."""
    least: float
    greatest: float


@dataclass(frozen=True)
class FeatureCorrelation:
    """A feature of a text, and the units that correlate with it most."""

    feature: str
    constant: bool
    """Whether the feature has one value along the whole text, and so no correlation."""
    permutation_max_r: float | None
    """Largest |r| of any unit with the feature shifted along the text, over 19 random shifts: a larger one is unlikely by
    chance (p about 0.05). None for a constant feature."""
    units: tuple[tuple[int, int, float], ...]
    """(layer, unit, r) in descending order of |r|; r is Pearson's correlation of the unit with the feature."""

    def to_dict(self) -> dict:
        """As plain values, with the keys of `/cells`."""
        units = [{"layer": layer, "unit": unit, "r": r} for layer, unit, r in self.units]
        return {"feature": self.feature, "constant": self.constant, "chance": self.permutation_max_r, "units": units}


class Activations:
    """The hidden units of a model along a text; see `read_cells`.

    Attributes:
        text: (T,).
        model, artist: the names of the model and of the artist; artist None: any.
        hidden: float32 (L, T, H): the activation of each unit after each character, from -1 to 1.
    """

    def __init__(self, text: str, model: str, artist: str | None, network: CharacterModel, layers: list[torch.Tensor]):
        self.text, self.model, self.artist, self._network = text, model, artist, network
        self._outputs = layers  # of each layer (T + 1, H); the first row is the one after label 100
        self.hidden = np.stack([output[1:].cpu().numpy() for output in layers])

    def __repr__(self) -> str:
        return one_line(self, quoted(self.text), self.model, f"{self.layers} layers of {self.units} units")

    def _repr_html_(self) -> str:
        """For each feature of the text the unit that correlates with it most, as a table."""
        rows = []
        for found in self.feature_correlations(1):
            for layer, unit, r in found.units:
                rows.append([found.feature, f"{layer}", f"{unit}", f"{r:.2f}", f"{found.permutation_max_r:.2f}"])
        return html_table(
            f"{self.model}: units that follow the text", ["feature", "layer", "unit", "r", "chance"], rows
        )

    @property
    def layers(self) -> int:
        """Number of layers."""
        return self.hidden.shape[0]

    @property
    def units(self) -> int:
        """Units per layer."""
        return self.hidden.shape[2]

    def unit(self, layer: int, unit: int) -> Unit:
        """One unit; layers count from 1, units from 0.

        Raises:
            ArgumentError: there is no such layer, or no such unit.
        """
        layer, unit = check_integer("layer", layer, 1, self.layers), check_integer("unit", unit, 0, self.units - 1)
        values = self.hidden[layer - 1, :, unit]
        return Unit(layer, unit, float(values.std()), float(values.min()), float(values.max()))

    def varying_units(self, layer: int, count: int = VARYING_UNITS) -> list[Unit]:
        """The units of a layer with the largest deviation along the text, in descending order."""
        deviations = self.hidden[layer - 1].std(axis=0)
        return [self.unit(layer, unit) for unit in np.argsort(-deviations, kind="stable")[:count].tolist()]

    varying = varying_units  # the earlier name

    def cell_states(self, layer: int, unit: int) -> np.ndarray | None:
        """The cell state c of an LSTM's unit after each character, float32 (T,); None for an RNN."""
        gates = self._lstm_gates(layer, unit)
        if gates is None:
            return None
        states, state = [], 0.0
        for input_gate, forget_gate, proposal, _ in gates.tolist():
            state = forget_gate * state + input_gate * proposal
            states.append(state)
        return np.array(states[1:], dtype=np.float32)

    def gates(self, layer: int, unit: int) -> dict[str, np.ndarray] | None:
        """The gates of an LSTM's unit at each character, 0 (closed) to 1 (open), float32 (T,) each; None for an RNN.

        'input' lets the proposal into the cell state, 'forget' keeps the old cell state, 'output' lets it out as the activation.
        """
        gates = self._lstm_gates(layer, unit)
        if gates is None:
            return None
        return {name: gates[1:, column].numpy() for name, column in (("input", 0), ("forget", 1), ("output", 3))}

    def _lstm_gates(self, layer: int, unit: int) -> torch.Tensor | None:
        """The gates i, f, g and o of an LSTM's unit after label 100 and each character (T + 1, 4); None for an RNN.

        All hidden states are known, so the gates need no recurrence.
        """
        rnn, below = self._network.rnn, layer - 1
        if not isinstance(rnn, nn.LSTM):
            return None
        rows = torch.arange(4) * self.units + unit  # gates i f g o, in torch's order
        weight_ih, weight_hh, bias_ih, bias_hh = (
            getattr(rnn, f"{name}_l{below}").detach().cpu()[rows]
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        with torch.inference_mode():
            inputs = (self._outputs[below - 1] if below else self._embedded()).cpu()  # (T + 1, H)
            previous = torch.cat([torch.zeros(1, self.units), self._outputs[below][:-1].cpu()])
            gates = inputs @ weight_ih.T + previous @ weight_hh.T + bias_ih + bias_hh  # (T + 1, 4)
            proposal = gates[:, 2].tanh()
            gates = gates.sigmoid_()
            gates[:, 2] = proposal
        return gates

    def feature_correlations(self, count: int = BEST_UNITS) -> list[FeatureCorrelation]:
        """For each feature of the text, the units of all layers that correlate with it most."""
        activations = self.hidden.transpose(0, 2, 1).reshape(self.layers * self.units, -1)  # (L H, T)
        centred = activations - activations.mean(axis=1, keepdims=True)
        norms = np.linalg.norm(centred, axis=1, keepdims=True)
        directions = np.divide(centred, norms, out=np.zeros_like(centred), where=norms > 1e-6)
        shifts = np.random.default_rng(0).integers(1, max(2, len(self.text)), PERMUTATIONS).tolist()
        return [
            self._correlate(name, values, directions, shifts, count)
            for name, values in text_features(self.text).items()
        ]

    def _correlate(
        self, name: str, values: np.ndarray, directions: np.ndarray, shifts: list[int], count: int
    ) -> FeatureCorrelation:
        """Correlates a feature (T,), and the same feature shifted, with all units' directions (L H, T)."""
        centred = values - values.mean()
        norm = np.linalg.norm(centred)
        if norm < 1e-9:
            return FeatureCorrelation(name, True, None, ())
        shifted = np.stack([centred, *(np.roll(centred, shift) for shift in shifts)], axis=1) / norm  # (T, 20)
        r = directions @ shifted.astype(np.float32)  # (L H, 20)
        best = np.argsort(-np.abs(r[:, 0]), kind="stable")[:count].tolist()
        units = [(row // self.units + 1, row % self.units, float(r[row, 0].clip(-1, 1))) for row in best]
        return FeatureCorrelation(name, False, float(min(1.0, np.abs(r[:, 1:]).max())), tuple(units))

    def _embedded(self) -> torch.Tensor:
        """The first layer's input (T + 1, H)."""
        return embed_song(read_labels(self.text, self._network.line_breaks), self.artist, self._network)[0]


def read_cells(text: str, *, artist: str | None = None, model: str | Path | CharacterModel = "lstm") -> Activations:
    """Reads the hidden units of a model along a text; arguments and errors as of `lyricgen.score`."""
    network = resolve_model(model)
    text, artist = check_scored(text), check_artist(artist, network)
    return Activations(text, model_name(model), artist, network, read_layers(text, artist, network)[1])


def text_features(text: str) -> dict[str, np.ndarray]:
    """Features of each character of a text, by name: float64 (T,), 0 or 1 for a yes-or-no feature.

    >>> text_features('a "b" c')["inside quotes"].tolist()
    [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]
    """
    text = text.translate(TO_APOSTROPHE)  # as the models read it
    text = "".join(lower if len(lower := character.lower()) == 1 else character for character in text)
    return {
        **_line_features(text),
        "inside quotes": _inside(_QUOTES, text),
        "inside brackets": _inside(_BRACKETS, text),
        "space": _indicator(text, str.isspace),
        **_word_features(text),
        "vowel": _indicator(text, "aeiou".__contains__),
        "punctuation": _indicator(text, lambda character: not (character.isalnum() or character.isspace())),
        "repeated passage": _repeated_passages(text),
        "position in text": np.arange(len(text)) / max(1, len(text) - 1),
    }


def unit_facts(cells: Activations, layer: int | None = None, unit: int | None = None) -> dict:
    """The answer of `/cells`: a unit along a text, the most varying units of its layer, and the correlations of features.

    Args:
        cells: from `read_cells`.
        layer: from 1; None: the top layer.
        unit: from 0; None: the unit of the layer with the largest deviation.

    Raises:
        ArgumentError: there is no such layer, or no such unit.
    """
    layer = cells.layers if layer is None else check_integer("layer", layer, 1, cells.layers)
    varying = cells.varying_units(layer)
    selected = varying[0] if unit is None else cells.unit(layer, unit)
    states = cells.cell_states(selected.layer, selected.unit)
    gates = cells.gates(selected.layer, selected.unit)
    return {
        "model": cells.model,
        "artist": cells.artist,
        "layers": cells.layers,
        "units": cells.units,
        "layer": selected.layer,
        "unit": selected.unit,
        "activations": cells.hidden[selected.layer - 1, :, selected.unit].tolist(),
        "cell_states": None if states is None else states.tolist(),
        "gates": None if gates is None else {name: values.tolist() for name, values in gates.items()},
        "varying": [asdict(varying_unit) for varying_unit in varying],
        "features": [correlation.to_dict() for correlation in cells.feature_correlations()],
    }


def _line_features(text: str) -> dict[str, np.ndarray]:
    position, section_break = np.zeros(len(text)), np.zeros(len(text))
    spans = line_spans(text)
    for start, stop in spans:
        position[start:stop] = np.arange(stop - start)
    for (_, stop), (next_start, _) in pairwise(spans):
        section_break[stop:next_start] = 1
    return {"position in line": position, "section break": section_break}


def _word_features(text: str) -> dict[str, np.ndarray]:
    word_start, position, repeated = np.zeros(len(text)), np.zeros(len(text)), np.zeros(len(text))
    seen = set()
    for match in _WORD.finditer(text):
        start, stop = match.span()
        word_start[start] = 1
        position[start:stop] = np.arange(1, stop - start + 1)
        repeated[start:stop] = match[0] in seen
        seen.add(match[0])
    return {"start of a word": word_start, "position in word": position, "word seen before": repeated}


def _inside(pattern: re.Pattern, text: str) -> np.ndarray:
    """1 between the first and the last character of each match."""
    values = np.zeros(len(text))
    for match in pattern.finditer(text):
        values[match.start() + 1 : match.end() - 1] = 1
    return values


def _indicator(text: str, holds: Callable[[str], bool]) -> np.ndarray:
    """1 at each character for which a condition holds."""
    return np.array([holds(character) for character in text], dtype=np.float64)


def _repeated_passages(text: str) -> np.ndarray:
    """1 at each character that ends a passage of eight characters which occurred before."""
    values, seen = np.zeros(len(text)), set()
    for stop in range(REPEATED_LENGTH, len(text) + 1):
        passage = text[stop - REPEATED_LENGTH : stop]
        values[stop - 1] = passage in seen
        seen.add(passage)
    return values
