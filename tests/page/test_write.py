"""Write, in a real browser."""

import pytest
from browser import DESKTOP, PHONE, TITLE, assert_fits, open_tab, wait_for_text

pytestmark = pytest.mark.browser
TEXT = "(document.querySelector('.song-text')?.textContent ?? '')"
SHOWN = "document.querySelectorAll('.song-text span:not(.to-come):not(.song-end)').length"


@pytest.fixture(autouse=True)
def write_tab(page):
    open_tab(page, "Write")


def write(page, words: str) -> str:
    """Has a song written, and shows all of it."""
    before = page.locator(".song-facts").inner_text()
    box = page.get_by_label("First words")
    box.fill(words)
    box.press("Enter")
    page.wait_for_function("before => document.querySelector('.song-facts').innerText !== before", arg=before)
    page.get_by_role("button", name="Show all").click()
    return page.evaluate("document.querySelector('.song-text').textContent").removesuffix(" ")


def wait_until_written(page) -> None:
    page.wait_for_function("!document.body.classList.contains('writing')")


def again(page) -> None:
    """Has the same song written again."""
    page.locator(".song-facts").get_by_role("button", name="again").click()
    page.wait_for_function("document.body.classList.contains('writing')")
    wait_until_written(page)


def test_the_page_opens_with_a_song_and_plays_it(fresh_page):
    page = fresh_page
    page.locator(".song-text .cursor").wait_for()
    page.locator("#strip svg path").nth(1).wait_for(state="attached")
    assert page.evaluate(SHOWN) >= len("the river keeps its secrets ") + 7
    assert "torn" in page.locator(".song-text .cursor").get_attribute("class")  # several letters are likely there
    assert page.locator(".next-row").count() == 7 and page.locator("#strip svg path").count() == 2
    assert "Did it copy?" in page.locator("#copied").inner_text() and page.locator("#artists .who").count() == 1
    shown = page.evaluate(SHOWN)
    page.get_by_role("button", name="Next letter").click()
    assert page.evaluate(SHOWN) == shown + 1
    page.get_by_role("button", name="Play").click()
    page.wait_for_function(f"{SHOWN} > {shown + 3}")
    page.get_by_role("button", name="Pause").click()


def test_the_first_song_is_what_look_inside_shows(fresh_page):
    page = fresh_page
    page.locator(".song-text .cursor").wait_for()
    song = page.evaluate(TEXT).removesuffix(" ")
    page.get_by_role("button", name="Check any text").click()
    page.wait_for_function("text => document.querySelector('#check-text textarea')?.value === text", arg=song)
    page.wait_for_function("document.activeElement.matches('.answers')")
    wait_for_text(page, "#check-text-source", "Your song")


def test_tab_goes_from_the_artists_to_the_button(page):
    page.locator("#artist input").focus()
    page.locator(".option-list").wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "write"
    page.locator(".option-list").wait_for(state="detached")


def test_the_slider_reshapes_the_bars_in_the_browser(page):
    first = page.locator(".next-row").first
    shares = []
    for heat in ("0.1", "1", "2"):
        page.locator("#daring").fill(heat)
        shares.append(page.evaluate("parseFloat(document.querySelector('.next-row i').style.width)"))
    assert shares[0] > shares[1] > shares[2] and first.get_attribute("aria-label")
    page.locator("#daring").fill("0.6")


def test_enter_writes_a_song_with_a_link_and_markup_is_text(page):
    text = write(page, "<img src=x onerror=document.title='broken'> 😀 ")
    assert text.startswith("<img src=x onerror=document.title='broken'> 😀 ") and len(text) >= 299
    assert page.title() == TITLE and page.locator(".song-text img").count() == 0
    wait_for_text(page, ".song-notes", "😀")
    assert "seed=" in page.url and "text=%3Cimg" in page.url
    page.set_viewport_size(PHONE)
    assert_fits(page)
    page.evaluate("scrollTo(0, 0)")
    play = page.get_by_role("button", name="Play").bounding_box()
    assert play["y"] + play["height"] <= PHONE["height"]  # on the first screen
    page.set_viewport_size(DESKTOP)


def test_a_song_goes_on_from_another_letter_by_keyboard(page):
    text = write(page, "the sea and ")
    page.locator(".song-text").focus()
    page.keyboard.press("Home")
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    letter = page.evaluate("document.activeElement.querySelector('b').textContent")
    before = page.evaluate("document.querySelector('#strip path.written').getAttribute('d')")
    page.keyboard.press("Enter")
    page.wait_for_function(
        "before => document.querySelector('#strip path.written').getAttribute('d') !== before", arg=before
    )
    changed = page.evaluate(TEXT)
    assert changed.startswith(text[:20]) and changed[20] == {"space": " "}.get(letter, letter)
    assert page.evaluate("document.activeElement.className") == "song-text"  # the letter that was chosen is gone
    wait_until_written(page)
    again(page)
    assert page.evaluate(TEXT) == changed


def test_the_keyboard_keeps_its_place_and_hears_each_letter(page):
    write(page, "the keys ")
    page.locator("#prefix :is(input, textarea)").fill("the keyboard ")
    page.locator("#write").focus()
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.id === 'stop'")
    page.wait_for_function("document.activeElement.id === 'write'")
    page.get_by_role("button", name="Show all").click()
    page.locator(".song-text").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert page.locator(".song-card .sr-only").inner_text() == "h"
    for _ in range(15):
        page.keyboard.press("ArrowRight")
    assert page.locator(".song-card .sr-only").inner_text().endswith(" %")


def test_again_writes_the_same_song_and_a_chip_writes_at_once(page):
    text = write(page, "one more day ")
    again(page)
    assert page.evaluate("document.activeElement.textContent") == "again"
    page.get_by_role("button", name="Show all").click()
    assert page.evaluate(TEXT).removesuffix(" ") == text
    page.get_by_role("button", name="counting every step").click()
    page.wait_for_function(f"{TEXT}.startsWith('counting every step')")
    page.wait_for_function("!document.body.classList.contains('writing')")
    page.get_by_role("button", name="Your songs").click()
    wait_for_text(page, "#song-list", "one more day")
    page.get_by_role("button", name="Your songs").click()


def test_stop_stops_and_what_was_written_is_played(page):
    page.get_by_role("button", name="More settings").click()
    page.get_by_label("number input for Length in letters").fill("5000")
    page.get_by_role("radio", name="most likely whole text").check()
    page.get_by_label("First words").fill("the long road ")
    page.get_by_role("button", name="Write a song").click()
    page.wait_for_function(f"{TEXT}.startsWith('the long road') && {TEXT}.length > 40")
    page.locator("#stop").dispatch_event("click", timeout=60_000)  # the machine is busy
    page.wait_for_function("!document.body.classList.contains('writing') && document.querySelector('.song-end')")
    assert 40 <= len(page.evaluate(TEXT)) < 5_000
    page.get_by_role("radio", name="by chance").check()
    page.get_by_label("First words").fill("the next road ")
    page.get_by_role("button", name="Write a song").click()
    page.wait_for_function(f"{TEXT}.startsWith('the next road') && {TEXT}.length > 40")
    page.locator("#stop").dispatch_event("click")
    page.wait_for_timeout(50)
    page.locator("#stop").evaluate("button => button.click()")  # once more
    page.wait_for_function("!document.body.classList.contains('writing') && document.querySelector('.song-end')")
    assert page.evaluate(TEXT).startswith("the next road")
    page.get_by_label("number input for Length in letters").fill("300")
    page.get_by_role("button", name="More settings").click()


def test_a_lyric_is_the_text_of_inside_and_check_until_another_is_typed(page):
    text = write(page, "the sea and ")
    page.get_by_role("button", name="Look inside").click()
    page.wait_for_function("document.activeElement.matches('.answers')")
    page.wait_for_function(
        "Math.abs(document.querySelector('.letters-text').getBoundingClientRect().top) < innerHeight / 2"
    )
    page.wait_for_function("text => document.querySelector('#inside-text textarea')?.value === text", arg=text)
    letters = "length => document.querySelectorAll('#letters-view .letters-line span').length === length"
    page.wait_for_function(letters, arg=len(text), timeout=30_000)
    wait_for_text(page, "#inside-text-source", "Your song")
    open_tab(page, "Check")
    page.wait_for_function("text => document.querySelector('#check-text textarea')?.value === text", arg=text)
    page.locator("#check-text textarea").fill("a text of my own")
    wait_for_text(page, "#check-text-source", "Your own text")
    open_tab(page, "Inside")
    page.wait_for_function("document.querySelector('#inside-text textarea').value === 'a text of my own'")


def test_a_song_that_cannot_be_written_is_said_below_its_words(page):
    number = page.locator("#song-number input")
    if not number.is_visible():
        page.get_by_role("button", name="More settings").click()
    number.fill("-7")
    page.get_by_role("button", name="Write a song").click()
    page.locator("#problem [role=alert]").get_by_text("The song number must be").wait_for()
    page.get_by_role("button", name="Four at once").click()
    page.get_by_role("button", name="Write four songs").click()
    page.locator("#four-error [role=alert]").get_by_text("The song number must be").wait_for()
    number.fill("-1")
    page.get_by_role("button", name="Four at once").click()
    page.get_by_role("button", name="More settings").click()


def test_a_link_writes_the_same_song_again_and_opens_its_tab(page, app_url):
    text = write(page, "one more mile ")
    link = page.url
    page.goto(link)
    page.wait_for_function(f"{TEXT}.startsWith('one more mile')")
    page.wait_for_function("!document.body.classList.contains('writing')")
    page.get_by_role("button", name="Show all").click()
    assert page.evaluate(TEXT).removesuffix(" ") == text
    page.goto(link + "&tab=inside&view=neurons")
    page.locator("#see-cells").wait_for()
    page.wait_for_function("text => document.querySelector('#inside-text textarea').value === text", arg=text)


def test_after_a_link_each_song_is_another_one(fresh_page, app_url):
    page = fresh_page
    page.goto(f"{app_url}/?text=the+same+way+&seed=7&__theme=dark")
    page.wait_for_function(f"{TEXT}.startsWith('the same way')")
    wait_until_written(page)
    first = page.evaluate(TEXT)
    page.locator("#write").click()
    page.wait_for_function("document.body.classList.contains('writing')")
    wait_until_written(page)
    assert page.evaluate(TEXT) != first and "seed=7" not in page.url and page.url.endswith("__theme=dark")
    open_tab(page, "About")
    page.wait_for_function("location.search.includes('tab=about')")
    open_tab(page, "Write")
    page.wait_for_function("!location.search.includes('tab=')")


def test_a_text_that_is_typed_while_a_song_is_written_stays(fresh_page):
    page = fresh_page
    page.locator(".song-text .cursor").wait_for()
    page.locator("#write").click()
    open_tab(page, "Check")
    page.locator("#check-text textarea").fill("a text that i am typing")
    wait_until_written(page)
    page.wait_for_function("location.search.includes('seed=')")
    page.wait_for_timeout(500)
    assert page.locator("#check-text textarea").input_value() == "a text that i am typing"
    assert "Your own text" in page.locator("#check-text-source").inner_text()
    open_tab(page, "Write")
    write(page, "the next one ")
    open_tab(page, "Check")
    page.wait_for_function("document.querySelector('#check-text textarea').value.startsWith('the next one')")


def test_a_song_without_an_artist_has_no_note_on_settings(fresh_page, app_url):
    page = fresh_page
    page.goto(f"{app_url}/?text=nobody+in+particular+&artist=any+artist")
    page.wait_for_function(f"{TEXT}.startsWith('nobody in particular')")
    wait_until_written(page)
    assert page.locator(".song-notes").inner_text() == "" and "guidance" not in page.url


def test_a_hostile_link_opens_the_page_as_it_is(page, app_url):
    page.goto(
        f"{app_url}/?tab=%3Cscript%3E&view=%22%5D&artist=%3Cimg+src%3Dx+onerror%3Dalert(1)%3E&t=nan&len=-5&top_k="
        + "9" * 3_000
    )
    page.locator(".song-text .cursor").wait_for()
    assert page.get_by_label("First words").input_value() == "the river keeps its secrets "
    assert page.get_by_role("tab", name="Write", exact=True).get_attribute("aria-selected") == "true"


def test_copy_link_shows_the_link_where_the_clipboard_is_refused(page):
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('refused')); }")
    page.locator("#copy-link").click()
    page.locator("#link-box input").wait_for()
    assert page.locator("#link-box input").input_value().startswith("http://127.0.0.1")
    assert page.evaluate("document.getSelection().toString() || document.activeElement.value").startswith("http")


def test_one_of_four_songs_is_played(page):
    page.get_by_role("button", name="Four at once").click()
    page.get_by_role("button", name="Write four songs").click()
    page.locator("#variants a").nth(3).wait_for(timeout=40_000)
    texts = page.locator("#variants pre").all_text_contents()
    assert len(set(texts)) == 4 and page.locator("#variants img").count() == 0
    page.get_by_label("First words").fill("words that came later ")
    page.locator("#daring").fill("1.9")
    page.locator("#variants a").nth(2).click()
    page.wait_for_function(f"third => {TEXT}.startsWith(third)", arg=texts[2])
    wait_until_written(page)
    assert page.locator("#daring").input_value() != "1.9" and page.locator("#variants pre").count() == 4
    page.get_by_role("button", name="Four at once").click()


def test_a_verse_has_lines_to_type_and_to_write_again_alone(page):
    panel = page.locator("#with-a-form")
    panel.get_by_role("button", name="With a form").click()
    panel.get_by_role("button", name="Write a verse").click()
    wait_for_text(page, ".verse-facts", "Song no.", 60_000)
    lines = panel.locator(".verse-line textarea")
    before = [line.input_value() for line in lines.all()]
    assert len(before) == 4 and panel.locator(".rhyme-A").count() == panel.locator(".rhyme-B").count() == 2
    lines.nth(0).fill("<b>the winter came across the hill</b>")
    assert panel.get_by_role("button", name="Keep line 1").get_attribute("aria-pressed") == "true"
    panel.get_by_role("button", name="Write again line 2").click()
    page.wait_for_function("document.body.classList.contains('writing-verse')")
    page.wait_for_function("!document.body.classList.contains('writing-verse')", timeout=60_000)
    assert page.evaluate("document.activeElement.ariaLabel") == "Write again line 2"  # the keyboard keeps its place
    after = [line.input_value() for line in lines.all()]
    assert after[0] == "<b>the winter came across the hill</b>" and after[2:] == before[2:] and after[1] != before[1]
    panel.get_by_role("button", name="Write again line 2").click()
    lines.nth(3).fill("a line that is typed meanwhile")
    page.wait_for_function("!document.body.classList.contains('writing-verse')", timeout=60_000)
    assert lines.nth(3).input_value() == "a line that is typed meanwhile"
    lines.nth(3).fill(before[3])
    page.set_viewport_size(PHONE)
    assert_fits(page)
    assert lines.nth(0).evaluate(
        "line => line.scrollWidth <= line.clientWidth && line.scrollHeight <= line.clientHeight"
    )
    page.set_viewport_size(DESKTOP)
    panel.get_by_label("First letters of the lines").fill("7")
    panel.get_by_role("button", name="Write a verse").click()
    wait_for_text(page, "#verse-problem", "First letters of the lines must be")
    panel.get_by_label("First letters of the lines").fill("")
    panel.get_by_role("button", name="With a form").click()


def test_one_song_is_written_at_a_time(page):
    write(page, "one at a time ")
    writes = page.evaluate(
        "gradio_config.dependencies.filter((one) => /^(write_|change_)/.test(one.api_name)).map((one) => one.id)"
    )
    joined = []

    def note(request):
        if "/queue/join" in request.url and request.post_data_json["fn_index"] in writes:
            joined.append(request.url)

    page.on("request", note)
    page.evaluate(
        "window.kept = setInterval(() => document.body.classList.add('writing'), 5)"
    )  # as while a song is written
    page.wait_for_function("document.body.classList.contains('writing')")
    page.locator(".song-facts").get_by_role("button", name="new").click()
    page.get_by_label("or your own words").fill("and then ")
    page.get_by_label("or your own words").press("Enter")
    page.get_by_label("First words").press("Enter")
    page.get_by_role("button", name="counting every step").click()
    page.wait_for_timeout(300)
    assert joined == []
    page.evaluate("clearInterval(window.kept); document.body.classList.remove('writing')")
    page.locator(".song-facts").get_by_role("button", name="new").click()
    page.wait_for_function(f"{TEXT}.startsWith('counting every step')")
    page.wait_for_function("!document.body.classList.contains('writing')")
    assert len(joined) == 1
    page.remove_listener("request", note)


def test_songs_without_a_link_are_kept_beside_each_other(page):
    page.evaluate(
        """() => {
            localStorage.removeItem("lyricgen-songs");
            for (const text of ["the first song", "the second song"]) window.lyricgen.onSong({ text, seed: 1, artist: null, link: "" }, false);
        }"""
    )
    assert page.evaluate("window.lyricgen.storedSongs().map((song) => song.text)") == [
        "the second song",
        "the first song",
    ]


def test_a_server_that_fails_leaves_the_page_ready(page):
    write(page, "before it fails ")
    page.route("**/queue/join*", lambda route: route.fulfill(status=503, json={"detail": "Queue is full."}))
    page.locator("#write").click()
    page.wait_for_function("!document.body.classList.contains('writing')")
    with page.expect_response("**/queue/join*"):
        page.get_by_label("First words").press("Enter")
    page.wait_for_function("!document.body.classList.contains('writing')")
    page.unroute("**/queue/join*")
    assert write(page, "after it failed ").startswith("after it failed ")


def test_inside_reads_the_song_as_one_of_the_artist_that_it_was_written_for(fresh_page):
    page = fresh_page
    page.locator(".song-text .cursor").wait_for()
    page.locator("#artist input").fill("Drake")
    page.locator("#artist input").press("Enter")
    page.get_by_role("button", name="Look inside").click()
    wait_for_text(page, "#inside-text-source", "in the style of Coldplay")
    assert page.locator(".shared-artist input").first.input_value() == "Coldplay"


def test_the_slider_stays_where_it_was_set_for_the_next_song(fresh_page):
    page = fresh_page
    page.locator(".song-text .cursor").wait_for()
    page.locator("#daring").fill("1.5")
    text = write(page, "how daring ")
    assert page.locator("#daring").input_value() == "1.5" and "temperature=1.5" in page.url
    page.locator(".song-facts").get_by_role("button", name="again").click()
    page.wait_for_function("document.body.classList.contains('writing')")
    page.wait_for_function("!document.body.classList.contains('writing')")
    assert page.evaluate(TEXT).removesuffix(" ") == text
