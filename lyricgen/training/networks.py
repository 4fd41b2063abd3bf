"""Training of a network: fits it, measures it and writes its folder."""

import contextlib
import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, ModelCheckpoint
from torch.utils.data import DataLoader

from lyricgen.analysis.learning_curves import LearningCurves
from lyricgen.analysis.membership import weights_sha256
from lyricgen.devices import multiplies_bfloat16
from lyricgen.errors import DivergenceError, ModelError, describe_os_error
from lyricgen.models.checkpoints import (
    Checkpoint,
    has_checksums,
    load_training_checkpoint,
    model_config,
    save_checkpoint,
)
from lyricgen.models.networks import CharacterModel, ImprovedSeqModel, VanillaRNN, has_finite_weights
from lyricgen.models.vocabulary import character_to_label
from lyricgen.output import to_json
from lyricgen.songs.corpus import Corpus
from lyricgen.songs.notebook import LyricsGenerationTensor
from lyricgen.songs.streams import SongStreams
from lyricgen.training.calibration import scale_temperature
from lyricgen.training.checkpoint_files import AtomicCheckpointIO
from lyricgen.training.config import TrainConfig, flags_of
from lyricgen.training.copying import measure_copying
from lyricgen.training.divergence import DivergenceGuard, check_weights
from lyricgen.training.early_stopping import EarlyStopping
from lyricgen.training.fine_tuning import check_split, continue_metrics, continue_rows, copy_weights, load_start
from lyricgen.training.interruption import Interrupted
from lyricgen.training.learning_curve import LearningCurve
from lyricgen.training.lightning_task import LyricsGenerationTask, measure_bits
from lyricgen.training.memory import fit_memory, select_songs
from lyricgen.training.progress import TrainingProgressBar
from lyricgen.training.provenance import processor_name, provenance
from lyricgen.training.resume import TrainingState
from lyricgen.training.samples import StageSamples
from lyricgen.training.songs import TrainingSongs
from lyricgen.validation import counted

NETWORK_CLASSES: dict[str, type[CharacterModel]] = {"vanilla-rnn": VanillaRNN, "lstm": ImprovedSeqModel}
VALIDATION_ROWS = 96  # parallel streams of whole songs
MIN_LINE_BREAKS = 0.1  # share of the songs
STRETCH_STEPS = 64  # maximum steps of a stretch; longer songs are cut


def train_network(name: str, songs: TrainingSongs, config: TrainConfig, rank: int = 0) -> str | None:
    """Fits one network, measures it and writes its folder.

    The weights are those of the last step or, with `config.patience`, of the validation with the lowest `held_out_bpc`.

    Args:
        name: of the network.
        songs: to train on and to measure.
        config: of the training.
        rank: of this process in a distributed training; only rank 0 measures and writes.

    Returns:
        its figures in words; None on other ranks.

    Raises:
        ModelError: the checkpoint to resume is damaged, or of a training with other settings.
        DivergenceError: the loss is no longer finite; the network was not written.
        ModelError: a checkpoint cannot be written; those before it stay.
        Interrupted: by Ctrl-C or SIGTERM; only the checkpoint was written.
    """
    recipe = config.recipe(name)
    start = load_start(config.start_from, NETWORK_CLASSES[name]) if config.start_from else None
    if start:
        check_split(start, songs, config)
        config = replace(config, hidden_size=start.model.hidden_size, layers=start.model.n_layers)
    model, task = make_task(name, songs.train.artists, config, torch.from_numpy(songs.clean))
    model.line_breaks = has_line_breaks(songs.train)
    if start:
        copy_weights(start.model, model)
    streams = make_streams(songs.train, config, rank)
    checkpoints = config.out / "checkpoints" / name
    curve, samples = LearningCurve(), StageSamples(checkpoints / "stages")
    state = TrainingState(streams, weights_sha256(start.model) if start else None)
    stopping = EarlyStopping(config.patience) if config.patience and songs.held_out else None
    resumed_at = _check_resume(config.resume, model, task, state, recipe.epochs) if config.resume else 0
    callbacks = [curve, DivergenceGuard(curve), samples, state, *([stopping] if stopping else [])]
    trainer = make_trainer(checkpoints, callbacks, recipe.epochs, config)
    print(
        f"{name}: {counted(recipe.epochs, 'epoch')} of {len(streams):,} steps, {trainer.precision} on {device_name(trainer)}"
    )
    started = time.time()
    validation = [songs.val, *([songs.held_out] if songs.held_out else [])]
    loaders = [make_loader(_validation_streams(corpus, config.length, rank, config.ranks)) for corpus in validation]
    try:
        # On a signal Lightning raises SystemExit, with code 0 for SIGTERM: the trainer's state has the outcome.
        with contextlib.suppress(SystemExit), state.ctrl_c_after_step():
            trainer.fit(task, make_loader(streams), loaders, ckpt_path=config.resume, weights_only=True)
        check_weights(trainer, model)
    except DivergenceError as error:
        last = newest_checkpoint(checkpoints, started) or config.resume
        raise DivergenceError(f"{name}: {error}; {_way_back(name, last, recipe.learning_rate / 2, config)}") from None
    except OSError as error:
        last = newest_checkpoint(checkpoints, started) or config.resume
        then = f", then {_continuation(name, last, config)}" if last else ""
        raise ModelError(f"{name}: {describe_os_error(error)}; make room on that disk{then}") from None
    last = newest_checkpoint(checkpoints, started) or config.resume
    interrupted = Interrupted(_continuation(name, last, config) if last else f"{name} was not written")
    if trainer.state.status != "finished" or state.interrupted:
        raise interrupted
    if rank:
        return None
    if trainer.global_step == resumed_at:
        print(f"{name}: nothing was left to train; the weights of the checkpoint are measured and written")
    if stopping and stopping.best_weights:
        model.load_state_dict(stopping.best_weights)
        print(f"{name}: the weights are those of step {stopping.best_step:,}, with the lowest held_out_bpc")
    checkpoint = Checkpoint(model.eval(), {}, curve.rows, samples.rows)
    weights_step = stopping.best_step if stopping and stopping.best_weights else trainer.global_step
    try:
        return write_network(name, checkpoint, songs, curve, trainer, config, weights_step, start)
    except KeyboardInterrupt:
        raise interrupted from None
    except OSError as error:
        raise ModelError(f"{name}: {describe_os_error(error)}; make room on that disk, then {interrupted}") from None


def process_rank(config: TrainConfig) -> int:
    """Rank of this process among those of a distributed training, before it starts; 0 without one."""
    if config.ranks == 1:
        return 0
    return int(_distributed_trainer(config).global_rank)


def make_task(
    name: str, artists: Sequence[str], config: TrainConfig, clean_songs: torch.Tensor | None = None
) -> tuple[CharacterModel, LyricsGenerationTask]:
    """A network with seeded initial weights, and its training task.

    Args:
        name: of the network.
        artists: position = label.
        config: of the training.
        clean_songs: mask of the validation songs of `clean_bpc`, bool (songs,).
    """
    recipe = config.recipe(name)
    pl.seed_everything(config.seed, verbose=False)
    model = NETWORK_CLASSES[name](
        hidden_size=config.hidden_size, n_layers=config.layers, dropout=recipe.dropout, artists=artists
    )
    task = LyricsGenerationTask(
        model, recipe.learning_rate, config.optimizer, recipe.weight_decay, config.warmup_steps, clean_songs
    )
    return model, task


def make_streams(corpus: Corpus, config: TrainConfig, rank: int = 0) -> SongStreams:
    """The shuffled streams of the training songs; of a distributed training, those of one rank."""
    return SongStreams(
        corpus,
        config.batch_size,
        config.length,
        artist_dropout=config.artist_dropout,
        longest=STRETCH_STEPS * config.length,
        seed=config.seed,
        rank=rank,
        ranks=config.ranks,
    )


def make_loader(streams: SongStreams) -> DataLoader[LyricsGenerationTensor]:
    """A loader of the streams' batches that leaves the global random generator alone."""
    return DataLoader(streams, batch_size=None, generator=torch.Generator())


class LastCheckpoint(ModelCheckpoint):
    """A `ModelCheckpoint` that saves the last step of a training too."""

    def on_train_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        super().on_train_end(trainer, module)
        if trainer.global_step > self._last_global_step_saved and has_finite_weights(module):
            self._save_topk_checkpoint(trainer, self._monitor_candidates(trainer))


def make_trainer(checkpoints: Path, callbacks: list[Callback], epochs: int, config: TrainConfig) -> pl.Trainer:
    """The Lightning Trainer; it keeps two checkpoints, in case a power failure damages the newer one, and one of the last step: what
    follows the training may be interrupted too."""
    last = LastCheckpoint(
        checkpoints,
        "last-{epoch}-{step}-{train_bpc:.3f}",
        monitor="step",
        mode="max",
        save_top_k=2,
        every_n_train_steps=config.checkpoint_every,
        save_on_exception=True,
    )
    curve = next((each for each in callbacks if isinstance(each, LearningCurve)), LearningCurve())
    return _distributed_trainer(
        config,
        precision=_precision(config),
        max_epochs=epochs,
        max_steps=config.max_steps,
        gradient_clip_val=config.gradient_clip or None,
        check_val_every_n_epoch=config.validate_every,
        plugins=AtomicCheckpointIO(),
        callbacks=[*callbacks, last, *([TrainingProgressBar(curve)] if config.progress else [])],
        log_every_n_steps=20,
        num_sanity_val_steps=0,
        enable_progress_bar=config.progress,
    )


def _distributed_trainer(config: TrainConfig, **settings: Any) -> pl.Trainer:
    """A Trainer on the devices and nodes of `config`."""
    return pl.Trainer(
        accelerator=config.accelerator,
        devices=config.devices,
        num_nodes=config.num_nodes,
        strategy="ddp" if config.ranks > 1 else config.strategy,
        use_distributed_sampler=False,  # the streams are distributed by rank
        logger=False,
        enable_model_summary=False,
        **settings,
    )


def newest_checkpoint(folder: Path, started: float) -> Path | None:
    """The newest 'last' checkpoint written since a time; `ModelCheckpoint` does not record one written on a signal.

    Args:
        folder: of the checkpoints.
        started: seconds since the epoch.
    """
    written = {path: path.stat().st_mtime for path in folder.glob("last-*.ckpt")}
    return max((path for path, at in written.items() if at >= started), key=lambda path: written[path], default=None)


def write_network(
    name: str,
    checkpoint: Checkpoint,
    songs: TrainingSongs,
    curve: LearningCurve,
    trainer: pl.Trainer,
    config: TrainConfig,
    weights_step: int,
    start: Checkpoint | None = None,
) -> str:
    """Calibrates the network on the held-out songs, rounds the weights to float16, measures the network with them, fits its memory,
    and writes its folder; one that started from another model folder continues its learning curve.

    Returns:
        its figures in words.
    """
    temperature = None
    if songs.held_out:
        temperature = scale_temperature(checkpoint.model, select_songs(songs.held_out, config.seed))
    for parameter in checkpoint.model.parameters():
        parameter.data = parameter.data.to(torch.float16).float()
    bpc = measure(checkpoint.model, songs, config.length)
    if weights_step == trainer.global_step:
        curve.add_validation(trainer, bpc)
    checkpoint.model.memory, memory = fit_memory(checkpoint.model, songs, config)
    record = provenance(
        data_sha256=songs.data_sha256,
        seed=config.seed,
        seconds=curve.seconds,
        hardware=device_name(trainer),
        packages=["torch", "pytorch-lightning", "numpy"],
    )
    checkpoint.metrics = {
        **bpc,
        **measure_copying(checkpoint.model, songs.uncleaned, config.samples),
        "memory": memory,
        "temperature": temperature,
        "val_songs": len(songs.val),
        "clean_songs": int(songs.clean.sum()),
        "train_songs": len(songs.train),
        "train_characters": songs.train.characters,
        "held_out_songs": len(songs.held_out) if songs.held_out else 0,
        "cleaning": asdict(songs.cleaning) if songs.cleaning else None,
        "line_breaks": has_line_breaks(songs.train),
        "epochs": trainer.current_epoch,
        "steps": trainer.global_step,
        "weights_step": weights_step,
        "characters_seen": curve.characters,
        "precision": trainer.precision,
        "options": recorded_options(name, config),
        **record,
    }
    if start:
        last = start.history[-1] if start.history else {}
        checkpoint.history = continue_rows(start.history, curve.rows, last)
        checkpoint.samples = continue_rows(start.samples, checkpoint.samples, last)
        checkpoint.metrics = continue_metrics(start.metrics, checkpoint.metrics)
    folder = config.out / name
    [picture] = LearningCurves({name: checkpoint.history}, "characters").files("png")
    save_checkpoint(checkpoint, folder, columns=curve.COLUMNS, curve_picture=picture)
    print(f"{name}: {to_json(bpc)}; written to {folder}")
    return ", ".join(f"{split} {value:.3f}" for split, value in bpc.items())


def recorded_options(name: str, config: TrainConfig) -> dict[str, Any]:
    """The settings that metrics.json records as `options`."""
    shared = ("batch_size", "length", "optimizer", "warmup_steps", "gradient_clip", "artist_dropout", "patience")
    recipe = config.recipe(name)._asdict()
    del recipe["epochs"]  # metrics.json has the epochs trained
    return {**{option: getattr(config, option) for option in shared}, **recipe}


def measure(model: CharacterModel, songs: TrainingSongs, length: int = 128) -> dict[str, float]:
    """Bits per character over whole songs, in float32; a figure without known characters is left out.

    Returns:
        `val_bpc` of all validation songs, `clean_bpc` of the clean ones, `clean_no_headings_bpc` of the clean ones without
        heading debris, and `held_out_bpc` of the held-out training songs.
    """
    bits, characters = measure_bits(model, _validation_streams(songs.val, length), len(songs.val))
    clean = torch.from_numpy(songs.clean)
    sums = {"val_bpc": (bits.sum(), characters.sum()), "clean_bpc": (bits[clean].sum(), characters[clean].sum())}
    for name, corpus in (("clean_no_headings_bpc", songs.without_headings), ("held_out_bpc", songs.held_out)):
        if corpus is not None:
            bits, characters = measure_bits(model, _validation_streams(corpus, length), len(corpus))
            sums[name] = bits.sum(), characters.sum()
    return {name: round(float(bits / characters), 4) for name, (bits, characters) in sums.items() if characters}


def has_line_breaks(corpus: Corpus) -> bool:
    """Whether a tenth of the songs or more have line breaks; from fewer a network does not learn what they mean."""
    newline = character_to_label("\n")
    songs = sum(bool((corpus.song(number) == newline).any()) for number in range(len(corpus)))
    return songs > 0 and songs >= MIN_LINE_BREAKS * len(corpus)


def device_name(trainer: pl.Trainer) -> str:
    """Display name of the trainer's GPU, or of the processor with its number of threads."""
    if trainer.strategy.root_device.type == "cuda":
        return torch.cuda.get_device_name(trainer.strategy.root_device)
    return processor_name(torch.get_num_threads())


def _validation_streams(corpus: Corpus, length: int, rank: int = 0, ranks: int = 1) -> SongStreams:
    rows = max(ranks, min(VALIDATION_ROWS, len(corpus)))
    return SongStreams(corpus, rows, length, shuffle=False, rank=rank, ranks=ranks)


def _precision(config: TrainConfig) -> Any:
    """Lightning's name of the precision."""
    on_gpu = torch.cuda.is_available() and config.accelerator != "cpu"
    has_bfloat16 = multiplies_bfloat16(torch.device("cuda" if on_gpu else "cpu"))
    use_bfloat16 = {"auto": has_bfloat16, "bfloat16": True, "float32": False}[config.precision]
    return "bf16-mixed" if use_bfloat16 else "32-true"


def resume_command(name: str, checkpoint: Path, config: TrainConfig, **changed: Any) -> str:
    """The command that resumes a training with its other flags, some of them changed, for a POSIX shell."""
    resumed = replace(config, models=(name,), resume=checkpoint, **changed)
    program = ["python", sys.argv[0]] if Path(sys.argv[0]).name == "train.py" else ["lyricgen", "train"]
    return shlex.join([*program, *flags_of(resumed)])


def _continuation(name: str, checkpoint: Path, config: TrainConfig) -> str:
    """How to continue after an interruption, for the end of a sentence."""
    rest = config.models[config.models.index(name) + 1 :]
    then = f"; then train the others: --models {' '.join(rest)}" if rest else ""
    return f"continue with: {resume_command(name, checkpoint, config)}{then}"


def _way_back(name: str, checkpoint: Path | None, lower_rate: float, config: TrainConfig) -> str:
    """How to continue after a divergence, for the end of a sentence."""
    if checkpoint is None:
        return f"no checkpoint is left, so train again with a lower rate, such as --learning-rate {lower_rate:g}"
    command = resume_command(name, checkpoint, config, learning_rate=lower_rate)
    return f"continue with a lower rate: {command}"


def _check_resume(
    path: Path, model: CharacterModel, task: LyricsGenerationTask, state: TrainingState, epochs: int
) -> int:
    """The steps that a checkpoint was trained for.

    Raises:
        ModelError: it is damaged, of a training with other settings or songs, or of more than `epochs`.
    """
    saved = load_training_checkpoint(path)
    if not has_checksums(path):
        print(f"{path.name} is of an older PyTorch and has no checksums, so that damage to it may go unnoticed")
    content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    optimizer = content["lyricgen"].get("optimizer", task.optimizer)
    if model_config(saved) != model_config(model) or optimizer != task.optimizer:
        raise ModelError(
            f"--resume: {path.name!r} holds a {type(saved).__name__} of {saved.n_layers} x {saved.hidden_size} units and "
            f"{len(saved.artists)} artists, trained with dropout {saved.dropout} by {optimizer}; "
            "name that model, its songs and its flags"
        )
    recorded = content.get("callbacks", {}).get(state.state_key, {}).get("settings", {})
    settings = {"ranks": 1, "start_from": None, **recorded}
    different = [name for name, value in state.settings.items() if settings.get(name) != value]
    if different:
        flag = {"songs": "--data", "ranks": "--devices x --num-nodes"}
        flags = ", ".join(flag.get(name, f"--{name.replace('_', '-')}") for name in different)
        raise ModelError(
            f"--resume: {path.name!r} is of a training with another {flags}; use the flags of that training"
        )
    steps = int(content["global_step"])
    trained = -(-steps // len(state.streams))  # epochs, the last one in part
    if trained > epochs:
        raise ModelError(
            f"--resume: {path.name!r} was trained for {counted(trained, 'epoch')}; --epochs must be at least that, got {epochs}"
        )
    return steps
