"""Type annotations: mypy, as pyproject.toml configures it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def mypy(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "mypy", *arguments], cwd=ROOT, capture_output=True, text=True)


def test_types_agree_and_every_function_has_them():
    done = mypy()
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_program_that_misuses_a_public_name_is_refused(tmp_path):
    program = tmp_path / "program.py"
    program.write_text("import lyricgen\n\nlyricgen.analogy('man', 'king')\nlyricgen.generate_lyric\n")
    done = mypy("--config-file", "pyproject.toml", "--follow-imports", "silent", str(program))
    errors = [line for line in done.stdout.splitlines() if "error:" in line]
    assert len(errors) == 2, done.stdout + done.stderr
    assert 'Missing positional argument "y1"' in errors[0]
    assert 'Module has no attribute "generate_lyric"' in errors[1]
