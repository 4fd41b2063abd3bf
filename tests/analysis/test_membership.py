"""Membership: the statistics of a text, the verdict, and the artifact of the thresholds."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from lyricgen import ArgumentError, ImprovedSeqModel, ModelError, VanillaRNN, measure_membership, score
from lyricgen.analysis import membership
from lyricgen.analysis.membership import (
    STATISTICS,
    MembershipThresholds,
    Threshold,
    load_thresholds,
    lowest_mean,
    save_thresholds,
    surprisal,
    weights_sha256,
)
from lyricgen.memorization.song_index import SongIndex
from lyricgen.models.vocabulary import OOV_LABEL, START_LABEL, string_to_labels
from lyricgen.songs.reading import Song
from lyricgen.storage import MEMBERSHIP

TEXT = "the kettle hums a slow tune in the kitchen while the rain is on the roof"


@pytest.fixture(scope="module")
def networks():
    """A small LSTM and a small RNN with distinct weights, in eval mode."""
    torch.manual_seed(4)
    pair = ImprovedSeqModel(hidden_size=12, n_layers=1), VanillaRNN(hidden_size=12, n_layers=1)
    with torch.no_grad():
        for model in pair:
            for parameter in model.parameters():
                parameter.mul_(2)
    return tuple(model.eval() for model in pair)


@pytest.fixture
def thresholds(networks):
    """Thresholds for texts of 20 and of 40 characters: everything is above that of min_k, nothing above the others."""
    of_length = {name: Threshold(99.0, 0.25, 0.5, 0.75) for name in STATISTICS} | {
        "min_k": Threshold(-99.0, 0.1, 0.2, 0.9)
    }
    checksums = tuple(map(weights_sha256, networks))
    return MembershipThresholds(checksums, "difference", {20: of_length, 40: of_length}, {"clean_songs": 5})


def measure(networks, thresholds, text=TEXT, **more):
    model, reference = networks
    return measure_membership(text, model=model, reference=reference, thresholds=thresholds, **{"index": None, **more})


def test_the_statistics_are_those_of_the_definitions(networks):
    model, reference = networks
    labels = torch.tensor([START_LABEL, *string_to_labels(TEXT)])
    with torch.inference_mode():
        logits = model(labels[None, :-1], None)[0][0].double()
    log_probs, targets = F.log_softmax(logits, -1), labels[1:]
    mean = (log_probs.exp() * log_probs).sum(-1)
    deviation = (log_probs.exp() * (log_probs - mean[:, None]).square()).sum(-1).sqrt()
    standardized = (log_probs[range(len(targets)), targets] - mean) / deviation
    lowest = standardized.sort().values[: math.ceil(len(targets) / 5)].mean()
    measured = measure(networks, None)
    values = {each.statistic: each.value for each in measured.statistics}
    assert list(values) == list(STATISTICS) and measured.characters == len(TEXT)
    assert values["min_k"] == pytest.approx(float(lowest), rel=1e-6)
    assert measured.bits_per_character == pytest.approx(score(TEXT, model=model).bits_per_character, rel=1e-5)
    assert values["likelihood"] == -measured.bits_per_character
    assert values["difference"] == pytest.approx(
        score(TEXT, model=reference).bits_per_character - measured.bits_per_character, rel=1e-4
    )


def test_texts_side_by_side_are_read_as_each_alone(networks):
    rows = np.array([string_to_labels(TEXT[:30]), string_to_labels(TEXT[30:60])], np.uint8)
    together = surprisal(rows, networks[0])
    for number in range(2):
        alone = surprisal(rows[number : number + 1], networks[0])
        assert [values[number] for values in together] == pytest.approx([values[0] for values in alone], rel=1e-5)


def test_characters_outside_the_vocabulary_are_not_scored(networks):
    labels = np.array([string_to_labels("rain \u00e9 rain")], np.uint8)
    assert OOV_LABEL in labels
    bits, _ = surprisal(labels, networks[0])
    assert bits[0] == pytest.approx(score("rain \u00e9 rain", model=networks[0]).bits_per_character, rel=1e-5)
    assert "read as unknown: \u00e9" in measure(networks, None, "rain \u00e9 rain").notes[0]


def test_the_lowest_fifth_of_the_values_is_one_at_least():
    assert lowest_mean(np.array([5.0, 1.0, 3.0, 2.0, 4.0, 0.0])) == 0.5
    assert lowest_mean(np.array([7.0])) == 7.0


def test_a_text_is_compared_at_the_highest_length_that_it_reaches(networks, thresholds):
    measured = measure(networks, thresholds)
    assert measured.characters == 40 and measured.notes == (f"The first 40 of {len(TEXT)} characters were read.",)
    assert measured.bits_per_character == pytest.approx(
        score(TEXT[:40], model=networks[0]).bits_per_character, rel=1e-5
    )
    assert measure(networks, thresholds, TEXT[:39]).characters == 20
    assert measure(networks, thresholds, TEXT[:20]).notes == ()


def test_the_verdict_is_by_its_statistic_and_names_the_error_rates(networks, thresholds):
    measured = measure(networks, thresholds)
    assert measured.read is False and {each.statistic: each.read for each in measured.statistics}["min_k"] is True
    assert "have probably not read this text: difference is" in measured.verdict
    assert "of 40 characters that the models had not read, 25% were above it" in measured.verdict
    assert "of those that they had read, 50% were not" in measured.verdict
    by_min_k = measure(networks, replace(thresholds, statistic="min_k"))
    assert by_min_k.read is True and "have probably read this text: min_k is" in by_min_k.verdict
    unmeasured = {20: {name: Threshold(0.0) for name in STATISTICS}}
    assert "error rates were not measured" in measure(networks, replace(thresholds, by_length=unmeasured)).verdict


def test_without_a_verdict_a_sentence_says_why(networks, thresholds):
    of_others = replace(thresholds, networks=thresholds.networks[::-1])
    unfitted = {length: {name: Threshold(auc=0.8) for name in STATISTICS} for length in (20, 40)}
    for known, text, words in (
        (None, TEXT, "no thresholds here"),
        (of_others, TEXT, "of other networks"),
        (thresholds, TEXT[:19], "under 20 characters"),
        (thresholds, "\u043c\u043e\u0440\u0435 the sea " * 3, "too few of its characters"),
        (replace(thresholds, by_length=unfitted), TEXT, "without held-out songs"),
    ):
        measured = measure(networks, known, text)
        assert measured.read is measured.statistic is None and words in measured.verdict
        assert all(each.read is None for each in measured.statistics) and measured.bits_per_character > 0
        assert json.loads(json.dumps(measured.to_dict())) == measured.to_dict()
    assert measured.statistics[0].auc == 0.8


def test_the_song_index_is_asked_about_the_characters_that_were_read(networks, thresholds):
    index = SongIndex.build([Song("a slow tune in the kitchen while the rain", title="Kettle")], asked=0)
    answer = measure(networks, thresholds, index=index).to_dict()
    assert answer["originality"]["longest_run"] == 5 and answer["originality"]["words"] == 9
    assert measure(networks, thresholds).to_dict()["originality"] is None


def test_the_bundled_models_measure_a_text():
    answer = measure_membership(TEXT * 2).to_dict()
    assert answer["characters"] == 100 and answer["bits_per_character"] < answer["reference_bits_per_character"] + 1
    assert answer["verdict"] and answer["originality"]["words"] > 5


def test_a_model_in_training_mode_answers_as_in_eval_mode(networks):
    labels = np.array([string_to_labels(TEXT)], np.uint8)
    model = ImprovedSeqModel(hidden_size=12, dropout=0.9)
    first, again = surprisal(labels, model)[0], surprisal(labels, model)[0]
    assert model.training and first == again == surprisal(labels, model.eval())[0]


def test_blanks_at_the_ends_do_not_count(networks):
    assert measure(networks, None, f"\n \n{TEXT}  ").characters == len(TEXT.strip())


def test_the_stretch_that_is_read_must_have_a_known_character(networks, thresholds):
    with pytest.raises(ArgumentError, match="^the first [0-9]+ characters of text must have one that the models know"):
        measure(networks, thresholds, "\ud55c" * 90 + " sea")


@pytest.mark.parametrize("text", ["", " \n ", "\ud55c\uad6d", "x" * 5_001, None])
def test_other_texts_are_refused(networks, text):
    with pytest.raises(ArgumentError, match="^text must"):
        measure(networks, None, text)


def test_a_folder_gives_back_what_was_written(thresholds, networks, tmp_path):
    save_thresholds(thresholds, tmp_path / "membership")
    assert [path.name for path in (tmp_path / "membership").iterdir()] == [MEMBERSHIP.header]
    loaded = load_thresholds(tmp_path / "membership")
    assert {name: getattr(loaded, name) for name in vars(loaded)} == vars(thresholds)
    assert measure(networks, tmp_path / "membership").verdict == measure(networks, thresholds).verdict


@pytest.mark.parametrize(
    "change",
    [
        lambda header: header["lengths"]["20"].pop("min_k"),
        lambda header: header.update(statistic="length"),
        lambda header: header.update(networks=["a"]),
        lambda header: header["lengths"]["20"]["min_k"].update(more=1),
        lambda header: header["lengths"]["20"]["min_k"].update(threshold="high"),
    ],
)
def test_a_folder_that_is_not_as_it_was_written_is_refused(thresholds, tmp_path, change, monkeypatch):
    save_thresholds(thresholds, tmp_path / "membership")
    file = tmp_path / "membership" / MEMBERSHIP.header
    header = json.loads(file.read_text())
    change(header)
    file.write_text(json.dumps(header))
    with pytest.raises(ModelError, match="sha256 differs"):
        load_thresholds(tmp_path / "membership")
    monkeypatch.setattr(membership, "read_artifact", lambda folder, kind: header)
    with pytest.raises(ModelError, match="do not fit together"):
        load_thresholds(tmp_path / "membership")


def test_the_checksum_is_of_the_weights(networks):
    model = networks[0]
    again = ImprovedSeqModel(hidden_size=12, n_layers=1).eval()
    again.load_state_dict(model.state_dict())
    assert weights_sha256(again) == weights_sha256(model) != weights_sha256(networks[1])
    with torch.no_grad():
        again.ffnn.bias.add_(1)
    assert weights_sha256(again) != weights_sha256(model)
