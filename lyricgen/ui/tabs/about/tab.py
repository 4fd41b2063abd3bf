"""The tab on the models and word vectors: figures as bars, lessons, glossary, for programmers; `/about`."""

from typing import Any

import gradio as gr

from lyricgen.endpoints import inside
from lyricgen.resources import Resources
from lyricgen.ui.components import bold, escaped
from lyricgen.ui.events import add_endpoint
from lyricgen.ui.tabs.about.figures import figures_html
from lyricgen.ui.tabs.about.glossary import glossary_html
from lyricgen.ui.tabs.about.lessons import lessons_html

EXPLANATION = """
The networks learnt from songs{artists} and imitate them; what they write is not by these artists. Explicit songs were among
them, so they may write offensive words. The songs belong to their rights holders and are not part of this project. Capitals are
read as small letters. New songs here means songs that the networks have not read, without covers and live versions of songs
that they have.
"""
PROGRAMS = """
Everything on this page is an endpoint, a command of the shell and a function of the library.

```python
from gradio_client import Client
client = Client("http://127.0.0.1:7860")
print(client.predict("man", "king", "woman", api_name="/analogy")["answer"])
```
```sh
lyricgen generate "the river " --seed 7
lyricgen neighbors rain --json
```
```python
from lyricgen import generate_lyrics, neighbors
print(generate_lyrics("the river ", seed=7))
```
"""


def create_about_tab(resources: Resources) -> None:
    """Adds the tab's sections and `/about`."""
    about = inside.about(resources)
    artists = {artist for model in about["models"] for artist in model["artists"]}
    gr.HTML(f"<h2>In figures</h2>{figures_html(resources)}", padding=False, elem_id="figures")
    gr.Markdown(EXPLANATION.format(artists=f" of {len(artists)} artists" if artists else ""))
    gr.HTML(f"<h2>Lessons</h2>{lessons_html(artists)}", padding=False, elem_id="lessons")
    gr.HTML(f"<h2>Words of this page</h2>{glossary_html()}", padding=False, elem_id="glossary")
    with gr.Accordion("For programmers", open=False, elem_id="programmers"):
        gr.Markdown(PROGRAMS)
        gr.Markdown(_origins(about), elem_id="origins")
        gr.Markdown(
            f"lyricgen {about['lyricgen']}, gradio {about['gradio']}, torch {about['torch']}, "
            f"Python {about['python']}; running on: {about['device']}."
        )
    add_endpoint(resources, inside.about, gpu=False)


def _origins(about: dict[str, Any]) -> str:
    """The origin of each artifact, and the ones left out, as a list."""
    texts = {model["name"]: f"{model['class']}; {model['origin']}" for model in about["models"]}
    texts |= {space["name"]: "; ".join(filter(None, [space["source"], space["origin"]])) for space in about["vectors"]}
    if index := about["song_index"]:
        texts["originality"] = f"{index['grams']:,} grams of {index['songs']:,} songs, as hashes; {index['origin']}"
    if about["attribution"]["ngrams"]:
        texts["attribution"] = f"n-grams that tell artists apart; {about['attribution']['origin']}"
    texts |= {name: f"left out: {reason}" for name, reason in about["left_out"].items()}
    return "\n".join(f"- {bold(name)}: {escaped(text)}." for name, text in texts.items())
