"""Completions in the form of OpenAI's API, called as a function."""

import math

import pytest

from lyricgen.analysis.scoring import score
from lyricgen.endpoints.completions import MAX_STOPS, completions
from lyricgen.generation.settings import MAX_LYRIC_LENGTH
from lyricgen.models.vocabulary import string_to_labels
from lyricgen.resources import Resources

PROMPT = "The tide came in at seven"


@pytest.fixture(scope="module")
def resources():
    """The bundled models: their predictions are sharp enough that the most likely character is clear."""
    return Resources(device="cpu")


def complete(resources, **fields) -> dict:
    answer = completions(resources, {"model": "vanilla-rnn", "prompt": PROMPT, "seed": 1, **fields})
    assert "error" not in answer, answer
    return answer


def test_a_completion_has_the_fields_of_the_api(resources):
    answer = complete(resources, max_tokens=8, temperature=0.5)
    assert (
        answer["id"].startswith("cmpl-") and answer["object"] == "text_completion" and answer["model"] == "vanilla-rnn"
    )
    assert answer["usage"] == {"prompt_tokens": 25, "completion_tokens": 8, "total_tokens": 33}
    [choice] = answer["choices"]
    assert choice == {"text": choice["text"], "index": 0, "logprobs": None, "finish_reason": "length"}
    assert len(choice["text"]) == 8


def test_null_fields_have_the_apis_defaults(resources):
    answer = complete(
        resources, max_tokens=None, temperature=None, n=None, logprobs=None, stop=None, echo=None, user="me"
    )
    assert len(answer["choices"][0]["text"]) == 16


def test_the_texts_are_those_of_generate(resources):
    answer = complete(resources, max_tokens=30, temperature=0.8, top_p=0.9, n=3, echo=True)
    settings = {"temperature": 0.8, "top_p": 0.9, "max_length": len(PROMPT) + 30}
    request = resources.request("vanilla-rnn", PROMPT).with_settings(**settings, seed=1)
    *_, outputs = resources.stream_together(request.variants(3))
    assert [choice["text"] for choice in answer["choices"]] == [output.text for output in outputs]
    assert [choice["index"] for choice in answer["choices"]] == [0, 1, 2]
    assert answer["usage"]["prompt_tokens"] == 25 and answer["usage"]["completion_tokens"] == 90


def test_echo_has_the_log_probabilities_of_the_prompt(resources):
    """As an evaluation harness sends it: one token more, and the greedy choice at each position."""
    answer = complete(resources, max_tokens=1, temperature=0, logprobs=1, echo=True)
    [choice] = answer["choices"]
    details, text = choice["logprobs"], choice["text"]
    assert text.startswith(PROMPT) and details["tokens"] == list(text) and details["text_offset"] == list(range(26))
    scored = score(text, model="vanilla-rnn")
    nats = scored.log_probs * math.log(2)
    assert details["token_logprobs"] == pytest.approx(nats.tolist(), abs=1e-9)
    for value, top, rank in zip(details["token_logprobs"], details["top_logprobs"], scored.ranks.tolist(), strict=True):
        assert (value == max(top.values())) == (rank == 1) and len(top) == (1 if rank == 1 else 2)


def test_without_echo_only_the_completion_has_log_probabilities(resources):
    whole = complete(resources, max_tokens=5, logprobs=3, echo=True)["choices"][0]["logprobs"]
    part = complete(resources, max_tokens=5, logprobs=3)["choices"][0]["logprobs"]
    assert part == {name: values[len(PROMPT) :] for name, values in whole.items()}
    assert complete(resources, max_tokens=5, logprobs=0)["choices"][0]["logprobs"]["top_logprobs"] is None


def test_a_prompt_is_scored_without_a_completion(resources):
    [choice] = complete(resources, max_tokens=0, logprobs=1, echo=True)["choices"]
    assert choice["text"] == PROMPT and len(choice["logprobs"]["tokens"]) == len(PROMPT)


def test_a_character_outside_the_vocabulary_has_no_log_probability(resources):
    [choice] = complete(resources, prompt="caf\u00e9", max_tokens=0, logprobs=1, echo=True)["choices"]
    assert choice["text"] == "caf\u00e9" and choice["logprobs"]["token_logprobs"][3] is None
    assert all(value < 0 for value in choice["logprobs"]["token_logprobs"][:3])


def test_several_prompts_are_texts_or_labels(resources):
    texts = complete(resources, prompt=["the sea ", "rain"], max_tokens=4, n=2)["choices"]
    assert len(texts) == 4
    labels = complete(resources, prompt=[string_to_labels("the sea "), string_to_labels("rain")], max_tokens=4, n=2)
    assert labels["choices"] == texts
    assert complete(resources, prompt=string_to_labels("rain"), max_tokens=4)["choices"][0]["text"] == texts[2]["text"]


def test_a_completion_ends_before_a_stop(resources):
    whole = complete(resources, max_tokens=60, echo=True)["choices"][0]["text"][len(PROMPT) :]
    stop = whole[20:24]
    answer = complete(resources, max_tokens=60, stop=[stop, "", "\u00e9"], logprobs=1)
    [choice] = answer["choices"]
    assert choice["text"] == whole[: whole.index(stop)] and choice["finish_reason"] == "stop"
    assert answer["usage"]["completion_tokens"] == len(choice["text"]) == len(choice["logprobs"]["tokens"])
    assert complete(resources, max_tokens=60, stop=stop)["choices"][0]["text"] == choice["text"]


def test_numbers_may_be_texts_and_a_seed_of_minus_one_is_random_as_for_generate(resources):
    answer = complete(resources, n="2.0", seed=-1, max_tokens=3)
    assert len(answer["choices"]) == 2 and answer["usage"]["prompt_tokens"] == len(PROMPT)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"model": "gpt-5"}, "model must be one of lstm, vanilla-rnn; got 'gpt-5'"),
        ({"prompt": 3}, "prompt must be text"),
        ({"prompt": []}, "prompt must be at least one text"),
        ({"prompt": [1, 200]}, "prompt must be a whole number from 0 to 99, got 200"),
        ({"prompt": ["a"] * 9, "n": 2}, "prompt must be 1 to 8 texts with n 2, got 9"),
        ({"max_tokens": -1}, "max_tokens must be a whole number from 0 to 5,000"),
        ({"max_tokens": MAX_LYRIC_LENGTH}, "max_tokens and the prompt must have 1 to 5,000 characters together, got 5,025"),
        ({"prompt": "", "max_tokens": 0}, "together, got 0"),
        ({"temperature": "hot"}, "temperature must be a number"),
        ({"top_p": 0}, "top_p must be"),
        ({"n": 17}, "n must be a whole number from 1 to 16"),
        ({"logprobs": 6}, "logprobs must be a whole number from 0 to 5"),
        ({"echo": "yes"}, "echo must be on or off"),
        ({"seed": -2}, "seed must be a whole number"),
        ({"stop": ["a"] * (MAX_STOPS + 1)}, "stop must be at most 4 texts, got 5"),
        ({"stop": [1]}, "stop must be text"),
        ({"stream": True}, "stream must be False or left out, got True"),
        ({"artist": "beyonse"}, "artist"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_answered_in_one_sentence(resources, fields, message):
    answer = completions(resources, {"prompt": PROMPT, "max_tokens": 3, **fields})
    assert message in answer["error"]["message"] and answer["error"]["type"] == "invalid_request_error"
