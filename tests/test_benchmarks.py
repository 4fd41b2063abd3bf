"""Each benchmark at its smallest: it runs, and says a ratio in its table and the same as numbers in its JSON."""

import json
import os
import shutil
from contextlib import nullcontext
from dataclasses import replace
from importlib import import_module
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import httpx
import numpy as np
import pytest
import torch

import benchmarks.__main__ as command
from benchmarks import (
    ablation,
    attribution,
    baselines,
    chorus,
    gpu,
    growth,
    originality,
    quality,
    startup,
    style,
    users,
)
from benchmarks.baselines import NgramModel
from benchmarks.running_app import running_app
from benchmarks.soak import call
from benchmarks.songs import make_songs, make_text, write_csv
from benchmarks.summary import summary
from benchmarks.tables import read_rows
from lyricgen.analysis.ngram_classifier import load_ngrams
from lyricgen.memorization.song_index import SongIndex
from lyricgen.models.vocabulary import NUM_CLASSES, OOV_LABEL, encode, string_to_labels
from lyricgen.songs.corpus import encode_corpus
from lyricgen.songs.reading import ARTISTS, Song
from lyricgen.storage import ASSETS
from lyricgen.training.copying import as_corpus

ROOT = Path(__file__).parent.parent
SMALLEST = {
    "generation": "--length 6 --long 10 --batches 1 2 --repeats 1 --models vanilla-rnn",
    "insight": "--length 40 --repeats 1 --models vanilla-rnn",
    "prefix": "--lengths 4 80 --repeats 1 --models vanilla-rnn",
    "training": "--songs 8 --hidden-size 4 --batch-size 2 --threads 1 --steps 2 --warmup-steps 1 --notebook-seconds 0",
    "gpu": "--device cpu --batches 1 2 --length 6 --songs 8 --steps 2 --hidden-size 4 --batch-size 2 --repeats 1",
    "growth": "--lengths 4 8 --users 1 2 --length 4 --megabytes --words 100 200 --repeats 1 --model vanilla-rnn",
}


@pytest.mark.parametrize("name", SMALLEST)
def test_a_benchmark_prints_ratios_and_writes_them_as_numbers(name, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("benchmarks.training.SMALL_STEPS", 8)
    file = tmp_path / "figures.json"
    assert import_module(f"benchmarks.{name}").main([*SMALLEST[name].split(), "--json", str(file)]) == 0
    printed = capsys.readouterr().out
    lines = [line for line in printed.splitlines() if line.startswith("| ")]
    written = json.loads(file.read_text(encoding="utf-8"))
    assert len(lines) == 2 + len(written["rows"])
    assert all(line.count("|") == lines[0].count("|") and " x" in line for line in lines[2:])
    assert "thread" in printed and f"`python -m benchmarks.{name}`" in printed
    ratios = [value for row in written["rows"] for key, value in row.items() if "ratio" in key]
    assert ratios and all(isinstance(value, float) and value > 0 for value in ratios)
    assert written["benchmark"] == name and "thread" in written["hardware"]


def test_without_a_gpu_its_benchmark_says_so(capsys, monkeypatch):
    monkeypatch.setattr(gpu, "best_device", lambda: torch.device("cpu"))
    assert gpu.main([]) == 2
    assert capsys.readouterr().err == "no GPU works here; --device cpu measures the same on the CPU\n"


def test_a_mixed_load_calls_every_kind_in_its_share(app_url, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(users, "running_app", lambda: nullcontext(SimpleNamespace(url=app_url)))
    called = []

    def counted(load, count, seconds):
        called.append([name for name, _ in load.calls])
        load.outcomes.update(call(client, name, values) for name, values in dict(load.calls).items())
        load.answers.append((0.0, 0.5))
        load.config_seconds.append(0.1)
        return load

    monkeypatch.setattr(users.Load, "run", counted)
    file = tmp_path / "figures.json"
    with httpx.Client(base_url=app_url, timeout=60, trust_env=False) as client:
        assert users.main(["--mix", "--users", "3", "--json", str(file)]) == 0
    assert called[0] == called[1]
    shares = {name: called[0].count(name) / len(called[0]) for name in called[0]}
    assert shares["generate"] == 0.45 and len(shares) == 9
    assert shares["analogy"] + shares["distance"] + shares["neighbors"] == pytest.approx(0.35)
    assert "| 3 | 0.0 | 0.50 | 0.50 | 0 | 0 | 100 |" in capsys.readouterr().out
    assert json.loads(file.read_text(encoding="utf-8"))["rows"][0]["p95_seconds"] == 0.5


def test_each_change_of_the_recipe_is_trained_for_as_many_steps(tmp_path, capsys):
    file = tmp_path / "figures.json"
    changes = ["songs as they are", "AdamW, rate 0.004"]
    flags = f"--data {ROOT / 'tests/data'} --share 1 --hidden-size 8 --epochs 20 --json {file} --changes".split()
    assert ablation.main([*flags, *changes]) == 0
    rows = json.loads(file.read_text(encoding="utf-8"))["rows"]
    assert [row["change"] for row in rows] == ["the recipe", *changes]
    assert len({row["steps"] for row in rows}) == 1 and len({row["held_out_bpc"] for row in rows}) == 3
    assert f"{rows[1]['held_out_bpc'] - rows[0]['held_out_bpc']:+.3f}" in capsys.readouterr().out


def test_copied_words_are_measured_of_each_model_and_temperature_beside_the_speed_of_the_index(tmp_path, capsys):
    file = tmp_path / "figures.json"
    flags = ["--data", ROOT / "tests/data", "--samples", 2, "--models", "vanilla-rnn", "--repeats", 1, "--json", file]
    assert originality.main([str(flag) for flag in flags]) == 0
    *rows, speed = json.loads(file.read_text(encoding="utf-8"))["rows"]
    assert [(row["model"], row["temperature"]) for row in rows] == [("vanilla-rnn", t) for t in (0.5, 0.7, 1.0)]
    assert all(ratio > 0 for key, ratio in speed.items() if "ratio" in key) and speed["word_seconds"] > 0
    printed = capsys.readouterr().out
    assert printed.count("| `vanilla-rnn` |") == 3 and "x the time of a dictionary" in printed


def test_copied_words_follow_copied_characters_in_the_metrics():
    metrics = {"val_bpc": 1, "copied": {}, "seed": 7}
    assert list(originality.with_copied_words(metrics, {"samples": 2})) == ["val_bpc", "copied", "copied_words", "seed"]
    again = originality.with_copied_words({**metrics, "copied_words": None}, {"samples": 2})
    assert again["copied_words"] == {"samples": 2} and len(again) == 4


def test_encoding_is_timed_and_its_memory_taken(tmp_path):
    write_csv(tmp_path / "songs.csv", make_songs(5))
    grown, taken = growth.encode_in_process(tmp_path / "songs.csv", 1)  # main calls it in a process of its own
    trained, _ = growth.train_in_process(tmp_path / "corpus")
    assert trained is None or 0 <= trained < 200e6
    assert taken > 0
    assert grown is None or grown >= 0


@pytest.mark.parametrize(("module", "flags"), [(users, "--users 0x"), (startup, "--repeats many")])
def test_a_flag_that_cannot_be_is_refused_before_the_app_starts(module, flags, capsys):
    with pytest.raises(SystemExit, match="2"):
        module.main(flags.split())
    assert flags.split()[0] in capsys.readouterr().err


def test_attribution_is_measured_beside_the_baseline_and_put_into_metrics(tmp_path, songs_folder, capsys, monkeypatch):
    monkeypatch.setattr(attribution, "TIMED_LENGTHS", (5,))
    folder, file = tmp_path / "attribution", tmp_path / "figures.json"
    shutil.copytree(ASSETS / "attribution", folder)
    flags = f"--data {songs_folder} --characters 30 --models vanilla-rnn --sample 3 --repeats 1 --ngrams {folder} --json {file}"
    for _ in range(2):  # what was read is kept
        assert attribution.main([*flags.split(), "--write-metrics", "--read", str(tmp_path / "read")]) == 0
    printed = capsys.readouterr().out
    validation = load_ngrams(folder).metrics["validation"]
    fitted = {"n-grams", attribution.NAMES_KEPT, attribution.BASELINE, attribution.MASKED_BASELINE}
    assert validation["baseline"] == attribution.MASKED_BASELINE
    methods = {f"{name}, {how}" for name in ("lstm", "vanilla-rnn") for how in ("Bayes' rule, unscaled", "scaled")}
    assert set(validation["methods"]) == methods | fitted
    assert (validation["songs"], validation["clean"], validation["read"]) == (5, 4, "their first 30 characters")
    assert validation["songs_of_models"] == 3 and "the language models on 3 of them" in printed
    assert all(f"| {name} | " in printed for name in validation["methods"])
    rows = json.loads(file.read_text(encoding="utf-8"))["rows"]
    assert {row["by"]: {split: row[split] for split in ("all", "clean")} for row in rows[:-1]} == validation["methods"]
    assert rows[-1]["seconds"]["5"] > 0
    unread = flags.replace("--models vanilla-rnn --sample 3", "--models")
    monkeypatch.setattr(attribution, "measure", lambda *of: {"n-grams": validation["methods"]["n-grams"]})
    assert attribution.main([*unread.split(), "--no-baseline", "--write-metrics"]) == 0
    kept = load_ngrams(folder).metrics["validation"]["methods"]
    assert kept == {name: row for name, row in validation["methods"].items() if name != attribution.NAMES_KEPT}
    assert "the rows of TF-IDF and linear SVM, lstm, vanilla-rnn are of an earlier run" in capsys.readouterr().out


def test_style_is_measured_at_each_guidance_against_none(tmp_path, capsys):
    file = tmp_path / "figures.json"
    flags = ["--data", ROOT / "tests/data", "--model", "vanilla-rnn", "--lyrics", 2, "--artists", 2, "--length", 60]
    assert style.main([*map(str, flags), "--json", str(file)]) == 0
    printed = capsys.readouterr().out
    rows = json.loads(file.read_text(encoding="utf-8"))["rows"]
    assert [row["guidance"] for row in rows] == list(style.GUIDANCE)
    assert all(0 <= row[name] <= 1 for row in rows for name in style.SHARES)
    assert rows[0]["invented_ratio"] == 1.0 and printed.count(" x |") >= len(rows)
    assert "2 lyrics of 60 characters for each of 2 artists" in printed and "`vanilla-rnn` (1." in printed


def test_the_best_guidance_is_the_smallest_that_is_clear_and_cheap():
    def row(guidance, named, copied=0.2, invented=0.01):
        return {"guidance": guidance, "named": named, "copied": copied, "invented": invented}

    rows = [
        row(1, 0.1),
        row(1.5, 0.19),
        row(2, 0.21, copied=0.23),
        row(2.5, 0.3, invented=0.012),
        row(3, 0.2, 0.1, 0.01),
    ]
    assert style.best_guidance(rows) == 3 and "**3**" in style.verdict(rows)
    assert style.best_guidance(rows[:-1]) is None and style.verdict(rows[:-1]).startswith("None of these names")


def test_words_that_no_song_has_are_invented_and_a_word_that_is_cut_is_not_counted():
    classifier = style.mask_names(load_ngrams(ASSETS / "attribution"))
    known = style.song_words([Song("the Ferry left\nin the raïn", "Ann", "Own")])
    assert known == {"the", "ferry", "left", "in", "ra", "n"}  # as a model reads it
    index = SongIndex.build([Song("in the ferry the ferry left", "Ann", "Own")], asked=0)
    lyrics = [(classifier.artists[0], "in the ferry the ferry glorp gl"), (classifier.artists[0], "zog")]
    figures = style.measure(lyrics, classifier, index, known)
    assert figures["copied"] == pytest.approx(5 / 6) and figures["invented"] == pytest.approx(1 / 6)


def test_a_classifier_that_reads_names_gets_them_masked():
    classifier = replace(load_ngrams(ASSETS / "attribution"), masked_names=())
    masked = style.mask_names(classifier)
    artist = classifier.artists[3]
    assert (classifier.scores(f"oh {artist} oh oh") != classifier.scores("oh oh oh")).any()
    assert masked.scores(f"oh {artist}")[3] == masked.scores(f"oh {classifier.artists[4]}")[3]
    assert style.mask_names(masked) is masked


def test_without_a_name_every_benchmark_is_listed_with_a_line(capsys):
    assert command.main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    helpers = {
        "__init__",
        "__main__",
        "baselines",
        "config_times",
        "measuring",
        "running_app",
        "songs",
        "summary",
        "tables",
    }
    names = {path.stem for path in (ROOT / "benchmarks").glob("*.py")} - helpers
    assert names == set(command.benchmarks())
    for name in names:
        assert any(line.split()[:1] == [name] and len(line.split()) > 3 for line in lines)


def test_a_name_runs_that_benchmark_with_its_flags(capsys):
    assert command.main(["prefix", *SMALLEST["prefix"].split()]) == 0
    assert "80 characters" in capsys.readouterr().out


def test_a_name_that_is_none_is_refused_with_those_there_are(capsys):
    assert command.main(["speed"]) == 2
    assert "generation" in capsys.readouterr().err


def test_all_writes_one_file_and_fails_where_one_does(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(command.ALL, "prefix", SMALLEST["prefix"].replace("vanilla-rnn", "lstm").split())
    monkeypatch.setitem(command.ALL, "nothing", [])
    file = tmp_path / "all.json"
    assert command.main(["all", "--only", "prefix", "nothing", "--json", str(file)]) == 1
    written = json.loads(file.read_text(encoding="utf-8"))
    assert list(written) == ["prefix"] and written["prefix"]["run_seconds"] > 0
    said = capsys.readouterr()
    assert "| the first character after a prefix of 80 |" in said.out
    assert str(file) in said.out and "failed: nothing" in said.err


def test_all_runs_what_needs_no_songs():
    assert set(command.ALL) == {"generation", "prefix", "insight", "users", "training", "vectors", "startup", "growth"}
    assert set(command.ALL) <= set(command.benchmarks())


def test_every_benchmark_of_all_has_its_lines_in_the_table_in_short():
    rows = {
        "generation": [
            {"model": "lstm", "batch": batch, "length_characters": 300, "dtype": dtype, "ratio_to_notebook": 90.4,
             "ratio_to_module": 15.0, "ratio_to_batch_1": float(batch)}
            for batch, dtype in ((1, "bfloat16"), (64, "bfloat16"), (1, "float32"))
        ],
        "prefix": [{"model": "lstm", "prefix_characters": 2_000, "ratio_to_module": 2.8}],
        "insight": [
            {"model": "lstm", "what": what, "characters": 5_000, "ratio_to_module": 1.25} for what in ("score", "cells")
        ],
        "users": [{"users": 40, "length_characters": 300, "last_to_alone_times_users_ratio": 0.3}] * 2,
        "training": [{"loop": loop, "ratio_of_train_py": 1.5} for loop in ("train.py", "a bare loop")],
        "vectors": [{"what": "opening", "against": "gensim", "ratio_to_peer": 0.01}],
        "startup": [{"ratio_to_imports": 1.25}],
        "growth": [
            {"what": "a lyric", "size": size, "units": "characters", "unit": "character", "unit_ratio_to_smallest": size / 100}
            for size in (100, 110)
        ],
    }  # fmt: skip
    assert set(rows) == set(command.ALL)
    ran = {"hardware": "a CPU, 2 threads", "torch": "2", "run_seconds": 60.0}
    lines = summary({name: {**ran, "rows": of} for name, of in rows.items()}).splitlines()
    assert lines[2:-2] == [
        "| an LSTM lyric of 300 characters | 90 x faster | the notebook's loop |",
        "| an LSTM lyric of 300 characters | 15.0 x faster | `nn.LSTM` with its state |",
        "| 64 LSTM lyrics in one batch | 64.0 x the characters a second | one alone |",
        "| the first character after a prefix of 2,000 | 2.8 x faster | one pass of the module |",
        "| every character of 5,000 scored by `lstm` | 0.80 x the time | one pass of the module |",
        "| 40 concurrent users of the server, 300 characters each: until the last is done | 0.30 x the time | 40 users one after the other |",
        "| training the LSTM | 1.50 x the characters a second | a bare loop |",
        "| opening | 100 x faster | gensim |",
        "| from `python app.py` to the first answer | 1.25 x the time | importing gradio and torch |",
        "| a lyric, 110 characters | 1.10 x the time a character | 100 characters |",
    ]
    assert (
        lines[-1]
        == "On a CPU, each on one core or two as the app would, torch 2; written in 8 minutes by `python -m benchmarks all`."
    )


def test_songs_are_made_up_the_same_every_time_and_of_songdatas_sizes():
    songs = list(make_songs(60))
    assert [song.lyric for song in songs] == [song.lyric for song in make_songs(60)]
    assert 1_600 < sum(len(song.lyric) for song in songs) / 60 < 2_200
    assert {song.artist for song in songs} == set(ARTISTS)
    assert [len(make_text(characters)) for characters in (1, 10, 2_000)] == [1, 10, 2_000]


def test_the_apps_process_ends_with_the_benchmark(tmp_path):
    script, pid = tmp_path / "app.py", tmp_path / "pid"
    script.write_text(
        "import http.server, os\n"
        f"open({str(pid)!r}, 'w').write(str(os.getpid()))\n"
        "http.server.HTTPServer(('127.0.0.1', int(os.environ['GRADIO_SERVER_PORT'])), None).serve_forever()\n"
    )
    with pytest.raises(ZeroDivisionError), running_app(app=script) as app:
        assert app.url.startswith("http://127.0.0.1:") and app.memory > 1e6 and app.threads == 1 and app.open_files > 3
        raise ZeroDivisionError
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def test_repetition_is_counted_as_its_definition_says():
    line = "a kettle hums its tune to me "  # 29 characters
    assert chorus.repeated_share("abcdefghijklmnopqrstuvwxyz") == 0
    assert chorus.repeated_share(line * 2) == pytest.approx((29 - chorus.RUN) / 58)
    assert chorus.longest_loop(f"begin {line * 3}end") in (87, 88)
    assert chorus.longest_loop("x" * 61 + "y") == 61
    assert chorus.distinct_groups("a b c d a b c d a b c d") == pytest.approx(4 / 9)
    copies = chorus.CopiedRuns(as_corpus([np.array(string_to_labels(line), np.uint8)]))
    assert copies.share(f"xxxxx{line[:26]}xxxxx") == pytest.approx(26 / 36)
    assert copies.share(line[:23]) == 0


def test_choruses_and_repetition_are_measured_for_each_setting(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(chorus, "LENGTH", 90)
    file = tmp_path / "figures.json"
    flags = f"--data {ROOT / 'tests/data'} --lyrics 2 --length 90 --model vanilla-rnn --json {file}"
    assert chorus.main(flags.split()) == 0
    printed = capsys.readouterr().out
    assert printed.count("| lyrics, `chorus`") == 8 and "`python -m benchmarks.chorus`" in printed
    rows = json.loads(file.read_text(encoding="utf-8"))["rows"]
    assert all(0 <= row[name] <= 1 for row in rows[:5] for name in ("repeated", "loops", "copied"))
    assert [(row["strategy"], row["dry"]) for row in rows[5:9]] == list(product(("greedy", "beam"), (0, 1)))
    assert [row["temperature"] for row in rows[9:]] == [0.7, 0.7, 0.9, 0.9] and all(row["words"] for row in rows[9:])


def test_quality_puts_the_networks_with_and_without_memory_beside_simpler_models(capsys):
    assert quality.main(["--data", str(ROOT / "tests/data"), "--only", "peers"]) == 0
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    figures = {cells[0]: cells[1:] for cells in ([cell.strip() for cell in row.strip("| ").split("|")] for row in rows)}
    assert figures["uniform"][0] == "6.644"
    assert float(figures["5-grams, interpolated"][0]) < float(figures["frequencies of the characters"][0]) < 6.644
    assert 0 < float(figures["`lstm`"][1]) < float(figures["`lstm`"][0]) < 4


def test_quality_reads_the_networks_once_and_keeps_the_rows_of_the_others(tmp_path, monkeypatch, capsys):
    flags = ["--data", str(ROOT / "tests/data"), "--only", "networks", "--read", str(tmp_path / "cache")]
    assert quality.main(flags) == 0
    printed = capsys.readouterr().out
    kept = [row for row in read_rows("quality") if row[0] not in ("`lstm`", "`vanilla-rnn`")]
    assert all(" | ".join(row) in printed for row in kept) and len(kept) > 5
    assert printed.count("| `lstm` |") == printed.count("| `vanilla-rnn` |") == 1
    monkeypatch.setattr(quality, "target_log_probs", None)
    assert quality.main(flags) == 0 and capsys.readouterr().out == printed


def test_probabilities_of_ngrams_sum_to_one(tmp_path):
    train = encode_corpus([Song("la la ley"), Song("lo é la")], tmp_path / "train")
    model = NgramModel(train, 3)
    for context in ([], string_to_labels("l"), string_to_labels("la"), string_to_labels("zz"), [OOV_LABEL]):
        before = model.song_bits(np.array(context, np.uint8))
        bits = [model.song_bits(np.array([*context, label], np.uint8)) - before for label in range(NUM_CLASSES)]
        assert np.exp2(-np.array(bits)).sum() == pytest.approx(1)
    frequencies = NgramModel(
        train, 1
    )  # 15 scored characters of 6 kinds, 3 of them once and none twice: the discount is 1
    assert frequencies.song_bits(encode("l")) == pytest.approx(-np.log2((5 - 1) / 15 + 6 / 15 / NUM_CLASSES))


def test_ppmd_continues_from_the_training_songs_as_if_it_had_compressed_both(tmp_path):
    pyppmd = pytest.importorskip("pyppmd")
    train = encode_corpus([Song("the lamp by the window " * 9), Song("the gulls é on the wall")], tmp_path / "train")
    songs = encode_corpus([Song("the lamp é on the wall " * 3), Song("zzz")], tmp_path / "songs")

    def size(song: str) -> int:
        encoder = pyppmd.Ppmd7Encoder(6, 1 << 20)
        text = "the lamp by the window " * 9 + "é" + "the gulls  on the wall" + "é" + song
        labels = [label for label in string_to_labels(text)]
        return len(encoder.encode(bytes(labels))) + len(encoder.flush())

    expected = [8 * (size(song) - size("")) for song in ("the lamp  on the wall " * 3, "zzz")]
    assert baselines.ppmd_bits(train, songs, 6).tolist() == expected


def test_verses_and_gaps_are_measured_once(tmp_path, capsys, monkeypatch):
    verse, file = import_module("benchmarks.verse"), tmp_path / "rows.jsonl"
    flags = [*["--verses", "1", "--gaps", "1", "--models", "vanilla-rnn", "--schemes", "haiku", "--rows"], str(file)]
    assert verse.main(flags) == 0
    row, gap = verse.read_rows(file)
    assert (row["met"], row["unknown_words"], row["copied"]) == (1, 0, 0) and gap["scheme"] == "gap"
    printed = capsys.readouterr().out
    assert "| haiku | 1 | 100% |" in printed and "1 gap of 60 characters, `vanilla-rnn`" in printed.lower()
    monkeypatch.setattr(verse, "measure", None)  # what is in the file is not measured again
    assert verse.main(flags) == 0 and capsys.readouterr().out == printed
