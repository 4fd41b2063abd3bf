"""Quality of word vectors: analogies, correlation with human similarity judgements, and bias before and after debiasing.

python -m benchmarks.words [--vectors glove-50 lyrics] [--write-docs]
"""

import argparse
import sys

from gensim.test.utils import datapath

from benchmarks.tables import replace_block, table
from lyricgen import (
    Debiasing,
    VectorSpace,
    load_vectors,
    measure_leftover,
    score_analogies,
    weat_and_debiased,
    weat_tests,
)
from lyricgen.errors import ArgumentError
from lyricgen.words.analogy_benchmark import total

PAIRS = {"WordSim-353": "wordsim353.tsv", "SimLex-999": "simlex999.txt"}
LEFTOVER = "the 1,000 most gendered words separated by clusters / a classifier"


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--vectors",
        nargs="+",
        default=["glove-50", "lyrics"],
        metavar="NAME",
        help="vector spaces (default: %(default)s)",
    )
    parser.add_argument("--write-docs", action="store_true", help="write the table into docs/benchmarks.md")
    options = parser.parse_args(arguments)
    figures = {name: measure(load_vectors(name)) for name in options.vectors}
    rows = [[what, *(figures[name][what] for name in figures)] for what in next(iter(figures.values()))]
    printed = table(["what", *(f"`{name}`" for name in figures)], rows) + "\n\nWritten by `python -m benchmarks.words`."
    print(printed)
    if options.write_docs:
        replace_block("words", printed)
    return 0


def measure(space: VectorSpace) -> dict[str, str]:
    """The figures of a vector space, formatted."""
    score = total(list(score_analogies(space)))
    figures = {
        "Google analogies, 3CosAdd, every word a candidate": f"{score.accuracy:.1%} of {score.asked:,} ({score.left_out:,} left out)"
    }
    for name, file in PAIRS.items():
        _, (correlation, _), missing = space.evaluate_word_pairs(datapath(file), restrict_vocab=len(space))
        figures[f"{name}, Spearman correlation"] = f"{correlation:.3f} ({missing:.0f} % of the pairs left out)"
    for name, test in weat_tests().items():
        published = f"WEAT {name}, effect size / debiased (published: {test.published['effect_size']:.2f})"
        sets = [*test.targets.values(), *test.attributes.values()]
        try:
            before, after = weat_and_debiased(sets, space)
            figures[published] = f"{before.effect_size:.2f} / {after.effect_size:.2f}"
        except ArgumentError:
            figures[published] = "too few of its words"
    left = measure_leftover(Debiasing(space))
    figures[f"{LEFTOVER}, before"] = f"{left.accuracy_before:.0%} / {left.recovered_before:.0%}"
    figures[f"{LEFTOVER}, debiased"] = f"{left.accuracy_after:.0%} / {left.recovered_after:.0%}"
    return figures


if __name__ == "__main__":
    sys.exit(main())
