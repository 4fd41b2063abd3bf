"""The training task: cross entropy on the next character, bits per character, optimizer and schedule.

Shapes: B sequences in the batch, T characters, C = 100 classes.
"""

import math
import time
from collections.abc import Iterable

import pytorch_lightning as pl
import torch
from torch import nn
from torch.nn import functional as F

from lyricgen.models.networks import CharacterModel, Hidden, map_state, model_config
from lyricgen.models.vocabulary import PADDING_LABEL
from lyricgen.validation import check_choice

OPTIMIZERS = ("adam", "adamw", "muon")
LAST_RATE = 0.02  # share of the learning rate that the cosine ends at


class LyricsGenerationTask(pl.LightningModule):
    """Fits a model to predict each next character; any model with the interface of `VanillaRNN` plugs in.

    Logs `train_bpc` every step, and at the end of a validation `val_bpc` (all songs) and, if `clean_songs` is given,
    `clean_bpc`: bits per character over whole songs, the state carried from each song's start, characters outside
    the vocabulary left out.

    Args:
        model: `model(input_sequences, lengths, hidden[, artists]) -> (logits, hidden)`.
        learning_rate: its highest value.
        optimizer: 'adam' as in the notebook; 'adamw'; or 'muon' (Jordan et al. 2024) for the matrices of the
            recurrent layers and AdamW for the rest.
        weight_decay: of adamw and muon.
        warmup_steps: steps over which the learning rate rises; a cosine then takes it to 2 % by the last step.
            None: the learning rate stays as it is.
        clean_songs: which validation songs count for `clean_bpc`, bool (songs,).
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

    def forward(self, input_sequences, input_sequences_lengths, hidden=None):
        """The model's own forward pass."""
        return self.model(input_sequences, input_sequences_lengths, hidden)

    def nats(self, batch, split: str) -> torch.Tensor:
        """The negative log-likelihood of each character of a batch, 0 at label 100: (B, T).

        Streams go on from the hidden state that the last batch of the same split left, except where a song starts.
        """
        if batch.starts is None:
            logits, _ = self.model(batch.input_sequence, batch.sequence_length)
        else:
            logits = self._read_streams(batch, split)
        return F.cross_entropy(
            logits.flatten(0, 1).float(), batch.output_sequence.flatten(), ignore_index=PADDING_LABEL, reduction="none"
        ).view_as(batch.output_sequence)

    def _read_streams(self, batch, split: str) -> torch.Tensor:
        """Logits (B, T, C) of one step of every stream, with the state carried."""
        hidden = self._hidden.get(split)
        if hidden is not None:
            goes_on = (~batch.starts)[None, :, None]
            hidden = map_state(lambda part: part.to(goes_on.device) * goes_on, hidden)
        rows, steps = batch.input_sequence.shape
        lengths = torch.full((rows,), steps)  # all: what stands behind a song's end is never gone on with
        artists = {"artists": batch.artists} if getattr(self.model, "artists", ()) else {}
        logits, hidden = self.model(batch.input_sequence, lengths, hidden, **artists)
        self._hidden[split] = map_state(lambda part: part.detach().float(), hidden)
        return logits

    def training_step(self, batch, batch_index: int) -> torch.Tensor:
        loss = self.nats(batch, "train").sum() / (batch.output_sequence != PADDING_LABEL).sum().clamp(min=1)
        self.log("train_bpc", loss.detach() / math.log(2), prog_bar=True, batch_size=len(batch.output_sequence))
        return loss

    def on_validation_epoch_start(self) -> None:
        self._hidden["val"] = None
        self._song_bits = []

    def validation_step(self, batch, batch_index: int) -> None:
        bits = self.nats(batch, "val").sum(dim=1) / math.log(2)
        characters = (batch.output_sequence != PADDING_LABEL).sum(dim=1)
        songs = torch.zeros_like(characters) if batch.songs is None else batch.songs
        self._song_bits.append((songs, bits, characters))

    def song_bits(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Of each stretch of the last validation: its song's number, its bits, its characters; all (stretches,)."""
        return tuple(torch.cat(parts).cpu() for parts in zip(*self._song_bits, strict=True))

    def on_validation_epoch_end(self) -> None:
        songs, bits, characters = self.song_bits()
        self.log("val_bpc", bits.sum() / characters.sum(), prog_bar=True)
        if self.clean_songs is not None and self.clean_songs.any():
            clean = self.clean_songs[songs]
            self.log("clean_bpc", bits[clean].sum() / characters[clean].sum(), prog_bar=True)

    def on_save_checkpoint(self, checkpoint: dict) -> None:
        """Adds the model's class and sizes, from which `lyricgen.load_model` builds it again, and the carried state."""
        if isinstance(self.model, CharacterModel):
            checkpoint["lyricgen"] = {**model_config(self.model), "optimizer": self.optimizer}
        hidden = self._hidden.get("train")
        if hidden is not None:
            checkpoint["hidden_state"] = list(hidden) if isinstance(hidden, tuple) else [hidden]

    def on_load_checkpoint(self, checkpoint: dict) -> None:
        """Restores the hidden state that the training streams carry."""
        parts = checkpoint.get("hidden_state")
        if parts:
            self._hidden["train"] = tuple(parts) if len(parts) > 1 else parts[0]

    def configure_optimizers(self):
        optimizer = self._make_optimizer()
        if self.warmup_steps is None:
            return optimizer
        steps = int(self.trainer.estimated_stepping_batches)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: warmup_cosine(step, self.warmup_steps, steps)
        )
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
    """The bits that a model needs for each song, and the characters that it predicts there; both (songs,).

    Args:
        model: as for `LyricsGenerationTask`; read in eval mode, on the device that it is on.
        batches: unshuffled streams of whole songs.
        songs: how many there are.
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


class MuonWithAdamW(torch.optim.Optimizer):
    """Muon for some matrices and, at half the learning rate, AdamW for the other parameters, as one optimizer."""

    def __init__(
        self, matrices: Iterable[nn.Parameter], others: Iterable[nn.Parameter], lr: float, weight_decay: float
    ):
        matrices, others = list(matrices), list(others)
        super().__init__([{"params": matrices}, {"params": others}], {"lr": lr})
        self.parts = {
            "muon": torch.optim.Muon(matrices, lr=lr, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw"),
            "adamw": torch.optim.AdamW(others, lr=lr / 2, weight_decay=weight_decay, betas=(0.9, 0.99), fused=True),
        }
        self._share_groups()

    def _share_groups(self) -> None:
        """Makes the groups that a schedule changes those of the parts."""
        self.param_groups = [group for part in self.parts.values() for group in part.param_groups]

    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for part in self.parts.values():
            part.step()
        return loss

    def state_dict(self) -> dict:
        return {name: part.state_dict() for name, part in self.parts.items()}

    def load_state_dict(self, state_dict: dict) -> None:
        for name, part in self.parts.items():
            part.load_state_dict(state_dict[name])
        self._share_groups()


def warmup_cosine(step: int, warmup_steps: int, steps: int) -> float:
    """The share of the highest learning rate at a step: a line up, then half a cosine down to 2 %."""
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    progress = min(1.0, (step - warmup_steps) / max(1, steps - warmup_steps))
    return LAST_RATE + (1 - LAST_RATE) * (1 + math.cos(math.pi * progress)) / 2


@torch.no_grad()
def recurrent_rms(model: nn.Module) -> float | None:
    """The root mean square of the hidden-to-hidden weights; growth without end announces a training that diverges.

    None for a model without such weights.
    """
    weights = [value.flatten() for name, value in model.named_parameters() if "weight_hh" in name]
    return float(torch.cat(weights).square().mean().sqrt()) if weights else None


class LearningCurve(pl.Callback):
    """Collects the rows of `history.csv`: every `every` steps the training loss, and each validation.

    A row: step, epoch, seconds of training so far, characters seen, train, val and clean bits per character, and the
    root mean square of the recurrent weights (None where not measured at that step). The train figure is the mean since
    the row before.
    """

    COLUMNS = ("step", "epoch", "seconds", "characters", "train_bpc", "val_bpc", "clean_bpc", "recurrent_rms")

    def __init__(self, every: int = 20):
        self.every, self.rows = every, []
        self._characters, self._sum, self._count = 0, 0.0, 0
        self._seconds, self._started = 0.0, None

    def on_train_start(self, trainer, task) -> None:
        self._started = time.monotonic()  # what ran before, a sanity check, does not count

    def on_train_batch_end(self, trainer, task, outputs, batch, batch_index) -> None:
        self._sum = self._sum + outputs["loss"].detach()  # stays on the device: no synchronisation a step
        self._characters = self._characters + batch.sequence_length.sum()
        self._count += 1
        if trainer.global_step % self.every == 0:
            figures = {"train_bpc": float(self._sum) / self._count / math.log(2)}
            self._add(trainer, **figures, recurrent_rms=recurrent_rms(task.model))
            self._sum, self._count = 0.0, 0

    def on_train_end(self, trainer, task) -> None:
        self._seconds, self._started = self.seconds, None

    def on_validation_start(self, trainer, task) -> None:
        self._seconds, self._started = self.seconds, None

    def on_validation_end(self, trainer, task) -> None:
        self._started = time.monotonic()
        if not trainer.sanity_checking:
            figures = {
                name: float(trainer.callback_metrics[name])
                for name in ("val_bpc", "clean_bpc")
                if name in trainer.callback_metrics
            }
            self._add(trainer, **figures)

    def state_dict(self) -> dict:
        """What a checkpoint keeps, so that a resumed training goes on with the same curve."""
        return {
            "rows": self.rows,
            "seconds": self.seconds,
            "characters": self.characters,
            "sum": float(self._sum),
            "count": self._count,
        }

    def load_state_dict(self, state_dict: dict) -> None:
        self.rows, self._seconds, self._characters = (
            list(state_dict["rows"]),
            state_dict["seconds"],
            state_dict["characters"],
        )
        self._sum, self._count = state_dict.get("sum", 0.0), state_dict.get("count", 0)

    @property
    def seconds(self) -> float:
        """Seconds of training so far, without validation."""
        return self._seconds + (0.0 if self._started is None else time.monotonic() - self._started)

    @property
    def characters(self) -> int:
        """Characters trained on so far."""
        return int(self._characters)

    def _add(self, trainer, **figures: float) -> None:
        rounded = {name: round(value, 4) for name, value in figures.items() if value is not None}
        row = {
            "step": trainer.global_step,
            "epoch": round(self._epoch(trainer), 3),
            "seconds": round(self.seconds, 1),
            "characters": self.characters,
        }
        self.rows.append({name: {**row, **rounded}.get(name) for name in self.COLUMNS})

    @staticmethod
    def _epoch(trainer) -> float:
        return trainer.global_step / max(1, trainer.num_training_batches)
