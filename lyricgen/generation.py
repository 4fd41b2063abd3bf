"""Lyrics from a trained model: a request checked and prepared, and the text as it grows."""

import logging
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import torch

from lyricgen.arguments import check_choice, check_integer, check_seed, check_text
from lyricgen.checkpoints import bundled_models, load_model
from lyricgen.copyguard import CopyGuard, guard_of
from lyricgen.decoding import (
    COLDEST,
    LARGEST_BEAM,
    BeamDecodingStrategy,
    GreedyDecodingStrategy,
    Hypothesis,
    SamplingDecodingStrategy,
    check_sampling,
    forbid,
    likeliest,
    next_probabilities,
    pick,
)
from lyricgen.draft import Draft
from lyricgen.errors import ArgumentError
from lyricgen.models import CharacterModel, Hidden
from lyricgen.songindex import bundled_index
from lyricgen.stepper import ArtistStepper, FastStepper
from lyricgen.vocabulary import CHARACTERS, OOV_LABEL, START_LABEL, character_to_label, token_ids_to_str

log = logging.getLogger("lyricgen")
STRATEGIES = ("sample", "greedy", "beam")
LONGEST = 5_000  # characters of a lyric, prefix included
ANY_ARTIST = "any artist"
MOST_VARIANTS = 16  # lyrics of one request
NAMED_CHARACTERS = 8  # of those a note lists


@dataclass(frozen=True)
class Request:
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
        sampled = self.strategy == "sample" and self.temperature > COLDEST
        remaining = self.max_length - len(self.prefix)
        return self.prefix, labels, hidden, remaining, sampled, self.seed, self.guard

    @property
    def batched(self) -> bool:
        """Whether its lyric can be written side by side with others; a beam has a batch of its own."""
        return self.strategy != "beam"

    def variants(self, count: int) -> list["Request"]:
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
        draft = Draft(*self.draft(*stepper.begin(self.labels)))
        hidden = draft.hidden
        while not draft.whole:
            with torch.inference_mode():
                logits, hidden = stepper.step(torch.tensor([draft.read_next], device=stepper.table.device), hidden)
                logits = forbid(logits, [draft.forbidden]).cpu()
                if draft.sampled:
                    uniform = torch.tensor([[draft.uniform()]], dtype=torch.float64)
                    label = int(pick(next_probabilities(logits, self.temperature, self.top_k, self.top_p), uniform))
                else:
                    label = int(likeliest(logits))
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

    A run of two spaces or more is a section break, see `show_breaks`.
    """
    settings = {name: value for name, value in locals().items() if name != "prefix"}
    return make_request(prefix, **settings).text()


def make_request(
    prefix: str = "", *, model: str | Path | CharacterModel = "lstm", max_copied_words: int = 0, **settings
) -> Request:
    """The request behind `stream_lyrics`, with the same arguments and errors; its notes go to the log."""
    request = Request(model_of(model), prefix, guard=guard_of(max_copied_words, bundled_index), **settings)
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
    max_length = check_integer("max_length", max_length, 1, LONGEST)
    if len(prefix) > LONGEST:
        kept = max(1, max_length // 2)
        notes.append(
            f"The prefix has {len(prefix):,} characters, more than the {LONGEST:,} that a lyric can have: "
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


def check_artist(artist: str | None, model: CharacterModel) -> str | None:
    """The name of one of the model's artists, None for any.

    Raises:
        ArgumentError: the model does not know it; the message offers the nearest.
    """
    if artist is None or (isinstance(artist, str) and artist.strip().casefold() in ("", "any", ANY_ARTIST)):
        return None
    if not model.artists:
        raise ArgumentError(f"artist must be left out, this model was trained without artists; got {artist!r}")
    return check_choice("artist", artist, model.artists)


def read_labels(text: str, line_breaks: bool = False) -> list[int]:
    """The labels that a model reads for a text, one a character: in lower case, line breaks as spaces unless told."""
    labels = (character_to_label(character.lower()) for character in text)
    if line_breaks:
        return list(labels)
    space = character_to_label(" ")
    return [space if character in "\r\n" else label for character, label in zip(text, labels, strict=True)]


def unknown_characters(text: str) -> str:
    """A note on the characters of a text that lie outside the vocabulary; '' if there are none."""
    unknown = sorted({character for character in text if character_to_label(character.lower()) == OOV_LABEL})
    if not unknown:
        return ""
    named = ", ".join(
        character if character.isprintable() else f"U+{ord(character):04X}" for character in unknown[:NAMED_CHARACTERS]
    )
    more = f" and {len(unknown) - NAMED_CHARACTERS} more" if len(unknown) > NAMED_CHARACTERS else ""
    return f"Outside the model's {len(CHARACTERS)} characters, and read as unknown: {named}{more}."


def show_breaks(text: str, prefix_length: int = 0) -> str:
    """A generated text as people read it: behind the prefix, each space of a run of two or more is a line break.

    The songs hold no line breaks; a run of spaces is what is left of a section break. The length stays the same.

    >>> show_breaks("the end  of the line")
    'the end\\n\\nof the line'
    """
    prefix, written = text[:prefix_length], text[prefix_length:]
    shown = list(written)
    for at, character in enumerate(written):
        if character == " " and " " in (written[at - 1 : at], written[at + 1 : at + 2]):
            shown[at] = "\n"
    return prefix + "".join(shown)


def model_of(model: str | Path | CharacterModel) -> CharacterModel:
    """A model that is loaded: itself, a bundled one (loaded once), or one from a folder or a `.ckpt` file.

    Raises:
        ModelError: there is no such model, or its files are damaged.
    """
    if isinstance(model, CharacterModel):
        return model
    if isinstance(model, str) and model.strip().lower() in bundled_models():
        return _bundled(model.strip().lower())
    return load_model(model)


@lru_cache
def _bundled(name: str) -> CharacterModel:
    with torch.inference_mode(False):  # a caller in inference mode must not make it one that cannot be trained
        return load_model(name)
