"""Authorship attribution: the posterior over a model's artists for a text and for each of its lines.

Two posteriors: of an n-gram classifier, and of the language model by Bayes' rule.

Shapes: B rows of a batch (texts x artists), T characters, A artists, S spans (the whole text, then its lines), G gate rows of the
first layer.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch

from lyricgen.analysis.ngram_classifier import Calibration, Evidence, NgramClassifier, load_ngrams
from lyricgen.devices import available_cores
from lyricgen.display import html_table, one_line, percent
from lyricgen.errors import ArgumentError
from lyricgen.generation.fast_stepper import FastStepper
from lyricgen.models.loading import resolve_model
from lyricgen.models.networks import CharacterModel, map_state
from lyricgen.models.text import has_known_character, line_spans, read_labels, unknown_characters
from lyricgen.models.vocabulary import OOV_LABEL, START_LABEL
from lyricgen.storage import ASSETS
from lyricgen.validation import check_text, check_text_length, short_repr

MAX_ATTRIBUTED_LENGTH = 5_000  # characters of a text
TEXT_NGRAMS, LINE_NGRAMS = 20, 5  # n-grams listed as evidence, of a text and of a line
MAX_BATCH_ROWS = 256  # rows of a batch (texts x artists)
MAX_THREADS = 4  # that read one batch
STRETCH = 64  # characters whose inputs and predictions are computed together
BUNDLED = "bundled"  # the value of `ngrams` for the classifier that comes with the project
FOLDER = "attribution"  # name of the classifier's folder beside the models
ARTISTS_SHOWN = 5  # of the ranking, in a notebook
LM_ONLY_CALIBRATION = Calibration(exponent=-0.5)
"""Length scaling of the language model's log-likelihoods: length ** -0.5, since neighbouring characters are not independent."""


@dataclass(frozen=True)
class RankedArtist:
    """An artist of the ranking."""

    artist: str
    probability: float
    bits: float
    """Bits that the model needs for the text, given this artist."""
    probability_by_model: float


@dataclass(frozen=True)
class LineAttribution:
    """The attribution of one line."""

    text: str
    artist: str
    """The most likely artist."""
    probability: float
    posterior: dict[str, float]
    bits: dict[str, float]
    posterior_by_model: dict[str, float]
    evidence: Evidence | None = None
    """The n-grams of the line that speak most for its artist; None without a classifier."""


@dataclass(frozen=True)
class Attribution:
    """The attribution of a text and of its lines."""

    posterior: dict[str, float]
    """Probability of each artist by the n-grams, by the model where there is no classifier; in the model's order, sum 1."""
    posterior_by_model: dict[str, float]
    """The same by the language model alone."""
    bits: dict[str, float]
    """Bits that the model needs for the text, given each artist."""
    any_artist_bits: float
    """Bits that the model needs for the text, given no artist."""
    lines: tuple[LineAttribution, ...]
    characters: int
    """Characters of the text in the vocabulary."""
    with_ngrams: bool
    """Whether an n-gram classifier gave `posterior`."""
    notes: tuple[str, ...] = ()
    """Notes on the reading of the text, one sentence each."""
    evidence: Evidence | None = None
    """The n-grams of the text that speak most for the most likely artist; None without a classifier."""

    def __repr__(self) -> str:
        best = self.ranking[0]
        return one_line(self, f"{best.artist} {percent(best.probability)}", f"{self.characters} characters")

    def _repr_html_(self) -> str:
        """The most likely artists, and the artist of each line, as tables."""
        ranking = [
            [ranked.artist, percent(ranked.probability), percent(ranked.probability_by_model)]
            for ranked in self.ranking[:ARTISTS_SHOWN]
        ]
        first = "n-grams" if self.with_ngrams else "language model"
        lines = [[line.text, line.artist, percent(line.probability)] for line in self.lines]
        return html_table("Whose text?", ["artist", first, "language model"], ranking) + html_table(
            "Line by line", ["line", "artist", "probability"], lines
        )

    @property
    def ranking(self) -> list[RankedArtist]:
        """The artists in order of their posterior, the most likely first."""
        return [
            RankedArtist(artist, probability, self.bits[artist], self.posterior_by_model[artist])
            for artist, probability in sorted(self.posterior.items(), key=lambda item: -item[1])
        ]

    @property
    def margin(self) -> float:
        """Bits that naming the most likely artist saves the model; negative where the name does not help."""
        return self.any_artist_bits - self.ranking[0].bits

    def to_dict(self) -> dict:
        """The answer of `/attribute`, as plain values."""
        return {
            "artist": self.ranking[0].artist,
            "ranking": [asdict(ranked) for ranked in self.ranking],
            "posterior": self.posterior,
            "posterior_by_model": self.posterior_by_model,
            "any_artist_bits": self.any_artist_bits,
            "margin_bits": self.margin,
            "lines": [
                {**asdict(line), "evidence": line.evidence.to_dict() if line.evidence else None} for line in self.lines
            ],
            "characters": self.characters,
            "with_ngrams": self.with_ngrams,
            "notes": list(self.notes),
            "evidence": self.evidence.to_dict() if self.evidence else None,
        }


def attribute(
    text: str,
    *,
    model: str | Path | CharacterModel = "lstm",
    ngrams: NgramClassifier | str | Path | None = BUNDLED,
) -> Attribution:
    """The posterior over the artists for a text and for each of its lines.

    The n-gram classifier gives the ranking and, as evidence, the n-grams that speak most for the most likely artist. The
    language model gives the bits and, by Bayes' rule, a second posterior: it reads the text once per artist,
    p(artist | text) is proportional to p(text | artist), and the log-likelihood is scaled down by the length, since
    neighbouring characters are not independent.

    Args:
        text: 1 to 5,000 characters, read in lower case; its lines are those of `line_spans`.
        model: 'lstm', 'vanilla-rnn', a model folder, a `.ckpt` file, or a loaded model.
        ngrams: the classifier: 'bundled', its folder, a loaded one, or None for the language model alone.

    Raises:
        ArgumentError: the text is empty, too long, or has no character that the model knows; the model has no artists.
        ModelError: there is no such model, or files are damaged.
    """
    text, network = check_attributed(text), resolve_model(model)
    if len(network.artists) < 2:
        raise ArgumentError(
            "model must be one that was trained with two artists or more, or there is nothing to compare"
        )
    classifier, notes = _resolve_classifier(ngrams, network)
    if unknown := unknown_characters(text):
        notes.append(unknown)
    spans = [(0, len(text)), *line_spans(text)]
    nll, lengths = _nll_of_spans(text, spans, network)
    texts = [text[start:stop] for start, stop in spans]
    by_model = posterior(LM_ONLY_CALIBRATION.logits(nll[:, -1:] - nll[:, :-1], lengths))  # (S, A)
    by_ngrams = by_model if classifier is None else posterior(classifier.logits(texts, lengths))
    bits = nll / np.log(2)

    def by_artist(values: np.ndarray) -> dict[str, float]:
        return dict(zip(network.artists, values.tolist(), strict=True))

    def evidence(number: int) -> Evidence | None:
        if classifier is None:
            return None
        best, count = network.artists[int(by_ngrams[number].argmax())], LINE_NGRAMS if number else TEXT_NGRAMS
        return classifier.evidence(texts[number], int(lengths[number]), best, count)

    lines = []
    for number, line in enumerate(texts[1:], 1):
        best = int(by_ngrams[number].argmax())
        probabilities = by_artist(by_ngrams[number]), by_artist(bits[number, :-1]), by_artist(by_model[number])
        lines.append(
            LineAttribution(
                line, network.artists[best], float(by_ngrams[number, best]), *probabilities, evidence(number)
            )
        )
    return Attribution(
        posterior=by_artist(by_ngrams[0]),
        posterior_by_model=by_artist(by_model[0]),
        bits=by_artist(bits[0, :-1]),
        any_artist_bits=float(bits[0, -1]),
        lines=tuple(lines),
        characters=int(lengths[0]),
        with_ngrams=classifier is not None,
        notes=tuple(notes),
        evidence=evidence(0),
    )


def posterior_by_ngrams(
    text: str, model: CharacterModel, ngrams: NgramClassifier | str | Path | None = BUNDLED
) -> dict[str, float] | None:
    """The posterior over a model's artists by the n-grams alone, as in `attribute`, in milliseconds: the model reads nothing.

    Args:
        text: one that `check_attributed` takes.
        model: its artists are those of the posterior.
        ngrams: as for `attribute`.

    Returns:
        None where no classifier knows the model's artists.
    """
    classifier, _ = _resolve_classifier(ngrams, model)
    if classifier is None:
        return None
    characters = sum(label != OOV_LABEL for label in read_labels(text, model.line_breaks))
    probabilities = posterior(classifier.logits([text], np.array([characters])))[0]
    return dict(zip(model.artists, probabilities.tolist(), strict=True))


def check_attributed(text: object) -> str:
    """A text that can be attributed.

    Raises:
        ArgumentError: it is empty, too long, or has no character of the vocabulary.
    """
    text = check_text("text", text)
    check_text_length("text", text if text.strip() else "", 1, MAX_ATTRIBUTED_LENGTH)
    if not has_known_character("".join(text.split())):
        raise ArgumentError(f"text must have a character that the models know (such as a to z), got {short_repr(text)}")
    return text


def posterior(logits: np.ndarray) -> np.ndarray:
    """Softmax of each row of logits (texts, A)."""
    exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponents / exponents.sum(axis=1, keepdims=True)


def attribution_metrics(posteriors: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Quality of posteriors (texts, A), given the true artists (texts,).

    Returns:
        `accuracy`; `log_loss`, nats per text; `calibration_error`: the distance between the highest probability and the
        accuracy, in ten bins of equal width, weighted by the texts in each.
    """
    confidence, correct = posteriors.max(axis=1), posteriors.argmax(axis=1) == labels
    bins = np.minimum((confidence * 10).astype(int), 9)
    gaps = [abs((confidence - correct)[bins == number].sum()) for number in range(10)]
    probabilities = posteriors[np.arange(len(labels)), labels]
    metrics = {
        "accuracy": correct.mean(),
        "log_loss": -np.log(np.maximum(probabilities, 1e-12)).mean(),
        "calibration_error": sum(gaps) / len(labels),
    }
    return {name: round(float(value), 4) for name, value in metrics.items()}


def _nll_of_spans(text: str, spans: Sequence[tuple[int, int]], model: CharacterModel) -> tuple[np.ndarray, np.ndarray]:
    """Negative log-likelihood of each span in nats (S, A + 1), and its known characters (S,); the text is read once."""
    labels = np.array(read_labels(text, model.line_breaks), np.uint8)
    ((_, nll),) = nll_per_artist(model, [labels])  # (T, A + 1)
    known = labels != OOV_LABEL
    sums = np.stack([nll[start:stop].sum(axis=0, dtype=np.float64) for start, stop in spans])
    return sums, np.array([known[start:stop].sum() for start, stop in spans])


def _resolve_classifier(
    ngrams: NgramClassifier | str | Path | None, model: CharacterModel
) -> tuple[NgramClassifier | None, list[str]]:
    """The classifier to use, None for none, and a note where one was expected."""
    if ngrams is None:
        return None, []
    if isinstance(ngrams, NgramClassifier):
        classifier = ngrams
    elif ngrams != BUNDLED:
        classifier = load_ngrams(ngrams)
    elif (bundled := bundled_ngrams()) is not None:
        classifier = bundled
    else:
        return None, [_without_ngrams("There is no n-gram classifier here.")]
    if classifier.artists != model.artists:
        return None, [_without_ngrams("The n-gram classifier knows other artists than the model.")]
    return classifier, []


def _without_ngrams(reason: str) -> str:
    return f"{reason} The answer uses the language model alone and is less accurate."


@lru_cache
def bundled_ngrams() -> NgramClassifier | None:
    """The classifier that comes with the project, None where its folder is missing."""
    return load_ngrams(ASSETS / FOLDER) if (ASSETS / FOLDER).is_dir() else None


def nll_per_artist(
    model: CharacterModel, texts: Sequence[np.ndarray], artists: Sequence[int] | None = None
) -> Iterator[tuple[int, np.ndarray]]:
    """Negative log-likelihood of each character of texts, given each artist.

    The texts are read in batches of similar length, the longest first; on a CPU each thread reads them given its share of the
    artists.

    Args:
        model: a conditioned model.
        texts: labels (T,) of each, without label 100 at the start.
        artists: artist labels, `model.any_artist` for none in particular; None: the model's own artists, then that.

    Yields:
        a text's position in `texts`, and nats, float32 (T, A): 0 at characters outside the vocabulary.
    """
    stepper = FastStepper.for_model(model)
    artist_inputs = stepper.artist_table if artists is None else stepper.artist_table[list(artists)]  # (A, G)
    order = sorted(range(len(texts)), key=lambda number: -len(texts[number]))
    texts_per_batch = max(1, MAX_BATCH_ROWS // len(artist_inputs))
    parts = artist_inputs.chunk(min(MAX_THREADS, available_cores()) if artist_inputs.device.type == "cpu" else 1)
    with ThreadPoolExecutor(len(parts), initializer=torch.set_num_threads, initargs=(1,)) as threads:
        for start in range(0, len(order), texts_per_batch):
            batch = order[start : start + texts_per_batch]
            read = partial(_nll_of_batch, stepper, [texts[number] for number in batch])
            for number, of_text in zip(batch, zip(*threads.map(read, parts), strict=True), strict=True):
                yield number, np.concatenate(of_text, axis=1)


@torch.inference_mode()
def _nll_of_batch(stepper: FastStepper, texts: list[np.ndarray], artist_inputs: torch.Tensor) -> list[np.ndarray]:
    """`nll_per_artist` of one batch of texts, the longest first."""
    lengths, artists = [len(text) for text in texts], len(artist_inputs)
    labels = torch.full((len(texts), 1 + lengths[0]), START_LABEL, device=artist_inputs.device)
    for row, text in zip(labels, texts, strict=True):
        row[1 : 1 + len(text)] = torch.from_numpy(text.astype(np.int64))
    hidden, stretches = stepper.start(len(texts) * artists), []
    for start, stop in pairwise(sorted({0, *lengths, *range(0, lengths[0], STRETCH)})):
        active = sum(length > start for length in lengths)  # texts that have ended leave the batch
        hidden = map_state(lambda part, rows=active * artists: part[:, :rows].contiguous(), hidden)
        of_characters = stepper.table[labels[:active, start:stop].T]  # (characters, active, G)
        inputs = (of_characters[:, :, None] + artist_inputs).flatten(1, 2)  # (characters, B, G)
        logits = []
        for of_step in inputs:
            of_step, hidden = stepper.step(of_step, hidden)
            logits.append(of_step)
        next_labels = labels[:active, start + 1 : stop + 1].T  # (characters, active)
        targets = next_labels.clamp(max=OOV_LABEL - 1).repeat_interleave(artists)
        nats = torch.nn.functional.cross_entropy(torch.cat(logits), targets, reduction="none")
        nats = nats.view(stop - start, active, artists).masked_fill_((next_labels == OOV_LABEL)[..., None], 0.0)
        stretches.append(nats.cpu().numpy())
    return [np.concatenate([nats[:, row] for nats in stretches if row < nats.shape[1]]) for row in range(len(texts))]
