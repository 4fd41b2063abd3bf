"""The answer on authorship attribution: whom a text sounds like, by word counts and by the language model; `/attribute`."""

import html
from collections.abc import Mapping, Sequence

from lyricgen.analysis.attribution import Attribution
from lyricgen.analysis.ngram_classifier import Evidence
from lyricgen.display import percent
from lyricgen.resources import Resources
from lyricgen.ui.components import escaped

EXPLANATION = """
**Word counts** (n-grams): a classifier that counts short runs of letters and words. **Language model**: it reads the text once as
each artist; the better it foresees the letters as one, the more likely that one is (Bayes' rule). The counts are right more
often, so the answer is theirs. Both know only these artists: anyone else's text goes to the one whose style is nearest.
"""
MEANING = (
    "Short texts mislead: anybody's three lines look like someone's. This compares words and phrases; "
    "it proves nothing about who wrote them."
)
NGRAMS_METHOD = "n-grams"  # the classifier's name among the measured methods
ARTISTS_SHOWN = 5  # artists with bars before 'All artists'
NGRAMS_SHOWN = 8  # n-grams listed as evidence


BAR_NAMES = {"counts": "word counts", "network": "language model"}  # by kind of bar


def attribution_html(answer: Attribution) -> str:
    """The verdict, both posteriors as bars, and the n-grams that speak for the most likely artist; escaped."""
    posteriors = {"counts": answer.posterior} if answer.with_ngrams else {}
    posteriors["network"] = answer.posterior_by_model
    evidence = evidence_html(answer.evidence) if answer.evidence else ""
    return verdict_html(posteriors, answer.notes) + bars_html(posteriors) + evidence


def first_html(by_ngrams: dict[str, float] | None) -> str:
    """The answer before the language model has read the text: by word counts alone, if there are any; escaped."""
    reading = "The language model reads the text once as each artist …"
    if by_ngrams is None:
        return f'<p class="soft">{reading}</p>'
    posteriors = {"counts": by_ngrams}
    return verdict_html(posteriors, [reading]) + bars_html(posteriors)


def verdict_html(posteriors: Mapping[str, Mapping[str, float]], notes: Sequence[str]) -> str:
    """The most likely artist by the first posterior, and the notes."""
    first = next(iter(posteriors.values()))
    best = max(first, key=lambda artist: first[artist])
    said = "".join(f'<p class="soft">{html.escape(note)}</p>' for note in notes)
    return (
        f'<p class="verdict">Most like <b>{html.escape(best)}</b>: probability {html.escape(percent(first[best]))} '
        f"(guessing: {html.escape(percent(1 / len(first)))}).</p>{said}"
    )


def bars_html(posteriors: Mapping[str, Mapping[str, float]]) -> str:
    """Each artist with a bar for each posterior, by kind of bar; the most likely by the first of them come first."""
    legend = "".join(f'<span><i class="{kind}"></i>{BAR_NAMES[kind]}</span>' for kind in posteriors)
    first = next(iter(posteriors.values()))
    rows = [
        _artist_row(artist, {kind: shares[artist] for kind, shares in posteriors.items()})
        for artist in sorted(first, key=lambda artist: -first[artist])
    ]
    shown, others = "".join(rows[:ARTISTS_SHOWN]), "".join(rows[ARTISTS_SHOWN:])
    rest = f'<details><summary>All {len(rows)} artists</summary><ol class="posterior">{others}</ol></details>'
    return (
        f'<div class="bar-legend soft" aria-hidden="true">{legend}</div><ol class="posterior">{shown}</ol>'
        f"{rest if others else ''}"
    )


def _artist_row(artist: str, shares: Mapping[str, float]) -> str:
    tracks = "".join(
        f'<span class="track" aria-hidden="true"><i class="{kind}" style="width:{100 * share:.1f}%"></i></span>'
        f'<span class="share">{html.escape(percent(share))}<span class="sr-only"> by the {BAR_NAMES[kind]}</span></span>'
        for kind, share in shares.items()
    )
    return f'<li><span class="name">{html.escape(artist)}</span><span class="pair">{tracks}</span></li>'


def evidence_html(evidence: Evidence) -> str:
    """The n-grams that speak most for the artist, with their contributions as bars."""
    ngrams = [ngram for ngram in evidence.ngrams if ngram.contribution > 0][:NGRAMS_SHOWN]
    if not ngrams:
        return ""
    largest = ngrams[0].contribution
    rows = "".join(
        f"<li><code>{html.escape(ngram.ngram.replace(' ', '·'))}</code>"
        f'<span class="track" aria-hidden="true"><i class="counts" style="width:{100 * ngram.contribution / largest:.0f}%"></i></span>'
        f'<span class="share">+{ngram.contribution:.2f}</span></li>'
        for ngram in ngrams
    )
    return (
        f"<h3>What spoke for {html.escape(evidence.artist)}</h3>"
        f'<ol class="evidence">{rows}</ol><p class="soft">Runs of letters (· is a space) and words, and how much each adds to '
        f"the artist's score (nats).</p>"
    )


def accuracy_text(resources: Resources) -> str:
    """The measured accuracy of the loaded n-gram classifier, and the limits of an answer."""
    applies = resources.ngrams is not None and list(resources.ngrams.artists) == resources.artists()
    measured = (resources.ngrams.metrics.get("validation") if applies else None) or {}
    methods = measured.get("methods", {})
    ngrams, baseline = methods.get(NGRAMS_METHOD, {}), methods.get(measured.get("baseline"), {})
    if "clean" not in ngrams or "all" not in ngrams:
        return f"How often it is right was not measured for what runs here. {MEANING}"
    beside = {
        split: f" ({escaped(measured['baseline'])}: {100 * baseline[split]['accuracy']:.1f} %)"
        if split in baseline
        else ""
        for split in ngrams
    }
    artists = len(resources.ngrams.artists)
    masked = "Artists' names are hidden from the word counts. " if resources.ngrams.masked_names else ""
    return (
        f"Right for {100 * ngrams['clean']['accuracy']:.0f} of 100 new songs (guessing: {100 / artists:.0f}). {MEANING}\n\n"
        f"{masked}Of {measured['clean']} songs unlike those that it read, the word counts name the right one of {artists} artists for "
        f"**{100 * ngrams['clean']['accuracy']:.1f} %**{beside['clean']}, of all {measured['songs']} validation songs for "
        f"**{100 * ngrams['all']['accuracy']:.1f} %**{beside['all']}, by {escaped(measured['read'])}."
    )
