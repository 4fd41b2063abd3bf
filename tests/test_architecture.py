"""The walls of the house: the import contracts of pyproject.toml."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LINT = Path(sys.executable).with_name("lint-imports")


def lint(*flags: str) -> subprocess.CompletedProcess:
    return subprocess.run([LINT, "--no-cache", *flags], cwd=ROOT, capture_output=True, text=True)


def test_imports_keep_the_contracts():
    done = lint()
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_broken_contract_is_found(tmp_path):
    config = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    swapped = config.replace('"lyricgen.errors",\n]', '"lyricgen.errors",\n    "lyricgen.ui.tabs",\n]', 1)
    assert swapped != config
    (tmp_path / "layers.toml").write_text(swapped.replace('"lyricgen.ui | lyricgen.cli",', '"lyricgen.cli",', 1))
    done = lint("--config", str(tmp_path / "layers.toml"))
    assert done.returncode == 1 and "BROKEN" in done.stdout
