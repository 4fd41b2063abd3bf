"""Cleaning: notices, stubs, heading debris, duplicates, and the songs held out. All lyrics were written for these tests."""

import os
from pathlib import Path

import numpy as np
import pytest

from lyricgen import DataError, Song, encode_corpus, read_songs, token_ids_to_str
from lyricgen.songs.cleaning import (
    SongCleaner,
    choose_held_out,
    clean_training_songs,
    find_duplicates,
    find_performers,
)

CLEANER = SongCleaner(frozenset({"ann lee", "bob", "post horn"}))
WORDS = [
    "mill",
    "boat",
    "moth",
    "lamp",
    "stone",
    "kite",
    "door",
    "rain",
    "gull",
    "tin",
    "sea",
    "hill",
    "oak",
    "reed",
    "fox",
    "hay",
]


def lyric(seed: int, words: int = 60) -> str:
    return " ".join(np.random.default_rng(seed).choice(WORDS, words))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Lyrics for this track have yet to be sung: ask the gulls again in spring", "notices"),
        ("Lyrics will be added when the tide is out.", "notices"),
        ("no lyrics, only the foghorn", "notices"),
        ("These lyrics have not been found by the gulls", "notices"),
        ("song coming soon", "notices"),
        ("lyrics from snippet  the tin roof sings", "stubs"),
        ("[Snippet] the tin roof sings", "stubs"),
        ("unreleased", "stubs"),
        ("TBA", "stubs"),
        ("bob", "stubs"),
        ("pre", "stubs"),
        ("soon the rain will come and fill the tin", None),
        ("lyrics fall out of my pocket on the hill", None),
        ("i wrote you no letter and no lyric at all", None),
        ("no lyrics come to me tonight " * 20, None),
    ],
)
def test_notices_and_stubs_are_rejected_and_songs_are_kept(text, reason):
    assert CLEANER.reject_reason(text) == reason


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("bob the mill turns", "the mill turns"),
        ("hook the mill turns  bob hold the rope", "the mill turns  hold the rope"),
        ("the mill   ann lee  bob turns round", "the mill   turns round"),
        ("the mill  pre bob and ann lee turns round", "the mill  turns round"),
        ("the mill  verse 2 turns  refrain  bob   round", "the mill  turns  round"),
        ("the mill  4 bob turns", "the mill  turns"),
        ("the mill  pre i turn", "the mill  i turn"),
        ("the mill  post horn in the fog", "the mill  in the fog"),
        ("i saw bob by the mill  and ann lee too", "i saw bob by the mill  and ann lee too"),
        ("the mill  bobbing on the tide  previous day", "the mill  bobbing on the tide  previous day"),
        ("produced by bob and the tides  the mill turns", "the mill turns"),
        ("produced by hands that never rest", "produced by hands that never rest"),
        ("[Verse 1: Bob & Ann]\nthe mill\nturns\n\n[Chorus]\nround", "the mill\nturns\n\nround"),
        ("the mill  [hook] turns", "the mill  turns"),
        ("", ""),
    ],
)
def test_heading_words_are_cut_and_breaks_and_sung_names_stay(text, cut):
    assert CLEANER.cut_headings(text) == cut
    assert CLEANER.cut_headings(cut) == cut


@pytest.mark.parametrize("text", ["bridge over the mill\nturns", "the mill\nhook it to the line\nturns"])
def test_a_section_word_that_opens_a_sung_line_stays(text):
    assert CLEANER.cut_headings(text) == text


def headed_songs(count: int = 12) -> list[Song]:
    """Songs in which the guest 'zed quill' opens sections and one chorus line returns."""
    return [
        Song(f"hook {lyric(seed, 9)}  zed quill {lyric(seed + 50, 9)}  come home again {WORDS[0]} {lyric(seed + 99, 9)}", "Ann Lee")
        for seed in range(count)
    ]  # fmt: skip


def test_artists_and_guests_are_performers_and_a_returning_line_is_not():
    assert find_performers(headed_songs) == {"ann lee", "zed quill"}


def test_names_are_learnt_from_stripped_headings_only():
    prose = [Song(f"zed quill {lyric(seed, 9)}  zed quill {lyric(seed + 50, 9)}") for seed in range(12)]
    assert find_performers(lambda: prose) == frozenset()  # no section word anywhere
    lines = [Song(f"hook\nzed quill {lyric(seed, 9)}\nzed quill {lyric(seed + 50, 9)}") for seed in range(12)]
    assert find_performers(lambda: lines) == frozenset()


def test_names_are_also_known_without_accents_and_parentheses():
    assert find_performers(lambda: [Song("la", "Zoë (졸)")]) == {"zoë", "zoe"}


def test_duplicates_are_found_and_the_longer_song_stays(tmp_path):
    a, b, c = lyric(1), lyric(2), lyric(3)
    songs = [a, a, f"{a} {b}", b[: len(b) // 2] + c, c[:70], "short", "short", "short one"]
    found = find_duplicates(encode_corpus(map(Song, songs), tmp_path / "corpus"), np.arange(len(songs)))
    assert found.exact.tolist() == [False, True, False, False, False, False, True, False]
    assert found.near.tolist() == [True, False, False, False, True, False, False, False]
    assert found.overlap[[0, 1, 4]].tolist() == [1.0, 1.0, 1.0] and found.overlap[[5, 7]].tolist() == [0.0, 0.0]
    some = find_duplicates(encode_corpus(map(Song, songs), tmp_path / "corpus"), np.array([0, 3, 5]))
    assert some.kept.all()


def test_near_duplicates_are_found_among_sampled_windows_too(tmp_path, monkeypatch):
    songs = [lyric(seed, 200) for seed in range(6)]
    corpus = encode_corpus(map(Song, [*songs, songs[0][:-100], songs[1][50:]]), tmp_path / "corpus")
    monkeypatch.setattr("lyricgen.songs.cleaning.MAX_WINDOWS", corpus.characters // 10)
    assert find_duplicates(corpus, np.arange(8)).near.tolist() == [False] * 6 + [True] * 2


def test_held_out_songs_are_kept_ones_that_share_little_with_others():
    kept, overlap = np.ones(200, bool), np.zeros(200)
    kept[:50], overlap[50:100] = False, 0.3
    held_out = choose_held_out(kept, overlap, 0.1, seed=1)
    assert held_out.sum() == 15 and not held_out[:100].any()
    assert np.array_equal(held_out, choose_held_out(kept, overlap, 0.1, seed=1))
    assert not np.array_equal(held_out, choose_held_out(kept, overlap, 0.1, seed=2))
    assert choose_held_out(kept, overlap, 0.0, 1).sum() == 0
    assert choose_held_out(kept, overlap, 0.0001, 1).sum() == 1
    assert choose_held_out(np.ones(1, bool), np.zeros(1), 0.5, 1).sum() == 0


def test_cleaned_songs_keep_their_numbers_and_are_counted(tmp_path):
    notice = "lyrics to the track are not yet out of the mill"
    songs = [
        Song(f"bob {lyric(1)}"),
        Song(notice),
        Song(lyric(1)),
        Song("tba"),
        Song(lyric(2)),
        Song(lyric(2)[:200]),
        Song(lyric(3)),
    ]
    cleaned = clean_training_songs(lambda: songs, tmp_path / "corpus", CLEANER)
    assert cleaned.train.tolist() == [0, 4, 6] and len(cleaned.held_out) == 0 and len(cleaned.corpus) == 7
    assert token_ids_to_str(cleaned.corpus.song(0)) == lyric(1)
    assert str(cleaned.report) == (
        "7 songs read: 1 notices, 1 stubs, 1 exact duplicates, 1 near duplicates left out; 4 characters of headings cut "
        "from 1 songs; 0 held out, 3 to train on"
    )
    some = clean_training_songs(
        lambda: songs, tmp_path / "corpus", CLEANER, np.array([1, 2, 4, 6]), held_out=0.4, seed=1
    )
    assert sorted([*some.train, *some.held_out]) == [2, 4, 6] and len(some.held_out) == 1 and some.report.read == 4


def test_without_a_cleaner_all_songs_stay_as_they_are(tmp_path):
    songs = [Song("bob tba"), Song("tba"), Song("tba")]
    cleaned = clean_training_songs(lambda: songs, tmp_path / "corpus", None)
    assert cleaned.train.tolist() == [0, 1, 2]
    assert token_ids_to_str(cleaned.corpus.song(0)) == "bob tba"


def test_nothing_left_gives_one_sentence(tmp_path):
    with pytest.raises(DataError, match="^cleaning leaves no song to train on; give other songs, or --no-clean$"):
        clean_training_songs(lambda: [Song("tba")], tmp_path / "corpus", CLEANER)


def test_the_rules_take_little_of_the_course_songs(tmp_path):
    folder = Path(os.environ.get("LYRICGEN_SONGDATA") or Path(__file__).parents[3] / "shared/data/songdata")
    if not (folder / "songdata_train.csv").is_file():
        pytest.skip("songdata is not here: name its folder in LYRICGEN_SONGDATA")

    def read():
        return read_songs(folder / "songdata_train.csv")

    cleaner = SongCleaner.fit(read)
    cleaned = clean_training_songs(read, tmp_path / "corpus", cleaner)
    assert cleaned.report.notices >= 163 and cleaned.report.stubs >= 60 and cleaned.report.read == 4226
    assert 3200 < len(cleaned.train) < 3500
    val = [song.lyric for song in read_songs(folder / "songdata_val.csv")]
    cut = sum(len(text) - len(cleaner.cut_headings(text)) for text in val) / sum(map(len, val))
    assert 0.005 < cut < 0.015


def test_a_line_of_many_section_words_is_read_once():
    """Two words that are also one label were tried in all combinations."""
    cleaner = SongCleaner()
    line = "pre chorus " * 40
    assert cleaner.cut_headings(f"one\n{line}x\ntwo") == f"one\n{line}x\ntwo"
