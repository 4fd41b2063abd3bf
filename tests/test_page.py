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


def open_attribution(page) -> None:
    button = page.get_by_role("tab", name="Whose line is it?")
    page.get_by_role("tab", name="Write lyrics").wait_for()
    if not button.is_visible():
        page.locator(".overflow-menu > button:visible").first.click()
        button = page.locator(".overflow-dropdown button:visible", has_text="Whose line")
    button.click()
    page.locator("#attribute").wait_for()


@pytest.mark.parametrize("page", [DESKTOP, PHONE], indirect=True, ids=["desktop", "phone"])
def test_a_text_is_attributed_with_bars_and_line_by_line(page):
    open_attribution(page)
    page.locator("#attribution-text textarea").fill("the sea is calm\nand the night is ours")
    page.locator("#attribute").click()
    page.locator(".whose-lines").wait_for(timeout=20_000)
    assert page.locator(".posterior li").count() == 21
    assert page.locator(".whose-lines tbody tr").count() == 2
    first = page.locator(".posterior li").first
    assert first.locator(".name").inner_text() in page.locator("#attribution-verdict").inner_text()
    widths = [track.bounding_box()["width"] for track in page.locator(".posterior .track > span").all()]
    assert widths == sorted(widths, reverse=True) and widths[0] > widths[-1]
    assert "TF-IDF" in page.locator("#attribution-figures").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


def test_markup_in_an_attributed_text_is_text(page):
    open_attribution(page)
    markup = "<img src=x onerror=document.title='broken'>"
    page.locator("#attribution-text textarea").fill(markup)
    page.locator("#attribute").click()
    page.locator(".whose-lines").get_by_text(markup).wait_for(timeout=20_000)
    assert page.title() == "lyricgen" and page.locator(".whose-lines img").count() == 0


def test_an_empty_text_to_attribute_is_told_in_a_toast(page):
    open_attribution(page)
    page.locator("#attribution-text textarea").fill(" ")
    page.locator("#attribute").click()
    page.get_by_test_id("toast-body").get_by_text("text must be 1 to 5,000 characters").wait_for()


def open_words(page, tab: str) -> None:
    """Goes to a tab on words; on a narrow page it may be in the menu of those that do not fit."""
    page.get_by_role("tab", name="Explore words").click()
    button = page.get_by_role("tab", name=tab)
    page.get_by_role("tab", name="Analogies").wait_for()
    if not button.is_visible():
        page.locator(".overflow-menu > button:visible").click()
        button = page.locator(".overflow-dropdown button:visible", has_text=tab)
    button.click()


def assert_picture(page, place: str, words: list[str]) -> None:
    """A picture is there, loaded, and its description names the words."""
    picture = page.locator(f"{place} img").first
    picture.wait_for(timeout=30_000)
    page.wait_for_function("place => document.querySelector(place + ' img').naturalWidth > 300", arg=place)
    assert all(word in picture.get_attribute("alt") for word in words)
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


both_widths = pytest.mark.parametrize("page", [DESKTOP, PHONE], indirect=True, ids=["desktop", "phone"])


@both_widths
def test_an_analogy_is_solved_two_ways_and_drawn(page):
    open_words(page, "Analogies")
    page.locator("#solve").click()
    assert_picture(page, "#parallelogram", ["man", "king", "woman", "queen"])
    assert page.locator("#analogy-answer").inner_text().endswith("queen")
    for table in ("#added", "#multiplied"):
        page.wait_for_function("place => document.querySelector(place).innerText.includes('does not count')", arg=table)


def test_an_example_fills_the_analogy_and_the_benchmark_is_scored(page):
    open_words(page, "Analogies")
    page.get_by_text("japan").click()
    page.wait_for_function("document.querySelector('#x1 textarea, #x1 input').value === 'france'")
    page.get_by_text("Check it on the benchmark").click()
    page.locator("#check-analogies").click()
    page.wait_for_function("document.querySelector('#scores').innerText.includes('69.0%')", timeout=30_000)


@both_widths
def test_distances_of_a_triple_have_a_verdict_and_a_picture(page):
    open_words(page, "Distances")
    page.locator("#measure").click()
    assert_picture(page, "#distances", ["fast", "quick", "slow"])
    assert "the antonym is nearer" in page.locator("#verdict").inner_text()


@both_widths
def test_neighbours_in_two_spaces(page):
    open_words(page, "Neighbours")
    page.get_by_label("Beside").first.click()
    page.get_by_role("option", name="lyrics").click()
    page.locator("#find").click()
    page.locator("#overlap").get_by_text("of the neighbours are the same").wait_for(timeout=20_000)
    page.locator("#neighbors-beside").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


@both_widths
def test_a_map_is_drawn_and_can_be_downloaded(page):
    open_words(page, "Map")
    page.locator("#draw").click()
    assert_picture(page, "#map", ["king", "violin"])
    contents = {}
    for link in page.locator("#map-files a").all():
        with page.expect_download() as download:
            link.click()
        contents[download.value.suggested_filename] = download.value.path().read_bytes()
    assert contents["words.png"].startswith(b"\x89PNG") and b"</svg>" in contents["words.svg"]
    assert contents["words.csv"].startswith(b"word,group,x,y\nking,royals,") and b'"violin"' in contents["words.json"]


def test_words_at_random_fill_the_box(page):
    open_words(page, "Map")
    before = page.locator("#map-words textarea").input_value()
    page.locator("#random-words").click()
    page.wait_for_function("before => document.querySelector('#map-words textarea').value !== before", arg=before)
    assert page.locator("#map-words textarea").input_value().count(",") == 19


@both_widths
def test_bias_lab_compares_tests_and_debiases(page):
    open_words(page, "Bias")
    page.locator("#compare-analogies").click()
    page.locator("#differs").get_by_text("nurse").wait_for(timeout=20_000)
    page.locator("#run-weat").click()
    assert_picture(page, "#weat-picture", ["career", "family"])
    assert "male names goes with career" in page.locator("#weat-says").inner_text()
    page.locator("#look").click()
    assert_picture(page, "#occupations", ["teacher"])
    assert_picture(page, "#clusters", ["debiasing"])
    assert "classifier" in page.locator("#debiasing-says").inner_text()


def test_an_association_the_other_way_round_is_called_so(page):
    open_words(page, "Bias")
    career, family = (page.locator(f"#{name} textarea") for name in ("attribute1", "attribute2"))
    words = career.input_value()
    career.fill(family.input_value())
    family.fill(words)
    page.locator("#run-weat").click()
    page.locator("#weat-says").get_by_text("The other way round: X goes with B, and Y with A").wait_for(timeout=20_000)


def test_choosing_a_published_test_fills_its_words(page):
    open_words(page, "Bias")
    page.get_by_label("Published test").click()
    page.get_by_role("option", name="Flowers and insects").click()
    page.wait_for_function("document.querySelector('#target1 textarea').value.startsWith('aster')", timeout=10_000)


def test_an_unknown_word_is_told_in_a_toast_and_markup_is_text(page):
    open_words(page, "Neighbours")
    page.locator("#neighbor-word").get_by_role("textbox").fill("<img src=x onerror=document.title='broken'>")
    page.locator("#find").click()
    page.get_by_test_id("toast-body").get_by_text("is not among the 400,000 words").wait_for()
    assert page.title() == "lyricgen"


def test_about_tab_lists_both_models(page):
    page.get_by_role("tab", name="About").click()
    for name in ("lstm", "vanilla-rnn"):  # innerText leaves out what is hidden
        page.wait_for_function("name => document.querySelector('#models').innerText.includes(name)", arg=name)
    page.locator("#origins").get_by_text("VanillaRNN; bundled with lyricgen").wait_for()
