"""The app starts where people start it, and ends when they say so."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import pytest

from benchmarks.running_app import APP, free_port, running_app

pytestmark = [pytest.mark.browser, pytest.mark.skipif(os.name != "posix", reason="signals and locales")]


def closed_proxies() -> dict[str, str]:
    """Proxies in every spelling; nobody listens there."""
    url = f"http://127.0.0.1:{free_port()}"
    names = ("HTTP_PROXY", "https_proxy", "ALL_PROXY", "http_proxy", "HTTPS_PROXY")
    return {**dict.fromkeys(names, url), "all_proxy": "socks5://127.0.0.1:9", "NO_PROXY": "", "no_proxy": ""}


def page_behind_a_prefix(browser, url: str, root: str) -> None:
    """Opens the page as a reverse proxy serves it that takes the path off, and writes a song: nothing may be asked for elsewhere."""
    page, elsewhere = browser.new_page(), []

    def forward(route):
        path = route.request.url.removeprefix(root)
        if path == route.request.url or "/heartbeat/" in path:  # which never ends
            elsewhere.append(route.request.url)
            return route.abort()
        forwarded = {**route.request.headers, "x-forwarded-host": "music.example"}
        route.fulfill(response=route.fetch(url=f"{url}{path}", headers=forwarded))

    page.route(lambda address: address.startswith("http"), forward)
    page.goto(f"{root}/?text=the%20sea&seed=3&len=40")
    page.locator(".song-text").get_by_text("the sea").first.wait_for(timeout=60_000)
    page.get_by_role("tab", name="Check", exact=True).click()
    assert page.url.startswith(f"{root}/?") and "tab=check" in page.url
    page.unroute_all(behavior="ignoreErrors")  # else an answer under way fails the browser's next call
    page.close()
    assert [address for address in elsewhere if "/heartbeat/" not in address] == []


def test_behind_proxies_with_capped_instructions_in_the_c_locale_elsewhere_and_optimized(tmp_path, browser):
    """Each of these was a public report. One start has them all: what breaks is in its log."""
    place = tmp_path / "Wörter und Lieder"
    place.mkdir()
    link = place / "app.py"
    link.symlink_to(APP)
    environment = {
        **os.environ, **closed_proxies(), "ONEDNN_MAX_CPU_ISA": "AVX2", "LC_ALL": "C", "PYTHONIOENCODING": "ascii",
        "PYTHONUTF8": "0", "PYTHONOPTIMIZE": "2", "PYTHONPATH": str(APP.parent), "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": "/dev/null/home", "XDG_CACHE_HOME": "/dev/null/cache", "MPLCONFIGDIR": "", "TMPDIR": str(tmp_path / "missing"),
        "GRADIO_TEMP_DIR": str(place / "tmp"), "GRADIO_ROOT_PATH": "/songs",
    }  # fmt: skip
    log = tmp_path / "log"
    with log.open("wb") as errors, running_app(environment=environment, log=errors, app=link) as app:
        with httpx.Client(base_url=app.url, timeout=120, trust_env=False) as client:
            page = client.get("/", headers={"x-forwarded-host": "music.example", "x-forwarded-proto": "https"}).text
            assert "https://music.example/songs" in page and app.url not in page
            event = client.post(
                "/gradio_api/call/generate", json={"data": ["the sea ", "any artist", "lstm", "greedy"]}
            )
            answer = client.get(f"/gradio_api/call/generate/{event.json()['event_id']}").text
            assert answer.rstrip().rpartition("event: ")[2].startswith('complete\ndata: ["the sea ')
        page_behind_a_prefix(browser, app.url, "http://music.example/songs")
        start = time.monotonic()
        app.process.send_signal(signal.SIGINT)
        assert app.process.wait(10) == 128 + signal.SIGINT and time.monotonic() - start < 1
    said = log.read_text().splitlines()
    assert said == [
        "the proxy of all_proxy is not used, since it needs the package socksio",
        "",
        "The app has stopped.",
    ]


def test_only_the_default_port_may_move_on_and_says_so(tmp_path):
    """SIGTERM ends the app within a second."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GRADIO_")}
    command = [sys.executable, str(APP)]
    with ExitStack() as stack:
        with suppress(OSError):  # it is in use already
            stack.enter_context(socket.create_server(("127.0.0.1", 7860)))
        log = stack.enter_context((tmp_path / "log").open("wb"))
        process = subprocess.Popen(
            command, env=environment, cwd=APP.parent, stdout=subprocess.PIPE, stderr=log, text=True
        )
        stack.callback(process.stdout.close)
        stack.callback(process.kill)
        lines = []
        for line in process.stdout:
            lines.append(line.strip())
            if line.startswith("Port 7860"):
                break
        assert re.fullmatch(r"Port 7860 is in use; the page is at http://127\.0\.0\.1:78\d\d/", lines[-1]), lines
        start = time.monotonic()
        process.terminate()
        assert process.wait(10) == 128 + signal.SIGTERM and time.monotonic() - start < 1
    assert (tmp_path / "log").read_text() == "\nThe app has stopped.\n"


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_start_that_is_interrupted_ends_at_once(tmp_path, name):
    with (tmp_path / "log").open("wb") as errors:
        process = subprocess.Popen([sys.executable, str(APP)], cwd=APP.parent, stdout=subprocess.DEVNULL, stderr=errors)
        until = time.monotonic() + 60
        while time.monotonic() < until and b"torch" not in Path(f"/proc/{process.pid}/maps").read_bytes():
            time.sleep(0.02)
        process.send_signal(getattr(signal, name))
        assert process.wait(20) == 128 + getattr(signal, name)
    assert (tmp_path / "log").read_text() == "\nThe app has stopped.\n"


def test_two_first_starts_at_once_of_a_user_without_name_or_home(tmp_path):
    """As in a container with `--user 12345`: the password file knows no such user, and there is no home to keep anything in."""
    as_nobody = ["unshare", "--user", "--map-user=12345"]
    if subprocess.run([*as_nobody, "true"], capture_output=True).returncode:
        pytest.skip("needs user namespaces")
    kept = ("HOME", "USER", "LOGNAME", "USERNAME", "XDG_CACHE_HOME", "MPLCONFIGDIR", "LYRICGEN_CACHE", "HF_HOME")
    environment = {name: value for name, value in os.environ.items() if name not in kept}
    environment |= {"HOME": "/", "TMPDIR": str(tmp_path)}  # what Docker sets for such a user

    def start(log: Path) -> str:
        with log.open("wb") as errors, running_app(environment=environment, log=errors, runner=as_nobody) as app:
            return httpx.get(f"{app.url}/gradio_api/info", timeout=60, trust_env=False).text

    logs = [tmp_path / "first", tmp_path / "second"]
    with ThreadPoolExecutor(2) as pool:
        assert all("/generate" in text for text in pool.map(start, logs))
    assert [log.read_text() for log in logs] == ["\nThe app has stopped.\n"] * 2
