"""Resources of a command: each is loaded when it is first used, from the bundled ones, a folder or a file."""

import pytest

from lyricgen import Checkpoint, ImprovedSeqModel, save_checkpoint
from lyricgen.command_resources import CommandResources
from lyricgen.errors import ModelError, VectorsError
from lyricgen.generation.api import make_request
from lyricgen.generation.settings import GenerationSettings
from lyricgen.memorization.song_index import SongIndex
from lyricgen.resources import Resources
from lyricgen.songs.reading import Song


def test_a_model_is_read_once_from_a_folder_with_its_learning_curve(tmp_path):
    rows = [{"step": 1, "train_bpc": 3.0}]
    save_checkpoint(Checkpoint(ImprovedSeqModel(hidden_size=4, artists=("Ada Lark",)), {}, rows), tmp_path / "mine")
    resources = CommandResources()
    loaded = resources.model(str(tmp_path / "mine"))
    assert loaded.model.artists == ("Ada Lark",) and loaded.checkpoint.history == rows
    assert resources.model(f" {tmp_path / 'mine'} ") is loaded


def test_names_are_those_of_an_app():
    resources, of_app = CommandResources(), Resources()
    assert resources.model_names == of_app.model_names and resources.default_model == of_app.default_model
    assert resources.space_names == of_app.space_names
    assert resources.model(" LSTM ").name == "lstm" and resources.space().name == of_app.space().name


def test_what_is_missing_is_an_error_of_its_kind(tmp_path):
    resources = CommandResources(tmp_path / "nothing")
    with pytest.raises(ModelError, match="lstn"):
        resources.model("lstn")
    with pytest.raises(VectorsError, match="glov"):
        resources.space("glov")
    with pytest.raises(ModelError):
        _ = resources.song_index


def test_copies_are_those_of_the_songs_beside_a_model_folder(tmp_path):
    save_checkpoint(Checkpoint(ImprovedSeqModel(hidden_size=4), {}, []), tmp_path / "lstm")
    resources, settings = CommandResources(), GenerationSettings(max_copied_words=5)
    of_bundled = resources.request(str(tmp_path / "lstm"), "", settings).guards[0].index
    SongIndex.build([Song("the gulls fly over the cold harbour")], asked=0).save(tmp_path / "originality")
    mine = make_request(model=tmp_path / "lstm", max_copied_words=5).guards[0].index
    assert len(mine) == len(resources.request(str(tmp_path / "lstm"), "", settings).guards[0].index) == 1
    assert of_bundled is resources.request("lstm", "", settings).guards[0].index is not mine


def test_a_question_about_words_loads_no_model():
    resources = CommandResources()
    resources.space("lyrics")
    assert resources._models == {}
