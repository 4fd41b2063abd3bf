"""Words, in a real browser: Map, Analogies, Bias."""

import re

import pytest
from browser import DESKTOP, PHONE, TITLE, assert_fits, open_tab, wait_for_text

pytestmark = pytest.mark.browser
ASKED = re.compile("/component_server/?$")
both_widths = pytest.mark.parametrize("page", [DESKTOP, PHONE], indirect=True, ids=["desktop", "phone"])


def open_part(page, name: str, button: str) -> None:
    """Opens a part below the map, unless it is open."""
    open_tab(page, "Words", "Map")
    page.get_by_role("button", name=name).wait_for()
    if not page.locator(button).is_visible():
        page.get_by_role("button", name=name).click()


def wait_until(page, condition) -> None:
    """Waits for something that happens outside the page."""
    for _ in range(100):
        if condition():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it did not happen")


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
    page.locator("#word-map").get_by_role("button", name="these songs").click()
    wait_for_text(page, "#word-map .w-problem", "I don't know “puddle”")
    page.get_by_role("button", name="Wikipedia and news").click()


@both_widths
def test_an_analogy_opens_solved_and_a_wrong_word_gets_spellings_as_buttons(fresh_page):
    page = fresh_page
    open_tab(page, "Words", "Analogies")
    wait_for_text(page, "#analogy .w-answer", "woman is to queen")
    assert page.locator("#analogy .w-arrows text").all_text_contents() == ["man", "king", "woman", "queen"]
    page.locator("#analogy-y1").fill("girrl")
    page.keyboard.press("Enter")
    page.locator("#analogy .w-problem").get_by_role("button", name="girl", exact=True).click()
    wait_for_text(page, "#analogy .w-answer", "girl is to")
    page.locator("#analogy").get_by_role("button", name="man : king").click()
    wait_for_text(page, "#analogy .w-answer", "queen")
    assert_fits(page)


def test_the_benchmark_is_scored(page):
    open_tab(page, "Words", "Analogies")
    page.get_by_text("More: how often is it right?").click()
    page.locator("#check-analogies").click()
    page.wait_for_function("document.querySelector('#scores').innerText.includes('69.0 %')", timeout=30_000)


@both_widths
def test_distances_of_a_triple_have_a_verdict_and_a_picture(page):
    open_part(page, "Distance of two words", "#distances")
    page.locator("#distances").get_by_role("button", name="fast, quick, slow").click()
    wait_for_text(page, "#distances .w-result", "slow is closer to fast than quick")
    assert "fast – slow: 0.1" in page.locator("#distances svg").get_attribute("aria-label")
    page.locator("#distances").get_by_role("button", name="guitar, drums").click()
    wait_for_text(page, "#distances .w-result", "guitar – drums: ")
    assert_fits(page)


@both_widths
def test_neighbours_in_two_spaces(page):
    open_part(page, "Neighbours of a word", "#neighbors")
    page.locator("#neighbors").get_by_role("button", name="heart").click()
    page.get_by_role("group", name="Compare with").get_by_role("button", name="these songs").click()
    wait_for_text(page, "#neighbors .w-result", "are the same")
    assert page.locator("#neighbors .w-result .w-bars").count() == 2
    assert_fits(page)
    page.get_by_role("group", name="Compare with").get_by_role("button", name="nothing").click()


def test_a_link_to_words_holds_their_space(page, app_url):
    open_tab(page, "Words", "Analogies")
    page.get_by_role("tabpanel").get_by_role("button", name="these songs").click()
    page.wait_for_function("location.search.includes('vectors=lyrics')")
    answer = page.locator(".w-answer").inner_text()
    page.goto(page.url)
    wait_for_text(page, ".w-answer", answer)
    pressed = (
        page.get_by_role("group", name="Words learnt from").locator("visible=true").get_by_role("button", pressed=True)
    )
    assert pressed.inner_text() == "these songs"


def test_the_last_question_is_answered_and_a_lost_answer_is_said(page):
    open_part(page, "Neighbours of a word", "#neighbors")
    held = []
    page.route(ASKED, lambda route: held.append(route))
    learnt_from = page.locator("#neighbors").get_by_role("group", name="Words learnt from")
    learnt_from.get_by_role("button", name="these songs").click()
    learnt_from.get_by_role("button", name="Wikipedia").click()
    wait_until(page, lambda: len(held) == 2)
    held[1].continue_()
    page.locator("#neighbors .w-result .w-bars").wait_for()
    shown = page.locator("#neighbors .w-result").inner_text()
    with page.expect_response(ASKED):
        held[0].continue_()
    page.wait_for_timeout(200)
    assert page.locator("#neighbors .w-result").inner_text() == shown
    page.locator("#neighbors").get_by_role("button", name="Find neighbours").click()
    wait_until(page, lambda: len(held) == 3)
    held[2].abort()
    wait_for_text(page, "#neighbors .w-problem", "No answer came. Try again.")
    assert page.locator("#neighbors").get_by_role("button", name="Find neighbours").is_visible()
    page.unroute(ASKED)


@both_widths
def test_a_map_is_drawn_and_can_be_downloaded(page):
    open_part(page, "Draw a map of your own words", "#draw")
    page.locator("#draw").click()
    page.locator("#map svg text").get_by_text("violin").wait_for()
    page.locator("#map-files a").nth(3).wait_for()
    assert page.locator("#map svg path").count() == 4 and page.locator("#map .w-legend i").count() == 4
    contents = {}
    for link in page.locator("#map-files a").all():
        with page.expect_download() as download:
            link.click()
        contents[download.value.suggested_filename] = download.value.path().read_bytes()
    assert contents["words.png"].startswith(b"\x89PNG") and b"</svg>" in contents["words.svg"]
    assert contents["words.csv"].startswith(b"word,group,x,y\nking,royals,") and b'"violin"' in contents["words.json"]


def test_words_at_random_and_examples_are_drawn_at_once(page):
    open_part(page, "Draw a map of your own words", "#draw")
    before = page.locator("#map-words textarea").input_value()
    page.locator("#random-words").click()
    page.wait_for_function("before => document.querySelector('#map-words textarea').value !== before", arg=before)
    words = page.locator("#map-words textarea").input_value().split(", ")
    page.locator("#map svg text").get_by_text(words[0], exact=True).wait_for()
    assert len(words) == 20
    page.get_by_text("france > paris").click()
    page.locator("#map svg text").get_by_text("tokyo").wait_for()


@both_widths
def test_bias_opens_with_its_four_pictures(page):
    open_tab(page, "Words", "Bias")
    for place, text in (
        ("#occupations", "captain"),
        ("#weat-picture", "career"),
        ("#clusters", "After:"),
        ("#writer", "nurse"),
    ):
        wait_for_text(page, place, text)
    assert page.locator("#occupations li").count() >= 30
    assert "male names goes with career" in page.locator("#weat-picture").inner_text()
    page.locator("#own-word").fill("florist")
    page.keyboard.press("Enter")
    page.locator("#occupations .w-own").get_by_text("florist").wait_for()
    page.locator("#clusters").get_by_role("button", name="before", exact=True).click()
    wait_for_text(page, "#clusters", "Before:")
    page.locator("#clusters").get_by_role("button", name="after taking it out").click()
    assert_fits(page)


def test_choosing_a_test_fills_its_words_and_bad_words_are_answered_below(page):
    open_tab(page, "Words", "Bias")
    page.get_by_label("Choose a test").click()
    page.get_by_role("option", name="Flowers and insects").click()
    wait_for_text(page, "#weat-picture", "aster")
    page.get_by_role("button", name="Change the words").first.click()
    page.locator("#target1 textarea").fill("aster")
    page.locator("#run-weat").click()
    wait_for_text(page, "#weat-picture", "Box X must be 2 to 500 different words")


def test_an_unknown_word_is_told_below_its_box_with_spellings_and_markup_is_text(page):
    open_part(page, "Neighbours of a word", "#neighbors")
    box = page.locator("#neighbors input")
    box.fill("<img src=x onerror=document.title='broken'>")
    box.press("Enter")
    wait_for_text(page, "#neighbors .w-problem", "Type one word only")
    assert page.title() == TITLE and page.locator("#neighbors .w-result .w-bars").count() == 0
    box.fill("womann")
    box.press("Enter")
    page.locator("#neighbors .w-problem").get_by_role("button", name="woman", exact=True).click()
    wait_for_text(page, "#neighbors .w-result", "girl")
    open_part(page, "Draw a map of your own words", "#draw")
    page.locator("#map-words textarea").fill("xqzzy")
    page.locator("#draw").click()
    page.locator("#map-error [role=alert]").get_by_text("I don't know “xqzzy”").wait_for()
    assert page.locator("#map svg").count() == 0


def test_words_that_a_map_or_a_test_lacks_get_spellings_as_buttons(page):
    open_part(page, "Draw a map of your own words", "#draw")
    page.locator("#map-words textarea").fill("king > queen, womann, <b>mann</b>")
    page.locator("#draw").click()
    page.locator("#map svg text").get_by_text("queen").wait_for()
    page.locator("#map-error").get_by_role("button", name="woman", exact=True).click()
    page.locator("#map svg text").get_by_text("woman", exact=True).wait_for()
    assert page.locator("#map-words textarea").input_value() == "king > queen, woman, <b>mann</b>"
    assert page.locator("#map-error b").count() == 0
    open_tab(page, "Words", "Bias")
    if not page.locator("#target1").is_visible():
        page.get_by_role("button", name="Change the words").first.click()
    page.locator("#target1 textarea").fill("man, boyy")
    page.locator("#run-weat").click()
    page.locator("#weat-spellings").get_by_role("button", name="boy", exact=True).click()
    page.wait_for_function("document.querySelector('#target1 textarea').value === 'man, boy'")
    wait_for_text(page, "#weat-picture", "Effect size")


def test_two_analogies_stand_side_by_side(page):
    open_tab(page, "Words", "Bias")
    page.get_by_role("button", name="More: two analogies side by side").click()
    page.locator("#two-analogies").get_by_role("button", name="man, doctor, woman").click()
    wait_for_text(page, "#two-analogies", "woman is to doctor as man is to …")
    assert "nurse" in page.locator("#two-analogies").inner_text()
