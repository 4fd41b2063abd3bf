"""The view that compares RNN and LSTM: lyrics of both, five temperatures, learning curves, samples of the training;
`/compare`, `/temperatures`, `/learning_curves`."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import gradio as gr

from lyricgen.analysis.learning_curves import CURVE_UNITS
from lyricgen.endpoints import inside, lyrics
from lyricgen.endpoints.lyrics import TEMPERATURES, make_request
from lyricgen.generation.request import GenerationRequest
from lyricgen.generation.scheduler import MAX_BATCH_SIZE
from lyricgen.generation.settings import MAX_LYRIC_LENGTH
from lyricgen.models.text import ANY_ARTIST
from lyricgen.resources import Resources
from lyricgen.ui.charts import Axis, Series, line_chart
from lyricgen.ui.components import (
    as_json,
    cards,
    example_artist,
    html_view,
    model_kind,
    model_label,
    originality_line,
    script_view,
)
from lyricgen.ui.events import LATEST_EVENT, PRIVATE_EVENT, add_endpoint, listen
from lyricgen.ui.inline_errors import error_line, with_error_line
from lyricgen.ui.tabs.write.song import fit_length, link_query, note_html, play_link
from lyricgen.validation import check_choice

# concurrent calls, each of several lyrics
CALL_LIMIT: dict[str, Any] = {"concurrency_limit": MAX_BATCH_SIZE // len(TEMPERATURES)}
SHOWN_OF_A_STAGE = 60  # characters
EXPLANATION = """
Both get the same start and the same dice. **Surprise** is how unlikely each found its own letters, on average.
"""
ON_EIGHT = """
## Is one song enough?
No: by chance either can be the one that is less surprised. Eight songs by each, from the same start, with eight throws of the dice:
"""
ON_TEMPERATURE = """
## How daring?
The LSTM again, at five **temperatures**. Low: it plays safe and repeats itself. High: wild, until words fall apart.
"""
ON_CURVES = """
## Which learns faster?
Lines: songs it trains on. Dots: new songs. Diamonds: new songs without covers of known ones. Lower is better.
"""
ON_STAGES = "## Watch it learn\nWhat each wrote after a number of steps of its training."
WORDS, ARTIST, SEED, LENGTH = "the river keeps its secrets ", "Coldplay", 7, 300
CURVES = {"train_bpc": "line", "val_bpc": "dot", "clean_bpc": "diamond"}  # marks by column of history.csv
MAX_POINTS = 80  # of a line
EIGHT = 8  # songs of each model
TOP_BITS = 3.0  # of the curves; the first steps start at 6.6 bits and would flatten the rest


def create_comparison_view(resources: Resources) -> None:
    """Adds the view's components, `/compare`, `/temperatures` and `/learning_curves`."""
    with gr.Row():
        prefix = gr.Textbox(WORDS, label="First words", lines=1, scale=2, min_width=260, elem_id="compare-prefix")
        choices = [("no one in particular", ANY_ARTIST), *((artist, artist) for artist in resources.artists())]
        artist = gr.Dropdown(choices, value=example_artist(resources, ARTIST), label="In the style of", min_width=200)
    with gr.Accordion("More settings", open=False), gr.Row():
        temperature = gr.Slider(0, 2, value=0.6, step=0.05, label="How daring? (temperature)", min_width=200)
        max_length = gr.Slider(50, MAX_LYRIC_LENGTH, value=LENGTH, step=50, label="Length in letters", min_width=200)
        seed = gr.Number(SEED, precision=0, label="Song number", info="-1: new each time.", min_width=160)
    with gr.Row():
        write = gr.Button(
            "Write with both", variant="primary", elem_id="compare", elem_classes="runs-on-open", min_width=160
        )
        stop = gr.Button("Stop", elem_id="compare-stop", min_width=100)
    error = error_line("compare-error")
    gr.Markdown("## Same start, same dice")
    both = html_view("both")
    gr.Markdown(EXPLANATION)
    gr.Markdown(ON_EIGHT)
    eight = html_view("eight")
    gr.Markdown(ON_TEMPERATURE)
    five = script_view("stages.js", "five")
    show, inputs = partial(show_comparison, resources), [prefix, artist, temperature, max_length, seed]
    outputs, settings = [error, both, eight, five], {**LATEST_EVENT, **CALL_LIMIT}
    writing = listen([write.click, prefix.submit], with_error_line(show, 3), inputs, outputs, busy=write, **settings)
    gr.Markdown(ON_CURVES)
    by = gr.Radio([("epoch", "epoch"), ("minute", "seconds")], value="epoch", label="By")
    curves = html_view("curves", show_curves(resources, "epoch"))
    listen(by.change, partial(show_curves, resources), by, curves, gpu=False, **PRIVATE_EVENT)
    if stages := stages_json(resources):
        gr.Markdown(ON_STAGES)
        script_view("stages.js", "training-stages", value=stages)
    stop.click(None, None, None, cancels=[writing], api_visibility="private")
    add_endpoint(resources, lyrics.compare, **CALL_LIMIT)
    add_endpoint(resources, lyrics.temperatures, **CALL_LIMIT)
    add_endpoint(resources, inside.learning_curves, gpu=False)


def first_request(
    resources: Resources, prefix: str, artist: str, temperature: float, max_length: int, seed: int
) -> tuple[GenerationRequest, str]:
    """The request of the default model, with a length that leaves room after the prefix, and a note where it was raised."""
    settings, note = fit_length(prefix, {"max_length": max_length})
    settings |= {"artist": artist, "temperature": temperature, "seed": seed, "clean_words": True}
    return make_request(resources, prefix, None, **settings), note


def show_comparison(
    resources: Resources, prefix: str, artist: str, temperature: float, max_length: int, seed: int
) -> Iterator[tuple[str, str, str | None]]:
    """The cards of both models as they write, then the chart of eight songs by each, then the songs at five temperatures."""
    settings = (prefix, artist, temperature, max_length, seed)
    both = ""
    for both in show_models(resources, *settings):
        yield both, "", None
    eight = show_eight(resources, *settings)
    yield both, eight, None
    yield both, eight, show_temperatures(resources, prefix, artist, max_length, seed)


def show_models(resources: Resources, *settings: Any) -> Iterator[str]:
    """The lyrics of `/compare` as cards; the finished ones with their originality line, and links that play them in Write."""
    request, note = first_request(resources, *settings)
    requests = lyrics.of_each_model(resources, request)
    artist = request.settings.artist
    strangers = [model_label(name) for name, one in requests.items() if one.settings.artist != artist]
    notes = [note, *(f"The {name} does not know {artist}: it writes like no one in particular." for name in strangers)]
    heading, answer = note_html(" ".join(filter(None, notes))), {}
    for answer in lyrics.stream_measured(resources, requests):
        yield heading + cards(headed(answer))
    links = {answer[name]["text"]: link_query(one) for name, one in requests.items()}
    yield heading + cards(
        headed(answer), lambda text: originality_line(resources, text) + play_link(links[text], "Play it in Write")
    )


def headed(answer: dict[str, Any]) -> list[tuple[str, str]]:
    """Each model's lyric under its name and surprise."""
    return [(f"{model_label(name)}{bits_text(lyric)}", lyric["text"]) for name, lyric in answer.items()]


def show_eight(resources: Resources, prefix: str, artist: str, temperature: float, max_length: int, seed: int) -> str:
    """The surprise of eight songs by each model and its mean, as a chart in HTML."""
    request, _ = first_request(resources, prefix, artist, temperature, min(max_length, LENGTH), seed)
    requests = {
        f"{name} {number}": one
        for name, first in lyrics.of_each_model(resources, request).items()
        for number, one in enumerate(first.variants(EIGHT), 1)
    }
    *_, answer = lyrics.stream_measured(resources, requests)
    series = []
    for name in resources.model_names:
        bits = [answer[f"{name} {number}"]["bits_per_character"] or 0.0 for number in range(1, EIGHT + 1)]
        label = f"{model_label(name)}: {sum(bits) / EIGHT:.2f} bits a letter on average"
        series.append(Series(label, model_kind(name), [*enumerate(bits, 1)], "dot"))
    highest = max(value for one in series for _, value in one.points)
    y_ticks = [tick / 2 for tick in range(int(2 * highest) + 2)]
    description = f"Surprise of {EIGHT} songs by each model. {'; '.join(one.label for one in series)}"
    return line_chart(series, Axis("song", range(1, EIGHT + 1)), Axis("Surprise, bits a letter", y_ticks), description)


def show_temperatures(resources: Resources, prefix: str, artist: str, max_length: int, seed: int) -> str:
    """The lyrics of `/temperatures` by the default model, as static/stages.js draws them, with links that play them in Write."""
    request, _ = first_request(resources, prefix, artist, 1.0, max_length, seed)
    requests = lyrics.at_each_temperature(request)
    *_, answer = lyrics.stream_measured(resources, requests)
    name = model_label(resources.default_model)
    stops = []
    for value, lyric in answer.items():
        heading = f"{name}, {value}{bits_text(lyric)}"
        text = {"heading": heading, "text": lyric["text"], "link": link_query(requests[value])}
        stops.append({"name": value, "texts": [text]})
    return as_json({"label": "Temperature", "low": "safe", "high": "wild", "start": 1, "stops": stops})


def bits_text(lyric: dict[str, Any]) -> str:
    """The bits of a lyric in words, to follow a heading."""
    bits = lyric["bits_per_character"]
    return "" if bits is None else f": surprise {bits:.2f} bits a letter"


def show_curves(resources: Resources, by: str) -> str:
    """The learning curves of all models as HTML."""
    curves = {name: rows for name, rows in inside.learning_curves(resources).items() if rows}
    if not curves:
        return "<p>These models came without a learning curve.</p>"
    by = check_choice("by", by, CURVE_UNITS)
    axis, unit = CURVE_UNITS[by]
    series, ends = [], []
    for name, rows in curves.items():
        for column, mark in CURVES.items():
            points = [(row[by] / unit, row[column]) for row in rows if row.get(column) and row.get(by)]
            points = points[:: max(1, len(points) // MAX_POINTS)] if mark == "line" else points
            kinds = {"line": "training songs", "dot": "new songs", "diamond": "no covers"}
            if points:
                series.append(Series(f"{model_label(name)}, {kinds[mark]}", model_kind(name), points, mark))
        if last := next((row for row in reversed(rows) if row.get("val_bpc") and row.get(by)), None):
            bits = last.get("clean_bpc") or last["val_bpc"]
            ends.append(f"{model_label(name)}: {bits:.3f} after {last[by] / unit:.3g} {axis}")
    x_values = [x for one in series for x, _ in one.points]
    lowest = min((y for one in series for _, y in one.points), default=1.0)
    step = 10 ** len(str(int(max(x_values, default=1)))) / 10
    x_ticks = [step * number for number in range(int(max(x_values, default=1) / step) + 2)]
    y_ticks = [tick / 2 for tick in range(int(2 * lowest), int(2 * max(TOP_BITS, lowest + 0.5)) + 1)]
    description = f"Learning curves, bits a letter by {axis}; {'; '.join(ends)}"
    return line_chart(series, Axis(axis, x_ticks), Axis("Surprise, bits a letter", y_ticks), description)


def stages_json(resources: Resources) -> str:
    """What the models wrote at stages of their training, as static/stages.js draws it; '' where it was not kept."""
    texts: dict[int, list[dict[str, str]]] = {}
    for name in resources.model_names:
        for row in resources.model(name).checkpoint.samples:
            heading = f"{model_label(name)}, step {row['step']:,}"
            texts.setdefault(row["step"], []).append({"heading": heading, "text": row["text"][:SHOWN_OF_A_STAGE]})
    stops = [{"name": f"step {step:,}", "texts": texts[step]} for step in sorted(texts)]
    data = {"label": "After", "low": "start", "high": "end", "start": 0, "stops": stops}
    return as_json(data) if stops else ""
