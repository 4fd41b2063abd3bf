"""Files of songs: what is read, and that bad ones give one clear sentence."""

from pathlib import Path

import pytest

from lyricgen import DataError, LyricsGenerationDataModule, LyricsGenerationDataset, Song, read_songs
from lyricgen.songs.reading import TEXT_STRETCH, read_csv

HEADER = ",Artist,Title,Album,Year,Date,Lyric\n"
ROW = "0,Ann,tune,attic,2001,may,hello there\n"


def written(folder, content, name="songs.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def sentence_of(error) -> str:
    """The message, which must be one printable line."""
    message = str(error.value)
    assert message and message.isprintable() and not message.endswith("."), message
    return message


BAD_CSV = {
    "no lyric column": (",Artist,Title\n0,Ann,tune\n", "no column 'Lyric'"),
    "other spelling": ("artist,lyric\nAnn,hello\n", "no column 'Lyric'; its columns are 'artist', 'lyric'"),
    "empty file": ("", "songs.csv is empty"),
    "only a line end": ("\n", "songs.csv is empty"),
    "only a header": (HEADER, "has a header but no rows"),
    "Latin-1": ((HEADER + "0,Beyoncé,tune,,,,hello\n").encode("latin-1"), "not UTF-8 (byte 0xe9"),
    "Latin-1 far down": ((HEADER + ROW * 4000 + "0,Beyoncé,tune,,,,hello\n").encode("latin-1"), "not UTF-8 (byte 0xe9"),
    "UTF-16 cut short": ((HEADER + ROW).encode("utf-16")[:-1], "songs.csv is damaged (it begins as UTF-16"),
    "unclosed quote": (HEADER + '0,Ann,tune,,,,"hello\n' + ROW, "EOF inside string starting at row 1"),
    "unclosed quote at the end": (HEADER + ROW + '1,Ann,tune,,,,"hello', "EOF inside string starting at row 2"),
    "longer first row": (HEADER + "0,Ann,tune,,,,hello,more\n" + ROW, "first row is longer than its header"),
    "longer second row": (HEADER + ROW + "0,Ann,tune,,,,hello,more\n", "Expected 7 fields in line 3, saw 8"),
    "longer row far down": (
        HEADER + ROW * 4000 + "0,Ann,tune,,,,hello,more\n",
        "Expected 7 fields in line 4002, saw 8",
    ),
    "bytes of zero": (b"\0\0\0\0", "is a binary file"),
    "every byte": (bytes(range(256)) * 20, "no column 'Lyric'"),
    "very many columns": (",".join(f"c{n}" for n in range(900)) + "\n", "'c10', 'c11', ...: name yours"),
}


@pytest.mark.parametrize(("content", "expected"), BAD_CSV.values(), ids=BAD_CSV)
def test_a_bad_csv_file_gives_one_sentence_that_names_it(content, expected, tmp_path):
    path = written(tmp_path, content)
    for read in (LyricsGenerationDataset, lambda path: list(read_songs(path))):
        with pytest.raises(DataError) as error:
            read(path)
        message = sentence_of(error)
        assert expected in message and "songs.csv" in message and len(message) < 500


def test_a_lyric_of_one_character_is_no_song(tmp_path):
    path = written(tmp_path, "Artist,Lyric\nAnn,x\nAnn,\nAnn\n")
    with pytest.raises(DataError, match="songs.csv has no song left"):
        LyricsGenerationDataset(path)
    with pytest.raises(DataError, match="songs.csv holds no lyric of 2 characters or more"):
        list(read_songs(path))


def test_filters_that_leave_no_song_say_so(songs_folder):
    for filters in ({"artists": ["Nobody"]}, {"minimum_song_count": 99}, {"artists": []}):
        with pytest.raises(DataError, match="no song left after the filters"):
            LyricsGenerationDataset(songs_folder / "songdata_train.csv", **filters)


@pytest.mark.parametrize("name", ["none.csv", "none.txt", "none", "x" * 5000, "none\0.csv"])
def test_a_missing_path_is_named(name, tmp_path):
    for read in (LyricsGenerationDataset, lambda path: list(read_songs(path))):
        with pytest.raises(DataError) as error:
            read(str(tmp_path / name))
        assert len(sentence_of(error)) < 250


def test_a_folder_where_a_csv_file_should_be_is_refused(tmp_path):
    (tmp_path / "songs.csv").mkdir()
    with pytest.raises(DataError, match="is a folder; name a CSV file"):
        LyricsGenerationDataset(tmp_path / "songs.csv")
    with pytest.raises(DataError, match="folder 'songs.csv' holds no .txt file"):
        list(read_songs(tmp_path / "songs.csv"))


def test_a_path_below_a_file_is_refused(tmp_path):
    path = written(tmp_path, HEADER + ROW) / "inside.csv"
    with pytest.raises(DataError, match="there is no file"):
        LyricsGenerationDataset(path)


def test_na_and_null_are_lyrics_and_artists(tmp_path):
    path = written(tmp_path, HEADER + "0,NA,t,,,,null\n1,None,t,NA,2001,,NA\n2,nan,t,,,,nan\n")
    dataset = LyricsGenerationDataset(path)
    assert list(dataset.lyrics_dataframe["Lyric"]) == ["null", "NA", "nan"]
    assert dataset.artists_list == ["NA", "None", "nan"]
    assert [song.artist for song in read_songs(path)] == ["NA", "None", "nan"]
    assert dataset.lyrics_dataframe["Year"].isna().tolist() == [True, False, True]


def test_a_short_row_has_no_lyric_and_a_zero_byte_stays(tmp_path):
    path = written(tmp_path, HEADER + "0,Ann,tune\n1,Ann,tune,,,,he\0llo\n")
    assert [song.lyric for song in read_songs(path)] == ["he\0llo"]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_byte_order_mark_and_line_ends_do_not_matter(line_end, tmp_path):
    path = written(tmp_path, "\ufeff" + ("Lyric,Artist\n" + '"oh, hello",Ann\n').replace("\n", line_end))
    assert list(read_songs(path)) == [Song("oh, hello", "Ann")]
    assert list(read_csv(path).columns) == ["Lyric", "Artist"]


def test_rows_keep_their_order_over_blocks(tmp_path):
    path = written(
        tmp_path, HEADER + "".join(f"{n},Ann,t,,{'x' if n == 4100 else 2001},,song {n}\n" for n in range(4200))
    )
    assert list(LyricsGenerationDataset(path).lyrics_dataframe["Lyric"]) == [f"song {n}" for n in range(4200)]


def test_columns_go_by_the_names_given(tmp_path):
    path = written(tmp_path, "singer,words,Lyric\nAnn,hello there,no\n")
    assert list(read_songs(path, "words", "singer")) == [Song("hello there", "Ann")]
    assert list(read_songs(path, "words", None)) == [Song("hello there", "")]


def test_two_blank_lines_part_the_songs_of_a_text_file(tmp_path):
    path = written(tmp_path, "one\ntwo\n\nthree\n\n\nfour\r\n \r\n\t\r\n  five\n\n\n\n\n", "songs.txt")
    assert [song.lyric for song in read_songs(path)] == ["one\ntwo\n\nthree", "four", "five"]


def test_a_long_text_without_gaps_is_cut_at_line_ends_and_loses_nothing(tmp_path):
    text = "".join(f"line number {number} of a long ballad\n" for number in range(60_000))
    songs = [song.lyric for song in read_songs(written(tmp_path, text, "book.txt"))]
    assert "\n".join(songs) == text.rstrip("\n")  # 2 MB: read in several blocks
    assert all(TEXT_STRETCH <= len(song) <= 2 * TEXT_STRETCH for song in songs[:-1])


def test_a_block_that_ends_at_a_line_end_does_not_join_two_lines(tmp_path):
    text = "x" * 31 + "\n"
    songs = list(read_songs(written(tmp_path, text * (2**16), "book.txt")))  # 2 ** 20 characters end with a line
    assert {line for song in songs for line in song.lyric.split("\n")} == {"x" * 31}


def test_a_long_text_without_line_ends_is_cut_too(tmp_path):
    songs = [song.lyric for song in read_songs(written(tmp_path, "la " * 9000, "book.txt"))]
    assert "".join(songs) == "la " * 9000 and len(songs) > 2


def test_a_folder_gives_a_song_a_file_and_the_subfolder_is_the_artist(tmp_path):
    (tmp_path / "Ann").mkdir()
    (tmp_path / "odd.txt").mkdir()
    written(tmp_path / "Ann", "hello\n", "b.txt")
    written(tmp_path, "ahoy\n", "a.txt")
    written(tmp_path, "not a song", "notes.md")
    assert list(read_songs(tmp_path)) == [Song("hello", "Ann", "b"), Song("ahoy", "", "a")]


def test_titles_are_read_as_they_stand_where_there_is_such_a_column(tmp_path):
    path = written(tmp_path, HEADER + "0,Ann,1989,,,,hello\n1,Ann,NA,,,,there\n2,Ann,,,,,again\n")
    assert [song.title for song in read_songs(path)] == ["1989", "NA", ""]
    assert list(LyricsGenerationDataset(path).lyrics_dataframe["Title"].isna()) == [False, False, True]
    assert next(read_songs(path, "Title", "Artist")) == Song("1989", "Ann", "1989")
    assert [song.title for song in read_songs(written(tmp_path, "Lyric\nhello\n"))] == [""]


@pytest.mark.parametrize("content", [b"", b"x", "é".encode("latin-1") * 9])
def test_a_text_without_a_song_gives_one_sentence(content, tmp_path):
    with pytest.raises(DataError) as error:
        list(read_songs(written(tmp_path, content, "songs.txt")))
    assert "songs.txt" in sentence_of(error)


def test_data_module_has_a_test_split_only_where_a_path_is_given(songs_folder):
    path = songs_folder / "songdata_val.csv"
    module = LyricsGenerationDataModule({"train": path, "val": path, "test": path}, shuffle=False, batch_size=2)
    assert set(module.datasets) == {"train", "val", "test"}
    assert [len(batch.sequence_length) for batch in module.test_dataloader()] == [2, 2, 1]
    first = next(iter(module.train_dataloader()))
    assert first.sequence_length[0] == module.datasets["train"][0].sequence_length
    assert set(LyricsGenerationDataModule({"train": path, "val": path}).datasets) == {"train", "val"}
