"""The memory of the song so far, against votes counted one by one."""

import json
import math

import numpy as np
import pytest

from lyricgen.models.memory import (
    MAX_ORDER,
    MIN_ORDER,
    MemoryConstants,
    Repeat,
    SongMemory,
    find_repeats,
    predict_song,
)
from lyricgen.models.vocabulary import CHARACTERS, NUM_CLASSES, OOV_LABEL, string_to_labels

CONSTANTS = MemoryConstants(exponent=4.5, slope=0.5, bias=2.0, agreement=1.5)


def test_predictions_are_those_of_votes_counted_one_by_one():
    song, network = make_song(), network_predictions(290)
    memory = SongMemory(CONSTANTS)
    for position, label in enumerate(song):
        expected = slow_prediction(song[:position], network[position])
        assert np.exp(memory.predict(network[position])) == pytest.approx(expected)
        memory.append(label)


def test_the_whole_song_is_predicted_as_label_by_label():
    song, network = make_song(), network_predictions(290)
    memory, one_by_one = SongMemory(CONSTANTS), []
    for label, log_probs in zip(song, network, strict=True):
        one_by_one.append(memory.predict(log_probs))
        memory.append(label)
    assert predict_song(song, network, CONSTANTS) == pytest.approx(np.array(one_by_one), abs=1e-5)
    assert predict_song(song[:1], network[:1], CONSTANTS).shape == (1, NUM_CLASSES)


def test_only_positions_before_a_limit_vote():
    song, network = string_to_labels("one two and one six and one "), network_predictions(1)[0]
    memory = SongMemory(CONSTANTS, song)
    assert CHARACTERS[memory.predict(network).argmax()] == "s"  # " and one " matches further than "one "
    assert CHARACTERS[memory.predict(network, before=10).argmax()] == "t"
    assert (memory.predict(network, before=3) == network).all()


def test_a_new_song_is_predicted_by_the_network_alone():
    network = network_predictions(1)[0]
    for song in ([], [5], [1, 2, 3, 1, 2]):
        assert (
            len([*song[:1], *song[-2:]]) <= MIN_ORDER
            and (SongMemory(CONSTANTS, song).predict(network) == network).all()
        )


def test_probabilities_sum_to_one_where_the_song_has_unknown_characters():
    memory, network = SongMemory(CONSTANTS, [1, 2, 3, OOV_LABEL, 1, 2, 3, 4, 1, 2, 3]), network_predictions(1)[0]
    prediction = np.exp(memory.predict(network))
    assert prediction.sum() == pytest.approx(1) and int(prediction.argmax()) == 4


def test_an_unknown_character_matches_none():
    network = network_predictions(1)[0]
    assert (SongMemory(CONSTANTS, [OOV_LABEL] * 40).predict(network) == network).all()


def test_a_song_longer_than_the_first_allocation():
    song = [1, 2, 3, 4] * 1_000
    memory = SongMemory(CONSTANTS)
    for label in song:
        memory.append(label)
    network = network_predictions(1)[0]
    assert len(memory) == 4_000 and (memory.predict(network) == SongMemory(CONSTANTS, song).predict(network)).all()
    assert int(memory.predict(network).argmax()) == 1


@pytest.mark.parametrize("value", [math.nan, math.inf, "5", None])
def test_constants_are_finite_numbers(value):
    with pytest.raises(ValueError):
        MemoryConstants(5.0, 0.5, value, 4.0)


def test_repeats_are_the_longest_runs_from_left_to_right_with_their_latest_earlier_occurrence():
    assert find_repeats(string_to_labels("abcd-abcde-abcdef"), 4) == (Repeat(5, 4, 0), Repeat(10, 6, 4))
    assert find_repeats(string_to_labels("abcdabcdabcdabcd"), 4) == (Repeat(4, 12, 0),)
    for text in ("hello there, general", "", "abab", "abcd"):
        assert find_repeats(string_to_labels(text), 4) == ()


def test_repeats_are_plain_numbers_and_cover_equal_characters():
    song = make_song()
    repeats = find_repeats(song)
    assert repeats and json.dumps([vars(repeat) for repeat in repeats])
    for repeat in repeats:
        run = song[repeat.start : repeat.start + repeat.length]
        assert repeat.earlier < repeat.start and song[repeat.earlier : repeat.earlier + repeat.length] == run


def make_song() -> list[int]:
    """290 labels of four kinds, one of them unknown, with a repeated section."""
    song = np.random.default_rng(0).choice([1, 2, 3, OOV_LABEL], p=[0.5, 0.3, 0.19, 0.01], size=300).tolist()
    return [*song[:140], *song[20:90], *song[220:]]


def network_predictions(characters: int) -> np.ndarray:
    return np.log(np.random.default_rng(1).dirichlet(np.ones(NUM_CLASSES), size=characters))


def slow_prediction(song: list[int], network: np.ndarray) -> np.ndarray:
    votes = np.zeros(NUM_CLASSES)
    for position, label in enumerate(song):
        match = 0
        while match < min(position, MAX_ORDER) and song[position - 1 - match] == song[-1 - match] != OOV_LABEL:
            match += 1
        if match >= MIN_ORDER and label != OOV_LABEL:
            votes[label] += (match / MAX_ORDER) ** CONSTANTS.exponent
    total = votes.sum()
    if not total:
        return np.exp(network)
    share = votes / total
    logit = CONSTANTS.slope * math.log(total) + CONSTANTS.bias + CONSTANTS.agreement * share.max()
    weight = 1 / (1 + math.exp(-logit))
    return weight * share + (1 - weight) * np.exp(network)
