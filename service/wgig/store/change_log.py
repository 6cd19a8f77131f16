"""The change log: every commit of a store, in order, with its exact change. It is the truth about the store.

The quads in the engine and all other derived data follow from it. Only the stated quads are logged; what is
computed from them, such as inferred quads, is computed again when a change is replayed. An entry is durable
when `append` returns.

An entry has a version, which counts from 1, a time that increases with each entry, a writer, a title, the
files that were sent, and a kind: a write, or a step of a bulk load. The statements of a bulk load are not in
the log, so replaying begins after the last one.

Old contents of a graph are read by replaying its changes from a snapshot of the graph. There is a snapshot
before its first change after a bulk load, and then one for every 50 of its changes.

It is an SQLite database, accessed by SQLAlchemy Core, so that another database can take its place.
"""

import hashlib
import json
import re
import sqlite3
import threading
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import sqlalchemy as sa

from .. import zstd
from ..files import make_private_file
from ..rdf.serialization import serialize_n_triples
from .change import BEGINNING_OF_TIME, Change, parse_change, serialize_change
from .errors import (
    WITHOUT_LOG_ADVICE,
    DiskFullError,
    MissingChangesError,
    OutcomeUnknownError,
    StoreError,
    UnusableLogError,
)
from .sqlite import is_sqlite_damage

MAX_CHANGES_BETWEEN_SNAPSHOTS = 50  # of a graph: replaying so many changes of a paper takes 15 ms
BUSY_TIMEOUT_SECONDS = 30  # until another process, such as a backup, has finished its transaction

ERASED_VERSION = -1  # of an old content from before there was a log that was erased

SHA256_HEX_PATTERN = re.compile(r"[0-9a-f]{64}")  # of a content

# The kinds of entries.
WRITE_ENTRY, LOAD_BEGIN_ENTRY, LOADED_FILE_ENTRY, RESET_ENTRY = "write", "load", "loaded", "reset"
STEP_ENTRIES = (LOAD_BEGIN_ENTRY, LOADED_FILE_ENTRY, RESET_ENTRY)  # of bulk loads

metadata = sa.MetaData()
settings_table = sa.Table(
    "settings",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
commits_table = sa.Table(
    "commits",
    metadata,
    sa.Column("version", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("time", sa.Text, nullable=False, index=True),  # UTC, ISO 8601, to the microsecond
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("writer", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("files", sa.Text, nullable=False),  # JSON: name, media type and SHA-256 of each file
    sa.Column("change", sa.LargeBinary),  # compressed; null if it is not kept
)
# Each commit looks for the last step of a bulk load: without this index, it would read all commits.
sa.Index("commits_by_kind", commits_table.c.kind, commits_table.c.version)
graph_changes_table = sa.Table(
    "graph_changes",
    metadata,
    sa.Column("graph", sa.Text, primary_key=True),  # an IRI; empty for the default graph
    sa.Column("version", sa.BigInteger, primary_key=True),
)
graph_snapshots_table = sa.Table(
    "graph_snapshots",
    metadata,
    sa.Column("graph", sa.Text, primary_key=True),
    sa.Column("version", sa.BigInteger, primary_key=True),  # the content is that after this version
    sa.Column("content", sa.LargeBinary, nullable=False),  # sorted N-Triples, compressed
)
old_contents_table = sa.Table(
    "old_contents",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),  # SHA-256 of the sorted N-Triples, in hexadecimal
    sa.Column("graph", sa.Text, primary_key=True),
    sa.Column("version", sa.BigInteger, primary_key=True),  # the content is that after this version
    sa.Column("content", sa.LargeBinary),  # compressed; only of versions from before there was a log
)
erased_table = sa.Table(
    "erased",  # the changes of graphs whose content was erased from the log
    metadata,
    sa.Column("graph", sa.Text, primary_key=True),
    sa.Column("version", sa.BigInteger, primary_key=True),
)


@dataclass(frozen=True)
class SourceFile:
    """A file from which a commit was made: its name (or empty), media type, and SHA-256 in hexadecimal."""

    name: str
    media_type: str
    sha256: str


@dataclass(frozen=True)
class CommitOrigin:
    """Who made a commit, and from what: a writer, a title such as `PUT /graph/x`, and files."""

    writer: str = ""
    title: str = ""
    files: tuple[SourceFile, ...] = ()


@dataclass(frozen=True)
class ReplacedContent:
    """The content of a graph (None: the default graph) before a commit: sorted N-Triples, and its SHA-256."""

    graph: str | None
    content: bytes
    digest: str


@dataclass(frozen=True)
class NewCommit:
    """A commit to be logged. `time` is None for the current time; `replaced` are contents to be kept."""

    change: Change
    origin: CommitOrigin = field(default_factory=CommitOrigin)
    time: datetime | None = None
    replaced: Sequence[ReplacedContent] = ()


@dataclass(frozen=True)
class LogEntry:
    """An entry of the log. `change` is None if it is not in the log: of a bulk load, or no longer kept."""

    version: int
    time: datetime
    kind: str
    origin: CommitOrigin = field(repr=False)
    change: Change | None = field(repr=False)


class ListedEntry(NamedTuple):
    """An entry without its change, and the compressed size of that; None if the log does not have it."""

    entry: LogEntry
    change_bytes: int | None


class ChangeLog:
    """The change log of a store. Methods may be called from any thread, and raise StoreError.

    `id` is that of the log. `epoch` changes with each restore, after which versions may have other content;
    so projections on disk can only be continued if they are of this epoch.
    """

    def __init__(self, path: Path | None) -> None:
        """Open or create the log in a file (None: in memory)."""
        self.path = path
        self.lock = threading.RLock()  # held by writes, and in memory also by reads
        self.engine = create_log_engine(path)
        weakref.finalize(self, self.engine.dispose)  # closes the file
        with self.translate_errors(), self.engine.begin() as connection:
            metadata.create_all(connection)
            if self.read_setting("id", connection) is None:
                identifier = uuid4().hex
                connection.execute(
                    sa.insert(settings_table),
                    [{"name": name, "value": identifier} for name in ("id", "epoch")],
                )
        self.file_state = self.find_file_state()
        self.id, self.epoch = (self.read_setting(name) or "" for name in ("id", "epoch"))
        newest = sa.select(commits_table.c.version, commits_table.c.time)
        rows = self.select(newest.order_by(commits_table.c.version.desc()).limit(1))
        self.last_version: int = rows[0].version if rows else 0
        self.last_time = parse_log_time(rows[0].time) if rows else BEGINNING_OF_TIME

    def find_file_state(self) -> tuple[tuple[int, int], int]:
        """The device and inode of the file, and its size; zeros without a file, and for a log in memory."""
        try:
            status = self.path.stat() if self.path else None
        except FileNotFoundError:
            status = None
        return ((status.st_dev, status.st_ino), status.st_size) if status else ((0, 0), 0)

    def check_file(self) -> None:
        """Raise StoreError if the file was removed, replaced or cut, as commits would be lost.

        SQLite never makes it smaller.
        """
        (known_file_id, known_size), (file_id, size) = self.file_state, self.find_file_state()
        if file_id != known_file_id or size < known_size:
            raise StoreError(
                f"The change log {self.path} was removed, replaced or truncated while in use. Nothing "
                "was written."
            )
        self.file_state = file_id, size

    def close(self) -> None:
        """Close all connections; the last one moves the write-ahead log into the database."""
        self.engine.dispose()

    def begin_epoch(self) -> None:
        """Begin a new epoch, after a restore."""
        self.epoch = uuid4().hex
        with self.lock, self.transaction() as connection:
            self.write_setting(connection, "epoch", self.epoch)

    @property
    def erased_digests(self) -> list[str]:
        """The SHA-256 of each content that was erased, in order; copies elsewhere may still have it.

        A content that came back and was erased again is listed again.
        """
        return list(json.loads(self.read_setting("erased") or "[]"))

    @property
    def purged_digests(self) -> list[str]:
        """The erased digests up to the last rewrite of the quads: no file of the store has these contents."""
        return self.erased_digests[: int(self.read_setting("purged") or 0)]

    @property
    def flushed_version(self) -> int:
        """The version of the last `mark_flushed`: the engine has it on disk. Else 0."""
        return int(self.read_setting("flushed") or 0)

    def mark_flushed(self) -> None:
        """Record that the engine has all commits on disk, so that none of them will ever be replayed."""
        with self.lock, self.transaction() as connection:
            self.write_setting(connection, "flushed", str(self.last_version))

    def mark_purged(self) -> None:
        """Record that the quads were rewritten, and have none of the contents that were erased until now."""
        with self.lock, self.transaction() as connection:
            self.write_setting(connection, "purged", str(len(self.erased_digests)))

    def write_setting(self, connection: sa.Connection, name: str, value: str) -> None:
        """Set a setting of the log, in a transaction."""
        connection.execute(sa.delete(settings_table).where(settings_table.c.name == name))
        connection.execute(sa.insert(settings_table).values(name=name, value=value))

    def checkpoint(self) -> None:
        """Move the write-ahead log into the database, so that it does not grow.

        Writes need not wait for the first pass. The second one moves what they have added meanwhile, so that
        the next write begins at the start of the file: under constant load, it would grow for ever.
        """
        with self.translate_errors(), self.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")
            with self.lock:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")

    def truncate_wal(self) -> None:
        """Move the write-ahead log into the database, and empty its file, so that erased content is gone.

        Raises StoreError if another process reads the log for longer than BUSY_TIMEOUT_SECONDS.
        """
        with self.lock, self.translate_errors(), self.connect() as connection:
            is_busy, *_ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
        if is_busy:
            raise StoreError(
                f"The file {self.path}-wal may still contain what was erased, because another process, "
                "such as a backup, is reading the change log. Repeat this command when that process has "
                "ended."
            )

    def copy_to(self, path: Path) -> None:
        """Copy the log to a new file, by the backup interface of SQLite; writes can continue meanwhile."""
        make_private_file(path)
        with self.translate_errors(), self.connect() as connection, closing(sqlite3.connect(path)) as target:
            source = connection.connection.driver_connection
            assert isinstance(source, sqlite3.Connection)
            source.backup(target)

    def verify(self) -> None:
        """Raise StoreError if the database is damaged."""
        with self.translate_errors(), self.connect() as connection:
            problem = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar_one()
            if problem != "ok":
                raise UnusableLogError(f"The change log {self.path} is damaged: {problem}.")
            for column in (
                commits_table.c.change,
                graph_snapshots_table.c.content,
                old_contents_table.c.content,
            ):
                for data in connection.execute(sa.select(column).where(column.is_not(None))).scalars():
                    decompress(data)  # compares the checksum

    @contextmanager
    def connect(self) -> Iterator[sa.Connection]:
        """A connection for reading. In memory, all threads share one, so it excludes other threads."""
        with ExitStack() as stack:
            if self.path is None:
                stack.enter_context(self.lock)
            yield stack.enter_context(self.engine.connect())

    @contextmanager
    def translate_errors(self) -> Iterator[None]:
        """Turn errors of the database into StoreError."""
        try:
            yield
        except (sa.exc.SQLAlchemyError, zstd.ZstdError) as error:
            cause = getattr(error, "orig", None) or error
            if "full" in str(cause):
                raise DiskFullError(f"The change log {self.path} is on a disk that is full.") from error
            if isinstance(cause, zstd.ZstdError) or is_sqlite_damage(cause):
                raise UnusableLogError(
                    f"The change log {self.path} is damaged ({cause}); {WITHOUT_LOG_ADVICE}."
                ) from error
            raise StoreError(f"The change log {self.path} failed: {cause}.") from error

    def select(self, statement: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        """The rows of a SELECT."""
        with self.translate_errors(), self.connect() as connection:
            return connection.execute(statement).all()

    def read_setting(self, name: str, connection: sa.Connection | None = None) -> str | None:
        """A setting of the log; None if it is not set."""
        statement = sa.select(settings_table.c.value).where(settings_table.c.name == name)
        rows = connection.execute(statement).all() if connection else self.select(statement)
        return rows[0].value if rows else None

    # Writing.

    def next_time(self) -> datetime:
        """The time of the next entry: now, or 1 µs after the last entry if the clock was set back."""
        return max(datetime.now(UTC), self.last_time + timedelta(microseconds=1))

    def append(self, commits: Sequence[NewCommit]) -> list[LogEntry]:
        """Log commits, in one transaction. They are durable when this returns.

        Raises OutcomeUnknownError if they may be durable nevertheless, other StoreErrors if they are not.
        """
        rows, entries = list[dict[str, Any]](), list[LogEntry]()
        self.check_file()
        with self.lock:
            for commit in commits:
                self.last_time = commit.time or self.next_time()
                entry = LogEntry(
                    self.last_version + 1 + len(entries),
                    self.last_time,
                    WRITE_ENTRY,
                    commit.origin,
                    commit.change,
                )
                rows.append(build_entry_row(entry, compress(serialize_change(commit.change))))
                entries.append(entry)
            with self.transaction() as connection:
                for commit, entry in zip(commits, entries, strict=True):
                    self.keep_contents(connection, commit, entry)
                connection.execute(sa.insert(commits_table), rows)
            self.last_version += len(entries)
        return entries

    def append_step(self, kind: str, origin: CommitOrigin = CommitOrigin()) -> LogEntry:
        """Log a step of a bulk load, whose statements are not in the log."""
        with self.lock:
            self.last_time = self.next_time()
            entry = LogEntry(self.last_version + 1, self.last_time, kind, origin, None)
            with self.transaction() as connection:
                connection.execute(sa.insert(commits_table).values(**build_entry_row(entry, None)))
            self.last_version = entry.version
        return entry

    def withdraw_load(self) -> None:
        """Remove the first step of a bulk load, which is the last entry, as nothing was loaded."""
        with self.lock:
            with self.transaction() as connection:
                is_step = (
                    commits_table.c.version == self.last_version,
                    commits_table.c.kind == LOAD_BEGIN_ENTRY,
                )
                count = connection.execute(sa.delete(commits_table).where(*is_step)).rowcount
            self.last_version -= count

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """A transaction, which is durable at its end. Raises OutcomeUnknownError if that is uncertain."""
        with self.translate_errors(), self.engine.connect() as connection, connection.begin() as transaction:
            yield connection
            try:
                transaction.commit()
            except sa.exc.OperationalError as error:
                # SQLite may have written everything when it reports that a sync failed.
                if "full" in str(error.orig) or "locked" in str(error.orig):
                    raise
                raise OutcomeUnknownError(self.last_version + 1) from error

    def keep_contents(self, connection: sa.Connection, commit: NewCommit, entry: LogEntry) -> None:
        """Record which graphs a commit changes, and where the contents that it replaces can be read."""
        version_before = entry.version - 1
        for replaced in commit.replaced:
            graph = replaced.graph or ""
            if self.is_snapshot_due(connection, graph):
                connection.execute(
                    sa.insert(graph_snapshots_table).values(
                        graph=graph, version=version_before, content=compress(replaced.content)
                    )
                )
            connection.execute(
                sa.insert(old_contents_table).values(
                    digest=replaced.digest, graph=graph, version=version_before
                )
            )
        graphs = {*commit.change.graphs, *([""] if has_default_graph(commit.change) else [])}
        if graphs:
            connection.execute(
                sa.insert(graph_changes_table),
                [{"graph": graph, "version": entry.version} for graph in graphs],
            )

    def is_snapshot_due(self, connection: sa.Connection, graph: str) -> bool:
        """Whether a snapshot of a graph is needed before its next change."""
        newest = self.find_snapshot_version(connection, graph, self.last_version)
        if newest is None:
            return True
        changes = sa.select(sa.func.count()).where(
            graph_changes_table.c.graph == graph, graph_changes_table.c.version > newest
        )
        return bool(connection.execute(changes).scalar_one() >= MAX_CHANGES_BETWEEN_SNAPSHOTS)

    def find_snapshot_version(self, connection: sa.Connection, graph: str, version: int) -> int | None:
        """The version of the last snapshot of a graph up to `version`; None if a bulk load came after it."""
        snapshot = sa.select(sa.func.max(graph_snapshots_table.c.version)).where(
            graph_snapshots_table.c.graph == graph, graph_snapshots_table.c.version <= version
        )
        reset = sa.select(sa.func.max(commits_table.c.version)).where(
            commits_table.c.kind.in_(STEP_ENTRIES), commits_table.c.version <= version
        )
        newest, last_reset = connection.execute(
            sa.select(snapshot.scalar_subquery(), reset.scalar_subquery())
        ).one()
        return newest if newest is not None and newest >= (last_reset or 0) else None

    # Reading.

    def iter_entries(self, after: int = 0, until: int | None = None) -> Iterator[LogEntry]:
        """The entries after a version, up to another one, oldest first. Reads them in batches."""
        while batch := self.read_entries(after, until):
            yield from batch
            after = batch[-1].version

    def read_entries(self, after: int, until: int | None = None, limit: int = 100) -> list[LogEntry]:
        """Up to `limit` entries after a version, up to another one, oldest first."""
        statement = sa.select(commits_table).where(commits_table.c.version > after)
        if until is not None:
            statement = statement.where(commits_table.c.version <= until)
        rows = self.select(statement.order_by(commits_table.c.version).limit(limit))
        with self.translate_errors():
            return [parse_entry_row(row) for row in rows]

    def list_newest_entries(self, before: int, limit: int, kinds: Sequence[str]) -> list[ListedEntry]:
        """Up to `limit` entries of these kinds before a version, newest first, without their changes."""
        columns = [column for column in commits_table.c if column is not commits_table.c.change]
        change_size = sa.func.length(commits_table.c.change).label("size")
        statement = sa.select(*columns, change_size, sa.null().label("change")).where(
            commits_table.c.version < before, commits_table.c.kind.in_(kinds)
        )
        rows = self.select(statement.order_by(commits_table.c.version.desc()).limit(limit))
        return [ListedEntry(parse_entry_row(row), row.size) for row in rows]

    def read_change(self, version: int) -> Change | None:
        """The change of a version; None if it is not in the log."""
        entries = self.read_entries(version - 1, version, limit=1)
        return entries[0].change if entries else None

    def list_changed_graphs(self, after: int, until: int) -> list[str] | None:
        """The named graphs that the commits after a version changed, up to another version, sorted.

        None if one of them is a step of a bulk load, whose graphs are not logged.
        """
        versions, changes = commits_table.c.version, graph_changes_table.c
        is_step = commits_table.c.kind.in_(STEP_ENTRIES)
        if self.select(sa.select(versions).where(is_step, versions > after, versions <= until).limit(1)):
            return None
        is_named = (changes.version > after, changes.version <= until, changes.graph != "")
        rows = self.select(sa.select(changes.graph).where(*is_named).distinct().order_by(changes.graph))
        return [row.graph for row in rows]

    def list_erased_changes(self, version: int) -> set[str]:
        """The graphs (empty: the default graph) whose change in a version was erased."""
        rows = self.select(sa.select(erased_table.c.graph).where(erased_table.c.version == version))
        return {row.graph for row in rows}

    def count_change_bytes(self, version: int) -> int:
        """The compressed size of the change of a version; 0 if it is not in the log."""
        is_version = commits_table.c.version == version
        rows = self.select(sa.select(sa.func.length(commits_table.c.change)).where(is_version))
        return int(rows[0][0] or 0) if rows else 0

    def find_last_reset(self) -> int:
        """The version of the last step of a bulk load, after which all changes are logged; 0 without one."""
        return self.find_last_step()[0]

    def find_last_step(self, kind: str = "") -> tuple[int, str]:
        """The version and the kind of the last step of a bulk load, of a kind if one is given.

        They are 0 and empty if there is none.
        """
        kinds = commits_table.c.kind
        statement = sa.select(commits_table.c.version, kinds)
        statement = statement.where(kinds == kind if kind else kinds.in_(STEP_ENTRIES))
        rows = self.select(statement.order_by(commits_table.c.version.desc()).limit(1))
        return (rows[0].version, rows[0].kind) if rows else (0, "")

    def has_erased_change(self, after: int) -> bool:
        """Whether a change after a version lacks what was erased from it, so that it cannot be replayed."""
        return bool(
            self.select(sa.select(erased_table.c.version).where(erased_table.c.version > after).limit(1))
        )

    def find_end_of_load(self, position: int) -> int:
        """The last version of a bulk load, if `position` is that of its last file; else `position`.

        Its last step changes no stated quads.
        """
        last_step, kind = self.find_last_step()
        is_last_file = position == last_step - 1 == self.find_last_step(LOADED_FILE_ENTRY)[0]
        return last_step if is_last_file and kind == RESET_ENTRY else position

    def keep_content(self, content: bytes) -> str:
        """The SHA-256 of a content in hexadecimal. The commit that replaces the content logs it."""
        return hashlib.sha256(content).hexdigest()

    def read_content(self, digest: str) -> bytes:
        """The old content of a graph with this SHA-256, as sorted N-Triples.

        Raises MissingChangesError if it is no longer kept, StoreError if it is unknown or damaged.
        """
        rows = self.find_old_contents(digest)
        if not rows:
            raise StoreError(f"The version {digest} of a graph is not in the change log.")
        for row in rows:
            with suppress(MissingChangesError):
                return self.check_content(self.read_old_content(row), digest)
        return self.read_old_content(rows[-1])  # raises the error with the reason

    def has_content(self, rows: Sequence[sa.Row[Any]]) -> bool:
        """Whether the content of one of these rows of the table of old contents can be read."""
        for row in rows:
            with suppress(MissingChangesError):
                self.read_old_content(row)
                return True
        return False

    def find_old_contents(self, digest: str) -> Sequence[sa.Row[Any]]:
        """Where a content with this SHA-256 can be read: rows of the table of old contents."""
        return self.select(sa.select(old_contents_table).where(old_contents_table.c.digest == digest))

    def read_old_content(self, row: sa.Row[Any]) -> bytes:
        """The content in a row of the table of old contents. Raises MissingChangesError."""
        if row.version == ERASED_VERSION:
            raise MissingChangesError("This content was erased by the operator of the service.")
        with self.translate_errors():
            return self.read_graph(row.graph, row.version) if row.content is None else decompress(row.content)

    def check_content(self, content: bytes, digest: str) -> bytes:
        """The content. Raises StoreError if it has another SHA-256."""
        if hashlib.sha256(content).hexdigest() != digest:
            raise StoreError(f"The version {digest} of a graph is damaged. Restore it from a backup.")
        return content

    def read_graph(self, graph: str, version: int) -> bytes:
        """The content of a graph (empty: the default graph) after a version, as sorted N-Triples.

        Raises MissingChangesError.
        """
        with self.translate_errors(), self.connect() as connection:
            return self.replay_graph(connection, graph, version)

    def replay_graph(self, connection: sa.Connection, graph: str, version: int) -> bytes:
        """As `read_graph`, with an open connection."""
        snapshot_version = self.find_snapshot_version(connection, graph, version)
        erased = sa.select(erased_table.c.version).where(
            erased_table.c.graph == graph,
            erased_table.c.version > (snapshot_version or 0),
            erased_table.c.version <= version,
        )
        if connection.execute(erased).first():
            raise MissingChangesError("This content was erased by the operator of the service.")
        if snapshot_version is None:
            raise MissingChangesError("This content is not kept in the change log.")
        snapshots, is_replayed = graph_snapshots_table.c, graph_changes_table.c
        content = connection.execute(
            sa.select(snapshots.content).where(
                snapshots.graph == graph, snapshots.version == snapshot_version
            )
        ).scalar_one()
        changes = connection.execute(
            sa.select(commits_table.c.change)
            .join(graph_changes_table, is_replayed.version == commits_table.c.version)
            .where(
                is_replayed.graph == graph,
                is_replayed.version > snapshot_version,
                is_replayed.version <= version,
            )
            .order_by(commits_table.c.version)
        ).scalars()
        lines = set(decompress(content).splitlines(keepends=True))
        for data in changes:
            if data is None:
                raise MissingChangesError(
                    "This content is no longer kept: the service keeps changes for a limited time."
                )
            change = parse_change(decompress(data))
            lines -= select_graph_lines(change.removed, graph)
            lines |= select_graph_lines(change.added, graph)
        return b"".join(sorted(lines))

    def add_old_contents(self, contents: Iterable[tuple[str, bytes]]) -> None:
        """Add contents from before there was a log, each with its SHA-256 in hexadecimal."""
        with self.lock, self.transaction() as connection:
            for digest, content in contents:
                known = sa.select(old_contents_table.c.digest).where(old_contents_table.c.digest == digest)
                if not connection.execute(known).first():
                    values = {"digest": digest, "graph": "", "version": 0, "content": compress(content)}
                    connection.execute(sa.insert(old_contents_table).values(**values))


def create_log_engine(path: Path | None) -> sa.Engine:
    """The SQLAlchemy engine of an SQLite file, with a write-ahead log and durable commits.

    In memory, there is one connection for all threads, which SQLite serializes.
    """
    if path is None:
        engine = sa.create_engine(
            "sqlite://", poolclass=sa.pool.StaticPool, connect_args={"check_same_thread": False}
        )
    else:
        make_private_file(path)
        engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": BUSY_TIMEOUT_SECONDS})

    @sa.event.listens_for(engine, "connect")
    def configure_connection(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy begins transactions
        connection.execute("PRAGMA journal_mode = WAL")
        # FULL syncs the log in each commit; with NORMAL, a power cut would lose the last commits.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")  # erased content is overwritten
        connection.execute("PRAGMA wal_autocheckpoint = 0")  # see `ChangeLog.checkpoint`

    @sa.event.listens_for(engine, "begin")
    def begin_transaction(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def build_entry_row(entry: LogEntry, change: bytes | None) -> dict[str, Any]:
    """The row of an entry, with its compressed change."""
    files = [[file.name, file.media_type, file.sha256] for file in entry.origin.files]
    return {
        "version": entry.version,
        "time": format_log_time(entry.time),
        "kind": entry.kind,
        "writer": entry.origin.writer,
        "title": entry.origin.title,
        "files": json.dumps(files),
        "change": change,
    }


def parse_entry_row(row: sa.Row[Any]) -> LogEntry:
    """The entry of a row."""
    origin = CommitOrigin(row.writer, row.title, tuple(SourceFile(*file) for file in json.loads(row.files)))
    change = None if row.change is None else parse_change(decompress(row.change))
    return LogEntry(row.version, parse_log_time(row.time), row.kind, origin, change)


def format_log_time(time: datetime) -> str:
    """A time as in the log: UTC, ISO 8601, to the microsecond."""
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")


def parse_log_time(text: str) -> datetime:
    """The time of an entry."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def compress(data: bytes) -> bytes:
    """The data, compressed by zstd with a checksum: 150 quads take 0.1 ms, and become a seventh."""
    return zstd.compress(data, options=zstd.WITH_CHECKSUM)


def decompress(data: bytes) -> bytes:
    """The data that `compress` compressed."""
    return zstd.decompress(data)


def has_default_graph(change: Change) -> bool:
    """Whether a change adds or removes quads of the default graph."""
    return any(getattr(quad.graph_name, "value", None) is None for quad in (*change.removed, *change.added))


def select_graph_lines(quads: Iterable[Any], graph: str) -> set[bytes]:
    """The quads of a graph (empty: the default graph) as N-Triples lines."""
    triples = (quad.triple for quad in quads if getattr(quad.graph_name, "value", "") == graph)
    return set(serialize_n_triples(triples).splitlines(keepends=True))
