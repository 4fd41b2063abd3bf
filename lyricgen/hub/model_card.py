"""The model card of a Hub repository, written from what its model folders say of themselves."""

import json
import re
from collections.abc import Mapping

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from lyricgen.models.checkpoints import Checkpoint
from lyricgen.plotting import draw_learning_curves, to_bytes
from lyricgen.storage import ASSETS

CURVE = "learning-curve.png"
NOTEBOOK = ASSETS / "notebook.json"  # what the notebook's recipe reaches, measured by benchmarks/notebook.py
SPLITS = {
    "val_bpc": "all validation songs",
    "clean_bpc": "validation songs that are new to the training songs",
}
TITLES = {"lstm": "LSTM", "vanilla-rnn": "Vanilla RNN"}

CARD = ASSETS / "model-card.md"  # with a {name} for each thing that differs from card to card


def write_card(
    repo: str, models: Mapping[str, Checkpoint], words: Mapping | None = None, others: Mapping[str, str] | None = None
) -> str:
    """The text of README.md: front matter with `model-index` results, and what a reader should know.

    Args:
        repo: 'USER/NAME'.
        models: what is published, by name.
        words: meta.json of the word vectors that are published beside them.
        others: what else is, by folder: what it is, in a few words.
    """
    front = ModelCardData(
        language="en",
        license="mit",
        library_name="lyricgen",
        pipeline_tag="text-generation",
        tags=["lyrics", "character-level", "rnn", "lstm", "education", *(["word2vec"] if words else [])],
        model_name=repo.partition("/")[2],
        eval_results=_results(models) or None,
    )
    default = "lstm" if "lstm" in models else next(iter(models))
    body = CARD.read_text(encoding="utf-8").format(
        repo=repo,
        folders="\n".join(_folder_rows(models, words, others or {})),
        figures=_figures(models),
        curve=CURVE,
        model=default,
        data=_data(models[default].metrics),
        copying=" ".join(_copying(name, checkpoint.metrics) for name, checkpoint in models.items()),
        copied_words=_copied_words(models),
        artists=_artists(models[default]),
    )
    return str(ModelCard(f"---\n{front.to_yaml()}\n---\n{body}"))


def draw_curve(models: Mapping[str, Checkpoint]) -> bytes:
    """The learning curves of the models as a PNG, the same bytes for the same curves."""
    curves = {TITLES.get(name, name): checkpoint.history for name, checkpoint in models.items()}
    return to_bytes(draw_learning_curves(curves), "png")


def notebook_figures(metrics: Mapping, name: str) -> dict | None:
    """What the notebook's recipe reached on the songs that a model was trained on, if that was measured."""
    if not NOTEBOOK.is_file():
        return None
    measured = json.loads(NOTEBOOK.read_text(encoding="utf-8")).get(name)
    return measured if measured and measured["data_sha256"] == metrics.get("data_sha256") else None


def _results(models: Mapping[str, Checkpoint]) -> list[EvalResult]:
    return [
        EvalResult(
            task_type="text-generation",
            task_name="Character-level language modelling",
            dataset_type="lyrics",
            dataset_name=f"Song lyrics: {songs}",
            dataset_split="validation" if split == "val_bpc" else "clean-validation",
            metric_type="bits_per_character",
            metric_name=f"Bits per character ({name})",
            metric_value=checkpoint.metrics[split],
        )
        for split, songs in SPLITS.items()
        for name, checkpoint in models.items()
        if checkpoint.metrics.get(split) is not None
    ]


def _folder_rows(models: Mapping[str, Checkpoint], words: Mapping | None, others: Mapping[str, str]) -> list[str]:
    rows = []
    for name, checkpoint in models.items():
        model = checkpoint.model
        count = sum(parameter.numel() for parameter in model.parameters())
        layers = f"{model.n_layers} layer{'s' if model.n_layers > 1 else ''} of {model.hidden_size} units"
        rows.append(
            f"| `{name}/` | {TITLES.get(name, name)} (`{type(model).__name__}`), {layers}, {count:,} parameters |"
        )
    if words:
        source = _text(words.get("source") or "Word vectors")
        rows.append(f"| `lyrics/` | {source}: {words['words']:,} words of {words['dimensions']} dimensions |")
    rows.extend(f"| `{name}/` | {_text(what)} |" for name, what in others.items())
    return rows


def _figures(models: Mapping[str, Checkpoint]) -> str:
    """The table of bits per character, each model's beside the notebook's recipe where that was measured."""
    rows = ["| model | bits per character | on the clean split | trained for | on |", "| --- | --- | --- | --- | --- |"]
    recipes = False
    for name, checkpoint in models.items():
        metrics = checkpoint.metrics
        rows.append(_row(f"`{name}`", metrics))
        if recipe := notebook_figures(metrics, name):
            recipes = True
            rows.append(_row(f"`{name}`, the notebook's recipe", recipe))
    note = (
        "\n\nThe notebook's recipe is that of the university course which the project grows out of: whole songs in batches "
        "of 32, Adam at a learning rate of 0.001, no artist; it has 8 epochs and was stopped when its time was over."
    )
    return "\n".join(rows) + (note if recipes else "")


def _row(name: str, figures: Mapping) -> str:
    bits = [f"{figures[split]:.3f}" if figures.get(split) is not None else "not measured" for split in SPLITS]
    times = [f"{figures['epochs']:g} epochs"] if "epochs" in figures else []
    times += [_duration(figures["seconds"])] if "seconds" in figures else []
    trained = ", ".join(times) or "not recorded"
    return f"| {name} | {' | '.join(bits)} | {trained} | {_text(figures.get('hardware', 'not recorded'))} |"


def _duration(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 90 else f"{seconds:.0f} seconds"


def _data(metrics: Mapping) -> str:
    counts = [
        f"{metrics[key]:,} {what}"
        for key, what in (("train_songs", "songs"), ("train_characters", "characters"))
        if key in metrics
    ]
    lines = [" of ".join(counts[::-1]) + " to train on." if counts else "Songs that the files do not count."]
    if "val_songs" in metrics:
        clean = f", {metrics['clean_songs']:,} of them clean" if "clean_songs" in metrics else ""
        lines[0] += f" {metrics['val_songs']:,} songs to validate with{clean}."
    files = metrics.get("data_sha256")
    if files:
        lines += ["", "| file | sha256 |", "| --- | --- |"]
        lines += [f"| {_text(name)} | `{_text(sha256)}` |" for name, sha256 in files.items()]
    else:
        lines[0] += " Which files they are was not recorded."
    return "\n".join(lines)


def _copying(name: str, metrics: Mapping) -> str:
    copied = metrics.get("copied")
    if not copied:
        return f"How much `{name}` copies was not measured."
    return (
        f"Of {copied['samples']} lyrics of {copied['characters']} characters that `{name}` wrote at temperature "
        f"{copied['temperature']:g}, the longest run that stands in a training song letter for letter has "
        f"{copied['longest_run']} characters; {copied['share_with_long_run']:.1%} of the lyrics have one of "
        f"{copied['long_run']} or more."
    )


def _copied_words(models: Mapping[str, Checkpoint]) -> str:
    """What sampled lyrics copied in words, as a table with a sentence; '' where that was not measured of any model."""
    rows = []
    for name, checkpoint in models.items():
        measured = checkpoint.metrics.get("copied_words") or {"temperatures": {}}
        for temperature, found in measured["temperatures"].items():
            shares = " | ".join(f"{share:.1%}" for share in found["share_with_run"].values())
            longest, mean = found["longest_run"], found["mean_share_in_runs"]
            rows.append(f"| `{name}` | {_text(temperature)} | {shares} | {longest} | {mean:.1%} |")
    if not rows:
        return ""
    measured = next(one.metrics["copied_words"] for one in models.values() if one.metrics.get("copied_words"))
    kinds = [
        f"with a run of {_text(words)} words or more"
        for words in next(iter(measured["temperatures"].values()))["share_with_run"]
    ]
    header = ["model", "temperature", *kinds, "longest run", "words inside runs of 5 or more"]
    lead = (
        f"Of {measured['samples']} lyrics of {measured['characters']} characters at each temperature, these shares hold words in "
        "a row that stand in one training song, whatever the punctuation and the spaces between them:"
    )
    return "\n".join(["", lead, "", f"| {' | '.join(header)} |", "| --- " * len(header) + "|", *rows, ""])


def _artists(checkpoint: Checkpoint) -> str:
    artists = checkpoint.model.artists
    return (
        f"They were told the artist of each song: {', '.join(map(_text, artists))}."
        if artists
        else "No artist was named to them."
    )


def _text(value: object) -> str:
    """A name as Markdown that shows it as it is, in one line."""
    return re.sub(r"[\\`*\[\]<>|&~$]|(?<!\w)_|_(?!\w)", r"\\\g<0>", " ".join(str(value).split()))
