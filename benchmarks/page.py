"""The page in Chromium: bytes of its document, first paint, layout shift, and seconds from a click to the first letter.

    python -m benchmarks.page [--repeats 9] [--write-docs]

Medians, and the greatest layout shift, for each width. Each repeat loads the page without a cache and writes one song; its first letter
is there when the text of the page changes. The load average is that of the last minute before the app and Chromium start.
"""

import statistics
import sys
from typing import Any

import httpx

from benchmarks.measuring import make_parser, other_work, provenance_note, report
from benchmarks.running_app import running_app
from benchmarks.tables import table

WIDTHS = {1280: 900, 390: 844}  # of a screen, and its height, in pixels
HEADER = ["width", "document on the wire", "first paint", "layout shift", "click to the first letter", "against the first paint"]  # fmt: skip
SHIFT_SCRIPT = """window.shift = 0;
new PerformanceObserver(list => list.getEntries().forEach(entry => entry.hadRecentInput || (window.shift += entry.value)))
  .observe({type: "layout-shift", buffered: true});"""
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
FIRST_LETTER = """const text = document.querySelector(".song-text"), before = text.textContent;
document.querySelector("#write").addEventListener("click", () => { window.clicked = performance.now(); }, {capture: true, once: true});
new MutationObserver(() => { if (text.textContent !== before) window.written ??= performance.now() - window.clicked; })
  .observe(text, {childList: true, subtree: true, characterData: true});"""


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    from playwright.sync_api import sync_playwright

    from tests.browser import CHROMIUM, FLAGS

    options = make_parser(__doc__ or "", repeats=9, block="page").parse_args(arguments)
    busy = other_work()
    with running_app() as app, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        sent = document_bytes(app.url)
        visit(browser, app.url, 1280)  # models and caches are warm
        rows = [measure(browser, app.url, width, sent, options.repeats) for width in WIDTHS]
        browser.close()
    note = provenance_note("page", f"medians of {options.repeats} loads", busy)
    report(options, "page", table(HEADER, map(table_row, rows)) + note, rows)
    return 0


def table_row(row: dict) -> list[str]:
    """A row of the table."""
    first, letter = row["first_paint_seconds"], row["first_letter_seconds"]
    shift = f"{row['layout_shift']:.3f}"
    return [f"{row['width']} px", f"{row['bytes'] / 1000:.1f} kB", f"{first:.2f} s", shift, f"{letter:.2f} s", f"{row['ratio_to_first_paint']:.2f} x"]  # fmt: skip


def document_bytes(url: str) -> int:
    """The bytes of the document as a browser gets it, compressed."""
    return httpx.get(url, headers={"Accept-Encoding": "gzip"}).num_bytes_downloaded


def measure(browser: Any, url: str, width: int, sent: int, repeats: int) -> dict[str, float]:
    """The figures of a width."""
    paints, shifts, letters = zip(*(visit(browser, url, width) for _ in range(repeats)), strict=True)
    paint, letter = statistics.median(paints), statistics.median(letters)
    return {
        "width": width,
        "bytes": sent,
        "first_paint_seconds": paint,
        "layout_shift": max(shifts),
        "first_letter_seconds": letter,
        "ratio_to_first_paint": letter / paint,
    }


def visit(browser: Any, url: str, width: int) -> tuple[float, float, float]:
    """Loads the page and has a song written: seconds to the first paint, layout shift until the page is at rest, and seconds from the
    click to the first letter."""
    context = browser.new_context(viewport={"width": width, "height": WIDTHS[width]})
    page = context.new_page()
    page.add_init_script(SHIFT_SCRIPT)
    page.goto(url)
    page.locator(".song-text .cursor").wait_for(timeout=60_000)
    page.wait_for_load_state("networkidle")
    paint, shift = page.evaluate(PAINT) / 1000, page.evaluate("window.shift")
    page.evaluate(f"(() => {{ {FIRST_LETTER} }})()")
    page.locator("#write").click()
    letter = page.wait_for_function("window.written").json_value() / 1000
    context.close()
    return paint, shift, letter


if __name__ == "__main__":
    sys.exit(main())
