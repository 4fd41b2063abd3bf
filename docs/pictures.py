"""Takes the README's picture of the real page: `python -m docs.pictures`. It shows the song that the page opens with.

Needs Chromium, as the tests of the page do.
"""

import os
import shutil
from pathlib import Path

from benchmarks.running_app import free_port

PICTURE = Path(__file__).parent / "images" / "page.png"
SIZE = {"width": 1280, "height": 860}


def main() -> None:
    """Writes the picture."""
    from playwright.sync_api import sync_playwright

    from app import demo
    from lyricgen.ui.page import launch_settings

    chromium = os.environ.get("LYRICGEN_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    _, url, _ = demo.launch(
        prevent_thread_lock=True, quiet=True, server_name="127.0.0.1", server_port=free_port(), **launch_settings()
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport=SIZE)
        page.goto(url)
        page.get_by_role("button", name="Show all").click()
        page.locator(".song-text span").nth(67).click()
        page.mouse.move(0, 0)
        page.wait_for_timeout(500)  # the bars grow
        page.screenshot(path=PICTURE)
        browser.close()
    demo.close()


if __name__ == "__main__":
    main()
