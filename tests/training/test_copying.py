"""What sampled lyrics copied: planted runs, found to the letter and to the word; lyrics sampled of each artist in turn."""

import numpy as np
import pytest
import pytorch_lightning as pl
import torch

from lyricgen import (
    DataError,
    ImprovedSeqModel,
    Song,
    VanillaRNN,
    encode,
    encode_corpus,
    measure_originality,
    token_ids_to_str,
)
from lyricgen.training.copying import (
    as_corpus,
    copied_characters,
    copied_words,
    index_corpus,
    longest_copied_run,
    measure_copying,
    sample_songs,
)

SONGS = ("the fox hums to the quiet pond", "my kettle sings at nine", "0123456789" * 8)


@pytest.fixture
def train(tmp_path):
    """Three songs, of which the last has 80 digits."""
    return encode_corpus([Song(text, "Ann") for text in SONGS], tmp_path / "train")


def longest(train, *texts: str) -> int:
    return longest_copied_run(as_corpus([encode(text) for text in texts]), train)


# The longest run


@pytest.mark.parametrize(
    ("texts", "characters"),
    [
        (["XXhums to theZZ"], 11),  # 'hums to the'
        (["hums to theZZ"], 11),  # at the start
        (["XXhums to the"], 11),  # at the end
        (["XXhums Zto theX"], 6),  # 'to the' is longer than 'hums '
        (["QQQQ", "XXkettleX", "WWWsings at nine"], 13),  # of three texts the last has most: 'sings at nine'
        (["k"], 1),
        (["QWERTY"], 0),  # the songs are in lower case
        (["QWERTY", ""], 0),
        ([""], 0),
    ],
)
def test_a_planted_run_is_measured_to_the_letter(texts, characters, train):
    assert longest(train, *texts) == characters


@pytest.mark.parametrize("text", SONGS)
def test_a_song_copied_whole_is_as_long_as_it_is(text, train):
    assert longest(train, text) == len(text)
    assert longest(train, f"X{text}X") == len(text)
    assert longest(train, text, "Q" * 200) == len(text)
    assert longest(train, text[:9], text) == longest(train, text, text[:9]) == len(text)


def test_a_run_across_the_border_of_two_songs_or_texts_is_none(train):
    across = SONGS[0][-5:] + SONGS[1][:6]  # ' pond' and 'my ket'
    assert longest(train, across) == 6
    assert longest(train, SONGS[1][:11], SONGS[1][11:]) == 12  # 'my kettle s' and 'ings at nine' are two texts


def test_it_is_what_a_search_letter_by_letter_finds(train):
    generator = np.random.default_rng(3)
    for _ in range(40):
        text = "".join(generator.choice(list("to hequi"), 30))
        runs = (text[start:stop] for start in range(30) for stop in range(start + 1, 31))
        expected = max((len(run) for run in runs if any(run in song for song in SONGS)), default=0)
        assert longest(train, text) == expected


def test_texts_as_a_corpus_are_the_texts():
    corpus = as_corpus([encode("abc"), encode(""), encode("de")])
    assert [token_ids_to_str(corpus.song(index)) for index in range(len(corpus))] == ["abc", "", "de"]
    assert corpus.characters == 5


# Sampled lyrics


@pytest.mark.parametrize("samples", [1, 2, 3, 7, 30])
def test_there_are_as_many_songs_of_that_length_as_asked_for(samples, tiny_model):
    songs = sample_songs(tiny_model, samples, 12)
    assert len(songs) == samples
    assert all(song.shape == (12,) and song.dtype == np.uint8 and song.max() < 100 for song in songs)


def test_the_same_seed_gives_the_same_songs_and_another_others(tiny_model):
    first, again, other = (np.stack(sample_songs(tiny_model, 6, 20, seed=seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert len({song.tobytes() for song in first}) == 6


def test_global_randomness_is_left_as_it_was(tiny_model):
    before = torch.get_rng_state()
    sample_songs(tiny_model, 3, 5)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(("samples", "counts"), [(1, [1, 0, 0]), (2, [1, 1, 0]), (3, [1, 1, 1]), (8, [3, 3, 2])])
def test_each_artist_writes_in_turn_and_none_too(samples, counts):
    """The model says nothing but its artist's letter: 'a' for Ann, 'b' for Bob, 'n' for none."""
    model = speaking_artists()
    written = [token_ids_to_str(song) for song in sample_songs(model, samples, 4, temperature=0.01)]
    assert [written.count(letter * 4) for letter in "nab"] == counts


def speaking_artists() -> VanillaRNN:
    """A model whose state is its artist's direction, and whose logits are that state's."""
    model = VanillaRNN(hidden_size=2, n_layers=1, artists=("Ann", "Bob")).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model.artist_embeddings.weight[:2] = 5 * torch.eye(2)
        model.rnn.weight_ih_l0.copy_(torch.eye(2))
        a, b, n = encode("abn")
        model.ffnn.weight[a, 0] = model.ffnn.weight[b, 1] = 10
        model.ffnn.bias[n] = 5
    return model


def test_a_model_without_artists_writes_too():
    pl.seed_everything(1, verbose=False)
    assert len(sample_songs(ImprovedSeqModel(hidden_size=8).eval(), 5, 3)) == 5


# What goes into metrics.json


def test_copied_characters_are_the_longest_run_and_the_share_with_a_long_one(tmp_path):
    train = encode_corpus([Song("b" * 70, "Bob"), Song("a" * 20, "Ann")], tmp_path / "train")
    lyrics = sample_songs(speaking_artists(), 6, 60, 0.01)
    assert copied_characters(lyrics, train) == {
        "longest_run": 60,  # of Bob's two lyrics; Ann's two have 20, and 'nnnn' occurs in no song
        "share_with_long_run": 0.3333,
        "long_run": 50,
    }
    figures = copied_characters(lyrics, train.subset([1]))
    assert (figures["longest_run"], figures["share_with_long_run"]) == (20, 0.0)


def test_a_text_shorter_than_a_long_run_has_none(tmp_path):
    train = encode_corpus([Song("b" * 40, "Bob")], tmp_path / "train")
    figures = copied_characters(sample_songs(speaking_artists(), 3, 40, 0.01), train)
    assert (figures["longest_run"], figures["share_with_long_run"]) == (40, 0.0)


def test_copied_words_are_counted_over_all_lyrics():
    """Of four lyrics one copies nine words, one five, one none, and one is of spaces."""
    texts = ["my kettle sings at nine and nobody is home", "zig my kettle sings at nine zag", "x y z x y z", "   "]
    index = index_corpus(as_corpus([encode("then my kettle sings at nine and nobody is home")]))
    assert copied_words([encode(text) for text in texts], index) == {
        "longest_run": 9,
        "share_with_run": {"5": 0.5, "8": 0.25},
        "mean_share_in_runs": round((1 + 5 / 7) / 4, 4),
    }


def test_lyrics_are_sampled_once_at_each_temperature(monkeypatch):
    train = as_corpus([encode("then my kettle sings at nine and nobody is home")])
    calls = []

    def sample(model, samples, length, temperature, seed):
        calls.append((model, samples, length, temperature, seed))
        return [encode("my kettle sings at nine")] * samples

    monkeypatch.setattr("lyricgen.training.copying.sample_songs", sample)
    figures = measure_copying("a model", train, samples=4, seed=3)
    assert calls == [("a model", 4, 300, temperature, 3) for temperature in (0.5, 0.7, 1.0)]
    how = {"samples": 4, "characters": 300, "seed": 3}
    copied = {"longest_run": 23, "share_with_long_run": 0.0, "long_run": 50, **how, "temperature": 0.7}
    words = {"longest_run": 5, "share_with_run": {"5": 1.0, "8": 0.0}, "mean_share_in_runs": 1.0}
    assert figures["copied"] == copied
    assert figures["copied_words"] == {**how, "temperatures": dict.fromkeys(("0.5", "0.7", "1"), words)}


def test_without_samples_or_words_nothing_is_measured(tiny_model):
    train = as_corpus([encode("la la")])
    assert measure_copying(tiny_model, train, samples=0) == {"copied": None, "copied_words": None}
    figures = measure_copying(tiny_model, train, samples=2)
    assert figures["copied"] and figures["copied_words"] is None


def test_a_lyric_copies_itself(tiny_model):
    [labels] = sample_songs(tiny_model, 1, 200, 1.0, 5)
    figures = copied_words([labels], index_corpus(as_corpus([labels])))
    assert figures["longest_run"] == len(token_ids_to_str(labels).split()) or figures["longest_run"] >= 5
    assert figures["share_with_run"]["5"] == 1.0


def test_a_corpus_is_indexed_as_a_model_reads_it(train):
    assert measure_originality("Hums to the quiet POND", index_corpus(train)).longest_run == 5
    unknown = as_corpus([encode("one two thr\u00e9e four five")])
    assert measure_originality("two thr e four five", index_corpus(unknown)).longest_run == 5
    with pytest.raises(DataError, match="no song has 5 words"):
        index_corpus(as_corpus([encode("one")]))


def test_the_index_of_the_training_songs_is_built_once_for_both_networks():
    corpus = as_corpus([encode("then my kettle sings at nine")])
    assert index_corpus(corpus) is index_corpus(corpus)
    assert index_corpus(as_corpus([encode("then my kettle sings at nine")])) is not index_corpus(corpus)
