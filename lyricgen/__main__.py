"""The shell command: `python -m lyricgen --help`."""

import sys

from lyricgen.cli import main

if __name__ == "__main__":
    sys.exit(main())
