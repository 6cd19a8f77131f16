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
from ...rdf.namespaces import RDF_TYPE, RDFS_LABEL, expand_curie
from ...rdf.serialization import reword_literal, serialize_triples
from ...rdf.vocabulary import group_triples_by_subject
from ...settings import Settings
from ...text import MAX_REPEATED_CHARACTERS, TextPosition, clean_xml_text, shorten_untrusted_text
from ..findings import CheckOutcome, Finding, Report, UncheckedFile
from ..results import Term
from ..rules import PROFILE_NAMESPACE, SHAPES_NAMESPACE, Rule, read_shape_triples

PTR_NAMESPACE = "http://www.w3.org/2009/pointers#"
RDFS_COMMENT_NODE = expand_curie("rdfs:comment")
DCTERMS_CONFORMS_TO, DCTERMS_SUBJECT = (expand_curie(f"dcterms:{name}") for name in ("conformsTo", "subject"))
SH_CONFORMS, SH_RESULT, SH_FOCUS_NODE, SH_VALUE, SH_RESULT_PATH = (
    expand_curie(f"sh:{name}") for name in ("conforms", "result", "focusNode", "value", "resultPath")
)
SH_PATH = expand_curie("sh:path")
SH_VALIDATION_REPORT = expand_curie("sh:ValidationReport")
EARL_POINTER = expand_curie("earl:pointer")
PTR_LINE_CHAR_POINTER, PTR_LINE_NUMBER, PTR_CHAR_NUMBER = (
    ox.NamedNode(PTR_NAMESPACE + name) for name in ("LineCharPointer", "lineNumber", "charNumber")
)
XSD_POSITIVE_INTEGER = expand_curie("xsd:positiveInteger")

TripleIterator = Iterator[ox.Triple]
PredicateObjects = tuple[tuple[ox.NamedNode, Term], ...]


def write_rdf_report(outcomes: Sequence[CheckOutcome], _: str, format_: Format) -> bytes:
    """The reports in a syntax of RDF; messages are in all languages."""
    found = build_report_triples(outcomes)
    return serialize_triples(
        map(strip_non_xml_characters, found) if format_ is RDF_XML else found, format_, Settings.base
    )


def strip_non_xml_characters(triple: ox.Triple) -> ox.Triple:
    """The triple, its text without the characters that XML does not know."""
    text = triple.object
    if not isinstance(text, ox.Literal) or clean_xml_text(text.value) == text.value:
        return triple
    return ox.Triple(triple.subject, triple.predicate, reword_literal(text, clean_xml_text(text.value)))


def build_report_triples(outcomes: Sequence[CheckOutcome]) -> TripleIterator:
    """The reports as triples. Blank nodes are named by numbers: the same outcomes make the same graph."""
    for number, outcome in enumerate(outcomes, 1):
        if isinstance(outcome, UncheckedFile):
            yield from describe_unchecked_file(outcome, number)
        else:
            yield from describe_file_report(outcome, number)
    broken = {finding.rule for one in outcomes if isinstance(one, Report) for finding in one.findings}
    for rule in broken:
        yield from copy_rule_path(rule)[1]


def describe_unchecked_file(unread: UncheckedFile, number: int) -> TripleIterator:
    """That a file was not checked, and why."""
    node = ox.BlankNode(f"unread-{number}")
    yield ox.Triple(node, RDF_TYPE, expand_curie("earl:TestResult"))
    yield ox.Triple(node, expand_curie("earl:outcome"), expand_curie("earl:cantTell"))
    yield ox.Triple(node, RDFS_LABEL, ox.Literal(unread.name))
    yield ox.Triple(node, RDFS_COMMENT_NODE, ox.Literal(unread.problem.detail, language="en"))
    line, column = (unread.problem.members.get(name) for name in ("line", "column"))
    if line and column:
        yield from describe_file_pointer(node, TextPosition(line, column), f"unread-place-{number}")


def describe_file_report(report: Report, number: int) -> TripleIterator:
    """The validation report of a file."""
    node = ox.BlankNode(f"report-{number}")
    yield ox.Triple(node, RDF_TYPE, SH_VALIDATION_REPORT)
    yield ox.Triple(node, RDFS_LABEL, ox.Literal(report.name))
    yield ox.Triple(node, SH_CONFORMS, ox.Literal(report.conforms))
    for paper in report.papers:
        yield ox.Triple(node, DCTERMS_SUBJECT, build_paper_term(paper.iri, number))
        if paper.conforms:
            profile = ox.NamedNode(PROFILE_NAMESPACE + report.profile)
            yield ox.Triple(build_paper_term(paper.iri, number), DCTERMS_CONFORMS_TO, profile)
        if paper.left_out:
            yield build_comment_triple(node, f"Findings that are not shown: {paper.left_out} ({paper.title})")
    for count, finding in enumerate(report.findings, 1):
        result = ox.BlankNode(f"result-{number}-{count}")
        yield ox.Triple(node, SH_RESULT, result)
        yield from describe_finding_result(result, finding, number, count)


def describe_finding_result(
    result: ox.BlankNode, finding: Finding, number: int, count: int
) -> TripleIterator:
    """A validation result."""
    for predicate, object_ in rule_result_statements(finding.rule):
        yield ox.Triple(result, predicate, object_)
    yield ox.Triple(result, SH_FOCUS_NODE, isolate_blank_node(finding.focus, number))
    if is_long_term(finding.focus):
        yield build_comment_triple(
            result, f"The focus node begins with: {shorten_untrusted_text(finding.focus.value)}"
        )
    if finding.value is not None and is_long_term(finding.value):
        yield build_comment_triple(
            result, f"The value begins with: {shorten_untrusted_text(finding.value.value)}"
        )
    elif finding.value is not None:
        yield ox.Triple(result, SH_VALUE, isolate_blank_node(finding.value, number))
    if finding.waiver:
        yield build_comment_triple(result, f"Waived: {finding.waiver}")
    if finding.place:
        yield from describe_file_pointer(result, finding.place, f"place-{number}-{count}")


def build_comment_triple(node: ox.BlankNode, text: str) -> ox.Triple:
    """What people should know of a node."""
    return ox.Triple(node, RDFS_COMMENT_NODE, ox.Literal(text))


def describe_file_pointer(node: ox.BlankNode, place: TextPosition, label: str) -> TripleIterator:
    """A place in the file (Pointer Methods in RDF, section 2.2.4)."""
    end = ox.BlankNode(label)
    yield ox.Triple(node, EARL_POINTER, end)
    yield ox.Triple(end, RDF_TYPE, PTR_LINE_CHAR_POINTER)
    yield ox.Triple(end, PTR_LINE_NUMBER, ox.Literal(str(place.line), datatype=XSD_POSITIVE_INTEGER))
    yield ox.Triple(end, PTR_CHAR_NUMBER, ox.Literal(str(place.column), datatype=XSD_POSITIVE_INTEGER))


def build_paper_term(iri: str, number: int) -> Term:
    """The node of a paper: an IRI, or the label of a blank node."""
    return isolate_blank_node(ox.NamedNode(iri) if ":" in iri else ox.BlankNode(iri), number)


def isolate_blank_node(term: Term, number: int) -> Term:
    """The term, a blank node renamed such that it is none of another file or of the report.

    A blank node stands for a node that is not repeated.
    """
    if is_long_term(term):
        digest = hashlib.sha256(str(term).encode()).hexdigest()
        return ox.BlankNode(f"long-{number}-{digest[:32]}")
    return ox.BlankNode(f"node-{number}-{term.value}") if isinstance(term, ox.BlankNode) else term


def is_long_term(term: Term) -> bool:
    """Whether a term, with its datatype, is not repeated."""
    return len(str(term)) > MAX_REPEATED_CHARACTERS


@cache
def rule_result_statements(rule: Rule) -> PredicateObjects:
    """What each result of a rule says."""
    start = copy_rule_path(rule)[0]
    said = {
        RDF_TYPE: "ValidationResult",
        expand_curie("sh:sourceConstraintComponent"): f"{rule.component}ConstraintComponent",
        expand_curie("sh:resultSeverity"): rule.severity,
    }
    message = expand_curie("sh:resultMessage")
    return (
        *((predicate, expand_curie(f"sh:{name}")) for predicate, name in said.items()),
        (expand_curie("sh:sourceShape"), ox.NamedNode(rule.iri)),
        *((message, ox.Literal(text, language=language)) for language, text in rule.message.items()),
        *([(SH_RESULT_PATH, start)] if start else []),
    )


@cache
def copy_rule_path(rule: Rule) -> tuple[Term | None, tuple[ox.Triple, ...]]:
    """Where the property path of a rule starts, and its triples, copied from the shape."""
    starts = shape_triples_by_subject().get(ox.NamedNode(SHAPES_NAMESPACE + rule.code), ())
    start = next((one.object for one in starts if one.predicate == SH_PATH), None)
    labels: dict[Term, Term] = {}
    copied: list[ox.Triple] = []

    def copy(term: Term) -> Term:
        if not isinstance(term, ox.BlankNode):
            return term
        if term not in labels:
            labels[term] = ox.BlankNode(f"path-{rule.code}-{len(labels) + 1}")
            copied.extend(
                ox.Triple(labels[term], one.predicate, copy(one.object))
                for one in shape_triples_by_subject()[term]
            )
        return labels[term]

    return copy(start), tuple(copied)


@cache
def shape_triples_by_subject() -> dict[Term, list[ox.Triple]]:
    """The triples of the shapes by their subjects."""
    return group_triples_by_subject(read_shape_triples())
