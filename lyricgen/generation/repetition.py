"""DRY ('don't repeat yourself'): a penalty on characters that would continue a repetition of the text so far.

p-e-w's sampler (pull request 5677 of oobabooga/text-generation-webui, 2024), on characters in place of tokens. A function
of the text alone, so that nothing has to be undone when a sequence backtracks, leaves its batch, or forks in a beam.
"""

from collections.abc import Sequence

from lyricgen.models.vocabulary import CHARACTERS, character_to_label

ALLOWED_LENGTH = 10  # characters of a repetition before its continuation is penalized
BASE = 1.25  # growth of the penalty with each further repeated character
MAX_MATCH = 50  # repeated characters that count; at the usual strength the penalty there exceeds every logit
MAX_MATCHES = 16  # earlier occurrences that are compared, the latest first
WINDOW = 5_000  # characters of the text that are searched: the cost of a character does not grow with the text
BARRIER = "\0"  # a character of the history that is no part of any repetition


def labels_to_history(labels: Sequence[int]) -> str:
    """The characters of labels as `repeat_penalties` takes them; `BARRIER` for those outside the vocabulary."""
    return "".join(CHARACTERS[label] if label < len(CHARACTERS) else BARRIER for label in labels)


def repeat_penalties(history: str, strength: float) -> dict[int, float]:
    """The penalty of each label that would continue a repetition at the end of `history`.

    If the last n characters, n at least `ALLOWED_LENGTH`, occurred earlier, the character that followed them there has the
    penalty strength * BASE ** (n - ALLOWED_LENGTH), by its longest match.

    Args:
        history: the text so far; `BARRIER` where its characters are to be ignored.
        strength: the penalty of a repetition of `ALLOWED_LENGTH` characters, subtracted from the logit (nats).

    >>> repeat_penalties("over the hill and over the hill", 0.6)
    {94: 1.171875}
    """
    suffix = history[-ALLOWED_LENGTH:]
    if len(suffix) < ALLOWED_LENGTH or BARRIER in suffix:
        return {}
    longest: dict[str, int] = {}
    start, stop = max(0, len(history) - WINDOW), len(history) - 1
    for _ in range(MAX_MATCHES):
        found = history.rfind(suffix, start, stop)
        if found < 0:
            break
        follower = history[found + ALLOWED_LENGTH]
        if follower != BARRIER:
            longest[follower] = _match_length(history, found + ALLOWED_LENGTH, longest.get(follower, ALLOWED_LENGTH))
        stop = found + ALLOWED_LENGTH - 1
    return {
        character_to_label(follower): strength * BASE ** (length - ALLOWED_LENGTH)
        for follower, length in longest.items()
    }


def _match_length(history: str, end: int, length: int) -> int:
    """The length of the common suffix of `history[:end]` and `history`, at least `length` and at most `MAX_MATCH`."""
    if not history.startswith(history[-length:], end - length):  # false for a negative start too
        return length
    while length < min(MAX_MATCH, end):
        character = history[end - length - 1]
        if character == BARRIER or character != history[-length - 1]:
            break
        length += 1
    return length
