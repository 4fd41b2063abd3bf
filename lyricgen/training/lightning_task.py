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
from lyricgen.training.ranks import gather_from_ranks, rank, ranks, sum_over_ranks
from lyricgen.validation import check_choice

SPLITS = ("val", "held_out")  # of the validation loaders, in their order


class LyricsGenerationTask(pl.LightningModule):
    """Fits a model to predict each next character; any model with the interface of `VanillaRNN` is allowed.

    Logs `train_bpc` every step, and after a validation `val_bpc` (all songs), `clean_bpc` if `clean_songs` is given, and
    `held_out_bpc` if a second validation loader has held-out training songs: bits per character over whole songs, with the
    hidden state carried from the start of each song, without the characters outside the vocabulary. In a distributed
    training each rank reads its own rows of the batch; all figures are those of all ranks.

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
        self._song_bits: dict[str, list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]] = {}
        self.train_loss = torch.zeros(())
        """Mean loss of the last training step over its characters, in nats."""
        self.train_characters = torch.zeros(())
        """Characters of the last training step, those outside the vocabulary included."""
        self.val_figures: dict[str, float] = {}
        """What the last validation logged."""

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
        nats = self.nats(batch, "train").sum()
        known = (batch.output_sequence != PADDING_LABEL).sum()
        figures = torch.stack([nats.detach(), known.float(), batch.sequence_length.sum().float()])
        total_nats, total_known, self.train_characters = sum_over_ranks(figures)
        self.train_loss = total_nats / total_known.clamp(min=1)
        self.log("train_bpc", self.train_loss / math.log(2), prog_bar=True, batch_size=len(batch.output_sequence))
        return nats * ranks() / total_known.clamp(min=1)  # gradients are averaged over the ranks

    def on_train_start(self) -> None:
        """Applies learning rate and weight decay where those of another training were restored."""
        if self.optimizer != "adam":
            for optimizer in self.trainer.optimizers:
                for group in optimizer.param_groups:
                    group["weight_decay"] = self.weight_decay
        for schedule in (config.scheduler for config in self.trainer.lr_scheduler_configs):
            scale = self.learning_rate / max(schedule.base_lrs)
            if scale != 1:
                schedule.base_lrs = [rate * scale for rate in schedule.base_lrs]
                for group in schedule.optimizer.param_groups:
                    group["initial_lr"] *= scale
                    group["lr"] *= scale

    def on_validation_epoch_start(self) -> None:
        for split in SPLITS:
            self._hidden[split] = None
        self._song_bits, self.val_figures = {}, {}

    def validation_step(self, batch: LyricsGenerationTensor, batch_index: int, dataloader_idx: int = 0) -> None:
        split = SPLITS[dataloader_idx]
        bits = self.nats(batch, split).sum(dim=1) / math.log(2)
        characters = (batch.output_sequence != PADDING_LABEL).sum(dim=1)
        songs = torch.zeros_like(characters) if batch.songs is None else batch.songs
        self._song_bits.setdefault(split, []).append((songs, bits, characters))

    def song_bits(self, split: str = "val") -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Song number, bits and characters of each stretch of the last validation on this rank; all (stretches,)."""
        songs, bits, characters = (torch.cat(parts).cpu() for parts in zip(*self._song_bits[split], strict=True))
        return songs, bits, characters

    def on_validation_epoch_end(self) -> None:
        songs, bits, characters = self.song_bits()
        self._log_bpc("val_bpc", bits, characters)
        if self.clean_songs is not None and self.clean_songs.any():
            clean = self.clean_songs[songs]
            self._log_bpc("clean_bpc", bits[clean], characters[clean])
        if "held_out" in self._song_bits:
            self._log_bpc("held_out_bpc", *self.song_bits("held_out")[1:])

    def _log_bpc(self, name: str, bits: torch.Tensor, characters: torch.Tensor) -> None:
        """Logs bits per character over all ranks."""
        totals = torch.stack([bits.double().sum(), characters.double().sum()])
        total_bits, total_characters = sum_over_ranks(totals.to(self.device))
        self.val_figures[name] = float(total_bits / total_characters)
        self.log(name, self.val_figures[name], prog_bar=True)

    def on_save_checkpoint(self, checkpoint: dict) -> None:
        """Adds the model's class and sizes, for `lyricgen.load_model`, and the hidden state of the streams."""
        if isinstance(self.model, CharacterModel):
            checkpoint["lyricgen"] = {
                **model_config(self.model),
                "optimizer": self.optimizer,
                "line_breaks": self.model.line_breaks,
            }
        hidden = self._hidden.get("train")
        if hidden is not None:  # each part: (layers, B, H)
            parts = hidden if isinstance(hidden, tuple) else (hidden,)
            checkpoint["hidden_state"] = [torch.cat(gather_from_ranks(part.cpu()), dim=1) for part in parts]

    def on_load_checkpoint(self, checkpoint: dict) -> None:
        """Restores the hidden state of the training streams."""
        parts = [part.chunk(ranks(), dim=1)[rank()] for part in checkpoint.get("hidden_state", ())]
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
