"""What a model thinks of a text, character by character, from label 100 on, which opens a song.

Read in float32, as the training task reads: the bits add up to its loss. Shapes: T characters of the text, H hidden
units, C = 100 classes.
"""

import csv
import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from lyricgen.errors import ArgumentError
from lyricgen.generation.decoding import next_probabilities
from lyricgen.generation.fast_stepper import LayerReader, fastest_dtype
from lyricgen.generation.settings import MAX_LYRIC_LENGTH, MAX_TEMPERATURE
from lyricgen.models.loading import resolve_model
from lyricgen.models.networks import CharacterModel
from lyricgen.models.text import check_artist, read_labels, unknown_characters
from lyricgen.models.vocabulary import CHARACTERS, NUM_CLASSES, OOV_LABEL, START_LABEL
from lyricgen.validation import check_integer, check_number, check_text, short_repr

TOP = 5  # likeliest characters that are kept of each place
TIED = {torch.bfloat16: 0.1, torch.float32: 1e-4}
"""How far below the likeliest logit one is tied with it, by the dtype that lyrics are written in: rounding moves logits by
so much at most, so that greedy decoding may write either. Of 78,722 characters of greedy lyrics in bfloat16, 56 were not
the first in float32, the farthest of them by 0.086."""
GREEDY_RUN = 20  # characters; in so many that are all the likeliest or tied with it, ties count as the likeliest
DIFFERENCES = 10  # characters on which a comparison says that two models differ most
BEFORE, BEHIND = 24, 12  # characters of context that stand beside one of these
BREAK = re.compile(r" *[\r\n][ \r\n]*| {2,}")  # between lines; the songs hold runs of spaces where sections broke


@dataclass(frozen=True)
class Line:
    """A line of a text: from one line break, or run of two or more spaces, to the next; these belong to it."""

    start: int
    """Where it begins in the text."""
    text: str
    """Without the break that ends it."""
    characters: int
    """Those scored, the break's among them."""
    bits: float
    """Their sum of bits."""

    @property
    def bits_per_character(self) -> float | None:
        """None where none of its characters is scored."""
        return self.bits / self.characters if self.characters else None


@dataclass(frozen=True)
class Place:
    """A character of a text among its neighbours."""

    position: int
    character: str
    before: str
    """What stands before it in the text."""
    behind: str

    @classmethod
    def of(cls, text: str, position: int, *more):
        """That of a text; `more`: what a child of this class holds."""
        before = text[max(0, position - BEFORE) : position]
        return cls(position, text[position], before, text[position + 1 : position + 1 + BEHIND], *more)


@dataclass(frozen=True)
class HighSurprisal(Place):
    """A character that a model did not expect."""

    bits: float
    rank: int
    likely: tuple["Alternative", ...]
    """What it did expect, the likeliest first."""


@dataclass(frozen=True)
class Score:
    """A text and what a model thinks of each of its characters."""

    text: str
    model: str
    artist: str | None
    labels: np.ndarray
    """int (T,): what was read; 100 for what is outside the vocabulary, which is not scored."""
    log_probs: np.ndarray
    """float64 (T,): log2 of each character's probability, in bits, never above 0; NaN where it is not scored."""
    ranks: np.ndarray
    """int (T,): 1 for the likeliest; 0 where it is not scored. In a passage that greedy decoding may have written, see
    `GREEDY_RUN`, what is tied with the likeliest has 1 too."""
    entropies: np.ndarray
    """float64 (T,): of the distribution that each character was drawn from, in bits, from 0 to log2(100) = 6.64."""
    top_labels: np.ndarray
    """int (T, 5): the likeliest characters, the likeliest first."""
    top_probabilities: np.ndarray
    """float64 (T, 5): their probabilities."""
    lines: tuple[Line, ...]
    notes: tuple[str, ...]
    """What an asker should know of how the text was read, a sentence each."""

    @property
    def probabilities(self) -> np.ndarray:
        """float64 (T,); NaN where a character is not scored."""
        return np.exp2(self.log_probs)

    @property
    def characters(self) -> int:
        """How many characters are scored."""
        return int(np.isfinite(self.log_probs).sum())

    @property
    def bits(self) -> float:
        """What the model needs to be told the whole text: minus the sum of the log-probabilities."""
        return float(-np.nansum(self.log_probs))

    @property
    def bits_per_character(self) -> float:
        """`bits` over the characters that are scored."""
        return self.bits / self.characters

    def surprising(self, count: int) -> list[HighSurprisal]:
        """The characters that need most bits, those that need most first."""
        order = np.argsort(np.nan_to_num(self.log_probs, nan=math.inf), kind="stable")[: min(count, self.characters)]
        return [
            HighSurprisal.of(self.text, at, float(-self.log_probs[at]), int(self.ranks[at]), self.likely(at))
            for at in order.tolist()
        ]

    def likely(self, position: int) -> tuple["Alternative", ...]:
        """The five likeliest characters at a place."""
        labels, probabilities = self.top_labels[position].tolist(), self.top_probabilities[position].tolist()
        return tuple(map(Alternative, (CHARACTERS[label] for label in labels), probabilities))

    def rows(self) -> list[dict]:
        """A row a character, as plain values; what is not scored has None for probability, log-probability and rank."""
        columns = (
            self.text, self.probabilities.tolist(), self.log_probs.tolist(), self.ranks.tolist(), self.entropies.tolist(),
            self.top_labels.tolist(), self.top_probabilities.tolist(),
        )  # fmt: skip
        return [
            {
                "character": character,
                "probability": probability if rank else None,
                "log_prob": log_prob if rank else None,
                "rank": rank or None,
                "entropy": entropy,
                "top": [
                    {"character": CHARACTERS[label], "probability": likely}
                    for label, likely in zip(labels, likeliest, strict=True)
                ],
            }
            for character, probability, log_prob, rank, entropy, labels, likeliest in zip(*columns, strict=True)
        ]

    def to_dict(self) -> dict:
        """Everything, as plain values; log-probabilities and entropies are in bits."""
        return {
            "model": self.model,
            "artist": self.artist,
            "bits_per_character": self.bits_per_character,
            "bits": self.bits,
            "characters_scored": self.characters,
            "lines": [
                {
                    "start": line.start,
                    "text": line.text,
                    "bits_per_character": line.bits_per_character,
                    "bits": line.bits,
                    "characters_scored": line.characters,
                }
                for line in self.lines
            ],
            "characters": self.rows(),
            "notes": list(self.notes),
        }

    def to_csv(self, header: bool = True) -> str:
        """A row a character, figures to six digits; without the header it goes on with another's."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        if header:
            likely = [name for place in range(1, TOP + 1) for name in (f"likely_{place}", f"probability_{place}")]
            writer.writerow(
                ["model", "position", "character", "probability", "log_prob_bits", "rank", "entropy_bits", *likely]
            )
        for position, row in enumerate(self.rows()):
            figures = [_six(row[name]) for name in ("probability", "log_prob", "rank", "entropy")]
            top = [cell for one in row["top"] for cell in (one["character"], _six(one["probability"]))]
            writer.writerow([self.model, position, row["character"], *figures, *top])
        return text.getvalue()


@dataclass(frozen=True)
class Difference(Place):
    """A character that one model expected more than another."""

    bits: tuple[float, float]
    """What the first and the second model need for it."""

    @property
    def difference(self) -> float:
        """Bits that the second needs more than the first; below 0: fewer."""
        return self.bits[1] - self.bits[0]


@dataclass(frozen=True)
class ScoreComparison:
    """Two models on the same text."""

    scores: tuple[Score, Score]
    differences: tuple[Difference, ...]
    """The characters on which they differ most, the greatest difference first."""

    def to_dict(self) -> dict:
        """Everything, as plain values."""
        names = [score.model for score in self.scores]
        return {
            "scores": [score.to_dict() for score in self.scores],
            "differences": [
                {
                    "position": one.position,
                    "character": one.character,
                    "before": one.before,
                    "behind": one.behind,
                    "bits": dict(zip(names, one.bits, strict=True)),
                }
                for one in self.differences
            ],
        }

    def to_csv(self) -> str:
        """The rows of both, the first model's first."""
        first, second = self.scores
        return first.to_csv() + second.to_csv(header=False)


@dataclass(frozen=True)
class Alternative:
    """A character that could stand somewhere."""

    character: str
    probability: float


def score(text: str, *, artist: str | None = None, model: str | Path | CharacterModel = "lstm") -> Score:
    """What a model thinks of each character of a text, as if a song began there.

    Args:
        text: 1 to 5,000 characters, read in lower case, and line breaks as spaces by a model that learnt from none.
            Those outside the vocabulary are read as label 100 and, as in the training task, not scored.
        artist: one of `load_model(model).artists`; None: any artist.
        model: 'lstm', 'vanilla-rnn', a model folder, a `.ckpt` file, or a loaded model.

    Raises:
        ArgumentError: the text is empty, too long, or has no character of the vocabulary; or there is no such artist.
        ModelError: there is no such model, or its files are damaged.
    """
    module = resolve_model(model)
    text, artist = check_scored(text), check_artist(artist, module)
    labels, layers = read_layers(text, artist, module)
    with torch.inference_mode():
        logits = module.ffnn(layers[-1][:-1]).double().cpu()  # (T, C)
        log_probs = logits.log_softmax(-1) / math.log(2)
        probabilities = log_probs.exp2()
        known = torch.tensor(labels) != OOV_LABEL
        read = torch.tensor(labels).clamp(max=NUM_CLASSES - 1)[:, None]  # (T, 1)
        chosen = logits.gather(1, read)
        ranks = torch.where(known, (logits > chosen).sum(1) + 1, 0).numpy()
        tied = known & (logits.max(1).values - chosen[:, 0] <= TIED[fastest_dtype(module)])
        top = log_probs.topk(TOP)
        bits = torch.where(known, log_probs.gather(1, read)[:, 0], math.nan).numpy()
        entropies = torch.special.entr(probabilities).sum(1) / math.log(2)
    return Score(
        text=text,
        model=model_name(model),
        artist=artist,
        labels=np.array(labels),
        log_probs=bits,
        ranks=_greedy_ranks(ranks, tied.numpy()),
        entropies=entropies.numpy(),
        top_labels=top.indices.numpy(),
        top_probabilities=top.values.exp2().numpy(),
        lines=_lines(text, bits),
        notes=_notes(text, module),
    )


def compare_scores(
    text: str,
    *,
    artist: str | None = None,
    models: Sequence[str | Path | CharacterModel] = ("lstm", "vanilla-rnn"),
) -> ScoreComparison:
    """Two models on the same text, and the characters on which they differ most; arguments and errors as of `score`."""
    if len(models) != 2:
        raise ArgumentError(f"models must be two models, got {len(models)}")
    return compare(*(score(text, artist=artist, model=model) for model in models))


def compare(first: Score, second: Score) -> ScoreComparison:
    """Two scores of the same text."""
    apart = np.nan_to_num(np.abs(first.log_probs - second.log_probs), nan=-1.0)
    places = [at for at in np.argsort(-apart, kind="stable")[:DIFFERENCES].tolist() if apart[at] > 0]
    bits = [(float(-first.log_probs[at]), float(-second.log_probs[at])) for at in places]
    return ScoreComparison((first, second), tuple(map(Difference.of, [first.text] * len(places), places, bits)))


def alternatives(
    text: str,
    position: int,
    *,
    artist: str | None = None,
    model: str | Path | CharacterModel = "lstm",
    temperature: float = 1.0,
    count: int = 10,
) -> list[Alternative]:
    """The characters that could stand at a place of a text, the likeliest first, by what stands before it.

    Args:
        text: up to 5,000 characters, read as `score` reads; only those before the position count.
        position: from 0, the beginning, to the text's length, which asks for what comes next.
        artist: as for `score`.
        model: as for `score`.
        temperature: what the logits are divided by, 0 (all on the likeliest) to 100.
        count: how many, 1 to 100.

    Raises:
        ArgumentError: an argument lies outside what is allowed.
        ModelError: there is no such model, or its files are damaged.
    """
    module = resolve_model(model)
    text, artist = check_length(text), check_artist(artist, module)
    position = check_integer("position", position, 0, len(text))
    temperature = check_number("temperature", temperature, 0, MAX_TEMPERATURE)
    count = check_integer("count", count, 1, NUM_CLASSES)
    _, layers = read_layers(text[:position], artist, module)
    with torch.inference_mode():
        top = next_probabilities(module.ffnn(layers[-1][-1:]).cpu(), temperature)[0].topk(count)
    return [
        Alternative(CHARACTERS[label], probability)
        for label, probability in zip(top.indices.tolist(), top.values.tolist(), strict=True)
    ]


def read_layers(text: str, artist: str | None, model: CharacterModel) -> tuple[list[int], list[torch.Tensor]]:
    """The labels of a text (T,), and what each layer puts out, float32 (T + 1, H): after label 100, then each character."""
    labels = read_labels(text, model.line_breaks)
    device = next(model.parameters()).device
    artists = None if artist is None else torch.tensor([model.artists.index(artist)], device=device)
    with torch.inference_mode():
        embedded = model.embed(torch.tensor([[START_LABEL, *labels]], device=device), artists)
        outputs, _ = LayerReader.of(model).read(embedded)
    return labels, [output[0] for output in outputs]


def check_length(text: str) -> str:
    """A text that is not too long to be read.

    Raises:
        ArgumentError: it is.
    """
    text = check_text("text", text)
    if len(text) > MAX_LYRIC_LENGTH:
        raise ArgumentError(f"text must have 1 to {MAX_LYRIC_LENGTH:,} characters, got {len(text):,}")
    return text


def check_scored(text: str) -> str:
    """A text that can be scored.

    Raises:
        ArgumentError: it is empty, too long, or has no character of the vocabulary.
    """
    text = check_length(text)
    if not text:
        raise ArgumentError(f"text must have 1 to {MAX_LYRIC_LENGTH:,} characters, got an empty text")
    if all(label == OOV_LABEL for label in read_labels(text)):
        raise ArgumentError(
            f"text must have a character of the models' {NUM_CLASSES} (string.printable), or there is nothing to score; got {short_repr(text)}"
        )
    return text


def model_name(model: str | Path | CharacterModel) -> str:
    """What a model is called in an answer: as it was asked for, or its class."""
    return type(model).__name__ if isinstance(model, CharacterModel) else str(model).strip()


def line_places(text: str) -> list[tuple[int, int, int, int]]:
    """Of each line of a text: where it begins, what of it is shown (from, to), and where it ends, behind its break.

    A break that the text begins with belongs to the first line.

    >>> line_places("one  two")
    [(0, 0, 3, 5), (5, 5, 8, 8)]
    """
    opening = BREAK.match(text)
    start, shown_start = 0, opening.end() if opening else 0
    places = []
    for found in BREAK.finditer(text, shown_start):
        places.append((start, shown_start, found.start(), found.end()))
        start = shown_start = found.end()
    if start < len(text) or not places:
        places.append((start, shown_start, len(text), len(text)))
    return places


def _lines(text: str, log_probs: np.ndarray) -> tuple[Line, ...]:
    lines = []
    for start, shown_start, shown_end, end in line_places(text):
        scored = log_probs[start:end][np.isfinite(log_probs[start:end])]
        lines.append(Line(start, text[shown_start:shown_end], len(scored), float(0.0 - scored.sum())))
    return tuple(lines)


def _greedy_ranks(ranks: np.ndarray, tied: np.ndarray) -> np.ndarray:
    """Ranks (T,) with 1 for all of each long run of characters that are the likeliest or tied with it, bool (T,)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], tied, [False]])))
    for start, end in edges.reshape(-1, 2).tolist():
        if end - start >= GREEDY_RUN:
            ranks[start:end] = 1
    return ranks


def _notes(text: str, model: CharacterModel) -> tuple[str, ...]:
    notes = []
    if unknown := unknown_characters(text):
        notes.append(f"{unknown} They are not scored.")
    if not model.line_breaks and any(character in "\r\n" for character in text):
        notes.append("Line breaks are read as spaces: the model learnt from songs without any.")
    return tuple(notes)


def _six(value: float | int | None) -> str:
    """A figure of a table to six digits; nothing for None."""
    return "" if value is None else f"{value:.6g}"
