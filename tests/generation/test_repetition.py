"""DRY: penalties by definition, and lyrics without loops by every strategy, alone and in company."""

import random
from dataclasses import replace

import pytest
import torch
from timing import cpu_ratio

from lyricgen.errors import ArgumentError
from lyricgen.generation.api import generate_lyrics, make_request, write_together
from lyricgen.generation.decoding import BeamDecodingStrategy, Hypothesis, subtract_penalties
from lyricgen.generation.repetition import (
    ALLOWED_LENGTH,
    BARRIER,
    BASE,
    MAX_MATCH,
    MAX_MATCHES,
    labels_to_history,
    repeat_penalties,
)
from lyricgen.generation.scheduler import ContinuousBatch, stream_together
from lyricgen.models.loading import load_model
from lyricgen.models.vocabulary import OOV_LABEL, character_to_label, string_to_labels

LINE = "the kettle hums a tune "


def by_definition(history: str, strength: float) -> dict[int, float]:
    """The penalties by comparing every earlier position with the end."""
    penalties: dict[int, float] = {}
    for end in range(1, len(history)):
        length = 0
        while length < end and BARRIER != history[end - length - 1] == history[-length - 1]:
            length += 1
        label = character_to_label(history[end])
        if length >= ALLOWED_LENGTH and history[end] != BARRIER:
            value = strength * BASE ** (min(length, MAX_MATCH) - ALLOWED_LENGTH)
            penalties[label] = max(value, penalties.get(label, 0.0))
    return penalties


def distinct_word_groups(text: str) -> float:
    """Distinct groups of four words, as a share of all."""
    words = text.split()
    groups = list(zip(*(words[start:] for start in range(4)), strict=False))
    return len(set(groups)) / len(groups)


@pytest.mark.parametrize("letters", ["ab", "abc ", f"abcdefghijklmno {BARRIER}"])
def test_penalties_are_those_of_the_definition(letters):
    random.seed(5)
    found = 0
    for _ in range(300):
        text = "".join(random.choices(letters, k=60))
        part = random.randrange(40)
        history = text + text[part : part + random.randrange(9, 30)]
        penalties = repeat_penalties(history, 0.6)
        assert penalties == pytest.approx(by_definition(history, 0.6))
        found += bool(penalties)
    assert found > 50


def test_a_repetition_of_less_than_the_allowed_length_is_free():
    history = "the lighthouse and the light"
    assert repeat_penalties(history, 1.0) == {}
    assert repeat_penalties("a moon over, a moon ove", 1.0) == {character_to_label("r"): 1.0}


def test_the_longest_match_of_a_character_counts_and_each_continuation_has_its_own():
    history = "in the morning sun, in the morning rain, all in the morning "
    assert repeat_penalties(history, 1.0) == pytest.approx(
        {character_to_label("s"): BASE**5, character_to_label("r"): BASE**6}
    )


def test_a_long_loop_costs_no_more_than_a_short_one():
    short, long = ("a" * length for length in (200, 5_000))
    assert repeat_penalties(long, 1.0) == {character_to_label("a"): BASE ** (MAX_MATCH - ALLOWED_LENGTH)}
    assert (
        cpu_ratio(
            lambda: [repeat_penalties(long, 1.0) for _ in range(50)],
            lambda: [repeat_penalties(short, 1.0) for _ in range(50)],
        )
        < 3
    )
    assert MAX_MATCHES < 200


def test_characters_outside_the_vocabulary_are_no_repetition():
    labels = [*string_to_labels("over the "), OOV_LABEL, *string_to_labels("over the "), OOV_LABEL]
    history = labels_to_history(labels)
    assert history == f"over the {BARRIER}over the {BARRIER}"
    assert repeat_penalties(history, 1.0) == {}


def test_penalties_are_subtracted_row_by_row():
    logits = torch.zeros(3, 4)
    assert subtract_penalties(logits, {0: {}, 2: {}}) is logits
    expected = [[0, 0, 0, 0], [0, -1.5, 0, -2], [-1, 0, 0, 0]]
    assert subtract_penalties(logits, {1: {1: 1.5, 3: 2.0}, 2: {0: 1.0}}).tolist() == expected
    assert not logits.any()


@pytest.mark.parametrize("strategy", ["greedy", "beam", "sample"])
def test_lyrics_loop_without_it_and_not_with_it(strategy):
    settings = {"model": "vanilla-rnn", "strategy": strategy, "temperature": 0.1, "max_length": 250, "seed": 1}
    loops, without = (distinct_word_groups(generate_lyrics("we are ", dry=dry, **settings)) for dry in (0, 1))
    assert loops < 0.7 and without > 0.9


def test_a_prefix_counts_as_text():
    settings = {"model": "vanilla-rnn", "strategy": "greedy", "max_length": 140}
    prefix = LINE * 4 + LINE[:-6]
    assert generate_lyrics(prefix, dry=5, **settings)[len(prefix)] != LINE[-6]


def test_the_same_seed_the_same_text_alone_in_company_and_in_a_running_batch():
    model = load_model("vanilla-rnn")
    requests = [
        make_request(
            "we are " * (number % 3),
            model=model,
            strategy=["sample", "greedy"][number % 2],
            temperature=0.3,
            dry=[0.6, 0, 2][number % 3],
            max_copied_words=[0, 4][number % 4 // 2],
            max_length=100 + 10 * number,
            seed=number,
        )
        for number in range(12)
    ]
    alone = [write_together([request])[0] for request in requests]
    assert write_together(requests) == alone
    batch = ContinuousBatch(model, max_size=5)
    *_, outputs = stream_together([replace(request, batch=batch) for request in requests], every=1.0)
    batch.close()
    assert [output.text for output in outputs] == alone


def test_every_beam_is_penalized_by_its_own_text():
    model = load_model("vanilla-rnn")
    start = make_request("we are ", model=model)
    prefix = torch.tensor([start.labels])
    plain, dry = (
        BeamDecodingStrategy(model).decode(Hypothesis(prefix), max_length=150, beam_size=3, n_best=3, dry=strength)
        for strength in (0.0, 1.0)
    )
    assert not torch.equal(plain[0].token_ids, dry[0].token_ids)
    for hypothesis in dry:
        labels = hypothesis.token_ids[0].tolist()
        log_probs = hypothesis.logits[0].float().log_softmax(-1)
        total = sum(
            float(log_probs[at, labels[at]]) - repeat_penalties(labels_to_history(labels[:at]), 1.0).get(labels[at], 0)
            for at in range(prefix.shape[1], len(labels))
        )
        assert float(hypothesis.log_probs) == pytest.approx(total, abs=1e-2)


@pytest.mark.parametrize("strength", [-0.1, 5.1, "much", float("nan")])
def test_a_strength_out_of_range_is_refused(strength):
    with pytest.raises(ArgumentError, match="^dry must be a number from 0 to 5"):
        generate_lyrics(model="vanilla-rnn", dry=strength)
