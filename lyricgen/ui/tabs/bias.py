"""The tab that looks for bias: both analogies, WEAT, the gender direction and what debiasing leaves; `/bias`, `/debiasing`."""

from dataclasses import asdict
from functools import cache

import gradio as gr
import numpy as np

from lyricgen.plotting import draw_clusters, draw_projections
from lyricgen.resources import Resources
from lyricgen.ui.components import PRIVATE_EVENT, RUN_ONCE_EVENT, answer_rows, answer_table, bold, picture, space_choice
from lyricgen.ui.events import raises_gradio_error
from lyricgen.words.bias import Debiasing, Leftover, WeatResult, measure_leftover, two_analogies, weat_and_debiased
from lyricgen.words.lists import gender_lists, joined, parse_words, sources, weat_tests
from lyricgen.words.projection import project
from lyricgen.words.space import VectorSpace

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
DEFAULT_TEST = "names-career-family"
SET_NAMES = ("target1", "target2", "attribute1", "attribute2")
OCCUPATIONS_SHOWN = 40
TOP_K = 5  # answers of each analogy
WEAT_HEADER = ["Vectors", "Effect size", "p-value", "Partitions"]


def create_bias_tab(resources: Resources) -> None:
    """Adds the tab's components and its API."""
    gr.Markdown(EXPLANATION)
    vectors = space_choice(resources)
    _create_analogies(resources, vectors)
    _create_weat(resources, vectors)
    _create_debiasing(resources, vectors)

    @raises_gradio_error
    def bias(
        target1: str = DEFAULT_SETS[0],
        target2: str = DEFAULT_SETS[1],
        attribute1: str = DEFAULT_SETS[2],
        attribute2: str = DEFAULT_SETS[3],
        vectors: str = "glove-50",
        x1: str = "man",
        word: str = "worker",
        y1: str = "woman",
    ) -> dict:
        """WEAT of four word sets before and after hard debiasing for gender, and both analogies x1 : word :: y1 : ? and back.

        Args:
            target1: words X, 2 to 500, parted by commas, spaces or lines.
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
        return {
            "analogies": asdict(two_analogies(x1, word, y1, TOP_K, space)),
            "weat": {"before": asdict(before), "after_debiasing": asdict(after) if after else None},
        }

    @raises_gradio_error
    def debiasing(vectors: str = "glove-50") -> dict:
        """The gender direction: the projection of each occupation before and after hard debiasing, and the shares of the
        1,000 most biased words that k-means and a classifier tell apart, before and after.

        Args:
            vectors: a vector space that /about lists.
        """
        removed, left = prepared(resources.space(vectors))
        words = occupations(removed)
        values, after = projections(removed, words)
        rows = zip(words, values.tolist(), after.tolist(), strict=True)
        return {
            "explained_variance": removed.explained,
            "occupations": [{"word": word, "before": before, "after": after} for word, before, after in rows],
            "clusters": {"before": left.accuracy_before, "after": left.accuracy_after},
            "classifier": {"before": left.recovered_before, "after": left.recovered_after},
        }

    gr.api(bias, api_name="bias")
    gr.api(debiasing, api_name="debiasing")


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

    @raises_gradio_error
    def show(x1, word, y1, vectors):
        found = two_analogies(x1, word, y1, TOP_K, resources.space(vectors))
        lines = [
            f"{name}: {', '.join(map(bold, words)) or 'none'}"
            for name, words in (
                ("In both", found.shared),
                (f"only for {bold(found.y1)}", found.only_forward),
                (f"only for {bold(found.x1)}", found.only_backward),
            )
        ]
        tables = [
            gr.Dataframe(answer_rows(answers), label=f"{start} : {found.word} :: {end} : ?")
            for answers, start, end in ((found.forward, found.x1, found.y1), (found.backward, found.y1, found.x1))
        ]
        return "; ".join(lines) + ".", *tables

    gr.on([compare.click, word.submit], show, [x1, word, y1, vectors], [differs, forward, backward], **RUN_ONCE_EVENT)


def _create_weat(resources: Resources, vectors: gr.Dropdown) -> None:
    gr.Markdown("### Word Embedding Association Test")
    gr.Markdown(WEAT_EXPLANATION)
    tests = weat_tests()
    choices = [(f"{test.title} (published: {test.published['effect_size']:.2f})", name) for name, test in tests.items()]
    chosen = gr.Dropdown(choices, value=DEFAULT_TEST, label="Published test", elem_id="weat-test")
    boxes = []
    for pair in (zip(SET_NAMES[:2], "XY", strict=True), zip(SET_NAMES[2:], "AB", strict=True)):
        with gr.Row():
            for position, (name, letter) in enumerate(pair, len(boxes)):
                box = gr.Textbox(
                    DEFAULT_SETS[position], label=set_label(DEFAULT_TEST, position, letter), lines=3, elem_id=name
                )
                boxes.append(box)
    test = gr.Button("Test", variant="primary", elem_id="run-weat")
    says = gr.Markdown(elem_id="weat-says")
    results = gr.Dataframe(headers=WEAT_HEADER, interactive=False, label="Result", elem_id="weat-results")
    drawing = gr.HTML(elem_id="weat-picture")
    gr.Markdown(f"Word lists: {sources()['weat.json']}.", elem_classes="source")

    def fill(name):
        return [
            gr.Textbox(words, label=set_label(name, position, "XYAB"[position]))
            for position, words in enumerate(set_texts(name))
        ]

    @raises_gradio_error
    def show(name, *values):
        *sets, vectors = values
        before, after = weat_and_debiased(sets, resources.space(vectors))
        names = set_names(name, sets)
        rows = [weat_row("as they are", before)] + [weat_row("hard-debiased for gender", after)] * (after is not None)
        values, later = (result and np.array(list(result.associations.values())) for result in (before, after))
        ends, title = (names[3], names[2]), f"association with {names[2]} minus {names[3]}"
        figure = draw_projections(list(before.associations), values, later, ends, title)
        return (
            weat_sentence(before, names),
            rows,
            picture(figure, f"The association of each word with {names[2]} and {names[3]}"),
        )

    chosen.change(fill, chosen, boxes, queue=False, **{**PRIVATE_EVENT, "show_progress": "hidden"})
    test.click(show, [chosen, *boxes, vectors], [says, results, drawing], **RUN_ONCE_EVENT)


def _create_debiasing(resources: Resources, vectors: gr.Dropdown) -> None:
    gr.Markdown("### The gender direction, and what debiasing leaves")
    gr.Markdown(DEBIASING_EXPLANATION)
    project_button = gr.Button("Look", variant="primary", elem_id="look")
    says = gr.Markdown(elem_id="debiasing-says")
    drawing = gr.HTML(elem_id="occupations")
    clusters = gr.HTML(elem_id="clusters")
    gr.Markdown(f"Word lists: {sources()['gender.json']}.", elem_classes="source")

    @raises_gradio_error
    def show(vectors):
        debiasing, left = prepared(resources.space(vectors))
        words = shown_occupations(debiasing)
        values, after = projections(debiasing, words)
        figure = draw_projections(words, values, after, ("male", "female"), "cosine with the gender direction")
        kinds = ["most female"] * (len(left.words) // 2) + ["most male"] * (len(left.words) // 2)
        panels = [
            (title, project(matrix)[0]) for title, matrix in (("as they are", left.before), ("debiased", left.after))
        ]
        return (
            leftover_sentence(debiasing, left),
            picture(figure, f"Occupations between male and female: {joined(words)}"),
            picture(draw_clusters(panels, kinds), "The most biased words on a plane, before and after debiasing"),
        )

    project_button.click(show, vectors, [says, drawing, clusters], **RUN_ONCE_EVENT)


@cache
def prepared(space: VectorSpace) -> tuple[Debiasing, Leftover]:
    """The debiasing of a space, and what it leaves; worked out once."""
    debiasing = Debiasing(space)
    return debiasing, measure_leftover(debiasing)


def occupations(debiasing: Debiasing) -> list[str]:
    """The published occupations that a space has and that mean no gender."""
    return [word for word in debiasing.space.known(gender_lists().occupations)[0] if debiasing.is_neutral(word)]


def shown_occupations(debiasing: Debiasing) -> list[str]:
    """The most frequent occupations, as many as a picture holds."""
    return sorted(occupations(debiasing), key=debiasing.space.frequency_rank)[:OCCUPATIONS_SHOWN]


def projections(debiasing: Debiasing, words: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """The cosine of each word with the gender direction, before and after debiasing: (words,) each."""
    return debiasing.projections(words), debiasing.vectors(words) @ debiasing.direction


def set_texts(name: str) -> list[str]:
    """The four sets of a published test as texts: X, Y, A, B."""
    test = weat_tests()[name]
    return [joined(words) for words in (*test.targets.values(), *test.attributes.values())]


DEFAULT_SETS = set_texts(DEFAULT_TEST)


def set_label(name: str, position: int, letter: str) -> str:
    """What a set of a published test is called on the page."""
    test = weat_tests()[name]
    return f"{letter}: {[*test.targets, *test.attributes][position]}"


def set_names(name: object, sets: list) -> list[str]:
    """What the four sets are called in a sentence: by the published test while its words stand, else X, Y, A, B."""
    test = weat_tests().get(name) if isinstance(name, str) else None
    if test and [parse_words(words).words for words in sets] == [parse_words(words).words for words in set_texts(name)]:
        return [*test.targets, *test.attributes]
    return list("XYAB")


def weat_sentence(result: WeatResult, names: list[str]) -> str:
    """What a test says, in words, and what was left out."""
    x, y, a, b = map(bold, names)
    strength = f"effect size {result.effect_size:.2f}, p = {shown_p(result)}"
    if result.p_value <= 0.05:
        text = f"{x} goes with {a}, and {y} with {b}: {strength}."
    elif result.p_value >= 0.95:
        text = f"The other way round: {x} goes with {b}, and {y} with {a}: {strength}, which is for the way asked."
    else:
        text = f"No association that chance would not bring about: {strength}."
    missing = [word for words in result.missing.values() for word in words]
    return text + (
        f" Left out, since these vectors lack them: {', '.join(map(bold, missing[:20]))}." if missing else ""
    )


def weat_row(name: str, result: WeatResult) -> list[str]:
    """A result as a row of the table."""
    kind = "all" if result.exact else "drawn"
    return [name, f"{result.effect_size:.2f}", shown_p(result), f"{result.partitions:,} ({kind})"]


def shown_p(result: WeatResult) -> str:
    """A p-value with two digits that say something."""
    return f"{result.p_value:.2g}"


def leftover_sentence(debiasing: Debiasing, left: Leftover) -> str:
    """What debiasing leaves behind, in words."""
    return (
        f"The direction holds **{debiasing.explained:.0%}** of what its {len(debiasing.pairs)} pairs differ in. Of the "
        f"{len(left.words):,} most biased words, two clusters of k-means tell **{left.accuracy_before:.0%}** female from male, "
        f"and after debiasing still **{left.accuracy_after:.0%}**; a classifier **{left.recovered_before:.0%}**, and after "
        f"debiasing still **{left.recovered_after:.0%}** (50 % would be chance)."
    )
