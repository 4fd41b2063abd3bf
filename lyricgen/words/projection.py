"""Words on a plane: PCA and t-SNE of their vectors. Shapes: N words of D dimensions."""

import csv
import io
import json
import warnings
from dataclasses import dataclass

import numpy as np

from lyricgen.errors import ArgumentError
from lyricgen.validation import check_choice, check_integer
from lyricgen.words.lists import WordList, parse_words
from lyricgen.words.sources import as_space
from lyricgen.words.space import VectorSpace

METHODS = ("PCA", "t-SNE")
FEWEST, MOST = 2, 200  # words of a map
FEWEST_OF_TSNE = 4  # of fewer words a PCA is made
RANDOM_WORDS = 20
PERPLEXITY = 30.0  # of t-SNE, at most: a third of the words


@dataclass(frozen=True)
class WordMap:
    """Words and where they stand on the plane."""

    words: list[str]
    coordinates: np.ndarray
    """(N, 2)"""
    groups: list[str]
    """Name of each word's group; '' where there is but one."""
    arrows: list[tuple[int, int]]
    """Positions in `words`."""
    method: str
    explained: tuple[float, float] | None
    """Share of the variance that each axis of a PCA holds; None for t-SNE."""
    space: str
    missing: list[str]
    """Words that were asked for and that the space lacks."""

    @property
    def axes(self) -> tuple[str, str]:
        """What the axes of a picture are called: of a PCA with the variance that they hold, of t-SNE nothing."""
        if not self.explained:
            return "", ""
        first, second = self.explained
        return f"principal component 1 ({first:.0%} of the variance)", f"principal component 2 ({second:.0%})"

    @property
    def title(self) -> str:
        """What a picture is called."""
        return f"{len(self.words)} words of {self.space}, {self.method}"

    def rows(self) -> list[dict]:
        """A row a word: word, group, x and y."""
        places = zip(self.words, self.groups, self.coordinates, strict=True)
        return [{"word": word, "group": group, "x": float(x), "y": float(y)} for word, group, (x, y) in places]

    def to_csv(self) -> str:
        """The rows as CSV; a word that a spreadsheet would run as a formula is put after an apostrophe."""
        text = io.StringIO()
        writer = csv.DictWriter(text, ["word", "group", "x", "y"], lineterminator="\n")
        writer.writeheader()
        for row in self.rows():
            writer.writerow({**row, "word": _inert(row["word"]), "group": _inert(row["group"])})
        return text.getvalue()

    def to_dict(self) -> dict:
        """Everything, as plain values."""
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
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n"


def map_words(words: str = "", method: str = "PCA", vectors: VectorSpace | None = None, seed: int = 0) -> WordMap:
    """Puts words on a plane, each at the end of its vector of length 1, seen from where PCA or t-SNE sees it.

    Args:
        words: 2 to 200, parted by commas, spaces or lines; lines are groups and `a > b` asks for an arrow, as in
            `parse_words`; empty: 20 frequent words at random.
        method: PCA or t-SNE; fewer than 4 words are always a PCA.
        vectors: the space; None: glove-50.
        seed: of the words at random, 0 to 4,294,967,295; t-SNE gets it too, but starts from a PCA, so that it finds
            the same places by any seed.

    Raises:
        ArgumentError: an argument lies outside what is allowed, or the space has fewer than two of the words. Other
            words that it lacks are left out and named in `missing`.
    """
    space = as_space(vectors)
    method = check_choice("method", method, METHODS)
    seed = check_integer("seed", seed, 0, 2**32 - 1)
    typed = parse_words(words)
    if not typed.words:
        typed = parse_words("\n".join(random_words(space, RANDOM_WORDS, seed)))
    if not FEWEST <= len(typed.words) <= MOST:
        raise ArgumentError(f"words must be {FEWEST} to {MOST} different words, got {len(typed.words):,}")
    found = {word: known for word in typed.words if (known := space.lookup(word)) is not None}
    missing = [word for word in typed.words if word not in found]
    shown = list(dict.fromkeys(found.values()))
    if len(shown) < FEWEST:
        if missing:
            space.find(missing[0], "words")  # raises, with the nearest spellings
        raise ArgumentError(f"words must be {FEWEST} to {MOST} different words, got {len(shown)}")
    if len(shown) < FEWEST_OF_TSNE:
        method = "PCA"
    coordinates, explained = project(space.unit_vectors(shown), method, seed)
    return WordMap(
        shown,
        coordinates,
        _groups(typed, found, shown),
        _arrows(typed, found, shown),
        method,
        explained,
        space.name,
        missing,
    )


def project(matrix: np.ndarray, method: str = "PCA", seed: int = 0) -> tuple[np.ndarray, tuple[float, float] | None]:
    """The two coordinates of each row of a matrix (N, D), N at least 2: float64 (N, 2), and the variance they explain.

    PCA (Pearson 1901) keeps the two directions of greatest variance; t-SNE (van der Maaten and Hinton 2008) keeps
    neighbours together, its axes and distances mean nothing; fewer than 4 rows, too few for it, are a PCA.

    Raises:
        ArgumentError: there is no such method, or the matrix is none of finite numbers.
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    method = check_choice("method", method, METHODS)
    matrix = np.asarray(matrix, np.float64)
    if matrix.ndim != 2 or len(matrix) < FEWEST or not np.isfinite(matrix).all():
        raise ArgumentError("matrix must have at least 2 rows of finite numbers")
    if np.ptp(matrix, axis=0).max() == 0:  # scikit-learn's t-SNE would crash the interpreter
        return np.zeros((len(matrix), 2)), ((0.0, 0.0) if method == "PCA" else None)
    if method == "PCA" or len(matrix) < FEWEST_OF_TSNE or matrix.shape[1] < 2:
        width = min(2, *matrix.shape)
        pca = PCA(width, svd_solver="full").fit(matrix)
        coordinates = np.zeros((len(matrix), 2))
        coordinates[:, :width] = pca.transform(matrix)
        first, second = [*map(float, pca.explained_variance_ratio_), 0.0][:2]
        return coordinates, ((first, second) if method == "PCA" else None)
    perplexity = min(PERPLEXITY, (len(matrix) - 1) / 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # words with the same vector
        tsne = TSNE(2, perplexity=perplexity, init="pca", random_state=seed, n_jobs=1)
        return tsne.fit_transform(matrix).astype(np.float64), None


def random_words(space: VectorSpace, count: int, seed: int) -> list[str]:
    """Frequent words of a space, drawn at random; fewer where it has fewer."""
    rows = space.frequent_words
    drawn = np.random.default_rng(seed).choice(rows, min(count, len(rows)), replace=False)
    return [space.index_to_key[row] for row in drawn]


def _groups(typed: WordList, found: dict[str, str], shown: list[str]) -> list[str]:
    group_of: dict[str, str] = {}
    for word, known in found.items():
        group_of.setdefault(known, typed.groups[word])
    return [group_of[word] for word in shown]


def _arrows(typed: WordList, found: dict[str, str], shown: list[str]) -> list[tuple[int, int]]:
    known = [(found[start], found[end]) for start, end in typed.arrows if start in found and end in found]
    return [(shown.index(start), shown.index(end)) for start, end in known if start != end]


def _inert(text: str) -> str:
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text
