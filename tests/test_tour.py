"""docs/tour.ipynb runs from top to bottom. Its cells are executed here as a kernel does, in one namespace, without starting one."""

import ast
import json
import logging
from pathlib import Path

import pytest

TOUR = json.loads((Path(__file__).resolve().parents[1] / "docs" / "tour.ipynb").read_text(encoding="utf-8"))
CODE = [cell for cell in TOUR["cells"] if cell["cell_type"] == "code"]


def run_cell(source: str, names: dict) -> object:
    """Executes a cell; returns the value of its last line where that is an expression, which a notebook displays."""
    lines = [line.replace("%pip", "raise AssertionError  #") for line in source.splitlines()]
    tree = ast.parse("\n".join(lines))
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "tour", "exec"), names)
    return eval(compile(ast.Expression(last.value), "tour", "eval"), names) if last else None


def displayed(value: object) -> str:
    """The kind of output that a notebook shows for a value."""
    for kind, method in (("picture", "_repr_png_"), ("html", "_repr_html_")):
        if hasattr(value, method):
            assert getattr(value, method)()
            return kind
    assert "\n" not in repr(value).strip() or type(value).__module__.startswith("numpy")
    return "nothing" if value is None else "text"


@pytest.fixture
def quiet_lightning():
    """The notebook silences Lightning's log."""
    log = logging.getLogger("pytorch_lightning")
    level = log.level
    yield
    log.setLevel(level)


def test_the_tour_runs_from_top_to_bottom(quiet_lightning, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names: dict = {"__name__": "__main__"}
    kinds = [displayed(run_cell("".join(cell["source"]), names)) for cell in CODE]
    assert kinds.count("picture") >= 7 and kinds.count("html") >= 12
    printed = capsys.readouterr().out
    assert "hello, world" in printed and "greedy: the river keeps its secrets " in printed


def test_the_tour_is_stored_without_outputs_and_names_its_repository_once():
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in CODE)
    source = "".join(line for cell in TOUR["cells"] for line in cell["source"])
    assert source.count("https://github.com/") == 1 and source.count("%pip install") == 1
