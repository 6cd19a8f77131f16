"""Snippets: the passage of a resource that has most of the search words, shortened, with matches marked."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from .entries import NAME_PROPERTIES, IndexEntry, Passage
from .tokenizer import WRITTEN_WORD_PATTERN, SearchTerm, fold_text, fold_word

MAX_SNIPPET_CHARACTERS = 240
SNIPPET_LEAD_CHARACTERS = 60  # of these, before the first match
WORD_BORDER_PATTERN = re.compile(r"\s")


class Snippet(NamedTuple):
    """A text in pieces, each with whether it is a match; shortened where it is long."""

    pieces: list[tuple[str, bool]]
    passage: Passage | None

    @property
    def text(self) -> str:
        """The text without marks."""
        return "".join(piece for piece, _ in self.pieces)


class SoughtWords(NamedTuple):
    """The search words, and prefixes of words."""

    words: frozenset[str]
    prefixes: tuple[str, ...]

    @classmethod
    def from_terms(cls, terms: Sequence[SearchTerm]) -> "SoughtWords":
        """All words and prefixes of some terms."""
        prefixes = tuple(term.words[-1] for term in terms if term.is_prefix)
        return cls(frozenset(word for term in terms for word in term.words), prefixes)

    def matches(self, word: str) -> bool:
        """Whether a word matches."""
        return word in self.words or word.startswith(self.prefixes)


def build_snippet(entry: IndexEntry, terms: Sequence[SearchTerm]) -> Snippet:
    """The snippet of the best passage for these terms; empty where the label is all there is."""
    name = entry.label
    passages = [
        passage
        for passage in entry.passages
        if passage.place >= len(NAME_PROPERTIES) or passage.part or passage.text != name
    ]
    if not passages:
        return Snippet([], None)
    sought = SoughtWords.from_terms(terms)
    best = best_passage(passages, sought.words)
    return Snippet(list(iter_marked_pieces(cut_excerpt(best.text, sought), sought)), best)


def best_passage(passages: Iterable[Passage], words: Collection[str]) -> Passage:
    """The first of the passages that have most of the words; where none has any, a text before a name."""
    best, most_words = None, -1
    for passage in passages:
        text = fold_text(passage.text)
        count = sum([word in text for word in words])
        if count > most_words or (
            best and not most_words and best.place < len(NAME_PROPERTIES) <= passage.place
        ):
            best, most_words = passage, count
        if most_words == len(words):
            break
    assert best
    return best


def cut_excerpt(text: str, sought: SoughtWords) -> str:
    """A long text shortened at spaces, around the first match."""
    if len(text) <= MAX_SNIPPET_CHARACTERS:
        return text
    first_match = next((start for start, _ in iter_word_spans(text, sought)), 0)
    start = max(0, min(first_match - SNIPPET_LEAD_CHARACTERS, len(text) - MAX_SNIPPET_CHARACTERS))
    end = min(len(text), start + MAX_SNIPPET_CHARACTERS)
    if start:
        space = WORD_BORDER_PATTERN.search(text, start, first_match)
        start = space.end() if space else start
    if end < len(text):
        spaces = [match.start() for match in WORD_BORDER_PATTERN.finditer(text, start, end)]
        end = next((position for position in reversed(spaces) if position > first_match), end)
    return f"{'… ' if start else ''}{text[start:end]}{' …' if end < len(text) else ''}"


def iter_marked_pieces(text: str, sought: SoughtWords) -> Iterator[tuple[str, bool]]:
    """The pieces of a text, each with whether it is a match."""
    position = 0
    for start, end in iter_word_spans(text, sought):
        if start > position:
            yield text[position:start], False
        yield text[start:end], True
        position = end
    if position < len(text):
        yield text[position:], False


def iter_word_spans(text: str, sought: SoughtWords) -> Iterator[tuple[int, int]]:
    """The spans of matching words in a text; adjacent ones, without a space between, are merged."""
    begin = end = -1
    for match in WRITTEN_WORD_PATTERN.finditer(text):
        if not sought.matches(fold_word(match[0])):
            continue
        if match.start() == end:
            end = match.end()
            continue
        if end > 0:
            yield begin, end
        begin, end = match.span()
    if end > 0:
        yield begin, end
