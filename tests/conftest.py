"""Fixtures that several test files share: the small songs of tests/data, and tiny models.

Heavy imports are inside the fixtures: pytest-xdist's controller reads this file too, before it starts the workers.
"""

import gc
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import lyricgen

os.environ["OMP_NUM_THREADS"] = "1"  # of torch, here and in the processes that tests start: the workers share the cores
DATA = Path(__file__).parent / "data"
gc.disable()  # until the tests are collected: a third of that time would go into looking for garbage among modules


def pytest_collection_finish():
    """Leaves what is imported by now out of garbage collections."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="module", params=["VanillaRNN", "ImprovedSeqModel"])
def sharp_model(request):
    """A small untrained model with sharp enough an opinion that strategies differ."""
    import torch

    torch.manual_seed(3)
    model = getattr(lyricgen, request.param)(hidden_size=24, n_layers=3, artists=("Ada Lark", "Bo Finch"))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3)
    return model.eval()


@pytest.fixture
def songs_folder() -> Path:
    """A folder as songdata's: songdata_train.csv and songdata_val.csv, with verses written for these tests."""
    return DATA


@pytest.fixture(params=["VanillaRNN", "ImprovedSeqModel"], ids=["rnn", "lstm"])
def tiny_model(request):
    """A small model of each class, with two artists, seeded, in eval mode."""
    import pytorch_lightning as pl

    pl.seed_everything(1, verbose=False)
    return getattr(lyricgen, request.param)(hidden_size=12, artists=("Ann", "Bob")).eval()


@pytest.fixture
def tiny_folder(tmp_path) -> Path:
    """A folder as train.py writes it: two small networks with figures and learning curves, and four words."""
    import pytorch_lightning as pl
    from gensim.models import KeyedVectors

    from lyricgen import Checkpoint, ImprovedSeqModel, VanillaRNN, save_checkpoint, save_space

    folder = tmp_path / "models"
    for name, model_class in (("lstm", ImprovedSeqModel), ("vanilla-rnn", VanillaRNN)):
        pl.seed_everything(1, verbose=False)
        metrics = {
            "val_bpc": 4.25, "clean_bpc": 4.5, "train_songs": 14, "train_characters": 2345, "val_songs": 5,
            "clean_songs": 4, "data_sha256": {"songs.csv": "ab" * 32}, "epochs": 2, "seconds": 95.0, "hardware": "a CPU",
            "copied": {
                "longest_run": 21, "share_with_long_run": 0.035, "long_run": 50, "samples": 200, "characters": 300,
                "temperature": 0.7, "seed": 0,
            },
        }  # fmt: skip
        rows = [
            {"step": 20, "epoch": 1, "seconds": 50, "characters": 2000, "train_bpc": 5.5, "val_bpc": None, "clean_bpc": None},
            {"step": 40, "epoch": 2, "seconds": 95, "characters": 4000, "train_bpc": None, "val_bpc": 4.25, "clean_bpc": 4.5},
        ]  # fmt: skip
        save_checkpoint(Checkpoint(model_class(hidden_size=8, artists=("Ann", "Bob")), metrics, rows), folder / name)
    words = KeyedVectors(4)
    words.add_vectors(["sea", "sun", "rain", "moon"], np.eye(4, dtype=np.float32))
    save_space(words, folder / "lyrics", "lyrics", "Word2Vec of four words")
    return folder


@pytest.fixture
def tiny_ngrams(tiny_folder) -> Path:
    """The folder of a classifier of n-grams of the same two artists, beside the networks of `tiny_folder`."""
    from lyricgen import fit_ngrams, save_ngrams
    from lyricgen.analysis.ngram_classifier import Calibration

    fitted = fit_ngrams(["la la oh", "dum di dum"], np.array([0, 1]), ("Ann", "Bob"), buckets=64)
    calibration = Calibration(log_scale=1.0, exponent=0.0, prior=0.5)
    save_ngrams(replace(fitted, calibration=calibration, metrics={"train_songs": 2}), tiny_folder / "attribution")
    return tiny_folder / "attribution"


@pytest.fixture(scope="session")
def listening(tmp_path_factory):
    """A local Hub, and a shell whose client talks to it."""
    from localhub import LocalHub
    from shell import Shell

    with LocalHub(tokens=["hf_ann"]) as running:
        shell = Shell(running.url, tmp_path_factory.mktemp("home"))
        yield running, shell
        shell.close()


@pytest.fixture
def hub(listening):
    """The Hub of `listening`, empty and without a fault."""
    running, _ = listening
    running.fault, running.fault_on, running.lfs = None, "", False
    for held in (running.repos, running.objects, running.requests):
        held.clear()
    yield running
    running.fault = None
    running.stop()
    running.start()


@pytest.fixture(scope="session")
def app_url():
    """The address of the real app, launched as `python app.py` does, on the bundled models and a free port.

    Left to itself, gradio tries 7860 first and leaks a socket where that is taken.
    """
    from app import demo
    from benchmarks.running_app import free_port
    from lyricgen.ui.page import launch_settings

    _, url, _ = demo.launch(
        prevent_thread_lock=True, quiet=True, server_name="127.0.0.1", server_port=free_port(), **launch_settings()
    )
    yield url.rstrip("/")
    demo.close()


@pytest.fixture(scope="session")
def browser():
    """Debian's chromium, driven by Playwright."""
    from browser import CHROMIUM, FLAGS

    if not CHROMIUM:
        message = "no chromium on this machine; install it, or name one in LYRICGEN_CHROMIUM"
        pytest.fail(message) if os.environ.get("LYRICGEN_REQUIRE_BROWSER") else pytest.skip(message)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def browser_tab(browser):
    """One tab for all tests, and what its scripts reported."""
    tab, failures = browser.new_page(), []
    tab.set_default_timeout(15_000)
    tab.on("pageerror", lambda error: failures.append(str(error)))
    yield tab, failures
    tab.close()


@pytest.fixture
def page(browser_tab, app_url, request):
    """The page as the test before left it; loaded again only after a failed one. Fails if one of its scripts does."""
    from browser import DESKTOP

    tab, failures = browser_tab
    failed = request.session.testsfailed
    tab.set_viewport_size(getattr(request, "param", DESKTOP))
    if not tab.url.startswith(app_url) or getattr(tab, "failed_before", 0) != failed:
        tab.goto(app_url)
        tab.get_by_role("tab", name="Write", exact=True).wait_for(timeout=30_000)
    tab.failed_before = failed
    yield tab
    reported, failures[:] = list(failures), []
    assert not reported


@pytest.fixture
def fresh_page(page, app_url):
    """The page, loaded again."""
    page.goto(app_url)
    page.get_by_role("tab", name="Write", exact=True).wait_for(timeout=30_000)
    return page
