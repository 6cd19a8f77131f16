"""Texts as words that can be compared: without capitals and accents, Chinese and Japanese sign by sign.

Words of Arabic lose their article, their vowel signs, and what tells one spelling of a letter from another.
So whoever searches finds a word however it was typed.
"""

import re
import unicodedata
from functools import lru_cache

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
