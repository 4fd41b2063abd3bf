"""Write, in a real browser."""

import pytest
from browser import DESKTOP, PHONE, assert_fits, open_tab, wait_for_text

from lyricgen import measure_originality

pytestmark = pytest.mark.browser
both_widths = pytest.mark.parametrize("page", [DESKTOP, PHONE], indirect=True, ids=["desktop", "phone"])


@pytest.fixture(autouse=True)
def write_tab(page):
    open_tab(page, "Write")


def lyrics(page) -> str:
    return page.locator("#lyrics textarea").input_value()


def wait_for_lyrics(page, length: int) -> str:
    """The text once it has `length` characters."""
    page.wait_for_function(f"document.querySelector('#lyrics textarea').value.length >= {length}", timeout=30_000)
    return lyrics(page)


@both_widths
def test_a_lyric_is_written_and_nothing_overflows(page):
    page.get_by_label("Prefix").fill("the road goes 😀 ")
    page.get_by_role("button", name="Write", exact=True).click()
    assert wait_for_lyrics(page, 299).startswith("the road goes 😀 ")
    page.get_by_text("read as unknown: 😀").wait_for()
    assert_fits(page)


def test_nothing_typed_begins_a_song(page):
    page.get_by_role("button", name="Write", exact=True).click()
    assert len(wait_for_lyrics(page, 300)) == 300


def test_a_lyric_copies_no_more_words_than_are_allowed(fresh_page):
    page = fresh_page
    page.get_by_label("Prefix").fill("i want you to ")
    page.get_by_label("number input for Temperature").fill("0.4")
    page.get_by_label("Copy at most").click()
    page.get_by_role("option", name="4 words").click()
    page.get_by_role("button", name="Write", exact=True).click()
    text = wait_for_lyrics(page, 300)
    page.locator("#original-line").get_by_text("No 5 words in a row occur in the training songs").wait_for()
    assert measure_originality(text).longest_run == 0


def test_bad_length_is_told_in_a_toast(page):
    page.get_by_label("Prefix").fill("a prefix of more than fifty characters, so that a length of fifty is too short")
    page.get_by_label("number input for Length").fill("50")
    page.get_by_role("button", name="Write", exact=True).click()
    page.get_by_test_id("toast-body").get_by_text("max_length must be at least").wait_for()


def test_a_lyric_is_the_text_of_inside_and_check_until_another_is_typed(fresh_page):
    page = fresh_page
    page.get_by_label("Prefix").fill("the sea and ")
    page.get_by_role("button", name="Write", exact=True).click()
    text = wait_for_lyrics(page, 300)
    page.get_by_role("button", name="Look inside").click()
    page.wait_for_function("text => document.querySelector('#inside-text textarea')?.value === text", arg=text)
    wait_for_text(page, "#xray-summary", f"{len(text)} letters")
    wait_for_text(page, "#inside-text-source", "Your song")
    open_tab(page, "Check")
    page.wait_for_function("text => document.querySelector('#check-text textarea')?.value === text", arg=text)
    page.locator("#check-text textarea").fill("a text of my own")
    wait_for_text(page, "#check-text-source", "Your own text")
    open_tab(page, "Inside")
    page.wait_for_function("document.querySelector('#inside-text textarea').value === 'a text of my own'")
