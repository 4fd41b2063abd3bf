"""Artist classifier: hashed n-grams of characters and words, TF-IDF weights and a linear SVM, stored in one folder.

weights.safetensors   int8 SVM weights per bucket and artist, their scales and biases, the idf of each bucket
metrics.json          provenance and measured accuracy
meta.json             format version, artists, songs per artist, calibration, and the sha256 of the other files

A bucket is a hash that several n-grams share, so the folder holds no lyric. Nothing is unpickled.
Shapes: N buckets, A artists.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from safetensors.numpy import load_file, save

from lyricgen.errors import DataError
from lyricgen.models.vocabulary import encode, token_ids_to_str
from lyricgen.storage import NGRAM_CLASSIFIER, artifact_errors, read_artifact, write_artifact, write_json

if TYPE_CHECKING:  # scipy is needed to fit a classifier, not to use one
    from scipy.sparse import csr_matrix

WEIGHTS, METRICS = NGRAM_CLASSIFIER.files
ARRAYS = {"weights": np.int8, "scales": np.float32, "bias": np.float32, "idf": np.uint8}
CHARACTER_NGRAMS = (2, 3, 4, 5)  # lengths in characters, spaces included
WORD_NGRAMS = (1, 2)  # lengths in words
BUCKETS = 1 << 17  # hash buckets per kind of n-gram
IDF_STEPS = 25  # quantization steps per unit of inverse document frequency
EMPTY_ARTIST_BIAS = -2.0  # score of an artist without a song, below all scores of the SVM
NELDER_MEAD_OPTIONS = {"maxiter": 4_000, "maxfev": 4_000, "xatol": 1e-4, "fatol": 1e-6}

_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # odd, so that it has an inverse modulo 2**64
_INVERSE = np.uint64(pow(int(_FACTOR), -1, 2**64))
_MIX = np.uint64(0xD6E8FEB86659FD93)


def normalize_text(text: str) -> str:
    """Lower case, each run of whitespace as one space, one space at both ends, U+FFFD for unknown characters.

    So a text as typed and the same text from an encoded corpus have the same n-grams.

    >>> normalize_text("Ça va\\n  bien")
    ' \ufffda va bien '
    """
    return f" {' '.join(token_ids_to_str(encode(text.lower())).split())} "


def count_ngrams(text: str, buckets: int = BUCKETS) -> tuple[np.ndarray, np.ndarray]:
    """N-gram counts of a text by hash bucket; the buckets of word n-grams come after those of character n-grams.

    Returns:
        buckets in ascending order, int64, and the count of each, float32.
    """
    codes = np.frombuffer(normalize_text(text).encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    powers = np.cumprod(np.full(len(codes) + 1, _FACTOR), dtype=np.uint64)
    inverses = np.cumprod(np.full(len(codes) + 1, _INVERSE), dtype=np.uint64)
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum((codes + np.uint64(1)) * powers[:-1], dtype=np.uint64)])

    def hash_spans(starts: np.ndarray, stops: np.ndarray, salt: int) -> np.ndarray:
        """The bucket of each span: a polynomial hash by differences of prefix sums, then mixed."""
        values = (sums[stops] - sums[starts]) * inverses[starts] + np.uint64(salt)
        values = (values ^ (values >> np.uint64(32))) * _MIX
        return ((values ^ (values >> np.uint64(29))) % np.uint64(buckets)).astype(np.int64)

    positions = np.arange(len(codes) + 1)
    hashes = [hash_spans(positions[:-n], positions[n:], n) for n in CHARACTER_NGRAMS if len(codes) >= n]
    spaces = np.flatnonzero(codes == ord(" "))
    for n in WORD_NGRAMS:
        if len(spaces) > n:
            hashes.append(buckets + hash_spans(spaces[:-n] + 1, spaces[n:], 100 + n))
    used, counts = np.unique(np.concatenate(hashes), return_counts=True)
    return used, counts.astype(np.float32)


@dataclass(frozen=True)
class Calibration:
    """Length scaling of a model's artist scores, which turns them into the logits of a posterior.

    For a text of n characters, the logit of artist a is

        score_a exp(log_scale + exponent log n) + prior log(share of songs of a)
    """

    log_scale: float = 0.0
    exponent: float = 0.0
    """How the weight of the scores grows with the length of the text."""
    prior: float = 0.0
    """Weight of the artists' shares of the training songs."""

    def logits(self, scores: np.ndarray, lengths: np.ndarray, log_priors: np.ndarray | float = 0.0) -> np.ndarray:
        """Logits (texts, A) from scores (texts, A), lengths in characters (texts,) and log priors (A,)."""
        log_lengths = np.log(np.maximum(lengths, 1))[:, None]
        return scores * np.exp(self.log_scale + self.exponent * log_lengths) + self.prior * log_priors


@dataclass(frozen=True, eq=False)
class NgramClassifier:
    """A linear classifier of artists over the n-grams of a text, and its calibration."""

    artists: tuple[str, ...]
    weights: np.ndarray
    """Weights of the SVM in units of `scales`: int8 (N, A)."""
    scales: np.ndarray
    """float32 (A,)."""
    bias: np.ndarray
    """float32 (A,)."""
    idf: np.ndarray
    """Inverse document frequency of each bucket in steps of 1 / 25: uint8 (N,)."""
    songs: tuple[int, ...]
    """Training songs per artist."""
    calibration: Calibration = Calibration()
    metrics: dict = field(default_factory=dict)

    def scores(self, text: str) -> np.ndarray:
        """The SVM's score of each artist, about -1 for no to 1 for yes: float32 (A,)."""
        buckets, values = tfidf_weights(*count_ngrams(text, len(self.weights) // 2), self.idf)
        return (values @ self.weights[buckets].astype(np.float32)) * self.scales + self.bias

    def logits(self, texts: Sequence[str], lengths: np.ndarray) -> np.ndarray:
        """Calibrated logits (texts, A) of texts and their lengths in characters (texts,)."""
        return self.calibration.logits(np.stack([self.scores(text) for text in texts]), lengths, self.log_priors)

    @property
    def log_priors(self) -> np.ndarray:
        """The log of each artist's share of the training songs, where no song counts as half a song: float64 (A,)."""
        songs = np.maximum(self.songs, 0.5)
        return np.log(songs / songs.sum())


def tfidf_weights(buckets: np.ndarray, counts: np.ndarray, idf: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """TF-IDF: (1 + log count) x idf, each of the two kinds of n-gram normalized to length 1.

    Returns:
        the buckets, and float32 weights.
    """
    values = (1 + np.log(counts)) * idf[buckets].astype(np.float32) / IDF_STEPS
    first_word = np.searchsorted(buckets, len(idf) // 2)
    for part in (values[:first_word], values[first_word:]):
        part /= max(float(np.sqrt(part @ part)), 1e-9)
    return buckets, values


def fit_ngrams(
    texts: Sequence[str], labels: np.ndarray, artists: Sequence[str], buckets: int = BUCKETS, seed: int = 0
) -> NgramClassifier:
    """Fits a linear SVM, one artist against the others, and rounds its weights to int8; without calibration.

    Args:
        texts: lyrics.
        labels: the artist of each, a position in `artists`.
        artists: names; an artist without a lyric never scores high.
        buckets: hash buckets for each kind of n-gram.
        seed: seed of the order in which the solver visits the songs.

    Raises:
        DataError: fewer than two artists have a lyric.
    """
    from sklearn.svm import LinearSVC  # imported here: only needed to fit a classifier

    labels = np.asarray(labels)
    if len(np.unique(labels)) < 2:
        raise DataError("there is only one artist among the songs; attribution needs two or more")
    counts = [count_ngrams(text, buckets) for text in texts]
    idf = _fit_idf(counts, 2 * buckets)
    svm = LinearSVC(random_state=seed).fit(_tfidf_matrix(counts, idf), labels)
    coefficients, intercepts = svm.coef_, svm.intercept_
    if len(svm.classes_) == 2:  # scikit-learn keeps one row for two classes: the second against the first
        coefficients, intercepts = np.concatenate([-coefficients, coefficients]), np.append(-intercepts, intercepts)
    weights, bias = np.zeros((2 * buckets, len(artists))), np.full(len(artists), EMPTY_ARTIST_BIAS)
    weights[:, svm.classes_], bias[svm.classes_] = coefficients.T, intercepts
    scales = np.maximum(np.abs(weights).max(axis=0), 1e-9) / 127
    return NgramClassifier(
        artists=tuple(artists),
        weights=np.round(weights / scales).astype(np.int8),
        scales=scales.astype(np.float32),
        bias=bias.astype(np.float32),
        idf=idf,
        songs=tuple(np.bincount(labels, minlength=len(artists)).tolist()),
    )


def fit_calibration(labels: np.ndarray, lengths: np.ndarray, scores: np.ndarray, log_priors: np.ndarray) -> Calibration:
    """The calibration with the lowest log loss on held-out texts, found by Nelder-Mead.

    Args:
        labels: the artist of each text (texts,).
        lengths: characters of each (texts,).
        scores: (texts, A).
        log_priors: (A,).
    """
    from scipy.optimize import minimize
    from scipy.special import log_softmax

    def log_loss(parameters: np.ndarray) -> float:
        logits = Calibration(*parameters).logits(scores, lengths, log_priors)
        return -float(log_softmax(logits, axis=1)[np.arange(len(labels)), labels].mean())

    fit = minimize(log_loss, np.array([1.0, 0.0, 0.5]), method="Nelder-Mead", options=NELDER_MEAD_OPTIONS)
    return Calibration(*fit.x.tolist())


def _fit_idf(counts: list[tuple[np.ndarray, np.ndarray]], buckets: int) -> np.ndarray:
    """Quantized inverse document frequency of all buckets, uint8 (N,), smoothed as scikit-learn does."""
    document_frequency = np.bincount(np.concatenate([used for used, _ in counts]), minlength=buckets)
    idf = 1 + np.log((1 + len(counts)) / (1 + document_frequency))
    return np.minimum(np.round(idf * IDF_STEPS), 255).astype(np.uint8)


def _tfidf_matrix(counts: list[tuple[np.ndarray, np.ndarray]], idf: np.ndarray) -> "csr_matrix":
    """The TF-IDF weights of all texts: sparse (texts, N)."""
    from scipy.sparse import csr_matrix

    rows = [tfidf_weights(used, count, idf) for used, count in counts]
    row_starts = np.cumsum([0, *(len(used) for used, _ in rows)])
    values, columns = np.concatenate([values for _, values in rows]), np.concatenate([used for used, _ in rows])
    return csr_matrix((values, columns, row_starts), shape=(len(rows), len(idf)))


def _read_calibration(header: Mapping) -> Calibration:
    """The calibration in a header; format 1 stores it under `laws.scores`."""
    if header["format_version"] == 1:
        (log_scale, exponent), prior = header["laws"]["scores"]["scores"], header["laws"]["scores"]["prior"]
    else:
        log_scale, exponent, prior = (header["calibration"][name] for name in ("log_scale", "exponent", "prior"))
    return Calibration(float(log_scale), float(exponent), float(prior))


def save_ngrams(classifier: NgramClassifier, folder: str | Path) -> None:
    """Writes a classifier's folder atomically."""
    header = {
        "artists": list(classifier.artists),
        "songs": list(classifier.songs),
        "calibration": asdict(classifier.calibration),
    }
    with write_artifact(folder, NGRAM_CLASSIFIER, header) as partial:
        arrays = {name: np.ascontiguousarray(getattr(classifier, name)) for name in ARRAYS}
        (partial / WEIGHTS).write_bytes(save(arrays))
        write_json(partial / METRICS, classifier.metrics)


def load_ngrams(folder: str | Path) -> NgramClassifier:
    """Reads a classifier's folder strictly: every checksum matches and every array has its shape.

    Raises:
        ModelError: it is missing, incomplete, altered, or of another format; the message says which.
    """
    folder = Path(folder)
    header = read_artifact(folder, NGRAM_CLASSIFIER)
    with artifact_errors(folder, NGRAM_CLASSIFIER):
        artists, songs = tuple(map(str, header["artists"])), tuple(map(int, header["songs"]))
        calibration = _read_calibration(header)
        arrays = load_file(folder / WEIGHTS)
        if header["format_version"] == 1:
            arrays["idf"] = arrays.pop("rarity")
        metrics = json.loads((folder / METRICS).read_text(encoding="utf-8"))
        count = len(arrays["idf"])
        shapes = {"weights": (count, len(artists)), "scales": (len(artists),), "bias": (len(artists),)}
        if (
            any(arrays[name].shape != shape for name, shape in shapes.items())
            or any(arrays[name].dtype != dtype for name, dtype in ARRAYS.items())
            or count % 2
            or not count
            or len(songs) != len(artists)
        ):
            raise ValueError
        return NgramClassifier(artists, **arrays, songs=songs, calibration=calibration, metrics=metrics)
