"""A service does not wait for the description of what it writes, and is not behind for long."""

import shutil
from collections.abc import Callable
from pathlib import Path
from queue import Queue

import httpx
import pyoxigraph as ox
import pytest
from wgig import transactions
from wgig.about.portrait import Portrait
from wgig.quiet import Quiet
from wgig.rdf import read
from wgig.settings import Settings
from wgig.store import Store
from wgig.writes.changes import Change

BASE = Settings.base
GRAPH = f"{BASE}graph/g"
NEVER = 3600.0
WAIT = 30


def opened(folder: Path) -> Store:
    return Store.open(folder, last=[Portrait(BASE)])


def write(store: Store, number: int) -> None:
    store.apply(store.change_by(GRAPH, read(f"<urn:s> <urn:p> {number} .".encode(), "text/turtle")))


def told(store: Store) -> int:
    """How many triples there are by the description."""
    return Portrait(BASE).void.size(store._quads)


@pytest.fixture
def behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store with one triple that describes what comes only when it is told to."""
    monkeypatch.setattr(transactions, "PAUSE", NEVER)
    monkeypatch.setattr(transactions, "LONGEST", NEVER)
    store = opened(tmp_path / "store")
    write(store, 1)
    store.describe_later()
    return store


def test_a_write_is_described_later(behind: Store) -> None:
    heard = list[object]()
    behind.heard = heard.append
    write(behind, 2)
    write(behind, 3)
    assert (told(behind), len(heard)) == (1, 2)
    behind.catch_up()
    assert (told(behind), len(heard)) == (3, 3)
    behind.catch_up()
    assert len(heard) == 3


def test_it_is_described_by_itself_when_it_is_quiet(tmp_path: Path) -> None:
    store, heard = opened(tmp_path), Queue[object]()
    write(store, 1)
    store.heard = heard.put
    store.describe_later()
    write(store, 2)
    for _ in ("the write", "the description"):
        heard.get(timeout=WAIT)
    assert told(store) == 2


def test_who_asks_at_the_well_known_places_gets_what_is_so(
    behind: Store, service_of: Callable[[Settings, Store], httpx.Client]
) -> None:
    client = service_of(Settings(), behind)
    write(behind, 2)
    size = f'<{GRAPH}> <http://rdfs.org/ns/void#triples> "2"'
    assert size in client.get("/.well-known/void", headers={"Accept": "application/n-triples"}).text


def test_the_end_leaves_nothing_behind(behind: Store, tmp_path: Path) -> None:
    write(behind, 2)
    assert behind.end(0)
    assert told(behind) == 2
    assert not (tmp_path / "store" / "undescribed").exists()


@pytest.mark.parametrize(("writes", "anew"), [(1, False), (2, True)])
def test_what_a_crash_left_behind_is_made_good(
    behind: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writes: int, anew: bool
) -> None:
    for number in range(writes):
        write(behind, 2 + number)
    shutil.copytree(tmp_path / "store", tmp_path / "killed")
    counted, whole = list[ox.Store](), Portrait.anew

    def noted(self: Portrait, quads: ox.Store) -> Change:
        counted.append(quads)
        return whole(self, quads)

    monkeypatch.setattr(Portrait, "anew", noted)
    assert told(opened(tmp_path / "killed")) == 1 + writes
    assert bool(counted) == anew


def test_many_in_a_row_are_one_and_a_failure_is_no_end() -> None:
    calls = Queue[int]()

    def function() -> None:
        calls.put(1)
        raise ValueError

    quiet = Quiet(function, pause=0.5, longest=WAIT)
    for _ in range(100):
        quiet.happened()
    calls.get(timeout=WAIT)
    assert calls.empty()
    quiet.happened()
    calls.get(timeout=WAIT)
