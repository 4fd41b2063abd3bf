"""The page as a Space shows it: in a frame of another origin, in a browser that blocks the storage of third parties."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from browser import CHROMIUM, DESKTOP, FLAGS

pytestmark = pytest.mark.browser
BLOCKS_THIRD_PARTIES = {"profile": {"cookie_controls_mode": 1, "block_third_party_cookies": True}}


class Outer(BaseHTTPRequestHandler):
    """Answers a page whose only content is a frame with `address`."""

    address = ""

    def do_GET(self) -> None:
        body = f'<!doctype html><title>outer</title><iframe src="{self.address}" width="1200" height="800"></iframe>'.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Logs nothing."""


@pytest.fixture
def outer_url(app_url):
    """The address of the outer page: localhost, where the app is 127.0.0.1, so that the sites differ."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Framing", (Outer,), {"address": app_url}))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture
def outer_page(browser, tmp_path):
    """A page of a browser whose profile blocks third parties; only a profile of its own can."""
    profile = tmp_path / "profile" / "Default"
    profile.mkdir(parents=True)
    (profile / "Preferences").write_text(json.dumps(BLOCKS_THIRD_PARTIES))
    context = browser.browser_type.launch_persistent_context(
        profile.parent, executable_path=CHROMIUM, args=FLAGS, viewport=DESKTOP
    )
    yield context.pages[0]
    context.close()


def test_a_song_is_written_and_linked_where_storage_and_clipboard_are_refused(outer_page, outer_url, app_url):
    failures: list[str] = []
    outer_page.on("pageerror", lambda error: failures.append(str(error)))
    outer_page.goto(outer_url)
    page = outer_page.frame_locator("iframe")
    page.get_by_role("button", name="Write a song").click(timeout=60_000)
    frame = next(each for each in outer_page.frames if each.url.startswith(app_url))
    frame.wait_for_function("location.search.includes('seed=')", timeout=60_000)
    refused = frame.evaluate("() => { try { localStorage.length; return false } catch { return true } }")
    assert refused
    page.get_by_role("button", name="Your songs").click()
    page.locator("#song-list").get_by_text("This browser does not let the page keep songs here.").wait_for()
    page.locator("#copy-link").click()
    link = page.get_by_label("Link to this page as it is")
    link.wait_for()
    assert link.input_value().startswith(f"{app_url}/?text=") and "seed=" in link.input_value()
    assert failures == []
