"""Old content is removed from the change log: named versions, or all before some time."""

import errno
import sqlite3
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyoxigraph as ox
import pytest
from wgig.store import change_log, retention
from wgig.store.change import Change
from wgig.store.change_log import ChangeLog, NewCommit, ReplacedContent
from wgig.store.errors import MissingChangesError, StoreError
from wgig.store.folder import CHANGE_LOG_FILE, QUADS_FOLDER
from wgig.store.position import POSITION_FILE, EnginePosition
from wgig.store.retention import CautiousClock, compact_log, erase_content
from wgig.store.store import Store

from tests.fixtures.stores import copy_as_killed

from .test_change_log import GRAPH, make_commit, make_quad

SECRET = 77_777  # a value that nothing else contains


@pytest.fixture
def log(tmp_path: Path) -> ChangeLog:
    """A log whose versions 1 to 9 set the value of the graph to SECRET and the eight numbers after it."""
    log = ChangeLog(tmp_path / "log.sqlite")
    for value in range(9):
        commit = make_commit(log, SECRET + value)
        log.append([commit if value else NewCommit(Change((), commit.change.added))])
    return log


def serialize_value(value: int) -> bytes:
    return f"{make_quad(value).triple} .\n".encode()


def test_an_erased_content_is_gone_and_the_others_remain(log: ChangeLog) -> None:
    erase_content(log, log.keep_content(serialize_value(SECRET + 2)))
    with pytest.raises(MissingChangesError, match="erased by the operator"):
        log.read_graph(GRAPH, 3)
    with pytest.raises(MissingChangesError, match="erased by the operator"):
        log.read_content(log.keep_content(serialize_value(SECRET + 2)))
    for version in (1, 2, 4, 5, 9):
        assert log.read_graph(GRAPH, version) == serialize_value(SECRET + version - 1)
    assert [entry.version for entry in log.iter_entries()] == list(range(1, 10))


def test_no_entry_has_the_erased_quad(log: ChangeLog) -> None:
    erase_content(log, log.keep_content(serialize_value(SECRET + 2)))
    changes = [entry.change for entry in log.iter_entries()]
    quads = {quad for change in changes if change for quad in (*change.removed, *change.added)}
    assert make_quad(SECRET + 2) not in quads
    assert {make_quad(SECRET + 1), make_quad(SECRET + 3)} <= quads


def test_a_content_that_came_back_is_erased_everywhere(log: ChangeLog) -> None:
    content = serialize_value(SECRET + 2)
    replaced = ReplacedContent(
        GRAPH, serialize_value(SECRET + 8), log.keep_content(serialize_value(SECRET + 8))
    )
    log.append([NewCommit(Change((make_quad(SECRET + 8),), (make_quad(SECRET + 2),)), replaced=[replaced])])
    log.append(
        [
            NewCommit(
                Change((make_quad(SECRET + 2),)),
                replaced=[ReplacedContent(GRAPH, content, log.keep_content(content))],
            )
        ]
    )
    erase_content(log, log.keep_content(content))
    assert log.read_graph(GRAPH, 11) == b""
    for version in (3, 10):
        with pytest.raises(MissingChangesError, match="erased by the operator"):
            log.read_graph(GRAPH, version)


def test_a_content_from_before_the_first_change_is_erased(tmp_path: Path) -> None:
    log = ChangeLog(tmp_path / "log.sqlite")
    log.append([NewCommit(Change((), (make_quad(1, "urn:other"),)))])
    log.append([make_commit(log, SECRET)])
    erase_content(log, log.keep_content(serialize_value(SECRET - 1)))
    with pytest.raises(MissingChangesError, match="erased by the operator"):
        log.read_graph(GRAPH, 1)
    assert log.read_graph(GRAPH, 2) == serialize_value(SECRET)


def test_an_unknown_content_cannot_be_erased(log: ChangeLog) -> None:
    with pytest.raises(StoreError, match="has no version"):
        erase_content(log, log.keep_content(serialize_value(SECRET + 8)))


def test_compacting_keeps_the_contents_since_then(log: ChangeLog) -> None:
    entries = list(log.iter_entries())
    assert compact_log(log, entries[5].time, 9) == 5
    assert compact_log(log, entries[5].time, 9) == 0
    for version in (5, 6, 7, 8, 9):
        assert log.read_graph(GRAPH, version) == serialize_value(SECRET + version - 1)
    for version in (1, 2, 3, 4):
        with pytest.raises(MissingChangesError):
            log.read_graph(GRAPH, version)
    assert [entry.origin for entry in log.iter_entries()] == [entry.origin for entry in entries]


def test_a_graph_can_be_changed_after_everything_was_compacted(log: ChangeLog) -> None:
    compact_log(log, datetime.now(UTC), 9)
    log.append([make_commit(log, SECRET + 9)])
    assert log.read_graph(GRAPH, 10) == serialize_value(SECRET + 9)
    assert log.read_graph(GRAPH, 9) == serialize_value(SECRET + 8)


@pytest.mark.parametrize("values", [(2, 3), (3, 2), (2, 4, 3), (0,), (1, 0)])
def test_contents_next_to_each_other_are_erased_in_any_order(log: ChangeLog, values: tuple[int, ...]) -> None:
    for value in values:
        erase_content(log, log.keep_content(serialize_value(SECRET + value)))
    for value in range(9):
        if value in values:
            with pytest.raises(MissingChangesError, match="erased by the operator"):
                log.read_graph(GRAPH, value + 1)
        else:
            assert log.read_graph(GRAPH, value + 1) == serialize_value(SECRET + value)


def test_the_log_is_compacted_up_to_an_erased_content(log: ChangeLog) -> None:
    erase_content(log, log.keep_content(serialize_value(SECRET + 4)))
    assert compact_log(log, list(log.iter_entries())[5].time, 5) == 5
    for version in (6, 7, 8, 9):
        assert log.read_graph(GRAPH, version) == serialize_value(SECRET + version - 1)


@pytest.mark.parametrize("lost", [POSITION_FILE, QUADS_FOLDER])
@pytest.mark.parametrize("is_purged", [True, False])
def test_a_log_with_erased_changes_is_not_replayed_from_nothing(
    tmp_path: Path, lost: str, is_purged: bool
) -> None:
    store = Store.open(tmp_path / "store")
    for value in range(4):
        commit = make_commit(store.log, SECRET + value)
        store.commit([commit if value else NewCommit(Change((), commit.change.added))])
    store.forget([store.log.keep_content(serialize_value(SECRET + 1))])
    if is_purged:
        store.purge_quads(lambda _: None)
    store.commit([make_commit(store.log, SECRET + 4)])
    killed = copy_as_killed(store, tmp_path / "killed")
    (killed / lost).rename(tmp_path / "lost")
    if lost == QUADS_FOLDER:
        for _ in range(2):
            with pytest.raises(StoreError, match=r"because wgig forget erased some\. Restore a backup"):
                Store.open(killed)
        (tmp_path / "lost").rename(killed / lost)  # no engine was created in its place
    # Without a position, the commits after the erasure are replayed.
    assert [quad.object for quad in Store.open(killed).match()] == [make_quad(SECRET + 4).object]


def test_the_log_knows_what_was_erased(log: ChangeLog) -> None:
    digests = [log.keep_content(serialize_value(SECRET + value)) for value in (3, 1)]
    for digest in digests:
        erase_content(log, digest)
    assert log.erased_digests == digests


def test_erasing_a_compacted_content_from_before_the_log_changes_no_graph(tmp_path: Path) -> None:
    log = ChangeLog(tmp_path / "log.sqlite")
    content = serialize_value(SECRET)
    digest = log.keep_content(content)
    log.add_old_contents([(digest, content)])
    for quad in (make_quad(0), ox.Quad(*make_quad(1).triple)):
        log.append([NewCommit(Change((), (quad,)))])
    entries = list(log.iter_entries())
    assert compact_log(log, entries[1].time, 2) == 1
    erase_content(log, digest)
    assert list(log.iter_entries())[1].change == entries[1].change


def test_a_reader_that_keeps_erased_content_in_the_log_file_is_reported(
    log: ChangeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = log.path
    assert path
    monkeypatch.setattr(change_log, "BUSY_TIMEOUT_SECONDS", 0)
    log.close()
    digest = log.keep_content(serialize_value(SECRET + 2))
    log = ChangeLog(path)
    log.append([make_commit(log, SECRET + 9)])
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT COUNT(*) FROM commits").fetchall()
    assert erase_content(log, digest)
    with pytest.raises(StoreError, match="may still contain what was erased"):
        log.truncate_wal()
    reader.close()
    log.truncate_wal()
    assert path.with_name(f"{path.name}-wal").stat().st_size == 0
    assert log.read_graph(GRAPH, 4) == serialize_value(SECRET + 3)


def write_numbers(store: Store, numbers: range) -> None:
    for number in numbers:
        store.update(f"INSERT DATA {{ GRAPH <urn:g> {{ <urn:s> <urn:p> {number} }} }}")


@pytest.mark.parametrize("task", ["compact", "forget"])
def test_no_change_is_removed_that_has_to_be_replayed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: str
) -> None:
    """The engine may lose what was not flushed, in a power cut."""
    store = Store.open(tmp_path / "store")
    write_numbers(store, range(3))
    content = store.serialize_graph("urn:g", "application/n-triples")
    content = b"".join(sorted(content.splitlines(keepends=True)))
    replaced = [ReplacedContent("urn:g", content, store.log.keep_content(content))]
    change = store.compute_replacement("urn:g", [make_quad(7).triple])
    store.commit([NewCommit(change, replaced=replaced)])

    def remove() -> None:
        if task == "compact":
            assert store.compact(datetime.now(UTC)) == 4
        else:
            store.forget([replaced[0].digest])
            assert (tmp_path / "store" / f"{CHANGE_LOG_FILE}-wal").stat().st_size == 0

    with monkeypatch.context() as patched:
        patched.setattr(EnginePosition, "write", fail_with_full_disk)
        with pytest.raises(StoreError, match="disk that is full"):
            remove()
    assert all(entry.change for entry in store.log.iter_entries())
    assert store.old_contents.read_content(replaced[0].digest) == content
    remove()
    position = EnginePosition.read(tmp_path / "store")
    assert position
    assert position.version == 4
    killed = copy_as_killed(store, tmp_path / "killed")
    assert set(Store.open(killed).match()) == {make_quad(7, "urn:g")}


def fail_with_full_disk(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_clock_that_is_set_forward_by_mistake_makes_no_version_old(monkeypatch: pytest.MonkeyPatch) -> None:
    now, seconds = datetime(2026, 1, 1, tzinfo=UTC), 1000.0

    class SystemClock:
        @staticmethod
        def now(_: object) -> datetime:
            return now

    monkeypatch.setattr(retention, "datetime", SystemClock)
    monkeypatch.setattr(time, "monotonic", lambda: seconds)
    clock = CautiousClock()
    for hours, jump, expected_hours in ((1, 24 * 365, 1), (2, 0, 2), (3, -24, 3 - 24), (4, 0, 4)):
        now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hours + jump)
        seconds = 1000.0 + hours * 3600
        assert clock.now() == datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=expected_hours)
