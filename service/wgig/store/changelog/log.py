"""The change log: versions of resources (created, updated, deleted) in order, in pages of 250.

It is an SQLite database in the `aside` folder of the store, written in transactions. A full page is closed:
it is kept compressed together with the serialized members, and never changes. A damaged log, or one of
another format or base IRI, is rebuilt.

A member, a version of a resource in N-Quads, is named by the page that it is on. The default graph says of
which resource it is a version, since when, and whether that was created, updated or deleted, in terms of
Activity Streams, which no resource of the graph uses itself. Beside that are the statements of the resource,
in their own graphs.
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
from ..files import connect_sqlite, is_sqlite_damage
from ..history import VERSION_TIME_FORMAT

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
    """The log cannot be gone on with: it is damaged, or of another form or base."""


class LogFile:
    """The file of a log. Methods may be called on any thread, and raise StoreError.

    What is written in a transaction for which `must_sync` is set outlasts a power cut, once it is over.
    """

    def __init__(self, path: Path | None, base: str) -> None:
        """Open or make the file at a path; None: one that goes with the process. Raises UnusableLogError."""
        self.path, self.base = path, base
        self.lock = threading.RLock()
        self.must_sync = self.is_unusable = False
        form = f"{hashlib.sha256(CHANGE_LOG_SCHEMA.encode()).hexdigest()} {base}"
        with self.translate_errors():
            # Statements are few, and all are made under the lock.
            self.connection = connect_sqlite(path, writes=True)
            weakref.finalize(self, self.connection.close)
            self.connection.executescript(CHANGE_LOG_SCHEMA)
        if not self.read_property("name"):
            with self.transaction():
                self.write_property("name", datetime.now(UTC).strftime(VERSION_TIME_FORMAT))
                self.write_property("form", form)
        if self.read_property("form") != form:
            raise UnusableLogError("The log of changes is of another version of wgig, or of another base.")
        self.name = self.read_property("name")

    @contextmanager
    def translate_errors(self) -> Iterator[None]:
        """Around work on the file: what SQLite says becomes a StoreError, of damage an UnusableLogError."""
        try:
            yield
        except (sqlite3.Error, zstandard.ZstdError) as error:
            packed = isinstance(error, zstandard.ZstdError)
            self.is_unusable |= packed or is_sqlite_damage(error)
            kind = UnusableLogError if self.is_unusable else StoreError
            raise kind(f"The log of changes in the folder of the store does not work: {error}.") from error

    def check_usable(self) -> None:
        """Raises UnusableLogError where it was found to be so."""
        if self.is_unusable:
            raise UnusableLogError("The log of changes in the folder of the store is damaged.")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Around what is written as a whole or not at all, while nobody else reads or writes."""
        with self.lock, self.translate_errors():
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.connection.execute("COMMIT")
            finally:
                if self.connection.in_transaction:  # which some failures end by themselves
                    self.connection.execute("ROLLBACK")
            if self.must_sync:
                self.must_sync = False
                self.connection.execute("PRAGMA wal_checkpoint")

    def select_rows(self, select: str, *values: object) -> list[Any]:
        """The rows of a SELECT, whose marks stand for the values."""
        with self.lock, self.translate_errors():
            return self.connection.execute(select, values).fetchall()

    def read_property(self, name: str) -> str:
        """What is noted of the log under a name."""
        found = self.select_rows("SELECT value FROM about WHERE name = ?", name)
        return found[0][0] if found else ""

    def write_property(self, name: str, value: str) -> None:
        """Note something of the log, in a transaction."""
        self.connection.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", (name, value))


TREE_NAMESPACE = "https://w3id.org/tree#"
ACTIVITY_STREAMS_NAMESPACE = "https://www.w3.org/ns/activitystreams#"
# As Activity Streams calls them.
ACTIVITY_CREATE, ACTIVITY_UPDATE, ACTIVITY_DELETE = "Create", "Update", "Delete"


class LogMember(NamedTuple):
    """A version of a thing in the log, by its number; `activity` is what became of it then."""

    number: int
    iri: str
    changed_at: str
    activity: str
    n_quads: str


def serialize_log_members(stream: str, page: str, members: Iterable[LogMember]) -> str:
    """Members of a stream, which are on a page below it, as N-Quads."""
    return "".join(line for one in members for line in iter_member_lines(stream, page, one))


def iter_member_lines(stream: str, page: str, one: LogMember) -> Iterator[str]:
    """The lines of a member."""
    stamp = datetime.fromisoformat(one.changed_at).strftime(VERSION_TIME_FORMAT)
    # A power cut may take the last members, also from those who have them, and with them their numbers.
    thing = hashlib.blake2b(one.iri.encode(), digest_size=4).hexdigest()
    member = f"<{stream}/{page}#{stamp}-{one.number}-{thing}>"
    yield f"<{stream}> <{TREE_NAMESPACE}member> {member} .\n"
    yield f"{member} <{RDF_TYPE_IRI}> <{ACTIVITY_STREAMS_NAMESPACE}{one.activity}> .\n"
    yield f"{member} <{ACTIVITY_STREAMS_NAMESPACE}object> <{one.iri}> .\n"
    yield f'{member} <{ACTIVITY_STREAMS_NAMESPACE}published> "{one.changed_at}"^^<{XSD_DATE_TIME.value}> .\n'
    yield from (f"{member} {line}\n" for line in filter(None, one.n_quads.split("\n")))


LOG_PAGE_MEMBERS = 250  # members


class ResourceState(NamedTuple):
    """A state of a thing: since when it is so, whether that is known, and its quads; none: it is gone."""

    iri: str
    changed_at: str
    is_time_known: bool
    n_quads: str


class OvertakenError(Exception):
    """Another look at all things has begun, which finds what this one would."""


class ChangeLog(LogFile):
    """The versions of things."""

    # To write.

    def add(self, states: Iterable[ResourceState], mark: str, later: Iterable[str] = ()) -> None:
        """Add what became of things, in their order; the mark tells with which state of the store that is.

        The versions of those that come `later` are added when somebody asks.
        """
        with self.transaction():
            self.write_states(states)
            self.connection.executemany("INSERT OR IGNORE INTO later VALUES (?)", ((one,) for one in later))
            self.write_property("mark", mark)

    def has(self, iri: str) -> bool:
        """Whether a thing is there, by the log."""
        return bool(
            self.select_rows("SELECT 1 FROM things WHERE iri = ? AND what <> ?", iri, ACTIVITY_DELETE)
        )

    def list_postponed(self) -> list[str]:
        """The things whose versions are still to be added."""
        return [iri for (iri,) in self.select_rows("SELECT iri FROM later ORDER BY iri")]

    def add_postponed(self, states: Iterable[ResourceState]) -> None:
        """Add the versions that were to be added later."""
        with self.transaction():
            self.write_states(states)
            self.connection.execute("DELETE FROM later")

    def write_states(self, states: Iterable[ResourceState], look: int = 0) -> None:
        """Add what became of things, in a transaction; a thing that is as before gets no version."""
        number, newest = self.last_number, self.read_property("newest")
        for one in states:
            sum_ = hash_resource_state(one.n_quads)
            row = self.connection.execute(
                "SELECT what, digest FROM things WHERE iri = ?", (one.iri,)
            ).fetchone()
            is_there = row is not None and row[0] != ACTIVITY_DELETE
            if not (is_there or one.n_quads) or (is_there and row[1] == sum_):
                continue
            what = ACTIVITY_DELETE if not one.n_quads else ACTIVITY_UPDATE if is_there else ACTIVITY_CREATE
            number += 1
            self.connection.execute(
                "INSERT INTO members VALUES (?, ?, ?, ?, ?)",
                (number, one.iri, one.changed_at, what, one.n_quads),
            )
            self.connection.execute(
                "INSERT OR REPLACE INTO things VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    one.iri,
                    top_level_kind(one.iri, self.base),
                    number,
                    one.changed_at,
                    one.is_time_known,
                    what,
                    sum_,
                    look,
                ),
            )
            newest = one.changed_at
            if number % LOG_PAGE_MEMBERS == 1 and number > 1:
                self.close_page(number // LOG_PAGE_MEMBERS)
        self.write_property("last", str(number))
        self.write_property("newest", newest)

    def close_page(self, page: int) -> None:
        """Close a page that is full, in a transaction, as another one has begun."""
        upto = page * LOG_PAGE_MEMBERS
        rows = self.select_rows("SELECT * FROM members WHERE number <= ? ORDER BY number", upto)
        members = [LogMember._make(row) for row in rows]
        body = zstandard.compress(
            serialize_log_members(f"{self.base}changes", f"{self.name}/{page}", members).encode()
        )
        self.connection.execute(
            "INSERT INTO pages VALUES (?, ?, ?, ?)",
            (page, members[0].changed_at, members[-1].changed_at, body),
        )
        self.connection.execute("DELETE FROM members WHERE number <= ?", (upto,))
        self.must_sync = True  # as others may keep the page for ever

    def begin_scan(self) -> int:
        """Begin a look at all things; its number."""
        with self.transaction():
            number = int(self.read_property("look") or 0) + 1
            self.write_property("look", str(number))
            self.connection.execute("DELETE FROM found")  # of a look that was cut off
        return number

    def add_scanned(self, number: int, states: Iterable[ResourceState]) -> None:
        """Take down what a look at all things found; it counts when the look is over.

        Raises OvertakenError.
        """
        with self.transaction():
            self.check_scan(number)
            for one in states:
                row = self.connection.execute(
                    "SELECT digest FROM things WHERE iri = ?", (one.iri,)
                ).fetchone()
                if row and row[0] == hash_resource_state(one.n_quads):
                    self.connection.execute("UPDATE things SET look = ? WHERE iri = ?", (number, one.iri))
                else:
                    packed = zstandard.compress(one.n_quads.encode())
                    row = (one.iri, one.changed_at, one.is_time_known, packed)
                    self.connection.execute("INSERT OR REPLACE INTO found VALUES (?, ?, ?, ?)", row)

    def is_scanned(self, number: int, iri: str) -> bool:
        """Whether a thing was seen by a look already."""
        seen = "SELECT 1 FROM things WHERE iri = ? AND look = ? UNION SELECT 1 FROM found WHERE iri = ?"
        return bool(self.select_rows(seen, iri, number, iri))

    def end_scan(self, number: int, now: str) -> None:
        """Add what a look found to be other than it was, and that what it did not see is gone.

        Raises OvertakenError.
        """
        with self.transaction():
            self.check_scan(number)
            unseen = """SELECT iri FROM things
                WHERE look < ? AND what <> ? AND iri NOT IN (SELECT iri FROM found) ORDER BY iri"""
            gone = self.select_rows(unseen, number, ACTIVITY_DELETE)
            # What came before others were told of must not come after them.
            self.connection.execute(
                "UPDATE found SET at = ?, known = 0 WHERE at < ?", (now, self.read_property("newest"))
            )
            found = self.connection.execute("SELECT * FROM found ORDER BY at, iri")
            self.write_states((unpack_resource_state(*row) for row in found), number)
            self.write_states((ResourceState(iri, now, False, "") for (iri,) in gone), number)
            more = self.connection.execute("DELETE FROM found").rowcount
            self.connection.execute("DELETE FROM later")
        if more > LOG_PAGE_MEMBERS:
            with self.lock, suppress(sqlite3.OperationalError):  # as long as there is room for it
                self.connection.execute("VACUUM")  # what was found took more room than what is kept of it

    def check_scan(self, number: int) -> None:
        """Raises OvertakenError where a later look has begun: the service of this one has ended."""
        if self.read_property("look") != str(number):
            raise OvertakenError(f"look {number} has been overtaken")

    # To read.

    @property
    def start_time(self) -> str:
        """When the log began."""
        return f"{datetime.strptime(self.name, VERSION_TIME_FORMAT).isoformat(timespec='microseconds')}Z"

    @property
    def last_number(self) -> int:
        """The number of the last member, 0 while there is none."""
        return int(self.read_property("last") or 0)

    @property
    def open_page_number(self) -> int:
        """The number of the page that is not full, or of the last one."""
        return max(0, self.last_number - 1) // LOG_PAGE_MEMBERS + 1

    def page_spans(self, first: int, last: int) -> list[tuple[int, str, str]]:
        """The pages from one number to another, with the times of the first and the last member of each."""
        select = "SELECT page, first, last FROM pages WHERE page BETWEEN ? AND ? ORDER BY page"
        with self.lock:
            closed = self.select_rows(select, first, last)
            ((begin, end),) = self.select_rows("SELECT MIN(at), MAX(at) FROM members")
            if begin and first <= self.open_page_number <= last:
                closed.append((self.open_page_number, begin, end))
            return closed

    def read_page(self, number: int) -> tuple[str, bool]:
        """The members of a page as N-Quads, and whether it is closed."""
        with self.lock:
            closed = self.select_rows("SELECT body FROM pages WHERE page = ?", number)
            members = self.select_rows("SELECT * FROM members ORDER BY number")
        if closed:
            with self.translate_errors():
                return zstandard.decompress(closed[0][0]).decode(), True
        return serialize_log_members(
            f"{self.base}changes", f"{self.name}/{number}", map(LogMember._make, members)
        ), False


def unpack_resource_state(iri: str, at: str, known: bool, packed: bytes) -> ResourceState:
    """A state as a look took it down."""
    return ResourceState(iri, at, known, zstandard.decompress(packed).decode())


def top_level_kind(iri: str, base: str) -> str:
    """The kind of a thing below the base, such as `paper`; empty for other things, and for parts."""
    path = iri.removeprefix(f"{base}id/").split("/")
    return path[0] if iri.startswith(f"{base}id/") and len(path) == 2 else ""


def hash_resource_state(state: str) -> bytes:
    """What tells one state from another."""
    return hashlib.blake2b(state.encode(), digest_size=16).digest()
