"""Trainings of two processes over gloo, run as a script by test_ranks.py: Lightning starts the second process.

Each rank has an --out of its own, so that the test sees what each wrote.
"""

import os
import sys
from pathlib import Path

from lyricgen.training import samples
from lyricgen.training.cli import main


def run(folder: str, *flags: str) -> None:
    """One training of two ranks, which must end well."""
    samples.SAMPLE_LENGTH = 12  # characters; the real ones take most of the time
    out = f"{folder}-rank{os.environ.get('LOCAL_RANK', 0)}"
    code = main([*flags, "--devices", "2", "--out", out])
    assert code == 0, code


if __name__ == "__main__":
    same, dropout, resumed, *shared = sys.argv[1:]
    run(same, *shared, "--dropout", "0")
    random = (*shared, "--dropout", "0.3", "--checkpoint-every", "15")
    run(dropout, *random)
    [checkpoint] = Path(f"{dropout}-rank0/checkpoints/lstm").glob("last-epoch=1-step=30-*.ckpt")
    run(resumed, *random, "--resume", str(checkpoint))
