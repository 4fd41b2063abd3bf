"""Resolves a model by name, folder, `.ckpt` file or object; bundled models are loaded once."""

from functools import lru_cache
from pathlib import Path

import torch

from lyricgen.models.checkpoints import bundled_models, load_model
from lyricgen.models.networks import CharacterModel


def resolve_model(model: str | Path | CharacterModel) -> CharacterModel:
    """A model that is loaded: itself, a bundled one (loaded once), or one from a folder or a `.ckpt` file.

    Raises:
        ModelError: there is no such model, or its files are damaged.
    """
    if isinstance(model, CharacterModel):
        return model
    if isinstance(model, str) and model.strip().lower() in bundled_models():
        return _bundled(model.strip().lower())
    return load_model(model)


@lru_cache
def _bundled(name: str) -> CharacterModel:
    with torch.inference_mode(False):  # a caller in inference mode must not make it one that cannot be trained
        return load_model(name)
