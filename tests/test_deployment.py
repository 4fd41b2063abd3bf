"""docs/deployment: nginx's configuration, with nginx where it is installed, and the container file."""

import http.server
import re
import threading

import httpx
import pytest

from benchmarks.processes import SITE, make_site, nginx
from benchmarks.running_app import APP

DOCKERFILE = SITE.parent / "Dockerfile"


@pytest.fixture
def servers():
    """Two servers that answer with their number and the cookie that they got."""
    running = []
    for number in "01":

        class Handler(http.server.BaseHTTPRequestHandler):
            name = number

            def do_GET(self):
                body = f"{self.name} {self.headers['Host']} {self.headers.get('Cookie', '')}".encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever).start()
        running.append(server)
    yield running
    for server in running:
        server.shutdown()
        server.server_close()


def test_the_site_names_the_given_servers_and_port_alone():
    site = make_site(["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"], 4)
    assert re.findall(r"127\.0\.0\.1:\d+", site) == [f"127.0.0.1:{port}" for port in (1, 2, 3, 4)]
    assert site.count("max_fails=1") == 3


def test_a_visitor_stays_with_one_process_and_goes_on_with_another(servers):
    urls = [f"http://127.0.0.1:{server.server_address[1]}" for server in servers]
    try:
        with nginx(urls) as url:
            answered = []
            for _ in range(12):
                with httpx.Client(base_url=url, trust_env=False) as visitor:
                    visitor.get("/")
                    cookie = visitor.cookies["lyricgen"]
                    answers = {visitor.get("/").text for _ in range(3)}
                    assert len(answers) == 1 and visitor.cookies["lyricgen"] == cookie
                    answered.append((answers.pop()[0], cookie))
            assert {number for number, _ in answered} == {"0", "1"}
            servers[0].shutdown()
            servers[0].server_close()
            for _, cookie in answered:
                answer = httpx.get(url, cookies={"lyricgen": cookie}, trust_env=False)
                assert answer.status_code == 200 and answer.text.startswith("1 ")
    except SystemExit as missing:
        pytest.skip(str(missing))


def test_the_container_gets_the_files_that_the_app_needs():
    copied = re.findall(r"^COPY --chown=user (.+) \S+$", DOCKERFILE.read_text(encoding="utf-8"), re.MULTILINE)
    files = {name for line in copied for name in line.split()}
    assert {"app.py", "lyricgen", "requirements.txt"} <= files
    assert all((APP.parent / name).exists() for name in files)
