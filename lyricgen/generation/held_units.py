"""Hidden units that are held at a value while a lyric is written, to see what they cause.

The prefix is read as always. From its last character on, the activation of each held unit is replaced after every step, before the
layer above, the output layer and the next step read it: an ablation for the value 0, a clamp for any other.
"""

from typing import NamedTuple

from lyricgen.errors import ArgumentError
from lyricgen.models.networks import CharacterModel
from lyricgen.validation import check_integer, check_number, check_text, short_repr

MAX_HELD_UNITS = 3


class HeldUnit(NamedTuple):
    """A hidden unit, and the activation at which it is held."""

    layer: int
    """From 1, the lowest."""
    unit: int
    """From 0."""
    value: float
    """-1 to 1; 0 silences it."""

    def __str__(self) -> str:
        return f"{self.layer}.{self.unit}={self.value:g}"


def read_units(units: object, model: CharacterModel) -> tuple[HeldUnit, ...]:
    """The held units of a text such as '2.17=0, 1.3=1': layer.unit=value, comma-separated.

    Raises:
        ArgumentError: there are more than three, one is not of that form, or the model has no such unit.

    >>> from lyricgen import VanillaRNN
    >>> [str(held) for held in read_units("2.17 = 0, 1.3=-0.5", VanillaRNN())]
    ['2.17=0', '1.3=-0.5']
    """
    parts = [part for part in check_text("units", units).split(",") if part.strip()]
    held = [_read_unit(part, model) for part in parts]
    if len(held) > MAX_HELD_UNITS or len({unit[:2] for unit in held}) < len(held):
        raise ArgumentError(f"units must be at most {MAX_HELD_UNITS} different units, got {short_repr(units)}")
    return tuple(held)


def _read_unit(part: str, model: CharacterModel) -> HeldUnit:
    address, _, value = part.partition("=")
    layer, _, unit = address.partition(".")
    if not value.strip() or not unit.strip():
        raise ArgumentError(
            f"units must be of the form layer.unit=value, such as 2.17=0; got {short_repr(part.strip())}"
        )
    return HeldUnit(
        check_integer("the layer of units", layer, 1, model.n_layers),
        check_integer("the unit of units", unit, 0, model.hidden_size - 1),
        check_number("the value of units", value, -1, 1),
    )
