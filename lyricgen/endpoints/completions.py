"""Completions in the form of OpenAI's API, as evaluation harnesses request them; `ui/completions.py` serves them as `/v1/completions`.

A token is a character. Log-probabilities are natural logarithms of the model's own predictions, before temperature and top_p; the
first character of a prompt has one too, since the models predict how songs begin. Shapes: T characters, C = 100 classes.
"""

import secrets
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch

from lyricgen.analysis.scoring import read_log_probs
from lyricgen.endpoints.lyrics import UPDATE_INTERVAL, seed_or_random
from lyricgen.errors import ArgumentError, LyricGenError
from lyricgen.generation.request import GenerationRequest
from lyricgen.generation.settings import MAX_LYRIC_LENGTH, MAX_VARIANTS, GenerationSettings
from lyricgen.models.vocabulary import CHARACTERS, NUM_CLASSES, OOV_LABEL, token_ids_to_str
from lyricgen.validation import check_integer, check_switch, check_text, short_repr

if TYPE_CHECKING:
    from lyricgen.resources import Resources

DEFAULTS: dict[str, Any] = {"max_tokens": 16, "temperature": 1.0, "top_p": 1.0, "n": 1, "echo": False}
"""Those of OpenAI's API, for fields that are missing or null."""
NOT_OFFERED = {"stream": False, "suffix": "", "logit_bias": {}, "presence_penalty": 0, "frequency_penalty": 0}
"""Fields that are refused unless they have their default."""
MAX_LOGPROBS = 5  # most likely characters reported per position
MAX_STOPS = 4  # texts at which a completion ends


def completions(resources: "Resources", body: dict) -> dict:
    """Completes prompts; in and out are JSON objects of OpenAI's completions, see docs/api.md.

    Args:
        body: prompt, model, max_tokens, temperature, top_p, seed, n, echo, logprobs, stop, and artist.
    """
    try:
        return complete(resources, body)
    except LyricGenError as error:
        return failure(str(error))


def failure(message: str, kind: str = "invalid_request_error") -> dict:
    """An error as OpenAI's API reports it."""
    return {"error": {"message": message, "type": kind, "param": None, "code": None}}


def complete(resources: "Resources", body: Mapping[str, Any]) -> dict:
    """The completion of a request's prompts.

    Raises:
        ArgumentError: a field is not allowed.
    """
    fields = {**DEFAULTS, **{name: value for name, value in body.items() if value is not None}}
    for name, default in NOT_OFFERED.items():
        if fields.get(name, default) != default:
            raise ArgumentError(f"{name} must be {default!r} or left out, got {short_repr(fields[name])}")
    echo, stops = check_switch("echo", fields["echo"]), _read_stops(fields.get("stop", []))
    logprobs = check_integer("logprobs", fields["logprobs"], 0, MAX_LOGPROBS) if "logprobs" in fields else None
    count = check_integer("n", fields["n"], 1, MAX_VARIANTS)
    requests = _make_requests(resources, fields, count)
    choices, completion_tokens = [], 0
    for index, (request, text) in enumerate(zip(requests, _write(resources, requests, stops), strict=True)):
        start = len(request.prefix)
        stop = _first_stop(text[start:], stops)
        text = text if stop is None else text[: start + stop]
        shown = 0 if echo else start
        choices.append(
            {
                "text": text[shown:],
                "index": index,
                "logprobs": None if logprobs is None else _log_probs(resources, request, text, shown, logprobs),
                "finish_reason": "length" if stop is None else "stop",
            }
        )
        completion_tokens += len(text) - start
    prompt_tokens = sum(len(request.prefix) for request in requests) // count
    return {
        "id": f"cmpl-{secrets.token_hex(12)}",
        "object": "text_completion",
        "created": int(time.time()),
        "model": requests[0].model_name,
        "choices": choices,
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": prompt_tokens + completion_tokens,
        },
    }


def _make_requests(resources: "Resources", fields: Mapping[str, Any], count: int) -> list[GenerationRequest]:
    """A request for each completion: `count` for each prompt, with consecutive seeds."""
    prompts = _read_prompts(fields.get("prompt", ""))
    if len(prompts) * count > MAX_VARIANTS:
        raise ArgumentError(f"prompt must be 1 to {MAX_VARIANTS // count} texts with n {count}, got {len(prompts)}")
    max_tokens = check_integer("max_tokens", fields["max_tokens"], 0, MAX_LYRIC_LENGTH)
    requests = []
    for prompt in prompts:
        length = len(prompt) + max_tokens
        if not 1 <= length <= MAX_LYRIC_LENGTH:
            raise ArgumentError(
                f"max_tokens and the prompt must have 1 to {MAX_LYRIC_LENGTH:,} characters together, got {length:,}"
            )
        settings = GenerationSettings(
            artist=fields.get("artist"),
            temperature=fields["temperature"],
            top_p=fields["top_p"],
            max_length=length,
            seed=seed_or_random(fields.get("seed")),
        )
        requests += resources.request(fields.get("model"), prompt, settings).variants(count)
    return requests


def _write(resources: "Resources", requests: Sequence[GenerationRequest], stops: Sequence[str]) -> list[str]:
    """The texts of requests, prompts included; ends early once each completion has one of the stops."""
    texts: list[str] = []
    for outputs in resources.stream_together(requests, UPDATE_INTERVAL):
        texts = [output.text for output in outputs]
        written = (text[len(request.prefix) :] for request, text in zip(requests, texts, strict=True))
        if stops and all(_first_stop(completion, stops) is not None for completion in written):
            break  # which drops the stream, and so ends the sequences
    return texts


def _log_probs(resources: "Resources", request: GenerationRequest, text: str, shown: int, count: int) -> dict:
    """The log-probability of each character from position `shown` on, and the `count` most likely ones there."""
    artist = request.settings.artist
    labels, log_probs = resources.run_on_model(
        request.model_name, lambda network: read_log_probs(text, artist, network)
    )
    known = torch.tensor(labels) != OOV_LABEL  # (T,)
    chosen = log_probs.gather(1, torch.tensor(labels).clamp(max=NUM_CLASSES - 1)[:, None])[:, 0]  # (T,)
    values = [value if is_known else None for value, is_known in zip(chosen.tolist(), known.tolist(), strict=True)]
    top = log_probs.topk(count)
    likely = [
        {CHARACTERS[label]: value for label, value in zip(of_position, of_values, strict=True)}
        for of_position, of_values in zip(top.indices.tolist(), top.values.tolist(), strict=True)
    ]
    for of_position, label, value in zip(likely, labels, values, strict=True):
        if value is not None:
            of_position[CHARACTERS[label]] = value  # OpenAI's API lists the chosen one too
    return {
        "tokens": list(text[shown:]),
        "token_logprobs": values[shown:],
        "top_logprobs": likely[shown:] if count else None,
        "text_offset": list(range(shown, len(text))),
    }


def _read_prompts(prompt: object) -> list[str]:
    """The prompts: a text or labels of characters, or several of either."""
    if isinstance(prompt, list) and (not prompt or isinstance(prompt[0], str | list)):
        prompts = [_read_prompt(each) for each in prompt]
    else:
        prompts = [_read_prompt(prompt)]
    if not prompts:
        raise ArgumentError("prompt must be at least one text, got []")
    return prompts


def _read_prompt(prompt: object) -> str:
    if isinstance(prompt, list):
        return token_ids_to_str([check_integer("prompt", label, 0, NUM_CLASSES - 1) for label in prompt])
    return check_text("prompt", prompt)


def _read_stops(stop: object) -> list[str]:
    """The texts that end a completion, without empty ones."""
    stops = [check_text("stop", text) for text in (stop if isinstance(stop, list) else [stop])]
    if len(stops) > MAX_STOPS:
        raise ArgumentError(f"stop must be at most {MAX_STOPS} texts, got {len(stops)}")
    return [text for text in stops if text]


def _first_stop(completion: str, stops: Sequence[str]) -> int | None:
    """Position of the first stop in a completion; None where there is none."""
    return min((found for stop in stops if (found := completion.find(stop)) >= 0), default=None)
