"""The summary of `python -m benchmarks all`: one row a question, each a ratio against a peer in the same run."""

from benchmarks.tables import table

HEADER = ["what", "ratio", "against"]


def summary(figures: dict[str, dict]) -> str:
    """The table and its provenance, from the figures of `python -m benchmarks all` by benchmark; only those that ran."""
    rows = [row for name, make in LINES.items() if name in figures for row in make(figures[name]["rows"])]
    machine = next(iter(figures.values()))
    minutes = sum(result["run_seconds"] for result in figures.values()) / 60
    how = f"On {machine['hardware'].partition(',')[0]}, each on one core or two as the app would, torch {machine['torch']}"
    return f"{table(HEADER, rows)}\n\n{how}; written in {minutes:.0f} minutes by `python -m benchmarks all`."


def generation(rows: list[dict]) -> list[list[str]]:
    """Rows on generation."""
    lines = []
    for row in rows:
        if row["model"] == "lstm" and row["batch"] == 1 and row["dtype"] != "float32":
            what = f"an LSTM lyric of {row['length_characters']:,} characters"
            lines.append([what, f"{row['ratio_to_notebook']:,.0f} x faster", "the notebook's loop"])
            lines.append([what, f"{row['ratio_to_module']:.1f} x faster", "`nn.LSTM` with its state"])
    biggest = max((row for row in rows if row["model"] == "lstm"), key=lambda row: row["batch"])
    what = f"{biggest['batch']} LSTM lyrics in one batch"
    return [*lines, [what, f"{biggest['ratio_to_batch_1']:.1f} x the characters a second", "one alone"]]


def prefix(rows: list[dict]) -> list[list[str]]:
    """A row on the longest prefix."""
    row = max((row for row in rows if row["model"] == "lstm"), key=lambda row: row["prefix_characters"])
    what = f"the first character after a prefix of {row['prefix_characters']:,}"
    return [[what, f"{row['ratio_to_module']:.1f} x faster", "one pass of the module"]]


def scoring(rows: list[dict]) -> list[list[str]]:
    """A row on scoring with each model."""
    return [
        [
            f"every character of {row['characters']:,} scored by `{row['model']}`",
            f"{1 / row['ratio_to_module']:.2f} x the time",
            "one pass of the module",
        ]
        for row in rows
        if row["what"] == "score"
    ]


def users(rows: list[dict]) -> list[list[str]]:
    """A row on concurrent users."""
    return [
        [
            f"{row['users']} concurrent users of the server, {row['length_characters']} characters each: until the last is done",
            f"{row['last_to_alone_times_users_ratio']:.2f} x the time",
            f"{row['users']} users one after the other",
        ]
        for row in rows[:1]
    ]


def training(rows: list[dict]) -> list[list[str]]:
    """A row for each peer of train.py."""
    return [
        ["training the LSTM", f"{row['ratio_of_train_py']:.2f} x the characters a second", row["loop"]]
        for row in rows
        if not row["loop"].startswith("train.py")
    ]


def vectors(rows: list[dict]) -> list[list[str]]:
    """A row for each query of word vectors."""
    faster = [(row, 1 / row["ratio_to_peer"]) for row in rows]
    return [
        [row["what"], f"{ratio:.0f} x faster" if ratio > 1 else f"{1 / ratio:.2f} x the time", row["against"]]
        for row, ratio in faster
    ]


def startup(rows: list[dict]) -> list[list[str]]:
    """A row on the start of the app."""
    return [["from `python app.py` to the first answer", f"{rows[0]['ratio_to_imports']:.2f} x the time", "importing gradio and torch"]]  # fmt: skip


def growth(rows: list[dict]) -> list[list[str]]:
    """A row for each measured quantity, at its largest size."""
    largest = {row["what"]: row for row in rows}
    smallest = {row["what"]: row for row in reversed(rows)}
    return [
        [
            f"{what}, {row['size']:,} {row['units']}",
            f"{row['unit_ratio_to_smallest']:.2f} x the time a {row['unit']}",
            f"{smallest[what]['size']:,} {row['units']}",
        ]
        for what, row in largest.items()
    ]


LINES = {
    "generation": generation,
    "prefix": prefix,
    "insight": scoring,
    "users": users,
    "training": training,
    "vectors": vectors,
    "startup": startup,
    "growth": growth,
}
