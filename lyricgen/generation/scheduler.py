"""Lyrics that are asked for at the same time, written in one batch: each joins and leaves it at any character.

Shapes: B rows of the batch, G gates of the first layer, C = 100 classes.
"""

import atexit
import math
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

import torch

from lyricgen.generation.decoding import MIN_TEMPERATURE, argmax_label, mask_labels, next_probabilities, pick
from lyricgen.generation.fast_stepper import ArtistStepper, FastStepper
from lyricgen.generation.request import GenerationRequest, make_request
from lyricgen.generation.sequence import RowState
from lyricgen.models.networks import CharacterModel, Hidden, map_state

MAX_BATCH_SIZE = 64  # lyrics in the batch; more wait for a place, and those that have had it longest make room
TIME_SLICE = 250  # characters that a lyric may write before it makes room for one that waits
THROTTLE_FROM = 8  # lyrics from which on each is told of its growth less often
IDLE_TIMEOUT = 5.0  # seconds without a lyric after which the thread ends


class ContinuousBatch:
    """The running batch of one model, in a thread of its own that lives while there is something to write.

    A lyric depends on its own settings and seed alone, not on who else is there: where the model runs in bfloat16
    (see `FastStepper`) to the last bit; in float32 a rounding could in rare cases tip a letter that is nearly tied.

    Args:
        model: in eval mode.
        rows: lyrics that are written side by side.
    """

    def __init__(self, model: CharacterModel, rows: int = MAX_BATCH_SIZE):
        self.model, self.rows = model, rows
        self.stepper = FastStepper.of(model).stepper
        self._waiting: deque[_Lyric] = deque()
        self._running: list[_Lyric] = []
        self._hidden: Hidden | None = None  # of the running ones, in their order
        self._change = threading.Condition()
        self._closing = False
        self._thread: threading.Thread | None = None

    def __len__(self) -> int:
        """Lyrics that are being written or wait for a place."""
        return len(self._running) + len(self._waiting)

    def stream(self, request: GenerationRequest, every: float = 0.0) -> Iterator[str]:
        """The lyric of a request (greedy or sampled) as it grows, the prefix as typed; closing it frees the place.

        Args:
            request: of this batch's model.
            every: seconds from one text to the next, at least; more where many are written.

        Raises:
            RuntimeError: the device failed.
        """
        for (lyric,) in stream_together([(request, self)], every):
            yield lyric.text

    def join(self, request: GenerationRequest, grown: threading.Event, measured: bool = False) -> "_Lyric":
        """Begins the lyric of a request; `grown` is set whenever it has a letter more; `measured`: its bits count."""
        lyric = _Lyric(request, self.stepper, grown)
        lyric.bits = 0.0 if measured else None
        if lyric.ended.is_set():
            return lyric
        with self._change:
            self._waiting.append(lyric)
            if self._thread is None:
                self._closing = False
                self._thread = threading.Thread(target=self._run, name="lyricgen-batch", daemon=True)
                self._thread.start()
                atexit.register(self.close)  # a thread that is inside torch when Python ends would abort the process
            self._change.notify()
        return lyric

    def close(self) -> None:
        """Ends the thread, and with it what is being written; Python does so when it ends."""
        with self._change:
            thread, self._closing = self._thread, True
            self._change.notify()
        if thread:
            thread.join()

    def _run(self) -> None:
        """The thread: a character for every row, again and again."""
        torch.set_num_threads(1)  # of this thread
        with torch.inference_mode():
            going = True
            while going:
                try:
                    going = self._admit() and self._step()
                except Exception as error:  # the device; whoever waits is told, and may start again elsewhere
                    for lyric in self._running:
                        lyric.end(error)
                    self._running, self._hidden = [], None

    def _admit(self) -> bool:
        """Lets go what has ended, and takes in what waits; returns False where the thread is to end."""
        staying = [row for row, lyric in enumerate(self._running) if not lyric.ended.is_set()]
        with self._change:
            while self._waiting and self._waiting[0].ended.is_set():
                self._waiting.popleft()
            if not staying and not self._waiting:
                self._running, self._hidden = [], None
                self._change.wait_for(lambda: self._waiting or self._closing, IDLE_TIMEOUT)
            if self._closing or not (staying or self._waiting):
                for lyric in (*self._running, *self._waiting):
                    lyric.end(RuntimeError("the batch was closed"))
                self._running, self._hidden, self._thread = [], None, None
                self._waiting.clear()
                atexit.unregister(self.close)
                return False
            coming = [self._waiting.popleft() for _ in range(min(len(self._waiting), self.rows - len(staying)))]
            if self._waiting:
                staying, put_back = self._make_room(staying)
                coming += [
                    self._waiting.popleft()
                    for _ in range(min(len(self._waiting), self.rows - len(staying) - len(coming)))
                ]
                self._waiting.extend(put_back)
        if coming or len(staying) < len(self._running):
            self._arrange(staying, coming)
        return True

    def _make_room(self, staying: list[int]) -> tuple[list[int], list["_Lyric"]]:
        """Takes as many rows as there are lyrics waiting from those that have had their turn, the longest first."""
        had = sorted(
            (row for row in staying if self._running[row].turn >= TIME_SLICE), key=lambda row: -self._running[row].turn
        )
        leaving = set(had[: len(self._waiting)])
        for row in leaving:
            lyric = self._running[row]
            lyric.turn, lyric.hidden = 0, self._row(row)
        return [row for row in staying if row not in leaving], [self._running[row] for row in sorted(leaving)]

    def _arrange(self, staying: list[int], coming: list["_Lyric"]) -> None:
        """Puts together the hidden states of those that stay and those that come."""
        self._running = [self._running[row] for row in staying] + coming
        parts = [map_state(lambda part: part[:, staying], self._hidden)] if staying else []
        parts += [lyric.hidden for lyric in coming]
        if isinstance(parts[0], tuple):
            self._hidden = tuple(torch.cat(states, dim=1) for states in zip(*parts, strict=True))
        else:
            self._hidden = torch.cat(parts, dim=1)
        for lyric in coming:
            lyric.hidden = None
        self._tables = torch.tensor([lyric.artist for lyric in self._running])
        self._groups = self._group()
        self._measured = [row for row, lyric in enumerate(self._running) if lyric.bits is not None]

    def _group(self) -> list[tuple[torch.Tensor, torch.Tensor, int, float]]:
        """Rows that are sampled, by `top_k` and `top_p`: which they are, and their temperatures (rows, 1)."""
        groups = defaultdict(list)
        for row, lyric in enumerate(self._running):
            if lyric.temperature > MIN_TEMPERATURE:
                groups[lyric.top_k, lyric.top_p].append(row)
        return [
            (
                torch.tensor(rows),
                torch.tensor([[self._running[row].temperature] for row in rows], dtype=torch.float64),
                top_k,
                top_p,
            )
            for (top_k, top_p), rows in groups.items()
        ]

    def _step(self) -> bool:
        """Reads the last character of every row, and chooses the next; True."""
        running, device = self._running, self.stepper.table.device
        labels = torch.tensor([lyric.read_next for lyric in running], device=device)
        inputs = self.stepper.table[labels] + self.stepper.artist_table[self._tables.to(device)]
        logits, self._hidden = self.stepper.step(inputs, self._hidden)
        allowed = mask_labels(logits, [lyric.forbidden for lyric in running])
        chosen = argmax_label(allowed).cpu()
        for rows, temperatures, top_k, top_p in self._groups:
            probabilities = next_probabilities(allowed[rows.to(device)].cpu(), temperatures, top_k, top_p)
            uniform = torch.tensor([[running[row].uniform()] for row in rows.tolist()], dtype=torch.float64)
            chosen[rows] = pick(probabilities, uniform)
        bits = [0.0] * len(running)
        if self._measured:
            nats = logits[self._measured].cpu().log_softmax(dim=-1).gather(1, chosen[self._measured, None])
            for row, one in zip(self._measured, nats[:, 0].tolist(), strict=True):
                bits[row] = -one / math.log(2)
        for row, (lyric, label, cost) in enumerate(zip(running, chosen.tolist(), bits, strict=True)):
            back = lyric.went_on(label, partial(self._row, row), cost)
            if back is not None:
                self._put_row(row, back)
        return True

    def _row(self, row: int) -> Hidden:
        """A copy of one row's hidden state."""
        return map_state(lambda part: part[:, row : row + 1].clone(), self._hidden)

    def _put_row(self, row: int, hidden: Hidden) -> None:
        """Makes one row's hidden state another."""
        both = zip(self._hidden, hidden, strict=True) if isinstance(hidden, tuple) else [(self._hidden, hidden)]
        for part, other in both:
            part[:, row : row + 1] = other


class _Lyric(RowState):
    """A draft in a batch: with its place there, and word for whoever waits for it."""

    def __init__(self, request: GenerationRequest, stepper: FastStepper, grown: threading.Event):
        artist = request.artist_label
        labels, hidden = ArtistStepper(stepper, request.model, artist).begin(request.labels)
        super().__init__(*request.draft(labels, hidden))
        self.temperature = 0.0 if request.strategy == "greedy" else request.temperature
        self.top_k, self.top_p = request.top_k, request.top_p
        self.artist = request.model.any_artist if artist is None else artist
        self.turn = 0  # characters since it has its place
        self.grown, self.ended = grown, threading.Event()
        self.error: Exception | None = None
        if self.whole:
            self.ended.set()

    def went_on(self, label: int, hidden: Callable[[], Hidden], bits: float) -> Hidden | None:
        """Takes the next character, see `take`; who waits is told."""
        if self.ended.is_set():
            return None
        self.turn += 1
        before = len(self.written)
        back = self.take(label, hidden, bits)
        if len(self.written) != before:
            if self.whole:
                self.ended.set()
            self.grown.set()
        return back

    def end(self, error: Exception) -> None:
        """Tells whoever waits that it will not go on."""
        if self.ended.is_set():
            return
        self.error = error
        self.ended.set()
        self.grown.set()


class _Alone:
    """A lyric that no batch writes, a beam say: it grows by a letter whenever it is told to."""

    def __init__(self, request: GenerationRequest):
        self.steps, self.text, self.ended = request.stream(), request.prefix, threading.Event()
        self.bits = self.error = None

    def grow(self) -> None:
        """One letter more."""
        try:
            self.text = next(self.steps)
        except StopIteration:
            self.ended.set()


class Written(NamedTuple):
    """A lyric so far."""

    text: str
    """The prefix as typed, and what is written."""
    bits: float | None
    """What the model needed to be told of what is written, before any temperature; None where it is not measured."""


def stream_together(
    asked: Sequence[tuple[GenerationRequest, ContinuousBatch | None]], every: float = 0.0, measured: bool = False
) -> Iterator[list[Written]]:
    """Several lyrics as they grow, all of them each time; closing it ends them.

    Args:
        asked: requests, each with the batch of its model; with None it is written here, in the caller's thread.
        every: seconds from one yield to the next, at least; more where many are written.
        measured: whether bits are counted, in a batch that is.

    Raises:
        RuntimeError: a device failed.
    """
    grown, lyrics, sent, due = threading.Event(), [], None, 0.0
    try:
        for request, batch in asked:
            lyrics.append(_Alone(request) if batch is None else batch.join(request, grown, measured))
        while not _all_over(lyrics):
            here = [lyric for lyric in lyrics if isinstance(lyric, _Alone) and not lyric.ended.is_set()]
            for lyric in here:
                lyric.grow()
            if not here:
                _wait_until(due, lyrics)
                grown.wait()
                grown.clear()
            if time.monotonic() >= due and not _all_over(lyrics):
                sent = [Written(lyric.text, lyric.bits) for lyric in lyrics]
                yield sent
                crowd = max((len(batch) for _, batch in asked if batch is not None), default=0)
                due = time.monotonic() + every * max(1.0, crowd / THROTTLE_FROM)
        if error := next((lyric.error for lyric in lyrics if lyric.error), None):
            raise error
        if sent != (whole := [Written(lyric.text, lyric.bits) for lyric in lyrics]):
            yield whole
    finally:
        for lyric in lyrics:
            lyric.ended.set()


def _all_over(lyrics: Sequence[_Lyric | _Alone]) -> bool:
    """Whether none will grow any more: all have ended, or a device has failed."""
    return all(lyric.ended.is_set() for lyric in lyrics) or any(lyric.error for lyric in lyrics)


def _wait_until(due: float, lyrics: Sequence[_Lyric | _Alone]) -> None:
    """Waits for a moment, or for all lyrics to have ended, if that is sooner."""
    for lyric in lyrics:
        lyric.ended.wait(max(0.0, due - time.monotonic()))


def generate_variants(prefix: str = "", *, variants: int = 4, **settings) -> list[str]:
    """Several lyrics of one request, written in one batch: the first has the request's seed, each further one the next.

    Args:
        prefix: how they begin.
        variants: how many, 1 to 16; above 1 only where letters are sampled.
        settings: those of `generate_lyrics`, which writes each of them with its seed.

    Raises:
        ArgumentError, ModelError: as `generate_lyrics`.
    """
    return write_together(make_request(prefix, **settings).variants(variants))


def write_together(requests: Sequence[GenerationRequest]) -> list[str]:
    """The finished lyrics of some requests to one model, in one batch; a single one in the caller's thread."""
    if len(requests) == 1:
        return [requests[0].text()]
    batch = ContinuousBatch(requests[0].model)
    try:
        *_, lyrics = stream_together([(request, batch) for request in requests], every=1.0)
    finally:
        batch.close()
    return [lyric.text for lyric in lyrics]
