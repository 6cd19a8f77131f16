"""The sizes of graphs: equal to a new count after each change, and saved for the next start."""

import random
from pathlib import Path

import pyoxigraph as ox
import pytest
from wgig.store.change import Change
from wgig.store.size import GraphSizes
from wgig.store.store import Store
from wgig.store.view import StoreView

from tests.fixtures.stores import copy_as_killed

GRAPHS = [f"urn:graph:{number}" for number in range(4)]


def write_at_random(store: Store, rng: random.Random) -> None:
    """Replace, empty or remove a graph, or add a quad to the default graph."""
    triples = [
        ox.Triple(ox.NamedNode("urn:s"), ox.NamedNode("urn:p"), ox.Literal(number))
        for number in rng.sample(range(9), rng.randrange(5))
    ]
    if rng.randrange(4):
        store.replace({rng.choice(GRAPHS): rng.choice([triples, None])})
    else:
        quads = (ox.Quad(triple.subject, triple.predicate, triple.object) for triple in triples)
        store.apply(Change(added=tuple(quad for quad in quads if not store.has_quad(quad))))


def test_sizes_equal_a_new_count_after_each_change() -> None:
    store, rng = Store.in_memory(), random.Random(1)
    sizes, seen = GraphSizes(store), set[int]()
    for _ in range(60):
        write_at_random(store, rng)
        current = sizes.read()
        assert current == GraphSizes(store).read()
        assert sorted(current) == store.graphs()
        assert current == {graph: len(list(store.triples(graph))) for graph in store.graphs()}
        seen |= {*current.values(), -len(current)}
    assert {0, 1, 2, -1, -3} <= seen


def test_saved_sizes_are_used_by_the_next_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, rng = Store.open(tmp_path / "first"), random.Random(1)
    sizes = GraphSizes(store)
    for _ in range(20):
        write_at_random(store, rng)
        expected = sizes.read()
    store.close()
    sizes.save()
    other_store = Store.open(copy_as_killed(store, tmp_path / "second"))
    monkeypatch.delattr(StoreView, "graphs")  # which a count would call
    assert GraphSizes(other_store).read() == expected != {}
