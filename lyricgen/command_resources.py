"""CommandResources: the resources of one command of the shell, each loaded when it is first used."""

import threading
from functools import cached_property
from pathlib import Path

import torch

from lyricgen.analysis.attribution import bundled_ngrams
from lyricgen.analysis.membership import MembershipThresholds, bundled_thresholds
from lyricgen.analysis.ngram_classifier import NgramClassifier
from lyricgen.memorization.song_index import SongIndex, bundled_index, index_of_model
from lyricgen.models.checkpoints import Checkpoint, bundled_models, find_checkpoint, load_checkpoint, load_model
from lyricgen.resources import BUNDLED, BUNDLED_SPACES, LoadedModel, Resources, Source
from lyricgen.words.sources import read_vectors
from lyricgen.words.word_vectors import WordVectors


class CommandResources(Resources):
    """The bundled resources, on the CPU, each loaded when it is first used; a model or a vector space may also be a file or a
    folder.

    Args:
        song_index: folder of an index of other songs; None: the bundled one.
    """

    def __init__(self, song_index: str | Path | None = None):
        self.device = torch.device("cpu")
        self.left_out = {}
        self._moving = threading.Lock()
        self._models: dict[str, LoadedModel] = {}
        self._index_folder = song_index

    @property
    def model_names(self) -> list[str]:
        return bundled_models()

    def model(self, name: str | None = None) -> LoadedModel:
        """A bundled model by name, or a model from a folder or a .ckpt file.

        Raises:
            ModelError: there is no such model, or it is damaged.
        """
        name = (self.default_model if name is None else str(name)).strip()
        name = name.lower() if name.lower() in self.model_names else name
        if name not in self._models:
            path = find_checkpoint(name)
            checkpoint = Checkpoint(load_model(path)) if path.suffix == ".ckpt" else load_checkpoint(path)
            self._models[name] = LoadedModel(name, checkpoint, Source(path.parent, BUNDLED), BUNDLED)
        return self._models[name]

    @property
    def default_model(self) -> str:
        return "lstm"

    @property
    def space_names(self) -> list[str]:
        return list(BUNDLED_SPACES)

    def space(self, name: str | None = None, argument: str = "vectors") -> WordVectors:
        """A vector space, as `load_vectors` takes it; None: the default.

        Raises:
            VectorsError: there is none of that name, or it is damaged.
        """
        return read_vectors(self.space_names[0] if name is None else name)

    @cached_property
    def song_index(self) -> SongIndex:
        return bundled_index() if self._index_folder is None else SongIndex.load(self._index_folder)

    def index_of(self, model: LoadedModel) -> SongIndex:
        return index_of_model(model.name) if self._index_folder is None else self.song_index

    @cached_property
    def ngrams(self) -> NgramClassifier | None:
        return bundled_ngrams()

    @cached_property
    def membership(self) -> MembershipThresholds | None:
        return bundled_thresholds()
