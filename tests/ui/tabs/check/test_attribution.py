"""The tab on attribution: the sentence on its accuracy, whatever was measured."""

from dataclasses import replace

import pytest

from lyricgen import load_ngrams
from lyricgen.analysis.attribution import LineAttribution
from lyricgen.analysis.ngram_classifier import Evidence, NgramContribution
from lyricgen.resources import Resources
from lyricgen.ui.tabs.check.attribution import accuracy_text
from lyricgen.ui.tabs.check.originality import text_html

FIGURES = {"all": {"accuracy": 0.7}, "clean": {"accuracy": 0.6}}
BASELINE = {"all": {"accuracy": 0.65}, "clean": {"accuracy": 0.55}}


@pytest.fixture
def sentence(tiny_ngrams):
    """The sentence for a classifier with these methods among its validation figures."""
    resources = Resources(tiny_ngrams.parent, "cpu")

    def make(methods, **more):
        validation = {"songs": 9, "clean": 5, "read": "their first words", "methods": methods, **more}
        resources.ngrams = replace(load_ngrams(tiny_ngrams), metrics={"validation": validation})
        return accuracy_text(resources)

    return make


def test_the_figures_are_beside_those_of_the_baseline(sentence):
    text = sentence({"n-grams": FIGURES, "a baseline": BASELINE}, baseline="a baseline")
    assert (
        "Of 5 songs" in text and "**60.0 %** (a baseline: 55.0 %)" in text and "**70.0 %** (a baseline: 65.0 %)" in text
    )


@pytest.mark.parametrize("methods", [{"n-grams": FIGURES}, {"n-grams": FIGURES, "another": BASELINE}])
def test_without_the_baselines_figures_those_of_the_n_grams_stay(sentence, methods):
    for more in ({}, {"baseline": "a baseline"}):
        text = sentence(methods, **more)
        assert "**60.0 %**, of all 9" in text and "baseline" not in text


@pytest.mark.parametrize("methods", [{}, {"another": FIGURES}, {"n-grams": {"all": {"accuracy": 0.7}}}])
def test_without_figures_of_the_n_grams_it_says_so(sentence, methods):
    assert sentence(methods, baseline="another").startswith("How often it is right was not measured")


def test_a_line_is_shown_with_its_evidence_as_text():
    ngrams = [NgramContribution(f" {word} ", "words", 1, 0.5, False, ((0, 1),)) for word in ("<b>sea", "sand")]
    line = LineAttribution("the <b>sea", "Ann", 0.5, {}, {}, {}, Evidence("Ann", 1.0, 0.0, 0.0, tuple(ngrams)))
    shown = text_html("the <b>sea", None, (line,))
    assert "“&lt;b&gt;sea”, “sand”" in shown and "<b>" not in shown
    assert "“" not in text_html("the <b>sea", None, (replace(line, evidence=None),))
