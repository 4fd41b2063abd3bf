"""The shell: python -m lyricgen generate | score | attribute | originality | analogy | distance | neighbors | map | bias | about | push | space."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from lyricgen import __version__
from lyricgen.errors import ArgumentError, LyricGenError, os_error_reason
from lyricgen.hub.flags import add_hub_flags
from lyricgen.validation import check_choice, short_repr

SURPRISING = 5  # letters that `score` names of a text
ANALOGY_ANSWERS = 5  # answers per analogy of `bias`


def build_parser() -> argparse.ArgumentParser:
    """The command line; defaults are those of the library."""
    parser = argparse.ArgumentParser(
        "lyricgen", description="Small language models of song lyrics, and word vectors, from the shell."
    )
    parser.add_argument("--version", action="version", version=f"lyricgen {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    # fmt: off
    generate = _command(commands, "generate", write_lyric, "write a lyric")
    generate.add_argument("--prefix", default="", metavar="TEXT", help="how it begins; empty: the model begins (default: empty)")
    generate.add_argument("--artist", metavar="NAME", help="in whose style (default: any artist)")
    generate.add_argument("--model", default="lstm", metavar="NAME", help="lstm, vanilla-rnn, a model folder or a .ckpt file (default: %(default)s)")
    generate.add_argument("--strategy", default="sample", metavar="NAME", help="sample, greedy or beam (default: %(default)s)")
    generate.add_argument("--temperature", default="0.7", metavar="T", help="of sampling, 0 (greedy) to 100 (default: %(default)s)")
    generate.add_argument("--top-k", default="0", metavar="K", help="sample from the K likeliest characters, 0: from all (default: %(default)s)")
    generate.add_argument("--top-p", default="1.0", metavar="P", help="sample from the likeliest that together have probability P (default: %(default)s)")
    generate.add_argument("--beam-size", default="5", metavar="K", help="hypotheses of the beam, 1 to 32 (default: %(default)s)")
    generate.add_argument("--max-length", default="300", metavar="N", help="characters in all, prefix included, 1 to 5000 (default: %(default)s)")
    generate.add_argument("--seed", metavar="N", help="the same seed, the same text (default: another every time)")
    generate.add_argument("--max-copied-words", default="0", metavar="N", help="the longest run of words that may stand in a training song, 4 to 50; what makes a longer one is written anew; 0: no limit (default: %(default)s)")
    generate.add_argument("--variants", default="1", metavar="N", help="lyrics to write side by side, each with the seed behind the one before it, 1 to 16 (default: %(default)s)")

    original = _command(commands, "originality", show_originality, "say how much of a text stands in the training songs, and mark it")
    original.add_argument("text", metavar="TEXT", help="1 to 20,000 characters; -: read them from standard input")
    original.add_argument("--index", metavar="FOLDER", help="an index of other songs, as train.py writes it (default: that of the songs of the bundled models)")
    original.add_argument("--json", action="store_true", help="answer as JSON, as the API does")

    score = _command(commands, "score", show_score, "show what a model thinks of a text, character by character")
    score.add_argument("text", metavar="TEXT", help="1 to 5000 characters; -: read them from standard input")
    score.add_argument("--artist", metavar="NAME", help="in whose style (default: any artist)")
    score.add_argument("--model", default="lstm", metavar="NAME", help="lstm, vanilla-rnn, both side by side, a model folder or a .ckpt file (default: %(default)s)")
    score.add_argument("--json", action="store_true", help="answer as JSON, as the API does")
    score.add_argument("--csv", metavar="FILE", help="write a row a character there")

    whose = _command(commands, "attribute", show_attribution, "tell whose style a text is in, as a whole and line by line")
    whose.add_argument("text", metavar="TEXT", help="1 to 5000 characters; -: read them from standard input")
    whose.add_argument("--model", default="lstm", metavar="NAME", help="lstm, vanilla-rnn, a model folder or a .ckpt file (default: %(default)s)")
    whose.add_argument("--json", action="store_true", help="answer as JSON, as the API does")

    analogy = _words_command(commands, "analogy", show_analogy, "solve X1 : X2 :: Y1 : ?, by 3CosAdd and 3CosMul")
    for name in ("x1", "x2", "y1"):
        analogy.add_argument(name, metavar=name.upper(), help="a word")
    analogy.add_argument("--top-k", default="5", metavar="K", help="answers, 1 to 100 (default: %(default)s)")

    distance = _words_command(commands, "distance", show_distance, "measure the cosine distance of two words; with a third, an antonym, say which is nearer")
    distance.add_argument("word1", metavar="WORD", help="a word")
    distance.add_argument("word2", metavar="WORD2", help="a second word, or a synonym of the first")
    distance.add_argument("word3", metavar="ANTONYM", nargs="?", default="", help="an antonym of the first")

    near = _words_command(commands, "neighbors", show_neighbors, "list the words nearest to a word, in one vector space or in two")
    near.add_argument("word", metavar="WORD", help="a word")
    near.add_argument("--top-k", default="10", metavar="K", help="how many, 1 to 100 (default: %(default)s)")
    near.add_argument("--beside", metavar="NAME", help="a second vector space")

    draw = _words_command(commands, "map", write_map, "put words on a plane")
    draw.add_argument("words", metavar="WORD", nargs="*", help="2 to 200 words; 'a > b' draws an arrow; none: 20 at random; -: read them from standard input, where a line is a group")
    draw.add_argument("--out", required=True, metavar="FILE", help="where to write it: .svg, .png, .csv or .json")
    draw.add_argument("--method", default="PCA", metavar="NAME", help="PCA or t-SNE (default: %(default)s)")
    draw.add_argument("--seed", default="0", metavar="N", help="of the words at random (default: %(default)s)")

    bias = _words_command(commands, "bias", show_bias, "test word sets for bias (WEAT), before and after debiasing, beside two analogies")
    bias.add_argument("--test", default="names-career-family", metavar="NAME", help="a published test, --test list names them (default: %(default)s)")
    for name in ("target1", "target2", "attribute1", "attribute2"):
        bias.add_argument(f"--{name}", metavar="WORDS", help="words of your own in place of the test's, parted by commas")
    bias.add_argument("--analogy", nargs=3, default=["man", "worker", "woman"], metavar=("X1", "WORD", "Y1"), help="X1 : WORD :: Y1 : ? and back (default: man worker woman)")
    about = _command(commands, "about", show_about, "show versions, device, and the models with their figures, as JSON")
    about.add_argument("--models", metavar="FOLDER", help="model folders of your own, as train.py writes them")
    about.add_argument("--hub-repo", metavar="USER/NAME", help="models on the Hugging Face Hub")
    about.add_argument("--revision", default="main", metavar="NAME", help="branch, tag or commit of it (default: %(default)s)")

    push = _command(commands, "push", push_folder, "publish models, word vectors and a song index on the Hugging Face Hub, in one commit")
    push.add_argument("folder", metavar="FOLDER", help="what train.py wrote (--out): a folder that holds lstm, vanilla-rnn or both, and perhaps lyrics and originality")
    add_hub_flags(push, required=True)

    space = _command(commands, "space", push_app, "make or update a Space from the project's folder, in one commit")
    space.add_argument("--repo", required=True, metavar="USER/NAME", help="the Space; it is made where there is none")
    space.add_argument("--private", action="store_true", help="where it is made, make it private")
    space.add_argument("--hub-repo", metavar="USER/NAME", help="the models that it runs (default: those that come with the project)")
    # fmt: on
    return parser

    # fmt: on


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; returns its exit code: 2, and one sentence, where the input cannot be."""
    options = build_parser().parse_args(arguments)
    try:
        options.run(options)
    except LyricGenError as error:
        print(f"lyricgen: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader, `head` say, has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return 0


def write_lyric(options: argparse.Namespace) -> None:
    """Prints a lyric; notes on its prefix go to standard error."""
    import torch

    from lyricgen.generation.api import make_request, write_together
    from lyricgen.models.text import section_breaks_to_newlines

    torch.set_num_threads(1)  # a step of one sequence is too small to share
    request = make_request(
        options.prefix,
        artist=options.artist,
        model=options.model,
        strategy=options.strategy,
        temperature=options.temperature,
        top_k=options.top_k,
        top_p=options.top_p,
        max_length=options.max_length,
        seed=options.seed,
        beam_size=options.beam_size,
        max_copied_words=options.max_copied_words,
    )
    _show_any_character()
    variants = request.variants(options.variants)
    for one, text in zip(variants, write_together(variants), strict=True):
        if len(variants) > 1:
            print(f"seed {one.settings.seed}\n")
        print(section_breaks_to_newlines(text, len(one.prefix)) + "\n" * (one is not variants[-1]))


def show_originality(options: argparse.Namespace) -> None:
    """Prints a text with its runs between brackets, a list of these with their songs, and the sum of it."""
    from lyricgen.memorization.originality import measure_originality, song_name

    text = _text_or_stdin(options.text)
    found = measure_originality(text, options.index)
    if _printed_as_json(options, found.to_dict()):
        return
    if found.runs:
        numbers = {run: number for number, run in enumerate(found.runs, 1)}
        print("".join(f"[{piece}]{numbers[run]}" if run else piece for piece, run in found.marked()).strip("\n"))
        print()
        for run, number in numbers.items():
            print(f"{number:>3}  {run.words} words, in {song_name(run)}")
        print()
    print(found.summary)


def show_score(options: argparse.Namespace) -> None:
    """Prints bits per character, by line too, and the letters that surprised most; of two models where they differ."""
    import torch

    from lyricgen.analysis.scoring import compare_scores, score

    torch.set_num_threads(1)  # the layers have a thread each
    text = _text_or_stdin(options.text)
    both = options.model.strip().lower() == "both"
    if both:
        found = compare_scores(text, artist=options.artist)
        scores = found.scores
    else:
        found = score(text, artist=options.artist, model=options.model)
        scores = [found]
    if options.csv:
        _write(options.csv, found.to_csv().encode("utf-8"), "--csv")
    if _printed_as_json(options, found.to_dict()):
        return
    _show_any_character()
    for note in scores[0].notes:
        print(note, file=sys.stderr)
    for one in scores:
        print(
            f"{one.model}: {one.bits_per_character:.3f} bits per character, {one.bits:.1f} bits in {one.characters:,} characters"
        )
    print("\nby line\n" + "  ".join(f"{one.model[:11]:>11}" for one in scores))
    for lines in zip(*(one.lines for one in scores), strict=True):
        figures = [f"{line.bits_per_character:>11.3f}" if line.characters else f"{'-':>11}" for line in lines]
        print("  ".join([*figures, _in_line(lines[0].text)]))
    for one in scores:
        print(f"\nthe most surprising letters to {one.model}")
        for place in one.most_surprising(SURPRISING):
            likely = ", ".join(f"{one.character!r} {one.probability:.1%}" for one in place.candidates[:3])
            print(f"  {place.bits:6.2f} bits  {_marked(place)}  rank {place.rank}; expected {likely}")
    if both:
        print(f"\nwhere they differ most (bits of {scores[0].model}, of {scores[1].model})")
        for one in found.differences:
            print(f"  {one.bits[0]:6.2f}  {one.bits[1]:6.2f}  {_marked(one)}")


def show_attribution(options: argparse.Namespace) -> None:
    """Prints the artists by the probability that a text is theirs, and whose each line is likeliest."""
    from lyricgen.analysis.attribution import attribute
    from lyricgen.devices import one_thread

    one_thread()
    found = attribute(_text_or_stdin(options.text), model=options.model)
    for note in found.notes:
        print(note, file=sys.stderr)
    if _printed_as_json(options, found.to_dict()):
        return
    _show_any_character()
    for place in found.ranking:
        print(f"{place.probability:7.1%}  {place.artist}")
    print()
    for line in found.lines:
        print(f"{line.probability:7.1%}  {line.artist}: {line.text}")


def show_analogy(options: argparse.Namespace) -> None:
    """Prints the answers of both ways, those asked with marked."""
    from lyricgen.words.queries import solve_analogy

    solved = solve_analogy(options.x1, options.x2, options.y1, options.top_k, _vectors(options))
    if _printed_as_json(options, solved.to_dict()):
        return
    print(f"{solved.x1} is to {solved.x2} as {solved.y1} is to {solved.answer}")
    for name, answers in (("3CosAdd", solved.add), ("3CosMul", solved.mul)):
        print(f"\n{name}")
        _print_answers(answers)


def show_distance(options: argparse.Namespace) -> None:
    """Prints a distance and where it stands among random pairs, or two and the verdict."""
    from lyricgen.words.queries import compare_distances, measure_distance

    space = _vectors(options)
    if options.word3:
        found = compare_distances(options.word1, options.word2, options.word3, space)
        pairs = [found.synonym, found.antonym]
    else:
        found = measure_distance(options.word1, options.word2, space)
        pairs = [found]
    if _printed_as_json(options, found.to_dict()):
        return
    for pair in pairs:
        print(
            f"{pair.word1} - {pair.word2}: {pair.distance:.4f} "
            f"({pair.percentile:.2f} % of random pairs of frequent words are nearer)"
        )
    if options.word3:
        print(found.verdict)


def show_neighbors(options: argparse.Namespace) -> None:
    """Prints the neighbours of a word, in two spaces with what they share."""
    from lyricgen.words.queries import compare_neighbors, neighbors
    from lyricgen.words.sources import load_vectors

    space = _vectors(options)
    if not options.beside:
        found = neighbors(options.word, options.top_k, space)
        if not _printed_as_json(options, {"first": [asdict(answer) for answer in found]}):
            _print_answers(found)
        return
    beside = load_vectors(options.beside)
    overlap = compare_neighbors(options.word, space, beside, options.top_k)
    if _printed_as_json(options, asdict(overlap)):
        return
    for name, answers in ((space.name, overlap.first), (beside.name, overlap.second)):
        print(name)
        _print_answers(answers)
        print()
    print(f"in both: {', '.join(overlap.shared) or 'none'}")


def write_map(options: argparse.Namespace) -> None:
    """Writes a map of words as a picture or as coordinates; what the space lacks is named on standard error."""
    from lyricgen.plotting import draw_map, to_bytes
    from lyricgen.words.projection import map_words

    kind = Path(options.out).suffix.lower().removeprefix(".")
    if kind not in ("svg", "png", "csv", "json"):
        raise ArgumentError(f"--out must end in .svg, .png, .csv or .json, got {short_repr(options.out)}")
    words = _text_or_stdin(" ".join(options.words))
    mapped = map_words(words, options.method, _vectors(options), options.seed)
    if kind == "csv":
        content = mapped.to_csv().encode()
    elif kind == "json":
        content = mapped.to_json().encode()
    else:
        figure = draw_map(mapped.coordinates, mapped.words, mapped.groups, mapped.arrows, mapped.axes, mapped.title)
        content = to_bytes(figure, kind)
    _write(options.out, content, "--out")
    if mapped.missing:
        print(f"not among the words of {mapped.space}: {', '.join(map(short_repr, mapped.missing))}", file=sys.stderr)
    print(f"{mapped.title}, written to {options.out}")


def show_bias(options: argparse.Namespace) -> None:
    """Prints WEAT before and after debiasing, and both analogies."""
    from lyricgen.words.bias import two_analogies, weat_and_debiased
    from lyricgen.words.lists import weat_tests
    from lyricgen.words.queries import words_of

    tests = weat_tests()
    if options.test == "list":
        print("\n".join(f"{name}: {test.title}" for name, test in tests.items()))
        return
    test = tests[check_choice("--test", options.test, tests)]
    given = [options.target1, options.target2, options.attribute1, options.attribute2]
    published = [*test.targets.values(), *test.attributes.values()]
    sets = [own if own is not None else words for own, words in zip(given, published, strict=True)]
    space = _vectors(options)
    before, after = weat_and_debiased(sets, space)
    pair = two_analogies(*options.analogy, ANALOGY_ANSWERS, space)
    weat_facts = {"before": asdict(before), "after_debiasing": asdict(after) if after else None}
    if _printed_as_json(options, {"analogies": asdict(pair), "weat": weat_facts}):
        return
    for name, result in (("as they are", before), ("hard-debiased for gender", after)):
        if result:
            print(f"WEAT, vectors {name}: effect size {result.effect_size:.2f}, p = {result.p_value:.2g}")
    if before.missing:
        missing = [word for words in before.missing.values() for word in words]
        print(f"left out, since {space.name} lacks them: {', '.join(map(short_repr, missing))}", file=sys.stderr)
    print(f"{pair.x1} : {pair.word} :: {pair.y1} : {', '.join(words_of(pair.forward))}")
    print(f"{pair.y1} : {pair.word} :: {pair.x1} : {', '.join(words_of(pair.backward))}")


def show_about(options: argparse.Namespace) -> None:
    """Prints what runs here, as JSON."""
    from lyricgen.hub.download import Download
    from lyricgen.resources import Resources

    hub = Download(options.hub_repo, options.revision) if options.hub_repo else None
    print(json.dumps(Resources(options.models, hub=hub).about(), indent=2, ensure_ascii=False))


def push_folder(options: argparse.Namespace) -> None:
    """Publishes a folder of models, and prints where it is."""
    from lyricgen.hub.publish import push_models

    print(
        push_models(
            options.folder, options.hub_repo, private=options.private, revision=options.revision, tag=options.tag
        )
    )


def push_app(options: argparse.Namespace) -> None:
    """Publishes the app, and prints where it is."""
    from lyricgen.hub.spaces import push_space

    print(push_space(options.repo, options.hub_repo, options.private))


def _command(commands, name: str, run: Callable, text: str) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    command.set_defaults(run=run)
    return command


def _words_command(commands, name: str, run: Callable, text: str) -> argparse.ArgumentParser:
    """A command on words, with the flags that all of them have."""
    command = _command(commands, name, run, text)
    command.add_argument(
        "--vectors",
        default="glove-50",
        metavar="NAME",
        help="glove-50, glove-200 (252 MB, fetched once), lyrics, a folder, or a text file of word2vec or GloVe (default: %(default)s)",
    )
    if run is not write_map:  # whose file may be JSON
        command.add_argument("--json", action="store_true", help="answer as JSON, as the API does")
    return command


def _text_or_stdin(text: str) -> str:
    """A text, or, where it is '-', what comes in, without the end of its last line."""
    if text != "-":
        return text
    return sys.stdin.buffer.read().decode("utf-8", "replace").removesuffix("\n").removesuffix("\r")


def _show_any_character() -> None:
    """A terminal that lacks a character of what is printed shows another."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")


def _vectors(options: argparse.Namespace):
    from lyricgen.words.sources import load_vectors

    return load_vectors(options.vectors)


def _write(file: str, content: bytes, flag: str) -> None:
    """Writes a file that a flag names."""
    try:
        Path(file).write_bytes(content)
    except OSError as error:
        raise ArgumentError(f"{flag} {short_repr(file)} cannot be written ({os_error_reason(error)})") from None


def _in_line(text: str) -> str:
    """A text in a line of a terminal, which it cannot steer."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def _marked(place) -> str:
    """A character of a text with what stands around it, itself in brackets."""
    before, behind = _in_line(place.before[-20:]), _in_line(place.after)
    return f"{before:>20}[{_in_line(place.character)}]{behind:<12}"


def _printed_as_json(options: argparse.Namespace, answer: dict) -> bool:
    """Prints an answer as JSON where that is asked for, and says whether it was."""
    if options.json:
        print(json.dumps(answer, indent=2, ensure_ascii=False))
    return options.json


def _print_answers(answers) -> None:
    for answer in answers:
        mark = "  (asked with: does not count)" if answer.excluded else ""
        print(f"  {answer.similarity:.3f}  {answer.word}{mark}")


if __name__ == "__main__":
    sys.exit(main())
