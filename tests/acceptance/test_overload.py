"""Overload is an answer: users in a closed loop get results or 'queue is full', and leave nothing behind."""

import random
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from benchmarks.soak import LEFT, LOAD, QUEUE_FULL, REFUSED, RESULT, VERSE, Load, call

SETTLED = 60  # seconds after a load in which memory and threads must be back
MOST_GROWTH = 100e6  # bytes


@pytest.fixture
def settles(app, app_url):
    """Fails where memory or threads do not return after the test. Each call is made once before: the app loads some parts late."""
    with httpx.Client(base_url=app_url, timeout=120, trust_env=False) as client:
        for name, values in LOAD:
            call(client, name, values)
        memory, threads = app.memory, app.threads
        yield
        until = time.monotonic() + SETTLED
        while (app.memory > memory + MOST_GROWTH or app.threads > threads + 16) and time.monotonic() < until:
            time.sleep(3)
            assert call(client, "analogy", ["man", "king", "woman", 1]) == RESULT  # a call ends threads without work
    assert app.memory - memory < MOST_GROWTH, (memory, app.memory)
    assert app.threads - threads <= 16, (threads, app.threads)


def test_every_user_gets_results_or_a_full_queue(app_url, settles, size):
    load = Load(app_url, seed=1).run(size(40, 100), size(20, 60))
    assert set(load.outcomes) <= {RESULT, REFUSED, QUEUE_FULL, LEFT}, load.outcomes
    assert load.outcomes[RESULT] > 20
    print(dict(load.outcomes), f"/config p95 {load.config_p95:.3f} s")  # shown by pytest -s


def test_a_full_queue_refuses_in_a_sentence_and_empties(app_url):
    """Slow calls hold the two places of the analyses, so that calls without a text wait; each is of a user who never asks for the answer."""
    calls = [VERSE * 50] * 6 + [""] * 140
    with httpx.Client(base_url=app_url, timeout=60, trust_env=False) as client, ThreadPoolExecutor(16) as pool:
        joined = list(pool.map(lambda text: client.post("/gradio_api/call/score", json={"data": [text]}), calls))
        assert {each.status_code for each in joined} == {200, 503}
        assert all("Queue is full" in each.text for each in joined if each.status_code == 503)
        until = time.monotonic() + 60
        while client.get("/gradio_api/queue/status").json()["queue_size"]:
            assert time.monotonic() < until
            time.sleep(0.2)
        assert call(client, "score", [VERSE]) == RESULT


def test_no_place_is_lost_by_users_who_go_away(app_url, size):
    """More users than there are places join, and leave at random moments; the next is answered at once."""
    choose = random.Random(3)
    with httpx.Client(base_url=app_url, timeout=60, trust_env=False) as client:
        for _ in range(size(50, 200)):
            body = {"data": ["a ", "any artist", "lstm", "sample", 0.7, 0, 1, 5_000]}
            event = client.post("/gradio_api/call/generate", json=body).json()["event_id"]
            with client.stream("GET", f"/gradio_api/call/generate/{event}"):
                time.sleep(choose.random() / 20)
        for name, values in (("generate", ["a ", "any artist", "lstm", "sample", 0.7, 0, 1, 20]), ("score", [VERSE])):
            assert call(client, name, values) == RESULT
        assert client.get("/gradio_api/queue/status").json()["queue_size"] == 0


def test_visitors_leave_no_memory_and_a_live_page_goes_on(app, app_url, size):
    """gradio kept 400 kB of each of 10,000 visitors. A page whose session was evicted meanwhile must go on."""
    with httpx.Client(base_url=app_url, timeout=60, trust_env=False) as client:

        def of_a_live_page() -> str:
            index = next(
                each["id"] for each in client.get("/config").json()["dependencies"] if each["api_name"] == "analogy"
            )
            body = {"data": ["man", "king", "woman", 1], "fn_index": index, "session_hash": "alivepage"}
            client.post("/gradio_api/queue/join", json=body).raise_for_status()
            return client.get("/gradio_api/queue/data", params={"session_hash": "alivepage"}).text

        assert "queen" in of_a_live_page()
        memory = []
        for number in range(size(180, 1_000)):
            assert call(client, "analogy", ["man", "king", "woman", 1]) == RESULT
            if number == 60:  # the sessions that are kept
                memory.append(app.memory)
        assert app.memory - memory[0] < 20e6, (memory, app.memory)
        assert "queen" in of_a_live_page()


def test_an_idle_app_leaves_the_processor_alone(app, app_url):
    """gradio looks for requests a thousand times a second, which takes a core 8 % of its time."""
    with httpx.Client(base_url=app_url, timeout=60, trust_env=False) as client:
        assert call(client, "analogy", ["man", "king", "woman", 1]) == RESULT
    time.sleep(1)
    before = app.processor_seconds
    time.sleep(4)
    assert app.processor_seconds - before < 4 * 0.05


def test_large_inputs_are_freed(app, app_url):
    """Twenty inputs that were kept would take 38 MB or more. The app returns freed memory while it is idle."""
    with httpx.Client(base_url=app_url, timeout=60, trust_env=False) as client:
        call(client, "score", ["x" * 1_900_000])
        memory = app.memory
        for _ in range(20):
            assert call(client, "score", ["x" * 1_900_000]) == REFUSED
    until = time.monotonic() + SETTLED
    while app.memory - memory >= 20e6 and time.monotonic() < until:
        time.sleep(1)
    assert app.memory - memory < 20e6, (memory, app.memory)
