"""Lyrics with a listed strong word, without and with `clean_words`, at five settings that people use.

    python -m benchmarks.clean_words [--lyrics 64] [--model lstm]

Counts the lyrics whose generated part has a word of the bundled list. Prefixes were written for the page.
"""

import argparse
import sys

from benchmarks.tables import table
from lyricgen.generation.api import make_request, write_together
from lyricgen.generation.clean_words import listed_words, read_word_list
from lyricgen.generation.settings import MAX_VARIANTS

SETTINGS = (  # prefix, artist, temperature
    ("", None, 0.7),
    ("the river keeps its secrets ", None, 0.7),
    ("the river keeps its secrets ", "Coldplay", 0.7),
    ("counting every step ", "Eminem", 0.9),
    ("i left my coat on the last train ", "Taylor Swift", 0.5),
)
HEADER = ["prefix", "artist", "temperature", "off", "on"]


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.clean_words", description=__doc__.partition("\n")[0])
    parser.add_argument("--lyrics", type=int, default=64, help="for each setting (default: %(default)s)")
    parser.add_argument("--model", default="lstm")
    options = parser.parse_args(arguments)
    rows = []
    for prefix, artist, temperature in SETTINGS:
        settings = {"artist": artist, "temperature": temperature, "model": options.model}
        shares = [share(prefix, options.lyrics, clean_words=clean, **settings) for clean in (False, True)]
        rows.append([prefix or "empty", artist or "any", f"{temperature}", *(f"{each:.0%}" for each in shares)])
    print(table(HEADER, rows))
    return 0


def share(prefix: str, lyrics: int, **settings) -> float:
    """The share of lyrics, with seeds from 0, whose generated part has a listed word."""
    texts = []
    for first in range(0, lyrics, MAX_VARIANTS):
        request = make_request(prefix, seed=first, **settings)
        texts += write_together(request.variants(min(MAX_VARIANTS, lyrics - first)))
    words = read_word_list()
    return sum(bool(listed_words(text[len(prefix) :], words)) for text in texts) / len(texts)


if __name__ == "__main__":
    sys.exit(main())
