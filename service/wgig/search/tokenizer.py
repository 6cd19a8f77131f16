"""Words of texts and of searches: words, "phrases in quotes", and wor* for the beginning of a word."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from ..problems import Problem

_JOINT = "['\u2018\u2019\u02bc]"
APOSTROPHE = re.compile(_JOINT)
# One letter that an apostrophe joins to a word: Geneva's, don't, O'Connor, l'Internet.
JOINED = re.compile(rf"(?<=\w){_JOINT}[^\W\d_]\b|\b[^\W\d_]{_JOINT}(?=\w)")
PLAIN = re.compile(r"[a-z0-9]+")
# Scripts that are written without spaces: the signs of Japanese and Chinese.
SIGN = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
WORD = re.compile(rf"[{SIGN}]|[^\W_{SIGN}]+")
VOICED = "\u3099\u309a"  # which make another sound of a Japanese sign, and no accent
ARTICLE = re.compile(r"[وفبك]?ال(?=\w{3})")
# Arabic letters by those that are typed in their place; the tatweel only makes a word longer.
LETTERS = str.maketrans(dict(zip("ىةکی", "يهكي", strict=True)) | {"\u0640": None})
# A word as it stands in a text, with the signs for vowels and accents that may follow its letters.
MARKS = "\u0300-\u036f\u064b-\u065f\u0670"
AS_WRITTEN = re.compile(rf"[{SIGN}]|(?:[^\W_{SIGN}]|[{MARKS}])+")


def words(text: str) -> list[str]:
    """The words of a text, in their order, without single letters that an apostrophe joins to them."""
    text = apart(text)
    return PLAIN.findall(text.lower()) if text.isascii() else WORD.findall(fold(text))


def apart(text: str) -> str:
    """The text without single letters that an apostrophe joins to a word."""
    return JOINED.sub("", text) if APOSTROPHE.search(text) else text


def fold(text: str) -> str:
    """The text without capitals and accents."""
    if text.isascii():
        return text.lower()
    pieces = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(one for one in pieces if not unicodedata.combining(one) or one in VOICED)
    return " ".join(map(bare, unicodedata.normalize("NFC", kept).translate(LETTERS).split()))


def bare(word: str) -> str:
    """A word of Arabic without its article; any other as it is."""
    found = ARTICLE.match(word)
    return word[found.end() :] if found else word


@lru_cache(10_000)
def single(word: str) -> str:
    """A word as it stands in a text, as it is compared."""
    return "".join(words(word))


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
