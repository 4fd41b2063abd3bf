"""Per-character log-probabilities, ranks and entropies of a text under a model.

The model reads in float32 from label 100, which opens a song, as the training task does: the bits add up to its loss.
With memory, the predictions are interpolated with the votes of the text so far (`lyricgen.models.memory`).

Shapes: T characters of the text, H hidden units, C = 100 classes.
"""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch

from lyricgen.display import SURPRISAL_COLOURS, colours, html_table, one_line, paragraph, percent, quoted, shaded_text
from lyricgen.errors import ArgumentError
from lyricgen.generation.decoding import next_probabilities
from lyricgen.generation.fast_stepper import LayerReader
from lyricgen.generation.settings import MAX_TEMPERATURE
from lyricgen.models.loading import resolve_model
from lyricgen.models.memory import MemoryConstants, Repeat, find_repeats, predict_song
from lyricgen.models.networks import CharacterModel
from lyricgen.models.text import check_artist, has_known_character, line_spans, read_labels, unknown_characters
from lyricgen.models.vocabulary import CHARACTERS, NUM_CLASSES, OOV_LABEL, START_LABEL
from lyricgen.validation import check_integer, check_number, check_switch, check_text_length, short_repr

MAX_SCORED_LENGTH = 5_000  # characters of a text
TOP_COUNT = 5  # most likely characters recorded per position
TIE_TOLERANCE = 0.1
"""Largest distance to the highest logit, in nats, at which a character counts as tied with the first. Greedy decoding may
choose either, since it may run in int8: of 66,360 characters of greedy lyrics in int8, 195 were not the first in float32, and
the most distant of them was 0.080 below."""
SHADE_LIMITS = (0.5, 0.2, 0.05, 0.01, 0.001)  # probabilities below which a character has the next colour
MAX_DIFFERENCES = 10  # characters listed by a comparison
CONTEXT_BEFORE, CONTEXT_AFTER = 24, 12  # characters shown before and after a listed one


@dataclass(frozen=True)
class Line:
    """A line of a text, and the break after it."""

    start: int
    """Position of its first character; 0 for the first line."""
    text: str
    """The line, as delimited by `line_spans`."""
    characters: int
    """Scored characters, those of the break included."""
    bits: float
    """Surprisal of the line, in bits."""

    @property
    def bits_per_character(self) -> float | None:
        """Mean surprisal; None where no character of the line is scored."""
        return self.bits / self.characters if self.characters else None


@dataclass(frozen=True)
class Candidate:
    """A possible character and its probability."""

    character: str
    probability: float


@dataclass(frozen=True)
class TextPosition:
    """A character of a text, with its context."""

    position: int
    character: str
    before: str
    """The characters before it."""
    after: str

    @property
    def in_context(self) -> str:
        """The character in brackets, between those around it, on one line."""
        return f"…{self.before}[{self.character}]{self.after}…".replace("\n", " ").replace("\r", " ")


@dataclass(frozen=True)
class HighSurprisal(TextPosition):
    """A character of high surprisal."""

    bits: float
    rank: int
    candidates: tuple[Candidate, ...]
    """The most likely characters at its position, in descending order."""


@dataclass(frozen=True, eq=False)
class Score:
    """The score of a text under a model; scores compare by identity."""

    text: str
    model: str
    artist: str | None
    labels: np.ndarray
    """int (T,): the labels that were read; 100 for a character outside the vocabulary, which is not scored."""
    log_probs: np.ndarray
    """float64 (T,): log2 of each character's probability, in bits; NaN where it is not scored."""
    ranks: np.ndarray
    """int (T,): rank of each character among the 100, 1 for the most likely; 0 where it is not scored."""
    tied: np.ndarray
    """bool (T,): the character is not the most likely one, but within `TIE_TOLERANCE` of it."""
    entropies: np.ndarray
    """float64 (T,): entropy of the model's prediction before each character, in bits, from 0 to log2(100) = 6.64."""
    top_labels: np.ndarray
    """int (T, 5): the most likely characters, in order."""
    top_probabilities: np.ndarray
    """float64 (T, 5): their probabilities."""
    lines: tuple[Line, ...]
    notes: tuple[str, ...]
    """Notes on the reading of the text, one sentence each."""
    repeats: tuple[Repeat, ...] | None = None
    """With memory: the runs of 12 characters or more that occur earlier in the text. None: scored without memory."""
    network_log_probs: np.ndarray | None = None
    """float64 (T,): with memory, the `log_probs` of the network alone."""

    def __repr__(self) -> str:
        by = [f"by {self.artist}"] if self.artist else []
        return one_line(self, quoted(self.text), self.model, *by, f"{self.bits_per_character:.3f} bits per character")

    def _repr_html_(self) -> str:
        """The text, each character with the colour of its probability, as on the page."""
        pieces = [
            (
                row["character"],
                "text-decoration:underline dotted" if shade is None else colours(SURPRISAL_COLOURS[shade]),
                _tooltip(row),
            )
            for row, shade in zip(self.rows(), self.shades, strict=True)
        ]
        names = ["50 % or more", *(f"{100 * limit:g} %" for limit in SHADE_LIMITS[1:]), "less"]
        legend = [(f" {name} ", colours(pair), "") for name, pair in zip(names, SURPRISAL_COLOURS, strict=True)]
        title = f"{self.model}: {self.bits_per_character:.3f} bits per character"
        return paragraph(title) + shaded_text([("Probability:", "", ""), *legend]) + shaded_text(pieces)

    @property
    def shades(self) -> list[int | None]:
        """Colour of each character, from 0 for a probability of 50 % or more to 5; None where it is not scored."""
        steps = (self.probabilities[:, None] < np.array(SHADE_LIMITS)).sum(axis=1)
        return [step if rank else None for step, rank in zip(steps.tolist(), self.ranks.tolist(), strict=True)]

    @property
    def probabilities(self) -> np.ndarray:
        """float64 (T,); NaN where a character is not scored."""
        return np.exp2(self.log_probs)

    @property
    def characters(self) -> int:
        """Number of scored characters."""
        return int(np.isfinite(self.log_probs).sum())

    @property
    def bits(self) -> float:
        """Surprisal of the whole text: minus the sum of the log-probabilities."""
        return float(-np.nansum(self.log_probs))

    @property
    def bits_per_character(self) -> float:
        """Mean surprisal of the scored characters."""
        return self.bits / self.characters

    @property
    def network_bits_per_character(self) -> float | None:
        """With memory: the mean surprisal under the network alone."""
        return None if self.network_log_probs is None else float(-np.nanmean(self.network_log_probs))

    @property
    def earlier_positions(self) -> list[int | None]:
        """Of each character inside a repeat, the position of the same character the time before; None of all others."""
        positions: list[int | None] = [None] * len(self.text)
        for repeat in self.repeats or ():
            positions[repeat.start : repeat.start + repeat.length] = range(
                repeat.earlier, repeat.earlier + repeat.length
            )
        return positions

    def most_surprising(self, count: int) -> list[HighSurprisal]:
        """The characters of the highest surprisal, in descending order."""
        order = np.argsort(np.nan_to_num(self.log_probs, nan=math.inf), kind="stable")[: min(count, self.characters)]
        return [
            HighSurprisal(
                *_context(self.text, position),
                bits=float(-self.log_probs[position]),
                rank=int(self.ranks[position]),
                candidates=self.candidates(position),
            )
            for position in order.tolist()
        ]

    def candidates(self, position: int) -> tuple[Candidate, ...]:
        """The five most likely characters at a position."""
        labels, probabilities = self.top_labels[position].tolist(), self.top_probabilities[position].tolist()
        return tuple(map(Candidate, (CHARACTERS[label] for label in labels), probabilities))

    def rows(self) -> list[dict]:
        """One row per character, as plain values; probability, log-probability and rank are None where it is not scored.

        With memory, `earlier` is its entry of `earlier_positions`.
        """
        columns = (
            self.text, self.probabilities.tolist(), self.log_probs.tolist(), self.ranks.tolist(), self.tied.tolist(),
            self.entropies.tolist(), self.top_labels.tolist(), self.top_probabilities.tolist(),
        )  # fmt: skip
        rows = [
            {
                "character": character,
                "probability": probability if rank else None,
                "log_prob": log_prob if rank else None,
                "rank": rank or None,
                "tied": tied,
                "entropy": entropy,
                "top": [
                    {"character": CHARACTERS[label], "probability": top_probability}
                    for label, top_probability in zip(top_labels, top_probabilities, strict=True)
                ],
            }
            for character, probability, log_prob, rank, tied, entropy, top_labels, top_probabilities in zip(
                *columns, strict=True
            )
        ]
        if self.repeats is not None:
            for row, earlier in zip(rows, self.earlier_positions, strict=True):
                row["earlier"] = earlier
        return rows

    def to_dict(self) -> dict:
        """The answer of `/score`, as plain values; log-probabilities and entropies are in bits."""
        memory = {
            "bits_per_character_without_memory": self.network_bits_per_character,
            "repeats": [asdict(repeat) for repeat in self.repeats or ()],
        }
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
            **({} if self.repeats is None else memory),
        }

    def to_csv(self, header: bool = True) -> str:
        """One row per character, numbers with six significant digits; without a header to append it to another table."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        if header:
            top = [name for rank in range(1, TOP_COUNT + 1) for name in (f"likely_{rank}", f"probability_{rank}")]
            columns = ["model", "position", "character", "probability", "log_prob_bits", "rank", "entropy_bits"]
            writer.writerow([*columns, *top, "tied", *([] if self.repeats is None else ["earlier"])])
        for position, row in enumerate(self.rows()):
            numbers = [_six_digits(row[name]) for name in ("probability", "log_prob", "rank", "entropy")]
            top = [cell for pair in row["top"] for cell in (pair["character"], _six_digits(pair["probability"]))]
            earlier = [] if self.repeats is None else [row["earlier"]]
            writer.writerow([self.model, position, row["character"], *numbers, *top, int(row["tied"]), *earlier])
        return text.getvalue()


@dataclass(frozen=True)
class Difference(TextPosition):
    """A character with different surprisals under two models."""

    bits: tuple[float, float]
    """Its surprisal under the first and the second model."""

    @property
    def difference(self) -> float:
        """The second model's bits minus the first's."""
        return self.bits[1] - self.bits[0]


@dataclass(frozen=True)
class ScoreComparison:
    """Two models on the same text."""

    scores: tuple[Score, Score]
    differences: tuple[Difference, ...]
    """The characters on which they differ most, in descending order."""

    def __repr__(self) -> str:
        bits = [f"{score.model} {score.bits_per_character:.3f}" for score in self.scores]
        return one_line(self, quoted(self.scores[0].text), f"bits per character: {', '.join(bits)}")

    def _repr_html_(self) -> str:
        """Both texts, and the differences as a table."""
        rows = [[each.in_context, *(f"{bits:.2f}" for bits in each.bits)] for each in self.differences]
        table = html_table("Largest differences, in bits", ["character", *(score.model for score in self.scores)], rows)
        return "".join(score._repr_html_() for score in self.scores) + table

    def to_dict(self) -> dict:
        """Both scores and the differences, as plain values."""
        names = [score.model for score in self.scores]
        return {
            "scores": [score.to_dict() for score in self.scores],
            "differences": [
                {
                    "position": difference.position,
                    "character": difference.character,
                    "before": difference.before,
                    "behind": difference.after,
                    "bits": dict(zip(names, difference.bits, strict=True)),
                }
                for difference in self.differences
            ],
        }

    def to_csv(self) -> str:
        """The rows of both scores, the first model's first."""
        first, second = self.scores
        return first.to_csv() + second.to_csv(header=False)


def score(
    text: str, *, artist: str | None = None, model: str | Path | CharacterModel = "lstm", memory: bool = False
) -> Score:
    """Scores each character of a text under a model, as if a song began there.

    Args:
        text: 1 to 5,000 characters, read in lower case; a model trained without line breaks reads them as spaces.
            Characters outside the vocabulary are read as label 100 and, as in the training task, not scored.
        artist: one of `load_model(model).artists`; None: any artist.
        model: 'lstm', 'vanilla-rnn', a model folder, a `.ckpt` file, or a loaded model.
        memory: whether the text so far votes on each character too: what followed its earlier repetitions. All figures are
            those of the interpolated predictions then, and `repeats` has the runs that occur earlier.

    Raises:
        ArgumentError: the text is empty, too long, or has no character of the vocabulary; or there is no such artist; or
            memory is asked of a model without constants for it.
        ModelError: there is no such model, or its files are damaged.
    """
    network = resolve_model(model)
    text, artist = check_scored(text), check_artist(artist, network)
    constants = check_memory(memory, network)
    labels, layers = read_layers(text, artist, network)
    known = torch.tensor(labels) != OOV_LABEL  # (T,)
    targets = torch.tensor(labels).clamp(max=NUM_CLASSES - 1)[:, None]  # (T, 1)
    network_log_probs = None
    with torch.inference_mode():
        logits = network.ffnn(layers[-1][:-1]).double().cpu()  # (T, C)
        log_probs = logits.log_softmax(-1)
        if constants:
            network_log_probs = torch.where(known, log_probs.gather(1, targets)[:, 0], math.nan).numpy() / math.log(2)
            logits = log_probs = torch.from_numpy(predict_song(labels, log_probs.numpy(), constants))
        log_probs = log_probs / math.log(2)
        target_logits = logits.gather(1, targets)
        ranks = torch.where(known, (logits > target_logits).sum(1) + 1, 0)
        tied = (ranks > 1) & (logits.max(1).values - target_logits[:, 0] <= TIE_TOLERANCE)
        top = log_probs.topk(TOP_COUNT)
        target_log_probs = torch.where(known, log_probs.gather(1, targets)[:, 0], math.nan).numpy()
        entropies = torch.special.entr(log_probs.exp2()).sum(1) / math.log(2)
    return Score(
        text=text,
        model=model_name(model),
        artist=artist,
        labels=np.array(labels),
        log_probs=target_log_probs,
        ranks=ranks.numpy(),
        tied=tied.numpy(),
        entropies=entropies.numpy(),
        top_labels=top.indices.numpy(),
        top_probabilities=top.values.exp2().numpy(),
        lines=_lines(text, target_log_probs),
        notes=_notes(text, network),
        repeats=find_repeats(symbols(text, labels)) if constants else None,
        network_log_probs=network_log_probs,
    )


def compare_scores(
    text: str,
    *,
    artist: str | None = None,
    models: Sequence[str | Path | CharacterModel] = ("lstm", "vanilla-rnn"),
    memory: bool = False,
) -> ScoreComparison:
    """Scores a text under two models and lists the characters on which they differ most; see `score`."""
    if len(models) != 2:
        raise ArgumentError(f"models must be two models, got {len(models)}")
    return compare(*(score(text, artist=artist, model=model, memory=memory) for model in models))


def compare(first: Score, second: Score) -> ScoreComparison:
    """Compares two scores of the same text; of two models with one name the second is called 'name (2)'."""
    if first.model == second.model:
        second = replace(second, model=f"{second.model} (2)")
    distances = np.nan_to_num(np.abs(first.log_probs - second.log_probs), nan=-1.0)
    order = np.argsort(-distances, kind="stable")[:MAX_DIFFERENCES].tolist()
    differences = [
        Difference(
            *_context(first.text, position),
            bits=(float(-first.log_probs[position]), float(-second.log_probs[position])),
        )
        for position in order
        if distances[position] > 0
    ]
    return ScoreComparison((first, second), tuple(differences))


def alternatives(
    text: str,
    position: int,
    *,
    artist: str | None = None,
    model: str | Path | CharacterModel = "lstm",
    temperature: float = 1.0,
    count: int = 10,
) -> list[Candidate]:
    """The most likely characters at a position of a text, given the characters before it.

    Args:
        text: up to 5,000 characters, read as `score` reads; only those before the position count.
        position: from 0, the beginning, to the text's length, for the character after its end.
        artist: as for `score`.
        model: as for `score`.
        temperature: divisor of the logits, 0 (the most likely has probability 1) to 100.
        count: number of characters, 1 to 100.

    Raises:
        ArgumentError: an argument is out of range.
        ModelError: there is no such model, or its files are damaged.
    """
    network = resolve_model(model)
    text, artist = check_text_length("text", text, 0, MAX_SCORED_LENGTH), check_artist(artist, network)
    position = check_integer("position", position, 0, len(text))
    temperature = check_number("temperature", temperature, 0, MAX_TEMPERATURE)
    count = check_integer("count", count, 1, NUM_CLASSES)
    _, layers = read_layers(text[:position], artist, network)
    with torch.inference_mode():
        top = next_probabilities(network.ffnn(layers[-1][-1:]).cpu(), temperature)[0].topk(count)
    return [
        Candidate(CHARACTERS[label], probability)
        for label, probability in zip(top.indices.tolist(), top.values.tolist(), strict=True)
    ]


def read_layers(
    text: str, artist: str | torch.Tensor | None, model: CharacterModel
) -> tuple[list[int], list[torch.Tensor]]:
    """Runs a model over a text, as a song by an artist, by a mix of artists as in `artist_vectors` (A + 1,), or by any.

    Returns:
        labels of the text (T,), and the output of each layer, float32 (T + 1, H): after label 100, then each character.
    """
    labels = read_labels(text, model.line_breaks)
    with torch.inference_mode():
        outputs, _ = LayerReader.of(model).read(embed_song(labels, artist, model))
    return labels, [output[0] for output in outputs]


def read_log_probs(text: str, artist: str | None, model: CharacterModel) -> tuple[list[int], torch.Tensor]:
    """Labels of a text (T,), and the natural log-probability of every character before each of them: float64 (T, C)."""
    labels, layers = read_layers(text, artist, model)
    with torch.inference_mode():
        return labels, model.ffnn(layers[-1][:-1]).double().log_softmax(-1).cpu()


def embed_song(labels: list[int], artist: str | torch.Tensor | None, model: CharacterModel) -> torch.Tensor:
    """The first layer's input for label 100, then the labels of a text: (1, T + 1, H); the artist as for `read_layers`."""
    device = next(model.parameters()).device
    style = torch.tensor(model.artists.index(artist)) if isinstance(artist, str) else artist
    artists = None if style is None else style[None].to(device)
    return model.embed(torch.tensor([[START_LABEL, *labels]], device=device), artists)


def check_scored(text: object) -> str:
    """A text that can be scored.

    Raises:
        ArgumentError: it is empty, too long, or has no character of the vocabulary.
    """
    text = check_text_length("text", text, 1, MAX_SCORED_LENGTH)
    if not has_known_character(text):
        raise ArgumentError(
            f"text must have a character of the models' {NUM_CLASSES} (string.printable), or there is nothing to score; "
            f"got {short_repr(text)}"
        )
    return text


def check_memory(memory: bool, model: CharacterModel) -> MemoryConstants | None:
    """The constants of a model's memory; None if `memory` is False.

    Raises:
        ArgumentError: the model has none, or `memory` is no switch.
    """
    if not check_switch("memory", memory):
        return None
    if model.memory is None:
        raise ArgumentError(
            "memory must be off for this model, which has no memory.json; fit it with: train.py --models memory"
        )
    return model.memory


def model_name(model: str | Path | CharacterModel) -> str:
    """The name of a model in an answer: the name or folder that was given, or the class of a loaded model."""
    return type(model).__name__ if isinstance(model, CharacterModel) else str(model).strip()


def line_starts(text: str) -> list[int]:
    """Position at which each line of a text starts; the break after a line belongs to it, and the first starts at 0.

    >>> line_starts("one  two")
    [0, 5]
    """
    return [0, *(start for start, _ in line_spans(text)[1:])]


def _lines(text: str, log_probs: np.ndarray) -> tuple[Line, ...]:
    lines, starts = [], line_starts(text)
    spans = line_spans(text) or [(0, 0)]  # a text of nothing but whitespace is one empty line
    for start, end, span in zip(starts, [*starts[1:], len(text)], spans, strict=True):
        scored = log_probs[start:end][np.isfinite(log_probs[start:end])]
        lines.append(Line(start, text[slice(*span)], len(scored), float(0.0 - scored.sum())))
    return tuple(lines)


def symbols(text: str, labels: list[int]) -> list[int]:
    """One number per character as it was read; those outside the vocabulary differ from one another."""
    return [
        label if label != OOV_LABEL else OOV_LABEL + ord(character)
        for character, label in zip(text, labels, strict=True)
    ]


def _context(text: str, position: int) -> tuple[int, str, str, str]:
    """The fields of a `TextPosition`."""
    before = text[max(0, position - CONTEXT_BEFORE) : position]
    return position, text[position], before, text[position + 1 : position + 1 + CONTEXT_AFTER]


def _notes(text: str, model: CharacterModel) -> tuple[str, ...]:
    notes = []
    if unknown := unknown_characters(text):
        notes.append(f"{unknown} They are not scored.")
    if not model.line_breaks and any(character in "\r\n" for character in text):
        notes.append("Line breaks are read as spaces: the model was trained on songs without any.")
    return tuple(notes)


def _tooltip(row: dict) -> str:
    """Probability, rank and candidates of a character, from its entry of `Score.rows`."""
    if row["rank"] is None:
        return "not scored"
    candidates = ", ".join(repr(each["character"]) for each in row["top"])
    return f"{percent(row['probability'])}, rank {row['rank']}; most likely: {candidates}"


def _six_digits(value: float | int | None) -> str:
    """A number with six significant digits; '' for None."""
    return "" if value is None else f"{value:.6g}"
