"""Type annotations: mypy, as pyproject.toml configures it; and dataclasses over arrays."""

import dataclasses
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import lyricgen

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


def test_dataclasses_over_arrays_have_no_comparison_that_raises():
    """The == that a dataclass generates asks an array for one truth value."""
    modules = [
        each.name for each in pkgutil.walk_packages(lyricgen.__path__, "lyricgen.") if "__main__" not in each.name
    ]
    classes = {
        value
        for name in modules
        for value in vars(importlib.import_module(name)).values()
        if isinstance(value, type) and dataclasses.is_dataclass(value) and value.__module__.startswith("lyricgen")
    }
    over_arrays = {
        each
        for each in classes
        if any(
            word in str(field.type) for field in dataclasses.fields(each) for word in ("ndarray", "Tensor", "Hidden")
        )
    }
    assert len(over_arrays) > 8
    assert {each.__name__ for each in over_arrays if "__eq__" in vars(each)} == set()
