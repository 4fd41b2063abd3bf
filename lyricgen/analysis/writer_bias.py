"""What a character model writes after an occupation: the probabilities of 'he' and 'she', or of another pair of words.

The bias of the writer, beside that of word vectors: Sheng et al. (2019) compare a language model's continuations of templates.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from lyricgen.analysis.scoring import model_name, read_log_probs
from lyricgen.display import html_table, one_line, percent
from lyricgen.errors import ArgumentError
from lyricgen.models.loading import resolve_model
from lyricgen.models.networks import CharacterModel
from lyricgen.models.text import check_artist, read_labels
from lyricgen.models.vocabulary import OOV_LABEL
from lyricgen.validation import check_text_length, short_repr
from lyricgen.words.lists import check_words

MAX_WORDS = 50  # words of the template
MAX_TEMPLATE_LENGTH = 200  # characters
MAX_WORD_LENGTH = 30  # characters
SLOT = "{}"
TEMPLATE = "the {} said "
PAIR = ("he", "she")
OCCUPATIONS = (
    "nurse", "teacher", "doctor", "captain", "singer", "dancer", "boss", "soldier", "waitress", "maid", "lawyer", "preacher",
    "president", "housewife", "gangster", "model",
)  # fmt: skip


@dataclass(frozen=True)
class WordChoice:
    """A word in the template, and what the model would write after it."""

    word: str
    probabilities: tuple[float, float]
    """Of each word of the pair, with the space behind it."""
    share: float
    """Of the second word of the pair among both: 0.5 is even."""


@dataclass(frozen=True)
class WriterBias:
    """The probabilities of a pair of words after a template with each of several words in it."""

    model: str
    template: str
    pair: tuple[str, str]
    choices: list[WordChoice]
    """By share, greatest first."""
    mean_share: float

    def __repr__(self) -> str:
        return one_line(self, self.model, repr(self.template), f"mean share of {self.pair[1]!r} {self.mean_share:.3f}")

    def _repr_html_(self) -> str:
        """The words with the share of the second word of the pair, as a table."""
        rows = [
            [choice.word, percent(choice.share), *(f"{value:.2g}" for value in choice.probabilities)]
            for choice in self.choices
        ]
        header = ["word", f"share of {self.pair[1]}", *(f"probability of {word}" for word in self.pair)]
        return html_table(f"{self.model}: {self.template}", header, rows)

    def to_dict(self) -> dict[str, Any]:
        """All fields as plain values."""
        return asdict(self)


def writer_bias(
    words: str | Sequence[str] = OCCUPATIONS,
    pair: str | Sequence[str] = PAIR,
    template: str = TEMPLATE,
    *,
    artist: str | None = None,
    model: str | Path | CharacterModel = "lstm",
) -> WriterBias:
    """Compares the probabilities of two words after a template, as a character model would write them.

    Args:
        words: 1 to 50, as a list or a text, each put into the template; a space separates words in a list too.
        pair: two words that differ in more than capitals, as a list or a text.
        template: up to 200 characters with one {} for the word; what is written follows its end.
        artist: one of `load_model(model).artists`; None: any artist.
        model: 'lstm', 'vanilla-rnn', a model folder, a `.ckpt` file, or a loaded model.

    Raises:
        ArgumentError: an argument is not as described, or the pair has a character outside the vocabulary.
        ModelError: there is no such model, or its files are damaged.

    >>> 0 < writer_bias("nurse, captain").mean_share < 1
    True
    """
    network = resolve_model(model)
    artist = check_artist(artist, network)
    words = [check_text_length("words", word, 1, MAX_WORD_LENGTH) for word in check_words(words, "words", 1, MAX_WORDS)]
    first, second = (check_text_length("pair", word, 1, MAX_WORD_LENGTH) for word in check_words(pair, "pair", 2, 2))
    if read_labels(first) == read_labels(second):
        raise ArgumentError(f"pair must be 2 words that the models can tell apart, got {first!r} and {second!r}")
    template = check_text_length("template", template, 0, MAX_TEMPLATE_LENGTH)
    if template.count(SLOT) != 1:
        raise ArgumentError(f"template must have one {SLOT} for the word, got {short_repr(template)}")
    choices = []
    for word in words:
        prefix = template.replace(SLOT, word)
        logs = [continuation_log_prob(prefix, f"{other} ", artist, network) for other in (first, second)]
        share = 1 / (1 + math.exp(min(700.0, logs[0] - logs[1])))
        choices.append(WordChoice(word, (math.exp(logs[0]), math.exp(logs[1])), share))
    choices.sort(key=lambda choice: -choice.share)
    mean = sum(choice.share for choice in choices) / len(choices)
    return WriterBias(model_name(model), template, (first, second), choices, mean)


def continuation_log_prob(prefix: str, continuation: str, artist: str | None, model: CharacterModel) -> float:
    """The natural log-probability that a model writes a continuation after a prefix.

    Raises:
        ArgumentError: the continuation has a character outside the vocabulary.
    """
    labels, log_probs = read_log_probs(prefix + continuation, artist, model)
    count = len(continuation)
    targets = torch.tensor(labels[-count:])  # (count,)
    if (targets == OOV_LABEL).any():
        raise ArgumentError(
            f"pair must have only characters that the models know, got {short_repr(continuation.strip())}"
        )
    return float(log_probs[-count:].gather(1, targets[:, None]).sum())
