"""Training of the words artifact: Word2Vec vectors of the songs."""

import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from lyricgen.songs.cleaning import SongCleaner, clean_training_songs
from lyricgen.songs.reading import Song
from lyricgen.storage import partial_name
from lyricgen.training.config import WORDS, TrainConfig
from lyricgen.training.interruption import interruptible
from lyricgen.training.provenance import processor_name, provenance, songs_sha256
from lyricgen.training.songs import read_training_songs
from lyricgen.validation import counted
from lyricgen.words.space import save_space
from lyricgen.words.word2vec import LEARNING_RATE, SUBSAMPLING, fit_word2vec


def train_words(config: TrainConfig) -> str:
    """Fits word vectors on the text of the files, since the encoded corpus lacks letters beyond ASCII; writes the artifact.

    Returns:
        its figures in words.

    Raises:
        DataError: the songs cannot be read, or no word occurs in `min_songs` songs.
        Interrupted: by Ctrl-C or SIGTERM; nothing was written.
    """
    settings: dict[str, Any] = {
        "window": config.window,
        "negative": config.negative,
        "sample": SUBSAMPLING,
        "min_songs": config.min_songs,
        "epochs": config.word_epochs,
        "learning_rate": LEARNING_RATE,
    }
    started = time.perf_counter()
    with interruptible(WORDS):
        source, songs = read_training_songs(config)
        lyrics = clean_lyrics(songs, config.out) if config.clean else [song.lyric for song in songs]
        print(
            f"{WORDS}: Word2Vec, {counted(config.word_epochs, 'epoch')} of {len(lyrics):,} songs on {processor_name(1)}"
        )
        vectors = fit_word2vec(lyrics, dimensions=config.dimensions, seed=config.seed, **settings)
        record = provenance(
            data_sha256=songs_sha256(source, songs),
            seed=config.seed,
            seconds=time.perf_counter() - started,
            hardware=processor_name(1),
            packages=["gensim", "numpy"],
        )
        save_space(
            vectors,
            config.out / WORDS,
            WORDS,
            f"Word2Vec (skip-gram, negative sampling), trained on {len(lyrics):,} songs",
            np.float16,
            songs=len(lyrics),
            tokens=sum(int(vectors.get_vecattr(word, "count")) for word in vectors.index_to_key),
            options=settings,
            **record,
        )
    figures = f"{len(vectors):,} words of {vectors.vector_size} dimensions"
    print(f"{WORDS}: {figures}; written to {config.out / WORDS}")
    return figures


def clean_lyrics(songs: list[Song], out: Path) -> list[str]:
    """The lyrics without notices, stubs, headings and duplicates; prints the counts. `out` has room for a temporary folder."""

    def read() -> Iterable[Song]:
        return songs

    cleaner = SongCleaner.fit(read)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="words.", suffix=partial_name(""), dir=out) as folder:
        cleaned = clean_training_songs(read, Path(folder) / "corpus", cleaner)
    print(f"{WORDS}: {cleaned.report}")
    return [cleaner.cut_headings(songs[number].lyric) for number in cleaned.train]
