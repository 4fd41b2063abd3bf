"""The answers of the view on analogies."""

from lyricgen.ui.tabs.words.analogies import opening, show_analogy
from lyricgen.ui.tabs.words.answers import answers


def test_it_opens_with_the_answer_of_its_example(spaces):
    solved = opening(spaces)["solved"]
    assert (solved["x1"], solved["x2"], solved["y1"], solved["answer"]) == ("man", "king", "woman", "queen")
    assert len(solved["places"]) == 5
    muted = [row["word"] for row in solved["add"] if row["muted"]]
    assert "king (in the question)" in muted


def test_the_box_with_an_unknown_word_is_named_with_spellings(spaces):
    solve = answers(spaces, show_analogy)
    answer = solve({"vectors": "glove-50", "x1": "man", "x2": "king", "y1": "womann"})
    assert answer["box"] == "y1" and "woman" in answer["suggestions"]
    assert solve({"vectors": "glove-50", "x1": "man", "x2": "", "y1": "woman"})["error"] == "Type a word first."
