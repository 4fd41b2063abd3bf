"""What Letters hands to its scripts, and whether their colours can be read."""

import itertools
import json
import re

import numpy as np
import pytest

from lyricgen.analysis.saliency import saliency
from lyricgen.analysis.scoring import score
from lyricgen.ui.components import STATIC
from lyricgen.ui.tabs.inside import letters

CSS = "".join((STATIC / name).read_text(encoding="utf-8") for name in ("page.css", "inside.css"))


def colours(theme: str) -> dict[str, str]:
    """The style sheets' colours of a theme by name."""
    blocks = re.findall({"light": r"^:root {(.*?)}", "dark": r"^\.dark {(.*?)}"}[theme], CSS, re.MULTILINE | re.DOTALL)
    return dict(re.findall(r"--(\w+): (#[0-9a-f]{6}|#fff);", " ".join(blocks).replace("#fff;", "#ffffff;")))


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (share / 12.92 if share <= 0.03928 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio as WCAG 2 defines it, from 1 to 21."""
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_letters_can_be_read_on_every_colour(theme):
    found = colours(theme)
    inks = ["ink", "ink", "ink", "ink4", "ink5"]
    pairs = [(found[f"p{step}"], found[ink]) for step, ink in enumerate(inks, 1)]
    for side in "uo":
        pairs += [(found[f"{side}1"], found["ink"]), (found[f"{side}4"], found["e"])]
        pairs += [(found[f"{side}{step}"], found["m"]) for step in (2, 3)]
    assert min(contrast(*pair) for pair in pairs) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_scales_go_one_way_in_brightness_so_that_no_hue_need_be_told(theme):
    found = colours(theme)
    for scale in ("p", "u", "o"):
        names = sorted(name for name in found if re.fullmatch(f"{scale}[1-9]", name))
        values = [luminance(found[name]) for name in names]
        steps = [later - before for before, later in itertools.pairwise(values)]
        assert all(step < 0 for step in steps) if theme == "light" else all(step > 0 for step in steps)


def test_what_the_script_draws_has_a_colour_and_figures_for_every_letter(tiny_model):
    text = "se\u00e9 <script>\nno"
    scored = score(text, model=tiny_model)
    written = letters.scores_json([scored, scored])
    assert "<" not in written
    data = json.loads(written)
    assert (data["text"], data["starts"]) == (text, [0, 13])
    for panel in data["panels"]:
        assert {len(panel[name]) for name in ("classes", "probabilities", "ranks", "entropies")} == {len(text)}
        assert len(panel["top"]) == len(panel["top_probabilities"]) == 5 * len(text)
        assert panel["classes"][2] == "xru" and panel["ranks"][2] == 0
        assert 0 < len(panel["surprises"]) <= 10
    assert [mode["label"] for mode in data["modes"]][2:] == ["difference"]
    for mode in data["modes"]:
        assert len(mode["classes"]) == len(text) and set(mode["classes"]) <= set(mode["legend"]["classes"])


def test_the_difference_has_the_sign_of_the_second_models_bits_minus_the_firsts(tiny_model):
    first, second = score("abcd", model=tiny_model), score("abcd", model=tiny_model)
    second.log_probs[:] = first.log_probs + [0.0, -1.0, 3.0, -9.0]
    assert letters.difference_shades(first, second) == ["xr0", "xp1", "xn3", "xp4"]


def test_a_surprise_is_quoted_with_its_chance_and_what_was_expected(tiny_model):
    scored = score("seven chairs stood in the rain", model=tiny_model)
    found = letters.surprise(scored.most_surprising(1)[0])
    at = found["index"]
    assert found["before"] == scored.text[max(0, at - 16) : at] and found["after"] == scored.text[at + 1 : at + 9]
    assert re.fullmatch(r"(< 0.1|\d+(\.\d)?) %, expected .+, .+, .+", found["note"])


def test_passages_that_were_sung_before_are_listed_with_their_place(tiny_model):
    text = "seven chairs in the rain  Seven chairs in the sun"
    (repeat,) = json.loads(letters.scores_json([score(text, model=tiny_model)]))["repeats"]
    assert repeat == [26, 20, 0]


def test_letters_that_are_not_read_repeat_only_as_themselves(tiny_model):
    strange = "".join(chr(0x4E00 + number) for number in range(30))
    assert json.loads(letters.scores_json([score(f"ok {strange}", model=tiny_model)]))["repeats"] == []
    (repeat,) = json.loads(letters.scores_json([score(f"{strange} {strange}", model=tiny_model)]))["repeats"]
    assert repeat == [31, 30, 0]


def test_the_letter_that_is_chosen_first_ends_the_last_repeated_passage(tiny_model):
    text = "seven chairs  seven chairs on"
    assert letters.first_position(score(text, model=tiny_model)) == text.rindex(" on")
    plain = score("abc", model=tiny_model)
    assert letters.first_position(plain) == plain.most_surprising(1)[0].position


def test_the_memory_is_shaded_by_shares_of_the_largest(tiny_model):
    found = saliency("seven <chairs>", 9, model=tiny_model)
    written = letters.memory_json([found])
    data = json.loads(written)
    assert "<" not in written and data["before"] == "seven <ch" and data["letter"] == "a"
    (panel,) = data["panels"]
    assert panel["shades"] == pytest.approx(np.sqrt(found.influence / found.influence.max()), abs=1e-3)
    assert f"the last {found.reach} letters" in panel["note"]
    first = json.loads(letters.memory_json([saliency("seven", 0, model=tiny_model)]))
    assert first["before"] == "" and first["panels"][0]["note"] == "Nothing comes before the first letter."


@pytest.mark.parametrize(
    ("probability", "shade"),
    [
        (1.0, "xr0"),
        (0.5, "xr0"),
        (0.499, "xr1"),
        (0.2, "xr1"),
        (0.1, "xr2"),
        (0.02, "xr3"),
        (0.005, "xr4"),
        (1e-9, "xr5"),
    ],
)
def test_a_letters_colour_is_that_of_its_probability(tiny_model, probability, shade):
    scored = score("a", model=tiny_model)
    scored.log_probs[0] = np.log2(probability)
    assert letters.shades(scored) == [shade]
