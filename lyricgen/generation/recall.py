"""Section recall: after a section break an earlier section of a lyric can return, as a chorus does.

The first characters of the earlier section are placed, and the memory of the song so far (`models.memory`) is mixed into the
model's predictions until the next section break. Which sections return, and where, follows from the request's seed.
"""

import re
from collections.abc import Callable, Collection
from typing import NamedTuple

import numpy as np

from lyricgen.generation.repetition import BARRIER
from lyricgen.models.memory import MemoryConstants, SongMemory
from lyricgen.models.vocabulary import CHARACTERS, OOV_LABEL, character_to_label, string_to_labels

PROBABILITIES = {"never": 0.0, "sometimes": 0.36, "often": 0.6}
"""Probability that a section returns at a section break, by value of the setting `chorus`."""
MIN_SECTION = 80  # characters of a section that can return
OPENING = 14  # characters of a section that are placed when it returns
MAX_RECALL = 320  # characters after which the memory is off, even without a section break
MARGIN = 14  # characters by which a return can exceed the earlier section
RETURNED_WEIGHT = 3  # weight of a section that has returned before; others have 1
MEMORY = MemoryConstants(exponent=4.0, slope=0.65, bias=2.5, agreement=3.5)
"""Of every model, so that sections return with older model folders too. A returning section should not break off, so the
memory has more weight than in scoring."""
_LOOP = re.compile(r"(.{2,30})\1{3}")  # a section with the same characters four times in a row does not return
_BREAK = re.compile(r"^\s+|\s{2,}")


class Recall(NamedTuple):
    """An earlier section that returned. Positions count the characters of the text, prefix included."""

    source: int
    """Position of the earlier section."""
    start: int
    """Position of its return."""
    limit: int
    """Position from which on the memory is off, even without a section break."""
    placed: int = OPENING
    """Characters placed at most; fewer where a guard rejected one of them."""
    stop: int | None = None
    """Position from which on the memory was off again; None: it is on."""


class SectionRecall:
    """The recalls of one text in progress.

    Args:
        probability: of a recall at a section break, above 0 up to 1.
    """

    def __init__(self, probability: float):
        self.probability = probability
        self.recalls: tuple[Recall, ...] = ()
        self._memory: SongMemory | None = None
        self._rejected_at = -1  # position of the last rejected word

    @property
    def active(self) -> bool:
        """Whether a section is returning, so that the memory is on."""
        return bool(self.recalls) and self.recalls[-1].stop is None

    def predict(self, text: str, log_probs: np.ndarray) -> np.ndarray:
        """The prediction of the next character while a section returns: natural logarithms (C,), see `SongMemory`.

        The memory counts what stood before the return, so that the return cannot feed on itself in a loop.
        """
        if self._memory is None:
            self._memory = SongMemory(MEMORY, string_to_labels(text))
        for label in string_to_labels(text[len(self._memory) :]):
            self._memory.append(label)
        return self._memory.predict(log_probs, before=self.recalls[-1].start)

    def next_label(self, text: str, label: int, banned: Collection[int], uniform: Callable[[], float]) -> int:
        """The next label: `label` itself, or that of a returning section. Starts a recall where a section begins.

        Args:
            text: so far, as the model reads it.
            label: the chosen label.
            banned: labels that must not be placed.
            uniform: draws a random number in [0, 1).
        """
        if not self.active and not self._start(text, label, uniform):
            return label
        recall = self.recalls[-1]
        offset = len(text) - recall.start
        if offset >= recall.placed:
            return label
        placed = character_to_label(text[recall.source + offset])
        if placed in banned or placed == OOV_LABEL:
            self._replace_last(recall._replace(placed=offset))
            return label
        return placed

    def extend(self, text: str) -> None:
        """Ends a recall at a section break or at its maximum length; called after each character."""
        if self.active and (text[-2:].isspace() or len(text) >= self.recalls[-1].limit):
            self._replace_last(self.recalls[-1]._replace(stop=len(text)))
            self._memory = None

    def backtrack(self, recalls: tuple[Recall, ...], position: int) -> None:
        """Continues from the recalls at a position where a word was rejected: nothing is placed there again."""
        self.recalls, self._memory, self._rejected_at = recalls, None, position
        if self.active:
            recall = recalls[-1]
            self._replace_last(recall._replace(placed=min(recall.placed, position - recall.start)))

    def hide_recalls(self, text: str) -> str:
        """The text with `BARRIER` for the characters of recalls, which are no repetitions to penalize."""
        for recall in self.recalls:
            stop = len(text) if recall.stop is None else recall.stop
            text = text[: recall.start] + BARRIER * (stop - recall.start) + text[stop:]
        return text

    def _start(self, text: str, label: int, uniform: Callable[[], float]) -> bool:
        """Starts a recall with the recall probability, if `label` begins a section after an earlier one of some length."""
        if CHARACTERS[label].isspace() or len(text) < MIN_SECTION or not text[-2:].isspace():
            return False
        if len(text) == self._rejected_at:
            return False
        share = uniform() / self.probability  # below 1: a recall, and then uniform in [0, 1)
        sections = self._earlier_sections(text) if share < 1 else []
        if not sections:
            return False
        returned = {recall.source for recall in self.recalls}
        weights = np.cumsum([RETURNED_WEIGHT if source in returned else 1 for source, _ in sections])
        source, length = sections[int(np.searchsorted(weights, share * weights[-1], side="right"))]
        limit = len(text) + min(MAX_RECALL, length + MARGIN)
        self.recalls += (Recall(source, len(text), limit),)
        return True

    def _earlier_sections(self, text: str) -> list[tuple[int, int]]:
        """Position and length of the sections that can return; those that are returns themselves are left out."""
        breaks = [found.span() for found in _BREAK.finditer(text)]
        spans = zip([0, *(stop for _, stop in breaks)], (start for start, _ in breaks), strict=False)
        returns = {recall.start for recall in self.recalls}
        return [
            (start, stop - start)
            for start, stop in spans
            if stop - start >= MIN_SECTION and start not in returns and not _LOOP.search(text, start, stop)
        ]

    def _replace_last(self, recall: Recall) -> None:
        self.recalls = (*self.recalls[:-1], recall)
