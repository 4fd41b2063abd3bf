"""The model card, for complete and incomplete metrics, and the learning curves."""

import json
import re

import pytest
import yaml
from huggingface_hub import ModelCard

from lyricgen import Checkpoint, ImprovedSeqModel, VanillaRNN
from lyricgen.analysis.learning_curves import LearningCurves
from lyricgen.hub import model_card as modelcard
from lyricgen.hub.model_card import draw_curve, write_card
from lyricgen.models.checkpoints import load_checkpoint
from lyricgen.storage import ASSETS
from lyricgen.words.word_vectors import read_meta

REPO = "ann/models"
NAMES = ("lstm", "vanilla-rnn")
RECIPE = {
    "val_bpc": 2.9193, "clean_bpc": 2.9487, "seconds": 729.7, "epochs": 0.29, "hardware": "a CPU",
    "data_sha256": {"songs.csv": "ab" * 32},
}  # fmt: skip


@pytest.fixture
def models(tiny_folder):
    """Two small models with the same figures: 4.25 and 4.5 bits per character."""
    return {name: load_checkpoint(tiny_folder / name) for name in NAMES}


@pytest.fixture
def notebook(tmp_path, monkeypatch):
    """Writes the results of the notebook's recipe."""
    monkeypatch.setattr(modelcard, "NOTEBOOK", tmp_path / "notebook.json")
    return lambda **measured: modelcard.NOTEBOOK.write_text(json.dumps({"vanilla-rnn": RECIPE | measured}))


def bare(metrics: dict, artists: tuple[str, ...] = ()) -> dict[str, Checkpoint]:
    """One model with these metrics and no learning curve."""
    return {"lstm": Checkpoint(ImprovedSeqModel(hidden_size=8, artists=artists), metrics)}


def rows_of(card: str) -> list[list[str]]:
    """The cells of all tables, without the separator rows."""
    lines = [line for line in card.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return [row for row in cells if set("".join(row)) != {"-", " "} and set("".join(row)) != {"-"}]


def in_one_line(text: str) -> str:
    return " ".join(text.split())


# Content


def test_the_front_matter_has_the_results_of_both_models_on_both_splits(models):
    card = ModelCard(write_card(REPO, models, None))
    assert (card.data.model_name, card.data.license, card.data.library_name) == ("models", "mit", "lyricgen")
    assert (card.data.language, card.data.pipeline_tag) == ("en", "text-generation")
    found = {(result.dataset_split, result.metric_name): result.metric_value for result in card.data.eval_results}
    assert found == {
        (split, f"Bits per character ({name})"): models[name].metrics[key]
        for split, key in (("validation", "val_bpc"), ("clean-validation", "clean_bpc"))
        for name in NAMES
    }
    assert {result.metric_type for result in card.data.eval_results} == {"bits_per_character"}


def test_the_card_has_folders_results_data_memorization_and_limits(models, tiny_folder, notebook):
    card = write_card(REPO, models, read_meta(tiny_folder / "lyrics"))
    text = in_one_line(card)
    assert rows_of(card) == [
        ["folder", "content"],
        ["`lstm/`", "LSTM (`ImprovedSeqModel`), 2 layers of 8 units, 2,884 parameters"],
        ["`vanilla-rnn/`", "Vanilla RNN (`VanillaRNN`), 2 layers of 8 units, 2,020 parameters"],
        ["`lyrics/`", "Word2Vec of four words: 4 words of 4 dimensions"],
        ["model", "bits per character", "on the clean split", "trained for", "on"],
        ["`lstm`", "4.250", "4.500", "2 epochs, 2 minutes", "a CPU"],
        ["`vanilla-rnn`", "4.250", "4.500", "2 epochs, 2 minutes", "a CPU"],
        ["file", "sha256"],
        ["songs.csv", f"`{'ab' * 32}`"],
    ]
    for said in (
        "# ann/models",
        "2,345 characters of 14 songs to train on. 5 songs to validate with, 4 of them clean.",
        "the longest copied run has 21 characters; 3.5% of the lyrics have one of 50 or more",
        "The models were trained with the artist of each song: Ann, Bob. Generated text is neither written nor approved",
        "The lyrics belong to their rights holders, and none is part of this repository",
        "](learning-curve.png)",
        "python app.py --hub-repo ann/models",
        'snapshot_download("ann/models")',
        'model=f"{folder}/lstm"',
    ):
        assert said in text


def test_examples_name_a_published_model(models):
    card = write_card(REPO, {"vanilla-rnn": models["vanilla-rnn"]})
    assert (
        'model="vanilla-rnn"' in card
        and 'model=f"{folder}/vanilla-rnn"' in card
        and "lstm" not in card.split("---\n")[2]
    )


def test_the_same_models_give_the_same_card_and_the_same_picture(models, tiny_folder):
    again = {name: load_checkpoint(tiny_folder / name) for name in NAMES}
    words = read_meta(tiny_folder / "lyrics")
    assert write_card(REPO, models, words) == write_card(REPO, again, words)
    assert draw_curve(models) == draw_curve(again)
    assert b"tIME" not in draw_curve(models) and not re.search(r"20\d\d-\d\d", write_card(REPO, models, words))


@pytest.mark.parametrize(
    ("without", "said"),
    [
        (["clean_bpc"], "| `lstm` | 4.250 | not measured | 2 epochs, 2 minutes | a CPU |"),
        (["val_bpc", "clean_bpc"], "| `lstm` | not measured | not measured | 2 epochs, 2 minutes | a CPU |"),
        (["seconds"], "| `lstm` | 4.250 | 4.500 | 2 epochs | a CPU |"),
        (["epochs"], "| `lstm` | 4.250 | 4.500 | 2 minutes | a CPU |"),
        (["epochs", "seconds", "hardware"], "| `lstm` | 4.250 | 4.500 | not recorded | not recorded |"),
        (["copied"], "Verbatim overlap of `lstm` with the training songs was not measured."),
        (["data_sha256"], "4 of them clean. The files were not recorded."),
        (["train_songs", "train_characters"], "The number of songs was not recorded. 5 songs to validate with"),
        (["clean_songs"], "5 songs to validate with.\n"),
        (["val_songs"], "2,345 characters of 14 songs to train on.\n"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_figures_that_were_not_measured_are_reported_as_such(without, said, models):
    metrics = {key: value for key, value in models["lstm"].metrics.items() if key not in without}
    card = write_card(REPO, bare(metrics))
    assert said in card
    assert len(ModelCard(card).data.eval_results or []) == len({"val_bpc", "clean_bpc"} - set(without))


COPIED = {
    "samples": 200, "characters": 300, "seed": 0,
    "temperatures": {"0.7": {"longest_run": 12, "share_with_run": {"5": 0.405, "8": 0.02}, "mean_share_in_runs": 0.125}},
}  # fmt: skip


def test_copied_words_are_a_table_and_the_index_a_folder(models):
    models["lstm"].metrics["copied_words"] = COPIED
    models["vanilla-rnn"].metrics["copied_words"] = None  # songs of few words
    card = write_card(REPO, models, others={"originality": "An index of 4,226 songs"})
    assert ["`lstm`", "0.7", "40.5%", "2.0%", "12", "12.5%"] in rows_of(card)
    assert sum(row[0] == "`vanilla-rnn`" for row in rows_of(card)) == 1
    assert "Shares of 200 lyrics of 300 characters at each temperature" in card
    assert [row[1] for row in rows_of(card) if row[0] == "`originality/`"][0].startswith("An index of 4,226 songs")
    assert "originality/" not in write_card(REPO, models) and "at each temperature" not in write_card(REPO, bare({}))


def test_the_songs_of_a_training_that_was_continued_are_listed_too():
    files = {"songs.csv": "ab" * 32, "mine.csv": "cd" * 32}
    started_from = {"steps": 4_600, "data_sha256": {"songs.csv": files["songs.csv"]}}
    card = write_card(REPO, bare({"data_sha256": files, "started_from": started_from}))
    assert "That training continued one of 4,600 steps, whose songs are listed first." in card
    assert [row[0] for row in rows_of(card) if row[-1].strip("`") in files.values()] == ["songs.csv", "mine.csv"]
    assert "continued" not in write_card(REPO, bare({"data_sha256": files}))
    chain = {"steps": 200, "data_sha256": {"mine.csv": files["mine.csv"]}, "started_from": started_from}
    card = write_card(REPO, bare({"data_sha256": {"new.csv": "ef" * 32}, "started_from": chain}))
    assert [row[0] for row in rows_of(card) if row[-1].strip("`")[:2] in ("ab", "cd", "ef")] == [
        "songs.csv",
        "mine.csv",
        "new.csv",
    ]


def test_a_model_without_metrics_has_a_card():
    card = write_card("ann/x", bare({}), {"words": 4, "dimensions": 2})
    assert rows_of(card)[1:5] == [
        ["`lstm/`", "LSTM (`ImprovedSeqModel`), 2 layers of 8 units, 2,860 parameters"],
        ["`lyrics/`", "Word vectors: 4 words of 2 dimensions"],
        ["model", "bits per character", "on the clean split", "trained for", "on"],
        ["`lstm`", "not measured", "not measured", "not recorded", "not recorded"],
    ]
    assert "The models were trained without artists." in card and "was not measured" in card
    assert "model-index" not in yaml.safe_load(card.split("---\n")[1])
    assert ModelCard(card).data.eval_results is None
    assert draw_curve(bare({})).startswith(b"\x89PNG")


def test_names_with_markup_are_escaped_and_break_no_table():
    odd = "a|b <script>`*_x_[1](2)\n| c |"
    escaped = r"a\|b \<script\>\`\*\_x\_\[1\](2) \| c \|"
    metrics = {"data_sha256": {odd: "cd" * 32}, "hardware": odd}
    card = write_card(
        REPO, bare(metrics, ("*NSYNC", "A$AP | Co", "<b>x</b>", "k_d")), {"source": odd, "words": 4, "dimensions": 2}
    )
    rows = rows_of(card)
    assert [len(row) for row in rows] == [2, 2, 2, 5, 5, 2, 2]
    assert rows[2] == ["`lyrics/`", f"{escaped}: 4 words of 2 dimensions"]
    assert rows[4][4] == escaped and rows[6] == [escaped, f"`{'cd' * 32}`"]
    assert r"\*NSYNC, A\$AP \| Co, \<b\>x\</b\>, k_d." in card and "<script" not in card.replace(r"\<", "")
    assert ModelCard(card).data.license == "mit"


# The notebook's recipe


def test_the_notebooks_recipe_is_a_row_below_a_model_of_the_same_songs(models, notebook):
    notebook()
    card = write_card(REPO, models)
    rows = rows_of(card)
    at = rows.index(["`vanilla-rnn`", "4.250", "4.500", "2 epochs, 2 minutes", "a CPU"])
    assert rows[at + 1] == [
        "`vanilla-rnn`, the notebook's recipe",
        "2.919",
        "2.949",
        "0.29 epochs, 12 minutes",
        "a CPU",
    ]
    assert card.count("the notebook's recipe |") == 1  # none for the LSTM, whose was not measured
    assert "The notebook's recipe is that of the university course" in card
    assert len(ModelCard(card).data.eval_results) == 4  # its figures are not the models'


def test_there_is_no_recipe_for_other_songs_or_without_a_measurement(models, notebook):
    assert "recipe" not in write_card(REPO, models)
    notebook(data_sha256={"songs.csv": "cd" * 32})
    assert "recipe" not in write_card(REPO, models)
    notebook()
    assert "recipe" not in write_card(REPO, {"vanilla-rnn": Checkpoint(VanillaRNN(hidden_size=8), {})})


# The bundled models


def test_the_bundled_models_have_a_card(notebook):
    bundled = {name: load_checkpoint(ASSETS / name) for name in NAMES}
    card = write_card(REPO, bundled, read_meta(ASSETS / "lyrics"))
    values = {result.metric_value for result in ModelCard(card).data.eval_results}
    assert values == {bundled[name].metrics[split] for name in NAMES for split in ("val_bpc", "clean_bpc")}
    for name in NAMES:
        for file, sha256 in bundled[name].metrics["data_sha256"].items():
            assert [file, f"`{sha256}`"] in rows_of(card)
        assert all(artist in in_one_line(card) for artist in bundled[name].model.artists)
    assert draw_curve(bundled) == draw_curve(bundled)


# The learning curves


def test_learning_curves_have_one_line_per_split_and_skip_missing_figures():
    rows = [
        {"characters": 1_000_000, "train_bpc": 3.0, "val_bpc": None, "clean_bpc": None},
        {"characters": 2_000_000, "train_bpc": 2.5, "val_bpc": 2.6, "clean_bpc": 2.75},
        {"characters": 3_000_000, "train_bpc": None, "val_bpc": 2.4, "clean_bpc": 2.5},
    ]
    figure = LearningCurves({"LSTM": rows, "RNN": [{"characters": 500_000, "train_bpc": 4.0}]}, "characters").draw()
    [plot] = figure.axes
    drawn = {line.get_label(): line.get_xydata().tolist() for line in plot.lines}
    assert drawn == {
        "LSTM, training": [[1, 3.0], [2, 2.5]],
        "LSTM, validation": [[2, 2.6], [3, 2.4]],
        "LSTM, clean": [[2, 2.75], [3, 2.5]],
        "RNN, training": [[0.5, 4.0]],
    }
    assert [text.get_text() for text in plot.get_legend().get_texts()] == list(drawn)
    assert (plot.get_xlabel(), plot.get_ylabel()) == ("million characters read", "bits per character")
    colours = [line.get_color() for line in plot.lines]
    assert len(set(colours[:3])) == 1 and colours[3] != colours[0]


@pytest.mark.parametrize(
    ("by", "axis", "values"),
    [("characters", "million characters read", [0.5, 2]), ("epoch", "epochs", [0.25, 1]), ("seconds", "minutes of training", [1, 4])],
)  # fmt: skip
def test_a_learning_curve_can_be_drawn_by_epoch_and_by_minute(by, axis, values):
    rows = [
        {"characters": 500_000 * part, "epoch": 0.25 * part, "seconds": 60 * part, "train_bpc": 4 / part}
        for part in (1, 4)
    ]
    [plot] = LearningCurves({"LSTM": rows}, by).draw().axes
    assert plot.get_xlabel() == axis
    assert list(plot.lines[0].get_xdata()) == values


def test_the_axis_leaves_out_the_first_steps():
    steps = [6.6, 4.0, *[2 - 0.01 * step for step in range(40)]]
    rows = [{"characters": 1e5 * step, "train_bpc": bits} for step, bits in enumerate(steps)]
    low, high = LearningCurves({"LSTM": rows}, "characters").draw().axes[0].get_ylim()
    assert low < min(steps) and 2.0 < high < 4.0


@pytest.mark.parametrize("curves", [{}, {"LSTM": []}, {"LSTM": [{"characters": 5, "train_bpc": None}]}])
def test_without_figures_the_plot_is_empty(curves):
    [plot] = LearningCurves(curves, "characters").draw().axes
    assert not plot.lines and plot.get_legend() is None and plot.get_ylabel() == "bits per character"
