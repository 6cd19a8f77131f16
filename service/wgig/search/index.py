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
from ..store.files import ASIDE_FOLDER
from ..store.store import Store
from .database import (
    INDEX_FORMAT,
    connect_index,
    fill_index,
    list_distinct_values,
    open_index_writer,
    read_index_entry,
    read_index_property,
    update_index_entry,
    write_index_properties,
)
from .entries import EntryKey, IndexEntry, Passage, iter_index_passages, passage_statement
from .tokenizer import SearchTerm

SEARCH_INDEX_PATH = Path(ASIDE_FOLDER) / "index" / "things.db"
INDEX_WAIT_SECONDS = 5  # seconds that a search waits for an index that is being made
INDEX_RETRY_HEADERS = {"Retry-After": "5"}
INDEX_ERRORS = (sqlite3.Error, OSError, StoreError)  # of the disk
DAMAGED_INDEX_CODES = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

Params = ParamSpec("Params")
Answer = TypeVar("Answer")

log = logging.getLogger("wgig")


class FullTextIndex:
    """Names and texts of all things of a store, to be searched.

    A write is in the index before it returns. Where it cannot be told what a write changed, or the index is
    not that of the store, it is made anew while nothing is found, which is said with status 503.
    """

    def __init__(self, store: Store, base: str) -> None:
        """Take the store and the base of its IRIs. Nothing is opened before it is needed."""
        self.store, self.base = store, base
        self.path: Path | None = None
        self.writers: list[sqlite3.Connection] = []  # one while the index is in line
        # Connections that read, with the number of their file.
        self.free_readers: list[tuple[int, sqlite3.Connection]] = []
        self.file_number = 0  # of the file, which is another one when it is made anew
        self.is_following = self.is_rebuilding = self.must_rebuild_again = False
        self.frequent_terms: set[SearchTerm] = set()  # words that are in very many things
        self.pending_changes: list[Change] = []
        self.progress = (0, 0)  # passages that are found, and how many of them are taken in
        self.idle = threading.Event()  # whether nobody is filling it

    def open(self) -> None:
        """Follow the store from now on; where the index is not that of the store, begin to make it anew."""
        if self.is_following:  # lest a search waits for a write
            return
        with self.store.write_lock():
            if self.is_following:
                return
            self.path = self.choose_path()
            if self.is_current(self.path):
                self.writers.append(open_index_writer(self.path))
                self.idle.set()
            else:
                self.start_rebuild()
            self.store.projections.append(self.follow)
            self.is_following = True

    def choose_path(self) -> Path:
        """Where the file is: beside the store, for one in memory in a folder that goes with the index."""
        passing = None if self.store.folder else Path(tempfile.mkdtemp(prefix="wgig-index-"))
        weakref.finalize(self, close_index_connections, self.writers, self.free_readers, passing)
        return (self.store.folder or passing or Path()) / SEARCH_INDEX_PATH

    def is_current(self, path: Path) -> bool:
        """Whether the file is the index of the store as it is, and made as it is made now."""
        token = recovery.read_index_mark(self.store.folder) if self.store.folder and path.exists() else ""
        if not token:
            return False
        connection = connect_index(path)
        try:
            return (read_index_property(connection, "token"), read_index_property(connection, "by")) == (
                token,
                str(INDEX_FORMAT),
            )
        except sqlite3.Error:
            return False
        finally:
            connection.close()

    # What the thread does that writes, while nobody else does.

    def follow(self, change: Change | None) -> None:
        """Bring the index in line with a write; None: with whatever it changed."""
        if change is None or not (self.writers or self.is_rebuilding):
            self.start_rebuild()
        elif self.is_rebuilding:
            self.pending_changes.append(change)
        else:
            try:
                self.write_change(self.writers[0], change)
            except INDEX_ERRORS as error:  # the write itself is done
                log.error("the index is not in line with the last write, and is made anew: %s", error)
                self.start_rebuild()

    def write_change(self, writer: sqlite3.Connection, change: Change) -> None:
        """Take in what a write changed, and leave the mark. Raises sqlite3.Error and OSError."""
        gone, come = defaultdict[EntryKey, set[Passage]](set), defaultdict[EntryKey, set[Passage]](set)
        for quads, passages in ((change.removed, gone), (change.added, come)):
            for key, passage in iter_index_passages(quads, self.base):
                passages[key].add(passage)
        token = read_index_property(writer, "token")
        if gone or come:
            token = uuid.uuid4().hex
            writer.execute("BEGIN")
            try:
                for key in gone.keys() | come.keys():
                    self.update_entry(writer, key, gone[key], come[key])
                write_index_properties(writer, token=token, changed=format_utc_now())
                writer.execute("COMMIT")
            except BaseException:
                writer.execute("ROLLBACK")
                raise
        if self.store.folder:
            recovery.write_index_mark(self.store.folder, token)

    def update_entry(
        self, writer: sqlite3.Connection, key: EntryKey, gone: set[Passage], come: set[Passage]
    ) -> None:
        """Take these passages out of an entry, unless they stand in another graph, and put those in.

        What came may be gone again by now, where the index is behind the store.
        """
        held = set(read_index_entry(writer, key)[1].passages)
        doubtful = gone | come if self.is_rebuilding else gone - come
        there = {one for one in doubtful if self.store.has_statement(*passage_statement(key, one))}
        now_held = held - doubtful | there | (come - doubtful)
        if now_held != held:
            update_index_entry(writer, key, IndexEntry.from_passages(now_held), self.base)

    def start_rebuild(self) -> None:
        """Begin to make the index anew, or to do so once more when that is under way."""
        if self.is_rebuilding:
            self.must_rebuild_again = True
            return
        self.is_rebuilding = True
        self.file_number += 1
        self.frequent_terms = set()
        self.idle.clear()
        close_index_connections(self.writers, self.free_readers)
        threading.Thread(target=self.rebuild, daemon=True).start()

    # What a thread of its own does.

    def rebuild(self) -> None:
        """Make the index anew, until no write came in between that it cannot tell from what it read."""
        assert self.path
        try:
            while True:
                with self.store.write_lock():
                    self.pending_changes, self.must_rebuild_again = [], False
                fill_index(self.path, self.store, self.base, self.report_progress)
                with self.store.write_lock():
                    if not self.must_rebuild_again:
                        self.finish_rebuild(self.path)
                        return
        except Exception as error:
            unforeseen = not isinstance(error, INDEX_ERRORS)
            log.error("the index cannot be made, the next write tries it: %s", error, exc_info=unforeseen)
            with self.store.write_lock():
                self.is_rebuilding = False
                self.idle.set()

    def finish_rebuild(self, path: Path) -> None:
        """Take in what was written while the index was made, and let it be searched."""
        writer = open_index_writer(path)
        write_index_properties(writer, token=uuid.uuid4().hex, by=str(INDEX_FORMAT), changed=format_utc_now())
        for change in (*self.pending_changes, Change()):
            self.write_change(writer, change)
        self.file_number += 1
        self.writers.append(writer)
        self.is_rebuilding, self.pending_changes = False, []
        self.idle.set()

    def report_progress(self, found: int, taken: int) -> None:
        """Take note of how far it is."""
        self.progress = found, taken

    # What any thread does.

    def query(
        self,
        look: Callable[Concatenate[sqlite3.Connection, Params], Answer],
        *args: Params.args,
        **named: Params.kwargs,
    ) -> Answer:
        """What a function finds in the index as it is at one moment. Raises Problem 503 while it is made."""
        self.open()
        self.idle.wait(INDEX_WAIT_SECONDS)
        if not self.writers or self.path is None:
            raise self.unavailable_problem()
        number, connection = self.borrow_connection(self.path)
        try:
            connection.execute("BEGIN")
            return look(connection, *args, **named)
        except sqlite3.DatabaseError as error:
            is_damaged = getattr(error, "sqlite_errorcode", 0) & 0xFF in DAMAGED_INDEX_CODES
            if number == self.file_number and not is_damaged:
                raise
            if number == self.file_number:
                log.exception("the index is damaged, and is made anew")
                with self.store.write_lock():
                    self.start_rebuild()
            raise self.unavailable_problem() from error
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            if number == self.file_number:
                self.free_readers.append((number, connection))
            else:
                connection.close()

    def borrow_connection(self, path: Path) -> tuple[int, sqlite3.Connection]:
        """A connection to the file as it is now, for one thread, and the number of the file."""
        while True:
            try:
                number, connection = self.free_readers.pop()
            except IndexError:
                return self.file_number, connect_index(path)
            if number == self.file_number:
                return number, connection
            connection.close()

    def unavailable_problem(self) -> Problem:
        """The 503 while there is no index."""
        if not self.is_rebuilding:
            return Problem(503, "The index cannot be made. The log of the service tells its operator why.")
        found, taken = self.progress
        how_far = f"{found:,} texts are found, and {taken:,} of them are taken in."
        return Problem(
            503, f"The index is being made anew: {how_far} Try again soon.", headers=INDEX_RETRY_HEADERS
        )


def close_index_connections(
    writers: list[sqlite3.Connection], free: list[tuple[int, sqlite3.Connection]], folder: Path | None = None
) -> None:
    """Close these connections; a folder that is given goes."""
    while writers:
        writers.pop().close()
    while free:
        free.pop()[1].close()
    if folder:
        shutil.rmtree(folder, ignore_errors=True)


def format_utc_now() -> str:
    """The time, in UTC (RFC 3339)."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


ANY_LANGUAGE_VALUES = ("", "*")  # languages that mean every one


def parse_search_language(index: FullTextIndex, value: str) -> str:
    """A language that is asked for, empty for any. Raises Problem 400 where nothing is in it."""
    return "" if value in ANY_LANGUAGE_VALUES else parse_column_value(index, "language", value)


def parse_search_kind(index: FullTextIndex, value: str) -> str:
    """A kind that is asked for, empty for any. Raises Problem 400 where nothing is of it."""
    return parse_column_value(index, "kind", value) if value else ""


def parse_column_value(index: FullTextIndex, column: str, value: str) -> str:
    """A value of a column, in lower case. Raises Problem 400 where nothing has it."""
    wanted = value.lower()
    there = [one for one in index.query(list_distinct_values, column) if one]
    if not any(one == wanted or one.startswith(f"{wanted}-") for one in there):
        raise Problem(400, f"Nothing has the {column} {value!r}. There are: {', '.join(there)}.")
    return wanted
