"""Greedy, sampling and beam decoding, against loops and answers worked out by hand."""

import math
from itertools import product

import pytest
import torch

from lyricgen import (
    ArgumentError,
    BeamDecodingStrategy,
    GreedyDecodingStrategy,
    Hypothesis,
    SamplingDecodingStrategy,
    pad_sequence,
    string_to_labels,
    token_ids_to_str,
)
from lyricgen.generation.decoding import Filters, ModelStepper, draw, next_probabilities

TEXTS = ("slow train", "", "oh", "the waiter")


def prefixes(*texts):
    labels = [string_to_labels(text) for text in texts]
    longest = max(map(len, labels))
    token_ids = torch.tensor([pad_sequence(row, longest) for row in labels], dtype=torch.long).reshape(
        len(labels), longest
    )
    return Hypothesis(token_ids, lengths=torch.tensor([len(row) for row in labels]))


@pytest.fixture
def model(tiny_model):
    """`tiny_model` with larger weights, so that what it predicts depends on what it has read."""
    with torch.no_grad():
        for name, value in tiny_model.named_parameters():
            if "bias" not in name:
                value.mul_(3.0)
    return tiny_model


def naive_greedy(model, text, max_length):
    """Reads the whole text again for every character; an empty one from label 100."""
    opening, labels = [] if text else [100], string_to_labels(text)
    while len(labels) < max_length:
        logits, _ = model(torch.tensor([opening + labels]), None)
        labels.append(int(logits[0, -1].argmax()))
    return labels


class HandMade:
    """A stepper over three characters whose next probabilities depend on the last label only."""

    def __init__(self, table):
        self.table = torch.tensor(table).log()

    def read(self, token_ids, lengths):
        return self.table[token_ids], torch.zeros(1, len(token_ids), 1)

    def step(self, labels, hidden):
        assert hidden.shape[1] == len(labels)
        return self.table[labels], hidden


# From 0 greedy takes 1 (0.5), after which all are alike: 0.5 * 0.4 = 0.2. By way of 2: 0.4 * 0.9 = 0.36.
GARDEN_PATH = HandMade([[0.1, 0.5, 0.4], [0.3, 0.3, 0.4], [0.05, 0.9, 0.05]])


@torch.no_grad()
def test_greedy_equals_reading_the_whole_text_again_at_every_step(model):
    [hypothesis] = GreedyDecodingStrategy(model).decode(prefixes(*TEXTS), max_length=30)
    assert hypothesis.token_ids.tolist() == [naive_greedy(model, text, 30) for text in TEXTS]
    assert len(set(map(tuple, hypothesis.token_ids[:, 10:].tolist()))) > 1


@pytest.mark.parametrize("strategy", [GreedyDecodingStrategy, SamplingDecodingStrategy, BeamDecodingStrategy])
def test_every_row_keeps_its_prefix_and_has_exactly_max_length(strategy, model):
    for max_length in (10, 11, 25):
        [hypothesis] = strategy(model).decode(prefixes(*TEXTS), max_length=max_length)
        assert hypothesis.token_ids.shape == (4, max_length) and hypothesis.lengths.tolist() == [max_length] * 4
        assert hypothesis.logits.shape == (4, max_length, 100)
        assert (hypothesis.token_ids < 100).all()
        for row, text in enumerate(TEXTS):
            assert token_ids_to_str(hypothesis.token_ids[row, : len(text)]) == text
    [whole] = strategy(model).decode(prefixes("abc"), max_length=3)
    assert token_ids_to_str(whole.token_ids[0]) == "abc"


def test_the_starting_hypothesis_stays_as_it_is(model):
    start = prefixes(*TEXTS)
    before = start.token_ids.clone()
    GreedyDecodingStrategy(model).decode(start, max_length=15)
    assert torch.equal(start.token_ids, before) and start.logits is None


@pytest.mark.parametrize("strategy", [GreedyDecodingStrategy, SamplingDecodingStrategy, BeamDecodingStrategy])
def test_logits_and_log_probs_are_the_models(strategy, model):
    [hypothesis] = strategy(model).decode(prefixes(*TEXTS), max_length=20)
    for row, text in enumerate(TEXTS):
        labels = hypothesis.token_ids[row]
        with torch.no_grad():
            if text:
                expected, _ = model(labels[None, :-1], None)
                torch.testing.assert_close(hypothesis.logits[row, 1:], expected[0], rtol=1e-4, atol=1e-4)
                assert not hypothesis.logits[row, 0].any()
            else:
                expected, _ = model(torch.cat([torch.tensor([100]), labels[:-1]])[None], None)
                torch.testing.assert_close(hypothesis.logits[row], expected[0], rtol=1e-4, atol=1e-4)
        log_probs = hypothesis.logits[row].log_softmax(-1)[torch.arange(20), labels][len(text) :]
        assert float(hypothesis.log_probs[row]) == pytest.approx(float(log_probs.sum()), abs=1e-3)


def test_artists_reach_the_model(model):
    texts = []
    for artist in (0, 1, None):
        stepper = ModelStepper(model, None if artist is None else torch.tensor([artist]))
        [hypothesis] = GreedyDecodingStrategy(stepper).decode(prefixes("oh"), max_length=40)
        [beam] = BeamDecodingStrategy(stepper).decode(prefixes("oh"), max_length=40, beam_size=1)
        assert torch.equal(beam.token_ids, hypothesis.token_ids)
        texts.append(hypothesis.token_ids)
    assert not torch.equal(texts[0], texts[1])


def test_a_temperature_near_0_equals_greedy(model):
    [greedy] = GreedyDecodingStrategy(model).decode(prefixes(*TEXTS), max_length=30)
    for temperature in (0, 1e-6, 1e-5):
        [sampled] = SamplingDecodingStrategy(model).decode(prefixes(*TEXTS), max_length=30, temperature=temperature)
        assert torch.equal(sampled.token_ids, greedy.token_ids)
    [one] = SamplingDecodingStrategy(model).decode(prefixes(*TEXTS), max_length=30, temperature=5, top_k=1)
    assert torch.equal(one.token_ids, greedy.token_ids)


def test_same_seed_same_text_and_the_global_generator_is_not_used(model):
    def text(seed):
        [hypothesis] = SamplingDecodingStrategy(model).decode(
            prefixes(*TEXTS), max_length=30, temperature=1.0, seed=seed
        )
        return hypothesis.token_ids

    state = torch.get_rng_state()
    first = text(4)
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(7)
    assert torch.equal(text(4), first) and not torch.equal(text(5), first)
    assert not torch.equal(text(None), text(None))


@pytest.mark.parametrize(
    ("temperature", "filters"),
    [
        (1.0, Filters()),
        (0.5, Filters()),
        (2.0, Filters(top_k=3)),
        (1.0, Filters(top_p=0.7)),
        (1.3, Filters(4, 0.8)),
        (1.0, Filters(min_p=0.2)),
        (1.0, Filters(typical_p=0.6)),
    ],
)
def test_draws_follow_the_distribution(temperature, filters):
    logits = torch.tensor([2.0, 1.0, 0.5, 0.0, -1.0, -2.0])
    expected = next_probabilities(logits, temperature, *filters)
    labels = draw(logits.expand(20_000, -1), temperature, filters, torch.Generator().manual_seed(1))
    counts = torch.bincount(labels, minlength=6)
    assert (counts[expected == 0] == 0).all()
    possible = expected > 0
    chi_square = ((counts - 20_000 * expected)[possible] ** 2 / (20_000 * expected[possible])).sum()
    assert chi_square < 20.5  # 5 degrees of freedom at most: p > 0.001


def test_next_probabilities_by_hand():
    logits = torch.tensor([4.0, 3.0, 2.0, 1.0]).log()
    cases = {
        (1.0, 0, 1.0): [0.4, 0.3, 0.2, 0.1],
        (0.5, 0, 1.0): [16 / 30, 9 / 30, 4 / 30, 1 / 30],
        (1.0, 2, 1.0): [4 / 7, 3 / 7, 0, 0],
        (1.0, 0, 0.39): [1, 0, 0, 0],
        (1.0, 0, 0.41): [4 / 7, 3 / 7, 0, 0],
        (1.0, 0, 0.8): [4 / 9, 3 / 9, 2 / 9, 0],
        (1.0, 2, 0.5): [1, 0, 0, 0],  # of the two, 4/7 alone reaches a half
        (1.0, 4, 1.0): [0.4, 0.3, 0.2, 0.1],
        (0, 0, 1.0): [1, 0, 0, 0],
    }
    for (temperature, top_k, top_p), expected in cases.items():
        result = next_probabilities(logits, temperature, top_k, top_p)
        assert result.tolist() == pytest.approx(expected, abs=1e-6), (temperature, top_k, top_p)


def test_min_p_and_typical_p_by_hand():
    logits = torch.tensor([4.0, 3.0, 2.0, 1.0]).log()
    # the entropy is 1.846 bits; the surprisals 1.32, 1.74, 2.32 and 3.32 lie 0.52, 0.11, 0.48 and 1.48 from it
    cases = {
        Filters(min_p=0.24): [0.4, 0.3, 0.2, 0.1],
        Filters(min_p=0.26): [4 / 9, 3 / 9, 2 / 9, 0],
        Filters(min_p=1): [1, 0, 0, 0],
        Filters(typical_p=0.29): [0, 1, 0, 0],
        Filters(typical_p=0.31): [0, 3 / 5, 2 / 5, 0],
        Filters(typical_p=0.51): [4 / 9, 3 / 9, 2 / 9, 0],
        Filters(typical_p=0.91): [0.4, 0.3, 0.2, 0.1],
        Filters(top_p=0.8, min_p=0.7): [4 / 7, 3 / 7, 0, 0],
        Filters(min_p=0.26, typical_p=0.9): [4 / 9, 3 / 9, 2 / 9, 0],  # of three; of all four it would reach 0.9 too
        Filters(top_k=2, typical_p=0.5): [1, 0, 0, 0],  # of the two: entropy 0.985 bits, surprisals 0.807 and 1.222
    }
    for filters, expected in cases.items():
        assert next_probabilities(logits, 1.0, *filters).tolist() == pytest.approx(expected, abs=1e-6), filters
    warm = next_probabilities(logits, 2.0, min_p=0.49)  # there the least has half of the highest probability
    assert (warm > 0).all() and (next_probabilities(logits, 1.9, min_p=0.49) > 0).tolist() == [True] * 3 + [False]


def test_typical_p_can_leave_out_the_most_likely_character():
    logits = torch.tensor([6.0, *[1.0] * 10]).log()
    probabilities = next_probabilities(logits, typical_p=0.3)
    assert probabilities[0] == 0 and (probabilities > 0).sum() == 5


def test_filters_never_bring_back_a_banned_character():
    logits = torch.tensor([[3.0, -torch.inf, 1.0, 0.5], [-torch.inf, 0.0, -torch.inf, -torch.inf]])
    for filters in (Filters(min_p=0.1), Filters(typical_p=0.9), Filters(3, 0.9, 0.1, 0.9)):
        probabilities = next_probabilities(logits, 1.0, *filters)
        assert torch.isfinite(probabilities).all() and not probabilities[logits == -torch.inf].any()
        assert probabilities[1].tolist() == [0, 1, 0, 0]


def test_the_sampling_strategy_takes_all_filters(model):
    settings = {"max_length": 40, "temperature": 3.0, "seed": 1}
    texts = [
        SamplingDecodingStrategy(model).decode(prefixes("oh"), **settings, **filters)[0].token_ids
        for filters in ({}, {"min_p": 0.5}, {"typical_p": 0.2}, {"min_p": 1})
    ]
    [greedy] = GreedyDecodingStrategy(model).decode(prefixes("oh"), max_length=40)
    assert len({tuple(text[0].tolist()) for text in texts}) == 4 and torch.equal(texts[-1], greedy.token_ids)


def test_top_k_keeps_no_more_than_k_where_logits_tie():
    probabilities = next_probabilities(torch.zeros(3, 10), top_k=4)
    assert (probabilities > 0).sum(dim=-1).tolist() == [4, 4, 4]


def test_a_beam_of_1_equals_greedy(model):
    [greedy] = GreedyDecodingStrategy(model).decode(prefixes(*TEXTS), max_length=30)
    [beam] = BeamDecodingStrategy(model).decode(prefixes(*TEXTS), max_length=30, beam_size=1)
    assert torch.equal(beam.token_ids, greedy.token_ids)
    torch.testing.assert_close(beam.log_probs, greedy.log_probs, rtol=1e-4, atol=1e-3)


def test_a_beam_finds_the_better_path_that_greedy_misses():
    start = Hypothesis(torch.tensor([[0]]))
    [greedy] = GreedyDecodingStrategy(GARDEN_PATH).decode(start, max_length=3)
    [beam] = BeamDecodingStrategy(GARDEN_PATH).decode(start, max_length=3, beam_size=2)
    assert greedy.token_ids.tolist() == [[0, 1, 2]] and float(greedy.log_probs) == pytest.approx(math.log(0.2))
    assert beam.token_ids.tolist() == [[0, 2, 1]] and float(beam.log_probs) == pytest.approx(math.log(0.36))


def test_the_n_best_are_the_best_of_all_sequences_in_order():
    start = Hypothesis(torch.tensor([[0], [2]]))
    results = BeamDecodingStrategy(GARDEN_PATH).decode(start, max_length=4, beam_size=27, n_best=27)
    assert len(results) == 27
    for row, first in enumerate((0, 2)):
        every = {}
        for path in product(range(3), repeat=3):
            pairs = zip((first, *path), path, strict=False)
            every[first, *path] = float(sum(GARDEN_PATH.table[a, b] for a, b in pairs))
        found = [tuple(result.token_ids[row].tolist()) for result in results]
        scores = [float(result.log_probs[row]) for result in results]
        assert len(set(found)) == 27
        assert scores == pytest.approx(sorted(every.values(), reverse=True), abs=1e-5)
        assert scores == pytest.approx([every[path] for path in found], abs=1e-5)


def test_each_beam_carries_its_own_state(model):
    results = BeamDecodingStrategy(model).decode(prefixes("oh", "slow"), max_length=12, beam_size=4, n_best=4)
    for row, text in enumerate(("oh", "slow")):
        assert len({tuple(result.token_ids[row].tolist()) for result in results}) == 4
        scores = [float(result.log_probs[row]) for result in results]
        assert scores == sorted(scores, reverse=True)
        for result in results:
            with torch.no_grad():
                logits, _ = model(result.token_ids[row : row + 1, :-1], None)
            log_probs = logits[0].log_softmax(-1)[torch.arange(11), result.token_ids[row, 1:]]
            assert float(result.log_probs[row]) == pytest.approx(float(log_probs[len(text) - 1 :].sum()), abs=1e-3)


def test_the_length_penalty_divides_by_the_decoded_length():
    start = Hypothesis(torch.tensor([[0]]))
    scores = [
        float(
            BeamDecodingStrategy(GARDEN_PATH)
            .decode(start, max_length=3, beam_size=2, length_penalty=penalty)[0]
            .log_probs
        )
        for penalty in (0, 1, 2)
    ]
    assert scores == pytest.approx([math.log(0.36), math.log(0.36) / 2, math.log(0.36) / 4])


def test_streams_yield_what_decode_returns(model):
    start = prefixes("oh")
    [greedy] = GreedyDecodingStrategy(model).decode(start, max_length=12)
    assert (
        torch.stack(list(GreedyDecodingStrategy(model).stream(start, 12)), 1).tolist()
        == greedy.token_ids[:, 2:].tolist()
    )
    [sampled] = SamplingDecodingStrategy(model).decode(start, max_length=12, seed=1)
    streamed = list(SamplingDecodingStrategy(model).stream(start, 12, seed=1))
    assert torch.stack(streamed, 1).tolist() == sampled.token_ids[:, 2:].tolist()
    [beam] = BeamDecodingStrategy(model).decode(start, max_length=12)
    *_, last = BeamDecodingStrategy(model).stream(start, 12)
    assert last.tolist() == beam.token_ids[:, 2:].tolist()


@pytest.mark.parametrize("strategy", [GreedyDecodingStrategy, SamplingDecodingStrategy, BeamDecodingStrategy])
def test_whoever_reads_a_stream_keeps_their_gradients(strategy, model):
    stream = strategy(model).stream(prefixes("oh"), 12)
    next(stream)
    assert torch.is_grad_enabled() and not torch.is_inference_mode_enabled()
    next(stream)
    stream.close()
    assert torch.is_grad_enabled() and not torch.is_inference_mode_enabled()


def test_the_models_training_mode_comes_back(model):
    for training in (True, False):
        model.train(training)
        GreedyDecodingStrategy(model).decode(prefixes("oh"), max_length=5)
        assert model.training is training
        stream = SamplingDecodingStrategy(model).stream(prefixes("oh"), 9)
        next(stream)
        assert not model.training
        stream.close()
        assert model.training is training


@pytest.mark.parametrize(
    ("strategy", "arguments", "named"),
    [
        (GreedyDecodingStrategy, {"max_length": 1}, "max_length"),
        (GreedyDecodingStrategy, {"max_length": 0}, "max_length"),
        (GreedyDecodingStrategy, {"max_length": 2.5}, "max_length"),
        (GreedyDecodingStrategy, {"max_length": None}, "max_length"),
        (SamplingDecodingStrategy, {"temperature": -1}, "temperature"),
        (SamplingDecodingStrategy, {"temperature": math.nan}, "temperature"),
        (SamplingDecodingStrategy, {"temperature": "hot"}, "temperature"),
        (SamplingDecodingStrategy, {"top_k": -1}, "top_k"),
        (SamplingDecodingStrategy, {"top_k": 101}, "top_k"),
        (SamplingDecodingStrategy, {"top_p": 0}, "top_p"),
        (SamplingDecodingStrategy, {"top_p": 1.1}, "top_p"),
        *[(SamplingDecodingStrategy, {"min_p": value}, "min_p") for value in (-0.1, 1.1, math.nan, "low")],
        *[(SamplingDecodingStrategy, {"typical_p": value}, "typical_p") for value in (0, 1.1, math.nan, None)],
        (SamplingDecodingStrategy, {"seed": -1}, "seed"),
        (SamplingDecodingStrategy, {"seed": "x"}, "seed"),
        (BeamDecodingStrategy, {"beam_size": 0}, "beam_size"),
        (BeamDecodingStrategy, {"beam_size": 33}, "beam_size"),
        (BeamDecodingStrategy, {"beam_size": 3, "n_best": 4}, "n_best"),
        (BeamDecodingStrategy, {"length_penalty": -1}, "length_penalty"),
    ],
)
def test_bad_arguments_are_named(strategy, arguments, named, model):
    with pytest.raises(ArgumentError) as error:
        strategy(model).decode(prefixes("oh"), **arguments)
    assert str(error.value).startswith(f"{named} must be") and "got" in str(error.value)


@pytest.mark.parametrize(
    "start",
    [
        Hypothesis(torch.tensor([1, 2])),
        Hypothesis(torch.zeros(0, 3, dtype=torch.long)),
        Hypothesis(torch.tensor([[1, 2]]), lengths=torch.tensor([3])),
        Hypothesis(torch.tensor([[1, 2]]), lengths=torch.tensor([1, 1])),
        Hypothesis(torch.tensor([[1, 101]])),
        Hypothesis(torch.tensor([[-1, 1]])),
    ],
)
def test_a_hypothesis_that_cannot_be_is_refused(start, model):
    with pytest.raises(ArgumentError, match="^(token_ids|lengths) must"):
        GreedyDecodingStrategy(model).decode(start, max_length=5)
