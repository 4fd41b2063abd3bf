"""Trains the models: `python train.py --help`."""

import sys

from lyricgen.training.cli import main

if __name__ == "__main__":
    sys.exit(main())
