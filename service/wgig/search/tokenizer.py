"""Tokenize texts to words that are folded for comparison.

A folded word is in lower case, without accents and Arabic articles (see `fold_text`).
"""

import re
import unicodedata
from functools import lru_cache

_APOSTROPHE_SIGNS = "['\u2018\u2019\u02bc]"
APOSTROPHE_PATTERN = re.compile(_APOSTROPHE_SIGNS)
# A single letter before or after an apostrophe in a word: Geneva's, don't, O'Connor, l'Internet.
JOINED_LETTER_PATTERN = re.compile(
    rf"(?<=\w){_APOSTROPHE_SIGNS}[^\W\d_]\b|\b[^\W\d_]{_APOSTROPHE_SIGNS}(?=\w)"
)
ASCII_WORD_PATTERN = re.compile(r"[a-z0-9]+")
ASCII_WRITTEN_WORD_PATTERN = re.compile(r"[A-Za-z0-9]+")
# Chinese and Japanese have no spaces between words, so each character is a word.
CJK_SIGN_RANGES = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
FOLDED_WORD_PATTERN = re.compile(rf"[{CJK_SIGN_RANGES}]|[^\W_{CJK_SIGN_RANGES}]+")
VOICED_SOUND_MARKS = "\u3099\u309a"  # part of a Japanese character, not accents
# The article after "and", "by" and similar prefixes, and its contraction with "for".
ARABIC_ARTICLE_PATTERN = re.compile(r"(?:[وفبك]?ال|و?لل)(?=\w{3})")
# Arabic letters that are typed in variants. The tatweel (U+0640) is removed, as it only lengthens a word.
ARABIC_LETTER_VARIANTS = str.maketrans(dict(zip("ىةکی", "يهكي", strict=True)) | {"\u0640": None})
# A word as it is written, with the combining vowel marks and accents after its letters.
ACCENT_MARK_RANGES = "\u0300-\u036f\u064b-\u065f\u0670"
WRITTEN_WORD_PATTERN = re.compile(rf"[{CJK_SIGN_RANGES}]|(?:[^\W_{CJK_SIGN_RANGES}]|[{ACCENT_MARK_RANGES}])+")
CJK_SIGN_PATTERN = re.compile(rf"[{CJK_SIGN_RANGES}]")


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


def list_written_words(text: str) -> list[str]:
    """The words of a text as they are written, with capitals and accents; one for each of `tokenize_text`."""
    pattern = ASCII_WRITTEN_WORD_PATTERN if text.isascii() else WRITTEN_WORD_PATTERN
    return pattern.findall(remove_joined_letters(text))


@lru_cache(100_000)
def fold_word(word: str) -> str:
    """A word folded for comparison."""
    return "".join(tokenize_text(word))
