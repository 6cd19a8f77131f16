"""What stands beside a store follows each commit, whatever comes between."""

import threading
from collections.abc import Callable
from pathlib import Path

import pyoxigraph as ox
import pytest
from wgig.store.change import Change
from wgig.store.errors import StoreError
from wgig.store.projection import Projection, ProjectionState
from wgig.store.store import Store
from wgig.store.view import StoreView


class QuadSet(Projection):
    """The quads of a store, which are as easily compared as kept."""

    name, snapshot_name = "the set", "set-copy"

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.quads = set[ox.Quad]()
        self.builds = 0
        self.meanwhile: Callable[[], object] = lambda: None  # what happens while it is built

    def apply(self, change: Change) -> bool:
        assert not self.quads.intersection(change.added)
        assert self.quads.issuperset(change.removed)
        self.quads = (self.quads - {*change.removed}).union(change.added)
        return True

    def rebuild(self, view: StoreView) -> None:
        self.builds += 1
        happens, self.meanwhile = self.meanwhile, lambda: None
        happens()
        self.quads = set(view.match())

    def has_all(self) -> bool:
        """Whether it is what the store holds, and says so."""
        return self.is_current and self.quads == set(self.store.match())


@pytest.fixture(params=["memory", "disk"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    found = Store.in_memory() if request.param == "memory" else Store.open(tmp_path)
    found.update("INSERT DATA { <x:a> <x:p> 1 }")
    return found


@pytest.fixture
def projection(store: Store) -> QuadSet:
    return QuadSet(store)


def insert(store: Store, value: int) -> None:
    store.update(f"INSERT DATA {{ <x:a> <x:p> {value} }}")


def test_nothing_is_built_or_followed_before_somebody_needs_it(store: Store, projection: QuadSet) -> None:
    insert(store, 2)
    assert (projection.state, store.projections) == (ProjectionState.CLOSED, [])
    projection.ensure_current()
    assert projection.has_all()


def test_what_is_built_takes_in_each_change(store: Store, projection: QuadSet) -> None:
    projection.ensure_current()
    insert(store, 2)
    store.update("DELETE DATA { <x:a> <x:p> 1 }")
    assert (projection.has_all(), projection.builds) == (True, 1)


def test_changes_that_come_while_it_is_built_are_taken_in_at_the_end(tmp_path: Path) -> None:
    projection = QuadSet(Store.open(tmp_path))
    insert(projection.store, 1)

    def write() -> None:
        states.append(projection.state)
        insert(projection.store, 2)
        projection.store.update("DELETE DATA { <x:a> <x:p> 1, 2 }; INSERT DATA { <x:b> <x:p> 1 }")

    states = list[ProjectionState]()
    projection.meanwhile = lambda: run_in_thread(write)
    projection.ensure_current()
    assert states == [ProjectionState.BUILDING]
    assert (projection.has_all(), projection.builds) == (True, 1)
    assert not list(tmp_path.glob("aside/set-copy"))


def test_an_unknown_change_while_it_is_built_has_it_built_once_more(
    store: Store, projection: QuadSet
) -> None:
    def write() -> None:
        store._quads.add(ox.Quad(ox.NamedNode("x:b"), ox.NamedNode("x:p"), ox.Literal("unheard")))
        store._notify(None)
        insert(store, 3)

    projection.meanwhile = write
    projection.ensure_current()
    assert (projection.has_all(), projection.builds) == (True, 2)


def test_after_an_unknown_change_it_is_built_when_somebody_needs_it(
    store: Store, projection: QuadSet
) -> None:
    projection.ensure_current()
    store._notify(None)
    insert(store, 2)
    assert (projection.state, projection.builds) == (ProjectionState.STALE, 1)
    projection.ensure_current()
    assert projection.has_all()


@pytest.mark.parametrize("error", [OSError("no room"), StoreError("no room"), None])
def test_what_it_cannot_take_in_is_written_and_has_it_built_again(
    store: Store, projection: QuadSet, monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> None:
    def refuse(_: Change) -> bool:
        if error:
            raise error
        return False

    projection.ensure_current()
    with monkeypatch.context() as patch:
        patch.setattr(projection, "apply", refuse)
        insert(store, 2)
    assert len(list(store.match())) == 2
    assert projection.state is ProjectionState.STALE
    projection.ensure_current()
    assert projection.has_all()


def test_a_mistake_in_it_is_logged_and_the_write_is_done(
    store: Store, projection: QuadSet, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    projection.ensure_current()
    with monkeypatch.context() as patch:
        patch.setattr(projection, "apply", lambda _: 1 // 0)
        insert(store, 2)
    assert "ZeroDivisionError" in caplog.text
    assert projection.state is ProjectionState.STALE


def test_where_it_cannot_be_built_that_is_told_and_tried_again(store: Store, projection: QuadSet) -> None:
    def fail() -> None:
        raise OSError("no room")

    projection.meanwhile = fail
    with pytest.raises(OSError, match="no room"):
        projection.ensure_current()
    states = [projection.state]
    insert(store, 2)
    states.append(projection.state)
    assert states == [ProjectionState.BROKEN, ProjectionState.STALE]
    projection.ensure_current()
    assert projection.has_all()


def test_many_who_need_it_have_it_built_once(projection: QuadSet) -> None:
    tasks = [projection.start_build() for _ in range(5)]
    for task in tasks:
        task.result(timeout=60)
    assert (projection.has_all(), projection.builds) == (True, 1)


def test_one_that_becomes_stale_at_the_end_of_its_thread_is_built_all_the_same(
    store: Store, projection: QuadSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A class that is built at once asks for that while the thread still counts as busy."""
    ensure, begun = projection.ensure_current, threading.Event()

    def late() -> None:
        ensure()
        if not begun.is_set():
            begun.set()
            store._notify(None)

    monkeypatch.setattr(projection, "on_stale", projection.start_build)
    monkeypatch.setattr(projection, "ensure_current", late)
    projection.start_build().result(timeout=60)
    projection.start_build().result(timeout=60)
    assert projection.has_all()


def run_in_thread(function: Callable[[], None]) -> None:
    """Have another thread call it, and wait for that."""
    thread = threading.Thread(target=function)
    thread.start()
    thread.join(60)
    assert not thread.is_alive()
