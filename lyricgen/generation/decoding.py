"""Decoding strategies over any character-level model, and the sampling distribution that the scheduler shares.

The notebook's strategies (`GreedyDecodingStrategy`, `SamplingDecodingStrategy`) and beam search decode a batch of prefixes.
Lyrics are sampled by the scheduler, with `next_probabilities` and `sample_labels` of this module.

Shapes: B sequences in the batch, T characters, C = 100 classes, K beams.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import nn

from lyricgen.errors import ArgumentError
from lyricgen.generation.repetition import labels_to_history, repeat_penalties
from lyricgen.generation.settings import MAX_BEAM_SIZE, MAX_DRY, MAX_TEMPERATURE, MAX_TOP_K, MIN_TEMPERATURE
from lyricgen.models.networks import Hidden, map_state
from lyricgen.models.vocabulary import (
    CHARACTERS,
    INPUT_SIZE,
    NUM_CLASSES,
    PADDING_LABEL,
    START_LABEL,
    is_word_character,
    trailing_partial_word,
)
from lyricgen.validation import check_integer, check_number, check_seed

Choice = Callable[[torch.Tensor], torch.Tensor]
"""A rule that chooses the next labels (B,) from logits (B, C)."""
WordRule = Callable[[str], bool]
"""A rule that is true of words that must not be written."""
MAX_DECODED_LENGTH = 1_000_000  # characters of a sequence, prefix included
MAX_LENGTH_PENALTY = 10.0


@dataclass(eq=False)
class Hypothesis:
    """A batch of sequences that are being decoded."""

    token_ids: torch.Tensor
    """Labels (B, T); a row shorter than T is padded with label 100."""
    logits: torch.Tensor | None = None
    """The logits that each character was predicted from, (B, T, C) in a result; not needed in a starting hypothesis."""
    lengths: torch.Tensor | None = None
    """Characters of each row (B,); None: all T."""
    log_probs: torch.Tensor | None = None
    """The log-probability of each row's decoded part (B,), for beams divided by length ** length_penalty."""


class Stepper(Protocol):
    """A model as a strategy uses it: it reads a batch of prefixes, then one character a row at each step."""

    def read(self, token_ids: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, Hidden]:
        """Logits (B, T, C) of each next character, and the hidden state after each row's last."""

    def step(self, labels: torch.Tensor, hidden: Hidden) -> tuple[torch.Tensor, Hidden]:
        """Logits (B, C) of the character after `labels` (B,), and the hidden state after them."""


class ModelStepper:
    """A model as a `Stepper`: each step runs the new character only, with the hidden state carried.

    Args:
        model: `model(input_sequences, lengths, hidden[, artists]) -> (logits, hidden)`.
        artists: artist labels (B,) or mixes (B, A + 1), passed to the model; None: left out.
    """

    def __init__(self, model: nn.Module, artists: torch.Tensor | None = None):
        self.model, self.artists = model, artists

    def read(self, token_ids: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, Hidden]:
        return self._call(token_ids, lengths, None)

    def step(self, labels: torch.Tensor, hidden: Hidden) -> tuple[torch.Tensor, Hidden]:
        logits, hidden = self._call(labels[:, None], torch.ones(len(labels), dtype=torch.long), hidden)
        return logits[:, -1], hidden

    def _call(
        self, token_ids: torch.Tensor, lengths: torch.Tensor, hidden: Hidden | None
    ) -> tuple[torch.Tensor, Hidden]:
        extra = {}
        if self.artists is not None:
            extra["artists"] = self.artists.repeat_interleave(len(token_ids) // len(self.artists), dim=0)
        return self.model(token_ids, lengths, hidden, **extra)


class DecodingStrategy(ABC):
    """A rule by which a batch of sequences is continued to `max_length` characters a row, prefix included.

    Args:
        model: a model with the interface of `VanillaRNN`, used in eval mode, or a `Stepper`.
    """

    def __init__(self, model: nn.Module | Stepper):
        self.model = model

    @abstractmethod
    def decode(self, starting_hyp: Hypothesis, max_length: int = 300) -> list[Hypothesis]:
        """Decoded hypotheses, best first.

        Raises:
            ArgumentError: `max_length` is shorter than a prefix, or another argument is not allowed.
        """

    def _decode(self, starting_hyp: Hypothesis, max_length: int, choose: Choice) -> list[Hypothesis]:
        """The one hypothesis of choosing character by character."""
        decoding = _Decoding(self.model, starting_hyp, max_length)
        for step, (labels, logits) in enumerate(decoding.steps(choose)):
            decoding.write(step, labels, logits)
        return [decoding.hypothesis()]

    def _stream(self, starting_hyp: Hypothesis, max_length: int, choose: Choice) -> Iterator[torch.Tensor]:
        """The new labels (B,) of each step; nothing is kept."""
        return (labels for labels, _ in _Decoding(self.model, starting_hyp, max_length).steps(choose))


class GreedyDecodingStrategy(DecodingStrategy):
    """Always the most likely next character."""

    def decode(self, starting_hyp: Hypothesis, max_length: int = 300) -> list[Hypothesis]:
        return self._decode(starting_hyp, max_length, argmax_label)

    def stream(self, starting_hyp: Hypothesis, max_length: int = 300) -> Iterator[torch.Tensor]:
        """The new labels (B,) of each step, as they are chosen."""
        return self._stream(starting_hyp, max_length, argmax_label)


class SamplingDecodingStrategy(DecodingStrategy):
    """Samples the next character from `next_probabilities`: softmax(logits / temperature), then the filters.

    Temperatures from 0 to 1e-5 are greedy.
    """

    def decode(
        self,
        starting_hyp: Hypothesis,
        max_length: int = 300,
        temperature: float = 0.5,
        top_k: int = 0,
        top_p: float = 1.0,
        seed: int | None = None,
        min_p: float = 0.0,
        typical_p: float = 1.0,
    ) -> list[Hypothesis]:
        sampler = self._sampler(temperature, Filters(top_k, top_p, min_p, typical_p), seed)
        return self._decode(starting_hyp, max_length, sampler)

    def stream(
        self,
        starting_hyp: Hypothesis,
        max_length: int = 300,
        temperature: float = 0.5,
        top_k: int = 0,
        top_p: float = 1.0,
        seed: int | None = None,
        min_p: float = 0.0,
        typical_p: float = 1.0,
    ) -> Iterator[torch.Tensor]:
        """The new labels (B,) of each step, as they are chosen."""
        sampler = self._sampler(temperature, Filters(top_k, top_p, min_p, typical_p), seed)
        return self._stream(starting_hyp, max_length, sampler)

    @staticmethod
    def _sampler(temperature: float, filters: "Filters", seed: int | None) -> Choice:
        temperature, filters = check_sampling(temperature, filters)
        checked = check_seed(seed)
        if checked is None:  # from torch's global state, so that `pl.seed_everything` makes it repeatable
            checked = int(torch.randint(2**32, ()))
        generator = torch.Generator().manual_seed(checked)
        return lambda logits: draw(logits, temperature, filters, generator)


class BeamDecodingStrategy(DecodingStrategy):
    """Beam search: keeps the `beam_size` most likely continuations at every step; with a beam of 1 it is greedy."""

    def decode(
        self,
        starting_hyp: Hypothesis,
        max_length: int = 300,
        beam_size: int = 5,
        length_penalty: float = 0.0,
        n_best: int = 1,
        dry: float = 0.0,
    ) -> list[Hypothesis]:
        """The `n_best` most likely hypotheses, best first.

        Args:
            starting_hyp: the prefixes.
            max_length: characters of each row, prefix included.
            beam_size: continuations kept, 1 to 32.
            length_penalty: exponent of the decoded length by which `log_probs` are divided, 0 to 10 (0: no division,
                1: the mean a character). A lyric has no end mark, so all beams of a row are equally long and keep
                their order.
            n_best: hypotheses returned, at most `beam_size`.
            dry: strength of the penalty on repetitions, 0 to 5, see `repetition`; `log_probs` include the penalties.
        """
        n_best = check_integer("n_best", n_best, 1, check_integer("beam_size", beam_size, 1, MAX_BEAM_SIZE))
        length_penalty = check_number("length_penalty", length_penalty, 0, MAX_LENGTH_PENALTY)
        search = self._search(starting_hyp, max_length, beam_size, dry)
        for _ in search.steps():
            pass
        return search.hypotheses(n_best, length_penalty)

    def stream(
        self,
        starting_hyp: Hypothesis,
        max_length: int = 300,
        beam_size: int = 5,
        dry: float = 0.0,
        rejects_word: WordRule | None = None,
    ) -> Iterator[torch.Tensor]:
        """The decoded labels (B, t) of the best beam after each step t; a later step may change earlier ones.

        `rejects_word`: hypotheses that end a word for which it is true are dropped; not those of the prefix.
        """
        return self._search(starting_hyp, max_length, beam_size, dry, rejects_word).steps()

    def _search(
        self,
        starting_hyp: Hypothesis,
        max_length: int,
        beam_size: int,
        dry: float,
        rejects_word: WordRule | None = None,
    ) -> "_BeamSearch":
        beam_size = check_integer("beam_size", beam_size, 1, MAX_BEAM_SIZE)
        dry = check_number("dry", dry, 0, MAX_DRY)
        return _BeamSearch(_Decoding(self.model, starting_hyp, max_length), beam_size, dry, rejects_word)


class Filters(NamedTuple):
    """The characters that may be sampled, as `next_probabilities` applies them, in this order."""

    top_k: int = 0
    """The k most likely characters; 0: all."""
    top_p: float = 1.0
    """The most likely characters that together reach this probability (nucleus sampling, Holtzman et al. 2020)."""
    min_p: float = 0.0
    """The characters that have at least this share of the highest probability (Nguyen et al. 2024)."""
    typical_p: float = 1.0
    """The characters whose surprisal is nearest to the entropy and that together reach this probability (locally typical
    sampling, Meister et al. 2023)."""


def check_sampling(temperature: float, filters: Filters) -> tuple[float, Filters]:
    """The settings of sampling, as numbers.

    Raises:
        ArgumentError: one lies outside its limits.
    """
    return check_number("temperature", temperature, 0, MAX_TEMPERATURE), Filters(
        check_integer("top_k", filters.top_k, 0, MAX_TOP_K),
        check_number("top_p", filters.top_p, 0, 1, above_low=True),
        check_number("min_p", filters.min_p, 0, 1),
        check_number("typical_p", filters.typical_p, 0, 1, above_low=True),
    )


def argmax_label(logits: torch.Tensor) -> torch.Tensor:
    """The label with the highest logit: (...,) for logits (..., C)."""
    return logits.argmax(dim=-1)


def mask_labels(logits: torch.Tensor, labels: Sequence[Collection[int]]) -> torch.Tensor:
    """Logits (B, C) with those of each row's `labels` at minus infinity; without any labels, the same tensor."""
    rows = [row for row, of_row in enumerate(labels) for _ in of_row]
    if not rows:
        return logits
    logits = logits.clone()
    logits[rows, [label for of_row in labels for label in of_row]] = -torch.inf
    return logits


def subtract_penalties(logits: torch.Tensor, penalties: Mapping[int, Mapping[int, float]]) -> torch.Tensor:
    """Logits (B, C) less the penalties of some labels, by row and label; without any, the same tensor."""
    entries = [(row, label, value) for row, of_row in penalties.items() for label, value in of_row.items()]
    if not entries:
        return logits
    rows, labels, values = zip(*entries, strict=True)
    logits = logits.clone()
    logits[list(rows), list(labels)] -= torch.tensor(values, dtype=logits.dtype, device=logits.device)
    return logits


def next_probabilities(
    logits: torch.Tensor,
    temperature: float | torch.Tensor = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    min_p: float = 0.0,
    typical_p: float = 1.0,
) -> torch.Tensor:
    """The sampling distribution, float64 (..., C), for logits (..., C).

    First the temperature, then `top_k`, `top_p`, `min_p` and `typical_p` (see `Filters`), each on the distribution that the
    filters before it left, which sums to 1.

    Args:
        logits: the logits of the next character.
        temperature: divides the logits; up to 1e-5 the argmax has probability 1. Or one per row, (..., 1), all above that.
        top_k, top_p, min_p, typical_p: the filters.
    """
    if not isinstance(temperature, torch.Tensor) and temperature <= MIN_TEMPERATURE:
        return nn.functional.one_hot(argmax_label(logits), logits.shape[-1]).double()
    probabilities = torch.softmax(logits.double() / temperature, dim=-1)
    if 0 < top_k < logits.shape[-1]:
        beyond = torch.ones_like(logits, dtype=torch.bool).scatter(-1, logits.topk(top_k, dim=-1).indices, False)
        probabilities = probabilities.masked_fill(beyond, 0.0)
    if top_p < 1.0:
        probabilities = _normalized(probabilities)
        probabilities = _until_mass(probabilities, *probabilities.sort(dim=-1, descending=True), top_p)
    if min_p > 0.0:
        low = probabilities < min_p * probabilities.amax(dim=-1, keepdim=True)
        probabilities = probabilities.masked_fill(low, 0.0)
    if typical_p < 1.0:
        probabilities = _normalized(probabilities)
        entropy = torch.special.entr(probabilities).sum(dim=-1, keepdim=True)  # in nats, as the surprisals are
        order = (-probabilities.log() - entropy).abs().argsort(dim=-1, stable=True)
        probabilities = _until_mass(probabilities, probabilities.gather(-1, order), order, typical_p)
    return _normalized(probabilities)


def _normalized(probabilities: torch.Tensor) -> torch.Tensor:
    """Probabilities (..., C) scaled to a sum of 1."""
    return probabilities / probabilities.sum(dim=-1, keepdim=True)


def _until_mass(probabilities: torch.Tensor, ranked: torch.Tensor, order: torch.Tensor, mass: float) -> torch.Tensor:
    """Probabilities (..., C) with 0 beyond the first that reach `mass`, ranked (..., C) in an order of labels (..., C)."""
    beyond = ranked.cumsum(dim=-1) - ranked >= mass
    return probabilities.masked_fill(torch.zeros_like(beyond).scatter(-1, order, beyond), 0.0)


def draw(logits: torch.Tensor, temperature: float, filters: Filters, generator: torch.Generator) -> torch.Tensor:
    """One label a row (B,), sampled from `next_probabilities` of logits (B, C) with a generator on the CPU."""
    if temperature <= MIN_TEMPERATURE:
        return argmax_label(logits)
    uniform = torch.rand(len(logits), 1, dtype=torch.float64, generator=generator).to(logits.device)
    return sample_labels(next_probabilities(logits, temperature, *filters), uniform)


def sample_labels(probabilities: torch.Tensor, uniform: torch.Tensor) -> torch.Tensor:
    """The labels (B,) at which cumulative probabilities (B, C) pass uniform random numbers in [0, 1) (B, 1)."""
    cumulative = probabilities.cumsum(dim=-1)
    labels = torch.searchsorted(cumulative, uniform * cumulative[:, -1:], right=True).squeeze(-1)
    return labels.clamp(max=probabilities.shape[-1] - 1)


class _Decoding:
    """A batch in progress: its prefixes, and each row filled step by step to `max_length`."""

    def __init__(self, model: nn.Module | Stepper, starting_hyp: Hypothesis, max_length: int):
        self.stepper = ModelStepper(model) if isinstance(model, nn.Module) else model
        self.module: nn.Module | None = model if isinstance(model, nn.Module) else getattr(model, "module", None)
        prefix = torch.as_tensor(starting_hyp.token_ids)
        self.lengths = _check_prefixes(prefix, starting_hyp.lengths)  # (B,)
        longest = int(self.lengths.max())
        self.max_length = check_integer("max_length", max_length, 1, MAX_DECODED_LENGTH)
        if self.max_length < longest:
            raise ArgumentError(
                f"max_length must be at least the prefix's {longest} characters, since it counts them too; got {max_length}"
            )
        self.prefix = prefix[:, :longest].long()
        self.token_ids = prefix.new_full((len(prefix), self.max_length), PADDING_LABEL, dtype=torch.long)
        inside = torch.arange(longest) < self.lengths[:, None]
        self.token_ids[:, :longest] = self.prefix.where(inside.to(prefix.device), self.token_ids[:, :longest])
        self.logits: list[torch.Tensor] = []  # (B, C) a step
        self.prefix_logits = torch.empty(0)  # (B, T, C) once the prefixes are read

    def read(self) -> tuple[torch.Tensor, Hidden]:
        """Logits (B, C) of each row's next character, and the hidden state; an empty row is read as label 100."""
        rows, device = torch.arange(len(self.lengths)), self.prefix.device
        prefix, lengths = self.token_ids[:, : max(1, self.prefix.shape[1])].clone(), self.lengths.clamp(min=1)
        prefix[(self.lengths == 0).to(device), 0] = START_LABEL
        self.prefix_logits, hidden = self.stepper.read(prefix, lengths)
        return self.prefix_logits[rows.to(device), (lengths - 1).to(device)], hidden

    @torch.inference_mode()  # as a decorator it holds inside each step only, not for the caller of the stream
    def steps(self, choose: Choice) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Decodes to the end, yielding at each step the labels (B,) that `choose` chose, and the logits (B, C)."""
        remaining = self.max_length - int(self.lengths.min())
        if not remaining:
            return
        with self.eval_mode():
            logits, hidden = self.read()
            for step in range(remaining):
                labels = choose(logits)
                yield labels, logits
                if step + 1 < remaining:
                    logits, hidden = self.stepper.step(labels, hidden)

    @contextmanager
    def eval_mode(self) -> Iterator[None]:
        """Puts the model into eval mode, and back into training mode at the end if it was in it."""
        module = self.module if self.module is not None and self.module.training else None
        if module is not None:
            module.eval()
        try:
            yield
        finally:
            if module is not None:
                module.train()

    def write(self, step: int, labels: torch.Tensor, logits: torch.Tensor) -> None:
        """Appends the labels (B,) of a step to each row that is not full."""
        positions = self.lengths + step
        open_rows = torch.nonzero(positions < self.max_length).squeeze(-1)
        device = self.token_ids.device
        labels = labels[open_rows.to(labels.device)].to(device)
        self.token_ids[open_rows.to(device), positions[open_rows].to(device)] = labels
        self.logits.append(logits)

    def hypothesis(self) -> Hypothesis:
        """The result: logits[:, t] predicted character t (zeros for a first character that nothing predicted)."""
        rows = len(self.lengths)
        lengths = torch.full((rows,), self.max_length)
        if not self.logits:
            return Hypothesis(self.token_ids, torch.zeros(rows, self.max_length, NUM_CLASSES), lengths)
        logits = self.logits[0].new_zeros(rows, self.max_length, self.logits[0].shape[-1])
        decoded = torch.stack(self.logits, dim=1)  # (B, steps, C)
        for row, length in enumerate(self.lengths.tolist()):
            logits[row, 1:length] = self.prefix_logits[row, : max(0, length - 1)]
            logits[row, length:] = decoded[row, : self.max_length - length]
        labels = self.token_ids.clamp(max=logits.shape[-1] - 1)[..., None]
        log_probs = logits.log_softmax(dim=-1).gather(-1, labels).squeeze(-1)  # (B, T)
        after_prefix = (torch.arange(self.max_length) >= self.lengths[:, None]).to(log_probs.device)
        return Hypothesis(self.token_ids.clone(), logits, lengths, (log_probs * after_prefix).sum(dim=1))


def _check_prefixes(prefix: torch.Tensor, lengths: torch.Tensor | None) -> torch.Tensor:
    """The lengths (B,) of prefixes (B, T), on the CPU; None: all T.

    Raises:
        ArgumentError: shape, labels or lengths are not allowed.
    """
    if prefix.ndim != 2 or not len(prefix):
        raise ArgumentError(
            f"token_ids must have shape (batch, length) with at least one row, got {tuple(prefix.shape)}"
        )
    if prefix.numel() and not 0 <= int(prefix.min()) <= int(prefix.max()) < INPUT_SIZE:
        raise ArgumentError(
            f"token_ids must be labels from 0 to {INPUT_SIZE - 1}, got {int(prefix.min())} to {int(prefix.max())}"
        )
    rows, longest = prefix.shape
    checked = torch.full((rows,), longest) if lengths is None else torch.as_tensor(lengths).reshape(-1).cpu()
    if len(checked) != rows or int(checked.min()) < 0 or int(checked.max()) > longest:
        raise ArgumentError(f"lengths must be {rows} numbers from 0 to {longest}, got {checked.tolist()}")
    return checked


WORD_LABELS = [label for label, character in enumerate(CHARACTERS) if is_word_character(character)]
WORD_ENDS = [label for label, character in enumerate(CHARACTERS) if not is_word_character(character)]


def _extend_word(word: str, label: int) -> str:
    """The incomplete word after one more character; '' after one that ends words, and after padding."""
    return word + CHARACTERS[label] if label < NUM_CLASSES and is_word_character(CHARACTERS[label]) else ""


class _BeamSearch:
    """K continuations of each row of a batch, B * K rows in the model."""

    def __init__(self, decoding: _Decoding, beam_size: int, dry: float = 0.0, rejects_word: WordRule | None = None):
        self.decoding, self.beams, self.dry, self.rejects_word = decoding, beam_size, dry, rejects_word
        self.remaining = decoding.max_length - decoding.lengths  # (B,), characters to decode
        rows, device = len(self.remaining), decoding.prefix.device
        blank = torch.full((rows, 1, int(self.remaining.max())), PADDING_LABEL, device=device)
        self.scores = torch.zeros(rows, 1, device=device)  # (B, K), best first
        self.token_ids = blank  # (B, K, steps)
        self.origins = torch.zeros_like(blank)  # (B, K, steps): the row of a step's logits that each came from
        self.logits: list[torch.Tensor] = []  # (B, K, C) a step; (B, 1, C) the first
        prefixes = zip(decoding.prefix.tolist(), decoding.lengths.tolist(), strict=True)
        self.histories = [labels_to_history(prefix[:length]) for prefix, length in prefixes]  # of each beam (B * K)
        self.words = [] if rejects_word is None else self._typed_words(rejects_word)  # incomplete ones, of each beam

    @torch.inference_mode()
    def steps(self) -> Iterator[torch.Tensor]:
        """Decodes to the end, yielding the best beam's decoded labels (B, t) after each step t."""
        steps = int(self.remaining.max())
        if not steps:
            return
        with self.decoding.eval_mode():
            logits, hidden = self.decoding.read()
            for step in range(steps):
                parents = self._extend(step, logits)
                yield self.token_ids[:, 0, : step + 1]
                if step + 1 < steps:
                    hidden = map_state(lambda part, rows=parents: part[:, rows], hidden)
                    logits, hidden = self.decoding.stepper.step(self.token_ids[:, :, step].flatten(), hidden)

    def _extend(self, step: int, logits: torch.Tensor) -> torch.Tensor:
        """Keeps the K best of all continuations by one character; returns the model's row that each continues.

        A row that is full keeps its beams as they are.
        """
        rows, device = len(self.remaining), logits.device
        logits = logits.view(rows, -1, logits.shape[-1])  # (B, K, C)
        _, width, classes = logits.shape
        totals = self.scores[..., None] + self._penalize_repeats(logits.float().log_softmax(dim=-1))
        totals = self._drop_rejected_words(step, totals)
        kept = min(self.beams, width * classes)
        scores, best = totals.flatten(1).topk(kept, dim=-1)
        parents, labels = best // classes, best % classes
        full = (self.remaining <= step).to(device)[:, None]
        if bool(full.any()):
            unchanged = torch.arange(kept, device=device).clamp(max=width - 1)
            parents = unchanged.where(full, parents)
            scores = self.scores.gather(1, parents).where(full, scores)
            labels = labels.masked_fill(full, PADDING_LABEL)
        history = parents[..., None].expand(-1, -1, self.token_ids.shape[-1])
        self.token_ids, self.origins = self.token_ids.gather(1, history), self.origins.gather(1, history)
        self.token_ids[:, :, step], self.origins[:, :, step] = labels, parents
        self.scores = scores
        self.logits.append(logits)
        continued = (torch.arange(rows, device=device)[:, None] * width + parents).flatten()
        if self.dry:
            characters = labels_to_history(labels.flatten().tolist())
            extended = zip(continued.tolist(), characters, strict=True)
            self.histories = [self.histories[row] + character for row, character in extended]
        if self.rejects_word is not None:
            following = zip(continued.tolist(), labels.flatten().tolist(), strict=True)
            self.words = [_extend_word(self.words[row], label) for row, label in following]
        return continued

    def _typed_words(self, rejects_word: WordRule) -> list[str]:
        """The incomplete word that each prefix ends in; '' for one that is rejected, since prefixes are left alone."""
        prefixes = zip(self.decoding.prefix.tolist(), self.decoding.lengths.tolist(), strict=True)
        words = []
        for labels, length in prefixes:
            text = "".join(CHARACTERS[label] if label < NUM_CLASSES else " " for label in labels[:length])
            word = trailing_partial_word(text)
            words.append("" if rejects_word(word) else word)
        return words

    def _drop_rejected_words(self, step: int, totals: torch.Tensor) -> torch.Tensor:
        """Log-probabilities (B, K, C) with -inf for each character that ends a rejected word."""
        if self.rejects_word is None:
            return totals
        width = totals.shape[1]
        for beam, word in enumerate(self.words):
            row, column = divmod(beam, width)
            if self.rejects_word(word):
                totals[row, column, WORD_ENDS] = float("-inf")
            if step + 1 == int(self.remaining[row]):  # the end of the text ends a word too
                last = [label for label in WORD_LABELS if self.rejects_word(word + CHARACTERS[label])]
                totals[row, column, last] = float("-inf")
        return totals

    def _penalize_repeats(self, log_probs: torch.Tensor) -> torch.Tensor:
        """Log-probabilities (B, K, C) less the penalties of `repetition`; unchanged without `dry`."""
        if not self.dry:
            return log_probs
        penalties = {row: repeat_penalties(history, self.dry) for row, history in enumerate(self.histories)}
        return subtract_penalties(log_probs.flatten(0, 1), penalties).view_as(log_probs)

    def hypotheses(self, n_best: int, length_penalty: float) -> list[Hypothesis]:
        """The n best, each a batch of its own."""
        if not self.logits:
            return [self.decoding.hypothesis()]
        rows = torch.arange(len(self.remaining), device=self.scores.device)
        decoded = self.remaining.clamp(min=1).to(self.scores.device)
        results = []
        for beam in range(min(n_best, self.scores.shape[1])):
            self.decoding.logits = []
            for step, logits in enumerate(self.logits):
                self.decoding.write(step, self.token_ids[:, beam, step], logits[rows, self.origins[:, beam, step]])
            hypothesis = self.decoding.hypothesis()
            hypothesis.log_probs = self.scores[:, beam] / decoded**length_penalty
            results.append(hypothesis)
        return results
