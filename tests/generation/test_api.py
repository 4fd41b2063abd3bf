"""The library's functions: lyrics of a model, their settings, and what is refused."""

import copy
import gc
import inspect
import weakref
from dataclasses import fields

import pytest
import torch

from lyricgen.errors import ArgumentError, LyricGenError
from lyricgen.generation.api import generate_lyrics, generate_variants, make_request, stream_lyrics
from lyricgen.generation.decoding import GreedyDecodingStrategy, Hypothesis
from lyricgen.generation.settings import MAX_LYRIC_LENGTH, GenerationSettings
from lyricgen.models.networks import ImprovedSeqModel, VanillaRNN
from lyricgen.models.text import read_labels
from lyricgen.models.vocabulary import START_LABEL, string_to_labels, token_ids_to_str

ARTISTS = ("Ada Lark", "Bo Finch")


@pytest.fixture(scope="module")
def model(sharp_model):
    return sharp_model


def test_stepper_follows_weights_that_change(model):
    model = copy.deepcopy(model)
    before = generate_lyrics("a", model=model, strategy="greedy", max_length=40)
    with torch.no_grad():
        model.ffnn.bias[string_to_labels("z")[0]] += 100
    after = generate_lyrics("a", model=model, strategy="greedy", max_length=40)
    assert before != after == "a" + "z" * 39


def test_a_model_that_nobody_holds_is_freed():
    model = VanillaRNN(hidden_size=8).eval()
    generate_lyrics("a", model=model, max_length=5)
    freed = weakref.ref(model)
    del model
    gc.collect()
    assert freed() is None


def test_a_model_in_training_mode_writes_without_dropout_and_stays_in_it():
    torch.manual_seed(0)
    model = ImprovedSeqModel(hidden_size=16, dropout=0.5).train()
    texts = {generate_lyrics("morning", model=model, seed=1, max_length=60) for _ in range(4)}
    assert len(texts) == 1
    assert model.training


def test_inference_mode_of_the_caller_changes_nothing(model):
    expected = generate_lyrics("a", model=model, seed=1, max_length=20)
    with torch.inference_mode():
        assert generate_lyrics("a", model=model, seed=1, max_length=20) == expected
        loaded = copy.deepcopy(model)
        assert generate_lyrics("a", model=loaded, seed=1, max_length=20) == expected


def test_half_a_surrogate_pair_is_read_as_unknown(model):
    text = generate_lyrics("ab\ud83d", model=model, seed=1, max_length=10)
    assert text.startswith("ab\ufffd")
    assert text.encode("utf-8")


def test_artist_changes_what_is_written(model):
    texts = {generate_lyrics("a", model=model, artist=artist, strategy="greedy") for artist in (None, *ARTISTS)}
    assert len(texts) == 3


def test_greedy_text_is_that_of_the_greedy_strategy_on_a_song_that_opens_from_label_100(model):
    start = Hypothesis(torch.tensor([[START_LABEL, *string_to_labels("morning")]]))
    (expected,) = GreedyDecodingStrategy(model).decode(start, 61)
    text = generate_lyrics("morning", model=model, strategy="greedy", max_length=60)
    assert text == token_ids_to_str(expected.token_ids[0, 1:])


@pytest.mark.parametrize("strategy", ["sample", "greedy", "beam"])
@pytest.mark.parametrize("prefix", ["", "one", "Émile 😀\n한\0", "x" * 40])
def test_text_keeps_the_prefix_as_typed_and_has_max_length_characters(model, strategy, prefix):
    text = generate_lyrics(prefix, model=model, strategy=strategy, max_length=40, seed=1)
    assert text.startswith(prefix)
    assert len(text) == 40


def test_stream_grows_by_a_character_and_ends_in_the_text(model):
    texts = list(stream_lyrics("so ", model=model, max_length=20, seed=5))
    assert [len(text) for text in texts] == list(range(4, 21))
    assert all(longer.startswith(text) for text, longer in zip(texts, texts[1:], strict=False))
    assert texts[-1] == generate_lyrics("so ", model=model, max_length=20, seed=5)


@pytest.mark.parametrize("function", [generate_lyrics, stream_lyrics, generate_variants, make_request])
def test_signature_and_docstring_spell_out_every_setting(function):
    parameters = inspect.signature(function).parameters
    assert list(parameters)[0] == "prefix" and parameters["model"].default == "lstm"
    for field in fields(GenerationSettings):
        parameter = parameters[field.name]
        assert (parameter.kind, parameter.default) == (parameter.KEYWORD_ONLY, field.default)
        assert f"\n        {field.name}: " in function.__doc__
    assert set(parameters) - {"prefix", "model", "variants"} == {field.name for field in fields(GenerationSettings)}
    with pytest.raises(TypeError, match="warmth"):
        function(warmth=1)


def test_a_longer_lyric_begins_as_the_shorter_one_of_its_seed(model):
    texts = [generate_lyrics("a", model=model, seed=3, max_length=length) for length in (50, 300, 700)]
    assert texts[2].startswith(texts[1]) and texts[1].startswith(texts[0])


def test_same_seed_same_lyrics_and_no_seed_another(model):
    settings = {"model": model, "temperature": 1.0, "max_length": 80}
    assert generate_lyrics("a", seed=7, **settings) == generate_lyrics("a", seed=7, **settings)
    assert generate_lyrics("a", seed=7, **settings) != generate_lyrics("a", seed=8, **settings)
    assert generate_lyrics("a", **settings) != generate_lyrics("a", **settings)


def test_global_random_state_is_left_alone(model):
    torch.manual_seed(11)
    before = torch.get_rng_state()
    generate_lyrics("a", model=copy.deepcopy(model), max_length=20)  # one that no stepper was made of yet
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("temperature", [0, 1e-6])
def test_cold_sampling_is_greedy(model, temperature):
    greedy = generate_lyrics("a", model=model, strategy="greedy", max_length=100)
    assert generate_lyrics("a", model=model, temperature=temperature, max_length=100) == greedy


def test_hot_sampling_still_writes(model):
    assert len(generate_lyrics("a", model=model, temperature=50, max_length=100)) == 100


def test_upper_case_is_read_as_lower_case(model):
    shouted = generate_lyrics("MORNING", model=model, strategy="greedy", max_length=50)
    assert shouted[7:] == generate_lyrics("morning", model=model, strategy="greedy", max_length=50)[7:]


def test_line_breaks_are_read_as_spaces_unless_the_model_learnt_them(model):
    breaks, spaces = (generate_lyrics(f"a{gap}b", model=model, seed=1, max_length=40)[3:] for gap in "\n ")
    assert breaks == spaces
    learnt = copy.deepcopy(model)
    learnt.line_breaks = True
    assert generate_lyrics("a\nb", model=learnt, seed=1, max_length=40)[3:] != spaces
    assert read_labels("a\nb") == string_to_labels("a b")
    assert read_labels("a\nb", line_breaks=True) == string_to_labels("a\nb")


def test_library_logs_what_it_did_to_the_prefix(model, caplog):
    generate_lyrics("café", model=model, max_length=10)
    assert "é" in caplog.text


NAN, INFINITY = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        *[("temperature", value) for value in (-1, NAN, INFINITY, -INFINITY, None, "warm", 101)],
        *[("top_k", value) for value in (-1, 1.5, 101, None, NAN)],
        *[("top_p", value) for value in (0, -0.1, 1.1, NAN, None)],
        *[("min_p", value) for value in (-0.1, 1.1, NAN, None)],
        *[("typical_p", value) for value in (0, 1.1, NAN, None)],
        *[("guidance", value) for value in (0.9, 4.1, -1, NAN, INFINITY, None, "strong")],
        *[("second_artist", value) for value in ("Ada Lard", 3)],
        *[("second_weight", value) for value in (-0.1, 1.1, NAN, None)],
        *[("max_length", value) for value in (0, -5, 10**9, "many", 2.5, NAN, None, MAX_LYRIC_LENGTH + 1)],
        *[("seed", value) for value in (-1, 2**32, 1.5, "x", NAN)],
        *[("beam_size", value) for value in (0, 33, None)],
        *[("strategy", value) for value in ("nucleus", None, 3)],
        *[("artist", value) for value in ("Ada Lard", 3, "x" * 10_000)],
        ("prefix", 3),
        ("prefix", b"bytes"),
    ],
)
def test_bad_setting_is_refused_in_one_sentence_that_names_it(model, setting, value):
    with pytest.raises(ArgumentError) as caught:
        generate_lyrics(**{"model": model, setting: value})
    message = str(caught.value)
    assert message.startswith(setting)
    assert "\n" not in message
    assert len(message) < 300


def test_length_below_the_prefix_is_refused_with_both_numbers(model):
    with pytest.raises(ArgumentError, match=r"max_length .*11 characters.*got 5"):
        generate_lyrics("hello world", model=model, max_length=5)


def test_unknown_artist_is_refused_with_the_nearest_names(model):
    with pytest.raises(ArgumentError, match="Ada Lark"):
        generate_lyrics(model=model, artist="Ada Lurk")


def test_artist_for_a_model_without_artists_is_refused():
    with pytest.raises(ArgumentError, match="artist"):
        generate_lyrics(model=VanillaRNN(hidden_size=8), artist="Ada Lark")


def test_unknown_model_is_refused_with_the_bundled_names():
    with pytest.raises(LyricGenError, match="lstm"):
        generate_lyrics(model="lstn")


def test_guidance_and_a_mix_change_the_text_and_their_neutral_values_do_not(model):
    settings = {"model": model, "seed": 5, "max_length": 200, "temperature": 0.9}
    ada, bo = (generate_lyrics(artist=artist, **settings) for artist in ("Ada Lark", "Bo Finch"))
    mixes = [
        generate_lyrics(artist="Ada Lark", second_artist="Bo Finch", second_weight=weight, **settings)
        for weight in (0, 0.5, 1)
    ]
    assert mixes[0] == ada and mixes[2] == bo and mixes[1] not in (ada, bo)
    assert generate_lyrics(artist="Ada Lark", guidance=1, second_weight=0.1, **settings) == ada
    guided = [
        generate_lyrics(artist="Ada Lark", guidance=3, second_artist=second, **settings)
        for second in (None, "bo finch")
    ]
    assert len({ada, *guided}) == 3


def test_variants_are_the_lyrics_of_the_seeds_that_follow():
    settings = {"model": "vanilla-rnn", "artist": "Drake", "max_length": 60, "temperature": 0.9}
    texts = generate_variants("oh ", variants=3, seed=2**32 - 2, **settings)
    assert texts == [generate_lyrics("oh ", seed=seed, **settings) for seed in (2**32 - 2, 2**32 - 1, 0)]
    assert generate_variants("oh ", variants=1, strategy="greedy", **settings) == [
        generate_lyrics("oh ", strategy="greedy", **settings)
    ]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"variants": 0}, "variants must be a whole number from 1 to 16, got 0"),
        ({"variants": 17}, "got 17"),
        ({"variants": 2, "strategy": "greedy"}, "variants must be 1 with the greedy strategy"),
        ({"variants": 2, "strategy": "beam"}, "variants must be 1 with the beam strategy"),
    ],
)
def test_variants_that_cannot_be_are_refused(settings, said):
    with pytest.raises(ArgumentError, match=said):
        generate_variants(model="vanilla-rnn", **settings)
