"""The vector spaces of the page without its models."""

import pytest

from lyricgen.words.sources import read_vectors


class Spaces:
    """In place of `Resources`."""

    space_names = ("glove-50", "lyrics")
    strong_words = None

    def space(self, name=None, argument="vectors"):
        return read_vectors(name or "glove-50")


@pytest.fixture
def spaces():
    return Spaces()
