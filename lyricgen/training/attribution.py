"""Training of the attribution artifact: an n-gram classifier of artists, calibrated on held-out training songs."""

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lyricgen.analysis.attribution import attribution_metrics, posterior
from lyricgen.analysis.ngram_classifier import Calibration, NgramClassifier, fit_calibration, fit_ngrams, save_ngrams
from lyricgen.errors import DataError
from lyricgen.models.vocabulary import OOV_LABEL, token_ids_to_str
from lyricgen.output import to_json
from lyricgen.songs.cleaning import artist_spellings
from lyricgen.songs.corpus import Corpus
from lyricgen.songs.overlap import clean_songs
from lyricgen.training.config import ATTRIBUTION, TrainConfig
from lyricgen.training.interruption import interruptible
from lyricgen.training.provenance import processor_name, provenance
from lyricgen.training.songs import TrainingSongs

CALIBRATION_SHARE = 0.2  # share of the training songs held out to fit the calibration
COSTS = (0.25, 0.5, 1.0)  # candidates of the SVM's cost of errors
FOLDS = 3  # parts of the training songs, each scored by a classifier of the others, to choose among the candidates
MIN_NAME_WORD = 4  # letters of a word that is masked on its own
EXCERPTS = ((0, 600), (0, 300), (0, 150), (0, 40), (300, 450), (300, 340))  # spans of each held-out song, in characters


def train_attribution(songs: TrainingSongs, config: TrainConfig) -> str:
    """Fits and calibrates the n-gram classifier of artists, and writes the artifact.

    Artists' names are masked, so that a name in a text is no evidence; the held-out figures of a classifier that reads names
    are recorded beside it as `names_kept`.

    Returns:
        its figures in words.

    Raises:
        DataError: fewer than two artists have a song.
        Interrupted: by Ctrl-C or SIGTERM; nothing was written.
    """
    started = time.perf_counter()
    with interruptible(ATTRIBUTION):
        classifier = fit_attribution(songs.train, config.seed)
        _, names_kept = calibrate_on_held_out(
            songs_with_artist(songs.train), config.seed, classifier.metrics["cost"], names=()
        )
    record = provenance(
        data_sha256=songs.data_sha256,
        seed=config.seed,
        seconds=time.perf_counter() - started,
        hardware=processor_name(1),
        packages=["scikit-learn", "numpy"],
    )
    metrics = {**classifier.metrics, "names_kept": names_kept, **record}
    save_ngrams(replace(classifier, metrics=metrics), config.out / ATTRIBUTION)
    held_out = metrics["held_out"]
    print(f"{ATTRIBUTION}: {to_json(held_out)}; written to {config.out / ATTRIBUTION}")
    return f"accuracy {held_out['accuracy']:.1%}, log loss {held_out['log_loss']:.2f} nats"


def fit_attribution(corpus: Corpus, seed: int, mask_names: bool = True) -> NgramClassifier:
    """Fits and calibrates an n-gram classifier; songs without an artist are ignored.

    A classifier is overconfident on its own training songs. So a fifth of the songs is held out, and the calibration is
    fitted on the scores that a classifier of the others gives them. The SVM's cost is the one with the lowest log loss in a
    cross-validation on those others. The returned classifier is fitted on all songs.

    Args:
        corpus: the songs.
        seed: of the held-out songs and the folds.
        mask_names: whether the artists' names are masked.

    Returns:
        the classifier; its metrics have `held_out`, `train_songs`, `cost` and `log_loss_by_cost`.

    Raises:
        DataError: fewer than two artists have a song.
    """
    named = songs_with_artist(corpus)
    if len(np.unique(named.artist_labels)) < 2:
        raise DataError(
            "the songs are not of two artists or more, so attribution has nothing to learn; name --artist-column"
        )
    names = name_words(named.artists) if mask_names else ()
    rest, _ = named.split(CALIBRATION_SHARE, seed)
    losses = {cost: cross_validate(rest, cost, names, seed) for cost in COSTS}
    cost = min(losses, key=lambda cost: losses[cost])
    classifier = fit_calibrated(named, seed, cost, names)
    metrics = {
        **classifier.metrics,
        "cost": cost,
        "log_loss_by_cost": {f"{cost:g}": round(loss, 4) for cost, loss in losses.items() if np.isfinite(loss)},
    }
    return replace(classifier, metrics=metrics)


def fit_calibrated(corpus: Corpus, seed: int, cost: float, names: Sequence[str] = ()) -> NgramClassifier:
    """A calibrated n-gram classifier with a given cost and masked names; its metrics have `held_out` and `train_songs`."""
    named = songs_with_artist(corpus)
    calibration, held_out = calibrate_on_held_out(named, seed, cost, names)
    metrics = {"held_out": held_out, "train_songs": len(named)}
    return replace(fit_classifier(named, cost, names), calibration=calibration, metrics=metrics)


def calibrate_on_held_out(
    corpus: Corpus, seed: int, cost: float, names: Sequence[str]
) -> tuple[Calibration, dict[str, float]]:
    """Holds a fifth of the songs out, without near-duplicates of the others, and calibrates a classifier of the others on them.

    Returns:
        the calibration, and the number of held-out songs with the figures on them.
    """
    rest, held_out = corpus.split(CALIBRATION_SHARE, seed)
    clean = clean_songs(held_out, rest)
    if clean.any():
        held_out = held_out.subset(clean)
    calibration, figures = calibrate(fit_classifier(rest, cost, names), held_out)
    return calibration, {"songs": len(held_out), **figures}


def cross_validate(corpus: Corpus, cost: float, names: Sequence[str], seed: int) -> float:
    """Mean log loss in nats on the first 600 characters of each song, by a calibrated classifier of the other folds.

    Folds without two artists in the others are left out; infinity if none is left.
    """
    fold = np.random.default_rng(seed).permutation(len(corpus)) % FOLDS
    losses = []
    for number in range(FOLDS):
        rest, held_out = corpus.subset(fold != number), corpus.subset(fold == number)
        if len(held_out) and len(np.unique(rest.artist_labels)) > 1:
            losses.append(calibrate(fit_classifier(rest, cost, names), held_out)[1]["log_loss"])
    return float(np.mean(losses)) if losses else float("inf")


def name_words(artists: Sequence[str]) -> list[str]:
    """The names to mask: each artist's in its spellings, and each of their words of four letters or more, sorted.

    >>> name_words(["Bo Finch (band)"])
    ['bo finch', 'finch']
    """
    names = set(artist_spellings(artists))
    return sorted(names | {word for name in names for word in name.split() if len(word) >= MIN_NAME_WORD})


def songs_with_artist(corpus: Corpus) -> Corpus:
    """The songs of a corpus that have an artist."""
    return corpus.subset(corpus.artist_labels < len(corpus.artists))


def fit_classifier(corpus: Corpus, cost: float = 1.0, names: Sequence[str] = ()) -> NgramClassifier:
    """An n-gram classifier of the artists of a corpus with these names masked, not calibrated."""
    texts = [token_ids_to_str(corpus.song(number)) for number in range(len(corpus))]
    return fit_ngrams(texts, corpus.artist_labels, corpus.artists, masked_names=names, cost=cost)


def calibrate(classifier: NgramClassifier, held_out: Corpus) -> tuple[Calibration, dict[str, float]]:
    """Fits the calibration on excerpts of songs that the classifier was not fitted on.

    Returns:
        the calibration; and accuracy, log loss (nats) and calibration error on the first 600 characters of each song.
    """
    pieces, labels, whole = [], [], []
    for number, artist in enumerate(held_out.artist_labels.tolist()):
        song = held_out.song(number)
        excerpts = [(start, stop) for start, stop in EXCERPTS if start == 0 or start < len(song)]
        pieces += [song[start:stop] for start, stop in excerpts]
        labels += [artist] * len(excerpts)
        whole += [excerpt == EXCERPTS[0] for excerpt in excerpts]
    targets, is_whole = np.array(labels), np.array(whole)
    scores = np.stack([classifier.scores(token_ids_to_str(piece)) for piece in pieces])  # (excerpts, A)
    lengths = np.array([(piece != OOV_LABEL).sum() for piece in pieces])
    calibration = fit_calibration(targets, lengths, scores, classifier.log_priors)
    posteriors = posterior(calibration.logits(scores, lengths, classifier.log_priors))
    return calibration, attribution_metrics(posteriors[is_whole], targets[is_whole])
