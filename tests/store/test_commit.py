"""A change is applied to the engine exactly and atomically, also with blank nodes."""

import pyoxigraph as ox
from hypothesis import given
from hypothesis import strategies as st
from wgig.store.change import Change
from wgig.store.commit import apply_to_engine

IRI = ox.NamedNode("urn:iri")
BLANK, OTHER_BLANK = ox.BlankNode("b"), ox.BlankNode("0" * 31 + "1")
OBJECTS: list[ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple] = [
    IRI,
    BLANK,
    OTHER_BLANK,
    ox.Literal("a\n\"'", language="en"),
    ox.Literal(1.5),
    ox.Triple(BLANK, IRI, OTHER_BLANK),
]
QUADS = [
    ox.Quad(subject, IRI, object_, graph)
    for subject in (IRI, BLANK)
    for object_ in OBJECTS
    for graph in (ox.DefaultGraph(), IRI, OTHER_BLANK)
]


@given(st.sets(st.sampled_from(QUADS)), st.sets(st.sampled_from(QUADS)))
def test_a_change_leads_exactly_to_the_new_quads(before: set[ox.Quad], after: set[ox.Quad]) -> None:
    quads = ox.Store()
    quads.extend(before)
    change = Change(tuple(before - after), tuple(after - before))
    apply_to_engine(change, quads)
    assert set(quads) == after
    apply_to_engine(change, quads)
    assert set(quads) == after
    apply_to_engine(change.inverse, quads)
    assert set(quads) == before


def test_empty_graphs_are_created_and_dropped() -> None:
    quads = ox.Store()
    apply_to_engine(Change(created=("urn:g", "urn:h")), quads)
    apply_to_engine(Change(dropped=("urn:g",)), quads)
    assert list(quads.named_graphs()) == [ox.NamedNode("urn:h")]
