"""The full-text index of a running service: updated with every commit, rebuilt where it does not fit.

A write is in the index before it returns. If a change is unknown, or the index is not that of the store, it
is rebuilt, and searches get 503 with Retry-After meanwhile. A language or kind in a search must occur in the
index (400 otherwise).
"""

import logging
import shutil
import sqlite3
import tempfile
import uuid
import weakref
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import wait
from datetime import UTC, datetime
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from ..problems import Problem
from ..store.change import Change
from ..store.files import ASIDE_FOLDER, is_sqlite_damage
from ..store.projection import Projection, ProjectionState
from ..store.recovery import get_index_mark
from ..store.store import Store
from ..store.view import StoreView
from .database import (
    INDEX_FORMAT,
    connect_index,
    fill_index,
    list_distinct_values,
    read_index_entry,
    read_index_property,
    update_index_entry,
    write_index_properties,
)
from .entries import EntryKey, IndexEntry, Passage, iter_index_passages, passage_statement
from .tokenizer import SearchTerm

SEARCH_INDEX_PATH, INDEX_COPY_FOLDER = Path(ASIDE_FOLDER) / "index" / "things.db", "index-copy"
INDEX_WAIT_SECONDS = 5  # seconds that a search waits for an index that is being made
INDEX_RETRY_HEADERS = {"Retry-After": "5"}

Params = ParamSpec("Params")
Answer = TypeVar("Answer")

log = logging.getLogger("wgig")


class FullTextIndex(Projection):
    """Names and texts of all things of a store, to be searched.

    While it is made anew nothing is found, which is said with status 503.
    """

    name, snapshot_name = "the index", INDEX_COPY_FOLDER

    def __init__(self, store: Store, base: str) -> None:
        """Take the store and the base of its IRIs. Nothing is opened before it is needed."""
        super().__init__(store)
        self.base = base
        self.path: Path | None = None
        self.writers: list[sqlite3.Connection] = []  # one, once the index is made
        # Connections that read, with the number of their file.
        self.free_readers: list[tuple[int, sqlite3.Connection]] = []
        self.file_number = 0  # of the file, which is another one when it is made anew
        self.frequent_terms: set[SearchTerm] = set()  # words that are in very many things
        self.progress = (0, 0)  # passages that are found, and how many of them are taken in

    def resume(self) -> bool:
        """Open the file; whether it is the index of the store as it is."""
        self.path = self.choose_path()
        is_current = self.is_current_file(self.path)
        if is_current:
            self.writers.append(connect_index(self.path, writes=True))
        return is_current

    def on_stale(self) -> None:
        """Begin to make it anew, so that searches need not wait for long."""
        self.start_build()

    def choose_path(self) -> Path:
        """Where the file is: beside the store, for one in memory in a folder that goes with the index."""
        passing = None if self.store.folder else Path(tempfile.mkdtemp(prefix="wgig-index-"))
        weakref.finalize(self, close_index_connections, self.writers, self.free_readers, passing)
        return (self.store.folder or passing or Path()) / SEARCH_INDEX_PATH

    def is_current_file(self, path: Path) -> bool:
        """Whether the file is the index of the store as it is, and made as it is made now."""
        folder = self.store.folder
        token = get_index_mark(folder).read() if folder and path.exists() else ""
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

    def apply(self, change: Change) -> bool:
        """Take in what a write changed, and leave the mark."""
        self.write_change(self.writers[0], change)
        return True

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
            get_index_mark(self.store.folder).write(token)

    def update_entry(
        self, writer: sqlite3.Connection, key: EntryKey, gone: set[Passage], come: set[Passage]
    ) -> None:
        """Take these passages out of an entry, unless they stand in another graph, and put those in."""
        held = set(read_index_entry(writer, key)[1].passages)
        elsewhere = {one for one in gone - come if self.store.has_statement(*passage_statement(key, one))}
        now_held = held - gone | elsewhere | come
        if now_held != held:
            update_index_entry(writer, key, IndexEntry.from_passages(now_held), self.base)

    # What a thread of its own does.

    def rebuild(self, view: StoreView) -> None:
        """Make the file anew, and open it; what has the former one open closes it when it is done with it."""
        assert self.path
        self.file_number += 1
        self.frequent_terms = set()
        close_index_connections(self.writers, self.free_readers)
        fill_index(self.path, view, self.base, self.report_progress)
        writer = connect_index(self.path, writes=True)
        write_index_properties(writer, token=uuid.uuid4().hex, by=str(INDEX_FORMAT), changed=format_utc_now())
        self.file_number += 1
        self.writers.append(writer)

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
        if self.is_pending:
            wait([self.start_build()], INDEX_WAIT_SECONDS)
        if not self.is_current or self.path is None:
            raise self.unavailable_problem()
        number, connection = self.borrow_connection(self.path)
        try:
            connection.execute("BEGIN")
            return look(connection, *args, **named)
        except sqlite3.DatabaseError as error:
            if number == self.file_number and not is_sqlite_damage(error):
                raise
            if number == self.file_number:
                log.exception("the index is damaged, and is made anew")
                self.invalidate()
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
        if self.state is ProjectionState.BROKEN:
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
