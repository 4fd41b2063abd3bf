"""The real app, driven by the real client."""

import html
import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from types import SimpleNamespace

import httpx
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from lyricgen import Song, SongIndex, measure_membership, measure_originality
from lyricgen.analysis.attribution import attribute
from lyricgen.analysis.scoring import alternatives, score
from lyricgen.errors import ModelError
from lyricgen.generation.api import generate_lyrics
from lyricgen.generation.settings import generation_settings
from lyricgen.generation.verse import VerseForm
from lyricgen.models.checkpoints import load_checkpoint
from lyricgen.models.text import section_breaks_to_newlines
from lyricgen.songs.reading import ARTISTS
from lyricgen.storage import ASSETS
from lyricgen.ui.components import originality_line

WRITING = (
    "/generate",
    "/variants",
    "/compare",
    "/temperatures",
    "/verse",
    "/fill",
)  # endpoints that take the settings of generation


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
    assert text == section_breaks_to_newlines(written, len(prefix))


def test_gradio_keeps_the_register_of_few_visitors(app_url):
    from app import demo

    for visitor in range(60):
        assert demo.state_holder[f"visitor {visitor}"]
    assert len(demo.state_holder.session_data) == 50


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
    assert text == section_breaks_to_newlines(expected, len("one more "))


def test_variants_are_what_generate_writes_with_the_seeds_that_follow(client):
    settings = {"prefix": "one more  day ", "artist": "Drake", "max_length": 70}
    job = client.submit(**settings, seed=8, variants=3, api_name="/variants")
    lyrics = list(job)[-1]
    assert [lyric["seed"] for lyric in lyrics] == [8, 9, 10]
    for lyric in lyrics:
        assert lyric["text"] == client.predict(**settings, seed=lyric["seed"], api_name="/generate")


@pytest.mark.parametrize(
    ("setting", "value"),
    [("variants", 17), ("variants", None), ("max_copied_words", 2), ("top_p", 2), ("artist", "nobody")],
)
def test_variants_that_cannot_be_are_refused_in_one_sentence(client, setting, value):
    with pytest.raises(AppError, match=f"{setting} "):
        client.predict(**{setting: value}, api_name="/variants")


def test_variants_copy_no_more_words_than_allowed(client):
    settings = {"prefix": "i want you to ", "temperature": 0.4, "seed": 3, "variants": 2, "api_name": "/variants"}
    assert any(measure_originality(lyric["text"]).longest_run > 4 for lyric in client.predict(**settings))
    lyrics = client.predict(max_copied_words=4, **settings)
    assert all(measure_originality(lyric["text"]).longest_run <= 4 for lyric in lyrics)
    assert client.predict(max_copied_words=4, **settings) == lyrics


def test_alternatives_are_what_the_model_expects_there(client):
    text = "the night is"
    expected = alternatives(text, 4, artist="Coldplay", model="vanilla-rnn", count=3)
    found = client.predict(
        text=text, position=4, artist="Coldplay", model="vanilla-rnn", count=3, api_name="/alternatives"
    )
    assert [one["character"] for one in found] == [one.character for one in expected]
    assert [one["probability"] for one in found] == pytest.approx([one.probability for one in expected])
    with pytest.raises(AppError, match="position must be a whole number from 0 to 12, got 13"):
        client.predict(text=text, position=13, api_name="/alternatives")


def test_compare_streams_what_each_model_writes_with_its_bits(client):
    settings = {"prefix": "one more ", "artist": "Drake", "temperature": 0.9, "max_length": 200, "seed": 4}
    answers = list(client.submit(**settings, api_name="/compare"))
    assert len(answers) > 1
    for model in ("lstm", "vanilla-rnn"):
        assert answers[-1][model]["text"] == client.predict(**settings, model=model, api_name="/generate")
        assert 0.5 < answers[-1][model]["bits_per_character"] < 5
        lengths = [len(answer[model]["text"]) for answer in answers]
        assert lengths == sorted(lengths) and lengths[-1] == 200


def test_a_higher_temperature_costs_more_bits(client):
    written = client.predict(prefix="one more ", seed=4, model="vanilla-rnn", api_name="/temperatures")
    assert list(written) == ["0.25", "0.5", "0.75", "1", "1.5"]
    bits = [lyric["bits_per_character"] for lyric in written.values()]
    assert bits[0] < bits[2] < bits[4] and bits[4] > 2.5
    settings = {"prefix": "one more ", "seed": 4, "model": "vanilla-rnn", "temperature": 0.5}
    assert written["0.5"]["text"] == client.predict(**settings, api_name="/generate")


def test_without_a_seed_all_that_is_compared_has_the_same(client):
    written = client.predict(prefix="a", max_length=60, api_name="/temperatures")
    assert len({lyric["text"] for lyric in written.values()}) > 1
    assert all(len(lyric["text"]) == 60 for lyric in written.values())


def test_learning_curves_are_those_of_the_models(client):
    curves = client.predict(api_name="/learning_curves")
    assert set(curves) == {"lstm", "vanilla-rnn"}
    for name, rows in curves.items():
        assert rows == load_checkpoint(ASSETS / name).history
        assert [row["train_bpc"] for row in rows if row["train_bpc"]][-1] < 2
        assert rows == sorted(rows, key=lambda row: row["step"])


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("/compare", {"prefix": "x" * 400}, "max_length must be at least"),
        ("/compare", {"temperature": "NaN"}, "temperature must be a number"),
        ("/compare", {"artist": "nobody"}, "artist 'nobody' is not among the 21 known"),
        ("/temperatures", {"model": "gru"}, "model must be one of lstm, vanilla-rnn"),
        ("/temperatures", {"seed": -5}, "seed must be a whole number"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_one_sentence(client, name, values, said):
    with pytest.raises(AppError, match=said):
        client.submit(**values, api_name=name).result()


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
        ("min_p", -1, "a number from 0 to 1"),
        ("typical_p", 0, "above 0 and at most 1"),
        ("guidance", 5, "a number from 1 to 4"),
        ("second_artist", "Nobody", "nearest"),
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


def http_answer(app_url: str, endpoint: str, data: list) -> str:
    """The events that the API sends over plain HTTP."""
    url = f"{app_url}/gradio_api/call/{endpoint}"
    event = httpx.post(url, json={"data": data}).json()["event_id"]
    return httpx.get(f"{url}/{event}", timeout=60).text


@pytest.mark.parametrize(
    ("endpoint", "data"),
    [
        ("generate", ["hi ", "any artist", "lstm", "sample", 0.7, 0, 1, 50, 1]),  # all inputs of version 0.1
        ("generate", ["hi ", "any artist", "lstm", "sample", 0.7, 0, 1, 50, 1, 5, 0, 0.1]),
        ("variants", ["hi ", "any artist", "lstm", 0.7, 0, 1, 50, 1, 2, 0]),
        ("compare", ["hi ", "any artist", 0.7, 50, 1]),
        ("temperatures", ["hi ", "any artist", "lstm", 50, 1]),
    ],
)
def test_plain_http_may_leave_out_the_last_values(app_url, endpoint, data):
    answer = http_answer(app_url, endpoint, data)
    assert "event: complete" in answer and "event: error" not in answer and "hi " in answer


def test_a_value_over_plain_http_that_is_not_allowed_is_named_with_the_last_ones_left_out(app_url):
    answer = http_answer(app_url, "generate", ["hi ", "any artist", "lstm", "sample", 0.7, 0, 2])
    assert "event: error" in answer and "top_p must be a number above 0 and at most 1, got 2" in answer


def test_guidance_a_mix_and_min_p_reach_the_lyric(client):
    settings = {"prefix": "one more ", "artist": "Drake", "seed": 4, "max_length": 80}
    style = {"guidance": 2, "second_artist": "eminem", "second_weight": 0.4, "min_p": 0.05, "typical_p": 0.95}
    text = client.predict(**settings, **style, api_name="/generate")
    expected = generate_lyrics(**settings, **style)
    assert text == section_breaks_to_newlines(expected, len("one more "))
    assert text != client.predict(**settings, api_name="/generate")
    (variant,) = client.predict(**settings, **style, variants=1, api_name="/variants")
    assert variant["text"] == text
    assert client.predict(**settings, **style, api_name="/compare")["lstm"]["text"] == text


def test_queue_cannot_be_gone_around(app_url):
    answer = httpx.post(f"{app_url}/gradio_api/run/generate", json={"data": ["hi"]})
    assert answer.status_code == 404


def test_notes_name_unknown_characters_and_a_cut(client):
    assert client.predict(prefix="plain", api_name="/check_prefix") == ""
    assert "😀" in client.predict(prefix="a 😀", api_name="/check_prefix")
    assert "100,000" in client.predict(prefix="x" * 100_000, api_name="/check_prefix")


PHRASE = "i don't know what to do"  # everyday English, which stands in many songs


def test_membership_answers_with_the_statistics_and_the_runs(client):
    text = "The ferry left;\nI DON'T know -- what to do"
    answer = client.predict(text=text, api_name="/membership")
    assert answer == measure_membership(text).to_dict()
    assert [each["statistic"] for each in answer["statistics"]] == ["likelihood", "min_k", "difference"]
    assert answer["read"] is None and "verdict" in answer["verdict"]


def test_originality_names_the_songs_that_a_text_stands_in(client):
    found = client.predict(text="The ferry left;\nI DON'T know -- what to do", api_name="/originality")
    assert found == measure_originality("The ferry left;\nI DON'T know -- what to do").to_dict()
    assert found["longest_run"] >= 6 and found["runs"][0]["title"] and found["runs"][0]["artist"]
    assert client.predict(api_name="/originality")["runs"]


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "have 1 to .* an empty text"), ("x" * 20_001, "have 1 to .* 20,001"), (["a"], "be text, got")],
)
def test_a_text_that_cannot_be_looked_up_is_one_sentence(client, text, said):
    with pytest.raises(AppError, match=f"text must {said}"):
        client.predict(text=text, api_name="/originality")


def test_the_line_under_a_lyric_tells_the_longest_run_with_all_markup_as_text():
    markup = "<img src=x onerror=alert(1)>"
    song = Song("the fox *hums* <b>to the quiet pond and the heron", f"{markup}_a_", "[T](x)")
    resources = SimpleNamespace(song_index=SongIndex.build([song], asked=0))
    line = originality_line(resources, "zig the fox *hums* <b>to the zag\nzig")
    assert "<img" not in line and "<b>to" not in line
    shown = html.unescape(line)
    assert "<b>6 words</b> (<mark>the fox *hums* <b>to the</mark>), in “[T](x)” by <img" in shown or "7 words" in shown
    assert "% of the words are in such passages." in shown and "\n" not in line
    assert originality_line(resources, "a b c d e") == "No 5 words in a row are in a song that it read."
    assert originality_line(resources, "") == ""


def test_the_line_under_a_lyric_is_empty_where_there_is_no_index():
    class Bare:
        @property
        def song_index(self):
            raise ModelError("none")

    assert originality_line(Bare(), PHRASE) == ""


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
    assert about["song_index"]["songs"] == 4_226 and about["song_index"]["origin"] == "bundled with lyricgen"
    assert about["left_out"] == {}


def test_public_api_is_what_is_promised(client):
    endpoints = client.view_api(return_format="dict")["named_endpoints"]
    words = {"/analogy", "/analogy_benchmark", "/distance", "/neighbors", "/map", "/bias", "/debiasing"}
    inside = {
        "/compare",
        "/temperatures",
        "/learning_curves",
        "/originality",
        "/score",
        "/cells",
        "/alternatives",
        "/saliency",
        "/attribute",
        "/membership",
        "/writer_bias",
    }
    verses = {"/verse", "/fill", "/rhymes"}
    assert set(endpoints) == {"/generate", "/variants", "/check_prefix", "/about"} | words | inside | verses
    parameters = endpoints["/generate"]["parameters"]
    names = ["prefix", "artist", "model", "strategy", "temperature", "top_k", "top_p", "max_length", "seed"]
    assert [parameter["parameter_name"] for parameter in parameters][: len(names)] == names
    assert {parameter["parameter_name"] for parameter in parameters} == {"prefix", "model", *generation_settings()}
    assert all(parameter["parameter_has_default"] for name in endpoints for parameter in endpoints[name]["parameters"])


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        (
            "/variants",
            [
                "prefix",
                "artist",
                "model",
                "temperature",
                "top_k",
                "top_p",
                "max_length",
                "seed",
                "variants",
                "max_copied_words",
            ],
        ),
        ("/compare", ["prefix", "artist", "temperature", "max_length", "seed"]),
        ("/temperatures", ["prefix", "artist", "model", "max_length", "seed"]),
        ("/learning_curves", []),
        ("/writer_bias", ["words", "pair", "template", "artist", "model"]),
        ("/verse", ["scheme", "syllables", "artist", "model", "temperature", "seed", "dry"]),
        ("/fill", ["text", "length", "artist", "model", "temperature", "seed"]),
        ("/rhymes", ["text"]),
        ("/alternatives", ["text", "position", "artist", "model", "temperature", "count"]),
        ("/score", ["text", "artist", "model", "memory"]),
        ("/cells", ["text", "artist", "model", "layer", "unit"]),
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
def test_the_api_takes_what_is_promised_and_is_described(client, name, parameters):
    endpoint = client.view_api(return_format="dict")["named_endpoints"][name]
    names = [parameter["parameter_name"] for parameter in endpoint["parameters"]]
    assert names[: len(parameters)] == parameters
    settings = {field.name for field in fields(VerseForm)} if name == "/verse" else set()
    settings |= set(generation_settings()) if name in WRITING else {"detail"}
    assert set(names[len(parameters) :]) <= settings
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
        ({"text": ""}, "text must have 1 to 5,000 characters, got an empty text"),
        ({"text": "x" * 5_001}, "got 5,001"),
        ({"text": "\ud55c\uad6d"}, "text must have a character that the models know"),
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


# X-ray

VERSE = "the tide came in at seven  and took the chairs away"


@pytest.mark.parametrize("model", ["lstm", "vanilla-rnn"])
def test_score_answers_what_the_library_does(client, model):
    answer = client.predict(text=VERSE, artist="coldplay", model=model, api_name="/score")
    expected = score(VERSE, artist="Coldplay", model=model).to_dict()
    assert answer["bits"] == pytest.approx(expected["bits"])
    assert [row["rank"] for row in answer["characters"]] == [row["rank"] for row in expected["characters"]]
    assert answer["bits_per_character"] == pytest.approx(
        -sum(row["log_prob"] for row in answer["characters"]) / len(VERSE)
    )
    assert [line["text"] for line in answer["lines"]] == VERSE.split("  ")
    assert (answer["model"], answer["artist"]) == (model, "Coldplay")


def test_what_the_app_wrote_greedily_is_what_it_expects_most(client):
    lyric = client.predict(prefix="the tide ", strategy="greedy", max_length=200, api_name="/generate")
    rows = client.predict(text=lyric, api_name="/score")["characters"]
    assert all(row["rank"] == 1 or row["tied"] for row in rows[len("the tide ") :])


def test_cells_answers_a_unit_along_the_text_and_those_that_follow_it(client):
    answer = client.predict(text=VERSE, api_name="/cells")
    assert len(answer["activations"]) == len(answer["cell_states"]) == len(VERSE)
    assert (answer["layer"], answer["unit"]) == (2, answer["varying"][0]["unit"])
    followed = {one["feature"]: one for one in answer["features"]}
    assert abs(followed["space"]["units"][0]["r"]) > followed["space"]["chance"] > 0
    assert followed["inside quotes"]["constant"] and followed["inside quotes"]["units"] == []
    other = client.predict(text=VERSE, model="vanilla-rnn", layer=1, unit=5, api_name="/cells")
    assert (other["layer"], other["unit"], other["cell_states"]) == (1, 5, None)


def test_any_text_of_known_length_is_scored(client):
    for text in ("x", "<script>alert(1)</script>", "é x", "\n", "a" * 5_000):
        answer = client.predict(text=text, model="vanilla-rnn", api_name="/score")
        assert "".join(row["character"] for row in answer["characters"]) == text


@pytest.mark.parametrize("endpoint", ["/score", "/cells"])
@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"text": ""}, "text must have 1 to 5,000 characters, got an empty text"),
        ({"text": "x" * 100_000}, "text must have 1 to 5,000 characters, got 100,000"),
        ({"text": "한국"}, "nothing to score"),
        ({"text": ["a"]}, "text must be text"),
        ({"artist": "Beyonse"}, "Beyoncé"),
        ({"model": "lstn"}, "model must be one of lstm, vanilla-rnn"),
    ],
)
def test_a_text_that_cannot_be_read_is_one_sentence_and_the_app_still_answers(client, endpoint, values, words):
    with pytest.raises(AppError) as caught:
        client.predict(**values, api_name=endpoint)
    message = str(caught.value)
    assert words in message and "Traceback" not in message and "\n" not in message
    assert client.predict(text="x", api_name="/score")["characters_scored"] == 1


@pytest.mark.parametrize(("values", "words"), [({"layer": 3}, "layer must be"), ({"unit": 512}, "unit must be"), ({"unit": 0.5}, "unit")])  # fmt: skip
def test_a_unit_that_is_not_there_is_refused(client, values, words):
    with pytest.raises(AppError, match=words):
        client.predict(**values, api_name="/cells")
