"""The temperature that a trained network is divided by."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from lyricgen.models.networks import ImprovedSeqModel
from lyricgen.models.vocabulary import OOV_LABEL
from lyricgen.songs.corpus import encode_corpus
from lyricgen.songs.reading import Song
from lyricgen.training.calibration import HIGHEST, LOWEST, fit_temperature, scale_temperature
from lyricgen.training.memory import read_logits


def sample(temperature, count=20_000):
    """Logits (count, C), and labels drawn from them at a temperature."""
    random = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(count, 100, generator=random)
    probabilities = (logits / temperature).softmax(-1)
    return logits, torch.multinomial(probabilities, 1, generator=random)[:, 0].numpy()


@pytest.mark.parametrize("temperature", [0.8, 1.0, 1.4])
def test_the_temperature_is_that_at_which_the_labels_were_drawn(temperature):
    logits, labels = sample(temperature)
    half = len(labels) // 2
    songs = [(logits[:half], labels[:half]), (logits[half:], labels[half:])]
    assert fit_temperature(iter(songs)) == pytest.approx(temperature, rel=0.02)


def test_characters_outside_the_vocabulary_do_not_count():
    logits, labels = sample(1.4)
    unknown = np.full(5_000, OOV_LABEL)
    assert fit_temperature(iter([(logits, labels), (100 * logits[:5_000], unknown)])) == pytest.approx(1.4, rel=0.02)
    assert fit_temperature(iter([(logits[:5_000], unknown)])) == 1.0


def test_the_temperature_stays_within_its_limits():
    logits, labels = sample(8.0)
    assert fit_temperature(iter([(logits, labels)])) == HIGHEST
    likeliest = logits.argmax(-1).numpy()
    assert fit_temperature(iter([(logits, likeliest)])) == LOWEST


def test_a_calibrated_network_needs_fewer_bits_and_ranks_the_same(tmp_path):
    torch.manual_seed(0)
    model = ImprovedSeqModel(hidden_size=16, artists=("Ann",)).eval()
    with torch.no_grad():
        model.ffnn.weight *= 30  # too sure of itself
    songs = [Song("the lamp by the window burned all night", "Ann"), Song("seven gulls on the harbour wall", "Ann")]
    corpus = encode_corpus(songs, tmp_path / "corpus", ["Ann"])

    def read():
        logits, labels = zip(*read_logits(model, corpus), strict=True)
        return torch.cat(logits), torch.from_numpy(np.concatenate(labels))

    logits, labels = read()
    temperature = scale_temperature(model, corpus)
    calibrated, _ = read()
    assert temperature > 1.2
    assert torch.allclose(calibrated * temperature, logits, atol=1e-3)
    assert F.cross_entropy(calibrated, labels) < F.cross_entropy(logits, labels)
