"""Snippets: for a search result, the passage with the most search words, shortened, with matches marked.

Words are compared when folded: in lower case, without accents.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from .entries import NAME_PROPERTIES, IndexEntry, Passage
from .terms import SearchTerm
from .tokenizer import WRITTEN_WORD_PATTERN, fold_text, fold_word

MAX_SNIPPET_CHARACTERS = 240
SNIPPET_LEAD_CHARACTERS = 60  # before the first match
SPACE_PATTERN = re.compile(r"\s")


class Snippet(NamedTuple):
    """A passage (or None), and its shortened text, split into chunks, each with whether it is a match."""

    chunks: list[tuple[str, bool]]
    passage: Passage | None

    @property
    def text(self) -> str:
        """The text without marks."""
        return "".join(chunk for chunk, _ in self.chunks)


class SearchWords(NamedTuple):
    """The folded words and prefixes of a search."""

    words: frozenset[str]
    prefixes: tuple[str, ...]

    @classmethod
    def from_terms(cls, terms: Sequence[SearchTerm]) -> "SearchWords":
        """The words and prefixes of search terms."""
        prefixes = tuple(term.words[-1] for term in terms if term.is_prefix)
        return cls(frozenset(word for term in terms for word in term.words), prefixes)

    def matches(self, word: str) -> bool:
        """Whether a folded word is one of the words or begins with a prefix."""
        return word in self.words or word.startswith(self.prefixes)


def build_snippet(entry: IndexEntry, terms: Sequence[SearchTerm]) -> Snippet:
    """The snippet of the best passage for search terms; empty if the label contains all passages."""
    label = entry.label
    passages = [passage for passage in entry.passages if passage.part or passage.text not in label]
    if not passages:
        return Snippet([], None)
    search_words = SearchWords.from_terms(terms)
    passage = best_passage(passages, search_words.words)
    return Snippet(list(iter_marked_chunks(cut_excerpt(passage.text, search_words), search_words)), passage)


def best_passage(passages: Iterable[Passage], words: Collection[str]) -> Passage:
    """The first passage with the most words. If none has any, it is the first text rather than a name."""
    best, max_count = None, -1
    for passage in passages:
        text = fold_text(passage.text)
        count = sum([word in text for word in words])
        if count > max_count or (
            best
            and not max_count
            and best.property_position < len(NAME_PROPERTIES) <= passage.property_position
        ):
            best, max_count = passage, count
        if max_count == len(words):
            break
    assert best
    return best


def cut_excerpt(text: str, search_words: SearchWords) -> str:
    """The text, if longer than MAX_SNIPPET_CHARACTERS shortened at spaces, around the first match."""
    if len(text) <= MAX_SNIPPET_CHARACTERS:
        return text
    first_match = next((start for start, _ in iter_word_spans(text, search_words)), 0)
    start = max(0, min(first_match - SNIPPET_LEAD_CHARACTERS, len(text) - MAX_SNIPPET_CHARACTERS))
    end = min(len(text), start + MAX_SNIPPET_CHARACTERS)
    if start:
        space = SPACE_PATTERN.search(text, start, first_match)
        start = space.end() if space else start
    if end < len(text):
        spaces = [match.start() for match in SPACE_PATTERN.finditer(text, start, end)]
        end = next((position for position in reversed(spaces) if position > first_match), end)
    return f"{'… ' if start else ''}{text[start:end]}{' …' if end < len(text) else ''}"


def iter_marked_chunks(text: str, search_words: SearchWords) -> Iterator[tuple[str, bool]]:
    """The chunks of a text, each with whether it is a match."""
    position = 0
    for start, end in iter_word_spans(text, search_words):
        if start > position:
            yield text[position:start], False
        yield text[start:end], True
        position = end
    if position < len(text):
        yield text[position:], False


def iter_word_spans(text: str, search_words: SearchWords) -> Iterator[tuple[int, int]]:
    """The start and end of matching words in a text; matches without a space between are merged."""
    span_start = span_end = -1
    for match in WRITTEN_WORD_PATTERN.finditer(text):
        if not search_words.matches(fold_word(match[0])):
            continue
        if match.start() == span_end:
            span_end = match.end()
            continue
        if span_end > 0:
            yield span_start, span_end
        span_start, span_end = match.span()
    if span_end > 0:
        yield span_start, span_end
