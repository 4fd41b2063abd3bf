"""Checkpoints on disk: written beside their place; what fails leaves the one before."""

import resource

import pytest
import torch

from lyricgen.training.checkpoint_files import AtomicCheckpointIO


@pytest.fixture
def no_tmpdir(tmp_path, monkeypatch):  # pytest makes its own folder first
    """A folder for temporary files that cannot be written."""
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")


@pytest.mark.usefixtures("no_tmpdir")
def test_a_checkpoint_is_written_beside_its_place_and_not_to_tmpdir(tmp_path):
    path = tmp_path / "lstm/last.ckpt"
    for step in (1, 2):
        AtomicCheckpointIO().save_checkpoint({"step": step}, path)
        assert torch.load(path, weights_only=True) == {"step": step}
    assert [each.name for each in path.parent.iterdir()] == ["last.ckpt"]


@pytest.mark.usefixtures("no_tmpdir")
def test_a_disk_without_room_is_named_and_the_checkpoint_before_stays(tmp_path):
    path = tmp_path / "last.ckpt"
    AtomicCheckpointIO().save_checkpoint({"step": 1}, path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(OSError) as error:
            AtomicCheckpointIO().save_checkpoint({"step": 2, "weights": torch.zeros(50_000)}, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert error.value.filename == str(path)
    assert torch.load(path, weights_only=True) == {"step": 1}
    assert [each.name for each in tmp_path.iterdir()] == ["last.ckpt"]
