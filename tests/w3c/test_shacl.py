"""The SHACL test suite of the W3C, core and SPARQL, for both engines; what they fail is listed."""

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
from wgig.shacl.pyshacl_engine import build_rdflib_graph, convert_from_rdflib

from tests.fixtures.shared_facts import require_shared

TESTS = require_shared("w3c", "shacl", "tests")
MF = Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#")
SHT = Namespace("http://www.w3.org/ns/shacl-test#")

# What the suite compares of a report; of a path, all that it is made of.
COMPARED = (
    SH.focusNode,
    SH.resultPath,
    SH.resultSeverity,
    SH.sourceConstraintComponent,
    SH.sourceShape,
    SH.value,
)
FAILURE = rdflib.Graph()  # stands for a report where there should be none


class Case(NamedTuple):
    """One test: its name, what is validated by which shapes, and the expected report."""

    name: str
    data: Path
    shapes: Path
    report: rdflib.Graph


@cache
def triples(path: Path) -> tuple[ox.Triple, ...]:
    """The triples of a Turtle file, with literals as they are written."""
    return tuple(quad.triple for quad in ox.parse(path=path, base_iri=path.as_uri(), rename_blank_nodes=True))


def file(iri: rdflib.term.Node | None) -> Path:
    """The file of the suite with this IRI; nothing else is read."""
    path = Path(str(iri).removeprefix("file://")).resolve()
    assert path.is_relative_to(TESTS.resolve()), f"{iri} is not in the suite"
    return path


def cases(manifest: Path) -> Iterator[Case]:
    """The tests of a manifest and of those that it includes."""
    said = build_rdflib_graph(triples(manifest))
    for included in sorted(said.objects(None, MF.include), key=str):
        yield from cases(file(included))
    for test in said.subjects(RDF.type, SHT.Validate):
        action, result = said.value(test, MF.action), said.value(test, MF.result)
        data, shapes = (file(said.value(action, one)) for one in (SHT.dataGraph, SHT.shapesGraph))
        name = f"{manifest.parent.relative_to(TESTS.resolve())}/{manifest.stem}"
        yield Case(name, data, shapes, FAILURE if result == SHT.Failure else compared(said, result))


def compared(said: rdflib.Graph, report: rdflib.term.Node | None) -> rdflib.Graph:
    """The part of a report that the suite compares."""
    found = rdflib.Graph()
    for conforms in said.objects(report, SH.conforms):
        found.add((RDF.nil, SH.conforms, conforms))
    for result in said.objects(report, SH.result):
        found.add((RDF.nil, SH.result, result))
        for one in COMPARED:
            for end in said.objects(result, one):
                found.add((result, one, path(said, end, found) if one == SH.resultPath else end))
    return found


def path(said: rdflib.Graph, node: rdflib.term.Node, found: rdflib.Graph) -> rdflib.term.Node:
    """A property path, copied, as results may share one or not. What is a list is nothing else."""
    if not isinstance(node, rdflib.BNode):
        return node
    copy, cells = rdflib.BNode(), {RDF.first, RDF.rest}
    predicates = set(said.predicates(node))
    for predicate in predicates & cells or predicates:
        for end in said.objects(node, predicate):
            found.add((copy, predicate, path(said, end, found)))
    return copy


def by_shifty(case: Case) -> rdflib.Graph:
    """The report of the fast engine. Paths that are no IRI are taken from the shape: it names none."""
    data, shapes = (ox.serialize(triples(path), format=ox.RdfFormat.N_TRIPLES) for path in case[1:3])
    assert data is not None
    try:
        _, report, _ = shifty.validate(data, shapes, infer=False, graph_mode="data")
    except ValueError:
        return FAILURE
    said = build_rdflib_graph(triples(case.shapes))
    for result, path in list(report.subject_objects(SH.resultPath)):
        of_shape = said.value(report.value(result, SH.sourceShape), SH.path)
        if isinstance(path, rdflib.BNode) and of_shape:
            report.set((result, SH.resultPath, of_shape))
    return compared(report + said, report.value(predicate=RDF.type, object=SH.ValidationReport))


def by_pyshacl(case: Case) -> rdflib.Graph:
    """The report of the reference engine."""
    data, shapes = build_rdflib_graph(triples(case.data)), build_rdflib_graph(triples(case.shapes))
    try:
        _, report, _ = pyshacl.validate(data, shacl_graph=shapes, inference="none", advanced=False)
    except ReportableRuntimeError:
        return FAILURE
    if not isinstance(report, rdflib.Graph):
        return FAILURE
    return compared(report, report.value(predicate=RDF.type, object=SH.ValidationReport))


ENGINES: dict[str, Callable[[Case], rdflib.Graph]] = {"shifty": by_shifty, "pyshacl": by_pyshacl}

ONE = 'The suite wants sh:uniqueLang "1"^^xsd:boolean to be ignored; the engine takes it for true.'
KNOWN = {
    ("shifty", "core/property/uniqueLang-002"): ONE,
    ("pyshacl", "core/property/uniqueLang-002"): ONE,
    ("pyshacl", "sparql/node/prefixes-001"): "It does not follow owl:imports from sh:prefixes.",
    ("pyshacl", "sparql/pre-binding/shapesGraph-001"): "It has no $shapesGraph, which engines need not have.",
}


# The service reads reasons, which cost a quarter of a report (wgig.engines.shifty). They name the shape that
# has the target, and neither path nor component: these are of the rule, as each has one constraint. What can
# be held against the suite is focus nodes and values; test_engines.py compares the rest with the reference.
FOCUS = "The reason names the focus node as the value. No rule has such a constraint by itself."
INSIDE = "The reason is about a node or value inside; test_engines.py has the rules that look inside."
UNLIKE_REPORTS = {
    "core/complex/personexample": FOCUS,
    "core/node/closed-001": FOCUS,
    "core/node/closed-002": FOCUS,
    "core/node/equals-001": FOCUS,
    "core/property/disjoint-001": FOCUS,
    "core/property/equals-001": FOCUS,
    "core/property/lessThan-001": FOCUS,
    "core/property/lessThan-002": FOCUS,
    "core/property/lessThanOrEquals-001": FOCUS,
    "core/property/node-002": INSIDE,
    "core/property/property-001": INSIDE,
    "core/validation-reports/shared": INSIDE,
}
Pair = tuple[str, str]


def by_service(case: Case) -> set[Pair] | None:
    """The focus nodes and values that the fast engine finds in the way of the service; None for a failure."""
    data, shapes = (ox.serialize(triples(path), format=ox.RdfFormat.N_TRIPLES) for path in case[1:3])
    assert data is not None
    assert shapes is not None
    try:
        prepared = shifty.PreparedValidator(shapes)
        found = prepared.validate_algebra(data, graph_mode="union", infer=False, sort_results=False)
    except ValueError:
        return None
    return {(name(one.focus_node), name(why.value)) for one in found.violations for why in one.reasons}


def expected(case: Case) -> set[Pair] | None:
    """The focus nodes and values that the suite expects, the value being empty where there is none."""
    if case.report is FAILURE:
        return None
    results = list(case.report.objects(RDF.nil, SH.result))
    both = [[case.report.value(one, end) for end in (SH.focusNode, SH.value)] for one in results]
    return {
        (
            name(str(convert_from_rdflib(focus))),
            name(str(convert_from_rdflib(value))) if value is not None else "",
        )
        for focus, value in both
    }


def name(node: str) -> str:
    """A term as N-Triples writes it; blank nodes have no names that could be compared."""
    return "_:" if node.startswith("_:") else node


def runs() -> Iterator[object]:
    """Each test for each engine."""
    for case in cases((TESTS / "manifest.ttl").resolve()):
        for name in ENGINES:
            reason = KNOWN.get((name, case.name))
            marks = [pytest.mark.xfail(reason=reason)] if reason else []
            yield pytest.param(name, case, marks=marks, id=f"{name}-{case.name}")


RUNS = list(runs())


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Literals stay as they are written, and nothing is fetched."""

    def refuse(*_: object) -> None:
        raise AssertionError("something is fetched")

    monkeypatch.setattr(rdflib, "NORMALIZE_LITERALS", False)
    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.parametrize(("name", "case"), RUNS)
def test_an_engine_reports_as_the_suite_expects(name: str, case: Case) -> None:
    found = ENGINES[name](case)
    assert isomorphic(found, case.report), (
        f"expected:\n{case.report.serialize()}\nfound:\n{found.serialize()}"
    )


def served() -> Iterator[object]:
    """Each test for the way of the service."""
    for case in cases((TESTS / "manifest.ttl").resolve()):
        reason = UNLIKE_REPORTS.get(case.name)
        yield pytest.param(case, marks=[pytest.mark.xfail(reason=reason)] if reason else [], id=case.name)


@pytest.mark.parametrize("case", list(served()))
def test_the_service_finds_what_the_suite_expects_where_and_with_the_value(case: Case) -> None:
    found, wanted = by_service(case), expected(case)
    if found is None or wanted is None:
        assert found == wanted
        return
    assert {focus for focus, _ in found} == {focus for focus, _ in wanted}
    assert {(focus, value) for focus, value in wanted if value} <= found


def test_the_suite_is_whole_and_each_known_failure_is_part_of_it() -> None:
    names = {case.name for case in cases((TESTS / "manifest.ttl").resolve())}
    assert len(names) == 120
    assert {name for _, name in KNOWN} | UNLIKE_REPORTS.keys() <= names
