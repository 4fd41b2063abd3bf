"""The Google analogy test set and WordSim-353 on GloVe, by gensim's count and by our own."""

import numpy as np
import pytest
from gensim.models import KeyedVectors
from gensim.test.utils import datapath

from lyricgen import ArgumentError, VectorSpace, google_questions, load_vectors, score_analogies
from lyricgen.words.analogy_benchmark import CategoryScore, total


@pytest.fixture(scope="module")
def glove():
    return load_vectors("glove-50")


def test_there_are_19544_questions_in_14_categories():
    questions = google_questions()
    assert len(questions) == 14 and sum(map(len, questions.values())) == 19_544
    assert len(questions["family"]) == 506 and questions["family"][0] == ("boy", "girl", "brother", "sister")
    assert questions["capital-common-countries"][0] == ("athens", "greece", "baghdad", "iraq")
    assert all(len(question) == 4 for asked in questions.values() for question in asked)


def gensims_score(space, category, folder, restrict):
    """(correct, asked) of one category as gensim counts them."""
    with open(datapath("questions-words.txt"), encoding="utf-8") as file:
        lines = file.readlines()
    starts = [number for number, line in enumerate(lines) if line.startswith(":")] + [len(lines)]
    first = lines.index(f": {category}\n")
    part = folder / "questions.txt"
    part.write_text("".join(lines[first : starts[starts.index(first) + 1]]))
    _, sections = KeyedVectors.evaluate_word_analogies(space, str(part), restrict_vocab=restrict)
    (section,) = (section for section in sections if section["section"] == category)
    return len(section["correct"]), len(section["correct"]) + len(section["incorrect"])


@pytest.fixture(scope="module")
def frequent(glove):
    """The 30,000 most frequent words, since gensim counts slowly."""
    return VectorSpace("frequent", glove.index_to_key[:30_000], glove.vectors[:30_000])


@pytest.mark.parametrize(
    ("category", "candidates"),
    [("family", None), ("family", 20_000), ("capital-common-countries", None), ("gram6-nationality-adjective", 10_000)],
)
def test_a_category_scores_what_gensim_counts(category, candidates, frequent, tmp_path):
    (score,) = score_analogies(frequent, category, candidates)
    expected = gensims_score(frequent, category, tmp_path, candidates or len(frequent))
    assert score.category == category and (score.correct, score.asked) == expected
    assert score.asked + score.left_out == len(google_questions()[category])


def test_the_whole_set_with_all_candidates_scores_46_percent(glove):
    scores = list(score_analogies())
    assert [score.category for score in scores] == list(google_questions())
    whole = total(scores)
    assert (whole.category, whole.asked, whole.left_out) == ("all categories", 19_544, 0)
    assert whole.correct == sum(score.correct for score in scores)
    assert 100 * whole.accuracy == pytest.approx(46.22, abs=0.2)


def test_wordsim_353_correlates_as_measured(glove):
    _, spearman, unknown = glove.evaluate_word_pairs(datapath("wordsim353.tsv"))
    assert spearman[0] == pytest.approx(0.503, abs=0.002) and unknown == 0


def family_space(words, vectors):
    return VectorSpace("small", words, np.array(vectors, np.float32))


def test_a_score_by_hand():
    """boy : girl :: brother : sister has a correct answer, in both directions; the other questions lack a word."""
    space = family_space(
        ["boy", "girl", "brother", "sister", "far"], [[1, 0, 0], [0, 1, 0], [0.8, 0, 0.6], [0, 0.8, 0.6], [0, 0, -1]]
    )
    (score,) = score_analogies(space, "FAMILY")
    assert score == CategoryScore("family", 2, 2, 504) and score.accuracy == 1
    (score,) = score_analogies(space, "family", candidates=3)  # 'sister' is no candidate, and so no question is left
    assert score == CategoryScore("family", 0, 0, 506) and score.accuracy is None


def test_a_wrong_answer_is_counted_as_asked():
    """boy : girl :: brother : ? finds 'near' before 'sister'; brother : sister :: boy : ? still finds 'girl'."""
    space = family_space(
        ["boy", "girl", "brother", "sister", "near"],
        [[1, 0, 0], [0, 1, 0], [0.8, 0, 0.6], [0, 0, -1], [-0.1, 0.9, 0.6]],
    )
    (score,) = score_analogies(space, "family")
    assert (score.correct, score.asked, score.accuracy) == (1, 2, 0.5)


def test_an_answer_that_another_word_equals_is_wrong():
    space = family_space(["boy", "girl", "brother", "sister", "other"], [[1, 0, 0]] * 5)
    assert [(score.correct, score.asked) for score in score_analogies(space, "family")] == [(0, 2)]


def test_a_vector_of_zeros_is_no_answer_and_no_nan():
    space = family_space(
        ["boy", "girl", "brother", "sister", "zero"], [[1, 0, 0], [0, 1, 0], [0.8, 0, 0.6], [0, 0.8, 0.6], [0, 0, 0]]
    )
    assert [(score.correct, score.asked) for score in score_analogies(space, "family")] == [(2, 2)]


def test_scores_come_one_by_one(glove):
    scores = score_analogies(glove, candidates=2_000)
    assert next(scores).category == "capital-common-countries" and next(scores).category == "capital-world"
    scores.close()


def test_totals_add_up():
    scores = [CategoryScore("a", 1, 4, 2), CategoryScore("b", 2, 2, 0), CategoryScore("c", 0, 0, 5)]
    assert total(scores) == CategoryScore("all categories", 3, 6, 7) and total(scores).accuracy == 0.5
    assert total([]).accuracy is None


@pytest.mark.parametrize("category", ["famly", "", None, 5])
def test_an_unknown_category_is_refused(category, glove):
    with pytest.raises(ArgumentError, match="^category") as error:
        next(score_analogies(glove, category))
    assert "family" in str(error.value) and str(error.value).isprintable()


@pytest.mark.parametrize("candidates", [0, -1, 400_001, "many", float("nan"), 2.5, True])
def test_a_wrong_number_of_candidates_is_refused(candidates, glove):
    with pytest.raises(ArgumentError, match="^candidates must be a whole number from 1 to 400,000, got "):
        next(score_analogies(glove, "family", candidates))
