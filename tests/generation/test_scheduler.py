"""Continuous batching: each lyric as it would be alone, time slices, preemption, failures, and freed rows."""

import math
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from dataclasses import replace

import pytest
import torch

from lyricgen import load_model
from lyricgen.generation import scheduler
from lyricgen.generation.api import write_together
from lyricgen.generation.decoding import BeamDecodingStrategy, GreedyDecodingStrategy, Hypothesis
from lyricgen.generation.fast_stepper import LONG_PREFIX, FastStepper, GuidedStepper
from lyricgen.generation.request import GenerationRequest
from lyricgen.generation.scheduler import ContinuousBatch, stream_together
from lyricgen.generation.settings import GenerationSettings
from lyricgen.models.networks import VanillaRNN
from lyricgen.models.text import read_labels
from lyricgen.models.vocabulary import START_LABEL, string_to_labels, token_ids_to_str


@pytest.fixture(scope="module", params=["lstm", "vanilla-rnn"])
def model(request):
    return load_model(request.param)


@pytest.fixture
def batch(model):
    running = ContinuousBatch(model)
    yield running
    running.close()


@pytest.fixture
def small():
    """A small model, and its batch of two rows."""
    torch.manual_seed(0)
    running = ContinuousBatch(VanillaRNN(hidden_size=16, artists=["Ada Lark"]).eval(), max_size=2)
    yield running
    running.close()


@pytest.fixture
def short_slices(monkeypatch):
    """A row can be preempted after 50 characters."""
    monkeypatch.setattr(scheduler, "TIME_SLICE", 50)


def make(batch: ContinuousBatch, prefix: str = "", **settings) -> GenerationRequest:
    """A request to a batch."""
    return GenerationRequest(batch.model, prefix, GenerationSettings(**settings), batch=batch)


def text_alone(request: GenerationRequest) -> str:
    """The lyric of a request in the caller's thread."""
    return write_together([replace(request, batch=None)])[0]


def some_requests(model, count: int) -> list[GenerationRequest]:
    """Requests that differ in everything."""
    return [
        GenerationRequest(
            model,
            "the sea " * (number % 14),  # the longest are read in one pass
            GenerationSettings(
                artist=[None, "Drake", "coldplay"][number % 3],
                strategy=["sample", "greedy"][number % 5 == 0],
                temperature=0.4 + 0.1 * (number % 7),
                top_k=[0, 10][number % 2],
                top_p=[1.0, 1.0, 0.9][number % 3],
                min_p=[0.0, 0.0, 0.0, 0.05][number % 4],
                typical_p=[1.0, 0.9, 1.0, 1.0, 1.0][number % 5],
                guidance=[1.0, 2.5][number % 2],
                second_artist=[None, "Eminem"][number % 3 and number % 4 == 0],
                max_length=8 * (number % 14) + 30 + 3 * number,
                seed=number,
            ),
        )
        for number in range(count)
    ]


def in_threads(batch: ContinuousBatch, requests: list[GenerationRequest], pause: float = 0.0) -> list[list[str]]:
    """All that each request was sent, when they run together and begin `pause` seconds after each other."""
    sent = [[] for _ in requests]
    threads = [
        threading.Thread(target=lambda at=at, request=request: sent[at].extend(batch.stream(request)))
        for at, request in enumerate(requests)
    ]
    for thread in threads:
        thread.start()
        time.sleep(pause)
    for thread in threads:
        thread.join(60)
    return sent


def read_in_thread(request: GenerationRequest, every: float = 0.0) -> Future:
    """All texts of a request, read in a thread that a test does not wait for when it hangs."""
    texts = Future()

    def read() -> None:
        try:
            texts.set_result([output.text for (output,) in stream_together([request], every)])
        except Exception as error:
            texts.set_exception(error)

    threading.Thread(target=read, daemon=True).start()
    return texts


def wait_until(true, seconds: float = 5.0) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not come true"
        time.sleep(0.005)


def test_each_lyric_is_the_one_that_it_would_be_alone_whoever_else_is_there(model, batch):
    requests = some_requests(model, 24)
    assert any(len(request.prefix) > LONG_PREFIX for request in requests)
    alone = list(map(text_alone, requests))
    assert [texts[-1] for texts in in_threads(batch, requests, pause=0.01)] == alone
    assert [texts[-1] for texts in in_threads(batch, requests[::-1])] == alone[::-1]


def test_a_lyric_grows_and_ends_whole(small):
    request = make(small, "Ab ", max_length=400, seed=2)
    texts = list(small.stream(request))
    assert all(text.startswith("Ab ") for text in texts) and len(texts) > 2
    assert [len(text) for text in texts] == sorted(len(text) for text in texts)
    assert len(texts[-1]) == 400
    assert all(texts[-1].startswith(text) for text in texts)


def test_a_prefix_that_fills_the_lyric_is_the_lyric(small):
    assert list(small.stream(make(small, "abc", max_length=3))) == ["abc"]
    assert len(small) == 0


def test_a_text_is_sent_no_more_often_than_asked(small):
    request = make(small, max_length=5_000)
    began = time.monotonic()
    texts = list(small.stream(request, every=0.1))
    assert len(texts) <= 2 + (time.monotonic() - began) / 0.1


def test_a_short_lyric_does_not_wait_for_long_ones(small, short_slices):
    order = []

    def write(name: str, length: int) -> None:
        for _ in small.stream(make(small, max_length=length)):
            pass
        order.append(name)

    long = [threading.Thread(target=write, args=(f"long {number}", 1_000)) for number in range(2)]
    for thread in long:
        thread.start()
    wait_until(lambda: len(small._batch.rows) == 2)
    short = threading.Thread(target=write, args=("short", 20))
    short.start()
    for thread in (*long, short):
        thread.join(60)
    assert order[0] == "short" and set(order) == {"short", "long 0", "long 1"}


def test_who_made_room_goes_on_where_it_was(small, short_slices):
    requests = [make(small, "so ", max_length=180, temperature=1.0, seed=seed) for seed in range(5)]
    alone = [list(small.stream(request))[-1] for request in requests]
    assert [texts[-1] for texts in in_threads(small, requests)] == alone


def test_a_place_is_free_at_once_when_the_reader_goes(small):
    readers = [small.stream(make(small, max_length=5_000)) for _ in range(2)]
    for reader in readers:
        next(reader)
    readers[0].close()
    wait_until(lambda: len(small) == 1, 0.5)
    readers[1].close()
    wait_until(lambda: len(small) == 0, 0.5)


def test_a_device_failure_reaches_all_callers_and_the_batch_survives(small, monkeypatch):
    def fail(*_):
        raise torch.OutOfMemoryError("no memory left")

    readers = [small.stream(make(small, max_length=5_000, seed=seed)) for seed in range(2)]
    for reader in readers:
        next(reader)
    with monkeypatch.context() as broken:
        broken.setattr(small._batch.stepper, "step", fail)
        for reader in readers:
            with pytest.raises(torch.OutOfMemoryError):
                list(reader)
    assert len(list(small.stream(make(small, max_length=20)))[-1]) == 20


@pytest.mark.parametrize("broken", ["_preempt", "_rebuild_batch"])
def test_a_failure_while_requests_are_admitted_reaches_all_of_them(small, monkeypatch, broken):
    monkeypatch.setattr(small, broken, lambda *_: 1 / 0)
    for _ in range(2):
        sent = read_in_thread(make(small, max_length=20))
        with pytest.raises(ZeroDivisionError):
            sent.result(10)
    assert len(small) == 0


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_caller_notices_that_the_thread_of_the_batch_has_died(small, monkeypatch):
    monkeypatch.setattr(scheduler, "LIVENESS_INTERVAL", 0.05)
    with monkeypatch.context() as broken:
        broken.setattr(small, "_admit", sys.exit)
        for every in (0.0, 60.0):
            with pytest.raises(RuntimeError, match="the thread of the batch has died"):
                read_in_thread(make(small, max_length=20), every).result(10)
    assert len(read_in_thread(make(small, max_length=20)).result(10)[-1]) == 20  # a new thread serves the next


def test_a_lyric_that_ends_while_its_growth_is_reported_is_not_waited_for(small, monkeypatch):
    clearing, step = threading.Event(), small._batch.step

    class SlowlyCleared(threading.Event):
        """Is cleared only after the sequence has ended."""

        def clear(self) -> None:
            clearing.set()
            wait_until(lambda: not small._batch.unfinished())
            super().clear()

    def step_once_then_wait() -> None:
        step()
        if small._batch.rows[0].output:
            clearing.wait(10)

    monkeypatch.setattr(small._batch, "step", step_once_then_wait)
    monkeypatch.setattr(scheduler.threading, "Event", SlowlyCleared)
    assert len(read_in_thread(make(small, max_length=3)).result(10)[-1]) == 3


def test_a_lyric_alone_starts_no_thread(small, monkeypatch):
    monkeypatch.setattr(threading, "Thread", None)
    for strategy in ("sample", "greedy", "beam"):
        assert len(text_alone(make(small, strategy=strategy, max_length=20))) == 20
    assert len(write_together([replace(make(small, max_length=20), batch=None)] * 3)) == 3


def test_the_thread_ends_when_idle_and_starts_again(small, monkeypatch):
    monkeypatch.setattr(scheduler, "IDLE_TIMEOUT", 0.05)
    for _ in range(2):
        assert len(list(small.stream(make(small, max_length=20)))[-1]) == 20
        wait_until(lambda: small._thread is None)


def test_lyrics_of_two_batches_and_a_beam_grow_together_each_as_alone(small):
    other = ContinuousBatch(VanillaRNN(hidden_size=8).eval())
    asked = [
        make(small, "Ab ", max_length=200, seed=2),
        make(other, "Ab ", max_length=120, seed=2),
        make(small, "Ab ", strategy="beam", max_length=60),
        replace(make(small, "Ab ", max_length=90, seed=3), batch=None),
    ]
    sent = list(stream_together(asked))
    assert len(sent) > 2 and [lyric.text for lyric in sent[-1]] == list(map(text_alone, asked))
    for alone in zip(*sent, strict=True):
        assert [len(lyric.text) for lyric in alone] == sorted(len(lyric.text) for lyric in alone)
    assert {lyric.bits for lyrics in sent for lyric in lyrics} == {None}
    other.close()


def test_a_beam_is_sent_no_more_often_than_asked(small):
    request = make(small, strategy="beam", max_length=400)
    began = time.monotonic()
    texts = [lyric.text for (lyric,) in stream_together([request], every=0.1)]
    assert len(texts) <= 2 + (time.monotonic() - began) / 0.1
    assert texts[-1] == text_alone(request)


class OddWords:
    """A guard that rejects words of an even length, so that a sequence often backtracks, to its very start too."""

    start = 1

    def after(self, state: int, text: str) -> int:
        return len(text)

    def rejects(self, state: int) -> bool:
        return state % 2 == 0

    def banned_labels(self, state: int, partial_word: str) -> list[int]:
        return []


@pytest.mark.parametrize("guidance", [1.0, 3.0])
@pytest.mark.parametrize("prefix", ["", "Ab ", "so it goes " * 8])
@pytest.mark.parametrize("guards", [(), (OddWords(),)])
def test_measured_bits_are_those_of_the_module_for_what_is_written(small, prefix, guards, guidance):
    settings = {"artist": "Ada Lark", "guidance": guidance, "max_length": 140}
    requests = [
        replace(make(small, prefix, seed=seed, temperature=0.3 + seed, **settings), guards=guards) for seed in range(2)
    ]
    *_, lyrics = stream_together(requests, measured=True)
    for lyric in lyrics:
        labels = torch.tensor([[START_LABEL, *read_labels(prefix), *string_to_labels(lyric.text[len(prefix) :])]])
        with torch.no_grad():
            logits, _ = small.model(labels[:, :-1], None, artists=torch.tensor([0]))  # without guidance
        nats = torch.nn.functional.cross_entropy(logits[0], labels[0, 1:], reduction="none")
        assert lyric.bits == pytest.approx(float(nats[len(prefix) :].sum()) / math.log(2), rel=1e-4)


def test_a_guided_lyric_that_backtracks_is_the_same_alone_and_in_company(small, short_slices):
    """Two rows of the model belong to it, which preemption and backtracking keep together."""
    styles = [{"artist": "Ada Lark", "guidance": 1 + number} for number in range(3)] + [{}]
    requests = [
        replace(make(small, max_length=150, seed=seed, temperature=1.0, **style), guards=(OddWords(),))
        for style in styles
        for seed in range(2)
    ]
    alone = list(map(text_alone, requests))
    assert len(set(alone)) == len(alone)
    assert write_together([replace(request, batch=None) for request in requests]) == alone
    assert [texts[-1] for texts in in_threads(small, requests)] == alone  # in turns, in a batch of two rows


def test_greedy_and_beam_are_guided_as_the_decoding_strategies_guide(sharp_model):
    stepper = GuidedStepper(FastStepper.of(sharp_model, 0), 3.0)
    start = Hypothesis(torch.tensor([[START_LABEL, *string_to_labels("ab ")]]))
    expected = {
        "greedy": GreedyDecodingStrategy(stepper).decode(start, 41)[0],
        "beam": BeamDecodingStrategy(stepper).decode(start, 41)[0],
    }
    for strategy, hypothesis in expected.items():
        settings = GenerationSettings(strategy=strategy, artist="Ada Lark", guidance=3, max_length=40)
        request = GenerationRequest(sharp_model, "Ab ", settings)
        guided = text_alone(request)
        assert guided[3:] == token_ids_to_str(hypothesis.token_ids[0, 4:])
        assert guided != text_alone(request.with_settings(guidance=1))


def test_who_stops_reading_several_frees_all_their_places(small):
    reader = stream_together([make(small, max_length=5_000, seed=seed) for seed in range(2)])
    next(reader)
    assert len(small) == 2
    reader.close()
    wait_until(lambda: len(small) == 0, 0.5)


def test_where_one_of_several_cannot_begin_the_others_end_too(small, monkeypatch):
    other = ContinuousBatch(VanillaRNN(hidden_size=8).eval())
    monkeypatch.setattr(other, "join", lambda *_: 1 / 0)
    asked = [make(small, max_length=5_000), make(other)]
    with pytest.raises(ZeroDivisionError):
        list(stream_together(asked))
    wait_until(lambda: len(small) == 0, 0.5)


def test_python_ends_well_in_the_middle_of_a_lyric():
    program = (
        "from lyricgen.generation.scheduler import *; from lyricgen.generation.request import *; from lyricgen import load_model;"
        "batch = ContinuousBatch(load_model('lstm')); settings = GenerationSettings(max_length=5000);"
        "lyric = batch.stream(GenerationRequest(batch.model, '', settings)); print(len(next(lyric)) > 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr
