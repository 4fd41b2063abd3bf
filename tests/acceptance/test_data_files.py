"""Data files are read as they are: trained as written, or one sentence and exit code 2."""

import gzip
import os
import re
import shutil
import tempfile
from pathlib import Path

import pytest

from lyricgen import DataError, SongIndex, read_songs
from lyricgen.training import cli as train

ONE, TWO = "the fox hums to the quiet pond", "my kettle sings at nine every day"
TABLE = f"Artist,Title,Lyric\nAnn,Pond,{ONE}\nBob,Kettle,{TWO}\n"
READ = {
    "plain.csv": (TABLE.encode(), [ONE, TWO]),
    "byte order mark.csv": (TABLE.encode("utf-8-sig"), [ONE, TWO]),
    "no line break at the end.csv": (TABLE.rstrip("\n").encode(), [ONE, TWO]),
    "CRLF.csv": (TABLE.replace("\n", "\r\n").encode(), [ONE, TWO]),
    "CR.csv": (TABLE.replace("\n", "\r").encode(), [ONE, TWO]),
    "NA.csv": (TABLE.replace(TWO, "NA\nNone,null,nan").encode(), [ONE, "NA", "nan"]),
    "row too short.csv": (f"{TABLE}Cy,Short\n".encode(), [ONE, TWO]),
    "quotes and separators.csv": (TABLE.replace(TWO, '"a ""b"", c\nd e f g"').encode(), [ONE, 'a "b", c\nd e f g']),
    "formulas.csv": (TABLE.replace(TWO, "=HYPERLINK(1) two three four five").encode(), [ONE, "=HYPERLINK(1) two three four five"]),
    "emoji.csv": (TABLE.replace("fox", "🦊").encode(), [ONE.replace("fox", "🦊"), TWO]),
    "NUL.csv": (TABLE.replace("fox", "f\0ox").replace(TWO, f'"{TWO}\0\nla"').encode(), [ONE.replace("fox", "f\0ox"), f"{TWO}\0\nla"]),
    "NUL.txt": (ONE.replace("fox", "f\0ox").encode(), [ONE.replace("fox", "f\0ox")]),
    "NULs at the end.csv": (f"{TABLE}\0\0\0\0".encode(), [ONE, TWO]),
    "utf-16.csv": (TABLE.encode("utf-16"), [ONE, TWO]),
    "utf-16.txt": (ONE.encode("utf-16"), [ONE]),
    "Excel.csv": (f"sep=;\n{TABLE.replace(',', ';')}".encode("utf-8-sig"), [ONE, TWO]),
    "plain.txt": (f"{ONE}\n\n\n{TWO}\n".encode(), [ONE, TWO]),
}  # fmt: skip
REFUSED = {
    "latin-1.csv": (TABLE.replace("fox", "é").encode("latin-1"), r"latin-1.csv is not UTF-8 \(byte 0xe9 in it\); save it as UTF-8"),
    "utf-16 cut short.csv": (TABLE.encode("utf-16")[:-1], r"utf-16 cut short.csv is damaged \(it begins as UTF-16"),
    "binary.csv": (bytes(range(256)) * 40, "binary.csv has no column 'Lyric'"),
    "binary.txt": (bytes(range(256)) * 40, "binary.txt is not UTF-8"),
    "packed.csv.gz": (gzip.compress(TABLE.encode()), "packed.csv.gz is .*; unpack it, and name the file or folder in it"),
    "packed.csv": (gzip.compress(TABLE.encode()), "packed.csv is .*; unpack it, and name the file or folder in it"),
    "empty.csv": (b"", "empty.csv is empty; it needs a header"),
    "empty.txt": (b"", "empty.txt holds no lyric"),
    "header only.csv": (TABLE.split("\n")[0].encode() + b"\n", "header only.csv has a header but no rows"),
    "unclosed quote.csv": (TABLE.replace(ONE, f'"{ONE}').encode(), "unclosed quote.csv is not a well-formed CSV file"),
    "row too long.csv": (f"{TABLE}Cy,Long,la la,more,and more\n".encode(), "row too long.csv is not a well-formed CSV file"),
    "first row too long.csv": (TABLE.replace("Pond", "Pond,x").encode(), "is not a well-formed CSV file .its first row is longer"),
    "no column.csv": (TABLE.replace("Lyric", "Text").encode(), "no column.csv has no column 'Lyric'; its columns are"),
    "lone surrogate.csv": (TABLE.encode().replace(b"fox", b"\xed\xa0\x80"), r"lone surrogate.csv is not UTF-8 \(byte 0xed in it\)"),
    "brackets.json": (b"[" * 100_000, "brackets.json is not well-formed JSON"),
    "x" * 300: (None, "there is no file or folder"),
}  # fmt: skip


@pytest.fixture(autouse=True)
def no_probes(monkeypatch):
    """Leaves out the measurement of false positives, which takes longer than all else."""
    monkeypatch.setattr("lyricgen.memorization.song_index.SongIndex._measure_false_positives", lambda *_: None)


def index_songs(path: Path, out: Path) -> int:
    """Runs train.py on a file of songs; returns its exit code."""
    return train.main(["--data", str(path), "--models", "originality", "--out", str(out)])


@pytest.mark.parametrize("name", READ)
def test_a_file_is_trained_on_as_written(name, tmp_path):
    content, lyrics = READ[name]
    (tmp_path / name).write_bytes(content)
    assert [song.lyric for song in read_songs(tmp_path / name)] == lyrics
    assert index_songs(tmp_path / name, tmp_path / "out") == 0
    assert len(SongIndex.load(tmp_path / "out/originality")) == len(lyrics)


@pytest.mark.parametrize("name", REFUSED, ids=lambda name: name[:20])
def test_a_file_that_cannot_be_read_gives_one_sentence(name, tmp_path, capsys):
    content, sentence = REFUSED[name]
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert index_songs(tmp_path / name, tmp_path / "out") == 2
    [message] = capsys.readouterr().err.splitlines()
    assert message.startswith("train.py: ") and re.search(sentence, message), message
    assert not (tmp_path / "out").exists()


def test_a_lyric_of_many_megabytes_is_indexed(size, tmp_path):
    lyric = "la di da oh " * (size(2, 20) * 1_000_000 // 12)
    (tmp_path / "long.csv").write_text(f'Lyric\n"{lyric}"\n{ONE}\n')
    assert index_songs(tmp_path / "long.csv", tmp_path / "out") == 0
    assert SongIndex.load(tmp_path / "out/originality").metrics["words"] == len(lyric.split()) + len(ONE.split())


@pytest.fixture
def nobody():
    """A folder that everybody may read, and an owner of no file in it."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    is_root = os.geteuid() == 0
    yield folder, (lambda: os.seteuid(65534)) if is_root else (lambda: None)
    if is_root:
        os.seteuid(0)
    for path in folder.iterdir():
        path.chmod(0o700)
    shutil.rmtree(folder)


def test_a_file_or_folder_without_permission_is_named(nobody):
    folder, become = nobody
    (folder / "songs.csv").write_text(TABLE)
    (folder / "songs.txt").write_text(ONE)
    (folder / "songs").mkdir()
    names = [path.name for path in folder.iterdir()]
    for name in names:
        (folder / name).chmod(0)
    become()
    for name in names:
        with pytest.raises(
            DataError, match=rf"{name}' cannot be read \(Permission denied\); check its name and its permissions"
        ):
            list(read_songs(folder / name))
