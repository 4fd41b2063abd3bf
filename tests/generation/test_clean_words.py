"""Listed words are kept out of every strategy's text; the prefix is left alone."""

import pytest

from lyricgen.errors import ArgumentError
from lyricgen.generation.api import generate_lyrics, make_request
from lyricgen.generation.clean_words import CleanWords, listed_words, plain_word, read_word_list
from lyricgen.generation.request import GenerationRequest
from lyricgen.generation.scheduler import stream_together
from lyricgen.generation.settings import GenerationSettings
from lyricgen.models.networks import CharacterModel


def write(model: CharacterModel, words: frozenset[str], prefix: str = "", **settings) -> str:
    request = GenerationRequest(model, prefix, GenerationSettings(clean_words=True, **settings), strong_words=words)
    *_, (output,) = stream_together([request])
    return output.text


@pytest.mark.parametrize("strategy", ["sample", "greedy", "beam"])
def test_no_listed_word_is_written_by_any_strategy(strategy):
    settings = {"model": "vanilla-rnn", "strategy": strategy, "max_length": 150, "seed": 5}
    free = generate_lyrics("the night ", **settings)
    words = frozenset(plain_word(word) for word in free.split()[2:])
    request = make_request("the night ", **settings)
    clean = write(request.model, words, "the night ", strategy=strategy, max_length=150, seed=5)
    assert listed_words(free[10:], words) and len(clean) == 150
    assert listed_words(clean[10:], words) == []


def test_off_by_default_and_the_same_text_where_no_word_is_listed():
    settings = {"model": "vanilla-rnn", "max_length": 80, "seed": 5}
    assert GenerationSettings().clean_words is False
    free = make_request("the night ", **settings)
    assert free.clean_words is None
    assert write(free.model, frozenset(["qzqz"]), "the night ", max_length=80, seed=5) == generate_lyrics(
        "the night ", **settings
    )


def test_the_words_of_the_prefix_are_left_alone():
    guard = CleanWords(frozenset(["rain"]), typed_word="rain")
    state = guard.after(guard.start, "rain and ")
    assert not guard.rejects(state)
    after_own = guard.after(state, "rain ")
    assert not guard.rejects(after_own) and guard.rejects(guard.after(after_own, "Rain's "))
    assert guard.after(after_own, "sun ") == after_own and guard.after(after_own, "  ") == after_own


def test_two_listed_words_in_a_row_are_two_states():
    guard = CleanWords(frozenset(["rain"]))
    state = guard.after(guard.after(guard.start, ""), "rain ")
    assert guard.rejects(state) and guard.after(state, "rain ") != state


def test_a_list_is_a_file_with_its_source_and_can_be_replaced(tmp_path):
    bundled = read_word_list()
    assert 100 < len(bundled) < 1_000
    own = tmp_path / "own.txt"
    own.write_text("# mine\nRain\nsun's\n", encoding="utf-8")
    assert read_word_list(own) == {"rain", "sun"}
    marked = tmp_path / "marked.txt"
    marked.write_text("# mine\nrain\n", encoding="utf-8-sig")
    assert read_word_list(marked) == {"rain"}
    for name, content in (("two.txt", b"two words\n"), ("binary.txt", b"\xff\xfe\x00")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ArgumentError, match=name):
            read_word_list(tmp_path / name)
    with pytest.raises(ArgumentError, match="no-such"):
        read_word_list(tmp_path / "no-such.txt")


@pytest.mark.parametrize("value", [3, None, "maybe", "", [True]])
def test_anything_but_a_switch_is_refused(value):
    with pytest.raises(ArgumentError, match="clean_words must be on or off"):
        make_request("", model="vanilla-rnn", clean_words=value)
    assert make_request("", model="vanilla-rnn", clean_words="on").settings.clean_words is True
