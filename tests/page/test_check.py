"""Check, in a real browser."""

import pytest
from browser import DESKTOP, PHONE, TITLE, assert_fits, open_tab, wait_for_text

pytestmark = pytest.mark.browser
both_widths = pytest.mark.parametrize("page", [DESKTOP, PHONE], indirect=True, ids=["desktop", "phone"])


def check(page, text: str) -> None:
    """Has a text checked."""
    open_tab(page, "Check")
    page.locator("#check-text textarea").fill(text)
    page.locator("#check").click()


@both_widths
def test_copied_words_are_marked_and_their_songs_listed(page):
    check(page, "the gulls say  i don't know what to do when all the ferries have somewhere to go")
    wait_for_text(page, "#original-marked", "the gulls say")
    marks = page.locator("#original-marked mark").all_inner_texts()
    assert any(mark.startswith("i don't know what to do") for mark in marks)
    assert "Longest run that occurs in the training songs" in page.locator("#original-summary").inner_text()
    wait_for_text(page, "#original-runs", "1")
    assert_fits(page)


@both_widths
def test_a_text_is_attributed_with_bars_and_line_by_line(page):
    check(page, f"the sea is calm at {page.viewport_size['width']}\nand the night is ours")
    wait_for_text(page, ".whose-lines", f"the sea is calm at {page.viewport_size['width']}")
    assert page.locator(".posterior").count() == 2
    ranking = page.locator(".posterior").first
    assert ranking.locator("li").count() == 21
    assert page.locator(".whose-lines tbody tr").count() == 2
    assert ranking.locator("li .name").first.inner_text() in page.locator("#attribution-verdict").inner_text()
    widths = [track.bounding_box()["width"] for track in ranking.locator(".track > span").all()]
    assert widths == sorted(widths, reverse=True) and widths[0] > widths[-1]
    assert "TF-IDF" in page.locator("#attribution-figures").inner_text()
    assert_fits(page)


def test_markup_in_a_text_is_text(page):
    markup = "<img src=x onerror=document.title='broken'> i don't know what to do </mark><script>document.title='bad'</script>"
    check(page, markup)
    wait_for_text(page, "#original-marked", "<img src=x")
    wait_for_text(page, ".whose-lines", "<img src=x")
    for place in ("#original-marked", ".whose-lines"):
        assert page.locator(f"{place} img").count() == 0
    assert page.title() == TITLE
    assert page.locator("#original-marked").inner_text().startswith("<img src=x onerror=document.title='broken'>")


def test_an_empty_text_is_refused_in_one_sentence(page):
    check(page, " ")
    page.get_by_test_id("toast-body").get_by_text("characters, got an empty text").first.wait_for()
