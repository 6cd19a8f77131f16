"""The full-text index as an SQLite FTS5 database: its tables, updates, and the build from all quads.

A resource has a row for each language, with the same number in several tables. Its passages are the names and
texts of the resource and its parts; the passages in one language are an entry. `things` and `entries` have
the data for display and ranking. The FTS5 tables `names` and `texts` have the words from `tokenizer`, so that
the ASCII tokenizer of SQLite suffices, and in a column of their own the stems that differ from the words.
`words` has the words that may replace misspelled ones, and `about` the properties of the index. Results of
equal rank are ordered by row number.

To build the index with little memory, all passages are inserted into a staging table, and from there, sorted,
into the index.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from ..files import make_private_file
from ..rdf.namespaces import kind_of_iri
from ..store.sqlite import connect_sqlite, remove_sqlite_file
from ..store.view import StoreView
from .entries import (
    PASSAGE_SEPARATOR,
    PROPERTY_POSITIONS,
    EntryKey,
    IndexEntry,
    Passage,
    iter_index_passages,
    kind_rank,
    list_text_stems,
    serialize_name_forms,
)

INDEX_SCHEMA_SQL = """
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE things (
    id INTEGER PRIMARY KEY, iri TEXT NOT NULL, language TEXT NOT NULL, kind TEXT NOT NULL,
    label TEXT NOT NULL, names TEXT NOT NULL, UNIQUE (iri, language)
);
CREATE TABLE entries (id INTEGER PRIMARY KEY, passages TEXT NOT NULL);
CREATE INDEX things_kind ON things (kind);
CREATE INDEX things_language ON things (language);
CREATE TABLE words (length INTEGER, word TEXT, PRIMARY KEY (length, word)) WITHOUT ROWID;
CREATE VIRTUAL TABLE names USING fts5 (words, stems, content = '', tokenize = 'ascii', prefix = '1 2 3');
CREATE VIRTUAL TABLE texts USING fts5 (words, stems, content = '', tokenize = 'ascii');
INSERT INTO texts (texts, rank) VALUES ('rank', 'bm25(1.0, 0.5)');  -- a stem weighs half as much as a word
"""
KIND_NUMBER_BITS = 40  # of a row number: they count the rows of a kind, and the bits above are its rank
# Increase the number when tables, properties, tokens or weights change: an index with another format is
# rebuilt. So it is with another version of the stemmers, as an entry is deleted by its words and stems.
INDEX_FORMAT = f"3, PyStemmer {version('PyStemmer')}"
MAX_WHOLE_NAME_WORDS = 12  # of a name that is also indexed as a whole
CORRECTION_WORD_LETTERS = range(3, 31)  # lengths of words that may replace misspelled words


class IndexRow(NamedTuple):
    """A row of `things`: a resource in a language, with its kind and its label in that language.

    `names` are the forms of all its names in that language (see `parse_name_forms`).
    """

    id: int
    iri: str
    language: str
    kind: str
    label: str
    names: str


def connect_index(path: Path, *, writes: bool = False) -> sqlite3.Connection:
    """A connection to an index file, for one thread at a time (see `connect_sqlite`)."""
    connection = connect_sqlite(path, writes=writes)
    connection.execute("PRAGMA mmap_size = 1073741824")  # bytes: 1 GiB
    return connection


def create_index_file(path: Path) -> sqlite3.Connection:
    """Create an empty index in place of an existing one; return a connection that is not crash-safe."""
    remove_sqlite_file(path)
    connection = connect_index(path)
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA cache_size = -65536")  # KiB: 64 MiB
    connection.executescript(INDEX_SCHEMA_SQL)
    return connection


def read_index_property(connection: sqlite3.Connection, name: str) -> str:
    """A property of the index by name; empty if it is not set."""
    row = connection.execute("SELECT value FROM about WHERE name = ?", (name,)).fetchone()
    return row[0] if row else ""


def write_index_properties(connection: sqlite3.Connection, **properties: str) -> None:
    """Set properties of the index."""
    connection.executemany("INSERT OR REPLACE INTO about VALUES (?, ?)", properties.items())


def read_index_entry(connection: sqlite3.Connection, key: EntryKey) -> tuple[IndexRow | None, IndexEntry]:
    """The row and entry for a key; None and an empty entry if it is not indexed."""
    sql = "SELECT * FROM things NATURAL JOIN entries WHERE iri = ? AND language = ?"
    *row, passages = connection.execute(sql, key).fetchone() or (None,)
    return (IndexRow(*row), IndexEntry.parse(passages)) if passages else (None, IndexEntry())


def read_index_entries(connection: sqlite3.Connection, rows: Iterable[IndexRow]) -> dict[int, IndexEntry]:
    """The entries of rows, by row number, without rows that no longer exist."""
    sql = "SELECT passages FROM entries WHERE id = ?"
    results = ((row.id, connection.execute(sql, (row.id,)).fetchone()) for row in rows)
    return {number: IndexEntry.parse(result[0]) for number, result in results if result}


def find_rows_by_iri(connection: sqlite3.Connection, iris: Iterable[str]) -> list[IndexRow]:
    """One row for each resource, preferably in a language in which it has a label."""
    sql = "SELECT * FROM things WHERE iri = ? ORDER BY label = '', id LIMIT 1"
    results = (connection.execute(sql, (iri,)).fetchone() for iri in iris)
    return [IndexRow(*result) for result in results if result]


def list_distinct_values(connection: sqlite3.Connection, column: str) -> list[str]:
    """The distinct values of a column of `things`, sorted; read from the SQL index without a scan."""
    values: list[str] = []
    next_sql = f"SELECT min({column}) FROM things WHERE {column} > ?"  # noqa: S608
    (value,) = connection.execute(f"SELECT min({column}) FROM things").fetchone()  # noqa: S608
    while value is not None:
        values.append(value)
        (value,) = connection.execute(next_sql, (value,)).fetchone()
    return values


def list_iris_of_kind(connection: sqlite3.Connection, kind: str, limit: int) -> list[str]:
    """The IRIs of up to `limit` resources of a kind."""
    sql = "SELECT DISTINCT iri FROM things WHERE kind = ? LIMIT ?"
    return [iri for (iri,) in connection.execute(sql, (kind, limit))]


def update_index_entry(connection: sqlite3.Connection, key: EntryKey, entry: IndexEntry, base: str) -> None:
    """Replace the entry for a key; delete it if the new entry has no passages."""
    kind = kind_of_iri(key.iri, base)
    old_row, old_entry = read_index_entry(connection, key)
    if old_row:
        for table in ("things", "entries"):
            connection.execute(f"DELETE FROM {table} WHERE id = ?", (old_row.id,))  # noqa: S608
        delete_index_words(connection, old_row, old_entry)
    if entry.passages:
        number = old_row.id if old_row else next_row_number(connection, kind)
        insert_index_row(connection, build_index_row(number, key, kind, entry), entry)
        insert_correction_words(connection, entry.passage_words.split())


def build_index_row(number: int, key: EntryKey, kind: str, entry: IndexEntry) -> IndexRow:
    """The row for an entry."""
    return IndexRow(number, *key, kind, entry.label, serialize_name_forms(entry.names, key.language))


def insert_index_row(connection: sqlite3.Connection, row: IndexRow, entry: IndexEntry) -> None:
    """Insert a row and its entry, which must be new, without its correction words."""
    connection.execute("INSERT INTO things VALUES (?, ?, ?, ?, ?, ?)", row)
    connection.execute("INSERT INTO entries VALUES (?, ?)", (row.id, str(entry)))
    for table, *columns in iter_searchable_words(row, entry):
        connection.execute(
            f"INSERT INTO {table} (rowid, words, stems) VALUES (?, ?, ?)",  # noqa: S608
            (row.id, *columns),
        )


def insert_correction_words(connection: sqlite3.Connection, words: Iterable[str]) -> None:
    """Insert those of the words that may replace misspelled words; they have only letters."""
    rows = ((word,) for word in set(words) if word.isalpha() and len(word) in CORRECTION_WORD_LETTERS)
    connection.executemany("INSERT OR IGNORE INTO words VALUES (length(?1), ?1)", rows)


def delete_index_words(connection: sqlite3.Connection, row: IndexRow, entry: IndexEntry) -> None:
    """Delete the words of a row from the FTS5 tables."""
    for table, *columns in iter_searchable_words(row, entry):
        connection.execute(
            f"INSERT INTO {table} ({table}, rowid, words, stems) VALUES ('delete', ?, ?, ?)",  # noqa: S608
            (row.id, *columns),
        )


def iter_searchable_words(row: IndexRow, entry: IndexEntry) -> Iterator[tuple[str, str, str]]:
    """For each FTS5 table, the filter tokens and words of a row, and its stems."""
    filter_tokens = [filter_token("k", row.kind), *language_filter_tokens(row.language)]
    if entry.names:
        forms = (line.partition("\t")[0].split(" ") for line in row.names.splitlines())
        name_tokens = [whole_name_token(words) for words in forms if len(words) <= MAX_WHOLE_NAME_WORDS]
        words = " ".join([*filter_tokens, *name_tokens, PASSAGE_SEPARATOR, entry.name_words])
        yield "names", words, " ".join(list_text_stems(entry.names, row.language))
    words = " ".join([*filter_tokens, PASSAGE_SEPARATOR, entry.passage_words])
    yield "texts", words, " ".join(list_text_stems(entry.texts, row.language))


def whole_name_token(words: Iterable[str]) -> str:
    """A token for a name with exactly these folded words. Because of the section signs, no text has it."""
    return PASSAGE_SEPARATOR.join(["", "n", *words])


def filter_token(prefix: str, value: str) -> str:
    """A token for a kind (prefix "k") or language ("l"). Because of the section sign, no text has it."""
    return f"{PASSAGE_SEPARATOR}{prefix}{value.replace('-', '').lower()}"


def language_filter_tokens(language: str) -> list[str]:
    """The filter tokens of a language tag and its prefixes: for `zh-Hant`, of `zh` and of `zh-Hant`."""
    parts = language.split("-")
    return [filter_token("l", "-".join(parts[: count + 1])) for count in range(len(parts))]


def next_row_number(connection: sqlite3.Connection, kind: str) -> int:
    """The number for a new row of a kind."""
    first = first_row_number(kind)
    sql = "SELECT max(id) FROM things WHERE id BETWEEN ? AND ?"
    (last_number,) = connection.execute(sql, (first, first + (1 << KIND_NUMBER_BITS) - 1)).fetchone()
    return first if last_number is None else last_number + 1


def first_row_number(kind: str) -> int:
    """The number of the first row of a kind."""
    return (kind_rank(kind) + 1) << KIND_NUMBER_BITS


def next_kind_row_number(number: int) -> int:
    """The first number after those of the kind of a row."""
    return ((number >> KIND_NUMBER_BITS) + 1) << KIND_NUMBER_BITS


PROGRESS_STEP_ITEMS = 1000  # passages or resources between two progress reports
STAGING_TABLE_SQL = """CREATE TABLE staging.passages (
    rank INTEGER, iri TEXT, language TEXT, property_position INTEGER, part TEXT, text TEXT
)"""
STAGING_INSERT_SQL = "INSERT INTO staging.passages VALUES (?, ?, ?, ?, ?, ?)"
STAGED_PASSAGES_SQL = (
    "SELECT iri, language, property_position, part, text FROM staging.passages ORDER BY rank, iri, language"
)

# Called with the number of passages in the staging table, and the number of passages in the index.
ReportProgress = Callable[[int, int], None]


def fill_index(path: Path, view: StoreView, base: str, report_progress: ReportProgress) -> None:
    """Build the index file from a view of the store, in place of an existing file.

    The index may or may not contain data that is written meanwhile. Raises sqlite3.Error and OSError.
    """
    staging_file = path.with_name(path.name + "-aside")
    staging_file.unlink(missing_ok=True)
    connection = create_index_file(path)
    make_private_file(staging_file)
    try:
        connection.execute("ATTACH ? AS staging", (str(staging_file),))
        connection.execute("PRAGMA staging.journal_mode = OFF")
        connection.execute(STAGING_TABLE_SQL)
        connection.execute("BEGIN")
        passages = iter_ranked_passages(view, base, lambda count: report_progress(count, 0))
        total = connection.executemany(STAGING_INSERT_SQL, passages).rowcount
        report_progress(total, 0)
        insert_staged_passages(connection, base, lambda count: report_progress(total, count))
        connection.execute("COMMIT")
        for table in ("names", "texts"):
            connection.execute(f"INSERT INTO {table} ({table}) VALUES ('optimize')")  # noqa: S608
    finally:
        connection.close()
        staging_file.unlink(missing_ok=True)


def iter_ranked_passages(
    view: StoreView, base: str, report_count: Callable[[int], None]
) -> Iterator[tuple[int | str, ...]]:
    """The values of all passages for the staging table, with the rank of the kind first."""
    quads = chain.from_iterable(view.match(None, node) for node in PROPERTY_POSITIONS)
    for number, (key, passage) in enumerate(iter_index_passages(quads, base)):
        yield (kind_rank(kind_of_iri(key.iri, base)), *key, *passage)
        if number % PROGRESS_STEP_ITEMS == 0:
            report_count(number)


def insert_staged_passages(
    connection: sqlite3.Connection, base: str, report_count: Callable[[int], None]
) -> None:
    """Insert a row and entry for each resource and language in the staging table."""
    counts, inserted_count, words = Counter[int](), 0, set[str]()
    rows = connection.execute(STAGED_PASSAGES_SQL)
    for number, ((iri, language), group) in enumerate(groupby(rows, itemgetter(0, 1))):
        passages = [Passage(*row[2:]) for row in group]
        entry, kind = IndexEntry.from_passages(passages), kind_of_iri(iri, base)
        first = first_row_number(kind)
        row_number = first + counts[first]
        insert_index_row(connection, build_index_row(row_number, EntryKey(iri, language), kind, entry), entry)
        words.update(entry.passage_words.split())
        counts[first] += 1
        inserted_count += len(passages)
        if number % PROGRESS_STEP_ITEMS == 0:
            report_count(inserted_count)
    insert_correction_words(connection, words)
