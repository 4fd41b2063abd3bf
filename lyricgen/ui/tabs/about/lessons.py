"""Six lessons of three steps; each step is a link that sets the page. The teacher's sheet is docs/lessons.md."""

import html
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlencode

START = {"text": "the river keeps its secrets ", "seed": "7"}
COPYING = {"text": "i want you to ", "seed": "3", "t": "0.3"}
VOICE = {"text": "i left my coat on the last train ", "seed": "5"}


@dataclass(frozen=True)
class Step:
    """What to do and to look for, and the link that sets the page for it."""

    task: str
    values: dict[str, str]
    """Of the query string."""

    @property
    def link(self) -> str:
        """The query string, from its question mark on."""
        return f"?{urlencode(self.values)}"


@dataclass(frozen=True)
class Lesson:
    """A question and three steps towards its answer."""

    title: str
    question: str
    """Of the course notebook."""
    steps: tuple[Step, Step, Step]


LESSONS = (
    Lesson(
        "Heat",
        "What does the temperature of sampling do?",
        (
            Step("Write at 0.3. Which words come again and again?", {**START, "t": "0.3"}),
            Step("Write the same song at 1. What is better, what is worse?", {**START, "t": "1"}),
            Step("Write it at 1.5. After how many letters do the words fall apart?", {**START, "t": "1.5"}),
        ),
    ),
    Lesson(
        "Copying",
        "Does a model that is trained on songs repeat them?",
        (
            Step("Write at a low temperature. How long is the longest copied passage?", COPYING),
            Step("Allow at most 4 copied words in a row. What changes?", {**COPYING, "max_copied_words": "4"}),
            Step("Check the song: which lines are marked, and whose are they?", {**COPYING, "tab": "check"}),
        ),
    ),
    Lesson(
        "RNN and LSTM",
        "Why an LSTM instead of a vanilla RNN, and which converges faster?",
        (
            Step("Let both write from the same start. Which one loses its sentence first?", {"tab": "inside", "view": "comparison"}),
            Step("Write with the simple RNN alone. Read it aloud.", {**START, "t": "0.7", "model": "vanilla-rnn"}),
            Step("Look at a song letter by letter. Where do the two networks disagree?", {"tab": "inside", "view": "letters"}),
        ),
    ),
    Lesson(
        "Whose voice?",
        "Can songs be generated in the manner of an artist?",
        (
            Step("Write as Taylor Swift.", {**VOICE, "artist": "Taylor Swift", "t": "0.7"}),
            Step("Write the same words as Ed Sheeran. What is different?", {**VOICE, "artist": "Ed Sheeran", "t": "0.7"}),
            Step("Check who it sounds like. Is the artist on top?", {**VOICE, "artist": "Ed Sheeran", "t": "0.7", "tab": "check"}),
        ),
    ),
    Lesson(
        "Fast, quick and slow",
        "Are words of opposite meaning further apart than synonyms?",
        (
            Step("How far is “quick” from “fast”?", {"tab": "words", "view": "map", "words": "fast,quick"}),
            Step("How far is “slow” from “fast”? Why?", {"tab": "words", "view": "map", "words": "fast,slow"}),
            Step("Solve: slow is to slower as fast is to … What do such steps mean?", {"tab": "words", "view": "analogies", "words": "slow,slower,fast"}),
        ),
    ),
    Lesson(
        "Bias",
        "Do word vectors hold prejudices, and can they be removed?",
        (
            Step("Solve: man is to worker as woman is to …", {"tab": "words", "view": "analogies", "words": "man,worker,woman"}),
            Step("Now the other way round. Compare the two lists.", {"tab": "words", "view": "analogies", "words": "woman,worker,man"}),
            Step("Go through the four steps on bias. What does debiasing leave?", {"tab": "words", "view": "bias"}),
        ),
    ),
)  # fmt: skip


def lessons_html(artists: Collection[str]) -> str:
    """The lessons as cards with links; without those that name an artist who is not among `artists`."""
    shown = [
        lesson for lesson in LESSONS if all(step.values.get("artist") in (None, *artists) for step in lesson.steps)
    ]
    return f'<div class="lessons">{"".join(map(_card, shown))}</div>'


def _card(lesson: Lesson) -> str:
    steps = "".join(
        f'<li><a href="{html.escape(step.link)}">{html.escape(step.task)}</a></li>' for step in lesson.steps
    )
    return (
        f"<article><h3>{html.escape(lesson.title)}</h3><p>{html.escape(lesson.question)}</p><ol>{steps}</ol></article>"
    )
