"""Word2Vec on songs: skip-gram with negative sampling (Mikolov et al. 2013), fitted by gensim."""

import re
from collections import Counter
from collections.abc import Iterable

from gensim.models import KeyedVectors, Word2Vec

from lyricgen.errors import DataError

WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")


def song_words(lyric: str) -> list[str]:
    """The words of a lyric in lower case: letters, with apostrophes and hyphens inside.

    >>> song_words("Don't stop,  re-start: 99 nights!")
    ["don't", 'stop', 're-start', 'nights']
    """
    return WORD.findall(lyric.lower().replace("’", "'"))


def fit_word2vec(
    lyrics: Iterable[str],
    dimensions: int = 100,
    window: int = 5,
    negative: int = 10,
    sample: float = 1e-4,
    min_songs: int = 10,
    epochs: int = 20,
    learning_rate: float = 0.025,
    seed: int = 777,
) -> KeyedVectors:
    """Fits skip-gram vectors, the most frequent word first; one thread, so that a seed repeats them.

    Args:
        lyrics: one text a song; a word's neighbours are looked for within its song.
        dimensions: D.
        window: words to either side that a word is to predict, at most.
        negative: words drawn at random that it is to tell from them.
        sample: frequency above which a word is dropped now and then.
        min_songs: a word that stands in fewer songs has no vector, and is passed over.
        epochs: passes over the songs.
        learning_rate: its highest value, from which it falls to almost nothing.
        seed: of the first vectors and of all that is drawn.

    Raises:
        DataError: no word stands in `min_songs` songs.
    """
    songs = [song_words(lyric) for lyric in lyrics]
    songs_with = Counter(word for words in songs for word in set(words))
    sentences = [[word for word in words if songs_with[word] >= min_songs] for words in songs]
    if not any(sentences):
        raise DataError(
            f"no word stands in {min_songs} songs, which is too few for word vectors; give more, or lower min_songs"
        )
    model = Word2Vec(
        vector_size=dimensions, window=window, negative=negative, sample=sample, min_count=1, sg=1, hs=0,
        alpha=learning_rate, seed=seed, workers=1, sorted_vocab=1,
    )  # fmt: skip
    model.build_vocab(sentences)
    model.train(sentences, total_examples=model.corpus_count, epochs=epochs)
    return model.wv
