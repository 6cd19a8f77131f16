"""The report as a validation report of SHACL."""

from collections.abc import Sequence
from dataclasses import replace

import pyoxigraph as ox
import pytest
import rdflib
from pyshacl import validate
from wgig.rdf.formats import GRAPH_FORMATS, N_TRIPLES, RDF_XML, TURTLE, Format
from wgig.rdf.serialization import rdf_format
from wgig.shacl.findings import CheckOutcome, Report, UncheckedFile
from wgig.shacl.reports import REPORT_WRITERS
from wgig.shacl.reports.rdf import build_report_triples, strip_non_xml_characters
from wgig.shacl.rules import MESSAGE_LANGUAGES, read_shape_triples, rules_by_code

SH = rdflib.SH
EARL = rdflib.Namespace("http://www.w3.org/ns/earl#")
POINTERS = rdflib.Namespace("http://www.w3.org/2009/pointers#")

# What SHACL asks of a report (section 3.6), but for one thing: that there are no results where it conforms:
# here the profile decides which results count.
ASKED = """
@prefix sh:  <http://www.w3.org/ns/shacl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix :    <urn:asked#> .

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


def graph_of(outcomes: Sequence[CheckOutcome]) -> rdflib.Graph:
    return rdflib.Graph().parse(data=REPORT_WRITERS[TURTLE](outcomes, "en"), format="turtle")


def result_of(found: rdflib.Graph, code: str) -> rdflib.term.Node:
    return next(found.subjects(SH.sourceShape, rdflib.URIRef(rules_by_code()[code].iri)))


def test_the_report_is_as_shacl_asks(outcomes: Sequence[CheckOutcome]) -> None:
    conforms, _, said = validate(
        graph_of(outcomes), shacl_graph=rdflib.Graph().parse(data=ASKED, format="turtle")
    )
    assert conforms, said


def test_conforms_is_what_the_profile_says(outcomes: Sequence[CheckOutcome]) -> None:
    found = graph_of(outcomes)
    reports = {
        str(found.value(one, rdflib.RDFS.label)): found.value(one, SH.conforms)
        for one in found.subjects(rdflib.RDF.type, SH.ValidationReport)
    }
    assert {name: bool(value) for name, value in reports.items()} == {
        "papers/good.ttl": True,
        "papers/bad, ü:1.ttl": False,
    }


def test_only_a_paper_that_conforms_conforms_to_the_profile(good: Report, bad: Report) -> None:
    assert [str(one) for one in graph_of([good]).objects(None, rdflib.DCTERMS.conformsTo)] == [
        "https://w3id.org/wgig/id/profile/final"
    ]
    assert not [*graph_of([bad]).objects(None, rdflib.DCTERMS.conformsTo)]


def test_a_result_points_into_the_file(bad: Report, text: str) -> None:
    found = graph_of([bad])
    result = result_of(found, "WGIG-0-TERM-UNKNOWN")
    place = found.value(result, EARL.pointer)
    line = text[: text.index("wgig:oportunity")].count("\n") + 1
    assert found.value(place, POINTERS.lineNumber) == rdflib.Literal(
        str(line), datatype=rdflib.XSD.positiveInteger
    )
    assert str(found.value(place, POINTERS.charNumber)) == "5"


def test_the_path_of_a_result_is_that_of_its_shape(bad: Report) -> None:
    found = graph_of([bad])
    shapes = rdflib.Graph()
    shapes.parse(data=ox.serialize(read_shape_triples(), format=ox.RdfFormat.N_TRIPLES), format="nt")

    def path(of: rdflib.Graph, node: rdflib.term.Node | None) -> list[str]:
        assert node is not None
        alternatives = of.value(node, SH.alternativePath)
        return [str(node)] if alternatives is None else [str(one) for one in of.items(alternatives)]

    for code in ("WGIG-3-TEXT", "WGIG-5B-MISSING"):
        shape = rdflib.URIRef(rules_by_code()[code].iri)
        assert path(found, found.value(result_of(found, code), SH.resultPath)) == path(
            shapes, shapes.value(shape, SH.path)
        )
    assert len(path(found, found.value(result_of(found, "WGIG-3-TEXT"), SH.resultPath))) == 4


def test_a_waived_result_says_why(bad: Report) -> None:
    found = graph_of([bad])
    assert str(found.value(result_of(found, "WGIG-0-PAGES-MANY"), rdflib.RDFS.comment)) == (
        "Waived: The chair asked for <more>."
    )


def test_what_is_too_long_is_told_and_never_cut_into_another_node(bad: Report) -> None:
    long = ox.NamedNode(f"urn:{'x' * 2000}")
    finding = replace(bad.findings[0], focus=long, value=long)
    papers = [replace(bad.papers[0], iri=long.value, findings=[finding, finding])]
    found = graph_of([replace(bad, papers=papers)])
    (focus,) = {*found.objects(None, SH.focusNode)}
    assert isinstance(focus, rdflib.BNode)
    assert focus in {*found.objects(None, rdflib.DCTERMS.subject)}
    assert not [*found.objects(None, SH.value)]
    comments = [str(one) for one in found.objects(None, rdflib.RDFS.comment)]
    assert sum(one.startswith("The focus node begins with: urn:xx") for one in comments) == 2
    assert sum(one.startswith("The value begins with: urn:xx") for one in comments) == 2


def test_a_file_that_was_not_checked_has_no_validation_report(unread: UncheckedFile) -> None:
    found = graph_of([unread])
    assert not [*found.subjects(rdflib.RDF.type, SH.ValidationReport)]
    assert [*found.objects(None, EARL.outcome)] == [EARL.cantTell]


def test_blank_nodes_of_two_files_stay_apart(bad: Report) -> None:
    named = [
        replace(one, focus=ox.BlankNode("result-1-1"), value=ox.BlankNode("x"))
        for one in bad.papers[0].findings
    ]
    same = replace(bad, papers=[replace(bad.papers[0], findings=named)])
    found = graph_of([same, same])
    assert len({*found.objects(None, SH.focusNode)}) == len({*found.objects(None, SH.value)}) == 2
    assert not {*found.objects(None, SH.focusNode)} & {*found.subjects(SH.sourceShape, None)}


@pytest.mark.parametrize("format_", GRAPH_FORMATS, ids=lambda one: one.suffix)
def test_every_syntax_says_the_same(format_: Format, outcomes: Sequence[CheckOutcome]) -> None:
    read = ox.parse(REPORT_WRITERS[format_](outcomes, "en"), rdf_format(format_.media_type))
    meant = build_report_triples(outcomes)
    assert {one.triple for one in read} == {
        *(map(strip_non_xml_characters, meant) if format_ is RDF_XML else meant)
    }


def test_the_same_outcomes_are_written_the_same(outcomes: Sequence[CheckOutcome]) -> None:
    once, again = (REPORT_WRITERS[N_TRIPLES](outcomes, language) for language in MESSAGE_LANGUAGES[:2])
    assert once == again
