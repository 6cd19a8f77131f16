"""Many small writes: the change log, its write-ahead log, what a start replays, and memory stay bounded."""

import gc
import time
import tracemalloc
from pathlib import Path

import pyoxigraph as ox
import pytest
import sqlalchemy as sa
from wgig.store import change_log, transactions
from wgig.store.change import Change
from wgig.store.change_log import MAX_CHANGES_BETWEEN_SNAPSHOTS, NewCommit, ReplacedContent
from wgig.store.folder import CHANGE_LOG_FILE
from wgig.store.position import EnginePosition
from wgig.store.store import Store

from tests.fixtures.stores import copy_as_killed

pytestmark = pytest.mark.long

COMMIT_COUNT, GRAPH = 2000, "urn:g"
QUADS_PER_COMMIT = 2  # one is removed, one added
MAX_UNFLUSHED_QUADS = 4000  # instead of 10,000, so that fewer commits are needed
MAX_REPLAYED_COMMITS = MAX_UNFLUSHED_QUADS // (transactions.COMMIT_QUADS + QUADS_PER_COMMIT)
MAX_LAG_COMMITS = 2 * MAX_REPLAYED_COMMITS  # while the engine is flushed, writes continue
COMMIT_WAL_BYTES, COMMIT_LOG_BYTES, COMMIT_MEMORY_BYTES = 30_000, 1000, 100
FLUSH_TIMEOUT_SECONDS = 60


def commit_number(store: Store, number: int) -> None:
    """Replace the only triple of the graph, and keep its old content in the log."""
    subject, predicate, graph = ox.NamedNode("urn:s"), ox.NamedNode("urn:n"), ox.NamedNode(GRAPH)
    old, new = (ox.Quad(subject, predicate, ox.Literal(value), graph) for value in (number - 1, number))
    if number == 0:
        store.commit([NewCommit(Change((), (new,), (), (GRAPH,)))])
        return
    content = f"{old.triple} .\n".encode()
    replaced = ReplacedContent(GRAPH, content, store.log.keep_content(content))
    store.commit([NewCommit(Change((old,), (new,)), replaced=[replaced])])


def count_rows(store: Store, table: sa.Table) -> int:
    return int(store.log.select(sa.select(sa.func.count()).select_from(table))[0][0])


def measure_memory() -> int:
    """The bytes of all objects in use."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def wait_for_position(folder: Path, version: int) -> EnginePosition:
    """The position of a store, when it is at least this version."""
    deadline = time.monotonic() + FLUSH_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        position = EnginePosition.read(folder)
        if position and position.version >= version:
            return position
        time.sleep(0.01)
    raise AssertionError(f"the position is still before version {version}")


def test_many_small_writes_take_bounded_space_time_and_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transactions, "MAX_UNFLUSHED_QUADS", MAX_UNFLUSHED_QUADS)
    folder = tmp_path / "store"
    store = Store.open(folder)
    store.update_in_background()
    max_wal_bytes, wal = 0, folder / f"{CHANGE_LOG_FILE}-wal"
    tracemalloc.start()
    for number in range(COMMIT_COUNT):
        commit_number(store, number)
        if number == MAX_REPLAYED_COMMITS:
            start_bytes = measure_memory()
        if number % 100 == 0:
            max_wal_bytes = max(max_wal_bytes, wal.stat().st_size)
    end_bytes = measure_memory()
    tracemalloc.stop()
    assert (end_bytes - start_bytes) / (COMMIT_COUNT - MAX_REPLAYED_COMMITS) < COMMIT_MEMORY_BYTES
    assert max_wal_bytes < MAX_LAG_COMMITS * COMMIT_WAL_BYTES

    assert count_rows(store, change_log.commits_table) == COMMIT_COUNT
    assert count_rows(store, change_log.graph_changes_table) == COMMIT_COUNT
    assert count_rows(store, change_log.graph_snapshots_table) == -(
        -(COMMIT_COUNT - 1) // MAX_CHANGES_BETWEEN_SNAPSHOTS
    )

    wait_for_position(folder, COMMIT_COUNT - MAX_LAG_COMMITS)
    killed = copy_as_killed(store, tmp_path / "killed")
    messages = list[str]()
    reopened = Store.open(killed, print_message=messages.append)
    assert set(reopened.match()) == set(store.match())
    for message in messages:
        assert int(message.split()[1]) <= MAX_LAG_COMMITS, message
    store.close()
    assert (folder / CHANGE_LOG_FILE).stat().st_size < COMMIT_COUNT * COMMIT_LOG_BYTES
