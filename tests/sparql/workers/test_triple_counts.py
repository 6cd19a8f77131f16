"""Counts of triples: count queries have the same results as those of the engine, also during writes.

Random quads have each triple in up to three graphs; subjects, values and graphs may be blank nodes.
"""

import asyncio
import itertools
import json
import random
import re
from collections.abc import Sequence
from functools import partial
from typing import Any

import pyoxigraph as ox
import pytest
from wgig.rdf.formats import CSV, JSON_RESULTS, TSV, XML_RESULTS
from wgig.settings import Settings
from wgig.sparql.language.count_query import find_count_query
from wgig.sparql.workers import counted_quads, triple_counts
from wgig.sparql.workers.counted_quads import CountedQuads
from wgig.sparql.workers.evaluation import evaluate_query
from wgig.sparql.workers.pool import WorkerPool
from wgig.sparql.workers.protocol import QueryFault
from wgig.store.change import Change
from wgig.store.view import QueryDataset, StoreView

from tests.fixtures.worker_pool import ENDLESS_QUERY, make_job, run_with_pool

BASE = "http://example.org/"
RDF_TYPE = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
FORMATS = [JSON_RESULTS, XML_RESULTS, CSV, TSV]
PROLOGUE = f"BASE <{BASE}> PREFIX : <{BASE}> PREFIX x: <{BASE}x/> "

# Patterns, and the variables by which counts may be grouped.
PATTERNS = {
    "?s ?p ?o": ("", "?p"),
    "[] ?p ?o .": ("", "?p"),
    "_:b $p ?o": ("", "?p"),
    "?s a ?o": ("", "?o"),
    "[] a ?o .": ("", "?o"),
    "?s :p0 ?o": ("", "?o"),
    "?s <p1> $o .": ("", "?o"),
    "?s <http://example.org/p2> ?o": ("", "?o"),
    "?s :p3 ?o": ("", "?o"),
    "?s :missing ?o": ("", "?o"),
    "?s a :o1": ("",),
    "?s a x:missing": ("",),
    "_:b :p0 <o1>": ("",),
}
COUNTS = ("COUNT(*)", "count(?s)", "COUNT(?p)", "COUNT(?o)", "COUNT(DISTINCT *)", "COUNT(DISTINCT ?s)")
MORE_COUNTS = ("COUNT(DISTINCT ?p)", "Count(distinct $o)", "COUNT(?other)")
MODIFIERS = (
    "",
    "ORDER BY {key} ?n",
    "ORDER BY DESC(?n) ASC({key}) LIMIT 2",
    "ORDER BY ?n {key} OFFSET 1 LIMIT 1",
)


def list_count_queries() -> list[str]:
    """All combinations of patterns, groups, counts and modifiers that are valid queries."""
    queries = []
    for pattern, groups in PATTERNS.items():
        for group, count, modifier in itertools.product(groups, COUNTS + MORE_COUNTS, MODIFIERS):
            selected = f"SELECT {group} ({count} AS ?n) WHERE {{ {pattern} }}"
            group_by = f"GROUP BY {group}" if group else ""
            queries.append(f"{PROLOGUE}{selected} {group_by} {modifier.format(key=group or '?n')}")
    return [*queries, *(PROLOGUE + query for query in COUNTED_QUERIES)]


# Queries that counts answer; some do not depend on the pattern, or have escapes.
COUNTED_QUERIES = [
    "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }",
    "SELECT (COUNT(DISTINCT *) AS ?n) { ?s ?p ?o }",
    "SELECT (COUNT(DISTINCT ?p) AS ?n) { [] ?p ?o }",
    "SELECT ?p (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?p ORDER BY DESC(?n) ?p LIMIT 10",
    "SELECT (COUNT(?s) AS ?n) { ?s a :o1 }",
    "SELECT (COUNT(DISTINCT ?s) AS ?n) { ?s a :o1 }",
    "SELECT ?c (COUNT(?s) AS ?n) { ?s a ?c } GROUP BY ?c",
    "SELECT ?c (COUNT(DISTINCT ?s) AS ?n) { ?s a ?c } GROUP BY ?c",
    "SELECT (COUNT(DISTINCT ?c) AS ?n) { ?s a ?c }",
    "SELECT (COUNT(*) AS ?n) { ?s :missing ?o }",
    "SELECT (COUNT(*) AS ?n) { ?s :p0 :missing }",
    "SELECT (COUNT(*) AS ?a) (COUNT(DISTINCT ?s) AS ?b) { ?s a :o1 }",
    "SELECT DISTINCT (COUNT(*) AS ?a) { ?s ?p ?o } GROUP BY ?p ORDER BY ?a",
    "SELECT REDUCED (COUNT(*) AS $a) ?o { ?s :p0 ?o } GROUP BY $o ORDER BY ?a $o",
    "SELECT (COUNT(*) AS ?a) { ?s :p0 ?o } GROUP BY $o ORDER BY ?o",
    "SELECT (COUNT(*) AS ?a) { ?s :p0 ?o } LIMIT 0",
    "BASE <urn:x/y> BASE <z/> PREFIX x: <#> PREFIX other: <> SELECT (COUNT(*) AS ?a) { ?s x:p0 ?o }",
    "SELECT ?o { ?s :p0 ?o } GROUP BY ?o ORDER BY ?o # COUNT",
    "PREFIX : <urn:> PREFIX : <> SELECT (COUNT(*) AS ?a) { ?s :p0 ?o }",
    "SELECT (COUNT(*) AS ?COUNT) { ?s <p\\u0030> ?o }",
]

OTHER_QUERIES = [
    "SELECT (COUNT(*) AS ?n) { ?s ?p ?o FILTER(isIRI(?o)) }",
    "SELECT (COUNT(*) AS ?n) { ?s a ?o ; :p0 ?o }",
    "SELECT (COUNT(*) AS ?n) { ?s :p0 ?o , :o1 }",
    "SELECT (COUNT(*) AS ?n) { ?s :p0 ?o . ?s :p1 ?o }",
    "SELECT (COUNT(*) AS ?n) { ?s ?s ?o }",
    "SELECT (COUNT(*) AS ?n) { ?s :p0 ?s }",
    "SELECT (COUNT(*) AS ?n) { :s1 :p0 ?o }",
    "SELECT (COUNT(*) AS ?n) { ?s ?p :o1 }",
    "SELECT (COUNT(*) AS ?n) { ?s :p0 _:o }",
    "SELECT (COUNT(*) AS ?n) { ?s :p0 [] }",
    "SELECT (COUNT(*) AS ?n) { ?s :p0 1 }",
    "SELECT (COUNT(*) AS ?n) { ?s :p0 'a'@en }",
    "SELECT (COUNT(*) AS ?n) { [ :p0 ?o ] }",
    "SELECT (COUNT(*) AS ?n) { [ :p0 ?o ] :p1 ?o }",
    "SELECT (COUNT(*) AS ?n) { ?s ^:p0 ?o }",
    "SELECT (COUNT(*) AS ?n) { ?s :p0* ?o }",
    "SELECT (COUNT(*) AS ?n) { ?s :p0/:p1 ?o }",
    "SELECT (COUNT(*) AS ?n) { ?s (:p0) ?o }",
    "SELECT (COUNT(*) AS ?n) { ?s !:p0 ?o }",
    "SELECT (COUNT(*) AS ?n) { ?s :p0 ?o ~ ?r }",
    "SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } }",
    "SELECT (COUNT(*) AS ?n) { GRAPH :g1 { ?s ?p ?o } }",
    "SELECT (COUNT(*) AS ?n) { { ?s ?p ?o } }",
    "SELECT (COUNT(*) AS ?n) { SELECT * { ?s ?p ?o } }",
    "SELECT (COUNT(*) AS ?n) { OPTIONAL { ?s ?p ?o } }",
    "SELECT (COUNT(*) AS ?n) { }",
    "SELECT (COUNT(*) AS ?n) FROM :g1 { ?s ?p ?o }",
    "SELECT (COUNT(*) AS ?n) FROM NAMED :g1 { ?s ?p ?o }",
    "SELECT (COUNT(*) AS ?n) { ?s ?p ?o } VALUES ?n { 1 }",
    "SELECT (COUNT(*) AS ?n) { ?s ?p ?o } HAVING(COUNT(*) > 1)",
    "SELECT (COUNT(*) + 1 AS ?n) { ?s ?p ?o }",
    "SELECT (COUNT(?s) + COUNT(?s) AS ?n) { ?s ?p ?o }",
    "SELECT (COUNT(?s + 1) AS ?n) { ?s ?p ?o }",
    "SELECT (COUNT(1) AS ?n) { ?s ?p ?o }",
    "SELECT (SUM(?o) AS ?n) (COUNT(*) AS ?m) { ?s :p0 ?o }",
    "SELECT (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?s",
    "SELECT (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?o",
    "SELECT (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?p ?o",
    "SELECT (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY (?p)",
    "SELECT (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY (STR(?p) AS ?t)",
    "SELECT (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY STR(?p)",
    "SELECT (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?other",
    "SELECT (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?p ORDER BY ?other",
    "SELECT (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?p ORDER BY COUNT(*)",
    "SELECT (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?p ORDER BY STR(?p)",
    "SELECT (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?p ORDER BY :f(?p)",
    "ASK { ?s ?p ?o } # COUNT",
    "SELECT * { ?s ?p ?count }",
    "SELECT * { ?s ?p ?count } GROUP BY ?p",
    "SELECT ?s { ?s ?p ?o } # COUNT",
    "CONSTRUCT { ?s ?p ?o } { ?s ?p ?o } # COUNT",
    "VERSION '1.2' SELECT (COUNT(*) AS ?n) { ?s :p0 ?o }",
    # invalid
    "SELECT ?o ?o (COUNT(*) AS ?a) { ?s :p0 ?o } GROUP BY ?o ORDER BY ?o",
    "INSERT { ?s ?p ?o } WHERE { } # COUNT",
    "DELETE WHERE { ?s ?p ?o } # COUNT",
    "# COUNT {",
    "PREFIX x: <http://[> SELECT (COUNT(*) AS ?n) { ?s ?p ?o }",
    "BASE <%> SELECT (COUNT(*) AS ?n) { ?s ?p ?o }",
    "SELECT (COUNT(*) AS ?n) { ?s <%> ?o }",
    "SELECT (COUNT(*) AS ?s) { ?s ?p ?o }",
    "SELECT (COUNT(*) AS ?n) (COUNT(*) AS ?n) { ?s ?p ?o }",
    "SELECT ?p (COUNT(*) AS ?p) { ?s ?p ?o } GROUP BY ?p",
    "SELECT ?s (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?p",
    "SELECT ?s (COUNT(*) AS ?n) { ?s ?p ?o }",
    "SELECT * (COUNT(*) AS ?n) { ?s ?p ?o }",
    "SELECT (COUNT(*) AS ?n) { ?s unknown:p0 ?o }",
    "SELECT (COUNT(*) AS ?n) { ?s :p0 ?o",
    "SELECT (COUNT(*) AS ?n) { ?s :p0 'o }",
]


def make_random_quads(chooser: random.Random, number: int) -> list[ox.Quad]:
    """Quads with few different terms, so that many triples are in several graphs."""
    subjects: list[Any] = [  # a new one has all its triples in one change
        *[ox.NamedNode(f"{BASE}new{chooser.randrange(1000)}")] * 4,
        *(ox.NamedNode(f"{BASE}s{n}") for n in range(6)),
        ox.BlankNode("b0"),
        ox.BlankNode("b1"),
    ]
    predicates = [*(ox.NamedNode(f"{BASE}p{n}") for n in range(4)), RDF_TYPE]
    iris = [ox.NamedNode(f"{BASE}o{n}") for n in range(5)]
    values = [
        *iris,
        *(ox.Literal(text) for text in (1, 1.5, True, "a", 'quote " and \\ and \n line', "\x01é\U0001f600")),
        ox.Literal("a", language="en"),
        ox.Literal("a", language="en-gb"),
        ox.Literal("01", datatype=ox.NamedNode("http://www.w3.org/2001/XMLSchema#integer")),
        ox.Literal("2005-07-01", datatype=ox.NamedNode("http://www.w3.org/2001/XMLSchema#date")),
        ox.Literal("x", datatype=ox.NamedNode("urn:datatype")),
    ]
    others: list[Any] = [ox.BlankNode("b0"), ox.Literal("long" * 100), ox.Triple(iris[0], iris[1], iris[2])]
    graphs: list[Any] = [
        ox.DefaultGraph(),
        *(ox.NamedNode(f"{BASE}g{n}") for n in range(3)),
        ox.BlankNode("g"),
    ]

    def choose_value(predicate: ox.NamedNode) -> Any:
        if predicate == predicates[3] and chooser.random() < 0.2:
            return chooser.choice(others)
        return chooser.choice(iris if predicate == RDF_TYPE else values)

    quads = []
    for _ in range(number):
        predicate = chooser.choice(predicates)
        subject, value = chooser.choice(subjects), choose_value(predicate)
        quad_graphs = chooser.sample(graphs, chooser.choice((1, 1, 2, 3)))
        quads += [ox.Quad(subject, predicate, value, graph) for graph in quad_graphs]
    normalizer = ox.Store()
    normalizer.extend(quads)
    return list(normalizer)


def make_random_change(chooser: random.Random, quads: ox.Store) -> Change:
    """A change of a copy of the quads. Some of it may have been applied already."""
    existing = list(quads)
    removed = chooser.sample(existing, min(len(existing), chooser.randrange(6)))
    added = [quad for quad in make_random_quads(chooser, chooser.randrange(8)) if quad not in removed]
    dropped, created = chooser.choice([((), ()), ((f"{BASE}g0",), ()), ((), (f"{BASE}g0",))])
    if dropped:
        removed += [
            quad
            for quad in existing
            if quad.graph_name == ox.NamedNode(dropped[0]) and chooser.random() < 0.5
        ]
        added = [quad for quad in added if quad.graph_name != ox.NamedNode(dropped[0])]
    return Change(tuple(removed), tuple(added), dropped, created)


def refuse_chunk(_: bytes) -> None:
    """The results are so short that they have only a last chunk."""
    raise AssertionError("the result has several chunks")


def evaluate(copy: CountedQuads, query: str, media_type: str, *, counted: bool) -> bytes:
    """The result of a query or its fault, with or without counts."""
    job = make_job(query, media_type=media_type, base=BASE)
    try:
        return evaluate_query(StoreView(copy.quads), job, refuse_chunk, copy if counted else None)
    except QueryFault as fault:  # XML cannot contain some characters
        return f"{fault.kind}: {fault}".encode()


def list_rows(result: bytes) -> Sequence[str]:
    """The rows of a result in JSON, sorted."""
    return sorted(json.dumps(row, sort_keys=True) for row in json.loads(result)["results"]["bindings"])


def check_results(copy: CountedQuads, query: str) -> None:
    """The result with counts is that of the engine, in all formats; without ORDER BY in any order."""
    for format_ in FORMATS:
        results = [evaluate(copy, query, format_.media_type, counted=counted) for counted in (True, False)]
        if "GROUP BY" not in query or "ORDER BY" in query:
            assert results[0] == results[1], query
        elif format_ is JSON_RESULTS:
            assert list_rows(results[0]) == list_rows(results[1]), query
        else:
            assert len(results[0]) == len(results[1]), query


@pytest.mark.parametrize("few_values", [2, 12, 32])
def test_results_are_those_of_the_engine_after_any_changes(
    few_values: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(triple_counts, "FEW_VALUES", few_values)
    chooser, queries, quads = random.Random(few_values), list_count_queries(), ox.Store()
    quads.extend(make_random_quads(chooser, few_values))
    copy = CountedQuads(quads)
    for _ in range(10):
        change = make_random_change(chooser, quads)
        copy.apply(change)
        if chooser.random() < 0.3:
            copy.apply(change)
        recounted = CountedQuads(copy.quads)
        assert copy.counts
        assert recounted.counts
        for query in chooser.sample(queries, 40):
            check_results(copy, query)
            check_results(recounted, query)


def test_nothing_is_counted_if_there_are_too_many_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    quads, added = ox.Store(), make_random_quads(random.Random(1), 100)
    quads.extend(added[:3])
    copy = CountedQuads(quads)
    assert copy.counts
    assert 3 <= copy.counts.size <= 6
    monkeypatch.setattr(triple_counts, "MAX_COUNTS", 6)
    copy.apply(Change(added=tuple(added)))
    assert copy.counts is None
    assert CountedQuads(quads).counts is None
    copy.apply(Change(removed=tuple(added[1:])))
    assert list(quads) == added[:1]


def test_nothing_is_counted_if_too_many_triples_are_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counted_quads, "MAX_REPETITIONS", 4)
    triples = [(ox.NamedNode(f"{BASE}s{n}"), RDF_TYPE, ox.NamedNode(f"{BASE}o1")) for n in range(5)]
    graphs: list[Any] = [ox.NamedNode(f"{BASE}g1"), ox.NamedNode(f"{BASE}g2"), ox.DefaultGraph()]
    for first, second in itertools.combinations(graphs, 2):
        quads = ox.Store()
        quads.extend(ox.Quad(*triple, graph) for triple in triples[:2] for graph in (first, second))
        assert CountedQuads(quads).counts
        quads.extend(ox.Quad(*triple, graph) for triple in triples for graph in (first, second))
        assert CountedQuads(quads).counts is None


@pytest.mark.parametrize("query", COUNTED_QUERIES)
def test_counts_answer_without_a_pattern(query: str) -> None:
    quads = ox.Store()
    quads.extend(make_random_quads(random.Random(1), 100))
    counts = CountedQuads(quads).counts
    parsed = find_count_query(PROLOGUE + query, BASE)
    assert counts
    assert parsed
    answer = counts.answer(parsed)
    assert answer
    assert re.search(r"{ VALUES \(.*\) {.*} }", answer)


def test_only_the_union_of_all_graphs_is_counted() -> None:
    quads = ox.Store()
    quads.extend(make_random_quads(random.Random(1), 100))
    copy = CountedQuads(quads)
    for dataset in (
        QueryDataset(union=False),
        QueryDataset((f"{BASE}g0",)),
        QueryDataset((), (f"{BASE}g0",)),
    ):
        job = make_job("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }", dataset=dataset)
        result = evaluate_query(StoreView(quads), job, refuse_chunk, copy)
        assert result == evaluate_query(StoreView(quads), job, refuse_chunk)


@pytest.mark.parametrize("query", OTHER_QUERIES)
def test_other_queries_are_left_to_the_engine(query: str) -> None:
    assert find_count_query(PROLOGUE + query, BASE) is None
    assert find_count_query(query, BASE) is None


# Writes to a store that make triples appear in several graphs, and disappear from them.
UPDATES = [
    "INSERT DATA { :s1 a :o1 ; :p0 :o2, 'a' . GRAPH :g1 { :s1 a :o1 ; :p0 _:b } GRAPH :g2 { :s1 a :o1 } }",
    "DELETE DATA { GRAPH :g2 { :s1 a :o1 } } ; INSERT DATA { GRAPH :g1 { :s2 a :o1, :o3 } }",
    "DELETE { GRAPH ?g { ?s :p0 ?o } } INSERT { GRAPH :g3 { ?s :p1 ?o } } WHERE { GRAPH ?g { ?s :p0 ?o } }",
    "COPY :g1 TO :g4",
    "DROP GRAPH :g1",
    "DELETE WHERE { ?s a :o1 }",
    "DROP ALL",
    "INSERT DATA { GRAPH :g1 { :s1 a :o1 ; :p0 :o1 } }",
]


def test_workers_count_each_acknowledged_write(settings: Settings) -> None:
    queries = [
        PROLOGUE + query for query in COUNTED_QUERIES if "GROUP BY" not in query or "ORDER BY" in query
    ]

    async def check(pool: WorkerPool) -> None:
        writes = [partial(pool.store.update, PROLOGUE + update) for update in UPDATES]
        graph = [quad.triple for quad in make_random_quads(random.Random(1), 20)]
        for triples in (graph, graph[5:], graph[:10]):
            writes.insert(2, partial(pool.store.replace, {f"{BASE}g1": triples, f"{BASE}g5": triples[::2]}))
        for write in writes:
            await asyncio.to_thread(write)
            # Closing the result ends the worker, so that another one is forked.
            (await pool.start_query(make_job(ENDLESS_QUERY), client="client")).close()
            for query in queries:
                job = make_job(query, base=BASE, media_type=JSON_RESULTS.media_type)
                result = await pool.start_query(job, client="client")
                expected = evaluate_query(pool.store, job, refuse_chunk)
                assert await result.read_all() == expected, query

    run_with_pool(settings, check)
