"""A snapshot is the store at a point in time, and leaves no files."""

import threading
from pathlib import Path

import pyoxigraph as ox
import pytest
from wgig.store.snapshot import open_linked_copy
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


def test_a_writer_of_a_store_in_memory_waits_for_the_end_of_its_snapshot() -> None:
    store, is_written = fill_store(Store.in_memory()), threading.Event()

    def write() -> None:
        store.update(SECOND_INSERT)
        is_written.set()

    with store.snapshot("copy") as view:
        writer = threading.Thread(target=write)
        writer.start()
        assert not is_written.wait(0.1)
        assert list(view.match()) == [FIRST_QUAD]
    writer.join(60)
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


def test_a_write_to_a_linked_copy_does_not_change_the_store(tmp_path: Path) -> None:
    quads = ox.Store(tmp_path / "quads")
    quads.add(FIRST_QUAD)
    with open_linked_copy(quads, tmp_path, "copy") as copy_folder:
        copy = ox.Store(copy_folder)
        copy.clear()
        copy.flush()
        del copy
    assert list(quads) == [FIRST_QUAD]


@pytest.mark.parametrize("location", ["memory", "disk"])
def test_an_error_in_a_snapshot_releases_the_write_lock(tmp_path: Path, location: str) -> None:
    store = fill_store(Store.in_memory() if location == "memory" else Store.open(tmp_path))
    with pytest.raises(KeyError), store.snapshot("copy"):
        raise KeyError("unforeseen")
    writer = threading.Thread(target=store.update, args=[SECOND_INSERT])
    writer.start()
    writer.join(60)
    assert len(list(store.match())) == 2
    assert not (tmp_path / "aside" / "copy").exists()
