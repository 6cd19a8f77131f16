"""What is read about a node, or from a graph, is kept until a write touches it."""

import random
from collections import Counter
from collections.abc import Callable
from threading import Thread

import pyoxigraph as ox
import pytest
from wgig.resources.description import iter_type_triples
from wgig.resources.property_path import PropertyPath, follow_property_path
from wgig.store import node_cache
from wgig.store.change import Change
from wgig.store.labels import find_label
from wgig.store.node_cache import NodeResults, cache_for_node
from wgig.store.store import Store

LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
NAMES = [f"urn:node:{number}" for number in range(6)]
PATHS = [PropertyPath(path) for path in ("rdfs:label", "^rdf:type", "rdf:type", "^rdf:type/rdfs:label")]
BASE = "urn:base/"


class FakeStore:
    """A store with a version and no quads."""

    def __init__(self) -> None:
        self.version, self.node_results = 0, NodeResults()

    def write(self, *iris: str) -> None:
        """A write that touches these nodes."""
        quads = tuple(ox.Quad(ox.NamedNode(iri), ox.NamedNode("urn:p"), ox.Literal("")) for iri in iris)
        self.node_results.record(self.version + 1, Change(added=quads))
        self.version += 1


def make_counted_reader() -> tuple[Counter[str], Callable[[FakeStore, str], int]]:
    """The number of calls by node, and a cached function that returns the version of the store."""
    calls = Counter[str]()

    @cache_for_node
    def read_version(store: FakeStore, node: str) -> int:
        calls[node] += 1
        return store.version

    return calls, read_version


def test_a_write_drops_only_the_results_for_the_nodes_that_it_touches() -> None:
    store, (calls, read_version) = FakeStore(), make_counted_reader()
    for expected in ((0, 0), (1, 0), (1, 0), (3, 3)):
        assert (read_version(store, "urn:a"), read_version(store, "urn:b")) == expected
        store.write(*[["urn:a"], ["urn:c"], ["urn:a", "urn:b"]][store.version % 3])
    assert calls == {"urn:a": 3, "urn:b": 2}


@pytest.mark.parametrize("is_unknown", [True, False])
def test_results_are_dropped_after_an_unknown_or_large_change(
    monkeypatch: pytest.MonkeyPatch, *, is_unknown: bool
) -> None:
    monkeypatch.setattr(node_cache, "MAX_RECORDED_QUADS", 2)
    store, (_, read_version) = FakeStore(), make_counted_reader()
    assert read_version(store, "urn:a") == 0
    if is_unknown:
        store.node_results.record(1, None)
        store.version = 1
    else:
        store.write("urn:b", "urn:c", "urn:d")
    assert read_version(store, "urn:a") == 1


def test_results_older_than_the_recorded_writes_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_cache, "MAX_RECORDED_VERSIONS", 3)
    store, (_, read_version) = FakeStore(), make_counted_reader()
    assert read_version(store, "urn:a") == 0
    for _ in range(4):
        store.write("urn:b")
    assert read_version(store, "urn:a") == 4
    assert len(store.node_results.touched_nodes) == 3


def test_all_results_are_dropped_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_cache, "MAX_KEPT_NODE_RESULTS", 5)
    store, (_, read_version) = FakeStore(), make_counted_reader()
    for number in range(23):
        read_version(store, f"urn:{number}")
        assert len(store.node_results.results) <= 5


def write_randomly(store: Store, source: random.Random) -> None:
    """Replace, empty or delete a graph, add to one, or increase only the version."""

    def make_triple() -> ox.Triple:
        node = ox.NamedNode(source.choice(NAMES))
        if source.random() < 0.5:
            return ox.Triple(node, ox.NamedNode(LABEL), ox.Literal(source.choice("abc"), language="en"))
        return ox.Triple(node, ox.NamedNode(TYPE), ox.NamedNode(source.choice(NAMES)))

    graph = source.choice(["urn:graph:1", "urn:graph:2"])
    triples = [make_triple() for _ in range(source.randrange(6))]
    match source.randrange(6):
        case 0:
            store.touch()
        case 1:
            store.update(f"DROP SILENT GRAPH <{graph}>")
        case 2:
            store.update(f"DELETE WHERE {{ GRAPH ?g {{ <{source.choice(NAMES)}> ?p ?o }} }}")
        case 3:
            store.update(f"MOVE SILENT <urn:graph:1> TO <{graph}>")
        case _:
            store.apply(store.compute_addition(graph, triples))


@cache_for_node
def read_graph(store: Store, graph: str) -> set[ox.Triple]:
    """The triples of a graph."""
    return {*store.triples(graph)}


def test_results_are_those_of_a_store_without_a_cache() -> None:
    store, source = Store.in_memory(), random.Random(7)
    for _ in range(300):
        write_randomly(store, source)
        fresh = Store(store._quads)
        for graph in ("urn:graph:1", "urn:graph:2"):
            assert read_graph(store, graph) == {*fresh.triples(graph)}
        for name in source.sample(NAMES, 3):
            assert find_label(store, name) == find_label(fresh, name)
            assert [*iter_type_triples(store, [name])] == [*iter_type_triples(fresh, [name])]
            for path in PATHS:
                assert follow_property_path(store, name, path, BASE) == follow_property_path(
                    fresh, name, path, BASE
                )


def test_results_are_current_when_other_threads_read_during_writes() -> None:
    store = Store.in_memory()
    is_done = False

    def read_all_the_time() -> None:
        while not is_done:
            for name in NAMES:
                find_label(store, name)

    threads = [Thread(target=read_all_the_time) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for number in range(200):
            name = NAMES[number % len(NAMES)]
            store.update(
                f'DELETE WHERE {{ <{name}> <{LABEL}> ?l }}; INSERT DATA {{ <{name}> <{LABEL}> "{number}" }}'
            )
            assert find_label(store, name) == ox.Literal(str(number))
    finally:
        is_done = True
        for thread in threads:
            thread.join()
