"""Trains the networks, word vectors, n-gram index and attribution classifier on songs, and writes a folder for each.

python train.py                                  download the course's songs, and train everything on them
python train.py --data songdata/                 the same, on songdata_train.csv and songdata_val.csv in a folder
python train.py --data my.csv --epochs 2         on your own songs; 5 % of them are held out for validation
python train.py --quick                          a first try: small networks and few steps
python train.py --models lyrics                  one artifact only: here the word vectors
python train.py --hub-repo USER/NAME --push      and publish the artifacts on the Hugging Face Hub
"""

import argparse
import logging
import os
import sys
import tempfile
import time
import warnings
from contextlib import redirect_stdout
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

from lyricgen.errors import ArgumentError, DataError, DivergenceError, LyricGenError, describe_os_error
from lyricgen.hub.flags import check_repo, check_revision, has_token, push_command
from lyricgen.output import replace_unencodable
from lyricgen.training.config import (
    ATTRIBUTION,
    INDEX,
    MEMBERSHIP,
    NETWORKS,
    QUICK,
    WORDS,
    TrainConfig,
    add_flags,
)
from lyricgen.training.interruption import Interrupted
from lyricgen.training.summary import TrainedArtifact, summary_table


def build_parser(prog: str | None = None) -> argparse.ArgumentParser:
    """The command line, built from `TrainConfig`."""
    parser = argparse.ArgumentParser(prog, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_flags(parser)
    return parser


def parse_config(arguments: list[str] | None = None, prog: str | None = None) -> TrainConfig:
    """The settings of a command line; exits with the usage and one sentence where a value is not allowed."""
    parser = build_parser(prog)
    options = vars(parser.parse_args(arguments))
    if options.pop("quick"):
        quick = dict(QUICK)
        if options["start_from"]:
            del quick["learning_rate"]  # of a network that has learnt nothing yet
        parser.set_defaults(**quick)  # a flag of the command line wins
        options = vars(parser.parse_args(arguments))
        del options["quick"]
    try:
        config = TrainConfig(**options)
        if config.push:
            _check_push(config)
        return config
    except ArgumentError as error:
        parser.error(str(error))


def main(arguments: list[str] | None = None, prog: str | None = None) -> int:
    """Runs the command.

    Returns:
        the exit code: 0 if everything was trained, measured and written; 1 if only publishing failed; 2 for bad input; 3 if a
        training diverged; 130 for an interruption.
    """
    replace_unencodable()
    config, program = parse_config(arguments, prog), prog or "train.py"
    try:
        rank = train(config)
    except DivergenceError as error:
        print(f"{program}: {error}", file=sys.stderr)
        return 3
    except LyricGenError as error:
        print(f"{program}: {error}", file=sys.stderr)
        return 2
    except OSError as error:  # a full disk, or an --out that cannot be written
        print(f"{program}: {describe_os_error(error)}; check --out and the disk it is on", file=sys.stderr)
        return 2
    except (Interrupted, KeyboardInterrupt) as error:
        print(f"{program}: interrupted; {str(error) or 'no model was written'}", file=sys.stderr)
        return 130
    return push(config, program) if config.push and rank == 0 else 0


def train(config: TrainConfig) -> int:
    """Trains and writes each artifact of `config.models`, in that order, and prints a summary.

    Of several artifacts, those for which the songs are too few or too short are skipped with a note, except the networks.

    Returns:
        the rank of this process; ranks other than 0 of a distributed training write and print nothing.

    Raises:
        LyricGenError: the songs, or a checkpoint to resume, cannot be used; or the hardware does not have the devices.
        DivergenceError: the loss of a network is no longer finite; the network was not written.
        Interrupted: by Ctrl-C or SIGTERM.
    """
    import torch

    from lyricgen.devices import available_cores
    from lyricgen.heap import keep_freed_memory
    from lyricgen.training.attribution import train_attribution
    from lyricgen.training.index import train_index
    from lyricgen.training.membership import train_membership
    from lyricgen.training.memory import fit_memories
    from lyricgen.training.networks import process_rank, train_network
    from lyricgen.training.songs import prepare_songs, print_reading_notes
    from lyricgen.training.words import train_words

    silence_libraries()  # after their import, which sets the level of their logger
    keep_freed_memory()
    torch.set_num_threads(config.threads or min(torch.get_num_threads(), available_cores()))
    _check_devices(config)
    rank = process_rank(config)
    if rank:
        _train_as_other_rank(rank, config)
        return rank
    print_reading_notes(config)
    songs = cache(partial(prepare_songs, config))
    if set(config.models) - {INDEX, WORDS}:  # songs that cannot be used are found before anything is trained
        songs()
    trained = []

    def train_artifact(name: str) -> str | None:
        """The figures of an artifact in words; None for one without a folder of its own, or that was skipped."""
        if name == INDEX:
            return train_index(config)
        if name == WORDS:
            return train_words(config)
        if name == ATTRIBUTION:
            return train_attribution(songs(), config)
        if name == MEMBERSHIP:
            return train_membership(songs(), config)
        if name in NETWORKS:
            return train_network(name, songs(), config)
        fit_memories(songs(), config)
        return None

    for name in config.models:  # in the order in which one needs another
        started = time.perf_counter()
        try:
            figures = train_artifact(name)
        except DataError as error:  # the songs are too few or too short for this artifact
            if name in NETWORKS or len(config.models) == 1:
                raise
            print(f"{name}: skipped, since {error}")
            continue
        if figures:
            trained.append(TrainedArtifact(name, figures, time.perf_counter() - started, config.out / name))
    if trained:
        print(f"\n{summary_table(trained)}")
    return rank


def _train_as_other_rank(rank: int, config: TrainConfig) -> None:
    """Trains the networks together with rank 0, which writes, prints and reports everything."""
    from lyricgen.training.networks import train_network
    from lyricgen.training.songs import prepare_songs

    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
        with tempfile.TemporaryDirectory() as folder:  # the mapped files outlive it
            songs = prepare_songs(replace(config, out=Path(folder)))
        for name in config.models:
            if name in NETWORKS:
                try:
                    train_network(name, songs, config, rank)
                except (DivergenceError, Interrupted):
                    sys.exit(1)


def _check_devices(config: TrainConfig) -> None:
    """Raises `ArgumentError` if the machine lacks the GPUs, or other processes were started than the flags say."""
    import torch

    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if config.accelerator == "gpu" and not gpus:
        raise ArgumentError("No GPU is available; leave out --accelerator gpu")
    if config.accelerator != "cpu" and gpus and config.devices > gpus:
        raise ArgumentError(f"--devices must be at most {gpus}, the GPUs of this machine, got {config.devices}")
    started = int(os.environ.get("WORLD_SIZE", config.ranks))
    if started != config.ranks:
        raise ArgumentError(
            f"--devices x --num-nodes must be {started}, the number of processes started (WORLD_SIZE), got {config.ranks}"
        )


def push(config: TrainConfig, program: str = "train.py") -> int:
    """Publishes the artifacts of `config.out`; returns the exit code. Messages begin with `program`."""
    from lyricgen.hub.publish import push_models

    try:
        print(
            push_models(
                config.out,
                check_repo(config.hub_repo),
                private=config.private,
                revision=config.revision,
                tag=config.tag,
            )
        )
        return 0
    except (LyricGenError, KeyboardInterrupt) as error:
        print(
            f"{program}: not published, since {error or 'it was interrupted'}; the models are in {config.out}; "
            f"continue with: {push_command(config.out, config)}",
            file=sys.stderr,
        )
        return 1


def _check_push(config: TrainConfig) -> None:
    """Raises `ArgumentError` before a long training if its artifacts could not be published."""
    check_repo(config.hub_repo)
    check_revision(config.revision)
    if config.tag:
        check_revision(config.tag, "--tag")
    if not has_token():
        raise ArgumentError("--push: there is no token for the Hub; set HF_TOKEN, or log in with: hf auth login")


def silence_libraries() -> None:
    """Silences messages of Lightning and gensim, and warnings about deliberate choices."""
    for library in ("pytorch_lightning", "gensim"):
        logging.getLogger(library).setLevel(logging.ERROR)
    for message in (
        ".*does not have many workers.*",
        ".*LeafSpec.*",
        ".*IterableDataset.*__len__.*",
        ".*Checkpoint directory.*exists.*",
        ".*could not find the monitored key.*",
        ".*dataloader is not resumable.*",
        ".*sync_dist=True.*",  # figures are summed over the ranks before they are logged
        ".*callbacks used to create the checkpoint.*",
        ".*The dirpath has changed.*",
    ):
        warnings.filterwarnings("ignore", message)


if __name__ == "__main__":
    sys.exit(main())
