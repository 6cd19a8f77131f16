"""The RDF report is a valid SHACL validation report, with positions, paths and comments."""

from collections.abc import Sequence
from dataclasses import replace

import pyoxigraph as ox
import pytest
import rdflib
from pyshacl import validate
from wgig.rdf.formats import GRAPH_FORMATS, N_TRIPLES, TURTLE, Format
from wgig.rdf.serialization import rdf_format
from wgig.shacl.findings import CheckOutcome, Report, UncheckedFile
from wgig.shacl.reports import REPORT_WRITERS
from wgig.shacl.reports.rdf import build_report_triples, clean_literal
from wgig.shacl.rules import read_shape_triples, rules_by_code
from wgig.text import UNSAFE_CHARACTER_PATTERN

SH = rdflib.SH
EARL = rdflib.Namespace("http://www.w3.org/ns/earl#")
PTR = rdflib.Namespace("http://www.w3.org/2009/pointers#")

# The requirements of SHACL for a report (section 3.6), without the rule that a report with results does not
# conform: here the profile decides which results count.
REPORT_SHAPES = """
@prefix sh:  <http://www.w3.org/ns/shacl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix :    <urn:report-shapes#> .

:Report a sh:NodeShape ; sh:targetClass sh:ValidationReport ;
    sh:property [ sh:path sh:conforms ; sh:minCount 1 ; sh:maxCount 1 ; sh:datatype xsd:boolean ] ,
                [ sh:path sh:result ; sh:class sh:ValidationResult ] .

:Result a sh:NodeShape ; sh:targetClass sh:ValidationResult ;
    sh:property [ sh:path sh:focusNode ; sh:minCount 1 ; sh:maxCount 1 ; sh:nodeKind sh:BlankNodeOrIRI ] ,
                [ sh:path sh:resultPath ; sh:maxCount 1 ; sh:nodeKind sh:BlankNodeOrIRI ] ,
                [ sh:path sh:value ; sh:maxCount 1 ] ,
                [ sh:path sh:sourceShape ; sh:minCount 1 ; sh:maxCount 1 ; sh:nodeKind sh:IRI ] ,
                [ sh:path sh:sourceConstraintComponent ; sh:minCount 1 ; sh:maxCount 1 ;
                  sh:pattern "^http://www.w3.org/ns/shacl#[A-Z][A-Za-z]+ConstraintComponent$" ] ,
                [ sh:path sh:resultSeverity ; sh:minCount 1 ; sh:maxCount 1 ;
                  sh:in ( sh:Violation sh:Warning sh:Info ) ] ,
                [ sh:path sh:resultMessage ; sh:minCount 6 ; sh:maxCount 6 ; sh:uniqueLang true ;
                  sh:languageIn ( "ar" "en" "es" "fr" "ru" "zh" ) ] ,
                [ sh:path [ sh:inversePath sh:result ] ; sh:minCount 1 ; sh:maxCount 1 ] .
"""


def parse_report_graph(outcomes: Sequence[CheckOutcome]) -> rdflib.Graph:
    return rdflib.Graph().parse(data=REPORT_WRITERS[TURTLE](outcomes, "en"), format="turtle")


def find_result_node(graph: rdflib.Graph, code: str) -> rdflib.term.Node:
    return next(graph.subjects(SH.sourceShape, rdflib.URIRef(rules_by_code()[code].iri)))


def test_the_report_conforms_to_the_shacl_specification(outcomes: Sequence[CheckOutcome]) -> None:
    conforms, _, validation_text = validate(
        parse_report_graph(outcomes), shacl_graph=rdflib.Graph().parse(data=REPORT_SHAPES, format="turtle")
    )
    assert conforms, validation_text


def test_sh_conforms_is_about_the_profile(outcomes: Sequence[CheckOutcome]) -> None:
    graph = parse_report_graph(outcomes)
    conforms_by_name = {
        str(graph.value(report, rdflib.RDFS.label)): graph.value(report, SH.conforms)
        for report in graph.subjects(rdflib.RDF.type, SH.ValidationReport)
    }
    assert {name: bool(value) for name, value in conforms_by_name.items()} == {
        "papers/good.ttl": True,
        "papers/bad, ü:1.ttl": False,
    }


def test_only_a_conforming_paper_has_dcterms_conforms_to(good_report: Report, bad_report: Report) -> None:
    assert [
        str(profile) for profile in parse_report_graph([good_report]).objects(None, rdflib.DCTERMS.conformsTo)
    ] == ["https://w3id.org/wgig/id/profile/final"]
    assert not [*parse_report_graph([bad_report]).objects(None, rdflib.DCTERMS.conformsTo)]


def test_a_result_has_a_line_char_pointer(bad_report: Report, bad_text: str) -> None:
    graph = parse_report_graph([bad_report])
    result = find_result_node(graph, "WGIG-0-TERM-UNKNOWN")
    pointer = graph.value(result, EARL.pointer)
    line = bad_text[: bad_text.index("wgig:oportunity")].count("\n") + 1
    assert graph.value(pointer, PTR.lineNumber) == rdflib.Literal(
        str(line), datatype=rdflib.XSD.positiveInteger
    )
    assert str(graph.value(pointer, PTR.charNumber)) == "5"


def test_the_path_of_a_result_is_copied_from_its_shape(bad_report: Report) -> None:
    graph = parse_report_graph([bad_report])
    shapes = rdflib.Graph()
    shapes.parse(data=ox.serialize(read_shape_triples(), format=ox.RdfFormat.N_TRIPLES), format="nt")

    def list_alternatives(path_graph: rdflib.Graph, node: rdflib.term.Node | None) -> list[str]:
        assert node is not None
        alternatives = path_graph.value(node, SH.alternativePath)
        return [str(node)] if alternatives is None else [str(item) for item in path_graph.items(alternatives)]

    for code in ("WGIG-3-TEXT", "WGIG-5B-MISSING"):
        shape = rdflib.URIRef(rules_by_code()[code].iri)
        assert list_alternatives(
            graph, graph.value(find_result_node(graph, code), SH.resultPath)
        ) == list_alternatives(shapes, shapes.value(shape, SH.path))
    # Strength, weakness, opportunity and threat.
    assert (
        len(list_alternatives(graph, graph.value(find_result_node(graph, "WGIG-3-TEXT"), SH.resultPath))) == 4
    )


def test_a_waived_result_has_the_reason_as_comment(bad_report: Report) -> None:
    graph = parse_report_graph([bad_report])
    assert str(graph.value(find_result_node(graph, "WGIG-0-PAGES-MANY"), rdflib.RDFS.comment)) == (
        "Waived: The chair asked for <more>."
    )


def test_a_too_long_term_is_replaced_by_a_blank_node_and_a_comment(bad_report: Report) -> None:
    long_node = ox.NamedNode(f"urn:{'x' * 2000}")
    finding = replace(bad_report.findings[0], focus=long_node, value=long_node)
    papers = [replace(bad_report.papers[0], iri=long_node.value, findings=[finding, finding])]
    graph = parse_report_graph([replace(bad_report, papers=papers)])
    (focus,) = {*graph.objects(None, SH.focusNode)}
    assert isinstance(focus, rdflib.BNode)
    assert focus in {*graph.objects(None, rdflib.DCTERMS.subject)}
    assert not [*graph.objects(None, SH.value)]
    comments = [str(comment) for comment in graph.objects(None, rdflib.RDFS.comment)]
    assert sum(comment.startswith("The focus node starts with: urn:xx") for comment in comments) == 2
    assert sum(comment.startswith("The value starts with: urn:xx") for comment in comments) == 2


def test_an_unchecked_file_has_no_validation_report(unchecked_file: UncheckedFile) -> None:
    graph = parse_report_graph([unchecked_file])
    assert not [*graph.subjects(rdflib.RDF.type, SH.ValidationReport)]
    assert [*graph.objects(None, EARL.outcome)] == [EARL.cantTell]


def test_blank_nodes_of_two_files_have_different_labels(bad_report: Report) -> None:
    # The report labels the node of a result "result-1-1", too.
    findings = [
        replace(finding, focus=ox.BlankNode("result-1-1"), value=ox.BlankNode("x"))
        for finding in bad_report.papers[0].findings
    ]
    report = replace(bad_report, papers=[replace(bad_report.papers[0], findings=findings)])
    graph = parse_report_graph([report, report])
    assert len({*graph.objects(None, SH.focusNode)}) == len({*graph.objects(None, SH.value)}) == 2
    assert not {*graph.objects(None, SH.focusNode)} & {*graph.subjects(SH.sourceShape, None)}


@pytest.mark.parametrize("format_", GRAPH_FORMATS, ids=lambda format_: format_.suffix)
def test_every_format_has_the_same_triples(format_: Format, outcomes: Sequence[CheckOutcome]) -> None:
    quads = ox.parse(REPORT_WRITERS[format_](outcomes, "en"), rdf_format(format_.media_type))
    assert {quad.triple for quad in quads} == {*map(clean_literal, build_report_triples(outcomes))}


@pytest.mark.parametrize("format_", GRAPH_FORMATS, ids=lambda format_: format_.suffix)
def test_control_characters_are_replaced_in_texts_and_escaped_in_iris(
    format_: Format, bad_report: Report
) -> None:
    focus, value = ox.NamedNode("urn:a\u202eb"), ox.Literal("A\x9b\x85\x7f\u202e\u2066\rB", language="en")
    finding = replace(bad_report.findings[0], focus=focus, value=value)
    papers = [replace(bad_report.papers[0], findings=[finding])]
    body = REPORT_WRITERS[format_]([replace(bad_report, name="A\x9bB", papers=papers)], "en")
    assert not UNSAFE_CHARACTER_PATTERN.search(body.decode())
    objects = {quad.object for quad in ox.parse(body, rdf_format(format_.media_type))}
    assert {focus, ox.Literal("A\ufffd\ufffd\ufffd\ufffd\ufffd\ufffdB", language="en")} < objects
    assert ox.Literal("A\ufffdB") in objects


def test_messages_of_the_rules_have_no_control_characters() -> None:
    messages = [text for rule in rules_by_code().values() for text in rule.message.values()]
    assert not [text for text in messages if UNSAFE_CHARACTER_PATTERN.search(text)]


def test_the_report_is_the_same_in_every_language(outcomes: Sequence[CheckOutcome]) -> None:
    english_report, arabic_report = (
        REPORT_WRITERS[N_TRIPLES](outcomes, language) for language in ("en", "ar")
    )
    assert english_report == arabic_report
