"""The influence of earlier characters on a prediction."""

import json

import numpy as np
import pytest
import torch

from lyricgen.analysis.saliency import influence_by_distance, reach, saliency
from lyricgen.analysis.scoring import embed_song, score
from lyricgen.errors import ArgumentError
from lyricgen.models.networks import ImprovedSeqModel
from lyricgen.models.vocabulary import string_to_labels

VERSE = "seven chairs stood in the rain  and no one came"


def log_probability(embedded: torch.Tensor, label: int, model) -> float:
    """The log-probability of a label after an embedded text, in nats, in float64."""
    model = model.double()
    with torch.no_grad():
        outputs, _ = model.rnn(embedded)
        found = model.ffnn(outputs[0, -1]).log_softmax(-1)[label].item()
    model.float()
    return found


@pytest.mark.parametrize("artist", [None, "Bob"])
def test_influence_is_the_norm_of_the_gradient(tiny_model, artist):
    found = saliency(VERSE, 12, artist=artist, model=tiny_model)
    assert found.influence.shape == (12,) and found.artist == artist
    *before, target = string_to_labels(VERSE[:13])
    with torch.no_grad():
        embedded = embed_song(list(before), artist, tiny_model).double()
    step, slopes = 1e-5, np.zeros((13, 12))
    for place in np.ndindex(slopes.shape):
        for sign in (1, -1):
            moved = embedded.clone()
            moved[(0, *place)] += sign * step
            slopes[place] += sign * log_probability(moved, target, tiny_model) / (2 * step)
    norms = np.linalg.norm(slopes, axis=1)
    assert found.influence == pytest.approx(norms[1:], rel=1e-3)
    assert found.start_influence == pytest.approx(norms[0], rel=1e-3)


def test_the_bits_are_those_of_the_score(tiny_model):
    scored = score(VERSE, model=tiny_model)
    for position in (0, 7, -1):
        assert saliency(VERSE, position, model=tiny_model).bits == pytest.approx(-scored.log_probs[position], abs=1e-5)
    assert saliency(VERSE, model=tiny_model).position == len(VERSE) - 1


def test_what_follows_the_position_is_not_read(tiny_model):
    whole, part = saliency(VERSE, 9, model=tiny_model), saliency(VERSE[:10], model=tiny_model)
    assert whole.influence == pytest.approx(part.influence)
    assert len(saliency(VERSE, 0, model=tiny_model).influence) == 0


def test_an_answer_is_plain(tiny_model):
    answer = saliency(VERSE, 5, model=tiny_model).to_dict()
    assert json.loads(json.dumps(answer)) == answer
    assert (
        (answer["text"], answer["character"]) == (VERSE, VERSE[5])
        and len(answer["influence"]) == 5
        and 1 <= answer["reach"] <= 5
    )


def test_a_model_in_training_mode_answers_as_in_eval_mode():
    model = ImprovedSeqModel(hidden_size=12, dropout=0.9)
    first = saliency(VERSE, model=model)
    assert model.training and first.bits == saliency(VERSE, model=model.eval()).bits


@pytest.mark.parametrize(
    ("text", "position", "named"), [("", 0, "text"), ("abc", 3, "position"), ("a\u00e9c", 1, "position")]
)
def test_what_cannot_be_answered_is_refused(tiny_model, text, position, named):
    with pytest.raises(ArgumentError, match=named):
        saliency(text, position, model=tiny_model)


def test_shares_by_distance_are_the_mean_over_windows(tiny_model):
    texts = [VERSE[:20], VERSE[10:30]]
    shares = influence_by_distance(np.array([string_to_labels(text) for text in texts]), tiny_model)
    each = [saliency(text, model=tiny_model).influence[::-1] for text in texts]
    assert shares == pytest.approx(np.mean([one / one.sum() for one in each], axis=0), rel=1e-4)
    assert shares.sum() == pytest.approx(1)


def test_reach_counts_the_characters_of_a_share():
    assert reach(np.array([5.0, 4.0, 1.0])) == 2
    assert reach(np.array([5.0, 4.0, 1.0]), 0.95) == 3
    assert reach(np.zeros(4)) == 0
