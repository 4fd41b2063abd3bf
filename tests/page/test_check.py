"""Check, in a real browser."""

import pytest
from browser import DESKTOP, PHONE, TITLE, assert_fits, open_tab, wait_for_text

pytestmark = pytest.mark.browser
both_widths = pytest.mark.parametrize("page", [DESKTOP, PHONE], indirect=True, ids=["desktop", "phone"])


def check(page, text: str) -> None:
    """Has a text checked."""
    open_tab(page, "Check")
    page.locator("#check-text textarea").fill(text)
    page.locator("#check-text textarea").press("Control+Enter")


@both_widths
def test_one_button_gives_all_answers(page):
    sea = f"the sea is calm at {page.viewport_size['width']}"
    check(page, f"{sea}\ni don't know what to do when all the ferries have somewhere to go")
    wait_for_text(page, "#copied-passages .checked", sea)
    wait_for_text(page, "#has-read", "bits a letter")
    marks = page.locator("#copied-passages mark").all_inner_texts()
    assert any(mark.startswith("i don't know what to do") for mark in marks)
    assert "Longest copied passage" in page.locator("#copied-passages").inner_text()
    assert page.locator("#copied-passages .copied-songs li").count() == len(marks)
    assert page.locator("#sounds-like .posterior li").count() == 21
    assert page.locator("#copied-passages .checked-line:not(.head) .artist").count() == 2
    first = page.locator("#sounds-like .posterior li .name").first.inner_text()
    assert f"Most like {first}" in page.locator("#sounds-like .verdict").inner_text()
    assert_fits(page)


def test_markup_in_a_text_is_text(page):
    markup = "<img src=x onerror=document.title='broken'> i don't know what to do </mark><script>document.title='bad'</script>"
    check(page, markup)
    wait_for_text(page, "#copied-passages", "<img src=x")
    assert page.locator("#copied-passages img, #sounds-like img").count() == 0
    assert page.title() == TITLE


def test_another_text_hides_the_answers_and_an_error_clears_them(page):
    check(page, "the harbour is quiet tonight and the boats are gone")
    wait_for_text(page, "#copied-passages", "the harbour is quiet")
    page.locator("#check-text textarea").press_sequentially("!")
    page.locator("#copied-passages .checked").wait_for(state="hidden")
    page.locator("#check-text textarea").fill(" ")
    page.locator("#check").click()
    page.locator("#check-error [role=alert]").get_by_text("Type a text first.").wait_for()
    assert page.locator("#copied-passages .checked").count() == 0
