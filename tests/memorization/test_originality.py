"""Copied runs of a text: planted runs with their songs, spans in the text as given, refused arguments."""

import json

import numpy as np
import pytest
from timing import cpu_ratio

from lyricgen import ArgumentError, Song, SongIndex, measure_originality
from lyricgen.analysis.scoring import score
from lyricgen.errors import ModelError

FOX = "the fox hums to the quiet pond and the heron answers with a single reed"
KETTLE = "my kettle sings at nine my kettle sings at ten and nobody is home"
SONGS = [
    Song(FOX, "Ann", "Pond"),
    Song(KETTLE, "Bob", "Kettle"),
    Song("at dawn the fox hums to the quiet owl", "Cem", "Owl"),
    Song("oh " * 7 + "what a morning", "Dee", "Morning"),
]


@pytest.fixture(scope="module")
def index():
    return SongIndex.build(SONGS, asked=0)


def runs(index, text: str) -> list[tuple[int, str, int]]:
    """Words, song, and the number of songs, of each run."""
    return [(run.words, run.title, run.songs) for run in measure_originality(text, index).runs]


def test_a_planted_copy_of_eight_words_is_found_with_its_song(index):
    text = "zeppelins drift; NOBODY -- 'Pond and the\n\nHERON answers with a single!' says so"
    found = measure_originality(text, index)
    [run] = found.runs
    assert text[run.start : run.stop] == "Pond and the\n\nHERON answers with a single"
    assert (run.words, run.title, run.artist, run.songs) == (8, "Pond", "Ann", 1)
    assert (found.words, found.longest_run, found.longest) == (13, 8, run)
    assert found.share_copied == pytest.approx(8 / 13)
    assert "8 words, in “Pond” by Ann" in found.summary and "62%" in found.summary


@pytest.mark.parametrize("words", [5, 6, 8, 15])
def test_a_run_has_the_same_length_wherever_it_occurs(words, index):
    copied = " ".join(FOX.split()[-words:])
    for text in (copied, f"zig zag {copied}", f"{copied} zig zag", f"zig {copied} zag"):
        assert measure_originality(text, index).longest_run == words


def test_four_words_in_a_row_are_no_run(index):
    found = measure_originality("zig the quiet pond and zag", index)
    assert (found.longest_run, found.share_copied, found.runs, found.longest) == (0, 0.0, [], None)
    assert found.summary == "No 5 words in a row occur in the training songs."


def test_a_run_does_not_go_from_one_song_into_another(index):
    """'hums to the quiet' is common to two songs, which go on with 'pond' and 'owl'."""
    assert runs(index, "dawn the fox hums to the quiet pond and the") == [(7, "Owl", 1), (9, "Pond", 1)]
    found = measure_originality("dawn the fox hums to the quiet pond and the", index)
    assert (found.longest_run, found.share_copied) == (9, 1.0)


def test_of_several_songs_with_a_run_the_one_with_most_of_the_text_is_named(index):
    assert runs(index, "the fox hums to the quiet") == [(6, "Pond", 2)]
    assert runs(index, "at dawn the fox hums zig the fox hums to the quiet") == [(5, "Owl", 1), (6, "Owl", 2)]


def test_two_runs_of_a_song_are_two(index):
    assert runs(index, "my kettle sings at ten zig and nobody is home my") == [(5, "Kettle", 1)]
    assert runs(index, f"{FOX} zag {KETTLE}") == [(15, "Pond", 1), (14, "Kettle", 1)]


@pytest.mark.parametrize(("times", "longest"), [(4, 0), (5, 5), (7, 7), (8, 7), (30, 7)])
def test_a_loop_counts_up_to_its_length_in_the_song(times, longest, index):
    found = measure_originality("oh " * times, index)
    assert found.longest_run == longest
    assert found.share_copied == (None if times < 5 else 1.0)


def test_a_refrain_may_be_repeated_as_often_as_the_song_has_it():
    index = SongIndex.build([Song("la " * 99), Song("hey ho and up we go " * 3)], asked=0)
    assert measure_originality("zig " + "la " * 7, index).longest_run == 7
    assert measure_originality("hey ho and up we go " * 2, index).longest_run == 12
    assert measure_originality("hey ho and up we go " * 4, index).longest_run == 18


def test_a_loop_counts_up_to_the_longest_loop_of_the_song():
    index = SongIndex.build(
        [Song("oh " * 8 + "the rain " + "oh " * 6 + "we are " * 4 + "home"), Song("x y " * 9)], asked=0
    )
    assert measure_originality("oh " * 20, index).longest_run == 8
    assert measure_originality("oh " * 8 + "the rain " + "oh " * 6, index).longest_run == 16
    assert measure_originality("we are " * 9, index).longest_run == 8
    assert measure_originality("we are " * 9 + "home", index).longest_run == 9
    assert measure_originality("x y " * 20, index).longest_run == 18


def often(grams: list[tuple], gram: tuple) -> int:
    """Occurrences of a gram in a text; a periodic gram, in its longest loop."""
    period = next((period for period in range(1, 5) if gram[period:] == gram[:-period]), 0)
    if not period:
        return grams.count(gram)
    longest = 0
    for start in range(len(grams)):
        times = 0
        while grams[start + times * period : start + times * period + 1] == [gram]:
            times += 1
        longest = max(longest, times)
    return longest


def by_hand(songs: list[list[str]], text: list[str]) -> int:
    """The longest run by its definition."""
    longest = 0
    for song in songs:
        grams = [tuple(song[at : at + 5]) for at in range(len(song) - 4)]
        for start in range(len(text)):
            for stop in range(start + 5, len(text) + 1):
                inside = [tuple(text[at : at + 5]) for at in range(start, stop - 4)]
                if any(often(inside, gram) > often(grams, gram) for gram in inside):
                    break
                longest = max(longest, stop - start)
    return longest


def test_the_longest_run_is_what_its_definition_says():
    rng = np.random.default_rng(11)
    lengths = set()
    for _ in range(60):
        songs = [rng.choice(list("ab"), rng.integers(5, 30)).tolist() for _ in range(3)]
        text = rng.choice(list("ab"), 25).tolist()
        index = SongIndex.build([Song(" ".join(song)) for song in songs], asked=0)
        found = measure_originality(" ".join(text), index)
        assert found.longest_run == by_hand(songs, text)
        lengths.add(found.longest_run)
        covered = np.zeros(25, bool)
        for run in found.runs:
            covered[run.start // 2 : run.stop // 2 + 1] = True
        assert found.share_copied == covered.mean()  # each word of a run lies in one of those that are listed
        starts, stops = [run.start for run in found.runs], [run.stop for run in found.runs]
        assert starts == sorted(set(starts)) and stops == sorted(set(stops))  # none within another
    assert len(lengths) > 5


def test_pieces_make_up_the_text_and_hold_each_run_once(index):
    text = "Oh: at dawn the fox hums to the quiet pond and so on\n"
    found = measure_originality(text, index)
    pieces = found.pieces()
    assert "".join(piece for piece, _ in pieces) == text
    assert [run for _, run in pieces if run] == found.runs
    assert pieces[1][0] == "at dawn the fox hums to the quiet" and pieces[2][0] == " pond and"
    assert measure_originality("zig zag", index).pieces() == [("zig zag", None)]


def test_spans_are_of_the_text_as_given(index):
    text = "😀 İİ " + FOX.upper().replace(" ", "\t…\r\n") + " é"
    [run] = measure_originality(text, index).runs
    assert text[run.start : run.stop] == FOX.upper().replace(" ", "\t…\r\n")


def test_the_answer_is_plain_values(index):
    found = measure_originality("zig my kettle sings at nine", index).to_dict()
    assert json.loads(json.dumps(found)) == found
    assert found == {
        "words": 6, "longest_run": 5, "share_copied": pytest.approx(5 / 6), "summary": found["summary"],
        "runs": [{"start": 4, "stop": 27, "words": 5, "title": "Kettle", "artist": "Bob", "songs": 1, "text": "my kettle sings at nine"}],
    }  # fmt: skip


@pytest.mark.parametrize("text", ["x", "one two three four", "!!!", "😀" * 20])
def test_fewer_than_five_words_are_not_compared(text, index):
    found = measure_originality(text, index)
    assert (found.longest_run, found.share_copied, found.runs) == (0, None, [])
    assert "at least 5 are needed" in found.summary


@pytest.mark.parametrize(
    ("text", "got"),
    [("", "an empty text"), (None, "an empty text"), (" \n\t ", "an empty text"), ("x" * 20_001, "20,001")],
)
def test_an_empty_or_too_long_text_is_refused(text, got, index):
    with pytest.raises(ArgumentError, match=f"text must have 1 to 20,000 characters, got {got}"):
        measure_originality(text, index)


def test_other_types_than_text_are_refused(index):
    with pytest.raises(ArgumentError, match=r"text must be text, got \['a'\]"):
        measure_originality(["a"], index)


def test_an_index_may_be_named_by_its_folder(index, tmp_path):
    index.save(tmp_path / "index")
    assert measure_originality(FOX, tmp_path / "index").longest_run == 15
    with pytest.raises(ModelError, match="there is no song index 'none'"):
        measure_originality(FOX, tmp_path / "none")


# The bundled index


def test_random_words_occur_in_no_song():
    rng = np.random.default_rng(4)
    made_up = ["".join(rng.choice(list("bdfgklmprstvz"), 7)) for _ in range(500)]
    found = measure_originality(" ".join(rng.choice(made_up, 1_500)))
    assert (found.words, found.longest_run, found.share_copied) == (1_500, 0, 0.0)


def test_common_words_in_random_order_occur_in_no_song():
    rng = np.random.default_rng(4)
    words = ["table", "seven", "purple", "walking", "under", "giraffe", "however", "nineteen", "garden", "velvet"]
    assert measure_originality(" ".join(rng.choice(words, 1_500))).longest_run == 0


def test_everyday_english_occurs_in_many_songs():
    found = measure_originality("i don't know what to do")
    assert found.longest_run == 6 and found.runs[0].songs > 5 and found.longest.artist


def test_a_long_text_is_searched_before_a_model_has_scored_it():
    text = ("i don't know what to do about the giraffe in the velvet garden " * 90)[:5_000]
    assert cpu_ratio(lambda: measure_originality(text), lambda: score(text, model="vanilla-rnn")) < 1
