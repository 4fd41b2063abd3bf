"""The shell: python -m lyricgen generate | about."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence

from lyricgen import __version__
from lyricgen.errors import LyricGenError


def build_parser() -> argparse.ArgumentParser:
    """The command line; defaults are those of the library."""
    parser = argparse.ArgumentParser("lyricgen", description="Small language models of song lyrics, from the shell.")
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
    # fmt: on

    about = _command(commands, "about", show_about, "show versions, device, and the models with their figures, as JSON")
    about.add_argument("--models", metavar="FOLDER", help="model folders of your own, as train.py writes them")
    return parser


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

    from lyricgen.generation import make_request, show_breaks

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
    )
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a terminal that lacks a character of the prefix shows another
    print(show_breaks(request.text(), len(request.prefix)))


def show_about(options: argparse.Namespace) -> None:
    """Prints what runs here, as JSON."""
    from lyricgen.resources import Resources

    print(json.dumps(Resources(options.models).about(), indent=2, ensure_ascii=False))


def _command(commands, name: str, run: Callable, text: str) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    command.set_defaults(run=run)
    return command


if __name__ == "__main__":
    sys.exit(main())
