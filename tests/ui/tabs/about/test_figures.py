"""The bars of About."""

from lyricgen.resources import Resources
from lyricgen.ui.components import bar_card
from lyricgen.ui.tabs.about.figures import difficulty, figures_html


def test_a_bar_is_as_long_as_its_share_of_the_greatest():
    drawn = bar_card("A <b> heading", [("one", 1.0, "1"), ("four", 4.0, "4")])
    assert "width:25.0%" in drawn and "width:100.0%" in drawn and "&lt;b&gt;" in drawn
    assert bar_card("nothing", []) == ""


def test_figures_are_those_of_the_models():
    resources = Resources(device="cpu")
    bits = resources.model("lstm").checkpoint.metrics["clean_bpc"]
    assert f"{2**bits:.1f} ({bits:.3f} bits)" in difficulty(resources)
    assert figures_html(resources).count("<section>") == 5
