"""The index made anew from all quads, in little memory: passages are put aside, sorted, and taken in."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path

from ..view import View
from .entries import PLACES, Entry, Key, Passage, entries_of, kind_of, rank_of
from .file import Row, first_number, insert, made_anew

SAID = 1000  # passages or things after which it is told how far it is
ASIDE = """CREATE TABLE aside.passages (
    rank INTEGER, iri TEXT, language TEXT, place INTEGER, part TEXT, text TEXT
)"""
PUT_ASIDE = "INSERT INTO aside.passages VALUES (?, ?, ?, ?, ?, ?)"
IN_ORDER = "SELECT iri, language, place, part, text FROM aside.passages ORDER BY rank, iri, language"

# Told how many passages are found and how many of them are taken in.
Reached = Callable[[int, int], None]


def fill(path: Path, view: View, base: str, reached: Reached) -> None:
    """Make the index in the file anew, from what the store holds while it is read.

    What is written meanwhile may be in it or not. Raises sqlite3.Error and OSError.
    """
    aside = path.with_name(path.name + "-aside")
    aside.unlink(missing_ok=True)
    connection = made_anew(path)
    try:
        connection.execute("ATTACH ? AS aside", (str(aside),))
        connection.execute("PRAGMA aside.journal_mode = OFF")
        connection.execute(ASIDE)
        connection.execute("BEGIN")
        found = passages(view, base, lambda count: reached(count, 0))
        total = connection.executemany(PUT_ASIDE, found).rowcount
        reached(total, 0)
        take_in(connection, base, lambda done: reached(total, done))
        connection.execute("COMMIT")
        for table in ("names", "texts"):
            connection.execute(f"INSERT INTO {table} ({table}) VALUES ('optimize')")  # noqa: S608
    finally:
        connection.close()
        aside.unlink(missing_ok=True)


def passages(view: View, base: str, reached: Callable[[int], None]) -> Iterator[tuple[int | str, ...]]:
    """All passages of the store, each with the rank of its thing."""
    quads = chain.from_iterable(view.match(None, node) for node in PLACES)
    for number, (key, passage) in enumerate(entries_of(quads, base)):
        yield (rank_of(kind_of(key.iri, base)), *key, *passage)
        if number % SAID == 0:
            reached(number)


def take_in(connection: sqlite3.Connection, base: str, reached: Callable[[int], None]) -> None:
    """Put in all things from the passages that are put aside."""
    counts, done = Counter[int](), 0
    rows = connection.execute(IN_ORDER)
    for number, ((iri, language), group) in enumerate(groupby(rows, itemgetter(0, 1))):
        found = [Passage(*one[2:]) for one in group]
        entry, kind = Entry.of(found), kind_of(iri, base)
        first = first_number(kind)
        place = first + counts[first]
        insert(connection, Row(place, *Key(iri, language), kind, entry.label), entry)
        counts[first] += 1
        done += len(found)
        if number % SAID == 0:
            reached(done)
