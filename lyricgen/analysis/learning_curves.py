"""The learning curves of trained models side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lyricgen.display import Picture, one_line
from lyricgen.models.checkpoints import find_checkpoint, load_checkpoint
from lyricgen.validation import check_choice

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CURVE_UNITS = {
    "characters": ("million characters read", 1e6),
    "epoch": ("epochs", 1.0),
    "seconds": ("minutes of training", 60.0),
}
"""The x axes of a learning curve: column of `history.csv` -> axis label, and column units per unit of the axis."""


@dataclass(frozen=True)
class LearningCurves(Picture):
    """Learning curves by model, and the axis of their figure."""

    rows: dict[str, list[dict]]
    """Rows of each model's `history.csv`: step, epoch, seconds, characters, and bits per character, None where not measured."""
    by: str

    def __repr__(self) -> str:
        return one_line(self, *(f"{name}: {len(rows)} rows" for name, rows in self.rows.items()))

    def draw(self) -> "Figure":
        """Bits per character over training."""
        from lyricgen.plotting import draw_learning_curves  # matplotlib is slow to import

        return draw_learning_curves(self.rows, self.by, *CURVE_UNITS[self.by])


def learning_curves(models: Sequence[str | Path] = ("lstm", "vanilla-rnn"), by: str = "characters") -> LearningCurves:
    """The learning curves of models.

    Args:
        models: names of bundled models, or model folders.
        by: the axis of the figure: characters, epoch or seconds.

    Raises:
        ArgumentError: there is no such axis.
        ModelError: there is no such model, or its files are damaged.

    >>> learning_curves(["lstm"]).rows["lstm"][0]["epoch"] > 0
    True
    """
    by = check_choice("by", by, CURVE_UNITS)
    return LearningCurves({str(name): load_checkpoint(find_checkpoint(name)).history for name in models}, by)
