"""Models by name, folder, `.ckpt` file or object; bundled models are loaded once."""

import threading
from functools import cache
from pathlib import Path

import torch

from lyricgen.models.checkpoints import bundled_models, load_model
from lyricgen.models.networks import CharacterModel

_LOADING = threading.Lock()  # concurrent first requests load a model once


def resolve_model(model: str | Path | CharacterModel) -> CharacterModel:
    """The loaded model: the object itself, a bundled model (loaded once), or one from a folder or a `.ckpt` file.

    Raises:
        ModelError: there is no such model, or its files are damaged.
    """
    if isinstance(model, CharacterModel):
        return model
    if isinstance(model, str) and model.strip().lower() in bundled_models():
        with _LOADING:
            return _bundled(model.strip().lower())
    return load_model(model)


@cache
def _bundled(name: str) -> CharacterModel:
    with torch.inference_mode(False):  # weights loaded in a caller's inference mode could never be trained
        return load_model(name)
