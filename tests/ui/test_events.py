"""How page and API call functions: every handler is made in one place, gets the GPU if it runs a model, and raises one
sentence."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import get_type_hints

import gradio as gr
import pytest
from gradio.components import _Keywords
from gradio.state_holder import SessionState

from lyricgen.errors import ArgumentError
from lyricgen.generation.scheduler import MAX_BATCH_SIZE
from lyricgen.resources import Resources
from lyricgen.ui.events import (
    ANALYSIS_LIMIT,
    INTERNAL_ERROR_MESSAGE,
    PageBlocks,
    add_endpoint,
    bind_resources,
    complete_inputs,
    make_handler,
)
from lyricgen.ui.page import build_demo

NO_MODEL = {  # handlers and endpoints that run no model, so that a ZeroGPU Space need not allocate its GPU
    "about", "analogy", "analogy_benchmark", "bias", "check_prefix", "debiasing", "distance", "fill_sets",
    "learning_curves", "map", "neighbors", "open_link", "originality", "rhymes", "show_answers",
    "show_clusters", "show_curves", "show_occupations", "show_map",
    "selected_index", "show_random_words", "show_scores", "show_weat", "silence", "updates",
}  # fmt: skip


@pytest.fixture(scope="module")
def resources():
    return Resources(device="cpu")


@pytest.fixture(scope="module")
def handlers(resources):
    """What the page and the API call: (handler, its input components); but for gradio's own, which fill examples in."""
    demo = build_demo(resources)
    functions = [block for block in demo.fns.values() if block.fn is not None]
    return [(block.fn, block.inputs) for block in functions if not block.fn.__module__.startswith("gradio")]


def test_every_handler_is_made_in_one_place(handlers):
    assert len(handlers) > 50
    assert [handler.__name__ for handler, _ in handlers if not hasattr(handler, "uses_gpu")] == []


def test_only_what_runs_no_model_is_left_without_the_gpu(handlers):
    assert {handler.__name__ for handler, _ in handlers if not handler.uses_gpu} == NO_MODEL
    assert {"change_letter", "finish_song", "write_again", "write_song", "show_variants", "score"} <= {
        handler.__name__ for handler, _ in handlers if handler.uses_gpu
    }


def test_a_handler_without_the_gpu_runs_no_model(handlers, monkeypatch):
    ran, here = [], threading.get_ident()

    def record(self, *_, **__):
        if threading.get_ident() == here:  # a page of other tests may be open
            ran.append(self)
        raise ArgumentError("a model was run")

    monkeypatch.setattr(Resources, "run_on_model", record)
    monkeypatch.setattr(Resources, "stream_together", record)
    for handler, inputs in handlers:
        if not handler.uses_gpu and handler.__name__ not in (
            "selected_index",
            "silence",
        ):  # of a click
            run(handler, [component.value for component in inputs])
    assert ran == []
    score = next(handler for handler, _ in handlers if handler.__name__ == "score")
    with pytest.raises(gr.Error, match="a model was run"):
        score("a text", "any artist", "lstm")


def run(handler, values):
    """Runs a handler or a generator to its end; a refusal of the values that the page starts with is fine."""
    try:
        answer = handler(*values)
        if hasattr(answer, "__next__"):
            list(answer)
    except gr.Error as error:
        assert error.message != INTERNAL_ERROR_MESSAGE


def refuse(value):
    raise ArgumentError(f"value must be <b>, got {value}")


def refuse_later(value):
    yield value
    raise ArgumentError("value must be less")


def fail(value):
    return value / 0


def fail_later(value):
    yield value
    yield value / 0


def test_an_error_of_ours_is_one_sentence_with_markup_as_text():
    with pytest.raises(gr.Error) as caught:
        make_handler(refuse, gpu=True)(3)
    assert caught.value.message == "value must be &lt;b&gt;, got 3" and not caught.value.print_exception
    with pytest.raises(gr.Error) as caught:
        make_handler(refuse, gpu=True, as_text=True)("R & B")
    assert caught.value.message == "value must be <b>, got R & B"  # a client's
    stream = make_handler(refuse_later, gpu=True)(3)
    assert next(stream) == 3
    with pytest.raises(gr.Error, match="value must be less"):
        next(stream)


def test_a_fault_of_the_program_is_logged_and_hidden(caplog):
    with pytest.raises(gr.Error) as caught:
        make_handler(fail, gpu=False)(1)
    assert caught.value.message == INTERNAL_ERROR_MESSAGE and "ZeroDivisionError" in caplog.text
    with pytest.raises(gr.Error, match="on our side"):
        list(make_handler(fail_later, gpu=False)(1))


def test_an_endpoint_has_the_defaults_and_choices_of_what_is_loaded(tiny_folder, monkeypatch):
    """An endpoint's model defaulted to lstm where only vanilla-rnn could be loaded."""

    def endpoint(resources, text: str = "", artist: str = "any artist", model: str | None = None) -> list:
        return [resources, text, artist, model]

    monkeypatch.setattr("lyricgen.resources.bundled_models", lambda: ["vanilla-rnn"])
    resources = Resources(tiny_folder, "cpu")
    bound = bind_resources(endpoint, resources)
    with gr.Blocks() as demo:
        gr.api(make_handler(bound, gpu=False), api_name="endpoint")
    [description] = demo.get_api_info()["named_endpoints"].values()
    parameters = {parameter["parameter_name"]: parameter for parameter in description["parameters"]}
    assert list(parameters) == ["text", "artist", "model"]
    assert parameters["model"]["parameter_default"] == "vanilla-rnn"
    assert parameters["artist"]["python_type"]["type"] == "Literal['any artist', 'Ann', 'Bob']"
    assert bound("a", "Ann", "vanilla-rnn") == [resources, "a", "Ann", "vanilla-rnn"]


def test_a_stream_is_described_by_the_type_of_its_values(resources):
    """/generate's answer was described as Any once it was an annotated iterator."""

    def endpoint(resources, text: str = "") -> Iterator[str]:
        yield text

    with gr.Blocks() as demo:
        gr.api(make_handler(bind_resources(endpoint, resources), gpu=False), api_name="endpoint")
    [description] = demo.get_api_info()["named_endpoints"].values()
    assert [value["python_type"]["type"] for value in description["returns"]] == ["str"]


def test_every_parameter_of_the_api_is_named_and_described(resources):
    """'Use via API' showed 'The input value that is provided in the "1st" Api component' for each parameter."""
    demo = build_demo(resources)
    described = demo.get_api_info()["named_endpoints"]
    assert next(iter(described)) == "/generate"
    assert demo.description.startswith("lyricgen ")  # of openapi.json
    for name, endpoint in described.items():
        for parameter in endpoint["parameters"]:
            assert parameter["label"] == parameter["parameter_name"], (name, parameter)
            assert parameter["python_type"]["description"], (name, parameter)
        assert [value["label"] for value in endpoint["returns"]] == ["result"]
    for name, parameter in (
        ("/neighbors", "other"),
        ("/analogy_benchmark", "category"),
        ("/map", "method"),
        ("/score", "detail"),
    ):
        described_type = {each["parameter_name"]: each["python_type"]["type"] for each in described[name]["parameters"]}
        assert described_type[parameter].startswith("Literal["), (name, parameter)


def test_what_runs_a_model_shares_one_limit_and_lyrics_have_their_own(resources):
    """A crowd that asked for scores, neurons and attributions at once left the server no time for anybody else."""
    functions = [block for block in build_demo(resources).fns.values() if getattr(block.fn, "uses_gpu", False)]
    limits = {block.api_name: (block.concurrency_limit, block.concurrency_id) for block in functions}
    analysis = (ANALYSIS_LIMIT["concurrency_limit"], ANALYSIS_LIMIT["concurrency_id"])
    assert {limits[name] for name in ("score", "cells", "saliency", "attribute", "membership", "writer_bias")} == {
        analysis
    }
    assert limits["generate"] == (MAX_BATCH_SIZE, "lyrics") and "default" not in {limit for limit, _ in limits.values()}


@pytest.fixture(scope="module")
def endpoint(resources):
    """An endpoint of two parameters, and a handler of the page with two boxes."""

    def add(resources, first: str = "a", second: int = 2) -> str:
        return first * second

    with gr.Blocks() as demo:
        add_endpoint(resources, add, gpu=False)
        boxes = [gr.Textbox(label="First words"), gr.Number(elem_id="count")]
        boxes[0].submit(lambda *values: None, boxes)
    return list(demo.fns.values())


def test_the_last_values_of_an_endpoint_may_be_missing(endpoint):
    assert complete_inputs(endpoint[0], ["b"]) == ["b", 2] and complete_inputs(endpoint[0], []) == ["a", 2]


def test_missing_inputs_of_the_page_are_named(endpoint):
    """The answer was {"error": null}, and a traceback in the log."""
    with pytest.raises(gr.Error) as caught:
        complete_inputs(endpoint[1], [])
    assert caught.value.message == "2 inputs are missing: First words, count" and not caught.value.print_exception


@pytest.mark.parametrize("nest", [lambda file: file, lambda file: [file], lambda file: {"a": [file]}])
def test_a_file_is_refused_by_name_before_gradio_copies_or_fetches_it(endpoint, nest):
    file = {"path": "/etc/passwd", "url": "http://127.0.0.1/", "meta": {"_type": "gradio.FileData"}}
    with pytest.raises(gr.Error) as caught:
        complete_inputs(endpoint[0], ["b", nest(file)])
    assert caught.value.message == "second must be a plain value, got a file" and not caught.value.print_exception


def test_what_an_endpoint_returns_is_not_searched_for_files(monkeypatch):
    """gradio searched a long score twice, for a tenth of a second in which its event loop did nothing else."""

    async def search(*_):
        raise AssertionError

    def example(resources) -> dict:
        return {"path": "a", "meta": {"_type": "gradio.FileData"}}

    monkeypatch.setattr("gradio.processing_utils.async_move_files_to_cache", search)
    with PageBlocks() as demo:
        add_endpoint(Resources(), example, gpu=False)
    (endpoint,) = demo.fns.values()
    result = endpoint.fn()
    with ThreadPoolExecutor(1) as thread:  # a browser of other tests may have a loop in this one
        for returned, shown in ((result, [result]), (_Keywords.FINISHED_ITERATING, [None])):
            assert thread.submit(asyncio.run, demo.postprocess_data(endpoint, returned, None)).result() == shown


def test_annotations_of_an_endpoint_are_not_evaluated_at_each_call(endpoint):
    assert get_type_hints(endpoint[0].fn) == {} and endpoint[0].inputs[1].api_info()["type"] == "integer"


def test_of_a_visitor_neither_configuration_nor_values_are_kept():
    """gradio made the configuration of all components for each call: 40 ms of its event loop."""
    with PageBlocks() as demo:
        box = gr.Textbox("a")
        box.submit(lambda text: text, box, box)
    visitor = SessionState(demo)
    assert visitor.config_values == {}
    visitor._update_value_in_config(box._id, "a secret")
    visitor[box._id] = gr.Textbox("a secret", render=False)
    assert list(visitor.components) == [] and "a secret" not in str(visitor.config_values)
    assert visitor.blocks_config.fns == demo.fns and demo.get_config_file()["components"][0]["props"]["value"] == "a"
