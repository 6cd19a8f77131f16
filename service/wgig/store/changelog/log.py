"""The change log: versions of resources (created, updated, deleted) in order, in pages of 250.

It is an SQLite database in the `aside` folder of the store. A full page is closed: its members are stored
serialized and compressed, and never change. A damaged log, or one of another format or base IRI, is replaced.

A member is a version of a resource, in N-Quads; its IRI is that of its page with a fragment. Its statements
in the default graph give the resource, the time, and the activity (created, updated or deleted), in terms of
Activity Streams. No resource of the store uses these terms, so that they cannot be confused with statements
of the resource. Those follow, in their own graphs, with the member as their subject.
"""

import hashlib
import sqlite3
import threading
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import zstandard

from ...rdf.namespaces import RDF_TYPE_IRI, XSD_DATE_TIME
from ..errors import StoreError
from ..history import VERSION_TIME_FORMAT
from ..sqlite import connect_sqlite, is_sqlite_damage

CHANGE_LOG_SCHEMA = """
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


class UnusableLogError(StoreError):
    """The log cannot be continued: it is damaged, or has another format or base IRI."""


class LogFile:
    """The SQLite file of the log. Methods may be called on any thread, and raise StoreError.

    A transaction that sets `must_sync` is synced to disk before it returns.
    """

    def __init__(self, path: Path | None, base: str) -> None:
        """Open or create the file at `path`; None: in memory. Raises UnusableLogError."""
        self.path, self.base = path, base
        self.lock = threading.RLock()
        self.must_sync = self.is_unusable = False
        format_id = f"{hashlib.sha256(CHANGE_LOG_SCHEMA.encode()).hexdigest()} {base}"
        with self.translate_errors():
            # One connection for all threads, used under the lock.
            self.connection = connect_sqlite(path, writes=True)
            weakref.finalize(self, self.connection.close)
            self.connection.executescript(CHANGE_LOG_SCHEMA)
        if not self.read_setting("name"):
            with self.transaction():
                self.write_setting("name", datetime.now(UTC).strftime(VERSION_TIME_FORMAT))
                self.write_setting("form", format_id)
        if self.read_setting("form") != format_id:
            raise UnusableLogError(
                "The change log was written by another version of wgig, or with another base IRI."
            )
        # The start time, which identifies the log in the IRIs of its pages.
        self.log_id = self.read_setting("name")

    @contextmanager
    def translate_errors(self) -> Iterator[None]:
        """Turn errors of SQLite into a StoreError, those of damaged files into an UnusableLogError."""
        try:
            yield
        except (sqlite3.Error, zstandard.ZstdError) as error:
            is_compression_error = isinstance(error, zstandard.ZstdError)
            self.is_unusable |= is_compression_error or is_sqlite_damage(error)
            error_class = UnusableLogError if self.is_unusable else StoreError
            raise error_class(f"The change log in the store folder failed: {error}.") from error

    def check_usable(self) -> None:
        """Raise UnusableLogError if the file is known to be damaged."""
        if self.is_unusable:
            raise UnusableLogError("The change log in the store folder is damaged.")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A transaction, which excludes all other threads."""
        with self.lock, self.translate_errors():
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.connection.execute("COMMIT")
            finally:
                if self.connection.in_transaction:  # some errors of SQLite have rolled back already
                    self.connection.execute("ROLLBACK")
            if self.must_sync:
                self.must_sync = False
                self.connection.execute("PRAGMA wal_checkpoint")

    def select_rows(self, select: str, *values: object) -> list[Any]:
        """The rows of a SELECT with the values for its placeholders."""
        with self.lock, self.translate_errors():
            return self.connection.execute(select, values).fetchall()

    def read_setting(self, name: str) -> str:
        """A setting of the log; empty if it is not set."""
        rows = self.select_rows("SELECT value FROM about WHERE name = ?", name)
        return rows[0][0] if rows else ""

    def write_setting(self, name: str, value: str) -> None:
        """Set a setting of the log; call it in a transaction."""
        self.connection.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", (name, value))


TREE_NAMESPACE = "https://w3id.org/tree#"
ACTIVITY_STREAMS_NAMESPACE = "https://www.w3.org/ns/activitystreams#"
# The names of the classes in Activity Streams 2.0.
ACTIVITY_CREATE, ACTIVITY_UPDATE, ACTIVITY_DELETE = "Create", "Update", "Delete"


class LogMember(NamedTuple):
    """A version of a resource in the log; `activity` is one of the ACTIVITY constants.

    `n_quads` are the N-Quads lines of the resource, without their subject.
    """

    number: int
    iri: str
    changed_at: str
    activity: str
    n_quads: str


def serialize_log_members(log_iri: str, page: str, members: Iterable[LogMember]) -> str:
    """The members on a page of the log as N-Quads; `page` is the path of the page below `log_iri`."""
    return "".join(line for member in members for line in iter_member_lines(log_iri, page, member))


def iter_member_lines(log_iri: str, page: str, member: LogMember) -> Iterator[str]:
    """The N-Quads lines of a member."""
    timestamp = datetime.fromisoformat(member.changed_at).strftime(VERSION_TIME_FORMAT)
    # After a power cut, numbers that clients have already seen may be given to other members; the digest
    # keeps the IRIs of these distinct.
    iri_digest = hashlib.blake2b(member.iri.encode(), digest_size=4).hexdigest()
    member_iri = f"<{log_iri}/{page}#{timestamp}-{member.number}-{iri_digest}>"
    yield f"<{log_iri}> <{TREE_NAMESPACE}member> {member_iri} .\n"
    yield f"{member_iri} <{RDF_TYPE_IRI}> <{ACTIVITY_STREAMS_NAMESPACE}{member.activity}> .\n"
    yield f"{member_iri} <{ACTIVITY_STREAMS_NAMESPACE}object> <{member.iri}> .\n"
    time = f'"{member.changed_at}"^^<{XSD_DATE_TIME.value}>'
    yield f"{member_iri} <{ACTIVITY_STREAMS_NAMESPACE}published> {time} .\n"
    yield from (f"{member_iri} {line}\n" for line in filter(None, member.n_quads.split("\n")))


MEMBERS_PER_PAGE = 250


class ResourceState(NamedTuple):
    """A state of a resource; `n_quads` are its quads without subject, empty if it does not exist.

    If the time is not known, `changed_at` is the time of the scan that found the change.
    """

    iri: str
    changed_at: str
    is_time_known: bool
    n_quads: str


class OvertakenError(Exception):
    """A later scan has begun, so that this one must end."""


class ChangeLog(LogFile):
    """The versions of resources, written in order and read in pages."""

    # Writing.

    def add(self, states: Iterable[ResourceState], store_mark: str, postponed: Iterable[str] = ()) -> None:
        """Add states of resources, in this order; `store_mark` identifies the state of the store.

        The versions of `postponed` resources are added before the log is next read in full.
        """
        with self.transaction():
            self.write_states(states)
            self.connection.executemany(
                "INSERT OR IGNORE INTO later VALUES (?)", ((iri,) for iri in postponed)
            )
            self.write_setting("mark", store_mark)

    def has(self, iri: str) -> bool:
        """Whether the resource exists, according to the log."""
        return bool(
            self.select_rows("SELECT 1 FROM things WHERE iri = ? AND what <> ?", iri, ACTIVITY_DELETE)
        )

    def list_postponed(self) -> list[str]:
        """The IRIs of the resources whose versions are postponed."""
        return [iri for (iri,) in self.select_rows("SELECT iri FROM later ORDER BY iri")]

    def write_postponed_versions(self, states: Iterable[ResourceState]) -> None:
        """Add the versions that were postponed, and clear the list of them."""
        with self.transaction():
            self.write_states(states)
            self.connection.execute("DELETE FROM later")

    def write_states(self, states: Iterable[ResourceState], scan_number: int = 0) -> None:
        """Add states of resources, in a transaction; an unchanged resource gets no new version.

        `scan_number` is the scan that found the states. It is 0 outside a scan: a scan in progress then
        counts them as not found yet.
        """
        number, newest = self.last_number, self.read_setting("newest")
        for state in states:
            digest = hash_resource_state(state.n_quads)
            row = self.connection.execute(
                "SELECT what, digest FROM things WHERE iri = ?", (state.iri,)
            ).fetchone()
            is_there = row is not None and row[0] != ACTIVITY_DELETE
            if not (is_there or state.n_quads) or (is_there and row[1] == digest):
                continue
            activity = (
                ACTIVITY_DELETE if not state.n_quads else ACTIVITY_UPDATE if is_there else ACTIVITY_CREATE
            )
            number += 1
            self.connection.execute(
                "INSERT INTO members VALUES (?, ?, ?, ?, ?)",
                (number, state.iri, state.changed_at, activity, state.n_quads),
            )
            self.connection.execute(
                "INSERT OR REPLACE INTO things VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    state.iri,
                    top_level_kind(state.iri, self.base),
                    number,
                    state.changed_at,
                    state.is_time_known,
                    activity,
                    digest,
                    scan_number,
                ),
            )
            newest = state.changed_at
            if number % MEMBERS_PER_PAGE == 1 and number > 1:
                self.close_page(number // MEMBERS_PER_PAGE)
        self.write_setting("last", str(number))
        self.write_setting("newest", newest)

    def close_page(self, page: int) -> None:
        """Close a full page: serialize and compress its members; call it in a transaction."""
        last_number = page * MEMBERS_PER_PAGE
        rows = self.select_rows("SELECT * FROM members WHERE number <= ? ORDER BY number", last_number)
        members = [LogMember._make(row) for row in rows]
        body = zstandard.compress(
            serialize_log_members(f"{self.base}changes", f"{self.log_id}/{page}", members).encode()
        )
        self.connection.execute(
            "INSERT INTO pages VALUES (?, ?, ?, ?)",
            (page, members[0].changed_at, members[-1].changed_at, body),
        )
        self.connection.execute("DELETE FROM members WHERE number <= ?", (last_number,))
        self.must_sync = True  # clients may cache the page forever

    def begin_scan(self) -> int:
        """Begin a scan of the store. Returns its number."""
        with self.transaction():
            number = int(self.read_setting("look") or 0) + 1
            self.write_setting("look", str(number))
            self.connection.execute("DELETE FROM found")  # of an interrupted scan
        return number

    def add_scanned(self, number: int, states: Iterable[ResourceState]) -> None:
        """Store states that a scan found; they become versions when the scan ends.

        Raises OvertakenError.
        """
        with self.transaction():
            self.check_scan(number)
            for state in states:
                row = self.connection.execute(
                    "SELECT digest FROM things WHERE iri = ?", (state.iri,)
                ).fetchone()
                if row and row[0] == hash_resource_state(state.n_quads):
                    self.connection.execute("UPDATE things SET look = ? WHERE iri = ?", (number, state.iri))
                else:
                    compressed = zstandard.compress(state.n_quads.encode())
                    row = (state.iri, state.changed_at, state.is_time_known, compressed)
                    self.connection.execute("INSERT OR REPLACE INTO found VALUES (?, ?, ?, ?)", row)

    def is_scanned(self, number: int, iri: str) -> bool:
        """Whether a scan has this resource already."""
        select = "SELECT 1 FROM things WHERE iri = ? AND look = ? UNION SELECT 1 FROM found WHERE iri = ?"
        return bool(self.select_rows(select, iri, number, iri))

    def end_scan(self, number: int, now: str) -> None:
        """Add versions for resources that the scan found changed, or did not find.

        Raises OvertakenError.
        """
        with self.transaction():
            self.check_scan(number)
            select_missing = """SELECT iri FROM things
                WHERE look < ? AND what <> ? AND iri NOT IN (SELECT iri FROM found) ORDER BY iri"""
            missing = self.select_rows(select_missing, number, ACTIVITY_DELETE)
            # Times in the log must not decrease.
            self.connection.execute(
                "UPDATE found SET at = ?, known = 0 WHERE at < ?", (now, self.read_setting("newest"))
            )
            rows = self.connection.execute("SELECT * FROM found ORDER BY at, iri")
            self.write_states((unpack_resource_state(*row) for row in rows), number)
            self.write_states((ResourceState(iri, now, False, "") for (iri,) in missing), number)
            scanned_count = self.connection.execute("DELETE FROM found").rowcount
            self.connection.execute("DELETE FROM later")
        if scanned_count > MEMBERS_PER_PAGE:
            with self.lock, suppress(sqlite3.OperationalError):  # fails if the disk is full
                self.connection.execute("VACUUM")  # the table of scanned states was larger than what remains

    def check_scan(self, number: int) -> None:
        """Raise OvertakenError if a later scan has begun: the process of this one was replaced."""
        if self.read_setting("look") != str(number):
            raise OvertakenError(f"a later scan than number {number} has begun")

    # Reading.

    @property
    def start_time(self) -> str:
        """The time when the log began (UTC, ISO 8601)."""
        return f"{datetime.strptime(self.log_id, VERSION_TIME_FORMAT).isoformat(timespec='microseconds')}Z"

    @property
    def last_number(self) -> int:
        """The number of the last member, 0 in an empty log."""
        return int(self.read_setting("last") or 0)

    @property
    def open_page_number(self) -> int:
        """The number of the last page, which is open until the next one begins."""
        return max(0, self.last_number - 1) // MEMBERS_PER_PAGE + 1

    def page_spans(self, first: int, last: int) -> list[tuple[int, str, str]]:
        """The pages from `first` to `last`: number, and times of the first and last member of each."""
        select = "SELECT page, first, last FROM pages WHERE page BETWEEN ? AND ? ORDER BY page"
        with self.lock:
            spans = self.select_rows(select, first, last)
            ((first_time, last_time),) = self.select_rows("SELECT MIN(at), MAX(at) FROM members")
            if first_time and first <= self.open_page_number <= last:
                spans.append((self.open_page_number, first_time, last_time))
            return spans

    def read_page(self, number: int) -> tuple[str, bool]:
        """The members of a page as N-Quads, and whether it is closed.

        For a page that is not closed, these are the members of the open page, whatever its number.
        """
        with self.lock:
            closed = self.select_rows("SELECT body FROM pages WHERE page = ?", number)
            members = self.select_rows("SELECT * FROM members ORDER BY number")
        if closed:
            with self.translate_errors():
                return zstandard.decompress(closed[0][0]).decode(), True
        return serialize_log_members(
            f"{self.base}changes", f"{self.log_id}/{number}", map(LogMember._make, members)
        ), False


def unpack_resource_state(iri: str, changed_at: str, is_time_known: bool, compressed: bytes) -> ResourceState:
    """The state in a row of the table of scanned states."""
    return ResourceState(iri, changed_at, is_time_known, zstandard.decompress(compressed).decode())


def top_level_kind(iri: str, base: str) -> str:
    """The kind of a resource below the base, such as `paper`; empty for others, and for a longer path."""
    segments = iri.removeprefix(f"{base}id/").split("/")
    return segments[0] if iri.startswith(f"{base}id/") and len(segments) == 2 else ""


def hash_resource_state(state: str) -> bytes:
    """The 16 byte BLAKE2b digest of a state."""
    return hashlib.blake2b(state.encode(), digest_size=16).digest()
