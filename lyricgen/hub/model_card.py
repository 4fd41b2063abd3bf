"""The model card of a Hub repository, from the metrics and configs of its model folders."""

import json
import re
from collections.abc import Mapping

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from lyricgen.analysis.learning_curves import LearningCurves
from lyricgen.models.checkpoints import Checkpoint, training_records
from lyricgen.storage import ASSETS

CURVE = "learning-curve.png"
NOTEBOOK = ASSETS / "notebook.json"  # results of the course notebook's recipe, by benchmarks/notebook.py
SPLITS = {
    "val_bpc": "all validation songs",
    "clean_bpc": "validation songs that are new to the training songs",
}
TITLES = {"lstm": "LSTM", "vanilla-rnn": "Vanilla RNN"}
TEMPLATE = ASSETS / "model-card.md"  # format string


def write_card(
    repo: str, models: Mapping[str, Checkpoint], words: Mapping | None = None, others: Mapping[str, str] | None = None
) -> str:
    """The text of README.md: front matter with `model-index` results, then use, data, copying and limits.

    Args:
        repo: 'USER/NAME'.
        models: the networks, by folder.
        words: meta.json of the word vectors, if any.
        others: one line on each other folder.
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
    body = TEMPLATE.read_text(encoding="utf-8").format(
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
    """The learning curves of the models as a reproducible PNG."""
    curves = {TITLES.get(name, name): checkpoint.history for name, checkpoint in models.items()}
    return LearningCurves(curves, "characters").files("png")[0]


def notebook_figures(metrics: Mapping, name: str) -> dict | None:
    """The results of the notebook's recipe for a model on the same songs; None if they were not measured."""
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
    """The table of bits per character: each model, and the notebook's recipe where it was measured."""
    rows = ["| model | bits per character | on the clean split | trained for | on |", "| --- | --- | --- | --- | --- |"]
    recipes = False
    for name, checkpoint in models.items():
        metrics = checkpoint.metrics
        rows.append(_row(f"`{name}`", metrics))
        if recipe := notebook_figures(metrics, name):
            recipes = True
            rows.append(_row(f"`{name}`, the notebook's recipe", recipe))
    note = (
        "\n\nThe notebook's recipe is that of the university course from which the project comes: whole songs in batches "
        "of 32, Adam at a learning rate of 0.001, no artist, 8 epochs, stopped at a time limit."
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
    lines = [" of ".join(counts[::-1]) + " to train on." if counts else "The number of songs was not recorded."]
    if "val_songs" in metrics:
        clean = f", {metrics['clean_songs']:,} of them clean" if "clean_songs" in metrics else ""
        lines[0] += f" {metrics['val_songs']:,} songs to validate with{clean}."
    trainings = list(training_records(metrics))[::-1]
    if "steps" in (metrics.get("started_from") or {}):
        lines[0] += (
            f" That training continued one of {metrics['started_from']['steps']:,} steps, whose songs are listed first."
        )
    files = [file for record in trainings for file in (record.get("data_sha256") or {}).items()]
    if files:
        lines += ["", "| file | sha256 |", "| --- | --- |"]
        lines += [f"| {_text(name)} | `{_text(sha256)}` |" for name, sha256 in dict.fromkeys(files)]
    else:
        lines[0] += " The files were not recorded."
    return "\n".join(lines)


def _copying(name: str, metrics: Mapping) -> str:
    copied = metrics.get("copied")
    if not copied:
        return f"Verbatim overlap of `{name}` with the training songs was not measured."
    return (
        f"In {copied['samples']} lyrics of {copied['characters']} characters by `{name}` at temperature "
        f"{copied['temperature']:g}, the longest copied run has {copied['longest_run']} characters; "
        f"{copied['share_with_long_run']:.1%} of the lyrics have one of {copied['long_run']} or more."
    )


def _copied_words(models: Mapping[str, Checkpoint]) -> str:
    """The table of copied words in sampled lyrics, with a sentence; '' if it was measured for no model."""
    measured = {
        name: checkpoint.metrics["copied_words"]
        for name, checkpoint in models.items()
        if checkpoint.metrics.get("copied_words")
    }
    rows = []
    for name, figures in measured.items():
        for temperature, result in figures["temperatures"].items():
            shares = " | ".join(f"{share:.1%}" for share in result["share_with_run"].values())
            longest, mean = result["longest_run"], result["mean_share_in_runs"]
            rows.append(f"| `{name}` | {_text(temperature)} | {shares} | {longest} | {mean:.1%} |")
    if not rows:
        return ""
    first = next(iter(measured.values()))
    lengths = next(iter(first["temperatures"].values()))["share_with_run"]
    columns = [f"with a run of {_text(words)} words or more" for words in lengths]
    header = ["model", "temperature", *columns, "longest run", "words inside runs of 5 or more"]
    lead = (
        f"Shares of {first['samples']} lyrics of {first['characters']} characters at each temperature that contain a run of "
        "words of one training song, punctuation and spacing ignored:"
    )
    return "\n".join(["", lead, "", f"| {' | '.join(header)} |", "| --- " * len(header) + "|", *rows, ""])


def _artists(checkpoint: Checkpoint) -> str:
    artists = checkpoint.model.artists
    return (
        f"The models were trained with the artist of each song: {', '.join(map(_text, artists))}."
        if artists
        else "The models were trained without artists."
    )


def _text(value: object) -> str:
    """A name, escaped for Markdown, on one line."""
    return re.sub(r"[\\`*\[\]<>|&~$]|(?<!\w)_|_(?!\w)", r"\\\g<0>", " ".join(str(value).split()))
