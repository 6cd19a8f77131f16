"""What stands between a paper and its graph: each write is checked first, and refused if it does not conform.

The graph `graph/paper/<name>` is about the paper `id/paper/<name>`. The check runs where those of `/validate`
run, in a process with limits.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from typing import NamedTuple

import pyoxigraph as ox

from ..http.bodies import BodyPart
from ..problems import Problem
from ..rdf import formats, serialization
from ..rdf.formats import GRAPH_FORMATS, HTML, JSON, N_TRIPLES, PROBLEM_JSON, Format, get_named_format
from ..rdf.namespaces import LOCAL_NAME_PATTERN, RDF_TYPE, WGIG_ISSUE_PAPER, expand_curie
from ..rdf.positions_turtle import TriplePosition
from ..settings import Settings
from ..store.commit import CheckResults
from .check import ACTOR_IRI_PREFIXES, build_check_report, find_document_results
from .conformance_graph import ConformanceGraph, paper_node
from .documents import Document, DocumentReader, read_rdf
from .findings import Report
from .reports import REPORT_WRITERS
from .results import ValidationResult

PAPER_GRAPH_PATH = "graph/paper/"
PROFILE_OFF = "off"
PAPER_WRITE_FORMATS = (*GRAPH_FORMATS, formats.MARKDOWN)
# Of another form, for which there are no rules.
WGIG_ASSESSMENT_PAPER = expand_curie("wgig:AssessmentPaper")

UNKNOWN_SPOT = TriplePosition(-1, -1, -1)  # of a triple that the author did not send

# Who reads HTML gets the problem as a page: the page of a report holds styles, which none of the service may.
REFUSAL_REPORT_FORMATS = tuple(one for one in REPORT_WRITERS if one is not HTML)
REFUSAL_FORMATS = (*REFUSAL_REPORT_FORMATS, PROBLEM_JSON, HTML)


class PaperSubmission(NamedTuple):
    """What is sent to the graph of a paper, beside the `existing_triples` that stay, as N-Triples.

    An update sends no parts: `existing_triples` are all that the graph would hold. `read_document` reads the
    parts. A report on it is to be in this format and language.
    """

    graph: str
    parts: Sequence[BodyPart]
    existing_triples: bytes
    read_document: DocumentReader
    format: Format
    language: str
    settings: Settings


class GateDecision(NamedTuple):
    """What was sent, as N-Triples; or the report on what is wrong with it.

    And what the engine found in the paper, with the digest of what an assertion on it rests on.
    """

    triples: bytes = b""
    report: bytes = b""
    digest: str = ""
    results: frozenset[ValidationResult] = frozenset()

    @property
    def by_digest(self) -> CheckResults:
        """What the engine found, as the store takes it; nothing where it was not asked."""
        return {self.digest: self.results} if self.digest else {}


def is_paper_graph(graph: str | None, base: str) -> bool:
    """Whether this is the graph of a paper."""
    return graph is not None and graph.startswith(base + PAPER_GRAPH_PATH)


def check_submission(todo: PaperSubmission) -> GateDecision:
    """Check what the graph would hold.

    Raises Problem 400 with line and column where something does not parse, 422 where the graph would not
    describe the paper of its name, or where the report is to be a problem, 413 for too much.
    """
    sent = [read_submitted_part(part, todo) for part in todo.parts]
    lines = b"".join(map(serialize_with_unique_blanks, sent))
    profile = todo.settings.write_profile
    if profile == PROFILE_OFF:
        return GateDecision(lines)
    whole = (
        sent[0] if len(sent) == 1 and not todo.existing_triples else build_whole_document(sent, lines, todo)
    )
    has_rules = is_issue_paper(whole, todo)
    check_paper_subjects(whole, todo)
    if not has_rules:
        return GateDecision(lines)
    results = find_document_results(whole, todo.settings.shacl)
    report = build_check_report(whole, profile, results)
    if not report.conforms:
        return GateDecision(report=serialize_refusal_report(report, todo))
    digest = get_conformance_graph(todo.settings.base, todo.settings.shacl).compute_digest(
        [*serialization.normalize_triples(whole.triples)]
    )
    return GateDecision(lines, digest=digest, results=frozenset(results))


@cache
def get_conformance_graph(base: str, by: str) -> ConformanceGraph:
    """The conformance graph in which the paper will stand."""
    return ConformanceGraph(base, by)


def read_submitted_part(part: BodyPart, todo: PaperSubmission) -> Document:
    """A document that was sent, read. Raises Problem 400, 413."""
    format_ = get_named_format(part.content_type, PAPER_WRITE_FORMATS)
    name = part.name or f"paper.{format_.suffix}"
    return todo.read_document(name, part.body, format_, todo.settings.paper_triples, todo.graph)


def serialize_with_unique_blanks(document: Document) -> bytes:
    """The triples of a document as N-Triples, with blank nodes that no other document has."""
    return serialize_submitted_triples(
        serialization.parse_graph_document(
            serialize_submitted_triples(document.triples), N_TRIPLES.media_type
        )
    )


def serialize_submitted_triples(triples: Iterable[ox.Triple]) -> bytes:
    """The triples as N-Triples."""
    return ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES) or b""


def build_whole_document(sent: Sequence[Document], lines: bytes, todo: PaperSubmission) -> Document:
    """All that the graph would hold, as one document: what is there, then `lines`, which is what was sent.

    A place in it is one in the text of the only part that was sent. Nothing else has one: its author did not
    send what is there, and a report tells the name of one file alone. Raises Problem 413.
    """
    name = todo.graph.removeprefix(todo.settings.base + PAPER_GRAPH_PATH)
    whole = read_rdf(name, todo.existing_triples + lines, N_TRIPLES, todo.settings.paper_triples)
    if len(sent) != 1:
        return replace(whole, find_spots=tuple)
    (part,) = sent

    def spots() -> list[TriplePosition]:
        before = len(whole.triples) - len(part.triples)  # N-Triples keep number and order of the triples
        return [UNKNOWN_SPOT] * before + list(part.spots) if part.spots else []

    return replace(part, triples=whole.triples, find_spots=spots)


def is_issue_paper(document: Document, todo: PaperSubmission) -> bool:
    """Whether the document describes the issue paper of the graph's name; if not, it is an assessment paper.

    Raises Problem 422 where it is neither, or describes another issue paper.
    """
    name = todo.graph.removeprefix(todo.settings.base + PAPER_GRAPH_PATH)
    if not LOCAL_NAME_PATTERN.fullmatch(name):
        raise Problem(
            422, f"{name!r} is no name of a paper. Take letters, digits, hyphens, underscores and dots."
        )
    own = paper_node(name)
    kinds = {(one.subject, one.object) for one in document.iter_property_triples([RDF_TYPE])}
    others = [subject for subject, kind in kinds if kind == WGIG_ISSUE_PAPER and subject != own]
    if others:
        raise Problem(
            422,
            f"The graph is about the paper {own}, and it would describe {others[0]}. Name one or the other.",
        )
    if not {(own, WGIG_ISSUE_PAPER), (own, WGIG_ASSESSMENT_PAPER)} & kinds:
        raise Problem(
            422,
            f"The graph would not describe its paper. Say that {own} is a wgig:IssuePaper.",
            slug="no-paper",
        )
    return (own, WGIG_ISSUE_PAPER) in kinds


def check_paper_subjects(document: Document, todo: PaperSubmission) -> None:
    """Raises Problem 422 where the document says something of what is not the paper's to describe."""
    own = paper_node(todo.graph.removeprefix(todo.settings.base + PAPER_GRAPH_PATH)).value
    for one in document.numbers_by_subject:
        iri = one.value if isinstance(one, ox.NamedNode) else own
        if iri not in (own, todo.graph) and not iri.startswith((f"{own}/", *ACTOR_IRI_PREFIXES)):
            raise Problem(
                422,
                f"The graph is about the paper <{own}>, and it would say something of <{iri}>, which is "
                "neither a part of it nor somebody who took part. Leave that out.",
            )


def serialize_refusal_report(report: Report, todo: PaperSubmission) -> bytes:
    """The report in the format that was asked for. Raises Problem 422 where that is a problem."""
    if todo.format in REFUSAL_REPORT_FORMATS:
        return REPORT_WRITERS[todo.format]([report], todo.language)
    blocking = [one for one in report.findings if one.is_blocking(report.profile)]
    raise Problem(
        422,
        f"The paper does not conform to the profile {report.profile}, and nothing was written. "
        f"{' '.join(one.rule.message_in(todo.language) for one in blocking[:1])}",
        report=json.loads(REPORT_WRITERS[JSON]([report], todo.language)),
    )
