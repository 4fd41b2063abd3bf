"""Encoded songs, the streams cut from them, and how much of a song stands in others."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from lyricgen import (
    ARTISTS,
    PADDING_LABEL,
    START_LABEL,
    DataError,
    Song,
    SongStreams,
    clean_songs,
    copied_share,
    encode_corpus,
    open_corpus,
    read_songs,
    string_to_labels,
    token_ids_to_str,
)

SONGS = [
    Song("Hello THERE", "Ann"),
    Song("é방x", "Bob"),
    Song("la " * 11, ""),
    Song("to and fro and to and fro", "Ann"),
    Song("ok", "Cyd"),
]


@pytest.fixture
def corpus(tmp_path):
    return encode_corpus(SONGS, tmp_path / "corpus")


def test_round_trip_keeps_lower_cased_songs_and_artists(corpus, tmp_path):
    for again in (corpus, open_corpus(tmp_path / "corpus")):
        assert len(again) == 5 and again.artists == ("Ann", "Bob", "Cyd")
        assert [token_ids_to_str(again.song(index)) for index in (0, 2, 4)] == ["hello there", "la " * 11, "ok"]
        assert again.song(1).tolist() == [100, 100, 33]
        assert again.artist_labels.tolist() == [0, 1, 3, 0, 2]  # 3: no artist
        assert again.characters == sum(len(song.lyric) for song in SONGS)
        assert (again.labels[again.starts] == START_LABEL).all()
    assert again.sha256 == corpus.sha256
    assert sorted(path.name for path in (tmp_path / "corpus").iterdir()) == ["labels.u8", "meta.json", "songs.npz"]


def test_given_artists_set_the_labels_and_others_have_none(tmp_path):
    corpus = encode_corpus(SONGS, tmp_path / "corpus", artists=["Cyd", "Ann"])
    assert corpus.artists == ("Cyd", "Ann") and corpus.artist_labels.tolist() == [1, 2, 2, 1, 0]


def test_other_songs_or_artists_give_another_sha256(corpus, tmp_path):
    other = encode_corpus([*SONGS[:-1], Song("ok", "Dee")], tmp_path / "other")
    assert other.sha256 != corpus.sha256


def test_encoding_again_replaces_the_corpus(corpus, tmp_path):
    encode_corpus(SONGS[:2], tmp_path / "corpus")
    assert len(open_corpus(tmp_path / "corpus")) == 2
    assert token_ids_to_str(corpus.song(4)) == "ok"  # what was open stays readable


def test_a_fault_on_the_way_leaves_what_was_there_and_nothing_partial(corpus, tmp_path):
    def broken():
        yield SONGS[0]
        raise DataError("no more songs")

    with pytest.raises(DataError, match="no more songs"):
        encode_corpus(broken(), tmp_path / "corpus")
    assert [path.name for path in tmp_path.iterdir()] == ["corpus"] and len(open_corpus(tmp_path / "corpus")) == 5


def damaged(name, change):
    def damage(folder):
        path = folder / name
        path.write_bytes(change(path.read_bytes()))

    return damage


DAMAGE = {
    "labels cut": damaged("labels.u8", lambda content: content[:-1]),
    "labels empty": damaged("labels.u8", lambda content: b""),
    "no labels": lambda folder: (folder / "labels.u8").unlink(),
    "no songs": lambda folder: (folder / "songs.npz").unlink(),
    "songs cut": damaged("songs.npz", lambda content: content[: len(content) // 2]),
    "songs garbage": damaged("songs.npz", lambda content: b"garbage"),
    "songs empty": damaged("songs.npz", lambda content: b""),
    "a label changed": damaged("labels.u8", lambda content: bytes([content[0] ^ 1]) + content[1:]),
    "a bound changed": damaged("songs.npz", lambda content: content[:-1] + bytes([content[-1] ^ 1])),
    "no meta": lambda folder: (folder / "meta.json").unlink(),
    "meta garbage": damaged("meta.json", lambda content: b"{"),
    "meta no object": damaged("meta.json", lambda content: b"[1]"),
    "meta without artists": damaged("meta.json", lambda content: b'{"format_version": 1}'),
    "other format": damaged("meta.json", lambda content: content.replace(b'_version": 2', b'_version": 99')),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_folder_gives_one_sentence(damage, corpus, tmp_path):
    damage(tmp_path / "corpus")
    with pytest.raises(DataError) as error:
        open_corpus(tmp_path / "corpus")
    assert (
        "encoded corpus" in str(error.value)
        and "encode the songs" in str(error.value)
        and str(error.value).isprintable()
    )


def test_a_missing_folder_gives_one_sentence(tmp_path):
    with pytest.raises(DataError, match="there is no encoded corpus 'none'; encode the songs first"):
        open_corpus(tmp_path / "none")


def test_split_shares_no_song_and_depends_on_the_seed(corpus):
    first, second = corpus.split(0.4, seed=1)
    assert len(first) == 3 and len(second) == 2
    assert sorted([*first.starts, *second.starts]) == corpus.starts.tolist()
    assert np.array_equal(corpus.split(0.4, seed=1)[1].starts, second.starts)
    assert len({tuple(corpus.split(0.4, seed=seed)[1].starts) for seed in range(8)}) > 1
    assert [len(part) for part in corpus.split(0.0, seed=1)] == [4, 1]
    assert [len(part) for part in corpus.split(0.999, seed=1)] == [1, 4]
    with pytest.raises(DataError, match="name a validation file"):
        corpus.subset([0]).split(0.5, seed=1)


def read_back(streams, steps):
    """What the rows read: by song in the order of opening, (song, artist, inputs, outputs)."""
    songs, current = [], {}
    for batch in steps:
        assert batch.input_sequence.shape == (streams.batch_size, streams.length)
        for row in range(streams.batch_size):
            length = int(batch.sequence_length[row])
            assert (batch.output_sequence[row, length:] == PADDING_LABEL).all()
            if batch.starts[row] and length:
                current[row] = (int(batch.songs[row]), int(batch.artists[row]), [], [])
                songs.append(current[row])
            if length:
                current[row][2].extend(batch.input_sequence[row, :length].tolist())
                current[row][3].extend(batch.output_sequence[row, :length].tolist())
    return songs


@pytest.mark.parametrize(("batch_size", "length"), [(1, 4), (2, 7), (3, 1), (9, 64)])
def test_unshuffled_streams_hold_every_character_exactly_once(batch_size, length, corpus):
    streams = SongStreams(corpus, batch_size, length, shuffle=False)
    for _ in range(2):  # and again in a second pass
        steps = list(streams)
        assert len(steps) == len(streams)
        songs = read_back(streams, steps)
        assert sorted(song for song, *_ in songs) == list(range(5))
        for song, artist, inputs, outputs in songs:
            assert outputs == corpus.song(song).tolist()
            assert inputs == [START_LABEL, *outputs[:-1]]
            assert artist == corpus.artist_labels[song]


def test_a_shuffled_stream_reads_all_songs_in_a_new_order_each_epoch(corpus):
    streams = SongStreams(corpus, batch_size=1, length=8, seed=3)
    epochs = [[song for song, *_ in read_back(streams, streams)] for _ in range(6)]
    assert all(sorted(epoch) == list(range(5)) for epoch in epochs) and len(set(map(tuple, epochs))) > 1


def test_states_are_reset_at_song_starts_only(corpus):
    streams = SongStreams(corpus, batch_size=2, length=5, seed=3)
    opened = 0
    for batch in (batch for _ in range(5) for batch in streams):
        opens = batch.input_sequence[:, 0] == START_LABEL
        assert torch.equal(batch.starts, opens)  # no step of these songs but their first begins with label 100
        assert (batch.sequence_length > 0).all()  # no row ever idles
        opened += int(batch.starts.sum())
    assert opened >= 20


def test_same_seed_same_streams(corpus):
    def outputs(seed):
        return torch.stack(
            [batch.output_sequence for batch in SongStreams(corpus, 2, 8, artist_dropout=0.5, seed=seed)]
        )

    assert torch.equal(outputs(5), outputs(5)) and not torch.equal(outputs(5), outputs(6))


def test_artist_dropout_hides_that_share_of_the_artists(tmp_path):
    corpus = encode_corpus([Song("abc", "Ann")] * 2000, tmp_path / "corpus")
    for share in (0.0, 0.3, 1.0):
        streams = SongStreams(corpus, 4, 4, artist_dropout=share, seed=1)
        hidden = torch.cat([batch.artists for batch in streams]).float().mean()
        assert hidden == pytest.approx(share, abs=0.03)
    assert set(torch.cat([batch.artists for batch in SongStreams(corpus, 4, 4, artist_dropout=0.3)]).tolist()) == {0, 1}


def test_long_songs_are_cut_and_lose_no_character(tmp_path):
    corpus = encode_corpus([Song("abcdefghij" * 5, "Ann"), Song("xyz", "Bob")], tmp_path / "corpus")
    streams = SongStreams(corpus, 2, 4, shuffle=False, longest=10)  # up to the next multiple of 4: 12
    pieces = read_back(streams, streams)
    assert sorted(len(outputs) for *_, outputs in pieces) == [2, 3, 12, 12, 12, 12]
    of_song = [(song, artist, outputs) for song, artist, _, outputs in pieces]
    long = [outputs for song, artist, outputs in of_song if song == 0 and artist == 0]
    text = "".join(map(token_ids_to_str, long))
    assert sorted(text) == sorted("abcdefghij" * 5)
    assert {tuple(outputs[:2]) for outputs in long} == {
        tuple(string_to_labels(two)) for two in ("ab", "cd", "ef", "gh", "ij")
    }


def test_no_song_gives_one_sentence(corpus):
    with pytest.raises(DataError, match="there is no song to train on or to measure"):
        SongStreams(corpus.subset([]))


def brute_force_share(song: str, train: list[str], window: int) -> float:
    if len(song) < window:
        return float(song in train)
    windows = [song[at : at + window] for at in range(len(song) - window + 1)]
    return sum(any(one in other for other in train) for one in windows) / len(windows)


@pytest.mark.parametrize("window", [1, 4, 9])
def test_copied_share_equals_a_search_by_hand(window, tmp_path):
    rng = np.random.default_rng(5)
    held_out, train = (
        ["".join(rng.choice(list("ab"), rng.integers(2, 40))) for _ in range(songs)] for songs in (30, 6)
    )
    held_out += [train[0], train[1] + "cc", "abc", "cccccccccccc"]
    share = copied_share(
        encode_corpus(map(Song, held_out), tmp_path / "val"),
        encode_corpus(map(Song, train), tmp_path / "train"),
        window,
    )
    assert share.tolist() == pytest.approx([brute_force_share(song, train, window) for song in held_out])
    assert 0 < share.mean() < 1


def test_songs_shorter_than_a_window_count_as_copied_only_if_they_stand_in_train_whole(tmp_path):
    train = encode_corpus(map(Song, ["abc", "hello there"]), tmp_path / "train")
    val = encode_corpus(map(Song, ["abc", "hello", "ab"]), tmp_path / "val")
    assert copied_share(val, train, 60).tolist() == [1.0, 0.0, 0.0]
    assert clean_songs(val, train).tolist() == [False, True, True]


def test_the_small_songs_have_one_copied_song(songs_folder, tmp_path):
    train, val = (
        encode_corpus(read_songs(songs_folder / f"songdata_{split}.csv"), tmp_path / split, ARTISTS)
        for split in ("train", "val")
    )
    assert clean_songs(val, train).tolist() == [True, False, True, True, True]


def test_songdata_has_519_clean_validation_songs(tmp_path):
    folder = Path(os.environ.get("LYRICGEN_SONGDATA") or Path(__file__).parents[3] / "shared/data/songdata")
    if not (folder / "songdata_train.csv").is_file():
        pytest.skip("songdata is not here: name its folder in LYRICGEN_SONGDATA")
    train, val = (
        encode_corpus(read_songs(folder / f"songdata_{split}.csv"), tmp_path / split, ARTISTS)
        for split in ("train", "val")
    )
    assert len(train) == 4226 and len(val) == 887
    assert int(clean_songs(val, train).sum()) == 519


def test_a_subset_has_a_checksum_of_its_own(corpus):
    checksums = {corpus.sha256, corpus.subset([0, 1]).sha256, corpus.subset([1, 0]).sha256, corpus.subset([2]).sha256}
    assert len(checksums) == 4
    assert corpus.subset([0, 1]).sha256 == corpus.subset(np.array([0, 1])).sha256
