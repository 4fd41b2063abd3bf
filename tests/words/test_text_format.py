"""Text files of word vectors become folders of vectors; what is no such file is refused in one sentence."""

import gzip
import time

import numpy as np
import pytest
from gensim.models import KeyedVectors
from timing import cpu_seconds

from lyricgen import VectorsError, open_space, save_space
from lyricgen.words.sources import convert_text
from lyricgen.words.text_format import LINES_PER_BATCH
from lyricgen.words.word_vectors import read_meta

GLOVE = b"the 0.1 0.25 -3\nof 1 2 3\nand -1 -2e-1 +3\n"
WORD2VEC = b"3 3\n" + GLOVE
WORDS = ["the", "of", "and"]
VECTORS = np.array([[0.1, 0.25, -3], [1, 2, 3], [-1, -0.2, 3]], np.float32)


@pytest.fixture
def convert(tmp_path):
    """Writes bytes as a file, converts it and opens the space."""

    def convert(content, name="own.txt"):
        (tmp_path / name).write_bytes(content)
        convert_text(tmp_path / name, tmp_path / "out/own", "own", "this test", progress=False)
        return open_space(tmp_path / "out/own")

    return convert


@pytest.mark.parametrize(
    "content",
    [
        GLOVE,
        WORD2VEC,
        gzip.compress(GLOVE),
        gzip.compress(WORD2VEC),
        gzip.compress(WORD2VEC[:20]) + gzip.compress(WORD2VEC[20:]),  # parts of one gzip file
        GLOVE.rstrip(),
        GLOVE + b"\n\n  \n\n",
        WORD2VEC + b"\n \r\n",
        GLOVE.replace(b"\n", b"\r\n"),
        WORD2VEC.replace(b"\n", b" \r\n"),
        GLOVE.replace(b" ", b"  "),
        WORD2VEC.replace(b" ", b"\t"),
        GLOVE.replace(b"\n", b" \n"),
        b"\xef\xbb\xbf" + GLOVE,  # as Windows' editors write it
        b"\xef\xbb\xbf" + WORD2VEC,
    ],
    ids=["glove", "word2vec", "glove gz", "word2vec gz", "gz of parts", "no line end", "blank lines", "blank lines word2vec",
         "crlf", "crlf word2vec", "double spaces", "tabs", "space at the end", "mark", "mark word2vec"],
)  # fmt: skip
def test_both_formats_are_read_however_they_are_written(content, convert):
    space = convert(content)
    assert space.index_to_key == WORDS and np.array_equal(space.vectors, VECTORS)
    assert (space.name, space.source) == ("own", "this test")


def test_the_first_occurrence_of_a_repeated_word_is_kept(convert):
    space = convert(GLOVE + b"the 9 9 9\nor 7 8 9\nor 0 0 0\n")
    assert space.index_to_key == [*WORDS, "or"] and space["or"].tolist() == [7, 8, 9]
    assert np.array_equal(space["the"], VECTORS[0])
    assert convert(b"4 3\n" + GLOVE + b"the 9 9 9\n").index_to_key == WORDS  # the header counts lines


def test_words_may_hold_spaces_numbers_and_any_letters(convert):
    space = convert(
        GLOVE + "new york 1 2 3\n. . . 4 5 6\n1 2 7 8 9\nbeyoncé 1 1 1\n\u2028x 2 2 2\na\rb 3 3 3\n".encode()
    )
    assert space.index_to_key[3:] == ["new york", ". . .", "1 2", "beyoncé", "\u2028x", "a\rb"]
    assert space[". . ."].tolist() == [4, 5, 6] and space["1 2"].tolist() == [7, 8, 9]


@pytest.mark.parametrize(
    ("content", "words", "skipped"),
    [
        (b"  1 2 3\n" + GLOVE, ["the", "of", "and"], 1),  # the first word is a blank
        (b"top 40 1 2 3\nthe 1 0 0\n", ["top 40", "the"], 0),  # as many lines with four numbers as with three
        (GLOVE + b" 1 2 3\n\t7 8 9\n4 5 6\n", ["the", "of", "and"], 3),
        (b"4 3\n  1 2 3\n" + GLOVE, ["the", "of", "and"], 1),
        (b"new york 1 2 3\n" + GLOVE, ["new york", "the", "of", "and"], 0),
        (b"1 2 0 0 1\n" + GLOVE, ["1 2", "the", "of", "and"], 0),
        (
            "\u00a0 1 2 3\n\u200b 1 2 4\n\x85 3 2 1\n".encode() + GLOVE,
            ["\u00a0", "\u200b", "\x85", "the", "of", "and"],
            0,
        ),
        (b"nan 1 2 3\n-1.5 1 2 4\n. . . 0 0 1\n" + GLOVE, ["nan", "-1.5", ". . .", "the", "of", "and"], 0),
    ],
)
def test_odd_words_are_read_or_skipped_with_a_count_wherever_they_are(content, words, skipped, convert, caplog):
    space = convert(content)
    assert space.index_to_key == words and space.vector_size == 3
    counted = [f"own.txt: {skipped} line{'s' * (skipped > 1)} without a word skipped"] if skipped else []
    assert [record.message for record in caplog.records] == counted


@pytest.mark.parametrize("binary", [True, False])
def test_a_binary_file_of_word2vec_is_called_what_it_is(binary, tmp_path):
    vectors = KeyedVectors(3)
    vectors.add_vectors(WORDS, VECTORS)
    vectors.save_word2vec_format(tmp_path / "own.bin", binary=binary)
    packed = gzip.compress((tmp_path / "own.bin").read_bytes())
    (tmp_path / "own.bin.gz").write_bytes(packed)
    for name in ("own.bin", "own.bin.gz"):
        if binary:
            with pytest.raises(
                VectorsError, match=f"^{name} is no text file of word vectors, but a binary word2vec file; save"
            ):
                convert_text(tmp_path / name, tmp_path / "space", "own", "this test")
        else:
            convert_text(tmp_path / name, tmp_path / "space", "own", "this test")


def test_bytes_that_are_no_utf8_become_the_replacement_character(convert):
    assert convert(GLOVE + b"caf\xe9 1 2 3\n").index_to_key[3] == "caf\ufffd"


def test_one_dimension_and_one_word_are_enough(convert):
    space = convert(b"the 0.5\n")
    assert space.index_to_key == ["the"] and space.vectors.tolist() == [[0.5]]


def test_files_of_many_batches_keep_every_word(convert):
    count = 2 * LINES_PER_BATCH + 7
    space = convert(b"".join(b"w%d %d 0.5\n" % (row, row) for row in range(count)))
    assert space.index_to_key == [f"w{row}" for row in range(count)]
    assert space.vectors[:, 0].tolist() == list(range(count)) and (space.vectors[:, 1] == 0.5).all()


@pytest.mark.parametrize("header", [True, False])
def test_files_written_by_gensim_are_read(header, tmp_path):
    rng = np.random.default_rng(1)
    vectors = KeyedVectors(7)
    vectors.add_vectors([f"w{row}" for row in range(50)], rng.normal(size=(50, 7)).astype(np.float32))
    vectors.save_word2vec_format(tmp_path / "own.txt", write_header=header)
    convert_text(tmp_path / "own.txt", tmp_path / "own", "own", "", progress=False)
    space = open_space(tmp_path / "own")
    assert space.index_to_key == vectors.index_to_key and np.array_equal(space.vectors, vectors.vectors)


def test_facts_are_saved_and_progress_is_on_standard_error(tmp_path, capsys):
    (tmp_path / "own.txt").write_bytes(WORD2VEC)
    convert_text(tmp_path / "own.txt", tmp_path / "own", "own", "this test", file_size=len(WORD2VEC))
    meta = read_meta(tmp_path / "own")
    assert meta["file_size"] == len(WORD2VEC) and (meta["words"], meta["dimensions"]) == (3, 3)
    output = capsys.readouterr()
    assert "reading own.txt: 100%" in output.err and output.out == ""


@pytest.fixture(scope="module")
def conversion_seconds(tmp_path_factory):
    """CPU time of converting a file of 2 MB."""
    folder = tmp_path_factory.mktemp("converted")
    (folder / "own.txt").write_bytes(b"".join(b"w%d 0.25 -1.5 3e-2 4 5 6 7 8\n" % row for row in range(60_000)))
    return cpu_seconds(lambda: convert_text(folder / "own.txt", folder / "own", "own", "this test", progress=False))


REFUSED = {
    "nan": (GLOVE + b"x 1 nan 2\n", "the vector of 'x' (word 4) holds a number that is not finite"),
    "infinity": (WORD2VEC.replace(b"3 3", b"4 3") + b"x inf 1 2\n", "the vector of 'x' (word 4) holds a number"),
    "too large": (GLOVE + b"x 1e39 1 2\n", "the vector of 'x' (word 4) holds a number that is not finite"),
    "letters": (GLOVE + b"x 1 b 2\n", "line 4 of own.txt is not a word and 3 numbers: 'x 1 b 2'"),
    "letters after a header": (WORD2VEC.replace(b"2 3\n", b"2 3z\n"), "line 3 of own.txt is not a word and 3 numbers: 'of 1 2 3z'"),
    "letters far down": (
        b"".join(b"w%d 1 2\n" % row for row in range(LINES_PER_BATCH + 5)) + b"x 1 --\n", "line 10,006 of own.txt is not",
    ),
    "control characters": (GLOVE + b"x \x1b[31m \0 2\n", "line 4 of own.txt is not"),
    "comma for point": (GLOVE + b"x 0,1 0,2 0,3\n", "line 4 of own.txt is not a word and 3 numbers"),
    "too few numbers": (GLOVE + b"x 1 2\n" + GLOVE, "line 4 of own.txt is not a word and 3 numbers: 'x 1 2'"),
    "blank line between": (GLOVE + b"\nx 1 2 3\n", "line 4 of own.txt is not a word and 3 numbers: ''"),
    "last line cut": (GLOVE[:-4], "line 3 of own.txt is not a word and 3 numbers: 'and -1 -2e-1'"),
    "last number cut": (GLOVE[:-2], "line 3 of own.txt is not a word and 3 numbers: 'and -1 -2e-1 +'"),
    "header lies up": (b"4 3\n" + GLOVE, "own.txt says that it holds 4 words, and holds 3; it is cut short"),
    "header lies down": (b"2 3\n" + GLOVE, "own.txt says that it holds 2 words, and holds more"),
    "header lies up far": (b"999999999 300\n" + GLOVE, "own.txt says that it holds 999,999,999 words of 300 numbers, for which it is too short"),
    "header lies up far, gz": (gzip.compress(b"999999999 3\n" + GLOVE), "says that it holds 999,999,999 words, and holds 3"),
    "header of other numbers": (b"3 4\n" + GLOVE, "line 2 of own.txt is not a word and 4 numbers"),
    "header alone": (b"3 3\n", "own.txt says that it holds 3 words of 3 numbers, for which it is too short"),
    "header of nothing": (b"0 3\n", "own.txt holds no word"),
    "header of no numbers": (b"3 0\n" + GLOVE, "own.txt is no text file of word vectors"),
    "header of a million numbers": (gzip.compress(b"3 1000000\n" + GLOVE), "own.txt is no text file of word vectors"),
    "gz cut": (gzip.compress(WORD2VEC)[:-12], "own.txt is cut short or damaged; fetch it again"),
    "gz end cut": (gzip.compress(WORD2VEC)[:-4], "own.txt is cut short or damaged; fetch it again"),
    "gz altered": (gzip.compress(WORD2VEC)[:-6] + bytes(6), "own.txt is cut short or damaged; fetch it again"),
    "gz of garbage": (b"\x1f\x8b" + b"garbage" * 20, "own.txt is cut short or damaged; fetch it again"),
    "gz of nothing": (gzip.compress(b""), "own.txt is no text file of word vectors"),
    "empty": (b"", "own.txt is no text file of word vectors"),
    "blank lines only": (b"\n\n\n", "own.txt is no text file of word vectors"),
    "prose": (b"Hello\nthere\n", "own.txt is no text file of word vectors"),
    "binary rubbish": (np.random.default_rng(0).bytes(1 << 20), "own.txt"),
    "zeros": (bytes(1 << 20), "own.txt is no text file of word vectors, but a binary file"),
    "a zip": (b"PK\x03\x04" + bytes(range(256)) * 9, "own.txt is no text file of word vectors, but a zip archive; unpack it"),
    "UTF-16": (GLOVE.decode().encode("utf-16"), "own.txt is no text file of word vectors, but a text in UTF-16; save it as UTF-8"),
    "a line of 2 MB": (b"x" * 2_000_000, "it has a line of over a million bytes"),
    "a line of a million numbers": (GLOVE + b"1 " * 1_000_000, "it has a line of over a million bytes"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "expected"), REFUSED.values(), ids=REFUSED)
def test_a_file_in_neither_format_is_refused_in_one_sentence_and_leaves_no_folder(
    content, expected, convert, conversion_seconds, tmp_path
):
    start = time.process_time()
    with pytest.raises(VectorsError) as error:
        convert(content)
    assert time.process_time() - start < conversion_seconds
    assert expected in str(error.value) and str(error.value).isprintable() and len(str(error.value)) < 250
    assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []


def test_a_file_in_neither_format_leaves_the_old_folder(convert, tmp_path):
    convert(GLOVE)
    with pytest.raises(VectorsError):
        convert(GLOVE + b"x 1 b 2\n")
    assert open_space(tmp_path / "out/own").index_to_key == WORDS
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["own"]


@pytest.mark.parametrize(
    ("file", "folder", "expected"),
    [
        ("none.txt", "out", "none.txt cannot be read or converted (No such file or directory)"),
        (".", "out", "cannot be read or converted (Is a directory)"),
        ("own.txt", "own.txt/out", "own.txt cannot be read or converted (Not a directory)"),
    ],
)
def test_an_unreadable_file_or_folder_gives_one_sentence(file, folder, expected, tmp_path):
    (tmp_path / "own.txt").write_bytes(GLOVE)
    with pytest.raises(VectorsError) as error:
        convert_text(tmp_path / file, tmp_path / folder, "own", "", progress=False)
    assert expected in str(error.value) and str(error.value).isprintable()


def test_a_space_round_trips_through_gensims_text_format(convert, tmp_path):
    save_space(convert(GLOVE), tmp_path / "a", "a", "")
    open_space(tmp_path / "a").save_word2vec_format(tmp_path / "b.txt.gz")
    convert_text(tmp_path / "b.txt.gz", tmp_path / "b", "b", "", progress=False)
    assert np.array_equal(open_space(tmp_path / "b").vectors, VECTORS)
