"""Training of the membership artifact: thresholds for whether the networks have read a text, and their error rates."""

import time
from collections.abc import Mapping

import numpy as np

from lyricgen.analysis.membership import (
    LENGTHS,
    STATISTICS,
    MembershipThresholds,
    Threshold,
    measure_statistics,
    save_thresholds,
    weights_sha256,
)
from lyricgen.errors import DataError, ModelError
from lyricgen.models.checkpoints import Checkpoint, load_checkpoint
from lyricgen.models.networks import CharacterModel
from lyricgen.models.vocabulary import OOV_LABEL
from lyricgen.output import to_json
from lyricgen.songs.corpus import Corpus
from lyricgen.training.config import LSTM, MEMBERSHIP, RNN, TrainConfig
from lyricgen.training.interruption import interruptible
from lyricgen.training.provenance import processor_name, provenance
from lyricgen.training.songs import TrainingSongs

MIN_EXCERPTS = 8  # excerpts of read and of unread songs, from which on a threshold is fitted or an error rate measured
FITTED_EXCERPTS, MEASURED_EXCERPTS = 2, 1  # per song, one after the other from its beginning, to fit and to measure on
READ_ROWS = 64  # excerpts read at a time
Values = dict[str, np.ndarray]  # a value per excerpt for each statistic


def train_membership(songs: TrainingSongs, config: TrainConfig) -> str | None:
    """Fits the thresholds of the two networks in `config.out`, and writes the artifact.

    Read songs are training songs. Unread ones are the held-out training songs for the thresholds, and the clean validation
    songs, without heading debris if the training songs have none, for the error rates. Networks that have read the held-out
    songs (`--held-out 0`) get no thresholds, but how well each statistic separates read from unread songs.

    If other artifacts are trained too, it is skipped with a note where it cannot be made.

    Returns:
        its figures in words; None if it was skipped.

    Raises:
        ModelError: a network is missing, or was trained on other songs, and nothing else is trained.
        DataError: there are too few songs, and nothing else is trained.
        Interrupted: by Ctrl-C or SIGTERM; nothing was written.
    """
    started = time.perf_counter()
    try:
        networks = [load_checkpoint(config.out / name) for name in (LSTM, RNN)]
        for name, checkpoint in zip((LSTM, RNN), networks, strict=True):
            check_songs(name, checkpoint, songs, config)
        with interruptible(MEMBERSHIP):
            thresholds = fit_membership(songs, networks[0].model, networks[1].model, config.seed)
    except (ModelError, DataError) as error:
        if config.models == (MEMBERSHIP,):
            raise
        print(f"{MEMBERSHIP}: skipped, since {error}")
        return None
    thresholds.metrics.update(
        provenance(
            data_sha256=songs.data_sha256,
            seed=config.seed,
            seconds=time.perf_counter() - started,
            hardware=processor_name(1),
            packages=["torch", "numpy"],
        )
    )
    save_thresholds(thresholds, config.out / MEMBERSHIP)
    print(f"{MEMBERSHIP}: {to_json(summarize(thresholds))}; written to {config.out / MEMBERSHIP}")
    length, longest = list(thresholds.by_length.items())[-1]
    return f"AUC {longest[thresholds.statistic].auc:.2f} of {length} characters by {thresholds.statistic}"


def check_songs(name: str, checkpoint: Checkpoint, songs: TrainingSongs, config: TrainConfig) -> None:
    """Checks by its record that a network was trained on `songs.train` and has not read `songs.held_out`.

    Raises:
        ModelError: it was trained on other songs, or with another held-out split.
    """
    expected = {
        "data_sha256": dict(songs.data_sha256),
        "train_songs": len(songs.train),
        "train_characters": songs.train.characters,
        "held_out_songs": len(songs.held_out) if songs.held_out else 0,
    }
    if songs.held_out:
        expected["seed"] = config.seed  # which songs are held out depends on it
    recorded = {"held_out_songs": 0, **checkpoint.metrics}
    different = [field for field, value in expected.items() if recorded.get(field) != value]
    if different:
        raise ModelError(
            f"{name} was not trained on these songs ({', '.join(different)} of its metrics.json differ); give --data, "
            "--held-out, --seed and --no-clean as in its training"
        )


def fit_membership(
    songs: TrainingSongs, model: CharacterModel, reference: CharacterModel, seed: int
) -> MembershipThresholds:
    """Fits thresholds and measures their error rates; without `songs.held_out`, measures the AUC alone.

    Raises:
        DataError: no length has enough excerpts of read and unread songs.
    """
    unread = songs.without_headings or songs.val.subset(songs.clean)
    held_out = songs.held_out
    order = np.random.default_rng(seed).permutation(len(songs.train))
    first = len(held_out) if held_out else 0
    read = songs.train.subset(np.sort(order[first : first + len(unread)]))
    fitted = songs.train.subset(np.sort(order[:first]))
    by_length, fit_aucs = {}, []
    for length in LENGTHS:
        thresholds: Mapping[str, float] = {}
        if held_out:
            samples = [
                read_excerpts(corpus, length, FITTED_EXCERPTS, model, reference) for corpus in (held_out, fitted)
            ]
            if min(map(count_excerpts, samples)) < MIN_EXCERPTS:
                continue
            thresholds = {name: fit_threshold(samples[0][name], samples[1][name]) for name in STATISTICS}
            fit_aucs.append([auc(samples[0][name], samples[1][name]) for name in STATISTICS])
        samples = [read_excerpts(corpus, length, MEASURED_EXCERPTS, model, reference) for corpus in (unread, read)]
        if min(map(count_excerpts, samples)) >= MIN_EXCERPTS:
            by_length[length] = {
                name: measure_threshold(thresholds.get(name), samples[0][name], samples[1][name]) for name in STATISTICS
            }
        elif thresholds:
            by_length[length] = {name: Threshold(thresholds[name]) for name in STATISTICS}
    if not by_length:
        raise DataError("there are too few songs, or they are too short, to fit or measure membership on")
    names = list(STATISTICS)
    statistic = names[int(np.mean(fit_aucs, axis=0).argmax())] if fit_aucs else "difference"
    metrics = {"held_out_songs": first, "clean_songs": len(unread), "read_songs": len(read)}
    networks = weights_sha256(model), weights_sha256(reference)
    return MembershipThresholds(networks, statistic, by_length, metrics)


def read_excerpts(
    corpus: Corpus, length: int, per_song: int, model: CharacterModel, reference: CharacterModel
) -> Values:
    """The statistics of the first excerpts of `length` characters of each song, without songs that are shorter."""
    excerpts = [
        corpus.song(song)[start : start + length]
        for song in range(len(corpus))
        for start in range(0, per_song * length, length)
        if start + length < corpus.stops[song] - corpus.starts[song]
    ]
    excerpts = [excerpt for excerpt in excerpts if (excerpt != OOV_LABEL).any()]  # else there is nothing to judge by
    batches = [np.stack(excerpts[start : start + READ_ROWS]) for start in range(0, len(excerpts), READ_ROWS)]
    values = [measure_statistics(batch, batch, model, reference)[0] for batch in batches]
    return {name: np.concatenate([np.empty(0), *(batch[name] for batch in values)]) for name in STATISTICS}


def count_excerpts(values: Values) -> int:
    """Number of excerpts."""
    return len(next(iter(values.values())))


def fit_threshold(unread: np.ndarray, read: np.ndarray) -> float:
    """The threshold with equal error rates for two normal distributions of the means and deviations of the samples."""
    deviations = max(float(unread.std()), 1e-12), max(float(read.std()), 1e-12)
    weighted = float(unread.mean()) * deviations[1] + float(read.mean()) * deviations[0]
    return weighted / sum(deviations)


def measure_threshold(threshold: float | None, unread: np.ndarray, read: np.ndarray) -> Threshold:
    """A threshold with its error rates on other texts, and the AUC of its statistic."""
    return Threshold(
        threshold=None if threshold is None else round(threshold, 6),
        false_positives=None if threshold is None else round(float((unread > threshold).mean()), 4),
        false_negatives=None if threshold is None else round(float((read <= threshold).mean()), 4),
        auc=round(auc(unread, read), 4),
    )


def auc(unread: np.ndarray, read: np.ndarray) -> float:
    """Probability that a read text has a higher value than an unread one; a tie counts half."""
    differences = read[:, None] - unread
    return float((differences > 0).mean() + (differences == 0).mean() / 2)


def summarize(thresholds: MembershipThresholds) -> dict:
    """The error rates and the AUC of the statistic that gives the verdict, by length."""
    figures = ("false_positives", "false_negatives", "auc")
    return {
        thresholds.statistic: {
            length: {name: getattr(of_length[thresholds.statistic], name) for name in figures}
            for length, of_length in thresholds.by_length.items()
        }
    }
