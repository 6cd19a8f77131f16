"""The log of the versions of things: what was new, what changed, what went, in order, in pages.

It is a file of SQLite in the folder of the store, where it is of no use elsewhere. A page is closed when it
is full, and then is kept compressed, with all that was said of its members; it never changes.
"""

import hashlib
import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

import zstandard

from ..records.history import STAMP
from .file import File
from .members import CHANGED, GONE, NEW, Member, written

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
