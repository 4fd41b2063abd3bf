"""Hashed n-grams of letters and words, and a linear classifier of artists over them, with the folder it is kept in.

weights.safetensors   int8 weights a bucket and artist, their scales, how rare each bucket is
metrics.json          how it came about, and what was measured
meta.json             format version, artists, how to weigh it beside a language model, and the sha256 of the others

A bucket is a hash of an n-gram, shared with others, so the folder holds no lyric. Shapes: N buckets, A artists. Nothing
is unpickled.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save

from lyricgen.errors import DataError
from lyricgen.models.vocabulary import encode, token_ids_to_str
from lyricgen.storage import NGRAM_CLASSIFIER, artifact_errors, read_artifact, write_artifact, write_json

WEIGHTS, METRICS = NGRAM_CLASSIFIER.files
LETTERS = (2, 3, 4, 5)  # lengths of the n-grams of letters, spaces among them
WORDS = (1, 2)  # and of those of words
BUCKETS = 1 << 17  # of each kind
RARITY_STEPS = 25  # to 1
ARRAYS = {"weights": np.int8, "scales": np.float32, "bias": np.float32, "rarity": np.uint8}
LAWS = {"both", "nats", "scores"}
FITTING = {"maxiter": 4_000, "maxfev": 4_000, "xatol": 1e-4, "fatol": 1e-6}

_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # odd, so that it has an inverse modulo 2**64
_INVERSE = np.uint64(pow(int(_FACTOR), -1, 2**64))
_MIX = np.uint64(0xD6E8FEB86659FD93)


def plain(text: str) -> str:
    """A text as it is counted: in lower case, each run of spaces and line breaks as one space, and one at both ends.

    Characters outside the vocabulary are U+FFFD, as in an encoded corpus.

    >>> plain("Ça va\\n  bien")
    ' \ufffda va bien '
    """
    return f" {' '.join(token_ids_to_str(encode(text.lower())).split())} "


def count_ngrams(text: str, buckets: int = BUCKETS) -> tuple[np.ndarray, np.ndarray]:
    """Which buckets the n-grams of a text fall into, those of letters before those of words, and how many into each.

    Returns:
        buckets in rising order, int64, and counts, float32.
    """
    codes = np.frombuffer(plain(text).encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    powers = np.cumprod(np.full(len(codes) + 1, _FACTOR), dtype=np.uint64)
    inverses = np.cumprod(np.full(len(codes) + 1, _INVERSE), dtype=np.uint64)
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum((codes + np.uint64(1)) * powers[:-1], dtype=np.uint64)])

    def hashed(starts: np.ndarray, stops: np.ndarray, salt: int) -> np.ndarray:
        """The bucket of each span: a polynomial hash by differences of prefix sums, its bits mixed."""
        values = (sums[stops] - sums[starts]) * inverses[starts] + np.uint64(salt)
        values = (values ^ (values >> np.uint64(32))) * _MIX
        return ((values ^ (values >> np.uint64(29))) % np.uint64(buckets)).astype(np.int64)

    at = np.arange(len(codes))
    spans = [hashed(at[: len(at) - n + 1], at[: len(at) - n + 1] + n, n) for n in LETTERS if len(at) >= n]
    spaces = np.flatnonzero(codes == ord(" "))
    for n in WORDS:
        if len(spaces) > n:
            spans.append(buckets + hashed(spaces[:-n] + 1, spaces[n:], 100 + n))
    found, counts = np.unique(np.concatenate(spans), return_counts=True)
    return found, counts.astype(np.float32)


@dataclass(frozen=True)
class Calibration:
    """How much to believe what two models say of a text, by its length: the logits of the artists' posterior.

    A language model's characters depend on each other, so that the nats of a text say less than their sum; how much less
    grows with the length. With the nats saved by naming artist a (its log-likelihood less that of 'any artist') and the
    classifier's score of a, the logit of a for a text of n characters is

        nats_a exp(nats[0] + nats[1] log n) + score_a exp(scores[0] + scores[1] log n) + prior log(share of songs of a)
    """

    nats: tuple[float, float]
    scores: tuple[float, float] = (0.0, 0.0)
    prior: float = 0.0

    def logits(
        self, nats: np.ndarray | None, scores: np.ndarray | None, log_priors: np.ndarray | None, length: np.ndarray
    ) -> np.ndarray:
        """Logits (texts, A) of what there is of the three: nats and scores (texts, A), log priors (A,), lengths (texts,)."""
        log_length = np.log(np.maximum(length, 1))[:, None]
        parts = [] if nats is None else [nats * np.exp(self.nats[0] + self.nats[1] * log_length)]
        if scores is not None:
            parts.append(scores * np.exp(self.scores[0] + self.scores[1] * log_length))
        if log_priors is not None:
            parts.append(np.broadcast_to(self.prior * log_priors, parts[0].shape))
        return np.sum(parts, axis=0)


@dataclass(frozen=True, eq=False)
class NgramClassifier:
    """A linear classifier of artists over the n-grams of a text, and how to weigh what it says."""

    artists: tuple[str, ...]
    weights: np.ndarray
    """int8 (N, A), to be multiplied with `scales`."""
    scales: np.ndarray
    """float32 (A,)."""
    bias: np.ndarray
    """float32 (A,)."""
    rarity: np.ndarray
    """How rare each bucket is among the songs, its inverse document frequency in steps of 1 / 25: uint8 (N,)."""
    songs: tuple[int, ...]
    """Songs of each artist that it learnt from: the prior."""
    laws: Mapping[str, Calibration] = field(default_factory=dict)
    """'both', of a language model and these scores together; 'nats' and 'scores', of each alone."""
    metrics: dict = field(default_factory=dict)

    @property
    def decides(self) -> str:
        """The law that gives the answer: 'scores', of these scores alone, where they were right more often by themselves than
        together with a language model on the training songs that were held out from both; else 'both'."""
        held_out = self.metrics.get("held_out", {})
        right = {name: held_out.get(name, {}).get("accuracy", 0.0) for name in ("both", "scores")}
        return max(right, key=right.get)

    def scores(self, text: str) -> np.ndarray:
        """How much a text speaks for each artist, about -1 for no to 1 for yes: float32 (A,)."""
        buckets, values = weigh(*count_ngrams(text, len(self.weights) // 2), self.rarity)
        return (values @ self.weights[buckets].astype(np.float32)) * self.scales + self.bias

    @property
    def log_priors(self) -> np.ndarray:
        """The logarithm of each artist's share of the songs, none taken for half a song: float64 (A,)."""
        songs = np.maximum(self.songs, 0.5)
        return np.log(songs / songs.sum())


def weigh(buckets: np.ndarray, counts: np.ndarray, rarity: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the classifier reads of counts: (1 + log count) times rarity, each kind of n-gram at length 1.

    Returns:
        the buckets, and float32 values.
    """
    values = (1 + np.log(counts)) * rarity[buckets].astype(np.float32) / RARITY_STEPS
    letters = np.searchsorted(buckets, len(rarity) // 2)
    for part in (values[:letters], values[letters:]):
        part /= max(float(np.sqrt(part @ part)), 1e-9)
    return buckets, values


def fit_ngrams(
    texts: Sequence[str], labels: np.ndarray, artists: Sequence[str], buckets: int = BUCKETS, seed: int = 0
) -> NgramClassifier:
    """Fits a linear support vector machine, one artist against the others, and rounds it to int8.

    Args:
        texts: lyrics.
        labels: the artist of each, a position in `artists`.
        artists: names; one without a lyric is never likely.
        buckets: of each kind of n-gram.
        seed: of the order in which the fit visits the songs.

    Raises:
        DataError: fewer than two artists have a lyric.
    """
    from scipy.sparse import csr_matrix  # imported here, since a classifier that is read needs neither
    from sklearn.svm import LinearSVC

    labels = np.asarray(labels)
    if len(set(labels.tolist())) < 2:
        raise DataError("there is only one artist among the songs; to tell artists apart takes two")
    counted = [count_ngrams(text, buckets) for text in texts]
    frequency = np.bincount(np.concatenate([found for found, _ in counted]), minlength=2 * buckets)
    inverse = 1 + np.log((1 + len(texts)) / (1 + frequency))
    rarity = np.minimum(np.round(inverse * RARITY_STEPS), 255).astype(np.uint8)
    rows = [weigh(found, counts, rarity) for found, counts in counted]
    ends = np.cumsum([0, *(len(found) for found, _ in rows)])
    matrix = csr_matrix(
        (np.concatenate([values for _, values in rows]), np.concatenate([found for found, _ in rows]), ends),
        shape=(len(rows), 2 * buckets),
    )
    machine = LinearSVC(random_state=seed).fit(matrix, labels)
    learnt, bias = machine.coef_, machine.intercept_
    if len(machine.classes_) == 2:  # of two it keeps one, the second against the first
        learnt, bias = np.concatenate([-learnt, learnt]), np.concatenate([-bias, bias])
    weights, biases = np.zeros((2 * buckets, len(artists))), np.full(len(artists), -2.0)
    weights[:, machine.classes_], biases[machine.classes_] = learnt.T, bias
    scales = np.maximum(np.abs(weights).max(axis=0), 1e-9) / 127
    songs = np.bincount(labels, minlength=len(artists))
    return NgramClassifier(
        tuple(artists),
        np.round(weights / scales).astype(np.int8),
        scales.astype(np.float32),
        biases.astype(np.float32),
        rarity,
        tuple(songs.tolist()),
    )


def fit_law(
    labels: np.ndarray,
    lengths: np.ndarray,
    nats: np.ndarray | None = None,
    scores: np.ndarray | None = None,
    log_priors: np.ndarray | None = None,
) -> Calibration:
    """The law under which the artists of texts that neither model has read are likeliest.

    Args:
        labels: the artist of each text (texts,).
        lengths: its characters (texts,).
        nats, scores: as in `Law.logits`; one may be missing.
        log_priors: (A,).
    """
    from scipy.optimize import minimize
    from scipy.special import log_softmax

    def law(values: np.ndarray) -> Calibration:
        return Calibration(tuple(values[:2].tolist()), tuple(values[2:4].tolist()), float(values[4]))

    def loss(values: np.ndarray) -> float:
        logits = law(values).logits(nats, scores, log_priors, lengths)
        return -float(log_softmax(logits, axis=1)[np.arange(len(labels)), labels].mean())

    return law(minimize(loss, np.array([0.0, -0.5, 1.0, 0.0, 0.5]), method="Nelder-Mead", options=FITTING).x)


def save_ngrams(classifier: NgramClassifier, folder: str | Path) -> None:
    """Writes a classifier's folder atomically."""
    header = {
        "artists": list(classifier.artists),
        "songs": list(classifier.songs),
        "laws": {name: asdict(law) for name, law in classifier.laws.items()},
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
        laws = {
            name: Calibration(tuple(map(float, law["nats"])), tuple(map(float, law["scores"])), float(law["prior"]))
            for name, law in header["laws"].items()
        }
        arrays = load_file(folder / WEIGHTS)
        metrics = json.loads((folder / METRICS).read_text(encoding="utf-8"))
        count = len(arrays["rarity"])
        shapes = {"weights": (count, len(artists)), "scales": (len(artists),), "bias": (len(artists),)}
        if (
            any(arrays[name].shape != shape for name, shape in shapes.items())
            or any(arrays[name].dtype != dtype for name, dtype in ARRAYS.items())
            or count % 2
            or not count
            or len(songs) != len(artists)
            or set(laws) != LAWS
            or any(len(law.nats) != 2 or len(law.scores) != 2 for law in laws.values())
        ):
            raise ValueError
        return NgramClassifier(artists, **arrays, songs=songs, laws=laws, metrics=metrics)
