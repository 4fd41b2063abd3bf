"""Samples and weights of a network at stages of its training."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

from lyricgen.generation.decoding import Hypothesis, SamplingDecodingStrategy
from lyricgen.models.checkpoints import weights_to_bytes
from lyricgen.models.networks import CharacterModel
from lyricgen.models.vocabulary import START_LABEL, string_to_labels, token_ids_to_str
from lyricgen.training.ranks import rank

STAGES = (1, 2, 5)  # multiples of the powers of ten from 10: steps 10, 20, 50, 100, ...; and step 1
PREFIXES = ("", "the river ", "i left my coat ")
TEMPERATURE = 0.7
SAMPLE_LENGTH = 200  # characters
SAMPLE_SEED = 1  # seed of the first prefix's sample; each further prefix has the next one


class StageSamples(pl.Callback):
    """Generates short samples at steps 1, 10, 20, 50, 100, ... and the last step, and saves the weights of each stage.

    It has its own random generator, so that it does not change the training. Of a distributed training only rank 0 samples.

    Args:
        folder: of the weights, one `step-000010.safetensors` (float16) per stage; None: no weights are saved.
        prefixes: of the samples, one sample each.
    """

    def __init__(self, folder: Path | None = None, prefixes: Sequence[str] = PREFIXES):
        self.folder, self.prefixes = folder, tuple(prefixes)
        self.rows: list[dict] = []
        self._characters = 0

    def on_train_batch_end(self, trainer: Any, task: Any, outputs: Any, batch: Any, batch_index: int) -> None:
        self._characters = self._characters + task.train_characters.long()
        if is_stage(trainer.global_step):
            self._write(trainer.global_step, task.model)

    def on_train_end(self, trainer: Any, task: Any) -> None:
        self._write(trainer.global_step, task.model)

    def state_dict(self) -> dict:
        return {"rows": self.rows, "characters": int(self._characters)}

    def load_state_dict(self, state_dict: dict) -> None:
        self.rows, self._characters = list(state_dict["rows"]), state_dict["characters"]

    def _write(self, step: int, model: CharacterModel) -> None:
        if rank() or any(row["step"] == step for row in self.rows):
            return
        for seed, prefix in enumerate(self.prefixes, SAMPLE_SEED):
            self.rows.append(
                {
                    "step": step,
                    "characters": int(self._characters),
                    "prefix": prefix,
                    "temperature": TEMPERATURE,
                    "seed": seed,
                    "text": sample_text(model, prefix, SAMPLE_LENGTH, TEMPERATURE, seed),
                }
            )
        if self.folder:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / f"step-{step:06d}.safetensors").write_bytes(weights_to_bytes(model))


def is_stage(step: int) -> bool:
    """Whether a step is 1, or 10, 20, 50, 100, 200, and so on."""
    while step >= 10 and step % 10 == 0:
        step //= 10
        if step in STAGES:
            return True
    return step == 1


def sample_text(model: CharacterModel, prefix: str, length: int, temperature: float, seed: int) -> str:
    """A prefix and `length` sampled characters, for any artist; the model's mode and global state stay unchanged.

    Args:
        model: on any device.
        prefix: characters of the vocabulary.
        length: characters.
        temperature: 0 to 100.
        seed: of the sampling.
    """
    device = next(model.parameters()).device
    start = Hypothesis(torch.tensor([[START_LABEL, *string_to_labels(prefix)]], device=device))
    with torch.autocast(device.type, enabled=False):
        labels = list(SamplingDecodingStrategy(model).stream(start, 1 + len(prefix) + length, temperature, seed=seed))
    return prefix + token_ids_to_str(torch.cat(labels))
