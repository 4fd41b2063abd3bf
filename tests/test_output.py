"""Standard output in any encoding, and JSON without NaN."""

import io
import json
import math

import numpy as np
import pytest

from lyricgen.cli import main
from lyricgen.output import print_json, replace_unencodable, to_json


@pytest.fixture
def printed(monkeypatch):
    """Replaces standard output by one of an encoding; returns a function that gives the bytes written."""

    def replace(encoding: str):
        stdout = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
        monkeypatch.setattr("sys.stdout", stdout)

        def read() -> bytes:
            stdout.flush()
            return stdout.buffer.getvalue()

        return read

    return replace


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp437", "latin-1", "utf-16", "utf-8"])
@pytest.mark.parametrize("json_flag", [[], ["--json"]])
def test_a_verb_prints_in_any_encoding(encoding, json_flag, printed):
    read = printed(encoding)
    assert main(["attribute", "hold on to the line \u2665", *json_flag]) == 0
    text = read().decode(encoding)
    if json_flag:
        assert json.loads(text)["ranking"] and "Beyonc\u00e9" in json.loads(text)["posterior"]
        assert text.isascii() == (encoding != "utf-8")
    else:
        beyonce, bts = "Beyonc\u00e9", "BTS (\ubc29\ud0c4\uc18c\ub144\ub2e8)"
        assert beyonce.encode(encoding, "replace").decode(encoding) in text
        assert bts.encode(encoding, "replace").decode(encoding) in text


def test_what_an_encoding_lacks_is_replaced_and_a_stream_that_cannot_change_is_left_alone(printed, monkeypatch):
    read = printed("cp1252")
    replace_unencodable()
    print("caf\u00e9 \ubc29 \ud800")
    assert read().decode("cp1252") == "caf\u00e9 ? ?\n"
    monkeypatch.setattr("sys.stdout", io.StringIO())
    replace_unencodable()
    print_json({"\ubc29": 1})


def test_json_has_null_for_numbers_that_are_not_finite():
    value = {"a": math.nan, "b": [1.5, math.inf, {"c": (-math.inf, np.float64("nan"))}], "d": "NaN \u00e9", "e": 2**70}
    assert json.loads(to_json(value)) == {
        "a": None,
        "b": [1.5, None, {"c": [None, None]}],
        "d": "NaN \u00e9",
        "e": 2**70,
    }
    assert "\u00e9" in to_json(value) and "NaN" not in to_json({"a": math.nan})
