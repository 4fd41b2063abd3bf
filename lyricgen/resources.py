"""The models and vector spaces that the app runs, each loaded once, by name, with where it came from."""

import logging
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import torch

from lyricgen import __version__
from lyricgen.arguments import check_choice
from lyricgen.checkpoints import Checkpoint, bundled_models, load_checkpoint
from lyricgen.errors import ModelError, VectorsError
from lyricgen.files import ASSETS
from lyricgen.models import CharacterModel
from lyricgen.vectorsources import load_vectors
from lyricgen.vectorspace import VectorSpace

BUNDLED = "bundled with lyricgen"
BUNDLED_SPACES = ("glove-50", "lyrics")  # vector spaces that are always there; the first is the default
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
    """The models and vector spaces by name, loaded once at the start; safe to use from many threads.

    Args:
        folder: model folders of your own, each named as the bundled model that it takes the place of (`lstm`,
            `vanilla-rnn`), as train.py writes them, and word vectors in `lyrics`. One that is missing or damaged leaves
            the bundled one in place.
        device: where models run; None: a GPU where there is one that works, else the CPU.
        vectors: more vector spaces, as `load_vectors` takes them: 'glove-200', or paths.

    Raises:
        ModelError: no model could be loaded. One that could not is left out, and `left_out` says why.
    """

    def __init__(
        self,
        folder: str | Path | None = None,
        device: str | torch.device | None = None,
        vectors: Iterable[str | Path] = (),
    ):
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
        self._spaces: dict[str, VectorSpace] = {}
        for name in (*BUNDLED_SPACES, *vectors):
            try:
                space = self._load_space(name)
                if space.name in self._spaces:
                    raise VectorsError(f"there is a space of the name {space.name} already; give the file another name")
                self._spaces[space.name] = space
            except VectorsError as error:
                self.left_out[Path(name).name] = str(error)
                log.warning("%s is left out: %s", Path(name).name, error)

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

    @property
    def space_names(self) -> list[str]:
        """The vector spaces that can be asked."""
        return list(self._spaces)

    def space(self, name: str, argument: str = "vectors") -> VectorSpace:
        """A vector space by name; `argument` is what a message calls it.

        Raises:
            ArgumentError: there is none of that name.
            VectorsError: there is none at all.
        """
        if not self._spaces:
            raise VectorsError("no word vectors could be loaded, so questions about words cannot be answered here")
        return self._spaces[check_choice(argument, name, self._spaces)]

    def about(self) -> dict:
        """Versions, device, and each model and vector space with its figures and origin, as plain values."""
        return {
            "lyricgen": __version__,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "pytorch_lightning": version("pytorch-lightning"),
            "device": device_name(self.device),
            "models": [loaded.describe() for loaded in self._models.values()],
            "vectors": [
                {"name": name, "words": len(space), "dimensions": space.vector_size, "source": space.source}
                for name, space in self._spaces.items()
            ],
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

    def _load_space(self, name: str | Path) -> VectorSpace:
        own = self.folder / name if self.folder and name in BUNDLED_SPACES else None
        if own and own.is_dir():
            try:
                return load_vectors(own)
            except VectorsError as error:
                log.warning("%s: %s, since %s", name, BUNDLED, error)
        return load_vectors(name)

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
