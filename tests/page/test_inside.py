"""Inside, in a real browser: Letters, Neurons, RNN vs LSTM."""

import pytest
from browser import DESKTOP, HOSTILE, PHONE, assert_fits, open_tab, wait_for_text

from lyricgen.analysis.scoring import compare_scores, score
from lyricgen.ui.tabs.inside.letters import shades

pytestmark = pytest.mark.browser
both_widths = pytest.mark.parametrize("page", [DESKTOP, PHONE], indirect=True, ids=["desktop", "phone"])


def read(page, text: str) -> None:
    """Has a text read letter by letter."""
    open_tab(page, "Inside", "Letters")
    page.locator("#inside-text textarea").fill(text)
    page.locator("#read-letters").click()
    page.wait_for_function(
        "text => [...document.querySelectorAll('#letters-view .letters-line span')].map(one => one.textContent).join('') === text",
        arg=text.replace("\n", "\u21b5"),
        timeout=60_000,
    )


def details(page, box: str = "#letters-view .letter-box") -> str:
    """What the box on a letter says."""
    page.locator(box).wait_for()
    return page.locator(box).inner_text()


def test_letters_open_with_the_example_read(fresh_page):
    open_tab(fresh_page, "Inside")
    fresh_page.locator("#letters-view .letters-line").nth(3).wait_for(timeout=30_000)
    assert fresh_page.locator("#letters-memory .memory").count() == 2


@both_widths
def test_every_letter_is_coloured_and_says_what_was_expected(page):
    text = f"the river is deep  the river is wide and qz {page.viewport_size['width']}"
    read(page, text)
    scored = score(text)
    assert f"{scored.bits_per_character:.3f} bits a letter" in page.locator("#letters-summary").inner_text()
    letters = page.locator("#letters-view .letters-line span")
    classes = [letter.get_attribute("class") for letter in letters.all()]
    assert classes == shades(scored) and len(set(classes)) > 3
    letters.nth(2).hover()
    shown = details(page)
    assert "letter 3: e" in shown and "LSTM" in shown and "simple RNN" in shown and shown.count("%") == 2 * 6
    page.mouse.move(2, 2)
    page.locator("#letters-view .letter-box").wait_for(state="hidden")
    letters.nth(4).click()
    page.mouse.move(2, 2)
    assert "letter 5: r" in details(page)
    page.keyboard.press("ArrowRight")
    assert "letter 6: i" in details(page)
    wait_for_text(page, "#letters-memory", "Chosen letter: i (letter 6)")
    assert page.locator("#letters-memory .memory .letters-text span").count() == 2 * 5
    box = page.locator("#letters-view .letter-box").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= page.viewport_size["width"]
    page.keyboard.press("Escape")
    page.locator("#letters-view .letter-box").wait_for(state="hidden")
    page.get_by_role("button", name="difference").click()
    assert page.locator("#letters-view .letters-line [class^=xp]").count() > 0
    assert page.locator("#letters-view .surprise").count() == 10
    page.locator("#letters-view .surprise").first.click()
    worst = score(text).most_surprising(1)[0].position
    assert f"letter {worst + 1}:" in details(page)
    assert_fits(page)


@both_widths
def test_a_stretch_of_the_strip_selects_that_of_the_text(page):
    text = f"the river is deep  the river is wide {page.viewport_size['width']}"
    read(page, text)
    selected = "[...document.querySelectorAll('#letters-view .brushed')].map(one => one.textContent).join('')"
    strip, scored = page.locator("#letters-view .strip"), score(text)
    strip.scroll_into_view_if_needed()
    place = strip.bounding_box()
    page.mouse.move(place["x"] + place["width"] * 4.5 / len(text), place["y"] + 30)
    page.mouse.down()
    page.mouse.move(place["x"] + place["width"] * 8.5 / len(text), place["y"] + 30)
    page.mouse.up()
    assert page.evaluate(selected) == "river"
    bits = f"{-scored.log_probs[4:9].mean():.2f} bits a letter, letters 5 to 9"
    assert page.locator("#letters-view .stretch").inner_text() == f"“river”: {bits}."
    page.evaluate(
        """([strip, from, to]) => [['pointerdown', from], ['pointermove', to], ['pointerup', to]].forEach(([name, x]) =>
          { strip.setPointerCapture = () => {}; strip.dispatchEvent(new PointerEvent(name, { clientX: x, pointerType: 'touch', bubbles: true })); })""",
        [
            strip.element_handle(),
            place["x"] + place["width"] * 2.5 / len(text),
            place["x"] + place["width"] * 0.5 / len(text),
        ],
    )
    assert page.evaluate(selected) == "the"
    strip.focus()
    page.keyboard.press("Home")
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    assert page.evaluate(selected) == "e r"
    page.keyboard.press("Escape")
    assert page.evaluate(selected) == "" and page.locator("#letters-view .stretch").inner_text() == ""


def test_neurons_typed_while_others_are_looked_for_stay(page):
    open_tab(page, "Inside", "Neurons")
    page.locator("#cells-view .neuron").first.wait_for(timeout=20_000)
    page.locator("#inside-text textarea").fill("a late answer  to another text")
    page.evaluate("""() => {
      const box = document.querySelector('#held-units :is(input, textarea)');
      document.querySelector('#see-cells').click();
      box.value = '1.3=1';
      box.dispatchEvent(new Event('input', { bubbles: true }));
    }""")
    wait_for_text(page, "#cells-view", "a late answer")
    wait_for_text(page, "#held-texts", "1.3=1 held")
    assert page.get_by_label("Neurons to hold").input_value() == "1.3=1"
    page.get_by_label("Neurons to hold").fill("")


def test_numbers_are_below_and_can_be_downloaded(page):
    text = "the river is deep  and qz is wide"
    read(page, text)
    page.get_by_role("button", name="Numbers").click()
    wait_for_text(page, "#letters-numbers", "and qz is wide")
    worst = compare_scores(text).differences[0]
    assert f"{worst.bits[0]:.2f}" in page.locator("#letters-numbers").inner_text()
    with page.expect_download() as download:
        page.locator("#letters-numbers a").first.click()
    assert download.value.suggested_filename == "lstm.csv"
    assert download.value.path().read_bytes().decode() == score(text).to_csv()


def test_markup_in_a_text_is_shown_and_never_run(page):
    ran = []

    def dismiss(dialog) -> None:
        ran.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", dismiss)
    read(page, HOSTILE)
    assert page.locator("#letters-view .letters-text").text_content() == HOSTILE
    page.locator("#letters-view .letters-line span").first.click()
    assert "letter 1: <" in details(page)
    wait_for_text(page, "#letters-memory", "Nothing comes before the first letter.")
    open_tab(page, "Inside", "Neurons")
    page.wait_for_function(  # another text may stand there until this one is read
        "text => document.querySelector('#cells-view .letters-text')?.textContent === text", arg=HOSTILE, timeout=20_000
    )
    for place in ("#letters-view", "#cells-view", "#letters-numbers", "#letters-memory", "#letters-summary"):
        assert page.locator(f"{place} img[src='x'], {place} script").count() == 0
    page.wait_for_timeout(300)
    page.remove_listener("dialog", dismiss)
    assert ran == []


def test_a_letter_outside_the_vocabulary_is_marked(page):
    read(page, "caf\u00e9 \U0001f600 noir")
    unknown = page.locator("#letters-view .letters-text .xru")
    assert unknown.all_inner_texts() == ["\u00e9", "\U0001f600"]
    unknown.first.click()
    assert "not read" in details(page)
    page.locator("#memory-error [role=alert]").wait_for()
    assert "They are not scored" in page.locator("#letters-summary").inner_text()


def test_neurons_that_follow_something_are_shown_side_by_side(fresh_page):
    page = fresh_page
    open_tab(page, "Inside", "Neurons")
    wait_for_text(page, "#cells-view", " on spaces")
    assert 2 < page.locator("#cells-view .neuron").count() <= 8
    assert page.locator("#cells-view .xp4").count() > 1 and page.locator("#cells-view .meter u").count() > 2
    page.locator("#cells-view .letters-text span").nth(1).hover()
    wait_for_text(page, "#cells-view", "letter 2: e, activation")
    wait_for_text(page, "#held-texts", "=0 held")
    first = page.get_by_label("Neurons to hold").input_value()
    page.get_by_role("button", name="Silence neuron").nth(1).click()
    wait_for_text(page, "#held-texts", f"{first}, ")
    untouched, held = page.locator("#held-texts pre").all_inner_texts()
    assert len(untouched) > 100 and len(held) > 100
    page.get_by_label("Neurons to hold").fill("9.9=0")
    page.locator("#write-on").click()
    wait_for_text(page, "#units-error", "The layer of units must be a whole number from 1 to 2")
    assert page.locator("#held-texts article").count() == 0
    page.get_by_role("button", name="Choose a neuron yourself").click()
    page.get_by_label("Neuron", exact=True).fill("7")
    page.locator("#see-cell").click()
    wait_for_text(page, "#cell-view", "layer 2 of 2, neuron 7 of")
    shown = page.locator("#cell-view").inner_text()
    assert "Memory cell c" in shown and "Forget gate f" in shown
    page.locator("#inside-text textarea").fill("another text  of two lines")
    page.locator("#see-cells").click()
    wait_for_text(page, "#cells-view", "another text")
    page.set_viewport_size(PHONE)
    assert_fits(page)


def test_a_text_of_5000_letters_is_drawn_and_answers_the_keyboard(page):
    read(page, ("seven chairs stood in the rain  " * 160)[:5_000])
    page.locator("#letters-view .letters-text").focus()
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


def test_an_error_is_beside_its_text_and_no_old_answer_beside_it(page):
    read(page, "the river is deep")
    page.locator("#inside-text textarea").fill("")
    page.locator("#read-letters").click()
    page.locator("#letters-error [role=alert]").get_by_text("Type a text first.").wait_for()
    assert (
        page.locator("#letters-view .letters-line").count() == 0
        and page.locator("#letters-memory .memory").count() == 0
    )


def test_both_models_write_side_by_side_with_temperatures_and_learning_curves(page):
    open_tab(page, "Inside", "RNN vs LSTM")
    page.wait_for_function(  # the example of the view comes first
        "document.querySelector('#five pre') && document.getElementById('compare').getAttribute('aria-busy') != 'true'",
        timeout=60_000,
    )
    page.locator("#compare-prefix textarea, #compare-prefix input").first.fill("<b>x</b> the sea ")
    page.get_by_role("button", name="Write with both").click()
    page.wait_for_function(
        "[...document.querySelectorAll('#both pre')].filter(one => one.textContent.length == 300 && one.textContent.startsWith('<b>')).length == 2",
        timeout=60_000,
    )
    assert page.locator("#both pre b").count() == 0
    headings = page.locator("#both h3").all_inner_texts()
    assert [heading.split(":")[0] for heading in headings] == ["LSTM", "simple RNN"]
    assert all("bits a letter" in heading for heading in headings)
    page.wait_for_function(
        "document.querySelector('#five pre')?.textContent.startsWith('<b>x</b> the sea ')", timeout=60_000
    )
    assert page.locator("#eight circle").count() == 16
    assert page.locator("#both a").count() == 2 and "seed=7" in page.locator("#both a").first.get_attribute("href")
    slider = page.get_by_role("slider", name="Temperature", exact=True)
    texts = set()
    for stop in range(5):
        slider.fill(str(stop))
        texts.add(page.locator("#five pre").inner_text())
    assert "temperature=1.5" in page.locator("#five a").get_attribute("href")
    assert len(texts) == 5 and "LSTM, 1.5" in page.locator("#five h3").inner_text()
    assert page.get_by_role("img", name="bits a letter by epochs").locator("polyline").count() == 2
    page.get_by_role("radio", name="minute").check()
    page.get_by_role("img", name="bits a letter by minutes of training").wait_for()
    page.set_viewport_size(PHONE)
    assert_fits(page)
