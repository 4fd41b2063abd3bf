"""The tab that lists the neighbours of a word, in one vector space or in two; `/neighbors`."""

from dataclasses import asdict

import gradio as gr

from lyricgen.resources import Resources
from lyricgen.ui.components import RUN_ONCE_EVENT, answer_rows, answer_table, bold, space_choice
from lyricgen.ui.events import raises_gradio_error
from lyricgen.words.queries import compare_neighbors
from lyricgen.words.queries import neighbors as nearest_words

EXPLANATION = """
The **nearest words** by cosine similarity. What a word is near to depends on what was read: GloVe read an encyclopaedia and
news, `lyrics` read only the songs. Put both beside each other: how does *fire* differ?
"""
EXAMPLES = ["fire", "love", "heart", "king", "crown", "rock"]
NO_SPACE = "no other"


def create_neighbors_tab(resources: Resources) -> None:
    """Adds the tab's components and its API."""
    gr.Markdown(EXPLANATION)
    word = gr.Textbox("fire", label="Word", elem_id="neighbor-word")
    with gr.Row():
        vectors = space_choice(resources)
        other = space_choice(resources, "Beside", none=NO_SPACE)
        top_k = gr.Slider(1, 50, value=10, step=1, label="Neighbours")
    find = gr.Button("Find", variant="primary", elem_id="find")
    overlap = gr.Markdown(elem_id="overlap")
    with gr.Row():
        first = answer_table("Neighbours", elem_id="neighbors")
        second = answer_table("Beside", elem_id="neighbors-beside", visible=False)
    gr.Examples(EXAMPLES, word, label="Examples", api_visibility="private")

    @raises_gradio_error
    def show(word, top_k, vectors, other):
        space = resources.space(vectors)
        if other in (None, "", NO_SPACE):
            return (
                "",
                gr.Dataframe(answer_rows(nearest_words(word, top_k, space)), label=space.name),
                gr.Dataframe(visible=False),
            )
        beside = resources.space(other, "other")
        found = compare_neighbors(word, space, beside, top_k)
        lines = [f"**{len(found.shared)}** of the neighbours are the same" + _listed(found.shared)]
        for name, absent, words in (
            (space.name, beside.name, found.only_in_first),
            (beside.name, space.name, found.only_in_second),
        ):
            if words:
                lines.append(f"in {name} and not a word of {absent} at all" + _listed(words))
        tables = [
            gr.Dataframe(answer_rows(side), label=name, visible=True)
            for side, name in ((found.first, space.name), (found.second, beside.name))
        ]
        return "; ".join(lines) + ".", *tables

    @raises_gradio_error
    def neighbors(word: str = "fire", top_k: int = 10, vectors: str = "glove-50", other: str = "") -> dict:
        """The words nearest to a word in a vector space ('first'), and in another ('second') with what they share.

        Args:
            word: a word.
            top_k: how many neighbours, 1 to 100.
            vectors: a vector space that /about lists.
            other: another vector space; empty: none.
        """
        space = resources.space(vectors)
        if other in (None, "", NO_SPACE):
            return {"first": [asdict(answer) for answer in nearest_words(word, top_k, space)]}
        return asdict(compare_neighbors(word, space, resources.space(other, "other"), top_k))

    gr.on([find.click, word.submit], show, [word, top_k, vectors, other], [overlap, first, second], **RUN_ONCE_EVENT)
    gr.api(neighbors, api_name="neighbors")


def _listed(words: list[str]) -> str:
    return ": " + ", ".join(map(bold, words)) if words else ""
