"""The library's queries on word vectors, with glove-50 as the default of `vectors`.

Each function resolves its vector space and calls the function of the same name in queries, projection, bias or
analogy_benchmark, which take a `VectorSpace`.
"""

from collections.abc import Iterator, Sequence

from lyricgen.errors import ArgumentError
from lyricgen.words import analogy_benchmark, bias, projection, queries
from lyricgen.words.analogy_benchmark import ALL, CategoryScore
from lyricgen.words.bias import Debiasing, TwoAnalogies, WeatResult, WordSet
from lyricgen.words.projection import WordMap
from lyricgen.words.queries import Analogy, Answer, Answers, Comparison, Distance, Overlap
from lyricgen.words.sources import load_vectors
from lyricgen.words.space import VectorSpace


def as_space(vectors: VectorSpace | None) -> VectorSpace:
    """`vectors`, or glove-50 for None.

    Raises:
        ArgumentError: `vectors` is no `VectorSpace`.
    """
    if vectors is None:
        return load_vectors()
    if not isinstance(vectors, VectorSpace):
        raise ArgumentError("vectors must be what load_vectors gives; other KeyedVectors can be saved with save_space")
    return vectors


def analogy(x1: str, x2: str, y1: str, top_k: int = 1, vectors: VectorSpace | None = None) -> list[tuple[str, float]]:
    """Solves x1 : x2 :: y1 : ? by 3CosAdd, as gensim's `most_similar(positive=[x2, y1], negative=[x1])` does.

    Args:
        x1, x2, y1: words.
        top_k: answers, 1 to 100.
        vectors: the space; None: glove-50.

    Returns:
        Words with their cosine similarity to x2 - x1 + y1, most similar first, without x1, x2 and y1.

    Raises:
        ArgumentError: a word is unknown, or top_k is out of range.

    >>> analogy("man", "king", "woman")[0][0]
    'queen'
    """
    return queries.analogy(x1, x2, y1, top_k, as_space(vectors))


def solve_analogy(x1: str, x2: str, y1: str, top_k: int = 10, vectors: VectorSpace | None = None) -> Analogy:
    """Solves x1 : x2 :: y1 : ? by 3CosAdd (Mikolov et al. 2013) and by 3CosMul (Levy and Goldberg 2014).

    Args:
        x1, x2, y1: words.
        top_k: answers per method, 1 to 100; words of the query come on top, marked as excluded.
        vectors: the space; None: glove-50.

    Raises:
        ArgumentError: a word is unknown, or top_k is out of range.
    """
    return queries.solve_analogy(x1, x2, y1, top_k, as_space(vectors))


def cosine_distance(word1: str, word2: str, vectors: VectorSpace | None = None) -> float:
    """1 minus the cosine of the angle between the vectors of two words, in [0, 2].

    Raises:
        ArgumentError: a word is unknown.

    >>> round(cosine_distance("fast", "slow"), 3) < round(cosine_distance("fast", "banana"), 3)
    True
    """
    return queries.cosine_distance(word1, word2, as_space(vectors))


def measure_distance(word1: str, word2: str, vectors: VectorSpace | None = None) -> Distance:
    """The cosine distance of two words, and its percentile among 20,000 random pairs of frequent words.

    Raises:
        ArgumentError: a word is unknown.
    """
    return queries.measure_distance(word1, word2, as_space(vectors))


def compare_distances(word: str, synonym: str, antonym: str, vectors: VectorSpace | None = None) -> Comparison:
    """The distances of a word to a synonym and to an antonym.

    Raises:
        ArgumentError: a word is unknown.
    """
    return queries.compare_distances(word, synonym, antonym, as_space(vectors))


def neighbors(word: str, top_k: int = 10, vectors: VectorSpace | None = None) -> list[Answer]:
    """The nearest neighbours of a word by cosine similarity, most similar first, without the word itself.

    Args:
        word: the word.
        top_k: neighbours, 1 to 100.
        vectors: the space; None: glove-50.

    Raises:
        ArgumentError: the word is unknown, or top_k is out of range.
    """
    return Answers(queries.neighbors(word, top_k, as_space(vectors)))


def compare_neighbors(word: str, first: VectorSpace | None, second: VectorSpace | None, top_k: int = 10) -> Overlap:
    """The nearest neighbours of a word in two spaces, and their overlap.

    Raises:
        ArgumentError: a space lacks the word, or top_k is not from 1 to 100.
    """
    return queries.compare_neighbors(word, as_space(first), as_space(second), top_k)


def score_analogies(
    vectors: VectorSpace | None = None, category: str = ALL, candidates: int | None = None
) -> Iterator[CategoryScore]:
    """Measures a space on the Google analogy test set; yields the score of each category as it is done.

    A generator: errors are raised when the first score is requested.

    Args:
        vectors: the space; None: glove-50.
        category: a name of `google_questions()`, or 'all categories'.
        candidates: only the n most frequent words are candidates; None: all words.

    Raises:
        ArgumentError: there is no such category, or candidates is not from 1 to the number of words of the space.
    """
    yield from analogy_benchmark.score_analogies(as_space(vectors), category, candidates)


def map_words(words: str = "", method: str = "PCA", vectors: VectorSpace | None = None, seed: int = 0) -> WordMap:
    """Projects the unit vectors of words onto a plane.

    Args:
        words: 2 to 200, separated by commas, spaces or line breaks; each line is a group and `a > b` adds an arrow, as
            in `parse_words`; empty: a random sample of 20 frequent words.
        method: PCA or t-SNE; fewer than 4 words are always projected by PCA.
        vectors: the space; None: glove-50.
        seed: of the random sample, 0 to 4,294,967,295. t-SNE is initialized by PCA and does not depend on it.

    Raises:
        ArgumentError: an argument is out of range, or the space has fewer than two of the words. Other out-of-vocabulary
            words are left out and named in `missing`.
    """
    return projection.map_words(words, method, as_space(vectors), seed)


def weat(
    target1: WordSet,
    target2: WordSet,
    attribute1: WordSet,
    attribute2: WordSet,
    vectors: VectorSpace | None = None,
    permutations: int = 10_000,
    seed: int = 0,
    debiasing: Debiasing | None = None,
) -> WeatResult:
    """The Word Embedding Association Test: are target words X closer to attributes A, and Y to B?

    s(w) = mean cos(w, a) - mean cos(w, b). The effect size is (mean s(x) - mean s(y)) / standard deviation of s over X
    and Y; the one-sided p-value is over the partitions of X and Y into sets of their sizes (Caliskan et al. 2017).

    Args:
        target1, target2: X and Y, 2 to 500 words each, as a list or a text.
        attribute1, attribute2: A and B, likewise.
        vectors: the space; None: glove-50, or the space of `debiasing`.
        permutations: partitions to sample if there are more than 20,000, 1 to 1,000,000.
        seed: of the sample, 0 to 4,294,967,295.
        debiasing: use its debiased vectors, and its space.

    Raises:
        ArgumentError: a set has too few or too many words, the space has fewer than two of them, or all target words
            are equally near to A and B.
    """
    space = debiasing.space if debiasing else as_space(vectors)
    return bias.weat(target1, target2, attribute1, attribute2, space, permutations, seed, debiasing)


def weat_and_debiased(
    sets: Sequence[WordSet], vectors: VectorSpace | None = None
) -> tuple[WeatResult, WeatResult | None]:
    """`weat` of four sets X, Y, A, B before and after hard debiasing for gender.

    The second result is None for a space that has none of the pairs that define the gender direction.

    Raises:
        ArgumentError: as `weat`.
    """
    return bias.weat_and_debiased(sets, as_space(vectors))


def two_analogies(
    x1: str = "man", word: str = "worker", y1: str = "woman", top_k: int = 5, vectors: VectorSpace | None = None
) -> TwoAnalogies:
    """x1 : word :: y1 : ? beside y1 : word :: x1 : ?, by 3CosAdd, and the answers that differ.

    Raises:
        ArgumentError: a word is unknown, or top_k is not from 1 to 100.
    """
    return bias.two_analogies(x1, word, y1, top_k, as_space(vectors))
