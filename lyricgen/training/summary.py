"""The table at the end of a training."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class TrainedArtifact:
    """One artifact of a training."""

    name: str
    figures: str
    """What was measured, in a few words."""
    seconds: float
    """Time for training, measuring and writing."""
    folder: Path

    @property
    def megabytes(self) -> float:
        """Size of the folder's files."""
        return sum(path.stat().st_size for path in self.folder.iterdir() if path.is_file()) / 1e6


def summary_table(artifacts: Sequence[TrainedArtifact]) -> str:
    """A table of the artifacts: figures, seconds, size."""
    header = ("artifact", "figures", "seconds", "size")
    rows = [
        (each.name, each.figures, f"{each.seconds:,.1f}", f"{each.megabytes:,.1f} MB") for each in artifacts
    ]  # fmt: skip
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    return "\n".join(
        f"{name:<{widths[0]}}  {figures:<{widths[1]}}  {seconds:>{widths[2]}}  {size:>{widths[3]}}"
        for name, figures, seconds, size in (header, *rows)
    )
