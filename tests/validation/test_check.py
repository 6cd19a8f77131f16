"""Checks against shapes of a sender: findings with lines, messages and forms, the same from both engines."""

import json
from xml.etree import ElementTree

import pyoxigraph as ox
import pytest
from wgig.problems import Problem
from wgig.rdf.formats import TURTLE
from wgig.settings import Settings
from wgig.shacl.check import MAX_SHOWN_FINDINGS
from wgig.shacl.documents import read_rdf
from wgig.shacl.engines import ENGINE_NAMES
from wgig.shacl.findings import Report
from wgig.shacl.reports import REPORT_WRITERS
from wgig.validation.check import check_data

from tests.fixtures.shapes import PERSON_DATA, PERSON_FINDINGS, PERSON_SHAPES, PREFIXES, make_source

SH = "http://www.w3.org/ns/shacl#"


def check_text(data: str, shapes: str, engine: str = "shifty") -> Report:
    document = read_rdf("data.ttl", data.encode(), TURTLE, Settings.paper_triples)
    return check_data(document, make_source(shapes), Settings(shacl=engine))


def write_report(report: Report, suffix: str, language: str = "en") -> str:
    writer = next(writer for format_, writer in REPORT_WRITERS.items() if format_.suffix == suffix)
    return writer([report], language).decode()


@pytest.mark.parametrize("engine", ENGINE_NAMES)
def test_findings_have_the_lines_of_the_data(engine: str) -> None:
    report = check_text(PERSON_DATA, PERSON_SHAPES, engine)
    findings = [
        (finding.rule.code, finding.position.line, finding.rule.severity)
        for finding in report.findings
        if finding.position
    ]
    assert findings == PERSON_FINDINGS
    assert (report.conforms, report.papers[0].focus_nodes) == (False, 3)


@pytest.mark.parametrize("engine", ENGINE_NAMES)
def test_messages_are_those_of_the_shapes_or_name_the_constraint(engine: str) -> None:
    report = check_text(PERSON_DATA, PERSON_SHAPES, engine)
    assert [finding.rule.message_in("fr") for finding in report.findings] == [
        "Ne respecte pas sh:maxCount 1",
        "Ne respecte pas sh:datatype xsd:string",
        "Seules les personnes se connaissent.",
    ]
    assert report.findings[2].rule.message_in("ru") == "Only persons know persons."


@pytest.mark.parametrize("engine", ENGINE_NAMES)
def test_a_query_constraint_has_its_own_message(engine: str) -> None:
    shapes = f"""{PREFIXES}
    ex:S a sh:NodeShape ; sh:targetClass ex:Person ; sh:sparql [
      sh:message "The name {{?value}} is short." ;
      sh:prefixes <http://example.org/> ;
      sh:select "SELECT $this ?value {{ $this ex:name ?value FILTER(STRLEN(STR(?value)) < 4) }}" ] .
    <http://example.org/> sh:declare [
      sh:prefix "ex" ; sh:namespace "http://example.org/"^^xsd:anyURI ] .
    """
    report = check_text(PERSON_DATA, shapes, engine)
    assert sorted(finding.rule.message_in("en") for finding in report.findings) == [
        "The name 4 is short.",
        "The name Ann is short.",
        "The name Eve is short.",
    ]


@pytest.mark.parametrize(
    ("shapes", "value"),
    [
        ("sh:in ( 1 2 3 4 5 6 7 )", "sh:in (1 2 3 4 5 …)"),
        ("sh:minLength 1000", "sh:minLength 1000"),
        ('sh:pattern "^x$"', 'sh:pattern "^x$"'),
        ("sh:class ex:T", "sh:class <http://example.org/T>"),
        ("sh:node [ sh:nodeKind sh:Literal ]", "sh:node"),
        ("sh:nodeKind sh:Literal", "sh:nodeKind sh:Literal"),
        ("sh:hasValue ex:x", "sh:hasValue <http://example.org/x>"),
    ],
)
def test_the_message_without_one_in_the_shapes_is_the_constraint_in_turtle(shapes: str, value: str) -> None:
    report = check_text("<a:n> <a:p> <a:o> .", f"{PREFIXES} ex:S sh:targetNode <a:n> ; {shapes} .")
    assert [finding.rule.message_in("en") for finding in report.findings] == [f"Does not satisfy {value}"]


def test_every_form_of_the_report_names_each_finding() -> None:
    report = check_text(PERSON_DATA, PERSON_SHAPES)
    for format_ in REPORT_WRITERS:
        text = write_report(report, format_.suffix)
        assert "maxCount 1" in text, format_.title
        assert "Only persons know persons." in text, format_.title


def test_json_has_findings_without_papers() -> None:
    document = json.loads(write_report(check_text(PERSON_DATA, PERSON_SHAPES), "json"))
    (file,) = document["files"]
    assert (document["profile"], document["conforms"], file["papers"]) == (None, False, [])
    assert (file["focusNodes"], file["leftOut"]) == (3, 0)
    assert [(f["code"], f["line"], f["severity"]) for f in file["findings"]] == PERSON_FINDINGS
    finding = file["findings"][2]
    assert finding["path"] == "<http://example.org/knows>/^<http://example.org/knows>"
    assert (finding["focus"], finding["value"]) == ("http://example.org/eve", "http://example.org/cat")
    assert finding["rule"] == "http://example.org/PersonShape"
    assert finding["excerpt"] == "ex:cat ex:knows ex:ann , ex:dog ."


def test_junit_has_a_case_for_each_constraint_with_findings() -> None:
    failing = ElementTree.fromstring(write_report(check_text(PERSON_DATA, PERSON_SHAPES), "junit"))
    assert (failing.get("tests"), failing.get("failures")) == ("3", "3")  # warnings do not conform either
    good_data = f'{PREFIXES} ex:a a ex:Person ; ex:name "A" .'
    good = ElementTree.fromstring(write_report(check_text(good_data, PERSON_SHAPES), "junit"))
    assert (good.get("tests"), good.get("failures")) == ("1", "0")


def test_the_report_as_rdf_has_the_path_of_the_shape() -> None:
    body = write_report(check_text(PERSON_DATA, PERSON_SHAPES), "nt")
    triples = [quad.triple for quad in ox.parse(body, ox.RdfFormat.N_TRIPLES)]
    objects = {(triple.subject, triple.predicate.value): triple.object for triple in triples}
    rdf = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
    (path,) = (
        triple.object
        for triple in triples
        if triple.predicate.value == f"{SH}resultPath" and isinstance(triple.object, ox.BlankNode)
    )
    assert objects[path, f"{rdf}first"] == ox.NamedNode("http://example.org/knows")
    inverse = objects[objects[path, f"{rdf}rest"], f"{rdf}first"]
    assert objects[inverse, f"{SH}inversePath"] == ox.NamedNode("http://example.org/knows")


def test_severities_of_the_shapes_are_kept() -> None:
    shapes = f"{PREFIXES} ex:S sh:targetNode ex:a ; sh:nodeKind sh:Literal ; sh:severity ex:Mine ."
    report = check_text("<a:n> <a:p> <a:o> .", shapes)
    assert [finding.rule.severity for finding in report.findings] == ["Violation"]
    assert f"<{SH}resultSeverity> <http://example.org/Mine>" in write_report(report, "nt")


def test_data_without_a_target_conforms_and_the_report_says_that_nothing_was_checked() -> None:
    report = check_text("<a:n> <a:p> <a:o> .", PERSON_SHAPES)
    assert report.conforms
    assert "nothing was checked" in write_report(report, "text")
    assert f"<{SH}result>" not in write_report(report, "nt")


def test_at_most_a_thousand_findings_are_shown_the_first_of_each_constraint_first() -> None:
    data = PREFIXES + "".join(f"ex:n{n} a ex:Person ; ex:name 1 .\n" for n in range(1100))
    data += 'ex:last a ex:Person ; ex:name "a" , "b" .\n'
    report = check_text(data, PERSON_SHAPES)
    assert len(report.findings) == MAX_SHOWN_FINDINGS
    assert report.papers[0].left_out == 101
    assert {finding.rule.code for finding in report.findings} == {
        "PersonShape/name/datatype",
        "PersonShape/name/maxCount",
    }
    text = write_report(report, "text")
    assert "Findings not shown: 101" in text
    assert text.endswith("\n1101 errors\n")


def test_names_in_shapes_cannot_run_scripts_or_commands() -> None:
    shapes = (
        f"{PREFIXES} <javascript:alert(1)> sh:targetNode ex:a ; sh:nodeKind sh:Literal ; "
        'sh:message "\\u001b[2J::error::<script>alert(1)</script>" .'
    )
    report = check_text("<a:n> <a:p> <a:o> .", shapes)
    html, text = write_report(report, "html"), write_report(report, "text")
    assert 'href="javascript:' not in html
    assert "<script>alert" not in html
    assert "\x1b" not in text
    assert not [line for line in text.splitlines() if line.strip().startswith("::")]


@pytest.mark.parametrize("engine", ENGINE_NAMES)
def test_triples_of_data_and_shapes_count_together(engine: str) -> None:
    document = read_rdf("data.ttl", PERSON_DATA.encode(), TURTLE, 100)
    with pytest.raises(Problem) as caught:
        check_data(
            document,
            make_source(PERSON_SHAPES),
            Settings(shacl=engine, paper_triples=len(document.triples) + 10),
        )
    assert caught.value.status == 413
