"""Where models run: the CPU where the GPU fails, a ZeroGPU Space's GPU during a call."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from localhub import client_environment

from lyricgen import devices
from lyricgen.devices import best_device, device_name, with_gpu
from lyricgen.hub.spaces import space_files

ROOT = Path(__file__).parent.parent
SPACES = """
import sys

assert "torch" not in sys.modules, "spaces must come before torch"
wrapped = {}


def GPU(task=None, duration=60):
    wrapped[task.__name__] = duration
    return task
"""
PROGRAM = """
import ast, inspect, json, sys

stubs, get_source_segment = [], ast.get_source_segment  # with it gradio writes type stubs of its components, which takes seconds
ast.get_source_segment = lambda *arguments: stubs.append(1) or get_source_segment(*arguments)
import app, lyricgen, spaces

[generate] = [block.fn for block in app.demo.fns.values() if block.api_name == "generate"]
texts = list(generate("the sea ", "any artist", "lstm", "greedy", 0.7, 0, 1, 30, 1))
using_gpu = [block.fn.__name__ for block in app.demo.fns.values() if getattr(block.fn, "uses_gpu", False)]
[analogy] = [block.fn for block in app.demo.fns.values() if block.api_name == "analogy"]
assert analogy("man", "king", "woman")["answer"] == "queen"
loaded = lyricgen.__file__, app.resources.model_names, app.resources.space_names, app.resources.left_out
slow = sorted({"matplotlib", "sklearn", "gensim", "scipy"} & sys.modules.keys())  # to import
print(json.dumps([loaded, spaces.wrapped, using_gpu, inspect.isgeneratorfunction(generate), texts[-1], slow, len(stubs)]))
"""


def test_without_a_gpu_the_cpu_is_taken_and_nothing_is_said(caplog, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert best_device() == torch.device("cpu") and not caplog.records


def failing(error: Exception):
    def fail(*_, **__):
        raise error

    return fail


@pytest.mark.parametrize(
    "error",
    [
        AssertionError("Torch not compiled with CUDA enabled"),
        RuntimeError("Found no NVIDIA driver on your system"),
        torch.OutOfMemoryError("CUDA out of memory"),
        torch.AcceleratorError("CUDA error: no kernel image is available", 209),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_gpu_that_fails_leaves_the_cpu_and_one_sentence(error, caplog, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch, "zeros", failing(error))
    assert best_device() == torch.device("cpu")
    [record] = caplog.records
    assert (record.name, record.levelno) == ("lyricgen", logging.WARNING)
    assert record.getMessage() == f"models run on the CPU, since the GPU cannot be used ({type(error).__name__})"


@pytest.mark.skipif(torch.backends.cuda.is_built(), reason="this torch has CUDA")
def test_a_torch_without_cuda_that_takes_itself_for_one_with_it_runs_on_the_cpu(caplog, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert best_device() == torch.device("cpu")
    assert len(caplog.records) == 1 and "AssertionError" in caplog.text


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_a_gpu_that_works_is_taken():
    assert best_device() == torch.device("cuda") and device_name(best_device()) == torch.cuda.get_device_name()


def test_the_cpu_is_named_with_its_threads():
    assert device_name(torch.device("cpu")) == f"CPU, {torch.get_num_threads()} thread(s)"


def test_anywhere_but_on_a_space_a_handler_stays_itself(monkeypatch):
    monkeypatch.setattr(devices, "spaces", None)
    handler = failing(RuntimeError())
    assert with_gpu(handler) is handler


def test_the_files_of_a_space_run_without_the_rest_of_the_project_and_on_zerogpu_all_models_get_the_gpu(tmp_path):
    """The package spaces must be imported before torch. A name that no repository has leaves the bundled models running."""
    folder = tmp_path / "space"
    for path, content in space_files(ROOT).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content if isinstance(content, bytes) else content.read_bytes())
    (tmp_path / "spaces.py").write_text(SPACES)
    variables = {"LYRICGEN_HUB_REPO": "no name", "PYTHONPATH": str(tmp_path), "SYSTEM": "spaces"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=client_environment("http://127.0.0.1:9", tmp_path / "hf", **variables),
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    loaded, wrapped, using_gpu, streams, text, slow, stubs = json.loads(done.stdout)
    assert loaded == [f"{folder}/lyricgen/__init__.py", ["lstm", "vanilla-rnn"], ["glove-50", "lyrics"], {}]
    assert {
        "generate",
        "variants",
        "compare",
        "score",
        "attribute",
        "write_song",
        "change_letter",
        "show_memory",
    } <= set(wrapped)
    assert set(wrapped) == set(using_gpu) and set(wrapped.values()) == {60}
    assert streams and text.startswith("the sea ")
    assert slow == []  # the page opens without a figure, and words are found without gensim
    assert stubs < 20
    [sentence] = done.stderr.splitlines()
    assert "--hub-repo must be USER/NAME" in sentence


# Cores


def cgroups(root: Path, membership: str, files: dict[str, str]) -> Path:
    """A root folder with a process's cgroups."""
    for name, content in {"proc/self/cgroup": membership, **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return root


@pytest.mark.parametrize(
    ("membership", "files", "cores"),
    [
        ("0::/\n", {"sys/fs/cgroup/cpu.max": "200000 100000\n"}, 2),
        ("0::/\n", {"sys/fs/cgroup/cpu.max": "max 100000\n"}, 64),
        ("0::/a/b\n", {"sys/fs/cgroup/a/cpu.max": "350000 100000\n", "sys/fs/cgroup/a/b/cpu.max": "max 100000\n"}, 3),
        ("0::/\n", {"sys/fs/cgroup/cpu.max": "50000 100000\n"}, 1),
        (
            "4:memory:/x\n3:cpu,cpuacct:/docker/abc\n",
            {"sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "400000\n", "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000"},
            4,
        ),
        ("1:cpu:/\n", {"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000"}, 64),
        ("", {"sys/fs/cgroup/cpu.max": "not a number\n"}, 64),
    ],
    ids=["v2", "v2 without quota", "v2 above", "v2 half a core", "v1", "v1 without quota", "no cgroup"],
)  # fmt: skip
def test_a_containers_quota_bounds_the_cores(tmp_path, monkeypatch, membership, files, cores):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(64)), raising=False)
    assert devices.available_cores(cgroups(tmp_path, membership, files)) == cores


def test_affinity_bounds_the_cores(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {3, 5}, raising=False)
    assert devices.available_cores(tmp_path) == 2


def test_where_bfloat16_is_announced_and_fails_it_is_not_used(monkeypatch):
    """With ONEDNN_MAX_CPU_ISA=AVX2 every lyric failed."""

    def fail(*_):
        raise RuntimeError("bf16 path needs the cpu support avx512bw")

    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: True)
    monkeypatch.setattr(torch.ops.mkldnn, "_reorder_linear_weight", fail)
    devices._has_bfloat16_products.cache_clear()
    assert not devices.multiplies_bfloat16(torch.device("cpu"))
    monkeypatch.setattr(torch.ops.mkldnn, "_reorder_linear_weight", lambda matrix, size: matrix)
    monkeypatch.setattr(torch.ops.mkldnn, "_linear_pointwise", lambda *_: None)
    devices._has_bfloat16_products.cache_clear()
    assert devices.multiplies_bfloat16(torch.device("cpu"))
    devices._has_bfloat16_products.cache_clear()
