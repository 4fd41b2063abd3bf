"""Our errors, and those that nobody foresaw, as one sentence on the page and in the client."""

import html
import inspect
import logging
from collections.abc import Callable
from functools import wraps

import gradio as gr

from lyricgen.errors import LyricGenError

log = logging.getLogger("lyricgen")
INTERNAL_ERROR_MESSAGE = "Something went wrong on our side; it has been logged. Please try again."


def raises_gradio_error(handler: Callable) -> Callable:
    """`handler` (a function or a generator) with its errors raised as `gr.Error`: ours as they are, others hidden."""
    if inspect.isgeneratorfunction(handler):

        @wraps(handler)
        def speak(*values):
            try:
                yield from handler(*values)
            except Exception as error:
                raise _to_gradio(error) from None
    else:

        @wraps(handler)
        def speak(*values):
            try:
                return handler(*values)
            except Exception as error:
                raise _to_gradio(error) from None

    return speak


def _to_gradio(error: Exception) -> gr.Error:
    if isinstance(error, gr.Error):
        return error
    if isinstance(error, LyricGenError):
        return gr.Error(html.escape(str(error), quote=False), print_exception=False)
    log.exception("a handler failed", exc_info=error)
    return gr.Error(INTERNAL_ERROR_MESSAGE, print_exception=False)
