"""A lyric on its way, and how it goes back from what is copied."""

import pytest
import torch

from lyricgen import Song, SongIndex, generate_lyrics, measure_originality
from lyricgen.errors import ArgumentError
from lyricgen.generation.request import make_request
from lyricgen.generation.scheduler import write_together
from lyricgen.generation.sequence import MOST_AT_FIRST, MOST_FORBIDDEN, TRIES, RowState
from lyricgen.memorization.copy_guard import CopyGuard
from lyricgen.models.vocabulary import START_LABEL, string_to_labels

SONG = "the grey heron counts the slow bells of the harbour town"
STATE = torch.zeros(1, 1, 1)


@pytest.fixture(scope="module")
def index() -> SongIndex:
    return SongIndex.build([Song(SONG, "Ann", "Heron")], asked=0)


def draft(index, prefix: str, remaining: int, words: int = 4, sampled: bool = True) -> RowState:
    """A draft whose prefix is read."""
    labels = [START_LABEL, *string_to_labels(prefix)]
    made = RowState(prefix, labels, STATE, remaining, sampled, 0, CopyGuard(index, words))
    for step in range(len(labels) - 1):
        assert made.take(0, lambda step=step: torch.full((1, 1, 1), float(step + 1))) is None
    return made


def write(made: RowState, text: str) -> list[float | None]:
    """Takes characters; what is gone back to after each."""
    sent = []
    for label in string_to_labels(text):
        back = made.take(label, lambda: torch.full((1, 1, 1), 100.0 + len(made.written)))
        sent.append(None if back is None else float(back))
    return sent


def test_the_word_that_makes_a_run_too_long_is_taken_back_to_where_it_began(index):
    made = draft(index, "the grey ", 100)
    assert write(made, "heron counts the ") == [None] * 16 + [113.0]
    assert made.text == "the grey heron counts " and made.read_next == string_to_labels(" ")[0]
    assert write(made, "a ") == [None, None]
    assert made.text == "the grey heron counts a "


def test_a_word_that_the_prefix_begins_goes_back_to_the_prefixs_end(index):
    made = draft(index, "the grey heron counts t", 100)
    assert not made.forbidden
    assert write(made, "he ") == [None, None, 23.0]
    assert made.text == "the grey heron counts t"


def test_a_longer_run_is_allowed_where_it_is_said_so(index):
    made = draft(index, "the grey ", 100, words=6)
    assert write(made, "heron counts the slow ")[-1] is None
    assert write(made, "bells ")[-1] is not None


def test_the_last_word_counts_too_though_nothing_stands_behind_it(index):
    made = draft(index, "the grey heron counts ", 3)
    assert write(made, "the")[-1] is not None
    assert not made.whole and made.text == "the grey heron counts "
    write(made, "an ")
    assert made.whole


def test_greedy_forbids_the_letter_at_once_and_sampling_after_some_tries(index):
    greedy, sampled = (draft(index, "the grey heron counts ", 100, sampled=way) for way in (False, True))
    write(greedy, "the ")
    assert list(greedy.forbidden) == string_to_labels("t")
    for _ in range(TRIES - 1):
        write(sampled, "the ")
        assert list(sampled.forbidden) == []
    write(sampled, "the ")
    assert list(sampled.forbidden) == string_to_labels("t")
    write(greedy, "a")
    assert list(greedy.forbidden) == []


def test_where_nothing_else_can_be_written_the_word_before_is_taken_back(index):
    made = draft(index, "the grey ", 100, sampled=False)
    write(made, "heron counts ")
    for _ in range(MOST_FORBIDDEN):
        write(made, "the ")
    assert made.text == "the grey heron counts "
    write(made, "the ")
    assert made.text == "the grey heron " and list(made.forbidden) == string_to_labels("c")


def test_where_there_is_no_word_before_what_is_copied_stays_in_the_end(index):
    made = draft(index, "the grey heron counts ", 100, sampled=False)
    for _ in range(MOST_AT_FIRST):
        write(made, "the ")
    assert made.text == "the grey heron counts "
    assert write(made, "the ")[-1] is None and made.text.endswith("the ")


def test_bits_go_back_with_the_words(index):
    made = draft(index, "the grey heron ", 100)
    made.bits = 0.0
    made._places[-1].bits = 0.0
    for letter in string_to_labels("counts "):
        made.take(letter, lambda: STATE, 1.0)
    for letter in string_to_labels("the "):
        made.take(letter, lambda: STATE, 5.0)
    assert made.bits == 7.0


@pytest.mark.parametrize("strategy", ["sample", "greedy"])
@pytest.mark.parametrize("words", [4, 6])
def test_no_lyric_copies_more_words_than_allowed_alone_or_beside_others(strategy, words):
    settings = {"model": "vanilla-rnn", "strategy": strategy, "temperature": 0.5, "max_length": 200}
    prefixes = ["", "i want you ", "we are ", "tell me what you "]
    free = [make_request(prefix, seed=1, **settings) for prefix in prefixes]
    assert max(measure_originality(text).longest_run for text in write_together(free)) > words
    kept = [make_request(prefix, seed=1, max_copied_words=words, **settings) for prefix in prefixes]
    texts = write_together(kept)
    assert max(measure_originality(text).longest_run for text in texts) <= words
    assert [len(text) for text in texts] == [200] * len(texts)
    assert texts == [request.text() for request in kept]  # the same seed, the same text, whoever else is there


def test_a_lyric_that_copies_nothing_is_the_one_without_a_limit():
    settings = {"model": "vanilla-rnn", "temperature": 1.3, "max_length": 120, "seed": 5}
    text = generate_lyrics("zinc kettles ", **settings)
    assert measure_originality(text).longest_run == 0
    assert generate_lyrics("zinc kettles ", max_copied_words=4, **settings) == text


@pytest.mark.parametrize("words", [3, 51, -1, 4.5, "many", float("nan")])
def test_a_limit_that_cannot_be_is_refused(words):
    with pytest.raises(ArgumentError, match="max_copied_words must be a whole number from"):
        generate_lyrics(model="vanilla-rnn", max_copied_words=words)


def test_a_beam_cannot_go_back():
    with pytest.raises(ArgumentError, match="max_copied_words must be 0 with the beam strategy"):
        generate_lyrics(model="vanilla-rnn", strategy="beam", max_copied_words=6)
