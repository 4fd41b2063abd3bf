"""Words and their vectors, how a typed word is found, and the folder that they are kept in."""

import hashlib
import json
import mmap
import pickle

import numpy as np
import pytest
from gensim.models import KeyedVectors
from timing import cpu_ratio

from lyricgen import ArgumentError, VectorsError, VectorSpace, load_vectors, open_space, save_space
from lyricgen.words.word_vectors import MAX_IN_MEMORY, read_matrix, read_meta, writing_space

WORDS = ["the", "new york", "Paris", "paris", "beyoncé", "naive"]
VECTORS = np.array([[3, 4], [1, 0], [0, -2], [0.5, 0.25], [0, 0], [-1, 1]], np.float32)


@pytest.fixture(scope="module")
def glove():
    return load_vectors("glove-50")


@pytest.fixture
def space():
    return VectorSpace("six", WORDS, VECTORS.copy(), "this test")


@pytest.fixture
def folder(space, tmp_path):
    save_space(space, tmp_path / "six", "six", "this test")
    return tmp_path / "six"


def refusal(call, *arguments):
    """The message of the error that a call raises: one sentence in one line."""
    with pytest.raises((ArgumentError, VectorsError)) as error:
        call(*arguments)
    message = str(error.value)
    assert message.isprintable() and 20 < len(message) < 250 and not message.endswith(".")
    return message


def test_a_space_is_gensims_keyed_vectors_and_cannot_be_written_to(space):
    assert isinstance(space, KeyedVectors) and len(space) == 6 and space.vector_size == 2
    assert space["new york"].tolist() == [1, 0] and space.frequency_rank("the") == 1
    assert space.frequency_rank("naive") == 6
    with pytest.raises(ValueError, match="read-only"):
        space.vectors[0] = 0


def test_unit_vectors_have_length_1_and_zeros_stay_zeros(space):
    assert space.unit_vectors(["the", "Paris", "beyoncé"]).tolist() == [
        [np.float32(0.6), np.float32(0.8)],
        [0, -1],
        [0, 0],
    ]
    assert space.norms[4] == 1


def test_similarities_are_cosines_and_those_of_zeros_are_0(space):
    root = 0.5**0.5
    expected = [0.6, 1, 0, 2 / 5**0.5, 0, -root]
    assert space.similarities(np.array([1, 0])).tolist() == pytest.approx(expected, abs=1e-6)


def test_a_word_twice_is_refused():
    assert "holds a word twice" in refusal(VectorSpace, "six", ["a", "a"], np.ones((2, 2), np.float32))


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_not_finite_is_refused_with_its_word(number):
    vectors = VECTORS.copy()
    vectors[3, 1] = number
    assert "the vector of 'paris' in six" in refusal(VectorSpace("six", WORDS, vectors).fill_norms)


@pytest.mark.parametrize(
    ("typed", "word"),
    [
        ("the", "the"),
        ("THE", "the"),
        ("  the\t\n", "the"),
        ("Paris", "Paris"),  # as typed before in lower case
        ("PARIS", "paris"),
        ("Beyoncé", "beyoncé"),
        ("Beyonce\u0301", "beyoncé"),  # the accent as a character of its own
        ("NAÏVE", "naive"),
        ("New   York", "new york"),
    ],
)
def test_a_word_is_found_in_any_usual_spelling(typed, word, space):
    assert space.find(typed) == word


@pytest.mark.parametrize(
    ("typed", "word"),
    [("QUEEN", "queen"), (" Queen ", "queen"), ("Beyoncé", "beyoncé"), ("Québécois", "québécois"), ("Señoritá", "senorita"),
     ("New York", "new-york"), ("Rock 'n' roll", None), ("ＫＩＮＧ", "king")],
)  # fmt: skip
def test_words_of_glove_are_found_in_any_usual_spelling(typed, word, glove):
    assert glove.lookup(" ".join(typed.split())) == word
    if word:
        assert glove.find(typed) == word


@pytest.mark.parametrize(
    ("typed", "word"),
    [
        ("new york", "New_York"), ("NEW-YORK", "New_York"), ("new_york", "New_York"), ("new\u00a0york", "New_York"),
        ("don't", "don\u2019t"), ("DON\u2018T", "don\u2019t"), ("don\u02bct", "don\u2019t"), ("rock\u2019n\u2019roll", "rock'n'roll"),
        ("rock`n\u00b4roll", "rock'n'roll"), ("t\u2011shirt", "t-shirt"), ("T shirt", "t-shirt"), ("mcdonald", "McDonald"),
        ("beyonce", "beyonc\u00e9"), ("ki\u200bng", "king"), ("\ufeffking\u00ad", "king"), ("\u202aking\u202c", "king"), ("king\ufe0f", "king"),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"), ("soft ware", "soft\u00adware"),
        ("hello world", "hello world"), ("hello_world", "hello world"), ("\u201cKing\u201d", "king"), ("'king',", "king"), ("king\0", "king"),
        ("k\x1bing\x7f", "king"), ("ki\u034fng", "king"), ("king\U000e0020", "king"), ("\u2018Don\u2019t!\u2019", "don\u2019t"), ("king\u2019", "king"),
    ],
)  # fmt: skip
def test_a_word_is_found_where_the_space_spells_it_otherwise(typed, word):
    words = [
        "New_York",
        "don\u2019t",
        "rock'n'roll",
        "t-shirt",
        "McDonald",
        "beyonc\u00e9",
        "king",
        "soft\u00adware",
        "hello world",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    ]
    space = VectorSpace("odd", words, np.eye(10, dtype=np.float32))
    if typed == "soft ware":
        assert space.lookup(typed) is None and space.find("software") == word
    else:
        assert space.find(typed) == space.lookup(typed) == word
        assert space.known([typed]) == ([word], [])


@pytest.mark.parametrize(
    ("typed", "near"), [("newyork", "New_York"), ("los angels", "Los-Angeles"), ("mcdonlad", "McDonald")]
)
def test_nearest_spellings_ignore_case_and_what_joins_words(typed, near):
    space = VectorSpace("odd", ["New_York", "Los-Angeles", "McDonald", "king"], np.eye(4, dtype=np.float32))
    assert space.nearest_spellings(typed) == [near]


def test_an_unknown_spelling_of_several_words_names_the_nearest():
    space = VectorSpace("odd", ["new_york", "newyorker", "los_angeles"], np.eye(3, dtype=np.float32))
    message = refusal(space.find, "new yrok")
    assert (
        message
        == "word 'new yrok' is not among the 3 words of odd, also not joined by - or _; nearest spellings: new_york"
    )


@pytest.mark.parametrize("typed", ["", " \t\n", None])
def test_an_empty_word_is_refused(typed, space):
    assert refusal(space.find, typed, "x1") == "x1 must be a word, got an empty text"


@pytest.mark.parametrize("typed", [["king"], 5, float("nan"), b"king", {"king": 1}, True])
def test_what_is_no_text_is_refused(typed, space):
    assert refusal(space.find, typed, "y1").startswith("y1 must be text, got ")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("🎵", "'🎵' is not among the 400,000 words of glove-50, and no spelling is near"),
        ("x" * 500, "xxx… is not among the 400,000 words of glove-50, and no spelling is near"),
        ("man to king", "not among the 400,000 words of glove-50, also not joined by - or _; "),
        ("hot dgo", "nearest spellings: hotdog"),
        ("beyonse", "nearest spellings: beyonce, "),
        ("qeen", "nearest spellings: queen, "),
        ("\0", "no spelling is near"),
        ("\ud800", "no spelling is near"),
        ("e\u0301" * 250, "no spelling is near"),
        ("%s{}<b>", "'%s{}<b>' is not among"),
    ],
)
def test_an_unknown_word_is_refused_with_the_nearest_spellings(typed, expected, glove):
    message = refusal(glove.find, typed, "word2")
    assert message.startswith("word2 ") and expected in message


def test_no_text_raises_anything_but_an_argument_error(space):
    rng = np.random.default_rng(3)
    for length in [1, 2, 3, 7, 40, 101, 3000] * 20:
        typed = "".join(map(chr, rng.integers(0, 0x11000, length)))
        try:
            assert space.find(typed) in space.key_to_index
        except ArgumentError as error:
            assert str(error).isprintable()


def test_nearest_spellings_are_sorted_by_edit_distance_then_frequency():
    words = ["bat", "cat", "cart", "dog", "at", "cta", "c", "goat"]
    space = VectorSpace("pets", words, np.ones((8, 2), np.float32))
    assert space.nearest_spellings("cat") == ["cat", "cart", "cta", "bat", "at"]  # 0, then 1: with c before without
    assert space.nearest_spellings("CAT", limit=1) == ["cat"]
    assert space.nearest_spellings("z") == [] and space.nearest_spellings("zzzzzz") == []


@pytest.mark.parametrize(("typed", "word"), [("beyonse", "beyonce"), ("qeen", "queen")])
def test_nearest_spellings_take_less_time_than_three_passes_over_the_words(typed, word, glove):
    def of_about_this_length() -> list[str]:
        return [word for word in glove.index_to_key if abs(len(word) - len(typed)) <= 2]

    assert glove.nearest_spellings(typed)[0] == word
    assert cpu_ratio(lambda: glove.nearest_spellings(typed), of_about_this_length) < 3


def test_known_words_come_once_and_missing_ones_as_typed(space):
    assert space.known(["THE", "Zzz", "the", "Naïve", "zzz", "Zzz"]) == (["the", "naive"], ["Zzz", "zzz"])


def test_random_distances_are_those_of_pairs_of_two_different_words():
    words = ["a", "b", "c", "3", "x-y"]  # only letters count
    vectors = np.array([[1, 0], [0, 2], [-3, 0], [7, 7], [7, 7]], np.float32)
    distances = VectorSpace("three", words, vectors).random_distances
    values, counts = np.unique(distances, return_counts=True)
    assert values.tolist() == [1, 2] and counts.sum() == 20_000  # a-b, b-c; a-c
    assert counts[0] / 20_000 == pytest.approx(2 / 3, abs=0.02)
    again = VectorSpace("three", words, vectors).random_distances
    assert np.array_equal(distances, again)


def test_too_few_words_to_compare_pairs_give_one_sentence():
    space = VectorSpace("few", ["a"], np.ones((1, 2), np.float32))
    assert "few has too few words" in refusal(lambda: space.random_distances)


def test_a_space_of_words_that_are_not_letters_only_compares_those():
    space = VectorSpace("numbers", ["1", "2", "3"], np.array([[1, 0], [0, 1], [-1, 0]], np.float32))
    assert set(np.round(space.random_distances, 6)) == {1, 2}


def test_a_long_run_of_accents_is_refused_in_a_few_passes(space):
    typed = "a" + "\u0301\u0316" * 1_000_000
    assert "is not among" in refusal(lambda: space.find(typed))
    assert cpu_ratio(lambda: refusal(lambda: space.find(typed)), typed.lower, repeats=3) < 10


def test_a_word_that_a_file_spells_in_parts_is_found():
    space = VectorSpace("parts", ["cafe\u0301", "tea"], np.eye(2, dtype=np.float32))
    assert space.find("cafe\u0301") == "cafe\u0301"


def test_vectors_of_a_word_that_is_not_there_are_refused(space):
    assert "is not among" in refusal(lambda: space.unit_vectors(["zzz"]))


def test_as_many_words_as_vectors_are_needed():
    assert "1 words and 2 vectors" in refusal(lambda: VectorSpace("odd", ["a"], np.ones((2, 2), np.float32)))


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_a_folder_gives_back_what_was_saved(dtype, space, tmp_path):
    save_space(space, tmp_path / "deep/six", "six", "this test", dtype, trained_on="nothing")
    folder = tmp_path / "deep/six"
    again = open_space(folder)
    assert isinstance(again, VectorSpace) and again.index_to_key == WORDS
    assert again.vectors.dtype == np.float32 and np.array_equal(again.vectors, VECTORS)  # exact in float16, too
    assert (again.name, again.source) == ("six", "this test")
    assert sorted(path.name for path in folder.iterdir()) == ["meta.json", "vectors.npy", "words.txt"]
    assert (folder / "words.txt").read_bytes() == ("\n".join(WORDS) + "\n").encode()
    assert np.load(folder / "vectors.npy", allow_pickle=False).dtype == dtype
    assert read_meta(folder) == {
        "format_version": 1,
        "name": "six",
        "source": "this test",
        "trained_on": "nothing",
        "words": 6,
        "dimensions": 2,
        "dtype": np.dtype(dtype).name,
        "sha256": {
            name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in ("vectors.npy", "words.txt")
        },
    }


@pytest.mark.parametrize("row", [[0.5, 1], [300, 1], [np.nan, 1]])
def test_only_whole_numbers_are_saved_as_int8(row, tmp_path):
    save_space(VectorSpace("one", ["a"], np.array([[-128, 127]], np.float32)), tmp_path / "one", "one", "", np.int8)
    assert open_space(tmp_path / "one").vectors.tolist() == [[-128, 127]]
    vectors = KeyedVectors(2)
    vectors.add_vectors(["a", "b"], np.array([[1, 2], row], np.float32))
    message = refusal(lambda: save_space(vectors, tmp_path / "two", "two", "", np.int8))
    assert "the vector of 'b' (word 2) holds a number that is no whole number from -128 to 127" in message


def test_only_types_that_can_be_read_again_are_saved(space, tmp_path):
    assert "dtype must be float32, float16 or int8" in refusal(
        lambda: save_space(space, tmp_path / "six", "six", "", np.float64)
    )


def test_any_keyed_vectors_can_be_saved(tmp_path):
    vectors = KeyedVectors(3)
    vectors.add_vectors(["b", "a"], [[1, 2, 3], [4, 5, 6]])
    save_space(vectors, tmp_path / "two", "two", "gensim")
    assert open_space(tmp_path / "two").index_to_key == ["b", "a"]


@pytest.mark.parametrize("word", ["new york", "a\rb", "a\u2028b", "a\x0bb", "a\x85b", "", "ﬁ", "🎵"])
def test_only_a_line_feed_separates_words(word, tmp_path):
    save_space(VectorSpace("two", [word, "b"], np.eye(2, dtype=np.float32)), tmp_path / "two", "two", "")
    assert open_space(tmp_path / "two").index_to_key == [word, "b"]


def test_words_are_written_in_batches_and_their_count_at_the_end(tmp_path):
    with writing_space(tmp_path / "many", "many", "", 3) as writer:
        for start in range(0, 1000, 100):
            writer.add([f"w{row}" for row in range(start, start + 100)], np.full((100, 3), start))
    space = open_space(tmp_path / "many")
    assert len(space) == 1000 and space["w999"].tolist() == [900] * 3 and space.index_to_key[500] == "w500"


def is_mapped(array):
    while isinstance(array, np.ndarray):
        array = array.base
    return isinstance(array, mmap.mmap)


def test_large_vectors_are_mapped_and_small_ones_are_read(folder, tmp_path):
    rows = MAX_IN_MEMORY // 4000 + 1
    with writing_space(tmp_path / "large", "large", "", 1000) as writer:
        writer.add([f"w{row}" for row in range(rows)], np.ones((rows, 1000), np.float32))
    assert is_mapped(open_space(tmp_path / "large").vectors) and not is_mapped(open_space(folder).vectors)


def test_writing_that_fails_leaves_the_old_folder_as_it_was(folder, tmp_path):
    def contents():
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    before = contents()
    with pytest.raises(RuntimeError, match="no more"), writing_space(folder, "other", "", 2) as writer:
        writer.add(["other"], np.ones((1, 2)))
        raise RuntimeError("no more")
    assert contents() == before and list(tmp_path.iterdir()) == [folder]
    with writing_space(folder, "other", "", 2) as writer:
        writer.add(["other"], np.ones((1, 2)))
    assert open_space(folder).index_to_key == ["other"] and list(tmp_path.iterdir()) == [folder]


@pytest.mark.parametrize(
    ("number", "dtype"), [(np.nan, np.float32), (np.inf, np.float32), (1e39, np.float32), (1e6, np.float16)]
)
def test_a_number_out_of_range_of_the_dtype_is_refused_and_leaves_nothing(number, dtype, tmp_path):
    def write():
        with writing_space(tmp_path / "bad", "bad", "", 2, dtype) as writer:
            writer.add(["a", "b"], np.ones((2, 2)))
            writer.add(["c", "d"], np.array([[1, 1], [1, number]]))

    assert "the vector of 'd' (word 4)" in refusal(write)
    assert list(tmp_path.iterdir()) == []


def altered(name, change):
    def damage(folder):
        path = folder / name
        path.write_bytes(change(path.read_bytes()))

    return damage


def with_meta(**facts):
    def damage(folder):
        meta = json.loads((folder / "meta.json").read_text())
        (folder / "meta.json").write_text(json.dumps(meta | facts))

    return damage


def other_files(vectors=None, words=None):
    """Puts other files in place, and their sha256 into meta.json."""

    def damage(folder):
        if vectors is not None:
            np.save(folder / "vectors.npy", vectors, allow_pickle=True)
        if words is not None:
            (folder / "words.txt").write_bytes(words)
        sums = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in ("vectors.npy", "words.txt")}
        with_meta(sha256=sums)(folder)

    return damage


def both(*damages):
    def damage(folder):
        for one in damages:
            one(folder)

    return damage


DAMAGE = {
    "no folder": (lambda folder: folder.rename(folder.with_name("gone")), "there is no vector space 'six'"),
    "no meta": (lambda folder: (folder / "meta.json").unlink(), "'six' is no vector space (it lacks meta.json)"),
    "meta garbage": (altered("meta.json", lambda content: content[:-9]), "meta.json of vector space 'six' is damaged"),
    "meta no text": (altered("meta.json", lambda content: b"\xff\xfe\0"), "meta.json of vector space 'six' is damaged"),
    "meta no object": (altered("meta.json", lambda content: b"[1]"), "meta.json of vector space 'six' is damaged"),
    "meta without sums": (with_meta(sha256={}), "meta.json of vector space 'six' is damaged"),
    "meta with sums of no kind": (with_meta(sha256=None), "meta.json of vector space 'six' is damaged"),
    "other format": (with_meta(format_version=2), "has format version 2, this lyricgen reads 1"),
    "more words in meta": (with_meta(words=7), "do not fit together"),
    "no words in meta": (with_meta(words=None), "do not fit together"),
    "no words": (lambda folder: (folder / "words.txt").unlink(), "words.txt of vector space 'six' is missing"),
    "words altered": (altered("words.txt", lambda content: content.replace(b"the", b"thx")), "words.txt of vector space 'six' is not"),
    "words cut": (altered("words.txt", lambda content: content[:-3]), "words.txt of vector space 'six' is not the file"),
    "fewer words": (other_files(words=b"a\nb\n"), "do not fit together"),
    "words no text": (other_files(words=b"\xff\n\xfe\na\nb\nc\nd\n"), "holds a word twice"),
    "a word twice": (other_files(words=b"a\nb\nc\nd\ne\na\n"), "holds a word twice"),
    "no vectors": (lambda folder: (folder / "vectors.npy").unlink(), "vectors.npy of vector space 'six' is missing"),
    "vectors a folder": (
        lambda folder: ((folder / "vectors.npy").unlink(), (folder / "vectors.npy").mkdir()),
        "cannot be read (Is a directory)",
    ),
    "vectors cut": (altered("vectors.npy", lambda content: content[:-4]), "vectors.npy of vector space 'six' is not the file"),
    "vectors empty": (altered("vectors.npy", lambda content: b""), "vectors.npy of vector space 'six' is not the file"),
    "one byte altered": (
        altered("vectors.npy", lambda content: content[:-1] + bytes([content[-1] ^ 1])),
        "vectors.npy of vector space 'six' is not the file that was written (its sha256 differs); fetch it again",
    ),
    "vectors of other shape": (other_files(np.ones((6, 3), np.float32)), "do not fit together"),
    "fewer vectors": (other_files(np.ones((5, 2), np.float32)), "do not fit together"),
    "vectors in a row": (other_files(np.ones(12, np.float32)), "holds no matrix of float32, float16 or int8"),
    "no dimensions": (both(other_files(np.ones((6, 0), np.float32)), with_meta(dimensions=0)), "holds no matrix"),
    "whole numbers": (other_files(np.ones((6, 2), np.int32)), "holds no matrix of float32, float16 or int8"),
    "objects": (other_files(np.array([[None, 1]] * 6, object)), "vectors.npy is cut short, or no file of vectors"),
}  # fmt: skip


@pytest.mark.parametrize(("damage", "expected"), DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_folder_gives_one_sentence(damage, expected, folder):
    damage(folder)
    assert expected in refusal(open_space, folder)


def npy(header: bytes) -> bytes:
    """A file of numpy's format with this header."""
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header


@pytest.mark.parametrize(
    "content",
    [b"", b"\x93NUMPY", b"garbage" * 99, b"PK\x03\x04" + bytes(50), npy(b"-" * 9_000 + b"1"), npy(b"[" * 9_000)],
    ids=["empty", "magic", "garbage", "zip", "minus signs", "brackets"],
)
@pytest.mark.parametrize("mapped", [True, False])
def test_a_file_that_is_no_matrix_gives_one_sentence(content, mapped, tmp_path):
    (tmp_path / "v.npy").write_bytes(content)
    assert "v.npy is cut short, or no file of vectors" in refusal(read_matrix, tmp_path / "v.npy", mapped)


@pytest.mark.parametrize("mapped", [True, False])
@pytest.mark.parametrize("cut", [1, 8, 40, 130])
def test_a_matrix_cut_short_gives_one_sentence(cut, mapped, folder):
    path = folder / "vectors.npy"
    path.write_bytes(path.read_bytes()[:-cut])
    assert "is cut short" in refusal(read_matrix, path, mapped)


def test_a_folder_with_numbers_that_are_not_finite_is_refused_when_it_is_loaded(folder):
    for number in (np.nan, np.inf, 1e30):
        other_files(np.where(VECTORS == 0.25, number, VECTORS))(folder)
        for load in (load_vectors, open_space):
            assert "the vector of 'paris' in six holds a number that is not finite" in refusal(load, folder)


class Alarm:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


@pytest.mark.parametrize("kind", ["npy of objects", "pickle"])
def test_nothing_is_unpickled(kind, folder, tmp_path):
    alarm = Alarm(str(tmp_path / "unpickled"))
    if kind == "pickle":
        (folder / "vectors.npy").write_bytes(pickle.dumps(alarm))
        other_files()(folder)
    else:
        other_files(np.array([[alarm, alarm]] * 6, object))(folder)
    assert "cut short, or no file of vectors" in refusal(open_space, folder)
    assert not (tmp_path / "unpickled").exists()
    with (folder / "vectors.npy").open("rb") as file:  # the content does ring when it is unpickled
        (pickle.load(file) if kind == "pickle" else np.load(file, allow_pickle=True)[0, 0]).close()
    assert (tmp_path / "unpickled").exists()


def test_a_word_with_a_line_break_is_refused_and_nothing_is_written(tmp_path):
    with (
        pytest.raises(VectorsError, match="holds a line break"),
        writing_space(tmp_path / "space", "mine", "here", 2) as writer,
    ):
        writer.add(["a\nb"], np.ones((1, 2)))
    assert list(tmp_path.iterdir()) == []
