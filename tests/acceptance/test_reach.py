"""No file and no network within a client's reach: what gradio can serve beside the page, asked for in many spellings."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest

SECRETS = ("/etc/passwd", "/proc/self/environ", "app.py", "requirements.txt", ".git/config")  # files of the machine
TRAVERSALS = ("{}", "../{}", "..%2f{}", "%2e%2e/{}", "....//{}", "..\\{}", "//{}")
PLACES = ("gradio_api/file=", "gradio_api/file/", "static/", "assets/", "svelte/")
CLOSED = [
    ("GET", "monitoring"), ("GET", "monitoring/summary"), ("GET", "monitoring/abc"), ("GET", "gradio_api/dev/reload"),
    ("GET", "gradio_api/deep_link?session_hash=a"), ("GET", "gradio_api/runs"), ("GET", "gradio_api/run-history/buckets"),
    ("GET", "gradio_api/upload_progress?upload_id=a"), ("POST", "gradio_api/upload"), ("POST", "gradio_api/upload?upload_id=a"),
    ("POST", "gradio_api/process_recording"), ("POST", "gradio_api/vibe-edit"), ("POST", "gradio_api/vibe-code"),
    ("GET", "gradio_api/vibe-code"), ("POST", "gradio_api/undo-vibe-edit"), ("GET", "gradio_api/profiling/traces"),
    ("GET", "gradio_api/custom_component/1/client/component/index.js"), ("POST", "gradio_api/stream/abc"),
    ("GET", "gradio_api/stream/a/b/1/playlist.m3u8"), ("POST", "gradio_api/run/score"), ("POST", "gradio_api/api/analogy"),
    ("POST", "gradio_api/run/nothing"), ("GET", "docs"), ("GET", "redoc"),
]  # fmt: skip


@pytest.fixture(scope="module")
def client(app_url):
    with httpx.Client(base_url=app_url, timeout=60, trust_env=False) as client:
        yield client


@pytest.fixture
def listener():
    """A server on this machine that no request of the app may reach; what was asked of it."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


@pytest.mark.parametrize("place", PLACES)
def test_no_file_of_the_machine_is_served(client, place):
    for secret in SECRETS:
        for traversal in TRAVERSALS:
            answer = client.get(f"/{place}{traversal.format(secret)}")
            assert answer.status_code in (400, 403, 404), (place, traversal, secret)
            assert "root:" not in answer.text and "gradio==" not in answer.text


@pytest.mark.parametrize(("method", "path"), CLOSED)
def test_what_the_page_does_not_need_is_closed(client, method, path):
    sent = {"files": {"files": ("a.txt", b"text")}} if "upload" in path else {"json": {"data": []}}
    answer = client.request(method, f"/{path}", **(sent if method == "POST" else {}))
    assert answer.status_code in (400, 403, 404, 405, 422), answer.text[:200]


@pytest.mark.parametrize("index", [99_999, -1, "a", None, [], 1e400])
def test_a_function_that_does_not_exist_cannot_be_called(client, index):
    body = f'{{"data": [], "session_hash": "abc", "fn_index": {str(index).replace("inf", "1e400")}}}'.replace(
        "None", "null"
    )
    answer = client.post("/gradio_api/queue/join", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 404, 422)


@pytest.mark.parametrize("function", ["__init__", "__class__", "postprocess", "_is_server_fn", "nothing"])
@pytest.mark.parametrize("component", [1, 99_999])
def test_only_the_functions_of_a_component_that_are_meant_can_be_called(client, function, component):
    body = {"data": {}, "component_id": component, "session_hash": "abc", "fn_name": function}
    assert client.post("/gradio_api/component_server", json=body).status_code in (400, 404)


@pytest.mark.parametrize("shape", ["file", "list", "nested", "proxy"])
def test_no_address_that_a_client_names_is_asked(client, listener, shape):
    url, asked = listener
    file = {"path": f"{url}/a", "url": f"{url}/b", "meta": {"_type": "gradio.FileData"}}
    if shape == "proxy":
        assert client.get(f"/gradio_api/proxy={url}/c").status_code == 404
    else:
        value = {"file": file, "list": [file], "nested": {"a": [{"b": file}]}}[shape]
        event = client.post("/gradio_api/call/score", json={"data": [value]}).json()["event_id"]
        answer = client.get(f"/gradio_api/call/score/{event}").text
        assert "text must be a plain value, got a file" in answer
    assert asked == []
