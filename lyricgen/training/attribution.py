"""Training of the attribution artifact: an n-gram classifier of artists, calibrated on held-out training songs."""

import json
import time
from dataclasses import replace

import numpy as np

from lyricgen.analysis.attribution import attribution_metrics, posterior
from lyricgen.analysis.ngram_classifier import Calibration, NgramClassifier, fit_calibration, fit_ngrams, save_ngrams
from lyricgen.errors import DataError
from lyricgen.models.vocabulary import OOV_LABEL, token_ids_to_str
from lyricgen.songs.corpus import Corpus
from lyricgen.songs.overlap import clean_songs
from lyricgen.training.config import ATTRIBUTION, TrainConfig
from lyricgen.training.interruption import interruptible
from lyricgen.training.provenance import processor_name, provenance
from lyricgen.training.songs import TrainingSongs

CALIBRATION_SHARE = 0.2  # share of the training songs held out to fit the calibration
EXCERPTS = ((0, 600), (0, 300), (0, 150), (0, 40), (300, 450), (300, 340))  # spans of each held-out song, in characters


def train_attribution(songs: TrainingSongs, config: TrainConfig) -> None:
    """Fits and calibrates the n-gram classifier of artists, and writes the artifact.

    Songs of fewer than two artists are skipped with a note where other artifacts are trained too.

    Raises:
        DataError: fewer than two artists have a song, and nothing else is trained.
        Interrupted: by Ctrl-C or SIGTERM; nothing was written.
    """
    started = time.perf_counter()
    if config.models != (ATTRIBUTION,) and len(np.unique(songs_with_artist(songs.train).artist_labels)) < 2:
        print(f"{ATTRIBUTION}: skipped, since the songs are not of two artists or more")
        return
    with interruptible(ATTRIBUTION):
        classifier = fit_attribution(songs.train, config.seed)
    record = provenance(
        data_sha256=songs.data_sha256,
        seed=config.seed,
        seconds=time.perf_counter() - started,
        hardware=processor_name(1),
        packages=["scikit-learn", "numpy"],
    )
    metrics = {**classifier.metrics, **record}
    save_ngrams(replace(classifier, metrics=metrics), config.out / ATTRIBUTION)
    print(f"{ATTRIBUTION}: {json.dumps(metrics['held_out'])}; written to {config.out / ATTRIBUTION}")


def fit_attribution(corpus: Corpus, seed: int) -> NgramClassifier:
    """Fits and calibrates an n-gram classifier; songs without an artist are ignored.

    A classifier is overconfident on its own training songs. So a fifth of the songs is held out, a second classifier is
    fitted on the others, and the calibration is fitted on its scores of the held-out songs, without near-duplicates of the
    others. The returned classifier is fitted on all songs.

    Returns:
        the classifier; its metrics have `held_out` and `train_songs`.

    Raises:
        DataError: fewer than two artists have a song.
    """
    named = songs_with_artist(corpus)
    if len(np.unique(named.artist_labels)) < 2:
        raise DataError(
            "the songs are not of two artists or more, so attribution has nothing to learn; name --artist-column"
        )
    rest, held_out = named.split(CALIBRATION_SHARE, seed)
    clean = clean_songs(held_out, rest)
    if clean.any():
        held_out = held_out.subset(clean)
    calibration, figures = calibrate(fit_classifier(rest), held_out)
    metrics = {"held_out": {"songs": len(held_out), **figures}, "train_songs": len(named)}
    return replace(fit_classifier(named), calibration=calibration, metrics=metrics)


def songs_with_artist(corpus: Corpus) -> Corpus:
    """The songs of a corpus that have an artist."""
    return corpus.subset(corpus.artist_labels < len(corpus.artists))


def fit_classifier(corpus: Corpus) -> NgramClassifier:
    """An n-gram classifier of the artists of a corpus, not calibrated."""
    texts = [token_ids_to_str(corpus.song(number)) for number in range(len(corpus))]
    return fit_ngrams(texts, corpus.artist_labels, corpus.artists)


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
