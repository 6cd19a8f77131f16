"""Full scan of the store, which finds the versions that no commit of the change log explains.

It is necessary at the first start, and after a bulk load or a restore. The quads of each stated graph are
read once, in the order of their subjects. The states that this gives are sorted by IRI in a scratch file, as
a resource may have quads in several graphs, and merged with the resources of the database. Large stores are
scanned on a snapshot by a separate process with low priority, which ends with the service.
"""

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import groupby, islice
from multiprocessing import get_context, parent_process
from multiprocessing.process import BaseProcess
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

import pyoxigraph as ox

from ...settings import MIB
from ..change import GraphName
from ..errors import StoreError
from ..sqlite import connect_sqlite, remove_sqlite_file
from ..view import StoreView
from .database import ResourceVersions
from .members import ACTIVITY_DELETE
from .migration import migrate_database
from .states import ResourceState, StatePacker, StateReader, get_derived_graphs

LARGE_STORE_BYTES = 64 * MIB  # a separate process scans a store of this size on disk or larger
SCAN_NICE_LEVEL = 10  # added to the nice value: lower priority than the service
SCRATCH_FILE = "changes-scan.sqlite"
MAX_READ_PROCESSES = 4  # at most one a core
SLICE_GRAPHS = 500  # read by a process at once
SCAN_BATCH_QUADS = 10_000  # whose lines are held in memory
MERGE_BATCH_RESOURCES = 1000  # read at once from the database
MISSING_ROW = 0  # of a resource that the scan did not find
# Tables: `scanned` has the states in the order of the scan, one for each graph and subject; `differences`,
# the row of each state that differs from the database. Column `at` is empty if the time is not known.
SCRATCH_SCHEMA = """
CREATE TABLE scanned (iri TEXT NOT NULL, at TEXT NOT NULL, digest BLOB NOT NULL, state BLOB NOT NULL);
CREATE TABLE differences (iri TEXT NOT NULL, at TEXT NOT NULL, known INTEGER NOT NULL, row INTEGER NOT NULL);
"""


ScannedRow = tuple[str, str, bytes, bytes]  # of the table `scanned`


class OvertakenScanError(StoreError):
    """Another scan has begun, so this one must end."""


@dataclass(frozen=True)
class ScanTimes:
    """The time of the last change of each graph by its IRI, and the time of all other changes (ISO 8601)."""

    by_graph: Mapping[str, str]
    now: str


@dataclass(frozen=True)
class LogPosition:
    """A version of a change log, which is identified by its id."""

    log_id: str
    version: int


def scan_view(versions: ResourceVersions, view: StoreView, times: ScanTimes, position: LogPosition) -> None:
    """Add versions of new, changed and deleted resources. The view has the version of the log at `position`.

    Raises StoreError, and OvertakenScanError if another process has begun a later scan.
    """
    number = versions.begin_scan()
    if versions.is_older_format:
        migrate_database(versions)
    with open_scratch_file(versions) as scratch:
        add_scanned_states(scratch, versions, view, times)
        add_differences(scratch, versions, times)
        with versions.transaction(
            must_sync=True
        ):  # not replayed from the log, and clients cache pages forever
            if not versions.is_last_scan(number):
                raise OvertakenScanError(f"A later scan than number {number} has begun.")
            versions.write_states(iter_differences(scratch))
            versions.write_position(position.log_id, position.version)


@contextmanager
def translate_scratch_errors() -> Iterator[None]:
    """Turn errors of the scratch file into StoreError."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"The store cannot be scanned for changes: {error}.") from error


@contextmanager
def open_scratch_file(versions: ResourceVersions) -> Iterator[sqlite3.Connection]:
    """A temporary database beside that of the versions; in memory if that is in memory."""
    path = versions.path and versions.path.with_name(SCRATCH_FILE)
    if path:
        remove_sqlite_file(path)  # from an interrupted scan
    with translate_scratch_errors():
        scratch = connect_sqlite(path)
        try:
            scratch.execute("PRAGMA journal_mode = OFF")
            scratch.execute("PRAGMA synchronous = OFF")
            scratch.execute("PRAGMA temp_store = MEMORY")  # sorts keys: 100 bytes a resource
            scratch.executescript(SCRATCH_SCHEMA)
            yield scratch
        finally:
            scratch.close()
            if path:
                remove_sqlite_file(path)


def add_scanned_states(
    scratch: sqlite3.Connection, versions: ResourceVersions, view: StoreView, times: ScanTimes
) -> None:
    """Add the states that the stated quads of each graph give to the scratch file."""
    derived_graphs = get_derived_graphs(versions.base)
    graphs = [graph for graph in view.graph_names() if graph not in derived_graphs]
    scratch.execute("BEGIN")
    for rows in iter_scanned_rows(view, versions.base, graphs, times):
        scratch.executemany("INSERT INTO scanned VALUES (?, ?, ?, ?)", rows)
    scratch.execute("CREATE INDEX scanned_by_iri ON scanned (iri)")
    scratch.execute("COMMIT")


def iter_scanned_rows(
    view: StoreView, base: str, graphs: list[GraphName], times: ScanTimes
) -> Iterator[Iterable[ScannedRow]]:
    """The rows of these graphs. Several processes read a large snapshot, as its terms are slow to read."""
    snapshot = view.folder
    if not snapshot or not is_large_snapshot(snapshot):
        yield read_graph_states(view, base, graphs, times)
        return
    slices = [graphs[start : start + SLICE_GRAPHS] for start in range(0, len(graphs), SLICE_GRAPHS)]
    process_count = min(MAX_READ_PROCESSES, len(os.sched_getaffinity(0)))
    context = get_context("spawn")
    with ProcessPoolExecutor(process_count, context, initializer=prepare_scan_process, initargs=(0,)) as pool:
        yield from pool.map(partial(read_snapshot_states, snapshot, base, times), slices)


def read_snapshot_states(
    snapshot: Path, base: str, times: ScanTimes, graphs: list[GraphName]
) -> list[ScannedRow]:
    """The rows of these graphs of a snapshot; runs in a process that reads."""
    view = StoreView(ox.Store.read_only(str(snapshot)))
    return list(read_graph_states(view, base, graphs, times))


def read_graph_states(
    view: StoreView, base: str, graphs: list[GraphName], times: ScanTimes
) -> Iterator[ScannedRow]:
    """The rows of these graphs: one or, in a large graph, several for each subject."""
    states, packer = StateReader(base), StatePacker()
    for graph in graphs:
        changed_at = times.by_graph.get(graph.value, "") if isinstance(graph, ox.NamedNode) else ""
        quads = view.graph_quads(graph)
        while batch := list(islice(quads, SCAN_BATCH_QUADS)):
            for iri, lines in states.group_lines(batch).items():
                yield (iri, changed_at, *packer.pack(lines))


class ScannedState(NamedTuple):
    """The row of a state in the scratch file; `changed_at` is empty if the time is not known."""

    iri: str
    row: int
    changed_at: str
    digest: bytes


def iter_scanned_states(scratch: sqlite3.Connection, versions: ResourceVersions) -> Iterator[ScannedState]:
    """The scanned state of each resource, sorted by IRI; several rows of one are merged in the first."""
    packer = StatePacker()
    rows = scratch.execute("SELECT iri, rowid, at, digest FROM scanned ORDER BY iri, rowid")
    for _, group in groupby(map(ScannedState._make, rows), itemgetter(0)):
        first, *others = group
        if not others:
            yield first
            continue
        lines = set[str]()
        for part in (first, *others):
            ((content,),) = scratch.execute("SELECT state FROM scanned WHERE rowid = ?", (part.row,))
            lines |= versions.states.split_lines(packer.unpack(content))
        changed_at = max(part.changed_at for part in (first, *others))
        digest, content = packer.pack(lines)
        scratch.execute(
            "UPDATE scanned SET state = ?, digest = ? WHERE rowid = ?", (content, digest, first.row)
        )
        yield ScannedState(first.iri, first.row, changed_at, digest)


def iter_existing_resources(versions: ResourceVersions) -> Iterator[tuple[str, bytes]]:
    """The IRI and the digest of the state of each resource that exists in the database, sorted by IRI."""
    select = "SELECT iri, digest FROM resources WHERE iri > ? AND activity <> ? ORDER BY iri LIMIT ?"
    last_iri = ""
    while rows := versions.select_rows(select, last_iri, ACTIVITY_DELETE, MERGE_BATCH_RESOURCES):
        yield from rows
        last_iri = rows[-1][0]


def add_differences(scratch: sqlite3.Connection, versions: ResourceVersions, times: ScanTimes) -> None:
    """Add what differs between the scan and the database to the scratch file."""
    newest = versions.read_setting("newest")
    now = max(times.now, newest)  # times must not decrease, also if the clock was set back

    def iter_rows() -> Iterator[tuple[str, str, bool, int]]:
        existing = iter_existing_resources(versions)
        known = next(existing, None)
        for state in iter_scanned_states(scratch, versions):
            while known and known[0] < state.iri:
                yield (known[0], now, False, MISSING_ROW)
                known = next(existing, None)
            is_same_resource = known is not None and known[0] == state.iri
            if not (known and is_same_resource and known[1] == state.digest):
                is_time_known = bool(state.changed_at) and state.changed_at >= newest
                yield (state.iri, state.changed_at if is_time_known else now, is_time_known, state.row)
            if is_same_resource:
                known = next(existing, None)
        while known:
            yield (known[0], now, False, MISSING_ROW)
            known = next(existing, None)

    scratch.execute("BEGIN")
    scratch.executemany("INSERT INTO differences VALUES (?, ?, ?, ?)", iter_rows())
    scratch.execute("CREATE INDEX differences_by_time ON differences (at, iri, known, row)")
    scratch.execute("COMMIT")


def iter_differences(scratch: sqlite3.Connection) -> Iterator[ResourceState]:
    """The states that differ, sorted by time and IRI."""
    rows = scratch.execute(
        """SELECT differences.iri, differences.at, known, COALESCE(digest, x''), COALESCE(state, x'')
        FROM differences LEFT JOIN scanned ON scanned.rowid = differences.row
        ORDER BY differences.at, differences.iri"""
    )
    return map(ResourceState._make, rows)


def scan_snapshot(
    versions: ResourceVersions,
    view: StoreView,
    times: ScanTimes,
    position: LogPosition,
    nice_increment: int = SCAN_NICE_LEVEL,
) -> None:
    """Like `scan_view`, but scan a large snapshot on disk in a separate process, by default a slow one."""
    snapshot = view.folder
    if not snapshot or not is_large_snapshot(snapshot):
        scan_view(versions, view, times, position)
        return
    initializer, initargs = prepare_scan_process, (nice_increment,)
    with ProcessPoolExecutor(1, get_context("spawn"), initializer=initializer, initargs=initargs) as pool:
        try:
            pool.submit(scan_in_process, versions.path, versions.base, snapshot, times, position).result()
        except BrokenProcessPool as error:
            raise StoreError("The process that scans the store for changes was killed.") from error


def is_large_snapshot(snapshot: Path) -> bool:
    """Whether separate processes scan the snapshot."""
    return sum(path.stat().st_size for path in snapshot.iterdir()) >= LARGE_STORE_BYTES


def prepare_scan_process(nice_increment: int) -> None:
    """Lower the priority of the process, and make it end with its parent, whose priority it has at first."""
    os.nice(nice_increment)
    threading.Thread(target=exit_with_parent, args=(parent_process(),), daemon=True).start()


def exit_with_parent(parent: BaseProcess) -> None:
    """Exit when the parent process ends."""
    parent.join()
    os._exit(1)


def scan_in_process(
    path: Path | None, base: str, snapshot: Path, times: ScanTimes, position: LogPosition
) -> None:
    """Open the database and the snapshot, and scan them; runs in the scan process."""
    view = StoreView(ox.Store.read_only(str(snapshot)), snapshot)
    scan_view(ResourceVersions(path, base), view, times, position)
