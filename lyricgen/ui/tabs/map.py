"""The tab that puts words on a plane; `/map`."""

import gradio as gr
from matplotlib.figure import Figure

from lyricgen.plotting import draw_map, to_bytes
from lyricgen.resources import Resources
from lyricgen.ui.components import PRIVATE_EVENT, RUN_ONCE_EVENT, bold, downloads, picture, space_choice
from lyricgen.ui.events import raises_gradio_error
from lyricgen.validation import check_integer
from lyricgen.words.projection import METHODS, RANDOM_WORDS, WordMap, map_words, random_words

EXPLANATION = """
Vectors of many dimensions, seen on a plane. **PCA** turns them so that the two directions of greatest variance are seen, and
says how much of it they hold; distances are real, but much is hidden. **t-SNE** keeps neighbours together; its axes and the
distances between groups mean nothing. Do groups form?
"""
WORDS = """royals: king > queen, prince > princess
people: man > woman, boy > girl
fruit: apple, banana, cherry, orange
music: guitar, piano, drums, violin"""
EXAMPLES = [
    [WORDS, "PCA"],
    ["france > paris, germany > berlin, italy > rome, spain > madrid, japan > tokyo", "PCA"],
    ["good > better > best, bad > worse > worst, big > bigger > biggest", "PCA"],
    ["love, heart, kiss, tears, goodbye, night, dance, party, money, cash, gun, street, car, road, train", "t-SNE"],
]


def create_map_tab(resources: Resources) -> None:
    """Adds the tab's components and its API."""
    gr.Markdown(EXPLANATION)
    words = gr.Textbox(
        WORDS,
        label="Words",
        lines=5,
        max_lines=12,
        info="2 to 200, parted by commas, spaces or lines. A line is a group, `name:` names it, `man > woman` draws an arrow.",
        elem_id="map-words",
    )
    with gr.Row():
        vectors = space_choice(resources)
        method = gr.Radio(list(METHODS), value=METHODS[0], label="Method")
        seed = gr.Number(0, precision=0, label="Seed", info="Of the words at random.")
    with gr.Row():
        draw_button = gr.Button("Draw", variant="primary", elem_id="draw")
        random = gr.Button(f"{RANDOM_WORDS} words at random", elem_id="random-words")
    notes = gr.Markdown(elem_id="map-notes")
    drawing = gr.HTML(elem_id="map")
    files = gr.HTML(elem_id="map-files")
    gr.Examples(EXAMPLES, [words, method], label="Examples", api_visibility="private")

    @raises_gradio_error
    def show(words, method, vectors, seed):
        mapped = map_words(words, method, resources.space(vectors), seed)
        figure = draw_words(mapped)
        saved = {
            "words.png": to_bytes(figure, "png"),
            "words.svg": to_bytes(figure, "svg"),
            "words.csv": mapped.to_csv().encode(),
            "words.json": mapped.to_json().encode(),
        }
        description = f"{len(mapped.words)} words on a plane by {mapped.method}: {', '.join(mapped.words)}"
        return note(mapped, method), picture(figure, description), downloads(saved)

    def draw_new(vectors, seed):
        seed = check_integer("seed", seed, 0, 2**32 - 1)
        drawn = random_words(resources.space(vectors), RANDOM_WORDS, seed)
        return ", ".join(drawn), (seed + 1) % 2**32  # the next click draws others

    @raises_gradio_error
    def map(words: str = WORDS, method: str = "PCA", vectors: str = "glove-50", seed: int = 0) -> dict:
        """Puts words on a plane: their coordinates, and the figure as 'svg' (text).

        Args:
            words: 2 to 200, parted by commas, spaces or lines; empty: 20 at random. A line is a group, 'name:' names it,
                'man > woman' draws an arrow.
            method: PCA or t-SNE.
            vectors: a vector space that /about lists.
            seed: of the words at random.
        """
        mapped = map_words(words, method, resources.space(vectors), seed)
        return {**mapped.to_dict(), "svg": to_bytes(draw_words(mapped), "svg").decode()}

    draw_button.click(show, [words, method, vectors, seed], [notes, drawing, files], **RUN_ONCE_EVENT)
    random.click(raises_gradio_error(draw_new), [vectors, seed], [words, seed], **PRIVATE_EVENT)
    gr.api(map, api_name="map")


def draw_words(mapped: WordMap) -> Figure:
    """The figure of a map."""
    return draw_map(mapped.coordinates, mapped.words, mapped.groups, mapped.arrows, mapped.axes, mapped.title)


def note(mapped: WordMap, method: str) -> str:
    """What the picture does not say: the variance that it holds, and the words that are missing."""
    notes = []
    if method != mapped.method and method in METHODS:
        notes.append(f"Too few words for {method}, so this is a {mapped.method}.")
    if mapped.explained:
        notes.append(f"The two axes hold **{sum(mapped.explained):.0%}** of the variance of these words' vectors.")
    if mapped.missing:
        absent = ", ".join(bold(word) for word in mapped.missing[:20])
        more = f" and {len(mapped.missing) - 20:,} more" if len(mapped.missing) > 20 else ""
        notes.append(f"Not among the words of {mapped.space}, so not on the map: {absent}{more}.")
    return " ".join(notes)
