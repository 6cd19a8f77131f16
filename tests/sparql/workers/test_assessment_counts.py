"""Counts of assessments: queries that they answer have the same results as those of the engine.

Random papers have triples in up to three graphs, several issues, criteria and verdicts, or none; some of the
terms are blank nodes or literals.
"""

import itertools
import json
import random
from collections.abc import Sequence
from typing import Any

import pyoxigraph as ox
import pytest
from wgig.rdf.formats import CSV, JSON_RESULTS, Format
from wgig.settings import Settings
from wgig.sparql.language.assessment_query import AssessmentProperties, find_assessment_queries
from wgig.sparql.workers import assessment_counts
from wgig.sparql.workers.counted_quads import CountedQuads
from wgig.sparql.workers.evaluation import answer_count_query, evaluate_query
from wgig.store.change import Change
from wgig.store.view import QueryDataset, StoreView

from tests.fixtures.worker_pool import make_job

BASE = Settings.base
ONTOLOGY = f"{BASE}ontology#"
PROPERTIES = AssessmentProperties(*(f"{ONTOLOGY}{name}" for name in AssessmentProperties._fields))
PROLOGUE = f"BASE <{BASE}> PREFIX : <{ONTOLOGY}> PREFIX id: <{BASE}id/> "

JOINS = (
    "?p :issue ?i ; :assessment ?a . ?a :criterion ?c .",
    "?node :criterion ?c . ?p :assessment ?node . ?p <ontology#issue> ?i .",
)
VERDICTS = ("", "?a :verdict ?v .", "OPTIONAL { ?a :verdict ?v }")
RESTRICTIONS = ("", "VALUES ?i { UNDEF }", "VALUES ?i { id:i0 id:i1 } VALUES ?c { <id/c0> }", "VALUES ?c { }")
GROUPS = ("", "?i", "?c ?i", "?v", "?v ?c", "?i ?c ?v")
COUNTS = (
    "COUNT(*)",
    "COUNT(?p)",
    "count(?a)",
    "COUNT(DISTINCT ?p)",
    "COUNT(?i)",
    "COUNT(?v)",
    "COUNT(DISTINCT ?c)",
)
MODIFIERS = ("", "ORDER BY DESC(?n) {group}", "ORDER BY {group} ?n LIMIT 3 OFFSET 1")
WHOLE = "{select}"
SURROUNDINGS = (
    WHOLE,
    "SELECT * {{ {{ {select} }} }}",
    "SELECT * {{ ?i a :Issue OPTIONAL {{ {select} }} }}",
    "SELECT (SUM(?n) AS ?sum) {{ {{ {select} }} UNION {{ {{ {select} }} FILTER (?n > 1) }} }}",
)


def list_selects() -> list[str]:
    """Counts of the join in many forms; some of them have a variable that is not in the pattern."""
    selects = []
    for join, verdict, restriction, group, count, modifier in itertools.product(
        JOINS, VERDICTS, RESTRICTIONS, GROUPS, COUNTS, MODIFIERS
    ):
        pattern = f"{restriction} {join} {verdict.replace('?a', '?node' if '?node' in join else '?a')}"
        group_by = f"GROUP BY {group}" if group else ""
        selects.append(
            f"SELECT {group} ({count} AS ?n) {{ {pattern} }} {group_by} {modifier.format(group=group)}"
        )
    return selects


COUNTED = [
    "SELECT ?i ?c ?v (COUNT(?a) AS ?n) { ?p :issue ?i ; :assessment ?a . ?a :criterion ?c ; :verdict ?v } "
    "GROUP BY ?i ?c ?v",
    "SELECT (COUNT(*) AS ?n) { ?p :issue ?i ; :assessment ?a . ?a :criterion ?c }",
    "SELECT ?c (COUNT(DISTINCT ?p) AS ?n) ?i { VALUES ?c { id:c1 } ?p :issue ?i ; :assessment ?a . "
    "?a :criterion ?c } GROUP BY ?i ?c",
    "SELECT ?x ?n { ?x a :Issue OPTIONAL { SELECT ?x (COUNT(*) AS ?n) { ?p :issue ?x ; :assessment ?a . "
    "?a :criterion ?c OPTIONAL { ?a :verdict ?v } } GROUP BY ?x } }",
]
JOIN = JOINS[0]
UNCOUNTED = [
    f"SELECT ?n {{ GRAPH <g0> {{ SELECT (COUNT(*) AS ?n) {{ {JOIN} }} }} }}",
    f"SELECT ?n {{ GRAPH ?g {{ {{ SELECT (COUNT(*) AS ?n) {{ {JOIN} }} }} }} }}",
    f"SELECT * {{ ?i a :Issue FILTER EXISTS {{ SELECT ?i (COUNT(*) AS ?n) {{ {JOIN} }} GROUP BY ?i }} }}",
    f"SELECT (COUNT(*) AS ?n) FROM <g0> {{ {JOIN} }}",
    f"SELECT (COUNT(*) AS ?n) {{ {JOIN} FILTER (?i != id:i0) }}",
    f"SELECT (COUNT(*) AS ?n) {{ {JOIN} ?p a :IssuePaper }}",
    f"SELECT (COUNT(*) AS ?n) {{ {JOIN} ?p :issue ?other }}",
    f"SELECT (COUNT(*) AS ?n) {{ {JOIN} OPTIONAL {{ ?p :verdict ?v }} }}",
    f"SELECT (COUNT(*) AS ?n) {{ {JOIN} OPTIONAL {{ ?a :verdict ?v }} OPTIONAL {{ ?a :verdict ?w }} }}",
    f"SELECT (COUNT(*) AS ?n) {{ {JOIN} OPTIONAL {{ }} }}",
    f"SELECT (COUNT(*) AS ?n) {{ OPTIONAL {{ ?a :verdict ?v }} {JOIN} }}",
    f"SELECT (COUNT(*) AS ?n) {{ VALUES ?i {{ id:i0 id:i0 }} {JOIN} }}",
    f"SELECT (COUNT(*) AS ?n) {{ VALUES ?i {{ UNDEF id:i0 }} {JOIN} }}",
    f"SELECT (COUNT(*) AS ?n) {{ VALUES ?p {{ id:p0 }} {JOIN} }}",
    f"SELECT (COUNT(*) AS ?n) {{ VALUES (?i ?c) {{ (id:i0 id:c0) }} {JOIN} }}",
    f"SELECT (COUNT(*) AS ?n) {{ {JOIN} }} HAVING (COUNT(*) > 3)",
    f"SELECT ?p (COUNT(*) AS ?n) {{ {JOIN} }} GROUP BY ?p",
    f"SELECT (COUNT(*) AS ?n) {{ {JOIN} }} GROUP BY (STR(?i) AS ?s)",
    f"SELECT ?i (COUNT(DISTINCT ?p) AS ?n) {{ {JOIN} }} GROUP BY ?i",
    f"SELECT (COUNT(*) + 1 AS ?n) {{ {JOIN} }}",
    "SELECT (COUNT(*) AS ?n) { ?p :issue ?i ; :assessment/:criterion ?c }",
    "SELECT (COUNT(*) AS ?n) { ?p :issue ?i ; :assessment ?a . ?a :criterion ?i }",
    "SELECT (COUNT(*) AS ?n) { ?p :issue ?i ; :assessment ?a . ?p :criterion ?c }",
    "SELECT (COUNT(*) AS ?n) { ?p :issue ?i . ?q :assessment ?a . ?a :criterion ?c }",
    "SELECT (COUNT(*) AS ?n) { ?p :issue* ?i ; :assessment ?a . ?a :criterion ?c }",
    "SELECT (COUNT(*) AS ?n) { ?i ^:issue ?p . ?p :assessment ?a . ?a :criterion ?c }",
    "SELECT (COUNT(*) AS ?n) { ?p :issue id:i0 ; :assessment ?a . ?a :criterion ?c }",
    "SELECT (COUNT(*) AS ?n) { ?p :issue ?i ; :assessment ?a , ?b . ?a :criterion ?c }",
    "SELECT ?i { ?p :issue ?i ; :assessment ?a . ?a :criterion ?c } # COUNT",
]


def make_quads(chooser: random.Random, number: int, *, is_simple: bool) -> list[ox.Quad]:
    """Random quads of papers and assessments; simple ones have IRIs only, each triple in one graph."""
    papers: list[Any] = [ox.NamedNode(f"{BASE}id/p{n}") for n in range(4)]
    nodes: list[Any] = [ox.NamedNode(f"{BASE}id/a{n}") for n in range(6)]
    values: dict[str, list[Any]] = {
        name: [ox.NamedNode(f"{BASE}id/{name[0]}{n}") for n in range(3)] for name in PROPERTIES._fields
    }
    graphs: list[Any] = [ox.NamedNode(f"{BASE}g{n}") for n in range(3)]
    if not is_simple:
        papers += [ox.BlankNode("p")]
        nodes += [ox.BlankNode("a"), ox.Literal("no node")]
        graphs += [ox.DefaultGraph()]
        values["criterion"] += [ox.Literal("text"), ox.BlankNode("c")]
    quads = [
        ox.Quad(
            issue,
            ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type"),
            ox.NamedNode(f"{ONTOLOGY}Issue"),
            graphs[0],
        )
        for issue in values["issue"]
    ]
    for _ in range(number):
        name = chooser.choice(PROPERTIES._fields)
        subjects = (
            papers if name in ("issue", "assessment") else [n for n in nodes if not isinstance(n, ox.Literal)]
        )
        value = chooser.choice(nodes if name == "assessment" else values[name])
        subject, predicate = chooser.choice(subjects), ox.NamedNode(f"{ONTOLOGY}{name}")
        several = 1 if is_simple else chooser.choice((1, 1, 1, 2))
        chosen = (
            [graphs[hash((str(subject), name, str(value))) % 1]]
            if is_simple
            else chooser.sample(graphs, several)
        )
        quads += [ox.Quad(subject, predicate, value, graph) for graph in chosen]
    return quads


def make_change(chooser: random.Random, quads: ox.Store, *, is_simple: bool) -> Change:
    """A change of the quads, which may drop a graph."""
    existing = list(quads)
    removed = chooser.sample(existing, min(len(existing), chooser.randrange(5)))
    added = [
        quad for quad in make_quads(chooser, chooser.randrange(9), is_simple=is_simple) if quad not in removed
    ]
    if chooser.random() < 0.2:
        name = f"{BASE}g{chooser.randrange(3)}"
        return Change(
            tuple(removed), tuple(q for q in added if q.graph_name != ox.NamedNode(name)), (name,), ()
        )
    return Change(tuple(removed), tuple(added))


def refuse_chunk(_: bytes) -> None:
    """The results are so short that they have only a last chunk."""
    raise AssertionError("the result has several chunks")


def evaluate(copy: CountedQuads, query: str, format_: Format, *, counted: bool, **options: Any) -> bytes:
    """The result of a query, with or without counts."""
    job = make_job(query, media_type=format_.media_type, base=BASE, **options)
    return evaluate_query(StoreView(copy.quads), job, refuse_chunk, copy if counted else None)


def list_rows(result: bytes) -> Sequence[str]:
    """The rows of a result in JSON, sorted."""
    return sorted(json.dumps(row, sort_keys=True) for row in json.loads(result)["results"]["bindings"])


def check_results(copy: CountedQuads, query: str) -> None:
    """The result with counts is that of the engine; rows without ORDER BY can be in any order."""
    counted, expected = (
        evaluate(copy, query, JSON_RESULTS, counted=is_counted) for is_counted in (True, False)
    )
    if "LIMIT" in query:  # of rows that are equal by the order, any may be returned
        assert len(list_rows(counted)) == len(list_rows(expected)), query
        counted, expected = (
            evaluate(copy, query.replace(" LIMIT 3 OFFSET 1", ""), JSON_RESULTS, counted=is_counted)
            for is_counted in (True, False)
        )
    assert list_rows(counted) == list_rows(expected), query


@pytest.mark.parametrize("is_simple", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_results_are_those_of_the_engine_after_any_changes(seed: int, is_simple: bool) -> None:
    chooser, selects, quads = random.Random(seed), list_selects(), ox.Store()
    quads.extend(make_quads(chooser, 30, is_simple=is_simple))
    copy, counted = CountedQuads(quads), 0
    for _ in range(12):
        change = make_change(chooser, quads, is_simple=is_simple)
        copy.apply(change)
        if chooser.random() < 0.3:
            copy.apply(change)
        recounted = CountedQuads(copy.quads)
        assert copy.assessments
        assert recounted.assessments
        if is_simple:
            for name in ("by_criterion", "by_verdict"):
                kept, expected = (getattr(counts.assessments, name) for counts in (copy, recounted))
                assert (kept.matches, kept.papers) == (expected.matches, expected.papers)
        for select in chooser.sample(selects, 25):
            query = PROLOGUE + chooser.choice(SURROUNDINGS).format(select=select)
            counted += answer_count_query(copy, query, BASE) is not None
            check_results(copy, query)
        for query in chooser.sample([*COUNTED, *UNCOUNTED], 8):
            check_results(copy, PROLOGUE + query)
    assert counted > 50 or not is_simple


@pytest.mark.parametrize("query", COUNTED)
def test_counts_answer_without_the_join(query: str) -> None:
    quads = ox.Store()
    quads.extend(make_quads(random.Random(1), 60, is_simple=True))
    copy = CountedQuads(quads)
    answer = answer_count_query(copy, PROLOGUE + query, BASE)
    assert answer
    assert ":assessment" not in answer
    assert list_rows(evaluate(copy, PROLOGUE + query, JSON_RESULTS, counted=True))


@pytest.mark.parametrize("query", UNCOUNTED)
def test_other_queries_are_for_the_engine(query: str) -> None:
    assert not find_assessment_queries(PROLOGUE + query, BASE, PROPERTIES)


def test_triples_in_several_graphs_are_for_the_engine() -> None:
    quads = ox.Store()
    quads.extend(make_quads(random.Random(1), 60, is_simple=True))
    copy = CountedQuads(quads)
    query = PROLOGUE + COUNTED[0]
    assert answer_count_query(copy, query, BASE)
    repeated = next(quad for quad in quads if quad.predicate.value == PROPERTIES.criterion)
    copy.apply(
        Change(
            added=(ox.Quad(repeated.subject, repeated.predicate, repeated.object, ox.NamedNode("urn:other")),)
        )
    )
    assert answer_count_query(copy, query, BASE) is None
    check_results(copy, query)
    copy.apply(Change(dropped=("urn:other",)))
    assert answer_count_query(copy, query, BASE)
    check_results(copy, query)


def test_only_the_union_of_all_graphs_is_counted() -> None:
    quads = ox.Store()
    quads.extend(make_quads(random.Random(1), 60, is_simple=True))
    copy, query = CountedQuads(quads), PROLOGUE + COUNTED[1]
    for dataset in (QueryDataset(union=False), QueryDataset((f"{BASE}g1",))):
        results = (evaluate(copy, query, CSV, counted=counted, dataset=dataset) for counted in (True, False))
        assert len({*results}) == 1


def test_too_many_counts_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assessment_counts, "MAX_ASSESSMENT_COUNTS", 2)
    quads = ox.Store()
    copy = CountedQuads(quads)
    assert copy.assessments
    added = tuple(make_quads(random.Random(1), 60, is_simple=True))
    copy.apply(Change(added=added))
    assert copy.assessments is None
    assert CountedQuads(quads).assessments is None
    copy.apply(Change(removed=added[:5]))
    assert len(quads) == len({*added} - {*added[:5]})
