"""The file of the log of versions: a database of SQLite, which is written in transactions."""

import hashlib
import sqlite3
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import zstandard

from ..opening import StoreError
from ..records.history import STAMP

DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

SCHEMA = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pages (
    page INTEGER PRIMARY KEY, first TEXT NOT NULL, last TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS members (
    number INTEGER PRIMARY KEY, iri TEXT NOT NULL, at TEXT NOT NULL, what TEXT NOT NULL, state TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS things (
    iri TEXT PRIMARY KEY, kind TEXT NOT NULL, number INTEGER NOT NULL, at TEXT NOT NULL,
    known INTEGER NOT NULL, what TEXT NOT NULL, digest BLOB NOT NULL, look INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS found (
    iri TEXT PRIMARY KEY, at TEXT NOT NULL, known INTEGER NOT NULL, state BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS later (iri TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_kind ON things (kind, number, what);
"""


class UnusableError(StoreError):
    """The log cannot be gone on with: it is damaged, or of another form or base."""


class File:
    """The file of a log. Methods may be called on any thread, and raise StoreError.

    What is written in a transaction for which `lasts` is set outlasts a power cut, once it is over.
    """

    def __init__(self, path: Path | None, base: str) -> None:
        """Open the file at a path, or make it; None: one that goes with the process. Raises UnusableError."""
        self.path, self.base = path, base
        self.lock = threading.RLock()
        self.lasts = self.is_unusable = False
        form = f"{hashlib.sha256(SCHEMA.encode()).hexdigest()} {base}"
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
        with self.spoken():
            # Statements are few, and all are made under the lock.
            self.sql = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
            weakref.finalize(self, self.sql.close)
            self.sql.execute("PRAGMA journal_mode = WAL")
            self.sql.execute("PRAGMA synchronous = NORMAL")
            self.sql.executescript(SCHEMA)
        if not self.about("name"):
            with self.transaction():
                self.note("name", datetime.now(UTC).strftime(STAMP))
                self.note("form", form)
        if self.about("form") != form:
            raise UnusableError("The log of changes is of another version of wgig, or of another base.")
        self.name = self.about("name")

    @contextmanager
    def spoken(self) -> Iterator[None]:
        """Around work on the file: what SQLite says becomes a StoreError, of damage an UnusableError."""
        try:
            yield
        except (sqlite3.Error, zstandard.ZstdError) as error:
            packed = isinstance(error, zstandard.ZstdError)
            self.is_unusable |= packed or getattr(error, "sqlite_errorcode", 0) & 0xFF in DAMAGED
            kind = UnusableError if self.is_unusable else StoreError
            raise kind(f"The log of changes in the folder of the store does not work: {error}.") from error

    def check(self) -> None:
        """Raises UnusableError where it was found to be so."""
        if self.is_unusable:
            raise UnusableError("The log of changes in the folder of the store is damaged.")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Around what is written as a whole or not at all, while nobody else reads or writes."""
        with self.lock, self.spoken():
            self.sql.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.sql.execute("COMMIT")
            finally:
                if self.sql.in_transaction:  # which some failures end by themselves
                    self.sql.execute("ROLLBACK")
            if self.lasts:
                self.lasts = False
                self.sql.execute("PRAGMA wal_checkpoint")

    def rows(self, select: str, *values: object) -> list[Any]:
        """The rows of a SELECT, whose marks stand for the values."""
        with self.lock, self.spoken():
            return self.sql.execute(select, values).fetchall()

    def about(self, name: str) -> str:
        """What is noted of the log under a name."""
        found = self.rows("SELECT value FROM about WHERE name = ?", name)
        return found[0][0] if found else ""

    def note(self, name: str, value: str) -> None:
        """Note something of the log, in a transaction."""
        self.sql.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", (name, value))
