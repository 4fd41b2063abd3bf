"""Type annotations: mypy, as pyproject.toml configures it; and dataclasses over arrays."""

import dataclasses
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import lyricgen

ROOT = Path(__file__).resolve().parents[1]


PROGRAM = """import lyricgen

lyricgen.analogy('man', 'king')
lyricgen.generate_lyric
"""  # misuses two public names


@pytest.fixture(scope="module")
def errors(tmp_path_factory) -> list[str]:
    """mypy's errors in the package and in `PROGRAM`, checked together: it reads torch's types once."""
    program = tmp_path_factory.mktemp("program") / "program.py"
    program.write_text(PROGRAM)
    command = [sys.executable, "-m", "mypy", "lyricgen", str(program)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1 and "source files)" in done.stdout, done.stdout + done.stderr
    return [line for line in done.stdout.splitlines() if "error:" in line]


def test_types_agree_and_every_function_has_them(errors):
    assert [error for error in errors if "program.py" not in error] == []


def test_a_program_that_misuses_a_public_name_is_refused(errors):
    of_program = [error for error in errors if "program.py" in error]
    assert len(of_program) == 2, of_program
    assert 'Missing positional argument "y1"' in of_program[0]
    assert 'Module has no attribute "generate_lyric"' in of_program[1]


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
