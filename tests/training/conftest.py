"""Fixtures of the trainings."""

import pytest


@pytest.fixture(scope="module")
def short_lyrics():
    """Lyrics of 12 characters where a training samples: at the stages, and to measure what they copy.

    The real ones, of 200 and 300 characters, take most of the time of a small training.
    """
    with pytest.MonkeyPatch.context() as patch:
        for module in ("samples", "copying"):
            patch.setattr(f"lyricgen.training.{module}.SAMPLE_LENGTH", 12)
        yield


@pytest.fixture
def no_picture(monkeypatch):
    """No picture of the learning curve in the trainings of a test; those of a module's fixtures draw it."""
    monkeypatch.setattr("lyricgen.training.networks.LearningCurves.files", lambda self, *formats: [b""])
