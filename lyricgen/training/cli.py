"""Trains the networks, word vectors, n-gram index and attribution classifier on songs, and writes a folder for each.

python train.py                                  download the course's songs, and train everything on them
python train.py --data songdata/                 the same, on songdata_train.csv and songdata_val.csv in a folder
python train.py --data my.csv --epochs 2         on your own songs; 5 % of them are held out for validation
python train.py --models lyrics                  one artifact only: here the word vectors
python train.py --hub-repo USER/NAME --push      and publish the artifacts on the Hugging Face Hub
"""

import argparse
import logging
import sys
import warnings
from functools import cache, partial

from lyricgen.errors import ArgumentError, LyricGenError, describe_os_error
from lyricgen.hub.flags import check_repo, check_revision, has_token, push_command
from lyricgen.training.config import ATTRIBUTION, INDEX, MEMBERSHIP, MEMORY, WORDS, TrainConfig, add_flags
from lyricgen.training.interruption import Interrupted


def build_parser(prog: str | None = None) -> argparse.ArgumentParser:
    """The command line, built from `TrainConfig`."""
    parser = argparse.ArgumentParser(prog, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_flags(parser)
    return parser


def parse_config(arguments: list[str] | None = None, prog: str | None = None) -> TrainConfig:
    """The settings of a command line; exits with the usage and one sentence where a value is not allowed."""
    parser = build_parser(prog)
    options = parser.parse_args(arguments)
    try:
        config = TrainConfig(**vars(options))
        if config.push:
            _check_push(config)
        return config
    except ArgumentError as error:
        parser.error(str(error))


def main(arguments: list[str] | None = None, prog: str | None = None) -> int:
    """Runs the command.

    Returns:
        the exit code: 0 if everything was trained, measured and written; 1 if only publishing failed; 2 for bad input; 130 for
        an interruption.
    """
    config, program = parse_config(arguments, prog), prog or "train.py"
    try:
        train(config)
    except LyricGenError as error:
        print(f"{program}: {error}", file=sys.stderr)
        return 2
    except OSError as error:  # a full disk, or an --out that cannot be written
        print(f"{program}: {describe_os_error(error)}; check --out and the disk it is on", file=sys.stderr)
        return 2
    except (Interrupted, KeyboardInterrupt) as error:
        print(f"{program}: interrupted; {str(error) or 'no model was written'}", file=sys.stderr)
        return 130
    return push(config, program) if config.push else 0


def train(config: TrainConfig) -> None:
    """Trains and writes each artifact of `config.models`, in that order.

    Raises:
        LyricGenError: the songs, or a checkpoint to resume, cannot be used; or no GPU is available for `accelerator="gpu"`.
        Interrupted: by Ctrl-C or SIGTERM.
    """
    silence_libraries()
    import torch

    from lyricgen.training.attribution import train_attribution
    from lyricgen.training.index import train_index
    from lyricgen.training.membership import train_membership
    from lyricgen.training.memory import fit_memories
    from lyricgen.training.networks import train_network
    from lyricgen.training.songs import prepare_songs
    from lyricgen.training.words import train_words

    if config.threads:
        torch.set_num_threads(config.threads)
    if config.accelerator == "gpu" and not torch.cuda.is_available():
        raise ArgumentError("No GPU is available; leave out --accelerator gpu")
    songs = cache(partial(prepare_songs, config))
    if set(config.models) - {INDEX, WORDS}:  # songs that cannot be used are found before anything is trained
        songs()
    for name in config.models:
        if name == INDEX:
            train_index(config)
        elif name == WORDS:
            train_words(config)
        elif name == ATTRIBUTION:
            train_attribution(songs(), config)
        elif name == MEMBERSHIP:
            train_membership(songs(), config)
        elif name == MEMORY:
            fit_memories(songs(), config)
        else:
            train_network(name, songs(), config)


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
        ".*callbacks used to create the checkpoint.*",
        ".*The dirpath has changed.*",
    ):
        warnings.filterwarnings("ignore", message)


if __name__ == "__main__":
    sys.exit(main())
