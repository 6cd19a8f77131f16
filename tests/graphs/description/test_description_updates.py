"""Description graphs (VoID statistics, DCAT catalog) are updated after a pause in writes, not by each one."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue

import pyoxigraph as ox
import pytest
from wgig.graphs.description.derived import DescriptionGraphs
from wgig.rdf.namespaces import DCTERMS_MODIFIED
from wgig.rdf.serialization import parse_graph_document
from wgig.settings import Settings
from wgig.store import transactions
from wgig.store.change import Change
from wgig.store.store import Store
from wgig.store.transactions import Debouncer

from tests.fixtures.service import make_service_client
from tests.fixtures.stores import copy_as_killed

BASE = Settings.base
GRAPH = f"{BASE}graph/g"
NEVER_SECONDS = 3600.0
WAIT_SECONDS = 30  # at most, for an event that must occur


def open_store(folder: Path) -> Store:
    return Store.open(folder, describers=[DescriptionGraphs(BASE)])


def write_triple(store: Store, number: int) -> None:
    triples = parse_graph_document(f"<urn:s> <urn:p> {number} .".encode(), "text/turtle")
    store.apply(store.compute_addition(GRAPH, triples))


def described_triple_count(store: Store) -> int:
    """The number of triples that the description graphs state."""
    return DescriptionGraphs(BASE).void.triple_count(store._quads)


@pytest.fixture
def unflushed_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store with one triple. Its descriptions are updated only by an explicit call."""
    monkeypatch.setattr(transactions, "DESCRIPTION_PAUSE_SECONDS", NEVER_SECONDS)
    monkeypatch.setattr(transactions, "MAX_DESCRIPTION_DELAY_SECONDS", NEVER_SECONDS)
    store = open_store(tmp_path / "store")
    write_triple(store, 1)
    store.update_in_background()
    return store


def test_write_is_described_by_flush(unflushed_store: Store) -> None:
    commits = list[object]()
    unflushed_store.on_commit = commits.append
    write_triple(unflushed_store, 2)
    write_triple(unflushed_store, 3)
    assert (described_triple_count(unflushed_store), len(commits)) == (1, 2)
    unflushed_store.flush_descriptions()
    assert (described_triple_count(unflushed_store), len(commits)) == (3, 3)
    unflushed_store.flush_descriptions()
    assert len(commits) == 3


def test_write_is_described_after_pause(tmp_path: Path) -> None:
    store, commits = open_store(tmp_path), Queue[object]()
    write_triple(store, 1)
    store.on_commit = commits.put
    store.update_in_background()
    write_triple(store, 2)
    for _ in ("write", "update of the descriptions"):
        commits.get(timeout=WAIT_SECONDS)
    assert described_triple_count(store) == 2


def test_well_known_void_is_up_to_date(unflushed_store: Store) -> None:
    client = make_service_client(Settings(), unflushed_store)
    write_triple(unflushed_store, 2)
    size = f'<{GRAPH}> <http://rdfs.org/ns/void#triples> "2"'
    assert size in client.get("/.well-known/void", headers={"Accept": "application/n-triples"}).text


def test_shutdown_updates_descriptions(unflushed_store: Store) -> None:
    write_triple(unflushed_store, 2)
    assert unflushed_store.close(0)
    assert described_triple_count(unflushed_store) == 2


@pytest.mark.parametrize("write_count", [1, 2])
def test_descriptions_are_updated_after_crash(
    unflushed_store: Store, tmp_path: Path, write_count: int
) -> None:
    for number in range(write_count):
        write_triple(unflushed_store, 2 + number)
    store = open_store(copy_as_killed(unflushed_store, tmp_path / "killed"))
    store.flush_descriptions()
    assert described_triple_count(store) == 1 + write_count


def test_debouncer_merges_triggers_and_survives_errors() -> None:
    calls = Queue[int]()

    def fail() -> None:
        calls.put(1)
        raise ValueError

    debouncer = Debouncer(fail, pause_seconds=0.5, max_delay_seconds=WAIT_SECONDS)
    for _ in range(100):
        debouncer.trigger()
    calls.get(timeout=WAIT_SECONDS)
    assert calls.empty()
    debouncer.trigger()
    calls.get(timeout=WAIT_SECONDS)


@pytest.fixture
def large_store(unflushed_store: Store) -> Store:
    """A store with eight described triples, so that after two more the figures are not counted anew."""
    for number in range(2, 9):
        write_triple(unflushed_store, number)
    unflushed_store.flush_descriptions()
    return unflushed_store


def run_during_count(monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> None:
    """Make the next update of the descriptions from a snapshot first call `act` on another thread."""
    compute_change = DescriptionGraphs.compute_change

    def compute_after_act(self: DescriptionGraphs, quads: ox.Store, change: Change | None) -> Change:
        monkeypatch.setattr(DescriptionGraphs, "compute_change", compute_change)
        with ThreadPoolExecutor(1) as pool:
            pool.submit(act).result(timeout=WAIT_SECONDS)
        return compute_change(self, quads, change)

    monkeypatch.setattr(transactions, "MIN_COPIED_CHANGE_QUADS", 2)  # uses a snapshot from 2 quads
    monkeypatch.setattr(DescriptionGraphs, "compute_change", compute_after_act)


def test_writes_continue_while_figures_are_counted(
    large_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_triple(large_store, 9)
    write_triple(large_store, 10)
    run_during_count(monkeypatch, lambda: write_triple(large_store, 11))
    large_store.update_descriptions()
    assert (described_triple_count(large_store), large_store.has_outdated_descriptions) == (10, True)
    large_store.flush_descriptions()
    assert (described_triple_count(large_store), large_store.has_outdated_descriptions) == (11, False)


def test_flush_during_count_updates_descriptions(large_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    write_triple(large_store, 9)
    write_triple(large_store, 10)
    run_during_count(monkeypatch, large_store.flush_descriptions)
    large_store.update_descriptions()
    assert (described_triple_count(large_store), large_store.has_outdated_descriptions) == (10, False)


def test_update_by_differences_equals_full_count(large_store: Store) -> None:
    descriptions = DescriptionGraphs(BASE)
    for number in (9, 10):
        write_triple(large_store, number)
        large_store.flush_descriptions()
    change = descriptions.rebuild(large_store._quads)
    changed_properties = {quad.predicate for quad in (*change.removed, *change.added)}
    assert changed_properties <= {DCTERMS_MODIFIED}


def test_computing_a_change_writes_nothing(large_store: Store) -> None:
    descriptions, quads_before = DescriptionGraphs(BASE), set(large_store._quads)
    quad = next(quad for quad in large_store._quads if quad.graph_name not in descriptions.graphs)
    change = Change((), (quad,))
    assert not descriptions.rebuild(large_store._quads)  # they are up to date
    assert descriptions.clear(large_store._quads).removed
    assert descriptions.compute_change(large_store._quads, change)
    assert set(large_store._quads) == quads_before


def test_descriptions_are_outdated_until_commit_is_announced(unflushed_store: Store) -> None:
    states_at_commit = list[bool]()
    write_triple(unflushed_store, 2)
    unflushed_store.on_commit = lambda _: states_at_commit.append(unflushed_store.has_outdated_descriptions)
    unflushed_store.flush_descriptions()
    assert (states_at_commit, unflushed_store.has_outdated_descriptions) == ([True], False)


def test_change_is_described_if_the_consumer_of_commits_fails(unflushed_store: Store) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("the consumer has ended")

    unflushed_store.defers_descriptions = True
    unflushed_store.on_commit = fail
    with pytest.raises(RuntimeError):
        unflushed_store.replace({"urn:g": []})
    assert unflushed_store.has_outdated_descriptions
