"""The probabilities of two words after a template."""

import math

import pytest

from lyricgen import ArgumentError, score
from lyricgen.analysis.writer_bias import writer_bias


def test_probabilities_are_those_of_the_score(tiny_model):
    (choice,) = writer_bias("nurse", "he, she", "the {} said ", model=tiny_model).choices
    for word, probability in zip(("he", "she"), choice.probabilities, strict=True):
        scored = score(f"the nurse said {word} ", model=tiny_model)
        assert probability == pytest.approx(2 ** scored.log_probs[-len(word) - 1 :].sum(), rel=1e-4)
    assert choice.share == pytest.approx(choice.probabilities[1] / sum(choice.probabilities))


def test_words_are_sorted_by_the_share_of_the_second_word(tiny_model):
    measured = writer_bias(["nurse", "captain", "cook"], ["day", "night"], "after the {} comes the ", model=tiny_model)
    shares = [choice.share for choice in measured.choices]
    assert shares == sorted(shares, reverse=True) and measured.mean_share == pytest.approx(sum(shares) / 3)
    swapped = writer_bias(["nurse"], ["night", "day"], "after the {} comes the ", model=tiny_model)
    (nurse,) = [choice for choice in measured.choices if choice.word == "nurse"]
    assert math.isclose(swapped.choices[0].share, 1 - nurse.share, abs_tol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"template": "no place"}, "template must have one {}"),
        ({"template": "{} and {}"}, "template must have one {}"),
        ({"pair": "he"}, "pair must be 2 different words, got 1"),
        ({"pair": "he, He"}, "pair must be 2 words that the models can tell apart"),
        ({"pair": "é, she"}, "pair must have only characters that the models know"),
        ({"words": ""}, "words must be 1 to 50 different words, got 0"),
        ({"words": f"nurse, {'a' * 31}"}, "words must have 1 to 30 characters, got 31"),
        ({"artist": "Nobody"}, "artist"),
    ],
)
def test_bad_arguments_are_refused(tiny_model, arguments, message):
    with pytest.raises(ArgumentError, match=message.replace("{", r"\{").replace("}", r"\}")):
        writer_bias(**arguments, model=tiny_model)
