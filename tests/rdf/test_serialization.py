"""Triples from bytes and as bytes."""

import pyoxigraph as ox
import pytest
from wgig.rdf.formats import JSON_LD, N_TRIPLES, RDF_XML, TURTLE
from wgig.rdf.serialization import UnserializableError, parse_graph_document, serialize_triples
from wgig.settings import Settings

BASE = Settings.base


def test_relative_iris_stand_below_the_base_that_is_given() -> None:
    (triple,) = parse_graph_document(b"<#a> a <#B> .", "text/turtle", "urn:example:g")
    assert str(triple.subject) == "<urn:example:g#a>"


def test_blank_nodes_of_two_documents_are_two() -> None:
    one, other = (parse_graph_document(b"_:x <urn:p> 1 .", "text/turtle") for _ in range(2))
    assert one != other


def test_a_fault_has_its_place() -> None:
    with pytest.raises(SyntaxError, match="line 1") as caught:
        parse_graph_document(b"<urn:s> <urn:p> 2 . <urn:s> <urn:p> .", "text/turtle")
    assert (caught.value.lineno, caught.value.offset) == (1, 37)


@pytest.mark.parametrize("document", [b"", b"<a>", b"<r:RDF xmlns:r='urn:r'><r:a/>"])
def test_xml_that_breaks_off_is_no_document(document: bytes) -> None:
    with pytest.raises(SyntaxError, match="no element found") as caught:
        parse_graph_document(document, RDF_XML.media_type)
    assert (caught.value.lineno, caught.value.offset) == (1, len(document) + 1)


def test_a_byte_order_mark_is_skipped() -> None:
    assert parse_graph_document(b"\xef\xbb\xbf<urn:s> <urn:p> 1 .", "text/turtle")


def test_a_document_of_several_graphs_is_no_graph() -> None:
    with pytest.raises(SyntaxError):
        parse_graph_document(b"<urn:s> <urn:p> <urn:o> <urn:g> .", "application/n-quads")


def test_what_is_no_rdf_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="no RDF format has the media type text/csv"):
        parse_graph_document(b"", "text/csv")


def test_triples_are_written_once_in_a_stable_order_the_type_first() -> None:
    given = parse_graph_document(b"<urn:b> <urn:p> 1 . <urn:a> <urn:p> 2 ; a <urn:C> .", "text/turtle")
    written = serialize_triples([*given, *reversed(given)], N_TRIPLES, BASE).decode().splitlines()
    assert [line.split()[:2] for line in written] == [
        ["<urn:a>", "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"],
        ["<urn:a>", "<urn:p>"],
        ["<urn:b>", "<urn:p>"],
    ]


def test_only_the_prefixes_that_are_used_are_declared() -> None:
    given = parse_graph_document(
        f"<{BASE}id/issue/spam> <urn:p> '2005'^^<urn:year> .".encode(), "text/turtle"
    )
    text = serialize_triples(given, TURTLE, BASE).decode()
    assert text.startswith(f"@prefix issue: <{BASE}id/issue/> .\n")
    assert text.count("@prefix") == 1


def test_what_a_format_cannot_say_is_told() -> None:
    node = ox.NamedNode("urn:a")
    with pytest.raises(UnserializableError, match="json"):
        serialize_triples([ox.Triple(node, node, ox.Triple(node, node, node))], JSON_LD, BASE)


def test_json_ld_that_nests_without_end_is_refused_before_the_engine_follows_it() -> None:
    deep = b'{"@context":{"p":"http://example.org/p"},"p":' + b'{"p":' * 20_000 + b"1" + b"}" * 20_001
    with pytest.raises(SyntaxError, match="brackets are open"):
        parse_graph_document(deep, "application/ld+json")


@pytest.mark.parametrize(("begin", "end", "count"), [("[ <x:p> ", " ]", 20_001), ("( ", " )", 40_001)])
def test_turtle_may_nest_deeply_and_hold_long_lists(begin: str, end: str, count: int) -> None:
    assert (
        len(parse_graph_document(f"<x:a> <x:b> {begin * 20_000}1{end * 20_000} .".encode(), "text/turtle"))
        == count
    )
    assert len(parse_graph_document(f"<x:a> <x:b> ( {'1 ' * 20_000}) .".encode(), "text/turtle")) == 40_001


def test_a_mark_of_the_byte_order_hides_no_terms() -> None:
    terms = ", ".join(f'"k{number}": "k{number + 1}:a"' for number in range(4000))
    with pytest.raises(SyntaxError, match="more than 3000 terms"):
        parse_graph_document(f'\ufeff{{"@context": {{{terms}}}}}'.encode(), "application/ld+json")
