"""What stands in front of gradio's routes: closed routes, the limit of a body, the cached configuration."""

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from lyricgen.ui.server import MAX_BODY, MAX_CACHED, ConfigCache, RequestLimits


@pytest.fixture
def asked():
    """What reached the application."""
    return []


@pytest.fixture
def client(asked):
    """A client of an application that answers the length of any body."""

    async def answer(request: Request) -> PlainTextResponse:
        asked.append(request.url.path)
        length = len(await request.body())
        if "nothing" in request.url.path:
            raise KeyError("nothing")
        return PlainTextResponse(
            f"{length} for {request.headers['host']}", 404 if "missing" in request.url.path else 200
        )

    app = Starlette(
        routes=[Route("/{path:path}", answer, methods=["GET", "POST"])],
        middleware=[Middleware(RequestLimits), Middleware(ConfigCache)],
    )
    return TestClient(app)


@pytest.mark.parametrize(
    "route",
    [
        "upload",
        "file=/etc/passwd",
        "file/x",
        "proxy=http://a/",
        "deep_link",
        "stream/x",
        "dev/reload",
        "",
        "callx",
        "vibe-code",
    ],
)
@pytest.mark.parametrize("prefix", ["", "/songs"])
def test_a_route_that_page_and_api_do_not_need_is_closed(client, asked, route, prefix):
    assert client.post(f"{prefix}/gradio_api/{route}").status_code == 404 and asked == []


@pytest.mark.parametrize(
    "route", ["call/generate", "call/v2/generate", "queue/join", "info", "heartbeat/abc", "mcp/", "run/x"]
)
def test_a_route_of_page_and_api_is_open(client, route):
    assert client.post(f"/gradio_api/{route}").status_code == 200


def test_a_body_that_is_too_long_is_refused_with_its_length(client, asked):
    assert client.post("/gradio_api/call/score", content=b"x" * MAX_BODY).text == "2000000 for testserver"
    answer = client.post("/gradio_api/call/score", content=b"x" * (MAX_BODY + 1))
    assert answer.status_code == 413
    assert answer.json()["detail"] == "the body of a request must have at most 2,000,000 bytes, got 2,000,001"
    assert len(asked) == 1


def test_a_body_of_unknown_length_is_read_up_to_the_limit(client):
    answer = client.post("/gradio_api/call/score", content=(b"x" * 100_000 for _ in range(100)))
    assert answer.status_code == 413 and "at most 2,000,000 bytes" in answer.text


def test_an_endpoint_that_does_not_exist_is_no_fault_of_the_server(client, caplog):
    """It was 500, with a traceback in the log."""
    answer = client.post("/gradio_api/call/nothing")
    assert answer.status_code == 400 and "no such endpoint" in answer.json()["detail"]
    assert caplog.messages == ["a request was refused (KeyError)"]


def test_the_configuration_is_made_once_for_each_address(client, asked):
    for _ in range(3):
        assert client.get("/config").text == "0 for testserver"
    assert client.get("/config", headers={"host": "songs.example"}).text == "0 for songs.example"
    assert asked == ["/config"] * 2
    client.get("/gradio_api/queue/status"), client.get("/gradio_api/queue/status")
    assert len(asked) == 4


def test_what_an_outer_layer_does_to_a_cached_response_is_not_kept(client):
    first = client.get("/config")
    assert client.get("/config").headers == first.headers


def test_the_cache_of_the_configuration_is_bounded(client, asked):
    for host in range(MAX_CACHED + 1):
        client.get("/config", headers={"host": f"host{host}"})
    client.get("/config", headers={"host": "host1"})
    assert len(asked) == MAX_CACHED + 1
    client.get("/config", headers={"host": "host0"})
    assert len(asked) == MAX_CACHED + 2
