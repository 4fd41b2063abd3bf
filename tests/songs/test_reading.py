"""Files of songs read as songs."""

import os

import pytest

from lyricgen import encode_corpus, read_songs


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
