"""Projection of word vectors onto a plane by PCA or t-SNE. Shapes: N words of D dimensions."""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from lyricgen.display import Picture, one_line
from lyricgen.errors import ArgumentError
from lyricgen.output import to_json
from lyricgen.validation import MAX_SEED, check_choice, check_integer
from lyricgen.words.lists import WordList, parse_words
from lyricgen.words.word_vectors import WordVectors

if TYPE_CHECKING:
    from matplotlib.figure import Figure

METHODS = ("PCA", "t-SNE")
MIN_WORDS, MAX_WORDS = 2, 200  # words of a map
MIN_TSNE_WORDS = 4  # words; fewer are projected by PCA
RANDOM_WORDS = 20  # words of a map if none are given
MAX_PERPLEXITY = 30.0  # of t-SNE; at most a third of the other words


@dataclass(frozen=True, eq=False)
class WordMap(Picture):
    """Words and their coordinates on the plane."""

    words: list[str]
    coordinates: np.ndarray
    """float64 (N, 2)."""
    groups: list[str]
    """Group name of each word; '' if there is only one group."""
    arrows: list[tuple[int, int]]
    """Arrows as (start, end), positions in `words`."""
    method: str
    """The method used, PCA or t-SNE."""
    explained: tuple[float, float] | None
    """Explained variance ratio of each axis of a PCA; None for t-SNE."""
    space: str
    """Name of the vector space."""
    missing: list[str]
    """Out-of-vocabulary words; they were left out."""

    def __repr__(self) -> str:
        return one_line(self, self.title)

    def draw(self) -> "Figure":
        """The map as a figure."""
        from lyricgen.plotting import draw_map  # matplotlib is slow to import

        return draw_map(self.coordinates, self.words, self.groups, self.arrows, self.axes, self.title)

    @property
    def axes(self) -> tuple[str, str]:
        """Axis labels of a figure: principal components with their explained variance; empty for t-SNE."""
        if not self.explained:
            return "", ""
        first, second = self.explained
        return f"principal component 1 ({first:.0%} of the variance)", f"principal component 2 ({second:.0%})"

    @property
    def title(self) -> str:
        """Title of a figure."""
        return f"{len(self.words)} words of {self.space}, {self.method}"

    def rows(self) -> list[dict[str, str | float]]:
        """One row per word: word, group, x and y."""
        columns = zip(self.words, self.groups, self.coordinates, strict=True)
        return [{"word": word, "group": group, "x": float(x), "y": float(y)} for word, group, (x, y) in columns]

    def to_csv(self) -> str:
        """The rows as CSV; a text that a spreadsheet would run as a formula is prefixed with an apostrophe."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["word", "group", "x", "y"])
        for word, group, (x, y) in zip(self.words, self.groups, self.coordinates, strict=True):
            writer.writerow([_escape_formula(word), _escape_formula(group), float(x), float(y)])
        return text.getvalue()

    def to_dict(self) -> dict[str, Any]:
        """All fields as plain values."""
        return {
            "space": self.space,
            "method": self.method,
            "explained_variance": list(self.explained) if self.explained else None,
            "words": self.rows(),
            "arrows": [[self.words[start], self.words[end]] for start, end in self.arrows],
            "missing": self.missing,
        }

    def to_json(self) -> str:
        """`to_dict` as JSON."""
        return to_json(self.to_dict(), indent=2) + "\n"


def map_words(words: str, method: str, space: WordVectors, seed: int) -> WordMap:
    """Projects the unit vectors of words onto a plane; see `lyricgen.map_words`."""
    method = check_choice("method", method, METHODS)
    seed = check_integer("seed", seed, 0, MAX_SEED)
    word_list = parse_words(words, is_word=space.is_word)
    check_size(space)
    if not word_list.words:
        word_list = parse_words("\n".join(random_words(space, RANDOM_WORDS, seed)))
    _check_count(len(word_list.words))
    spelling = {word: known for word in word_list.words if (known := space.lookup(word)) is not None}
    missing = [word for word in word_list.words if word not in spelling]
    known_words = list(dict.fromkeys(spelling.values()))
    if len(known_words) < MIN_WORDS and missing:
        space.find(missing[0], "words")  # raises, with the nearest spellings
    _check_count(len(known_words))
    if len(known_words) < MIN_TSNE_WORDS:
        method = "PCA"
    coordinates, explained = _project_words(space, tuple(known_words), method, seed)
    groups = _groups(word_list, spelling, known_words)
    arrows = _arrows(word_list, spelling, known_words)
    return WordMap(known_words, coordinates, groups, arrows, method, explained, space.name, missing)


@lru_cache(maxsize=64)  # t-SNE of 200 words takes seconds, and the maps of examples are asked for again
def _project_words(
    space: WordVectors, words: tuple[str, ...], method: str, seed: int
) -> tuple[np.ndarray, tuple[float, float] | None]:
    coordinates, explained = project(space.unit_vectors(list(words)), method, seed)
    coordinates.flags.writeable = False
    return coordinates, explained


def project(matrix: np.ndarray, method: str = "PCA", seed: int = 0) -> tuple[np.ndarray, tuple[float, float] | None]:
    """Projects the rows of a matrix onto a plane.

    PCA (Pearson 1901) keeps the two directions of greatest variance. t-SNE (van der Maaten and Hinton 2008) keeps
    neighbours together; its axes and the distances between its groups mean nothing.

    Args:
        matrix: (N, D), N at least 2, finite.
        method: PCA or t-SNE; fewer than 4 rows are always projected by PCA.
        seed: of t-SNE.

    Returns:
        Coordinates, float64 (N, 2), and the explained variance ratio of both axes, None for t-SNE.

    Raises:
        ArgumentError: there is no such method, or the matrix has fewer than 2 rows or a value that is not finite.
    """
    method, seed = check_choice("method", method, METHODS), check_integer("seed", seed, 0, MAX_SEED)
    matrix = np.asarray(matrix, np.float64)
    if matrix.ndim != 2 or len(matrix) < MIN_WORDS or not matrix.size or not np.isfinite(matrix).all():
        raise ArgumentError("matrix must have at least 2 rows of finite numbers")
    if np.ptp(matrix, axis=0).max() == 0:  # scikit-learn's t-SNE would crash the interpreter
        return np.zeros((len(matrix), 2)), ((0.0, 0.0) if method == "PCA" else None)
    if method == "PCA":
        return _pca(matrix)
    if len(matrix) < MIN_TSNE_WORDS or matrix.shape[1] < 2:  # too few for t-SNE
        return _pca(matrix)[0], None
    return _tsne(matrix, seed), None


def check_size(space: WordVectors) -> None:
    """Raises `ArgumentError` for a space of one word, of which there is no map."""
    if len(space) < MIN_WORDS:
        raise ArgumentError(f"vectors must have at least {MIN_WORDS} words for a map, {space.name} has {len(space)}")


def random_words(
    space: WordVectors, count: int, seed: int, allowed: Callable[[str], bool] = lambda word: True
) -> list[str]:
    """A random sample of the frequent words of a space that are allowed; fewer than `count` if the space has fewer."""
    frequent = [row for row in space.frequent_words if allowed(space.index_to_key[row])]
    rows = np.random.default_rng(seed).choice(frequent, min(count, len(frequent)), replace=False)
    return [space.index_to_key[row] for row in rows]


def _pca(matrix: np.ndarray) -> tuple[np.ndarray, tuple[float, float]]:
    from sklearn.decomposition import PCA  # scikit-learn is slow to import

    components = min(2, *matrix.shape)
    pca = PCA(components, svd_solver="full").fit(matrix)
    coordinates = np.zeros((len(matrix), 2))
    coordinates[:, :components] = pca.transform(matrix)
    first, second = [*map(float, pca.explained_variance_ratio_), 0.0][:2]
    return coordinates, (first, second)


def _tsne(matrix: np.ndarray, seed: int) -> np.ndarray:
    from sklearn.manifold import TSNE

    perplexity = min(MAX_PERPLEXITY, (len(matrix) - 1) / 3)
    tsne = TSNE(2, perplexity=perplexity, init="pca", random_state=seed, n_jobs=1)
    return tsne.fit_transform(matrix).astype(np.float64)


def _check_count(count: int) -> None:
    if not MIN_WORDS <= count <= MAX_WORDS:
        raise ArgumentError(f"words must be {MIN_WORDS} to {MAX_WORDS} different words, got {count:,}")


def _groups(word_list: WordList, spelling: dict[str, str], known_words: list[str]) -> list[str]:
    """The group of each known word: that of its first spelling in the list."""
    group_of: dict[str, str] = {}
    for word, known in spelling.items():
        group_of.setdefault(known, word_list.groups[word])
    return [group_of[word] for word in known_words]


def _arrows(word_list: WordList, spelling: dict[str, str], known_words: list[str]) -> list[tuple[int, int]]:
    """Arrows between two different known words, as positions in `known_words`."""
    known = [(spelling[start], spelling[end]) for start, end in word_list.arrows if {start, end} <= spelling.keys()]
    return [(known_words.index(start), known_words.index(end)) for start, end in known if start != end]


def _escape_formula(text: str) -> str:
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text
