"""Word2Vec on songs: skip-gram with negative sampling (Mikolov et al. 2013), trained by gensim."""

import re
from collections import Counter
from collections.abc import Iterable

from gensim.models import KeyedVectors, Word2Vec

from lyricgen.errors import DataError
from lyricgen.models.vocabulary import TO_APOSTROPHE

SUBSAMPLING = 1e-4  # relative frequency above which a word is subsampled
LEARNING_RATE = 0.025  # initial value
WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")


def song_words(lyric: str) -> list[str]:
    """The words of a lyric in lower case: letters, with apostrophes and hyphens inside.

    >>> song_words("Don't stop,  re-start: 99 nights!")
    ["don't", 'stop', 're-start', 'nights']
    """
    return WORD.findall(lyric.lower().translate(TO_APOSTROPHE))


def fit_word2vec(
    lyrics: Iterable[str],
    dimensions: int = 100,
    window: int = 5,
    negative: int = 10,
    sample: float = SUBSAMPLING,
    min_songs: int = 10,
    epochs: int = 20,
    learning_rate: float = LEARNING_RATE,
    seed: int = 777,
) -> KeyedVectors:
    """Trains skip-gram vectors in one thread: the same seed gives the same vectors.

    Args:
        lyrics: one text per song; context windows do not cross songs.
        dimensions: D, numbers per vector.
        window: maximum distance, in words, of a context word.
        negative: negative samples per context word.
        sample: relative frequency above which a word is subsampled.
        min_songs: songs that a word must occur in; rarer words are left out.
        epochs: passes over the songs.
        learning_rate: initial value; it decays linearly to almost 0.
        seed: of the initial vectors and of all sampling.

    Returns:
        The vectors, in order of word frequency, with the attribute `count`.

    Raises:
        DataError: no word occurs in `min_songs` songs.
    """
    songs = [song_words(lyric) for lyric in lyrics]
    song_counts = Counter(word for words in songs for word in set(words))
    sentences = [[word for word in words if song_counts[word] >= min_songs] for words in songs]
    if not any(sentences):
        raise DataError(
            f"no word occurs in {min_songs} songs, which is too few for word vectors; give more, or lower min_songs"
        )
    model = Word2Vec(
        vector_size=dimensions, window=window, negative=negative, sample=sample, min_count=1, sg=1, hs=0,
        alpha=learning_rate, seed=seed, workers=1, sorted_vocab=1,
    )  # fmt: skip
    model.build_vocab(sentences)
    model.train(sentences, total_examples=model.corpus_count, epochs=epochs)
    return model.wv
