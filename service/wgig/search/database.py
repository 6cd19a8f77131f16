"""The full-text index as an SQLite FTS5 database, and its construction from all quads.

Tables `things` and `entries` hold what is shown, `names` and `texts` only words as the tokenizer gives them,
so that SQLite needs no knowledge of scripts. A resource has a row per language. Row numbers follow the order
of results that rank equal.

The index is built in little memory: passages go to a side table, are sorted, and are then inserted. A digest
of how the index is made lets another version of the package rebuild it.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from ..rdf.namespaces import kind_of
from ..store.view import View
from .entries import GAP, PLACES, Entry, Key, Passage, entries_of, rank_of

SCHEMA = """
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE things (
    id INTEGER PRIMARY KEY, iri TEXT NOT NULL, language TEXT NOT NULL, kind TEXT NOT NULL,
    label TEXT NOT NULL, UNIQUE (iri, language)
);
CREATE TABLE entries (id INTEGER PRIMARY KEY, passages TEXT NOT NULL);
CREATE INDEX things_kind ON things (kind);
CREATE INDEX things_language ON things (language);
CREATE TABLE words (length INTEGER, word TEXT, PRIMARY KEY (length, word)) WITHOUT ROWID;
CREATE VIRTUAL TABLE names USING fts5 (words, content = '', tokenize = 'ascii', prefix = '1 2 3');
CREATE VIRTUAL TABLE texts USING fts5 (words, content = '', tokenize = 'ascii');
"""
ROOM = 40  # bits for the things of a kind
INDEX_FORMAT = 1  # raise it when tables, tokens or weights change: an index of another format is built anew
SPELT = range(3, 31)  # letters of a word that a misspelt one may mean


class Row(NamedTuple):
    """A thing in a language: its number, its IRI, the language, its kind, and its label there."""

    id: int
    iri: str
    language: str
    kind: str
    label: str


def connect(path: Path) -> sqlite3.Connection:
    """A connection to the file, for one thread at a time. Raises sqlite3.Error."""
    found = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    found.execute("PRAGMA mmap_size = 1073741824")
    return found


def to_write(path: Path) -> sqlite3.Connection:
    """A connection that writes, beside those that read. A power cut may lose what it wrote last, no more."""
    found = connect(path)
    found.execute("PRAGMA journal_mode = WAL")
    found.execute("PRAGMA synchronous = NORMAL")
    return found


def made_anew(path: Path) -> sqlite3.Connection:
    """A connection to an empty index in place of what was there, to be filled in one go."""
    for one in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm", "-journal"))):
        one.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    found = connect(path)
    found.execute("PRAGMA journal_mode = OFF")
    found.execute("PRAGMA synchronous = OFF")
    found.execute("PRAGMA cache_size = -65536")
    found.executescript(SCHEMA)
    return found


def about(connection: sqlite3.Connection, name: str) -> str:
    """What the index says of itself under a name; empty where that is nothing."""
    row = connection.execute("SELECT value FROM about WHERE name = ?", (name,)).fetchone()
    return row[0] if row else ""


def note(connection: sqlite3.Connection, **said: str) -> None:
    """Have the index say this of itself."""
    connection.executemany("INSERT OR REPLACE INTO about VALUES (?, ?)", said.items())


def read(connection: sqlite3.Connection, key: Key) -> tuple[Row | None, Entry]:
    """A thing in a language, with what the index holds of it; None and nothing where it is not there."""
    found = "SELECT * FROM things NATURAL JOIN entries WHERE iri = ? AND language = ?"
    *row, passages = connection.execute(found, key).fetchone() or (None,)
    return (Row(*row), Entry.read(passages)) if passages else (None, Entry())


def entries(connection: sqlite3.Connection, rows: Iterable[Row]) -> dict[int, Entry]:
    """What the index holds of some things, by their numbers; those that are gone are left out."""
    found = "SELECT passages FROM entries WHERE id = ?"
    held = ((row.id, connection.execute(found, (row.id,)).fetchone()) for row in rows)
    return {number: Entry.read(one[0]) for number, one in held if one}


def rows_of(connection: sqlite3.Connection, iris: Iterable[str]) -> list[Row]:
    """The things of these IRIs, each in one language, in which it has a name where it has any."""
    first = "SELECT id, iri, language, kind, label FROM things WHERE iri = ? ORDER BY label = '', id LIMIT 1"
    found = (connection.execute(first, (iri,)).fetchone() for iri in iris)
    return [Row(*one) for one in found if one]


def distinct(connection: sqlite3.Connection, column: str) -> list[str]:
    """The values of a column of things, each once, sorted, without a look at each thing."""
    found: list[str] = []
    first = f"SELECT min({column}) FROM things WHERE {column} > ?"  # noqa: S608
    (value,) = connection.execute(f"SELECT min({column}) FROM things").fetchone()  # noqa: S608
    while value is not None:
        found.append(value)
        (value,) = connection.execute(first, (value,)).fetchone()
    return found


def of_kind(connection: sqlite3.Connection, kind: str, most: int) -> list[str]:
    """The IRIs of some things of a kind."""
    found = "SELECT DISTINCT iri FROM things WHERE kind = ? LIMIT ?"
    return [iri for (iri,) in connection.execute(found, (kind, most))]


def put(connection: sqlite3.Connection, key: Key, entry: Entry, base: str) -> None:
    """Make this the entry of a thing in a language, in place of what is there; without passages it goes."""
    kind = kind_of(key.iri, base)
    before, held = read(connection, key)
    if before:
        for table in ("things", "entries"):
            connection.execute(f"DELETE FROM {table} WHERE id = ?", (before.id,))  # noqa: S608
        take_out(connection, before, held)
    if entry.passages:
        number = before.id if before else next_number(connection, kind)
        insert(connection, Row(number, *key, kind, entry.label), entry)


def insert(connection: sqlite3.Connection, row: Row, entry: Entry) -> None:
    """Put in a thing that is not there."""
    connection.execute("INSERT INTO things VALUES (?, ?, ?, ?, ?)", row)
    connection.execute("INSERT INTO entries VALUES (?, ?)", (row.id, str(entry)))
    for table, text in searchable(row, entry):
        connection.execute(f"INSERT INTO {table} (rowid, words) VALUES (?, ?)", (row.id, text))  # noqa: S608
    connection.executemany("INSERT OR IGNORE INTO words VALUES (length(?1), ?1)", spelt(entry.written))


def take_out(connection: sqlite3.Connection, row: Row, entry: Entry) -> None:
    """Take a thing out of what is searched."""
    for table, text in searchable(row, entry):
        connection.execute(
            f"INSERT INTO {table} ({table}, rowid, words) VALUES ('delete', ?, ?)",  # noqa: S608
            (row.id, text),
        )


def searchable(row: Row, entry: Entry) -> Iterator[tuple[str, str]]:
    """The words of a thing by the table that they are searched in."""
    signs = [sign("k", row.kind), *language_signs(row.language)]
    if entry.names:
        yield "names", " ".join([*signs, GAP, entry.named])
    yield "texts", " ".join([*signs, GAP, entry.written])


def sign(what: str, value: str) -> str:
    """A kind or language as a word that no text has."""
    return f"{GAP}{what}{value.replace('-', '').lower()}"


def language_signs(language: str) -> list[str]:
    """The signs of a language and of those that it is a kind of."""
    parts = language.split("-")
    return [sign("l", "-".join(parts[: count + 1])) for count in range(len(parts))]


def spelt(text: str) -> Iterator[tuple[str]]:
    """The words of a text that a misspelt one may mean: those of letters."""
    return ((one,) for one in set(text.split()) if one.isalpha() and len(one) in SPELT)


def next_number(connection: sqlite3.Connection, kind: str) -> int:
    """The number of the next thing of a kind."""
    first = first_number(kind)
    last = "SELECT max(id) FROM things WHERE id BETWEEN ? AND ?"
    (found,) = connection.execute(last, (first, first + (1 << ROOM) - 1)).fetchone()
    return first if found is None else found + 1


def first_number(kind: str) -> int:
    """The number of the first thing of a kind."""
    return rank_of(kind) + 1 << ROOM


SAID = 1000  # passages or things after which it is told how far it is
ASIDE = """CREATE TABLE aside.passages (
    rank INTEGER, iri TEXT, language TEXT, place INTEGER, part TEXT, text TEXT
)"""
PUT_ASIDE = "INSERT INTO aside.passages VALUES (?, ?, ?, ?, ?, ?)"
IN_ORDER = "SELECT iri, language, place, part, text FROM aside.passages ORDER BY rank, iri, language"

# Told how many passages are found and how many of them are taken in.
Reached = Callable[[int, int], None]


def fill_index(path: Path, view: View, base: str, reached: Reached) -> None:
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
