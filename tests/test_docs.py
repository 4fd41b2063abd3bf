"""README.md and docs/: links, examples, the benchmarks' tables and the generated reference."""

import re
import shlex
from pathlib import Path

import pytest

from benchmarks.tables import PAGE, read_rows, replace_block, table
from docs import reference
from lyricgen import cli
from lyricgen.training import cli as train

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]
BLOCKS = [
    "figures",
    "ablation",
    "performance",
    "speed",
    "alternatives",
    "insight",
    "attribution",
    "words",
    "vectors",
    "originality",
    "style",
]
by_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def prose(text: str) -> str:
    """A page without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)


def anchors(text: str) -> set[str]:
    """The fragments of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page: Path) -> list[str]:
    """The links of a page to files or headings that do not exist; addresses of other sites are not checked."""
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(page.read_text(encoding="utf-8"))):
        if "://" in link:
            continue
        name, _, fragment = link.partition("#")
        target = page.parent / name if name else page
        if not target.exists() or (fragment and fragment not in anchors(target.read_text(encoding="utf-8"))):
            broken.append(link)
    return broken


@by_page
def test_links_lead_to_files_and_headings(page):
    assert broken_links(page) == []


def test_a_broken_link_is_found(tmp_path):
    (tmp_path / "other.md").write_text("# The API\n\n## train.py\n")
    page = tmp_path / "page.md"
    page.write_text(
        "[a](other.md) [b](other.md#the-api) [c](other.md#trainpy) [d](#me)\n[e](gone.md) [f](other.md#x)\n# Me\n"
    )
    assert broken_links(page) == ["gone.md", "other.md#x"]


def test_the_readme_links_to_every_page_of_docs():
    links = set(re.findall(r"\]\(([^)#\s]+)", (ROOT / "README.md").read_text(encoding="utf-8")))
    assert {f"docs/{page.name}" for page in PAGES[1:]} - links == set()


def code_blocks(language: str) -> list:
    """The fenced blocks of a language that begin at the margin, each with the page's name as its id."""
    pattern = re.compile(rf"^```{language}\n(.*?)^```$", re.DOTALL | re.MULTILINE)
    return [pytest.param(block, id=page.name) for page in PAGES for block in pattern.findall(page.read_text("utf-8"))]


@pytest.mark.parametrize("block", code_blocks("python"))
def test_python_blocks_run(block, app_url, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    exec(compile(block.replace("http://127.0.0.1:7860", app_url), "block", "exec"), {})
    assert capsys.readouterr().out.strip()


@pytest.mark.parametrize("block", code_blocks("sh"))
def test_commands_have_flags_that_exist(block):
    import app  # builds the page

    parsers = {
        "lyricgen": cli.build_parser,
        "python train.py": train.build_parser,
        "python app.py": app.build_parser,
    }
    for line in block.replace("\\\n", " ").splitlines():
        for command, build_parser in parsers.items():
            if line.startswith(f"{command} "):
                build_parser().parse_args(shlex.split(line.removeprefix(command), comments=True))


@pytest.mark.parametrize("block", BLOCKS)
def test_every_table_of_the_benchmarks_has_a_place(block, tmp_path):
    page = tmp_path / "benchmarks.md"
    page.write_bytes(PAGE.read_bytes())
    replace_block(block, "new", page)
    assert f"<!-- {block} -->\nnew\n<!-- /{block} -->" in page.read_text(encoding="utf-8")


def test_the_rows_of_a_table_are_read_as_they_were_written(tmp_path):
    page = tmp_path / "benchmarks.md"
    page.write_text("<!-- a -->\n<!-- /a -->\n", encoding="utf-8")
    replace_block("a", table(["x", "y"], [["1", ""], ["`b`", "2"]]) + "\n\nA note.", page)
    assert read_rows("a", page) == [["1", ""], ["`b`", "2"]]


def test_a_table_without_a_place_is_refused():
    with pytest.raises(ValueError, match="benchmarks.md has no block 'speeed'"):
        replace_block("speeed", "new")


def test_the_reference_is_up_to_date():
    assert reference.PAGE.read_text(encoding="utf-8") == reference.render(), "run: python -m docs.reference"
