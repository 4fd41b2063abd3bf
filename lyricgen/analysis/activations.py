"""Hidden units along a text, and which of them follow what: after Karpathy, Johnson and Li (2015), "Visualizing and
Understanding Recurrent Networks", who found units that count the position in a line or switch on inside quotes.

Shapes: T characters of the text, L layers, H units of each, F features.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from lyricgen.analysis.scoring import check_scored, line_places, model_name, read_layers
from lyricgen.models.loading import resolve_model
from lyricgen.models.networks import CharacterModel
from lyricgen.models.text import check_artist, read_labels
from lyricgen.models.vocabulary import START_LABEL
from lyricgen.validation import check_integer

REPEAT = 8  # characters; a passage of so many that stood before is a repetition
SHIFTS = 19  # the largest of so many is passed by chance once in twenty times
BEST = 5  # units that are named for a feature
VARYING = 10  # units that are named as those that vary most
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_BRACKETS = re.compile(r"\([^()]*\)|\[[^][]*\]|\{[^{}]*\}")
_QUOTES = re.compile(r'"[^"]*"')


@dataclass(frozen=True)
class Unit:
    """A hidden unit and how it goes along a text."""

    layer: int
    """From 1, the lowest."""
    unit: int
    """From 0."""
    deviation: float
    """Standard deviation of its activations."""
    least: float
    greatest: float


@dataclass(frozen=True)
class Following:
    """A feature of a text and the units that follow it."""

    feature: str
    constant: bool
    """It is the same at every character, so that nothing can follow it."""
    chance: float | None
    """The largest |r| that any unit reaches with the feature moved along the text, of 19 random moves: beyond it, chance
    alone is unlikely (p about 0.05). None for a constant feature."""
    units: tuple[tuple[int, int, float], ...]
    """(layer, unit, r), the largest |r| first: Pearson's correlation of the unit with the feature."""


class Activations:
    """The hidden units of a model along a text, as `read_cells` gives them.

    Attributes:
        text: the text (T,).
        model, artist: what read it; artist None: any.
        hidden: float32 (L, T, H): the activation of each unit after each character, from -1 to 1.
    """

    def __init__(self, text: str, model: str, artist: str | None, module: CharacterModel, layers: list[torch.Tensor]):
        self.text, self.model, self.artist, self._module = text, model, artist, module
        self._outputs = layers  # of each layer (T + 1, H); the first row is that after label 100
        self.hidden = np.stack([output[1:].cpu().numpy() for output in layers])

    @property
    def layers(self) -> int:
        """How many there are."""
        return self.hidden.shape[0]

    @property
    def units(self) -> int:
        """How many a layer has."""
        return self.hidden.shape[2]

    def unit(self, layer: int, unit: int) -> Unit:
        """A unit and how it goes along the text.

        Raises:
            ArgumentError: there is no such layer, or no such unit.
        """
        layer, unit = check_integer("layer", layer, 1, self.layers), check_integer("unit", unit, 0, self.units - 1)
        values = self.hidden[layer - 1, :, unit]
        return Unit(layer, unit, float(values.std()), float(values.min()), float(values.max()))

    def varying(self, layer: int, count: int = VARYING) -> list[Unit]:
        """The units of a layer that vary most along the text, those that do so most first."""
        deviations = self.hidden[layer - 1].std(axis=0)
        return [self.unit(layer, unit) for unit in np.argsort(-deviations, kind="stable")[:count].tolist()]

    def cell_states(self, layer: int, unit: int) -> np.ndarray | None:
        """The memory c of an LSTM's unit after each character, float32 (T,), of which h shows a part; None for an RNN.

        The gates are those that the layer computed: its states are known, so they need no recurrence.
        """
        rnn, at = self._module.rnn, layer - 1
        if not isinstance(rnn, nn.LSTM):
            return None
        rows = torch.arange(4) * self.units + unit  # i f g o, as torch orders them
        weights = {
            name: getattr(rnn, f"{name}_l{at}").detach().cpu()[rows]
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        }
        with torch.inference_mode():
            below = (self._outputs[at - 1] if at else self._embedded()).cpu()  # (T + 1, H)
            before = torch.cat([torch.zeros(1, self.units), self._outputs[at][:-1].cpu()])
            gates = below @ weights["weight_ih"].T + before @ weights["weight_hh"].T
            gates += weights["bias_ih"] + weights["bias_hh"]
            opened = (gates[:, 0].sigmoid() * gates[:, 2].tanh()).tolist()
            kept = gates[:, 1].sigmoid().tolist()
        states, state = [], 0.0
        for keep, add in zip(kept, opened, strict=True):
            state = keep * state + add
            states.append(state)
        return np.array(states[1:], dtype=np.float32)

    def following(self, count: int = BEST) -> list[Following]:
        """For each feature of the text, the units of all layers whose activations correlate with it most."""
        units = self.hidden.transpose(0, 2, 1).reshape(self.layers * self.units, -1)  # (L H, T)
        centred = units - units.mean(axis=1, keepdims=True)
        lengths = np.linalg.norm(centred, axis=1, keepdims=True)
        directions = np.divide(centred, lengths, out=np.zeros_like(centred), where=lengths > 1e-6)
        shifts = np.random.default_rng(0).integers(1, max(2, len(self.text)), SHIFTS)
        found = []
        for name, values in text_features(self.text).items():
            values = values - values.mean()
            length = np.linalg.norm(values)
            if length < 1e-9:
                found.append(Following(name, True, None, ()))
                continue
            moved = np.stack([values, *(np.roll(values, shift) for shift in shifts)], axis=1) / length  # (T, 20)
            correlations = directions @ moved.astype(np.float32)  # (L H, 20)
            best = np.argsort(-np.abs(correlations[:, 0]), kind="stable")[:count]
            places = [
                (int(at) // self.units + 1, int(at) % self.units, float(correlations[at, 0].clip(-1, 1))) for at in best
            ]
            chance = float(min(1.0, np.abs(correlations[:, 1:]).max()))
            found.append(Following(name, False, chance, tuple(places)))
        return found

    def _embedded(self) -> torch.Tensor:
        """What the first layer read (T + 1, H)."""
        module = self._module
        device = next(module.parameters()).device
        artists = None if self.artist is None else torch.tensor([module.artists.index(self.artist)], device=device)
        labels = torch.tensor([[START_LABEL, *read_labels(self.text, module.line_breaks)]], device=device)
        return module.embed(labels, artists)[0]


def read_cells(text: str, *, artist: str | None = None, model: str | Path | CharacterModel = "lstm") -> Activations:
    """The hidden units of a model along a text; arguments and errors are those of `lyricgen.analysis.scoring.score`."""
    module = resolve_model(model)
    text, artist = check_scored(text), check_artist(artist, module)
    return Activations(text, model_name(model), artist, module, read_layers(text, artist, module)[1])


def text_features(text: str) -> dict[str, np.ndarray]:
    """What of a text a unit could follow, by name: float64 (T,), 0 or 1 where it is a yes or no.

    >>> text_features('a "b" c')["inside quotes"].tolist()
    [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]
    """
    text = "".join(lowered if len(lowered := character.lower()) == 1 else character for character in text)
    length = len(text)
    features = {
        name: np.zeros(length)
        for name in (
            "position in line", "section break", "inside quotes", "inside brackets", "space", "start of a word",
            "position in word", "vowel", "punctuation", "word seen before", "repeated passage", "position in text",
        )
    }  # fmt: skip
    for start, shown_start, shown_end, end in line_places(text):
        features["section break"][start:end] = 1
        features["section break"][shown_start:shown_end] = 0
        features["position in line"][shown_start:shown_end] = np.arange(shown_end - shown_start)
    for name, pattern in (("inside quotes", _QUOTES), ("inside brackets", _BRACKETS)):
        for found in pattern.finditer(text):
            features[name][found.start() + 1 : found.end() - 1] = 1
    seen = set()
    for found in _WORD.finditer(text):
        start, end = found.span()
        features["start of a word"][start] = 1
        features["position in word"][start:end] = np.arange(1, end - start + 1)
        features["word seen before"][start:end] = found[0] in seen
        seen.add(found[0])
    features["space"][:] = [character.isspace() for character in text]
    features["vowel"][:] = [character in "aeiou" for character in text]
    features["punctuation"][:] = [not (character.isalnum() or character.isspace()) for character in text]
    passages = set()
    for end in range(REPEAT, length + 1):
        passage = text[end - REPEAT : end]
        features["repeated passage"][end - 1] = passage in passages
        passages.add(passage)
    features["position in text"] = np.arange(length) / max(1, length - 1)
    return features


def unit_facts(cells: Activations, layer: int | None = None, unit: int | None = None) -> dict:
    """A unit along a text, those of its layer that vary most, and those that follow a feature, as plain values.

    Args:
        cells: of `read_cells`.
        layer: from 1; None: the top one.
        unit: from 0; None: the one of the layer that varies most.

    Raises:
        ArgumentError: there is no such layer, or no such unit.
    """
    layer = cells.layers if layer is None else check_integer("layer", layer, 1, cells.layers)
    varying = cells.varying(layer)
    shown = varying[0] if unit is None else cells.unit(layer, unit)
    states = cells.cell_states(shown.layer, shown.unit)
    return {
        "model": cells.model,
        "artist": cells.artist,
        "layers": cells.layers,
        "units": cells.units,
        "layer": shown.layer,
        "unit": shown.unit,
        "activations": cells.hidden[shown.layer - 1, :, shown.unit].tolist(),
        "cell_states": None if states is None else states.tolist(),
        "varying": [
            {"layer": one.layer, "unit": one.unit, "deviation": one.deviation, "least": one.least, "greatest": one.greatest}
            for one in varying
        ],
        "features": [
            {
                "feature": one.feature,
                "constant": one.constant,
                "chance": one.chance,
                "units": [{"layer": layer, "unit": unit, "r": r} for layer, unit, r in one.units],
            }
            for one in cells.following()
        ],
    }  # fmt: skip
