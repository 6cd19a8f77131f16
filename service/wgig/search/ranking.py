"""Find things by words: names before texts, the nearest name first; and what a misspelt word may mean."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from rapidfuzz import process
from rapidfuzz.distance import OSA

from .database import Row, sign
from .tokenizer import Term, words

MOST = 200  # things that are found, unless more are wanted; where there are more, that is said
FREQUENT = 1000  # things with a word, beyond which its weight is not computed anew for each search
CANDIDATES = 20_000  # words that are compared with a misspelt one
COLUMNS = "things.id, things.iri, things.language, things.kind, things.label"


@dataclass(frozen=True)
class Wanted:
    """What is searched for: terms, all of them or any, in a language and of a kind (empty: of whichever).

    Texts of no language are in every one. Up to `most` things are found.
    """

    terms: Sequence[Term]
    language: str = ""
    kind: str = ""
    every: bool = True
    most: int = MOST

    def __str__(self) -> str:
        """The search as FTS5 has it."""
        parts = [f"({(' AND ' if self.every else ' OR ').join(map(str, self.terms))})"]
        if self.language:
            parts.append(f'("{sign("l", self.language)}" OR "{sign("l", "")}")')
        if self.kind:
            parts.append(f'"{sign("k", self.kind)}"')
        return " AND ".join(parts)


# Looks for what is wanted: the things that have it, in their order, and whether there are more.
Having = Callable[[sqlite3.Connection, Wanted], tuple[list[Row], bool]]


@dataclass(frozen=True)
class Found:
    """What was found, each thing once, the best first.

    `more`: there is more that is not in it. `wanted` is what was searched for in truth, where nothing has all
    the words or some were misspelt; `instead` holds the words that were taken for others, by these. Where
    nothing was found, not every word was.
    """

    rows: Sequence[Row]
    more: bool
    wanted: Wanted
    instead: dict[str, str]


def find(connection: sqlite3.Connection, wanted: Wanted, frequent: set[Term] | None = None) -> Found:
    """The things that have what is wanted in their names or texts.

    `frequent` are words that are known to be in very many things, and takes in those that are found to be.
    """
    return nearest_to(connection, wanted, partial(anywhere, frequent=set() if frequent is None else frequent))


def find_named(connection: sqlite3.Connection, wanted: Wanted) -> Found:
    """The things that have what is wanted in their names."""
    return nearest_to(connection, wanted, named)


def nearest_to(connection: sqlite3.Connection, wanted: Wanted, having: Having) -> Found:
    """The things that have all the words, else all that they may mean, else any of those."""
    for one, instead in meanings(connection, wanted):
        rows, more = having(connection, one)
        if rows:
            return Found(rows, more, one, instead)
    return Found([], False, replace(wanted, every=False), {})


def meanings(connection: sqlite3.Connection, wanted: Wanted) -> Iterator[tuple[Wanted, dict[str, str]]]:
    """What a search may mean, the nearest first, each with the words that are taken for others."""
    yield wanted, {}
    instead: dict[str, str] = {}
    loose = replace(wanted, terms=list(dict.fromkeys(loosened(connection, wanted, instead))))
    if loose != wanted:
        yield loose, instead
    instead = instead | {
        word: meant
        for word in dict.fromkeys(misspelt(connection, loose.terms))
        if (meant := nearest(connection, word)) is not None
    }
    mended = replace(loose, terms=[with_words(one, instead) for one in loose.terms])
    if mended != loose:
        yield mended, instead
    yield replace(mended, every=False), instead


def loosened(connection: sqlite3.Connection, wanted: Wanted, instead: dict[str, str]) -> Iterator[Term]:
    """The terms with what is joined as parts; as one word, noted in `instead`, where only that is found."""
    for term in wanted.terms:
        apart, whole = (replace(wanted, terms=one) for one in (term.apart, [term.whole]))
        if term.parts and not count(connection, apart, 0) and count(connection, whole, 0):
            instead[" ".join(term.words)] = term.whole.words[0]
            yield term.whole
        else:
            yield from term.apart


def anywhere(connection: sqlite3.Connection, wanted: Wanted, frequent: set[Term]) -> tuple[list[Row], bool]:
    """The things that have what is wanted in names or texts, in their order, and whether there are more."""
    rows, more = named(connection, wanted)
    if not more:
        texts, more = in_texts(connection, wanted, frequent)
        rows += texts
    once: dict[str, Row] = {}
    for row in rows:
        once.setdefault(row.iri, row)
    found = list(once.values())
    return found[: wanted.most], more or len(found) > wanted.most


def named(connection: sqlite3.Connection, wanted: Wanted) -> tuple[list[Row], bool]:
    """The things whose names have what is wanted, the nearest first, and whether there are more."""
    rows = matching(connection, "names", wanted, "")
    asked = [word for term in wanted.terms for word in term.words]
    return sorted(rows, key=lambda row: distance(row, asked)), len(rows) > wanted.most


def distance(row: Row, asked: Sequence[str]) -> tuple[int, bool, int]:
    """How far the label of a thing is from the words: it lacks some, begins otherwise, is longer."""
    label = words(row.label)
    return sum([one not in label for one in asked]), label[: len(asked)] != asked, len(label)


def in_texts(connection: sqlite3.Connection, wanted: Wanted, frequent: set[Term]) -> tuple[list[Row], bool]:
    """The things whose texts have what is wanted, and whether there are more.

    They are ranked by how often and how rare the words are (BM25). That is not done for words that are in
    very many things, as all of these would have to be counted; they come as they are.
    """
    too_many = any(is_frequent(connection, one, frequent) for one in wanted.terms)
    rows = matching(connection, "texts", wanted, "" if too_many else "ORDER BY rank")
    return rows, len(rows) > wanted.most


def matching(connection: sqlite3.Connection, table: str, wanted: Wanted, order: str) -> list[Row]:
    """The rows of things that match, up to one more than are wanted."""
    found = connection.execute(
        f"SELECT {COLUMNS} FROM (SELECT rowid FROM {table} WHERE {table} MATCH ? {order} LIMIT ?) "  # noqa: S608
        "AS found JOIN things ON things.id = found.rowid",
        (str(wanted), wanted.most + 1),
    )
    return [Row(*one) for one in found]


def is_frequent(connection: sqlite3.Connection, term: Term, frequent: set[Term]) -> bool:
    """Whether a word, or each word of a phrase, is in very many things; such a word stays `frequent`."""
    *first, last = term.words
    for one in (*(Term((one,)) for one in first), Term((last,), term.begins)):
        if one not in frequent:
            if count(connection, one) <= FREQUENT:
                return False
            frequent.add(one)
    return True


def count(connection: sqlite3.Connection, term: Term | Wanted, most: int = FREQUENT) -> int:
    """How many things have a term, or all that is wanted; one more than `most` where there are more."""
    some = f"SELECT 1 FROM texts WHERE texts MATCH ? LIMIT {most + 1}"  # noqa: S608
    (number,) = connection.execute(f"SELECT count(*) FROM ({some})", (str(term),)).fetchone()  # noqa: S608
    return int(number)


def misspelt(connection: sqlite3.Connection, terms: Iterable[Term]) -> list[str]:
    """The words of the terms that nothing has."""
    return [
        word
        for term in terms
        for word in (term.words[:-1] if term.begins else term.words)
        if not count(connection, Term((word,)), 0)
    ]


def nearest(connection: sqlite3.Connection, word: str) -> str | None:
    """The word of the index that is nearest to a misspelt one, the most frequent of those, if any is near.

    A letter may be missing, too many, another, or changed places with its neighbor; in a long word, two.
    """
    slips = 1 if len(word) < 6 else 2
    candidates = connection.execute(
        "SELECT word FROM words WHERE length BETWEEN ? AND ? LIMIT ?",
        (len(word) - slips, len(word) + slips, CANDIDATES),
    )
    near = process.extract(
        word, [one for (one,) in candidates], scorer=OSA.distance, score_cutoff=slips, limit=20
    )
    ranked = ((slip, -count(connection, Term((one,))), one) for one, slip, _ in near)
    # A word that is in nothing any more may still be on the list.
    return min((one for one in ranked if one[1]), default=(0, 0, None))[2]


def with_words(term: Term, instead: dict[str, str]) -> Term:
    """The term with other words for those that were misspelt."""
    return replace(term, words=tuple(instead.get(one, one) for one in term.words))
