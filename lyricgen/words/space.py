"""VectorSpace: word vectors as gensim `KeyedVectors`."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from gensim.models import KeyedVectors
from numpy.typing import DTypeLike

from lyricgen.words.word_vectors import WordVectors, read_folder, writing_space


class VectorSpace(WordVectors, KeyedVectors):
    """`WordVectors` as gensim `KeyedVectors`; arguments and errors as there."""

    def __init__(
        self, name: str, words: Sequence[str] | Callable[[], Sequence[str]], vectors: np.ndarray, source: str = ""
    ):
        KeyedVectors.__init__(self, vectors.shape[1], count=0, dtype=np.float32)
        del self.index_to_key, self.key_to_index  # gensim's empty ones, over the properties
        self.next_index = len(vectors)
        WordVectors.__init__(self, name, words, vectors, source)

    @classmethod
    def of(cls, vectors: WordVectors) -> "VectorSpace":
        """The space of word vectors, with what is read and computed of them so far."""
        space = cls(vectors.name, lambda: vectors.index_to_key, vectors.vectors, vectors.source)
        space.__dict__.update(vars(vectors))
        return space


def save_space(
    space: KeyedVectors, folder: str | Path, name: str, source: str, dtype: DTypeLike = np.float32, **facts: Any
) -> None:
    """Saves any gensim `KeyedVectors` as the folder of a space; arguments as in `writing_space`."""
    with writing_space(folder, name, source, space.vector_size, dtype, **facts) as writer:
        writer.add(space.index_to_key, space.vectors)


def open_space(folder: str | Path) -> VectorSpace:
    """Opens the folder of a space; files and errors as of `read_folder`."""
    return VectorSpace.of(read_folder(folder))
