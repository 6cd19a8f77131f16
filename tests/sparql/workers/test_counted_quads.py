"""Which queries of triple patterns are bounded, by the counts that are kept with a copy of the quads."""

from typing import Any

import pyoxigraph as ox
import pytest
from wgig.sparql.workers import counted_quads
from wgig.sparql.workers.counted_quads import CountedQuads
from wgig.store.change import Change

MANY_QUADS = 20
HUB, NODE, MANY, FEW, GRAPH = (ox.NamedNode(f"x:{name}") for name in ("hub", "node", "many", "few", "graph"))


@pytest.fixture(autouse=True)
def low_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits that need few quads."""
    monkeypatch.setattr(counted_quads, "MAX_READ_QUADS", 5)
    monkeypatch.setattr(counted_quads, "MAX_JOINED_MATCHES", 6)


def make_quads(subject: Any, predicate: ox.NamedNode, values: list[Any]) -> list[ox.Quad]:
    return [ox.Quad(subject, predicate, value, GRAPH) for value in values]


@pytest.fixture
def copy() -> CountedQuads:
    """A hub that many quads have as subject, and a value that many have; a node with few quads."""
    store = ox.Store()
    store.extend(make_quads(HUB, MANY, [ox.Literal(number) for number in range(MANY_QUADS)]))
    store.extend(make_quads(NODE, FEW, [ox.Literal(number) for number in range(3)]))
    for number in range(MANY_QUADS):
        store.extend(make_quads(ox.NamedNode(f"x:{number}"), MANY, [HUB]))
    return CountedQuads(store)


@pytest.mark.parametrize(
    ("patterns", "is_bounded"),
    [
        ([(NODE, None, None)], True),
        ([(ox.NamedNode("x:unknown"), None, None)], True),
        ([(HUB, None, None)], False),
        ([(HUB, MANY, None)], False),
        ([(HUB, FEW, None)], True),  # the engine reads the quads of the property
        ([(None, FEW, None)], True),
        ([(None, MANY, None)], False),
        ([(None, MANY, HUB)], False),
        ([(None, MANY, ox.Literal(1))], True),
        ([(None, None, HUB)], False),
        ([(None, None, ox.Literal(1))], True),
        ([(None, None, None)], False),
        ([(NODE, FEW, None), (NODE, None, None)], False),  # nine solutions
        ([(NODE, FEW, ox.Literal(1)), (NODE, None, None)], True),
        ([(NODE, FEW, None), (HUB, None, None)], False),
    ],
)
def test_costs_of_patterns_are_bounded(copy: CountedQuads, patterns: list[Any], is_bounded: bool) -> None:
    assert copy.is_bounded(patterns) is is_bounded
    assert copy.is_bounded(patterns) is is_bounded  # by what was remembered, too


def test_subject_that_gets_many_quads_is_noticed(copy: CountedQuads) -> None:
    for number in range(3, 3 + MANY_QUADS):
        copy.apply(Change((), tuple(make_quads(NODE, FEW, [ox.Literal(number)]))))
    assert not copy.is_bounded([(NODE, None, None)])


def test_nothing_is_bounded_without_counts(copy: CountedQuads) -> None:
    copy.counts = None
    assert not copy.is_bounded([(None, FEW, None)])
