"""Fixtures that several test files share: the small songs of tests/data, and tiny models."""

from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch

from lyricgen import ImprovedSeqModel, VanillaRNN

torch.set_num_threads(1)
DATA = Path(__file__).parent / "data"


@pytest.fixture
def songs_folder() -> Path:
    """A folder as songdata's: songdata_train.csv and songdata_val.csv, with verses written for these tests."""
    return DATA


@pytest.fixture(params=[VanillaRNN, ImprovedSeqModel], ids=["rnn", "lstm"])
def tiny_model(request):
    """A small model of each class, with two artists, seeded, in eval mode."""
    pl.seed_everything(1, verbose=False)
    return request.param(hidden_size=12, artists=("Ann", "Bob")).eval()


@pytest.fixture(scope="session")
def app_url():
    """The address of the real app, launched as `python app.py` does, on the bundled models and a free port.

    Left to itself, gradio tries 7860 first and leaks a socket where that is taken.
    """
    from app import demo
    from benchmarks.startup import free_port
    from lyricgen.ui import launch_settings

    _, url, _ = demo.launch(
        prevent_thread_lock=True, quiet=True, server_name="127.0.0.1", server_port=free_port(), **launch_settings()
    )
    yield url.rstrip("/")
    demo.close()
