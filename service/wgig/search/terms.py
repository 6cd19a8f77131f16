"""The terms of a search: words, "phrases in quotes", and prefixes such as gover*."""

import re
from dataclasses import dataclass
from itertools import pairwise

from ..i18n import gettext_noop
from ..problems import Problem, build_sentence
from .stemming import find_all_stems
from .tokenizer import (
    CJK_SIGN_PATTERN,
    fold_text,
    list_written_words,
    remove_joined_letters,
    tokenize_text,
)

MAX_SEARCH_CHARACTERS = 200
MAX_SEARCH_TERMS = 12
MIN_PREFIX_LETTERS = 2

# Folded words that a result may lack, as they say nothing about its subject.
STOP_WORDS = frozenset(
    word
    for words in (
        "a an and are as at by do does for from how in is of on or the to with",  # English
        "au aux dans de des du en est et la le les par pour sur un une",  # French
        "con del el las los por se una y",  # Spanish
        "в во и из к на о от по с",  # Russian
        "الي عن علي في من",  # Arabic
    )
    for word in words.split(" ")
)
# Punctuation without spaces between words, such as a hyphen or slash.
WORD_JOINT_PATTERN = re.compile(r"[\W_]+")
_SEARCH_TERM_PATTERN = re.compile(r'"([^"]*)"?|([^\s"]+)')


@dataclass(frozen=True)
class SearchTerm:
    """A word or a phrase of folded words. If `is_prefix`, the last word is a prefix.

    A single word has in `written` its form with accents, and matches its stems, too. A compound such as
    multi-stakeholder has in `parts` the words of each part; other terms have no parts. A stop word is
    optional. `is_name` says that a word is spelled like the name of a product or body, such as VeriSign, and
    has no corrections.
    """

    words: tuple[str, ...]
    is_prefix: bool = False
    parts: tuple[tuple[str, ...], ...] = ()
    written: str = ""
    is_optional: bool = False
    is_name: bool = False

    def __str__(self) -> str:
        """The term in the FTS5 query language. Words have only letters and digits, so nothing is escaped."""
        if self.written:
            return "(" + " OR ".join(f'"{stem}"' for stem in find_all_stems(self.written)) + ")"
        return f'words : "{" ".join(self.words)}"{" *" if self.is_prefix else ""}'

    @property
    def separate_terms(self) -> list["SearchTerm"]:
        """A compound as one term for each part; another term as it is."""
        if not self.parts:
            return [self]
        *first, last = self.parts
        return [*(build_part_term(part, self.is_name) for part in first),
                SearchTerm(last, is_prefix=True, is_name=self.is_name) if self.is_prefix
                else build_part_term(last, self.is_name)]  # fmt: skip

    @property
    def joined_term(self) -> "SearchTerm":
        """A compound as one word, such as multistakeholder."""
        return SearchTerm(("".join(self.words),), self.is_prefix)


def build_part_term(words: tuple[str, ...], is_name: bool = False) -> SearchTerm:
    """The term for folded words, of which a single one matches its stems, too."""
    return SearchTerm(words, written=words[0] if len(words) == 1 else "", is_name=is_name)


def parse_search_terms(text: str) -> list[SearchTerm]:
    """The terms of a search. Raises Problem 400 if it is too long or has no word."""
    if len(text) > MAX_SEARCH_CHARACTERS:
        raise Problem(400, f"The search is longer than {MAX_SEARCH_CHARACTERS} characters. Use fewer words.")
    parsed_terms = [parse_search_term(quoted, plain) for quoted, plain in _SEARCH_TERM_PATTERN.findall(text)]
    terms = [term for term in dict.fromkeys(parsed_terms) if term.words]
    if not terms:
        message = gettext_noop("%(text)s contains no word to search for. Enter one or more words.")
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
    words, is_prefix = tuple(tokenize_text(quoted or plain)), plain.endswith("*")
    if quoted or not words:
        return SearchTerm(words)
    parts = list_word_parts(plain)
    is_name = any(map(is_spelled_as_name, WORD_JOINT_PATTERN.split(plain)))
    if is_prefix or len(words) > 1:
        return SearchTerm(words, is_prefix, tuple(parts) if len(parts) > 1 else (), is_name=is_name)
    return SearchTerm(
        words,
        written="".join(list_written_words(plain)).casefold(),
        is_optional=words[0] in STOP_WORDS and not is_name,
        is_name=is_name,
    )


def parse_typed_words(text: str) -> list[SearchTerm]:
    """The terms for a text without syntax, such as a name: one for each of the first words."""
    written_words = list_written_words(text[:MAX_SEARCH_CHARACTERS])[:MAX_SEARCH_TERMS]
    return [term for word in written_words if (term := parse_search_term("", word)).words]


def list_word_parts(plain: str) -> list[tuple[str, ...]]:
    """The folded words of each part of a compound; of Chinese and Japanese signs, each pair is a part."""
    parts: list[tuple[str, ...]] = []
    for part in WORD_JOINT_PATTERN.split(fold_text(remove_joined_letters(plain))):
        words = tokenize_text(part)
        if len(words) > 2 and all(map(CJK_SIGN_PATTERN.match, words)):
            parts += pairwise(words)
        elif words:
            parts.append(tuple(words))
    return parts


def is_spelled_as_name(word: str) -> bool:
    """Whether a word has a digit, or a capital after the first letter, such as IPv6 or VeriSign."""
    return any(character.isdigit() for character in word) or word[1:] != word[1:].lower()
