"""Files of songs -> songs, and the notebook's dataset and data module over them."""

import csv
import os
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader, Dataset

from lyricgen.errors import DataError, os_error_reason
from lyricgen.models.vocabulary import OOV_LABEL, PADDING_LABEL, pad_sequence, string_to_labels
from lyricgen.validation import short_repr

ARTISTS = [
    "Ariana Grande",
    "BTS (방탄소년단)",
    "Beyoncé",
    "Billie Eilish",
    "Cardi B",
    "Charlie Puth",
    "Coldplay",
    "Drake",
    "Dua Lipa",
    "Ed Sheeran",
    "Eminem",
    "Justin Bieber",
    "Katy Perry",
    "Khalid",
    "Lady Gaga",
    "Maroon 5",
    "Nicki Minaj",
    "Post Malone",
    "Rihanna",
    "Selena Gomez",
    "Taylor Swift",
]
LYRIC_COLUMN, ARTIST_COLUMN, TITLE_COLUMN = "Lyric", "Artist", "Title"
SHORTEST_LYRIC = 2  # characters; a shorter one has nothing to predict
TEXT_STRETCH = 5_000  # characters: a text file that marks no songs is cut at line ends into pieces of about this size
CSV_ROWS_AT_ONCE = 2_000
COLUMNS_NAMED = 12  # at most, in a message


@dataclass
class Song:
    """A lyric, its artist and its title ('' where the file names none)."""

    lyric: str
    artist: str = ""
    title: str = ""


@dataclass
class LyricsGenerationTensor:
    """One song, or one batch of songs or of stretches of songs.

    Shapes of one song: (T,), (T,), (); of a batch: (B, T), (B, T), (B,). The last three are set in batches cut from
    streams (`lyricgen.songs.corpus`) and None elsewhere.
    """

    input_sequence: torch.Tensor
    """Labels that go in: the song without its last character."""
    output_sequence: torch.Tensor
    """Labels to predict: the song without its first character."""
    sequence_length: torch.Tensor
    """Characters that count."""
    artists: torch.Tensor | None = None
    """Artist label of each row (B,)."""
    starts: torch.Tensor | None = None
    """Whether the row opens a song here (B,), so that no hidden state is carried into it."""
    songs: torch.Tensor | None = None
    """Number of the row's song in its corpus (B,)."""

    def to(self, device) -> "LyricsGenerationTensor":
        """The same batch on `device`."""
        return LyricsGenerationTensor(
            *(None if value is None else value.to(device, non_blocking=True) for value in vars(self).values())
        )


class LyricsGenerationDataset(Dataset):
    """The songs of a CSV file in the file's order; item i is song i as a `LyricsGenerationTensor`.

    Args:
        csv_file_path: a CSV file in UTF-8 with the columns Artist and Lyric.
        minimum_song_count: leave out artists with fewer songs than this.
        artists: keep these artists only.
        oov_label: the label of characters outside the vocabulary.

    Raises:
        DataError: the file cannot be read as such, or no song is left.
    """

    def __init__(
        self,
        csv_file_path: str | Path,
        minimum_song_count: int | None = None,
        artists: Sequence[str] | None = None,
        oov_label: int = OOV_LABEL,
    ):
        frame = read_csv(csv_file_path)
        frame = frame[frame[LYRIC_COLUMN].str.len() >= SHORTEST_LYRIC]
        if artists is not None:
            frame = frame[frame[ARTIST_COLUMN].isin(list(artists))]
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
        artists: keep these artists only; None keeps all.
        batch_size: songs in a batch.
        shuffle: whether the training songs are shuffled every epoch.
        padding_label, oov_label: the labels that fill up a batch, and that stand for unknown characters.
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
        longest = max(len(instance.input_sequence) for instance in instances)
        return LyricsGenerationTensor(
            torch.stack([pad_sequence(instance.input_sequence, longest, padding_label) for instance in instances]),
            torch.stack([pad_sequence(instance.output_sequence, longest, padding_label) for instance in instances]),
            torch.stack([torch.as_tensor(instance.sequence_length) for instance in instances]),
        )

    def _loader(self, split: str, shuffle: bool = False) -> DataLoader:
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


def read_csv(path: str | Path, lyric_column: str = LYRIC_COLUMN, artist_column: str = ARTIST_COLUMN) -> pd.DataFrame:
    """A CSV file as one frame: the lyric and artist columns as text ('' where empty), the others as pandas reads them.

    Raises:
        DataError: the file is missing, empty, not UTF-8, not a CSV file, or lacks a column.
    """
    return pd.concat(_csv_frames(path, lyric_column, artist_column))


def read_songs(
    source: str | Path, lyric_column: str = LYRIC_COLUMN, artist_column: str | None = None
) -> Iterator[Song]:
    """The songs of a CSV file, a text file, or a folder of text files, one after the other.

    In a text file two blank lines or more part one song from the next; a file without them is cut at line ends into
    stretches of about 5,000 characters, so that there is something to hold out. In a folder each `.txt` is one song of the
    file's name, and its subfolder's name, if it is in one, is the artist. The titles of a CSV file are in its column
    Title, if there is one. Songs of less than two characters are left out.

    Args:
        source: the file or folder.
        lyric_column: the CSV column that holds the lyric.
        artist_column: the one that holds the artist; '' for none; None: Artist if there is one.

    Raises:
        DataError: nothing is there, it cannot be read as UTF-8, or it holds no song.
    """
    source, found = Path(source), False
    if not os.path.exists(source):  # Path.exists raises on a name too long for a file
        raise DataError(
            f"there is no file or folder {short_repr(str(source))}; name a CSV file, a text file or a folder of text files"
        )
    if source.is_dir():
        songs = _songs_of_folder(source)
    elif source.suffix.lower() == ".csv":
        songs = _songs_of_csv(source, lyric_column, artist_column)
    else:
        songs = (Song(lyric) for lyric in _songs_of_text(source))
    for song in songs:
        if len(song.lyric) >= SHORTEST_LYRIC:
            found = True
            yield song
    if not found:
        raise DataError(f"{source.name} holds no lyric of {SHORTEST_LYRIC} characters or more")


def _songs_of_csv(path: Path, lyric_column: str, artist_column: str | None) -> Iterator[Song]:
    column = ARTIST_COLUMN if artist_column is None else artist_column
    for frame in _csv_frames(path, lyric_column, artist_column, TITLE_COLUMN):
        artists, titles = (frame[name] if name in frame else [""] * len(frame) for name in (column, TITLE_COLUMN))
        yield from map(Song, frame[lyric_column], artists, titles)


def _csv_frames(
    path: str | Path, lyric_column: str, artist_column: str | None, title_column: str | None = None
) -> Iterator[pd.DataFrame]:
    """The rows of a CSV file in frames of a bounded size, its faults turned into `DataError`.

    The lyric and artist columns are text, and so is the title's where one is named and the file has it. An artist column
    of None is Artist where the file has it.
    """
    path = Path(path)
    needed = [column for column in (lyric_column, artist_column) if column]
    if not os.path.exists(path):
        raise DataError(f"there is no file {short_repr(str(path))}; name a CSV file")
    try:
        header = list(pd.read_csv(path, nrows=0, index_col=False).columns)
        if artist_column is None and ARTIST_COLUMN in header:
            needed.append(ARTIST_COLUMN)
        needed += [title_column] * (title_column in header and title_column not in needed)
        missing = [column for column in needed if column not in header]
        if missing:
            columns = ", ".join(map(short_repr, header[:COLUMNS_NAMED])) + (
                ", ..." if len(header) > COLUMNS_NAMED else ""
            )
            raise DataError(f"{path.name} has no column {missing[0]!r}; its columns are {columns}: name yours")
        with warnings.catch_warnings():  # pandas only warns of a first row longer than the header, and cuts it
            warnings.simplefilter("error", pd.errors.ParserWarning)
            pd.read_csv(path, nrows=1, index_col=False, dtype=str)
        others = {column: [""] for column in header if column not in needed}
        with pd.read_csv(
            path,
            chunksize=CSV_ROWS_AT_ONCE,
            index_col=False,
            dtype={column: str for column in needed},
            keep_default_na=False,
            na_values=others or None,
            on_bad_lines="error",
        ) as frames:
            rows = 0
            for frame in frames:
                frame[needed] = frame[needed].fillna("")
                rows += len(frame)
                yield frame
        if not rows:
            raise DataError(f"{path.name} has a header but no rows")
    except IsADirectoryError:
        raise DataError(f"{short_repr(str(path))} is a folder; name a CSV file") from None
    except pd.errors.EmptyDataError:
        raise DataError(f"{path.name} is empty; it needs a header with the columns {' and '.join(needed)}") from None
    except OSError as error:
        raise _unreadable(path, error) from None
    except UnicodeDecodeError as error:
        raise _not_utf8(path, error) from None
    except pd.errors.ParserWarning:
        raise DataError(
            f"{path.name} is not a well-formed CSV file (its first row is longer than its header); name every column in the header"
        ) from None
    except (pd.errors.ParserError, csv.Error) as error:
        reason = str(error).split("C error: ")[-1].strip().rstrip(".")
        raise DataError(
            f"{path.name} is not a well-formed CSV file ({reason}); look for an unclosed quote or a row of another length"
        ) from None


def _songs_of_folder(folder: Path) -> Iterator[Song]:
    paths = sorted(path for path in folder.rglob("*.txt") if path.is_file())
    if not paths:
        raise DataError(f"folder {folder.name!r} holds no .txt file; put one song in each, or name a CSV file")
    for path in paths:
        artist = path.parent.name if path.parent != folder else ""
        yield Song("".join(_decoded_blocks(path)).strip(), artist, path.stem)


def _songs_of_text(path: Path) -> Iterator[str]:
    """Songs between gaps of two blank lines or more; a stretch that grows too long without a gap is cut at a line end."""
    gap, rest = re.compile(r"\n[ \t]*\n[ \t]*\n\s*"), ""
    for block in _decoded_blocks(path):
        *songs, rest = gap.split(rest + block)
        for song in songs:
            yield from _stretches(song)
        if len(rest) > 4 * TEXT_STRETCH:
            line_ends = rest[len(rest.rstrip("\n")) :]  # what follows them is still to come
            *ready, rest = _stretches(rest)
            rest += line_ends
            yield from ready
    yield from _stretches(rest)


def _stretches(text: str) -> Iterator[str]:
    """`text` whole if it is of a song's size, else cut at the line ends nearest after every 5,000 characters."""
    text = text.strip("\n")
    while len(text) > 2 * TEXT_STRETCH:
        cut = text.find("\n", TEXT_STRETCH, 2 * TEXT_STRETCH)
        cut = TEXT_STRETCH if cut < 0 else cut
        yield text[:cut]
        text = text[cut:].lstrip("\n")
    yield text


def _decoded_blocks(path: Path) -> Iterator[str]:
    """The text of a UTF-8 file in blocks of a bounded size, with line ends as \\n."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            while block := file.read(1 << 20):
                yield block
    except OSError as error:
        raise _unreadable(path, error) from None
    except UnicodeDecodeError as error:
        raise _not_utf8(path, error) from None


def _unreadable(path: Path, error: OSError) -> DataError:
    return DataError(
        f"{short_repr(str(path))} cannot be read ({os_error_reason(error)}); check its name and its permissions"
    )


def _not_utf8(path: Path, error: UnicodeDecodeError) -> DataError:
    byte = error.object[error.start]
    return DataError(f"{path.name} is not UTF-8 (byte {byte:#04x} in it); save it as UTF-8 and try again")
