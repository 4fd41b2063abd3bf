"""The view on bias: two analogies, WEAT, the gender direction, residual bias after debiasing; `/bias`, `/debiasing`."""

from collections.abc import Sequence
from functools import partial

import gradio as gr
import numpy as np

from lyricgen.endpoints import words as endpoints
from lyricgen.endpoints.words import BIAS_ANSWERS, DEFAULT_TEST, published_sets
from lyricgen.plotting import draw_clusters, draw_projections
from lyricgen.resources import Resources
from lyricgen.ui.components import answer_rows, answer_table, bold, picture, space_choice
from lyricgen.ui.events import LATEST_EVENT, SILENT_EVENT, add_endpoint, listen
from lyricgen.validation import check_choice
from lyricgen.words.bias import Debiasing, ResidualBias, WeatResult, two_analogies, weat_and_debiased
from lyricgen.words.lists import citations, join_words, parse_words, weat_tests
from lyricgen.words.projection import project

EXPLANATION = """
Word vectors learn what a text says between its lines. Three ways to see it, and one way to take it out that does not quite
work.
"""
WEAT_EXPLANATION = """
**WEAT** (Caliskan, Bryson and Narayanan 2017): do the words of X go with A and those of Y with B, more than chance allows?
The effect size is in standard deviations (0: no difference, about 2: the most there can be); the p-value is the share of all ways to
part the words of X and Y anew that show as much. Choose one of the ten published tests, or write your own words.
"""
DEBIASING_EXPLANATION = """
The **gender direction** (Bolukbasi et al. 2016) is what *she – he*, *woman – man* and eight more pairs have in common. Each
occupation's cosine to it is its dot; the hollow one is after **hard debiasing**, which takes the direction out of every word that
does not mean a gender. Gonen and Goldberg (2019): what the direction held is gone, but the words that were biased are still
neighbours, so that k-means and a classifier still tell them apart.
"""
SET_NAMES = ("target1", "target2", "attribute1", "attribute2")
SET_LETTERS = "XYAB"
MAX_OCCUPATIONS_SHOWN = 40
MAX_MISSING_NAMED = 20  # words
SIGNIFICANCE = 0.05  # p-value up to which an association counts
WEAT_HEADER = ["Vectors", "Effect size", "p-value", "Partitions"]


def create_bias_view(resources: Resources) -> None:
    """Adds the view's components, `/bias` and `/debiasing`."""
    gr.Markdown(EXPLANATION)
    vectors = space_choice(resources.space_names)
    _create_analogies(resources, vectors)
    _create_weat(resources, vectors)
    _create_debiasing(resources, vectors)
    add_endpoint(resources, endpoints.bias, gpu=False)
    add_endpoint(resources, endpoints.debiasing, gpu=False)


def _create_analogies(resources: Resources, vectors: gr.Dropdown) -> None:
    gr.Markdown("### Two analogies")
    with gr.Row():
        x1 = gr.Textbox("man", label="x1", elem_id="bias-x1", min_width=100)
        word = gr.Textbox("worker", label="Word", elem_id="bias-word", min_width=100)
        y1 = gr.Textbox("woman", label="y1", elem_id="bias-y1", min_width=100)
    compare = gr.Button("Compare", variant="primary", elem_id="compare-analogies")
    differs = gr.Markdown(elem_id="differs")
    with gr.Row():
        forward = answer_table("x1 : word :: y1 : ?", elem_id="forward")
        backward = answer_table("y1 : word :: x1 : ?", elem_id="backward")
    listen(
        [compare.click, word.submit],
        partial(show_analogies, resources),
        [x1, word, y1, vectors],
        [differs, forward, backward],
        gpu=False,
        **LATEST_EVENT,
    )


def _create_weat(resources: Resources, vectors: gr.Dropdown) -> None:
    gr.Markdown("### Word Embedding Association Test")
    gr.Markdown(WEAT_EXPLANATION)
    tests = weat_tests()
    choices = [(f"{test.title} (published: {test.published['effect_size']:.2f})", name) for name, test in tests.items()]
    published = gr.Dropdown(choices, value=DEFAULT_TEST, label="Published test", elem_id="weat-test")
    boxes = []
    for positions in ((0, 1), (2, 3)):
        with gr.Row():
            for position in positions:
                words, label = published_sets(DEFAULT_TEST)[position], set_label(DEFAULT_TEST, position)
                boxes.append(gr.Textbox(words, label=label, lines=3, elem_id=SET_NAMES[position]))
    test = gr.Button("Test", variant="primary", elem_id="run-weat")
    verdict = gr.Markdown(elem_id="weat-says")
    results = gr.Dataframe(headers=WEAT_HEADER, interactive=False, label="Result", elem_id="weat-results")
    drawing = gr.HTML(elem_id="weat-picture")
    gr.Markdown(f"Word lists: {citations()['weat.json']}.", elem_classes="source")
    listen(published.change, fill_sets, published, boxes, gpu=False, queue=False, **SILENT_EVENT)
    listen(
        test.click,
        partial(show_weat, resources),
        [published, *boxes, vectors],
        [verdict, results, drawing],
        gpu=False,
        **LATEST_EVENT,
    )


def _create_debiasing(resources: Resources, vectors: gr.Dropdown) -> None:
    gr.Markdown("### The gender direction, and what debiasing leaves")
    gr.Markdown(DEBIASING_EXPLANATION)
    look = gr.Button("Look", variant="primary", elem_id="look", elem_classes="runs-on-open")
    verdict = gr.Markdown(elem_id="debiasing-says")
    drawing = gr.HTML(elem_id="occupations")
    clusters = gr.HTML(elem_id="clusters")
    gr.Markdown(f"Word lists: {citations()['gender.json']}.", elem_classes="source")
    outputs = [verdict, drawing, clusters]
    listen(look.click, partial(show_debiasing, resources), vectors, outputs, gpu=False, **LATEST_EVENT)


def show_analogies(
    resources: Resources, x1: str, word: str, y1: str, vectors: str
) -> tuple[str, gr.Dataframe, gr.Dataframe]:
    """The shared and the differing answers in words, and a table for each analogy."""
    pair = two_analogies(x1, word, y1, BIAS_ANSWERS, resources.space(vectors))
    lines = [
        f"{name}: {', '.join(map(bold, words)) or 'none'}"
        for name, words in (
            ("In both", pair.shared),
            (f"only for {bold(pair.y1)}", pair.only_forward),
            (f"only for {bold(pair.x1)}", pair.only_backward),
        )
    ]
    return (
        "; ".join(lines) + ".",
        gr.Dataframe(answer_rows(pair.forward), label=f"{pair.x1} : {pair.word} :: {pair.y1} : ?"),
        gr.Dataframe(answer_rows(pair.backward), label=f"{pair.y1} : {pair.word} :: {pair.x1} : ?"),
    )


def fill_sets(test: str) -> list[gr.Textbox]:
    """The four boxes with the words and names of a published test."""
    return [gr.Textbox(words, label=set_label(test, position)) for position, words in enumerate(published_sets(test))]


def show_weat(
    resources: Resources, test: str, target1: str, target2: str, attribute1: str, attribute2: str, vectors: str
) -> tuple[str, list[list[str]], str]:
    """The result of a test in words, as a table before and after debiasing, and the picture."""
    sets = [target1, target2, attribute1, attribute2]
    before, after = weat_and_debiased(sets, resources.space(vectors))
    names = set_names(test, sets)
    rows = [weat_row("as they are", before)]
    if after is not None:
        rows.append(weat_row("hard-debiased for gender", after))
    values = np.array(list(before.associations.values()))
    debiased = None if after is None else np.array(list(after.associations.values()))
    ends, title = (names[3], names[2]), f"association with {names[2]} minus {names[3]}"
    figure = draw_projections(list(before.associations), values, debiased, ends, title)
    description = f"The association of each word with {names[2]} and {names[3]}"
    return weat_sentence(before, names), rows, picture(figure, description)


def show_debiasing(resources: Resources, vectors: str) -> tuple[str, str, str]:
    """The residual bias in words, the occupations, and the clusters before and after."""
    debiasing, left = endpoints.debias(resources.space(vectors))
    words = shown_occupations(debiasing)
    before, after = endpoints.projections(debiasing, words)
    figure = draw_projections(words, before, after, ("male", "female"), "cosine with the gender direction")
    half = len(left.words) // 2
    kinds = ["most female"] * half + ["most male"] * half
    panels = [(title, project(matrix)[0]) for title, matrix in (("as they are", left.before), ("debiased", left.after))]
    return (
        leftover_sentence(debiasing, left),
        picture(figure, f"Occupations between male and female: {join_words(words)}"),
        picture(draw_clusters(panels, kinds), "The most biased words on a plane, before and after debiasing"),
    )


def shown_occupations(debiasing: Debiasing) -> list[str]:
    """The `MAX_OCCUPATIONS_SHOWN` most frequent occupations."""
    ranked = sorted(endpoints.occupations(debiasing), key=debiasing.space.frequency_rank)
    return ranked[:MAX_OCCUPATIONS_SHOWN]


def set_label(test: str, position: int) -> str:
    """The page's label of a set of a published test."""
    published = weat_tests()[test]
    return f"{SET_LETTERS[position]}: {[*published.targets, *published.attributes][position]}"


def set_names(test: str, sets: Sequence[str]) -> list[str]:
    """The names of the four sets in a sentence: the published test's while its words are unchanged, else X, Y, A, B."""
    published = weat_tests()[check_choice("test", test, weat_tests())]
    if all(
        parse_words(words).words == parse_words(original).words
        for words, original in zip(sets, published_sets(test), strict=True)
    ):
        return [*published.targets, *published.attributes]
    return list(SET_LETTERS)


def weat_sentence(result: WeatResult, names: list[str]) -> str:
    """The result of a test in words, and the words that were left out."""
    x, y, a, b = map(bold, names)
    strength = f"effect size {result.effect_size:.2f}, p = {p_text(result)}"
    if result.p_value <= SIGNIFICANCE:
        text = f"{x} goes with {a}, and {y} with {b}: {strength}."
    elif result.p_value >= 1 - SIGNIFICANCE:
        text = f"The other way round: {x} goes with {b}, and {y} with {a}: {strength}, which is for the way asked."
    else:
        text = f"No association that chance would not bring about: {strength}."
    missing = [word for words in result.missing.values() for word in words]
    if missing:
        text += f" Left out, since these vectors lack them: {', '.join(map(bold, missing[:MAX_MISSING_NAMED]))}."
    return text


def weat_row(name: str, result: WeatResult) -> list[str]:
    """A result as a row of the table."""
    kind = "all" if result.exact else "drawn"
    return [name, f"{result.effect_size:.2f}", p_text(result), f"{result.partitions:,} ({kind})"]


def p_text(result: WeatResult) -> str:
    """A p-value to two significant digits."""
    return f"{result.p_value:.2g}"


def leftover_sentence(debiasing: Debiasing, left: ResidualBias) -> str:
    """The residual bias in words."""
    return (
        f"The direction holds **{debiasing.explained:.0%}** of what its {len(debiasing.pairs)} pairs differ in. Of the "
        f"{len(left.words):,} most biased words, two clusters of k-means tell **{left.accuracy_before:.0%}** female from male, "
        f"and after debiasing still **{left.accuracy_after:.0%}**; a classifier **{left.recovered_before:.0%}**, and after "
        f"debiasing still **{left.recovered_after:.0%}** (50 % would be chance)."
    )
