"""The shell: `lyricgen VERB ...`, or `python -m lyricgen VERB ...`.

Each verb is one function that calls an endpoint and prints the answer. Slow imports (torch, gensim, matplotlib) are
inside these functions, so that help and errors in flags come at once.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lyricgen import __version__
from lyricgen.endpoint_verbs import ENDPOINT_VERBS, STDIN_HELP, run_endpoint, text_or_stdin
from lyricgen.errors import ArgumentError, LyricGenError, os_error_reason
from lyricgen.generation.schemes import form_settings, take_form
from lyricgen.generation.settings import MAX_VARIANTS, VERSE_DRY, Setting, generation_settings, verse_settings
from lyricgen.hub.flags import add_hub_flags
from lyricgen.output import print_json, replace_unencodable
from lyricgen.validation import check_choice, short_repr

if TYPE_CHECKING:
    from lyricgen.analysis.ngram_classifier import NgramContribution
    from lyricgen.analysis.scoring import HighSurprisal, Score, TextPosition
    from lyricgen.command_resources import CommandResources
    from lyricgen.hub.publish import Push
    from lyricgen.words.projection import WordMap

    Verbs = argparse._SubParsersAction[argparse.ArgumentParser]

MAX_PRINTED_SURPRISALS = 5  # characters of highest surprisal that `score` prints
MAX_PRINTED_REPEATS = 10  # runs that `score --memory` prints
MAP_FORMATS = ("svg", "png", "csv", "json")
METAVARS = {
    "artist": "NAME", "strategy": "NAME", "temperature": "T", "top_k": "K", "top_p": "P", "min_p": "P", "typical_p": "P",
    "guidance": "G", "second_artist": "NAME", "second_weight": "W", "chorus": "NAME",
    "clean_words": "True|False", "scheme": "NAME", "acrostic": "NAME", "words": "WORDS", "without": "LETTERS", "lines": "TEXT",
}  # fmt: skip
"""Placeholders of the flags of generation settings; N for all others."""
MODEL_HELP = "lstm, vanilla-rnn, a model folder or a .ckpt file (default: %(default)s)"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a verb; returns the exit code, which is 2 with one sentence on standard error for bad input."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    replace_unencodable()
    if arguments[:1] == ["train"]:  # its flags are parsed by training.cli
        return train_models(arguments[1:])
    try:
        if arguments[:1] and arguments[0] in ENDPOINT_VERBS:  # its flags are those of the endpoint, slow to import
            print_json(run_endpoint(arguments[0], arguments[1:]))
        else:
            options = build_parser().parse_args(arguments)
            options.run(options)
        if sys.stdout is not None:  # it is closed
            sys.stdout.flush()  # here, where a closed pipe is handled
    except LyricGenError as error:
        print(f"lyricgen: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except OSError as error:  # the reader has closed the pipe, as `head` does, or the disk is full
        if sys.stdout is not None:  # what is left in it would fail again when Python ends
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            return 0
        print(f"lyricgen: reading or writing failed ({os_error_reason(error)})", file=sys.stderr)
        return 2
    return 0


def build_parser() -> argparse.ArgumentParser:
    """The command line; defaults are those of the library."""
    parser = argparse.ArgumentParser(
        "lyricgen", description="Small language models of song lyrics, and word vectors, from the shell."
    )
    parser.add_argument("--version", action="version", version=f"lyricgen {__version__}")
    verbs = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_generate(verbs)
    _add_verse_verbs(verbs)
    _add_text_verbs(verbs)
    _add_word_verbs(verbs)
    _add_model_verbs(verbs)
    for name, (_, text) in ENDPOINT_VERBS.items():
        verbs.add_parser(name, add_help=False, help=f"{text}, as JSON")
    return parser


def _add_generate(verbs: "Verbs") -> None:
    # fmt: off
    generate = _add_verb(verbs, "generate", write_lyric, "write a lyric")
    generate.add_argument("beginning", nargs="?", metavar="PREFIX", help=f"the beginning; without one the model begins; {STDIN_HELP}")
    generate.add_argument("--prefix", default="", metavar="TEXT", help="the beginning, as a flag")
    generate.add_argument("--model", default="lstm", metavar="NAME", help=MODEL_HELP)
    for setting in generation_settings().values():
        _add_setting(generate, setting, setting.default)
    generate.epilog = "--artist list prints the artists that the model knows."
    generate.add_argument("--variants", default="1", metavar="N", help=f"lyrics to write in one batch, with consecutive seeds, 1 to {MAX_VARIANTS} (default: %(default)s)")
    # fmt: on


def _add_setting(verb: argparse.ArgumentParser, setting: Setting, of_verb: Any) -> None:
    """The flag of a generation setting, with a default of the verb's own."""
    meaning, _, value_of_none = setting.help.rstrip(".").partition("; None: ")
    default = None if of_verb is None else str(of_verb)
    text = f"{meaning[:1].lower()}{meaning[1:]} (default: {default or value_of_none or 'none'})".replace("%", "%%")
    metavar = METAVARS.get(setting.name, "N")
    verb.add_argument(f"--{setting.name.replace('_', '-')}", default=default, metavar=metavar, help=text)


def _add_verse_verbs(verbs: "Verbs") -> None:
    # fmt: off
    verse = _add_verb(verbs, "verse", write_verse, "write a verse in a form: rhymes, syllables, first letters")
    for setting in form_settings().values():
        stdin = f"; {STDIN_HELP}" if setting.name == "lines" else ""
        _add_setting(verse, setting._replace(help=f"{setting.help.rstrip('.')}{stdin}"), setting.default)

    fill = _add_verb(verbs, "fill", fill_gap, "fill the gap of a text so that what is behind it follows")
    fill.add_argument("text", metavar="TEXT", help=f"1 to 5,000 characters with one gap, written [..]; {STDIN_HELP}")
    fill.add_argument("--length", default="60", metavar="N", help="characters to fill in, 5 to 200 (default: %(default)s)")

    for verb in (verse, fill):
        verb.add_argument("--model", default="lstm", metavar="NAME", help=MODEL_HELP)
        for setting in verse_settings().values():
            _add_setting(verb, setting, VERSE_DRY if setting.name == "dry" else setting.default)

    rhymes = _add_verb(verbs, "rhymes", show_rhymes, "count the syllables of each line of a text, and find its rhymes")
    rhymes.add_argument("text", metavar="TEXT", help=f"1 to 20,000 characters; {STDIN_HELP}")
    # fmt: on


def _add_text_verbs(verbs: "Verbs") -> None:
    # fmt: off
    originality = _add_verb(verbs, "originality", show_originality, "measure how much of a text is copied from the training songs, and mark it")
    originality.add_argument("text", metavar="TEXT", help=f"1 to 20,000 characters; {STDIN_HELP}")
    originality.add_argument("--index", metavar="FOLDER", help="an index of other songs, as train.py writes it (default: the songs of the bundled models)")

    score = _add_verb(verbs, "score", show_score, "score a text, character by character")
    score.add_argument("text", metavar="TEXT", help=f"1 to 5,000 characters; {STDIN_HELP}")
    score.add_argument("--artist", metavar="NAME", help="an artist of the model, given to it with the text (default: any artist)")
    score.add_argument("--model", default="lstm", metavar="NAME", help="lstm, vanilla-rnn, both side by side, a model folder or a .ckpt file (default: %(default)s)")
    score.add_argument("--memory", action="store_true", help="use the text so far too: what followed the last characters where they occur earlier; lists the repeated runs")
    score.add_argument("--csv", metavar="FILE", help="write one row per character to this file")

    attribute = _add_verb(verbs, "attribute", show_attribution, "attribute a text and each of its lines to an artist")
    attribute.add_argument("text", metavar="TEXT", help=f"1 to 5,000 characters; {STDIN_HELP}")
    attribute.add_argument("--model", default="lstm", metavar="NAME", help=MODEL_HELP)

    membership = _add_verb(verbs, "membership", show_membership, "estimate whether the models have read a text in training")
    membership.add_argument("text", metavar="TEXT", help=f"1 to 5,000 characters; {STDIN_HELP}")
    membership.add_argument("--models", metavar="FOLDER", help="your own artifacts, as train.py writes them: lstm, vanilla-rnn, membership (default: the bundled ones)")
    # fmt: on


def _add_word_verbs(verbs: "Verbs") -> None:
    # fmt: off
    analogy = _add_verb(verbs, "analogy", show_analogy, "solve X1 : X2 :: Y1 : ?, by 3CosAdd and 3CosMul")
    for name in ("x1", "x2", "y1"):
        analogy.add_argument(name, metavar=name.upper(), help="a word")
    analogy.add_argument("--top-k", default="5", metavar="K", help="answers per method, 1 to 100 (default: %(default)s)")

    distance = _add_verb(verbs, "distance", show_distance, "measure the cosine distance of two words; with an antonym, show which is nearer")
    distance.add_argument("w1", metavar="WORD", help="a word")
    distance.add_argument("w2", metavar="WORD2", help="a second word, or a synonym of the first")
    distance.add_argument("w3", metavar="ANTONYM", nargs="?", default="", help="an antonym of the first")

    neighbors = _add_verb(verbs, "neighbors", show_neighbors, "list the nearest neighbours of a word, in one vector space or in two")
    neighbors.add_argument("word", metavar="WORD", help="a word")
    neighbors.add_argument("--top-k", default="10", metavar="K", help="neighbours, 1 to 100 (default: %(default)s)")
    neighbors.add_argument("--beside", metavar="NAME", help="a second vector space")

    word_map = _add_verb(verbs, "map", write_map, "draw words on a plane, by PCA or t-SNE")
    word_map.add_argument("words", metavar="WORD", nargs="*", help="2 to 200 words; 'a > b' draws an arrow; none: 20 at random; -: read them from standard input, one group per line")
    word_map.add_argument("--out", metavar="FILE", help="the file to write: .svg, .png, .csv or .json; needed without --json")
    word_map.add_argument("--method", default="PCA", metavar="NAME", help="PCA or t-SNE (default: %(default)s)")
    word_map.add_argument("--seed", default="0", metavar="N", help="of the random words (default: %(default)s)")

    bias = _add_verb(verbs, "bias", show_bias, "test word sets for bias (WEAT), before and after debiasing, beside two analogies")
    bias.add_argument("--test", default="names-career-family", metavar="NAME", help="a published test; list: print their names (default: %(default)s)")
    for name in ("target1", "target2", "attribute1", "attribute2"):
        bias.add_argument(f"--{name}", metavar="WORDS", help="your own words in place of the test's, comma-separated")
    bias.add_argument("--analogy", nargs=3, default=["man", "worker", "woman"], metavar=("X1", "WORD", "Y1"), help="X1 : WORD :: Y1 : ? and Y1 : WORD :: X1 : ? (default: man worker woman)")

    for verb in (analogy, distance, neighbors, word_map, bias):
        verb.add_argument("--vectors", default="glove-50", metavar="NAME", help="glove-50, glove-200 (252 MB, downloaded once), lyrics, a folder, or a text file of word2vec or GloVe (default: %(default)s)")
    # fmt: on


def _add_model_verbs(verbs: "Verbs") -> None:
    # fmt: off
    about = _add_verb(verbs, "about", show_about, "show versions, device, and the models with their metrics, as JSON")
    about.add_argument("--models", metavar="FOLDER", help="your own model folders, as train.py writes them")
    about.add_argument("--hub-repo", metavar="USER/NAME", help="models on the Hugging Face Hub")
    about.add_argument("--revision", default="main", metavar="NAME", help="branch, tag or commit of the repository (default: %(default)s)")

    train = verbs.add_parser("train", add_help=False, help="train the models on songs; its flags: lyricgen train --help")
    train.set_defaults(run=lambda options: train_models([]))

    push = _add_verb(verbs, "push", push_folder, "publish models, word vectors and a song index on the Hugging Face Hub, in one commit")
    push.add_argument("folder", metavar="FOLDER", help="the output folder of train.py (--out): lstm, vanilla-rnn or both, and optionally lyrics, attribution, originality and membership")
    add_hub_flags(push, required=True)

    space = _add_verb(verbs, "space", push_app, "create or update a Space from the project's folder, in one commit")
    space.add_argument("--repo", required=True, metavar="USER/NAME", help="the Space; it is created if it does not exist")
    space.add_argument("--private", action="store_true", help="make a new Space private")
    space.add_argument("--hub-repo", metavar="USER/NAME", help="the models that it runs (default: the bundled ones)")
    # fmt: on


def _add_verb(
    verbs: "Verbs", name: str, run: Callable[[argparse.Namespace], Any], text: str
) -> argparse.ArgumentParser:
    """A verb with `--json` alone."""
    verb = verbs.add_parser(name, help=text, description=f"{text[:1].upper()}{text[1:]}.")
    verb.set_defaults(run=run)
    verb.add_argument("--json", action="store_true", help="print the answer as JSON")
    return verb


def write_lyric(options: argparse.Namespace) -> None:
    """Prints a lyric, or variants with their seeds, or the artists; notes on the prefix go to standard error."""
    from lyricgen.endpoints.lyrics import make_request, stream_variants

    resources = _resources()
    if options.artist == "list":
        return print("\n".join(resources.model(options.model).model.artists))
    settings = {name: getattr(options, name) for name in generation_settings()}
    if options.beginning is not None and options.prefix:
        raise ArgumentError(f"--prefix must be left out where PREFIX is given, got {short_repr(options.prefix)}")
    prefix = options.prefix if options.beginning is None else text_or_stdin(options.beginning)
    request = make_request(resources, prefix, options.model, **settings)
    _print_notes(request.notes)
    *_, lyrics = stream_variants(resources, request, options.variants)
    if options.json:
        return print_json(lyrics)
    if len(lyrics) == 1:
        print(lyrics[0]["text"])
    else:
        print("\n\n".join(f"seed {lyric['seed']}\n\n{lyric['text']}" for lyric in lyrics))


def write_verse(options: argparse.Namespace) -> None:
    """Prints a verse; what could not be met goes to standard error."""
    from lyricgen.endpoints.verses import stream_verse

    form = take_form(vars(options) | {"lines": text_or_stdin(options.lines)})
    settings = {name: getattr(options, name) for name in verse_settings()}
    *_, verse = stream_verse(_resources(), form, options.model, **settings)
    if options.json:
        return print_json(verse.to_dict())
    _print_notes(verse.notes)
    print(verse.text)


def fill_gap(options: argparse.Namespace) -> None:
    """Prints a text with its gap filled."""
    from lyricgen.endpoints.verses import fill

    settings = {name: getattr(options, name) for name in verse_settings()}
    text = text_or_stdin(options.text)
    *_, filled = fill(_resources(), text, options.length, model=options.model, **settings)
    if options.json:
        return print_json(filled)
    print(filled)


def show_rhymes(options: argparse.Namespace) -> None:
    """Prints each line with its syllables and the letter of its rhyme, in lower case for a near one."""
    from lyricgen.words.rhymes import rhymes

    lines = rhymes(text_or_stdin(options.text))
    if options.json:
        return print_json([line.to_dict() for line in lines])
    for line in lines:
        group = line.group.lower() if line.kind == "near" else line.group
        print(f"{group or '-':<3}{line.syllables:>3}  {_printable(line.text)}")


def show_originality(options: argparse.Namespace) -> None:
    """Prints a text with its copied runs in brackets, the song of each run, and a summary."""
    from lyricgen.endpoints.inside import measure_text
    from lyricgen.memorization.originality import song_name

    originality = measure_text(_resources(options.index), text_or_stdin(options.text))
    if options.json:
        return print_json(originality.to_dict())
    if originality.runs:
        numbers = {run: number for number, run in enumerate(originality.runs, 1)}
        pieces = [f"[{piece}]{numbers[run]}" if run else piece for piece, run in originality.pieces()]
        print("\n".join(map(_printable, "".join(pieces).strip("\r\n").splitlines())))
        print()
        for run, number in numbers.items():
            print(f"{number:>3}  {run.words} words, in {_printable(song_name(run))}")
        print()
    print(originality.summary)


def show_score(options: argparse.Namespace) -> None:
    """Prints bits per character, in all and by line, and the highest surprisals; of two models also the differences."""
    from lyricgen.analysis.scoring import ScoreComparison, compare
    from lyricgen.endpoints.inside import score_text

    resources, text = _resources(), text_or_stdin(options.text)
    names = ["lstm", "vanilla-rnn"] if options.model.strip().lower() == "both" else [options.model]
    scores = [score_text(resources, text, options.artist, name, options.memory) for name in names]
    answer: Score | ScoreComparison = scores[0] if len(scores) == 1 else compare(*scores)
    if options.csv:
        _write_file(options.csv, answer.to_csv().encode("utf-8"), "--csv")
    if options.json:
        return print_json(answer.to_dict())
    _print_notes(scores[0].notes)
    _print_scores(scores)
    if isinstance(answer, ScoreComparison):
        print(f"\nwhere they differ most (bits of {scores[0].model}, of {scores[1].model})")
        for position in answer.differences:
            print(f"  {position.bits[0]:6.2f}  {position.bits[1]:6.2f}  {_in_context(position)}")


def show_attribution(options: argparse.Namespace) -> None:
    """Prints the artists by their probability under the n-grams and under the model, and the artist of each line."""
    from lyricgen.endpoints.inside import attribute_text

    attribution = attribute_text(_resources(), text_or_stdin(options.text), options.model)
    _print_notes(attribution.notes)
    if options.json:
        return print_json(attribution.to_dict())
    print("n-grams    model  artist" if attribution.with_ngrams else "  model  artist")
    for ranked in attribution.ranking:
        by_model = f"  {ranked.probability_by_model:7.1%}" if attribution.with_ngrams else ""
        print(f"{ranked.probability:7.1%}{by_model}  {ranked.artist}")
    print()
    for line in attribution.lines:
        print(f"{line.probability:7.1%}  {line.artist}: {_printable(line.text)}")
        if line.evidence:
            print("".join(f"{' ':9}{_contribution(ngram)}\n" for ngram in line.evidence.ngrams), end="")


def show_membership(options: argparse.Namespace) -> None:
    """Prints the verdict, each statistic with its threshold and error rates, and what the song index knows."""
    from lyricgen.endpoints.inside import membership_of_text
    from lyricgen.resources import Resources

    resources = Resources(options.models, "cpu") if options.models else _resources()
    answer = membership_of_text(resources, text_or_stdin(options.text))
    _print_notes(answer.notes)
    if options.json:
        return print_json(answer.to_dict())
    print(f"{answer.verdict}\n\nstatistic      value  threshold  false positives  false negatives    AUC")
    for each in answer.statistics:
        cells = [f"{each.statistic:<11}", f"{each.value:8.3f}", _number(each.threshold, "9.3f")]
        cells += [
            _number(each.false_positives, "15.1%"),
            _number(each.false_negatives, "15.1%"),
            _number(each.auc, "5.2f"),
        ]
        print("  ".join(cells))
    if answer.originality:
        print(f"\n{answer.originality.summary}")


def show_analogy(options: argparse.Namespace) -> None:
    """Prints the answers of 3CosAdd and of 3CosMul."""
    from lyricgen.endpoints.words import analogy

    answer = analogy(_resources(), options.x1, options.x2, options.y1, options.top_k, options.vectors)
    if options.json:
        return print_json(answer)
    if answer["answer"] is None:
        return print(answer["note"])
    print("{x1} is to {x2} as {y1} is to {answer}".format(**answer))
    for method, answers in (("3CosAdd", answer["add"]), ("3CosMul", answer["mul"])):
        print(f"\n{method}")
        _print_answers(answers)


def show_distance(options: argparse.Namespace) -> None:
    """Prints the distance of two words with its percentile; with an antonym, both distances and the verdict."""
    from lyricgen.endpoints.words import distance

    answer = distance(_resources(), options.w1, options.w2, options.w3, options.vectors)
    if options.json:
        return print_json(answer)
    for pair in [answer["synonym"], answer["antonym"]] if "synonym" in answer else [answer]:
        print(
            f"{pair['word1']} - {pair['word2']}: {pair['distance']:.4f} "
            f"({pair['percentile']:.2f} % of random pairs of frequent words are nearer)"
        )
    if "synonym" in answer:
        print(answer["verdict"])


def show_neighbors(options: argparse.Namespace) -> None:
    """Prints the nearest neighbours of a word, in two spaces with their overlap."""
    from lyricgen.endpoints.words import neighbors

    answer = neighbors(_resources(), options.word, options.top_k, options.vectors, options.beside or "")
    if options.json:
        return print_json(answer)
    if not options.beside:
        return _print_answers(answer["first"])
    for name, answers in ((options.vectors, answer["first"]), (options.beside, answer["second"])):
        print(name)
        _print_answers(answers)
        print()
    print(f"in both: {', '.join(answer['shared']) or 'none'}")


def write_map(options: argparse.Namespace) -> None:
    """Writes a map of words as a figure or as coordinates; out-of-vocabulary words are named on standard error."""
    from lyricgen.words.projection import map_words

    format = Path(options.out or "").suffix.lower().removeprefix(".")
    if format not in MAP_FORMATS and (options.out or not options.json):
        raise ArgumentError(f"--out must end in .svg, .png, .csv or .json, got {short_repr(options.out)}")
    words = text_or_stdin(", ".join(options.words))
    word_map = map_words(words, options.method, _resources().space(options.vectors), options.seed)
    if options.out:
        _write_file(options.out, _map_content(word_map, format), "--out")
    if options.json:
        return print_json(word_map.to_dict())
    if word_map.missing:
        print(f"not among the words of {word_map.space}: {_quoted(word_map.missing)}", file=sys.stderr)
    print(f"{word_map.title}, written to {options.out}")


def _map_content(word_map: "WordMap", format: str) -> bytes:
    """The file of a map in one of `MAP_FORMATS`."""
    if format == "csv":
        return word_map.to_csv().encode()
    if format == "json":
        return word_map.to_json().encode()
    return word_map.files(format)[0]


def show_bias(options: argparse.Namespace) -> None:
    """Prints WEAT before and after debiasing, and two analogies; or the names of the published tests."""
    from lyricgen.endpoints.words import bias, published_sets
    from lyricgen.words.lists import weat_tests

    tests = weat_tests()
    if options.test == "list":
        return print("\n".join(f"{name}: {test.title}" for name, test in tests.items()))
    published = published_sets(check_choice("--test", options.test, tests))
    own_sets = [options.target1, options.target2, options.attribute1, options.attribute2]
    sets = [words if own is None else own for own, words in zip(own_sets, published, strict=True)]
    answer = bias(
        _resources(), *sets, **dict(zip(("x1", "word", "y1"), options.analogy, strict=True), vectors=options.vectors)
    )
    if options.json:
        return print_json(answer)
    weat, analogies = answer["weat"], answer["analogies"]
    for name, result in (("as they are", weat["before"]), ("hard-debiased for gender", weat["after_debiasing"])):
        if result:
            print(f"WEAT, vectors {name}: effect size {result['effect_size']:.2f}, p = {result['p_value']:.2g}")
    missing = [word for words in weat["before"]["missing"].values() for word in words]
    if missing:
        print(f"left out, since {options.vectors} lacks them: {_quoted(missing)}", file=sys.stderr)
    _print_notes(answer["notes"])
    if analogies:
        x1, word, y1 = analogies["x1"], analogies["word"], analogies["y1"]
        print(f"{x1} : {word} :: {y1} : {_answers_that_count(analogies['forward'])}")
        print(f"{y1} : {word} :: {x1} : {_answers_that_count(analogies['backward'])}")


def show_about(options: argparse.Namespace) -> None:
    """Prints versions, device, models and vector spaces as JSON."""
    from lyricgen.hub.download import Download
    from lyricgen.resources import Resources

    hub = Download(options.hub_repo, options.revision) if options.hub_repo else None
    print_json(Resources(options.models, hub=hub).about())


def train_models(flags: Sequence[str]) -> int:
    """Trains models with the flags of train.py; returns the exit code."""
    from lyricgen.training.cli import main as train

    return train(list(flags), prog="lyricgen train")


def push_folder(options: argparse.Namespace) -> None:
    """Publishes a folder of models, and prints where it is now."""
    from lyricgen.hub.publish import push_models

    push = push_models(
        options.folder, options.hub_repo, private=options.private, revision=options.revision, tag=options.tag
    )
    _print_push(push, options.json)


def push_app(options: argparse.Namespace) -> None:
    """Publishes the app as a Space, and prints where it is now."""
    from lyricgen.hub.spaces import push_space

    _print_push(push_space(options.repo, options.hub_repo, options.private), options.json)


def _resources(song_index: str | None = None) -> "CommandResources":
    """What the endpoints answer from; a command has one core."""
    from lyricgen.command_resources import CommandResources
    from lyricgen.devices import use_one_thread

    use_one_thread()
    return CommandResources(song_index)


def _write_file(file: str, content: bytes, flag: str) -> None:
    """Writes the file that `flag` names."""
    try:
        Path(file).write_bytes(content)
    except OSError as error:
        raise ArgumentError(f"{flag} {short_repr(file)} cannot be written ({os_error_reason(error)})") from None


def _printable(text: str) -> str:
    """A line of text with control characters replaced."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def _number(value: float | None, format: str) -> str:
    """A number, or a dash of the same width."""
    return f"{value:{format}}" if value is not None else f"{'-':>{format.partition('.')[0]}}"


def _contribution(ngram: "NgramContribution") -> str:
    return f"{ngram.contribution:+.2f}  {_printable(ngram.ngram)!r}" + (f" x {ngram.count}" if ngram.count > 1 else "")


def _quoted(words: Iterable[str]) -> str:
    return ", ".join(map(short_repr, words))


def _print_push(push: "Push", as_json: bool) -> None:
    """What was published, and where."""
    if as_json:
        print_json(asdict(push))
    else:
        print(push)


def _print_notes(notes: Iterable[str]) -> None:
    for note in notes:
        print(note, file=sys.stderr)


def _print_answers(answers: Sequence[dict[str, Any]]) -> None:
    if not answers:
        print("  none: the vector space has no other word")
    for answer in answers:
        mark = "  (asked with: does not count)" if answer["excluded"] else ""
        print(f"  {answer.get('score', answer['similarity']):.3f}  {_printable(answer['word'])}{mark}")


def _answers_that_count(answers: Iterable[dict[str, Any]]) -> str:
    words = ", ".join(answer["word"] for answer in answers if not answer["excluded"])
    return words or "no answer, since the vector space has no other word"


def _print_scores(scores: Sequence["Score"]) -> None:
    """Bits per character in all and by line, one column per model, the highest surprisals of each, and repeated runs."""
    for score in scores:
        bits = f"{score.bits_per_character:.3f} bits per character, {score.bits:.1f} bits"
        alone = score.network_bits_per_character
        note = "" if alone is None else f" ({alone:.3f} without memory)"
        print(f"{score.model}: {bits} in {score.characters:,} characters{note}")
    print("\nby line\n" + "  ".join(f"{score.model[:11]:>11}" for score in scores))
    for lines in zip(*(score.lines for score in scores), strict=True):
        columns = [f"{line.bits_per_character:>11.3f}" if line.characters else f"{'-':>11}" for line in lines]
        print("  ".join([*columns, _printable(lines[0].text)]))
    for score in scores:
        print(f"\nthe most surprising characters to {score.model}")
        for surprisal in score.most_surprising(MAX_PRINTED_SURPRISALS):
            print(f"  {_surprisal_line(surprisal)}")
    if repeats := scores[0].repeats:
        print("\nthe longest repeated runs (position, earlier position, characters)")
        for repeat in sorted(repeats, key=lambda repeat: -repeat.length)[:MAX_PRINTED_REPEATS]:
            run = _printable(scores[0].text[repeat.start : repeat.start + repeat.length])
            print(f"  {repeat.start:>5}  {repeat.earlier:>5}  {repeat.length:>5}  {run}")


def _surprisal_line(surprisal: "HighSurprisal") -> str:
    expected = ", ".join(f"{each.character!r} {each.probability:.1%}" for each in surprisal.candidates[:3])
    return f"{surprisal.bits:6.2f} bits  {_in_context(surprisal)}  rank {surprisal.rank}; expected {expected}"


def _in_context(position: "TextPosition") -> str:
    """A character in brackets, between the characters around it."""
    before, after = _printable(position.before[-20:]), _printable(position.after)
    return f"{before:>20}[{_printable(position.character)}]{after:<12}"


if __name__ == "__main__":
    sys.exit(main())
