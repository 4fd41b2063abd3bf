"""Fine-tuning: a training that starts with the weights of a model folder and continues its learning curve."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from lyricgen.errors import ModelError
from lyricgen.models.checkpoints import Checkpoint, find_checkpoint, load_checkpoint, training_records
from lyricgen.models.networks import CharacterModel
from lyricgen.training.config import TrainConfig
from lyricgen.training.songs import TrainingSongs
from lyricgen.validation import name_key

COUNTS = ("step", "epoch", "seconds", "characters")  # of a row of the learning curve: sums since the first step
TOTALS = ("epochs", "steps", "characters_seen", "seconds")  # the same in metrics.json
SPLIT = ("seed", "train_songs", "val_songs", "held_out_songs")  # what decides which songs are held out
RECORDED = ("steps", "characters_seen", "seconds", "data_sha256", "options", *SPLIT, "started_from")


def load_start(name_or_folder: str | Path, model_class: type[CharacterModel]) -> Checkpoint:
    """The model folder that a training starts from.

    Args:
        name_or_folder: a bundled model or a model folder.
        model_class: of the network to train.

    Raises:
        ModelError: there is no such model, it is damaged, or of another class.
    """
    folder = find_checkpoint(name_or_folder)
    start = load_checkpoint(folder)
    if type(start.model) is not model_class:
        raise ModelError(
            f"--start-from: {folder.name!r} is another kind of network than --models names; give --models the network of that folder"
        )
    return start


def check_split(start: Checkpoint, songs: TrainingSongs, config: TrainConfig) -> None:
    """Checks that no held-out or validation song is one that the weights were trained on, as far as their metrics tell.

    Raises:
        ModelError: they were trained on the same file, split in another way.
    """
    split = (config.seed, len(songs.train), len(songs.val), len(songs.held_out or ()))
    expected = dict(zip(SPLIT, split, strict=True))
    for record in training_records(start.metrics):
        files = record.get("data_sha256") or {}
        trained_on = next(iter(files.values()), None)  # the file to train on comes before that to validate with
        if trained_on not in songs.data_sha256.values():
            continue
        different = [field for field in SPLIT if record.get(field) != expected[field]]
        if different:
            raise ModelError(
                f"--start-from: the model was trained on these songs with another split ({', '.join(different)} of its metrics.json "
                "differ), so that it may have read songs that are to be held out; give --data, --val, --held-out, --seed and "
                "--no-clean as in its training"
            )


@torch.no_grad()
def copy_weights(source: CharacterModel, target: CharacterModel) -> None:
    """Copies all weights; those of an artist by name, so that artists unknown to the source keep their initial weights.

    Args:
        source: of the same class and sizes as the target.
        target: changed in place.
    """
    artists = "artist_embeddings.weight"
    shared = {name: value for name, value in source.state_dict().items() if name != artists}
    target.load_state_dict(shared, strict=False)
    label_of = {name_key(artist): label for label, artist in enumerate(source.artists)}
    for label, artist in enumerate(target.artists):
        if name_key(artist) in label_of:
            target.artist_embeddings.weight[label] = source.artist_embeddings.weight[label_of[name_key(artist)]]


def continue_rows(before: Sequence[Mapping], rows: Sequence[Mapping], last: Mapping) -> list[dict]:
    """Rows of a learning curve, or samples, followed by those of the training that continued it.

    Args:
        before: of the training before.
        rows: of this training, counted from its own start.
        last: the last row of the learning curve before, which ended with these counts.
    """
    counts = [name for name in COUNTS if last.get(name)]
    continued = [
        {**row, **{name: _add(row[name], last[name]) for name in counts if row.get(name) is not None}} for row in rows
    ]
    return [*map(dict, before), *continued]


def continue_metrics(before: Mapping, metrics: Mapping) -> dict:
    """The metrics of a training with the totals of it and of the one before, of which `started_from` has the record."""
    totals = {name: _add(metrics[name], before[name]) for name in TOTALS if before.get(name) is not None}
    totals["weights_step"] = metrics["weights_step"] + before.get("steps", 0)
    return {**metrics, **totals, "started_from": {name: before[name] for name in RECORDED if name in before}}


def _add(count: float, before: float) -> float:
    """The sum, an integer where `count` is one, else rounded as in history.csv."""
    return int(count + before) if isinstance(count, int) else round(count + before, 3)
