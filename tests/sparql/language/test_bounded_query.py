"""Bounded queries: their triple patterns are recognized, and those of no other query."""

import pyoxigraph as ox
import pytest
from wgig.rdf.namespaces import RDF_TYPE
from wgig.sparql.language.bounded_query import (
    MAX_BOUNDED_QUERY_CHARS,
    find_bounded_patterns,
    find_leading_patterns,
)

A, B, P, Q = (ox.NamedNode(f"http://example.org/{name}") for name in "abpq")
PREFIX = "PREFIX x: <http://example.org/> "


@pytest.mark.parametrize(
    ("text", "patterns"),
    [
        ("ASK{<http://example.org/a> ?p ?o}", [(A, None, None)]),
        ("ask where { <http://example.org/a> ?p $o . }  # comment", [(A, None, None)]),
        (f"{PREFIX}SELECT * WHERE {{ x:a a x:b }}", [(A, RDF_TYPE, B)]),
        (f"{PREFIX}PREFIX : <x:> SELECT DISTINCT ?s ?o {{ ?s x:p : }}", [(None, P, ox.NamedNode("x:"))]),
        (
            f"{PREFIX}SELECT ?s\n{{ x:a x:p ?o ; x:q ?r , ?s }}\nLIMIT 10",
            [(A, P, None), (A, Q, None), (A, Q, None)],
        ),
        (f'{PREFIX}ASK {{ ?s x:p "é, . a"@en-GB }}', [(None, P, ox.Literal("é, . a", language="en-GB"))]),
        (f'{PREFIX}ASK {{ ?s x:p "" }}', [(None, P, ox.Literal(""))]),
    ],
)
def test_patterns_are_recognized(text: str, patterns: list[object]) -> None:
    assert find_bounded_patterns(text) == patterns
    ox.Store().query(text)  # raises SyntaxError if it is none


@pytest.mark.parametrize(
    "body",
    [
        "",
        ".",
        "x:a x:p",
        "x:a x:p ?o ;",
        "x:a x:p ?o ?q",
        "x:a x:p ?o . FILTER(?o)",
        "x:a x:p ?o . { }",
        "x:a x:p/x:q ?o",
        "x:a ^x:p ?o",
        "x:a x:p* ?o",
        "x:a x:p.x:q ?o",
        "x:a x:p \\u0078:b",
        "x:a x:p x:b\\,c",
        "x:a x:p x:%41",
        "x:a x:p _:b",
        "x:a x:p []",
        "x:a x:p 1",
        'x:a x:p "1"^^x:q',
        'x:a x:p """a"""',
        "x:a x:p 'a'",
        'x:a x:p "\\""',
        "<a> x:p ?o",
        "<x:a/../b> x:p ?o",
        "<x:./b> x:p ?o",
        "<http://example.org/\\u0061> x:p ?o",
        "y:a x:p ?o",
        '"a" x:p ?o',
        "x:a x:p x:b # ?o",
        "x:a x:p << x:a x:p x:b >>",
        "x:a x:p ?o . x:a x:p ?r . x:a x:p ?s . x:a x:p ?t",
    ],
)
def test_other_groups_are_not_recognized(body: str) -> None:
    assert find_bounded_patterns(f"{PREFIX}ASK {{ {body} }}") is None


@pytest.mark.parametrize(
    "text",
    [
        "SELECT (1 AS ?x) { <x:a> ?p ?o }",
        "SELECT (COUNT(*) AS ?n) { <x:a> ?p ?o }",
        "SELECT ?p { <x:a> ?p ?o } GROUP BY ?p",
        "SELECT ?p { <x:a> ?p ?o } ORDER BY ?p",
        "SELECT ?p { <x:a> ?p ?o } VALUES ?p { <x:b> }",
        "CONSTRUCT { ?s ?p ?o } { <x:a> ?p ?o }",
        "DESCRIBE <x:a>",
        "BASE <x:> ASK { <x:a> ?p ?o }",
        f"ASK {{ <x:{'a' * MAX_BOUNDED_QUERY_CHARS}> ?p ?o }}",
    ],
)
def test_other_forms_are_not_recognized(text: str) -> None:
    assert find_bounded_patterns(text) is None


@pytest.mark.parametrize(
    ("body", "patterns"),
    [
        ("?a x:p ?b ; x:q ?c . ?b x:p ?d . ?d x:q ?e }", [(None, P, None), (None, Q, None)] * 2),
        ("?a x:p ?b . FILTER(?b > 1) }", [(None, P, None)]),
        ("?a x:p ?b optional { ?b x:q ?c } } ORDER BY ?a", [(None, P, None)]),
        ("?a x:p ?b MINUS { ?b x:q ?c } ?b x:q ?d }", [(None, P, None)]),
        ("?a x:p ?b BIND(1 AS ?c) }", [(None, P, None)]),
        ("?a x:p ?b { ?b x:q ?c } }", None),
        ("{ ?a x:p ?b } }", None),
        ("GRAPH ?g { ?a x:p ?b } }", None),
        ("?a x:p/x:q ?b }", None),
        ("?a x:p ?b", None),
    ],
)
def test_leading_patterns(body: str, patterns: list[object] | None) -> None:
    assert find_leading_patterns(f"{PREFIX}SELECT ?a (COUNT(*) AS ?n) WHERE {{ {body}") == patterns
