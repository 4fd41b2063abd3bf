"""The page in a browser, for the tests of tests/page: sizes, and how to reach a tab or a view."""

import os
import shutil
from typing import Any

CHROMIUM = os.environ.get("LYRICGEN_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
HOSTILE = "<img src=x onerror=alert(1)> <script>alert(1)</script> {{value}} ${1+1} `é` </style> &lt;b&gt;"
TITLE = "lyricgen: watch a small neural network write a song"


def open_tab(page: Any, *names: str) -> None:
    """Goes to a tab, then to a view in it."""
    for name in names:
        page.get_by_role("tab", name=name, exact=True).click()


def wait_for_text(page: Any, selector: str, text: str, timeout: float = 30_000) -> None:
    """Waits until an element's shown text holds another."""
    page.wait_for_function(
        "([selector, text]) => document.querySelector(selector)?.innerText.includes(text)",
        arg=[selector, text],
        timeout=timeout,
    )


def assert_fits(page: Any) -> None:
    """Nothing is wider than the screen."""
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
