"""GenerationRequest: a model, a prefix and checked settings; a value that runs nothing."""

import secrets
import threading
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, cast

import torch

from lyricgen.errors import ArgumentError
from lyricgen.generation.clean_words import CleanWords, read_word_list
from lyricgen.generation.decoding import Filters, check_sampling
from lyricgen.generation.guard import Guard
from lyricgen.generation.held_units import HeldUnit, read_units
from lyricgen.generation.settings import (
    CHORUSES,
    MAX_BEAM_SIZE,
    MAX_COPIED_WORDS,
    MAX_DRY,
    MAX_GUIDANCE,
    MAX_LYRIC_LENGTH,
    MAX_VARIANTS,
    MIN_COPIED_WORDS,
    MIN_TEMPERATURE,
    STRATEGIES,
    GenerationSettings,
)
from lyricgen.models.networks import CharacterModel
from lyricgen.models.text import check_artist, read_labels, section_breaks_to_newlines, unknown_characters
from lyricgen.models.vocabulary import START_LABEL, trailing_partial_word
from lyricgen.validation import check_choice, check_integer, check_number, check_seed, check_switch, check_text


class RunningBatch(Protocol):
    """A running batch of one model that requests join, such as `scheduler.ContinuousBatch`."""

    def __len__(self) -> int:
        """Sequences that are generated or wait for a row."""

    def join(self, request: "GenerationRequest", grown: threading.Event, measured: bool = False) -> Any:
        """Queues a request; returns its sequence."""


@dataclass(frozen=True, eq=False)
class GenerationRequest:
    """A lyric to generate, checked: the scheduler needs nothing else to generate it.

    Raises:
        ArgumentError: a setting lies outside what is allowed; the message names it, its value and what is allowed.
    """

    model: CharacterModel
    prefix: str = ""
    """The beginning, as typed; one that no lyric could hold is cut to its last characters."""
    settings: GenerationSettings = GenerationSettings()
    """The settings, checked; a seed that was not given is random."""
    guards: tuple[Guard, ...] = ()
    """Rules that the text must keep."""
    batch: RunningBatch | None = None
    """The running batch of `model` to generate it in; None: a batch in the caller's thread."""
    model_name: str | None = None
    """The name under which `model` was loaded; None: it has none."""
    strong_words: frozenset[str] | None = None
    """The list of `clean_words`; None: the bundled one."""
    notes: tuple[str, ...] = field(init=False, default=())
    """What was done to the prefix, and settings without effect, a sentence each."""

    def __post_init__(self) -> None:
        prefix, max_length, notes = _check_prefix(self.prefix, self.settings.max_length)
        settings = _check_settings(replace(self.settings, max_length=max_length), self.model)
        guards = tuple(guard for guard in self.guards if not isinstance(guard, CleanWords))
        if guards and settings.strategy == "beam":
            raise ArgumentError("guards must be left out with the beam strategy, which does not backtrack")
        if settings.clean_words:
            words = read_word_list() if self.strong_words is None else self.strong_words
            guards = (*guards, CleanWords(words, trailing_partial_word(prefix)))
        copied = settings.max_copied_words
        if copied and all(getattr(guard, "max_copied_words", None) != copied for guard in self.guards):
            raise ArgumentError(
                f"max_copied_words must be 0 unless a CopyGuard of as many words is among the guards, got {copied}"
            )
        if settings.guidance != 1 and settings.artist is None:
            notes = (*notes, f"Without an artist, guidance {settings.guidance:g} has no effect.")
        for name, value in (("prefix", prefix), ("settings", settings), ("guards", guards), ("notes", notes)):
            object.__setattr__(self, name, value)

    @property
    def artist_label(self) -> int | None:
        """The label of the artist, the first of a mix; None for any."""
        return None if self.settings.artist is None else self.model.artists.index(self.settings.artist)

    @property
    def artist_mix(self) -> int | torch.Tensor | None:
        """What the model is conditioned on: an artist label, None for any, or the weights (A + 1,) of a mix of two."""
        first, second, weight = self.artist_label, self.settings.second_artist, self.settings.second_weight
        if first is None or second is None or weight == 0:
            return first
        label = self.model.artists.index(second)
        if weight == 1:
            return label
        weights = torch.zeros(len(self.model.artists) + 1)
        weights[first] = 1 - weight
        weights[label] += weight
        return weights

    @property
    def guidance(self) -> float:
        """The guidance that has an effect: 1 where there is no artist."""
        return 1.0 if self.settings.artist is None else self.settings.guidance

    @property
    def held_units(self) -> tuple[HeldUnit, ...]:
        """The hidden units that are held at a value."""
        return read_units(self.settings.units, self.model)

    @property
    def labels(self) -> list[int]:
        """The prompt: the label that opens a song, then the prefix as the model reads it."""
        return [START_LABEL, *read_labels(self.prefix, self.model.line_breaks)]

    @property
    def remaining(self) -> int:
        """Characters to generate after the prefix."""
        return self.settings.max_length - len(self.prefix)

    @property
    def is_sampled(self) -> bool:
        """Whether characters depend on random numbers."""
        return self.settings.strategy == "sample" and self.settings.temperature > MIN_TEMPERATURE

    @property
    def clean_words(self) -> CleanWords | None:
        """The guard that keeps listed words out; None for none."""
        return next((guard for guard in self.guards if isinstance(guard, CleanWords)), None)

    @property
    def filters(self) -> Filters:
        """The characters that may be sampled."""
        return _filters(self.settings)

    @property
    def seed(self) -> int:
        """The seed, given or random."""
        return cast(int, self.settings.seed)

    def shown(self, text: str) -> str:
        """A generated text for display: section breaks as line breaks, unless the model learnt line breaks."""
        return text if self.model.line_breaks else section_breaks_to_newlines(text, len(self.prefix))

    def with_settings(self, **settings: Any) -> "GenerationRequest":
        """The same request with some settings changed.

        Raises:
            ArgumentError: one lies outside what is allowed.
        """
        return replace(self, settings=replace(self.settings, **settings))

    def variants(self, count: int) -> list["GenerationRequest"]:
        """Requests that differ in their seeds: this request's seed, and those that follow it.

        Args:
            count: requests, 1 to 16.

        Raises:
            ArgumentError: `count` is not allowed, or is above 1 for a strategy that has one text only.
        """
        count = check_integer("variants", count, 1, MAX_VARIANTS)
        if count > 1 and self.settings.strategy != "sample":
            raise ArgumentError(
                f"variants must be 1 with the {self.settings.strategy} strategy, which has one text only; got {count}"
            )
        return [self.with_settings(seed=(self.seed + number) % 2**32) for number in range(count)]


def prefix_notes(prefix: str, max_length: int = 300) -> tuple[str, ...]:
    """Notes on how a prefix will be used, a sentence each; empty if it is used as it is.

    Raises:
        ArgumentError: the prefix is longer than `max_length`, though a longer lyric could hold it.
    """
    return _check_prefix(prefix, max_length)[2]


def _check_settings(settings: GenerationSettings, model: CharacterModel) -> GenerationSettings:
    """The settings with clean values; the seed is a number, random where none was given."""
    strategy = check_choice("strategy", settings.strategy, STRATEGIES)
    copied = check_integer(
        "max_copied_words", settings.max_copied_words or 0, MIN_COPIED_WORDS, MAX_COPIED_WORDS, or_zero=True
    )
    if copied and strategy == "beam":
        raise ArgumentError("max_copied_words must be 0 with the beam strategy, which does not backtrack")
    temperature, filters = check_sampling(settings.temperature, _filters(settings))
    artist = check_artist(settings.artist, model)
    second_artist = check_artist(settings.second_artist, model, "second_artist")
    if second_artist and not artist:
        raise ArgumentError(f"second_artist must be left out unless there is an artist, got {second_artist!r}")
    chorus = check_choice("chorus", settings.chorus, CHORUSES)
    if chorus != "never" and strategy == "beam":
        raise ArgumentError(
            f"chorus must be 'never' with the beam strategy, which keeps several texts at a time; got {chorus!r}"
        )
    units = read_units(settings.units, model)
    if units and strategy == "beam":
        raise ArgumentError(
            f"units must be empty with the beam strategy, which keeps several texts at a time; got {settings.units!r}"
        )
    return GenerationSettings(
        artist=artist,
        strategy=strategy,
        temperature=temperature,
        **filters._asdict(),
        max_length=check_integer("max_length", settings.max_length, 1, MAX_LYRIC_LENGTH),
        seed=secrets.randbits(32) if settings.seed is None else check_seed(settings.seed),
        beam_size=check_integer("beam_size", settings.beam_size, 1, MAX_BEAM_SIZE),
        max_copied_words=copied,
        guidance=check_number("guidance", settings.guidance, 1, MAX_GUIDANCE),
        second_artist=second_artist,
        second_weight=check_number("second_weight", settings.second_weight, 0, 1),
        dry=check_number("dry", settings.dry, 0, MAX_DRY),
        chorus=chorus,
        clean_words=check_switch("clean_words", settings.clean_words),
        units=", ".join(map(str, units)),
    )


def _filters(settings: GenerationSettings) -> Filters:
    return Filters(settings.top_k, settings.top_p, settings.min_p, settings.typical_p)


def _check_prefix(prefix: str, max_length: int) -> tuple[str, int, tuple[str, ...]]:
    """The part of a prefix that is used, `max_length` as an int, and the notes.

    Of a prefix that no lyric could hold, the last characters are used, so that half of the lyric is left to generate.
    """
    prefix, notes = check_text("prefix", prefix), []
    max_length = check_integer("max_length", max_length, 1, MAX_LYRIC_LENGTH)
    if len(prefix) > MAX_LYRIC_LENGTH:
        kept = max(1, max_length // 2)
        notes.append(
            f"The prefix has {len(prefix):,} characters, more than the {MAX_LYRIC_LENGTH:,} that a lyric can have: "
            f"its last {kept:,} are used."
        )
        prefix = prefix[-kept:]
    if len(prefix) > max_length:
        raise ArgumentError(
            f"max_length must be at least the prefix's {len(prefix):,} characters, since it counts them too; got {max_length:,}"
        )
    if unknown := unknown_characters(prefix):
        notes.append(unknown)
    return prefix, max_length, tuple(notes)
