"""Typed lists of words, and the published ones."""

import pytest

from lyricgen import ArgumentError, gender_lists, parse_words, weat_tests
from lyricgen.words.lists import check_words, citations, join_words

SIZES = {
    "flowers-insects": (25, 25, 25, 25),
    "instruments-weapons": (25, 25, 25, 25),
    "names-pleasant": (32, 32, 25, 25),
    "names-pleasant-market": (16, 16, 25, 25),
    "names-pleasant-short": (16, 16, 8, 8),
    "names-career-family": (8, 8, 8, 8),
    "math-arts": (8, 8, 8, 8),
    "science-arts": (8, 8, 8, 8),
    "illness-duration": (6, 6, 7, 7),
    "age-names-pleasant": (8, 8, 8, 8),
}


@pytest.mark.parametrize(
    "text",
    [
        "king, queen, man",
        "king queen man",
        "king\nqueen\nman",
        " king,,queen ;man;\n",
        "king\tqueen\r\n\r\nman",
        "king,\nqueen,\nman",
    ],
)
def test_words_are_separated_by_commas_semicolons_spaces_and_lines(text):
    assert parse_words(text).words == ["king", "queen", "man"]


@pytest.mark.parametrize("text", ["", None, "  \n\t\n", ",;, ,", "name:", ">"])
def test_a_text_without_words_is_an_empty_list(text):
    typed = parse_words(text)
    assert (typed.words, typed.groups, typed.arrows) == ([], {}, [])


def test_lines_are_groups_with_the_name_before_the_colon_or_a_number():
    groups = parse_words("royal: king, queen\n\napple pear\n fruit trees : plum tree").groups
    assert groups == {
        "king": "royal", "queen": "royal", "apple": "line 2", "pear": "line 2", "plum": "fruit trees", "tree": "fruit trees",
    }  # fmt: skip


def test_lines_of_the_same_name_are_one_group():
    groups = parse_words("a: one two\nb: three\na: four").groups
    assert groups == {"one": "a", "two": "a", "three": "b", "four": "a"}


@pytest.mark.parametrize("text", ["king queen man", "royal: king queen man", "king\nqueen\nman"])
def test_one_line_or_one_word_a_line_makes_no_groups(text):
    assert parse_words(text).groups == {"king": "", "queen": "", "man": ""}


@pytest.mark.parametrize("arrow", [">", "->", "-->", "=>", "→"])
@pytest.mark.parametrize("space", ["", " "])
def test_every_kind_of_arrow_joins_the_words_beside_it(arrow, space):
    typed = parse_words(f"man{space}{arrow}{space}king{space}{arrow}{space}emperor, woman")
    assert typed.words == ["man", "king", "emperor", "woman"]
    assert typed.arrows == [("man", "king"), ("king", "emperor")]


def test_an_arrow_joins_only_its_neighbours_within_its_line():
    typed = parse_words("pairs: man, woman > queen, king\n> alone >\nsir > lady")
    assert typed.arrows == [("woman", "queen"), ("sir", "lady")]
    assert typed.words == ["man", "woman", "queen", "king", "alone", "sir", "lady"]


@pytest.mark.parametrize("comma", "，、､،﹐﹑︐؛；﹔՝፣፤߸᠂。｡・•|｜\u037e")
def test_commas_and_semicolons_of_any_script_separate(comma):
    text = f"king{comma}queen{comma} man"
    assert parse_words(text).words == check_words(text, "target1", 2, 3) == ["king", "queen", "man"]
    assert check_words([f"king{comma}queen", "\ufeffm\u200ban"], "target1", 2, 3) == ["king", "queen", "man"]


def test_full_width_colons_and_arrows_make_groups():
    assert parse_words("royal：king＞queen\nfruit﹕apple、pear") == parse_words(
        "royal: king > queen\nfruit: apple, pear"
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("new york, the  king", ["new york", "the", "king"]),
        ("new york\nking", ["new york", "king"]),
        ("cities: new york > king queen", ["new york", "king", "queen"]),
        ("new york，king", ["new york", "king"]),
        ("new york king", ["new", "york", "king"]),
        ("new york", ["new", "york"]),
    ],
)
def test_words_of_a_space_may_have_blanks_where_something_else_separates(text, words):
    assert parse_words(text, is_word={"new york", "king queen man"}.__contains__).words == words
    assert check_words(text, "words", 1, 9, {"new york"}.__contains__) == words
    assert check_words(["new york", "king"], "words", 2, 2, {"new york"}.__contains__) == ["new york", "king"]
    assert "new york" not in parse_words(text).words


def test_hyphens_and_apostrophes_stay_in_their_words():
    assert parse_words("mother-in-law, don't, C-3 #1 $x$").words == ["mother-in-law", "don't", "C-3", "#1", "$x$"]


def test_a_word_typed_twice_counts_once_in_its_first_group():
    typed = parse_words("a: king king queen\nb: queen pear king")
    assert typed.words == ["king", "queen", "pear"]
    assert typed.groups == {"king": "a", "queen": "a", "pear": "b"}


def test_thousands_of_words_are_parsed_and_too_long_a_text_is_refused():
    assert len(parse_words(" ".join(f"word{number}" for number in range(5000))).words) == 5000
    assert parse_words("x" * 100_000).words == ["x" * 100_000]
    with pytest.raises(ArgumentError, match="^words must have at most 100,000 characters, got 100,001$"):
        parse_words("x" * 100_001)


def test_an_exact_number_of_words_is_named_once_and_a_time_is_a_word():
    with pytest.raises(ArgumentError, match=r"^pair must be 2 different words, got 1 \('he'\)$"):
        check_words("he", "pair", 2, 2)
    assert parse_words("noon 10:30 night").words == ["noon", "10:30", "night"]


@pytest.mark.parametrize("value", [7, ["king"], b"king", True])
def test_a_value_that_is_no_text_is_refused_with_its_name(value):
    with pytest.raises(ArgumentError, match="^my list must be text, got "):
        parse_words(value, "my list")


@pytest.mark.parametrize("given", ["king, queen king", ["king", "queen"], ("king queen", "king"), ["king,queen"]])
def test_a_set_is_a_text_or_a_list_of_texts(given):
    assert check_words(given, "target1", 2, 2) == ["king", "queen"]


@pytest.mark.parametrize(
    ("given", "got"), [("", "got 0"), ("king king", r"got 1 \('king'\)"), ("a b c d", "got 4"), ([], "got 0")]
)
def test_a_set_of_too_few_or_too_many_words_is_refused(given, got):
    with pytest.raises(ArgumentError, match=f"^target1 must be 2 to 3 different words, {got}$"):
        check_words(given, "target1", 2, 3)


@pytest.mark.parametrize("given", [[1, 2], 5, [["king"]]])
def test_a_set_that_is_no_text_is_refused(given):
    with pytest.raises(ArgumentError, match="^target1 must be text"):
        check_words(given, "target1", 2, 3)


def test_joined_words_parse_back():
    assert parse_words(join_words(["don't", "re-start", "x"])).words == ["don't", "re-start", "x"]


def test_there_are_the_ten_published_association_tests():
    assert list(weat_tests()) == list(SIZES)
    assert all(1 < sets.published["effect_size"] < 2 for sets in weat_tests().values())
    assert all(sets.title and sets.name == name for name, sets in weat_tests().items())


@pytest.mark.parametrize("name", SIZES)
def test_published_association_lists_are_lower_case_without_duplicates_and_of_the_papers_sizes(name):
    sets = weat_tests()[name]
    lists = [*sets.targets.values(), *sets.attributes.values()]
    assert tuple(map(len, lists)) == SIZES[name]
    for words in lists:
        assert words == [word.lower().strip() for word in words] and len(set(words)) == len(words)
    for pair in (sets.targets, sets.attributes):
        first, second = pair.values()
        assert not set(first) & set(second)


def test_published_gender_lists_are_lower_case_without_duplicates():
    lists = gender_lists()
    assert len(lists.definitional_pairs) == 10 and len(lists.gender_specific) == 218
    assert ("she", "he") in lists.definitional_pairs and ("mom", "dad") in lists.equalize_pairs
    assert {"nurse", "architect"} < set(lists.occupations) and "actress" in lists.gender_specific
    for words in (lists.gender_specific, lists.occupations):
        assert words == [word.lower().strip() for word in words] and len(set(words)) == len(words)
    for pairs in (lists.definitional_pairs, lists.equalize_pairs):
        words = [word for pair in pairs for word in pair]
        assert words == [word.lower().strip() for word in words] and len(set(words)) == len(words) == 2 * len(pairs)


def test_published_lists_have_citations():
    assert set(citations()) == {"weat.json", "gender.json"}
    assert "10.1126/science.aal4230" in citations()["weat.json"] and "Bolukbasi" in citations()["gender.json"]


def test_a_group_name_is_cut_and_loses_control_characters():
    groups = parse_words(f"a\x01b: king\n{'c' * 1_000}: apple").groups
    assert groups == {"king": "ab", "apple": "c" * 40}


def test_a_name_makes_a_group_of_one_word():
    assert parse_words("royal: king\nfruit: apple").groups == {"king": "royal", "apple": "fruit"}
