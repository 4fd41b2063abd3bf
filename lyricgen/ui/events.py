"""Handlers of the page and the API: event presets, ZeroGPU, and errors as one sentence."""

import html
import inspect
import logging
from collections.abc import Callable, Iterator, Sequence
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, Literal, cast, get_args, get_origin

import gradio as gr
from gradio.block_function import BlockFunction
from gradio.blocks import BlocksConfig
from gradio.components import _Keywords
from gradio.components.api_component import Api
from gradio.context import get_blocks_context
from gradio.utils import get_function_description

from lyricgen.devices import with_gpu
from lyricgen.errors import LyricGenError
from lyricgen.models.text import ANY_ARTIST
from lyricgen.words.analogy_benchmark import ALL, google_questions

if TYPE_CHECKING:
    from lyricgen.resources import Resources

log = logging.getLogger("lyricgen")
INTERNAL_ERROR_MESSAGE = "Something went wrong on our side; it has been logged. Please try again."
PRIVATE_EVENT: dict[str, Any] = {"api_visibility": "private", "preprocess": False, "show_progress": "minimal"}
"""An event of the page alone, not of the API; values arrive unprocessed, so that our own checks see them."""
RUN_ONCE_EVENT: dict[str, Any] = {**PRIVATE_EVENT, "trigger_mode": "once"}
LATEST_EVENT: dict[str, Any] = {**PRIVATE_EVENT, "trigger_mode": "always_last"}
"""An event of the page whose last trigger counts: one that comes while it runs follows."""
SILENT_EVENT: dict[str, Any] = {**PRIVATE_EVENT, "show_progress": "hidden"}
IMMEDIATE_EVENT: dict[str, Any] = {**SILENT_EVENT, "queue": False}
BROWSER_EVENT: dict[str, Any] = {"api_visibility": "private", "queue": False}
"""An event that runs a script alone."""

ANALYSIS_LIMIT: dict[str, Any] = {"concurrency_limit": 2, "concurrency_id": "analysis"}
"""Of all that runs a model beside the lyrics, which are batched: calls at once, as many as a small server has cores."""


class PageConfig(BlocksConfig):
    """gradio's register of the page's components and events. Of each visitor gradio keeps a copy and, for links that are not offered
    here, the configuration and the last values of all components: 400 kB that take the one event loop 40 ms. The copies have none."""

    def __copy__(self) -> BlocksConfig:
        copied: Any = super().__copy__()
        copied.config_for_block = lambda *_: {}
        copied.blocks = _UnlistedBlocks(copied.blocks)
        return copied


class _UnlistedBlocks(dict):
    """The components of a visitor's copy, by id. gradio lists them for that configuration alone."""

    def items(self) -> Any:
        return ()


class PageBlocks(gr.Blocks):
    """`gr.Blocks` that checks what clients send before gradio does, keeps no copy of it, and has a small configuration."""

    description = ""
    """Of the API, in openapi.json."""

    def __init__(self, **settings: Any):
        super().__init__(**settings)
        self.default_config = PageConfig(self)

    def get_config_file(self) -> Any:
        """gradio's configuration, in which each component's API type stands once: it is a fifth of the page on the wire."""
        config = super().get_config_file()
        for component in config["components"]:
            for copy in ("api_info_as_input", "api_info_as_output"):  # gradio falls back to api_info
                if copy in component and component[copy] == component.get("api_info"):
                    del component[copy]
            component["props"].pop("_api_info", None)  # of an `Api`
        return config

    async def preprocess_data(self, block_fn: BlockFunction, inputs: list[Any], *arguments: Any, **named: Any) -> Any:
        return await super().preprocess_data(block_fn, complete_inputs(block_fn, inputs), *arguments, **named)

    async def postprocess_data(self, block_fn: BlockFunction, predictions: Any, state: Any) -> list[Any]:
        """The outputs of an event. The result of an endpoint stays as it is: gradio would look for files in all that it holds,
        twice, and nothing else runs in the event loop meanwhile."""
        if (
            any(isinstance(output, Api) for output in block_fn.outputs)
            and predictions is not _Keywords.FINISHED_ITERATING
        ):
            return [predictions]
        return await super().postprocess_data(block_fn, predictions, state)


def complete_inputs(function: BlockFunction, inputs: list[Any]) -> list[Any]:
    """The values of all inputs: an endpoint takes fewer, as plain HTTP clients of an earlier version send them, and the last ones
    get their defaults.

    Raises:
        gr.Error: inputs of a handler of the page are missing, or one is a file.
    """
    for component, value in zip(function.inputs, inputs, strict=False):
        if _holds_file(value):
            raise gr.Error(f"{_input_name(component)} must be a plain value, got a file", print_exception=False)
    missing: Sequence[Any] = function.inputs[len(inputs) :]
    if not all(isinstance(component, Api) for component in missing):  # of an endpoint, see `add_endpoint`
        names = ", ".join(map(_input_name, missing))
        raise gr.Error(f"{len(missing)} inputs are missing: {names}", print_exception=False)
    return [*inputs, *(component.value for component in missing)]


def _input_name(component: Any) -> str:
    return component.label or component.elem_id or type(component).__name__.lower()


def _holds_file(value: Any) -> bool:
    """Whether a value is or holds what gradio takes for a file and would copy or download."""
    if isinstance(value, dict):
        return "path" in value and "meta" in value or any(map(_holds_file, value.values()))
    return isinstance(value, list) and any(map(_holds_file, value))


def listen(
    triggers: Callable | Sequence[Callable],
    function: Callable,
    inputs: Any = None,
    outputs: Any = None,
    *,
    gpu: bool = True,
    busy: gr.Button | None = None,
    **settings: Any,
) -> gr.events.Dependency:
    """Registers a handler of the page's events.

    Args:
        triggers: an event such as `button.click`, an earlier event's `then`, or several events.
        function: see `make_handler`.
        inputs: input components.
        outputs: output components.
        gpu: whether the function runs a model.
        busy: the button that shows that it runs.
        settings: of the event: one of the presets, and overrides.
    """
    register = triggers if callable(triggers) else partial(gr.on, triggers)
    if busy is None:
        return register(make_handler(function, gpu), inputs, outputs, **with_limit(settings, gpu))
    count = len(inputs) if isinstance(inputs, list) else int(inputs is not None)
    started = f"(...values) => {{ lyricgen.setBusy('{busy.elem_id}', true); return values.slice(0, {count}); }}"
    event = register(make_handler(function, gpu), inputs, outputs, js=started, **with_limit(settings, gpu))
    run_after(event, not_busy(busy))
    return event


def run_after(event: gr.events.Dependency, script: str) -> None:
    """Runs a script after an event, a failed one too: gradio's page runs no `then` after an error of the server."""
    for register in (event.then, event.failure):
        register(None, None, None, js=script, **BROWSER_EVENT)


def not_busy(button: gr.Button) -> str:
    """The script after which a button no longer shows that something runs."""
    return f"() => {{ lyricgen.setBusy('{button.elem_id}', false); }}"


def add_endpoint(resources: "Resources", function: Callable, *, gpu: bool = True, **settings: Any) -> None:
    """Registers a function of `lyricgen.endpoints` in the API, under its name; `gpu` and `settings` as for `listen`."""
    handler = make_handler(bind_resources(function, resources), gpu, as_text=True)
    gr.api(handler, api_name=function.__name__, **with_limit(settings, gpu))
    describe_parameters(list(cast(Any, get_blocks_context()).fns.values())[-1], handler)
    handler.__annotations__ = {}  # gradio would evaluate them for each call, in the event loop


def with_limit(settings: dict[str, Any], gpu: bool) -> dict[str, Any]:
    """The settings of an event with `ANALYSIS_LIMIT`, if it runs a model and has no limit of its own."""
    return {**ANALYSIS_LIMIT, **settings} if gpu and "concurrency_limit" not in settings else settings


def describe_parameters(endpoint: BlockFunction, handler: Callable) -> None:
    """Gives an endpoint's parameters their names and their lines of the docstring, which 'Use via API' and openapi show."""
    described = get_function_description(handler)[1]
    for component, name in zip(endpoint.inputs, inspect.signature(handler).parameters, strict=True):
        if isinstance(component, Api):
            component.label = name
            component._api_info = {**component._api_info, "additional_description": described.get(name, "")}
    for component in endpoint.outputs:
        if isinstance(component, Api):
            component.label = "result"


def make_handler(function: Callable, gpu: bool, as_text: bool = False) -> Callable:
    """The handler that gradio calls in place of a function or generator.

    Args:
        function: takes the components' values.
        gpu: whether it runs a model: a ZeroGPU Space allocates its GPU to each such call, in a separate process. A function that
            runs no model stays in the app's process, where its caches last, and waits for no GPU.
        as_text: whether messages of errors are for a client; the page shows them as HTML.
    """
    handler: Any = raises_gradio_error(function, as_text)
    handler.__name__ = getattr(function, "__name__", None) or cast(partial, function).func.__name__
    inner = function.func if isinstance(function, partial) else function
    handler.__annotations__ = getattr(function, "__annotations__", None) or inner.__annotations__  # for gr.EventData
    handler.uses_gpu = gpu
    return with_gpu(handler) if gpu else handler


def bind_resources(function: Callable, resources: "Resources") -> Callable:
    """An endpoint as a function of its parameters alone, for `gr.api`, with the loaded models, artists and vector spaces as
    choices and defaults."""
    artists = [ANY_ARTIST, *resources.artists()]
    choices = {
        "artist": artists,
        "second_artist": artists,
        "model": resources.model_names,
        "vectors": resources.space_names,
        "other": ["", *resources.space_names],
        "category": [ALL, *google_questions()],
    }
    defaults = {
        "model": resources.default_model,
        "second_artist": ANY_ARTIST,
        "vectors": next(iter(resources.space_names), ""),
    }
    parameters = []
    for name, parameter in list(inspect.signature(function).parameters.items())[1:]:
        annotation = Literal[tuple(choices[name])] if choices.get(name) else parameter.annotation
        default = defaults[name] if parameter.default is None else parameter.default
        parameters.append(parameter.replace(annotation=annotation, default=default))
    returns = inspect.signature(function).return_annotation
    if get_origin(returns) is Iterator:  # a stream is described by its values
        (returns,) = get_args(returns)
    bound: Any = wraps(function)(partial(function, resources))
    bound.__signature__ = inspect.Signature(parameters, return_annotation=returns)
    bound.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters} | {"return": returns}
    return bound


def raises_gradio_error(handler: Callable, as_text: bool = False) -> Callable:
    """`handler` (a function or a generator) with its errors raised as `gr.Error`: ours with their message, others without.

    Args:
        handler: the function.
        as_text: whether a message stays as it is; else it becomes HTML.
    """
    if inspect.isgeneratorfunction(handler):

        @wraps(handler)
        def guarded(*values: Any) -> Any:
            try:
                yield from handler(*values)
            except Exception as error:
                raise _to_gradio(error, as_text) from None
    else:

        @wraps(handler)
        def guarded(*values: Any) -> Any:
            try:
                return handler(*values)
            except Exception as error:
                raise _to_gradio(error, as_text) from None

    return guarded


def _to_gradio(error: Exception, as_text: bool) -> gr.Error:
    if isinstance(error, gr.Error):
        return error
    if isinstance(error, LyricGenError):
        message = str(error)
        return gr.Error(message if as_text else html.escape(message, quote=False), print_exception=False)
    log.exception("a handler failed", exc_info=error)
    return gr.Error(INTERNAL_ERROR_MESSAGE, print_exception=False)
