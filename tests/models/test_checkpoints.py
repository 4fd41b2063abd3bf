"""Model folders: round trip, strict loading, one sentence for each damage."""

import hashlib
import json
import math
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from lyricgen import Checkpoint, ImprovedSeqModel, ModelError, VanillaRNN, load_checkpoint, load_model, save_checkpoint
from lyricgen.models import checkpoints
from lyricgen.models.checkpoints import (
    bundled_models,
    find_checkpoint,
    has_checksums,
    load_training_checkpoint,
    make_model,
    replace_metrics,
)
from lyricgen.models.memory import MemoryConstants
from lyricgen.models.networks import model_config
from lyricgen.models.vocabulary import CHARACTERS
from lyricgen.storage import MODEL, content_sha256, write_artifact

METRICS = {"val_bpc": 1.9, "clean_bpc": 2.0, "line_breaks": False, "hardware": "Prozessor für Lieder"}
HISTORY = [
    {"step": 20, "epoch": 0.5, "seconds": 1.5, "train_bpc": 3.25, "val_bpc": None},
    {"step": 40, "epoch": 1.0, "seconds": 3.0, "train_bpc": None, "val_bpc": 3.0},
]
FILES = ["config.json", "history.csv", "metrics.json", "model.safetensors"]


@pytest.fixture
def folder(tiny_model, tmp_path):
    save_checkpoint(Checkpoint(tiny_model, METRICS, HISTORY), tmp_path / "deep" / "model")
    return tmp_path / "deep" / "model"


def seal(folder):
    """Updates the checksums to the current files, as a deliberate change would."""
    config = json.loads((folder / "config.json").read_text())
    files = [path for path in folder.iterdir() if path.name != "config.json"]
    config["sha256"] = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    config["sha256"]["config.json"] = content_sha256(config)
    (folder / "config.json").write_text(json.dumps(config))


def refusal(folder) -> str:
    with pytest.raises(ModelError) as error:
        load_checkpoint(folder)
    assert str(error.value).isprintable() and len(str(error.value)) < 400
    return str(error.value)


def test_round_trip_keeps_model_artists_metrics_and_history(tiny_model, folder):
    again = load_checkpoint(folder)
    assert type(again.model) is type(tiny_model) and again.model.config == tiny_model.config
    assert again.model.artists == ("Ann", "Bob")
    assert (again.metrics, again.history) == (METRICS, HISTORY)
    for name, value in again.model.state_dict().items():
        assert torch.equal(value, tiny_model.state_dict()[name].half().float())


def test_replacing_metrics_leaves_weights_and_curve_byte_for_byte(folder):
    before = {name: (folder / name).read_bytes() for name in FILES}
    replace_metrics(folder, {**METRICS, "copied_words": None})
    assert load_checkpoint(folder).metrics == {**METRICS, "copied_words": None}
    after = {name: (folder / name).read_bytes() for name in FILES}
    assert [name for name in FILES if after[name] != before[name]] == ["config.json", "metrics.json"]
    (folder / "model.safetensors").write_bytes(b"")
    with pytest.raises(ModelError):
        replace_metrics(folder, METRICS)
    assert (folder / "metrics.json").read_bytes() == after["metrics.json"]


def test_the_folder_holds_exactly_four_files_and_the_vocabulary(folder):
    assert sorted(path.name for path in folder.iterdir()) == FILES
    assert [path.name for path in folder.parent.iterdir()] == ["model"]
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert config["vocabulary"] == CHARACTERS and config["format_version"] == 1


SAMPLE = {"step": 10, "characters": 900, "prefix": "", "temperature": 0.7, "seed": 1, "text": "la  lä"}


def test_samples_come_back_and_are_kept_with_other_figures(tiny_model, tmp_path):
    folder = tmp_path / "model"
    save_checkpoint(Checkpoint(tiny_model, METRICS, HISTORY, [SAMPLE, SAMPLE]), folder)
    assert sorted(path.name for path in folder.iterdir()) == [*FILES, "samples.jsonl"]
    assert load_checkpoint(folder).samples == [SAMPLE, SAMPLE]
    replace_metrics(folder, {"val_bpc": 1.0})
    assert load_checkpoint(folder).samples == [SAMPLE, SAMPLE]
    (folder / "samples.jsonl").write_text("{}\n", encoding="utf-8")
    with pytest.raises(ModelError, match="samples.jsonl of model folder 'model' is not the file that was written"):
        load_checkpoint(folder)
    (folder / "samples.jsonl").unlink()
    with pytest.raises(ModelError, match="samples.jsonl of model folder .model. is missing"):
        load_checkpoint(folder)


CONSTANTS = MemoryConstants(exponent=5.0, slope=0.5, bias=2.25, agreement=4.0)


def test_the_constants_of_a_memory_come_back_and_are_kept_with_other_figures(tiny_model, tmp_path):
    folder = tmp_path / "model"
    tiny_model.memory = CONSTANTS
    save_checkpoint(Checkpoint(tiny_model, METRICS, HISTORY), folder)
    assert sorted(path.name for path in folder.iterdir()) == sorted([*FILES, "memory.json"])
    assert load_checkpoint(folder).model.memory == CONSTANTS
    replace_metrics(folder, {"val_bpc": 1.0})
    assert load_checkpoint(folder).model.memory == CONSTANTS
    (folder / "memory.json").write_text("{}\n", encoding="utf-8")
    with pytest.raises(ModelError, match="memory.json of model folder 'model' is not the file that was written"):
        load_checkpoint(folder)


def test_a_folder_without_a_memory_gets_one_and_keeps_its_weights(folder):
    weights = (folder / "model.safetensors").read_bytes()
    assert load_checkpoint(folder).model.memory is None
    replace_metrics(folder, METRICS, CONSTANTS)
    assert load_checkpoint(folder).model.memory == CONSTANTS
    assert (folder / "model.safetensors").read_bytes() == weights


@pytest.mark.parametrize(
    "content", ["[]", "{}", '{"exponent": 5}', '{"exponent": 5, "slope": NaN, "bias": 0, "agreement": 0}']
)
def test_constants_that_are_none_are_refused_in_one_sentence(folder, content):
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    with write_artifact(folder, MODEL, config) as partial:
        for name in MODEL.files:
            (partial / name).write_bytes((folder / name).read_bytes())
        (partial / "memory.json").write_text(content, encoding="utf-8")
    with pytest.raises(ModelError, match="the files of model folder 'model' do not fit together"):
        load_checkpoint(folder)


def test_a_folder_without_samples_loads(folder):
    assert load_checkpoint(folder).samples == []


def test_weights_are_float16_on_disk_and_float32_in_memory(folder):
    assert {value.dtype for value in load_file(folder / "model.safetensors").values()} == {torch.float16}
    model = load_checkpoint(folder).model
    assert {value.dtype for value in model.parameters()} == {torch.float32} and not model.training
    assert all(value.requires_grad for value in model.parameters())


def test_a_loaded_model_can_be_trained_on(folder):
    model = load_model(folder).train()
    logits, _ = model(torch.tensor([[100, 10, 11]]), torch.tensor([3]), artists=torch.tensor([1]))
    logits.sum().backward()
    assert all(value.grad is not None for value in model.parameters())


def test_float32_weights_come_back_exactly(tiny_model, tmp_path):
    save_checkpoint(Checkpoint(tiny_model), tmp_path / "model", dtype=torch.float32)
    again = load_checkpoint(tmp_path / "model")
    assert all(torch.equal(value, tiny_model.state_dict()[name]) for name, value in again.model.state_dict().items())
    assert (again.metrics, again.history) == ({}, [])


def test_history_has_the_columns_asked_for(tiny_model, tmp_path):
    save_checkpoint(Checkpoint(tiny_model, {}, HISTORY), tmp_path / "model", columns=[*HISTORY[0], "clean_bpc"])
    assert (tmp_path / "model/history.csv").read_text().splitlines()[
        0
    ] == "step,epoch,seconds,train_bpc,val_bpc,clean_bpc"


def test_saving_again_replaces_the_folder(folder):
    (folder / "stray.txt").write_text("left over")
    save_checkpoint(Checkpoint(VanillaRNN(hidden_size=4, n_layers=1)), folder)
    assert sorted(path.name for path in folder.iterdir()) == FILES
    assert [path.name for path in folder.parent.iterdir()] == ["model"]
    assert load_checkpoint(folder).model.hidden_size == 4


def test_a_failed_saving_keeps_the_old_folder_and_leaves_nothing_partial(tiny_model, folder):
    with pytest.raises(TypeError):
        save_checkpoint(Checkpoint(tiny_model, {"val_bpc": object()}), folder)
    assert load_checkpoint(folder).metrics == METRICS
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_a_full_disk_is_an_os_error_and_keeps_the_old_folder(tiny_model, folder, monkeypatch):
    monkeypatch.setattr(checkpoints, "WEIGHTS", Path("/dev/full"))  # an absolute path replaces the folder's
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(Checkpoint(tiny_model), folder)
    monkeypatch.undo()
    assert load_checkpoint(folder).metrics == METRICS
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(name, folder):
    (folder / name).unlink()
    said = refusal(folder)
    assert f"lacks {name}" in said or f"{name} of model folder 'model' is missing; fetch it again" in said


@pytest.mark.parametrize("name", FILES[1:])
@pytest.mark.parametrize("change", ["truncated", "empty", "one byte"])
def test_a_truncated_or_altered_file_is_named(name, change, folder):
    content = bytearray((folder / name).read_bytes())
    if change == "one byte":
        content[len(content) // 2] ^= 1
    (folder / name).write_bytes({"truncated": content[:-1], "empty": b"", "one byte": content}[change])
    assert f"{name} of model folder 'model' is not the file that was written" in refusal(folder)


DAMAGED_CONTENT = {
    "metrics.json": [
        b"", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"train_songs": "many"}', b'{"val_bpc": [1]}', b'{"clean_bpc": 5000}',
        b'{"copied": {"long_run": 50}}', b'{"copied": "often"}', b'{"hardware": {}}', b'{"seconds": NaN}', b'{"epochs": 1e400}',
        b'{"x": ' + b"[" * 60 + b"]" * 60 + b"}",
    ],
    "history.csv": [
        "step,train_bpc\n20,Lübeck\n".encode("latin-1"), b"step,train_bpc\ntwenty,3\n", b"step\n20,3\n", b"step\nnan\n",
        b"step\n-inf\n", b"step\n1\0\n2", b'step\n"' + b"x" * 200_000 + b'"\n',
    ],
    "samples.jsonl": [b"[]\n", b"{}\n", b'{"step": "first", "text": ""}\n', b'{"step": 1, "text": 2}\n', b"[" * 100_000, b"\xff"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content"), [(name, content) for name, contents in DAMAGED_CONTENT.items() for content in contents]
)
def test_figures_that_the_page_could_not_show_are_refused_even_with_a_matching_sha256(name, content, tmp_path):
    folder = tmp_path / "model"
    save_checkpoint(Checkpoint(ImprovedSeqModel(hidden_size=2), METRICS, HISTORY, [SAMPLE]), folder)
    (folder / name).write_bytes(content)
    seal(folder)
    assert refusal(folder) == "the files of model folder 'model' do not fit together; fetch it again"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"1", b"{}", b"[" * 10**6])
def test_a_damaged_config_gives_one_sentence(content, folder):
    (folder / "config.json").write_bytes(content)
    assert refusal(folder) == "config.json of model folder 'model' is damaged; fetch it again"


def altered(folder, **changes):
    config = json.loads((folder / "config.json").read_text())
    config.update(
        {name: {**config[name], **value} if isinstance(value, dict) else value for name, value in changes.items()}
    )
    (folder / "config.json").write_text(json.dumps(config))
    if "sha256" not in changes:
        seal(folder)


def test_an_altered_config_is_refused(folder):
    config = (folder / "config.json").read_text()
    swapped = config.replace("Ann", "Ada")
    assert swapped != config
    (folder / "config.json").write_text(swapped)
    assert "config.json of model folder 'model' is not the file that was written" in refusal(folder)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"format_version": 2}, "has format version 2, this lyricgen reads 1"),
        ({"format_version": None}, "has format version None"),
        ({"format_version": "9" * 99}, "has format version '9999"),
        ({"vocabulary": "abc"}, "another vocabulary"),
        ({"class": "Transformer"}, "no model of lyricgen (its class: 'Transformer')"),
        ({"class": ["VanillaRNN"]}, "no model of lyricgen"),
        ({"model": 5}, "no model of lyricgen"),
        ({"model": {"hidden_size": 13}}, "do not fit its config.json"),
        ({"model": {"hidden_size": 10**6}}, "do not fit its config.json"),
        ({"model": {"hidden_size": 10**30}}, "config.json of model folder 'model' is damaged"),
        ({"model": {"hidden_size": 10**18}}, "no model of lyricgen"),
        ({"model": {"hidden_size": -1}}, "no model of lyricgen"),
        ({"model": {"hidden_size": "many"}}, "no model of lyricgen"),
        ({"model": {"n_layers": 3}}, "do not fit its config.json"),
        ({"model": {"n_layers": 0}}, "no model of lyricgen"),
        ({"model": {"n_layers": 10**12}}, "no model of lyricgen"),
        ({"model": {"n_layers": "two"}}, "no model of lyricgen"),
        ({"model": {"artists": ["Ann", ["Bob"]]}}, "no model of lyricgen"),
        ({"model": {"padding_label": 500}}, "no model of lyricgen"),
        ({"model": {"artists": ["Ann"]}}, "do not fit its config.json"),
        ({"model": {"artists": 3}}, "no model of lyricgen"),
        ({"model": {"num_classes": 99}}, "no model of lyricgen"),
        ({"model": {"colour": "red"}}, "no model of lyricgen"),
        ({"sha256": None}, "config.json of model folder 'model' is damaged"),
    ],
)
def test_an_inconsistent_config_gives_one_sentence(changes, expected, folder):
    altered(folder, **changes)
    assert expected in refusal(folder)


@pytest.mark.parametrize("change", ["missing", "extra", "shape", "pickle", "garbage", "huge header"])
def test_weights_that_do_not_fit_are_refused_even_with_a_matching_sha256(change, folder):
    path = folder / "model.safetensors"
    weights = load_file(path)
    if change == "missing":
        weights.pop("ffnn.bias")
    if change == "extra":
        weights["more"] = torch.zeros(1)
    if change == "shape":
        weights["ffnn.bias"] = torch.zeros(1)
    save_file(weights, path)
    if change == "pickle":
        path.write_bytes(pickle.dumps(weights))
    if change == "garbage":
        path.write_bytes(b"\x07garbage" * 40)
    if change == "huge header":
        path.write_bytes((2**62).to_bytes(8, "little") + b"{}")
    seal(folder)
    assert "do not fit its config.json" in refusal(folder)


NOT_FINITE = [math.nan, math.inf, -math.inf, 1e30]


@pytest.mark.parametrize("number", NOT_FINITE)
def test_weights_that_are_not_finite_are_neither_written_nor_read(number, tiny_model, folder):
    with torch.no_grad():
        tiny_model.rnn.weight_hh_l0[1, 2] = number
    with pytest.raises(
        ModelError, match="the weights of model folder 'model' hold a number that is not finite; train one"
    ):
        save_checkpoint(Checkpoint(tiny_model), folder)
    assert load_checkpoint(folder).metrics == METRICS
    save_file(tiny_model.state_dict(), folder / "model.safetensors")
    seal(folder)
    assert "the weights of model folder 'model' hold a number that is not finite" in refusal(folder)
    training_checkpoint(tiny_model, folder / "last.ckpt")
    with pytest.raises(ModelError, match="the weights of checkpoint 'last.ckpt' hold a number that is not finite"):
        load_model(folder / "last.ckpt")


def test_a_missing_folder_gives_one_sentence(tmp_path):
    assert "there is no model folder" in refusal(tmp_path / "none")
    assert "there is no model folder" in refusal(tmp_path / ("x" * 5000))


@pytest.mark.parametrize("name", ["lstmm", "", "x" * 5000, "nul\0l", "../none", 5])
def test_an_unknown_model_name_gives_one_sentence(name):
    with pytest.raises(ModelError) as error:
        load_model(name)
    assert "neither a bundled model" in str(error.value) and str(error.value).isprintable()


def test_bundled_models_load_by_name_in_any_case():
    for name in bundled_models():
        assert find_checkpoint(f" {name.upper()} ") == find_checkpoint(name)
        model = load_model(name)
        assert len(model.artists) == 21 and not model.training


def training_checkpoint(model, path):
    torch.save(
        {
            "lyricgen": model_config(model),
            "state_dict": {f"model.{name}": value for name, value in model.state_dict().items()},
        },
        path,
    )


def test_a_ckpt_of_training_loads_as_a_model(tiny_model, tmp_path):
    training_checkpoint(tiny_model, tmp_path / "last.ckpt")
    model = load_model(tmp_path / "last.ckpt")
    assert not model.training and model.config == tiny_model.config
    assert all(torch.equal(value, tiny_model.state_dict()[name]) for name, value in model.state_dict().items())


class Malicious:
    def __reduce__(self):
        return (print, ("this code must not run",))


@pytest.mark.parametrize("content", ["empty", "text", "pickle", "cut", "no model", "other sizes", "folder", "missing"])
def test_a_file_that_is_no_checkpoint_gives_one_sentence(content, tmp_path, capsys):
    path = tmp_path / "last.ckpt"
    training_checkpoint(ImprovedSeqModel(hidden_size=4), path)
    whole = path.read_bytes()
    if content == "no model":
        torch.save({"state_dict": {}}, path)
    elif content == "other sizes":
        state = torch.load(path, weights_only=True)
        state["lyricgen"]["model"]["hidden_size"] = 5
        torch.save(state, path)
    elif content in ("missing", "folder"):
        path.unlink()
        if content == "folder":
            path.mkdir()
    elif content == "pickle":
        path.write_bytes(pickle.dumps(Malicious()))
    else:
        path.write_bytes({"empty": b"", "text": b"not a checkpoint", "cut": whole[: len(whole) // 2]}[content])
    with pytest.raises(ModelError) as error:
        load_training_checkpoint(path)
    assert "'last.ckpt'" in str(error.value) and str(error.value).isprintable()
    assert "must not run" not in capsys.readouterr().out


def test_no_flipped_bit_of_a_checkpoint_changes_the_model(tmp_path):
    """A flip is found, or is where nothing is stored: then the model is the same."""
    path, model = tmp_path / "last.ckpt", ImprovedSeqModel(hidden_size=2)
    training_checkpoint(model, path)
    whole = path.read_bytes()
    found = 0
    for position in range(0, len(whole), len(whole) // 150):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1 << position % 8]) + whole[position + 1 :])
        try:
            again = load_training_checkpoint(path)
        except ModelError as error:
            assert "'last.ckpt' is no checkpoint of train.py, or it is damaged" in str(error)
            found += 1
        else:
            assert again.config == model.config
            assert all(torch.equal(value, model.state_dict()[name]) for name, value in again.state_dict().items())
    assert found > 50


def test_a_checkpoint_of_an_older_pytorch_has_no_checksums_and_loads(tiny_model, tmp_path):
    path = tmp_path / "last.ckpt"
    training_checkpoint(tiny_model, path)
    assert has_checksums(path)
    torch.save(torch.load(path, weights_only=True), path, _use_new_zipfile_serialization=False)
    assert not has_checksums(path)
    assert load_training_checkpoint(path).config == tiny_model.config


def test_make_model_builds_the_model_of_a_config(tiny_model):
    assert make_model(model_config(tiny_model)).config == tiny_model.config


def test_loading_a_model_does_not_import_torch_compile():
    program = "import sys, lyricgen; lyricgen.load_model(); assert 'torch._dynamo' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)
