"""Shapes of a sender: what is refused, what is left out and reported, and the place of each problem."""

import pickle
from typing import Any

import pyoxigraph as ox
import pytest
from wgig.problems import Problem
from wgig.rdf.formats import MARKDOWN, N_TRIPLES
from wgig.settings import Settings
from wgig.validation.shapes_graph import ShapesGraph, ShapesSource, read_shapes_graph

from tests.fixtures.shapes import PERSON_SHAPES, PREFIXES, make_source

TARGET = "ex:S a sh:NodeShape ; sh:targetClass ex:T"


def read_shapes(text: str, **settings: Any) -> ShapesGraph:
    return read_shapes_graph(make_source(PREFIXES + text), Settings(**settings))


def catch_problem(text: str, **settings: Any) -> Problem:
    with pytest.raises(Problem) as caught:
        read_shapes(text, **settings)
    return caught.value


def list_texts(shapes: ShapesGraph, *properties: str) -> list[str]:
    """The texts and IRIs that are objects of these properties, named by the end of their IRI."""
    objects: list[Any] = [
        triple.object for triple in shapes.triples if triple.predicate.value.endswith(properties)
    ]
    return [term.value for term in objects]


def make_query_shape(query: str) -> str:
    return f'{TARGET} ; sh:sparql [ sh:select """{query}""" ] .'


def test_shapes_are_found_with_their_targets() -> None:
    shapes = read_shapes_graph(make_source(PERSON_SHAPES), Settings())
    assert len(shapes.shapes) == 3
    assert shapes.targets.classes == {"http://example.org/Person"}
    assert {path.text for path in shapes.paths.values()} == {
        "<http://example.org/name>",
        "<http://example.org/knows>/^<http://example.org/knows>",
    }


def test_a_class_that_is_a_shape_is_a_target() -> None:
    shapes = read_shapes(
        "ex:Meta rdfs:subClassOf rdfs:Class ."
        "ex:A a rdfs:Class , sh:NodeShape . ex:B a ex:Meta , sh:NodeShape ."
        "ex:C a rdfs:Class , sh:NodeShape ; sh:deactivated true ."
    )
    assert shapes.targets.classes == {"http://example.org/A", "http://example.org/B"}


@pytest.mark.parametrize(
    ("text", "status", "sentence"),
    [
        pytest.param("ex:a ex:b ex:c .", 422, "have no target", id="no shape"),
        pytest.param("ex:S a sh:NodeShape ; sh:nodeKind sh:IRI .", 422, "have no target", id="no target"),
        pytest.param(f'{TARGET} ; sh:minCount "x" .', 400, "sh:minCount must be an integer", id="count"),
        pytest.param(f"{TARGET} ; sh:maxLength 9{'9' * 20} .", 400, "must be an integer", id="huge count"),
        pytest.param(f"{TARGET} ; sh:nodeKind ex:Kind .", 400, "must be one of sh:BlankNode", id="node kind"),
        pytest.param(f'{TARGET} ; sh:class "T" .', 400, "sh:class must be an IRI", id="class"),
        pytest.param(f"{TARGET} ; sh:pattern ex:p .", 400, "sh:pattern must be a string", id="pattern"),
        pytest.param(f"{TARGET} ; sh:closed 1 .", 400, "must be true or false", id="closed"),
        pytest.param(f"{TARGET} ; sh:in ex:list .", 400, "is not well-formed", id="list"),
        pytest.param(
            f"{TARGET} ; sh:and _:l . _:l rdf:first ex:A ; rdf:rest _:l .",
            400,
            "well-formed",
            id="endless list",
        ),
        pytest.param(f"{TARGET} ; sh:property [ sh:maxCount 1 ] .", 400, "has no sh:path", id="no path"),
        pytest.param(f"{TARGET} . ex:P a sh:PropertyShape .", 400, "has no sh:path", id="no path of a class"),
        pytest.param(
            f"{TARGET} ; sh:property [ sh:path ex:p , ex:q ] .", 400, "several values of sh:path", id="paths"
        ),
        pytest.param(f"{TARGET} ; sh:maxCount 1 .", 400, "with sh:maxCount has no sh:path", id="node count"),
        pytest.param(
            f"{TARGET} ; sh:property [ sh:path ex:p ; sh:minCount 1 , 2 ] .",
            400,
            "several values of sh:minCount",
            id="counts",
        ),
        pytest.param(
            f"{TARGET} ; sh:minLength -3 .",
            400,
            "sh:minLength must be an integer of 0 or more",
            id="negative",
        ),
        pytest.param(
            f'{TARGET} ; sh:pattern "(" .', 400, "not a valid regular expression: (", id="open group"
        ),
        pytest.param(
            f'{TARGET} ; sh:pattern "a" ; sh:flags "?" .', 400, "not a valid regular expression", id="flags"
        ),
        pytest.param(
            f"{TARGET} ; sh:property [ sh:path ex:p ; sh:maxcount 1 ] .",
            400,
            "Did you mean sh:maxCount?",
            id="misspelled",
        ),
        pytest.param(f"{TARGET} ; sh:property [ sh:path [ ] ] .", 400, "path of the shapes", id="empty path"),
        pytest.param(
            f"{TARGET} ; sh:property [ sh:path _:p ] . _:p sh:inversePath _:p .",
            413,
            "contains itself",
            id="path in itself",
        ),
        pytest.param(
            f"{TARGET} ; sh:property [ sh:path _:p0 ] . "
            + " ".join(f"_:p{n} sh:alternativePath ( _:p{n + 1} _:p{n + 1} ) ." for n in range(40))
            + " _:p40 sh:inversePath ex:p .",
            413,
            "more than 1000 steps",
            id="path with a billion steps",
        ),
        pytest.param(f"{TARGET} ; sh:node ex:S .", 400, "refers to itself", id="recursive"),
        pytest.param(
            f"{TARGET} ; sh:or ( [ sh:not ex:U ] ) . ex:U sh:property [ sh:path ex:p ; sh:node ex:S ] .",
            400,
            "refers to itself",
            id="mutually recursive",
        ),
        pytest.param(
            f"{TARGET} ; sh:node ex:n0 . " + " ".join(f"ex:n{n} sh:node ex:n{n + 1} ." for n in range(60)),
            413,
            "nested more than 50 times",
            id="deep",
        ),
        pytest.param(f"{TARGET} ; sh:js [ ] .", 400, "Scripts are not run", id="script"),
        pytest.param(f"{TARGET} . ex:f a sh:JSFunction .", 400, "Scripts are not run", id="script function"),
        pytest.param(f"{TARGET} ; sh:target [ ] .", 400, "Advanced Features", id="advanced target"),
        pytest.param(f"{TARGET} . ex:f a sh:SPARQLFunction .", 400, "Advanced Features", id="function"),
        pytest.param(f"{TARGET} . <> sh:entailment ex:e .", 400, "Nothing is inferred", id="entailment"),
        pytest.param(
            f'{TARGET} . <> sh:declare [ sh:prefix "x: <a:b> SELECT" ; sh:namespace "a:" ] .',
            400,
            "invalid name or namespace",
            id="prefix",
        ),
    ],
)
def test_shapes_that_no_engine_should_see_are_refused(text: str, status: int, sentence: str) -> None:
    problem = catch_problem(text)
    assert (problem.status, sentence in problem.detail) == (status, True), problem.detail


@pytest.mark.parametrize(
    ("query", "status", "sentence"),
    [
        ("SELECT $this { SERVICE <http://127.0.0.1/> { $this ?p ?o } }", 403, "It has SERVICE"),
        ("SELECT $this { SERVICE # \\n <http://127.0.0.1/> { $this ?p ?o } }", 403, "It has SERVICE"),
        ("SELECT $this { SERVICE SILENT ?o { $this ?p ?o } }", 403, "It has SERVICE"),
        ("SELECT $this { FILTER(true)FILTER trueSERVICE<http://127.0.0.1/>{} }", 403, "It has SERVICE"),
        ("PREFIX SERVICEx: <a:> SELECT $this { SERVICEx:y { $this ?p ?o } }", 403, "It has SERVICE"),
        ("SELECT $this FROM <http://127.0.0.1/> { $this ?p ?o }", 403, "It has FROM"),
        ("SELECT $this FROM NAMED <http://127.0.0.1/> { GRAPH ?g { $this ?p ?o } }", 403, "It has FROM"),
        ("SELECT $this FROM<http://127.0.0.1/>{ $this ?p ?o }", 403, "It has FROM"),
        ("LOAD <http://127.0.0.1/>", 403, "It has LOAD"),
        ("ASK { $this ?p ?o }", 400, "must be a SELECT query"),
        ("INSERT DATA { <a:> <a:> <a:> }", 400, "starts an update"),
        ("SELECT $this { $this ?p", 400, "refused"),
        ("SELECT $this { $this nope:p ?o }", 400, "prefix nope: is not declared"),
        ("SELECT ?x { ?x ?p ?o }", 400, "must select the variable $this"),
        ("SELECT (COUNT(*) AS ?x) { $this ?p ?o }", 400, "must select the variable $this"),
        ("SELECT (STR($this) AS ?x) { $this ?p ?o }", 400, "must select the variable $this"),
        ("SELECT ?x { { SELECT $this { $this ?p ?x } } }", 400, "must select the variable $this"),
        (f"SELECT $this {{ {'{' * 200} $this ?p ?o {'}' * 200} }}", 400, "nested too deeply"),
    ],
)
def test_a_query_that_fetches_or_is_invalid_is_refused(query: str, status: int, sentence: str) -> None:
    problem = catch_problem(make_query_shape(query))
    assert (problem.status, sentence in problem.detail) == (status, True), problem.detail


@pytest.mark.parametrize(
    "query",
    [
        "SELECT $this ?value { $this ex:p ?value FILTER(?value != 'SERVICE <http://127.0.0.1/>') }",
        "SELECT $this { $this ?p ?o # FROM <http://127.0.0.1/>\n }",
        "SELECT $this ?SERVICE { $this <http://example.org/FROM> ?SERVICE }",
        "SELECT $this { $this $PATH ?value }",
        "SELECT * WHERE { $this $PATH ?value }",
        "SELECT DISTINCT ?this (1 AS ?value) { ?this ?p ?o }",
        "SELECT (IRI(STR(?x)) AS ?this) { ?x ?p ?o }",
    ],
)
def test_a_query_that_fetches_nothing_is_admitted(query: str) -> None:
    declaration = '<> sh:declare [ sh:prefix "ex" ; sh:namespace "http://example.org/" ] .'
    shapes = read_shapes(make_query_shape(query) + declaration)
    assert list_texts(shapes, "select") == [query]
    assert shapes.find_query_shape()


def test_an_iri_that_the_engine_would_misread_gets_an_escape() -> None:
    query = "SELECT $this { VALUES (?a ?b) { (<a:a> <http://example.org/x#y>) } $this ?a ?b }"
    shapes = read_shapes(make_query_shape(query))
    assert list_texts(shapes, "select") == [query.replace("#", "\\u0023")]


def test_calls_are_refused_even_if_the_service_may_make_them() -> None:
    source = make_source(
        PREFIXES + make_query_shape("SELECT $this { SERVICE <https://example.org/sparql> { $this ?p ?o } }")
    )
    with pytest.raises(Problem) as caught:
        read_shapes_graph(source, Settings(allow="https://example.org/sparql"))
    assert caught.value.status == 403


def test_imports_and_rules_are_left_out_and_reported() -> None:
    shapes = read_shapes(
        f"{TARGET} ; sh:rule [ a sh:TripleRule ] , [ sh:construct 'CONSTRUCT {{}} WHERE {{}}' ] ."
        "<> owl:imports <http://127.0.0.1/a> , <http://127.0.0.1/b> , ex:S ."
    )
    notes = {note.message: dict(note.values) for note in shapes.notes}
    assert notes == {"imports": {"iris": "http://127.0.0.1/a, http://127.0.0.1/b"}, "rules": {"count": 2}}
    assert list_texts(shapes, "#rule", "#imports") == [
        "http://example.org/S"  # which is in the file
    ]


def test_a_problem_has_the_place_in_the_shapes() -> None:
    problem = catch_problem(f'{TARGET} ;\n  sh:minCount "x" .')
    assert problem.detail.startswith("shapes.ttl:8:15: ")
    assert problem.members == {"shapes": {"name": "shapes.ttl", "line": 8, "column": 15}}
    assert pickle.loads(pickle.dumps(problem)).members == problem.members
    torn = catch_problem(f"{TARGET} ;\n  sh:minCount .")
    assert "The file is not valid Turtle" in torn.detail
    assert (torn.slug, torn.members["shapes"]["line"], "excerpt" in torn.members) == ("syntax", 8, True)
    assert "line" not in torn.members  # which would be a line of the data


def test_limits_are_those_of_the_settings() -> None:
    many_shapes = "".join(f"ex:S{number} sh:targetNode ex:n . " for number in range(11))
    assert "More than 10 shapes" in catch_problem(many_shapes, shapes=10).detail
    assert "more than 10 triples" in catch_problem(many_shapes, paper_triples=10).detail
    assert "more than 100 bytes" in catch_problem(many_shapes, paper_bytes=100).detail
    read_shapes(many_shapes, shapes=11)


@pytest.mark.parametrize("format_", [MARKDOWN, None])
def test_shapes_must_be_rdf(format_: object) -> None:
    with pytest.raises(Problem) as caught:
        read_shapes_graph((ShapesSource("shapes", b"x", format_),), Settings())  # type: ignore[arg-type]
    assert caught.value.status == 415


def test_blank_nodes_of_two_files_stay_apart_and_are_named_the_same_each_time() -> None:
    text = "<a:S{0}> <http://www.w3.org/ns/shacl#targetNode> _:node .\n"
    sources = tuple(
        ShapesSource(f"{number}.nt", text.format(number).encode(), N_TRIPLES) for number in range(2)
    )
    shapes = read_shapes_graph(sources, Settings())
    assert [triple.object for triple in shapes.triples] == [ox.BlankNode("shape-1"), ox.BlankNode("shape-2")]
