"""Accuracy of authorship attribution: by each language model, by n-grams, and by a common baseline.

    python -m benchmarks.attribution --data songdata/ [--characters 1000] [--write-docs] [--write-metrics]

On the notebook's validation songs and on the clean ones among them; every method reads the same first characters. The
bundled n-gram classifier masks the artists' names; beside it, one with the names kept is fitted in this run, on the same
cleaned songs. The baseline is TF-IDF of 2 to 5 letters and a linear support vector machine (scikit-learn), fitted in this
run on the training songs as they are, with the names kept and masked. The language models take an hour on one core: `--sample N`
lets them read N songs, evenly spaced, and `--read FOLDER` keeps their log-likelihoods for the next run. Rows of models that
are not read (`--models` without a name: of all), and with `--no-baseline` those of the baseline, are kept from the metrics of
--ngrams.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from benchmarks.measuring import make_parser, provenance_note, report
from benchmarks.songs import make_text
from benchmarks.tables import table
from lyricgen.analysis.attribution import (
    FOLDER,
    LM_ONLY_CALIBRATION,
    attribute,
    attribution_metrics,
    nll_per_artist,
    posterior,
)
from lyricgen.analysis.ngram_classifier import NgramClassifier, load_ngrams, mask_pattern, normalize_text, save_ngrams
from lyricgen.models.checkpoints import bundled_models, load_model
from lyricgen.models.vocabulary import OOV_LABEL, token_ids_to_str
from lyricgen.songs.corpus import Corpus
from lyricgen.storage import ASSETS
from lyricgen.training.attribution import fit_calibrated, name_words
from lyricgen.training.config import TrainConfig
from lyricgen.training.provenance import processor_name
from lyricgen.training.songs import TrainingSongs, prepare_songs

NAMES_KEPT = "n-grams, names not masked"
BASELINE, MASKED_BASELINE = "TF-IDF and linear SVM", "TF-IDF and linear SVM, names masked"
HEADER = ["method", "accuracy", "accuracy, clean", "log loss, clean", "calibration error, clean"]
TIMED_LENGTHS = (300, 2_000)  # characters of the texts whose attribution is timed


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = make_parser(__doc__, block="attribution")
    parser.add_argument("--data", metavar="FOLDER", help="songdata; default: download it")
    parser.add_argument("--characters", type=int, default=1_000, metavar="N", help="characters of each song that are read; 0: all (default: %(default)s)")  # fmt: skip
    parser.add_argument("--models", nargs="*", choices=bundled_models(), default=bundled_models(), help="(default: all)")  # fmt: skip
    parser.add_argument("--sample", type=int, metavar="N", help="validation songs that the language models read (default: all)")  # fmt: skip
    parser.add_argument("--no-baseline", dest="baseline", action="store_false", help="do not fit the baseline")
    parser.add_argument("--ngrams", type=Path, default=ASSETS / FOLDER, metavar="FOLDER", help="(default: the bundled one)")  # fmt: skip
    parser.add_argument("--read", type=Path, metavar="FOLDER", help="cache of the models' log-likelihoods")
    parser.add_argument("--write-metrics", action="store_true", help="put the figures into metrics.json of --ngrams")
    options = parser.parse_args(arguments)
    if options.characters < 0:
        parser.error(f"--characters must be at least 0, got {options.characters}")
    if options.sample is not None and options.sample < 1:
        parser.error(f"--sample must be at least 1, got {options.sample}")
    torch.set_num_threads(1)
    classifier = load_ngrams(options.ngrams)
    with tempfile.TemporaryDirectory() as folder:
        songs = prepare_songs(TrainConfig(data=options.data, out=Path(folder)))
        earlier = kept_rows(classifier, options)
        methods = {**earlier, **measure(songs, classifier, options)}
    limit = f"their first {options.characters:,} characters" if options.characters else "their whole text"
    timed = {count: attribution_seconds(count, classifier, options.repeats) for count in TIMED_LENGTHS}
    sample = sample_songs(songs, options.sample)
    earlier_names = sorted({name.partition(",")[0] for name in earlier})
    facts = [
        f"on {len(songs.val)} validation songs, and on the {int(songs.clean.sum())} clean ones, by {limit}",
        *(
            [f"the language models on {len(sample)} of them, {int(songs.clean[sample].sum())} clean"]
            if options.sample
            else []
        ),
        *([f"the rows of {', '.join(earlier_names)} are of an earlier run"] if earlier else []),
    ]
    printed = table(HEADER, [table_row(name, splits) for name, splits in methods.items()])
    printed += provenance_note("attribution", *facts, threads=1)
    rows = [{"by": name, **splits} for name, splits in methods.items()]
    report(options, "attribution", printed, [*rows, {"seconds": {str(count): elapsed for count, elapsed in timed.items()}}], 1)  # fmt: skip
    if options.write_metrics:
        counts = {
            "songs": len(songs.val),
            "clean": int(songs.clean.sum()),
            "read": limit,
            "songs_of_models": len(sample),
        }
        baseline = MASKED_BASELINE if MASKED_BASELINE in methods else BASELINE
        validation = {**counts, "baseline": baseline, "methods": methods, "hardware": processor_name(1)}
        save_ngrams(replace(classifier, metrics={**classifier.metrics, "validation": validation}), options.ngrams)
    return 0


def kept_rows(classifier: NgramClassifier, options: argparse.Namespace) -> dict[str, dict]:
    """Rows of the language models and of the baseline, where they are not measured in this run, from the classifier's
    metrics."""
    rows = classifier.metrics.get("validation", {}).get("methods", {})
    kept = {name for name in bundled_models() if name not in options.models}
    kept |= set() if options.baseline else {BASELINE}
    return {name: row for name, row in rows.items() if name.partition(",")[0] in kept}


def sample_songs(songs: TrainingSongs, count: int | None) -> np.ndarray:
    """Numbers of `count` validation songs, evenly spaced; None: all."""
    return np.unique(np.linspace(0, len(songs.val) - 1, count or len(songs.val)).astype(int))


def measure(songs: TrainingSongs, classifier: NgramClassifier, options: argparse.Namespace) -> dict[str, dict]:
    """Figures by method and split."""
    read = [songs.val.song(number)[: options.characters or None] for number in range(len(songs.val))]
    texts, labels = list(map(token_ids_to_str, read)), songs.val.artist_labels
    lengths = np.array([(song != OOV_LABEL).sum() for song in read])
    sample = sample_songs(songs, options.sample)
    answers = {}
    for name in options.models:
        key = f"{name}-{options.characters}-{len(sample)}"
        nats = -load_or_make(
            options.read, key, lambda name=name: song_likelihoods(name, [read[song] for song in sample])
        )
        posteriors = {
            f"{name}, Bayes' rule, unscaled": posterior(nats),
            f"{name}, scaled": posterior(LM_ONLY_CALIBRATION.logits(nats, lengths[sample])),
        }
        answers |= {
            key: split_figures(values, labels[sample], songs.clean[sample]) for key, values in posteriors.items()
        }
    names_kept = fit_calibrated(songs.train, classifier.metrics.get("seed", 0), classifier.metrics.get("cost", 1.0))
    for key, ngrams in (("n-grams", classifier), (NAMES_KEPT, names_kept)):
        answers[key] = split_figures(posterior(ngrams.logits(texts, lengths)), labels, songs.clean)
    names = name_words(songs.train.artists)
    for key, masked in ((BASELINE, []), (MASKED_BASELINE, names)) if options.baseline else ():
        correct = fit_baseline(songs.uncleaned, masked)(texts) == labels
        splits = {"all": correct, "clean": correct[songs.clean]}
        answers[key] = {split: {"accuracy": round(float(values.mean()), 4)} for split, values in splits.items()}
    return answers


def split_figures(posteriors: np.ndarray, labels: np.ndarray, clean: np.ndarray) -> dict[str, dict]:
    """Figures of posteriors on both splits."""
    figures = {"all": attribution_metrics(posteriors, labels)}
    return figures | {"clean": attribution_metrics(posteriors[clean], labels[clean])} if clean.any() else figures


def song_likelihoods(name: str, songs: list[np.ndarray]) -> np.ndarray:
    """The negative log-likelihood of each song under each artist, in nats (songs, A)."""
    model, sums = load_model(name), np.zeros((len(songs), 0))
    for done, (number, nats) in enumerate(nll_per_artist(model, songs, range(len(model.artists)))):
        sums = sums if sums.size else np.zeros((len(songs), nats.shape[1]))
        sums[number] = nats.sum(axis=0, dtype=np.float64)
        if done % 96 == 0:
            print(f"{name}: {done} of {len(songs)} songs", file=sys.stderr, flush=True)
    return sums


def load_or_make(folder: Path | None, name: str, make: Callable[[], np.ndarray]) -> np.ndarray:
    """An array from a cache folder; made and saved if it is not there."""
    if folder is None:
        return make()
    file = folder / f"{name}.npy"
    if not file.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        np.save(file, make())
    return np.load(file, allow_pickle=False)


def fit_baseline(corpus: Corpus, names: list[str]) -> Callable[[list[str]], np.ndarray]:
    """The baseline, fitted on whole songs without these names: a function from texts to artist labels."""
    pattern = mask_pattern(names)
    pipeline = make_pipeline(
        TfidfVectorizer(
            analyzer="char",
            ngram_range=(2, 5),
            sublinear_tf=True,
            min_df=2,
            dtype=np.float32,
            preprocessor=lambda text: pattern.sub("", normalize_text(text)) if pattern else text,
        ),
        LinearSVC(random_state=0),
    )
    texts = [token_ids_to_str(corpus.song(number)) for number in range(len(corpus))]
    return pipeline.fit(texts, corpus.artist_labels).predict


def attribution_seconds(count: int, classifier: NgramClassifier, repeats: int) -> float:
    """The median CPU time to attribute a text of `count` characters with the LSTM."""
    text, model, times = make_text(count), load_model("lstm"), []
    for _ in range(repeats):
        started = time.process_time()
        attribute(text, model=model, ngrams=classifier)
        times.append(time.process_time() - started)
    return float(np.median(times))


def table_row(name: str, splits: dict[str, dict]) -> list[str]:
    """A method's row of the table."""
    both, clean = splits["all"], splits.get("clean", {})
    return [
        name,
        f"{both['accuracy']:.1%}",
        f"{clean['accuracy']:.1%}" if clean else "",
        f"{clean['log_loss']:.2f}" if "log_loss" in clean else "",
        f"{clean['calibration_error']:.1%}" if "calibration_error" in clean else "",
    ]


if __name__ == "__main__":
    sys.exit(main())
