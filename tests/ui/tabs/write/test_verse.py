"""With a form: what the panel answers while a verse is written."""

import json
from types import SimpleNamespace

from lyricgen.generation.settings import generation_settings
from lyricgen.resources import Resources
from lyricgen.ui.tabs.write.settings import page_default
from lyricgen.ui.tabs.write.verse import write_lines

NAMES = tuple(generation_settings())
VALUES = [{"seed": 3, "artist": "any artist", "second_artist": "any artist"}.get(name, page_default(name)) for name in NAMES]  # fmt: skip


def written(resources: Resources, lines: str, again: bool = False, acrostic: str = "") -> list[tuple]:
    event = SimpleNamespace(lines=lines, again=again)
    return list(write_lines(resources, NAMES, event, "couplet", 4, acrostic, "", "", "lstm", *VALUES))


def test_lines_appear_and_those_that_are_kept_stay(tiny_folder):
    resources = Resources(tiny_folder, "cpu")
    *drafts, (last, problem) = written(resources, "by the sea\n")
    verse = json.loads(last)
    assert (verse["state"], verse["seed"], problem) == ("written", 3, "")
    assert verse["lines"][0]["text"] == "by the sea" and verse["lines"][1]["text"]
    assert {json.loads(draft)["state"] for draft, _ in drafts} == {"writing"}
    again = [json.loads(written(resources, "by the sea\n", again=True)[-1][0])["seed"] for _ in range(2)]
    assert again[0] != again[1]


def test_an_error_leaves_the_verse_and_says_a_sentence(tiny_folder):
    ((verse, problem),) = written(Resources(tiny_folder, "cpu"), "", acrostic="7")
    assert "role=" in problem and "First letters of the lines must be at most" in problem
    assert isinstance(verse, dict)  # gr.skip()
