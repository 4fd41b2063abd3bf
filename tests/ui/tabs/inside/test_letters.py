"""What Letters and Neurons hand to their script, and whether their colours can be read."""

import itertools
import json
import re

import numpy as np
import pytest

from lyricgen.analysis.activations import read_cells, unit_facts
from lyricgen.analysis.scoring import score
from lyricgen.ui.components import STATIC
from lyricgen.ui.tabs.inside import letters, neurons

CSS = (STATIC / "inside.css").read_text(encoding="utf-8")
PAGE = {"light": "#27272a", "dark": "#f4f4f5"}  # what gradio writes in, on the lightest and the darkest colours


def colours(theme: str) -> dict[str, str]:
    """The style sheet's colours of a theme by name."""
    light, _, dark = CSS.partition(".dark .xr {")
    return dict(re.findall(r"--(\w\d?): (#[0-9a-f]{6})", {"light": light, "dark": dark}[theme]))


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
    pairs = [(found[f"p{step}"], found[f"i{step}"]) for step in range(1, 6)]
    for side in "uo":
        pairs += [(found[f"{side}1"], PAGE[theme]), (found[f"{side}4"], found["e"])]
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
        assert set(panel["classes"]) <= set(data["legend"]["classes"])


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


def test_a_units_colours_have_the_sign_and_the_share_of_its_largest(tiny_model):
    cells = read_cells("seven chairs stood in the rain", model=tiny_model)
    data = json.loads(neurons.unit_json(cells, unit_facts(cells)))
    panel = data["panels"][0]
    largest = max(map(abs, panel["values"]))
    for value, shade in zip(panel["values"], panel["classes"], strict=True):
        step = int(shade[2]) * {"n": -1, "r": 1, "p": 1}[shade[1]]
        assert abs(step / 4 - value / largest) <= 1 / 8 + 1e-3


def test_a_row_of_the_table_says_what_nothing_can_follow(tiny_model):
    facts = unit_facts(read_cells("bcd", model=tiny_model))
    rows = {one["feature"]: neurons.feature_row(one) for one in facts["features"]}
    assert rows["vowel"][1:] == ["none: the same at every letter here", ""]
    assert re.fullmatch(r"(\d/\d+: -?\d\.\d\d(, )?){5}", rows["position in line"][1])
