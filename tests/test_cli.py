"""The shell: the library's answers as text and JSON, one sentence and exit code 2 for bad input."""

import inspect
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

import lyricgen
from lyricgen.analysis.attribution import attribute
from lyricgen.analysis.membership import measure_membership
from lyricgen.analysis.scoring import score
from lyricgen.cli import build_parser, main
from lyricgen.endpoint_verbs import ENDPOINT_VERBS, endpoint_of, make_parser
from lyricgen.endpoints import inside, lyrics, verses, words
from lyricgen.generation.api import generate_lyrics
from lyricgen.generation.settings import generation_settings
from lyricgen.hub.publish import Push
from lyricgen.models.text import section_breaks_to_newlines
from lyricgen.resources import Resources


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    """The exit code, stdout and stderr of a command."""
    code = main(arguments)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture
def type_in(monkeypatch):
    """Sets what a command reads from stdin."""
    return lambda text: monkeypatch.setattr(
        "sys.stdin", io.TextIOWrapper(io.BytesIO(text if isinstance(text, bytes) else text.encode()))
    )


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
    assert (code, out) == (0, section_breaks_to_newlines(text, len("the sea ")) + "\n")


def test_generate_lists_the_artists(capsys):
    code, out, _ = run(capsys, "generate", "--artist", "list")
    assert code == 0 and {"Coldplay", "Taylor Swift"} < set(out.splitlines())


def test_generate_prints_variants_each_under_its_seed(capsys):
    code, out, _ = run(capsys, "generate", "--prefix", "rain ", "--max-length", "40", "--seed", "3", "--variants", "2")
    assert code == 0
    texts = [section_breaks_to_newlines(generate_lyrics("rain ", max_length=40, seed=seed), 5) for seed in (3, 4)]
    assert out == f"seed 3\n\n{texts[0]}\n\nseed 4\n\n{texts[1]}\n"


def test_generate_as_json_has_the_seed_and_the_text_of_each(capsys):
    flags = ["--prefix", "rain ", "--max-length", "40", "--variants", "2", "--model", "vanilla-rnn"]
    code, out, _ = run(capsys, "generate", *flags, "--seed", "3", "--json")
    first, second = json.loads(out)
    assert (code, first["seed"], second["seed"]) == (0, 3, 4)
    assert (
        run(capsys, "generate", *flags, "--seed", "3")[1]
        == f"seed 3\n\n{first['text']}\n\nseed 4\n\n{second['text']}\n"
    )


def test_the_prefix_may_be_an_argument_or_come_from_stdin(capsys, type_in):
    flags = ["--max-length", "40", "--seed", "3"]
    as_flag = run(capsys, "generate", "--prefix", "rain ", *flags)
    assert run(capsys, "generate", "rain ", *flags) == as_flag
    type_in("rain \n")
    assert run(capsys, "generate", "-", *flags) == as_flag
    code, _, err = run(capsys, "generate", "rain ", "--prefix", "sea ", *flags)
    assert (code, err) == (2, "lyricgen: --prefix must be left out where PREFIX is given, got 'sea '\n")


def test_a_space_of_three_words_has_no_answer_and_says_so(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("LYRICGEN_CACHE", str(tmp_path / "cache"))
    (tmp_path / "mini.txt").write_text("king 1 2\nqueen 2 1\nman 1 0\n")
    (tmp_path / "one.txt").write_text("king 1 2\n")
    code, out, _ = run(capsys, "analogy", "king", "queen", "man", "--vectors", str(tmp_path / "mini.txt"))
    assert (code, out) == (0, "There is no answer: mini has no word beside those of the question.\n")
    code, out, _ = run(capsys, "neighbors", "king", "--vectors", str(tmp_path / "one.txt"))
    assert (code, out) == (0, "  none: the vector space has no other word\n")


def test_a_bias_test_leaves_the_analogy_out_with_a_note(capsys):
    code, out, err = run(capsys, "bias", "--test", "math-arts", "--vectors", "lyrics")
    assert code == 0 and "effect size" in out and " :: " not in out
    assert "The analogies are left out: word 'worker' is not among" in err


def test_words_and_texts_are_typed_as_people_type_them(capsys, type_in, tmp_path):
    assert run(capsys, "neighbors", "don\u2019t", "--vectors", "lyrics") == run(
        capsys, "neighbors", "don't", "--vectors", "lyrics"
    )
    assert run(capsys, "map", "king\uff0cqueen\u3001m\u200ban", "--out", str(tmp_path / "map.json"))[0] == 0
    assert [row["word"] for row in json.loads((tmp_path / "map.json").read_text())["words"]] == ["king", "queen", "man"]
    plain = run(capsys, "score", "don't go\nnow", "--json")
    utf_16 = "don't go\nnow\n".encode("utf-16")  # as Windows programs write it
    for text in ("\ufeffdon\u2019t go\r\nnow\r\n", "don\u00b4t go\rno\u00adw\n", utf_16):
        type_in(text)
        code, out, _ = run(capsys, "score", "-", "--json")
        scores = [[character["log_prob"] for character in json.loads(each)["characters"]] for each in (out, plain[1])]
        assert code == 0 and scores[0] == scores[1]


def test_notes_go_to_stderr(capsys):
    assert main(["generate", "--prefix", "caf\u00e9 ", "--max-length", "20", "--seed", "1"]) == 0
    out, err = capsys.readouterr()
    assert len(out.rstrip("\n")) <= 20
    assert "read as unknown" in err and "read as unknown" not in out


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
        ("--seed", "-2", "seed"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(capsys, flag, value, named):
    code, out, err = run(capsys, "generate", f"{flag}={value}")
    assert (code, out) == (2, "")
    assert named in err
    assert err.count("\n") == 1


VERSE = "the tide came in at seven  and took the chairs away"


def test_score_prints_bits_by_line_and_the_highest_surprisals(capsys):
    code, out, err = run(capsys, "score", VERSE, "--artist", "coldplay")
    scored = score(VERSE, artist="Coldplay")
    assert (code, err) == (0, "")
    assert out.startswith(f"lstm: {scored.bits_per_character:.3f} bits per character, {scored.bits:.1f} bits in 51 ")
    assert f"{scored.lines[1].bits_per_character:.3f}  and took the chairs away" in out
    worst = scored.most_surprising(1)[0]
    assert f"{worst.bits:.2f} bits" in out and f"[{worst.character}]" in out


def test_score_of_both_models_shows_where_they_differ(capsys):
    code, out, err = run(capsys, "score", VERSE + "\né\x1b[31m", "--model", "BOTH")
    assert code == 0 and "not scored" in err and "read as spaces" in err
    assert "vanilla-rnn: " in out and "where they differ most (bits of lstm, of vanilla-rnn)" in out
    assert "\x1b" not in out


def test_control_characters_are_replaced_in_attributed_lines_and_copied_runs(capsys, index):
    text = "the fox hums to the quiet\x1b[31m pond\nand\r more"
    for arguments in (["attribute", text, "--model", "vanilla-rnn"], ["originality", text, "--index", index]):
        code, out, _ = run(capsys, *arguments)
        assert code == 0 and "\x1b" not in out and "\r" not in out and "\ufffd[31m pond" in out


def test_score_as_json_and_as_a_table(capsys, tmp_path):
    code, out, _ = run(capsys, "score", VERSE, "--json", "--csv", str(tmp_path / "verse.csv"))
    assert code == 0 and json.loads(out) == score(VERSE).to_dict()
    assert (tmp_path / "verse.csv").read_bytes().decode() == score(VERSE).to_csv()
    code, out, _ = run(capsys, "score", VERSE, "--json", "--model", "both")
    assert [one["model"] for one in json.loads(out)["scores"]] == ["lstm", "vanilla-rnn"]


def test_score_reads_stdin_in_a_process_of_its_own():
    command = [sys.executable, "-m", "lyricgen", "score", "-", "--model", "vanilla-rnn", "--json"]
    done = subprocess.run(command, input=VERSE + "\n", text=True, check=True, capture_output=True)
    assert len(json.loads(done.stdout)["characters"]) == len(VERSE)


@pytest.mark.parametrize("arguments", [["generate", "--artist", "list"], ["rhymes", "one\nsun"]])
def test_a_reader_that_has_gone_is_no_error(arguments):
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "lyricgen", *arguments]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([""], "got an empty text"),
        (["x" * 5_001], "got 5,001"),
        (["한국"], "nothing to score"),
        (["a", "--artist", "Coldpay"], "Coldplay"),
        (["a", "--model", "lstn"], "lstm"),
        (["a", "--csv", "no/such/folder/x.csv"], "--csv 'no/such/folder/x.csv' cannot be written"),
    ],
)
def test_a_text_that_cannot_be_scored_is_one_sentence_and_exit_code_2(capsys, arguments, named):
    code, out, err = run(capsys, "score", *arguments)
    assert (code, out) == (2, "")
    assert named in err and err.count("\n") == 1


def test_about_prints_json_with_the_models(capsys):
    code, out, _ = run(capsys, "about")
    assert code == 0
    about = json.loads(out)
    assert [model["name"] for model in about["models"]] == ["lstm", "vanilla-rnn"]
    assert [space["name"] for space in about["vectors"]] == ["glove-50", "lyrics"]


def test_attribute_ranks_the_artists_of_the_text_and_names_one_for_each_line(capsys):
    code, out, err = run(capsys, "attribute", "the sea is calm  \u00e9 night", "--model", "vanilla-rnn")
    found = attribute("the sea is calm  \u00e9 night", model="vanilla-rnn")
    ranked, _, lines = out.partition("\n\n")
    assert code == 0 and "read as unknown: \u00e9" in err
    header, *rows = ranked.splitlines()
    assert header.split() == ["n-grams", "model", "artist"]
    assert rows == [f"{one.probability:7.1%}  {one.probability_by_model:7.1%}  {one.artist}" for one in found.ranking]
    first, *evidence = lines.splitlines()
    assert first.endswith(f"{found.lines[0].artist}: the sea is calm")
    ngrams = [ngram for line in found.lines for ngram in line.evidence.ngrams]
    assert len(evidence) == len(ngrams) + 1 and evidence[0].split()[0] == f"{ngrams[0].contribution:+.2f}"
    assert evidence[0].endswith(repr(ngrams[0].ngram))


def test_attribute_reads_stdin_and_answers_as_json(capsys, type_in):
    type_in("one line\nand two")
    code, out, _ = run(capsys, "attribute", "-", "--model", "vanilla-rnn", "--json")
    assert code == 0 and [line["text"] for line in json.loads(out)["lines"]] == ["one line", "and two"]


def test_membership_prints_the_statistics_and_the_runs_in_songs(capsys, tiny_folder):
    code, out, err = run(capsys, "membership", VERSE)
    verdict, table, originality = out.strip().split("\n\n")
    found = measure_membership(VERSE)
    assert (code, err) == (0, "") and verdict == found.verdict and originality == found.originality.summary
    rows = [line.split() for line in table.splitlines()[1:]]
    assert [row[:2] for row in rows] == [[each.statistic, f"{each.value:.3f}"] for each in found.statistics]
    code, out, _ = run(capsys, "membership", VERSE, "--models", str(tiny_folder), "--json")
    answer = json.loads(out)
    assert code == 0 and answer["bits_per_character"] > 4 and "no verdict" in answer["verdict"]
    assert run(capsys, "membership", "")[0] == 2


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["attribute", ""], "text must have 1 to 5,000 characters"),
        (["attribute", "x" * 5_001], "5,001"),
        (["attribute", "a", "--model", "lstn"], "lstm"),
    ],
)
def test_a_text_that_cannot_be_attributed_is_one_sentence(capsys, arguments, named):
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "") and named in err and err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        (["analogy", "man", "king", "woman"], ["man is to king as woman is to queen", "asked with: does not count"]),
        (["distance", "hot", "cold"], ["hot - cold: 0.1989", "% of random pairs"]),
        (["distance", "fast", "quick", "slow"], ["Yes: the antonym is nearer"]),
        (["distance", "hot", "cold", " "], ["hot - cold: 0.1989"]),
        (["neighbors", "FIRE", "--top-k", "3", "--beside", "lyrics"], ["glove-50", "lyrics", "in both:"]),
        (["bias"], ["effect size 1.71", "hard-debiased", "nurse"]),
        (["bias", "--test", "list"], ["names-career-family: "]),
    ],
)
def test_queries_on_words_are_answered(capsys, arguments, lines):
    code, out, err = run(capsys, *arguments)
    assert (code, err) == (0, "")
    assert all(line in out for line in lines)


@pytest.fixture(scope="module")
def resources():
    return Resources()


@pytest.mark.parametrize(
    ("arguments", "endpoint", "parameters"),
    [
        (["analogy", "man", "king", "woman"], words.analogy, ("man", "king", "woman")),
        (["distance", "hot", "cold"], words.distance, ("hot", "cold")),
        (["distance", "fast", "quick", "slow"], words.distance, ("fast", "quick", "slow")),
        (["neighbors", "fire"], words.neighbors, ("fire",)),
        (["neighbors", "fire", "--beside", "lyrics"], words.neighbors, ("fire", 10, "glove-50", "lyrics")),
        (["bias"], words.bias, ()),
        (["score", VERSE], inside.score, (VERSE,)),
        (["score", VERSE, "--memory"], inside.score, (VERSE, "any artist", "lstm", True)),
        (["attribute", VERSE], inside.attribute, (VERSE,)),
        (["originality", VERSE], inside.originality, (VERSE,)),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_json_answers_are_those_of_the_api(capsys, resources, arguments, endpoint, parameters):
    code, out, _ = run(capsys, *arguments, "--json")
    assert code == 0 and json.loads(out) == json.loads(json.dumps(endpoint(resources, *parameters)))


@pytest.mark.parametrize(
    ("kind", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("csv", b"word,group,x,y\n"), ("json", b"{")]
)
def test_a_map_is_written(capsys, tmp_path, kind, start):
    file = tmp_path / f"words.{kind}"
    code, out, err = run(capsys, "map", "king > queen", "man", "woman", "xqzzy", "--out", str(file))
    assert code == 0 and "4 words of glove-50" in out and "xqzzy" in err
    assert file.read_bytes().startswith(start)


def test_a_map_as_json_needs_no_file(capsys):
    code, out, _ = run(capsys, "map", "king > queen", "man", "--json")
    assert code == 0 and json.loads(out)["arrows"] == [["king", "queen"]]
    code, _, err = run(capsys, "map", "king", "queen")
    assert code == 2 and "--out must end in" in err


def test_a_map_reads_groups_from_stdin(capsys, type_in, tmp_path):
    type_in("a: king queen\nb: apple pear\n")
    assert run(capsys, "map", "-", "--out", str(tmp_path / "words.json"))[0] == 0
    mapped = json.loads((tmp_path / "words.json").read_text(encoding="utf-8"))
    assert [row["group"] for row in mapped["words"]] == ["a", "a", "b", "b"]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["analogy", "man", "king", "womann"], "nearest spellings: woman"),
        (["analogy", "man", "king", ""], "y1 must be a word"),
        (["analogy", "man", "king", "woman", "--top-k", "-1"], "top_k"),
        (["neighbors", "fire", "--vectors", "glove-5O"], "glove-50"),
        (["neighbors", "fire", "--beside", "nowhere"], "nowhere"),
        (["map", "king", "--out", "x.svg"], "2 to 200"),
        (["map", "king", "queen", "--out", "x.pdf"], "--out must end in"),
        (["map", "king", "queen", "--out", "no/such/folder/x.svg"], "cannot be written"),
        (["map", "king", "queen", "--method", "umap", "--out", "x.svg"], "method must be one of PCA, t-SNE"),
        (["bias", "--test", "astrology"], "--test"),
        (["bias", "--target1", "john"], "target1"),
    ],
)
def test_bad_words_are_one_sentence_and_exit_code_2(capsys, arguments, named):
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert named in err and err.count("\n") == 1


@pytest.fixture
def index(tmp_path) -> str:
    """A folder with the index of one song."""
    song = lyricgen.Song("the fox hums to the quiet pond and the heron answers", "Ann", "Pond")
    lyricgen.SongIndex.build([song], asked=0).save(tmp_path / "index")
    return str(tmp_path / "index")


def test_originality_marks_runs_and_names_their_songs(capsys, index):
    text = "<b>Zig</b>, the FOX hums\nto the quiet zag"
    code, out, err = run(capsys, "originality", text, "--index", index)
    assert (code, err) == (0, "")
    assert "<b>Zig</b>, [the FOX hums\nto the quiet]1 zag" in out
    assert "  1  6 words, in “Pond” by Ann\n" in out and "60% of the words" in out
    code, out, _ = run(capsys, "originality", text, "--index", index, "--json")
    assert code == 0 and json.loads(out)["runs"][0]["title"] == "Pond"
    code, out, _ = run(capsys, "originality", "nothing of this was ever sung", "--index", index)
    assert (code, out) == (0, "No 5 words in a row occur in the training songs.\n")


def test_originality_reads_stdin_and_searches_the_bundled_songs(capsys, type_in):
    type_in("I don't know what to do")
    code, out, _ = run(capsys, "originality", "-", "--json")
    assert code == 0 and json.loads(out)["longest_run"] == 6


@pytest.mark.parametrize(
    ("arguments", "said"),
    [([""], "text must have 1 to 20,000"), (["x" * 20_001], "got 20,001"), (["x", "--index", "nowhere"], "'nowhere'")],
)
def test_bad_text_for_originality_is_one_sentence_and_exit_code_2(capsys, arguments, said):
    code, out, err = run(capsys, "originality", *arguments)
    assert (code, out) == (2, "") and said in err and err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["--help"],
            "generate score attribute originality analogy distance neighbors map bias about train push space",
        ),
        (["map", "--help"], "--out --method --vectors standard input"),
        (["score", "--help"], "--artist both --csv standard input"),
        (["generate", "--help"], "--prefix --model --seed --variants beam 5,000"),
    ],
)
def test_help_lists_verbs_and_flags(capsys, arguments, words):
    with pytest.raises(SystemExit) as ended:
        build_parser().parse_args(arguments)
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    assert all(word in printed for word in words.split())


def test_a_push_is_answered_as_json(capsys, monkeypatch):
    pushed = Push("ann/songs", "0" * 40, True, "https://huggingface.co/ann/songs")
    monkeypatch.setattr("lyricgen.hub.publish.push_models", lambda *_, **__: pushed)
    code, out, _ = run(capsys, "push", "models", "--hub-repo", "ann/songs", "--json")
    assert code == 0 and Push(**json.loads(out)) == pushed


def test_every_verb_but_the_training_answers_as_json():
    verbs = next(action for action in build_parser()._actions if action.dest == "command").choices
    for name, verb in verbs.items():
        parser = make_parser(name) if name in ENDPOINT_VERBS else verb
        assert "--json" in parser._option_string_actions or name == "train", name


def test_generate_has_a_flag_for_each_generation_setting():
    options = build_parser().parse_args(["generate"])
    for setting in generation_settings().values():
        default = getattr(options, setting.name)
        assert default == (None if setting.default is None else str(setting.default))


def test_help_of_every_verb_imports_nothing_that_is_slow():
    program = """
import contextlib, io, sys
from lyricgen.cli import ENDPOINT_VERBS, build_parser, main
verbs = [[]] + [[verb] for verb in build_parser()._subparsers._group_actions[0].choices if verb not in ENDPOINT_VERBS]
for verb in verbs:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
        main([*verb, "--help"])
print(len(verbs), sorted({"torch", "numpy", "pandas", "gensim", "sklearn", "matplotlib", "gradio"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "18 []\n"


@pytest.mark.parametrize(
    ("arguments", "endpoint", "parameters"),
    [
        (["alternatives", "the tide ", "--position", "3", "--count", "2"], inside.alternatives, {"text": "the tide ", "position": 3, "count": 2}),
        (["cells", VERSE, "--model", "vanilla-rnn", "--unit", "7"], inside.cells, {"text": VERSE, "model": "vanilla-rnn", "unit": 7}),
        (["learning-curves"], inside.learning_curves, {}),
        (["writer-bias", "--words", "nurse, cook", "--model", "vanilla-rnn"], inside.writer_bias, {"words": "nurse, cook", "model": "vanilla-rnn"}),
        (["compare", "rain ", "--max-length", "9", "--seed", "3"], lyrics.compare, {"prefix": "rain ", "max_length": 9, "seed": 3}),
        (["temperatures", "rain ", "--max-length", "9", "--seed", "3"], lyrics.temperatures, {"prefix": "rain ", "max_length": 9, "seed": 3}),
        (["analogy-benchmark", "--candidates", "2000"], words.analogy_benchmark, {"candidates": 2000}),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)  # fmt: skip
def test_a_verb_of_an_endpoint_prints_its_answer(capsys, resources, arguments, endpoint, parameters):
    code, out, _ = run(capsys, *arguments)
    answer = endpoint(resources, **parameters)
    if isinstance(answer, Iterator):
        *_, answer = answer
    assert code == 0 and json.loads(out) == json.loads(json.dumps(answer))


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["alternatives", "rain", "--position", "9"], "position"),
        (["cells", ""], "got an empty text"),
        (["debiasing", "--vectors", "glov"], "glov"),
    ],
)
def test_a_verb_of_an_endpoint_refuses_bad_input_in_one_sentence(capsys, arguments, named):
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "") and named in err and err.count("\n") == 1


def test_verbs_of_endpoints_read_stdin_too(capsys, type_in):
    type_in("the sea\n")
    code, out, _ = run(capsys, "cells", "-", "--model", "vanilla-rnn")
    assert code == 0 and len(json.loads(out)["activations"]) == len("the sea")


def test_a_prefix_may_be_left_out(capsys):
    code, out, _ = run(capsys, "compare", "--max-length", "20", "--seed", "-1")
    assert code == 0 and set(json.loads(out)) == {"lstm", "vanilla-rnn"}


def test_a_full_disk_is_a_sentence():
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full")
    with open("/dev/full", "w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "lyricgen", "bias", "--test", "list"], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert ended.returncode == 2 and ended.stderr.startswith("lyricgen: ") and ended.stderr.count("\n") == 1


@pytest.mark.parametrize("verb", ENDPOINT_VERBS)
def test_help_of_a_verb_of_an_endpoint_describes_each_parameter(capsys, verb):
    with pytest.raises(SystemExit) as ended:
        main([verb, "--help"])
    printed = capsys.readouterr().out
    endpoint = endpoint_of(verb)
    names = list(inspect.signature(endpoint).parameters)[1:]
    assert ended.value.code == 0
    assert all(f"--{name.replace('_', '-')}" in printed or f" {name.upper()} " in printed for name in names)


def test_every_endpoint_has_a_verb(capsys):
    choices = build_parser()._subparsers._group_actions[0].choices
    endpoints = [name for module in (inside, lyrics, verses, words) for name, value in vars(module).items()
                 if inspect.isfunction(value) and value.__module__ == module.__name__
                 and next(iter(inspect.signature(value).parameters), "") == "resources" and "Args:" in (value.__doc__ or "")]  # fmt: skip
    missing = {name.replace("_", "-") for name in endpoints} - set(choices)
    assert missing <= {"variants", "check-prefix", "make-request"}  # flags and notes of `generate`


def test_train_passes_its_flags_on(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["train", "--help"])
    printed = capsys.readouterr().out
    assert ended.value.code == 0 and printed.startswith("usage: lyricgen train ") and "--epochs" in printed
    with pytest.raises(SystemExit) as ended:
        main(["train", "--no-such-flag"])
    assert ended.value.code == 2 and "--no-such-flag" in capsys.readouterr().err
    assert main(["train", "--models", "originality", "--data", "no-such-songs"]) == 2
    assert capsys.readouterr().err.startswith("lyricgen train: there is no file or folder 'no-such-songs'")


def test_a_name_that_the_package_lacks_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        lyricgen.no_such_name  # noqa: B018
