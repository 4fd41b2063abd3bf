"""Artist classifier: hashed n-grams of characters and words, TF-IDF weights and a linear SVM, stored in one folder.

weights.safetensors   int8 SVM weights per bucket and artist, their scales and biases, the idf of each bucket
metrics.json          provenance and measured accuracy
meta.json             format version, artists, songs per artist, calibration, masked names, and the sha256 of the other files

A bucket is a hash that several n-grams share, so the folder holds no lyric. Nothing is unpickled. Masked names are the
artists' own: an n-gram that touches one is not counted, in training or in use, so that a name in a text is no evidence.
The classifier is linear: `NgramClassifier.evidence` gives the contribution of each n-gram to an artist's logit.
Shapes: N buckets, A artists, M occurrences of n-grams in a text.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from safetensors.numpy import load_file, save

from lyricgen.display import one_line
from lyricgen.errors import DataError
from lyricgen.models.vocabulary import encode, token_ids_to_str
from lyricgen.storage import (
    NGRAM_CLASSIFIER,
    artifact_errors,
    check_numbers,
    read_artifact,
    read_json,
    write_artifact,
    write_json,
)

if TYPE_CHECKING:  # scipy is needed to fit a classifier, not to use one
    from scipy.sparse import csr_matrix

WEIGHTS, METRICS = NGRAM_CLASSIFIER.files
ARRAYS = {"weights": np.int8, "scales": np.float32, "bias": np.float32, "idf": np.uint8}
CHARACTER_NGRAMS = (2, 3, 4, 5)  # lengths in characters, spaces included
WORD_NGRAMS = (1, 2)  # lengths in words
BUCKETS = 1 << 17  # hash buckets per kind of n-gram
IDF_STEPS = 25  # quantization steps per unit of inverse document frequency
EMPTY_ARTIST_BIAS = -2.0  # score of an artist without a song, below all scores of the SVM
MASK = "\0"  # replaces each character of a masked name; no n-gram contains it
MAX_SPANS = 20  # positions in the text listed for an n-gram
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


def source_spans(text: str) -> tuple[np.ndarray, np.ndarray]:
    """Start and stop in a text with a word of each character of `normalize_text(text)`: int64 (characters,) each.

    A space has the span of its whitespace, which is empty where the text begins or ends without any.
    """
    origin = [position for position, character in enumerate(text) for _ in character.lower()]
    words = [(match.start(), match.end()) for match in re.finditer(r"\S+", token_ids_to_str(encode(text.lower())))]
    edges = [0, *(edge for word in words for edge in word), len(origin)]  # of whitespace, word, whitespace, ...
    origin.append(len(text))
    starts, stops = [origin[edges[0]]], [origin[edges[1]]]
    for start, stop, next_start in zip(edges[1::2], edges[2::2], edges[3::2], strict=False):
        starts += [*origin[start:stop], origin[stop]]
        stops += [*(position + 1 for position in origin[start:stop]), origin[next_start]]
    return np.array(starts), np.array(stops)


def mask_pattern(names: Sequence[str]) -> re.Pattern | None:
    """A pattern of whole names, as they are in a normalized text; None for no names."""
    normalized = sorted({normalize_text(name).strip() for name in names}, key=lambda name: (-len(name), name))
    return re.compile(rf"(?<![a-z0-9])(?:{'|'.join(map(re.escape, normalized))})(?![a-z0-9])") if normalized else None


@dataclass(frozen=True, eq=False)
class Ngrams:
    """The occurrences of n-grams in a normalized text, without those that touch a masked name."""

    text: str
    """The normalized text, masked."""
    starts: np.ndarray
    """Position of each in `text`: int64 (M,)."""
    stops: np.ndarray
    hashes: np.ndarray
    """Hash of each n-gram, which two n-grams of a text share once in about 10**12 texts: uint64 (M,)."""
    buckets: np.ndarray
    """Hash bucket of each; those of word n-grams come after those of character n-grams: int64 (M,)."""


def find_ngrams(text: str, buckets: int = BUCKETS, mask: re.Pattern | None = None) -> Ngrams:
    """The n-grams of a text, with their hash buckets.

    Args:
        text: any text.
        buckets: hash buckets per kind of n-gram.
        mask: a pattern of names; see `mask_pattern`.
    """
    text = normalize_text(text)
    if mask is not None:
        text = mask.sub(lambda name: MASK * len(name[0]), text)
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    powers = np.cumprod(np.full(len(codes) + 1, _FACTOR), dtype=np.uint64)
    inverses = np.cumprod(np.full(len(codes) + 1, _INVERSE), dtype=np.uint64)
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum((codes + np.uint64(1)) * powers[:-1], dtype=np.uint64)])
    masked = np.concatenate([[0], np.cumsum(codes == ord(MASK))])

    def hash_spans(starts: np.ndarray, stops: np.ndarray, salt: int, offset: int) -> tuple[np.ndarray, ...]:
        """Start, stop, hash and bucket of each span: a polynomial hash by differences of prefix sums, then mixed."""
        kept = masked[starts] == masked[stops]
        starts, stops = starts[kept], stops[kept]
        values = (sums[stops] - sums[starts]) * inverses[starts] + np.uint64(salt)
        values = (values ^ (values >> np.uint64(32))) * _MIX
        values = values ^ (values >> np.uint64(29))
        return starts, stops, values, (values % np.uint64(buckets)).astype(np.int64) + offset

    positions = np.arange(len(codes) + 1)
    spans = [hash_spans(positions[:-n], positions[n:], n, 0) for n in CHARACTER_NGRAMS if len(codes) >= n]
    spaces = np.flatnonzero(codes == ord(" "))
    for n in WORD_NGRAMS:
        if len(spaces) > n:
            spans.append(hash_spans(spaces[:-n] + 1, spaces[n:], 100 + n, buckets))
    return Ngrams(text, *(np.concatenate(parts) for parts in zip(*spans, strict=True)))


def count_ngrams(text: str, buckets: int = BUCKETS, mask: re.Pattern | None = None) -> tuple[np.ndarray, np.ndarray]:
    """N-gram counts of a text by hash bucket; see `find_ngrams`.

    Returns:
        buckets in ascending order, int64, and the count of each, float32.
    """
    used, counts = np.unique(find_ngrams(text, buckets, mask).buckets, return_counts=True)
    return used, counts.astype(np.float32)


@dataclass(frozen=True)
class NgramContribution:
    """An n-gram of a text, and how much it speaks for an artist."""

    ngram: str
    """Its characters, in lower case."""
    kind: str
    """'characters' or 'words'."""
    count: int
    """Occurrences in the text."""
    contribution: float
    """Nats that they add to the artist's logit, compared with the mean over all artists."""
    shares_bucket: bool
    """Whether another n-gram of the text has the same hash bucket: both have one weight, and each its part by count."""
    spans: tuple[tuple[int, int], ...]
    """Start and stop of its first 20 occurrences in the text."""


@dataclass(frozen=True)
class Evidence:
    """The logit of an artist as a sum over the n-grams of a text: `logit` = `constant` + `others` + those of `ngrams`."""

    artist: str
    logit: float
    """The artist's logit minus the mean over all artists, in nats; the posterior is the softmax of either."""
    constant: float
    """The part that no n-gram has: the artist's bias and share of the songs."""
    others: float
    """The sum over all n-grams that are not in `ngrams`."""
    ngrams: tuple[NgramContribution, ...]
    """Those that speak most for the artist, in descending order."""

    def to_dict(self) -> dict:
        """As plain values."""
        ngrams = [{**asdict(ngram), "spans": [list(span) for span in ngram.spans]} for ngram in self.ngrams]
        return {**asdict(self), "ngrams": ngrams}


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

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, (self.log_scale, self.exponent, self.prior))):
            raise ValueError("the constants of a calibration must be finite numbers")

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
    masked_names: tuple[str, ...] = ()
    """Names that are no evidence; an n-gram that touches one is not counted."""

    def __repr__(self) -> str:
        return one_line(
            self, f"{len(self.artists)} artists", f"{len(self.idf):,} buckets", f"{sum(self.songs):,} songs"
        )

    @cached_property
    def mask(self) -> re.Pattern | None:
        """The pattern of the masked names."""
        return mask_pattern(self.masked_names)

    def scores(self, text: str) -> np.ndarray:
        """The SVM's score of each artist, about -1 for no to 1 for yes: float32 (A,)."""
        buckets, values = tfidf_weights(*count_ngrams(text, len(self.idf) // 2, self.mask), self.idf)
        return (values @ self.weights[buckets].astype(np.float32)) * self.scales + self.bias

    def logits(self, texts: Sequence[str], lengths: np.ndarray) -> np.ndarray:
        """Calibrated logits (texts, A) of texts and their lengths in characters (texts,)."""
        return self.calibration.logits(np.stack([self.scores(text) for text in texts]), lengths, self.log_priors)

    def evidence(self, text: str, length: int, artist: str, count: int) -> Evidence:
        """The n-grams of a text that speak most for an artist, with their exact contributions to the artist's logit.

        Args:
            text: any text with a word.
            length: its characters, as for `logits`.
            artist: one of the classifier's.
            count: maximum number of n-grams to list.
        """
        label, ngrams = self.artists.index(artist), find_ngrams(text, len(self.idf) // 2, self.mask)
        buckets, bucket_of, bucket_counts = np.unique(ngrams.buckets, return_inverse=True, return_counts=True)
        _, values = tfidf_weights(buckets, bucket_counts.astype(np.float32), self.idf)
        weights = self.weights[buckets] * self.scales.astype(np.float64)  # (buckets, A)
        scores = values * (weights[:, label] - weights.mean(axis=1)) / bucket_counts  # of one occurrence
        lengths = np.array([length])
        nats = self.calibration.logits(scores[:, None], lengths)[:, 0]
        constants = self.calibration.logits(self.bias[None].astype(np.float64), lengths, self.log_priors)[0]
        constant = float(constants[label] - constants.mean())
        # a row per n-gram; a bucket may hold several
        _, first, counts = np.unique(ngrams.hashes, return_index=True, return_counts=True)
        contributions = counts * nats[bucket_of[first]]  # (n-grams,)
        order = np.argsort(-contributions, kind="stable")[:count]
        order = order[contributions[order] > 0]
        source = source_spans(text)
        listed = tuple(
            NgramContribution(
                ngram=ngrams.text[ngrams.starts[first[row]] : ngrams.stops[first[row]]],
                kind="words" if ngrams.buckets[first[row]] >= len(self.idf) // 2 else "characters",
                count=int(counts[row]),
                contribution=float(contributions[row]),
                shares_bucket=bool(bucket_counts[bucket_of[first[row]]] > counts[row]),
                spans=_occurrences(ngrams, int(first[row]), source),
            )
            for row in order.tolist()
        )
        total = float(contributions.sum())
        return Evidence(artist, constant + total, constant, total - float(contributions[order].sum()), listed)

    @property
    def log_priors(self) -> np.ndarray:
        """The log of each artist's share of the training songs, where no song counts as half a song: float64 (A,)."""
        songs = np.maximum(self.songs, 0.5)
        return np.log(songs / songs.sum())


def _occurrences(ngrams: Ngrams, example: int, source: tuple[np.ndarray, np.ndarray]) -> tuple[tuple[int, int], ...]:
    """Spans in the source text of the first occurrences of the n-gram at position `example`."""
    same = np.flatnonzero(ngrams.hashes == ngrams.hashes[example])[:MAX_SPANS]
    starts, stops = source[0][ngrams.starts[same]], source[1][ngrams.stops[same] - 1]
    return tuple(zip(starts.tolist(), stops.tolist(), strict=True))


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
    texts: Sequence[str],
    labels: np.ndarray,
    artists: Sequence[str],
    buckets: int = BUCKETS,
    seed: int = 0,
    masked_names: Sequence[str] = (),
    cost: float = 1.0,
) -> NgramClassifier:
    """Fits a linear SVM, one artist against the others, and rounds its weights to int8; without calibration.

    Args:
        texts: lyrics.
        labels: the artist of each, a position in `artists`.
        artists: names; an artist without a lyric never scores high.
        buckets: hash buckets for each kind of n-gram.
        seed: seed of the order in which the solver visits the songs.
        masked_names: names that are no evidence.
        cost: the SVM's cost of errors (C); a lower cost regularizes more.

    Raises:
        DataError: fewer than two artists have a lyric.
    """
    from sklearn.svm import LinearSVC  # imported here: only needed to fit a classifier

    labels = np.asarray(labels)
    if len(np.unique(labels)) < 2:
        raise DataError("there is only one artist among the songs; attribution needs two or more")
    mask = mask_pattern(masked_names)
    counts = [count_ngrams(text, buckets, mask) for text in texts]
    idf = _fit_idf(counts, 2 * buckets)
    svm = LinearSVC(C=cost, random_state=seed).fit(_tfidf_matrix(counts, idf), labels)
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
        masked_names=tuple(masked_names),
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


def _read_metrics(path: Path) -> dict:
    """The metrics; raises an error of `artifact_errors` where the accuracies that the page shows are none."""
    metrics = read_json(path)
    if validation := metrics.get("validation"):
        if not isinstance(validation["baseline"], str) or not isinstance(validation["read"], str):
            raise TypeError("no names")
        check_numbers(validation, "songs", "clean", required=True)
        for splits in validation["methods"].values():
            for figures in splits.values():
                check_numbers(figures, "accuracy", required=True)
    return metrics


def save_ngrams(classifier: NgramClassifier, folder: str | Path) -> None:
    """Writes a classifier's folder atomically."""
    header = {
        "artists": list(classifier.artists),
        "songs": list(classifier.songs),
        "calibration": asdict(classifier.calibration),
        "masked_names": list(classifier.masked_names),
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
        calibration, masked_names = _read_calibration(header), tuple(map(str, header.get("masked_names", ())))
        arrays = load_file(folder / WEIGHTS)
        if header["format_version"] == 1:
            arrays["idf"] = arrays.pop("rarity")
        metrics = _read_metrics(folder / METRICS)
        count = len(arrays["idf"])
        shapes = {"weights": (count, len(artists)), "scales": (len(artists),), "bias": (len(artists),)}
        if (
            any(arrays[name].shape != shape for name, shape in shapes.items())
            or any(arrays[name].dtype != dtype or not np.isfinite(arrays[name]).all() for name, dtype in ARRAYS.items())
            or count % 2
            or not count
            or len(songs) != len(artists)
        ):
            raise ValueError
        return NgramClassifier(
            artists, **arrays, songs=songs, calibration=calibration, metrics=metrics, masked_names=masked_names
        )
