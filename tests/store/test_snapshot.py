"""A snapshot is the store at a point in time, and leaves no files."""

import threading
from pathlib import Path

import pyoxigraph as ox
import pytest
from wgig.store.errors import DiskFullError
from wgig.store.store import Store

FIRST_QUAD = ox.Quad(ox.NamedNode("x:a"), ox.NamedNode("x:p"), ox.Literal("1"))
SECOND_INSERT = "INSERT DATA { <x:b> <x:p> 2 }"


def fill_store(store: Store) -> Store:
    store.update("INSERT DATA { <x:a> <x:p> '1' }")
    return store


def test_other_threads_write_while_a_snapshot_on_disk_is_read(tmp_path: Path) -> None:
    store = fill_store(Store.open(tmp_path))
    with store.snapshot("copy") as view:
        writer = threading.Thread(target=store.update, args=[SECOND_INSERT])
        writer.start()
        writer.join(60)
        assert list(view.match()) == [FIRST_QUAD]
        assert view.folder == tmp_path / "aside" / "copy"
    assert len(list(store.match())) == 2
    assert not (tmp_path / "aside" / "copy").exists()


def test_a_write_to_a_store_in_memory_does_not_change_its_snapshot() -> None:
    store = fill_store(Store.in_memory())
    store.update("CREATE GRAPH <x:empty>")
    with store.snapshot("copy") as view:
        store.update(SECOND_INSERT)
        assert (list(view.match()), view.graphs(), view.folder) == ([FIRST_QUAD], ["x:empty"], None)
    assert len(list(store.match())) == 2


def test_no_thread_writes_between_the_preparation_and_the_snapshot(tmp_path: Path) -> None:
    store, writers = fill_store(Store.open(tmp_path)), list[threading.Thread]()

    def prepare() -> None:
        writers.append(threading.Thread(target=store.update, args=[SECOND_INSERT]))
        writers[0].start()
        writers[0].join(0.1)

    with store.snapshot("copy", prepare) as view:
        assert list(view.match()) == [FIRST_QUAD]
    writers[0].join(60)


def test_an_incomplete_copy_that_a_crash_left_is_replaced(tmp_path: Path) -> None:
    store = fill_store(Store.open(tmp_path))
    (tmp_path / "aside" / "copy").mkdir(parents=True)
    (tmp_path / "aside" / "copy" / "CURRENT").write_text("half")
    with store.snapshot("copy") as view:
        assert list(view.match()) == [FIRST_QUAD]


@pytest.mark.parametrize("location", ["memory", "disk"])
def test_a_write_to_a_snapshot_does_not_change_the_store(tmp_path: Path, location: str) -> None:
    store = fill_store(Store.in_memory() if location == "memory" else Store.open(tmp_path))
    with store.snapshot("copy") as snapshot:
        copy = snapshot.open_quads()
        copy.clear()
        copy.flush()
        del copy
    assert list(store.match()) == [FIRST_QUAD]


def test_a_snapshot_that_is_not_closed_keeps_its_folder(tmp_path: Path) -> None:
    store = fill_store(Store.open(tmp_path))
    folder = store.snapshot("group/copy").folder
    store.update(SECOND_INSERT)
    assert folder == tmp_path / "aside" / "group" / "copy"
    assert list(ox.Store.read_only(str(folder))) == [FIRST_QUAD]


def test_a_disk_that_is_full_while_a_snapshot_is_taken_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class FullDiskQuads:
        def backup(self, _: str) -> None:
            raise OSError("No space left on device")

    store = fill_store(Store.open(tmp_path))
    with monkeypatch.context() as context:
        context.setattr(store, "_quads", FullDiskQuads())
        with pytest.raises(DiskFullError, match="is on a disk that is full"):
            store.snapshot("copy")
    check_other_thread_can_write(store, tmp_path)


@pytest.mark.parametrize("location", ["memory", "disk"])
def test_an_error_in_a_snapshot_releases_the_write_lock(tmp_path: Path, location: str) -> None:
    store = fill_store(Store.in_memory() if location == "memory" else Store.open(tmp_path))
    with pytest.raises(KeyError), store.snapshot("copy"):
        raise KeyError("unforeseen")
    check_other_thread_can_write(store, tmp_path)


def check_other_thread_can_write(store: Store, folder: Path) -> None:
    """Check that another thread can write, and that no snapshot remains in the folder."""
    writer = threading.Thread(target=store.update, args=[SECOND_INSERT])
    writer.start()
    writer.join(60)
    assert len(list(store.match())) == 2
    assert not (folder / "aside" / "copy").exists()
