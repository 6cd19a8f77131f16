"""The change log: versions of resources (created, updated, deleted) in order, in pages of 250.

It is an SQLite database in the `aside` folder of the store. A full page is closed: its members are stored
serialized and compressed, and never change. A log that is damaged, or has another format or base IRI, is
replaced.

A member is a version of a resource, in N-Quads; its IRI is that of its page with a fragment. Its statements
in the default graph are the resource, the time, and the activity (created, updated or deleted), in terms of
Activity Streams. No resource of the store uses these terms, so they cannot be confused with statements of the
resource. The statements of the resource follow, in the graphs where they are in the store, with the member as
their subject.

A commit adds its versions directly; a scan compares all resources of the store with the log (see `rescan`). A
version is postponed if only the IRI of its resource is stored until a client reads the event stream or a
feed.
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

# Tables: `about` has the settings, `members` the members of the open page, `things` the last change of each
# resource, `found` the states that the current scan found, `later` the resources with postponed versions.
# Columns: `what` is an activity; `known`, whether the time `at` is that of the change; `look`, the number of
# the scan that last found the resource.
# Settings: `name` is the time when the log began; `form`, its format and base IRI; `mark`, the clean mark of
# the last commit in it; `last` and `newest`, the number and time of the last member; `look`, the number of
# the last scan. All names are part of the file format.
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
        # The time when the log began; it identifies the log in the IRIs of its pages.
        self.log_id = self.read_setting("name")

    @contextmanager
    def translate_errors(self) -> Iterator[None]:
        """Turn errors of SQLite into StoreError, or UnusableLogError if the file is damaged."""
        try:
            yield
        except (sqlite3.Error, zstandard.ZstdError) as error:
            is_compression_error = isinstance(error, zstandard.ZstdError)
            self.is_unusable |= is_compression_error or is_sqlite_damage(error)
            error_class = UnusableLogError if self.is_unusable else StoreError
            raise error_class(f"The change log in the store folder failed: {error}.") from error

    def check_usable(self) -> None:
        """Raise UnusableLogError if an earlier error showed that the file is damaged."""
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
                if self.connection.in_transaction:  # some errors of SQLite roll back
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
    # After a power cut, other members may get numbers that clients have seen already; the digest makes their
    # IRIs different.
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
    """A state of a resource. `n_quads` are its quads without the subject, empty if it does not exist.

    If the time is not known, `changed_at` is the time of the scan that found the change.
    """

    iri: str
    changed_at: str
    is_time_known: bool
    n_quads: str


class OvertakenScanError(Exception):
    """Another scan has begun, so this one must end."""


class ChangeLog(LogFile):
    """The versions of resources, written in order and read in pages."""

    # Writing.

    def add(self, states: Iterable[ResourceState], store_mark: str, postponed: Iterable[str] = ()) -> None:
        """Add states of resources, in this order; `store_mark` identifies the state of the store.

        The versions of `postponed` resources are added before a client next reads the event stream or a feed.
        """
        with self.transaction():
            self.write_states(states)
            self.connection.executemany(
                "INSERT OR IGNORE INTO later VALUES (?)", ((iri,) for iri in postponed)
            )
            self.write_setting("mark", store_mark)

    def has_resource(self, iri: str) -> bool:
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

        `scan_number` is the number of the scan that found the states, 0 for the states of a commit.
        """
        number, newest = self.last_number, self.read_setting("newest")
        for state in states:
            digest = hash_resource_state(state.n_quads)
            row = self.connection.execute(
                "SELECT what, digest FROM things WHERE iri = ?", (state.iri,)
            ).fetchone()
            exists = row is not None and row[0] != ACTIVITY_DELETE
            if not (exists or state.n_quads) or (exists and row[1] == digest):
                continue
            activity = (
                ACTIVITY_DELETE if not state.n_quads else ACTIVITY_UPDATE if exists else ACTIVITY_CREATE
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
            if (
                number % MEMBERS_PER_PAGE == 1 and number > 1
            ):  # the first member of a page closes the last one
                self.close_page(number // MEMBERS_PER_PAGE)
        self.write_setting("last", str(number))
        self.write_setting("newest", newest)

    def close_page(self, page: int) -> None:
        """Close a full page: serialize and compress its members. Call it in a transaction."""
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
            self.connection.execute("DELETE FROM found")  # from an interrupted scan
        return number

    def add_scanned(self, number: int, states: Iterable[ResourceState]) -> None:
        """Store states that a scan found; they become versions when the scan ends.

        Raises OvertakenScanError.
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
        """Whether a scan has found this resource already."""
        select = "SELECT 1 FROM things WHERE iri = ? AND look = ? UNION SELECT 1 FROM found WHERE iri = ?"
        return bool(self.select_rows(select, iri, number, iri))

    def end_scan(self, number: int, now: str) -> None:
        """Add versions for resources that are changed or missing according to the scan.

        Raises OvertakenScanError.
        """
        with self.transaction():
            self.check_scan(number)
            select_missing = """SELECT iri FROM things
                WHERE look < ? AND what <> ? AND iri NOT IN (SELECT iri FROM found) ORDER BY iri"""
            missing = self.select_rows(select_missing, number, ACTIVITY_DELETE)
            # Times in the log must not decrease, also if the clock was set back.
            newest = self.read_setting("newest")
            now = max(now, newest)
            self.connection.execute("UPDATE found SET at = ?, known = 0 WHERE at < ?", (now, newest))
            rows = self.connection.execute("SELECT * FROM found ORDER BY at, iri")
            self.write_states((unpack_resource_state(*row) for row in rows), number)
            self.write_states((ResourceState(iri, now, False, "") for (iri,) in missing), number)
            scanned_count = self.connection.execute("DELETE FROM found").rowcount
            self.connection.execute("DELETE FROM later")
        if scanned_count > MEMBERS_PER_PAGE:
            with self.lock, suppress(sqlite3.OperationalError):  # fails if the disk is full
                self.connection.execute("VACUUM")  # most of the file was the table of scanned states

    def check_scan(self, number: int) -> None:
        """Raise OvertakenScanError if another process has begun a later scan, such as after a restart."""
        if self.read_setting("look") != str(number):
            raise OvertakenScanError(f"a later scan than number {number} has begun")

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
        """The number of the last page, which is open until the next page begins."""
        return max(0, self.last_number - 1) // MEMBERS_PER_PAGE + 1

    def page_spans(self, first_page: int, last_page: int) -> list[tuple[int, str, str]]:
        """The number of each page in a range, with the times of its first and last member."""
        select = "SELECT page, first, last FROM pages WHERE page BETWEEN ? AND ? ORDER BY page"
        with self.lock:
            spans = self.select_rows(select, first_page, last_page)
            ((first_time, last_time),) = self.select_rows("SELECT MIN(at), MAX(at) FROM members")
            if first_time and first_page <= self.open_page_number <= last_page:
                spans.append((self.open_page_number, first_time, last_time))
            return spans

    def read_page(self, number: int) -> tuple[str, bool]:
        """The members of a page as N-Quads, and whether it is closed.

        For any number without a closed page, these are the members of the open page.
        """
        with self.lock:
            closed_rows = self.select_rows("SELECT body FROM pages WHERE page = ?", number)
            member_rows = self.select_rows("SELECT * FROM members ORDER BY number")
        if closed_rows:
            with self.translate_errors():
                return zstandard.decompress(closed_rows[0][0]).decode(), True
        return serialize_log_members(
            f"{self.base}changes", f"{self.log_id}/{number}", map(LogMember._make, member_rows)
        ), False


def unpack_resource_state(iri: str, changed_at: str, is_time_known: bool, compressed: bytes) -> ResourceState:
    """The state in a row of the table of scanned states."""
    return ResourceState(iri, changed_at, is_time_known, zstandard.decompress(compressed).decode())


def top_level_kind(iri: str, base: str) -> str:
    """The kind of a resource, such as `paper` for `id/paper/x` below the base; empty for any other path."""
    segments = iri.removeprefix(f"{base}id/").split("/")
    return segments[0] if iri.startswith(f"{base}id/") and len(segments) == 2 else ""


def hash_resource_state(n_quads: str) -> bytes:
    """The 16 byte BLAKE2b digest of the N-Quads of a state."""
    return hashlib.blake2b(n_quads.encode(), digest_size=16).digest()
