"""A lyric on its way: what of its prefix is still to be read, what is written, and how it goes back from what is copied."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch

from lyricgen.memorization.copy_guard import CopyGuard, CopyState, is_word_character, trailing_partial_word
from lyricgen.models.networks import Hidden
from lyricgen.models.vocabulary import CHARACTERS

TRIES = 8  # of a word, by other random numbers; then its first letter is forbidden
MOST_FORBIDDEN = 10  # letters at a place; then the word before it is taken back too
MOST_AT_FIRST = 90  # the same where there is no word before it; then what is copied stays
PLACES = 64  # words that can be taken back
MORE_NUMBERS = 256  # random numbers that are drawn at a time when those for the lyric's length are used up


@dataclass
class Place:
    """Where a word begins: what it takes to go on from there, and how often that went wrong."""

    written: int
    """Characters that are written there."""
    hidden: Hidden
    """The model's state (one row) before it reads the last character there."""
    read_next: int
    """The label of that character."""
    copied: CopyState
    bits: float | None
    begun: str = ""
    """What of the word stands in the prefix."""
    tries: int = 0
    forbidden: list[int] = field(default_factory=list)


class RowState:
    """One lyric while a model writes it, whoever steps the model: alone, or beside others in a batch.

    At each step the model reads `read_next`, and `take` is told the label that was chosen behind it. With a guard, a word
    that makes a copied run too long is taken back to where it began, and written anew: by other random numbers, then
    without its first letter, then with the word before it. All of that follows from the seed.

    Args:
        prefix: as typed.
        labels: of it, as the model reads them, from the one that opens a song or the last that is not read yet.
        hidden: the model's state (one row) before it reads these.
        remaining: characters to write.
        sampled: whether they are drawn.
        seed: of the random numbers.
        guard: what keeps it from copying; None: nothing does.
    """

    def __init__(
        self,
        prefix: str,
        labels: Sequence[int],
        hidden: Hidden,
        remaining: int,
        sampled: bool,
        seed: int,
        guard: CopyGuard | None = None,
    ):
        self.prefix, self.hidden, self.remaining, self.sampled, self.guard = prefix, hidden, remaining, sampled, guard
        self.written: list[int] = []  # labels
        self.bits: float | None = None  # of what is written, where they are counted
        self._places: deque[Place] = deque(maxlen=PLACES)
        self._numbers = _random_numbers(seed, remaining)
        self._unread = deque(labels)
        self.read_next = self._unread.popleft()
        self._mark_start(lambda: hidden)

    @property
    def text(self) -> str:
        """The prefix as typed, and what is written."""
        return self.prefix + "".join([CHARACTERS[label] for label in self.written])

    @property
    def whole(self) -> bool:
        """Whether all is written."""
        return len(self.written) >= self.remaining

    @property
    def forbidden(self) -> Sequence[int]:
        """Labels that must not be chosen next."""
        place = self._places[-1] if self._places else None
        return place.forbidden if place and place.written == len(self.written) else ()

    def uniform(self) -> float:
        """The random number in [0, 1) for the next character; while the prefix is read, one that counts for nothing."""
        return 0.0 if self._unread else next(self._numbers)

    def take(self, label: int, hidden: Callable[[], Hidden], bits: float = 0.0) -> Hidden | None:
        """Takes the next character: the prefix's own while there is any, else `label`.

        Args:
            label: that was chosen.
            hidden: gives the state (one row) after `read_next` was read; it is kept.
            bits: that the model needed for it.

        Returns:
            The state to go back to, before the new `read_next`; None to go on.
        """
        if self._unread:
            self.read_next = self._unread.popleft()
            self._mark_start(hidden)
            return None
        self.read_next = label
        self.written.append(label)
        if self.bits is not None:
            self.bits += bits
        if self.guard is None or (is_word_character(CHARACTERS[label]) and not self.whole):
            return None
        place = self._places[-1]
        word = place.begun + "".join([CHARACTERS[one] for one in self.written[place.written :]])
        copied = self.guard.after(place.copied, word)
        if copied is not place.copied and self.guard.exceeds(copied) and (back := self._place_to_go_back_to()):
            return self._go_back(back)
        self._places.append(Place(len(self.written), hidden(), label, copied, self.bits))
        return None

    def _mark_start(self, hidden: Callable[[], Hidden]) -> None:
        """Keeps the place where the prefix ends, once all of it but its last character is read."""
        if self.guard is None or self._unread:
            return
        begun = trailing_partial_word(self.prefix)
        copied = self.guard.after(self.guard.start, self.prefix.removesuffix(begun))
        self._places.append(Place(0, hidden(), self.read_next, copied, self.bits, begun))

    def _place_to_go_back_to(self) -> Place | None:
        """Where the last word began, or one before it where nothing else could be written there; None: nowhere."""
        place = self._places[-1]
        place.tries += 1
        if self.sampled and place.tries % TRIES:
            return place
        while len(place.forbidden) >= MOST_FORBIDDEN and len(self._places) > 1:
            self._places.pop()
            place = self._places[-1]
        if len(place.forbidden) >= MOST_AT_FIRST:
            return None
        place.forbidden.append(self.written[place.written])
        return place

    def _go_back(self, place: Place) -> Hidden:
        self.written = self.written[: place.written]
        self.read_next, self.bits = place.read_next, place.bits
        return place.hidden


def _random_numbers(seed: int, count: int) -> Iterator[float]:
    """Random numbers in [0, 1): `count` at once, and more where they are asked for."""
    generator = torch.Generator().manual_seed(seed)
    while True:
        yield from torch.rand(max(1, count), dtype=torch.float64, generator=generator).tolist()
        count = MORE_NUMBERS
