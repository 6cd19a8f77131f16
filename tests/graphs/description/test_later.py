"""A service does not wait for the description of what it writes, and is not behind for long."""

import shutil
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue

import pyoxigraph as ox
import pytest
from wgig.graphs.description import statistics_worker
from wgig.graphs.description.derived import DescriptionGraphs
from wgig.graphs.description.statistics import Figures, compute_figure_changes
from wgig.rdf.namespaces import get_description_graphs
from wgig.rdf.serialization import parse_graph_document
from wgig.settings import Settings
from wgig.store import transactions
from wgig.store.change import Change
from wgig.store.store import Store
from wgig.store.transactions import Debouncer

from tests.fixtures.service import service_of

BASE = Settings.base
GRAPH = f"{BASE}graph/g"
NEVER = 3600.0
WAIT = 30


def opened(folder: Path) -> Store:
    return Store.open(folder, last=[DescriptionGraphs(BASE)])


def write(store: Store, number: int) -> None:
    store.apply(
        store.compute_addition(
            GRAPH, parse_graph_document(f"<urn:s> <urn:p> {number} .".encode(), "text/turtle")
        )
    )


def told(store: Store) -> int:
    """How many triples there are by the description."""
    return DescriptionGraphs(BASE).void.triple_count(store._quads)


@pytest.fixture
def behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store with one triple that describes what comes only when it is told to."""
    monkeypatch.setattr(transactions, "DESCRIPTION_PAUSE_SECONDS", NEVER)
    monkeypatch.setattr(transactions, "MAX_DESCRIPTION_DELAY_SECONDS", NEVER)
    store = opened(tmp_path / "store")
    write(store, 1)
    store.describe_later()
    return store


def test_a_write_is_described_later(behind: Store) -> None:
    heard = list[object]()
    behind.on_commit = heard.append
    write(behind, 2)
    write(behind, 3)
    assert (told(behind), len(heard)) == (1, 2)
    behind.flush_descriptions()
    assert (told(behind), len(heard)) == (3, 3)
    behind.flush_descriptions()
    assert len(heard) == 3


def test_it_is_described_by_itself_when_it_is_quiet(tmp_path: Path) -> None:
    store, heard = opened(tmp_path), Queue[object]()
    write(store, 1)
    store.on_commit = heard.put
    store.describe_later()
    write(store, 2)
    for _ in ("the write", "the description"):
        heard.get(timeout=WAIT)
    assert told(store) == 2


def test_who_asks_at_the_well_known_places_gets_what_is_so(behind: Store) -> None:
    client = service_of(Settings(), behind)
    write(behind, 2)
    size = f'<{GRAPH}> <http://rdfs.org/ns/void#triples> "2"'
    assert size in client.get("/.well-known/void", headers={"Accept": "application/n-triples"}).text


def test_the_end_leaves_nothing_behind(behind: Store, tmp_path: Path) -> None:
    write(behind, 2)
    assert behind.stop_writing(0)
    assert told(behind) == 2
    assert not (tmp_path / "store" / "undescribed").exists()


@pytest.mark.parametrize(("writes", "anew"), [(1, False), (2, True)])
def test_what_a_crash_left_behind_is_made_good(
    behind: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writes: int, anew: bool
) -> None:
    for number in range(writes):
        write(behind, 2 + number)
    shutil.copytree(tmp_path / "store", tmp_path / "killed")
    counted, whole = list[ox.Store](), DescriptionGraphs.rebuild

    def noted(self: DescriptionGraphs, quads: ox.Store) -> Change:
        counted.append(quads)
        return whole(self, quads)

    monkeypatch.setattr(DescriptionGraphs, "rebuild", noted)
    assert told(opened(tmp_path / "killed")) == 1 + writes
    assert bool(counted) == anew


def test_many_in_a_row_are_one_and_a_failure_is_no_end() -> None:
    calls = Queue[int]()

    def function() -> None:
        calls.put(1)
        raise ValueError

    quiet = Debouncer(function, pause_seconds=0.5, max_delay_seconds=WAIT)
    for _ in range(100):
        quiet.trigger()
    calls.get(timeout=WAIT)
    assert calls.empty()
    quiet.trigger()
    calls.get(timeout=WAIT)


@pytest.fixture
def large(behind: Store) -> Store:
    """One with eight triples, so that it is no use to count all for a few."""
    for number in range(2, 9):
        write(behind, number)
    behind.flush_descriptions()
    return behind


def during(monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> None:
    """Let something happen on another thread while it is counted what was written."""
    prepare = DescriptionGraphs.prepare

    def prepare_and_act(self: DescriptionGraphs, copy: Path, change: Change) -> Figures:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(act).result(timeout=WAIT)
        return prepare(self, copy, change)

    monkeypatch.setattr(transactions, "MIN_COPIED_CHANGE_QUADS", 2)
    monkeypatch.setattr(DescriptionGraphs, "prepare", prepare_and_act)


def test_others_write_while_it_is_counted_what_was_written(
    large: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(large, 9)
    write(large, 10)
    during(monkeypatch, lambda: write(large, 11))
    large.update_descriptions()
    assert (told(large), large.has_outdated_descriptions) == (10, True)
    large.flush_descriptions()
    assert (told(large), large.has_outdated_descriptions) == (11, False)


def test_who_cannot_wait_for_the_count_gets_what_is_so(large: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    write(large, 9)
    write(large, 10)
    during(monkeypatch, large.flush_descriptions)
    large.update_descriptions()
    assert (told(large), large.has_outdated_descriptions) == (10, False)


def test_a_count_that_fails_is_made_by_the_service_itself(
    large: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write(large, 9)
    write(large, 10)
    monkeypatch.setattr(transactions, "MIN_COPIED_CHANGE_QUADS", 2)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    large.update_descriptions()
    assert (told(large), large.has_outdated_descriptions) == (10, False)
    assert "writes wait for them" in caplog.text


def test_a_process_counts_what_the_service_counts(large: Store, tmp_path: Path) -> None:
    write(large, 9)
    large.copy_to(tmp_path / "copy")
    [change] = large._undescribed
    assert change
    figures = compute_figure_changes(large._quads, change, BASE, get_description_graphs(BASE))
    assert figures
    assert statistics_worker.count_in_subprocess(tmp_path / "copy", change, BASE) == figures


def test_nothing_counts_as_described_before_readers_are_told_of_it(behind: Store) -> None:
    seen = list[bool]()
    write(behind, 2)
    behind.on_commit = lambda _: seen.append(behind.has_outdated_descriptions)
    behind.flush_descriptions()
    assert (seen, behind.has_outdated_descriptions) == ([True], False)
