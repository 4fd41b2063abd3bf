"""Figures of the loaded models and vectors as bars, from their metrics."""

from lyricgen.models.vocabulary import NUM_CLASSES
from lyricgen.resources import Resources
from lyricgen.ui.components import MODEL_LABELS, SPACE_LABELS, bar_card

GUESSING = "Guessing"


def figures_html(resources: Resources) -> str:
    """Cards: how hard the next letter is, weights, copying, artists and words; a card without a figure is left out."""
    return f'<div class="figures">{difficulty(resources)}{weights(resources)}{copying(resources)}{artists(resources)}{words(resources)}</div>'


def difficulty(resources: Resources) -> str:
    """The perplexity of each model on songs that are new to it: the number of equally likely letters as hard to guess."""
    rows = []
    for loaded in (resources.model(name) for name in resources.model_names):
        bits = loaded.checkpoint.metrics.get("clean_bpc")
        if bits is not None:
            rows.append((label(loaded.name), 2**bits, f"{2**bits:.1f} ({bits:.3f} bits)"))
    title = "How hard is the next letter of a new song? As hard as one of …"
    return bar_card(title, [*rows, (GUESSING, NUM_CLASSES, f"{NUM_CLASSES}")] if rows else [], logarithmic=True)


def weights(resources: Resources) -> str:
    """The number of weights of each model."""
    counts = {name: resources.model(name).describe()["parameters"] for name in resources.model_names}
    return bar_card("Weights", [(label(name), count, f"{count / 1e6:.2f} million") for name, count in counts.items()])


def copying(resources: Resources) -> str:
    """The share of lyrics with a long run of letters of a training song."""
    rows, limit = [], 0
    for name in resources.model_names:
        copied = resources.model(name).checkpoint.metrics.get("copied")
        if copied:
            share, limit = copied["share_with_long_run"], copied["long_run"]
            rows.append((label(name), share, f"{100 * share:.1f} of 100"))
    return bar_card(f"Songs with {limit} copied letters in a row, without the limit on copying", rows, greatest=1.0)


def artists(resources: Resources) -> str:
    """The share of new songs of which the n-grams name the right artist."""
    ngrams = resources.ngrams
    if ngrams is None:
        return ""
    methods = ngrams.metrics.get("validation", {}).get("methods", {})
    accuracy = methods.get("n-grams", {}).get("clean", {}).get("accuracy")
    if accuracy is None:
        return ""
    chance = 1 / len(ngrams.artists)
    rows = [("Word counts", accuracy, f"{100 * accuracy:.0f} of 100"), (GUESSING, chance, f"{100 * chance:.0f} of 100")]
    return bar_card("New songs of which the right artist is named", rows, greatest=1.0)


def words(resources: Resources) -> str:
    """The number of words of each vector space."""
    sizes = {name: len(resources.space(name)) for name in resources.space_names}
    rows = [(label(name), size, f"{size:,}") for name, size in sizes.items()]
    return bar_card("Words with a vector, learnt from …", rows, logarithmic=True)


def label(name: str) -> str:
    """The page's name of a model or vector space, as the beginning of a row."""
    named = MODEL_LABELS.get(name) or SPACE_LABELS.get(name)
    return f"{named[:1].upper()}{named[1:]}" if named else name
