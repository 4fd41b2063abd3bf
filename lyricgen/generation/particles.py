"""Sequential Monte Carlo over the batched stepper: lines that keep constraints, as the model would write them.

Particles are lines in progress that share a batch. Each is continued by a word of the lexicon that all constraints allow; its
weight is the probability that the model gave to what was allowed, times the worth of the constraints, times a power of the line's own
probability (relative to about as many nats a character as the temperature, so that long words are at no disadvantage). After each word,
particles of little weight are dropped for copies of others (Lew et al. 2023, 'Sequential Monte Carlo steering of large language
models'; Loula et al. 2025, the genlm-control library). So a rhyme is not put where it does not fit: lines that lead to it
survive. The line is drawn from the finished particles by weight.

Shapes: N particles, B of them that are within a word, W words of the lexicon, C = 100 classes, L layers, H hidden units.
"""

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from heapq import nlargest
from typing import Any

import numpy as np
import torch

from lyricgen.generation.constraints import FORBIDDEN, Constraint
from lyricgen.generation.decoding import next_probabilities, sample_labels, subtract_penalties
from lyricgen.generation.fast_stepper import ArtistStepper, FastStepper, GuidedStepper
from lyricgen.generation.repetition import labels_to_history, repeat_penalties
from lyricgen.generation.request import GenerationRequest
from lyricgen.generation.scheduler import make_stepper
from lyricgen.models.networks import Hidden, map_state
from lyricgen.models.text import read_labels
from lyricgen.models.vocabulary import CHARACTERS, NUM_CLASSES, START_LABEL, character_to_label
from lyricgen.words.lexicon import Lexicon

PARTICLES = 96
MAX_LINE_WORDS = 64
PLACING = 0.2  # share of the particles that write a wanted word next
MAX_FOLLOWING = 30  # characters of the text behind a line that judge it
POWER = 0.25  # weight of a line's own probability: lines that are likely as a whole are preferred
BREAK = 0.7  # exponent of the probability of a section break behind a line
SPACE = character_to_label(" ")


@dataclass(frozen=True, eq=False)
class _Finished:
    """A line that keeps all constraints."""

    text: str
    log_weight: float
    hidden: Hidden
    """The state (one row) before the space behind it is read."""


class ParticleSampler:
    """Writes the lines of one text, all from one seed.

    Args:
        request: the model, the settings of sampling and the seed; its prefix is not used.
        lexicon: the words.
        particles: N.
    """

    def __init__(self, request: GenerationRequest, lexicon: Lexicon, particles: int = PARTICLES):
        self.request, self.lexicon, self.particles = request, lexicon, particles
        self.held = request.held_units
        self.stepper = make_stepper(request, FastStepper.for_model(request.model))
        self.generator = torch.Generator().manual_seed(request.seed)

    @torch.inference_mode()  # as a decorator it holds inside each step only
    def write(
        self, context: str, constraints: Sequence[Constraint], following: str = ""
    ) -> Generator[str, None, str | None]:
        """Writes a line. Yields the heaviest line so far after each word; returns the line, None where none keeps all constraints.

        Args:
            context: the text before the line, with the space or the line break that separates them.
            constraints: what the line must keep.
            following: the text behind the line; lines that lead to it are preferred.
        """
        labels = [START_LABEL, *read_labels(context, self.request.model.line_breaks)]
        pool = _Pool(self, labels, context, constraints)
        finished: list[_Finished] = []
        for _ in range(MAX_LINE_WORDS):
            pool.extend()
            if not pool.alive:
                break
            finished += pool.finished()
            yield pool.heaviest
        if not finished:
            return None
        finished = nlargest(self.particles, finished, key=lambda line: line.log_weight)
        log_weights = torch.tensor([line.log_weight for line in finished], dtype=torch.float64)
        log_weights += self._judge(finished, following)
        return finished[int(sample_labels(log_weights.softmax(0)[None], self.uniform(1)))].text

    def uniform(self, count: int) -> torch.Tensor:
        """Random numbers in [0, 1): float64 (count, 1)."""
        return torch.rand(count, 1, dtype=torch.float64, generator=self.generator)

    def _judge(self, finished: Sequence[_Finished], following: str) -> torch.Tensor:
        """The worth of what comes behind each line, natural logarithm, float64 (lines,).

        That is the probability of the text that follows or, where there is none, that of a section break: the songs have no line
        breaks, and where a section can end a phrase ends.
        """
        temperature = self.request.settings.temperature
        labels = [SPACE, *(read_labels(following[:MAX_FOLLOWING], self.request.model.line_breaks) or [SPACE])]
        device, count = self.request.model.ffnn.weight.device, len(finished)
        hidden = map_state(lambda *parts: torch.cat(parts, dim=1), *(line.hidden for line in finished))
        log_probs = torch.zeros(count, dtype=torch.float64)
        for label, after in zip(labels, labels[1:], strict=False):
            logits, hidden = self.stepper.step(torch.full((count,), label, device=device), hidden, self.held)
            if after < NUM_CLASSES:
                log_probs += logits.cpu().double().log_softmax(dim=-1)[:, after]
        return log_probs / temperature if following else BREAK * log_probs


class _Pool:
    """The particles of one line, each at the end of a word."""

    def __init__(self, sampler: ParticleSampler, labels: list[int], context: str, constraints: Sequence[Constraint]):
        self.sampler, self.constraints = sampler, constraints
        self.history = labels_to_history(labels[1:])
        count = sampler.particles
        self.texts = [""] * count
        self.states = [tuple(constraint.begin(context) for constraint in constraints)] * count
        self.log_weights = np.zeros(count)  # (N,)
        self.pending = labels[-1]  # of all particles: it is read next
        self.hidden = map_state(lambda part: part.repeat(1, count, 1), _read(sampler.stepper, labels[:-1]))
        self._choices: dict[bytes, _Choice] = {}

    @property
    def alive(self) -> bool:
        """Whether a line can still grow."""
        return bool((self.log_weights > FORBIDDEN).any())

    @property
    def heaviest(self) -> str:
        """The line so far of the highest weight."""
        return self.texts[int(self.log_weights.argmax())]

    def extend(self) -> None:
        """Continues the lines by a word each. Before, those that no word may follow are dropped, and those of little weight for
        copies of others."""
        choices = [self._choice(particle) for particle in range(len(self.texts))]
        self.log_weights[[choice is None for choice in choices]] = FORBIDDEN
        if not self.alive:
            return
        choices = [choices[row] for row in self._resample()]
        words = [""] * len(self.texts)
        active = [particle for particle, weight in enumerate(self.log_weights) if weight > FORBIDDEN]
        labels = [self.pending] * len(active)
        while active:
            allowed = [choice.labels(words[each]) for each in active if (choice := choices[each])]
            chosen = self._step(active, labels, allowed, words)
            going_on = [number for number, label in enumerate(chosen) if label != SPACE]
            for number in going_on:
                words[active[number]] += CHARACTERS[chosen[number]]
            active, labels = [active[number] for number in going_on], [chosen[number] for number in going_on]
        self.pending = SPACE
        for particle, word in enumerate(words):
            if word:
                self._end_word(particle, word)

    def finished(self) -> list[_Finished]:
        """The lines that may end here."""
        return [
            _Finished(text, float(weight), map_state(lambda part, row=row: part[:, row : row + 1].clone(), self.hidden))
            for row, (text, weight, states) in enumerate(zip(self.texts, self.log_weights, self.states, strict=True))
            if weight > FORBIDDEN
            and all(each.satisfied(state) for each, state in zip(self.constraints, states, strict=True))
        ]

    def _resample(self) -> list[int]:
        """Drops lines of little weight for copies of others, if few lines hold most of the weight (systematic resampling).

        Returns the row that each line was in (N,).
        """
        total = np.logaddexp.reduce(self.log_weights)
        shares = np.exp(self.log_weights - total)  # (N,)
        count = len(shares)
        if 1 / (shares**2).sum() > count / 2:
            return list(range(count))
        positions = (np.arange(count) + float(self.sampler.uniform(1))) / count
        last = int(np.flatnonzero(shares)[-1])
        rows = np.minimum(np.searchsorted(shares.cumsum(), positions, side="right"), last).tolist()
        self.texts = [self.texts[row] for row in rows]
        self.states = [self.states[row] for row in rows]
        self.hidden = map_state(lambda part: part[:, rows], self.hidden)
        self.log_weights = np.full(count, total - math.log(count))
        return rows

    def _choice(self, particle: int) -> "_Choice | None":
        """The words that may come next; None: no word may."""
        pairs = list(zip(self.constraints, self.states[particle], strict=True))
        if self.log_weights[particle] == FORBIDDEN:
            return None
        masks = [mask for each, state in pairs if (mask := each.allowed(state)) is not None]
        wanted = [mask for each, state in pairs if (mask := each.wanted(state)) is not None]
        if wanted and float(self.sampler.uniform(1)) < PLACING:
            placing = self._cached([*masks, np.logical_or.reduce(wanted)])
            if placing is not None:
                return placing
        return self._cached(masks)

    def _cached(self, masks: list[np.ndarray]) -> "_Choice | None":
        """The choice of what is in all masks; None where nothing is."""
        mask = np.logical_and.reduce([np.ones(len(self.sampler.lexicon), dtype=bool), *masks])
        key = mask.tobytes()
        if key not in self._choices:
            self._choices[key] = _Choice(self.sampler.lexicon, mask)
        choice = self._choices[key]
        return choice if choice.any else None

    def _step(self, active: list[int], labels: list[int], allowed: list[np.ndarray], words: list[str]) -> list[int]:
        """The next labels of the lines within a word, from their last labels (B,) and the labels that are allowed (B, C)."""
        sampler, settings = self.sampler, self.sampler.request.settings
        everyone = len(active) == len(self.texts)
        hidden = self.hidden if everyone else map_state(lambda part: part[:, active], self.hidden)
        device = sampler.request.model.ffnn.weight.device
        logits, hidden = sampler.stepper.step(torch.tensor(labels, device=device), hidden, sampler.held)
        if everyone:
            self.hidden = hidden
        else:
            map_state(
                lambda part, new: part.index_copy_(1, torch.tensor(active, device=device), new), self.hidden, hidden
            )
        logits = logits.cpu()
        if settings.dry:
            logits = subtract_penalties(logits, {row: self._penalties(each, words) for row, each in enumerate(active)})
        log_probs = (logits.double() / settings.temperature).log_softmax(dim=-1)  # (B, C)
        masked = log_probs.masked_fill(~torch.from_numpy(np.stack(allowed)), -torch.inf)
        probabilities = next_probabilities(masked, 1.0, *sampler.request.filters)
        chosen = sample_labels(probabilities, sampler.uniform(len(active)))  # (B,)
        log_prob = log_probs.gather(1, chosen[:, None])[:, 0]
        self.log_weights[active] += masked.logsumexp(dim=-1).numpy()
        self.log_weights[active] += POWER * (log_prob.numpy() + min(settings.temperature, 1.0))
        return chosen.tolist()

    def _penalties(self, particle: int, words: list[str]) -> dict[int, float]:
        """The penalties of repetition for the next character of a line."""
        text = f"{self.texts[particle]} " if self.texts[particle] else ""
        return repeat_penalties(f"{self.history}{text}{words[particle]}", self.sampler.request.settings.dry)

    def _end_word(self, particle: int, word: str) -> None:
        """Appends a complete word to a line, and what it is worth to its weight."""
        text, before = self.texts[particle], self.states[particle]
        self.texts[particle] = f"{text} {word}" if text else word
        self.states[particle] = tuple(
            each.after(state, word) for each, state in zip(self.constraints, before, strict=True)
        )
        self.log_weights[particle] += self._worth(self.states[particle]) - self._worth(before)

    def _worth(self, states: tuple[Any, ...]) -> float:
        return sum(each.worth(state) for each, state in zip(self.constraints, states, strict=True))


class _Choice:
    """The words of a mask as the labels that may come next within a word."""

    def __init__(self, lexicon: Lexicon, mask: np.ndarray):
        self.lexicon, self.mask, self.any = lexicon, mask, bool(mask.any())
        self._labels: dict[str, np.ndarray] = {}

    def labels(self, prefix: str) -> np.ndarray:
        """Which labels may follow the beginning of a word, bool (C,): letters, and the space where it is a word."""
        if prefix not in self._labels:
            letters, is_word = self.lexicon.next_letters(self.mask, prefix)
            allowed = np.zeros(NUM_CLASSES, dtype=bool)
            allowed[[character_to_label(letter) for letter in letters]] = True
            allowed[SPACE] = is_word
            self._labels[prefix] = allowed
        return self._labels[prefix]


def _read(stepper: ArtistStepper | GuidedStepper, labels: list[int]) -> Hidden:
    """The hidden state (one row) after some labels."""
    if labels:
        return stepper.read(torch.tensor([labels], device=stepper.inputs.device), torch.tensor([len(labels)]))[1]
    start = stepper.stepper.start(1) if isinstance(stepper, ArtistStepper) else stepper.artist.stepper.start(1)
    return start if isinstance(stepper, ArtistStepper) else map_state(lambda part: part.repeat(2, 1, 1), start)
