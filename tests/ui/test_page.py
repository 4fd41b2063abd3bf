"""The settings that the page is launched with."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from lyricgen.ui.components import STATIC, WORD_SCRIPTS
from lyricgen.ui.page import introduction, launch_settings
from lyricgen.ui.theme import head


def test_every_style_sheet_is_launched_and_every_script_is_used():
    assert {path.name for path in launch_settings()["css_paths"]} == {path.name for path in STATIC.glob("*.css")}
    modules = "".join(path.read_text(encoding="utf-8") for path in STATIC.parent.rglob("*.py"))
    used = set(re.findall(r'(?:static|script_view)\("([\w-]+\.js)"', modules))
    assert {path.name for path in STATIC.glob("*.js")} == used | {f"{name}.js" for name in WORD_SCRIPTS}


def test_style_sheets_and_scripts_are_files_of_the_package():
    assert {path.suffix for path in STATIC.iterdir()} == {".css", ".js", ".svg"}
    assert all(Path(path).is_file() for path in launch_settings()["css_paths"])


def test_rules_inside_media_do_not_name_what_is_around_gradios_container():
    """gradio moves them below it, where they would match nothing."""
    for path in STATIC.glob("*.css"):
        for block in re.findall(r"@media[^{]*\{((?:[^{}]*\{[^{}]*\})*)", path.read_text(encoding="utf-8")):
            for selector in re.findall(r"([^{}]+)\{", block):
                assert not re.search(
                    r"gradio-container|(^|\s)(html|body)\b|:root|main\.contain|:(is|not)\([^)]*,", selector
                ), (path, selector)


def test_shares_are_written_with_a_space_before_the_percent_sign():
    for path in STATIC.parent.rglob("*.py"):
        assert not re.search(r":\.\d%}", path.read_text(encoding="utf-8")), path


def tags() -> dict[str, str]:
    return dict(re.findall(r'<meta (?:name|property)="([^"]+)" content="([^"]+)">', head.__wrapped__()))


def test_the_head_describes_the_page_for_search_engines_and_cards(monkeypatch):
    monkeypatch.delenv("SPACE_ID", raising=False)
    assert {"description", "og:title", "og:description"} <= tags().keys() and all(tags().values())
    assert "og:image" not in tags()


def test_on_a_space_the_card_has_a_picture(monkeypatch):
    monkeypatch.setenv("SPACE_ID", "ann/app")
    assert tags()["og:image"] == "https://huggingface.co/spaces/ann/app/resolve/main/lyricgen/assets/page/card.png"
    assert tags()["og:url"] == "https://huggingface.co/spaces/ann/app"


@pytest.mark.parametrize(
    ("metrics", "read"),
    [
        ({}, "It has read songs,"),
        ({"train_songs": 3_277, "data_sha256": {"a": "1"}}, "It has read 3,277 songs,"),
        ({"train_songs": 40, "data_sha256": {"b": "2"}, "started_from": {"train_songs": 3_277, "data_sha256": {"a": "1"}}}, "3,317 songs"),
        ({"train_songs": 40, "data_sha256": {"a": "1"}, "started_from": {"train_songs": 40, "data_sha256": {"a": "1"}}}, "read 40 songs"),
    ],
)  # fmt: skip
def test_the_page_says_how_many_songs_its_model_has_read_in_all_its_trainings(metrics, read):
    checkpoint = SimpleNamespace(metrics=metrics)
    assert read in introduction(SimpleNamespace(model=lambda: SimpleNamespace(checkpoint=checkpoint)))
