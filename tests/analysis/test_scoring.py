"""Scores of a text: the training task's own bits, ranks and ties, lines, and refused arguments."""

import csv
import io
import json
import math

import numpy as np
import pytest
import torch

from lyricgen.analysis.scoring import (
    MAX_SCORED_LENGTH,
    TIE_TOLERANCE,
    alternatives,
    compare,
    compare_scores,
    line_starts,
    read_layers,
    score,
)
from lyricgen.errors import ArgumentError, LyricGenError
from lyricgen.generation.api import generate_lyrics
from lyricgen.generation.fast_stepper import STRETCH
from lyricgen.models.checkpoints import load_model
from lyricgen.models.memory import MemoryConstants, SongMemory
from lyricgen.models.networks import ImprovedSeqModel, VanillaRNN
from lyricgen.models.text import read_labels
from lyricgen.models.vocabulary import CHARACTERS, OOV_LABEL, START_LABEL, string_to_labels
from lyricgen.songs.notebook import LyricsGenerationTensor
from lyricgen.training.lightning_task import LyricsGenerationTask

VERSE = "the tide came in at seven  and took the chairs away  we watched it from the balcony é and had no more to say"
LONG = (VERSE + "  ") * 5  # more than two stretches of a layer
PREFIXES = ["", "the tide came in ", "we watched it from the balcony ", "seven chairs ", "a", "no more to say  "]


def task_bits(model, text: str, artist: int | None = None) -> float:
    """The bits of a text as the training task has them: its loss on the song that the text is."""
    labels = read_labels(text)
    song = LyricsGenerationTensor(
        torch.tensor([[START_LABEL, *labels[:-1]]]), torch.tensor([labels]), torch.tensor([len(labels)])
    )
    song.starts, song.artists = torch.tensor([True]), torch.tensor([model.any_artist if artist is None else artist])
    with torch.inference_mode():
        return float(LyricsGenerationTask(model).nats(song, "val").double().sum()) / math.log(2)


@pytest.mark.parametrize("text", [VERSE, LONG, "x", "É한x", "Oh\nno"], ids=["verse", "long", "one", "unknown", "lines"])
@pytest.mark.parametrize("artist", [None, "Bob"])
def test_the_log_probabilities_add_up_to_the_tasks_loss(tiny_model, text, artist):
    assert len(LONG) > 2 * STRETCH
    scored = score(text, artist=artist, model=tiny_model)
    expected = task_bits(tiny_model, text, None if artist is None else tiny_model.artists.index(artist))
    assert scored.bits == pytest.approx(expected, rel=1e-5)
    assert -np.nansum(scored.log_probs) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", ["lstm", "vanilla-rnn"])
def test_the_bundled_models_score_a_text_as_the_task_does(name):
    model = load_model(name)
    for artist in (None, "Coldplay"):
        expected = task_bits(model, LONG, None if artist is None else model.artists.index(artist))
        assert score(LONG, artist=artist, model=name).bits == pytest.approx(expected, rel=1e-5)


def test_every_figure_is_that_of_the_modules_distribution(tiny_model):
    labels = torch.tensor(string_to_labels(VERSE))
    with torch.no_grad():
        logits = tiny_model(torch.cat([torch.tensor([START_LABEL]), labels[:-1]])[None], None)[0][0].double()
    probabilities = logits.softmax(-1).numpy()
    scored = score(VERSE, model=tiny_model)
    for at, label in enumerate(labels.tolist()):
        one = probabilities[at]
        ranked = np.argsort(-one, kind="stable")
        assert scored.entropies[at] == pytest.approx(-(one * np.log2(one)).sum(), abs=1e-4)
        assert scored.top_labels[at].tolist() == ranked[:5].tolist()
        assert scored.top_probabilities[at] == pytest.approx(one[ranked[:5]], rel=1e-4)
        if label == OOV_LABEL:
            assert scored.ranks[at] == 0 and math.isnan(scored.log_probs[at]) and math.isnan(scored.probabilities[at])
        else:
            assert scored.probabilities[at] == pytest.approx(one[label], rel=1e-4)
            assert scored.ranks[at] == ranked.tolist().index(label) + 1


@pytest.mark.parametrize("name", ["lstm", "vanilla-rnn"])
def test_ranks_of_a_text_that_no_model_wrote_are_those_of_the_float32_module(name):
    labels = torch.tensor(read_labels(LONG))
    with torch.no_grad():
        logits = load_model(name)(torch.cat([torch.tensor([START_LABEL]), labels[:-1]])[None], None)[0][0]
    known = labels != OOV_LABEL
    expected = (logits[known] > logits[known].gather(1, labels[known][:, None])).sum(1) + 1
    ranks = score(LONG[: len(VERSE)], model=name).ranks[known[: len(VERSE)].numpy()]
    assert ranks.tolist() == expected[: len(ranks)].tolist()


def test_ranks_are_those_of_float32_in_a_run_of_near_ties_too():
    """A model whose 100 characters all lie within the tolerance: every character is tied, and still has its own rank."""
    model = VanillaRNN(hidden_size=4, n_layers=1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model.ffnn.bias[:] = torch.linspace(TIE_TOLERANCE * 0.9, 0, 100)  # label 0 first, label 99 last
    text = "the tide came in at seven and took"
    scored = score(text, model=model.eval())
    assert scored.ranks.tolist() == [label + 1 for label in string_to_labels(text)]
    assert scored.tied.tolist() == [True] * len(text)
    assert score("0" * 30, model=model).tied.tolist() == [False] * 30  # label 0 is the first, tied with no better one


def test_tied_characters_are_within_the_tolerance_of_the_first(tiny_model):
    scored = score(VERSE, model=tiny_model)
    known = scored.ranks > 0
    distance = np.log(scored.top_probabilities[:, 0][known] / scored.probabilities[known])
    assert scored.tied[known].tolist() == ((scored.ranks[known] > 1) & (distance <= TIE_TOLERANCE)).tolist()
    assert not scored.tied[~known].any()


@pytest.mark.parametrize("prefix", PREFIXES)
def test_greedy_lyrics_have_rank_1_or_a_tie_everywhere(tiny_model, prefix):
    text = generate_lyrics(prefix, model=tiny_model, artist="Ann", strategy="greedy", max_length=150)
    scored = score(text, artist="Ann", model=tiny_model)
    assert ((scored.ranks == 1) | scored.tied)[len(prefix) :].all()


@pytest.mark.parametrize("name", ["lstm", "vanilla-rnn"])
@pytest.mark.parametrize("artist", [None, "Coldplay"])
def test_greedy_lyrics_of_the_bundled_models_have_rank_1_or_a_tie_everywhere(name, artist):
    for prefix in PREFIXES:
        text = generate_lyrics(prefix, model=name, artist=artist, strategy="greedy", max_length=300)
        scored = score(text, artist=artist, model=name)
        assert ((scored.ranks == 1) | scored.tied)[len(prefix) :].all(), prefix
    sampled = generate_lyrics("seven chairs ", model=name, strategy="sample", temperature=1, seed=1, max_length=300)
    assert score(sampled, model=name).ranks.max() > 1


def test_scores_compare_by_identity(tiny_model):
    first, second = (score("abc", model=tiny_model) for _ in range(2))
    assert first != second and compare(first, second) != compare(second, first)


def test_bits_per_character_is_the_mean_over_what_is_scored():
    scored = score("é ocean 한", model="vanilla-rnn")
    assert scored.characters == 7
    assert scored.bits_per_character == pytest.approx(scored.bits / 7)
    assert [row["rank"] is None for row in scored.rows()] == [True, *[False] * 7, True]
    assert any("not scored" in note and "é" in note for note in scored.notes)


def test_upper_case_and_line_breaks_are_read_as_the_model_reads_them(tiny_model):
    assert score("OCEAN\nSky", model=tiny_model).bits == score("ocean sky", model=tiny_model).bits
    assert "read as spaces" in score("a\nb", model=tiny_model).notes[0]
    tiny_model.line_breaks = True
    assert score("ocean\nsky", model=tiny_model).bits != score("ocean sky", model=tiny_model).bits
    assert score("a\nb", model=tiny_model).notes == ()


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("don\u2019t \u2018cause it\u02bcs y\u00b4all\uff07s", "don't 'cause it's y'all's"),
        ("\ufeffthe ri\u200bver\u00ad", "the river"),
    ],
)
def test_a_text_as_people_have_it_scores_as_the_plain_one(typed, plain, tiny_model):
    tiny_model.line_breaks = True
    scored, expected = score(typed, model=tiny_model), score(plain, model=tiny_model)
    assert scored.labels.tolist() == expected.labels.tolist() and scored.bits == expected.bits
    assert len(scored.text) == len(plain) and scored.notes == ()
    assert alternatives(typed, 5, model=tiny_model) == alternatives(plain, 5, model=tiny_model)


def test_lines_break_at_line_breaks_and_at_runs_of_spaces_and_add_up(tiny_model):
    scored = score("one two  three\nfour \r\n\r\n five", model=tiny_model)
    assert [line.text for line in scored.lines] == ["one two", "three", "four", "five"]
    assert [line.start for line in scored.lines] == [0, 9, 15, 23]
    assert sum(line.bits for line in scored.lines) == pytest.approx(scored.bits)
    assert sum(line.characters for line in scored.lines) == scored.characters == len(scored.text)


@pytest.mark.parametrize(
    ("text", "lines", "starts"),
    [
        ("x", ["x"], [0]),
        ("  x", ["x"], [0]),
        ("x  ", ["x"], [0]),
        (" x ", ["x"], [0]),
        ("   ", [""], [0]),
        ("\n\na\n", ["a"], [0]),
        ("a b", ["a b"], [0]),
        ("a  b\nc", ["a", "b", "c"], [0, 3, 5]),
    ],
)
def test_every_text_has_lines_that_cover_it(text, lines, starts, tiny_model):
    scored = score(text, model=tiny_model)
    assert [line.text for line in scored.lines] == lines
    assert [line.start for line in scored.lines] == line_starts(text) == starts
    assert sum(line.characters for line in scored.lines) == len(text)


def test_a_line_of_nothing_that_is_scored_has_no_mean(tiny_model):
    assert score("é  a", model=tiny_model).lines[0].characters == 2  # the run of spaces
    assert score("a\né", model=tiny_model).lines[1].bits_per_character is None


def test_a_score_is_plain_values_and_a_table(tiny_model):
    scored = score('a,"é\n=b', artist="ann", model=tiny_model)
    facts = json.loads(json.dumps(scored.to_dict(), allow_nan=False))
    assert (facts["model"], facts["artist"]) == (type(tiny_model).__name__, "Ann")
    assert [row["character"] for row in facts["characters"]] == list('a,"é\n=b')
    assert all(len(row["top"]) == 5 for row in facts["characters"])
    table = list(csv.DictReader(io.StringIO(scored.to_csv())))
    assert [row["character"] for row in table] == list('a,"é\n=b')
    assert float(table[0]["probability"]) == pytest.approx(facts["characters"][0]["probability"], rel=1e-5)
    assert [row["tied"] for row in table] == [str(int(row["tied"])) for row in facts["characters"]]
    assert table[3]["probability"] == table[3]["rank"] == "" and table[3]["likely_1"] in CHARACTERS


def test_the_most_surprising_characters_come_first(tiny_model):
    scored = score(VERSE, model=tiny_model)
    surprising = scored.most_surprising(5)
    assert [one.bits for one in surprising] == sorted(-scored.log_probs[np.isfinite(scored.log_probs)], reverse=True)[
        :5
    ]
    for one in surprising:
        assert VERSE[one.position] == one.character
        assert f"{one.before}{one.character}{one.after}" in VERSE
        assert one.rank == scored.ranks[one.position]
    assert len(score("ab", model=tiny_model).most_surprising(5)) == 2


def test_two_models_are_compared_where_they_differ_most():
    compared = compare_scores(VERSE)
    first, second = compared.scores
    assert (first.model, second.model) == ("lstm", "vanilla-rnn")
    apart = np.abs(first.log_probs - second.log_probs)
    assert abs(compared.differences[0].difference) == pytest.approx(np.nanmax(apart))
    sizes = [abs(one.difference) for one in compared.differences]
    assert len(sizes) == 10 and sizes == sorted(sizes, reverse=True)
    for one in compared.differences:
        assert VERSE[one.position] == one.character and VERSE.index("é") != one.position
    assert json.loads(json.dumps(compared.to_dict()))["differences"][0]["bits"].keys() == {"lstm", "vanilla-rnn"}
    assert len(compared.to_csv().splitlines()) == 1 + 2 * len(VERSE)


def test_a_model_against_itself_differs_nowhere(tiny_model):
    same = compare_scores(VERSE, models=(tiny_model, tiny_model))
    name = type(tiny_model).__name__
    assert same.differences == () and [each.model for each in same.scores] == [name, f"{name} (2)"]
    with pytest.raises(ArgumentError, match="models must be two"):
        compare_scores(VERSE, models=("lstm",))


CHORUS = "hold the line until the morning comes again  "
SONG = CHORUS + "the harbour lights went out  " + CHORUS + "é" + CHORUS
CONSTANTS = MemoryConstants(exponent=5.0, slope=0.5, bias=2.0, agreement=2.0)


@pytest.fixture
def model_with_memory(tiny_model):
    tiny_model.memory = CONSTANTS
    return tiny_model


def test_with_memory_every_figure_is_that_of_the_interpolated_distribution(model_with_memory):
    scored = score(SONG, artist="Bob", model=model_with_memory, memory=True)
    labels, layers = read_layers(SONG, "Bob", model_with_memory)
    with torch.inference_mode():
        network = model_with_memory.ffnn(layers[-1][:-1]).double().log_softmax(-1).numpy()
    memory, expected = SongMemory(CONSTANTS), []
    for label, log_probs in zip(labels, network, strict=True):
        expected.append(memory.predict(log_probs) / math.log(2))
        memory.append(label)
    expected = np.array(expected)  # (T, C)
    assert math.isnan(scored.log_probs[SONG.index("é")])
    known = np.flatnonzero(np.array(labels) != OOV_LABEL)
    assert scored.log_probs[known] == pytest.approx(expected[known, np.array(labels)[known]], abs=1e-5)
    assert scored.entropies == pytest.approx(-(np.exp2(expected) * expected).sum(1), abs=1e-4)
    assert scored.top_probabilities[:, 0] == pytest.approx(np.exp2(expected.max(1)), abs=1e-5)
    assert sum(line.bits for line in scored.lines) == pytest.approx(scored.bits)


def test_a_chorus_costs_less_with_memory_and_is_marked_where_it_was_before(model_with_memory):
    scored, alone = (score(SONG, model=model_with_memory, memory=memory) for memory in (True, False))
    assert scored.bits < 0.8 * alone.bits
    assert scored.network_bits_per_character == pytest.approx(alone.bits_per_character)
    assert [SONG[repeat.start : repeat.start + repeat.length] for repeat in scored.repeats] == [CHORUS, CHORUS]
    second = SONG.index(CHORUS, 1)
    assert scored.earlier_positions[second : second + 3] == [0, 1, 2]
    assert scored.earlier_positions[SONG.index("é")] is None
    assert scored.rows()[second]["earlier"] == 0 and scored.rows()[0]["earlier"] is None
    answer = scored.to_dict()
    assert answer["repeats"][0] == {"start": second, "length": len(CHORUS), "earlier": 0}
    assert answer["bits_per_character_without_memory"] == alone.bits_per_character
    assert json.loads(json.dumps(answer)) == answer
    table = list(csv.DictReader(io.StringIO(scored.to_csv())))
    assert table[second]["earlier"] == "0" and table[0]["earlier"] == ""


def test_an_answer_without_memory_is_as_before(model_with_memory):
    scored = score(SONG, model=model_with_memory)
    assert scored.repeats is None and scored.network_bits_per_character is None
    assert not {"repeats", "bits_per_character_without_memory"} & scored.to_dict().keys()
    assert "earlier" not in scored.rows()[0] and "earlier" not in scored.to_csv()


def test_unknown_characters_repeat_themselves_alone(model_with_memory):
    first, second = "가나다라마바사아자차카타파하", "거너더러머버서어저처커터퍼허"
    repeats = score(f"{first}x{first}y{second}", model=model_with_memory, memory=True).repeats
    assert [(repeat.start, repeat.length, repeat.earlier) for repeat in repeats] == [(15, 14, 0)]


def test_a_model_without_constants_refuses_memory_in_one_sentence(tiny_model):
    with pytest.raises(ArgumentError, match="memory must be off for this model, which has no memory.json"):
        compare_scores(SONG, models=(tiny_model, tiny_model), memory=True)


def test_two_models_are_compared_with_memory():
    comparison = compare_scores(SONG, memory=True)
    assert all(score.repeats for score in comparison.scores)


def test_alternatives_are_the_distribution_at_that_place(tiny_model):
    scored = score(VERSE, artist="Bob", model=tiny_model)
    for position in (0, 1, 40):
        found = alternatives(VERSE, position, artist="Bob", model=tiny_model, count=5)
        assert [candidate.character for candidate in found] == [
            CHARACTERS[label] for label in scored.top_labels[position]
        ]
        assert [candidate.probability for candidate in found] == pytest.approx(
            scored.top_probabilities[position].tolist(), rel=1e-4
        )
    everything = alternatives(VERSE, len(VERSE), model=tiny_model, count=100)
    assert sum(one.probability for one in everything) == pytest.approx(1)


def test_alternatives_follow_the_temperature_and_what_comes_next_is_what_greedy_writes(tiny_model):
    hot, cold = (alternatives("a", 1, model=tiny_model, temperature=value, count=2) for value in (50, 0.5))
    assert hot[0].probability < cold[0].probability
    (greedy,) = alternatives("seven ", 6, model=tiny_model, temperature=0, count=1)
    assert greedy.probability == 1
    assert generate_lyrics("seven ", model=tiny_model, strategy="greedy", max_length=7)[-1] == greedy.character
    assert len(alternatives("", 0, model=tiny_model)) == 10


def test_a_changed_model_is_read_again(tiny_model):
    before = score("abc", model=tiny_model).bits
    with torch.no_grad():
        tiny_model.rnn.weight_hh_l0.mul_(3)
    assert score("abc", model=tiny_model).bits != before
    assert score("abc", model=tiny_model).bits == pytest.approx(task_bits(tiny_model, "abc"), rel=1e-5)


@pytest.mark.parametrize("model_class", [VanillaRNN, ImprovedSeqModel])
def test_a_model_in_training_mode_is_read_without_dropout_and_stays_in_it(model_class):
    model = model_class(hidden_size=16, dropout=0.5).train()
    assert len({score(VERSE, model=model).bits for _ in range(3)}) == 1
    assert model.training


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "text must have 1 to 5,000 characters, got an empty text"),
        (None, "got an empty text"),
        ("x" * (MAX_SCORED_LENGTH + 1), "text must have 1 to 5,000 characters, got 5,001"),
        ("x" * 100_000, "got 100,000"),
        ("한국 한국".replace(" ", ""), "nothing to score"),
        (3, "text must be text"),
    ],
)
def test_a_text_that_cannot_be_scored_is_refused_in_one_sentence(tiny_model, text, words):
    with pytest.raises(ArgumentError) as caught:
        score(text, model=tiny_model)
    assert words in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"artist": "Bib"}, "artist"),
        ({"position": 5}, "position must be a whole number from 0 to 4, got 5"),
        ({"position": -1}, "position"),
        ({"temperature": math.nan}, "temperature"),
        ({"count": 0}, "count must be a whole number from 1 to 100"),
        ({"model": "lstn"}, "lstm"),
    ],
)
def test_alternatives_that_cannot_be_are_refused_in_one_sentence(tiny_model, arguments, words):
    with pytest.raises(LyricGenError, match=words):
        alternatives(**{"text": "tide", "position": 2, "model": tiny_model, **arguments})


def test_the_longest_text_is_scored(tiny_model):
    assert score("ab" * (MAX_SCORED_LENGTH // 2), model=tiny_model).characters == MAX_SCORED_LENGTH
