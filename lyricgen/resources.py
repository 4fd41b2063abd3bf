"""The models and vector spaces that the app runs, each loaded once, by name, with where it came from."""

import logging
import platform
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

import torch

from lyricgen import __version__
from lyricgen.analysis.attribution import FOLDER as NGRAMS
from lyricgen.analysis.attribution import Attribution, attribute
from lyricgen.analysis.ngram_classifier import NgramClassifier, load_ngrams
from lyricgen.devices import IS_ZERO_GPU, best_device, device_name
from lyricgen.errors import HubError, ModelError, VectorsError
from lyricgen.generation.request import GenerationRequest
from lyricgen.generation.scheduler import ContinuousBatch, GenerationOutput, stream_together
from lyricgen.generation.settings import GenerationSettings
from lyricgen.hub.download import FOLDERS, Download
from lyricgen.memorization.copy_guard import make_copy_guard
from lyricgen.memorization.song_index import FOLDER as INDEX
from lyricgen.memorization.song_index import SongIndex
from lyricgen.models.checkpoints import Checkpoint, bundled_models, load_checkpoint
from lyricgen.models.networks import CharacterModel
from lyricgen.storage import ASSETS
from lyricgen.validation import check_choice
from lyricgen.words.sources import load_vectors
from lyricgen.words.space import VectorSpace

BUNDLED = "bundled with lyricgen"
BUNDLED_SPACES = ("glove-50", "lyrics")  # vector spaces that are always there; the first is the default
WORDS = "lyrics"  # the one that stands beside the models in their folder
Artifact = Checkpoint | VectorSpace | NgramClassifier | SongIndex
LOADERS = {WORDS: load_vectors, NGRAMS: load_ngrams, INDEX: SongIndex.load}  # of folders that hold no network
log = logging.getLogger("lyricgen")


class Source:
    """A folder of models, word vectors and a song index, as train.py writes it, and where it came from; each is read once.

    Raises, when asked for what it lacks or cannot read: ModelError, VectorsError.
    """

    def __init__(self, folder: Path, origin: str):
        self.folder, self.origin = folder, origin
        self._read: dict[str, Artifact] = {}

    def read(self, name: str) -> Artifact:
        """A model by name, the word vectors, the classifier of n-grams, or the song index."""
        if name not in self._read:
            self._read[name] = LOADERS.get(name, load_checkpoint)(self.folder / name)
        return self._read[name]

    def has(self, name: str) -> bool:
        """Whether there is a folder of that name."""
        return (self.folder / name).is_dir()


@dataclass(frozen=True)
class LoadedModel:
    """A model that is ready to run."""

    name: str
    checkpoint: Checkpoint
    folder: Path
    """Where it was read from."""
    origin: str
    """Where it came from and, if it stands in for another, why; fit for a user."""

    @property
    def model(self) -> CharacterModel:
        return self.checkpoint.model

    @cached_property
    def batch(self) -> ContinuousBatch:
        """Where its lyrics are written side by side."""
        return ContinuousBatch(self.model)

    @property
    def device(self) -> torch.device:
        return next(self.model.parameters()).device

    def describe(self) -> dict:
        """Its facts and figures as plain values, for `/about`."""
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
        folder: model folders of your own, each named as the bundled model that it takes the place of (`lstm`,
            `vanilla-rnn`), as train.py writes them, word vectors in `lyrics`, and a song index in `originality`. One that
            is missing or damaged leaves the bundled one in place.
        device: where models run; None: a GPU where there is one that works, else the CPU.
        vectors: more vector spaces, as `load_vectors` takes them: 'glove-200', or paths.
        hub: models and word vectors that are on their way from the Hub: if all that is there can be read, they come
            before the bundled ones; else those that worked at an earlier start do.

    Raises:
        ModelError: no model could be loaded. One that could not is left out, and `left_out` says why.
    """

    def __init__(
        self,
        folder: str | Path | None = None,
        device: str | torch.device | None = None,
        vectors: Iterable[str | Path] = (),
        hub: Download | None = None,
    ):
        self.device = torch.device(device) if device else best_device()
        self.left_out: dict[str, str] = {}
        own = [Source(Path(folder), f"your model folder {Path(folder).name}")] if folder else []
        sources = [*own, *(hub_sources(hub) if hub else [Source(ASSETS, BUNDLED)])]
        self._models: dict[str, LoadedModel] = {}
        for name in bundled_models():
            try:
                self._models[name] = self._load_model(name, sources)
            except ModelError as error:
                self._leave_out(name, error)
        if not self._models:
            raise ModelError("no bundled model could be loaded; fetch lyricgen again, or train models with train.py")
        self.ngrams, self.ngrams_origin = self._load_part(NGRAMS, sources)
        self._spaces: dict[str, VectorSpace] = {}
        self._space_origins: dict[str, str] = {}
        for name in (*BUNDLED_SPACES, *vectors):
            try:
                space, origin = self._load_space(name, sources)
                if space.name in self._spaces:
                    raise VectorsError(f"there is a space of the name {space.name} already; give the file another name")
                self._spaces[space.name], self._space_origins[space.name] = space, origin
            except VectorsError as error:
                self._leave_out(Path(name).name, error)
        self._song_index, self.song_index_origin = self._load_part(INDEX, sources)

    @property
    def model_names(self) -> list[str]:
        """The models that can run."""
        return list(self._models)

    @property
    def default_model(self) -> str:
        """The model that the page starts with."""
        return "lstm" if "lstm" in self._models else self.model_names[0]

    def model(self, name: str) -> LoadedModel:
        """A model by name.

        Raises:
            ArgumentError: there is none of that name.
        """
        return self._models[check_choice("model", name, self._models)]

    def request(self, name: str, prefix: str = "", settings: GenerationSettings | None = None) -> GenerationRequest:
        """A request to the model of that name, in its batch, with a guard by the song index where copied runs are limited.

        Raises:
            ArgumentError: a setting lies outside what is allowed, or there is no such model.
        """
        loaded, settings = self.model(name), settings or GenerationSettings()
        guard = make_copy_guard(settings.max_copied_words, lambda: self.song_index)
        guards = () if guard is None else (guard,)
        # a ZeroGPU Space's GPU is lent for one call, in a process of its own, where no batch runs
        batch = None if IS_ZERO_GPU else loaded.batch
        return GenerationRequest(loaded.model, prefix, settings, guards, batch, loaded.name)

    def stream(self, request: GenerationRequest, every: float = 0.0) -> Iterator[str]:
        """The lyric of a request as it grows, whole each time; see `stream_together`."""
        for (lyric,) in self.stream_together([request], every):
            yield lyric.text

    def stream_together(
        self, requests: Sequence[GenerationRequest], every: float = 0.0, measured: bool = False
    ) -> Iterator[list[GenerationOutput]]:
        """The lyrics of some requests as they grow, all of them each time, in the batches of those that others ask for.

        Where the GPU fails or has no memory left, its models move to the CPU for good, and all begin again there.

        Args:
            requests: of `request`.
            every: seconds from one yield to the next, at least; more where many are written.
            measured: whether bits are counted.
        """
        try:
            yield from stream_together(requests, every, measured)
        except RuntimeError as error:
            again = []
            for request in requests:
                loaded = self._on_cpu(request.model_name, request.model, error)
                batch = None if request.batch is None else loaded.batch
                again.append(replace(request, model=loaded.model, batch=batch))
            if all(new.model is old.model for new, old in zip(again, requests, strict=True)):
                raise
            yield from self.stream_together(again, every, measured)

    def ask(self, name: str, question: Callable[[CharacterModel], object]):
        """What `question` answers of the model of that name; if the GPU fails it asks again on the CPU, where the model stays.

        Raises:
            ArgumentError: there is no such model, or what `question` raises.
        """
        model = self.model(name).model
        try:
            return question(model)
        except RuntimeError as error:
            moved = self._on_cpu(name, model, error).model
            if moved is model:
                raise
            return question(moved)

    def attribute(self, text: str, name: str) -> Attribution:
        """Whose a text may be, by the model of that name and what tells artists apart beside it.

        Raises:
            ArgumentError: there is no such model, or the text cannot be attributed.
        """
        return self.ask(name, lambda model: attribute(text, model=model, ngrams=self.ngrams))

    def _on_cpu(self, name: str, model: CharacterModel, error: Exception) -> LoadedModel:
        """The model of that name on the CPU, read again where it failed on a GPU, since what the GPU held may be lost."""
        loaded = self.model(name)
        if loaded.model is model and loaded.device.type != "cpu":  # else another request has moved it already
            log.warning("%s continues on the CPU: %s failed (%s)", loaded.name, loaded.device, type(error).__name__)
            loaded = self._models[loaded.name] = replace(loaded, checkpoint=load_checkpoint(loaded.folder))
        return loaded

    def artists(self) -> list[str]:
        """The artists that the default model knows."""
        return list(self.model(self.default_model).model.artists)

    @property
    def space_names(self) -> list[str]:
        """The vector spaces that can be asked."""
        return list(self._spaces)

    def space(self, name: str, argument: str = "vectors") -> VectorSpace:
        """A vector space by name; `argument` is what a message calls it.

        Raises:
            ArgumentError: there is none of that name.
            VectorsError: there is none at all.
        """
        if not self._spaces:
            raise VectorsError("no word vectors could be loaded, so questions about words cannot be answered here")
        return self._spaces[check_choice(argument, name, self._spaces)]

    @property
    def song_index(self) -> SongIndex:
        """The index of the training songs, by which it is told what of a text stands in them.

        Raises:
            ModelError: it could not be loaded.
        """
        if self._song_index is None:
            raise ModelError(
                "the index of the training songs could not be loaded, so nothing can be looked up in it here"
            )
        return self._song_index

    def about(self) -> dict:
        """Versions, device, and each model and vector space with its figures and origin, as plain values."""
        return {
            "lyricgen": __version__,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "pytorch_lightning": version("pytorch-lightning"),
            "device": device_name(self.model(self.default_model).device),
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

    def _load_model(self, name: str, sources: list[Source]) -> LoadedModel:
        """A model from the first source that has it whole; its origin says why it is not an earlier one."""
        *before, bundled = sources
        reasons = []
        for source in before:
            try:
                return self._placed(name, source, reasons)
            except ModelError as error:
                reasons.append(str(error))
                log.warning("%s: not from %s, since %s", name, source.origin, error)
        return self._placed(name, bundled, reasons)

    def _load_space(self, name: str | Path, sources: list[Source]) -> tuple[VectorSpace, str]:
        """A vector space, and where it came from; the songs' from the first source that has it whole."""
        *before, bundled = sources
        for source in before if name == WORDS else ():
            if source.has(WORDS):
                try:
                    return source.read(WORDS), source.origin
                except VectorsError as error:
                    log.warning("%s: not from %s, since %s", name, source.origin, error)
        return load_vectors(name), bundled.origin if name == WORDS else ""

    def _load_part(self, name: str, sources: list[Source]) -> tuple[Artifact | None, str]:
        """What stands beside the models in a folder of that name, from the first source that has it whole, and where it came
        from; a source may lack it, and if none has it whole it is left out."""
        for source in sources:
            if source.has(name) or source is sources[-1]:
                try:
                    return source.read(name), source.origin
                except ModelError as error:
                    if source is sources[-1]:
                        self._leave_out(name, error)
                    else:
                        log.warning("%s: not from %s, since %s", name, source.origin, error)
        return None, ""

    def _describe_index(self) -> dict | None:
        """Facts of the song index as plain values; None where there is none."""
        if self._song_index is None:
            return None
        facts = {name: self._song_index.metrics.get(name) for name in ("songs", "grams", "bytes", "false_positives")}
        return {**facts, "origin": self.song_index_origin}

    def _leave_out(self, name: str, error: Exception) -> None:
        self.left_out[name] = str(error)
        log.warning("%s is left out: %s", name, error)

    def _placed(self, name: str, source: Source, reasons: list[str]) -> LoadedModel:
        """A model of a source on the device, or on the CPU if that fails."""
        checkpoint = source.read(name)
        try:
            checkpoint.model.to(self.device)
        except RuntimeError as error:  # a GPU that is full, or a driver that fails
            log.warning("%s runs on the CPU, since %s failed (%s)", name, self.device, type(error).__name__)
            checkpoint = load_checkpoint(source.folder / name)
        return LoadedModel(name, checkpoint, source.folder / name, ", since ".join([source.origin, *reasons]))


def hub_sources(hub: Download) -> list[Source]:
    """What the Hub has or, where that cannot be had or read, what worked at an earlier start; then the bundled models.

    The origins say which it is and why.
    """
    try:
        snapshot = hub.fetched()
        source = Source(snapshot.folder, f"{hub.repo} on the Hugging Face Hub, commit {snapshot.commit[:7]}")
        _read_all(source)
        snapshot.keep()
        return [source, Source(ASSETS, BUNDLED)]
    except (HubError, ModelError, VectorsError) as error:
        reason = f"could not be fetched: {error}"
    if snapshot := hub.cached():
        origin = f"{hub.repo}, commit {snapshot.commit[:7]}, from the cache, since it {reason}"
        source = Source(snapshot.folder, origin)
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
