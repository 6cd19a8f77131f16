"""The report as RDF: a validation report of SHACL (SHACL 1.0, section 3.6) for each file.

SHACL leaves some things open, and they are said with terms of others:

- `sh:conforms` is about the profile: a report may conform and still hold results that do not count in it. A
  paper that conforms to the profile is `dcterms:conformsTo` it.
- A place in the file is an `earl:pointer` to a `ptr:LineCharPointer`, as accessibility checkers do it.
- A waived result keeps its severity. The reason is an `rdfs:comment`: no term for it is known, and
  `wgig:reason` belongs to the waiver in the file.
- Findings that are left out are counted in an `rdfs:comment` on the report.
- What takes more than 1,000 characters is not repeated with each result: a blank node stands for a node, a
  value is left out, and an `rdfs:comment` tells how it begins.
- A file that was not checked has no validation report (section 3.4). It has an `earl:TestResult` that cannot
  tell.
"""

import hashlib
from collections.abc import Iterator, Sequence
from functools import cache

import pyoxigraph as ox

from ...rdf.formats import RDF_XML, Format
from ...rdf.namespaces import OUTSIDE, SH
from ...rdf.serialization import reworded, serialize
from ...settings import Settings
from ...text import MAX_REPEATED_CHARACTERS, Place, cut, xml_text
from ..engines import Term
from ..findings import Finding, Outcome, Report, Unread
from ..rules import PROFILE, SHAPES, Rule, graph

EARL = OUTSIDE["earl"]
POINTERS = "http://www.w3.org/2009/pointers#"
TYPE = ox.NamedNode(f"{OUTSIDE['rdf']}type")
LABEL, COMMENT = (ox.NamedNode(OUTSIDE["rdfs"] + name) for name in ("label", "comment"))
CONFORMS_TO, SUBJECT = (ox.NamedNode(OUTSIDE["dcterms"] + name) for name in ("conformsTo", "subject"))
CONFORMS, RESULT, FOCUS, VALUE, PATH = (
    ox.NamedNode(SH + name) for name in ("conforms", "result", "focusNode", "value", "resultPath")
)
SHAPE_PATH = ox.NamedNode(f"{SH}path")
REPORT = ox.NamedNode(f"{SH}ValidationReport")
POINTER = ox.NamedNode(f"{EARL}pointer")
LINE_CHAR, LINE, CHAR = (
    ox.NamedNode(POINTERS + name) for name in ("LineCharPointer", "lineNumber", "charNumber")
)
POSITIVE = ox.NamedNode(f"{OUTSIDE['xsd']}positiveInteger")

Triples = Iterator[ox.Triple]
Statements = tuple[tuple[ox.NamedNode, Term], ...]


def write(outcomes: Sequence[Outcome], _: str, format_: Format) -> bytes:
    """The reports in a syntax of RDF; messages are in all languages."""
    found = triples(outcomes)
    return serialize(map(for_xml, found) if format_ is RDF_XML else found, format_, Settings.base)


def for_xml(triple: ox.Triple) -> ox.Triple:
    """The triple, its text without the characters that XML does not know."""
    text = triple.object
    if not isinstance(text, ox.Literal) or xml_text(text.value) == text.value:
        return triple
    return ox.Triple(triple.subject, triple.predicate, reworded(text, xml_text(text.value)))


def triples(outcomes: Sequence[Outcome]) -> Triples:
    """The reports as triples. Blank nodes are named by numbers: the same outcomes make the same graph."""
    for number, outcome in enumerate(outcomes, 1):
        if isinstance(outcome, Unread):
            yield from of_unread(outcome, number)
        else:
            yield from of_report(outcome, number)
    broken = {finding.rule for one in outcomes if isinstance(one, Report) for finding in one.findings}
    for rule in broken:
        yield from path(rule)[1]


def of_unread(unread: Unread, number: int) -> Triples:
    """That a file was not checked, and why."""
    node = ox.BlankNode(f"unread-{number}")
    yield ox.Triple(node, TYPE, ox.NamedNode(f"{EARL}TestResult"))
    yield ox.Triple(node, ox.NamedNode(f"{EARL}outcome"), ox.NamedNode(f"{EARL}cantTell"))
    yield ox.Triple(node, LABEL, ox.Literal(unread.name))
    yield ox.Triple(node, COMMENT, ox.Literal(unread.problem.detail, language="en"))
    line, column = (unread.problem.members.get(name) for name in ("line", "column"))
    if line and column:
        yield from pointer(node, Place(line, column), f"unread-place-{number}")


def of_report(report: Report, number: int) -> Triples:
    """The validation report of a file."""
    node = ox.BlankNode(f"report-{number}")
    yield ox.Triple(node, TYPE, REPORT)
    yield ox.Triple(node, LABEL, ox.Literal(report.name))
    yield ox.Triple(node, CONFORMS, ox.Literal(report.conforms))
    for paper in report.papers:
        yield ox.Triple(node, SUBJECT, named(paper.iri, number))
        if paper.conforms:
            profile = ox.NamedNode(PROFILE + report.profile)
            yield ox.Triple(named(paper.iri, number), CONFORMS_TO, profile)
        if paper.left_out:
            yield comment(node, f"Findings that are not shown: {paper.left_out} ({paper.title})")
    for count, finding in enumerate(report.findings, 1):
        result = ox.BlankNode(f"result-{number}-{count}")
        yield ox.Triple(node, RESULT, result)
        yield from of_finding(result, finding, number, count)


def of_finding(result: ox.BlankNode, finding: Finding, number: int, count: int) -> Triples:
    """A validation result."""
    for predicate, object_ in constant(finding.rule):
        yield ox.Triple(result, predicate, object_)
    yield ox.Triple(result, FOCUS, apart(finding.focus, number))
    if is_long(finding.focus):
        yield comment(result, f"The focus node begins with: {cut(finding.focus.value)}")
    if finding.value is not None and is_long(finding.value):
        yield comment(result, f"The value begins with: {cut(finding.value.value)}")
    elif finding.value is not None:
        yield ox.Triple(result, VALUE, apart(finding.value, number))
    if finding.waiver:
        yield comment(result, f"Waived: {finding.waiver}")
    if finding.place:
        yield from pointer(result, finding.place, f"place-{number}-{count}")


def comment(node: ox.BlankNode, text: str) -> ox.Triple:
    """What people should know of a node."""
    return ox.Triple(node, COMMENT, ox.Literal(text))


def pointer(node: ox.BlankNode, place: Place, label: str) -> Triples:
    """A place in the file (Pointer Methods in RDF, section 2.2.4)."""
    end = ox.BlankNode(label)
    yield ox.Triple(node, POINTER, end)
    yield ox.Triple(end, TYPE, LINE_CHAR)
    yield ox.Triple(end, LINE, ox.Literal(str(place.line), datatype=POSITIVE))
    yield ox.Triple(end, CHAR, ox.Literal(str(place.column), datatype=POSITIVE))


def named(iri: str, number: int) -> Term:
    """The node of a paper: an IRI, or the label of a blank node."""
    return apart(ox.NamedNode(iri) if ":" in iri else ox.BlankNode(iri), number)


def apart(term: Term, number: int) -> Term:
    """The term, a blank node renamed such that it is none of another file or of the report.

    A blank node stands for a node that is not repeated.
    """
    if is_long(term):
        digest = hashlib.sha256(str(term).encode()).hexdigest()
        return ox.BlankNode(f"long-{number}-{digest[:32]}")
    return ox.BlankNode(f"node-{number}-{term.value}") if isinstance(term, ox.BlankNode) else term


def is_long(term: Term) -> bool:
    """Whether a term, with its datatype, is not repeated."""
    return len(str(term)) > MAX_REPEATED_CHARACTERS


@cache
def constant(rule: Rule) -> Statements:
    """What each result of a rule says."""
    start = path(rule)[0]
    said = {
        TYPE: "ValidationResult",
        ox.NamedNode(f"{SH}sourceConstraintComponent"): f"{rule.component}ConstraintComponent",
        ox.NamedNode(f"{SH}resultSeverity"): rule.severity,
    }
    message = ox.NamedNode(f"{SH}resultMessage")
    return (
        *((predicate, ox.NamedNode(SH + name)) for predicate, name in said.items()),
        (ox.NamedNode(f"{SH}sourceShape"), ox.NamedNode(rule.iri)),
        *((message, ox.Literal(text, language=language)) for language, text in rule.message.items()),
        *([(PATH, start)] if start else []),
    )


@cache
def path(rule: Rule) -> tuple[Term | None, tuple[ox.Triple, ...]]:
    """Where the property path of a rule starts, and its triples, copied from the shape."""
    starts = by_subject().get(ox.NamedNode(SHAPES + rule.code), ())
    start = next((one.object for one in starts if one.predicate == SHAPE_PATH), None)
    labels: dict[Term, Term] = {}
    copied: list[ox.Triple] = []

    def copy(term: Term) -> Term:
        if not isinstance(term, ox.BlankNode):
            return term
        if term not in labels:
            labels[term] = ox.BlankNode(f"path-{rule.code}-{len(labels) + 1}")
            copied.extend(
                ox.Triple(labels[term], one.predicate, copy(one.object)) for one in by_subject()[term]
            )
        return labels[term]

    return copy(start), tuple(copied)


@cache
def by_subject() -> dict[Term, list[ox.Triple]]:
    """The triples of the shapes by their subjects."""
    found: dict[Term, list[ox.Triple]] = {}
    for triple in graph():
        found.setdefault(triple.subject, []).append(triple)
    return found
