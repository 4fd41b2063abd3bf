"""Parts that several tabs share: choices, texts side by side, tables of words, pictures and files to download."""

import base64
import html
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import gradio as gr
from matplotlib.figure import Figure

from lyricgen.generation.request import GenerationRequest
from lyricgen.generation.settings import GenerationSettings
from lyricgen.plotting import to_bytes
from lyricgen.resources import Resources
from lyricgen.words.queries import Answer

ANSWER_HEADER = ["Word", "Similarity", "Rank"]  # rank: 1 is the most frequent word of the space
ANSWER_WIDTHS = ["40%", "35%", "25%"]
LONGEST_SHOWN = 40  # characters of a word in a sentence
NOT_COUNTED = "asked with: does not count"
MEDIA_TYPES = {"png": "image/png", "svg": "image/svg+xml", "csv": "text/csv", "json": "application/json"}
ANY_SEED = -1  # a seed that stands for another one every time
BETWEEN_UPDATES = 0.05  # seconds: what grows is sent on no more often than this
PRIVATE_EVENT = {"api_visibility": "private", "preprocess": False, "show_progress": "minimal"}
"""How the page's own events are set up: our checks see what was sent, and the API has endpoints of its own."""
RUN_ONCE_EVENT = {**PRIVATE_EVENT, "trigger_mode": "once"}


@dataclass(frozen=True)
class TextTarget:
    """A tab that looks into a text, for others to send one there: fill `text`, and `artist` where it has one, then `show`."""

    text: gr.Textbox
    show: Callable
    inputs: list
    outputs: list
    artist: gr.Dropdown | None = None


def space_choice(resources: Resources, label: str = "Vectors", none: str | None = None, **settings) -> gr.Dropdown:
    """A choice among the vector spaces; with `none` there is a first choice of that name for no space."""
    names = [none] * (none is not None) + resources.space_names
    return gr.Dropdown(names, value=names[0] if names else None, label=label, **settings)


def seed_or_random(seed: object) -> object:
    """The seed that someone gave, None where it stands for another one every time."""
    return None if seed == ANY_SEED else seed


def request_from_page(
    resources: Resources,
    prefix: str,
    artist: str,
    model: str,
    strategy: str,
    temperature: float,
    top_k: int,
    top_p: float,
    max_length: int,
    seed: int,
    max_copied_words: int = 0,
) -> GenerationRequest:
    """The lyric that is asked for with the settings of the page.

    Raises:
        ArgumentError: one of them cannot be.
    """
    settings = GenerationSettings(
        artist=artist,
        strategy=strategy,
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        max_length=max_length,
        seed=seed_or_random(seed),
        max_copied_words=max_copied_words,
    )
    return resources.request(model, prefix, settings)


def cards(texts: Iterable[tuple[str, str]], below: Callable[[str], str] = lambda _: "") -> str:
    """Texts side by side as HTML, or one above the other on a phone, each under its heading.

    Args:
        texts: headings and texts, shown as they are.
        below: what HTML stands below a text.
    """
    articles = [
        f"<article><h4>{html.escape(heading)}</h4><pre>{html.escape(text)}</pre><p>{below(text)}</p></article>"
        for heading, text in texts
    ]
    return f'<div class="cards">{"".join(articles)}</div>'


def answer_table(label: str, **settings) -> gr.Dataframe:
    """An empty table for `answer_rows`."""
    return gr.Dataframe(
        headers=ANSWER_HEADER, column_widths=ANSWER_WIDTHS, interactive=False, wrap=True, label=label, **settings
    )


def answer_rows(answers: Iterable[Answer]) -> list[list[str]]:
    """Words with similarity and frequency rank, those asked with marked."""
    return [
        [answer.word + f" ({NOT_COUNTED})" * answer.excluded, f"{answer.similarity:.3f}", f"{answer.rank:,}"]
        for answer in answers
    ]


def picture(figure: Figure, description: str) -> str:
    """A figure as HTML, with a description for those who do not see it."""
    source = _data_url("png", to_bytes(figure, "png"))
    return f'<div class="picture"><img alt="{html.escape(description)}" src="{source}"></div>'


def downloads(files: dict[str, bytes]) -> str:
    """Links to files that are part of the page, so that nothing stays on the server. Names end in their type."""
    links = [
        f'<a class="download" download="{html.escape(name)}" href="{_data_url(name.rpartition(".")[2], content)}">{html.escape(name)}</a>'
        for name, content in files.items()
    ]
    return f'<p class="downloads">Download {" ".join(links)}</p>'


def bold(word: str) -> str:
    """A word in bold inside Markdown, shown as it is whatever it holds; long ones are cut."""
    word = word if len(word) <= LONGEST_SHOWN else f"{word[: LONGEST_SHOWN - 1]}…"
    return f"<b>{escaped(word)}</b>"


def escaped(text: str) -> str:
    """A text inside Markdown, shown as it is whatever it holds."""
    return "".join(letter if letter.isalnum() or letter == " " else f"&#{ord(letter)};" for letter in text)


def _data_url(kind: str, content: bytes) -> str:
    return f"data:{MEDIA_TYPES[kind]};base64,{base64.b64encode(content).decode()}"
