"""The command line: one benchmark by name, or all that need no songs.

    python -m benchmarks                       lists the benchmarks
    python -m benchmarks NAME [FLAGS]          runs one, as python -m benchmarks.NAME
    python -m benchmarks all [--json FILE] [--write-docs]
                                               runs those that need no songs

`all` runs each in a process of its own.
"""

import argparse
import ast
import importlib
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.summary import summary
from benchmarks.tables import replace_block

FOLDER = Path(__file__).parent
ALL = {
    "generation": [],
    "prefix": [],
    "insight": [],
    "users": [],
    "training": ["--notebook-seconds", "20"],
    "vectors": [],
    "startup": [],
    "growth": [],
}
"""The benchmarks of `all`, with flags that keep it under ten minutes."""
WITH_A_BLOCK = ("generation", "insight", "vectors")  # those with a table of their own in docs/benchmarks.md


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if not arguments or arguments[0] in ("-h", "--help"):
        print("\n".join([__doc__, *(f"{name:<14}{line}" for name, line in benchmarks().items())]))
        return 0
    name, *flags = arguments
    if name == "all":
        return run_all(flags)
    if name not in benchmarks():
        print(f"benchmark must be one of all, {', '.join(benchmarks())}, got {name!r}", file=sys.stderr)
        return 2
    return importlib.import_module(f"benchmarks.{name}").main(flags)


def benchmarks() -> dict[str, str]:
    """The benchmarks by name, each with the first line of its docstring; none is imported."""
    summaries = {}
    for path in sorted(FOLDER.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if path != Path(__file__) and any(isinstance(part, ast.FunctionDef) and part.name == "main" for part in tree.body):  # fmt: skip
            summaries[path.stem] = (ast.get_docstring(tree) or "").partition("\n")[0]
    return summaries


def run_all(arguments: list[str]) -> int:
    """Runs the benchmarks that need no songs, prints their tables, and writes their figures as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks all")
    parser.add_argument("--json", type=Path, metavar="FILE", default=Path("benchmarks.json"), help="default: %(default)s")  # fmt: skip
    parser.add_argument("--only", nargs="+", choices=ALL, default=list(ALL), help="some of them")
    parser.add_argument(
        "--write-docs", action="store_true", help="write the summary and their tables into docs/benchmarks.md"
    )
    options = parser.parse_args(arguments)
    figures, failed = {}, []
    for name in options.only:
        result = run_one(name, options.write_docs)
        if result is None:
            failed.append(name)
        else:
            figures[name] = result
    options.json.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if figures:
        print(f"## in short\n\n{summary(figures)}\n")
    if options.write_docs and not failed:
        replace_block("performance", summary(figures))
    print(f"figures: {options.json.resolve()}")
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def run_one(name: str, write_docs: bool = False) -> dict | None:
    """Runs one benchmark in a process of its own; returns its figures and its seconds, None if it failed."""
    print(f"## {name}\n", flush=True)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "figures.json"
        command = [sys.executable, "-m", f"benchmarks.{name}", "--json", str(file), *ALL[name]]
        if write_docs and name in WITH_A_BLOCK:
            command.append("--write-docs")
        process = subprocess.run(command, cwd=FOLDER.parent, stderr=subprocess.PIPE, text=True)
        elapsed = time.perf_counter() - start
        if process.returncode:
            print(f"{name} failed:\n{process.stderr}", file=sys.stderr)
            return None
        print(f"\n{elapsed:.0f} seconds.\n", flush=True)
        return {**json.loads(file.read_text(encoding="utf-8")), "run_seconds": elapsed}


if __name__ == "__main__":
    sys.exit(main())
