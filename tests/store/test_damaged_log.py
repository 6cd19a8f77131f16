"""A change log that is missing, cut, damaged or of another time than the quads is refused or reported."""

import gc
import io
import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pyoxigraph as ox
import pytest
from wgig.cli.main import main
from wgig.cli.parser import EXIT_FAILED, EXIT_NO, EXIT_OK
from wgig.store.change_log import ChangeLog
from wgig.store.errors import StoreError
from wgig.store.folder import CHANGE_LOG_FILE, QUADS_FOLDER
from wgig.store.position import POSITION_FILE
from wgig.store.store import Store

from tests.fixtures.stores import copy_as_killed
from tests.fixtures.tables import overwrite_bytes

from .test_projection import QuadSet

COMMIT_COUNT, FLUSHED_COUNT = 40, 30
MISSING_LOG_MESSAGE, DAMAGED_LOG_MESSAGE = "Put it back, together with the file", "is damaged"


def write_commit(store: Store, number: int) -> None:
    store.update(f"INSERT DATA {{ GRAPH <urn:g{number % 3}> {{ <urn:s{number}> <urn:p> {number} }} }}")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Copies of a store: after the first commits, killed after the last one, and closed."""
    folder = tmp_path_factory.mktemp("stores")
    store = Store.open(folder / "closed")
    for number in range(COMMIT_COUNT):
        write_commit(store, number)
        if number + 1 == FLUSHED_COUNT:
            store.flush()
            copy_as_killed(store, folder / "early")
    copy_as_killed(store, folder / "killed")
    store.close()
    return {name: folder / name for name in ("early", "killed", "closed")}


@pytest.fixture
def folder(folders: dict[str, Path], tmp_path: Path) -> Callable[[str], Path]:
    """A function that copies one of the stores."""
    return lambda name: shutil.copytree(folders[name], tmp_path / "store")


def remove_path(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def remove_log(folder: Path) -> None:
    for path in folder.glob(f"{CHANGE_LOG_FILE}*"):
        path.unlink()


def read_numbers(store: Store) -> list[int]:
    """The numbers of the commits whose quads are in a store."""
    return sorted(int(quad.object.value) for quad in store.match() if isinstance(quad.object, ox.Literal))


@pytest.mark.parametrize("name", ["closed", "killed"])
@pytest.mark.parametrize("missing", [(), (POSITION_FILE,), (QUADS_FOLDER,)])
@pytest.mark.parametrize("is_empty", [True, False])
def test_a_missing_log_is_refused_and_not_replaced(
    folder: Callable[[str], Path], name: str, missing: tuple[str, ...], is_empty: bool
) -> None:
    store = folder(name)
    saved = shutil.copytree(store, store.with_name("saved"))
    remove_log(store)
    if is_empty:
        (store / CHANGE_LOG_FILE).touch()
    for missing_name in missing:
        remove_path(store / missing_name)
    for _attempt in range(2):
        with pytest.raises(StoreError, match=MISSING_LOG_MESSAGE):
            Store.open(store)
    for path in saved.glob(f"{CHANGE_LOG_FILE}*"):
        shutil.copy(path, store)
    assert read_numbers(Store.open(store)) == list(range(COMMIT_COUNT))


def test_missing_quads_that_the_log_lacks_are_refused_at_each_start(folder: Callable[[str], Path]) -> None:
    store = Store.open(folder("closed"))
    assert store.folder
    store.bulk_load(io.BytesIO(b"<urn:s> <urn:p> 1 ."), ox.RdfFormat.TURTLE, None)
    store.finish_load()
    store.close()
    path = store.folder
    del store
    shutil.rmtree(path / QUADS_FOLDER)
    for _attempt in range(2):
        with pytest.raises(StoreError, match="the log does not contain those"):
            Store.open(path)


def test_missing_quads_are_replayed_again_after_a_kill(
    folder: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder("closed")
    shutil.rmtree(path / QUADS_FOLDER)

    def fail(*_: object, **_options: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Store, "recover", fail)  # the engine was created, and nothing else was done
        with pytest.raises(KeyboardInterrupt):
            Store.open(path)
    gc.collect()  # the frames of the exception refer to the store, which is locked
    assert read_numbers(Store.open(path)) == list(range(COMMIT_COUNT))


@pytest.mark.parametrize("command", [["load", __file__, "--format", "ttl"], ["backup", "backups"]])
def test_commands_refuse_a_store_without_its_log(
    folder: Callable[[str], Path],
    command: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    store = folder("closed")
    remove_log(store)
    monkeypatch.chdir(store.parent)
    assert main([*command, "--store", str(store)]) == EXIT_FAILED
    assert MISSING_LOG_MESSAGE in capsys.readouterr().err
    assert not (store / CHANGE_LOG_FILE).exists()


def damage_log(folder: Path) -> None:
    overwrite_bytes(folder / CHANGE_LOG_FILE, 0.0)


@pytest.mark.parametrize("spoil", [remove_log, damage_log])
def test_the_quads_are_dumped_without_a_usable_log(
    folder: Callable[[str], Path],
    spoil: Callable[[Path], None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("WGIG_DATA", "none")
    store = folder("closed")
    spoil(store)
    assert main(["verify", "--store", str(store)]) == EXIT_NO
    assert "export the quads with wgig dump" in capsys.readouterr().err
    gc.collect()  # the frames of the exception refer to the store, which is locked
    dump = store.with_name("all.nq")
    assert main(["dump", "-o", str(dump), "--store", str(store)]) == EXIT_OK
    assert "The results come from the quads." in capsys.readouterr().err
    loaded = Store.open(store.with_name("loaded"))
    loaded.bulk_load(io.BytesIO(dump.read_bytes()), ox.RdfFormat.N_QUADS, None)
    assert read_numbers(loaded) == list(range(COMMIT_COUNT))


@pytest.mark.parametrize("replacement", [None, b""])
def test_no_commit_is_acknowledged_after_the_log_was_removed(
    tmp_path: Path, replacement: bytes | None
) -> None:
    store = Store.open(tmp_path)
    store.update("INSERT DATA { <urn:s> <urn:p> 1 }")
    path = tmp_path / CHANGE_LOG_FILE
    path.rename(tmp_path / "removed")
    if replacement is not None:
        path.write_bytes(replacement)
    with pytest.raises(StoreError, match="was removed, replaced or truncated while in use"):
        store.update("INSERT DATA { <urn:s> <urn:p> 2 }")
    assert len(list(store.match())) == 1
    (tmp_path / "removed").replace(path)
    store.update("INSERT DATA { <urn:s> <urn:p> 2 }")
    assert len(list(store.match())) == 2


@pytest.mark.parametrize("size", [0, 4096])
def test_no_commit_is_acknowledged_after_the_log_was_cut(tmp_path: Path, size: int) -> None:
    store = Store.open(tmp_path)
    store.update("INSERT DATA { <urn:s> <urn:p> 1 }")
    store.flush()  # moves the commit into the file
    store.update("INSERT DATA { <urn:s> <urn:p> 2 }")
    os.truncate(tmp_path / CHANGE_LOG_FILE, size)
    with pytest.raises(StoreError, match="was removed, replaced or truncated while in use"):
        store.update("INSERT DATA { <urn:s> <urn:p> 3 }")
    assert len(list(store.match())) == 2


@pytest.mark.parametrize("share", [0.3, 0.5, 0.9])
def test_a_log_that_is_cut_is_refused(folder: Callable[[str], Path], share: float) -> None:
    log = folder("closed") / CHANGE_LOG_FILE
    content = log.read_bytes()
    log.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(StoreError, match=DAMAGED_LOG_MESSAGE):
        Store.open(log.parent)


def test_a_damaged_page_of_the_log_is_reported_when_it_is_read(folder: Callable[[str], Path]) -> None:
    log = folder("closed") / CHANGE_LOG_FILE
    content = log.read_bytes()
    # The compressed change of a commit in the middle.
    position = content.index(b"\x28\xb5\x2f\xfd", len(content) // 2) + 20
    overwrite_bytes(log, (position + 0.5) / len(content))
    store = Store.open(log.parent)
    with pytest.raises(StoreError, match=DAMAGED_LOG_MESSAGE):
        list(store.log.iter_entries())
    with pytest.raises(StoreError, match=DAMAGED_LOG_MESSAGE):
        store.log.verify()


def damage_wal(folder: Path) -> None:
    overwrite_bytes(folder / f"{CHANGE_LOG_FILE}-wal", 0.05)


def remove_wal(folder: Path) -> None:
    (folder / f"{CHANGE_LOG_FILE}-wal").unlink()


def cut_wal(folder: Path) -> None:
    wal = folder / f"{CHANGE_LOG_FILE}-wal"
    wal.write_bytes(wal.read_bytes()[: wal.stat().st_size // 10])


@pytest.mark.parametrize("damage", [damage_wal, remove_wal, cut_wal])
def test_a_log_that_lost_its_last_commits_is_reported_and_goes_on_after_them(
    folder: Callable[[str], Path], caplog: pytest.LogCaptureFixture, damage: Callable[[Path], None]
) -> None:
    killed = folder("killed")
    damage(killed)
    store = Store.open(killed)
    lost = store.log_version
    assert FLUSHED_COUNT <= lost < COMMIT_COUNT
    projection = QuadSet(store)
    projection.version = COMMIT_COUNT  # as on disk, where it follows each commit
    with caplog.at_level(logging.ERROR):
        projection.ensure_current()
    assert f"lost the versions {lost + 1} to {COMMIT_COUNT}" in caplog.text
    assert projection.equals_store()
    assert projection.build_count == 1
    assert read_numbers(store) == list(range(COMMIT_COUNT))
    write_commit(store, COMMIT_COUNT)
    assert store.log_version == COMMIT_COUNT + 2
    assert projection.equals_store()
    store.flush()
    reopened = copy_as_killed(store, killed.with_name("reopened"))
    assert read_numbers(Store.open(reopened)) == list(range(COMMIT_COUNT + 1))
    shutil.rmtree(reopened / QUADS_FOLDER)
    with pytest.raises(StoreError, match="the log does not contain those"):
        Store.open(reopened)


@pytest.mark.parametrize("rest", ["closed", "killed"])
def test_quads_that_are_older_than_their_position_are_refused(
    folder: Callable[[str], Path], folders: dict[str, Path], rest: str, tmp_path: Path
) -> None:
    store = folder(rest)
    shutil.rmtree(store / QUADS_FOLDER)
    older = tmp_path / "older"
    opened = Store.open(older)
    for number in range(FLUSHED_COUNT - 1):
        write_commit(opened, number)
    opened.close()
    del opened
    shutil.copytree(older / QUADS_FOLDER, store / QUADS_FOLDER)
    with pytest.raises(StoreError, match=f"older than version {COMMIT_COUNT if rest == 'closed' else 30}"):
        Store.open(store)
    # With the position of their time, or without one, they get what they lack from the log.
    shutil.copy(folders["early"] / POSITION_FILE, store)
    (store / POSITION_FILE).unlink()
    assert read_numbers(Store.open(store)) == list(range(COMMIT_COUNT))


def test_quads_of_an_earlier_time_with_their_position_get_the_later_commits(
    folder: Callable[[str], Path], folders: dict[str, Path]
) -> None:
    store = folder("closed")
    shutil.rmtree(store / QUADS_FOLDER)
    shutil.copytree(folders["early"] / QUADS_FOLDER, store / QUADS_FOLDER)
    shutil.copy(folders["early"] / POSITION_FILE, store)
    assert read_numbers(Store.open(store)) == list(range(COMMIT_COUNT))


def test_a_commit_that_was_undone_after_the_position_is_not_missed(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store")
    store.update("INSERT DATA { GRAPH <urn:g> { <urn:s> <urn:p> 1 } <urn:s> <urn:p> 1 }")
    store.flush()
    store.update("DROP GRAPH <urn:g>")
    store.update("DELETE DATA { <urn:s> <urn:p> 1 } ; INSERT DATA { <urn:s> <urn:p> 2 }")
    killed = copy_as_killed(store, tmp_path / "killed")
    assert set(Store.open(killed).match()) == set(store.match())


def test_a_log_from_before_a_commit_is_refused(
    folder: Callable[[str], Path], folders: dict[str, Path]
) -> None:
    store = folder("closed")
    remove_log(store)
    log = ChangeLog(folders["early"] / CHANGE_LOG_FILE)
    log.copy_to(store / CHANGE_LOG_FILE)
    log.close()
    with pytest.raises(StoreError, match="they have version 40, but the log ends at version 30"):
        Store.open(store)
