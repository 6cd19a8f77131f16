"""An overlay reads like a store to which the change was applied."""

import random

import pyoxigraph as ox
import pytest
from wgig.store.change import Change, apply_change, find_existing_graphs
from wgig.store.overlay import QuadOverlay, QuadSource

TERMS = [ox.NamedNode(f"urn:{name}") for name in "abc"]
GRAPHS: list[ox.NamedNode | ox.DefaultGraph] = [
    ox.NamedNode("urn:g"),
    ox.NamedNode("urn:h"),
    ox.DefaultGraph(),
]


def make_quads(rng: random.Random, count: int) -> set[ox.Quad]:
    return {
        ox.Quad(rng.choice(TERMS), rng.choice(TERMS), rng.choice(TERMS), rng.choice(GRAPHS))
        for _ in range(count)
    }


def make_change(quads: ox.Store, rng: random.Random) -> Change:
    """An exact change, which may drop the graph urn:g or create the graph urn:new."""
    existing = set(quads)
    removed = set(rng.sample(sorted(existing, key=str), min(len(existing), 5)))
    dropped = ["urn:g"] if rng.random() < 0.3 and quads.contains_named_graph(GRAPHS[0]) else []
    removed |= {quad for quad in existing if dropped and quad.graph_name == GRAPHS[0]}
    added = {quad for quad in make_quads(rng, 5) - existing if not dropped or quad.graph_name != GRAPHS[0]}
    graphs = {quad.graph_name for quad in added if isinstance(quad.graph_name, ox.NamedNode)}
    names = [*graphs, *([ox.NamedNode("urn:new")] if rng.random() < 0.3 else [])]
    created = {name.value for name in names} - find_existing_graphs(quads, names)
    return Change(tuple(removed), tuple(added), tuple(dropped), tuple(created))


def assert_same(overlay: QuadSource, store: ox.Store, rng: random.Random) -> None:
    assert set(overlay) == set(store)
    assert set(overlay.named_graphs()) == set(store.named_graphs())
    for graph in [*GRAPHS, ox.NamedNode("urn:new")]:
        assert overlay.contains_named_graph(graph) == store.contains_named_graph(graph)
    for quad in make_quads(rng, 20):
        assert (quad in overlay) == (quad in store)
        terms = [term if rng.random() < 0.5 else None for term in quad]
        assert set(overlay.quads_for_pattern(*terms)) == set(store.quads_for_pattern(*terms))


@pytest.mark.parametrize("seed", range(30))
def test_an_overlay_reads_like_the_changed_store(seed: int) -> None:
    rng = random.Random(seed)
    quads, changed = ox.Store(), ox.Store()
    for store in (quads, changed):
        store.extend(make_quads(random.Random(seed), 20))
    before = set(quads)
    first = make_change(quads, rng)
    overlay = QuadOverlay(quads, first)
    apply_change(first, changed)
    assert_same(overlay, changed, rng)
    second = make_change(changed, rng)  # an overlay over an overlay
    apply_change(second, changed)
    assert_same(QuadOverlay(overlay, second), changed, rng)
    assert set(quads) == before
