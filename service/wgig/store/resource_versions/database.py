"""The database of the versions of resources (created, updated, deleted), in pages of 250.

It is an SQLite file in the `aside` folder of the store. A full page is closed: its members are stored
serialized and compressed, and never change. A file that is damaged, or has an unknown format or another base
IRI, is replaced. A file of an older version of wgig is continued (see `migration`), so that the URLs of its
pages stay valid.

The versions follow from the change log: replayed from the version of the store that the database has, the
same commits make the same members again. So the newest transactions may get lost in a power cut.
"""

import sqlite3
import threading
import weakref
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from ... import zstd
from ..errors import StoreError
from ..history import VERSION_TIME_FORMAT
from ..sqlite import connect_sqlite, is_sqlite_damage
from .members import ACTIVITY_CREATE, ACTIVITY_DELETE, ACTIVITY_UPDATE, ResourceVersion, serialize_members
from .states import ResourceState, StatePacker, StateReader

# Tables: `about` has the settings; `pages`, the closed pages; `versions`, those on the open page and the last
# one of each resource that exists; `resources`, each resource with its last version.
# Column `known`: whether the time `at` is that of the change.
# Settings: `name` is the time when the stream began; `form`, its format and base IRI; `log` and `position`,
# the change log and the version in it that the database includes; `last` and `newest`, the number and time of
# the last version; `look`, the number of the last scan. All names are part of the file format.
DATABASE_SCHEMA = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pages (
    page INTEGER PRIMARY KEY, first TEXT NOT NULL, last TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS versions (
    number INTEGER PRIMARY KEY, iri TEXT NOT NULL, at TEXT NOT NULL, activity TEXT NOT NULL,
    state BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS resources (
    iri TEXT PRIMARY KEY, kind TEXT NOT NULL, number INTEGER NOT NULL, at TEXT NOT NULL,
    known INTEGER NOT NULL, activity TEXT NOT NULL, digest BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS resources_by_kind ON resources (kind, number, activity);
"""
DATABASE_FORMAT = "2"
# The SHA-256 of the schema was the format of the databases that have the states with their derived quads.
FORMAT_WITH_DERIVED_QUADS = "114f270f92841d89a8bcf4cf53283716fd51cdd94c597df778ef0090d328da4f"
MEMBERS_PER_PAGE = 250


class UnusableVersionsError(StoreError):
    """The database cannot be continued: it is damaged, or has an unknown format or another base IRI."""


class LastState(NamedTuple):
    """The last version of a resource: its number, its activity and the digest of its state."""

    number: int
    activity: str
    digest: bytes


class VersionsFile:
    """The SQLite file. Methods may be called on any thread, and raise StoreError."""

    def __init__(self, path: Path | None, base: str) -> None:
        """Open or create the file at `path`; None: in memory. Raises UnusableVersionsError."""
        self.path, self.base = path, base
        self.lock = threading.RLock()
        self.is_unusable = False
        with self.translate_errors():
            # One connection for all threads, used under the lock.
            self.connection = connect_sqlite(path, writes=True)
            weakref.finalize(self, self.connection.close)
            self.connection.executescript(DATABASE_SCHEMA)
        if not self.read_setting("name"):
            with self.transaction():
                self.write_setting("name", datetime.now(UTC).strftime(VERSION_TIME_FORMAT))
                self.write_format()
        if not self.is_older_format and self.read_setting("form") != f"{DATABASE_FORMAT} {base}":
            raise UnusableVersionsError(
                "The versions of resources were written by another version of wgig, or with another base IRI."
            )
        # The time when the stream began; it identifies the stream in the URLs of its pages.
        self.stream_id = self.read_setting("name")

    @property
    def is_older_format(self) -> bool:
        """Whether an older version of wgig wrote the file, so that it must be migrated before it is used."""
        return self.read_setting("form") == f"{FORMAT_WITH_DERIVED_QUADS} {self.base}"

    @contextmanager
    def translate_errors(self) -> Iterator[None]:
        """Turn errors of the disk into StoreError, or UnusableVersionsError if the file is damaged."""
        try:
            yield
        except (sqlite3.Error, OSError, zstd.ZstdError) as error:
            is_compression_error = isinstance(error, zstd.ZstdError)
            self.is_unusable |= is_compression_error or is_sqlite_damage(error)
            error_class = UnusableVersionsError if self.is_unusable else StoreError
            raise error_class(f"The versions of resources in the store folder failed: {error}.") from error

    def check_usable(self) -> None:
        """Raise UnusableVersionsError if an earlier error showed that the file is damaged."""
        if self.is_unusable:
            raise UnusableVersionsError("The versions of resources in the store folder are damaged.")

    @contextmanager
    def transaction(self, *, must_sync: bool = False) -> Iterator[None]:
        """A transaction, which excludes all other threads; with `must_sync`, it is on disk at the end."""
        with self.lock, self.translate_errors():
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.connection.execute("COMMIT")
            finally:
                if self.connection.in_transaction:  # some errors of SQLite roll back
                    self.connection.execute("ROLLBACK")
            if must_sync:
                self.connection.execute("PRAGMA wal_checkpoint")

    def select_rows(self, select: str, *values: object) -> list[Any]:
        """The rows of a SELECT with the values for its placeholders."""
        with self.lock, self.translate_errors():
            return self.connection.execute(select, values).fetchall()

    def read_setting(self, name: str) -> str:
        """A setting; empty if it is not set."""
        rows = self.select_rows("SELECT value FROM about WHERE name = ?", name)
        return rows[0][0] if rows else ""

    def write_setting(self, name: str, value: str) -> None:
        """Set a setting; call it in a transaction."""
        self.connection.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", (name, value))

    def write_format(self) -> None:
        """Record that the file has the current format; call it in a transaction."""
        self.write_setting("form", f"{DATABASE_FORMAT} {self.base}")


class ResourceVersions(VersionsFile):
    """The versions of resources, written in order and read in pages."""

    def __init__(self, path: Path | None, base: str) -> None:
        """Open or create the file at `path`; None: in memory. Raises UnusableVersionsError."""
        super().__init__(path, base)
        self.states, self.packer = StateReader(base), StatePacker()

    # Writing.

    def add_change(
        self, changed_at: str, removed: Mapping[str, Iterable[str]], added: Mapping[str, Iterable[str]]
    ) -> None:
        """Add versions of the resources whose states a commit changes, in a transaction.

        `removed` and `added` are lines of states by the IRI of the resource. Times must not decrease.
        """
        states = list[ResourceState]()
        for iri in sorted(removed.keys() | added.keys()):
            lines = self.read_state(iri).difference(removed.get(iri, ())).union(added.get(iri, ()))
            states.append(ResourceState(iri, changed_at, True, *self.packer.pack(lines)))
        self.write_states(states)

    def read_state(self, iri: str) -> set[str]:
        """The lines of the state of a resource, empty if it does not exist; call it in a transaction."""
        select = "SELECT state FROM resources JOIN versions USING (number) WHERE resources.iri = ?"
        rows = self.select_rows(select, iri)
        return self.states.split_lines(self.packer.unpack(rows[0][0])) if rows else set()

    def write_states(self, states: Iterable[ResourceState]) -> None:
        """Add states of resources, in this order, in a transaction.

        An unchanged resource gets no new version.
        """
        number, newest = self.last_number, self.read_setting("newest")
        for state in states:
            last = self.find_last_state(state.iri)
            exists = last is not None and last.activity != ACTIVITY_DELETE
            if not (exists or state.content) or (last and exists and last.digest == state.digest):
                continue
            number += 1
            newest = state.changed_at
            self.insert_version(number, state, exists=exists)
            if last and last.number < self.first_open_number(number - 1):  # else when the page is closed
                self.connection.execute("DELETE FROM versions WHERE number = ?", (last.number,))
            if (
                number % MEMBERS_PER_PAGE == 1 and number > 1
            ):  # the first member of a page closes the last one
                self.close_page(number // MEMBERS_PER_PAGE)
        self.write_setting("last", str(number))
        self.write_setting("newest", newest)

    def find_last_state(self, iri: str) -> LastState | None:
        """The last version of a resource; None if it never existed."""
        select = "SELECT number, activity, digest FROM resources WHERE iri = ?"
        row = self.connection.execute(select, (iri,)).fetchone()
        return LastState._make(row) if row else None

    def insert_version(self, number: int, state: ResourceState, *, exists: bool) -> None:
        """Add the next version; `exists` is whether the resource existed before."""
        activity = ACTIVITY_DELETE if not state.content else ACTIVITY_UPDATE if exists else ACTIVITY_CREATE
        self.connection.execute(
            "INSERT INTO versions VALUES (?, ?, ?, ?, ?)",
            (number, state.iri, state.changed_at, activity, state.content),
        )
        self.connection.execute(
            "INSERT OR REPLACE INTO resources VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                state.iri,
                top_level_kind(state.iri, self.base),
                number,
                state.changed_at,
                state.is_time_known,
                activity,
                state.digest,
            ),
        )

    def close_page(self, page: int) -> None:
        """Close a full page: serialize and compress its members. Call it in a transaction."""
        last_number = page * MEMBERS_PER_PAGE
        first_number = last_number - MEMBERS_PER_PAGE + 1
        members = self.select_versions(first_number, last_number)
        body = zstd.compress(
            serialize_members(f"{self.base}changes", f"{self.stream_id}/{page}", members).encode()
        )
        self.connection.execute(
            "INSERT INTO pages VALUES (?, ?, ?, ?)",
            (page, members[0].changed_at, members[-1].changed_at, body),
        )
        self.connection.execute(
            """DELETE FROM versions WHERE number BETWEEN ? AND ? AND (activity = ? OR NOT EXISTS (
            SELECT 1 FROM resources WHERE iri = versions.iri AND number = versions.number))""",
            (first_number, last_number, ACTIVITY_DELETE),
        )

    def begin_scan(self) -> int:
        """Begin a scan of the store. Returns its number."""
        with self.transaction():
            number = int(self.read_setting("look") or 0) + 1
            self.write_setting("look", str(number))
        return number

    def is_last_scan(self, number: int) -> bool:
        """Whether no other process has begun a later scan than this one, such as after a restart."""
        return self.read_setting("look") == str(number)

    def write_position(self, log_id: str, position: int) -> None:
        """Record the version of a change log that the database includes; call it in a transaction."""
        self.write_setting("log", log_id)
        self.write_setting("position", str(position))

    # Reading.

    def read_position(self, log_id: str) -> int | None:
        """The version of this change log that the database includes; None if that is not known."""
        position = self.read_setting("position")
        is_known = bool(position) and self.read_setting("log") == log_id and not self.is_older_format
        return int(position) if is_known else None

    @property
    def start_time(self) -> str:
        """The time when the stream began (UTC, ISO 8601)."""
        time = datetime.strptime(self.stream_id, VERSION_TIME_FORMAT)
        return f"{time.isoformat(timespec='microseconds')}Z"

    @property
    def last_number(self) -> int:
        """The number of the last version, 0 if there is none."""
        return int(self.read_setting("last") or 0)

    @property
    def open_page_number(self) -> int:
        """The number of the last page, which is open until the next page begins."""
        return count_pages(self.last_number)

    def first_open_number(self, last_number: int) -> int:
        """The number of the first version on the open page, if this is the number of the last one."""
        return (count_pages(last_number) - 1) * MEMBERS_PER_PAGE + 1

    def page_spans(self, first_page: int, last_page: int) -> list[tuple[int, str, str]]:
        """The number of each page in a range, with the times of its first and last member."""
        select = "SELECT page, first, last FROM pages WHERE page BETWEEN ? AND ? ORDER BY page"
        with self.lock:
            spans = self.select_rows(select, first_page, last_page)
            last_number = self.last_number
            ((first_time, last_time),) = self.select_rows(
                "SELECT MIN(at), MAX(at) FROM versions WHERE number >= ?", self.first_open_number(last_number)
            )
            if first_time and first_page <= count_pages(last_number) <= last_page:
                spans.append((count_pages(last_number), first_time, last_time))
            return spans

    def read_page(self, number: int) -> tuple[str, bool]:
        """The members of a page as N-Quads, and whether it is closed.

        For any number without a closed page, these are the members of the open page.
        """
        with self.lock:
            closed_rows = self.select_rows("SELECT body FROM pages WHERE page = ?", number)
            members = [] if closed_rows else self.select_versions(self.first_open_number(self.last_number))
        if closed_rows:
            with self.translate_errors():
                return zstd.decompress(closed_rows[0][0]).decode(), True
        return serialize_members(f"{self.base}changes", f"{self.stream_id}/{number}", members), False

    def select_versions(self, first_number: int, last_number: int | None = None) -> list[ResourceVersion]:
        """The versions with these numbers, which must be on the open page; None: all later ones."""
        last_number = self.last_number if last_number is None else last_number
        select = "SELECT * FROM versions WHERE number BETWEEN ? AND ? ORDER BY number"
        rows = self.select_rows(select, first_number, last_number)
        packer = StatePacker()  # the other one may be in use by another thread
        with self.translate_errors():
            return [
                ResourceVersion(number, iri, changed_at, activity, packer.unpack(content))
                for number, iri, changed_at, activity, content in rows
            ]


def count_pages(last_number: int) -> int:
    """The number of pages up to this number of a version; at least 1."""
    return max(0, last_number - 1) // MEMBERS_PER_PAGE + 1


def top_level_kind(iri: str, base: str) -> str:
    """The kind of a resource, such as `paper` for `id/paper/x` below the base; empty for any other path."""
    segments = iri.removeprefix(f"{base}id/").split("/")
    return segments[0] if iri.startswith(f"{base}id/") and len(segments) == 2 else ""
