"""Figures that are counted in full, and those that are updated by a change, are equal to a simple count."""

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pyoxigraph as ox
import pytest
from wgig.graphs.description.figure_changes import LookupCache, compute_figure_changes
from wgig.graphs.description.statistics import (
    WHOLE_DATASET,
    Figures,
    TripleShape,
    add_shape_figures,
    count_figures,
    link_figures,
    value_kind,
)
from wgig.rdf.namespaces import DCTERMS_LICENSE, RDF_TYPE
from wgig.store.change import Change

BASE = "https://example.org/"
EXCLUDED = frozenset([ox.NamedNode(f"{BASE}excluded")])
ROUNDS = 40


def count_simply(store: ox.Store) -> Figures:
    """All figures that are not 0, counted in Python from a set of all triples."""
    quads = [quad for quad in store if quad.graph_name not in EXCLUDED]
    triples = {quad.triple for quad in quads}
    figures, shapes = Figures(), Counter[TripleShape]()
    for graph in store.named_graphs():
        if isinstance(graph, ox.NamedNode) and graph not in EXCLUDED:
            figures[("graph", graph.value), "stated"] = 1
            figures[("graph", graph.value), "triples"] = sum(quad.graph_name == graph for quad in quads)

    def classes_of(node: object) -> frozenset[str]:
        return frozenset(
            triple.object.value
            for triple in triples
            if triple.subject == node
            and triple.predicate == RDF_TYPE
            and isinstance(triple.object, ox.NamedNode)
        )

    subjects, values = {triple.subject for triple in triples}, {triple.object for triple in triples}
    figures[WHOLE_DATASET, "distinctSubjects"] = len(subjects)
    figures[WHOLE_DATASET, "distinctObjects"] = len(values)
    figures[WHOLE_DATASET, "entities"] = sum(
        isinstance(node, ox.NamedNode) and node.value.startswith(BASE) for node in subjects
    )
    for node in subjects:
        for class_ in classes_of(node):
            figures[("class", class_), "entities"] += 1
    for property_ in {triple.predicate for triple in triples}:
        stated = [triple for triple in triples if triple.predicate == property_]
        key = ("property", property_.value)
        figures[key, "distinctSubjects"] = len({triple.subject for triple in stated})
        figures[key, "distinctObjects"] = len({triple.object for triple in stated})
    for triple in triples:
        shape = (
            classes_of(triple.subject),
            triple.predicate.value,
            value_kind(triple.object, classes_of),
        )
        shapes[shape] += 1
        for link in link_figures(triple, BASE):
            figures[link] += 1
        if triple.predicate == DCTERMS_LICENSE and isinstance(triple.object, ox.NamedNode):
            figures[("license", triple.object.value), "stated"] = 1
    add_shape_figures(figures, shapes)
    return +figures


NODES: list[Any] = [
    *(ox.NamedNode(f"{BASE}{name}") for name in "abcde"),
    ox.NamedNode("urn:x"),
    ox.BlankNode("b"),
    ox.BlankNode("c"),
]
CLASSES: list[Any] = [
    *(ox.NamedNode(f"urn:C{number}") for number in range(3)),
    ox.BlankNode("class"),
    NODES[0],
]
INTEGER = ox.NamedNode("http://www.w3.org/2001/XMLSchema#integer")
VALUES: list[Any] = [
    *NODES,
    *CLASSES,
    INTEGER,
    ox.Literal(7),
    ox.Literal("7"),
    ox.Literal("7", language="en"),
    ox.Literal("7", language="en", direction=ox.BaseDirection.LTR),
    ox.Literal(f"{BASE}a"),
    ox.Literal("http://other.org/", datatype=ox.NamedNode("urn:C1")),
    *map(ox.NamedNode, ("https://one.org/a", "https://one.org/b", "HTTPS://two.org", "mailto:a@b.org")),
    ox.Triple(NODES[0], RDF_TYPE, CLASSES[0]),
    ox.Triple(NODES[6], RDF_TYPE, ox.Literal("a > b")),
]
PROPERTIES = [RDF_TYPE, DCTERMS_LICENSE, ox.NamedNode("urn:p"), ox.NamedNode("urn:q")]
GRAPHS: list[Any] = [
    ox.DefaultGraph(),
    *map(ox.NamedNode, ("urn:g", "urn:h", f"{BASE}excluded")),
    ox.BlankNode("g"),
]


def random_quads(rng: random.Random) -> Iterator[ox.Quad]:
    """Random quads, many about the same triples in different graphs."""
    for _ in range(rng.randrange(30)):
        property_ = rng.choice(PROPERTIES)
        value = rng.choice(CLASSES if property_ == RDF_TYPE and rng.random() < 0.9 else VALUES)
        yield ox.Quad(rng.choice(NODES), property_, value, rng.choice(GRAPHS))


def without_graph_names(figures: Figures) -> Figures:
    """The figures without the existence of graphs, which an update compares with the graph `void`."""
    return +Figures(
        {key: number for key, number in figures.items() if key[0][:1] != ("graph",) or key[1] != "stated"}
    )


@pytest.mark.parametrize("seed", range(5))
def test_figures_equal_simple_count(seed: int) -> None:
    rng, store, cache, before = random.Random(seed), ox.Store(), LookupCache(), Figures()
    for _ in range(ROUNDS):
        added = {quad for quad in random_quads(rng) if quad not in store}
        removed = rng.sample(list(store), rng.randrange(len(store) // 2 + 1))
        for quad in removed:
            store.remove(quad)
        store.extend(added)
        after, change = count_simply(store), Change(tuple(removed), tuple(added))
        assert count_figures(store, BASE, EXCLUDED) == after
        for kept_cache in (None, cache):
            figures = Figures(before)
            figures.update(compute_figure_changes(store, change, BASE, EXCLUDED, kept_cache))
            assert without_graph_names(figures) == without_graph_names(after)
        before = after


def test_empty_store_has_no_figures() -> None:
    assert count_figures(ox.Store(), BASE, EXCLUDED) == {}


def test_empty_graph_is_counted() -> None:
    store = ox.Store()
    store.add_graph(ox.NamedNode("urn:g"))
    assert count_figures(store, BASE, EXCLUDED) == {(("graph", "urn:g"), "stated"): 1}
