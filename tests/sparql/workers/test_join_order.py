"""Joins in another order have the same results, and the order follows the counts of triples."""

import gc
import re
from collections import Counter
from typing import Any

import pyoxigraph as ox
import pytest
from wgig.rdf.formats import TSV
from wgig.sparql.language.join_groups import JoinReader
from wgig.sparql.language.parser import ParsedSparqlText, SyntaxNode
from wgig.sparql.workers import join_order
from wgig.sparql.workers.counted_quads import CountedQuads
from wgig.sparql.workers.evaluation import evaluate_query
from wgig.sparql.workers.join_order import order_joins
from wgig.sparql.workers.protocol import SYNTAX_FAULT, QueryFault, QueryJob
from wgig.store.view import QueryDataset, StoreView

from tests.fixtures.random_queries import BASE, QueryGenerator
from tests.fixtures.result_rows import summarize_results

GENERATED_QUERIES, QUERIES_PER_UPDATE = 2000, 100
MAX_ROWS = 500
PROLOGUE = "PREFIX : <x:> "


@pytest.fixture(scope="module")
def copy() -> CountedQuads:
    """3,000 things in 30 places; 40 of them have notes, and one place is special."""
    store = ox.Store()
    store.update(
        PROLOGUE
        + "INSERT DATA { "
        + " ".join(f":t{n} a :Thing ; :label {n} ; :place :place{n % 30} ." for n in range(3000))
        + " ".join(f":t{n} :note {n} ." for n in range(40))
        + " ".join(f":place{n} :name {n} ." for n in range(30))
        + " ".join(f":t{n} :source {n if n < 1000 else -1} ." for n in range(2500))
        + " :place7 :special true }"
    )
    return CountedQuads(store)


def list_order(copy: CountedQuads, text: str) -> list[str] | None:
    """The properties in the order of the joins; None if the text stays as it is."""
    ordered = order_joins(copy, PROLOGUE + text, BASE)
    if ordered is None:
        return None
    assert summarize(copy.quads, ordered) == summarize(copy.quads, PROLOGUE + text)
    return re.findall(r"<x:(\w+)> (?:\?|\"|<)", ordered)


def summarize(quads: ox.Store, text: str) -> Counter[Any]:
    """The rows or triples of the result of a query over all graphs, with how often each occurs."""
    return summarize_results(quads.query(text, base_iri=BASE, use_default_graph_as_union=True))


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("SELECT * { ?t :label ?l . ?t :note ?n }", ["note", "label"]),
        ("SELECT * { ?t :note ?n . ?t :label ?l }", None),
        ("SELECT * { ?t a :Thing . ?t :note ?n }", ["note"]),
        ("SELECT * { ?t a :Thing ; :place :place3 ; :label ?l }", ["place", "label"]),
        ("SELECT * { ?t :label ?l ; :place ?p . ?p :special ?s }", ["special", "place", "label"]),
        ("SELECT * { ?t :place ?p . ?p :name ?m ; :special ?s }", ["special", "name", "place"]),
        ("SELECT * { ?t :label ?l ; :place ?p . FILTER(?l < 2) }", None),
        ("SELECT ?l { ?t :label ?l ; :place/:special ?s }", ["special", "place", "label"]),
        ("SELECT * { ?t :note ?n ; :unknown ?l }", None),
        ("SELECT * { ?t a :Thing ; :source 7 }", ["source"]),
        ("SELECT * { ?t a :Thing ; :source -1 }", None),  # many have this value
        ("SELECT * { ?t :note ?n FILTER EXISTS { ?p :name ?m . ?t :place ?p } }", ["place", "name"]),
        ("SELECT * { ?t :note ?n FILTER NOT EXISTS { ?t :place/:special ?s } }", ["place", "special"]),
        ("SELECT * { ?t :note ?n FILTER EXISTS { ?t :place ?p } }", None),
        (
            "SELECT ?p (COUNT(*) AS ?n) { ?t :label ?l ; :note ?m ; :place ?p } GROUP BY ?p",
            ["note", "label", "place"],
        ),
    ],
)
def test_order_follows_the_counts(copy: CountedQuads, text: str, order: list[str] | None) -> None:
    assert list_order(copy, text) == order


def test_cross_products_are_for_the_engine_but_in_exists(copy: CountedQuads) -> None:
    patterns = "?t :label ?l . ?x :name ?y . ?t :note ?n"
    assert list_order(copy, f"ASK {{ {patterns} }}") is None
    text = f"ASK {{ ?t :place ?p FILTER EXISTS {{ {patterns} }} }}"
    assert list_order(copy, text) == ["label", "note", "name"]


def test_syntax_errors_have_the_positions_of_the_text(copy: CountedQuads) -> None:
    text = PROLOGUE + "SELECT * {\n ?t :label ?l . ?t :note ?n BIND(1 AS ?l) }"
    query = ParsedSparqlText(text)
    with pytest.raises(SyntaxError) as error:
        copy.quads.query(query.engine_text)
    assert order_joins(copy, text, BASE)
    job = QueryJob(query, TSV.media_type, QueryDataset(), BASE, 1000, 0)
    with pytest.raises(QueryFault) as fault:
        evaluate_query(StoreView(copy.quads), job, lambda _: None, copy)
    assert (fault.value.kind, str(fault.value)) == (SYNTAX_FAULT, str(error.value))


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * { ?t :label ?l } # first. Then",
        "SELECT * { <http://example.org/a.b> :label ?l ; :note ?n . ?t :label ?l FILTER(?l < 2.5) }",
        "SELECT ?l (COUNT(*) AS ?n) { ?t :note ?l ; :label ?m . ?t :place ?p } GROUP BY ?l",
        "SELECT * { ?t :note ?n . FILTER NOT EXISTS { ?t :special <http://example.org/a/b> . } }",
        "SELECT * { ?t :label ?l . OPTIONAL { ?t :note ?n . } FILTER(BOUND(?n)) }",
        "SELECT * { ?t :label ?l . ?t :note ?n }" + "#" * 5000,
    ],
)
def test_texts_without_gain_are_not_parsed(
    copy: CountedQuads, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(join_order, "find_join_groups", lambda *_: pytest.fail("the text is parsed"))
    assert order_joins(copy, PROLOGUE + text, BASE) is None


def test_ordering_leaves_no_reference_cycles(copy: CountedQuads) -> None:
    """Workers have no garbage collection."""

    def count_nodes() -> int:
        return sum(isinstance(item, SyntaxNode | JoinReader) for item in gc.get_objects())

    text = f"{PROLOGUE} SELECT ?t {{ ?t :label [] ; :note ?n FILTER EXISTS {{ ?t :place/:special ?s }} }}"
    gc.collect()
    gc.disable()
    try:
        before = count_nodes()
        assert order_joins(copy, text, BASE)
        assert count_nodes() == before
    finally:
        gc.enable()


@pytest.fixture
def any_gain(monkeypatch: pytest.MonkeyPatch) -> None:
    """All join groups get another order, at least LATERAL."""
    monkeypatch.setattr(join_order, "MIN_COSTLY_ROWS", 0)
    monkeypatch.setattr(join_order, "MIN_GAIN", 0)


@pytest.mark.usefixtures("any_gain")
def test_generated_queries_have_the_same_results() -> None:
    generator, quads, ordered_queries = QueryGenerator(7), ox.Store(), 0
    for number in range(GENERATED_QUERIES):
        if number % QUERIES_PER_UPDATE == 0:
            quads.update(generator.generate_update() if number else generator.generate_first_update())
            copy = CountedQuads(quads)
        query = generator.generate_query()
        text = query.write(modifiers=False)
        if not (ordered := order_joins(copy, text, BASE)):
            continue
        expected = summarize(quads, text)
        if expected.total() <= MAX_ROWS:
            ordered_queries += 1
            assert summarize(quads, ordered) == expected, (text, ordered)
    assert ordered_queries > GENERATED_QUERIES / 10
