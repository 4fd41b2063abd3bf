"""The tab that tells whose style a text is in, as a whole and line by line; `/attribute`."""

import html

import gradio as gr

from lyricgen.analysis.attribution import MAX_ATTRIBUTED_LENGTH, Attribution
from lyricgen.devices import with_gpu
from lyricgen.resources import Resources
from lyricgen.ui.components import RUN_ONCE_EVENT, TextTarget, escaped
from lyricgen.ui.events import raises_gradio_error

EXPLANATION = """
A model that writes in the style of an artist can be asked the other way round. It reads your text once for each of its
artists; the better it foresees the letters when it is told a name, the likelier that name is (Bayes' rule). Beside it
stands a classifier that counts short runs of letters and words (n-grams). You see the probabilities by each; the n-grams are
right more often, so the answer is theirs. Both know only these artists: someone else's text is put to the one whose style
it is nearest to.
"""
EXAMPLES = [  # written for this page
    [
        "i wrote your name in the margin of my notebook\nand you drove me home in the rain that night\n"
        "now every little song on the radio is about you"
    ],
    [
        "stacks on the table, i been up since seven\ncame from the basement, now the roof is my heaven\n"
        "they want my flow but they could never get it"
    ],
    ["the stars fall into the sea tonight\nand all the colours come alive\nand we are floating, we are light"],
]


def create_attribution_tab(resources: Resources) -> TextTarget:
    """Adds the tab's components and its API."""
    gr.Markdown(EXPLANATION)
    with gr.Row():
        with gr.Column(scale=2, min_width=320):
            text = gr.Textbox(
                EXAMPLES[0][0],
                label="Text",
                lines=7,
                max_lines=16,
                info=f"1 to {MAX_ATTRIBUTED_LENGTH:,} letters; a line of its own for each line, or two spaces between.",
                elem_id="attribution-text",
            )
            model = gr.Radio(resources.model_names, value=resources.default_model, label="Model")
            ask = gr.Button("Whose is it?", variant="primary", elem_id="attribute")
        with gr.Column(scale=3, min_width=320):
            verdict = gr.Markdown(elem_id="attribution-verdict")
            ranking = gr.HTML(elem_id="attribution-ranking")
    lines = gr.HTML(elem_id="attribution-lines")
    gr.Markdown(how_right(resources), elem_id="attribution-figures")
    gr.Examples(EXAMPLES, text, label="Texts to try (written for this page)", api_visibility="private")

    @with_gpu
    @raises_gradio_error
    def show(text, model):
        found = resources.attribute(text, model)
        return verdict_on(found), draw_rankings(found), draw_lines(found)

    @with_gpu
    @raises_gradio_error
    def attribute(text: str = EXAMPLES[0][0], model: str = resources.default_model) -> dict:
        """The probability of a text under each artist that a model knows ('posterior', 'ranking'), and line by line.

        Args:
            text: 1 to 5,000 characters; line breaks and runs of two spaces or more end a line.
            model: lstm or vanilla-rnn.
        """
        return resources.attribute(text, model).to_dict()

    inputs, outputs = [text, model], [verdict, ranking, lines]
    ask.click(show, inputs, outputs, **RUN_ONCE_EVENT)
    gr.api(attribute, api_name="attribute")
    return TextTarget(text, show, inputs, outputs)


def verdict_on(found: Attribution) -> str:
    """The answer in a sentence or two, and what the asker should know."""
    best = found.ranking[0]
    saved = found.margin / max(found.characters, 1)
    helps = f"The name saves the model {saved:.3f} bits a letter" if saved > 0 else "The name does not help the model"
    said = f"**{escaped(best.artist)}**, with a probability of {percent(best.probability)}. {helps}, against no name."
    return " ".join([said, *map(escaped, found.notes)])


def draw_rankings(found: Attribution) -> str:
    """Both posteriors as bars, by n-grams above by the model: HTML, in which everything is text."""
    by_model = draw_ranking("By the language model", found.posterior_by_model)
    return (draw_ranking("By n-grams", found.posterior) if found.with_ngrams else "") + by_model


def draw_ranking(title: str, posterior: dict[str, float]) -> str:
    """A posterior as bars, the most likely artist first: HTML, in which everything is text."""
    rows = [
        f'<li><span class="name">{html.escape(artist)}</span>'
        f'<span class="track" aria-hidden="true"><span style="width:{100 * probability:.1f}%"></span></span>'
        f'<span class="share">{html.escape(percent(probability))}</span></li>'
        for artist, probability in sorted(posterior.items(), key=lambda item: -item[1])
    ]
    return f'<h4>{html.escape(title)}</h4><ol class="posterior">{"".join(rows)}</ol>'


def draw_lines(found: Attribution) -> str:
    """Each line with its likeliest artist: HTML, in which everything is text."""
    rows = [
        f"<tr><td>{html.escape(line.text)}</td><td>{html.escape(line.artist)}</td>"
        f"<td>{html.escape(percent(line.probability))}</td></tr>"
        for line in found.lines
    ]
    head = "<tr><th>Line</th><th>Likeliest</th><th>Probability</th></tr>"
    return f'<table class="whose-lines"><thead>{head}</thead><tbody>{"".join(rows)}</tbody></table>'


def percent(share: float) -> str:
    """A probability for people.

    >>> percent(0.4567), percent(0.0123), percent(0.0001)
    ('46 %', '1.2 %', '< 0.1 %')
    """
    if share < 0.0005:
        return "< 0.1 %"
    return f"{100 * share:.{1 if share < 0.0995 else 0}f} %"


def how_right(resources: Resources) -> str:
    """How often the answer is right, from what was measured with the models that run here, and what it does not mean."""
    meaning = (
        "A short text says little: three hundred letters in nobody's manner look like someone's by chance. "
        "It is a likeness of words and turns, and no proof of who wrote a text."
    )
    measured = resources.ngrams.metrics.get("validation") if resources.ngrams else None
    if not measured:
        return f"How often it is right was not measured for what runs here. {meaning}"
    right, baseline = (measured["methods"][name] for name in ("n-grams", measured["baseline"]))
    return (
        f"Of {measured['clean']} songs unlike those that it read, the n-grams name the right one of {len(resources.ngrams.artists)} "
        f"artists for **{right['clean']['accuracy']:.1%}** ({escaped(measured['baseline'])}: {baseline['clean']['accuracy']:.1%}), "
        f"of all {measured['songs']} validation songs for **{right['all']['accuracy']:.1%}** "
        f"({baseline['all']['accuracy']:.1%}), by {escaped(measured['read'])}. {meaning}"
    )
