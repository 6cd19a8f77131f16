"""Instances that share a store have the same data after refused, interrupted and restored writes.

The service is an engine in memory. A change of more than 10 quads is large: it is written by several updates,
and announced first. The outcome of a write is uncertain if the response to its last update is lost.
"""

import gc
import io
import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyoxigraph as ox
import pytest
from wgig.remote import claims, copy, sharing
from wgig.remote.client import RefusedError
from wgig.remote.copy import StoreCopier
from wgig.remote.dialects import VIRTUOSO_DIALECT
from wgig.remote.ledger import UnknownOutcomeError
from wgig.remote.store import SharedStore
from wgig.store import change
from wgig.store.change import Change
from wgig.store.errors import (
    DiskFullError,
    InferenceTooLargeError,
    StoreError,
    StoreNotWritableError,
    StoreUnavailableError,
    UnstorableError,
)
from wgig.store.inference import inference
from wgig.store.inference.inference import Inference
from wgig.store.position import POSITION_FILE
from wgig.store.projection_runner import CommittedChange
from wgig.store.store import Store

from tests.fixtures.memory_engine import (
    BASE,
    SMALL_UPDATES_DIALECT,
    MemoryEngine,
    UpdateCall,
    join_instance,
    list_copied_quads,
    lose_request_with,
    lose_response_to,
    make_sharing,
    put_values,
)

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("short_waits")]

GENID_PREFIX = "https://example.org/.well-known/genid/"
MANY_VALUES = [str(number) for number in range(100, 130)]
MIDDLE_LITERAL = '"115"'  # in the second of the updates that write MANY_VALUES
DECIMAL = ox.NamedNode("http://www.w3.org/2001/XMLSchema#decimal")


def run_without_fault(_: str, execute: UpdateCall) -> None:
    """Execute an update without a fault."""
    execute()


@pytest.fixture
def stores(tmp_path: Path, engine: MemoryEngine) -> list[SharedStore]:
    """Two instances of a shared store."""
    return [join_instance(tmp_path / name, engine) for name in ("one", "two")]


def list_logged_changes(store: SharedStore) -> list[Change]:
    """The stated changes in the log of a copy."""
    return [entry.change for entry in store.log.iter_entries() if entry.change is not None]


def copy_folder(store: SharedStore, folder: Path) -> None:
    """Copy the folder of a store as it is now, as a killed process leaves it."""
    assert store.folder
    shutil.copytree(store.folder, folder, ignore=shutil.ignore_patterns("quads"))
    copy_quads(store, folder / "quads")


def copy_quads(store: SharedStore, folder: Path) -> None:
    """Copy the quads of a store as they are now."""
    snapshot = store.snapshot("copied")
    assert snapshot.folder
    snapshot.folder.rename(folder)


def check_copies(engine: MemoryEngine, stores: list[SharedStore]) -> None:
    """Check that all copies have the data of the service, and that no write is unfinished."""
    for store in stores:
        store.follow()
        assert list_copied_quads(store) == engine.data
        assert store.sharing.ledger.read_state().pending == 0


@pytest.mark.parametrize("values", [["1"], MANY_VALUES], ids=["small", "large"])
def test_write_is_visible_to_other_instances(
    engine: MemoryEngine, stores: list[SharedStore], values: list[str]
) -> None:
    put_values(stores[0], "a", *values)
    check_copies(engine, stores)
    put_values(stores[1], "a", "2")
    check_copies(engine, stores)
    assert len(engine.data) == 1


def test_blank_nodes_and_the_unnamed_graph_are_restored(
    engine: MemoryEngine, stores: list[SharedStore]
) -> None:
    stores[0].update("INSERT DATA { <urn:a> <urn:b> [ <urn:c> 1 ] }")
    check_copies(engine, stores)
    assert all(str(quad.graph_name) == "DEFAULT" for quad in stores[1]._quads)
    assert any(isinstance(quad.object, ox.BlankNode) for quad in stores[1]._quads)


@pytest.mark.parametrize(
    "quad",
    [
        f"GRAPH <{BASE}graph/state> {{ <urn:a> <urn:b> 1 }}",
        f"GRAPH <{BASE}graph/unnamed> {{ <urn:a> <urn:b> 1 }}",
        f"<{GENID_PREFIX}> <urn:b> 1",
        f"<urn:a> <{GENID_PREFIX}x> 1",
        f"<urn:a> <urn:b> <{GENID_PREFIX}x>",
        f"GRAPH <{GENID_PREFIX}x> {{ <urn:a> <urn:b> 1 }}",
        f"<urn:a> <urn:b> <<( <urn:a> <urn:b> <{GENID_PREFIX}x> )>>",
    ],
)
def test_reserved_iris_are_refused(engine: MemoryEngine, stores: list[SharedStore], quad: str) -> None:
    put_values(stores[0], "a", "1")
    quads_before = set(map(str, engine.store))
    with pytest.raises(UnstorableError):
        stores[0].update(f"INSERT DATA {{ {quad} }}")
    assert set(map(str, engine.store)) == quads_before
    check_copies(engine, stores)


def test_empty_graph_exists_in_all_instances_until_it_is_dropped(
    tmp_path: Path, engine: MemoryEngine, stores: list[SharedStore]
) -> None:
    graph = f"{BASE}graph/a"
    put_values(stores[0], "a")  # no values: an empty graph
    put_values(stores[0], "b", *MANY_VALUES)
    stores[1].follow()
    new_store = join_instance(tmp_path / "new", engine)
    assert all(store.has_graph(graph) for store in (*stores, new_store))
    stores[1].apply(stores[1].compute_replacement(graph, None))
    stores[0].follow()
    newer_store = join_instance(tmp_path / "newer", engine)
    assert not any(store.has_graph(graph) for store in (*stores, newer_store))
    check_copies(engine, stores)


def test_empty_graph_with_a_reserved_iri_is_refused(stores: list[SharedStore]) -> None:
    with pytest.raises(UnstorableError):
        stores[0].update(f"CREATE GRAPH <{BASE}graph/state>")
    assert stores[0].graphs() == []


@pytest.mark.parametrize(("second", "is_refused"), [("1.0", True), ("1.5", False)])
def test_equal_numbers_are_refused_if_the_service_merges_them(
    tmp_path: Path, second: str, is_refused: bool
) -> None:
    engine = MemoryEngine(replace(SMALL_UPDATES_DIALECT, merges_equal_numbers=True))
    store = join_instance(tmp_path / "one", engine)
    graph, numbers = f"{BASE}graph/n", (ox.Literal(1), ox.Literal(second, datatype=DECIMAL))
    triples = [ox.Triple(ox.NamedNode("urn:s"), ox.NamedNode("urn:p"), number) for number in numbers]
    change = store.compute_replacement(graph, triples)
    if is_refused:
        with pytest.raises(UnstorableError, match="numbers of equal value"):
            store.apply(change)
    else:
        store.apply(change)
    assert len(engine.data) == (0 if is_refused else 2)
    check_copies(engine, [store])


def test_terms_that_the_service_would_change_are_refused(tmp_path: Path) -> None:
    # Without the pragmas, which the engine in memory cannot parse.
    engine = MemoryEngine(replace(VIRTUOSO_DIALECT, update_prologue="", exclusion_pragma=""))
    store = join_instance(tmp_path / "one", engine)
    for term in (
        '"P1D"^^<http://www.w3.org/2001/XMLSchema#dayTimeDuration>',
        '"<b/>"^^<http://www.w3.org/1999/02/22-rdf-syntax-ns#XMLLiteral>',
        "<nodeID://b1>",
        "<BIF:exec>",
    ):
        with pytest.raises(UnstorableError):
            store.update(f"INSERT DATA {{ <urn:a> <urn:b> {term} }}")
    store.update("INSERT DATA { <urn:a> <urn:b> 1.0 }")
    assert len(engine.data) == 1


@pytest.mark.parametrize("count_before", [0, 60], ids=["empty graph", "large graph"])
def test_too_large_change_is_refused(
    engine: MemoryEngine, stores: list[SharedStore], monkeypatch: pytest.MonkeyPatch, count_before: int
) -> None:
    triples = " ".join(f"<urn:{number}> <urn:p> _:b ." for number in range(60))
    if count_before:
        stores[0].update(f"INSERT DATA {{ GRAPH <urn:g> {{ {triples} }} }}")
    monkeypatch.setattr(change, "MAX_COMPARED_QUADS", 50)
    with pytest.raises(UnstorableError, match="too large"):
        stores[0].update(f"INSERT {{ GRAPH <urn:g> {{ {triples} <urn:x> <urn:y> 1 }} }} WHERE {{}}")
    monkeypatch.undo()
    check_copies(engine, stores)
    assert len(engine.data) == count_before


def refuse_updates_with(text: str) -> Callable[[str, UpdateCall], None]:
    """An `on_update` function that refuses each update whose text contains `text`."""

    def refuse_update(update: str, execute: UpdateCall) -> None:
        if text in update:
            raise RefusedError(500, "That cannot be stored.")
        execute()

    return refuse_update


@pytest.mark.parametrize("values", [["1", "bad"], [*MANY_VALUES, "bad"]], ids=["small", "large"])
def test_refused_write_is_undone_in_all_instances(
    engine: MemoryEngine, stores: list[SharedStore], values: list[str]
) -> None:
    put_values(stores[0], "a", "before")
    engine.on_update = refuse_updates_with('"bad"')
    with pytest.raises(RefusedError):
        put_values(stores[0], "a", *values)
    check_copies(engine, stores)
    assert len(engine.data) == 1
    put_values(stores[1], "a", "after")
    check_copies(engine, stores)


def test_partly_refused_write_is_undone_without_a_new_copy(
    engine: MemoryEngine, stores: list[SharedStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    put_values(stores[0], "a", "before")
    refuse = refuse_updates_with(MIDDLE_LITERAL)

    def refuse_once(update: str, execute: UpdateCall) -> None:
        if MIDDLE_LITERAL in update:
            engine.on_update = run_without_fault
        refuse(update, execute)

    engine.on_update = refuse_once
    monkeypatch.setattr(stores[0].sharing.copier, "copy_into", None)  # a new copy would fail
    monkeypatch.setattr(stores[1].sharing.copier, "copy_into", None)
    with pytest.raises(RefusedError):
        put_values(stores[0], "a", *MANY_VALUES)
    check_copies(engine, stores)
    assert len(engine.data) == 1
    assert (
        stores[0].last_announced_version
        == stores[1].last_announced_version
        == stores[0].shared_position.version
    )


@pytest.mark.parametrize("values", [["1"], MANY_VALUES], ids=["small", "large"])
@pytest.mark.parametrize("lose", [lose_request_with, lose_response_to])
@pytest.mark.parametrize(
    "marker",
    ["#state>", "#part-0", "#by>", MIDDLE_LITERAL, "#claim"],
    ids=["state", "text of the entry", "label of the entry", "data", "claim"],
)
def test_instances_have_the_same_data_after_a_lost_request_or_response(
    engine: MemoryEngine, stores: list[SharedStore], values: list[str], lose: Any, marker: str
) -> None:
    put_values(stores[0], "a", "before")
    engine.on_update = lose(marker)
    try:
        put_values(stores[0], "a", *values)
        was_written = True
    except StoreUnavailableError:
        was_written = False
    engine.on_update = run_without_fault
    stores[1].finish_pending_write()
    check_copies(engine, stores)
    stored_values = {quad_text.split('"')[1] for quad_text in engine.data}
    possible_states = [set(values)] if was_written else [{"before"}, set(values)]
    assert stored_values in possible_states
    put_values(stores[0], "a", "after")
    check_copies(engine, stores)


def write_with_unknown_outcome(
    engine: MemoryEngine, store: SharedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let a store write a value, and lose the response."""

    def raise_unavailable(_: str) -> None:
        raise StoreUnavailableError("unavailable")

    engine.on_update = lose_response_to("#state>")
    with monkeypatch.context() as patch:
        # After a lost response, the writer removes its claim before it reads the outcome.
        patch.setattr(store.sharing.ledger.claims, "remove_claims", raise_unavailable)
        with pytest.raises(UnknownOutcomeError):
            put_values(store, "a", "1")
    engine.on_update = run_without_fault


@pytest.mark.parametrize("index", [0, 1], ids=["writer", "reader"])
def test_announced_version_is_set_before_the_position(
    stores: list[SharedStore], monkeypatch: pytest.MonkeyPatch, index: int
) -> None:
    store = stores[index]
    old_position = store.shared_position
    assigned_names: list[str] = []

    # A thread that sees the new position considers the copy up to date, so the position must be set last.
    class RecordingStore(SharedStore):
        def __setattr__(self, name: str, value: object) -> None:
            assigned_names.append(name)
            super().__setattr__(name, value)

    store.__class__ = RecordingStore
    # So that the write is announced.
    monkeypatch.setattr(store.sharing.ledger, "is_single_update", lambda _: False)
    put_values(stores[0], "a", "1")
    stores[1].follow()
    assert old_position.version < store.shared_position.version == store.last_announced_version
    names = [name for name in assigned_names if name in ("last_announced_version", "shared_position")]
    assert names == ["last_announced_version", "shared_position"]


def test_uncertain_change_is_resolved(
    engine: MemoryEngine, stores: list[SharedStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_with_unknown_outcome(engine, stores[0], monkeypatch)
    assert list_copied_quads(stores[0]) == set()
    check_copies(engine, stores)
    assert len(engine.data) == 1
    assert len(list_logged_changes(stores[0])) == 1


def test_copies_are_updated_after_the_service_was_restored(
    engine: MemoryEngine, stores: list[SharedStore]
) -> None:
    put_values(stores[0], "a", "1")
    backup = list(engine.store)
    put_values(stores[0], "b", "lost")
    check_copies(engine, stores)
    engine.store = ox.Store()
    engine.store.extend(backup)
    stores[0].follow()
    for number in ("2", "3"):
        put_values(stores[0], "c", number)
    check_copies(engine, stores)


def test_inferred_statements_are_those_of_the_last_writer(tmp_path: Path, engine: MemoryEngine) -> None:
    rules = [f"CONSTRUCT {{ ?s <urn:{name}> ?o }} WHERE {{ ?s <urn:p> ?o }}" for name in ("x", "y")]
    stores = [join_instance(tmp_path / name, engine, (rule,)) for name, rule in zip("xy", rules, strict=True)]
    for index, name, value in ((0, "x", "1"), (1, "y", "2"), (0, "x", "3")):
        put_values(stores[index], name, "1", value)
        inferred_quads = {quad_text for quad_text in engine.data if "graph/inferred" in quad_text}
        assert inferred_quads
        assert all(f"<urn:{name}>" in quad_text for quad_text in inferred_quads)


def load_values(store: SharedStore, *values: str) -> None:
    """Load values on another thread, as `wgig load` does. The load ends with `store.finish_load()`."""
    data = "".join(f'<urn:s> <urn:p> "{value}" .\n' for value in values).encode()
    thread = threading.Thread(
        target=store.bulk_load, args=(io.BytesIO(data), ox.RdfFormat.N_TRIPLES, "urn:big")
    )
    thread.start()
    thread.join()


def test_files_are_loaded_on_other_threads(engine: MemoryEngine, stores: list[SharedStore]) -> None:
    put_values(stores[0], "a", "1")
    load_values(stores[1], *MANY_VALUES)
    load_values(stores[1], "x", "y")
    stores[1].finish_load()  # ends the load: writes it to the service
    check_copies(engine, stores)
    assert len(engine.data) == len(MANY_VALUES) + 3
    put_values(stores[0], "a", "2")
    check_copies(engine, stores)


def test_refused_load_is_undone(engine: MemoryEngine, stores: list[SharedStore]) -> None:
    put_values(stores[0], "a", "1")
    engine.on_update = refuse_updates_with(MIDDLE_LITERAL)
    load_values(stores[1], *MANY_VALUES)
    with pytest.raises(RefusedError):
        stores[1].finish_load()
    check_copies(engine, stores)
    assert len(engine.data) == 1


def test_load_into_a_reserved_graph_is_undone(engine: MemoryEngine, stores: list[SharedStore]) -> None:
    stores[1].bulk_load(
        io.BytesIO(b"<urn:a> <urn:b> <urn:c> ."), ox.RdfFormat.N_TRIPLES, f"{BASE}graph/state"
    )
    with pytest.raises(UnstorableError):
        stores[1].finish_load()
    check_copies(engine, stores)


def test_interrupted_load_is_undone_by_another_instance(
    engine: MemoryEngine, stores: list[SharedStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    put_values(stores[0], "a", "1")
    load_values(stores[1], *MANY_VALUES)
    engine.on_update = lose_request_with(MIDDLE_LITERAL)
    with pytest.raises(StoreError):
        stores[1].finish_load()
    engine.on_update = run_without_fault
    state = stores[0].sharing.ledger.read_state()
    assert state.pending
    pauses: list[float] = []
    monkeypatch.setattr(sharing, "time", SimpleNamespace(sleep=pauses.append))
    stores[0].finish_pending_write()
    assert pauses == [claims.WAIT_AFTER_REMOVAL_SECONDS]  # until running updates have ended
    check_copies(engine, [stores[0]])
    assert len(engine.data) == 1
    # As queries may have seen a part of the load, its version counts as announced.
    assert stores[0].last_announced_version == stores[0].shared_position.version == state.pending


def test_killed_load_is_undone_by_the_same_instance(tmp_path: Path, engine: MemoryEngine) -> None:
    store = join_instance(tmp_path / "one", engine)
    put_values(store, "a", "1")
    load_values(store, *MANY_VALUES)

    def copy_folder_and_fail(text: str, execute: UpdateCall) -> None:
        if MIDDLE_LITERAL in text:
            copy_folder(store, tmp_path / "again")
            raise StoreUnavailableError("The request is lost.")
        execute()

    engine.on_update = copy_folder_and_fail
    with pytest.raises(StoreError):
        store.finish_load()
    engine.on_update = run_without_fault
    messages: list[str] = []
    new_store = join_instance(tmp_path / "again", engine, report=messages.append)
    new_store.finish_pending_write()
    assert messages == []  # a new copy would be reported
    check_copies(engine, [new_store])
    assert len(engine.data) == 1


def test_copy_of_a_running_instance_cannot_be_opened(tmp_path: Path, engine: MemoryEngine) -> None:
    store = join_instance(tmp_path / "one", engine)
    put_values(store, "a", "1")
    (tmp_path / "one" / POSITION_FILE).unlink(missing_ok=True)
    with pytest.raises(StoreNotWritableError):
        join_instance(tmp_path / "one", engine)
    put_values(store, "a", "2")
    assert Store.open_read_only(tmp_path / "one").size()[0] == 1


def test_progress_of_a_copy_is_reported(
    tmp_path: Path, engine: MemoryEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_values(join_instance(tmp_path / "one", engine), "a", *MANY_VALUES)
    monkeypatch.setattr(copy, "COPY_PROGRESS_QUADS", 10)
    messages: list[str] = []
    join_instance(tmp_path / "two", engine, report=messages.append)
    assert len(messages) == 1  # the start of the copy
    monkeypatch.setattr(sharing, "COPY_PROGRESS_SECONDS", 0)
    join_instance(tmp_path / "three", engine, report=messages.append)
    assert messages[2:] == [
        f"Copied {count} of {len(MANY_VALUES)} statements ..."
        for count in range(10, len(MANY_VALUES) + 1, 10)
    ]


def test_outdated_copy_is_updated_and_not_replaced(tmp_path: Path, engine: MemoryEngine) -> None:
    put_values(join_instance(tmp_path / "one", engine), "a", "1")
    other = join_instance(tmp_path / "two", engine)
    put_values(other, "a", "2")
    messages: list[str] = []
    check_copies(engine, [other, join_instance(tmp_path / "one", engine, report=messages.append)])
    assert messages == []  # a new copy would be reported


def test_nothing_is_written_after_a_disk_error(
    engine: MemoryEngine, stores: list[SharedStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    put_values(stores[0], "a", "1")
    store_inference = stores[0]._inference
    assert store_inference

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store_inference, "derive", fail)
    with pytest.raises(StoreError):
        put_values(stores[0], "a", "2")
    monkeypatch.undo()
    check_copies(engine, stores)
    assert '"1"' in next(iter(engine.data))
    put_values(stores[0], "a", "3")
    check_copies(engine, stores)


def test_copy_gets_a_write_that_its_log_could_not_store(
    engine: MemoryEngine, stores: list[SharedStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise DiskFullError("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(stores[0].log, "append", fail)
        with pytest.raises(StoreUnavailableError, match="was saved"):
            put_values(stores[0], "a", "1")
        assert list_copied_quads(stores[0]) == set()
        with pytest.raises(DiskFullError):
            stores[0].follow()
    check_copies(engine, stores)
    assert len(engine.data) == 1
    put_values(stores[0], "a", "2")
    check_copies(engine, stores)


def test_log_has_the_stated_changes_of_all_instances(tmp_path: Path, engine: MemoryEngine) -> None:
    rule = "CONSTRUCT { ?s <urn:x> ?o } WHERE { ?s <urn:p> ?o }"
    stores = [join_instance(tmp_path / name, engine, (rule,)) for name in ("one", "two")]
    published: list[CommittedChange] = []

    class RecordingSubscriber:
        """Records the commits of a store."""

        def receive(self, commits: Sequence[CommittedChange] | None, _: int) -> None:
            published.extend(commits or ())

    stores[1].runner.subscribe(RecordingSubscriber())
    put_values(stores[0], "a", "1")
    put_values(stores[1], "b", "2")
    put_values(stores[0], "a", "3")
    stores[1].follow()
    changes = list_logged_changes(stores[1])
    assert [(len(change.removed), len(change.added)) for change in changes] == [(0, 1), (0, 1), (1, 1)]
    assert not any("inferred" in graph for change in changes for graph in change.graphs)
    stores[1].runner.wait_until_applied(stores[1].runner.published_count)
    versions = [entry.version for entry in stores[1].log.iter_entries() if entry.change is not None]
    assert [commit.version for commit in published] == versions
    assert [commit.stated for commit in published] == changes
    assert all(commit.derived.graphs == {f"{BASE}graph/inferred"} for commit in published)
    check_copies(engine, stores)


@pytest.mark.parametrize("is_power_cut", [False, True], ids=["killed", "power cut"])
def test_changes_are_applied_again_after_a_crash(
    tmp_path: Path, engine: MemoryEngine, is_power_cut: bool
) -> None:
    rule = "CONSTRUCT { ?s <urn:x> ?o } WHERE { ?s <urn:p> ?o }"
    store, other = (join_instance(tmp_path / name, engine, (rule,)) for name in ("one", "two"))
    put_values(store, "a", "1")
    store.flush()
    copy_quads(store, tmp_path / "flushed")
    for number in range(5):
        put_values(store, "a", str(number))
        other.follow()
        put_values(other, "b", str(number % 2), "x")
        store.follow()
    changes = list_logged_changes(store)
    put_values(other, "b")  # undoes a change after the flush
    copy_folder(store, tmp_path / "again")
    if is_power_cut:  # the engine has nothing that was not flushed
        shutil.rmtree(tmp_path / "again/quads")
        (tmp_path / "flushed").rename(tmp_path / "again/quads")
    messages: list[str] = []
    again = join_instance(tmp_path / "again", engine, (rule,), report=messages.append)
    assert messages == []  # a new copy would be reported
    check_copies(engine, [again])
    assert list_logged_changes(again)[:-1] == changes
    assert again.log.find_last_reset() == store.log.find_last_reset()


def test_interrupted_copy_is_made_again(
    tmp_path: Path, engine: MemoryEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_values(join_instance(tmp_path / "one", engine), "a", *MANY_VALUES)
    with monkeypatch.context() as patch:
        patch.setattr(StoreCopier, "apply_later_changes", None)  # fails when all quads are copied
        with pytest.raises(TypeError):
            join_instance(tmp_path / "two", engine)
    messages: list[str] = []
    check_copies(engine, [join_instance(tmp_path / "two", engine, report=messages.append)])
    assert len(messages) == 1


def test_copy_with_the_first_layout_is_replaced(tmp_path: Path, engine: MemoryEngine) -> None:
    put_values(join_instance(tmp_path / "one", engine), "a", "1")
    folder = tmp_path / "two"
    for name in ("versions", "aside/kept"):
        (folder / name).mkdir(parents=True)
    for name, text in (("layout", "1 0.1.0"), ("in-line-with", "store 1 id"), ("inferred-by", "rules")):
        (folder / name).write_text(text)
    ox.Store(folder / "quads").add(ox.Quad(*[ox.NamedNode("urn:old")] * 4))
    gc.collect()  # closes the store
    check_copies(engine, [join_instance(folder, engine)])
    assert (folder / "layout").read_text().startswith("2 ")
    assert {path.name for path in folder.iterdir()} >= {"quads", "log.sqlite", "position.json"}
    assert not any((folder / name).exists() for name in ("versions", "in-line-with", "aside/kept"))


def test_old_contents_are_shared(engine: MemoryEngine, stores: list[SharedStore]) -> None:
    content = b"<urn:s> <urn:p> <urn:o> .\n"
    digest = stores[0].old_contents.keep_content(content)
    for _ in range(2):
        assert stores[1].old_contents.read_content(digest) == content
        engine.store.clear()  # the log of the copy has it from now on
    for unknown_digest in ("0" * 64, "> ?p ?o } } #"):
        with pytest.raises(StoreError, match="is not in the change log"):
            stores[1].old_contents.read_content(unknown_digest)
    with pytest.raises(UnstorableError):
        stores[0].forget([digest])


class QuadCounter:
    """A describer: its graph has the number of other quads."""

    graphs = frozenset({ox.NamedNode(f"{BASE}graph/count")})
    digest = "count"

    def compute_change(self, quads: ox.Store, change: Change | None) -> Change:
        """Add the change to the number, so that it is wrong if a change is described twice or never."""
        (graph,) = self.graphs
        old_quads = tuple(quads.quads_for_pattern(None, None, None, graph))
        if change is None:
            count = len(quads) - len(old_quads)
        else:
            old_counts = [int(quad.object.value) for quad in old_quads if isinstance(quad.object, ox.Literal)]
            count = len(change.added) - len(change.removed) + sum(old_counts)
        return Change(old_quads, (ox.Quad(graph, graph, ox.Literal(count), graph),))


def test_descriptions_include_the_changes_of_all_instances(tmp_path: Path, engine: MemoryEngine) -> None:
    stores = []
    for name in ("one", "two"):
        inference = Inference((), f"{BASE}graph/inferred", tmp_path / name, (), (QuadCounter(),))
        stores.append(SharedStore.join(tmp_path / name, make_sharing(engine), inference))
        stores[-1].update_in_background()
    for number in range(3):
        put_values(stores[0], "a", *map(str, range(number)))
        put_values(stores[1], "b", *map(str, range(5 - number)))
    stores[0].follow()
    assert not stores[0].has_outdated_descriptions  # the last writer has described its write
    load_values(stores[0], *MANY_VALUES)
    stores[0].finish_load()
    check_copies(engine, stores)
    counts = [
        quad.object for quad in stores[1].match(None, None, None) if quad.predicate in QuadCounter.graphs
    ]
    assert counts == [ox.Literal(len(engine.data) - 1)]
    assert not stores[0].has_outdated_descriptions
    stores[0].close()


def test_write_with_too_much_inference_is_undone(
    engine: MemoryEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = "CONSTRUCT { ?s <urn:x> ?o } WHERE { ?s <urn:p> ?o }"
    stores = [join_instance(tmp_path / name, engine, (rule,)) for name in ("one", "two")]
    put_values(stores[0], "a", "1")
    before = list_copied_quads(stores[0])
    with monkeypatch.context() as patched:
        patched.setattr(inference, "MAX_INFERRED_TRIPLES", 0)
        with pytest.raises(InferenceTooLargeError):
            put_values(stores[0], "a", "2")
    assert list_copied_quads(stores[0]) == before
    check_copies(engine, stores)
    put_values(stores[1], "a", "3")
    check_copies(engine, stores)


def test_concurrent_writers_do_not_deadlock(stores: list[SharedStore]) -> None:
    store = stores[0]

    def write_repeatedly(number: int) -> None:
        for count in range(5):
            put_values(store, str(number), str(count))
            with store.exclusive_writer():
                pass

    threads = [threading.Thread(target=write_repeatedly, args=(number,), daemon=True) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in threads)
