"""Takes pictures of the real page, for the README and for social cards: `python -m docs.pictures`.

They show the song that the page opens with.

Needs Chromium, as the tests of the page do.
"""

import os
import shutil
from pathlib import Path

from benchmarks.running_app import free_port
from lyricgen.hub.spaces import PICTURE

ROOT = Path(__file__).parents[1]
PICTURES = {ROOT / "docs/images/page.png": (1280, 860), ROOT / PICTURE: (1200, 630)}
"""Width and height, in pixels, of each."""


def main() -> None:
    """Writes the pictures."""
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
        for path, (width, height) in PICTURES.items():
            page.set_viewport_size({"width": width, "height": height})
            page.screenshot(path=path)
        browser.close()
    demo.close()


if __name__ == "__main__":
    main()
