"""Takes pictures of the real page, for the README, the docs and social cards: `python -m docs.pictures`, with names for some of
them: `python -m docs.pictures letters map`.

They show what the page opens with. Needs Chromium, as the tests of the page do.
"""

import os
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

from benchmarks.running_app import free_port
from lyricgen.hub.spaces import PICTURE

ROOT = Path(__file__).parents[1]


class Picture(NamedTuple):
    """A picture of a part of the page."""

    path: Path
    tabs: tuple[str, ...]
    """The tab, and the view in it."""
    shown: str
    """What is at the top: a selector."""
    size: tuple[int, int]
    """Width and height of the window, in pixels."""


PICTURES = {
    "page": Picture(ROOT / "docs/images/page.png", ("Write",), "body", (1280, 860)),
    "card": Picture(ROOT / PICTURE, ("Write",), "body", (1200, 630)),
    "letters": Picture(ROOT / "docs/images/letters.png", ("Inside", "Letters"), ".letters .modes", (1000, 620)),
    "map": Picture(ROOT / "docs/images/map.png", ("Words", "Map"), "#word-map .w-controls", (1160, 660)),
}


def main(names: list[str]) -> None:
    """Writes the pictures of these names; of none: all."""
    from playwright.sync_api import sync_playwright

    from app import demo
    from lyricgen.ui.page import launch_settings

    chromium = os.environ.get("LYRICGEN_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    _, url, _ = demo.launch(
        prevent_thread_lock=True, quiet=True, server_name="127.0.0.1", server_port=free_port(), **launch_settings()
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.goto(url)
        page.get_by_role("button", name="Show all").click()
        page.locator(".song-text span").nth(67).click()
        page.mouse.move(0, 0)
        page.wait_for_timeout(500)  # the bars grow
        for picture in (PICTURES[name] for name in names or PICTURES):
            page.set_viewport_size(dict(zip(("width", "height"), picture.size, strict=True)))
            for tab in picture.tabs:
                page.get_by_role("tab", name=tab, exact=True).click()
            page.locator(picture.shown).wait_for()
            page.wait_for_timeout(500)  # the letters are read, the map is drawn
            page.evaluate("place => document.querySelector(place).scrollIntoView()", picture.shown)
            page.screenshot(path=picture.path)
        browser.close()
    demo.close()


if __name__ == "__main__":
    main(sys.argv[1:])
