"""Membership inference: whether the language models have read a text in training.

Three statistics of a text, all higher for texts that were read:

likelihood   minus the bits per character that the model needs
min_k        Min-K%++ (Zhang et al. 2024, arXiv:2404.02936): the log-probability of each character, standardized by its mean
             and standard deviation under the model's own prediction there; the mean of the lowest 20 %
difference   bits per character of a weaker reference model minus those of the model, so that texts that are easy for
             any model do not look as if they had been read

A statistic has a threshold for each of `LENGTHS`. `train.py --models membership` fits them on held-out training songs, which
no network has read, against as many training songs, and measures the error rates on the clean validation songs against as
many other training songs. The artifact is one JSON file, and holds for the two networks of which it has the checksums.

Shapes: B texts, T characters, C = 100 classes.
"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from lyricgen.analysis.scoring import check_scored
from lyricgen.display import html_table, one_line, paragraph
from lyricgen.errors import ArgumentError
from lyricgen.generation.fast_stepper import WeightsCache
from lyricgen.memorization.originality import Originality, measure_originality
from lyricgen.memorization.song_index import SongIndex
from lyricgen.models.loading import resolve_model
from lyricgen.models.networks import CharacterModel, in_eval_mode
from lyricgen.models.text import has_known_character, read_labels, unknown_characters
from lyricgen.models.vocabulary import NUM_CLASSES, OOV_LABEL, START_LABEL
from lyricgen.storage import ASSETS, MEMBERSHIP, artifact_errors, check_numbers, read_artifact, write_artifact
from lyricgen.validation import check_text, short_repr

STATISTICS = {
    "likelihood": "minus bits per character",
    "min_k": "Min-20%++",
    "difference": "bits per character of the reference model minus those of the model",
}
LENGTHS = (100, 200, 400, 800, 1_600)  # characters of the texts for which thresholds are fitted
MIN_K_SHARE = 0.2  # share of the characters, those of the lowest standardized log-probability, in `min_k`
MIN_KNOWN_SHARE = 0.8  # of the characters of a text that has a verdict
MIN_DEVIATION = 1e-6  # nats; a lower bound on the standard deviation, for predictions that are certain
BUNDLED = "bundled"  # the value of `thresholds` and `index` for those that come with the project
FOLDER = "membership"  # name of the artifact's folder beside the models


@dataclass(frozen=True)
class Threshold:
    """A statistic's threshold for texts of one length: texts above it count as read."""

    threshold: float | None = None
    """None: there were no held-out training songs to fit it on."""
    false_positives: float | None = None
    """Share of the unread texts above it; None: not measured."""
    false_negatives: float | None = None
    """Share of the read texts at or below it; None: not measured."""
    auc: float | None = None
    """Probability that a read text has a higher value than an unread one, 0.5 for chance; None: not measured."""

    def __post_init__(self) -> None:
        check_numbers(vars(self), *vars(self))


@dataclass(frozen=True, eq=False)
class MembershipThresholds:
    """The thresholds of two networks."""

    networks: tuple[str, str]
    """`weights_sha256` of the model and of the reference model."""
    statistic: str
    """The statistic that gives the verdict, one of `STATISTICS`."""
    by_length: Mapping[int, Mapping[str, Threshold]]
    """The thresholds of each statistic, by length in characters."""
    metrics: dict = field(default_factory=dict)
    """Numbers of songs, and the provenance."""


@dataclass(frozen=True)
class StatisticResult:
    """A statistic of a text beside its threshold."""

    statistic: str
    value: float
    read: bool | None
    """Whether the value is above the threshold; None without one."""
    threshold: float | None
    false_positives: float | None
    false_negatives: float | None
    auc: float | None


@dataclass(frozen=True)
class Membership:
    """Whether two networks have read a text: the statistics, the verdict, and what the song index knows."""

    characters: int
    """Characters that were read, from the beginning of the text."""
    bits_per_character: float
    """Of the model."""
    reference_bits_per_character: float
    """Of the reference model."""
    statistics: tuple[StatisticResult, ...]
    statistic: str | None
    """The one that gives the verdict; None without thresholds."""
    reason: str | None
    """Why there is no verdict, in one sentence; None where there is one."""
    originality: Originality | None
    """The copied runs of the characters that were read; None without a song index."""
    notes: tuple[str, ...] = ()
    """Notes on the reading of the text, one sentence each."""

    def __repr__(self) -> str:
        return one_line(self, f"read: {self.read}", f"{self.characters} characters")

    def _repr_html_(self) -> str:
        """The verdict, and the statistics as a table."""
        rows = [
            [each.statistic, f"{each.value:.3f}", "" if each.threshold is None else f"{each.threshold:.3f}"]
            for each in self.statistics
        ]
        return paragraph(self.verdict) + html_table("Statistics", ["statistic", "value", "threshold"], rows)

    @property
    def read(self) -> bool | None:
        """The verdict; None without a threshold."""
        return next((each.read for each in self.statistics if each.statistic == self.statistic), None)

    @property
    def verdict(self) -> str:
        """The verdict with its error rates, in one or two sentences."""
        if self.reason:
            return self.reason
        by = next(each for each in self.statistics if each.statistic == self.statistic)
        above = "above" if by.read else "not above"
        probably = "have probably read" if by.read else "have probably not read"
        verdict = f"The models {probably} this text: {by.statistic} is {by.value:.3f}, {above} the threshold of {by.threshold:.3f}."
        if by.false_positives is None or by.false_negatives is None:
            return f"{verdict} Its error rates were not measured."
        return (
            f"{verdict} Of texts of {self.characters:,} characters that the models had not read, {by.false_positives:.0%} were "
            f"above it; of those that they had read, {by.false_negatives:.0%} were not."
        )

    def to_dict(self) -> dict:
        """The answer of `/membership`, as plain values."""
        return {
            "read": self.read,
            "verdict": self.verdict,
            "statistic": self.statistic,
            "statistics": [asdict(each) for each in self.statistics],
            "bits_per_character": self.bits_per_character,
            "reference_bits_per_character": self.reference_bits_per_character,
            "characters": self.characters,
            "originality": self.originality.to_dict() if self.originality else None,
            "notes": list(self.notes),
        }


def measure_membership(
    text: str,
    *,
    model: str | Path | CharacterModel = "lstm",
    reference: str | Path | CharacterModel = "vanilla-rnn",
    thresholds: MembershipThresholds | str | Path | None = BUNDLED,
    index: SongIndex | str | Path | None = BUNDLED,
) -> Membership:
    """Measures whether the models have read a text, and how much of it occurs in the training songs.

    A text is read up to the highest of the thresholds' lengths (see `LENGTHS`) that it reaches, since thresholds and error
    rates hold for texts of that length; one that is too short for all of them is read as a whole and has no verdict.

    Args:
        text: 1 to 5,000 characters, blanks at both ends left out, read as the beginning of a song by any artist.
        model: 'lstm', 'vanilla-rnn', a model folder, a `.ckpt` file, or a loaded model.
        reference: a weaker model of the same songs, in the same forms.
        thresholds: 'bundled', a folder, loaded thresholds, or None for none.
        index: of the songs: 'bundled', a folder, a loaded one, or None for none.

    Raises:
        ArgumentError: the text is empty, too long, or has no character of the vocabulary.
        ModelError: there is no such model, or files are damaged.
    """
    text = check_scored(check_text("text", text).strip())
    network, reference_network = resolve_model(model), resolve_model(reference)
    known, reason = _resolve_thresholds(thresholds), None
    if known and known.networks != (weights_sha256(network), weights_sha256(reference_network)):
        known, reason = None, "The thresholds here are of other networks, so there is no verdict."
    lengths = known.by_length if known else LENGTHS
    length = max((length for length in lengths if length <= len(text)), default=len(text))
    read, notes = text[:length], []
    if known and np.mean(np.array(read_labels(read)) != OOV_LABEL) < MIN_KNOWN_SHARE:
        known, reason = None, "The models know too few of its characters for a verdict."
    reason = reason or _reason_without_verdict(known, length)
    if not has_known_character(read):
        raise ArgumentError(
            f"the first {length:,} characters of text must have one that the models know, got {short_repr(read)}"
        )
    if length < len(text):
        notes.append(f"The first {length:,} of {len(text):,} characters were read.")
    if unknown := unknown_characters(read):
        notes.append(unknown)
    labels, reference_labels = (
        np.array([read_labels(read, each.line_breaks)], np.uint8) for each in (network, reference_network)
    )
    values, bits, reference_bits = measure_statistics(labels, reference_labels, network, reference_network)
    of_length = known.by_length.get(length, {}) if known else {}
    return Membership(
        characters=length,
        bits_per_character=float(bits[0]),
        reference_bits_per_character=float(reference_bits[0]),
        statistics=tuple(
            _compare(name, float(value[0]), of_length.get(name, Threshold())) for name, value in values.items()
        ),
        statistic=known.statistic if known and not reason else None,
        reason=reason,
        originality=None if index is None else measure_originality(read, None if index == BUNDLED else index),
        notes=tuple(notes),
    )


def measure_statistics(
    labels: np.ndarray, reference_labels: np.ndarray, model: CharacterModel, reference: CharacterModel
) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """The statistics of texts of the same length.

    Args:
        labels: of the texts for the model, uint8 (B, T), without label 100 at the start.
        reference_labels: for the reference model, which may read line breaks in another way.
        model: the model.
        reference: the weaker one.

    Returns:
        each of `STATISTICS`, float64 (B,), and bits per character of the model and of the reference model (B,).
    """
    bits, min_k = surprisal(labels, model)
    reference_bits, _ = surprisal(reference_labels, reference)
    return {"likelihood": -bits, "min_k": min_k, "difference": reference_bits - bits}, bits, reference_bits


@torch.inference_mode()
def surprisal(labels: np.ndarray, model: CharacterModel) -> tuple[np.ndarray, np.ndarray]:
    """Bits per character and Min-K%++ of texts of the same length, read as the beginning of a song by any artist.

    Characters outside the vocabulary are read, but not scored.

    Args:
        labels: of the texts, uint8 (B, T).
        model: the model.

    Returns:
        two arrays, float64 (B,).
    """
    model = in_eval_mode(model)
    device = next(model.parameters()).device
    targets = torch.from_numpy(labels.astype(np.int64)).to(device)  # (B, T)
    starts = torch.full_like(targets[:, :1], START_LABEL)
    logits, _ = model(torch.cat([starts, targets[:, :-1]], dim=1), None)  # (B, T, C)
    log_probs = logits.double().log_softmax(-1)
    probs = log_probs.exp()
    mean = (probs * log_probs).sum(-1)  # (B, T), as the others
    deviation = ((probs * log_probs.square()).sum(-1) - mean.square()).clamp(min=MIN_DEVIATION**2).sqrt()
    taken = log_probs.gather(-1, targets.clamp(max=NUM_CLASSES - 1)[..., None])[..., 0]
    known = (targets != OOV_LABEL).cpu().numpy()
    nats, standardized = taken.cpu().numpy(), ((taken - mean) / deviation).cpu().numpy()
    bits = [-row[mask].mean() / math.log(2) for row, mask in zip(nats, known, strict=True)]
    return np.array(bits), np.array([lowest_mean(row[mask]) for row, mask in zip(standardized, known, strict=True)])


def lowest_mean(values: np.ndarray, share: float = MIN_K_SHARE) -> float:
    """The mean of the lowest `share` of the values, of one at least."""
    count = max(1, math.ceil(share * len(values)))
    return float(np.partition(values, count - 1)[:count].mean())


def weights_sha256(model: CharacterModel) -> str:
    """The sha256 of a network's weights in float32, wherever they are; computed once for the present weights."""
    return _CHECKSUMS.get(model)


def save_thresholds(thresholds: MembershipThresholds, folder: str | Path) -> None:
    """Writes the artifact's folder atomically."""
    header = {
        "networks": list(thresholds.networks),
        "statistic": thresholds.statistic,
        "lengths": {
            str(length): {name: asdict(each) for name, each in of_length.items()}
            for length, of_length in thresholds.by_length.items()
        },
        "metrics": thresholds.metrics,
    }
    with write_artifact(folder, MEMBERSHIP, header):
        pass


def load_thresholds(folder: str | Path) -> MembershipThresholds:
    """Reads the artifact's folder.

    Raises:
        ModelError: it is missing, altered, or of another format.
    """
    header = read_artifact(folder, MEMBERSHIP)
    with artifact_errors(folder, MEMBERSHIP):
        model, reference = map(str, header["networks"])
        if header["statistic"] not in STATISTICS:
            raise ValueError
        by_length = {
            int(length): {name: Threshold(**of_length[name]) for name in STATISTICS}
            for length, of_length in header["lengths"].items()
        }
        return MembershipThresholds((model, reference), header["statistic"], by_length, dict(header["metrics"]))


def _compare(statistic: str, value: float, threshold: Threshold) -> StatisticResult:
    above = None if threshold.threshold is None else value > threshold.threshold
    return StatisticResult(statistic, value, above, **asdict(threshold))


def _reason_without_verdict(thresholds: MembershipThresholds | None, length: int) -> str | None:
    """Why a text of this length has no verdict, in one sentence; None where it has one."""
    if thresholds is None:
        return "There are no thresholds here, so there is no verdict."
    if length not in thresholds.by_length:
        shortest = min(thresholds.by_length, default=LENGTHS[0])
        return f"A text of under {shortest:,} characters says too little for a verdict."
    if thresholds.by_length[length][thresholds.statistic].threshold is None:
        return "These networks were trained without held-out songs that thresholds could be fitted on, so there is no verdict."
    return None


def _resolve_thresholds(thresholds: MembershipThresholds | str | Path | None) -> MembershipThresholds | None:
    if thresholds is None or isinstance(thresholds, MembershipThresholds):
        return thresholds
    return bundled_thresholds() if thresholds == BUNDLED else load_thresholds(thresholds)


@lru_cache
def bundled_thresholds() -> MembershipThresholds | None:
    """The thresholds that come with the project, None where their folder is missing."""
    return load_thresholds(ASSETS / FOLDER) if (ASSETS / FOLDER).is_dir() else None


def _hash_weights(model: CharacterModel) -> str:
    digest = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        digest.update(name.encode() + value.detach().float().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


_CHECKSUMS = WeightsCache(_hash_weights)
