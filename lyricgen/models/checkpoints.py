"""Model folders: weights, config, metrics and learning curve of a network.

model.safetensors    the weights, float16 by default
config.json          class and sizes, artists, vocabulary; header of the artifact (see `lyricgen.storage`)
metrics.json         bits per character on both splits, and the provenance
history.csv          the learning curve
samples.jsonl        samples at stages of the training, one JSON object per line; absent in older folders
memory.json          constants of the memory of the song so far (see `lyricgen.models.memory`); absent in older folders
learning-curve.png   a picture of history.csv; absent in older folders
"""

import csv
import math
import os
import shutil
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch.overrides import TorchFunctionMode

from lyricgen.display import one_line
from lyricgen.errors import ModelError
from lyricgen.models.memory import MemoryConstants
from lyricgen.models.networks import MODEL_CLASSES, CharacterModel, has_finite_weights, model_config
from lyricgen.models.vocabulary import CHARACTERS, INPUT_SIZE, NUM_CLASSES
from lyricgen.output import to_json
from lyricgen.storage import (
    ASSETS,
    MODEL,
    artifact_errors,
    check_numbers,
    parse_json,
    read_artifact,
    read_json,
    write_artifact,
    write_json,
)
from lyricgen.validation import nearest, short_repr

WEIGHTS, METRICS, HISTORY = MODEL.files
SAMPLES, MEMORY, CURVE_PICTURE = MODEL.optional
MAX_LAYERS = 64  # of a model folder; more only cost time before the weights are found not to fit
MAX_BITS = 100  # bits per character


@dataclass
class Checkpoint:
    """Content of a model folder."""

    model: CharacterModel
    """In eval mode, float32, on the CPU."""
    metrics: dict = field(default_factory=dict)
    """`val_bpc`, `clean_bpc`, and the provenance record."""
    history: list[dict] = field(default_factory=list)
    """Rows of the learning curve; None for a figure that was not measured at that step."""
    samples: list[dict] = field(default_factory=list)
    """Samples at stages of the training: step, characters, prefix, temperature, seed and text."""

    def __repr__(self) -> str:
        return one_line(
            self, type(self.model).__name__, f"{len(self.history)} rows of history", f"{len(self.samples)} samples"
        )


def save_checkpoint(
    checkpoint: Checkpoint,
    folder: str | Path,
    dtype: torch.dtype = torch.float16,
    columns: Iterable[str] | None = None,
    curve_picture: bytes | None = None,
) -> None:
    """Writes a model folder atomically.

    Args:
        checkpoint: its content.
        folder: replaced if it exists; its parents are created.
        dtype: of the weights in the file.
        columns: of `history.csv`; None: those of the first row.
        curve_picture: the learning curve as PNG; None: the folder has no picture.

    Raises:
        ModelError: a weight is not finite.
    """
    model, history = checkpoint.model, checkpoint.history
    check_finite(model, MODEL.named(Path(folder)))
    with write_artifact(folder, MODEL, {**model_config(model), "vocabulary": CHARACTERS}) as partial:
        (partial / WEIGHTS).write_bytes(weights_to_bytes(model, dtype))
        write_json(partial / METRICS, checkpoint.metrics)
        with (partial / HISTORY).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(columns or (history[0] if history else ())), lineterminator="\n")
            writer.writeheader()
            writer.writerows(history)
        if checkpoint.samples:
            lines = (to_json(row) + "\n" for row in checkpoint.samples)
            (partial / SAMPLES).write_text("".join(lines), encoding="utf-8")
        if model.memory:
            write_json(partial / MEMORY, asdict(model.memory))
        if curve_picture is not None:
            (partial / CURVE_PICTURE).write_bytes(curve_picture)


def weights_to_bytes(model: CharacterModel, dtype: torch.dtype = torch.float16) -> bytes:
    """The weights in the safetensors format.

    To write these bytes raises an OSError where the disk is full; safetensors' own `save_file` raises another error.
    """
    return save({name: value.detach().to("cpu", dtype).contiguous() for name, value in model.state_dict().items()})


def replace_metrics(folder: str | Path, metrics: Mapping, memory: MemoryConstants | None = None) -> None:
    """Replaces the metrics of a model folder atomically; weights and learning curve stay byte for byte.

    Args:
        folder: of the model.
        metrics: all of them.
        memory: new constants of its memory; None: they stay as they are.

    Raises:
        ModelError: the folder is damaged.
    """
    folder = Path(folder)
    config = read_artifact(folder, MODEL)
    with write_artifact(folder, MODEL, config) as partial:
        for name in (WEIGHTS, HISTORY, *MODEL.optional):
            if name in config["sha256"]:
                shutil.copyfile(folder / name, partial / name)
        if memory:
            write_json(partial / MEMORY, asdict(memory))
        write_json(partial / METRICS, metrics)


def load_checkpoint(folder: str | Path) -> Checkpoint:
    """Reads a model folder strictly: every checksum matches and every weight has the shape that the config implies.

    Raises:
        ModelError: it is missing, incomplete, altered, or of another format; the message says which.
    """
    folder = Path(folder)
    config = read_artifact(folder, MODEL)
    if config.get("vocabulary") != CHARACTERS:
        raise ModelError(f"{MODEL.named(folder)} was trained on another vocabulary than string.printable")
    try:
        weights = {name: value.float() for name, value in load_file(folder / WEIGHTS).items()}
        model = _fill_model(config, weights, MODEL.named(folder))
    except (SafetensorError, RuntimeError, OSError) as error:
        reason = str(error).strip().splitlines()[-1].strip()
        raise ModelError(
            f"the weights of {MODEL.named(folder)} do not fit its {MODEL.header} ({reason}); {MODEL.if_damaged}"
        ) from None
    with artifact_errors(folder, MODEL):
        metrics = _read_metrics(folder / METRICS)
        model.line_breaks = bool(metrics.get("line_breaks", False))
        samples = _read_samples(folder / SAMPLES) if SAMPLES in config["sha256"] else []
        if MEMORY in config["sha256"]:
            model.memory = MemoryConstants(**read_json(folder / MEMORY))
        return Checkpoint(model.eval(), metrics, _read_history(folder / HISTORY), samples)


def training_records(metrics: Mapping) -> Iterator[Mapping]:
    """The records of a model's trainings, the latest first."""
    record: object = metrics
    while isinstance(record, Mapping):
        yield record
        record = record.get("started_from")


def bundled_models() -> list[str]:
    """The names of the bundled models, those that lack a file included."""
    return sorted({path.parent.name for name in (MODEL.header, WEIGHTS) for path in ASSETS.glob(f"*/{name}")})


def find_checkpoint(name_or_path: str | Path) -> Path:
    """The folder or `.ckpt` file of a model, given by name or path.

    Raises:
        ModelError: there is none; the message suggests the nearest names.
    """
    bundled = bundled_models()
    if isinstance(name_or_path, str) and name_or_path.strip().lower() in bundled:
        return ASSETS / name_or_path.strip().lower()
    is_path = isinstance(name_or_path, (str, os.PathLike)) and str(name_or_path)
    if is_path and os.path.exists(name_or_path):  # Path.exists raises on a name too long for a file
        return Path(name_or_path).resolve()
    near = ", ".join(nearest(str(name_or_path), bundled)) or "none"
    raise ModelError(
        f"model {short_repr(str(name_or_path))} is neither a bundled model ({near}) nor a model folder; name one of these"
    )


def load_model(name_or_folder: str | Path = "lstm") -> CharacterModel:
    """A trained model in eval mode, float32, on the CPU. `model.artists[label]` is the name of an artist label.

    Args:
        name_or_folder: a bundled model ('lstm' or 'vanilla-rnn'), a model folder, or a `.ckpt` file of train.py.

    Raises:
        ModelError: there is no such model, or it is damaged.
    """
    path = find_checkpoint(name_or_folder)
    return load_training_checkpoint(path) if path.suffix == ".ckpt" else load_checkpoint(path).model


def make_model(config: Mapping) -> CharacterModel:
    """The model that a config describes, with initial weights.

    Raises:
        ModelError: the config describes neither of the two classes.
    """
    try:
        if not 1 <= config["model"].get("n_layers", 1) <= MAX_LAYERS:
            raise ValueError("no number of layers")
        model = MODEL_CLASSES[config["class"]](**config["model"])
        if (model.input_size, model.num_classes) != (INPUT_SIZE, NUM_CLASSES):
            raise ValueError("a model of another vocabulary")
        if not all(isinstance(name, str) for name in model.artists):
            raise TypeError("an artist without a name")
        return model
    except (AssertionError, AttributeError, KeyError, OverflowError, TypeError, ValueError, RuntimeError):
        raise ModelError(
            f"the config describes no model of lyricgen (its class: {config.get('class')!r}); {MODEL.if_damaged}"
        ) from None


def load_training_checkpoint(path: str | Path) -> CharacterModel:
    """The model in a `.ckpt` file of train.py, in eval mode; read with `weights_only=True` after its checksums were verified.

    Raises:
        ModelError: the file is missing, damaged, or not a checkpoint of train.py.
    """
    path = Path(path)
    try:
        _check_records(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
        prefix = "model."
        weights = {
            name.removeprefix(prefix): value for name, value in state["state_dict"].items() if name.startswith(prefix)
        }
        model = _fill_model(state["lyricgen"], weights, f"checkpoint {path.name!r}")
        model.line_breaks = bool(state["lyricgen"].get("line_breaks", False))
    except FileNotFoundError:
        raise ModelError(f"there is no checkpoint {path.name!r}") from None
    except ModelError:
        raise
    except Exception as error:  # torch.load raises any exception on damaged bytes
        raise ModelError(
            f"{path.name!r} is no checkpoint of train.py, or it is damaged ({type(error).__name__})"
        ) from None
    return model.eval()


def has_checksums(path: Path) -> bool:
    """Whether a `.ckpt` file has a CRC-32 of every record, as torch.save writes them since PyTorch 1.6."""
    return zipfile.is_zipfile(path)


def _check_records(path: Path) -> None:
    """Verifies the CRC-32 of every record of a `.ckpt` file, which torch.load does not."""
    if has_checksums(path):
        with zipfile.ZipFile(path) as records:
            if records.testzip():
                raise zipfile.BadZipFile


def check_finite(model: CharacterModel, named: str) -> None:
    """Raises `ModelError` if a weight is NaN, infinite, or too large for float16; `named` is the model's name in the message."""
    if not has_finite_weights(model):
        raise ModelError(f"the weights of {named} hold a number that is not finite; {MODEL.if_missing}")


def _fill_model(config: Mapping, weights: Mapping[str, torch.Tensor], named: str) -> CharacterModel:
    """The model of a config with these weights; allocates nothing for sizes that they do not have.

    Raises:
        RuntimeError: names or shapes differ.
        ModelError: the config describes no model, or a weight is not finite.
    """
    with torch.device("meta"), _NoInit():
        model = make_model(config)
    model.load_state_dict(weights, strict=True, assign=True)
    check_finite(model, named)
    return model


class _NoInit(TorchFunctionMode):
    """Makes torch.nn.init a no-op: on the meta device it would import all of torch.compile."""

    def __torch_function__(
        self, function: Callable, types: object, args: tuple = (), kwargs: dict | None = None
    ) -> object:
        if getattr(function, "__module__", None) == "torch.nn.init":
            return kwargs["tensor"] if kwargs else args[0]
        return function(*args, **(kwargs or {}))


def _read_metrics(path: Path) -> dict:
    """The metrics; raises an error of `artifact_errors` where a figure that the page shows is none."""
    metrics = read_json(path)
    check_numbers(metrics, "val_bpc", "clean_bpc", "train_songs", "train_characters", "epochs", "seconds")
    if max(metrics.get(split) or 0 for split in ("val_bpc", "clean_bpc")) > MAX_BITS:
        raise ValueError("no bits per character")
    if copied := metrics.get("copied"):
        check_numbers(copied, "share_with_long_run", "long_run", required=True)
    if not isinstance(metrics.get("hardware"), str | None):
        raise TypeError("hardware is no text")
    return metrics


def _read_history(path: Path) -> list[dict]:
    """The rows; raises an error of `artifact_errors` where a value is no finite number."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = [{name: _number(value) for name, value in row.items()} for row in csv.DictReader(file)]
    if not all(value is None or math.isfinite(value) for row in rows for value in row.values()):
        raise ValueError("not finite")
    return rows


def _number(text: str | None) -> float | None:
    """A value of history.csv, an integer where it is written as one; None for none."""
    if not text:
        return None
    return int(text) if text.isascii() and text.isdigit() else float(text)


def _read_samples(path: Path) -> list[dict]:
    """The samples; raises an error of `artifact_errors` where one has no step or no text."""
    with path.open(encoding="utf-8") as file:
        samples = [parse_json(line) for line in file]
    for sample in samples:
        if not isinstance(sample["step"], int) or not isinstance(sample["text"], str):
            raise TypeError("a sample without step or text")
    return samples
