"""The same seed, the same text, in every version: texts recorded earlier of a small untrained model, reproduced."""

import json

import pytest
import torch
from conftest import DATA

from lyricgen import ImprovedSeqModel, Song, SongIndex, VanillaRNN, string_to_labels
from lyricgen.generation.api import write_together
from lyricgen.generation.request import GenerationRequest
from lyricgen.generation.scheduler import ContinuousBatch, stream_together
from lyricgen.generation.settings import GenerationSettings
from lyricgen.memorization.copy_guard import CopyGuard

RECORDED = json.loads((DATA / "generated_texts.json").read_text(encoding="utf-8"))
MODEL_CLASSES = {"vanilla-rnn": VanillaRNN, "lstm": ImprovedSeqModel}


@pytest.fixture(scope="module", params=MODEL_CLASSES)
def recorded(request):
    """The recorded texts of a model, and the model that generated them: its weights follow from a seed."""
    torch.manual_seed(3)
    model = MODEL_CLASSES[request.param](hidden_size=24, n_layers=3, artists=("Ada Lark", "Bo Finch"))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3 if request.param == "vanilla-rnn" else 4)
        model.ffnn.bias[string_to_labels("abcdefghijklmnopqrstuvwxyz ")] += 4
        model.ffnn.bias[string_to_labels(" ")] += 2.5
    return RECORDED[request.param], model.eval()


def make_requests(recorded, model, batch: ContinuousBatch | None = None) -> list[tuple[GenerationRequest, str]]:
    """Every recorded request with its text; a guarded one's song is what its model generates without the guard."""
    cases = [(case, ()) for case in recorded["plain"]]
    for case in recorded["guarded"]:
        index = SongIndex.build([Song(case["song"], "Ann", "Own")], asked=0)
        cases.append((case, (CopyGuard(index, case["max_copied_words"]),)))
    requests = []
    for case, guards in cases:
        settings = dict(case["settings"])
        prefix = settings.pop("prefix", "")
        request = GenerationRequest(model, prefix, GenerationSettings(**settings), guards, batch)
        requests.append((request, case["text"]))
    return requests


def test_each_text_is_the_recorded_one_alone(recorded):
    texts, model = recorded
    assert sum(case["text"] != case["song"] for case in texts["guarded"]) >= 6
    for request, text in make_requests(texts, model):
        assert write_together([request]) == [text]


def test_all_texts_are_the_recorded_ones_in_one_batch_of_the_callers_thread(recorded):
    requests, texts = zip(*make_requests(*recorded), strict=True)
    assert write_together(requests) == list(texts)


def test_all_texts_and_bits_are_the_recorded_ones_in_a_continuous_batch(recorded):
    batch = ContinuousBatch(recorded[1], max_size=5)  # so that some wait
    expected = [
        (request, text) for request, text in make_requests(*recorded, batch) if request.settings.strategy != "beam"
    ]
    *_, outputs = stream_together([request for request, _ in expected], measured=True)
    batch.close()
    assert [output.text for output in outputs] == [text for _, text in expected]
    assert [output.bits for output in outputs] == pytest.approx(recorded[0]["bits"], abs=2e-4)
