"""Verbs of the shell made from endpoints: the parameters are flags, the answer is printed as JSON."""

import argparse
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import Any

from lyricgen.file_kinds import text_encoding

ENDPOINT_VERBS = {
    "compare": ("lyrics", "write one lyric with each model, with their bits per character"),
    "temperatures": ("lyrics", "write one lyric at each of five temperatures"),
    "alternatives": ("inside", "list the most likely characters at a position of a text"),
    "cells": ("inside", "follow a hidden unit along a text, and find units for features of it"),
    "saliency": ("inside", "list the influence of each earlier character on the prediction of one"),
    "writer-bias": ("inside", "compare the probabilities of 'he' and 'she' after occupations"),
    "learning-curves": ("inside", "list the learning curve of each model"),
    "analogy-benchmark": ("words", "evaluate a vector space on the Google analogy test set"),
    "debiasing": ("words", "remove the gender direction, and measure what is left"),
}
"""Module of the endpoint, and one line of help, by verb."""
TEXTS = ("text", "prefix")
"""The parameters without a flag."""
STDIN_HELP = "-: read it from standard input"


def run_endpoint(verb: str, arguments: Sequence[str]) -> Any:
    """The answer of an endpoint to the flags of its verb; of a stream the last value.

    Args:
        verb: one of `ENDPOINT_VERBS`.
        arguments: the command line after the verb.

    Raises:
        LyricGenError: as the endpoint.
    """
    from lyricgen.command_resources import CommandResources
    from lyricgen.devices import use_one_thread

    options = make_parser(verb).parse_args(arguments)
    use_one_thread()
    values = {name: value for name, value in vars(options).items() if name != "json"}
    values |= {name: text_or_stdin(values[name]) for name in TEXTS if name in values}
    answer = endpoint_of(verb)(CommandResources(), **values)
    if isinstance(answer, Iterator):
        *_, answer = answer
    return answer


def endpoint_of(verb: str) -> Callable:
    """The endpoint of a verb."""
    return getattr(import_module(f"lyricgen.endpoints.{ENDPOINT_VERBS[verb][0]}"), verb.replace("-", "_"))


def make_parser(verb: str) -> argparse.ArgumentParser:
    """The flags of a verb: the endpoint's parameters with their defaults; those of `TEXTS` have no flag."""
    endpoint = endpoint_of(verb)
    summary, _, described = inspect.cleandoc(endpoint.__doc__ or "").partition("\nArgs:\n")
    helps = dict(re.findall(r"^    (\w+): (.+?)(?=\n    \w|\Z)", described, re.MULTILINE | re.DOTALL))
    parser = argparse.ArgumentParser(f"lyricgen {verb}", description=summary)
    for name, parameter in list(inspect.signature(endpoint).parameters.items())[1:]:
        meaning = " ".join(helps[name].split()).rstrip(".")
        known = "" if parameter.default is None else f" (default: {parameter.default})"
        kind = parameter.annotation if parameter.annotation in (int, float) else str
        if name in TEXTS:
            text = f"{meaning}; {STDIN_HELP}".replace("%", "%%")
            parser.add_argument(name, nargs="?", default=parameter.default, metavar=name.upper(), help=text)
        else:
            flag = f"--{name.replace('_', '-')}"
            parser.add_argument(flag, type=kind, default=parameter.default, help=f"{meaning}{known}".replace("%", "%%"))
    parser.add_argument("--json", action="store_true", help="as without it: the answer is always JSON")
    return parser


def text_or_stdin(text: str) -> str:
    """The text, or for '-' standard input (UTF-8, or UTF-16 with a byte order mark) without its final newline; '' where it is closed."""
    if text != "-":
        return text
    content = sys.stdin.buffer.read() if sys.stdin is not None else b""
    return content.decode(text_encoding(content), "replace").removesuffix("\n").removesuffix("\r")
