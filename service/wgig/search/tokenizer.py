"""Tokenize texts, and parse searches: words, "phrases in quotes", and prefixes such as wor*.

Words are folded for comparison: in lower case, without accents and Arabic articles (see `fold_text`).
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from ..i18n import gettext_noop
from ..problems import Problem, build_sentence

_APOSTROPHE_SIGNS = "['\u2018\u2019\u02bc]"
APOSTROPHE_PATTERN = re.compile(_APOSTROPHE_SIGNS)
# A single letter before or after an apostrophe in a word: Geneva's, don't, O'Connor, l'Internet.
JOINED_LETTER_PATTERN = re.compile(
    rf"(?<=\w){_APOSTROPHE_SIGNS}[^\W\d_]\b|\b[^\W\d_]{_APOSTROPHE_SIGNS}(?=\w)"
)
ASCII_WORD_PATTERN = re.compile(r"[a-z0-9]+")
# Chinese and Japanese have no spaces between words, so each character is a word.
CJK_SIGN_RANGES = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
FOLDED_WORD_PATTERN = re.compile(rf"[{CJK_SIGN_RANGES}]|[^\W_{CJK_SIGN_RANGES}]+")
VOICED_SOUND_MARKS = "\u3099\u309a"  # part of a Japanese character, not accents
ARABIC_ARTICLE_PATTERN = re.compile(r"[وفبك]?ال(?=\w{3})")
# Arabic letters that are typed in variants. The tatweel (U+0640) is removed, as it only lengthens a word.
ARABIC_LETTER_VARIANTS = str.maketrans(dict(zip("ىةکی", "يهكي", strict=True)) | {"\u0640": None})
# A word as it is written, with the combining vowel marks and accents after its letters.
ACCENT_MARK_RANGES = "\u0300-\u036f\u064b-\u065f\u0670"
WRITTEN_WORD_PATTERN = re.compile(rf"[{CJK_SIGN_RANGES}]|(?:[^\W_{CJK_SIGN_RANGES}]|[{ACCENT_MARK_RANGES}])+")


def tokenize_text(text: str) -> list[str]:
    """The folded words of a text in order, without single letters before or after an apostrophe."""
    text = remove_joined_letters(text)
    return (
        ASCII_WORD_PATTERN.findall(text.lower())
        if text.isascii()
        else FOLDED_WORD_PATTERN.findall(fold_text(text))
    )


def remove_joined_letters(text: str) -> str:
    """The text without single letters before or after an apostrophe in a word."""
    return JOINED_LETTER_PATTERN.sub("", text) if APOSTROPHE_PATTERN.search(text) else text


def fold_text(text: str) -> str:
    """The text in lower case, without accents and Arabic articles, with normalized Arabic letters."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    unaccented = "".join(
        character
        for character in decomposed
        if not unicodedata.combining(character) or character in VOICED_SOUND_MARKS
    )
    return " ".join(
        map(
            strip_arabic_article,
            unicodedata.normalize("NFC", unaccented).translate(ARABIC_LETTER_VARIANTS).split(),
        )
    )


def strip_arabic_article(word: str) -> str:
    """An Arabic word without its article; other words unchanged."""
    match = ARABIC_ARTICLE_PATTERN.match(word)
    return word[match.end() :] if match else word


@lru_cache(10_000)
def fold_word(word: str) -> str:
    """A word folded for comparison."""
    return "".join(tokenize_text(word))


MAX_SEARCH_CHARACTERS = 200
MAX_SEARCH_TERMS = 12
MIN_PREFIX_LETTERS = 2

# Punctuation without spaces between words, such as a hyphen or slash.
WORD_JOINT_PATTERN = re.compile(r"[\W_]+")
_SEARCH_TERM_PATTERN = re.compile(r'"([^"]*)"?|([^\s"]+)')


@dataclass(frozen=True)
class SearchTerm:
    """A word or a phrase. If `is_prefix`, the last word is a prefix.

    A compound such as multi-stakeholder has in `parts` the words of each part; other terms have no parts.
    """

    words: tuple[str, ...]
    is_prefix: bool = False
    parts: tuple[tuple[str, ...], ...] = ()

    def __str__(self) -> str:
        """The term in the FTS5 query language. Words have only letters and digits, so nothing is escaped."""
        return f'"{" ".join(self.words)}"{" *" if self.is_prefix else ""}'

    @property
    def separate_terms(self) -> list["SearchTerm"]:
        """A compound as one term for each part; another term as it is."""
        if not self.parts:
            return [self]
        *first, last = self.parts
        return [*map(SearchTerm, first), SearchTerm(last, self.is_prefix)]

    @property
    def joined_term(self) -> "SearchTerm":
        """A compound as one word, such as multistakeholder."""
        return SearchTerm(("".join(self.words),), self.is_prefix)


def parse_search_terms(text: str) -> list[SearchTerm]:
    """The terms of a search. Raises Problem 400 if it is too long or has no word."""
    if len(text) > MAX_SEARCH_CHARACTERS:
        raise Problem(400, f"The search is longer than {MAX_SEARCH_CHARACTERS} characters. Use fewer words.")
    parsed_terms = [parse_search_term(quoted, plain) for quoted, plain in _SEARCH_TERM_PATTERN.findall(text)]
    terms = [term for term in dict.fromkeys(parsed_terms) if term.words]
    if not terms:
        message = gettext_noop("There is no word in %(text)s to search for. Enter one or more words.")
        raise Problem(400, [build_sentence(message, text=repr(text))])
    if any(term.is_prefix and len(term.words[-1]) < MIN_PREFIX_LETTERS for term in terms):
        raise Problem(
            400, f"Enter at least {MIN_PREFIX_LETTERS} letters before * for the beginning of a word."
        )
    if len(terms) > MAX_SEARCH_TERMS:
        raise Problem(400, f"The search has {len(terms)} words and phrases. Use at most {MAX_SEARCH_TERMS}.")
    return terms


def parse_search_term(quoted: str, plain: str) -> SearchTerm:
    """The term for a phrase in quotes or a plain word, which may be a prefix or compound."""
    parts = [
        tuple(words)
        for part in WORD_JOINT_PATTERN.split(fold_text(remove_joined_letters(plain)))
        if (words := tokenize_text(part))
    ]
    return SearchTerm(
        tuple(tokenize_text(quoted or plain)), plain.endswith("*"), tuple(parts) if len(parts) > 1 else ()
    )
