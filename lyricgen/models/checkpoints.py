"""A model folder (weights, config, metrics, learning curve) <-> a model. Nothing is unpickled.

model.safetensors   the weights, float16 unless asked otherwise
config.json         format version, class and sizes, artists, vocabulary, and the sha256 of the other files
metrics.json        bits per character on both splits, and how they came about
history.csv         the learning curve
"""

import csv
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch.overrides import TorchFunctionMode

from lyricgen.errors import ModelError
from lyricgen.models.networks import MODEL_CLASSES, CharacterModel, model_config
from lyricgen.models.vocabulary import CHARACTERS, INPUT_SIZE, NUM_CLASSES
from lyricgen.storage import ASSETS, atomic_folder, file_sha256, write_json
from lyricgen.validation import nearest, short_repr

FORMAT_VERSION = 1
WEIGHTS, CONFIG, METRICS, HISTORY = "model.safetensors", "config.json", "metrics.json", "history.csv"


@dataclass
class Checkpoint:
    """What a model folder holds."""

    model: CharacterModel
    """In eval mode, float32, on the CPU."""
    metrics: dict = field(default_factory=dict)
    """`val_bpc`, `clean_bpc`, and how they came about."""
    history: list[dict] = field(default_factory=list)
    """Rows of the learning curve; what was not measured at a step is None."""


def save_checkpoint(
    checkpoint: Checkpoint, folder: str | Path, dtype: torch.dtype = torch.float16, columns: Iterable[str] | None = None
) -> None:
    """Writes a model folder; it appears in one step when complete, and one that was there is replaced.

    Args:
        checkpoint: the model and its figures.
        folder: where; its parents are made.
        dtype: of the weights in the file.
        columns: of `history.csv`; None: those of the first row.
    """
    folder = Path(folder)
    with atomic_folder(folder) as partial:
        weights = {
            name: value.detach().to("cpu", dtype).contiguous() for name, value in checkpoint.model.state_dict().items()
        }
        save_file(weights, partial / WEIGHTS)
        write_json(partial / METRICS, checkpoint.metrics)
        with (partial / HISTORY).open("w", newline="", encoding="utf-8") as file:
            names = list(columns or (checkpoint.history[0] if checkpoint.history else ()))
            writer = csv.DictWriter(file, names, lineterminator="\n")
            writer.writeheader()
            writer.writerows(checkpoint.history)
        config = {"format_version": FORMAT_VERSION, **model_config(checkpoint.model), "vocabulary": CHARACTERS}
        os.chmod(partial / WEIGHTS, 0o644)  # safetensors lets only the owner read
        config["sha256"] = {name: file_sha256(partial / name) for name in (WEIGHTS, METRICS, HISTORY)}
        config["sha256"][CONFIG] = config_sha256(config)
        write_json(partial / CONFIG, config)


def replace_metrics(folder: str | Path, metrics: Mapping) -> None:
    """Puts other figures into a model folder, in one step; all else in it stays byte for byte.

    Raises:
        ModelError: the folder is damaged.
    """
    folder = Path(folder)
    load_checkpoint(folder)
    with atomic_folder(folder) as partial:
        for name in (WEIGHTS, HISTORY):
            shutil.copyfile(folder / name, partial / name)
        write_json(partial / METRICS, metrics)
        config = _read_json(folder, CONFIG)
        config["sha256"][METRICS] = file_sha256(partial / METRICS)
        write_json(partial / CONFIG, config)


def load_checkpoint(folder: str | Path) -> Checkpoint:
    """Reads a model folder, strictly: every file is there and as it was written, every weight has its shape.

    Raises:
        ModelError: it is missing, incomplete, altered, or of another format; the message says which.
    """
    folder = Path(folder)
    if not os.path.isdir(folder):
        raise ModelError(
            f"there is no model folder {short_repr(folder.name)}; train one with train.py or name one of the bundled models"
        )
    config = _read_json(folder, CONFIG)
    if config.get("format_version") != FORMAT_VERSION:
        raise ModelError(
            f"model folder {folder.name!r} has format version {config.get('format_version')!r}, this lyricgen reads {FORMAT_VERSION}; "
            "train it again or use the lyricgen it was made with"
        )
    if config.get("vocabulary") != CHARACTERS:
        raise ModelError(f"model folder {folder.name!r} was trained on another vocabulary than string.printable")
    _verify(folder, config)
    with torch.device("meta"), _NoInit():  # so that sizes which the weights do not bear out take no memory
        model = make_model(config)
    try:
        weights = {name: value.float() for name, value in load_file(folder / WEIGHTS).items()}
        model.load_state_dict(weights, strict=True, assign=True)
    except (SafetensorError, RuntimeError, OSError) as error:
        reason = str(error).strip().splitlines()[-1].strip()
        raise ModelError(
            f"the weights of model folder {folder.name!r} do not fit its config.json ({reason}); fetch it again"
        ) from None
    metrics = _read_json(folder, METRICS)
    model.line_breaks = bool(metrics.get("line_breaks", False))
    return Checkpoint(model.eval(), metrics, _read_history(folder / HISTORY))


def bundled_models() -> list[str]:
    """The names of the models that come with the project."""
    return sorted(folder.parent.name for folder in ASSETS.glob(f"*/{CONFIG}"))


def find_checkpoint(name_or_path: str | Path) -> Path:
    """The folder or `.ckpt` file that a model's name or path stands for.

    Raises:
        ModelError: it is neither; the message offers the nearest name.
    """
    bundled, named = bundled_models(), isinstance(name_or_path, (str, os.PathLike)) and str(name_or_path)
    if isinstance(name_or_path, str) and name_or_path.strip().lower() in bundled:
        return ASSETS / name_or_path.strip().lower()
    if named and os.path.exists(name_or_path):  # Path.exists raises on a name too long for a file
        return Path(name_or_path).resolve()
    near = ", ".join(nearest(str(name_or_path), bundled)) or "none"
    raise ModelError(
        f"model {short_repr(str(name_or_path))} is neither a bundled model ({near}) nor a model folder; name one of these"
    )


def load_model(name_or_folder: str | Path = "lstm") -> CharacterModel:
    """A trained model in eval mode, float32, on the CPU; its `.artists` are the names it knows, position = label.

    Args:
        name_or_folder: 'lstm' or 'vanilla-rnn', which come with the project, a model folder, or a `.ckpt` of train.py.

    Raises:
        ModelError: there is none, or it is damaged.
    """
    path = find_checkpoint(name_or_folder)
    return load_training_checkpoint(path) if path.suffix == ".ckpt" else load_checkpoint(path).model


def make_model(config: Mapping) -> CharacterModel:
    """The model that a config describes, with fresh weights.

    Raises:
        ModelError: it describes none of the two classes.
    """
    try:
        model = MODEL_CLASSES[config["class"]](**config["model"])
        if (model.input_size, model.num_classes) != (INPUT_SIZE, NUM_CLASSES):
            raise ValueError("a model of another vocabulary")
        return model
    except (AssertionError, KeyError, OverflowError, TypeError, ValueError, RuntimeError):
        raise ModelError(
            f"the config describes no model of lyricgen (its class: {config.get('class')!r}); fetch it again"
        ) from None


def load_training_checkpoint(path: str | Path) -> CharacterModel:
    """The model in a `.ckpt` file of train.py, in eval mode; read with `weights_only=True`.

    Raises:
        ModelError: the file is missing, damaged, or not one of train.py's.
    """
    path = Path(path)
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        model = make_model(state["lyricgen"])
        prefix = "model."
        weights = {
            name.removeprefix(prefix): value for name, value in state["state_dict"].items() if name.startswith(prefix)
        }
        model.load_state_dict(weights, strict=True)
    except FileNotFoundError:
        raise ModelError(f"there is no checkpoint {path.name!r}") from None
    except ModelError:
        raise
    except Exception as error:  # torch.load raises whatever the damaged bytes bring about
        raise ModelError(
            f"{path.name!r} is no checkpoint of train.py, or it is damaged ({type(error).__name__})"
        ) from None
    return model.eval()


class _NoInit(TorchFunctionMode):
    """While it is on, torch.nn.init leaves weights as they are: on the meta device it imports all of torch.compile."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if getattr(function, "__module__", None) == "torch.nn.init":
            return kwargs["tensor"] if kwargs else args[0]
        return function(*args, **(kwargs or {}))


def config_sha256(config: Mapping) -> str:
    """The sha256 of what a config says, without the sha256 that it holds."""
    content = {name: value for name, value in config.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _verify(folder: Path, config: Mapping) -> None:
    """Checks that every file of a model folder is there, can be read, and is the one that was written."""
    published = config.get("sha256")
    for name in (WEIGHTS, METRICS, HISTORY, CONFIG):
        try:
            found = config_sha256(config) if name == CONFIG else file_sha256(folder / name)
        except FileNotFoundError:
            raise ModelError(f"model folder {folder.name!r} lacks {name}; fetch it again") from None
        except OSError as error:
            raise ModelError(
                f"{name} of model folder {folder.name!r} cannot be read ({error.strerror}); check its permissions"
            ) from None
        if not isinstance(published, Mapping) or found != published.get(name):
            raise ModelError(
                f"{name} of model folder {folder.name!r} is not the file that was published (its sha256 differs); fetch it again"
            )


def _read_json(folder: Path, name: str) -> dict:
    try:
        value = json.loads((folder / name).read_text(encoding="utf-8"))
    except OSError:
        raise ModelError(f"model folder {folder.name!r} lacks {name}; fetch it again") from None
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ModelError(f"{name} of model folder {folder.name!r} is damaged; fetch it again")
    return value


def _read_history(path: Path) -> list[dict]:
    with path.open(newline="", encoding="utf-8") as file:
        return [{name: float(value) if value else None for name, value in row.items()} for row in csv.DictReader(file)]
