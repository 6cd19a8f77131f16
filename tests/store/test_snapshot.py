"""A snapshot is the store at one moment, and leaves nothing behind."""

import threading
from pathlib import Path

import pyoxigraph as ox
import pytest
from wgig.store.snapshot import open_linked_copy
from wgig.store.store import Store

STATEMENT = ox.Quad(ox.NamedNode("x:a"), ox.NamedNode("x:p"), ox.Literal("1"))
INSERT = "INSERT DATA { <x:b> <x:p> 2 }"


def filled(store: Store) -> Store:
    store.update("INSERT DATA { <x:a> <x:p> '1' }")
    return store


def test_others_write_while_a_snapshot_on_disk_is_read(tmp_path: Path) -> None:
    store = filled(Store.open(tmp_path))
    with store.snapshot("look") as view:
        other = threading.Thread(target=store.update, args=[INSERT])
        other.start()
        other.join(60)
        assert list(view.match()) == [STATEMENT]
        assert view.folder == tmp_path / "aside" / "look"
    assert len(list(store.match())) == 2
    assert not (tmp_path / "aside" / "look").exists()


def test_who_writes_a_store_in_memory_waits_for_the_end_of_its_snapshot() -> None:
    store, is_written = filled(Store.in_memory()), threading.Event()

    def write() -> None:
        store.update(INSERT)
        is_written.set()

    with store.snapshot("look") as view:
        other = threading.Thread(target=write)
        other.start()
        assert not is_written.wait(0.1)
        assert list(view.match()) == [STATEMENT]
    other.join(60)
    assert len(list(store.match())) == 2


def test_nobody_writes_between_what_is_prepared_and_the_snapshot(tmp_path: Path) -> None:
    store, others = filled(Store.open(tmp_path)), list[threading.Thread]()

    def prepare() -> None:
        others.append(threading.Thread(target=store.update, args=[INSERT]))
        others[0].start()
        others[0].join(0.1)

    with store.snapshot("look", prepare) as view:
        assert list(view.match()) == [STATEMENT]
    others[0].join(60)


def test_a_copy_that_a_crash_left_is_replaced(tmp_path: Path) -> None:
    store = filled(Store.open(tmp_path))
    (tmp_path / "aside" / "look").mkdir(parents=True)
    (tmp_path / "aside" / "look" / "CURRENT").write_text("half")
    with store.snapshot("look") as view:
        assert list(view.match()) == [STATEMENT]


def test_what_is_written_to_a_copy_is_not_in_the_store(tmp_path: Path) -> None:
    quads = ox.Store(tmp_path / "quads")
    quads.add(STATEMENT)
    with open_linked_copy(quads, tmp_path, "copy") as place:
        copy = ox.Store(place)
        copy.clear()
        copy.flush()
        del copy
    assert list(quads) == [STATEMENT]


@pytest.mark.parametrize("folder", ["memory", "disk"])
def test_an_error_while_a_snapshot_is_read_leaves_the_store_to_others(tmp_path: Path, folder: str) -> None:
    store = filled(Store.in_memory() if folder == "memory" else Store.open(tmp_path))
    with pytest.raises(KeyError), store.snapshot("look"):
        raise KeyError("unforeseen")
    other = threading.Thread(target=store.update, args=[INSERT])
    other.start()
    other.join(60)
    assert len(list(store.match())) == 2
    assert not (tmp_path / "aside" / "look").exists()
