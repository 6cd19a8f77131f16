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

from ..rdf.namespaces import kind_of_iri
from ..store.files import connect_sqlite, remove_sqlite_file
from ..store.view import StoreView
from .entries import (
    PASSAGE_SEPARATOR,
    PROPERTY_POSITIONS,
    EntryKey,
    IndexEntry,
    Passage,
    iter_index_passages,
    kind_rank,
)

INDEX_SCHEMA_SQL = """
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
KIND_NUMBER_BITS = 40  # bits for the things of a kind
INDEX_FORMAT = 1  # raise it when tables, tokens or weights change: an index of another format is built anew
SPELLABLE_WORD_LETTERS = range(3, 31)  # letters of a word that a misspelt one may mean


class IndexRow(NamedTuple):
    """A thing in a language: its number, its IRI, the language, its kind, and its label there."""

    id: int
    iri: str
    language: str
    kind: str
    label: str


def connect_index(path: Path, *, writes: bool = False) -> sqlite3.Connection:
    """A connection to the file, for one thread at a time, as `connect_sqlite`."""
    found = connect_sqlite(path, writes=writes)
    found.execute("PRAGMA mmap_size = 1073741824")
    return found


def create_index_file(path: Path) -> sqlite3.Connection:
    """A connection to an empty index in place of what was there, to be filled in one go."""
    remove_sqlite_file(path)
    found = connect_index(path)
    found.execute("PRAGMA journal_mode = OFF")
    found.execute("PRAGMA synchronous = OFF")
    found.execute("PRAGMA cache_size = -65536")
    found.executescript(INDEX_SCHEMA_SQL)
    return found


def read_index_property(connection: sqlite3.Connection, name: str) -> str:
    """What the index says of itself under a name; empty where that is nothing."""
    row = connection.execute("SELECT value FROM about WHERE name = ?", (name,)).fetchone()
    return row[0] if row else ""


def write_index_properties(connection: sqlite3.Connection, **said: str) -> None:
    """Have the index say this of itself."""
    connection.executemany("INSERT OR REPLACE INTO about VALUES (?, ?)", said.items())


def read_index_entry(connection: sqlite3.Connection, key: EntryKey) -> tuple[IndexRow | None, IndexEntry]:
    """A thing in a language, with what the index holds of it; None and nothing where it is not there."""
    found = "SELECT * FROM things NATURAL JOIN entries WHERE iri = ? AND language = ?"
    *row, passages = connection.execute(found, key).fetchone() or (None,)
    return (IndexRow(*row), IndexEntry.parse(passages)) if passages else (None, IndexEntry())


def read_index_entries(connection: sqlite3.Connection, rows: Iterable[IndexRow]) -> dict[int, IndexEntry]:
    """What the index holds of some things, by their numbers; those that are gone are left out."""
    found = "SELECT passages FROM entries WHERE id = ?"
    held = ((row.id, connection.execute(found, (row.id,)).fetchone()) for row in rows)
    return {number: IndexEntry.parse(one[0]) for number, one in held if one}


def find_rows_by_iri(connection: sqlite3.Connection, iris: Iterable[str]) -> list[IndexRow]:
    """The things of these IRIs, each in one language, in which it has a name where it has any."""
    first = "SELECT id, iri, language, kind, label FROM things WHERE iri = ? ORDER BY label = '', id LIMIT 1"
    found = (connection.execute(first, (iri,)).fetchone() for iri in iris)
    return [IndexRow(*one) for one in found if one]


def list_distinct_values(connection: sqlite3.Connection, column: str) -> list[str]:
    """The values of a column of things, each once, sorted, without a look at each thing."""
    found: list[str] = []
    first = f"SELECT min({column}) FROM things WHERE {column} > ?"  # noqa: S608
    (value,) = connection.execute(f"SELECT min({column}) FROM things").fetchone()  # noqa: S608
    while value is not None:
        found.append(value)
        (value,) = connection.execute(first, (value,)).fetchone()
    return found


def list_iris_of_kind(connection: sqlite3.Connection, kind: str, most: int) -> list[str]:
    """The IRIs of some things of a kind."""
    found = "SELECT DISTINCT iri FROM things WHERE kind = ? LIMIT ?"
    return [iri for (iri,) in connection.execute(found, (kind, most))]


def update_index_entry(connection: sqlite3.Connection, key: EntryKey, entry: IndexEntry, base: str) -> None:
    """Make this the entry of a thing in a language, in place of what is there; without passages it goes."""
    kind = kind_of_iri(key.iri, base)
    before, held = read_index_entry(connection, key)
    if before:
        for table in ("things", "entries"):
            connection.execute(f"DELETE FROM {table} WHERE id = ?", (before.id,))  # noqa: S608
        delete_index_words(connection, before, held)
    if entry.passages:
        number = before.id if before else next_row_number(connection, kind)
        insert_index_row(connection, IndexRow(number, *key, kind, entry.label), entry)


def insert_index_row(connection: sqlite3.Connection, row: IndexRow, entry: IndexEntry) -> None:
    """Put in a thing that is not there."""
    connection.execute("INSERT INTO things VALUES (?, ?, ?, ?, ?)", row)
    connection.execute("INSERT INTO entries VALUES (?, ?)", (row.id, str(entry)))
    for table, text in iter_searchable_words(row, entry):
        connection.execute(f"INSERT INTO {table} (rowid, words) VALUES (?, ?)", (row.id, text))  # noqa: S608
    connection.executemany(
        "INSERT OR IGNORE INTO words VALUES (length(?1), ?1)", iter_spellable_words(entry.passage_words)
    )


def delete_index_words(connection: sqlite3.Connection, row: IndexRow, entry: IndexEntry) -> None:
    """Take a thing out of what is searched."""
    for table, text in iter_searchable_words(row, entry):
        connection.execute(
            f"INSERT INTO {table} ({table}, rowid, words) VALUES ('delete', ?, ?)",  # noqa: S608
            (row.id, text),
        )


def iter_searchable_words(row: IndexRow, entry: IndexEntry) -> Iterator[tuple[str, str]]:
    """The words of a thing by the table that they are searched in."""
    signs = [filter_token("k", row.kind), *language_filter_tokens(row.language)]
    if entry.names:
        yield "names", " ".join([*signs, PASSAGE_SEPARATOR, entry.name_words])
    yield "texts", " ".join([*signs, PASSAGE_SEPARATOR, entry.passage_words])


def filter_token(what: str, value: str) -> str:
    """A kind or language as a word that no text has."""
    return f"{PASSAGE_SEPARATOR}{what}{value.replace('-', '').lower()}"


def language_filter_tokens(language: str) -> list[str]:
    """The signs of a language and of those that it is a kind of."""
    parts = language.split("-")
    return [filter_token("l", "-".join(parts[: count + 1])) for count in range(len(parts))]


def iter_spellable_words(text: str) -> Iterator[tuple[str]]:
    """The words of a text that a misspelt one may mean: those of letters."""
    return ((one,) for one in set(text.split()) if one.isalpha() and len(one) in SPELLABLE_WORD_LETTERS)


def next_row_number(connection: sqlite3.Connection, kind: str) -> int:
    """The number of the next thing of a kind."""
    first = first_row_number(kind)
    last = "SELECT max(id) FROM things WHERE id BETWEEN ? AND ?"
    (found,) = connection.execute(last, (first, first + (1 << KIND_NUMBER_BITS) - 1)).fetchone()
    return first if found is None else found + 1


def first_row_number(kind: str) -> int:
    """The number of the first thing of a kind."""
    return kind_rank(kind) + 1 << KIND_NUMBER_BITS


PROGRESS_STEP_ITEMS = 1000  # passages or things after which it is told how far it is
STAGING_TABLE_SQL = """CREATE TABLE aside.passages (
    rank INTEGER, iri TEXT, language TEXT, place INTEGER, part TEXT, text TEXT
)"""
STAGING_INSERT_SQL = "INSERT INTO aside.passages VALUES (?, ?, ?, ?, ?, ?)"
STAGED_PASSAGES_SQL = (
    "SELECT iri, language, place, part, text FROM aside.passages ORDER BY rank, iri, language"
)

# Told how many passages are found and how many of them are taken in.
ReportProgress = Callable[[int, int], None]


def fill_index(path: Path, view: StoreView, base: str, reached: ReportProgress) -> None:
    """Make the index in the file anew, from what the store holds while it is read.

    What is written meanwhile may be in it or not. Raises sqlite3.Error and OSError.
    """
    aside = path.with_name(path.name + "-aside")
    aside.unlink(missing_ok=True)
    connection = create_index_file(path)
    try:
        connection.execute("ATTACH ? AS aside", (str(aside),))
        connection.execute("PRAGMA aside.journal_mode = OFF")
        connection.execute(STAGING_TABLE_SQL)
        connection.execute("BEGIN")
        found = iter_ranked_passages(view, base, lambda count: reached(count, 0))
        total = connection.executemany(STAGING_INSERT_SQL, found).rowcount
        reached(total, 0)
        insert_staged_passages(connection, base, lambda done: reached(total, done))
        connection.execute("COMMIT")
        for table in ("names", "texts"):
            connection.execute(f"INSERT INTO {table} ({table}) VALUES ('optimize')")  # noqa: S608
    finally:
        connection.close()
        aside.unlink(missing_ok=True)


def iter_ranked_passages(
    view: StoreView, base: str, reached: Callable[[int], None]
) -> Iterator[tuple[int | str, ...]]:
    """All passages of the store, each with the rank of its thing."""
    quads = chain.from_iterable(view.match(None, node) for node in PROPERTY_POSITIONS)
    for number, (key, passage) in enumerate(iter_index_passages(quads, base)):
        yield (kind_rank(kind_of_iri(key.iri, base)), *key, *passage)
        if number % PROGRESS_STEP_ITEMS == 0:
            reached(number)


def insert_staged_passages(connection: sqlite3.Connection, base: str, reached: Callable[[int], None]) -> None:
    """Put in all things from the passages that are put aside."""
    counts, done = Counter[int](), 0
    rows = connection.execute(STAGED_PASSAGES_SQL)
    for number, ((iri, language), group) in enumerate(groupby(rows, itemgetter(0, 1))):
        found = [Passage(*one[2:]) for one in group]
        entry, kind = IndexEntry.from_passages(found), kind_of_iri(iri, base)
        first = first_row_number(kind)
        place = first + counts[first]
        insert_index_row(connection, IndexRow(place, *EntryKey(iri, language), kind, entry.label), entry)
        counts[first] += 1
        done += len(found)
        if number % PROGRESS_STEP_ITEMS == 0:
            reached(done)
