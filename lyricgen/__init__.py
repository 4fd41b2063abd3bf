"""lyricgen: small character-level language models of song lyrics and word vectors, to use and to learn from.

>>> import lyricgen
>>> lyricgen.string_to_labels("abc")
[10, 11, 12]
"""

from importlib import import_module

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
    "songs.notebook": (
        "ARTISTS",
        "LyricsGenerationDataModule",
        "LyricsGenerationDataset",
        "LyricsGenerationTensor",
        "Song",
        "read_songs",
    ),
    "songs.corpus": ("Corpus", "SongStreams", "clean_songs", "copied_share", "encode_corpus", "open_corpus"),
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
    "generation.request": ("generate_lyrics", "stream_lyrics"),
    "generation.scheduler": ("generate_variants",),
    "analysis.scoring": ("alternatives", "compare_scores", "score"),
    "analysis.activations": ("read_cells",),
    "analysis.ngram_classifier": ("NgramClassifier", "fit_ngrams", "load_ngrams", "save_ngrams"),
    "analysis.attribution": ("Attribution", "attribute"),
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
}
_MODULE_OF = {name: module for module, names in _NAMES.items() for name in names}
__all__ = sorted(_MODULE_OF)


def __getattr__(name: str):
    """Imports a public name's module when it is first asked for: torch is not loaded before it is needed."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'lyricgen' has no attribute {name!r}")
    value = getattr(import_module(f"lyricgen.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
