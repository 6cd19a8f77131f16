"""What somebody searches for: words, "phrases in quotes", and wor* for the begin of a word."""

import re
from dataclasses import dataclass

from ..problems import Problem
from .words import apart, fold, words

LONGEST = 200  # characters
MOST = 12  # terms
SHORTEST = 2  # letters of the begin of a word

JOINS = re.compile(r"[\W_]+")  # a hyphen, a slash or whatever else stands between words without a space
_TERM = re.compile(r'"([^"]*)"?|([^\s"]+)')


@dataclass(frozen=True)
class Term:
    """Words that stand one behind the other; where `begins`, the last one is the begin of a word.

    `parts` are the words that are joined, as by a hyphen; empty where nothing is.
    """

    words: tuple[str, ...]
    begins: bool = False
    parts: tuple[tuple[str, ...], ...] = ()

    def __str__(self) -> str:
        """The term as the index is asked for it. Words are letters and digits alone."""
        return f'"{" ".join(self.words)}"{" *" if self.begins else ""}'

    @property
    def apart(self) -> list["Term"]:
        """What is joined, as terms that may stand anywhere; the term itself where nothing is."""
        if not self.parts:
            return [self]
        *first, last = self.parts
        return [*map(Term, first), Term(last, self.begins)]

    @property
    def whole(self) -> "Term":
        """What is joined as one word, written without what joins it."""
        return Term(("".join(self.words),), self.begins)


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
    parts = [tuple(found) for one in JOINS.split(fold(apart(plain))) if (found := words(one))]
    return Term(tuple(words(quoted or plain)), plain.endswith("*"), tuple(parts) if len(parts) > 1 else ())
