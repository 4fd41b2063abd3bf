"""RowState: one sequence being generated, with its pending prompt, its output, and the points it can backtrack to."""

from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import torch

from lyricgen.generation.recall import PROBABILITIES, Recall, SectionRecall
from lyricgen.generation.repetition import labels_to_history, repeat_penalties
from lyricgen.generation.request import GenerationRequest
from lyricgen.models.networks import Hidden
from lyricgen.models.vocabulary import (
    CHARACTERS,
    NUM_CLASSES,
    character_to_label,
    is_word_character,
    trailing_partial_word,
)

RESAMPLES_PER_WORD = 8  # then the word's first character is banned
MAX_BANNED = 10  # characters at a backtrack point; then the word before it is deleted too
MAX_BANNED_AT_START = 90  # characters at the earliest backtrack point; then the rejected word stays
MAX_BACKTRACK_POINTS = 64  # words that can be deleted
RANDOM_BLOCK = 256  # random numbers drawn at a time


@dataclass(eq=False)
class BacktrackPoint:
    """The start of a word: the states needed to continue from there, and what was rejected there so far."""

    length: int
    """Characters of output there."""
    hidden: Hidden
    """The model's state (one row) before it reads `read_next`."""
    read_next: int
    """The label of the last character there."""
    states: list[Any]
    """The state of each guard."""
    bits: float | None
    partial_word: str = ""
    """The part of the word that the prefix ends in."""
    recalls: tuple[Recall, ...] = ()
    """Sections that have returned."""
    resamples: int = 0
    banned: list[int] = field(default_factory=list)
    """Labels that began a rejected word here."""


class RowState:
    """One sequence being generated: its pending prompt, its output, and the points it can backtrack to.

    At each step the model reads `read_next`, and `append` takes the label that was chosen for the next character. A word
    that a guard rejects is deleted, then resampled; after some resamples its first character is
    banned, and at last the word before it is deleted too. All of that follows from the seed.

    Args:
        request: the prefix, the settings and the guards.
        labels: the prompt that is still to be read, at least one label.
        hidden: the model's state (one row) before it reads these.
        measured: whether the bits of the output are counted.
    """

    def __init__(self, request: GenerationRequest, labels: Sequence[int], hidden: Hidden, measured: bool = False):
        self.prefix, self.remaining, self.guards = request.prefix, request.remaining, request.guards
        self.is_sampled = request.is_sampled
        self.dry = request.settings.dry
        probability = PROBABILITIES[request.settings.chorus]
        self.recall = SectionRecall(probability) if probability else None
        self._read_prefix = labels_to_history(request.labels[1:]) if self.dry or self.recall else ""
        self.hidden = hidden  # while it is in no batch
        self.output = ""
        self.bits = 0.0 if measured else None
        self._points: deque[BacktrackPoint] = deque(maxlen=MAX_BACKTRACK_POINTS)
        self._random_numbers = _random_numbers(request.seed)
        self._pending = deque(labels)
        self.read_next = self._pending.popleft()
        self._add_first_point(lambda: hidden)

    @property
    def text(self) -> str:
        """The prefix as typed, and the output."""
        return self.prefix + self.output

    @property
    def _read_text(self) -> str:
        """The text as the model reads it; `BARRIER` for characters outside the vocabulary."""
        return self._read_prefix + self.output

    @property
    def reads_prompt(self) -> bool:
        """Whether characters of the prompt are left to be read after `read_next`."""
        return bool(self._pending)

    @property
    def finished(self) -> bool:
        """Whether the output is complete."""
        return len(self.output) >= self.remaining

    def banned_labels(self) -> Collection[int]:
        """Labels that must not be chosen next; the bans of this point, then those of the guards, yield if none is left."""
        if not self._points:
            return ()
        point = self._points[-1]
        partial_word = point.partial_word + self.output[point.length :]
        banned: set[int] = set()
        for guard, state in zip(self.guards, point.states, strict=True):
            banned.update(guard.banned_labels(state, partial_word))
        if len(banned) >= NUM_CLASSES:
            banned.clear()
        if point.length == len(self.output) and len(both := banned.union(point.banned)) < NUM_CLASSES:
            return both
        return banned

    def repeat_penalties(self) -> dict[int, float]:
        """The penalty of each label that would continue a repetition; only for a sequence with `dry` above 0."""
        if self._pending:
            return {}
        text = self._read_text
        return repeat_penalties(self.recall.hide_recalls(text) if self.recall else text, self.dry)

    @property
    def recalls_section(self) -> bool:
        """Whether an earlier section is returning, so that `recall_log_probs` applies."""
        return self.recall is not None and self.recall.active

    def recall_log_probs(self, log_probs: np.ndarray) -> np.ndarray:
        """The prediction (C,), natural logarithms, with the memory of the song so far mixed in."""
        return cast(SectionRecall, self.recall).predict(self._read_text, log_probs)

    def recall_label(self, label: int, banned: Collection[int]) -> int:
        """The label to append in place of a chosen one: that of an earlier section which returns, or the same."""
        if self.recall is None or self._pending:
            return label
        return self.recall.next_label(self._read_text, label, banned, self.uniform)

    def uniform(self) -> float:
        """The random number in [0, 1) that chooses the next character; while the prompt is read, none is used up."""
        return 0.0 if self._pending else next(self._random_numbers)

    def append(self, label: int, hidden: Callable[[], Hidden], bits: float = 0.0) -> Hidden | None:
        """Takes the next character: the prompt's own while it is pending, else `label`.

        Args:
            label: the label that was chosen.
            hidden: returns a copy of the state (one row) after `read_next` was read; called only for backtrack points.
            bits: the surprisal of the label.

        Returns:
            The state to backtrack to, before the new `read_next`; None: continue from the present one.
        """
        if self._pending:
            self.read_next = self._pending.popleft()
            self._add_first_point(hidden)
            return None
        self.read_next = label
        self.output += CHARACTERS[label]
        if self.recall:
            self.recall.extend(self._read_text)
        if self.bits is not None:
            self.bits += bits
        if not self.guards or (is_word_character(CHARACTERS[label]) and not self.finished):
            return None
        return self._end_word(hidden)

    def _add_first_point(self, hidden: Callable[[], Hidden]) -> None:
        """Adds the backtrack point at the prefix's end, once all of the prompt but its last character is read."""
        if not self.guards or self._pending:
            return
        partial_word = trailing_partial_word(self.prefix)
        whole_words = self.prefix.removesuffix(partial_word)
        states = [guard.after(guard.start, whole_words) for guard in self.guards]
        self._add_point(hidden(), states, partial_word)

    def _end_word(self, hidden: Callable[[], Hidden]) -> Hidden | None:
        """Adds a backtrack point after a complete word or, where a guard rejects it, backtracks."""
        point = self._points[-1]
        word = point.partial_word + self.output[point.length :]
        states = [guard.after(state, word) for guard, state in zip(self.guards, point.states, strict=True)]
        judged = zip(self.guards, point.states, states, strict=True)
        rejected = any(new is not old and guard.rejects(new) for guard, old, new in judged)
        if rejected and (target := self._backtrack_point()):
            self.output = self.output[: target.length]
            self.read_next, self.bits = target.read_next, target.bits
            if self.recall:
                self.recall.backtrack(target.recalls, len(self._read_text))
            return target.hidden
        self._add_point(hidden(), states)
        return None

    def _add_point(self, hidden: Hidden, states: list[Any], partial_word: str = "") -> None:
        """Adds a backtrack point at the present end of the output."""
        recalls = self.recall.recalls if self.recall else ()
        self._points.append(
            BacktrackPoint(len(self.output), hidden, self.read_next, states, self.bits, partial_word, recalls)
        )

    def _backtrack_point(self) -> BacktrackPoint | None:
        """The start of the last word, or of an earlier one where nothing else could be written; None: there is none."""
        point = self._points[-1]
        point.resamples += 1
        if self.is_sampled and point.resamples % RESAMPLES_PER_WORD:
            return point
        while len(point.banned) >= MAX_BANNED and len(self._points) > 1:
            self._points.pop()
            point = self._points[-1]
        if len(point.banned) >= MAX_BANNED_AT_START:
            return None
        point.banned.append(character_to_label(self.output[point.length]))
        return point


def _random_numbers(seed: int) -> Iterator[float]:
    """Random numbers in [0, 1), drawn in blocks of a fixed size, so that they depend on the seed alone."""
    generator = torch.Generator().manual_seed(seed)
    while True:
        yield from torch.rand(RANDOM_BLOCK, dtype=torch.float64, generator=generator).tolist()
