"""Models by name, folder or object, each bundled one loaded once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from lyricgen.errors import ModelError
from lyricgen.models import loading
from lyricgen.models.loading import resolve_model
from lyricgen.models.networks import VanillaRNN


def test_a_model_is_itself():
    model = VanillaRNN(hidden_size=4)
    assert resolve_model(model) is model


def test_a_bundled_model_is_loaded_once_though_threads_ask_at_the_same_time(monkeypatch):
    barrier, load_model, loaded = threading.Barrier(3), loading.load_model, []
    monkeypatch.setattr(loading, "load_model", lambda name: loaded.append(name) or load_model(name))
    loading._bundled.cache_clear()

    def ask(_):
        barrier.wait()
        return resolve_model(" Vanilla-RNN ")

    with ThreadPoolExecutor(3) as threads:
        assert len(set(threads.map(ask, range(3)))) == 1
    assert loaded == ["vanilla-rnn"]


def test_a_bundled_model_loaded_in_inference_mode_can_be_trained():
    loading._bundled.cache_clear()
    with torch.inference_mode():
        model = resolve_model("vanilla-rnn")
    assert not any(parameter.is_inference() for parameter in model.parameters())


def test_a_name_of_no_model_is_refused():
    with pytest.raises(ModelError, match="lstm"):
        resolve_model("lstn")
