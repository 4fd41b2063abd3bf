"""The loaded models, vector spaces and indexes of an app, by name, with the origin of each."""

import logging
import os
import platform
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import torch

from lyricgen import __version__
from lyricgen.analysis.membership import MembershipThresholds, load_thresholds
from lyricgen.analysis.ngram_classifier import NgramClassifier, load_ngrams
from lyricgen.devices import IS_ZERO_GPU, best_device, device_name
from lyricgen.errors import HubError, ModelError, VectorsError
from lyricgen.generation.clean_words import read_word_list
from lyricgen.generation.request import GenerationRequest
from lyricgen.generation.scheduler import ContinuousBatch, GenerationOutput, stream_together
from lyricgen.generation.settings import GenerationSettings
from lyricgen.hub.download import FOLDERS, Download
from lyricgen.memorization.copy_guard import make_copy_guard
from lyricgen.memorization.song_index import SongIndex
from lyricgen.models.checkpoints import WEIGHTS, Checkpoint, bundled_models, load_checkpoint
from lyricgen.models.networks import CharacterModel
from lyricgen.storage import ASSETS, MODEL, read_json
from lyricgen.validation import check_choice
from lyricgen.words.sources import read_vectors
from lyricgen.words.word_vectors import WordVectors

BUNDLED = "bundled with lyricgen"
BUNDLED_SPACES = ("glove-50", "lyrics")  # loaded in every app; the first is the default
WORDS, NGRAMS, INDEX, MEMBERSHIP = "lyrics", "attribution", "originality", "membership"  # folders without a network
DEVICE_ERRORS = (torch.OutOfMemoryError, torch.AcceleratorError)
"""GPU failures after which the model runs on the CPU; any other error is a bug."""
LOADERS: dict[str, Callable[[Path], Any]] = {
    WORDS: read_vectors,
    NGRAMS: load_ngrams,
    INDEX: SongIndex.load,
    MEMBERSHIP: load_thresholds,
}
Artifact = Checkpoint | WordVectors | NgramClassifier | SongIndex | MembershipThresholds
Answer = TypeVar("Answer")
log = logging.getLogger("lyricgen")


class Source:
    """A folder of artifacts as train.py writes it, and its origin; each artifact is read once.

    Raises, when an artifact is missing or cannot be read: ModelError, VectorsError.
    """

    def __init__(self, folder: Path, origin: str):
        self.folder, self.origin = folder, origin
        self._artifacts: dict[str, Artifact] = {}

    def read(self, name: str) -> Any:
        """A model by name, the word vectors, the n-gram classifier, or the song index."""
        if name not in self._artifacts:
            self._artifacts[name] = LOADERS.get(name, load_checkpoint)(self.folder / name)
        return self._artifacts[name]

    def has(self, name: str) -> bool:
        """Whether there is a folder of that name."""
        return os.path.isdir(self.folder / name)  # Path.is_dir raises on a name too long for a file


@dataclass(eq=False)
class LoadedModel:
    """A model that is ready to run."""

    name: str
    checkpoint: Checkpoint
    source: Source
    """The source that it was read from."""
    origin: str
    """The origin for display and, for a fallback, its reason."""
    _batch: ContinuousBatch | None = field(default=None, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    @property
    def model(self) -> CharacterModel:
        """The network."""
        return self.checkpoint.model

    @property
    def batch(self) -> ContinuousBatch:
        """The continuous batch of the model's requests; created by the first one."""
        with self._lock:
            if self._batch is None:
                self._batch = ContinuousBatch(self.model)
            return self._batch

    @property
    def file_sha256(self) -> str:
        """The sha256 of the file of weights, as the model's folder lists it; '' where it lists none."""
        header = self.source.folder / self.name / MODEL.header
        return str(read_json(header).get("sha256", {}).get(WEIGHTS, ""))

    @property
    def device(self) -> torch.device:
        """The device of the weights."""
        return next(self.model.parameters()).device

    def describe(self) -> dict[str, Any]:
        """The model's facts and metrics as plain values, for `/about`."""
        metrics = self.checkpoint.metrics
        return {
            "name": self.name,
            "class": type(self.model).__name__,
            "parameters": sum(parameter.numel() for parameter in self.model.parameters()),
            "artists": list(self.model.artists),
            "bits_per_character": {"validation": metrics.get("val_bpc"), "clean_validation": metrics.get("clean_bpc")},
            "trained": {
                name: metrics.get(name) for name in ("train_songs", "train_characters", "epochs", "seconds", "hardware")
            },
            "origin": self.origin,
        }


class Resources:
    """The models and vector spaces by name, loaded once at the start; safe to use from many threads.

    Args:
        folder: your own artifacts, as train.py writes them: models, each named as the bundled model that it replaces
            (`lstm`, `vanilla-rnn`), word vectors in `lyrics`, an n-gram classifier in `attribution`, a song index in
            `originality`. Bundled artifacts replace missing or damaged ones.
        device: of the models; None: a GPU if one works, else the CPU.
        vectors: more vector spaces, as `load_vectors` takes them: 'glove-200', or paths.
        hub: a download of artifacts from the Hub. Fallbacks if one of them cannot be read: the artifacts of an earlier start,
            then the bundled ones.
        strong_words: a file with the words that `clean_words` keeps out, one a line; None: the bundled list.

    Raises:
        ArgumentError: `strong_words` is no such file.
        ModelError: no model could be loaded. A single one that cannot be loaded is left out; `left_out` has the reason.
    """

    strong_words: frozenset[str] | None = None
    """The list of `clean_words`; None: the bundled one."""

    def __init__(
        self,
        folder: str | Path | None = None,
        device: str | torch.device | None = None,
        vectors: Iterable[str | Path] = (),
        hub: Download | None = None,
        strong_words: str | Path | None = None,
    ):
        self.device = torch.device(device) if device else best_device()
        self.left_out: dict[str, str] = {}
        if strong_words is not None:
            self.strong_words = read_word_list(strong_words)
        own = [Source(Path(folder), f"your model folder {Path(folder).name}")] if folder else []
        sources = [*own, *(hub_sources(hub) if hub else [Source(ASSETS, BUNDLED)])]
        self._moving = threading.Lock()  # held while a model moves to the CPU
        self._models: dict[str, LoadedModel] = {}
        for name in bundled_models():
            try:
                self._models[name] = self._load_model(name, sources)
            except ModelError as error:
                self._leave_out(name, error)
        if not self._models:
            raise ModelError("no bundled model could be loaded; fetch lyricgen again, or train models with train.py")
        self.ngrams, self.ngrams_source = self._load_part(NGRAMS, sources)
        self._spaces: dict[str, WordVectors] = {}
        self._space_origins: dict[str, str] = {}
        for vectors_name in (*BUNDLED_SPACES, *vectors):
            try:
                space, origin = self._load_space(vectors_name, sources)
                if space.name in self._spaces:
                    raise VectorsError(f"there is a space of the name {space.name} already; give the file another name")
                self._spaces[space.name], self._space_origins[space.name] = space, origin
            except VectorsError as error:
                self._leave_out(Path(vectors_name).name, error)
        self._song_index, self._index_source = self._load_part(INDEX, sources)
        self.membership, _ = self._load_part(MEMBERSHIP, sources, optional=True)

    @property
    def model_names(self) -> list[str]:
        """The names of the loaded models."""
        return list(self._models)

    @property
    def default_model(self) -> str:
        """The name of the default model."""
        return "lstm" if "lstm" in self._models else self.model_names[0]

    def model(self, name: str | None = None) -> LoadedModel:
        """A model by name; None: the default.

        Raises:
            ArgumentError: there is none of that name.
        """
        return self._models[self.default_model if name is None else check_choice("model", name, self._models)]

    def request(
        self, name: str | None = None, prefix: str = "", settings: GenerationSettings | None = None
    ) -> GenerationRequest:
        """A request to the model of that name, in its batch, with a copy guard where copied runs are limited.

        Raises:
            ArgumentError: a setting is not allowed, or there is no such model.
        """
        loaded, settings = self.model(name), settings or GenerationSettings()
        guard = make_copy_guard(settings.max_copied_words, lambda: self.index_of(loaded))
        guards = () if guard is None else (guard,)
        # a ZeroGPU Space runs each GPU call in a process of its own, where no batch runs
        batch = None if IS_ZERO_GPU else loaded.batch
        return GenerationRequest(loaded.model, prefix, settings, guards, batch, loaded.name, self.strong_words)

    def index_of(self, model: LoadedModel) -> SongIndex:
        """The index of the songs that a model was trained on."""
        return self.song_index

    def stream(self, request: GenerationRequest, every: float = 0.0) -> Iterator[str]:
        """Yields the text so far of a request; see `stream_together`."""
        for (lyric,) in self.stream_together([request], every):
            yield lyric.text

    def stream_together(
        self, requests: Sequence[GenerationRequest], every: float = 0.0, measured: bool = False
    ) -> Iterator[list[GenerationOutput]]:
        """Yields the outputs so far of all requests, batched continuously with those of other callers.

        If the GPU fails or is out of memory, its models move to the CPU permanently, and all lyrics start again there.

        Args:
            requests: from `request`.
            every: minimum seconds between two yields; more under load.
            measured: whether bits are counted.
        """
        yield from self._stream(requests, lambda each: stream_together(each, every, measured))

    def stream_on_model(
        self, request: GenerationRequest, write: Callable[[GenerationRequest], Iterator[Answer]]
    ) -> Iterator[Answer]:
        """Yields what `write` yields for a request, in the caller's thread; after a device failure once more on the CPU, see
        `stream_together`."""
        yield from self._stream([request], lambda each: write(each[0]))

    def _stream(
        self, requests: Sequence[GenerationRequest], write: Callable[[Sequence[GenerationRequest]], Iterator[Answer]]
    ) -> Iterator[Answer]:
        """Yields what `write` yields for requests; after a device failure once more, with their models on the CPU."""
        try:
            yield from write(requests)
        except DEVICE_ERRORS as error:
            again = [self._on_cpu(request, error) for request in requests]
            if all(new is old for new, old in zip(again, requests, strict=True)):
                raise
            yield from self._stream(again, write)

    def run_on_model(self, name: str | None, function: Callable[[CharacterModel], Answer]) -> Answer:
        """Runs a function on the model of that name and returns its result.

        If the GPU fails or is out of memory, the model moves to the CPU permanently, and `function` runs again there.

        Raises:
            ArgumentError: there is no such model, or what `function` raises.
        """
        loaded = self.model(name)
        try:
            return function(loaded.model)
        except DEVICE_ERRORS as error:
            replacement = self._move_to_cpu(loaded.name, loaded.model, error)
            if replacement.model is loaded.model:
                raise
            return function(replacement.model)

    def artists(self) -> list[str]:
        """The artists of the default model."""
        return list(self.model().model.artists)

    @property
    def space_names(self) -> list[str]:
        """The names of the loaded vector spaces."""
        return list(self._spaces)

    def space(self, name: str | None = None, argument: str = "vectors") -> WordVectors:
        """A vector space by name; None: the first. `argument` is its name in an error message.

        Raises:
            ArgumentError: there is none of that name.
            VectorsError: there is none at all.
        """
        if not self._spaces:
            raise VectorsError("no word vectors could be loaded, so questions about words cannot be answered here")
        return self._spaces[self.space_names[0] if name is None else check_choice(argument, name, self._spaces)]

    @property
    def song_index(self) -> SongIndex:
        """The n-gram index of the training songs.

        Raises:
            ModelError: it could not be loaded.
        """
        if self._song_index is None:
            raise ModelError(
                "the index of the training songs could not be loaded, so nothing can be looked up in it here"
            )
        return self._song_index

    @property
    def song_index_origin(self) -> str:
        """The origin of the song index; '' for none."""
        return self._index_source.origin if self._index_source else ""

    @property
    def ngrams_origin(self) -> str:
        """The origin of the n-gram classifier; '' for none."""
        return self.ngrams_source.origin if self.ngrams_source else ""

    def about(self) -> dict[str, Any]:
        """Versions, device, and each model and vector space with its figures and origin, as plain values."""
        return {
            "lyricgen": __version__,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "pytorch_lightning": version("pytorch-lightning"),
            "device": device_name(self.model().device),
            "models": [loaded.describe() for loaded in self._models.values()],
            "vectors": [
                {
                    "name": name,
                    "words": len(space),
                    "dimensions": space.vector_size,
                    "source": space.source,
                    "origin": self._space_origins[name],
                }
                for name, space in self._spaces.items()
            ],
            "song_index": self._describe_index(),
            "attribution": {"ngrams": self.ngrams is not None, "origin": self.ngrams_origin},
            "left_out": self.left_out,
        }

    def _on_cpu(self, request: GenerationRequest, error: Exception) -> GenerationRequest:
        """A request with its model moved to the CPU after a device error; unchanged where it cannot move."""
        if request.model_name is None:
            return request
        loaded = self._move_to_cpu(request.model_name, request.model, error)
        if loaded.model is request.model:
            return request
        return replace(request, model=loaded.model, batch=None if request.batch is None else loaded.batch)

    def _move_to_cpu(self, name: str, model: CharacterModel, error: Exception) -> LoadedModel:
        """Reloads a model onto the CPU after `model` failed on another device, for later requests too; its weights on the
        device may be lost."""
        with self._moving:
            loaded = self._models[name]
            if loaded.model is model and loaded.device.type != "cpu":  # else another request has moved it
                log.warning("%s continues on the CPU: %s failed (%s)", name, loaded.device, type(error).__name__)
                loaded = replace(loaded, checkpoint=load_checkpoint(loaded.source.folder / name))
                self._models[name] = loaded
            return loaded

    def _load_model(self, name: str, sources: list[Source]) -> LoadedModel:
        """A model from the first source with a readable copy; its origin has the errors of earlier sources."""
        *before, bundled = sources
        reasons: list[str] = []
        for source in before:
            try:
                return self._load_to_device(name, source, reasons)
            except ModelError as error:
                reasons.append(str(error))
                log.warning("%s: not from %s, since %s", name, source.origin, error)
        return self._load_to_device(name, bundled, reasons)

    def _load_to_device(self, name: str, source: Source, reasons: list[str]) -> LoadedModel:
        """A model of a source on the device; on the CPU after a device error."""
        checkpoint = source.read(name)
        try:
            checkpoint.model.to(self.device)
        except DEVICE_ERRORS as error:
            log.warning("%s runs on the CPU, since %s failed (%s)", name, self.device, type(error).__name__)
            checkpoint = load_checkpoint(source.folder / name)
        return LoadedModel(name, checkpoint, source, ", since ".join([source.origin, *reasons]))

    def _load_space(self, name: str | Path, sources: list[Source]) -> tuple[WordVectors, str]:
        """A vector space and its origin; `lyrics` from the first source with a readable copy."""
        *before, bundled = sources
        for source in before if name == WORDS else ():
            if source.has(WORDS):
                try:
                    return source.read(WORDS), source.origin
                except VectorsError as error:
                    log.warning("%s: not from %s, since %s", name, source.origin, error)
        return read_vectors(name), bundled.origin if name == WORDS else ""

    def _load_part(self, name: str, sources: list[Source], optional: bool = False) -> tuple[Any, Source | None]:
        """The artifact of that name from the first source with a readable copy, and that source; (None, None) if no
        source has one: the artifact is left out, unless it is optional."""
        for source in sources:
            if source.has(name) or (source is sources[-1] and not optional):
                try:
                    return source.read(name), source
                except ModelError as error:
                    if source is sources[-1]:
                        self._leave_out(name, error)
                    else:
                        log.warning("%s: not from %s, since %s", name, source.origin, error)
        return None, None

    def _describe_index(self) -> dict[str, Any] | None:
        """Facts of the song index as plain values; None without an index."""
        if self._song_index is None:
            return None
        facts = {name: self._song_index.metrics.get(name) for name in ("songs", "grams", "bytes", "false_positives")}
        return {**facts, "origin": self.song_index_origin}

    def _leave_out(self, name: str, error: Exception) -> None:
        self.left_out[name] = str(error)
        log.warning("%s is left out: %s", name, error)


def hub_sources(hub: Download) -> list[Source]:
    """The Hub's artifacts, with the bundled ones as fallback.

    If the Hub's cannot be fetched or read: those of an earlier start, then the bundled ones alone; the origins have the
    reason.
    """
    try:
        snapshot = hub.fetched()
        source = Source(snapshot.folder, f"{hub.repo} on the Hugging Face Hub, commit {snapshot.commit[:7]}")
        _read_all(source)
        snapshot.keep()
        return [source, Source(ASSETS, BUNDLED)]
    except (HubError, ModelError, VectorsError) as error:
        reason = f"could not be fetched: {error}"
    if cached := hub.cached():
        origin = f"{hub.repo}, commit {cached.commit[:7]}, from the cache, since it {reason}"
        source = Source(cached.folder, origin)
        try:
            _read_all(source)
            log.warning("models: %s", origin)
            return [source, Source(ASSETS, BUNDLED)]
        except (ModelError, VectorsError):
            pass
    origin = f"{BUNDLED}, since {hub.repo} {reason}"
    log.warning("models: %s", origin)
    return [Source(ASSETS, origin)]


def _read_all(source: Source) -> None:
    for name in filter(source.has, FOLDERS):
        source.read(name)
