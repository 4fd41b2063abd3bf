"""Resources: loaded once, with their origin; the bundled ones replace damaged ones; the CPU replaces a GPU that fails."""

import json
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import pytest
import torch

from lyricgen import resources as resources_module
from lyricgen.analysis.activations import read_cells
from lyricgen.analysis.scoring import score
from lyricgen.errors import ArgumentError, ModelError
from lyricgen.generation.fast_stepper import FastStepper
from lyricgen.generation.request import GenerationRequest
from lyricgen.generation.settings import GenerationSettings
from lyricgen.memorization.originality import measure_originality
from lyricgen.memorization.song_index import SongIndex
from lyricgen.models.checkpoints import ASSETS, Checkpoint, bundled_models, load_checkpoint, save_checkpoint
from lyricgen.models.networks import VanillaRNN
from lyricgen.resources import BUNDLED, Resources
from lyricgen.songs.reading import Song
from lyricgen.words.queries import cosine_distance

CPU = torch.device("cpu")


@pytest.fixture
def folder(tmp_path):
    """A folder with one small model of one's own."""
    torch.manual_seed(0)
    model = VanillaRNN(hidden_size=8, artists=["Ada Lark"])
    save_checkpoint(Checkpoint(model, {"clean_bpc": 3.25, "line_breaks": True}), tmp_path / "mine" / "vanilla-rnn")
    return tmp_path / "mine"


def test_both_models_are_bundled_with_their_figures():
    assert bundled_models() == ["lstm", "vanilla-rnn"]
    for name in bundled_models():
        checkpoint = load_checkpoint(ASSETS / name)
        assert len(checkpoint.model.artists) == 21
        assert {"val_bpc", "clean_bpc", "data_sha256", "seed", "steps", "seconds", "hardware", "versions"} <= set(
            checkpoint.metrics
        )
        assert checkpoint.history[0]["step"] > 0


def test_bundled_models_reach_their_bits_per_character():
    figures = {name: load_checkpoint(ASSETS / name).metrics["clean_bpc"] for name in bundled_models()}
    assert figures["vanilla-rnn"] <= 1.95
    assert figures["lstm"] <= 1.83


def test_model_is_loaded_once():
    resources = Resources(device=CPU)
    assert resources.model("lstm") is resources.model("LSTM")


def test_unknown_model_is_refused_with_the_known_ones():
    with pytest.raises(ArgumentError, match=r"model must be one of lstm, vanilla-rnn; got 'gru'"):
        Resources(device=CPU).model("gru")


def test_own_folder_takes_the_place_of_a_bundled_model(folder):
    loaded = Resources(folder, CPU).model("vanilla-rnn")
    assert loaded.model.hidden_size == 8
    assert loaded.model.line_breaks
    assert loaded.origin == "your model folder mine"


@pytest.mark.parametrize("damage", ["missing", "truncated", "altered"])
def test_damaged_folder_leaves_the_bundled_model_and_says_why(folder, damage, caplog):
    weights = folder / "vanilla-rnn" / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    if damage == "missing":
        weights.unlink()
    else:
        weights.write_bytes(content if damage == "altered" else content[:-20])
    loaded = Resources(folder, CPU).model("vanilla-rnn")
    assert loaded.model.hidden_size == 512
    assert loaded.origin.startswith(f"{BUNDLED}, since ")
    assert "model.safetensors" in loaded.origin
    assert str(folder.parent) not in loaded.origin
    assert "model.safetensors" in caplog.text


def test_damaged_bundled_model_is_left_out_and_the_other_runs(tmp_path, monkeypatch, caplog):
    for name in bundled_models():
        shutil.copytree(ASSETS / name, tmp_path / name)
    (tmp_path / "lstm" / "model.safetensors").write_bytes(b"version https://git-lfs")
    monkeypatch.setattr("lyricgen.models.checkpoints.ASSETS", tmp_path)
    monkeypatch.setattr("lyricgen.resources.ASSETS", tmp_path)
    resources = Resources(device=CPU)
    assert (resources.model_names, resources.default_model) == (["vanilla-rnn"], "vanilla-rnn")
    assert "model.safetensors" in resources.about()["left_out"]["lstm"]
    (tmp_path / "lstm" / "config.json").unlink()
    assert "lacks config.json" in Resources(device=CPU).left_out["lstm"]
    (tmp_path / "vanilla-rnn" / "config.json").write_text("{}")
    with pytest.raises(ModelError, match="no bundled model could be loaded"):
        Resources(device=CPU)


def test_about_is_plain_values_and_holds_each_model():
    about = Resources(device=CPU).about()
    assert json.loads(json.dumps(about)) == about
    assert [model["name"] for model in about["models"]] == ["lstm", "vanilla-rnn"]
    assert [model["parameters"] for model in about["models"]] == [4_316_772, 1_164_900]
    assert all(model["origin"] == BUNDLED for model in about["models"])


def test_vector_spaces_are_there_by_name():
    resources = Resources()
    assert resources.space_names == ["glove-50", "lyrics"]
    assert len(resources.space("GloVe-50")) == 400_000
    with pytest.raises(ArgumentError, match="vectors must be one of glove-50, lyrics"):
        resources.space("/etc/passwd")


def test_a_vector_file_of_your_own_is_added_and_one_that_is_damaged_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setenv("LYRICGEN_CACHE", str(tmp_path / "cache"))
    (tmp_path / "mine.txt").write_text("up 0 1\ndown 0 -1\nleft -1 0\n")
    (tmp_path / "cut.txt").write_text("9 2\nup 0 1\n")
    (tmp_path / "lyrics.txt").write_text("up 0 1\ndown 0 -1\n")
    names = ("mine.txt", "cut.txt", "lyrics.txt", "none.txt")
    resources = Resources(vectors=[tmp_path / name for name in names])
    assert resources.space_names == ["glove-50", "lyrics", "mine"]
    assert cosine_distance("up", "down", resources.space("mine")) == pytest.approx(2)
    assert set(resources.left_out) == {"cut.txt", "lyrics.txt", "none.txt"}
    assert "too short" in resources.left_out["cut.txt"] and "another name" in resources.left_out["lyrics.txt"]


def test_word_vectors_in_your_model_folder_take_the_place_of_the_bundled_ones(tmp_path):
    from lyricgen import load_vectors, save_space

    save_space(load_vectors("lyrics"), tmp_path / "lyrics", "lyrics", "my songs")
    assert Resources(tmp_path).space("lyrics").source == "my songs"


def test_damaged_word_vectors_in_your_model_folder_leave_the_bundled_ones_in_place(tmp_path):
    shutil.copytree(ASSETS / "lyrics", tmp_path / "lyrics")
    (tmp_path / "lyrics" / "words.txt").write_text("damaged\n")
    space = Resources(tmp_path).space("lyrics")
    assert "trained on 4,226 songs" in space.source and len(space) > 4_000


# The index of the songs


def test_the_song_index_is_the_bundled_one_unless_your_folder_has_one(folder):
    resources = Resources(device=CPU)
    assert len(resources.song_index) == 4_226 and resources.song_index_origin == BUNDLED
    assert resources.about()["song_index"]["songs"] == 4_226
    assert Resources(folder, CPU).song_index_origin == BUNDLED
    SongIndex.build([Song("my own song has six words", "Me", "Mine")], asked=0).save(folder / "originality")
    own = Resources(folder, CPU)
    assert own.song_index_origin == own.about()["song_index"]["origin"] == "your model folder mine"
    assert measure_originality("My own song has six words!", own.song_index).longest.title == "Mine"


def test_a_damaged_song_index_of_your_own_leaves_the_bundled_one_in_place(folder, caplog):
    shutil.copytree(ASSETS / "originality", folder / "originality")
    (folder / "originality" / "songs.csv").write_text("title,artist\n")
    assert len(Resources(folder, CPU).song_index) == 4_226
    assert "originality: not from your model folder mine, since songs.csv of song index 'originality'" in caplog.text


def test_without_a_song_index_the_rest_runs_and_it_is_told(tmp_path, monkeypatch, caplog):
    for name in bundled_models():
        shutil.copytree(ASSETS / name, tmp_path / name)
    monkeypatch.setattr("lyricgen.resources.ASSETS", tmp_path)
    resources = Resources(device=CPU)
    assert resources.model_names == ["lstm", "vanilla-rnn"]
    assert "there is no song index 'originality'" in resources.left_out["originality"]
    assert resources.about()["song_index"] is None
    with pytest.raises(ModelError, match="the index of the training songs could not be loaded"):
        _ = resources.song_index


def test_a_classifier_in_your_model_folder_takes_the_place_of_the_bundled_one_unless_it_is_damaged(tiny_ngrams, caplog):
    resources = Resources(tiny_ngrams.parent, device=CPU)
    assert resources.ngrams.artists == ("Ann", "Bob") and "your model folder" in resources.ngrams_origin
    (tiny_ngrams / "metrics.json").write_text("{}")
    resources = Resources(tiny_ngrams.parent, device=CPU)
    assert len(resources.ngrams.artists) == 21 and resources.ngrams_origin == BUNDLED
    assert "attribution: not from your model folder" in caplog.text and resources.left_out == {}


# A GPU that fails: PyTorch's 'meta' device, where a model can be put but not run, with the error of a GPU in place of its own.

GPU_ERRORS = {
    "memory": torch.OutOfMemoryError("CUDA out of memory"),
    "driver": torch.AcceleratorError("CUDA error", 719),
}


@pytest.fixture(params=GPU_ERRORS)
def gpu(request, monkeypatch):
    """Resources on a GPU that fails at the first character."""
    error, prepare = GPU_ERRORS[request.param], FastStepper.for_model

    def fail(model, *arguments):
        if next(model.parameters()).device.type == "meta":
            raise error
        return prepare(model, *arguments)

    monkeypatch.setattr(FastStepper, "for_model", fail)
    resources = Resources(device="meta")
    resources.error = error
    return resources


@pytest.fixture(scope="module")
def cpu():
    """Resources on the CPU."""
    return Resources(device=CPU)


def on_cpu_only(function, error):
    """`function` of a model, which raises `error` where the model is not on the CPU."""

    def run(model):
        if next(model.parameters()).device != CPU:
            raise error
        return function(model)

    return run


def test_a_gpu_that_fails_in_the_middle_leaves_the_lyric_to_the_cpu_in_one_logged_sentence(gpu, cpu, caplog):
    settings = GenerationSettings(max_length=40, seed=3)
    texts = list(gpu.stream(gpu.request("lstm", "the sea ", settings)))
    assert texts[-1] == list(cpu.stream(cpu.request("lstm", "the sea ", settings)))[-1]
    [record] = caplog.records
    assert record.message.startswith(f"lstm continues on the CPU: meta failed ({type(gpu.error).__name__})")
    assert gpu.model("lstm").device == CPU and gpu.about()["device"].startswith("CPU")
    assert gpu.model("vanilla-rnn").device.type == "meta"


def test_a_gpu_that_fails_leaves_an_analysis_to_the_cpu_in_one_logged_sentence(gpu, caplog):
    for analysis in (score, read_cells):
        answer = gpu.run_on_model("LSTM", on_cpu_only(partial(analyse, analysis), gpu.error))
        assert answer.text == "the sea is calm"
    assert gpu.run_on_model("lstm", partial(analyse, score)).bits == score("the sea is calm").bits
    [record] = caplog.records
    assert record.message.startswith("lstm continues on the CPU: meta failed (")


def analyse(function, model):
    """What a function of `lyricgen.analysis` returns for a model and a short text."""
    return function("the sea is calm", model=model)


def test_a_fault_of_the_program_moves_no_model_to_the_cpu(gpu):
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        gpu.run_on_model("lstm", lambda model: torch.zeros(2, 3) @ torch.zeros(2, 3))
    with pytest.raises(RuntimeError, match="meta"):
        gpu.run_on_model("lstm", partial(analyse, score))
    assert gpu.model("lstm").device.type == "meta"


def test_a_fault_of_the_program_while_a_lyric_is_written_moves_no_model_to_the_cpu():
    resources = Resources(device="meta")
    with pytest.raises(RuntimeError, match="meta"):
        list(resources.stream(resources.request("lstm", settings=GenerationSettings(max_length=5))))
    assert resources.model("lstm").device.type == "meta"


def test_an_analysis_that_refuses_its_text_moves_no_model(gpu):
    with pytest.raises(ArgumentError, match="empty text"):
        gpu.run_on_model("lstm", lambda model: score("", model=model))
    with pytest.raises(ArgumentError, match="model must be one of"):
        gpu.run_on_model("gru", score)
    assert gpu.model("lstm").device.type == "meta"


def test_requests_that_were_running_when_the_gpu_failed_all_end_on_the_cpu(gpu, caplog):
    waiting = [gpu.request("vanilla-rnn", "rain ", GenerationSettings(max_length=20, seed=seed)) for seed in range(3)]
    assert [len(list(gpu.stream(request))[-1]) for request in waiting] == [20] * 3
    assert len(caplog.records) == 1


def test_models_side_by_side_go_on_on_the_cpu_when_the_gpu_fails(gpu, cpu, caplog):
    on_gpu, on_cpu = (
        [one.request(name, "rain ", GenerationSettings(max_length=20, seed=1)) for name in one.model_names]
        for one in (gpu, cpu)
    )
    *_, lyrics = gpu.stream_together(on_gpu)
    assert [lyric.text for lyric in lyrics] == [list(cpu.stream(request))[-1] for request in on_cpu]
    assert len(caplog.records) == 2


def test_a_request_to_a_model_of_ones_own_keeps_its_error(gpu):
    model = VanillaRNN(hidden_size=8).to("meta")
    request = GenerationRequest(model, settings=GenerationSettings(max_length=5))
    with pytest.raises(type(gpu.error)):
        list(gpu.stream(request))


@pytest.mark.parametrize("fault", GPU_ERRORS)
def test_a_gpu_that_fails_while_a_model_is_loaded_leaves_it_on_the_cpu(fault, caplog, monkeypatch):
    def fail(self, device):
        raise GPU_ERRORS[fault]

    monkeypatch.setattr(torch.nn.Module, "to", fail)
    resources = Resources(device="meta")
    assert resources.model("lstm").device == CPU
    assert f"lstm runs on the CPU, since meta failed ({type(GPU_ERRORS[fault]).__name__})" in caplog.text


def test_any_other_error_while_a_model_is_loaded_is_not_hidden(monkeypatch):
    def fail(self, device):
        raise RuntimeError("a bug in the model")

    monkeypatch.setattr(torch.nn.Module, "to", fail)
    with pytest.raises(RuntimeError, match="a bug in the model"):
        Resources(device="meta")


def test_an_error_that_is_not_the_gpus_is_not_hidden(monkeypatch):
    resources = Resources(device=CPU)
    request = resources.request("lstm", settings=GenerationSettings(max_length=5))
    monkeypatch.setattr(FastStepper.for_model(request.model), "step", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        list(resources.stream(request))


def test_two_first_visitors_share_one_batch(cpu, monkeypatch):
    made, meeting = [], threading.Barrier(2)

    def make(model):
        made.append(model)
        time.sleep(0.05)  # in which a second caller would come in
        return object()

    def first_visit(loaded):
        meeting.wait()
        return loaded.batch

    monkeypatch.setattr(resources_module, "ContinuousBatch", make)
    loaded = replace(cpu.model("lstm"))
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(first_visit, [loaded, loaded])
    assert first is second and len(made) == 1


def test_where_none_is_named_the_default_model_and_the_first_space_answer(cpu, tiny_folder, monkeypatch):
    assert cpu.model() is cpu.model("lstm") and cpu.space() is cpu.space("glove-50")
    shutil.rmtree(tiny_folder / "lstm")
    monkeypatch.setattr(resources_module, "bundled_models", lambda: ["vanilla-rnn"])
    assert Resources(tiny_folder, CPU).model().name == "vanilla-rnn"


def test_models_can_be_compared_with_each_other(cpu):
    lstm, rnn = cpu.model("lstm"), cpu.model("vanilla-rnn")
    assert lstm == lstm and lstm != rnn
