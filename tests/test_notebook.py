"""The course notebook's first part, cell by cell, as a student would run it on `lyricgen`."""

import os
from functools import partial
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader

from lyricgen import (
    ARTISTS,
    OOV_LABEL,
    PADDING_LABEL,
    GreedyDecodingStrategy,
    Hypothesis,
    ImprovedSeqModel,
    LyricsGenerationDataModule,
    LyricsGenerationDataset,
    LyricsGenerationTask,
    LyricsGenerationTensor,
    SamplingDecodingStrategy,
    VanillaRNN,
    character_to_label,
    load_model,
    pad_sequence,
    string_to_labels,
    token_ids_to_str,
)

QUIET = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False, "accelerator": "cpu"}
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*does not have many workers"),
    pytest.mark.filterwarnings("ignore:.*number of training batches"),
    pytest.mark.filterwarnings("ignore:.*LeafSpec"),
]


@pytest.fixture
def data_module(songs_folder):
    paths = {"train": songs_folder / "songdata_train.csv", "val": songs_folder / "songdata_val.csv"}
    return LyricsGenerationDataModule(paths, ARTISTS, batch_size=5)


def trained(model, data_module, folder, epochs):
    pl.seed_everything(777, verbose=False)
    task = LyricsGenerationTask(model, learning_rate=0.01)
    trainer = pl.Trainer(max_epochs=epochs, default_root_dir=folder, enable_checkpointing=False, **QUIET)
    trainer.fit(task, data_module)
    return task, trainer


def prefixes(*texts):
    """A batch of prefixes of different lengths, padded as the notebook pads."""
    labels = [string_to_labels(text, OOV_LABEL) for text in texts]
    longest = max(map(len, labels))
    token_ids = torch.tensor([pad_sequence(row, longest, PADDING_LABEL) for row in labels])
    return Hypothesis(token_ids, torch.zeros(token_ids.shape), torch.tensor([len(row) for row in labels]))


def test_characters_become_labels_and_come_back():
    assert (PADDING_LABEL, OOV_LABEL) == (100, 100)
    assert [character_to_label(character, OOV_LABEL) for character in "09az \n방"] == [0, 9, 10, 35, 94, 96, 100]
    labels = string_to_labels("hello, world", OOV_LABEL)
    assert token_ids_to_str(labels) == "hello, world"
    assert token_ids_to_str(pad_sequence(labels, 14, PADDING_LABEL)) == "hello, world\ufffd\ufffd"


def test_dataset_keeps_songs_of_the_artists_with_a_lyric_in_file_order(songs_folder):
    dataset = LyricsGenerationDataset(songs_folder / "songdata_train.csv", artists=ARTISTS, oov_label=OOV_LABEL)
    titles = list(dataset.lyrics_dataframe["Title"])
    assert len(dataset) == 13 and titles[:4] == ["paper boats", "lantern", "café on the hill", "tin roof"]
    assert "silence" not in titles and "hum" not in titles and "garage demo" not in titles
    assert dataset.lyrics_dataframe["Lyric"].iloc[-1] == "NA"  # a lyric, not a missing value
    assert list(dataset.lyrics_dataframe.index) == list(range(13))
    assert list(dataset.lyrics_dataframe.columns)[1:] == ["Artist", "Title", "Album", "Year", "Date", "Lyric"]
    assert (
        dataset.artists_list == ["Beyoncé", "Coldplay", "Drake", "BTS (방탄소년단)"] and dataset.number_of_artists == 4
    )


def test_item_is_the_song_shifted_by_one_character(songs_folder):
    item = LyricsGenerationDataset(songs_folder / "songdata_train.csv")[1]
    assert token_ids_to_str(item.input_sequence).startswith("hang a lantern in the apple tree  so")
    assert token_ids_to_str(item.output_sequence).startswith("ang a lantern in the apple tree  so ")
    assert torch.equal(item.input_sequence[1:], item.output_sequence[:-1])
    assert torch.is_tensor(item.sequence_length) and item.sequence_length == len(item.input_sequence) == len(
        item.output_sequence
    )


def test_minimum_song_count_leaves_out_artists_with_fewer_songs(songs_folder):
    dataset = LyricsGenerationDataset(songs_folder / "songdata_train.csv", minimum_song_count=4, artists=ARTISTS)
    assert dataset.artists_list == ["Coldplay"] and len(dataset) == 4


def test_collate_pads_to_the_longest_song_of_the_batch(data_module):
    songs = [data_module.datasets["val"][index] for index in (3, 0, 4)]
    batch = LyricsGenerationDataModule.collate_fn(PADDING_LABEL, songs)
    assert isinstance(batch, LyricsGenerationTensor)
    longest = max(len(song.input_sequence) for song in songs)
    assert batch.input_sequence.shape == batch.output_sequence.shape == (
        3,
        longest,
    ) and batch.sequence_length.shape == (3,)
    for row, song in enumerate(songs):
        length = int(song.sequence_length)
        assert torch.equal(batch.input_sequence[row, :length], song.input_sequence)
        assert (batch.output_sequence[row, length:] == PADDING_LABEL).all()
    loader = DataLoader(data_module.datasets["val"], 2, collate_fn=partial(data_module.collate_fn, PADDING_LABEL))
    assert [len(batch.sequence_length) for batch in loader] == [2, 2, 1]


def test_models_have_the_notebooks_parts_and_sizes():
    for model_class, layers, parameters in (
        (VanillaRNN, torch.nn.RNN, 1_153_636),
        (ImprovedSeqModel, torch.nn.LSTM, 4_305_508),
    ):
        model = model_class(input_size=101, hidden_size=512, num_classes=100, n_layers=2, padding_label=100)
        assert sum(parameter.numel() for parameter in model.parameters()) == parameters
        assert isinstance(model.embeddings, torch.nn.Embedding) and isinstance(model.ffnn, torch.nn.Linear)
        assert isinstance(model.rnn, layers) and model.rnn.batch_first
        assert not model.embeddings.weight[100].any()
        logits, hidden = model(torch.zeros(2, 3, dtype=torch.long), torch.tensor([3, 2]))
        assert logits.shape == (2, 3, 100)
        assert (hidden[0] if layers is torch.nn.LSTM else hidden).shape == (2, 2, 512)


@pytest.mark.parametrize("model_class", [VanillaRNN, ImprovedSeqModel])
def test_training_lowers_the_loss_and_the_checkpoint_brings_the_model_back(model_class, data_module, tmp_path):
    pl.seed_everything(777, verbose=False)
    model = model_class(hidden_size=24)
    _, before = trained(model, data_module, tmp_path, epochs=1)
    task, after = trained(model, data_module, tmp_path, epochs=5)
    assert after.callback_metrics["val_bpc"] < before.callback_metrics["val_bpc"] < 6.7
    assert not model.embeddings.weight[PADDING_LABEL].any()

    path = tmp_path / "improved_model.ckpt"
    after.save_checkpoint(path)
    again = LyricsGenerationTask.load_from_checkpoint(
        path, model=model_class(hidden_size=24), learning_rate=0.01, weights_only=True
    )
    batch = next(iter(data_module.val_dataloader()))
    expected, _ = task.model(batch.input_sequence, batch.sequence_length)
    logits, _ = again.model(batch.input_sequence, batch.sequence_length)
    loaded, _ = load_model(path)(batch.input_sequence, batch.sequence_length)
    assert torch.equal(logits, expected) and torch.equal(loaded, expected)


def test_a_students_own_model_plugs_into_the_task(data_module, tmp_path):
    class StudentModel(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.embeddings = torch.nn.Embedding(101, 8, padding_idx=100)
            self.rnn = torch.nn.GRU(8, 8, batch_first=True)
            self.ffnn = torch.nn.Linear(8, 100)

        def forward(self, input_sequences, input_sequences_lengths, hidden=None):
            outputs, hidden = self.rnn(self.embeddings(input_sequences), hidden)
            return self.ffnn(outputs), hidden

    model = StudentModel()
    _, trainer = trained(model, data_module, tmp_path, epochs=1)
    assert 0 < trainer.callback_metrics["val_bpc"] < 7.5
    trainer.save_checkpoint(tmp_path / "own.ckpt")
    [hypothesis] = GreedyDecodingStrategy(model).decode(prefixes("slow", "to"), max_length=9)
    assert token_ids_to_str(hypothesis.token_ids[0]).startswith("slow")


@pytest.mark.parametrize("model_class", [VanillaRNN, ImprovedSeqModel])
def test_a_batch_of_prefixes_decodes_greedily_and_by_sampling(model_class, data_module, tmp_path):
    model = model_class(hidden_size=24)
    trained(model, data_module, tmp_path, epochs=2)
    start = prefixes("slow train", "oh", "the waiter ")
    [greedy] = GreedyDecodingStrategy(model).decode(start, max_length=40)
    assert greedy.token_ids.shape == (3, 40) and greedy.lengths.tolist() == [40, 40, 40]
    for row, prefix in enumerate(("slow train", "oh", "the waiter ")):
        assert token_ids_to_str(greedy.token_ids[row]).startswith(prefix)
        [alone] = GreedyDecodingStrategy(model).decode(prefixes(prefix), max_length=40)
        assert torch.equal(alone.token_ids[0], greedy.token_ids[row])
    [sampled] = SamplingDecodingStrategy(model).decode(start, max_length=40, temperature=0.5)
    assert sampled.token_ids.shape == (3, 40)
    [coldest] = SamplingDecodingStrategy(model).decode(start, max_length=40, temperature=1e-6)
    assert torch.equal(coldest.token_ids, greedy.token_ids)
    assert GreedyDecodingStrategy(model).decode(start)[0].token_ids.shape == (3, 300)


def test_songdata_has_the_notebooks_numbers_of_songs():
    folder = Path(os.environ.get("LYRICGEN_SONGDATA") or Path(__file__).parents[2] / "shared/data/songdata")
    if not (folder / "songdata_train.csv").is_file():
        pytest.skip("songdata is not here: name its folder in LYRICGEN_SONGDATA")
    sizes = [
        len(LyricsGenerationDataset(folder / f"songdata_{split}.csv", artists=ARTISTS)) for split in ("train", "val")
    ]
    assert sizes == [4226, 887]
