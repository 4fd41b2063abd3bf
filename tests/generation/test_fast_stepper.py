"""FastStepper: the logits of the module, whatever the other rows; caches of steppers."""

import math
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn

from lyricgen.generation.fast_stepper import (
    LONG_PREFIX,
    MIN_PLAUSIBLE_SHARE,
    ArtistStepper,
    FastStepper,
    GuidedStepper,
    LayerReader,
    WeightsCache,
    guide,
)
from lyricgen.models.checkpoints import load_model
from lyricgen.models.networks import CharacterModel, ImprovedSeqModel, VanillaRNN, map_state
from lyricgen.models.vocabulary import START_LABEL, string_to_labels


@pytest.fixture(scope="module")
def model(sharp_model):
    return sharp_model


@pytest.mark.parametrize("artist", [None, 0, 1])
def test_fast_stepper_agrees_with_the_module(model, artist):
    token_ids = torch.randint(0, 101, (4, 30), generator=torch.Generator().manual_seed(0))
    artists = None if artist is None else torch.full((4,), artist)
    stepper = FastStepper.of(model, artist)
    with torch.no_grad():
        expected, _ = model(token_ids, torch.full((4,), 30), artists=artists)
        logits, hidden = stepper.read(token_ids[:, :7], torch.full((4,), 7))
        torch.testing.assert_close(logits, expected[:, :7], atol=1e-4, rtol=1e-4)
        for at in range(7, 30):
            logits, hidden = stepper.step(token_ids[:, at], hidden)
            torch.testing.assert_close(logits, expected[:, at], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("length", [9, LONG_PREFIX + 9])
def test_a_mix_and_a_guided_artist_agree_with_the_module(model, length):
    token_ids = torch.randint(0, 101, (3, length + 6), generator=torch.Generator().manual_seed(0))
    mix = torch.tensor([0.25, 0.75, 0.0])
    lengths, ragged = torch.full((3,), length), torch.tensor([length, length - 2, 3])
    artist = ArtistStepper(FastStepper.for_model(model), model, mix)
    with torch.no_grad():
        mixed, _ = model(token_ids, None, artists=mix.expand(3, -1))
        between = 0.25 * model.artist_vectors(torch.tensor([0])) + 0.75 * model.artist_vectors(torch.tensor([1]))
        torch.testing.assert_close(model.artist_vectors(mix[None]), between)
        guided = guide(mixed, model(token_ids, None)[0], 2.5)
        threshold = mixed.amax(dim=-1, keepdim=True) + math.log(MIN_PLAUSIBLE_SHARE)
        uncertain = (mixed - threshold).abs() < 1e-3  # rounding decides whether they are plausible
        for stepper, expected in ((artist, mixed), (GuidedStepper(artist, 2.5), guided)):
            for given in (ragged, lengths):
                logits, hidden = stepper.read(token_ids[:, :length], given)
                for row, end in enumerate(given.tolist()):
                    logits[row, :end][uncertain[row, :end]] = expected[row, :end][uncertain[row, :end]]
                    torch.testing.assert_close(logits[row, :end], expected[row, :end], atol=1e-3, rtol=1e-4)
            for at in range(length, length + 6):
                logits, hidden = stepper.step(token_ids[:, at], hidden)
                logits[uncertain[:, at]] = expected[:, at][uncertain[:, at]]
                torch.testing.assert_close(logits, expected[:, at], atol=1e-3, rtol=1e-4)


def test_guidance_by_hand_moves_what_the_artist_finds_implausible_behind_all_others():
    artist, any_artist = torch.tensor([0.5, 0.3, 0.197, 0.003]).log(), torch.tensor([0.4, 0.3, 0.29998, 0.00002]).log()
    exact = (artist - any_artist) * 2 + any_artist
    assert exact.argmax() == 0 and exact[3] > any_artist[3] + 9  # guidance alone favours it 22,500 times
    guided = guide(artist, any_artist, 2.0)
    torch.testing.assert_close(guided[:3], exact[:3] / 1.03)  # a little softened
    assert guided.isfinite().all() and guided.argmin() == 3
    banned = guided.index_fill(0, torch.tensor([0, 1, 2]), -torch.inf)
    assert banned.softmax(-1).tolist() == [0, 0, 0, 1]


def test_guidance_of_1_is_the_artists_where_it_is_plausible():
    artist, any_artist = torch.randn(2, 3, 100, generator=torch.Generator().manual_seed(0))
    plausible = artist > artist.amax(dim=-1, keepdim=True) + math.log(MIN_PLAUSIBLE_SHARE)
    torch.testing.assert_close(guide(artist, any_artist, 1.0)[plausible], artist[plausible])


@pytest.mark.parametrize("length", [9, LONG_PREFIX + 9])
def test_a_guided_prompt_begins_with_the_states_of_the_artist_and_of_any_artist(model, length):
    labels = torch.randint(0, 101, (length,), generator=torch.Generator().manual_seed(0)).tolist()
    artist = ArtistStepper(FastStepper.for_model(model), model, 1)
    pending, both = GuidedStepper(artist, 2.0).begin(labels)
    for row, stepper in enumerate((artist, ArtistStepper(artist.stepper, model, None))):
        alone, hidden = stepper.begin(labels)
        assert alone == pending == (labels if length == 9 else labels[-1:])
        of_row = map_state(lambda part, row=row: part[:, row : row + 1], both)
        map_state(lambda *parts: torch.testing.assert_close(*parts, atol=1e-5, rtol=1e-4), of_row, hidden)


class GRUModel(CharacterModel):
    cell = nn.GRU


@pytest.mark.parametrize("model_class", [VanillaRNN, ImprovedSeqModel, GRUModel])
def test_the_layers_of_any_cell_are_read_as_the_module_reads_them(model_class):
    network = model_class(hidden_size=8, n_layers=3).eval()
    token_ids = torch.randint(0, 101, (2, 300), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        outputs, _ = LayerReader.of(network).read(network.embed(token_ids))
        torch.testing.assert_close(network.ffnn(outputs[-1]), network(token_ids, None)[0])


@pytest.mark.parametrize("name", ["lstm", "vanilla-rnn"])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-3), (torch.int8, 0.1)])
def test_bundled_models_step_as_the_module_does(name, dtype, tolerance):
    model = load_model(name)
    token_ids = torch.tensor([[START_LABEL, *string_to_labels("the river keeps its secrets and i keep mine " * 6)]])
    stepper = ArtistStepper(FastStepper(model, dtype), model, None)
    with torch.inference_mode():
        expected = model(token_ids, None)[0]
        short, hidden = stepper.read(token_ids[:, :20], torch.tensor([20]))
        steps = [short]
        for labels in token_ids.T[20:]:
            logits, hidden = stepper.step(labels, hidden)
            steps.append(logits[:, None])
        long, _ = stepper.read(token_ids, torch.tensor([token_ids.shape[1]]))  # in one pass
    for logits in (torch.cat(steps, dim=1), long):
        torch.testing.assert_close(logits.softmax(-1), expected.softmax(-1), atol=tolerance, rtol=0)
        bits = (expected.log_softmax(-1) - logits.log_softmax(-1)).mul(expected.softmax(-1)).sum(-1).mean() / 0.6931
        assert abs(float(bits)) < (1e-6 if dtype == torch.float32 else 1e-3)


def test_threads_that_ask_at_the_same_time_share_one_value(model):
    made, barrier = [], threading.Barrier(4)

    def make(of):
        time.sleep(0.05)
        made.append(of)
        return object()

    cache = WeightsCache(make)

    def ask(_):
        barrier.wait()
        return cache.get(model)

    with ThreadPoolExecutor(4) as threads:
        assert len(set(threads.map(ask, range(4)))) == 1
    assert made == [model]


def test_steppers_and_readers_are_made_once_for_weights_as_they_are(model):
    stepper, reader = FastStepper.for_model(model), LayerReader.of(model)
    assert FastStepper.for_model(model) is stepper and LayerReader.of(model) is reader
    with torch.no_grad():
        model.ffnn.bias.add_(0.0)  # changed in place
    assert FastStepper.for_model(model) is not stepper and LayerReader.of(model) is not reader
