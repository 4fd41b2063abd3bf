"""The lessons, their links and their sheet."""

from pathlib import Path
from urllib.parse import parse_qs

import pytest

from lyricgen import ARTISTS
from lyricgen.models.vocabulary import CHARACTERS
from lyricgen.ui.tabs.about.lessons import LESSONS, Lesson, Step, lessons_html

STEPS = [step for lesson in LESSONS for step in lesson.steps]
SHEET = Path("docs/lessons.md").read_text(encoding="utf-8")
VIEWS = {
    "inside": {"letters", "neurons", "comparison"},
    "check": {None},
    "words": {"map", "analogies", "bias"},
    "write": {None},
}


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.task)
def test_a_link_names_what_the_page_has(step):
    values = {name: value for name, (value,) in parse_qs(step.link[1:], keep_blank_values=True).items()}
    assert values == step.values
    assert values.keys() <= {"tab", "view", "text", "artist", "model", "t", "seed", "words", "max_copied_words"}
    assert values.get("view") in VIEWS[values.get("tab", "write")]
    assert values.get("artist") in (None, *ARTISTS) and values.get("model") in (None, "lstm", "vanilla-rnn")
    assert set(values.get("text", "")) <= set(CHARACTERS)


def test_the_sheet_has_every_lesson_step_and_link():
    for lesson in LESSONS:
        assert f". {lesson.title}\n" in SHEET and lesson.question in SHEET
    for step in STEPS:
        assert f"{step.task}\n   `{step.link}`" in SHEET


def test_a_step_is_text_and_its_link_is_quoted():
    hostile = Step("<b>", {"text": '"><script>&'})
    assert hostile.link == "?text=%22%3E%3Cscript%3E%26"
    assert "<script>" not in lessons_html(ARTISTS) and Lesson("a", "b", (hostile,) * 3).steps[0] is hostile


def test_a_lesson_on_artists_who_are_not_loaded_is_left_out():
    assert lessons_html(ARTISTS).count("<a href=") == 18
    assert lessons_html(["Ann"]).count("<a href=") == 15 and "Taylor" not in lessons_html(["Ann"])
