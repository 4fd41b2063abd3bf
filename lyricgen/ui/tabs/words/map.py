"""The view that puts words on a plane; `/map`."""

from functools import partial
from typing import Any

import gradio as gr

from lyricgen.endpoints import words as endpoints
from lyricgen.errors import LyricGenError
from lyricgen.resources import Resources
from lyricgen.ui.components import as_json, bold, downloads, script_view
from lyricgen.ui.events import LATEST_EVENT, PRIVATE_EVENT, add_endpoint, listen
from lyricgen.ui.inline_errors import alert, error_line
from lyricgen.ui.tabs.words.answers import is_clean, space_choice, spelling_buttons
from lyricgen.ui.tabs.words.openings import shipped_opening
from lyricgen.validation import check_integer
from lyricgen.words.lists import parse_words
from lyricgen.words.projection import METHODS, MIN_WORDS, RANDOM_WORDS, WordMap, map_words, random_words

EXPLANATION = """
Vectors of many dimensions, seen on a plane. **PCA** turns them so that the two directions of greatest variance are seen, and
says how much of it they hold; distances are real, but much is hidden. **t-SNE** keeps neighbours together; its axes and the
distances between groups mean nothing. Do groups form?
"""
EXAMPLES = [
    [endpoints.MAP_EXAMPLE, "PCA"],
    ["france > paris, germany > berlin, italy > rome, spain > madrid, japan > tokyo", "PCA"],
    ["good > better > best, bad > worse > worst, big > bigger > biggest", "PCA"],
    ["love, heart, kiss, tears, goodbye, night, dance, party, money, cash, gun, street, car, road, train", "t-SNE"],
]
MAX_MISSING_NAMED = 20  # words
MAP_LIMIT: dict[str, Any] = {"concurrency_limit": 1, "concurrency_id": "map"}  # t-SNE takes a core for seconds


def create_map_view(resources: Resources) -> None:
    """Adds the view's components and `/map`."""
    gr.Markdown(EXPLANATION)
    words = gr.Textbox(
        endpoints.MAP_EXAMPLE,
        label="Words",
        lines=5,
        max_lines=12,
        info="2 to 200 words. One line = one colour. Optional: `fruit: apple, pear` names a line, `man > woman` draws an arrow.",
        elem_id="map-words",
    )
    with gr.Row():
        vectors = space_choice(resources)
        method = gr.Radio(list(METHODS), value=METHODS[0], label="Method")
        seed = gr.Number(0, precision=0, label="Number of the draw", info="Of the words at random.")
    with gr.Row():
        draw = gr.Button("Draw the map", variant="primary", elem_id="draw")
        random = gr.Button(f"{RANDOM_WORDS} words at random", elem_id="random-words")
    error = error_line("map-error")
    notes = gr.Markdown(elem_id="map-notes")
    picture = shipped_opening(resources, first_picture) if resources.space_names else None
    drawing = script_view("own-map.js", "map", picture)
    files = gr.HTML(elem_id="map-files")
    inputs, outputs = [words, method, vectors, seed], [error, drawing, notes, files]
    settings: dict[str, Any] = {"gpu": False, **LATEST_EVENT, **MAP_LIMIT}
    show = partial(show_map, resources)
    listen([draw.click, method.input, vectors.input], show, inputs, outputs, busy=draw, **settings)
    picked = listen(
        random.click, partial(show_random_words, resources), [vectors, seed], [words, seed], gpu=False, **PRIVATE_EVENT
    )
    listen(picked.success, show, inputs, outputs, **settings)
    examples = gr.Examples(EXAMPLES, [words, method], cache_examples=False, label="Examples", api_visibility="private")
    listen(examples.load_input_event.then, show, inputs, outputs, busy=draw, **settings)
    add_endpoint(resources, endpoints.map, gpu=False, **MAP_LIMIT)


def first_picture(resources: Resources) -> str | None:
    """The picture of the first words in the first space; None where it lacks them."""
    try:
        return picture_json(map_words(endpoints.MAP_EXAMPLE, METHODS[0], resources.space(None), 0))
    except LyricGenError:
        return None


def show_map(
    resources: Resources, words: str, method: str, vectors: str, seed: int
) -> tuple[str, str | None, str | None, str | None]:
    """Words that the space lacks with spellings, or what is wrong; the picture, the notes, and the files to download."""
    try:
        space = resources.space(vectors)
        typed = parse_words(words, is_word=space.is_word).words
        spellings = spelling_buttons(space, typed, "map-words", "draw")
        if spellings and sum(map(space.is_word, typed)) < MIN_WORDS:
            return spellings, None, None, None
        mapped = map_words(words, method, space, seed)
    except LyricGenError as error:
        return alert(error), None, None, None
    png, svg = mapped.files("png", "svg")
    files = {
        "words.png": png,
        "words.svg": svg,
        "words.csv": mapped.to_csv().encode(),
        "words.json": mapped.to_json().encode(),
    }
    return spellings, picture_json(mapped), map_notes(mapped, method), downloads(files)


def picture_json(mapped: WordMap) -> str:
    """A map as JSON for own-map.js."""
    label = f"{len(mapped.words)} words on a plane by {mapped.method}: {', '.join(mapped.words)}"
    places = zip(mapped.words, mapped.groups, mapped.coordinates.round(4).tolist(), strict=True)
    words = [{"word": word, "group": group, "x": x, "y": y} for word, group, (x, y) in places]
    return as_json({"label": label, "words": words, "arrows": mapped.arrows})


def show_random_words(resources: Resources, vectors: str, seed: int) -> tuple[str, int]:
    """Random words without listed strong ones, and the seed of the next click, which shows others."""
    seed = check_integer("seed", seed, 0, 2**32 - 1)
    words = random_words(resources.space(vectors), RANDOM_WORDS, seed, partial(is_clean, resources))
    return ", ".join(words), (seed + 1) % 2**32


def map_notes(mapped: WordMap, method: str) -> str:
    """Notes on a map: the explained variance, and the out-of-vocabulary words."""
    notes = []
    if method != mapped.method and method in METHODS:
        notes.append(f"Too few words for {method}, so this is a {mapped.method}.")
    if mapped.explained:
        notes.append(
            f"This flat picture keeps **{100 * sum(mapped.explained):.0f} %** of the differences between the words."
        )
    if mapped.missing:
        absent = ", ".join(bold(word) for word in mapped.missing[:MAX_MISSING_NAMED])
        rest = len(mapped.missing) - MAX_MISSING_NAMED
        more = f" and {rest:,} more" if rest > 0 else ""
        notes.append(f"Not on the map, since these vectors lack them: {absent}{more}.")
    return " ".join(notes)
