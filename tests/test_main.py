"""The shell: the same lyrics, one sentence and exit code 2 for bad input."""

import json
import subprocess
import sys

import pytest

import lyricgen
from lyricgen.__main__ import build_parser, main
from lyricgen.generation import generate_lyrics, show_breaks


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    """The exit code, what was printed, and what went to standard error."""
    code = main(arguments)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_generate_prints_what_the_library_writes(capsys):
    flags = [
        "--prefix",
        "the sea ",
        "--artist",
        "coldplay",
        "--max-length",
        "90",
        "--seed",
        "7",
        "--temperature",
        "0.5",
    ]
    code, out, _ = run(capsys, "generate", *flags)
    text = generate_lyrics("the sea ", artist="Coldplay", max_length=90, seed=7, temperature=0.5)
    assert (code, out) == (0, show_breaks(text, len("the sea ")) + "\n")


def test_notes_do_not_stand_among_the_lyrics():
    command = [
        sys.executable,
        "-m",
        "lyricgen",
        "generate",
        "--prefix",
        "caf\u00e9 ",
        "--max-length",
        "20",
        "--seed",
        "1",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True, encoding="utf-8")
    assert len(done.stdout.rstrip("\n")) <= 20
    assert "read as unknown" in done.stderr
    assert "read as unknown" not in done.stdout


@pytest.mark.parametrize(
    ("flag", "value", "named"),
    [
        ("--temperature", "nan", "temperature"),
        ("--temperature", "warm", "temperature"),
        ("--max-length", "0", "max_length"),
        ("--top-p", "2", "top_p"),
        ("--artist", "Coldpay", "Coldplay"),
        ("--model", "lstn", "lstm"),
        ("--strategy", "nucleus", "greedy"),
        ("--seed", "-1", "seed"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(capsys, flag, value, named):
    code, out, err = run(capsys, "generate", f"{flag}={value}")
    assert (code, out) == (2, "")
    assert named in err
    assert err.count("\n") == 1


def test_about_prints_json_with_the_models(capsys):
    code, out, _ = run(capsys, "about")
    assert code == 0
    assert [model["name"] for model in json.loads(out)["models"]] == ["lstm", "vanilla-rnn"]


def test_help_tells_of_every_command_and_flag(capsys):
    for arguments, words in (
        (["--help"], ["generate", "about"]),
        (["generate", "--help"], ["--prefix", "--seed", "beam"]),
    ):
        with pytest.raises(SystemExit) as ended:
            build_parser().parse_args(arguments)
        assert ended.value.code == 0
        printed = capsys.readouterr().out
        assert all(word in printed for word in words)


def test_public_names_are_what_all_says_and_gradio_is_not_imported():
    program = (
        "import sys, lyricgen\n"
        "assert 'torch' not in sys.modules, 'torch is loaded before it is asked for'\n"
        "missing = [name for name in lyricgen.__all__ if not hasattr(lyricgen, name)]\n"
        "assert not missing, missing\n"
        "assert 'gradio' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
    with pytest.raises(AttributeError, match="no_such_name"):
        lyricgen.no_such_name  # noqa: B018
