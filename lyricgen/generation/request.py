"""Lyrics from a trained model: a request checked and prepared, and the text as it grows."""

import logging
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from lyricgen.errors import ArgumentError
from lyricgen.generation.decoding import (
    LARGEST_BEAM,
    MIN_TEMPERATURE,
    BeamDecodingStrategy,
    GreedyDecodingStrategy,
    Hypothesis,
    SamplingDecodingStrategy,
    argmax_label,
    check_sampling,
    mask_labels,
    next_probabilities,
    pick,
)
from lyricgen.generation.fast_stepper import ArtistStepper, FastStepper
from lyricgen.generation.sequence import RowState
from lyricgen.memorization.copy_guard import CopyGuard, make_copy_guard
from lyricgen.memorization.song_index import bundled_index
from lyricgen.models.loading import resolve_model
from lyricgen.models.networks import CharacterModel, Hidden
from lyricgen.models.text import check_artist, read_labels, unknown_characters
from lyricgen.models.vocabulary import CHARACTERS, START_LABEL, token_ids_to_str
from lyricgen.validation import check_choice, check_integer, check_seed, check_text

log = logging.getLogger("lyricgen")
STRATEGIES = ("sample", "greedy", "beam")
MAX_LYRIC_LENGTH = 5_000  # characters of a lyric, prefix included
MOST_VARIANTS = 16  # lyrics of one request


@dataclass(frozen=True)
class GenerationRequest:
    """A lyric that was asked for, checked: what to read, how to go on, and what the asker should know.

    Raises:
        ArgumentError: a setting lies outside what is allowed; the message names it, its value and what is allowed.
    """

    model: CharacterModel
    prefix: str = ""
    artist: str | None = None
    strategy: str = "sample"
    temperature: float = 0.7
    top_k: int = 0
    top_p: float = 1.0
    max_length: int = 300
    seed: int | None = None
    beam_size: int = 5
    guard: CopyGuard | None = None
    """Keeps the lyric from runs of words that stand in a song; its words are taken back and written anew."""
    notes: tuple[str, ...] = field(init=False, default=())
    """What was done to the prefix, a sentence each."""

    def __post_init__(self):
        temperature, top_k, top_p = check_sampling(self.temperature, self.top_k, self.top_p)
        prefix, max_length, notes = _check_prefix(self.prefix, self.max_length)
        values = {
            "strategy": check_choice("strategy", self.strategy, STRATEGIES),
            "temperature": temperature,
            "top_k": top_k,
            "top_p": top_p,
            "max_length": max_length,
            "seed": secrets.randbits(32) if self.seed is None else check_seed(self.seed),
            "beam_size": check_integer("beam_size", self.beam_size, 1, LARGEST_BEAM),
            "artist": check_artist(self.artist, self.model),
            "prefix": prefix,
            "notes": notes,
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)
        if self.guard is not None and not self.batched:
            raise ArgumentError("max_copied_words must be 0 with the beam strategy, which does not go back")

    @property
    def artist_label(self) -> int | None:
        """The label of its artist; None for any."""
        return None if self.artist is None else self.model.artists.index(self.artist)

    @property
    def labels(self) -> list[int]:
        """What the model reads of the prefix, from the label on that opens a song."""
        return [START_LABEL, *read_labels(self.prefix, self.model.line_breaks)]

    def draft(self, labels: list[int], hidden: Hidden) -> tuple:
        """The arguments of a `Draft` that goes on from a hidden state with what is left to read."""
        sampled = self.strategy == "sample" and self.temperature > MIN_TEMPERATURE
        remaining = self.max_length - len(self.prefix)
        return self.prefix, labels, hidden, remaining, sampled, self.seed, self.guard

    @property
    def batched(self) -> bool:
        """Whether its lyric can be written side by side with others; a beam has a batch of its own."""
        return self.strategy != "beam"

    def variants(self, count: int) -> list["GenerationRequest"]:
        """So many requests that differ in their seeds: this one's, and those that follow it.

        Raises:
            ArgumentError: `count` is not allowed, or is above 1 where no letter is sampled.
        """
        count = check_integer("variants", count, 1, MOST_VARIANTS)
        if count > 1 and self.strategy != "sample":
            raise ArgumentError(
                f"variants must be 1 with the {self.strategy} strategy, which knows one text only; got {count}"
            )
        return [replace(self, seed=(self.seed + number) % 2**32) for number in range(count)]

    def stream(self) -> Iterator[str]:
        """The whole text so far, the prefix as typed, after each new character (or of the best beam so far)."""
        stepper = FastStepper.of(self.model, self.artist_label)
        if self.guard:
            yield from self._guarded(stepper)
            return
        start = Hypothesis(torch.tensor([self.labels], device=next(self.model.parameters()).device))
        length = self.max_length + 1  # label 100 opens the song
        if self.strategy == "beam":
            for best in BeamDecodingStrategy(stepper).stream(start, length, self.beam_size):
                yield self.prefix + token_ids_to_str(best[0])
        elif self.strategy == "greedy":
            yield from self._growing(GreedyDecodingStrategy(stepper).stream(start, length))
        else:
            settings = (self.temperature, self.top_k, self.top_p, self.seed)
            yield from self._growing(SamplingDecodingStrategy(stepper).stream(start, length, *settings))
        if len(self.prefix) == self.max_length:
            yield self.prefix

    def _guarded(self, stepper: ArtistStepper) -> Iterator[str]:
        """The text as it grows, and shrinks where words are taken back."""
        draft = RowState(*self.draft(*stepper.begin(self.labels)))
        hidden = draft.hidden
        while not draft.whole:
            with torch.inference_mode():
                logits, hidden = stepper.step(torch.tensor([draft.read_next], device=stepper.table.device), hidden)
                logits = mask_labels(logits, [draft.forbidden]).cpu()
                if draft.sampled:
                    uniform = torch.tensor([[draft.uniform()]], dtype=torch.float64)
                    label = int(pick(next_probabilities(logits, self.temperature, self.top_k, self.top_p), uniform))
                else:
                    label = int(argmax_label(logits))
                before, after = len(draft.written), hidden
                back = draft.take(label, lambda state=after: state)
                hidden = hidden if back is None else back
            if len(draft.written) != before:
                yield draft.text
        if not draft.written:
            yield draft.text

    def text(self) -> str:
        """The finished text: exactly `max_length` characters."""
        text = self.prefix
        for text in self.stream():  # noqa: B007
            pass
        return text

    def _growing(self, steps: Iterator[torch.Tensor]) -> Iterator[str]:
        text = self.prefix
        for labels in steps:
            text += CHARACTERS[int(labels)]
            yield text


def stream_lyrics(
    prefix: str = "",
    *,
    artist: str | None = None,
    model: str | Path | CharacterModel = "lstm",
    strategy: str = "sample",
    temperature: float = 0.7,
    top_k: int = 0,
    top_p: float = 1.0,
    max_length: int = 300,
    seed: int | None = None,
    beam_size: int = 5,
    max_copied_words: int = 0,
) -> Iterator[str]:
    """Writes a lyric and yields the whole text each time that it has grown by a character.

    Args:
        prefix: how it begins; it is echoed as typed, and read in lower case. Characters outside the vocabulary are
            read as label 100. Empty: the model begins the song.
        artist: one of `load_model(model).artists`; None: any artist.
        model: 'lstm', 'vanilla-rnn', a model folder, a `.ckpt` file, or a loaded model.
        strategy: 'sample', 'greedy' or 'beam'.
        temperature: of sampling, 0 to 100; 0 is greedy.
        top_k: sample from so many of the likeliest characters only, 0 to 100; 0: from all.
        top_p: sample from the likeliest that together have this probability, above 0 up to 1.
        max_length: characters in all, prefix included, 1 to 5,000.
        seed: the same seed gives the same text; None: another text every time.
        beam_size: hypotheses of the beam, 1 to 32.
        max_copied_words: the longest run of words that may stand in a song of the training songs, 4 to 50; what makes a
            longer one is taken back and written anew; 0: no limit.

    Raises:
        ArgumentError: an argument lies outside what is allowed.
        ModelError: there is no such model, or its files are damaged.
    """
    settings = {name: value for name, value in locals().items() if name != "prefix"}
    return make_request(prefix, **settings).stream()


def generate_lyrics(
    prefix: str = "",
    *,
    artist: str | None = None,
    model: str | Path | CharacterModel = "lstm",
    strategy: str = "sample",
    temperature: float = 0.7,
    top_k: int = 0,
    top_p: float = 1.0,
    max_length: int = 300,
    seed: int | None = None,
    beam_size: int = 5,
    max_copied_words: int = 0,
) -> str:
    """The finished text of `stream_lyrics`, with the same arguments and errors: exactly `max_length` characters.

    A run of two spaces or more is a section break, see `section_breaks_to_newlines`.
    """
    settings = {name: value for name, value in locals().items() if name != "prefix"}
    return make_request(prefix, **settings).text()


def make_request(
    prefix: str = "", *, model: str | Path | CharacterModel = "lstm", max_copied_words: int = 0, **settings
) -> GenerationRequest:
    """The request behind `stream_lyrics`, with the same arguments and errors; its notes go to the log."""
    request = GenerationRequest(
        resolve_model(model), prefix, guard=make_copy_guard(max_copied_words, bundled_index), **settings
    )
    for note in request.notes:
        log.warning(note)
    return request


def prefix_notes(prefix: str, max_length: int = 300) -> tuple[str, ...]:
    """What an asker should know of how a prefix will be used, a sentence each; empty if it is used as it is.

    Raises:
        ArgumentError: the prefix is longer than `max_length`, though a longer lyric could hold it.
    """
    return _check_prefix(prefix, max_length)[2]


def _check_prefix(prefix: str, max_length: int) -> tuple[str, int, tuple[str, ...]]:
    """The part of a prefix that is used, `max_length` as an int, and the notes.

    A prefix that no lyric could hold is used to its last characters, so that half of the lyric is left to write.
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
