"""RowState: one sequence in progress, its guards, and how it backtracks."""

import inspect
import textwrap
from collections.abc import Collection
from dataclasses import replace

import pytest
import torch

from lyricgen import Song, SongIndex, VanillaRNN, generate_lyrics, measure_originality
from lyricgen.errors import ArgumentError
from lyricgen.generation.api import make_request, write_together
from lyricgen.generation.guard import Guard
from lyricgen.generation.request import GenerationRequest
from lyricgen.generation.sequence import MAX_BANNED, MAX_BANNED_AT_START, RESAMPLES_PER_WORD, RowState
from lyricgen.generation.settings import GenerationSettings
from lyricgen.memorization.copy_guard import CopyGuard
from lyricgen.models.vocabulary import CHARACTERS, START_LABEL, string_to_labels

SONG = "the grey heron counts the slow bells of the harbour town"
STATE = torch.zeros(1, 1, 1)
MODEL = VanillaRNN(hidden_size=4).eval()


@pytest.fixture(scope="module")
def index() -> SongIndex:
    return SongIndex.build([Song(SONG, "Ann", "Heron")], asked=0)


def start_row(index, prefix: str, remaining: int, words: int = 4, sampled: bool = True, guards=(), **more) -> RowState:
    """A sequence after its prompt is read, with a copy guard and more guards."""
    settings = GenerationSettings(
        strategy="sample" if sampled else "greedy", max_length=len(prefix) + remaining, seed=0
    )
    request = GenerationRequest(MODEL, prefix, settings, (CopyGuard(index, words), *guards))
    labels = [START_LABEL, *string_to_labels(prefix)]
    row = RowState(request, labels, STATE, **more)
    for step in range(len(labels) - 1):
        assert row.append(0, lambda step=step: torch.full((1, 1, 1), float(step + 1))) is None
    return row


def write(row: RowState, text: str, bits: float = 0.0) -> list[float | None]:
    """Appends characters; returns the state that was backtracked to after each."""
    states = []
    for label in string_to_labels(text):
        state = row.append(label, lambda: torch.full((1, 1, 1), 100.0 + len(row.output)), bits)
        states.append(None if state is None else float(state))
    return states


def test_the_word_that_makes_a_run_too_long_is_taken_back_to_where_it_began(index):
    row = start_row(index, "the grey ", 100)
    assert write(row, "heron counts the ") == [None] * 16 + [113.0]
    assert row.text == "the grey heron counts " and row.read_next == string_to_labels(" ")[0]
    assert write(row, "a ") == [None, None]
    assert row.text == "the grey heron counts a "


def test_a_word_that_the_prefix_begins_goes_back_to_the_prefixs_end(index):
    row = start_row(index, "the grey heron counts t", 100)
    assert not row.banned_labels()
    assert write(row, "he ") == [None, None, 23.0]
    assert row.text == "the grey heron counts t"


def test_a_longer_run_is_allowed_where_it_is_said_so(index):
    row = start_row(index, "the grey ", 100, words=6)
    assert write(row, "heron counts the slow ")[-1] is None
    assert write(row, "bells ")[-1] is not None


def test_the_last_word_counts_too_though_nothing_follows_it(index):
    row = start_row(index, "the grey heron counts ", 3)
    assert write(row, "the")[-1] is not None
    assert not row.finished and row.text == "the grey heron counts "
    write(row, "an ")
    assert row.finished


def test_greedy_forbids_the_letter_at_once_and_sampling_after_some_tries(index):
    greedy, sampled = (start_row(index, "the grey heron counts ", 100, sampled=way) for way in (False, True))
    write(greedy, "the ")
    assert set(greedy.banned_labels()) == set(string_to_labels("t"))
    for _ in range(RESAMPLES_PER_WORD - 1):
        write(sampled, "the ")
        assert set(sampled.banned_labels()) == set()
    write(sampled, "the ")
    assert set(sampled.banned_labels()) == set(string_to_labels("t"))
    write(greedy, "a")
    assert set(greedy.banned_labels()) == set()


def test_where_nothing_else_can_be_written_the_word_before_is_taken_back(index):
    row = start_row(index, "the grey ", 100, sampled=False)
    write(row, "heron counts ")
    for _ in range(MAX_BANNED):
        write(row, "the ")
    assert row.text == "the grey heron counts "
    write(row, "the ")
    assert row.text == "the grey heron " and set(row.banned_labels()) == set(string_to_labels("c"))


def guard_of_the_documentation() -> type:
    """The class BannedWord, as the protocol's docstring shows it."""
    lines = inspect.cleandoc(Guard.__doc__).splitlines()
    code = [line for line in lines if line.startswith("    ") or not line]
    namespace = {"Collection": Collection, "model": MODEL, "GenerationRequest": GenerationRequest}
    exec(textwrap.dedent("\n".join(code)), namespace)
    return namespace["BannedWord"]


BannedWord = guard_of_the_documentation()


class BannedLetters(BannedWord):
    """A guard that bans letters, in the first of all words or everywhere."""

    def __init__(self, letters: str):
        self.labels = string_to_labels(letters)

    def after(self, state: bool, text: str) -> bool:
        return state

    def banned_labels(self, state: bool, partial_word: str) -> list[int]:
        return self.labels if len(partial_word) < 3 else []


def row_without_prefix() -> RowState:
    """A sequence without a prefix, and a guard that rejects the word rain."""
    request = GenerationRequest(MODEL, "", GenerationSettings(seed=0), (BannedWord("rain"),))
    return RowState(request, [START_LABEL], STATE, measured=True)


def test_two_guards_each_reject_their_own_and_keep_their_states_at_every_point(index):
    row = start_row(index, "the grey ", 100, guards=[BannedWord("rain")])
    assert write(row, "rain ")[-1] == 9.0 and row.output == ""
    assert write(row, "heron counts the ")[-1] == 113.0 and row.text == "the grey heron counts "
    assert write(row, "rain ")[-1] == 113.0
    assert write(row, "the ")[-1] == 113.0
    assert write(row, "a ")[-1] is None and row.text == "the grey heron counts a "


def test_labels_that_guards_ban_join_those_of_the_backtrack_point(index):
    row = start_row(
        index, "the grey heron counts ", 100, sampled=False, guards=[BannedLetters("xy"), BannedLetters("yz")]
    )
    assert set(row.banned_labels()) == set(string_to_labels("xyz"))
    write(row, "the ")
    assert set(row.banned_labels()) == set(string_to_labels("txyz"))
    write(row, "abc")
    assert set(row.banned_labels()) == set()


def test_some_label_can_always_be_chosen(index):
    row = start_row(index, "the grey heron counts ", 100, sampled=False, guards=[BannedLetters(CHARACTERS)])
    assert not row.banned_labels()
    write(row, "the ")
    assert set(row.banned_labels()) == set(string_to_labels("t"))


def test_a_second_guard_holds_in_lyrics_of_a_model_beside_the_copy_guard():
    free = [
        make_request("we are ", model="vanilla-rnn", seed=seed, max_copied_words=4, max_length=120) for seed in range(3)
    ]
    common = max("the", "you", "i", key=lambda word: sum(text.split().count(word) for text in write_together(free)))
    guarded = [replace(request, guards=(*request.guards, BannedWord(common))) for request in free]
    texts = write_together(guarded)
    assert not any(common in text.split() for text in texts)
    assert max(measure_originality(text).longest_run for text in texts) <= 4
    assert texts == [write_together([request])[0] for request in guarded]


def test_guards_and_beam_search_exclude_each_other():
    with pytest.raises(ArgumentError, match="guards must be left out with the beam strategy"):
        GenerationRequest(MODEL, settings=GenerationSettings(strategy="beam"), guards=(BannedWord("rain"),))


def test_where_there_is_no_word_before_what_is_copied_stays_in_the_end(index):
    row = start_row(index, "the grey heron counts ", 100, sampled=False)
    for _ in range(MAX_BANNED_AT_START):
        write(row, "the ")
    assert row.text == "the grey heron counts "
    assert write(row, "the ")[-1] is None and row.text.endswith("the ")


@pytest.mark.parametrize("prefix", ["the grey heron ", "zig "])
def test_bits_go_back_with_the_words(index, prefix):
    row = start_row(index, prefix, 100, measured=True)
    write(row, "the grey heron counts "[len(prefix) if prefix.startswith("the") else 0 :], bits=1.0)
    before = row.bits
    write(row, "the ", bits=5.0)
    assert row.bits == before == len(row.output)


def test_bits_still_count_after_backtracking_to_an_empty_prefix():
    row = row_without_prefix()
    assert write(row, "rain ", bits=2.0)[-1] is not None
    assert row.output == "" and row.bits == 0.0
    write(row, "sun", bits=2.0)
    assert row.bits == 6.0


@pytest.mark.parametrize("strategy", ["sample", "greedy"])
@pytest.mark.parametrize("words", [4, 6])
def test_no_lyric_copies_more_words_than_allowed_alone_or_beside_others(strategy, words):
    settings = {"model": "vanilla-rnn", "strategy": strategy, "temperature": 0.5, "max_length": 200}
    prefixes = ["", "i want you ", "we are ", "tell me what you "]
    free = [make_request(prefix, seed=2, **settings) for prefix in prefixes]
    assert max(measure_originality(text).longest_run for text in write_together(free)) > words
    kept = [make_request(prefix, seed=2, max_copied_words=words, **settings) for prefix in prefixes]
    texts = write_together(kept)
    assert max(measure_originality(text).longest_run for text in texts) <= words
    assert [len(text) for text in texts] == [200] * len(texts)
    assert texts == [
        write_together([request])[0] for request in kept
    ]  # the same seed, the same text, alone and in company


def test_a_lyric_that_copies_nothing_is_the_one_without_a_limit():
    settings = {"model": "vanilla-rnn", "temperature": 1.3, "max_length": 120, "seed": 5}
    text = generate_lyrics("zinc kettles ", **settings)
    assert measure_originality(text).longest_run == 0
    assert generate_lyrics("zinc kettles ", max_copied_words=4, **settings) == text


@pytest.mark.parametrize("words", [2, 3, 51, 99, -1, 4.5, "many", float("nan")])
def test_a_limit_that_cannot_be_is_refused(words):
    with pytest.raises(ArgumentError) as caught:
        generate_lyrics(model="vanilla-rnn", max_copied_words=words)
    assert str(caught.value) == f"max_copied_words must be 0 or a whole number from 4 to 50, got {words!r}"


def test_a_beam_cannot_go_back():
    with pytest.raises(ArgumentError, match="max_copied_words must be 0 with the beam strategy"):
        generate_lyrics(model="vanilla-rnn", strategy="beam", max_copied_words=6)
