"""The course notebook's dataset and data module: whole songs, padded to the longest of the batch.

Shapes: B songs in the batch, T characters.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader, Dataset

from lyricgen.errors import DataError
from lyricgen.models.vocabulary import OOV_LABEL, PADDING_LABEL, pad_sequence, string_to_labels
from lyricgen.songs.reading import ARTIST_COLUMN, LYRIC_COLUMN, MIN_LYRIC_LENGTH, read_csv
from lyricgen.validation import name_key


@dataclass(eq=False)
class LyricsGenerationTensor:
    """One song, or one batch of songs or of stretches of songs.

    Shapes of one song: (T,), (T,), (); of a batch: (B, T), (B, T), (B,). The last three fields are None except in batches
    of `SongStreams`.
    """

    input_sequence: torch.Tensor
    """Input labels: the song without its last character."""
    output_sequence: torch.Tensor
    """Target labels: the song without its first character."""
    sequence_length: torch.Tensor
    """Characters before the padding."""
    artists: torch.Tensor | None = None
    """Artist label of each row (B,)."""
    starts: torch.Tensor | None = None
    """Whether a song starts in the row here (B,), so that no hidden state is carried into it."""
    songs: torch.Tensor | None = None
    """Number of the row's song in its corpus (B,)."""

    def to(self, device: torch.device | str) -> "LyricsGenerationTensor":
        """The same batch on `device`."""
        moved = {name: value.to(device, non_blocking=True) for name, value in vars(self).items() if value is not None}
        return LyricsGenerationTensor(**moved)


class LyricsGenerationDataset(Dataset):
    """The songs of a CSV file in the file's order; item i is song i as a `LyricsGenerationTensor`.

    Args:
        csv_file_path: a CSV file in UTF-8 with the columns Artist and Lyric.
        minimum_song_count: songs that an artist must have to be kept.
        artists: the artists to keep, compared by `name_key`.
        oov_label: the label of characters outside the vocabulary.

    Raises:
        DataError: the file is no such CSV file, or no song is left.
    """

    def __init__(
        self,
        csv_file_path: str | Path,
        minimum_song_count: int | None = None,
        artists: Sequence[str] | None = None,
        oov_label: int = OOV_LABEL,
    ):
        frame = read_csv(csv_file_path)
        frame = frame[frame[LYRIC_COLUMN].str.len() >= MIN_LYRIC_LENGTH]
        if artists is not None:
            frame = frame[frame[ARTIST_COLUMN].map(name_key).isin(list(map(name_key, artists)))]
        if minimum_song_count is not None:
            frame = frame[frame.groupby(ARTIST_COLUMN)[LYRIC_COLUMN].transform("size") >= minimum_song_count]
        if frame.empty:
            raise DataError(
                f"{Path(csv_file_path).name} has no song left after the filters; allow more artists or fewer songs each"
            )
        self.lyrics_dataframe = frame.reset_index(drop=True)
        self.artists_list = list(self.lyrics_dataframe[ARTIST_COLUMN].unique())
        self.number_of_artists = len(self.artists_list)
        self.oov_label = oov_label

    def __len__(self) -> int:
        return len(self.lyrics_dataframe)

    def __getitem__(self, index: int) -> LyricsGenerationTensor:
        labels = torch.tensor(string_to_labels(self.lyrics_dataframe[LYRIC_COLUMN].iloc[index], self.oov_label))
        return LyricsGenerationTensor(labels[:-1], labels[1:], torch.tensor(len(labels) - 1))


class LyricsGenerationDataModule(pl.LightningDataModule):
    """The notebook's whole-song batches: `.datasets['train']`, `.datasets['val']`, and 'test' if a path is given.

    Args:
        dataset_paths: CSV files by split: {'train': ..., 'val': ...}.
        artists: the artists to keep; None: all.
        batch_size: B.
        shuffle: whether training songs are shuffled every epoch.
        padding_label: fills shorter songs of a batch.
        oov_label: the label of characters outside the vocabulary.
    """

    def __init__(
        self,
        dataset_paths: dict[str, str | Path],
        artists: Sequence[str] | None = None,
        batch_size: int = 32,
        shuffle: bool = True,
        padding_label: int = PADDING_LABEL,
        oov_label: int = OOV_LABEL,
    ):
        super().__init__()
        self.batch_size, self.shuffle, self.padding_label = batch_size, shuffle, padding_label
        self.datasets = {
            split: LyricsGenerationDataset(path, artists=artists, oov_label=oov_label)
            for split, path in dataset_paths.items()
        }

    @staticmethod
    def collate_fn(padding_label: int, instances: Sequence[LyricsGenerationTensor]) -> LyricsGenerationTensor:
        """Pads songs to the longest of the batch and stacks them: (B, T), (B, T), (B,)."""
        longest = max(len(song.input_sequence) for song in instances)
        return LyricsGenerationTensor(
            torch.stack(
                [torch.as_tensor(pad_sequence(song.input_sequence, longest, padding_label)) for song in instances]
            ),
            torch.stack(
                [torch.as_tensor(pad_sequence(song.output_sequence, longest, padding_label)) for song in instances]
            ),
            torch.stack([torch.as_tensor(song.sequence_length) for song in instances]),
        )

    def _loader(self, split: str, shuffle: bool = False) -> DataLoader[LyricsGenerationTensor]:
        return DataLoader(
            self.datasets[split],
            self.batch_size,
            shuffle=shuffle,
            collate_fn=partial(self.collate_fn, self.padding_label),
        )

    def train_dataloader(self) -> DataLoader:
        return self._loader("train", self.shuffle)

    def val_dataloader(self) -> DataLoader:
        return self._loader("val")

    def test_dataloader(self) -> DataLoader:
        return self._loader("test")
