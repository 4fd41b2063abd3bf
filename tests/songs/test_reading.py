"""Files of songs read as songs."""

import io
import json
import os
import tarfile
import unicodedata
import zipfile
from pathlib import Path

import pytest

from lyricgen import DataError, LyricsGenerationDataset, Song, encode_corpus, read_songs
from lyricgen.songs.reading import read_csv, reading_notes

BEYONCE = "Beyonc\u00e9"
TABLE = "Artist,Lyric\nAnn,hello there\nBob,good night\n"


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def zipped(*names: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return packed.getvalue()


def tarred() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("songs.csv"))
    return packed.getvalue()


@pytest.mark.skipif(os.name != "posix", reason="file names are bytes on POSIX only")
def test_names_that_are_not_utf8_are_read_with_replacement_characters(tmp_path):
    folder = tmp_path / "songs"
    artist = os.fsencode(folder) + b"/Beyonc\xe9"
    os.makedirs(artist)
    with open(artist + b"/caf\xe9.txt", "w") as file:
        file.write("a song of the sea")
    [song] = read_songs(folder)
    assert (song.artist, song.title) == ("Beyonc\ufffd", "caf\ufffd")
    assert encode_corpus([song], tmp_path / "corpus").artists == ("Beyonc\ufffd",)


@pytest.mark.parametrize(
    ("typed", "lyric"),
    [
        ("one\r\ntwo\r\n\r\nthree", "one\ntwo\n\nthree"),
        ("one\rtwo\n\rthree", "one\ntwo\n\nthree"),
        ("one  \ntwo\t\n \nthree  ", "one\ntwo\n\nthree"),
        ("one \u00a0\r\ntwo\u3000\r\n", "one\ntwo\n"),
        ("one  two   ", "one  two   "),  # without line breaks, runs of spaces are section breaks
        ("\ufeffone\u200b t\u00adwo\u2060", "one two"),
        ("one\u2028two\u2029\u0085three", "one\ntwo\n\nthree"),
        (f"oh {unicodedata.normalize('NFD', BEYONCE)}", f"oh {BEYONCE}"),
    ],
)
def test_a_lyric_has_line_breaks_of_one_character_no_trailing_blanks_and_nothing_invisible(typed, lyric, tmp_path):
    table = written(tmp_path, "songs.csv", f'Artist,Lyric\nAnn,"{typed}"\n')
    assert [song.lyric for song in read_songs(table)] == [lyric]
    assert list(read_csv(table)["Lyric"]) == [lyric]
    objects = written(tmp_path, "songs.json", json.dumps([{"Lyric": typed}]))
    assert [song.lyric for song in read_songs(objects)] == [lyric]
    text = written(tmp_path, "songs.txt", typed)
    assert [song.lyric for song in read_songs(text)] == [lyric.strip("\n")]


def test_artists_that_differ_in_case_spacing_or_form_are_one(tmp_path):
    names = [
        "Anna Bee ",
        "anna  bee",
        "ANNA\u00a0BEE",
        "\ufeffAnna\u200b Bee",
        "\uff21nna Bee",
        "Beyonce\u0301",
        "BEYONC\u00c9",
        "",
    ]
    rows = "".join(f"{name},song number {number}\n" for number, name in enumerate(names))
    path = written(tmp_path, "songs.csv", f"Artist,Lyric\n{rows}")
    assert [song.artist for song in read_songs(path)] == ["Anna Bee"] * 5 + [BEYONCE] * 2 + [""]
    assert encode_corpus(read_songs(path), tmp_path / "corpus").artists == ("Anna Bee", BEYONCE)
    assert encode_corpus(read_songs(path), tmp_path / "other", ["beyonc\u00e9"]).artist_labels.tolist() == [1] * 5 + [
        0,
        0,
        1,
    ]
    dataset = LyricsGenerationDataset(path, minimum_song_count=5, artists=[" anna bee"])
    assert dataset.artists_list == ["Anna Bee"] and len(dataset) == 5


def test_what_a_training_wrote_is_not_read_as_songs(tmp_path, tiny_folder):
    (tmp_path / "songs.csv").write_text("Lyric\nthe gulls fly over the harbour\n", encoding="utf-8")
    assert tiny_folder.parent == tmp_path and list(tiny_folder.rglob("*.txt"))  # the words of the vectors
    assert [song.lyric for song in read_songs(tmp_path)] == ["the gulls fly over the harbour"]


@pytest.mark.parametrize("name", ["any artist", "Any Artist ", "ANY", "any  ARTIST", "\u200bany"])
def test_an_artist_by_a_name_that_means_any_artist_is_refused(name, tmp_path):
    table = written(tmp_path, "songs.csv", f"Artist,Lyric\nAnn,hello\n{name},there\n")
    text = written(tmp_path, f"songs/{name}/one.txt", "hello")
    for read in (lambda: list(read_songs(table)), lambda: read_csv(table), lambda: list(read_songs(text.parents[1]))):
        with pytest.raises(DataError, match="^songs.* has an artist .* means no one in particular; rename it"):
            read()


def test_a_folder_skips_what_is_hidden_reads_any_case_and_names_the_first_folder_as_the_artist(tmp_path):
    for name in ("Ann/one.txt", "Ann/Live/TWO.TXT", "Bob/1999/b side/three.Txt", "four.tXT"):
        written(tmp_path, name, f"a song in {name}")
    for name in (
        "Ann/._one.txt",
        ".git/five.txt",
        "__MACOSX/Ann/one.txt",
        "Bob/.hidden/six.txt",
        ".DS_Store",
        "ReadMe.txt",
    ):
        written(tmp_path, name, b"\0\5\x16\x07\xff")
    found = [(song.artist, song.title) for song in read_songs(tmp_path)]
    assert found == [("Ann", "TWO"), ("Ann", "one"), ("Bob", "three"), ("", "four")]


def test_a_folder_of_tables_is_read_and_beside_text_files_they_are_left_out_with_a_note(tmp_path):
    written(tmp_path, "a/Ann.CSV", "Lyric\nhello there\n")
    written(tmp_path, "b.tsv", "Artist\tLyric\nBob\tgood night\n")
    written(tmp_path, "c.jsonl", '{"Lyric": "and again"}\n')
    written(tmp_path, "._b.tsv", b"\0\5")
    songs = [Song("hello there", "a"), Song("good night", "Bob"), Song("and again", "")]
    assert list(read_songs(tmp_path)) == songs
    assert list(reading_notes(tmp_path)) == ["b.tsv: the columns are separated by tabs"]
    written(tmp_path, "one.txt", "a song")
    assert [song.lyric for song in read_songs(tmp_path)] == ["a song"]
    [note] = reading_notes(tmp_path)
    assert "left out: " in note and all(name in note for name in ("Ann.CSV", "b.tsv", "c.jsonl"))


@pytest.mark.parametrize("separator", [";", "\t", "|", ","])
@pytest.mark.parametrize("name", ["songs.csv", "songs.tsv", "songs.TAB"])
def test_columns_are_separated_by_what_the_header_shows(name, separator, tmp_path):
    table = written(
        tmp_path, name, TABLE.replace(",", separator).replace("hello", '"oh, hello;|').replace("there", 'there"')
    )
    assert list(read_songs(table)) == [Song("oh, hello;| there", "Ann"), Song("good night", "Bob")]
    assert len(list(reading_notes(table))) == (separator != ",")


def test_a_separator_that_is_named_is_used(tmp_path):
    path = written(tmp_path, "songs.csv", TABLE.replace(",", "\t"))
    assert len(list(read_songs(path, separator="\t"))) == 2 and not list(reading_notes(path, separator="\t"))
    with pytest.raises(DataError, match="no column 'Lyric'"):
        list(read_songs(path, separator=";"))
    with pytest.raises(DataError, match="no column 'Words'"):
        list(read_songs(path, "Words"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("line", ["", "sep=;\n", '"sep=;"\r\n', "SEP=;;;\n"])
def test_tables_of_excel_are_read_in_its_encodings_and_with_its_first_line(encoding, line, tmp_path):
    table = f'{line} Lyric ;artist\n"it\u2019s late; oh\nhello";Zo\u00eb\n'
    for name in ("songs.csv", "songs.txt", "songs.tsv", "songs"):
        path = written(tmp_path, name, table.encode(encoding))
        assert list(read_songs(path)) == [Song("it\u2019s late; oh\nhello", "Zo\u00eb")]
        notes = list(reading_notes(path))
        assert f"{name}: the columns are separated by semicolons" in notes
        assert (f"{name}: the encoding is {encoding.upper()}" in notes) == (not encoding.startswith("utf-8"))
        assert (f"{name}: its beginning is that of a table, and so it is read" in notes) == (
            name in ("songs.txt", "songs")
        )
        with pytest.raises(DataError, match="no column 'Lyric'; its columns are "):
            list(read_songs(path, separator="bar"))


def test_a_table_is_found_in_a_text_file_of_a_folder_and_a_lyric_is_no_table(tmp_path):
    written(tmp_path, "Ann/all.txt", "Lyric\tTitle\nhello there\tOne\ngood night\tTwo\n")
    written(tmp_path, "Bob/one.txt", "the Lyric, you said\nartist, I said")
    written(tmp_path, "Cy/two.txt", '{"Lyric": "la la"}')
    written(tmp_path, "Di/three.txt", "Caf\u00e9".encode("utf-16"))
    assert [(song.artist, song.lyric) for song in read_songs(tmp_path)] == [
        ("Ann", "hello there"),
        ("Ann", "good night"),
        ("Bob", "the Lyric, you said\nartist, I said"),
        ("Cy", "la la"),
        ("Di", "Caf\u00e9"),
    ]


OBJECTS = [{"Artist": "Ann", "Lyric": "hello\r\nthere", "Title": "1"}, {"Lyric": ["good", "night"], "Artist": None}]
ROWS = [OBJECTS[0], {"Artist": None, "Lyric": "good\nnight"}]


def test_half_a_surrogate_pair_in_json_is_a_replacement_character(tmp_path):
    path = written(tmp_path, "songs.json", '[{"Artist": {"name": "A\\ud83d"}, "Lyric": "la\\udc00"}]')
    assert list(read_songs(path)) == [Song("la\ufffd", "A\ufffd", "")]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("songs.json", json.dumps(OBJECTS)),
        ("songs.JSON", json.dumps({"version": 2, "songs": OBJECTS})),
        ("songs.json", "\ufeff" + "\n".join(map(json.dumps, OBJECTS))),
        ("songs.jsonl", "\r\n\r\n".join(map(json.dumps, OBJECTS)) + "\r\n"),
        ("songs.ndjson", json.dumps(OBJECTS, indent=2)),
        ("songs.json", json.dumps(OBJECTS).encode("utf-16")),
        ("songs.txt", json.dumps(OBJECTS)),
        ("songs.json", json.dumps({"data": {"of": 2, "songs": OBJECTS}})),
        ("songs.json", json.dumps({"a1": OBJECTS[0], "b2": OBJECTS[1]})),
        ("songs.json", json.dumps({name: [each.get(name) for each in OBJECTS] for name in OBJECTS[0]})),
        ("songs.json", json.dumps({name: {"0": OBJECTS[0][name], "1": OBJECTS[1].get(name)} for name in OBJECTS[0]})),
        ("songs.json", json.dumps({"columns": [*OBJECTS[0]], "data": [[*each.values()] for each in ROWS]})),
        ("songs.json", json.dumps([{**OBJECTS[0], "Artist": {"name": "Ann"}}, {**OBJECTS[1], "Artist": float("nan")}])),
    ],
)
def test_json_and_json_lines_of_objects_are_read(name, content, tmp_path):
    songs = list(read_songs(written(tmp_path, name, content)))
    assert songs == [Song("hello\nthere", "Ann", "1"), Song("good\nnight", "", "")]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "songs.json must be a list of objects"),
        ("[]", "must be a list of objects"),
        ('["hello", "there"]', "must be a list of objects"),
        ('[{"lyric": "hello", "by": 1}]', "no column 'Lyric'; its columns are 'lyric', 'by': name yours"),
        ('{"Lyric": "hello"}\n{"Lyric": "there"\n', "not well-formed JSON \\(line 2: "),
        ('[{"Lyric": "hello"},]', "not well-formed JSON"),
        ('[{"Lyric": {"verse": "hello"}}]', "a 'Lyric' that is no text"),
        ("[" * 100_000, "not well-formed JSON"),
    ],
)
def test_json_of_another_form_gives_one_sentence(content, expected, tmp_path):
    with pytest.raises(DataError, match=expected) as error:
        list(read_songs(written(tmp_path, "songs.json", content)))
    assert str(error.value).isprintable()


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("songs.zip", zipped("songs.csv"), "is a zip archive; unpack it"),
        ("songs.csv.gz", b"\x1f\x8b\x08\0", "is a gzip archive; unpack it"),
        ("songs.tar", tarred(), "is a tar archive; unpack it"),
        ("songs.7z", b"7z\xbc\xaf\x27\x1c\0\4", "is a 7z archive; unpack it"),
        ("songs.xlsx", zipped("[Content_Types].xml", "xl/workbook.xml"), "is an Excel workbook; save its songs as CSV"),
        ("songs.csv", zipped("xl/workbook.xml"), "is an Excel workbook"),
        ("songs.ods", zipped("mimetype", "content.xml"), "is an OpenDocument file"),
        ("songs.docx", zipped("word/document.xml"), "is a Word document; save its text as .txt"),
        ("songs.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0", "is an old Office file"),
        ("songs.pdf", b"%PDF-1.7\n", "is a PDF file"),
        ("songs.parquet", b"PAR1\0", "is a Parquet file"),
        ("songs.csv", b"\n<!DOCTYPE html><p>404", "is a web page"),
        ("songs.xml", b'<?xml version="1.0"?><songs/>', "is an XML file"),
        ("songs.epub", zipped("mimetype", "META-INF/container.xml"), "is an EPUB book"),
        ("songs.txt", b"MThd\0\0\0\6\0\1", "is a MIDI file"),
        ("songs.txt", b"model\0\0\1\0\0\2", "is a binary file"),
        ("songs.txt", b"PK\x03\x04 cut short", "is a zip archive"),
    ],
)
def test_a_file_of_another_kind_is_called_what_it_is(name, content, expected, tmp_path):
    path = written(tmp_path, name, content)
    for read in (list, lambda songs: next(songs)):
        with pytest.raises(DataError, match=expected) as error:
            read(read_songs(path))
        assert str(error.value).startswith(name)


def test_a_folder_without_songs_names_what_it_holds(tmp_path):
    written(tmp_path, "songs/songs.xlsx", zipped("xl/workbook.xml"))
    with pytest.raises(DataError, match=r"holds no .txt file \(it holds 'songs.xlsx', an Excel workbook\)"):
        list(read_songs(tmp_path / "songs"))


def test_a_folder_that_cannot_be_read_gives_one_sentence(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr("os.scandir", refuse)
    with pytest.raises(DataError, match=r"cannot be read \(Permission denied\); check its name and its permissions"):
        list(read_songs(tmp_path))
