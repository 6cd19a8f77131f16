"""The change log keeps each commit, in order, and the contents that graphs had before."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyoxigraph as ox
import pytest
import sqlalchemy
from wgig.store import change_log
from wgig.store.change import Change
from wgig.store.change_log import (
    LOAD_BEGIN_ENTRY,
    RESET_ENTRY,
    ChangeLog,
    CommitOrigin,
    NewCommit,
    ReplacedContent,
    SourceFile,
)
from wgig.store.errors import MissingChangesError, StoreError
from wgig.store.store import Store

GRAPH = "urn:graph"


def make_quad(value: int, graph: str = GRAPH) -> ox.Quad:
    return ox.Quad(ox.NamedNode("urn:s"), ox.NamedNode("urn:p"), ox.Literal(value), ox.NamedNode(graph))


def make_commit(log: ChangeLog, value: int) -> NewCommit:
    """The commit that replaces the only value of the graph."""
    removed = [make_quad(value - 1)] if value else []
    content = b"".join(f"{quad.triple} .\n".encode() for quad in removed)
    replaced = ReplacedContent(GRAPH, content, log.keep_content(content))
    return NewCommit(Change(tuple(removed), (make_quad(value),)), replaced=(replaced,) if value else ())


@pytest.fixture(params=["memory", "disk"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> ChangeLog:
    return ChangeLog(None if request.param == "memory" else tmp_path / "log.sqlite")


def test_an_entry_has_its_change_its_writer_and_its_files(log: ChangeLog) -> None:
    origin = CommitOrigin("alice", "PUT /graph/x", (SourceFile("x.ttl", "text/turtle", "ab" * 32),))
    change = Change((make_quad(1),), (make_quad(2),), ("urn:dropped",), ("urn:created",))
    log.append([NewCommit(change, origin)])
    (entry,) = log.iter_entries()
    assert (entry.version, entry.origin, entry.change) == (1, origin, change)
    assert log.last_version == 1


def test_entries_survive_closing_and_are_read_in_batches(tmp_path: Path) -> None:
    log = ChangeLog(tmp_path / "log.sqlite")
    for value in range(250):
        log.append([NewCommit(Change((), (make_quad(value),)))])
    log.close()
    reopened = ChangeLog(tmp_path / "log.sqlite")
    assert [entry.version for entry in reopened.iter_entries(20, 240)] == list(range(21, 241))
    assert (reopened.id, reopened.last_version) == (log.id, 250)


def test_times_increase_although_the_clock_is_set_back(
    log: ChangeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Clock:
        @staticmethod
        def now(_: object) -> datetime:
            return datetime(2026, 1, 1, tzinfo=UTC) - timedelta(hours=log.last_version)

        fromisoformat = datetime.fromisoformat

    monkeypatch.setattr(change_log, "datetime", Clock)
    for value in range(3):
        log.append([NewCommit(Change((), (make_quad(value),)))])
    times = [entry.time for entry in log.iter_entries()]
    assert times == sorted(set(times))


def test_a_failed_transaction_logs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = ChangeLog(tmp_path / "log.sqlite")

    def fail(*_: object) -> None:
        raise StoreError("The disk failed.")

    monkeypatch.setattr(log, "keep_contents", fail)
    with pytest.raises(StoreError):
        log.append([make_commit(log, 0)])
    monkeypatch.undo()
    log.append([make_commit(log, 0)])
    assert [entry.version for entry in ChangeLog(tmp_path / "log.sqlite").iter_entries()] == [1]


def test_old_contents_are_replayed_from_snapshots(log: ChangeLog) -> None:
    for value in range(120):
        log.append([make_commit(log, value)])
    for value in (0, 49, 50, 51, 118):
        content = f"{make_quad(value).triple} .\n".encode()
        assert log.read_content(log.keep_content(content)) == content
    snapshots = log.select(sqlalchemy.select(change_log.graph_snapshots_table.c.version))
    assert [row.version for row in snapshots] == [1, 51, 101]


def test_looking_for_a_bulk_load_does_not_read_all_commits(log: ChangeLog) -> None:
    """Each commit does, so it must not take longer in a longer log."""
    statements = list[str]()
    sqlalchemy.event.listen(
        log.engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2])
    )
    log.append([make_commit(log, 0)])
    log.append([make_commit(log, 1)])
    log.find_last_reset()
    queries = [text for text in statements if "commits" in text and text.startswith("SELECT")]
    assert queries
    with log.connect() as connection:
        for query in queries:
            values = (0,) * query.count("?")
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", values).all()
            assert not [row for row in plan if row[3].startswith("SCAN commits")], plan


def test_a_content_from_before_a_bulk_load_cannot_be_replayed_after_it(log: ChangeLog) -> None:
    log.append([make_commit(log, 0)])
    log.append([make_commit(log, 1)])
    log.append_step(LOAD_BEGIN_ENTRY)
    log.append_step(RESET_ENTRY)
    content = f"{make_quad(0).triple} .\n".encode()
    assert log.read_content(log.keep_content(content)) == content
    with pytest.raises(MissingChangesError):
        log.read_graph(GRAPH, 4)
    log.append([make_commit(log, 2)])
    assert b'"2"' in log.read_graph(GRAPH, 5)


def test_an_unknown_content_is_an_error(log: ChangeLog) -> None:
    with pytest.raises(StoreError, match="is not in the change log"):
        log.read_content("00" * 32)


def test_a_damaged_log_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    ChangeLog(path).close()
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(StoreError, match=r"is damaged \(file is not a database\); restore a backup"):
        ChangeLog(path)


def test_a_copy_of_the_log_is_complete(log: ChangeLog, tmp_path: Path) -> None:
    log.append([make_commit(log, 0)])
    log.copy_to(tmp_path / "copy.sqlite")
    copy = ChangeLog(tmp_path / "copy.sqlite")
    copy.verify()
    assert list(copy.iter_entries()) == list(log.iter_entries())


def test_only_its_owner_can_read_the_log(tmp_path: Path) -> None:
    log = ChangeLog(tmp_path / "log.sqlite")
    log.append([make_commit(log, 0)])
    assert {path.stat().st_mode & 0o077 for path in tmp_path.iterdir()} == {0}


def test_commits_are_synced_to_disk(tmp_path: Path) -> None:
    log = ChangeLog(tmp_path / "log.sqlite")
    with log.connect() as connection:
        modes = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous")
        ]
    assert modes == ["wal", 2]  # 2 is FULL


def test_the_log_of_a_store_has_each_write(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    store.update("INSERT DATA { <urn:s> <urn:p> 1 }")
    store.update("INSERT DATA { <urn:s> <urn:p> 1 }")  # changes nothing
    store.update("DELETE WHERE { ?s ?p ?o }")
    with sqlite3.connect(tmp_path / "log.sqlite") as connection:
        assert connection.execute("SELECT version, kind FROM commits").fetchall() == [
            (1, "write"),
            (2, "write"),
        ]
