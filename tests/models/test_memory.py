"""The memory of the song so far, against counts made one by one."""

import numpy as np
import pytest

from lyricgen.models.memory import MAX_ORDER, Match, MemoryConstants, SongMemory
from lyricgen.models.vocabulary import NUM_CLASSES, OOV_LABEL, string_to_labels

CONSTANTS = MemoryConstants(tuple(np.linspace(0.9, 0.3, MAX_ORDER)), tuple(np.linspace(2, 0.05, MAX_ORDER)))


def test_predictions_are_those_of_counts_made_one_by_one():
    memory, song, network = SongMemory(CONSTANTS), make_song(), network_prediction()
    for position, label in enumerate(song):
        assert np.exp(memory.predict(network)) == pytest.approx(slow_prediction(song[:position], network))
        memory.append(label)


def test_a_new_song_is_predicted_by_the_network_alone():
    network = network_prediction()
    assert (SongMemory(CONSTANTS).predict(network) == network).all()
    assert (SongMemory(CONSTANTS, [5]).predict(network) == network).all()


def test_probabilities_sum_to_one_where_the_song_has_unknown_characters():
    memory, network = SongMemory(CONSTANTS, [1, OOV_LABEL, 1, 2, 1]), network_prediction()
    assert np.exp(memory.predict(network)).sum() == pytest.approx(1)


def test_the_match_is_the_longest_and_of_these_the_latest():
    memory = SongMemory(CONSTANTS, string_to_labels("la la oh la la"))
    assert memory.match == Match(start=0, length=5)
    memory.append(string_to_labels("h")[0])
    assert memory.match == Match(start=7, length=1)
    memory.append(string_to_labels("z")[0])
    assert memory.match is None


def test_an_unknown_character_matches_none():
    memory = SongMemory(CONSTANTS, [OOV_LABEL, OOV_LABEL])
    assert memory.match is None


def test_a_truncated_memory_equals_one_that_never_read_further():
    song, network = make_song(), network_prediction()
    memory, other = SongMemory(CONSTANTS, song), SongMemory(CONSTANTS, song[:100])
    memory.truncate(100)
    assert len(memory) == 100
    for label in song[40:80]:
        assert (memory.predict(network) == other.predict(network)).all()
        assert memory.match == other.match
        memory.append(label)
        other.append(label)


def test_a_song_longer_than_the_first_allocation():
    song = [1, 2, 3, 4] * 1_000
    memory = SongMemory(CONSTANTS)
    for label in song:
        memory.append(label)
    assert memory.match == SongMemory(CONSTANTS, song).match == Match(4_000 - 4 - MAX_ORDER, MAX_ORDER)
    assert int(memory.predict(network_prediction()).argmax()) == 1


def make_song() -> list[int]:
    """300 labels of four kinds, one of them unknown, with a repeated section."""
    song = np.random.default_rng(0).choice([1, 2, 3, OOV_LABEL], p=[0.5, 0.3, 0.19, 0.01], size=300).tolist()
    return [*song[:150], *song[20:90], *song[220:]]


def network_prediction() -> np.ndarray:
    return np.log(np.random.default_rng(1).dirichlet(np.ones(NUM_CLASSES)))


def slow_prediction(song: list[int], network: np.ndarray) -> np.ndarray:
    prediction = np.exp(network)
    for order, discount, strength in zip(range(1, len(song)), CONSTANTS.discounts, CONSTANTS.strengths, strict=False):
        context = song[-order:]
        if OOV_LABEL in context:
            break
        positions = [position for position in range(order, len(song)) if song[position - order : position] == context]
        followers = [song[position] for position in positions if song[position] != OOV_LABEL]
        if followers:
            counts = np.bincount(followers, minlength=NUM_CLASSES)
            share = (strength + discount * (counts > 0).sum()) * prediction
            prediction = (np.maximum(counts - discount, 0) + share) / (counts.sum() + strength)
    return prediction
