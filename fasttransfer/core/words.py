"""Words that were probably meant."""

import difflib
from collections.abc import Iterable


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """``did you mean oil?``, or two equally similar ones; empty if none of ``words`` is similar."""
    known = {_plain(one): one for one in words}
    close = difflib.get_close_matches(_plain(word), known, n=2)
    if not close:
        return ""
    first, second = (
        difflib.SequenceMatcher(None, _plain(word), one).ratio() for one in (close[0], close[-1])
    )
    meant = [known[one] for one in (close if second > first - 0.01 else close[:1])]
    return f"did you mean {' or '.join(meant)}?"


def _plain(word: str) -> str:
    """As it is compared: without dashes in front, in lower case."""
    return word.lower().lstrip("-")
