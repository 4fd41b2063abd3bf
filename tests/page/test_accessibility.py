"""No view has a serious finding of axe-core: with its results, with all its parts open, and with an error; on a desktop in light
colours, on a phone in dark ones."""

from pathlib import Path

import axe_playwright_python
import pytest
from browser import DESKTOP, PHONE, open_tab

pytestmark = pytest.mark.browser
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
VIEWS = {  # what shows that a view has its results
    ("Write",): ".song-text .cursor",
    ("Inside", "Letters"): ".letters .surprises li",
    ("Inside", "Neurons"): ".neuron",
    ("Inside", "RNN vs LSTM"): "#both article",
    ("Check",): "#sounds-like .posterior li",
    ("Words", "Map"): "#word-map .w-side li",
    ("Words", "Analogies"): "#analogy .w-answer strong",
    ("Words", "Bias"): "#occupations li",
    ("About",): "#lessons a",
}
REPEATED = [".letters-text", ".letters-memory", ".neuron", "#word-map svg", ".w-sides", ".w-writers", "#lessons"]
RULES_OF_LAYOUT = ["color-contrast", "scrollable-region-focusable", "target-size"]  # a phone differs in these alone
SERIOUS = """async ([repeated, rules]) => {
  const options = {resultTypes: ["violations"], preload: false, ...(rules ? {runOnly: rules} : {})};
  const hidden = [...document.querySelectorAll("[role=tabpanel]")].filter((panel) => !panel.offsetParent)
    .map((panel) => [panel, document.createComment("")]);
  hidden.forEach(([panel, place]) => panel.replaceWith(place));  // half of axe's time goes into what nobody sees
  try {
    const {violations} = await axe.run({exclude: repeated}, options);
    return violations.filter((found) => ["serious", "critical"].includes(found.impact))
      .map((found) => `${found.id}: ${found.nodes.map((node) => node.html.slice(0, 200)).join(" ")}`);
  } finally {
    hidden.reverse().forEach(([panel, place]) => place.replaceWith(panel));
  }
}"""
LOW = """() => [...document.querySelectorAll("main :is(button, summary, textarea, input, .lessons a, .downloads a)")]
  .filter((node) => node.offsetParent && !node.closest(".visually-hidden, .sr-only") && !node.matches("[type=radio], [type=checkbox], [role=combobox]"))
  .map((node) => [node, node.getBoundingClientRect()])
  .filter(([, { width, height }]) => width > 3 && height < 43.5)
  .map(([node, { height }]) => `${node.outerHTML.slice(0, 120)} ${height}`)"""
OPEN_PARTS = (
    "document.querySelectorAll('button.label-wrap:not(.open)').forEach((part) => part.offsetParent && part.click())"
)


@pytest.fixture
def audited(page):
    """The page with axe, in the colours of the screen."""
    is_phone = page.viewport_size == PHONE
    page.evaluate("'axe' in window") or page.evaluate(AXE)
    page.add_style_tag(content="* { transition: none !important; }")
    page.evaluate("(dark) => document.body.classList.toggle('dark', dark)", is_phone)
    yield page
    page.evaluate("document.body.classList.remove('dark')")


def assert_accessible(page, state: object) -> None:
    """axe finds nothing serious; of what is repeated a hundred times, such as letters, it reads the legend alone."""
    rules = RULES_OF_LAYOUT if page.viewport_size == PHONE else None
    assert page.evaluate(SERIOUS, [REPEATED, rules]) == [], state


@pytest.mark.parametrize("page", [DESKTOP, PHONE], indirect=True, ids=["desktop", "phone"])
def test_every_view_is_accessible(audited):
    for names, results in VIEWS.items():
        open_tab(audited, *names)
        audited.locator(results).first.wait_for()
        audited.evaluate(OPEN_PARTS)
        audited.wait_for_function("!document.querySelector('.pending')")  # gradio fades what an event is to change
        assert_accessible(audited, names)


def test_what_a_finger_hits_is_44_pixels_high(page):
    page.set_viewport_size(PHONE)
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    try:
        for names, results in VIEWS.items():
            open_tab(page, *names)
            page.locator(results).first.wait_for()
            page.evaluate(OPEN_PARTS)
            assert page.evaluate(LOW) == [], names
    finally:
        session.send("Emulation.setTouchEmulationEnabled", {"enabled": False})


def test_errors_are_accessible(audited):
    open_tab(audited, "Words", "Analogies")
    audited.locator("#analogy input").first.fill("womann")
    audited.keyboard.press("Enter")
    audited.get_by_text("I don't know “womann”").wait_for()
    assert_accessible(audited, "an unknown word")
    open_tab(audited, "Check")
    audited.locator("#check-text textarea").fill(" ")
    audited.locator("#check").click()
    audited.locator("#check-error [role=alert]").wait_for()
    assert_accessible(audited, "an empty text")
