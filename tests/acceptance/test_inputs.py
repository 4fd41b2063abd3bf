"""Any value of any argument of any endpoint gets an answer or one clear sentence."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

CHEAP = {
    "max_length": 20, "variants": 2, "candidates": 50, "category": "family", "words": "sea, sun, rain, king", "scheme": "lines",
    "count": 1, "syllables": 2, "length": 5,
}  # fmt: skip
"""Values of arguments whose defaults take seconds."""
AT_ONCE = 5  # calls: gradio looks for an answer every 50 ms
MEGABYTE = 1_000_000
NUMBER = "@number@"  # replaced by a number that JSON can spell and Python cannot hold
LONG = "@long@"  # replaced by a megabyte of letters: hypothesis warns of arguments that long
TEXTS = [
    "", " ", "\0", "a\0b", "\ud800", "\udfff\ud800", "שלום עולם \u202e abc", "e\u0301\u0301\u0301" * 50, "👩‍👩‍👧‍👦" * 3, "ﷺ", "\u2028\u2029\x85",
    "../../etc/passwd", "{{7*7}}", "%s%n", "'; DROP TABLE songs;--", "NaN", "1e400", "null", LONG, "\r\n\r\n", "-1", "0x10",
]  # fmt: skip
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.just(NUMBER)
    | st.sampled_from(TEXTS)
    | st.text(max_size=50)
)
FILES = st.sampled_from(
    [
        {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}},
        {"path": "x", "url": "http://127.0.0.1:1/", "meta": {"_type": "gradio.FileData"}},
        {"path": "x"},
        {"__type__": "update", "value": 1},
    ]
)
VALUES = st.recursive(
    SCALARS | FILES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=5
)  # fmt: skip


@pytest.fixture(scope="module")
def client(app_url):
    with httpx.Client(base_url=app_url, timeout=120, trust_env=False) as client:
        yield client


@pytest.fixture(scope="module")
def endpoints(client) -> dict[str, list[tuple[str, Any]]]:
    """The parameters of every endpoint with their defaults."""
    described = client.get("/gradio_api/info").json()["named_endpoints"]
    return {
        name.strip("/"): [(each["parameter_name"], each["parameter_default"]) for each in endpoint["parameters"]]
        for name, endpoint in described.items()
    }


def answer(client: httpx.Client, name: str, body: Any) -> tuple[str, Any]:
    """The last event of a call, and its data; of a call that is refused, its status and detail."""
    content = json.dumps(body).replace(f'"{NUMBER}"', "1e400").replace(LONG, "x" * MEGABYTE)
    v2 = "" if isinstance(body, dict) and "data" in body else "v2/"
    headers = {"content-type": "application/json"}
    joined = client.post(f"/gradio_api/call/{v2}{name}", content=content.encode("ascii"), headers=headers)
    if joined.status_code != 200:
        return str(joined.status_code), joined.text
    events = client.get(f"/gradio_api/call/{name}/{joined.json()['event_id']}").text.strip().split("\n\n")
    kind, _, data = events[-1].partition("\n")
    return kind.removeprefix("event: "), json.loads(data.removeprefix("data: "))


def assert_answered(call: tuple[str, Any], kind: str, data: Any) -> None:
    """A result, a sentence, or a request that is refused as no request of the API; nothing of the machine in it."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    secrets = ("Traceback", "site-packages", "/root/", "/home/", 'File "')
    assert not any(word in text for word in secrets), (call, text[:500])
    if kind == "error":
        assert data["error"] and "\n" not in data["error"] and "went wrong" not in data["error"], (call, data)
    elif kind == "413":  # several arguments of a megabyte
        assert int(re.search("at most 2,000,000 bytes, got ([\\d,]+)", text)[1].replace(",", "")) > 2_000_000
    else:
        assert kind == "complete" or (kind in ("400", "404", "422") and len(text) < 2_000_000), (call, kind, text[:500])


@st.composite
def calls(draw: st.DrawFn, endpoints: dict[str, list[tuple[str, Any]]]) -> tuple[str, Any]:
    """An endpoint, and a body for it: one or two hostile arguments, a list that is too short or too long, or names."""
    name = draw(st.sampled_from(sorted(endpoints)))
    values = [CHEAP.get(parameter, default) for parameter, default in endpoints[name]]
    for place in draw(st.lists(st.integers(0, max(0, len(values) - 1)), min_size=1, max_size=2)) if values else ():
        values[place] = draw(VALUES)
    shape = draw(st.sampled_from(["list", "list", "list", "short", "long", "names", "unknown"]))
    if shape in ("names", "unknown"):
        named = dict(zip((parameter for parameter, _ in endpoints[name]), values, strict=True))
        return name, named | ({draw(st.text(max_size=8)): draw(SCALARS)} if shape == "unknown" else {})
    if shape == "short":
        values = values[: draw(st.integers(0, len(values)))] or ["a"]
    return name, {"data": [*values, draw(VALUES)] if shape == "long" else values}


def test_any_value_of_any_argument_gets_an_answer_or_a_sentence(client, endpoints, size):
    assert len(endpoints) > 15
    made = []

    @settings(
        max_examples=size(500, 5_000),
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],  # a smaller example of a failure costs more calls than it is worth here
        suppress_health_check=list(HealthCheck),
    )
    @given(calls(endpoints))
    def collect(call):
        made.append(call)

    collect()
    assert len(made) >= size(500, 5_000) and {name for name, _ in made} == set(endpoints)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for call, answered in zip(made, pool.map(lambda call: answer(client, *call), made), strict=True):
            assert_answered(call, *answered)


def test_a_megabyte_of_text_gets_its_sentence(client):
    kind, data = answer(client, "score", {"data": ["x" * MEGABYTE]})
    assert (kind, data["error"]) == ("error", "text must have 1 to 5,000 characters, got 1,000,000")


def test_an_input_that_is_a_file_is_named(client):
    """The answer was {"error": null}."""
    kind, data = answer(client, "analogy", {"data": ["man", {"path": "x", "meta": {"_type": "gradio.FileData"}}]})
    assert (kind, data["error"]) == ("error", "x2 must be a plain value, got a file")


def test_more_than_two_megabytes_are_refused(client):
    joined = client.post("/gradio_api/call/score", json={"data": ["x" * 2 * MEGABYTE]})
    assert joined.status_code == 413 and "at most 2,000,000 bytes" in joined.json()["detail"]


@pytest.mark.parametrize(
    "body", ["", "[", '{"data": "x"}', "[" * 100_000, '{"data": ' + "[" * 100_000 + "]" * 100_000 + "}"]
)
def test_what_is_no_list_of_values_is_refused(client, body):
    joined = client.post("/gradio_api/call/score", content=body, headers={"content-type": "application/json"})
    assert joined.status_code in (400, 422) or answer(client, "score", {"data": []})[0] == "complete"
