"""The answers of the view on analogies."""

from lyricgen.ui.tabs.words.analogies import opening, score_row, show_analogy
from lyricgen.ui.tabs.words.answers import answers
from lyricgen.words.analogy_benchmark import CategoryScore


def test_scores_are_bars_with_their_counts():
    assert score_row(CategoryScore("family", 3, 4, 2)) == ("family", 0.75, "75.0 %: 3 of 4, 2 left out")
    assert score_row(CategoryScore("plural", 0, 0, 9))[1:] == (0.0, "none asked")


def test_it_opens_with_the_answer_of_its_example(spaces):
    solved = opening(spaces)["solved"]
    assert (solved["x1"], solved["x2"], solved["y1"], solved["answer"]) == ("man", "king", "woman", "queen")
    assert len(solved["places"]) == 5
    muted = [row["word"] for row in solved["add"] if row["muted"]]
    assert "king (in the question)" in muted


def test_listed_strong_words_are_no_answers(spaces, monkeypatch):
    asked = ("glove-50", "man", "king", "woman")
    shown = show_analogy(spaces, *asked)
    other = [row["word"] for row in shown["add"] if not row["muted"]][1]
    monkeypatch.setattr(spaces, "strong_words", frozenset({"queen", other}), raising=False)
    clean = show_analogy(spaces, *asked)
    assert clean["answer"] != "queen" and [row["muted"] for row in clean["add"]].count(False) == 6
    assert not {"queen", other} & {row["word"] for row in (*clean["add"], *clean["mul"])}


def test_the_box_with_an_unknown_word_is_named_with_spellings(spaces):
    solve = answers(spaces, show_analogy)
    answer = solve({"vectors": "glove-50", "x1": "man", "x2": "king", "y1": "womann"})
    assert answer["box"] == "y1" and "woman" in answer["suggestions"]
    assert solve({"vectors": "glove-50", "x1": "man", "x2": "", "y1": "woman"})["error"] == "Type a word first."
