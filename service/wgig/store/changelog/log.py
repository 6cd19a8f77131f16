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

from ...rdf.namespaces import OUTSIDE
from ..errors import StoreError
from ..history import STAMP

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


TREE = "https://w3id.org/tree#"
ACTIVITY = "https://www.w3.org/ns/activitystreams#"
NEW, CHANGED, GONE = "Create", "Update", "Delete"  # as Activity Streams calls them
RDF_TYPE, DATE_TIME = f"{OUTSIDE['rdf']}type", f"{OUTSIDE['xsd']}dateTime"


class Member(NamedTuple):
    """A version of a thing in the log, by its number; `what` became of the thing then."""

    number: int
    iri: str
    at: str
    what: str
    state: str


def written(stream: str, page: str, members: Iterable[Member]) -> str:
    """Members of a stream, which are on a page below it, as N-Quads."""
    return "".join(line for one in members for line in lines(stream, page, one))


def lines(stream: str, page: str, one: Member) -> Iterator[str]:
    """The lines of a member."""
    stamp = datetime.fromisoformat(one.at).strftime(STAMP)
    # A power cut may take the last members, also from those who have them, and with them their numbers.
    thing = hashlib.blake2b(one.iri.encode(), digest_size=4).hexdigest()
    member = f"<{stream}/{page}#{stamp}-{one.number}-{thing}>"
    yield f"<{stream}> <{TREE}member> {member} .\n"
    yield f"{member} <{RDF_TYPE}> <{ACTIVITY}{one.what}> .\n"
    yield f"{member} <{ACTIVITY}object> <{one.iri}> .\n"
    yield f'{member} <{ACTIVITY}published> "{one.at}"^^<{DATE_TIME}> .\n'
    yield from (f"{member} {line}\n" for line in filter(None, one.state.split("\n")))


PAGE = 250  # members


class State(NamedTuple):
    """A state of a thing: since when it is so, whether that is known, and its quads; none: it is gone."""

    iri: str
    at: str
    known: bool
    state: str


class OvertakenError(Exception):
    """Another look at all things has begun, which finds what this one would."""


class Log(File):
    """The versions of things."""

    # To write.

    def add(self, states: Iterable[State], mark: str, later: Iterable[str] = ()) -> None:
        """Add what became of things, in their order; the mark tells with which state of the store that is.

        The versions of those that come `later` are added when somebody asks.
        """
        with self.transaction():
            self.write(states)
            self.sql.executemany("INSERT OR IGNORE INTO later VALUES (?)", ((one,) for one in later))
            self.note("mark", mark)

    def has(self, iri: str) -> bool:
        """Whether a thing is there, by the log."""
        return bool(self.rows("SELECT 1 FROM things WHERE iri = ? AND what <> ?", iri, GONE))

    def later(self) -> list[str]:
        """The things whose versions are still to be added."""
        return [iri for (iri,) in self.rows("SELECT iri FROM later ORDER BY iri")]

    def add_later(self, states: Iterable[State]) -> None:
        """Add the versions that were to be added later."""
        with self.transaction():
            self.write(states)
            self.sql.execute("DELETE FROM later")

    def write(self, states: Iterable[State], look: int = 0) -> None:
        """Add what became of things, in a transaction; a thing that is as before gets no version."""
        number, newest = self.last, self.about("newest")
        for one in states:
            sum_ = digest(one.state)
            row = self.sql.execute("SELECT what, digest FROM things WHERE iri = ?", (one.iri,)).fetchone()
            is_there = row is not None and row[0] != GONE
            if not (is_there or one.state) or (is_there and row[1] == sum_):
                continue
            what = GONE if not one.state else CHANGED if is_there else NEW
            number += 1
            self.sql.execute(
                "INSERT INTO members VALUES (?, ?, ?, ?, ?)", (number, one.iri, one.at, what, one.state)
            )
            self.sql.execute(
                "INSERT OR REPLACE INTO things VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (one.iri, kind_of(one.iri, self.base), number, one.at, one.known, what, sum_, look),
            )
            newest = one.at
            if number % PAGE == 1 and number > 1:
                self.close_page(number // PAGE)
        self.note("last", str(number))
        self.note("newest", newest)

    def close_page(self, page: int) -> None:
        """Close a page that is full, in a transaction, as another one has begun."""
        upto = page * PAGE
        rows = self.rows("SELECT * FROM members WHERE number <= ? ORDER BY number", upto)
        members = [Member._make(row) for row in rows]
        body = zstandard.compress(written(f"{self.base}changes", f"{self.name}/{page}", members).encode())
        self.sql.execute("INSERT INTO pages VALUES (?, ?, ?, ?)", (page, members[0].at, members[-1].at, body))
        self.sql.execute("DELETE FROM members WHERE number <= ?", (upto,))
        self.lasts = True  # as others may keep the page for ever

    def begin_look(self) -> int:
        """Begin a look at all things; its number."""
        with self.transaction():
            number = int(self.about("look") or 0) + 1
            self.note("look", str(number))
            self.sql.execute("DELETE FROM found")  # of a look that was cut off
        return number

    def look(self, number: int, states: Iterable[State]) -> None:
        """Take down what a look at all things found; it counts when the look is over.

        Raises OvertakenError.
        """
        with self.transaction():
            self.check_look(number)
            for one in states:
                row = self.sql.execute("SELECT digest FROM things WHERE iri = ?", (one.iri,)).fetchone()
                if row and row[0] == digest(one.state):
                    self.sql.execute("UPDATE things SET look = ? WHERE iri = ?", (number, one.iri))
                else:
                    packed = zstandard.compress(one.state.encode())
                    row = (one.iri, one.at, one.known, packed)
                    self.sql.execute("INSERT OR REPLACE INTO found VALUES (?, ?, ?, ?)", row)

    def looked_at(self, number: int, iri: str) -> bool:
        """Whether a thing was seen by a look already."""
        seen = "SELECT 1 FROM things WHERE iri = ? AND look = ? UNION SELECT 1 FROM found WHERE iri = ?"
        return bool(self.rows(seen, iri, number, iri))

    def end_look(self, number: int, now: str) -> None:
        """Add what a look found to be other than it was, and that what it did not see is gone.

        Raises OvertakenError.
        """
        with self.transaction():
            self.check_look(number)
            unseen = """SELECT iri FROM things
                WHERE look < ? AND what <> ? AND iri NOT IN (SELECT iri FROM found) ORDER BY iri"""
            gone = self.rows(unseen, number, GONE)
            # What came before others were told of must not come after them.
            self.sql.execute("UPDATE found SET at = ?, known = 0 WHERE at < ?", (now, self.about("newest")))
            found = self.sql.execute("SELECT * FROM found ORDER BY at, iri")
            self.write((unpacked(*row) for row in found), number)
            self.write((State(iri, now, False, "") for (iri,) in gone), number)
            more = self.sql.execute("DELETE FROM found").rowcount
            self.sql.execute("DELETE FROM later")
        if more > PAGE:
            with self.lock, suppress(sqlite3.OperationalError):  # as long as there is room for it
                self.sql.execute("VACUUM")  # what was found took more room than what is kept of it

    def check_look(self, number: int) -> None:
        """Raises OvertakenError where a later look has begun: the service of this one has ended."""
        if self.about("look") != str(number):
            raise OvertakenError(f"look {number} has been overtaken")

    # To read.

    @property
    def began(self) -> str:
        """When the log began."""
        return f"{datetime.strptime(self.name, STAMP).isoformat(timespec='microseconds')}Z"

    @property
    def last(self) -> int:
        """The number of the last member, 0 while there is none."""
        return int(self.about("last") or 0)

    @property
    def open_page(self) -> int:
        """The number of the page that is not full, or of the last one."""
        return max(0, self.last - 1) // PAGE + 1

    def spans(self, first: int, last: int) -> list[tuple[int, str, str]]:
        """The pages from one number to another, with the times of the first and the last member of each."""
        select = "SELECT page, first, last FROM pages WHERE page BETWEEN ? AND ? ORDER BY page"
        with self.lock:
            closed = self.rows(select, first, last)
            ((begin, end),) = self.rows("SELECT MIN(at), MAX(at) FROM members")
            if begin and first <= self.open_page <= last:
                closed.append((self.open_page, begin, end))
            return closed

    def page(self, number: int) -> tuple[str, bool]:
        """The members of a page as N-Quads, and whether it is closed."""
        with self.lock:
            closed = self.rows("SELECT body FROM pages WHERE page = ?", number)
            members = self.rows("SELECT * FROM members ORDER BY number")
        if closed:
            with self.spoken():
                return zstandard.decompress(closed[0][0]).decode(), True
        return written(f"{self.base}changes", f"{self.name}/{number}", map(Member._make, members)), False


def unpacked(iri: str, at: str, known: bool, packed: bytes) -> State:
    """A state as a look took it down."""
    return State(iri, at, known, zstandard.decompress(packed).decode())


def kind_of(iri: str, base: str) -> str:
    """The kind of a thing below the base, such as `paper`; empty for other things, and for parts."""
    path = iri.removeprefix(f"{base}id/").split("/")
    return path[0] if iri.startswith(f"{base}id/") and len(path) == 2 else ""


def digest(state: str) -> bytes:
    """What tells one state from another."""
    return hashlib.blake2b(state.encode(), digest_size=16).digest()
