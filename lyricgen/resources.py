"""The models that the app runs, each loaded once, by name, with where it came from and what it scores."""

import logging
import platform
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import torch

from lyricgen import __version__
from lyricgen.arguments import check_choice
from lyricgen.checkpoints import ASSETS, Checkpoint, bundled_models, load_checkpoint
from lyricgen.errors import ModelError
from lyricgen.models import CharacterModel

BUNDLED = "bundled with lyricgen"
log = logging.getLogger("lyricgen")


@dataclass(frozen=True)
class LoadedModel:
    """A model that is ready to run."""

    name: str
    checkpoint: Checkpoint
    origin: str
    """Where it came from and, if it stands in for another, why; fit for a user."""

    @property
    def model(self) -> CharacterModel:
        return self.checkpoint.model

    def describe(self) -> dict:
        """Its facts and figures as plain values, for `/about`."""
        metrics = self.checkpoint.metrics
        return {
            "name": self.name,
            "class": type(self.model).__name__,
            "parameters": sum(parameter.numel() for parameter in self.model.parameters()),
            "artists": list(self.model.artists),
            "bits_per_character": {"validation": metrics.get("val_bpc"), "clean_validation": metrics.get("clean_bpc")},
            "trained": {
                name: metrics.get(name) for name in ("train_songs", "train_characters", "epochs", "seconds", "hardware")
            },
            "origin": self.origin,
        }


class Resources:
    """The models by name, loaded once at the start; safe to use from many threads.

    Args:
        folder: model folders of your own, each named as the bundled model that it takes the place of (`lstm`,
            `vanilla-rnn`), as train.py writes them. One that is missing or damaged leaves the bundled one in place.
        device: where models run; None: a GPU where there is one that works, else the CPU.

    Raises:
        ModelError: no model could be loaded. One that could not is left out, and `left_out` says why.
    """

    def __init__(self, folder: str | Path | None = None, device: str | torch.device | None = None):
        self.folder = Path(folder) if folder else None
        self.device = torch.device(device) if device else best_device()
        self.left_out: dict[str, str] = {}
        self._models: dict[str, LoadedModel] = {}
        for name in bundled_models():
            try:
                self._models[name] = self._load(name)
            except ModelError as error:
                self.left_out[name] = str(error)
                log.warning("%s is left out: %s", name, error)
        if not self._models:
            raise ModelError("no bundled model could be loaded; fetch lyricgen again, or train models with train.py")

    @property
    def model_names(self) -> list[str]:
        """The models that can run."""
        return list(self._models)

    @property
    def default_model(self) -> str:
        """The model that the page starts with."""
        return "lstm" if "lstm" in self._models else self.model_names[0]

    def model(self, name: str) -> LoadedModel:
        """A model by name.

        Raises:
            ArgumentError: there is none of that name.
        """
        return self._models[check_choice("model", name, self._models)]

    def artists(self) -> list[str]:
        """The artists that the default model knows."""
        return list(self.model(self.default_model).model.artists)

    def about(self) -> dict:
        """Versions, device, and each model with its figures and origin, as plain values."""
        return {
            "lyricgen": __version__,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "pytorch_lightning": version("pytorch-lightning"),
            "device": device_name(self.device),
            "models": [loaded.describe() for loaded in self._models.values()],
            "left_out": self.left_out,
        }

    def _load(self, name: str) -> LoadedModel:
        origin = BUNDLED
        if self.folder:
            try:
                return self._placed(
                    name, load_checkpoint(self.folder / name), f"your model folder {self.folder.name}/{name}"
                )
            except ModelError as error:
                origin = f"{BUNDLED}, since {error}"
                log.warning("%s: %s", name, origin)
        return self._placed(name, load_checkpoint(ASSETS / name), origin)

    def _placed(self, name: str, checkpoint: Checkpoint, origin: str) -> LoadedModel:
        try:
            checkpoint.model.to(self.device)
        except RuntimeError as error:  # a GPU that is full, or a driver that fails
            log.warning("%s runs on the CPU, since %s failed (%s)", name, self.device, type(error).__name__)
            checkpoint.model.to("cpu")
        return LoadedModel(name, checkpoint, origin)


def best_device() -> torch.device:
    """A GPU if there is one that works, else the CPU."""
    if torch.cuda.is_available():
        try:
            torch.zeros(1, device="cuda")
            return torch.device("cuda")
        except RuntimeError as error:
            log.warning("the GPU cannot be used (%s), so the CPU is", type(error).__name__)
    return torch.device("cpu")


def device_name(device: torch.device) -> str:
    """What a device is, for people."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"CPU, {torch.get_num_threads()} thread(s)"
