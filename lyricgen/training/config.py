"""TrainConfig: every setting of a training, documented and checked; the command line is built from it.

This module imports nothing that is slow to import.
"""

import argparse
import math
import os
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple, get_args

from lyricgen.errors import ArgumentError
from lyricgen.generation.settings import field_docs
from lyricgen.hub.flags import add_hub_flags
from lyricgen.validation import check_separator

INDEX, WORDS, ATTRIBUTION, MEMBERSHIP = "originality", "lyrics", "attribution", "membership"  # beside the networks'
MEMORY = "memory"  # of the networks in --out; every new network gets its own
NETWORKS = RNN, LSTM = ("vanilla-rnn", "lstm")
ARTIFACTS = (INDEX, WORDS, *NETWORKS, ATTRIBUTION, MEMBERSHIP)
OPTIMIZERS = ("adam", "adamw", "muon")
PRECISIONS = ("auto", "bfloat16", "float32")
ACCELERATORS = ("auto", "cpu", "gpu")
STRATEGIES = ("auto", "ddp")
HUB_FLAGS = ("hub_repo", "private", "revision", "tag")  # fields of which `add_hub_flags` adds the flags


class Recipe(NamedTuple):
    """Settings whose defaults differ from network to network."""

    epochs: int
    learning_rate: float
    dropout: float
    weight_decay: float


# Muon's update has a fixed norm, so that learning rate x weight decay bounds the weights.
RECIPES = {
    "vanilla-rnn": Recipe(epochs=6, learning_rate=3e-3, dropout=0.1, weight_decay=0.05),
    "lstm": Recipe(epochs=6, learning_rate=4e-3, dropout=0.15, weight_decay=0.1),
}
QUICK = {
    "max_songs": 400,
    "hidden_size": 128,
    "batch_size": 32,
    "length": 64,
    "max_steps": 260,
    "warmup_steps": 20,
    "learning_rate": 0.02,
    "word_epochs": 5,
    "min_songs": 3,
    "samples": 10,
}
"""The defaults that --quick replaces."""
GROUPS = {
    "songs": None,
    "models": None,
    "word vectors": None,
    "training": None,
    "output": None,
    "Hugging Face Hub": "The token is read from HF_TOKEN or from the login of: hf auth login",
}


def _flag(default: Any, group: str, metavar: str | None = None, **more: Any) -> Any:
    """A dataclass field with its group and metavar in `--help`, and its limits.

    Args:
        default: value of the field.
        group: a key of `GROUPS`.
        metavar: name of the value in `--help`.
        more: `low`, `high` (both inclusive) or `below` (exclusive): limits; `choices`; `off`: help of the
            flag that turns a default of True off.
    """
    return field(default=default, metadata={"group": group, "metavar": metavar, **more})


@dataclass(frozen=True)
class TrainConfig:
    """The settings of one run of train.py.

    Raises:
        ArgumentError: a value is not allowed; the message names its flag.
    """

    data: str | None = _flag(None, "songs", "PATH")
    """A folder with songdata_train.csv and songdata_val.csv, a CSV, TSV or JSON file, a text file (two blank lines separate
    songs), or a folder of .txt files (a subfolder is an artist) or of tables; default: download the course's songs."""
    val: str | None = _flag(None, "songs", "PATH")
    """Validation songs, in the same forms; default: songdata_val.csv beside songdata_train.csv, else a share of the
    songs."""
    val_share: float = _flag(0.05, "songs", "SHARE", low=0, below=1)
    """Share of the songs held out for validation where there are no validation songs."""
    clean: bool = _flag(True, "songs", off="Train on the songs as they are")
    """Leave notices, stubs, heading debris and duplicates out of the training songs."""
    held_out: float = _flag(0.02, "songs", "SHARE", low=0, below=1)
    """Share of the training songs held out from the networks, measured as held_out_bpc."""
    lyric_column: str = _flag("Lyric", "songs", "NAME")
    """The column of the lyrics; in JSON, their name."""
    artist_column: str | None = _flag(None, "songs", "NAME")
    """The column of the artists, '' for none; default: Artist, if there is one."""
    max_songs: int | None = _flag(None, "songs", "N", low=2)
    """Songs read of each of --data and --val, spread evenly over it; default: all."""
    models: tuple[str, ...] = _flag(ARTIFACTS, "models", choices=(*ARTIFACTS, MEMORY))
    """Artifacts to train; originality: the n-gram index of the songs, lyrics: word vectors, attribution: the classifier of
    artists, membership: the thresholds of both networks in --out for whether they have read a text, memory: the constants of
    the memory of the networks in --out (default: all but memory)."""
    hidden_size: int = _flag(512, "models", "H", low=1)
    """Units per layer."""
    layers: int = _flag(2, "models", "L", low=1)
    """Recurrent layers."""
    dropout: float | None = _flag(None, "models", "SHARE", low=0, below=1)
    """Share of the activations dropped in training."""
    artist_dropout: float = _flag(0.15, "models", "SHARE", low=0, below=1)
    """Share of the songs with a hidden artist, so that 'any artist' is learnt too."""
    dimensions: int = _flag(100, "word vectors", "D", low=1)
    """Dimensions of the word vectors."""
    window: int = _flag(5, "word vectors", "N", low=1)
    """Maximum distance of a context word, in words."""
    negative: int = _flag(10, "word vectors", "N", low=1)
    """Negative samples per context word."""
    word_epochs: int = _flag(20, "word vectors", "N", low=1)
    """Passes over the songs."""
    min_songs: int = _flag(10, "word vectors", "N", low=1)
    """Minimum number of songs that contain a word; rarer words have no vector."""
    epochs: int | None = _flag(None, "training", "N", low=1)
    """Passes over the songs."""
    max_steps: int = _flag(-1, "training", "N")
    """Steps after which to stop; -1: no limit."""
    batch_size: int = _flag(64, "training", "B", low=1)
    """Parallel streams of songs."""
    length: int = _flag(128, "training", "T", low=1)
    """Characters per step, through which gradients flow."""
    optimizer: str = _flag("muon", "training", choices=OPTIMIZERS)
    """muon: Muon for the recurrent matrices, AdamW for all other parameters."""
    learning_rate: float | None = _flag(None, "training", "RATE")
    """Maximum learning rate; half of it for the parameters that muon leaves to AdamW."""
    weight_decay: float | None = _flag(None, "training", "RATE", low=0)
    """Weight decay of muon and adamw."""
    warmup_steps: int = _flag(200, "training", "N", low=0)
    """Steps of linear warm-up, before the cosine decay."""
    gradient_clip: float = _flag(1.0, "training", "NORM", low=0)
    """Norm above which gradients are scaled down; 0: never."""
    validate_every: int = _flag(1, "training", "EPOCHS", low=1)
    """Epochs between validations; they do not select a checkpoint."""
    patience: int = _flag(0, "training", "N", low=0)
    """Validations in a row without a lower held_out_bpc after which the training stops and the weights of the best are written;
    0: all epochs are trained and the last weights are written."""
    precision: str = _flag("auto", "training", choices=PRECISIONS)
    """auto: bfloat16 where the hardware supports it."""
    accelerator: str = _flag("auto", "training", choices=ACCELERATORS)
    """auto: a GPU if one is available."""
    devices: int = _flag(1, "training", "N", low=1)
    """GPUs, or processes on the CPU, per node; each trains its share of --batch-size."""
    num_nodes: int = _flag(1, "training", "N", low=1)
    """Machines; start the command on each, by torchrun or with NODE_RANK, MASTER_ADDR and MASTER_PORT set."""
    strategy: str = _flag("auto", "training", choices=STRATEGIES)
    """ddp: distributed data parallel; auto: ddp for more than one device."""
    threads: int | None = _flag(None, "training", "N", low=1)
    """CPU threads; default: one per core that the process may use, by its affinity and a container's quota."""
    start_from: str | None = _flag(None, "training", "MODEL")
    """Start with the weights of a bundled model or a model folder, to fine-tune it on your own songs or train it for longer; its
    sizes replace --hidden-size and --layers, and its learning curve is continued. Needs one network as --models."""
    seed: int = _flag(777, "training", "N", low=0, high=2**32 - 1)
    """Random seed of weights, song order, dropout, held-out songs and word vectors."""
    out: Path = _flag(Path("models"), "output", "FOLDER")
    """Parent of the artifact folders, and of checkpoints/ during training."""
    resume: Path | None = _flag(None, "output", "CKPT")
    """Continue from a .ckpt file, exactly as if the training had not been interrupted; needs one network as --models and the
    same flags."""
    checkpoint_every: int = _flag(200, "output", "STEPS", low=1)
    """Steps between checkpoints, of which the two newest of a run are kept."""
    samples: int = _flag(200, "output", "N", low=0)
    """Lyrics sampled from a trained network at each of three temperatures to measure memorization; 0: none."""
    progress: bool = _flag(True, "output", off="Show no progress bar")
    """Show a progress bar."""
    push: bool = _flag(False, "Hugging Face Hub")
    """Publish the artifacts of --out in one commit after the training."""
    hub_repo: str | None = _flag(None, "Hugging Face Hub", "USER/NAME")
    """The repository; created if it does not exist."""
    private: bool = _flag(False, "Hugging Face Hub")
    """Create the repository as private."""
    revision: str = _flag("main", "Hugging Face Hub", "BRANCH")
    """The branch; created if it does not exist."""
    tag: str | None = _flag(None, "Hugging Face Hub", "NAME")
    """A new tag for the commit."""
    separator: str | None = _flag(None, "songs", "NAME")
    """What separates the columns of a CSV file: comma, semicolon, tab or bar; default: whichever gives its header the
    columns."""

    def __post_init__(self) -> None:
        named = dict.fromkeys(self.models)  # one that is unknown is named below
        order = {name: place for place, name in enumerate((*ARTIFACTS, MEMORY))}
        object.__setattr__(self, "models", tuple(sorted(named, key=lambda name: order.get(name, len(order)))))
        for setting in fields(self):
            value = getattr(self, setting.name)
            _check(setting, value)
            if value == "" and setting.name in ("data", "val", "start_from", "resume"):
                raise ArgumentError(f"{_flag_name(setting)} must not be empty")
            if setting.name in HUB_FLAGS and value != setting.default and not self.push:
                raise ArgumentError(f"{_flag_name(setting)} needs --push")
        if self.max_steps < 1 and self.max_steps != -1:
            raise ArgumentError(f"--max-steps must be at least 1, or -1 for no limit, got {self.max_steps}")
        if self.learning_rate is not None and not 0 < self.learning_rate < 1:
            raise ArgumentError(f"--learning-rate must be above 0 and below 1, got {self.learning_rate}")
        if self.separator is not None:
            check_separator("--separator", self.separator)
        if self.batch_size % self.ranks:
            raise ArgumentError(
                f"--batch-size must be a multiple of --devices x --num-nodes, {self.ranks}, got {self.batch_size}"
            )
        if self.patience and not self.held_out:
            raise ArgumentError(f"--patience needs held-out songs; --held-out must be above 0, got {self.held_out}")
        for flag, value in (("--resume", self.resume), ("--start-from", self.start_from)):
            if value and (len(self.models) != 1 or self.models[0] not in NETWORKS):
                raise ArgumentError(f"{flag} needs one network as --models, {' or '.join(NETWORKS)}")
        if self.resume and not os.path.isfile(self.resume):
            raise ArgumentError(f"--resume: there is no file {self.resume}")

    @property
    def ranks(self) -> int:
        """Processes of a distributed training."""
        return self.devices * self.num_nodes

    def recipe(self, network: str) -> Recipe:
        """The recipe of a network: the values set here, else the network's defaults."""
        given = {name: getattr(self, name) for name in Recipe._fields}
        return RECIPES[network]._replace(**{name: value for name, value in given.items() if value is not None})


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Adds a flag for each field of `TrainConfig`; those of a push are shared with the shell."""
    helps = field_docs(TrainConfig)
    groups = {name: parser.add_argument_group(name, description) for name, description in GROUPS.items()}
    for setting in fields(TrainConfig):
        if setting.name not in HUB_FLAGS:
            groups[setting.metadata["group"]].add_argument(
                _flag_name(setting), dest=setting.name, **_argument(setting, helps.get(setting.name, ""))
            )
    quick = " ".join(f"--{name.replace('_', '-')} {value}" for name, value in QUICK.items())
    groups["models"].add_argument(
        "--quick", action="store_true", help=f"A first try in about two minutes, with other defaults: {quick}"
    )
    add_hub_flags(groups["Hugging Face Hub"])


def flags_of(config: TrainConfig) -> list[str]:
    """The command line of the settings that differ from their defaults.

    >>> flags_of(TrainConfig(models=("lstm",), data="my songs.csv", clean=False))
    ['--models', 'lstm', '--data', 'my songs.csv', '--no-clean']
    """
    flags: list[str] = []
    changed = [setting for setting in fields(config) if getattr(config, setting.name) != setting.default]
    for setting in sorted(changed, key=lambda setting: setting.name not in ("models", "resume")):
        value = getattr(config, setting.name)
        values = value if isinstance(value, tuple) else () if isinstance(value, bool) else (value,)
        flags += [_flag_name(setting), *map(str, values)]
    return flags


def _argument(setting: Field, text: str) -> dict[str, Any]:
    """The keyword arguments of `add_argument` for a field with this docstring."""
    default, metadata = setting.default, setting.metadata
    if isinstance(default, bool):
        return {"help": metadata.get("off", text).rstrip("."), "action": "store_false" if default else "store_true"}
    keywords: dict[str, Any] = {"help": text.rstrip(".") + _default_text(setting, text), "default": default}
    if metadata.get("choices"):
        keywords["choices"] = metadata["choices"]
    else:
        keywords |= {"type": _parse_type(setting), "metavar": metadata["metavar"]}
    if setting.name == "models":
        keywords["nargs"] = "+"
    return keywords


def _default_text(setting: Field, text: str) -> str:
    """' (default: ...)'; '' where the docstring names the default."""
    if setting.name in Recipe._fields:
        values = ", ".join(f"{getattr(recipe, setting.name)} for {name}" for name, recipe in RECIPES.items())
        return f" (default: {values})"
    if setting.default in (None, MISSING) or "default" in text:
        return ""
    return f" (default: {setting.default})"


def _parse_type(setting: Field) -> type:
    """The type that a flag's value is parsed as."""
    annotation: Any = setting.type
    kinds = get_args(annotation) or (annotation,)  # a union with None, or one type
    return next(kind for kind in (int, float, Path, str) if kind in kinds)


def _check(setting: Field, value: Any) -> None:
    """Raises `ArgumentError` where a value lies outside the limits or choices of its field."""
    limits, flag = setting.metadata, _flag_name(setting)
    if limits.get("choices"):
        for chosen in value if isinstance(value, tuple) else (value,):
            if chosen not in limits["choices"]:
                raise ArgumentError(f"{flag} must be one of {', '.join(limits['choices'])}; got {chosen!r}")
        return
    low, high, below = limits.get("low"), limits.get("high"), limits.get("below")
    if value is None or low is None:
        return
    if below is not None and not low <= value < below:
        raise ArgumentError(f"{flag} must be at least {low} and below {below}, got {value}")
    if high is not None and not low <= value <= high:
        raise ArgumentError(f"{flag} must be from {low} to {high}, got {value}")
    if not low <= value < math.inf:
        raise ArgumentError(f"{flag} must be at least {low}, got {value}")


def _flag_name(setting: Field) -> str:
    prefix = "--no-" if setting.default is True else "--"
    return prefix + setting.name.replace("_", "-")
