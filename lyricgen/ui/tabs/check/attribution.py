"""The answer on authorship attribution: the likely artist of a text, as a whole and line by line; `/attribute`."""

import html
from functools import partial

import gradio as gr

from lyricgen.analysis.attribution import Attribution, LineAttribution
from lyricgen.endpoints import inside
from lyricgen.resources import Resources
from lyricgen.ui.components import escaped
from lyricgen.ui.events import LATEST_EVENT, add_endpoint, listen
from lyricgen.ui.shared_text import TextBox

EXPLANATION = """
A model that writes in the style of an artist can be asked the other way round. It reads your text once for each of its
artists; the better it foresees the letters when it is told a name, the likelier that name is (Bayes' rule). Beside it
stands a classifier that counts short runs of letters and words (n-grams). You see the probabilities by each; the n-grams are
right more often, so the answer is theirs. Both know only these artists: someone else's text is put to the one whose style
it is nearest to.
"""
MEANING = (
    "A short text says little: three hundred letters in nobody's manner look like someone's by chance. "
    "It is a likeness of words and turns, and no proof of who wrote a text."
)
NGRAMS_METHOD = "n-grams"  # the classifier's name among the measured methods


def create_attribution(resources: Resources, check: gr.Button, box: TextBox) -> None:
    """Adds the bars of the artists, the lines and `/attribute`; `check` runs it."""
    gr.Markdown("## Sounds like")
    verdict = gr.Markdown(elem_id="attribution-verdict")
    ranking = gr.HTML(elem_id="attribution-ranking")
    lines = gr.HTML(elem_id="attribution-lines")
    gr.Markdown(accuracy_text(resources), elem_id="attribution-figures")
    gr.Markdown(EXPLANATION)
    show = partial(show_attribution, resources, model=resources.default_model)
    listen(check.click, show, box.text, [verdict, ranking, lines], **LATEST_EVENT)
    add_endpoint(resources, inside.attribute)


def show_attribution(resources: Resources, text: str, model: str) -> tuple[str, str, str]:
    """The answer in words, the posteriors as bars, and the lines."""
    answer = inside.attribute_text(resources, text, model)
    return verdict_text(answer), posterior_bars(answer), line_table(answer)


def verdict_text(answer: Attribution) -> str:
    """The most likely artist, the bits that the name saves, and the notes."""
    best = answer.ranking[0]
    saved = answer.margin / max(answer.characters, 1)
    helps = f"The name saves the model {saved:.3f} bits a letter" if saved > 0 else "The name does not help the model"
    verdict = (
        f"**{escaped(best.artist)}**, with a probability of {percent(best.probability)}. {helps}, against no name."
    )
    return " ".join([verdict, *map(escaped, answer.notes)])


def posterior_bars(answer: Attribution) -> str:
    """Both posteriors as bars, n-grams first, then the model: HTML, escaped."""
    by_ngrams = bars("By n-grams", answer.posterior) if answer.with_ngrams else ""
    return by_ngrams + bars("By the language model", answer.posterior_by_model)


def bars(title: str, posterior: dict[str, float]) -> str:
    """A posterior as bars, the most likely artist first: HTML, escaped."""
    rows = [
        f'<li><span class="name">{html.escape(artist)}</span>'
        f'<span class="track" aria-hidden="true"><span style="width:{100 * probability:.1f}%"></span></span>'
        f'<span class="share">{html.escape(percent(probability))}</span></li>'
        for artist, probability in sorted(posterior.items(), key=lambda item: -item[1])
    ]
    return f'<h4>{html.escape(title)}</h4><ol class="posterior">{"".join(rows)}</ol>'


def line_table(answer: Attribution) -> str:
    """Each line with its most likely artist and the n-grams that speak most for that one: HTML, escaped."""
    rows = [
        f"<tr><td>{html.escape(line.text)}</td><td>{html.escape(line.artist)}</td>"
        f"<td>{html.escape(percent(line.probability))}</td><td>{html.escape(evidence_text(line))}</td></tr>"
        for line in answer.lines
    ]
    head = "<tr><th>Line</th><th>Most likely</th><th>Probability</th><th>Evidence (n-grams)</th></tr>"
    return f'<table class="whose-lines"><thead>{head}</thead><tbody>{"".join(rows)}</tbody></table>'


def evidence_text(line: LineAttribution) -> str:
    """The n-grams that speak most for the artist of a line, the strongest first; '' without a classifier."""
    return ", ".join(f"“{ngram.ngram.strip()}”" for ngram in line.evidence.ngrams) if line.evidence else ""


def percent(share: float) -> str:
    """A probability as a percentage.

    >>> percent(0.4567), percent(0.0123), percent(0.0001)
    ('46 %', '1.2 %', '< 0.1 %')
    """
    if share < 0.0005:
        return "< 0.1 %"
    return f"{100 * share:.{1 if share < 0.0995 else 0}f} %"


def accuracy_text(resources: Resources) -> str:
    """The measured accuracy of the loaded n-gram classifier, and the limits of an answer."""
    applies = resources.ngrams is not None and list(resources.ngrams.artists) == resources.artists()
    measured = (resources.ngrams.metrics.get("validation") if applies else None) or {}
    methods = measured.get("methods", {})
    ngrams, baseline = methods.get(NGRAMS_METHOD, {}), methods.get(measured.get("baseline"), {})
    if "clean" not in ngrams or "all" not in ngrams:
        return f"How often it is right was not measured for what runs here. {MEANING}"
    beside = {
        split: f" ({escaped(measured['baseline'])}: {baseline[split]['accuracy']:.1%})" if split in baseline else ""
        for split in ngrams
    }
    masked = "Artists' names are hidden from the n-grams. " if resources.ngrams.masked_names else ""
    return (
        f"{masked}Of {measured['clean']} songs unlike those that it read, the n-grams name the right one of {len(resources.ngrams.artists)} "
        f"artists for **{ngrams['clean']['accuracy']:.1%}**{beside['clean']}, of all {measured['songs']} validation songs for "
        f"**{ngrams['all']['accuracy']:.1%}**{beside['all']}, by {escaped(measured['read'])}. {MEANING}"
    )
