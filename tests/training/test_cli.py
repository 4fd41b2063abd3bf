"""The training command: what it writes, what it refuses, and what an interruption leaves."""

import json
import re
import shlex
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from lyricgen import (
    ARTISTS,
    Song,
    SongIndex,
    encode_corpus,
    load_checkpoint,
    load_model,
    load_ngrams,
    measure_originality,
    open_corpus,
    open_space,
    read_songs,
)
from lyricgen.analysis.ngram_classifier import Calibration
from lyricgen.models.checkpoints import load_training_checkpoint
from lyricgen.training import cli as train
from lyricgen.training.config import QUICK, TrainConfig
from lyricgen.training.memory import EXPONENTS
from lyricgen.training.networks import _continuation, has_line_breaks, measure
from lyricgen.training.songs import prepare_songs, read_config_songs
from lyricgen.words.word2vec import song_words

ROOT = Path(__file__).parents[2]
TINY = [
    "--hidden-size", "8", "--batch-size", "3", "--length", "32", "--threads", "1", "--warmup-steps", "2",
    "--accelerator", "cpu", "--no-progress", "--dimensions", "8", "--word-epochs", "2", "--min-songs", "1",
    "--samples", "2",
]  # fmt: skip
EPOCH = 27  # steps, of 13 songs
METRICS = {
    "val_bpc", "clean_bpc", "clean_no_headings_bpc", "held_out_bpc", "held_out_songs", "cleaning", "val_songs", "clean_songs", "train_songs", "train_characters", "line_breaks", "data_sha256",
    "copied", "copied_words", "memory", "temperature", "seed", "epochs", "steps", "weights_step", "characters_seen", "seconds", "precision", "hardware", "options", "versions",
}  # fmt: skip
pytestmark = [
    pytest.mark.usefixtures("short_lyrics", "no_picture"),
    pytest.mark.filterwarnings("ignore:.*(LeafSpec|number of training batches|isinstance.treespec)"),
]


def run(*arguments, out):
    return train.main([*TINY, "--out", str(out), *map(str, arguments)])


def checkpoints(out, name, kind):
    return sorted((out / "checkpoints" / name).glob(f"{kind}-*.ckpt"), key=lambda path: path.stat().st_mtime)


@pytest.fixture(scope="module")
def all_models(tmp_path_factory):
    """The folder in which all models were trained on the small songs, the networks for two epochs."""
    out = tmp_path_factory.mktemp("models")
    assert run("--data", ROOT / "tests/data", "--epochs", 2, "--samples", 22, out=out) == 0
    return out


@pytest.mark.parametrize("name", ["vanilla-rnn", "lstm"])
def test_both_model_folders_are_written_with_figures_and_learning_curve(name, all_models):
    folder = all_models / name
    assert sorted(path.name for path in folder.iterdir()) == [
        "config.json",
        "history.csv",
        "learning-curve.png",
        "memory.json",
        "metrics.json",
        "model.safetensors",
        "samples.jsonl",
    ]
    assert (folder / "learning-curve.png").read_bytes().startswith(b"\x89PNG")
    checkpoint = load_checkpoint(folder)
    assert list(checkpoint.model.artists) == ARTISTS and checkpoint.model.hidden_size == 8
    metrics = checkpoint.metrics
    assert set(metrics) == METRICS
    assert (metrics["train_songs"], metrics["val_songs"], metrics["clean_songs"]) == (13, 5, 4)
    assert metrics["held_out_songs"] == 1 and metrics["cleaning"]["read"] == 14 and metrics["cleaning"]["train"] == 13
    assert metrics["clean_no_headings_bpc"] == metrics["clean_bpc"]  # none of the small songs has headings
    assert metrics["held_out_bpc"] > 3
    assert (metrics["memory"]["songs"], metrics["memory"]["read_by_network"]) == (1, False)
    assert metrics["memory"]["bpc"]["alone"] == pytest.approx(metrics["held_out_bpc"], abs=1e-3)
    assert metrics["memory"]["bpc"]["with_memory"] <= metrics["memory"]["bpc"]["alone"] + 0.01
    assert checkpoint.model.memory.exponent in EXPONENTS
    assert metrics["copied"]["samples"] == 22 and 0 < metrics["copied"]["longest_run"] < 50
    assert metrics["copied_words"]["samples"] == 22 and set(metrics["copied_words"]["temperatures"]) == {
        "0.5",
        "0.7",
        "1",
    }
    assert metrics["line_breaks"] is False and metrics["epochs"] == 2 and metrics["seed"] == 777
    assert set(metrics["data_sha256"]) == {"songdata_train.csv", "songdata_val.csv"}
    assert [row["epoch"] for row in checkpoint.history if row["val_bpc"] and row["held_out_bpc"]] == [1.0, 2.0]
    assert checkpoint.history[-1]["step"] == metrics["steps"]
    assert all(row["recurrent_rms"] > 0 for row in checkpoint.history if row["train_bpc"])
    assert [row["step"] for row in checkpoint.samples][::3] == [1, 10, 20, 50, metrics["steps"]]
    stages = all_models / "checkpoints" / name / "stages"
    assert [path.name for path in sorted(stages.iterdir())] == [
        f"step-{step:06d}.safetensors" for step in (1, 10, 20, 50, metrics["steps"])
    ]


def test_the_summary_has_a_row_for_each_artifact_with_figures_seconds_and_size(
    all_models, songs_folder, tmp_path, capsys
):
    assert run("--data", songs_folder, "--models", "originality", "vanilla-rnn", "--max-steps", 2, out=tmp_path) == 0
    checkpoint = load_checkpoint(tmp_path / "vanilla-rnn")  # ended within an epoch, so without a validation
    last = checkpoint.history[-1]
    assert (last["step"], last["val_bpc"], last["held_out_bpc"]) == (
        2,
        checkpoint.metrics["val_bpc"],
        checkpoint.metrics["held_out_bpc"],
    )
    header, index, network = capsys.readouterr().out.splitlines()[-3:]
    assert header.split() == ["artifact", "figures", "seconds", "size"]
    assert re.fullmatch(r"originality  +\d+ n-grams of 14 songs  +[\d.]+  +0.3 MB", index)
    figures = load_checkpoint(tmp_path / "vanilla-rnn").metrics
    assert re.match(rf"vanilla-rnn  +val_bpc {figures['val_bpc']:.3f}, clean_bpc .* +[\d.]+  +\d\.\d MB", network)


def test_max_songs_limits_the_songs_of_each_file(tmp_path, songs_folder, capsys):
    flags = ("--data", songs_folder, "--models", "originality", "vanilla-rnn", "--max-songs", 3, "--max-steps", 1)
    assert run(*flags, out=tmp_path) == 0
    metrics = load_checkpoint(tmp_path / "vanilla-rnn").metrics
    assert (metrics["cleaning"]["read"], metrics["val_songs"]) == (3, 3)
    assert len(SongIndex.load(tmp_path / "originality")) == 3


def test_the_songs_of_a_part_are_spread_over_a_file_sorted_by_artist(tmp_path):
    rows = "".join(
        f"{artist},{artist.lower()} sings line {line}\n" for artist in ("Ann", "Bob", "Cy") for line in range(4)
    )
    (tmp_path / "songs.csv").write_text(f"Artist,Lyric\n{rows}", encoding="utf-8")
    read = list(read_config_songs(tmp_path / "songs.csv", TrainConfig(max_songs=3)))
    assert [song.lyric for song in read] == ["ann sings line 0", "bob sings line 0", "cy sings line 0"]
    assert len(list(read_config_songs(tmp_path / "songs.csv", TrainConfig(max_songs=99)))) == 12


def test_quick_fine_tunes_at_the_rate_of_a_whole_training():
    quick = train.parse_config(["--quick", "--models", "lstm", "--start-from", "lstm"])
    assert quick.learning_rate is None and quick.max_steps == QUICK["max_steps"]


def test_artifacts_are_trained_in_the_order_in_which_they_need_each_other():
    config = train.parse_config(["--models", "membership", "memory", "lstm", "originality"])
    assert config.models == ("originality", "lstm", "membership", "memory")


def test_quick_replaces_defaults_but_not_flags():
    quick = train.parse_config(["--quick", "--length", "16"])
    assert quick == TrainConfig(**{**QUICK, "length": 16})
    assert quick.hidden_size < TrainConfig().hidden_size and train.parse_config([]) == TrainConfig()


@pytest.mark.parametrize("name", ["vanilla-rnn", "lstm"])
def test_the_model_is_that_of_the_last_step_with_its_logits_divided_by_the_temperature(name, all_models, tmp_path):
    checkpoint = load_checkpoint(all_models / name)
    validations = [row["val_bpc"] for row in checkpoint.history if row["val_bpc"]]
    assert validations[1] < validations[0] < 7
    temperature = checkpoint.metrics["temperature"]
    *_, last = sorted((all_models / "checkpoints" / name / "stages").iterdir())
    weights = load_file(last)
    for key, value in checkpoint.model.state_dict().items():
        if key.startswith("ffnn."):
            assert torch.allclose(value * temperature, weights[key].float(), rtol=2e-3, atol=1e-6)
        else:
            assert torch.equal(value, weights[key].float())
    checkpoint.model.load_state_dict(weights)
    songs = prepare_songs(train.parse_config([*TINY, "--data", str(ROOT / "tests/data"), "--out", str(tmp_path)]))
    assert measure(checkpoint.model, songs)["val_bpc"] == pytest.approx(validations[-1], abs=0.02)  # bfloat16


def test_word_vectors_are_written_as_a_space_with_their_facts(all_models):
    folder = all_models / "lyrics"
    assert sorted(path.name for path in folder.iterdir()) == ["meta.json", "vectors.npy", "words.txt"]
    space = open_space(folder)
    assert space.name == "lyrics" and space.vector_size == 8
    assert space.source == "Word2Vec (skip-gram, negative sampling), trained on 14 songs"
    assert np.load(folder / "vectors.npy").dtype == np.float16
    assert "café" in space  # the encoded corpus has no é
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    lyrics = [song.lyric for song in read_songs(ROOT / "tests/data/songdata_train.csv")]
    assert (meta["songs"], meta["words"], meta["seed"]) == (14, len(space), 777)
    assert meta["tokens"] == sum(len(song_words(lyric)) for lyric in lyrics)
    assert set(meta["data_sha256"]) == {"songdata_train.csv"} and meta["seconds"] >= 0 and meta["hardware"]
    assert set(meta["versions"]) == {"python", "gensim", "numpy"}
    assert meta["options"] == {
        "window": 5, "negative": 10, "sample": 1e-4, "min_songs": 1, "epochs": 2, "learning_rate": 0.025,
    }  # fmt: skip


def test_the_songs_are_indexed_with_titles_and_facts(all_models):
    index = SongIndex.load(all_models / "originality")
    songs = list(read_songs(ROOT / "tests/data/songdata_train.csv"))
    assert index.titles == [(song.title, song.artist) for song in songs]
    looked_up = [measure_originality(song.lyric, index) for song in songs]
    assert sum(found.longest_run == found.words and found.share_copied == 1.0 for found in looked_up) == 13
    assert [found.words for found in looked_up if found.share_copied is None] == [1]  # a lyric of one word
    assert set(index.metrics["data_sha256"]) == {"songdata_train.csv"} and index.metrics["hardware"]
    assert index.metrics["seconds"] > 0 and index.metrics["false_positives"]["found"] == 0


def test_an_index_alone_needs_no_validation_songs_and_encodes_nothing(tmp_path, capsys):
    (tmp_path / "one.txt").write_text("only one song, sung once")
    assert run("--data", tmp_path / "one.txt", "--models", "originality", out=tmp_path / "out") == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["originality"]
    assert capsys.readouterr().out.startswith("originality: 1 n-grams of 1 songs; written to ")
    (tmp_path / "one.txt").write_text("too few words")
    said = refusal(capsys, "--data", tmp_path / "one.txt", "--models", "originality", out=tmp_path / "two")
    assert "no song has 5 words in a row" in said and not (tmp_path / "two").exists()


def test_songs_of_few_words_train_a_network_and_leave_copied_words_unmeasured(tmp_path):
    (tmp_path / "few.csv").write_text("Lyric\n" + "la la la\n" * 6)
    assert run("--data", tmp_path / "few.csv", "--models", "lstm", "--max-steps", 1, out=tmp_path / "out") == 0
    assert load_checkpoint(tmp_path / "out/lstm").metrics["copied_words"] is None


def test_attribution_is_written_with_its_provenance(all_models, songs_folder):
    classifier = load_ngrams(all_models / "attribution")
    assert list(classifier.artists) == ARTISTS and sum(classifier.songs) == classifier.metrics["train_songs"]
    assert classifier.calibration != Calibration()
    for figures in (classifier.metrics["held_out"], classifier.metrics["names_kept"]):
        assert {"songs", "accuracy", "log_loss", "calibration_error"} == set(figures)
    assert {"drake", "beyoncé", "beyonce", "swift"} < set(classifier.masked_names)
    losses = classifier.metrics["log_loss_by_cost"]
    assert losses[f"{classifier.metrics['cost']:g}"] == min(losses.values())
    assert {"data_sha256", "seed", "seconds", "hardware", "versions"} < set(classifier.metrics)


def test_songs_of_one_artist_have_nothing_to_tell_apart(tmp_path, songs_folder, capsys):
    (tmp_path / "own.csv").write_text("Lyric\nla la la\noh oh oh\nla oh la\n", encoding="utf-8")
    flags = ("--data", tmp_path / "own.csv", "--val-share", 0.4, "--epochs", 1)
    assert "not of two artists or more" in refusal(capsys, *flags, "--models", "attribution", out=tmp_path / "out")
    assert run(*flags, "--models", "vanilla-rnn", "attribution", out=tmp_path / "out") == 0
    assert "attribution: skipped" in capsys.readouterr().out and not (tmp_path / "out/attribution").exists()


def test_songs_of_which_the_models_know_no_character_are_left_out_and_counted(tmp_path, capsys):
    unknown = [
        "\u4f60\u597d \u4e16\u754c",
        "\uff21\uff22\u3000\uff23",
        "\u043f\u0440\u0438\u0432\u0435\u0442\n\u043c\u0438\u0440",
        "\uc0ac\ub791 \ud574",
    ]
    rows = [{"Lyric": lyric} for lyric in unknown]
    known = [{"Lyric": f"la la {number} \u4f60 oh {'na ' * number}"} for number in range(1, 9)]
    (tmp_path / "unknown.json").write_text(json.dumps(rows))
    (tmp_path / "mixed.json").write_text(json.dumps(rows[:3] + known + rows[3:]))
    flags = ("--models", "vanilla-rnn", "--epochs", 1)
    for more in ((), ("--no-clean",)):
        message = refusal(capsys, *flags, *more, "--data", tmp_path / "unknown.json", out=tmp_path / "out")
        assert "unknown.json has no song with a character that the models know" in message
    message = refusal(
        capsys, *flags, "--data", tmp_path / "mixed.json", "--val", tmp_path / "unknown.json", out=tmp_path / "out"
    )
    assert "unknown.json has no song" in message
    assert not (tmp_path / "out/vanilla-rnn").exists()
    assert run(*flags, "--no-clean", "--data", tmp_path / "mixed.json", out=tmp_path / "out") == 0
    printed = capsys.readouterr().out
    assert "mixed.json: 4 songs left out, since the models know none of the characters" in printed
    assert re.search(r"6 songs to train on .*1 to validate with", printed)
    assert re.search(r"\d\.\d\d% of the characters to train on are unknown", printed) and "NaN" not in printed
    for path in (tmp_path / "out").rglob("*.json"):
        assert "NaN" not in path.read_text()


def test_of_few_songs_what_cannot_be_made_is_skipped_and_the_rest_is_trained(tmp_path, capsys):
    lyrics = ["go", "la la", "hey ho", "oh no oh no", "bye bye now", "my my", "so long", "ha ha ha", "yes"]
    (tmp_path / "songs.csv").write_text("Artist,Lyric\n" + "".join(f"{lyric[:1]},{lyric}\n" for lyric in lyrics))
    assert run("--data", tmp_path / "songs.csv", "--epochs", 1, "--min-songs", 10, out=tmp_path / "out") == 0
    printed = capsys.readouterr().out
    for name, reason in {
        "originality": "no song has",
        "lyrics": "no word occurs in 10 songs",
        "membership": "",
    }.items():
        assert f"{name}: skipped, since {reason}" in printed and not (tmp_path / "out" / name).exists()
    for name in ("vanilla-rnn", "lstm"):
        assert load_model(tmp_path / "out" / name).artists
    assert "NaN" not in printed


def test_word_vectors_alone_need_no_validation_songs_and_encode_nothing(tmp_path):
    (tmp_path / "one.txt").write_text("only one song, sung once")
    assert run("--data", tmp_path / "one.txt", "--models", "lyrics", out=tmp_path / "out") == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["lyrics"]
    assert sorted(open_space(tmp_path / "out/lyrics").index_to_key) == ["once", "one", "only", "song", "sung"]


def test_word_vectors_are_of_the_column_or_the_folder_that_is_named(tmp_path):
    (tmp_path / "own.csv").write_text("words\nhéllo there\nhéllo again\n", encoding="utf-8")
    texts = tmp_path / "texts"
    texts.mkdir()
    for number in range(2):
        (texts / f"{number}.txt").write_text(f"line one\nline {number}", encoding="utf-8")
    for data, more, first, files in (
        (tmp_path / "own.csv", ("--lyric-column", "words"), "héllo", {"own.csv"}),
        (texts, (), "line", {"songs"}),
    ):
        assert run("--data", data, *more, "--models", "lyrics", out=tmp_path / "out") == 0
        assert open_space(tmp_path / "out/lyrics").index_to_key[0] == first
        meta = json.loads((tmp_path / "out/lyrics/meta.json").read_text(encoding="utf-8"))
        assert set(meta["data_sha256"]) == files and all(len(value) == 64 for value in meta["data_sha256"].values())


def test_same_seed_same_word_vectors(tmp_path, songs_folder, capfd):
    for out, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert run("--data", songs_folder, "--models", "lyrics", "--seed", seed, out=tmp_path / out) == 0
    first, same, other = ((tmp_path / out / "lyrics/vectors.npy").read_bytes() for out in "abc")
    assert first == same != other
    assert capfd.readouterr().err == ""


def test_the_two_newest_checkpoints_are_kept_with_the_bits_per_character_in_their_names(tmp_path, songs_folder):
    assert run("--data", songs_folder, "--models", "lstm", "--epochs", 1, "--checkpoint-every", 4, out=tmp_path) == 0
    older, newer = checkpoints(tmp_path, "lstm", "last")
    assert "step=24" in older.name and "step=27" in newer.name  # the last step too, see the next test
    assert float(newer.stem.split("train_bpc=")[1]) > 3


def test_a_network_that_was_trained_and_not_written_is_not_lost(tmp_path, songs_folder, capsys, monkeypatch):
    """Ctrl-C while a network was measured lost up to 199 steps, and all of a short training."""

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    flags = ("--data", songs_folder, "--models", "lstm", "--epochs", 1)
    monkeypatch.setattr("lyricgen.training.networks.measure", interrupt)
    assert run(*flags, "--samples", 3, out=tmp_path / "my models") == 130
    monkeypatch.undo()
    [message] = capsys.readouterr().err.splitlines()
    program, _, command = message.removeprefix("train.py: interrupted; continue with: ").partition(" ")
    assert (program, "step=27" in command) == ("lyricgen", True)
    assert train.main([*shlex.split(command)[1:]]) == 0  # as it was printed
    assert load_checkpoint(tmp_path / "my models/lstm").metrics["steps"] == 27


def test_what_is_left_to_train_is_named(tmp_path):
    (tmp_path / "last.ckpt").touch()
    config = TrainConfig(models=("membership", "lstm", "lyrics"), data="my songs", progress=False)
    assert _continuation("lstm", tmp_path / "last.ckpt", config) == (
        f"continue with: lyricgen train --models lstm --resume {tmp_path}/last.ckpt --data 'my songs' --no-progress; "
        "then train the others: --models membership"
    )


def test_same_seed_same_model(tmp_path, songs_folder):
    for out, seed in (("a", 1), ("b", 1), ("c", 2)):
        flags = ("--data", songs_folder, "--models", "vanilla-rnn", "--max-steps", 4, "--seed", seed)
        assert run(*flags, out=tmp_path / out) == 0
    first, same, other = (load_model(tmp_path / out / "vanilla-rnn").ffnn.weight for out in "abc")
    assert torch.equal(first, same) and not torch.equal(first, other)


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "muon"])
def test_a_training_goes_on_from_its_checkpoint_to_the_end(optimizer, tmp_path, songs_folder):
    flags = ("--data", songs_folder, "--models", "lstm", "--optimizer", optimizer, "--checkpoint-every", 5)
    assert run(*flags, "--epochs", 2, "--max-steps", 30, out=tmp_path) == 0
    _, last = checkpoints(tmp_path, "lstm", "last")
    assert "step=30" in last.name
    assert run(*flags, "--epochs", 2, "--resume", last, out=tmp_path) == 0
    checkpoint = load_checkpoint(tmp_path / "lstm")
    steps = [row["step"] for row in checkpoint.history]
    assert steps == sorted(set(steps)) and steps[0] == 20 and 40 in steps and checkpoint.metrics["steps"] == 2 * EPOCH
    assert checkpoint.metrics["characters_seen"] > 4000 and checkpoint.history[-1]["epoch"] == 2.0


def test_another_weight_decay_counts_from_the_resume_on(tmp_path, songs_folder):
    flags = ("--data", songs_folder, "--models", "vanilla-rnn", "--checkpoint-every", 5)
    assert run(*flags, "--max-steps", 5, out=tmp_path) == 0
    [last] = checkpoints(tmp_path, "vanilla-rnn", "last")
    weights = []
    for decay in (0.05, 9.0):
        more = ("--max-steps", 10, "--weight-decay", decay, "--resume", last)
        assert run(*flags, *more, out=tmp_path / "again") == 0
        weights.append(load_model(tmp_path / "again/vanilla-rnn").rnn.weight_hh_l0)
    assert weights[1].norm() < 0.99 * weights[0].norm()


def test_own_songs_named_as_the_courses_keep_their_artists(tmp_path):
    rows = "".join(f"{artist},la la {number} and a little more\n" for number in range(6) for artist in ("Ann", "Bob"))
    for name in ("songdata_train.csv", "songdata_val.csv"):
        (tmp_path / name).write_text(f"Artist,Lyric\n{rows}")
    assert run("--data", tmp_path, "--models", "lstm", "--max-steps", 2, out=tmp_path / "out") == 0
    assert load_model(tmp_path / "out/lstm").artists == ("Ann", "Bob")


def test_the_training_songs_stand_first_in_the_provenance(tmp_path):
    songs = [tmp_path / folder / "songs.csv" for folder in ("a", "b")]
    for number, path in enumerate(songs):
        path.parent.mkdir()
        path.write_text("Lyric\n" + f"la la la and {number} more\n" * 6)
    for data, expected in (
        (songs[0], ["songs.csv", "songs.csv (validation)"]),
        (tmp_path / "a", ["encoded", "songs.csv"]),
    ):
        assert run("--data", data, "--val", songs[1], "--models", "lstm", "--max-steps", 2, out=tmp_path / "out") == 0
        assert list(load_checkpoint(tmp_path / "out/lstm").metrics["data_sha256"]) == expected


def test_a_checkpoint_knows_whether_its_songs_had_line_breaks(tmp_path):
    book = tmp_path / "book.txt"
    book.write_text("one song\nof two lines\n\n\nanother\nsong\n\n\nand a\nthird")
    assert run("--data", book, "--models", "lstm", "--max-steps", 2, "--checkpoint-every", 2, out=tmp_path) == 0
    [last] = checkpoints(tmp_path, "lstm", "last")
    assert load_model(last).line_breaks and load_model(tmp_path / "lstm").line_breaks


def test_a_finished_training_that_was_moved_goes_on_and_says_that_nothing_is_left(tmp_path, songs_folder, capsys):
    flags = ("--data", songs_folder, "--models", "vanilla-rnn", "--checkpoint-every", EPOCH)
    assert run(*flags, "--epochs", 2, out=tmp_path / "first") == 0
    last = checkpoints(tmp_path / "first", "vanilla-rnn", "last")[-1].rename(tmp_path / "moved.ckpt")
    shutil.rmtree(tmp_path / "first/checkpoints")
    for more in ((), ("--patience", 3)):
        capsys.readouterr()
        assert run(*flags, "--epochs", 2, *more, "--resume", last, out=tmp_path / "again") == 0
        assert "nothing was left to train" in capsys.readouterr().out
        first, again = (load_file(tmp_path / out / "vanilla-rnn/model.safetensors") for out in ("first", "again"))
        assert all(torch.equal(first[name], again[name]) for name in first)
    message = refusal(capsys, *flags, "--epochs", 1, "--resume", last, out=tmp_path / "again")
    assert "was trained for 2 epochs; --epochs must be at least that, got 1" in message


def test_a_training_that_ends_before_a_validation_writes_what_it_has(tmp_path, songs_folder):
    assert run("--data", songs_folder, "--models", "lstm", "--max-steps", 3, out=tmp_path) == 0
    checkpoint = load_checkpoint(tmp_path / "lstm")
    assert checkpoint.metrics["steps"] == 3 and checkpoint.metrics["val_bpc"] > 3


def test_own_songs_in_any_form_train(tmp_path):
    texts = tmp_path / "texts"
    for artist in ("Ann", "Bob"):
        (texts / artist).mkdir(parents=True)
        for number in range(3):
            (texts / artist / f"{number}.txt").write_text(f"a song by {artist}\nnumber {number}\n")
    table = tmp_path / "own.csv"
    table.write_text("words\n" + "la la la and a little more\n" * 6)
    book = tmp_path / "book.txt"
    book.write_text("one song\nof two lines\n\n\nanother\nsong\n\n\nand a\nthird")
    for data, more, artists, line_breaks in (
        (texts, (), ("Ann", "Bob"), True),
        (table, ("--lyric-column", "words", "--artist-column", ""), (), False),
        (book, (), (), True),
        (book, ("--val", book), (), True),
    ):
        assert run("--data", data, *more, "--models", "lstm", "--max-steps", 2, out=tmp_path / "out") == 0
        checkpoint = load_checkpoint(tmp_path / "out/lstm")
        assert checkpoint.model.artists == artists and checkpoint.metrics["line_breaks"] is line_breaks
        assert checkpoint.metrics["val_songs"] >= 1 and checkpoint.metrics["data_sha256"]


def test_line_breaks_are_looked_for_in_the_training_songs_only(tmp_path):
    corpus = encode_corpus([Song("one line"), Song("two\nlines"), Song("three  lines")], tmp_path / "corpus")
    assert has_line_breaks(corpus)
    assert has_line_breaks(corpus.subset([1])) and not has_line_breaks(corpus.subset([0, 2]))
    assert not has_line_breaks(corpus.subset([1] + [0] * 20))  # seven of the course's songs have a line break


def test_help_tells_of_every_flag(capsys):
    with pytest.raises(SystemExit) as end:
        train.main(["--help"])
    text = capsys.readouterr().out
    assert end.value.code == 0
    for action in train.build_parser()._actions:
        assert action.help and all(flag in text for flag in action.option_strings)


BAD_FLAGS = [
    ("--epochs", "0"), ("--epochs", "many"), ("--hidden-size", "-3"), ("--layers", "0"), ("--batch-size", "0"),
    ("--length", "0"), ("--dropout", "1"), ("--dropout", "nan"), ("--artist-dropout", "-0.1"), ("--val-share", "1.5"),
    ("--learning-rate", "0"), ("--learning-rate", "nan"), ("--weight-decay", "-1"), ("--warmup-steps", "-1"),
    ("--gradient-clip", "-1"), ("--max-steps", "0"), ("--max-steps", "-5"), ("--checkpoint-every", "0"),
    ("--threads", "0"), ("--seed", "-1"), ("--seed", "4294967296"), ("--models", "transformer"), ("--optimizer", "sgd"),
    ("--precision", "int8"), ("--resume", "none.ckpt"), ("--colour", "red"), ("--dimensions", "0"), ("--window", "0"),
    ("--negative", "0"), ("--word-epochs", "0"), ("--min-songs", "-1"), ("--min-songs", "few"),
    ("--max-songs", "1"), ("--patience", "-1"), ("--devices", "0"), ("--devices", "3"), ("--num-nodes", "0"),
    ("--strategy", "fsdp"), ("--held-out", "1"), ("--held-out", "-0.1"), ("--validate-every", "0"),
]  # fmt: skip


@pytest.mark.parametrize(("flag", "value"), BAD_FLAGS)
def test_a_bad_flag_ends_with_code_2_and_one_sentence_that_names_it(flag, value, tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        train.main([flag, value, "--out", str(tmp_path / "out")])
    message = capsys.readouterr().err.splitlines()[-1]
    assert end.value.code == 2 and flag in message and "error:" in message
    assert not (tmp_path / "out").exists()


def refusal(capsys, *arguments, out) -> str:
    """The one sentence with which the command ends."""
    assert run(*arguments, out=out) == 2
    [message] = capsys.readouterr().err.splitlines()
    assert message.startswith("train.py: ")
    return message


def test_songs_that_cannot_be_read_end_with_code_2_and_one_sentence(tmp_path, capsys):
    assert "no file or folder" in refusal(capsys, "--data", tmp_path / "none", out=tmp_path / "out")
    (tmp_path / "empty").mkdir()
    assert "holds no .txt file" in refusal(capsys, "--data", tmp_path / "empty", out=tmp_path / "out")
    assert "no file or folder 'xxx" in refusal(capsys, "--data", "x" * 5_000, out=tmp_path / "out")
    (tmp_path / "bad.csv").write_text("Artist,Title\nAnn,tune\n")
    assert "no column 'Lyric'" in refusal(capsys, "--data", tmp_path / "bad.csv", out=tmp_path / "out")
    (tmp_path / "one.txt").write_text("only one song")
    assert "name a validation file too" in refusal(capsys, "--data", tmp_path / "one.txt", out=tmp_path / "out")


def test_too_few_songs_for_word_vectors_end_with_code_2_and_one_sentence(tmp_path, songs_folder, capsys):
    flags = ("--data", songs_folder, "--models", "lyrics", "--min-songs", 15)
    assert "no word occurs in 15 songs" in refusal(capsys, *flags, out=tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("model", ["lyrics", "lstm"])
def test_an_out_that_is_a_file_ends_with_code_2_and_one_sentence(model, tmp_path, songs_folder, capsys):
    (tmp_path / "out").write_text("a file")
    assert "check --out" in refusal(capsys, "--data", songs_folder, "--models", model, out=tmp_path / "out")


def test_an_os_error_without_a_file_is_described_without_none(tmp_path, songs_folder, capsys, monkeypatch):
    def full_disk(*_, **__):
        raise OSError("20 requested and 0 written")

    monkeypatch.setattr(SongIndex, "save", full_disk)
    message = refusal(capsys, "--data", songs_folder, "--models", "originality", out=tmp_path / "out")
    assert message == "train.py: 20 requested and 0 written; check --out and the disk it is on"


def test_a_checkpoint_that_does_not_fit_is_refused(all_models, songs_folder, tmp_path, capsys):
    assert run("--data", songs_folder, "--models", "lstm", "--max-steps", 2, "--checkpoint-every", 2, out=tmp_path) == 0
    [last] = checkpoints(tmp_path, "lstm", "last")
    (tmp_path / "bad.ckpt").write_bytes(last.read_bytes()[:500])
    for flags, expected in (
        (("--models", "lstm", "--resume", tmp_path / "bad.ckpt"), "'bad.ckpt' is no checkpoint of train.py"),
        (("--models", "vanilla-rnn", "--resume", last), "holds a ImprovedSeqModel of 2 x 8 units and 21 artists"),
        (("--models", "lstm", "--hidden-size", 9, "--resume", last), "name that model, its songs and its flags"),
        (("--models", "lstm", "--optimizer", "adam", "--resume", last), "by muon"),
        (
            ("--models", "lstm", "--length", 16, "--resume", last),
            "is of a training with another --length; use the flags",
        ),
        (("--models", "lstm", "--no-clean", "--held-out", 0, "--resume", last), "of a training with another --data"),
    ):
        assert expected in refusal(capsys, "--data", songs_folder, *flags, out=tmp_path / "out")
    for models in ((), ("--models", "originality"), ("--models", "lyrics"), ("--models", "lyrics", "lstm")):
        with pytest.raises(SystemExit) as end:
            run("--data", songs_folder, *models, "--resume", last, out=tmp_path / "out")
        assert end.value.code == 2
        assert "--resume needs one network as --models, vanilla-rnn or lstm" in capsys.readouterr().err


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_training_keeps_a_checkpoint_writes_no_model_and_goes_on(
    sent, listening, tmp_path, songs_folder
):
    shell, out = listening[1], tmp_path / "out"
    flags = ["--data", songs_folder, "--models", "lstm", "--checkpoint-every", 5]
    shell.begin(*TINY, *flags, "--out", out, "--epochs", 100_000, module="lyricgen.training.cli")
    code, _, errors = shell.end_by(sent, once=lambda: checkpoints(out, "lstm", "last"))
    assert code == 130, errors
    [message] = [line for line in errors.splitlines() if line.startswith("train.py: interrupted; continue with: ")]
    assert "Traceback" not in errors
    *_, last = checkpoints(out, "lstm", "last")
    assert f"--resume {last}" in message
    assert load_training_checkpoint(last).hidden_size == 8
    assert not (out / "lstm").exists()
    assert [path.name for path in out.iterdir() if "partial" in path.name] == []

    done = torch.load(last, weights_only=True)["global_step"]
    assert run(*flags, "--epochs", 100_000, "--max-steps", done + 3, "--resume", last, out=out) == 0
    assert load_checkpoint(out / "lstm").metrics["steps"] == done + 3


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_fit_of_word_vectors_ends_with_130_and_writes_nothing(sent, listening, tmp_path, songs_folder):
    shell, out = listening[1], tmp_path / "out"
    flags = ["--data", songs_folder, "--models", "lyrics", "--word-epochs", 1_000_000, "--out", out]
    shell.begin(*TINY, *flags, module="lyricgen.training.cli")

    def fitting() -> bool:
        begins = "Word2Vec" in shell.written()
        time.sleep(0.3)  # the signal is to come in the middle of the fit
        return begins

    done = shell.end_by(sent, once=fitting)
    assert (done.code, done.err) == (130, "train.py: interrupted; lyrics was not written\n")
    lines = done.out.splitlines()
    assert lines[0].startswith("lyrics: 14 songs read: 0 notices")
    assert lines[1].startswith("lyrics: Word2Vec, 1,000,000 epochs of 14 songs on ")
    assert not list(out.glob("*"))


def test_sigterm_does_again_what_it_did_once_the_word_vectors_are_fitted(tmp_path, songs_folder):
    before = signal.getsignal(signal.SIGTERM)
    assert run("--data", songs_folder, "--models", "lyrics", out=tmp_path) == 0
    assert signal.getsignal(signal.SIGTERM) == before


def test_no_progress_shows_no_bar(all_models, songs_folder, tmp_path, capfd):
    flags = ("--data", songs_folder, "--models", "lstm", "--max-steps", 2)
    assert run(*flags, out=tmp_path) == 0
    quiet = capfd.readouterr()
    assert "Epoch" not in quiet.out + quiet.err and quiet.err == ""
    assert (
        train.main([*(flag for flag in TINY if flag != "--no-progress"), "--out", str(tmp_path), *map(str, flags)]) == 0
    )
    loud = capfd.readouterr()
    for part in ("Epoch 0", "train_bpc=", "characters/s=", "left=0:00:"):
        assert part in loud.out + loud.err


def test_the_songs_that_were_encoded_are_those_of_the_files(all_models, songs_folder):
    songs = list(read_songs(songs_folder / "songdata_train.csv"))
    corpus = open_corpus(all_models / "corpus/train")
    assert len(corpus) == len(songs) and corpus.characters == sum(len(song.lyric) for song in songs)


def test_metrics_are_plain_json(all_models):
    metrics = json.loads((all_models / "lstm/metrics.json").read_text(encoding="utf-8"))
    assert isinstance(metrics["val_bpc"], float) and isinstance(metrics["steps"], int)
