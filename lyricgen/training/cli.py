"""Trains the character-level models and the word vectors on songs, indexes the songs, and writes a folder for each.

python train.py --data songdata/                    all of them, on songdata_train.csv and songdata_val.csv
python train.py --data songdata/ --models lyrics    the word vectors only, in a minute or two
python train.py --data songdata/ --models originality    the index by which it is told what of a text stands in the songs
python train.py --data songdata/ --models attribution    the classifier of artists, in a minute or two
python train.py --data my.csv --epochs 2            on your own songs; the networks hold out every twentieth
python train.py                                     downloads the course's songs first
python train.py --hub-repo USER/NAME --push         and publishes what it trained on the Hugging Face Hub
"""

import argparse
import contextlib
import hashlib
import inspect
import json
import logging
import math
import platform
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import gensim
import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint, TQDMProgressBar
from torch.utils.data import DataLoader

from lyricgen.analysis.ngram_classifier import save_ngrams
from lyricgen.errors import ArgumentError, DataError, LyricGenError, ModelError, describe_os_error
from lyricgen.hub.flags import add_hub_flags, check_repo, check_revision, has_token, push_command
from lyricgen.memorization.song_index import FOLDER as INDEX
from lyricgen.memorization.song_index import SongIndex
from lyricgen.models.checkpoints import (
    Checkpoint,
    load_training_checkpoint,
    model_config,
    save_checkpoint,
)
from lyricgen.models.networks import ImprovedSeqModel, VanillaRNN
from lyricgen.models.vocabulary import character_to_label
from lyricgen.songs.cleaning import CleaningReport, SongCleaner, clean_training_songs
from lyricgen.songs.corpus import Corpus, SongStreams, clean_songs, encode_corpus, split_numbers
from lyricgen.songs.download import TRAIN_FILE, VAL_FILE, download_songdata
from lyricgen.songs.notebook import ARTIST_COLUMN, ARTISTS, LYRIC_COLUMN, Song, read_songs
from lyricgen.storage import file_sha256
from lyricgen.training.attribution import fit_attribution, songs_with_artist
from lyricgen.training.copying import index_corpus, measure_copied_words, measure_copying
from lyricgen.training.lightning_task import OPTIMIZERS, LearningCurve, LyricsGenerationTask, measure_bits
from lyricgen.training.provenance import processor_name, provenance
from lyricgen.training.resume import TrainingState
from lyricgen.training.samples import StageSamples
from lyricgen.words.space import save_space
from lyricgen.words.word2vec import fit_word2vec

WORDS = "lyrics"
ATTRIBUTION = "attribution"
MODELS = {"vanilla-rnn": VanillaRNN, "lstm": ImprovedSeqModel}
RECIPES = {  # learning rate x weight decay keeps the weights small: a step of Muon has a fixed size
    "vanilla-rnn": {"epochs": 6, "learning_rate": 3e-3, "dropout": 0.1, "weight_decay": 0.05},
    "lstm": {"epochs": 10, "learning_rate": 4e-3, "dropout": 0.2, "weight_decay": 0.1},
}
VALIDATION_ROWS = 96  # streams of whole songs side by side
WORD_SETTINGS = {
    name: parameter.default
    for name, parameter in inspect.signature(fit_word2vec).parameters.items()
    if parameter.default is not parameter.empty
}
"""What `fit_word2vec` is called with where no flag says otherwise."""


class Interrupted(Exception):
    """Raised when Ctrl-C or SIGTERM ended a training; its text says what is left of it."""


@dataclass
class Songs:
    """The songs to train and to measure with."""

    train: Corpus
    val: Corpus
    clean: np.ndarray
    """Which validation songs are new to the training songs."""
    files: dict[str, str]
    """sha256 of each file that was read."""
    everything: Corpus | None = None
    """All training songs as they were read, against which copying is measured; None: `train`."""
    held_out: Corpus | None = None
    """Training songs that no network reads."""
    without_headings: Corpus | None = None
    """The clean validation songs with their headings cut."""
    cleaning: CleaningReport | None = None
    """What was left out of the training songs and cut from them; None: nothing."""


def build_parser() -> argparse.ArgumentParser:
    """The command line; the defaults are what the bundled models were trained with."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    # fmt: off
    data = parser.add_argument_group("songs")
    data.add_argument("--data", metavar="PATH", help="a folder with songdata_train.csv and songdata_val.csv, a CSV file, a text file (two blank lines part songs), or a folder of .txt files (a subfolder is an artist); default: download the course's songs")
    data.add_argument("--val", metavar="PATH", help="songs to validate with, in the same form; default: songdata_val.csv beside songdata_train.csv, else a share of the songs")
    data.add_argument("--val-share", type=float, default=0.05, metavar="SHARE", help="share of the songs held out where there are no validation songs (default: %(default)s)")
    data.add_argument("--no-clean", dest="clean", action="store_false", help="train on the songs as they are, with notices, heading debris and duplicates")
    data.add_argument("--held-out", type=float, default=0.02, metavar="SHARE", help="share of the training songs that no network reads, measured as held_out_bpc (default: %(default)s)")
    data.add_argument("--lyric-column", default=LYRIC_COLUMN, metavar="NAME", help="the CSV column that holds the lyric (default: %(default)s)")
    data.add_argument("--artist-column", metavar="NAME", help=f"the CSV column that holds the artist, '' for none (default: {ARTIST_COLUMN} if there is one)")
    model = parser.add_argument_group("models")
    model.add_argument("--models", nargs="+", choices=(INDEX, WORDS, *MODELS, ATTRIBUTION), default=[INDEX, WORDS, *MODELS, ATTRIBUTION], help="which to train, in this order; originality: the index of the songs, lyrics: word vectors, attribution: the classifier of artists (default: all)")
    model.add_argument("--hidden-size", type=int, default=512, metavar="H", help="units a layer (default: %(default)s)")
    model.add_argument("--layers", type=int, default=2, metavar="L", help="recurrent layers (default: %(default)s)")
    model.add_argument("--dropout", type=float, metavar="SHARE", help="activations dropped in training (default: " + _defaults("dropout") + ")")
    model.add_argument("--artist-dropout", type=float, default=0.15, metavar="SHARE", help="share of the songs whose artist is hidden, so that 'any artist' is learnt too (default: %(default)s)")
    words = parser.add_argument_group("word vectors")
    words.add_argument("--dimensions", type=int, default=WORD_SETTINGS["dimensions"], metavar="D", help="numbers a vector (default: %(default)s)")
    words.add_argument("--window", type=int, default=WORD_SETTINGS["window"], metavar="N", help="words to either side that a word is to predict, at most (default: %(default)s)")
    words.add_argument("--negative", type=int, default=WORD_SETTINGS["negative"], metavar="N", help="words drawn at random that it is to tell from them (default: %(default)s)")
    words.add_argument("--word-epochs", type=int, default=WORD_SETTINGS["epochs"], metavar="N", help="passes over the songs (default: %(default)s)")
    words.add_argument("--min-songs", type=int, default=WORD_SETTINGS["min_songs"], metavar="N", help="songs that a word must stand in to have a vector (default: %(default)s)")
    run = parser.add_argument_group("training")
    run.add_argument("--epochs", type=int, metavar="N", help="passes over the songs (default: " + _defaults("epochs") + ")")
    run.add_argument("--max-steps", type=int, default=-1, metavar="N", help="stop after so many steps; -1: no limit (default: %(default)s)")
    run.add_argument("--batch-size", type=int, default=64, metavar="B", help="streams of songs read side by side (default: %(default)s)")
    run.add_argument("--length", type=int, default=128, metavar="T", help="characters a step, through which gradients flow (default: %(default)s)")
    run.add_argument("--optimizer", choices=OPTIMIZERS, default="muon", help="muon trains the recurrent matrices with Muon, the rest with AdamW (default: %(default)s)")
    run.add_argument("--learning-rate", type=float, metavar="RATE", help="its highest value; for what muon leaves to AdamW, half of it (default: " + _defaults("learning_rate") + ")")
    run.add_argument("--weight-decay", type=float, metavar="RATE", help="of muon and adamw (default: " + _defaults("weight_decay") + ")")
    run.add_argument("--warmup-steps", type=int, default=200, metavar="N", help="steps of rising learning rate; a cosine takes it down after them (default: %(default)s)")
    run.add_argument("--gradient-clip", type=float, default=1.0, metavar="NORM", help="norm above which gradients are scaled down, 0 for never (default: %(default)s)")
    run.add_argument("--validate-every", type=int, default=1, metavar="EPOCHS", help="epochs between validations, which choose nothing (default: %(default)s)")
    run.add_argument("--precision", choices=("auto", "bfloat16", "float32"), default="auto", help="auto: bfloat16 where the hardware has it (default: %(default)s)")
    run.add_argument("--accelerator", choices=("auto", "cpu", "gpu"), default="auto", help="auto: a GPU where there is one (default: %(default)s)")
    run.add_argument("--threads", type=int, metavar="N", help="CPU threads (default: one a core)")
    run.add_argument("--seed", type=int, default=777, metavar="N", help="of weights, song order, dropout and the words drawn (default: %(default)s)")
    output = parser.add_argument_group("output")
    output.add_argument("--out", type=Path, default=Path("models"), metavar="FOLDER", help="where the model folders go, and checkpoints/ while training (default: %(default)s)")
    output.add_argument("--resume", type=Path, metavar="CKPT", help="go on from a .ckpt file; needs one of the networks as --models and the same flags; the steps are those of a training without interruption")
    output.add_argument("--checkpoint-every", type=int, default=200, metavar="STEPS", help="steps between checkpoints, of which the two newest are kept (default: %(default)s)")
    output.add_argument("--samples", type=int, default=200, metavar="N", help="lyrics that a model writes when it is done, at each of three temperatures, to measure how much it copies; 0: none (default: %(default)s)")
    output.add_argument("--no-progress", action="store_true", help="no progress bar")
    hub = parser.add_argument_group("Hugging Face Hub", "the token is that of HF_TOKEN, or of: hf auth login")
    hub.add_argument("--push", action="store_true", help="publish the models, word vectors and index of --out when all were trained, in one commit")
    add_hub_flags(hub)
    # fmt: on
    return parser


def _defaults(setting: str) -> str:
    return ", ".join(f"{recipe[setting]} for {name}" for name, recipe in RECIPES.items())


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code: 0 only when every model was trained, measured and written."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    _check(parser, options)
    _quieten()
    if options.threads:
        torch.set_num_threads(options.threads)
    try:
        names = dict.fromkeys(options.models)
        songs = prepare_songs(options) if set(names) - {INDEX, WORDS} else None
        for name in names:
            if name == INDEX:
                index_songs(options)
            elif name == WORDS:
                train_words(options)
            elif name == ATTRIBUTION:
                train_attribution(songs, options)
            else:
                train_model(name, songs, options)
    except LyricGenError as error:
        print(f"train.py: {error}", file=sys.stderr)
        return 2
    except OSError as error:  # a full disk, an --out that is a file or may not be written
        print(f"train.py: {describe_os_error(error)}; check --out and the disk it is on", file=sys.stderr)
        return 2
    except (Interrupted, KeyboardInterrupt) as error:
        print(f"train.py: interrupted; {str(error) or 'no model was written'}", file=sys.stderr)
        return 130
    return push(options) if options.push else 0


def push(options: argparse.Namespace) -> int:
    """Publishes what was trained; returns the exit code."""
    from lyricgen.hub.publish import push_models  # imported here, since a training without it needs none of it

    flags = {"private": options.private, "revision": options.revision, "tag": options.tag}
    try:
        print(push_models(options.out, options.hub_repo, **flags))
        return 0
    except (LyricGenError, KeyboardInterrupt) as error:
        print(
            f"train.py: not published, since {error or 'it was interrupted'}; the models are in {options.out}; "
            f"go on with: {push_command(options.out, options)}",
            file=sys.stderr,
        )
        return 1


def find_songs(options: argparse.Namespace) -> tuple[Path, Path | None]:
    """The files or folders that the options name: of the training songs and, if there are any, of the validation songs."""
    source = Path(options.data) if options.data else download_songdata()
    val_source = Path(options.val) if options.val else None
    if source.is_dir() and (source / TRAIN_FILE).is_file():
        val_source = val_source or (source / VAL_FILE if (source / VAL_FILE).is_file() else None)
        source = source / TRAIN_FILE
    return source, val_source


def prepare_songs(options: argparse.Namespace) -> Songs:
    """Reads, cleans and encodes the songs that the options name; chooses those held out and the clean validation songs.

    Whether a validation song is clean is decided against all training songs, before any is left out.
    """
    source, val_source = find_songs(options)
    artists = ARTISTS if source.name == TRAIN_FILE else None
    folder = options.out / "corpus"

    def read(path: Path = source) -> Iterator[Song]:
        return read_songs(path, options.lyric_column, options.artist_column)

    everything = encode_corpus(read(), folder / "train", artists)
    cleaner = SongCleaner.fit(read) if options.clean else None
    numbers = val_numbers = None
    if val_source is None:
        numbers, val_numbers = split_numbers(len(everything), options.val_share, options.seed)
    cleaned = clean_training_songs(read, folder / "cleaned", cleaner, numbers, artists, options.held_out, options.seed)
    if val_source is None:
        val, cut = everything.subset(val_numbers), cleaned.corpus.subset(val_numbers)
        everything = everything.subset(numbers)
    else:
        val = cut = encode_corpus(read(val_source), folder / "val", everything.artists)
        if cleaner:
            lyrics = (replace(song, lyric=cleaner.cut_headings(song.lyric)) for song in read(val_source))
            cut = encode_corpus(lyrics, folder / "val-without-headings", everything.artists)
    clean = clean_songs(val, everything)
    train = cleaned.corpus.subset(cleaned.train)
    if cleaner:
        print(cleaned.report)
    print(
        f"{len(train):,} songs to train on ({train.characters:,} characters), {len(val):,} to validate with, {int(clean.sum()):,} of them clean"
    )
    return Songs(
        train,
        val,
        clean,
        files={path.name: file_sha256(path) for path in (source, val_source) if path and path.is_file()},
        everything=everything,
        held_out=cleaned.corpus.subset(cleaned.held_out) if len(cleaned.held_out) else None,
        without_headings=cut.subset(clean) if cleaner and clean.any() else None,
        cleaning=cleaned.report if cleaner else None,
    )


def clean_lyrics(songs: list[Song], options: argparse.Namespace) -> list[str]:
    """The lyrics to fit word vectors on: without notices, stubs, headings and duplicates, unless `--no-clean` is given."""
    if not options.clean:
        return [song.lyric for song in songs]

    def read() -> Iterable[Song]:
        return songs

    cleaner = SongCleaner.fit(read)
    with tempfile.TemporaryDirectory() as folder:
        cleaned = clean_training_songs(read, Path(folder) / "corpus", cleaner)
    print(f"{WORDS}: {cleaned.report}")
    return [cleaner.cut_headings(songs[number].lyric) for number in cleaned.train]


def index_songs(options: argparse.Namespace) -> None:
    """Indexes the songs, those that are held out among them, by their words in a row; writes the index.

    Raises:
        Interrupted: Ctrl-C or SIGTERM came; nothing was written.
    """
    source, _ = find_songs(options)
    started = time.perf_counter()
    try:
        with _sigterm_as_ctrl_c():
            songs = list(read_songs(source, options.lyric_column, options.artist_column))
            index = SongIndex.build(songs)
            index.save(
                options.out / INDEX,
                data_sha256=_data_sha256(source, songs),
                seconds=round(time.perf_counter() - started, 1),
                hardware=processor_name(1),
                versions={"python": platform.python_version(), "numpy": np.__version__},
            )
    except KeyboardInterrupt:
        raise Interrupted(f"{INDEX} was not written") from None
    print(f"{INDEX}: {index.metrics['grams']:,} grams of {len(index):,} songs; written to {options.out / INDEX}")


def train_words(options: argparse.Namespace) -> None:
    """Fits word vectors on the songs as they are in the file, for the corpus has no letters beyond ASCII; writes them.

    Raises:
        Interrupted: Ctrl-C or SIGTERM came; nothing was written.
    """
    settings = {
        **WORD_SETTINGS,
        **{name: getattr(options, name) for name in ("dimensions", "window", "negative", "min_songs", "seed")},
        "epochs": options.word_epochs,
    }
    source, _ = find_songs(options)
    started = time.perf_counter()
    try:
        with _sigterm_as_ctrl_c():
            songs = list(read_songs(source, options.lyric_column, options.artist_column))
            lyrics = clean_lyrics(songs, options)
            print(f"{WORDS}: Word2Vec, {settings['epochs']} epochs of {len(lyrics):,} songs on {processor_name(1)}")
            vectors = fit_word2vec(lyrics, **settings)
            save_space(
                vectors,
                options.out / WORDS,
                WORDS,
                f"Word2Vec (skip-gram, negative sampling), trained on {len(lyrics):,} songs",
                np.float16,
                songs=len(lyrics),
                tokens=sum(int(vectors.get_vecattr(word, "count")) for word in vectors.index_to_key),
                data_sha256=_data_sha256(source, songs),
                seed=settings["seed"],
                seconds=round(time.perf_counter() - started, 1),
                hardware=processor_name(1),
                options={name: value for name, value in settings.items() if name not in ("seed", "dimensions")},
                versions={
                    "python": platform.python_version(),
                    "gensim": gensim.__version__,
                    "numpy": np.__version__,
                },
            )
    except KeyboardInterrupt:
        raise Interrupted(f"{WORDS} was not written") from None
    print(f"{WORDS}: {len(vectors):,} words of {vectors.vector_size} dimensions; written to {options.out / WORDS}")


def train_model(name: str, songs: Songs, options: argparse.Namespace) -> Checkpoint:
    """Fits one model, measures it on both splits and writes its folder.

    Raises:
        Interrupted: Ctrl-C or SIGTERM came; nothing but the checkpoint was written.
    """
    own = {
        setting: value if getattr(options, setting) is None else getattr(options, setting)
        for setting, value in RECIPES[name].items()
    }
    options = argparse.Namespace(**{**vars(options), **own})
    pl.seed_everything(options.seed, verbose=False)
    model = MODELS[name](
        hidden_size=options.hidden_size, n_layers=options.layers, dropout=options.dropout, artists=songs.train.artists
    )
    task = LyricsGenerationTask(
        model,
        options.learning_rate,
        options.optimizer,
        options.weight_decay,
        options.warmup_steps,
        torch.from_numpy(songs.clean),
    )
    streams = SongStreams(
        songs.train,
        options.batch_size,
        options.length,
        artist_dropout=options.artist_dropout,
        longest=64 * options.length,
        seed=options.seed,
    )
    curve, state = LearningCurve(), TrainingState(streams)
    samples = StageSamples(options.out / "checkpoints" / name / "stages")
    if options.resume:
        _check_resume(options.resume, task, state)
    trainer = make_trainer(name, [curve, samples, state], options)
    print(f"{name}: {options.epochs} epochs of {len(streams):,} steps, {trainer.precision} on {device_name(trainer)}")
    started = time.time()
    loaders = _loader(streams), _loader(_validation_streams(songs.val, options.length))
    # Lightning ends on a signal with SystemExit (code 0 on SIGTERM); its state says what happened.
    with contextlib.suppress(SystemExit), state.ctrl_c_after_step():
        trainer.fit(task, *loaders, ckpt_path=options.resume, weights_only=True)
    if trainer.state.status != "finished":
        last = newest_checkpoint(options.out / "checkpoints" / name, started) or options.resume
        raise Interrupted(
            f"go on with: python train.py --models {name} --resume {last} and your other flags"
            if last
            else f"{name} was not written"
        )
    checkpoint = Checkpoint(model.eval(), {}, curve.rows, samples.rows)
    return write_model(name, checkpoint, songs, curve, trainer, options)


def train_attribution(songs: Songs, options: argparse.Namespace) -> None:
    """Fits and calibrates the n-gram classifier of artists; writes its folder.

    Raises:
        DataError: the songs are not of two artists or more, and nothing else was to be trained.
        Interrupted: Ctrl-C or SIGTERM came; nothing was written.
    """
    started = time.perf_counter()
    if options.models != [ATTRIBUTION] and len(np.unique(songs_with_artist(songs.train).artist_labels)) < 2:
        print(f"{ATTRIBUTION}: skipped, since the songs are not of two artists or more")
        return
    try:
        with _sigterm_as_ctrl_c():
            classifier = fit_attribution(songs.train, options.seed)
    except KeyboardInterrupt:
        raise Interrupted(f"{ATTRIBUTION} was not written") from None
    record = provenance(
        data_sha256=songs.files or {"encoded": songs.train.sha256},
        seed=options.seed,
        seconds=time.perf_counter() - started,
        hardware=processor_name(1),
        packages=("scikit-learn", "numpy"),
    )
    metrics = {**classifier.metrics, **record}
    save_ngrams(replace(classifier, metrics=metrics), options.out / ATTRIBUTION)
    print(f"{ATTRIBUTION}: {json.dumps(metrics['held_out'])}; written to {options.out / ATTRIBUTION}")


def make_trainer(name: str, callbacks: list[pl.Callback], options: argparse.Namespace) -> pl.Trainer:
    """The Lightning Trainer with its 'last' checkpoints: two, so that one torn by a power failure loses little."""
    last = ModelCheckpoint(
        options.out / "checkpoints" / name,
        "last-{epoch}-{step}-{train_bpc:.3f}",
        monitor="step",
        mode="max",
        save_top_k=2,
        every_n_train_steps=options.checkpoint_every,
        save_on_exception=True,
    )
    bar = [] if options.no_progress else [TQDMProgressBar(refresh_rate=5)]
    return pl.Trainer(
        accelerator=options.accelerator,
        devices=1,
        precision=_precision(options),
        max_epochs=options.epochs,
        max_steps=options.max_steps,
        gradient_clip_val=options.gradient_clip or None,
        check_val_every_n_epoch=options.validate_every,
        callbacks=[*callbacks, last, *bar],
        logger=False,
        log_every_n_steps=20,
        num_sanity_val_steps=0,
        enable_progress_bar=not options.no_progress,
        enable_model_summary=False,
    )


def newest_checkpoint(folder: Path, started: float) -> Path | None:
    """The last of the 'last' checkpoints written since a time; the one on a signal is unknown to its callback."""
    written = {path: path.stat().st_mtime for path in folder.glob("last-*.ckpt")}
    return max((path for path, at in written.items() if at >= started), key=written.get, default=None)


def write_model(name, checkpoint, songs: Songs, curve: LearningCurve, trainer, options) -> Checkpoint:
    """Rounds a model to float16, measures it so on both splits, and writes its folder."""
    folder = options.out / name
    for parameter in checkpoint.model.parameters():
        parameter.data = parameter.data.to(torch.float16).float()
    bpc = measure(checkpoint.model, songs, options.length)
    everything = songs.everything or songs.train
    copied = measure_copying(checkpoint.model, everything, options.samples) if options.samples else None
    copied_words = count_copied_words(checkpoint.model, everything, options.samples) if options.samples else None
    checkpoint.metrics = {
        **bpc,
        "copied": copied,
        "copied_words": copied_words,
        "val_songs": len(songs.val),
        "clean_songs": int(songs.clean.sum()),
        "train_songs": len(songs.train),
        "train_characters": songs.train.characters,
        "held_out_songs": len(songs.held_out) if songs.held_out else 0,
        "cleaning": asdict(songs.cleaning) if songs.cleaning else None,
        "line_breaks": has_line_breaks(songs.train),
        "data_sha256": songs.files or {"encoded": songs.train.sha256},
        "seed": options.seed,
        "epochs": trainer.current_epoch,
        "steps": trainer.global_step,
        "characters_seen": curve.characters,
        "seconds": round(curve.seconds, 1),
        "precision": trainer.precision,
        "hardware": device_name(trainer),
        "options": {
            key: getattr(options, key)
            for key in (
                "batch_size",
                "length",
                "optimizer",
                "learning_rate",
                "weight_decay",
                "warmup_steps",
                "gradient_clip",
                "dropout",
                "artist_dropout",
            )
        },
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "pytorch-lightning": pl.__version__,
            "numpy": np.__version__,
        },
    }
    save_checkpoint(checkpoint, folder, columns=curve.COLUMNS)
    print(f"{name}: {json.dumps(bpc)}; written to {folder}")
    return checkpoint


def count_copied_words(model: torch.nn.Module, train: Corpus, samples: int) -> dict | None:
    """What sampled lyrics copied, in words; None where no song has words enough to tell."""
    try:
        return measure_copied_words(model, index_corpus(train), samples)
    except DataError:
        return None


def measure(model: torch.nn.Module, songs: Songs, length: int = 128) -> dict[str, float]:
    """Bits per character of a model over whole songs, in float32.

    `val_bpc` of all validation songs, `clean_bpc` of the clean ones, `clean_no_headings_bpc` of these with their headings
    cut, and `held_out_bpc` of the training songs held out; those of which there is no song are left out.
    """
    bits, characters = measure_bits(model, _validation_streams(songs.val, length), len(songs.val))
    figures = {"val_bpc": float(bits.sum() / characters.sum())}
    if songs.clean.any():
        clean = torch.from_numpy(songs.clean)
        figures["clean_bpc"] = float(bits[clean].sum() / characters[clean].sum())
    for name, corpus in (("clean_no_headings_bpc", songs.without_headings), ("held_out_bpc", songs.held_out)):
        if corpus is not None:
            bits, characters = measure_bits(model, _validation_streams(corpus, length), len(corpus))
            figures[name] = float(bits.sum() / characters.sum())
    return {name: round(value, 4) for name, value in figures.items()}


def has_line_breaks(corpus: Corpus) -> bool:
    """Whether any song holds the newline character."""
    newline = character_to_label("\n")
    return any(bool((corpus.song(index) == newline).any()) for index in range(len(corpus)))


def device_name(trainer: pl.Trainer) -> str:
    """What the trainer runs on, for people: the GPU's name, or the processor and its threads."""
    if trainer.strategy.root_device.type == "cuda":
        return torch.cuda.get_device_name(trainer.strategy.root_device)
    return processor_name(torch.get_num_threads())


def _validation_streams(corpus: Corpus, length: int) -> SongStreams:
    return SongStreams(corpus, min(VALIDATION_ROWS, len(corpus)), length, shuffle=False)


def _loader(streams: SongStreams) -> DataLoader:
    return DataLoader(streams, batch_size=None, generator=torch.Generator())  # its own, to leave the global one alone


def _precision(options: argparse.Namespace) -> str:
    gpu = torch.cuda.is_available() and options.accelerator != "cpu"
    capable = (
        torch.cuda.is_bf16_supported(including_emulation=False)
        if gpu
        else torch.cpu.get_capabilities().get("avx512_bf16", False)
    )
    wanted = {"auto": capable, "bfloat16": True, "float32": False}[options.precision]
    return "bf16-mixed" if wanted else "32-true"


def _check(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Ends with the usage and one sentence where a flag's value cannot be."""
    for flag in (
        "hidden_size", "layers", "batch_size", "length", "checkpoint_every", "epochs", "threads", "dimensions", "window",
        "negative", "word_epochs", "min_songs", "validate_every",
    ):  # fmt: skip
        if getattr(options, flag) is not None and getattr(options, flag) < 1:
            parser.error(f"--{flag.replace('_', '-')} must be at least 1, got {getattr(options, flag)}")
    for flag in ("warmup_steps", "weight_decay", "gradient_clip"):
        if getattr(options, flag) is not None and not 0 <= getattr(options, flag) < math.inf:
            parser.error(f"--{flag.replace('_', '-')} must be at least 0, got {getattr(options, flag)}")
    for flag in ("dropout", "artist_dropout", "val_share", "held_out"):
        if getattr(options, flag) is not None and not 0 <= getattr(options, flag) < 1:
            parser.error(f"--{flag.replace('_', '-')} must be at least 0 and below 1, got {getattr(options, flag)}")
    if options.max_steps < 1 and options.max_steps != -1:
        parser.error(f"--max-steps must be at least 1, or -1 for no limit, got {options.max_steps}")
    if not 0 <= options.seed < 2**32:
        parser.error(f"--seed must be from 0 to {2**32 - 1}, got {options.seed}")
    if options.learning_rate is not None and not 0 < options.learning_rate < 1:
        parser.error(f"--learning-rate must be above 0 and below 1, got {options.learning_rate}")
    if options.resume and (len(options.models) != 1 or options.models[0] not in MODELS):
        parser.error(f"--resume goes with one model, {' or '.join(MODELS)}: name it with --models")
    if options.resume and not options.resume.is_file():
        parser.error(f"--resume: there is no file {options.resume}")
    if options.samples < 0:
        parser.error(f"--samples must be at least 0, got {options.samples}")
    if options.push:
        _check_push(parser, options)
    if options.accelerator == "gpu" and not torch.cuda.is_available():
        parser.error("--accelerator gpu: no GPU is to be had here; leave the flag out")


def _check_push(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Finds before a long training what would keep its result from being published."""
    try:
        check_repo(options.hub_repo)
        check_revision(options.revision)
        if options.tag:
            check_revision(options.tag, "--tag")
    except ArgumentError as error:
        parser.error(str(error))
    if not has_token():
        parser.error("--push: there is no token for the Hub; set HF_TOKEN, or log in with: hf auth login")


def _check_resume(path: Path, task: LyricsGenerationTask, state: TrainingState) -> None:
    """Refuses a checkpoint that is damaged, or of a training with other flags or songs."""
    saved = load_training_checkpoint(path)
    content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    optimizer = content["lyricgen"].get("optimizer", task.optimizer)
    if model_config(saved) != model_config(task.model) or optimizer != task.optimizer:
        raise ModelError(
            f"--resume: {path.name!r} holds a {type(saved).__name__} of {saved.n_layers} x {saved.hidden_size} units and "
            f"{len(saved.artists)} artists, trained with dropout {saved.dropout} by {optimizer}; "
            "name that model, its songs and its flags"
        )
    settings = content.get("callbacks", {}).get(state.state_key, {}).get("settings", {})
    different = [name for name, value in state.settings.items() if settings.get(name) != value]
    if different:
        flags = ", ".join("--data" if name == "songs" else f"--{name.replace('_', '-')}" for name in different)
        raise ModelError(
            f"--resume: {path.name!r} is of a training with another {flags}; give what it was trained with"
        )


@contextlib.contextmanager
def _sigterm_as_ctrl_c() -> Iterator[None]:
    """Within it SIGTERM raises KeyboardInterrupt, as Ctrl-C does; for what Lightning's own handlers do not cover."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _data_sha256(source: Path, songs: list[Song]) -> dict[str, str]:
    """The sha256 of the file that the songs were read from, or of their lyrics where it was a folder."""
    if source.is_file():
        return {source.name: file_sha256(source)}
    digest = hashlib.sha256()
    for song in songs:
        digest.update(song.lyric.encode("utf-8", "surrogatepass") + b"\0")
    return {"songs": digest.hexdigest()}


def _quieten() -> None:
    """Silences what Lightning and gensim say about themselves and about choices made here on purpose."""
    for name in ("pytorch_lightning", "gensim"):
        logging.getLogger(name).setLevel(logging.ERROR)
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
