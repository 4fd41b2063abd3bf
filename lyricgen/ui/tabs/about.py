"""The tab on the loaded models and word vectors and their origins; `/about`."""

from typing import Any

import gradio as gr

from lyricgen.endpoints import inside
from lyricgen.resources import Resources
from lyricgen.ui.components import bold, escaped
from lyricgen.ui.events import add_endpoint

HEADER = ["Model", "Weights", "Bits", "Bits, clean"]  # short, for phones; the text above explains them
SPACES_HEADER = ["Vectors", "Words", "Dimensions"]
EXPLANATION = """
**Bits per character** is how many bits the model needs, on average, to be told each letter of a song that it has not
read: 1 bit is a choice between two equally likely letters, and fewer is better. Many songs of the course's validation
split are covers or live versions of songs in the training split; the **clean split** leaves those out.

The models learnt from songs{artists} and imitate them; what they write is not by these artists. The songs
belong to their rights holders and are not part of this project.
"""


def create_about_tab(resources: Resources) -> None:
    """Adds the tab's tables and `/about`."""
    about = inside.about(resources)
    artists = {artist for model in about["models"] for artist in model["artists"]}
    gr.Markdown(EXPLANATION.format(artists=f" of {len(artists)} artists" if artists else ""))
    gr.Dataframe(
        [_row(model) for model in about["models"]],
        headers=HEADER,
        column_widths=["28%", "26%", "23%", "23%"],
        interactive=False,
        wrap=True,
        label="Models",
        elem_id="models",
    )
    gr.Dataframe(
        [[space["name"], f"{space['words']:,}", f"{space['dimensions']}"] for space in about["vectors"]],
        headers=SPACES_HEADER,
        interactive=False,
        wrap=True,
        label="Word vectors",
        elem_id="spaces",
    )
    gr.Markdown(_origins(about), elem_id="origins")
    gr.Markdown(
        f"lyricgen {about['lyricgen']}, gradio {about['gradio']}, torch {about['torch']}, "
        f"Python {about['python']}; running on: {about['device']}."
    )
    add_endpoint(resources, inside.about, gpu=False)


def _row(model: dict[str, Any]) -> list[str]:
    bits = model["bits_per_character"]
    figures = [
        f"{bits[split]:.3f}" if bits[split] is not None else "not measured"
        for split in ("validation", "clean_validation")
    ]
    return [model["name"], f"{model['parameters'] / 1e6:.2f} M", *figures]


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
