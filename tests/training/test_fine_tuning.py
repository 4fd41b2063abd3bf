"""Trainings that start with the weights of a model folder."""

from pathlib import Path

import pytest
import torch

from lyricgen import ImprovedSeqModel, VanillaRNN, load_checkpoint
from lyricgen.models.checkpoints import training_records
from lyricgen.training import cli as train
from lyricgen.training.fine_tuning import continue_metrics, continue_rows, copy_weights

ROOT = Path(__file__).parents[2]
FLAGS = [
    "--models", "vanilla-rnn", "--data", str(ROOT / "tests/data"), "--batch-size", "3", "--length", "32", "--warmup-steps",
    "2", "--samples", "0", "--accelerator", "cpu", "--threads", "1", "--no-progress", "--epochs", "1",
]  # fmt: skip
EPOCH = 27  # steps
pytestmark = [
    pytest.mark.usefixtures("short_lyrics", "no_picture"),
    pytest.mark.filterwarnings("ignore:.*(LeafSpec|number of training batches|isinstance.treespec)"),
]


def run(*flags, out):
    return train.main([*FLAGS, "--out", str(out), *map(str, flags)])


def refusal(capsys, *flags, out):
    assert run(*flags, out=out) == 2
    return capsys.readouterr().err.strip().splitlines()[-1]


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A model folder of one epoch."""
    out = tmp_path_factory.mktemp("first")
    assert run("--hidden-size", 8, "--layers", 1, "--learning-rate", 0.05, out=out) == 0
    return out / "vanilla-rnn"


@pytest.fixture(scope="module")
def second(first, tmp_path_factory):
    """The same model trained for another epoch at nearly no rate, with other sizes in its flags."""
    out = tmp_path_factory.mktemp("second")
    flags = ("--start-from", first, "--learning-rate", 1e-6, "--checkpoint-every", 5, "--hidden-size", 99)
    assert run(*flags, out=out) == 0
    return out / "vanilla-rnn"


def test_it_starts_with_the_weights_and_sizes_of_the_folder(first, second):
    before, after = load_checkpoint(first), load_checkpoint(second)
    assert after.model.config == before.model.config
    for name, weights in before.model.state_dict().items():
        assert torch.allclose(after.model.state_dict()[name], weights, atol=1e-3), name
    assert after.metrics["val_bpc"] == pytest.approx(before.metrics["val_bpc"], abs=0.01)


def test_its_learning_curve_samples_and_totals_continue_those_of_the_folder(first, second):
    before, after = load_checkpoint(first), load_checkpoint(second)
    assert after.history[: len(before.history)] == before.history
    assert after.samples[: len(before.samples)] == before.samples
    new = after.history[len(before.history) :]
    assert [row["step"] for row in new] == [EPOCH + 20, 2 * EPOCH]
    assert new[0]["characters"] > before.history[-1]["characters"] and new[-1]["epoch"] == 2
    assert after.samples[len(before.samples)]["step"] == EPOCH + 1 and after.samples[-1]["step"] == 2 * EPOCH
    metrics = after.metrics
    assert (metrics["epochs"], metrics["steps"], metrics["weights_step"]) == (2, 2 * EPOCH, 2 * EPOCH)
    assert metrics["characters_seen"] == new[-1]["characters"] == 2 * before.metrics["characters_seen"]
    recorded = metrics["started_from"]
    assert recorded["steps"] == EPOCH and recorded["options"] == before.metrics["options"]
    assert recorded["data_sha256"] == before.metrics["data_sha256"] and "started_from" not in before.metrics


def test_it_resumes_exactly(first, second, tmp_path):
    older, _ = sorted((second.parent / "checkpoints/vanilla-rnn").glob("*.ckpt"), key=lambda path: path.stat().st_mtime)
    assert run("--start-from", first, "--learning-rate", 1e-6, "--resume", older, out=tmp_path) == 0
    again, once = load_checkpoint(tmp_path / "vanilla-rnn"), load_checkpoint(second)
    assert all(torch.equal(*pair) for pair in zip(again.model.parameters(), once.model.parameters(), strict=True))
    assert [row["step"] for row in again.history] == [row["step"] for row in once.history]


def test_a_resume_from_other_weights_is_refused(first, second, tmp_path, capsys):
    [*_, last] = sorted((second.parent / "checkpoints/vanilla-rnn").glob("*.ckpt"))
    sizes = ("--hidden-size", 8, "--layers", 1)
    for flags in (sizes, ("--start-from", second)):
        message = refusal(capsys, *flags, "--learning-rate", 1e-6, "--resume", last, out=tmp_path)
        assert message.endswith("is of a training with another --start-from; use the flags of that training")


@pytest.mark.parametrize(
    ("flags", "different"), [(("--seed", 2), "seed"), (("--held-out", 0.2), "train_songs, held_out_songs")]
)
def test_songs_that_the_weights_were_trained_on_are_not_held_out(flags, different, first, tmp_path, capsys):
    message = refusal(capsys, "--start-from", first, *flags, out=tmp_path)
    assert f"trained on these songs with another split ({different} of its metrics.json differ)" in message
    assert not (tmp_path / "vanilla-rnn").exists()


def test_a_folder_of_songs_is_known_again(tmp_path, capsys):
    songs, others = tmp_path / "songs", tmp_path / "others"
    for folder, word in ((songs, "river"), (others, "mill")):
        folder.mkdir()
        for number in range(6):
            (folder / f"{number}.txt").write_text(
                f"the {word} goes round {number} times and the {word} comes down {number}"
            )
    sizes = ("--hidden-size", 8, "--layers", 1)
    assert run("--data", songs, *sizes, out=tmp_path / "first") == 0
    start = ("--start-from", tmp_path / "first/vanilla-rnn")
    message = refusal(capsys, "--data", songs, *start, "--held-out", 0.5, out=tmp_path / "second")
    assert "trained on these songs with another split (train_songs, held_out_songs" in message
    assert run("--data", others, *start, "--held-out", 0.5, "--seed", 1, out=tmp_path / "third") == 0


def test_a_chain_of_trainings_keeps_all_records_and_counts_the_step_of_the_weights_from_the_first():
    first = {
        "steps": 1_000,
        "weights_step": 600,
        "epochs": 2,
        "seconds": 5.5,
        "seed": 3,
        "data_sha256": {"a.csv": "aa"},
    }
    new = {"steps": 200, "weights_step": 150, "epochs": 1, "seconds": 1.25, "data_sha256": {"b.csv": "bb"}}
    second = continue_metrics(first, new)
    assert (second["steps"], second["weights_step"], second["epochs"], second["seconds"]) == (1_200, 1_150, 3, 6.75)
    third = continue_metrics(second, new | {"data_sha256": {"c.csv": "cc"}})
    assert [next(iter(record["data_sha256"])) for record in training_records(third)] == ["c.csv", "b.csv", "a.csv"]
    assert third["started_from"]["started_from"]["seed"] == 3


@pytest.mark.parametrize("model_class", [VanillaRNN, ImprovedSeqModel])
def test_artists_keep_their_weights_by_name_and_new_ones_their_initial_weights(model_class):
    source = model_class(hidden_size=6, artists=("Ann", "Bob", "Cy"))
    target = model_class(hidden_size=6, artists=("Dee", "  ann"))
    initial = target.artist_embeddings.weight.clone()
    copy_weights(source, target)
    rows = target.artist_embeddings.weight
    assert torch.equal(rows[0], initial[0]) and torch.equal(rows[1], source.artist_embeddings.weight[0])
    assert torch.equal(rows[2], torch.zeros(6))
    assert torch.equal(target.rnn.weight_hh_l1, source.rnn.weight_hh_l1)
    assert torch.equal(target.ffnn.bias, source.ffnn.bias)


def test_artists_of_a_model_without_artists_keep_their_initial_weights():
    source, target = VanillaRNN(hidden_size=6), VanillaRNN(hidden_size=6, artists=("Ann",))
    initial = target.artist_embeddings.weight.clone()
    copy_weights(source, target)
    assert torch.equal(target.artist_embeddings.weight, initial)
    copy_weights(target, source)
    assert torch.equal(target.embeddings.weight, source.embeddings.weight)


def test_a_curve_without_counts_is_continued_from_zero():
    assert continue_rows([], [{"step": 3, "epoch": None}], {}) == [{"step": 3, "epoch": None}]


def test_what_cannot_be_started_from_is_refused_in_a_sentence(first, tmp_path, capsys):
    message = refusal(capsys, "--start-from", "lstm", out=tmp_path)
    assert message.endswith(
        "'lstm' is another kind of network than --models names; give --models the network of that folder"
    )
    assert "is neither a bundled model" in refusal(capsys, "--start-from", "lost", out=tmp_path)
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / "config.json").write_text("{")
    assert "'damaged'" in refusal(capsys, "--start-from", damaged, out=tmp_path)
    with pytest.raises(SystemExit) as end:
        run("--models", "lyrics", "--start-from", first, out=tmp_path)
    assert end.value.code == 2
    assert "--start-from needs one network as --models, vanilla-rnn or lstm" in capsys.readouterr().err
