"""Results in a notebook: a `repr` of one line, escaped HTML in the page's colours, figures as PNG."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch

import lyricgen
from lyricgen import VectorSpace
from lyricgen.display import COPIED_COLOURS, SURPRISAL_COLOURS, html_table, one_line, quoted

PAGE_CSS = Path(lyricgen.__file__).parent / "ui" / "static" / "page.css"
TEXT = "<b>la la</b> é\nla la"
WORDS = {"man": (1, 0, 0), "woman": (0, 1, 0), "king": (0.6, 0, 0.8), "queen": (0, 0.6, 0.8), "<b>": (0, 0, 1), "he": (1, 0, 0.1), "she": (0, 1, 0.1)}  # fmt: skip


@pytest.fixture(scope="module")
def words():
    return VectorSpace("seven", list(WORDS), np.array(list(WORDS.values()), np.float32))


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(3)
    return lyricgen.ImprovedSeqModel(hidden_size=12, artists=("Ann", "<b>Bo</b>")).eval()


@pytest.fixture(scope="module")
def results(model, words):
    """A result of each kind that a model or a space of the tests can give."""
    score = lyricgen.score(TEXT, model=model)
    debiasing = lyricgen.Debiasing(words)
    return [
        score,
        lyricgen.compare_scores(TEXT, models=[model, model]),
        lyricgen.saliency(TEXT, model=model),
        lyricgen.read_cells(TEXT, model=model),
        lyricgen.writer_bias("nurse, <i>", model=model),
        lyricgen.attribute(TEXT, model=model, ngrams=None),
        lyricgen.measure_originality("a <b> c d e"),
        lyricgen.neighbors("king", vectors=words),
        lyricgen.solve_analogy("man", "king", "woman", vectors=words),
        lyricgen.compare_neighbors("king", words, words),
        lyricgen.two_analogies("man", "king", "woman", vectors=words),
        lyricgen.map_words("man woman king", vectors=words),
        lyricgen.weat("man he", "woman she", ["king", "<b>"], "queen woman", words),
        words,
        debiasing,
    ]


def test_results_have_a_repr_of_one_line_and_html_without_the_texts_own_tags(results):
    for result in results:
        assert "\n" not in repr(result) and len(repr(result)) < 200 and "array(" not in repr(result)
        if hasattr(result, "_repr_html_"):
            assert not re.search("<(b|i)>", result._repr_html_())
        else:
            assert isinstance(result, VectorSpace) or hasattr(result, "draw")


def test_results_with_a_figure_give_it_as_png(results):
    pictures = [result for result in results if hasattr(result, "_repr_png_")]
    assert [type(picture).__name__ for picture in pictures] == ["WordMap", "WeatResult", "Debiasing"]
    assert all(picture._repr_png_().startswith(b"\x89PNG") for picture in pictures)


def test_a_scored_text_has_the_colours_of_the_page():
    light = dict(re.findall(r"--(\w+): (#\w+);", PAGE_CSS.read_text(encoding="utf-8").partition(".dark")[0]))
    inks = [light["ink"]] * 3 + [light["ink4"], light["ink5"]]
    assert list(SURPRISAL_COLOURS[1:]) == [(light[f"p{step}"], inks[step - 1]) for step in range(1, 6)]
    assert (light["copied"], light["ink"]) == COPIED_COLOURS


def test_a_letter_is_coloured_by_its_probability_and_explained(model):
    score = lyricgen.score(TEXT, model=model)
    spans = re.findall(r'<span style="([^"]*)" title="([^"]*)">([^<]*)</span>', score._repr_html_())[
        len(SURPRISAL_COLOURS) - 1 :
    ]
    assert len(spans) == len(TEXT)
    for (style, title, _), shade, row in zip(spans, score.shades, score.rows(), strict=True):
        if shade is None:
            assert (style, title) == ("text-decoration:underline dotted", "not scored")
        else:
            assert style == (
                f"background:{SURPRISAL_COLOURS[shade][0]};color:{SURPRISAL_COLOURS[shade][1]}" if shade else ""
            )
            assert f"rank {row['rank']};" in title
    limits = [0.5, 0.2, 0.05, 0.01, 0.001, 0]
    assert all(score.probabilities[at] >= limits[shade] for at, shade in enumerate(score.shades) if shade is not None)


def test_a_copied_run_is_marked_with_its_song(tmp_path):
    index = lyricgen.SongIndex.build([lyricgen.Song("we fold the morning into paper boats", "Ada Lark", "paper boats")])
    shown = lyricgen.measure_originality("oh we fold the morning into paper cups", index)._repr_html_()
    assert re.search(
        r'title="6 words, in [^"]*paper boats[^"]*Ada Lark">we fold the morning into paper</span> cups', shown
    )


def test_learning_curves_are_drawn_by_characters_epochs_and_time():
    curves = lyricgen.learning_curves(["vanilla-rnn"], by="seconds")
    assert curves.draw().axes[0].get_xlabel() == "minutes of training"
    with pytest.raises(lyricgen.ArgumentError, match="by must be one of characters, epoch, seconds; got 'hours'"):
        lyricgen.learning_curves(by="hours")


def test_many_words_are_drawn_from_both_ends(words):
    values = {f"word{number}": number - 50 for number in range(100)}
    result = lyricgen.weat("man he", "woman she", ["king", "<b>"], "queen woman", words)
    object.__setattr__(result, "associations", values)
    drawn = [label.get_text() for label in result.draw().axes[0].get_yticklabels()]
    assert len(drawn) == 40 and drawn[0] == "word0" and drawn[-1] == "word99" and "word50" not in drawn


def test_texts_of_a_table_are_escaped_and_long_ones_cut():
    assert "<td>&lt;x&gt;</td>" in html_table("c", ["h"], [["<x>"]]) and html_table("c", ["h"], []) == ""
    assert quoted("é\n" * 40).count("é") == 16 and "\n" not in quoted("é\n" * 40)
    assert one_line([], "a", "b") == "<list: a, b>"
