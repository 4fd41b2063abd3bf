"""The real page in a real browser: Debian's chromium, driven by Playwright."""

import os
import shutil

import pytest

CHROMIUM = os.environ.get("LYRICGEN_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser():
    if not CHROMIUM:
        message = "no chromium on this machine; install it, or name one in LYRICGEN_CHROMIUM"
        pytest.fail(message) if os.environ.get("LYRICGEN_REQUIRE_BROWSER") else pytest.skip(message)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser, app_url, request):
    """The page, opened afresh; the test fails if a script of it did."""
    failures = []
    page = browser.new_page(viewport=getattr(request, "param", DESKTOP))
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.goto(app_url)
    page.get_by_label("Prefix").wait_for(timeout=20_000)
    yield page
    page.close()
    assert not failures


def lyrics(page) -> str:
    return page.locator("#lyrics textarea").input_value()


def wait_for_lyrics(page, length: int) -> str:
    """The text once it has `length` characters."""
    page.wait_for_function(f"document.querySelector('#lyrics textarea').value.length >= {length}", timeout=30_000)
    return lyrics(page)


@pytest.mark.parametrize("page", [DESKTOP, PHONE], indirect=True, ids=["desktop", "phone"])
def test_a_lyric_is_written_and_nothing_overflows(page):
    page.get_by_label("Prefix").fill("the road goes 😀 ")
    page.get_by_role("button", name="Write").click()
    assert wait_for_lyrics(page, 299).startswith("the road goes 😀 ")
    page.get_by_text("read as unknown: 😀").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


def test_nothing_typed_begins_a_song(page):
    page.get_by_role("button", name="Write").click()
    assert len(wait_for_lyrics(page, 300)) == 300


def test_stop_stops(page):
    page.get_by_label("number input for Length").fill("5000")
    page.get_by_role("radio", name="beam").check()
    page.get_by_role("button", name="Write").click()
    wait_for_lyrics(page, 20)
    page.get_by_role("button", name="Stop").click()
    page.wait_for_timeout(700)
    stopped = lyrics(page)
    page.wait_for_timeout(1_000)
    assert lyrics(page) == stopped
    assert 20 <= len(stopped) < 5_000


def test_running_model_its_figure_and_origin_are_shown_and_follow_the_choice(page):
    running = page.locator("#running")
    assert "ImprovedSeqModel" in running.inner_text()
    assert "bits per character" in running.inner_text()
    assert "bundled with lyricgen" in running.inner_text()
    page.get_by_role("radio", name="vanilla-rnn").check()
    running.get_by_text("VanillaRNN").wait_for()


def test_example_fills_the_settings(page):
    page.get_by_text("counting every step").click()
    page.wait_for_function("document.querySelector('#prefix textarea').value.startsWith('counting')", timeout=10_000)


def test_settings_of_sampling_hide_where_nothing_is_sampled(page):
    temperature = page.get_by_label("number input for Temperature")
    temperature.wait_for()
    page.get_by_role("radio", name="greedy").check()
    temperature.wait_for(state="hidden")


def test_bad_length_is_told_in_a_toast(page):
    page.get_by_label("Prefix").fill("a prefix of more than fifty characters, so that a length of fifty is too short")
    page.get_by_label("number input for Length").fill("50")
    page.get_by_role("button", name="Write").click()
    page.get_by_test_id("toast-body").get_by_text("max_length must be at least").wait_for()


def test_markup_in_the_prefix_is_text(page):
    page.get_by_label("Prefix").fill("<img src=x onerror=document.title='broken'> ")
    page.get_by_role("button", name="Write").click()
    wait_for_lyrics(page, 300)
    assert page.title() == "lyricgen"


def test_about_tab_lists_both_models(page):
    page.get_by_role("tab", name="About").click()
    for name in ("ImprovedSeqModel", "VanillaRNN"):  # innerText leaves out what is hidden
        page.wait_for_function("name => document.querySelector('#models').innerText.includes(name)", arg=name)
