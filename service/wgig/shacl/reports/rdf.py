"""The report as RDF: a SHACL validation report (SHACL 1.0, section 3.6) for each file.

The report differs from plain SHACL, or uses another vocabulary, in these points:

- `sh:conforms` is about the profile: a report may conform and still have results that do not count in the
  profile. A paper that conforms has the property `dcterms:conformsTo` with the profile.
- A position in the file is an `earl:pointer` to a `ptr:LineCharPointer`, as in accessibility checkers.
- A waived result keeps its severity. The reason is an `rdfs:comment`, as SHACL has no term for it, and
  `wgig:reason` is a property of the waiver in the file.
- Findings that are left out, because a paper has too many, are counted in an `rdfs:comment` on the report.
- A term of more than 1,000 characters is not repeated in each result: a blank node replaces a focus node, a
  value is left out, and an `rdfs:comment` has the beginning of the term.
- An unchecked file has an `earl:TestResult` with the outcome `earl:cantTell` instead of a validation report
  (section 3.4).
"""

import hashlib
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache

import pyoxigraph as ox

from ...rdf.formats import RDF_XML, Format
from ...rdf.namespaces import RDF_TYPE, RDFS_LABEL, expand_curie
from ...rdf.serialization import replace_literal_text, serialize_triples
from ...rdf.vocabulary import group_triples_by_subject
from ...settings import Settings
from ...text import (
    MAX_QUOTED_CHARACTERS,
    UNSAFE_CHARACTER_PATTERN,
    TextPosition,
    clean_xml_text,
    replace_control_characters,
    shorten_untrusted_text,
)
from ..findings import CheckOutcome, Finding, Report, UncheckedFile
from ..results import Term
from ..rules import PROFILE_NAMESPACE, SHAPES_NAMESPACE, Rule, ShapeRule, read_shape_triples

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
    """The reports in an RDF format; messages are in all languages. Control characters of IRIs are escaped."""
    triples = map(clean_literal, build_report_triples(outcomes))
    body = serialize_triples(triples, format_, Settings.base).decode()
    escape = "&#x{:X};" if format_ is RDF_XML else "\\u{:04X}"
    return UNSAFE_CHARACTER_PATTERN.sub(lambda match: escape.format(ord(match[0])), body).encode()


def clean_literal(triple: ox.Triple) -> ox.Triple:
    """The triple; in a literal, U+FFFD replaces control characters and those that XML does not allow."""
    literal = triple.object
    if not isinstance(literal, ox.Literal):
        return triple
    text = clean_xml_text(replace_control_characters(literal.value))
    if text == literal.value:
        return triple
    return ox.Triple(triple.subject, triple.predicate, replace_literal_text(literal, text))


def build_report_triples(outcomes: Sequence[CheckOutcome]) -> TripleIterator:
    """The reports as triples. Blank node labels are numbered, so that equal outcomes have equal triples."""
    for file_number, outcome in enumerate(outcomes, 1):
        if isinstance(outcome, UncheckedFile):
            yield from describe_unchecked_file(outcome, file_number)
        else:
            yield from describe_file_report(outcome, file_number)
    broken_rules = {
        finding.rule for report in outcomes if isinstance(report, Report) for finding in report.findings
    }
    for rule in broken_rules:
        _, path_triples = copy_rule_path(rule)
        yield from path_triples


def describe_unchecked_file(unchecked: UncheckedFile, file_number: int) -> TripleIterator:
    """The test result for an unchecked file, with the reason."""
    node = ox.BlankNode(f"unread-{file_number}")
    yield ox.Triple(node, RDF_TYPE, expand_curie("earl:TestResult"))
    yield ox.Triple(node, expand_curie("earl:outcome"), expand_curie("earl:cantTell"))
    yield ox.Triple(node, RDFS_LABEL, ox.Literal(unchecked.name))
    yield ox.Triple(node, RDFS_COMMENT_NODE, ox.Literal(unchecked.problem.detail, language="en"))
    line, column = (unchecked.problem.members.get(name) for name in ("line", "column"))
    if line and column:
        yield from describe_file_pointer(node, TextPosition(line, column), f"unread-place-{file_number}")


def describe_file_report(report: Report, file_number: int) -> TripleIterator:
    """The validation report of a file."""
    node = ox.BlankNode(f"report-{file_number}")
    yield ox.Triple(node, RDF_TYPE, SH_VALIDATION_REPORT)
    yield ox.Triple(node, RDFS_LABEL, ox.Literal(report.name))
    yield ox.Triple(node, SH_CONFORMS, ox.Literal(report.conforms))
    for paper in report.papers:
        if paper.is_paper:
            yield ox.Triple(node, DCTERMS_SUBJECT, build_paper_term(paper.iri, file_number))
        if paper.conforms and paper.is_paper:
            profile = ox.NamedNode(PROFILE_NAMESPACE + report.profile)
            yield ox.Triple(build_paper_term(paper.iri, file_number), DCTERMS_CONFORMS_TO, profile)
        if paper.left_out:
            yield build_comment_triple(node, f"Findings not shown: {paper.left_out} ({paper.title})")
    for finding_number, finding in enumerate(report.findings, 1):
        if isinstance(finding.rule, ShapeRule) and finding.rule.is_note:
            for language, text in finding.rule.message.items():
                yield ox.Triple(node, RDFS_COMMENT_NODE, ox.Literal(text, language=language))
            continue
        result = ox.BlankNode(f"result-{file_number}-{finding_number}")
        yield ox.Triple(node, SH_RESULT, result)
        yield from describe_finding_result(result, finding, file_number, finding_number)


def describe_finding_result(
    result: ox.BlankNode, finding: Finding, file_number: int, finding_number: int
) -> TripleIterator:
    """A validation result."""
    for predicate, object_ in rule_result_statements(finding.rule):
        yield ox.Triple(result, predicate, object_)
    yield ox.Triple(result, SH_FOCUS_NODE, isolate_blank_node(finding.focus, file_number))
    if is_long_term(finding.focus):
        yield build_comment_triple(
            result, f"The focus node starts with: {shorten_untrusted_text(finding.focus.value)}"
        )
    if finding.value is not None and is_long_term(finding.value):
        yield build_comment_triple(
            result, f"The value starts with: {shorten_untrusted_text(finding.value.value)}"
        )
    elif finding.value is not None:
        yield ox.Triple(result, SH_VALUE, isolate_blank_node(finding.value, file_number))
    if finding.waiver:
        yield build_comment_triple(result, f"Waived: {finding.waiver}")
    if finding.position:
        yield from describe_file_pointer(result, finding.position, f"place-{file_number}-{finding_number}")


def build_comment_triple(node: ox.BlankNode, text: str) -> ox.Triple:
    """An rdfs:comment on a node."""
    return ox.Triple(node, RDFS_COMMENT_NODE, ox.Literal(text))


def describe_file_pointer(node: ox.BlankNode, position: TextPosition, label: str) -> TripleIterator:
    """A position in the file (Pointer Methods in RDF, section 2.2.4)."""
    pointer = ox.BlankNode(label)
    yield ox.Triple(node, EARL_POINTER, pointer)
    yield ox.Triple(pointer, RDF_TYPE, PTR_LINE_CHAR_POINTER)
    yield ox.Triple(pointer, PTR_LINE_NUMBER, ox.Literal(str(position.line), datatype=XSD_POSITIVE_INTEGER))
    yield ox.Triple(pointer, PTR_CHAR_NUMBER, ox.Literal(str(position.column), datatype=XSD_POSITIVE_INTEGER))


def build_paper_term(iri: str, file_number: int) -> Term:
    """The node of a paper, from an IRI or a blank node label."""
    return isolate_blank_node(ox.NamedNode(iri) if ":" in iri else ox.BlankNode(iri), file_number)


def isolate_blank_node(term: Term, file_number: int) -> Term:
    """The term; for a blank node, another with a label that no other file and no node of the report has.

    A term that is too long to repeat is replaced by a blank node.
    """
    if is_long_term(term):
        digest = hashlib.sha256(str(term).encode()).hexdigest()
        return ox.BlankNode(f"long-{file_number}-{digest[:32]}")
    return ox.BlankNode(f"node-{file_number}-{term.value}") if isinstance(term, ox.BlankNode) else term


def is_long_term(term: Term) -> bool:
    """Whether a term, with its datatype, is too long to repeat."""
    return len(str(term)) > MAX_QUOTED_CHARACTERS


def shape_result_statements(rule: ShapeRule) -> PredicateObjects:
    """The predicates and objects that all results of a constraint of other shapes have."""
    return (
        (RDF_TYPE, expand_curie("sh:ValidationResult")),
        (expand_curie("sh:sourceConstraintComponent"), ox.NamedNode(rule.component_iri)),
        (expand_curie("sh:resultSeverity"), ox.NamedNode(rule.severity_iri)),
        (expand_curie("sh:sourceShape"), rule.shape),
        *(
            (expand_curie("sh:resultMessage"), ox.Literal(text, language=language or None))
            for language, text in rule.message.items()
        ),
        *([(SH_RESULT_PATH, rule.path_node)] if rule.path_node else []),
    )


@lru_cache(1024)  # more than the rules of the template
def rule_result_statements(rule: Rule) -> PredicateObjects:
    """The predicates and objects that all results of a rule have."""
    if isinstance(rule, ShapeRule):
        return shape_result_statements(rule)
    path_node, _ = copy_rule_path(rule)
    sh_names = {
        RDF_TYPE: "ValidationResult",
        expand_curie("sh:sourceConstraintComponent"): f"{rule.component}ConstraintComponent",
        expand_curie("sh:resultSeverity"): rule.severity,
    }
    message_property = expand_curie("sh:resultMessage")
    return (
        *((predicate, expand_curie(f"sh:{name}")) for predicate, name in sh_names.items()),
        (expand_curie("sh:sourceShape"), ox.NamedNode(rule.iri)),
        *((message_property, ox.Literal(text, language=language)) for language, text in rule.message.items()),
        *([(SH_RESULT_PATH, path_node)] if path_node else []),
    )


@lru_cache(1024)  # more than the rules of the template
def copy_rule_path(rule: Rule) -> tuple[Term | None, tuple[ox.Triple, ...]]:
    """The node of the property path of a rule (None without a path), and the triples that describe the path.

    Blank nodes get new labels, but not those of other shapes, as their rules have the triples of the path.
    """
    if isinstance(rule, ShapeRule):
        return rule.path_node, rule.path_triples
    shape_triples = shape_triples_by_subject().get(ox.NamedNode(SHAPES_NAMESPACE + rule.code), ())
    path_node = next((triple.object for triple in shape_triples if triple.predicate == SH_PATH), None)
    copied_nodes: dict[Term, Term] = {}
    copied_triples: list[ox.Triple] = []

    def copy_term(term: Term) -> Term:
        if not isinstance(term, ox.BlankNode):
            return term
        if term not in copied_nodes:
            copied_nodes[term] = ox.BlankNode(f"path-{rule.code}-{len(copied_nodes) + 1}")
            copied_triples.extend(
                ox.Triple(copied_nodes[term], triple.predicate, copy_term(triple.object))
                for triple in shape_triples_by_subject()[term]
            )
        return copied_nodes[term]

    return copy_term(path_node), tuple(copied_triples)


@cache
def shape_triples_by_subject() -> dict[Term, list[ox.Triple]]:
    """The triples of the shapes by their subjects."""
    return group_triples_by_subject(read_shape_triples())
