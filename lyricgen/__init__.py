"""lyricgen: small character-level language models of song lyrics and word vectors, to use and to learn from.

>>> import lyricgen
>>> lyricgen.string_to_labels("abc")
[10, 11, 12]
"""

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

_NAMES = {
    "models.vocabulary": (
        "CHARACTERS",
        "INPUT_SIZE",
        "NUM_CLASSES",
        "OOV_LABEL",
        "PADDING_LABEL",
        "START_LABEL",
        "character_to_label",
        "encode",
        "pad_sequence",
        "string_to_labels",
        "token_ids_to_str",
    ),
    "errors": ("ArgumentError", "DataError", "LyricGenError", "ModelError", "VectorsError"),
    "songs.reading": ("ARTISTS", "Song", "read_songs"),
    "songs.notebook": ("LyricsGenerationDataModule", "LyricsGenerationDataset", "LyricsGenerationTensor"),
    "songs.corpus": ("Corpus", "encode_corpus", "open_corpus"),
    "songs.streams": ("SongStreams",),
    "songs.overlap": ("clean_songs", "copied_share"),
    "songs.download": ("download_songdata",),
    "models.networks": ("CharacterModel", "ImprovedSeqModel", "VanillaRNN"),
    "training.lightning_task": ("LyricsGenerationTask", "measure_bits"),
    "generation.decoding": (
        "BeamDecodingStrategy",
        "DecodingStrategy",
        "GreedyDecodingStrategy",
        "Hypothesis",
        "SamplingDecodingStrategy",
    ),
    "models.checkpoints": ("Checkpoint", "load_checkpoint", "load_model", "save_checkpoint"),
    "memorization.song_index": ("SongIndex",),
    "memorization.originality": ("CopiedRun", "Originality", "measure_originality"),
    "memorization.copy_guard": ("CopyGuard", "CopyState"),
    "generation.api": ("fill_gap", "generate_lyrics", "generate_variants", "stream_lyrics", "write_verse"),
    "generation.verse": ("Verse", "VerseLine"),
    "analysis.saliency": ("Saliency", "saliency"),
    "analysis.learning_curves": ("LearningCurves", "learning_curves"),
    "analysis.scoring": ("alternatives", "compare_scores", "score"),
    "analysis.activations": ("read_cells",),
    "analysis.ngram_classifier": ("NgramClassifier", "fit_ngrams", "load_ngrams", "save_ngrams"),
    "analysis.attribution": ("Attribution", "attribute"),
    "analysis.writer_bias": ("WriterBias", "writer_bias"),
    "analysis.membership": ("Membership", "MembershipThresholds", "load_thresholds", "measure_membership"),
    "words.space": ("VectorSpace", "open_space", "save_space"),
    "words.sources": ("load_vectors",),
    "words.api": (
        "analogy",
        "compare_distances",
        "compare_neighbors",
        "cosine_distance",
        "map_words",
        "measure_distance",
        "neighbors",
        "score_analogies",
        "solve_analogy",
        "two_analogies",
        "weat",
        "weat_and_debiased",
    ),
    "words.analogy_benchmark": ("google_questions",),
    "words.lists": ("gender_lists", "parse_words", "weat_tests"),
    "words.projection": ("WordMap", "project"),
    "words.bias": ("Debiasing", "measure_leftover", "measure_residual_bias"),
    "words.word2vec": ("fit_word2vec",),
    "words.rhymes": ("RhymedLine", "rhymes"),
}
_MODULE_OF = {name: module for module, names in _NAMES.items() for name in names}
__all__ = sorted(_MODULE_OF)


def _load(name: str) -> object:
    """Imports the module of a public name at its first use, so that `import lyricgen` does not load torch."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'lyricgen' has no attribute {name!r}")
    value = getattr(import_module(f"lyricgen.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


if TYPE_CHECKING:  # the same names for editors and type checkers, which see no __getattr__
    from lyricgen.analysis.activations import read_cells as read_cells
    from lyricgen.analysis.attribution import Attribution as Attribution
    from lyricgen.analysis.attribution import attribute as attribute
    from lyricgen.analysis.learning_curves import LearningCurves as LearningCurves
    from lyricgen.analysis.learning_curves import learning_curves as learning_curves
    from lyricgen.analysis.membership import Membership as Membership
    from lyricgen.analysis.membership import MembershipThresholds as MembershipThresholds
    from lyricgen.analysis.membership import load_thresholds as load_thresholds
    from lyricgen.analysis.membership import measure_membership as measure_membership
    from lyricgen.analysis.ngram_classifier import NgramClassifier as NgramClassifier
    from lyricgen.analysis.ngram_classifier import fit_ngrams as fit_ngrams
    from lyricgen.analysis.ngram_classifier import load_ngrams as load_ngrams
    from lyricgen.analysis.ngram_classifier import save_ngrams as save_ngrams
    from lyricgen.analysis.saliency import Saliency as Saliency
    from lyricgen.analysis.saliency import saliency as saliency
    from lyricgen.analysis.scoring import alternatives as alternatives
    from lyricgen.analysis.scoring import compare_scores as compare_scores
    from lyricgen.analysis.scoring import score as score
    from lyricgen.analysis.writer_bias import WriterBias as WriterBias
    from lyricgen.analysis.writer_bias import writer_bias as writer_bias
    from lyricgen.errors import ArgumentError as ArgumentError
    from lyricgen.errors import DataError as DataError
    from lyricgen.errors import LyricGenError as LyricGenError
    from lyricgen.errors import ModelError as ModelError
    from lyricgen.errors import VectorsError as VectorsError
    from lyricgen.generation.api import fill_gap as fill_gap
    from lyricgen.generation.api import generate_lyrics as generate_lyrics
    from lyricgen.generation.api import generate_variants as generate_variants
    from lyricgen.generation.api import stream_lyrics as stream_lyrics
    from lyricgen.generation.api import write_verse as write_verse
    from lyricgen.generation.decoding import BeamDecodingStrategy as BeamDecodingStrategy
    from lyricgen.generation.decoding import DecodingStrategy as DecodingStrategy
    from lyricgen.generation.decoding import GreedyDecodingStrategy as GreedyDecodingStrategy
    from lyricgen.generation.decoding import Hypothesis as Hypothesis
    from lyricgen.generation.decoding import SamplingDecodingStrategy as SamplingDecodingStrategy
    from lyricgen.generation.verse import Verse as Verse
    from lyricgen.generation.verse import VerseLine as VerseLine
    from lyricgen.memorization.copy_guard import CopyGuard as CopyGuard
    from lyricgen.memorization.copy_guard import CopyState as CopyState
    from lyricgen.memorization.originality import CopiedRun as CopiedRun
    from lyricgen.memorization.originality import Originality as Originality
    from lyricgen.memorization.originality import measure_originality as measure_originality
    from lyricgen.memorization.song_index import SongIndex as SongIndex
    from lyricgen.models.checkpoints import Checkpoint as Checkpoint
    from lyricgen.models.checkpoints import load_checkpoint as load_checkpoint
    from lyricgen.models.checkpoints import load_model as load_model
    from lyricgen.models.checkpoints import save_checkpoint as save_checkpoint
    from lyricgen.models.networks import CharacterModel as CharacterModel
    from lyricgen.models.networks import ImprovedSeqModel as ImprovedSeqModel
    from lyricgen.models.networks import VanillaRNN as VanillaRNN
    from lyricgen.models.vocabulary import CHARACTERS as CHARACTERS
    from lyricgen.models.vocabulary import INPUT_SIZE as INPUT_SIZE
    from lyricgen.models.vocabulary import NUM_CLASSES as NUM_CLASSES
    from lyricgen.models.vocabulary import OOV_LABEL as OOV_LABEL
    from lyricgen.models.vocabulary import PADDING_LABEL as PADDING_LABEL
    from lyricgen.models.vocabulary import START_LABEL as START_LABEL
    from lyricgen.models.vocabulary import character_to_label as character_to_label
    from lyricgen.models.vocabulary import encode as encode
    from lyricgen.models.vocabulary import pad_sequence as pad_sequence
    from lyricgen.models.vocabulary import string_to_labels as string_to_labels
    from lyricgen.models.vocabulary import token_ids_to_str as token_ids_to_str
    from lyricgen.songs.corpus import Corpus as Corpus
    from lyricgen.songs.corpus import encode_corpus as encode_corpus
    from lyricgen.songs.corpus import open_corpus as open_corpus
    from lyricgen.songs.download import download_songdata as download_songdata
    from lyricgen.songs.notebook import LyricsGenerationDataModule as LyricsGenerationDataModule
    from lyricgen.songs.notebook import LyricsGenerationDataset as LyricsGenerationDataset
    from lyricgen.songs.notebook import LyricsGenerationTensor as LyricsGenerationTensor
    from lyricgen.songs.overlap import clean_songs as clean_songs
    from lyricgen.songs.overlap import copied_share as copied_share
    from lyricgen.songs.reading import ARTISTS as ARTISTS
    from lyricgen.songs.reading import Song as Song
    from lyricgen.songs.reading import read_songs as read_songs
    from lyricgen.songs.streams import SongStreams as SongStreams
    from lyricgen.training.lightning_task import LyricsGenerationTask as LyricsGenerationTask
    from lyricgen.training.lightning_task import measure_bits as measure_bits
    from lyricgen.words.analogy_benchmark import google_questions as google_questions
    from lyricgen.words.api import analogy as analogy
    from lyricgen.words.api import compare_distances as compare_distances
    from lyricgen.words.api import compare_neighbors as compare_neighbors
    from lyricgen.words.api import cosine_distance as cosine_distance
    from lyricgen.words.api import map_words as map_words
    from lyricgen.words.api import measure_distance as measure_distance
    from lyricgen.words.api import neighbors as neighbors
    from lyricgen.words.api import score_analogies as score_analogies
    from lyricgen.words.api import solve_analogy as solve_analogy
    from lyricgen.words.api import two_analogies as two_analogies
    from lyricgen.words.api import weat as weat
    from lyricgen.words.api import weat_and_debiased as weat_and_debiased
    from lyricgen.words.bias import Debiasing as Debiasing
    from lyricgen.words.bias import measure_leftover as measure_leftover
    from lyricgen.words.bias import measure_residual_bias as measure_residual_bias
    from lyricgen.words.lists import gender_lists as gender_lists
    from lyricgen.words.lists import parse_words as parse_words
    from lyricgen.words.lists import weat_tests as weat_tests
    from lyricgen.words.projection import WordMap as WordMap
    from lyricgen.words.projection import project as project
    from lyricgen.words.rhymes import RhymedLine as RhymedLine
    from lyricgen.words.rhymes import rhymes as rhymes
    from lyricgen.words.sources import load_vectors as load_vectors
    from lyricgen.words.space import VectorSpace as VectorSpace
    from lyricgen.words.space import open_space as open_space
    from lyricgen.words.space import save_space as save_space
    from lyricgen.words.word2vec import fit_word2vec as fit_word2vec
else:
    __getattr__ = _load
