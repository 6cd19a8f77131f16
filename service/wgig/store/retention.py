"""Removing old content: of named versions for good, or of all versions after some time.

The header of each entry in the change log remains: its version, time, writer and title. Erased content is
overwritten on disk. As the engine keeps each text that it ever stored, its quads are written to new files
(`copy_quads`) after an erasure. Backups made before still have the content.
"""

import json
import shutil
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import sqlalchemy as sa

from ..files import make_private_folder
from .change import Change, parse_change, serialize_change
from .change_log import (
    ERASED_VERSION,
    ChangeLog,
    commits_table,
    compress,
    decompress,
    erased_table,
    format_log_time,
    graph_changes_table,
    graph_snapshots_table,
    old_contents_table,
)
from .errors import MissingChangesError, StoreError


class CautiousClock:
    """A clock for what cannot be undone: set forward by mistake, the system clock does not change it.

    The time passes as fast as in this process, or is that of the system clock if that is earlier.
    """

    def __init__(self) -> None:
        """Start at the time of the system clock."""
        self.start, self.started_seconds = datetime.now(UTC), time.monotonic()

    def now(self) -> datetime:
        """The time in UTC."""
        return min(datetime.now(UTC), self.start + timedelta(seconds=time.monotonic() - self.started_seconds))


def erase_content(log: ChangeLog, digest: str) -> bool:
    """Erase a content that a graph had before, by its SHA-256 in hexadecimal, wherever the log has it.

    Later contents of the graph remain readable. Returns False, without a change, if it was erased before.
    Raises StoreError if there is no such content, or if it is the current one again.
    """
    rows = log.find_old_contents(digest)
    if not rows:
        raise StoreError(f"The change log has no version {digest} of any graph.")
    if digest in log.erased_digests and not log.has_content(rows):
        return False
    erased_digests = json.dumps([*log.erased_digests, digest])
    with log.lock, log.transaction() as connection:
        for row in rows:
            if is_replayed_content(row):
                erase_graph_version(log, connection, row.graph, row.version)
        connection.execute(
            sa.update(old_contents_table)
            .where(old_contents_table.c.digest == digest, old_contents_table.c.content.is_not(None))
            .values(content=None, version=ERASED_VERSION)
        )
        log.write_setting(connection, "erased", erased_digests)
    return True


def copy_quads(quads: ox.Store, folder: Path) -> None:
    """Write all quads and graphs to a new store of the engine in `folder`, durably.

    A million quads take 10 s. Raises OSError.
    """
    shutil.rmtree(folder, ignore_errors=True)
    make_private_folder(folder)
    copy = ox.Store(folder)
    copy.bulk_extend(quads)
    for graph in quads.named_graphs():
        copy.add_graph(graph)
    copy.flush()


def is_replayed_content(row: sa.Row[Any]) -> bool:
    """Whether an old content is in changes of the log, and not beside them, from before there was a log."""
    return row.content is None and row.version != ERASED_VERSION and bool(row.graph or row.version)


def erase_graph_version(log: ChangeLog, connection: sa.Connection, graph: str, version: int) -> None:
    """Erase the content that a graph (empty: the default graph) had after a version.

    Raises StoreError if it is the current content.
    """
    changes, is_changed = graph_changes_table.c, graph_changes_table.c.graph == graph
    first = connection.execute(
        sa.select(sa.func.max(changes.version)).where(is_changed, changes.version <= version)
    ).scalar_one()
    last = connection.execute(
        sa.select(sa.func.min(changes.version)).where(is_changed, changes.version > version)
    ).scalar_one()
    if last is None:
        raise StoreError("This is the current content of the graph. Replace or delete it first.")
    keep_graph_snapshot(log, connection, graph, last)
    for changed_version in (version if first is None else first, last):
        erase_graph_change(connection, graph, changed_version)
    snapshots = graph_snapshots_table.c
    connection.execute(
        sa.delete(graph_snapshots_table).where(
            snapshots.graph == graph, snapshots.version >= (first or 0), snapshots.version < last
        )
    )


def erase_graph_change(connection: sa.Connection, graph: str, version: int) -> None:
    """Remove the quads of a graph from the change of a version."""
    is_version = commits_table.c.version == version
    data = connection.execute(sa.select(commits_table.c.change).where(is_version)).scalar_one_or_none()
    if data is not None:
        change = parse_change(decompress(data))
        removed, added = (
            tuple(quad for quad in quads if getattr(quad.graph_name, "value", "") != graph)
            for quads in (change.removed, change.added)
        )
        rest = compress(serialize_change(Change(removed, added, change.dropped, change.created)))
        connection.execute(sa.update(commits_table).where(is_version).values(change=rest))
    connection.execute(
        sa.insert(erased_table)
        .prefix_with("OR IGNORE", dialect="sqlite")
        .values(graph=graph, version=version)
    )


def compact_log(log: ChangeLog, before: datetime, last_version: int) -> int:
    """Remove the changes, and the old contents, of all versions before a time. Returns how many versions.

    No version after `last_version` is removed, which the engine has on disk, so that it is never replayed.
    The contents of graphs from that time on remain readable. Writes wait for one graph at a time.
    """
    versions = commits_table.c.version
    is_before = (commits_table.c.time < format_log_time(before)) & (versions <= last_version)
    horizon = log.select(sa.select(sa.func.max(versions)).where(is_before))[0][0] or 0
    is_old = (versions <= horizon, commits_table.c.change.is_not(None))
    count = int(log.select(sa.select(sa.func.count()).select_from(commits_table).where(*is_old))[0][0])
    if count:
        remove_changes(log, horizon)
    log.truncate_wal()  # also what an earlier call could not
    return count


def remove_changes(log: ChangeLog, horizon: int) -> None:
    """Remove the changes, and the old contents, of all versions up to the horizon."""
    changed = sa.select(graph_changes_table.c.graph).where(graph_changes_table.c.version > horizon).distinct()
    for (graph,) in log.select(changed):
        with log.lock, log.transaction() as connection:
            keep_graph_snapshot(log, connection, graph, horizon)
    is_old = commits_table.c.version <= horizon
    with log.lock, log.transaction() as connection:
        connection.execute(sa.update(commits_table).where(is_old).values(change=None))
        connection.execute(sa.delete(graph_snapshots_table).where(graph_snapshots_table.c.version < horizon))
        is_older = old_contents_table.c.version < horizon
        connection.execute(sa.update(old_contents_table).where(is_older).values(content=None))


def keep_graph_snapshot(log: ChangeLog, connection: sa.Connection, graph: str, version: int) -> None:
    """Keep the content of a graph after a version, so that no earlier change of it is needed.

    A content that is not in the log gets none: after a bulk load, the next change of the graph keeps it, and
    an erased one is not needed.
    """
    snapshot_version = log.find_snapshot_version(connection, graph, version)
    if snapshot_version is None or snapshot_version == version:
        return
    with suppress(MissingChangesError):
        content = compress(log.replay_graph(connection, graph, version))
        connection.execute(
            sa.insert(graph_snapshots_table).values(graph=graph, version=version, content=content)
        )
