"""The view on bias in steps, each with its picture first: occupations, WEAT, what debiasing hides, and the models that write;
`/bias`, `/debiasing`, `/writer_bias`."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import gradio as gr
import numpy as np

from lyricgen.analysis.writer_bias import OCCUPATIONS, PAIR, TEMPLATE
from lyricgen.endpoints import inside
from lyricgen.endpoints import words as endpoints
from lyricgen.endpoints.words import BIAS_ANSWERS, DEFAULT_TEST, published_sets
from lyricgen.errors import LyricGenError
from lyricgen.resources import Resources
from lyricgen.ui.components import as_json, draw_with, model_label
from lyricgen.ui.events import LATEST_EVENT, SILENT_EVENT, add_endpoint, listen
from lyricgen.ui.inline_errors import error_line, page_sentence
from lyricgen.ui.tabs.words.analogies import bars, clean_answers
from lyricgen.ui.tabs.words.answers import answers, find_word, is_clean, space_labels, spelling_buttons
from lyricgen.ui.tabs.words.form import create_word_form
from lyricgen.ui.tabs.words.openings import shipped_opening
from lyricgen.validation import check_choice
from lyricgen.words.bias import Debiasing, WeatResult, permuted_effects, two_analogies, weat_and_debiased
from lyricgen.words.lists import citations, join_words, parse_words, weat_tests
from lyricgen.words.projection import project
from lyricgen.words.word_vectors import WordVectors

SET_NAMES = ("target1", "target2", "attribute1", "attribute2")
SET_LETTERS = "XYAB"
EXTREMES, NEUTRALS = 12, 6  # occupations shown at each end, and near zero
NO_OCCUPATIONS = {"confesses", "hooker"}  # of the published list: a verb, and in news a position in rugby
MAX_MISSING_NAMED = 20  # words
SIGNIFICANCE = 0.05  # p-value up to which an association counts
HISTOGRAM_BINS, HISTOGRAM_LIMIT = 40, 2.0  # of effect sizes, from minus the limit to the limit
TWO_ANALOGIES = [["man", "worker", "woman"], ["man", "doctor", "woman"], ["he", "brilliant", "she"]]
CLUSTER_SIZE = 1_000  # places of the clusters are whole numbers from 0 to this
CLUSTER_WORDS = 250  # words drawn of each gender; the figures are of all


def create_bias_view(resources: Resources) -> None:
    """Adds the view's components, `/bias`, `/debiasing` and `/writer_bias`."""
    gr.Markdown("Words learn our prejudices from what we write. See it in four steps, and why it is hard to remove.")
    labels = [(label, name) for name, label in space_labels(resources)]
    vectors = gr.Radio(labels, value=labels[0][1] if labels else None, label="Words learnt from")
    _create_occupations(resources, vectors)
    _create_weat(resources, vectors)
    look = _create_clusters(resources, vectors)
    _create_writer(resources, look)
    with gr.Accordion("More: two analogies side by side", open=False):
        _create_analogies(resources)
    lists = citations()
    gr.Markdown(f"Word lists: {lists['gender.json']}; {lists['weat.json']}.", elem_classes="source")
    add_endpoint(resources, endpoints.bias, gpu=False)
    add_endpoint(resources, endpoints.debiasing, gpu=False)
    add_endpoint(resources, inside.writer_bias)


def picture_of(name: str, value: str = "", functions: Sequence[Callable] = ()) -> gr.HTML:
    """A component that static/bias.js draws into."""
    return gr.HTML(
        value,
        html_template="",
        js_on_load=draw_with("bias"),
        server_functions=list(functions),
        apply_default_css=False,
        padding=False,
        elem_id=name,
    )


def _create_occupations(resources: Resources, vectors: gr.Radio) -> None:
    gr.Markdown("## 1. Which jobs are near “she”, and which near “he”?")
    opening = shipped_opening(resources, first_occupations) if vectors.value else ""
    drawing = picture_of("occupations", opening, [answers(resources, show_own_word)])
    gr.Markdown(
        "Nobody put this in: it comes from which words stand near each other in the texts. The bar is the closeness (cosine) of a "
        "job to the **gender direction**, the step that *he* to *she*, *man* to *woman* and eight more pairs have in common.",
        elem_classes="soft",
    )
    listen(vectors.change, partial(show_occupations, resources), vectors, drawing, gpu=False, **LATEST_EVENT)


def _create_weat(resources: Resources, vectors: gr.Radio) -> None:
    gr.Markdown("## 2. Do two groups of names go with two groups of words?")
    sets = published_sets(DEFAULT_TEST)
    opening = shipped_opening(resources, first_weat) if vectors.value else ""
    drawing = picture_of("weat-picture", opening)
    gr.Markdown(
        "Below: if we deal the names out to the two groups at random, how often is the difference as large as the line? That share "
        "is **p**. The test is called **WEAT** (Caliskan, Bryson and Narayanan 2017).",
        elem_classes="soft",
    )
    tests = weat_tests()
    choices = [(f"{test.title} (published: {test.published['effect_size']:.2f})", name) for name, test in tests.items()]
    published = gr.Dropdown(choices, value=DEFAULT_TEST, label="Choose a test", elem_id="weat-test")
    boxes = []
    with gr.Accordion("Change the words", open=False):
        for positions in ((0, 1), (2, 3)):
            with gr.Row():
                for position in positions:
                    label = set_label(DEFAULT_TEST, position)
                    boxes.append(gr.Textbox(sets[position], label=label, lines=3, elem_id=SET_NAMES[position]))
        test = gr.Button("Run the test", elem_id="run-weat")
        spellings = error_line("weat-spellings")
    show = partial(show_weat, resources)
    filled = listen(published.change, fill_sets, published, boxes, gpu=False, queue=False, **SILENT_EVENT)
    inputs = [published, *boxes, vectors]
    outputs = [spellings, drawing]
    listen([test.click, vectors.change], show, inputs, outputs, gpu=False, busy=test, **LATEST_EVENT)
    listen(filled.then, show, inputs, outputs, gpu=False, **LATEST_EVENT)


def _create_clusters(resources: Resources, vectors: gr.Radio) -> gr.Button:
    gr.Markdown("## 3. Can it be taken out?")
    look = gr.Button("Take the direction out", variant="primary", elem_id="look", elem_classes="runs-on-open")
    drawing = picture_of("clusters")
    gr.Markdown(
        "**Hard debiasing** (Bolukbasi et al. 2016) takes the gender direction out of every word that does not mean a gender. But the "
        "words that were near each other still are (Gonen and Goldberg 2019): hidden, not gone.",
        elem_classes="soft",
    )
    show = partial(show_clusters, resources)
    listen([look.click, vectors.change], show, vectors, drawing, gpu=False, busy=look, **LATEST_EVENT)
    return look


def _create_writer(resources: Resources, look: gr.Button) -> None:
    gr.Markdown("## 4. And the networks that write?")
    drawing = picture_of("writer")
    with gr.Accordion("Change the words or the sentence", open=False):
        words = gr.Textbox(join_words(OCCUPATIONS), label="Jobs, or other words", lines=2, elem_id="writer-words")
        with gr.Row():
            template = gr.Textbox(
                TEMPLATE, label="Sentence", info="{} is where the word goes.", elem_id="writer-template"
            )
            pair = gr.Textbox(join_words(PAIR), label="Two words to compare", elem_id="writer-pair")
        ask = gr.Button("Ask both networks", elem_id="ask-writers")
    show = partial(show_writers, resources)
    listen([ask.click, look.click], show, [words, pair, template], drawing, busy=ask, **LATEST_EVENT)


def _create_analogies(resources: Resources) -> None:
    labels = {"x1": "First word", "word": "is to", "y1": "Second word"}
    create_word_form(
        resources, compare_analogies, "two-analogies", labels, "Compare", TWO_ANALOGIES, first_two_analogies
    )


def first_occupations(resources: Resources) -> str:
    """What the first step opens with, as JSON for bias.js."""
    return show_occupations(resources, resources.space_names[0])


def first_weat(resources: Resources) -> str:
    """What the second step opens with, as JSON for bias.js."""
    return drawn("weat", lambda: weat_facts(DEFAULT_TEST, list(published_sets(DEFAULT_TEST)), resources.space()))


def show_occupations(resources: Resources, vectors: str) -> str:
    """The most female, the most male and neutral occupations, as JSON for bias.js."""
    return drawn("occupations", lambda: occupation_rows(resources.space(vectors)))


def occupation_rows(space: WordVectors) -> dict[str, Any]:
    """The `EXTREMES` most female occupations, `NEUTRALS` near zero, and the most male, each with its projection."""
    debiasing = Debiasing(space)
    words = [word for word in debiasing.occupations() if word not in NO_OCCUPATIONS]
    values = debiasing.projections(words)
    order = np.argsort(-values, kind="stable").tolist()
    ends = min(EXTREMES, max(0, len(order) - NEUTRALS) // 2)
    female, rest, male = order[:ends], order[ends : len(order) - ends], order[len(order) - ends :]
    neutral = sorted(sorted(rest, key=lambda row: abs(values[row]))[:NEUTRALS], key=lambda row: -values[row])
    rows = [{"word": words[row], "value": round(float(values[row]), 3)} for row in (*female, *neutral, *male)]
    return {"vectors": space.name, "rows": rows}


def show_own_word(resources: Resources, vectors: str, word: str) -> dict[str, Any]:
    """The projection of a visitor's word."""
    space = resources.space(vectors)
    word = find_word(space, word, "word")
    return {"word": word, "value": round(float(Debiasing(space).projections([word])[0]), 3)}


def fill_sets(test: str) -> list[gr.Textbox]:
    """The four boxes with the words and names of a published test."""
    return [gr.Textbox(words, label=set_label(test, position)) for position, words in enumerate(published_sets(test))]


def show_weat(
    resources: Resources, test: str, target1: str, target2: str, attribute1: str, attribute2: str, vectors: str
) -> tuple[str, str]:
    """Words of the visitor that the space lacks with spellings, and the result before and after debiasing, as JSON for bias.js."""
    sets = [target1, target2, attribute1, attribute2]
    drawing = drawn("weat", lambda: weat_facts(test, sets, resources.space(vectors)))
    try:
        return typed_spellings(resources.space(vectors), test, sets), drawing
    except LyricGenError:  # the drawing says it
        return "", drawing


def typed_spellings(space: WordVectors, test: str, sets: Sequence[str]) -> str:
    """Spellings for words that a space lacks, but for those of a published test."""
    found = []
    for box, typed, published in zip(SET_NAMES, sets, published_sets(test), strict=True):
        own, given = (parse_words(text, is_word=space.is_word).words for text in (typed, published))
        found.append(spelling_buttons(space, [word for word in own if word not in given], box, "run-weat"))
    return "".join(found)


def weat_facts(test: str, sets: list[str], space: WordVectors) -> dict[str, Any]:
    """The associations of the words, the effect sizes of random partitions, and the sentences."""
    before, after = weat_and_debiased(sets, space)
    names = set_names(test, sets)
    size = len(space.known(parse_words(sets[0], is_word=space.is_word).words)[0])
    effects = np.clip(permuted_effects(before, size), -HISTOGRAM_LIMIT, HISTOGRAM_LIMIT - 1e-6)
    counts, _ = np.histogram(effects, HISTOGRAM_BINS, (-HISTOGRAM_LIMIT, HISTOGRAM_LIMIT))
    rows = [
        {"word": word, "value": round(value, 3), "group": int(place >= size)}
        for place, (word, value) in enumerate(before.associations.items())
    ]
    return {
        "names": names,
        "rows": rows,
        "effect": round(before.effect_size, 2),
        "debiased": None if after is None else round(after.effect_size, 2),
        "histogram": counts.tolist(),
        "limit": HISTOGRAM_LIMIT,
        "sentence": weat_sentence(before, names),
    }


def show_clusters(resources: Resources, vectors: str) -> str:
    """The most biased words on a plane before and after debiasing, and how well a program sorts them, as JSON for bias.js."""
    return drawn("clusters", lambda: cluster_facts(resources.space(vectors)))


def cluster_facts(space: WordVectors) -> dict[str, Any]:
    """Places before and after debiasing, the first half of female words, and the shares of words that are sorted right."""
    debiasing, left = endpoints.debias(space)
    half = len(left.words) // 2
    shown = [*range(min(half, CLUSTER_WORDS)), *range(2 * half - min(half, CLUSTER_WORDS), 2 * half)]
    return {
        "words": [left.words[row] for row in shown],
        "before": cluster_places(left.before)[shown].tolist(),
        "after": cluster_places(left.after)[shown].tolist(),
        "count": len(left.words),
        "clustered": [round(left.accuracy_before, 3), round(left.accuracy_after, 3)],
        "classified": [round(left.recovered_before, 3), round(left.recovered_after, 3)],
    }


def cluster_places(matrix: np.ndarray) -> np.ndarray:
    """Rows of a matrix on the plane of their PCA, int (words, 2) from 0 to `CLUSTER_SIZE`, the female half on the left."""
    places, _ = project(matrix)
    half = len(places) // 2
    if places[:half, 0].mean() > places[half:, 0].mean():
        places[:, 0] *= -1
    low, high = places.min(axis=0), places.max(axis=0)
    return np.rint(CLUSTER_SIZE * (places - low) / np.maximum(high - low, 1e-9)).astype(int)


def show_writers(resources: Resources, words: str, pair: str, template: str) -> str:
    """The share of the second word of a pair after each word, by each model, as JSON for bias.js."""
    return drawn("writer", lambda: writer_facts(resources, words, pair, template))


def writer_facts(resources: Resources, words: str, pair: str, template: str) -> dict[str, Any]:
    """Rows of each model, in the order of the first model's."""
    measured = [inside.measure_writer(resources, words, pair, template, "", name) for name in resources.model_names]
    shares = [{choice.word: round(choice.share, 3) for choice in one.choices} for one in measured]
    return {
        "models": [model_label(one.model) for one in measured],
        "pair": list(measured[0].pair),
        "template": measured[0].template,
        "rows": [{"word": word, "shares": [share[word] for share in shares]} for word in shares[0]],
        "means": [round(one.mean_share, 3) for one in measured],
    }


def drawn(kind: str, make_facts: Callable[[], dict[str, Any]]) -> str:
    """JSON for bias.js: the facts, or one sentence on what is wrong, in the page's words."""
    try:
        return as_json({"kind": kind, **make_facts()})
    except LyricGenError as error:
        return as_json({"kind": "problem", "error": page_sentence(str(error))})


def first_two_analogies(resources: Resources) -> dict[str, Any]:
    """The answer to the first example in the first space."""
    return compare_analogies(resources, resources.space_names[0], *TWO_ANALOGIES[0])


def compare_analogies(resources: Resources, vectors: str, x1: str, word: str, y1: str) -> dict[str, Any]:
    """The answers to an analogy and to the one back, and which they share."""
    space = resources.space(vectors)
    x1, word, y1 = (find_word(space, text, box) for text, box in ((x1, "x1"), (word, "word"), (y1, "y1")))
    pair = two_analogies(x1, word, y1, BIAS_ANSWERS, space)
    kinds = {
        "In both": pair.shared,
        f"Only for {pair.y1}": pair.only_forward,
        f"Only for {pair.x1}": pair.only_backward,
    }
    kinds = {kind: [word for word in words if is_clean(resources, word)] for kind, words in kinds.items()}
    titles = [f"{start} is to {pair.word} as {end} is to …" for start, end in ((pair.x1, pair.y1), (pair.y1, pair.x1))]
    return {
        "lines": ["; ".join(f"{kind}: {', '.join(words) or 'none'}" for kind, words in kinds.items()) + "."],
        "lists": [
            {"title": title, "rows": bars(clean_answers(resources, found, BIAS_ANSWERS))}
            for title, found in zip(titles, (pair.forward, pair.backward), strict=True)
        ],
    }


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
    x, y, a, b = names
    strength = f"effect size {result.effect_size:.2f}, p = {p_text(result)}"
    if result.p_value <= SIGNIFICANCE:
        text = f"{x} goes with {a}, and {y} with {b}: {strength}."
    elif result.p_value >= 1 - SIGNIFICANCE:
        text = f"The other way round: {x} goes with {b}, and {y} with {a}: {strength}, which is for the way asked."
    else:
        text = f"No association that chance would not bring about: {strength}."
    missing = [word for words in result.missing.values() for word in words]
    if missing:
        text += f" Left out, since these vectors lack them: {', '.join(missing[:MAX_MISSING_NAMED])}."
    return text


def p_text(result: WeatResult) -> str:
    """A p-value to two significant digits."""
    return f"{result.p_value:.2g}"
