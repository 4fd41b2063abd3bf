"""The training task: cross entropy on the next character, bits per character, optimizer and schedule.

Shapes: B sequences in the batch, T characters, C = 100 classes.
"""

import math
from collections.abc import Iterable
from typing import Any

import pytorch_lightning as pl
import torch
from torch import nn
from torch.nn import functional as F

from lyricgen.models.networks import CharacterModel, Hidden, map_state, model_config
from lyricgen.models.vocabulary import PADDING_LABEL
from lyricgen.songs.notebook import LyricsGenerationTensor
from lyricgen.training.config import OPTIMIZERS
from lyricgen.training.optimizer import MuonWithAdamW, warmup_cosine
from lyricgen.validation import check_choice


class LyricsGenerationTask(pl.LightningModule):
    """Fits a model to predict each next character; any model with the interface of `VanillaRNN` is allowed.

    Logs `train_bpc` every step, and after a validation `val_bpc` (all songs) and, if `clean_songs` is given, `clean_bpc`:
    bits per character over whole songs, with the hidden state carried from the start of each song, without the characters
    outside the vocabulary.

    Args:
        model: `model(input_sequences, lengths, hidden[, artists]) -> (logits, hidden)`.
        learning_rate: the maximum.
        optimizer: 'adam' as in the notebook; 'adamw'; or 'muon' for the matrices of the recurrent layers, with AdamW for all
            other parameters.
        weight_decay: of adamw and muon.
        warmup_steps: steps of linear warm-up, before a cosine decay to 2 % at the last step; None: a constant learning
            rate.
        clean_songs: mask of the validation songs of `clean_bpc`, bool (songs,).
    """

    def __init__(
        self,
        model: nn.Module,
        learning_rate: float = 1e-3,
        optimizer: str = "adam",
        weight_decay: float = 0.01,
        warmup_steps: int | None = None,
        clean_songs: torch.Tensor | None = None,
    ):
        super().__init__()
        self.model = model
        self.learning_rate, self.weight_decay, self.warmup_steps = learning_rate, weight_decay, warmup_steps
        self.optimizer = check_choice("optimizer", optimizer, OPTIMIZERS)
        self.clean_songs = None if clean_songs is None else torch.as_tensor(clean_songs)
        self._hidden: dict[str, Hidden | None] = {}
        self._song_bits: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = []

    def forward(
        self,
        input_sequences: torch.Tensor,
        input_sequences_lengths: torch.Tensor,
        hidden: Hidden | None = None,
    ) -> tuple[torch.Tensor, Hidden]:
        """The model's own forward pass."""
        return self.model(input_sequences, input_sequences_lengths, hidden)

    def nats(self, batch: LyricsGenerationTensor, split: str) -> torch.Tensor:
        """The negative log-likelihood of each character of a batch in nats, 0 at label 100: (B, T).

        Streams continue from the hidden state after the last batch of the same split, except where a song starts.
        """
        if batch.starts is None:
            logits, _ = self.model(batch.input_sequence, batch.sequence_length)
        else:
            logits = self._read_streams(batch, split)
        return F.cross_entropy(
            logits.flatten(0, 1).float(), batch.output_sequence.flatten(), ignore_index=PADDING_LABEL, reduction="none"
        ).view_as(batch.output_sequence)

    def _read_streams(self, batch: LyricsGenerationTensor, split: str) -> torch.Tensor:
        """Logits (B, T, C) of one step of every stream, with the hidden state carried."""
        hidden = self._hidden.get(split)
        if hidden is not None and batch.starts is not None:
            continues = (~batch.starts)[None, :, None]
            hidden = map_state(lambda part: part.to(continues.device) * continues, hidden)
        rows, steps = batch.input_sequence.shape
        lengths = torch.full((rows,), steps)  # padding included: no stream continues after it
        artists = {"artists": batch.artists} if getattr(self.model, "artists", ()) else {}
        logits, hidden = self.model(batch.input_sequence, lengths, hidden, **artists)
        self._hidden[split] = map_state(lambda part: part.detach().float(), hidden)
        return logits

    def training_step(self, batch: LyricsGenerationTensor, batch_index: int) -> torch.Tensor:
        loss = self.nats(batch, "train").sum() / (batch.output_sequence != PADDING_LABEL).sum().clamp(min=1)
        self.log("train_bpc", loss.detach() / math.log(2), prog_bar=True, batch_size=len(batch.output_sequence))
        return loss

    def on_validation_epoch_start(self) -> None:
        self._hidden["val"] = None
        self._song_bits = []

    def validation_step(self, batch: LyricsGenerationTensor, batch_index: int) -> None:
        bits = self.nats(batch, "val").sum(dim=1) / math.log(2)
        characters = (batch.output_sequence != PADDING_LABEL).sum(dim=1)
        songs = torch.zeros_like(characters) if batch.songs is None else batch.songs
        self._song_bits.append((songs, bits, characters))

    def song_bits(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Song number, bits and characters of each stretch of the last validation; all (stretches,)."""
        songs, bits, characters = (torch.cat(parts).cpu() for parts in zip(*self._song_bits, strict=True))
        return songs, bits, characters

    def on_validation_epoch_end(self) -> None:
        songs, bits, characters = self.song_bits()
        self.log("val_bpc", bits.sum() / characters.sum(), prog_bar=True)
        if self.clean_songs is not None and self.clean_songs.any():
            clean = self.clean_songs[songs]
            self.log("clean_bpc", bits[clean].sum() / characters[clean].sum(), prog_bar=True)

    def on_save_checkpoint(self, checkpoint: dict) -> None:
        """Adds the model's class and sizes, for `lyricgen.load_model`, and the hidden state of the streams."""
        if isinstance(self.model, CharacterModel):
            checkpoint["lyricgen"] = {**model_config(self.model), "optimizer": self.optimizer}
        hidden = self._hidden.get("train")
        if hidden is not None:
            checkpoint["hidden_state"] = list(hidden) if isinstance(hidden, tuple) else [hidden]

    def on_load_checkpoint(self, checkpoint: dict) -> None:
        """Restores the hidden state of the training streams."""
        parts = checkpoint.get("hidden_state")
        if parts:
            self._hidden["train"] = tuple(parts) if len(parts) > 1 else parts[0]

    def configure_optimizers(self) -> Any:
        optimizer, warmup_steps = self._make_optimizer(), self.warmup_steps
        if warmup_steps is None:
            return optimizer
        steps = int(self.trainer.estimated_stepping_batches)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: warmup_cosine(step, warmup_steps, steps))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _make_optimizer(self) -> torch.optim.Optimizer:
        if self.optimizer == "adam":
            return torch.optim.Adam(self.model.parameters(), lr=self.learning_rate)
        if self.optimizer == "adamw":
            return torch.optim.AdamW(
                self.model.parameters(), lr=self.learning_rate, weight_decay=self.weight_decay, betas=(0.9, 0.99)
            )
        matrices = [value for name, value in self.model.named_parameters() if "rnn." in name and value.ndim == 2]
        chosen = set(map(id, matrices))
        others = [value for value in self.model.parameters() if id(value) not in chosen]
        return MuonWithAdamW(matrices, others, self.learning_rate, self.weight_decay)


@torch.inference_mode()
def measure_bits(model: nn.Module, batches: Iterable, songs: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The bits of each song under a model, and its number of predicted characters; both (songs,).

    Args:
        model: as for `LyricsGenerationTask`; run in eval mode, on its device.
        batches: unshuffled streams of whole songs.
        songs: number of songs.
    """
    training, device = model.training, next(model.parameters()).device
    task = LyricsGenerationTask(model.eval())
    task.on_validation_epoch_start()
    for index, batch in enumerate(batches):
        task.validation_step(batch.to(device), index)
    model.train(training)
    numbers, bits, characters = task.song_bits()
    total = torch.zeros(songs, dtype=torch.float64).index_add_(0, numbers, bits.double())
    return total, torch.zeros(songs, dtype=torch.long).index_add_(0, numbers, characters)
