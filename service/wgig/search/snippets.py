"""What to show of the text of a thing that was found: the passage that has most of the words, with marks."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from .entries import NAME_PROPERTIES, IndexEntry, Passage
from .tokenizer import WRITTEN_WORD_PATTERN, SearchTerm, fold_text, fold_word

MAX_SNIPPET_CHARACTERS = 240  # characters
SNIPPET_LEAD_CHARACTERS = 60  # of these, before the first word that was searched for
WORD_BORDER_PATTERN = re.compile(r"\s")


class Snippet(NamedTuple):
    """A text to be shown, in pieces, each with whether it is what was searched for; cut where it is long."""

    pieces: list[tuple[str, bool]]
    passage: Passage | None

    @property
    def text(self) -> str:
        """The text without marks."""
        return "".join(piece for piece, _ in self.pieces)


class SoughtWords(NamedTuple):
    """The words that are searched for, and the begins of words."""

    words: frozenset[str]
    prefixes: tuple[str, ...]

    @classmethod
    def from_terms(cls, terms: Sequence[SearchTerm]) -> "SoughtWords":
        """All words of some terms."""
        begins = tuple(one.words[-1] for one in terms if one.is_prefix)
        return cls(frozenset(word for one in terms for word in one.words), begins)

    def matches(self, word: str) -> bool:
        """Whether a word is searched for."""
        return word in self.words or word.startswith(self.prefixes)


def build_snippet(entry: IndexEntry, terms: Sequence[SearchTerm]) -> Snippet:
    """The passage of an entry to be shown for these terms; empty where there is none but the name."""
    name = entry.label
    shown = [
        one for one in entry.passages if one.place >= len(NAME_PROPERTIES) or one.part or one.text != name
    ]
    if not shown:
        return Snippet([], None)
    sought = SoughtWords.from_terms(terms)
    best = best_passage(shown, sought.words)
    return Snippet(list(iter_marked_pieces(cut_excerpt(best.text, sought), sought)), best)


def best_passage(passages: Iterable[Passage], wanted: Collection[str]) -> Passage:
    """The first of the passages that have most of the words; where none has any, a text before a name."""
    best, most = None, -1
    for one in passages:
        text = fold_text(one.text)
        count = sum([word in text for word in wanted])
        if count > most or (best and not most and best.place < len(NAME_PROPERTIES) <= one.place):
            best, most = one, count
        if most == len(wanted):
            break
    assert best
    return best


def cut_excerpt(text: str, sought: SoughtWords) -> str:
    """A long text cut off at spaces, around the first word that is searched for."""
    if len(text) <= MAX_SNIPPET_CHARACTERS:
        return text
    first = next((start for start, _ in iter_word_spans(text, sought)), 0)
    start = max(0, min(first - SNIPPET_LEAD_CHARACTERS, len(text) - MAX_SNIPPET_CHARACTERS))
    end = min(len(text), start + MAX_SNIPPET_CHARACTERS)
    if start:
        border = WORD_BORDER_PATTERN.search(text, start, first)
        start = border.end() if border else start
    if end < len(text):
        borders = [one.start() for one in WORD_BORDER_PATTERN.finditer(text, start, end)]
        end = next((one for one in reversed(borders) if one > first), end)
    return f"{'… ' if start else ''}{text[start:end]}{' …' if end < len(text) else ''}"


def iter_marked_pieces(text: str, sought: SoughtWords) -> Iterator[tuple[str, bool]]:
    """The pieces of a text, each with whether it is a word that is searched for."""
    done = 0
    for start, end in iter_word_spans(text, sought):
        if start > done:
            yield text[done:start], False
        yield text[start:end], True
        done = end
    if done < len(text):
        yield text[done:], False


def iter_word_spans(text: str, sought: SoughtWords) -> Iterator[tuple[int, int]]:
    """Where the words of a text stand that are searched for; those without a space between them as one."""
    begin = end = -1
    for found in WRITTEN_WORD_PATTERN.finditer(text):
        if not sought.matches(fold_word(found[0])):
            continue
        if found.start() == end:
            end = found.end()
            continue
        if end > 0:
            yield begin, end
        begin, end = found.span()
    if end > 0:
        yield begin, end
