"""Samples and weights of a network at stages of its training."""

import errno

import pytest
import torch
from safetensors.torch import load_file

from lyricgen import ImprovedSeqModel
from lyricgen.training.samples import StageSamples


@pytest.fixture
def model() -> ImprovedSeqModel:
    torch.manual_seed(1)
    return ImprovedSeqModel(hidden_size=8, n_layers=1)


def test_a_stage_has_samples_of_200_characters_and_its_weights_in_float16(model, tmp_path):
    samples = StageSamples(tmp_path, prefixes=("la ",))
    samples._write(10, model)
    assert [len(row["text"]) for row in samples.rows] == [203]
    weights = load_file(tmp_path / "step-000010.safetensors")
    assert weights.keys() == model.state_dict().keys()
    assert torch.equal(weights["ffnn.weight"], model.ffnn.weight.to(torch.float16))


def test_a_full_disk_is_an_os_error(model, tmp_path):
    (tmp_path / "step-000010.safetensors").symlink_to("/dev/full")
    with pytest.raises(OSError) as error:
        StageSamples(tmp_path, prefixes=())._write(10, model)
    assert error.value.errno == errno.ENOSPC
