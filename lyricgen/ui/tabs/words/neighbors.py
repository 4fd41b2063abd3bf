"""The view that lists the neighbours of a word, in one vector space or in two; `/neighbors`."""

from functools import partial

import gradio as gr

from lyricgen.endpoints import words as endpoints
from lyricgen.resources import Resources
from lyricgen.ui.components import answer_rows, answer_table, bold, space_choice
from lyricgen.ui.events import LATEST_EVENT, add_endpoint, listen
from lyricgen.words.queries import compare_neighbors, neighbors

EXPLANATION = """
The **nearest words** by cosine similarity. What a word is near to depends on what was read: GloVe read an encyclopaedia and
news, `lyrics` read only the songs. Put both beside each other: how does *fire* differ?
"""
EXAMPLES = ["fire", "love", "heart", "king", "crown", "rock"]


def create_neighbors_part(resources: Resources) -> None:
    """Adds the view's components and `/neighbors`."""
    gr.Markdown(EXPLANATION)
    word = gr.Textbox("fire", label="Word", elem_id="neighbor-word")
    with gr.Row():
        vectors = space_choice(resources.space_names)
        other = space_choice(resources.space_names, "Beside", none="no other")
        top_k = gr.Slider(1, 50, value=10, step=1, label="Neighbours")
    find = gr.Button("Find", variant="primary", elem_id="find")
    overlap = gr.Markdown(elem_id="overlap")
    with gr.Row():
        first = answer_table("Neighbours", elem_id="neighbors")
        second = answer_table("Beside", elem_id="neighbors-beside", visible=False)
    gr.Examples(EXAMPLES, word, label="Examples", api_visibility="private")
    listen(
        [find.click, word.submit],
        partial(show_neighbors, resources),
        [word, top_k, vectors, other],
        [overlap, first, second],
        gpu=False,
        **LATEST_EVENT,
    )
    add_endpoint(resources, endpoints.neighbors, gpu=False)


def show_neighbors(
    resources: Resources, word: str, top_k: int, vectors: str, other: str
) -> tuple[str, gr.Dataframe, gr.Dataframe]:
    """The overlap of two spaces in words, and a table for each; one table for one space."""
    space = resources.space(vectors)
    if not other:
        table = gr.Dataframe(answer_rows(neighbors(word, top_k, space)), label=space.name)
        return "", table, gr.Dataframe(visible=False)
    beside = resources.space(other, "other")
    both = compare_neighbors(word, space, beside, top_k)
    lines = [f"**{len(both.shared)}** of the neighbours are the same" + _listed(both.shared)]
    if both.only_in_first:
        lines.append(f"in {space.name} and not a word of {beside.name} at all" + _listed(both.only_in_first))
    if both.only_in_second:
        lines.append(f"in {beside.name} and not a word of {space.name} at all" + _listed(both.only_in_second))
    return (
        "; ".join(lines) + ".",
        gr.Dataframe(answer_rows(both.first), label=space.name, visible=True),
        gr.Dataframe(answer_rows(both.second), label=beside.name, visible=True),
    )


def _listed(words: list[str]) -> str:
    return ": " + ", ".join(map(bold, words)) if words else ""
