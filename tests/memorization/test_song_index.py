"""n-gram index: matches and false positives, its folder, and damaged folders."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
from timing import cpu_ratio

from lyricgen import DataError, Song, SongIndex
from lyricgen.errors import ModelError
from lyricgen.memorization.song_index import (
    BUCKETS,
    WordHashes,
    bundled_index,
    find_periods,
    find_words,
    hash_gram,
    hash_grams,
    hash_word,
    hash_words,
)
from lyricgen.storage import ASSETS, SONG_INDEX, file_sha256

SONGS = [
    Song("The fox hums to the quiet pond, and the pond hums back", "Ann", "Pond"),
    Song("my kettle sings at nine\nmy kettle sings at nine\nmy kettle sings", "Bob", 'Kettle, "live"'),
    Song("too few words", "Ann"),
    Song("before dawn the fox hums to the quiet owl", "", ""),
]


@pytest.fixture(scope="module")
def index():
    return SongIndex.build(SONGS, asked=2_000)


@pytest.fixture
def folder(index, tmp_path):
    index.save(tmp_path / "index", seconds=1.5)
    return tmp_path / "index"


def found(index, text: str) -> list[tuple[int, int, int]]:
    """Position, song and times of each gram of a text."""
    return list(zip(*(column.tolist() for column in index.find(hash_grams(hash_words(find_words(text))))), strict=True))


# Words and their hashes


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        (" ,.!? -- ' \n", []),
        ("Don’t STOP", ["don't", "stop"]),
        ("'runnin' 'round' rock'n'roll", ["runnin", "round", "rock'n'roll"]),
        ("re-start_now 24/7 2nd", ["re", "start", "now", "24", "7", "2nd"]),
        ("CAFÉ cafe\u0301", ["café", "café"]),
        ("사랑해 баю-бай", ["사랑해", "баю", "бай"]),
        ("<b>oh</b>\0oh\ufffdoh", ["b", "oh", "b", "oh", "oh"]),
    ],
)
def test_words_are_letters_and_digits_with_apostrophes_inside(text, words):
    assert [word.text for word in find_words(text)] == words


def test_words_have_their_span_in_the_text_as_given():
    text = "  İstanbul’s “CAFE\u0301”,\tdon’t"
    assert [text[word.start : word.stop] for word in find_words(text)] == ["İstanbul’s", "CAFE\u0301", "don’t"]


def test_a_pile_of_accents_does_not_take_long():
    words = find_words("a" + "\u0301" * 20_000)
    assert len(words) == 1 and len(words[0].text) <= 9


def test_the_words_of_a_long_text_are_hashed_in_a_few_times_the_time_of_finding_them():
    text = "Don’t STOP the café\u0301 " * 20_000 + " ".join(map(str, range(20_000)))
    assert np.array_equal(WordHashes().of_text(text), hash_words(find_words(text)))
    assert cpu_ratio(lambda: WordHashes().of_text(text), lambda: re.findall(r"\w+", text), repeats=2) < 12


def test_hashes_are_the_same_in_every_process():
    code = "from lyricgen.memorization.song_index import *; print(hash_word('fox'), hash_gram([hash_word(w) for w in 'abcde']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(hash_word("fox")), str(hash_gram([hash_word(word) for word in "abcde"]))]
    assert hash_word("fox") == 13218999603221225746  # as in indexes that were written


def test_one_gram_and_many_have_the_same_hashes():
    words = np.random.default_rng(1).integers(0, 2**64, 50, dtype=np.uint64)
    assert hash_grams(words).tolist() == [hash_gram(words[at : at + 5].tolist()) for at in range(46)]
    assert len(hash_grams(words[:4])) == 0 and len(hash_grams(words[:0])) == 0


def test_the_order_of_words_matters():
    assert hash_gram([1, 2, 3, 4, 5]) != hash_gram([2, 1, 3, 4, 5])


# What is found


def test_each_gram_is_found_in_each_song_that_has_it_and_nowhere_else(index):
    assert found(index, "FOX hums to the -- quiet") == [(0, 0, 1), (0, 3, 1)]
    assert found(index, "fox hums to the quiet pond and") == [(0, 0, 1), (0, 3, 1), (1, 0, 1), (2, 0, 1)]
    assert found(index, "my kettle sings at nine my") == [(0, 1, 2), (1, 1, 2)]
    assert found(index, "too few words") == found(index, "fox hums to the loud") == found(index, "") == []


def test_one_gram_is_found_as_among_others(index):
    for text in ("fox hums to the quiet", "my kettle sings at nine", "quiet the to hums fox"):
        [gram] = hash_grams(hash_words(find_words(text))).tolist()
        assert index.songs_with(gram) == [(song, times) for _, song, times in found(index, text)]


def test_it_finds_what_a_dictionary_finds():
    rng = np.random.default_rng(5)
    songs = [Song(" ".join(rng.choice(list("abcde"), rng.integers(0, 200)))) for _ in range(60)]
    index = SongIndex.build(songs, asked=0)
    expected = {}
    for number, song in enumerate(songs):
        words = song.lyric.split()
        for at in range(len(words) - 4):
            times = expected.setdefault(tuple(words[at : at + 5]), {})
            times[number] = times.get(number, 0) + 1
    text = rng.choice(list("abcdef"), 400).tolist()
    by_position = [
        (at, *pair) for at in range(396) for pair in sorted(expected.get(tuple(text[at : at + 5]), {}).items())
    ]
    loops = find_periods(hash_words(find_words(" ".join(text)))) > 0
    of_index = found(index, " ".join(text))
    assert [pair[:2] for pair in of_index] == [pair[:2] for pair in by_position] and len(by_position) > 100
    assert [pair for pair in of_index if not loops[pair[0]]] == [pair for pair in by_position if not loops[pair[0]]]
    assert {times for *_, times in of_index} >= {1, 2}
    assert index.metrics["grams"] == len(expected) and index.entries == sum(map(len, expected.values()))


@pytest.mark.parametrize(
    ("words", "periods"),
    [("a a a a a", [1]), ("a b a b a b", [2, 2]), ("a b c a b", [3]), ("a b c d a", [4]), ("a a b a a", [3]),
     ("a b c d e", [0]), ("a a a a", []), ("", []), ("a", [])],
)  # fmt: skip
def test_a_gram_that_overlaps_itself_has_a_period(words, periods):
    assert find_periods(hash_words(find_words(words))).tolist() == periods


def test_periodic_grams_are_counted_in_one_loop_and_others_in_the_whole_song():
    song = Song("oh oh oh oh oh oh oh and we are we are we are home and oh oh oh oh oh oh and we are we are home")
    index = SongIndex.build([song], asked=0)
    for gram, times in (
        ("oh oh oh oh oh", 3),
        ("we are we are we", 1),
        ("and we are we are", 2),
        ("we are we are home", 2),
    ):
        assert found(index, gram) == [(0, 0, times)]


def test_occurrences_are_counted_up_to_255():
    index = SongIndex.build([Song("la " * 1_000)], asked=0)
    assert found(index, "la la la la la") == [(0, 0, 255)]


def test_more_songs_than_two_bytes_can_number():
    songs = [Song("no five words")] * 2**16 + [Song("these are five words here")]
    assert found(SongIndex.build(songs, asked=0), "these are five words here") == [(0, 2**16, 1)]


def test_songs_without_five_words_are_refused():
    for songs in ([], [Song("only four words here")]):
        with pytest.raises(DataError, match="no song has 5 words in a row"):
            SongIndex.build(songs)


def test_the_rate_of_false_positives_is_the_expected_one():
    """With 12 of the 32 bits of each entry, false positives are frequent enough to be counted."""
    rng = np.random.default_rng(2)
    words = [f"w{number}" for number in range(3_000)]
    index = SongIndex.build([Song(" ".join(rng.choice(words, 300))) for _ in range(200)], asked=0)
    few = np.uint32(2**12 - 1)
    order = np.lexsort((index._grams & few, np.repeat(np.arange(BUCKETS), np.diff(index._buckets))))
    coarse = SongIndex(index.titles, index._buckets, (index._grams & few)[order], index._songs, index._times, {})
    probes = rng.integers(0, 2**64, 2_000_000, dtype=np.uint64) & ~(np.uint64(2**32 - 1 - int(few)) << np.uint64(16))
    share = len(np.unique(coarse.find(probes)[0])) / len(probes)
    expected = coarse.expected_false_positives * 2**20
    assert share == pytest.approx(expected, rel=0.1) and expected > 1e-4
    assert len(index.find(probes)[0]) == 0


def test_false_positives_are_counted_and_stored(index):
    assert index.metrics["false_positives"] == {"asked": 2_000, "found": 0, "rate": 0.0, "expected_rate": 6.39e-14}
    assert index.expected_false_positives == index.entries / 2**48
    with_one_word = SongIndex.build([Song("la " * 9)]).metrics["false_positives"]
    assert with_one_word["asked"] == 0 and with_one_word["rate"] is None


# The folder


def test_a_saved_index_is_the_same_again(index, folder):
    again = SongIndex.load(folder)
    assert again.titles == index.titles == [("Pond", "Ann"), ('Kettle, "live"', "Bob"), ("", "Ann"), ("", "")]
    assert len(again) == 4 and again.entries == index.entries
    for text in ("the fox hums to the quiet owl", "my kettle sings at nine my kettle"):
        assert found(again, text) == found(index, text) != []


def test_its_folder_has_these_files_and_its_provenance(folder):
    assert {path.name for path in folder.iterdir()} == {*SONG_INDEX.all_files}
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    assert (metrics["format_version"], metrics["songs"], metrics["words"], metrics["seconds"]) == (1, 4, 37, 1.5)
    assert metrics["bytes"] == sum((folder / name).stat().st_size for name in SONG_INDEX.files)
    assert metrics["sha256"] == {name: file_sha256(folder / name) for name in SONG_INDEX.files}


def test_its_folder_holds_no_word_of_a_lyric(folder):
    content = b"".join(path.read_bytes() for path in folder.iterdir()).lower()
    assert b"hums" not in content and b"quiet" not in content and b"sings" not in content
    assert b"kettle" in content  # a title


def test_a_title_is_one_line_of_a_bounded_length(tmp_path):
    songs = [Song("one two three four five", "A\n\u200bB\0", "x" * 10**6), Song("", "y" * 44, "z " * 40)]
    SongIndex.build(songs, asked=0).save(tmp_path / "index")
    titles = [("x" * 43 + "…", "A B"), ("z " * 21 + "z…", "y" * 44)]
    assert SongIndex.load(tmp_path / "index").titles == titles


@pytest.mark.parametrize("name", SONG_INDEX.files)
@pytest.mark.parametrize("damage", ["cut", "altered", "missing"])
def test_a_damaged_file_is_refused_and_named(damage, name, folder):
    content = bytearray((folder / name).read_bytes())
    content[-1] ^= 1
    if damage == "missing":
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content if damage == "altered" else content[:-9])
    with pytest.raises(ModelError) as error:
        SongIndex.load(folder)
    assert name in str(error.value) and "fetch it again" in str(error.value)
    assert str(folder.parent) not in str(error.value)


@pytest.mark.parametrize(
    ("metrics", "said"),
    [
        (None, "'index' is no song index .it lacks metrics.json.; make one with train.py"),
        ("{", "metrics.json of song index 'index' is damaged"),
        ("[]", "is damaged"),
        ('{"format_version": 1}', "is damaged"),
        ('{"format_version": 1, "sha256": []}', "is damaged"),
        ('{"format_version": 2, "sha256": {}}', "format version 2, this lyricgen reads 1"),
        ('{"format_version": 1, "sha256": {}}', "is damaged"),
        ("[" * 100_000, "is damaged"),
        ('{"format_version": 1, "rate": NaN}', "is damaged"),
    ],
)
def test_a_folder_that_is_no_index_is_refused(metrics, said, folder):
    (folder / "metrics.json").unlink()
    if metrics is not None:
        (folder / "metrics.json").write_text(metrics)
    with pytest.raises(ModelError, match=said):
        SongIndex.load(folder)


def published(folder, name: str, change) -> None:
    """Changes an array, and the sha256 by which it is checked."""
    np.save(folder / name, change(np.load(folder / name)), allow_pickle=True)
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    metrics["sha256"][name] = file_sha256(folder / name)
    (folder / "metrics.json").write_text(json.dumps(metrics))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("buckets.npy", lambda array: array[:-1]),
        ("buckets.npy", lambda array: array.astype(np.int64)),
        ("buckets.npy", lambda array: array + 1),
        ("buckets.npy", lambda array: np.concatenate([[0], array[:0:-1]]).astype(np.uint32)),
        ("grams.npy", lambda array: array[:-1]),
        ("grams.npy", lambda array: array.astype(np.float32)),
        ("songs.npy", lambda array: array + np.uint16(99)),
        ("songs.npy", lambda array: array[None]),
        ("songs.npy", lambda array: array.astype(object)),
        ("times.npy", lambda array: array[1:]),
    ],
)
def test_an_index_that_contradicts_itself_is_refused_and_nothing_is_unpickled(name, change, folder):
    published(folder, name, change)
    with pytest.raises(ModelError, match="the files of song index 'index' do not fit together; fetch it again"):
        SongIndex.load(folder)


def test_counts_that_are_none_are_refused(folder):
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    (folder / "metrics.json").write_text(json.dumps({**metrics, "songs": "many"}))
    with pytest.raises(ModelError, match="do not fit together"):
        SongIndex.load(folder)


# The one that comes with the project


def test_the_bundled_index_is_of_the_songs_that_the_bundled_models_were_trained_on():
    index = bundled_index()
    assert bundled_index() is index
    metrics = json.loads((ASSETS / "lstm/metrics.json").read_text(encoding="utf-8"))
    assert index.metrics["data_sha256"].items() <= metrics["data_sha256"].items()
    assert len(index) == metrics["cleaning"]["read"] == 4_226
    assert 900_000 < index.metrics["grams"] < index.entries < 1_300_000
    assert index.metrics["false_positives"]["found"] == 0
    assert index.metrics["bytes"] < 10_000_000
    assert {artist for _, artist in index.titles} >= {"Coldplay", "Beyoncé"}
