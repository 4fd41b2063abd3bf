"""Endpoints that look inside the models: `/score`, `/cells`, `/alternatives`, `/saliency`, `/attribute`, `/originality`,
`/membership`, `/writer_bias`, `/learning_curves`, `/about`."""

from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING

from lyricgen.analysis import activations, attribution, scoring
from lyricgen.analysis import writer_bias as bias_of_writer
from lyricgen.analysis.activations import Activations
from lyricgen.analysis.attribution import Attribution
from lyricgen.analysis.membership import Membership, measure_membership
from lyricgen.analysis.saliency import Saliency
from lyricgen.analysis.saliency import saliency as measure_saliency
from lyricgen.analysis.scoring import Score
from lyricgen.analysis.writer_bias import OCCUPATIONS, PAIR, TEMPLATE, WriterBias
from lyricgen.endpoints.detail import Detail, check_detail, in_detail
from lyricgen.errors import ModelError
from lyricgen.memorization.originality import Originality, measure_originality
from lyricgen.models.text import ANY_ARTIST
from lyricgen.words.lists import join_words

if TYPE_CHECKING:
    from lyricgen.memorization.song_index import SongIndex
    from lyricgen.resources import Resources

MEMBERSHIP_MODELS = ("lstm", "vanilla-rnn")  # the model, and the weaker one that it is compared with
SCORED_EXAMPLE = (
    "we walked along the river in the middle of the night  hold on to my hand till the morning is bright  "
    "we walked along the river in the middle of the night  oh oh oh the quixotic zebra takes flight"
)
ATTRIBUTED_EXAMPLE = (
    "i wrote your name in the margin of my notebook\nand you drove me home in the rain that night\n"
    "now every little song on the radio is about you"
)
ORIGINALITY_EXAMPLE = """the ferry left without us, and the harbour lights went low
i don't know what to do when all the gulls have somewhere to go
you poured the last cold coffee on the postcards from the fair
and i can't get you out of these old boots i always wear"""


def score(
    resources: "Resources",
    text: str = SCORED_EXAMPLE,
    artist: str = ANY_ARTIST,
    model: str | None = None,
    memory: bool = False,
    detail: Detail = "full",
) -> dict:
    """Scores a text under a model: bits per character of the text and of each line; for each character its probability,
    log-probability in bits, rank, the entropy in bits before it, and the five most likely characters. With memory also
    the runs of 12 characters or more that occur earlier in the text ('repeats'), for each character inside one its earlier
    position ('earlier'), and the bits per character of the model alone.

    Args:
        text: 1 to 5,000 characters, read in lower case; those outside string.printable are not scored.
        artist: as if it were by; 'any artist' for none in particular.
        model: lstm or vanilla-rnn.
        memory: whether the text so far is used too: what followed the last characters where they occur earlier.
        detail: full; summary: without the characters.
    """
    return in_detail(detail, ["characters"], lambda: score_text(resources, text, artist, model, memory).to_dict())


def cells(
    resources: "Resources",
    text: str = SCORED_EXAMPLE,
    artist: str = ANY_ARTIST,
    model: str | None = None,
    layer: int = 0,
    unit: int = -1,
    detail: Detail = "full",
) -> dict:
    """The activation of a hidden unit after each character of a text, an LSTM's memory cell and gates beside it, the units of its
    layer that vary most, and for each feature of the text (position in a line, inside quotes, vowel, ...) the units that correlate with it most.

    Args:
        text: 1 to 5,000 characters.
        artist: as if it were by; 'any artist' for none in particular.
        model: lstm or vanilla-rnn.
        layer: from 1; 0: the top one.
        unit: from 0; -1: the unit of the layer that varies most.
        detail: full; summary: without the values along the text.
    """
    large = ["activations", "cell_states", "gates"]
    return in_detail(detail, large, lambda: read_unit(resources, text, artist, model, layer, unit)[1])


def alternatives(
    resources: "Resources",
    text: str = "the night is ",
    position: int = 4,
    artist: str = ANY_ARTIST,
    model: str | None = None,
    temperature: float = 1.0,
    count: int = 10,
) -> list[dict]:
    """The most likely characters at a position of a text, the most likely first, each with its probability.

    Args:
        text: up to 5,000 characters; only those before the position count.
        position: from 0, the beginning, to the text's length, for the character after its end.
        artist: as if it were by; 'any artist' for none in particular.
        model: lstm or vanilla-rnn.
        temperature: divisor of the logits, 0 to 100.
        count: number of characters, 1 to 100.
    """
    candidates = resources.run_on_model(
        model,
        lambda network: scoring.alternatives(
            text, position, artist=artist, model=network, temperature=temperature, count=count
        ),
    )
    return [{"character": candidate.character, "probability": candidate.probability} for candidate in candidates]


def saliency(
    resources: "Resources",
    text: str = SCORED_EXAMPLE,
    position: int = -1,
    artist: str = ANY_ARTIST,
    model: str | None = None,
    detail: Detail = "full",
) -> dict:
    """The influence of each earlier character on the prediction of the character at a position: the norm of the gradient of
    its log-probability with respect to the earlier character's embedding; and how many characters back 90 % of it reach.

    Args:
        text: 1 to 5,000 characters; only those up to the position are read.
        position: from 0; -1: the last character.
        artist: as if it were by; 'any artist' for none in particular.
        model: lstm or vanilla-rnn.
        detail: full; summary: without the influence of each character.
    """
    return in_detail(
        detail, ["influence"], lambda: saliency_of_text(resources, text, position, artist, model).to_dict()
    )


def attribute(
    resources: "Resources", text: str = ATTRIBUTED_EXAMPLE, model: str | None = None, detail: Detail = "full"
) -> dict:
    """The posterior over the artists for a text ('posterior', 'ranking') and for each of its lines ('lines').

    Args:
        text: 1 to 5,000 characters; line breaks and runs of two spaces or more end a line.
        model: lstm or vanilla-rnn.
        detail: full; summary: the ranking, and the artist of each line.
    """
    large = ["posterior", "posterior_by_model", "evidence", "bits"]
    return in_detail(detail, large, lambda: attribute_text(resources, text, model).to_dict())


def originality(resources: "Resources", text: str = ORIGINALITY_EXAMPLE) -> dict:
    """The verbatim overlap of a text with the training songs: its runs of five words or more, with the song of each, the
    longest run, and the share of the words inside runs.

    Args:
        text: 1 to 20,000 characters.
    """
    return measure_text(resources, text).to_dict()


def membership(resources: "Resources", text: str = ORIGINALITY_EXAMPLE) -> dict:
    """Whether the models have read a text in training: the bits per character of both, Min-K%++, the difference of the
    two, each with its threshold and error rates where there are any, the verdict, and the runs of the text that occur in the
    training songs.

    Args:
        text: 1 to 5,000 characters; at most 1,600 are read.
    """
    return membership_of_text(resources, text).to_dict()


def writer_bias(
    resources: "Resources",
    words: str = join_words(OCCUPATIONS),
    pair: str = join_words(PAIR),
    template: str = TEMPLATE,
    artist: str = ANY_ARTIST,
    model: str | None = None,
) -> dict:
    """The bias of a character model: how likely it is to write each of two words, 'he' and 'she', after each of several
    occupations in a template, and the share of the second word among both.

    Args:
        words: 1 to 50 words for the template, separated by commas, spaces or lines.
        pair: two different words to compare.
        template: up to 200 characters with one {} for the word; what is compared follows its end.
        artist: as if it were by; 'any artist' for none in particular.
        model: lstm or vanilla-rnn.
    """
    return measure_writer(resources, words, pair, template, artist, model).to_dict()


def learning_curves(resources: "Resources", detail: Detail = "full") -> dict:
    """The learning curve of each model, as rows of step, epoch, seconds, characters and bits per character.

    Args:
        detail: full; summary: the last row of each model.
    """
    rows = slice(None) if check_detail(detail) == "full" else slice(-1, None)
    return {name: resources.model(name).checkpoint.history[rows] for name in resources.model_names}


def about(resources: "Resources") -> dict:
    """Versions, device, models with their bits per character, vector spaces, and the origin of each."""
    return {**resources.about(), "gradio": version("gradio")}


def score_text(resources: "Resources", text: str, artist: str, model: str | None, memory: bool = False) -> Score:
    """The score of a text under the model of that name."""
    name = resources.model(model).name
    scored = resources.run_on_model(
        name, lambda network: scoring.score(text, artist=artist, model=network, memory=memory)
    )
    return replace(scored, model=name)


def saliency_of_text(resources: "Resources", text: str, position: int, artist: str, model: str | None) -> Saliency:
    """The influence of each character before a position under the model of that name."""
    name = resources.model(model).name
    found = resources.run_on_model(name, lambda network: measure_saliency(text, position, artist=artist, model=network))
    return replace(found, model=name)


def read_unit(
    resources: "Resources", text: str, artist: str, model: str | None, layer: int, unit: int
) -> tuple[Activations, dict]:
    """The hidden units of a model along a text, and the answer of `/cells` on one of them."""
    name = resources.model(model).name
    units = resources.run_on_model(name, lambda network: activations.read_cells(text, artist=artist, model=network))
    facts = activations.unit_facts(units, None if layer == 0 else layer, None if unit == -1 else unit)
    return units, {**facts, "model": name}


def measure_text(resources: "Resources", text: str) -> Originality:
    """The verbatim overlap of a text with the training songs."""
    return measure_originality(text, resources.song_index)


def measure_writer(
    resources: "Resources", words: str, pair: str, template: str, artist: str, model: str | None
) -> WriterBias:
    """The bias of the model of that name."""
    name = resources.model(model).name
    measured = resources.run_on_model(
        name, lambda network: bias_of_writer.writer_bias(words, pair, template, artist=artist, model=network)
    )
    return replace(measured, model=name)


def membership_of_text(resources: "Resources", text: str) -> Membership:
    """Whether the models have read a text; without a song index, a note says so."""
    missing = [name for name in MEMBERSHIP_MODELS if name not in resources.model_names]
    if missing:
        raise ModelError(
            f"{' and '.join(missing)} could not be loaded here, and both models are needed to compare them"
        )
    name, reference_name = MEMBERSHIP_MODELS
    index: SongIndex | None = None
    notes: tuple[str, ...] = ()
    try:
        index = resources.song_index
    except ModelError as error:
        notes = (f"{str(error)[:1].upper()}{str(error)[1:]}.",)
    measured = resources.run_on_model(
        name,
        lambda model: resources.run_on_model(
            reference_name,
            lambda reference: measure_membership(
                text, model=model, reference=reference, thresholds=resources.membership, index=index
            ),
        ),
    )
    return replace(measured, notes=(*measured.notes, *notes))


def attribute_by_ngrams(resources: "Resources", text: str) -> dict[str, float] | None:
    """The posterior over the default model's artists of a text by the n-gram classifier alone; None where there is none of them."""
    return attribution.posterior_by_ngrams(text, resources.model().model, resources.ngrams)


def attribute_text(resources: "Resources", text: str, model: str | None) -> Attribution:
    """The posterior of the artists of a text by the model of that name and the n-gram classifier beside it."""
    return resources.run_on_model(
        model, lambda network: attribution.attribute(text, model=network, ngrams=resources.ngrams)
    )
