"""What to show of the text of a thing that was found: the passage that has most of the words, with marks."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from .entries import NAMES, Entry, Passage
from .tokenizer import AS_WRITTEN, Term, fold, single

LONGEST = 240  # characters
BEFORE = 60  # of these, before the first word that was searched for
BORDER = re.compile(r"\s")


class Snippet(NamedTuple):
    """A text to be shown, in pieces, each with whether it is what was searched for; cut where it is long."""

    pieces: list[tuple[str, bool]]
    passage: Passage | None

    @property
    def text(self) -> str:
        """The text without marks."""
        return "".join(piece for piece, _ in self.pieces)


class Sought(NamedTuple):
    """The words that are searched for, and the begins of words."""

    words: frozenset[str]
    begins: tuple[str, ...]

    @classmethod
    def of(cls, terms: Sequence[Term]) -> "Sought":
        """All words of some terms."""
        begins = tuple(one.words[-1] for one in terms if one.begins)
        return cls(frozenset(word for one in terms for word in one.words), begins)

    def fits(self, word: str) -> bool:
        """Whether a word is searched for."""
        return word in self.words or word.startswith(self.begins)


def snippet(entry: Entry, terms: Sequence[Term]) -> Snippet:
    """The passage of an entry to be shown for these terms; empty where there is none but the name."""
    name = entry.label
    shown = [one for one in entry.passages if one.place >= len(NAMES) or one.part or one.text != name]
    if not shown:
        return Snippet([], None)
    sought = Sought.of(terms)
    best = most_of(shown, sought.words)
    return Snippet(list(marked(excerpt(best.text, sought), sought)), best)


def most_of(passages: Iterable[Passage], wanted: Collection[str]) -> Passage:
    """The first of the passages that have most of the words; where none has any, a text before a name."""
    best, most = None, -1
    for one in passages:
        text = fold(one.text)
        count = sum([word in text for word in wanted])
        if count > most or (best and not most and best.place < len(NAMES) <= one.place):
            best, most = one, count
        if most == len(wanted):
            break
    assert best
    return best


def excerpt(text: str, sought: Sought) -> str:
    """A long text cut off at spaces, around the first word that is searched for."""
    if len(text) <= LONGEST:
        return text
    first = next((start for start, _ in hits(text, sought)), 0)
    start = max(0, min(first - BEFORE, len(text) - LONGEST))
    end = min(len(text), start + LONGEST)
    if start:
        border = BORDER.search(text, start, first)
        start = border.end() if border else start
    if end < len(text):
        borders = [one.start() for one in BORDER.finditer(text, start, end)]
        end = next((one for one in reversed(borders) if one > first), end)
    return f"{'… ' if start else ''}{text[start:end]}{' …' if end < len(text) else ''}"


def marked(text: str, sought: Sought) -> Iterator[tuple[str, bool]]:
    """The pieces of a text, each with whether it is a word that is searched for."""
    done = 0
    for start, end in hits(text, sought):
        if start > done:
            yield text[done:start], False
        yield text[start:end], True
        done = end
    if done < len(text):
        yield text[done:], False


def hits(text: str, sought: Sought) -> Iterator[tuple[int, int]]:
    """Where the words of a text stand that are searched for; those without a space between them as one."""
    begin = end = -1
    for found in AS_WRITTEN.finditer(text):
        if not sought.fits(single(found[0])):
            continue
        if found.start() == end:
            end = found.end()
            continue
        if end > 0:
            yield begin, end
        begin, end = found.span()
    if end > 0:
        yield begin, end
