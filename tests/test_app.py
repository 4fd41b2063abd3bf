"""The real app, driven by the real client."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from lyricgen.data import ARTISTS
from lyricgen.generation import generate_lyrics, show_breaks


@pytest.fixture(scope="module")
def client(app_url):
    client = Client(app_url, verbose=False)
    yield client
    client.close()


def test_generate_answers_what_the_library_writes(client):
    prefix = "Under the lamp "
    text = client.predict(
        prefix=prefix, artist="Coldplay", temperature=0.6, max_length=120, seed=7, api_name="/generate"
    )
    written = generate_lyrics(prefix, artist="Coldplay", temperature=0.6, max_length=120, seed=7)
    assert text == show_breaks(written, len(prefix))


def test_generate_streams_a_text_that_grows(client):
    job = client.submit(prefix="a long one ", max_length=2_000, seed=1, api_name="/generate")
    lengths = [len(text) for text in job]
    assert len(lengths) > 3
    assert lengths == sorted(lengths)
    assert lengths[-1] == 2_000


def test_defaults_write_300_characters_and_differ_every_time(client):
    texts = [client.predict(api_name="/generate") for _ in range(2)]
    assert [len(text) for text in texts] == [300, 300]
    assert texts[0] != texts[1]


@pytest.mark.parametrize("model", ["lstm", "vanilla-rnn"])
@pytest.mark.parametrize("strategy", ["greedy", "beam"])
def test_both_models_write_by_every_strategy(client, model, strategy):
    text = client.predict(prefix="one more ", model=model, strategy=strategy, max_length=60, api_name="/generate")
    expected = generate_lyrics("one more ", model=model, strategy=strategy, max_length=60)
    assert text == show_breaks(expected, len("one more "))


@pytest.mark.parametrize("prefix", ["", "😀 한국 \0", "x" * 10_000, "x" * 100_000, "<script>alert(1)</script>"])
def test_any_prefix_is_gone_on_with(client, prefix):
    text = client.predict(prefix=prefix, seed=1, api_name="/generate")
    assert len(text) == 300
    assert text.startswith(prefix[-150:] if len(prefix) > 300 else prefix)


@pytest.mark.parametrize(
    ("setting", "value", "allowed"),
    [
        ("temperature", -1, "0 to 100"),
        ("max_length", 5, "11 characters"),
        ("max_length", 0, "1 to 5,000"),
        ("max_length", -3, "1 to 5,000"),
        ("max_length", 10**9, "1 to 5,000"),
        ("max_length", "many", "1 to 5,000"),
        ("artist", "Beyonse", "Beyoncé"),
        ("model", "lstn", "lstm, vanilla-rnn"),
        ("strategy", "nucleus", "sample, greedy, beam"),
        ("top_p", 0, "above 0 and at most 1"),
        ("top_p", 1.5, "above 0 and at most 1"),
        ("top_k", -1, "0 to 100"),
        ("seed", 1.5, "whole number"),
        ("prefix", ["a", "list"], "text"),
    ],
)
def test_bad_input_is_one_sentence_and_the_app_still_answers(client, setting, value, allowed):
    with pytest.raises(AppError) as caught:
        client.predict(**{"prefix": "hello world", setting: value}, api_name="/generate")
    message = str(caught.value)
    assert message.startswith(setting)
    assert allowed in message
    assert "Traceback" not in message
    assert len(client.predict(prefix="hello", max_length=20, api_name="/generate")) == 20


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "null", '"x"', "[]"])
def test_numbers_that_json_cannot_hold_are_refused(app_url, number):
    body = f'{{"data": ["hi", "any artist", "lstm", "sample", {number}, 0, 1, 50, 1]}}'
    url = f"{app_url}/gradio_api/call/generate"
    event = httpx.post(url, content=body, headers={"Content-Type": "application/json"}).json()["event_id"]
    answer = httpx.get(f"{url}/{event}", timeout=30).text
    assert "event: error" in answer
    assert "temperature must be a number from 0 to 100" in answer


def test_queue_cannot_be_gone_around(app_url):
    answer = httpx.post(f"{app_url}/gradio_api/run/generate", json={"data": ["hi"]})
    assert answer.status_code == 404


def test_notes_name_unknown_characters_and_a_cut(client):
    assert client.predict(prefix="plain", api_name="/check_prefix") == ""
    assert "😀" in client.predict(prefix="a 😀", api_name="/check_prefix")
    assert "100,000" in client.predict(prefix="x" * 100_000, api_name="/check_prefix")


def test_about_tells_models_figures_and_origin(client):
    about = client.predict(api_name="/about")
    assert json.dumps(about)
    assert {"lyricgen", "gradio", "torch", "device", "models"} <= set(about)
    for model in about["models"]:
        assert model["artists"] == ARTISTS
        assert 1 < model["bits_per_character"]["clean_validation"] < 2
        assert model["origin"] == "bundled with lyricgen"


def test_public_api_is_what_is_promised(client):
    endpoints = client.view_api(return_format="dict")["named_endpoints"]
    assert set(endpoints) == {"/generate", "/check_prefix", "/about"}
    parameters = endpoints["/generate"]["parameters"]
    names = ["prefix", "artist", "model", "strategy", "temperature", "top_k", "top_p", "max_length", "seed"]
    assert [parameter["parameter_name"] for parameter in parameters] == names
    assert all(parameter["parameter_has_default"] for parameter in parameters)


def test_cancelled_request_frees_its_place(client):
    jobs = [client.submit(prefix="on ", max_length=5_000, strategy="beam", api_name="/generate") for _ in range(4)]
    time.sleep(0.5)
    for job in jobs:
        job.cancel()
    began = time.monotonic()
    assert len(client.predict(prefix="next ", max_length=50, api_name="/generate")) == 50
    assert time.monotonic() - began < 10


def test_many_at_once_each_get_their_own_text(app_url):
    def write(seed: int) -> str:
        client = Client(app_url, verbose=False)
        try:
            return client.predict(prefix="we sing ", max_length=100, seed=seed, api_name="/generate")
        finally:
            client.close()

    with ThreadPoolExecutor(6) as pool:
        texts = list(pool.map(write, [1, 2, 3, 1, 2, 3]))
    assert texts[:3] == texts[3:]
    assert len(set(texts)) == 3
