"""Whose line is it? The probability of a text under each artist that a model is conditioned on, whole and line by line.

Shapes: B rows of a batch (texts x artists), T characters, A artists, C classes.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from lyricgen.analysis.ngram_classifier import Calibration, NgramClassifier, load_ngrams
from lyricgen.errors import ArgumentError
from lyricgen.generation.fast_stepper import FastStepper
from lyricgen.models.loading import resolve_model
from lyricgen.models.networks import CharacterModel, map_state
from lyricgen.models.text import read_labels, unknown_characters
from lyricgen.models.vocabulary import OOV_LABEL, START_LABEL
from lyricgen.storage import ASSETS
from lyricgen.validation import check_text, short_repr

LONGEST = 5_000  # characters of a text
ROWS = 256  # of a batch, about


BUNDLED = "bundled"
FOLDER = "attribution"  # in which the n-gram classifier stands, beside the models
ALONE = Calibration(nats=(0.0, -0.5))
"""How a model is weighed where there is no classifier's folder to say it."""


@dataclass(frozen=True)
class Place:
    """An artist's place in the ranking."""

    artist: str
    probability: float
    bits: float
    """That the model needs for the text when it is told this artist."""


@dataclass(frozen=True)
class Line:
    """A line of the text, as it was typed, and whose it is."""

    text: str
    artist: str
    """The likeliest."""
    probability: float
    posterior: dict[str, float]
    bits: dict[str, float]


@dataclass(frozen=True)
class Attribution:
    """Whose a text may be."""

    posterior: dict[str, float]
    """The probability of each artist, in the model's order; they sum to 1."""
    bits: dict[str, float]
    """That the model needs for the text when it is told the artist."""
    any_artist_bits: float
    """That it needs when it is told none."""
    lines: tuple[Line, ...]
    characters: int
    """That the model reads: those of the text that are in the vocabulary."""
    with_ngrams: bool
    """Whether the classifier of n-grams has a say beside the model."""
    notes: tuple[str, ...] = ()
    """What an asker should know, a sentence each."""

    @property
    def ranking(self) -> list[Place]:
        """The artists, the likeliest first."""
        places = [Place(artist, chance, self.bits[artist]) for artist, chance in self.posterior.items()]
        return sorted(places, key=lambda place: -place.probability)

    @property
    def margin(self) -> float:
        """Bits that the name of the likeliest artist saves the model; below 0 where it reads better without a name."""
        return self.any_artist_bits - self.ranking[0].bits

    def to_dict(self) -> dict:
        """The answer of `/attribute`, as plain values."""
        return {
            "artist": self.ranking[0].artist,
            "ranking": [asdict(place) for place in self.ranking],
            "posterior": self.posterior,
            "any_artist_bits": self.any_artist_bits,
            "margin_bits": self.margin,
            "lines": [asdict(line) for line in self.lines],
            "characters": self.characters,
            "with_ngrams": self.with_ngrams,
            "notes": list(self.notes),
        }


def attribute(
    text: str,
    *,
    model: str | Path | CharacterModel = "lstm",
    ngrams: NgramClassifier | str | Path | None = BUNDLED,
) -> Attribution:
    """The probability of a text under each artist that a model is conditioned on: whole, and line by line.

    By Bayes' rule: the model reads the text once for each artist, and p(artist | text) is proportional to
    p(text | artist) p(artist), with the likelihood scaled down since the characters of a text depend on each other. Where
    there is a classifier of n-grams of the same artists, the posterior is by both or by the n-grams alone, as was right more
    often on training songs that neither had read (`NgramClassifier.decides`); the bits are always the model's.

    Args:
        text: 1 to 5,000 characters; read in lower case. Line breaks and runs of two spaces or more end a line.
        model: 'lstm', 'vanilla-rnn', a model folder, a `.ckpt` file, or a loaded model.
        ngrams: the classifier: 'bundled', its folder, a loaded one, or None for none.

    Raises:
        ArgumentError: the text is empty, too long, or without a character that the model knows; the model knows no
            artists.
        ModelError: there is no such model, or files are damaged.
    """
    text, model = check_attributed(text), resolve_model(model)
    if len(model.artists) < 2:
        raise ArgumentError("model must be one that was trained with two artists or more, to tell them apart")
    classifier, notes = _classifier(ngrams, model)
    labels = np.array(read_labels(text, model.line_breaks), np.uint8)
    ((_, nats),) = read_under_artists(model, [labels])  # (T, A + 1)
    spans = [(0, len(text)), *line_spans(text)]
    known = labels != OOV_LABEL
    totals = np.stack([nats[start:stop].sum(axis=0, dtype=np.float64) for start, stop in spans])  # (1 + lines, A + 1)
    lengths = np.array([known[start:stop].sum() for start, stop in spans])
    texts = [text[start:stop] for start, stop in spans]
    posteriors = _posteriors(totals, lengths, texts, classifier)
    bits = totals / np.log(2)
    if unknown := unknown_characters(text):
        notes.append(unknown)

    def named(values: np.ndarray) -> dict[str, float]:
        return dict(zip(model.artists, map(float, values), strict=False))  # the last value is of any artist

    lines = []
    for line, chances, of_line in zip(texts[1:], posteriors[1:], bits[1:], strict=True):
        best = int(chances.argmax())
        lines.append(Line(line, model.artists[best], float(chances[best]), named(chances), named(of_line)))
    return Attribution(
        posterior=named(posteriors[0]),
        bits=named(bits[0]),
        any_artist_bits=float(bits[0, -1]),
        lines=tuple(lines),
        characters=int(lengths[0]),
        with_ngrams=classifier is not None,
        notes=tuple(notes),
    )


def check_attributed(text: object) -> str:
    """A text that can be attributed.

    Raises:
        ArgumentError: it is empty, too long, or holds no character of the vocabulary.
    """
    text = check_text("text", text)
    if not text.strip():
        raise ArgumentError(f"text must be 1 to {LONGEST:,} characters, got an empty text")
    if len(text) > LONGEST:
        raise ArgumentError(f"text must be 1 to {LONGEST:,} characters, got {len(text):,}")
    if all(label == OOV_LABEL for label in read_labels("".join(text.split()))):
        raise ArgumentError(f"text must hold a character that the models know (such as a to z), got {short_repr(text)}")
    return text


def line_spans(text: str) -> list[tuple[int, int]]:
    """Where each line of a text begins and ends: what stands between line breaks and runs of two spaces or more.

    >>> line_spans("one line  and two\\n\\nand three")
    [(0, 8), (10, 17), (19, 28)]
    """
    return [match.span() for match in re.finditer(r"\S+(?:[^\S\r\n]\S+)*", text)]


def posterior(logits: np.ndarray) -> np.ndarray:
    """Probabilities of logits (texts, A), each row summing to 1."""
    exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponents / exponents.sum(axis=1, keepdims=True)


def attribution_figures(posteriors: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """How right posteriors (texts, A) are, given the artists (texts,).

    Returns:
        `accuracy`; `log_loss`, nats a text; `calibration_error`, how far the probability of the likeliest artist lies
        from how often it is right, averaged over ten bins of equal width by the texts in them.
    """
    best, right = posteriors.max(axis=1), posteriors.argmax(axis=1) == labels
    bins = np.minimum((best * 10).astype(int), 9)
    gaps = [abs((best - right)[bins == number].sum()) for number in range(10)]
    chances = posteriors[np.arange(len(labels)), labels]
    figures = {
        "accuracy": right.mean(),
        "log_loss": -np.log(np.maximum(chances, 1e-12)).mean(),
        "calibration_error": sum(gaps) / len(labels),
    }
    return {name: round(float(value), 4) for name, value in figures.items()}


def _posteriors(
    nats: np.ndarray, lengths: np.ndarray, texts: Sequence[str], classifier: NgramClassifier | None
) -> np.ndarray:
    """The posterior of each text (texts, A) from the model's negative log-likelihoods (texts, A + 1)."""
    saved = nats[:, -1:] - nats[:, :-1]
    if classifier is None:
        return posterior(ALONE.logits(saved, None, None, lengths))
    scores = np.stack([classifier.scores(text) for text in texts])
    law = classifier.laws[classifier.decides]
    return posterior(
        law.logits(saved if classifier.decides == "both" else None, scores, classifier.log_priors, lengths)
    )


def _classifier(
    ngrams: NgramClassifier | str | Path | None, model: CharacterModel
) -> tuple[NgramClassifier | None, list[str]]:
    """The classifier that is to have a say, and what to tell where there is none."""
    if ngrams is None:
        return None, []
    if isinstance(ngrams, str) and ngrams == BUNDLED:
        ngrams = _bundled()
        if ngrams is None:
            return None, ["There is no classifier of n-grams here, so the model alone has a say, less rightly."]
    elif not isinstance(ngrams, NgramClassifier):
        ngrams = load_ngrams(ngrams)
    if ngrams.artists != model.artists:
        return None, ["The classifier of n-grams knows other artists than the model, which alone has a say."]
    return ngrams, []


@lru_cache
def _bundled() -> NgramClassifier | None:
    """The classifier that comes with the project, None where its folder is missing."""
    return load_ngrams(ASSETS / FOLDER) if (ASSETS / FOLDER).is_dir() else None


@torch.inference_mode()
def read_under_artists(
    model: CharacterModel, texts: Sequence[np.ndarray], artists: Sequence[int] | None = None
) -> Iterator[tuple[int, np.ndarray]]:
    """Reads texts under each artist side by side, in batches of texts of like length, the longest first.

    Args:
        model: a conditioned model.
        texts: labels (T,) of each, without label 100 at the start.
        artists: labels of the artists, `model.any_artist` for none in particular; None: the model's own and that.

    Yields:
        a text's number, and the negative log-likelihood of its characters in nats, 0 at those outside the vocabulary:
        float32 (T, A).
    """
    stepper = FastStepper.of(model).stepper
    beside = stepper.artist_table if artists is None else stepper.artist_table[list(artists)]  # (A, G)
    order = sorted(range(len(texts)), key=lambda number: -len(texts[number]))
    at_once = max(1, ROWS // len(beside))
    for start in range(0, len(order), at_once):
        numbers = order[start : start + at_once]
        yield from zip(numbers, _read_batch(stepper, [texts[number] for number in numbers], beside), strict=True)


def _read_batch(stepper: FastStepper, texts: list[np.ndarray], beside: torch.Tensor) -> list[np.ndarray]:
    """`read_under_artists` of one batch of texts, the longest first."""
    lengths, device = [len(text) for text in texts], beside.device
    labels = torch.full((len(texts), 1 + lengths[0]), START_LABEL, device=device)
    for row, text in zip(labels, texts, strict=True):
        row[1 : 1 + len(text)] = torch.from_numpy(text.astype(np.int64))
    hidden, steps, running = stepper.start(len(texts) * len(beside)), [], len(texts)
    for at in range(lengths[0]):
        still = sum(length > at for length in lengths[:running])
        if still < running:  # texts that have ended leave the batch
            running, rows = still, still * len(beside)
            hidden = map_state(lambda part, rows=rows: part[:, :rows].contiguous(), hidden)
        inputs = (stepper.table[labels[:running, at], None] + beside).flatten(0, 1)  # (B, G)
        logits, hidden = stepper.step(inputs, hidden)
        wanted = labels[:running, at + 1]
        targets = wanted.clamp(max=OOV_LABEL - 1).repeat_interleave(len(beside))
        nats = torch.nn.functional.cross_entropy(logits, targets, reduction="none").view(running, len(beside))
        steps.append(nats.masked_fill_((wanted == OOV_LABEL)[:, None], 0.0).cpu())
    return [torch.stack([step[row] for step in steps[:length]]).numpy() for row, length in enumerate(lengths)]
