"""The full-text index of a running service.

It follows the commits; a search waits until it includes those before. Its file has its position in the change
log. It is rebuilt if it lacks commits, and searches get 503 with Retry-After meanwhile.
"""

import logging
import shutil
import sqlite3
import tempfile
import weakref
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import wait
from contextlib import suppress
from datetime import UTC, datetime
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import pyoxigraph as ox

from ..problems import Problem
from ..store.errors import StoreError
from ..store.files import ASIDE_FOLDER, INDEX_FOLDER
from ..store.projection import BUILD_RETRY_SECONDS, PROJECTION_ERRORS, Projection, RebuildNeededError
from ..store.projection_runner import CommittedChange
from ..store.resource_versions.rescan import SCAN_NICE_LEVEL, is_large_snapshot, prepare_scan_process
from ..store.sqlite import is_sqlite_damage
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
from .terms import SearchTerm

SEARCH_INDEX_PATH, INDEX_COPY_FOLDER = Path(ASIDE_FOLDER) / INDEX_FOLDER / "things.db", "index-copy"
INDEX_WAIT_SECONDS = 5  # seconds that a search waits for a build of the index
INDEX_RETRY_HEADERS = {"Retry-After": "5"}

Params = ParamSpec("Params")
Result = TypeVar("Result")

log = logging.getLogger("wgig")


class FullTextIndex(Projection):
    """The projection for full-text search: the names and texts of all resources.

    While it is rebuilt, queries raise Problem 503.
    """

    name, snapshot_name = "the search index", INDEX_COPY_FOLDER

    def __init__(self, store: Store, base: str) -> None:
        """Take the store and its base IRI. The file is opened on first use."""
        super().__init__(store)
        self.base = base
        self.path: Path | None = None
        self.writers: list[sqlite3.Connection] = []  # empty during a build, else one connection
        # Idle read connections, each with the number of its file.
        self.free_readers: list[tuple[int, sqlite3.Connection]] = []
        self.file_number = 0  # increases when the file is replaced
        self.frequent_terms: set[SearchTerm] = set()  # a cache for `ranking.is_frequent_term`
        self.progress = (0, 0)  # passages staged, and passages indexed
        self.nice_increment = SCAN_NICE_LEVEL  # of the process that indexes a large store

    def load_position(self) -> int | None:
        """Open the index file. Returns the version that it includes; None if it cannot be continued."""
        self.path = self.choose_path()
        try:
            position = self.read_position(self.path) if self.path.exists() else None
            if position is not None:
                self.writers.append(connect_index(self.path, writes=True))
        except (sqlite3.Error, OSError) as error:
            log.error("the search index cannot be opened, and is rebuilt: %s", error)
            return None
        return position

    def on_stale(self) -> None:
        """Start a rebuild now instead of with the first search, which would have to wait for it."""
        self.start_build()

    def choose_path(self) -> Path:
        """The path of the index file: in the store folder, or for a store in memory in a temporary folder."""
        temporary = None if self.store.folder else Path(tempfile.mkdtemp(prefix="wgig-index-"))
        weakref.finalize(self, close_index_connections, self.writers, self.free_readers, temporary)
        return (self.store.folder or temporary or Path()) / SEARCH_INDEX_PATH

    def read_position(self, path: Path) -> int | None:
        """The version that the index file includes; None if it has another format, or is of another log.

        Raises sqlite3.Error and OSError.
        """
        connection = connect_index(path)
        try:
            # The property "by" is the format with which the index was built.
            by, log_id, position = (
                read_index_property(connection, name) for name in ("by", "log", "position")
            )
        finally:
            connection.close()
        is_usable = position and (by, log_id) == (INDEX_FORMAT, self.store.log.epoch)
        return int(position) if is_usable else None

    def apply(self, commit: CommittedChange) -> None:
        """Update the index with a commit. Raises sqlite3.Error and OSError.

        A replayed commit lacks the derived quads, whose texts are indexed, too.
        """
        if commit.is_replayed:
            raise RebuildNeededError("A replayed commit has no derived quads.")
        writer = self.writers[0]
        removed, added = defaultdict[EntryKey, set[Passage]](set), defaultdict[EntryKey, set[Passage]](set)
        for quads, passages in ((commit.full.removed, removed), (commit.full.added, added)):
            for key, passage in iter_index_passages(quads, self.base):
                passages[key].add(passage)
        writer.execute("BEGIN")
        try:
            for key in removed.keys() | added.keys():
                self.update_entry(writer, key, removed[key], added[key])
            write_index_properties(writer, position=str(commit.version))
            if removed or added:
                write_index_properties(writer, changed=format_utc_now())
            writer.execute("COMMIT")
        except BaseException:
            if writer.in_transaction:  # SQLite itself ends it on a full disk
                writer.execute("ROLLBACK")
            raise

    def update_entry(
        self, writer: sqlite3.Connection, key: EntryKey, removed: set[Passage], added: set[Passage]
    ) -> None:
        """Remove passages from an entry, unless another graph still has them, and add passages."""
        old_passages = set(read_index_entry(writer, key)[1].passages)
        in_other_graphs = {
            passage
            for passage in removed - added
            if self.store.has_statement(*passage_statement(key, passage))
        }
        new_passages = old_passages - removed | in_other_graphs | added
        if new_passages != old_passages:
            update_index_entry(writer, key, IndexEntry.from_passages(new_passages), self.base)

    # These methods run on the thread of the build.

    def rebuild(self, view: StoreView, version: int) -> None:
        """Rebuild and open the index file. Connections to the old file are closed after their query."""
        assert self.path
        self.file_number += 1
        self.frequent_terms = set()
        close_index_connections(self.writers, self.free_readers)
        if view.folder and is_large_snapshot(view.folder):
            self.fill_in_process(self.path, view.folder)
        else:
            fill_index(self.path, view, self.base, self.report_progress)
        writer = connect_index(self.path, writes=True)
        write_index_properties(
            writer,
            by=INDEX_FORMAT,
            changed=format_utc_now(),
            log=self.store.log.epoch,
            # The descriptions that follow have the same version. Until they are applied, the index has no
            # position: after a crash, the engine may have them already, and then nothing adds them here.
            position="" if self.store.has_outdated_descriptions else str(version),
        )
        self.file_number += 1
        self.writers.append(writer)

    def fill_in_process(self, path: Path, snapshot: Path) -> None:
        """Fill the index file in a separate process, so that the threads of this one are not delayed.

        Raises sqlite3.Error, OSError and StoreError.
        """
        context = get_context("spawn")
        receiver, sender = context.Pipe(duplex=False)
        arguments = (path, snapshot, self.base, self.nice_increment, sender)
        process = context.Process(target=fill_from_snapshot, args=arguments, daemon=True)
        process.start()
        sender.close()  # so that the end of the process is the end of the messages
        outcome: Exception | None = StoreError("The process that builds the search index was killed.")
        with receiver, suppress(EOFError):
            while isinstance(message := receiver.recv(), tuple):
                self.report_progress(*message)
            outcome = message
        process.join()
        if outcome:
            raise outcome

    def report_progress(self, staged: int, indexed: int) -> None:
        """Store the progress of the build, in passages."""
        self.progress = staged, indexed

    # These methods run on any thread.

    def query(
        self,
        function: Callable[Concatenate[sqlite3.Connection, Params], Result],
        *args: Params.args,
        **kwargs: Params.kwargs,
    ) -> Result:
        """Call a function with a read connection, in one transaction; return the result.

        Raises Problem 503 if the index is damaged or cannot be built, or a build takes longer than
        INDEX_WAIT_SECONDS.
        """
        self.open()
        self.store.runner.wait_until_applied(self.store.runner.published_count, INDEX_WAIT_SECONDS)
        if self.is_build_due:
            wait([self.start_build()], INDEX_WAIT_SECONDS)
        if self.is_current and self.path and not self.path.exists():
            log.error("the file of the search index is missing, and is rebuilt")
            self.invalidate()
        if not self.is_current or self.path is None:
            raise self.unavailable_problem()
        number, connection = self.borrow_connection(self.path)
        try:
            connection.execute("BEGIN")
            return function(connection, *args, **kwargs)
        except sqlite3.DatabaseError as error:
            if number == self.file_number and not is_sqlite_damage(error):
                raise
            if number == self.file_number:
                log.exception("the search index is damaged, and is rebuilt")
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
        """The number of the current file, and a connection to it for one thread."""
        while True:
            try:
                number, connection = self.free_readers.pop()
            except IndexError:
                return self.file_number, connect_index(path)
            if number == self.file_number:
                return number, connection
            connection.close()

    def unavailable_problem(self) -> Problem:
        """The Problem 503 for an index that cannot be queried, with the progress of the build."""
        if self.is_broken:
            return Problem(
                503,
                "The search index cannot be built. The log of the service has the reason.",
                headers={"Retry-After": str(BUILD_RETRY_SECONDS)},
            )
        staged, indexed = self.progress
        progress = f"{indexed:,} of {staged:,} texts are indexed."
        return Problem(
            503, f"The search index is being rebuilt: {progress} Try again soon.", headers=INDEX_RETRY_HEADERS
        )


def fill_from_snapshot(
    path: Path, snapshot: Path, base: str, nice_increment: int, sender: Connection
) -> None:
    """Fill an index file in a process of its own. Sends the progress, and at the end None or an error."""
    prepare_scan_process(nice_increment)
    view = StoreView(ox.Store.read_only(str(snapshot)), snapshot)
    try:
        fill_index(path, view, base, lambda *progress: sender.send(progress))
    except PROJECTION_ERRORS as error:
        sender.send(error)
    else:
        sender.send(None)


def close_index_connections(
    writers: list[sqlite3.Connection],
    readers: list[tuple[int, sqlite3.Connection]],
    folder: Path | None = None,
) -> None:
    """Close all connections, empty both lists, and remove the folder, if any."""
    while writers:
        writers.pop().close()
    while readers:
        readers.pop()[1].close()
    if folder:
        shutil.rmtree(folder, ignore_errors=True)


def format_utc_now() -> str:
    """The current time in UTC (RFC 3339)."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


ANY_LANGUAGE_VALUES = ("", "*")  # of the parameter lang, for all languages


def parse_search_language(index: FullTextIndex, value: str) -> str:
    """The language of a search, empty for any. Raises Problem 400 if no text is in it."""
    return "" if value in ANY_LANGUAGE_VALUES else parse_column_value(index, "language", value)


def parse_search_kind(index: FullTextIndex, value: str) -> str:
    """The kind of a search, empty for any. Raises Problem 400 if no resource is of it."""
    return parse_column_value(index, "kind", value) if value else ""


def parse_column_value(index: FullTextIndex, column: str, value: str) -> str:
    """A value of a column in lower case, or for a language its prefix. Raises Problem 400 for others."""
    lower_value = value.lower()
    known_values = [known_value for known_value in index.query(list_distinct_values, column) if known_value]
    if not any(
        known_value == lower_value or known_value.startswith(f"{lower_value}-")
        for known_value in known_values
    ):
        raise Problem(400, f"Nothing has the {column} {value!r}. Choose from: {', '.join(known_values)}.")
    return lower_value
