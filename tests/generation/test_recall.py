"""Sections that return: where, which, for how long, and the same text for the same seed in any company."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lyricgen import ImprovedSeqModel
from lyricgen.errors import ArgumentError
from lyricgen.generation import scheduler
from lyricgen.generation.api import generate_lyrics, write_together
from lyricgen.generation.recall import MARGIN, MIN_SECTION, OPENING, RETURNED_WEIGHT, Recall, SectionRecall
from lyricgen.generation.repetition import BARRIER
from lyricgen.generation.request import GenerationRequest
from lyricgen.generation.scheduler import ContinuousBatch, RowBatch, stream_together
from lyricgen.generation.settings import GenerationSettings
from lyricgen.models.vocabulary import CHARACTERS, character_to_label, string_to_labels

VERSE = "the grey heron counts the slow bells of the harbour town and nobody asks him why he stays there"
CHORUS = "oh carry me over the water oh carry me under the light and leave my coat with the fisherman"
SONG = f"{VERSE}  {CHORUS}  "
Z = character_to_label("z")


def never_drawn() -> float:
    raise AssertionError("a random number was drawn")


def write(recall: SectionRecall, text: str, characters: int, label: int = Z, share: float = 0.0) -> str:
    """The text after some characters, where the model chooses `label`, and the random number is `share`."""
    for _ in range(characters):
        text += CHARACTERS[recall.next_label(text, label, (), lambda: share)]
        recall.extend(text)
    return text


def test_the_first_characters_of_an_earlier_section_are_placed_after_a_break():
    recall = SectionRecall(0.5)
    text = write(recall, SONG, OPENING + 3, share=0.0)
    assert text == SONG + VERSE[:OPENING] + "zzz"
    assert recall.active and recall.recalls[0][:2] == (0, len(SONG))


def test_the_random_number_decides_whether_and_which():
    texts = [write(SectionRecall(0.5), SONG, 4, share=share)[len(SONG) :] for share in (0.0, 0.24, 0.26, 0.49, 0.51)]
    assert texts == ["the ", "the ", "oh c", "oh c", "zzzz"]


@pytest.mark.parametrize(
    "text",
    [
        SONG[:-1],  # one space
        SONG[:-3],  # within a word
        VERSE[: MIN_SECTION - 1] + "  ",  # no section of some length
        "la la la " * 12 + "  ",  # a section that loops
    ],
)
def test_nothing_returns_elsewhere(text):
    recall = SectionRecall(1.0)
    assert recall.next_label(text, Z, (), lambda: 0.0) == Z
    assert not recall.active


def test_a_break_that_goes_on_is_no_beginning_and_draws_no_random_number():
    assert SectionRecall(1.0).next_label(SONG, character_to_label(" "), (), never_drawn) == character_to_label(" ")


def test_line_breaks_are_section_breaks_too():
    assert write(SectionRecall(1.0), f"{VERSE}\n\n", 4) == f"{VERSE}\n\nthe "


def test_the_memory_ends_with_the_section_or_its_length():
    recall = SectionRecall(1.0)
    text = write(recall, SONG, OPENING + 4) + "  "
    recall.extend(text)
    assert not recall.active and recall.recalls[0].stop == len(text)
    recall = SectionRecall(1.0)
    write(recall, SONG, len(VERSE) + MARGIN - 1)
    assert recall.active
    write(recall, SONG + "z" * (len(VERSE) + MARGIN - 1), 1)
    assert not recall.active


def test_a_section_that_has_returned_is_more_likely_and_a_return_is_no_section_of_its_own():
    text = f"{SONG}{VERSE}  "
    chosen = []
    for share in np.arange(0.005, 1, 0.01):
        recall = SectionRecall(1.0)
        recall.recalls = (Recall(0, len(SONG), len(text), stop=len(text)),)
        recall.next_label(text, Z, (), lambda share=share: share)
        chosen.append(recall.recalls[-1].source)
    assert set(chosen) == {0, SONG.index(CHORUS)}
    assert chosen.count(0) == pytest.approx(100 * RETURNED_WEIGHT / (RETURNED_WEIGHT + 1), abs=1)


def test_a_banned_character_ends_the_placing_and_the_memory_stays_on():
    recall = SectionRecall(1.0)
    text = write(recall, SONG, 3)
    assert recall.next_label(text, Z, string_to_labels(" "), never_drawn) == Z
    assert write(recall, text, 2) == f"{SONG}thezz" and recall.active


def test_an_unknown_character_is_not_placed():
    assert write(SectionRecall(1.0), f"the{BARRIER}{VERSE}  ", 5).endswith("thezz")


def test_where_a_word_was_rejected_nothing_is_placed_again():
    recall = SectionRecall(1.0)
    before = recall.recalls
    write(recall, SONG, 8)
    inside = recall.recalls
    recall.backtrack(before, len(SONG))
    assert not recall.active and write(recall, SONG, 2) == f"{SONG}zz"
    recall.backtrack(inside, len(SONG) + 4)
    assert recall.active and write(recall, f"{SONG}the ", 2) == f"{SONG}the zz"


def test_the_memory_predicts_the_section_by_what_stood_before_the_return():
    recall = SectionRecall(1.0)
    text = write(recall, SONG, OPENING)
    uniform = np.full(100, np.log(0.01))
    predicted = recall.predict(text, uniform)
    assert np.exp(predicted).sum() == pytest.approx(1)
    assert CHARACTERS[int(predicted.argmax())] == VERSE[OPENING]
    text += "zq"
    for _ in range(4):  # what repeats in the return alone is not remembered
        text += "zq"
        assert np.exp(recall.predict(text, uniform)[Z]) < 0.02
    recall.backtrack(recall.recalls, len(SONG) + OPENING)
    assert np.array_equal(recall.predict(SONG + VERSE[:OPENING], uniform), predicted)


def test_what_returns_is_no_repetition():
    recall = SectionRecall(1.0)
    text = write(recall, SONG, 5)
    assert recall.hide_recalls(text) == SONG + BARRIER * 5
    recall.extend(text := f"{text}  ")
    assert recall.hide_recalls(f"{text}oh") == SONG + BARRIER * 7 + "oh"


@pytest.fixture(scope="module")
def model():
    """A small untrained model that writes words and section breaks."""
    torch.manual_seed(3)
    made = ImprovedSeqModel(hidden_size=24, n_layers=2, artists=("Ada Lark",))
    with torch.no_grad():
        made.ffnn.bias[string_to_labels("abcdefghijklmnopqrstuvwxyz")] += 4
        made.ffnn.bias[string_to_labels(" ")] += 6
    return made.eval()


class ShortWords:
    """A guard that rejects words of more than 6 letters, and bans q."""

    start = ""

    def after(self, state: str, text: str) -> str:
        return (text.split() or [""])[-1]

    def rejects(self, state: str) -> bool:
        return len(state) > 6

    def banned_labels(self, state: str, partial_word: str) -> list[int]:
        return string_to_labels("q")


def make_requests(model) -> list[GenerationRequest]:
    """Requests that differ in how often sections return, in strategy, penalty, length and guards."""
    return [
        GenerationRequest(
            model,
            [SONG, "", f"{VERSE}\n\n", CHORUS][number % 4],
            GenerationSettings(
                artist=[None, "Ada Lark"][number % 2],
                guidance=[1.0, 1.0, 2.0][number % 3],
                chorus=["often", "sometimes", "never", "often"][number % 4],
                strategy=["sample", "sample", "greedy"][number % 5 // 2],
                temperature=0.9,
                dry=[0.0, 0.6][number % 2],
                max_length=260 + 20 * number,
                seed=number,
            ),
            (ShortWords(),) if number % 4 == 0 else (),
        )
        for number in range(7)
    ]


def test_the_same_seed_the_same_text_alone_in_company_and_preempted(model, monkeypatch):
    requests = make_requests(model)
    alone = [write_together([request])[0] for request in requests]
    assert sum(text.count(CHORUS[:OPENING]) + text.count(VERSE[:OPENING]) for text in alone) > 8
    assert write_together(requests) == alone
    monkeypatch.setattr(scheduler, "TIME_SLICE", 20)
    batch = ContinuousBatch(model, max_size=3)
    *_, outputs = stream_together([replace(request, batch=batch) for request in requests], every=1.0)
    batch.close()
    assert [output.text for output in outputs] == alone


def test_guards_keep_their_rules_in_sections_that_return(model):
    settings = GenerationSettings(chorus="often", max_length=700, seed=4)
    text = write_together([GenerationRequest(model, SONG, settings, (ShortWords(),))])[0][len(SONG) :]
    assert "the grey heron" in text or "oh carry me ov" in text
    assert max(map(len, text[:-8].split())) <= 6 and "q" not in text


def test_a_text_without_a_section_that_returns_is_that_of_never(model):
    settings = GenerationSettings(max_length=60, seed=2)
    request = GenerationRequest(model, "ab", settings)
    assert write_together([request]) == write_together([request.with_settings(chorus="often")])


def test_sections_that_return_are_measured_under_the_network(model):
    request = GenerationRequest(model, SONG, GenerationSettings(chorus="often", max_length=len(SONG) + 90, seed=0))
    *_, outputs = stream_together([request], measured=True)
    text = outputs[0].text
    assert VERSE[:OPENING] in text[len(SONG) :] or CHORUS[:OPENING] in text[len(SONG) :]
    labels = torch.tensor([[100, *string_to_labels(text)]])
    with torch.no_grad():
        log_probs = model(labels[:, :-1], None)[0].log_softmax(-1)[0].gather(1, labels[0, 1:, None])
    expected = -float(log_probs[len(SONG) :].sum()) / np.log(2)
    assert outputs[0].bits == pytest.approx(expected, rel=1e-4)


def test_a_batch_without_chorus_asks_for_no_recall(model, monkeypatch):
    batch = RowBatch(model)
    assert batch._recalling == []
    monkeypatch.setattr("lyricgen.generation.sequence.SectionRecall", None)
    assert len(generate_lyrics(model=model, max_length=20)) == 20


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"chorus": "always"}, "chorus must be one of never, sometimes, often; got 'always'"),
        (
            {"chorus": "often", "strategy": "beam"},
            "chorus must be 'never' with the beam strategy, which keeps several texts at a time; got 'often'",
        ),
    ],
)
def test_a_chorus_that_cannot_be_is_refused(model, settings, message):
    with pytest.raises(ArgumentError) as caught:
        generate_lyrics(model=model, **settings)
    assert str(caught.value) == message
