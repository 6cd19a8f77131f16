"""Queries are normalized for SPARQL services that execute some IRIs as commands, as Virtuoso does `bif:exec`.

A normalized query has absolute IRIs, no comments and no dataset clauses. Command IRIs are refused.
"""

import pytest
from wgig.remote.dialects import VIRTUOSO_DIALECT
from wgig.remote.queries import find_query_error, normalize_query
from wgig.sparql.language.parser import ParsedSparqlText
from wgig.sparql.workers.protocol import SYNTAX_FAULT, VALUE_FAULT, QueryFault

pytestmark = pytest.mark.usefixtures("short_waits")

BASE = "https://example.org/"


@pytest.mark.parametrize(
    "query",
    [
        "SELECT (<bif:string_to_file>('/x', 'y', -2) AS ?x) {}",
        "SELECT (<BIF:exec>('shutdown') AS ?x) {}",
        "SELECT (<\\u0062if:exec>('shutdown') AS ?x) {}",
        "PREFIX b: <bif:> SELECT (b:exec('shutdown') AS ?x) {}",
        "PREFIX b: <bi> PREFIX b: <bif:> SELECT (b:exec('shutdown') AS ?x) {}",
        "BASE <bif:> SELECT (<bif:exec>('shutdown') AS ?x) {}",
        "PREFIX s: <sql:> ASK { ?x ?y ?z FILTER(s:ANY(?x)) }",
        "ASK { ?s <bif:contains> 'x' }",
        "ASK { ?s <x:y>/<sql:z> ?o }",
        "ASK FROM <sql:x> { ?s ?p ?o }",
        "ASK { ?s ?p 'x'^^<sql:x> }",
        "SELECT (COUNT(*) AS ?n) { ?s ?p ?o } HAVING (<sql:x>(?n))",
    ],
)
def test_command_iri_is_refused(query: str) -> None:
    with pytest.raises(QueryFault) as caught:
        normalize_query(ParsedSparqlText(query), BASE, VIRTUOSO_DIALECT)
    assert caught.value.kind == VALUE_FAULT


@pytest.mark.parametrize(
    "query",
    [
        "DEFINE get:soft 'soft' SELECT * { ?s ?p ?o }",
        "BASE <x:> DEFINE sql:log-enable 1 SELECT * { ?s ?p ?o }",
        "SELECT (bif:exec('shutdown') AS ?x) {}",
        "SELECT `bif:now()` {}",
        "SELECT * { ?s ?p ?o OPTION(TRANSITIVE) }",
        "SELECT ?::0 {}",
        "SELECT * { ?s ?p 'x }",
    ],
)
def test_query_outside_the_grammar_is_refused(query: str) -> None:
    with pytest.raises(QueryFault) as caught:
        normalize_query(ParsedSparqlText(query), BASE, VIRTUOSO_DIALECT)
    assert caught.value.kind == SYNTAX_FAULT


def normalize_text(query: str) -> str:
    return normalize_query(ParsedSparqlText(query), BASE, VIRTUOSO_DIALECT).text


def test_comments_are_removed() -> None:
    query = "# bif:\nSELECT * { ?s <x:p#q> '# no comment' } # DEFINE"
    assert normalize_text(query) == f"BASE <{BASE}> SELECT * {{ ?s <x:p#q> '# no comment' }}"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("ASK { <a> <#b> '<c>' }", f"BASE <{BASE}> ASK {{ <{BASE}a> <{BASE}#b> '<c>' }}"),
        ("BASE <x:/y/> BASE <z/> ASK { <a> a 1 }", "BASE <x:/y/z/> ASK { <x:/y/z/a> a 1 }"),
        (
            "PREFIX b: <b> ASK { b:if:exec a b: }",
            f"BASE <{BASE}> PREFIX b: <{BASE}b> ASK {{ b:if:exec a b: }}",
        ),
        ("PREFIX : <a> BASE <x:> PREFIX : <b> ASK { :c a : }", "BASE <x:> PREFIX : <x:b> ASK { :c a : }"),
        ("VERSION '1.2' SELECT * { ?s ?p 'a'^^<b> }", f"BASE <{BASE}> SELECT * {{ ?s ?p 'a'^^<{BASE}b> }}"),
    ],
)
def test_iris_become_absolute_with_one_base(query: str, expected: str) -> None:
    assert normalize_text(query) == expected


def test_dataset_clauses_are_removed_and_graphs_are_returned() -> None:
    query = "PREFIX : <x:> SELECT * FROM <a> FROM NAMED :b FROM :c { GRAPH <d> { GRAPH :e {} GRAPH ?f {} } }"
    normalized = normalize_query(ParsedSparqlText(query), BASE, VIRTUOSO_DIALECT)
    assert (normalized.default_graphs, normalized.named_graphs) == ((f"{BASE}a", "x:c"), ("x:b",))
    assert normalized.pattern_graphs == {f"{BASE}d", "x:e"}
    assert "FROM" not in normalized.text


def test_syntax_error_is_found_without_evaluation() -> None:
    # To evaluate this query would take 60 ** 6 rows.
    values = " ".join(f"VALUES ?{name} {{ {' '.join(map(str, range(60)))} }}" for name in "abcdef")
    assert not find_query_error(ParsedSparqlText(f"SELECT (COUNT(*) AS ?n) {{ {values} }}"))
    assert find_query_error(ParsedSparqlText("SELECT ?x { ?x ?y }"))
    assert find_query_error(ParsedSparqlText("SELECT ?x { 'x }"))
