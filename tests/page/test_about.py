"""About, and the page's head, in a real browser."""

import gzip
import urllib.request

import pytest
from browser import DESKTOP, PHONE, TITLE, assert_fits, open_tab, wait_for_text

from lyricgen.ui.tabs.about.lessons import LESSONS

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("page", [DESKTOP, PHONE], indirect=True, ids=["desktop", "phone"])
def test_about_has_figures_as_bars_lessons_and_origins(page):
    open_tab(page, "About")
    for name in ("LSTM", "Simple RNN", "Guessing"):
        wait_for_text(page, "#figures", name)
    assert page.locator("#lessons a").count() == 18
    if not page.locator("#origins").is_visible():
        page.get_by_role("button", name="For programmers").click()
    page.locator("#origins").get_by_text("VanillaRNN; bundled with lyricgen").wait_for()
    assert_fits(page)


def test_links_of_lessons_open_what_they_say(page, app_url):
    links = {
        "fast,slow": ("#word-map .w-side", "fast – slow"),
        "slow,slower,fast": ("#analogy .w-answer", "slow is to slower as fast is to faster"),
    }
    for words, (place, text) in links.items():
        (step,) = [step for lesson in LESSONS for step in lesson.steps if step.values.get("words") == words]
        page.goto(f"{app_url}/{step.link}")
        wait_for_text(page, place, text)


def test_a_link_in_a_chat_shows_a_card_of_the_page(page):
    tags = page.evaluate("""() => Object.fromEntries([...document.querySelectorAll('meta[name], meta[property]')]
        .map(tag => [tag.getAttribute('name') ?? tag.getAttribute('property'), tag.content]))""")
    assert page.title() == TITLE and "one letter at a time" in tags["description"]


def test_all_tabs_can_be_seen_on_a_phone(page):
    page.set_viewport_size({"width": 390, "height": 844})
    for name in ("Write", "Inside", "Check", "Words", "About"):
        box = page.get_by_role("tab", name=name, exact=True).bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 390 and box["height"] >= 40


def test_big_text_is_for_a_projector(page):
    page.locator("#big-text").click()
    assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "20px"
    page.locator("#big-text").click()
    assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "16px"


def test_the_document_is_under_100_kb_on_the_wire(app_url):
    request = urllib.request.Request(app_url, headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request) as response:
        sent = response.read()
    assert response.headers["Content-Encoding"] == "gzip" and len(sent) < 100_000
    assert b"one letter at a time" in gzip.decompress(sent)
