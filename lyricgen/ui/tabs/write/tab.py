"""Write: first words and an artist in, a song out, played letter by letter; `/generate`, `/variants`, `/check_prefix`,
`/alternatives`."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from lyricgen.endpoints import lyrics as endpoints
from lyricgen.endpoints.completions import completions
from lyricgen.endpoints.inside import alternatives
from lyricgen.endpoints.lyrics import make_request, stream_variants
from lyricgen.errors import LyricGenError
from lyricgen.generation.request import GenerationRequest
from lyricgen.generation.scheduler import MAX_BATCH_SIZE
from lyricgen.generation.settings import MAX_VARIANTS
from lyricgen.models.text import ANY_ARTIST
from lyricgen.resources import Resources
from lyricgen.ui.components import as_json, cards, originality_line, static
from lyricgen.ui.events import BROWSER_EVENT, RUN_ONCE_EVENT, SILENT_EVENT, add_endpoint, listen, run_after
from lyricgen.ui.inline_errors import alert, error_line, with_error_line
from lyricgen.ui.tabs.write.checks import artists_card, copied_card
from lyricgen.ui.tabs.write.first_song import ARTIST, SETTINGS, WORDS, first_song
from lyricgen.ui.tabs.write.settings import MoreSettings, create_more_settings
from lyricgen.ui.tabs.write.song import (
    MIX,
    check_cut,
    fit_length,
    fit_strategy,
    link_query,
    note_html,
    play_link,
    read_draft,
    read_song,
    stream_song,
    with_note,
)
from lyricgen.ui.tabs.write.verse import create_verse_panel

CHIPS = (  # first words, artist
    ("i left my coat on the last train ", "Taylor Swift"),
    ("counting every step ", "Beyoncé"),
    ("morning came too soon ", "Drake"),
)
CLICK_WRITE = "() => { if (!document.body.classList.contains('writing')) document.querySelector('#write').click(); }"
IDLE = "() => { document.body.classList.remove('writing'); }"
SIDE_BY_SIDE = 4  # songs at once
VARIANTS_LIMIT: dict[str, Any] = {"concurrency_limit": MAX_BATCH_SIZE // MAX_VARIANTS}  # concurrent calls
CALL_LIMIT: dict[str, Any] = {"concurrency_limit": MAX_BATCH_SIZE, "concurrency_id": "lyrics"}
WRITING: dict[str, Any] = {**RUN_ONCE_EVENT, **CALL_LIMIT, "show_progress": "hidden"}  # the song itself shows it
LOOK_INSIDE = '<button type="button" class="link" data-open="inside/letters">Look inside</button>'
WARNING = "It learnt from real songs, explicit ones among them. Clean words leaves listed strong words and slurs out."


@dataclass(frozen=True, eq=False)
class WriteTab:
    """What the rest of the page needs of this tab."""

    lyrics: gr.Textbox
    """The song's text; hidden."""
    artist: gr.Dropdown
    prefix: gr.Textbox
    temperature: gr.Number
    settings: MoreSettings
    written: list[gr.events.Dependency]
    """The events that end with a song."""
    use: gr.Button
    """Clicked by page.js where the song is to be looked at in another tab; hidden."""


def create_write_tab(resources: Resources) -> WriteTab:
    """Adds the tab's components and endpoints."""
    _add_endpoints(resources)
    first = first_song(resources)
    prefix, artist, write, stop = _create_ask(resources)
    problem = error_line("problem")
    chips = _create_chips(resources)
    song = gr.HTML(
        first["song"], html_template="", js_on_load=static("song.js"), apply_default_css=False, elem_id="song"
    )
    lyrics = gr.Textbox(first["text"], visible=False, label="Song")
    temperature = gr.Number(SETTINGS["temperature"], visible=False, label="Temperature")
    use = gr.Button("Use this song", visible="hidden", elem_id="use-song")
    with gr.Row(elem_classes="three"):
        gr.HTML('<h2>How surprised was it?</h2><div id="strip"></div>' + LOOK_INSIDE, elem_id="surprise")
        copied = gr.HTML(first["copied"], elem_id="copied")
        artists = gr.HTML(first["artists"], elem_id="artists")
    gr.Markdown(WARNING, elem_classes="soft")
    settings = create_more_settings(resources)
    asked = [prefix, settings.model, artist, temperature, settings.seed, *settings.others.values()]
    names = ("artist", "temperature", "seed", *settings.others)
    outputs = [song, lyrics, problem]
    start = partial(write_song, resources, names)
    writing = listen([write.click, prefix.submit], start, asked, outputs, **WRITING)
    again = listen(song.retry, partial(write_again, resources, names), asked, outputs, **WRITING)
    change = partial(change_letter, resources, names)
    changing = listen(song.select, change, [lyrics, *asked[1:]], outputs, **WRITING)
    song.release(None, None, temperature, js="() => lyricgen.temperature", **BROWSER_EVENT)
    written = [writing, again, changing]
    for event in written:
        run_after(event, IDLE)
        answer = partial(show_answers, resources)
        listen(event.then, answer, lyrics, [copied, artists], gpu=False, queue=False, **SILENT_EVENT)
    for chip, values in chips:
        chosen = chip.click(None, None, [prefix, artist], js=values, **BROWSER_EVENT)
        chosen.then(None, None, None, js=CLICK_WRITE, **BROWSER_EVENT)
    create_verse_panel(resources, names, asked[1:])
    side_by_side = _create_variants(resources, names, asked)
    _create_your_songs()
    stopped = stop.click(None, None, None, cancels=[*written, side_by_side], api_visibility="private")
    finish = {**SILENT_EVENT, "trigger_mode": "multiple"}  # one that was cancelled counts as running
    finished = listen(stopped.then, partial(finish_song, resources), song, song, **finish)
    another = [write.click, prefix.submit, song.retry, song.select]
    gr.on(another, None, None, None, cancels=[finished], api_visibility="private")
    return WriteTab(lyrics, artist, prefix, temperature, settings, [*written, finished], use)


def _add_endpoints(resources: Resources) -> None:
    """The endpoints of the tab, before those of its panels: `/generate` is the first of the API."""
    add_endpoint(resources, endpoints.generate, **CALL_LIMIT)
    add_endpoint(resources, endpoints.variants, **VARIANTS_LIMIT)
    add_endpoint(resources, endpoints.check_prefix, gpu=False, queue=False)
    add_endpoint(resources, completions, api_visibility="private", **CALL_LIMIT)
    add_endpoint(resources, alternatives)


def _create_ask(resources: Resources) -> tuple[gr.Textbox, gr.Dropdown, gr.Button, gr.Button]:
    """First words, artist, and the buttons that write and stop; one takes the other's place."""
    choices = [("no one in particular", ANY_ARTIST), *((artist, artist) for artist in resources.artists())]
    with gr.Row(elem_id="ask", equal_height=True):
        prefix = gr.Textbox(
            WORDS,
            label="First words",
            placeholder="How should the song start? Empty: the model decides.",
            max_lines=1,
            elem_id="prefix",
            container=True,
            scale=4,
            min_width=240,
        )
        artist = gr.Dropdown(
            choices,
            value=ARTIST if ARTIST in resources.artists() else ANY_ARTIST,
            label="In the style of",
            elem_id="artist",
            scale=1,
            min_width=170,
        )
        write = gr.Button("Write a song", variant="primary", elem_id="write", scale=0, min_width=140)
        stop = gr.Button("Stop", variant="stop", elem_id="stop", scale=0, min_width=140)
    return prefix, artist, write, stop


def _create_chips(resources: Resources) -> list[tuple[gr.Button, str]]:
    """Buttons that fill in first words and an artist and write; each with the script that fills them in."""
    known, chips = resources.artists(), []
    with gr.Row(elem_id="chips"):
        gr.HTML("<span>Or try</span>", elem_id="or-try", padding=False)
        for words, artist in CHIPS:
            values = as_script([words, artist if artist in known else ANY_ARTIST])
            chips.append((gr.Button(words.strip(), elem_classes="chip", size="sm", scale=0), values))
        choices = as_script(known or [ANY_ARTIST])
        surprise = gr.Button("surprise me", elem_classes="chip", size="sm", scale=0)
        chips.append((surprise, f"() => lyricgen.surprise(({choices})())"))
    return chips


def as_script(values: list[str]) -> str:
    """A script that returns these texts."""
    return f"() => {as_json(values)}"


def _create_variants(resources: Resources, names: tuple[str, ...], asked: list) -> gr.events.Dependency:
    """The panel that writes several songs side by side; returns the event that writes."""
    with gr.Accordion("Four at once", open=False, elem_id="four"):
        write = gr.Button("Write four songs", elem_id="write-variants")
        problem = error_line("four-error")
        side_by_side = gr.HTML(elem_id="variants")
    show = with_error_line(partial(show_variants, resources, names), 1)
    outputs = [problem, side_by_side]
    return listen(write.click, show, asked, outputs, busy=write, **RUN_ONCE_EVENT, **VARIANTS_LIMIT)


def _create_your_songs() -> None:
    """The panel of the songs that this browser keeps; nothing of it reaches the server."""
    with gr.Accordion("Your songs", open=False, elem_id="your-songs"):
        gr.HTML(html_template="", js_on_load=static("songs.js"), apply_default_css=False, elem_id="song-list")


def request_from_page(
    resources: Resources, names: tuple[str, ...], prefix: str, model: str, *values: Any, **changed: Any
) -> GenerationRequest:
    """A request with the values of the settings of those names, some of them changed; a length that is too short for the prefix
    is raised.

    Raises:
        ArgumentError: a setting is not allowed.
    """
    settings, note = fit_length(prefix, dict(zip(names, values, strict=True)) | changed)
    if settings.get("artist") == ANY_ARTIST:
        settings["guidance"] = 1.0  # it has no effect, and was not asked for
    return with_note(make_request(resources, prefix, model, **fit_strategy(settings)), note)


def write_song(resources: Resources, names: tuple[str, ...], prefix: str, *values: Any) -> Iterator[tuple]:
    """The song as it grows, its text and '', or the sentence of what was wrong."""
    yield from _stream(lambda: request_from_page(resources, names, prefix, *values), resources, len(prefix))


def write_again(
    resources: Resources, names: tuple[str, ...], event: gr.EventData, prefix: str, *values: Any
) -> Iterator[tuple]:
    """As `write_song`, with a seed; a song that was changed goes on from where it was changed."""
    changed = getattr(event, "changed", None)
    if not isinstance(changed, str):
        make = partial(request_from_page, resources, names, prefix, *values, seed=event.seed)
        return (yield from _stream(make, resources, len(prefix)))
    make = partial(request_from_page, resources, names, changed, *values, seed=event.seed)
    yield from _stream(make, resources, event.given, len(changed))


def change_letter(
    resources: Resources, names: tuple[str, ...], event: gr.EventData, text: str, *values: Any
) -> Iterator[tuple]:
    """The song as it goes on from the letter or the words that were chosen, with the same seed."""

    def make() -> GenerationRequest:
        prefix = check_cut(text, event.index, event.letters)
        return request_from_page(resources, names, prefix, *values, seed=event.seed)

    yield from _stream(make, resources, event.given, event.index)


def _stream(make: Any, resources: Resources, given: Any, start: Any = None) -> Iterator[tuple]:
    """A song, or the sentence of what was wrong; `start` is the letter from which a changed one is played."""
    try:
        request = make()
    except LyricGenError as error:
        yield gr.skip(), gr.skip(), alert(error)
        return
    given = min(given, len(request.prefix)) if isinstance(given, int) else 0
    changed = {"changed": len(request.prefix)} if isinstance(start, int) else {}
    for song, text in stream_song(resources, request, given, start if changed else given, **changed):
        yield song, text, ""


def finish_song(resources: Resources, song: str) -> Any:
    """A song that was stopped, with its model's predictions of what there is of it."""
    facts = read_draft(song)
    if facts is None:
        return gr.skip()
    mix = {name: facts[name] for name in MIX if name in facts}
    request = make_request(resources, "", facts.get("model"), artist=facts.get("artist") or ANY_ARTIST, **mix)
    return as_json({**facts, **read_song(resources, request, facts["text"])})


def show_answers(resources: Resources, text: str) -> tuple[str, str]:
    """Whether the song copied, and whom it sounds like."""
    return copied_card(resources, text), artists_card(resources, text)


def show_variants(resources: Resources, names: tuple[str, ...], *asked: Any) -> Iterator[str]:
    """The songs so far as cards; the finished ones with what they copied. They are sampled: another strategy writes one song."""
    request = request_from_page(resources, names, *asked, strategy="sample")
    lyrics: list[dict] = []
    for lyrics in stream_variants(resources, request, SIDE_BY_SIDE):
        yield cards(headed(lyrics))
    links = {lyric["text"]: link_query(request.with_settings(seed=lyric["seed"])) for lyric in lyrics}
    yield note_html(" ".join(request.notes)) + cards(
        headed(lyrics), lambda text: originality_line(resources, text) + play_link(links[text], "Play this one")
    )


def headed(lyrics: list[dict]) -> list[tuple[str, str]]:
    """Each lyric under its seed."""
    return [(f"Song no. {lyric['seed']}", lyric["text"]) for lyric in lyrics]
