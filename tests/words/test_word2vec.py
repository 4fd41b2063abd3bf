"""Word2Vec on songs: what counts as a word, what has a vector, and which words are near."""

import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lyricgen import DataError, fit_word2vec
from lyricgen.words.word2vec import song_words

ROOT = Path(__file__).parents[2]
ANIMALS, CARS = ("cat", "dog", "fox"), ("car", "truck", "van")
SMALL = {"dimensions": 12, "min_songs": 1, "epochs": 3, "sample": 0}


@pytest.fixture(scope="module")
def lyrics():
    """Songs in which animals occur with some words and cars with others."""
    rng = random.Random(3)
    songs = []
    for _ in range(300):
        names, around = rng.choice(((ANIMALS, "eats sleeps purrs barks runs"), (CARS, "drives honks brakes fuel road")))
        words = []
        for _ in range(6):
            words += [rng.choice(names), *rng.sample(around.split(), 3)]
        songs.append(" ".join(words))
    return songs


@pytest.mark.parametrize(
    ("lyric", "words"),
    [
        ("Hello, HELLO world!", ["hello", "hello", "world"]),
        ("don't don’t rock-n-roll -dash- 'quoted'", ["don't", "don't", "rock-n-roll", "dash", "quoted"]),
        ("99 nights 4ever a_b", ["nights", "ever", "a", "b"]),
        ("beyoncé 사랑 naïve", ["beyoncé", "사랑", "naïve"]),
        ("", []),
        (" 12 ... !? \n", []),
    ],
)
def test_words_are_letters_with_apostrophes_and_hyphens_inside(lyric, words):
    assert song_words(lyric) == words


def test_words_that_share_their_contexts_are_nearer_than_others(lyrics):
    vectors = fit_word2vec(lyrics, dimensions=16, min_songs=1, sample=0, epochs=20)
    for own, other in ((ANIMALS, CARS), (CARS, ANIMALS)):
        for word in own:
            inside = [vectors.similarity(word, near) for near in own if near != word]
            across = [vectors.similarity(word, far) for far in other]
            assert min(inside) > max(across) + 0.3


def test_same_seed_same_vectors(lyrics):
    first, same, other = (fit_word2vec(lyrics, **SMALL, seed=seed) for seed in (1, 1, 2))
    assert first.index_to_key == same.index_to_key
    assert np.array_equal(first.vectors, same.vectors) and not np.array_equal(first.vectors, other.vectors)


def test_vectors_do_not_depend_on_the_hash_seed():
    """The one of this process is random."""
    vectors = fit_word2vec(["la la lo", "lo le li", "lu le"], 4, min_songs=1, sample=0)
    code = (
        "from lyricgen import fit_word2vec; v = fit_word2vec(['la la lo', 'lo le li', 'lu le'], 4, min_songs=1, sample=0); "
        "print(v.index_to_key, v.vectors.tobytes().hex())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": "1"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"{vectors.index_to_key} {vectors.vectors.tobytes().hex()}\n"


def test_the_most_frequent_word_comes_first_and_counts_are_kept():
    vectors = fit_word2vec(["c b a", "b a", "a"], **SMALL)
    assert vectors.index_to_key == ["a", "b", "c"] and vectors.vectors.shape == (3, 12)
    assert vectors.vectors.dtype == np.float32 and np.isfinite(vectors.vectors).all()
    assert [vectors.get_vecattr(word, "count") for word in "abc"] == [3, 2, 1]


def test_a_word_of_too_few_songs_has_no_vector_even_if_repeated_in_them():
    songs = ["love hey " + "nana " * 50, "love hey", "love you"]
    assert set(fit_word2vec(songs, **{**SMALL, "min_songs": 2}).index_to_key) == {"love", "hey"}
    assert set(fit_word2vec(songs, **{**SMALL, "min_songs": 3}).index_to_key) == {"love"}


def test_songs_may_come_from_an_iterator(lyrics):
    from_list = fit_word2vec(lyrics[:20], **SMALL)
    assert np.array_equal(fit_word2vec(iter(lyrics[:20]), **SMALL).vectors, from_list.vectors)


@pytest.mark.parametrize("songs", [[], [""], ["123 !!", "..."], ["one song", "another tune"]])
def test_songs_without_enough_words_are_refused(songs):
    with pytest.raises(DataError, match="^no word occurs in 2 songs, which is too few for word vectors; give more"):
        fit_word2vec(songs, min_songs=2)
