"""Snippets: for a search result, the passage with the most search words, shortened, with matches marked.

Words are compared when folded, in lower case and without accents, and by their stems.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from .entries import NAME_PROPERTIES, NOTE_POSITION, IndexEntry, Passage
from .stemming import find_word_stems, fold_and_stem
from .terms import SearchTerm
from .tokenizer import WRITTEN_WORD_PATTERN, fold_text, tokenize_text

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


class SearchWords:
    """The words of a search, with their stems in the language of the texts; and the prefixes."""

    def __init__(self, terms: Sequence[SearchTerm], language: str) -> None:
        """Find the stems of the words in a language."""
        stems_by_word = {
            word: frozenset((word, *(find_word_stems(term.written, language) if term.written else ())))
            for term in terms
            for word in term.words
        }
        self.stem_sets = list(stems_by_word.values())
        self.stems = frozenset().union(*self.stem_sets)  # the words are among them
        self.prefixes = tuple(term.words[-1] for term in terms if term.is_prefix)
        self.language = language
        self.are_matches: dict[str, bool] = {}  # by written word, as results share most of their words

    def matches(self, written_word: str) -> bool:
        """Whether a word of a text is one of the words, in any inflection, or begins with a prefix."""
        is_match = self.are_matches.get(written_word)
        if is_match is None:
            word, stem = fold_and_stem(written_word, self.language)
            is_match = word in self.stems or stem in self.stems or word.startswith(self.prefixes)
            self.are_matches[written_word] = is_match
        return is_match

    def count_in(self, text: str) -> int:
        """The number of words that occur in a text in any form."""
        folded_text = fold_text(text)
        count = 0
        for stems in self.stem_sets:  # loops, as generators take twice the time
            for stem in stems:
                if stem in folded_text:
                    count += 1
                    break
        return count


@lru_cache(16)
def get_search_words(terms: tuple[SearchTerm, ...], language: str) -> SearchWords:
    """The words of a search, shared by its results."""
    return SearchWords(terms, language)


def build_snippet(entry: IndexEntry, terms: Sequence[SearchTerm], language: str, label: str) -> Snippet:
    """The snippet of the best passage in a language, without the notes of the editors.

    It is empty if all passages repeat the label.
    """
    label_words = f" {' '.join(tokenize_text(label))} "
    passages = [
        passage
        for passage in entry.passages
        if passage.property_position != NOTE_POSITION
        and (passage.part or f" {' '.join(tokenize_text(passage.text))} " not in label_words)
    ]
    if not passages:
        return Snippet([], None)
    search_words = get_search_words(tuple(terms), language)
    passage = best_passage(passages, search_words)
    return Snippet(list(iter_marked_chunks(cut_excerpt(passage.text, search_words), search_words)), passage)


def mark_matches(text: str, terms: Sequence[SearchTerm], language: str) -> list[tuple[str, bool]]:
    """The chunks of a text in a language, each with whether it is a match."""
    return list(iter_marked_chunks(text, get_search_words(tuple(terms), language)))


def best_passage(passages: Iterable[Passage], search_words: SearchWords) -> Passage:
    """The first passage with the most words. If none has any, it is the first text rather than a name."""
    best, max_count = None, -1
    for passage in passages:
        count = search_words.count_in(passage.text)
        if count > max_count or (
            best
            and not max_count
            and best.property_position < len(NAME_PROPERTIES) <= passage.property_position
        ):
            best, max_count = passage, count
        if max_count == len(search_words.stem_sets):
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
        if not search_words.matches(match[0]):
            continue
        if match.start() == span_end:
            span_end = match.end()
            continue
        if span_end > 0:
            yield span_start, span_end
        span_start, span_end = match.span()
    if span_end > 0:
        yield span_start, span_end
