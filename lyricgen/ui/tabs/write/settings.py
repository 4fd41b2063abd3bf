"""More settings: the model, and a component for every generation setting, built from `GenerationSettings`."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from lyricgen.endpoints.lyrics import ANY_SEED
from lyricgen.generation.settings import Setting, generation_settings
from lyricgen.models.text import ANY_ARTIST
from lyricgen.resources import Resources
from lyricgen.ui.components import model_label

PAGE_DEFAULTS: dict[str, Any] = {
    "temperature": 0.6,
    "guidance": 2.25,
    "dry": 1.0,
    "chorus": "sometimes",
    "clean_words": True,
}
"""Settings whose default on the page differs from that of the library and the API."""
ELSEWHERE = ("artist", "temperature", "seed", "units")  # settings with components of their own
BETTER_MODEL = "lstm"
STRATEGY_LABELS = {
    "sample": "by chance",
    "greedy": "always the most likely",
    "beam": "most likely whole text",
}
COPIED = [("no limit", 0), *((f"{words} words", words) for words in (4, 5, 6, 8, 12, 20))]
WORDING = {  # label, info
    "strategy": ("How to choose each letter", None),
    "top_k": ("Top k", "Choose among the k most likely letters only. 0: all."),
    "top_p": ("Top p", "Choose among the most likely letters that make up p of the chance."),
    "min_p": ("Min p", "Leave out letters less likely than this share of the most likely one."),
    "typical_p": ("Typical p", "Choose among the letters whose surprise is nearest to the average one."),
    "max_length": ("Length in letters", None),
    "beam_size": ("Beam size", "Texts that are kept side by side, for the most likely whole text."),
    "max_copied_words": (
        "Never copy more than this many words in a row from a song",
        "It rewrites what goes over.",
    ),
    "guidance": ("Style strength", "1: as learnt. Higher: more like the artist."),
    "second_artist": ("Mix with the style of", None),
    "second_weight": ("Share of the second style", None),
    "dry": ("Against repeats", "Makes it harder to write the same words over and over. 0: off."),
    "chorus": ("Chorus", "Whether earlier lines return after a break, as a chorus does."),
    "clean_words": ("Clean words", "Leaves out strong words and slurs."),
}
STEPS = {"max_length": 50}
LOWEST = {"max_length": 50, "top_p": 0.05, "typical_p": 0.05}
HIGHEST = {"guidance": 4.0}


@dataclass(frozen=True, eq=False)
class MoreSettings:
    """The components of the panel."""

    model: gr.Radio
    seed: gr.Number
    others: dict[str, gr.components.Component]
    """By the name of their setting, in the order of `GenerationSettings`."""


def create_more_settings(resources: Resources) -> MoreSettings:
    """Adds the panel."""
    with gr.Accordion("More settings", open=False, elem_id="more-settings"):
        with gr.Row():
            models = [
                (f"{model_label(name)}{' (better)' if name == BETTER_MODEL else ''}", name)
                for name in resources.model_names
            ]
            model = gr.Radio(models, value=resources.default_model, label="Model", elem_id="model")
            seed = gr.Number(
                ANY_SEED,
                precision=0,
                label="Song number",
                info="The same number and settings give the same song. -1: a new one each time.",
                elem_id="song-number",
            )
        others = {}
        with gr.Row(elem_classes="settings"):
            for name, setting in generation_settings().items():
                if name not in ELSEWHERE and (component := create_setting(setting, resources.artists())) is not None:
                    others[name] = component
    return MoreSettings(model, seed, others)


def create_setting(setting: Setting, artists: list[str]) -> gr.components.Component | None:
    """A component for a setting; None for a kind that the page cannot show."""
    name, value = setting.name, page_default(setting.name)
    label, info = WORDING.get(name, (name.replace("_", " ").capitalize(), setting.help or None))
    shared: dict[str, Any] = {"label": label, "info": info, "min_width": 240, "elem_id": f"setting-{name}"}
    if name == "max_copied_words":
        return gr.Dropdown(COPIED, value=value, **shared)
    if isinstance(value, bool):
        return gr.Checkbox(value, **shared)
    if setting.choices:
        return gr.Radio([(STRATEGY_LABELS.get(each, each), each) for each in setting.choices], value=value, **shared)
    if name.endswith("artist"):
        choices = [("no other", ANY_ARTIST), *((artist, artist) for artist in artists)]
        return gr.Dropdown(choices, value=ANY_ARTIST, **shared)
    if isinstance(value, (int, float)) and setting.high is not None:
        low, high = LOWEST.get(name, setting.low or 0), HIGHEST.get(name, setting.high)
        if not low <= value:
            low = value
        step = STEPS.get(name, 1 if isinstance(value, int) else 0.05)
        return gr.Slider(low, high, value=value, step=step, **shared)
    return None


def page_default(name: str) -> Any:
    """The value of a setting that the page starts with."""
    return PAGE_DEFAULTS.get(name, generation_settings()[name].default)
