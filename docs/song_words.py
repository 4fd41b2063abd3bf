"""Writes the words that verses are made of: `python -m docs.song_words songdata_train.csv`.

The words that occur in three training songs or more and that CMUdict can pronounce, the most frequent first, one a line: a
vocabulary, without any order of a lyric.
"""

import argparse
import re
from collections import Counter
from pathlib import Path

from lyricgen.songs.reading import read_songs
from lyricgen.words.lexicon import SONG_WORDS
from lyricgen.words.rhymes import pronunciations, split_words

MIN_SONGS = 3
WORD = re.compile(r"'?[a-z][a-z']{1,15}|[ai]")


def main() -> None:
    """Writes the list and prints its size."""
    parser = argparse.ArgumentParser("python -m docs.song_words", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("songs", type=Path, help="training songs")
    counts: Counter[str] = Counter()
    for song in read_songs(parser.parse_args().songs):
        counts.update(set(split_words(song.lyric)))
    words = [word for word, songs in counts.items() if songs >= MIN_SONGS and WORD.fullmatch(word) and pronunciations(word)]  # fmt: skip
    words.sort(key=lambda word: (-counts[word], word))
    SONG_WORDS.write_text("\n".join(words) + "\n", encoding="utf-8")
    print(f"{len(words):,} words")


if __name__ == "__main__":
    main()
