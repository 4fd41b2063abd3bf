"""The settings that the page is launched with."""

import re
from pathlib import Path

from lyricgen.ui.components import STATIC
from lyricgen.ui.page import launch_settings
from lyricgen.ui.theme import head


def test_every_style_sheet_is_launched_and_every_script_is_used():
    assert {path.name for path in launch_settings()["css_paths"]} == {path.name for path in STATIC.glob("*.css")}
    modules = "".join(path.read_text(encoding="utf-8") for path in STATIC.parent.rglob("*.py"))
    used = set(re.findall(r'(?:static|script_view)\("([\w-]+\.js)"', modules))
    assert {path.name for path in STATIC.glob("*.js")} == used


def test_style_sheets_and_scripts_are_files_of_the_package():
    assert {path.suffix for path in STATIC.iterdir()} == {".css", ".js", ".svg"}
    assert all(Path(path).is_file() for path in launch_settings()["css_paths"])


def test_the_head_describes_the_page_for_search_engines_and_cards():
    tags = dict(re.findall(r'<meta (?:name|property)="([^"]+)" content="([^"]+)">', head()))
    assert {"description", "og:title", "og:description"} <= tags.keys() and all(tags.values())
