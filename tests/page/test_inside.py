"""Inside, in a real browser: Letters, Neurons, RNN vs LSTM."""

import pytest
from browser import DESKTOP, HOSTILE, PHONE, assert_fits, open_tab, wait_for_text

from lyricgen.analysis.scoring import compare_scores, score
from lyricgen.endpoints.inside import SCORED_EXAMPLE
from lyricgen.ui.tabs.inside.letters import shades

pytestmark = pytest.mark.browser
both_widths = pytest.mark.parametrize("page", [DESKTOP, PHONE], indirect=True, ids=["desktop", "phone"])


def xray(page, text: str) -> None:
    """Has a text X-rayed."""
    open_tab(page, "Inside", "Letters")
    page.locator("#inside-text textarea").fill(text)
    page.locator("#xray").click()
    page.wait_for_function(
        "length => document.querySelectorAll('#xray-view .xr-text span').length === length",
        arg=2 * len(text),
        timeout=60_000,
    )


def details(page, view: str = "#xray-view") -> str:
    """What the box on a letter says."""
    box = page.locator(f"{view} .xr-box")
    box.wait_for()
    return box.inner_text()


@both_widths
def test_every_letter_is_coloured_and_tells_of_itself(page):
    text = "the river is deep  the river is wide and qz"
    xray(page, text)
    scored = score(text)
    assert f"{scored.bits_per_character:.3f} bits per character" in page.locator("#xray-summary").inner_text()
    letters = page.locator("#xray-view .xr-panel").first.locator(".xr-text span")
    assert "".join(letters.all_inner_texts()).replace("\xa0", " ") == text
    classes = [letter.get_attribute("class") for letter in letters.all()]
    assert classes == shades(scored) and len(set(classes)) > 3
    letters.nth(2).hover()
    shown = details(page)
    assert (
        "letter 3: e" in shown and f"rank {scored.ranks[2]}" in shown and f"entropy {scored.entropies[2]:.2f}" in shown
    )
    assert "lstm" in shown and "vanilla-rnn" in shown and shown.count("%") == 2 * 6
    page.mouse.move(2, 2)
    page.locator("#xray-view .xr-box").wait_for(state="hidden")
    letters.nth(4).click()
    page.mouse.move(2, 2)
    assert "letter 5: r" in details(page)
    page.keyboard.press("ArrowRight")
    assert "letter 6: i" in details(page)
    box = page.locator("#xray-view .xr-box").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= page.viewport_size["width"]
    page.keyboard.press("Escape")
    page.locator("#xray-view .xr-box").wait_for(state="hidden")
    assert_fits(page)


def test_lines_differences_and_a_table_stand_below(page):
    text = "the river is deep  and qz is wide"
    xray(page, text)
    page.get_by_role("button", name="Numbers").click()
    page.wait_for_function("document.querySelector('#xray-lines').innerText.includes('and qz is wide')")
    worst = compare_scores(text).differences[0]
    page.wait_for_function(
        "bits => document.querySelector('#xray-differences').innerText.includes(bits)", arg=f"{worst.bits[0]:.2f}"
    )
    with page.expect_download() as download:
        page.locator("#xray-files a").first.click()
    assert download.value.suggested_filename == "lstm.csv"
    assert download.value.path().read_bytes().decode() == score(text).to_csv()


def test_markup_in_a_text_is_shown_and_never_run(page):
    ran = []

    def dismiss(dialog) -> None:
        ran.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", dismiss)
    xray(page, HOSTILE)
    for panel in page.locator("#xray-view .xr-text").all():
        assert panel.text_content() == HOSTILE
    page.wait_for_function("document.querySelector('#xray-lines').innerText.includes('onerror')")
    page.locator("#xray-view .xr-text span").first.click()
    assert "letter 1: <" in details(page)
    open_tab(page, "Inside", "Neurons")
    page.locator("#cells-view .xr-text").first.wait_for(timeout=20_000)
    assert page.locator("#cells-view .xr-text").first.text_content() == HOSTILE
    for place in ("#xray-view", "#cells-view", "#xray-lines", "#xray-differences", "#xray-summary"):
        assert page.locator(f"{place} img[src='x'], {place} .xr script").count() == 0
    page.wait_for_timeout(300)
    page.remove_listener("dialog", dismiss)
    assert ran == []


def test_a_letter_outside_the_vocabulary_is_marked(page):
    xray(page, "caf\u00e9 \U0001f600 noir")
    assert page.locator("#xray-view .xr-panel").first.locator(".xru").all_inner_texts() == ["\u00e9", "\U0001f600"]
    page.locator("#xray-view .xr-panel").first.locator(".xr-text .xru").first.click()
    assert "not scored" in details(page)
    assert "They are not scored" in page.locator("#xray-summary").inner_text()


def test_a_hidden_unit_is_seen_along_the_text(page):
    open_tab(page, "Inside", "Neurons")
    page.locator("#inside-text textarea").fill(SCORED_EXAMPLE)
    page.locator("#see-cells").click()
    wait_for_text(page, "#cells-features", "the same at every letter")
    page.locator("#cells-view .xr-text").nth(1).wait_for(timeout=20_000)
    assert page.locator("#cells-view .xp4").count() > 1 and page.locator("#cells-view .xn4").count() > 1
    page.wait_for_function("document.querySelector('#cells-features').innerText.includes('the same at every letter')")
    page.get_by_label("Units to look at").click()
    page.get_by_role("option", name="vowel").click()
    wait_for_text(page, "#cells-told", "Layer 1 of 2, unit")
    page.locator("#cells-view .xr-text span").nth(1).click()
    assert "activation h" in details(page, "#cells-view") and "memory c" in details(page, "#cells-view")
    page.set_viewport_size(PHONE)
    assert_fits(page)


def test_a_text_of_5000_letters_is_drawn_and_answers_the_keyboard(page):
    xray(page, ("seven chairs stood in the rain  " * 160)[:5_000])
    page.locator("#xray-view .xr-text").first.focus()
    page.keyboard.press("End")
    assert "letter 5000" in details(page)
    step, copy = page.evaluate(
        """() => {
        const leastOf20 = call => Math.min(...Array.from({ length: 20 }, () => {
          const start = performance.now(); call(); return performance.now() - start; }));
        const text = document.activeElement;
        return [leastOf20(() => text.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowLeft' }))),
                leastOf20(() => text.cloneNode(true))]; }"""
    )
    assert "letter 4980" in details(page)
    assert step < 5 * copy  # a step does not draw the text again


def test_nothing_to_xray_is_told_in_a_toast(page):
    open_tab(page, "Inside", "Letters")
    page.locator("#inside-text textarea").fill("")
    page.locator("#xray").click()
    page.get_by_test_id("toast-body").get_by_text("text must have 1 to 5,000 characters").wait_for()


def test_both_models_write_side_by_side_and_their_learning_curves_are_drawn(page):
    open_tab(page, "Inside", "RNN vs LSTM")
    page.locator("#compare-prefix textarea").fill("<b>x</b> the sea ")
    page.get_by_role("button", name="Write with both").click()
    page.wait_for_function(
        "[...document.querySelectorAll('#both pre')].map(one => one.textContent.length).join() == '300,300'"
    )
    page.wait_for_function(
        "[...document.querySelectorAll('#both p')].filter(one => one.textContent.includes('training songs')).length == 2"
    )
    assert page.locator("#both b").count() == 0
    headings = page.locator("#both h4").all_inner_texts()
    assert [heading.split(":")[0] for heading in headings] == ["lstm", "vanilla-rnn"]
    assert all("bits per letter so far" in heading for heading in headings)
    page.get_by_role("button", name="What does temperature do?").click()
    page.get_by_role("button", name="Write at five temperatures").click()
    page.wait_for_function(
        "[...document.querySelectorAll('#five pre')].filter(one => one.textContent.length == 300).length == 5"
    )
    page.get_by_role("button", name="Which converges faster?").click()
    page.get_by_alt_text("bits per character by epochs").wait_for()
    page.get_by_role("radio", name="minute").check()
    page.get_by_alt_text("bits per character by minutes of training").wait_for()
    page.set_viewport_size(PHONE)
    assert_fits(page)
