"""The full-text index of a running service: updated with every commit, rebuilt where it does not fit.

A write is in the index before it returns. If a change is unknown, or the index is not that of the store, it
is rebuilt, and searches get 503 with Retry-After meanwhile. A language or kind in a search must occur in the
index (400 otherwise).
"""

import logging
import shutil
import sqlite3
import tempfile
import threading
import uuid
import weakref
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from ..problems import Problem
from ..store import recovery
from ..store.change import Change
from ..store.errors import StoreError
from ..store.files import ASIDE
from ..store.store import Store
from .database import INDEX_FORMAT, about, connect, distinct, fill_index, note, put, read, to_write
from .entries import Entry, Key, Passage, entries_of, statement
from .tokenizer import Term

PLACE = Path(ASIDE) / "index" / "things.db"
PATIENCE = 5  # seconds that a search waits for an index that is being made
RETRY = {"Retry-After": "5"}
FAULTS = (sqlite3.Error, OSError, StoreError)  # of the disk
DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

Given = ParamSpec("Given")
Answer = TypeVar("Answer")

log = logging.getLogger("wgig")


class Index:
    """Names and texts of all things of a store, to be searched.

    A write is in the index before it returns. Where it cannot be told what a write changed, or the index is
    not that of the store, it is made anew while nothing is found, which is said with status 503.
    """

    def __init__(self, store: Store, base: str) -> None:
        """Take the store and the base of its IRIs. Nothing is opened before it is needed."""
        self.store, self.base = store, base
        self.path: Path | None = None
        self.writers: list[sqlite3.Connection] = []  # one while the index is in line
        self.free: list[tuple[int, sqlite3.Connection]] = []  # that read, with the number of their file
        self.number = 0  # of the file, which is another one when it is made anew
        self.following = self.filling = self.again = False
        self.frequent: set[Term] = set()  # words that are in very many things
        self.pending: list[Change] = []
        self.progress = (0, 0)  # passages that are found, and how many of them are taken in
        self.done = threading.Event()  # whether nobody is filling it

    def open(self) -> None:
        """Follow the store from now on; where the index is not that of the store, begin to make it anew."""
        if self.following:  # lest a search waits for a write
            return
        with self.store.alone():
            if self.following:
                return
            self.path = self.place()
            if self.is_in_line(self.path):
                self.writers.append(to_write(self.path))
                self.done.set()
            else:
                self.begin()
            self.store.followers.append(self.follow)
            self.following = True

    def place(self) -> Path:
        """Where the file is: beside the store, for one in memory in a folder that goes with the index."""
        passing = None if self.store.folder else Path(tempfile.mkdtemp(prefix="wgig-index-"))
        weakref.finalize(self, close, self.writers, self.free, passing)
        return (self.store.folder or passing or Path()) / PLACE

    def is_in_line(self, path: Path) -> bool:
        """Whether the file is the index of the store as it is, and made as it is made now."""
        token = recovery.read_index_mark(self.store.folder) if self.store.folder and path.exists() else ""
        if not token:
            return False
        connection = connect(path)
        try:
            return (about(connection, "token"), about(connection, "by")) == (token, str(INDEX_FORMAT))
        except sqlite3.Error:
            return False
        finally:
            connection.close()

    # What the thread does that writes, while nobody else does.

    def follow(self, change: Change | None) -> None:
        """Bring the index in line with a write; None: with whatever it changed."""
        if change is None or not (self.writers or self.filling):
            self.begin()
        elif self.filling:
            self.pending.append(change)
        else:
            try:
                self.take(self.writers[0], change)
            except FAULTS as error:  # the write itself is done
                log.error("the index is not in line with the last write, and is made anew: %s", error)
                self.begin()

    def take(self, writer: sqlite3.Connection, change: Change) -> None:
        """Take in what a write changed, and leave the mark. Raises sqlite3.Error and OSError."""
        gone, come = defaultdict[Key, set[Passage]](set), defaultdict[Key, set[Passage]](set)
        for quads, passages in ((change.removed, gone), (change.added, come)):
            for key, passage in entries_of(quads, self.base):
                passages[key].add(passage)
        token = about(writer, "token")
        if gone or come:
            token = uuid.uuid4().hex
            writer.execute("BEGIN")
            try:
                for key in gone.keys() | come.keys():
                    self.renew(writer, key, gone[key], come[key])
                note(writer, token=token, changed=now())
                writer.execute("COMMIT")
            except BaseException:
                writer.execute("ROLLBACK")
                raise
        if self.store.folder:
            recovery.leave(self.store.folder, token)

    def renew(self, writer: sqlite3.Connection, key: Key, gone: set[Passage], come: set[Passage]) -> None:
        """Take these passages out of an entry, unless they stand in another graph, and put those in.

        What came may be gone again by now, where the index is behind the store.
        """
        held = set(read(writer, key)[1].passages)
        doubtful = gone | come if self.filling else gone - come
        there = {one for one in doubtful if self.store.knows(*statement(key, one))}
        now_held = held - doubtful | there | (come - doubtful)
        if now_held != held:
            put(writer, key, Entry.of(now_held), self.base)

    def begin(self) -> None:
        """Begin to make the index anew, or to do so once more when that is under way."""
        if self.filling:
            self.again = True
            return
        self.filling = True
        self.number += 1
        self.frequent = set()
        self.done.clear()
        close(self.writers, self.free)
        threading.Thread(target=self.fill, daemon=True).start()

    # What a thread of its own does.

    def fill(self) -> None:
        """Make the index anew, until no write came in between that it cannot tell from what it read."""
        assert self.path
        try:
            while True:
                with self.store.alone():
                    self.pending, self.again = [], False
                fill_index(self.path, self.store, self.base, self.reached)
                with self.store.alone():
                    if not self.again:
                        self.settle(self.path)
                        return
        except Exception as error:
            unforeseen = not isinstance(error, FAULTS)
            log.error("the index cannot be made, the next write tries it: %s", error, exc_info=unforeseen)
            with self.store.alone():
                self.filling = False
                self.done.set()

    def settle(self, path: Path) -> None:
        """Take in what was written while the index was made, and let it be searched."""
        writer = to_write(path)
        note(writer, token=uuid.uuid4().hex, by=str(INDEX_FORMAT), changed=now())
        for change in (*self.pending, Change()):
            self.take(writer, change)
        self.number += 1
        self.writers.append(writer)
        self.filling, self.pending = False, []
        self.done.set()

    def reached(self, found: int, taken: int) -> None:
        """Take note of how far it is."""
        self.progress = found, taken

    # What any thread does.

    def ask(
        self,
        look: Callable[Concatenate[sqlite3.Connection, Given], Answer],
        *args: Given.args,
        **named: Given.kwargs,
    ) -> Answer:
        """What a function finds in the index as it is at one moment. Raises Problem 503 while it is made."""
        self.open()
        self.done.wait(PATIENCE)
        if not self.writers or self.path is None:
            raise self.unavailable()
        number, connection = self.borrowed(self.path)
        try:
            connection.execute("BEGIN")
            return look(connection, *args, **named)
        except sqlite3.DatabaseError as error:
            is_damaged = getattr(error, "sqlite_errorcode", 0) & 0xFF in DAMAGED
            if number == self.number and not is_damaged:
                raise
            if number == self.number:
                log.exception("the index is damaged, and is made anew")
                with self.store.alone():
                    self.begin()
            raise self.unavailable() from error
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            if number == self.number:
                self.free.append((number, connection))
            else:
                connection.close()

    def borrowed(self, path: Path) -> tuple[int, sqlite3.Connection]:
        """A connection to the file as it is now, for one thread, and the number of the file."""
        while True:
            try:
                number, connection = self.free.pop()
            except IndexError:
                return self.number, connect(path)
            if number == self.number:
                return number, connection
            connection.close()

    def unavailable(self) -> Problem:
        """The 503 while there is no index."""
        if not self.filling:
            return Problem(503, "The index cannot be made. The log of the service tells its operator why.")
        found, taken = self.progress
        how_far = f"{found:,} texts are found, and {taken:,} of them are taken in."
        return Problem(503, f"The index is being made anew: {how_far} Try again soon.", headers=RETRY)


def close(
    writers: list[sqlite3.Connection], free: list[tuple[int, sqlite3.Connection]], folder: Path | None = None
) -> None:
    """Close these connections; a folder that is given goes."""
    while writers:
        writers.pop().close()
    while free:
        free.pop()[1].close()
    if folder:
        shutil.rmtree(folder, ignore_errors=True)


def now() -> str:
    """The time, in UTC (RFC 3339)."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


ANY = ("", "*")  # languages that mean every one


def language(index: Index, value: str) -> str:
    """A language that is asked for, empty for any. Raises Problem 400 where nothing is in it."""
    return "" if value in ANY else had(index, "language", value)


def kind(index: Index, value: str) -> str:
    """A kind that is asked for, empty for any. Raises Problem 400 where nothing is of it."""
    return had(index, "kind", value) if value else ""


def had(index: Index, column: str, value: str) -> str:
    """A value of a column, in lower case. Raises Problem 400 where nothing has it."""
    wanted = value.lower()
    there = [one for one in index.ask(distinct, column) if one]
    if not any(one == wanted or one.startswith(f"{wanted}-") for one in there):
        raise Problem(400, f"Nothing has the {column} {value!r}. There are: {', '.join(there)}.")
    return wanted
