"""Checkpoints of a training on disk: written atomically, with a checksum of every record."""

import io
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.plugins.io import TorchCheckpointIO

from lyricgen.storage import atomic_file


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes a checkpoint beside its place and renames it; Lightning's own goes through TMPDIR, which may be another disk.

    torch.save writes a CRC-32 of every record; `lyricgen.models.checkpoints.load_training_checkpoint` verifies them.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:
        """Writes a checkpoint; an OSError, as of a full disk, names its path, and the checkpoints before it stay."""
        content = io.BytesIO()  # torch.save to a file raises no OSError where the disk is full
        torch.save(checkpoint, content)
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(path) as partial:
            partial.write_bytes(content.getbuffer())
