"""Training of the index artifact: the n-gram index of all songs."""

import time

from lyricgen.memorization.song_index import SongIndex
from lyricgen.training.config import INDEX, TrainConfig
from lyricgen.training.interruption import interruptible
from lyricgen.training.provenance import processor_name, provenance, songs_sha256
from lyricgen.training.songs import read_training_songs


def train_index(config: TrainConfig) -> str:
    """Indexes all songs, held-out songs and duplicates included, and writes the artifact; returns its figures in words.

    Raises:
        DataError: the songs cannot be read, or none has five words in a row.
        Interrupted: by Ctrl-C or SIGTERM; nothing was written.
    """
    started = time.perf_counter()
    with interruptible(INDEX):
        source, songs = read_training_songs(config)
        index = SongIndex.build(songs)
        record = provenance(
            data_sha256=songs_sha256(source, songs),
            seconds=time.perf_counter() - started,
            hardware=processor_name(1),
            packages=["numpy"],
        )
        index.save(config.out / INDEX, **record)
    figures = f"{index.metrics['grams']:,} n-grams of {len(index):,} songs"
    print(f"{INDEX}: {figures}; written to {config.out / INDEX}")
    return figures
