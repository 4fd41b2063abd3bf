"""Continuous batching: concurrent requests share one forward pass per character, and join and leave at any character.

`RowBatch.step` is the one place that samples lyrics. `ContinuousBatch` calls it in a worker thread, for all users of a
model; requests without a batch are stepped in the caller's thread. Beam search has a batch per request, in `decoding`.

Shapes: B rows of the batch, R rows of the model (a guided lyric has two, the artist's and any artist's), G gate rows of the first layer, H hidden units, C = 100 classes.
"""

import atexit
import math
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from itertools import accumulate
from typing import NamedTuple

import torch

from lyricgen.generation.decoding import (
    BeamDecodingStrategy,
    Filters,
    Hypothesis,
    argmax_label,
    mask_labels,
    next_probabilities,
    sample_labels,
    subtract_penalties,
)
from lyricgen.generation.fast_stepper import ArtistStepper, FastStepper, GuidedStepper, guide
from lyricgen.generation.held_units import HeldUnit
from lyricgen.generation.request import GenerationRequest
from lyricgen.generation.sequence import RowState
from lyricgen.models.networks import CharacterModel, Hidden, map_state
from lyricgen.models.vocabulary import token_ids_to_str

MAX_BATCH_SIZE = 64  # rows of a continuous batch; further requests wait, and rows are preempted for them
TIME_SLICE = 250  # characters that a row may generate before it can be preempted
THROTTLE_FROM = 3  # sequences in a batch from which on each is reported less often; a report takes milliseconds
IDLE_TIMEOUT = 5.0  # seconds without a request before the worker thread exits
LIVENESS_INTERVAL = 1.0  # seconds of waiting after which a caller checks that the worker thread is alive
_NO_HIDDEN = torch.empty(0)  # of a batch without rows


class GenerationOutput(NamedTuple):
    """A lyric so far."""

    text: str
    """The prefix as typed, and what is generated."""
    bits: float | None
    """The surprisal of what is generated, at temperature 1; None where it is not measured."""


class RowBatch:
    """Sequences of one model that are stepped together, in the thread that calls `step`.

    A row depends on its own settings and seed alone, not on its neighbours: in int8 (see `FastStepper`) to the last bit; in
    float32 a rounding could in rare cases decide between two nearly tied characters.

    Args:
        model: in eval mode.
    """

    def __init__(self, model: CharacterModel):
        self.model = model
        self.rows: list[_BatchRow] = []
        self._hidden: Hidden = _NO_HIDDEN  # of the model's rows
        self._artist_inputs = torch.empty(0)  # (R, G)
        self._readers: list[_BatchRow] = []  # the row of each of the model's rows
        self._model_rows: list[slice] = []  # the model's rows of each row, those of one row side by side
        self._guided: list[int] = []  # indices of the rows with guidance
        self._guidance = torch.empty(0)  # (guided rows, 1)
        self._sampling_groups: list[_SamplingGroup] = []
        self._measured: list[int] = []  # indices of the rows that count bits
        self._penalized: list[int] = []  # indices of the rows with a penalty on repetitions
        self._recalling: list[int] = []  # indices of the rows in which sections can return
        self._holding: list[int] = []  # indices of the rows with held units

    @cached_property
    def stepper(self) -> FastStepper:
        """The stepper of the model, made for the first request: a device may fail then."""
        return FastStepper.for_model(self.model)

    def unfinished(self) -> list[int]:
        """The indices of the rows that have not ended."""
        return [index for index, row in enumerate(self.rows) if not row.ended.is_set()]

    def clear(self) -> None:
        """Drops all rows."""
        self.rows, self._hidden, self._readers = [], _NO_HIDDEN, []
        self._sampling_groups, self._model_rows = [], []

    @torch.inference_mode()
    def rebuild(self, staying: Sequence[int], joining: Sequence["_BatchRow"]) -> None:
        """Keeps the rows of some indices, and adds new rows after them."""
        spans = [self._model_rows[index] for index in staying]
        kept = [position for span in spans for position in range(span.start, span.stop)]
        hidden = [map_state(lambda part: part[:, kept], self._hidden)] if staying else []
        hidden += [row.hidden for row in joining]
        self.rows = [self.rows[index] for index in staying] + list(joining)
        if not self.rows:
            return self.clear()
        self._hidden = map_state(lambda *parts: torch.cat(parts, dim=1), *hidden)
        self._artist_inputs = torch.cat([row.artist_inputs for row in self.rows])
        self._readers = [row for row in self.rows for _ in range(len(row.artist_inputs))]
        stops = accumulate(len(row.artist_inputs) for row in self.rows)
        self._model_rows = [
            slice(stop - len(row.artist_inputs), stop) for row, stop in zip(self.rows, stops, strict=True)
        ]
        self._guided = [index for index, row in enumerate(self.rows) if row.guidance != 1]
        self._guidance = torch.tensor([[self.rows[index].guidance] for index in self._guided])
        self._sampling_groups = self._group_sampled_rows()
        self._measured = [index for index, row in enumerate(self.rows) if row.bits is not None]
        self._penalized = [index for index, row in enumerate(self.rows) if row.dry]
        self._recalling = [index for index, row in enumerate(self.rows) if row.recall]
        self._holding = [index for index, row in enumerate(self.rows) if row.held_units]

    @torch.inference_mode()
    def step(self) -> None:
        """Reads the last character of every row, and chooses the next."""
        labels = torch.tensor([row.read_next for row in self._readers], device=self._artist_inputs.device)
        inputs = self.stepper.table.index_select(0, labels).add_(self._artist_inputs)  # (R, G)
        model_logits, self._hidden = self.stepper.step(inputs, self._hidden, self._held_units())
        unguided, guided = self._guide(model_logits.cpu())  # (B, C) each
        banned = [row.banned_labels() for row in self.rows]
        chosen = self._choose(mask_labels(self._penalize_repeats(self._recall_sections(guided)), banned))
        for index in self._recalling:
            chosen[index] = self.rows[index].recall_label(int(chosen[index]), banned[index])
        bits = self._surprisals(unguided, chosen)
        for index, (row, label) in enumerate(zip(self.rows, chosen.tolist(), strict=True)):
            backtracked = row.advance(label, partial(self.row_hidden, index), bits.get(index, 0.0))
            if backtracked is not None:
                self._set_row_hidden(index, backtracked)

    def row_hidden(self, index: int) -> Hidden:
        """A copy of one row's hidden state (L, 1, H), of a guided one (L, 2, H)."""
        return map_state(lambda part: part[:, self._model_rows[index]].clone(), self._hidden)

    def _held_units(self) -> list[tuple[int, HeldUnit]]:
        """The model's rows whose prompt is read but for its last character, each with every unit that is held in it."""
        return [
            (position, held)
            for index in self._holding
            if not self.rows[index].reads_prompt
            for position in range(self._model_rows[index].start, self._model_rows[index].stop)
            for held in self.rows[index].held_units
        ]

    def _guide(self, logits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The logits of each row (B, C) without and with guidance, from those of the model's rows (R, C)."""
        if not self._guided:
            return logits, logits
        unguided = logits[[model_rows.start for model_rows in self._model_rows]]
        any_artist = logits[[self._model_rows[index].stop - 1 for index in self._guided]]
        guided = unguided.clone()
        guided[self._guided] = guide(unguided[self._guided], any_artist, self._guidance)
        return unguided, guided

    def _recall_sections(self, logits: torch.Tensor) -> torch.Tensor:
        """Logits (B, C) with the memory of the song so far mixed in where a section returns; else the same tensor."""
        active = [index for index in self._recalling if self.rows[index].recalls_section]
        if active:
            logits = logits.clone()
            for index in active:
                log_probs = self.rows[index].recall_log_probs(logits[index].log_softmax(dim=-1).numpy())
                logits[index] = torch.from_numpy(log_probs)
        return logits

    def _penalize_repeats(self, logits: torch.Tensor) -> torch.Tensor:
        """Logits (B, C) less the penalties of the rows with `dry`."""
        return subtract_penalties(logits, {index: self.rows[index].repeat_penalties() for index in self._penalized})

    def _choose(self, logits: torch.Tensor) -> torch.Tensor:
        """The next label of each row (B,), from logits (B, C)."""
        if len(self._sampling_groups) == 1 and len(self._sampling_groups[0].rows) == len(self.rows):
            return self._sampling_groups[0].sample(logits)
        chosen = argmax_label(logits)
        for group in self._sampling_groups:
            chosen[group.indices] = group.sample(logits[group.indices])
        return chosen

    def _surprisals(self, logits: torch.Tensor, chosen: torch.Tensor) -> dict[int, float]:
        """The bits of the chosen labels (B,) under logits (B, C), by the index of each measured row."""
        if not self._measured:
            return {}
        log_probs = logits[self._measured].log_softmax(dim=-1).gather(1, chosen[self._measured, None])
        bits = (-log_prob / math.log(2) for log_prob in log_probs[:, 0].tolist())
        return dict(zip(self._measured, bits, strict=True))

    def _group_sampled_rows(self) -> list["_SamplingGroup"]:
        """The rows that are sampled, by their filters."""
        groups = defaultdict(list)
        for index, row in enumerate(self.rows):
            if row.is_sampled:
                groups[row.filters].append(index)
        return [
            _SamplingGroup(
                [self.rows[index] for index in indices],
                torch.tensor(indices),
                torch.tensor([[self.rows[index].settings.temperature] for index in indices], dtype=torch.float64),
                filters,
            )
            for filters, indices in groups.items()
        ]

    def _set_row_hidden(self, index: int, hidden: Hidden) -> None:
        """Replaces one row's hidden state."""
        map_state(lambda part, of_row: part[:, self._model_rows[index]].copy_(of_row), self._hidden, hidden)


class _SamplingGroup(NamedTuple):
    """Rows that share their filters, so that they are sampled together."""

    rows: "list[_BatchRow]"
    indices: torch.Tensor  # of the rows in the batch
    temperatures: torch.Tensor  # float64 (rows, 1)
    filters: Filters

    def sample(self, logits: torch.Tensor) -> torch.Tensor:
        """The next label of each row (rows,), from logits (rows, C)."""
        uniform = torch.tensor([[row.uniform()] for row in self.rows], dtype=torch.float64)
        return sample_labels(next_probabilities(logits, self.temperatures, *self.filters), uniform)


class ContinuousBatch:
    """The running batch of one model: a queue of requests, and a worker thread that exits when it is idle.

    Args:
        model: in eval mode.
        max_size: rows of the batch; further requests wait.
    """

    def __init__(self, model: CharacterModel, max_size: int = MAX_BATCH_SIZE):
        self.model, self.max_size = model, max_size
        self._batch = RowBatch(model)
        self._waiting: deque[_BatchRow] = deque()
        self._joining: list[_BatchRow] = []  # off the queue, not yet in the batch
        self._change = threading.Condition()
        self._closing = False
        self._thread: threading.Thread | None = None

    def __len__(self) -> int:
        """Sequences that are generated or wait for a row."""
        with self._change:  # a row is in two of them while the batch is rebuilt
            return len({*self._batch.rows, *self._joining, *self._waiting})

    def stream(self, request: GenerationRequest, every: float = 0.0) -> Iterator[str]:
        """The lyric of a request (greedy or sampled) to this batch's model as it grows; see `stream_together`."""
        for outputs in stream_together([replace(request, batch=self)], every):
            yield outputs[0].text

    def join(self, request: GenerationRequest, grown: threading.Event, measured: bool = False) -> "_BatchRow":
        """Queues a request.

        Args:
            request: to this batch's model.
            grown: an event that is set whenever the output changes or ends.
            measured: whether the bits of the output are counted.
        """
        row = _BatchRow(request, self._batch.stepper, grown, measured)
        if row.ended.is_set():
            return row
        with self._change:
            if self._thread is None or not self._thread.is_alive():
                self._start()
            row.worker = self._thread
            self._waiting.append(row)
            self._change.notify()
        return row

    def close(self) -> None:
        """Ends the thread and the sequences that it generates; called when Python ends."""
        with self._change:
            thread, self._closing = self._thread, True
            self._change.notify()
        if thread:
            thread.join()

    def _start(self) -> None:
        """Starts the worker thread with an empty batch."""
        self._batch.clear()
        self._joining, self._closing = [], False
        self._thread = threading.Thread(target=self._run, name="lyricgen-batch", daemon=True)
        self._thread.start()
        atexit.register(self.close)  # a thread that is inside torch when Python ends would abort the process

    def _run(self) -> None:
        """The worker thread: a character for every row, again and again."""
        torch.set_num_threads(1)  # of this thread
        with torch.inference_mode():
            running = True
            while running:
                try:
                    running = self._admit()
                    if running:
                        self._batch.step()
                except Exception as error:  # the device failed: callers get the error, and may try elsewhere
                    self._fail_all(error)

    def _admit(self) -> bool:
        """Drops the rows that have ended, and takes in those that wait; returns False where the thread is to end."""
        staying = self._batch.unfinished()
        with self._change:
            while self._waiting and self._waiting[0].ended.is_set():
                self._waiting.popleft()
            if not staying and not self._waiting:
                self._batch.clear()
                self._change.wait_for(lambda: self._waiting or self._closing, IDLE_TIMEOUT)
            if self._closing or not (staying or self._waiting):
                self._stop()
                return False
            staying, preempted = self._preempt(staying)
            free = self.max_size - len(staying)
            self._joining = [self._waiting.popleft() for _ in range(min(len(self._waiting), free))]
            self._waiting.extend(preempted)
        if self._joining or len(staying) < len(self._batch.rows):
            self._rebuild_batch(staying)
        return True

    def _stop(self) -> None:
        """Ends all sequences, and forgets the thread."""
        self._fail_all(RuntimeError("the batch was closed"))
        self._thread = None
        atexit.unregister(self.close)

    def _fail_all(self, error: Exception) -> None:
        """Ends every sequence with an error, wherever it is: in the batch, in the queue, or between them."""
        with self._change:
            for row in (*self._batch.rows, *self._joining, *self._waiting):
                row.fail(error)
            self._batch.clear()
            self._joining = []
            self._waiting.clear()

    def _preempt(self, staying: list[int]) -> tuple[list[int], list["_BatchRow"]]:
        """Frees rows for waiting requests: of the rows that have used up their time slice, the longest running leave.

        Returns:
            The indices that still stay, and the rows that leave, each with its hidden state.
        """
        missing = len(self._waiting) - (self.max_size - len(staying))
        if missing <= 0:
            return staying, []
        rows = self._batch.rows
        done = sorted(
            (index for index in staying if rows[index].slice_steps >= TIME_SLICE),
            key=lambda index: -rows[index].slice_steps,
        )
        leaving = set(done[:missing])
        for index in leaving:
            rows[index].slice_steps, rows[index].hidden = 0, self._batch.row_hidden(index)
        return [index for index in staying if index not in leaving], [rows[index] for index in sorted(leaving)]

    def _rebuild_batch(self, staying: list[int]) -> None:
        """Moves the joining rows into the batch, beside those that stay."""
        self._batch.rebuild(staying, self._joining)
        self._joining = []


class _BatchRow(RowState):
    """A sequence in a batch, and the events that its caller waits for."""

    def __init__(self, request: GenerationRequest, stepper: FastStepper, grown: threading.Event, measured: bool):
        prompt_stepper = make_stepper(request, stepper)
        labels, hidden = prompt_stepper.begin(request.labels)
        super().__init__(request, labels, hidden, measured)
        self.settings, self.filters = request.settings, request.filters
        self.artist_inputs, self.guidance = prompt_stepper.inputs, request.guidance
        self.held_units = request.held_units
        self.slice_steps = 0  # steps since it joined the batch
        self.grown, self.ended = grown, threading.Event()
        self.worker: threading.Thread | None = None  # None: the caller's own
        self.error: Exception | None = None
        if self.finished:
            self.ended.set()

    def advance(self, label: int, hidden: Callable[[], Hidden], bits: float) -> Hidden | None:
        """`append`, reported to the caller."""
        if self.ended.is_set():
            return None
        self.slice_steps += 1
        length_before = len(self.output)
        backtracked = self.append(label, hidden, bits)
        if len(self.output) != length_before:
            if self.finished:
                self.ended.set()
            if not self.grown.is_set():
                self.grown.set()
        return backtracked

    def fail(self, error: Exception) -> None:
        """Ends the sequence with an error, unless it has ended."""
        if self.ended.is_set():
            return
        self.error = error
        self.ended.set()
        self.grown.set()

    def check_alive(self) -> None:
        """Fails the sequence if its worker thread is dead."""
        if self.worker is not None and not self.worker.is_alive():
            self.fail(RuntimeError("the thread of the batch has died"))


class _UnbatchedSequence:
    """A beam search, which shares its batch with no other sequence, stepped in the caller's thread."""

    bits = error = None

    def __init__(self, request: GenerationRequest, grown: threading.Event):
        stepper = make_stepper(request, FastStepper.for_model(request.model))
        start = Hypothesis(torch.tensor([request.labels], device=stepper.inputs.device))
        length = request.settings.max_length + 1  # the label that opens a song comes first
        settings = request.settings
        rejects = None if request.clean_words is None else request.clean_words.rejects_word
        self._steps = BeamDecodingStrategy(stepper).stream(start, length, settings.beam_size, settings.dry, rejects)
        self.prefix = self.text = request.prefix
        self.grown, self.ended = grown, threading.Event()

    def step(self) -> None:
        """Generates one more character."""
        best = next(self._steps, None)
        if best is None:
            self.ended.set()
        else:
            self.text = self.prefix + token_ids_to_str(best[0])
            self.grown.set()

    def check_alive(self) -> None:
        """Does nothing: its thread is the caller's own."""


def make_stepper(request: GenerationRequest, stepper: FastStepper) -> ArtistStepper | GuidedStepper:
    """The stepper of a request, in the style that it asks for."""
    artist = ArtistStepper(stepper, request.model, request.artist_mix)
    return artist if request.guidance == 1 else GuidedStepper(artist, request.guidance)


def stream_together(
    requests: Sequence[GenerationRequest], every: float = 0.0, measured: bool = False
) -> Iterator[list[GenerationOutput]]:
    """The lyrics of several requests as they grow, all of them each time; closing the iterator ends them.

    Args:
        requests: any requests. Those with a batch are generated there; the others in the caller's thread, those to
            one model in one batch.
        every: minimum seconds from one yield to the next; more where a batch is crowded.
        measured: whether bits are counted; beam search never counts them.

    Raises:
        RuntimeError: a device failed.
    """
    grown, sequences, local, sent, due = threading.Event(), [], _LocalBatches(), None, 0.0
    batches = [request.batch for request in requests if request.batch is not None]
    try:
        for request in requests:
            sequences.append(_start(request, grown, measured, local))
        while not _all_finished(sequences):
            if not local.step():
                _wait(grown, due, sequences)
            if not grown.is_set() or time.monotonic() < due or _all_finished(sequences):
                continue
            grown.clear()  # before the loop asks whether all have ended: what ends from here on sets it again
            sent = _outputs(sequences)
            yield sent
            crowd = max(map(len, batches), default=0)
            due = time.monotonic() + every * max(1.0, crowd / THROTTLE_FROM)
        if error := next((sequence.error for sequence in sequences if sequence.error), None):
            raise error
        if sent != (complete := _outputs(sequences)):
            yield complete
    finally:
        for sequence in sequences:
            sequence.ended.set()


class _LocalBatches:
    """The sequences generated in the caller's thread: one batch per model, and beam searches."""

    def __init__(self) -> None:
        self.batches: dict[CharacterModel, RowBatch] = {}
        self.unbatched: list[_UnbatchedSequence] = []

    def add(self, request: GenerationRequest, grown: threading.Event, measured: bool) -> _BatchRow:
        """Starts a request in the batch of its model."""
        if request.model not in self.batches:
            self.batches[request.model] = RowBatch(request.model)
        batch = self.batches[request.model]
        row = _BatchRow(request, batch.stepper, grown, measured)
        batch.rebuild(batch.unfinished(), [row])
        return row

    def step(self) -> bool:
        """Generates one more character of each sequence that has not ended; returns False if all have."""
        stepped = False
        for batch in self.batches.values():
            staying = batch.unfinished()
            if len(staying) < len(batch.rows):
                batch.rebuild(staying, [])
            if staying:
                batch.step()
                stepped = True
        for sequence in self.unbatched:
            if not sequence.ended.is_set():
                sequence.step()
                stepped = True
        return stepped


def _start(
    request: GenerationRequest, grown: threading.Event, measured: bool, local: _LocalBatches
) -> _BatchRow | _UnbatchedSequence:
    """Starts a request in its batch, or in the caller's thread."""
    if request.settings.strategy == "beam":
        local.unbatched.append(_UnbatchedSequence(request, grown))
        return local.unbatched[-1]
    if request.batch is None:
        return local.add(request, grown, measured)
    return request.batch.join(request, grown, measured)


def _outputs(sequences: Sequence[_BatchRow | _UnbatchedSequence]) -> list[GenerationOutput]:
    return [GenerationOutput(sequence.text, sequence.bits) for sequence in sequences]


def _all_finished(sequences: Sequence[_BatchRow | _UnbatchedSequence]) -> bool:
    """Whether no sequence will grow any more: all have ended, or a device has failed."""
    return all(sequence.ended.is_set() for sequence in sequences) or any(sequence.error for sequence in sequences)


def _wait(grown: threading.Event, due: float, sequences: Sequence[_BatchRow | _UnbatchedSequence]) -> None:
    """Waits until `due` or until all sequences have ended, then until one has grown, ended, or lost its thread."""
    for sequence in sequences:
        while (left := due - time.monotonic()) > 0 and not sequence.ended.wait(min(left, LIVENESS_INTERVAL)):
            sequence.check_alive()
    while not grown.wait(LIVENESS_INTERVAL):
        for sequence in sequences:
            sequence.check_alive()
