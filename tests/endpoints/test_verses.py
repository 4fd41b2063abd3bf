"""Endpoints on verses, with small networks."""

import pytest

from lyricgen import ArgumentError, rhymes
from lyricgen.cli import main
from lyricgen.endpoints import verses
from lyricgen.resources import Resources


@pytest.fixture
def resources(tiny_folder) -> Resources:
    return Resources(tiny_folder, "cpu")


def test_a_verse_is_streamed_and_ends_complete(resources):
    *drafts, last = verses.verse(resources, "couplet", 4, seed=2)
    assert all(set(draft) == {"text", "lines", "notes", "seed"} for draft in drafts)
    assert [line["syllables"] for line in last["lines"]] == [4, 4] and last["seed"] == 2
    again = list(verses.verse(resources, "couplet", 4, seed=2, lines="\n"))[-1]
    assert again == last


def test_a_gap_is_filled(resources):
    *_, filled = verses.fill(resources, "by the [..] sea", 10, seed=2)
    assert filled.startswith("by the ") and filled.endswith(" sea") and "[..]" not in filled


def test_bad_input_is_refused(resources):
    with pytest.raises(ArgumentError, match="scheme 'sonnet'"):
        list(verses.verse(resources, "sonnet"))


def test_rhymes_are_those_of_the_library(resources):
    assert verses.rhymes(resources) == [line.to_dict() for line in rhymes(verses.EXAMPLE_TEXT)]


def test_values_come_at_intervals_and_the_last_always():
    assert list(verses.at_intervals(range(100)))[-1] == 99
    assert list(verses.at_intervals([])) == []


def test_a_device_that_fails_starts_the_verse_again_on_the_cpu(resources, monkeypatch):
    import torch

    calls = []

    def write(request):
        calls.append(request.model)
        if len(calls) == 1:
            raise torch.OutOfMemoryError("no memory")
        yield "written"

    replaced = resources.request(None)
    monkeypatch.setattr(resources, "_on_cpu", lambda request, error: replaced)
    assert list(resources.stream_on_model(resources.request(None), write)) == ["written"] and len(calls) == 2
    monkeypatch.setattr(resources, "_on_cpu", lambda request, error: request)
    calls.clear()
    with pytest.raises(torch.OutOfMemoryError):
        list(resources.stream_on_model(replaced, write))


def test_the_shell_writes_fills_and_counts(tiny_folder, capsys):
    model = str(tiny_folder / "lstm")
    assert main(["verse", "--scheme", "couplet", "--syllables", "4", "--seed", "2", "--model", model]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert main(["fill", "by the [..] sea", "--length", "10", "--seed", "2", "--model", model]) == 0
    assert capsys.readouterr().out.endswith(" sea\n")
    assert main(["rhymes", "a bright\nsight\nmy ripe"]) == 0
    assert capsys.readouterr().out == "A    2  a bright\nA    1  sight\na    2  my ripe\n"
    assert main(["verse", "--acrostic", "7"]) == 2
    assert capsys.readouterr().err.startswith("lyricgen: acrostic must be")
