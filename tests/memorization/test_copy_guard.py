"""Keeping a text from copying: the run that ends at each word, back to an earlier word, and a limit that is held."""

import numpy as np
import pytest
import torch
from timing import cpu_ratio

from lyricgen import ArgumentError, CopyGuard, CopyState, Song, SongIndex, load_model, measure_originality
from lyricgen.generation.fast_stepper import FastStepper
from lyricgen.memorization.song_index import bundled_index
from lyricgen.models.vocabulary import is_word_character, trailing_partial_word

FOX = "the fox hums to the quiet pond and the heron answers with a single reed"
SONGS = [Song(FOX, "Ann", "Pond"), Song("at dawn the fox hums to the quiet owl"), Song("oh " * 7 + "what a morning")]


@pytest.fixture(scope="module")
def index():
    return SongIndex.build(SONGS, asked=0)


def runs(guard, text: str) -> list[int]:
    """The run that ends at each word."""
    state, lengths = guard.start, []
    for word in text.split():
        state = guard.after(state, word)
        lengths.append(state.run)
    return lengths


def test_a_run_grows_from_its_fifth_word_on_and_ends_with_the_song(index):
    guard = CopyGuard(index, 6)
    assert runs(guard, "fox HUMS, to the quiet pond. and zig zag") == [0, 0, 0, 0, 5, 6, 7, 0, 0]
    assert runs(guard, "at dawn the fox hums to the quiet pond and the") == [0, 0, 0, 0, 5, 6, 7, 8, 7, 8, 9]
    assert runs(guard, "oh " * 10) == [0, 0, 0, 0, 5, 6, 7, 7, 7, 7]


@pytest.mark.parametrize("most", [4, 5, 8, 13, 14, 50])
def test_it_tells_when_a_run_is_longer_than_allowed(most, index):
    guard, state, exceeded = CopyGuard(index, most), CopyGuard.start, []
    for word in FOX.split():
        state = guard.after(state, word)
        exceeded.append(guard.rejects(state))
    assert exceeded == [number > max(most, 4) for number in range(1, 16)]


def test_going_back_to_an_earlier_word_is_going_on_from_its_state(index):
    guard = CopyGuard(index, 5)
    before = guard.after(guard.start, "the fox hums to the")
    kept = CopyState(before.words, dict(before.runs), before.grams)
    assert guard.rejects(guard.after(before, "quiet")) and not guard.rejects(guard.after(before, "loud"))
    assert before == kept
    assert guard.after(before, "quiet") == guard.after(before, "quiet")


def test_a_text_may_come_in_any_pieces_that_end_with_a_word(index):
    guard = CopyGuard(index, 5)
    whole = guard.after(guard.start, FOX)
    in_words = guard.start
    for word in FOX.split():
        in_words = guard.after(in_words, f"{word}, ")
    assert whole == in_words == guard.after(guard.after(guard.start, FOX[:20]), FOX[20:]) and whole.run == 15
    assert guard.after(whole, " -- \n") == whole
    assert guard.after(guard.start, "re-start") == guard.after(guard.after(guard.start, "re"), "START")


def test_a_text_that_grows_letter_by_letter_is_told_word_by_word(index):
    guard, state, word = CopyGuard(index, 5), CopyGuard.start, ""
    text = f"Zig, {FOX.upper()}'s end; re-start\n"
    for letter in text:
        word += letter
        if not is_word_character(letter):
            state, word = guard.after(state, word), ""
    assert state == guard.after(guard.start, text) and word == ""
    assert [trailing_partial_word(text) for text in ("the riv", "don't", "rock-n", "ri\u2019", "sea ", "sea.", "")] == [
        "riv", "don't", "n", "ri\u2019", "", "", "",
    ]  # fmt: skip


def test_the_longest_of_its_runs_is_the_longest_run_of_the_text():
    rng = np.random.default_rng(12)
    for _ in range(80):
        index = SongIndex.build([Song(" ".join(rng.choice(list("ab"), 25))) for _ in range(3)], asked=0)
        text = " ".join(rng.choice(list("ab"), 40))
        assert max(runs(CopyGuard(index, 4), text)) == measure_originality(text, index).longest_run


def test_a_writer_that_takes_back_what_exceeds_never_copies_more():
    """It draws words after those of a song and, where one is too much, another: what comes out keeps the limit."""
    rng = np.random.default_rng(3)
    songs = [rng.choice(list("abc"), 60).tolist() for _ in range(4)]
    index = SongIndex.build([Song(" ".join(song)) for song in songs], asked=0)
    for most in (4, 6, 9):
        guard, state, text = CopyGuard(index, most), CopyGuard.start, []
        while len(text) < 60:
            word = rng.choice(list("abcdef"), p=[0.3, 0.3, 0.3, 0.04, 0.03, 0.03])
            after = guard.after(state, word)
            if not guard.rejects(after):
                state = after
                text.append(word)
        assert measure_originality(" ".join(text), index).longest_run <= most


@pytest.mark.parametrize("most", [3, 51, 5.5, "many", None, float("nan"), True])
def test_a_limit_that_cannot_be_is_refused(most, index):
    with pytest.raises(ArgumentError, match="max_copied_words must be a whole number from 4 to 50"):
        CopyGuard(index, most)


def test_checking_a_word_takes_less_than_a_quarter_of_a_character_of_the_lstm():
    guard, stepper = CopyGuard(bundled_index(), 6), FastStepper.of(load_model("lstm"))
    words = ["i", "don't", "know", "what", "to", "do", "about", "you", "and", "me", "in", "the", "velvet", "garden"]

    def check_words() -> None:
        state = CopyGuard.start
        for word in words:
            state = guard.after(state, word)
            guard.rejects(state)

    with torch.inference_mode():
        _, hidden = stepper.read(torch.tensor([[1, 2]]), torch.tensor([2]))
        labels = torch.tensor([1])
        assert cpu_ratio(check_words, lambda: [stepper.step(labels, hidden) for _ in words], repeats=20) < 0.25
