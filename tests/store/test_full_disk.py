"""A disk that is full at any step of a write: nothing is lost, and writing goes on when there is space."""

import errno
import gc
import io
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
import sqlalchemy
from wgig.graphs.description.derived import DescriptionGraphs
from wgig.store import position, transactions
from wgig.store.change_log import ChangeLog
from wgig.store.errors import DiskFullError, OutcomeUnknownError, StoreError, StoreStoppedError
from wgig.store.folder import CHANGE_LOG_FILE, QUADS_FOLDER
from wgig.store.position import EnginePosition
from wgig.store.store import Store

from tests.fixtures.stores import BASE, copy_as_killed

RULE = "CONSTRUCT { ?s a <urn:Animal> } WHERE { ?s a <urn:Cat> }"
QUADS_BY_CAT = 2  # the stated and the inferred one


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with a cat, whose engine was flushed."""
    store = Store.open(tmp_path / "store", [RULE])
    add_cat(store, 1)
    store.flush()
    return store


def add_cat(store: Store, number: int) -> None:
    store.update(f"INSERT DATA {{ <urn:cat{number}> a <urn:Cat> }}")


def load_cat(store: Store) -> None:
    store.bulk_load(io.BytesIO(b"<urn:cat2> a <urn:Cat> ."), ox.RdfFormat.TURTLE, None)
    store.finish_load()


def count_cats(store: Store) -> int:
    quads = len(list(store.match()))
    assert quads % QUADS_BY_CAT == 0
    return quads // QUADS_BY_CAT


@contextmanager
def full_disk_at(statement_part: str, log: ChangeLog) -> Iterator[None]:
    """Context in which statements of the log that contain a text fail, as if the disk were full."""

    def fail(*arguments: Any) -> None:
        if statement_part in arguments[2]:
            raise sqlalchemy.exc.OperationalError(arguments[2], {}, OSError("database or disk is full"))

    sqlalchemy.event.listen(log.engine, "before_cursor_execute", fail)
    yield
    sqlalchemy.event.remove(log.engine, "before_cursor_execute", fail)


def fail_with_full_disk(*_: object, **_options: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("statement_part", ["INSERT INTO graph_changes", "INSERT INTO commits"])
def test_a_write_that_the_log_has_no_space_for_is_refused(
    store: Store, statement_part: str, tmp_path: Path
) -> None:
    assert store.log
    with full_disk_at(statement_part, store.log), pytest.raises(DiskFullError, match="is full"):
        add_cat(store, 2)
    assert count_cats(store) == 1
    add_cat(store, 3)
    assert (
        count_cats(store) == count_cats(Store.open(copy_as_killed(store, tmp_path / "killed"), [RULE])) == 2
    )


class RefusingEngine:
    """The engine of a store, which refuses writes and flushes, as after an error of the disk."""

    def __init__(self, quads: ox.Store) -> None:
        self.quads = quads
        self.refused_calls = list[str]()

    def __getattr__(self, name: str) -> Any:
        def refuse(*_: object) -> None:
            self.refused_calls.append(name)
            fail_with_full_disk()

        return refuse if name in ("extend", "update", "flush") else getattr(self.quads, name)

    def __iter__(self) -> Iterator[ox.Quad]:
        return iter(self.quads)

    def __contains__(self, quad: ox.Quad) -> bool:
        return quad in self.quads


def test_a_write_that_the_engine_would_refuse_is_not_logged(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(store, "_quads", RefusingEngine(store._quads))
        for _ in range(2):
            with pytest.raises(DiskFullError):
                add_cat(store, 2)
    assert store.log_version == 1
    add_cat(store, 3)
    assert count_cats(store) == 2


def test_descriptions_and_flushes_wait_for_space_as_they_would_stop_the_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store.open(tmp_path / "store", [RULE], describers=[DescriptionGraphs(BASE)])
    store.defers_descriptions = True
    add_cat(store, 1)
    usage = shutil.disk_usage(tmp_path)
    version = store.version
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "disk_usage", lambda _: usage._replace(free=0))
        engine = RefusingEngine(store._quads)
        patched.setattr(store, "_quads", engine)
        with pytest.raises(DiskFullError, match="nearly full"):
            store.flush_descriptions()
        store.flush()
    assert not engine.refused_calls
    assert store.has_outdated_descriptions
    assert store.version == version
    store.flush_descriptions()
    assert not store.has_outdated_descriptions
    assert list(store.triples(f"{BASE}graph/void"))


def test_a_checkpoint_of_the_log_without_space_is_made_later(store: Store, tmp_path: Path) -> None:
    add_cat(store, 2)
    with full_disk_at("wal_checkpoint", store.log):
        store.flush()
        add_cat(store, 3)
        killed = Store.open(copy_as_killed(store, tmp_path / "killed"), [RULE])
    assert count_cats(store) == count_cats(killed) == 3
    wal = tmp_path / "store" / f"{CHANGE_LOG_FILE}-wal"
    size = wal.stat().st_size
    store.flush()
    add_cat(store, 4)
    assert wal.stat().st_size == size  # the write began at its start again


@pytest.mark.parametrize(
    ("owner", "name"), [(position, "open_durable_file"), (os, "fsync"), (Path, "replace")]
)
def test_a_position_without_space_is_left_as_it_was(
    store: Store, monkeypatch: pytest.MonkeyPatch, owner: object, name: str, tmp_path: Path
) -> None:
    add_cat(store, 2)
    with monkeypatch.context() as patched:
        patched.setattr(owner, name, fail_with_full_disk)
        store.flush()
    recorded = EnginePosition.read(tmp_path / "store")
    assert recorded
    assert recorded.version == 1
    assert not list((tmp_path / "store").glob("*.partial"))
    add_cat(store, 3)
    assert count_cats(Store.open(copy_as_killed(store, tmp_path / "killed"), [RULE])) == 3
    store.flush()
    recorded = EnginePosition.read(tmp_path / "store")
    assert recorded
    assert recorded.version == 3


@pytest.mark.parametrize("failing", ["position", "engine"])
def test_a_large_addition_without_space_stops_the_store_until_it_is_opened(
    store: Store, monkeypatch: pytest.MonkeyPatch, failing: str, tmp_path: Path
) -> None:
    monkeypatch.setattr(transactions, "MIN_BULK_QUADS", 1)
    with monkeypatch.context() as patched:
        if failing == "position":
            patched.setattr(EnginePosition, "write", fail_with_full_disk)
        else:
            patched.setattr(transactions.TransactionalStore, "_apply_in_bulk", fail_with_full_disk)
        with pytest.raises(OutcomeUnknownError, match="version 2"):
            add_cat(store, 2)
    with pytest.raises(StoreStoppedError):
        add_cat(store, 3)
    assert count_cats(Store.open(copy_as_killed(store, tmp_path / "killed"), [RULE])) == 2


@pytest.mark.parametrize("call", [1, 2, 3])
def test_a_load_without_space_in_the_log_is_complete_or_missing(
    store: Store, monkeypatch: pytest.MonkeyPatch, call: int, tmp_path: Path
) -> None:
    append_step, calls = ChangeLog.append_step, list[str]()

    def fail_at_call(log: ChangeLog, kind: str, *arguments: Any) -> Any:
        calls.append(kind)
        if len(calls) == call:
            raise DiskFullError("The disk is full.")
        return append_step(log, kind, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr(ChangeLog, "append_step", fail_at_call)
        with pytest.raises(DiskFullError):
            load_cat(store)
    killed = Store.open(copy_as_killed(store, tmp_path / "killed"), [RULE])
    assert not killed.is_loading
    assert count_cats(killed) == (1 if call == 1 else 2)
    add_cat(killed, 3)


def test_a_start_without_space_for_the_position_is_refused_and_repeated(
    store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    store.close()
    copy = shutil.copytree(tmp_path / "store", tmp_path / "copy", ignore=shutil.ignore_patterns(QUADS_FOLDER))
    with monkeypatch.context() as patched:
        patched.setattr(EnginePosition, "write", fail_with_full_disk)
        with pytest.raises(StoreError, match="disk that is full"):
            Store.open(copy, [RULE])
    gc.collect()  # the frames of the exception refer to the store, which is locked
    assert count_cats(Store.open(copy, [RULE])) == 1
