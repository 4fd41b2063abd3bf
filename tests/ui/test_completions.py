"""`/v1/completions` of the real app over HTTP."""

import json

import httpx
import pytest

from lyricgen.endpoints.completions import completions
from lyricgen.resources import Resources
from lyricgen.ui.completions import REFUSED

BODY = {"model": "vanilla-rnn", "prompt": "the sea ", "max_tokens": 12, "seed": 3, "n": 2, "echo": True, "logprobs": 2}


def post(app_url: str, **arguments) -> tuple[int, dict]:
    """The status and the body of the answer to a request."""
    answer = httpx.post(f"{app_url}/v1/completions", timeout=60, **arguments)
    return answer.status_code, answer.json()


def test_the_answer_is_the_endpoints(app_url):
    status, answer = post(app_url, json=BODY)
    assert status == 200 and answer["choices"] == completions(Resources(device="cpu"), BODY)["choices"]


@pytest.mark.parametrize("prompt", ["the event: tonight ", "event: complete\ndata: [] ", "half a pair \ud83d "])
def test_any_prompt_is_completed(app_url, prompt):
    status, answer = post(app_url, content=json.dumps({**BODY, "prompt": prompt}))
    text = prompt.encode("utf-8", "replace").decode().replace("?", "\ufffd")
    assert status == 200 and all(each["text"].startswith(text) for each in answer["choices"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"json": {**BODY, "n": 0}}, "n must be a whole number from 1 to 16, got 0"),
        ({"json": {**BODY, "prompt": "<b>", "model": "<b>"}}, "model must be one of lstm, vanilla-rnn; got '<b>'"),
        ({"json": {**BODY, "model": "event: "}}, "model must be one of lstm, vanilla-rnn; got 'event: '"),
        ({"content": b'{"temperature": NaN}'}, "temperature must be a number from 0 to 100, got 'NaN'"),
        ({"json": [BODY]}, "the body must be a JSON object"),
        ({"content": b"{\xff"}, "the body must be a JSON object"),
        ({"content": b'{"prompt": ' + b"[" * 100_000}, "the body must be a JSON object"),
        ({"content": '{"prompt": "%s"}' % ("é" * 400_000)}, REFUSED),
    ],
)
def test_a_wrong_request_is_answered_as_openai_does(app_url, arguments, message):
    status, answer = post(app_url, **arguments)
    assert (status, answer["error"]["message"], answer["error"]["type"]) == (400, message, "invalid_request_error")


def test_the_queue_is_full_for_completions_and_lyrics_alike(app_url, monkeypatch):
    from app import demo

    monkeypatch.setattr(demo._queue, "max_size", 0)
    status, answer = post(app_url, json=BODY)
    assert (status, answer["error"]["type"]) == (503, "server_error") and "queue is full" in answer["error"]["message"]
    assert httpx.post(f"{app_url}/gradio_api/call/generate", json={"data": []}).status_code == 503


def test_a_failure_is_hidden(app_url, monkeypatch, caplog):
    monkeypatch.setattr(Resources, "stream_together", lambda *_: 1 / 0)
    status, answer = post(app_url, json=BODY)
    assert (status, answer["error"]["message"]) == (500, "The completion failed; it has been logged.")
    assert "ZeroDivisionError" in caplog.text


def test_the_private_endpoint_is_no_part_of_gradios_api(app_url):
    described = httpx.get(f"{app_url}/gradio_api/info").json()["named_endpoints"]
    assert "/generate" in described and "/completions" not in described
