"""Endpoints on word vectors: `/analogy`, `/analogy_benchmark`, `/distance`, `/neighbors`, `/map`, `/bias`, `/debiasing`."""

from collections.abc import Iterator
from dataclasses import asdict
from functools import cache
from typing import TYPE_CHECKING, Literal

from lyricgen.endpoints.detail import Detail, check_detail, in_detail
from lyricgen.errors import ArgumentError
from lyricgen.validation import check_choice, check_integer, check_text
from lyricgen.words import queries
from lyricgen.words.analogy_benchmark import CategoryScore, score_analogies, total
from lyricgen.words.bias import Debiasing, ResidualBias, measure_residual_bias, two_analogies, weat_and_debiased
from lyricgen.words.lists import join_words, weat_tests
from lyricgen.words.projection import map_words
from lyricgen.words.queries import Comparison, Distance
from lyricgen.words.word_vectors import WordVectors

if TYPE_CHECKING:
    from lyricgen.resources import Resources

MAP_EXAMPLE = """royals: king > queen, prince > princess
people: man > woman, boy > girl
fruit: apple, banana, cherry, orange
music: guitar, piano, drums, violin"""
DEFAULT_TEST = "names-career-family"
BIAS_ANSWERS = 5  # answers per analogy


def published_sets(name: str) -> list[str]:
    """The four word sets of a published test as texts: X, Y, A, B.

    Raises:
        ArgumentError: there is no such test.
    """
    tests = weat_tests()
    test = tests[check_choice("test", name, tests)]
    return [join_words(words) for words in (*test.targets.values(), *test.attributes.values())]


_TARGET1, _TARGET2, _ATTRIBUTE1, _ATTRIBUTE2 = published_sets(DEFAULT_TEST)


def analogy(
    resources: "Resources",
    x1: str = "man",
    x2: str = "king",
    y1: str = "woman",
    top_k: int = 5,
    vectors: str | None = None,
) -> dict:
    """Solves x1 : x2 :: y1 : ? by 3CosAdd ('add') and 3CosMul ('mul'); the words of the question are marked 'excluded'.

    Args:
        x1: a word.
        x2: the word that x1 is to.
        y1: the word to continue in the same way.
        top_k: answers per method, 1 to 100.
        vectors: a vector space that /about lists.
    """
    return queries.solve_analogy(x1, x2, y1, top_k, resources.space(vectors)).to_dict()


def analogy_benchmark(
    resources: "Resources", category: str = "family", candidates: int = 0, vectors: str | None = None
) -> Iterator[list]:
    """Evaluates a vector space on the Google analogy test set; streams the score of each category, the total last.

    Args:
        category: 'all categories' or one of the fourteen.
        candidates: answer with the n most frequent words only; 0: with any.
        vectors: a vector space that /about lists.
    """
    for scores in stream_scores(resources, category, candidates, vectors):
        yield [{**asdict(score), "accuracy": score.accuracy} for score in scores]


def distance(
    resources: "Resources", w1: str = "fast", w2: str = "quick", w3: str = "", vectors: str | None = None
) -> dict:
    """The cosine distance of two words, with its percentile among random pairs of frequent words; with an antonym
    also whether the antonym is nearer.

    Args:
        w1: a word.
        w2: a second word, or a synonym of the first.
        w3: an antonym of the first; empty: none.
        vectors: a vector space that /about lists.
    """
    return measure(w1, w2, w3, resources.space(vectors)).to_dict()


def neighbors(
    resources: "Resources", word: str = "fire", top_k: int = 10, vectors: str | None = None, other: str = ""
) -> dict:
    """The nearest neighbours of a word in a vector space ('first'), and in another ('second') with their overlap.

    Args:
        word: a word.
        top_k: number of neighbours, 1 to 100.
        vectors: a vector space that /about lists.
        other: another vector space; empty: none.
    """
    space = resources.space(vectors)
    if other in (None, ""):
        return {"first": [asdict(answer) for answer in queries.neighbors(word, top_k, space)]}
    return asdict(queries.compare_neighbors(word, space, resources.space(other, "other"), top_k))


def map(
    resources: "Resources",
    words: str = MAP_EXAMPLE,
    method: Literal["PCA", "t-SNE"] = "PCA",
    vectors: str | None = None,
    seed: int = 0,
    detail: Detail = "full",
) -> dict:
    """Projects words onto a plane: their coordinates, and the figure as 'svg' (text).

    Args:
        words: 2 to 200, separated by commas, spaces or lines; empty: 20 at random. A line is a group, 'name:'
            names it, 'man > woman' draws an arrow.
        method: PCA or t-SNE.
        vectors: a vector space that /about lists.
        seed: of the random words.
        detail: full; summary: without the figure.
    """
    whole = check_detail(detail) == "full"
    mapped = map_words(words, method, resources.space(vectors), seed)
    return mapped.to_dict() | ({"svg": mapped.files("svg")[0].decode()} if whole else {})


def bias(
    resources: "Resources",
    target1: str = _TARGET1,
    target2: str = _TARGET2,
    attribute1: str = _ATTRIBUTE1,
    attribute2: str = _ATTRIBUTE2,
    vectors: str | None = None,
    x1: str = "man",
    word: str = "worker",
    y1: str = "woman",
) -> dict:
    """WEAT of four word sets before and after hard debiasing for gender, and both analogies x1 : word :: y1 : ? and back; these
    are null, with a note, where the vector space lacks one of their words.

    Args:
        target1: words X, 2 to 500, separated by commas, spaces or lines.
        target2: words Y.
        attribute1: words A.
        attribute2: words B.
        vectors: a vector space that /about lists.
        x1: of the analogies.
        word: of the analogies.
        y1: of the analogies.
    """
    space = resources.space(vectors)
    before, after = weat_and_debiased((target1, target2, attribute1, attribute2), space)
    analogies: dict | None = None
    notes: list[str] = []
    try:
        analogies = asdict(two_analogies(x1, word, y1, BIAS_ANSWERS, space))
    except ArgumentError as error:  # the test needs only its own words
        notes.append(f"The analogies are left out: {error}.")
    return {
        "analogies": analogies,
        "weat": {"before": asdict(before), "after_debiasing": asdict(after) if after else None},
        "notes": notes,
    }


def debiasing(resources: "Resources", vectors: str | None = None, detail: Detail = "full") -> dict:
    """The gender direction: the projection of each occupation before and after hard debiasing, and the
    accuracy of k-means and of a classifier on the 1,000 most biased words, before and after.

    Args:
        vectors: a vector space that /about lists.
        detail: full; summary: without the occupations.
    """
    return in_detail(detail, ["occupations"], lambda: _debiasing(resources.space(vectors)))


def _debiasing(space: WordVectors) -> dict:
    removed, left = debias(space)
    words = removed.occupations()
    before, after = removed.projections(words), removed.vectors(words) @ removed.direction
    rows = zip(words, before.tolist(), after.tolist(), strict=True)
    return {
        "explained_variance": removed.explained,
        "occupations": [{"word": word, "before": value, "after": left_over} for word, value, left_over in rows],
        "clusters": {"before": left.accuracy_before, "after": left.accuracy_after},
        "classifier": {"before": left.recovered_before, "after": left.recovered_after},
    }


def stream_scores(
    resources: "Resources", category: str, candidates: int, vectors: str | None
) -> Iterator[list[CategoryScore]]:
    """The scores of `/analogy_benchmark` so far after each category, their total last."""
    space, scores = resources.space(vectors), []
    count = check_integer("candidates", candidates, 0, len(space)) or None
    for score in score_analogies(space, category, count):
        scores.append(score)
        yield [*scores, total(scores)]


def measure(w1: str, w2: str, w3: str, space: WordVectors) -> Distance | Comparison:
    """The distance of two words, or the comparison of three where there is a third."""
    w1, w2 = space.find(w1, "w1"), space.find(w2, "w2")
    if not check_text("w3", w3).strip():
        return queries.measure_distance(w1, w2, space)
    return queries.compare_distances(w1, w2, space.find(w3, "w3"), space)


@cache
def debias(space: WordVectors) -> tuple[Debiasing, ResidualBias]:
    """The debiasing of a space and its residual bias, computed once per space."""
    removed = Debiasing(space)
    return removed, measure_residual_bias(removed)
