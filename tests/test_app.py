"""The real app, driven by the real client."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from lyricgen.attribution import attribute
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
    sizes = {space["name"]: (space["words"], space["dimensions"]) for space in about["vectors"]}
    assert sizes["glove-50"] == (400_000, 50)
    assert sizes["lyrics"][0] > 4_000
    assert about["left_out"] == {}


def test_public_api_is_what_is_promised(client):
    endpoints = client.view_api(return_format="dict")["named_endpoints"]
    words = {"/analogy", "/analogy_benchmark", "/distance", "/neighbors", "/map", "/bias", "/debiasing"}
    assert set(endpoints) == {"/generate", "/check_prefix", "/attribute", "/about"} | words
    parameters = endpoints["/generate"]["parameters"]
    names = ["prefix", "artist", "model", "strategy", "temperature", "top_k", "top_p", "max_length", "seed"]
    assert [parameter["parameter_name"] for parameter in parameters] == names
    assert all(parameter["parameter_has_default"] for name in endpoints for parameter in endpoints[name]["parameters"])


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("/analogy", ["x1", "x2", "y1", "top_k", "vectors"]),
        ("/analogy_benchmark", ["category", "candidates", "vectors"]),
        ("/distance", ["w1", "w2", "w3", "vectors"]),
        ("/neighbors", ["word", "top_k", "vectors", "other"]),
        ("/map", ["words", "method", "vectors", "seed"]),
        ("/bias", ["target1", "target2", "attribute1", "attribute2", "vectors", "x1", "word", "y1"]),
        ("/debiasing", ["vectors"]),
        ("/attribute", ["text", "model"]),
    ],
)
def test_the_api_on_words_takes_what_is_promised_and_is_described(client, name, parameters):
    endpoint = client.view_api(return_format="dict")["named_endpoints"][name]
    assert [parameter["parameter_name"] for parameter in endpoint["parameters"]] == parameters
    assert len(endpoint["description"]) > 30


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


# Whose line is it


def test_attribute_answers_what_the_library_says(client):
    text = "Stacks on the table  and the whip is new\n<b>& \u00e9</b>"
    for model in ("lstm", "vanilla-rnn"):
        answer = client.predict(text=text, model=model, api_name="/attribute")
        assert answer["posterior"] == pytest.approx(attribute(text, model=model).posterior)
        assert list(answer["posterior"]) == ARTISTS and sum(answer["posterior"].values()) == pytest.approx(1)
        assert [line["text"] for line in answer["lines"]] == [
            "Stacks on the table",
            "and the whip is new",
            "<b>& \u00e9</b>",
        ]
        chances = [place["probability"] for place in answer["ranking"]]
        assert chances == sorted(chances, reverse=True) and answer["ranking"][0]["artist"] == answer["artist"]


def test_attribute_has_a_text_by_default(client):
    assert len(client.predict(api_name="/attribute")["lines"]) == 3


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"text": ""}, "text must be 1 to 5,000 characters, got an empty text"),
        ({"text": "x" * 5_001}, "got 5,001"),
        ({"text": "\ud55c\uad6d"}, "text must hold a character that the models know"),
        ({"text": ["a"]}, "text must be text"),
        ({"text": None}, "got an empty text"),
        ({"text": "a", "model": "../lstm"}, "model must be one of lstm, vanilla-rnn"),
    ],
)
def test_a_text_that_cannot_be_attributed_is_one_sentence(client, values, words):
    with pytest.raises(AppError) as caught:
        client.submit(**values, api_name="/attribute").result()
    message = str(caught.value)
    assert words in message and "Traceback" not in message and "\n" not in message
    assert client.predict(text="a", api_name="/attribute")["characters"] == 1


# Words


def test_man_is_to_king_as_woman_is_to_queen(client):
    solved = client.predict(x1="man", x2="king", y1="woman", top_k=3, api_name="/analogy")
    assert solved["answer"] == "queen"
    assert [(found["word"], found["excluded"]) for found in solved["add"][:2]] == [("king", True), ("queen", False)]
    assert solved["mul"][0]["word"] == "queen" and solved["mul"][0]["rank"] == 2061


def test_the_benchmark_streams_its_scores(client):
    scores = client.submit(category="family", candidates=30_000, api_name="/analogy_benchmark").result()
    assert [score["category"] for score in scores] == ["family", "all categories"]
    assert 0.6 < scores[-1]["accuracy"] < 0.9


def test_distance_answers_a_pair_or_a_triple(client):
    pair = client.predict(w1="guitar", w2="drums", w3="", api_name="/distance")
    assert 0 < pair["distance"] < 1 and pair["percentile"] < 5
    triple = client.predict(w3="slow", api_name="/distance")
    assert triple["antonym_is_nearer"] is True and "same company" in triple["verdict"]
    assert triple["antonym"]["distance"] < triple["synonym"]["distance"]


def test_neighbors_in_one_space_and_in_two(client):
    one = client.predict(word="Fire", top_k=4, api_name="/neighbors")
    assert list(one) == ["first"] and len(one["first"]) == 4
    two = client.predict(word="fire", top_k=5, other="lyrics", api_name="/neighbors")
    assert len(two["first"]) == len(two["second"]) == 5
    assert set(two["shared"]) <= {found["word"] for found in two["second"]}


@pytest.mark.parametrize("method", ["PCA", "t-SNE"])
def test_a_map_has_coordinates_and_a_picture(client, method):
    text = "royals: king > queen\npeople: man > woman, xqzzy"
    mapped = client.predict(words=text, method=method, api_name="/map")
    assert [row["word"] for row in mapped["words"]] == ["king", "queen", "man", "woman"]
    assert [row["group"] for row in mapped["words"]] == ["royals", "royals", "people", "people"]
    assert mapped["arrows"] == [["king", "queen"], ["man", "woman"]] and mapped["missing"] == ["xqzzy"]
    assert mapped["svg"].startswith("<?xml") and ">queen<" in mapped["svg"]


def test_bias_is_measured_before_and_after_debiasing(client):
    answer = client.predict(api_name="/bias")
    assert answer["weat"]["before"]["effect_size"] > answer["weat"]["after_debiasing"]["effect_size"] > 0
    assert answer["weat"]["before"]["p_value"] < 0.01
    assert "nurse" in answer["analogies"]["only_forward"]


def test_debiasing_removes_the_direction_and_leaves_the_clusters(client):
    report = client.predict(api_name="/debiasing")
    assert len(report["occupations"]) > 200
    assert max(abs(row["after"]) for row in report["occupations"]) < 1e-5
    assert report["clusters"]["before"] > 0.9 and report["classifier"]["after"] > 0.8


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("/analogy", {"x1": "beyonse"}, "nearest spellings: beyonce"),
        ("/analogy", {"y1": ""}, "y1 must be a word, got an empty text"),
        ("/analogy", {"x2": "😀"}, "is not among the 400,000 words"),
        ("/analogy", {"x2": None}, "x2 must be a word"),
        ("/analogy", {"x2": ["king"]}, "x2 must be text"),
        ("/analogy", {"top_k": 0}, "top_k must be a whole number from 1 to 100, got 0"),
        ("/analogy", {"top_k": 10**6}, "top_k"),
        ("/analogy", {"vectors": "/etc/passwd"}, "vectors must be one of glove-50, lyrics"),
        ("/analogy_benchmark", {"category": "fun"}, "category"),
        ("/analogy_benchmark", {"candidates": -1}, "candidates"),
        ("/distance", {"w1": "the river"}, "w1 'the river' is not among"),
        ("/distance", {"w3": "qwxyz"}, "w3 'qwxyz' is not among"),
        ("/neighbors", {"word": "x" * 10_000}, "no spelling is near"),
        ("/neighbors", {"other": "glove-300"}, "other must be one of"),
        ("/map", {"words": "king"}, "2 to 200 different words, got 1"),
        ("/map", {"words": "king king king"}, "got 1"),
        ("/map", {"words": " ".join(f"w{n}" for n in range(5_000))}, "got 5,000"),
        ("/map", {"words": "qwxyz zyxwq"}, "'qwxyz' is not among"),
        ("/map", {"method": "UMAP"}, "method must be one of PCA, t-SNE"),
        ("/map", {"seed": 1.5}, "seed"),
        ("/bias", {"target1": "john"}, "target1 must be 2 to 500 different words"),
        ("/bias", {"target1": "john, paul", "target2": "paul, amy"}, "paul"),
        ("/bias", {"attribute2": "qwxyz, zyxwq"}, "it lacks 'qwxyz', 'zyxwq'"),
    ],
)
def test_bad_words_are_one_sentence_and_the_app_still_answers(client, name, values, words):
    with pytest.raises(AppError) as caught:
        client.submit(**values, api_name=name).result()
    message = str(caught.value)
    assert words in message and "Traceback" not in message and "\n" not in message
    assert client.predict(w1="hot", w2="cold", api_name="/distance")["distance"] < 1


def test_numbers_that_json_cannot_hold_are_refused_for_words(app_url):
    url = f"{app_url}/gradio_api/call/analogy"
    body = '{"data": ["man", "king", "woman", NaN, "glove-50"]}'
    event = httpx.post(url, content=body, headers={"Content-Type": "application/json"}).json()["event_id"]
    answer = httpx.get(f"{url}/{event}", timeout=30).text
    assert "event: error" in answer and "top_k must be a whole number" in answer
