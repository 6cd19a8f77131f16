"""What somebody searches for: words, "phrases in quotes", and wor* for the begin of a word."""

import re
from dataclasses import dataclass

from ..problems import Problem
from .words import words

LONGEST = 200  # characters
MOST = 12  # terms
SHORTEST = 2  # letters of the begin of a word

_TERM = re.compile(r'"([^"]*)"?|([^\s"]+)')


@dataclass(frozen=True)
class Term:
    """Words that stand one behind the other; where `begins`, the last one is the begin of a word."""

    words: tuple[str, ...]
    begins: bool = False

    def __str__(self) -> str:
        """The term as the index is asked for it. Words are letters and digits alone."""
        return f'"{" ".join(self.words)}"{" *" if self.begins else ""}'


def asked(text: str) -> list[Term]:
    """The terms of a text. Raises Problem 400 where it is too long or has no word in it."""
    if len(text) > LONGEST:
        raise Problem(400, f"The search is longer than {LONGEST} characters. Use fewer words.")
    found = [term(quoted, plain) for quoted, plain in _TERM.findall(text)]
    terms = [one for one in dict.fromkeys(found) if one.words]
    if not terms:
        raise Problem(400, f"There is no word in {text!r} to search for. Write one or more words.")
    if any(one.begins and len(one.words[-1]) < SHORTEST for one in terms):
        raise Problem(400, f"Write {SHORTEST} letters or more before the sign * for the begin of a word.")
    if len(terms) > MOST:
        raise Problem(400, f"The search has {len(terms)} words and phrases. Use {MOST} at most.")
    return terms


def term(quoted: str, plain: str) -> Term:
    """A phrase, or a word that may be only the begin of one; what a hyphen joins is a phrase as well."""
    return Term(tuple(words(quoted or plain)), plain.endswith("*"))
