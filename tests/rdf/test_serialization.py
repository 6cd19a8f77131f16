"""Parsing and serialization of triples."""

import pyoxigraph as ox
import pytest
from wgig.rdf.formats import JSON_LD, N_TRIPLES, RDF_XML, TURTLE
from wgig.rdf.serialization import (
    UnserializableError,
    build_quad,
    normalize_quads,
    normalize_triples,
    parse_graph_document,
    serialize_triples,
)
from wgig.settings import Settings

BASE = Settings.base


def test_relative_iris_are_resolved_against_the_base() -> None:
    (triple,) = parse_graph_document(b"<#a> a <#B> .", "text/turtle", "urn:example:g")
    assert str(triple.subject) == "<urn:example:g#a>"


def test_blank_nodes_of_two_documents_are_distinct() -> None:
    first, second = (parse_graph_document(b"_:x <urn:p> 1 .", "text/turtle") for _ in range(2))
    assert first != second


def test_a_syntax_error_has_a_position() -> None:
    with pytest.raises(SyntaxError, match="line 1") as error:
        parse_graph_document(b"<urn:s> <urn:p> 2 . <urn:s> <urn:p> .", "text/turtle")
    assert (error.value.lineno, error.value.offset) == (1, 37)


@pytest.mark.parametrize("document", [b"", b"<a>", b"<r:RDF xmlns:r='urn:r'><r:a/>"])
def test_truncated_xml_is_refused(document: bytes) -> None:
    with pytest.raises(SyntaxError, match="no element found") as error:
        parse_graph_document(document, RDF_XML.media_type)
    assert (error.value.lineno, error.value.offset) == (1, len(document) + 1)


def test_a_byte_order_mark_is_skipped() -> None:
    assert parse_graph_document(b"\xef\xbb\xbf<urn:s> <urn:p> 1 .", "text/turtle")


def test_a_document_with_named_graphs_is_refused() -> None:
    with pytest.raises(SyntaxError):
        parse_graph_document(b"<urn:s> <urn:p> <urn:o> <urn:g> .", "application/n-quads")


def test_a_media_type_that_is_no_rdf_format_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="no RDF format has the media type text/csv"):
        parse_graph_document(b"", "text/csv")


def test_triples_are_written_once_and_sorted_with_the_type_first() -> None:
    triples = parse_graph_document(b"<urn:b> <urn:p> 1 . <urn:a> <urn:p> 2 ; a <urn:C> .", "text/turtle")
    lines = serialize_triples([*triples, *reversed(triples)], N_TRIPLES, BASE).decode().splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["<urn:a>", "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"],
        ["<urn:a>", "<urn:p>"],
        ["<urn:b>", "<urn:p>"],
    ]


def test_only_the_prefixes_that_are_used_are_declared() -> None:
    triples = parse_graph_document(
        f"<{BASE}id/issue/spam> <urn:p> '2005'^^<urn:year> .".encode(), "text/turtle"
    )
    text = serialize_triples(triples, TURTLE, BASE).decode()
    assert text.startswith(f"@prefix issue: <{BASE}id/issue/> .\n")
    assert text.count("@prefix") == 1


def test_data_that_a_format_cannot_express_is_refused() -> None:
    node = ox.NamedNode("urn:a")
    with pytest.raises(UnserializableError, match="cannot be written as application/ld"):
        serialize_triples([ox.Triple(node, node, ox.Triple(node, node, node))], JSON_LD, BASE)


def test_json_ld_with_deep_nesting_is_refused() -> None:
    deep = b'{"@context":{"p":"http://example.org/p"},"p":' + b'{"p":' * 20_000 + b"1" + b"}" * 20_001
    with pytest.raises(SyntaxError, match="brackets are open"):
        parse_graph_document(deep, "application/ld+json")


# The triple of <x:a>, and one for each blank node, or two for each list: rdf:first and rdf:rest.
@pytest.mark.parametrize(("begin", "end", "triple_count"), [("[ <x:p> ", " ]", 20_001), ("( ", " )", 40_001)])
def test_turtle_may_nest_deeply_and_have_long_lists(begin: str, end: str, triple_count: int) -> None:
    nested = f"<x:a> <x:b> {begin * 20_000}1{end * 20_000} ."
    assert len(parse_graph_document(nested.encode(), "text/turtle")) == triple_count
    assert len(parse_graph_document(f"<x:a> <x:b> ( {'1 ' * 20_000}) .".encode(), "text/turtle")) == 40_001


def test_too_many_terms_after_a_byte_order_mark_are_refused() -> None:
    terms = ", ".join(f'"k{number}": "k{number + 1}:a"' for number in range(4000))
    with pytest.raises(SyntaxError, match="more than 3000 terms"):
        parse_graph_document(f'\ufeff{{"@context": {{{terms}}}}}'.encode(), "application/ld+json")


OBJECTS_IN_TURTLE = """<urn:o>, _:o, "text", "text"^^xsd:string, "Text"@en-GB, "text"@ar--rtl, 1.50, 1e3, 1,
  "01"^^xsd:integer, "no number"^^xsd:integer, "1"^^xsd:boolean, "2005-01-01T00:00:00.00Z"^^xsd:dateTime,
  "P12M"^^xsd:duration, "x"^^<urn:datatype>, <<( <urn:s> <urn:p> "08"^^xsd:integer )>>, "text" """


def test_normalized_triples_are_those_of_a_store() -> None:
    prefix = "PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>"
    document = f"{prefix} <urn:s> <urn:p> {OBJECTS_IN_TURTLE} ."
    triples = parse_graph_document(document.encode(), "text/turtle")
    graph = ox.NamedNode("urn:g")
    store = ox.Store()
    store.extend(build_quad(triple, graph) for triple in triples)
    assert len(triples) > len(store)  # some triples are repeated
    quads = normalize_quads(triples, graph)
    assert len(quads) == len(store)
    assert set(quads) == set(store) != {build_quad(triple, graph) for triple in triples}
    assert set(normalize_triples(triples)) == {quad.triple for quad in store}


def test_turtle_of_a_resource_begins_with_it_and_its_parts() -> None:
    triples = parse_graph_document(
        b"""<urn:a> <urn:p> <urn:b/1> . <urn:bb> <urn:p> 1 . <urn:b/1> <urn:p> "a\\n<urn:x> b" .
        <urn:b> <urn:q> 2 ; <urn:p> <urn:b/1> ; a <http://www.w3.org/2004/02/skos/core#Concept> .
        <http://purl.org/dc/terms/title> <urn:p> 3 .""",
        "text/turtle",
    )
    text = serialize_triples(triples, TURTLE, BASE, "urn:b").decode()
    prefixes, *blocks = text.split("\n\n")
    assert [line.split()[1] for line in prefixes.splitlines()] == ["dcterms:", "rdf:", "skos:", "xsd:"]
    assert [block.split()[0] for block in blocks] == [
        "<urn:b>",
        "<urn:b/1>",
        "dcterms:title",
        "<urn:a>",
        "<urn:bb>",
    ]
    assert blocks[0].startswith("<urn:b> a skos:Concept ;\n")
    assert {*map(str, parse_graph_document(text.encode(), "text/turtle"))} == {*map(str, triples)}
    without_prefixes = parse_graph_document(b"<urn:b> <urn:p> <urn:q> .", "text/turtle")
    assert serialize_triples(without_prefixes, TURTLE, BASE, "urn:b") == b"<urn:b> <urn:p> <urn:q> .\n"
