"""A projection, such as the search index, is built from the quads and then includes each commit."""

import threading
from collections.abc import Callable
from pathlib import Path

import pyoxigraph as ox
import pytest
from wgig.store.change_log import RESET_ENTRY
from wgig.store.errors import StoreError
from wgig.store.projection import Projection, ProjectionState, RebuildNeededError
from wgig.store.projection_runner import CommittedChange
from wgig.store.store import Store
from wgig.store.view import StoreView


class QuadSet(Projection):
    """A projection that is the set of all quads; `version` is that of the last commit in it."""

    name, snapshot_name = "the set", "set-copy"

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.quads = set[ox.Quad]()
        self.build_count = 0
        self.version: int | None = None
        self.during_build: Callable[[], object] = lambda: None

    def apply(self, commit: CommittedChange) -> None:
        change = commit.full
        assert not self.quads.intersection(change.added)
        assert self.quads.issuperset(change.removed)
        self.quads = (self.quads - {*change.removed}).union(change.added)
        self.version = commit.version

    def load_position(self) -> int | None:
        return self.version

    def rebuild(self, view: StoreView, version: int) -> None:
        self.build_count += 1
        self.version = version
        during_build, self.during_build = self.during_build, lambda: None
        during_build()
        self.quads = set(view.match())

    def equals_store(self) -> bool:
        """Whether the projection has the quads of the store, and its state is current."""
        wait_for_runner(self.store)
        return self.is_current and self.quads == set(self.store.match())


@pytest.fixture(params=["memory", "disk"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    store = Store.in_memory() if request.param == "memory" else Store.open(tmp_path)
    store.update("INSERT DATA { <x:a> <x:p> 1 }")
    return store


@pytest.fixture
def projection(store: Store) -> QuadSet:
    return QuadSet(store)


def wait_for_runner(store: Store) -> None:
    """Wait until all commits are applied to the projections."""
    assert store.runner.wait_until_applied(store.runner.published_count, 60)


def insert_value(store: Store, value: int) -> None:
    store.update(f"INSERT DATA {{ <x:a> <x:p> {value} }}")


def test_a_projection_ignores_commits_before_its_first_use(store: Store, projection: QuadSet) -> None:
    insert_value(store, 2)
    assert (projection.state, store.runner.subscribers) == (ProjectionState.CLOSED, [])
    projection.ensure_current()
    assert projection.equals_store()


def test_each_change_is_applied_after_the_build(store: Store, projection: QuadSet) -> None:
    projection.ensure_current()
    insert_value(store, 2)
    store.update("DELETE DATA { <x:a> <x:p> 1 }")
    assert (projection.equals_store(), projection.build_count) == (True, 1)


def test_changes_during_the_build_are_applied_at_its_end(tmp_path: Path) -> None:
    projection = QuadSet(Store.open(tmp_path))
    insert_value(projection.store, 1)

    def write() -> None:
        states.append(projection.state)
        insert_value(projection.store, 2)
        projection.store.update("DELETE DATA { <x:a> <x:p> 1, 2 }; INSERT DATA { <x:b> <x:p> 1 }")

    states = list[ProjectionState]()
    projection.during_build = lambda: run_in_thread(write)
    projection.ensure_current()
    assert states == [ProjectionState.BUILDING]
    assert (projection.equals_store(), projection.build_count) == (True, 1)
    assert not list(tmp_path.glob("aside/set-copy"))


def test_an_unknown_change_during_the_build_causes_another_build(store: Store, projection: QuadSet) -> None:
    def write() -> None:
        store._quads.add(ox.Quad(ox.NamedNode("x:b"), ox.NamedNode("x:p"), ox.Literal("unknown")))
        store._publish([None], None)
        insert_value(store, 3)

    projection.during_build = write
    projection.ensure_current()
    assert (projection.equals_store(), projection.build_count) == (True, 2)


def test_after_an_unknown_change_the_next_use_rebuilds(store: Store, projection: QuadSet) -> None:
    projection.ensure_current()
    store._publish([None], None)  # None: an unknown change
    insert_value(store, 2)
    wait_for_runner(store)
    assert (projection.state, projection.build_count) == (ProjectionState.STALE, 1)
    projection.ensure_current()
    assert projection.equals_store()


@pytest.mark.parametrize("error", [OSError("no room"), StoreError("no room"), RebuildNeededError("too much")])
def test_a_change_that_cannot_be_applied_is_written_and_causes_a_rebuild(
    store: Store, projection: QuadSet, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(_: CommittedChange) -> None:
        raise error

    projection.ensure_current()
    with monkeypatch.context() as patch:
        patch.setattr(projection, "apply", refuse)
        insert_value(store, 2)
        wait_for_runner(store)
    assert len(list(store.match())) == 2
    assert projection.state is ProjectionState.STALE
    projection.ensure_current()
    assert projection.equals_store()


def test_a_bug_in_a_projection_is_logged_and_the_write_succeeds(
    store: Store, projection: QuadSet, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    projection.ensure_current()
    with monkeypatch.context() as patch:
        patch.setattr(projection, "apply", lambda _: 1 // 0)
        insert_value(store, 2)
        wait_for_runner(store)
    assert "ZeroDivisionError" in caplog.text
    assert projection.state is ProjectionState.STALE


def test_a_failed_build_is_reported_and_repeated(store: Store, projection: QuadSet) -> None:
    def fail() -> None:
        raise OSError("no room")

    projection.during_build = fail
    with pytest.raises(OSError, match="no room"):
        projection.ensure_current()
    states = [projection.state]
    insert_value(store, 2)
    wait_for_runner(store)
    states.append(projection.state)
    assert states == [ProjectionState.BROKEN, ProjectionState.STALE]
    projection.ensure_current()
    assert projection.equals_store()


def test_concurrent_uses_cause_one_build(projection: QuadSet) -> None:
    tasks = [projection.start_build() for _ in range(5)]
    for task in tasks:
        task.result(timeout=60)
    assert (projection.equals_store(), projection.build_count) == (True, 1)


def test_a_projection_that_becomes_stale_at_the_end_of_its_thread_is_rebuilt(
    store: Store, projection: QuadSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A projection that is built in advance calls `start_build` on becoming stale, from its own build."""
    ensure_current, is_called = projection.ensure_current, threading.Event()

    def ensure_then_invalidate() -> None:
        ensure_current()
        if not is_called.is_set():
            is_called.set()
            store._publish([None], None)

    monkeypatch.setattr(projection, "on_stale", projection.start_build)
    monkeypatch.setattr(projection, "ensure_current", ensure_then_invalidate)
    projection.start_build().result(timeout=60)
    projection.start_build().result(timeout=60)
    assert projection.equals_store()


def test_a_projection_that_lags_reads_the_store_as_it_was(store: Store) -> None:
    """`match_applied` hides the commits after the one that is being applied."""
    seen, has_begun, may_continue = list[tuple[int, set[ox.Quad]]](), threading.Event(), threading.Event()

    class Reader(QuadSet):
        def apply(self, commit: CommittedChange) -> None:
            has_begun.set()
            assert may_continue.wait(60)
            super().apply(commit)
            seen.append((commit.version, set(self.store.match_applied())))
            assert self.quads == seen[-1][1]

    reader = Reader(store)
    reader.ensure_current()
    insert_value(store, 2)
    assert has_begun.wait(60)
    store.update("DELETE DATA { <x:a> <x:p> 1 }; INSERT DATA { <x:b> <x:p> [] }")
    store.update("INSERT DATA { <x:a> <x:p> 1 }; DELETE DATA { <x:a> <x:p> 2 }")
    may_continue.set()
    wait_for_runner(store)
    assert [version for version, _ in seen] == [2, 4]
    assert reader.equals_store()


def test_a_projection_on_disk_gets_the_commits_that_it_lacks_from_the_log(
    store: Store, projection: QuadSet
) -> None:
    projection.ensure_current()
    quads, version = projection.quads, projection.version
    insert_value(store, 2)
    store.update("DELETE DATA { <x:a> <x:p> 1 }")
    resumed = QuadSet(store)
    resumed.quads, resumed.version = quads, version
    resumed.ensure_current()
    assert (resumed.equals_store(), resumed.build_count, resumed.version) == (True, 0, 3)


@pytest.mark.parametrize("version", [99, 0])
def test_a_projection_is_rebuilt_if_the_log_cannot_bring_it_up_to_date(store: Store, version: int) -> None:
    store.log.append_step(RESET_ENTRY)
    resumed = QuadSet(store)
    resumed.version = version
    resumed.ensure_current()
    assert (resumed.equals_store(), resumed.build_count) == (True, 1)


def run_in_thread(function: Callable[[], None]) -> None:
    """Call the function on another thread, and wait for it."""
    thread = threading.Thread(target=function)
    thread.start()
    thread.join(60)
    assert not thread.is_alive()
