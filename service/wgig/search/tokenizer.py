"""Words of texts and of searches: words, "phrases in quotes", and wor* for the beginning of a word."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from ..problems import Problem

_APOSTROPHE_SIGNS = "['\u2018\u2019\u02bc]"
APOSTROPHE_PATTERN = re.compile(_APOSTROPHE_SIGNS)
# One letter that an apostrophe joins to a word: Geneva's, don't, O'Connor, l'Internet.
JOINED_LETTER_PATTERN = re.compile(
    rf"(?<=\w){_APOSTROPHE_SIGNS}[^\W\d_]\b|\b[^\W\d_]{_APOSTROPHE_SIGNS}(?=\w)"
)
ASCII_WORD_PATTERN = re.compile(r"[a-z0-9]+")
# Scripts that are written without spaces: the signs of Japanese and Chinese.
CJK_SIGN_RANGES = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
FOLDED_WORD_PATTERN = re.compile(rf"[{CJK_SIGN_RANGES}]|[^\W_{CJK_SIGN_RANGES}]+")
VOICED_SOUND_MARKS = "\u3099\u309a"  # which make another sound of a Japanese sign, and no accent
ARABIC_ARTICLE_PATTERN = re.compile(r"[وفبك]?ال(?=\w{3})")
# Arabic letters by those that are typed in their place; the tatweel only makes a word longer.
ARABIC_LETTER_VARIANTS = str.maketrans(dict(zip("ىةکی", "يهكي", strict=True)) | {"\u0640": None})
# A word as it stands in a text, with the signs for vowels and accents that may follow its letters.
ACCENT_MARK_RANGES = "\u0300-\u036f\u064b-\u065f\u0670"
WRITTEN_WORD_PATTERN = re.compile(rf"[{CJK_SIGN_RANGES}]|(?:[^\W_{CJK_SIGN_RANGES}]|[{ACCENT_MARK_RANGES}])+")


def tokenize_text(text: str) -> list[str]:
    """The words of a text, in their order, without single letters that an apostrophe joins to them."""
    text = remove_joined_letters(text)
    return (
        ASCII_WORD_PATTERN.findall(text.lower())
        if text.isascii()
        else FOLDED_WORD_PATTERN.findall(fold_text(text))
    )


def remove_joined_letters(text: str) -> str:
    """The text without single letters that an apostrophe joins to a word."""
    return JOINED_LETTER_PATTERN.sub("", text) if APOSTROPHE_PATTERN.search(text) else text


def fold_text(text: str) -> str:
    """The text without capitals and accents."""
    if text.isascii():
        return text.lower()
    pieces = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(one for one in pieces if not unicodedata.combining(one) or one in VOICED_SOUND_MARKS)
    return " ".join(
        map(
            strip_arabic_article, unicodedata.normalize("NFC", kept).translate(ARABIC_LETTER_VARIANTS).split()
        )
    )


def strip_arabic_article(word: str) -> str:
    """A word of Arabic without its article; any other as it is."""
    found = ARABIC_ARTICLE_PATTERN.match(word)
    return word[found.end() :] if found else word


@lru_cache(10_000)
def fold_word(word: str) -> str:
    """A word as it stands in a text, as it is compared."""
    return "".join(tokenize_text(word))


MAX_SEARCH_CHARACTERS = 200  # characters
MAX_SEARCH_TERMS = 12  # terms
MIN_PREFIX_LETTERS = 2  # letters of the begin of a word

# A hyphen, a slash or whatever else stands between words without a space.
WORD_JOINT_PATTERN = re.compile(r"[\W_]+")
_SEARCH_TERM_PATTERN = re.compile(r'"([^"]*)"?|([^\s"]+)')


@dataclass(frozen=True)
class SearchTerm:
    """Words that stand one behind the other; where `is_prefix`, the last one is the begin of a word.

    `parts` are the words that are joined, as by a hyphen; empty where nothing is.
    """

    words: tuple[str, ...]
    is_prefix: bool = False
    parts: tuple[tuple[str, ...], ...] = ()

    def __str__(self) -> str:
        """The term as the index is asked for it. Words are letters and digits alone."""
        return f'"{" ".join(self.words)}"{" *" if self.is_prefix else ""}'

    @property
    def separate_terms(self) -> list["SearchTerm"]:
        """What is joined, as terms that may stand anywhere; the term itself where nothing is."""
        if not self.parts:
            return [self]
        *first, last = self.parts
        return [*map(SearchTerm, first), SearchTerm(last, self.is_prefix)]

    @property
    def joined_term(self) -> "SearchTerm":
        """What is joined as one word, written without what joins it."""
        return SearchTerm(("".join(self.words),), self.is_prefix)


def parse_search_terms(text: str) -> list[SearchTerm]:
    """The terms of a text. Raises Problem 400 where it is too long or has no word in it."""
    if len(text) > MAX_SEARCH_CHARACTERS:
        raise Problem(400, f"The search is longer than {MAX_SEARCH_CHARACTERS} characters. Use fewer words.")
    found = [parse_search_term(quoted, plain) for quoted, plain in _SEARCH_TERM_PATTERN.findall(text)]
    terms = [one for one in dict.fromkeys(found) if one.words]
    if not terms:
        raise Problem(400, f"There is no word in {text!r} to search for. Write one or more words.")
    if any(one.is_prefix and len(one.words[-1]) < MIN_PREFIX_LETTERS for one in terms):
        raise Problem(
            400, f"Write {MIN_PREFIX_LETTERS} letters or more before the sign * for the begin of a word."
        )
    if len(terms) > MAX_SEARCH_TERMS:
        raise Problem(400, f"The search has {len(terms)} words and phrases. Use {MAX_SEARCH_TERMS} at most.")
    return terms


def parse_search_term(quoted: str, plain: str) -> SearchTerm:
    """A phrase, or a word that may be only the begin of one; what a hyphen joins is a phrase as well."""
    parts = [
        tuple(found)
        for one in WORD_JOINT_PATTERN.split(fold_text(remove_joined_letters(plain)))
        if (found := tokenize_text(one))
    ]
    return SearchTerm(
        tuple(tokenize_text(quoted or plain)), plain.endswith("*"), tuple(parts) if len(parts) > 1 else ()
    )
