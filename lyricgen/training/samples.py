"""What a model writes at stages of its training, and its weights there."""

from collections.abc import Sequence
from pathlib import Path

import pytorch_lightning as pl
import torch
from safetensors.torch import save_file

from lyricgen.models.networks import CharacterModel, map_state
from lyricgen.models.vocabulary import NUM_CLASSES, START_LABEL, string_to_labels, token_ids_to_str

STAGES = (1, 3)  # times 1, 10, 100, ... from 10 on, and step 1
PREFIXES = ("", "the river ")
TEMPERATURE = 0.7
SAMPLE_LENGTH = 200  # characters
SAMPLE_SEED = 1  # of the first prefix, one more for each after it


class StageSamples(pl.Callback):
    """Writes short samples at steps 1, 10, 30, 100, 300, ... and at the end, and keeps the weights of each stage.

    It draws from a generator of its own, so that the training is the same with it as without it.

    Args:
        folder: where `step-000010.safetensors` (float16) goes at each stage; None: weights are not kept.
        prefixes: one sample each.
    """

    def __init__(self, folder: Path | None = None, prefixes: Sequence[str] = PREFIXES):
        self.folder, self.prefixes = folder, tuple(prefixes)
        self.rows: list[dict] = []
        self._characters = 0

    def on_train_batch_end(self, trainer, task, outputs, batch, batch_index) -> None:
        self._characters = self._characters + batch.sequence_length.sum()
        if is_stage(trainer.global_step):
            self._write(trainer.global_step, task.model)

    def on_train_end(self, trainer, task) -> None:
        self._write(trainer.global_step, task.model)

    def state_dict(self) -> dict:
        return {"rows": self.rows, "characters": int(self._characters)}

    def load_state_dict(self, state_dict: dict) -> None:
        self.rows, self._characters = list(state_dict["rows"]), state_dict["characters"]

    def _write(self, step: int, model: CharacterModel) -> None:
        if any(row["step"] == step for row in self.rows):
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
            weights = {
                name: value.detach().to("cpu", torch.float16).contiguous() for name, value in model.state_dict().items()
            }
            save_file(weights, self.folder / f"step-{step:06d}.safetensors")


def is_stage(step: int) -> bool:
    """Whether a step is 1, or 10, 30, 100, 300, and so on."""
    while step >= 10 and step % 10 == 0:
        step //= 10
        if step in STAGES:
            return True
    return step == 1


@torch.inference_mode()
def sample_text(model: CharacterModel, prefix: str, length: int, temperature: float, seed: int) -> str:
    """A prefix and `length` sampled characters after it, by any artist; the model's mode and all global states stay.

    Args:
        model: on any device.
        prefix: characters of the vocabulary.
        length: characters.
        temperature: above 0.
        seed: of the characters drawn.
    """
    training, device = model.training, next(model.parameters()).device
    generator = torch.Generator().manual_seed(seed)
    labels, hidden = [START_LABEL, *string_to_labels(prefix)], None
    model.eval()
    try:
        with torch.autocast(device.type, enabled=False):
            inputs = torch.tensor([labels], device=device)
            for _ in range(length):
                logits, hidden = model(inputs, None, hidden)
                hidden = map_state(lambda part: part.float(), hidden)
                chances = (logits[0, -1, :NUM_CLASSES].float().cpu() / temperature).softmax(-1)
                labels.append(int(torch.multinomial(chances, 1, generator=generator)))
                inputs = torch.tensor([labels[-1:]], device=device)
    finally:
        model.train(training)
    return token_ids_to_str(labels[1:])
