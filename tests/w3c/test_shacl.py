"""The SHACL test suite of the W3C, core and SPARQL, for both engines; known failures are listed.

The engines are shifty, which is fast, and pySHACL, the reference. /validate and `wgig check --shapes`, which
take the shapes of the sender, pass the same tests.
"""

import socket
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pyoxigraph as ox
import pyshacl
import pytest
import rdflib
import shifty
from pyshacl.errors import ReportableRuntimeError
from rdflib.compare import isomorphic
from rdflib.namespace import RDF, SH, Namespace
from wgig.cli.check_shapes import check_files_by_shapes, open_processes
from wgig.cli.files import CandidateFile
from wgig.problems import Problem
from wgig.rdf.formats import N_TRIPLES
from wgig.settings import Settings
from wgig.shacl.findings import Report
from wgig.shacl.pyshacl_engine import build_rdflib_graph, convert_from_rdflib
from wgig.shacl.reports.rdf import write_rdf_report
from wgig.store.store import Store
from wgig.validation.shapes_graph import ShapesSource

from tests.fixtures.service import make_service_client
from tests.fixtures.shared_facts import require_shared

SUITE_FOLDER = require_shared("w3c", "shacl", "tests")
MF = Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#")
SHT = Namespace("http://www.w3.org/ns/shacl-test#")

# The properties of results that the suite compares; paths are compared completely.
COMPARED_PROPERTIES = (
    SH.focusNode,
    SH.resultPath,
    SH.resultSeverity,
    SH.sourceConstraintComponent,
    SH.sourceShape,
    SH.value,
)
FAILURE = rdflib.Graph()  # instead of a report, if the validation must fail


class ShaclTest(NamedTuple):
    """A test: its name, the files of data and shapes, and the expected report."""

    name: str
    data: Path
    shapes: Path
    report: rdflib.Graph


@cache
def parse_turtle(path: Path) -> tuple[ox.Triple, ...]:
    """The triples of a Turtle file, with literals not normalized."""
    return tuple(quad.triple for quad in ox.parse(path=path, base_iri=path.as_uri(), rename_blank_nodes=True))


def file_of_iri(iri: rdflib.term.Node | None) -> Path:
    """The file of the suite with this IRI. Other files are refused."""
    path = Path(str(iri).removeprefix("file://")).resolve()
    assert path.is_relative_to(SUITE_FOLDER.resolve()), f"{iri} is not in the suite"
    return path


def iter_tests(manifest: Path) -> Iterator[ShaclTest]:
    """The tests of a manifest, and of the manifests that it includes."""
    graph = build_rdflib_graph(parse_turtle(manifest))
    for included in sorted(graph.objects(None, MF.include), key=str):
        yield from iter_tests(file_of_iri(included))
    for test in graph.subjects(RDF.type, SHT.Validate):
        action, result = graph.value(test, MF.action), graph.value(test, MF.result)
        data, shapes = (
            file_of_iri(graph.value(action, property_)) for property_ in (SHT.dataGraph, SHT.shapesGraph)
        )
        name = f"{manifest.parent.relative_to(SUITE_FOLDER.resolve())}/{manifest.stem}"
        report = FAILURE if result == SHT.Failure else extract_compared(graph, result)
        yield ShaclTest(name, data, shapes, report)


def extract_compared(graph: rdflib.Graph, report: rdflib.term.Node | None) -> rdflib.Graph:
    """The triples of a report that the suite compares; the node of the report is rdf:nil."""
    compared = rdflib.Graph()
    for conforms in graph.objects(report, SH.conforms):
        compared.add((RDF.nil, SH.conforms, conforms))
    for result in graph.objects(report, SH.result):
        compared.add((RDF.nil, SH.result, result))
        for property_ in COMPARED_PROPERTIES:
            for value in graph.objects(result, property_):
                is_path = property_ == SH.resultPath
                compared.add((result, property_, copy_path(graph, value, compared) if is_path else value))
    return compared


def copy_path(graph: rdflib.Graph, node: rdflib.term.Node, target: rdflib.Graph) -> rdflib.term.Node:
    """Copy a property path to `target`, and return the copied node.

    With a copy for each result, reports in which results share a path are equal to others. Of a list node,
    only rdf:first and rdf:rest are copied.
    """
    if not isinstance(node, rdflib.BNode):
        return node
    copy, list_properties = rdflib.BNode(), {RDF.first, RDF.rest}
    predicates = set(graph.predicates(node))
    for predicate in predicates & list_properties or predicates:
        for value in graph.objects(node, predicate):
            target.add((copy, predicate, copy_path(graph, value, target)))
    return copy


def validate_with_shifty(case: ShaclTest) -> rdflib.Graph:
    """The report of shifty. It omits paths that are no IRI; these are read from the shape."""
    data, shapes = (
        ox.serialize(parse_turtle(path), format=ox.RdfFormat.N_TRIPLES) for path in (case.data, case.shapes)
    )
    assert data is not None
    try:
        _, report, _ = shifty.validate(data, shapes, infer=False, graph_mode="data")
    except ValueError:
        return FAILURE
    shapes_graph = build_rdflib_graph(parse_turtle(case.shapes))
    for result, path in list(report.subject_objects(SH.resultPath)):
        path_of_shape = shapes_graph.value(report.value(result, SH.sourceShape), SH.path)
        if isinstance(path, rdflib.BNode) and path_of_shape:
            report.set((result, SH.resultPath, path_of_shape))
    return extract_compared(
        report + shapes_graph, report.value(predicate=RDF.type, object=SH.ValidationReport)
    )


def validate_with_pyshacl(case: ShaclTest) -> rdflib.Graph:
    """The report of pySHACL."""
    data, shapes = build_rdflib_graph(parse_turtle(case.data)), build_rdflib_graph(parse_turtle(case.shapes))
    try:
        _, report, _ = pyshacl.validate(data, shacl_graph=shapes, inference="none", advanced=False)
    except ReportableRuntimeError:
        return FAILURE
    if not isinstance(report, rdflib.Graph):
        return FAILURE
    return extract_compared(report, report.value(predicate=RDF.type, object=SH.ValidationReport))


ENGINES: dict[str, Callable[[ShaclTest], rdflib.Graph]] = {
    "shifty": validate_with_shifty,
    "pyshacl": validate_with_pyshacl,
}

UNIQUE_LANG_REASON = (
    'The suite wants sh:uniqueLang "1"^^xsd:boolean to be ignored; the engine treats it as true.'
)
KNOWN_FAILURES = {
    ("shifty", "core/property/uniqueLang-002"): UNIQUE_LANG_REASON,
    ("pyshacl", "core/property/uniqueLang-002"): UNIQUE_LANG_REASON,
    ("pyshacl", "sparql/node/prefixes-001"): "It does not follow owl:imports from sh:prefixes.",
    ("pyshacl", "sparql/pre-binding/shapesGraph-001"): "It does not support $shapesGraph, which is optional.",
}


def serialize_case(case: ShaclTest) -> tuple[bytes, bytes]:
    """The data and the shapes of a test as N-Triples."""
    data, shapes = (
        ox.serialize(parse_turtle(path), format=ox.RdfFormat.N_TRIPLES) for path in (case.data, case.shapes)
    )
    assert data is not None
    assert shapes is not None
    return data, shapes


def extract_report(body: bytes) -> rdflib.Graph:
    """The triples that the suite compares, of a report in N-Triples."""
    triples = (quad.triple for quad in ox.parse(body, ox.RdfFormat.N_TRIPLES))
    graph = build_rdflib_graph(triples)
    return extract_compared(graph, graph.value(predicate=RDF.type, object=SH.ValidationReport))


def validate_over_http(case: ShaclTest, engine: str) -> rdflib.Graph:
    """The report of POST /validate."""
    data, shapes = serialize_case(case)
    files = {"data": ("data.nt", data), "shapes": ("shapes.nt", shapes)}
    with make_service_client(Settings(shacl=engine), Store.in_memory()) as client:
        response = client.post("/validate", files=files, headers={"accept": "application/n-triples"})
    return extract_report(response.content) if response.status_code == 200 else FAILURE


def is_known_failure(engine: str, case: ShaclTest) -> bool:
    return (engine, case.name) in KNOWN_FAILURES


@pytest.mark.parametrize("engine", ENGINES)
def test_validate_passes_the_tests_that_the_engine_passes(engine: str) -> None:
    cases = [*iter_tests((SUITE_FOLDER / "manifest.ttl").resolve())]
    passed = {case.name for case in cases if isomorphic(validate_over_http(case, engine), case.report)}
    assert passed == {case.name for case in cases if not is_known_failure(engine, case)}
    assert len([name for name in passed if name.startswith("core/")]) == 97  # of 98


@pytest.mark.parametrize("engine", ENGINES)
def test_check_by_shapes_passes_the_core_tests_that_the_engine_passes(engine: str, tmp_path: Path) -> None:
    cases = [
        case
        for case in iter_tests((SUITE_FOLDER / "manifest.ttl").resolve())
        if case.name.startswith("core/")
    ]
    passed = set()
    settings = Settings(shacl=engine, paper_seconds=60)
    with open_processes(settings, 1) as processes:
        for case in cases:
            data, shapes = serialize_case(case)
            path = tmp_path / "data.nt"
            path.write_bytes(data)
            sources = (ShapesSource("shapes.nt", shapes, N_TRIPLES),)
            try:
                (outcome,) = check_files_by_shapes([CandidateFile(str(path))], sources, processes)
            except Problem:
                report = FAILURE
            else:
                assert isinstance(outcome, Report)
                report = extract_report(write_rdf_report([outcome], "en", format_=N_TRIPLES))
            if isomorphic(report, case.report):
                passed.add(case.name)
    assert passed == {case.name for case in cases if not is_known_failure(engine, case)}
    assert len(passed) == 97  # of 98


# The service reads the reasons of violations that shifty returns, in a quarter of the time of a report. A
# reason has the shape with the target, but no path or component: the service takes these from the rule, which
# has one constraint. So only focus nodes and values are compared with the suite; test_engines.py compares the
# other properties with pySHACL.
FOCUS_DIFFERENCE = "The reason has the focus node as the value. No rule has only such a constraint."
NESTED_DIFFERENCE = (
    "The reason is about a nested node or value; test_engines.py has the rules with nested shapes."
)
DIFFERENT_FROM_REPORTS = {
    "core/complex/personexample": FOCUS_DIFFERENCE,
    "core/node/closed-001": FOCUS_DIFFERENCE,
    "core/node/closed-002": FOCUS_DIFFERENCE,
    "core/node/equals-001": FOCUS_DIFFERENCE,
    "core/property/disjoint-001": FOCUS_DIFFERENCE,
    "core/property/equals-001": FOCUS_DIFFERENCE,
    "core/property/lessThan-001": FOCUS_DIFFERENCE,
    "core/property/lessThan-002": FOCUS_DIFFERENCE,
    "core/property/lessThanOrEquals-001": FOCUS_DIFFERENCE,
    "core/property/node-002": NESTED_DIFFERENCE,
    "core/property/property-001": NESTED_DIFFERENCE,
    "core/validation-reports/shared": NESTED_DIFFERENCE,
}
FocusAndValue = tuple[str, str]


def validate_as_service(case: ShaclTest) -> set[FocusAndValue] | None:
    """The focus nodes and values that shifty reports, called as in the service; None if validation fails."""
    data, shapes = (
        ox.serialize(parse_turtle(path), format=ox.RdfFormat.N_TRIPLES) for path in (case.data, case.shapes)
    )
    assert data is not None
    assert shapes is not None
    try:
        prepared = shifty.PreparedValidator(shapes)
        report = prepared.validate_algebra(data, graph_mode="union", infer=False, sort_results=False)
    except ValueError:
        return None
    return {
        (mask_blank_node(violation.focus_node), mask_blank_node(reason.value))
        for violation in report.violations
        for reason in violation.reasons
    }


def list_expected_findings(case: ShaclTest) -> set[FocusAndValue] | None:
    """The focus nodes and values that the suite expects ("" for no value); None if validation must fail."""
    if case.report is FAILURE:
        return None
    results = list(case.report.objects(RDF.nil, SH.result))
    pairs = [
        (case.report.value(result, SH.focusNode), case.report.value(result, SH.value)) for result in results
    ]
    return {
        (
            mask_blank_node(str(convert_from_rdflib(focus))),
            mask_blank_node(str(convert_from_rdflib(value))) if value is not None else "",
        )
        for focus, value in pairs
    }


def mask_blank_node(node: str) -> str:
    """A term in N-Triples syntax, but `_:` for blank nodes, whose labels cannot be compared."""
    return "_:" if node.startswith("_:") else node


def iter_engine_tests() -> Iterator[object]:
    """Parameters: each test with each engine."""
    for case in iter_tests((SUITE_FOLDER / "manifest.ttl").resolve()):
        for name in ENGINES:
            reason = KNOWN_FAILURES.get((name, case.name))
            marks = [pytest.mark.xfail(reason=reason)] if reason else []
            yield pytest.param(name, case, marks=marks, id=f"{name}-{case.name}")


@pytest.fixture(autouse=True)
def validation_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep literals unnormalized, and refuse network access."""

    def refuse_connection(*_: object) -> None:
        raise AssertionError("a test uses the network")

    monkeypatch.setattr(rdflib, "NORMALIZE_LITERALS", False)
    monkeypatch.setattr(socket.socket, "connect", refuse_connection)


@pytest.mark.parametrize(("name", "case"), list(iter_engine_tests()))
def test_an_engine_reports_as_the_suite_expects(name: str, case: ShaclTest) -> None:
    report = ENGINES[name](case)
    assert isomorphic(report, case.report), (
        f"expected:\n{case.report.serialize()}\nactual:\n{report.serialize()}"
    )


def iter_service_tests() -> Iterator[object]:
    """Parameters: each test."""
    for case in iter_tests((SUITE_FOLDER / "manifest.ttl").resolve()):
        reason = DIFFERENT_FROM_REPORTS.get(case.name)
        yield pytest.param(case, marks=[pytest.mark.xfail(reason=reason)] if reason else [], id=case.name)


@pytest.mark.parametrize("case", list(iter_service_tests()))
def test_the_service_reports_the_expected_focus_nodes_and_values(case: ShaclTest) -> None:
    actual, expected = validate_as_service(case), list_expected_findings(case)
    if actual is None or expected is None:
        assert actual == expected
        return
    assert {focus for focus, _ in actual} == {focus for focus, _ in expected}
    assert {(focus, value) for focus, value in expected if value} <= actual


def test_the_suite_is_complete_and_has_each_known_failure() -> None:
    names = {case.name for case in iter_tests((SUITE_FOLDER / "manifest.ttl").resolve())}
    assert len(names) == 120  # tests of the suite
    assert {name for _, name in KNOWN_FAILURES} | DIFFERENT_FROM_REPORTS.keys() <= names
