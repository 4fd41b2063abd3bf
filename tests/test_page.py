"""The real page in a real browser: Debian's chromium, driven by Playwright."""

import os
import shutil

import pytest

from lyricgen import measure_originality
from lyricgen.analysis.scoring import compare_scores, score
from lyricgen.ui.tabs.xray import shades

CHROMIUM = os.environ.get("LYRICGEN_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
FIRST = {"See inside": "X-ray", "Words": "Analogies"}  # of the tabs inside a tab
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


@pytest.fixture(scope="module")
def browser_tab(browser):
    """A tab of the browser. Loading the page again in it takes half the time of a new tab."""
    tab = browser.new_page()
    yield tab
    tab.close()


@pytest.fixture
def page(browser_tab, app_url, request):
    """The page, freshly loaded; the test fails if one of its scripts does."""
    failures = []

    def record(error) -> None:
        failures.append(str(error))

    browser_tab.set_viewport_size(getattr(request, "param", DESKTOP))
    browser_tab.on("pageerror", record)
    browser_tab.goto(app_url)
    browser_tab.get_by_label("Prefix").wait_for(timeout=20_000)
    yield browser_tab
    browser_tab.remove_listener("pageerror", record)
    browser_tab.goto("about:blank")
    assert not failures


def open_tab(page, group: str, tab: str) -> None:
    """Goes to a tab inside one of the page's; on a narrow page it may be in the menu of those that do not fit."""
    page.get_by_role("tab", name=group, exact=True).click()
    button = page.get_by_role("tab", name=tab, exact=True)
    page.get_by_role("tab", name=FIRST[group], exact=True).wait_for()
    if not button.is_visible():
        page.locator(".overflow-menu > button:visible").click()
        button = page.locator(".overflow-dropdown button:visible", has_text=tab)
    button.click()


def lyrics(page) -> str:
    return page.locator("#lyrics textarea").input_value()


def wait_for_lyrics(page, length: int) -> str:
    """The text once it has `length` characters."""
    page.wait_for_function(f"document.querySelector('#lyrics textarea').value.length >= {length}", timeout=30_000)
    return lyrics(page)


@pytest.mark.parametrize("page", [DESKTOP, PHONE], indirect=True, ids=["desktop", "phone"])
def test_a_lyric_is_written_and_nothing_overflows(page):
    page.get_by_label("Prefix").fill("the road goes 😀 ")
    page.get_by_role("button", name="Write", exact=True).click()
    assert wait_for_lyrics(page, 299).startswith("the road goes 😀 ")
    page.get_by_text("read as unknown: 😀").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


def test_nothing_typed_begins_a_song(page):
    page.get_by_role("button", name="Write", exact=True).click()
    assert len(wait_for_lyrics(page, 300)) == 300


def test_stop_stops(page):
    page.get_by_label("number input for Length").fill("5000")
    page.get_by_role("radio", name="beam").check()
    page.get_by_role("button", name="Write", exact=True).click()
    wait_for_lyrics(page, 20)
    page.get_by_role("button", name="Stop").click()
    page.wait_for_timeout(700)
    stopped = lyrics(page)
    page.wait_for_timeout(1_000)
    assert lyrics(page) == stopped
    assert 20 <= len(stopped) < 5_000


@pytest.mark.parametrize("page", [DESKTOP, PHONE], indirect=True, ids=["desktop", "phone"])
def test_variants_are_written_side_by_side_and_markup_is_text(page):
    page.get_by_label("Prefix").fill("<img src=x onerror=alert(1)> ")
    page.get_by_role("button", name="Several at once").click()
    page.get_by_role("button", name="Write variants").click()
    page.wait_for_function(
        "[...document.querySelectorAll('#variants pre')].filter(one => one.textContent.length == 300).length == 4"
    )
    page.wait_for_function(
        "[...document.querySelectorAll('#variants p')].filter(one => one.textContent.includes('training songs')).length == 4"
    )
    assert page.locator("#variants img").count() == 0
    assert len(set(page.locator("#variants pre").all_inner_texts())) == 4
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


@pytest.mark.parametrize("page", [DESKTOP, PHONE], indirect=True, ids=["desktop", "phone"])
def test_both_models_write_side_by_side_and_their_learning_curves_are_drawn(page):
    open_tab(page, "See inside", "RNN or LSTM?")
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
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


@pytest.mark.parametrize("page", [DESKTOP, PHONE], indirect=True, ids=["desktop", "phone"])
def test_a_lyric_is_taken_back_to_a_letter_and_goes_on_from_another(page):
    page.get_by_label("Prefix").fill("<b>the</b> sea and ")
    page.get_by_label("number input for Length").fill("100")
    page.get_by_role("button", name="Write", exact=True).click()
    first = wait_for_lyrics(page, 100)
    page.get_by_text("training songs").first.wait_for()  # the line on what is copied
    page.get_by_role("button", name="Steer by hand").click()
    page.locator("#steer-letters span").nth(99).wait_for()
    assert page.locator("#steer-letters").inner_text().replace("\n", " ").startswith("<b>the</b> sea and ")
    page.locator("#steer-letters span").nth(30).click()
    page.locator("#steer-choice label").nth(9).wait_for()
    assert "30" in page.locator("#steer-place input").input_value()
    page.locator("#steer-own textarea, #steer-own input").fill("zq ")
    page.get_by_role("button", name="Go on from here").click()
    page.wait_for_function(
        "start => { const text = document.querySelector('#lyrics textarea').value; return text.startsWith(start) && text.length == 100 }",
        arg=first[:30] + "zq ",
    )
    page.wait_for_function("document.querySelector('#steer-letters').textContent.includes('zq ')")
    page.wait_for_function("document.querySelector('#steer-own textarea, #steer-own input').value == ''")
    page.locator("#steer-place input").fill("14")
    page.locator("#steer-told p").get_by_text("<b>the</b> sea | space").wait_for()
    page.locator("#steer-choice label").nth(1).click()
    page.get_by_role("button", name="Go on from here").click()
    page.wait_for_function(
        "before => document.querySelector('#lyrics textarea').value != before && document.querySelector('#lyrics textarea').value.length == 100",
        arg=lyrics(page),
    )
    assert lyrics(page).startswith(first[:14]) and "zq " not in lyrics(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


def test_a_lyric_copies_no_more_words_than_are_allowed(page):
    page.get_by_label("Prefix").fill("i want you to ")
    page.get_by_label("number input for Temperature").fill("0.4")
    page.get_by_label("Copy at most").click()
    page.get_by_role("option", name="4 words").click()
    page.get_by_role("button", name="Write", exact=True).click()
    text = wait_for_lyrics(page, 300)
    page.locator("#original-line").get_by_text("No 5 words in a row occur in the training songs").wait_for()
    assert measure_originality(text).longest_run == 0


def test_nothing_is_steered_before_a_lyric_is_written(page):
    page.get_by_role("button", name="Steer by hand").click()
    page.get_by_role("button", name="Go on from here").click()
    page.get_by_test_id("toast-body").get_by_text("choose a letter, or type words of your own").wait_for()


@pytest.mark.parametrize(
    ("button", "box", "answer", "said"),
    [
        ("X-ray this", "#xray-text", "#xray-summary", "bits per character"),
        ("Whose is this?", "#attribution-text", "#attribution-verdict", "with a probability of"),
        ("Mark what is copied", "#original-text", "#original-summary", "training songs"),
    ],
)
def test_a_lyric_is_looked_into_by_a_click(page, button, box, answer, said):
    page.get_by_label("Prefix").fill("the sea and ")
    page.get_by_role("button", name="Write", exact=True).click()
    text = wait_for_lyrics(page, 300)
    page.get_by_role("button", name=button).click()
    page.locator(answer).get_by_text(said).wait_for()
    assert page.locator(f"{box} textarea").input_value() == text


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
    page.get_by_role("button", name="Write", exact=True).click()
    page.get_by_test_id("toast-body").get_by_text("max_length must be at least").wait_for()


def test_markup_in_the_prefix_is_text(page):
    page.get_by_label("Prefix").fill("<img src=x onerror=document.title='broken'> ")
    page.get_by_role("button", name="Write", exact=True).click()
    wait_for_lyrics(page, 300)
    assert page.title() == "lyricgen"


both_widths = pytest.mark.parametrize("page", [DESKTOP, PHONE], indirect=True, ids=["desktop", "phone"])


def open_originality(page) -> None:
    open_tab(page, "See inside", "Original or copied?")
    page.locator("#look-up").wait_for()


@both_widths
def test_copied_words_are_marked_and_their_songs_listed(page):
    open_originality(page)
    page.locator("#look-up").click()
    page.locator("#original-marked mark").first.wait_for(timeout=20_000)
    marks = page.locator("#original-marked mark").all_inner_texts()
    assert any(mark.startswith("i don't know what to do") for mark in marks)
    assert "Longest run that occurs in the training songs" in page.locator("#original-summary").inner_text()
    page.wait_for_function("document.querySelector('#original-runs').innerText.includes('1')")
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


def test_a_text_of_markup_is_shown_as_text_and_an_empty_one_refused(page):
    open_originality(page)
    text = "<img src=x onerror=document.title='broken'> i don't know what to do </mark><script>document.title='bad'</script>"
    page.locator("#original-text textarea").fill(text)
    page.locator("#look-up").click()
    page.locator("#original-marked").get_by_text("<img src=x").wait_for(timeout=20_000)
    assert page.locator("#original-marked img").count() == 0 and page.title() == "lyricgen"
    assert page.locator("#original-marked").inner_text().startswith("<img src=x onerror=document.title='broken'>")
    page.locator("#original-text textarea").fill("")
    page.locator("#look-up").click()
    page.get_by_test_id("toast-body").get_by_text("text must have 1 to 20,000 characters").wait_for()


def open_attribution(page) -> None:
    open_tab(page, "See inside", "Whose line is it?")
    page.locator("#attribute").wait_for()


@both_widths
def test_a_text_is_attributed_with_bars_and_line_by_line(page):
    open_attribution(page)
    page.locator("#attribution-text textarea").fill("the sea is calm\nand the night is ours")
    page.locator("#attribute").click()
    page.locator(".whose-lines").wait_for(timeout=20_000)
    assert page.locator(".posterior").count() == 2
    ranking = page.locator(".posterior").first
    assert ranking.locator("li").count() == 21
    assert page.locator(".whose-lines tbody tr").count() == 2
    first = ranking.locator("li").first
    assert first.locator(".name").inner_text() in page.locator("#attribution-verdict").inner_text()
    widths = [track.bounding_box()["width"] for track in ranking.locator(".track > span").all()]
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
    page.get_by_test_id("toast-body").get_by_text("text must have 1 to 5,000 characters").wait_for()


def assert_picture(page, place: str, words: list[str]) -> None:
    """A picture is there, loaded, and its description names the words."""
    picture = page.locator(f"{place} img").first
    picture.wait_for(timeout=30_000)
    page.wait_for_function("place => document.querySelector(place + ' img').naturalWidth > 300", arg=place)
    assert all(word in picture.get_attribute("alt") for word in words)
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


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
    open_tab(page, "Words", "Distances")
    page.locator("#measure").click()
    assert_picture(page, "#distances", ["fast", "quick", "slow"])
    assert "the antonym is nearer" in page.locator("#verdict").inner_text()


@both_widths
def test_neighbours_in_two_spaces(page):
    open_tab(page, "Words", "Neighbours")
    page.get_by_label("Beside").first.click()
    page.get_by_role("option", name="lyrics").click()
    page.locator("#find").click()
    page.locator("#overlap").get_by_text("of the neighbours are the same").wait_for(timeout=20_000)
    page.locator("#neighbors-beside").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


@both_widths
def test_a_map_is_drawn_and_can_be_downloaded(page):
    open_tab(page, "Words", "Map")
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
    open_tab(page, "Words", "Map")
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
    open_tab(page, "Words", "Neighbours")
    page.locator("#neighbor-word").get_by_role("textbox").fill("<img src=x onerror=document.title='broken'>")
    page.locator("#find").click()
    page.get_by_test_id("toast-body").get_by_text("is not among the 400,000 words").wait_for()
    assert page.title() == "lyricgen"


HOSTILE = "<img src=x onerror=alert(1)> <script>alert(1)</script> {{value}} ${1+1} `é` </style> &lt;b&gt;"


def xray(page, text: str) -> None:
    """Has a text X-rayed."""
    open_tab(page, "See inside", "X-ray")
    page.locator("#xray-text textarea").fill(text)
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
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


def test_lines_differences_and_a_table_stand_below(page):
    text = "the river is deep  and qz is wide"
    xray(page, text)
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
    page.get_by_text("Cells: hidden units").click()
    page.locator("#see-cells").click()
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


@both_widths
def test_a_hidden_unit_is_seen_along_the_text(page):
    open_tab(page, "See inside", "X-ray")
    page.get_by_text("Cells: hidden units").click()
    page.locator("#see-cells").click()
    page.locator("#cells-view .xr-text").nth(1).wait_for(timeout=20_000)
    assert page.locator("#cells-view .xp4").count() > 1 and page.locator("#cells-view .xn4").count() > 1
    page.wait_for_function("document.querySelector('#cells-features').innerText.includes('the same at every letter')")
    page.get_by_label("Units to look at").click()
    page.get_by_role("option", name="vowel").click()
    told = page.locator("#cells-told")
    told.get_by_text("Layer 1 of 2, unit 44 of 512").wait_for(timeout=20_000)
    page.locator("#cells-view .xr-text span").nth(1).click()
    assert "activation h" in details(page, "#cells-view") and "memory c" in details(page, "#cells-view")
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


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
    open_tab(page, "See inside", "X-ray")
    page.locator("#xray-text textarea").fill("")
    page.locator("#xray").click()
    page.get_by_test_id("toast-body").get_by_text("text must have 1 to 5,000 characters").wait_for()


def test_about_tab_lists_both_models(page):
    page.get_by_role("tab", name="About").click()
    for name in ("lstm", "vanilla-rnn"):  # innerText leaves out what is hidden
        page.wait_for_function("name => document.querySelector('#models').innerText.includes(name)", arg=name)
    page.locator("#origins").get_by_text("VanillaRNN; bundled with lyricgen").wait_for()
