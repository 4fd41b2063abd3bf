"""Words, in a real browser: Map, Analogies, Bias."""

import re

import pytest
from browser import DESKTOP, PHONE, TITLE, assert_fits, assert_picture, open_tab, wait_for_text

pytestmark = pytest.mark.browser
both_widths = pytest.mark.parametrize("page", [DESKTOP, PHONE], indirect=True, ids=["desktop", "phone"])


def open_part(page, name: str, button: str) -> None:
    """Opens a part below the map, unless it is open."""
    open_tab(page, "Words", "Map")
    page.get_by_role("button", name=name).wait_for()
    if not page.locator(button).is_visible():
        page.get_by_role("button", name=name).click()


def click_point(page, word: str) -> None:
    """Clicks the point of a word on the map."""
    page.locator("#word-map .w-point").filter(has_text=re.compile(f"^{word}$")).locator("circle").click(force=True)


@both_widths
def test_the_map_opens_with_words_and_a_click_shows_neighbours_and_a_distance(page):
    open_tab(page, "Words", "Map")
    page.locator("#word-map .w-point").nth(199).wait_for(state="attached")
    side, canvas = page.locator("#word-map .w-side"), page.locator("#word-map .w-canvas")
    canvas.focus()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    wait_for_text(page, "#word-map .w-side", "Click a word")
    click_point(page, "snow")
    wait_for_text(page, "#word-map .w-side", "Nearest to snow")
    assert side.locator("li").count() == 10 and page.locator("#word-map .w-near").count() == 10
    click_point(page, "shoes")
    wait_for_text(page, "#word-map .w-side", "of 1,000 random pairs")
    assert side.locator(".w-histogram .w-here").count() == 1
    canvas.focus()
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    wait_for_text(page, "#word-map .w-side", "random pairs")
    assert_fits(page)


def test_a_word_is_searched_and_a_wrong_one_is_answered_with_spellings(page):
    open_tab(page, "Words", "Map")
    page.locator("#map-search").fill("<img/src=x/onerror=document.title='broken'>")
    page.keyboard.press("Enter")
    wait_for_text(page, "#word-map .w-problem", "I don't know")
    assert page.title() == TITLE
    page.locator("#map-search").fill("pudle")
    page.keyboard.press("Enter")
    page.locator("#word-map .w-problem").get_by_role("button", name="puddle").click()
    wait_for_text(page, "#word-map .w-side", "Nearest to puddle")
    assert page.locator("#word-map .w-problem").inner_text() == ""
    page.get_by_role("button", name="these songs").click()
    wait_for_text(page, "#word-map .w-problem", "I don't know “puddle”")
    page.get_by_role("button", name="Wikipedia and news").click()


@both_widths
def test_an_analogy_is_solved_two_ways_and_drawn(page):
    open_tab(page, "Words", "Analogies")
    page.locator("#solve").click()
    assert_picture(page, "#parallelogram", ["man", "king", "woman", "queen"])
    assert page.locator("#analogy-answer").inner_text().endswith("queen")
    for table in ("#added", "#multiplied"):
        page.wait_for_function("place => document.querySelector(place).innerText.includes('does not count')", arg=table)


def test_an_example_fills_the_analogy_and_the_benchmark_is_scored(page):
    open_tab(page, "Words", "Analogies")
    page.get_by_text("japan").click()
    page.wait_for_function("document.querySelector('#x1 textarea, #x1 input').value === 'france'")
    page.get_by_text("Check it on the benchmark").click()
    page.locator("#check-analogies").click()
    page.wait_for_function("document.querySelector('#scores').innerText.includes('69.0%')", timeout=30_000)


@both_widths
def test_distances_of_a_triple_have_a_verdict_and_a_picture(page):
    open_part(page, "Distance of two words", "#measure")
    page.locator("#measure").click()
    assert_picture(page, "#distances", ["fast", "quick", "slow"])
    assert "the antonym is nearer" in page.locator("#verdict").inner_text()


@both_widths
def test_neighbours_in_two_spaces(page):
    open_part(page, "Neighbours of a word", "#find")
    page.get_by_label("Beside").first.click()
    page.get_by_role("option", name="lyrics").click()
    page.locator("#find").click()
    page.locator("#overlap").get_by_text("of the neighbours are the same").wait_for(timeout=20_000)
    page.locator("#neighbors-beside").wait_for()
    assert_fits(page)


@both_widths
def test_a_map_is_drawn_and_can_be_downloaded(page):
    open_part(page, "Draw a map of your own words", "#draw")
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
    open_part(page, "Draw a map of your own words", "#draw")
    before = page.locator("#map-words textarea").input_value()
    page.locator("#random-words").click()
    page.wait_for_function("before => document.querySelector('#map-words textarea').value !== before", arg=before)
    assert page.locator("#map-words textarea").input_value().count(",") == 19


@both_widths
def test_bias_lab_compares_tests_and_debiases(page):
    open_tab(page, "Words", "Bias")
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
    open_tab(page, "Words", "Bias")
    career, family = (page.locator(f"#{name} textarea") for name in ("attribute1", "attribute2"))
    words = career.input_value()
    career.fill(family.input_value())
    family.fill(words)
    page.locator("#run-weat").click()
    page.locator("#weat-says").get_by_text("The other way round: X goes with B, and Y with A").wait_for(timeout=20_000)


def test_choosing_a_published_test_fills_its_words(page):
    open_tab(page, "Words", "Bias")
    page.get_by_label("Published test").click()
    page.get_by_role("option", name="Flowers and insects").click()
    page.wait_for_function("document.querySelector('#target1 textarea').value.startsWith('aster')", timeout=10_000)


def test_an_unknown_word_is_told_in_a_toast_and_markup_is_text(page):
    open_part(page, "Neighbours of a word", "#find")
    page.locator("#neighbor-word").get_by_role("textbox").fill("<img src=x onerror=document.title='broken'>")
    page.locator("#find").click()
    page.get_by_test_id("toast-body").get_by_text("is not among the 400,000 words").wait_for()
    assert page.title() == TITLE
